// See sockets.h.
#include "sockets.h"

#include "linger.h"

void sockets_open(struct sockets *sockets, const struct socket_memory *memory, size_t most_held) {
  *sockets = (struct sockets){.memory = *memory, .size = memory->size, .most_held = most_held};
}

struct socket_record *sockets_at(const struct sockets *sockets, size_t place) {
  return &sockets->memory.records[place * sockets->memory.stride];
}

// A place that is free may be all zeros, so that pages that were never used stay so.
static bool is_held(const struct socket_record *record) {
  return record->state != SOCKET_FREE && record->held >= 0;
}

void sockets_close(struct sockets *sockets) {
  for (size_t i = 0; i < sockets->size; i++) {
    if (sockets_at(sockets, i)->state == SOCKET_FREE) continue;
    sockets_let_go(sockets_at(sockets, i));
    sockets_at(sockets, i)->state = SOCKET_FREE;
  }
}

struct socket_record *sockets_find(struct sockets *sockets, uint64_t inode) {
  for (size_t i = 0; i < sockets->size; i++) {
    struct socket_record *record = sockets_at(sockets, i);
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
  struct socket_record *place = sockets_at(sockets, 0);
  for (size_t i = 0; i < sockets->size && place->state != SOCKET_FREE; i++) {
    struct socket_record *record = sockets_at(sockets, i);
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
    struct socket_record *other = sockets_at(sockets, i);
    if (!is_held(other)) continue;
    held++;
    if (oldest == NULL || other->used < oldest->used) oldest = other;
  }
  if (held >= sockets->most_held) sockets_let_go(oldest);
  record->held = fd;
}

void sockets_let_go(struct socket_record *record) {
  if (!is_held(record)) return;
  linger_close(record->held);
  record->held = -1;
}

bool sockets_is_holding(const struct sockets *sockets) {
  for (size_t i = 0; i < sockets->size; i++) {
    if (is_held(sockets_at(sockets, i))) return true;
  }
  return false;
}
