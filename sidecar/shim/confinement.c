// See confinement.h.
#include "confinement.h"

#include "address.h"

enum { HEAD_BYTES = 2, FORWARD_BYTES = 4 };

static uint16_t read_u16(const uint8_t *at) {
  return (uint16_t)((unsigned)at[0] << 8 | at[1]);
}

static const char *forward_fault(const struct confinement *confinement, size_t at) {
  const struct confinement_forward *forward = &confinement->forwards[at];
  if (forward->local == 0 || forward->port == 0) return "a forward's port is 0";
  if (address_is_reserved(forward->local)) return "a forward's port is the sidecar's own";
  for (size_t i = 0; i < at; i++) {
    if (confinement->forwards[i].local == forward->local) return "two forwards have one port";
  }
  return NULL;
}

size_t confinement_decode(const uint8_t *bytes, size_t length, struct confinement *confinement,
                          const char **fault) {
  *confinement = (struct confinement){.mode = CONFINEMENT_OFF};
  *fault = NULL;
  if (length < HEAD_BYTES) return 0;
  const size_t count = bytes[1];
  const size_t used = HEAD_BYTES + count * FORWARD_BYTES;
  if (length < used) return 0;
  if (bytes[0] > CONFINEMENT_ENFORCE) *fault = "an unknown confinement";
  if (count > CONFINEMENT_MAX_FORWARDS) *fault = "more than 34 forwards";
  if (*fault != NULL) return used;
  confinement->mode = (enum confinement_mode)bytes[0];
  confinement->count = count;
  for (size_t i = 0; i < count && *fault == NULL; i++) {
    const uint8_t *at = bytes + HEAD_BYTES + i * FORWARD_BYTES;
    confinement->forwards[i] =
        (struct confinement_forward){.local = read_u16(at), .port = read_u16(at + 2)};
    *fault = forward_fault(confinement, i);
  }
  return used;
}
