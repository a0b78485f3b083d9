// Which descriptors a process keeps. Nothing of the shim's may reach a child or another monitor.
#ifndef SHIM_DESCRIPTORS_H
#define SHIM_DESCRIPTORS_H

#include <stddef.h>

// Opens /dev/null on each of 0, 1 and 2 that is closed, so that no later descriptor takes its place.
int descriptors_fill_standard(void);

// Closes every descriptor from 3 on but those in `kept` (any order, negative ones are ignored).
void descriptors_close_all_but(const int *kept, size_t count);

#endif
