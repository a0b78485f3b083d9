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
#include "connect.h"
#include "egress.h"
#include "kinds.h"
#include "listen.h"
#include "report.h"

enum {
  FIRST_SWEEP_MS = 250,
  LONGEST_SWEEP_MS = 30000,
  LINES_PER_SECOND = 1,
  LINES_AT_ONCE = 16,
  LINE_BYTES = 512,
  LOOK_MS = 1000,
  TOLD_PER_SECOND = 10,
  TOLD_AT_ONCE = 100,
};

static const struct {
  int number;
  int (*call)(struct supervisor *supervisor, const struct notice *notice);
} ROWS[] = {
    {SYS_connect, connect_call},        {SYS_bind, bind_call},
    {SYS_listen, listen_call},          {SYS_socket, kinds_call},
    {SYS_setsockopt, bind_option_call},
};

void supervisor_open(struct supervisor *supervisor, const struct supervisor_setting *setting,
                     int listener, uint64_t now_ms) {
  supervisor->setting = *setting;
  supervisor->listener = listener;
  sockets_open(&supervisor->sockets, &setting->records, setting->most_held);
  supervisor->flights = (struct flights){.all = setting->flights, .size = setting->most_flights};
  supervisor->look_at_ms = CLOCK_NEVER;
  for (size_t i = 0; i < TOLD_SORTS; i++) {
    supervisor->told[i] = bucket_full(TOLD_PER_SECOND, TOLD_AT_ONCE, now_ms);
  }
  supervisor->untold = 0;
  supervisor->tell_at_ms = CLOCK_NEVER;
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
  if (verdict == SUPERVISOR_GONE || verdict == SUPERVISOR_LATER) return;
  if (verdict == SUPERVISOR_CONTINUE) {
    notice_continue(supervisor->listener, &notice);
    return;
  }
  notice_answer(supervisor->listener, &notice, verdict);
}

void supervisor_landed(struct supervisor *supervisor, size_t flight) {
  if (flight >= supervisor->flights.size) return;
  if (supervisor->flights.all[flight].is_taken) {
    connect_landed(supervisor, &supervisor->flights.all[flight]);
  }
}

void supervisor_look(struct supervisor *supervisor) {
  if (supervisor->look_at_ms == CLOCK_NEVER) supervisor->look_at_ms = clock_now_ms() + LOOK_MS;
}

static void look(struct supervisor *supervisor, uint64_t now_ms) {
  for (size_t i = 0; i < supervisor->flights.size; i++) {
    struct flight *flight = &supervisor->flights.all[i];
    if (!flight->is_taken || flight->is_answered) continue;
    if (!notice_is_waiting(supervisor->listener, &flight->notice))
      flights_end(flight, supervisor->setting.epoll);
  }
  const bool is_any = flights_is_any(&supervisor->flights);
  supervisor->look_at_ms = is_any ? now_ms + LOOK_MS : CLOCK_NEVER;
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

// Looking through everybody's descriptors takes as long as there are many, and any child can ask for
// it: so much of the time goes to all other things.
enum { REST_FOR_A_SWEEP = 10 };

bool supervisor_sweep(struct supervisor *supervisor) {
  static uint64_t rest_until_ms;
  const uint64_t began_ms = clock_now_ms();
  if (began_ms < rest_until_ms) return false;
  struct socket_record *held[SOCKETS_MAX_HELD];
  uint64_t inodes[SOCKETS_MAX_HELD];
  bool is_open[SOCKETS_MAX_HELD] = {false};
  size_t count = 0;
  for (size_t i = 0; i < supervisor->sockets.size && count < SOCKETS_MAX_HELD; i++) {
    struct socket_record *record = sockets_at(&supervisor->sockets, i);
    if (record->state == SOCKET_FREE || record->held < 0) continue;
    held[count] = record;
    inodes[count++] = record->inode;
  }
  if (count == 0) return false;
  caller_mark_open(inodes, is_open, count);
  const uint64_t ended_ms = clock_now_ms();
  rest_until_ms = ended_ms + (ended_ms - began_ms) * REST_FOR_A_SWEEP;
  bool is_any = false;
  for (size_t i = 0; i < count; i++) {
    if (is_open[i] && !is_connected(held[i]->held)) continue;
    sockets_let_go(held[i]);
    is_any = true;
  }
  return is_any;
}

static void sweep_again(struct supervisor *supervisor, uint64_t now_ms) {
  supervisor_sweep(supervisor);
  if (!sockets_is_holding(&supervisor->sockets)) {
    supervisor->sweep_at_ms = CLOCK_NEVER;
    return;
  }
  supervisor->sweep_ms *= 2;
  if (supervisor->sweep_ms > LONGEST_SWEEP_MS) supervisor->sweep_ms = LONGEST_SWEEP_MS;
  supervisor->sweep_at_ms = now_ms + supervisor->sweep_ms;
}

uint64_t supervisor_tick(struct supervisor *supervisor, uint64_t now_ms) {
  if (supervisor->listener < 0) return CLOCK_NEVER;
  if (now_ms >= supervisor->sweep_at_ms) sweep_again(supervisor, now_ms);
  if (now_ms >= supervisor->look_at_ms) look(supervisor, now_ms);
  if (now_ms >= supervisor->tell_at_ms) egress_tell_last(supervisor, now_ms);
  return clock_earlier(clock_earlier(supervisor->sweep_at_ms, supervisor->look_at_ms),
                       supervisor->tell_at_ms);
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
  if (supervisor->listener >= 0) {
    egress_tell_end(supervisor);
    flights_close(&supervisor->flights, supervisor->setting.epoll);
    sockets_close(&supervisor->sockets);
  }
  if (supervisor->listener >= 0) close(supervisor->listener);
  supervisor->listener = -1;
}
