// See serving.h.
#include "serving.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "descriptors.h"
#include "proof.h"
#include "report.h"
#include "seccomp.h"
#include "start.h"
#include "trial.h"
#include "watch.h"

enum {
  END_WITHIN_MS = 5000,
  // stderr and socket of each child, and what is open for a moment or all the time.
  DESCRIPTORS_A_CHILD = 2,
  DESCRIPTORS_BESIDE = 32,
  // And of a confined one, where the system has so many: its listener, and what is held or on its way.
  DESCRIPTORS_A_CONFINED = 1 + SOCKETS_HELD_OF_CHILD + FLIGHTS_OF_CHILD,
};

static int fail(const char *what) {
  report_line("%s: %s", what, strerror(errno));
  return -1;
}

static int raise_open_files(struct serving *serving) {
  const rlim_t needed = (rlim_t)serving->options->max_processes * DESCRIPTORS_A_CHILD +
                        DESCRIPTORS_BESIDE + serving->options->writable.count;
  if (getrlimit(RLIMIT_NOFILE, &serving->plan.open_files) != 0) return fail("getrlimit");
  struct rlimit raised = serving->plan.open_files;
  const rlim_t wanted = needed + (rlim_t)serving->options->max_processes * DESCRIPTORS_A_CONFINED;
  if (raised.rlim_cur >= wanted) return 0;
  raised.rlim_cur = raised.rlim_max < wanted ? raised.rlim_max : wanted;
  if (raised.rlim_cur < needed) raised.rlim_cur = needed;
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return 0;
  return fail("too few open files are allowed for --max-processes (ulimit -n)");
}

static int open_signals(void) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  // Whoever started us may have SIGCHLD ignored; then nothing could be waited for.
  signal(SIGCHLD, SIG_DFL);
  sigset_t taken;
  sigemptyset(&taken);
  sigaddset(&taken, SIGCHLD);
  sigaddset(&taken, SIGTERM);
  sigaddset(&taken, SIGINT);
  sigaddset(&taken, SIGHUP);
  return signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
}

// Removes what killed shims left, beside the work.
static void start_janitor(struct serving *serving) {
  if (serving->plan.homes.lock < 0) return;
  serving->nursery.janitor = fork();
  if (serving->nursery.janitor != 0) return;
  descriptors_close_all_but(NULL, 0);
  homes_remove_stale(&serving->plan.homes);
  _exit(0);
}

// What this process is for the others, and what it may open.
static int open_process(struct serving *serving) {
  serving->plan.umask = umask(0);
  if (raise_open_files(serving) != 0) return -1;
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return fail("cannot become undumpable");
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) {
    // No Linux since 3.4, but some emulators of it.
    serving->plan.has_no_subreaper = true;
    report_line("there are no subreapers here: what leaves a child's process group is not found");
  }
  return 0;
}

static int open_events(struct serving *serving) {
  serving->signals = open_signals();
  serving->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (serving->signals < 0 || serving->epoll < 0 ||
      watch_add(serving->epoll, serving->signals, WATCH_SIGNALS, 0) != 0) {
    return fail("cannot wait for events");
  }
  return 0;
}

static int open_memory(struct serving *serving) {
  const uint32_t size = serving->options->max_processes;
  if (environment_open(&serving->plan.environment) == 0 &&
      control_open(&serving->control, serving->options->run_dir, size) == 0 &&
      nursery_open(&serving->nursery, size) == 0) {
    return 0;
  }
  return fail("cannot take the memory for --max-processes");
}

// Before anybody else of this container can be there.
static int open_proof(const char *run_dir) {
  if (proof_open() != 0) return fail("cannot make what the sidecar knows the shim by");
  proof_find(run_dir);
  return 0;
}

// Whether a child could be confined here: the sidecar decides what that means.
static void try_confinement(struct serving *serving) {
  const struct start_plan plan = {
      .landlock = serving->plan.landlock,
      .has_seccomp = serving->plan.has_seccomp,
      .is_supervised = true,
      .mode = CONFINEMENT_ENFORCE,
  };
  struct spawn_failure failure;
  serving->can_confine = trial_run(&plan, &failure);
}

int serving_open(struct serving *serving, const struct serve_options *options) {
  struct spawn_plan *plan = &serving->plan;
  *serving = (struct serving){.options = options, .give_up_at_ms = CLOCK_NEVER};
  plan->command = options->command;
  plan->keep_home = options->keep_home;
  plan->writable = &options->writable;
  if (open_process(serving) != 0 || open_proof(options->run_dir) != 0 ||
      open_events(serving) != 0 || open_memory(serving) != 0) {
    return -1;
  }
  serving->nursery.is_pid_1 = getpid() == 1;
  serving->nursery.control = &serving->control;
  serving->nursery.plan = plan;
  serving->nursery.epoll = serving->epoll;
  serving->nursery.is_quiet = options->quiet;
  kills_open(&serving->nursery.kills, options->memory_events);
  serving->nursery.rate =
      bucket_full(options->spawn_rate, (uint64_t)options->spawn_rate * 2, clock_now_ms());
  if (landlock_open(&plan->landlock, true) != 0) return fail("cannot prepare Landlock");
  plan->has_seccomp = seccomp_is_there();
  if (plan->landlock.abi == 0) report_line("there is no Landlock here: children are not separated");
  if (!plan->has_seccomp) report_line("there is no seccomp here: children can limit each other");
  writing_report(&plan->landlock, plan->writable);
  plan->homes =
      (struct homes){.first = options->homes, .last = options->run_dir, .writable = plan->writable};
  if (homes_open(&plan->homes) != 0) {
    report_line("no directory for private homes can be made in TMPDIR, /tmp, /var/tmp or %s: %s",
                options->run_dir, strerror(errno));
  }
  start_janitor(serving);
  try_confinement(serving);
  return 0;
}

void serving_close(struct serving *serving) {
  nursery_kill_all(&serving->nursery, clock_now_ms() + END_WITHIN_MS);
  control_close(&serving->control);
  homes_close(&serving->plan.homes);
  environment_close(&serving->plan.environment);
#ifdef __SANITIZE_ADDRESS__
  // The leak detector traces its own process.
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
#endif
}
