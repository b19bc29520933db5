/* A webinar as people meet it: doors, air, an invitation, hidden names, seats, reactions, time. */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "signaling/class/impl.h"
#include "signaling/journal/stage.h"
#include "tests/unit/class_rig.h"

enum { HOST, SPEAKER, ONE, TWO, THREE, PAGES };
static const char canary[] = "Kanarienvogel"; /* name of TWO */

struct scene {
    struct rig *rig;
    struct id class_id;
    char link[ROLE_COUNT][TOKEN_TEXT_MAX];
    struct rig_page *p[PAGES];
    unsigned command;
};

static void settle(struct scene *s)
{
    for (unsigned i = 0; i < 4; i++) {
        (void)rig_commit(s->rig, SIZE_MAX);
        rig_pass(s->rig, 150);
    }
    for (unsigned i = 0; i < PAGES; i++) {
        if (s->p[i]->inside) {
            char *mine = rig_view_text(s->p[i]);
            char *theirs = rig_state_text(s->rig, s->p[i]);
            assert_string_equal(mine, theirs);
            free(mine);
            free(theirs);
        }
    }
}

/* One command; the code of the refusal, "" when it was taken. */
static const char *say(struct scene *s, unsigned who, const char *body)
{
    s->p[who]->error[0] = '\0';
    rig_say(s->rig, s->p[who], "{\"id\":\"w%u\",%s}", ++s->command, body);
    settle(s);
    return s->p[who]->error;
}

static const char *say_of(struct scene *s, unsigned who, const char *type, unsigned whom,
                          const char *more)
{
    char body[200];
    (void)snprintf(body, sizeof(body), "\"t\":\"%s\",\"person\":\"%s\"%s", type, s->p[whom]->person,
                   more);
    return say(s, who, body);
}

static struct scene scene_new(const struct admin_setting *settings, size_t count)
{
    struct scene s = {.rig = rig_new(PAGES + 2, 5)};
    s.class_id = rig_class_set(s.rig, CLASS_WEBINAR, settings, count);
    for (unsigned r = 0; r < ROLE_COUNT; r++) {
        rig_link(s.rig, &s.class_id, (enum role)r, false, s.link[r]);
    }
    for (unsigned i = 0; i < PAGES; i++) {
        s.p[i] = &s.rig->pages[i];
    }
    assert_true(rig_enter(s.rig, s.p[HOST], s.link[ROLE_HOST], "Hélène"));
    settle(&s);
    return s;
}

static void enter_audience(struct scene *s)
{
    assert_true(rig_enter(s->rig, s->p[ONE], s->link[ROLE_LISTENER], "Un"));
    assert_true(rig_enter(s->rig, s->p[TWO], s->link[ROLE_LISTENER], canary));
    assert_true(rig_enter(s->rig, s->p[THREE], s->link[ROLE_LISTENER], "Trois"));
    settle(s);
}

static void go_live(struct scene *s)
{
    assert_string_equal(say(s, HOST, "\"t\":\"stage.phase\",\"phase\":\"doors\""), "");
    assert_string_equal(say(s, HOST, "\"t\":\"stage.phase\",\"phase\":\"starting\""), "");
    rig_pass(s->rig, 3100);
    settle(s);
}

static const struct klass *class_of(const struct scene *s)
{
    return s->rig->room->classes[0];
}

static enum stage_phase phase_of(const struct scene *s)
{
    return class_of(s)->done->stage->phase;
}

static struct id person_of(const struct scene *s, unsigned who)
{
    struct id id;
    assert_int_equal(id_parse(&id, ID_PERSON, s->p[who]->person, strlen(s->p[who]->person)), 0);
    return id;
}

static enum stage_place place_of(const struct scene *s, unsigned who)
{
    struct id id = person_of(s, who);
    return stage_place(class_of(s)->done, &id);
}

static void doors_keep_the_audience_out(void **state)
{
    (void)state;
    struct scene s = scene_new(NULL, 0);
    assert_false(rig_enter(s.rig, s.p[ONE], s.link[ROLE_LISTENER], "Un"));
    settle(&s);
    assert_false(s.p[ONE]->inside);
    assert_string_equal(say(&s, HOST, "\"t\":\"stage.phase\",\"phase\":\"air\""), "state");
    assert_string_equal(say(&s, HOST, "\"t\":\"stage.phase\",\"phase\":\"doors\""), "");
    assert_true(s.p[ONE]->inside); /* let in when the doors opened */
    assert_string_equal(say(&s, ONE, "\"t\":\"stage.phase\",\"phase\":\"starting\""), "denied");
    assert_string_equal(say(&s, HOST, "\"t\":\"stage.phase\",\"phase\":\"starting\""), "");
    assert_int_equal(phase_of(&s), STAGE_STARTING);
    const json_t *stage = json_object_get(s.p[ONE]->view, "stage");
    assert_string_equal(json_string_value(json_object_get(stage, "phase")), "doors");
    assert_null(json_object_get(stage, "due"));
    rig_pass(s.rig, 3100);
    settle(&s);
    assert_int_equal(phase_of(&s), STAGE_AIR);
    rig_free(s.rig);
}

static void air_outlives_the_host(void **state)
{
    (void)state;
    struct scene s = scene_new(NULL, 0);
    assert_true(rig_enter(s.rig, s.p[SPEAKER], s.link[ROLE_SPEAKER], "Sara"));
    settle(&s);
    assert_int_equal(place_of(&s, SPEAKER), PLACE_STAGE);
    go_live(&s);
    enter_audience(&s);
    rig_lose(s.rig, s.p[HOST]);
    rig_pass(s.rig, 61000);
    settle(&s);
    assert_int_equal(phase_of(&s), STAGE_AIR);
    assert_int_equal(place_of(&s, SPEAKER), PLACE_STAGE);
    rig_free(s.rig);
}

static void a_guest_goes_up_and_comes_down(void **state)
{
    (void)state;
    struct scene s = scene_new(NULL, 0);
    go_live(&s);
    enter_audience(&s);
    assert_string_equal(say(&s, ONE,
                            "\"t\":\"media.state\",\"mic\":\"on\",\"cam\":false,"
                            "\"screen\":false,\"sound\":false"),
                        "denied");
    assert_string_equal(say(&s, ONE, "\"t\":\"stage.answer\",\"accept\":true"), "state");
    assert_string_equal(say_of(&s, HOST, "stage.place", ONE, ",\"place\":\"stage\""), "state");
    assert_string_equal(say_of(&s, HOST, "stage.invite", ONE, ""), "");
    assert_int_equal(json_array_size(json_object_get(s.p[ONE]->view, "invites")), 1);
    assert_int_equal(json_array_size(json_object_get(s.p[THREE]->view, "invites")), 0);
    assert_string_equal(say(&s, ONE, "\"t\":\"stage.answer\",\"accept\":true"), "");
    assert_int_equal(place_of(&s, ONE), PLACE_WINGS);
    assert_string_equal(say(&s, ONE,
                            "\"t\":\"media.state\",\"mic\":\"on\",\"cam\":true,"
                            "\"screen\":false,\"sound\":false"),
                        "");
    assert_string_equal(say_of(&s, HOST, "stage.place", ONE, ",\"place\":\"stage\",\"seconds\":20"),
                        "");
    assert_int_equal(place_of(&s, ONE), PLACE_STAGE);
    rig_pass(s.rig, 21000);
    settle(&s);
    assert_int_equal(place_of(&s, ONE), PLACE_AUDIENCE); /* the turn was over */
    struct id one = person_of(&s, ONE);
    const struct seat *seat = state_seat(class_of(&s)->done, &one);
    assert_int_equal(seat->devices[0].media, 0);
    assert_int_equal(seat->person->role, ROLE_LISTENER);
    rig_free(s.rig);
}

static void an_invitation_runs_out(void **state)
{
    (void)state;
    struct scene s = scene_new(NULL, 0);
    go_live(&s);
    enter_audience(&s);
    assert_string_equal(say_of(&s, HOST, "stage.invite", ONE, ""), "");
    assert_string_equal(say_of(&s, HOST, "stage.invite", TWO, ""), "");
    assert_string_equal(say(&s, TWO, "\"t\":\"stage.answer\",\"accept\":false"), "");
    assert_int_equal(place_of(&s, TWO), PLACE_AUDIENCE);
    rig_pass(s.rig, 31000);
    settle(&s);
    assert_int_equal(class_of(&s)->done->stage->invite_count, 0);
    assert_string_equal(say(&s, ONE, "\"t\":\"stage.answer\",\"accept\":true"), "state");
    rig_free(s.rig);
}

static void hidden_names_are_never_told(void **state)
{
    (void)state;
    struct scene s = scene_new(NULL, 0);
    go_live(&s);
    s.p[ONE]->canary = canary;
    s.p[THREE]->canary = canary;
    s.p[HOST]->canary = canary;
    enter_audience(&s);
    assert_string_equal(say(&s, TWO, "\"t\":\"chat.send\",\"text\":\"une question\""), "");
    assert_string_equal(say(&s, TWO, "\"t\":\"hand.raise\",\"kind\":\"speak\""), "");
    assert_string_equal(say(&s, TWO, "\"t\":\"react\",\"kind\":\"heart\""), "");
    assert_string_equal(say_of(&s, HOST, "stage.invite", TWO, ""), "");
    assert_string_equal(say(&s, TWO, "\"t\":\"stage.answer\",\"accept\":true"), "");
    rig_say(s.rig, s.p[THREE], "{\"t\":\"sync\",\"have\":0}");
    settle(&s);
    assert_int_equal(rig_count(s.p[ONE], "chat"), 1);
    assert_int_equal(rig_count(s.p[ONE], "people"), 2); /* the stage and oneself */
    assert_int_equal(s.p[ONE]->leaks, 0);
    assert_int_equal(s.p[THREE]->leaks, 0);
    assert_true(s.p[HOST]->leaks > 0); /* the canary does sing where it may */
    assert_string_equal(say_of(&s, HOST, "stage.place", TWO, ",\"place\":\"stage\""), "");
    assert_true(s.p[ONE]->leaks > 0); /* on stage one is known */
    assert_int_equal(rig_count(s.p[ONE], "people"), 3);
    rig_free(s.rig);
}

static void names_can_be_shown(void **state)
{
    (void)state;
    struct scene s = scene_new(NULL, 0);
    go_live(&s);
    enter_audience(&s);
    assert_int_equal(rig_count(s.p[ONE], "people"), 2);
    assert_string_equal(
        say(&s, HOST, "\"t\":\"class.set\",\"key\":\"audience\",\"value\":\"shown\""), "");
    assert_int_equal(rig_count(s.p[ONE], "people"), 4);
    assert_string_equal(
        say(&s, HOST, "\"t\":\"class.set\",\"key\":\"audience\",\"value\":\"hidden\""), "");
    assert_int_equal(rig_count(s.p[ONE], "people"), 2);
    rig_free(s.rig);
}

static void full_light_then_waiting(void **state)
{
    (void)state;
    static const struct admin_setting settings[] = {
        {SETTING_SEATS, 6}, {SETTING_RESERVED, 5}, {SETTING_LIGHT, 1}};
    struct scene s = scene_new(settings, 3);
    go_live(&s);
    assert_true(rig_enter(s.rig, s.p[ONE], s.link[ROLE_LISTENER], "Un"));
    settle(&s);
    assert_int_equal(class_of(&s)->done->stage->fill, 2);
    assert_false(rig_enter(s.rig, s.p[TWO], s.link[ROLE_LISTENER], "Deux"));
    settle(&s);
    rig_say(s.rig, s.p[TWO],
            "{\"t\":\"join\",\"id\":\"j2\",\"name\":\"Deux\",\"mic\":false,"
            "\"cam\":false,\"light\":true}");
    settle(&s);
    assert_true(s.p[TWO]->inside);
    assert_true(json_is_true(json_object_get(s.p[TWO]->view, "light")));
    assert_false(rig_enter(s.rig, s.p[THREE], s.link[ROLE_LISTENER], "Trois"));
    settle(&s);
    assert_int_equal(class_of(&s)->done->wait_count, 1);
    /* Staff and speakers have seats of their own. */
    assert_true(rig_enter(s.rig, s.p[SPEAKER], s.link[ROLE_SPEAKER], "Sara"));
    assert_string_equal(say(&s, ONE, "\"t\":\"leave\""), "");
    assert_true(s.p[THREE]->inside); /* the seat that came free */
    assert_null(json_object_get(s.p[THREE]->view, "light"));
    rig_free(s.rig);
}

/* What the server allows is full for the audience before it is for staff and speakers. */
static void reserved_seats_of_the_server(void **state)
{
    (void)state;
    static const struct admin_setting settings[] = {{SETTING_RESERVED, 2}};
    struct scene s = scene_new(settings, 1);
    s.rig->room->config.people_max = 4;
    go_live(&s);
    assert_true(rig_enter(s.rig, s.p[ONE], s.link[ROLE_LISTENER], "Un"));
    assert_true(rig_enter(s.rig, s.p[TWO], s.link[ROLE_LISTENER], "Deux"));
    assert_false(rig_enter(s.rig, s.p[THREE], s.link[ROLE_LISTENER], "Trois"));
    assert_string_equal(s.p[THREE]->error, "full");
    assert_true(rig_enter(s.rig, s.p[SPEAKER], s.link[ROLE_SPEAKER], "Sara"));
    rig_free(s.rig);
}

static void reactions_are_counted_not_kept(void **state)
{
    (void)state;
    struct scene s = scene_new(NULL, 0);
    go_live(&s);
    enter_audience(&s);
    uint64_t seq = class_of(&s)->done->seq;
    unsigned taken = 0;
    for (unsigned i = 0; i < 8; i++) {
        s.p[ONE]->error[0] = '\0';
        rig_say(s.rig, s.p[ONE], "{\"t\":\"react\",\"id\":\"r%u\",\"kind\":\"clap\"}", i);
        taken += s.p[ONE]->error[0] == '\0';
    }
    assert_int_equal(taken, 5);
    settle(&s);
    assert_int_equal(class_of(&s)->done->seq, seq);
    rig_pass(s.rig, 1500);
    assert_string_equal(json_string_value(json_object_get(s.p[THREE]->last, "t")), "audience");
    rig_free(s.rig);
}

static void words_go_where_the_class_says(void **state)
{
    (void)state;
    struct scene s = scene_new(NULL, 0);
    go_live(&s);
    enter_audience(&s);
    (void)say(&s, HOST, "\"t\":\"class.set\",\"key\":\"chat\",\"value\":\"staff\"");
    s.p[THREE]->canary = "confidence";
    assert_string_equal(say(&s, ONE, "\"t\":\"chat.send\",\"text\":\"une confidence\""), "");
    assert_int_equal(rig_count(s.p[HOST], "chat"), 1);
    assert_int_equal(rig_count(s.p[ONE], "chat"), 1);
    assert_int_equal(rig_count(s.p[THREE], "chat"), 0);
    assert_int_equal(s.p[THREE]->leaks, 0);
    (void)say(&s, HOST, "\"t\":\"class.set\",\"key\":\"chat\",\"value\":\"off\"");
    assert_string_equal(say(&s, ONE, "\"t\":\"chat.send\",\"text\":\"encore\""), "denied");
    (void)say(&s, HOST, "\"t\":\"class.set\",\"key\":\"chat\",\"value\":\"public\"");
    (void)say(&s, HOST, "\"t\":\"class.set\",\"key\":\"chat-slow\",\"value\":\"10\"");
    rig_pass(s.rig, 11000);
    assert_string_equal(say(&s, ONE, "\"t\":\"chat.send\",\"text\":\"un\""), "");
    assert_string_equal(say(&s, ONE, "\"t\":\"chat.send\",\"text\":\"deux\""), "denied");
    assert_string_equal(say(&s, HOST, "\"t\":\"chat.send\",\"text\":\"a\""), "");
    assert_string_equal(say(&s, HOST, "\"t\":\"chat.send\",\"text\":\"b\""), "");
    rig_free(s.rig);
}

static void a_kill_on_air_changes_nothing(void **state)
{
    (void)state;
    struct scene s = scene_new(NULL, 0);
    go_live(&s);
    enter_audience(&s);
    assert_string_equal(say_of(&s, HOST, "stage.invite", ONE, ""), "");
    assert_int_equal(rig_kill(s.rig), 0);
    assert_int_equal(phase_of(&s), STAGE_AIR);
    assert_int_equal(class_of(&s)->done->stage->invite_count, 1);
    for (unsigned i = 0; i < PAGES; i++) {
        if (i != SPEAKER) {
            assert_true(rig_resume(s.rig, s.p[i], true));
        }
    }
    settle(&s);
    assert_int_equal(place_of(&s, HOST), PLACE_STAGE);
    assert_string_equal(say(&s, ONE, "\"t\":\"stage.answer\",\"accept\":true"), "");
    assert_int_equal(place_of(&s, ONE), PLACE_WINGS);
    rig_free(s.rig);
}

static bool knows(const struct scene *s, unsigned who, unsigned whom)
{
    size_t i;
    json_t *p;
    json_array_foreach(json_object_get(s->p[who]->view, "people"), i, p)
    {
        if (strcmp(json_string_value(json_object_get(p, "id")), s->p[whom]->person) == 0) {
            return true;
        }
    }
    return false;
}

static void place(struct scene *s, unsigned whom, unsigned room)
{
    char body[300];
    const json_t *set = json_array_get(json_object_get(s->p[HOST]->view, "workshops"), 0);
    const json_t *at = json_array_get(json_object_get(set, "rooms"), room);
    (void)snprintf(body, sizeof(body),
                   "\"t\":\"workshop.place\",\"set\":\"%s\",\"person\":\"%s\",\"room\":\"%s\"",
                   json_string_value(json_object_get(set, "id")), s->p[whom]->person,
                   json_string_value(json_object_get(at, "id")));
    assert_string_equal(say(s, HOST, body), "");
}

/* A set of two rooms that open without notice, nobody placed yet. */
static void prepare_tables(struct scene *s)
{
    char body[200];
    assert_string_equal(
        say(s, HOST, "\"t\":\"workshop.create\",\"title\":\"A\",\"names\":[\"R1\",\"R2\"]"), "");
    const json_t *set = json_array_get(json_object_get(s->p[HOST]->view, "workshops"), 0);
    (void)snprintf(body, sizeof(body),
                   "\"t\":\"workshop.change\",\"set\":\"%s\",\"notice\":0,\"closing\":0",
                   json_string_value(json_object_get(set, "id")));
    assert_string_equal(say(s, HOST, body), "");
}

static void open_tables(struct scene *s)
{
    char body[200];
    const json_t *set = json_array_get(json_object_get(s->p[HOST]->view, "workshops"), 0);
    (void)snprintf(body, sizeof(body), "\"t\":\"workshop.open\",\"set\":\"%s\"",
                   json_string_value(json_object_get(set, "id")));
    assert_string_equal(say(s, HOST, body), "");
}

/* At a table its people know each other; the rest of the hall stays unknown, and so do they again
 * when they are back in it. */
static void a_table_of_a_hidden_audience(void **state)
{
    (void)state;
    struct admin_setting hidden[] = {{SETTING_AUDIENCE, AUDIENCE_HIDDEN}};
    struct scene s = scene_new(hidden, 1);
    go_live(&s);
    s.p[THREE]->canary = canary;
    enter_audience(&s);
    prepare_tables(&s);
    place(&s, ONE, 0);
    place(&s, TWO, 0);
    place(&s, THREE, 1);
    open_tables(&s);
    assert_true(knows(&s, ONE, TWO) && knows(&s, TWO, ONE));
    assert_true(knows(&s, ONE, HOST)); /* of the stage, wherever one sits */
    assert_false(knows(&s, ONE, THREE) || knows(&s, THREE, ONE) || knows(&s, THREE, TWO));
    /* A hand at the table is for the table. */
    assert_string_equal(say(&s, TWO, "\"t\":\"hand.raise\",\"kind\":\"speak\""), "");
    assert_int_equal(rig_count(s.p[ONE], "hands"), 1);
    assert_int_equal(rig_count(s.p[THREE], "hands"), 0);
    /* One comes over, one is lost for a while, one goes. */
    place(&s, ONE, 1);
    assert_true(knows(&s, ONE, THREE) && knows(&s, THREE, ONE));
    assert_false(knows(&s, ONE, TWO) || knows(&s, TWO, ONE));
    rig_lose(s.rig, s.p[ONE]);
    settle(&s);
    assert_true(rig_resume(s.rig, s.p[ONE], true));
    settle(&s);
    assert_true(knows(&s, THREE, ONE));
    assert_string_equal(say(&s, ONE, "\"t\":\"leave\""), "");
    assert_false(knows(&s, THREE, ONE));
    assert_string_equal(say(&s, HOST, "\"t\":\"workshop.close\",\"seconds\":0"), "");
    assert_false(knows(&s, TWO, THREE) || knows(&s, THREE, TWO));
    assert_int_equal(s.p[THREE]->leaks, 0);
    rig_free(s.rig);
}

static bool may(const struct scene *s, unsigned who, enum right right)
{
    const json_t *rights = json_object_get(s->p[who]->view, "rights");
    bool told = false;
    for (size_t i = 0; i < json_array_size(rights); i++) {
        const char *name = json_string_value(json_array_get(rights, i));
        told = told || strcmp(name, right_name(right)) == 0;
    }
    struct id id = person_of(s, who);
    const struct state *done = class_of(s)->done;
    assert_int_equal(right_has(state_rights(done, state_person(done, &id)), right), told);
    return told;
}

/* What all pages of this person want to send. */
static uint32_t wants(const struct scene *s, unsigned who)
{
    struct id id = person_of(s, who);
    const struct seat *seat = state_seat(class_of(s)->done, &id);
    uint32_t media = 0;
    for (unsigned i = 0; i < seat->device_count; i++) {
        media |= seat->devices[i].media;
    }
    return media;
}

static const char mic_on[] =
    "\"t\":\"media.state\",\"mic\":\"on\",\"cam\":false,\"screen\":false,\"sound\":false";

/* The audience has a voice at a table, as far as the staff lets it, and none of it comes back. */
static void the_audience_speaks_at_a_table(void **state)
{
    (void)state;
    struct scene s = scene_new(NULL, 0);
    go_live(&s);
    enter_audience(&s);
    assert_string_equal(say(&s, ONE, mic_on), "denied");
    prepare_tables(&s);
    place(&s, ONE, 0);
    place(&s, TWO, 1);
    open_tables(&s);
    assert_true(may(&s, ONE, RIGHT_MIC) && may(&s, ONE, RIGHT_CAM));
    assert_false(may(&s, ONE, RIGHT_SCREEN) || may(&s, ONE, RIGHT_MUTE));
    assert_false(may(&s, THREE, RIGHT_MIC));
    assert_int_equal(wants(&s, ONE), 0); /* closed on arrival */
    assert_string_equal(say(&s, ONE, mic_on), "");
    assert_int_equal(wants(&s, ONE), MEDIA_MIC);
    /* A lock holds for them as for everybody, and lifting it opens nothing. */
    const char *const lock = "\"t\":\"lock.set\",\"feature\":\"mic\",\"locked\":true";
    assert_string_equal(say(&s, HOST, lock), "");
    assert_int_equal(wants(&s, ONE), 0);
    assert_string_equal(say(&s, ONE, mic_on), "denied");
    const char *const free_again = "\"t\":\"lock.set\",\"feature\":\"mic\",\"locked\":false";
    assert_string_equal(say(&s, HOST, free_again), "");
    assert_int_equal(wants(&s, ONE), 0);
    assert_string_equal(say(&s, ONE, mic_on), "");
    /* To another table with the microphone as it was; to the hall without. */
    place(&s, ONE, 1);
    assert_int_equal(wants(&s, ONE), MEDIA_MIC);
    const json_t *set = json_array_get(json_object_get(s.p[HOST]->view, "workshops"), 0);
    assert_string_equal(json_string_value(json_object_get(set, "state")), "open");
    assert_string_equal(say(&s, HOST, "\"t\":\"workshop.close\",\"seconds\":0"), "");
    assert_int_equal(wants(&s, ONE), 0);
    assert_false(may(&s, ONE, RIGHT_MIC) || may(&s, ONE, RIGHT_CAM));
    assert_string_equal(say(&s, ONE, mic_on), "denied");
    rig_free(s.rig);
}

/* A second page of one of the audience comes with its microphone on, and may not. */
static void another_page_sends_no_more(void **state)
{
    (void)state;
    struct scene s = scene_new(NULL, 0);
    go_live(&s);
    enter_audience(&s);
    assert_int_equal(wants(&s, ONE), 0);
    struct rig_page *more = &s.rig->pages[PAGES];
    (void)snprintf(more->guest, sizeof(more->guest), "%s", s.p[ONE]->guest);
    assert_true(rig_enter(s.rig, more, s.link[ROLE_LISTENER], "Un"));
    settle(&s);
    assert_string_equal(more->person, s.p[ONE]->person);
    assert_int_equal(wants(&s, ONE), 0);
    rig_free(s.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(doors_keep_the_audience_out),    UNIT(air_outlives_the_host),
        UNIT(a_guest_goes_up_and_comes_down), UNIT(an_invitation_runs_out),
        UNIT(hidden_names_are_never_told),    UNIT(names_can_be_shown),
        UNIT(full_light_then_waiting),        UNIT(reactions_are_counted_not_kept),
        UNIT(words_go_where_the_class_says),  UNIT(a_kill_on_air_changes_nothing),
        UNIT(a_table_of_a_hidden_audience),   UNIT(reserved_seats_of_the_server),
        UNIT(the_audience_speaks_at_a_table), UNIT(another_page_sends_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
