// See proof.h.
#include "proof.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "secret.h"

enum { PATH_BYTES = 4096 };

// An abstract name, behind its NUL: nobody can take it from whoever has it, and it is free once he has ended.
static const char NAME[] = "outrigger-shim-";

static struct frame_proof shown;

static int take_name(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const size_t prefix = sizeof NAME - 1;
  memcpy(address.sun_path + 1, NAME, prefix);
  memcpy(address.sun_path + 1 + prefix, shown.mark, sizeof shown.mark);
  const size_t length = offsetof(struct sockaddr_un, sun_path) + 1 + prefix + sizeof shown.mark;
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  // Open until we end. That somebody could connect is all that it tells: nobody is ever answered.
  if (bind(fd, (const struct sockaddr *)&address, (socklen_t)length) == 0 && listen(fd, 0) == 0) {
    return 0;
  }
  const int why = errno;
  close(fd);
  errno = why;
  return -1;
}

int proof_open(void) {
  // What we know is nobody else's to read, from here on.
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return -1;
  memset(shown.found, '0', sizeof shown.found);
  if (secret_make(shown.secret, sizeof shown.secret) != 0) return -1;
  if (secret_make(shown.mark, sizeof shown.mark) != 0) return -1;
  return take_name();
}

void proof_find(const char *dir) {
  char path[PATH_BYTES];
  char found[sizeof shown.found];
  struct stat status;
  const int length = snprintf(path, sizeof path, "%s/proof", dir);
  if (length < 0 || (size_t)length >= sizeof path) return;
  const int file = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return;
  if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) &&
      read(file, found, sizeof found) == sizeof found && ftruncate(file, 0) == 0) {
    memcpy(shown.found, found, sizeof found);
  }
  close(file);
}

const struct frame_proof *proof_shown(void) {
  return &shown;
}

void proof_forget(void) {
  explicit_bzero(&shown, sizeof shown);
}
