#include "tests/unit/support.h"

#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/media/av1_dd.h"

/* Descriptors written bit by bit from appendix A.8 of the AV1 RTP specification. */
struct bw {
    uint8_t data[1024];
    size_t at;
};

static void put(struct bw *w, unsigned n, uint32_t v)
{
    for (unsigned i = n; i-- > 0; w->at++) {
        assert_true(w->at / 8 < sizeof(w->data));
        if (v >> i & 1u) {
            w->data[w->at / 8] |= (uint8_t)(0x80u >> w->at % 8);
        }
    }
}

static size_t len_of(const struct bw *w)
{
    return (w->at + 7) / 8;
}

/* start, end, template, frame number; then the five flags. */
static struct bw begin(unsigned template_id, uint16_t frame, unsigned flags)
{
    struct bw w = {.at = 0};
    put(&w, 2, 3);
    put(&w, 6, template_id);
    put(&w, 16, frame);
    put(&w, 5, flags);
    return w;
}

enum { STRUCTURE = 16, ACTIVE = 8, DTIS = 4, FDIFFS = 2, CHAINS = 1 };

/* Two spatial layers, two targets, templates 60 and 61; one chain; 320x180 and 640x360. */
static void put_structure(struct bw *w)
{
    put(w, 6, 60);   /* template_id_offset: ids wrap at 64 */
    put(w, 5, 1);    /* two decode targets */
    put(w, 2, 2);    /* next spatial layer */
    put(w, 2, 3);    /* no more */
    put(w, 8, 0xe2); /* dtis: R S, - S */
    put(w, 1, 0);    /* template 0: no fdiff */
    put(w, 1, 1);    /* template 1: fdiff 1 */
    put(w, 4, 0);
    put(w, 1, 0);
    put(w, 2, 2); /* ns(3) = 1 chain: 1 0 */
    /* protected_by: ns(1) takes no bits */
    put(w, 4, 0);
    put(w, 4, 1);
    put(w, 1, 1);
    put(w, 16, 319);
    put(w, 16, 179);
    put(w, 16, 639);
    put(w, 16, 359);
}

static void structure_and_custom_fields(void **state)
{
    (void)state;
    static struct av1_dd_structure s;
    struct av1_dd dd;
    memset(&s, 0, sizeof(s));
    struct bw key = begin(60, 7, STRUCTURE);
    put_structure(&key);
    assert_int_equal(av1_dd_parse(&dd, &s, key.data, len_of(&key)), 0);
    assert_true(dd.has_structure && dd.start_of_frame && dd.end_of_frame);
    assert_int_equal(dd.frame_number, 7);
    assert_int_equal(dd.active_targets, 3);
    assert_int_equal(s.templates, 2);
    assert_int_equal(s.chains, 1);
    assert_int_equal(s.spatial_layers, 2);
    assert_int_equal(s.target_spatial[0], 0);
    assert_int_equal(s.target_spatial[1], 1);
    assert_int_equal(dd.deps.dti[0], AV1_DTI_REQUIRED);
    assert_int_equal(dd.width, 320);
    struct pkt_desc d = {0};
    av1_dd_describe(&d, &dd, &s);
    assert_true(d.keyframe && d.independent && d.layer_sync && !d.inter_layer);

    struct bw upper = begin(61, 8, ACTIVE | DTIS | FDIFFS | CHAINS);
    put(&upper, 2, 1);   /* only target 0 goes on */
    put(&upper, 4, 0x5); /* dtis: D D */
    put(&upper, 2, 1);   /* fdiff of 4 bits: 1 */
    put(&upper, 4, 0);
    put(&upper, 2, 3); /* fdiff of 12 bits: 4096 */
    put(&upper, 12, 4095);
    put(&upper, 2, 0);
    put(&upper, 8, 200);
    assert_int_equal(av1_dd_parse(&dd, &s, upper.data, len_of(&upper)), 0);
    assert_true(dd.has_active_targets);
    assert_int_equal(dd.active_targets, 1);
    assert_int_equal(dd.deps.fdiffs, 2);
    assert_int_equal(dd.deps.fdiff[1], 4096);
    assert_int_equal(dd.deps.chain_diff[0], 200);
    assert_int_equal(dd.width, 640);
    av1_dd_describe(&d, &dd, &s);
    assert_true(d.discardable && d.inter_layer && !d.keyframe && !d.independent);
    assert_int_equal(d.spatial, 1);
}

static void s13_torn_descriptors_change_nothing(void **state)
{
    (void)state;
    static struct av1_dd_structure s;
    static struct av1_dd_structure before;
    struct av1_dd dd;
    memset(&s, 0, sizeof(s));
    struct bw key = begin(60, 7, STRUCTURE | ACTIVE | DTIS | FDIFFS | CHAINS);
    put_structure(&key);
    put(&key, 2, 3);
    put(&key, 4, 0xf);
    put(&key, 2, 0);
    put(&key, 8, 1);
    size_t len = len_of(&key);
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *exact = malloc(cut ? cut : 1);
        assert_non_null(exact);
        memcpy(exact, key.data, cut);
        int err = av1_dd_parse(&dd, &s, exact, cut);
        assert_int_equal(err, cut == 3 ? E_STATE : E_BAD);
        assert_false(s.valid);
        free(exact);
    }
    assert_int_equal(av1_dd_parse(&dd, &s, key.data, len), 0);
    memcpy(&before, &s, sizeof(s));
    for (size_t cut = 4; cut < len; cut++) {
        assert_int_equal(av1_dd_parse(&dd, &s, key.data, cut), E_BAD);
        assert_memory_equal(&before, &s, sizeof(s));
    }
    struct bw beyond = begin(62, 9, 0); /* a third template does not exist */
    assert_int_equal(av1_dd_parse(&dd, &s, beyond.data, 3), E_BAD);
    struct bw below = begin(59, 9, 0);
    assert_int_equal(av1_dd_parse(&dd, &s, below.data, 3), E_BAD);
}

static int parse_layers(unsigned next_layer_idc, unsigned count)
{
    static struct av1_dd_structure s;
    struct av1_dd dd;
    memset(&s, 0, sizeof(s));
    struct bw w = begin(0, 0, STRUCTURE);
    put(&w, 11, 0);
    for (unsigned i = 0; i < count; i++) {
        put(&w, 2, next_layer_idc);
    }
    put(&w, 2, 3);
    put(&w, 2 * (count + 1) > 32 ? 32 : 2 * (count + 1), 0);
    return av1_dd_parse(&dd, &s, w.data, sizeof(w.data));
}

static void layers_and_templates_are_bounded(void **state)
{
    (void)state;
    assert_int_equal(parse_layers(0, 63), 0); /* 64 templates of one layer */
    assert_int_equal(parse_layers(0, 64), E_BAD);
    assert_int_equal(parse_layers(1, 7), 0); /* 8 temporal layers */
    assert_int_equal(parse_layers(1, 8), E_BAD);
    assert_int_equal(parse_layers(2, 3), 0); /* 4 spatial layers */
    assert_int_equal(parse_layers(2, 4), E_BAD);
}

static void differences_are_bounded(void **state)
{
    (void)state;
    static struct av1_dd_structure s;
    struct av1_dd dd;
    for (unsigned count = AV1_DD_FDIFFS_MAX; count <= AV1_DD_FDIFFS_MAX + 1; count++) {
        int want = count > AV1_DD_FDIFFS_MAX ? E_BAD : 0;
        memset(&s, 0, sizeof(s));
        struct bw w = begin(0, 0, STRUCTURE);
        put(&w, 11, 0);
        put(&w, 2, 3);
        put(&w, 2, 2);
        for (unsigned i = 0; i < count; i++) {
            put(&w, 5, 0x10); /* one more, difference 1 */
        }
        put(&w, 1, 0);
        put(&w, 2, 0); /* no chains, no sizes */
        assert_int_equal(av1_dd_parse(&dd, &s, w.data, len_of(&w)), want);
    }
    memset(&s, 0, sizeof(s));
    struct bw key = begin(0, 0, STRUCTURE);
    put(&key, 11, 0);
    put(&key, 2, 3);
    put(&key, 2, 2);
    put(&key, 3, 0);
    assert_int_equal(av1_dd_parse(&dd, &s, key.data, len_of(&key)), 0);
    for (unsigned count = AV1_DD_FDIFFS_MAX; count <= AV1_DD_FDIFFS_MAX + 1; count++) {
        struct bw w = begin(0, 1, FDIFFS);
        for (unsigned i = 0; i < count; i++) {
            put(&w, 6, 0x10);
        }
        put(&w, 2, 0);
        int want = count > AV1_DD_FDIFFS_MAX ? E_BAD : 0;
        assert_int_equal(av1_dd_parse(&dd, &s, w.data, len_of(&w)), want);
    }
}

/* All 32 targets: the mask has no room for a shift too far. */
static void all_targets_fit(void **state)
{
    (void)state;
    static struct av1_dd_structure s;
    struct av1_dd dd;
    memset(&s, 0, sizeof(s));
    struct bw w = begin(0, 0, STRUCTURE);
    put(&w, 6, 0);
    put(&w, 5, 31);
    put(&w, 2, 3);
    put(&w, 32, 0xaaaaaaaa);
    put(&w, 32, 0xaaaaaaaa);
    put(&w, 1, 0);
    put(&w, 6, 63); /* ns(33): 32 chains is the highest */
    for (unsigned i = 0; i < 32; i++) {
        put(&w, 5, i);
    }
    put(&w, 32, 0);
    put(&w, 32, 0);
    put(&w, 32, 0);
    put(&w, 32, 0);
    put(&w, 1, 0);
    assert_int_equal(av1_dd_parse(&dd, &s, w.data, len_of(&w)), 0);
    assert_int_equal(dd.active_targets, UINT32_MAX);
    assert_int_equal(s.chains, 32);
    assert_int_equal(s.protected_by[31], 31);
}

/* Says anew which targets are active; everything else must read as before. */
static void retarget(const struct bw *w, struct av1_dd_structure *s, uint32_t mask)
{
    struct av1_dd_structure after = *s;
    struct av1_dd before;
    struct av1_dd dd;
    struct pkt_desc d = {0};
    uint8_t out[1100];
    assert_int_equal(av1_dd_parse(&before, s, w->data, len_of(w)), 0);
    av1_dd_describe(&d, &before, s);
    size_t len = av1_dd_retarget(out, sizeof(out), w->data, len_of(w), &d, mask);
    assert_true(len >= len_of(w) && len <= len_of(w) + 5);
    assert_int_equal(av1_dd_parse(&dd, &after, out, len), 0);
    assert_int_equal(dd.active_targets, mask);
    assert_true(dd.has_mask);
    assert_int_equal(dd.has_structure, before.has_structure);
    assert_int_equal(dd.frame_number, before.frame_number);
    assert_int_equal(dd.width, before.width);
    assert_memory_equal(&dd.deps, &before.deps, sizeof(dd.deps));
    after.active = s->active;
    assert_memory_equal(&after, s, sizeof(after));
    /* Again, over what it says now. */
    av1_dd_describe(&d, &dd, s);
    assert_int_equal(av1_dd_retarget(out, sizeof(out), out, len, &d, mask), len);
    for (size_t cap = 0; cap < len; cap++) {
        assert_int_equal(av1_dd_retarget(out, cap, w->data, len_of(w), &d, mask), 0);
    }
}

static void active_targets_are_said_anew(void **state)
{
    (void)state;
    static struct av1_dd_structure s;
    memset(&s, 0, sizeof(s));
    struct bw key = begin(60, 7, STRUCTURE);
    put_structure(&key);
    retarget(&key, &s, 1);
    struct bw plain = begin(61, 8, 0);
    plain.at = 24; /* the mandatory part alone */
    retarget(&plain, &s, 2);
    struct bw told = begin(61, 9, ACTIVE | CHAINS);
    put(&told, 2, 3);
    put(&told, 8, 77);
    retarget(&told, &s, 1);
    struct bw chain = begin(60, 10, CHAINS);
    put(&chain, 8, 5);
    retarget(&chain, &s, 1);
}

static void targets_of_a_rung(void **state)
{
    (void)state;
    /* L2T2: s0t0 s0t1 s1t0 s1t1; the source sends no s1t1 now. */
    struct pkt_desc d = {.targets = 4, .targets_active = 7, .target_rungs = 0x5410};
    assert_int_equal(av1_dd_targets(&d, 0), 1);
    assert_int_equal(av1_dd_targets(&d, 1), 3);
    assert_int_equal(av1_dd_targets(&d, 4), 5);
    assert_int_equal(av1_dd_targets(&d, 15), 7);
    d.targets = 0;
    assert_int_equal(av1_dd_targets(&d, 15), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(structure_and_custom_fields),
        UNIT(s13_torn_descriptors_change_nothing),
        UNIT(layers_and_templates_are_bounded),
        UNIT(differences_are_bounded),
        UNIT(all_targets_fit),
        UNIT(active_targets_are_said_anew),
        UNIT(targets_of_a_rung),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
