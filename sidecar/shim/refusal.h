// Why a child could not be started, in words that say what to do, and the event that tells it.
#ifndef SHIM_REFUSAL_H
#define SHIM_REFUSAL_H

#include <stddef.h>
#include <stdint.h>

#include "frame.h"
#include "spawn.h"

struct control;

void refusal_send(struct control *control, uint32_t id, enum frame_reason reason, const char *text);

// For reasons of the system: `what`, and what errno says.
void refusal_send_error(struct control *control, uint32_t id, const char *what);

// What has failed, and what to do about it.
void refusal_describe(char text[FRAME_MAX_TEXT_BYTES], struct spawn_failure failure,
                      const char *command);

// For a child that its monitor could not start.
void refusal_send_failure(struct control *control, uint32_t id, struct spawn_failure failure,
                          const char *command);

#endif
