// See refusal.h.
#include "refusal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *stage_words(enum spawn_stage stage) {
  switch (stage) {
    case STAGE_FORK:
      return "cannot start a process";
    case STAGE_HOME:
      return "cannot make the child's private directory (is /tmp writable?)";
    case STAGE_SESSION:
      return "cannot make a session";
    case STAGE_DESCRIPTORS:
      return "cannot put the child's descriptors in place";
    case STAGE_LANDLOCK:
      return "cannot confine the child by Landlock";
    case STAGE_EXEC:
    case STAGE_INTERPRETER:
      return "cannot execute";
  }
  return "cannot start";
}

static const char *advice(enum spawn_stage stage, int error, const char *command) {
  if (stage == STAGE_INTERPRETER) {
    return ": the file is there, but its interpreter (the #! line) or loader (another libc?) is not";
  }
  if (error == ENOENT && strchr(command, '/') == NULL) return ": it is not in any directory of PATH";
  if (error == EACCES) return ": is it executable, and on a volume that allows it?";
  if (error == ENOEXEC) return ": it is no program for this machine, or a script without a #! line";
  return "";
}

enum frame_reason refusal_write(char *text, size_t size, enum spawn_stage stage, int error,
                                const char *command) {
  if (stage != STAGE_EXEC && stage != STAGE_INTERPRETER) {
    snprintf(text, size, "%s: %s", stage_words(stage), strerror(error));
    return REASON_SYSTEM;
  }
  snprintf(text, size, "cannot execute %.512s: %s%s", command, strerror(error),
           advice(stage, error, command));
  return REASON_CANNOT_EXECUTE;
}
