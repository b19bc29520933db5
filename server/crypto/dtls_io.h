/*
 * Datagrams between OpenSSL and us: a BIO that reads the one record it was given and appends each
 * write, boundaries kept, to a bounded queue.
 * Invariants: the queue holds at most DTLS_IO_OUT bytes; a write that does not fit is lost like a
 * datagram on the way (retransmission heals it).
 * Out of scope: sockets, record contents.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <openssl/bio.h>

enum { DTLS_IO_OUT = 8 << 10, DTLS_IO_HEAD = 2 };

struct dtls_io {
    const uint8_t *in; /* borrowed for one call; NULL = nothing to read */
    size_t in_len;
    uint8_t *out; /* datagrams, each behind its length (2 bytes); NULL while empty */
    size_t out_head;
    size_t out_tail;
};

/* A BIO over io (borrowed, must outlive it), or NULL. */
BIO *dtls_io_bio(struct dtls_io *io);
/* Appends a datagram; drops it when there is no room. */
void dtls_io_push(struct dtls_io *io, const uint8_t *data, size_t len);
/* Takes the next datagram: its length; 0 when empty. One longer than cap is thrown away. */
size_t dtls_io_pop(struct dtls_io *io, uint8_t *buf, size_t cap);
/* Forgets what waits and frees the memory. */
void dtls_io_clear(struct dtls_io *io);
