// A child's environment: the shim's own, overlaid by the spawn request's lines, with a private HOME,
// TMPDIR and caches where they are wanted. Decides nothing else about it.
#ifndef SHIM_ENVIRONMENT_H
#define SHIM_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "writable.h"

struct environment {
  // Pointers to lines, NULL-ended; memory for `capacity` of them is taken once.
  char **lines;
  size_t count;
  size_t capacity;
  // A line that was made of two.
  char *joined;
};

// Where a child may keep what it writes.
struct environment_places {
  // Its private directory.
  const char *home;
  // Where else it may change files.
  const struct writable *writable;
  // Only TMPDIR points into the private one.
  bool keep_home;
  // Whether there is a token in it.
  bool has_token;
};

// Takes the memory that any environment over this process's own can need; -1 where there is none.
int environment_open(struct environment *environment);

void environment_close(struct environment *environment);

// Puts a child's environment together. `request` holds NUL-ended lines, which stand in the place of the
// shim's own; but Java's options (JDK_JAVA_OPTIONS) stand before those that are there.
void environment_build(struct environment *environment, char *request, size_t request_bytes,
                       const struct environment_places *places);

// The shim's own, as it is.
void environment_build_own(struct environment *environment);

// Puts more lines (NUL-ended, at most FRAME_MAX_VARIABLES of them) over it; they must stay where they are.
void environment_overlay(struct environment *environment, char *lines, size_t bytes);

// The value of a variable, or NULL.
const char *environment_value(const struct environment *environment, const char *key);

#endif
