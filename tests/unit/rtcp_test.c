#include "tests/unit/support.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/rng.h"
#include "codec/wire/rtcp.h"
#include "tests/unit/bytes.h"

/* The only packet of a compound. */
static struct rtcp_packet only(const uint8_t *data, size_t len)
{
    struct rd r = rd_init(data, len);
    struct rtcp_packet pkt;
    struct rtcp_packet next;
    assert_int_equal(rtcp_next(&r, &pkt), 1);
    assert_int_equal(rtcp_next(&r, &next), 0);
    return pkt;
}

static struct rtcp_packet only_hex(uint8_t *data, size_t cap, const char *hex)
{
    return only(data, bytes_hex(data, cap, hex));
}

static void a_browser_compound_is_walked(void **state)
{
    (void)state;
    /* SR with one report, SDES CNAME "ab", PLI. */
    uint8_t data[128];
    size_t len = bytes_hex(data, sizeof(data),
                           "81c8000c 11111111 e9000000 80000000 00015f90 0000000a 000003e8"
                           "22222222 40ffffff 00010002 00000007 aabbccdd 00010000"
                           "81ca0003 11111111 01026162 00000000"
                           "81ce0002 11111111 22222222");
    struct rd r = rd_init(data, len);
    struct rtcp_packet pkt;
    struct rtcp_sr sr;
    struct rtcp_report report;
    assert_int_equal(rtcp_check(data, len), 0);
    assert_int_equal(rtcp_sender(data, len), 0x11111111);
    assert_int_equal(rtcp_next(&r, &pkt), 1);
    assert_int_equal(rtcp_parse_sr(&sr, &pkt), 0);
    assert_true(sr.ntp == 0xe900000080000000ull);
    assert_int_equal(sr.rtp, 90000);
    assert_int_equal(sr.packets, 10);
    assert_int_equal(sr.octets, 1000);
    assert_int_equal(rtcp_report_at(&report, &pkt, 0), 0);
    assert_int_equal(report.ssrc, 0x22222222);
    assert_int_equal(report.fraction_lost, 64);
    assert_int_equal(report.lost, -1);
    assert_int_equal(report.highest_seq, 0x10002);
    assert_int_equal(report.jitter, 7);
    assert_true(report.lsr == 0xaabbccdd);
    assert_int_equal(report.dlsr, 65536);
    assert_int_equal(rtcp_report_at(&report, &pkt, 1), E_BAD);

    assert_int_equal(rtcp_next(&r, &pkt), 1);
    assert_int_equal(rtcp_parse_sr(&sr, &pkt), E_BAD);
    struct rd chunks = rd_init(pkt.body, pkt.len);
    struct rtcp_cname cname;
    assert_int_equal(rtcp_sdes_next(&chunks, &cname), 1);
    assert_int_equal(cname.ssrc, 0x11111111);
    assert_int_equal(cname.len, 2);
    assert_memory_equal(cname.text, "ab", 2);
    assert_int_equal(rtcp_sdes_next(&chunks, &cname), 0);

    struct rtcp_fb fb;
    assert_int_equal(rtcp_next(&r, &pkt), 1);
    assert_int_equal(rtcp_parse_fb(&fb, &pkt), 0);
    assert_int_equal(pkt.count, PSFB_PLI);
    assert_int_equal(fb.media, 0x22222222);
    assert_int_equal(rtcp_next(&r, &pkt), 0);
}

static void malformed_compounds_are_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "81ce00",                                                /* less than a header */
        "81ce0003 11111111 22222222",                            /* longer than the datagram */
        "41ce0002 11111111 22222222",                            /* version 1 */
        "a1ce0002 11111111 22222200",                            /* padding 0 */
        "a1ce0002 11111111 22222209",                            /* padding beyond the packet */
        "a1ce0002 11111111 00000004 81ce0002 11111111 22222222", /* padding not at the end */
        "a0c90000",                                              /* padding of an empty body */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t data[64];
        size_t len = bytes_hex(data, sizeof(data), rows[i]);
        assert_int_equal(rtcp_check(data, len), E_BAD);
    }
    uint8_t data[16];
    assert_int_equal(rtcp_sender(data, bytes_hex(data, sizeof(data), "81ce0000")), 0);
    struct rtcp_packet pkt = only_hex(data, sizeof(data), "a1ce0002 11111111 00000004");
    assert_int_equal(pkt.len, 4);
}

static void short_bodies_are_refused(void **state)
{
    (void)state;
    uint8_t data[64];
    struct rtcp_sr sr;
    struct rtcp_fb fb;
    struct rtcp_bye bye;
    struct rtcp_nack_iter nack;
    struct rtcp_remb remb;
    struct rd blocks;
    uint32_t ssrc;
    uint8_t number;
    struct rtcp_packet p;
    p = only_hex(data, sizeof(data), "81c80001 11111111");
    assert_int_equal(rtcp_parse_sr(&sr, &p), E_BAD);
    p = only_hex(data, sizeof(data), "81c90001 11111111");
    assert_int_equal(rtcp_parse_rr(&ssrc, &p), E_BAD);
    p = only_hex(data, sizeof(data), "81ce0001 11111111");
    assert_int_equal(rtcp_parse_fb(&fb, &p), E_BAD);
    assert_int_equal(rtcp_fir_at(&ssrc, &number, &p, 0), E_BAD);
    p = only_hex(data, sizeof(data), "82cb0001 11111111"); /* 2 sources announced, 1 there */
    assert_int_equal(rtcp_parse_bye(&bye, &p), E_BAD);
    p = only_hex(data, sizeof(data), "81cb0002 11111111 04616263"); /* reason of 4, 3 there */
    assert_int_equal(rtcp_parse_bye(&bye, &p), E_BAD);
    p = only_hex(data, sizeof(data), "81cd0002 11111111 22222222"); /* NACK of nothing */
    assert_int_equal(rtcp_nack_init(&nack, &p), E_BAD);
    p = only_hex(data, sizeof(data), "8fce0003 11111111 00000000 52454d42"); /* REMB cut */
    assert_int_equal(rtcp_parse_remb(&remb, &p), E_BAD);
    p = only_hex(data, sizeof(data), "8fce0004 11111111 00000000 52454d42 02000100");
    assert_int_equal(rtcp_parse_remb(&remb, &p), E_BAD); /* 2 sources, none there */
    p = only_hex(data, sizeof(data), "8fce0003 11111111 00000000 41424344");
    assert_int_equal(rtcp_parse_remb(&remb, &p), E_NOTFOUND);
    p = only_hex(data, sizeof(data), "80cf0000");
    assert_int_equal(rtcp_xr_init(&blocks, &ssrc, &p), E_BAD);
    struct rtcp_xr_block block;
    p = only_hex(data, sizeof(data), "80cf0002 11111111 04000002");
    assert_int_equal(rtcp_xr_init(&blocks, &ssrc, &p), 0);
    assert_int_equal(rtcp_xr_next(&blocks, &block), E_BAD);
}

static void torn_sdes_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "81ca0002 11111111 01056162", /* item longer than the chunk */
        "81ca0001 11111111",          /* no end of list */
        "81ca0002 11111111 01026162", /* the same behind an item */
    };
    for (size_t i = 0; i < 3; i++) {
        uint8_t data[32];
        struct rtcp_packet p = only_hex(data, sizeof(data), rows[i]);
        struct rd chunks = rd_init(p.body, p.len);
        struct rtcp_cname cname;
        assert_int_equal(rtcp_sdes_next(&chunks, &cname), E_BAD);
    }
    /* two chunks, the first without a CNAME */
    uint8_t data[64];
    struct rtcp_packet p = only_hex(
        data, sizeof(data), "82ca0006 11111111 02017a00 22222222 0103616263 000000 00000000");
    struct rd chunks = rd_init(p.body, p.len);
    struct rtcp_cname cname;
    assert_int_equal(rtcp_sdes_next(&chunks, &cname), 1);
    assert_null(cname.text);
    assert_int_equal(rtcp_sdes_next(&chunks, &cname), 1);
    assert_int_equal(cname.ssrc, 0x22222222);
    assert_int_equal(cname.len, 3);
}

static void reports_round_trip(void **state)
{
    (void)state;
    struct rtcp_report in[3] = {
        {.ssrc = 1, .fraction_lost = 3, .lost = -5, .highest_seq = 77, .jitter = 8, .lsr = 9},
        {.ssrc = 2, .lost = 0x7fffffff, .dlsr = 12},
        {.ssrc = 3, .lost = -0x7fffffff}};
    uint8_t data[200];
    struct wr w = wr_init(data, sizeof(data));
    rtcp_write_rr(&w, 42, in, 3);
    struct rtcp_packet p = only(data, wr_len(&w));
    uint32_t ssrc;
    struct rtcp_report out;
    assert_int_equal(rtcp_parse_rr(&ssrc, &p), 0);
    assert_int_equal(ssrc, 42);
    assert_int_equal(rtcp_report_at(&out, &p, 0), 0);
    assert_memory_equal(&out, &in[0], sizeof(out));
    assert_int_equal(rtcp_report_at(&out, &p, 1), 0);
    assert_int_equal(out.lost, 0x7fffff);
    assert_int_equal(rtcp_report_at(&out, &p, 2), 0);
    assert_int_equal(out.lost, -0x800000);

    struct rtcp_sr sr = {.ssrc = 7, .ntp = 0x123456789abcdef0, .rtp = 4, .packets = 5, .octets = 6};
    struct rtcp_sr back;
    w = wr_init(data, sizeof(data));
    rtcp_write_sr(&w, &sr, in, 1);
    p = only(data, wr_len(&w));
    assert_int_equal(rtcp_parse_sr(&back, &p), 0);
    assert_int_equal(back.ssrc, 7);
    assert_true(back.ntp == sr.ntp);
    assert_int_equal(back.rtp, 4);
    assert_int_equal(back.packets, 5);
    assert_int_equal(back.octets, 6);
    assert_int_equal(rtcp_report_at(&out, &p, 0), 0);
    assert_int_equal(out.lost, -5);
}

static void cname_and_bye_round_trip(void **state)
{
    (void)state;
    static const char text[] = "abcdefghijklmnopqrstuvwxyz";
    for (uint8_t len = 0; len <= 26; len++) {
        uint8_t data[128];
        struct wr w = wr_init(data, sizeof(data));
        rtcp_write_cname(&w, 9, text, len);
        static const uint32_t ssrcs[] = {0x11111111, 0xffffffff};
        rtcp_write_bye(&w, ssrcs, 2, text, len);
        assert_false(w.bad);
        struct rd r = rd_init(data, wr_len(&w));
        struct rtcp_packet p;
        assert_int_equal(rtcp_next(&r, &p), 1);
        struct rd chunks = rd_init(p.body, p.len);
        struct rtcp_cname cname;
        assert_int_equal(rtcp_sdes_next(&chunks, &cname), 1);
        assert_int_equal(cname.len, len);
        assert_memory_equal(cname.text, text, len);
        assert_int_equal(rtcp_sdes_next(&chunks, &cname), 0);
        assert_int_equal(rtcp_next(&r, &p), 1);
        struct rtcp_bye bye;
        assert_int_equal(rtcp_parse_bye(&bye, &p), 0);
        assert_int_equal(bye.count, 2);
        assert_true(rtcp_bye_ssrc(&bye, 1) == 0xffffffff);
        assert_int_equal(rtcp_bye_ssrc(&bye, 2), 0);
        assert_int_equal(bye.reason_len, len);
        assert_int_equal(bye.reason != NULL, len > 0);
        assert_int_equal(rtcp_next(&r, &p), 0);
    }
}

static void nack_lists_what_is_lost(void **state)
{
    (void)state;
    uint8_t data[64];
    struct rtcp_nack_iter it;
    uint16_t seq;
    /* PID 65534 with bits 0, 1 and 15: 65534, 65535, 0, 14 */
    struct rtcp_packet p = only_hex(data, sizeof(data), "81cd0003 00000001 00000002 fffe8003");
    static const uint16_t want[] = {65534, 65535, 0, 14};
    assert_int_equal(rtcp_nack_init(&it, &p), 0);
    for (unsigned i = 0; i < 4; i++) {
        assert_true(rtcp_nack_next(&it, &seq));
        assert_int_equal(seq, want[i]);
    }
    assert_false(rtcp_nack_next(&it, &seq));
    assert_false(rtcp_nack_next(&it, &seq));
}

static void nack_round_trip(void **state)
{
    (void)state;
    struct rng_seeded seeded;
    rng_seed(&seeded, 21);
    struct rng rng = rng_from_seeded(&seeded);
    for (unsigned round = 0; round < 300; round++) {
        uint16_t seqs[100];
        size_t count = 1 + rng_below(&rng, 100);
        uint16_t at = (uint16_t)rng_u32(&rng);
        for (size_t i = 0; i < count; i++) {
            at = (uint16_t)(at + 1 + rng_below(&rng, round % 3 == 0 ? 40 : 3));
            seqs[i] = at;
        }
        uint8_t data[500];
        struct wr w = wr_init(data, sizeof(data));
        rtcp_write_nack(&w, 1, 2, seqs, count);
        assert_false(w.bad);
        struct rtcp_packet p = only(data, wr_len(&w));
        struct rtcp_nack_iter it;
        uint16_t seq;
        assert_int_equal(rtcp_nack_init(&it, &p), 0);
        for (size_t i = 0; i < count; i++) {
            assert_true(rtcp_nack_next(&it, &seq));
            assert_int_equal(seq, seqs[i]);
        }
        assert_false(rtcp_nack_next(&it, &seq));
    }
    uint8_t data[8];
    struct wr w = wr_init(data, sizeof(data));
    rtcp_write_nack(&w, 1, 2, NULL, 0);
    assert_int_equal(wr_len(&w), 0);
}

static void key_frame_requests_round_trip(void **state)
{
    (void)state;
    uint8_t data[64];
    struct wr w = wr_init(data, sizeof(data));
    rtcp_write_pli(&w, 3, 4);
    static const uint8_t pli[] = {0x81, 206, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4};
    assert_int_equal(wr_len(&w), sizeof(pli));
    assert_memory_equal(data, pli, sizeof(pli));
    w = wr_init(data, sizeof(data));
    rtcp_write_fir(&w, 3, 0xabcdef01, 200);
    struct rtcp_packet p = only(data, wr_len(&w));
    uint32_t ssrc;
    uint8_t number;
    assert_int_equal(rtcp_fir_at(&ssrc, &number, &p, 0), 0);
    assert_true(ssrc == 0xabcdef01);
    assert_int_equal(number, 200);
    assert_int_equal(rtcp_fir_at(&ssrc, &number, &p, 1), E_NOTFOUND);
}

static void remb_keeps_18_bits(void **state)
{
    (void)state;
    static const uint64_t rates[] = {0, 1, 262143, 262144, 1000000, 2500000000ull, UINT64_MAX};
    static const uint32_t ssrcs[] = {5, 6};
    for (unsigned i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        uint8_t data[64];
        struct wr w = wr_init(data, sizeof(data));
        rtcp_write_remb(&w, 8, rates[i], ssrcs, 2);
        struct rtcp_packet p = only(data, wr_len(&w));
        struct rtcp_remb remb;
        assert_int_equal(rtcp_parse_remb(&remb, &p), 0);
        assert_int_equal(remb.sender, 8);
        assert_int_equal(remb.count, 2);
        assert_true(remb.bps <= rates[i]);
        assert_true(rates[i] - remb.bps <= rates[i] >> 17);
    }
    /* exponent 63: saturates instead of shifting out */
    uint8_t data[32];
    struct rtcp_packet p =
        only_hex(data, sizeof(data), "8fce0004 00000001 00000000 52454d42 00fc0002");
    struct rtcp_remb remb;
    assert_int_equal(rtcp_parse_remb(&remb, &p), 0);
    assert_true(remb.bps == UINT64_MAX);
    p = only_hex(data, sizeof(data), "8fce0004 00000001 00000000 52454d42 00fc0000");
    assert_int_equal(rtcp_parse_remb(&remb, &p), 0);
    assert_true(remb.bps == 0);
}

static void extended_reports_round_trip(void **state)
{
    (void)state;
    uint8_t data[128];
    struct wr w = wr_init(data, sizeof(data));
    static const struct rtcp_dlrr in[] = {{1, 2, 3}, {0xffffffff, 5, 6}};
    rtcp_write_xr_rrtr(&w, 77, 0xfedcba9876543210);
    rtcp_write_xr_dlrr(&w, 78, in, 2);
    struct rd r = rd_init(data, wr_len(&w));
    struct rtcp_packet p;
    struct rd blocks;
    struct rtcp_xr_block block;
    uint32_t ssrc;
    uint64_t ntp;
    struct rtcp_dlrr out;
    assert_int_equal(rtcp_next(&r, &p), 1);
    assert_int_equal(rtcp_xr_init(&blocks, &ssrc, &p), 0);
    assert_int_equal(ssrc, 77);
    assert_int_equal(rtcp_xr_next(&blocks, &block), 1);
    assert_int_equal(rtcp_xr_rrtr(&ntp, &block), 0);
    assert_true(ntp == 0xfedcba9876543210);
    assert_int_equal(rtcp_xr_dlrr_at(&out, &block, 0), E_BAD);
    assert_int_equal(rtcp_xr_next(&blocks, &block), 0);
    assert_int_equal(rtcp_next(&r, &p), 1);
    assert_int_equal(rtcp_xr_init(&blocks, &ssrc, &p), 0);
    assert_int_equal(rtcp_xr_next(&blocks, &block), 1);
    assert_int_equal(rtcp_xr_rrtr(&ntp, &block), E_BAD);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(rtcp_xr_dlrr_at(&out, &block, i), 0);
        assert_memory_equal(&out, &in[i], sizeof(out));
    }
    assert_int_equal(rtcp_xr_dlrr_at(&out, &block, 2), E_NOTFOUND);
}

static void full_writers_stay_inside(void **state)
{
    (void)state;
    static const uint16_t seqs[] = {1, 50, 100};
    for (size_t cap = 0; cap < 24; cap++) {
        uint8_t data[32];
        memset(data, 0xee, sizeof(data));
        struct wr w = wr_init(data, cap);
        rtcp_write_nack(&w, 1, 2, seqs, 3);
        assert_true(w.bad);
        for (size_t i = cap; i < sizeof(data); i++) {
            assert_int_equal(data[i], 0xee);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_browser_compound_is_walked),
        UNIT(malformed_compounds_are_refused),
        UNIT(short_bodies_are_refused),
        UNIT(torn_sdes_is_refused),
        UNIT(reports_round_trip),
        UNIT(cname_and_bye_round_trip),
        UNIT(nack_lists_what_is_lost),
        UNIT(nack_round_trip),
        UNIT(key_frame_requests_round_trip),
        UNIT(remb_keeps_18_bits),
        UNIT(extended_reports_round_trip),
        UNIT(full_writers_stay_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
