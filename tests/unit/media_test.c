#include "tests/unit/support.h"

#include <string.h>

#include "codec/base/bits.h"
#include "codec/base/err.h"
#include "codec/media/fmtp.h"
#include "codec/media/h264.h"
#include "codec/media/red.h"
#include "codec/media/registry.h"
#include "codec/media/vp8.h"
#include "codec/media/vp9.h"
#include "tests/unit/bytes.h"

static int describe_hex(enum codec_id id, struct pkt_desc *d, const char *hex)
{
    uint8_t data[256];
    size_t len = bytes_hex(data, sizeof(data), hex);
    memset(d, 0xee, sizeof(*d));
    d->marker = 0;
    return codec_describe(id, data, len, d);
}

static void registry_has_every_codec(void **state)
{
    (void)state;
    static const char *const names[CODEC_COUNT] = {NULL,  "OPUS", "Red", "vp8",
                                                   "vp9", "h264", "av1"};
    for (unsigned id = 1; id < CODEC_COUNT; id++) {
        const struct codec_ops *ops = registry_codec((enum codec_id)id);
        assert_non_null(ops);
        assert_int_equal(ops->sdp.id, id);
        assert_ptr_equal(registry_codec_named(names[id], strlen(names[id])), ops);
        assert_ptr_equal(registry_sdp_codec((enum codec_id)id), &ops->sdp);
        struct pkt_desc d = {0};
        uint8_t none = 0;
        assert_int_equal(codec_describe((enum codec_id)id, &none, 0, &d), E_BAD);
        assert_int_equal(d.codec, id);
    }
    assert_null(registry_codec(CODEC_NONE));
    assert_null(registry_codec(CODEC_COUNT));
    assert_null(registry_sdp_codec(CODEC_COUNT));
    assert_null(registry_codec_named("h265", 4));
    struct pkt_desc d = {0};
    assert_int_equal(codec_describe(CODEC_NONE, (const uint8_t *)"x", 1, &d), E_UNSUPPORTED);
}

static void parameters_are_found(void **state)
{
    (void)state;
    static const char fmtp[] = "minptime=10; UseInbandFec=1;x;profile-id=2;empty=";
    const char *v = NULL;
    size_t n = 0;
    assert_true(fmtp_find(fmtp, strlen(fmtp), "useinbandfec", &v, &n));
    assert_true(n == 1 && *v == '1');
    assert_true(fmtp_find(fmtp, strlen(fmtp), "minptime", &v, &n));
    assert_true(n == 2 && *v == '1');
    assert_true(fmtp_find(fmtp, strlen(fmtp), "empty", &v, &n) && n == 0);
    assert_false(fmtp_find(fmtp, strlen(fmtp), "ptime", &v, &n)); /* not the end of another */
    assert_false(fmtp_find(fmtp, strlen(fmtp), "x", &v, &n));
    assert_false(fmtp_find(fmtp, 0, "x", &v, &n));
    assert_int_equal(fmtp_score_equal(fmtp, strlen(fmtp), "profile-id", "2"), 1);
    assert_int_equal(fmtp_score_equal(fmtp, strlen(fmtp), "profile-id", "0"), -1);
    assert_int_equal(fmtp_score_equal(fmtp, strlen(fmtp), "absent", "0"), 1);
}

/* ---- VP8 ------------------------------------------------------------------------------------ */

static void vp8_descriptors(void **state)
{
    (void)state;
    uint8_t data[64];
    struct vp8_header h;
    /* X S, I L T K, picture id 0x1234 (15 bits), tl0 0x56, tid 2 Y keyidx 9, key frame 640x360 */
    size_t len = bytes_hex(data, sizeof(data), "90 f0 9234 56 a9 100200 9d012a 8002 6801 00");
    assert_int_equal(vp8_parse(&h, data, len), 0);
    assert_int_equal(h.len, 6);
    assert_int_equal(h.picture_id_bits, 15);
    assert_int_equal(h.picture_id, 0x1234);
    assert_int_equal(h.tl0picidx, 0x56);
    assert_int_equal(h.tid, 2);
    assert_true(h.layer_sync);
    assert_int_equal(h.keyidx, 9);
    assert_true(h.keyframe);
    assert_int_equal(h.width, 640);
    assert_int_equal(h.height, 360);
    for (size_t cut = 0; cut < 15; cut++) {
        uint8_t *exact = malloc(cut ? cut : 1);
        assert_non_null(exact);
        memcpy(exact, data, cut);
        /* from byte 7 on it is a torn key frame header */
        assert_int_equal(vp8_parse(&h, exact, cut), cut <= 15 ? E_BAD : 0);
        free(exact);
    }
    struct pkt_desc d;
    assert_int_equal(describe_hex(CODEC_VP8, &d, "10 01aa"), 0); /* bare inter frame start */
    assert_true(d.start_of_frame && !d.keyframe);
    assert_int_equal(d.picture_id_bits, 0);
    assert_int_equal(describe_hex(CODEC_VP8, &d, "20 00aa"), 0); /* N, not a start */
    assert_true(d.discardable && !d.start_of_frame);
    assert_int_equal(describe_hex(CODEC_VP8, &d, "11 00"), 0); /* S of partition 1 */
    assert_false(d.start_of_frame);
    assert_int_equal(describe_hex(CODEC_VP8, &d, "90 80 55 01"), 0); /* 7 bits */
    assert_int_equal(d.picture_id_bits, 7);
    assert_int_equal(d.picture_id, 0x55);
    assert_int_equal(describe_hex(CODEC_VP8, &d, "80 10 09 aa"), 0); /* K only */
    assert_int_equal(d.temporal, 0);
    assert_int_equal(describe_hex(CODEC_VP8, &d, "90 80 55"), E_BAD);
    assert_int_equal(describe_hex(CODEC_VP8, &d, "10 100200 9d012b 8002 6801"), E_BAD);
}

/* ---- VP9 ------------------------------------------------------------------------------------ */

static void vp9_descriptors(void **state)
{
    (void)state;
    uint8_t data[64];
    struct vp9_header h;
    /* non-flexible: I L B V, id 0x0102, tid 1 U sid 0, tl0 7, SS: 2 layers with sizes, G of 2 */
    size_t len =
        bytes_hex(data, sizeof(data), "aa 8102 30 07 38 0140 00b4 0280 0168 02 04 aa 28 bbcc ff");
    assert_int_equal(vp9_parse(&h, data, len), 0);
    assert_int_equal(h.picture_id, 0x102);
    assert_int_equal(h.tid, 1);
    assert_true(h.switch_up);
    assert_int_equal(h.tl0picidx, 7);
    assert_int_equal(h.spatial_layers, 2);
    assert_int_equal(h.width[1], 640);
    assert_int_equal(h.height[0], 180);
    assert_true(h.keyframe);
    assert_int_equal(h.len, len - 1);
    struct pkt_desc d;
    /* flexible: I P L F E, 7-bit id, tid 0 sid 1 D, two differences */
    assert_int_equal(describe_hex(CODEC_VP9, &d, "f4 21 03 03 08 ff"), 0);
    assert_int_equal(d.picture_id_bits, 7);
    assert_int_equal(d.spatial, 1);
    assert_true(d.inter_layer && d.end_of_frame && !d.start_of_frame && !d.independent);
    assert_int_equal(d.has_tl0, 0);
    assert_int_equal(describe_hex(CODEC_VP9, &d, "f4 21 03 03 05 07 ff"), E_BAD); /* four diffs */
    assert_int_equal(describe_hex(CODEC_VP9, &d, "8a 8102 38 0140"), E_BAD);      /* torn SS */
    assert_int_equal(describe_hex(CODEC_VP9, &d, "8a 8102 08 ff 0c"), E_BAD);     /* torn group */
    assert_int_equal(describe_hex(CODEC_VP9, &d, "80"), E_BAD);
    /* upper spatial layer of a key picture: entry point for the layer, no key frame by itself */
    assert_int_equal(describe_hex(CODEC_VP9, &d, "a8 01 03 07 ff"), 0);
    assert_true(d.start_of_frame && d.independent && !d.keyframe);
}

/* ---- H.264 ---------------------------------------------------------------------------------- */

static void h264_payloads(void **state)
{
    (void)state;
    struct pkt_desc d;
    assert_int_equal(describe_hex(CODEC_H264, &d, "65 88 00"), 0); /* IDR, first slice */
    assert_true(!d.keyframe && d.start_of_frame &&
                !d.discardable);                                   /* no parameters: no beginning */
    assert_int_equal(describe_hex(CODEC_H264, &d, "65 40 00"), 0); /* IDR, later slice */
    assert_false(d.keyframe || d.start_of_frame);
    assert_int_equal(describe_hex(CODEC_H264, &d, "01 9a"), 0); /* nobody refers to it */
    assert_true(d.discardable && d.start_of_frame && !d.keyframe);
    assert_int_equal(describe_hex(CODEC_H264, &d, "09 10"), 0);
    assert_true(d.start_of_frame);
    assert_int_equal(describe_hex(CODEC_H264, &d, "7c 85 88 01"), 0); /* FU-A start of IDR */
    assert_true(!d.keyframe && d.start_of_frame);
    assert_int_equal(describe_hex(CODEC_H264, &d, "7c 05 88 01"), 0); /* its middle */
    assert_false(d.keyframe || d.start_of_frame);
    /* STAP-A of SPS (baseline 3.1, 640x360) and PPS */
    assert_int_equal(describe_hex(CODEC_H264, &d, "78 0009 6742c01fda0280bfe5 0004 68ce3c80"), 0);
    assert_true(d.keyframe && d.start_of_frame);
    assert_int_equal(d.width, 640);
    assert_int_equal(d.height, 360);
    static const char *const bad[] = {"",           "80 01",         "60 01",      "65",
                                      "7c c5 88",   "7c 85",         "78",         "78 0000",
                                      "78 0009 67", "78 0001 67 00", "79 0000 01", "7f 00"};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (describe_hex(CODEC_H264, &d, bad[i]) != E_BAD) {
            fail_msg("%s", bad[i]);
        }
    }
}

static void h264_sizes(void **state)
{
    (void)state;
    uint8_t data[64];
    uint16_t w = 0;
    uint16_t h = 0;
    /* high profile, 1920x1080 cropped from 1088, as x264 writes it (with an escape byte). */
    size_t len =
        bytes_hex(data, sizeof(data), "640028acd940780227e5c05a808080a0000003002000000781e30632c0");
    assert_int_equal(h264_sps_size(data, len, &w, &h), 0);
    assert_int_equal(w, 1920);
    assert_int_equal(h, 1080);
    assert_int_equal(h264_sps_size(data, 3, &w, &h), E_BAD);
    /* 16384 x 16 macroblocks and more is refused */
    len = bytes_hex(data, sizeof(data), "42c01f ffffffffffffffff");
    (void)h264_sps_size(data, len, &w, &h);
    len = bytes_hex(data, sizeof(data), "42c01f 00000000000000");
    assert_int_equal(h264_sps_size(data, len, &w, &h), E_BAD);
}

/* ---- AV1 ------------------------------------------------------------------------------------ */

static void av1_aggregation(void **state)
{
    (void)state;
    struct pkt_desc d;
    /* N, W=2: sequence header of 2 bytes, frame OBU to the end */
    assert_int_equal(describe_hex(CODEC_AV1, &d, "28 02 0800 30aabb"), 0);
    assert_true(d.keyframe && d.start_of_frame);
    /* W=0: every element has a length; frame with an extension byte: temporal 2, spatial 1 */
    assert_int_equal(describe_hex(CODEC_AV1, &d, "00 03 344800"), 0);
    assert_true(d.start_of_frame && !d.keyframe);
    assert_int_equal(d.temporal, 2);
    assert_int_equal(d.spatial, 1);
    assert_int_equal(describe_hex(CODEC_AV1, &d, "90 aabbcc"), 0); /* Z: goes on */
    assert_false(d.start_of_frame);
    assert_int_equal(describe_hex(CODEC_AV1, &d, "10 20aa"), 0); /* tile group: not a start */
    assert_false(d.start_of_frame);
    static const char *const bad[] = {"",
                                      "10",
                                      "20 01",
                                      "00 05 3000",
                                      "98 30aa",
                                      "30 01 30",
                                      "10 b0aa",
                                      "10 34",
                                      "00 ffffffffffffffffff01",
                                      "00 ffffffffffffff7f 00"};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (describe_hex(CODEC_AV1, &d, bad[i]) != E_BAD) {
            fail_msg("%s", bad[i]);
        }
    }
}

/* ---- Opus and RED --------------------------------------------------------------------------- */

static void opus_payloads(void **state)
{
    (void)state;
    struct pkt_desc d;
    assert_int_equal(describe_hex(CODEC_OPUS, &d, "78aabb"), 0);
    assert_true(d.start_of_frame && d.end_of_frame && d.keyframe);
    assert_int_equal(describe_hex(CODEC_OPUS, &d, "78"), 0); /* silence */
    assert_int_equal(describe_hex(CODEC_OPUS, &d, "7b02aa"), 0);
    /* No Opus at all, but perhaps encrypted from end to end. */
    assert_int_equal(describe_hex(CODEC_OPUS, &d, "7b"), 0);
    assert_int_equal(describe_hex(CODEC_OPUS, &d, "7b00"), 0);
    assert_int_equal(describe_hex(CODEC_OPUS, &d, ""), E_BAD);
}

static void red_round_trip(void **state)
{
    (void)state;
    static const uint8_t audio[] = "0123456789";
    const struct red_block in[3] = {{.data = audio, .len = 4, .ts_offset = 1920, .pt = 111},
                                    {.data = audio + 4, .len = 1, .ts_offset = 960, .pt = 111},
                                    {.data = audio + 5, .len = 5, .pt = 111}};
    for (size_t first = 0; first < 3; first++) {
        uint8_t data[64];
        struct wr w = wr_init(data, sizeof(data));
        red_build(&w, in + first, 3 - first);
        assert_false(w.bad);
        struct red_block blocks[RED_BLOCKS_MAX];
        assert_int_equal(red_parse(blocks, data, wr_len(&w)), 3 - first);
        for (size_t i = 0; first + i < 3; i++) {
            assert_int_equal(blocks[i].len, in[first + i].len);
            assert_int_equal(blocks[i].ts_offset, in[first + i].ts_offset);
            assert_int_equal(blocks[i].pt, 111);
            assert_memory_equal(blocks[i].data, in[first + i].data, blocks[i].len);
        }
        uint8_t pt;
        int at = red_strip(data, wr_len(&w), &pt);
        assert_true(at > 0);
        assert_int_equal(pt, 111);
        assert_memory_equal(data + at, "56789", 5);
    }
    uint8_t data[8];
    const struct red_block old[2] = {{.data = audio, .len = 1, .ts_offset = 16384}, in[2]};
    struct wr w = wr_init(data, sizeof(data));
    red_build(&w, old, 2);
    assert_true(w.bad);
}

static void red_bounds(void **state)
{
    (void)state;
    struct pkt_desc d;
    assert_int_equal(describe_hex(CODEC_RED, &d, "6f aabb"), 0);
    assert_true(d.start_of_frame);
    assert_int_equal(describe_hex(CODEC_RED, &d, ""), E_BAD);
    assert_int_equal(describe_hex(CODEC_RED, &d, "ef0000"), E_BAD);
    assert_int_equal(describe_hex(CODEC_RED, &d, "ef000005 6f 01020304"), E_BAD);
    uint8_t many[64];
    memset(many, 0x80, sizeof(many));
    struct red_block blocks[RED_BLOCKS_MAX];
    assert_int_equal(red_parse(blocks, many, sizeof(many)), E_LIMIT);
}

/* ---- bits ----------------------------------------------------------------------------------- */

static void bits_are_bounded(void **state)
{
    (void)state;
    static const uint8_t data[] = {0xa5, 0x0f, 0x00, 0x00};
    struct bits b = bits_init(data, 2);
    assert_int_equal(bits_u(&b, 3), 5);
    assert_int_equal(bits_u(&b, 0), 0);
    assert_int_equal(bits_left(&b), 13);
    assert_int_equal(bits_u(&b, 13), 0x50f);
    assert_int_equal(bits_1(&b), 0);
    assert_true(b.bad);
    assert_int_equal(bits_left(&b), 0);
    /* ue: 1 -> 0, 010 -> 1, 011 -> 2, 00100 -> 3 */
    static const uint8_t ue[] = {0xa6, 0x40};
    b = bits_init(ue, 2);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(bits_ue(&b), i);
    }
    b = bits_init(ue, 2);
    static const int32_t se[] = {0, 1, -1, 2};
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(bits_se(&b), se[i]);
    }
    static const uint8_t zeros[8] = {0};
    b = bits_init(zeros, 8);
    assert_int_equal(bits_ue(&b), 0);
    assert_true(b.bad);
    /* ns(5): 0, 1, 2 in two bits, 3 and 4 in three */
    static const uint8_t ns[] = {0x1b, 0x80}; /* 00 01 10 111 -> 0 1 2 4 */
    b = bits_init(ns, 2);
    assert_int_equal(bits_ns(&b, 5), 0);
    assert_int_equal(bits_ns(&b, 5), 1);
    assert_int_equal(bits_ns(&b, 5), 2);
    assert_int_equal(bits_ns(&b, 5), 4);
}

/* ---- payloads that only their ends can read ----------------------------------------------------
 */

/* What stands behind what is packed in clear says nothing, whatever it is. */
static void sealed_payloads(void **state)
{
    (void)state;
    static const struct {
        enum codec_id codec;
        const char *clear; /* descriptor, and what is left in clear of the picture */
    } rows[] = {
        {CODEC_OPUS, ""},
        {CODEC_VP8, "90 e0 8123 56 40 11"},                     /* inter frame: its first byte */
        {CODEC_VP8, "90 e0 8123 56 40 100000 9d012a 80026801"}, /* key frame: 10 bytes */
        {CODEC_VP8, "80 e0 8123 56 40"},                        /* goes on */
        {CODEC_VP9, "ac 8102 10 07"},
        {CODEC_VP9, "ae 8102 00 07 10 0280 0168"},
        {CODEC_VP9, "f0 8102 32 02"},
        {CODEC_H264, "61 88"}, /* unit header, and whether the picture begins */
        {CODEC_H264, "7c 81 88"},
        {CODEC_H264, "7c 01"},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t data[96] = {0};
        size_t clear = bytes_hex(data, sizeof(data), rows[i].clear);
        size_t len = clear + 40;
        struct pkt_desc plain;
        memset(&plain, 0xee, sizeof(plain));
        plain.marker = 0;
        assert_int_equal(codec_describe(rows[i].codec, data, len, &plain), 0);
        for (size_t at = clear; at < len; at++) {
            for (unsigned value = 0; value < 256; value++) {
                struct pkt_desc d;
                memset(&d, 0xee, sizeof(d));
                d.marker = 0;
                data[at] = (uint8_t)value;
                assert_int_equal(codec_describe(rows[i].codec, data, len, &d), 0);
                assert_memory_equal(&d, &plain, sizeof(d));
            }
            data[at] = (uint8_t)(at * 89); /* the next bytes change behind others */
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(registry_has_every_codec),
        UNIT(parameters_are_found),
        UNIT(vp8_descriptors),
        UNIT(vp9_descriptors),
        UNIT(h264_payloads),
        UNIT(h264_sizes),
        UNIT(av1_aggregation),
        UNIT(opus_payloads),
        UNIT(red_round_trip),
        UNIT(red_bounds),
        UNIT(bits_are_bounded),
        UNIT(sealed_payloads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
