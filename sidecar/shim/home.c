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
enum { REMOVE_MS = 60000, LAST_REMOVE_MS = 10000, NAME_BYTES = 32 };

static const char PREFIX[] = "outrigger-shim-";
static const char LOCK[] = "lock";

// Creates the base's lock file and takes the lock; -1 with errno.
static int lock_base(int place) {
  const int lock = openat(place, LOCK, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (lock < 0) return -1;
  if (flock(lock, LOCK_EX | LOCK_NB) == 0) return lock;
  close(lock);
  errno = EBUSY;
  return -1;
}

static void let_go(struct homes *homes) {
  if (homes->lock >= 0) close(homes->lock);
  if (homes->place >= 0) close(homes->place);
  homes->lock = homes->place = -1;
}

static int make_base(struct homes *homes, int parent, const char *name) {
  if (writable_covers(homes->writable, parent)) {
    errno = EPERM;
    return -1;
  }
  if (mkdirat(parent, name, 0700) != 0) return -1;
  homes->place = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (homes->place >= 0) homes->lock = lock_base(homes->place);
  if (homes->lock >= 0) return 0;
  const int why = errno;
  if (homes->place >= 0) unlinkat(homes->place, LOCK, 0);
  let_go(homes);
  unlinkat(parent, name, AT_REMOVEDIR);
  errno = why;
  return -1;
}

static int make_base_in(struct homes *homes, const char *path) {
  uint32_t random;
  if (getrandom(&random, sizeof random, 0) != sizeof random) return -1;
  const int length = snprintf(homes->base, sizeof homes->base, "%s/%s%08x", path, PREFIX, random);
  if (length < 0 || (size_t)length >= sizeof homes->base) {
    errno = ENAMETOOLONG;
    return -1;
  }
  const int parent = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (parent < 0) return -1;
  const int result = make_base(homes, parent, strrchr(homes->base, '/') + 1);
  const int why = errno;
  close(parent);
  errno = why;
  return result;
}

int homes_open(struct homes *homes) {
  const char *const parents[] = {homes->first, getenv("TMPDIR"), "/tmp", "/var/tmp", homes->last};
  homes->lock = homes->place = -1;
  errno = ENOENT;
  for (size_t i = 0; i < sizeof parents / sizeof *parents; i++) {
    if (parents[i] == NULL || parents[i][0] != '/') continue;
    if (make_base_in(homes, parents[i]) == 0) return 0;
  }
  homes->base[0] = '\0';
  return -1;
}

// Whether the base is where its name says, and open to us.
static bool is_standing(const struct homes *homes) {
  struct stat named;
  struct stat held;
  if (homes->lock < 0 || fstat(homes->place, &held) != 0 || lstat(homes->base, &named) != 0) {
    return false;
  }
  if (named.st_dev != held.st_dev || named.st_ino != held.st_ino) return false;
  // No rule keeps a child from its mode.
  return (held.st_mode & 0700) == 0700 || chmod(homes->base, 0700) == 0;
}

int homes_keep(struct homes *homes) {
  if (is_standing(homes)) return 0;
  let_go(homes);
  return homes_open(homes);
}

// Takes the lock of a base whose shim has died; -1 where it lives or where there is no lock (yet).
static int lock_stale(int parent, const char *name) {
  char path[320];
  struct stat status;
  if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return -1;
  if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid()) return -1;
  snprintf(path, sizeof path, "%s/%s", name, LOCK);
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

// A child's directory, as the base has it.
static void name_of(uint64_t number, char name[NAME_BYTES]) {
  snprintf(name, NAME_BYTES, "%llu", (unsigned long long)number);
}

int home_make(const struct homes *homes, uint64_t number) {
  char name[NAME_BYTES];
  name_of(number, name);
  if (mkdirat(homes->place, name, 0700) != 0) return -1;
  const int own = home_hold(homes, number);
  if (own < 0) return -1;
  const bool is_made = mkdirat(own, "home", 0700) == 0 && mkdirat(own, "tmp", 0700) == 0;
  const int why = errno;
  close(own);
  errno = why;
  return is_made ? 0 : -1;
}

int home_hold(const struct homes *homes, uint64_t number) {
  char name[NAME_BYTES];
  name_of(number, name);
  return openat(homes->place, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

void home_remove(const struct homes *homes, uint64_t number) {
  char name[NAME_BYTES];
  name_of(number, name);
  tree_remove(homes->place, name, clock_now_ms() + REMOVE_MS);
}

void homes_close(struct homes *homes) {
  if (homes->lock < 0) return;
  const bool is_there = is_standing(homes);
  tree_empty(homes->place, clock_now_ms() + LAST_REMOVE_MS);
  if (is_there) rmdir(homes->base);
  let_go(homes);
}
