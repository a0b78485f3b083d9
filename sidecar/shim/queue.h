// Bytes on their way out of a non-blocking socket: a bounded first-in first-out buffer over memory
// that the caller owns. Says when it is full; never grows, never blocks.
#ifndef SHIM_QUEUE_H
#define SHIM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue {
  uint8_t *bytes;
  size_t size;
  size_t start;
  size_t end;
};

size_t queue_length(const struct queue *queue);

// Adds all of it or, where it does not fit, nothing.
bool queue_add(struct queue *queue, const uint8_t *bytes, size_t length);

// Sends what the socket takes now; the number of bytes, or -1 where the peer is gone.
long queue_send(struct queue *queue, int socket);

void queue_clear(struct queue *queue);

#endif
