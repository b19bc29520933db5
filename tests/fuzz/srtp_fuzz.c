/* Opening SRTP and SRTCP: whatever comes, a forged packet fails, changes no length, and the next
 * good packet still opens (S8, S10). First byte: profile and kind. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "server/crypto/crypto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct crypto *crypto;

static void must(int ok)
{
    if (!ok) {
        abort();
    }
}

static void start(void)
{
    struct crypto_identity *identity;
    const struct crypto_config config = {.handshakes_max = 1, .ssrcs_max = 8, .ipsec_mb = true};
    must(crypto_identity_new(&identity) == 0);
    must(crypto_new(&crypto, identity, &config) == 0);
}

static void good_packet_opens(const struct crypto_ops *ops, struct srtp_seal *seal,
                              struct srtp_open *open, uint16_t seq)
{
    uint8_t packet[64] = {0x80, 96, (uint8_t)(seq >> 8), (uint8_t)seq, 0, 0, 0, 0, 0, 0, 0, 7};
    size_t len = ops->seal_rtp(seal, packet, 12, 0, (const uint8_t *)"hello", 5, seq);
    must(ops->open_rtp(open, packet, &len) == 0 && len == 17);
    must(!memcmp(packet + 12, "hello", 5));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const enum srtp_profile profiles[] = {SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_256_GCM,
                                                 SRTP_AES128_CM_SHA1_80};
    if (!crypto) {
        start();
    }
    if (len < 1) {
        return 0;
    }
    const struct crypto_ops *ops = crypto_ops(crypto);
    enum srtp_profile profile = profiles[data[0] % 3];
    struct srtp_key key = {.key = {1, 2, 3}, .salt = {4, 5, 6}};
    struct srtp_seal *seal = ops->seal_new(ops->arg, profile, &key);
    struct srtp_open *open = ops->open_new(ops->arg, profile, &key);
    uint8_t *packet = mem_dup(data + 1, len - 1);
    must(seal && open && packet);
    good_packet_opens(ops, seal, open, 1);
    size_t out = len - 1;
    int err =
        data[0] & 0x80 ? ops->open_rtcp(open, packet, &out) : ops->open_rtp(open, packet, &out);
    /* Nobody guesses a tag of 80 bits; a replayed index is recognised before the tag is looked at.
     */
    must(err == E_AUTH || err == E_TRUNC || err == E_REPLAY);
    must(out == len - 1);
    good_packet_opens(ops, seal, open, 2);
    mem_free(packet);
    ops->seal_free(seal);
    ops->open_free(open);
    return 0;
}
