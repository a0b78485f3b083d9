// See family.h.
#include "family.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "descendants.h"

enum { FIRST_ABI_WITH_SIGNALS = 6 };

int family_open(struct family *family, const struct landlock *landlock) {
  *family = (struct family){0};
  if (landlock->abi < FIRST_ABI_WITH_SIGNALS) return 0;
  if (landlock_enter(landlock, false) != 0) return -1;
  // The shim has our uid: that it can't be signalled any more proves that the domain holds. Nothing
  // less will do, for `kill(-1)` without one would reach everybody.
  family->has_domain = kill(getppid(), 0) != 0 && errno == EPERM;
  return 0;
}

static void signal_group(const struct family *family, int number) {
  if (family->child <= 0 || family->is_child_reaped) return;
  // Until it has called setsid there is no such group yet.
  if (kill(-family->child, number) != 0) kill(family->child, number);
}

void family_terminate_group(const struct family *family) {
  signal_group(family, SIGTERM);
  signal_group(family, SIGCONT);
}

static bool is_in_group(pid_t pid, const void *context) {
  const struct family *family = context;
  return getpgid(pid) == family->child;
}

void family_terminate(const struct family *family) {
  if (family->has_domain) {
    kill(-1, SIGTERM);
    kill(-1, SIGCONT);
    return;
  }
  family_terminate_group(family);
  descendants_signal(SIGTERM, is_in_group, family);
  descendants_signal(SIGCONT, is_in_group, family);
}

void family_kill(const struct family *family) {
  if (family->has_domain) {
    kill(-1, SIGKILL);
    return;
  }
  signal_group(family, SIGKILL);
  descendants_signal(SIGKILL, NULL, NULL);
}
