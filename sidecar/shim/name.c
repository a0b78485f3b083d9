// See name.h. The hash is SipHash-2-4 (Aumasson and Bernstein, 2012) under a key of this process's.
#include "name.h"

#include <string.h>
#include <sys/random.h>

struct state {
  uint64_t v[4];
};

// No device has it.
#define ABSTRACT_MARK (1ULL << 63)

static uint64_t turned(uint64_t value, unsigned bits) {
  return value << bits | value >> (64 - bits);
}

static void mix(struct state *state, unsigned rounds) {
  uint64_t *v = state->v;
  while (rounds-- > 0) {
    v[0] += v[1];
    v[2] += v[3];
    v[1] = turned(v[1], 13) ^ v[0];
    v[3] = turned(v[3], 16) ^ v[2];
    v[0] = turned(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = turned(v[1], 17) ^ v[2];
    v[3] = turned(v[3], 21) ^ v[0];
    v[2] = turned(v[2], 32);
  }
}

static void take(struct state *state, uint64_t word) {
  state->v[3] ^= word;
  mix(state, 2);
  state->v[0] ^= word;
}

// The key, made at first use; never zeros once there is randomness.
static const uint64_t *own_key(void) {
  static uint64_t key[2];
  while (key[0] == 0 && key[1] == 0) {
    if (getrandom(key, sizeof key, 0) != (ssize_t)sizeof key) memset(key, 0, sizeof key);
  }
  return key;
}

struct socket_name name_of_abstract(const void *bytes, size_t length) {
  const uint64_t *key = own_key();
  struct state state = {{key[0] ^ 0x736f6d6570736575ULL, key[1] ^ 0x646f72616e646f6dULL,
                         key[0] ^ 0x6c7967656e657261ULL, key[1] ^ 0x7465646279746573ULL}};
  const uint8_t *at = bytes;
  size_t left = length;
  for (; left >= sizeof(uint64_t); left -= sizeof(uint64_t), at += sizeof(uint64_t)) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    take(&state, word);
  }
  uint64_t last = 0;
  memcpy(&last, at, left);
  take(&state, last | (uint64_t)length << 56);
  state.v[2] ^= 0xff;
  mix(&state, 4);
  return (struct socket_name){
      .first = state.v[0] ^ state.v[1] ^ state.v[2] ^ state.v[3],
      .second = ABSTRACT_MARK | length,
  };
}

struct socket_name name_of_file(const struct stat *status) {
  return (struct socket_name){.first = (uint32_t)status->st_ino, .second = status->st_dev};
}

bool name_is(const struct socket_name *left, const struct socket_name *right) {
  return left->first == right->first && left->second == right->second;
}
