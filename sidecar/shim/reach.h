// Where a confined process may connect to. Pure: an address and a confinement in, a decision out.
#ifndef SHIM_REACH_H
#define SHIM_REACH_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "confinement.h"

enum reach {
  // To the proxy, or a forward: `target` says where that is. Nobody is told.
  REACH_SIDECAR,
  // To loopback: if the process's own family listens there.
  REACH_IF_OWN,
  // Anywhere, as it is: by observation alone, which tells.
  REACH_OBSERVED,
  // To a resolver or the like on loopback by UDP: as it is, and nobody is told.
  REACH_QUIETLY,
  REACH_REFUSED,
};

// Decides about a connect to `asked`; `target` is where it ends.
enum reach reach_judge(const struct confinement *confinement, const struct address *asked,
                       bool is_udp, struct address *target);

// What an address is, in every spelling in which it can be written.
enum reach_place {
  REACH_LOOPBACK,
  // What answers to whoever asks from a node: metadata services, and all that is only on its link.
  REACH_METADATA,
  REACH_ELSEWHERE,
};
enum reach_place reach_place_of(const struct address *address);

#endif
