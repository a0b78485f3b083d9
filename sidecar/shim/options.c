// See options.h.
#include "options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

struct option_place {
  int level;
  int name;
  // In struct options, and of so many bytes.
  size_t at;
  size_t size;
};

#define NUMBER(option, level, name)                                                        \
  [option] = {level, name, offsetof(struct options, numbers) + (option) * sizeof(int32_t), \
              sizeof(int32_t)}
#define STRUCT(option, name, member)                              \
  [option] = {SOL_SOCKET, name, offsetof(struct options, member), \
              sizeof(((struct options *)0)->member)}

static const struct option_place PLACES[OPTION_COUNT] = {
    NUMBER(OPTION_REUSE_ADDRESS, SOL_SOCKET, SO_REUSEADDR),
    NUMBER(OPTION_REUSE_PORT, SOL_SOCKET, SO_REUSEPORT),
    NUMBER(OPTION_BROADCAST, SOL_SOCKET, SO_BROADCAST),
    NUMBER(OPTION_PASS_CREDENTIALS, SOL_SOCKET, SO_PASSCRED),
    NUMBER(OPTION_ONLY_V6, IPPROTO_IPV6, IPV6_V6ONLY),
    NUMBER(OPTION_NO_DELAY, IPPROTO_TCP, TCP_NODELAY),
    NUMBER(OPTION_KEEP_ALIVE, SOL_SOCKET, SO_KEEPALIVE),
    NUMBER(OPTION_KEEP_IDLE, IPPROTO_TCP, TCP_KEEPIDLE),
    NUMBER(OPTION_KEEP_INTERVAL, IPPROTO_TCP, TCP_KEEPINTVL),
    NUMBER(OPTION_KEEP_COUNT, IPPROTO_TCP, TCP_KEEPCNT),
    NUMBER(OPTION_USER_TIMEOUT, IPPROTO_TCP, TCP_USER_TIMEOUT),
    NUMBER(OPTION_RECEIVE_BUFFER, SOL_SOCKET, SO_RCVBUF),
    NUMBER(OPTION_SEND_BUFFER, SOL_SOCKET, SO_SNDBUF),
    NUMBER(OPTION_TYPE_OF_SERVICE, IPPROTO_IP, IP_TOS),
    NUMBER(OPTION_TRAFFIC_CLASS, IPPROTO_IPV6, IPV6_TCLASS),
    STRUCT(OPTION_LINGER, SO_LINGER, linger),
    STRUCT(OPTION_RECEIVE_TIMEOUT, SO_RCVTIMEO, receive_timeout),
    STRUCT(OPTION_SEND_TIMEOUT, SO_SNDTIMEO, send_timeout),
};

enum option options_find(int level, int name) {
  for (int i = 0; i < OPTION_COUNT; i++) {
    if (PLACES[i].level == level && PLACES[i].name == name) return (enum option)i;
  }
  return OPTION_COUNT;
}

size_t options_size(enum option option) {
  return PLACES[option].size;
}

void options_set(struct options *options, enum option option, const union option_value *value) {
  options->known |= 1u << option;
  memcpy((char *)options + PLACES[option].at, value, PLACES[option].size);
}

void options_set_number(struct options *options, enum option option, int32_t number) {
  options_set(options, option, &(union option_value){.number = number});
}

bool options_has(const struct options *options, enum option option) {
  return (options->known >> option & 1) != 0 && options->numbers[option] != 0;
}

void options_drop(struct options *options, enum option option) {
  options->known &= ~(1u << option);
}

void options_apply(const struct options *options, int fd) {
  for (int i = 0; i < OPTION_COUNT; i++) {
    if ((options->known >> i & 1) == 0) continue;
    const struct option_place *place = &PLACES[i];
    (void)setsockopt(fd, place->level, place->name, (const char *)options + place->at,
                     (socklen_t)place->size);
  }
}
