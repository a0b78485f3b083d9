// See trial.h.
#include "trial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "proof.h"
#include "supervisor.h"

enum { WITHIN_MS = 2000, SOCKETS = 8 };

static struct spawn_failure failed(int error) {
  return (struct spawn_failure){.stage = STAGE_TRIAL, .error = error};
}

// What a server does, at any address; it must find itself on loopback.
static struct spawn_failure be_a_server(const struct start_plan *plan) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t size = sizeof address;
  const int on = 1;
  // As a program that has been executed is: whoever may look finds nothing.
  proof_forget();
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1) != 0 ||
      getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
    return failed(errno);
  }
  if (address.sin_addr.s_addr != htonl(INADDR_LOOPBACK)) return failed(EADDRNOTAVAIL);
  if (plan->mode == CONFINEMENT_OFF) return (struct spawn_failure){0};
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  if (client < 0 || connect(client, (struct sockaddr *)&address, sizeof address) != 0 ||
      getpeername(client, (struct sockaddr *)&address, &size) != 0) {
    return failed(errno);
  }
  return (struct spawn_failure){0};
}

// Takes what the process has to tell; false once there is no more.
static bool hear(const struct started *started, struct supervisor *supervisor,
                 const struct supervisor_setting *setting, struct spawn_failure *failure) {
  struct spawn_failure told;
  int listener = -1;
  switch (start_hear(started, &listener, &told)) {
    case START_LISTENER:
      supervisor_open(supervisor, setting, listener, clock_now_ms());
      // Where it listens is nobody's business.
      supervisor->lines = bucket_full(1, 0, clock_now_ms());
      return true;
    case START_FAILED:
      *failure = told;
      return true;
    case START_NOTHING_YET:
      return true;
    case START_OVER:
      break;
  }
  return false;
}

bool trial_run(const struct start_plan *plan, struct spawn_failure *failure) {
  struct socket_record records[SOCKETS] = {{0}};
  const struct supervisor_setting setting = {
      .epoll = -1,
      .records = {.records = records, .size = SOCKETS, .stride = 1},
      .most_held = SOCKETS};
  struct supervisor trials = {.listener = -1, .confinement = {.mode = plan->mode}};
  struct supervisor *supervisor = &trials;
  const uint64_t give_up_at_ms = clock_now_ms() + WITHIN_MS;
  struct started started;
  *failure = (struct spawn_failure){0};
  if (start_process(plan, be_a_server, &started) != 0) {
    *failure = (struct spawn_failure){.stage = STAGE_FORK, .error = errno};
    return false;
  }
  bool is_running = true;
  while (is_running) {
    struct pollfd polled[] = {
        {.fd = started.news, .events = POLLIN},
        {.fd = supervisor->listener, .events = POLLIN},
    };
    const uint64_t now_ms = clock_now_ms();
    if (now_ms >= give_up_at_ms) break;
    if (poll(polled, 2, (int)(give_up_at_ms - now_ms)) <= 0) continue;
    if ((polled[1].revents & POLLIN) != 0) supervisor_serve(supervisor);
    if (polled[0].revents != 0) is_running = hear(&started, supervisor, &setting, failure);
  }
  if (is_running) *failure = failed(ETIMEDOUT);
  kill(started.pid, SIGKILL);
  waitpid(started.pid, NULL, 0);
  close(started.news);
  supervisor_close(supervisor);
  return failure->stage == 0;
}
