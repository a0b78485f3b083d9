// See writing.h.
#include "writing.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report.h"

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

int writing_bind(const struct writing *writing, int fd, const struct sockaddr *address,
                 socklen_t length) {
  if (is_free(writing)) return bind(fd, address, length);
  // In a process of its own: we could not leave the domain again.
  const pid_t pid = fork();
  if (pid < 0) return -1;
  if (pid == 0) _exit(bind_within(writing, fd, address, length));
  int status = 0;
  pid_t reaped;
  do reaped = waitpid(pid, &status, 0);
  while (reaped < 0 && errno == EINTR);
  errno = reaped == pid && WIFEXITED(status) ? WEXITSTATUS(status) : EACCES;
  return errno == 0 ? 0 : -1;
}
