/* What a class is called and what its workshops are about is kept sealed; what an older release
 * wrote in clear is read, and what follows is sealed. */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/rw.h"
#include "signaling/class/impl.h"
#include "tests/unit/class_rig.h"
#include "tests/unit/golden.h"

enum { HOST, PAGES = 3 };

static const char *const words[] = {"Classe d'essai", "Ateliers du matin", "Table des lilas",
                                    "Relire la page douze", "Nous commençons bientôt"};

static size_t found(const struct rig *rig, const char *word)
{
    size_t hits = 0;
    const struct rig_class *c = &rig->classes[0];
    for (size_t i = 0; i < c->event_count; i++) {
        hits += memmem(c->events[i].data, c->events[i].len, word, strlen(word)) != NULL;
    }
    const struct rig_blob *s = &c->snapshot;
    return hits + (s->data && memmem(s->data, s->len, word, strlen(word)));
}

static json_t *first(const json_t *o, const char *list)
{
    return json_array_get(json_object_get(o, list), 0);
}

static const char *text_in(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

static void workshop(struct rig *rig, struct rig_page *host)
{
    rig_say(rig, host,
            "{\"t\":\"workshop.create\",\"id\":\"w\",\"title\":\"%s\",\"names\":[\"%s\"]}",
            words[1], words[2]);
    (void)rig_commit(rig, SIZE_MAX);
    const json_t *room = first(first(host->view, "workshops"), "rooms");
    rig_say(rig, host,
            "{\"t\":\"workshop.room.change\",\"id\":\"t\",\"room\":\"%s\",\"task\":\"%s\"}",
            text_in(room, "id"), words[3]);
    rig_say(rig, host, "{\"t\":\"workshop.open\",\"id\":\"o\",\"set\":\"%s\"}",
            text_in(first(host->view, "workshops"), "id"));
    (void)rig_commit(rig, SIZE_MAX);
}

static void nothing_stands_in_clear(void **state)
{
    (void)state;
    struct rig *rig = rig_new(PAGES, 31);
    struct rig_page *host = &rig->pages[HOST];
    char link[TOKEN_TEXT_MAX];
    struct id class_id = rig_class(rig, CLASS_WEBINAR);
    rig_link(rig, &class_id, ROLE_HOST, false, link);
    assert_true(rig_enter(rig, host, link, "Hélène"));
    rig_say(rig, host, "{\"t\":\"stage.holding\",\"id\":\"h\",\"text\":\"%s\",\"music\":false}",
            words[4]);
    rig_say(rig, host, "{\"t\":\"session.start\",\"id\":\"s\"}");
    workshop(rig, host);
    for (unsigned i = 0; !rig->classes[0].snapshot.data && i < 3000; i++) {
        rig_say(rig, host, "{\"t\":\"chat.send\",\"id\":\"c%u\",\"text\":\"x\"}", i);
        rig_pass(rig, 30);
        (void)rig_commit(rig, SIZE_MAX);
    }
    assert_non_null(rig->classes[0].snapshot.data);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        assert_int_equal(found(rig, words[i]), 0);
    }
    /* From the snapshot and from the whole journal the words come back. */
    for (unsigned pass = 0; pass < 2; pass++) {
        assert_int_equal(rig_kill(rig), 0);
        assert_true(rig_resume(rig, host, false));
        const json_t *set = first(host->view, "workshops");
        assert_string_equal(text_in(json_object_get(host->view, "class"), "title"), words[0]);
        assert_string_equal(text_in(json_object_get(host->view, "stage"), "holding"), words[4]);
        assert_string_equal(text_in(set, "title"), words[1]);
        assert_string_equal(text_in(first(set, "rooms"), "name"), words[2]);
        assert_string_equal(text_in(first(set, "rooms"), "task"), words[3]);
        assert_string_equal(text_in(first(host->view, "rooms"), "name"), words[2]);
        free(rig->classes[0].snapshot.data);
        rig->classes[0].snapshot = (struct rig_blob){.data = NULL};
    }
    rig_free(rig);
}

/* Puts a golden journal of an older release where a rig keeps its classes. */
static void store_golden(struct rig *rig, const struct golden_area *area)
{
    static uint8_t bytes[1 << 18];
    FILE *f = fopen(area->path, "rb");
    assert_non_null(f);
    struct rd r = rd_init(bytes, fread(bytes, 1, sizeof(bytes), f));
    (void)fclose(f);
    struct rig_class *c = &rig->classes[rig->class_count++];
    c->id = golden_id(200);
    c->events = calloc(200, sizeof(*c->events));
    c->event_cap = 200;
    assert_non_null(c->events);
    for (;;) {
        size_t len = rd_u32(&r);
        const uint8_t *data = rd_bytes(&r, len);
        if (!data || rd_left(&r) == 0) {
            return; /* the last one is the state */
        }
        uint8_t *copy = malloc(len);
        assert_non_null(copy);
        memcpy(copy, data, len);
        c->events[c->event_count] =
            (struct rig_blob){.seq = c->event_count + 1, .data = copy, .len = len};
        c->event_count++;
    }
}

static void what_was_in_clear_is_read(void **state)
{
    (void)state;
    static const struct golden_area *const areas[] = {&golden_first, &golden_conduct,
                                                      &golden_workshops, &golden_stage};
    for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++) {
        struct rig *rig = rig_new(PAGES, 32 + i);
        store_golden(rig, areas[i]);
        size_t before = rig->classes[0].event_count;
        assert_int_equal(rig_kill(rig), 0);
        const struct klass *k = class_find(rig->room, &rig->classes[0].id);
        assert_non_null(k);
        char title[256];
        (void)snprintf(title, sizeof(title), "%s", rtext_str(k->done->title));
        assert_true(title[0]);
        struct admin_request req = {
            .kind = ADMIN_CLASS_EDIT, .class_id = rig->classes[0].id, .title = "Tout nouveau"};
        classroom_admin(rig->room, 5, &req, rig->now);
        (void)rig_commit(rig, SIZE_MAX);
        assert_int_equal(rig->admin_err, 0);
        assert_true(rig->classes[0].event_count > before);
        assert_int_equal(found(rig, "Tout nouveau"), 0);
        assert_int_equal(rig_kill(rig), 0);
        k = class_find(rig->room, &rig->classes[0].id);
        assert_string_equal(rtext_str(k->done->title), "Tout nouveau");
        rig_free(rig);
    }
}

/* A person's erasure takes nothing of the class; the key of the class is no person's. */
static void the_key_of_the_class_stays(void **state)
{
    (void)state;
    struct rig *rig = rig_new(PAGES, 40);
    struct rig_page *host = &rig->pages[HOST];
    char link[TOKEN_TEXT_MAX];
    struct id class_id = rig_class(rig, CLASS_STANDARD);
    rig_link(rig, &class_id, ROLE_HOST, false, link);
    assert_true(rig_enter(rig, host, link, "Hélène"));
    struct admin_request req = {.kind = ADMIN_FORGET, .class_id = class_id, .person = class_id};
    classroom_admin(rig->room, 5, &req, rig->now);
    assert_int_not_equal(rig->admin_err, 0);
    assert_int_equal(id_parse(&req.person, ID_PERSON, host->person, strlen(host->person)), 0);
    classroom_admin(rig->room, 6, &req, rig->now);
    (void)rig_commit(rig, SIZE_MAX);
    assert_int_equal(rig->admin_err, 0);
    assert_int_equal(rig_kill(rig), 0);
    const struct klass *k = class_find(rig->room, &class_id);
    assert_string_equal(rtext_str(k->done->title), words[0]);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(nothing_stands_in_clear),
        UNIT(what_was_in_clear_is_read),
        UNIT(the_key_of_the_class_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
