#include "signaling/people/jwt.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/text.h"

/* One part as JSON object, or NULL. */
static json_t *part_json(const char *text, size_t len)
{
    json_error_t error;
    char *bytes = mem_alloc(len + 1);
    int n = bytes ? text_unbase64url(bytes, len, text, len) : -1;
    json_t *o = n > 0 ? json_loadb(bytes, (size_t)n, JSON_REJECT_DUPLICATES, &error) : NULL;
    mem_free(bytes);
    if (!json_is_object(o)) {
        json_decref(o);
        return NULL;
    }
    return o;
}

static int read_head(struct jwt *jwt, const char *text, size_t len)
{
    json_t *head = part_json(text, len);
    const char *alg = json_string_value(json_object_get(head, "alg"));
    const char *kid = json_string_value(json_object_get(head, "kid"));
    int err = head ? 0 : E_BAD;
    if (!err && (!alg || (strcmp(alg, "RS256") != 0 && strcmp(alg, "ES256") != 0))) {
        err = E_UNSUPPORTED;
    }
    if (!err && (json_object_get(head, "crit") || (kid && strlen(kid) > JWT_KID_MAX))) {
        err = E_BAD; /* extensions that must be understood are not */
    }
    if (!err) {
        jwt->alg = strcmp(alg, "ES256") == 0 ? JWT_ES256 : JWT_RS256;
        memcpy(jwt->kid, kid ? kid : "", (kid ? strlen(kid) : 0) + 1);
    }
    json_decref(head);
    return err;
}

int jwt_read(struct jwt *jwt, const char *text, size_t len)
{
    memset(jwt, 0, sizeof(*jwt));
    if (len > JWT_TEXT_MAX) {
        return E_TOOBIG;
    }
    const char *one = memchr(text, '.', len);
    const char *two = one ? memchr(one + 1, '.', len - (size_t)(one + 1 - text)) : NULL;
    if (!two || memchr(two + 1, '.', len - (size_t)(two + 1 - text))) {
        return E_BAD;
    }
    int err = read_head(jwt, text, (size_t)(one - text));
    if (err) {
        return err;
    }
    size_t left = len - (size_t)(two + 1 - text);
    int n = text_unbase64url(jwt->signature, sizeof(jwt->signature), two + 1, left);
    if (n <= 0) {
        return E_BAD;
    }
    jwt->signature_len = (size_t)n;
    jwt->signed_len = (size_t)(two - text);
    jwt->claims = part_json(one + 1, (size_t)(two - one - 1));
    return jwt->claims ? 0 : E_BAD;
}

void jwt_fini(struct jwt *jwt)
{
    json_decref(jwt->claims);
    jwt->claims = NULL;
}

static bool is_text(const json_t *v, const char *want)
{
    const char *text = json_string_value(v);
    return text && strlen(text) == json_string_length(v) && strcmp(text, want) == 0;
}

/* One audience, ours; or several with ours among them, made for us (azp). */
static bool audience_ok(const json_t *claims, const char *want)
{
    const json_t *aud = json_object_get(claims, "aud");
    const json_t *azp = json_object_get(claims, "azp");
    bool found = is_text(aud, want);
    for (size_t i = 0; i < json_array_size(aud); i++) {
        found = found || is_text(json_array_get(aud, i), want);
    }
    if (azp || json_array_size(aud) > 1) {
        found = found && is_text(azp, want);
    }
    return found;
}

int jwt_judge(const struct jwt *jwt, const struct jwt_expect *expect)
{
    const json_t *c = jwt->claims;
    const json_t *exp = json_object_get(c, "exp");
    const json_t *iat = json_object_get(c, "iat");
    const json_t *nbf = json_object_get(c, "nbf");
    const json_t *sub = json_object_get(c, "sub");
    if (!is_text(json_object_get(c, "iss"), expect->issuer) || !audience_ok(c, expect->audience) ||
        !is_text(json_object_get(c, "nonce"), expect->nonce) || !json_is_string(sub) ||
        json_string_length(sub) == 0 || json_string_length(sub) > 255) {
        return E_AUTH;
    }
    if (!json_is_integer(exp) || !json_is_integer(iat) ||
        json_integer_value(exp) + JWT_LEEWAY_S < expect->now_s ||
        json_integer_value(iat) - JWT_LEEWAY_S > expect->now_s ||
        json_integer_value(iat) + JWT_AGE_S < expect->now_s ||
        (nbf && json_number_value(nbf) - JWT_LEEWAY_S > (double)expect->now_s)) {
        return E_EXPIRED;
    }
    return 0;
}
