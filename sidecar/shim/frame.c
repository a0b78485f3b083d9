// See frame.h.
#include "frame.h"

#include <stdbool.h>
#include <string.h>

static uint16_t read_u16(const uint8_t *at) {
  return (uint16_t)((unsigned)at[0] << 8 | at[1]);
}

static uint32_t read_u32(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint8_t *write_u16(uint8_t *at, uint16_t value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
  return at + 2;
}

static uint8_t *write_u32(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)(value >> 24);
  at[1] = (uint8_t)(value >> 16);
  at[2] = (uint8_t)(value >> 8);
  at[3] = (uint8_t)value;
  return at + 4;
}

static bool is_name(const char *name) {
  for (size_t i = 0; i < FRAME_NAME_LENGTH; i++) {
    const char c = name[i];
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

// NULL where every line is `KEY=VALUE` with a key, else what is wrong.
static const char *environment_fault(const char *lines, size_t length) {
  if (length > FRAME_MAX_ENVIRONMENT_BYTES) return "the environment is longer than 32 KiB";
  size_t count = 0;
  while (length > 0) {
    const char *end = memchr(lines, '\0', length);
    if (end == NULL) return "the environment's last line has no end";
    const size_t line = (size_t)(end - lines);
    const char *equals = memchr(lines, '=', line);
    if (equals == NULL || equals == lines) return "an environment line is not KEY=VALUE";
    if (++count > FRAME_MAX_VARIABLES) return "more than 64 environment lines";
    lines += line + 1;
    length -= line + 1;
  }
  return NULL;
}

// What SPAWN and CONFINE end with: a confinement and environment lines. NULL or the frame's fault.
static const char *decode_terms(struct frame_request *request, const uint8_t *payload,
                                size_t length) {
  const char *fault;
  const size_t used = confinement_decode(payload, length, &request->confinement, &fault);
  if (used == 0) return "a frame's confinement is too short";
  request->environment = (const char *)payload + used;
  request->environment_bytes = length - used;
  request->fault =
      fault != NULL ? fault : environment_fault(request->environment, request->environment_bytes);
  return NULL;
}

static const char *decode_spawn(struct frame_request *request, const uint8_t *payload,
                                size_t length) {
  const size_t head = 4 + FRAME_NAME_LENGTH;
  if (length < head) return "a SPAWN frame is too short";
  request->child = read_u32(payload);
  request->name = (const char *)payload + 4;
  const char *fault = decode_terms(request, payload + head, length - head);
  if (fault == NULL && !is_name(request->name)) {
    request->fault = "the name is not 32 lower-case hex digits";
  }
  return fault;
}

// Decodes a payload by its type; NULL or the frame's fault.
static const char *decode_payload(struct frame_request *request, uint8_t type,
                                  const uint8_t *payload, size_t length) {
  request->type = (enum frame_type)type;
  switch (type) {
    case FRAME_HELLO:
      if (length != 2) return "a HELLO frame has the wrong length";
      request->version = read_u16(payload);
      return NULL;
    case FRAME_SPAWN:
      return decode_spawn(request, payload, length);
    case FRAME_OPENED:
      if (length != 4) return "an OPENED frame has the wrong length";
      request->child = read_u32(payload);
      return NULL;
    case FRAME_END:
      if (length != 12) return "an END frame has the wrong length";
      request->child = read_u32(payload);
      request->term_after_ms = read_u32(payload + 4);
      request->kill_after_ms = read_u32(payload + 8);
      return NULL;
    case FRAME_EXIT:
      if (length != 1) return "an EXIT frame has the wrong length";
      request->exit_code = payload[0];
      return NULL;
    case FRAME_START:
      return length == 0 ? NULL : "a START frame has the wrong length";
    case FRAME_CONFINE:
      return decode_terms(request, payload, length);
    case FRAME_TOKEN:
      if (length < 4 || length > 4 + FRAME_MAX_TOKEN_BYTES)
        return "a TOKEN frame has the wrong length";
      request->child = read_u32(payload);
      request->token = (const char *)payload + 4;
      request->token_bytes = length - 4;
      return NULL;
    default:
      return "a frame has an unknown type";
  }
}

struct frame_decoded frame_decode(const uint8_t *bytes, size_t length) {
  struct frame_decoded decoded = {.outcome = FRAME_INCOMPLETE};
  if (length < FRAME_PREFIX_BYTES) return decoded;
  const uint32_t size = read_u32(bytes);
  if (size < 1 || size > FRAME_MAX_BYTES) {
    decoded.outcome = FRAME_BROKEN;
    decoded.fault = "a frame's length is not 1 to 65536";
    return decoded;
  }
  if (length - FRAME_PREFIX_BYTES < size) return decoded;
  const uint8_t *frame = bytes + FRAME_PREFIX_BYTES;
  decoded.used = FRAME_PREFIX_BYTES + size;
  decoded.fault = decode_payload(&decoded.request, frame[0], frame + 1, size - 1);
  decoded.outcome = decoded.fault == NULL ? FRAME_COMPLETE : FRAME_BROKEN;
  return decoded;
}

// Writes the length (known at the end) before what was written from `to` up to `at`.
static size_t finish(uint8_t *to, const uint8_t *at) {
  const size_t total = (size_t)(at - to);
  write_u32(to, (uint32_t)(total - FRAME_PREFIX_BYTES));
  return total;
}

static uint8_t *start(uint8_t *to, enum frame_type type) {
  to[FRAME_PREFIX_BYTES] = (uint8_t)type;
  return to + FRAME_PREFIX_BYTES + 1;
}

static uint8_t *write_secret(uint8_t *at, const char *secret) {
  memcpy(at, secret, FRAME_SECRET_LENGTH);
  return at + FRAME_SECRET_LENGTH;
}

size_t frame_hello(uint8_t *to, uint32_t uid, uint8_t landlock_abi, uint8_t flags,
                   const struct frame_proof *proof) {
  uint8_t *at = write_u16(start(to, FRAME_HELLO_ANSWER), FRAME_VERSION);
  at = write_u32(at, uid);
  *at++ = landlock_abi;
  *at++ = flags;
  at = write_secret(at, proof->secret);
  at = write_secret(at, proof->mark);
  return finish(to, write_secret(at, proof->found));
}

size_t frame_of_child(uint8_t *to, enum frame_type type, uint32_t child) {
  return finish(to, write_u32(start(to, type), child));
}

size_t frame_spawned(uint8_t *to, uint32_t child, uint32_t pid) {
  return finish(to, write_u32(write_u32(start(to, FRAME_SPAWNED), child), pid));
}

size_t frame_refused(uint8_t *to, uint32_t child, enum frame_reason reason, const char *text) {
  const size_t length = strnlen(text, FRAME_MAX_TEXT_BYTES);
  uint8_t *at = write_u32(start(to, FRAME_REFUSED), child);
  *at++ = (uint8_t)reason;
  memcpy(at, text, length);
  return finish(to, at + length);
}

size_t frame_stderr(uint8_t *to, uint32_t child, uint32_t dropped, const uint8_t *data,
                    size_t length) {
  const size_t kept = length < FRAME_MAX_STDERR_BYTES ? length : FRAME_MAX_STDERR_BYTES;
  uint8_t *at = write_u32(write_u32(start(to, FRAME_STDERR), child), dropped);
  memcpy(at, data, kept);
  return finish(to, at + kept);
}

size_t frame_exited(uint8_t *to, uint32_t child, enum frame_end kind, uint8_t value) {
  uint8_t *at = write_u32(start(to, FRAME_EXITED), child);
  *at++ = (uint8_t)kind;
  *at++ = value;
  return finish(to, at);
}

size_t frame_terminating(uint8_t *to, uint32_t left_ms) {
  return finish(to, write_u32(start(to, FRAME_TERMINATING), left_ms));
}

size_t frame_supervision(uint8_t *to, uint8_t wanted, uint8_t standing, const char *secret,
                         const char *why) {
  const size_t length = strnlen(why, FRAME_MAX_TEXT_BYTES);
  uint8_t *at = start(to, FRAME_SUPERVISION);
  *at++ = wanted;
  *at++ = standing;
  at = write_secret(at, secret);
  memcpy(at, why, length);
  return finish(to, at + length);
}

size_t frame_egress(uint8_t *to, uint32_t child, const struct frame_egress *egress,
                    uint32_t dropped) {
  uint8_t *at = write_u32(start(to, FRAME_EGRESS), child);
  *at++ = (uint8_t)egress->verdict;
  *at++ = (uint8_t)egress->kind;
  *at++ = egress->family;
  memcpy(at, egress->address, FRAME_ADDRESS_BYTES);
  at = write_u16(at + FRAME_ADDRESS_BYTES, egress->port);
  return finish(to, write_u32(at, dropped));
}

size_t frame_token_failed(uint8_t *to, uint32_t child, const char *text) {
  const size_t length = strnlen(text, FRAME_MAX_TEXT_BYTES);
  uint8_t *at = write_u32(start(to, FRAME_TOKEN_FAILED), child);
  memcpy(at, text, length);
  return finish(to, at + length);
}

size_t frame_led(uint8_t *to, uint32_t child, uint16_t from, uint16_t port) {
  uint8_t *at = write_u32(start(to, FRAME_LED), child);
  return finish(to, write_u16(write_u16(at, from), port));
}
