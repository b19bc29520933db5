/* Covers server/sfu/policy.c: what is done with each source, in numbers; and what a picture counts
 * for when it is shared out (server/sfu/track.c). */
#include "tests/unit/support.h"

#include "server/proto/alloc.h"
#include "server/sfu/policy.h"
#include "server/sfu/track.h"

/* A thumbnail, a tile and the large picture of a camera are one source; a screen is slides at any
 * size; sound has no class. */
static void sizes_are_classes(void **state)
{
    (void)state;
    static const struct {
        enum source_kind source;
        uint16_t height;
        enum alloc_class kind;
    } rows[] = {
        {SOURCE_CAMERA, 1, ALLOC_TILE},      {SOURCE_CAMERA, 90, ALLOC_TILE},
        {SOURCE_CAMERA, 539, ALLOC_TILE},    {SOURCE_CAMERA, 540, ALLOC_FOCUS},
        {SOURCE_CAMERA, 65535, ALLOC_FOCUS}, {SOURCE_SCREEN, 1, ALLOC_SLIDES},
        {SOURCE_SCREEN, 90, ALLOC_SLIDES},   {SOURCE_SCREEN, 65535, ALLOC_SLIDES},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(source_class(rows[i].source, rows[i].height), rows[i].kind);
    }
}

static void every_source_has_its_row(void **state)
{
    (void)state;
    static const struct {
        bool video, bursty, always, elsewhere, unopened;
        uint32_t reserve;
        uint8_t longest; /* of 10 ms: how long it may wait to be shown */
    } rows[SOURCE_COUNT] = {
        [SOURCE_MIC] = {false, false, false, true, true, 48000, 0},
        [SOURCE_CAMERA] = {true, false, false, false, false, 0, 100},
        [SOURCE_SCREEN] = {true, true, false, false, false, 0, 50},
        [SOURCE_SOUND] = {false, false, true, false, false, 150000, 0},
    };
    for (unsigned s = 0; s < SOURCE_COUNT; s++) {
        const struct source_policy *p = source_policy(s);
        assert_int_equal(p->video, rows[s].video);
        assert_int_equal(source_is_picture(s), rows[s].video);
        assert_int_equal(p->bursty, rows[s].bursty);
        assert_int_equal(p->always_heard, rows[s].always);
        assert_int_equal(p->elsewhere, rows[s].elsewhere);
        assert_int_equal(p->silence_unopened, rows[s].unopened);
        assert_int_equal(p->reserve_bps, rows[s].reserve);
        assert_int_equal(p->told_playout, rows[s].video);
        assert_int_equal(p->playout[0], 0);
        assert_int_equal(p->playout[1], 0);
        assert_int_equal(p->playout[2], rows[s].longest);
    }
    assert_false(source_is_picture(SOURCE_COUNT));
    assert_false(source_is_picture(255));
}

/* What was measured counts; of a picture that rests it may have been one key frame and a burst of
 * probes, so there no more than is usual for its height. */
static void what_rests_costs_no_more_than_is_usual(void **state)
{
    (void)state;
    static const struct {
        uint32_t measured;
        bool rests;
        uint32_t price;
    } rows[] = {
        {0, false, 1500000},      {400000, false, 400000}, {3000000, false, 3000000},
        {0, true, 1500000},       {400000, true, 400000},  {1500001, true, 1500000},
        {3000000, true, 1500000},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct track track = {.video = true, .source = SOURCE_CAMERA};
        struct layer layer = {.track = &track, .live = !rows[i].rests, .paused = rows[i].rests};
        struct alloc_slot slot = {.kind = ALLOC_FOCUS};
        layer.rates.offered = 1;
        layer.rates.height[0] = 720;
        layer.rates.bps[0] = rows[i].measured;
        track.layer[0] = &layer;
        track_offer(&track, &slot, US_PER_S);
        assert_int_equal(slot.options, 1);
        assert_int_equal(slot.option[0].height, 720);
        assert_int_equal(slot.option[0].bps, rows[i].price);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(sizes_are_classes),
        UNIT(every_source_has_its_row),
        UNIT(what_rests_costs_no_more_than_is_usual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
