// The socket options that a program sets before it binds and that decide what the bind does, or how its connection behaves. They are
// recorded, because a socket that another process holds can't be asked for them. Others that were set
// before a bind are lost with the socket that is replaced.
#ifndef SHIM_OPTIONS_H
#define SHIM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum option {
  OPTION_REUSE_ADDRESS,
  OPTION_REUSE_PORT,
  OPTION_BROADCAST,
  OPTION_PASS_CREDENTIALS,
  OPTION_ONLY_V6,
  OPTION_NO_DELAY,
  OPTION_KEEP_ALIVE,
  OPTION_COUNT,
};

// A bit an option: whether it was set at all, and to what.
struct options {
  uint16_t known;
  uint16_t on;
};

// Which option this is, OPTION_COUNT where it is none of these.
enum option options_find(int level, int name);

void options_set(struct options *options, enum option option, bool is_on);

// Gives a socket of ours what was recorded, as far as its kind has it.
void options_apply(const struct options *options, int fd);

#endif
