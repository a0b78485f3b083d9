// See home.h.
#include "home.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "tree.h"

// What is not removed by then stays until the shim ends. A child's place waits for it, at the end all do.
enum { REMOVE_MS = 60000, LAST_REMOVE_MS = 10000 };

static const char PREFIX[] = "outrigger-shim-";

// Creates the base's lock file and takes the lock; -1 with errno.
static int lock_base(const char *base) {
  char path[HOME_PATH_BYTES];
  snprintf(path, sizeof path, "%s/lock", base);
  const int lock = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (lock < 0) return -1;
  if (flock(lock, LOCK_EX | LOCK_NB) == 0) return lock;
  close(lock);
  errno = EBUSY;
  return -1;
}

static void unlink_lock(const char *base) {
  char path[HOME_PATH_BYTES];
  snprintf(path, sizeof path, "%s/lock", base);
  unlink(path);
}

static int make_base(struct homes *homes, const char *parent) {
  uint32_t random;
  if (getrandom(&random, sizeof random, 0) != sizeof random) return -1;
  const int length = snprintf(homes->base, sizeof homes->base, "%s/%s%08x", parent, PREFIX, random);
  if (length < 0 || (size_t)length >= sizeof homes->base) {
    errno = ENAMETOOLONG;
    return -1;
  }
  if (mkdir(homes->base, 0700) != 0) return -1;
  homes->lock = lock_base(homes->base);
  homes->place = open(homes->base, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (homes->lock >= 0 && homes->place >= 0) return 0;
  const int why = errno;
  if (homes->lock >= 0) {
    close(homes->lock);
    unlink_lock(homes->base);
  }
  if (homes->place >= 0) close(homes->place);
  homes->lock = homes->place = -1;
  rmdir(homes->base);
  errno = why;
  return -1;
}

int homes_open(struct homes *homes, const char *last_resort) {
  const char *const parents[] = {getenv("TMPDIR"), "/tmp", "/var/tmp", last_resort};
  homes->lock = homes->place = -1;
  errno = ENOENT;
  for (size_t i = 0; i < sizeof parents / sizeof *parents; i++) {
    if (parents[i] == NULL || parents[i][0] != '/') continue;
    if (make_base(homes, parents[i]) == 0) return 0;
  }
  homes->base[0] = '\0';
  return -1;
}

// Takes the lock of a base whose shim has died; -1 where it lives or where there is no lock (yet).
static int lock_stale(int parent, const char *name) {
  char path[320];
  struct stat status;
  if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return -1;
  if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid()) return -1;
  snprintf(path, sizeof path, "%s/lock", name);
  const int lock = openat(parent, path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (lock < 0) return -1;
  if (flock(lock, LOCK_EX | LOCK_NB) == 0) return lock;
  close(lock);
  return -1;
}

void homes_remove_stale(const struct homes *homes) {
  char parent_path[HOME_BASE_BYTES];
  snprintf(parent_path, sizeof parent_path, "%s", homes->base);
  char *slash = strrchr(parent_path, '/');
  if (slash == NULL) return;
  *slash = '\0';
  DIR *parent = opendir(slash == parent_path ? "/" : parent_path);
  if (parent == NULL) return;
  for (struct dirent *entry; (entry = readdir(parent)) != NULL;) {
    if (strncmp(entry->d_name, PREFIX, sizeof PREFIX - 1) != 0) continue;
    const int lock = lock_stale(dirfd(parent), entry->d_name);
    if (lock < 0) continue;
    tree_remove(dirfd(parent), entry->d_name, clock_now_ms() + REMOVE_MS);
    close(lock);
  }
  closedir(parent);
}

void home_path(const struct homes *homes, uint64_t number, char path[HOME_PATH_BYTES]) {
  snprintf(path, HOME_PATH_BYTES, "%s/%llu", homes->base, (unsigned long long)number);
}

int home_make(const struct homes *homes, uint64_t number) {
  char path[HOME_PATH_BYTES];
  home_path(homes, number, path);
  // A child of the same uid may have removed the base: that must not stop the others.
  if (mkdir(path, 0700) != 0 &&
      (errno != ENOENT || (mkdir(homes->base, 0700), mkdir(path, 0700)) != 0)) {
    return -1;
  }
  const size_t length = strlen(path);
  snprintf(path + length, sizeof path - length, "/home");
  if (mkdir(path, 0700) != 0) return -1;
  snprintf(path + length, sizeof path - length, "/tmp");
  return mkdir(path, 0700);
}

int home_hold(const struct homes *homes, uint64_t number) {
  char name[32];
  snprintf(name, sizeof name, "%llu", (unsigned long long)number);
  return openat(homes->place, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

void home_remove(const struct homes *homes, uint64_t number) {
  char path[HOME_PATH_BYTES];
  home_path(homes, number, path);
  tree_remove(AT_FDCWD, path, clock_now_ms() + REMOVE_MS);
}

void homes_close(struct homes *homes) {
  if (homes->lock < 0) return;
  tree_remove(AT_FDCWD, homes->base, clock_now_ms() + LAST_REMOVE_MS);
  close(homes->lock);
  close(homes->place);
  homes->lock = homes->place = -1;
}
