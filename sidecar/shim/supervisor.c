// See supervisor.h.
#include "supervisor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bind.h"
#include "caller.h"
#include "clock.h"
#include "listen.h"
#include "report.h"

enum {
  FIRST_SWEEP_MS = 250,
  LONGEST_SWEEP_MS = 30000,
  LINES_PER_SECOND = 1,
  LINES_AT_ONCE = 16,
  LINE_BYTES = 512,
};

// A later row answers `connect`.
static const struct {
  int number;
  int (*call)(struct supervisor *supervisor, const struct notice *notice);
} ROWS[] = {
    {SYS_bind, bind_call},
    {SYS_listen, listen_call},
    {SYS_setsockopt, bind_option_call},
};

void supervisor_open(struct supervisor *supervisor, int listener, uint64_t now_ms) {
  supervisor->listener = listener;
  sockets_open(&supervisor->sockets);
  supervisor->sweep_at_ms = CLOCK_NEVER;
  supervisor->sweep_ms = FIRST_SWEEP_MS;
  supervisor->lines = bucket_full(LINES_PER_SECOND, LINES_AT_ONCE, now_ms);
}

static int decide(struct supervisor *supervisor, const struct notice *notice) {
  for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
    if (ROWS[i].number == notice->number) return ROWS[i].call(supervisor, notice);
  }
  return EPERM;
}

void supervisor_serve(struct supervisor *supervisor) {
  struct notice notice;
  if (notice_receive(supervisor->listener, &notice) != 0) return;
  const int verdict = decide(supervisor, &notice);
  if (verdict == SUPERVISOR_GONE) return;
  if (verdict == SUPERVISOR_CONTINUE) {
    notice_continue(supervisor->listener, &notice);
    return;
  }
  notice_answer(supervisor->listener, &notice, verdict);
}

void supervisor_hold(struct supervisor *supervisor, struct socket_record *record, int fd) {
  sockets_hold(&supervisor->sockets, record, fd);
  supervisor->sweep_ms = FIRST_SWEEP_MS;
  supervisor->sweep_at_ms = clock_now_ms() + FIRST_SWEEP_MS;
}

static bool is_connected(int fd) {
  struct sockaddr_storage peer;
  socklen_t size = sizeof peer;
  return getpeername(fd, (struct sockaddr *)&peer, &size) == 0;
}

bool supervisor_sweep(struct supervisor *supervisor) {
  struct socket_record *held[SOCKETS_MAX_HELD];
  uint64_t inodes[SOCKETS_MAX_HELD];
  bool is_open[SOCKETS_MAX_HELD] = {false};
  size_t count = 0;
  for (size_t i = 0; i < SOCKETS_MAX && count < SOCKETS_MAX_HELD; i++) {
    struct socket_record *record = &supervisor->sockets.records[i];
    if (record->held < 0) continue;
    held[count] = record;
    inodes[count++] = record->inode;
  }
  if (count == 0) return false;
  caller_mark_open(inodes, is_open, count);
  bool is_any = false;
  for (size_t i = 0; i < count; i++) {
    if (is_open[i] && !is_connected(held[i]->held)) continue;
    sockets_let_go(held[i]);
    is_any = true;
  }
  return is_any;
}

uint64_t supervisor_tick(struct supervisor *supervisor, uint64_t now_ms) {
  if (now_ms < supervisor->sweep_at_ms) return supervisor->sweep_at_ms;
  supervisor_sweep(supervisor);
  if (!sockets_is_holding(&supervisor->sockets)) {
    supervisor->sweep_at_ms = CLOCK_NEVER;
    return CLOCK_NEVER;
  }
  supervisor->sweep_ms *= 2;
  if (supervisor->sweep_ms > LONGEST_SWEEP_MS) supervisor->sweep_ms = LONGEST_SWEEP_MS;
  supervisor->sweep_at_ms = now_ms + supervisor->sweep_ms;
  return supervisor->sweep_at_ms;
}

void supervisor_say(struct supervisor *supervisor, const char *format, ...) {
  if (!bucket_take(&supervisor->lines, 1, clock_now_ms())) return;
  char line[LINE_BYTES];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  report_line("%s", line);
}

void supervisor_close(struct supervisor *supervisor) {
  sockets_close(&supervisor->sockets);
  if (supervisor->listener >= 0) close(supervisor->listener);
  supervisor->listener = -1;
}
