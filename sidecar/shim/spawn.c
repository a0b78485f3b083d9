// See spawn.h.
#include "spawn.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seccomp.h"

// What container runtimes use where an image has no PATH.
static const char DEFAULT_PATH[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static struct spawn_failure failed_at(enum spawn_stage stage) {
  return (struct spawn_failure){.stage = stage, .error = errno};
}

static int install_descriptors(const struct spawn_order *order) {
  // All three are above 2 and close on exec; the copies don't.
  if (dup2(order->stdin_fd, STDIN_FILENO) < 0) return -1;
  if (dup2(order->stdout_fd, STDOUT_FILENO) < 0) return -1;
  return dup2(order->stderr_fd, STDERR_FILENO) < 0 ? -1 : 0;
}

// Default dispositions first, the empty mask last: a signal that came meanwhile then has its effect.
static void restore_signals(void) {
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

// Executes one candidate; returns only where that fails, with what to remember.
static struct spawn_failure try_execute(const struct spawn_plan *plan, const char *path) {
  execve(path, plan->command, plan->environment.lines);
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

static struct spawn_failure execute(const struct spawn_plan *plan) {
  const char *file = plan->command[0];
  if (strchr(file, '/') != NULL) return try_execute(plan, file);
  const char *path = environment_value(&plan->environment, "PATH");
  struct spawn_failure failure = {.stage = STAGE_EXEC, .error = ENOENT};
  for (const char *part = path == NULL ? DEFAULT_PATH : path;; part++) {
    const size_t length = strcspn(part, ":");
    char candidate[4096];
    const int size = snprintf(candidate, sizeof candidate, "%.*s%s%s", (int)length, part,
                              length == 0 ? "" : "/", file);
    if (size > 0 && (size_t)size < sizeof candidate) {
      const struct spawn_failure attempt = try_execute(plan, candidate);
      if (!is_elsewhere(attempt)) return attempt;
      // A file that may not be executed says more than one that isn't there.
      if (attempt.error == EACCES) failure = attempt;
    }
    part += length;
    if (*part == '\0') return failure;
  }
}

struct spawn_failure spawn_become(struct spawn_plan *plan, const struct spawn_order *order) {
  char home[HOME_PATH_BYTES];
  home_path(&plan->homes, order->number, home);
  if (setsid() < 0) return failed_at(STAGE_SESSION);
  if (install_descriptors(order) != 0) return failed_at(STAGE_DESCRIPTORS);
  environment_build(&plan->environment, order->environment, order->environment_bytes, home,
                    plan->keep_home);
  setrlimit(RLIMIT_NOFILE, &plan->open_files);
  umask(plan->umask);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed_at(STAGE_LANDLOCK);
  if (landlock_enter(&plan->landlock) != 0) return failed_at(STAGE_LANDLOCK);
  if (plan->has_seccomp && seccomp_enter() != 0) return failed_at(STAGE_SECCOMP);
  restore_signals();
  return execute(plan);
}
