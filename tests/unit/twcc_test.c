#include "tests/unit/support.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/rng.h"
#include "codec/wire/twcc.h"
#include "tests/unit/bytes.h"

static struct twcc_status status[TWCC_STATUS_MAX];

static int parse(struct twcc_feedback *fb, const uint8_t *data, size_t len, size_t cap)
{
    struct rd r = rd_init(data, len);
    struct rtcp_packet pkt;
    assert_int_equal(rtcp_next(&r, &pkt), 1);
    return twcc_parse(fb, status, cap, &pkt);
}

static int parse_hex(struct twcc_feedback *fb, const char *hex)
{
    uint8_t data[256];
    return parse(fb, data, bytes_hex(data, sizeof(data), hex), TWCC_STATUS_MAX);
}

/* Written out by hand from the draft, section 3.1: base 153, 28 packets, reference 0x001122. */
static void all_chunk_kinds(void **state)
{
    (void)state;
    struct twcc_feedback fb;
    /* run of 7 small; 1-bit vector 10110000000001; 2-bit vector 1 0 2 0 0 0 1; padding 0 */
    int err = parse_hex(&fb, "8fcd000a 00000001 00000002 0099001c 00112205"
                             "2007 ac01 d201"
                             "01020304050607 08090a0b 10 ff38 11 0000"
                             "00000000 00");
    assert_int_equal(err, 0);
    assert_int_equal(fb.base_seq, 153);
    assert_int_equal(fb.count, 28);
    assert_int_equal(fb.reference, 0x1122);
    assert_int_equal(fb.number, 5);
    static const char want[] = "1111111"
                               "10110000000001"
                               "1020001";
    static const int16_t deltas[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 16, -200, 17};
    unsigned n = 0;
    for (unsigned i = 0; i < 28; i++) {
        assert_int_equal(status[i].seq, 153 + i);
        assert_int_equal(status[i].received, want[i] != '0');
        if (want[i] != '0') {
            assert_int_equal(status[i].delta, deltas[n++]);
        }
    }
    assert_int_equal(n, 14);
}

static void malformed_feedback_is_refused(void **state)
{
    (void)state;
    struct twcc_feedback fb;
    assert_int_equal(parse_hex(&fb, "8fcd0002 00000001 00000002"), E_BAD); /* nothing */
    assert_int_equal(parse_hex(&fb, "8fcd0004 00000001 00000002 00010000 00000000"), E_LIMIT);
    assert_int_equal(parse_hex(&fb, "8fcd0004 00000001 00000002 00010001 00000000"), E_BAD);
    /* reserved symbol 3 in a run, in a vector */
    assert_int_equal(parse_hex(&fb, "8fcd0005 00000001 00000002 00010001 00000000 60010000"),
                     E_BAD);
    assert_int_equal(parse_hex(&fb, "8fcd0005 00000001 00000002 00010001 00000000 f0000000"),
                     E_BAD);
    /* run of nothing: would never end */
    assert_int_equal(parse_hex(&fb, "8fcd0005 00000001 00000002 00010001 00000000 20000000"),
                     E_BAD);
    /* three large deltas announced, one there */
    assert_int_equal(parse_hex(&fb, "8fcd0005 00000001 00000002 00010003 00000000 40030001"),
                     E_BAD);
    /* 65535 lost packets are more than we keep */
    assert_int_equal(parse_hex(&fb, "8fcd0005 00000001 00000002 0001ffff 00000000 1fff1fff"),
                     E_LIMIT);
    assert_int_equal(parse_hex(&fb, "81ce0002 00000001 00000002"), E_BAD); /* a PLI */
    uint8_t data[64];
    size_t len =
        bytes_hex(data, sizeof(data), "8fcd0005 00000001 00000002 00010002 00000000 20020101");
    assert_int_equal(parse(&fb, data, len, 1), E_LIMIT);
    assert_int_equal(parse(&fb, data, len, 2), 0);
}

static void reference_time_unwraps(void **state)
{
    (void)state;
    struct twcc_feedback fb = {.reference = 5};
    assert_int_equal(twcc_reference_us(&fb, 0), 5 * 64000);
    int64_t turn = (int64_t)(1 << 24) * 64000;
    assert_true(twcc_reference_us(&fb, turn - 1) == turn + 5 * 64000);
    assert_true(twcc_reference_us(&fb, 3 * turn + 999) == 3 * turn + 5 * 64000);
    fb.reference = (1 << 24) - 1;
    assert_true(twcc_reference_us(&fb, turn + 70000) == turn - 64000);
}

/* Builds everything in as many packets as it takes, parses them again and compares. */
static unsigned round_trip(const struct twcc_arrival *a, size_t n, int64_t first, size_t cap)
{
    unsigned packets = 0;
    size_t done = 0;
    int64_t next = first;
    while (done < n) {
        uint8_t data[1500];
        struct wr w = wr_init(data, cap);
        size_t took = twcc_build(&w, 1, 2, (uint8_t)packets, next, a + done, n - done);
        assert_true(took > 0 && took <= n - done);
        struct twcc_feedback fb;
        assert_int_equal(parse(&fb, data, wr_len(&w), TWCC_STATUS_MAX), 0);
        assert_int_equal(fb.number, packets & 255);
        int64_t base = a[done].seq - next < TWCC_STATUS_MAX ? next : a[done].seq;
        assert_int_equal(fb.base_seq, (uint16_t)base);
        assert_int_equal(fb.count, a[done + took - 1].seq - base + 1);
        int64_t us = twcc_reference_us(&fb, a[done].at);
        size_t k = done;
        for (size_t i = 0; i < fb.count; i++) {
            bool received = a[k].seq == base + (int64_t)i;
            assert_int_equal(status[i].received, received);
            if (received) {
                us += (int64_t)status[i].delta * TWCC_TICK_US;
                assert_true(us == a[k].at / TWCC_TICK_US * TWCC_TICK_US);
                k++;
            }
        }
        assert_int_equal(k, done + took);
        next = a[done + took - 1].seq + 1;
        done += took;
        packets++;
    }
    return packets;
}

static void built_feedback_is_parsed_again(void **state)
{
    (void)state;
    static struct twcc_arrival a[2000];
    struct rng_seeded seeded;
    rng_seed(&seeded, 31);
    struct rng rng = rng_from_seeded(&seeded);
    for (unsigned round = 0; round < 200; round++) {
        size_t n = 1 + rng_below(&rng, 2000);
        uint32_t loss = 1 + rng_below(&rng, 4);
        uint32_t jitter = round % 4 == 0 ? 200000 : 20000;
        int64_t seq = 65000 + rng_below(&rng, 1000);
        int64_t first = seq;
        mono_us at = 1000000 + (mono_us)rng_below(&rng, 1u << 30) * 100;
        for (size_t i = 0; i < n; i++) {
            seq += 1 + (rng_below(&rng, 3) == 0 ? rng_below(&rng, loss * loss) : 0);
            at += rng_below(&rng, 2000);
            a[i] = (struct twcc_arrival){.seq = seq, .at = at + rng_below(&rng, jitter)};
        }
        (void)round_trip(a, n, first, round % 2 ? 1200 : 200);
    }
}

static void splits_where_the_format_ends(void **state)
{
    (void)state;
    struct twcc_arrival a[] = {{.seq = 10, .at = 0},
                               {.seq = 11, .at = 8191750},  /* 32767 ticks: still fits */
                               {.seq = 12, .at = 16383750}, /* 32768 ticks: next packet */
                               {.seq = 9000, .at = 16384000} /* too far: again */};
    assert_int_equal(round_trip(a, 4, 10, 1200), 3);
    struct twcc_arrival far[] = {{.seq = 100000, .at = 5}};
    assert_int_equal(round_trip(far, 1, 5, 1200), 1); /* gap wider than one feedback */
    struct twcc_arrival back[] = {{.seq = 1, .at = 9000000}, {.seq = 2, .at = 8000000}};
    assert_int_equal(round_trip(back, 2, 1, 1200), 1); /* arrived the other way round */
}

static void small_sizes(void **state)
{
    (void)state;
    /* 100 packets in a row with small deltas: one run, 100 deltas. */
    struct twcc_arrival a[100];
    for (unsigned i = 0; i < 100; i++) {
        a[i] = (struct twcc_arrival){.seq = 1000 + i, .at = 64000 + i * 1000};
    }
    uint8_t data[200];
    struct wr w = wr_init(data, sizeof(data));
    assert_int_equal(twcc_build(&w, 1, 2, 0, 1000, a, 100), 100);
    assert_int_equal(wr_len(&w), 4 + 8 + 8 + 2 + 100 + 2);
    /* Nothing fits: nothing is written. */
    w = wr_init(data, 23);
    assert_int_equal(twcc_build(&w, 1, 2, 0, 1000, a, 100), 0);
    assert_int_equal(wr_len(&w), 0);
    assert_false(w.bad);
    w = wr_init(data, 24);
    assert_true(twcc_build(&w, 1, 2, 0, 1000, a, 100) >= 1);
    w = wr_init(data, sizeof(data));
    assert_int_equal(twcc_build(&w, 1, 2, 0, 1000, a, 0), 0);
    assert_int_equal(wr_len(&w), 0);
    assert_int_equal(twcc_build(&w, 1, 2, 0, 1001, a, 1), 0); /* before `first`: refused */
    assert_int_equal(wr_len(&w), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(all_chunk_kinds),
        UNIT(malformed_feedback_is_refused),
        UNIT(reference_time_unwraps),
        UNIT(built_feedback_is_parsed_again),
        UNIT(splits_where_the_format_ends),
        UNIT(small_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
