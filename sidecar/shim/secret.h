// Secrets: what nobody can guess, as text.
#ifndef SHIM_SECRET_H
#define SHIM_SECRET_H

#include <stddef.h>

// Writes `length` lower-case hex digits (an even number, 64 at most) and no terminator; -1 with errno.
int secret_make(char *text, size_t length);

#endif
