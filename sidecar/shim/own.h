// Sockets of the supervisor's own that take the place of a caller's: made like it, then put where
// it was.
#ifndef SHIM_OWN_H
#define SHIM_OWN_H

#include <stdint.h>
#include <sys/socket.h>

#include "caller.h"
#include "notice.h"
#include "options.h"
#include "supervisor.h"

// The family of a kind of socket.
sa_family_t own_family(enum caller_socket_kind kind);

// One like the caller's, unbound; -1 with errno.
int own_open(const struct caller_socket *theirs, int type, const struct options *options);

// Puts it in the caller's place; its record, or NULL with errno.
struct socket_record *own_put(struct supervisor *supervisor, const struct notice *notice,
                              const struct caller_socket *theirs, int fd);

// The number that names it as long as it is open anywhere; 0 where it has none.
uint64_t own_inode(int fd);

// Closes it and returns errno as it was before: the answer.
int own_fail(int fd);

// What becomes of the call once own_put has failed.
int own_put_failed(int fd);

#endif
