// What happens in a child's process between fork and exec: it becomes a process as any parent would
// have started it, in its own session, its own Landlock domain and with its three descriptors.
#ifndef SHIM_SPAWN_H
#define SHIM_SPAWN_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "confinement.h"
#include "environment.h"
#include "home.h"
#include "landlock.h"
#include "writing.h"

// What all children have in common; fixed when the shim starts.
struct spawn_plan {
  char **command;
  struct landlock landlock;
  bool has_seccomp;
  // Where children may change files.
  const struct writable *writable;
  struct homes homes;
  struct environment environment;
  bool keep_home;
  // The kernel lets nobody adopt what leaves a child's session.
  bool has_no_subreaper;
  // As the shim found them.
  mode_t umask;
  struct rlimit open_files;
};

// What one child has of its own.
struct spawn_order {
  int stdin_fd;
  int stdout_fd;
  int stderr_fd;
  char *environment;
  size_t environment_bytes;
  // What its file holds from the start on; of 0 bytes: it has no such file.
  char *token;
  size_t token_bytes;
  uint64_t number;
  enum confinement_mode mode;
  // Where the listener of its filter goes, where it is confined.
  int news;
};

enum spawn_stage {
  STAGE_FORK = 1,
  STAGE_HOME,
  STAGE_TOKEN,
  STAGE_SESSION,
  STAGE_DESCRIPTORS,
  STAGE_LANDLOCK,
  STAGE_FILES,
  STAGE_SECCOMP,
  STAGE_SUPERVISION,
  // Of `shim exec` alone.
  STAGE_TRIAL,
  STAGE_EXEC,
  // The file is there, its interpreter or loader is not.
  STAGE_INTERPRETER,
};

struct spawn_failure {
  enum spawn_stage stage;
  int error;
};

// Becomes the child; returns only where it can't, with the reason.
struct spawn_failure spawn_become(struct spawn_plan *plan, const struct spawn_order *order);

// Takes from this process for good what no command of ours may: other privileges, other files, other calls. Stage 0 where it
// worked.
struct spawn_failure spawn_confine(const struct writing *writing, enum confinement_mode mode,
                                   bool has_seccomp);

// The leave of the child of this number to change files.
struct writing spawn_writing(const struct spawn_plan *plan, uint64_t number);

#endif
