/*
 * Signatures under a public key of a JSON Web Key (RFC 7517, RFC 7518): RSA with PKCS #1 v1.5 and
 * SHA-256 (RS256), ECDSA on P-256 with SHA-256 (ES256).
 * Invariants: RSA keys below 2048 bits and exponents that are no such (1, even, beyond 64 bits) are
 * refused; the algorithm is the caller's, never the key's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct jwk_rsa {
    const uint8_t *n;
    size_t n_len;
    const uint8_t *e;
    size_t e_len;
};

/* 0 when signature is one of data under the key; E_AUTH, or E_BAD (no such key). */
int jwk_verify_rs256(const struct jwk_rsa *key, const void *data, size_t len,
                     const uint8_t *signature, size_t signature_len);
/* x and y are 32 bytes each, the signature r | s of 64 bytes. */
int jwk_verify_es256(const uint8_t x[32], const uint8_t y[32], const void *data, size_t len,
                     const uint8_t *signature, size_t signature_len);
