// libFuzzer target of the control protocol's parser: whatever the bytes are, what the parser hands on
// keeps the promises that the rest of the shim relies on.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void demand(int condition) {
  if (!condition) abort();
}

static void check_environment(const struct frame_request *request) {
  size_t lines = 0;
  for (size_t at = 0; at < request->environment_bytes; lines++) {
    const char *line = request->environment + at;
    const char *equals = strchr(line, '=');
    demand(equals != NULL && equals != line);
    at += strlen(line) + 1;
    demand(at <= request->environment_bytes);
  }
  demand(lines <= FRAME_MAX_VARIABLES);
  demand(request->environment_bytes <= FRAME_MAX_ENVIRONMENT_BYTES);
}

static void check_confinement(const struct confinement *confinement) {
  demand(confinement->mode <= CONFINEMENT_ENFORCE);
  demand(confinement->count <= CONFINEMENT_MAX_FORWARDS);
  for (size_t i = 0; i < confinement->count; i++) {
    demand(confinement->forwards[i].local != 0 && confinement->forwards[i].port != 0);
  }
}

static void check_spawn(const struct frame_request *request) {
  if (request->fault != NULL) return;
  for (size_t i = 0; i < FRAME_NAME_LENGTH; i++) {
    demand(strchr("0123456789abcdef", request->name[i]) != NULL && request->name[i] != '\0');
  }
  check_environment(request);
  check_confinement(&request->confinement);
}

static void check_confine(const struct frame_request *request) {
  if (request->fault != NULL) return;
  check_environment(request);
  check_confinement(&request->confinement);
}

static void check_token(const struct frame_request *request, const uint8_t *end) {
  demand(request->token_bytes <= FRAME_MAX_TOKEN_BYTES);
  demand((const uint8_t *)request->token + request->token_bytes == end);
}

// A prefix of the same bytes must not be taken for a whole frame, nor for a broken one unless it is.
static void check_prefixes(const uint8_t *bytes, size_t used) {
  for (size_t shorter = 0; shorter < used; shorter += used / 8 + 1) {
    demand(frame_decode(bytes, shorter).outcome == FRAME_INCOMPLETE);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  size_t at = 0;
  for (;;) {
    const struct frame_decoded decoded = frame_decode(bytes + at, length - at);
    if (decoded.outcome == FRAME_BROKEN) demand(decoded.fault != NULL);
    if (decoded.outcome != FRAME_COMPLETE) return 0;
    demand(decoded.used > FRAME_PREFIX_BYTES && decoded.used <= length - at);
    check_prefixes(bytes + at, decoded.used);
    if (decoded.request.type == FRAME_SPAWN) check_spawn(&decoded.request);
    if (decoded.request.type == FRAME_CONFINE) check_confine(&decoded.request);
    if (decoded.request.type == FRAME_TOKEN)
      check_token(&decoded.request, bytes + at + decoded.used);
    uint8_t event[FRAME_MAX_EVENT_BYTES];
    const size_t size = frame_stderr(event, decoded.request.child, 0, bytes + at, decoded.used);
    demand(size <= sizeof event);
    at += decoded.used;
  }
}
