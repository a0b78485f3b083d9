// Why a command could not be started, in words that say what to do. Pure.
#ifndef SHIM_REFUSAL_H
#define SHIM_REFUSAL_H

#include <stddef.h>

#include "frame.h"
#include "spawn.h"

// Writes the sentence and returns the reason code that goes with it.
enum frame_reason refusal_write(char *text, size_t size, enum spawn_stage stage, int error,
                                const char *command);

#endif
