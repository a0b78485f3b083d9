// bind: each is done on a socket of ours, whatever its family, and the caller's is replaced by it.
// TCP goes to loopback; everything else where it asked to be.
#ifndef SHIM_BIND_H
#define SHIM_BIND_H

#include <stddef.h>
#include <sys/socket.h>

#include "address.h"
#include "caller.h"
#include "options.h"

struct notice;
struct supervisor;

// A bind or connect as it was read, once.
struct bind_request {
  const struct notice *notice;
  struct caller_socket theirs;
  // What was set on the socket before.
  struct options options;
  // The address, and as much of it as one of the internet's can be.
  struct sockaddr_storage bytes;
  size_t length;
  struct address asked;
};

// Takes the caller's socket and address; 0, or the error number that is the answer.
int bind_read_request(struct bind_request *request);

int bind_call(struct supervisor *supervisor, const struct notice *notice);

// A setsockopt of an option that a bind must know: recorded, and left to the kernel, for no value
// of these can do harm on any socket.
int bind_option_call(struct supervisor *supervisor, const struct notice *notice);

// Binds a socket of ours and fills the port in that it got; -1 with errno.
int bind_own(int fd, struct address *address);

#endif
