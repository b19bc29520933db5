#include "server/crypto/internal.h"

#include <string.h>

#include <openssl/ec.h>
#include <openssl/x509.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"

/*
 * The certificate only carries the key: its SHA-256 travels in the signalled description (RFC 8122)
 * and nothing else of it is looked at. So it says as little as possible and does not expire
 * (RFC 5280 4.1.2.5: 99991231235959Z), which spares the process a renewal and a clock.
 */
static int cert_fill(X509 *cert, EVP_PKEY *key)
{
    X509_NAME *name = X509_get_subject_name(cert);
    static const unsigned char common_name[] = "amphi";
    if (X509_set_version(cert, X509_VERSION_3) != 1 ||
        ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) != 1 ||
        ASN1_TIME_set_string(X509_getm_notBefore(cert), "20200101000000Z") != 1 ||
        ASN1_TIME_set_string(X509_getm_notAfter(cert), "99991231235959Z") != 1 ||
        X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC, common_name,
                                   (int)sizeof(common_name) - 1, -1, 0) != 1 ||
        X509_set_issuer_name(cert, name) != 1 || X509_set_pubkey(cert, key) != 1) {
        return E_IO;
    }
    return X509_sign(cert, key, EVP_sha256()) > 0 ? 0 : E_IO;
}

int crypto_identity_new(struct crypto_identity **out)
{
    *out = NULL;
    struct crypto_identity *identity = mem_alloc(sizeof(*identity));
    if (!identity) {
        return E_NOMEM;
    }
    identity->lean = lean_new();
    if (identity->lean) {
        OSSL_LIB_CTX *ctx = lean_ctx(identity->lean);
        identity->key = EVP_PKEY_Q_keygen(ctx, NULL, "EC", "P-256");
        identity->cert = X509_new_ex(ctx, NULL);
    }
    int err = identity->key && identity->cert ? cert_fill(identity->cert, identity->key) : E_NOMEM;
    unsigned len = 0;
    if (!err && (X509_digest(identity->cert, EVP_sha256(), identity->fingerprint, &len) != 1 ||
                 len != sizeof(identity->fingerprint))) {
        err = E_IO;
    }
    if (!err) {
        identity->client_ctx = dtls_ctx_new(DTLS_client_method(), identity);
        err = identity->client_ctx ? 0 : E_NOMEM;
    }
    if (err) {
        crypto_identity_free(identity);
        return err;
    }
    *out = identity;
    return 0;
}

void crypto_identity_free(struct crypto_identity *identity)
{
    if (identity) {
        EVP_PKEY_free(identity->key);
        X509_free(identity->cert);
        SSL_CTX_free(identity->client_ctx);
        lean_free(identity->lean);
        mem_free(identity);
    }
}

void crypto_identity_fingerprint(const struct crypto_identity *identity, uint8_t out[32])
{
    memcpy(out, identity->fingerprint, 32);
}
