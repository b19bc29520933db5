/* The conduct of a class: waiting room, locks, grants, dates, class time, rooms. */
#include "tests/unit/support.h"

#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "signaling/class/conduct.h"
#include "signaling/class/part.h"
#include "signaling/journal/conduct.h"
#include "signaling/journal/part.h"
#include "signaling/schema/settings.h"
#include "tests/unit/class_rig.h"

enum { HOST, ANIM, PART, LATE, PAGES };

struct scene {
    struct rig *rig;
    struct id class_id;
    char link[ROLE_COUNT][TOKEN_TEXT_MAX];
    struct rig_page *p[PAGES];
};

static struct scene scene_new(const struct admin_setting *settings, size_t count)
{
    struct scene s = {.rig = rig_new(PAGES + 4, 11)};
    s.class_id = rig_class_set(s.rig, CLASS_STANDARD, settings, count);
    for (unsigned r = 0; r < ROLE_COUNT; r++) {
        rig_link(s.rig, &s.class_id, (enum role)r, false, s.link[r]);
    }
    for (unsigned i = 0; i < PAGES; i++) {
        s.p[i] = &s.rig->pages[i];
    }
    return s;
}

static void settle(struct scene *s)
{
    for (unsigned i = 0; i < 3; i++) {
        (void)rig_commit(s->rig, SIZE_MAX);
        rig_pass(s->rig, 150);
    }
    for (size_t i = 0; i < s->rig->page_count; i++) {
        if (s->rig->pages[i].inside) {
            char *mine = rig_view_text(&s->rig->pages[i]);
            char *theirs = rig_state_text(s->rig, &s->rig->pages[i]);
            assert_string_equal(mine, theirs);
            free(mine);
            free(theirs);
        }
    }
}

static void pass(struct scene *s, int64_t ms)
{
    for (int64_t left = ms; left > 0; left -= 500) {
        rig_pass(s->rig, left < 500 ? left : 500);
        (void)rig_commit(s->rig, SIZE_MAX);
    }
}

static const char *text_in(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

static const char *session_in(const struct rig_page *page)
{
    return text_in(json_object_get(page->view, "class"), "state");
}

/* ---- the waiting room
 * ----------------------------------------------------------------------------- */

static void manual_waiting_room(void **state)
{
    (void)state;
    struct admin_setting manual[] = {{SETTING_WAITING, WAITING_MANUAL}};
    struct scene s = scene_new(manual, 1);
    assert_true(rig_enter(s.rig, s.p[HOST], s.link[ROLE_HOST], "Hélène"));
    assert_false(rig_enter(s.rig, s.p[PART], s.link[ROLE_PARTICIPANT], "Paul"));
    assert_false(rig_enter(s.rig, s.p[LATE], s.link[ROLE_PARTICIPANT], "Zoé"));
    settle(&s);
    assert_string_equal(text_in(s.p[LATE]->last, "reason"), "manual");
    assert_int_equal(json_integer_value(json_object_get(s.p[LATE]->last, "rank")), 2);
    assert_int_equal(rig_count(s.p[HOST], "waiting"), 2);
    assert_int_equal(rig_count(s.p[HOST], "people"), 1);
    /* Whoever waits hears nothing of the class and cannot speak in it. */
    rig_say(s.rig, s.p[PART], "{\"t\":\"chat.send\",\"id\":\"c\",\"text\":\"x\"}");
    assert_string_equal(s.p[PART]->error, "state");
    rig_say(s.rig, s.p[PART], "{\"t\":\"knock\",\"id\":\"k\"}");
    settle(&s);
    const json_t *first = json_array_get(json_object_get(s.p[HOST]->view, "waiting"), 0);
    assert_true(json_is_true(json_object_get(first, "knocked")));
    rig_say(s.rig, s.p[HOST], "{\"t\":\"wait.admit\",\"id\":\"a\",\"person\":\"%s\"}",
            s.p[PART]->person);
    settle(&s);
    assert_true(s.p[PART]->inside);
    assert_int_equal(rig_count(s.p[PART], "people"), 2);
    assert_int_equal(rig_count(s.p[PART], "waiting"), 0);
    /* A kill keeps the queue. */
    assert_int_equal(rig_kill(s.rig), 0);
    assert_true(rig_resume(s.rig, s.p[HOST], false));
    assert_int_equal(rig_count(s.p[HOST], "waiting"), 1);
    rig_say(s.rig, s.p[HOST], "{\"t\":\"wait.refuse\",\"id\":\"r\",\"person\":\"%s\",\"ban\":true}",
            s.p[LATE]->person);
    settle(&s);
    assert_int_equal(rig_count(s.p[HOST], "waiting"), 0);
    assert_false(rig_enter(s.rig, s.p[LATE], s.link[ROLE_PARTICIPANT], "Zoé"));
    assert_int_equal(s.p[LATE]->closed, CLOSE_AUTH);
    /* Staff alone knows who is kept out, after a kill too, and may let them come again. */
    assert_int_equal(rig_count(s.p[HOST], "barred"), 1);
    assert_int_equal(rig_count(s.p[PART], "barred"), 0);
    assert_int_equal(rig_kill(s.rig), 0);
    assert_true(rig_resume(s.rig, s.p[HOST], false));
    assert_int_equal(rig_count(s.p[HOST], "barred"), 1);
    rig_say(s.rig, s.p[HOST], "{\"t\":\"person.unban\",\"id\":\"u\",\"person\":\"%s\"}",
            s.p[LATE]->person);
    settle(&s);
    assert_int_equal(rig_count(s.p[HOST], "barred"), 0);
    rig_say(s.rig, s.p[HOST], "{\"t\":\"person.unban\",\"id\":\"v\",\"person\":\"%s\"}",
            s.p[LATE]->person);
    assert_string_equal(s.p[HOST]->error, "not_found");
    (void)rig_enter(s.rig, s.p[LATE], s.link[ROLE_PARTICIPANT], "Zoé");
    assert_int_not_equal(s.p[LATE]->closed, CLOSE_AUTH);
    rig_free(s.rig);
}

static void host_absent_lets_all_in_with_the_host(void **state)
{
    (void)state;
    struct admin_setting host[] = {{SETTING_WAITING, WAITING_HOST}};
    struct scene s = scene_new(host, 1);
    assert_false(rig_enter(s.rig, s.p[PART], s.link[ROLE_PARTICIPANT], "Paul"));
    assert_string_equal(text_in(s.p[PART]->last, "reason"), "host");
    assert_false(rig_enter(s.rig, s.p[LATE], s.link[ROLE_LISTENER], "Zoé"));
    assert_true(rig_enter(s.rig, s.p[ANIM], s.link[ROLE_ANIMATOR], "Ali"));
    settle(&s);
    assert_true(s.p[PART]->inside && s.p[LATE]->inside);
    assert_int_equal(rig_count(s.p[PART], "people"), 3);
    /* Sent back: waits though staff is here, on the page that was open. */
    rig_say(s.rig, s.p[ANIM], "{\"t\":\"person.wait\",\"id\":\"w\",\"person\":\"%s\"}",
            s.p[PART]->person);
    settle(&s);
    assert_false(s.p[PART]->inside);
    assert_string_equal(text_in(s.p[PART]->last, "reason"), "held");
    assert_int_equal(s.p[PART]->closed, 0);
    rig_say(s.rig, s.p[ANIM], "{\"t\":\"wait.admit\",\"id\":\"a\"}");
    settle(&s);
    assert_true(s.p[PART]->inside);
    rig_free(s.rig);
}

static void a_place_in_the_queue_is_kept(void **state)
{
    (void)state;
    struct admin_setting manual[] = {{SETTING_WAITING, WAITING_MANUAL}};
    struct scene s = scene_new(manual, 1);
    assert_true(rig_enter(s.rig, s.p[HOST], s.link[ROLE_HOST], "Hélène"));
    assert_false(rig_enter(s.rig, s.p[PART], s.link[ROLE_PARTICIPANT], "Paul"));
    assert_false(rig_enter(s.rig, s.p[LATE], s.link[ROLE_PARTICIPANT], "Zoé"));
    rig_lose(s.rig, s.p[PART]);
    pass(&s, 20000);
    assert_false(rig_enter(s.rig, s.p[PART], s.link[ROLE_PARTICIPANT], "Paul"));
    assert_int_equal(json_integer_value(json_object_get(s.p[PART]->last, "rank")), 1);
    rig_lose(s.rig, s.p[PART]);
    pass(&s, 65000);
    assert_int_equal(rig_count(s.p[HOST], "waiting"), 1);
    rig_free(s.rig);
}

/* ---- locks and grants
 * ----------------------------------------------------------------------------- */

static bool mic_of(const struct scene *s, const struct rig_page *page)
{
    const struct klass *k = class_find(s->rig->room, &s->class_id);
    struct id id;
    assert_int_equal(id_parse(&id, ID_PERSON, page->person, strlen(page->person)), 0);
    return (state_seat(k->done, &id)->devices[0].media & MEDIA_MIC) != 0;
}

static void say_mic(struct scene *s, struct rig_page *page)
{
    rig_say(s->rig, page,
            "{\"t\":\"media.state\",\"id\":\"m%d\",\"mic\":\"on\",\"cam\":false,\"screen\":false,"
            "\"sound\":false}",
            (int)page->messages);
}

static void locks_hold_for_late_joiners(void **state)
{
    (void)state;
    struct scene s = scene_new(NULL, 0);
    assert_true(rig_enter(s.rig, s.p[HOST], s.link[ROLE_HOST], "Hélène"));
    assert_true(rig_enter(s.rig, s.p[PART], s.link[ROLE_PARTICIPANT], "Paul"));
    assert_true(mic_of(&s, s.p[PART]));
    rig_say(s.rig, s.p[PART],
            "{\"t\":\"lock.set\",\"id\":\"l\",\"feature\":\"mic\",\"locked\":true}");
    assert_string_equal(s.p[PART]->error, "denied");
    rig_say(s.rig, s.p[HOST],
            "{\"t\":\"lock.set\",\"id\":\"l\",\"feature\":\"mic\",\"locked\":true}");
    settle(&s);
    assert_false(mic_of(&s, s.p[PART]));
    assert_true(mic_of(&s, s.p[HOST]));
    assert_true(rig_enter(s.rig, s.p[LATE], s.link[ROLE_PARTICIPANT], "Zoé"));
    settle(&s);
    assert_false(mic_of(&s, s.p[LATE]));
    say_mic(&s, s.p[LATE]);
    assert_string_equal(s.p[LATE]->error, "denied");
    /* One person alone may, and unlocking opens nobody's microphone. */
    rig_say(s.rig, s.p[HOST],
            "{\"t\":\"person.grant\",\"id\":\"g\",\"person\":\"%s\",\"feature\":\"mic\","
            "\"mode\":\"granted\"}",
            s.p[LATE]->person);
    settle(&s);
    say_mic(&s, s.p[LATE]);
    settle(&s);
    assert_true(mic_of(&s, s.p[LATE]));
    rig_say(s.rig, s.p[HOST],
            "{\"t\":\"lock.set\",\"id\":\"u\",\"feature\":\"mic\",\"locked\":false}");
    settle(&s);
    assert_false(mic_of(&s, s.p[PART]));
    rig_say(s.rig, s.p[HOST],
            "{\"t\":\"person.grant\",\"id\":\"d\",\"person\":\"%s\",\"feature\":\"mic\","
            "\"mode\":\"denied\"}",
            s.p[LATE]->person);
    settle(&s);
    assert_false(mic_of(&s, s.p[LATE]));
    rig_free(s.rig);
}

static void asking_opens_nothing(void **state)
{
    (void)state;
    struct scene s = scene_new(NULL, 0);
    assert_true(rig_enter(s.rig, s.p[HOST], s.link[ROLE_HOST], "Hélène"));
    assert_true(rig_enter(s.rig, s.p[PART], s.link[ROLE_PARTICIPANT], "Paul"));
    rig_say(s.rig, s.p[HOST], "{\"t\":\"people.mute\",\"id\":\"m\"}");
    settle(&s);
    assert_false(mic_of(&s, s.p[PART]));
    assert_true(mic_of(&s, s.p[HOST]));
    rig_say(s.rig, s.p[HOST],
            "{\"t\":\"person.ask\",\"id\":\"a\",\"person\":\"%s\",\"feature\":\"mic\"}",
            s.p[PART]->person);
    settle(&s);
    assert_string_equal(text_in(s.p[PART]->last, "t"), "asked");
    assert_string_equal(text_in(s.p[PART]->last, "name"), "Hélène");
    assert_false(mic_of(&s, s.p[PART]));
    rig_free(s.rig);
}

static bool share(struct scene *s, struct rig_page *page)
{
    rig_say(s->rig, page,
            "{\"t\":\"media.state\",\"id\":\"m%d\",\"mic\":\"off\",\"cam\":false,\"screen\":true,"
            "\"sound\":false}",
            (int)page->messages);
    settle(s);
    return page->acked[0] != '\0';
}

static unsigned screens(const struct scene *s)
{
    const struct state *state = class_find(s->rig->room, &s->class_id)->done;
    unsigned count = 0;
    for (size_t i = 0; i < state->seat_count; i++) {
        count += (state->seats[i]->devices[0].media & MEDIA_SCREEN) != 0;
    }
    return count;
}

static void one_presenter_or_several(void **state)
{
    (void)state;
    struct scene s = scene_new(NULL, 0);
    assert_true(rig_enter(s.rig, s.p[HOST], s.link[ROLE_HOST], "Hélène"));
    assert_true(rig_enter(s.rig, s.p[PART], s.link[ROLE_PARTICIPANT], "Paul"));
    assert_true(rig_enter(s.rig, s.p[LATE], s.link[ROLE_PARTICIPANT], "Zoé"));
    assert_true(share(&s, s.p[PART]) && share(&s, s.p[LATE]));
    assert_int_equal(screens(&s), 2);
    rig_say(s.rig, s.p[HOST],
            "{\"t\":\"class.set\",\"id\":\"o\",\"key\":\"presenters\",\"value\":\"one\"}");
    settle(&s);
    assert_true(share(&s, s.p[HOST])); /* takes the place of both */
    assert_int_equal(screens(&s), 1);
    assert_false(share(&s, s.p[PART]));
    assert_string_equal(s.p[PART]->error, "state");
    rig_say(s.rig, s.p[HOST],
            "{\"t\":\"class.set\",\"id\":\"p\",\"key\":\"presenters\",\"value\":\"staff\"}");
    settle(&s);
    assert_false(share(&s, s.p[PART]));
    assert_string_equal(s.p[PART]->error, "denied");
    rig_free(s.rig);
}

/* ---- time
 * ----------------------------------------------------------------------------------------- */

static void a_dated_class_runs_by_the_calendar(void **state)
{
    (void)state;
    struct rig *probe = rig_new(1, 11);
    wall_ms now = probe->now.wall;
    rig_free(probe);
    struct admin_setting dated[] = {{SETTING_START, now + 45 * 60000}, {SETTING_DURATION, 60}};
    struct scene s = scene_new(dated, 2);
    assert_false(rig_enter(s.rig, s.p[PART], s.link[ROLE_PARTICIPANT], "Paul"));
    assert_string_equal(text_in(s.p[PART]->last, "reason"), "early");
    assert_true(rig_enter(s.rig, s.p[HOST], s.link[ROLE_HOST], "Hélène"));
    assert_string_equal(session_in(s.p[HOST]), "scheduled");
    pass(&s, 16 * 60000);
    assert_string_equal(session_in(s.p[HOST]), "preparing");
    pass(&s, 20 * 60000);
    assert_string_equal(session_in(s.p[HOST]), "doors");
    assert_string_equal(text_in(s.p[PART]->last, "reason"), "doors");
    rig_say(s.rig, s.p[HOST], "{\"t\":\"session.start\",\"id\":\"s\"}");
    settle(&s);
    assert_true(s.p[PART]->inside);
    /* Begun early: it still ends when it was to end. */
    const json_t *times = json_object_get(s.p[HOST]->view, "times");
    int64_t end = json_integer_value(json_object_get(times, "end"));
    const struct klass *k = class_find(s.rig->room, &s.class_id);
    int64_t left = end - class_clock(class_find(s.rig->room, &s.class_id), s.rig->now);
    assert_in_range(left, 68 * 60000, 70 * 60000);
    rig_say(s.rig, s.p[HOST], "{\"t\":\"session.extend\",\"id\":\"e\",\"minutes\":15}");
    settle(&s);
    assert_int_equal(k->done->end_due, end + 15 * 60000);
    /* The end is soft: the class goes on. */
    pass(&s, 100 * 60000);
    assert_string_equal(session_in(s.p[HOST]), "live");
    rig_free(s.rig);
}

static void countdowns_survive_kills_and_clock_jumps(void **state)
{
    (void)state;
    struct scene s = scene_new(NULL, 0);
    assert_true(rig_enter(s.rig, s.p[HOST], s.link[ROLE_HOST], "Hélène"));
    rig_say(s.rig, s.p[HOST], "{\"t\":\"session.end\",\"id\":\"e\",\"after\":120}");
    settle(&s);
    assert_string_equal(session_in(s.p[HOST]), "closing");
    s.rig->now.wall += 7200000; /* the wall clock leaps ahead two hours */
    assert_int_equal(rig_kill(s.rig), 0);
    assert_true(rig_resume(s.rig, s.p[HOST], false));
    pass(&s, 60000);
    assert_string_equal(session_in(s.p[HOST]), "closing");
    s.rig->now.wall -= 14400000;
    pass(&s, 50000);
    assert_true(s.p[HOST]->inside);
    pass(&s, 15000);
    assert_int_equal(s.p[HOST]->closed, CLOSE_ENDED);
    rig_free(s.rig);
}

static void without_staff_it_closes(void **state)
{
    (void)state;
    struct admin_setting soon[] = {{SETTING_STAFFLESS, 2}, {SETTING_CLOSING, 30}};
    struct scene s = scene_new(soon, 2);
    assert_true(rig_enter(s.rig, s.p[HOST], s.link[ROLE_HOST], "Hélène"));
    assert_true(rig_enter(s.rig, s.p[PART], s.link[ROLE_PARTICIPANT], "Paul"));
    rig_say(s.rig, s.p[HOST], "{\"t\":\"leave\",\"id\":\"l\"}");
    settle(&s);
    const json_t *times = json_object_get(s.p[PART]->view, "times");
    assert_non_null(json_object_get(times, "staffless"));
    assert_true(rig_enter(s.rig, s.p[ANIM], s.link[ROLE_ANIMATOR], "Ali"));
    settle(&s);
    assert_null(json_object_get(json_object_get(s.p[PART]->view, "times"), "staffless"));
    rig_say(s.rig, s.p[ANIM], "{\"t\":\"leave\",\"id\":\"l\"}");
    pass(&s, 121000);
    assert_string_equal(session_in(s.p[PART]), "closing");
    pass(&s, 31000);
    assert_int_equal(s.p[PART]->closed, CLOSE_ENDED);
    rig_free(s.rig);
}

static void no_learner_alone(void **state)
{
    (void)state;
    struct admin_setting alone[] = {{SETTING_ALONE, 1}};
    struct scene s = scene_new(alone, 1);
    assert_true(rig_enter(s.rig, s.p[HOST], s.link[ROLE_HOST], "Hélène"));
    assert_true(rig_enter(s.rig, s.p[PART], s.link[ROLE_PARTICIPANT], "Paul"));
    rig_say(s.rig, s.p[HOST], "{\"t\":\"leave\",\"id\":\"l\"}");
    settle(&s);
    assert_false(s.p[PART]->inside);
    assert_int_equal(s.p[PART]->closed, 0);
    assert_true(rig_enter(s.rig, s.p[HOST], s.link[ROLE_HOST], "Hélène"));
    settle(&s);
    assert_true(s.p[PART]->inside);
    rig_free(s.rig);
}

static void moving_to_another_page(void **state)
{
    (void)state;
    struct scene s = scene_new(NULL, 0);
    assert_true(rig_enter(s.rig, s.p[PART], s.link[ROLE_PARTICIPANT], "Paul"));
    memcpy(s.p[LATE]->guest, s.p[PART]->guest, sizeof(s.p[LATE]->guest));
    rig_open(s.rig, s.p[LATE]);
    rig_say(s.rig, s.p[LATE],
            "{\"t\":\"hello\",\"v\":1,\"lang\":\"fr\",\"link\":\"%s\",\"guest\":\"%s\"}",
            s.link[ROLE_PARTICIPANT], s.p[LATE]->guest);
    const json_t *you = json_object_get(s.p[LATE]->door, "you");
    assert_int_equal(json_integer_value(json_object_get(you, "devices")), 1);
    rig_say(s.rig, s.p[LATE],
            "{\"t\":\"join\",\"id\":\"j\",\"name\":\"Paul\",\"mic\":false,\"cam\":false,"
            "\"how\":\"move\"}");
    settle(&s);
    assert_true(s.p[LATE]->inside);
    assert_int_equal(s.p[PART]->closed, CLOSE_MOVED);
    assert_int_equal(rig_count(s.p[LATE], "people"), 1);
    rig_free(s.rig);
}

/* ---- tables
 * --------------------------------------------------------------------------------------- */

static void settings_are_sound(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        const struct setting_row *row = setting_row(i);
        char text[48];
        int64_t value;
        if (!row) {
            continue;
        }
        assert_int_equal(setting_find(row->key, strlen(row->key)), i);
        assert_true(row->low <= row->def && row->def <= row->high && row->doc[0]);
        (void)setting_print(i, row->def, text, sizeof(text));
        assert_int_equal(setting_read(i, text, strlen(text), &value), 0);
        assert_int_equal(value, row->def);
        assert_int_equal(setting_read(i, "x-y", 3, &value), E_RANGE);
    }
}

static void parts_do_not_overlap(void **state)
{
    (void)state;
    for (size_t i = 0; state_part(i); i++) {
        assert_true(state_part(i)->tag && state_part(i)->first <= state_part(i)->last);
        for (size_t k = 0; k < i; k++) {
            assert_int_not_equal(state_part(i)->tag, state_part(k)->tag);
            assert_true(state_part(i)->first > state_part(k)->last ||
                        state_part(i)->last < state_part(k)->first);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(manual_waiting_room),
        UNIT(host_absent_lets_all_in_with_the_host),
        UNIT(a_place_in_the_queue_is_kept),
        UNIT(locks_hold_for_late_joiners),
        UNIT(asking_opens_nothing),
        UNIT(one_presenter_or_several),
        UNIT(a_dated_class_runs_by_the_calendar),
        UNIT(countdowns_survive_kills_and_clock_jumps),
        UNIT(without_staff_it_closes),
        UNIT(no_learner_alone),
        UNIT(moving_to_another_page),
        UNIT(settings_are_sound),
        UNIT(parts_do_not_overlap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
