// See caller.h.
#include "caller.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { PROC_PATH_BYTES = 64, FDINFO_BYTES = 512, PROTOCOL_BYTES = 32, MOST_DESCRIPTORS = 65536 };

// Where the upper byte of an address is only a tag, a file offset must not have it.
#define ADDRESS_BITS ((1ULL << 56) - 1)

static const struct {
  const char *protocol;
  enum caller_socket_kind kind;
} KINDS[] = {
    {"TCP", CALLER_TCP},
    {"TCPv6", CALLER_TCP6},
    // What a program of the node's may make of a TCP socket.
    {"MPTCP", CALLER_TCP},
    {"MPTCPv6", CALLER_TCP6},
    {"UDP", CALLER_UDP},
    {"UDPv6", CALLER_UDP6},
    {"UNIX", CALLER_UNIX},
    {"UNIX-STREAM", CALLER_UNIX},
};

static void print_path(char path[PROC_PATH_BYTES], uint32_t thread, const char *what, int fd) {
  snprintf(path, PROC_PATH_BYTES, "/proc/%u/%s/%d", (unsigned)thread, what, fd);
}

static enum caller_socket_kind kind_of(const char *path) {
  char protocol[PROTOCOL_BYTES] = {0};
  if (getxattr(path, "system.sockprotoname", protocol, sizeof protocol - 1) <= 0) {
    return CALLER_OTHER;
  }
  for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
    if (strcmp(protocol, KINDS[i].protocol) == 0) return KINDS[i].kind;
  }
  return CALLER_OTHER;
}

// Reads a small file whole; false where it can't be read.
static bool read_text(const char *path, char *text, size_t size) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const ssize_t length = read(file, text, size - 1);
  close(file);
  text[length > 0 ? length : 0] = '\0';
  return length > 0;
}

int caller_socket(uint32_t thread, int fd, struct caller_socket *socket) {
  char path[PROC_PATH_BYTES];
  char info[FDINFO_BYTES];
  struct stat status;
  if (fd < 0) return EBADF;
  print_path(path, thread, "fd", fd);
  if (stat(path, &status) != 0) return errno == ENOENT ? EBADF : EACCES;
  if (!S_ISSOCK(status.st_mode)) return ENOTSOCK;
  *socket = (struct caller_socket){
      .kind = kind_of(path),
      .inode = status.st_ino,
      .mode = status.st_mode & 0777,
  };
  print_path(path, thread, "fdinfo", fd);
  if (!read_text(path, info, sizeof info)) return EBADF;
  const char *flags = strstr(info, "flags:");
  if (flags == NULL) return EBADF;
  const unsigned long bits = strtoul(flags + strlen("flags:"), NULL, 8);
  socket->is_nonblocking = (bits & O_NONBLOCK) != 0;
  socket->closes_on_exec = (bits & O_CLOEXEC) != 0;
  return 0;
}

int caller_read(uint32_t thread, uint64_t at, void *to, size_t length) {
  char path[PROC_PATH_BYTES];
  snprintf(path, sizeof path, "/proc/%u/mem", (unsigned)thread);
  const int memory = open(path, O_RDONLY | O_CLOEXEC);
  if (memory < 0) return EACCES;
  const ssize_t got = pread(memory, to, length, (off_t)(at & ADDRESS_BITS));
  close(memory);
  return got == (ssize_t)length ? 0 : EFAULT;
}

bool caller_is_like_us(uint32_t thread) {
  char path[PROC_PATH_BYTES];
  struct stat status;
  snprintf(path, sizeof path, "/proc/%u", (unsigned)thread);
  return stat(path, &status) == 0 && status.st_uid == geteuid();
}

struct search {
  const uint64_t *inodes;
  bool *is_open;
  size_t count;
  size_t looked_at;
};

static void mark(const struct search *search, const char *target) {
  if (strncmp(target, "socket:[", 8) != 0) return;
  const uint64_t inode = strtoull(target + 8, NULL, 10);
  for (size_t i = 0; i < search->count; i++) {
    if (search->inodes[i] == inode) search->is_open[i] = true;
  }
}

static void search_process(struct search *search, const char *pid) {
  char path[PROC_PATH_BYTES];
  snprintf(path, sizeof path, "/proc/%.16s/fd", pid);
  DIR *descriptors = opendir(path);
  if (descriptors == NULL) return;
  for (struct dirent *entry; (entry = readdir(descriptors)) != NULL;) {
    char target[64] = {0};
    if (++search->looked_at > MOST_DESCRIPTORS) break;
    if (readlinkat(dirfd(descriptors), entry->d_name, target, sizeof target - 1) > 0) {
      mark(search, target);
    }
  }
  closedir(descriptors);
}

// Whether all was looked at.
static bool search_all(struct search *search) {
  const pid_t self = getpid();
  DIR *processes = opendir("/proc");
  if (processes == NULL) return false;
  for (struct dirent *entry; (entry = readdir(processes)) != NULL;) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    // Ours are open as long as we hold them.
    if (atoi(entry->d_name) == self) continue;
    search_process(search, entry->d_name);
    if (search->looked_at > MOST_DESCRIPTORS) break;
  }
  closedir(processes);
  return search->looked_at <= MOST_DESCRIPTORS;
}

void caller_mark_open(const uint64_t *inodes, bool *is_open, size_t count) {
  struct search search = {.inodes = inodes, .is_open = is_open, .count = count};
  if (search_all(&search)) return;
  for (size_t i = 0; i < count; i++) is_open[i] = true;
}

bool caller_finds_open(uint64_t inode) {
  bool is_open = false;
  struct search search = {.inodes = &inode, .is_open = &is_open, .count = 1};
  search_all(&search);
  return is_open;
}
