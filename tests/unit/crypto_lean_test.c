/* The context of handshakes knows few decoders, and still the key of every certificate.
 * Covers server/crypto/lean. */
#include "tests/unit/support.h"

#include <stdbool.h>

#include <openssl/decoder.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "server/crypto/lean.h"

static struct lean *lean;

static int suite_setup(void **state)
{
    (void)state;
    lean = lean_new();
    assert_non_null(lean);
    return 0;
}

static int suite_teardown(void **state)
{
    (void)state;
    lean_free(lean);
    return 0;
}

/* A certificate as a peer would send it, made by the whole library. */
static unsigned char *certificate(EVP_PKEY *key, int *len)
{
    unsigned char *der = NULL;
    int kind = EVP_PKEY_get_base_id(key);
    bool own = kind == EVP_PKEY_ED25519 || kind == EVP_PKEY_ED448; /* they have a digest inside */
    X509 *cert = X509_new();
    assert_non_null(cert);
    assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
    assert_int_equal(X509_set_pubkey(cert, key), 1);
    assert_true(X509_sign(cert, key, own ? NULL : EVP_sha256()) > 0);
    *len = i2d_X509(cert, &der);
    assert_true(*len > 0);
    X509_free(cert);
    return der;
}

/* Read in the lean context, its key verifies its own signature there. */
static void assert_read(EVP_PKEY *key)
{
    int len = 0;
    assert_non_null(key);
    unsigned char *der = certificate(key, &len);
    const unsigned char *at = der;
    X509 *cert = X509_new_ex(lean_ctx(lean), NULL);
    assert_non_null(d2i_X509(&cert, &at, len));
    EVP_PKEY *got = X509_get0_pubkey(cert);
    assert_non_null(got);
    assert_int_equal(EVP_PKEY_eq(got, key), 1);
    assert_int_equal(X509_verify(cert, got), 1);
    X509_free(cert);
    OPENSSL_free(der);
    EVP_PKEY_free(key);
}

static EVP_PKEY *key_of(const char *name)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, name, NULL);
    assert_non_null(ctx);
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static void test_certificates_of_every_kind_are_read(void **state)
{
    (void)state;
    assert_read(EVP_EC_gen("P-256"));
    assert_read(EVP_EC_gen("P-384"));
    assert_read(EVP_EC_gen("P-521"));
    assert_read(key_of("RSA"));
    assert_read(key_of("RSA-PSS"));
    assert_read(key_of("ED25519"));
    assert_read(key_of("ED448"));
}

static void count_decoder(OSSL_DECODER *decoder, void *arg)
{
    unsigned *count = arg;
    (void)decoder;
    (*count)++;
}

static void count_key(EVP_KEYMGMT *key, void *arg)
{
    unsigned *count = arg;
    (void)key;
    (*count)++;
}

/* What a certificate costs grows with these, and that is what the context is for. */
static void test_little_is_listed(void **state)
{
    (void)state;
    unsigned decoders = 0;
    unsigned keys = 0;
    unsigned all = 0;
    OSSL_DECODER_do_all_provided(NULL, count_decoder, &all);
    OSSL_DECODER_do_all_provided(lean_ctx(lean), count_decoder, &decoders);
    EVP_KEYMGMT_do_all_provided(lean_ctx(lean), count_key, &keys);
    assert_true(decoders > 0 && decoders * 3 < all);
    assert_true(keys >= 6 && keys <= 8);
}

/* Each shard's and each load client's identity has one of its own. */
static void test_one_goes_and_the_other_stays(void **state)
{
    (void)state;
    struct lean *other = lean_new();
    assert_non_null(other);
    assert_ptr_not_equal(lean_ctx(other), lean_ctx(lean));
    lean_free(other);
    lean_free(NULL);
    assert_read(EVP_EC_gen("P-256"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_certificates_of_every_kind_are_read),
        cmocka_unit_test(test_little_is_listed),
        cmocka_unit_test(test_one_goes_and_the_other_stays),
    };
    return cmocka_run_group_tests_name("crypto_lean", tests, suite_setup, suite_teardown);
}
