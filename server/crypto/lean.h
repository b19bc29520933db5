/*
 * An OpenSSL library context for handshakes that differs from the default one in how few decoders
 * and kinds of keys it knows. OpenSSL 3.0 lists all decoders of all providers, and then every chain
 * of them, each time it reads the public key of a certificate: a seventh of what a DTLS handshake
 * cost us. A certificate holds a SubjectPublicKeyInfo in DER, and a handshake of ours agrees on EC,
 * X25519, RSA, RSA-PSS, Ed25519 and Ed448: these are listed. All algorithms are the default
 * provider's own.
 */
#pragma once

#include <openssl/types.h>

struct lean;

/* NULL when out of memory or when the library has no default provider. */
struct lean *lean_new(void);
/* After everything that was made in it. */
void lean_free(struct lean *lean);
/* Borrowed. */
OSSL_LIB_CTX *lean_ctx(struct lean *lean);
