// Which system calls of a supervised command go to its supervisor, and which are refused: a filter
// that looks at registers alone. Nothing that it lets through can bind or listen.
#ifndef SHIM_CALLS_H
#define SHIM_CALLS_H

#include "filter.h"

extern const struct filter_step CALLS_STEPS[];
extern const size_t CALLS_COUNT;

// Puts the filter on this process; its listener (closed on exec), or -1 with errno.
// Needs no_new_privs.
int calls_enter(void);

#endif
