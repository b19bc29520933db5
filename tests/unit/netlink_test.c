/* The impairment relay's link model and delivery heap: tests/net/link.c, tests/net/flight.c. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/net/flight.h"
#include "tests/net/link.h"

#define PACKETS 200000u

static struct link_conf quiet_conf(void)
{
    struct link_conf c = {.queue_us = 300000, .reorder_us = 50000};

    link_conf_loss(&c, 0, 1000);
    return c;
}

static struct link_conf busy_conf(void)
{
    struct link_conf c = quiet_conf();

    link_conf_loss(&c, 50000, 3000);
    c.delay_us = 50000;
    c.jitter_us = 10000;
    c.reorder_ppm = 20000;
    c.duplicate_ppm = 10000;
    c.rate_bps = 20000000;
    return c;
}

static void test_same_seed_same_decisions(void **state)
{
    struct link_conf c = busy_conf();
    struct link a;
    struct link b;
    struct link other;
    unsigned different = 0;

    (void)state;
    link_init(&a, &c, 42);
    link_init(&b, &c, 42);
    link_init(&other, &c, 43);
    for (uint64_t t = 0; t < 20000; t++) {
        uint64_t due[3][LINK_COPIES_MAX] = {{0}};
        size_t n = link_send(&a, 900, t * 700, due[0]);

        assert_int_equal(n, link_send(&b, 900, t * 700, due[1]));
        assert_memory_equal(due[0], due[1], sizeof(due[0]));
        different += n != link_send(&other, 900, t * 700, due[2]);
    }
    assert_true(different > 100);
}

/* The n-th packet's fate does not depend on delay, jitter or rate. */
static void test_fate_survives_other_settings(void **state)
{
    struct link_conf plain = quiet_conf();
    struct link_conf slow = busy_conf();
    struct link a;
    struct link b;

    (void)state;
    link_conf_loss(&plain, 50000, 3000);
    slow.duplicate_ppm = 0;
    slow.queue_us = 3600000000u;
    link_init(&a, &plain, 7);
    link_init(&b, &slow, 7);
    for (uint64_t t = 0; t < 20000; t++) {
        uint64_t due[LINK_COPIES_MAX];
        size_t n = link_send(&a, 100, t * 1000, due);

        assert_int_equal(n, link_send(&b, 1200, t * 1000, due));
    }
}

/* Share of losses within five standard deviations of the binomial. */
static void test_loss_share_is_binomial(void **state)
{
    static const uint32_t loss_ppm[] = {1000, 10000, 50000, 200000, 300000};

    (void)state;
    for (size_t i = 0; i < sizeof(loss_ppm) / sizeof(loss_ppm[0]); i++) {
        struct link_conf c = quiet_conf();
        struct link l;
        uint64_t due[LINK_COPIES_MAX];
        double p = loss_ppm[i] / 1e6;

        link_conf_loss(&c, loss_ppm[i], 1000);
        link_init(&l, &c, 1000 + i);
        for (uint64_t t = 0; t < PACKETS; t++)
            link_send(&l, 1000, t, due);
        double bound = 5 * sqrt(PACKETS * p * (1 - p));

        assert_true(fabs((double)l.count.lost_packets - PACKETS * p) <= bound);
        print_message("loss %.1f %%: %.3f %% of %u\n", p * 100,
                      100.0 * (double)l.count.lost_packets / PACKETS, PACKETS);
    }
}

static void test_loss_none_and_total(void **state)
{
    struct link_conf c = quiet_conf();
    struct link l;
    uint64_t due[LINK_COPIES_MAX];

    (void)state;
    link_init(&l, &c, 5);
    for (uint64_t t = 0; t < 10000; t++)
        assert_int_equal(link_send(&l, 1000, t, due), 1);
    link_conf_loss(&c, LINK_PPM, 5000);
    link_set_conf(&l, &c);
    for (uint64_t t = 0; t < 10000; t++)
        assert_int_equal(link_send(&l, 1000, 10000 + t, due), 0);
    assert_int_equal(l.count.lost_packets, 10000);
    assert_int_equal(l.count.burst_packets_max, 10000);
}

static void test_bursts_have_their_mean_length(void **state)
{
    struct link_conf c = quiet_conf();
    struct link l;
    uint64_t due[LINK_COPIES_MAX];
    unsigned bursts = 0;
    int before = 0;

    (void)state;
    link_conf_loss(&c, 50000, 5000);
    link_init(&l, &c, 11);
    for (uint64_t t = 0; t < PACKETS; t++) {
        int lost = link_send(&l, 1000, t, due) == 0;

        bursts += (unsigned)(lost && !before);
        before = lost;
    }
    double share = (double)l.count.lost_packets / PACKETS;
    double mean = (double)l.count.lost_packets / bursts;

    print_message("burst: %.2f %% lost, mean length %.2f, longest %u\n", share * 100, mean,
                  (unsigned)l.count.burst_packets_max);
    assert_true(share > 0.045 && share < 0.055);
    assert_true(mean > 4.7 && mean < 5.3);
}

/* The four-parameter chain: losses happen in the good state too. */
static void test_chain_with_four_parameters(void **state)
{
    struct link_conf c = quiet_conf();
    struct link l;
    uint64_t due[LINK_COPIES_MAX];

    (void)state;
    c.enter_bad_ppm = 10000;
    c.leave_bad_ppm = 90000;
    c.loss_good_ppm = 10000;
    c.loss_bad_ppm = 600000;
    link_init(&l, &c, 3);
    for (uint64_t t = 0; t < PACKETS; t++)
        link_send(&l, 1000, t, due);
    double share = (double)l.count.lost_packets / PACKETS;

    /* A tenth of the time bad: 0.9 * 1 % + 0.1 * 60 % = 6.9 %. */
    assert_true(share > 0.064 && share < 0.074);
}

/* The last bit leaves exactly when bits / rate says, whatever the rate and the length. */
static void test_rate_is_exact(void **state)
{
    static const uint64_t rate_bps[] = {150000, 500000, 3000000, 7777777, 999999937};

    (void)state;
    for (size_t i = 0; i < sizeof(rate_bps) / sizeof(rate_bps[0]); i++) {
        struct link_conf c = quiet_conf();
        struct link l;
        uint64_t due[LINK_COPIES_MAX];
        uint64_t bytes = 0;

        c.rate_bps = rate_bps[i];
        c.queue_us = UINT32_MAX;
        link_init(&l, &c, 1);
        for (uint64_t n = 0; n < 1000; n++) {
            size_t len = 60 + (size_t)(n * 37 % 1200);

            bytes += len;
            assert_int_equal(link_send(&l, len, 1000000, due), 1);
            assert_int_equal(due[0], 1000000 + bytes * 8 * 1000000 / rate_bps[i]);
        }
    }
}

static void test_queue_drops_beyond_its_limit(void **state)
{
    struct link_conf c = quiet_conf();
    struct link l;
    uint64_t due[LINK_COPIES_MAX];
    uint64_t sent = 0;

    (void)state;
    c.rate_bps = 800000; /* 1000 bytes take 10 ms */
    c.queue_us = 100000;
    link_init(&l, &c, 1);
    for (unsigned n = 0; n < 100; n++)
        sent += link_send(&l, 1000, 5, due);
    /* The packet that finds exactly 100 ms of queue still enters: 11 in all. */
    assert_int_equal(sent, 11);
    assert_int_equal(l.count.queue_drop_packets, 89);
    assert_int_equal(l.count.lost_packets, 0);
    assert_int_equal(link_backlog_us(&l, 5), 110000);
    /* When it has drained the link is as new. */
    assert_int_equal(link_send(&l, 1000, 200000, due), 1);
    assert_int_equal(due[0], 210000);
}

static void test_jitter_keeps_order_and_bounds(void **state)
{
    struct link_conf c = quiet_conf();
    struct link l;
    uint64_t due[LINK_COPIES_MAX];
    uint64_t last = 0;
    uint64_t least = UINT64_MAX;
    uint64_t most = 0;

    (void)state;
    c.delay_us = 50000;
    c.jitter_us = 20000;
    link_init(&l, &c, 9);
    for (uint64_t t = 0; t < 100000; t++) {
        uint64_t now = t * 50000; /* far apart, so that order never binds */

        assert_int_equal(link_send(&l, 200, now, due), 1);
        assert_true(due[0] >= last);
        last = due[0];
        least = due[0] - now < least ? due[0] - now : least;
        most = due[0] - now > most ? due[0] - now : most;
    }
    assert_true(least >= 30000 && least < 30100);
    assert_true(most <= 70000 && most > 69900);
    /* Packed tightly, jitter must still not reorder. */
    for (uint64_t t = 0; t < 100000; t++) {
        assert_int_equal(link_send(&l, 200, 6000000000u + t * 10, due), 1);
        assert_true(due[0] >= last);
        last = due[0];
    }
}

static void test_reorder_holds_back(void **state)
{
    struct link_conf c = quiet_conf();
    struct link l;
    uint64_t due[LINK_COPIES_MAX];
    unsigned late = 0;

    (void)state;
    c.reorder_ppm = 50000;
    c.reorder_us = 40000;
    link_init(&l, &c, 21);
    for (uint64_t t = 0; t < PACKETS; t++) {
        assert_int_equal(link_send(&l, 200, t * 1000, due), 1);
        assert_true(due[0] <= t * 1000 + 40001);
        late += due[0] > t * 1000;
    }
    assert_int_equal(late, l.count.reordered_packets);
    assert_true(late > PACKETS / 1000 * 45 && late < PACKETS / 1000 * 55);
}

static void test_duplicates(void **state)
{
    struct link_conf c = quiet_conf();
    struct link l;
    uint64_t due[LINK_COPIES_MAX];
    uint64_t copies = 0;

    (void)state;
    c.duplicate_ppm = 100000;
    link_init(&l, &c, 2);
    for (uint64_t t = 0; t < PACKETS; t++)
        copies += link_send(&l, 200, t, due);
    assert_int_equal(copies, PACKETS + l.count.duplicated_packets);
    assert_true(l.count.duplicated_packets > PACKETS / 1000 * 95);
    assert_true(l.count.duplicated_packets < PACKETS / 1000 * 105);
}

/* A stream loses nothing: losses are lateness, and order holds. */
static void test_segments_are_late_not_lost(void **state)
{
    struct link_conf c = quiet_conf();
    struct link l;
    uint64_t order = 0;
    uint64_t last = 0;

    (void)state;
    link_conf_loss(&c, 100000, 1000);
    c.delay_us = 50000;
    link_init(&l, &c, 4);
    for (uint64_t t = 0; t < 10000; t++) {
        uint64_t due = link_send_segment(&l, 1448, t * 1000, &order);

        assert_true(due >= t * 1000 + 50000 && due >= last);
        last = due;
    }
    assert_true(l.count.retransmitted_segments > 900 && l.count.retransmitted_segments < 1100);
    assert_int_equal(l.count.lost_packets, 0);
}

static void test_rate_change_takes_effect(void **state)
{
    struct link_conf c = quiet_conf();
    struct link l;
    uint64_t due[LINK_COPIES_MAX];

    (void)state;
    c.rate_bps = 3000000;
    link_init(&l, &c, 1);
    link_send(&l, 1000, 0, due);
    c.rate_bps = 500000;
    link_set_conf(&l, &c);
    link_send(&l, 1000, 1000000, due);
    assert_int_equal(due[0], 1000000 + 16000);
}

static void test_flight_orders_by_time_then_entry(void **state)
{
    struct flight f = {0};
    struct flight_packet *p;
    uint64_t last_due = 0;
    uint32_t last_entry = 0;
    unsigned taken = 0;

    (void)state;
    for (uint32_t i = 0; i < 5000; i++)
        assert_int_equal(flight_add(&f, (uint64_t)(i * 7919u) % 97u, 0, i, 0, &i, sizeof(i)), 0);
    assert_int_equal(flight_deadline(&f), 0);
    p = flight_take(&f, 0);
    assert_int_equal(p->to, 0);
    free(p);
    while ((p = flight_take(&f, 1000)) != NULL) {
        uint32_t value;

        memcpy(&value, p->data, sizeof(value));
        assert_int_equal(value, p->to);
        assert_true(p->due_us > last_due || (p->due_us == last_due && p->to > last_entry));
        last_due = p->due_us;
        last_entry = p->to;
        taken++;
        free(p);
    }
    assert_int_equal(taken, 4999);
    assert_int_equal(f.bytes, 0);
    assert_int_equal(flight_deadline(&f), UINT64_MAX);
    flight_fini(&f);
}

static void test_flight_is_bounded(void **state)
{
    struct flight f = {0};
    uint32_t added = 0;

    (void)state;
    while (flight_add(&f, 5, 1, 0, 0, "x", 1) == 0)
        added++;
    assert_int_equal(added, FLIGHT_PACKETS_MAX);
    assert_int_equal(f.overflow_packets, 1);
    assert_null(flight_take(&f, 4));
    flight_fini(&f);
    assert_int_equal(flight_deadline(&f), UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_seed_same_decisions),
        cmocka_unit_test(test_fate_survives_other_settings),
        cmocka_unit_test(test_loss_share_is_binomial),
        cmocka_unit_test(test_loss_none_and_total),
        cmocka_unit_test(test_bursts_have_their_mean_length),
        cmocka_unit_test(test_chain_with_four_parameters),
        cmocka_unit_test(test_rate_is_exact),
        cmocka_unit_test(test_queue_drops_beyond_its_limit),
        cmocka_unit_test(test_jitter_keeps_order_and_bounds),
        cmocka_unit_test(test_reorder_holds_back),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_segments_are_late_not_lost),
        cmocka_unit_test(test_rate_change_takes_effect),
        cmocka_unit_test(test_flight_orders_by_time_then_entry),
        cmocka_unit_test(test_flight_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
