#include "tests/unit/support.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/rng.h"
#include "codec/wire/rtp.h"
#include "codec/wire/rtp_seq.h"
#include "tests/unit/bytes.h"

static void header_with_everything(void **state)
{
    (void)state;
    uint8_t data[64];
    struct rtp_header h;
    /* V2 P X CC2, M PT96, seq 0x1234, ts, ssrc, 2 CSRCs, extension 0xbede 1 word, 3 bytes, pad 5 */
    size_t len = bytes_hex(data, sizeof(data),
                           "b2e01234 00112233 44556677 a1a2a3a4 b1b2b3b4 bede0001 10aa0000 "
                           "010203 0000000005");
    assert_int_equal(rtp_parse(&h, data, len), 0);
    assert_true(h.marker);
    assert_int_equal(h.pt, 96);
    assert_int_equal(h.seq, 0x1234);
    assert_int_equal(h.timestamp, 0x00112233);
    assert_int_equal(h.ssrc, 0x44556677);
    assert_int_equal(h.csrc_count, 2);
    assert_true(rtp_csrc(&h, data, 1) == 0xb1b2b3b4);
    assert_int_equal(rtp_csrc(&h, data, 2), 0);
    assert_int_equal(h.ext_profile, 0xbede);
    assert_int_equal(h.ext_at, 24);
    assert_int_equal(h.ext_len, 4);
    assert_int_equal(h.header_len, 28);
    assert_int_equal(h.payload_len, 3);
    assert_int_equal(h.padding, 5);
    data[len - 1] = 0; /* sealed: the last byte counts nothing */
    assert_int_equal(rtp_parse(&h, data, len), E_BAD);
    assert_int_equal(rtp_peek(&h, data, len), 0);
    assert_int_equal(h.seq, 0x1234);
    assert_int_equal(h.header_len, 28);
    assert_int_equal(h.payload_len, 8);
    assert_int_equal(h.padding, 0);
    data[len - 1] = 5;
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *exact = malloc(cut ? cut : 1);
        assert_non_null(exact);
        memcpy(exact, data, cut);
        int err = rtp_parse(&h, exact, cut);
        assert_true(err == E_TRUNC || err == E_BAD ||
                    h.header_len + h.payload_len + h.padding == (int)cut);
        free(exact);
    }
}

static void refuses_what_is_not_rtp(void **state)
{
    (void)state;
    uint8_t data[32];
    struct rtp_header h;
    size_t len = bytes_hex(data, sizeof(data), "40600001 00000000 00000001 00");
    assert_int_equal(rtp_parse(&h, data, len), E_BAD); /* version 1 */
    len = bytes_hex(data, sizeof(data), "a0600001 00000000 00000001 00");
    assert_int_equal(rtp_parse(&h, data, len), E_BAD); /* padding of 0 */
    len = bytes_hex(data, sizeof(data), "a0600001 00000000 00000001 03");
    assert_int_equal(rtp_parse(&h, data, len), E_BAD); /* padding beyond the payload */
    len = bytes_hex(data, sizeof(data), "a0600001 00000000 00000001");
    assert_int_equal(rtp_parse(&h, data, len), E_BAD); /* padding of nothing */
    len = bytes_hex(data, sizeof(data), "90600001 00000000 00000001 bedeffff 00000000");
    assert_int_equal(rtp_parse(&h, data, len), E_BAD); /* extension of 256 KiB */
    len = bytes_hex(data, sizeof(data), "80600001 00000000 00000001");
    assert_int_equal(rtp_parse(&h, data, len), 0); /* empty is allowed */
    assert_int_equal(h.payload_len, 0);
    static uint8_t big[70000] = {0x80};
    assert_int_equal(rtp_parse(&h, big, sizeof(big)), E_BAD);
}

static void header_round_trip(void **state)
{
    (void)state;
    struct rng_seeded seeded;
    rng_seed(&seeded, 3);
    struct rng rng = rng_from_seeded(&seeded);
    for (unsigned i = 0; i < 1000; i++) {
        struct rtp_header in = {.timestamp = rng_u32(&rng),
                                .ssrc = rng_u32(&rng),
                                .seq = (uint16_t)rng_u32(&rng),
                                .pt = (uint8_t)rng_below(&rng, 128),
                                .marker = rng_below(&rng, 2),
                                .csrc_count = (uint8_t)rng_below(&rng, 16),
                                .padding = (uint8_t)rng_below(&rng, 256)};
        uint32_t csrc[RTP_CSRC_MAX];
        rng_fill(&rng, csrc, sizeof(csrc));
        uint8_t data[400];
        struct wr w = wr_init(data, sizeof(data));
        rtp_write(&w, &in, csrc, false);
        wr_zero(&w, 7);
        rtp_write_padding(&w, in.padding);
        assert_false(w.bad);
        struct rtp_header out;
        assert_int_equal(rtp_parse(&out, data, wr_len(&w)), 0);
        assert_int_equal(out.timestamp, in.timestamp);
        assert_int_equal(out.ssrc, in.ssrc);
        assert_int_equal(out.seq, in.seq);
        assert_int_equal(out.pt, in.pt);
        assert_int_equal(out.marker, in.marker);
        assert_int_equal(out.padding, in.padding);
        assert_int_equal(out.payload_len, 7);
        assert_int_equal(out.csrc_count, in.csrc_count);
        for (unsigned c = 0; c < in.csrc_count; c++) {
            assert_int_equal(rtp_csrc(&out, data, c), csrc[c]);
        }
    }
}

static void sequence_numbers_unwrap(void **state)
{
    (void)state;
    struct rtp_seq s = {0};
    assert_int_equal(rtp_seq_unwrap(&s, 65530), 65536 + 65530);
    assert_int_equal(rtp_seq_unwrap(&s, 3), 2 * 65536 + 3);
    assert_int_equal(rtp_seq_unwrap(&s, 65531), 65536 + 65531); /* late, state stays */
    assert_int_equal(s.newest, 2 * 65536 + 3);
    assert_int_equal(rtp_seq_peek(&s, 32771), 2 * 65536 + 32771);
    assert_int_equal(rtp_seq_peek(&s, 32772), 65536 + 32772);
    assert_int_equal(s.newest, 2 * 65536 + 3);
    struct rtp_seq before = {0};
    assert_int_equal(rtp_seq_unwrap(&before, 2), 65538);
    assert_int_equal(rtp_seq_unwrap(&before, 65500), 65500); /* from before the first */
    assert_true(rtp_seq_newer(1, 65535));
    assert_false(rtp_seq_newer(65535, 1));
    assert_false(rtp_seq_newer(5, 5));
}

static void unwrapping_follows_a_long_walk(void **state)
{
    (void)state;
    struct rng_seeded seeded;
    rng_seed(&seeded, 9);
    struct rng rng = rng_from_seeded(&seeded);
    static const unsigned widths[] = {7, 15, 16, 32};
    for (unsigned k = 0; k < 4; k++) {
        int64_t span = (int64_t)1 << widths[k];
        int64_t at = span;
        for (unsigned i = 0; i < 20000; i++) {
            int64_t step = (int64_t)(rng_u64(&rng) % (uint64_t)(span / 2)) - span / 8;
            int64_t next = at + step;
            if (next < 0) {
                continue;
            }
            uint32_t wire = (uint32_t)((uint64_t)next & (uint64_t)(span - 1));
            assert_true(rtp_unwrap(at, wire, widths[k]) == next);
            at = next;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(header_with_everything),
        UNIT(refuses_what_is_not_rtp),
        UNIT(header_round_trip),
        UNIT(sequence_numbers_unwrap),
        UNIT(unwrapping_follows_a_long_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
