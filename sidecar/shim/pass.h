// A message with a descriptor in it, over a socket between our own processes.
#ifndef SHIM_PASS_H
#define SHIM_PASS_H

#include <stddef.h>
#include <sys/types.h>

// Sends all of it, and keeps no copy of the descriptor; -1 with errno.
int pass_descriptor(int socket, const void *bytes, size_t length, int fd);

// Receives one message, without waiting, and the descriptor that came with it (-1 where none did); its length, or
// -1 with errno.
ssize_t pass_receive(int socket, void *bytes, size_t length, int *fd);

#endif
