#include "signaling/schema/docs.h"

#include <inttypes.h>
#include <string.h>

#include "signaling/schema/schema.h"

/* ---- types of fields
 * ------------------------------------------------------------------------------ */

static void ts_field_type(struct jsonw *w, const struct schema_field *f);

static void ts_shape_ref(struct jsonw *w, enum schema_shape_id id)
{
    const struct schema_shape *shape = schema_shape(id);
    if (shape->kind == SHAPE_ALIAS) {
        ts_field_type(w, &shape->fields[0]);
    } else {
        jsonw_plain(w, shape->ts);
    }
}

static void ts_field_type(struct jsonw *w, const struct schema_field *f)
{
    switch (f->type) {
    case FIELD_STR:
    case FIELD_ID:
        jsonw_plain(w, "string");
        break;
    case FIELD_INT:
        if (f->low == f->high) {
            jsonw_plainf(w, "%" PRId64, f->low);
        } else {
            jsonw_plain(w, "number");
        }
        break;
    case FIELD_BOOL:
        jsonw_plain(w, "boolean");
        break;
    case FIELD_ENUM:
        jsonw_plain(w, schema_enum((enum schema_enum_id)f->ref)->ts);
        break;
    case FIELD_SHAPE:
        ts_shape_ref(w, (enum schema_shape_id)f->ref);
        break;
    case FIELD_LIST:
        ts_shape_ref(w, (enum schema_shape_id)f->ref);
        jsonw_plain(w, "[]");
        break;
    }
}

static void ts_fields(struct jsonw *w, const struct schema_field *fields, size_t count,
                      const char *lead)
{
    for (size_t i = 0; i < count; i++) {
        jsonw_plainf(w, "%s%s%s: ", i || lead[0] ? "; " : "", fields[i].name,
                     fields[i].optional ? "?" : "");
        ts_field_type(w, &fields[i]);
    }
}

/* ---- TypeScript
 * ----------------------------------------------------------------------------------- */

static void ts_enums(struct jsonw *w)
{
    for (unsigned i = 0; i < ENUM_COUNT; i++) {
        const struct schema_enum *e = schema_enum((enum schema_enum_id)i);
        jsonw_plainf(w, "export type %s =", e->ts);
        for (size_t v = 0; e->values[v]; v++) {
            jsonw_plainf(w, "%s'%s'", v ? " | " : " ", e->values[v]);
        }
        jsonw_plain(w, ";\n");
    }
}

static void ts_object(struct jsonw *w, const struct schema_shape *s)
{
    jsonw_plain(w, "{ ");
    if (s->key) {
        jsonw_plainf(w, "%s: '%s'", s->key, s->tag);
    }
    ts_fields(w, s->fields, s->count, s->key ? s->key : "");
    jsonw_plain(w, " }");
}

static void ts_tuple(struct jsonw *w, const struct schema_shape *s)
{
    jsonw_plain(w, "[");
    for (size_t i = 0; i < s->count; i++) {
        jsonw_plainf(w, "%s%s: ", i ? ", " : "", s->fields[i].name);
        ts_field_type(w, &s->fields[i]);
    }
    jsonw_plain(w, "]");
}

static void ts_union(struct jsonw *w, const struct schema_shape *s)
{
    for (unsigned i = 0; i < SHAPE_COUNT; i++) {
        const struct schema_shape *member = schema_shape((enum schema_shape_id)i);
        if (!member->tag || strcmp(member->key, s->key) != 0) {
            continue;
        }
        jsonw_plain(w, "\n  | ");
        if (member->ts[0]) {
            jsonw_plain(w, member->ts);
        } else {
            ts_object(w, member);
        }
    }
}

static void ts_shape(struct jsonw *w, const struct schema_shape *s)
{
    if (!s->ts[0] || s->kind == SHAPE_ALIAS) {
        return;
    }
    jsonw_plainf(w, "/** %s */\n", s->doc);
    switch (s->kind) {
    case SHAPE_OBJECT:
        jsonw_plainf(w, "export type %s = ", s->ts);
        ts_object(w, s);
        jsonw_plain(w, ";\n");
        break;
    case SHAPE_TUPLE:
        jsonw_plainf(w, "export type %s = ", s->ts);
        ts_tuple(w, s);
        jsonw_plain(w, ";\n");
        break;
    case SHAPE_UNION:
        jsonw_plainf(w, "export type %s =", s->ts);
        ts_union(w, s);
        jsonw_plain(w, ";\n");
        break;
    case SHAPE_ALIAS:
        break;
    }
}

static void ts_message(struct jsonw *w, const struct schema_msg *m)
{
    jsonw_plainf(w, "\n  /* %s */\n  | { t: '%s'", m->doc, m->name);
    if (m->flags & MSG_ASK) {
        jsonw_plain(w, "; id: string");
    }
    ts_fields(w, m->fields, m->count, "t");
    jsonw_plain(w, " }");
}

static void ts_messages(struct jsonw *w)
{
    jsonw_plain(w,
                "\n/** Commands: acknowledged, journalled; repeating one has no second effect. */\n"
                "export type CommandBody =");
    for (unsigned i = 0; i < MSG_COUNT; i++) {
        const struct schema_msg *m = schema_msg((enum msg_type)i);
        if (m->flags & MSG_CMD) {
            ts_message(w, m);
        }
    }
    jsonw_plain(w, ";\nexport type Command = CommandBody & { id: string };\n");
    const struct schema_msg *hello = schema_msg(MSG_HELLO);
    jsonw_plainf(w, "/** %s */\nexport type Hello = { t: 'hello'", hello->doc);
    ts_fields(w, hello->fields, hello->count, "t");
    jsonw_plain(w, " };\nexport type ClientMessage =\n  | Hello\n  | Command");
    for (unsigned i = 0; i < MSG_COUNT; i++) {
        const struct schema_msg *m = schema_msg((enum msg_type)i);
        if (!(m->flags & MSG_CMD) && i != MSG_HELLO) {
            ts_message(w, m);
        }
    }
    jsonw_plain(w, ";\n");
}

void docs_typescript(struct jsonw *w)
{
    jsonw_plain(w, "// Generated from signaling/schema/messages.def: do not edit.\n"
                   "// Messages of protocol amphi.1 between the page and the server.\n\n");
    ts_enums(w);
    jsonw_plain(w, "\n");
    for (unsigned i = 0; i < SHAPE_COUNT; i++) {
        ts_shape(w, schema_shape((enum schema_shape_id)i));
    }
    ts_messages(w);
}

/* ---- PROTOCOL.md
 * ---------------------------------------------------------------------------------- */

static void md_bounds(struct jsonw *w, const struct schema_field *f)
{
    static const char *const spelling[] = {[STR_TEXT] = "text",
                                           [STR_NAME] = "one line of text",
                                           [STR_WORD] = "A-Z a-z 0-9 _ -",
                                           [STR_DOTTED] = "a-z 0-9 . _ -",
                                           [STR_TOKEN] = "base64url",
                                           [STR_OPAQUE] = "anything",
                                           [STR_ICE] = "ice-char",
                                           [STR_HEX] = "hex"};
    static const char *const kind[] = {
        [ID_CLASS] = "c_…",   [ID_PERSON] = "p_…", [ID_DEVICE] = "d_…",
        [ID_MESSAGE] = "m_…", [ID_ROOM] = "r_…",   [ID_SET] = "w_…"};
    switch (f->type) {
    case FIELD_STR:
        jsonw_plainf(w, "%s, %" PRId64 "..%" PRId64, spelling[f->ref], f->low, f->high);
        break;
    case FIELD_INT:
        if (f->high == INT64_MAX) {
            jsonw_plainf(w, "%" PRId64 " or more", f->low);
        } else {
            jsonw_plainf(w, "%" PRId64 "..%" PRId64, f->low, f->high);
        }
        break;
    case FIELD_LIST:
        jsonw_plainf(w, "%" PRId64 "..%" PRId64 " elements", f->low, f->high);
        break;
    case FIELD_ID:
        jsonw_plain(w, kind[f->ref]);
        break;
    case FIELD_BOOL:
    case FIELD_ENUM:
    case FIELD_SHAPE:
        break;
    }
}

static void md_fields(struct jsonw *w, const struct schema_field *fields, size_t count)
{
    if (count == 0) {
        return;
    }
    jsonw_plain(w, "\n| field | type | bounds | |\n|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++) {
        jsonw_plainf(w, "| `%s`%s | ", fields[i].name, fields[i].optional ? "?" : "");
        ts_field_type(w, &fields[i]);
        jsonw_plain(w, " | ");
        md_bounds(w, &fields[i]);
        jsonw_plainf(w, " | %s |\n", fields[i].doc);
    }
}

static void md_messages(struct jsonw *w)
{
    static const char *const place[] = {[PLACE_NEW] = "first message",
                                        [PLACE_DOOR] = "at the door",
                                        [PLACE_CLASS] = "in the class",
                                        [PLACE_BOTH] = "at the door and in the class"};
    jsonw_plain(w, "\n## Page to server\n");
    for (unsigned i = 0; i < MSG_COUNT; i++) {
        const struct schema_msg *m = schema_msg((enum msg_type)i);
        jsonw_plainf(w, "\n### `%s`\n%s Where: %s.", m->name, m->doc, place[m->place]);
        if (m->right != RIGHT_NONE) {
            jsonw_plainf(w, " Right: `%s`.", right_name(m->right));
        }
        if (m->flags & MSG_CMD) {
            jsonw_plain(w, " Command: carries `id`, answered by `ack` or `error`.");
        }
        if (m->flags & MSG_ASK) {
            jsonw_plain(w, " Carries `id`, which its answer repeats.");
        }
        if (m->flags & MSG_JOURNAL) {
            jsonw_plain(w, " Journalled.");
        }
        jsonw_plain(w, "\n");
        md_fields(w, m->fields, m->count);
    }
}

static void md_shapes(struct jsonw *w, const char *title, const char *key)
{
    jsonw_plainf(w, "\n## %s\n", title);
    for (unsigned i = 0; i < SHAPE_COUNT; i++) {
        const struct schema_shape *s = schema_shape((enum schema_shape_id)i);
        bool tagged = s->tag != NULL;
        if (s->kind == SHAPE_UNION || s->kind == SHAPE_ALIAS || tagged != (key != NULL) ||
            (key && strcmp(s->key, key) != 0)) {
            continue;
        }
        jsonw_plainf(w, "\n### `%s`\n%s%s\n", tagged ? s->tag : s->ts, s->doc,
                     s->kind == SHAPE_TUPLE ? " A list, by position." : "");
        md_fields(w, s->fields, s->count);
    }
}

/* In which types of class a role has a right: of itself, and besides at a table. */
static void md_right_of(struct jsonw *w, enum role role, enum right r)
{
    static const char *const types[] = {"standard", "webinar", "round-table"};
    const char *before = "";
    unsigned granted = 0;
    for (unsigned t = 0; t < CLASS_TYPE_COUNT; t++) {
        granted += right_has(right_table(role, (enum class_type)t), r);
    }
    if (granted == CLASS_TYPE_COUNT) {
        jsonw_plain(w, "yes | ");
        return;
    }
    for (unsigned t = 0; t < CLASS_TYPE_COUNT; t++) {
        enum class_type type = (enum class_type)t;
        bool everywhere = right_has(right_table(role, type), r);
        bool as_standard = right_has(right_table(role, CLASS_STANDARD), r);
        if (everywhere || (!as_standard && right_has(right_at_table(role, type), r))) {
            jsonw_plainf(w, "%s%s%s", before, types[t], everywhere ? "" : ", at a table");
            before = "; ";
        }
    }
    jsonw_plain(w, before[0] ? " | " : "no | ");
}

static void md_rights(struct jsonw *w)
{
    static const enum role shown[] = {ROLE_HOST, ROLE_ANIMATOR, ROLE_PARTICIPANT, ROLE_LISTENER};
    jsonw_plain(w, "\n## Rights\nWhat is not listed nobody may do. Class policy, room policy and "
                   "personal grants change this. At the table of a workshop people have what a "
                   "standard class gives them, whatever the type of theirs is.\n\n"
                   "| right | host | animator | participant | listener |\n"
                   "|---|---|---|---|---|\n");
    for (unsigned i = 0; i < RIGHT_COUNT; i++) {
        enum right r = (enum right)i;
        if (!right_name(r)[0]) {
            continue;
        }
        jsonw_plainf(w, "| `%s` | ", right_name(r));
        for (unsigned n = 0; n < sizeof(shown) / sizeof(shown[0]); n++) {
            md_right_of(w, shown[n], r);
        }
        jsonw_plain(w, "\n");
    }
}

static void md_enums(struct jsonw *w)
{
    jsonw_plain(w, "\n## Spellings\n\n| type | values |\n|---|---|\n");
    for (unsigned i = 0; i < ENUM_COUNT; i++) {
        const struct schema_enum *e = schema_enum((enum schema_enum_id)i);
        jsonw_plainf(w, "| %s |", e->ts);
        for (size_t v = 0; e->values[v]; v++) {
            jsonw_plainf(w, " `%s`", e->values[v]);
        }
        jsonw_plain(w, " |\n");
    }
}

void docs_protocol(struct jsonw *w)
{
    jsonw_plain(
        w,
        "# Protocol amphi.1\n"
        "<!-- Generated from messages.def by `make protocol`: do not edit. -->\n\n"
        "WebSocket `wss://host/ws`, subprotocol `amphi.1`, text frames, one JSON object each; `t` "
        "names the message. At most 64 KiB a message (over: `too_large`, close 1009), 50 messages "
        "a second with a burst of 200 (over: `too_fast`, close 1008). JSON is read strictly: no "
        "unknown field, no key twice, well-formed UTF-8, depth 16, lists of 100, strings of 16 "
        "KiB. Times are unix milliseconds. A field that may be absent is never null.\n\n"
        "A page says `hello`, hears `door` (or, with a resume token, `resumed`), says `join`, "
        "hears "
        "`snapshot`, then `delta`s. A delta applies when its `prev` is the last seq heard; "
        "otherwise `sync` brings a snapshot. After a lost connection `hello` with the newest "
        "resume "
        "token and `have` brings what was missed. A command may be repeated with its `id` until it "
        "is acknowledged: it takes effect once. What is acknowledged survives the server.\n\n"
        "Close codes: 1000 left, 1001 going down, 1008 and 1009 limits, 1012 restart, 4001 "
        "removed, "
        "4002 ended, 4003 not let in, 4004 moved to another page.\n");
    md_messages(w);
    md_shapes(w, "Server to page", "t");
    md_shapes(w, "Events of a delta", "e");
    md_shapes(w, "Parts", NULL);
    md_rights(w);
    md_enums(w);
}
