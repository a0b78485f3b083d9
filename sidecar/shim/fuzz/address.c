// libFuzzer target of what a server's bind can make us read: whatever the bytes are, nobody is
// placed where others could reach it, and nothing listens on the sidecar's ports.
#include <stdlib.h>
#include <string.h>

#include "address.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void demand(int condition) {
  if (!condition) abort();
}

static int is_loopback(const struct address *address) {
  static const uint8_t MAPPED[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127};
  static const uint8_t ONE[16] = {[15] = 1};
  if (address->any.sa_family == AF_INET) {
    return ((const uint8_t *)&address->four.sin_addr)[0] == 127;
  }
  const uint8_t *six = address->six.sin6_addr.s6_addr;
  return memcmp(six, MAPPED, sizeof MAPPED) == 0 || memcmp(six, ONE, sizeof ONE) == 0;
}

// The first byte chooses the socket; the rest is the address.
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  if (length < 1) return 0;
  struct address_places places;
  const sa_family_t family = bytes[0] & 1 ? AF_INET6 : AF_INET;
  if (address_place(bytes + 1, length - 1, family, (bytes[0] & 2) != 0, &places) != 0) return 0;
  char text[ADDRESS_TEXT_BYTES];
  address_print(&places.listening, text);
  demand(is_loopback(&places.listening) && places.listening.any.sa_family == family);
  demand(!address_is_reserved(address_port(&places.listening)));
  demand(places.moves ? address_port(&places.bound) == 0 : is_loopback(&places.bound));
  demand(address_port(&places.bound) == address_port(&places.listening));
  return 0;
}
