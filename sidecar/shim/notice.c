// See notice.h.
#include "notice.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct answer {
  uint64_t id;
  int64_t value;
  int32_t error;
  uint32_t flags;
};

struct placement {
  uint64_t id;
  uint32_t flags;
  uint32_t ours;
  uint32_t theirs;
  uint32_t theirs_flags;
};

enum { ANSWER_CONTINUE = 1 << 0, PLACEMENT_AT_NUMBER = 1 << 0 };

#define NOTICE_RECEIVE _IOWR('!', 0, struct notice)
#define NOTICE_ANSWER _IOWR('!', 1, struct answer)
#define NOTICE_IS_WAITING _IOW('!', 2, uint64_t)
#define NOTICE_PUT _IOW('!', 3, struct placement)

// ioctl itself, whose request is an int in one libc and an unsigned long in another.
static long ask(int listener, unsigned long request, const void *argument) {
  return syscall(SYS_ioctl, listener, request, argument);
}

int notice_receive(int listener, struct notice *notice) {
  // The kernel insists on zeros.
  memset(notice, 0, sizeof *notice);
  return ask(listener, NOTICE_RECEIVE, notice) == 0 ? 0 : -1;
}

bool notice_is_waiting(int listener, const struct notice *notice) {
  return ask(listener, NOTICE_IS_WAITING, &notice->id) == 0;
}

static void answer(int listener, const struct answer *answer) {
  ask(listener, NOTICE_ANSWER, answer);
}

void notice_answer(int listener, const struct notice *notice, int error) {
  answer(listener, &(struct answer){.id = notice->id, .error = -error});
}

void notice_continue(int listener, const struct notice *notice) {
  answer(listener, &(struct answer){.id = notice->id, .flags = ANSWER_CONTINUE});
}

int notice_put(int listener, const struct notice *notice, int ours, int theirs,
               bool closes_on_exec) {
  const struct placement placement = {
      .id = notice->id,
      .flags = PLACEMENT_AT_NUMBER,
      .ours = (uint32_t)ours,
      .theirs = (uint32_t)theirs,
      .theirs_flags = closes_on_exec ? O_CLOEXEC : 0,
  };
  // The same flag that makes the answer in one step would make the descriptor's number its value.
  return ask(listener, NOTICE_PUT, &placement) >= 0 ? 0 : errno;
}
