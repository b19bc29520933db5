/* The estimator in a closed loop with a modelled path: what is sent is what it allows. */
#include "tests/unit/support.h"

#include <string.h>

#include "codec/base/rw.h"
#include "server/proto/bwe.h"

enum { MS = US_PER_MS, S = US_PER_S, FLYING = 8192, CLOCK = 77 * S };

struct path {
    struct bwe *bwe;
    mono_us now;
    /* the link */
    double bps;
    mono_us delay_us;
    mono_us queue_max_us;
    unsigned loss; /* of 1000 */
    mono_us jitter_us;
    bool in_order; /* what waited longest holds back what comes after it */
    int64_t last_got;
    bool deaf; /* feedback is lost */
    /* the load */
    uint32_t wanted_bps; /* the estimate is used up to here */
    uint32_t sent_bps;   /* or a layer of this rate is sent whatever the estimate is; 0 = not */
    /* state */
    uint32_t rng;
    mono_us free_at;
    uint16_t next;      /* number */
    uint16_t reported;  /* next to report */
    int64_t got[65536]; /* arrival, 0 = lost */
    struct probe_cluster probe;
    uint32_t probe_left;
    double debt; /* of video, bytes */
    /* what was seen since the last path_clear */
    uint64_t bytes;
    mono_us since;
    uint32_t packets;
    uint32_t slow; /* packets queued for more than 300 ms */
    unsigned probes;
    uint32_t least; /* estimate */
};

static unsigned dice(struct path *p, unsigned n)
{
    p->rng = p->rng * 1664525 + 1013904223;
    return (p->rng >> 8) % n;
}

static void send_packet(struct path *p, uint16_t bytes, uint8_t cluster)
{
    mono_us start = p->free_at > p->now ? p->free_at : p->now;
    bwe_sent(p->bwe, p->next, bytes, cluster, p->now);
    p->bytes += bytes;
    p->packets++;
    p->slow += start - p->now > 300 * MS;
    if (start - p->now > p->queue_max_us || dice(p, 1000) < p->loss) {
        p->got[p->next++] = 0;
        return;
    }
    p->free_at = start + (mono_us)(bytes * 8 * (double)S / p->bps);
    mono_us late = p->jitter_us ? dice(p, (unsigned)p->jitter_us) : 0;
    int64_t got = CLOCK + p->free_at + p->delay_us + late;
    got = p->in_order && got < p->last_got ? p->last_got : got;
    p->last_got = got;
    p->got[p->next++] = got;
}

/* Every 100 ms the far end reports what it has, its own way back included. */
static void feedback(struct path *p)
{
    static struct twcc_status status[TWCC_STATUS_MAX];
    /* what came late is reported again, as browsers do */
    uint16_t base = (uint16_t)(p->reported - (p->jitter_us ? 100 : 0));
    struct twcc_feedback fb = {.base_seq = base};
    int64_t there = p->now - p->delay_us + CLOCK;
    uint16_t last = p->reported;
    for (uint16_t n = p->reported; n != p->next; n++) {
        if (p->got[n] && p->got[n] <= there) {
            last = (uint16_t)(n + 1);
        }
    }
    fb.count = (uint16_t)(last - base);
    int64_t before = 0;
    for (uint16_t i = 0; i < fb.count; i++) {
        int64_t got = p->got[(uint16_t)(base + i)];
        bool here = got && got <= there;
        if (here && !before) {
            fb.reference = (uint32_t)(got / TWCC_REFERENCE_US) & 0xffffff;
            before = got / TWCC_REFERENCE_US * TWCC_REFERENCE_US / TWCC_TICK_US;
        }
        status[i] = (struct twcc_status){.seq = (uint16_t)(base + i), .received = here};
        if (here) {
            status[i].delta = (int16_t)(got / TWCC_TICK_US - before);
            before = got / TWCC_TICK_US;
        }
    }
    p->reported = last;
    if (fb.count && !p->deaf) {
        bwe_input(p->bwe, &fb, status, p->now);
    }
}

static void send_video(struct path *p, uint32_t allowed)
{
    uint32_t bps = allowed && allowed < p->wanted_bps ? allowed : p->wanted_bps;
    bps = p->sent_bps ? p->sent_bps : bps;
    p->debt += (bps > 40000 ? bps - 40000 : 0) / 8.0 / 25;
    while (p->debt >= 200) {
        uint16_t bytes = p->debt > 1100 ? 1100 : (uint16_t)p->debt;
        send_packet(p, bytes, 0);
        p->debt -= bytes;
    }
}

static void run(struct path *p, mono_us duration)
{
    for (mono_us end = p->now + duration; p->now < end; p->now += MS) {
        mono_us ms = p->now / MS;
        uint32_t allowed = bwe_estimate(p->bwe, p->now);
        p->least = allowed < p->least ? allowed : p->least;
        if (ms % 20 == 0) {
            send_packet(p, 100, 0);
        }
        if (ms % 40 == 0) {
            send_video(p, allowed);
        }
        for (double due = p->probe.bps / 8000.0; p->probe_left && due > 0; due -= 300) {
            send_packet(p, 300, p->probe.cluster);
            p->probe_left -= p->probe_left < 300 ? p->probe_left : 300;
        }
        if (ms % 100 == 0) {
            feedback(p);
        }
        bwe_want(p->bwe, allowed < p->wanted_bps ? p->wanted_bps : 0);
        if (bwe_deadline(p->bwe) <= p->now) {
            bwe_timer(p->bwe, p->now);
        }
        if (!p->probe_left && bwe_probe(p->bwe, &p->probe, p->now)) {
            p->probe_left = p->probe.bytes;
            p->probes++;
        }
    }
}

static void clear(struct path *p)
{
    p->bytes = 0;
    p->packets = 0;
    p->slow = 0;
    p->probes = 0;
    p->least = UINT32_MAX;
    p->since = p->now;
}

static double ratio(const struct path *p)
{
    return (double)p->bytes * 8 * S / (double)(p->now - p->since) / p->bps;
}

static struct path *path_new(double bps, uint32_t seed)
{
    struct path *p = test_calloc(1, sizeof(*p));
    p->bwe = test_calloc(1, sizeof(*p->bwe));
    p->bps = bps;
    p->delay_us = 25 * MS;
    p->queue_max_us = 300 * MS;
    p->wanted_bps = 2500000;
    p->rng = seed;
    p->now = S;
    p->next = 65000;
    p->reported = 65000;
    bwe_init(p->bwe, BWE_START_BPS, p->now);
    return p;
}

static void path_free(struct path *p)
{
    test_free(p->bwe);
    test_free(p);
}

static void a_wide_link_is_used_within_two_seconds(void **state)
{
    (void)state;
    struct path *p = path_new(10e6, 1);
    run(p, 2 * S);
    assert_true(bwe_estimate(p->bwe, p->now) >= p->wanted_bps);
    clear(p);
    run(p, 20 * S);
    assert_int_equal(p->probes, 0); /* nothing better waits */
    assert_true(bwe_estimate(p->bwe, p->now) >= p->wanted_bps);
    path_free(p);
}

static void links_of_all_sizes_are_filled_and_not_flooded(void **state)
{
    (void)state;
    const double rates[] = {120e3, 300e3, 500e3, 1e6, 2e6};
    for (unsigned i = 0; i < 5; i++) {
        struct path *p = path_new(rates[i], 10 + i);
        run(p, 10 * S);
        clear(p);
        run(p, 30 * S);
        double slow = 1.0 * p->slow / p->packets;
        print_message("%4.0f kbit/s: sent %.2f of it, %.3f slow, %u probes\n", rates[i] / 1000,
                      ratio(p), slow, p->probes);
        assert_true(ratio(p) > 0.6 && ratio(p) < 1.05);
        assert_true(slow < 0.05);
        path_free(p);
    }
}

/* A layer that fits is sent, a better one waits that does not: probes for it fail again and again,
 * and the queue they make must not cost the layer that is there. */
static void probes_that_fail_cost_nothing(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 8; seed++) {
        struct path *p = path_new(500e3, seed);
        p->sent_bps = 390000;
        p->wanted_bps = 1200000;
        p->jitter_us = seed * MS;
        run(p, 5 * S);
        clear(p);
        run(p, 60 * S);
        print_message("seed %u: least estimate %u kbit/s, %u probes\n", seed, p->least / 1000,
                      p->probes);
        assert_true(p->probes >= 5);
        assert_true(p->least >= 400000);
        path_free(p);
    }
}

/* F4: 3 Mbit/s, 500 kbit/s, 150 kbit/s and back. */
static void f4_it_follows_the_link_down_and_up_again(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 5; seed++) {
        struct path *p = path_new(3e6, seed);
        run(p, 10 * S);
        const double steps[] = {500e3, 150e3};
        for (unsigned i = 0; i < 2; i++) {
            p->bps = steps[i];
            run(p, 2 * S);
            clear(p);
            run(p, 3 * S);
            double first = ratio(p);
            clear(p);
            run(p, 15 * S);
            double slow = 1.0 * p->slow / p->packets;
            print_message("seed %u, %.0f: after 2 s %.2f, then %.2f, slow %.3f\n", seed, steps[i],
                          first, ratio(p), slow);
            assert_true(first <= 1.10);
            assert_true(slow <= 0.05);
        }
        p->bps = 3e6;
        run(p, 14 * S);
        clear(p);
        run(p, S);
        print_message("seed %u: 15 s after the return %.2f\n", seed, ratio(p));
        assert_true(ratio(p) >= 0.8);
        path_free(p);
    }
}

static void random_loss_and_jitter_leave_a_wide_link_alone(void **state)
{
    (void)state;
    const struct {
        unsigned loss;
        mono_us jitter;
        uint32_t least;
    } rows[] = {{10, 0, 2400000},       {50, 0, 2000000},      {100, 0, 1200000},
                {200, 0, 500000},       {300, 0, 300000},      {0, 30 * MS, 2000000},
                {0, 100 * MS, 1000000}, {20, 30 * MS, 1500000}};
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct path *p = path_new(10e6, 40 + i);
        p->loss = rows[i].loss;
        p->jitter_us = rows[i].jitter;
        run(p, 10 * S);
        uint64_t sum = 0;
        for (unsigned k = 0; k < 20; k++) {
            run(p, S);
            sum += bwe_estimate(p->bwe, p->now);
        }
        print_message("loss %u/1000 jitter %lld ms: %llu\n", rows[i].loss,
                      (long long)rows[i].jitter / MS, (unsigned long long)sum / 20);
        assert_true(sum / 20 >= rows[i].least);
        path_free(p);
    }
}

/* F2: hardly two packets in order, but every one comes. A small picture is a few packets in each
 * feedback, so the lowest one-way time of it is often far above the base without any queue. */
static void few_packets_in_disorder_are_no_queue(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 8; seed++) {
        struct path *p = path_new(10e6, 1000 * seed);
        p->jitter_us = 200 * MS;
        p->in_order = seed % 2;
        p->wanted_bps = 300000;
        run(p, 10 * S);
        clear(p);
        run(p, 60 * S);
        print_message("seed %u: least %u kbit/s\n", seed, p->least / 1000);
        assert_true(p->least >= 250000);
        path_free(p);
    }
}

/* Nor does disorder hide one: a path that is full and overtakes is not flooded. */
static void a_queue_in_disorder_is_one(void **state)
{
    (void)state;
    const double rates[] = {150e3, 500e3, 1e6, 150e3, 500e3, 1e6};
    for (unsigned i = 0; i < 6; i++) {
        struct path *p = path_new(rates[i], 20 + i);
        p->jitter_us = 200 * MS;
        p->in_order = i >= 3;
        run(p, 10 * S);
        clear(p);
        run(p, 60 * S);
        double slow = 1.0 * p->slow / p->packets;
        print_message("%4.0f kbit/s: sent %.2f of it, %.3f slow\n", rates[i] / 1000, ratio(p),
                      slow);
        assert_true(ratio(p) > 0.5 && ratio(p) < 1.05);
        assert_true(slow < 0.05);
        path_free(p);
    }
}

static void silence_lowers_and_the_path_comes_back(void **state)
{
    (void)state;
    struct path *p = path_new(10e6, 5);
    run(p, 5 * S);
    p->deaf = true;
    run(p, 6 * S);
    assert_in_range(bwe_estimate(p->bwe, p->now), 250000, 350000);
    p->deaf = false;
    run(p, 4 * S);
    assert_true(bwe_estimate(p->bwe, p->now) >= 2000000);
    path_free(p);
}

static void a_peer_without_feedback_has_no_limit_after_two_seconds(void **state)
{
    (void)state;
    struct path *p = path_new(10e6, 5);
    p->deaf = true;
    run(p, S);
    assert_int_equal(bwe_estimate(p->bwe, p->now), BWE_START_BPS);
    run(p, 2 * S);
    assert_int_equal(bwe_estimate(p->bwe, p->now), 0);
    p->deaf = false;
    run(p, S);
    assert_true(bwe_estimate(p->bwe, p->now) > 0);
    path_free(p);
}

static void another_path_begins_anew(void **state)
{
    (void)state;
    struct path *p = path_new(10e6, 5);
    run(p, 5 * S);
    bwe_path(p->bwe, p->now);
    assert_true(bwe_estimate(p->bwe, p->now) <= BWE_START_BPS);
    p->bps = 1e6;
    p->delay_us = 80 * MS;
    run(p, 5 * S);
    clear(p);
    run(p, 10 * S);
    assert_true(ratio(p) > 0.6 && ratio(p) < 1.1);
    path_free(p);
}

/* What a liar says: numbers never sent, everything twice, times that go back; only its own. */
static void false_feedback_breaks_nothing(void **state)
{
    (void)state;
    static struct twcc_status status[TWCC_STATUS_MAX];
    struct path *p = path_new(1e6, 9);
    run(p, S);
    for (unsigned i = 0; i < 20000; i++) {
        struct twcc_feedback fb = {
            .base_seq = (uint16_t)dice(p, 65536),
            .count = (uint16_t)(1 + dice(p, TWCC_STATUS_MAX)),
            .reference = dice(p, 1 << 24),
        };
        for (unsigned k = 0; k < fb.count; k++) {
            status[k] = (struct twcc_status){.seq = (uint16_t)(fb.base_seq + k),
                                             .received = dice(p, 2),
                                             .delta = (int16_t)(dice(p, 65536) - 32768)};
        }
        bwe_sent(p->bwe, p->next++, 1200, 0, p->now);
        bwe_input(p->bwe, &fb, status, p->now);
        p->now += dice(p, 50) * MS;
        bwe_timer(p->bwe, p->now);
        uint32_t estimate = bwe_estimate(p->bwe, p->now);
        assert_in_range(estimate, BWE_MIN_BPS, AIMD_MAX_BPS);
    }
    path_free(p);
}

/* What pictures and repetitions are decided by, in numbers. */
static void only_notable_moves_are_told(void **state)
{
    (void)state;
    static const struct {
        uint64_t before, now;
        bool told;
    } rows[] = {
        {0, 0, false},
        {0, 30000, true},
        {30000, 0, true},
        {1000000, 1049999, false},
        {1000000, 1050000, true},
        {1000000, 980000, false},
        {1000000, 979999, true},
        {1000000, 1000000, false},
        {60000, 63000, true},
        {60000, 58799, true},
        {60000, 58800, false},
        {10000000000, 10400000000, false},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(bwe_notable(rows[i].before, rows[i].now), rows[i].told);
    }
}

static void a_queue_and_a_thin_path_forbid_repetition(void **state)
{
    (void)state;
    static const struct {
        bool heard;
        uint32_t queue_ms;
        double bps;
        bool congested, narrow;
    } rows[] = {
        {true, 0, 500e3, false, false},    {true, 200, 500e3, false, false},
        {true, 201, 500e3, true, true},    {true, 0, 100e3, false, false},
        {true, 0, 99e3, false, true},      {true, 201, 99e3, true, true},
        {false, 201, 500e3, false, false}, {false, 0, 99e3, false, false},
    };
    struct bwe *b = test_calloc(1, sizeof(*b));
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bwe_init(b, 500000, S);
        b->heard = rows[i].heard;
        b->queue_us = rows[i].queue_ms * 1000;
        b->aimd.bps = rows[i].bps;
        b->lossbwe.bps = 50e3; /* loss alone forbids nothing */
        assert_int_equal(bwe_congested(b), rows[i].congested);
        assert_int_equal(bwe_narrow(b), rows[i].narrow);
    }
    test_free(b);
}

/* ---- one feedback after the other, by hand ---- */

/* A packet leaves now and takes so long; it alone is told of. */
static void told_one(struct bwe *b, uint16_t number, mono_us way, mono_us now)
{
    int64_t got = CLOCK + now + way;
    struct twcc_feedback fb = {
        .base_seq = number, .count = 1, .reference = (uint32_t)(got / TWCC_REFERENCE_US)};
    struct twcc_status status = {.seq = number,
                                 .received = true,
                                 .delta = (int16_t)(got % TWCC_REFERENCE_US / TWCC_TICK_US)};
    b->queue.noise = (struct noise){0}; /* no jitter is taken off here */
    bwe_sent(b, number, 25, 0, now);
    bwe_input(b, &fb, &status, now + way + 5 * MS);
}

enum { USUAL = 5 };

/* An estimate that knows a way of 20 ms from its first USUAL packets; returns when the next is due.
 */
static mono_us told_usual(struct bwe *b)
{
    mono_us now = S;
    bwe_init(b, BWE_START_BPS, now);
    for (uint16_t n = 0; n < USUAL; n++, now += 100 * MS) {
        told_one(b, n, 20 * MS, now);
    }
    return now;
}

/* What stands in the path more than is usual is a queue before the trend tells, and one feedback
 * is not enough to say so. */
static void a_surge_is_a_queue_at_once(void **state)
{
    (void)state;
    static const struct {
        uint32_t usual_ms, over_ms;
        enum overuse use;
    } rows[] = {
        {0, 60, OVERUSE_NORMAL},
        {0, 61, OVERUSE_OVER},
        {30, 90, OVERUSE_NORMAL},
        {30, 91, OVERUSE_OVER},
    };
    struct bwe *b = test_calloc(1, sizeof(*b));
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint16_t n = USUAL;
        mono_us now = told_usual(b);
        told_one(b, n++, 320 * MS, now);
        assert_int_equal(b->use, OVERUSE_NORMAL); /* once is nothing */
        b->queue.usual_us = rows[i].usual_ms * (double)MS;
        told_one(b, n, (20 + rows[i].over_ms) * MS, now + 500 * MS);
        assert_int_equal(b->queue_now_us, rows[i].over_ms * MS);
        assert_int_equal(b->use, rows[i].use);
    }
    test_free(b);
}

/* The trend says overuse, and the lowest times of two feedbacks say whether there is a queue, and
 * whether it is one we made: the packet itself takes 0.4 ms of them. */
static void an_overuse_wants_a_queue_that_is_not_ours(void **state)
{
    (void)state;
    static const struct {
        mono_us over;
        enum overuse use;
        bool lowered;
    } rows[] = {
        {14750, OVERUSE_UNDER, false},
        {15000, OVERUSE_OVER, false},
        {15250, OVERUSE_OVER, false},
        {15500, OVERUSE_OVER, true},
    };
    struct bwe *b = test_calloc(1, sizeof(*b));
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint16_t n = USUAL;
        mono_us now = told_usual(b);
        told_one(b, n++, 20 * MS + rows[i].over, now);
        b->aimd.decreased_us = 0;
        b->detector.state = OVERUSE_OVER;
        now += 100 * MS;
        told_one(b, n, 20 * MS + rows[i].over, now);
        assert_int_equal(b->use, rows[i].use);
        assert_int_equal(b->aimd.decreased_us != 0, rows[i].lowered);
    }
    test_free(b);
}

/* The path became longer by another route: the best of the last 15 to 30 seconds counts. */
static void a_longer_way_is_the_usual_one_after_a_while(void **state)
{
    (void)state;
    struct bwe *b = test_calloc(1, sizeof(*b));
    uint16_t n = 0;
    bwe_init(b, BWE_START_BPS, 0);
    for (mono_us now = 0; now <= 32 * (mono_us)S; now += 100 * MS) {
        told_one(b, n++, now < S ? 20 * MS : 50 * MS, now);
        bool known = now > S + 400 * MS;
        if (known && now <= 30 * (mono_us)S) {
            assert_int_equal(b->queue_us, 30 * MS);
        } else if (now >= 31 * (mono_us)S) {
            assert_int_equal(b->queue_us, 0);
        }
    }
    test_free(b);
}

/* A packet told as missing may still come; after 200 ms of later ones it counts as lost. */
static void what_may_still_come_is_not_lost_yet(void **state)
{
    (void)state;
    static const struct {
        mono_us later;
        uint32_t fates;
    } rows[] = {{199, 0}, {200, 1}};
    struct bwe *b = test_calloc(1, sizeof(*b));
    for (unsigned i = 0; i < 2; i++) {
        mono_us at = S + rows[i].later * MS;
        int64_t got = (CLOCK + at) / TWCC_REFERENCE_US * TWCC_REFERENCE_US;
        struct twcc_feedback fb = {.count = 2, .reference = (uint32_t)(got / TWCC_REFERENCE_US)};
        const struct twcc_status status[2] = {{.seq = 0}, {.seq = 1, .received = true}};
        bwe_init(b, BWE_START_BPS, S);
        bwe_sent(b, 0, 1000, 0, S);
        bwe_sent(b, 1, 1000, 0, at);
        bwe_input(b, &fb, status, at + 50 * MS);
        assert_int_equal(b->fates, rows[i].fates);
        assert_int_equal(b->fates_lost, rows[i].fates);
    }
    test_free(b);
}

/* A queue above what is left alone takes from the estimate as it stands, so that it drains; three
 * tenths go on. */
static void a_queue_takes_from_the_estimate(void **state)
{
    (void)state;
    static const uint32_t rows[][2] = {{0, 1000},  {60, 1000}, {160, 750},  {260, 500},
                                       {339, 302}, {341, 300}, {1000, 300}, {4000, 300}};
    struct bwe *b = test_calloc(1, sizeof(*b));
    bwe_init(b, BWE_START_BPS, S);
    b->heard = true;
    b->aimd.bps = 1e6;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        b->queue_us = rows[i][0] * MS;
        assert_in_range(bwe_estimate(b, S), rows[i][1] * 1000 - 600, rows[i][1] * 1000 + 600);
    }
    test_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_wide_link_is_used_within_two_seconds),
        UNIT(links_of_all_sizes_are_filled_and_not_flooded),
        UNIT(probes_that_fail_cost_nothing),
        UNIT(f4_it_follows_the_link_down_and_up_again),
        UNIT(random_loss_and_jitter_leave_a_wide_link_alone),
        UNIT(few_packets_in_disorder_are_no_queue),
        UNIT(a_queue_in_disorder_is_one),
        UNIT(silence_lowers_and_the_path_comes_back),
        UNIT(a_peer_without_feedback_has_no_limit_after_two_seconds),
        UNIT(another_path_begins_anew),
        UNIT(false_feedback_breaks_nothing),
        UNIT(only_notable_moves_are_told),
        UNIT(a_queue_and_a_thin_path_forbid_repetition),
        UNIT(a_surge_is_a_queue_at_once),
        UNIT(an_overuse_wants_a_queue_that_is_not_ours),
        UNIT(a_longer_way_is_the_usual_one_after_a_while),
        UNIT(what_may_still_come_is_not_lost_yet),
        UNIT(a_queue_takes_from_the_estimate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
