// See listen.h.
#include "listen.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "bind.h"
#include "caller.h"
#include "own.h"
#include "supervisor.h"

// Says where a server is, if that is not where it meant to be.
static void say_where(struct supervisor *supervisor, const struct socket_record *record) {
  char asked[ADDRESS_TEXT_BYTES];
  char listening[ADDRESS_TEXT_BYTES];
  address_print(&record->asked, asked);
  address_print(&record->listening, listening);
  if (strcmp(asked, listening) == 0) return;
  supervisor_say(supervisor, "the server asked to listen on %s and listens on %s", asked,
                 listening);
}

// On our copy of the very socket.
static int listen_held(struct supervisor *supervisor, struct socket_record *record, int backlog) {
  if (listen(record->held, backlog) != 0) return errno;
  sockets_let_go(record);
  record->state = SOCKET_LISTENING;
  if (record->is_tcp) say_where(supervisor, record);
  return 0;
}

// On another socket in its place.
static int listen_anew(struct supervisor *supervisor, const struct notice *notice,
                       const struct caller_socket *theirs, struct socket_record wanted) {
  // The socket that is replaced may hold the port until then.
  options_set_number(&wanted.options, OPTION_REUSE_ADDRESS, 1);
  const int fd = own_open(theirs, SOCK_STREAM, &wanted.options);
  if (fd < 0) return errno;
  if (bind_own(fd, &wanted.listening) != 0) return own_fail(fd);
  if (address_is_reserved(address_port(&wanted.listening))) {
    close(fd);
    return EADDRINUSE;
  }
  if (listen(fd, (int)notice->arguments[1]) != 0) return own_fail(fd);
  struct socket_record *record = own_put(supervisor, notice, theirs, fd);
  if (record == NULL) return own_put_failed(fd);
  close(fd);
  record->state = SOCKET_LISTENING;
  record->is_tcp = true;
  record->asked = wanted.asked;
  record->listening = wanted.listening;
  say_where(supervisor, record);
  return 0;
}

// For a socket that was never bound: the kernel would take any port, for everybody.
static struct socket_record unbound(const struct caller_socket *theirs,
                                    const struct socket_record *known) {
  struct socket_record wanted = {.held = -1};
  const sa_family_t family = own_family(theirs->kind);
  if (known != NULL) wanted.options = known->options;
  wanted.listening = address_loopback(family, options_has(&wanted.options, OPTION_ONLY_V6));
  wanted.asked = (struct address){.length = wanted.listening.length};
  wanted.asked.any.sa_family = family;
  return wanted;
}

static int listen_tcp(struct supervisor *supervisor, const struct notice *notice,
                      const struct caller_socket *theirs, struct socket_record *record) {
  const int backlog = (int)notice->arguments[1];
  if (record == NULL || record->state == SOCKET_UNBOUND) {
    return listen_anew(supervisor, notice, theirs, unbound(theirs, record));
  }
  // Also by another process that has it: the backlog stays as it is.
  if (record->state == SOCKET_LISTENING) return 0;
  if (record->state == SOCKET_CONNECTED) return EINVAL;
  if (record->held >= 0) return listen_held(supervisor, record, backlog);
  return listen_anew(supervisor, notice, theirs, *record);
}

int listen_call(struct supervisor *supervisor, const struct notice *notice) {
  struct caller_socket theirs;
  const int error = caller_socket(notice->thread, (int)notice->arguments[0], &theirs);
  if (!notice_is_waiting(supervisor->listener, notice)) return SUPERVISOR_GONE;
  if (error != 0) return error;
  struct socket_record *record = sockets_find(&supervisor->sockets, theirs.inode);
  switch (theirs.kind) {
    case CALLER_TCP:
    case CALLER_TCP6:
      return listen_tcp(supervisor, notice, &theirs, record);
    case CALLER_UNIX:
      if (record != NULL && record->state == SOCKET_LISTENING) return 0;
      if (record == NULL || record->held < 0) return EINVAL;
      return listen_held(supervisor, record, (int)notice->arguments[1]);
    default:
      return EOPNOTSUPP;
  }
}
