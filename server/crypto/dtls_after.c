#include "server/crypto/dtls_after.h"
#include "server/crypto/internal.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "codec/base/err.h"
#include "codec/base/rw.h"
#include "server/crypto/dtls_hello.h"

enum {
    MASTER_LEN = 48,
    NONCE_LEN = 8,
    SALT_LEN = 4,
    PLAIN_MAX = 64, /* a Finished is 24 bytes, an alert 2 */
    RECORD_ALERT = 21,
    RECORD_HANDSHAKE = 22,
    HANDSHAKE_FINISHED = 20,
    ALERT_CLOSE_NOTIFY = 0,
    ALERT_FATAL = 2,
    SUITE_AES128_GCM_SHA256 = 0xc02b, /* ECDHE-ECDSA, RFC 5289 */
    SUITE_AES256_GCM_SHA384 = 0xc02c,
};

/* RFC 5246 6.3: PRF(master secret, "key expansion", server random + client random). */
static int key_block(const struct crypto *crypto, SSL *ssl, const char *digest, uint8_t *out,
                     size_t len)
{
    static const char label[] = "key expansion";
    uint8_t seed[sizeof(label) - 1 + 2 * (size_t)DTLS_RANDOM_LEN];
    uint8_t master[MASTER_LEN];
    uint8_t *randoms = seed + sizeof(label) - 1;
    memcpy(seed, label, sizeof(label) - 1);
    SSL_get_server_random(ssl, randoms, DTLS_RANDOM_LEN);
    SSL_get_client_random(ssl, randoms + DTLS_RANDOM_LEN, DTLS_RANDOM_LEN);
    size_t master_len = SSL_SESSION_get_master_key(SSL_get_session(ssl), master, sizeof(master));
    char name[16];
    (void)snprintf(name, sizeof(name), "%s", digest);
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master, master_len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed, sizeof(seed)),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(crypto->tls_prf);
    int ok = ctx && EVP_KDF_derive(ctx, out, len, params) == 1;
    EVP_KDF_CTX_free(ctx);
    OPENSSL_cleanse(master, sizeof(master));
    return ok ? 0 : E_IO;
}

int dtls_after_init(struct dtls_after *after, const struct crypto *crypto, SSL *ssl)
{
    *after = (struct dtls_after){0};
    const char *digest;
    switch (SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(ssl))) {
    case SUITE_AES128_GCM_SHA256:
        after->key_len = 16;
        digest = "SHA256";
        break;
    case SUITE_AES256_GCM_SHA384:
        after->key_len = 32;
        digest = "SHA384";
        break;
    default:
        return E_UNSUPPORTED;
    }
    /* client key, server key, client salt, server salt */
    uint8_t block[2 * (32 + SALT_LEN)];
    size_t key_len = after->key_len;
    int err = key_block(crypto, ssl, digest, block, 2 * (key_len + SALT_LEN));
    if (!err) {
        memcpy(after->key, block, key_len);
        memcpy(after->salt, block + 2 * key_len, SALT_LEN);
    }
    OPENSSL_cleanse(block, sizeof(block));
    return err;
}

/* Decrypts into plain; its length, or E_BAD, E_AUTH. */
static int record_open(struct crypto *crypto, const struct dtls_after *after, const uint8_t *record,
                       size_t len, uint8_t plain[PLAIN_MAX + SRTP_GCM_TAG])
{
    const size_t overhead = DTLS_RECORD_HEAD + NONCE_LEN + SRTP_GCM_TAG;
    if (len <= overhead || len - overhead > PLAIN_MAX) {
        return E_BAD;
    }
    size_t plain_len = len - overhead;
    uint8_t aad[DTLS_RECORD_HEAD]; /* epoch and sequence, type, version, length of the plaintext */
    memcpy(aad, record + 3, 8);
    memcpy(aad + 8, record, 3);
    put_u16(aad + 11, (uint16_t)plain_len);
    memcpy(plain, record + DTLS_RECORD_HEAD + NONCE_LEN, plain_len + SRTP_GCM_TAG);
    struct gcm_job job = {
        .aad = aad, .aad_len = sizeof(aad), .body = plain, .payload_len = plain_len};
    memcpy(job.iv, after->salt, SALT_LEN);
    memcpy(job.iv + SALT_LEN, record + DTLS_RECORD_HEAD, NONCE_LEN);
    struct gcm_key *key = gcm_key_scratch(crypto, after->key, after->key_len);
    return key && gcm_open(key, &job) ? (int)plain_len : E_AUTH;
}

enum dtls_after_kind dtls_after_read(struct crypto *crypto, const struct dtls_after *after,
                                     const uint8_t *record, size_t len)
{
    uint8_t plain[PLAIN_MAX + SRTP_GCM_TAG];
    if (record[0] != RECORD_ALERT && record[0] != RECORD_HANDSHAKE) {
        return DTLS_AFTER_NOTHING;
    }
    int got = record_open(crypto, after, record, len, plain);
    if (got >= 2 && record[0] == RECORD_ALERT) {
        bool end = plain[0] == ALERT_FATAL || plain[1] == ALERT_CLOSE_NOTIFY;
        return end ? DTLS_AFTER_CLOSE : DTLS_AFTER_NOTHING;
    }
    bool finished = got >= 1 && record[0] == RECORD_HANDSHAKE && plain[0] == HANDSHAKE_FINISHED;
    return finished ? DTLS_AFTER_FINISHED : DTLS_AFTER_NOTHING;
}
