// A seccomp filter for the one thing that Landlock leaves open between processes of one uid and that
// kills: another's resource limits (no CPU time left means SIGKILL, also for PID 1). A process may
// still set its own. Nothing else is refused here; the network is not this file's business.
#ifndef SHIM_SECCOMP_H
#define SHIM_SECCOMP_H

#include <stdbool.h>

// Whether the kernel has filters (some emulators have none).
bool seccomp_is_there(void);

// Puts the filter on this process for good; -1 with errno. Needs no_new_privs.
int seccomp_enter(void);

#endif
