// The socket options that a program sets before it binds or connects and that decide what comes of that, or how its connection
// behaves. They are recorded, because a socket that another process holds can't be asked for them. Others that were set
// before are lost with the socket that is replaced.
#ifndef SHIM_OPTIONS_H
#define SHIM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>

enum option {
  // On or off.
  OPTION_REUSE_ADDRESS,
  OPTION_REUSE_PORT,
  OPTION_BROADCAST,
  OPTION_PASS_CREDENTIALS,
  OPTION_ONLY_V6,
  OPTION_NO_DELAY,
  OPTION_KEEP_ALIVE,
  // A number.
  OPTION_KEEP_IDLE,
  OPTION_KEEP_INTERVAL,
  OPTION_KEEP_COUNT,
  OPTION_USER_TIMEOUT,
  OPTION_RECEIVE_BUFFER,
  OPTION_SEND_BUFFER,
  OPTION_TYPE_OF_SERVICE,
  OPTION_TRAFFIC_CLASS,
  // What the kernel has a struct for.
  OPTION_LINGER,
  OPTION_RECEIVE_TIMEOUT,
  OPTION_SEND_TIMEOUT,
  OPTION_COUNT,
};

enum { OPTION_NUMBERS = OPTION_LINGER };

union option_value {
  int32_t number;
  struct linger linger;
  struct timeval time;
};

// A bit an option: whether it was set at all; and to what.
struct options {
  uint32_t known;
  int32_t numbers[OPTION_NUMBERS];
  struct linger linger;
  struct timeval receive_timeout;
  struct timeval send_timeout;
};

// Which option this is, OPTION_COUNT where it is none of these.
enum option options_find(int level, int name);

// How many bytes its value has.
size_t options_size(enum option option);

void options_set(struct options *options, enum option option, const union option_value *value);

// One that is a number, or on or off.
void options_set_number(struct options *options, enum option option, int32_t number);

// Whether it was set, to something else than 0.
bool options_has(const struct options *options, enum option option);

// As if it had never been set.
void options_drop(struct options *options, enum option option);

// Gives a socket of ours what was recorded, as far as its kind has it.
void options_apply(const struct options *options, int fd);

#endif
