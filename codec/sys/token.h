/*
 * Secrets of the classroom on libsodium: signed links (HMAC-SHA-256, FIPS 198-1), sealed names and
 * texts under a key per person (XSalsa20-Poly1305 secretbox), digests, random keys.
 * Invariants: one algorithm per purpose, never chosen by the input (reliability S25); comparisons
 * take constant time; a sealed box carries its own random nonce.
 * Out of scope: what a token says (signaling/class), media keys (server/crypto).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    TOKEN_KEY_LEN = 32,
    TOKEN_MAC_LEN = 32,
    TOKEN_DIGEST_LEN = 32,
    TOKEN_SEAL_EXTRA = 24 + 16, /* nonce and tag around a sealed text */
};

/* Call once before anything else here, from one thread. 0 or E_IO. */
int token_init(void);
/* A fresh random key. */
void token_key_new(uint8_t key[TOKEN_KEY_LEN]);
/* A key for one purpose out of a master key: HMAC(master, purpose). Deterministic. */
void token_derive(uint8_t out[TOKEN_KEY_LEN], const uint8_t master[TOKEN_KEY_LEN],
                  const char *purpose);
/* HMAC-SHA-256 of data. */
void token_sign(uint8_t mac[TOKEN_MAC_LEN], const uint8_t key[TOKEN_KEY_LEN], const void *data,
                size_t len);
/* 0 when mac is the signature of data under key, else E_AUTH. */
int token_verify(const uint8_t mac[TOKEN_MAC_LEN], const uint8_t key[TOKEN_KEY_LEN],
                 const void *data, size_t len);
/* Writes nonce | box of len + TOKEN_SEAL_EXTRA bytes. 0, or E_FULL when cap is less. */
int token_seal(uint8_t *out, size_t cap, const uint8_t key[TOKEN_KEY_LEN], const void *text,
               size_t len);
/* Opens a sealed box: *text_len = len - TOKEN_SEAL_EXTRA bytes into text. 0, E_TRUNC, E_FULL,
 * E_AUTH. */
int token_open(uint8_t *text, size_t cap, size_t *text_len, const uint8_t key[TOKEN_KEY_LEN],
               const void *box, size_t len);
/* SHA-256 of data. */
void token_digest(uint8_t out[TOKEN_DIGEST_LEN], const void *data, size_t len);
/* Overwrites a secret so that the compiler cannot leave it out. */
void token_wipe(void *secret, size_t len);
