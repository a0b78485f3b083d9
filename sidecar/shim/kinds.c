// See kinds.h.
#include "kinds.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "egress.h"
#include "notice.h"
#include "supervisor.h"

// SOCK_NONBLOCK and SOCK_CLOEXEC stand above these bits.
enum { TYPE_BITS = 0xf };

int kinds_call(struct supervisor *supervisor, const struct notice *notice) {
  const struct egress_socket wanted = {
      .domain = (int)notice->arguments[0],
      .type = (int)notice->arguments[1] & TYPE_BITS,
      .protocol = (int)notice->arguments[2],
  };
  const bool is_internets = wanted.domain == AF_INET || wanted.domain == AF_INET6;
  const bool is_udp = is_internets && wanted.type == SOCK_DGRAM &&
                      (wanted.protocol == 0 || wanted.protocol == IPPROTO_UDP);
  egress_tell_socket(supervisor, is_udp ? EGRESS_UDP : EGRESS_OTHER, &wanted);
  if (is_udp) return EACCES;
  return is_internets ? EPROTONOSUPPORT : EAFNOSUPPORT;
}
