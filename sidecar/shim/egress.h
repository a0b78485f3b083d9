// Tells the sidecar what a confined process tried to reach: of each sort so many a second, the rest is counted.
#ifndef SHIM_EGRESS_H
#define SHIM_EGRESS_H

#include <stdbool.h>

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

// What was left untold is never left so where nothing follows it: tells of the last of it, and how many those before were. When
// there is an allowance for it again,
void egress_tell_last(struct supervisor *supervisor, uint64_t now_ms);
// and at the end in any case.
void egress_tell_end(struct supervisor *supervisor);

// Whether the sidecar could be told something now.
bool egress_can_tell(const struct supervisor *supervisor);

// Tells it that this socket is on its way to the forward that stands on `port`.
void egress_tell_led(struct supervisor *supervisor, int fd, uint16_t port);

#endif
