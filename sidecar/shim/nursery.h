// The table of children and what they share. Fixed size, taken once. It finds and reaps children,
// keeps their deadlines, and kills all of them when the connection ends; what happens to one child
// is child.c's.
#ifndef SHIM_NURSERY_H
#define SHIM_NURSERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bucket.h"
#include "child.h"
#include "control.h"
#include "kills.h"
#include "spawn.h"

struct nursery {
  struct child *children;
  size_t size;
  // What supervisors of confined children remember of sockets, the first of each beside one another.
  struct socket_record *records;
  struct bucket rate;
  struct control *control;
  struct spawn_plan *plan;
  int epoll;
  bool is_pid_1;
  // What children say goes to the sidecar alone.
  bool is_quiet;
  struct kills kills;
  uint64_t next_number;
  // A monitor has died before its child's descendants: they are ours now, and must go.
  bool has_strays;
  uint64_t sweep_at_ms;
  // Removes what dead shims left; 0 once it has ended, for its number may be a child's next.
  pid_t janitor;
};

// Takes the table's memory; -1 where there is none.
int nursery_open(struct nursery *nursery, size_t size);

// The child that the sidecar calls by this number, or NULL.
struct child *nursery_find(struct nursery *nursery, uint32_t id);

// A free place, or NULL.
struct child *nursery_free_place(struct nursery *nursery);

// Takes in every process that has ended.
void nursery_reap(struct nursery *nursery, uint64_t now_ms);

// Does what is due; the time of what is due next.
uint64_t nursery_tick(struct nursery *nursery, uint64_t now_ms);

// Kills everything at once and waits until it is gone, at most until `give_up_at_ms`. No event is
// sent about it. Private directories remain for nursery_clean.
void nursery_kill_all(struct nursery *nursery, uint64_t give_up_at_ms);

// After nursery_kill_all: has the private directories removed and frees the places.
void nursery_clean(struct nursery *nursery);

#endif
