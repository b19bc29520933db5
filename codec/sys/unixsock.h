/*
 * Unix stream sockets between our own processes, and descriptors handed over them.
 * Invariants: every descriptor made here is close-on-exec and non-blocking; a listening path is
 * reachable by our user only (mode 0600).
 * Out of scope: framing (signaling/door/ipc.h, server/app/control.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { UNIXSOCK_FDS_MAX = 8 };

/*
 * Listens at path, replacing a socket nobody listens on any more. *fd is the caller's. 0, E_BUSY
 * (somebody listens there), E_TOOBIG (path over 107 bytes) or a file_err.
 */
int unixsock_listen(const char *path, int *fd);
/* Connects to path. 0, E_NOTFOUND (nobody listens), E_AGAIN (queue full), E_TOOBIG, file_err. */
int unixsock_connect(const char *path, int *fd);
/* The next connection, E_AGAIN when there is none, E_LIMIT without descriptors. */
int unixsock_accept(int listen_fd, int *fd);
/* Two connected ends. */
int unixsock_pair(int fd[2]);
/* User id of the other end. 0 or E_IO. */
int unixsock_peer_uid(int fd, uid_t *uid);
/*
 * Sends up to len bytes (len > 0) with count descriptors (0 .. UNIXSOCK_FDS_MAX) attached to the
 * first byte; they stay the caller's. Returns bytes sent (> 0: the descriptors went too), E_AGAIN,
 * or E_IO when the other end is gone.
 */
ssize_t unixsock_send(int fd, const void *data, size_t len, const int *fds, size_t count);
/*
 * Receives up to cap bytes and at most UNIXSOCK_FDS_MAX descriptors, which become the caller's.
 * Returns bytes (0 = other end closed), E_AGAIN or E_IO; *count tells how many descriptors came.
 * fds and count may be NULL: then descriptors that come are closed.
 */
ssize_t unixsock_recv(int fd, void *data, size_t cap, int *fds, size_t *count);
