// Starting a process of `shim exec`: confined first, then the command, or whatever else it runs.
#ifndef SHIM_START_H
#define SHIM_START_H

#include <stdbool.h>
#include <sys/types.h>

#include "confinement.h"
#include "environment.h"
#include "landlock.h"
#include "spawn.h"
#include "writing.h"

// What all have in common; fixed when the shim starts.
struct start_plan {
  char **command;
  struct environment environment;
  struct landlock landlock;
  // Where the command may change files; NULL: where its user may.
  const struct writable *writable;
  bool has_seccomp;
  // bind and listen go to a supervisor; connect too, where it is confined.
  bool is_supervised;
  enum confinement_mode mode;
};

// A process that has been started.
struct started {
  pid_t pid;
  // Tells how it went (start_hear); readable when there is something to hear.
  int news;
};

// Runs in the new process, confined; what it returns is told as its failure.
typedef struct spawn_failure start_body(const struct start_plan *plan);

// Forks; -1 with errno.
int start_process(const struct start_plan *plan, start_body *body, struct started *started);

// The body that becomes the command.
start_body start_command;

enum start_news {
  // The listener of its filter has come: whoever waits for its calls must serve them from now on.
  START_LISTENER,
  START_FAILED,
  // It has become the command, or has ended.
  START_OVER,
  START_NOTHING_YET,
};

// What a started process has to tell next.
enum start_news start_hear(const struct started *started, int *listener,
                           struct spawn_failure *failure);

#endif
