// A child before it runs: the pipes that are made for it, and its start once the sidecar holds its
// ends. Whatever is in the way becomes a REFUSED with its reason.
#ifndef SHIM_OFFER_H
#define SHIM_OFFER_H

#include <stdint.h>

#include "frame.h"

struct child;
struct nursery;

// A SPAWN request: makes the pipes.
void offer_make(struct nursery *nursery, const struct frame_request *request, uint64_t now_ms);

// An OPENED request: starts the monitor, which starts the child.
void offer_take(struct nursery *nursery, struct child *child, uint64_t now_ms);

// An offer that comes to nothing: says why and takes it back.
void offer_refuse(struct nursery *nursery, struct child *child, enum frame_reason reason,
                  const char *text);

#endif
