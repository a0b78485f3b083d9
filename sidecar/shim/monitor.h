// The process between the shim and one child: subreaper of all that the child starts. It ends when
// none of it is left, kills all of it when told to or when the shim dies, and listens to nobody
// else: every signal that can be blocked is.
#ifndef SHIM_MONITOR_H
#define SHIM_MONITOR_H

#include <stdint.h>
#include <sys/types.h>

#include "spawn.h"

// From SIGTERM to SIGKILL for what a child leaves behind.
enum { MONITOR_LEFTOVER_MS = 500 };

// What a monitor tells the shim, each in one packet.
enum monitor_news_kind {
  NEWS_SPAWNED = 1,
  // The child's process itself says this, of a confined one: the descriptor is its filter's.
  NEWS_LISTENER,
  NEWS_FAILED,
  NEWS_EXITED,
  // No descendant is left; the private directory goes next.
  NEWS_ALONE,
};

struct monitor_news {
  enum monitor_news_kind kind;
  // SPAWNED: the child's pid. FAILED: the stage. EXITED: by code or by signal.
  int32_t what;
  // FAILED: the error number. EXITED: the code or the signal.
  int32_t value;
};

// What the shim tells a monitor, each in one packet of one byte.
enum monitor_command { COMMAND_TERMINATE = 'T', COMMAND_KILL = 'K' };

// Runs in a freshly forked process; ends it with 0 once no descendant is left.
_Noreturn void monitor_run(struct spawn_plan *plan, const struct spawn_order *order, int shim);

#endif
