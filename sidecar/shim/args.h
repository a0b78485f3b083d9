// The command lines of `shim serve` and `shim exec`. Pure: it reads words and says what they mean
// or what is wrong.
#ifndef SHIM_ARGS_H
#define SHIM_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "confinement.h"
#include "writable.h"

struct serve_options {
  const char *run_dir;
  uint32_t max_processes;
  uint32_t spawn_rate;
  uint32_t grace_seconds;
  bool keep_home;
  bool once;
  // What children write to stderr goes to the sidecar alone.
  bool quiet;
  // Where children may change files.
  struct writable writable;
  // Where private directories lie; NULL where nothing is said of that.
  const char *homes;
  // Where out-of-memory kills are counted; NULL for the memory cgroup's own file.
  const char *memory_events;
  // The child's command, NULL-ended.
  char **command;
};

// Parses the words after `serve` (NULL-ended); false with one sentence in `fault`.
bool args_parse_serve(char **words, struct serve_options *options, const char **fault);

struct exec_options {
  // NULL where there is no sidecar to talk to.
  const char *run_dir;
  // The command's TCP listeners stand on loopback, whatever it asks for.
  bool loopback;
  // What the command may reach; with a sidecar, that says more of it (CONFINE).
  enum confinement_mode egress;
  uint32_t grace_seconds;
  // Where the command may change files.
  struct writable writable;
  // NULL-ended.
  char **command;
};

// The same for the words after `exec`.
bool args_parse_exec(char **words, struct exec_options *options, const char **fault);

// A whole number in decimal digits from `least` to `most`; false where the text is anything else.
bool args_parse_number(const char *text, uint32_t least, uint32_t most, uint32_t *number);

#endif
