/* The classroom as people meet it: entering, chat, hands, roles, moderation, loss and return. */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "signaling/class/impl.h"
#include "tests/unit/class_rig.h"

enum { HOST, ANIM, PART, EXTRA, PAGES };

struct scene {
    struct rig *rig;
    struct id class_id;
    char link[ROLE_COUNT][TOKEN_TEXT_MAX];
    struct rig_page *p[PAGES];
};

/* A standard class with a host, an animator and a participant inside. */
static struct scene scene_new(void)
{
    struct scene s = {.rig = rig_new(PAGES + 8, 7)};
    assert_non_null(s.rig);
    s.class_id = rig_class(s.rig, CLASS_STANDARD);
    for (unsigned r = 0; r < ROLE_COUNT; r++) {
        rig_link(s.rig, &s.class_id, (enum role)r, false, s.link[r]);
    }
    for (unsigned i = 0; i < PAGES; i++) {
        s.p[i] = &s.rig->pages[i];
    }
    assert_true(rig_enter(s.rig, s.p[HOST], s.link[ROLE_HOST], "Hélène"));
    assert_true(rig_enter(s.rig, s.p[ANIM], s.link[ROLE_ANIMATOR], "Ali"));
    assert_true(rig_enter(s.rig, s.p[PART], s.link[ROLE_PARTICIPANT], "Paul"));
    rig_pass(s.rig, 200);
    return s;
}

static void settle(struct scene *s)
{
    (void)rig_commit(s->rig, SIZE_MAX);
    rig_pass(s->rig, 200);
    (void)rig_commit(s->rig, SIZE_MAX);
}

static const json_t *person_in(const struct rig_page *page, const char *id)
{
    const json_t *people = json_object_get(page->view, "people");
    for (size_t i = 0; i < json_array_size(people); i++) {
        const json_t *p = json_array_get(people, i);
        if (strcmp(json_string_value(json_object_get(p, "id")), id) == 0) {
            return p;
        }
    }
    return NULL;
}

static const char *role_in(const struct rig_page *page, const char *id)
{
    const json_t *p = person_in(page, id);
    return p ? json_string_value(json_object_get(p, "role")) : "";
}

static void assert_views(struct scene *s)
{
    for (size_t i = 0; i < s->rig->page_count; i++) {
        struct rig_page *page = &s->rig->pages[i];
        if (!page->inside) {
            continue;
        }
        char *mine = rig_view_text(page);
        char *theirs = rig_state_text(s->rig, page);
        assert_non_null(theirs);
        assert_string_equal(mine, theirs);
        free(mine);
        free(theirs);
    }
}

static void enter_snapshot(void **state)
{
    (void)state;
    struct scene s = scene_new();
    assert_int_equal(rig_count(s.p[HOST], "people"), 3);
    assert_int_equal(rig_count(s.p[PART], "people"), 3);
    assert_string_equal(role_in(s.p[PART], s.p[HOST]->person), "host");
    assert_string_equal(role_in(s.p[PART], s.p[ANIM]->person), "animator");
    assert_views(&s);
    rig_free(s.rig);
}

static void chat_waits_for_commit(void **state)
{
    (void)state;
    struct scene s = scene_new();
    rig_say(s.rig, s.p[PART], "{\"t\":\"chat.send\",\"id\":\"c1\",\"text\":\" bonjour \\n\"}");
    assert_string_equal(s.p[PART]->acked, "");
    assert_int_equal(rig_count(s.p[HOST], "chat"), 0);
    assert_int_equal(rig_commit(s.rig, SIZE_MAX), 1);
    assert_string_equal(s.p[PART]->acked, "c1");
    assert_int_equal(rig_count(s.p[HOST], "chat"), 1);
    const json_t *chat = json_array_get(json_object_get(s.p[HOST]->view, "chat"), 0);
    assert_string_equal(json_string_value(json_object_get(chat, "text")), "bonjour");
    assert_string_equal(json_string_value(json_object_get(chat, "name")), "Paul");
    /* Again: same ack, no second effect. */
    rig_say(s.rig, s.p[PART], "{\"t\":\"chat.send\",\"id\":\"c1\",\"text\":\"bonjour\"}");
    assert_int_equal(rig_commit(s.rig, SIZE_MAX), 0);
    assert_string_equal(s.p[PART]->acked, "c1");
    assert_int_equal(rig_count(s.p[HOST], "chat"), 1);
    assert_views(&s);
    rig_free(s.rig);
}

/* Says 210 messages of `chars` characters each, in turns one of these; returns what a newcomer
 * gets. */
static size_t chat_of(struct scene *s, size_t chars, const char *const unit[4])
{
    static char text[4000 * 8];
    for (unsigned i = 0; i < 210; i++) {
        size_t len = 0;
        for (size_t c = 0; c < chars; c++) {
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", unit[i % 4]);
        }
        rig_say(s->rig, s->p[PART], "{\"t\":\"chat.send\",\"id\":\"c%u\",\"text\":\"%s\"}", i,
                text);
        (void)rig_commit(s->rig, SIZE_MAX);
        rig_pass(s->rig, 200);
    }
    s->rig->text_max = 0;
    assert_true(rig_enter(s->rig, s->p[EXTRA], s->link[ROLE_PARTICIPANT], "Zoé"));
    size_t count = rig_count(s->p[EXTRA], "chat");
    assert_true(count > 0);
    const json_t *all = json_object_get(s->p[HOST]->view, "chat");
    const json_t *got = json_object_get(s->p[EXTRA]->view, "chat");
    for (size_t i = 0; i < count; i++) { /* the newest of them, in order */
        assert_true(json_equal(json_array_get(got, i),
                               json_array_get(all, json_array_size(all) - count + i)));
    }
    return count;
}

static void a_snapshot_is_never_longer_than_the_door_takes(void **state)
{
    (void)state;
    struct scene s = scene_new();
    static const char *const wide[4] = {"\U0001F44D", "\\\"", "\xe2\x80\xa8", "\xc2\x85"};
    size_t count = chat_of(&s, 4000, wide);
    print_message("%zu of 200 long messages in a snapshot of %zu bytes\n", count, s.rig->text_max);
    assert_in_range(count, 10, 199);
    assert_in_range(s.rig->text_max, 200 << 10, OUT_SNAPSHOT_MAX);
    rig_free(s.rig);
    s = scene_new();
    static const char *const plain[4] = {"mots ", "\xc3\xa9t\xc3\xa9 ", "et ", "ainsi "};
    assert_int_equal(chat_of(&s, 250, plain), STATE_CHAT_MAX); /* a page each, and all are there */
    rig_free(s.rig);
}

static void repeat_after_kill_has_no_effect(void **state)
{
    (void)state;
    struct scene s = scene_new();
    rig_say(s.rig, s.p[PART], "{\"t\":\"chat.send\",\"id\":\"c1\",\"text\":\"un\"}");
    settle(&s);
    assert_int_equal(rig_kill(s.rig), 0);
    assert_true(rig_resume(s.rig, s.p[PART], true));
    assert_int_equal(rig_count(s.p[PART], "chat"), 1);
    rig_say(s.rig, s.p[PART], "{\"t\":\"chat.send\",\"id\":\"c1\",\"text\":\"un\"}");
    settle(&s);
    assert_string_equal(s.p[PART]->acked, "c1");
    assert_int_equal(rig_count(s.p[PART], "chat"), 1);
    assert_views(&s);
    rig_free(s.rig);
}

static void hands_keep_their_order(void **state)
{
    (void)state;
    struct scene s = scene_new();
    rig_say(s.rig, s.p[PART], "{\"t\":\"hand.raise\",\"id\":\"h1\",\"kind\":\"speak\"}");
    rig_say(s.rig, s.p[ANIM], "{\"t\":\"hand.raise\",\"id\":\"h1\",\"kind\":\"speak\"}");
    rig_say(s.rig, s.p[PART], "{\"t\":\"hand.raise\",\"id\":\"h2\",\"kind\":\"speak\"}");
    settle(&s);
    assert_string_equal(s.p[PART]->acked, "h2");
    const json_t *hands = json_object_get(s.p[HOST]->view, "hands");
    assert_int_equal(json_array_size(hands), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(hands, 0), "person")),
                        s.p[PART]->person);
    /* Only staff lowers another's hand. */
    rig_say(s.rig, s.p[PART], "{\"t\":\"hand.lower\",\"id\":\"h3\",\"person\":\"%s\"}",
            s.p[ANIM]->person);
    assert_string_equal(s.p[PART]->error, "denied");
    assert_string_equal(s.p[PART]->error_id, "h3");
    rig_say(s.rig, s.p[HOST], "{\"t\":\"hand.clear\",\"id\":\"h4\"}");
    settle(&s);
    assert_int_equal(rig_count(s.p[PART], "hands"), 0);
    assert_views(&s);
    rig_free(s.rig);
}

static void offer_text(char *out, size_t cap, const char *id, const char *cause)
{
    (void)snprintf(
        out, cap,
        "{\"t\":\"media.offer\",\"id\":\"%s\",\"cause\":\"%s\",\"offer\":{\"u\":\"abcd\","
        "\"p\":\"0123456789012345678901\",\"f\":\"%064d\",\"n\":[5,16],"
        "\"a\":{\"opus\":[111]},\"v\":{\"vp8\":[96,97]},"
        "\"xa\":{\"mid\":4,\"level\":1},\"xv\":{\"mid\":4,\"rid\":5,\"rrid\":6},"
        "\"s\":[1,0,3,4,5]}}",
        id, cause, 0);
}

static void offer(struct scene *s, struct rig_page *page, const char *id, const char *cause)
{
    char text[1000];
    offer_text(text, sizeof(text), id, cause);
    rig_say(s->rig, page, "%s", text);
}

static struct rig_device *media_of(struct scene *s, const struct rig_page *page)
{
    struct conn *c = conn_find(s->rig->room, page->conn);
    return &s->rig->devices[c->live->num];
}

static void routes_open_after_commit_and_close_at_once(void **state)
{
    (void)state;
    struct scene s = scene_new();
    offer(&s, s.p[PART], "o1", "load");
    struct rig_device *d = media_of(&s, s.p[PART]);
    assert_true(d->open);
    assert_int_equal(d->publish, MEDIA_MIC | MEDIA_CAM);
    assert_int_not_equal(d->room, 0);
    struct media_evt answer = {.kind = MEDIA_EVT_ANSWER,
                               .device = s.rig->last_cmd.device,
                               .token = d->token,
                               .answer = {.ufrag = "srvu", .pwd = "0123456789012345678901"}};
    classroom_media(s.rig->room, &answer, s.rig->now);
    assert_string_equal(json_string_value(json_object_get(s.p[PART]->last, "t")), "media.answer");
    /* Screen opens only with the commit. */
    rig_say(s.rig, s.p[PART],
            "{\"t\":\"media.state\",\"id\":\"m1\",\"mic\":\"on\",\"cam\":true,\"screen\":true,"
            "\"sound\":false}");
    assert_int_equal(d->publish, MEDIA_MIC | MEDIA_CAM);
    settle(&s);
    assert_int_equal(d->publish, MEDIA_MIC | MEDIA_CAM | MEDIA_SCREEN);
    /* Mute closes before the commit; nobody opens it but the person. */
    rig_say(s.rig, s.p[ANIM], "{\"t\":\"person.mute\",\"id\":\"m2\",\"person\":\"%s\"}",
            s.p[PART]->person);
    assert_int_equal(d->publish, MEDIA_CAM | MEDIA_SCREEN);
    settle(&s);
    assert_int_equal(d->publish, MEDIA_CAM | MEDIA_SCREEN);
    /* Removal cuts the routes before the commit and the connection after it. */
    rig_say(s.rig, s.p[HOST],
            "{\"t\":\"person.remove\",\"id\":\"m3\",\"person\":\"%s\",\"ban\":true}",
            s.p[PART]->person);
    assert_int_equal(d->publish, 0);
    assert_int_equal(d->room, 0);
    assert_int_equal(s.p[PART]->closed, 0);
    settle(&s);
    assert_int_equal(s.p[PART]->closed, CLOSE_REMOVED);
    assert_false(d->open);
    assert_views(&s);
    /* The ban holds for the identity, by link and by token. */
    assert_false(rig_enter(s.rig, s.p[PART], s.link[ROLE_PARTICIPANT], "Paul"));
    assert_string_equal(s.p[PART]->error, "");
    assert_int_equal(s.p[PART]->closed, CLOSE_AUTH);
    assert_false(rig_resume(s.rig, s.p[PART], false));
    assert_int_equal(s.p[PART]->closed, CLOSE_AUTH);
    rig_free(s.rig);
}

static const char *last_of(const struct rig_page *page)
{
    return json_string_value(json_object_get(page->last, "t"));
}

/* A page that was away is told again what to send; one that made its connection anew is not told
 * what the server said of the former one. */
static void what_to_send_is_said_of_this_connection(void **state)
{
    (void)state;
    struct scene s = scene_new();
    struct rig_page *page = s.p[PART];
    offer(&s, page, "o1", "load");
    struct media_evt send = {.kind = MEDIA_EVT_SEND,
                             .device = s.rig->last_cmd.device,
                             .send = {[SOURCE_CAMERA] = 4, [SOURCE_SCREEN] = 7}};
    classroom_media(s.rig->room, &send, s.rig->now);
    assert_string_equal(last_of(page), "send");
    assert_int_equal(json_integer_value(json_object_get(page->last, "cam")), 4);
    rig_lose(s.rig, page);
    assert_true(rig_resume(s.rig, page, true));
    assert_string_equal(last_of(page), "send");
    assert_int_equal(json_integer_value(json_object_get(page->last, "cam")), 4);
    offer(&s, page, "o2", "epoch");
    rig_lose(s.rig, page);
    assert_true(rig_resume(s.rig, page, true));
    assert_string_not_equal(last_of(page), "send");
    rig_free(s.rig);
}

static int refuse_all(struct rig *rig)
{
    (void)rig;
    return E_FULL;
}

static void failed_commit_restores_everything(void **state)
{
    (void)state;
    struct scene s = scene_new();
    offer(&s, s.p[PART], "o1", "load");
    struct rig_device *d = media_of(&s, s.p[PART]);
    s.rig->judge_h = refuse_all;
    rig_say(s.rig, s.p[HOST], "{\"t\":\"person.mute\",\"id\":\"f1\",\"person\":\"%s\"}",
            s.p[PART]->person);
    rig_say(s.rig, s.p[PART], "{\"t\":\"chat.send\",\"id\":\"f2\",\"text\":\"perdu\"}");
    rig_say(s.rig, s.p[PART], "{\"t\":\"hand.lower\",\"id\":\"f3\"}");
    assert_int_equal(d->publish, MEDIA_CAM);
    (void)rig_commit(s.rig, SIZE_MAX);
    assert_string_equal(s.p[HOST]->error, "internal");
    assert_string_equal(s.p[PART]->error, "internal");
    assert_string_equal(s.p[PART]->error_id, "f3");
    assert_int_equal(d->publish, MEDIA_MIC | MEDIA_CAM);
    s.rig->judge_h = NULL;
    /* It resumes by itself, and the same command may be tried again. */
    rig_say(s.rig, s.p[PART], "{\"t\":\"chat.send\",\"id\":\"f2\",\"text\":\"retrouve\"}");
    settle(&s);
    assert_string_equal(s.p[PART]->acked, "f2");
    assert_int_equal(rig_count(s.p[HOST], "chat"), 1);
    s.rig->busy = true;
    rig_say(s.rig, s.p[PART], "{\"t\":\"chat.send\",\"id\":\"f4\",\"text\":\"plein\"}");
    assert_string_equal(s.p[PART]->error, "busy");
    s.rig->busy = false;
    rig_say(s.rig, s.p[PART], "{\"t\":\"chat.send\",\"id\":\"f4\",\"text\":\"plein\"}");
    settle(&s);
    assert_string_equal(s.p[PART]->acked, "f4");
    assert_views(&s);
    rig_free(s.rig);
}

static void loss_away_return_and_end_of_grace(void **state)
{
    (void)state;
    struct scene s = scene_new();
    rig_say(s.rig, s.p[PART], "{\"t\":\"hand.raise\",\"id\":\"h1\",\"kind\":\"speak\"}");
    settle(&s);
    rig_lose(s.rig, s.p[PART]);
    settle(&s);
    assert_true(json_is_true(json_object_get(person_in(s.p[HOST], s.p[PART]->person), "away")));
    rig_say(s.rig, s.p[HOST], "{\"t\":\"chat.send\",\"id\":\"x\",\"text\":\"pendant\"}");
    settle(&s);
    rig_pass(s.rig, 50000);
    /* Back within the grace: seat, hand and what was missed, once. */
    size_t snapshots = s.p[PART]->snapshots;
    assert_true(rig_resume(s.rig, s.p[PART], true));
    assert_int_equal(s.p[PART]->snapshots, snapshots);
    assert_false(s.p[PART]->gap);
    assert_int_equal(rig_count(s.p[PART], "chat"), 1);
    assert_int_equal(rig_count(s.p[PART], "hands"), 1);
    settle(&s);
    assert_views(&s);
    /* Not back: gone, hand lowered. */
    rig_lose(s.rig, s.p[PART]);
    settle(&s);
    rig_pass(s.rig, 61000);
    settle(&s);
    assert_null(person_in(s.p[HOST], s.p[PART]->person));
    assert_int_equal(rig_count(s.p[HOST], "hands"), 0);
    /* Ten minutes later the page comes back without asking anybody anything; mic closed. */
    rig_pass(s.rig, 600000);
    assert_true(rig_resume(s.rig, s.p[PART], true));
    settle(&s);
    const json_t *me = person_in(s.p[HOST], s.p[PART]->person);
    assert_non_null(me);
    assert_string_equal(json_string_value(json_object_get(me, "name")), "Paul");
    const json_t *device = json_array_get(json_object_get(me, "devices"), 0);
    assert_string_equal(json_string_value(json_object_get(device, "mic")), "off");
    assert_views(&s);
    rig_free(s.rig);
}

static void core_restart_is_nobodys_departure(void **state)
{
    (void)state;
    struct scene s = scene_new();
    rig_say(s.rig, s.p[PART], "{\"t\":\"chat.send\",\"id\":\"c\",\"text\":\"avant\"}");
    settle(&s);
    int64_t epoch = s.p[PART]->epoch;
    assert_int_equal(rig_kill(s.rig), 0);
    for (unsigned i = 0; i <= PART; i++) {
        assert_true(rig_resume(s.rig, s.p[i], true));
    }
    settle(&s);
    assert_int_equal(s.p[PART]->epoch, epoch + 1);
    assert_int_equal(rig_count(s.p[HOST], "people"), 3);
    assert_int_equal(rig_count(s.p[HOST], "chat"), 1);
    assert_string_equal(role_in(s.p[PART], s.p[HOST]->person), "host");
    assert_views(&s);
    /* Who does not come back is gone a minute after the restart. */
    assert_int_equal(rig_kill(s.rig), 0);
    assert_true(rig_resume(s.rig, s.p[HOST], true));
    settle(&s);
    rig_pass(s.rig, 61000);
    settle(&s);
    assert_int_equal(rig_count(s.p[HOST], "people"), 1);
    rig_free(s.rig);
}

static void succession_and_return_of_the_host(void **state)
{
    (void)state;
    struct scene s = scene_new();
    rig_say(s.rig, s.p[HOST], "{\"t\":\"leave\",\"id\":\"l\"}");
    settle(&s);
    assert_int_equal(s.p[HOST]->closed, CLOSE_NORMAL);
    assert_string_equal(role_in(s.p[PART], s.p[ANIM]->person), "host");
    assert_string_equal(role_in(s.p[ANIM], s.p[ANIM]->person), "host");
    /* An acting host has the host's rights, and his snapshot says so. */
    rig_say(s.rig, s.p[ANIM],
            "{\"t\":\"role.set\",\"id\":\"r\",\"person\":\"%s\",\"role\":\"animator\"}",
            s.p[PART]->person);
    settle(&s);
    assert_string_equal(s.p[ANIM]->acked, "r");
    assert_string_equal(role_in(s.p[ANIM], s.p[PART]->person), "animator");
    assert_true(rig_enter(s.rig, s.p[HOST], s.link[ROLE_HOST], "Hélène"));
    settle(&s);
    /* The class goes on under whoever took over, until the host says so. */
    assert_string_equal(role_in(s.p[PART], s.p[HOST]->person), "animator");
    rig_say(s.rig, s.p[ANIM], "{\"t\":\"host.take\",\"id\":\"t\"}");
    assert_string_equal(s.p[ANIM]->error, "denied");
    rig_say(s.rig, s.p[HOST], "{\"t\":\"host.take\",\"id\":\"t\"}");
    settle(&s);
    assert_string_equal(role_in(s.p[PART], s.p[HOST]->person), "host");
    assert_string_equal(role_in(s.p[PART], s.p[ANIM]->person), "animator");
    assert_views(&s);
    rig_free(s.rig);
}

static void devices_of_one_person(void **state)
{
    (void)state;
    struct scene s = scene_new();
    for (unsigned i = 0; i < 2; i++) {
        struct rig_page *tab = &s.rig->pages[PAGES + i];
        memcpy(tab->guest, s.p[PART]->guest, sizeof(tab->guest));
        assert_true(rig_enter(s.rig, tab, s.link[ROLE_PARTICIPANT], "Paul"));
        assert_string_equal(tab->person, s.p[PART]->person);
        assert_string_not_equal(tab->device, s.p[PART]->device);
    }
    struct rig_page *fourth = &s.rig->pages[PAGES + 2];
    memcpy(fourth->guest, s.p[PART]->guest, sizeof(fourth->guest));
    assert_false(rig_enter(s.rig, fourth, s.link[ROLE_PARTICIPANT], "Paul"));
    assert_string_equal(fourth->error, "full");
    settle(&s);
    assert_int_equal(rig_count(s.p[HOST], "people"), 3);
    assert_views(&s);
    /* A page that takes its own device over closes the old connection. */
    struct rig_page *again = &s.rig->pages[PAGES + 3];
    memcpy(again->resume, s.p[PART]->resume, sizeof(again->resume));
    assert_true(rig_resume(s.rig, again, false));
    assert_int_equal(s.p[PART]->closed, CLOSE_MOVED);
    assert_string_equal(again->device, s.p[PART]->device);
    /* Leaving on one page keeps the person on the others. */
    rig_say(s.rig, again, "{\"t\":\"leave\",\"id\":\"l\"}");
    settle(&s);
    assert_int_equal(again->closed, CLOSE_NORMAL);
    assert_int_equal(rig_count(s.p[HOST], "people"), 3);
    assert_views(&s);
    rig_free(s.rig);
}

static void session_start_end_and_class_end(void **state)
{
    (void)state;
    struct scene s = scene_new();
    rig_say(s.rig, s.p[PART], "{\"t\":\"session.start\",\"id\":\"s\"}");
    assert_string_equal(s.p[PART]->error, "denied");
    /* Nobody has to start it: staff is there. Starting what runs is no event. */
    const json_t *klass = json_object_get(s.p[PART]->view, "class");
    assert_string_equal(json_string_value(json_object_get(klass, "state")), "live");
    rig_say(s.rig, s.p[ANIM], "{\"t\":\"session.start\",\"id\":\"s\"}");
    settle(&s);
    klass = json_object_get(s.p[PART]->view, "class");
    assert_string_equal(json_string_value(json_object_get(klass, "state")), "live");
    rig_say(s.rig, s.p[ANIM], "{\"t\":\"session.end\",\"id\":\"e\"}");
    assert_string_equal(s.p[ANIM]->error, "denied");
    rig_say(s.rig, s.p[HOST], "{\"t\":\"session.end\",\"id\":\"e\"}");
    settle(&s);
    for (unsigned i = 0; i <= PART; i++) {
        assert_int_equal(s.p[i]->closed, CLOSE_ENDED);
        assert_false(rig_resume(s.rig, s.p[i], false));
        assert_int_equal(s.p[i]->closed, CLOSE_AUTH);
    }
    /* Participants wait for staff; with staff the next session begins. */
    assert_false(rig_enter(s.rig, s.p[PART], s.link[ROLE_PARTICIPANT], "Paul"));
    assert_string_equal(s.p[PART]->error, "gone");
    assert_true(rig_enter(s.rig, s.p[HOST], s.link[ROLE_HOST], "Hélène"));
    assert_true(rig_enter(s.rig, s.p[PART], s.link[ROLE_PARTICIPANT], "Paul"));
    settle(&s);
    assert_views(&s);
    struct admin_request end = {.kind = ADMIN_CLASS_END, .class_id = s.class_id};
    classroom_admin(s.rig->room, 9, &end, s.rig->now);
    settle(&s);
    assert_int_equal(s.p[HOST]->closed, CLOSE_ENDED);
    assert_false(rig_enter(s.rig, s.p[PART], s.link[ROLE_PARTICIPANT], "Paul"));
    assert_int_equal(s.p[PART]->closed, CLOSE_ENDED);
    rig_free(s.rig);
}

/* F23: 500 arrivals are not 500 x 499 messages. */
static void arrivals_are_coalesced(void **state)
{
    (void)state;
    enum { MANY = 500 };
    struct rig *rig = rig_new(MANY, 3);
    struct id class_id = rig_class(rig, CLASS_STANDARD);
    char link[TOKEN_TEXT_MAX];
    char name[32];
    rig_link(rig, &class_id, ROLE_PARTICIPANT, false, link);
    rig->check_texts = false;
    for (unsigned i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof(name), "p%u", i);
        assert_true(rig_enter(rig, &rig->pages[i], link, name));
    }
    size_t before = rig->texts;
    rig_pass(rig, 200);
    size_t deltas = rig->texts - before;
    print_message("500 arrivals: %zu deltas, %zu texts in all, %zu bytes\n", deltas, rig->texts,
                  rig->bytes);
    assert_true(deltas <= MANY);
    assert_true(rig->texts <= 4 * MANY); /* door, snapshot, delta each */
    for (unsigned i = 0; i < MANY; i += 50) {
        assert_int_equal(rig_count(&rig->pages[i], "people"), MANY);
    }
    rig_free(rig);
}

static int play(void *arg)
{
    (void)arg;
    struct rig *rig = rig_new(2, 5);
    if (!rig) {
        return E_NOMEM;
    }
    struct id class_id = rig_class(rig, CLASS_ROUND_TABLE);
    char link[TOKEN_TEXT_MAX] = "";
    rig_link(rig, &class_id, ROLE_HOST, true, link);
    bool ok = rig_enter(rig, &rig->pages[0], link, "Eve");
    rig_say(rig, &rig->pages[0], "{\"t\":\"chat.send\",\"id\":\"c\",\"text\":\"x\"}");
    (void)rig_commit(rig, SIZE_MAX);
    ok = ok && strcmp(rig->pages[0].acked, "c") == 0;
    rig_lose(rig, &rig->pages[0]);
    (void)rig_commit(rig, SIZE_MAX);
    ok = ok && rig_resume(rig, &rig->pages[0], true);
    rig_free(rig);
    return ok ? 0 : E_NOMEM;
}

static void no_memory_no_harm(void **state)
{
    (void)state;
    long swept = support_oom_sweep(play, NULL);
    print_message("allocations swept: %ld\n", swept);
    assert_true(swept > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(enter_snapshot),
        UNIT(chat_waits_for_commit),
        UNIT(a_snapshot_is_never_longer_than_the_door_takes),
        UNIT(repeat_after_kill_has_no_effect),
        UNIT(hands_keep_their_order),
        UNIT(routes_open_after_commit_and_close_at_once),
        UNIT(what_to_send_is_said_of_this_connection),
        UNIT(failed_commit_restores_everything),
        UNIT(loss_away_return_and_end_of_grace),
        UNIT(core_restart_is_nobodys_departure),
        UNIT(succession_and_return_of_the_host),
        UNIT(devices_of_one_person),
        UNIT(session_start_end_and_class_end),
        UNIT(arrivals_are_coalesced),
        UNIT(no_memory_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
