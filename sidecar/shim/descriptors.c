// See descriptors.h.
#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

int descriptors_fill_standard(void) {
  for (int fd = 0; fd <= 2; fd++) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    // Lower ones are open, so this takes exactly `fd`.
    if (open("/dev/null", O_RDWR) != fd) return -1;
  }
  return 0;
}

static void close_one_by_one(unsigned first, unsigned last) {
  struct rlimit limit;
  // A descriptor above the soft limit can't have been opened by us, and we run from the start.
  const unsigned open_max = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536
                                ? (unsigned)limit.rlim_cur
                                : 65536;
  for (unsigned fd = first; fd <= last && fd < open_max; fd++) close((int)fd);
}

static void close_between(unsigned first, unsigned last) {
  if (first > last) return;
  // An old kernel or an old seccomp profile has no close_range.
  if (syscall(SYS_close_range, first, last, 0) != 0) close_one_by_one(first, last);
}

void descriptors_close_all_but(const int *kept, size_t count) {
  unsigned from = 3;
  for (;;) {
    int next = INT_MAX;
    for (size_t i = 0; i < count; i++) {
      if (kept[i] >= (int)from && kept[i] < next) next = kept[i];
    }
    if (next == INT_MAX) break;
    close_between(from, (unsigned)next - 1);
    from = (unsigned)next + 1;
  }
  close_between(from, UINT_MAX);
}
