// See fifo.h.
#include "fifo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_BYTES = 40, PATH_BYTES = 128 };

int fifo_open_folder(const char *dir, uid_t owner) {
  char path[PATH_BYTES];
  const int length = snprintf(path, sizeof path, "%s/pipes", dir);
  if (length < 0 || (size_t)length >= sizeof path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  // O_PATH: the folder may be entered and written by all, but not read.
  const int folder = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0) return -1;
  struct stat status;
  if (fstat(folder, &status) == 0 && status.st_uid == owner) return folder;
  close(folder);
  errno = EPERM;
  return -1;
}

static void path_of(char path[NAME_BYTES], const char *name, const char *ending) {
  snprintf(path, NAME_BYTES, "%.32s.%s", name, ending);
}

// Makes one FIFO and opens it; what the name then leads to must be that FIFO: ours, with one name.
static int make_one(int folder, const char *path, mode_t mode, int flags) {
  if (mkfifoat(folder, path, mode) != 0) return -1;
  const int fd = openat(folder, path, flags | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  struct stat status;
  if (fd >= 0 && fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) &&
      status.st_uid == geteuid() && status.st_nlink == 1) {
    return fd;
  }
  const int why = fd < 0 ? errno : EPERM;
  if (fd >= 0) close(fd);
  unlinkat(folder, path, 0);
  errno = why;
  return -1;
}

int fifo_make(struct fifo *fifo, int folder, const char *name) {
  char path[NAME_BYTES];
  *fifo = FIFO_NONE;
  memcpy(fifo->name, name, sizeof fifo->name - 1);
  path_of(path, name, "in");
  fifo->stdin_fd = make_one(folder, path, 0622, O_RDONLY);
  if (fifo->stdin_fd < 0) return -1;
  // Writing alone would need a reader first.
  path_of(path, name, "out");
  fifo->stdout_fd = make_one(folder, path, 0644, O_RDWR);
  if (fifo->stdout_fd >= 0) return 0;
  const int why = errno;
  fifo_drop(fifo, folder);
  errno = why;
  return -1;
}

static void unlink_both(const struct fifo *fifo, int folder) {
  char path[NAME_BYTES];
  path_of(path, fifo->name, "in");
  unlinkat(folder, path, 0);
  path_of(path, fifo->name, "out");
  unlinkat(folder, path, 0);
}

// Whether the name still leads to the file that we made and hold open.
static bool is_unchanged(int folder, const char *path, int fd) {
  struct stat named;
  struct stat held;
  return fstatat(folder, path, &named, AT_SYMLINK_NOFOLLOW) == 0 && fstat(fd, &held) == 0 &&
         named.st_dev == held.st_dev && named.st_ino == held.st_ino;
}

// A write-only end instead of the read-write one, which would hide that the reader is gone.
static int reopen_stdout(struct fifo *fifo, int folder) {
  char path[NAME_BYTES];
  path_of(path, fifo->name, "out");
  const int fd = openat(folder, path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return -1;
  if (!is_unchanged(folder, path, fifo->stdout_fd) || !is_unchanged(folder, path, fd)) {
    close(fd);
    errno = EPERM;
    return -1;
  }
  close(fifo->stdout_fd);
  fifo->stdout_fd = fd;
  return 0;
}

static int check_stdin(const struct fifo *fifo, int folder) {
  char path[NAME_BYTES];
  path_of(path, fifo->name, "in");
  errno = EPERM;
  return is_unchanged(folder, path, fifo->stdin_fd) ? 0 : -1;
}

int fifo_join(struct fifo *fifo, int folder) {
  const int reopened = check_stdin(fifo, folder) == 0 ? reopen_stdout(fifo, folder) : -1;
  const int why = errno;
  unlink_both(fifo, folder);
  fifo->name[0] = '\0';
  errno = why;
  if (reopened != 0) return -1;
  if (fcntl(fifo->stdin_fd, F_SETFL, 0) != 0) return -1;
  return fcntl(fifo->stdout_fd, F_SETFL, 0) == 0 ? 0 : -1;
}

void fifo_drop(struct fifo *fifo, int folder) {
  if (fifo->name[0] != '\0') unlink_both(fifo, folder);
  if (fifo->stdin_fd >= 0) close(fifo->stdin_fd);
  if (fifo->stdout_fd >= 0) close(fifo->stdout_fd);
  *fifo = FIFO_NONE;
}
