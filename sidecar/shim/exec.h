// `shim exec`: one command under PID 1's duties (signals, orphans, the exit code) and, where it is
// asked for, under a supervisor of its calls. Moves no byte of what the command says.
#ifndef SHIM_EXEC_H
#define SHIM_EXEC_H

#include "args.h"

// Runs until the command has ended; the exit code.
int exec_run(const struct exec_options *options);

#endif
