#include "server/crypto/srtp_kdf.h"

#include <string.h>

#include "codec/base/err.h"
#include "server/crypto/internal.h"

struct prf {
    EVP_CIPHER_CTX *ctx; /* AES-CTR keyed with the master key */
    const uint8_t *salt; /* 14 bytes, a 96-bit salt padded with zeros on the right */
};

/*
 * The pseudo-random function is AES in counter mode over zeros with
 * IV = (label * 2^48 XOR master salt) * 2^16: the label falls on byte 7.
 */
static int prf_fill(const struct prf *prf, enum srtp_label label, uint8_t *out, int len)
{
    static const uint8_t zeros[32];
    uint8_t iv[16] = {0};
    memcpy(iv, prf->salt, 14);
    iv[7] ^= (uint8_t)label;
    int done = 0;
    if (EVP_EncryptInit_ex(prf->ctx, NULL, NULL, NULL, iv) != 1 ||
        EVP_EncryptUpdate(prf->ctx, out, &done, zeros, len) != 1 || done != len) {
        return E_IO;
    }
    return 0;
}

static int derive_one(const struct prf *prf, int label_first, int key_len, int salt_len,
                      struct srtp_session_keys *out)
{
    enum srtp_label key = (enum srtp_label)label_first;
    enum srtp_label auth = (enum srtp_label)(label_first + 1);
    enum srtp_label salt = (enum srtp_label)(label_first + 2);
    memset(out, 0, sizeof(*out));
    int err = prf_fill(prf, key, out->key, key_len);
    if (!err) {
        err = prf_fill(prf, auth, out->auth, (int)sizeof(out->auth));
    }
    if (!err) {
        err = prf_fill(prf, salt, out->salt, salt_len);
    }
    return err;
}

int srtp_derive(struct crypto *crypto, enum srtp_profile profile, const struct srtp_key *master,
                struct srtp_session_keys *rtp, struct srtp_session_keys *rtcp)
{
    int key_len = (int)srtp_key_len(profile);
    int salt_len = (int)srtp_salt_len(profile);
    if (!key_len) {
        return E_UNSUPPORTED;
    }
    uint8_t salt[14] = {0};
    memcpy(salt, master->salt, (size_t)salt_len);
    struct prf prf = {.ctx = crypto->scratch, .salt = salt};
    const EVP_CIPHER *cipher = key_len == 32 ? crypto->ctr256 : crypto->ctr128;
    if (EVP_EncryptInit_ex(prf.ctx, cipher, NULL, master->key, NULL) != 1) {
        return E_IO;
    }
    int err = derive_one(&prf, SRTP_LABEL_RTP_KEY, key_len, salt_len, rtp);
    if (!err) {
        err = derive_one(&prf, SRTP_LABEL_RTCP_KEY, key_len, salt_len, rtcp);
    }
    OPENSSL_cleanse(salt, sizeof(salt));
    return err;
}
