// Kinds of sockets that a confined process cannot have: refused, and told of, so that somebody sees why a tool fails.
#ifndef SHIM_KINDS_H
#define SHIM_KINDS_H

struct notice;
struct supervisor;

// Answers a `socket` call that the filter has not let pass: never by leaving it to the kernel.
int kinds_call(struct supervisor *supervisor, const struct notice *notice);

#endif
