// See writable.h.
#include "writable.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"

void writable_open(struct writable *writable) {
  size_t there = 0;
  for (size_t i = 0; i < writable->count; i++) {
    const char *path = writable->paths[i];
    const int place = open(path, O_PATH | O_CLOEXEC);
    if (place < 0) {
      report_line("--writable %s: nothing can be changed there: %s", path, strerror(errno));
      continue;
    }
    writable->paths[there] = path;
    writable->places[there++] = place;
  }
  writable->count = there;
}

static bool is_within(const char *path, const char *directory) {
  size_t length = strlen(directory);
  while (length > 1 && directory[length - 1] == '/') length--;
  if (strncmp(path, directory, length) != 0) return false;
  return length == 1 || path[length] == '/' || path[length] == '\0';
}

bool writable_has(const struct writable *writable, const char *path) {
  if (writable->rule == WRITABLE_ANYWHERE) return true;
  // What climbs may lie elsewhere.
  if (strstr(path, "..") != NULL) return false;
  for (size_t i = 0; i < writable->count; i++) {
    if (is_within(path, writable->paths[i])) return true;
  }
  return false;
}

static bool is_same(const struct stat *left, const struct stat *right) {
  return left->st_dev == right->st_dev && left->st_ino == right->st_ino;
}

static bool is_declared(const struct writable *writable, const struct stat *directory) {
  for (size_t i = 0; i < writable->count; i++) {
    struct stat place;
    if (fstat(writable->places[i], &place) != 0 || is_same(&place, directory)) return true;
  }
  return false;
}

bool writable_covers(const struct writable *writable, int directory) {
  struct stat root;
  struct stat here;
  struct stat below = {0};
  if (writable->rule == WRITABLE_ANYWHERE) return false;
  if (stat("/", &root) != 0) return true;
  bool is_at_root = false;
  int at = openat(directory, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  while (!is_at_root && at >= 0 && fstat(at, &here) == 0 && !is_declared(writable, &here)) {
    // Nothing is above it but itself.
    is_at_root = is_same(&here, &root) && is_same(&here, &below);
    below = here;
    const int above = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    close(at);
    at = above;
  }
  if (at >= 0) close(at);
  return !is_at_root;
}
