// See refusal.h.
#include "refusal.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "control.h"

static const char *stage_words(enum spawn_stage stage) {
  switch (stage) {
    case STAGE_FORK:
      return "cannot start a process";
    case STAGE_HOME:
      return "cannot make the child's private directory (is /tmp writable?)";
    case STAGE_TOKEN:
      return "cannot write the child's token into its private directory";
    case STAGE_SESSION:
      return "cannot make a session";
    case STAGE_DESCRIPTORS:
      return "cannot put the child's descriptors in place";
    case STAGE_LANDLOCK:
      return "cannot confine the child by Landlock";
    case STAGE_FILES:
      return "cannot keep it to the files that it may change (Linux 6.2 or newer has what it "
             "takes; floor.allowAdvisoryIsolation lets it go on)";
    case STAGE_SECCOMP:
      return "cannot confine the child by seccomp";
    case STAGE_SUPERVISION:
      return "cannot put the command under supervision (Linux 5.9 or newer has what it takes)";
    case STAGE_TRIAL:
      return "supervision was tried here and does not work";
    case STAGE_EXEC:
    case STAGE_INTERPRETER:
      return "cannot execute";
  }
  return "cannot start";
}

static const char *advice(struct spawn_failure failure, const char *command) {
  const int error = failure.error;
  if (failure.stage == STAGE_INTERPRETER) {
    return ": the file is there, but its interpreter (the #! line) or loader (another libc?) is not";
  }
  if (error == ENOENT && strchr(command, '/') == NULL)
    return ": it is not in any directory of PATH";
  if (error == EACCES) return ": is it executable, and on a volume that allows it?";
  if (error == ENOEXEC) return ": it is no program for this machine, or a script without a #! line";
  return "";
}

void refusal_send(struct control *control, uint32_t id, enum frame_reason reason,
                  const char *text) {
  uint8_t event[FRAME_MAX_EVENT_BYTES];
  control_send(control, event, frame_refused(event, id, reason, text));
}

// What the system has no more of just now: later it may well work.
static enum frame_reason reason_for(int error) {
  switch (error) {
    case EAGAIN:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOSPC:
      return REASON_TOO_MANY;
    default:
      return REASON_SYSTEM;
  }
}

void refusal_send_error(struct control *control, uint32_t id, const char *what) {
  const int error = errno;
  char text[FRAME_MAX_TEXT_BYTES];
  snprintf(text, sizeof text, "%s: %s", what, strerror(error));
  refusal_send(control, id, reason_for(error), text);
}

void refusal_describe(char text[FRAME_MAX_TEXT_BYTES], struct spawn_failure failure,
                      const char *command) {
  if (failure.stage != STAGE_EXEC && failure.stage != STAGE_INTERPRETER) {
    snprintf(text, FRAME_MAX_TEXT_BYTES, "%s: %s", stage_words(failure.stage),
             strerror(failure.error));
    return;
  }
  snprintf(text, FRAME_MAX_TEXT_BYTES, "cannot execute %.512s: %s%s", command,
           strerror(failure.error), advice(failure, command));
}

void refusal_send_failure(struct control *control, uint32_t id, struct spawn_failure failure,
                          const char *command) {
  char text[FRAME_MAX_TEXT_BYTES];
  refusal_describe(text, failure, command);
  const bool is_exec = failure.stage == STAGE_EXEC || failure.stage == STAGE_INTERPRETER;
  refusal_send(control, id, is_exec ? REASON_CANNOT_EXECUTE : reason_for(failure.error), text);
}
