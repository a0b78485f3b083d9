// See nursery.h.
#include "nursery.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "descendants.h"
#include "monitor.h"
#include "report.h"

enum {
  SWEEP_AGAIN_MS = 2,
  COMPLAIN_MS = 10000,
  LONGEST_NAP_MS = 64,
  // How long monitors may take to kill their own and to remove the private directories.
  MONITORS_MS = 2000,
};

// Mapped, not allocated: pages that no child has used cost nothing.
static void *take_memory(size_t size) {
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

int nursery_open(struct nursery *nursery, size_t size) {
  nursery->children = take_memory(size * sizeof *nursery->children);
  char *environments = take_memory(size * CHILD_ENVIRONMENT_BYTES);
  uint8_t *held = take_memory(size * RELAY_HELD_BYTES);
  struct flight *flights = take_memory(size * FLIGHTS_OF_CHILD * sizeof *flights);
  nursery->records = take_memory(size * SOCKETS_OF_CHILD * sizeof *nursery->records);
  if (nursery->children == NULL || environments == NULL || held == NULL || flights == NULL ||
      nursery->records == NULL) {
    return -1;
  }
  nursery->size = size;
  for (size_t i = 0; i < size; i++) {
    nursery->children[i].environment = environments + i * CHILD_ENVIRONMENT_BYTES;
    nursery->children[i].held = held + i * RELAY_HELD_BYTES;
    nursery->children[i].flights = flights + i * FLIGHTS_OF_CHILD;
    child_reset(&nursery->children[i]);
  }
  return 0;
}

struct child *nursery_find(struct nursery *nursery, uint32_t id) {
  for (size_t i = 0; i < nursery->size; i++) {
    struct child *child = &nursery->children[i];
    if (child->state != CHILD_FREE && child->id == id && !child->is_mute) return child;
  }
  return NULL;
}

struct child *nursery_free_place(struct nursery *nursery) {
  for (size_t i = 0; i < nursery->size; i++) {
    if (nursery->children[i].state == CHILD_FREE) return &nursery->children[i];
  }
  return NULL;
}

static struct child *find_monitor(const struct nursery *nursery, pid_t pid) {
  for (size_t i = 0; i < nursery->size; i++) {
    if (nursery->children[i].monitor == pid) return &nursery->children[i];
  }
  return NULL;
}

static struct child *find_cleaner(const struct nursery *nursery, pid_t pid) {
  for (size_t i = 0; i < nursery->size; i++) {
    if (nursery->children[i].cleaner == pid) return &nursery->children[i];
  }
  return NULL;
}

static struct child *find_orphan(const struct nursery *nursery, pid_t pid) {
  for (size_t i = 0; i < nursery->size; i++) {
    struct child *child = &nursery->children[i];
    if (child->state == CHILD_ORPHANED && child->pid == pid) return child;
  }
  return NULL;
}

static void take_in(struct nursery *nursery, pid_t pid, int status, uint64_t now_ms) {
  struct child *child = find_monitor(nursery, pid);
  if (pid == nursery->janitor) {
    if (!WIFSTOPPED(status)) nursery->janitor = 0;
  } else if (child != NULL && WIFSTOPPED(status)) {
    // Nobody stops a monitor but a hostile process, where Landlock cannot scope signals.
    kill(pid, SIGKILL);
  } else if (child != NULL) {
    child_monitor_ended(nursery, child, WIFEXITED(status) && WEXITSTATUS(status) == 0, now_ms);
  } else if ((child = find_cleaner(nursery, pid)) != NULL) {
    if (!WIFSTOPPED(status)) child_finish(nursery, child);
  } else if ((child = find_orphan(nursery, pid)) != NULL) {
    if (WIFEXITED(status)) {
      child_exited(nursery, child, FRAME_BY_CODE, (uint8_t)WEXITSTATUS(status));
    } else if (WIFSIGNALED(status)) {
      child_exited(nursery, child, FRAME_BY_SIGNAL, (uint8_t)WTERMSIG(status));
    }
  }
}

void nursery_reap(struct nursery *nursery, uint64_t now_ms) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
    take_in(nursery, pid, status, now_ms);
  }
}

static bool is_known(pid_t pid, const void *context) {
  const struct nursery *nursery = context;
  return find_monitor(nursery, pid) != NULL || find_cleaner(nursery, pid) != NULL ||
         nursery->janitor == pid;
}

// Kills what dead monitors left behind. Once there is none, their children are gone.
static void sweep(struct nursery *nursery, uint64_t now_ms) {
  nursery_reap(nursery, now_ms);
  nursery->sweep_at_ms = now_ms + SWEEP_AGAIN_MS;
  if (descendants_signal(SIGKILL, is_known, nursery) > 0) return;
  nursery->has_strays = false;
  for (size_t i = 0; i < nursery->size; i++) {
    struct child *child = &nursery->children[i];
    if (child->state == CHILD_ORPHANED) child_clean(nursery, child);
  }
}

uint64_t nursery_tick(struct nursery *nursery, uint64_t now_ms) {
  uint64_t next_ms = CLOCK_NEVER;
  for (size_t i = 0; i < nursery->size; i++) {
    const uint64_t at_ms = child_tick(nursery, &nursery->children[i], now_ms);
    if (at_ms < next_ms) next_ms = at_ms;
  }
  if (nursery->has_strays && nursery->sweep_at_ms <= now_ms) sweep(nursery, now_ms);
  if (nursery->has_strays && nursery->sweep_at_ms < next_ms) next_ms = nursery->sweep_at_ms;
  return next_ms;
}

// Takes in what has ended while everything is being killed; false once nothing is left.
static bool reap_quietly(struct nursery *nursery) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    struct child *child = find_monitor(nursery, pid);
    if (child == NULL) child = find_cleaner(nursery, pid);
    if (child == NULL) continue;
    child->monitor = 0;
    child->cleaner = 0;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) continue;
    // In good order: the private directory is gone too.
    child_finish(nursery, child);
  }
  return pid == 0;
}

// Waits for the end of all; false where the time is up first.
static bool wait_quietly(struct nursery *nursery, uint64_t give_up_at_ms) {
  while (reap_quietly(nursery)) {
    if (clock_now_ms() >= give_up_at_ms) return false;
    clock_nap_ms(1);
  }
  return true;
}

// Kills what is left, monitors too, again and again until nothing is.
static void kill_rest(struct nursery *nursery, uint64_t give_up_at_ms) {
  uint32_t nap_ms = 1;
  uint64_t complain_at_ms = clock_now_ms() + COMPLAIN_MS;
  for (;;) {
    // As PID 1: everything in the container, in one step that no fork can outrun.
    if (nursery->is_pid_1) kill(-1, SIGKILL);
    descendants_signal(SIGKILL, NULL, NULL);
    if (!reap_quietly(nursery)) return;
    const uint64_t now_ms = clock_now_ms();
    if (now_ms >= give_up_at_ms) return;
    if (now_ms >= complain_at_ms) {
      report_line("a process does not end after SIGKILL; waiting until it has");
      complain_at_ms = now_ms + COMPLAIN_MS;
    }
    clock_nap_ms(nap_ms);
    if (nap_ms < LONGEST_NAP_MS) nap_ms *= 2;
  }
}

void nursery_kill_all(struct nursery *nursery, uint64_t give_up_at_ms) {
  for (size_t i = 0; i < nursery->size; i++) {
    struct child *child = &nursery->children[i];
    if (child->state == CHILD_FREE) continue;
    child->is_mute = true;
    if (child->state == CHILD_OFFERED) {
      child_release(nursery, child);
    } else if (!nursery->is_pid_1) {
      child_kill(child);
    }
  }
  const uint64_t ask_until_ms = clock_now_ms() + MONITORS_MS;
  const uint64_t wait_until_ms = ask_until_ms < give_up_at_ms ? ask_until_ms : give_up_at_ms;
  // Each monitor kills its own best; what has none any more is left for us.
  if (nursery->is_pid_1 || !wait_quietly(nursery, wait_until_ms)) kill_rest(nursery, give_up_at_ms);
  nursery->has_strays = false;
  nursery->janitor = 0;
}

void nursery_clean(struct nursery *nursery) {
  for (size_t i = 0; i < nursery->size; i++) {
    struct child *child = &nursery->children[i];
    if (child->state == CHILD_FREE) continue;
    child->term_at_ms = child->kill_at_ms = child->backstop_at_ms = CLOCK_NEVER;
    child_clean(nursery, child);
  }
}
