// See probe.h.
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "report.h"

// The kubelet's own limit is shorter in most pods; this one is for whoever sets none.
enum { WITHIN_MS = 5000, STATUS_BYTES = 12, REQUEST_BYTES = 1280, ANSWER_BYTES = 1024 };

// Waits until the socket is ready; false when the time is up.
static bool wait_ready(int fd, short events, uint64_t give_up_at_ms) {
  const uint64_t now_ms = clock_now_ms();
  struct pollfd polled = {.fd = fd, .events = events};
  if (now_ms < give_up_at_ms && poll(&polled, 1, (int)(give_up_at_ms - now_ms)) > 0) return true;
  errno = ETIMEDOUT;
  return false;
}

// A connected socket, or -1 with errno.
static int connect_to(const struct sockaddr *address, socklen_t size, uint64_t give_up_at_ms) {
  const int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  int error = 0;
  if (connect(fd, address, size) != 0) error = errno;
  if (error == EINPROGRESS) {
    socklen_t length = sizeof error;
    if (!wait_ready(fd, POLLOUT, give_up_at_ms) ||
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) {
      error = errno;
    }
  }
  if (error == 0) return fd;
  close(fd);
  errno = error;
  return -1;
}

static int connect_loopback(uint16_t port, uint64_t give_up_at_ms) {
  const struct sockaddr_in four = {
      .sin_family = AF_INET,
      .sin_port = htons(port),
      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
  };
  const struct sockaddr_in6 six = {
      .sin6_family = AF_INET6,
      .sin6_port = htons(port),
      .sin6_addr = IN6ADDR_LOOPBACK_INIT,
  };
  const int fd = connect_to((const struct sockaddr *)&four, sizeof four, give_up_at_ms);
  if (fd >= 0) return fd;
  const int why = errno;
  const int other = connect_to((const struct sockaddr *)&six, sizeof six, give_up_at_ms);
  if (other < 0) errno = why;
  return other;
}

static bool is_success(const char *status) {
  return memcmp(status, "HTTP/1.", 7) == 0 && memcmp(status + 8, " 2", 2) == 0;
}

// Reads the answer until its end, or as much of it as is needed; false with errno.
static bool read_answer(int fd, char answer[ANSWER_BYTES + 1], uint64_t give_up_at_ms) {
  size_t got = 0;
  while (got < ANSWER_BYTES) {
    if (!wait_ready(fd, POLLIN, give_up_at_ms)) return false;
    const ssize_t length = recv(fd, answer + got, ANSWER_BYTES - got, 0);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (length < 0) return false;
    if (length == 0) break;
    got += (size_t)length;
    // Some servers keep the connection open whatever they were asked.
    if (got >= STATUS_BYTES && is_success(answer)) break;
  }
  answer[got] = '\0';
  if (got >= STATUS_BYTES) return true;
  errno = ECONNRESET;
  return false;
}

// Nobody else may choose what reaches a terminal or a log.
static void make_printable(char *text) {
  for (; *text != '\0'; text++) {
    if (*text < ' ' || *text > '~') *text = '?';
  }
}

// The first line of the body, which says why; empty where there is none.
static const char *reason_of(char *answer) {
  static const char end_of_head[] = "\r\n\r\n";
  char *body = strstr(answer, end_of_head);
  if (body == NULL) return "";
  body += sizeof end_of_head - 1;
  body[strcspn(body, "\r\n")] = '\0';
  make_printable(body);
  return body;
}

int probe_run(uint16_t port, const char *path) {
  const uint64_t give_up_at_ms = clock_now_ms() + WITHIN_MS;
  char request[REQUEST_BYTES];
  char answer[ANSWER_BYTES + 1];
  const int size = snprintf(request, sizeof request,
                            // 1.0, so that no answer comes in chunks.
                            "GET %s HTTP/1.0\r\nHost: localhost:%u\r\nConnection: close\r\n"
                            "User-Agent: outrigger-shim\r\nAccept: */*\r\n\r\n",
                            path, (unsigned)port);
  const int fd = connect_loopback(port, give_up_at_ms);
  // Small enough for any socket's buffer.
  if (fd < 0 || send(fd, request, (size_t)size, MSG_NOSIGNAL) != size ||
      !read_answer(fd, answer, give_up_at_ms)) {
    report_line("probe of port %u, path %s: %s", (unsigned)port, path, strerror(errno));
    return 1;
  }
  close(fd);
  if (is_success(answer)) return 0;
  const char *reason = reason_of(answer);
  answer[STATUS_BYTES] = '\0';
  make_printable(answer);
  report_line("probe of port %u, path %s: answered %s%s%s", (unsigned)port, path, answer,
              *reason == '\0' ? "" : ": ", reason);
  return 1;
}
