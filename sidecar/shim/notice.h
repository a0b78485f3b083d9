// A system call of a supervised process that waits for its supervisor's word (seccomp user
// notification): how it arrives, and how it is answered. Decides nothing.
#ifndef SHIM_NOTICE_H
#define SHIM_NOTICE_H

#include <stdbool.h>
#include <stdint.h>

// As the kernel writes it.
struct notice {
  uint64_t id;
  // The calling thread in our PID namespace, 0 where it can't be seen from there.
  uint32_t thread;
  uint32_t flags;
  int32_t number;
  uint32_t architecture;
  uint64_t instruction;
  uint64_t arguments[6];
};

// The next one; -1 with errno where there is none (any more).
int notice_receive(int listener, struct notice *notice);

// Whether the caller still waits: until then what was read of its thread was its own.
bool notice_is_waiting(int listener, const struct notice *notice);

// Ends the call with 0 or an error number. Where a signal may interrupt it (FILTER_WAIT_KILLABLE)
// nobody can know whether that arrives.
void notice_answer(int listener, const struct notice *notice, int error);

// Has the kernel do the call. Only for what registers alone have decided: memory may have changed,
// and a descriptor may be another socket by now.
void notice_continue(int listener, const struct notice *notice);

// Puts our descriptor in the place of the caller's; 0 or an error number, ENOENT or ESRCH
// where nobody waits any more.
int notice_put(int listener, const struct notice *notice, int ours, int theirs,
               bool closes_on_exec);

#endif
