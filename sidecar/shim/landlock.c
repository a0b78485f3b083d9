// See landlock.h.
#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
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
  FIRST_ABI_WITH_NETWORK = 4,
};

#define ACCESS_MAKE_BLOCK (1ULL << 11)
#define ACCESS_REFER (1ULL << 13)
#define ACCESS_BIND_TCP (1ULL << 0)
#define ACCESS_CONNECT_TCP (1ULL << 1)
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

static int allow_everywhere(int ruleset, uint64_t access) {
  const int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return -1;
  const struct path_beneath rule = {.allowed = access, .parent = root};
  const long added = syscall(CALL_ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0);
  const int why = errno;
  close(root);
  errno = why;
  return added == 0 ? 0 : -1;
}

// The ruleset, or -1 with errno.
static int make_ruleset(int abi, bool hides_abstract_sockets, uint64_t network) {
  // A right that is allowed everywhere forbids nothing. REFER (moving files between directories)
  // must be that right, for a domain that doesn't name it forbids it; ABI 1 has no REFER.
  const uint64_t access = abi == 1 ? ACCESS_MAKE_BLOCK : ACCESS_REFER;
  const struct ruleset rules = {
      .handled_fs = access,
      .handled_net = network,
      .scoped = abi < 6 ? 0 : SCOPE_SIGNAL | (hides_abstract_sockets ? SCOPE_ABSTRACT_SOCKET : 0),
  };
  const int ruleset = (int)syscall(CALL_CREATE_RULESET, &rules, ruleset_size(abi), 0);
  if (ruleset < 0 || allow_everywhere(ruleset, access) != 0) return -1;
  return ruleset;
}

int landlock_open(struct landlock *landlock, bool hides_abstract_sockets) {
  *landlock = (struct landlock){.abi = 0, .ruleset = -1, .confining = -1};
  const long abi = syscall(CALL_CREATE_RULESET, NULL, 0, CREATE_VERSION);
  if (abi < 1) return 0;
  landlock->ruleset = make_ruleset((int)abi, hides_abstract_sockets, 0);
  if (landlock->ruleset < 0) return -1;
  if (abi >= FIRST_ABI_WITH_NETWORK) {
    // No rule allows a port: none is bound or connected from within. Abstract sockets of others can be sent to without a connect,
    // which nobody but the kernel could refuse.
    landlock->confining = make_ruleset((int)abi, true, ACCESS_BIND_TCP | ACCESS_CONNECT_TCP);
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
