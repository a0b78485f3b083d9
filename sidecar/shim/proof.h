// What shows the sidecar that we are the shim, and no other process of this container: a secret of ours, a name that is
// ours for as long as we live, and what the sidecar has left for the first who looks (README.md, "Who we are").
// One of each for a process.
#ifndef SHIM_PROOF_H
#define SHIM_PROOF_H

#include "frame.h"

// Makes the secret and takes the name; -1 with errno.
int proof_open(void);

// Takes what the sidecar has left in `dir`, where it has: nobody finds it after us.
void proof_find(const char *dir);

const struct frame_proof *proof_shown(void);

// In a process of ours that others may look into: keeps no copy.
void proof_forget(void);

#endif
