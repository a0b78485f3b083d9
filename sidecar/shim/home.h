// The children's private directories: one base per shim, below it one directory per child, for HOME,
// TMPDIR and caches. A base whose shim has been killed is removed by the next shim that starts.
#ifndef SHIM_HOME_H
#define SHIM_HOME_H

#include <stdint.h>

enum { HOME_BASE_BYTES = 256, HOME_PATH_BYTES = HOME_BASE_BYTES + 32 };

struct homes {
  char base[HOME_BASE_BYTES];
  // Holds the lock that says that the base's shim is alive; -1 where no base could be made.
  int lock;
  // The base itself, whatever stands in its place by now.
  int place;
};

// Makes the base in the first of TMPDIR, /tmp, /var/tmp and `last_resort` that can be written;
// -1 with errno where none can. Then children can't be started.
int homes_open(struct homes *homes, const char *last_resort);

// Removes bases whose shim is dead, beside our own. May take a while: run it in its own process.
void homes_remove_stale(const struct homes *homes);

// Makes the directory of one child; `number` is its own. -1 with errno.
int home_make(const struct homes *homes, uint64_t number);

// A descriptor of it by which it can be neither read nor written: no link, and in the base that was made first. -1 with errno.
int home_hold(const struct homes *homes, uint64_t number);

// The path of a child's directory.
void home_path(const struct homes *homes, uint64_t number, char path[HOME_PATH_BYTES]);

// Removes a child's directory with all that is in it. May take a while.
void home_remove(const struct homes *homes, uint64_t number);

// Removes the base.
void homes_close(struct homes *homes);

#endif
