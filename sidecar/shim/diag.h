// What the kernel says of sockets in this network (NETLINK_SOCK_DIAG): asked about one socket at a
// time, at the same cost however many there are.
#ifndef SHIM_DIAG_H
#define SHIM_DIAG_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "sockets.h"

// Whether the kernel can be asked at all (it may lack the modules); found out once.
bool diag_knows_internet(void);
bool diag_knows_unix(void);

// The inode of the TCP socket that a connect to this address would reach; 0, ENOENT where none
// listens there.
int diag_listener(const struct address *address, uint64_t *inode);

// Whether a unix socket of this inode is open; 0 with its file (zeros where it has none), or ENOENT.
int diag_unix(uint64_t inode, struct socket_name *file);

#endif
