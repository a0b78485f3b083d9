// See sockets.h.
#include "sockets.h"

#include <unistd.h>

void sockets_open(struct sockets *sockets, struct socket_record *records, size_t size,
                  size_t most_held) {
  *sockets = (struct sockets){.records = records, .size = size, .most_held = most_held};
}

// A place that is free may be all zeros, so that pages that were never used stay so.
static bool is_held(const struct socket_record *record) {
  return record->state != SOCKET_FREE && record->held >= 0;
}

void sockets_close(struct sockets *sockets) {
  for (size_t i = 0; i < sockets->size; i++) {
    if (sockets->records[i].state == SOCKET_FREE) continue;
    sockets_let_go(&sockets->records[i]);
    sockets->records[i].state = SOCKET_FREE;
  }
}

struct socket_record *sockets_find(struct sockets *sockets, uint64_t inode) {
  for (size_t i = 0; i < sockets->size; i++) {
    struct socket_record *record = &sockets->records[i];
    if (record->state == SOCKET_FREE || record->inode != inode) continue;
    record->used = ++sockets->uses;
    return record;
  }
  return NULL;
}

// Whether `left` may be forgotten before `right`.
static bool is_lighter(const struct socket_record *left, const struct socket_record *right) {
  if (left->state != right->state) return left->state < right->state;
  return left->used < right->used;
}

struct socket_record *sockets_add(struct sockets *sockets, uint64_t inode) {
  struct socket_record *place = &sockets->records[0];
  for (size_t i = 0; i < sockets->size && place->state != SOCKET_FREE; i++) {
    struct socket_record *record = &sockets->records[i];
    if (record->state == SOCKET_FREE || is_lighter(record, place)) place = record;
  }
  sockets_let_go(place);
  *place = (struct socket_record){
      .state = SOCKET_UNBOUND, .inode = inode, .held = -1, .used = ++sockets->uses};
  return place;
}

void sockets_hold(struct sockets *sockets, struct socket_record *record, int fd) {
  struct socket_record *oldest = NULL;
  size_t held = 0;
  for (size_t i = 0; i < sockets->size; i++) {
    struct socket_record *other = &sockets->records[i];
    if (!is_held(other)) continue;
    held++;
    if (oldest == NULL || other->used < oldest->used) oldest = other;
  }
  if (held >= sockets->most_held) sockets_let_go(oldest);
  record->held = fd;
}

void sockets_let_go(struct socket_record *record) {
  if (!is_held(record)) return;
  close(record->held);
  record->held = -1;
}

bool sockets_is_holding(const struct sockets *sockets) {
  for (size_t i = 0; i < sockets->size; i++) {
    if (is_held(&sockets->records[i])) return true;
  }
  return false;
}
