// The parts of a serving shim: what `shim serve` takes once at its start and gives back at its end.
#ifndef SHIM_SERVING_H
#define SHIM_SERVING_H

#include <stdbool.h>
#include <stdint.h>

#include "args.h"
#include "control.h"
#include "nursery.h"
#include "spawn.h"

struct serving {
  const struct serve_options *options;
  struct control control;
  struct spawn_plan plan;
  struct nursery nursery;
  int epoll;
  int signals;
  // What epoll was told to tell of the control connection.
  uint32_t watched;
  uint64_t connect_at_ms;
  // Why the last connection was ended by us, and until when that need not be said again.
  const char *last_fault;
  uint64_t quiet_until_ms;
  // With `--once`: when nobody has listened for too long.
  uint64_t give_up_at_ms;
  // It was tried, and works here.
  bool can_confine;
  bool is_terminating;
  uint64_t terminate_at_ms;
  bool is_done;
  int exit_code;
};

// Takes all of them; -1 with a line on stderr where one can't be had.
int serving_open(struct serving *serving, const struct serve_options *options);

// Kills what still runs, removes what was made, gives everything back.
void serving_close(struct serving *serving);

#endif
