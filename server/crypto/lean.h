/*
 * An OpenSSL library context for handshakes whose only difference is how few decoders it knows.
 * OpenSSL 3.0 lists all decoders of all providers, and then every chain of them, each time it reads
 * the public key of a certificate: a third of what a DTLS handshake cost us. A certificate holds a
 * SubjectPublicKeyInfo in DER, so the decoders of that are the ones to be listed: of every kind of
 * key, as before. All algorithms are those of the default provider.
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
