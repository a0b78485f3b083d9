// See reach.h.
#include "reach.h"

#include <string.h>

enum {
  SIX_BYTES = 16,
  FOUR_BYTES = 4,
  // Resolvers stand at such addresses too (a node's cache, a cloud's own), and nothing else does by
  // this port.
  NAME_SERVICE_PORT = 53,
};

struct range {
  uint32_t base;
  uint32_t bits;
};

static const struct range METADATA_FOUR[] = {
    {0xa9fe0000, 16}, // 169.254.0.0/16
    {0x646464c8, 32}, // 100.100.100.200
    {0xa83f8110, 32}, // 168.63.129.16
    {0xc00000c0, 32}, // 192.0.0.192
};

// Prefixes of IPv6 behind which an address of IPv4 stands, and where.
struct embedding {
  uint8_t prefix[SIX_BYTES];
  uint8_t prefix_bytes;
  uint8_t at;
  // The bits of that address are inverted.
  bool is_inverted;
};

static const struct embedding EMBEDDINGS[] = {
    // Mapped, and the older compatible form.
    {{[10] = 0xff, [11] = 0xff}, 12, 12, false},
    {{0}, 12, 12, false},
    // Translated (RFC 2765), NAT64 (RFC 6052) and its local form (RFC 8215) with either length.
    {{[8] = 0xff, [9] = 0xff}, 12, 12, false},
    {{0x00, 0x64, 0xff, 0x9b}, 12, 12, false},
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 6, 12, false},
    // 6to4 (RFC 3056), Teredo (RFC 4380).
    {{0x20, 0x02}, 2, 2, false},
    {{0x20, 0x01, 0x00, 0x00}, 4, 12, true},
};

static const uint8_t METADATA_SIX[][SIX_BYTES] = {
    // fd00:ec2::254 and fd20:ce::254
    {0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54},
    {0xfd, 0x20, 0x00, 0xce, [14] = 0x02, [15] = 0x54},
};

static uint32_t four_at(const uint8_t *bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static enum reach_place place_of_four(uint32_t four) {
  // The kernel takes 0.0.0.0 for this host.
  if (four >> 24 == 127 || four == 0) return REACH_LOOPBACK;
  for (size_t i = 0; i < sizeof METADATA_FOUR / sizeof *METADATA_FOUR; i++) {
    const uint32_t shift = 32 - METADATA_FOUR[i].bits;
    if (four >> shift == METADATA_FOUR[i].base >> shift) return REACH_METADATA;
  }
  return REACH_ELSEWHERE;
}

static enum reach_place place_of_embedded(const uint8_t *six) {
  for (size_t i = 0; i < sizeof EMBEDDINGS / sizeof *EMBEDDINGS; i++) {
    const struct embedding *embedding = &EMBEDDINGS[i];
    if (memcmp(six, embedding->prefix, embedding->prefix_bytes) != 0) continue;
    const uint32_t four = four_at(six + embedding->at);
    const enum reach_place place = place_of_four(embedding->is_inverted ? ~four : four);
    // Only a mapped loopback is this host's; another spelling of it would leave it.
    if (place == REACH_METADATA || (place == REACH_LOOPBACK && i == 0)) return place;
  }
  return REACH_ELSEWHERE;
}

enum reach_place reach_place_of(const struct address *address) {
  if (address->any.sa_family == AF_INET) {
    return place_of_four(ntohl(address->four.sin_addr.s_addr));
  }
  const uint8_t *six = address->six.sin6_addr.s6_addr;
  if (memcmp(six, &in6addr_any, SIX_BYTES) == 0 || memcmp(six, &in6addr_loopback, SIX_BYTES) == 0) {
    return REACH_LOOPBACK;
  }
  // fe80::/10
  if (six[0] == 0xfe && (six[1] & 0xc0) == 0x80) return REACH_METADATA;
  for (size_t i = 0; i < sizeof METADATA_SIX / sizeof *METADATA_SIX; i++) {
    if (memcmp(six, METADATA_SIX[i], SIX_BYTES) == 0) return REACH_METADATA;
  }
  return place_of_embedded(six);
}

// Where the sidecar takes what is sent to this port of loopback, or 0 where it does not.
static uint16_t sidecars_port(const struct confinement *confinement, uint16_t port) {
  if (port == ADDRESS_PROXY_PORT) return port;
  for (size_t i = 0; i < confinement->count; i++) {
    if (confinement->forwards[i].local == port) return confinement->forwards[i].port;
  }
  return 0;
}

// As the kernel does: the address of nobody is loopback.
static struct address with_host(const struct address *asked) {
  struct address address = *asked;
  if (asked->any.sa_family == AF_INET) {
    if (asked->four.sin_addr.s_addr == htonl(INADDR_ANY)) {
      address.four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
  } else if (memcmp(&asked->six.sin6_addr, &in6addr_any, SIX_BYTES) == 0) {
    address.six.sin6_addr = in6addr_loopback;
  }
  return address;
}

static enum reach judge_loopback(const struct confinement *confinement, const struct address *asked,
                                 bool is_udp, struct address *target) {
  *target = with_host(asked);
  if (is_udp) return REACH_QUIETLY;
  const uint16_t port = address_port(asked);
  const uint16_t sidecars = sidecars_port(confinement, port);
  if (sidecars != 0) {
    *target = address_loopback(asked->any.sa_family, false);
    address_set_port(target, sidecars);
    return REACH_SIDECAR;
  }
  return address_is_reserved(port) ? REACH_REFUSED : REACH_IF_OWN;
}

enum reach reach_judge(const struct confinement *confinement, const struct address *asked,
                       bool is_udp, struct address *target) {
  *target = *asked;
  const enum reach_place place = reach_place_of(asked);
  if (is_udp && confinement->mode != CONFINEMENT_OBSERVE) return REACH_REFUSED;
  if (place == REACH_LOOPBACK) return judge_loopback(confinement, asked, is_udp, target);
  if (confinement->mode != CONFINEMENT_OBSERVE) return REACH_REFUSED;
  const bool is_name_service = address_port(asked) == NAME_SERVICE_PORT;
  return place == REACH_METADATA && !is_name_service ? REACH_REFUSED : REACH_OBSERVED;
}
