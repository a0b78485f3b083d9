// See seccomp.h.
#include "seccomp.h"

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "filter.h"

enum { GET_ACTION_AVAILABLE = 2 };

#if defined(__x86_64__)
#define NATIVE_PRLIMIT 302
#define COMPAT_PRLIMIT 340
#elif defined(__aarch64__)
#define NATIVE_PRLIMIT 261
#define COMPAT_PRLIMIT 369
#else
#define NATIVE_PRLIMIT 0
#define COMPAT_PRLIMIT 0
#endif

// Jumps count from the next step on.
static const struct filter_step STEPS[] = {
    {FILTER_LOAD, 0, 0, FILTER_AT_ARCHITECTURE},
    {FILTER_JUMP_IF_EQUAL, 0, 3, FILTER_NATIVE_ARCHITECTURE},
    {FILTER_LOAD, 0, 0, FILTER_AT_NUMBER},
    {FILTER_AND, 0, 0, ~FILTER_X32_BIT},
    {FILTER_JUMP_IF_EQUAL, 3, 5, NATIVE_PRLIMIT},
    {FILTER_JUMP_IF_EQUAL, 0, 4, FILTER_COMPAT_ARCHITECTURE},
    {FILTER_LOAD, 0, 0, FILTER_AT_NUMBER},
    {FILTER_JUMP_IF_EQUAL, 0, 2, COMPAT_PRLIMIT},
    // prlimit: only pid 0, which is the caller.
    {FILTER_LOAD, 0, 0, FILTER_AT_ARGUMENT(0)},
    {FILTER_JUMP_IF_EQUAL, 0, 1, 0},
    {FILTER_RETURN, 0, 0, FILTER_ALLOW},
    {FILTER_RETURN, 0, 0, FILTER_ERRNO | EPERM},
};

bool seccomp_is_there(void) {
  const uint32_t action = FILTER_ERRNO;
  return FILTER_IS_KNOWN_MACHINE && syscall(SYS_seccomp, GET_ACTION_AVAILABLE, 0, &action) == 0;
}

int seccomp_enter(void) {
  if (filter_enter(STEPS, sizeof STEPS / sizeof *STEPS, FILTER_SPEC_ALLOW) == 0) return 0;
  if (errno != EINVAL) return -1;
  return filter_enter(STEPS, sizeof STEPS / sizeof *STEPS, 0);
}
