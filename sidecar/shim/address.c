// See address.h.
#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

// What the kernel takes at least for an address of AF_INET6 (RFC 2133: without a scope).
enum { LEAST_SIX_BYTES = 24, LOOPBACK_NET = 127 };

static const struct in6_addr MAPPED_LOOPBACK = {
    .s6_addr = {[10] = 0xff, [11] = 0xff, [12] = LOOPBACK_NET, [15] = 1}};

static bool is_mapped(const struct in6_addr *address) {
  return memcmp(address->s6_addr, MAPPED_LOOPBACK.s6_addr, 12) == 0;
}

static bool is_loopback(const struct address *address) {
  if (address->any.sa_family == AF_INET) {
    return ntohl(address->four.sin_addr.s_addr) >> 24 == LOOPBACK_NET;
  }
  const struct in6_addr *six = &address->six.sin6_addr;
  if (is_mapped(six)) return six->s6_addr[12] == LOOPBACK_NET;
  return memcmp(six, &in6addr_loopback, sizeof *six) == 0;
}

struct address address_loopback(sa_family_t family, bool is_only_v6) {
  struct address address = {.length = sizeof address.four};
  if (family == AF_INET) {
    address.four.sin_family = AF_INET;
    address.four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  address.length = sizeof address.six;
  address.six.sin6_family = AF_INET6;
  address.six.sin6_addr = is_only_v6 ? in6addr_loopback : MAPPED_LOOPBACK;
  return address;
}

uint16_t address_port(const struct address *address) {
  // Both families have it in the same place.
  return ntohs(address->four.sin_port);
}

void address_set_port(struct address *address, uint16_t port) {
  address->four.sin_port = htons(port);
}

bool address_is_reserved(uint16_t port) {
  return (port >= ADDRESS_FIRST_RESERVED_PORT && port <= ADDRESS_PROXY_PORT) ||
         port == ADDRESS_REPLICA_PORT;
}

int address_parse(const void *bytes, size_t length, sa_family_t family, struct address *address) {
  *address = (struct address){0};
  const size_t least = family == AF_INET ? sizeof address->four : LEAST_SIX_BYTES;
  const size_t most = family == AF_INET ? sizeof address->four : sizeof address->six;
  if (length < least) return EINVAL;
  memcpy(&address->any, bytes, length < most ? length : most);
  address->length = (socklen_t)most;
  if (address->any.sa_family == family) return 0;
  // An old habit that the kernel still serves.
  const bool is_unspecified = family == AF_INET && address->any.sa_family == AF_UNSPEC &&
                              address->four.sin_addr.s_addr == htonl(INADDR_ANY);
  address->any.sa_family = family;
  return is_unspecified ? 0 : EAFNOSUPPORT;
}

// Which loopback serves those who could have reached this address.
static struct address counterpart(const struct address *asked, bool is_only_v6) {
  if (is_loopback(asked)) return *asked;
  if (asked->any.sa_family == AF_INET) return address_loopback(AF_INET, false);
  const struct in6_addr *six = &asked->six.sin6_addr;
  const bool takes_v4 =
      is_mapped(six) || (!is_only_v6 && memcmp(six, &in6addr_any, sizeof *six) == 0);
  return address_loopback(AF_INET6, !takes_v4);
}

int address_place(const void *bytes, size_t length, sa_family_t family, bool is_only_v6,
                  struct address_places *places) {
  struct address asked;
  const int fault = address_parse(bytes, length, family, &asked);
  if (fault != 0) return fault;
  if (family == AF_INET6 && is_only_v6 && is_mapped(&asked.six.sin6_addr)) return EINVAL;
  const uint16_t port = address_port(&asked);
  if (address_is_reserved(port)) return EADDRINUSE;
  places->listening = counterpart(&asked, is_only_v6);
  address_set_port(&places->listening, port);
  places->moves = port == 0 && !is_loopback(&asked);
  places->bound = places->moves ? asked : places->listening;
  return 0;
}

void address_print(const struct address *address, char text[ADDRESS_TEXT_BYTES]) {
  char host[INET6_ADDRSTRLEN] = "?";
  const bool is_four = address->any.sa_family == AF_INET;
  const void *from =
      is_four ? (const void *)&address->four.sin_addr : (const void *)&address->six.sin6_addr;
  inet_ntop(address->any.sa_family, from, host, sizeof host);
  snprintf(text, ADDRESS_TEXT_BYTES, is_four ? "%s:%u" : "[%s]:%u", host,
           (unsigned)address_port(address));
}
