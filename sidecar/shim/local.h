// bind of a unix socket, for a caller in our own file system: on a socket of ours, at the very
// name, path or abstract, that it asked for.
#ifndef SHIM_LOCAL_H
#define SHIM_LOCAL_H

struct bind_request;
struct supervisor;

int local_bind(struct supervisor *supervisor, const struct bind_request *request);

#endif
