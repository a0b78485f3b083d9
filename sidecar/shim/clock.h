// The shim's one clock: milliseconds that never go back.
#ifndef SHIM_CLOCK_H
#define SHIM_CLOCK_H

#include <stdint.h>

// A time that never comes.
#define CLOCK_NEVER UINT64_MAX

// Of two times.
static inline uint64_t clock_earlier(uint64_t left, uint64_t right) {
  return left < right ? left : right;
}

uint64_t clock_now_ms(void);
void clock_nap_ms(uint32_t ms);

#endif
