// What a process may reach: the words of SPAWN and CONFINE, as values. Pure.
#ifndef SHIM_CONFINEMENT_H
#define SHIM_CONFINEMENT_H

#include <stddef.h>
#include <stdint.h>

// As many as a server may declare, and the sidecar's own two.
enum { CONFINEMENT_MAX_FORWARDS = 34 };

enum confinement_mode {
  CONFINEMENT_OFF = 0,
  // Everything but metadata services; what would have been refused is told.
  CONFINEMENT_OBSERVE = 1,
  // The proxy, the forwards, and its own loopback ports.
  CONFINEMENT_ENFORCE = 2,
};

// A connect to `local` on loopback ends at `port` there.
struct confinement_forward {
  uint16_t local;
  uint16_t port;
};

struct confinement {
  enum confinement_mode mode;
  size_t count;
  struct confinement_forward forwards[CONFINEMENT_MAX_FORWARDS];
};

// Reads one; the number of bytes that it took, 0 where they are too few. `fault` is set where its
// values can't be used, and NULL where they can.
size_t confinement_decode(const uint8_t *bytes, size_t length, struct confinement *confinement,
                          const char **fault);

#endif
