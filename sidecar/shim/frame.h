// The control protocol's frames (README.md, "Control protocol"): bytes to requests, events to bytes.
// Pure: it reads and writes memory only, trusts no byte, and keeps nothing.
#ifndef SHIM_FRAME_H
#define SHIM_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "confinement.h"

enum {
  FRAME_VERSION = 3,
  FRAME_PREFIX_BYTES = 4,
  FRAME_MAX_BYTES = 65536,
  FRAME_NAME_LENGTH = 32,
  FRAME_SECRET_LENGTH = 32,
  FRAME_ADDRESS_BYTES = 16,
  FRAME_MAX_VARIABLES = 64,
  FRAME_MAX_ENVIRONMENT_BYTES = 32768,
  FRAME_MAX_TOKEN_BYTES = 16384,
  FRAME_MAX_TEXT_BYTES = 1024,
  FRAME_MAX_STDERR_BYTES = 4096,
  // The longest event: STDERR with its header.
  FRAME_MAX_EVENT_BYTES = FRAME_PREFIX_BYTES + 9 + FRAME_MAX_STDERR_BYTES,
};

enum frame_type {
  FRAME_HELLO = 0x01,
  FRAME_SPAWN = 0x02,
  FRAME_OPENED = 0x03,
  FRAME_END = 0x04,
  FRAME_EXIT = 0x05,
  FRAME_START = 0x06,
  FRAME_CONFINE = 0x07,
  FRAME_TOKEN = 0x08,
  FRAME_HELLO_ANSWER = 0x81,
  FRAME_PIPES = 0x82,
  FRAME_SPAWNED = 0x83,
  FRAME_REFUSED = 0x84,
  FRAME_STDERR = 0x85,
  FRAME_EXITED = 0x86,
  FRAME_GONE = 0x87,
  FRAME_TERMINATING = 0x88,
  FRAME_SUPERVISION = 0x89,
  FRAME_EGRESS = 0x8a,
  FRAME_LED = 0x8b,
  FRAME_TOKEN_FAILED = 0x8c,
};

enum frame_reason {
  REASON_TOO_MANY = 1,
  REASON_TOO_FAST = 2,
  REASON_ENDING = 3,
  REASON_BAD_REQUEST = 4,
  REASON_SYSTEM = 5,
  REASON_CANNOT_EXECUTE = 6,
};

// The flags of HELLO.
enum {
  FRAME_IS_PID_1 = 1 << 0,
  FRAME_HAS_NO_SUBREAPER = 1 << 1,
  FRAME_HAS_ONE_COMMAND = 1 << 2,
  // It was tried: what a confined process asks for is decided and carried out by the shim.
  FRAME_CAN_CONFINE = 1 << 3,
  // The kernel's own rules for TCP stand behind that (Landlock ABI 4).
  FRAME_HAS_NETWORK_RULES = 1 << 4,
};

// The calls of SUPERVISION.
enum { FRAME_SUPERVISES_BIND = 1 << 0, FRAME_SUPERVISES_CONNECT = 1 << 1 };

// Of EGRESS: what became of an attempt, and of what kind it was.
enum frame_verdict { VERDICT_ALLOWED = 0, VERDICT_OBSERVED = 1, VERDICT_REFUSED = 2 };
enum frame_egress_kind { EGRESS_TCP = 1, EGRESS_UDP = 2, EGRESS_UNIX = 3, EGRESS_OTHER = 4 };

// By memory: by a signal that the kernel has sent because the container had no more of it.
enum frame_end { FRAME_BY_CODE = 0, FRAME_BY_SIGNAL = 1, FRAME_BY_MEMORY = 2 };

// What HELLO shows of who we are (proof.h).
struct frame_proof {
  char secret[FRAME_SECRET_LENGTH];
  char mark[FRAME_SECRET_LENGTH];
  char found[FRAME_SECRET_LENGTH];
};

// An attempt to reach something.
struct frame_egress {
  enum frame_verdict verdict;
  enum frame_egress_kind kind;
  // 4, 6, or 0 where it has no address.
  uint8_t family;
  uint8_t address[FRAME_ADDRESS_BYTES];
  uint16_t port;
};

// One request. `name`, `environment` and `token` point into the decoded bytes.
struct frame_request {
  enum frame_type type;
  uint32_t child;
  uint16_t version;
  uint8_t exit_code;
  uint32_t term_after_ms;
  uint32_t kill_after_ms;
  const char *name;
  struct confinement confinement;
  // NUL-ended lines, one after the other.
  const char *environment;
  size_t environment_bytes;
  // Not ended by NUL; empty where the child is to have none any more.
  const char *token;
  size_t token_bytes;
  // Of a SPAWN or CONFINE that must be refused: why. NULL where the request is right.
  const char *fault;
};

enum frame_outcome { FRAME_INCOMPLETE, FRAME_COMPLETE, FRAME_BROKEN };

// Decodes the first frame of `bytes`. COMPLETE sets `request` and `used`, BROKEN sets `fault`.
struct frame_decoded {
  enum frame_outcome outcome;
  size_t used;
  const char *fault;
  struct frame_request request;
};
struct frame_decoded frame_decode(const uint8_t *bytes, size_t length);

// Each writes one event to `to` (at least FRAME_MAX_EVENT_BYTES) and returns its length.
size_t frame_hello(uint8_t *to, uint32_t uid, uint8_t landlock_abi, uint8_t flags,
                   const struct frame_proof *proof);
size_t frame_of_child(uint8_t *to, enum frame_type type, uint32_t child);
size_t frame_spawned(uint8_t *to, uint32_t child, uint32_t pid);
size_t frame_refused(uint8_t *to, uint32_t child, enum frame_reason reason, const char *text);
size_t frame_stderr(uint8_t *to, uint32_t child, uint32_t dropped, const uint8_t *data,
                    size_t length);
size_t frame_exited(uint8_t *to, uint32_t child, enum frame_end kind, uint8_t value);
size_t frame_terminating(uint8_t *to, uint32_t left_ms);
// `secret` has FRAME_SECRET_LENGTH characters.
size_t frame_supervision(uint8_t *to, uint8_t wanted, uint8_t standing, const char *secret,
                         const char *why);
size_t frame_egress(uint8_t *to, uint32_t child, const struct frame_egress *egress,
                    uint32_t dropped);
// Why a child's token could not be put where it reads it.
size_t frame_token_failed(uint8_t *to, uint32_t child, const char *text);
// A child's connection, from a port of loopback, to a forward's.
size_t frame_led(uint8_t *to, uint32_t child, uint16_t from, uint16_t port);

#endif
