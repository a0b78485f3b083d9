// `shim probe`: an HTTP GET on loopback, as an exec probe. Knows nothing but the status line.
#ifndef SHIM_PROBE_H
#define SHIM_PROBE_H

#include <stdint.h>

// The exit code.
int probe_run(uint16_t port, const char *path);

#endif
