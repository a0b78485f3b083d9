// See offer.h.
#include "offer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "drain.h"
#include "monitor.h"
#include "nursery.h"
#include "refusal.h"
#include "watch.h"

enum { OPENED_WITHIN_MS = 5000 };

// Whether a request may be granted; if not, says no.
static bool is_allowed(struct nursery *nursery, const struct frame_request *request,
                       uint64_t now_ms) {
  const uint32_t id = request->child;
  const char *fault = request->fault;
  if (fault == NULL && nursery_find(nursery, id) != NULL) fault = "the child's number is in use";
  if (fault != NULL) {
    refusal_send(nursery->control, id, REASON_BAD_REQUEST, fault);
  } else if (nursery_free_place(nursery) == NULL) {
    refusal_send(nursery->control, id, REASON_TOO_MANY,
                 "as many children as --max-processes allows are alive");
  } else if (!bucket_take(&nursery->rate, 1, now_ms)) {
    refusal_send(nursery->control, id, REASON_TOO_FAST,
                 "children are started faster than --spawn-rate allows");
  } else if (homes_keep(&nursery->plan->homes) != 0) {
    refusal_send(nursery->control, id, REASON_SYSTEM,
                 "no private directory can be made: mount a writable /tmp");
  } else {
    return true;
  }
  return false;
}

void offer_make(struct nursery *nursery, const struct frame_request *request, uint64_t now_ms) {
  struct control *control = nursery->control;
  if (!is_allowed(nursery, request, now_ms)) return;
  if (control->pipes < 0) {
    errno = control->pipes_error;
    refusal_send_error(control, request->child, "cannot use the sidecar's pipes folder");
    return;
  }
  struct child *child = nursery_free_place(nursery);
  if (fifo_make(&child->fifo, control->pipes, request->name) != 0) {
    refusal_send_error(control, request->child, "cannot make the pipes");
    return;
  }
  child->state = CHILD_OFFERED;
  child->id = request->child;
  child->number = nursery->next_number++;
  child->opened_by_ms = now_ms + OPENED_WITHIN_MS;
  child->environment_bytes = request->environment_bytes;
  child->supervisor.confinement = request->confinement;
  memcpy(child->environment, request->environment, request->environment_bytes);
  uint8_t event[FRAME_MAX_EVENT_BYTES];
  control_send(control, event, frame_of_child(event, FRAME_PIPES, child->id));
}

void offer_refuse(struct nursery *nursery, struct child *child, enum frame_reason reason,
                  const char *text) {
  refusal_send(nursery->control, child->id, reason, text);
  child_release(nursery, child);
}

static void refuse_for_error(struct nursery *nursery, struct child *child, const char *what) {
  refusal_send_error(nursery->control, child->id, what);
  child_release(nursery, child);
}

// Makes the stderr pipe and the monitor's socket: our ends in the child, the others in `ends`.
static int open_ends(struct child *child, int ends[2]) {
  int output[2];
  int talk[2];
  if (pipe2(output, O_CLOEXEC) != 0) return -1;
  child->stderr_fd = output[0];
  ends[0] = output[1];
  if (fcntl(output[0], F_SETFL, O_NONBLOCK) != 0) return -1;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, talk) != 0) return -1;
  child->monitor_fd = talk[0];
  ends[1] = talk[1];
  return 0;
}

// In the monitor this does not return.
static int fork_monitor(struct nursery *nursery, struct child *child, const int ends[2]) {
  const struct spawn_order order = {
      .stdin_fd = child->fifo.stdin_fd,
      .stdout_fd = child->fifo.stdout_fd,
      .stderr_fd = ends[0],
      .environment = child->environment,
      .environment_bytes = child->environment_bytes,
      .token = child->environment + FRAME_MAX_ENVIRONMENT_BYTES,
      .token_bytes = child->token_bytes,
      .number = child->number,
      .mode = child->supervisor.confinement.mode,
      .news = ends[1],
  };
  child->monitor = fork();
  if (child->monitor == 0) monitor_run(nursery->plan, &order, ends[1]);
  if (child->monitor > 0) return 0;
  child->monitor = 0;
  return -1;
}

static int start_monitor(struct nursery *nursery, struct child *child) {
  int ends[2] = {-1, -1};
  int result = open_ends(child, ends);
  if (result == 0) {
    result = watch_add(nursery->epoll, child->monitor_fd, WATCH_MONITOR, child - nursery->children);
  }
  if (result == 0) result = fork_monitor(nursery, child, ends);
  const int why = errno;
  if (ends[0] >= 0) close(ends[0]);
  if (ends[1] >= 0) close(ends[1]);
  errno = why;
  return result;
}

void offer_take(struct nursery *nursery, struct child *child, uint64_t now_ms) {
  if (child->state != CHILD_OFFERED) return;
  if (fifo_join(&child->fifo, nursery->control->pipes) != 0) {
    refuse_for_error(nursery, child, "the pipes are not what they were");
    return;
  }
  if (homes_keep(&nursery->plan->homes) != 0) {
    refuse_for_error(nursery, child, "cannot make the child's private directory");
    return;
  }
  if (start_monitor(nursery, child) != 0) {
    refuse_for_error(nursery, child, "cannot start a monitor");
    return;
  }
  fifo_drop(&child->fifo, nursery->control->pipes);
  // The monitor has its own copy.
  madvise(child->environment, CHILD_ENVIRONMENT_BYTES, MADV_DONTNEED);
  relay_reset(&child->relay, child->held, now_ms);
  child->opened_by_ms = CLOCK_NEVER;
  child->state = CHILD_STARTING;
  drain_stderr(nursery, child, now_ms);
}
