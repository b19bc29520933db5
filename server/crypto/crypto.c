#include "server/crypto/crypto.h"
#include "server/crypto/internal.h"

#include <string.h>

#include <openssl/core_names.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"

enum { HANDSHAKES_MAX = 1000000, SSRCS_MAX = 64 };

size_t srtp_key_len(enum srtp_profile profile)
{
    switch (profile) {
    case SRTP_AES128_CM_SHA1_80:
    case SRTP_AEAD_AES_128_GCM:
        return 16;
    case SRTP_AEAD_AES_256_GCM:
        return 32;
    case SRTP_NONE:
        break;
    }
    return 0;
}

size_t srtp_salt_len(enum srtp_profile profile)
{
    switch (profile) {
    case SRTP_AES128_CM_SHA1_80:
        return 14;
    case SRTP_AEAD_AES_128_GCM:
    case SRTP_AEAD_AES_256_GCM:
        return SRTP_GCM_SALT;
    case SRTP_NONE:
        break;
    }
    return 0;
}

const char *srtp_profile_name(enum srtp_profile profile)
{
    switch (profile) {
    case SRTP_AES128_CM_SHA1_80:
        return "SRTP_AES128_CM_SHA1_80";
    case SRTP_AEAD_AES_128_GCM:
        return "SRTP_AEAD_AES_128_GCM";
    case SRTP_AEAD_AES_256_GCM:
        return "SRTP_AEAD_AES_256_GCM";
    case SRTP_NONE:
        break;
    }
    return NULL;
}

static void ops_fingerprint(void *arg, uint8_t out[32])
{
    const struct crypto *crypto = arg;
    crypto_identity_fingerprint(crypto->identity, out);
}

static void ops_fill(struct crypto *crypto)
{
    crypto->ops = (struct crypto_ops){
        .arg = crypto,
        .dtls_new = dtls_new,
        .dtls_free = dtls_free,
        .dtls_input = dtls_input,
        .dtls_output = dtls_output,
        .dtls_timer = dtls_timer,
        .dtls_deadline = dtls_deadline,
        .dtls_state = dtls_state_of,
        .dtls_keys = dtls_keys,
        .dtls_settle = dtls_settle,
        .dtls_bye = dtls_bye,
        .open_new = open_new,
        .open_free = open_free,
        .open_near = open_near,
        .open_rtp = open_rtp,
        .open_rtcp = open_rtcp,
        .seal_new = seal_new,
        .seal_free = seal_free,
        .seal_near = seal_near,
        .seal_rtp = seal_rtp,
        .seal_rtcp = seal_rtcp,
        .hmac_sha1 = hmac_sha1,
        .fingerprint = ops_fingerprint,
    };
}

#if AMPHI_HAVE_IPSEC_MB
/* The manager is only asked which code suits this processor; its state is never used. */
static int mb_probe(struct crypto *crypto)
{
    IMB_MGR *mgr = alloc_mb_mgr(0);
    if (!mgr) {
        return E_NOMEM;
    }
    const uint64_t needed = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ;
    IMB_ARCH arch = IMB_ARCH_NONE;
    if ((mgr->features & needed) == needed) {
        init_mb_mgr_auto(mgr, &arch);
    }
    if (arch >= IMB_ARCH_SSE) {
        crypto->mb128 = (struct gcm_mb){.pre = mgr->gcm128_pre,
                                        .enc = mgr->gcm128_enc,
                                        .dec = mgr->gcm128_dec,
                                        .init = mgr->gcm128_init,
                                        .update = mgr->gcm128_enc_update,
                                        .finalize = mgr->gcm128_enc_finalize};
        crypto->mb256 = (struct gcm_mb){.pre = mgr->gcm256_pre,
                                        .enc = mgr->gcm256_enc,
                                        .dec = mgr->gcm256_dec,
                                        .init = mgr->gcm256_init,
                                        .update = mgr->gcm256_enc_update,
                                        .finalize = mgr->gcm256_enc_finalize};
        crypto->mb = true;
    }
    free_mb_mgr(mgr);
    return 0;
}
#endif

static int engines_init(struct crypto *crypto)
{
    crypto->gcm128 = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
    crypto->gcm256 = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    crypto->ctr128 = EVP_CIPHER_fetch(NULL, "AES-128-CTR", NULL);
    crypto->ctr256 = EVP_CIPHER_fetch(NULL, "AES-256-CTR", NULL);
    crypto->tls_prf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_TLS1_PRF, NULL);
    crypto->scratch = EVP_CIPHER_CTX_new();
    if (!crypto->tls_prf || !crypto->gcm128 || !crypto->gcm256 || !crypto->ctr128 ||
        !crypto->ctr256) {
        return E_IO;
    }
    if (!crypto->scratch) {
        return E_NOMEM;
    }
#if AMPHI_HAVE_IPSEC_MB
    if (crypto->config.ipsec_mb && mb_probe(crypto)) {
        return E_NOMEM;
    }
#endif
    static const uint8_t nothing[32];
    crypto->gcm_scratch = gcm_key_new(crypto, nothing, sizeof(nothing));
    return crypto->gcm_scratch ? 0 : E_NOMEM;
}

static int server_ctx_init(struct crypto *crypto)
{
    SSL_CTX *ctx = dtls_ctx_new(DTLS_server_method(), crypto->identity);
    if (!ctx) {
        return E_NOMEM;
    }
    crypto->server_ctx = ctx;
    SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
    /* Of the profiles both sides list, OpenSSL takes the first of ours. */
    return SSL_CTX_set_tlsext_use_srtp(ctx, "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:"
                                            "SRTP_AES128_CM_SHA1_80") == 0
               ? 0
               : E_IO;
}

int crypto_new(struct crypto **out, const struct crypto_identity *identity,
               const struct crypto_config *config)
{
    *out = NULL;
    if (!config->handshakes_max || config->handshakes_max > HANDSHAKES_MAX || !config->ssrcs_max ||
        config->ssrcs_max > SSRCS_MAX) {
        return E_RANGE;
    }
    struct crypto *crypto = mem_alloc(sizeof(*crypto));
    if (!crypto) {
        return E_NOMEM;
    }
    crypto->config = *config;
    crypto->identity = identity;
    ops_fill(crypto);
    int err = open_library_init();
    if (!err) {
        err = engines_init(crypto);
    }
    if (!err) {
        err = server_ctx_init(crypto);
    }
    if (err) {
        crypto_free(crypto);
        return err;
    }
    *out = crypto;
    return 0;
}

void crypto_free(struct crypto *crypto)
{
    if (!crypto) {
        return;
    }
    SSL_CTX_free(crypto->server_ctx);
    EVP_CIPHER_free(crypto->gcm128);
    EVP_CIPHER_free(crypto->gcm256);
    EVP_CIPHER_free(crypto->ctr128);
    EVP_CIPHER_free(crypto->ctr256);
    EVP_KDF_free(crypto->tls_prf);
    EVP_CIPHER_CTX_free(crypto->scratch);
    gcm_key_free(crypto->gcm_scratch);
    mem_free(crypto);
}

const struct crypto_ops *crypto_ops(struct crypto *crypto)
{
    return &crypto->ops;
}

const char *crypto_seal_engine(const struct crypto *crypto)
{
    return crypto->mb ? "ipsec-mb" : "openssl";
}

uint32_t crypto_handshakes(const struct crypto *crypto)
{
    return crypto->handshakes;
}
