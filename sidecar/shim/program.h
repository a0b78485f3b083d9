// Becoming another program: the last steps between fork and exec, the same for every command.
#ifndef SHIM_PROGRAM_H
#define SHIM_PROGRAM_H

#include "environment.h"
#include "spawn.h"

// Signals as in a fresh process.
void program_restore_signals(void);

// Looks the command up in the environment's PATH and executes it; returns only where that fails.
struct spawn_failure program_execute(char **command, const struct environment *environment);

#endif
