/* Messages in, messages out: the strict reader (S21), the writer, the generated documents. */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/rng.h"
#include "codec/base/text.h"
#include "signaling/schema/docs.h"
#include "signaling/schema/id.h"
#include "signaling/schema/jsonw.h"
#include "signaling/schema/rights.h"
#include "signaling/schema/schema.h"
#include "tests/unit/json_cases.h"

/* ---- JSON
 * ------------------------------------------------------------------------------------------- */

static void s21_json_refuses_what_is_not_json(void **state)
{
    (void)state;
    size_t refused = 0;
    for (size_t i = 0; i < JSON_BAD_COUNT; i++) {
        struct schema_error error;
        json_t *tree = schema_json(json_bad[i].text, json_bad[i].len, &error);
        if (tree) {
            fail_msg("n_%s was accepted", json_bad[i].name);
        }
        assert_string_equal(error.code, "bad_message");
        assert_true(error.why[0] != '\0');
        refused++;
    }
    print_message("S21: n_ %zu/%zu refused\n", refused, (size_t)JSON_BAD_COUNT);
    assert_true(refused >= 188);
}

static void s21_json_accepts_what_is_json(void **state)
{
    (void)state;
    size_t accepted = 0;
    for (size_t i = 0; i < JSON_GOOD_COUNT; i++) {
        struct schema_error error;
        json_t *tree = schema_json(json_good[i].text, json_good[i].len, &error);
        if (!tree) {
            fail_msg("y_%s was refused: %s", json_good[i].name, error.why);
        }
        json_decref(tree);
        accepted++;
    }
    print_message("S21: y_ %zu/%zu accepted\n", accepted, (size_t)JSON_GOOD_COUNT);
    assert_true(accepted >= 92);
}

/* Legal JSON that our rule refuses all the same: a key twice, NUL in a string or a key. */
static void s21_json_policy(void **state)
{
    (void)state;
    for (size_t i = 0; i < JSON_POLICY_COUNT; i++) {
        struct schema_error error;
        json_t *tree = schema_json(json_policy[i].text, json_policy[i].len, &error);
        if (tree) {
            fail_msg("%s was accepted", json_policy[i].name);
        }
    }
}

static char *repeat(const char *open, size_t n, const char *middle, const char *close)
{
    size_t size = n * (strlen(open) + strlen(close)) + strlen(middle) + 1;
    char *text = calloc(1, size);
    assert_non_null(text);
    char *at = text;
    for (size_t i = 0; i < n; i++) {
        at += snprintf(at, size - (size_t)(at - text), "%s", open);
    }
    at += snprintf(at, size - (size_t)(at - text), "%s", middle);
    for (size_t i = 0; i < n; i++) {
        at += snprintf(at, size - (size_t)(at - text), "%s", close);
    }
    return text;
}

static bool reads(const char *text)
{
    struct schema_error error;
    json_t *tree = schema_json(text, strlen(text), &error);
    json_decref(tree);
    return tree != NULL;
}

static void s21_limits_of_depth_list_and_string(void **state)
{
    (void)state;
    static const struct {
        const char *open, *middle, *close;
        size_t most;
    } limits[] = {
        {"[", "1", "]", SCHEMA_DEPTH_MAX},
        {"{\"a\":", "1", "}", SCHEMA_DEPTH_MAX},
    };
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        for (size_t over = 0; over < 2; over++) {
            char *text =
                repeat(limits[i].open, limits[i].most + over, limits[i].middle, limits[i].close);
            assert_int_equal(reads(text), over == 0);
            free(text);
        }
    }
    for (size_t over = 0; over < 2; over++) {
        char *list = repeat("0,", SCHEMA_ARRAY_MAX - 1 + over, "0", "");
        char *text = repeat("[", 1, list, "]");
        assert_int_equal(reads(text), over == 0);
        free(list);
        free(text);
        char *body = repeat("x", SCHEMA_STR_MAX + over, "", "");
        text = repeat("\"", 1, body, "\"");
        assert_int_equal(reads(text), over == 0);
        free(body);
        free(text);
    }
}

/* ---- messages
 * --------------------------------------------------------------------------------------- */

static int parse(const char *text, struct schema_error *error)
{
    struct msg msg;
    int err = schema_parse(&msg, text, strlen(text), error);
    if (!err) {
        msg_fini(&msg);
    }
    return err;
}

static void message_becomes_values(void **state)
{
    (void)state;
    struct msg msg;
    struct schema_error error;
    static const char text[] =
        "{\"t\":\"chat.send\",\"id\":\"a-1\",\"text\":\"\\u00a0 salut\\n\\n\"}";
    assert_int_equal(schema_parse(&msg, text, sizeof(text) - 1, &error), 0);
    assert_int_equal(msg.type, MSG_CHAT_SEND);
    assert_string_equal(msg.id, "a-1");
    assert_true(msg.chat_send.has_text);
    assert_int_equal(msg.chat_send.text.len, 5);
    assert_memory_equal(msg.chat_send.text.s, "salut", 5);
    msg_fini(&msg);
    static const char lower[] = "{\"t\":\"hand.lower\",\"id\":\"x\"}";
    assert_int_equal(schema_parse(&msg, lower, sizeof(lower) - 1, &error), 0);
    assert_false(msg.hand_lower.has_person);
    msg_fini(&msg);
}

static void errors_say_where_and_why(void **state)
{
    (void)state;
    static const struct {
        const char *text, *code, *at, *id;
    } cases[] = {
        {"[]", "bad_message", "", ""},
        {"{}", "unknown_type", "t", ""},
        {"{\"t\":\"nope\"}", "unknown_type", "t", ""},
        {"{\"t\":\"leave\"}", "bad_message", "id", ""},
        {"{\"t\":\"leave\",\"id\":\"\"}", "bad_message", "id", ""},
        {"{\"t\":\"leave\",\"id\":\"a b\"}", "bad_message", "id", ""},
        {"{\"t\":\"leave\",\"id\":\"a\",\"x\":1}", "bad_message", "x", "a"},
        {"{\"t\":\"leave\",\"id\":\"a\",\"<b>\":1}", "bad_message", "?", "a"},
        {"{\"t\":\"chat.send\",\"id\":\"a\"}", "bad_message", "text", "a"},
        {"{\"t\":\"chat.send\",\"id\":\"a\",\"text\":\" \\n \"}", "bad_message", "text", "a"},
        {"{\"t\":\"chat.send\",\"id\":\"a\",\"text\":\"\\u0007\"}", "bad_message", "text", "a"},
        {"{\"t\":\"join\",\"id\":\"a\",\"name\":\"x\\ny\",\"mic\":true,\"cam\":true}",
         "bad_message", "name", "a"},
        {"{\"t\":\"join\",\"id\":\"a\",\"name\":\"x\\u202ey\",\"mic\":true,\"cam\":true}",
         "bad_message", "name", "a"},
        {"{\"t\":\"join\",\"id\":\"a\",\"name\":\"x\",\"mic\":1,\"cam\":true}", "bad_message",
         "mic", "a"},
        {"{\"t\":\"view\",\"want\":[[0,\"d_aaaaaaaaaaaaaaaaaaaaaaaaab\",\"cam\",1]]}",
         "bad_message", "want[0][1]", ""},
        {"{\"t\":\"view\",\"want\":[[32,\"x\",\"cam\",1]]}", "bad_message", "want[0][0]", ""},
        {"{\"t\":\"role.set\",\"id\":\"a\",\"person\":\"p_baaaaaaaaaaaaaaaaaaaaaaaaa\","
         "\"role\":\"king\"}",
         "bad_message", "role", "a"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct schema_error error;
        assert_int_not_equal(parse(cases[i].text, &error), 0);
        assert_string_equal(error.code, cases[i].code);
        assert_string_equal(error.at, cases[i].at);
        assert_string_equal(error.id, cases[i].id);
        assert_true(error.why[0] != '\0');
    }
}

static void s19_size_of_a_message(void **state)
{
    (void)state;
    struct schema_error error;
    char *text = malloc(SCHEMA_TEXT_LEN_MAX + 1);
    assert_non_null(text);
    memset(text, ' ', SCHEMA_TEXT_LEN_MAX + 1);
    memcpy(text, "{\"t\":\"media.ready\"}", 19);
    struct msg msg;
    assert_int_equal(schema_parse(&msg, text, SCHEMA_TEXT_LEN_MAX, &error), 0);
    msg_fini(&msg);
    assert_int_equal(schema_parse(&msg, text, SCHEMA_TEXT_LEN_MAX + 1, &error), E_TOOBIG);
    assert_string_equal(error.code, "too_large");
    free(text);
}

/* ---- ids
 * -------------------------------------------------------------------------------------------- */

static void ids_have_one_spelling(void **state)
{
    (void)state;
    struct rng_seeded seeded;
    rng_seed(&seeded, 1);
    struct rng rng = rng_from_seeded(&seeded);
    for (unsigned i = 0; i < 1000; i++) {
        struct id id = id_new(&rng);
        struct id back;
        char text[ID_TEXT_MAX];
        enum id_kind kind = (enum id_kind)(i % ID_KIND_COUNT);
        (void)id_print(text, kind, &id);
        assert_int_equal(strlen(text), 28);
        assert_int_equal(id_parse(&back, kind, text, 28), 0);
        assert_true(id_equal(&id, &back));
        for (size_t c = 0; c < 28; c++) {
            char keep = text[c];
            text[c] = keep == 'q' ? 'r' : 'q';
            struct id other;
            bool ok = id_parse(&other, kind, text, 28) == 0;
            assert_false(ok && id_equal(&other, &id));
            text[c] = keep;
        }
    }
}

/* ---- writer
 * ----------------------------------------------------------------------------------------- */

static void writer_escapes(void **state)
{
    (void)state;
    struct jsonw w;
    jsonw_init(&w, 4096);
    jsonw_object(&w);
    jsonw_key_str(&w, "a", "q\"b\\n\n\t\x01\x7f\xc2\x85\xe2\x80\xa8\xe2\x80\xa9</script>é😀");
    jsonw_key_strn(&w, "b", "\xff\xc0\x80\xed\xa0\x80\xf5z", 8);
    jsonw_key(&w, "c");
    jsonw_array(&w);
    jsonw_int(&w, INT64_MIN);
    jsonw_bool(&w, false);
    jsonw_raw(&w, "{},{}", 5);
    jsonw_raw(&w, "", 0);
    jsonw_array(&w);
    jsonw_array_end(&w);
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    size_t len;
    const char *text = jsonw_text(&w, &len);
    assert_non_null(text);
    assert_non_null(strstr(text, "\\u0001\\u007f\\u0085\\u2028\\u2029</script>é😀"));
    json_error_t where;
    json_t *tree = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
    assert_non_null(tree);
    assert_string_equal(json_string_value(json_object_get(tree, "a")),
                        "q\"b\\n\n\t\x01\x7f\xc2\x85\xe2\x80\xa8\xe2\x80\xa9</script>é😀");
    assert_int_equal(json_array_size(json_object_get(tree, "c")), 5);
    json_decref(tree);
    jsonw_fini(&w);
}

static void writer_is_bounded(void **state)
{
    (void)state;
    struct jsonw w;
    jsonw_init(&w, 32);
    jsonw_str(&w, "01234567890123456789012345678");
    size_t len;
    assert_non_null(jsonw_text(&w, &len));
    assert_int_equal(len, 31);
    jsonw_reset(&w);
    jsonw_str(&w, "012345678901234567890123456789");
    assert_null(jsonw_text(&w, &len));
    jsonw_reset(&w);
    for (unsigned i = 0; i <= JSONW_DEPTH_MAX; i++) {
        jsonw_array(&w);
    }
    assert_null(jsonw_text(&w, NULL));
    jsonw_fini(&w);
}

/* Random bytes as text: what comes out is always JSON, and well-formed text comes back unchanged.
 */
static void writer_makes_json_of_anything(void **state)
{
    (void)state;
    struct rng_seeded seeded;
    rng_seed(&seeded, 9);
    struct rng rng = rng_from_seeded(&seeded);
    struct jsonw w;
    jsonw_init(&w, 8192);
    for (unsigned i = 0; i < 5000; i++) {
        char bytes[40];
        size_t n = rng_below(&rng, sizeof(bytes));
        rng_fill(&rng, bytes, n);
        jsonw_reset(&w);
        jsonw_strn(&w, bytes, n);
        size_t len;
        const char *text = jsonw_text(&w, &len);
        json_error_t where;
        json_t *tree = json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &where);
        assert_non_null(tree);
        if (text_utf8_ok(bytes, n)) {
            assert_int_equal(json_string_length(tree), n);
            assert_memory_equal(json_string_value(tree), bytes, n);
        }
        json_decref(tree);
    }
    jsonw_fini(&w);
}

/* ---- tables
 * ----------------------------------------------------------------------------------------- */

static void tables_are_complete(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MSG_COUNT; i++) {
        const struct schema_msg *m = schema_msg((enum msg_type)i);
        assert_true(m->name[0] && m->doc[0] && m->place);
        for (unsigned j = 0; j < i; j++) {
            assert_string_not_equal(m->name, schema_msg((enum msg_type)j)->name);
        }
        if (m->right != RIGHT_NONE) {
            assert_true(right_name(m->right)[0]);
        }
    }
    for (unsigned i = 0; i < SHAPE_COUNT; i++) {
        const struct schema_shape *s = schema_shape((enum schema_shape_id)i);
        assert_true(s->kind == SHAPE_UNION || s->kind == SHAPE_OBJECT || s->count > 0);
    }
}

static void rights_deny_by_default(void **state)
{
    (void)state;
    struct right_policy open = right_policy_open();
    struct right_policy shut = {{0}};
    for (unsigned r = 0; r < ROLE_COUNT; r++) {
        enum role role = (enum role)r;
        right_mask table = right_table(role, CLASS_STANDARD);
        right_mask all = right_effective(role, table, &open, &open, 0, 0);
        assert_int_equal(right_effective(role, table, &shut, &open, 0, 0), 0);
        assert_int_equal(right_effective(role, table, &open, &shut, 0, 0), 0);
        assert_int_equal(right_effective(role, table, &open, &open, 0, all), 0);
        assert_int_equal(right_effective(role, table, &shut, &shut, 5, 1), 4);
    }
    assert_false(right_has(right_table(ROLE_PARTICIPANT, CLASS_WEBINAR), RIGHT_SCREEN));
    assert_true(right_has(right_table(ROLE_PARTICIPANT, CLASS_STANDARD), RIGHT_SCREEN));
    assert_false(right_has(right_table(ROLE_ANIMATOR, CLASS_STANDARD), RIGHT_SESSION_END));
    assert_false(right_has(RIGHT_MASK_ALL, RIGHT_NONE));
}

/* The audience speaks at a table and nowhere else; whoever was made a listener of a standard class
 * listens there too, and nobody leads because he sits at a table. */
static void rights_at_a_table(void **state)
{
    const right_mask voice = (right_mask)1 << RIGHT_MIC | (right_mask)1 << RIGHT_CAM;
    (void)state;
    for (unsigned t = 0; t < CLASS_TYPE_COUNT; t++) {
        enum class_type type = (enum class_type)t;
        right_mask given = type == CLASS_STANDARD ? 0 : voice;
        assert_int_equal(right_table(ROLE_LISTENER, type) & voice, 0);
        for (unsigned r = 0; r < ROLE_COUNT; r++) {
            enum role role = (enum role)r;
            right_mask more = role == ROLE_LISTENER ? given : 0;
            assert_int_equal(right_at_table(role, type), right_table(role, CLASS_STANDARD) | more);
        }
    }
}

/* The committed file is what the generator writes now. */
static void assert_current(struct jsonw *w, const char *path)
{
    size_t len;
    const char *want = jsonw_text(w, &len);
    assert_non_null(want);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    char *have = calloc(1, DOCS_LEN_MAX);
    assert_non_null(have);
    size_t got = fread(have, 1, DOCS_LEN_MAX - 1, f);
    (void)fclose(f);
    if (got != len || memcmp(have, want, len) != 0) {
        fail_msg("%s is not what messages.def says: run `make protocol`", path);
    }
    free(have);
}

static void generated_files_are_current(void **state)
{
    (void)state;
    struct jsonw w;
    jsonw_init(&w, DOCS_LEN_MAX);
    docs_protocol(&w);
    assert_current(&w, "signaling/schema/PROTOCOL.md");
    jsonw_reset(&w);
    docs_typescript(&w);
    assert_current(&w, "web-client/src/wire/messages.ts");
    jsonw_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(s21_json_refuses_what_is_not_json),
        UNIT(s21_json_accepts_what_is_json),
        UNIT(s21_json_policy),
        UNIT(s21_limits_of_depth_list_and_string),
        UNIT(message_becomes_values),
        UNIT(errors_say_where_and_why),
        UNIT(s19_size_of_a_message),
        UNIT(ids_have_one_spelling),
        UNIT(writer_escapes),
        UNIT(writer_is_bounded),
        UNIT(writer_makes_json_of_anything),
        UNIT(tables_are_complete),
        UNIT(rights_deny_by_default),
        UNIT(rights_at_a_table),
        UNIT(generated_files_are_current),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
