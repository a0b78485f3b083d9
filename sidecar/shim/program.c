// See program.h.
#include "program.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// What container runtimes use where an image has no PATH.
static const char DEFAULT_PATH[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// Default dispositions first, the empty mask last: a signal that came meanwhile then has its effect.
void program_restore_signals(void) {
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

// Executes one candidate; returns only where that fails, with what to remember.
static struct spawn_failure try_execute(char **command, const struct environment *environment,
                                        const char *path) {
  execve(path, command, environment->lines);
  const int why = errno;
  const bool is_there = access(path, F_OK) == 0;
  const enum spawn_stage stage = why == ENOENT && is_there ? STAGE_INTERPRETER : STAGE_EXEC;
  return (struct spawn_failure){.stage = stage, .error = why};
}

// A lookup goes on after these; any other failure is final.
static bool is_elsewhere(struct spawn_failure failure) {
  if (failure.stage == STAGE_INTERPRETER) return false;
  return failure.error == ENOENT || failure.error == ENOTDIR || failure.error == EACCES;
}

struct spawn_failure program_execute(char **command, const struct environment *environment) {
  const char *file = command[0];
  if (strchr(file, '/') != NULL) return try_execute(command, environment, file);
  const char *path = environment_value(environment, "PATH");
  struct spawn_failure failure = {.stage = STAGE_EXEC, .error = ENOENT};
  for (const char *part = path == NULL ? DEFAULT_PATH : path;; part++) {
    const size_t length = strcspn(part, ":");
    char candidate[4096];
    const int size = snprintf(candidate, sizeof candidate, "%.*s%s%s", (int)length, part,
                              length == 0 ? "" : "/", file);
    if (size > 0 && (size_t)size < sizeof candidate) {
      const struct spawn_failure attempt = try_execute(command, environment, candidate);
      if (!is_elsewhere(attempt)) return attempt;
      // A file that may not be executed says more than one that isn't there.
      if (attempt.error == EACCES) failure = attempt;
    }
    part += length;
    if (*part == '\0') return failure;
  }
}
