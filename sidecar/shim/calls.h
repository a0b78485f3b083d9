// Which system calls of a supervised command go to its supervisor, and which are refused: filters
// that look at registers alone. Nothing that they let through can bind or listen, nor, where the
// command is confined, connect.
#ifndef SHIM_CALLS_H
#define SHIM_CALLS_H

#include "confinement.h"
#include "filter.h"

enum { CALLS_MOST_STEPS = 512 };

// Pure: writes the filter's program for this mode; its length, 0 where it does not fit.
size_t calls_write(struct filter_step steps[CALLS_MOST_STEPS], enum confinement_mode mode);

// Puts the filter for this mode on this process (with CONFINEMENT_OFF only its listeners are held); its
// listener (closed on exec), or -1 with errno. Needs no_new_privs.
int calls_enter(enum confinement_mode mode);

#endif
