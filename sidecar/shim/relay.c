// See relay.h.
#include "relay.h"

#include <string.h>

void relay_reset(struct relay *relay, uint8_t *held, uint64_t now_ms) {
  *relay = (struct relay){
      .bucket = bucket_full(RELAY_BYTES_PER_SECOND, RELAY_BURST_BYTES, now_ms),
      .held = held,
  };
}

static void drop(struct relay *relay, size_t count) {
  const uint32_t room = UINT32_MAX - relay->dropped;
  relay->dropped += count < room ? (uint32_t)count : room;
}

void relay_take(struct relay *relay, const uint8_t *bytes, size_t length) {
  if (length > RELAY_HELD_BYTES) {
    drop(relay, length - RELAY_HELD_BYTES);
    bytes += length - RELAY_HELD_BYTES;
    length = RELAY_HELD_BYTES;
  }
  const size_t room = RELAY_HELD_BYTES - relay->held_bytes;
  if (length > room) {
    const size_t oldest = length - room;
    drop(relay, oldest);
    memmove(relay->held, relay->held + oldest, relay->held_bytes - oldest);
    relay->held_bytes -= oldest;
  }
  memcpy(relay->held + relay->held_bytes, bytes, length);
  relay->held_bytes += length;
}

bool relay_may_pass(struct relay *relay, size_t length, uint64_t now_ms) {
  return bucket_take(&relay->bucket, length, now_ms);
}

void relay_passed(struct relay *relay) {
  relay->held_bytes = 0;
  relay->dropped = 0;
}
