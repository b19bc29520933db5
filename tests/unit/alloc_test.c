#include "tests/unit/support.h"

#include <string.h>

#include "codec/media/rungs.h"
#include "server/proto/alloc.h"

enum { K = 1000 };

/* A camera of three encodings with two temporal steps each; slides of one with two. */
static struct alloc_slot camera(uint16_t height, enum alloc_class kind)
{
    static const struct alloc_option rows[] = {
        {100 * K, 180, 2, 0}, {150 * K, 180, 2, 2}, {350 * K, 360, 1, 0},
        {500 * K, 360, 1, 2}, {900 * K, 720, 0, 0}, {1500 * K, 720, 0, 2},
    };
    struct alloc_slot s = {.kind = (uint8_t)kind, .height = height, .current = -1};
    for (unsigned i = 0; i < 6; i++) {
        alloc_offer(&s, rows[5 - i]);
    }
    return s;
}

static struct alloc_slot slides(uint16_t height)
{
    struct alloc_slot s = {.kind = ALLOC_SLIDES, .height = height, .current = -1};
    alloc_offer(&s, (struct alloc_option){700 * K, 1080, 0, 0});
    alloc_offer(&s, (struct alloc_option){1200 * K, 1080, 0, 1});
    return s;
}

static struct alloc_sum run(struct alloc_slot *s, unsigned n, uint64_t kbps)
{
    struct alloc_sum sum;
    const struct alloc_limits limits = {
        .estimate_bps = kbps * K,
        .reserved_bps = 100 * K,
        .video_max = UINT8_MAX,
        .temporal_max = UINT8_MAX,
        .now = 100 * US_PER_S,
    };
    alloc_run(s, n, &limits, &sum);
    return sum;
}

static void options_are_kept_in_order(void **state)
{
    (void)state;
    struct alloc_slot s = camera(720, ALLOC_TILE);
    assert_int_equal(s.options, 6);
    for (unsigned i = 1; i < s.options; i++) {
        assert_true(s.option[i].bps > s.option[i - 1].bps);
    }
    alloc_offer(&s, (struct alloc_option){2000 * K, 360, 1, 3}); /* dearer and worse than 720 */
    assert_int_equal(s.options, 6);
    alloc_offer(&s, (struct alloc_option){300 * K, 540, 1, 0}); /* better than all below, cheaper */
    assert_int_equal(s.option[2].height, 540);
    for (unsigned i = 1; i < s.options; i++) {
        assert_true(s.option[i].bps > s.option[i - 1].bps);
        assert_true(s.option[i].height >= s.option[i - 1].height);
    }
}

/* Figures of a browser: a large picture that hardly began and rests since was measured at less than
 * the upper temporal layers of a small one that runs. Whoever wishes the small one gets all of it.
 */
static void what_is_wished_is_whole(void **state)
{
    (void)state;
    static const struct alloc_option rows[] = {
        {15000, 180, 2, 0}, {21327, 180, 2, 1}, {61469, 180, 2, 2},
        {28000, 360, 1, 0}, {30604, 360, 1, 1}, {57213, 360, 1, 2},
        {41000, 720, 0, 0}, {57106, 720, 0, 1}, {106979, 720, 0, 2},
    };
    enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
    static const uint16_t wished[] = {90, 180, 300, 360, 720, 1080};
    static const uint16_t got[] = {180, 180, 360, 360, 720, 720};
    for (unsigned i = 0; i < sizeof(wished) / sizeof(wished[0]); i++) {
        for (unsigned turned = 0; turned < 2; turned++) {
            struct alloc_slot s = {.kind = ALLOC_TILE, .height = wished[i], .current = -1};
            for (unsigned k = 0; k < ROWS; k++) {
                alloc_offer(&s, rows[turned ? ROWS - 1 - k : k]);
            }
            run(&s, 1, 0);
            assert_int_equal(s.option[s.chosen].height, got[i]);
            assert_int_equal(rung_temporal(s.option[s.chosen].rung), 2);
            assert_int_equal(s.reason, wished[i] > 720 ? ALLOC_BY_SOURCE : ALLOC_FULL);
        }
    }
}

static void one_picture_by_its_budget(void **state)
{
    (void)state;
    static const struct {
        uint64_t kbps; /* 0 = not known */
        uint16_t height;
        int chosen;
        enum alloc_reason reason;
    } rows[] = {
        {0, 720, 5, ALLOC_FULL},
        {0, 360, 3, ALLOC_FULL},
        {0, 100, 1, ALLOC_FULL},
        {0, 0, -1, ALLOC_BY_YOU},
        {0, 1080, 5, ALLOC_BY_SOURCE},
        {3000, 720, 5, ALLOC_FULL},
        {1400, 720, 4, ALLOC_BY_CONNECTION},
        {700, 720, 3, ALLOC_BY_CONNECTION},
        {300, 720, 1, ALLOC_BY_CONNECTION},
        {220, 720, 0, ALLOC_BY_CONNECTION},
        {215, 720, -1, ALLOC_PAUSED_BY_CONNECTION}, /* 100 + 120 % of the smallest */
        {1, 720, -1, ALLOC_PAUSED_BY_CONNECTION},
        {300, 180, 1, ALLOC_FULL},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct alloc_slot s = camera(rows[i].height, ALLOC_TILE);
        struct alloc_sum sum = run(&s, 1, rows[i].kbps);
        if (s.chosen != rows[i].chosen || s.reason != rows[i].reason) {
            fail_msg("row %u: chosen %d reason %d", i, s.chosen, s.reason);
        }
        bool short_of = s.reason == ALLOC_BY_CONNECTION || s.reason == ALLOC_PAUSED_BY_CONNECTION;
        assert_int_equal(sum.wanted_bps != 0, short_of);
    }
}

/* A camera with one encoding dearer than the first guess: shown while the path is tried, paused
 * when the trial did not prove it. */
static void the_first_picture_is_tried(void **state)
{
    struct alloc_sum sum;
    struct alloc_limits limits = {.estimate_bps = 500 * K,
                                  .video_max = UINT8_MAX,
                                  .temporal_max = UINT8_MAX,
                                  .trial = true,
                                  .now = 100 * US_PER_S};
    (void)state;
    struct alloc_slot s[2] = {{.kind = ALLOC_TILE, .height = 720, .current = -1},
                              {.kind = ALLOC_TILE, .height = 720, .current = -1}};
    for (unsigned i = 0; i < 2; i++) {
        alloc_offer(&s[i], (struct alloc_option){1000 * K, 720, 0, 0});
    }
    alloc_run(s, 2, &limits, &sum);
    assert_int_equal(s[0].chosen, 0);
    assert_int_equal(s[1].chosen, -1);
    assert_true(sum.wanted_bps > limits.estimate_bps);
    s[0].current = 0;
    limits.trial = false;
    alloc_run(s, 2, &limits, &sum);
    assert_int_equal(s[0].chosen, -1);
    limits.trial = true;
    limits.video_max = 0;
    alloc_run(s, 2, &limits, &sum);
    assert_int_equal(s[0].chosen, -1);
}

static void slides_before_focus_before_tiles(void **state)
{
    (void)state;
    struct alloc_slot s[4];
    s[0] = camera(180, ALLOC_TILE);
    s[1] = camera(180, ALLOC_TILE);
    s[2] = camera(720, ALLOC_FOCUS);
    s[3] = slides(1080);
    run(s, 4, 10000);
    assert_int_equal(s[0].chosen, 1);
    assert_int_equal(s[2].chosen, 5);
    assert_int_equal(s[3].chosen, 1);
    run(s, 4, 2500); /* slides whole, everybody small, the rest to the person in focus */
    assert_int_equal(s[3].chosen, 1);
    assert_int_equal(s[2].chosen, 4);
    assert_int_equal(s[0].chosen, 1); /* what was left over */
    assert_int_equal(s[1].chosen, 0);
    run(s, 4, 800); /* slides only, a little beyond the budget */
    assert_int_equal(s[3].chosen, 0);
    assert_int_equal(s[0].chosen, -1);
    assert_int_equal(s[2].chosen, -1);
    run(s, 4, 300); /* 700 for slides do not fit 200 + 500 with headroom */
    assert_int_equal(s[3].chosen, -1);
    s[3].current = 0; /* but what runs goes on */
    run(s, 4, 300);
    assert_int_equal(s[3].chosen, 0);
}

static void tiles_rise_in_turns(void **state)
{
    (void)state;
    struct alloc_slot s[4];
    for (unsigned i = 0; i < 4; i++) {
        s[i] = camera(360, ALLOC_TILE);
    }
    run(s, 4, 1300);
    for (unsigned i = 0; i < 4; i++) {
        assert_true(s[i].chosen >= 1 && s[i].chosen <= 3);
    }
    run(s, 4, 350); /* two can be shown; the others say so */
    assert_int_equal(s[0].chosen, 0);
    assert_int_equal(s[1].chosen, 0);
    assert_int_equal(s[2].chosen, -1);
    assert_int_equal(s[3].reason, ALLOC_PAUSED_BY_CONNECTION);
}

static void going_up_needs_headroom_and_time(void **state)
{
    (void)state;
    struct alloc_slot s = camera(720, ALLOC_TILE);
    run(&s, 1, 1605); /* 1500 + 100 fit, but not with ten per cent to spare */
    assert_int_equal(s.chosen, 4);
    s.current = 5;
    run(&s, 1, 1605); /* who is there stays */
    assert_int_equal(s.chosen, 5);
    s.current = 3;
    s.lowered_us = 100 * US_PER_S - 3 * US_PER_S + 1;
    run(&s, 1, 10000);
    assert_int_equal(s.chosen, 3);
    s.lowered_us = 100 * US_PER_S - 3 * US_PER_S;
    run(&s, 1, 10000);
    assert_int_equal(s.chosen, 5);
}

/* Each step up that was taken back doubles the wait, up to eight times, unless there is plenty. */
static void steps_up_in_vain_become_rare(void **state)
{
    (void)state;
    for (unsigned falls = 0; falls <= ALLOC_FALLS_MAX + 1; falls++) {
        mono_us hold = ALLOC_HOLD_US << (falls < ALLOC_FALLS_MAX ? falls : ALLOC_FALLS_MAX);
        struct alloc_slot s = camera(720, ALLOC_TILE);
        s.current = 4;
        s.falls = (uint8_t)falls;
        s.lowered_us = 100 * US_PER_S - hold + 1;
        run(&s, 1, 2000); /* 1500 + 100 fit with ten per cent to spare */
        assert_int_equal(s.chosen, 4);
        s.lowered_us = 100 * US_PER_S - hold;
        run(&s, 1, 2000);
        assert_int_equal(s.chosen, 5);
        s.lowered_us = 100 * US_PER_S - ALLOC_HOLD_US;
        run(&s, 1, 10000);
        assert_int_equal(s.chosen, 5);
    }
}

static void what_is_sent_may_wander(void **state)
{
    (void)state;
    struct alloc_slot s = camera(720, ALLOC_FOCUS);
    s.current = 5;
    run(&s, 1, 100 + 1500 * 100 / 115 + 15);
    assert_int_equal(s.chosen, 5);
    s.current = 4;
    run(&s, 1, 100 + 1500 * 100 / 115 + 15);
    assert_int_equal(s.chosen, 4);
    s.current = 5;
    run(&s, 1, 1500 * 100 / 115 - 100);
    assert_int_not_equal(s.chosen, 5);
}

static void an_estimate_that_trembles_changes_nothing(void **state)
{
    (void)state;
    struct alloc_slot s[3];
    unsigned changes = 0;
    for (unsigned i = 0; i < 3; i++) {
        s[i] = camera(i ? 360 : 720, i ? ALLOC_TILE : ALLOC_FOCUS);
    }
    for (unsigned round = 0; round < 200; round++) {
        run(s, 3, 1500 + (round * 7919) % 60); /* 4 % */
        for (unsigned i = 0; i < 3; i++) {
            changes += round > 1 && s[i].chosen != s[i].current;
            s[i].current = s[i].chosen;
        }
    }
    assert_true(changes <= 3);
}

static void the_server_sheds_pictures_and_layers(void **state)
{
    (void)state;
    struct alloc_slot s[3];
    struct alloc_sum sum;
    struct alloc_limits limits = {.video_max = 2, .temporal_max = UINT8_MAX};
    s[0] = camera(180, ALLOC_TILE);
    s[1] = slides(1080);
    s[2] = camera(720, ALLOC_FOCUS);
    alloc_run(s, 3, &limits, &sum);
    assert_int_equal(s[0].reason, ALLOC_BY_SERVER);
    assert_int_equal(s[0].chosen, -1);
    assert_int_equal(s[1].chosen, 1);
    assert_int_equal(s[2].chosen, 5);
    assert_int_equal(sum.wanted_bps, 0); /* nothing to probe for */
    limits = (struct alloc_limits){.video_max = UINT8_MAX, .temporal_max = 0};
    alloc_run(s, 3, &limits, &sum);
    assert_int_equal(rung_temporal(s[2].option[s[2].chosen].rung), 0);
    assert_int_equal(s[2].option[s[2].chosen].height, 720);
    assert_int_equal(s[2].reason, ALLOC_BY_SERVER);
}

static void never_beyond_the_budget(void **state)
{
    (void)state;
    uint32_t r = 1;
    for (unsigned round = 0; round < support_rounds(20000); round++) {
        struct alloc_slot s[8];
        bool shows_slides = false;
        for (unsigned i = 0; i < 8; i++) {
            r = r * 1664525u + 1013904223u;
            unsigned kind = r >> 28;
            s[i] = kind == 0 ? slides(1080)
                             : camera((uint16_t)(90u << (r >> 24 & 3)),
                                      kind < 3 ? ALLOC_FOCUS : ALLOC_TILE);
            s[i].current = (int8_t)((int)(r >> 20 & 7) - 1);
            s[i].current = s[i].current < (int)s[i].options ? s[i].current : (int8_t)-1;
            shows_slides = shows_slides || kind == 0;
        }
        uint64_t kbps = 1 + (r >> 8 & 0xfff);
        struct alloc_sum sum = run(s, 8, kbps);
        uint64_t most = kbps * K > 100 * K ? kbps * K * 115 / 100 : 100 * K;
        assert_true(sum.used_bps <= most + (shows_slides ? 500 * K : 0));
        for (unsigned i = 0; i < 8; i++) {
            assert_true(s[i].chosen <= s[i].ideal);
        }
    }
}

/* Whatever is short of its ideal gets it when the path carries what the prober was told to aim
 * at: else the prober is content, an estimate that nothing fills stays, and so does the picture. */
static void what_is_wanted_is_enough(void **state)
{
    (void)state;
    uint32_t r = 7;
    for (unsigned round = 0; round < support_rounds(5000); round++) {
        struct alloc_slot s[4];
        for (unsigned i = 0; i < 4; i++) {
            r = r * 1664525u + 1013904223u;
            s[i] = r >> 29 == 0 ? slides(1080)
                                : camera((uint16_t)(180u << (r >> 24 & 3)),
                                         r >> 28 & 1 ? ALLOC_FOCUS : ALLOC_TILE);
        }
        struct alloc_sum sum = run(s, 4, 120 + (r >> 8 & 0x7ff));
        for (unsigned turns = 0; sum.wanted_bps && turns < 3; turns++) {
            for (unsigned i = 0; i < 4; i++) {
                s[i].current = s[i].chosen;
            }
            sum = run(s, 4, (sum.wanted_bps + K - 1) / K);
        }
        assert_int_equal(sum.wanted_bps, 0);
    }
}

/* Everybody comes at once: a picture that is shown is not taken for a newcomer of equal weight. */
static void a_newcomer_takes_nobodys_place(void **state)
{
    (void)state;
    struct alloc_slot s[3];
    for (unsigned i = 0; i < 3; i++) {
        s[i] = camera(180, ALLOC_TILE);
    }
    s[2].current = 0;
    run(s, 3, 300);
    assert_true(s[2].chosen >= 0);
    assert_int_equal(s[0].chosen, -1);
    s[0] = camera(180, ALLOC_FOCUS); /* more weight */
    run(s, 3, 230);
    assert_true(s[0].chosen >= 0);
    assert_int_equal(s[2].chosen, -1);
}

/* Measured dearer than guessed: no reason to take it away before the path was measured. */
static void what_is_shown_stays_while_tried(void **state)
{
    (void)state;
    struct alloc_sum sum;
    struct alloc_limits limits = {.estimate_bps = 250 * K,
                                  .video_max = UINT8_MAX,
                                  .temporal_max = UINT8_MAX,
                                  .trial = true,
                                  .now = 100 * US_PER_S};
    struct alloc_slot s[3];
    for (unsigned i = 0; i < 3; i++) {
        s[i] = (struct alloc_slot){.kind = ALLOC_TILE, .height = 180, .current = i < 2 ? 0 : -1};
        alloc_offer(&s[i], (struct alloc_option){150 * K, 180, 0, 0});
    }
    alloc_run(s, 3, &limits, &sum);
    assert_int_equal(s[0].chosen, 0);
    assert_int_equal(s[1].chosen, 0);
    assert_int_equal(s[2].chosen, -1);
    assert_true(sum.wanted_bps > limits.estimate_bps);
    limits.trial = false;
    alloc_run(s, 3, &limits, &sum);
    assert_int_equal(s[0].chosen, 0);
    assert_int_equal(s[1].chosen, -1);
}

/* What is kept for a voice that has not begun holds what is shown, and begins nothing. */
static void what_is_shown_stays_beside_silence(void **state)
{
    (void)state;
    struct alloc_sum sum;
    struct alloc_limits limits = {.reserved_bps = 96 * K,
                                  .spare_bps = 48 * K,
                                  .video_max = UINT8_MAX,
                                  .temporal_max = UINT8_MAX,
                                  .now = 100 * US_PER_S};
    static const struct {
        unsigned estimate; /* kbit/s */
        int8_t current, chosen;
    } rows[] = {{196, 2, 0}, {196, 0, 0}, {148, 0, 0}, {147, 0, -1}, {148, 2, 0}, {195, -1, -1}};
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct alloc_slot s = camera(180, ALLOC_TILE);
        s.current = rows[i].current;
        limits.estimate_bps = (uint64_t)rows[i].estimate * K;
        alloc_run(&s, 1, &limits, &sum);
        assert_int_equal(s.chosen, rows[i].chosen);
    }
    struct alloc_slot two[] = {camera(180, ALLOC_TILE), camera(180, ALLOC_TILE)};
    two[0].current = two[1].current = 0;
    limits.estimate_bps = 248 * K; /* once, for one of them */
    alloc_run(two, 2, &limits, &sum);
    assert_int_equal(two[0].chosen, 0);
    assert_int_equal(two[1].chosen, 0);
    limits.estimate_bps = 247 * K;
    alloc_run(two, 2, &limits, &sum);
    assert_int_equal(two[0].chosen, 0);
    assert_int_equal(two[1].chosen, -1);
}

/* While the path is tried with more than the estimate, it is measured and not only waited for. */
static void a_trial_wants_to_be_measured(void **state)
{
    (void)state;
    struct alloc_sum sum;
    struct alloc_slot s = {.kind = ALLOC_TILE, .height = 720, .current = -1};
    const struct alloc_limits limits = {.estimate_bps = 500 * K,
                                        .video_max = UINT8_MAX,
                                        .temporal_max = UINT8_MAX,
                                        .trial = true,
                                        .now = 100 * US_PER_S};
    alloc_offer(&s, (struct alloc_option){1000 * K, 720, 0, 0});
    alloc_run(&s, 1, &limits, &sum);
    assert_int_equal(s.chosen, 0);
    assert_true(sum.wanted_bps >= 1000 * K);
}

static struct alloc_slot plain(uint32_t bps)
{
    struct alloc_slot s = {.kind = ALLOC_FOCUS, .height = 720, .current = -1};
    alloc_offer(&s, (struct alloc_option){bps, 360, 0, 0});
    return s;
}

/* What rests for want of room needs more than its rate to come back: no more than that is probed
 * for, and no less; nor does a larger picture slip in where the smaller one has to wait. */
static void what_rests_is_probed_for_with_its_headroom(void **state)
{
    (void)state;
    struct alloc_slot s = plain(1000 * K);
    struct alloc_sum sum = run(&s, 1, 1150);
    assert_int_equal(s.chosen, -1);
    assert_int_equal(sum.wanted_bps, 100 * K + 1200 * K);
    run(&s, 1, sum.wanted_bps / K);
    assert_int_equal(s.chosen, 0);
    alloc_offer(&s, (struct alloc_option){1010 * K, 720, 0, 1});
    run(&s, 1, 1250);
    assert_int_equal(s.chosen, -1);
    assert_int_equal(s.reason, ALLOC_PAUSED_BY_CONNECTION);
}

static void a_list_that_is_full_takes_no_more(void **state)
{
    (void)state;
    struct alloc_slot s = {.kind = ALLOC_TILE, .height = 2000, .current = -1};
    for (uint16_t i = 1; i <= ALLOC_OPTIONS_MAX + 3; i++) {
        alloc_offer(&s, (struct alloc_option){i * 50 * K, (uint16_t)(i * 90), 0, 0});
    }
    assert_int_equal(s.options, ALLOC_OPTIONS_MAX);
    assert_int_equal(s.option[ALLOC_OPTIONS_MAX - 1].height, ALLOC_OPTIONS_MAX * 90);
    assert_int_equal(s.ideal, 0);
}

static void rates_are_guessed_by_height(void **state)
{
    (void)state;
    static const uint32_t rows[][2] = {{1, 80},     {90, 80},    {91, 150},  {180, 150},
                                       {360, 500},  {361, 900},  {540, 900}, {720, 1500},
                                       {721, 2500}, {4000, 2500}};
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(alloc_guess_bps((uint16_t)rows[i][0]), rows[i][1] * K);
    }
}

/* Every class by its row, in numbers: what may stay, rise and come back at which budget, and who is
 * raised in turns. A row is all there is to a class. */
static void a_class_is_a_row(void **state)
{
    (void)state;
    static const struct {
        enum alloc_class kind;
        uint32_t stay, up, resume; /* kbit/s beside the 100 of sound, for a picture of 1000 */
        bool in_turns;
    } rows[ALLOC_CLASSES] = {
        {ALLOC_SLIDES, 500, 600, 700, false},
        {ALLOC_FOCUS, 870, 1100, 1200, false},
        {ALLOC_TILE, 870, 1100, 1200, true},
    };
    for (unsigned i = 0; i < ALLOC_CLASSES; i++) {
        struct alloc_slot s = {.kind = (uint8_t)rows[i].kind, .height = 720, .current = 0};
        alloc_offer(&s, (struct alloc_option){1000 * K, 720, 0, 0});
        run(&s, 1, 100 + rows[i].stay);
        assert_int_equal(s.chosen, 0);
        run(&s, 1, 100 + rows[i].stay - 5);
        assert_int_equal(s.chosen, -1);
        s.current = -1;
        run(&s, 1, 100 + rows[i].resume);
        assert_int_equal(s.chosen, 0);
        run(&s, 1, 100 + rows[i].resume - 1);
        assert_int_equal(s.chosen, -1);
        struct alloc_slot two[2];
        for (unsigned k = 0; k < 2; k++) {
            two[k] = camera(720, rows[i].kind);
        }
        /* Room for 500 and 150, or for 350 each. */
        uint32_t most = alloc_policies[rows[i].kind].oversend_bps / K;
        run(two, 2, 100 + 740 - most);
        assert_int_equal(two[0].chosen == two[1].chosen, rows[i].in_turns);
        struct alloc_slot up = {.kind = (uint8_t)rows[i].kind, .height = 720, .current = 0};
        alloc_offer(&up, (struct alloc_option){1, 360, 0, 0});
        alloc_offer(&up, (struct alloc_option){1000 * K + 1, 720, 0, 1});
        run(&up, 1, 100 + rows[i].up + 1);
        assert_int_equal(up.chosen, 1);
        run(&up, 1, 100 + rows[i].up - 1);
        assert_int_equal(up.chosen, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(options_are_kept_in_order),
        UNIT(what_is_wished_is_whole),
        UNIT(one_picture_by_its_budget),
        UNIT(the_first_picture_is_tried),
        UNIT(slides_before_focus_before_tiles),
        UNIT(tiles_rise_in_turns),
        UNIT(going_up_needs_headroom_and_time),
        UNIT(steps_up_in_vain_become_rare),
        UNIT(what_is_sent_may_wander),
        UNIT(an_estimate_that_trembles_changes_nothing),
        UNIT(the_server_sheds_pictures_and_layers),
        UNIT(never_beyond_the_budget),
        UNIT(what_is_wanted_is_enough),
        UNIT(a_trial_wants_to_be_measured),
        UNIT(a_newcomer_takes_nobodys_place),
        UNIT(what_is_shown_stays_while_tried),
        UNIT(what_is_shown_stays_beside_silence),
        UNIT(what_rests_is_probed_for_with_its_headroom),
        UNIT(a_list_that_is_full_takes_no_more),
        UNIT(rates_are_guessed_by_height),
        UNIT(a_class_is_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
