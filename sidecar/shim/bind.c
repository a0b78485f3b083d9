// See bind.h.
#include "bind.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "local.h"
#include "notice.h"
#include "own.h"
#include "supervisor.h"

enum {
  // Below this length the kernel binds no socket of the internet's, whatever the memory says.
  LEAST_INTERNET_BYTES = sizeof(struct sockaddr_in),
  // For an ephemeral port that must not be one of the sidecar's.
  TRIES = 16,
};

static bool is_only_v6(int fd) {
  int value = 0;
  socklen_t size = sizeof value;
  return getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, &size) == 0 && value != 0;
}

static void allow_sharing(int fd) {
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
}

// Where the pod has no IPv6, `::1` stands on no interface; whoever binds to `::` there has no
// visitors either, and must not fail.
static void allow_without_interface(int fd, const struct address *address) {
  const int on = 1;
  if (address->any.sa_family == AF_INET6 &&
      memcmp(&address->six.sin6_addr, &in6addr_loopback, sizeof in6addr_loopback) == 0) {
    setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof on);
  }
}

int bind_own(int fd, struct address *address) {
  allow_without_interface(fd, address);
  if (bind(fd, &address->any, address->length) != 0) return -1;
  struct address got = {.length = sizeof got.six};
  if (getsockname(fd, &got.any, &got.length) != 0) return -1;
  address_set_port(address, address_port(&got));
  return 0;
}

// A socket of ours, bound; or -1 with the error number in `error`.
static int open_bound(struct supervisor *supervisor, const struct bind_request *request,
                      struct address_places *places, int *error) {
  const sa_family_t family = own_family(request->theirs.kind);
  for (int tries = 0; tries < TRIES; tries++) {
    const int fd = own_open(&request->theirs, SOCK_STREAM, &request->options);
    if (fd < 0) {
      *error = errno;
      return -1;
    }
    *error = address_place(&request->bytes, request->length, family,
                           family == AF_INET6 && is_only_v6(fd), places);
    if (*error != 0) {
      close(fd);
      return -1;
    }
    const bool has_no_port = address_port(&places->bound) == 0;
    // It is not held, so whatever listens in its place will have to share.
    if (has_no_port) allow_sharing(fd);
    if (bind_own(fd, &places->bound) == 0) {
      address_set_port(&places->listening, address_port(&places->bound));
      if (!address_is_reserved(address_port(&places->bound))) return fd;
      errno = EADDRINUSE;
    } else if (errno != EADDRINUSE || has_no_port || !supervisor_sweep(supervisor)) {
      *error = own_fail(fd);
      return -1;
    }
    *error = own_fail(fd);
  }
  return -1;
}

static int bind_tcp(struct supervisor *supervisor, const struct bind_request *request) {
  struct address_places places;
  int error = 0;
  const int fd = open_bound(supervisor, request, &places, &error);
  if (fd < 0) return error;
  struct socket_record *record = own_put(supervisor, request->notice, &request->theirs, fd);
  if (record == NULL) return own_put_failed(fd);
  record->state = SOCKET_BOUND;
  record->is_tcp = true;
  record->asked = request->asked;
  record->listening = places.listening;
  record->options = request->options;
  if (address_port(&request->asked) == 0) {
    // Most of these become clients, and a client's connection must end when it closes it.
    close(fd);
  } else {
    supervisor_hold(supervisor, record, fd);
  }
  return 0;
}

static int bind_udp(struct supervisor *supervisor, const struct bind_request *request) {
  const int fd = own_open(&request->theirs, SOCK_DGRAM, &request->options);
  if (fd < 0) return errno;
  const struct address *asked = &request->asked;
  // Held ones that nobody has any more may be in the way.
  if (bind(fd, &asked->any, asked->length) != 0 &&
      (errno != EADDRINUSE || !supervisor_sweep(supervisor) ||
       bind(fd, &asked->any, asked->length) != 0)) {
    return own_fail(fd);
  }
  struct socket_record *record = own_put(supervisor, request->notice, &request->theirs, fd);
  if (record == NULL) return own_put_failed(fd);
  record->state = SOCKET_BOUND;
  record->asked = request->asked;
  if (supervisor->confinement.mode == CONFINEMENT_OFF) {
    close(fd);
  } else {
    // It may connect yet, and then it is this one that must.
    supervisor_hold(supervisor, record, fd);
  }
  return 0;
}

static int bind_by_kind(struct supervisor *supervisor, const struct bind_request *request) {
  switch (request->theirs.kind) {
    case CALLER_TCP:
    case CALLER_TCP6:
      return bind_tcp(supervisor, request);
    case CALLER_UDP:
    case CALLER_UDP6:
      return bind_udp(supervisor, request);
    case CALLER_UNIX:
      return local_bind(supervisor, request);
    case CALLER_OTHER:
      break;
  }
  return EACCES;
}

// What is ours already is bound; but a bind that a signal has interrupted comes again.
static int answer_again(const struct socket_record *record, const struct bind_request *request) {
  const struct address *asked = &request->asked;
  const bool is_same = record->state == SOCKET_BOUND && record->binder == request->notice->thread &&
                       record->asked.length == asked->length &&
                       memcmp(&record->asked.any, &asked->any, asked->length) == 0;
  return is_same ? 0 : EINVAL;
}

int bind_read_request(struct bind_request *request) {
  const struct notice *notice = request->notice;
  const int length = (int)notice->arguments[2];
  const int error = caller_socket(notice->thread, (int)notice->arguments[0], &request->theirs);
  if (error != 0) return error;
  if (length < 0 || length > (int)sizeof request->bytes) return EINVAL;
  request->length = (size_t)length;
  request->asked.length = sizeof request->asked.six;
  if (request->length < request->asked.length) request->asked.length = (socklen_t)length;
  const int fault =
      caller_read(notice->thread, notice->arguments[1], &request->bytes, request->length);
  memcpy(&request->asked.any, &request->bytes, request->asked.length);
  return fault;
}

int bind_call(struct supervisor *supervisor, const struct notice *notice) {
  struct bind_request request = {.notice = notice};
  const int answer = bind_read_request(&request);
  // What was read was the caller's only if the caller is still there.
  if (!notice_is_waiting(supervisor->listener, notice)) return SUPERVISOR_GONE;
  if (answer == EACCES) {
    supervisor_say(supervisor, "a process that can't be looked into (undumpable?) may not bind");
  }
  if (answer == 0 && request.theirs.kind != CALLER_UNIX && request.length < LEAST_INTERNET_BYTES) {
    return SUPERVISOR_CONTINUE;
  }
  if (answer != 0) return answer;
  const struct socket_record *known = sockets_find(&supervisor->sockets, request.theirs.inode);
  if (known != NULL && known->state != SOCKET_UNBOUND) return answer_again(known, &request);
  if (known != NULL) request.options = known->options;
  return bind_by_kind(supervisor, &request);
}

int bind_option_call(struct supervisor *supervisor, const struct notice *notice) {
  const enum option option = options_find((int)notice->arguments[1], (int)notice->arguments[2]);
  struct caller_socket theirs;
  union option_value value;
  if (option == OPTION_COUNT || (int)notice->arguments[4] < (int)options_size(option) ||
      caller_socket(notice->thread, (int)notice->arguments[0], &theirs) != 0 ||
      theirs.kind == CALLER_OTHER ||
      caller_read(notice->thread, notice->arguments[3], &value, options_size(option)) != 0 ||
      !notice_is_waiting(supervisor->listener, notice)) {
    return SUPERVISOR_CONTINUE;
  }
  struct socket_record *record = sockets_find(&supervisor->sockets, theirs.inode);
  if (record == NULL) record = sockets_add(&supervisor->sockets, theirs.inode);
  options_set(&record->options, option, &value);
  return SUPERVISOR_CONTINUE;
}
