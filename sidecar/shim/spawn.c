// See spawn.h.
#include "spawn.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calls.h"
#include "monitor.h"
#include "pass.h"
#include "program.h"
#include "seccomp.h"

static struct spawn_failure failed_at(enum spawn_stage stage) {
  return (struct spawn_failure){.stage = stage, .error = errno};
}

static int install_descriptors(const struct spawn_order *order) {
  // All three are above 2 and close on exec; the copies don't.
  if (dup2(order->stdin_fd, STDIN_FILENO) < 0) return -1;
  if (dup2(order->stdout_fd, STDOUT_FILENO) < 0) return -1;
  return dup2(order->stderr_fd, STDERR_FILENO) < 0 ? -1 : 0;
}

// The shim must have the listener before anything else happens under the filter.
static int confine(const struct spawn_order *order) {
  const struct monitor_news news = {.kind = NEWS_LISTENER};
  const int listener = calls_enter(order->mode);
  return listener < 0 ? -1 : pass_descriptor(order->news, &news, sizeof news, listener);
}

struct writing spawn_writing(const struct spawn_plan *plan, uint64_t number) {
  return (struct writing){.landlock = &plan->landlock,
                          .writable = plan->writable,
                          .homes = &plan->homes,
                          .number = number};
}

struct spawn_failure spawn_confine(const struct writing *writing, enum confinement_mode mode,
                                   bool has_seccomp) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed_at(STAGE_LANDLOCK);
  if (writing_enter(writing, mode != CONFINEMENT_OFF, STDOUT_FILENO) != 0)
    return failed_at(errno == EOPNOTSUPP ? STAGE_FILES : STAGE_LANDLOCK);
  if (has_seccomp && seccomp_enter() != 0) return failed_at(STAGE_SECCOMP);
  return (struct spawn_failure){0};
}

struct spawn_failure spawn_become(struct spawn_plan *plan, const struct spawn_order *order) {
  char home[HOME_PATH_BYTES];
  home_path(&plan->homes, order->number, home);
  if (setsid() < 0) return failed_at(STAGE_SESSION);
  if (install_descriptors(order) != 0) return failed_at(STAGE_DESCRIPTORS);
  const struct environment_places places = {home, plan->writable, plan->keep_home,
                                            order->token_bytes > 0};
  environment_build(&plan->environment, order->environment, order->environment_bytes, &places);
  setrlimit(RLIMIT_NOFILE, &plan->open_files);
  umask(plan->umask);
  const struct writing writing = spawn_writing(plan, order->number);
  const struct spawn_failure failure = spawn_confine(&writing, order->mode, plan->has_seccomp);
  if (failure.stage != 0) return failure;
  if (order->mode != CONFINEMENT_OFF && confine(order) != 0) return failed_at(STAGE_SUPERVISION);
  program_restore_signals();
  return program_execute(plan->command, &plan->environment);
}
