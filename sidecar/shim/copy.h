// `shim copy`: puts this very binary into a directory, so that another container can run it.
#ifndef SHIM_COPY_H
#define SHIM_COPY_H

// The exit code.
int copy_run(const char *dir);

#endif
