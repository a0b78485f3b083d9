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

void egress_tell(struct supervisor *supervisor, enum frame_verdict verdict,
                 enum frame_egress_kind kind, const struct address *address) {
  struct control *control = supervisor->setting.control;
  const bool is_heard =
      control != NULL && control->socket >= 0 && control->has_greeted && control_has_room(control);
  if (!is_heard || !bucket_take(&supervisor->told, 1, clock_now_ms())) {
    if (supervisor->untold < UINT32_MAX) supervisor->untold++;
    return;
  }
  uint8_t event[FRAME_MAX_EVENT_BYTES];
  struct frame_egress egress = {.verdict = verdict, .kind = kind};
  if (address != NULL) fill_address(&egress, address);
  control_send(control, event,
               frame_egress(event, supervisor->setting.child, &egress, supervisor->untold));
  supervisor->untold = 0;
}
