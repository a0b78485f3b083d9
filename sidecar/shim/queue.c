// See queue.h.
#include "queue.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

size_t queue_length(const struct queue *queue) {
  return queue->end - queue->start;
}

bool queue_add(struct queue *queue, const uint8_t *bytes, size_t length) {
  if (queue->size - queue_length(queue) < length) return false;
  if (queue->size - queue->end < length) {
    memmove(queue->bytes, queue->bytes + queue->start, queue_length(queue));
    queue->end -= queue->start;
    queue->start = 0;
  }
  memcpy(queue->bytes + queue->end, bytes, length);
  queue->end += length;
  return true;
}

long queue_send(struct queue *queue, int socket) {
  const size_t before = queue_length(queue);
  while (queue_length(queue) > 0) {
    const ssize_t sent =
        send(socket, queue->bytes + queue->start, queue_length(queue), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (sent <= 0) return -1;
    queue->start += (size_t)sent;
  }
  const size_t after = queue_length(queue);
  if (after == 0) queue_clear(queue);
  return (long)(before - after);
}

void queue_clear(struct queue *queue) {
  queue->start = 0;
  queue->end = 0;
}
