/* What a large class is sent when many change their place at once. */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/class/impl.h"
#include "tests/unit/class_rig.h"

enum { PEOPLE = 48, TABLES = 6, BLIND_FROM = 8 };

struct scene {
    struct rig *rig;
    char room[TABLES][ID_TEXT_MAX];
    char set[ID_TEXT_MAX];
    unsigned command;
};

static void host_says(struct scene *s, const char *body)
{
    rig_say(s->rig, &s->rig->pages[0], "{\"id\":\"h%u\",%s}", ++s->command, body);
    (void)rig_commit(s->rig, SIZE_MAX);
    assert_string_equal(s->rig->pages[0].error, "");
}

static void same_views(const struct scene *s)
{
    for (unsigned i = 0; i < BLIND_FROM; i++) {
        char *mine = rig_view_text(&s->rig->pages[i]);
        char *theirs = rig_state_text(s->rig, &s->rig->pages[i]);
        assert_string_equal(mine, theirs);
        free(mine);
        free(theirs);
    }
    for (unsigned i = BLIND_FROM; i < PEOPLE; i++) {
        assert_false(s->rig->pages[i].gap);
        assert_int_equal(s->rig->pages[i].seq, s->rig->pages[0].seq);
    }
}

static size_t snapshots(const struct scene *s)
{
    size_t n = 0;
    for (unsigned i = 0; i < PEOPLE; i++) {
        n += s->rig->pages[i].snapshots;
    }
    return n;
}

static struct scene scene_new(void)
{
    struct scene s = {.rig = rig_new(PEOPLE, 51)};
    struct id class_id = rig_class(s.rig, CLASS_STANDARD);
    char host[TOKEN_TEXT_MAX];
    char link[TOKEN_TEXT_MAX];
    rig_link(s.rig, &class_id, ROLE_HOST, false, host);
    rig_link(s.rig, &class_id, ROLE_PARTICIPANT, false, link);
    for (unsigned i = 0; i < PEOPLE; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "Personne %u", i);
        s.rig->pages[i].blind = i >= BLIND_FROM;
        assert_true(rig_enter(s.rig, &s.rig->pages[i], i ? link : host, name));
    }
    host_says(&s, "\"t\":\"workshop.create\",\"title\":\"A\",\"names\":[\"1\",\"2\",\"3\",\"4\","
                  "\"5\",\"6\"]");
    const json_t *set = json_array_get(json_object_get(s.rig->pages[0].view, "workshops"), 0);
    (void)snprintf(s.set, sizeof(s.set), "%s", json_string_value(json_object_get(set, "id")));
    for (unsigned i = 0; i < TABLES; i++) {
        const json_t *room = json_array_get(json_object_get(set, "rooms"), i);
        (void)snprintf(s.room[i], sizeof(s.room[i]), "%s",
                       json_string_value(json_object_get(room, "id")));
    }
    char body[400];
    (void)snprintf(body, sizeof(body),
                   "\"t\":\"workshop.change\",\"set\":\"%s\",\"notice\":0,\"change\":\"free\"",
                   s.set);
    host_says(&s, body);
    for (unsigned i = 1; i < PEOPLE; i++) {
        (void)snprintf(body, sizeof(body),
                       "\"t\":\"workshop.place\",\"set\":\"%s\",\"person\":\"%s\",\"room\":\"%s\"",
                       s.set, s.rig->pages[i].person, s.room[i % TABLES]);
        host_says(&s, body);
        rig_pass(s.rig, 40);
    }
    return s;
}

static void a_move_of_all_is_told_by_room(void **state)
{
    (void)state;
    struct scene s = scene_new();
    char body[200];
    size_t before = snapshots(&s);
    size_t sends = s.rig->sends;
    rig_say(s.rig, &s.rig->pages[2], "{\"t\":\"hand.raise\",\"id\":\"r\",\"kind\":\"speak\"}");
    rig_say(s.rig, &s.rig->pages[3], "{\"t\":\"chat.send\",\"id\":\"c\",\"text\":\"avant\"}");
    (void)snprintf(body, sizeof(body), "\"t\":\"workshop.open\",\"set\":\"%s\"", s.set);
    host_says(&s, body);
    rig_pass(s.rig, 200);
    (void)rig_commit(s.rig, SIZE_MAX);
    same_views(&s);
    /* Nobody was sent the whole class again; each view is one text, and one word for each alone. */
    assert_int_equal(snapshots(&s), before);
    assert_true(s.rig->sends - sends < 3 * PEOPLE + 12 * TABLES);
    assert_int_equal(rig_count(&s.rig->pages[2], "hands"), 0);
    assert_int_equal(rig_count(&s.rig->pages[3], "chat"), 0);
    /* At the table: what is said there, a call for help, an announcement, one who changes over. */
    rig_say(s.rig, &s.rig->pages[1], "{\"t\":\"chat.send\",\"id\":\"d\",\"text\":\"au travail\"}");
    rig_say(s.rig, &s.rig->pages[1], "{\"t\":\"workshop.help\",\"id\":\"e\",\"text\":\"ici\"}");
    host_says(&s, "\"t\":\"workshop.announce\",\"text\":\"cinq minutes\"");
    rig_say(s.rig, &s.rig->pages[2], "{\"t\":\"workshop.go\",\"id\":\"g\",\"room\":\"%s\"}",
            s.room[1]);
    (void)rig_commit(s.rig, SIZE_MAX);
    same_views(&s);
    assert_int_equal(rig_count(&s.rig->pages[2], "chat"), 1);
    assert_int_equal(rig_count(&s.rig->pages[2], "calls"), 1);
    host_says(&s, "\"t\":\"workshop.close\",\"seconds\":0");
    rig_pass(s.rig, 200);
    (void)rig_commit(s.rig, SIZE_MAX);
    same_views(&s);
    assert_int_equal(snapshots(&s), before);
    assert_int_equal(rig_count(&s.rig->pages[2], "chat"), 1);
    rig_free(s.rig);
}

/* Whoever is cut off in the middle of it is told all again. */
static void a_page_lost_in_between_misses_nothing(void **state)
{
    (void)state;
    struct scene s = scene_new();
    char body[200];
    struct rig_page *lost = &s.rig->pages[1];
    int64_t have = lost->seq;
    (void)snprintf(body, sizeof(body), "\"t\":\"workshop.open\",\"set\":\"%s\"", s.set);
    host_says(&s, body);
    rig_pass(s.rig, 200);
    (void)rig_commit(s.rig, SIZE_MAX);
    lost->seq = have;
    rig_lose(s.rig, lost);
    assert_true(rig_resume(s.rig, lost, true));
    rig_pass(s.rig, 200);
    (void)rig_commit(s.rig, SIZE_MAX);
    same_views(&s);
    rig_free(s.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_move_of_all_is_told_by_room),
        UNIT(a_page_lost_in_between_misses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
