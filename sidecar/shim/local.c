// See local.h.
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "bind.h"
#include "diag.h"
#include "egress.h"
#include "name.h"
#include "own.h"
#include "supervisor.h"

enum { PROC_PATH_BYTES = 64, PATH_BYTES = 256, LINE_BYTES = 512, UNCONNECTED = 1 };

// The type of a line of /proc/net/unix about an unconnected socket with this inode, else 0.
// `ADDRESS: REFERENCES PROTOCOL FLAGS TYPE STATE INODE [NAME]`, all but the inode in hex.
static int type_of_line(const char *line, uint64_t inode) {
  char *at = strchr(line, ':');
  if (at == NULL) return 0;
  at++;
  for (int skipped = 0; skipped < 3; skipped++) strtoul(at, &at, 16);
  const int type = (int)strtoul(at, &at, 16);
  const unsigned long state = strtoul(at, &at, 16);
  return strtoull(at, NULL, 10) == inode && state == UNCONNECTED ? type : 0;
}

// The type of the caller's socket; 0 where it has none, or is connected.
static int type_of(const struct notice *notice, uint64_t inode) {
  char path[PROC_PATH_BYTES];
  char line[LINE_BYTES];
  snprintf(path, sizeof path, "/proc/%u/net/unix", (unsigned)notice->thread);
  FILE *file = fopen(path, "re");
  if (file == NULL) return 0;
  int type = 0;
  while (type == 0 && fgets(line, sizeof line, file) != NULL) type = type_of_line(line, inode);
  fclose(file);
  return type;
}

// Whether a path means the same to the caller and to us.
static bool is_in_our_files(uint32_t thread) {
  char path[PROC_PATH_BYTES];
  struct stat theirs;
  struct stat ours;
  snprintf(path, sizeof path, "/proc/%u/root", (unsigned)thread);
  if (stat(path, &theirs) != 0 || stat("/", &ours) != 0) return false;
  if (theirs.st_dev != ours.st_dev || theirs.st_ino != ours.st_ino) return false;
  snprintf(path, sizeof path, "/proc/%u/ns/mnt", (unsigned)thread);
  return stat(path, &theirs) == 0 && stat("/proc/self/ns/mnt", &ours) == 0 &&
         theirs.st_ino == ours.st_ino;
}

// Paths through these would lead through us.
static bool is_about_oneself(const char *path) {
  return strncmp(path, "/proc/self", 10) == 0 || strncmp(path, "/proc/thread-self", 17) == 0;
}

static mode_t umask_of(uint32_t thread) {
  char path[PROC_PATH_BYTES];
  char line[LINE_BYTES];
  snprintf(path, sizeof path, "/proc/%u/status", (unsigned)thread);
  FILE *file = fopen(path, "re");
  // Whoever can't be asked is given the least.
  mode_t mask = 0777;
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, "Umask:", 6) == 0) mask = (mode_t)strtoul(line + 6, NULL, 8) & 0777;
  }
  if (file != NULL) fclose(file);
  return mask;
}

// A caller's, and one byte more, always 0: the kernel takes a path that fills the address.
struct local_address {
  socklen_t length;
  union {
    struct sockaddr_un un;
    char bytes[sizeof(struct sockaddr_un) + 1];
  };
};

// As if from the caller's working directory, with its umask; -1 with errno.
static int bind_path(struct writing *writing, int fd, uint32_t thread,
                     const struct local_address *asked, struct socket_name *name) {
  const struct sockaddr_un *address = &asked->un;
  char path[PROC_PATH_BYTES];
  snprintf(path, sizeof path, "/proc/%u/cwd", (unsigned)thread);
  const int ours = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (ours < 0) return -1;
  const mode_t mask = umask(umask_of(thread));
  int result = chdir(path);
  if (result == 0) {
    result = writing_bind(writing, fd, (const struct sockaddr *)address, asked->length);
  }
  const int why = errno;
  struct stat status;
  if (result == 0 && lstat(address->sun_path, &status) == 0) *name = name_of_file(&status);
  umask(mask);
  if (fchdir(ours) != 0) result = -1;
  close(ours);
  errno = why;
  return result;
}

// 0, or the error number that is the answer.
static int read_address(const struct bind_request *request, struct local_address *address) {
  *address = (struct local_address){.bytes = {0}};
  if (request->length < sizeof address->un.sun_family || request->length > sizeof address->un) {
    return EINVAL;
  }
  memcpy(address->bytes, &request->bytes, request->length);
  address->length = (socklen_t)request->length;
  return 0;
}

static bool is_abstract(const struct sockaddr_un *address, socklen_t length) {
  return length <= offsetof(struct sockaddr_un, sun_path) || address->sun_path[0] == '\0';
}

// The name that it has got.
static struct socket_name abstract_name(int fd) {
  struct sockaddr_un got;
  socklen_t length = sizeof got;
  if (getsockname(fd, (struct sockaddr *)&got, &length) != 0) return (struct socket_name){0};
  return name_of_abstract(&got, length);
}

// Binds ours where the caller asked; -1 with errno.
static int bind_name(struct supervisor *supervisor, const struct notice *notice, int fd,
                     const struct local_address *address, struct socket_name *name) {
  const socklen_t length = address->length;
  // The kernel chooses a name, or it is an abstract one: no file.
  if (is_abstract(&address->un, length)) {
    const int result = bind(fd, (const struct sockaddr *)&address->un, length);
    if (result == 0) *name = abstract_name(fd);
    return result;
  }
  if (is_about_oneself(address->un.sun_path) || !is_in_our_files(notice->thread)) {
    supervisor_say(supervisor, "a unix socket below /proc/self or another root can't be bound: "
                               "give it a path below the container's own");
    errno = EACCES;
    return -1;
  }
  return bind_path(&supervisor->setting.writing, fd, notice->thread, address, name);
}

int local_bind(struct supervisor *supervisor, const struct bind_request *request) {
  const struct caller_socket *theirs = &request->theirs;
  struct local_address address;
  struct socket_name name = {0};
  const int fault = read_address(request, &address);
  if (fault != 0) return fault;
  if (address.un.sun_family != AF_UNIX) return EINVAL;
  const int type = type_of(request->notice, theirs->inode);
  if (type == 0) return EINVAL;
  const int fd = own_open(theirs, type, &request->options);
  if (fd < 0) return errno;
  // The file will have the mode that the socket has.
  (void)!fchmod(fd, theirs->mode);
  if (bind_name(supervisor, request->notice, fd, &address, &name) != 0) return own_fail(fd);
  struct socket_record *record = own_put(supervisor, request->notice, theirs, fd);
  if (record == NULL) return own_put_failed(fd);
  record->state = SOCKET_BOUND;
  record->asked = request->asked;
  record->name = name;
  if (type == SOCK_DGRAM && supervisor->confinement.mode == CONFINEMENT_OFF) {
    close(fd);
  } else {
    supervisor_hold(supervisor, record, fd);
  }
  return 0;
}

// Whether a socket that we have bound under this name for one of this supervisor's processes is
// still open, and is what stands there now.
static bool is_own(const struct supervisor *supervisor, const struct socket_name *name,
                   bool is_file) {
  for (size_t i = 0; i < supervisor->sockets.size; i++) {
    const struct socket_record *record = sockets_at(&supervisor->sockets, i);
    if (record->state == SOCKET_FREE || !name_is(&record->name, name)) continue;
    bool is_open = false;
    struct socket_name file;
    if (diag_knows_unix()) {
      is_open = diag_unix(record->inode, &file) == 0 && (!is_file || name_is(&file, name));
    } else {
      caller_mark_open(&record->inode, &is_open, 1);
    }
    if (is_open) return true;
  }
  return false;
}

// The file that a path leads to for the caller, held so that nobody can put another there; -1 with errno.
static int open_file(uint32_t thread, const char *path, struct socket_name *name) {
  char cwd_path[PROC_PATH_BYTES];
  struct stat status;
  snprintf(cwd_path, sizeof cwd_path, "/proc/%u/cwd", (unsigned)thread);
  const int cwd = open(cwd_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (cwd < 0) return -1;
  const int file = openat(cwd, path, O_PATH | O_CLOEXEC);
  const int why = errno;
  close(cwd);
  errno = why;
  if (file < 0) return -1;
  if (fstat(file, &status) == 0 && S_ISSOCK(status.st_mode)) {
    *name = name_of_file(&status);
    return file;
  }
  close(file);
  errno = ECONNREFUSED;
  return -1;
}

static bool is_control(const struct supervisor *supervisor, const struct socket_name *name) {
  char path[PATH_BYTES];
  struct stat status;
  if (supervisor->setting.run_dir == NULL) return false;
  const int length = snprintf(path, sizeof path, "%s/control", supervisor->setting.run_dir);
  // What can't be looked at could be anything.
  if (length < 0 || (size_t)length >= sizeof path) return true;
  if (stat(path, &status) != 0) return false;
  const struct socket_name control = name_of_file(&status);
  return name_is(&control, name);
}

// Tells, and decides about a name that this supervisor's processes have not bound.
static int judge_others(struct supervisor *supervisor, const struct socket_name *name,
                        bool is_file) {
  const bool is_let = supervisor->confinement.mode == CONFINEMENT_OBSERVE && is_file &&
                      !is_control(supervisor, name);
  egress_tell(supervisor, is_let ? VERDICT_OBSERVED : VERDICT_REFUSED, EGRESS_UNIX, NULL);
  return is_let ? 0 : EACCES;
}

// Whoever listens under us listens by us: then it is a sibling's.
static bool is_siblings(int fd) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid == getpid();
}

// Connects ours; never waits. -1 with errno.
static int connect_now(int fd, const struct local_address *address) {
  const int flags = fcntl(fd, F_GETFL);
  fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  const int result = connect(fd, (const struct sockaddr *)&address->un, address->length);
  const int why = errno;
  fcntl(fd, F_SETFL, flags);
  errno = why;
  return result;
}

// To the file that is held, whatever its path leads to by now.
static struct local_address address_of_file(int file) {
  struct local_address address = {.length = sizeof address.un};
  address.un.sun_family = AF_UNIX;
  snprintf(address.un.sun_path, sizeof address.un.sun_path, "/proc/self/fd/%d", file);
  return address;
}

// 0, or the error number that is the answer.
static int connect_ours(struct supervisor *supervisor, const struct bind_request *request, int fd,
                        bool is_in_place, const struct local_address *address) {
  struct socket_name name;
  if (is_abstract(&address->un, address->length)) {
    name = name_of_abstract(address->bytes, address->length);
    const int error = is_own(supervisor, &name, false) ? 0 : judge_others(supervisor, &name, false);
    if (error != 0) return error;
    return connect_now(fd, address) == 0 ? 0 : errno;
  }
  const int file = open_file(request->notice->thread, address->un.sun_path, &name);
  if (file < 0) return errno;
  const bool is_ours = is_own(supervisor, &name, true);
  int error = is_ours ? 0 : judge_others(supervisor, &name, true);
  // Whom it has reached can only be seen afterwards, and then the caller must not have it.
  if (error == 0 && !is_ours && is_in_place) error = EACCES;
  if (error == 0) {
    const struct local_address held = address_of_file(file);
    error = connect_now(fd, &held) == 0 ? 0 : errno;
  }
  close(file);
  if (error == 0 && !is_ours && is_siblings(fd)) error = EACCES;
  return error;
}

static int fail_and_close(int fd, int error) {
  close(fd);
  return error;
}

int local_connect(struct supervisor *supervisor, const struct bind_request *request,
                  struct socket_record *known) {
  const struct caller_socket *theirs = &request->theirs;
  struct local_address address;
  int error = read_address(request, &address);
  if (error != 0) return error;
  const int type = type_of(request->notice, theirs->inode);
  if (type == 0 && address.un.sun_family != AF_UNSPEC) return EISCONN;
  if (address.un.sun_family == AF_UNSPEC) return EOPNOTSUPP;
  if (address.un.sun_family != AF_UNIX) return EINVAL;
  if (!caller_is_like_us(request->notice->thread) || !is_in_our_files(request->notice->thread) ||
      is_about_oneself(address.un.sun_path)) {
    egress_tell(supervisor, VERDICT_REFUSED, EGRESS_UNIX, NULL);
    return EACCES;
  }
  const bool is_bound = known != NULL && known->state == SOCKET_BOUND;
  if (is_bound) {
    if (known->held < 0) return EINVAL;
    error = connect_ours(supervisor, request, known->held, true, &address);
    if (error == 0) sockets_let_go(known);
    return error;
  }
  const int fd = own_open(theirs, type, &request->options);
  if (fd < 0) return errno;
  error = connect_ours(supervisor, request, fd, false, &address);
  if (error != 0) return fail_and_close(fd, error);
  if (own_put(supervisor, request->notice, theirs, fd) == NULL) return own_put_failed(fd);
  close(fd);
  return 0;
}
