// The connection to the sidecar: connects, reads requests, queues events. Bounded both ways; a
// sidecar that does not read is dropped. Once a peer has been seen, only its uid is believed.
#ifndef SHIM_CONTROL_H
#define SHIM_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "frame.h"
#include "queue.h"

enum {
  CONTROL_RETRY_MS = 100,
  // Events may pile up for this long while the sidecar reads none of them.
  CONTROL_STALL_MS = 10000,
  // Above this nothing more is taken in: no request is read, no stderr passed.
  CONTROL_SOFT_LIMIT = 65536,
};

struct control {
  const char *dir;
  // -1 while not connected.
  int socket;
  // DIR/pipes, or -1 with the reason in pipes_error.
  int pipes;
  int pipes_error;
  bool has_greeted;
  uid_t peer;
  bool is_peer_known;
  struct queue out;
  bool has_overflowed;
  uint64_t progress_at_ms;
  uint8_t *in;
  size_t in_start;
  size_t in_end;
  // What was last said about not being connected, to say it once.
  int last_error;
};

// Takes the memory of both directions; the queue has room for `children` last words beyond its
// soft limit. -1 where there is none.
int control_open(struct control *control, const char *dir, size_t children);

// Tries once; true when connected. Otherwise errno says why.
bool control_connect(struct control *control, uint64_t now_ms);

// Takes away what a child may have put in the place of the sidecar's files while no sidecar was there:
// to be called when no child is left. Only where the two have different users can one tell.
void control_remove_imitations(const struct control *control);

// Reads once; false at the end of the connection.
bool control_receive(struct control *control);

// The next request of what was read. INCOMPLETE also while events pile up.
struct frame_decoded control_next(struct control *control);

// Whether another request could be taken in now.
bool control_has_request(const struct control *control);

// Queues an event; without a connection there is nobody to tell.
void control_send(struct control *control, const uint8_t *event, size_t length);

// Queues what the sidecar is to know before a child goes on, and sends what the socket takes at once.
void control_send_now(struct control *control, const uint8_t *event, size_t length);

// Whether less urgent events may be queued.
bool control_has_room(const struct control *control);

// Sends what the socket takes; false where the peer has not read for too long. One that has gone is told by the socket.
bool control_flush(struct control *control, uint64_t now_ms);

void control_close(struct control *control);

#endif
