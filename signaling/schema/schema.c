/* Heap: the JSON tree of one message, released with it; limits in schema.h bound it. */
#include "signaling/schema/schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/text.h"

/* Where a check stands: the path to it and the place for its complaint. */
struct check {
    struct schema_error *error;
    char path[64];
};

static int complain(const struct check *c, const char *why)
{
    struct schema_error *e = c->error;
    e->code = "bad_message";
    (void)snprintf(e->at, sizeof(e->at), "%s", c->path);
    (void)snprintf(e->why, sizeof(e->why), "%s", why);
    return E_BAD;
}

/* ---- JSON text
 * ------------------------------------------------------------------------------------ */

static bool within_limits(const json_t *value, unsigned depth, struct schema_error *error)
{
    const char *why = NULL;
    if (json_is_string(value)) {
        why = json_string_length(value) > SCHEMA_STR_MAX ? "a string is longer than 16 KiB" : NULL;
    } else if (json_is_array(value) || json_is_object(value)) {
        bool long_list = json_is_array(value) && json_array_size(value) > SCHEMA_ARRAY_MAX;
        why = depth >= SCHEMA_DEPTH_MAX ? "nested deeper than 16"
              : long_list               ? "a list has more than 100 elements"
                                        : NULL;
    }
    if (why) {
        error->code = "bad_message";
        (void)snprintf(error->why, sizeof(error->why), "%s", why);
        return false;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (!within_limits(json_array_get(value, i), depth + 1, error)) {
            return false;
        }
    }
    if (!json_is_object(value)) {
        return true;
    }
    /* The iterator takes a tree that may be written through it; this one is only read. */
    union {
        const json_t *in;
        json_t *out;
    } object = {.in = value};
    const char *key;
    json_t *member;
    json_object_foreach(object.out, key, member)
    {
        if (!within_limits(member, depth + 1, error)) {
            return false;
        }
    }
    return true;
}

json_t *schema_json(const char *text, size_t len, struct schema_error *error)
{
    *error = (struct schema_error){.code = "bad_message"};
    json_error_t where;
    json_t *tree = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
    if (!tree) {
        enum json_error_code code = json_error_code(&where);
        bool memory = code == json_error_out_of_memory;
        error->code = memory ? "internal" : "bad_message";
        const char *why = memory                                ? "out of memory"
                          : code == json_error_duplicate_key    ? "a key stands twice"
                          : code == json_error_invalid_utf8     ? "not UTF-8"
                          : code == json_error_numeric_overflow ? "a number is too large"
                          : code == json_error_stack_overflow   ? "nested deeper than 16"
                          : code == json_error_null_character   ? "NUL in a string"
                          : code == json_error_null_byte_in_key ? "NUL in a key"
                                                                : "not JSON";
        (void)snprintf(error->why, sizeof(error->why), "%s (byte %d)", why, where.position);
        return NULL;
    }
    if (!within_limits(tree, 0, error)) {
        json_decref(tree);
        return NULL;
    }
    return tree;
}

/* ---- strings
 * -------------------------------------------------------------------------------------- */

static bool char_in(enum str_kind kind, unsigned char c)
{
    bool digit = c >= '0' && c <= '9';
    bool lower = c >= 'a' && c <= 'z';
    bool alnum = digit || lower || (c >= 'A' && c <= 'Z');
    switch (kind) {
    case STR_WORD:
    case STR_TOKEN:
        return alnum || c == '-' || c == '_';
    case STR_DOTTED:
        return digit || lower || c == '.' || c == '-' || c == '_';
    case STR_ICE:
        return alnum || c == '+' || c == '/' || c == '-' || c == '_';
    case STR_HEX:
        return digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    case STR_NAME:
        return c >= 0x20 && c != 0x7f;
    case STR_TEXT:
        return (c >= 0x20 && c != 0x7f) || c == '\n' || c == '\t';
    case STR_OPAQUE:
        return true;
    }
    return false;
}

/* C1 controls, line and paragraph separators and the overrides of writing direction would let one
 * person's text dress up as somebody else's line. p points at a well-formed sequence. */
static bool invisible(const unsigned char *p, size_t left, enum str_kind kind)
{
    if (left >= 2 && p[0] == 0xc2 && p[1] < 0xa0) {
        return true;
    }
    if (left < 3 || p[0] != 0xe2) {
        return false;
    }
    bool separator = p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9);
    bool override = (p[1] == 0x80 && p[2] >= 0xaa && p[2] <= 0xae) ||
                    (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9);
    return separator || (override && kind == STR_NAME);
}

static bool spelled(enum str_kind kind, const char *text, size_t len)
{
    const unsigned char *p = (const unsigned char *)text;
    for (size_t i = 0; i < len; i++) {
        bool seen = kind == STR_OPAQUE || !invisible(p + i, len - i, kind);
        if (!char_in(kind, p[i]) || !seen) {
            return false;
        }
    }
    return true;
}

/* Length of the blank at p (space, tab, line feed, no-break, U+2000..200B, U+3000, U+FEFF) or 0. */
static size_t blank_at(const char *text, size_t left)
{
    const unsigned char *p = (const unsigned char *)text;
    if (left >= 1 && (p[0] == ' ' || p[0] == '\t' || p[0] == '\n' || p[0] == '\r')) {
        return 1;
    }
    if (left >= 2 && p[0] == 0xc2 && p[1] == 0xa0) {
        return 2;
    }
    if (left < 3) {
        return 0;
    }
    bool general = p[0] == 0xe2 && p[1] == 0x80 && p[2] >= 0x80 && p[2] <= 0x8b;
    bool wide = p[0] == 0xe3 && p[1] == 0x80 && p[2] == 0x80;
    bool mark = p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf;
    return general || wide || mark ? 3 : 0;
}

static struct msg_str trim(const char *text, size_t len)
{
    for (size_t n; (n = blank_at(text, len)) > 0;) {
        text += n;
        len -= n;
    }
    for (bool again = true; again && len > 0;) {
        again = false;
        for (size_t n = 1; n <= 3 && n <= len && !again; n++) {
            again = blank_at(text + len - n, n) == n;
            len -= again ? n : 0;
        }
    }
    return (struct msg_str){text, len};
}

static int check_str(struct check *c, const struct schema_field *field, const json_t *value,
                     struct msg_str *out)
{
    if (!json_is_string(value)) {
        return complain(c, "must be a string");
    }
    enum str_kind kind = (enum str_kind)field->ref;
    struct msg_str s = {json_string_value(value), json_string_length(value)};
    if (kind == STR_NAME || kind == STR_TEXT) {
        s = trim(s.s, s.len);
    }
    if (!spelled(kind, s.s, s.len)) {
        return complain(c, "holds a character that is not allowed here");
    }
    size_t count = text_utf8_count(s.s, s.len);
    if ((int64_t)count < field->low || (int64_t)count > field->high) {
        char why[80];
        (void)snprintf(why, sizeof(why), "must have %" PRId64 " to %" PRId64 " characters",
                       field->low, field->high);
        return complain(c, why);
    }
    *out = s;
    return 0;
}

/* ---- values
 * --------------------------------------------------------------------------------------- */

static int check_shape(struct check *c, const json_t *value, enum schema_shape_id id);

static int check_int(struct check *c, const struct schema_field *field, const json_t *value,
                     int64_t *out)
{
    if (!json_is_integer(value)) {
        return complain(c, "must be a whole number");
    }
    *out = json_integer_value(value);
    if (*out < field->low || *out > field->high) {
        char why[80];
        (void)snprintf(why, sizeof(why), "must be %" PRId64 " to %" PRId64, field->low,
                       field->high);
        return complain(c, why);
    }
    return 0;
}

static int check_enum(struct check *c, const struct schema_field *field, const json_t *value,
                      int *out)
{
    const char *text = json_string_value(value);
    const char *const *values = schema_enum((enum schema_enum_id)field->ref)->values;
    for (int i = 0; text && values[i]; i++) {
        if (strcmp(text, values[i]) == 0) {
            *out = i;
            return 0;
        }
    }
    return complain(c, "is none of the known values");
}

static int check_id(struct check *c, const struct schema_field *field, const json_t *value,
                    struct id *out)
{
    if (!json_is_string(value) || id_parse(out, (enum id_kind)field->ref, json_string_value(value),
                                           json_string_length(value))) {
        return complain(c, "is not an id of this kind");
    }
    return 0;
}

/* Lengthens the path by one step and returns the length to come back to. */
static size_t step(struct check *c, const char *key, size_t index)
{
    size_t len = strlen(c->path);
    size_t left = sizeof(c->path) - len;
    if (key) {
        (void)snprintf(c->path + len, left, "%s%.32s", len ? "." : "", key);
    } else {
        (void)snprintf(c->path + len, left, "[%zu]", index);
    }
    return len;
}

static int check_list(struct check *c, const struct schema_field *field, const json_t *value)
{
    if (!json_is_array(value)) {
        return complain(c, "must be a list");
    }
    size_t count = json_array_size(value);
    if ((int64_t)count < field->low || (int64_t)count > field->high) {
        char why[80];
        (void)snprintf(why, sizeof(why), "must have %" PRId64 " to %" PRId64 " elements",
                       field->low, field->high);
        return complain(c, why);
    }
    int err = 0;
    for (size_t i = 0; i < count && !err; i++) {
        size_t back = step(c, NULL, i);
        err = check_shape(c, json_array_get(value, i), (enum schema_shape_id)field->ref);
        c->path[back] = '\0';
    }
    return err;
}

/* Checks one value and, when base is given, stores it where the field's row says. */
static int check_field(struct check *c, const struct schema_field *field, const json_t *value,
                       void *base)
{
    union {
        struct msg_str str;
        int64_t number;
        bool flag;
        int choice;
        struct id id;
        const json_t *tree;
    } v;
    size_t size = sizeof(v.tree);
    int err = 0;
    switch (field->type) {
    case FIELD_STR:
        err = check_str(c, field, value, &v.str);
        size = sizeof(v.str);
        break;
    case FIELD_INT:
        err = check_int(c, field, value, &v.number);
        size = sizeof(v.number);
        break;
    case FIELD_BOOL:
        v.flag = json_is_true(value);
        err = json_is_boolean(value) ? 0 : complain(c, "must be true or false");
        size = sizeof(v.flag);
        break;
    case FIELD_ENUM:
        err = check_enum(c, field, value, &v.choice);
        size = sizeof(v.choice);
        break;
    case FIELD_ID:
        err = check_id(c, field, value, &v.id);
        size = sizeof(v.id);
        break;
    case FIELD_SHAPE:
        v.tree = value;
        err = check_shape(c, value, (enum schema_shape_id)field->ref);
        break;
    case FIELD_LIST:
        v.tree = value;
        err = check_list(c, field, value);
        break;
    }
    if (!err && base) {
        static const bool yes = true;
        memcpy((uint8_t *)base + field->at, &v, size);
        memcpy((uint8_t *)base + field->has_at, &yes, sizeof(yes));
    }
    return err;
}

static bool known_key(const char *key, const char *const *extra, const struct schema_field *fields,
                      size_t count)
{
    for (size_t i = 0; extra[i]; i++) {
        if (strcmp(key, extra[i]) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(key, fields[i].name) == 0) {
            return true;
        }
    }
    return false;
}

/* extra: keys allowed besides the fields (the tag, the command id), NULL-terminated. */
static int check_members(struct check *c, const json_t *object, const struct schema_field *fields,
                         size_t count, const char *const *extra, void *base)
{
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(object, fields[i].name);
        if (!value && fields[i].optional) {
            continue;
        }
        size_t back = step(c, fields[i].name, 0);
        int err = value ? check_field(c, &fields[i], value, base) : complain(c, "is missing");
        if (err) {
            return err;
        }
        c->path[back] = '\0';
    }
    union {
        const json_t *in;
        json_t *out;
    } tree = {.in = object};
    const char *key;
    json_t *member;
    json_object_foreach(tree.out, key, member)
    {
        (void)member;
        if (!known_key(key, extra, fields, count)) {
            bool plain = strlen(key) <= 32 && spelled(STR_DOTTED, key, strlen(key));
            (void)step(c, plain ? key : "?", 0);
            return complain(c, "is not a field of this message");
        }
    }
    return 0;
}

static int check_union(struct check *c, const json_t *value, const char *key)
{
    const char *tag = json_string_value(json_object_get(value, key));
    for (unsigned i = 0; tag && i < SHAPE_COUNT; i++) {
        const struct schema_shape *shape = schema_shape((enum schema_shape_id)i);
        if (shape->tag && strcmp(shape->key, key) == 0 && strcmp(shape->tag, tag) == 0) {
            return check_shape(c, value, (enum schema_shape_id)i);
        }
    }
    return complain(c, "is of no known kind");
}

static int check_tuple(struct check *c, const json_t *value, const struct schema_shape *shape)
{
    if (!json_is_array(value) || json_array_size(value) != shape->count) {
        return complain(c, "must be a list with one value per position");
    }
    for (size_t i = 0; i < shape->count; i++) {
        size_t back = step(c, NULL, i);
        int err = check_field(c, &shape->fields[i], json_array_get(value, i), NULL);
        if (err) {
            return err;
        }
        c->path[back] = '\0';
    }
    return 0;
}

static int check_shape(struct check *c, const json_t *value, enum schema_shape_id id)
{
    const struct schema_shape *shape = schema_shape(id);
    const char *const extra[] = {shape->key, NULL};
    switch (shape->kind) {
    case SHAPE_ALIAS:
        return check_field(c, &shape->fields[0], value, NULL);
    case SHAPE_TUPLE:
        return check_tuple(c, value, shape);
    case SHAPE_UNION:
        return check_union(c, value, shape->key);
    case SHAPE_OBJECT:
        break;
    }
    if (!json_is_object(value)) {
        return complain(c, "must be an object");
    }
    return check_members(c, value, shape->fields, shape->count, extra, NULL);
}

int schema_check(const json_t *value, enum schema_shape_id shape, struct schema_error *error)
{
    *error = (struct schema_error){.code = ""};
    struct check c = {.error = error};
    return check_shape(&c, value, shape);
}

/* ---- messages
 * ------------------------------------------------------------------------------------- */

static bool type_of(const json_t *tree, enum msg_type *out)
{
    const char *name = json_string_value(json_object_get(tree, "t"));
    for (unsigned i = 0; name && i < MSG_COUNT; i++) {
        if (strcmp(name, schema_msg((enum msg_type)i)->name) == 0) {
            *out = (enum msg_type)i;
            return true;
        }
    }
    return false;
}

/* The id of a command, also of a broken one, so that the page knows what was refused. */
static bool read_id(const json_t *tree, char out[SCHEMA_CMD_ID_MAX + 1])
{
    const json_t *id = json_object_get(tree, "id");
    size_t len = json_string_length(id);
    if (!json_is_string(id) || len == 0 || len > SCHEMA_CMD_ID_MAX ||
        !spelled(STR_WORD, json_string_value(id), len)) {
        return false;
    }
    memcpy(out, json_string_value(id), len + 1);
    return true;
}

static int parse_tree(struct msg *msg, struct schema_error *error)
{
    struct check c = {.error = error};
    bool has_id = read_id(msg->tree, error->id);
    if (!json_is_object(msg->tree)) {
        return complain(&c, "must be an object");
    }
    if (!type_of(msg->tree, &msg->type)) {
        (void)snprintf(c.path, sizeof(c.path), "t");
        (void)complain(&c, "no message of this name");
        error->code = "unknown_type";
        return E_BAD;
    }
    const struct schema_msg *row = schema_msg(msg->type);
    bool wants_id = (row->flags & (MSG_CMD | MSG_ASK)) != 0;
    const char *const extra[] = {"t", wants_id ? "id" : NULL, NULL};
    if (wants_id && !has_id) {
        (void)snprintf(c.path, sizeof(c.path), "id");
        return complain(&c, "must be 1 to 40 of A-Z a-z 0-9 _ -");
    }
    if (wants_id) {
        memcpy(msg->id, error->id, sizeof(msg->id));
    }
    return check_members(&c, msg->tree, row->fields, row->count, extra, msg);
}

int schema_parse(struct msg *out, const char *text, size_t len, struct schema_error *error)
{
    memset(out, 0, sizeof(*out));
    *error = (struct schema_error){.code = "bad_message"};
    if (len > SCHEMA_TEXT_LEN_MAX) {
        error->code = "too_large";
        (void)snprintf(error->why, sizeof(error->why), "a message has at most 64 KiB");
        return E_TOOBIG;
    }
    out->tree = schema_json(text, len, error);
    if (!out->tree) {
        return strcmp(error->code, "internal") == 0 ? E_NOMEM : E_BAD;
    }
    int err = parse_tree(out, error);
    if (err) {
        msg_fini(out);
    }
    return err;
}

void msg_fini(struct msg *msg)
{
    json_decref(msg->tree);
    msg->tree = NULL;
}
