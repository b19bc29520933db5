/* SRTP: key derivation, sealing against the RFCs' vectors and against libsrtp2, opening, S8, S10,
 * S11. Covers server/crypto/{crypto,srtp_kdf,gcm,seal,srtp_open,open_cm,hmac,
 * identity}. */
#include "tests/unit/support.h"

#include <stdlib.h>
#include <string.h>

#include <srtp2/srtp.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/rng.h"
#include "codec/base/rw.h"
#include "codec/base/text.h"
#include "server/crypto/crypto.h"
#include "server/crypto/hmac.h"
#include "server/crypto/seal.h"
#include "server/crypto/srtp_kdf.h"

static const enum srtp_profile profiles[] = {SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_256_GCM,
                                             SRTP_AES128_CM_SHA1_80};
enum { PROFILES = 3, ENGINES = 2 };

static struct crypto_identity *identity;
static struct crypto *engines[ENGINES]; /* ipsec-mb (where there is one), OpenSSL */
static int engine;                      /* the one that pair_new takes */

static int suite_setup(void **state)
{
    (void)state;
    struct crypto_config config = {.handshakes_max = 8, .ssrcs_max = 40, .ipsec_mb = true};
    assert_int_equal(crypto_identity_new(&identity), 0);
    assert_int_equal(crypto_new(&engines[0], identity, &config), 0);
    config.ipsec_mb = false;
    assert_int_equal(crypto_new(&engines[1], identity, &config), 0);
    assert_string_equal(crypto_seal_engine(engines[1]), "openssl");
    return 0;
}

static int suite_teardown(void **state)
{
    (void)state;
    crypto_free(engines[0]);
    crypto_free(engines[1]);
    crypto_identity_free(identity);
    return 0;
}

static size_t unhex(uint8_t *out, const char *hex)
{
    size_t len = strlen(hex) / 2;
    assert_int_equal(text_unhex(out, len, hex, 2 * len), 0);
    return len;
}

static void check_hex(const uint8_t *got, size_t len, const char *want)
{
    char text[512];
    assert_true(2 * len < sizeof(text));
    text_hex(text, got, len);
    assert_string_equal(text, want);
}

static struct srtp_key random_key(struct rng *rng)
{
    struct srtp_key key;
    rng_fill(rng, key.key, sizeof(key.key));
    rng_fill(rng, key.salt, sizeof(key.salt));
    return key;
}

/* ---- vectors ------------------------------------------------------------------------------------
 */

static void test_keys_are_derived_as_in_rfc3711_b3(void **state)
{
    (void)state;
    struct srtp_key master = {0};
    unhex(master.key, "e1f97a0d3e018be0d64fa32c06de4139");
    unhex(master.salt, "0ec675ad498afeebb6960b3aabe6");
    struct srtp_session_keys rtp, rtcp;
    assert_int_equal(srtp_derive(engines[0], SRTP_AES128_CM_SHA1_80, &master, &rtp, &rtcp), 0);
    check_hex(rtp.key, 16, "c61e7a93744f39ee10734afe3ff7a087");
    check_hex(rtp.salt, 14, "30cbbc08863d8c85d49db34a9ae1");
    check_hex(rtp.auth, 20, "cebe321f6ff7716b6fd4ab49af256a156d38baa4");
    assert_int_equal(srtp_derive(engines[0], SRTP_NONE, &master, &rtp, &rtcp), E_UNSUPPORTED);
}

struct vector {
    enum srtp_profile profile;
    const char *rtp;
    const char *rtcp;
};

#define GALLIA "47616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573"
#define REPORT                                                                                     \
    "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61"                             \
    "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef"

static const struct vector rfc7714[] = {
    {SRTP_AEAD_AES_128_GCM,
     "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b"
     "36de3adf8833899d7f27beb16a9152cf765ee4390cce",
     "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b46"
     "86303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4"},
    {SRTP_AEAD_AES_256_GCM,
     "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f"
     "1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13",
     "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658"
     "c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4"},
};

static void test_gcm_seals_as_in_rfc7714(void **state)
{
    (void)state;
    struct srtp_session_keys keys = {0};
    for (size_t i = 0; i < sizeof(keys.key); i++) {
        keys.key[i] = (uint8_t)i;
    }
    unhex(keys.salt, "517569642070726f2071756f");
    for (int e = 0; e < ENGINES; e++) {
        const struct crypto_ops *ops = crypto_ops(engines[e]);
        for (size_t v = 0; v < sizeof(rfc7714) / sizeof(rfc7714[0]); v++) {
            struct srtp_seal *seal = seal_from_keys(engines[e], rfc7714[v].profile, &keys, &keys);
            assert_non_null(seal);
            uint8_t out[128], payload[64];
            size_t header = unhex(out, "8040f17b8041f8d35501a0b2");
            size_t len = unhex(payload, GALLIA);
            len = ops->seal_rtp(seal, out, header, 0, payload, len, 0xf17b);
            check_hex(out, len, rfc7714[v].rtp);
            len = unhex(out, REPORT);
            len = ops->seal_rtcp(seal, out, len, 0x5d4);
            check_hex(out, len, rfc7714[v].rtcp);
            ops->seal_free(seal);
        }
    }
}

static void test_hmac_follows_rfc2202(void **state)
{
    (void)state;
    uint8_t key[80], out[20];
    memset(key, 0xaa, sizeof(key));
    const struct crypto_ops *ops = crypto_ops(engines[0]);
    ops->hmac_sha1((const uint8_t *)"Jefe", 4, (const uint8_t *)"what do ya want for nothing?", 28,
                   out);
    check_hex(out, 20, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    const char *text = "Test Using Larger Than Block-Size Key - Hash Key First";
    ops->hmac_sha1(key, sizeof(key), (const uint8_t *)text, strlen(text), out);
    check_hex(out, 20, "aa4ae5e15272d00e95705637ce8a3b55ed402112");
    struct hmac_key prepared;
    hmac_key_set(&prepared, (const uint8_t *)"Jefe", 4);
    hmac_sign(&prepared, (const uint8_t *)"what do ya ", 11, (const uint8_t *)"want for nothing?",
              17, out);
    check_hex(out, 20, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
}

/* ---- the oracle ---------------------------------------------------------------------------------
 */

static srtp_t oracle_new(enum srtp_profile profile, const struct srtp_key *key,
                         srtp_ssrc_type_t direction)
{
    srtp_policy_t policy = {.ssrc = {.type = direction}, .window_size = 1024};
    uint8_t material[46];
    size_t key_len = profile == SRTP_AEAD_AES_256_GCM ? 32 : 16;
    if (profile == SRTP_AES128_CM_SHA1_80) {
        srtp_crypto_policy_set_rtp_default(&policy.rtp);
        srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
    } else if (key_len == 16) {
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    } else {
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtcp);
    }
    memcpy(material, key->key, key_len);
    memcpy(material + key_len, key->salt, sizeof(key->salt));
    policy.key = material;
    srtp_t session;
    assert_int_equal(srtp_create(&session, &policy), srtp_err_status_ok);
    return session;
}

/* A random RTP packet: CSRCs, extension or neither. Returns the header's length. */
static size_t random_rtp(struct rng *rng, uint8_t *out, size_t len, uint32_t ssrc, uint16_t seq)
{
    rng_fill(rng, out, len);
    size_t csrcs = rng_below(rng, 4);
    bool extension = rng_below(rng, 2);
    out[0] = (uint8_t)(0x80 | (extension ? 0x10 : 0) | csrcs);
    put_u16(out + 2, seq);
    put_u32(out + 8, ssrc);
    size_t header = 12 + csrcs * 4;
    if (extension) {
        uint16_t words = (uint16_t)rng_below(rng, 5);
        put_u16(out + header, 0xbede);
        put_u16(out + header + 2, words);
        header += 4 + words * 4u;
    }
    return header;
}

struct rtp_case {
    struct crypto *crypto;
    struct srtp_seal *seal;
    srtp_t oracle;
    struct rng *rng;
};

static void check_rtp(const struct rtp_case *c, uint32_t ssrc, uint64_t index)
{
    uint8_t plain[1500], want[1600], got[1600];
    size_t len = 60 + rng_below(c->rng, 1300);
    size_t header = random_rtp(c->rng, plain, len, ssrc, (uint16_t)index);
    size_t prefix = rng_below(c->rng, 3) ? rng_below(c->rng, (uint32_t)(len - header) + 1) : 0;
    memcpy(want, plain, len);
    int want_len = (int)len;
    assert_int_equal(srtp_protect(c->oracle, want, &want_len), srtp_err_status_ok);
    memset(got, 0xee, sizeof(got));
    memcpy(got, plain, header + prefix);
    size_t got_len = crypto_ops(c->crypto)->seal_rtp(
        c->seal, got, header, prefix, plain + header + prefix, len - header - prefix, index);
    assert_int_equal(got_len, want_len);
    assert_memory_equal(got, want, got_len);
    assert_int_equal(got[got_len], 0xee); /* not a byte behind the datagram */
}

static void check_rtcp(const struct rtp_case *c, uint32_t ssrc, uint32_t index)
{
    uint8_t want[1600], got[1600];
    size_t len = 8 + 4 * (size_t)rng_below(c->rng, 300);
    rng_fill(c->rng, want, len);
    want[0] = 0x80;
    want[1] = 200;
    put_u32(want + 4, ssrc);
    memset(got, 0xee, sizeof(got));
    memcpy(got, want, len);
    int want_len = (int)len;
    assert_int_equal(srtp_protect_rtcp(c->oracle, want, &want_len), srtp_err_status_ok);
    size_t got_len = crypto_ops(c->crypto)->seal_rtcp(c->seal, got, len, index);
    assert_int_equal(got_len, want_len);
    assert_memory_equal(got, want, got_len);
    assert_int_equal(got[got_len], 0xee);
}

static void test_sealing_equals_libsrtp_byte_for_byte(void **state)
{
    (void)state;
    struct rng_seeded seed;
    rng_seed(&seed, 3711);
    struct rng rng = rng_from_seeded(&seed);
    for (int e = 0; e < ENGINES; e++) {
        for (int p = 0; p < PROFILES; p++) {
            struct srtp_key key = random_key(&rng);
            struct rtp_case c = {.crypto = engines[e], .rng = &rng};
            c.seal = crypto_ops(c.crypto)->seal_new(c.crypto, profiles[p], &key);
            c.oracle = oracle_new(profiles[p], &key, ssrc_any_outbound);
            assert_non_null(c.seal);
            /* Across a sequence wrap, so that the roll-over counter is in play. */
            for (uint64_t index = 65400; index < 65700; index++) {
                check_rtp(&c, 0x1234, index);
            }
            for (uint32_t index = 1; index < 100; index++) {
                check_rtcp(&c, 0x1234, index);
            }
            crypto_ops(c.crypto)->seal_free(c.seal);
            srtp_dealloc(c.oracle);
        }
    }
}

/* ---- opening ------------------------------------------------------------------------------------
 */

struct pair {
    const struct crypto_ops *ops;
    struct srtp_seal *seal;
    struct srtp_open *open;
};

static struct pair pair_new(enum srtp_profile profile, struct rng *rng)
{
    struct srtp_key key = random_key(rng);
    struct pair pair = {.ops = crypto_ops(engines[engine])};
    pair.seal = pair.ops->seal_new(pair.ops->arg, profile, &key);
    pair.open = pair.ops->open_new(pair.ops->arg, profile, &key);
    assert_non_null(pair.seal);
    assert_non_null(pair.open);
    return pair;
}

static void pair_free(struct pair *pair)
{
    pair->ops->seal_free(pair->seal);
    pair->ops->open_free(pair->open);
}

static size_t sealed_rtp(const struct pair *pair, uint8_t *out, uint32_t ssrc, uint32_t index)
{
    static const uint8_t payload[] = "one frame of somebody's voice";
    uint8_t header[12] = {0x80, 111};
    put_u16(header + 2, (uint16_t)index);
    put_u32(header + 8, ssrc);
    memcpy(out, header, sizeof(header));
    return pair->ops->seal_rtp(pair->seal, out, 12, 0, payload, sizeof(payload), index);
}

static size_t sealed_rtcp(const struct pair *pair, uint8_t *out, uint32_t ssrc, uint32_t index)
{
    memset(out, 0, 28);
    out[0] = 0x80;
    out[1] = 200;
    out[3] = 6;
    put_u32(out + 4, ssrc);
    return pair->ops->seal_rtcp(pair->seal, out, 28, index);
}

static void test_s10_a_packet_sent_twice_is_delivered_once(void **state)
{
    (void)state;
    struct rng_seeded seed;
    rng_seed(&seed, 10);
    struct rng rng = rng_from_seeded(&seed);
    for (int p = 0; p < PROFILES; p++) {
        struct pair pair = pair_new(profiles[p], &rng);
        uint8_t packet[256], again[256];
        for (uint32_t i = 1; i <= 2000; i++) {
            size_t len = sealed_rtp(&pair, packet, 7, i);
            size_t len_again = len;
            memcpy(again, packet, len);
            assert_int_equal(pair.ops->open_rtp(pair.open, packet, &len), 0);
            assert_string_equal((const char *)packet + 12, "one frame of somebody's voice");
            assert_int_equal(pair.ops->open_rtp(pair.open, again, &len_again), E_REPLAY);
            len = sealed_rtcp(&pair, packet, 7, i);
            memcpy(again, packet, len);
            len_again = len;
            assert_int_equal(pair.ops->open_rtcp(pair.open, packet, &len), 0);
            assert_int_equal(len, 28);
            assert_int_equal(pair.ops->open_rtcp(pair.open, again, &len_again), E_REPLAY);
        }
        /* A retransmission 1000 packets late still comes in, one 1100 late does not. */
        size_t len = sealed_rtp(&pair, packet, 7, 4000);
        assert_int_equal(pair.ops->open_rtp(pair.open, packet, &len), 0);
        len = sealed_rtp(&pair, packet, 7, 3000);
        assert_int_equal(pair.ops->open_rtp(pair.open, packet, &len), 0);
        len = sealed_rtp(&pair, packet, 7, 2900);
        assert_int_equal(pair.ops->open_rtp(pair.open, packet, &len), E_REPLAY);
        pair_free(&pair);
    }
}

typedef int (*open_h)(struct srtp_open *open, uint8_t *data, size_t *len);

/* Every length 0 .. 128 in a block of exactly that size, so that ASan sees the first byte beyond.
 */
static void sweep_lengths(struct pair *pair, open_h open, uint8_t first, uint8_t second,
                          struct rng *rng)
{
    for (size_t len = 0; len <= 128; len++) {
        for (int extension = 0; extension < 2; extension++) {
            uint8_t *block = mem_alloc(len ? len : 1);
            assert_non_null(block);
            rng_fill(rng, block, len);
            if (len >= 2) {
                block[0] = (uint8_t)(first | (extension ? 0x10 : 0) | rng_below(rng, 16));
                block[1] = second;
            }
            size_t out = len;
            int err = open(pair->open, block, &out);
            assert_true(err == E_TRUNC || err == E_AUTH);
            assert_int_equal(out, len);
            mem_free(block);
        }
    }
}

/* Packets lost, doubled, late and across wraps: whatever libsrtp2 takes or refuses, we do too. */
static void test_opening_equals_libsrtp_packet_for_packet(void **state)
{
    (void)state;
    struct rng_seeded seed;
    rng_seed(&seed, 7714);
    struct rng rng = rng_from_seeded(&seed);
    for (int e = 0; e < ENGINES; e++) {
        for (int p = 0; p < PROFILES; p++) {
            struct srtp_key key = random_key(&rng);
            const struct crypto_ops *ops = crypto_ops(engines[e]);
            struct pair pair = {.ops = ops};
            pair.seal = ops->seal_new(ops->arg, profiles[p], &key);
            pair.open = ops->open_new(ops->arg, profiles[p], &key);
            srtp_t oracle = oracle_new(profiles[p], &key, ssrc_any_inbound);
            unsigned taken = 0, refused = 0;
            const int64_t first[2] = {1000, 40000};
            int64_t head[2] = {first[0], first[1]};
            for (int i = 0; i < 6000; i++) {
                unsigned who = rng_below(&rng, 2);
                bool jump = rng_below(&rng, 40) == 0;
                head[who] += jump ? rng_below(&rng, 12000) : rng_below(&rng, 3);
                int64_t index = i < 2 || jump ? head[who] : head[who] - rng_below(&rng, 1400);
                index = index < first[who] ? first[who] : index;
                uint8_t ours[256], theirs[256];
                size_t len = sealed_rtp(&pair, ours, 7 + who, (uint32_t)index);
                int their_len = (int)len;
                memcpy(theirs, ours, len);
                int err = ops->open_rtp(pair.open, ours, &len);
                srtp_err_status_t status = srtp_unprotect(oracle, theirs, &their_len);
                assert_int_equal(err == 0, status == srtp_err_status_ok);
                if (!err) {
                    taken++;
                    assert_int_equal(len, their_len);
                    assert_memory_equal(ours, theirs, len);
                } else {
                    refused++;
                }
            }
            assert_true(taken > 1000 && refused > 100);
            srtp_dealloc(oracle);
            pair_free(&pair);
        }
    }
}

static void test_rtcp_in_the_clear_is_refused(void **state)
{
    (void)state;
    struct rng_seeded seed;
    rng_seed(&seed, 9);
    struct rng rng = rng_from_seeded(&seed);
    for (int p = 0; p < PROFILES; p++) {
        struct pair pair = pair_new(profiles[p], &rng);
        uint8_t packet[128];
        size_t len = sealed_rtcp(&pair, packet, 7, 1);
        size_t word = profiles[p] == SRTP_AES128_CM_SHA1_80 ? len - 14 : len - 4;
        packet[word] &= 0x7f; /* the E flag */
        assert_int_equal(pair.ops->open_rtcp(pair.open, packet, &len), E_AUTH);
        pair_free(&pair);
    }
}

static void test_s10_no_length_is_trusted(void **state)
{
    (void)state;
    struct rng_seeded seed;
    rng_seed(&seed, 128);
    struct rng rng = rng_from_seeded(&seed);
    for (int p = 0; p < PROFILES; p++) {
        struct pair pair = pair_new(profiles[p], &rng);
        for (int turn = 0; turn < 20; turn++) {
            sweep_lengths(&pair, pair.ops->open_rtp, 0x80, 96, &rng);
            sweep_lengths(&pair, pair.ops->open_rtcp, 0x80, 200, &rng);
        }
        pair_free(&pair);
    }
}

static void test_s8_a_forged_packet_leaves_no_trace(void **state)
{
    (void)state;
    struct rng_seeded seed;
    rng_seed(&seed, 8);
    struct rng rng = rng_from_seeded(&seed);
    for (int p = 0; p < PROFILES; p++) {
        struct pair pair = pair_new(profiles[p], &rng);
        uint8_t packet[256], good[256];
        long live = mem_live();
        size_t good_len = sealed_rtp(&pair, good, 7, 100);
        for (uint32_t i = 0; i < 2000; i++) {
            /* Right and foreign SSRCs, indexes far ahead: with a wrong bit each. */
            size_t len = sealed_rtp(&pair, packet, i & 1 ? 7 : i, 100 + i * 20);
            packet[rng_below(&rng, (uint32_t)len)] ^= (uint8_t)(1u << rng_below(&rng, 8));
            int err = pair.ops->open_rtp(pair.open, packet, &len);
            assert_true(err == E_AUTH || err == E_TRUNC);
            len = sealed_rtcp(&pair, packet, i & 1 ? 7 : i, 100 + i);
            packet[rng_below(&rng, (uint32_t)len)] ^= (uint8_t)(1u << rng_below(&rng, 8));
            err = pair.ops->open_rtcp(pair.open, packet, &len);
            assert_true(err == E_AUTH || err == E_TRUNC);
        }
        assert_int_equal(mem_live(), live);
        /* The window has not moved and no SSRC was taken: all 40 are still free. */
        assert_int_equal(pair.ops->open_rtp(pair.open, good, &good_len), 0);
        for (uint32_t ssrc = 100; ssrc < 139; ssrc++) {
            size_t len = sealed_rtp(&pair, packet, ssrc, 5);
            assert_int_equal(pair.ops->open_rtp(pair.open, packet, &len), 0);
        }
        pair_free(&pair);
    }
}

static void test_s11_a_peer_cannot_use_ssrcs_without_end(void **state)
{
    (void)state;
    struct rng_seeded seed;
    rng_seed(&seed, 11);
    struct rng rng = rng_from_seeded(&seed);
    struct pair pair = pair_new(SRTP_AEAD_AES_128_GCM, &rng);
    uint8_t packet[256];
    for (uint32_t ssrc = 1; ssrc <= 65536; ssrc++) {
        size_t len = sealed_rtp(&pair, packet, ssrc, 1);
        int err = pair.ops->open_rtp(pair.open, packet, &len);
        assert_int_equal(err, ssrc <= 40 ? 0 : E_LIMIT);
    }
    size_t len = sealed_rtp(&pair, packet, 40, 2);
    assert_int_equal(pair.ops->open_rtp(pair.open, packet, &len), 0);
    len = sealed_rtcp(&pair, packet, 40, 2);
    assert_int_equal(pair.ops->open_rtcp(pair.open, packet, &len), 0);
    len = sealed_rtcp(&pair, packet, 41, 3);
    assert_int_equal(pair.ops->open_rtcp(pair.open, packet, &len), E_LIMIT);
    pair_free(&pair);
}

static void test_short_rtcp_is_not_sealed(void **state)
{
    (void)state;
    struct rng_seeded seed;
    rng_seed(&seed, 1);
    struct rng rng = rng_from_seeded(&seed);
    struct pair pair = pair_new(SRTP_AEAD_AES_128_GCM, &rng);
    uint8_t packet[64] = {0x80, 200};
    assert_int_equal(pair.ops->seal_rtcp(pair.seal, packet, 7, 1), 0);
    pair_free(&pair);
}

static int scene_contexts(void *arg)
{
    (void)arg;
    struct crypto_config config = {.handshakes_max = 1, .ssrcs_max = 1, .ipsec_mb = true};
    struct crypto_identity *own = NULL;
    struct crypto *crypto = NULL;
    int err = crypto_identity_new(&own);
    if (!err) {
        err = crypto_new(&crypto, own, &config);
    }
    struct srtp_key key = {.key = {1}, .salt = {2}};
    const struct crypto_ops *ops = crypto ? crypto_ops(crypto) : NULL;
    struct srtp_seal *seal = ops ? ops->seal_new(crypto, SRTP_AEAD_AES_256_GCM, &key) : NULL;
    struct srtp_open *open = ops ? ops->open_new(crypto, SRTP_AEAD_AES_256_GCM, &key) : NULL;
    if (!err && (!seal || !open)) {
        err = E_NOMEM;
    }
    if (ops) {
        ops->seal_free(seal);
        ops->open_free(open);
    }
    crypto_free(crypto);
    crypto_identity_free(own);
    return err;
}

static void test_memory_running_out_is_survived(void **state)
{
    (void)state;
    assert_true(support_oom_sweep(scene_contexts, NULL) >= 4);
}

static void test_bounds_of_the_configuration_hold(void **state)
{
    (void)state;
    struct crypto *crypto = NULL;
    struct crypto_config config = {.handshakes_max = 0, .ssrcs_max = 1};
    assert_int_equal(crypto_new(&crypto, identity, &config), E_RANGE);
    config = (struct crypto_config){.handshakes_max = 1, .ssrcs_max = 65};
    assert_int_equal(crypto_new(&crypto, identity, &config), E_RANGE);
    assert_null(crypto);
    struct srtp_key key = {.key = {1}};
    const struct crypto_ops *ops = crypto_ops(engines[0]);
    assert_null(ops->seal_new(ops->arg, (enum srtp_profile)99, &key));
    assert_null(ops->open_new(ops->arg, (enum srtp_profile)99, &key));
    /* For a peer inside this process only; no handshake comes to it (crypto_dtls_test). */
    struct srtp_seal *plain_seal = ops->seal_new(ops->arg, SRTP_NONE, &key);
    struct srtp_open *plain_open = ops->open_new(ops->arg, SRTP_NONE, &key);
    assert_non_null(plain_seal);
    assert_non_null(plain_open);
    ops->seal_free(plain_seal);
    ops->open_free(plain_open);
    uint8_t a[32], b[32];
    ops->fingerprint(ops->arg, a);
    crypto_identity_fingerprint(identity, b);
    assert_memory_equal(a, b, sizeof(a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(test_keys_are_derived_as_in_rfc3711_b3),
        UNIT(test_gcm_seals_as_in_rfc7714),
        UNIT(test_hmac_follows_rfc2202),
        UNIT(test_sealing_equals_libsrtp_byte_for_byte),
        UNIT(test_s10_a_packet_sent_twice_is_delivered_once),
        UNIT(test_opening_equals_libsrtp_packet_for_packet),
        UNIT(test_rtcp_in_the_clear_is_refused),
        UNIT(test_s10_no_length_is_trusted),
        UNIT(test_s8_a_forged_packet_leaves_no_trace),
        UNIT(test_s11_a_peer_cannot_use_ssrcs_without_end),
        UNIT(test_short_rtcp_is_not_sealed),
        UNIT(test_memory_running_out_is_survived),
        UNIT(test_bounds_of_the_configuration_hold),
    };
    int failed = 0;
    for (engine = 0; engine < ENGINES; engine++) {
        failed += cmocka_run_group_tests(tests, suite_setup, suite_teardown);
    }
    return failed;
}
