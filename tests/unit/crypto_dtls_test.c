/* DTLS: the handshake with our client, under loss, fragments, forgery and time; S1, S2, S16.
 * Covers server/crypto/{dtls,dtls_hello,dtls_after,dtls_io,dtls_common,
 * dtls_client}. */
#include "tests/unit/support.h"

#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/rng.h"
#include "codec/base/rw.h"
#include "codec/base/text.h"
#include "server/crypto/crypto.h"
#include "server/crypto/dtls_client.h"
#include "server/crypto/dtls_hello.h"
#include "tests/unit/dtls_hellos.h"

enum { MS = US_PER_MS, DATAGRAM = 1500, QUEUE = 16 };

static struct crypto_identity *identity, *client_identity;
static struct crypto *crypto;
static const struct crypto_ops *ops;

static int suite_setup(void **state)
{
    (void)state;
    const struct crypto_config config = {.handshakes_max = 4, .ssrcs_max = 8, .ipsec_mb = true};
    assert_int_equal(crypto_identity_new(&identity), 0);
    assert_int_equal(crypto_identity_new(&client_identity), 0);
    assert_int_equal(crypto_new(&crypto, identity, &config), 0);
    ops = crypto_ops(crypto);
    return 0;
}

static int suite_teardown(void **state)
{
    (void)state;
    crypto_free(crypto);
    crypto_identity_free(identity);
    crypto_identity_free(client_identity);
    return 0;
}

struct world {
    struct dtls *server;
    struct dtls_client *client;
    mono_us now;
    size_t largest; /* datagram the server sent */
    unsigned sent;  /* datagrams the server sent */
};

struct datagram {
    uint8_t data[DATAGRAM];
    size_t len;
};

static struct dtls_client_config client_config(void)
{
    /* Chromium's order: the server's own must win. */
    struct dtls_client_config config = {
        .identity = client_identity,
        .profiles = {SRTP_AES128_CM_SHA1_80, SRTP_AEAD_AES_256_GCM, SRTP_AEAD_AES_128_GCM},
        .mtu = 1200,
        .resend_us = 60 * US_PER_S, /* OpenSSL's clock runs by itself: keep it out of the tests */
    };
    crypto_identity_fingerprint(identity, config.fingerprint);
    return config;
}

static struct world world_with(const struct dtls_client_config *config)
{
    struct world w = {.now = 5 * US_PER_S};
    uint8_t fingerprint[32];
    crypto_identity_fingerprint(client_identity, fingerprint);
    w.server = ops->dtls_new(ops->arg, fingerprint, w.now);
    w.client = dtls_client_new(config, w.now);
    assert_non_null(w.server);
    assert_non_null(w.client);
    return w;
}

static struct world world_new(void)
{
    struct dtls_client_config config = client_config();
    return world_with(&config);
}

static void world_free(struct world *w)
{
    ops->dtls_free(w->server);
    dtls_client_free(w->client);
}

static bool client_next(struct world *w, struct datagram *d)
{
    d->len = dtls_client_output(w->client, d->data, sizeof(d->data));
    return d->len > 0;
}

static bool server_next(struct world *w, struct datagram *d)
{
    d->len = ops->dtls_output(w->server, d->data, sizeof(d->data));
    if (d->len > w->largest) {
        w->largest = d->len;
    }
    w->sent += d->len > 0;
    return d->len > 0;
}

static void to_server(struct world *w)
{
    struct datagram d;
    while (client_next(w, &d)) {
        ops->dtls_input(w->server, d.data, d.len, w->now);
    }
}

static void to_client(struct world *w)
{
    struct datagram d;
    while (server_next(w, &d)) {
        dtls_client_input(w->client, d.data, d.len, w->now);
    }
}

static void lose_server(struct world *w)
{
    struct datagram d;
    while (server_next(w, &d)) {
    }
}

static void shake(struct world *w)
{
    for (int turn = 0; turn < 6; turn++) {
        to_server(w);
        to_client(w);
    }
}

static void check_done(struct world *w, enum srtp_profile profile)
{
    struct srtp_keys ours, theirs;
    assert_int_equal(ops->dtls_state(w->server), DTLS_DONE);
    assert_int_equal(dtls_client_state(w->client), DTLS_DONE);
    assert_int_equal(ops->dtls_keys(w->server, &ours), 0);
    assert_int_equal(dtls_client_keys(w->client, &theirs), 0);
    assert_int_equal(ours.profile, profile);
    assert_memory_equal(&ours, &theirs, sizeof(ours));
    assert_memory_not_equal(&ours.client, &ours.server, sizeof(ours.client));
    assert_true(ops->dtls_deadline(w->server) == MONO_NEVER);
    assert_in_range(w->largest, 1, DTLS_DATAGRAM_MAX);
}

/* ---- what should work ---------------------------------------------------------------------------
 */

static void test_our_order_of_profiles_wins(void **state)
{
    (void)state;
    struct world w = world_new();
    struct srtp_keys keys;
    assert_int_equal(ops->dtls_keys(w.server, &keys), E_STATE);
    assert_int_equal(dtls_client_keys(w.client, &keys), E_STATE);
    shake(&w);
    check_done(&w, SRTP_AEAD_AES_128_GCM);
    world_free(&w);
}

static void test_every_profile_is_served(void **state)
{
    (void)state;
    static const enum srtp_profile each[] = {SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_256_GCM,
                                             SRTP_AES128_CM_SHA1_80};
    for (int i = 0; i < 3; i++) {
        struct dtls_client_config config = client_config();
        memset(config.profiles, 0, sizeof(config.profiles));
        config.profiles[0] = each[i];
        struct world w = world_with(&config);
        shake(&w);
        check_done(&w, each[i]);
        world_free(&w);
    }
}

static void test_small_datagrams_of_the_client_are_put_together(void **state)
{
    (void)state;
    struct dtls_client_config config = client_config();
    config.mtu = 256; /* its certificate comes in pieces */
    struct world w = world_with(&config);
    shake(&w);
    check_done(&w, SRTP_AEAD_AES_128_GCM);
    world_free(&w);
}

/* Cuts a datagram with one handshake record into two fragments in two datagrams (RFC 6347 4.2.3).
 */
static void cut(const struct datagram *whole, size_t first, struct datagram out[2])
{
    const uint8_t *body = whole->data + 25;
    size_t len = whole->len - 25;
    for (int i = 0; i < 2; i++) {
        size_t at = i ? first : 0;
        size_t part = i ? len - first : first;
        uint8_t *d = out[i].data;
        memcpy(d, whole->data, 25);
        d[10] = (uint8_t)i; /* record number */
        put_u16(d + 11, (uint16_t)(part + 12));
        d[19] = 0;
        put_u16(d + 20, (uint16_t)at);
        d[22] = 0;
        put_u16(d + 23, (uint16_t)part);
        memcpy(d + 25, body + at, part);
        out[i].len = 25 + part;
    }
}

static void test_a_hello_in_two_datagrams_is_answered(void **state)
{
    (void)state;
    struct datagram whole, part[2];
    for (int order = 0; order < 2; order++) {
        for (size_t eighth = 1; eighth < 8; eighth++) {
            struct world w = world_new();
            assert_true(client_next(&w, &whole));
            cut(&whole, (whole.len - 25) * eighth / 8, part);
            assert_int_equal(ops->dtls_input(w.server, part[order].data, part[order].len, w.now),
                             0);
            assert_false(server_next(&w, &whole)); /* nothing before it is whole */
            assert_int_equal(ops->dtls_input(w.server, part[!order].data, part[!order].len, w.now),
                             0);
            to_client(&w);
            shake(&w);
            check_done(&w, SRTP_AEAD_AES_128_GCM);
            world_free(&w);
        }
    }
}

/* The SRTP profile in the use_srtp extension of the ServerHello that begins datagram d, 0 if none.
 */
static unsigned profile_answered(const struct datagram *d)
{
    struct rd r = rd_init(d->data, d->len);
    rd_skip(&r, 25);     /* record and message heads */
    rd_skip(&r, 2 + 32); /* version, random */
    rd_skip(&r, rd_u8(&r));
    rd_skip(&r, 3); /* suite, compression */
    size_t len = rd_u16(&r);
    struct rd exts = rd_sub(&r, len);
    while (rd_left(&exts)) {
        unsigned type = rd_u16(&exts);
        len = rd_u16(&exts);
        struct rd ext = rd_sub(&exts, len);
        if (type == 14) {
            rd_skip(&ext, 2);
            return rd_u16(&ext);
        }
    }
    return 0;
}

static void check_browser(const char *const hello[2])
{
    struct world w = world_new();
    struct datagram d = {.len = 0};
    for (int i = 0; i < 2; i++) {
        assert_false(server_next(&w, &d));
        d.len = strlen(hello[i]) / 2;
        assert_int_equal(text_unhex(d.data, d.len, hello[i], 2 * d.len), 0);
        assert_int_equal(ops->dtls_input(w.server, d.data, d.len, w.now), 0);
    }
    assert_true(server_next(&w, &d));
    assert_int_equal(d.data[13], 2); /* ServerHello */
    assert_int_equal(d.data[25], 0xfe);
    assert_int_equal(d.data[26], 0xfd); /* 1.2 */
    assert_int_equal(profile_answered(&d), SRTP_AEAD_AES_128_GCM);
    assert_in_range(d.len, 1, DTLS_DATAGRAM_MAX);
    assert_false(server_next(&w, &d)); /* the whole flight in one datagram */
    world_free(&w);
}

static void test_browsers_hellos_are_answered_in_one_datagram(void **state)
{
    (void)state;
    check_browser(hello_chromium);
    check_browser(hello_firefox);
}

/* ---- loss and time ------------------------------------------------------------------------------
 */

static void test_the_first_retransmission_comes_after_75_ms(void **state)
{
    (void)state;
    struct world w = world_new();
    struct datagram first, again;
    mono_us begin = w.now;
    to_server(&w);
    assert_true(server_next(&w, &first));
    lose_server(&w);
    assert_true(ops->dtls_deadline(w.server) == begin + 75 * MS);
    ops->dtls_timer(w.server, begin + 75 * MS - 1);
    assert_false(server_next(&w, &again));
    mono_us expected[] = {75, 225, 525, 1125, 2325, 3525}; /* doubling, then every 1.2 s */
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        w.now = begin + expected[i] * MS;
        assert_true(ops->dtls_deadline(w.server) == w.now);
        ops->dtls_timer(w.server, w.now);
        assert_true(server_next(&w, &again));
        assert_int_equal(again.len, first.len);
        assert_memory_equal(again.data, first.data, 5);
        assert_memory_not_equal(again.data + 5, first.data + 5, 6); /* a record number of its own */
        assert_memory_equal(again.data + 11, first.data + 11, 30);
        lose_server(&w);
    }
    w.now = ops->dtls_deadline(w.server);
    ops->dtls_timer(w.server, w.now);
    to_client(&w);
    shake(&w);
    check_done(&w, SRTP_AEAD_AES_128_GCM);
    world_free(&w);
}

static void test_a_lost_last_flight_is_sent_again(void **state)
{
    (void)state;
    struct dtls_client_config config = client_config();
    config.resend_us = 16 * MS;
    struct world w = world_with(&config);
    to_server(&w);
    to_client(&w);
    to_server(&w);
    assert_int_equal(ops->dtls_state(w.server), DTLS_DONE);
    unsigned before = w.sent;
    lose_server(&w);
    assert_true(w.sent > before);
    assert_int_equal(dtls_client_state(w.client), DTLS_HANDSHAKE);
    /* OpenSSL's own clock runs for the client (16 ms, which it rounds down to about 1): turn until
     * it has seen the time pass. */
    struct datagram d = {.len = 0};
    while (!client_next(&w, &d)) {
        dtls_client_timer(w.client, w.now);
        assert_int_equal(dtls_client_state(w.client), DTLS_HANDSHAKE);
    }
    struct datagram none;
    assert_int_equal(ops->dtls_input(w.server, d.data, d.len, w.now), 0);
    assert_false(server_next(&w, &none)); /* not faster than every 20 ms, whoever asks */
    w.now += 20 * MS;
    assert_int_equal(ops->dtls_input(w.server, d.data, d.len, w.now), 0);
    shake(&w);
    check_done(&w, SRTP_AEAD_AES_128_GCM);
    world_free(&w);
}

static void test_s2_a_handshake_dies_at_ten_seconds(void **state)
{
    (void)state;
    long live = mem_live();
    struct world w = world_new();
    mono_us begin = w.now;
    assert_true(ops->dtls_deadline(w.server) == MONO_NEVER); /* nothing runs before it began */
    to_server(&w);
    while (w.now < begin + 10 * US_PER_S - 1) {
        lose_server(&w);
        w.now = mono_min(ops->dtls_deadline(w.server), begin + 10 * US_PER_S - 1);
        ops->dtls_timer(w.server, w.now);
        assert_int_equal(ops->dtls_state(w.server), DTLS_HANDSHAKE);
    }
    ops->dtls_timer(w.server, begin + 10 * US_PER_S);
    assert_int_equal(ops->dtls_state(w.server), DTLS_FAILED);
    assert_true(ops->dtls_deadline(w.server) == MONO_NEVER);
    to_client(&w);
    to_server(&w);
    struct srtp_keys keys;
    assert_int_equal(ops->dtls_keys(w.server, &keys), E_STATE);
    dtls_client_free(w.client);
    assert_int_equal(mem_live(), live + 1); /* the bare struct */
    ops->dtls_free(w.server);
}

/* ---- strangers ----------------------------------------------------------------------------------
 */

static void test_s16_a_wrong_certificate_never_gets_keys(void **state)
{
    (void)state;
    struct rng_seeded seed;
    rng_seed(&seed, 16);
    struct rng rng = rng_from_seeded(&seed);
    for (int i = 0; i < 100; i++) {
        struct dtls_client_config config = client_config();
        struct world w = world_with(&config);
        ops->dtls_free(w.server);
        uint8_t wrong[32];
        crypto_identity_fingerprint(client_identity, wrong);
        wrong[rng_below(&rng, 32)] ^= (uint8_t)(1u << rng_below(&rng, 8));
        w.server = ops->dtls_new(ops->arg, wrong, w.now);
        to_server(&w);
        to_client(&w);
        struct datagram d;
        int err = 0;
        while (!err && client_next(&w, &d)) {
            err = ops->dtls_input(w.server, d.data, d.len, w.now);
        }
        struct srtp_keys keys;
        assert_int_equal(err, E_AUTH);
        assert_int_equal(ops->dtls_state(w.server), DTLS_FAILED);
        assert_int_equal(ops->dtls_keys(w.server, &keys), E_STATE);
        assert_false(server_next(&w, &d)); /* not even our Finished */
        assert_int_equal(dtls_client_state(w.client), DTLS_HANDSHAKE);
        world_free(&w);
    }
}

static void test_the_client_refuses_a_wrong_server(void **state)
{
    (void)state;
    struct dtls_client_config config = client_config();
    config.fingerprint[31] ^= 1;
    struct world w = world_with(&config);
    shake(&w);
    assert_int_equal(dtls_client_state(w.client), DTLS_FAILED);
    world_free(&w);
}

/* A ClientHello of ours with something changed. */
static void hello_of(struct datagram *out, size_t offset, uint8_t change)
{
    struct dtls_client_config config = client_config();
    struct dtls_client *client = dtls_client_new(&config, 0);
    assert_non_null(client);
    out->len = dtls_client_output(client, out->data, sizeof(out->data));
    out->data[offset] ^= change;
    dtls_client_free(client);
}

static void test_s1_a_hello_without_a_suite_of_ours_changes_nothing(void **state)
{
    (void)state;
    struct world w = world_new();
    struct datagram d;
    hello_of(&d, 13, 0);
    /* Body at 25: version 2, random 32, session id 1, cookie 1, suites length 2, suites. */
    size_t suites = (size_t)d.data[61] << 8 | d.data[62];
    memset(d.data + 63, 0, suites); /* NULL_WITH_NULL_NULL */
    long live = mem_live();
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(ops->dtls_input(w.server, d.data, d.len, w.now), E_BAD);
        assert_int_equal(mem_live(), live);
    }
    struct datagram out;
    assert_false(server_next(&w, &out)); /* no alert either */
    shake(&w);
    check_done(&w, SRTP_AEAD_AES_128_GCM);
    world_free(&w);
}

static void test_s1_plaintext_alerts_mean_nothing(void **state)
{
    (void)state;
    static const uint8_t alerts[2][15] = {
        {21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40}, /* fatal handshake_failure */
        {21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 8, 0, 2, 1, 0},  /* close_notify */
    };
    struct world w = world_new();
    for (int turn = 0; turn < 6; turn++) {
        for (int i = 0; i < 2; i++) {
            assert_int_equal(ops->dtls_input(w.server, alerts[i], 15, w.now), E_BAD);
        }
        to_server(&w);
        to_client(&w);
    }
    check_done(&w, SRTP_AEAD_AES_128_GCM);
    assert_int_equal(ops->dtls_state(w.server), DTLS_DONE);
    world_free(&w);
}

static void test_s1_a_forged_hello_does_not_stop_the_real_one(void **state)
{
    (void)state;
    struct datagram forged, real;
    /* Before the real hello. */
    struct world w = world_new();
    hello_of(&forged, 13, 0);
    assert_int_equal(ops->dtls_input(w.server, forged.data, forged.len, w.now), 0);
    lose_server(&w); /* a page that has not begun throws these away */
    shake(&w);
    check_done(&w, SRTP_AEAD_AES_128_GCM);
    world_free(&w);
    /* Between the real hello and the client's answer, and many of them. */
    w = world_new();
    assert_true(client_next(&w, &real));
    assert_int_equal(ops->dtls_input(w.server, real.data, real.len, w.now), 0);
    to_client(&w);
    for (int i = 0; i < 20; i++) {
        hello_of(&forged, 13, 0);
        int err = ops->dtls_input(w.server, forged.data, forged.len, w.now);
        assert_int_equal(err, i == 0 ? 0 : E_LIMIT);
    }
    lose_server(&w);
    shake(&w);
    check_done(&w, SRTP_AEAD_AES_128_GCM);
    world_free(&w);
}

static void test_a_repeated_hello_is_no_second_handshake(void **state)
{
    (void)state;
    struct world w = world_new();
    struct datagram hello, d;
    assert_true(client_next(&w, &hello));
    assert_int_equal(ops->dtls_input(w.server, hello.data, hello.len, w.now), 0);
    lose_server(&w);
    long live = mem_live();
    for (int i = 0; i < 100; i++) {
        assert_int_equal(ops->dtls_input(w.server, hello.data, hello.len, w.now), 0);
    }
    assert_false(server_next(&w, &d)); /* our timer answers, not each copy: no amplifier */
    assert_int_equal(mem_live(), live);
    world_free(&w);
}

static void put_fragment(struct datagram *d, uint8_t type, uint16_t message_seq, uint32_t length,
                         uint32_t offset, uint32_t body_len)
{
    struct wr w = wr_init(d->data, sizeof(d->data));
    wr_u8(&w, 22);
    wr_u16(&w, 0xfefd);
    wr_zero(&w, 7);
    wr_u8(&w, 77);
    wr_u16(&w, (uint16_t)(12 + body_len));
    wr_u8(&w, type);
    wr_u24(&w, length);
    wr_u16(&w, message_seq);
    wr_u24(&w, offset);
    wr_u24(&w, body_len);
    wr_zero(&w, body_len);
    d->len = wr_len(&w);
}

static void test_s2_fragments_cannot_fill_the_memory(void **state)
{
    (void)state;
    struct world w = world_new();
    struct datagram d;
    long live = mem_live();
    put_fragment(&d, 1, 0, 650000, 0, 10); /* 35 bytes that announce 650,000 */
    assert_int_equal(ops->dtls_input(w.server, d.data, d.len, w.now), E_LIMIT);
    assert_int_equal(mem_live(), live);
    for (uint32_t i = 0; i < 5000; i++) {
        put_fragment(&d, 1, 0, 100 + i % 3900, i % 100, 1);
        assert_int_equal(ops->dtls_input(w.server, d.data, d.len, w.now), 0);
        assert_true(mem_live() <= live + 1); /* one hello at a time */
    }
    to_server(&w);
    to_client(&w);
    live = mem_live();
    for (uint16_t seq = 0; seq < 5000; seq++) {
        put_fragment(&d, 11, seq, 16000, 0, 1000); /* certificates without end */
        int err = ops->dtls_input(w.server, d.data, d.len, w.now);
        assert_int_equal(err, seq == 0 || seq > 4 ? E_BAD : E_LIMIT);
    }
    assert_int_equal(mem_live(), live);
    shake(&w);
    check_done(&w, SRTP_AEAD_AES_128_GCM);
    world_free(&w);
}

static void test_a_spoilt_handshake_starts_anew(void **state)
{
    (void)state;
    struct world w = world_new();
    struct datagram d;
    to_server(&w);
    lose_server(&w);
    put_fragment(&d, 14, 1, 4, 0, 4); /* a ServerHelloDone where a Certificate belongs */
    assert_int_equal(ops->dtls_input(w.server, d.data, d.len, w.now), E_BAD);
    assert_false(server_next(&w, &d));
    assert_int_equal(ops->dtls_state(w.server), DTLS_HANDSHAKE);
    dtls_client_free(w.client);
    struct dtls_client_config config = client_config();
    w.client = dtls_client_new(&config, w.now);
    shake(&w);
    check_done(&w, SRTP_AEAD_AES_128_GCM);
    world_free(&w);
}

static void test_noise_after_the_handshake_is_nothing(void **state)
{
    (void)state;
    struct rng_seeded seed;
    rng_seed(&seed, 99);
    struct rng rng = rng_from_seeded(&seed);
    struct world w = world_new();
    shake(&w);
    long live = mem_live();
    struct datagram d;
    for (int i = 0; i < 3000; i++) {
        d.len = rng_below(&rng, 400);
        rng_fill(&rng, d.data, d.len);
        if (d.len > 13 && i % 4) {
            d.data[0] = (uint8_t)(20 + rng_below(&rng, 5));
            d.data[1] = 0xfe;
            d.data[2] = 0xfd;
            put_u16(d.data + 3, (uint16_t)rng_below(&rng, 3));
            put_u16(d.data + 11, (uint16_t)(d.len - 13));
        }
        ops->dtls_input(w.server, d.data, d.len, w.now);
        assert_int_equal(ops->dtls_state(w.server), DTLS_DONE);
    }
    assert_int_equal(mem_live(), live);
    check_done(&w, SRTP_AEAD_AES_128_GCM);
    world_free(&w);
}

static void test_close_notify_closes(void **state)
{
    (void)state;
    for (int aes256 = 0; aes256 < 2; aes256++) {
        struct dtls_client_config config = client_config();
        config.aes256 = aes256;
        struct world w = world_with(&config);
        shake(&w);
        check_done(&w, SRTP_AEAD_AES_128_GCM);
        dtls_client_close(w.client);
        struct datagram d, forged;
        assert_true(client_next(&w, &d));
        forged = d;
        forged.data[d.len - 1] ^= 1;
        assert_int_equal(ops->dtls_input(w.server, forged.data, forged.len, w.now), E_BAD);
        assert_int_equal(ops->dtls_state(w.server), DTLS_DONE);
        assert_int_equal(ops->dtls_input(w.server, d.data, d.len, w.now), 0);
        assert_int_equal(ops->dtls_state(w.server), DTLS_CLOSED);
        struct srtp_keys keys;
        assert_int_equal(ops->dtls_input(w.server, d.data, d.len, w.now), E_BAD);
        assert_int_equal(ops->dtls_keys(w.server, &keys), E_STATE);
        world_free(&w);
    }
}

/* Our own close_notify: as the client's OpenSSL reads it, once, also when little is left of the
 * handshake, and as the answer to the client's. */
static void test_we_close_too(void **state)
{
    (void)state;
    for (int way = 0; way < 4; way++) {
        struct dtls_client_config config = client_config();
        config.aes256 = way & 1;
        struct world w = world_with(&config);
        struct datagram d;
        assert_int_equal(ops->dtls_bye(w.server, d.data, sizeof(d.data)), 0);
        shake(&w);
        check_done(&w, SRTP_AEAD_AES_128_GCM);
        unsigned handshakes = crypto_handshakes(crypto);
        ops->dtls_settle(w.server);
        assert_int_equal(crypto_handshakes(crypto), handshakes - 1);
        assert_int_equal(ops->dtls_state(w.server), DTLS_DONE);
        struct srtp_keys keys;
        assert_int_equal(ops->dtls_keys(w.server, &keys), E_STATE);
        if (way & 2) {
            dtls_client_close(w.client);
            to_server(&w);
            assert_int_equal(ops->dtls_state(w.server), DTLS_CLOSED);
        }
        assert_int_equal(ops->dtls_bye(w.server, d.data, 8), 0);
        d.len = ops->dtls_bye(w.server, d.data, sizeof(d.data));
        assert_in_range(d.len, 30, 64);
        assert_int_equal(ops->dtls_bye(w.server, d.data, sizeof(d.data)), 0);
        if (!(way & 2)) {
            struct datagram forged = d;
            forged.data[d.len - 1] ^= 1;
            dtls_client_input(w.client, forged.data, forged.len, w.now);
            assert_int_equal(dtls_client_state(w.client), DTLS_DONE);
            dtls_client_input(w.client, d.data, d.len, w.now);
            assert_int_equal(dtls_client_state(w.client), DTLS_CLOSED);
        }
        world_free(&w);
    }
}

static void test_a_finished_handshake_is_small(void **state)
{
    (void)state;
    struct world w = world_new();
    long live = mem_live();
    shake(&w);
    assert_int_equal(mem_live(), live); /* our last flight; the client's first has gone */
    world_free(&w);
}

static void test_handshakes_are_counted_and_bounded(void **state)
{
    (void)state;
    static const uint8_t fingerprint[32];
    struct dtls *some[5];
    for (int i = 0; i < 5; i++) {
        some[i] = ops->dtls_new(ops->arg, fingerprint, 0);
    }
    assert_non_null(some[3]);
    assert_null(some[4]);
    assert_int_equal(crypto_handshakes(crypto), 4);
    for (int i = 0; i < 5; i++) {
        ops->dtls_free(some[i]);
    }
    assert_int_equal(crypto_handshakes(crypto), 0);
}

static int scene_handshake(void *arg)
{
    (void)arg;
    struct dtls_client_config config = client_config();
    uint8_t fingerprint[32];
    crypto_identity_fingerprint(client_identity, fingerprint);
    struct world w = {.now = 1};
    w.server = ops->dtls_new(ops->arg, fingerprint, w.now);
    w.client = dtls_client_new(&config, w.now);
    if (w.server && w.client) {
        shake(&w);
    }
    bool done = w.server && ops->dtls_state(w.server) == DTLS_DONE;
    world_free(&w);
    return done ? 0 : E_NOMEM;
}

static void test_memory_running_out_is_survived(void **state)
{
    (void)state;
    assert_true(support_oom_sweep(scene_handshake, NULL) >= 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(test_our_order_of_profiles_wins),
        UNIT(test_every_profile_is_served),
        UNIT(test_small_datagrams_of_the_client_are_put_together),
        UNIT(test_a_hello_in_two_datagrams_is_answered),
        UNIT(test_browsers_hellos_are_answered_in_one_datagram),
        UNIT(test_the_first_retransmission_comes_after_75_ms),
        UNIT(test_a_lost_last_flight_is_sent_again),
        UNIT(test_s2_a_handshake_dies_at_ten_seconds),
        UNIT(test_s16_a_wrong_certificate_never_gets_keys),
        UNIT(test_the_client_refuses_a_wrong_server),
        UNIT(test_s1_a_hello_without_a_suite_of_ours_changes_nothing),
        UNIT(test_s1_plaintext_alerts_mean_nothing),
        UNIT(test_s1_a_forged_hello_does_not_stop_the_real_one),
        UNIT(test_a_repeated_hello_is_no_second_handshake),
        UNIT(test_s2_fragments_cannot_fill_the_memory),
        UNIT(test_a_spoilt_handshake_starts_anew),
        UNIT(test_noise_after_the_handshake_is_nothing),
        UNIT(test_close_notify_closes),
        UNIT(test_we_close_too),
        UNIT(test_a_finished_handshake_is_small),
        UNIT(test_handshakes_are_counted_and_bounded),
        UNIT(test_memory_running_out_is_survived),
    };
    return cmocka_run_group_tests(tests, suite_setup, suite_teardown);
}
