// The supervisor of one command or child: answers the system calls that its filter (calls.h) sends
// here. A call is a row of its table; what a row decides is in the file of its name.
#ifndef SHIM_SUPERVISOR_H
#define SHIM_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#include "bucket.h"
#include "confinement.h"
#include "flights.h"
#include "frame.h"
#include "notice.h"
#include "sockets.h"
#include "writing.h"

struct control;

// What a supervisor is given by whoever has it.
struct supervisor_setting {
  // Where what is being connected is watched, -1 where nothing can be; and under which number: its own
  // in the upper bits, the flight's in the lower.
  int epoll;
  size_t place;
  // Who hears what was tried, and of which child; NULL where nobody does.
  struct control *control;
  uint32_t child;
  // Where the sidecar's own socket is; NULL where there is none.
  const char *run_dir;
  // Its command runs beside a server, in that one's container: a probe, or a hook.
  bool is_beside;
  // What files its processes may make; of us, too, on their behalf.
  struct writing writing;
  // Memory, all zeros.
  struct socket_memory records;
  size_t most_held;
  struct flight *flights;
  size_t most_flights;
};

enum { SUPERVISOR_FLIGHT_BITS = 8, SUPERVISOR_FLIGHT_MASK = 255 };

// What is told of attempts has an allowance a sort, so that a process that tries one sort without end hides none of another.
enum supervisor_told {
  // Connects that were refused,
  TOLD_REFUSED,
  // and those that were let through;
  TOLD_LET,
  // kinds of sockets that are refused by themselves.
  TOLD_SOCKETS,
  TOLD_SORTS,
};

struct supervisor {
  struct supervisor_setting setting;
  struct confinement confinement;
  // -1 once no supervised process is left.
  int listener;
  struct sockets sockets;
  // When to look again whether what is held is still wanted.
  uint64_t sweep_at_ms;
  uint32_t sweep_ms;
  // When to look whether those who wait for a connection still do.
  uint64_t look_at_ms;
  struct flights flights;
  struct bucket lines;
  struct bucket told[TOLD_SORTS];
  // Since something was told last; the last of them, and when to tell of it.
  uint32_t untold;
  struct frame_egress last;
  enum supervisor_told last_sort;
  uint64_t tell_at_ms;
};

// What becomes of a call: 0 or an error number is its answer; or
enum {
  // the kernel does it: decided by registers alone;
  SUPERVISOR_CONTINUE = -1,
  // nobody waits for an answer any more;
  SUPERVISOR_GONE = -2,
  // the answer comes later.
  SUPERVISOR_LATER = -3,
};

// Takes the listener of a filter over; what is confined stands in `confinement`.
void supervisor_open(struct supervisor *supervisor, const struct supervisor_setting *setting,
                     int listener, uint64_t now_ms);

// Answers the call that waits.
void supervisor_serve(struct supervisor *supervisor);

// A connection that was being made has been, or has failed.
void supervisor_landed(struct supervisor *supervisor, size_t flight);

// Looks soon whether those who wait for a connection still do.
void supervisor_look(struct supervisor *supervisor);

// Does what is due; the time of what is due next.
uint64_t supervisor_tick(struct supervisor *supervisor, uint64_t now_ms);

// A socket of ours is bound and does not listen yet: `fd` is kept until it does.
void supervisor_hold(struct supervisor *supervisor, struct socket_record *record, int fd);

// Lets go what nobody else has open any more, or has connected instead; whether that was any.
bool supervisor_sweep(struct supervisor *supervisor);

// One line on stderr, as long as there are not too many.
__attribute__((format(printf, 2, 3))) void supervisor_say(struct supervisor *supervisor,
                                                          const char *format, ...);

void supervisor_close(struct supervisor *supervisor);

#endif
