// See execution.h.
#include "execution.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "descendants.h"
#include "refusal.h"
#include "report.h"
#include "seccomp.h"
#include "trial.h"
#include "watch.h"

enum {
  LAST_KILL_MS = 5000,
  CODE_OF_SIGNAL = 128,
  // As shells have them.
  CODE_NOT_EXECUTABLE = 126,
  CODE_NOT_FOUND = 127,
};

// One command, so taken with the program itself; pages that are never used cost nothing.
static struct socket_record records[SOCKETS_OF_COMMAND];
static struct flight flights[FLIGHTS_OF_COMMAND];
static char environment_lines[FRAME_MAX_ENVIRONMENT_BYTES];

static int fail(const char *what) {
  report_line("%s: %s", what, strerror(errno));
  return -1;
}

// Every signal but those of faults comes by the descriptor.
static int open_signals(void) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  signal(SIGCHLD, SIG_DFL);
  return signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int open_process(struct execution *execution) {
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return fail("cannot become undumpable");
  // Where there are none (some emulators), what the command leaves behind is its own parent's.
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  execution->signals = open_signals();
  execution->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (execution->signals < 0 || execution->epoll < 0 ||
      watch_add(execution->epoll, execution->signals, WATCH_SIGNALS, 0) != 0) {
    return fail("cannot wait for events");
  }
  return 0;
}

static int open_plan(struct start_plan *plan, const struct exec_options *options) {
  plan->command = options->command;
  if (environment_open(&plan->environment) != 0) return fail("cannot take memory");
  environment_build_own(&plan->environment);
  // There is one server in this container: where it is not confined its own processes may find each other by such sockets.
  if (landlock_open(&plan->landlock, false) != 0) return fail("cannot prepare Landlock");
  plan->has_seccomp = seccomp_is_there();
  return 0;
}

// Whether what is asked for works here.
static void try_supervision(struct execution *execution) {
  struct spawn_failure failure;
  execution->plan.is_supervised = true;
  execution->plan.mode = execution->options->egress;
  if (trial_run(&execution->plan, &failure)) return;
  execution->plan.is_supervised = false;
  execution->plan.mode = CONFINEMENT_OFF;
  refusal_describe(execution->why_not, failure, execution->plan.command[0]);
  report_line(execution->options->egress == CONFINEMENT_OFF
                  ? "the server can't be held on loopback: %s"
                  : "the command can't be confined: %s",
              execution->why_not);
}

static struct supervisor_setting setting_of(const struct execution *execution,
                                            struct control *control) {
  return (struct supervisor_setting){
      .epoll = execution->epoll,
      .control = control,
      .run_dir = execution->options->run_dir,
      .is_beside = execution->options->run_dir == NULL,
      .writing = {.landlock = &execution->plan.landlock, .writable = &execution->options->writable},
      .records = {.records = records, .size = SOCKETS_OF_COMMAND, .stride = 1},
      .most_held = SOCKETS_MAX_HELD,
      .flights = flights,
      .most_flights = FLIGHTS_OF_COMMAND,
  };
}

// Whether nothing is left to wait for.
static bool may_start(const struct execution *execution) {
  return execution->why_not[0] == '\0' && execution->is_confined;
}

const char *execution_confine(struct execution *execution, const struct frame_request *request) {
  const enum confinement_mode least = execution->options->egress;
  if (least == CONFINEMENT_OFF) return "a frame is not for a shim with one command";
  if (request->fault != NULL) return request->fault;
  if (request->confinement.mode < least) return "the sidecar confines less than --egress says";
  struct confinement *confinement = &execution->supervisor.confinement;
  if (execution->is_confined) {
    // The filter stands, and the environment is the command's own by now.
    const enum confinement_mode mode = confinement->mode;
    *confinement = request->confinement;
    confinement->mode = mode;
    return NULL;
  }
  *confinement = request->confinement;
  execution->is_confined = true;
  if (execution->plan.is_supervised) execution->plan.mode = confinement->mode;
  memcpy(environment_lines, request->environment, request->environment_bytes);
  environment_overlay(&execution->plan.environment, environment_lines, request->environment_bytes);
  if (may_start(execution) && execution->state == EXECUTION_AWAITING) execution_start(execution);
  return NULL;
}

int execution_open(struct execution *execution, const struct exec_options *options,
                   struct control *control) {
  *execution = (struct execution){.options = options, .supervisor.listener = -1};
  execution->command.news = -1;
  if (open_process(execution) != 0 || open_plan(&execution->plan, options) != 0) return -1;
  execution->setting = setting_of(execution, control);
  execution->supervisor.confinement.mode = options->egress;
  if (options->loopback || options->egress != CONFINEMENT_OFF) try_supervision(execution);
  writing_report(&execution->plan.landlock, &options->writable);
  // What was tried says nothing of files.
  execution->plan.writable = &options->writable;
  // Without a sidecar nobody could say more.
  execution->is_confined = options->egress == CONFINEMENT_OFF || options->run_dir == NULL;
  if (may_start(execution)) {
    execution_start(execution);
    return 0;
  }
  if (options->run_dir != NULL) return 0;
  report_line("it is not started: take %s away, or use a newer kernel",
              options->egress == CONFINEMENT_OFF ? "--loopback" : "--egress");
  return -1;
}

static void end(struct execution *execution, enum frame_end kind, int value) {
  execution->state = EXECUTION_OVER;
  execution->end = kind;
  execution->value = (uint8_t)value;
}

static void fail_start(struct execution *execution, struct spawn_failure failure) {
  char text[FRAME_MAX_TEXT_BYTES];
  const bool is_exec = failure.stage == STAGE_EXEC || failure.stage == STAGE_INTERPRETER;
  refusal_describe(text, failure, execution->plan.command[0]);
  report_line("%s", text);
  const int code = failure.error == ENOENT ? CODE_NOT_FOUND : CODE_NOT_EXECUTABLE;
  end(execution, FRAME_BY_CODE, is_exec ? code : 1);
}

void execution_start(struct execution *execution) {
  execution->state = EXECUTION_STARTING;
  if (start_process(&execution->plan, start_command, &execution->command) != 0) {
    fail_start(execution, (struct spawn_failure){.stage = STAGE_FORK, .error = errno});
    return;
  }
  watch_add(execution->epoll, execution->command.news, WATCH_START, 0);
}

static void stop_hearing(struct execution *execution) {
  close(execution->command.news);
  execution->command.news = -1;
}

void execution_hear_start(struct execution *execution) {
  struct spawn_failure failure;
  int listener;
  if (execution->command.news < 0) return;
  switch (start_hear(&execution->command, &listener, &failure)) {
    case START_LISTENER:
      supervisor_open(&execution->supervisor, &execution->setting, listener, clock_now_ms());
      watch_add(execution->epoll, listener, WATCH_CALLS, 0);
      break;
    case START_FAILED:
      stop_hearing(execution);
      fail_start(execution, failure);
      break;
    case START_OVER:
      stop_hearing(execution);
      if (execution->state == EXECUTION_STARTING) execution->state = EXECUTION_RUNNING;
      break;
    case START_NOTHING_YET:
      break;
  }
}

void execution_serve_call(struct execution *execution) {
  if (execution->supervisor.listener >= 0) supervisor_serve(&execution->supervisor);
}

void execution_hear_flight(struct execution *execution, size_t flight) {
  supervisor_landed(&execution->supervisor, flight);
}

static void reap(struct execution *execution) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid != execution->command.pid || execution->state == EXECUTION_OVER) continue;
    // Why it never ran may still be unread.
    execution_hear_start(execution);
    if (execution->state == EXECUTION_OVER) continue;
    if (WIFEXITED(status)) {
      end(execution, FRAME_BY_CODE, WEXITSTATUS(status));
    } else if (WIFSIGNALED(status)) {
      end(execution, FRAME_BY_SIGNAL, WTERMSIG(status));
    }
  }
}

void execution_terminate(struct execution *execution) {
  if (!execution->owes_term) return;
  execution->owes_term = false;
  if (execution->state == EXECUTION_RUNNING) kill(execution->command.pid, SIGTERM);
}

void execution_take_signals(struct execution *execution) {
  struct signalfd_siginfo info;
  while (read(execution->signals, &info, sizeof info) == sizeof info) {
    const int number = (int)info.ssi_signo;
    if (number == SIGCHLD) continue;
    const bool is_first_term = number == SIGTERM && !execution->is_terminating;
    if (is_first_term) execution->is_terminating = true;
    if (is_first_term && execution->state == EXECUTION_RUNNING) {
      execution->owes_term = true;
    } else if (execution->state == EXECUTION_AWAITING) {
      end(execution, FRAME_BY_SIGNAL, number);
    } else if (execution->state != EXECUTION_OVER) {
      // Not reaped yet, so the number is still the command's.
      kill(execution->command.pid, number);
    }
  }
  reap(execution);
}

int execution_code(const struct execution *execution) {
  return execution->end == FRAME_BY_CODE ? execution->value : CODE_OF_SIGNAL + execution->value;
}

void execution_close(struct execution *execution) {
  const uint64_t give_up_at_ms = clock_now_ms() + LAST_KILL_MS;
  // As PID 1 the kernel does it; else what has lost its parent is ours now.
  while (getpid() != 1 && clock_now_ms() < give_up_at_ms) {
    descendants_signal(SIGKILL, NULL, NULL);
    pid_t pid;
    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) continue;
    if (pid < 0) break;
    clock_nap_ms(1);
  }
  if (execution->supervisor.listener >= 0) supervisor_close(&execution->supervisor);
  environment_close(&execution->plan.environment);
#ifdef __SANITIZE_ADDRESS__
  // The leak detector traces its own process.
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
#endif
}
