// See landlock.h.
#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// Of the kernel's interface what we use, under our own names: the headers of older systems stop at
// ABI 1 or lack the file altogether. The three system calls have these numbers everywhere.
enum {
  CALL_CREATE_RULESET = 444,
  CALL_ADD_RULE = 445,
  CALL_RESTRICT_SELF = 446,
  CREATE_VERSION = 1 << 0,
  RULE_PATH_BENEATH = 1,
  // A file that can be opened by nobody could still be truncated before.
  FIRST_ABI_WITH_TRUNCATE = 3,
  FIRST_ABI_WITH_NETWORK = 4,
  FIRST_ABI_WITH_DEVICES = 5,
};

#define ACCESS_WRITE_FILE (1ULL << 1)
#define ACCESS_REMOVE_DIR (1ULL << 4)
#define ACCESS_REMOVE_FILE (1ULL << 5)
#define ACCESS_MAKE_CHAR (1ULL << 6)
#define ACCESS_MAKE_DIR (1ULL << 7)
#define ACCESS_MAKE_REG (1ULL << 8)
#define ACCESS_MAKE_SOCK (1ULL << 9)
#define ACCESS_MAKE_FIFO (1ULL << 10)
#define ACCESS_MAKE_BLOCK (1ULL << 11)
#define ACCESS_MAKE_SYM (1ULL << 12)
#define ACCESS_REFER (1ULL << 13)
#define ACCESS_TRUNCATE (1ULL << 14)
#define ACCESS_IOCTL_DEV (1ULL << 15)
#define ACCESS_BIND_TCP (1ULL << 0)
#define ACCESS_CONNECT_TCP (1ULL << 1)
#define TCP_PORTS (ACCESS_BIND_TCP | ACCESS_CONNECT_TCP)
#define SCOPE_ABSTRACT_SOCKET (1ULL << 0)
#define SCOPE_SIGNAL (1ULL << 1)

struct ruleset {
  uint64_t handled_fs;
  // Since ABI 4.
  uint64_t handled_net;
  // Since ABI 6.
  uint64_t scoped;
};

struct __attribute__((packed)) path_beneath {
  uint64_t allowed;
  int32_t parent;
};

static size_t ruleset_size(int abi) {
  if (abi < 4) return offsetof(struct ruleset, handled_net);
  return abi < 6 ? offsetof(struct ruleset, scoped) : sizeof(struct ruleset);
}

// What may be changed in a directory, and of a file that is no directory.
#define IN_DIRECTORY                                                                               \
  (ACCESS_REMOVE_DIR | ACCESS_REMOVE_FILE | ACCESS_MAKE_DIR | ACCESS_MAKE_REG | ACCESS_MAKE_SOCK | \
   ACCESS_MAKE_FIFO | ACCESS_MAKE_SYM)
#define OF_FILE (ACCESS_WRITE_FILE | ACCESS_TRUNCATE)
#define OF_DEVICE (ACCESS_WRITE_FILE | ACCESS_IOCTL_DEV)

static int add_rule(int ruleset, int place, uint64_t access) {
  const struct path_beneath rule = {.allowed = access, .parent = place};
  return syscall(CALL_ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0 ? 0 : -1;
}

static int add_rule_at(int ruleset, const char *path, uint64_t access) {
  const int place = open(path, O_PATH | O_CLOEXEC);
  if (place < 0) return -1;
  const int added = add_rule(ruleset, place, access);
  const int why = errno;
  close(place);
  errno = why;
  return added;
}

// The ruleset, or -1 with errno.
static int make_ruleset(int abi, bool hides_abstract_sockets, uint64_t network, uint64_t files) {
  // A right that is allowed everywhere forbids nothing. REFER (moving files between directories)
  // must be that right, for a domain that doesn't name it forbids it; ABI 1 has no REFER.
  const uint64_t access = abi == 1 ? ACCESS_MAKE_BLOCK : ACCESS_REFER;
  const struct ruleset rules = {
      .handled_fs = access | files,
      .handled_net = network,
      .scoped = abi < 6 ? 0 : SCOPE_SIGNAL | (hides_abstract_sockets ? SCOPE_ABSTRACT_SOCKET : 0),
  };
  const int ruleset = (int)syscall(CALL_CREATE_RULESET, &rules, ruleset_size(abi), 0);
  if (ruleset < 0 || add_rule_at(ruleset, "/", access) != 0) return -1;
  return ruleset;
}

int landlock_open(struct landlock *landlock, bool hides_abstract_sockets) {
  *landlock = (struct landlock){.abi = 0, .ruleset = -1, .confining = -1};
  const long abi = syscall(CALL_CREATE_RULESET, NULL, 0, CREATE_VERSION);
  if (abi < 1) return 0;
  landlock->hides_abstract_sockets = hides_abstract_sockets;
  landlock->ruleset = make_ruleset((int)abi, hides_abstract_sockets, 0, 0);
  if (landlock->ruleset < 0) return -1;
  if (abi >= FIRST_ABI_WITH_NETWORK) {
    // No rule allows a port: none is bound or connected from within. Abstract sockets of others can be sent to without a connect,
    // which nobody but the kernel could refuse.
    landlock->confining = make_ruleset((int)abi, true, TCP_PORTS, 0);
    if (landlock->confining < 0) return -1;
  }
  landlock->abi = (int)abi;
  return 0;
}

int landlock_enter(const struct landlock *landlock, bool is_confined) {
  if (landlock->abi == 0) return 0;
  const bool is_narrow = is_confined && landlock->confining >= 0;
  const int ruleset = is_narrow ? landlock->confining : landlock->ruleset;
  return syscall(CALL_RESTRICT_SELF, ruleset, 0) == 0 ? 0 : -1;
}

bool landlock_keeps_files(const struct landlock *landlock) {
  return landlock->abi >= FIRST_ABI_WITH_TRUNCATE;
}

// Of what could be changed, what this kernel can forbid.
static uint64_t known(int abi, uint64_t access) {
  if (abi < FIRST_ABI_WITH_TRUNCATE) access &= ~ACCESS_TRUNCATE;
  if (abi < FIRST_ABI_WITH_DEVICES) access &= ~ACCESS_IOCTL_DEV;
  return access;
}

static bool is_directory(int place) {
  struct stat status;
  return fstat(place, &status) == 0 && S_ISDIR(status.st_mode);
}

static int allow_declared(int ruleset, int abi, const struct writable *writable) {
  for (size_t i = 0; i < writable->count; i++) {
    const int place = writable->places[i];
    const uint64_t access =
        is_directory(place) ? IN_DIRECTORY | OF_FILE : OF_FILE | ACCESS_IOCTL_DEV;
    if (add_rule(ruleset, place, known(abi, access)) != 0) return -1;
  }
  return 0;
}

// Those that nothing remains in; what a container lacks of them is nothing to allow.
static int allow_devices(int ruleset, int abi) {
  static const char *const DEVICES[] = {"/dev/null",    "/dev/zero", "/dev/full", "/dev/random",
                                        "/dev/urandom", "/dev/tty",  "/dev/pts"};
  for (size_t i = 0; i < sizeof DEVICES / sizeof *DEVICES; i++) {
    if (add_rule_at(ruleset, DEVICES[i], known(abi, OF_DEVICE)) != 0 && errno != ENOENT) return -1;
  }
  return 0;
}

static int allow_own(int ruleset, int abi, const struct landlock_own *own) {
  struct stat status;
  if (own->directory >= 0 &&
      add_rule(ruleset, own->directory, known(abi, IN_DIRECTORY | OF_FILE)) != 0) {
    return -1;
  }
  // Nameless pipes need no leave: a FIFO lies in some directory.
  if (own->output < 0 || fstat(own->output, &status) != 0 || !S_ISFIFO(status.st_mode)) return 0;
  return add_rule(ruleset, own->output, ACCESS_WRITE_FILE) == 0 || errno == EBADFD ? 0 : -1;
}

int landlock_enter_writing(const struct landlock *landlock, bool is_confined,
                           const struct writable *writable, const struct landlock_own *own) {
  const int abi = landlock->abi;
  if (writable->rule == WRITABLE_ANYWHERE) return landlock_enter(landlock, is_confined);
  if (writable->rule == WRITABLE_REQUIRED && !landlock_keeps_files(landlock)) {
    errno = EOPNOTSUPP;
    return -1;
  }
  if (abi == 0) return 0;
  const uint64_t network = is_confined && landlock->confining >= 0 ? TCP_PORTS : 0;
  const uint64_t files =
      known(abi, IN_DIRECTORY | OF_FILE | OF_DEVICE | ACCESS_MAKE_CHAR | ACCESS_MAKE_BLOCK);
  const int ruleset =
      make_ruleset(abi, landlock->hides_abstract_sockets || network != 0, network, files);
  if (ruleset < 0 || allow_declared(ruleset, abi, writable) != 0 ||
      allow_devices(ruleset, abi) != 0 || allow_own(ruleset, abi, own) != 0) {
    return -1;
  }
  return syscall(CALL_RESTRICT_SELF, ruleset, 0) == 0 ? 0 : -1;
}
