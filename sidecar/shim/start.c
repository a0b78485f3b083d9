// See start.h.
#include "start.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "calls.h"
#include "program.h"
#include "seccomp.h"

union descriptor_message {
  struct cmsghdr head;
  char bytes[CMSG_SPACE(sizeof(int))];
};

static struct spawn_failure failed_at(enum spawn_stage stage) {
  return (struct spawn_failure){.stage = stage, .error = errno};
}

// Hands the listener over, and keeps nothing of it.
static int send_listener(int news, int listener) {
  union descriptor_message control = {.bytes = {0}};
  struct spawn_failure none = {0};
  struct iovec part = {.iov_base = &none, .iov_len = sizeof none};
  struct msghdr message = {
      .msg_iov = &part,
      .msg_iovlen = 1,
      .msg_control = control.bytes,
      .msg_controllen = sizeof control.bytes,
  };
  struct cmsghdr *head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof listener);
  memcpy(CMSG_DATA(head), &listener, sizeof listener);
  const ssize_t sent = sendmsg(news, &message, MSG_NOSIGNAL);
  close(listener);
  return sent == sizeof none ? 0 : -1;
}

static struct spawn_failure run(const struct start_plan *plan, start_body *body, int news) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed_at(STAGE_LANDLOCK);
  if (landlock_enter(&plan->landlock) != 0) return failed_at(STAGE_LANDLOCK);
  if (plan->has_seccomp && seccomp_enter() != 0) return failed_at(STAGE_SECCOMP);
  if (plan->is_supervised) {
    const int listener = calls_enter();
    if (listener < 0 || send_listener(news, listener) != 0) return failed_at(STAGE_SUPERVISION);
  }
  return body(plan);
}

struct spawn_failure start_command(const struct start_plan *plan) {
  program_restore_signals();
  return program_execute(plan->command, &plan->environment);
}

int start_process(const struct start_plan *plan, start_body *body, struct started *started) {
  int news[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, news) != 0) return -1;
  started->news = news[0];
  started->pid = fork();
  if (started->pid == 0) {
    close(news[0]);
    const struct spawn_failure failure = run(plan, body, news[1]);
    if (failure.stage != 0) (void)!send(news[1], &failure, sizeof failure, MSG_NOSIGNAL);
    _exit(failure.stage == 0 ? 0 : 127);
  }
  const int why = errno;
  close(news[1]);
  if (started->pid > 0) return 0;
  close(news[0]);
  errno = why;
  return -1;
}

enum start_news start_hear(const struct started *started, int *listener,
                           struct spawn_failure *failure) {
  union descriptor_message control = {.bytes = {0}};
  struct iovec part = {.iov_base = failure, .iov_len = sizeof *failure};
  struct msghdr message = {
      .msg_iov = &part,
      .msg_iovlen = 1,
      .msg_control = control.bytes,
      .msg_controllen = sizeof control.bytes,
  };
  const ssize_t length = recvmsg(started->news, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return START_NOTHING_YET;
  if (length != sizeof *failure) return START_OVER;
  const struct cmsghdr *head = CMSG_FIRSTHDR(&message);
  if (head == NULL || head->cmsg_type != SCM_RIGHTS) return START_FAILED;
  memcpy(listener, CMSG_DATA(head), sizeof *listener);
  return START_LISTENER;
}
