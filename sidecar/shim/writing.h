// One command's own leave to change files: what all have (writable.h), and what is its alone. Entered by the command before it is
// executed; and by whoever makes a file on its behalf.
#ifndef SHIM_WRITING_H
#define SHIM_WRITING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "home.h"
#include "landlock.h"
#include "writable.h"

struct writing {
  const struct landlock *landlock;
  // NULL: it changes what its user may.
  const struct writable *writable;
  // Where its private directory is, by its number; NULL where it has none.
  const struct homes *homes;
  uint64_t number;
  // Until then it binds nothing: who was to do it has not answered in time.
  uint64_t rest_until_ms;
};

// Puts this process into a domain as landlock_enter does, with that leave; `output` is what its stdout is. -1 with errno.
int writing_enter(const struct writing *writing, bool is_confined, int output);

// Says where what is asked for is more than the kernel can do.
void writing_report(const struct landlock *landlock, const struct writable *writable);

// Binds a socket of ours to a path as the command itself would, with no more leave. -1 with errno. However it is disturbed, it
// takes two seconds at most, and then is refused for twenty.
int writing_bind(struct writing *writing, int fd, const struct sockaddr *address, socklen_t length);

#endif
