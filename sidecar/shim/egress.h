// Tells the sidecar what a confined process tried to reach: so many a second, the rest is counted.
#ifndef SHIM_EGRESS_H
#define SHIM_EGRESS_H

#include "address.h"
#include "frame.h"

struct supervisor;

// `address` is NULL where it has none that is the internet's.
void egress_tell(struct supervisor *supervisor, enum frame_verdict verdict,
                 enum frame_egress_kind kind, const struct address *address);

// What `socket` was asked for.
struct egress_socket {
  int domain;
  int type;
  int protocol;
};

// Tells of a socket that is refused by what it is.
void egress_tell_socket(struct supervisor *supervisor, enum frame_egress_kind kind,
                        const struct egress_socket *wanted);

#endif
