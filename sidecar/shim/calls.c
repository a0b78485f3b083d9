// See calls.h.
#include "calls.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>

// The same everywhere; the headers of older systems lack some.
enum {
  CALL_IO_URING_SETUP = 425,
  CALL_IO_URING_ENTER = 426,
  CALL_IO_URING_REGISTER = 427,
  OPTION_REPAIR = 19,
  OPTION_FAST_OPEN_CONNECT = 30,
  NETLINK_OF_ROUTES = 0,
  PROTOCOL_MULTIPATH = 262,
};

enum {
  // SOCK_NONBLOCK and SOCK_CLOEXEC stand above these bits.
  SOCKET_TYPE_BITS = 0xf,
  // Data goes with the first packet of a connection that nobody was asked about.
  FAST_OPEN = 0x20000000,
  MOST_WORDS = 3,
};

// In which modes a rule is there.
enum { HELD = 1 << CONFINEMENT_OFF, OBSERVED = 1 << CONFINEMENT_OBSERVE };
enum { ENFORCED = 1 << CONFINEMENT_ENFORCE };
enum { CONFINED = OBSERVED | ENFORCED, ALWAYS = HELD | OBSERVED | ENFORCED };

// What one argument must be, as the kernel takes an int: equal, or with any of these bits.
struct word {
  enum { WORD_NONE, WORD_IS, WORD_TYPE_IS, WORD_HAS } how;
  uint32_t argument;
  uint32_t value;
};

// The first that fits a call decides; where none does, the kernel does the call.
struct rule {
  unsigned modes;
  uint32_t number;
  uint32_t action;
  struct word words[MOST_WORDS];
};

#define IS(argument, value) {WORD_IS, argument, (uint32_t)(value)}
#define TYPE_IS(value) {WORD_TYPE_IS, 1, (uint32_t)(value)}
#define HAS(argument, bits) {WORD_HAS, argument, (uint32_t)(bits)}
#define REFUSE(error) (FILTER_ERRNO | (error))

// A protocol's sockets, of both families.
#define INTERNET(modes, type, protocol, action)                                    \
  {modes, SYS_socket, action, {IS(0, AF_INET), TYPE_IS(type), IS(2, protocol)}}, { \
    modes, SYS_socket, action, {                                                   \
      IS(0, AF_INET6), TYPE_IS(type), IS(2, protocol)                              \
    }                                                                              \
  }

static const struct rule RULES[] = {
    {ALWAYS, SYS_bind, FILTER_NOTIFY, {{0}}},
    {ALWAYS, SYS_listen, FILTER_NOTIFY, {{0}}},
    {CONFINED, SYS_connect, FILTER_NOTIFY, {{0}}},

    // It binds, listens and connects without these. Whoever asks has another way for kernels that
    // lack it.
    {ALWAYS, CALL_IO_URING_SETUP, REFUSE(ENOSYS), {{0}}},
    {ALWAYS, CALL_IO_URING_ENTER, REFUSE(ENOSYS), {{0}}},
    {ALWAYS, CALL_IO_URING_REGISTER, REFUSE(ENOSYS), {{0}}},

    // As where the kernel is told to have none.
    {CONFINED, SYS_sendto, REFUSE(EOPNOTSUPP), {HAS(3, FAST_OPEN)}},
    {CONFINED, SYS_sendmsg, REFUSE(EOPNOTSUPP), {HAS(2, FAST_OPEN)}},
    {CONFINED, SYS_sendmmsg, REFUSE(EOPNOTSUPP), {HAS(3, FAST_OPEN)}},
    {CONFINED,
     SYS_setsockopt,
     REFUSE(EOPNOTSUPP),
     {IS(1, IPPROTO_TCP), IS(2, OPTION_FAST_OPEN_CONNECT)}},
    {CONFINED, SYS_setsockopt, REFUSE(EPERM), {IS(1, IPPROTO_TCP), IS(2, OPTION_REPAIR)}},

    // The options that a socket of ours must have as the replaced one had them (options.h).
    {ALWAYS, SYS_setsockopt, FILTER_NOTIFY, {IS(1, IPPROTO_IPV6), IS(2, IPV6_V6ONLY)}},
    {ALWAYS, SYS_setsockopt, FILTER_NOTIFY, {IS(1, SOL_SOCKET), IS(2, SO_REUSEADDR)}},
    {ALWAYS, SYS_setsockopt, FILTER_NOTIFY, {IS(1, SOL_SOCKET), IS(2, SO_REUSEPORT)}},
    {ALWAYS, SYS_setsockopt, FILTER_NOTIFY, {IS(1, SOL_SOCKET), IS(2, SO_BROADCAST)}},
    {ALWAYS, SYS_setsockopt, FILTER_NOTIFY, {IS(1, SOL_SOCKET), IS(2, SO_PASSCRED)}},
    {CONFINED, SYS_setsockopt, FILTER_NOTIFY, {IS(1, SOL_SOCKET), IS(2, SO_KEEPALIVE)}},
    {CONFINED, SYS_setsockopt, FILTER_NOTIFY, {IS(1, SOL_SOCKET), IS(2, SO_LINGER)}},
    {CONFINED, SYS_setsockopt, FILTER_NOTIFY, {IS(1, SOL_SOCKET), IS(2, SO_RCVBUF)}},
    {CONFINED, SYS_setsockopt, FILTER_NOTIFY, {IS(1, SOL_SOCKET), IS(2, SO_SNDBUF)}},
    {CONFINED, SYS_setsockopt, FILTER_NOTIFY, {IS(1, SOL_SOCKET), IS(2, SO_RCVTIMEO)}},
    {CONFINED, SYS_setsockopt, FILTER_NOTIFY, {IS(1, SOL_SOCKET), IS(2, SO_SNDTIMEO)}},
    {CONFINED, SYS_setsockopt, FILTER_NOTIFY, {IS(1, IPPROTO_TCP), IS(2, TCP_NODELAY)}},
    {CONFINED, SYS_setsockopt, FILTER_NOTIFY, {IS(1, IPPROTO_TCP), IS(2, TCP_KEEPIDLE)}},
    {CONFINED, SYS_setsockopt, FILTER_NOTIFY, {IS(1, IPPROTO_TCP), IS(2, TCP_KEEPINTVL)}},
    {CONFINED, SYS_setsockopt, FILTER_NOTIFY, {IS(1, IPPROTO_TCP), IS(2, TCP_KEEPCNT)}},
    {CONFINED, SYS_setsockopt, FILTER_NOTIFY, {IS(1, IPPROTO_TCP), IS(2, TCP_USER_TIMEOUT)}},
    {CONFINED, SYS_setsockopt, FILTER_NOTIFY, {IS(1, IPPROTO_IP), IS(2, IP_TOS)}},
    {CONFINED, SYS_setsockopt, FILTER_NOTIFY, {IS(1, IPPROTO_IPV6), IS(2, IPV6_TCLASS)}},

    // Only kinds of sockets that the supervisor knows: no MPTCP, SCTP, SMC, vsock, packet and the
    // like, each of which could be reached from outside, or get there, by a way of its own.
    {ALWAYS, SYS_socket, FILTER_ALLOW, {IS(0, AF_UNIX)}},
    {HELD | OBSERVED, SYS_socket, FILTER_ALLOW, {IS(0, AF_NETLINK)}},
    {ENFORCED, SYS_socket, FILTER_ALLOW, {IS(0, AF_NETLINK), IS(2, NETLINK_OF_ROUTES)}},
    {ENFORCED, SYS_socket, REFUSE(EPROTONOSUPPORT), {IS(0, AF_NETLINK)}},
    INTERNET(ALWAYS, SOCK_STREAM, 0, FILTER_ALLOW),
    INTERNET(ALWAYS, SOCK_STREAM, IPPROTO_TCP, FILTER_ALLOW),
    INTERNET(HELD | OBSERVED, SOCK_DGRAM, 0, FILTER_ALLOW),
    INTERNET(HELD | OBSERVED, SOCK_DGRAM, IPPROTO_UDP, FILTER_ALLOW),
    INTERNET(HELD | OBSERVED, SOCK_DGRAM, IPPROTO_ICMP, FILTER_ALLOW),
    INTERNET(HELD | OBSERVED, SOCK_DGRAM, IPPROTO_ICMPV6, FILTER_ALLOW),
    // Every program of Go's asks for it, and takes TCP.
    INTERNET(CONFINED, SOCK_STREAM, PROTOCOL_MULTIPATH, REFUSE(EPROTONOSUPPORT)),
    // Whoever is confined is told of, and refused by the supervisor (kinds.h).
    {CONFINED, SYS_socket, FILTER_NOTIFY, {{0}}},
    {HELD, SYS_socket, REFUSE(EPROTONOSUPPORT), {IS(0, AF_INET)}},
    {HELD, SYS_socket, REFUSE(EPROTONOSUPPORT), {IS(0, AF_INET6)}},
    {HELD, SYS_socket, REFUSE(EAFNOSUPPORT), {{0}}},
    {ALWAYS, SYS_socketpair, FILTER_ALLOW, {IS(0, AF_UNIX)}},
    {ALWAYS, SYS_socketpair, REFUSE(EOPNOTSUPP), {{0}}},
};

struct writer {
  struct filter_step *steps;
  size_t count;
};

static void put(struct writer *writer, uint16_t code, uint32_t operand) {
  if (writer->count >= CALLS_MOST_STEPS) return;
  writer->steps[writer->count++] = (struct filter_step){code, 0, 0, operand};
}

// The steps from `first` on belong to one rule: each comparison that fails leads behind it.
static void close_rule(struct writer *writer, size_t first) {
  for (size_t at = first; at < writer->count; at++) {
    struct filter_step *step = &writer->steps[at];
    if (step->code != FILTER_JUMP_IF_EQUAL && step->code != FILTER_JUMP_IF_ANY_BIT) continue;
    step->if_false = (uint8_t)(writer->count - at - 1);
  }
}

static void put_word(struct writer *writer, const struct word *word) {
  if (word->how == WORD_NONE) return;
  put(writer, FILTER_LOAD, FILTER_AT_ARGUMENT(word->argument));
  if (word->how == WORD_TYPE_IS) put(writer, FILTER_AND, SOCKET_TYPE_BITS);
  put(writer, word->how == WORD_HAS ? FILTER_JUMP_IF_ANY_BIT : FILTER_JUMP_IF_EQUAL, word->value);
}

static void put_rule(struct writer *writer, const struct rule *rule) {
  const size_t first = writer->count;
  put(writer, FILTER_LOAD, FILTER_AT_NUMBER);
  put(writer, FILTER_JUMP_IF_EQUAL, rule->number);
  for (size_t i = 0; i < MOST_WORDS; i++) put_word(writer, &rule->words[i]);
  put(writer, FILTER_RETURN, rule->action);
  close_rule(writer, first);
}

// Another architecture's entry points: its programs can't run at all, so they had better not start.
static void put_entry_points(struct writer *writer) {
  put(writer, FILTER_LOAD, FILTER_AT_ARCHITECTURE);
  put(writer, FILTER_JUMP_IF_EQUAL, FILTER_NATIVE_ARCHITECTURE);
  writer->steps[writer->count - 1].if_true = 1;
  put(writer, FILTER_RETURN, FILTER_KILL_PROCESS);
#if defined(__x86_64__)
  put(writer, FILTER_LOAD, FILTER_AT_NUMBER);
  put(writer, FILTER_JUMP_IF_AT_LEAST, FILTER_X32_BIT);
  writer->steps[writer->count - 1].if_false = 1;
  put(writer, FILTER_RETURN, REFUSE(ENOSYS));
#endif
}

size_t calls_write(struct filter_step steps[CALLS_MOST_STEPS], enum confinement_mode mode) {
  struct writer writer = {.steps = steps};
  put_entry_points(&writer);
  for (size_t i = 0; i < sizeof RULES / sizeof *RULES; i++) {
    if ((RULES[i].modes >> mode & 1) != 0) put_rule(&writer, &RULES[i]);
  }
  put(&writer, FILTER_RETURN, FILTER_ALLOW);
  // One that has lost its end must not be.
  return writer.count < CALLS_MOST_STEPS ? writer.count : 0;
}

int calls_enter(enum confinement_mode mode) {
  const unsigned flags = FILTER_NEW_LISTENER | FILTER_SPEC_ALLOW;
  struct filter_step steps[CALLS_MOST_STEPS];
  const size_t count = calls_write(steps, mode);
  if (!FILTER_IS_KNOWN_MACHINE || count == 0) {
    errno = ENOSYS;
    return -1;
  }
  const int listener = filter_enter(steps, count, flags | FILTER_WAIT_KILLABLE);
  if (listener >= 0 || errno != EINVAL) return listener;
  return filter_enter(steps, count, flags);
}
