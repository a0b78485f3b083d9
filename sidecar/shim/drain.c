// See drain.h.
#include "drain.h"

#include <errno.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "nursery.h"
#include "report.h"
#include "watch.h"

enum {
  // A whole pipe of the usual size.
  TURN_READS = 16,
  // Above its rate a child's stderr is read only this often: at most 6.4 MB/s, and little CPU.
  FLOOD_MS = 10,
  // A full pipe of the largest usual size; what a descendant adds meanwhile is not the child's.
  LAST_READS = 1024 * 1024 / RELAY_HELD_BYTES,
};

static void pass(struct nursery *nursery, const struct child *child, uint32_t dropped,
                 const uint8_t *bytes, size_t length) {
  // After EXITED there is no more STDERR: what a descendant says is for the log alone.
  const bool is_for_log_alone = child->has_exited || child->is_mute;
  if (is_for_log_alone || !nursery->is_quiet) report_bytes(bytes, length);
  if (is_for_log_alone) return;
  uint8_t event[FRAME_MAX_EVENT_BYTES];
  control_send(nursery->control, event, frame_stderr(event, child->id, dropped, bytes, length));
}

static void pass_held(struct nursery *nursery, struct child *child) {
  struct relay *relay = &child->relay;
  pass(nursery, child, relay->dropped, relay->held, relay->held_bytes);
  relay_passed(relay);
}

// Whether this much may be passed on now, by the rate and by the sidecar's reading.
static bool may_pass(struct nursery *nursery, struct child *child, size_t length, uint64_t now_ms) {
  if (!child->has_exited && !control_has_room(nursery->control)) return false;
  return relay_may_pass(&child->relay, length, now_ms);
}

// Reads once, and passes on what was read or holds it; false where there is nothing (more).
static bool read_some(struct nursery *nursery, struct child *child, uint64_t now_ms) {
  if (child->stderr_fd < 0) return false;
  uint8_t bytes[RELAY_HELD_BYTES];
  const ssize_t got = read(child->stderr_fd, bytes, sizeof bytes);
  if (got > 0) {
    const size_t length = (size_t)got;
    if (child->relay.held_bytes == 0 && may_pass(nursery, child, length, now_ms)) {
      pass(nursery, child, 0, bytes, length);
    } else {
      relay_take(&child->relay, bytes, length);
    }
    return true;
  }
  if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    close(child->stderr_fd);
    child->stderr_fd = -1;
  }
  return false;
}

// The command speaks and its monitor has not told of it yet: SPAWNED comes first, the pipe holds the rest.
static bool is_early(const struct child *child) {
  return child->state == CHILD_STARTING;
}

static void try_held(struct nursery *nursery, struct child *child, uint64_t now_ms) {
  const size_t length = child->relay.held_bytes;
  if (length > 0 && may_pass(nursery, child, length, now_ms)) pass_held(nursery, child);
}

// Has epoll tell of more only while nothing waits: a flood must not wake the shim all the time.
static void watch_next(struct nursery *nursery, struct child *child, uint64_t now_ms) {
  const bool is_waiting = is_early(child) || child->relay.held_bytes > 0;
  child->stderr_at_ms = is_waiting ? now_ms + FLOOD_MS : CLOCK_NEVER;
  if (child->stderr_fd < 0 || child->is_stderr_watched == !is_waiting) return;
  if (is_waiting) {
    watch_remove(nursery->epoll, child->stderr_fd);
    child->is_stderr_watched = false;
  } else {
    child->is_stderr_watched =
        watch_add(nursery->epoll, child->stderr_fd, WATCH_STDERR, child - nursery->children) == 0;
  }
}

void drain_stderr(struct nursery *nursery, struct child *child, uint64_t now_ms) {
  bool is_more = !is_early(child);
  for (int reads = 0; is_more && reads < TURN_READS; reads++) {
    try_held(nursery, child, now_ms);
    is_more = read_some(nursery, child, now_ms);
  }
  watch_next(nursery, child, now_ms);
}

void drain_last(struct nursery *nursery, struct child *child) {
  const uint64_t now_ms = clock_now_ms();
  for (int reads = 0; reads < LAST_READS && read_some(nursery, child, now_ms); reads++) continue;
  if (child->relay.held_bytes > 0) pass_held(nursery, child);
}
