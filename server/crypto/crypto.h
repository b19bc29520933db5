/*
 * The real cryptography behind server/proto/crypto.h: OpenSSL (DTLS, HMAC, AES), intel-ipsec-mb
 * where processor and build have it (AES-GCM in both directions), libsrtp2 (inbound AES-CM). One
 * identity (certificate) per process, made at start and shared by all shards; one struct crypto per
 * shard, used by its thread only. Invariants: the private key never leaves this folder; nothing
 * blocks. Out of scope: certificates of the HTTP door.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "server/proto/crypto.h"

struct crypto_identity;
struct crypto;

struct crypto_config {
    uint32_t handshakes_max; /* live struct dtls; 1 .. 1000000 */
    uint32_t ssrcs_max;      /* inbound SSRCs of one peer; 1 .. 64 (S11) */
    bool ipsec_mb;           /* use it when build and processor allow */
};

/* Makes a fresh ECDSA P-256 key and a self-signed certificate. 0 or E_NOMEM, E_IO. Free after the
 * last crypto_free. */
int crypto_identity_new(struct crypto_identity **out);
void crypto_identity_free(struct crypto_identity *identity);
/* SHA-256 of the certificate, as in crypto_ops.fingerprint. */
void crypto_identity_fingerprint(const struct crypto_identity *identity, uint8_t out[32]);

/* One shard's cryptography; borrows identity. 0, E_RANGE (config), E_NOMEM or E_IO. */
int crypto_new(struct crypto **out, const struct crypto_identity *identity,
               const struct crypto_config *config);
/* All dtls, open and seal contexts must be freed before. */
void crypto_free(struct crypto *crypto);
/* The table for the protocol machines; borrowed, lives as long as crypto. */
const struct crypto_ops *crypto_ops(struct crypto *crypto);
/* "ipsec-mb" or "openssl": what seals AES-GCM here, for logs. */
const char *crypto_seal_engine(const struct crypto *crypto);
/* Heap contexts alive: struct dtls of this crypto. */
uint32_t crypto_handshakes(const struct crypto *crypto);
