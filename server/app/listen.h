/*
 * Listening TCP sockets, bound once by the supervisor and inherited by its children, so that a port
 * is taken or refused at one place and nobody is turned away while a child starts again.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Binds and listens at endpoint ("ip:port", "[ip]:port", ":port"). *fd is close-on-exec and
 * non-blocking; *port the real port. 0; E_BUSY (taken), E_DENIED (a port below 1024), E_UNSUPPORTED
 * (no such address or family here), E_IO. why = one line that starts with key.
 */
int listen_open(const char *key, const char *endpoint, int *fd, uint16_t *port, char *why,
                size_t why_cap);
