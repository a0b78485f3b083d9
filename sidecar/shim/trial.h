// Whether supervision works here: a process of ours is put under it and binds, and connects where it is confined. Kernels, sandboxes and
// profiles differ in ways that nothing but trying tells.
#ifndef SHIM_TRIAL_H
#define SHIM_TRIAL_H

#include <stdbool.h>

#include "spawn.h"
#include "start.h"

// Tries; false with the reason. Takes milliseconds, and 2 s at most.
bool trial_run(const struct start_plan *plan, struct spawn_failure *failure);

#endif
