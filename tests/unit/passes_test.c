/* Tokens of the standard doors: made, listed, withdrawn, and what is left of that after a kill. */
#include <jansson.h>
#include <string.h>

#include "codec/base/err.h"
#include "signaling/class/impl.h"
#include "signaling/journal/passes.h"
#include "tests/unit/class_rig.h"
#include "tests/unit/support.h"

enum { HOST, CAMERA, PAGES };

struct scene {
    struct rig *rig;
    struct id class_id;
};

static struct scene scene_new(uint64_t seed)
{
    struct scene s = {.rig = rig_new(PAGES, seed)};
    char link[TOKEN_TEXT_MAX];
    s.class_id = rig_class(s.rig, CLASS_STANDARD);
    rig_link(s.rig, &s.class_id, ROLE_HOST, false, link);
    assert_true(rig_enter(s.rig, &s.rig->pages[HOST], link, "Hélène"));
    return s;
}

static int ask(struct scene *s, struct admin_request req)
{
    req.class_id = id_is_zero(&req.class_id) ? s->class_id : req.class_id;
    s->rig->admin[0] = '\0';
    classroom_admin(s->rig->room, 9, &req, s->rig->now);
    (void)rig_commit(s->rig, SIZE_MAX);
    return s->rig->admin_err;
}

/* One text of the last answer. */
static void told(const struct scene *s, const char *key, char *out, size_t cap)
{
    json_t *answer = json_loads(s->rig->admin, 0, NULL);
    const char *text = json_string_value(json_object_get(answer, key));
    assert_non_null(text);
    (void)snprintf(out, cap, "%s", text);
    json_decref(answer);
}

static struct id pass_of(const char *text)
{
    struct id id;
    assert_int_equal(id_parse(&id, ID_PASS, text, strlen(text)), 0);
    return id;
}

struct made {
    char token[TOKEN_TEXT_MAX];
    struct id id;
};

static struct made make(struct scene *s, bool publish, const char *name)
{
    struct made m;
    char text[ID_TEXT_MAX];
    assert_int_equal(
        ask(s, (struct admin_request){.kind = ADMIN_PASS, .publish = publish, .title = name}), 0);
    told(s, "link", m.token, sizeof(m.token));
    told(s, "pass", text, sizeof(text));
    m.id = pass_of(text);
    return m;
}

static int opens(const struct scene *s, const struct made *m)
{
    struct class_pass pass;
    return classroom_pass(s->rig->room, m->token, strlen(m->token), s->rig->now.wall, &pass);
}

static size_t listed(struct scene *s, const char *name)
{
    assert_int_equal(ask(s, (struct admin_request){.kind = ADMIN_PASS_LIST}), 0);
    json_t *answer = json_loads(s->rig->admin, 0, NULL);
    json_t *list = json_object_get(answer, "passes");
    size_t count = 0;
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one)
    {
        count += !name || !strcmp(json_string_value(json_object_get(one, "name")), name);
    }
    json_decref(answer);
    return count;
}

static int withdraw(struct scene *s, const struct id *pass)
{
    return ask(s, (struct admin_request){.kind = ADMIN_PASS_WITHDRAW, .pass = *pass});
}

static void withdrawn_opens_nothing(void **state)
{
    (void)state;
    struct scene s = scene_new(51);
    struct made cam = make(&s, true, "Caméra du fond");
    struct made other = make(&s, true, "Caméra du fond");
    struct made hall = make(&s, false, "Salle B");
    assert_false(id_equal(&cam.id, &other.id));
    assert_int_equal(listed(&s, NULL), 3);
    assert_int_equal(listed(&s, "Salle B"), 1);
    uint64_t before = classroom_withdrawals(s.rig->room);
    assert_int_equal(withdraw(&s, &cam.id), 0);
    assert_true(classroom_withdrawals(s.rig->room) > before);
    assert_true(classroom_withdrawn(s.rig->room, &s.class_id, &cam.id));
    assert_int_equal(opens(&s, &cam), E_STATE);
    assert_int_equal(opens(&s, &other), 0);
    assert_int_equal(opens(&s, &hall), 0);
    assert_int_equal(listed(&s, NULL), 2);
    assert_int_equal(withdraw(&s, &cam.id), 0); /* once more says the same */
    assert_int_equal(withdraw(&s, &s.class_id), E_NOTFOUND);
    rig_free(s.rig);
}

/* Told before it is durable, so that nobody goes on meanwhile; and it does not come to nothing when
 * the machine dies, with the events alone and with a snapshot. */
static void it_outlives_a_kill(void **state)
{
    (void)state;
    struct scene s = scene_new(52);
    struct made cam = make(&s, true, "Caméra");
    struct made hall = make(&s, false, "Salle B");
    struct admin_request req = {
        .kind = ADMIN_PASS_WITHDRAW, .class_id = s.class_id, .pass = hall.id};
    classroom_admin(s.rig->room, 9, &req, s.rig->now);
    assert_int_equal(opens(&s, &hall), E_STATE);
    (void)rig_commit(s.rig, SIZE_MAX);
    assert_int_equal(rig_kill(s.rig), 0);
    assert_int_equal(opens(&s, &hall), E_STATE);
    assert_int_equal(opens(&s, &cam), 0);
    assert_int_equal(listed(&s, "Caméra"), 1);
    rig_free(s.rig);
}

/* A page of the program that speaks for an encoder is asked too. */
static void no_hello_with_it(void **state)
{
    (void)state;
    struct scene s = scene_new(53);
    struct rig_page *camera = &s.rig->pages[CAMERA];
    struct made cam = make(&s, true, "Caméra");
    camera->encoder = true;
    assert_true(rig_enter(s.rig, camera, cam.token, "Caméra"));
    rig_lose(s.rig, camera);
    assert_int_equal(withdraw(&s, &cam.id), 0);
    assert_false(rig_enter(s.rig, camera, cam.token, "Caméra"));
    assert_int_equal(camera->closed, CLOSE_AUTH);
    rig_free(s.rig);
}

/* Made by an earlier release, it is in no list: it is withdrawn by its own text. */
static void one_that_nobody_noted(void **state)
{
    (void)state;
    struct scene s = scene_new(54);
    struct classroom_config *config = &s.rig->room->config;
    struct token_claim claim = {.kind = TOKEN_WHEP,
                                .class_id = s.class_id,
                                .role = ROLE_SPEAKER,
                                .expires_at = s.rig->now.wall + 86400000};
    struct made old;
    assert_int_equal(token_make(old.token, &claim, config->key, &config->token), 0);
    assert_int_equal(opens(&s, &old), 0);
    struct admin_request req = {.kind = ADMIN_PASS_WITHDRAW, .title = old.token};
    assert_int_equal(ask(&s, req), 0);
    assert_int_equal(opens(&s, &old), E_STATE);
    assert_int_equal(listed(&s, NULL), 0);
    assert_int_equal(rig_kill(s.rig), 0);
    assert_int_equal(opens(&s, &old), E_STATE);
    req.title = "AQab";
    assert_int_equal(ask(&s, req), E_NOTFOUND);
    /* Of another class: not from here. */
    struct id other = rig_class(s.rig, CLASS_STANDARD);
    struct made theirs = make(&s, false, NULL);
    assert_int_equal(ask(&s, (struct admin_request){.kind = ADMIN_PASS_WITHDRAW,
                                                    .class_id = other,
                                                    .title = theirs.token}),
                     E_NOTFOUND);
    assert_int_equal(ask(&s, (struct admin_request){.kind = ADMIN_PASS_WITHDRAW,
                                                    .class_id = other,
                                                    .pass = theirs.id}),
                     E_NOTFOUND);
    assert_int_equal(opens(&s, &theirs), 0);
    rig_free(s.rig);
}

/* A class has 100 at a time; those that have expired make room. */
static void the_list_is_bounded(void **state)
{
    (void)state;
    struct scene s = scene_new(55);
    struct admin_request req = {.kind = ADMIN_PASS, .title = "x", .ttl_s = 60};
    for (unsigned i = 0; i < PASSES_MAX; i++) {
        assert_int_equal(ask(&s, req), 0);
    }
    assert_int_equal(ask(&s, req), E_LIMIT);
    assert_int_equal(class_find(s.rig->room, &s.class_id)->done->passes.count, PASSES_MAX);
    s.rig->now.wall += 600000;
    assert_int_equal(listed(&s, NULL), 0);
    assert_int_equal(ask(&s, req), 0);
    assert_int_equal(listed(&s, NULL), 1);
    rig_free(s.rig);
}

static void a_name_is_erased(void **state)
{
    (void)state;
    struct scene s = scene_new(56);
    struct made cam = make(&s, true, "Anna Dupont");
    char person[ID_TEXT_MAX];
    struct admin_request req = {.kind = ADMIN_FORGET};
    told(&s, "person", person, sizeof(person));
    assert_int_equal(id_parse(&req.person, ID_PERSON, person, strlen(person)), 0);
    assert_int_equal(listed(&s, "Anna Dupont"), 1);
    assert_int_equal(ask(&s, req), 0);
    assert_int_equal(listed(&s, "Anna Dupont"), 0);
    assert_int_equal(listed(&s, ""), 1);
    assert_int_equal(rig_kill(s.rig), 0);
    assert_int_equal(listed(&s, ""), 1);
    assert_int_equal(withdraw(&s, &cam.id), 0);
    assert_int_equal(opens(&s, &cam), E_STATE);
    rig_free(s.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(withdrawn_opens_nothing), UNIT(it_outlives_a_kill),  UNIT(no_hello_with_it),
        UNIT(one_that_nobody_noted),   UNIT(the_list_is_bounded), UNIT(a_name_is_erased),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
