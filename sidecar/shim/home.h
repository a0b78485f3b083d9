// The children's private directories: one base per shim, below it one directory per child, for HOME,
// TMPDIR and caches. A base whose shim has been killed is removed by the next shim that starts.
#ifndef SHIM_HOME_H
#define SHIM_HOME_H

#include <stdint.h>

#include "writable.h"

enum { HOME_BASE_BYTES = 256, HOME_PATH_BYTES = HOME_BASE_BYTES + 32 };

struct homes {
  // Where the base is made, if it can be; NULL where nothing is said of that.
  const char *first;
  // Where it is made if it can be nowhere else.
  const char *last;
  // Where children may change files: there is no base there.
  const struct writable *writable;
  char base[HOME_BASE_BYTES];
  // Holds the lock that says that the base's shim is alive; -1 where no base could be made.
  int lock;
  // The base itself, whatever stands in its place by now.
  int place;
};

// Makes the base in the first of `first`, TMPDIR, /tmp, /var/tmp and `last` that can be written, and not by a child that may change
// files elsewhere; -1 with errno where there is none. Then children can't be started.
int homes_open(struct homes *homes);

// Has the base where its name says, by which children are told of theirs: one that a child of the same uid has taken away is
// left to those who are in it, and another is made. -1 with errno where that can't be.
int homes_keep(struct homes *homes);

// Removes bases whose shim is dead, beside our own. May take a while: run it in its own process.
void homes_remove_stale(const struct homes *homes);

// Makes the directory of one child; `number` is its own. -1 with errno.
int home_make(const struct homes *homes, uint64_t number);

// A descriptor of it by which it can be neither read nor written: no link, and in the base that is held. -1 with errno.
int home_hold(const struct homes *homes, uint64_t number);

// The path of a child's directory.
void home_path(const struct homes *homes, uint64_t number, char path[HOME_PATH_BYTES]);

// Removes a child's directory, in the base that is held, with all that is in it. May take a while.
void home_remove(const struct homes *homes, uint64_t number);

// Removes the base.
void homes_close(struct homes *homes);

#endif
