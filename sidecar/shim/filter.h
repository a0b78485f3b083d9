// Seccomp filters: the words of their programs, and how one is put on this process for good.
// Of the kernel's interface what we use, under our own names: musl comes without the headers.
#ifndef SHIM_FILTER_H
#define SHIM_FILTER_H

#include <stddef.h>
#include <stdint.h>

enum {
  FILTER_LOAD = 0x20,
  FILTER_AND = 0x54,
  FILTER_JUMP_IF_EQUAL = 0x15,
  FILTER_JUMP_IF_AT_LEAST = 0x35,
  FILTER_JUMP_IF_ANY_BIT = 0x45,
  FILTER_RETURN = 0x06,
};

// What a program may load. Little-endian: of an argument the low half, which is all that the kernel
// takes of an int.
#define FILTER_AT_NUMBER 0u
#define FILTER_AT_ARCHITECTURE 4u
#define FILTER_AT_ARGUMENT(index) (16u + 8u * (index))

#define FILTER_ALLOW 0x7fff0000u
#define FILTER_NOTIFY 0x7fc00000u
#define FILTER_ERRNO 0x00050000u
#define FILTER_KILL_PROCESS 0x80000000u

enum {
  // Since 4.17: a filter is no reason to run the child with slower speculation.
  FILTER_SPEC_ALLOW = 1 << 2,
  // Since 5.0: entering returns a listener for what the program says to notify.
  FILTER_NEW_LISTENER = 1 << 3,
  // Since 5.19: once its call has been received, only a deadly signal interrupts the caller.
  FILTER_WAIT_KILLABLE = 1 << 5,
};

#if defined(__x86_64__)
#define FILTER_IS_KNOWN_MACHINE 1
#define FILTER_NATIVE_ARCHITECTURE 0xc000003eu
#define FILTER_COMPAT_ARCHITECTURE 0x40000003u
#elif defined(__aarch64__)
#define FILTER_IS_KNOWN_MACHINE 1
#define FILTER_NATIVE_ARCHITECTURE 0xc00000b7u
#define FILTER_COMPAT_ARCHITECTURE 0x40000028u
#else
#define FILTER_IS_KNOWN_MACHINE 0
#define FILTER_NATIVE_ARCHITECTURE 0u
#define FILTER_COMPAT_ARCHITECTURE 0u
#endif

// The x32 entry points have the native numbers with this bit.
#define FILTER_X32_BIT 0x40000000u

// Jumps count from the next step on.
struct filter_step {
  uint16_t code;
  uint8_t if_true;
  uint8_t if_false;
  uint32_t operand;
};

// Puts a program on this process; 0, or the listener where one was asked for, or -1 with errno.
// Needs no_new_privs.
int filter_enter(const struct filter_step *steps, size_t count, unsigned flags);

#endif
