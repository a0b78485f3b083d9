// See token.h.
#include "token.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char FOLDER[] = ".outrigger";
static const char FILE_NAME[] = "token";
static const char NEW_NAME[] = "token.new";

// A directory below another, which is closed; made where it is not there. -1 with errno.
static int enter(int parent, const char *name) {
  if (parent < 0) return -1;
  int own = -1;
  if (mkdirat(parent, name, 0700) == 0 || errno == EEXIST) {
    own = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  }
  const int why = errno;
  close(parent);
  errno = why;
  return own;
}

static int write_all(int file, const char *bytes, size_t length) {
  while (length > 0) {
    const ssize_t written = write(file, bytes, length);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return -1;
    bytes += written;
    length -= (size_t)written;
  }
  return 0;
}

static int put(int folder, const char *token, size_t length) {
  // What is left of one that could not be written, or the child's own.
  if (unlinkat(folder, NEW_NAME, 0) != 0 && errno != ENOENT) return -1;
  const int file =
      openat(folder, NEW_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return -1;
  // Whatever the umask is.
  const int written = fchmod(file, 0600) == 0 ? write_all(file, token, length) : -1;
  const int why = errno;
  close(file);
  errno = why;
  if (written == 0 && renameat(folder, NEW_NAME, folder, FILE_NAME) == 0) return 0;
  const int reason = errno;
  unlinkat(folder, NEW_NAME, 0);
  errno = reason;
  return -1;
}

static int take(int folder) {
  return unlinkat(folder, FILE_NAME, 0) == 0 || errno == ENOENT ? 0 : -1;
}

int token_write(const struct homes *homes, uint64_t number, const char *token, size_t length) {
  const int folder = enter(enter(home_hold(homes, number), "home"), FOLDER);
  if (folder < 0) return -1;
  const int result = length > 0 ? put(folder, token, length) : take(folder);
  const int why = errno;
  close(folder);
  errno = why;
  return result;
}
