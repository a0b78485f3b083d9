// See exec.h.
#include "exec.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "control.h"
#include "egress.h"
#include "execution.h"
#include "proof.h"
#include "report.h"
#include "secret.h"
#include "watch.h"

// The one command's number in events.
enum { COMMAND = 0, EVENTS_A_TURN = 16, LONGEST_WAIT_MS = 60000 };

// Of the grace so much is the command's own, whatever the sidecar does: a quarter, at most.
enum { COMMANDS_SHARE = 4, COMMANDS_MS = 2000, SECOND_MS = 1000 };

struct exec {
  struct execution execution;
  struct control control;
  uint64_t connect_at_ms;
  // Until then the sidecar may finish its calls before the command gets its SIGTERM.
  uint64_t term_at_ms;
  // What epoll was told to tell of the connection.
  uint32_t watched;
  // By it the sidecar knows the command again, also one that has been restarted.
  char secret[FRAME_SECRET_LENGTH];
  // What the sidecar has been told since HELLO.
  bool has_told_start;
  bool has_told_end;
  bool has_told_terminating;
};

// At once: whoever else connects cannot have the sidecar wait for us.
static void say_hello(struct exec *exec) {
  const struct execution *execution = &exec->execution;
  const bool is_confined = execution->options->egress != CONFINEMENT_OFF;
  const uint8_t calls =
      (uint8_t)(FRAME_SUPERVISES_BIND | (is_confined ? FRAME_SUPERVISES_CONNECT : 0));
  const uint8_t wanted = execution->options->loopback || is_confined ? calls : 0;
  const uint8_t standing = execution->plan.is_supervised ? calls : 0;
  const uint8_t flags =
      (uint8_t)(FRAME_HAS_ONE_COMMAND | (getpid() == 1 ? FRAME_IS_PID_1 : 0) |
                (is_confined && execution->plan.is_supervised ? FRAME_CAN_CONFINE : 0) |
                (execution->plan.landlock.confining >= 0 ? FRAME_HAS_NETWORK_RULES : 0));
  uint8_t event[FRAME_MAX_EVENT_BYTES];
  proof_find(exec->control.dir);
  control_send(
      &exec->control, event,
      frame_hello(event, geteuid(), (uint8_t)execution->plan.landlock.abi, flags, proof_shown()));
  control_send(&exec->control, event,
               frame_supervision(event, wanted, standing, exec->secret, execution->why_not));
}

static void greet(struct exec *exec) {
  exec->control.has_greeted = true;
  exec->control.is_peer_known = true;
  exec->has_told_start = false;
  exec->has_told_terminating = false;
}

// Says what has become of the command since it was last said.
static void tell_news(struct exec *exec) {
  const struct execution *execution = &exec->execution;
  uint8_t event[FRAME_MAX_EVENT_BYTES];
  if (!exec->control.has_greeted) return;
  if (execution->state == EXECUTION_RUNNING && !exec->has_told_start) {
    exec->has_told_start = true;
    control_send(&exec->control, event,
                 frame_spawned(event, COMMAND, (uint32_t)execution->command.pid));
  }
  if (execution->is_terminating && !exec->has_told_terminating) {
    exec->has_told_terminating = true;
    control_send(&exec->control, event,
                 frame_terminating(event, execution->options->grace_seconds * SECOND_MS));
  }
  if (execution->state == EXECUTION_OVER && !exec->has_told_end) {
    exec->has_told_end = true;
    egress_tell_end(&exec->execution.supervisor);
    control_send(&exec->control, event,
                 frame_exited(event, COMMAND, execution->end, execution->value));
  }
}

// The command goes on: a sidecar that comes back finds it as it is.
static void disconnect(struct exec *exec, const char *why) {
  if (exec->control.socket < 0) return;
  if (why != NULL) report_line("the connection to the sidecar is closed: %s", why);
  control_close(&exec->control);
  exec->control.has_greeted = false;
  exec->connect_at_ms = clock_now_ms() + CONTROL_RETRY_MS;
}

// NULL, or why the connection must end.
static const char *handle(struct exec *exec, const struct frame_request *request) {
  if (exec->control.has_greeted == (request->type == FRAME_HELLO)) {
    return "the sidecar must say HELLO first, and only once";
  }
  if (request->type == FRAME_HELLO) {
    if (request->version != FRAME_VERSION) return "the sidecar speaks another protocol version";
    greet(exec);
    return NULL;
  }
  if (request->type == FRAME_EXIT && exec->execution.is_terminating) {
    execution_terminate(&exec->execution);
    return NULL;
  }
  if (request->type == FRAME_CONFINE) return execution_confine(&exec->execution, request);
  if (request->type != FRAME_START) return "a frame is not for a shim with one command";
  // It is not for the sidecar to say that what could be confined need not be.
  if (exec->execution.state == EXECUTION_AWAITING && !exec->execution.plan.is_supervised) {
    report_line("the server is started without a supervisor: it can be reached directly, and "
                "nothing confines it");
    execution_start(&exec->execution);
  }
  return NULL;
}

static void handle_requests(struct exec *exec) {
  while (exec->control.socket >= 0) {
    const struct frame_decoded decoded = control_next(&exec->control);
    if (decoded.outcome == FRAME_INCOMPLETE) return;
    const char *fault =
        decoded.outcome == FRAME_BROKEN ? decoded.fault : handle(exec, &decoded.request);
    if (fault != NULL) disconnect(exec, fault);
  }
}

static void take_control_event(struct exec *exec) {
  if (exec->control.socket < 0) return;
  if (!control_receive(&exec->control)) disconnect(exec, NULL);
  handle_requests(exec);
}

static void try_connect(struct exec *exec, uint64_t now_ms) {
  if (!control_connect(&exec->control, now_ms)) {
    exec->control.last_error = errno;
    exec->connect_at_ms = now_ms + CONTROL_RETRY_MS;
    return;
  }
  if (watch_add(exec->execution.epoll, exec->control.socket, WATCH_CONTROL, 0) != 0) {
    disconnect(exec, strerror(errno));
    return;
  }
  exec->watched = EPOLLIN;
  exec->connect_at_ms = CLOCK_NEVER;
  exec->control.last_error = 0;
  say_hello(exec);
}

static void take_event(struct exec *exec, const struct epoll_event *event) {
  struct execution *execution = &exec->execution;
  switch (watch_kind_of(event)) {
    case WATCH_SIGNALS:
      execution_take_signals(execution);
      break;
    case WATCH_CONTROL:
      take_control_event(exec);
      break;
    case WATCH_START:
      execution_hear_start(execution);
      break;
    case WATCH_CALLS:
      if ((event->events & EPOLLIN) != 0) {
        execution_serve_call(execution);
      } else {
        // Nobody is left under it.
        watch_remove(execution->epoll, execution->supervisor.listener);
      }
      break;
    case WATCH_FLIGHT:
      execution_hear_flight(execution, watch_place_of(event));
      break;
    case WATCH_MONITOR:
    case WATCH_STDERR:
      break;
  }
}

// Sends what can be sent, and has epoll tell when the rest can.
static void flush(struct exec *exec, uint64_t now_ms) {
  if (exec->control.socket < 0) return;
  if (!control_flush(&exec->control, now_ms)) {
    disconnect(exec, "it does not read its events");
    return;
  }
  const uint32_t wanted =
      (uint32_t)EPOLLIN | (queue_length(&exec->control.out) > 0 ? (uint32_t)EPOLLOUT : 0);
  if (wanted == exec->watched) return;
  watch_change(exec->execution.epoll, exec->control.socket, WATCH_CONTROL, wanted);
  exec->watched = wanted;
}

// Calls are in flight, and more come until everybody knows that this pod ends: the command hears of its end when the
// sidecar has said EXIT, has gone, or takes too long.
static void pass_term(struct exec *exec, uint64_t now_ms) {
  struct execution *execution = &exec->execution;
  if (!execution->owes_term) return;
  if (exec->term_at_ms == CLOCK_NEVER) {
    const uint64_t grace_ms = (uint64_t)execution->options->grace_seconds * SECOND_MS;
    const uint64_t share_ms = grace_ms / COMMANDS_SHARE;
    exec->term_at_ms = now_ms + grace_ms - (share_ms < COMMANDS_MS ? share_ms : COMMANDS_MS);
  }
  if (!exec->control.has_greeted || now_ms >= exec->term_at_ms) execution_terminate(execution);
}

// Does what is due; the milliseconds until something is due again.
static int tick(struct exec *exec) {
  const uint64_t now_ms = clock_now_ms();
  tell_news(exec);
  if (exec->control.socket < 0 && now_ms >= exec->connect_at_ms) try_connect(exec, now_ms);
  flush(exec, now_ms);
  pass_term(exec, now_ms);
  uint64_t next_ms = exec->connect_at_ms;
  if (exec->execution.owes_term && exec->term_at_ms < next_ms) next_ms = exec->term_at_ms;
  if (exec->execution.supervisor.listener >= 0) {
    const uint64_t sweep_ms = supervisor_tick(&exec->execution.supervisor, now_ms);
    if (sweep_ms < next_ms) next_ms = sweep_ms;
  }
  if (next_ms <= now_ms) return 0;
  return next_ms - now_ms < LONGEST_WAIT_MS ? (int)(next_ms - now_ms) : LONGEST_WAIT_MS;
}

static int open_control(struct exec *exec, const struct exec_options *options) {
  exec->control.socket = -1;
  exec->connect_at_ms = CLOCK_NEVER;
  if (options->run_dir == NULL) return 0;
  if (proof_open() != 0) {
    report_line("cannot make what the sidecar knows the shim by: %s", strerror(errno));
    return -1;
  }
  proof_find(options->run_dir);
  if (control_open(&exec->control, options->run_dir, 1) != 0) {
    report_line("cannot take the memory for the connection to the sidecar: %s", strerror(errno));
    return -1;
  }
  exec->connect_at_ms = 0;
  return 0;
}

int exec_run(const struct exec_options *options) {
  struct exec exec = {.connect_at_ms = CLOCK_NEVER, .term_at_ms = CLOCK_NEVER};
  if (open_control(&exec, options) != 0) return 1;
  if (secret_make(exec.secret, sizeof exec.secret) != 0) {
    report_line("cannot make a secret: %s", strerror(errno));
    return 1;
  }
  if (execution_open(&exec.execution, options, &exec.control) != 0) {
    execution_close(&exec.execution);
    return 1;
  }
  int timeout = 0;
  while (exec.execution.state != EXECUTION_OVER) {
    struct epoll_event events[EVENTS_A_TURN];
    const int count = epoll_wait(exec.execution.epoll, events, EVENTS_A_TURN, timeout);
    for (int i = 0; i < count; i++) take_event(&exec, &events[i]);
    timeout = tick(&exec);
  }
  execution_close(&exec.execution);
  control_close(&exec.control);
  return execution_code(&exec.execution);
}
