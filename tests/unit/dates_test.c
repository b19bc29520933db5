/* One class, several dates: from one to the next, the empty room, the archive. */
#include "tests/unit/support.h"

#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "signaling/class/dates.h"
#include "signaling/class/impl.h"
#include "signaling/journal/dates.h"
#include "tests/unit/class_rig.h"

enum { HOST, PART, LATE, PAGES, MINUTE = 60000, HOUR = 60 * MINUTE };

static const int64_t DAY = 24 * (int64_t)HOUR;

struct scene {
    struct rig *rig;
    struct id class_id;
    char link[ROLE_COUNT][TOKEN_TEXT_MAX];
    struct rig_page *p[PAGES];
    wall_ms t0;
};

static int admin(struct scene *s, struct admin_request req)
{
    req.class_id = s->class_id;
    s->rig->admin[0] = '\0';
    classroom_admin(s->rig->room, 9, &req, s->rig->now);
    (void)rig_commit(s->rig, SIZE_MAX);
    return s->rig->admin_err;
}

/* Dates in minutes from now. */
static int plan(struct scene *s, const int *minutes, size_t count)
{
    struct class_date list[8];
    for (size_t i = 0; i < count; i++) {
        list[i] = (struct class_date){.start = s->t0 + (int64_t)minutes[i] * MINUTE, .minutes = 60};
    }
    return admin(
        s, (struct admin_request){.kind = ADMIN_CLASS_EDIT, .dates = list, .date_count = count});
}

static struct scene scene_new(const struct admin_setting *settings, size_t count)
{
    struct scene s = {.rig = rig_new(PAGES + 2, 23)};
    s.class_id = rig_class_set(s.rig, CLASS_STANDARD, settings, count);
    for (unsigned r = 0; r < ROLE_COUNT; r++) {
        rig_link(s.rig, &s.class_id, (enum role)r, false, s.link[r]);
    }
    for (unsigned i = 0; i < PAGES; i++) {
        s.p[i] = &s.rig->pages[i];
    }
    s.t0 = s.rig->now.wall;
    return s;
}

static const struct state *done(const struct scene *s)
{
    return class_find(s->rig->room, &s->class_id)->done;
}

static void pass(struct scene *s, int64_t ms)
{
    while (ms > 0) {
        int64_t step = ms < 5 * MINUTE ? ms : 5 * MINUTE;
        rig_pass(s->rig, step);
        (void)rig_commit(s->rig, SIZE_MAX);
        ms -= step;
    }
}

static int64_t next_in(const struct rig_page *page)
{
    return json_integer_value(json_object_get(json_object_get(page->view, "times"), "next"));
}

static void same_view(const struct scene *s, struct rig_page *page)
{
    char *mine = rig_view_text(page);
    char *theirs = rig_state_text(s->rig, page);
    assert_string_equal(mine, theirs);
    free(mine);
    free(theirs);
}

/* Minutes are added to a start everywhere: one that is beyond all use is refused at the door. */
static void dates_beyond_all_use(void **state)
{
    (void)state;
    const struct class_date good[] = {{.start = DATE_START_MAX, .minutes = DATE_MINUTES_MAX}};
    const struct class_date far[] = {{.start = (wall_ms)DATE_START_MAX + 1, .minutes = 60}};
    const struct class_date past[] = {{.start = 0, .minutes = 60}};
    const struct class_date twice[] = {{.start = 5, .minutes = 60}, {.start = 5, .minutes = 60}};
    const struct class_date lasting[] = {{.start = 5, .minutes = DATE_MINUTES_MAX + 1}};
    assert_true(dates_ok(good, 1));
    assert_false(dates_ok(far, 1) || dates_ok(past, 1) || dates_ok(twice, 2) ||
                 dates_ok(lasting, 1));
}

static void from_one_date_to_the_next(void **state)
{
    (void)state;
    struct scene s = scene_new(NULL, 0);
    const int three[] = {20, 7 * 1440 + 20, 14 * 1440 + 20};
    assert_string_equal(dates_kind(done(&s)), "unplanned");
    assert_int_equal(plan(&s, three, 3), 0);
    assert_string_equal(dates_kind(done(&s)), "recurring");
    assert_int_equal(done(&s)->session, SESSION_SCHEDULED);
    assert_int_equal(done(&s)->setting[SETTING_START], s.t0 + 20 * MINUTE);
    assert_int_equal(done(&s)->setting[SETTING_DURATION], 60);
    pass(&s, 21 * MINUTE);
    assert_true(rig_enter(s.rig, s.p[HOST], s.link[ROLE_HOST], "Hélène"));
    assert_true(rig_enter(s.rig, s.p[PART], s.link[ROLE_PARTICIPANT], "Paul"));
    assert_int_equal(done(&s)->session, SESSION_LIVE);
    assert_int_equal(next_in(s.p[PART]), s.t0 + 7 * DAY + 20 * MINUTE);
    rig_say(s.rig, s.p[HOST], "{\"t\":\"chat.send\",\"id\":\"c\",\"text\":\"à mardi\"}");
    rig_say(s.rig, s.p[HOST], "{\"t\":\"session.end\",\"id\":\"e\"}");
    (void)rig_commit(s.rig, SIZE_MAX);
    assert_int_equal(s.p[PART]->closed, CLOSE_ENDED);
    /* The page was told when it goes on, and the class waits for it; what was said is there. */
    assert_int_equal(next_in(s.p[PART]), s.t0 + 7 * DAY + 20 * MINUTE);
    assert_int_equal(done(&s)->session, SESSION_SCHEDULED);
    assert_int_equal(done(&s)->chat_count, 1);
    assert_false(rig_enter(s.rig, s.p[PART], s.link[ROLE_PARTICIPANT], "Paul"));
    assert_int_equal(s.p[PART]->closed, 0);
    rig_lose(s.rig, s.p[PART]);
    /* The second date: nobody comes. */
    assert_int_equal(rig_kill(s.rig), 0);
    pass(&s, 7 * DAY + 61 * MINUTE);
    assert_int_equal(done(&s)->session, SESSION_SCHEDULED);
    assert_int_equal(done(&s)->setting[SETTING_START], s.t0 + 14 * DAY + 20 * MINUTE);
    pass(&s, 7 * DAY - 61 * MINUTE);
    assert_true(rig_enter(s.rig, s.p[HOST], s.link[ROLE_HOST], "Hélène"));
    assert_int_equal(next_in(s.p[HOST]), 0);
    rig_say(s.rig, s.p[HOST], "{\"t\":\"session.end\",\"id\":\"e2\"}");
    (void)rig_commit(s.rig, SIZE_MAX);
    assert_int_equal(done(&s)->session, SESSION_CLOSED);
    rig_free(s.rig);
}

/* Looked into before its hour and closed: the date stays. */
static void a_rehearsal_uses_up_no_date(void **state)
{
    (void)state;
    struct scene s = scene_new(NULL, 0);
    const int two[] = {60, 1440};
    assert_int_equal(plan(&s, two, 2), 0);
    assert_true(rig_enter(s.rig, s.p[HOST], s.link[ROLE_HOST], "Hélène"));
    rig_say(s.rig, s.p[HOST], "{\"t\":\"session.start\",\"id\":\"s\"}");
    rig_say(s.rig, s.p[HOST], "{\"t\":\"session.end\",\"id\":\"e\"}");
    (void)rig_commit(s.rig, SIZE_MAX);
    assert_int_equal(done(&s)->session, SESSION_SCHEDULED);
    assert_int_equal(done(&s)->setting[SETTING_START], s.t0 + 60 * MINUTE);
    rig_free(s.rig);
}

static void dates_may_change(void **state)
{
    (void)state;
    struct scene s = scene_new(NULL, 0);
    const int two[] = {30, 1440};
    const int other[] = {45, 2880};
    const int back[] = {45, 30};
    assert_int_equal(plan(&s, two, 2), 0);
    assert_int_equal(plan(&s, back, 2), E_RANGE);
    assert_true(rig_enter(s.rig, s.p[HOST], s.link[ROLE_HOST], "Hélène"));
    assert_int_equal(plan(&s, other, 2), 0);
    assert_int_equal(next_in(s.p[HOST]), s.t0 + 45 * MINUTE);
    same_view(&s, s.p[HOST]);
    rig_say(s.rig, s.p[HOST], "{\"t\":\"session.start\",\"id\":\"s\"}");
    (void)rig_commit(s.rig, SIZE_MAX);
    const int later[] = {45, 4320};
    assert_int_equal(plan(&s, later, 2), 0); /* a session goes on: its own date is not touched */
    assert_int_equal(done(&s)->setting[SETTING_START], s.t0 + 45 * MINUTE);
    assert_int_equal(next_in(s.p[HOST]), s.t0 + 3 * DAY);
    same_view(&s, s.p[HOST]);
    assert_int_equal(plan(&s, NULL, 0), 0);
    assert_int_equal(done(&s)->dates.count, 0);
    rig_free(s.rig);
}

static void an_empty_room_is_kept_a_while(void **state)
{
    (void)state;
    struct scene s = scene_new(NULL, 0);
    assert_true(rig_enter(s.rig, s.p[HOST], s.link[ROLE_HOST], "Hélène"));
    assert_true(rig_enter(s.rig, s.p[PART], s.link[ROLE_PARTICIPANT], "Paul"));
    rig_say(s.rig, s.p[HOST], "{\"t\":\"leave\",\"id\":\"l\"}");
    rig_say(s.rig, s.p[PART], "{\"t\":\"leave\",\"id\":\"l\"}");
    (void)rig_commit(s.rig, SIZE_MAX);
    pass(&s, 50000);
    assert_int_equal(done(&s)->session, SESSION_LIVE);
    assert_true(rig_enter(s.rig, s.p[PART], s.link[ROLE_PARTICIPANT], "Paul"));
    assert_int_equal(done(&s)->dates.empty_due, 0);
    rig_say(s.rig, s.p[PART], "{\"t\":\"leave\",\"id\":\"m\"}");
    (void)rig_commit(s.rig, SIZE_MAX);
    assert_int_equal(rig_kill(s.rig), 0);
    pass(&s, 61000);
    assert_int_equal(done(&s)->session, SESSION_IDLE);
    /* The next who come begin another session. */
    assert_true(rig_enter(s.rig, s.p[PART], s.link[ROLE_PARTICIPANT], "Paul"));
    assert_true(rig_enter(s.rig, s.p[HOST], s.link[ROLE_HOST], "Hélène"));
    assert_int_equal(done(&s)->session, SESSION_LIVE);
    rig_free(s.rig);
}

/* Everybody at lunch: a dated class goes on until its planned end. */
static void a_pause_ends_no_date(void **state)
{
    (void)state;
    struct scene s = scene_new(NULL, 0);
    const int two[] = {0, 1440};
    assert_int_equal(plan(&s, two, 2), 0);
    pass(&s, MINUTE);
    assert_true(rig_enter(s.rig, s.p[HOST], s.link[ROLE_HOST], "Hélène"));
    assert_int_equal(done(&s)->session, SESSION_LIVE);
    rig_say(s.rig, s.p[HOST], "{\"t\":\"leave\",\"id\":\"l\"}");
    (void)rig_commit(s.rig, SIZE_MAX);
    pass(&s, 50 * MINUTE);
    assert_int_equal(done(&s)->session, SESSION_LIVE);
    pass(&s, 15 * MINUTE);
    assert_int_equal(done(&s)->session, SESSION_SCHEDULED);
    assert_int_equal(done(&s)->setting[SETTING_START], s.t0 + DAY);
    rig_free(s.rig);
}

static void after_the_last_date_into_the_archive(void **state)
{
    (void)state;
    struct admin_setting settings[] = {{SETTING_ARCHIVE, 2}};
    struct scene s = scene_new(settings, 1);
    const int one[] = {10};
    assert_int_equal(plan(&s, one, 1), 0);
    assert_string_equal(dates_kind(done(&s)), "dated");
    pass(&s, 11 * MINUTE);
    assert_true(rig_enter(s.rig, s.p[HOST], s.link[ROLE_HOST], "Hélène"));
    assert_int_equal(
        admin(&s, (struct admin_request){.kind = ADMIN_CLASS_ARCHIVE, .archive = true}), E_STATE);
    rig_say(s.rig, s.p[HOST], "{\"t\":\"session.end\",\"id\":\"e\"}");
    (void)rig_commit(s.rig, SIZE_MAX);
    pass(&s, 2 * DAY);
    assert_int_equal(done(&s)->session, SESSION_CLOSED);
    pass(&s, 90 * MINUTE);
    assert_int_equal(done(&s)->session, SESSION_ARCHIVED);
    (void)rig_enter(s.rig, s.p[HOST], s.link[ROLE_HOST], "Hélène");
    assert_int_equal(s.p[HOST]->closed, CLOSE_ENDED);
    assert_int_equal(rig_kill(s.rig), 0);
    assert_int_equal(done(&s)->session, SESSION_ARCHIVED);
    /* A new date takes it out again. */
    const int more[] = {10, 3 * 1440};
    assert_int_equal(plan(&s, more, 2), 0);
    assert_int_equal(done(&s)->session, SESSION_SCHEDULED);
    assert_true(rig_enter(s.rig, s.p[HOST], s.link[ROLE_HOST], "Hélène"));
    rig_say(s.rig, s.p[HOST], "{\"t\":\"leave\",\"id\":\"l\"}");
    (void)rig_commit(s.rig, SIZE_MAX);
    assert_int_equal(
        admin(&s, (struct admin_request){.kind = ADMIN_CLASS_ARCHIVE, .archive = true}), 0);
    assert_int_equal(done(&s)->session, SESSION_ARCHIVED);
    assert_int_equal(admin(&s, (struct admin_request){.kind = ADMIN_CLASS_ARCHIVE}), 0);
    assert_int_equal(done(&s)->session, SESSION_SCHEDULED);
    rig_free(s.rig);
}

/* A permanent class lets nobody be alone in it, and is idle again when all have left. */
static void a_permanent_class(void **state)
{
    (void)state;
    struct admin_setting settings[] = {{SETTING_PERMANENT, 1}};
    struct scene s = scene_new(settings, 1);
    assert_string_equal(dates_kind(done(&s)), "permanent");
    assert_false(rig_enter(s.rig, s.p[PART], s.link[ROLE_PARTICIPANT], "Paul"));
    assert_true(rig_enter(s.rig, s.p[HOST], s.link[ROLE_HOST], "Hélène"));
    assert_true(s.p[PART]->inside);
    assert_int_equal(done(&s)->session, SESSION_LIVE);
    rig_say(s.rig, s.p[HOST], "{\"t\":\"leave\",\"id\":\"l\"}");
    rig_say(s.rig, s.p[PART], "{\"t\":\"leave\",\"id\":\"l\"}");
    (void)rig_commit(s.rig, SIZE_MAX);
    pass(&s, 2 * MINUTE);
    assert_int_equal(done(&s)->session, SESSION_IDLE);
    rig_free(s.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(from_one_date_to_the_next), UNIT(a_rehearsal_uses_up_no_date),
        UNIT(dates_may_change),          UNIT(an_empty_room_is_kept_a_while),
        UNIT(a_pause_ends_no_date),      UNIT(after_the_last_date_into_the_archive),
        UNIT(a_permanent_class),         UNIT(dates_beyond_all_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
