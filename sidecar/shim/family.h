// The descendants of one monitor, as signals reach them: the child's group, and everything.
// Where Landlock scopes signals (ABI 6) the monitor lives in a domain of its own and its child in one
// nested in it: `kill(-1)` then reaches exactly the descendants, all in one step that no fork can
// outrun, and none of them can signal the monitor. Elsewhere the monitor's children are killed one
// by one, again and again.
#ifndef SHIM_FAMILY_H
#define SHIM_FAMILY_H

#include <stdbool.h>
#include <sys/types.h>

#include "landlock.h"

struct family {
  // The child, 0 before it is there; its number names its group until it is reaped.
  pid_t child;
  bool is_child_reaped;
  bool has_domain;
};

// Takes this process into its domain if there can be one; -1 with errno. Needs no_new_privs.
int family_open(struct family *family, const struct landlock *landlock);

// SIGTERM, and SIGCONT for whoever is stopped, to the child's group.
void family_terminate_group(const struct family *family);

// The same to all descendants, as far as they can be found.
void family_terminate(const struct family *family);

// SIGKILL to all descendants; to be repeated until none is left to wait for.
void family_kill(const struct family *family);

#endif
