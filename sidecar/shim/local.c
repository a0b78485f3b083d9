// See local.h.
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "bind.h"
#include "own.h"
#include "supervisor.h"

enum { PROC_PATH_BYTES = 64, LINE_BYTES = 512, UNCONNECTED = 1 };

// The type of a line of /proc/net/unix about an unconnected socket with this inode, else 0.
// `ADDRESS: REFERENCES PROTOCOL FLAGS TYPE STATE INODE [NAME]`, all but the inode in hex.
static int type_of_line(const char *line, uint64_t inode) {
  char *at = strchr(line, ':');
  if (at == NULL) return 0;
  at++;
  for (int skipped = 0; skipped < 3; skipped++) strtoul(at, &at, 16);
  const int type = (int)strtoul(at, &at, 16);
  const unsigned long state = strtoul(at, &at, 16);
  return strtoull(at, NULL, 10) == inode && state == UNCONNECTED ? type : 0;
}

// The type of the caller's socket; 0 where it has none, or is connected.
static int type_of(const struct notice *notice, uint64_t inode) {
  char path[PROC_PATH_BYTES];
  char line[LINE_BYTES];
  snprintf(path, sizeof path, "/proc/%u/net/unix", (unsigned)notice->thread);
  FILE *file = fopen(path, "re");
  if (file == NULL) return 0;
  int type = 0;
  while (type == 0 && fgets(line, sizeof line, file) != NULL) type = type_of_line(line, inode);
  fclose(file);
  return type;
}

// Whether a path means the same to the caller and to us.
static bool is_in_our_files(uint32_t thread) {
  char path[PROC_PATH_BYTES];
  struct stat theirs;
  struct stat ours;
  snprintf(path, sizeof path, "/proc/%u/root", (unsigned)thread);
  if (stat(path, &theirs) != 0 || stat("/", &ours) != 0) return false;
  if (theirs.st_dev != ours.st_dev || theirs.st_ino != ours.st_ino) return false;
  snprintf(path, sizeof path, "/proc/%u/ns/mnt", (unsigned)thread);
  return stat(path, &theirs) == 0 && stat("/proc/self/ns/mnt", &ours) == 0 &&
         theirs.st_ino == ours.st_ino;
}

// Paths through these would lead through us.
static bool is_about_oneself(const char *path) {
  return strncmp(path, "/proc/self", 10) == 0 || strncmp(path, "/proc/thread-self", 17) == 0;
}

static mode_t umask_of(uint32_t thread) {
  char path[PROC_PATH_BYTES];
  char line[LINE_BYTES];
  snprintf(path, sizeof path, "/proc/%u/status", (unsigned)thread);
  FILE *file = fopen(path, "re");
  // Whoever can't be asked is given the least.
  mode_t mask = 0777;
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, "Umask:", 6) == 0) mask = (mode_t)strtoul(line + 6, NULL, 8) & 0777;
  }
  if (file != NULL) fclose(file);
  return mask;
}

// As if from the caller's working directory, with its umask; -1 with errno.
static int bind_path(int fd, uint32_t thread, const struct sockaddr *address, socklen_t length) {
  char path[PROC_PATH_BYTES];
  snprintf(path, sizeof path, "/proc/%u/cwd", (unsigned)thread);
  const int ours = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (ours < 0) return -1;
  const mode_t mask = umask(umask_of(thread));
  int result = chdir(path);
  if (result == 0) result = bind(fd, address, length);
  const int why = errno;
  umask(mask);
  if (fchdir(ours) != 0) result = -1;
  close(ours);
  errno = why;
  return result;
}

// Binds ours where the caller asked; -1 with errno.
static int bind_name(struct supervisor *supervisor, const struct notice *notice, int fd,
                     const struct sockaddr_un *address, socklen_t length) {
  const struct sockaddr *any = (const struct sockaddr *)address;
  // The kernel chooses a name, or it is an abstract one: no file.
  if (length <= offsetof(struct sockaddr_un, sun_path) || address->sun_path[0] == '\0') {
    return bind(fd, any, length);
  }
  if (is_about_oneself(address->sun_path) || !is_in_our_files(notice->thread)) {
    supervisor_say(supervisor, "a unix socket below /proc/self or another root can't be bound: "
                               "give it a path below the container's own");
    errno = EACCES;
    return -1;
  }
  return bind_path(fd, notice->thread, any, length);
}

int local_bind(struct supervisor *supervisor, const struct bind_request *request) {
  const struct caller_socket *theirs = &request->theirs;
  // One byte more, always 0: the kernel takes a path that fills the address.
  union {
    struct sockaddr_un un;
    char bytes[sizeof(struct sockaddr_un) + 1];
  } address = {.bytes = {0}};
  const size_t length = request->length;
  if (length < sizeof address.un.sun_family || length > sizeof address.un) return EINVAL;
  memcpy(address.bytes, &request->bytes, length);
  if (address.un.sun_family != AF_UNIX) return EINVAL;
  const int type = type_of(request->notice, theirs->inode);
  if (type == 0) return EINVAL;
  const int fd = own_open(theirs, type, &request->options);
  if (fd < 0) return errno;
  // The file will have the mode that the socket has.
  (void)!fchmod(fd, theirs->mode);
  if (bind_name(supervisor, request->notice, fd, &address.un, (socklen_t)length) != 0) {
    return own_fail(fd);
  }
  struct socket_record *record = own_put(supervisor, request->notice, theirs, fd);
  if (record == NULL) return own_put_failed(fd);
  record->state = SOCKET_BOUND;
  record->asked = request->asked;
  if (type == SOCK_DGRAM) {
    close(fd);
  } else {
    supervisor_hold(supervisor, record, fd);
  }
  return 0;
}
