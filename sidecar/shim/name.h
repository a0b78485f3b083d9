// Names of unix sockets as something to compare (sockets.h).
#ifndef SHIM_NAME_H
#define SHIM_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "sockets.h"

// Of an abstract name: nobody can find another that has the same.
struct socket_name name_of_abstract(const void *bytes, size_t length);

// Of a file, as much of it as the kernel tells of a socket's.
struct socket_name name_of_file(const struct stat *status);

bool name_is(const struct socket_name *left, const struct socket_name *right);

#endif
