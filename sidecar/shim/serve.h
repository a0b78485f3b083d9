// `shim serve`: the loop that joins the sidecar's requests, the children and the signals.
#ifndef SHIM_SERVE_H
#define SHIM_SERVE_H

#include "args.h"

// Runs until there is nothing more to do; the exit code.
int serve_run(const struct serve_options *options);

#endif
