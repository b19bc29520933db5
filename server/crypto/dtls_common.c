#include "server/crypto/internal.h"

#include <string.h>

#include "codec/base/err.h"

enum { CERT_LIST_MAX = 4096 };

/* Any certificate passes the chain: its fingerprint is what counts, and it is compared once the
 * handshake has proved that the peer owns the key. */
static int accept_any(X509_STORE_CTX *store, void *arg)
{
    (void)store;
    (void)arg;
    return 1;
}

SSL_CTX *dtls_ctx_new(const SSL_METHOD *method, const struct crypto_identity *identity)
{
    int groups[] = {NID_X25519, NID_X9_62_prime256v1};
    SSL_CTX *ctx = SSL_CTX_new_ex(lean_ctx(identity->lean), NULL, method);
    if (!ctx) {
        return NULL;
    }
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_NO_QUERY_MTU);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_cert_list(ctx, CERT_LIST_MAX);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, accept_any, NULL);
    if (SSL_CTX_set_min_proto_version(ctx, DTLS1_2_VERSION) != 1 ||
        SSL_CTX_set_max_proto_version(ctx, DTLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(
            ctx, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384") != 1 ||
        SSL_CTX_set1_groups(ctx, groups, 2) != 1 ||
        SSL_CTX_use_certificate(ctx, identity->cert) != 1 ||
        SSL_CTX_use_PrivateKey(ctx, identity->key) != 1) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

void srtp_keys_split(struct srtp_keys *out, enum srtp_profile profile, const uint8_t *material)
{
    size_t key = srtp_key_len(profile);
    size_t salt = srtp_salt_len(profile);
    *out = (struct srtp_keys){.profile = profile};
    memcpy(out->client.key, material, key);
    memcpy(out->server.key, material + key, key);
    memcpy(out->client.salt, material + 2 * key, salt);
    memcpy(out->server.salt, material + 2 * key + salt, salt);
}

int srtp_keys_export(SSL *ssl, struct srtp_keys *out)
{
    static const char label[] = "EXTRACTOR-dtls_srtp"; /* RFC 5764 4.2 */
    const SRTP_PROTECTION_PROFILE *chosen = SSL_get_selected_srtp_profile(ssl);
    enum srtp_profile profile = chosen ? (enum srtp_profile)chosen->id : SRTP_NONE;
    size_t len = 2 * (srtp_key_len(profile) + srtp_salt_len(profile));
    uint8_t material[2 * (32 + 14)];
    if (!len) {
        return E_UNSUPPORTED;
    }
    if (SSL_export_keying_material(ssl, material, len, label, sizeof(label) - 1, NULL, 0, 0) != 1) {
        return E_IO;
    }
    srtp_keys_split(out, profile, material);
    OPENSSL_cleanse(material, sizeof(material));
    return 0;
}

int peer_fingerprint_check(SSL *ssl, const uint8_t fingerprint[32])
{
    const X509 *cert = SSL_get0_peer_certificate(ssl);
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (!cert || X509_digest(cert, EVP_sha256(), digest, &len) != 1 || len != 32) {
        return E_AUTH;
    }
    return CRYPTO_memcmp(digest, fingerprint, 32) == 0 ? 0 : E_AUTH;
}
