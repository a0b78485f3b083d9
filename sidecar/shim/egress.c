// See egress.h.
#include "egress.h"

#include <string.h>

#include "clock.h"
#include "control.h"
#include "supervisor.h"

enum { VERSION_4 = 4, VERSION_6 = 6 };

static void fill_address(struct frame_egress *egress, const struct address *address) {
  const bool is_four = address->any.sa_family == AF_INET;
  egress->family = is_four ? VERSION_4 : VERSION_6;
  egress->port = address_port(address);
  if (is_four) {
    memcpy(egress->address, &address->four.sin_addr, sizeof address->four.sin_addr);
  } else {
    memcpy(egress->address, &address->six.sin6_addr, sizeof address->six.sin6_addr);
  }
}

enum { TELL_AGAIN_MS = 250 };

static void send_told(struct supervisor *supervisor, const struct frame_egress *egress,
                      uint32_t dropped) {
  uint8_t event[FRAME_MAX_EVENT_BYTES];
  control_send_now(supervisor->setting.control, event,
                   frame_egress(event, supervisor->setting.child, egress, dropped));
  supervisor->untold = 0;
  supervisor->tell_at_ms = CLOCK_NEVER;
}

static bool may_tell(struct supervisor *supervisor, enum supervisor_told sort, uint64_t now_ms) {
  return egress_can_tell(supervisor) && bucket_take(&supervisor->told[sort], 1, now_ms);
}

static void tell(struct supervisor *supervisor, const struct frame_egress *egress,
                 enum supervisor_told sort) {
  const uint64_t now_ms = clock_now_ms();
  if (may_tell(supervisor, sort, now_ms)) {
    send_told(supervisor, egress, supervisor->untold);
    return;
  }
  if (supervisor->untold < UINT32_MAX) supervisor->untold++;
  supervisor->last = *egress;
  supervisor->last_sort = sort;
  if (supervisor->tell_at_ms == CLOCK_NEVER && supervisor->setting.control != NULL) {
    supervisor->tell_at_ms = now_ms + TELL_AGAIN_MS;
  }
}

void egress_tell_last(struct supervisor *supervisor, uint64_t now_ms) {
  supervisor->tell_at_ms = now_ms + TELL_AGAIN_MS;
  if (may_tell(supervisor, supervisor->last_sort, now_ms)) {
    send_told(supervisor, &supervisor->last, supervisor->untold - 1);
  }
}

void egress_tell_end(struct supervisor *supervisor) {
  if (supervisor->untold == 0 || !egress_can_tell(supervisor)) return;
  send_told(supervisor, &supervisor->last, supervisor->untold - 1);
}

void egress_tell(struct supervisor *supervisor, enum frame_verdict verdict,
                 enum frame_egress_kind kind, const struct address *address) {
  struct frame_egress egress = {.verdict = verdict, .kind = kind};
  if (address != NULL) fill_address(&egress, address);
  tell(supervisor, &egress, verdict == VERDICT_REFUSED ? TOLD_REFUSED : TOLD_LET);
}

static uint8_t *put_u16(uint8_t *at, int value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
  return at + 2;
}

void egress_tell_socket(struct supervisor *supervisor, enum frame_egress_kind kind,
                        const struct egress_socket *wanted) {
  struct frame_egress egress = {.verdict = VERDICT_REFUSED, .kind = kind};
  uint8_t *at = put_u16(egress.address, wanted->domain);
  at = put_u16(at, wanted->type);
  put_u16(at, wanted->protocol);
  tell(supervisor, &egress, TOLD_SOCKETS);
}

bool egress_can_tell(const struct supervisor *supervisor) {
  const struct control *control = supervisor->setting.control;
  return control != NULL && control->socket >= 0 && control->has_greeted &&
         control_has_room(control);
}

void egress_tell_led(struct supervisor *supervisor, int fd, uint16_t port) {
  uint8_t event[FRAME_MAX_EVENT_BYTES];
  struct address from = {.length = sizeof from.six};
  if (getsockname(fd, &from.any, &from.length) != 0) return;
  control_send_now(supervisor->setting.control, event,
                   frame_led(event, supervisor->setting.child, address_port(&from), port));
}
