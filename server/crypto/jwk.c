#include "server/crypto/jwk.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>

#include "codec/base/err.h"

enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 8192, E_BITS_MAX = 64, HALF = 32, DER_MAX = 80 };

static EVP_PKEY *key_of(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;
    if (ctx && params && EVP_PKEY_fromdata_init(ctx) == 1) {
        (void)EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
    }
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static int verify(EVP_PKEY *key, const void *data, size_t len, const uint8_t *signature,
                  size_t signature_len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int good = ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1
                   ? EVP_DigestVerify(ctx, signature, signature_len, data, len)
                   : 0;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error(); /* a bad signature is no trouble of the next call */
    return good == 1 ? 0 : E_AUTH;
}

int jwk_verify_rs256(const struct jwk_rsa *in, const void *data, size_t len,
                     const uint8_t *signature, size_t signature_len)
{
    BIGNUM *n = BN_bin2bn(in->n, (int)in->n_len, NULL);
    BIGNUM *e = BN_bin2bn(in->e, (int)in->e_len, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    EVP_PKEY *key = NULL;
    int err = E_BAD;
    if (n && e && build && BN_num_bits(n) >= RSA_BITS_MIN && BN_num_bits(n) <= RSA_BITS_MAX &&
        BN_is_odd(e) && BN_num_bits(e) >= 2 && BN_num_bits(e) <= E_BITS_MAX &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1) {
        params = OSSL_PARAM_BLD_to_param(build);
        key = key_of("RSA", params);
    }
    if (key) {
        err = verify(key, data, len, signature, signature_len);
    }
    EVP_PKEY_free(key);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(n);
    BN_free(e);
    return err;
}

/* r | s as the DER that OpenSSL reads. Its length, 0 on failure. */
static size_t der_of(const uint8_t *signature, uint8_t out[DER_MAX])
{
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, HALF, NULL);
    BIGNUM *s = BN_bin2bn(signature + HALF, HALF, NULL);
    int len = 0;
    if (sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
        r = s = NULL; /* taken */
        uint8_t *at = out;
        len = i2d_ECDSA_SIG(sig, NULL) <= DER_MAX ? i2d_ECDSA_SIG(sig, &at) : 0;
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    return len > 0 ? (size_t)len : 0;
}

int jwk_verify_es256(const uint8_t x[32], const uint8_t y[32], const void *data, size_t len,
                     const uint8_t *signature, size_t signature_len)
{
    uint8_t point[1 + 2 * HALF] = {4}; /* uncompressed, SEC 1 section 2.3.3 */
    uint8_t der[DER_MAX];
    char curve[] = "P-256";
    memcpy(point + 1, x, HALF);
    memcpy(point + 1 + HALF, y, HALF);
    size_t der_len = signature_len == 2 * HALF ? der_of(signature, der) : 0;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
        OSSL_PARAM_construct_end()};
    EVP_PKEY *key = key_of("EC", params);
    int err = !key ? E_BAD : der_len ? verify(key, data, len, der, der_len) : E_AUTH;
    EVP_PKEY_free(key);
    return err;
}
