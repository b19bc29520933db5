/* Workshops conducted on the real classroom: prepared, opened, moved, listened to, closed, kept. */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "signaling/class/impl.h"
#include "signaling/class/ws.h"
#include "tests/unit/class_rig.h"

enum { HOST, ANIM, A, B, C, D, LATE, PAGES };

struct scene {
    struct rig *rig;
    struct id class_id;
    char link[ROLE_COUNT][TOKEN_TEXT_MAX];
    struct rig_page *p[PAGES];
    unsigned next;
    char set[ID_TEXT_MAX];
    char room[3][ID_TEXT_MAX];
};

static const char offer[] =
    "{\"t\":\"media.offer\",\"id\":\"o%u\",\"cause\":\"load\",\"offer\":{\"u\":\"abcd\","
    "\"p\":\"0123456789012345678901\",\"f\":\"%064d\",\"n\":[5,16],\"a\":{\"opus\":[111]},"
    "\"v\":{\"vp8\":[96,97]},\"xa\":{},\"xv\":{\"mid\":4},\"s\":[1,0,3,4,5]}}";

static void settle(struct scene *s)
{
    (void)rig_commit(s->rig, SIZE_MAX);
    rig_pass(s->rig, 200);
    (void)rig_commit(s->rig, SIZE_MAX);
}

static void check_views(struct scene *s)
{
    for (size_t i = 0; i < s->rig->page_count; i++) {
        struct rig_page *page = &s->rig->pages[i];
        if (page->inside) {
            char *mine = rig_view_text(page);
            char *theirs = rig_state_text(s->rig, page);
            if (strcmp(mine, theirs) != 0) {
                size_t at = 0;
                while (mine[at] == theirs[at]) {
                    at++;
                }
                at = at > 60 ? at - 60 : 0;
                fail_msg("page %zu has %.200s\nbut should %.200s", i, mine + at, theirs + at);
            }
            free(mine);
            free(theirs);
        }
    }
}

/* Says it, with a fresh id, and waits. Returns the code of a refusal, "" = done. */
#define SAY(s, who, type, ...) say((s), (s)->p[who], type, "" __VA_ARGS__)
static const char *say(struct scene *s, struct rig_page *page, const char *type, const char *format,
                       ...)
{
    char fields[2000] = "";
    va_list args;
    va_start(args, format);
    (void)vsnprintf(fields, sizeof(fields), format, args);
    va_end(args);
    page->error[0] = '\0';
    rig_say(s->rig, page, "{\"t\":\"%s\",\"id\":\"x%u\"%s%s}", type, ++s->next,
            fields[0] ? "," : "", fields);
    settle(s);
    check_views(s);
    return page->error;
}

static void enter(struct scene *s, unsigned who, enum role role, const char *name)
{
    assert_true(rig_enter(s->rig, s->p[who], s->link[role], name));
    settle(s);
    rig_say(s->rig, s->p[who], offer, ++s->next, 0);
    (void)SAY(s, who, "media.state",
              "\"mic\":\"on\",\"cam\":true,\"screen\":false,\"sound\":false");
}

static const json_t *member(struct scene *s, unsigned who, const char *list, size_t i)
{
    return json_array_get(json_object_get(s->p[who]->view, list), i);
}

static const char *text(const json_t *o, const char *key)
{
    const char *found = json_string_value(json_object_get(o, key));
    return found ? found : "";
}

static struct scene scene_new(enum class_type type)
{
    static const char *const names[] = {"Hélène", "Ali", "Ana", "Bea", "Cyd", "Dan"};
    struct scene s = {.rig = rig_new(PAGES + 2, 7)};
    s.class_id = rig_class(s.rig, type);
    for (unsigned r = 0; r < ROLE_COUNT; r++) {
        rig_link(s.rig, &s.class_id, (enum role)r, false, s.link[r]);
    }
    for (unsigned i = 0; i < PAGES; i++) {
        s.p[i] = &s.rig->pages[i];
    }
    for (unsigned i = 0; i < LATE; i++) {
        enter(&s, i,
              i == HOST   ? ROLE_HOST
              : i == ANIM ? ROLE_ANIMATOR
                          : ROLE_PARTICIPANT,
              names[i]);
    }
    return s;
}

static void scene_end(struct scene *s)
{
    rig_free(s->rig);
}

/* A draft with three tables. */
static void draft(struct scene *s)
{
    assert_string_equal(SAY(s, HOST, "workshop.create",
                            "\"title\":\"Cas\",\"names\":[\"Rouge\",\"Vert\",\"Bleu\"]"),
                        "");
    const json_t *set = member(s, HOST, "workshops", 0);
    (void)snprintf(s->set, sizeof(s->set), "%s", text(set, "id"));
    for (size_t i = 0; i < 3; i++) {
        const json_t *room = json_array_get(json_object_get(set, "rooms"), i);
        (void)snprintf(s->room[i], sizeof(s->room[i]), "%s", text(room, "id"));
    }
}

static void place(struct scene *s, unsigned who, unsigned room)
{
    assert_string_equal(SAY(s, HOST, "workshop.place",
                            "\"set\":\"%s\",\"person\":\"%s\",\"room\":\"%s\"", s->set,
                            s->p[who]->person, s->room[room]),
                        "");
}

static const char *room_seen(struct scene *s, unsigned viewer, unsigned who)
{
    const json_t *people = json_object_get(s->p[viewer]->view, "people");
    for (size_t i = 0; i < json_array_size(people); i++) {
        const json_t *p = json_array_get(people, i);
        if (strcmp(text(p, "id"), s->p[who]->person) == 0) {
            return text(p, "room");
        }
    }
    return "absent";
}

static void assert_in(struct scene *s, unsigned who, int room)
{
    const char *want = room < 0 ? "" : s->room[room];
    assert_string_equal(room_seen(s, HOST, who), want);
    assert_string_equal(room_seen(s, who, who), want);
}

static void open_set(struct scene *s)
{
    assert_string_equal(SAY(s, HOST, "workshop.open", "\"set\":\"%s\"", s->set), "");
    rig_pass(s->rig, 10500);
    settle(s);
    check_views(s);
}

static const struct rig_device *device(struct scene *s, unsigned who)
{
    struct id id;
    assert_int_equal(id_parse(&id, ID_DEVICE, s->p[who]->device, strlen(s->p[who]->device)), 0);
    struct klass *k = class_find(s->rig->room, &s->class_id);
    const struct live *l = live_find(s->rig->room, k, &id);
    assert_non_null(l);
    return &s->rig->devices[l->num];
}

static bool hears(struct scene *s, unsigned who, room_num room)
{
    const struct rig_device *d = device(s, who);
    bool found = d->room == room;
    for (unsigned i = 0; i < d->ears.ears; i++) {
        found = found || d->ears.ear[i] == room;
    }
    return found;
}

/* By what the media server was told: does `who` hear the microphone of `of`? */
static bool hears_mic(struct scene *s, unsigned who, unsigned of)
{
    const struct rig_device *d = device(s, of);
    room_num room = d->voice ? d->voice : d->room;
    return (d->publish & MEDIA_MIC) && room && hears(s, who, room);
}

/* ---- tests
 * ---------------------------------------------------------------------------------------- */

static void drafts_are_the_staffs_alone(void **state)
{
    (void)state;
    struct scene s = scene_new(CLASS_STANDARD);
    draft(&s);
    place(&s, A, 0);
    assert_int_equal(rig_count(s.p[ANIM], "workshops"), 1);
    assert_int_equal(rig_count(s.p[A], "workshops"), 0);
    assert_null(json_object_get(s.p[A]->view, "places"));
    assert_string_equal(SAY(&s, A, "workshop.open", "\"set\":\"%s\"", s.set), "denied");
    assert_string_equal(SAY(&s, A, "workshop.create", "\"title\":\"x\",\"names\":[\"y\"]"),
                        "denied");
    assert_in(&s, A, -1);
    scene_end(&s);
}

static void people_go_when_the_notice_ends(void **state)
{
    (void)state;
    struct scene s = scene_new(CLASS_STANDARD);
    draft(&s);
    place(&s, A, 0);
    place(&s, B, 0);
    place(&s, C, 1);
    room_num before = device(&s, A)->room;
    uint32_t opens = device(&s, A)->opens;
    assert_string_equal(SAY(&s, HOST, "workshop.open", "\"set\":\"%s\"", s.set), "");
    assert_in(&s, A, -1); /* ten seconds of notice */
    assert_string_equal(text(member(&s, A, "place", 0), "room"), s.room[0]);
    rig_pass(s.rig, 9000);
    assert_in(&s, A, -1);
    rig_pass(s.rig, 1500);
    settle(&s);
    check_views(&s);
    assert_in(&s, A, 0);
    assert_in(&s, B, 0);
    assert_in(&s, C, 1);
    assert_in(&s, D, -1); /* nobody placed him */
    assert_true(hears_mic(&s, A, B));
    assert_false(hears_mic(&s, A, C));
    assert_false(hears_mic(&s, A, HOST));
    assert_true(hears_mic(&s, D, HOST));
    assert_int_not_equal(device(&s, A)->room, before);
    assert_int_equal(device(&s, A)->opens, opens); /* no new connection */
    scene_end(&s);
}

static void refusing_keeps_one_in_the_main_room(void **state)
{
    (void)state;
    struct scene s = scene_new(CLASS_STANDARD);
    draft(&s);
    place(&s, A, 0);
    place(&s, B, 0);
    assert_string_equal(SAY(&s, HOST, "workshop.open", "\"set\":\"%s\"", s.set), "");
    assert_string_equal(SAY(&s, A, "workshop.stay"), "");
    assert_string_equal(SAY(&s, B, "workshop.go", "\"room\":\"%s\"", s.room[0]), "");
    assert_in(&s, B, 0); /* at once, not waiting for the end of the notice */
    place(&s, B, 1);
    assert_in(&s, B, 1); /* nor does who is at a table already */
    place(&s, B, 0);
    assert_in(&s, B, 0);
    rig_pass(s.rig, 11000);
    settle(&s);
    assert_in(&s, A, -1);
    assert_string_equal(text(member(&s, A, "place", 0), "stand"), "refused");
    assert_string_equal(SAY(&s, A, "workshop.go", "\"room\":\"%s\"", s.room[1]), "denied");
    assert_string_equal(SAY(&s, A, "workshop.go", "\"room\":\"%s\"", s.room[0]), "");
    assert_in(&s, A, 0);
    assert_string_equal(SAY(&s, A, "workshop.go"), "");
    assert_in(&s, A, -1);
    assert_string_equal(text(member(&s, A, "place", 0), "stand"), "back");
    scene_end(&s);
}

static void a_move_opens_nothing(void **state)
{
    (void)state;
    struct scene s = scene_new(CLASS_STANDARD);
    draft(&s);
    place(&s, A, 0);
    place(&s, B, 0);
    (void)SAY(&s, A, "media.state",
              "\"mic\":\"off\",\"cam\":false,\"screen\":false,\"sound\":false");
    open_set(&s);
    assert_int_equal(device(&s, A)->publish, 0);
    for (unsigned i = 0; i < 3; i++) {
        place(&s, A, i);
        place(&s, B, i);
        assert_in(&s, A, (int)i);
        assert_int_equal(device(&s, A)->publish, 0);
        assert_int_equal(device(&s, B)->publish, MEDIA_MIC | MEDIA_CAM);
        assert_int_equal(device(&s, A)->opens, 1);
    }
    scene_end(&s);
}

static void listening_is_told_to_the_room(void **state)
{
    (void)state;
    struct scene s = scene_new(CLASS_STANDARD);
    draft(&s);
    place(&s, A, 0);
    place(&s, B, 1);
    open_set(&s);
    assert_string_equal(SAY(&s, A, "workshop.listen", "\"room\":\"%s\",\"desk\":false", s.room[1]),
                        "denied");
    assert_string_equal(
        SAY(&s, ANIM, "workshop.listen", "\"room\":\"%s\",\"desk\":true", s.room[0]), "");
    assert_true(hears_mic(&s, ANIM, A));
    assert_false(hears_mic(&s, ANIM, B));
    assert_true(hears_mic(&s, ANIM, HOST)); /* still in the main room */
    assert_false(hears_mic(&s, A, ANIM));
    assert_string_equal(text(member(&s, A, "listeners", 0), "person"), s.p[ANIM]->person);
    assert_string_equal(text(member(&s, A, "listeners", 0), "room"), s.room[0]);
    /* The desk looks at a table it does not listen to; nobody else can. */
    rig_say(s.rig, s.p[ANIM], "{\"t\":\"view\",\"want\":[[0,\"%s\",\"cam\",180]]}", s.p[B]->device);
    assert_int_equal(device(&s, ANIM)->ears.eyes, 1);
    assert_int_equal(device(&s, ANIM)->ears.eye[0], device(&s, B)->room);
    s.p[HOST]->error[0] = '\0';
    rig_say(s.rig, s.p[HOST], "{\"t\":\"view\",\"want\":[[0,\"%s\",\"cam\",180]]}", s.p[B]->device);
    assert_string_equal(s.p[HOST]->error, "not_found");
    assert_int_equal(device(&s, HOST)->ears.eyes, 0);
    assert_string_equal(SAY(&s, ANIM, "workshop.listen", "\"desk\":false"), "");
    assert_false(hears_mic(&s, ANIM, A));
    assert_int_equal(device(&s, ANIM)->ears.eyes, 0);
    assert_int_equal(rig_count(s.p[A], "listeners"), 0);
    scene_end(&s);
}

static void talking_is_heard_in_one_room_only(void **state)
{
    (void)state;
    struct scene s = scene_new(CLASS_STANDARD);
    draft(&s);
    place(&s, A, 0);
    place(&s, B, 1);
    open_set(&s);
    (void)SAY(&s, ANIM, "media.state",
              "\"mic\":\"off\",\"cam\":false,\"screen\":false,\"sound\":false");
    assert_string_equal(SAY(&s, ANIM, "workshop.talk", "\"room\":\"%s\"", s.room[0]), "");
    assert_true(hears_mic(&s, A, ANIM));
    assert_false(hears_mic(&s, B, ANIM));
    assert_false(hears_mic(&s, HOST, ANIM));
    assert_string_equal(SAY(&s, ANIM, "workshop.talk"), "");
    assert_false(hears_mic(&s, A, ANIM));
    assert_int_equal(device(&s, ANIM)->publish, 0); /* closed before, closed after */
    assert_int_equal(device(&s, ANIM)->voice, 0);
    /* One whose microphone was open speaks in the main room again. */
    assert_string_equal(SAY(&s, HOST, "workshop.talk", "\"room\":\"%s\"", s.room[1]), "");
    assert_true(hears_mic(&s, B, HOST));
    assert_false(hears_mic(&s, D, HOST));
    assert_string_equal(SAY(&s, HOST, "workshop.talk"), "");
    assert_true(hears_mic(&s, D, HOST));
    assert_false(hears_mic(&s, B, HOST));
    assert_string_equal(SAY(&s, A, "workshop.talk", "\"room\":\"%s\"", s.room[1]), "denied");
    scene_end(&s);
}

static void announcements_reach_whom_they_name(void **state)
{
    (void)state;
    struct scene s = scene_new(CLASS_STANDARD);
    draft(&s);
    place(&s, A, 0);
    place(&s, B, 1);
    place(&s, C, 2);
    open_set(&s);
    assert_string_equal(SAY(&s, HOST, "workshop.voice", "\"on\":true"), "");
    for (unsigned i = ANIM; i < LATE; i++) {
        assert_true(hears_mic(&s, i, HOST));
        assert_false(hears_mic(&s, HOST, A)); /* one way */
    }
    assert_string_equal(SAY(&s, HOST, "workshop.voice", "\"on\":false"), "");
    assert_false(hears_mic(&s, A, HOST));
    assert_string_equal(SAY(&s, HOST, "workshop.voice", "\"on\":true,\"rooms\":[\"%s\",\"%s\"]",
                            s.room[0], s.room[2]),
                        "");
    assert_true(hears_mic(&s, A, HOST));
    assert_false(hears_mic(&s, B, HOST));
    assert_true(hears_mic(&s, C, HOST));
    assert_false(hears_mic(&s, D, HOST));
    assert_string_equal(SAY(&s, HOST, "workshop.voice", "\"on\":false"), "");
    assert_string_equal(SAY(&s, HOST, "workshop.announce",
                            "\"text\":\"Pause à 10 h\",\"rooms\":[\"%s\"]", s.room[1]),
                        "");
    assert_string_equal(SAY(&s, HOST, "workshop.announce", "\"text\":\"Bonjour\""), "");
    assert_int_equal(rig_count(s.p[B], "announcements"), 3);
    assert_int_equal(rig_count(s.p[A], "announcements"), 3);
    assert_int_equal(rig_count(s.p[D], "announcements"), 2);
    assert_int_equal(rig_count(s.p[ANIM], "announcements"), 4); /* staff: all, with their times */
    assert_string_equal(text(member(&s, D, "announcements", 1), "text"), "Bonjour");
    assert_true(json_integer_value(json_object_get(member(&s, ANIM, "announcements", 0), "ended")) >
                0);
    scene_end(&s);
}

static void help_is_asked_taken_and_done(void **state)
{
    (void)state;
    struct scene s = scene_new(CLASS_STANDARD);
    draft(&s);
    place(&s, A, 0);
    place(&s, B, 1);
    open_set(&s);
    assert_string_equal(SAY(&s, D, "workshop.help"), "state"); /* in no workshop */
    assert_string_equal(SAY(&s, A, "workshop.help", "\"text\":\"Le fichier ?\""), "");
    assert_string_equal(text(member(&s, HOST, "calls", 0), "state"), "asked");
    assert_string_equal(text(member(&s, HOST, "calls", 0), "text"), "Le fichier ?");
    assert_int_equal(rig_count(s.p[A], "calls"), 1);
    assert_int_equal(rig_count(s.p[B], "calls"), 0);
    /* Seen by staff in another room; entering takes it. */
    assert_string_equal(SAY(&s, ANIM, "workshop.go", "\"room\":\"%s\"", s.room[1]), "");
    assert_int_equal(rig_count(s.p[ANIM], "calls"), 1);
    assert_string_equal(SAY(&s, ANIM, "workshop.go", "\"room\":\"%s\"", s.room[0]), "");
    assert_string_equal(text(member(&s, A, "calls", 0), "state"), "taken");
    assert_string_equal(text(member(&s, A, "calls", 0), "by"), s.p[ANIM]->person);
    assert_string_equal(SAY(&s, HOST, "workshop.help.take", "\"room\":\"%s\"", s.room[0]), "state");
    assert_string_equal(SAY(&s, HOST, "workshop.help.end", "\"room\":\"%s\"", s.room[0]), "");
    assert_int_equal(rig_count(s.p[A], "calls"), 0);
    assert_string_equal(SAY(&s, B, "workshop.help"), "");
    assert_string_equal(SAY(&s, B, "workshop.help.end", "\"room\":\"%s\"", s.room[1]), "denied");
    assert_string_equal(SAY(&s, B, "workshop.help.end"), "");
    assert_string_equal(text(member(&s, HOST, "calls", 1), "state"), "withdrawn");
    scene_end(&s);
}

static void closing_counts_down_and_can_be_cancelled(void **state)
{
    (void)state;
    struct scene s = scene_new(CLASS_STANDARD);
    draft(&s);
    place(&s, A, 0);
    (void)SAY(&s, HOST, "workshop.change", "\"set\":\"%s\",\"minutes\":5", s.set);
    open_set(&s);
    assert_string_equal(SAY(&s, HOST, "workshop.close"), "");
    rig_pass(s.rig, 59000);
    settle(&s);
    assert_in(&s, A, 0);
    assert_string_equal(SAY(&s, HOST, "workshop.cancel"), "");
    rig_pass(s.rig, 5000);
    settle(&s);
    assert_in(&s, A, 0);
    assert_string_equal(SAY(&s, HOST, "workshop.cancel"), "state");
    /* The deadline closes by itself: five minutes, then one of closing. */
    rig_pass(s.rig, 236000);
    settle(&s);
    check_views(&s);
    assert_string_equal(text(member(&s, A, "workshops", 0), "state"), "closing");
    assert_in(&s, A, 0);
    rig_pass(s.rig, 61000);
    settle(&s);
    check_views(&s);
    assert_in(&s, A, -1);
    assert_string_equal(text(member(&s, A, "workshops", 0), "state"), "closed");
    assert_true(hears_mic(&s, HOST, A));
    scene_end(&s);
}

static void reopening_finds_everybodys_place(void **state)
{
    (void)state;
    struct scene s = scene_new(CLASS_STANDARD);
    draft(&s);
    place(&s, A, 0);
    place(&s, B, 1);
    open_set(&s);
    place(&s, B, 2); /* moved while open: that is his place now */
    assert_string_equal(SAY(&s, HOST, "workshop.close", "\"seconds\":0"), "");
    assert_in(&s, A, -1);
    assert_in(&s, B, -1);
    open_set(&s);
    assert_in(&s, A, 0);
    assert_in(&s, B, 2);
    scene_end(&s);
}

static void a_killed_core_comes_back_in_the_middle(void **state)
{
    (void)state;
    struct scene s = scene_new(CLASS_STANDARD);
    draft(&s);
    place(&s, A, 0);
    place(&s, B, 1);
    (void)SAY(&s, HOST, "workshop.change", "\"set\":\"%s\",\"minutes\":10", s.set);
    open_set(&s);
    (void)SAY(&s, A, "workshop.help");
    (void)SAY(&s, HOST, "workshop.listen", "\"room\":\"%s\",\"desk\":true", s.room[1]);
    const json_t *set = member(&s, HOST, "workshops", 0);
    int64_t ends = json_integer_value(json_object_get(set, "endsAt"));
    assert_int_equal(rig_kill(s.rig), 0);
    for (unsigned i = 0; i < LATE; i++) {
        rig_open(s.rig, s.p[i]);
        assert_true(rig_resume(s.rig, s.p[i], i % 2));
        rig_say(s.rig, s.p[i], offer, ++s.next, 0);
    }
    settle(&s);
    check_views(&s);
    assert_in(&s, A, 0);
    assert_in(&s, B, 1);
    assert_in(&s, D, -1);
    set = member(&s, HOST, "workshops", 0);
    assert_int_equal(json_integer_value(json_object_get(set, "endsAt")), ends);
    assert_string_equal(text(member(&s, HOST, "calls", 0), "state"), "asked");
    assert_true(hears_mic(&s, HOST, B)); /* the ear was in the journal too */
    assert_false(hears_mic(&s, HOST, A));
    scene_end(&s);
}

static void set_late(struct scene *s, const char *rule)
{
    assert_string_equal(
        SAY(s, HOST, "workshop.change", "\"set\":\"%s\",\"late\":\"%s\"", s->set, rule), "");
}

static void latecomers_follow_the_rule(void **state)
{
    (void)state;
    static const char *const rules[] = {"smallest", "choose", "stay", "ask"};
    for (unsigned i = 0; i < 4; i++) {
        struct scene s = scene_new(CLASS_STANDARD);
        draft(&s);
        place(&s, A, 0);
        place(&s, B, 1);
        set_late(&s, rules[i]);
        open_set(&s);
        enter(&s, LATE, ROLE_PARTICIPANT, "Léa");
        check_views(&s);
        const json_t *own = member(&s, LATE, "place", 0);
        if (i == 0) {
            assert_in(&s, LATE, 2);
        } else if (i == 1) {
            assert_string_equal(text(own, "stand"), "choosing");
            assert_string_equal(SAY(&s, LATE, "workshop.go", "\"room\":\"%s\"", s.room[1]), "");
            assert_in(&s, LATE, 1);
        } else if (i == 2) {
            rig_pass(s.rig, 70000);
            settle(&s);
            assert_in(&s, LATE, -1);
        } else {
            assert_string_equal(text(own, "stand"), "asking");
            rig_pass(s.rig, 55000);
            settle(&s);
            assert_in(&s, LATE, -1);
            rig_pass(s.rig, 6000);
            settle(&s);
            check_views(&s);
            assert_in(&s, LATE, 2); /* the smallest, after a minute without an answer */
        }
        scene_end(&s);
    }
}

static void coming_back_leads_to_the_own_room(void **state)
{
    (void)state;
    struct scene s = scene_new(CLASS_STANDARD);
    draft(&s);
    place(&s, A, 0);
    open_set(&s);
    rig_lose(s.rig, s.p[A]);
    rig_pass(s.rig, 70000); /* beyond the grace: the seat is given up */
    settle(&s);
    assert_string_equal(room_seen(&s, HOST, A), "absent");
    rig_open(s.rig, s.p[A]);
    assert_true(rig_resume(s.rig, s.p[A], false));
    settle(&s);
    assert_in(&s, A, 0);
    /* Once it is closed he comes back to the main room. */
    rig_lose(s.rig, s.p[A]);
    (void)SAY(&s, HOST, "workshop.close", "\"seconds\":0");
    rig_open(s.rig, s.p[A]);
    assert_true(rig_resume(s.rig, s.p[A], false));
    settle(&s);
    assert_in(&s, A, -1);
    scene_end(&s);
}

static void the_last_of_two_moves_wins(void **state)
{
    (void)state;
    struct scene s = scene_new(CLASS_STANDARD);
    draft(&s);
    place(&s, A, 0);
    (void)SAY(&s, HOST, "workshop.change", "\"set\":\"%s\",\"change\":\"free\"", s.set);
    open_set(&s);
    /* Both are under way before either is stored. */
    rig_say(s.rig, s.p[A], "{\"t\":\"workshop.go\",\"id\":\"r1\",\"room\":\"%s\"}", s.room[1]);
    rig_say(s.rig, s.p[HOST],
            "{\"t\":\"workshop.place\",\"id\":\"r2\",\"set\":\"%s\",\"person\":\"%s\","
            "\"room\":\"%s\"}",
            s.set, s.p[A]->person, s.room[2]);
    assert_int_equal(device(&s, A)->room, 0); /* nowhere until it is decided */
    settle(&s);
    check_views(&s);
    assert_in(&s, A, 2);
    assert_string_equal(text(member(&s, A, "place", 0), "room"), s.room[2]);
    scene_end(&s);
}

static void rooms_close_join_and_fill_up(void **state)
{
    (void)state;
    struct scene s = scene_new(CLASS_STANDARD);
    draft(&s);
    (void)SAY(&s, HOST, "workshop.room.change", "\"room\":\"%s\",\"capacity\":1", s.room[1]);
    (void)SAY(&s, HOST, "workshop.change", "\"set\":\"%s\",\"change\":\"free\",\"closing\":10",
              s.set);
    place(&s, A, 0);
    place(&s, B, 1);
    place(&s, C, 2);
    open_set(&s);
    assert_string_equal(SAY(&s, A, "workshop.go", "\"room\":\"%s\"", s.room[1]), "full");
    assert_string_equal(SAY(&s, HOST, "workshop.room.merge", "\"room\":\"%s\",\"into\":\"%s\"",
                            s.room[2], s.room[0]),
                        "");
    assert_in(&s, C, 0);
    assert_true(hears_mic(&s, A, C));
    assert_string_equal(SAY(&s, B, "workshop.go", "\"room\":\"%s\"", s.room[2]), "state");
    assert_string_equal(SAY(&s, HOST, "workshop.room.close", "\"room\":\"%s\"", s.room[0]), "");
    rig_pass(s.rig, 11000);
    settle(&s);
    check_views(&s);
    assert_in(&s, A, -1);
    assert_in(&s, C, -1);
    assert_in(&s, B, 1);
    assert_string_equal(
        SAY(&s, HOST, "workshop.room.add", "\"set\":\"%s\",\"name\":\"Jaune\"", s.set), "");
    const json_t *rooms = json_object_get(member(&s, HOST, "workshops", 0), "rooms");
    const json_t *added = json_array_get(rooms, json_array_size(rooms) - 1);
    assert_string_equal(text(added, "state"), "active");
    assert_string_equal(SAY(&s, A, "workshop.go", "\"room\":\"%s\"", text(added, "id")), "");
    assert_string_equal(room_seen(&s, HOST, A), text(added, "id"));
    scene_end(&s);
}

static void a_facilitator_gains_in_his_room_only(void **state)
{
    (void)state;
    struct scene s = scene_new(CLASS_ROUND_TABLE);
    draft(&s);
    place(&s, A, 0);
    place(&s, B, 0);
    (void)SAY(&s, HOST, "workshop.room.change", "\"room\":\"%s\",\"facilitator\":\"%s\"", s.room[0],
              s.p[A]->person);
    assert_string_equal(SAY(&s, A, "person.mute", "\"person\":\"%s\"", s.p[B]->person), "denied");
    open_set(&s);
    assert_string_equal(SAY(&s, A, "person.mute", "\"person\":\"%s\"", s.p[HOST]->person),
                        "not_found"); /* another room */
    assert_string_equal(SAY(&s, A, "person.mute", "\"person\":\"%s\"", s.p[B]->person), "");
    assert_int_equal(device(&s, B)->publish & MEDIA_MIC, 0);
    assert_string_equal(SAY(&s, B, "person.mute", "\"person\":\"%s\"", s.p[A]->person), "denied");
    assert_string_equal(SAY(&s, A, "workshop.go"), "");
    assert_string_equal(SAY(&s, A, "person.mute", "\"person\":\"%s\"", s.p[HOST]->person),
                        "denied");
    scene_end(&s);
}

static void the_report_outlives_the_set(void **state)
{
    (void)state;
    struct scene s = scene_new(CLASS_STANDARD);
    draft(&s);
    place(&s, A, 0);
    place(&s, B, 1);
    open_set(&s);
    (void)SAY(&s, A, "chat.send", "\"text\":\"secret rouge\"");
    (void)SAY(&s, B, "chat.send", "\"text\":\"secret vert\"");
    assert_int_equal(rig_count(s.p[A], "chat"), 1);
    assert_int_equal(rig_count(s.p[D], "chat"), 0);
    rig_pass(s.rig, 60000);
    (void)SAY(&s, HOST, "workshop.close", "\"seconds\":0");
    rig_say(s.rig, s.p[A], "{\"t\":\"workshop.report\",\"id\":\"q1\",\"set\":\"%s\"}", s.set);
    const json_t *rooms = json_object_get(s.p[A]->last, "rooms");
    assert_string_equal(text(s.p[A]->last, "t"), "workshop.report");
    assert_int_equal(json_array_size(rooms), 1); /* his own */
    const json_t *room = json_array_get(rooms, 0);
    assert_string_equal(text(json_array_get(json_object_get(room, "chat"), 0), "text"),
                        "secret rouge");
    const json_t *member0 = json_array_get(json_object_get(room, "people"), 0);
    assert_string_equal(text(member0, "name"), "Ana");
    const json_t *stay = json_array_get(json_object_get(member0, "stays"), 0);
    assert_true(json_integer_value(json_array_get(stay, 1)) -
                    json_integer_value(json_array_get(stay, 0)) >=
                60000);
    rig_say(s.rig, s.p[D], "{\"t\":\"workshop.report\",\"id\":\"q2\",\"set\":\"%s\"}", s.set);
    assert_int_equal(json_array_size(json_object_get(s.p[D]->last, "rooms")), 0);
    (void)SAY(&s, HOST, "workshop.publish", "\"room\":\"%s\",\"scope\":\"all\"", s.room[1]);
    rig_say(s.rig, s.p[D], "{\"t\":\"workshop.report\",\"id\":\"q3\",\"set\":\"%s\"}", s.set);
    assert_int_equal(json_array_size(json_object_get(s.p[D]->last, "rooms")), 1);
    assert_int_equal(rig_kill(s.rig), 0);
    rig_open(s.rig, s.p[HOST]);
    assert_true(rig_resume(s.rig, s.p[HOST], false));
    rig_say(s.rig, s.p[HOST], "{\"t\":\"workshop.report\",\"id\":\"q4\",\"set\":\"%s\"}", s.set);
    assert_int_equal(json_array_size(json_object_get(s.p[HOST]->last, "rooms")), 3);
    scene_end(&s);
}

static void dealing_keeps_pins_and_remembers(void **state)
{
    (void)state;
    struct scene s = scene_new(CLASS_STANDARD);
    draft(&s);
    (void)SAY(&s, HOST, "workshop.place",
              "\"set\":\"%s\",\"person\":\"%s\",\"room\":\"%s\",\"pinned\":true", s.set,
              s.p[A]->person, s.room[2]);
    static const char *const ways[] = {"even", "group", "tag", "last", "mix"};
    (void)SAY(&s, HOST, "workshop.label", "\"person\":\"%s\",\"group\":\"G1\"", s.p[B]->person);
    (void)SAY(&s, HOST, "workshop.label", "\"person\":\"%s\",\"group\":\"G1\"", s.p[C]->person);
    for (unsigned i = 0; i < 5; i++) {
        assert_string_equal(
            SAY(&s, HOST, "workshop.distribute", "\"set\":\"%s\",\"how\":\"%s\"", s.set, ways[i]),
            "");
        const json_t *places = json_object_get(s.p[HOST]->view, "places");
        assert_int_equal(json_array_size(places), 4);
        const char *b = NULL;
        const char *c = NULL;
        for (size_t k = 0; k < 4; k++) {
            const json_t *p = json_array_get(places, k);
            if (strcmp(text(p, "person"), s.p[A]->person) == 0) {
                assert_string_equal(text(p, "room"), s.room[2]);
            }
            b = strcmp(text(p, "person"), s.p[B]->person) == 0 ? text(p, "room") : b;
            c = strcmp(text(p, "person"), s.p[C]->person) == 0 ? text(p, "room") : c;
        }
        if (i == 1) {
            assert_string_equal(b, c);
        }
    }
    open_set(&s);
    assert_string_equal(
        SAY(&s, HOST, "workshop.distribute", "\"set\":\"%s\",\"how\":\"even\"", s.set), "state");
    assert_in(&s, A, 2);
    scene_end(&s);
}

static void an_ended_session_closes_them(void **state)
{
    (void)state;
    struct scene s = scene_new(CLASS_STANDARD);
    draft(&s);
    place(&s, A, 0);
    open_set(&s);
    (void)SAY(&s, HOST, "session.end");
    assert_true(rig_enter(s.rig, s.p[HOST], s.link[ROLE_HOST], "Hélène"));
    settle(&s);
    assert_string_equal(text(member(&s, HOST, "workshops", 0), "state"), "closed");
    scene_end(&s);
}

static void without_staff_they_finish_first(void **state)
{
    (void)state;
    struct scene s = scene_new(CLASS_STANDARD);
    draft(&s);
    place(&s, A, 0);
    open_set(&s);
    (void)SAY(&s, HOST, "workshop.time", "\"minutes\":14");
    (void)SAY(&s, ANIM, "leave");
    (void)SAY(&s, HOST, "leave");
    for (unsigned minute = 0; minute < 13; minute++) {
        rig_pass(s.rig, 60000);
        settle(&s);
        assert_string_equal(text(json_object_get(s.p[A]->view, "class"), "state"), "live");
    }
    for (unsigned minute = 0; minute < 6 && s.p[A]->inside; minute++) {
        rig_pass(s.rig, 60000);
        settle(&s);
    }
    assert_int_equal(s.p[A]->closed, CLOSE_ENDED);
    scene_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(drafts_are_the_staffs_alone),
        UNIT(people_go_when_the_notice_ends),
        UNIT(refusing_keeps_one_in_the_main_room),
        UNIT(a_move_opens_nothing),
        UNIT(listening_is_told_to_the_room),
        UNIT(talking_is_heard_in_one_room_only),
        UNIT(announcements_reach_whom_they_name),
        UNIT(help_is_asked_taken_and_done),
        UNIT(closing_counts_down_and_can_be_cancelled),
        UNIT(reopening_finds_everybodys_place),
        UNIT(a_killed_core_comes_back_in_the_middle),
        UNIT(latecomers_follow_the_rule),
        UNIT(coming_back_leads_to_the_own_room),
        UNIT(the_last_of_two_moves_wins),
        UNIT(rooms_close_join_and_fill_up),
        UNIT(a_facilitator_gains_in_his_room_only),
        UNIT(the_report_outlives_the_set),
        UNIT(dealing_keeps_pins_and_remembers),
        UNIT(an_ended_session_closes_them),
        UNIT(without_staff_they_finish_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
