// See filter.h.
#include "filter.h"

#include <sys/syscall.h>
#include <unistd.h>

enum { SET_MODE_FILTER = 1 };

struct program {
  unsigned short length;
  const struct filter_step *steps;
};

int filter_enter(const struct filter_step *steps, size_t count, unsigned flags) {
  const struct program program = {.length = (unsigned short)count, .steps = steps};
  return (int)syscall(SYS_seccomp, SET_MODE_FILTER, flags, &program);
}
