// See control.h.
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "fifo.h"
#include "report.h"
#include "tree.h"

enum { IN_BYTES = FRAME_PREFIX_BYTES + FRAME_MAX_BYTES, REMOVE_MS = 1000 };

// So long we stand in line where others have filled the sidecar's queue: the kernel lets who waits in by turns.
enum { IN_LINE_US = 100000 };

// Room for one child's events beyond the soft limit: its stderr's tail and what surrounds it.
enum { LAST_WORDS_BYTES = FRAME_MAX_EVENT_BYTES + FRAME_MAX_TEXT_BYTES + 128 };

static void *take_memory(size_t size) {
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

int control_open(struct control *control, const char *dir, size_t children) {
  *control = (struct control){.dir = dir, .socket = -1, .pipes = -1};
  control->out.size = CONTROL_SOFT_LIMIT + FRAME_MAX_EVENT_BYTES + children * LAST_WORDS_BYTES;
  control->out.bytes = take_memory(control->out.size);
  control->in = take_memory(IN_BYTES);
  return control->out.bytes == NULL || control->in == NULL ? -1 : 0;
}

static int connect_to(const char *dir) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const int length = snprintf(address.sun_path, sizeof address.sun_path, "%s/control", dir);
  if (length < 0 || (size_t)length >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  const struct timeval in_line = {.tv_usec = IN_LINE_US};
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &in_line, sizeof in_line) == 0 &&
      connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
      fcntl(fd, F_SETFL, O_NONBLOCK) == 0) {
    return fd;
  }
  const int why = errno;
  close(fd);
  errno = why;
  return -1;
}

// A restarted sidecar has the uid of the first; whoever else listens there is not it.
static bool is_right_peer(struct control *control, int fd) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  if (control->is_peer_known && control->peer != peer.uid) {
    if (control->last_error != EPERM) {
      report_line("who listens on %s/control has uid %u, but the sidecar had %u", control->dir,
                  (unsigned)peer.uid, (unsigned)control->peer);
    }
    errno = EPERM;
    return false;
  }
  control->peer = peer.uid;
  return true;
}

bool control_connect(struct control *control, uint64_t now_ms) {
  const int fd = connect_to(control->dir);
  if (fd < 0) return false;
  if (!is_right_peer(control, fd)) {
    const int why = errno;
    close(fd);
    errno = why;
    return false;
  }
  control->socket = fd;
  control->pipes = fifo_open_folder(control->dir, control->peer);
  control->pipes_error = control->pipes < 0 ? errno : 0;
  control->has_greeted = false;
  control->has_overflowed = false;
  control->in_start = 0;
  control->in_end = 0;
  control->progress_at_ms = now_ms;
  queue_clear(&control->out);
  return true;
}

bool control_has_room(const struct control *control) {
  return control->socket >= 0 && queue_length(&control->out) < CONTROL_SOFT_LIMIT;
}

bool control_receive(struct control *control) {
  if (control->in_start > 0) {
    memmove(control->in, control->in + control->in_start, control->in_end - control->in_start);
    control->in_end -= control->in_start;
    control->in_start = 0;
  }
  // Full of requests that must wait.
  if (control->in_end == IN_BYTES) return true;
  const ssize_t length =
      recv(control->socket, control->in + control->in_end, IN_BYTES - control->in_end, 0);
  if (length < 0) return errno == EAGAIN || errno == EINTR;
  control->in_end += (size_t)length;
  return length > 0;
}

struct frame_decoded control_next(struct control *control) {
  struct frame_decoded decoded = {.outcome = FRAME_INCOMPLETE};
  if (!control_has_room(control)) return decoded;
  decoded = frame_decode(control->in + control->in_start, control->in_end - control->in_start);
  if (decoded.outcome == FRAME_COMPLETE) control->in_start += decoded.used;
  return decoded;
}

bool control_has_request(const struct control *control) {
  return control->socket >= 0 && control_has_room(control) &&
         frame_decode(control->in + control->in_start, control->in_end - control->in_start)
                 .outcome != FRAME_INCOMPLETE;
}

void control_remove_imitations(const struct control *control) {
  if (!control->is_peer_known || control->peer == geteuid()) return;
  const int dir = open(control->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) return;
  static const char *const NAMES[] = {"control", "pipes"};
  for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
    struct stat status;
    if (fstatat(dir, NAMES[i], &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (status.st_uid != geteuid()) continue;
    report_line("%s/%s was a child's, not the sidecar's: removed", control->dir, NAMES[i]);
    tree_remove(dir, NAMES[i], clock_now_ms() + REMOVE_MS);
  }
  close(dir);
}

void control_send(struct control *control, const uint8_t *event, size_t length) {
  if (control->socket < 0) return;
  if (!queue_add(&control->out, event, length)) control->has_overflowed = true;
}

void control_send_now(struct control *control, const uint8_t *event, size_t length) {
  control_send(control, event, length);
  if (control->socket < 0) return;
  // What goes wrong, the flush of this turn finds out.
  if (queue_send(&control->out, control->socket) > 0) control->progress_at_ms = clock_now_ms();
}

bool control_flush(struct control *control, uint64_t now_ms) {
  if (control->has_overflowed) return false;
  if (queue_length(&control->out) == 0) {
    control->progress_at_ms = now_ms;
    return true;
  }
  const long sent = queue_send(&control->out, control->socket);
  if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) {
    // It has gone, and reads nothing any more: the socket itself tells so.
    queue_clear(&control->out);
    return true;
  }
  if (sent < 0) return false;
  if (sent > 0) control->progress_at_ms = now_ms;
  return now_ms - control->progress_at_ms < CONTROL_STALL_MS;
}

void control_close(struct control *control) {
  if (control->socket >= 0) close(control->socket);
  if (control->pipes >= 0) close(control->pipes);
  control->socket = -1;
  control->pipes = -1;
  queue_clear(&control->out);
}
