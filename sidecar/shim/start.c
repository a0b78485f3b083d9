// See start.h.
#include "start.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "calls.h"
#include "pass.h"
#include "program.h"

static struct spawn_failure run(const struct start_plan *plan, start_body *body, int news) {
  const struct writing writing = {.landlock = &plan->landlock, .writable = plan->writable};
  const struct spawn_failure failure = spawn_confine(&writing, plan->mode, plan->has_seccomp);
  if (failure.stage != 0) return failure;
  if (plan->is_supervised) {
    const struct spawn_failure none = {0};
    const int listener = calls_enter(plan->mode);
    if (listener < 0 || pass_descriptor(news, &none, sizeof none, listener) != 0) {
      return (struct spawn_failure){.stage = STAGE_SUPERVISION, .error = errno};
    }
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
  const ssize_t length = pass_receive(started->news, failure, sizeof *failure, listener);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return START_NOTHING_YET;
  if (length != sizeof *failure) return START_OVER;
  return *listener < 0 ? START_FAILED : START_LISTENER;
}
