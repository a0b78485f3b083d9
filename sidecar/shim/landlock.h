// A Landlock domain that forbids nothing on files and so separates only processes: whoever is in
// one can't trace, read or (ABI 6) signal what is outside. Fails closed where the kernel has it.
#ifndef SHIM_LANDLOCK_H
#define SHIM_LANDLOCK_H

#include <stdbool.h>

struct landlock {
  // 0 where the kernel has none.
  int abi;
  // The ruleset, or -1 where there is none.
  int ruleset;
  // The same, and no TCP socket is bound or connected by whoever is in it; -1 below ABI 4.
  int confining;
};

// Asks the kernel and prepares the ruleset; who is in a domain of it reaches no abstract socket
// outside if `hides_abstract_sockets`, or if it is confined. -1 with errno where Landlock is there but fails.
int landlock_open(struct landlock *landlock, bool hides_abstract_sockets);

// Puts this process into a domain of its own (nothing to do where there is no Landlock); -1 with
// errno where that fails. Whoever is confined has all that it may bind or connect done by a
// supervisor. Needs no_new_privs.
int landlock_enter(const struct landlock *landlock, bool is_confined);

#endif
