// See pass.h.
#include "pass.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union descriptor_message {
  struct cmsghdr head;
  char bytes[CMSG_SPACE(sizeof(int))];
};

static struct msghdr message_of(struct iovec *part, union descriptor_message *control) {
  return (struct msghdr){
      .msg_iov = part,
      .msg_iovlen = 1,
      .msg_control = control->bytes,
      .msg_controllen = sizeof control->bytes,
  };
}

int pass_descriptor(int socket, const void *bytes, size_t length, int fd) {
  union descriptor_message control = {.bytes = {0}};
  char copy[64];
  struct iovec part = {.iov_base = copy, .iov_len = length};
  struct msghdr message = message_of(&part, &control);
  struct cmsghdr *head = CMSG_FIRSTHDR(&message);
  if (length > sizeof copy) return -1;
  memcpy(copy, bytes, length);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(head), &fd, sizeof fd);
  const ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL);
  close(fd);
  return sent == (ssize_t)length ? 0 : -1;
}

ssize_t pass_receive(int socket, void *bytes, size_t length, int *fd) {
  union descriptor_message control = {.bytes = {0}};
  struct iovec part = {.iov_base = bytes, .iov_len = length};
  struct msghdr message = message_of(&part, &control);
  *fd = -1;
  const ssize_t got = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got < 0) return got;
  const struct cmsghdr *head = CMSG_FIRSTHDR(&message);
  if (head != NULL && head->cmsg_type == SCM_RIGHTS) memcpy(fd, CMSG_DATA(head), sizeof *fd);
  return got;
}
