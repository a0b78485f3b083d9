// What the shim says on its stderr: its own lines and the children's bytes. Never blocks: what the
// reader does not take is dropped and counted.
#ifndef SHIM_REPORT_H
#define SHIM_REPORT_H

#include <stddef.h>

// From here on writes go through a description of our own where stderr can be opened again, so
// that O_NONBLOCK reaches nobody else's.
void report_open(void);

void report_bytes(const void *bytes, size_t length);

// One line, `shim: ` before it.
__attribute__((format(printf, 1, 2))) void report_line(const char *format, ...);

#endif
