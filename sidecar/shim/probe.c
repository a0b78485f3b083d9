// See probe.h.
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "args.h"
#include "clock.h"
#include "report.h"

enum {
  // The kubelet's own limit is shorter in most pods; this one is for whoever sets none.
  WITHIN_SECONDS = 5,
  MAX_WITHIN_SECONDS = 86400,
  MAX_PATH_LENGTH = 1024,
  MAX_HEADERS_LENGTH = 2048,
  // With what stands around path and headers, a line end for each of these included.
  REQUEST_BYTES = MAX_PATH_LENGTH + 3 * MAX_HEADERS_LENGTH + 256,
  STATUS_BYTES = 12,
  ANSWER_BYTES = 1024,
};

static bool is_path(const char *path) {
  if (path[0] != '/' || strlen(path) > MAX_PATH_LENGTH) return false;
  for (const char *c = path; *c != '\0'; c++) {
    if (*c <= ' ' || *c > '~') return false;
  }
  return true;
}

// Whether each is one line with a name, all of them together bounded.
static bool are_headers(char *const *headers) {
  size_t length = 0;
  for (; *headers != NULL; headers++) {
    const char *colon = strchr(*headers, ':');
    if (colon == NULL || colon == *headers) return false;
    for (const char *c = *headers; *c != '\0'; c++) {
      if ((*c < ' ' && *c != '\t') || *c > '~' || (*c == ' ' && c < colon)) return false;
    }
    length += strlen(*headers);
    if (length > MAX_HEADERS_LENGTH) return false;
  }
  return true;
}

bool probe_parse(char **words, struct probe_options *options, const char **fault) {
  uint32_t port;
  *options = (struct probe_options){.within_seconds = WITHIN_SECONDS};
  *fault = NULL;
  if (words[0] != NULL && strcmp(words[0], "--within") == 0) {
    if (!args_parse_number(words[1], 1, MAX_WITHIN_SECONDS, &options->within_seconds)) {
      *fault = "probe --within wants whole seconds from 1 to 86400";
      return false;
    }
    words += 2;
  }
  if (!args_parse_number(words[0], 1, 65535, &port)) {
    *fault = "probe wants a port from 1 to 65535";
    return false;
  }
  options->port = (uint16_t)port;
  if (words[1] == NULL) return true;
  options->path = words[1];
  options->headers = words + 2;
  if (!is_path(options->path)) {
    *fault = "probe wants a path that begins with / and has no spaces";
  } else if (!are_headers(options->headers)) {
    *fault = "probe wants headers as `Name: value`, of at most 2048 characters together";
  }
  return *fault == NULL;
}

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

// As the kubelet has it: a redirect, too.
static bool is_success(const char *status) {
  return memcmp(status, "HTTP/1.", 7) == 0 && status[8] == ' ' &&
         (status[9] == '2' || status[9] == '3');
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

// The length of the request.
static int write_request(const struct probe_options *options, char request[REQUEST_BYTES]) {
  bool has_host = false;
  for (char *const *header = options->headers; *header != NULL; header++) {
    if (strncasecmp(*header, "Host:", 5) == 0) has_host = true;
  }
  int size = snprintf(request, REQUEST_BYTES,
                      // 1.0, so that no answer comes in chunks.
                      "GET %s HTTP/1.0\r\nConnection: close\r\n"
                      "User-Agent: outrigger-shim\r\nAccept: */*\r\n",
                      options->path);
  if (!has_host) {
    size += snprintf(request + size, (size_t)(REQUEST_BYTES - size), "Host: localhost:%u\r\n",
                     (unsigned)options->port);
  }
  for (char *const *header = options->headers; *header != NULL; header++) {
    size += snprintf(request + size, (size_t)(REQUEST_BYTES - size), "%s\r\n", *header);
  }
  return size + snprintf(request + size, (size_t)(REQUEST_BYTES - size), "\r\n");
}

static int fail(const struct probe_options *options, const char *why) {
  const char *path = options->path;
  report_line("probe of port %u%s%s: %s", (unsigned)options->port, path == NULL ? "" : ", path ",
              path == NULL ? "" : path, why);
  return 1;
}

static int ask(const struct probe_options *options, int fd, uint64_t give_up_at_ms) {
  char request[REQUEST_BYTES];
  char answer[ANSWER_BYTES + 1];
  char said[STATUS_BYTES + ANSWER_BYTES + 16];
  const int size = write_request(options, request);
  // Small enough for any socket's buffer.
  if (send(fd, request, (size_t)size, MSG_NOSIGNAL) != size ||
      !read_answer(fd, answer, give_up_at_ms)) {
    return fail(options, strerror(errno));
  }
  if (is_success(answer)) return 0;
  const char *reason = reason_of(answer);
  answer[STATUS_BYTES] = '\0';
  make_printable(answer);
  snprintf(said, sizeof said, "answered %s%s%s", answer, *reason == '\0' ? "" : ": ", reason);
  return fail(options, said);
}

int probe_run(const struct probe_options *options) {
  const uint64_t give_up_at_ms = clock_now_ms() + (uint64_t)options->within_seconds * 1000;
  const int fd = connect_loopback(options->port, give_up_at_ms);
  if (fd < 0) return fail(options, strerror(errno));
  const int code = options->path == NULL ? 0 : ask(options, fd, give_up_at_ms);
  close(fd);
  return code;
}
