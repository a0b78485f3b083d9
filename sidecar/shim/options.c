// See options.h.
#include "options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

struct option_name {
  int level;
  int name;
};

static const struct option_name NAMES[OPTION_COUNT] = {
    [OPTION_REUSE_ADDRESS] = {SOL_SOCKET, SO_REUSEADDR},
    [OPTION_REUSE_PORT] = {SOL_SOCKET, SO_REUSEPORT},
    [OPTION_BROADCAST] = {SOL_SOCKET, SO_BROADCAST},
    [OPTION_PASS_CREDENTIALS] = {SOL_SOCKET, SO_PASSCRED},
    [OPTION_ONLY_V6] = {IPPROTO_IPV6, IPV6_V6ONLY},
    [OPTION_NO_DELAY] = {IPPROTO_TCP, TCP_NODELAY},
    [OPTION_KEEP_ALIVE] = {SOL_SOCKET, SO_KEEPALIVE},
};

enum option options_find(int level, int name) {
  for (int i = 0; i < OPTION_COUNT; i++) {
    if (NAMES[i].level == level && NAMES[i].name == name) return (enum option)i;
  }
  return OPTION_COUNT;
}

void options_set(struct options *options, enum option option, bool is_on) {
  const unsigned bit = 1u << option;
  options->known = (uint16_t)(options->known | bit);
  options->on = (uint16_t)(is_on ? options->on | bit : options->on & ~bit);
}

void options_apply(const struct options *options, int fd) {
  for (int i = 0; i < OPTION_COUNT; i++) {
    if ((options->known >> i & 1) == 0) continue;
    const int value = options->on >> i & 1;
    (void)setsockopt(fd, NAMES[i].level, NAMES[i].name, &value, sizeof value);
  }
}
