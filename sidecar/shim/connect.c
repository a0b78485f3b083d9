// See connect.h.
#include "connect.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bind.h"
#include "diag.h"
#include "egress.h"
#include "flights.h"
#include "linger.h"
#include "local.h"
#include "own.h"
#include "reach.h"
#include "supervisor.h"
#include "watch.h"

// A connect of the internet's, read and judged.
struct attempt {
  const struct bind_request *request;
  struct socket_record *known;
  struct address asked;
  struct address target;
  int type;
  // To a forward of this child's: the sidecar must know that it is this one that comes.
  bool is_led;
};

// Whether a socket of this supervisor's processes is what a connect to this address would reach; or, of a command that runs
// beside a server, one of the same container's.
static bool is_own_listener(struct supervisor *supervisor, const struct address *target,
                            bool *is_nobody) {
  uint64_t inode = 0;
  *is_nobody = false;
  if (diag_knows_internet()) {
    *is_nobody = diag_listener(target, &inode) != 0;
    if (*is_nobody) return false;
    const struct socket_record *found = sockets_find(&supervisor->sockets, inode);
    if (found != NULL && found->state == SOCKET_LISTENING) return true;
    return supervisor->setting.is_beside && caller_finds_open(inode);
  }
  for (size_t i = 0; i < supervisor->sockets.size; i++) {
    const struct socket_record *record = sockets_at(&supervisor->sockets, i);
    bool is_open = false;
    if (record->state != SOCKET_LISTENING || !record->is_tcp ||
        address_port(&record->listening) != address_port(target)) {
      continue;
    }
    caller_mark_open(&record->inode, &is_open, 1);
    if (is_open) return true;
  }
  return false;
}

static enum frame_egress_kind kind_of(const struct attempt *attempt) {
  return attempt->type == SOCK_STREAM ? EGRESS_TCP : EGRESS_UDP;
}

static int refuse(struct supervisor *supervisor, const struct attempt *attempt, int error) {
  egress_tell(supervisor, VERDICT_REFUSED, kind_of(attempt), &attempt->asked);
  return error;
}

// To a port of loopback that is not the sidecar's: 0, or the error number that is the answer.
static int judge_own(struct supervisor *supervisor, const struct attempt *attempt) {
  bool is_nobody;
  if (is_own_listener(supervisor, &attempt->target, &is_nobody)) return 0;
  if (supervisor->confinement.mode == CONFINEMENT_OBSERVE) {
    if (!is_nobody) egress_tell(supervisor, VERDICT_OBSERVED, EGRESS_TCP, &attempt->asked);
    return 0;
  }
  // As if nobody were there: programs wait for their own server in this way.
  return is_nobody ? ECONNREFUSED : refuse(supervisor, attempt, ECONNREFUSED);
}

// 0, or the error number that is the answer.
static int judge(struct supervisor *supervisor, struct attempt *attempt) {
  switch (reach_judge(&supervisor->confinement, &attempt->asked, attempt->type == SOCK_DGRAM,
                      &attempt->target)) {
    case REACH_SIDECAR:
      attempt->is_led = address_port(&attempt->target) != ADDRESS_PROXY_PORT;
      return attempt->is_led && !egress_can_tell(supervisor) ? EAGAIN : 0;
    case REACH_QUIETLY:
      return 0;
    case REACH_IF_OWN:
      return judge_own(supervisor, attempt);
    case REACH_OBSERVED:
      egress_tell(supervisor, VERDICT_OBSERVED, kind_of(attempt), &attempt->asked);
      return 0;
    case REACH_REFUSED:
      break;
  }
  return refuse(supervisor, attempt, EACCES);
}

static void set_nonblocking(int fd, bool is_nonblocking) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return;
  const int wanted = is_nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  if (wanted != flags) fcntl(fd, F_SETFL, wanted);
}

// The socket that will be the caller's: the one that it has, where that is ours and we still hold it, else a
// new one. -1 with errno.
static int open_socket(const struct attempt *attempt, bool *is_in_place) {
  const struct bind_request *request = attempt->request;
  const struct socket_record *known = attempt->known;
  *is_in_place = known != NULL && known->state == SOCKET_BOUND && known->held >= 0;
  if (*is_in_place) {
    const int copy = fcntl(known->held, F_DUPFD_CLOEXEC, 0);
    if (copy >= 0) set_nonblocking(copy, true);
    return copy;
  }
  struct options options = request->options;
  // A connect to the sidecar by IPv6 ends at 127.0.0.1.
  options_drop(&options, OPTION_ONLY_V6);
  struct caller_socket like = request->theirs;
  like.is_nonblocking = true;
  const int fd = own_open(&like, attempt->type, &options);
  const bool is_bound = known != NULL && known->state == SOCKET_BOUND;
  if (fd < 0 || !is_bound || reach_place_of(&attempt->target) == REACH_LOOPBACK) return fd;
  // From the address that it chose, by another port than the one that it got.
  struct address from = known->asked;
  if (address_port(&from) == 0 && bind(fd, &from.any, from.length) == 0) return fd;
  close(fd);
  errno = EADDRNOTAVAIL;
  return -1;
}

// Makes it the caller's, connected or on the way; 0, or what becomes of the call.
static int hand_over(struct supervisor *supervisor, const struct notice *notice,
                     const struct caller_socket *theirs, int fd, bool is_in_place) {
  set_nonblocking(fd, theirs->is_nonblocking);
  if (is_in_place) {
    struct socket_record *record = sockets_find(&supervisor->sockets, theirs->inode);
    if (record == NULL) return 0;
    sockets_let_go(record);
    record->state = SOCKET_CONNECTED;
    return 0;
  }
  struct socket_record *record = own_put(supervisor, notice, theirs, fd);
  if (record == NULL) {
    const int why = errno;
    return why == ENOENT || why == ESRCH ? SUPERVISOR_GONE : why;
  }
  record->state = SOCKET_CONNECTED;
  record->is_tcp = theirs->kind == CALLER_TCP || theirs->kind == CALLER_TCP6;
  return 0;
}

static bool is_decided(int fd) {
  struct pollfd polled = {.fd = fd, .events = POLLOUT};
  return poll(&polled, 1, 0) == 1;
}

static int error_of(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

// Keeps what is on its way until that is decided; false where there is no room.
static bool await_network(struct supervisor *supervisor, const struct attempt *attempt, int fd,
                          bool is_in_place, bool is_answered) {
  struct flight *flight = supervisor->setting.epoll < 0 ? NULL : flights_take(&supervisor->flights);
  if (flight == NULL) return false;
  const size_t place = supervisor->setting.place << SUPERVISOR_FLIGHT_BITS |
                       (size_t)(flight - supervisor->flights.all);
  flight->is_answered = is_answered;
  flight->is_in_place = is_in_place;
  flight->notice = *attempt->request->notice;
  flight->theirs = attempt->request->theirs;
  flight->inode = own_inode(fd);
  flight->fd = fd;
  if (watch_add(supervisor->setting.epoll, fd, WATCH_FLIGHT, (ptrdiff_t)place) != 0) {
    flight->fd = -1;
    flights_end(flight, supervisor->setting.epoll);
    return false;
  }
  watch_change_at(supervisor->setting.epoll, fd, WATCH_FLIGHT, place, EPOLLOUT);
  supervisor_look(supervisor);
  return true;
}

// What was asked without waiting: the caller goes on at once, and looks at its socket itself.
static int answer_at_once(struct supervisor *supervisor, const struct attempt *attempt, int fd,
                          bool is_in_place, int answer) {
  const struct bind_request *request = attempt->request;
  const int error = hand_over(supervisor, request->notice, &request->theirs, fd, is_in_place);
  const bool is_kept = error == 0 && answer == EINPROGRESS && !is_decided(fd) &&
                       await_network(supervisor, attempt, fd, is_in_place, true);
  if (!is_kept) linger_close(fd);
  return error == 0 ? answer : error;
}

static int answer_when_decided(struct supervisor *supervisor, const struct attempt *attempt, int fd,
                               bool is_in_place) {
  const struct bind_request *request = attempt->request;
  if (!is_decided(fd)) {
    if (await_network(supervisor, attempt, fd, is_in_place, false)) return SUPERVISOR_LATER;
    close(fd);
    return EAGAIN;
  }
  int answer = error_of(fd);
  if (answer == 0) {
    answer = hand_over(supervisor, request->notice, &request->theirs, fd, is_in_place);
  } else if (is_in_place) {
    set_nonblocking(fd, request->theirs.is_nonblocking);
  }
  linger_close(fd);
  return answer;
}

static int carry_out(struct supervisor *supervisor, const struct attempt *attempt) {
  bool is_in_place = false;
  const bool is_nonblocking = attempt->request->theirs.is_nonblocking;
  const int fd = open_socket(attempt, &is_in_place);
  if (fd < 0) return errno;
  const int result = connect(fd, &attempt->target.any, attempt->target.length);
  const int error = result == 0 ? 0 : errno;
  if (error != 0 && error != EINPROGRESS) {
    if (is_in_place) set_nonblocking(fd, is_nonblocking);
    close(fd);
    return error;
  }
  if (attempt->is_led) egress_tell_led(supervisor, fd, address_port(&attempt->target));
  if (is_nonblocking || error == 0) {
    return answer_at_once(supervisor, attempt, fd, is_in_place, error);
  }
  return answer_when_decided(supervisor, attempt, fd, is_in_place);
}

void connect_landed(struct supervisor *supervisor, struct flight *flight) {
  if (!flight->is_answered) {
    int answer = error_of(flight->fd);
    if (answer == 0) {
      answer =
          hand_over(supervisor, &flight->notice, &flight->theirs, flight->fd, flight->is_in_place);
    } else if (flight->is_in_place) {
      set_nonblocking(flight->fd, flight->theirs.is_nonblocking);
    }
    if (answer != SUPERVISOR_GONE) notice_answer(supervisor->listener, &flight->notice, answer);
  }
  flights_end(flight, supervisor->setting.epoll);
}

// A fresh socket in the place of the old one, which nobody else may be served by.
static int disconnect(struct supervisor *supervisor, const struct attempt *attempt) {
  const struct bind_request *request = attempt->request;
  const int fd = own_open(&request->theirs, attempt->type, &request->options);
  if (fd < 0) return errno;
  if (attempt->known != NULL) sockets_let_go(attempt->known);
  if (own_put(supervisor, request->notice, &request->theirs, fd) == NULL) return own_put_failed(fd);
  close(fd);
  return 0;
}

// A second connect of the same stream: what the kernel says of it, as long as we have a copy.
static int answer_again(const struct supervisor *supervisor, const struct attempt *attempt) {
  const struct flight *flight = flights_find(&supervisor->flights, attempt->request->theirs.inode);
  if (flight == NULL) return EISCONN;
  return connect(flight->fd, &attempt->target.any, attempt->target.length) == 0 ? 0 : errno;
}

static int connect_internet(struct supervisor *supervisor, struct attempt *attempt) {
  const struct bind_request *request = attempt->request;
  const struct socket_record *known = attempt->known;
  if (request->length >= sizeof(sa_family_t) && request->bytes.ss_family == AF_UNSPEC) {
    return disconnect(supervisor, attempt);
  }
  const int fault = address_parse(&request->bytes, request->length,
                                  own_family(request->theirs.kind), &attempt->asked);
  if (fault != 0) return fault;
  const bool is_stream = attempt->type == SOCK_STREAM;
  if (is_stream && known != NULL && known->state == SOCKET_LISTENING) return EISCONN;
  const int error = judge(supervisor, attempt);
  if (error != 0) return error;
  if (is_stream && known != NULL && known->state == SOCKET_CONNECTED) {
    return answer_again(supervisor, attempt);
  }
  return carry_out(supervisor, attempt);
}

int connect_call(struct supervisor *supervisor, const struct notice *notice) {
  struct bind_request request = {.notice = notice};
  const int fault = bind_read_request(&request);
  // What was read was the caller's only if the caller is still there.
  if (!notice_is_waiting(supervisor->listener, notice)) return SUPERVISOR_GONE;
  if (fault != 0) return fault;
  struct attempt attempt = {
      .request = &request,
      .known = sockets_find(&supervisor->sockets, request.theirs.inode),
      .type = SOCK_STREAM,
  };
  if (attempt.known != NULL) request.options = attempt.known->options;
  switch (request.theirs.kind) {
    case CALLER_UDP:
    case CALLER_UDP6:
      attempt.type = SOCK_DGRAM;
      return connect_internet(supervisor, &attempt);
    case CALLER_TCP:
    case CALLER_TCP6:
      return connect_internet(supervisor, &attempt);
    case CALLER_UNIX:
      return local_connect(supervisor, &request, attempt.known);
    case CALLER_OTHER:
      break;
  }
  egress_tell(supervisor, VERDICT_REFUSED, EGRESS_OTHER, NULL);
  return EACCES;
}
