// See drain.h.
#include "drain.h"

#include <errno.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "nursery.h"
#include "report.h"

enum {
  TURN_READS = 16,
  // A full pipe of the largest usual size; what a descendant adds meanwhile is not the child's.
  LAST_READS = 1024 * 1024 / RELAY_HELD_BYTES,
  // How soon to look again where the sidecar has too many unread events.
  NO_ROOM_MS = 20,
};

// Reads once into the relay; false where there is nothing (more).
static bool read_some(struct child *child) {
  if (child->stderr_fd < 0) return false;
  uint8_t bytes[RELAY_HELD_BYTES];
  const ssize_t length = read(child->stderr_fd, bytes, sizeof bytes);
  if (length > 0) {
    relay_take(&child->relay, bytes, (size_t)length);
    return true;
  }
  if (length == 0 || (errno != EAGAIN && errno != EINTR)) {
    close(child->stderr_fd);
    child->stderr_fd = -1;
  }
  return false;
}

static void pass(struct nursery *nursery, struct child *child) {
  struct relay *relay = &child->relay;
  report_bytes(relay->held, relay->held_bytes);
  // After EXITED there is no more STDERR: what a descendant says is for the log alone.
  if (!child->has_exited && !child->is_mute) {
    uint8_t event[FRAME_MAX_EVENT_BYTES];
    control_send(nursery->control, event,
                 frame_stderr(event, child->id, relay->dropped, relay->held, relay->held_bytes));
  }
  relay_passed(relay);
}

void drain_stderr(struct nursery *nursery, struct child *child, uint64_t now_ms) {
  child->stderr_at_ms = CLOCK_NEVER;
  bool is_more = true;
  for (int reads = 0; is_more && reads < TURN_READS; reads++) {
    is_more = read_some(child);
    if (child->relay.held_bytes == 0) continue;
    if (!child->has_exited && !control_has_room(nursery->control)) {
      child->stderr_at_ms = now_ms + NO_ROOM_MS;
    } else if (relay_may_pass(&child->relay, now_ms)) {
      pass(nursery, child);
      child->stderr_at_ms = CLOCK_NEVER;
    } else {
      child->stderr_at_ms = now_ms + relay_wait_ms(&child->relay, now_ms);
    }
  }
}

void drain_last(struct nursery *nursery, struct child *child) {
  for (int reads = 0; reads < LAST_READS && read_some(child); reads++) {
    const uint64_t now_ms = clock_now_ms();
    if (control_has_room(nursery->control) && relay_may_pass(&child->relay, now_ms)) {
      pass(nursery, child);
    }
  }
  if (child->relay.held_bytes > 0 || child->relay.dropped > 0) pass(nursery, child);
}
