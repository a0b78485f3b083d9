// Moves a child's stderr from its pipe to the shim's own stderr and to the sidecar, as fast as its
// relay allows. A flood costs the shim a bounded share of each turn and never blocks it.
#ifndef SHIM_DRAIN_H
#define SHIM_DRAIN_H

#include <stdint.h>

struct child;
struct nursery;

// Reads a share and passes on what may pass.
void drain_stderr(struct nursery *nursery, struct child *child, uint64_t now_ms);

// The child, or the last of its descendants, has ended: reads what it left and passes on what is held, whatever the rate.
void drain_last(struct nursery *nursery, struct child *child);

#endif
