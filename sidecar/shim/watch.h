// What the shim's epoll instance watches, and how an event finds its owner again.
#ifndef SHIM_WATCH_H
#define SHIM_WATCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

enum watch_kind {
  WATCH_SIGNALS,
  WATCH_CONTROL,
  WATCH_MONITOR,
  WATCH_STDERR,
  WATCH_START,
  WATCH_CALLS,
  WATCH_FLIGHT,
};

// Starts to watch for input; -1 with errno. An event for a place that has meanwhile changed hands is
// harmless: all reading is non-blocking.
int watch_add(int epoll, int fd, enum watch_kind kind, ptrdiff_t place);

// Stops watching.
void watch_remove(int epoll, int fd);

// Changes what a control connection is watched for.
void watch_change(int epoll, int fd, enum watch_kind kind, uint32_t events);

// The same of one that has a place.
void watch_change_at(int epoll, int fd, enum watch_kind kind, size_t place, uint32_t events);

enum watch_kind watch_kind_of(const struct epoll_event *event);
size_t watch_place_of(const struct epoll_event *event);

#endif
