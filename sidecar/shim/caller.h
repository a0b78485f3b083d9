// What /proc tells of a thread whose system call waits for an answer: the memory that an argument
// points to, and what a descriptor is. Each is read once; the thread may change all of it at any
// time, so it tells what the caller asks for, never what the kernel would find if it went on.
#ifndef SHIM_CALLER_H
#define SHIM_CALLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum caller_socket_kind {
  CALLER_OTHER,
  CALLER_TCP,
  CALLER_TCP6,
  CALLER_UDP,
  CALLER_UDP6,
  CALLER_UNIX,
};

struct caller_socket {
  // By the protocol that it was made for: nobody can change that.
  enum caller_socket_kind kind;
  // Names it as long as it is open anywhere.
  uint64_t inode;
  mode_t mode;
  bool is_nonblocking;
  bool closes_on_exec;
};

// What the thread has at this descriptor; 0 or an error number for the caller.
int caller_socket(uint32_t thread, int fd, struct caller_socket *socket);

// Reads its memory; 0 or an error number for the caller (EFAULT where it has none there).
int caller_read(uint32_t thread, uint64_t at, void *to, size_t length);

// Whether it is of our own user, so that what we do for it is what it may do itself.
bool caller_is_like_us(uint32_t thread);

// Marks those of `inodes` that some process still has open, as far as /proc says; all of them where
// there is more to look at than we would.
void caller_mark_open(const uint64_t *inodes, bool *is_open, size_t count);

// Whether some process that /proc shows has this socket open, and lets us see that: in a container one of its own.
bool caller_finds_open(uint64_t inode);

#endif
