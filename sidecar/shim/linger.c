// See linger.h.
#include "linger.h"

#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

// SIOCOUTQ: how much of a stream's the other side has not got yet. TIOCOUTQ is the same number everywhere here.
static bool has_unsent(int fd) {
  int unsent = 0;
  return ioctl(fd, TIOCOUTQ, &unsent) == 0 && unsent > 0;
}

void linger_close(int fd) {
  struct linger linger = {0};
  socklen_t size = sizeof linger;
  if (getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &size) == 0 && linger.l_onoff != 0 &&
      linger.l_linger != 0 && has_unsent(fd)) {
    linger = (struct linger){0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  }
  close(fd);
}
