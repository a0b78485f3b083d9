// See secret.h.
#include "secret.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>

enum { MOST_BYTES = 32 };

int secret_make(char *text, size_t length) {
  static const char DIGITS[] = "0123456789abcdef";
  uint8_t bytes[MOST_BYTES];
  const size_t wanted = length / 2;
  if (wanted > sizeof bytes) {
    errno = EINVAL;
    return -1;
  }
  ssize_t got;
  // In one piece, once the kernel has any.
  while ((got = getrandom(bytes, wanted, 0)) < 0 && errno == EINTR) continue;
  if (got != (ssize_t)wanted) return -1;
  for (size_t i = 0; i < wanted; i++) {
    text[2 * i] = DIGITS[bytes[i] >> 4];
    text[2 * i + 1] = DIGITS[bytes[i] & 0xf];
  }
  return 0;
}
