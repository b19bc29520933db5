/*
 * The ClientHello before OpenSSL sees it: put together from fragments (a hello with a post-quantum
 * key share takes two datagrams) and read for what decides whether a handshake is worth starting.
 * RFC 6347 4.2.2 (fragments), RFC 5246 7.4.1.2, RFC 5764 4.1.1 (use_srtp).
 *
 *   handshake header, 12 bytes:
 *   type(1) length(3) message_seq(2) fragment_offset(3) fragment_length(3)
 *
 * Invariants: no more than DTLS_HELLO_MAX bytes are ever held, and only for a hello that announces
 * no more than that (S2).
 * Out of scope: everything OpenSSL checks anyway.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "server/proto/crypto.h"

enum {
    DTLS_RECORD_HEAD = 13,
    DTLS_MESSAGE_HEAD = 12,
    DTLS_HELLO_MAX = 4096, /* browsers: 200 .. 1500 bytes */
    DTLS_RANDOM_LEN = 32,
};

/* One handshake fragment as it stands in a record. */
struct dtls_fragment {
    uint8_t type;
    uint16_t message_seq;
    uint32_t length; /* of the whole message */
    uint32_t offset;
    uint32_t body_len;
    const uint8_t *body; /* borrowed */
};

struct dtls_hello {
    uint8_t *message; /* record head, message head, body; NULL while idle */
    uint8_t *have;    /* one bit per byte of the body */
    uint32_t length;
    uint32_t missing;
};

/* Reads the next fragment of a plaintext handshake record at *at (advanced) in [*at, len).
 * 0 or E_BAD. */
int dtls_fragment_next(struct dtls_fragment *out, const uint8_t *record, size_t len, size_t *at);

/* Adds a fragment of type ClientHello. 1 = the hello is whole, 0 = more is needed, E_TOOBIG,
 * E_BAD or E_NOMEM. A fragment of another length starts over. */
int dtls_hello_add(struct dtls_hello *hello, const struct dtls_fragment *fragment);
/* The whole hello as one record with number 0, which is lower than that of any record the client
 * sends after it. Borrowed until dtls_hello_clear. */
const uint8_t *dtls_hello_record(struct dtls_hello *hello, size_t *len);
void dtls_hello_clear(struct dtls_hello *hello);

/*
 * Reads the body of a whole ClientHello: its random, and the first of our profiles that it offers.
 * 0, E_BAD (malformed), E_VERSION (not DTLS 1.2 capable) or E_UNSUPPORTED (no cipher suite or no
 * SRTP profile of ours).
 */
int dtls_hello_read(const uint8_t *body, size_t len, uint8_t random[DTLS_RANDOM_LEN],
                    enum srtp_profile *profile);
