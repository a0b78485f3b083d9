// See drain.h.
#include "drain.h"

#include <errno.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "nursery.h"
#include "report.h"
#include "watch.h"

enum {
  // A whole pipe of the usual size.
  TURN_READS = 16,
  // Above its rate a child's stderr is read only this often: at most 6.4 MB/s, and little CPU.
  FLOOD_MS = 10,
  // A full pipe of the largest usual size; what a descendant adds meanwhile is not the child's.
  LAST_READS = 1024 * 1024 / RELAY_HELD_BYTES,
};

// Reads once into the relay; false where there is nothing (more).
static bool read_some(struct child *child) {
  if (child->stderr_fd < 0) return false;
  uint8_t bytes[RELAY_HELD_BYTES];
  const ssize_t length = read(child->stderr_fd, bytes, sizeof bytes);
  if (length > 0) {
    relay_take(&child->relay, bytes, (size_t)length);
    return true;
  }
  if (length == 0 || (errno != EAGAIN && errno != EINTR)) {
    close(child->stderr_fd);
    child->stderr_fd = -1;
  }
  return false;
}

static void pass(struct nursery *nursery, struct child *child) {
  struct relay *relay = &child->relay;
  report_bytes(relay->held, relay->held_bytes);
  // After EXITED there is no more STDERR: what a descendant says is for the log alone.
  if (!child->has_exited && !child->is_mute) {
    uint8_t event[FRAME_MAX_EVENT_BYTES];
    control_send(nursery->control, event,
                 frame_stderr(event, child->id, relay->dropped, relay->held, relay->held_bytes));
  }
  relay_passed(relay);
}

// Passes on what is held if there is something, and the rate and the sidecar's reading allow it.
static void try_pass(struct nursery *nursery, struct child *child, uint64_t now_ms) {
  if (child->relay.held_bytes == 0) return;
  if (!child->has_exited && !control_has_room(nursery->control)) return;
  if (relay_may_pass(&child->relay, now_ms)) pass(nursery, child);
}

// Has epoll tell of more only while nothing is held: a flood must not wake the shim all the time.
static void watch_next(struct nursery *nursery, struct child *child, uint64_t now_ms) {
  const bool is_holding = child->relay.held_bytes > 0;
  child->stderr_at_ms = is_holding ? now_ms + FLOOD_MS : CLOCK_NEVER;
  if (child->stderr_fd < 0 || child->is_stderr_watched == !is_holding) return;
  if (is_holding) {
    watch_remove(nursery->epoll, child->stderr_fd);
    child->is_stderr_watched = false;
  } else {
    child->is_stderr_watched = watch_add(nursery->epoll, child->stderr_fd, WATCH_STDERR,
                                         child - nursery->children) == 0;
  }
}

void drain_stderr(struct nursery *nursery, struct child *child, uint64_t now_ms) {
  bool is_more = true;
  for (int reads = 0; is_more && reads < TURN_READS; reads++) {
    is_more = read_some(child);
    try_pass(nursery, child, now_ms);
  }
  watch_next(nursery, child, now_ms);
}

void drain_last(struct nursery *nursery, struct child *child) {
  for (int reads = 0; reads < LAST_READS && read_some(child); reads++) {
    try_pass(nursery, child, clock_now_ms());
  }
  if (child->relay.held_bytes > 0 || child->relay.dropped > 0) pass(nursery, child);
}
