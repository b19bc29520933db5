#include "tests/unit/support.h"

#include <stdlib.h>

#include "codec/media/rungs.h"
#include "server/proto/rates.h"

/* One frame of a described stream, reduced to what rungs need. */
static struct pkt_desc frame(unsigned s, unsigned t, bool key, bool sync, bool alone, bool inter)
{
    struct pkt_desc d = {
        .spatial = (uint8_t)s,
        .temporal = (uint8_t)t,
        .keyframe = key && s == 0,
        .layer_sync = sync,
        .start_of_frame = 1,
        .inter_layer = inter,
    };
    rungs_describe(&d, alone, 3);
    return d;
}

static void one_stream_climbs_one_step_at_each_sync(void **state)
{
    (void)state;
    /* L1T3 as libvpx sends it: 0 2 1 2, the first of each upper layer is a sync. */
    static const struct {
        unsigned t;
        bool sync;
        unsigned target;
        unsigned rung;
        bool sent;
    } rows[] = {
        {0, false, 0, 0, true},  {2, true, 0, 0, false},  {1, true, 0, 0, false},
        {2, false, 0, 0, false}, {0, false, 2, 0, true},  {2, true, 2, 0, false},
        {1, true, 2, 1, true},   {2, false, 2, 1, false}, {0, false, 2, 1, true},
        {2, true, 2, 2, true},   {1, false, 2, 2, true},  {2, false, 2, 2, true},
        {0, false, 1, 1, true},  {2, false, 1, 1, false}, {1, false, 0, 0, false},
        {0, false, 0, 0, true},
    };
    unsigned rung = 0;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pkt_desc d = frame(0, rows[i].t, i == 0, rows[i].sync, true, false);
        rung = rung_step(rung, rows[i].target, &d, true);
        if (rung != rows[i].rung || (d.present >> rung & 1) != rows[i].sent) {
            fail_msg("row %u: rung %u", i, rung);
        }
    }
}

static void nothing_changes_in_the_middle_of_a_picture(void **state)
{
    (void)state;
    struct pkt_desc d = frame(0, 2, false, false, true, false);
    d.start_of_frame = 0;
    rungs_describe(&d, true, 1);
    assert_int_equal(rung_step(2, 0, &d, false), 2);
    assert_int_equal(rung_step(2, 0, &d, true), 0);
}

/*
 * A decoder for layered streams: a frame can be decoded when what it refers to was. K: upper layers
 * refer to lower ones in key pictures only.
 */
struct decoder {
    bool have[RUNG_SPATIAL][RUNG_TEMPORAL]; /* the newest frame of this layer was decoded */
};

static bool decodable(const struct decoder *dec, unsigned s, unsigned t, bool key, bool k_svc)
{
    if (key) {
        return s == 0 || dec->have[s - 1][0];
    }
    bool past = true; /* refers to the newest frame of each lower temporal layer of its own */
    for (unsigned low = 0; low <= (t ? t - 1 : 0); low++) {
        past = past && dec->have[s][low];
    }
    return past && (k_svc || s == 0 || dec->have[s - 1][t]);
}

static void play_svc(bool k_svc, uint32_t seed)
{
    static const unsigned pattern[4] = {0, 2, 1, 2};
    struct decoder dec = {0};
    unsigned rung = 0;
    unsigned target = 0;
    unsigned reached = 0;
    uint32_t r = seed;
    for (unsigned n = 0; n < 400; n++) {
        bool key = n % 40 == 0;
        unsigned t = key ? 0 : pattern[n % 4];
        r = r * 1664525u + 1013904223u;
        target = n % 10 == 0 ? rung_of((r >> 24) % 3, (r >> 16) % 3) : target;
        for (unsigned s = 0; s < 3; s++) {
            bool alone = s == 2 || (k_svc && !key);
            struct pkt_desc d =
                frame(s, t, key, t > 0 && n % 4 < 3, alone, s > 0 && (key || !k_svc));
            rung = rung_step(rung, target, &d, s == 0);
            bool sent = d.present >> rung & 1;
            bool ok = sent && decodable(&dec, s, t, key, k_svc);
            if (sent && !ok) {
                fail_msg("seed %u picture %u s%u t%u on rung %u: undecodable", seed, n, s, t, rung);
            }
            dec.have[s][t] = ok;
            for (unsigned up = t + 1; key && up < RUNG_TEMPORAL; up++) {
                dec.have[s][up] = ok;
            }
        }
        reached += rung == target;
    }
    assert_true(reached > 40);
}

static void svc_never_sends_what_cannot_be_decoded(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed < support_rounds(400); seed++) {
        play_svc(false, seed);
        play_svc(true, seed);
    }
}

static void a_key_frame_without_the_target_gives_the_best_below(void **state)
{
    (void)state;
    struct pkt_desc d = {.keyframe = 1, .start_of_frame = 1, .layer_sync = 1};
    rungs_describe(&d, false, 2);
    assert_int_equal(rung_step(0, rung_of(2, 3), &d, true), rung_of(1, 3));
    assert_int_equal(rung_step(0, rung_of(0, 1), &d, true), rung_of(0, 1));
}

static void rates_are_measured_per_rung(void **state)
{
    (void)state;
    struct rates r;
    rates_init(&r, 0);
    for (unsigned n = 0; n < 30; n++) { /* one second: 1000 bytes each, half of them of layer 1 */
        struct pkt_desc d = frame(0, n % 2, n == 0, true, true, false);
        d.height = n == 0 ? 360 : 0;
        assert_int_equal(rates_note(&r, &d, 1000), n == 0);
    }
    assert_true(rates_tick(&r, false, US_PER_S));
    assert_int_equal(r.bps[0], 120000);
    assert_int_equal(r.bps[1], 240000);
    assert_int_equal(r.offered, 3);
    assert_int_equal(r.height[0], 360);
    assert_false(rates_tick(&r, false, 2 * US_PER_S)); /* silence keeps what was known */
    assert_int_equal(r.bps[1], 240000);
    assert_int_equal(r.offered, 3);
}

/* A second of 30 pictures in two windows, of one packet each; every picture whose number `every`
 * divides is a key frame of `key` packets. */
static void second(struct rates *r, unsigned *n, unsigned every, unsigned key)
{
    for (unsigned end = *n + 30; *n < end;) {
        bool intra = every && *n % every == 0;
        for (unsigned k = 0; k < (intra ? key : 1); k++) {
            struct pkt_desc d = frame(0, 0, intra && k == 0, k == 0, true, false);
            d.timestamp = *n * 3000;
            rates_note(r, &d, 1000);
        }
        if (++*n % 15 == 0) {
            rates_tick(r, false, *n / 15 * 500 * US_PER_MS);
        }
    }
}

/* One that was asked for lifts the rate by little, all of its packets; at intervals they count. */
static void key_frames_are_spread(void **state)
{
    (void)state;
    struct rates r;
    unsigned n = 0;
    rates_init(&r, 0);
    while (n < 120) {
        second(&r, &n, 0, 0);
    }
    assert_int_equal(r.bps[0], 240000);
    uint32_t most = 0;
    second(&r, &n, n, 20);
    for (unsigned i = 0; i < 10; i++) {
        most = r.bps[0] > most ? r.bps[0] : most;
        second(&r, &n, 0, 0);
    }
    assert_in_range(most, 250000, 280000);
    assert_in_range(r.bps[0], 240000, 250000);
    while (n < 1200) {
        second(&r, &n, 30, 16); /* 29 + 16 packets a second */
    }
    assert_in_range(r.bps[0], 330000, 390000);
    rates_init(&r, 0);
    n = 0;
    while (n < 300) {
        second(&r, &n, 1, 2); /* and nothing else */
    }
    assert_int_equal(r.bps[0], 480000);
}

/* A machine that can hardly code: two pictures a second, every fourth a key frame of six times
 * their size. What the key frame costs is as much as it is, and no more for being alone. */
static void a_key_frame_alone_is_spread(void **state)
{
    (void)state;
    struct rates r;
    uint32_t most = 0;
    rates_init(&r, 0);
    for (unsigned n = 0; n < 120; n++) { /* windows of half a second */
        struct pkt_desc d = frame(0, 0, n % 4 == 1, true, true, false);
        d.timestamp = n * 45000;
        rates_note(&r, &d, n % 4 == 1 ? 30000 : 5000);
        rates_tick(&r, false, (n + 1) * 500 * US_PER_MS);
        most = n > 20 && r.bps[0] > most ? r.bps[0] : most;
    }
    assert_in_range(most, 180000, 220000); /* 45 KB in 2 s */
}

static void slides_are_remembered_by_their_bursts(void **state)
{
    (void)state;
    struct rates r;
    struct pkt_desc d = frame(0, 0, true, true, true, false);
    rates_init(&r, 0);
    for (unsigned n = 0; n < 10; n++) {
        rates_note(&r, &d, n == 0 ? 100000 : 1000);
        rates_tick(&r, true, (n + 1) * US_PER_S);
    }
    assert_true(r.bps[0] > 400000);
}

static void packed_rates_are_near(void **state)
{
    (void)state;
    for (uint32_t bps = 8000; bps < 400000000; bps += bps / 50 + 1) {
        uint32_t back = rates_unpack(rates_pack(bps));
        assert_true(back <= bps && bps - back <= bps / 8 + 1000);
    }
    assert_int_equal(rates_unpack(rates_pack(0)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(one_stream_climbs_one_step_at_each_sync),
        UNIT(nothing_changes_in_the_middle_of_a_picture),
        UNIT(svc_never_sends_what_cannot_be_decoded),
        UNIT(a_key_frame_without_the_target_gives_the_best_below),
        UNIT(rates_are_measured_per_rung),
        UNIT(key_frames_are_spread),
        UNIT(a_key_frame_alone_is_spread),
        UNIT(slides_are_remembered_by_their_bursts),
        UNIT(packed_rates_are_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
