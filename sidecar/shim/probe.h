// `shim probe`: an HTTP GET on loopback, or only a connection, as an exec probe. Knows nothing but the status line.
#ifndef SHIM_PROBE_H
#define SHIM_PROBE_H

#include <stdbool.h>
#include <stdint.h>

struct probe_options {
  uint16_t port;
  uint32_t within_seconds;
  // NULL: it is enough that the port is open.
  const char *path;
  // `Name: value` each, ended by NULL.
  char *const *headers;
};

// Reads the words behind `probe`; false with a sentence.
bool probe_parse(char **words, struct probe_options *options, const char **fault);

// The exit code.
int probe_run(const struct probe_options *options);

#endif
