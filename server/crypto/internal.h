/*
 * What the files of server/crypto share; nobody else includes it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/crypto/crypto.h"
#include "server/crypto/srtp_kdf.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>

/* OpenSSL has macros of the same names and values; ours are the enum above. */
#undef SRTP_AES128_CM_SHA1_80
#undef SRTP_AEAD_AES_128_GCM
#undef SRTP_AEAD_AES_256_GCM

#if AMPHI_HAVE_IPSEC_MB
#include <intel-ipsec-mb.h>
#endif

enum {
    SRTP_GCM_TAG = 16,
    SRTP_CM_TAG = 10,
    SRTP_GCM_SALT = 12,
    SRTCP_INDEX_LEN = 4,
    RTP_HEADER_MIN = 12,
    RTCP_HEADER_MIN = 8,
};

#if AMPHI_HAVE_IPSEC_MB
/* ipsec-mb's direct calls for one key size; chosen once for this processor. */
struct gcm_mb {
    aes_gcm_pre_t pre;
    aes_gcm_enc_dec_t enc;
    aes_gcm_init_t init;
    aes_gcm_enc_dec_update_t update;
    aes_gcm_enc_dec_finalize_t finalize;
};
#endif

struct crypto {
    struct crypto_ops ops;
    struct crypto_config config;
    const struct crypto_identity *identity;
    SSL_CTX *server_ctx;
    EVP_CIPHER *gcm128;
    EVP_CIPHER *gcm256;
    EVP_CIPHER *ctr128;
    EVP_CIPHER *ctr256;
    EVP_CIPHER_CTX *scratch; /* re-keyed for each use: key derivation, RTCP, AES-CM */
    uint32_t handshakes;
    bool mb;
#if AMPHI_HAVE_IPSEC_MB
    struct gcm_mb mb128;
    struct gcm_mb mb256;
    struct gcm_key_data *mb_scratch; /* re-keyed for each RTCP packet, so a peer holds one key */
#endif
};

struct crypto_identity {
    EVP_PKEY *key;
    X509 *cert;
    uint8_t fingerprint[32];
};

/* Bytes of master key and master salt of a profile (RFC 3711 8.2, RFC 7714 12); 0 if unknown. */
size_t srtp_key_len(enum srtp_profile profile);
size_t srtp_salt_len(enum srtp_profile profile);
/* OpenSSL's name of a profile, NULL if unknown. */
const char *srtp_profile_name(enum srtp_profile profile);
/* Splits the exporter's output (RFC 5764 4.2) into the two directions. */
void srtp_keys_split(struct srtp_keys *out, enum srtp_profile profile, const uint8_t *material);
/* Takes the keys out of a finished handshake. 0, E_UNSUPPORTED (no profile of ours) or E_IO. */
int srtp_keys_export(SSL *ssl, struct srtp_keys *out);
/* Constant-time comparison of the peer's certificate with fingerprint. 0 or E_AUTH. */
int peer_fingerprint_check(SSL *ssl, const uint8_t fingerprint[32]);
/* What client and server contexts have in common: DTLS 1.2, suites, groups, no resumption. NULL
 * when out of memory. */
SSL_CTX *dtls_ctx_new(const SSL_METHOD *method, const struct crypto_identity *identity);

/* dtls.c */
struct dtls *dtls_new(void *arg, const uint8_t fingerprint[32], mono_us now);
void dtls_free(struct dtls *dtls);
int dtls_input(struct dtls *dtls, const uint8_t *data, size_t len, mono_us now);
size_t dtls_output(struct dtls *dtls, uint8_t *buf, size_t cap);
void dtls_timer(struct dtls *dtls, mono_us now);
mono_us dtls_deadline(const struct dtls *dtls);
enum dtls_state dtls_state_of(const struct dtls *dtls);
int dtls_keys(struct dtls *dtls, struct srtp_keys *out);

/* srtp_open.c */
int open_library_init(void);
struct srtp_open *open_new(void *arg, enum srtp_profile profile, const struct srtp_key *key);
void open_free(struct srtp_open *open);
int open_rtp(struct srtp_open *open, uint8_t *data, size_t *len);
int open_rtcp(struct srtp_open *open, uint8_t *data, size_t *len);

/* seal.c */
struct srtp_seal *seal_new(void *arg, enum srtp_profile profile, const struct srtp_key *key);
void seal_free(struct srtp_seal *seal);
size_t seal_rtp(struct srtp_seal *seal, uint8_t *out, size_t header_len, size_t prefix_len,
                const uint8_t *payload, size_t payload_len, uint64_t index);
size_t seal_rtcp(struct srtp_seal *seal, uint8_t *data, size_t len, uint32_t index);

/* hmac.c */
void hmac_sha1(const uint8_t *key, size_t key_len, const uint8_t *data, size_t len,
               uint8_t out[20]);
