// The shim's one clock: milliseconds that never go back.
#ifndef SHIM_CLOCK_H
#define SHIM_CLOCK_H

#include <stdint.h>

// A time that never comes.
#define CLOCK_NEVER UINT64_MAX

uint64_t clock_now_ms(void);
void clock_nap_ms(uint32_t ms);

#endif
