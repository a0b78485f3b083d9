// See diag.h.
#include "diag.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

// Of the kernel's interface what we use, under our own names.
enum {
  DIAG_PROTOCOL = 4,
  DIAG_BY_FAMILY = 20,
  MESSAGE_ERROR = 2,
  IS_REQUEST = 1,
  SHOW_FILE = 1 << 1,
  ATTRIBUTE_FILE = 1,
  ATTRIBUTE_ALIGNMENT = 4,
  // How the kernel packs a device's numbers for itself.
  MINOR_BITS = 20,
  ANSWER_BYTES = 1024,
  WITHIN_SECONDS = 1,
};

struct message_head {
  uint32_t length;
  uint16_t type;
  uint16_t flags;
  uint32_t sequence;
  uint32_t port;
};

struct attribute_head {
  uint16_t length;
  uint16_t type;
};

struct internet_socket {
  uint16_t port;
  uint16_t peer_port;
  uint8_t address[16];
  uint8_t peer_address[16];
  uint32_t interface;
  uint32_t cookie[2];
};

struct internet_question {
  struct message_head head;
  uint8_t family;
  uint8_t protocol;
  uint8_t extensions;
  uint8_t padding;
  uint32_t states;
  struct internet_socket socket;
};

struct internet_answer {
  struct message_head head;
  uint8_t family;
  uint8_t state;
  uint8_t timer;
  uint8_t retransmits;
  struct internet_socket socket;
  uint32_t expires;
  uint32_t received;
  uint32_t unsent;
  uint32_t uid;
  uint32_t inode;
};

struct unix_question {
  struct message_head head;
  uint8_t family;
  uint8_t protocol;
  uint16_t padding;
  uint32_t states;
  uint32_t inode;
  uint32_t show;
  uint32_t cookie[2];
};

struct unix_answer {
  struct message_head head;
  uint8_t family;
  uint8_t type;
  uint8_t state;
  uint8_t padding;
  uint32_t inode;
  uint32_t cookie[2];
};

struct unix_file {
  uint32_t inode;
  uint32_t device;
};

union answer {
  struct message_head head;
  uint8_t bytes[ANSWER_BYTES];
};

// Asks; 0 with `got` bytes of an answer, or an error number.
static int ask(struct message_head *question, size_t length, union answer *answer, size_t *got) {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, DIAG_PROTOCOL);
  if (fd < 0) return EPROTONOSUPPORT;
  const struct timeval within = {.tv_sec = WITHIN_SECONDS};
  question->length = (uint32_t)length;
  question->type = DIAG_BY_FAMILY;
  question->flags = IS_REQUEST;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &within, sizeof within);
  const bool is_sent = send(fd, question, length, 0) == (ssize_t)length;
  const ssize_t read = is_sent ? recv(fd, answer, sizeof *answer, 0) : -1;
  close(fd);
  if (read < (ssize_t)sizeof answer->head) return EPROTONOSUPPORT;
  if (answer->head.type == DIAG_BY_FAMILY) {
    *got = (size_t)read;
    return 0;
  }
  int32_t error = 0;
  if (answer->head.type != MESSAGE_ERROR || (size_t)read < sizeof answer->head + sizeof error) {
    return EPROTONOSUPPORT;
  }
  memcpy(&error, answer->bytes + sizeof answer->head, sizeof error);
  return error == 0 ? EPROTONOSUPPORT : -error;
}

int diag_listener(const struct address *address, uint64_t *inode) {
  struct internet_question question = {
      .family = (uint8_t)address->any.sa_family,
      .protocol = IPPROTO_TCP,
      .states = UINT32_MAX,
      .socket = {.port = address->four.sin_port, .cookie = {UINT32_MAX, UINT32_MAX}},
  };
  if (address->any.sa_family == AF_INET) {
    memcpy(question.socket.address, &address->four.sin_addr, sizeof address->four.sin_addr);
  } else {
    memcpy(question.socket.address, &address->six.sin6_addr, sizeof address->six.sin6_addr);
    // Both must be mapped for the kernel to look among those of IPv4.
    if (memcmp(question.socket.address, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0) {
      question.family = AF_INET;
      memmove(question.socket.address, question.socket.address + 12, 4);
      memset(question.socket.address + 4, 0, 12);
    }
  }
  union answer answer;
  size_t got = 0;
  const int error = ask(&question.head, sizeof question, &answer, &got);
  if (error != 0) return error;
  struct internet_answer found;
  if (got < sizeof found) return EPROTONOSUPPORT;
  memcpy(&found, &answer, sizeof found);
  *inode = found.inode;
  return 0;
}

int diag_unix(uint64_t inode, struct socket_name *file) {
  struct unix_question question = {
      .family = AF_UNIX,
      .states = UINT32_MAX,
      .inode = (uint32_t)inode,
      .show = SHOW_FILE,
      .cookie = {UINT32_MAX, UINT32_MAX},
  };
  union answer answer;
  size_t got = 0;
  const int error = ask(&question.head, sizeof question, &answer, &got);
  if (error != 0) return error;
  *file = (struct socket_name){0};
  size_t at = sizeof(struct unix_answer);
  while (at + sizeof(struct attribute_head) <= got) {
    struct attribute_head head;
    memcpy(&head, answer.bytes + at, sizeof head);
    if (head.length < sizeof head || at + head.length > got) break;
    struct unix_file found;
    if (head.type == ATTRIBUTE_FILE && head.length >= sizeof head + sizeof found) {
      memcpy(&found, answer.bytes + at + sizeof head, sizeof found);
      const unsigned minor = found.device & ((1u << MINOR_BITS) - 1);
      *file = (struct socket_name){.first = found.inode,
                                   .second = makedev(found.device >> MINOR_BITS, minor)};
      return 0;
    }
    at +=
        (size_t)(head.length + ATTRIBUTE_ALIGNMENT - 1) / ATTRIBUTE_ALIGNMENT * ATTRIBUTE_ALIGNMENT;
  }
  return 0;
}

static uint64_t inode_of(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

static bool finds_own_listener(void) {
  struct address address = address_loopback(AF_INET, false);
  uint64_t inode = 0;
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bool is_found = bind(fd, &address.any, address.length) == 0 && listen(fd, 1) == 0 &&
                        getsockname(fd, &address.any, &address.length) == 0 &&
                        diag_listener(&address, &inode) == 0 && inode == inode_of(fd);
  close(fd);
  return is_found;
}

static bool finds_own_unix_socket(void) {
  struct socket_name file;
  const struct sockaddr_un any = {.sun_family = AF_UNIX};
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  // The kernel chooses a name.
  const bool is_found = bind(fd, (const struct sockaddr *)&any, sizeof any.sun_family) == 0 &&
                        diag_unix(inode_of(fd), &file) == 0;
  close(fd);
  return is_found;
}

// 0 until it was tried.
static bool once(int *known, bool (*try)(void)) {
  if (*known == 0) *known = try() ? 1 : -1;
  return *known > 0;
}

bool diag_knows_internet(void) {
  static int known;
  return once(&known, finds_own_listener);
}

bool diag_knows_unix(void) {
  static int known;
  return once(&known, finds_own_unix_socket);
}
