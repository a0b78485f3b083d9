// See calls.h.
#include "calls.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>

// The same everywhere.
enum { CALL_IO_URING_SETUP = 425, CALL_IO_URING_ENTER = 426, CALL_IO_URING_REGISTER = 427 };

// SOCK_NONBLOCK and SOCK_CLOEXEC stand above these bits.
enum { SOCKET_TYPE_BITS = 0xf };

#define LOAD(at) {FILTER_LOAD, 0, 0, at}
#define IF_IS(value, if_true, if_false) {FILTER_JUMP_IF_EQUAL, if_true, if_false, value}
#define RETURN(action) {FILTER_RETURN, 0, 0, action}

const struct filter_step CALLS_STEPS[] = {
    LOAD(FILTER_AT_ARCHITECTURE),
    IF_IS(FILTER_NATIVE_ARCHITECTURE, 1, 0),
    // Another architecture's entry points: its programs can't run at all, so they had better not
    // start.
    RETURN(FILTER_KILL_PROCESS),
    LOAD(FILTER_AT_NUMBER),
#if defined(__x86_64__)
    {FILTER_JUMP_IF_AT_LEAST, 0, 1, FILTER_X32_BIT},
    RETURN(FILTER_ERRNO | ENOSYS),
#endif
    IF_IS(SYS_bind, 0, 1),
    RETURN(FILTER_NOTIFY),
    IF_IS(SYS_listen, 0, 1),
    RETURN(FILTER_NOTIFY),

    // It binds and listens without either. Whoever asks has another way for kernels that lack it.
    IF_IS(CALL_IO_URING_SETUP, 2, 0),
    IF_IS(CALL_IO_URING_ENTER, 1, 0),
    IF_IS(CALL_IO_URING_REGISTER, 0, 1),
    RETURN(FILTER_ERRNO | ENOSYS),

    // The options that a socket of ours must have as the replaced one had them (options.h).
    IF_IS(SYS_setsockopt, 0, 12),
    LOAD(FILTER_AT_ARGUMENT(1)),
    IF_IS(IPPROTO_IPV6, 0, 2),
    LOAD(FILTER_AT_ARGUMENT(2)),
    IF_IS(IPV6_V6ONLY, 6, 7),
    IF_IS(SOL_SOCKET, 0, 6),
    LOAD(FILTER_AT_ARGUMENT(2)),
    IF_IS(SO_REUSEADDR, 3, 0),
    IF_IS(SO_REUSEPORT, 2, 0),
    IF_IS(SO_BROADCAST, 1, 0),
    IF_IS(SO_PASSCRED, 0, 1),
    RETURN(FILTER_NOTIFY),
    RETURN(FILTER_ALLOW),

    // Only kinds of sockets that the supervisor knows: no MPTCP, SCTP, SMC, vsock, packet and the
    // like, each of which could be reached from outside by a way of its own.
    IF_IS(SYS_socket, 0, 20),
    LOAD(FILTER_AT_ARGUMENT(0)),
    IF_IS(AF_UNIX, 15, 0),
    IF_IS(AF_NETLINK, 14, 0),
    IF_IS(AF_INET, 1, 0),
    IF_IS(AF_INET6, 0, 14),
    LOAD(FILTER_AT_ARGUMENT(1)),
    {FILTER_AND, 0, 0, SOCKET_TYPE_BITS},
    IF_IS(SOCK_STREAM, 0, 3),
    LOAD(FILTER_AT_ARGUMENT(2)),
    IF_IS(0, 7, 0),
    IF_IS(IPPROTO_TCP, 6, 7),
    IF_IS(SOCK_DGRAM, 0, 6),
    LOAD(FILTER_AT_ARGUMENT(2)),
    IF_IS(0, 3, 0),
    IF_IS(IPPROTO_UDP, 2, 0),
    IF_IS(IPPROTO_ICMP, 1, 0),
    IF_IS(IPPROTO_ICMPV6, 0, 1),
    RETURN(FILTER_ALLOW),
    RETURN(FILTER_ERRNO | EPROTONOSUPPORT),
    RETURN(FILTER_ERRNO | EAFNOSUPPORT),

    IF_IS(SYS_socketpair, 0, 3),
    LOAD(FILTER_AT_ARGUMENT(0)),
    IF_IS(AF_UNIX, 1, 0),
    RETURN(FILTER_ERRNO | EOPNOTSUPP),
    RETURN(FILTER_ALLOW),
};

const size_t CALLS_COUNT = sizeof CALLS_STEPS / sizeof *CALLS_STEPS;

int calls_enter(void) {
  const unsigned flags = FILTER_NEW_LISTENER | FILTER_SPEC_ALLOW;
  if (!FILTER_IS_KNOWN_MACHINE) {
    errno = ENOSYS;
    return -1;
  }
  const int listener = filter_enter(CALLS_STEPS, CALLS_COUNT, flags | FILTER_WAIT_KILLABLE);
  if (listener >= 0 || errno != EINVAL) return listener;
  return filter_enter(CALLS_STEPS, CALLS_COUNT, flags);
}
