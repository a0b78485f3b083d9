// See flights.h.
#include "flights.h"

#include "linger.h"
#include "watch.h"

struct flight *flights_take(struct flights *flights) {
  for (size_t i = 0; i < flights->size; i++) {
    struct flight *flight = &flights->all[i];
    if (flight->is_taken) continue;
    *flight = (struct flight){.is_taken = true, .fd = -1};
    return flight;
  }
  return NULL;
}

struct flight *flights_find(const struct flights *flights, uint64_t inode) {
  for (size_t i = 0; i < flights->size; i++) {
    struct flight *flight = &flights->all[i];
    if (flight->is_taken && flight->inode == inode) return flight;
  }
  return NULL;
}

bool flights_is_any(const struct flights *flights) {
  for (size_t i = 0; i < flights->size; i++) {
    if (flights->all[i].is_taken) return true;
  }
  return false;
}

void flights_end(struct flight *flight, int epoll) {
  if (flight->fd >= 0) {
    watch_remove(epoll, flight->fd);
    linger_close(flight->fd);
  }
  flight->is_taken = false;
  flight->fd = -1;
}

void flights_close(struct flights *flights, int epoll) {
  for (size_t i = 0; i < flights->size; i++) {
    if (flights->all[i].is_taken) flights_end(&flights->all[i], epoll);
  }
}
