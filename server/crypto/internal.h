/*
 * What the files of server/crypto share; nobody else includes it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/crypto/crypto.h"
#include "server/crypto/lean.h"
#include "server/crypto/srtp_kdf.h"

#include <openssl/evp.h>
#include <openssl/kdf.h>
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
    SRTP_REPLAY_WINDOW = 1024, /* S10: a retransmission at 30 % loss comes late */
};

#if AMPHI_HAVE_IPSEC_MB
/* ipsec-mb's direct calls for one key size; chosen once for this processor. */
struct gcm_mb {
    aes_gcm_pre_t pre;
    aes_gcm_enc_dec_t enc;
    aes_gcm_enc_dec_t dec;
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
    EVP_KDF *tls_prf;
    EVP_CIPHER_CTX *scratch; /* re-keyed for each use: key derivation, AES-CM */
    uint32_t handshakes;
    bool mb;
#if AMPHI_HAVE_IPSEC_MB
    struct gcm_mb mb128;
    struct gcm_mb mb256;
#endif
    struct gcm_key *gcm_scratch; /* re-keyed for each RTCP packet, so a peer holds one key */
};

struct crypto_identity {
    struct lean *lean; /* what the contexts of handshakes are made in */
    EVP_PKEY *key;
    X509 *cert;
    SSL_CTX *client_ctx; /* of all dtls_client: making one takes as long as a handshake */
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
void dtls_settle(struct dtls *dtls);
size_t dtls_bye(struct dtls *dtls, uint8_t *buf, size_t cap);

/* srtp_open.c */
struct srtp_open *open_new(void *arg, enum srtp_profile profile, const struct srtp_key *key);
void open_near(const struct srtp_open *open);
void open_free(struct srtp_open *open);
int open_rtp(struct srtp_open *open, uint8_t *data, size_t *len);
int open_rtcp(struct srtp_open *open, uint8_t *data, size_t *len);

/* open_cm.c: AES-CM by libsrtp2. Packets are long enough; ssrc is read from them. */
struct open_cm;
/* libsrtp2's own start, once per process; here because it takes milliseconds. 0 or E_IO. */
int open_library_init(void);
struct open_cm *open_cm_new(const struct srtp_key *key, uint32_t ssrcs_max);
void open_cm_free(struct open_cm *open);
int open_cm_rtp(struct open_cm *open, uint32_t ssrc, uint8_t *data, size_t *len);
int open_cm_rtcp(struct open_cm *open, uint32_t ssrc, uint8_t *data, size_t *len);

/* gcm.c: AES-GCM for both directions, on ipsec-mb or OpenSSL. */
struct gcm_key; /* a key ready for use */
struct gcm_key *gcm_key_new(struct crypto *crypto, const uint8_t *key, uint32_t key_len);
void gcm_key_free(struct gcm_key *key);
/* Asks the processor for the key. */
void gcm_key_near(const struct gcm_key *key);
/* The shard's scratch key, set to key: valid until the next call that uses the scratch; NULL when
 * the library failed. */
struct gcm_key *gcm_key_scratch(struct crypto *crypto, const uint8_t *key, uint32_t key_len);

/* One packet: aad is authenticated; prefix bytes at body are encrypted in place, then len bytes of
 * payload are encrypted behind them. */
struct gcm_job {
    const uint8_t *aad;
    size_t aad_len;
    uint8_t *body;
    size_t prefix_len;
    const uint8_t *payload;
    size_t payload_len;
    uint8_t iv[12];
};
/* Writes prefix + payload + SRTP_GCM_TAG bytes at body. False when the library failed. */
bool gcm_seal(struct gcm_key *key, const struct gcm_job *job);
/* Decrypts payload_len bytes at body in place; the tag follows them. False when it is wrong. */
bool gcm_open(struct gcm_key *key, const struct gcm_job *job);
/* RFC 7714 8.1 and 9.1: 00 00 SSRC, then six bytes of index, all XOR the salt. */
void gcm_iv(uint8_t iv[12], const uint8_t *salt, const uint8_t *ssrc, uint64_t index);

/* seal.c */
struct srtp_seal *seal_new(void *arg, enum srtp_profile profile, const struct srtp_key *key);
void seal_free(struct srtp_seal *seal);
void seal_near(const struct srtp_seal *seal);
size_t seal_rtp(struct srtp_seal *seal, uint8_t *out, size_t header_len, size_t prefix_len,
                const uint8_t *payload, size_t payload_len, uint64_t index);
size_t seal_rtcp(struct srtp_seal *seal, uint8_t *data, size_t len, uint32_t index);

/* hmac.c */
void hmac_sha1(const uint8_t *key, size_t key_len, const uint8_t *data, size_t len,
               uint8_t out[20]);
