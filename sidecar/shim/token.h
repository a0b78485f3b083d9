// A child's token: a file in its private directory, put there before the command starts and anew whenever the sidecar has
// another, by a rename, so that whoever reads has a whole one. The token itself is never told to anybody else.
#ifndef SHIM_TOKEN_H
#define SHIM_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include "home.h"

// The variable that says where it is, and where that is below a child's directory.
#define TOKEN_VARIABLE "OUTRIGGER_TOKEN_FILE"
#define TOKEN_BELOW "/home/.outrigger/token"

// Writes it for the child of this number, mode 0600; without any bytes there is none from now on. Neither links nor what the
// child has put in the place of a directory lead anywhere else. -1 with errno.
int token_write(const struct homes *homes, uint64_t number, const char *token, size_t length);

#endif
