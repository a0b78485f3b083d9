// See seccomp.h.
#include "seccomp.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

// Of the kernel's interface what we use, under our own names: musl comes without the headers.
enum {
  SET_MODE_FILTER = 1,
  GET_ACTION_AVAILABLE = 2,
  // Since 4.17: a filter is no reason to run the child with slower speculation.
  FLAG_SPEC_ALLOW = 1 << 2,
  LOAD = 0x20,
  AND = 0x54,
  JUMP_IF_EQUAL = 0x15,
  RETURN = 0x06,
  AT_NUMBER = 0,
  AT_ARCHITECTURE = 4,
  // Little-endian: the low half, which is all that the kernel takes of a pid.
  AT_FIRST_ARGUMENT = 16,
};

#define RETURN_ALLOW 0x7fff0000u
#define RETURN_ERRNO 0x00050000u

#if defined(__x86_64__)
#define IS_KNOWN_MACHINE 1
#define NATIVE_ARCHITECTURE 0xc000003eu
#define NATIVE_PRLIMIT 302
#define COMPAT_ARCHITECTURE 0x40000003u
#define COMPAT_PRLIMIT 340
#elif defined(__aarch64__)
#define IS_KNOWN_MACHINE 1
#define NATIVE_ARCHITECTURE 0xc00000b7u
#define NATIVE_PRLIMIT 261
#define COMPAT_ARCHITECTURE 0x40000028u
#define COMPAT_PRLIMIT 369
#else
#define IS_KNOWN_MACHINE 0
#define NATIVE_ARCHITECTURE 0
#define NATIVE_PRLIMIT 0
#define COMPAT_ARCHITECTURE 0
#define COMPAT_PRLIMIT 0
#endif

// The x32 entry points have the native numbers with this bit.
#define X32_BIT 0x40000000u

struct instruction {
  uint16_t code;
  uint8_t if_true;
  uint8_t if_false;
  uint32_t operand;
};

struct program {
  unsigned short length;
  const struct instruction *instructions;
};

// Jumps count from the next instruction on.
static const struct instruction INSTRUCTIONS[] = {
    {LOAD, 0, 0, AT_ARCHITECTURE},
    {JUMP_IF_EQUAL, 0, 3, NATIVE_ARCHITECTURE},
    {LOAD, 0, 0, AT_NUMBER},
    {AND, 0, 0, ~X32_BIT},
    {JUMP_IF_EQUAL, 3, 5, NATIVE_PRLIMIT},
    {JUMP_IF_EQUAL, 0, 4, COMPAT_ARCHITECTURE},
    {LOAD, 0, 0, AT_NUMBER},
    {JUMP_IF_EQUAL, 0, 2, COMPAT_PRLIMIT},
    // prlimit: only pid 0, which is the caller.
    {LOAD, 0, 0, AT_FIRST_ARGUMENT},
    {JUMP_IF_EQUAL, 0, 1, 0},
    {RETURN, 0, 0, RETURN_ALLOW},
    {RETURN, 0, 0, RETURN_ERRNO | EPERM},
};

bool seccomp_is_there(void) {
  const uint32_t action = RETURN_ERRNO;
  return IS_KNOWN_MACHINE && syscall(SYS_seccomp, GET_ACTION_AVAILABLE, 0, &action) == 0;
}

int seccomp_enter(void) {
  const struct program program = {
      .length = sizeof INSTRUCTIONS / sizeof *INSTRUCTIONS,
      .instructions = INSTRUCTIONS,
  };
  if (syscall(SYS_seccomp, SET_MODE_FILTER, FLAG_SPEC_ALLOW, &program) == 0) return 0;
  if (errno != EINVAL) return -1;
  return syscall(SYS_seccomp, SET_MODE_FILTER, 0, &program) == 0 ? 0 : -1;
}
