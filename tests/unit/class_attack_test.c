/*
 * Hostile pages: bad input of every message (generated from messages.def), forged and replayed
 * tokens (S25), floods (S19), failures aimed at a victim (S29), ids of another class (S27). In each
 * case the answer goes to that connection and nobody else notices.
 */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "signaling/class/impl.h"
#include "tests/unit/class_rig.h"

enum { HOST, ATTACKER, VICTIM, FOREIGN, AT_DOOR, FRESH, PAGES };

struct arena {
    struct rig *rig;
    struct id class_id;
    struct id other_id;
    char link[ROLE_COUNT][TOKEN_TEXT_MAX];
    char other_link[TOKEN_TEXT_MAX];
    struct rig_page *p[PAGES];
};

static struct arena arena_new(void)
{
    struct arena a = {.rig = rig_new(PAGES + 4, 11)};
    assert_non_null(a.rig);
    a.class_id = rig_class(a.rig, CLASS_STANDARD);
    a.other_id = rig_class(a.rig, CLASS_STANDARD);
    for (unsigned r = 0; r < ROLE_COUNT; r++) {
        rig_link(a.rig, &a.class_id, (enum role)r, false, a.link[r]);
    }
    rig_link(a.rig, &a.other_id, ROLE_HOST, false, a.other_link);
    for (unsigned i = 0; i < PAGES; i++) {
        a.p[i] = &a.rig->pages[i];
    }
    assert_true(rig_enter(a.rig, a.p[HOST], a.link[ROLE_HOST], "Hôte"));
    assert_true(rig_enter(a.rig, a.p[ATTACKER], a.link[ROLE_PARTICIPANT], "Mallory"));
    assert_true(rig_enter(a.rig, a.p[VICTIM], a.link[ROLE_PARTICIPANT], "Victime"));
    assert_true(rig_enter(a.rig, a.p[FOREIGN], a.other_link, "Ailleurs"));
    rig_pass(a.rig, 200);
    (void)rig_commit(a.rig, SIZE_MAX);
    return a;
}

/* What everybody but the attacker has heard so far, and what is stored. */
static size_t witness(const struct arena *a)
{
    size_t sum = a->rig->ticket_count;
    for (unsigned i = 0; i < PAGES; i++) {
        if (i == HOST || i == VICTIM || i == FOREIGN) {
            sum += a->p[i]->messages;
        }
    }
    for (size_t i = 0; i < a->rig->class_count; i++) {
        sum += a->rig->classes[i].event_count;
    }
    return sum;
}

/* ---- samples from the table
 * ------------------------------------------------------------------------- */

static json_t *sample_shape(enum schema_shape_id id);

static json_t *sample(const struct schema_field *f)
{
    static const char *const letter[ID_KIND_COUNT] = {"c_", "p_", "d_", "m_", "r_", "w_"};
    char text[128] = "";
    json_t *list;
    switch (f->type) {
    case FIELD_STR:
        memset(text, f->ref == STR_HEX ? 'a' : 'x', (size_t)(f->low ? f->low : 1));
        return json_string(text);
    case FIELD_INT:
        return json_integer(f->low);
    case FIELD_BOOL:
        return json_true();
    case FIELD_ENUM:
        return json_string(schema_enum((enum schema_enum_id)f->ref)->values[0]);
    case FIELD_ID:
        (void)snprintf(text, sizeof(text), "%sbaaaaaaaaaaaaaaaaaaaaaaaaa", letter[f->ref]);
        return json_string(text);
    case FIELD_SHAPE:
        return sample_shape((enum schema_shape_id)f->ref);
    case FIELD_LIST:
        list = json_array();
        for (int64_t i = 0; i < f->low; i++) {
            json_array_append_new(list, sample_shape((enum schema_shape_id)f->ref));
        }
        return list;
    }
    return NULL;
}

static json_t *sample_shape(enum schema_shape_id id)
{
    const struct schema_shape *s = schema_shape(id);
    if (s->kind == SHAPE_ALIAS) {
        return sample(&s->fields[0]);
    }
    json_t *out = s->kind == SHAPE_TUPLE ? json_array() : json_object();
    for (size_t i = 0; i < s->count; i++) {
        if (s->kind == SHAPE_TUPLE) {
            json_array_append_new(out, sample(&s->fields[i]));
        } else {
            json_object_set_new(out, s->fields[i].name, sample(&s->fields[i]));
        }
    }
    return out;
}

static json_t *sample_msg(const struct schema_msg *m, unsigned serial)
{
    json_t *out = json_object();
    json_object_set_new(out, "t", json_string(m->name));
    if (m->flags & (MSG_CMD | MSG_ASK)) {
        char id[32];
        (void)snprintf(id, sizeof(id), "bad%u", serial);
        json_object_set_new(out, "id", json_string(id));
    }
    for (size_t i = 0; i < m->count; i++) {
        json_object_set_new(out, m->fields[i].name, sample(&m->fields[i]));
    }
    return out;
}

/* ---- bad input
 * -------------------------------------------------------------------------------------- */

struct tally {
    size_t sent;
    size_t answered;
};

/* The page that may send this message at all. */
static struct rig_page *sender(struct arena *a, const struct schema_msg *m)
{
    if (m->place & PLACE_CLASS) {
        return a->p[ATTACKER];
    }
    struct rig_page *page = m->place & PLACE_DOOR ? a->p[AT_DOOR] : a->p[FRESH];
    if (!page->conn) {
        rig_open(a->rig, page);
        if (m->place & PLACE_DOOR) {
            rig_say(a->rig, page, "{\"t\":\"hello\",\"v\":1,\"lang\":\"fr\",\"link\":\"%s\"}",
                    a->link[ROLE_PARTICIPANT]);
        }
    }
    return page;
}

static void expect_error(struct arena *a, const struct schema_msg *m, const char *text, size_t len,
                         struct tally *tally)
{
    struct rig_page *page = sender(a, m);
    size_t before = witness(a);
    size_t heard = page->messages;
    rig_text(a->rig, page, text, len);
    tally->sent++;
    if (page->messages != heard + 1 || !page->error[0]) {
        fail_msg("%s: no error for %.*s", m->name, (int)(len < 300 ? len : 300), text);
    }
    tally->answered++;
    if (witness(a) != before) {
        fail_msg("%s: somebody else noticed %.*s", m->name, (int)(len < 300 ? len : 300), text);
    }
    rig_pass(a->rig, 25);
}

static void expect_error_json(struct arena *a, const struct schema_msg *m, const json_t *tree,
                              struct tally *tally)
{
    char *text = json_dumps(tree, JSON_COMPACT);
    assert_non_null(text);
    expect_error(a, m, text, strlen(text), tally);
    free(text);
}

static void every_wrong_value(struct arena *a, const struct schema_msg *m,
                              const struct schema_field *f, struct tally *tally)
{
    static const char *const wrong[] = {
        "null",
        "1e3",
        "0.5",
        "{}",
        "[[]]",
        "[{\"a\":1}]",
        "\"\\u0000\"",
        "-1",
        "99999999999999999999",
        "\"\\u0007\"",
        "{\"t\":\"hello\"}",
        "[1,2,3]",
        "\"<script>\\u0001\"",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        json_t *tree = sample_msg(m, (unsigned)tally->sent);
        json_object_del(tree, f->name);
        char *rest = json_dumps(tree, JSON_COMPACT);
        char text[4000];
        int n = snprintf(text, sizeof(text), "%.*s,\"%s\":%s}", (int)strlen(rest) - 1, rest,
                         f->name, wrong[i]);
        expect_error(a, m, text, (size_t)n, tally);
        free(rest);
        json_decref(tree);
    }
    /* Of the right type, but out of bounds. */
    json_t *tree = sample_msg(m, (unsigned)tally->sent);
    char *huge = calloc(1, 20000);
    assert_non_null(huge);
    memset(huge, 'y', f->type == FIELD_STR ? (size_t)f->high + 1 : 500);
    json_object_set_new(tree, f->name, json_string(huge));
    expect_error_json(a, m, tree, tally);
    if (f->type == FIELD_INT && f->high < INT64_MAX) {
        json_object_set_new(tree, f->name, json_integer(f->high + 1));
        expect_error_json(a, m, tree, tally);
    }
    free(huge);
    json_decref(tree);
}

static void every_missing_or_extra(struct arena *a, const struct schema_msg *m, struct tally *tally)
{
    for (size_t i = 0; i < m->count; i++) {
        json_t *tree = sample_msg(m, (unsigned)tally->sent);
        json_object_del(tree, m->fields[i].name);
        if (!m->fields[i].optional) {
            expect_error_json(a, m, tree, tally);
        }
        json_decref(tree);
        every_wrong_value(a, m, &m->fields[i], tally);
    }
    json_t *tree = sample_msg(m, (unsigned)tally->sent);
    json_object_set_new(tree, "surplus", json_true());
    expect_error_json(a, m, tree, tally);
    json_object_del(tree, "surplus");
    if (m->flags & (MSG_CMD | MSG_ASK)) {
        json_object_del(tree, "id");
        expect_error_json(a, m, tree, tally);
    } else {
        json_object_set_new(tree, "id", json_string("x"));
        expect_error_json(a, m, tree, tally);
    }
    json_decref(tree);
}

static void every_broken_text(struct arena *a, const struct schema_msg *m, struct tally *tally)
{
    json_t *tree = sample_msg(m, (unsigned)tally->sent);
    char *text = json_dumps(tree, JSON_COMPACT);
    size_t len = strlen(text);
    /* Cut anywhere, a byte that is not UTF-8 anywhere, an unescaped control character anywhere. */
    for (size_t cut = 0; cut < len; cut += 1 + len / 12) {
        expect_error(a, m, text, cut, tally);
        char keep = text[cut];
        text[cut] = (char)0xff;
        expect_error(a, m, text, len, tally);
        text[cut] = '\x02';
        expect_error(a, m, text, len, tally);
        text[cut] = keep;
    }
    /* 64 KiB and one byte more: refused and closed with 1009. */
    char *large = malloc(SCHEMA_TEXT_LEN_MAX + 1);
    assert_non_null(large);
    memset(large, ' ', SCHEMA_TEXT_LEN_MAX + 1);
    memcpy(large, text, len);
    struct arena b = arena_new();
    struct rig_page *page = sender(&b, m);
    size_t before = witness(&b) - b.p[HOST]->messages - b.p[VICTIM]->messages;
    rig_text(b.rig, page, large, SCHEMA_TEXT_LEN_MAX + 1);
    assert_string_equal(page->error, "too_large");
    assert_int_equal(page->closed, CLOSE_TOO_BIG);
    /* Losing that connection is told (away), nothing else is. */
    assert_true(witness(&b) - b.p[HOST]->messages - b.p[VICTIM]->messages <= before + 1);
    rig_free(b.rig);
    free(large);
    free(text);
    json_decref(tree);
}

static void bad_input_of_every_message(void **state)
{
    (void)state;
    struct arena a = arena_new();
    struct tally tally = {0};
    for (unsigned i = 0; i < MSG_COUNT; i++) {
        const struct schema_msg *m = schema_msg((enum msg_type)i);
        every_missing_or_extra(&a, m, &tally);
        every_broken_text(&a, m, &tally);
    }
    print_message("bad input: %zu messages of %d types, %zu answered with error, 0 noticed\n",
                  tally.sent, MSG_COUNT, tally.answered);
    assert_true(tally.sent > 900);
    rig_free(a.rig);
}

/* ---- ids of nobody and of another class
 * --------------------------------------------------------------- */

static void s27_ids_of_another_class_are_unknown(void **state)
{
    (void)state;
    struct arena a = arena_new();
    size_t asked = 0;
    /* The host may do everything here, and still cannot reach anybody there. */
    for (unsigned i = 0; i < MSG_COUNT; i++) {
        const struct schema_msg *m = schema_msg((enum msg_type)i);
        for (size_t f = 0; f < m->count; f++) {
            if (m->fields[f].type != FIELD_ID || !(m->place & PLACE_CLASS)) {
                continue;
            }
            char unknown[ID_TEXT_MAX];
            struct id nobody = {.b = {[15] = 1}};
            (void)id_print(unknown, (enum id_kind)m->fields[f].ref, &nobody);
            bool person = m->fields[f].ref == ID_PERSON;
            const char *ids[] = {person ? a.p[FOREIGN]->person : unknown, unknown};
            for (unsigned k = 0; k < 2; k++) {
                json_t *tree = sample_msg(m, (unsigned)asked++);
                json_object_set_new(tree, m->fields[f].name, json_string(ids[k]));
                char *text = json_dumps(tree, JSON_COMPACT);
                size_t before = a.p[FOREIGN]->messages + a.p[VICTIM]->messages;
                rig_text(a.rig, a.p[HOST], text, strlen(text));
                assert_string_equal(a.p[HOST]->error, "not_found");
                assert_int_equal(a.rig->ticket_count, 0);
                assert_int_equal(a.p[FOREIGN]->messages + a.p[VICTIM]->messages, before);
                free(text);
                json_decref(tree);
            }
        }
    }
    assert_true(asked >= 8);
    /* A view names only devices of the same room. */
    rig_say(a.rig, a.p[HOST],
            "{\"t\":\"media.offer\",\"id\":\"o\",\"cause\":\"load\",\"offer\":{\"u\":\"abcd\","
            "\"p\":\"0123456789012345678901\",\"f\":\"%064d\",\"n\":[5,16],"
            "\"a\":{\"opus\":[111]},\"v\":{\"vp8\":[96,97]},\"xa\":{},\"xv\":{},"
            "\"s\":[1,0,3,4,5]}}",
            0);
    rig_say(a.rig, a.p[HOST],
            "{\"t\":\"view\",\"want\":[[0,\"%s\",\"cam\",360],[1,\"%s\",\"cam\",360],"
            "[1,\"%s\",\"screen\",0]]}",
            a.p[FOREIGN]->device, a.p[VICTIM]->device, a.p[VICTIM]->device);
    assert_string_equal(a.p[HOST]->error, "bad_message"); /* slot 1 twice */
    assert_int_equal(a.rig->last_cmd.kind, MEDIA_CMD_VIEW);
    assert_int_equal(a.rig->last_cmd.view.count, 1);
    assert_int_equal(a.rig->last_cmd.view.want[0].slot, 1);
    rig_say(a.rig, a.p[HOST], "{\"t\":\"view\",\"want\":[[0,\"%s\",\"cam\",360]]}",
            a.p[FOREIGN]->device);
    assert_string_equal(a.p[HOST]->error, "not_found");
    assert_int_equal(a.rig->last_cmd.view.count, 0);
    rig_free(a.rig);
}

/* ---- S19: floods
 * -------------------------------------------------------------------------------------- */

static void s19_rate_of_messages(void **state)
{
    (void)state;
    struct arena a = arena_new();
    rig_pass(a.rig, 10000);
    unsigned taken = 0;
    while (a.p[ATTACKER]->conn && taken < 1000) {
        rig_say(a.rig, a.p[ATTACKER], "{\"t\":\"media.ready\"}");
        taken += a.p[ATTACKER]->conn != 0;
    }
    print_message("S19: %u messages in a burst, then %u\n", taken, a.p[ATTACKER]->closed);
    assert_int_equal(taken, RATE_BURST);
    assert_int_equal(a.p[ATTACKER]->closed, CLOSE_POLICY);
    assert_string_equal(a.p[ATTACKER]->error, "too_fast");
    /* A new connection of the same device is no new burst. */
    rig_resume(a.rig, a.p[ATTACKER], false);
    taken = 0;
    while (a.p[ATTACKER]->conn && taken < 1000) {
        rig_say(a.rig, a.p[ATTACKER], "{\"t\":\"media.ready\"}");
        taken += a.p[ATTACKER]->conn != 0;
    }
    assert_true(taken <= 1);
    /* 50 a second for ever is fine. */
    rig_pass(a.rig, 5000);
    for (unsigned i = 0; i < 1000; i++) {
        rig_say(a.rig, a.p[VICTIM], "{\"t\":\"media.ready\"}");
        assert_int_not_equal(a.p[VICTIM]->conn, 0);
        rig_pass(a.rig, 20);
    }
    rig_free(a.rig);
}

/* ---- S25: tokens
 * ---------------------------------------------------------------------------------------- */

static bool lets_in(struct arena *a, const char *key, const char *token)
{
    struct rig_page *page = a->p[FRESH];
    size_t before = witness(a);
    rig_open(a->rig, page);
    json_decref(page->door);
    page->door = NULL;
    if (strcmp(key, "guest") == 0) {
        rig_say(a->rig, page,
                "{\"t\":\"hello\",\"v\":1,\"lang\":\"en\",\"link\":\"%s\",\"guest\":\"%s\"}",
                a->link[ROLE_PARTICIPANT], token);
    } else {
        rig_say(a->rig, page, "{\"t\":\"hello\",\"v\":1,\"lang\":\"en\",\"%s\":\"%s\"}", key,
                token);
    }
    bool in = page->conn != 0;
    if (!in) {
        assert_int_equal(page->closed, CLOSE_AUTH);
        assert_int_equal(witness(a), before);
    }
    rig_lose(a->rig, page);
    (void)rig_commit(a->rig, SIZE_MAX);
    return in;
}

static void flip_every_character(struct arena *a, const char *key, const char *token, size_t *tried)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char copy[TOKEN_TEXT_MAX];
    for (size_t i = 0; token[i]; i++) {
        for (unsigned bit = 0; bit < 6; bit++) {
            (void)snprintf(copy, sizeof(copy), "%s", token);
            const char *at = strchr(letters, copy[i]);
            copy[i] = letters[(size_t)(at - letters) ^ 1u << bit];
            if (lets_in(a, key, copy)) {
                fail_msg("%s lets in with character %zu changed", key, i);
            }
            (*tried)++;
        }
    }
    for (size_t cut = 1; cut < strlen(token); cut++) {
        (void)snprintf(copy, sizeof(copy), "%.*s", (int)cut, token);
        assert_false(lets_in(a, key, copy));
        (*tried)++;
    }
    (void)snprintf(copy, sizeof(copy), "%sA", token);
    assert_false(lets_in(a, key, copy));
}

static void s25_every_bit_of_a_token_counts(void **state)
{
    (void)state;
    struct arena a = arena_new();
    size_t tried = 0;
    char once[TOKEN_TEXT_MAX];
    rig_link(a.rig, &a.class_id, ROLE_HOST, true, once);
    flip_every_character(&a, "link", a.link[ROLE_PARTICIPANT], &tried);
    flip_every_character(&a, "link", once, &tried);
    flip_every_character(&a, "guest", a.p[VICTIM]->guest, &tried);
    flip_every_character(&a, "resume", a.p[VICTIM]->resume, &tried);
    print_message("S25: %zu forged tokens, 0 let in\n", tried);
    assert_true(lets_in(&a, "link", a.link[ROLE_PARTICIPANT]));
    assert_true(a.p[VICTIM]->inside);
    rig_free(a.rig);
}

static void make(char out[TOKEN_TEXT_MAX], const struct arena *a, const struct token_claim *claim)
{
    assert_int_equal(token_make(out, claim, a->rig->config.key, &a->rig->config.token), 0);
}

static void s25_a_token_serves_one_purpose(void **state)
{
    (void)state;
    struct arena a = arena_new();
    /* A good token of the wrong kind, of another class, of another time. */
    assert_false(lets_in(&a, "link", a.p[VICTIM]->guest));
    assert_false(lets_in(&a, "link", a.p[VICTIM]->resume));
    assert_false(lets_in(&a, "resume", a.p[VICTIM]->guest));
    assert_false(lets_in(&a, "resume", a.link[ROLE_HOST]));
    assert_false(lets_in(&a, "guest", a.p[FOREIGN]->guest));
    assert_false(lets_in(&a, "guest", a.p[VICTIM]->resume));
    char token[TOKEN_TEXT_MAX];
    struct token_claim claim = {.kind = TOKEN_LINK, .class_id = a.class_id};
    claim.expires_at = a.rig->now.wall - TOKEN_LEEWAY_MS + 1000;
    make(token, &a, &claim);
    assert_true(lets_in(&a, "link", token));
    claim.expires_at = a.rig->now.wall - TOKEN_LEEWAY_MS - 1000;
    make(token, &a, &claim);
    assert_false(lets_in(&a, "link", token));
    /* What opens a standard door opens no page. */
    struct token_claim door = {.kind = TOKEN_WHIP,
                               .class_id = a.class_id,
                               .person = {{9}},
                               .role = ROLE_SPEAKER,
                               .expires_at = a.rig->now.wall + 10000,
                               .name = "cam"};
    make(token, &a, &door);
    assert_false(lets_in(&a, "link", token));
    door.kind = TOKEN_WHEP;
    make(token, &a, &door);
    assert_false(lets_in(&a, "link", token));
    /* A class that does not exist; a key that is not ours. */
    claim.expires_at = a.rig->now.wall + 10000;
    claim.class_id.b[3] ^= 1;
    make(token, &a, &claim);
    assert_false(lets_in(&a, "link", token));
    claim.class_id = a.class_id;
    uint8_t key[TOKEN_OPS_KEY_LEN] = {0};
    assert_int_equal(token_make(token, &claim, key, &a.rig->config.token), 0);
    assert_false(lets_in(&a, "link", token));
    rig_free(a.rig);
}

static void s25_join_token_works_once(void **state)
{
    (void)state;
    struct arena a = arena_new();
    char once[TOKEN_TEXT_MAX];
    rig_link(a.rig, &a.class_id, ROLE_ANIMATOR, true, once);
    struct rig_page *page = a.p[FRESH];
    rig_open(a.rig, page);
    rig_say(a.rig, page, "{\"t\":\"hello\",\"v\":1,\"lang\":\"fr\",\"link\":\"%s\"}", once);
    /* The door opens when the use is durable, and two at once are one use. */
    assert_null(page->door);
    struct rig_page *second = a.p[AT_DOOR];
    rig_open(a.rig, second);
    rig_say(a.rig, second, "{\"t\":\"hello\",\"v\":1,\"lang\":\"fr\",\"link\":\"%s\"}", once);
    assert_int_equal(second->closed, CLOSE_AUTH);
    (void)rig_commit(a.rig, SIZE_MAX);
    assert_non_null(page->door);
    assert_false(lets_in(&a, "link", once));
    /* Nor after the core was killed. */
    assert_int_equal(rig_kill(a.rig), 0);
    assert_false(lets_in(&a, "link", once));
    rig_free(a.rig);
}

static void s25_resume_token_rotates_and_dies(void **state)
{
    (void)state;
    struct arena a = arena_new();
    char first[TOKEN_TEXT_MAX];
    char second[TOKEN_TEXT_MAX];
    (void)snprintf(first, sizeof(first), "%s", a.p[VICTIM]->resume);
    assert_true(rig_resume(a.rig, a.p[VICTIM], false));
    (void)snprintf(second, sizeof(second), "%s", a.p[VICTIM]->resume);
    assert_string_not_equal(first, second);
    /* Used and replaced: dead as soon as the page has spoken with the new one in hand. */
    rig_say(a.rig, a.p[VICTIM], "{\"t\":\"sync\",\"have\":0}");
    assert_false(lets_in(&a, "resume", first));
    assert_true(a.p[VICTIM]->inside);
    /* Dead after a kick, without any ban. */
    rig_say(a.rig, a.p[HOST],
            "{\"t\":\"person.remove\",\"id\":\"k\",\"person\":\"%s\",\"ban\":false}",
            a.p[VICTIM]->person);
    (void)rig_commit(a.rig, SIZE_MAX);
    assert_int_equal(a.p[VICTIM]->closed, CLOSE_REMOVED);
    assert_false(lets_in(&a, "resume", second));
    /* Dead after leaving, and after the end of the session. */
    char left[TOKEN_TEXT_MAX];
    (void)snprintf(left, sizeof(left), "%s", a.p[ATTACKER]->resume);
    rig_say(a.rig, a.p[ATTACKER], "{\"t\":\"leave\",\"id\":\"l\"}");
    (void)rig_commit(a.rig, SIZE_MAX);
    assert_false(lets_in(&a, "resume", left));
    char ended[TOKEN_TEXT_MAX];
    (void)snprintf(ended, sizeof(ended), "%s", a.p[HOST]->resume);
    rig_say(a.rig, a.p[HOST], "{\"t\":\"session.end\",\"id\":\"e\"}");
    (void)rig_commit(a.rig, SIZE_MAX);
    assert_false(lets_in(&a, "resume", ended));
    rig_free(a.rig);
}

/* ---- S29
 * ------------------------------------------------------------------------------------------------
 */

static void s29_failed_auth_throws_nobody_out(void **state)
{
    (void)state;
    struct arena a = arena_new();
    struct rng rng = rng_from_seeded(&a.rig->seeded);
    size_t tried = 0;
    for (unsigned i = 0; i < 2000; i++) {
        /* The victim's own ids, signed by the wrong key or with one thing changed. */
        struct token_claim claim = {.kind = TOKEN_RESUME, .class_id = a.class_id};
        assert_int_equal(id_parse(&claim.person, ID_PERSON, a.p[VICTIM]->person, 28), 0);
        assert_int_equal(id_parse(&claim.device, ID_DEVICE, a.p[VICTIM]->device, 28), 0);
        claim.generation = rng_below(&rng, 4) + 2;
        uint8_t key[TOKEN_OPS_KEY_LEN];
        memcpy(key, a.rig->config.key, sizeof(key));
        key[rng_below(&rng, 32)] ^= (uint8_t)(i % 2 ? 0 : 1 + rng_below(&rng, 255));
        char token[TOKEN_TEXT_MAX];
        assert_int_equal(token_make(token, &claim, key, &a.rig->config.token), 0);
        assert_false(lets_in(&a, "resume", token));
        tried++;
        assert_true(a.p[VICTIM]->inside);
        assert_int_equal(a.p[VICTIM]->closed, 0);
    }
    print_message("S29: %zu failed logins for a victim, 0 disconnects\n", tried);
    rig_free(a.rig);
}

/* ---- S21: mutated messages
 * ------------------------------------------------------------------------------ */

/* The rig aborts when anything the classroom sends is not of the schema, to whomever. */
static void s21_mutants_never_reach_others(void **state)
{
    (void)state;
    const unsigned mutants = support_rounds(100000);
    struct arena a = arena_new();
    struct rng rng = rng_from_seeded(&a.rig->seeded);
    struct rig_page *page = a.p[ATTACKER];
    size_t refused = 0;
    size_t texts = a.rig->texts;
    for (unsigned i = 0; i < mutants; i++) {
        if (!page->inside) {
            rig_enter(a.rig, page, a.link[ROLE_ANIMATOR], "Mallory");
        }
        json_t *tree = sample_msg(schema_msg((enum msg_type)rng_below(&rng, MSG_COUNT)), i);
        char *text = json_dumps(tree, JSON_COMPACT);
        size_t len = strlen(text);
        for (unsigned m = rng_below(&rng, 4); m > 0; m--) {
            text[rng_below(&rng, (uint32_t)len)] = (char)rng_below(&rng, 256);
        }
        rig_text(a.rig, page, text, len);
        refused += page->error[0] != '\0';
        a.rig->now.mono += 20 * US_PER_MS;
        (void)rig_commit(a.rig, SIZE_MAX);
        if (i % 50 == 0) {
            rig_pass(a.rig, 200);
        }
        free(text);
        json_decref(tree);
    }
    print_message("S21: %d mutants, %zu refused, %zu texts to others checked, 0 unschematic\n",
                  mutants, refused, a.rig->texts - texts - refused);
    assert_true(refused > mutants / 2);
    assert_true(refused < mutants);
    rig_free(a.rig);
}

/* ---- who says nothing
 * ------------------------------------------------------------------------------------ */

static void silence_is_closed(void **state)
{
    (void)state;
    struct arena a = arena_new();
    rig_open(a.rig, a.p[FRESH]);
    rig_pass(a.rig, 9000);
    assert_int_equal(a.p[FRESH]->closed, 0);
    rig_pass(a.rig, 1500);
    assert_int_equal(a.p[FRESH]->closed, CLOSE_POLICY);
    rig_say(a.rig, a.p[AT_DOOR], "{}");
    rig_open(a.rig, a.p[FRESH]);
    rig_say(a.rig, a.p[FRESH], "{\"t\":\"session.start\",\"id\":\"x\"}");
    assert_string_equal(a.p[FRESH]->error, "state");
    rig_free(a.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(bad_input_of_every_message),
        UNIT(s27_ids_of_another_class_are_unknown),
        UNIT(s19_rate_of_messages),
        UNIT(s25_every_bit_of_a_token_counts),
        UNIT(s25_a_token_serves_one_purpose),
        UNIT(s25_join_token_works_once),
        UNIT(s25_resume_token_rotates_and_dies),
        UNIT(s21_mutants_never_reach_others),
        UNIT(s29_failed_auth_throws_nobody_out),
        UNIT(silence_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
