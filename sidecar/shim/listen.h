// listen: the kernel never does it for a caller. A socket that we have bound to loopback, we make
// listen on our own copy of it; any other TCP socket is replaced by one of ours that listens on
// loopback.
#ifndef SHIM_LISTEN_H
#define SHIM_LISTEN_H

struct notice;
struct supervisor;

int listen_call(struct supervisor *supervisor, const struct notice *notice);

#endif
