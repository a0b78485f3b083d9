// See serve.h.
#include "serve.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"
#include "drain.h"
#include "offer.h"
#include "proof.h"
#include "report.h"
#include "serving.h"
#include "watch.h"

enum {
  EVENTS_A_TURN = 64,
  LONGEST_WAIT_MS = 60000,
  FIRST_CONNECTION_MS = 30000,
  LAST_KILL_MS = 5000,
  QUIET_MS = 10000,
  EXIT_TERMINATED = 128 + SIGTERM,
};

static void say_terminating(struct serving *serving, uint64_t now_ms) {
  uint8_t event[FRAME_MAX_EVENT_BYTES];
  const uint64_t left_ms =
      serving->terminate_at_ms > now_ms ? serving->terminate_at_ms - now_ms : 0;
  control_send(&serving->control, event, frame_terminating(event, (uint32_t)left_ms));
}

static uint8_t hello_flags(const struct serving *serving) {
  return (uint8_t)((serving->nursery.is_pid_1 ? FRAME_IS_PID_1 : 0) |
                   (serving->plan.has_no_subreaper ? FRAME_HAS_NO_SUBREAPER : 0) |
                   (serving->can_confine ? FRAME_CAN_CONFINE : 0) |
                   (serving->plan.landlock.confining >= 0 ? FRAME_HAS_NETWORK_RULES : 0));
}

// At once: whoever else connects cannot have the sidecar wait for us.
static void say_hello(struct serving *serving) {
  uint8_t event[FRAME_MAX_EVENT_BYTES];
  proof_find(serving->control.dir);
  control_send(&serving->control, event,
               frame_hello(event, geteuid(), (uint8_t)serving->plan.landlock.abi,
                           hello_flags(serving), proof_shown()));
}

static void greet(struct serving *serving, uint64_t now_ms) {
  serving->control.has_greeted = true;
  serving->control.is_peer_known = true;
  if (serving->is_terminating) say_terminating(serving, now_ms);
}

static void finish(struct serving *serving, int code) {
  serving->is_done = true;
  serving->exit_code = code;
}

// A sidecar that breaks the protocol at every attempt would fill the log.
static void report_fault(struct serving *serving, const char *fault) {
  const uint64_t now_ms = clock_now_ms();
  if (fault == serving->last_fault && now_ms < serving->quiet_until_ms) return;
  report_line("the connection to the sidecar is closed: %s", fault);
  serving->last_fault = fault;
  serving->quiet_until_ms = now_ms + QUIET_MS;
}

// Ends the connection and with it every child. With `--once`, or while terminating, also the shim.
static void disconnect(struct serving *serving, const char *why) {
  if (serving->control.socket < 0) return;
  if (why != NULL) report_fault(serving, why);
  const bool is_last = serving->options->once || serving->is_terminating || serving->is_done;
  nursery_kill_all(&serving->nursery, is_last ? clock_now_ms() + LAST_KILL_MS : CLOCK_NEVER);
  control_close(&serving->control);
  if (serving->is_done) return;
  if (is_last) {
    finish(serving, serving->is_terminating ? EXIT_TERMINATED : why != NULL);
    return;
  }
  control_remove_imitations(&serving->control);
  nursery_clean(&serving->nursery);
  serving->connect_at_ms = clock_now_ms() + CONTROL_RETRY_MS;
}

// NULL, or why the connection must end.
static const char *handle(struct serving *serving, const struct frame_request *request,
                          uint64_t now_ms) {
  struct nursery *nursery = &serving->nursery;
  if (serving->control.has_greeted == (request->type == FRAME_HELLO)) {
    return "the sidecar must say HELLO first, and only once";
  }
  struct child *child = nursery_find(nursery, request->child);
  switch (request->type) {
    case FRAME_HELLO:
      if (request->version != FRAME_VERSION) return "the sidecar speaks another protocol version";
      greet(serving, now_ms);
      return NULL;
    case FRAME_SPAWN:
      offer_make(nursery, request, now_ms);
      return NULL;
    // A child may have gone while the request was on its way.
    case FRAME_OPENED:
      if (child != NULL) offer_take(nursery, child, now_ms);
      return NULL;
    case FRAME_TOKEN:
      if (child != NULL) child_token(nursery, child, request);
      return NULL;
    case FRAME_END:
      if (child != NULL) child_end(nursery, child, request, now_ms);
      return NULL;
    case FRAME_EXIT:
      finish(serving, request->exit_code);
      return NULL;
    default:
      return "a frame has an unknown type";
  }
}

static void handle_requests(struct serving *serving, uint64_t now_ms) {
  while (serving->control.socket >= 0 && !serving->is_done) {
    const struct frame_decoded decoded = control_next(&serving->control);
    if (decoded.outcome == FRAME_INCOMPLETE) return;
    const char *fault =
        decoded.outcome == FRAME_BROKEN ? decoded.fault : handle(serving, &decoded.request, now_ms);
    if (fault == NULL) continue;
    disconnect(serving, fault);
  }
}

static void try_connect(struct serving *serving, uint64_t now_ms) {
  struct control *control = &serving->control;
  if (control_connect(control, now_ms)) {
    if (watch_add(serving->epoll, control->socket, WATCH_CONTROL, 0) != 0) {
      disconnect(serving, strerror(errno));
      return;
    }
    serving->watched = EPOLLIN;
    serving->give_up_at_ms = CLOCK_NEVER;
    control->last_error = 0;
    say_hello(serving);
    // What is wrong with it the next turn of the loop finds.
    (void)control_flush(control, now_ms);
    return;
  }
  const int why = errno;
  serving->connect_at_ms = now_ms + CONTROL_RETRY_MS;
  // Not being there yet is how every pod starts; anything else is worth a line, once.
  if (why != control->last_error && why != ENOENT && why != ECONNREFUSED && why != EPERM) {
    report_line("cannot connect to %s/control: %s", control->dir, strerror(why));
  }
  control->last_error = why;
  if (now_ms >= serving->give_up_at_ms) {
    report_line("nobody listened on %s/control for 30 s (%s): is the sidecar running?",
                control->dir, strerror(why));
    finish(serving, 1);
  }
}

static void terminate(struct serving *serving, uint64_t now_ms) {
  if (serving->is_terminating) return;
  serving->is_terminating = true;
  serving->terminate_at_ms = now_ms + (uint64_t)serving->options->grace_seconds * 1000;
  // Without a sidecar there is nothing to go on with.
  if (serving->control.socket < 0) finish(serving, EXIT_TERMINATED);
  if (serving->control.has_greeted) say_terminating(serving, now_ms);
}

static void take_signals(struct serving *serving, uint64_t now_ms) {
  struct signalfd_siginfo signal;
  while (read(serving->signals, &signal, sizeof signal) == sizeof signal) {
    if (signal.ssi_signo == SIGCHLD) continue;
    // The runtime signals PID 1 from outside its PID namespace; inside there are only children.
    if (serving->nursery.is_pid_1 && signal.ssi_pid != 0) continue;
    terminate(serving, now_ms);
  }
  nursery_reap(&serving->nursery, now_ms);
}

static void take_control_event(struct serving *serving, uint32_t events, uint64_t now_ms) {
  struct control *control = &serving->control;
  if (control->socket < 0 || (events & ~(uint32_t)EPOLLOUT) == 0) return;
  // Requests that wait for room must not hide that nobody is there any more.
  const bool is_gone = !control_has_room(control) && (events & (EPOLLHUP | EPOLLERR)) != 0;
  if (!is_gone && control_receive(control)) return;
  handle_requests(serving, now_ms);
  disconnect(serving, NULL);
}

static void take_event(struct serving *serving, const struct epoll_event *event, uint64_t now_ms) {
  const size_t place = watch_place_of(event);
  const bool is_flight = watch_kind_of(event) == WATCH_FLIGHT;
  struct child *child =
      &serving->nursery.children[is_flight ? place >> SUPERVISOR_FLIGHT_BITS : place];
  switch (watch_kind_of(event)) {
    case WATCH_SIGNALS:
      take_signals(serving, now_ms);
      break;
    case WATCH_CONTROL:
      take_control_event(serving, event->events, now_ms);
      break;
    case WATCH_MONITOR:
      child_hear_monitor(&serving->nursery, child, now_ms);
      break;
    case WATCH_STDERR:
      drain_stderr(&serving->nursery, child, now_ms);
      break;
    case WATCH_CALLS:
      child_supervise(&serving->nursery, child, event->events);
      break;
    case WATCH_FLIGHT:
      supervisor_landed(&child->supervisor, place & SUPERVISOR_FLIGHT_MASK);
      break;
    // Of `shim exec`.
    case WATCH_START:
      break;
  }
}

// Requests are read only while their answers have room; hang-ups are always told.
static void watch_control(struct serving *serving) {
  if (serving->control.socket < 0) return;
  const uint32_t wanted = (control_has_room(&serving->control) ? (uint32_t)EPOLLIN : 0) |
                          (queue_length(&serving->control.out) > 0 ? (uint32_t)EPOLLOUT : 0);
  if (wanted == serving->watched) return;
  watch_change(serving->epoll, serving->control.socket, WATCH_CONTROL, wanted);
  serving->watched = wanted;
}

// Does what is due; the milliseconds until something is due again.
static int tick(struct serving *serving, uint64_t now_ms) {
  struct control *control = &serving->control;
  // Requests first: they set deadlines that may be due at once.
  handle_requests(serving, now_ms);
  uint64_t next_ms = nursery_tick(&serving->nursery, now_ms);
  if (control->socket >= 0 && !control_flush(control, now_ms)) {
    disconnect(serving, "it does not read its events");
  }
  if (serving->is_terminating && now_ms >= serving->terminate_at_ms && !serving->is_done) {
    finish(serving, EXIT_TERMINATED);
  }
  if (control->socket < 0 && !serving->is_done && now_ms >= serving->connect_at_ms) {
    try_connect(serving, now_ms);
  }
  watch_control(serving);
  if (control->socket < 0) next_ms = clock_earlier(next_ms, serving->connect_at_ms);
  if (serving->is_terminating) next_ms = clock_earlier(next_ms, serving->terminate_at_ms);
  if (control->socket >= 0 && queue_length(&control->out) > 0) {
    next_ms = clock_earlier(next_ms, control->progress_at_ms + CONTROL_STALL_MS);
  }
  if (control_has_request(control)) return 0;
  if (next_ms == CLOCK_NEVER) return -1;
  return next_ms <= now_ms ? 0 : (int)clock_earlier(next_ms - now_ms, LONGEST_WAIT_MS);
}

int serve_run(const struct serve_options *options) {
  struct serving serving;
  if (serving_open(&serving, options) != 0) return 1;
  if (options->once) serving.give_up_at_ms = clock_now_ms() + FIRST_CONNECTION_MS;
  int timeout = 0;
  while (!serving.is_done) {
    struct epoll_event events[EVENTS_A_TURN];
    const int count = epoll_wait(serving.epoll, events, EVENTS_A_TURN, timeout);
    const uint64_t now_ms = clock_now_ms();
    for (int i = 0; i < count; i++) take_event(&serving, &events[i], now_ms);
    timeout = tick(&serving, now_ms);
  }
  serving_close(&serving);
  return serving.exit_code;
}
