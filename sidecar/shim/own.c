// See own.h.
#include "own.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

sa_family_t own_family(enum caller_socket_kind kind) {
  if (kind == CALLER_UNIX) return AF_UNIX;
  return kind == CALLER_TCP6 || kind == CALLER_UDP6 ? AF_INET6 : AF_INET;
}

int own_open(const struct caller_socket *theirs, int type, const struct options *options) {
  const int flags = SOCK_CLOEXEC | (theirs->is_nonblocking ? SOCK_NONBLOCK : 0);
  const int fd = socket(own_family(theirs->kind), type | flags, 0);
  if (fd >= 0) options_apply(options, fd);
  return fd;
}

struct socket_record *own_put(struct supervisor *supervisor, const struct notice *notice,
                              const struct caller_socket *theirs, int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0) return NULL;
  const int error = notice_put(supervisor->listener, notice, fd, (int)notice->arguments[0],
                               theirs->closes_on_exec);
  if (error != 0) {
    errno = error;
    return NULL;
  }
  struct socket_record *record = sockets_add(&supervisor->sockets, status.st_ino);
  record->binder = notice->thread;
  return record;
}

uint64_t own_inode(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

int own_fail(int fd) {
  const int why = errno;
  close(fd);
  return why;
}

int own_put_failed(int fd) {
  const int why = own_fail(fd);
  // Ended before it, or interrupted meanwhile.
  return why == ENOENT || why == ESRCH ? SUPERVISOR_GONE : why;
}
