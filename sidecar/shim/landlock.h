// A Landlock domain, which separates processes: whoever is in one can't trace, read or (ABI 6) signal what is outside. On
// files it forbids nothing, or every change but where it is allowed. Fails closed where the kernel has it.
#ifndef SHIM_LANDLOCK_H
#define SHIM_LANDLOCK_H

#include <stdbool.h>

#include "writable.h"

struct landlock {
  // 0 where the kernel has none.
  int abi;
  // The ruleset, or -1 where there is none.
  int ruleset;
  // The same, and no TCP socket is bound or connected by whoever is in it; -1 below ABI 4.
  int confining;
  bool hides_abstract_sockets;
};

// Asks the kernel and prepares the ruleset; who is in a domain of it reaches no abstract socket
// outside if `hides_abstract_sockets`, or if it is confined. -1 with errno where Landlock is there but fails.
int landlock_open(struct landlock *landlock, bool hides_abstract_sockets);

// Puts this process into a domain of its own (nothing to do where there is no Landlock); -1 with
// errno where that fails. Whoever is confined has all that it may bind or connect done by a
// supervisor. Needs no_new_privs.
int landlock_enter(const struct landlock *landlock, bool is_confined);

// Whether the kernel can forbid every change of a file that its interface knows.
bool landlock_keeps_files(const struct landlock *landlock);

// Descriptors of what one command may change beside what is declared; -1 where there is none.
struct landlock_own {
  int directory;
  // What stdout is: it is opened again by the name /dev/stdout.
  int output;
};

// The same, and files are changed only where `writable` says, in `own` and at the devices that every container has. Fails with
// EOPNOTSUPP where that is required and the kernel lets files be changed in other ways; advisory, it does what the kernel can.
int landlock_enter_writing(const struct landlock *landlock, bool is_confined,
                           const struct writable *writable, const struct landlock_own *own);

#endif
