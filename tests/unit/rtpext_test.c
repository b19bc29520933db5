#include "tests/unit/support.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/rng.h"
#include "codec/wire/rtpext.h"
#include "tests/unit/bytes.h"

/* A packet with the given extension block (hex: profile, length, elements). */
static size_t packet_with(uint8_t *data, size_t cap, const char *block, struct rtp_header *h)
{
    size_t len = bytes_hex(data, cap, "90600001 00000000 00000001");
    len += bytes_hex(data + len, cap - len, block);
    assert_int_equal(rtp_parse(h, data, len), 0);
    return len;
}

static const struct desc_exts chromium = {.id = {[RTPEXT_MID] = 4,
                                                 [RTPEXT_RID] = 10,
                                                 [RTPEXT_AUDIO_LEVEL] = 1,
                                                 [RTPEXT_ABS_SEND_TIME] = 2,
                                                 [RTPEXT_TRANSPORT_CC] = 3,
                                                 [RTPEXT_DEPENDENCY_DESCRIPTOR] = 12}};

static void one_byte_elements(void **state)
{
    (void)state;
    uint8_t data[128];
    struct rtp_header h;
    struct rtpext_set set;
    /* level 0x85, ast 3 bytes, tcc, padding, mid "11", rid "h", unknown id 9 */
    (void)packet_with(data, sizeof(data),
                      "bede0006 1085 22123456 31beef 00 413131 a068 90ff 0000 0000000000", &h);
    assert_int_equal(rtpext_find(&set, &h, data, &chromium), 0);
    bool voice = false;
    assert_int_equal(rtpext_audio_level(&set, data, &voice), 5);
    assert_true(voice);
    assert_int_equal(rtpext_audio_level(&set, data, NULL), 5);
    assert_int_equal(rtpext_transport_cc(&set, data), 0xbeef);
    assert_int_equal(rtpext_abs_send_time(&set, data), 0x123456);
    char text[RTPEXT_MID_MAX + 1];
    assert_int_equal(rtpext_text(&set, data, RTPEXT_MID, text, sizeof(text)), 2);
    assert_string_equal(text, "11");
    assert_int_equal(rtpext_text(&set, data, RTPEXT_RID, text, sizeof(text)), 1);
    assert_string_equal(text, "h");
    assert_int_equal(rtpext_text(&set, data, RTPEXT_MID, text, 2), 0); /* does not fit */
    assert_string_equal(text, "");
    assert_false(rtpext_has(&set, RTPEXT_DEPENDENCY_DESCRIPTOR));
}

static void absent_values_say_so(void **state)
{
    (void)state;
    uint8_t data[64];
    struct rtp_header h;
    struct rtpext_set set;
    size_t len = bytes_hex(data, sizeof(data), "80600001 00000000 00000001");
    assert_int_equal(rtp_parse(&h, data, len), 0);
    assert_int_equal(rtpext_find(&set, &h, data, &chromium), 0);
    char text[8];
    assert_int_equal(rtpext_audio_level(&set, data, NULL), 255);
    assert_int_equal(rtpext_transport_cc(&set, data), -1);
    assert_int_equal(rtpext_abs_send_time(&set, data), -1);
    assert_int_equal(rtpext_text(&set, data, RTPEXT_MID, text, sizeof(text)), 0);
    /* values of the wrong size */
    (void)packet_with(data, sizeof(data), "bede0002 30be 20aa 00000000", &h);
    assert_int_equal(rtpext_find(&set, &h, data, &chromium), 0);
    assert_int_equal(rtpext_transport_cc(&set, data), -1);
    assert_int_equal(rtpext_abs_send_time(&set, data), -1);
    /* a MID that is no token */
    (void)packet_with(data, sizeof(data), "bede0001 41312000", &h);
    assert_int_equal(rtpext_find(&set, &h, data, &chromium), 0);
    assert_int_equal(rtpext_text(&set, data, RTPEXT_MID, text, sizeof(text)), 0);
}

static void ids_of_any_size(void **state)
{
    (void)state;
    static const struct desc_exts high = {.id = {[RTPEXT_MID] = 200,
                                                 [RTPEXT_AUDIO_LEVEL] = 15,
                                                 [RTPEXT_TRANSPORT_CC] = 16,
                                                 [RTPEXT_ABS_SEND_TIME] = 15}};
    uint8_t data[128];
    uint8_t want[128];
    struct rtp_header h;
    struct rtpext_set set;
    const char *block = "10000005 c80131 10022a2b 0f0185 ff0100 0f0107 0000000000";
    size_t len = packet_with(data, sizeof(data), block, &h);
    assert_int_equal(rtpext_find(&set, &h, data, &high), 0);
    assert_int_equal(set.field[RTPEXT_MID].len, 1);
    assert_int_equal(rtpext_transport_cc(&set, data), 0x2a2b);
    assert_int_equal(rtpext_audio_level(&set, data, NULL), 5); /* the first of a repeated id */
    assert_false(rtpext_has(&set, RTPEXT_ABS_SEND_TIME));      /* its id means the kind before */
    /* Each by the number of its kind, nothing else touched. */
    rtpext_rename(data, &h, &high, 14);
    assert_int_equal(packet_with(want, sizeof(want),
                                 "10000005 010131 05022a2b 040185 0e0100 040107 0000000000", &h),
                     len);
    assert_memory_equal(data, want, len);
    (void)packet_with(data, sizeof(data), "bede0003 1085 22123456 31beef 90ff 0000", &h);
    rtpext_rename(data, &h, &chromium, 14);
    len = packet_with(want, sizeof(want), "bede0003 4085 62123456 51beef e0ff 0000", &h);
    assert_memory_equal(data, want, len);
}

static void two_byte_elements(void **state)
{
    (void)state;
    uint8_t data[128];
    struct rtp_header h;
    struct rtpext_set set;
    /* profile 0x1003: application bits; id 12 with 18 bytes, id 4 empty, id 3 */
    (void)packet_with(data, sizeof(data),
                      "10030007 0c12 c00001000102030405060708090a0b0c0d0e 0400 03020007 0000", &h);
    assert_int_equal(rtpext_find(&set, &h, data, &chromium), 0);
    assert_int_equal(set.field[RTPEXT_DEPENDENCY_DESCRIPTOR].len, 18);
    assert_int_equal(rtpext_transport_cc(&set, data), 7);
    char text[8];
    assert_int_equal(rtpext_text(&set, data, RTPEXT_MID, text, sizeof(text)), 0);
    assert_true(rtpext_has(&set, RTPEXT_MID));
}

static void ends_and_torn_elements(void **state)
{
    (void)state;
    uint8_t data[64];
    struct rtp_header h;
    struct rtpext_set set;
    (void)packet_with(data, sizeof(data), "bede0002 f0 1085 31beef 0000", &h); /* 15 ends */
    assert_int_equal(rtpext_find(&set, &h, data, &chromium), 0);
    assert_false(rtpext_has(&set, RTPEXT_TRANSPORT_CC));
    (void)packet_with(data, sizeof(data), "bede0002 05 1085 31beef 0000", &h); /* 0 with a length */
    assert_int_equal(rtpext_find(&set, &h, data, &chromium), 0);
    assert_false(rtpext_has(&set, RTPEXT_TRANSPORT_CC));
    (void)packet_with(data, sizeof(data), "bede0001 0000 00 31", &h);
    assert_int_equal(rtpext_find(&set, &h, data, &chromium), E_BAD);
    (void)packet_with(data, sizeof(data), "10000001 0000 00 31", &h);
    assert_int_equal(rtpext_find(&set, &h, data, &chromium), E_BAD);
    (void)packet_with(data, sizeof(data), "10000001 0000 3102", &h);
    assert_int_equal(rtpext_find(&set, &h, data, &chromium), E_BAD);
    (void)packet_with(data, sizeof(data), "abcd0001 31beef00", &h); /* foreign profile */
    assert_int_equal(rtpext_find(&set, &h, data, &chromium), 0);
    assert_false(rtpext_has(&set, RTPEXT_TRANSPORT_CC));
    (void)packet_with(data, sizeof(data), "bede0002 310001 31beef 0000", &h); /* first counts */
    assert_int_equal(rtpext_find(&set, &h, data, &chromium), 0);
    assert_int_equal(rtpext_transport_cc(&set, data), 1);
}

static struct rtpext_values all_values(const uint8_t *raw)
{
    return (struct rtpext_values){.kinds = (1u << RTPEXT_COUNT) - 1,
                                  .mid = "17",
                                  .mid_len = 2,
                                  .rid = "m",
                                  .rid_len = 1,
                                  .repaired_rid = "lo",
                                  .repaired_rid_len = 2,
                                  .audio_level = 33,
                                  .voice = true,
                                  .transport_cc = 0xfffe,
                                  .abs_send_time = 0xabcdef,
                                  .abs_capture = raw,
                                  .abs_capture_len = 16,
                                  .playout_delay = raw,
                                  .orientation = 2,
                                  .dd = raw,
                                  .dd_len = 5};
}

/* Writes v with ids, parses the packet again and compares what was found. */
static void round_trip(const struct desc_exts *ids, const struct rtpext_values *v)
{
    uint8_t data[512];
    struct wr w = wr_init(data, sizeof(data));
    struct rtp_header in = {.pt = 96};
    struct rtpext_set at;
    rtp_write(&w, &in, NULL, true);
    int len = rtpext_write(&w, ids, v, &at);
    assert_true(len > 0 && len % 4 == 0 && len <= RTPEXT_BLOCK_MAX);
    struct rtp_header h;
    struct rtpext_set set;
    assert_int_equal(rtp_parse(&h, data, wr_len(&w)), 0);
    assert_int_equal(h.payload_len, 0);
    assert_int_equal(rtpext_find(&set, &h, data, ids), 0);
    for (unsigned kind = 1; kind < RTPEXT_COUNT; kind++) {
        bool want = ids->id[kind] && v->kinds >> kind & 1u;
        assert_int_equal(rtpext_has(&set, (enum rtpext_kind)kind), want);
        assert_int_equal(set.field[kind].at, want ? at.field[kind].at + 12 : 0);
        assert_int_equal(set.field[kind].len, at.field[kind].len);
    }
    char text[17];
    if (rtpext_has(&set, RTPEXT_MID)) {
        assert_int_equal(rtpext_text(&set, data, RTPEXT_MID, text, sizeof(text)), v->mid_len);
        assert_memory_equal(text, v->mid, v->mid_len);
    }
    if (rtpext_has(&set, RTPEXT_TRANSPORT_CC)) {
        assert_int_equal(rtpext_transport_cc(&set, data), v->transport_cc);
    }
    if (rtpext_has(&set, RTPEXT_ABS_SEND_TIME)) {
        assert_int_equal(rtpext_abs_send_time(&set, data), v->abs_send_time);
    }
    if (rtpext_has(&set, RTPEXT_AUDIO_LEVEL)) {
        bool voice;
        assert_int_equal(rtpext_audio_level(&set, data, &voice), v->audio_level);
        assert_int_equal(voice, v->voice);
    }
    if (rtpext_has(&set, RTPEXT_DEPENDENCY_DESCRIPTOR)) {
        assert_memory_equal(data + set.field[RTPEXT_DEPENDENCY_DESCRIPTOR].at, v->dd, v->dd_len);
    }
    /* Every shorter buffer is refused and never overrun. */
    for (int cap = 0; cap < len; cap++) {
        struct wr small = wr_init(data, (size_t)cap);
        assert_int_equal(rtpext_write(&small, ids, v, NULL), E_FULL);
    }
}

static void written_blocks_are_found_again(void **state)
{
    (void)state;
    uint8_t raw[200];
    struct rng_seeded seeded;
    rng_seed(&seeded, 5);
    struct rng rng = rng_from_seeded(&seeded);
    for (unsigned i = 0; i < 500; i++) {
        rng_fill(&rng, raw, sizeof(raw));
        struct rtpext_values v = all_values(raw);
        struct desc_exts ids = {{0}};
        bool big_ids = rng_below(&rng, 2);
        for (unsigned kind = 1; kind < RTPEXT_COUNT; kind++) {
            ids.id[kind] = (uint8_t)(rng_below(&rng, 4) ? kind + (big_ids ? 200 : 0) : 0);
        }
        ids.id[RTPEXT_TRANSPORT_CC] = 14;
        v.kinds = rng_u32(&rng) | 1u << RTPEXT_TRANSPORT_CC;
        v.dd_len = (uint8_t)(1 + rng_below(&rng, 40));
        round_trip(&ids, &v);
    }
}

static void forms_are_chosen_by_ids_and_sizes(void **state)
{
    (void)state;
    uint8_t raw[32] = {0};
    uint8_t out[RTPEXT_BLOCK_MAX];
    struct rtpext_values v = all_values(raw);
    struct desc_exts ids = {.id = {[RTPEXT_TRANSPORT_CC] = 14, [RTPEXT_MID] = 1}};
    struct wr w = wr_init(out, sizeof(out));
    assert_int_equal(rtpext_write(&w, &ids, &v, NULL), 12); /* 1+2 + 1+2 in two words */
    assert_int_equal(out[0], 0xbe);
    ids.id[RTPEXT_TRANSPORT_CC] = 15;
    w = wr_init(out, sizeof(out));
    assert_int_equal(rtpext_write(&w, &ids, &v, NULL), 12);
    assert_int_equal(out[0], 0x10);
    ids.id[RTPEXT_TRANSPORT_CC] = 3;
    ids.id[RTPEXT_DEPENDENCY_DESCRIPTOR] = 5;
    v.dd_len = 17;
    w = wr_init(out, sizeof(out));
    assert_true(rtpext_write(&w, &ids, &v, NULL) > 0);
    assert_int_equal(out[0], 0x10);
    v.kinds = 0;
    w = wr_init(out, sizeof(out));
    assert_int_equal(rtpext_write(&w, &ids, &v, NULL), 0);
    assert_int_equal(wr_len(&w), 0);
    v.kinds = 1u << RTPEXT_PLAYOUT_DELAY | 1u << RTPEXT_ABS_CAPTURE_TIME;
    v.playout_delay = NULL;
    v.abs_capture_len = 0;
    ids.id[RTPEXT_PLAYOUT_DELAY] = 6;
    ids.id[RTPEXT_ABS_CAPTURE_TIME] = 7;
    assert_int_equal(rtpext_write(&w, &ids, &v, NULL), 0); /* nothing given */
}

static void send_time_is_6_18_fixed_point(void **state)
{
    (void)state;
    assert_int_equal(rtpext_abs_send_time_of(0), 0);
    assert_int_equal(rtpext_abs_send_time_of(1000000), 1 << 18);
    assert_int_equal(rtpext_abs_send_time_of(500000), 1 << 17);
    assert_int_equal(rtpext_abs_send_time_of(63999999), 0xffffff);
    assert_int_equal(rtpext_abs_send_time_of(64000000), 0);
    assert_int_equal(rtpext_abs_send_time_of(7 * 64000000ll + 1000000), 1 << 18);
}

static void names_and_kinds_agree(void **state)
{
    (void)state;
    for (unsigned kind = 1; kind < RTPEXT_COUNT; kind++) {
        const char *uri = rtpext_uri((enum rtpext_kind)kind);
        assert_non_null(uri);
        assert_int_equal(rtpext_kind_of(uri, strlen(uri)), kind);
        assert_int_equal(rtpext_kind_of(uri, strlen(uri) - 1), RTPEXT_NONE);
    }
    assert_null(rtpext_uri(RTPEXT_NONE));
    assert_null(rtpext_uri(RTPEXT_COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(one_byte_elements),
        UNIT(absent_values_say_so),
        UNIT(ids_of_any_size),
        UNIT(two_byte_elements),
        UNIT(ends_and_torn_elements),
        UNIT(written_blocks_are_found_again),
        UNIT(forms_are_chosen_by_ids_and_sizes),
        UNIT(send_time_is_6_18_fixed_point),
        UNIT(names_and_kinds_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
