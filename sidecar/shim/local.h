// bind and connect of a unix socket, for a caller in our own file system: on a socket of ours, at the
// very name, path or abstract, that it asked for. A confined process is connected to what its own
// family has bound; by observation also to other files, but never to the sidecar's control socket or a
// sibling's.
#ifndef SHIM_LOCAL_H
#define SHIM_LOCAL_H

struct bind_request;
struct socket_record;
struct supervisor;

int local_bind(struct supervisor *supervisor, const struct bind_request *request);

// `known` is what is known of the caller's socket, or NULL.
int local_connect(struct supervisor *supervisor, const struct bind_request *request,
                  struct socket_record *known);

#endif
