/*
 * Cryptography for simulations: a keyed XOR with a keyed tag, so that authentication, replay
 * windows and roll-over counters behave as in SRTP while nothing needs time or real keys; and a
 * "DTLS" of four datagrams with a two-datagram hello. Both ends of a connection use it.
 */
#pragma once

#include "server/proto/crypto.h"

enum {
    FAKE_DTLS = 22,
    FAKE_ALERT = 21,  /* first byte of the two farewells */
    FAKE_HELLO_1 = 1, /* first half of the fingerprint */
    FAKE_HELLO_2 = 2,
    FAKE_FINISHED = 3,
    FAKE_BYE = 4, /* closes, with the first half of the fingerprint as its proof */
    FAKE_SERVER_HELLO = 10,
    FAKE_SERVER_DONE = 11,
    FAKE_SERVER_BYE = 12,
    FAKE_BROKEN = 99, /* kills the handshake it reaches */
};

/* The table; arg is not used. */
struct crypto_ops fake_crypto_ops(void);
/* Objects alive (handshakes, contexts): 0 when everything was given back. */
long fake_crypto_live(void);
void fake_hmac(const uint8_t *key, size_t key_len, const uint8_t *data, size_t len,
               uint8_t out[20]);
