// See monitor.h.
#include "monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "descriptors.h"
#include "family.h"
#include "frame.h"
#include "token.h"

// Between two rounds of SIGKILL in which nothing ended: a process may be stuck in the kernel.
enum { LONGEST_NAP_MS = 100 };

struct monitor {
  int shim;
  int signals;
  // Ends at the child's exec, or says why there is none.
  int failure;
  struct family family;
  bool is_killing;
  uint64_t kill_at_ms;
  int nap_ms;
};

enum remains { REMAINS_NOTHING, REMAINS_AS_BEFORE, REMAINS_FEWER };

static void tell(const struct monitor *monitor, enum monitor_news_kind kind, int what, int value) {
  const struct monitor_news news = {.kind = kind, .what = what, .value = value};
  // Few and small: the socket always has room. Where the shim is gone, nobody needs to know.
  send(monitor->shim, &news, sizeof news, MSG_NOSIGNAL | MSG_DONTWAIT);
}

// Reads the exec pipe if it has something to say: the child runs, or never will.
static void learn_start(struct monitor *monitor) {
  if (monitor->failure < 0) return;
  struct spawn_failure failure;
  const ssize_t length = read(monitor->failure, &failure, sizeof failure);
  if (length < 0) return;
  close(monitor->failure);
  monitor->failure = -1;
  if (length == sizeof failure) {
    tell(monitor, NEWS_FAILED, (int)failure.stage, failure.error);
  } else {
    tell(monitor, NEWS_SPAWNED, monitor->family.child, 0);
  }
}

// The child has ended and is not reaped yet, so its number still names its group.
static void end_child(struct monitor *monitor, const siginfo_t *info) {
  learn_start(monitor);
  family_terminate(&monitor->family);
  monitor->family.is_child_reaped = true;
  const bool by_code = info->si_code == CLD_EXITED;
  tell(monitor, NEWS_EXITED, by_code ? FRAME_BY_CODE : FRAME_BY_SIGNAL, info->si_status);
  const uint64_t kill_at_ms = clock_now_ms() + MONITOR_LEFTOVER_MS;
  if (kill_at_ms < monitor->kill_at_ms) monitor->kill_at_ms = kill_at_ms;
}

// Reaps what has ended, and says what that leaves.
static enum remains reap(struct monitor *monitor) {
  enum remains remains = REMAINS_AS_BEFORE;
  for (;;) {
    siginfo_t info = {0};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0) return REMAINS_NOTHING;
    if (info.si_pid == 0) return remains;
    const struct family *family = &monitor->family;
    if (info.si_pid == family->child && !family->is_child_reaped) end_child(monitor, &info);
    waitpid(info.si_pid, NULL, 0);
    remains = REMAINS_FEWER;
  }
}

static void obey(struct monitor *monitor) {
  char command;
  const ssize_t length = recv(monitor->shim, &command, 1, MSG_DONTWAIT);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (length == 1 && command == COMMAND_TERMINATE) {
    family_terminate_group(&monitor->family);
    return;
  }
  // To kill is the command, or the shim is gone.
  monitor->is_killing = true;
}

static void wait_for_news(struct monitor *monitor) {
  struct pollfd polled[] = {
      {.fd = monitor->signals, .events = POLLIN},
      {.fd = monitor->is_killing ? -1 : monitor->shim, .events = POLLIN},
      {.fd = monitor->failure, .events = POLLIN},
  };
  int timeout = -1;
  if (monitor->is_killing) {
    timeout = monitor->nap_ms;
  } else if (monitor->kill_at_ms != CLOCK_NEVER) {
    const uint64_t now_ms = clock_now_ms();
    timeout = monitor->kill_at_ms > now_ms ? (int)(monitor->kill_at_ms - now_ms) : 0;
  }
  if (poll(polled, 3, timeout) > 0) {
    struct signalfd_siginfo ignored;
    if (polled[0].revents != 0) (void)!read(monitor->signals, &ignored, sizeof ignored);
    if (polled[1].revents != 0) obey(monitor);
    if (polled[2].revents != 0) learn_start(monitor);
  }
  if (clock_now_ms() >= monitor->kill_at_ms) monitor->is_killing = true;
}

// Until nothing is left. While it kills, it rests only when a round has ended nothing: whatever
// forks must lose the race.
static void supervise(struct monitor *monitor) {
  enum remains remains;
  while ((remains = reap(monitor)) != REMAINS_NOTHING) {
    if (monitor->is_killing) family_kill(&monitor->family);
    if (remains == REMAINS_FEWER) {
      monitor->nap_ms = 0;
    } else if (monitor->nap_ms < LONGEST_NAP_MS) {
      monitor->nap_ms = monitor->nap_ms * 2 + 1;
    }
    wait_for_news(monitor);
  }
}

// In the child's process.
static _Noreturn void become_child(struct spawn_plan *plan, const struct spawn_order *order,
                                   int failure_fd) {
  const struct spawn_failure failure = spawn_become(plan, order);
  (void)!write(failure_fd, &failure, sizeof failure);
  _exit(127);
}

static int start_child(struct monitor *monitor, struct spawn_plan *plan,
                       const struct spawn_order *order) {
  int failure[2];
  if (pipe2(failure, O_CLOEXEC | O_NONBLOCK) != 0) return -1;
  monitor->family.child = fork();
  if (monitor->family.child == 0) become_child(plan, order, failure[1]);
  close(failure[1]);
  monitor->failure = failure[0];
  return monitor->family.child < 0 ? -1 : 0;
}

static _Noreturn void give_up(const struct monitor *monitor, enum spawn_stage stage) {
  tell(monitor, NEWS_FAILED, (int)stage, errno);
  _exit(0);
}

static _Noreturn void remove_and_give_up(const struct monitor *monitor,
                                         const struct spawn_plan *plan,
                                         const struct spawn_order *order, enum spawn_stage stage) {
  const int why = errno;
  home_remove(&plan->homes, order->number);
  errno = why;
  give_up(monitor, stage);
}

// Then the file alone holds it: neither this process nor the child's does.
static int put_token(const struct spawn_plan *plan, const struct spawn_order *order) {
  if (order->token_bytes == 0) return 0;
  const int result = token_write(&plan->homes, order->number, order->token, order->token_bytes);
  explicit_bzero(order->token, order->token_bytes);
  return result;
}

static void prepare(struct monitor *monitor, const struct spawn_plan *plan) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  sigset_t children;
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  monitor->signals = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
  prctl(PR_SET_NAME, "shim-monitor", 0, 0, 0);
  if (monitor->signals < 0 || setsid() < 0) give_up(monitor, STAGE_SESSION);
  if (!plan->has_no_subreaper && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) {
    give_up(monitor, STAGE_SESSION);
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      family_open(&monitor->family, &plan->landlock) != 0) {
    give_up(monitor, STAGE_LANDLOCK);
  }
}

_Noreturn void monitor_run(struct spawn_plan *plan, const struct spawn_order *order, int shim) {
  struct monitor monitor = {.shim = shim, .failure = -1, .kill_at_ms = CLOCK_NEVER};
  enum { BESIDE = 7 };
  int kept[BESIDE + WRITABLE_MAX] = {shim,
                                     order->stdin_fd,
                                     order->stdout_fd,
                                     order->stderr_fd,
                                     plan->landlock.ruleset,
                                     plan->landlock.confining,
                                     plan->homes.place};
  const size_t declared = plan->writable->count;
  memcpy(kept + BESIDE, plan->writable->places, declared * sizeof *kept);
  descriptors_close_all_but(kept, BESIDE + declared);
  prepare(&monitor, plan);
  if (home_make(&plan->homes, order->number) != 0) {
    remove_and_give_up(&monitor, plan, order, STAGE_HOME);
  }
  if (put_token(plan, order) != 0) remove_and_give_up(&monitor, plan, order, STAGE_TOKEN);
  if (start_child(&monitor, plan, order) != 0) {
    remove_and_give_up(&monitor, plan, order, STAGE_FORK);
  }
  const int others[] = {shim, monitor.signals, monitor.failure, plan->homes.place};
  descriptors_close_all_but(others, sizeof others / sizeof *others);
  supervise(&monitor);
  tell(&monitor, NEWS_ALONE, 0, 0);
  home_remove(&plan->homes, order->number);
  _exit(0);
}
