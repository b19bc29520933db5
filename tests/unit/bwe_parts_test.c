#include "tests/unit/support.h"

#include <math.h>

#include "server/proto/acked.h"
#include "server/proto/aimd.h"
#include "server/proto/alr.h"
#include "server/proto/arrival.h"
#include "server/proto/burst.h"
#include "server/proto/lossbwe.h"
#include "server/proto/noise.h"
#include "server/proto/probing.h"
#include "server/proto/sendlog.h"
#include "server/proto/trendline.h"

enum { MS = US_PER_MS, S = US_PER_S };

/* ---- noise ---- */

static void a_queue_is_no_noise(void **state)
{
    (void)state;
    struct noise d;
    noise_init(&d);
    for (int64_t i = 1; i <= 200; i++) { /* the wait grows, falls at once, stands */
        noise_packet(&d, i * 10 * MS, -7 * S + i * 10 * MS + i % 50 * 9 * MS);
        if (i % 50 == 49) {
            i += 50;
        }
    }
    assert_int_equal(noise_slack(&d), 0);
}

static void lows_on_a_line_are_no_noise_and_lows_off_it_are(void **state)
{
    (void)state;
    struct noise n;
    noise_init(&n);
    for (int64_t i = 0; i < 60; i++) { /* a queue grows for three seconds and drains */
        noise_feedback(&n, -3 * S + (i < 30 ? i : 60 - i) * 10 * MS);
    }
    assert_true(noise_slack(&n) < MS);
    for (int64_t i = 0; i < 60; i++) { /* 0, 20, 0, 20 ms above it */
        noise_feedback(&n, -3 * S + i % 2 * 20 * MS);
    }
    assert_in_range(noise_slack(&n), 95 * MS, 100 * MS); /* 5 x 20 */
    for (int64_t i = 0; i < 60; i++) {
        noise_feedback(&n, -3 * S + i % 2 * 900 * MS);
    }
    assert_int_equal(noise_slack(&n), NOISE_SLACK_MAX_US);
}

static void what_is_overtaken_is_noise(void **state)
{
    (void)state;
    struct noise d;
    noise_init(&d);
    for (int64_t i = 1; i <= 400; i++) { /* each second packet takes 50 ms longer, told later */
        noise_packet(&d, i * 20 * MS + 10 * MS, 9 * S + i * 20 * MS + 20 * MS);
        noise_packet(&d, i * 20 * MS, 9 * S + i * 20 * MS + 60 * MS);
    }
    assert_in_range(noise_slack(&d), 60 * MS, 90 * MS); /* 3 x 50 / 2 */
    struct noise other;
    noise_init(&other);
    for (int64_t i = 1; i <= 400; i++) { /* the same, told in the order of numbers */
        noise_packet(&other, i * 20 * MS, 9 * S + i * 20 * MS + 60 * MS);
        noise_packet(&other, i * 20 * MS + 10 * MS, 9 * S + i * 20 * MS + 20 * MS);
    }
    assert_in_range(noise_slack(&other), 60 * MS, 120 * MS);
    for (int64_t i = 1; i <= 400; i++) { /* and forgotten */
        noise_packet(&other, 20 * S + i * 20 * MS, 40 * S + i * 20 * MS);
    }
    assert_int_equal(noise_slack(&other), 0);
}

/* ---- sendlog ---- */

static struct sendlog *log_new(void)
{
    struct sendlog *log = test_malloc(sizeof(*log));
    sendlog_init(log);
    return log;
}

static void records_are_found_by_number_across_the_wrap(void **state)
{
    (void)state;
    struct sendlog *log = log_new();
    for (unsigned i = 0; i < 100; i++) {
        sendlog_sent(log, (uint16_t)(65500 + i), (uint16_t)(100 + i), 7, i * 10 * MS);
    }
    for (unsigned i = 0; i < 100; i++) {
        struct sendlog_record *r = sendlog_at(log, (uint16_t)(65500 + i));
        assert_non_null(r);
        assert_int_equal(r->bytes, 100 + i);
        assert_int_equal(r->cluster, 7);
        assert_int_equal(sendlog_time(r, 5 * S), i * 10 * MS);
    }
    assert_null(sendlog_at(log, 65499));
    assert_null(sendlog_at(log, (uint16_t)(65500 + 100)));
    test_free(log);
}

static void the_ring_grows_with_the_rate_and_keeps_its_packets(void **state)
{
    (void)state;
    struct sendlog *log = log_new();
    for (unsigned i = 0; i < 4000; i++) { /* 1000 packets a second */
        sendlog_sent(log, (uint16_t)(65000 + i), (uint16_t)(i + 1), 0, i * MS);
        struct sendlog_record *r = sendlog_at(log, (uint16_t)(65000 + i / 2 * 2 - i % 2));
        assert_true(r == NULL || r->bytes);
        unsigned back = i < 1000 ? i : 1000;
        r = sendlog_at(log, (uint16_t)(65000 + i - back));
        assert_non_null(r);
        assert_int_equal(r->bytes, i - back + 1);
    }
    assert_int_equal(log->size, SENDLOG_MAX);
    test_free(log);
}

/* Whether a packet was lost is counted later than it is told. */
static void what_was_told_of_keeps_its_place_until_it_counts(void **state)
{
    (void)state;
    enum { TOLD = 60, COUNTED = 500 };
    struct sendlog *log = log_new();
    for (unsigned i = 0; i < 4000; i++) { /* 1000 packets a second */
        sendlog_sent(log, (uint16_t)i, 100, 0, i * MS);
        if (i >= TOLD) {
            struct sendlog_record *r = sendlog_at(log, (uint16_t)(i - TOLD));
            r->state = i % 10 ? SENDLOG_LOST : SENDLOG_ACKED;
        }
        assert_true(i < COUNTED || sendlog_at(log, (uint16_t)(i - COUNTED)));
    }
    assert_int_equal(log->size, 1024);
    test_free(log);
}

static void a_slow_stream_stays_small(void **state)
{
    (void)state;
    struct sendlog *log = log_new();
    for (unsigned i = 0; i < 4000; i++) {
        sendlog_sent(log, (uint16_t)i, 100, 0, i * 40 * MS); /* 100 in the span */
    }
    assert_int_equal(log->size, SENDLOG_MIN);
    test_free(log);
}

static void skipped_numbers_are_unknown(void **state)
{
    (void)state;
    struct sendlog *log = log_new();
    sendlog_sent(log, 10, 100, 0, 0);
    sendlog_sent(log, 14, 100, 0, 0);
    assert_null(sendlog_at(log, 12));
    assert_non_null(sendlog_at(log, 14));
    sendlog_sent(log, 30000, 100, 0, 0);
    assert_null(sendlog_at(log, 14));
    assert_non_null(sendlog_at(log, 30000));
    test_free(log);
}

/* ---- arrival ---- */

static void packets_of_one_burst_are_one_group(void **state)
{
    (void)state;
    struct arrival a;
    struct arrival_delta d;
    arrival_init(&a);
    unsigned closed = 0;
    for (unsigned frame = 0; frame < 10; frame++) {
        for (unsigned i = 0; i < 5; i++) {
            mono_us sent = frame * 40 * MS;
            closed += arrival_input(&a, sent, 7 * S + sent + i * MS, 1000, &d);
        }
    }
    assert_int_equal(closed, 8); /* the first group has nothing before it, the last is open */
    assert_int_equal(d.sent_us, 40 * MS);
    assert_int_equal(d.got_us, 40 * MS);
    assert_int_equal(d.bytes, 0);
}

static void a_queue_shows_as_later_arrival(void **state)
{
    (void)state;
    struct arrival a;
    struct arrival_delta d = {0};
    arrival_init(&a);
    for (unsigned frame = 0; frame < 10; frame++) {
        mono_us sent = frame * 40 * MS;
        if (arrival_input(&a, sent, sent + frame * 3 * MS, 1000, &d)) {
            assert_int_equal(d.got_us - d.sent_us, 3 * MS);
        }
    }
    assert_int_equal(d.got_us, 43 * MS);
}

static void a_receiver_clock_that_jumps_begins_anew(void **state)
{
    (void)state;
    struct arrival a;
    struct arrival_delta d = {0};
    arrival_init(&a);
    unsigned closed = 0;
    for (unsigned frame = 0; frame < 10; frame++) {
        int64_t got = frame * 40 * MS + (frame >= 5 ? 3600 * (int64_t)S : 0);
        if (arrival_input(&a, frame * 40 * MS, got, 1000, &d)) {
            assert_int_equal(d.got_us, d.sent_us);
            closed++;
        }
    }
    assert_in_range(closed, 4, 7);
}

/* ---- trendline and detector ---- */

/* Feeds groups 20 ms apart whose one-way time changes by the given steps; the last state. */
static enum overuse feed(struct trendline *t, struct detector *d, unsigned groups, double step_ms,
                         double jitter_ms, int64_t *at, bool *over)
{
    double before = 0;
    for (unsigned i = 0; i < groups; i++) {
        double noise = jitter_ms * (i % 2 ? 1 : -1);
        int64_t variation = (int64_t)((step_ms + noise - before) * MS);
        before = noise;
        *at += 20 * MS + variation;
        trendline_input(t, variation, *at);
        *over |= detector_input(d, t, 20 * MS, *at) == OVERUSE_OVER;
    }
    return d->state;
}

static void a_growing_queue_is_overuse_and_a_steady_path_is_not(void **state)
{
    (void)state;
    struct trendline t;
    struct detector d;
    int64_t at = 0;
    bool over = false;
    trendline_init(&t);
    detector_init(&d);
    assert_int_equal(feed(&t, &d, 100, 0, 0, &at, &over), OVERUSE_NORMAL);
    assert_false(over);
    feed(&t, &d, 40, 4, 0, &at, &over);
    assert_true(over);
    enum overuse draining = feed(&t, &d, 30, -4, 0, &at, &over);
    assert_int_equal(draining, OVERUSE_UNDER);
    over = false;
    assert_int_equal(feed(&t, &d, 100, 0, 0, &at, &over), OVERUSE_NORMAL);
    assert_false(over);
}

static void jitter_is_no_overuse(void **state)
{
    (void)state;
    struct trendline t;
    struct detector d;
    int64_t at = 0;
    bool over = false;
    trendline_init(&t);
    detector_init(&d);
    feed(&t, &d, 500, 0, 15, &at, &over);
    assert_false(over);
}

static void the_threshold_follows_and_stays_in_bounds(void **state)
{
    (void)state;
    struct trendline t;
    struct detector d;
    int64_t at = 0;
    bool over = false;
    trendline_init(&t);
    detector_init(&d);
    feed(&t, &d, 1000, 0, 0, &at, &over);
    assert_true(d.threshold_ms >= 6 && d.threshold_ms < 7);
    feed(&t, &d, 300, 0.3, 3, &at, &over);
    assert_true(d.threshold_ms >= 6 && d.threshold_ms <= 600);
}

/* ---- acked, alr ---- */

static void what_arrives_is_measured(void **state)
{
    (void)state;
    struct acked a;
    acked_init(&a);
    assert_int_equal(acked_bps(&a), 0);
    for (unsigned i = 0; i < 100; i++) {
        acked_input(&a, 9 * S + i * 10 * MS, 1250);
    }
    assert_in_range(acked_bps(&a), 950000, 1050000);
    for (unsigned i = 0; i < 50; i++) {
        acked_input(&a, 10 * S + i * 20 * MS, 250);
    }
    assert_in_range(acked_bps(&a), 90000, 110000);
    acked_input(&a, -1000 * (int64_t)S, 1000); /* another clock */
    assert_int_equal(acked_bps(&a), 0);
}

static void an_idle_sender_is_application_limited(void **state)
{
    (void)state;
    struct alr a;
    mono_us now = 0;
    alr_init(&a, now);
    for (unsigned i = 0; i < 30; i++) {
        now += 100 * MS;
        alr_input(&a, 12500, 1000000, now);
    }
    assert_false(alr_limited(&a));
    for (unsigned i = 0; i < 30; i++) {
        now += 100 * MS;
        alr_input(&a, 3000, 1000000, now);
    }
    assert_true(alr_limited(&a));
    for (unsigned i = 0; i < 30; i++) {
        now += 100 * MS;
        alr_input(&a, 11000, 1000000, now);
    }
    assert_false(alr_limited(&a));
}

/* ---- aimd ---- */

static void it_grows_by_eight_per_cent_a_second_and_falls_to_what_arrives(void **state)
{
    (void)state;
    struct aimd a;
    struct aimd_input in = {.use = OVERUSE_NORMAL, .acked_bps = 1000000, .rtt_us = 50 * MS};
    mono_us now = 0;
    aimd_init(&a, 1000000, now);
    for (unsigned i = 0; i < 51; i++) {
        now += 100 * MS;
        aimd_update(&a, &in, now);
    }
    assert_true(a.bps > 1.4e6 && a.bps < 1.5e6);
    in.use = OVERUSE_OVER;
    in.acked_bps = 800000;
    now += S;
    assert_true(aimd_update(&a, &in, now));
    assert_true(fabs(a.bps - 680000) < 1);
    now += 10 * MS;
    assert_false(aimd_update(&a, &in, now)); /* the answer to the first is not here yet */
    in.use = OVERUSE_NORMAL;
    double before = a.bps;
    now += 100 * MS;
    aimd_update(&a, &in, now);
    assert_true(a.bps <= before); /* through hold */
    for (unsigned i = 0; i < 20; i++) {
        now += 100 * MS;
        aimd_update(&a, &in, now);
    }
    assert_true(a.bps > before && a.bps < before + 100000); /* additive near the known rate */
}

static void it_neither_grows_nor_collapses_while_little_is_sent(void **state)
{
    (void)state;
    struct aimd a;
    struct aimd_input in = {.acked_bps = 100000, .limited = true, .rtt_us = 50 * MS};
    mono_us now = 0;
    aimd_init(&a, 2000000, now);
    for (unsigned i = 0; i < 100; i++) {
        now += 100 * MS;
        aimd_update(&a, &in, now);
    }
    assert_true(fabs(a.bps - 2e6) < 1);
    in.use = OVERUSE_OVER;
    now += 300 * MS;
    aimd_update(&a, &in, now);
    assert_true(a.bps > 900000); /* 0.6 * 0.85, not 85 kbit/s */
}

static double grown(struct aimd *a, uint32_t acked_bps, unsigned seconds, mono_us *now)
{
    struct aimd_input in = {.use = OVERUSE_NORMAL, .acked_bps = acked_bps, .rtt_us = 50 * MS};
    for (unsigned i = 0; i < seconds * 10; i++) {
        *now += 100 * MS;
        aimd_update(a, &in, *now);
    }
    return a->bps;
}

/* Less is sent than the path carries, so nothing overflows: what two probes showed is the end. */
static void growth_ends_where_probes_do(void **state)
{
    (void)state;
    struct aimd a;
    mono_us now = 0;
    aimd_init(&a, 180000, now);
    aimd_shown(&a, 190000, now); /* one alone may be spread by jitter */
    assert_true(grown(&a, 170000, 2, &now) > 200000);
    a.bps = 180000;
    aimd_shown(&a, 193000, now);
    assert_true(fabs(grown(&a, 170000, 5, &now) - 193000) < 1);
    assert_true(grown(&a, 230000, 5, &now) > 230000); /* more arrives: they were wrong */
    a.bps = 180000;
    aimd_shown(&a, 130000, now); /* no two alike */
    assert_true(grown(&a, 170000, 5, &now) > 220000);
    aimd_shown(&a, 131000, now);
    a.bps = 120000;
    assert_true(fabs(grown(&a, 110000, 5, &now) - 131000) < 1);
    assert_true(grown(&a, 110000, 10, &now) > 150000); /* too long ago */
    a.bps = 120000;
    aimd_shown(&a, 131000, now);
    aimd_shown(&a, 0, now); /* the path has become wider */
    assert_true(grown(&a, 110000, 5, &now) > 150000);
}

/* One probe where the path overflowed says the same. */
static void growth_ends_where_a_probe_and_an_overflow_do(void **state)
{
    (void)state;
    struct aimd a;
    struct aimd_input in = {.use = OVERUSE_OVER, .acked_bps = 185000, .rtt_us = 50 * MS};
    mono_us now = S;
    aimd_init(&a, 240000, now);
    now += 2 * S;
    assert_true(aimd_update(&a, &in, now));
    aimd_shown(&a, 190000, now);
    assert_true(fabs(grown(&a, 170000, 8, &now) - 190000) < 1);
}

/* ---- loss ---- */

struct lossy {
    double link_bps; /* more is dropped */
    unsigned random; /* of 1000 */
    uint32_t rng;
};

/* Sends at the lower of both rates for some seconds; the loss-based rate at the end. */
static double lossy_run(struct lossbwe *l, const struct lossy *link, double delay_bps,
                        unsigned seconds, mono_us *now)
{
    uint32_t rng = link->rng;
    double credit = 0;
    for (unsigned i = 0; i < seconds * 10; i++) {
        double bps = fmin(l->bps, delay_bps);
        unsigned n = (unsigned)(bps / 80000) + 2; /* of 1000 bytes in 100 ms */
        double got = 0;
        for (unsigned k = 0; k < n; k++) {
            mono_us sent = *now + 100 * MS * k / n;
            rng = rng * 1664525 + 1013904223;
            bool lost = (rng >> 16) % 1000 < link->random;
            credit = fmin(credit + link->link_bps / 80000 / n, 8);
            lost = lost || credit < 1;
            credit -= lost ? 0 : 1;
            got += !lost;
            lossbwe_input(l, sent, 1000, lost);
        }
        *now += 100 * MS;
        lossbwe_update(l, delay_bps, got * 80000, *now);
    }
    return l->bps;
}

static void nothing_lost_sets_no_limit(void **state)
{
    (void)state;
    struct lossbwe l;
    mono_us now = 0;
    lossbwe_init(&l);
    const struct lossy link = {.link_bps = 1e9, .rng = 1};
    assert_true(lossy_run(&l, &link, 2e6, 10, &now) >= LOSSBWE_NONE);
}

static void random_loss_costs_little(void **state)
{
    (void)state;
    const struct {
        unsigned random;
        double least;
    } rows[] = {{20, 1.9e6}, {50, 1.7e6}, {100, 1.2e6}, {200, 0.6e6}, {300, 0.35e6}};
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lossbwe l;
        mono_us now = 0;
        lossbwe_init(&l);
        const struct lossy link = {.link_bps = 1e9, .random = rows[i].random, .rng = 7};
        double bps = fmin(lossy_run(&l, &link, 2e6, 20, &now), 2e6);
        print_message("random loss %u/1000: %.0f bit/s\n", rows[i].random, bps);
        assert_true(bps >= rows[i].least);
    }
}

/* Less is sent than the path could take, in bursts as pictures are: what is lost at random is no
 * reason to give up a picture, whichever way chance spreads it. */
static void random_loss_does_not_take_what_is_sent(void **state)
{
    (void)state;
    const double delay_bps = 600e3;
    for (uint32_t seed = 1; seed <= 20; seed++) {
        struct lossbwe l;
        uint32_t rng = seed * 7919;
        double least = delay_bps;
        double acked = 0;
        double got = 0;
        double sent_bytes = 0;
        lossbwe_init(&l);
        for (unsigned ms = 0; ms < 60 * 1000; ms++) {
            unsigned n = ms % 66 == 0 ? 3 : (ms % 20 == 7 ? 1 : 0);
            uint32_t bytes = ms % 66 == 0 ? 900 + ms % 7 * 40 : 150;
            for (unsigned k = 0; k < n; k++) {
                rng = rng * 1664525 + 1013904223;
                bool lost = (rng >> 16) % 1000 < 200;
                lossbwe_input(&l, ms * MS, bytes, lost);
                got += lost ? 0 : bytes;
                sent_bytes += bytes;
            }
            if (ms % 100 == 99) {
                acked += (got * 80 - acked) / 5;
                got = 0;
                lossbwe_update(&l, delay_bps, acked, ms * MS);
                least = ms > 2000 ? fmin(least, l.bps) : least;
            }
        }
        print_message("20 %% of %.0f bit/s lost: least %.0f\n", sent_bytes * 8 / 60, least);
        assert_true(least >= 1.05 * sent_bytes * 8 / 60);
    }
}

static void loss_that_follows_the_rate_brings_it_down(void **state)
{
    (void)state;
    struct lossbwe l;
    mono_us now = 0;
    lossbwe_init(&l);
    const struct lossy narrow = {.link_bps = 500e3, .rng = 3};
    double bps = lossy_run(&l, &narrow, 2e6, 10, &now);
    print_message("policed at 500 kbit/s: %.0f bit/s\n", bps);
    assert_true(bps > 350e3 && bps < 600e3);
    const struct lossy wide = {.link_bps = 1e9, .rng = 3};
    bps = lossy_run(&l, &wide, 2e6, 25, &now);
    print_message("25 s after: %.0f bit/s\n", bps);
    assert_true(bps > 1.6e6);
}

/* ---- probing ---- */

static bool probe_ask(struct probing *p, uint32_t estimate, uint32_t wanted, mono_us now,
                      struct probe_cluster *c)
{
    struct probing_input in = {.estimate_bps = estimate,
                               .wanted_bps = wanted,
                               .decreased_us = now - 10 * S,
                               .rtt_us = 50 * MS};
    return probing_next(p, &in, c, now);
}

/* The cluster goes over a link of that rate. */
static uint32_t probe_play(struct probing *p, const struct probe_cluster *c, double link_bps,
                           mono_us now)
{
    int64_t free = 0;
    for (uint32_t sent = 0; sent < c->bytes; sent += 300) {
        mono_us at = now + (mono_us)((double)sent * 8 * S / c->bps);
        free = (free > at ? free : at) + (int64_t)(300 * 8 * (double)S / link_bps);
        probing_acked(p, c->cluster, at, free + 20 * MS, 300);
    }
    return probing_result(p, now + 100 * MS);
}

static void probes_double_while_they_succeed(void **state)
{
    (void)state;
    struct probing p;
    struct probe_cluster c;
    mono_us now = 0;
    uint32_t estimate = 300000;
    unsigned clusters = 0;
    probing_init(&p, now);
    while (probe_ask(&p, estimate, 2500000, now, &c)) {
        uint32_t shown = probe_play(&p, &c, 3e6, now);
        assert_true(shown > 0.85 * c.bps && shown <= c.bps);
        estimate = shown;
        now += 100 * MS;
        clusters++;
    }
    assert_in_range(clusters, 3, 6);
    assert_true(estimate >= 2400000);
    assert_false(probe_ask(&p, estimate, 0, now + 60 * S, &c)); /* nothing better waits */
}

static void a_probe_shows_the_link_and_waits_longer_each_time(void **state)
{
    (void)state;
    struct probing p;
    struct probe_cluster c;
    mono_us now = 0;
    mono_us before = 0;
    probing_init(&p, now);
    for (unsigned i = 0; i < 5; i++) {
        while (!probe_ask(&p, 450000, 2000000, now, &c)) {
            now += 10 * MS;
        }
        assert_true(i == 0 || now - before >= 2 * S);
        assert_true(now - before <= 9 * S);
        before = now;
        uint32_t shown = probe_play(&p, &c, 500e3, now);
        assert_in_range(shown, 400000, 520000);
    }
}

static void no_probe_under_overuse_or_after_a_decrease(void **state)
{
    (void)state;
    struct probing p;
    struct probe_cluster c;
    probing_init(&p, 0);
    struct probing_input in = {.estimate_bps = 1000,
                               .wanted_bps = 2000,
                               .overuse = true,
                               .decreased_us = -10 * (mono_us)S,
                               .rtt_us = 50 * MS};
    assert_false(probing_next(&p, &in, &c, 0));
    in.overuse = false;
    in.decreased_us = -100 * MS;
    assert_false(probing_next(&p, &in, &c, 0));
    in.decreased_us = -10 * (mono_us)S;
    assert_true(probing_next(&p, &in, &c, 0));
    assert_false(probing_next(&p, &in, &c, 500 * MS)); /* one at a time */
    assert_int_equal(probing_result(&p, 600 * MS), 0);
    assert_false(probing_next(&p, &in, &c, 1500 * MS)); /* never heard of: failed, pause */
    assert_true(probing_next(&p, &in, &c, 4 * S));
}

/* A key frame of 30 kB on a path of 2 Mbit/s: 120 ms of its own, gone 120 ms later. */
static void what_we_sent_at_once_waits_for_itself(void **state)
{
    (void)state;
    struct burst b;
    burst_init(&b, 0);
    for (unsigned i = 1; i <= 25; i++) {
        assert_int_equal(burst_input(&b, 1200, 2e6, 10 * MS), i * 4800);
    }
    assert_int_equal(burst_input(&b, 25, 2e6, 10 * MS + 60 * MS), 60 * MS + 100);
    assert_int_equal(burst_input(&b, 25, 2e6, 10 * MS + 130 * MS), 100);
    assert_int_equal(burst_input(&b, 25, 2e6, 10 * MS), 200); /* reordered: no time went back */
    for (unsigned i = 0; i < 1000; i++) {
        assert_true(burst_input(&b, 1200, 2e6, 200 * MS + i * MS) <= BURST_MAX_US);
    }
}

/* Who sends too much for long is told: no more than a quarter of a second is explained. */
static void a_flood_explains_only_a_quarter_of_a_second(void **state)
{
    (void)state;
    struct burst b;
    burst_init(&b, 0);
    for (unsigned i = 1; i <= 100; i++) { /* 10 ms each */
        assert_int_equal(burst_input(&b, 1250, 1e6, 10 * MS), i < 25 ? i * 10 * MS : 250 * MS);
    }
    assert_int_equal(burst_input(&b, 125, 1e6, 110 * MS), 151 * MS); /* nor is the rest kept */
}

/* Nobody hears of a cluster: the next one is twice as long, and the third four times. */
static void a_cluster_that_failed_is_followed_by_a_longer_one(void **state)
{
    (void)state;
    static const uint32_t length[] = {1, 2, 4, 4, 4};
    struct probing p;
    struct probe_cluster c;
    uint32_t first = 0;
    mono_us now = 0;
    probing_init(&p, now);
    for (unsigned i = 0; i < sizeof(length) / sizeof(length[0]); i++) {
        while (!probe_ask(&p, 1000000, 1500000, now, &c)) {
            now += 100 * MS;
        }
        first = first ? first : c.bytes;
        assert_int_equal(c.bps, 1800000);
        assert_int_equal(c.bytes, first * length[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_queue_is_no_noise),
        UNIT(lows_on_a_line_are_no_noise_and_lows_off_it_are),
        UNIT(what_is_overtaken_is_noise),
        UNIT(records_are_found_by_number_across_the_wrap),
        UNIT(the_ring_grows_with_the_rate_and_keeps_its_packets),
        UNIT(what_was_told_of_keeps_its_place_until_it_counts),
        UNIT(a_slow_stream_stays_small),
        UNIT(skipped_numbers_are_unknown),
        UNIT(packets_of_one_burst_are_one_group),
        UNIT(a_queue_shows_as_later_arrival),
        UNIT(a_receiver_clock_that_jumps_begins_anew),
        UNIT(a_growing_queue_is_overuse_and_a_steady_path_is_not),
        UNIT(jitter_is_no_overuse),
        UNIT(the_threshold_follows_and_stays_in_bounds),
        UNIT(what_arrives_is_measured),
        UNIT(an_idle_sender_is_application_limited),
        UNIT(it_grows_by_eight_per_cent_a_second_and_falls_to_what_arrives),
        UNIT(it_neither_grows_nor_collapses_while_little_is_sent),
        UNIT(growth_ends_where_probes_do),
        UNIT(growth_ends_where_a_probe_and_an_overflow_do),
        UNIT(nothing_lost_sets_no_limit),
        UNIT(random_loss_costs_little),
        UNIT(random_loss_does_not_take_what_is_sent),
        UNIT(loss_that_follows_the_rate_brings_it_down),
        UNIT(probes_double_while_they_succeed),
        UNIT(a_probe_shows_the_link_and_waits_longer_each_time),
        UNIT(no_probe_under_overuse_or_after_a_decrease),
        UNIT(what_we_sent_at_once_waits_for_itself),
        UNIT(a_flood_explains_only_a_quarter_of_a_second),
        UNIT(a_cluster_that_failed_is_followed_by_a_longer_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
