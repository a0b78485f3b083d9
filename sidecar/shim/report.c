// See report.h.
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum sink { SINK_SHARED, SINK_OWN, SINK_SOCKET };

static int sink_fd = STDERR_FILENO;
static enum sink sink_kind = SINK_SHARED;
static uint64_t dropped_bytes;

void report_open(void) {
  struct stat status;
  if (fstat(STDERR_FILENO, &status) != 0) return;
  if (S_ISSOCK(status.st_mode)) sink_kind = SINK_SOCKET;
  if (!S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode)) return;
  const int fd = open("/proc/self/fd/2", O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return;
  sink_fd = fd;
  sink_kind = SINK_OWN;
}

// The bytes taken now, or -1 where none are.
static ssize_t write_now(const uint8_t *bytes, size_t length) {
  if (sink_kind == SINK_SOCKET) return send(sink_fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sink_kind == SINK_OWN) return write(sink_fd, bytes, length);
  // A shared description may be a blocking one: a pipe that polls writable has PIPE_BUF free.
  struct pollfd ready = {.fd = sink_fd, .events = POLLOUT};
  if (poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0) return -1;
  return write(sink_fd, bytes, length < PIPE_BUF ? length : PIPE_BUF);
}

static bool write_all(const uint8_t *bytes, size_t length) {
  while (length > 0) {
    const ssize_t written = write_now(bytes, length);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      dropped_bytes += length;
      return false;
    }
    bytes += written;
    length -= (size_t)written;
  }
  return true;
}

void report_bytes(const void *bytes, size_t length) {
  if (dropped_bytes > 0) {
    char line[96];
    const int size = snprintf(line, sizeof line, "\nshim: %llu bytes of stderr were dropped here\n",
                              (unsigned long long)dropped_bytes);
    const uint64_t before = dropped_bytes;
    if (size > 0 && write_all((const uint8_t *)line, (size_t)size)) {
      dropped_bytes = 0;
    } else {
      dropped_bytes = before + length;
      return;
    }
  }
  write_all(bytes, length);
}

void report_line(const char *format, ...) {
  char line[1024] = "shim: ";
  va_list arguments;
  va_start(arguments, format);
  // One byte stays free for the newline.
  const int size = vsnprintf(line + 6, sizeof line - 7, format, arguments);
  va_end(arguments);
  if (size < 0) return;
  const size_t length = strnlen(line, sizeof line - 2);
  line[length] = '\n';
  report_bytes(line, length + 1);
}
