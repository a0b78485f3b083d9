// Where a command may change files: what --files and --writable say, held open from the shim's start on so that nobody puts
// anything else in the place of it.
#ifndef SHIM_WRITABLE_H
#define SHIM_WRITABLE_H

#include <stdbool.h>
#include <stddef.h>

enum { WRITABLE_MAX = 128 };

enum writable_rule {
  // Wherever its user may.
  WRITABLE_ANYWHERE,
  // There alone; where the kernel knows too little for that the command is not started,
  WRITABLE_REQUIRED,
  // or is kept to it as far as the kernel can.
  WRITABLE_ADVISORY,
};

struct writable {
  enum writable_rule rule;
  size_t count;
  const char *paths[WRITABLE_MAX];
  // Of each a descriptor by which it can be neither read nor written.
  int places[WRITABLE_MAX];
};

// Opens them; what can't be opened is left out, and said.
void writable_open(struct writable *writable);

// Whether a path, as it is written, lies in one of them.
bool writable_has(const struct writable *writable, const char *path);

// Whether a directory is one of them, or lies in one, by whichever path one comes to it. What can't be found out counts as if.
bool writable_covers(const struct writable *writable, int directory);

#endif
