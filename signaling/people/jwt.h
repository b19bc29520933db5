/*
 * A signed ID token of an identity provider (RFC 7519, OpenID Connect Core 3.1.3.7): taken apart
 * and judged. The signature itself is checked by whoever holds the keys (server/crypto/jwk.h).
 * Invariants: RS256 and ES256 only, never "none" nor HMAC, whatever the token says (reliability
 * S25); what is not checked is not returned.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/time.h"

enum {
    JWT_TEXT_MAX = 16384,
    JWT_SIGNATURE_MAX = 1024,
    JWT_KID_MAX = 200,
    JWT_LEEWAY_S = 60,
    JWT_AGE_S = 600 /* a token handed out longer ago is none of this sign-in */
};

enum jwt_alg { JWT_RS256, JWT_ES256 };

struct jwt {
    enum jwt_alg alg;
    char kid[JWT_KID_MAX + 1]; /* "" = not said */
    size_t signed_len;         /* bytes of the text the signature is over */
    uint8_t signature[JWT_SIGNATURE_MAX];
    size_t signature_len;
    json_t *claims; /* not to be believed before the signature is checked */
};

/* What a token must say. */
struct jwt_expect {
    const char *issuer;
    const char *audience;
    const char *nonce;
    int64_t now_s;
};

/* 0, E_BAD (not such a token), E_UNSUPPORTED (another algorithm), E_TOOBIG. jwt_fini in any case.
 */
int jwt_read(struct jwt *jwt, const char *text, size_t len);
void jwt_fini(struct jwt *jwt);
/* 0; E_AUTH (another issuer, audience, nonce, no subject), E_EXPIRED (over, or of another time). */
int jwt_judge(const struct jwt *jwt, const struct jwt_expect *expect);
