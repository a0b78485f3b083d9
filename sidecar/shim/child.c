// See child.h.
#include "child.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "descriptors.h"
#include "drain.h"
#include "egress.h"
#include "monitor.h"
#include "nursery.h"
#include "offer.h"
#include "pass.h"
#include "refusal.h"
#include "token.h"
#include "watch.h"

enum {
  // Beyond its own deadlines a monitor has this long before it is taken for stopped or stuck.
  BACKSTOP_MS = 2000,
};

static void command_monitor(const struct child *child, enum monitor_command command) {
  const char byte = (char)command;
  if (child->monitor_fd >= 0) send(child->monitor_fd, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void child_kill(const struct child *child) {
  command_monitor(child, COMMAND_KILL);
}

void child_end(struct nursery *nursery, struct child *child, const struct frame_request *request,
               uint64_t now_ms) {
  if (child->state == CHILD_OFFERED) {
    offer_refuse(nursery, child, REASON_ENDING, "the child was ended before it was started");
    return;
  }
  const uint64_t term_at_ms = now_ms + request->term_after_ms;
  const uint64_t kill_at_ms = term_at_ms + request->kill_after_ms;
  if (term_at_ms < child->term_at_ms) child->term_at_ms = term_at_ms;
  if (kill_at_ms < child->kill_at_ms) child->kill_at_ms = kill_at_ms;
}

void child_token(struct nursery *nursery, struct child *child,
                 const struct frame_request *request) {
  if (child->state == CHILD_OFFERED) {
    memcpy(child->environment + FRAME_MAX_ENVIRONMENT_BYTES, request->token, request->token_bytes);
    child->token_bytes = request->token_bytes;
    return;
  }
  // Of one that starts, its monitor is about to make the directory; of one that has ended, to remove it.
  if (child->state != CHILD_RUNNING) return;
  if (token_write(&nursery->plan->homes, child->number, request->token, request->token_bytes) == 0)
    return;
  uint8_t event[FRAME_MAX_EVENT_BYTES];
  control_send(nursery->control, event, frame_token_failed(event, child->id, strerror(errno)));
}

void child_exited(struct nursery *nursery, struct child *child, enum frame_end kind,
                  uint8_t value) {
  if (child->has_exited || child->failure.stage != 0) return;
  drain_last(nursery, child);
  child->has_exited = true;
  if (child->state != CHILD_ORPHANED) child->state = CHILD_ENDED;
  uint8_t event[FRAME_MAX_EVENT_BYTES];
  if (child->is_mute) return;
  const bool is_kernels =
      kind == FRAME_BY_SIGNAL && value == SIGKILL && kills_take(&nursery->kills);
  control_send(nursery->control, event,
               frame_exited(event, child->id, is_kernels ? FRAME_BY_MEMORY : kind, value));
}

// The child is confined: from now on its calls are ours to answer.
static void take_listener(struct nursery *nursery, struct child *child, int listener,
                          uint64_t now_ms) {
  const struct supervisor_setting setting = {
      .epoll = nursery->epoll,
      .place = (size_t)(child - nursery->children),
      .control = nursery->control,
      .child = child->id,
      .run_dir = nursery->control->dir,
      .writing = spawn_writing(nursery->plan, child->number),
      .records = {.records = nursery->records + (child - nursery->children),
                  .size = SOCKETS_OF_CHILD,
                  .stride = nursery->size},
      .most_held = SOCKETS_HELD_OF_CHILD,
      .flights = child->flights,
      .most_flights = FLIGHTS_OF_CHILD,
  };
  supervisor_open(&child->supervisor, &setting, listener, now_ms);
  // Unwatched, its calls would wait for ever: then they fail, as without a shim.
  if (watch_add(nursery->epoll, listener, WATCH_CALLS, (ptrdiff_t)setting.place) != 0) {
    supervisor_close(&child->supervisor);
  }
}

void child_supervise(struct nursery *nursery, struct child *child, uint32_t events) {
  (void)nursery;
  if (child->supervisor.listener < 0) return;
  if ((events & EPOLLIN) != 0) {
    supervisor_serve(&child->supervisor);
  } else {
    supervisor_close(&child->supervisor);
  }
}

static void hear(struct nursery *nursery, struct child *child, const struct monitor_news *news,
                 uint64_t now_ms) {
  uint8_t event[FRAME_MAX_EVENT_BYTES];
  switch (news->kind) {
    case NEWS_LISTENER:
      break;
    case NEWS_SPAWNED:
      child->pid = news->what;
      child->state = CHILD_RUNNING;
      control_send(nursery->control, event, frame_spawned(event, child->id, (uint32_t)news->what));
      break;
    case NEWS_FAILED:
      child->failure.stage = (enum spawn_stage)news->what;
      child->failure.error = news->value;
      break;
    case NEWS_EXITED:
      child_exited(nursery, child, (enum frame_end)news->what, (uint8_t)news->value);
      if (child->backstop_at_ms == CLOCK_NEVER) {
        child->backstop_at_ms = now_ms + MONITOR_LEFTOVER_MS + BACKSTOP_MS;
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
    int listener;
    const ssize_t length = pass_receive(child->monitor_fd, &news, sizeof news, &listener);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (listener >= 0) {
      take_listener(nursery, child, listener, now_ms);
    } else if (length == sizeof news) {
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
    // Its copies of the others' pipes would hide for as long that they are gone.
    descriptors_close_all_but(&nursery->plan->homes.place, 1);
    home_remove(&nursery->plan->homes, child->number);
    _exit(0);
  }
  // Without a process for it the directory stays until the shim ends.
  if (child->cleaner < 0) child_finish(nursery, child);
}

void child_finish(struct nursery *nursery, struct child *child) {
  drain_last(nursery, child);
  if (child->is_mute) {
    child_release(nursery, child);
    return;
  }
  if (child->failure.stage != 0) {
    refusal_send_failure(nursery->control, child->id, child->failure, nursery->plan->command[0]);
  } else {
    child_exited(nursery, child, FRAME_BY_SIGNAL, SIGKILL);
    egress_tell_end(&child->supervisor);
    uint8_t event[FRAME_MAX_EVENT_BYTES];
    control_send(nursery->control, event, frame_of_child(event, FRAME_GONE, child->id));
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
      .flights = child->flights,
      .supervisor = {.listener = -1},
  };
}

void child_release(struct nursery *nursery, struct child *child) {
  fifo_drop(&child->fifo, nursery->control->pipes);
  if (child->monitor_fd >= 0) close(child->monitor_fd);
  if (child->stderr_fd >= 0) close(child->stderr_fd);
  if (child->supervisor.listener >= 0) supervisor_close(&child->supervisor);
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

uint64_t child_tick(struct nursery *nursery, struct child *child, uint64_t now_ms) {
  if (child->state == CHILD_FREE) return CLOCK_NEVER;
  if (is_due(&child->opened_by_ms, now_ms)) {
    offer_refuse(nursery, child, REASON_SYSTEM, "the sidecar did not open the pipes within 5 s");
    return CLOCK_NEVER;
  }
  if (is_due(&child->term_at_ms, now_ms)) command_monitor(child, COMMAND_TERMINATE);
  if (is_due(&child->kill_at_ms, now_ms)) {
    command_monitor(child, COMMAND_KILL);
    child->backstop_at_ms = clock_earlier(child->backstop_at_ms, now_ms + BACKSTOP_MS);
  }
  if (is_due(&child->backstop_at_ms, now_ms) && child->monitor > 0) {
    kill(child->monitor, SIGKILL);
  }
  if (is_due(&child->stderr_at_ms, now_ms)) drain_stderr(nursery, child, now_ms);
  const uint64_t calls_at_ms = supervisor_tick(&child->supervisor, now_ms);
  return clock_earlier(clock_earlier(clock_earlier(child->opened_by_ms, child->term_at_ms),
                                     clock_earlier(child->kill_at_ms, child->backstop_at_ms)),
                       clock_earlier(child->stderr_at_ms, calls_at_ms));
}
