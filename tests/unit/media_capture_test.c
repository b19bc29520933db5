/*
 * Packets that Chromium 156 and Firefox 153 sent (tests/unit/data/payload): one line per packet:
 * marker, timestamp, sequence number, extensions as id=hex, payload (the longer ones cut).
 */
#include "tests/unit/support.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/media/av1_dd.h"
#include "codec/media/registry.h"
#include "codec/media/rewrite.h"
#include "codec/wire/rtp_seq.h"
#include "tests/unit/bytes.h"

struct line {
    struct pkt_desc desc;
    uint8_t payload[1400];
    size_t len;
    uint8_t dd[256];
    size_t dd_len;
    uint16_t seq;
};

static struct line lines[320];

static void read_line(struct line *l, char *row, const char *dd_id)
{
    char *save = NULL;
    l->desc.marker = strtok_r(row, " ", &save)[0] == '1';
    l->desc.timestamp = (uint32_t)strtoul(strtok_r(NULL, " ", &save), NULL, 10);
    l->seq = (uint16_t)strtoul(strtok_r(NULL, " ", &save), NULL, 10);
    char *ext = strtok_r(NULL, " ", &save);
    l->len = bytes_hex(l->payload, sizeof(l->payload), strtok_r(NULL, " ", &save));
    l->dd_len = 0;
    char *inner = NULL;
    for (char *e = strtok_r(ext, ",", &inner); e; e = strtok_r(NULL, ",", &inner)) {
        size_t n = strlen(dd_id);
        if (strncmp(e, dd_id, n) == 0 && e[n] == '=') {
            l->dd_len = bytes_hex(l->dd, sizeof(l->dd), e + n + 1);
        }
    }
}

/* Packets of a capture, in order of sequence number. */
static size_t load(const char *name)
{
    static char text[200000];
    char path[100];
    (void)snprintf(path, sizeof(path), "tests/unit/data/payload/%s.txt", name);
    (void)bytes_file(text, sizeof(text), path);
    char *save = NULL;
    char *row = strtok_r(text, "\n", &save);
    char dd_id[8];
    (void)snprintf(dd_id, sizeof(dd_id), "%s", row + 3);
    size_t count = 0;
    memset(lines, 0, sizeof(lines));
    while ((row = strtok_r(NULL, "\n", &save)) && count < 320) {
        read_line(&lines[count++], row, dd_id);
    }
    assert_true(count > 10);
    return count;
}

static void describe_all(enum codec_id id, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct line *l = &lines[i];
        assert_int_equal(codec_describe(id, l->payload, l->len, &l->desc), 0);
    }
}

/* In a capture without loss a frame starts exactly behind a marker. */
static void check_frames(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i && lines[i].seq == (uint16_t)(lines[i - 1].seq + 1)) {
            assert_int_equal(lines[i].desc.start_of_frame, lines[i - 1].desc.marker);
        }
    }
    assert_true(lines[0].desc.keyframe);
}

static void vp8_of_chromium(void **state)
{
    (void)state;
    size_t count = load("chromium_vp8_l1t3");
    describe_all(CODEC_VP8, count);
    check_frames(count);
    assert_int_equal(lines[0].desc.width, 160);
    assert_int_equal(lines[0].desc.height, 90);
    unsigned seen = 0;
    for (size_t i = 0; i < count; i++) {
        const struct pkt_desc *d = &lines[i].desc;
        seen |= 1u << d->temporal;
        assert_int_equal(d->picture_id_bits, 15);
        assert_true(d->has_tl0);
        if (i && d->start_of_frame) {
            assert_int_equal(d->picture_id, (lines[i - 1].desc.picture_id + 1) & 0x7fff);
            assert_int_equal(d->tl0picidx,
                             (uint8_t)(lines[i - 1].desc.tl0picidx + (d->temporal == 0)));
        }
    }
    assert_int_equal(seen, 7);
    count = load("chromium_vp8_l1t1");
    describe_all(CODEC_VP8, count);
    check_frames(count);
}

static void vp8_of_firefox(void **state)
{
    (void)state;
    size_t count = load("firefox_vp8");
    describe_all(CODEC_VP8, count);
    check_frames(count);
    assert_int_equal(lines[0].desc.width, 160);
}

static void vp9_of_both(void **state)
{
    (void)state;
    size_t count = load("firefox_vp9");
    describe_all(CODEC_VP9, count);
    check_frames(count);
    count = load("chromium_vp9_l1t3");
    describe_all(CODEC_VP9, count);
    check_frames(count);
    unsigned temporal = 0;
    for (size_t i = 0; i < count; i++) {
        temporal |= 1u << lines[i].desc.temporal;
    }
    assert_int_equal(temporal, 7);
}

static void vp9_svc_of_chromium(void **state)
{
    (void)state;
    size_t count = load("chromium_vp9_l3t3key");
    describe_all(CODEC_VP9, count);
    assert_true(lines[0].desc.keyframe);
    assert_true(lines[0].desc.width > 0);
    unsigned spatial = 0;
    unsigned keys = 0;
    unsigned entries = 0;
    for (size_t i = 0; i < count; i++) {
        const struct pkt_desc *d = &lines[i].desc;
        spatial |= 1u << d->spatial;
        keys += d->keyframe;
        entries += d->independent && d->start_of_frame && d->spatial > 0;
        if (i && d->start_of_frame) {
            assert_true(lines[i - 1].desc.end_of_frame);
        }
        assert_true(!d->marker || d->end_of_frame);
        assert_true(!d->keyframe || d->spatial == 0);
    }
    assert_int_equal(spatial, 3); /* the sender's rate allowed two layers */
    assert_true(keys >= 1);
    assert_true(entries >= 1); /* the upper layer of the key picture */
}

static void h264_of_chromium(void **state)
{
    (void)state;
    size_t count = load("chromium_h264");
    describe_all(CODEC_H264, count);
    assert_true(lines[0].desc.keyframe && lines[0].desc.start_of_frame);
    assert_int_equal(lines[0].desc.width, 160);
    assert_int_equal(lines[0].desc.height, 90);
    for (size_t i = 1; i < count; i++) {
        assert_true(lines[i - 1].desc.marker == 0 || lines[i].desc.start_of_frame);
    }
}

static void sound_of_chromium(void **state)
{
    (void)state;
    size_t count = load("chromium_opus");
    describe_all(CODEC_OPUS, count);
    for (size_t i = 0; i < count; i++) {
        assert_true(lines[i].desc.start_of_frame && lines[i].desc.end_of_frame);
    }
}

/* ---- AV1 ------------------------------------------------------------------------------------ */

static void av1_payloads(void **state)
{
    (void)state;
    static const char *const names[] = {"firefox_av1", "chromium_av1_l1t3"};
    for (unsigned k = 0; k < 2; k++) {
        size_t count = load(names[k]);
        describe_all(CODEC_AV1, count);
        check_frames(count);
    }
}

static void av1_dependency_descriptors(void **state)
{
    (void)state;
    static struct av1_dd_structure s;
    struct av1_dd dd;
    size_t count = load("chromium_av1_l1t3");
    memset(&s, 0, sizeof(s));
    assert_int_equal(av1_dd_parse(&dd, &s, lines[1].dd, lines[1].dd_len), E_STATE);
    for (size_t i = 0; i < count; i++) {
        struct pkt_desc d = lines[i].desc;
        assert_int_equal(av1_dd_parse(&dd, &s, lines[i].dd, lines[i].dd_len), 0);
        av1_dd_describe(&d, &dd, &s);
        assert_int_equal(d.end_of_frame, d.marker);
        assert_int_equal(d.keyframe, i == 0);
        assert_int_equal(d.picture_id_bits, 16);
        assert_int_equal(dd.deps.fdiffs > 0, i > 0);
    }
    assert_int_equal(s.temporal_layers, 3);
    assert_int_equal(s.spatial_layers, 1);
    assert_int_equal(s.targets, 3);
    assert_int_equal(s.chains, 1);
    assert_int_equal(s.width[0], 160);
    assert_int_equal(s.height[0], 90);
}

static void av1_svc_descriptors(void **state)
{
    (void)state;
    static struct av1_dd_structure s;
    struct av1_dd dd;
    size_t count = load("chromium_av1_l3t3key");
    memset(&s, 0, sizeof(s));
    unsigned spatial = 0;
    unsigned temporal = 0;
    unsigned switches = 0;
    uint16_t last = 0;
    for (size_t i = 0; i < count; i++) {
        struct pkt_desc d = lines[i].desc;
        assert_int_equal(av1_dd_parse(&dd, &s, lines[i].dd, lines[i].dd_len), 0);
        av1_dd_describe(&d, &dd, &s);
        if (i) {
            assert_int_equal(d.picture_id, (uint16_t)(last + (d.start_of_frame ? 1 : 0)));
        }
        last = d.picture_id;
        spatial |= 1u << d.spatial;
        temporal |= 1u << d.temporal;
        switches += d.layer_sync;
        assert_int_equal(d.width, s.width[d.spatial]);
    }
    assert_int_equal(spatial, 3); /* the sender's rate allowed two of them */
    assert_int_equal(temporal, 7);
    assert_int_equal(s.spatial_layers, 3);
    assert_int_equal(s.targets, 9);
    assert_int_equal(s.width[2], 1280);
    assert_int_equal(s.height[0], 180);
    assert_true(switches > 3);
    for (unsigned i = 0; i < s.targets; i++) {
        assert_true(s.target_spatial[i] < 3 && s.target_temporal[i] < 3);
    }
}

/* With the descriptor negotiated Chromium leaves picture id and layers out of VP8's own. */
static void vp8_with_a_dependency_descriptor(void **state)
{
    (void)state;
    static struct av1_dd_structure s;
    size_t count = load("chromium_vp8_l1t3_dd");
    memset(&s, 0, sizeof(s));
    unsigned temporal = 0;
    describe_all(CODEC_VP8, count);
    for (size_t i = 0; i < count; i++) {
        struct av1_dd dd;
        struct pkt_desc d = lines[i].desc;
        assert_int_equal(d.picture_id_bits, 0);
        assert_int_equal(av1_dd_parse(&dd, &s, lines[i].dd, lines[i].dd_len), 0);
        av1_dd_describe(&d, &dd, &s);
        assert_int_equal(d.start_of_frame, lines[i].desc.start_of_frame);
        assert_int_equal(d.keyframe, lines[i].desc.keyframe);
        temporal |= 1u << d.temporal;
    }
    assert_int_equal(temporal, 7);
}

/* ---- continuity over a real stream ------------------------------------------------------------
 */

/* Layer 2 dropped, then the same source again as if it were another: what goes out has no hole. */
static void vp8_without_a_layer_has_no_holes(void **state)
{
    (void)state;
    size_t count = load("chromium_vp8_l1t3");
    describe_all(CODEC_VP8, count);
    struct codec_rewrite rw;
    codec_rewrite_init(&rw);
    int32_t last = -1;
    uint8_t last_tl0 = 0;
    for (unsigned round = 0; round < 3; round++) {
        codec_rewrite_switch(&rw);
        for (size_t i = 0; i < count; i++) {
            const struct line *l = &lines[i];
            if (l->desc.temporal == 2) {
                codec_rewrite_drop(&rw, &l->desc);
                continue;
            }
            struct codec_edit edit;
            uint8_t copy[1500];
            size_t replaced;
            assert_int_equal(codec_rewrite_edit(&rw, &l->desc, &edit), 0);
            size_t n = codec_apply(CODEC_VP8, &edit, &l->desc, l->payload, l->len, copy, &replaced);
            assert_true(n <= CODEC_PREFIX_MAX && replaced <= l->len);
            memcpy(copy + n, l->payload + replaced, l->len - replaced);
            struct pkt_desc d = {.marker = l->desc.marker};
            assert_int_equal(codec_describe(CODEC_VP8, copy, n + l->len - replaced, &d), 0);
            assert_int_equal(d.temporal, l->desc.temporal);
            assert_int_equal(d.keyframe, l->desc.keyframe);
            if (last >= 0) {
                assert_int_equal(d.picture_id, (last + (d.start_of_frame ? 1 : 0)) & 0x7fff);
                bool next = d.start_of_frame && d.temporal == 0;
                assert_int_equal(d.tl0picidx, (uint8_t)(last_tl0 + (next ? 1 : 0)));
            }
            last = d.picture_id;
            last_tl0 = d.tl0picidx;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(vp8_of_chromium),
        UNIT(vp8_of_firefox),
        UNIT(vp9_of_both),
        UNIT(vp9_svc_of_chromium),
        UNIT(h264_of_chromium),
        UNIT(sound_of_chromium),
        UNIT(av1_payloads),
        UNIT(av1_dependency_descriptors),
        UNIT(av1_svc_descriptors),
        UNIT(vp8_with_a_dependency_descriptor),
        UNIT(vp8_without_a_layer_has_no_holes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
