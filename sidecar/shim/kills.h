// How often the kernel has killed a process of this container for want of memory: the only one who
// knows why a child has died of SIGKILL.
#ifndef SHIM_KILLS_H
#define SHIM_KILLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kills {
  // The file in which the kernel counts, or -1 where there is none.
  int fd;
  // So many have been told of, or were before our time.
  uint64_t told;
};

// Opens the file of this process's memory cgroup (version 2 or 1), or the one that is named; what it
// has counted by then is passed over.
void kills_open(struct kills *kills, const char *file);

// Whether a kill has been counted that nobody has been told of; takes it.
bool kills_take(struct kills *kills);

// Pure: the number behind `oom_kill` in the file's text; 0 where there is none.
uint64_t kills_in(const char *text);

// Pure: where /proc/self/cgroup puts this process in the hierarchy of `controller` ("" for version
// 2's). The path's length with `path` at its start, 0 where it is in none.
size_t kills_path_in(const char *cgroups, const char *controller, const char **path);

#endif
