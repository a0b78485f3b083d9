// See watch.h.
#include "watch.h"

static struct epoll_event event_for(enum watch_kind kind, size_t place, uint32_t events) {
  return (struct epoll_event){.events = events, .data.u64 = (uint64_t)kind << 32 | place};
}

int watch_add(int epoll, int fd, enum watch_kind kind, ptrdiff_t place) {
  struct epoll_event event = event_for(kind, (size_t)place, EPOLLIN);
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

void watch_remove(int epoll, int fd) {
  epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
}

void watch_change_at(int epoll, int fd, enum watch_kind kind, size_t place, uint32_t events) {
  struct epoll_event event = event_for(kind, place, events);
  epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
}

void watch_change(int epoll, int fd, enum watch_kind kind, uint32_t events) {
  watch_change_at(epoll, fd, kind, 0, events);
}

enum watch_kind watch_kind_of(const struct epoll_event *event) {
  return (enum watch_kind)(event->data.u64 >> 32);
}

size_t watch_place_of(const struct epoll_event *event) {
  return (size_t)(event->data.u64 & UINT32_MAX);
}
