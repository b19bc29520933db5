/* The floor: modes, turns, limits, seats, and what happens when the holder vanishes. */
#include "tests/unit/support.h"

#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "signaling/class/floor_cmd.h"
#include "signaling/class/impl.h"
#include "signaling/journal/floor.h"
#include "signaling/journal/minutes.h"
#include "tests/unit/class_rig.h"

enum { HOST, ANIM, ONE, TWO, THREE, PAGES };

struct table {
    struct rig *rig;
    struct id class_id;
    char link[ROLE_COUNT][TOKEN_TEXT_MAX];
    struct rig_page *p[PAGES];
    unsigned said;
};

static struct table table_new(const struct admin_setting *settings, size_t count)
{
    static const enum role roles[PAGES] = {ROLE_HOST, ROLE_ANIMATOR, ROLE_SPEAKER, ROLE_PARTICIPANT,
                                           ROLE_PARTICIPANT};
    struct table t = {.rig = rig_new(PAGES + 2, 5)};
    t.class_id = rig_class_set(t.rig, CLASS_ROUND_TABLE, settings, count);
    for (unsigned r = 0; r < ROLE_COUNT; r++) {
        rig_link(t.rig, &t.class_id, (enum role)r, false, t.link[r]);
    }
    for (unsigned i = 0; i < PAGES; i++) {
        t.p[i] = &t.rig->pages[i];
        assert_true(rig_enter(t.rig, t.p[i], t.link[roles[i]], "Nom"));
    }
    return t;
}

static void settle(struct table *t)
{
    for (unsigned i = 0; i < 3; i++) {
        (void)rig_commit(t->rig, SIZE_MAX);
        rig_pass(t->rig, 120);
    }
    for (size_t i = 0; i < t->rig->page_count; i++) {
        if (t->rig->pages[i].inside) {
            char *mine = rig_view_text(&t->rig->pages[i]);
            char *theirs = rig_state_text(t->rig, &t->rig->pages[i]);
            assert_string_equal(mine, theirs);
            free(mine);
            free(theirs);
        }
    }
}

static void pass(struct table *t, int64_t ms)
{
    for (int64_t left = ms; left > 0; left -= 250) {
        rig_pass(t->rig, left < 250 ? left : 250);
        (void)rig_commit(t->rig, SIZE_MAX);
    }
}

/* Says {"t":type,"id":...,<more>}; true when acknowledged. */
static bool say(struct table *t, unsigned who, const char *type, const char *more)
{
    char id[16];
    (void)snprintf(id, sizeof(id), "s%u", ++t->said);
    rig_say(t->rig, t->p[who], "{\"t\":\"%s\",\"id\":\"%s\"%s}", type, id, more);
    (void)rig_commit(t->rig, SIZE_MAX);
    return strcmp(t->p[who]->acked, id) == 0;
}

static bool say_of(struct table *t, unsigned who, const char *type, unsigned whom)
{
    char more[64];
    (void)snprintf(more, sizeof(more), ",\"person\":\"%s\"", t->p[whom]->person);
    return say(t, who, type, more);
}

static bool open_mic(struct table *t, unsigned who)
{
    return say(t, who, "media.state",
               ",\"mic\":\"on\",\"cam\":false,\"screen\":false,\"sound\":false");
}

static const struct state *state_of(const struct table *t)
{
    return class_find(t->rig->room, &t->class_id)->done;
}

static struct id id_of(const struct table *t, unsigned who)
{
    struct id id;
    assert_int_equal(id_parse(&id, ID_PERSON, t->p[who]->person, strlen(t->p[who]->person)), 0);
    return id;
}

static bool has_mic(const struct table *t, unsigned who)
{
    struct id id = id_of(t, who);
    return (state_seat(state_of(t), &id)->devices[0].media & MEDIA_MIC) != 0;
}

static void assert_holder(const struct table *t, int who)
{
    struct id id = who < 0 ? (struct id){{0}} : id_of(t, (unsigned)who);
    assert_true(id_equal(&state_of(t)->floor.holder, &id));
}

static void everybody_has_a_stable_place(void **state)
{
    (void)state;
    struct admin_setting four[] = {{SETTING_TABLE, 4}};
    struct table t = table_new(four, 1);
    settle(&t);
    for (unsigned i = 0; i < 4; i++) {
        struct id id = id_of(&t, i);
        assert_int_equal(floor_place(&state_of(&t)->floor, &id), i);
    }
    struct id id = id_of(&t, THREE);
    assert_int_equal(floor_place(&state_of(&t)->floor, &id), -1);
    /* Two change places; a place that does not exist is refused. */
    char more[80];
    (void)snprintf(more, sizeof(more), ",\"person\":\"%s\",\"place\":0", t.p[THREE]->person);
    assert_true(say(&t, HOST, "floor.seat", more));
    assert_int_equal(floor_place(&state_of(&t)->floor, &id), 0);
    (void)snprintf(more, sizeof(more), ",\"person\":\"%s\",\"place\":7", t.p[THREE]->person);
    assert_false(say(&t, HOST, "floor.seat", more));
    assert_string_equal(t.p[HOST]->error, "full");
    /* Leaving keeps the place until somebody needs it; coming back finds it. */
    assert_true(say(&t, TWO, "leave", ""));
    struct id two = id_of(&t, TWO);
    assert_int_equal(floor_place(&state_of(&t)->floor, &two), 3);
    settle(&t);
    rig_free(t.rig);
}

static void only_the_holder_may_speak(void **state)
{
    (void)state;
    struct table t = table_new(NULL, 0);
    assert_true(has_mic(&t, ONE) && has_mic(&t, TWO));
    assert_false(say_of(&t, TWO, "floor.give", ONE));
    assert_string_equal(t.p[TWO]->error, "denied");
    assert_false(say_of(&t, HOST, "floor.give", ONE)); /* in open mode nobody has the floor */
    assert_true(say(&t, HOST, "floor.mode", ",\"mode\":\"moderated\""));
    settle(&t);
    assert_false(has_mic(&t, ONE) || has_mic(&t, TWO));
    assert_true(has_mic(&t, HOST) && has_mic(&t, ANIM));
    assert_false(open_mic(&t, ONE));
    assert_string_equal(t.p[ONE]->error, "denied");
    rig_lose(t.rig, t.p[TWO]); /* away: has a seat and cannot speak */
    pass(&t, 3000);
    assert_false(say_of(&t, HOST, "floor.give", TWO));
    assert_string_equal(t.p[HOST]->error, "state");
    assert_true(rig_resume(t.rig, t.p[TWO], false));
    assert_true(say_of(&t, HOST, "floor.give", ONE));
    settle(&t);
    assert_holder(&t, ONE);
    assert_false(has_mic(&t, ONE)); /* given, not opened */
    assert_true(open_mic(&t, ONE));
    assert_true(has_mic(&t, ONE));
    pass(&t, 10000);
    assert_true(say(&t, ANIM, "floor.take", ",\"how\":\"done\""));
    settle(&t);
    assert_holder(&t, -1);
    assert_false(has_mic(&t, ONE));
    struct id one = id_of(&t, ONE);
    assert_in_range(state_person(state_of(&t), &one)->floor_ms, 9000, 12000);
    assert_true(say(&t, HOST, "floor.mode", ",\"mode\":\"open\""));
    assert_true(open_mic(&t, TWO));
    settle(&t);
    rig_free(t.rig);
}

static void hands_queue_up(void **state)
{
    (void)state;
    struct table t = table_new(NULL, 0);
    assert_true(say(&t, HOST, "floor.mode", ",\"mode\":\"queue\""));
    assert_true(say(&t, THREE, "hand.raise", ",\"kind\":\"speak\""));
    assert_true(say(&t, ONE, "hand.raise", ",\"kind\":\"technical\""));
    assert_true(say(&t, TWO, "hand.raise", ",\"kind\":\"reply\""));
    assert_true(say(&t, HOST, "floor.next", ""));
    assert_holder(&t, THREE);
    assert_true(say(&t, THREE, "floor.done", ""));
    settle(&t);
    /* The hand is down, the next one has the floor; a technical hand is no wish to speak. */
    assert_holder(&t, TWO);
    assert_true(state_of(&t)->floor.reply);
    assert_int_equal(state_of(&t)->floor.due - state_of(&t)->floor.started, 45000);
    assert_true(say(&t, TWO, "floor.done", ""));
    settle(&t);
    assert_holder(&t, -1);
    assert_int_equal(rig_count(t.p[HOST], "hands"), 1);
    /* The least heard first. */
    assert_true(say(&t, HOST, "class.set", ",\"key\":\"floor-least-heard\",\"value\":\"on\""));
    struct id two = id_of(&t, TWO);
    struct id three = id_of(&t, THREE);
    struct klass *k = class_find(t.rig->room, &t.class_id);
    state_person(k->work, &two)->heard_ms = 90000;
    assert_true(floor_less_heard(state_person(k->work, &three), state_person(k->work, &two)));
    assert_true(say(&t, TWO, "hand.raise", ",\"kind\":\"speak\""));
    assert_true(say(&t, THREE, "hand.raise", ",\"kind\":\"speak\""));
    const struct seat *queue[8];
    assert_int_equal(floor_queue(k->work, queue, 8), 2);
    assert_true(id_equal(&queue[0]->person->id, &three));
    rig_free(t.rig);
}

static void a_tour_goes_round(void **state)
{
    (void)state;
    struct table t = table_new(NULL, 0);
    assert_true(say(&t, HOST, "floor.mode", ",\"mode\":\"tour\""));
    assert_int_equal(state_of(&t)->floor.list_count, 5);
    assert_true(say(&t, HOST, "floor.next", ""));
    assert_holder(&t, HOST);
    assert_true(say(&t, ANIM, "floor.pass", ""));
    assert_true(say(&t, HOST, "floor.done", ""));
    assert_holder(&t, ONE);
    /* A right of reply goes first, then the list goes on. */
    char more[80];
    (void)snprintf(more, sizeof(more), ",\"person\":\"%s\",\"at\":0,\"reply\":true",
                   t.p[HOST]->person);
    assert_true(say(&t, ANIM, "floor.list", more));
    assert_true(say(&t, ONE, "floor.done", ""));
    assert_holder(&t, HOST);
    assert_true(state_of(&t)->floor.reply);
    assert_true(say(&t, HOST, "floor.done", ""));
    assert_holder(&t, TWO);
    /* A latecomer comes to the end. */
    struct rig_page *late = &t.rig->pages[PAGES];
    assert_true(rig_enter(t.rig, late, t.link[ROLE_PARTICIPANT], "Tard"));
    settle(&t);
    assert_int_equal(state_of(&t)->floor.list_count, 2);
    assert_true(say_of(&t, HOST, "floor.unlist", THREE));
    assert_true(say(&t, TWO, "floor.done", ""));
    settle(&t);
    struct id id;
    assert_int_equal(id_parse(&id, ID_PERSON, late->person, strlen(late->person)), 0);
    assert_true(id_equal(&state_of(&t)->floor.holder, &id));
    assert_int_equal(state_of(&t)->floor.past_count, 5);
    rig_free(t.rig);
}

static void who_speaks_names_the_next(void **state)
{
    (void)state;
    struct table t = table_new(NULL, 0);
    char more[64];
    assert_true(say(&t, HOST, "floor.mode", ",\"mode\":\"nomination\""));
    assert_true(say_of(&t, HOST, "floor.give", ONE));
    (void)snprintf(more, sizeof(more), ",\"to\":\"%s\"", t.p[TWO]->person);
    assert_false(say(&t, TWO, "floor.done", more)); /* not his floor */
    assert_true(say(&t, ONE, "floor.done", more));
    assert_holder(&t, TWO);
    /* Who is not there cannot be named: the host picks. */
    rig_lose(t.rig, t.p[THREE]);
    (void)rig_commit(t.rig, SIZE_MAX);
    (void)snprintf(more, sizeof(more), ",\"to\":\"%s\"", t.p[THREE]->person);
    assert_false(say(&t, TWO, "floor.done", more));
    assert_true(say(&t, TWO, "floor.done", ""));
    assert_holder(&t, -1);
    rig_free(t.rig);
}

static void lots_fall_on_everybody_once(void **state)
{
    (void)state;
    struct table t = table_new(NULL, 0);
    bool had[PAGES] = {false};
    assert_true(say(&t, HOST, "floor.mode", ",\"mode\":\"random\""));
    for (unsigned i = 0; i < PAGES; i++) {
        assert_true(say(&t, HOST, "floor.next", ""));
        for (unsigned p = 0; p < PAGES; p++) {
            struct id id = id_of(&t, p);
            if (id_equal(&id, &state_of(&t)->floor.holder)) {
                assert_false(had[p]);
                had[p] = true;
            }
        }
        assert_true(say(&t, ANIM, "floor.take", ",\"how\":\"done\""));
    }
    assert_false(say(&t, HOST, "floor.next", ""));
    assert_string_equal(t.p[HOST]->error, "state");
    assert_true(say(&t, HOST, "floor.mode", ",\"mode\":\"random\",\"fresh\":true"));
    assert_true(say(&t, HOST, "floor.next", ""));
    rig_free(t.rig);
}

static void time_is_up(void **state)
{
    (void)state;
    struct admin_setting sharp[] = {{SETTING_FLOOR_TURN, 60}, {SETTING_FLOOR_OVERTIME, 2}};
    struct table t = table_new(sharp, 2);
    assert_true(say(&t, HOST, "floor.mode", ",\"mode\":\"tour\""));
    assert_true(say(&t, HOST, "floor.next", ""));
    pass(&t, 30000);
    assert_true(say(&t, ANIM, "floor.pause", ",\"paused\":true"));
    pass(&t, 120000);
    assert_holder(&t, HOST);
    assert_false(state_of(&t)->floor.over);
    assert_true(say(&t, ANIM, "floor.pause", ",\"paused\":false"));
    pass(&t, 29000);
    assert_false(state_of(&t)->floor.over);
    /* A kill and a leap of the wall clock change nothing of it. */
    t.rig->now.wall -= 3600000;
    assert_int_equal(rig_kill(t.rig), 0);
    for (unsigned i = 0; i < PAGES; i++) {
        assert_true(rig_resume(t.rig, t.p[i], true));
    }
    pass(&t, 2000);
    assert_true(state_of(&t)->floor.over);
    assert_holder(&t, HOST);
    assert_true(say(&t, ANIM, "floor.time", ",\"seconds\":30"));
    assert_false(state_of(&t)->floor.over);
    pass(&t, 31000);
    assert_true(state_of(&t)->floor.over);
    pass(&t, 15000);
    assert_holder(&t, ANIM); /* yields by itself, and the tour goes on */
    settle(&t);
    rig_free(t.rig);
}

static void whoever_leads_is_asked(void **state)
{
    (void)state;
    struct admin_setting ask[] = {{SETTING_FLOOR_TURN, 10}, {SETTING_FLOOR_OVERTIME, 1}};
    struct table t = table_new(ask, 2);
    assert_true(say(&t, HOST, "floor.mode", ",\"mode\":\"moderated\""));
    assert_true(say_of(&t, HOST, "floor.give", TWO));
    pass(&t, 26000);
    assert_true(state_of(&t)->floor.prompted);
    assert_holder(&t, TWO);
    settle(&t);
    rig_free(t.rig);
}

static void the_floor_waits_for_a_lost_holder(void **state)
{
    (void)state;
    struct table t = table_new(NULL, 0);
    assert_true(say(&t, HOST, "floor.mode", ",\"mode\":\"tour\""));
    assert_true(say_of(&t, HOST, "floor.give", TWO));
    rig_lose(t.rig, t.p[TWO]);
    pass(&t, 10000);
    assert_holder(&t, TWO);
    assert_true(state_of(&t)->floor.held_until > 0);
    assert_true(rig_resume(t.rig, t.p[TWO], true));
    pass(&t, 500);
    assert_int_equal(state_of(&t)->floor.held_until, 0);
    assert_holder(&t, TWO);
    rig_lose(t.rig, t.p[TWO]);
    pass(&t, 16000);
    assert_holder(&t, HOST);
    /* He is the next, as soon as he is back. */
    struct id two = id_of(&t, TWO);
    assert_int_equal(floor_listed(&state_of(&t)->floor, &two), 0);
    assert_true(rig_resume(t.rig, t.p[TWO], true));
    assert_true(say(&t, HOST, "floor.done", ""));
    assert_holder(&t, TWO);
    /* Gone for good: the floor goes on at once. */
    char more[80];
    (void)snprintf(more, sizeof(more), ",\"person\":\"%s\",\"ban\":false", t.p[TWO]->person);
    assert_true(say(&t, HOST, "person.remove", more));
    assert_holder(&t, ANIM);
    settle(&t);
    rig_free(t.rig);
}

static void voices_are_counted(void **state)
{
    (void)state;
    struct table t = table_new(NULL, 0);
    struct klass *k = class_find(t.rig->room, &t.class_id);
    struct id one = id_of(&t, ONE);
    struct live *l = k->lives;
    while (l && !id_equal(&l->person, &one)) {
        l = l->next;
    }
    assert_non_null(l);
    l->open = true;
    routes_sync(l);
    struct media_evt evt = {.kind = MEDIA_EVT_SPEAKING, .room = l->sent_room};
    evt.speaking.count = 1;
    evt.speaking.speaker[0] = (struct media_speaker){.device = l->num, .level = 20};
    for (unsigned i = 0; i < 320; i++) {
        classroom_media(t.rig->room, &evt, t.rig->now);
        rig_pass(t.rig, 200);
        (void)rig_commit(t.rig, SIZE_MAX);
    }
    assert_in_range(state_person(state_of(&t), &one)->heard_ms, 55000, 65000);
    assert_true(rig_count(t.p[TWO], "heard") == 1);
    /* By policy only whoever leads sees it. */
    settle(&t);
    rig_free(t.rig);
}

static void minutes_are_kept(void **state)
{
    (void)state;
    struct table t = table_new(NULL, 0);
    assert_false(say(&t, ONE, "minute.note", ",\"kind\":\"task\",\"text\":\"Non\""));
    assert_string_equal(t.p[ONE]->error, "denied");
    assert_true(say(&t, ANIM, "minute.note", ",\"kind\":\"decision\",\"text\":\"Adopté\""));
    assert_true(say(&t, HOST, "minute.note", ",\"kind\":\"task\",\"text\":\"Relire\""));
    settle(&t); /* what everybody was told is what a snapshot says */
    const struct minutes *m = &state_of(&t)->minutes;
    assert_int_equal(m->count, 2);
    assert_string_equal(rtext_str(m->list[0].text), "Adopté");
    assert_int_equal(m->list[1].kind, MINUTE_TASK);
    char more[64];
    char id[ID_TEXT_MAX];
    (void)snprintf(more, sizeof(more), ",\"minute\":\"%s\"",
                   id_print(id, ID_MESSAGE, &m->list[0].id));
    assert_false(say(&t, TWO, "minute.strike", more));
    assert_true(say(&t, HOST, "minute.strike", more));
    assert_false(say(&t, HOST, "minute.strike", more));
    assert_string_equal(t.p[HOST]->error, "not_found");
    settle(&t);
    assert_int_equal(state_of(&t)->minutes.count, 1);
    for (unsigned i = 1; i < MINUTES_MAX; i++) {
        assert_true(say(&t, HOST, "minute.note", ",\"kind\":\"point\",\"text\":\"Encore\""));
    }
    assert_false(say(&t, HOST, "minute.note", ",\"kind\":\"point\",\"text\":\"Trop\""));
    assert_string_equal(t.p[HOST]->error, "full");
    rig_free(t.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(everybody_has_a_stable_place),
        UNIT(only_the_holder_may_speak),
        UNIT(hands_queue_up),
        UNIT(a_tour_goes_round),
        UNIT(who_speaks_names_the_next),
        UNIT(lots_fall_on_everybody_once),
        UNIT(time_is_up),
        UNIT(whoever_leads_is_asked),
        UNIT(the_floor_waits_for_a_lost_holder),
        UNIT(voices_are_counted),
        UNIT(minutes_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
