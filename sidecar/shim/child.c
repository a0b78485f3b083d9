// See child.h.
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "drain.h"
#include "monitor.h"
#include "nursery.h"
#include "refusal.h"
#include "watch.h"

enum {
  OPENED_WITHIN_MS = 5000,
  // Beyond its own deadlines a monitor has this long before it is taken for stopped or stuck.
  BACKSTOP_MS = 2000,
  LEFTOVER_MS = 500,
};

static void send_of_child(struct nursery *nursery, const struct child *child,
                          enum frame_type type) {
  uint8_t event[FRAME_MAX_EVENT_BYTES];
  if (!child->is_mute) {
    control_send(nursery->control, event, frame_of_child(event, type, child->id));
  }
}

static void send_refused(struct nursery *nursery, uint32_t id, enum frame_reason reason,
                         const char *text) {
  uint8_t event[FRAME_MAX_EVENT_BYTES];
  control_send(nursery->control, event, frame_refused(event, id, reason, text));
}

static void send_system_refusal(struct nursery *nursery, uint32_t id, const char *what) {
  char text[FRAME_MAX_TEXT_BYTES];
  snprintf(text, sizeof text, "%s: %s", what, strerror(errno));
  send_refused(nursery, id, REASON_SYSTEM, text);
}

// Whether a request may be granted; says no to the sidecar itself.
static bool may_start(struct nursery *nursery, const struct frame_request *request,
                      uint64_t now_ms) {
  const char *fault = request->fault;
  if (fault == NULL && nursery_find(nursery, request->child) != NULL) {
    fault = "the child's number is in use";
  }
  if (fault != NULL) {
    send_refused(nursery, request->child, REASON_BAD_REQUEST, fault);
  } else if (nursery->is_ending) {
    send_refused(nursery, request->child, REASON_ENDING, "the shim is ending");
  } else if (nursery_free_place(nursery) == NULL) {
    send_refused(nursery, request->child, REASON_TOO_MANY,
                 "as many children as --max-processes allows are alive");
  } else if (!bucket_take(&nursery->rate, 1, now_ms)) {
    send_refused(nursery, request->child, REASON_TOO_FAST,
                 "children are started faster than --spawn-rate allows");
  } else {
    return true;
  }
  return false;
}

void child_offer(struct nursery *nursery, const struct frame_request *request, uint64_t now_ms) {
  if (!may_start(nursery, request, now_ms)) return;
  if (nursery->control->pipes < 0) {
    errno = nursery->control->pipes_error;
    send_system_refusal(nursery, request->child, "cannot use the pipes folder of the sidecar");
    return;
  }
  struct child *child = nursery_free_place(nursery);
  if (fifo_make(&child->fifo, nursery->control->pipes, request->name) != 0) {
    send_system_refusal(nursery, request->child, "cannot make the pipes");
    return;
  }
  child->state = CHILD_OFFERED;
  child->id = request->child;
  child->number = nursery->next_number++;
  child->opened_by_ms = now_ms + OPENED_WITHIN_MS;
  child->environment_bytes = request->environment_bytes;
  memcpy(child->environment, request->environment, request->environment_bytes);
  send_of_child(nursery, child, FRAME_PIPES);
}

// Refuses a child of which no process runs.
static void refuse(struct nursery *nursery, struct child *child, enum frame_reason reason,
                   const char *text) {
  send_refused(nursery, child->id, reason, text);
  child_release(nursery, child);
}

static void refuse_for_system(struct nursery *nursery, struct child *child, const char *what) {
  send_system_refusal(nursery, child->id, what);
  child_release(nursery, child);
}

// Makes the stderr pipe and the monitor's socket: ours in the child, theirs in `ends`.
static int open_ends(struct child *child, int ends[2]) {
  int output[2];
  int talk[2];
  if (pipe2(output, O_CLOEXEC) != 0) return -1;
  child->stderr_fd = output[0];
  ends[0] = output[1];
  if (fcntl(output[0], F_SETFL, O_NONBLOCK) != 0 ||
      socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, talk) != 0) {
    return -1;
  }
  child->monitor_fd = talk[0];
  ends[1] = talk[1];
  return 0;
}

// Forks the monitor; in it, this does not return.
static int fork_monitor(struct nursery *nursery, struct child *child, const int ends[2]) {
  const struct spawn_order order = {
      .stdin_fd = child->fifo.stdin_fd,
      .stdout_fd = child->fifo.stdout_fd,
      .stderr_fd = ends[0],
      .environment = child->environment,
      .environment_bytes = child->environment_bytes,
      .number = child->number,
  };
  child->monitor = fork();
  if (child->monitor == 0) monitor_run(nursery->plan, &order, ends[1]);
  return child->monitor < 0 ? -1 : 0;
}

void child_start(struct nursery *nursery, struct child *child, uint64_t now_ms) {
  if (child->state != CHILD_OFFERED) return;
  if (fifo_join(&child->fifo, nursery->control->pipes) != 0) {
    refuse_for_system(nursery, child, "the pipes are not what they were");
    return;
  }
  int ends[2] = {-1, -1};
  const bool is_started =
      open_ends(child, ends) == 0 &&
      watch_add(nursery->epoll, child->stderr_fd, WATCH_STDERR, child - nursery->children) == 0 &&
      watch_add(nursery->epoll, child->monitor_fd, WATCH_MONITOR, child - nursery->children) == 0 &&
      fork_monitor(nursery, child, ends) == 0;
  const int why = errno;
  if (ends[0] >= 0) close(ends[0]);
  if (ends[1] >= 0) close(ends[1]);
  if (!is_started) {
    errno = why;
    child->monitor = 0;
    refuse_for_system(nursery, child, "cannot start a monitor");
    return;
  }
  fifo_drop(&child->fifo, nursery->control->pipes);
  relay_reset(&child->relay, child->held, now_ms);
  madvise(child->environment, CHILD_ENVIRONMENT_BYTES, MADV_DONTNEED);
  child->opened_by_ms = CLOCK_NEVER;
  child->state = CHILD_STARTING;
}

static void command_monitor(const struct child *child, enum monitor_command command) {
  const char byte = (char)command;
  if (child->monitor_fd >= 0) send(child->monitor_fd, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void child_end(struct nursery *nursery, struct child *child, const struct frame_request *request,
               uint64_t now_ms) {
  if (child->state == CHILD_OFFERED) {
    refuse(nursery, child, REASON_ENDING, "the child was ended before it was started");
    return;
  }
  const uint64_t term_at_ms = now_ms + request->term_after_ms;
  const uint64_t kill_at_ms = term_at_ms + request->kill_after_ms;
  if (term_at_ms < child->term_at_ms) child->term_at_ms = term_at_ms;
  if (kill_at_ms < child->kill_at_ms) child->kill_at_ms = kill_at_ms;
}

void child_exited(struct nursery *nursery, struct child *child, enum frame_end kind,
                  uint8_t value) {
  if (child->has_exited || child->failed_stage != 0) return;
  drain_last(nursery, child);
  child->has_exited = true;
  if (child->state != CHILD_ORPHANED) child->state = CHILD_ENDED;
  uint8_t event[FRAME_MAX_EVENT_BYTES];
  if (child->is_mute) return;
  control_send(nursery->control, event, frame_exited(event, child->id, kind, value));
}

static void hear(struct nursery *nursery, struct child *child, const struct monitor_news *news,
                 uint64_t now_ms) {
  uint8_t event[FRAME_MAX_EVENT_BYTES];
  switch (news->kind) {
    case NEWS_SPAWNED:
      child->pid = news->what;
      child->state = CHILD_RUNNING;
      control_send(nursery->control, event, frame_spawned(event, child->id, (uint32_t)news->what));
      break;
    case NEWS_FAILED:
      child->failed_stage = news->what;
      child->failed_error = news->value;
      break;
    case NEWS_EXITED:
      child_exited(nursery, child, (enum frame_end)news->what, (uint8_t)news->value);
      if (child->backstop_at_ms == CLOCK_NEVER) {
        child->backstop_at_ms = now_ms + LEFTOVER_MS + BACKSTOP_MS;
      }
      break;
    case NEWS_ALONE:
      // What is left to do is the private directory, which bounds its own time.
      child->term_at_ms = child->kill_at_ms = child->backstop_at_ms = CLOCK_NEVER;
      break;
  }
}

void child_hear_monitor(struct nursery *nursery, struct child *child, uint64_t now_ms) {
  while (child->monitor_fd >= 0) {
    struct monitor_news news;
    const ssize_t length = recv(child->monitor_fd, &news, sizeof news, MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (length == sizeof news) {
      hear(nursery, child, &news, now_ms);
    } else {
      // It has ended; its SIGCHLD says how.
      close(child->monitor_fd);
      child->monitor_fd = -1;
    }
  }
}

void child_monitor_ended(struct nursery *nursery, struct child *child, bool in_order,
                         uint64_t now_ms) {
  child_hear_monitor(nursery, child, now_ms);
  child->monitor = 0;
  if (in_order) {
    child_finish(nursery, child);
    return;
  }
  child->state = CHILD_ORPHANED;
  child->term_at_ms = child->kill_at_ms = child->backstop_at_ms = CLOCK_NEVER;
  nursery->has_strays = true;
  nursery->sweep_at_ms = now_ms;
}

void child_clean(struct nursery *nursery, struct child *child) {
  // We killed what was left, whatever it was about to do.
  child_exited(nursery, child, FRAME_BY_SIGNAL, SIGKILL);
  child->state = CHILD_REMOVING;
  child->cleaner = fork();
  if (child->cleaner == 0) {
    home_remove(&nursery->plan->homes, child->number);
    _exit(0);
  }
  // Without a process for it the directory stays until the shim ends.
  if (child->cleaner < 0) child_finish(nursery, child);
}

void child_finish(struct nursery *nursery, struct child *child) {
  if (child->is_mute) {
    child_release(nursery, child);
    return;
  }
  if (child->failed_stage != 0) {
    char text[FRAME_MAX_TEXT_BYTES];
    const enum frame_reason reason =
        refusal_write(text, sizeof text, (enum spawn_stage)child->failed_stage,
                      child->failed_error, nursery->plan->command[0]);
    send_refused(nursery, child->id, reason, text);
  } else {
    child_exited(nursery, child, FRAME_BY_SIGNAL, SIGKILL);
    send_of_child(nursery, child, FRAME_GONE);
  }
  child_release(nursery, child);
}

void child_reset(struct child *child) {
  *child = (struct child){
      .state = CHILD_FREE,
      .fifo = FIFO_NONE,
      .monitor_fd = -1,
      .stderr_fd = -1,
      .opened_by_ms = CLOCK_NEVER,
      .term_at_ms = CLOCK_NEVER,
      .kill_at_ms = CLOCK_NEVER,
      .backstop_at_ms = CLOCK_NEVER,
      .stderr_at_ms = CLOCK_NEVER,
      .environment = child->environment,
      .held = child->held,
  };
}

void child_release(struct nursery *nursery, struct child *child) {
  fifo_drop(&child->fifo, nursery->control->pipes);
  if (child->monitor_fd >= 0) close(child->monitor_fd);
  if (child->stderr_fd >= 0) close(child->stderr_fd);
  // The pages of a place that is empty are not kept.
  madvise(child->environment, CHILD_ENVIRONMENT_BYTES, MADV_DONTNEED);
  madvise(child->held, RELAY_HELD_BYTES, MADV_DONTNEED);
  child_reset(child);
}

static bool is_due(uint64_t *at_ms, uint64_t now_ms) {
  if (*at_ms > now_ms) return false;
  *at_ms = CLOCK_NEVER;
  return true;
}

static uint64_t earlier(uint64_t left, uint64_t right) {
  return left < right ? left : right;
}

uint64_t child_tick(struct nursery *nursery, struct child *child, uint64_t now_ms) {
  if (child->state == CHILD_FREE) return CLOCK_NEVER;
  if (is_due(&child->opened_by_ms, now_ms)) {
    refuse(nursery, child, REASON_SYSTEM, "the sidecar did not open the pipes within 5 s");
    return CLOCK_NEVER;
  }
  if (is_due(&child->term_at_ms, now_ms)) command_monitor(child, COMMAND_TERMINATE);
  if (is_due(&child->kill_at_ms, now_ms)) {
    command_monitor(child, COMMAND_KILL);
    child->backstop_at_ms = earlier(child->backstop_at_ms, now_ms + BACKSTOP_MS);
  }
  if (is_due(&child->backstop_at_ms, now_ms) && child->monitor > 0) {
    kill(child->monitor, SIGKILL);
  }
  if (is_due(&child->stderr_at_ms, now_ms)) drain_stderr(nursery, child, now_ms);
  return earlier(earlier(earlier(child->opened_by_ms, child->term_at_ms),
                         earlier(child->kill_at_ms, child->backstop_at_ms)),
                 child->stderr_at_ms);
}
