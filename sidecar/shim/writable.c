// See writable.h.
#include "writable.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

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
