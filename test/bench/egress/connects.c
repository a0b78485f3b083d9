// Connects again and again to a port of its own on loopback, and to an address that a confined process does not reach; prints the median
// of each in nanoseconds, the second only where it is refused: `connects COUNT`.
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

// The first of anything are dearer.
enum { WARM_UP = 100, BACKLOG = 16 };

static long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000L + time.tv_nsec;
}

static int by_size(const void *one, const void *other) {
  const long a = *(const long *)one;
  const long b = *(const long *)other;
  return (a > b) - (a < b);
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

// How long one connect took; the error number of one that was refused is left in `refused`.
static long connect_once(const struct sockaddr_in *to, int listener, int *refused) {
  const int ours = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (ours < 0) fail("socket");
  const long start = now();
  const int result = connect(ours, (const struct sockaddr *)to, sizeof *to);
  const long took = now() - start;
  *refused = result == 0 ? 0 : errno;
  if (result == 0) {
    const int theirs = accept(listener, NULL, NULL);
    if (theirs < 0) fail("accept");
    close(theirs);
  }
  close(ours);
  return took;
}

static long median_of(const struct sockaddr_in *to, int listener, long *all, int count,
                      int expected) {
  int refused = 0;
  for (int i = -WARM_UP; i < count; i++) {
    const long took = connect_once(to, listener, &refused);
    if (refused != expected) return -1;
    if (i >= 0) all[i] = took;
  }
  qsort(all, (size_t)count, sizeof *all, by_size);
  return all[count / 2];
}

int main(int argc, char **argv) {
  const int count = argc > 1 ? atoi(argv[1]) : 0;
  long *all = calloc((size_t)count + 1, sizeof *all);
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof own;
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (count <= 0 || all == NULL || listener < 0) fail("connects COUNT");
  if (bind(listener, (const struct sockaddr *)&own, sizeof own) != 0) fail("bind");
  if (listen(listener, BACKLOG) != 0) fail("listen");
  if (getsockname(listener, (struct sockaddr *)&own, &length) != 0) fail("getsockname");
  printf("own %ld\n", median_of(&own, listener, all, count, 0));
  // Nobody is asked (RFC 5737): of who is not confined the kernel of a machine without a way out says ENETUNREACH, which is not counted.
  struct sockaddr_in far = {.sin_family = AF_INET, .sin_port = htons(9)};
  far.sin_addr.s_addr = inet_addr("192.0.2.1");
  if (argc > 2) printf("refused %ld\n", median_of(&far, listener, all, count, EACCES));
  return 0;
}
