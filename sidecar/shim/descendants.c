// See descendants.h.
#include "descendants.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct audience {
  int signal;
  descendants_spares *spares;
  const void *context;
  int sent;
};

static void signal_one(struct audience *audience, pid_t pid) {
  if (pid <= 1 || (audience->spares != NULL && audience->spares(pid, audience->context))) return;
  if (kill(pid, audience->signal) == 0) audience->sent++;
}

// The kernel's own list of a thread's children: numbers, a space after each.
static bool signal_listed(struct audience *audience) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char bytes[4096];
  pid_t pid = 0;
  ssize_t length;
  while ((length = read(fd, bytes, sizeof bytes)) > 0) {
    for (ssize_t i = 0; i < length; i++) {
      if (bytes[i] >= '0' && bytes[i] <= '9') {
        pid = pid * 10 + (bytes[i] - '0');
      } else if (pid != 0) {
        signal_one(audience, pid);
        pid = 0;
      }
    }
  }
  close(fd);
  return length == 0;
}

// The parent of a process, or -1. Its name, in parentheses, may hold anything.
static pid_t parent_of(int proc, const char *pid) {
  char path[32];
  char line[512];
  snprintf(path, sizeof path, "%.16s/stat", pid);
  const int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  const ssize_t length = read(fd, line, sizeof line - 1);
  close(fd);
  if (length <= 0) return -1;
  line[length] = '\0';
  const char *end = strrchr(line, ')');
  // `) S PPID`
  return end == NULL || strlen(end) < 5 ? -1 : (pid_t)strtol(end + 4, NULL, 10);
}

// For kernels without the list: looks at every process.
static bool signal_scanned(struct audience *audience) {
  DIR *proc = opendir("/proc");
  if (proc == NULL) return false;
  const pid_t self = getpid();
  bool is_proc = false;
  for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    const pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
    is_proc = is_proc || pid == self;
    if (parent_of(dirfd(proc), entry->d_name) == self) signal_one(audience, pid);
  }
  closedir(proc);
  return is_proc;
}

int descendants_signal(int signal, descendants_spares *spares, const void *context) {
  struct audience audience = {.signal = signal, .spares = spares, .context = context};
  if (!signal_listed(&audience) && !signal_scanned(&audience)) return -1;
  return audience.sent;
}
