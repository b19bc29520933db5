/* The small machines: receive statistics, layer policy, planning of runs. */
#include "tests/unit/support.h"

#include <stdbool.h>

#include "server/proto/pacer.h"
#include "server/proto/rtp_rx.h"

enum { MS = US_PER_MS };

static void report_counts_loss_and_jitter(void **state)
{
    (void)state;
    struct rtp_rx rx;
    struct rtp_rx_report r;
    rtp_rx_init(&rx, 90000);
    assert_false(rtp_rx_report(&rx, &r));
    for (unsigned i = 0; i < 100; i++) { /* every fourth is lost, no jitter */
        if (i % 4 != 2) {
            rtp_rx_input(&rx, (uint16_t)(65500 + i), i * 900, i * 10 * MS);
        }
    }
    assert_true(rtp_rx_report(&rx, &r));
    assert_int_equal(r.lost, 25);
    assert_in_range(r.fraction_lost, 63, 65);
    assert_int_equal(r.highest, 65500 + 99);
    assert_int_equal(r.jitter, 0);
    for (unsigned i = 100; i < 400; i++) { /* alternately 4 ms late: 8 ms between spacings */
        rtp_rx_input(&rx, (uint16_t)(65500 + i), i * 900, i * 10 * MS + (i % 2) * 4 * MS);
    }
    assert_true(rtp_rx_report(&rx, &r) && r.fresh);
    assert_int_equal(r.fraction_lost, 0);
    assert_int_equal(r.lost, 25);
    assert_in_range(r.jitter, 340, 380); /* 4 ms = 360 units */
    assert_true(rtp_rx_report(&rx, &r) && !r.fresh);
    rtp_rx_input(&rx, (uint16_t)(65500 + 400), 360000, 4000 * MS);
    assert_true(rtp_rx_report(&rx, &r) && r.fresh);
}

static void reordered_packets_do_not_move_the_top(void **state)
{
    (void)state;
    struct rtp_rx rx;
    rtp_rx_init(&rx, 48000);
    assert_int_equal(rtp_rx_input(&rx, 10, 0, 0), 65546);
    assert_int_equal(rtp_rx_input(&rx, 12, 1920, 0), 65548);
    assert_int_equal(rtp_rx_peek(&rx, 9), 65545);
    assert_int_equal(rtp_rx_input(&rx, 11, 960, 0), 65547);
    assert_int_equal(rx.top, 65548);
    assert_int_equal(rtp_rx_input(&rx, 8, 0, 0), 65544);
    struct rtp_rx_report r;
    rtp_rx_report(&rx, &r);
    assert_int_equal(r.lost, 1);
}

static void what_went_into_a_dead_path_is_not_told_as_lost(void **state)
{
    (void)state;
    struct rtp_rx rx;
    struct rtp_rx_report r;
    rtp_rx_init(&rx, 48000);
    rtp_rx_skip(&rx, 7); /* nothing came yet: nothing is missing */
    for (unsigned i = 0; i < 50; i++) {
        if (i != 20) {
            rtp_rx_input(&rx, (uint16_t)(65500 + i), i * 960, i * 20 * MS);
        }
    }
    rtp_rx_report(&rx, &r);
    assert_int_equal(r.lost, 1);
    rtp_rx_skip(&rx, (uint16_t)(65500 + 49)); /* the newest once more */
    rtp_rx_skip(&rx, (uint16_t)(65500 + 150));
    for (unsigned i = 150; i < 200; i++) {
        if (i != 170) {
            rtp_rx_input(&rx, (uint16_t)(65500 + i), i * 960, i * 20 * MS);
        }
    }
    rtp_rx_report(&rx, &r);
    assert_int_equal(r.lost, 2);
    assert_in_range(r.fraction_lost, 4, 6);
    assert_int_equal(r.highest, 65500 + 199);
}

static void another_stream_lies_above_what_was(void **state)
{
    (void)state;
    static const uint16_t first[] = {0, 5, 40000, 65535};
    struct rtp_rx rx;
    struct rtp_rx_report r;
    rtp_rx_init(&rx, 90000);
    rtp_rx_anew(&rx); /* nothing came yet: nothing changes */
    assert_int_equal(rtp_rx_input(&rx, 65535, 0, 0), 131071);
    rtp_rx_input(&rx, 4, 0, 0);
    for (unsigned i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
        int64_t top = rx.top;
        rtp_rx_anew(&rx);
        assert_false(rtp_rx_report(&rx, &r));
        int64_t seq = rtp_rx_input(&rx, first[i], 0, 0);
        assert_int_equal((uint16_t)seq, first[i]);
        assert_true(rtp_rx_peek(&rx, (uint16_t)(first[i] - 30000)) > top);
        assert_true(rtp_rx_report(&rx, &r));
        assert_int_equal(r.highest, first[i]);
        assert_int_equal(r.lost, 0);
    }
}

static uint32_t run(struct pacer_item *item, const uint16_t *len, uint32_t n, uint16_t pad)
{
    for (uint32_t i = 0; i < n; i++) {
        item[i] = (struct pacer_item){.len = len[i], .may_pad = 1};
    }
    return pacer_run(item, n, pad);
}

static void runs_are_lifted_to_equal_sizes(void **state)
{
    (void)state;
    struct pacer_item item[8];
    static const uint16_t split[6] = {1000, 1000, 1001, 1001, 1001, 400};
    assert_int_equal(run(item, split, 6, 4), 6);
    assert_int_equal(item[0].padding, 1);
    assert_int_equal(item[1].padding, 1);
    assert_int_equal(item[4].padding, 0);
    assert_int_equal(item[5].padding, 0);
    assert_int_equal(run(item, split, 6, 0), 2); /* switched off: equal ones, nothing lifted */
    assert_int_equal(item[0].padding, 0);
    static const uint16_t far[3] = {1000, 1100, 1000};
    assert_int_equal(run(item, far, 3, 8), 1);
    static const uint16_t fall[4] = {1000, 998, 500, 1000};
    assert_int_equal(run(item, fall, 4, 4), 3);
    assert_int_equal(item[1].padding, 2);
}

static void audio_is_never_padded(void **state)
{
    (void)state;
    struct pacer_item item[2] = {{.len = 80, .may_pad = 0}, {.len = 81, .may_pad = 0}};
    assert_int_equal(pacer_run(item, 2, 8), 1);
    assert_int_equal(item[0].padding, 0);
}

/* What of `wish` packets of 1200 bytes leaves now; pacer_ready is never early. */
static unsigned leaves(struct pacer_budget *b, uint64_t bps, unsigned wish, mono_us now)
{
    unsigned n = 0;
    mono_us ready = pacer_ready(b, bps);
    pacer_fill(b, bps, now);
    assert_true(now < ready || pacer_may_send(b));
    while (n < wish && pacer_may_send(b)) {
        pacer_spend(b, 1200);
        n++;
    }
    return n;
}

/* Pictures leave at 2.5 times the estimate, 40 ms of it at once; a repair does not wait and delays
 * them by 80 ms at most. */
static void pictures_keep_to_the_budget(void **state)
{
    (void)state;
    enum { BPS = 960000, BURST = 10 }; /* 2.4 Mbit/s: 250 packets a second */
    struct pacer_budget b = {.at = US_PER_S};
    unsigned sent = 0;
    assert_int_equal(leaves(&b, BPS, 1000, 10 * US_PER_S), BURST);
    for (mono_us now = 10 * US_PER_S; now < 12 * US_PER_S; now += US_PER_MS) {
        unsigned n = leaves(&b, BPS, 1000, now);
        assert_true(n <= 2);
        sent += n;
    }
    assert_in_range(sent, 495, 505);
    assert_int_equal(leaves(&b, BPS, 1000, 20 * US_PER_S), BURST);
    for (unsigned i = 0; i < 1000; i++) {
        pacer_spend(&b, 1200);
    }
    assert_int_equal(leaves(&b, BPS, 1, 20 * US_PER_S + 1), 0);
    mono_us ready = pacer_ready(&b, BPS);
    assert_in_range(ready - 20 * US_PER_S, 78 * US_PER_MS, 82 * US_PER_MS);
    assert_int_equal(leaves(&b, BPS, 1, ready), 1);
    assert_int_equal(leaves(&b, 0, 1000, 30 * US_PER_S), 1); /* never nothing: 200 kbit/s */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(report_counts_loss_and_jitter),
        UNIT(reordered_packets_do_not_move_the_top),
        UNIT(what_went_into_a_dead_path_is_not_told_as_lost),
        UNIT(another_stream_lies_above_what_was),
        UNIT(runs_are_lifted_to_equal_sizes),
        UNIT(audio_is_never_padded),
        UNIT(pictures_keep_to_the_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
