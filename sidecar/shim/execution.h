// The command of `shim exec` and what it takes: its start, its signals, its end. Who is told of it is
// exec.c's.
#ifndef SHIM_EXECUTION_H
#define SHIM_EXECUTION_H

#include <stdbool.h>
#include <stdint.h>

#include "args.h"
#include "frame.h"
#include "start.h"
#include "supervisor.h"

enum execution_state {
  // CONFINE is awaited; or it can't be supervised as it should, and START is.
  EXECUTION_AWAITING,
  EXECUTION_STARTING,
  EXECUTION_RUNNING,
  EXECUTION_OVER,
};

struct execution {
  const struct exec_options *options;
  struct start_plan plan;
  struct supervisor supervisor;
  struct supervisor_setting setting;
  // What it may reach has been said.
  bool is_confined;
  enum execution_state state;
  struct started command;
  // Why it is not supervised; empty where it is, or need not be.
  char why_not[FRAME_MAX_TEXT_BYTES];
  int epoll;
  int signals;
  bool is_terminating;
  // SIGTERM has come and has not gone on to the command.
  bool owes_term;
  // Once it is over: by code or by signal, and which.
  enum frame_end end;
  uint8_t value;
};

// Takes what it needs and tries supervision where that is asked for; -1 with a line on stderr. What it
// tries to reach is told over `control`.
int execution_open(struct execution *execution, const struct exec_options *options,
                   struct control *control);

// What the command may reach, and what it has in its environment for that: starts it, where nothing
// else is awaited. Of one that runs already the forwards are replaced. NULL, or why it can't be heeded.
const char *execution_confine(struct execution *execution, const struct frame_request *request);

// Starts the command, under supervision if that works here; it is over where that fails.
void execution_start(struct execution *execution);

// Something of what epoll watches for it is ready.
void execution_hear_start(struct execution *execution);
void execution_serve_call(struct execution *execution);
void execution_hear_flight(struct execution *execution, size_t flight);
// A first SIGTERM is owed to the command; every other signal goes on to it at once.
void execution_take_signals(struct execution *execution);

// Passes on the SIGTERM that is owed, if one is.
void execution_terminate(struct execution *execution);

// The exit code of the shim.
int execution_code(const struct execution *execution);

// Kills what the command has left behind, and gives everything back.
void execution_close(struct execution *execution);

#endif
