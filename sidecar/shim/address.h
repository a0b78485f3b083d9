// Where a TCP socket is bound instead of where it asked to be: the same port on loopback. Pure: it
// reads the caller's bytes, trusts none of them, and touches no socket.
#ifndef SHIM_ADDRESS_H
#define SHIM_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

// The sidecar's own ports: nobody else may ever listen there, also not while it restarts. The one
// between them is each process's own, where it finds the proxy.
enum {
  ADDRESS_FIRST_RESERVED_PORT = 15200,
  ADDRESS_PROXY_PORT = 15202,
  ADDRESS_REPLICA_PORT = 15204,
};

// `[::ffff:255.255.255.255%...]:65535` and its end.
enum { ADDRESS_TEXT_BYTES = INET6_ADDRSTRLEN + 16 };

// An internet address of either family.
struct address {
  union {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
  };
  socklen_t length;
};

// Takes a caller's bytes as the kernel would for a socket of this family; 0 or the error number.
int address_parse(const void *bytes, size_t length, sa_family_t family, struct address *address);

struct address_places {
  // Where it is bound at once.
  struct address bound;
  // Where it may listen. Not yet there where `moves` is set: no port was asked for, so the address is
  // kept for a client, which must be able to reach others from it; the port is filled in then.
  struct address listening;
  bool moves;
};

// What to do about a bind to these bytes; 0, or the error number that is the answer. `is_only_v6`
// counts for sockets of AF_INET6.
int address_place(const void *bytes, size_t length, sa_family_t family, bool is_only_v6,
                  struct address_places *places);

// Loopback, for a socket that listens without being bound; no port yet.
struct address address_loopback(sa_family_t family, bool is_only_v6);

uint16_t address_port(const struct address *address);
void address_set_port(struct address *address, uint16_t port);

bool address_is_reserved(uint16_t port);

// As people write it: `127.0.0.1:80`, `[::1]:80`.
void address_print(const struct address *address, char text[ADDRESS_TEXT_BYTES]);

#endif
