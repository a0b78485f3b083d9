// See writing.h.
#include "writing.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "report.h"

// All wait meanwhile: so long at most, and then not again before others have had their turn.
enum { ANSWER_MS = 2000, REST_MS = 20000, LOOK_MS = 2 };

static bool is_free(const struct writing *writing) {
  return writing->writable == NULL || writing->writable->rule == WRITABLE_ANYWHERE;
}

int writing_enter(const struct writing *writing, bool is_confined, int output) {
  struct landlock_own own = {.directory = -1, .output = output};
  if (is_free(writing)) return landlock_enter(writing->landlock, is_confined);
  if (writing->homes != NULL) {
    own.directory = home_hold(writing->homes, writing->number);
    if (own.directory < 0) return -1;
  }
  const int result =
      landlock_enter_writing(writing->landlock, is_confined, writing->writable, &own);
  const int why = errno;
  if (own.directory >= 0) close(own.directory);
  errno = why;
  return result;
}

void writing_report(const struct landlock *landlock, const struct writable *writable) {
  if (writable->rule != WRITABLE_ADVISORY || landlock_keeps_files(landlock)) return;
  report_line(
      "what may change files is advisory here: Landlock is of ABI %d, and 3 has what it takes",
      landlock->abi);
}

// 0, or the error number.
static int bind_within(const struct writing *writing, int fd, const struct sockaddr *address,
                       socklen_t length) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  if (writing_enter(writing, false, -1) != 0) return errno;
  return bind(fd, address, length) == 0 ? 0 : errno;
}

// What the process answers that binds, of which `end` is a pipe's that ends with it; EACCES where it gives no answer, and ETIMEDOUT
// where it takes too long.
static int answer_of(pid_t pid, int end) {
  const uint64_t give_up_at_ms = clock_now_ms() + ANSWER_MS;
  for (;;) {
    int status = 0;
    const pid_t seen = waitpid(pid, &status, WNOHANG | WUNTRACED);
    const bool is_stopped = seen == pid && WIFSTOPPED(status);
    if (seen != 0 && !is_stopped) {
      return seen == pid && WIFEXITED(status) ? WEXITSTATUS(status) : EACCES;
    }
    const bool is_late = clock_now_ms() >= give_up_at_ms;
    // Nobody stops it but a hostile process, where Landlock cannot scope signals.
    if (is_stopped || is_late) kill(pid, SIGKILL);
    // It is reaped with all others who have ended.
    if (is_late) return ETIMEDOUT;
    poll(&(struct pollfd){.fd = end, .events = POLLIN}, 1, LOOK_MS);
  }
}

int writing_bind(struct writing *writing, int fd, const struct sockaddr *address,
                 socklen_t length) {
  if (is_free(writing)) return bind(fd, address, length);
  if (clock_now_ms() < writing->rest_until_ms) {
    errno = EACCES;
    return -1;
  }
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  // In a process of its own: we could not leave the domain again.
  const pid_t pid = fork();
  if (pid == 0) _exit(bind_within(writing, fd, address, length));
  int error = errno;
  close(ends[1]);
  if (pid > 0) error = answer_of(pid, ends[0]);
  close(ends[0]);
  if (error == ETIMEDOUT) writing->rest_until_ms = clock_now_ms() + REST_MS;
  errno = error;
  return error == 0 ? 0 : -1;
}
