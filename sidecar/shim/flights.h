// Connections that are being made for callers: who waits for which, until the network has answered.
// Bounded; over memory of its owner's.
#ifndef SHIM_FLIGHTS_H
#define SHIM_FLIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "caller.h"
#include "notice.h"

enum { FLIGHTS_OF_COMMAND = 64, FLIGHTS_OF_CHILD = 16 };

struct flight {
  bool is_taken;
  // The caller has its answer: what is kept of it serves a second connect, until this is decided.
  bool is_answered;
  // It is a copy of the very socket that the caller has.
  bool is_in_place;
  int fd;
  uint64_t inode;
  struct notice notice;
  struct caller_socket theirs;
};

struct flights {
  struct flight *all;
  size_t size;
};

// A free one, taken and empty; NULL where there is none.
struct flight *flights_take(struct flights *flights);

// The one whose socket has this inode, or NULL.
struct flight *flights_find(const struct flights *flights, uint64_t inode);

// Whether any is taken.
bool flights_is_any(const struct flights *flights);

// Closes what it holds, and frees it. The caller may have the same socket, which then must not be watched
// any more.
void flights_end(struct flight *flight, int epoll);

void flights_close(struct flights *flights, int epoll);

#endif
