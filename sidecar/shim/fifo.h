// A child's pair of FIFOs: NAME.in and NAME.out in the pipes folder, named only until the sidecar
// holds its ends. Trusts no name in the folder: what it opens is what it made.
#ifndef SHIM_FIFO_H
#define SHIM_FIFO_H

#include <sys/types.h>

struct fifo {
  // The child's ends, -1 where not open. Until fifo_join, stdout_fd holds both ends.
  int stdin_fd;
  int stdout_fd;
  char name[33];
};

#define FIFO_NONE ((struct fifo){.stdin_fd = -1, .stdout_fd = -1})

// Opens DIR/pipes if it is a directory of `owner`; -1 with errno.
int fifo_open_folder(const char *dir, uid_t owner);

// Makes both and opens our ends; -1 with errno, with nothing left behind.
int fifo_make(struct fifo *fifo, int folder, const char *name);

// The peer holds its ends: takes the names away and leaves the child's ends as a child wants them
// (blocking, each open in one direction). -1 with errno.
int fifo_join(struct fifo *fifo, int folder);

// Closes our ends and takes the names away where they still stand.
void fifo_drop(struct fifo *fifo, int folder);

#endif
