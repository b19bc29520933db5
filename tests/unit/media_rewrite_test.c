#include "tests/unit/support.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/rng.h"
#include "codec/media/av1_dd.h"
#include "codec/media/fields.h"
#include "codec/media/registry.h"
#include "codec/media/rewrite.h"
#include "tests/unit/bytes.h"

static struct pkt_desc vp8(uint16_t picture_id, uint8_t tl0, uint8_t tid)
{
    return (struct pkt_desc){.codec = CODEC_VP8,
                             .picture_id_bits = 15,
                             .picture_id = picture_id,
                             .has_tl0 = 1,
                             .tl0picidx = tl0,
                             .temporal = tid};
}

/* What the packet is sent with, edits applied to its own numbers. */
static int send(struct codec_rewrite *rw, struct pkt_desc d, uint16_t *id, uint8_t *tl0)
{
    struct codec_edit e;
    int err = codec_rewrite_edit(rw, &d, &e);
    *id = e.fields & CODEC_EDIT_PICTURE_ID ? e.picture_id : d.picture_id;
    *tl0 = e.fields & CODEC_EDIT_TL0PICIDX ? e.tl0picidx : d.tl0picidx;
    return err;
}

struct step {
    char act; /* s switch, f forward, d drop, x refused as left out, o as not known */
    uint16_t id;
    uint8_t tl0;
    uint8_t tid;
    uint16_t want_id;
    uint8_t want_tl0;
};

static void run(struct codec_rewrite *rw, const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct step *s = &steps[i];
        struct pkt_desc d = vp8(s->id, s->tl0, s->tid);
        uint16_t id;
        uint8_t tl0;
        if (s->act == 's') {
            codec_rewrite_switch(rw);
        } else if (s->act == 'd') {
            codec_rewrite_drop(rw, &d);
        } else {
            int err = send(rw, d, &id, &tl0);
            if (err != (s->act == 'x' ? E_NOTFOUND : s->act == 'o' ? E_RANGE : 0)) {
                fail_msg("step %zu: %d", i, err);
            }
            if (s->act == 'f' && (id != s->want_id || tl0 != s->want_tl0)) {
                fail_msg("step %zu: id %u tl0 %u", i, id, tl0);
            }
        }
    }
}

static void first_source_goes_out_as_it_is(void **state)
{
    (void)state;
    struct codec_rewrite rw;
    struct codec_edit e;
    codec_rewrite_init(&rw);
    struct pkt_desc d = vp8(32767, 255, 0);
    assert_int_equal(codec_rewrite_edit(&rw, &d, &e), 0);
    assert_int_equal(e.fields, 0); /* nothing to write */
    d = vp8(0, 0, 0);
    assert_int_equal(codec_rewrite_edit(&rw, &d, &e), 0);
    assert_int_equal(e.fields, 0);
}

static void switches_go_on_by_one(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {'f', 100, 7, 0, 100, 7},     {'f', 101, 7, 2, 101, 7},
        {'s', 0, 0, 0, 0, 0},         {'f', 32766, 250, 0, 102, 8}, /* another source */
        {'f', 32766, 250, 0, 102, 8},                            /* second packet of the picture */
        {'f', 32767, 251, 0, 103, 9}, {'f', 0, 252, 0, 104, 10}, /* it wraps, we do not */
        {'s', 0, 0, 0, 0, 0},         {'f', 5, 5, 0, 105, 11},
        {'o', 4, 4, 0, 0, 0}, /* from before the switch point of this source */
    };
    struct codec_rewrite rw;
    codec_rewrite_init(&rw);
    run(&rw, steps, sizeof(steps) / sizeof(steps[0]));
}

static void dropped_layers_leave_no_hole(void **state)
{
    (void)state;
    /* L1T3: 0 2 1 2, without layer 2. */
    static const struct step steps[] = {
        {'f', 10, 1, 0, 10, 1}, {'d', 11, 1, 2, 0, 0}, {'d', 11, 1, 2, 0, 0}, /* two packets */
        {'f', 12, 1, 1, 11, 1}, {'d', 13, 1, 2, 0, 0}, {'f', 14, 2, 0, 12, 2},
        {'x', 13, 1, 2, 0, 0},  /* a left-out picture does not come back */
        {'f', 12, 1, 1, 11, 1}, /* a late packet gets its picture's numbers */
        {'f', 15, 2, 2, 13, 2}, /* layer 2 again */
        {'f', 16, 2, 1, 14, 2},
    };
    struct codec_rewrite rw;
    codec_rewrite_init(&rw);
    run(&rw, steps, sizeof(steps) / sizeof(steps[0]));
}

static void lost_pictures_keep_their_place(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {'f', 10, 1, 0, 10, 1}, {'d', 11, 1, 2, 0, 0},  {'f', 13, 2, 0, 12, 2}, /* 12 is late */
        {'f', 12, 1, 1, 11, 1},                         /* here it comes, into its place */
        {'d', 14, 2, 2, 0, 0},  {'f', 60, 9, 0, 58, 9}, /* long gap: still one step per picture */
        {'o', 20, 3, 0, 0, 0},                          /* too old to know */
        {'f', 59, 9, 0, 57, 9},
    };
    struct codec_rewrite rw;
    codec_rewrite_init(&rw);
    run(&rw, steps, sizeof(steps) / sizeof(steps[0]));
}

static void drops_before_the_first_picture_do_nothing(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {'d', 9, 1, 2, 0, 0},  {'f', 10, 1, 0, 10, 1}, {'s', 0, 0, 0, 0, 0},
        {'d', 77, 1, 2, 0, 0}, {'f', 78, 3, 0, 11, 2},
    };
    struct codec_rewrite rw;
    codec_rewrite_init(&rw);
    run(&rw, steps, sizeof(steps) / sizeof(steps[0]));
}

/* VP9 refers to pictures by difference, AV1 by frame number: their holes stay, only the start
 * moves.
 */
static void other_codecs_only_shift(void **state)
{
    (void)state;
    static const enum codec_id codecs[] = {CODEC_VP9, CODEC_AV1};
    for (unsigned k = 0; k < 2; k++) {
        struct codec_rewrite rw;
        struct codec_edit e;
        codec_rewrite_init(&rw);
        struct pkt_desc d = {
            .codec = (uint8_t)codecs[k], .picture_id_bits = k ? 16 : 15, .picture_id = 500};
        assert_int_equal(codec_rewrite_edit(&rw, &d, &e), 0);
        d.picture_id = 501;
        codec_rewrite_drop(&rw, &d);
        assert_int_equal(codec_rewrite_edit(&rw, &d, &e), E_NOTFOUND);
        d.picture_id = 502;
        assert_int_equal(codec_rewrite_edit(&rw, &d, &e), 0);
        assert_int_equal(e.picture_id, 502);
        d.picture_id = 600; /* however late, the distance is the same */
        assert_int_equal(codec_rewrite_edit(&rw, &d, &e), 0);
        d.picture_id = 503;
        assert_int_equal(codec_rewrite_edit(&rw, &d, &e), 0);
        assert_int_equal(e.picture_id, 503);
        codec_rewrite_switch(&rw);
        d.picture_id = k ? 65535 : 32767;
        assert_int_equal(codec_rewrite_edit(&rw, &d, &e), 0);
        assert_int_equal(e.picture_id, 601);
    }
}

static void codecs_can_change_in_one_slot(void **state)
{
    (void)state;
    struct codec_rewrite rw;
    struct codec_edit e;
    codec_rewrite_init(&rw);
    struct pkt_desc d = vp8(40, 3, 0);
    assert_int_equal(codec_rewrite_edit(&rw, &d, &e), 0);
    struct pkt_desc h264 = {.codec = CODEC_H264};
    assert_int_equal(codec_rewrite_edit(&rw, &h264, &e), 0);
    assert_int_equal(e.fields, 0);
    codec_rewrite_drop(&rw, &h264);
    d = vp8(9000, 200, 0);
    d.codec = CODEC_VP9; /* without a word of codec_rewrite_switch */
    assert_int_equal(codec_rewrite_edit(&rw, &d, &e), 0);
    assert_int_equal(e.picture_id, 41);
    assert_int_equal(e.tl0picidx, 4);
}

static void seven_bits_become_fifteen(void **state)
{
    (void)state;
    struct codec_rewrite rw;
    codec_rewrite_init(&rw);
    for (unsigned i = 0; i < 300; i++) {
        uint8_t payload[8] = {0x90, 0xe0, (uint8_t)((120 + i) & 127), 9, 0x40, 0x01, 0xaa};
        struct pkt_desc d = {0};
        struct codec_edit e;
        uint8_t out[CODEC_PREFIX_MAX];
        size_t replaced;
        assert_int_equal(codec_describe(CODEC_VP8, payload, 7, &d), 0);
        assert_int_equal(codec_rewrite_edit(&rw, &d, &e), 0);
        size_t n = codec_apply(CODEC_VP8, &e, &d, payload, 7, out, &replaced);
        assert_int_equal(replaced, 3);
        assert_int_equal(n, 4);
        assert_int_equal(out[0], 0x90);
        assert_int_equal(out[1], 0xe0);
        assert_int_equal((out[2] << 8 | out[3]) & 0x7fff, (120 + i) & 0x7fff);
        assert_true(out[2] & 0x80);
    }
}

static void both_fields_are_written(void **state)
{
    (void)state;
    uint8_t payload[32];
    uint8_t out[CODEC_PREFIX_MAX];
    size_t replaced;
    struct pkt_desc d = {0};
    struct codec_edit e = {.picture_id = 0x0102, .tl0picidx = 0x33, .fields = 3};
    size_t len = bytes_hex(payload, sizeof(payload), "90 f0 9234 56 a9 01aabb");
    assert_int_equal(codec_describe(CODEC_VP8, payload, len, &d), 0);
    assert_int_equal(codec_apply(CODEC_VP8, &e, &d, payload, len, out, &replaced), 5);
    assert_int_equal(replaced, 5);
    assert_memory_equal(out, "\x90\xf0\x81\x02\x33", 5);
    e.fields = CODEC_EDIT_TL0PICIDX;
    assert_int_equal(codec_apply(CODEC_VP8, &e, &d, payload, len, out, &replaced), 5);
    assert_memory_equal(out, "\x90\xf0\x92\x34\x33", 5);
    /* VP9 non-flexible: id, layer byte, tl0 */
    len = bytes_hex(payload, sizeof(payload), "a8 9234 30 07 ff");
    assert_int_equal(codec_describe(CODEC_VP9, payload, len, &d), 0);
    e.fields = 3;
    assert_int_equal(codec_apply(CODEC_VP9, &e, &d, payload, len, out, &replaced), 5);
    assert_memory_equal(out, "\xa8\x81\x02\x30\x33", 5);
    /* nothing to do, nothing known, nothing that fits */
    e.fields = 0;
    assert_int_equal(codec_apply(CODEC_VP9, &e, &d, payload, len, out, &replaced), 0);
    e.fields = 3;
    assert_int_equal(codec_apply(CODEC_H264, &e, &d, payload, len, out, &replaced), 0);
    assert_int_equal(codec_apply(CODEC_NONE, &e, &d, payload, len, out, &replaced), 0);
    assert_int_equal(codec_apply(CODEC_VP9, &e, &d, payload, 2, out, &replaced), 0);
    assert_int_equal(replaced, 0);
    /* offsets that do not belong to these bytes: nothing is written, nothing is read beyond */
    d.codec_bytes[FIELDS_PICTURE_ID_AT] = 200;
    assert_int_equal(fields_rewrite(&e, &d, payload, len, out, &replaced), 0);
    d.codec_bytes[FIELDS_PICTURE_ID_AT] = 0;
    d.codec_bytes[FIELDS_TL0_AT] = 200;
    assert_int_equal(fields_rewrite(&e, &d, payload, len, out, &replaced), 0);
    uint8_t dd[5] = {1, 2, 3, 4, 5};
    av1_dd_renumber(dd, 5, 0xabcd);
    assert_memory_equal(dd, "\x01\xab\xcd\x04\x05", 5);
    av1_dd_renumber(dd, 2, 0);
    assert_int_equal(dd[1], 0xab);
}

/* A random life of a slot: switches, dropped layers, late packets. Output of new pictures goes up
 * by one, whatever happens. */
static void output_counts_up_by_one(void **state)
{
    (void)state;
    struct rng_seeded seeded;
    rng_seed(&seeded, 77);
    struct rng rng = rng_from_seeded(&seeded);
    for (unsigned life = 0; life < 50; life++) {
        struct codec_rewrite rw;
        codec_rewrite_init(&rw);
        int32_t last = -1;
        uint16_t id = (uint16_t)rng_below(&rng, 32768);
        uint8_t tl0 = (uint8_t)rng_u32(&rng);
        bool fresh = true;
        for (unsigned i = 0; i < 2000; i++) {
            if (rng_below(&rng, 50) == 0) {
                codec_rewrite_switch(&rw);
                id = (uint16_t)rng_below(&rng, 32768);
                tl0 = (uint8_t)rng_u32(&rng);
                fresh = true;
            }
            uint8_t tid = (uint8_t)(fresh ? 0 : rng_below(&rng, 3));
            tl0 = (uint8_t)(tl0 + (tid == 0));
            struct pkt_desc d = vp8(id, tl0, tid);
            unsigned packets = 1 + rng_below(&rng, 3);
            bool drop = tid == 2 && rng_below(&rng, 2);
            for (unsigned p = 0; p < packets; p++) {
                uint16_t out;
                uint8_t out_tl0;
                if (drop) {
                    codec_rewrite_drop(&rw, &d);
                    continue;
                }
                assert_int_equal(send(&rw, d, &out, &out_tl0), 0);
                if (last >= 0) {
                    assert_int_equal(out, (last + (p == 0)) & 0x7fff);
                }
                last = out;
            }
            id = (id + 1) & 0x7fff;
            fresh = false;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(first_source_goes_out_as_it_is),
        UNIT(switches_go_on_by_one),
        UNIT(dropped_layers_leave_no_hole),
        UNIT(lost_pictures_keep_their_place),
        UNIT(drops_before_the_first_picture_do_nothing),
        UNIT(other_codecs_only_shift),
        UNIT(codecs_can_change_in_one_slot),
        UNIT(seven_bits_become_fifteen),
        UNIT(both_fields_are_written),
        UNIT(output_counts_up_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
