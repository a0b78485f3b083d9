// One child, from the request for it until nothing of it is left: its pipes, its monitor, its
// deadlines, and the events that tell of it. Never blocks and never reads its conversation.
#ifndef SHIM_CHILD_H
#define SHIM_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "fifo.h"
#include "frame.h"
#include "relay.h"
#include "spawn.h"
#include "supervisor.h"

struct nursery;

// The token lies behind the lines.
enum { CHILD_ENVIRONMENT_BYTES = FRAME_MAX_ENVIRONMENT_BYTES + FRAME_MAX_TOKEN_BYTES };

enum child_state {
  CHILD_FREE,
  // PIPES sent, OPENED awaited.
  CHILD_OFFERED,
  // The monitor runs; the command has not been executed yet.
  CHILD_STARTING,
  CHILD_RUNNING,
  // EXITED sent; descendants may be left.
  CHILD_ENDED,
  // The monitor is dead; what is left is the shim's to kill.
  CHILD_ORPHANED,
  // Nothing runs; another process removes the private directory.
  CHILD_REMOVING,
};

struct child {
  enum child_state state;
  uint32_t id;
  // Counts all children that were ever started; names the private directory.
  uint64_t number;
  struct fifo fifo;
  pid_t monitor;
  int monitor_fd;
  pid_t pid;
  pid_t cleaner;
  int stderr_fd;
  // Nothing is due at once: epoll tells when there is more. Otherwise the clock does.
  bool is_stderr_watched;
  struct relay relay;
  bool has_exited;
  // The connection it belonged to has ended: no event about it.
  bool is_mute;
  // Why it could not be started; stage 0 where it could.
  struct spawn_failure failure;
  uint64_t opened_by_ms;
  uint64_t term_at_ms;
  uint64_t kill_at_ms;
  // When a monitor that should have ended is killed.
  uint64_t backstop_at_ms;
  uint64_t stderr_at_ms;
  // Memory of the nursery's, one each per place.
  char *environment;
  size_t environment_bytes;
  // Of the token that it starts with; 0 where it has none.
  size_t token_bytes;
  uint8_t *held;
  struct flight *flights;
  // Of a confined child, once it is there.
  struct supervisor supervisor;
};

// An END request.
void child_end(struct nursery *nursery, struct child *child, const struct frame_request *request,
               uint64_t now_ms);

// A TOKEN request: kept until it starts, written where it has been.
void child_token(struct nursery *nursery, struct child *child, const struct frame_request *request);

// Reads what the monitor has to tell.
void child_hear_monitor(struct nursery *nursery, struct child *child, uint64_t now_ms);

// One of its calls waits, or nobody is left under its filter.
void child_supervise(struct nursery *nursery, struct child *child, uint32_t events);

// Has the monitor kill everything at once.
void child_kill(const struct child *child);

// The child's process itself has ended (told by its monitor, or reaped by us as an orphan).
void child_exited(struct nursery *nursery, struct child *child, enum frame_end kind, uint8_t value);

// The monitor has ended, in good order or not.
void child_monitor_ended(struct nursery *nursery, struct child *child, bool in_order,
                         uint64_t now_ms);

// No process is left of an orphaned child: its private directory goes next.
void child_clean(struct nursery *nursery, struct child *child);

// An empty place.
void child_reset(struct child *child);

// Nothing is left: says so and frees the place.
void child_finish(struct nursery *nursery, struct child *child);

// Closes and unlinks what the shim holds of it.
void child_release(struct nursery *nursery, struct child *child);

// Does what is due; the time of what is due next.
uint64_t child_tick(struct nursery *nursery, struct child *child, uint64_t now_ms);

#endif
