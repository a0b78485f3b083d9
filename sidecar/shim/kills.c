// See kills.h.
#include "kills.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CGROUPS_BYTES = 4096, TEXT_BYTES = 1024, PATH_BYTES = 1024 };

static const struct {
  const char *controller;
  const char *root;
  const char *file;
} VERSIONS[] = {
    {"", "/sys/fs/cgroup", "memory.events"},
    {"memory", "/sys/fs/cgroup/memory", "memory.oom_control"},
};

uint64_t kills_in(const char *text) {
  static const char NAME[] = "oom_kill ";
  const char *found = text;
  // Not oom_group_kill, nor oom_kill_disable.
  while ((found = strstr(found, NAME)) != NULL && found != text && found[-1] != '\n') found++;
  if (found == NULL) return 0;
  uint64_t count = 0;
  for (found += sizeof NAME - 1; *found >= '0' && *found <= '9'; found++) {
    count = count * 10 + (uint64_t)(*found - '0');
  }
  return count;
}

size_t kills_path_in(const char *cgroups, const char *controller, const char **path) {
  const size_t length = strlen(controller);
  for (const char *line = cgroups; line != NULL && *line != '\0';) {
    const char *end = strchr(line, '\n');
    const char *name = strchr(line, ':');
    if (name != NULL && (end == NULL || name < end) && strncmp(name + 1, controller, length) == 0 &&
        name[1 + length] == ':') {
      *path = name + length + 2;
      return end == NULL ? strlen(*path) : (size_t)(end - *path);
    }
    line = end == NULL ? NULL : end + 1;
  }
  return 0;
}

static int open_file(const char *path) {
  return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

// In a container the path is the node's, and what is mounted is the container's own: then the root is.
static int open_version(const char *cgroups, size_t version) {
  char file[PATH_BYTES];
  const char *path = "";
  const size_t length = kills_path_in(cgroups, VERSIONS[version].controller, &path);
  int size = snprintf(file, sizeof file, "%s%.*s/%s", VERSIONS[version].root, (int)length, path,
                      VERSIONS[version].file);
  if (size > 0 && (size_t)size < sizeof file) {
    const int fd = open_file(file);
    if (fd >= 0) return fd;
  }
  size = snprintf(file, sizeof file, "%s/%s", VERSIONS[version].root, VERSIONS[version].file);
  return size > 0 && (size_t)size < sizeof file ? open_file(file) : -1;
}

static int open_own(void) {
  char cgroups[CGROUPS_BYTES];
  const int own = open_file("/proc/self/cgroup");
  if (own < 0) return -1;
  const ssize_t got = read(own, cgroups, sizeof cgroups - 1);
  close(own);
  if (got < 0) return -1;
  cgroups[got] = '\0';
  for (size_t version = 0; version < sizeof VERSIONS / sizeof *VERSIONS; version++) {
    const int fd = open_version(cgroups, version);
    if (fd >= 0) return fd;
  }
  return -1;
}

static uint64_t count(const struct kills *kills) {
  char text[TEXT_BYTES];
  if (kills->fd < 0) return kills->told;
  const ssize_t got = pread(kills->fd, text, sizeof text - 1, 0);
  if (got < 0) return kills->told;
  text[got] = '\0';
  return kills_in(text);
}

void kills_open(struct kills *kills, const char *file) {
  kills->fd = file == NULL ? open_own() : open_file(file);
  kills->told = 0;
  kills->told = count(kills);
}

bool kills_take(struct kills *kills) {
  if (count(kills) <= kills->told) return false;
  kills->told++;
  return true;
}
