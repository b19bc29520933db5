/*
 * What is left of a handshake once it is done. OpenSSL's object costs 41 KB a peer and only two
 * kinds of record can still matter: the peer's Finished once more (our last flight was lost) and an
 * alert. So its read key is taken out and the object goes; records are opened here (RFC 6347 4.1,
 * RFC 5288: AES-GCM with a four-byte salt and an explicit nonce).
 *
 *   type(1) version(2) epoch(2) sequence(6) length(2) | nonce(8) ciphertext tag(16)
 *
 * Out of scope: sending records (the one of ours, close_notify, is written before the object goes;
 * dtls.c), replay (an old Finished or alert says nothing new), ChaCha20.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct crypto;
struct ssl_st; /* SSL */

struct dtls_after {
    uint8_t key[32]; /* what the client encrypts with */
    uint8_t salt[4];
    uint8_t key_len; /* 16 or 32 */
};

enum dtls_after_kind {
    DTLS_AFTER_NOTHING, /* forged, or of no meaning any more */
    DTLS_AFTER_FINISHED,
    DTLS_AFTER_CLOSE, /* close_notify or a fatal alert */
};

/* Takes the client's key out of a finished handshake. 0, E_UNSUPPORTED (suite) or E_IO. */
int dtls_after_init(struct dtls_after *after, const struct crypto *crypto, struct ssl_st *ssl);
/* What a record of epoch 1 says; record and len include its head, whose length field is right. */
enum dtls_after_kind dtls_after_read(struct crypto *crypto, const struct dtls_after *after,
                                     const uint8_t *record, size_t len);
