// A token bucket over milliseconds: how fast something may go on, and how much at once.
// Pure; the clock is an argument.
#ifndef SHIM_BUCKET_H
#define SHIM_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

// Counts in thousandths of a token, so that slow rates lose nothing to rounding.
struct bucket {
  uint64_t rate_per_second;
  uint64_t burst;
  uint64_t millitokens;
  uint64_t filled_at_ms;
};

// A full bucket.
struct bucket bucket_full(uint64_t rate_per_second, uint64_t burst, uint64_t now_ms);

// Takes `tokens`, all or none.
bool bucket_take(struct bucket *bucket, uint64_t tokens, uint64_t now_ms);

#endif
