// The supervisor of one command: answers the system calls that its filter (calls.h) sends here. A call
// is a row of its table; what a row decides is in the file of its name.
#ifndef SHIM_SUPERVISOR_H
#define SHIM_SUPERVISOR_H

#include <stdint.h>

#include "bucket.h"
#include "notice.h"
#include "sockets.h"

struct supervisor {
  // -1 once no supervised process is left.
  int listener;
  struct sockets sockets;
  // When to look again whether what is held is still wanted.
  uint64_t sweep_at_ms;
  uint32_t sweep_ms;
  struct bucket lines;
};

// What becomes of a call: 0 or an error number is its answer; or
enum {
  // the kernel does it: decided by registers alone;
  SUPERVISOR_CONTINUE = -1,
  // nobody waits for an answer any more.
  SUPERVISOR_GONE = -2,
};

// Takes the listener of a filter over.
void supervisor_open(struct supervisor *supervisor, int listener, uint64_t now_ms);

// Answers the call that waits.
void supervisor_serve(struct supervisor *supervisor);

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
