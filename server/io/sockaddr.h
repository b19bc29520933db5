/*
 * struct addr from and to the kernel's form, and the option calls both sockets share.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "codec/base/addr.h"

union sockaddr_any {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Fills out and returns its length for the kernel; 0 for ADDR_NONE. */
socklen_t sockaddr_from(union sockaddr_any *out, const struct addr *addr);
/* Mapped IPv4 becomes IPv4. Families we do not know give ADDR_NONE. */
void sockaddr_to(struct addr *out, const union sockaddr_any *in);
/* The wildcard address of a family with a port. */
socklen_t sockaddr_wildcard(union sockaddr_any *out, bool v6, uint16_t port);
/* Port a socket is bound to, host order; 0 when it is not. */
uint16_t sockaddr_port(int fd);
/* setsockopt of an int. 0 or E_IO. */
int sockopt_set(int fd, int level, int option, int value);
/* E_* of errno after socket or bind failed. */
int sockaddr_error(int err);
/*
 * Opens sockets bound to one port number on the wanted families: fd[0] IPv4, fd[1] IPv6 (only
 * IPv6), -1 where not wanted or, for IPv6 beside IPv4, not to be had. type SOCK_DGRAM or
 * SOCK_STREAM; non-blocking, close-on-exec; port 0 lets the kernel choose. 0 or E_*.
 */
int sockaddr_bind_pair(int fd[2], int type, bool v4, bool v6, uint16_t port);
