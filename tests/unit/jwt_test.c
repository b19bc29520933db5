/* ID tokens: taken apart, judged, and their signatures (signaling/people/jwt.h,
 * server/crypto/jwk.h). */
#include "tests/unit/support.h"

#include <stdio.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/text.h"
#include "server/crypto/jwk.h"
#include "signaling/people/jwt.h"

/* RFC 7515, appendix A.3. */
static const char rfc_token[] =
    "eyJhbGciOiJFUzI1NiJ9"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
    "fQ"
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
static const char rfc_x[] = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
static const char rfc_y[] = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

static void es256_vector(void **state)
{
    struct jwt jwt;
    uint8_t x[32];
    uint8_t y[32];
    (void)state;
    assert_int_equal(text_unbase64url(x, sizeof(x), rfc_x, strlen(rfc_x)), 32);
    assert_int_equal(text_unbase64url(y, sizeof(y), rfc_y, strlen(rfc_y)), 32);
    assert_int_equal(jwt_read(&jwt, rfc_token, strlen(rfc_token)), 0);
    assert_int_equal(jwt.alg, JWT_ES256);
    assert_int_equal(jwt.signature_len, 64);
    assert_int_equal(
        jwk_verify_es256(x, y, rfc_token, jwt.signed_len, jwt.signature, jwt.signature_len), 0);
    for (size_t i = 0; i < jwt.signature_len; i++) {
        jwt.signature[i] ^= 1;
        assert_int_equal(
            jwk_verify_es256(x, y, rfc_token, jwt.signed_len, jwt.signature, jwt.signature_len),
            E_AUTH);
        jwt.signature[i] ^= 1;
    }
    assert_int_equal(jwk_verify_es256(x, y, rfc_token, jwt.signed_len, jwt.signature, 63), E_AUTH);
    y[0] ^= 1; /* not a point of the curve any more */
    assert_int_equal(
        jwk_verify_es256(x, y, rfc_token, jwt.signed_len, jwt.signature, jwt.signature_len), E_BAD);
    jwt_fini(&jwt);
}

/* Small or broken RSA keys are none. */
static void rsa_keys(void **state)
{
    static const uint8_t small[128] = {0xc1, [127] = 1};
    static const uint8_t e[] = {1, 0, 1};
    struct jwk_rsa key = {.n = small, .n_len = sizeof(small), .e = e, .e_len = sizeof(e)};
    (void)state;
    assert_int_equal(jwk_verify_rs256(&key, "x", 1, small, sizeof(small)), E_BAD);
    key.n_len = 0;
    assert_int_equal(jwk_verify_rs256(&key, "x", 1, small, sizeof(small)), E_BAD);
}

static char token[4096];

static const char *make(const char *head, const char *claims)
{
    char a[1024];
    char b[2048];
    assert_true(text_base64url(a, sizeof(a), head, strlen(head)) > 0);
    assert_true(text_base64url(b, sizeof(b), claims, strlen(claims)) > 0);
    snprintf(token, sizeof(token), "%s.%s.c2ln", a, b);
    return token;
}

static int reading(const char *text)
{
    struct jwt jwt;
    int err = jwt_read(&jwt, text, strlen(text));
    jwt_fini(&jwt);
    return err;
}

/* S25: the token does not choose how it is checked. */
static void s25_algorithms(void **state)
{
    static const char *const bad[] = {"none",  "None",  "NONE",  "",      "HS256", "HS512",
                                      "RS512", "PS256", "ES384", "rs256", "RS256 "};
    char head[100];
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(head, sizeof(head), "{\"alg\":\"%s\"}", bad[i]);
        assert_int_equal(reading(make(head, "{}")), E_UNSUPPORTED);
    }
    assert_int_equal(reading(make("{}", "{}")), E_UNSUPPORTED);
    assert_int_equal(reading(make("{\"alg\":[\"RS256\"]}", "{}")), E_UNSUPPORTED);
    assert_int_equal(reading(make("{\"alg\":\"RS256\",\"crit\":[\"b64\"]}", "{}")), E_BAD);
    assert_int_equal(reading(make("{\"alg\":\"RS256\",\"alg\":\"none\"}", "{}")), E_BAD);
    assert_int_equal(reading(make("{\"alg\":\"RS256\"}", "[]")), E_BAD);
    assert_int_equal(reading(make("{\"alg\":\"RS256\"}", "{}")), 0);
    assert_int_equal(reading(""), E_BAD);
    assert_int_equal(reading(".."), E_BAD);
    assert_int_equal(reading("a.b.c.d"), E_BAD);
}

static int judging(const char *claims)
{
    static const struct jwt_expect expect = {
        .issuer = "https://id", .audience = "amphi", .nonce = "n1", .now_s = 1000000};
    struct jwt jwt;
    const char *text = make("{\"alg\":\"RS256\"}", claims);
    assert_int_equal(jwt_read(&jwt, text, strlen(text)), 0);
    int err = jwt_judge(&jwt, &expect);
    jwt_fini(&jwt);
    return err;
}

#define CLAIMS(iss, aud, nonce, sub, iat, exp, more)                                               \
    "{\"iss\":" iss ",\"aud\":" aud ",\"nonce\":" nonce ",\"sub\":" sub ",\"iat\":" iat            \
    ",\"exp\":" exp more "}"
#define GOOD "\"https://id\"", "\"amphi\"", "\"n1\"", "\"s\""
#define WITH(...) CLAIMS(__VA_ARGS__)

static void s25_claims(void **state)
{
    (void)state;
    assert_int_equal(judging(WITH(GOOD, "999990", "1000300", "")), 0);
    assert_int_equal(judging(WITH(GOOD, "999990", "999941", "")), 0); /* within the leeway */
    assert_int_equal(judging(WITH(GOOD, "999990", "999939", "")), E_EXPIRED);
    assert_int_equal(judging(WITH(GOOD, "1000061", "1000300", "")), E_EXPIRED);
    assert_int_equal(judging(WITH(GOOD, "999399", "1000300", "")), E_EXPIRED);
    assert_int_equal(judging(WITH(GOOD, "\"999990\"", "1000300", "")), E_EXPIRED);
    assert_int_equal(judging(WITH(GOOD, "999990", "1e300", "")), E_EXPIRED);
    assert_int_equal(judging(WITH(GOOD, "999990", "1000300", ",\"nbf\":1000061")), E_EXPIRED);
    assert_int_equal(judging(WITH(GOOD, "999990", "1000300", ",\"azp\":\"x\"")), E_AUTH);
    assert_int_equal(
        judging(CLAIMS("\"https://id/\"", "\"amphi\"", "\"n1\"", "\"s\"", "999990", "1000300", "")),
        E_AUTH);
    assert_int_equal(judging(CLAIMS("\"https://id\"", "[\"amphi\",\"b\"]", "\"n1\"", "\"s\"",
                                    "999990", "1000300", "")),
                     E_AUTH);
    assert_int_equal(judging(CLAIMS("\"https://id\"", "[\"amphi\",\"b\"]", "\"n1\"", "\"s\"",
                                    "999990", "1000300", ",\"azp\":\"amphi\"")),
                     0);
    assert_int_equal(
        judging(CLAIMS("\"https://id\"", "\"amphi\"", "null", "\"s\"", "999990", "1000300", "")),
        E_AUTH);
    assert_int_equal(
        judging(CLAIMS("\"https://id\"", "\"amphi\"", "\"n1\"", "\"\"", "999990", "1000300", "")),
        E_AUTH);
    assert_int_equal(judging("{}"), E_AUTH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT(es256_vector), UNIT(rsa_keys), UNIT(s25_algorithms),
                                       UNIT(s25_claims)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
