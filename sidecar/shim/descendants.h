// The processes whose parent is this one. Killing all of them, again and again, kills every
// descendant of a subreaper: what loses its parent becomes a child of ours.
#ifndef SHIM_DESCENDANTS_H
#define SHIM_DESCENDANTS_H

#include <stdbool.h>
#include <sys/types.h>

// Says which of our children a signal must not reach.
typedef bool descendants_spares(pid_t pid, const void *context);

// Sends `signal` to every child of this process, also those that have ended and wait to be reaped,
// but not to those that `spares` (may be NULL) names. The number of signals sent, or -1 where /proc
// does not say who the children are. Nothing may be reaped meanwhile: a number in the list is then
// always still the process that bore it.
int descendants_signal(int signal, descendants_spares *spares, const void *context);

#endif
