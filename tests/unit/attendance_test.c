/* Attendance against a second fold written another way: a bit per person and second. */
#include "tests/unit/support.h"

#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/rng.h"
#include "signaling/attendance/rules.h"
#include "signaling/attendance/seal.h"
#include "signaling/attendance/sheet.h"
#include "signaling/journal/rtext.h"
#include "tests/unit/class_rig.h"

enum { PEOPLE = 6, SECONDS = 7200, BASE_S = 1000 };

static const wall_ms second = 1000;

static struct id id_of(unsigned n)
{
    struct id id = {{0}};
    id.b[0] = (uint8_t)(n + 1);
    return id;
}

/* ---- the other way: seconds on a grid
 * ---------------------------------------------------------------------- */

struct grid {
    bool live;
    unsigned opened;
    unsigned closed;
    bool seat[PEOPLE];
    bool away[PEOPLE];
    bool elsewhere[PEOPLE];
    uint8_t bit[PEOPLE][SECONDS];
};

struct world {
    struct sheet sheet;
    struct grid grid;
    uint64_t seq;
    unsigned now;
    uint64_t rng;
};

static unsigned draw(struct world *w, unsigned below)
{
    w->rng = w->rng * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(w->rng >> 33) % below;
}

static void pass(struct world *w, unsigned seconds)
{
    for (; seconds > 0 && w->now + 1 < SECONDS; seconds--, w->now++) {
        for (unsigned p = 0; p < PEOPLE; p++) {
            bool there = w->grid.live && w->grid.seat[p] && !w->grid.away[p];
            w->grid.bit[p][w->now] = there ? 1 + w->grid.elsewhere[p] : 0;
        }
    }
}

static void fold(struct world *w, struct event e)
{
    e.seq = ++w->seq;
    e.at = (wall_ms)(BASE_S + w->now) * second;
    assert_int_equal(sheet_fold(&w->sheet, &e), 0);
    event_fini(&e);
}

static void step(struct world *w)
{
    struct grid *g = &w->grid;
    unsigned p = draw(w, PEOPLE);
    unsigned what = draw(w, 12);
    pass(w, draw(w, 100));
    if (what < 4 && !g->seat[p]) {
        fold(w, (struct event){.type = EVENT_PERSON_JOINED,
                               .person = id_of(p),
                               .device = id_of(p + 50),
                               .text = rtext_new("Nom", 3)});
        g->seat[p] = true;
        g->away[p] = false;
        g->elsewhere[p] = false;
    } else if (what < 6 && g->seat[p]) {
        g->away[p] = !g->away[p];
        fold(w, (struct event){
                    .type = EVENT_PERSON_AWAY, .person = id_of(p), .a = g->away[p] ? 1 : 0});
    } else if (what < 8 && g->seat[p]) {
        g->seat[p] = false;
        fold(w, (struct event){.type = EVENT_PERSON_LEFT, .person = id_of(p)});
    } else if (what == 8 && !g->live) {
        fold(w, (struct event){.type = EVENT_SESSION_CHANGED, .a = SESSION_LIVE});
        memset(g->bit, 0, sizeof(g->bit));
        g->live = true;
        g->opened = w->now;
    } else if (what == 9 && g->live && draw(w, 30) == 0) {
        fold(w, (struct event){.type = EVENT_SESSION_CHANGED, .a = SESSION_CLOSED});
        g->live = false;
        g->closed = w->now;
        memset(g->seat, 0, sizeof(g->seat));
    } else if (what == 10 && g->seat[p]) {
        g->elsewhere[p] = !g->elsewhere[p];
        fold(w, (struct event){
                    .type = EVENT_PERSON_MOVED, .person = id_of(p), .a = g->elsewhere[p] ? 1 : 0});
    } else if (what == 11 && draw(w, 4) == 0) {
        fold(w, (struct event){.type = EVENT_ROOM_CLOSED, .a = 1});
        fold(w, (struct event){.type = EVENT_ROOM_OPENED, .a = 1, .other = id_of(77)});
        memset(g->elsewhere, 0, sizeof(g->elsewhere));
    } else {
        fold(w, (struct event){.type = EVENT_HAND_RAISED, .person = id_of(p)});
    }
}

/* Seconds present, gaps under a minute between two presences filled. */
static unsigned grid_present(const struct grid *g, unsigned p, unsigned until, unsigned bridge)
{
    unsigned sum = 0;
    unsigned gap = 0;
    bool seen = false;
    for (unsigned s = 0; s < until; s++) {
        if (g->bit[p][s]) {
            sum += 1 + (seen && gap < bridge ? gap : 0);
            gap = 0;
            seen = true;
        } else {
            gap++;
        }
    }
    return sum;
}

static unsigned grid_elsewhere(const struct grid *g, unsigned p, unsigned until)
{
    unsigned sum = 0;
    for (unsigned s = 0; s < until; s++) {
        sum += g->bit[p][s] == 2;
    }
    return sum;
}

static void check(const struct world *w, const struct attendance_rules *rules)
{
    const struct sheet_session *s = sheet_find(&w->sheet, 0);
    unsigned until = w->grid.live ? w->now : w->grid.closed;
    wall_ms now = (wall_ms)(BASE_S + w->now) * second;
    if (!s) {
        return;
    }
    for (unsigned p = 0; p < PEOPLE; p++) {
        struct id id = id_of(p);
        const struct attendee *who = sheet_person(s, &id);
        unsigned want = grid_present(&w->grid, p, until, rules->bridge_ms / 1000);
        struct attendance_row row = {0};
        if (who) {
            row = attendance_row(rules, s, who, now);
        }
        assert_int_equal(row.present_ms / second, want);
        assert_int_equal(row.elsewhere_ms / second, grid_elsewhere(&w->grid, p, until));
        int64_t needed = (int64_t)(until - w->grid.opened) * rules->share_permille;
        bool present = row.intervals > 0 && (int64_t)want * 1000 >= needed;
        assert_int_equal(row.status == ATTENDANCE_PRESENT, present);
    }
}

static void equals_a_second_fold(void **state)
{
    struct attendance_rules rules = attendance_defaults();
    (void)state;
    for (unsigned seed = 1; seed <= support_rounds(400); seed++) {
        struct world *w = calloc(1, sizeof(*w));
        struct id class_id = id_of(200);
        assert_non_null(w);
        w->rng = seed;
        sheet_init(&w->sheet, &class_id);
        fold(w, (struct event){.type = EVENT_ROOM_OPENED, .a = 1, .other = id_of(77)});
        for (unsigned i = 0; i < 200 && w->now + 200 < SECONDS; i++) {
            step(w);
            pass(w, 1); /* who has just come back is back for a second at least */
            check(w, &rules);
        }
        sheet_fini(&w->sheet);
        free(w);
    }
}

/* ---- the rules, one by one
 * ------------------------------------------------------------------------------------ */

static struct stay between(int from_min, int to_min)
{
    return (struct stay){.in = from_min * 60000, .out = to_min * 60000};
}

static void rules_by_table(void **state)
{
    static const struct {
        struct attendance_rules rules;
        struct stay stays[3];
        unsigned count;
        uint8_t status;
        int64_t planned_ms;
    } rows[] = {
        {{.share_permille = 500}, {{0}}, 0, ATTENDANCE_ABSENT, 0},
        {{.share_permille = 500}, {{0, 30 * 60000, {{0}}}}, 1, ATTENDANCE_PRESENT, 0},
        {{.share_permille = 500}, {{0, 30 * 60000 - 1, {{0}}}}, 1, ATTENDANCE_PARTIAL, 0},
        {{.minutes = 45}, {{0, 30 * 60000, {{0}}}}, 1, ATTENDANCE_PARTIAL, 0},
        {{.minutes = 45}, {{0, 45 * 60000, {{0}}}}, 1, ATTENDANCE_PRESENT, 0},
        {{.share_permille = 500, .arrival_min = 10},
         {{11 * 60000, 60 * 60000, {{0}}}},
         1,
         ATTENDANCE_PARTIAL,
         0},
        {{.share_permille = 500, .checks = 1}, {{0, 60 * 60000, {{0}}}}, 1, ATTENDANCE_PARTIAL, 0},
        /* Planned for 30 minutes, lasted longer: 15 minutes are enough. */
        {{.share_permille = 500}, {{0, 15 * 60000, {{0}}}}, 1, ATTENDANCE_PRESENT, 30 * 60000},
        {{.share_permille = 500, .as_lasted = true},
         {{0, 15 * 60000, {{0}}}},
         1,
         ATTENDANCE_PARTIAL,
         30 * 60000},
        /* A gap of 59.999 s is bridged, one of 60 s is not. */
        {{.minutes = 20, .bridge_ms = 60000},
         {{0, 10 * 60000, {{0}}}, {10 * 60000 + 59999, 20 * 60000, {{0}}}},
         2,
         ATTENDANCE_PRESENT,
         0},
        {{.minutes = 20, .bridge_ms = 60000},
         {{0, 10 * 60000, {{0}}}, {11 * 60000, 20 * 60000, {{0}}}},
         2,
         ATTENDANCE_PARTIAL,
         0},
    };
    struct sheet_session session = {.opened = 0, .closed = 60 * 60000, .checks = 1};
    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stay stays[3];
        session.planned_ms = rows[i].planned_ms;
        memcpy(stays, rows[i].stays, sizeof(stays));
        struct attendee who = {.stays = stays, .stay_count = rows[i].count};
        struct attendance_row row = attendance_row(&rows[i].rules, &session, &who, 60 * 60000);
        assert_int_equal(row.status, rows[i].status);
    }
}

/* Late is who arrives late, measured from when it should have begun; who comes back late is not. */
static void late_is_who_arrives_late(void **state)
{
    struct attendance_rules rules = {.share_permille = 500, .arrival_min = 10};
    struct stay stays[] = {between(5, 40), between(50, 60)};
    struct sheet_session session = {.opened = 0, .closed = 60 * 60000};
    struct attendee who = {.stays = stays, .stay_count = 2};
    (void)state;
    assert_int_equal(attendance_row(&rules, &session, &who, 60 * 60000).status, ATTENDANCE_PRESENT);
    stays[0] = between(11, 45);
    assert_int_equal(attendance_row(&rules, &session, &who, 60 * 60000).status, ATTENDANCE_PARTIAL);
    session.planned = 5 * 60000; /* opened five minutes early */
    assert_int_equal(attendance_row(&rules, &session, &who, 60 * 60000).status, ATTENDANCE_PRESENT);
}

/* Nobody fails for checks that were never asked. */
static void checks_that_were_asked_count(void **state)
{
    struct attendance_rules rules = {.share_permille = 500, .checks = 3};
    struct stay stay = between(0, 60);
    struct sheet_session session = {.opened = 0, .closed = 60 * 60000, .checks = 2};
    struct attendee who = {.stays = &stay, .stay_count = 1, .checks_passed = 2};
    (void)state;
    assert_int_equal(attendance_row(&rules, &session, &who, 60 * 60000).status, ATTENDANCE_PRESENT);
    who.checks_passed = 1;
    assert_int_equal(attendance_row(&rules, &session, &who, 60 * 60000).status, ATTENDANCE_PARTIAL);
    session.checks = 0;
    who.checks_passed = 0;
    assert_int_equal(attendance_row(&rules, &session, &who, 60 * 60000).status, ATTENDANCE_PRESENT);
}

/* What was sealed is judged by the rules of then, whatever the class says today. */
static void a_sealed_session_keeps_its_rules(void **state)
{
    struct sheet sheet = {.rules = {.minutes = 45}};
    struct sheet_session session = {.sealed_rules = {.minutes = 20}};
    (void)state;
    assert_int_equal(attendance_rules_of(&sheet, &session).minutes, 45);
    assert_int_equal(attendance_rules_of(&sheet, NULL).minutes, 45);
    session.sealed = true;
    assert_int_equal(attendance_rules_of(&sheet, &session).minutes, 20);
}

static void a_word_of_staff_wins(void **state)
{
    struct attendance_rules rules = attendance_defaults();
    struct stay stay = between(0, 5);
    struct sheet_session session = {.opened = 0, .closed = 60 * 60000};
    struct attendee who = {.stays = &stay,
                           .stay_count = 1,
                           .correction = {.given = true, .status = ATTENDANCE_EXCUSED}};
    struct attendance_row row = attendance_row(&rules, &session, &who, 60 * 60000);
    (void)state;
    assert_int_equal(row.computed, ATTENDANCE_PARTIAL);
    assert_int_equal(row.status, ATTENDANCE_EXCUSED);
}

/* ---- the seal
 * ---------------------------------------------------------------------------------------- */

struct sealed {
    struct sheet sheet;
    struct sheet_session session;
    struct attendee people[2];
    struct stay stays[2];
    struct attendance_rules rules;
};

static void arrange(struct sealed *s)
{
    *s = (struct sealed){.rules = attendance_defaults()};
    s->sheet.class_id = id_of(9);
    s->stays[0] = between(0, 40);
    s->stays[1] = between(1, 5);
    for (unsigned i = 0; i < 2; i++) {
        s->people[i] =
            (struct attendee){.person = id_of(i), .stays = &s->stays[i], .stay_count = 1};
    }
    s->session = (struct sheet_session){
        .number = 3, .opened = 0, .closed = 60 * 60000, .people = s->people, .count = 2};
}

static void seal_of(const struct sealed *s, uint8_t out[ATTENDANCE_SEAL_LEN])
{
    struct token_ops ops = rig_token_ops();
    assert_int_equal(attendance_seal(out, &s->rules, &s->sheet, &s->session, &ops), 0);
}

static void a_seal_shows_every_change(void **state)
{
    uint8_t first[ATTENDANCE_SEAL_LEN];
    uint8_t other[ATTENDANCE_SEAL_LEN];
    struct sealed s;
    (void)state;
    arrange(&s);
    seal_of(&s, first);
    for (unsigned change = 0; change < 8; change++) {
        arrange(&s);
        s.stays[0].in += change == 0;
        s.stays[1].out -= change == 1;
        s.people[1].role = change == 2 ? ROLE_HOST : s.people[1].role;
        s.people[0].correction.given = change == 3;
        s.rules.bridge_ms += change == 4;
        s.session.count -= change == 5;
        s.session.opened += change == 6;
        s.people[0].person.b[15] = change == 7;
        seal_of(&s, other);
        assert_memory_not_equal(first, other, sizeof(first));
    }
    /* The order in which people came, and their names, are not under the seal. */
    arrange(&s);
    struct attendee swap = s.people[0];
    s.people[0] = s.people[1];
    s.people[1] = swap;
    seal_of(&s, other);
    assert_memory_equal(first, other, sizeof(first));
    s.session.closed = SHEET_OPEN;
    struct token_ops ops = rig_token_ops();
    assert_int_equal(attendance_seal(other, &s.rules, &s.sheet, &s.session, &ops), E_STATE);
}

static int scene(void *arg)
{
    struct world w = {.rng = 7};
    struct id class_id = id_of(200);
    int err = 0;
    (void)arg;
    sheet_init(&w.sheet, &class_id);
    for (unsigned i = 0; i < 12 && !err; i++) {
        struct event e = {.type = i == 3 ? EVENT_SESSION_CHANGED : EVENT_PERSON_JOINED,
                          .seq = i + 1,
                          .at = i,
                          .a = i == 3 ? SESSION_LIVE : 0,
                          .person = id_of(i)};
        err = sheet_fold(&w.sheet, &e);
    }
    sheet_fini(&w.sheet);
    return err;
}

static void gives_up_whole_without_memory(void **state)
{
    (void)state;
    assert_true(support_oom_sweep(scene, NULL) > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(equals_a_second_fold),
        UNIT(rules_by_table),
        UNIT(late_is_who_arrives_late),
        UNIT(checks_that_were_asked_count),
        UNIT(a_sealed_session_keeps_its_rules),
        UNIT(a_word_of_staff_wins),
        UNIT(a_seal_shows_every_change),
        UNIT(gives_up_whole_without_memory),
    };
    return cmocka_run_group_tests_name("attendance", tests, NULL, NULL);
}
