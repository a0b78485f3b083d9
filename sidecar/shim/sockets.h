// What the supervisor remembers of sockets, by inode: the options of those that are not bound yet,
// and all about those that it has put in their place. Bounded: the oldest and lightest are
// forgotten first, which never lets anybody listen who could not before.
#ifndef SHIM_SOCKETS_H
#define SHIM_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "options.h"

enum {
  // Of one command, and of one child of many.
  SOCKETS_OF_COMMAND = 512,
  SOCKETS_OF_CHILD = 64,
  SOCKETS_MAX_HELD = 64,
  SOCKETS_HELD_OF_CHILD = 8,
};

enum socket_state {
  SOCKET_FREE,
  // The caller's own; only its options are known.
  SOCKET_UNBOUND,
  // Ours from here on, bound by us.
  SOCKET_BOUND,
  // Its connection has been made, or is being made.
  SOCKET_CONNECTED,
  SOCKET_LISTENING,
};

// A unix socket's name as something to compare: of a path its file, of an abstract one a keyed hash.
struct socket_name {
  uint64_t first;
  uint64_t second;
};

struct socket_record {
  enum socket_state state;
  uint64_t inode;
  struct options options;
  // A copy of ours until it listens, -1 where there is none: whoever else has the socket then can
  // still make it listen. While we hold it, its port stays taken.
  int held;
  // Who asked for what, as much of it as an internet address can be: a call that a signal has
  // interrupted comes again, and must find the same answer.
  uint32_t binder;
  struct address asked;
  // Of TCP: where it may listen.
  bool is_tcp;
  struct address listening;
  // Of a unix socket.
  struct socket_name name;
  uint64_t used;
};

// All zeros at first. Tables that few records are used of lie one among the other, so that the first
// records of all of them share their pages.
struct socket_memory {
  struct socket_record *records;
  size_t size;
  size_t stride;
};

struct sockets {
  struct socket_memory memory;
  size_t size;
  size_t most_held;
  uint64_t uses;
};

void sockets_open(struct sockets *sockets, const struct socket_memory *memory, size_t most_held);

// Its records are at 0 to `size` - 1.
struct socket_record *sockets_at(const struct sockets *sockets, size_t place);
void sockets_close(struct sockets *sockets);

// What is known of this socket, or NULL.
struct socket_record *sockets_find(struct sockets *sockets, uint64_t inode);

// A record for a socket that none is known of; empty but for the inode.
struct socket_record *sockets_add(struct sockets *sockets, uint64_t inode);

// Keeps `fd` until the socket listens; where too many are held, the oldest is let go.
void sockets_hold(struct sockets *sockets, struct socket_record *record, int fd);

void sockets_let_go(struct socket_record *record);

// Whether any is held.
bool sockets_is_holding(const struct sockets *sockets);

#endif
