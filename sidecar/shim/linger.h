// Closing a copy of a socket that a supervised process has, or had: by SO_LINGER it could have us wait.
#ifndef SHIM_LINGER_H
#define SHIM_LINGER_H

// Closes; where data waits to be sent and somebody asked the last one who closes to wait for that, nobody does any more.
void linger_close(int fd);

#endif
