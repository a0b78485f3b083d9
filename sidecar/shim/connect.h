// connect of a confined process: decided by address (reach.h), and carried out by us on a socket of
// ours that takes the place of the caller's. Nothing of it is ever left to the kernel.
#ifndef SHIM_CONNECT_H
#define SHIM_CONNECT_H

struct flight;
struct notice;
struct supervisor;

int connect_call(struct supervisor *supervisor, const struct notice *notice);

// The network has answered one that is being made.
void connect_landed(struct supervisor *supervisor, struct flight *flight);

#endif
