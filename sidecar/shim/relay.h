// One child's stderr on its way to log and sidecar: what may go on now, what is held, what is lost.
// Held is never more than the last 4 KiB. Pure; the clock is an argument.
#ifndef SHIM_RELAY_H
#define SHIM_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bucket.h"
#include "frame.h"

enum {
  RELAY_BYTES_PER_SECOND = 64 * 1024,
  RELAY_BURST_BYTES = 256 * 1024,
  RELAY_HELD_BYTES = FRAME_MAX_STDERR_BYTES,
};

struct relay {
  struct bucket bucket;
  // RELAY_HELD_BYTES of memory that the caller owns.
  uint8_t *held;
  size_t held_bytes;
  uint32_t dropped;
};

void relay_reset(struct relay *relay, uint8_t *held, uint64_t now_ms);

// Takes in what the child wrote; where it no longer fits, the oldest is dropped and counted.
void relay_take(struct relay *relay, const uint8_t *bytes, size_t length);

// Whether this much may go on now; takes its tokens if so.
bool relay_may_pass(struct relay *relay, size_t length, uint64_t now_ms);

// What is held has gone on.
void relay_passed(struct relay *relay);

#endif
