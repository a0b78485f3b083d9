// See copy.h. A new file, then a rename: a binary that runs can't be written to (ETXTBSY), and nobody
// ever sees half of it.
#include "copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"

static int copy_bytes(int from, int to) {
  char bytes[65536];
  for (;;) {
    ssize_t length = read(from, bytes, sizeof bytes);
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) return (int)length;
    for (const char *at = bytes; length > 0;) {
      const ssize_t written = write(to, at, (size_t)length);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return -1;
      at += written;
      length -= written;
    }
  }
}

static int fail(const char *what, const char *where) {
  report_line("%s %s: %s", what, where, strerror(errno));
  return 1;
}

// Writes the binary under its temporary name; -1 with errno.
static int write_new(int folder, const char *name, int from) {
  // What a killed copy left under this name is nobody's.
  unlinkat(folder, name, 0);
  const int to = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0500);
  if (to < 0) return -1;
  // Whatever the umask.
  int result = copy_bytes(from, to) == 0 && fchmod(to, 0555) == 0 ? 0 : -1;
  const int why = errno;
  if (close(to) != 0) result = -1;
  if (result != 0) unlinkat(folder, name, 0);
  errno = why;
  return result;
}

int copy_run(const char *dir) {
  const int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (from < 0) return fail("cannot read", "/proc/self/exe");
  const int folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return fail("cannot open", dir);
  char name[32];
  snprintf(name, sizeof name, ".shim.%d", (int)getpid());
  if (write_new(folder, name, from) != 0) return fail("cannot write the shim to", dir);
  if (renameat(folder, name, folder, "shim") == 0) return 0;
  const int code = fail("cannot rename the new shim in", dir);
  unlinkat(folder, name, 0);
  return code;
}
