/*
 * Messages of a page as checked, typed values, and the tables behind them (messages.def).
 * A text becomes a struct msg only if it is one JSON object of a known type whose every field is
 * known, present where required, of its type and within its bounds; otherwise the error says which
 * field and why. What a client sends is never relayed as it came: only these values are, written
 * again by jsonw (reliability S21).
 * Invariants: strings are well-formed UTF-8 without NUL; names and texts are trimmed and free of
 * control characters; depth <= 16, arrays <= 100, strings <= 16 KiB.
 * Out of scope: who may send what when (signaling/class/dispatch.h). Heap: the tree of jansson,
 * owned by the message.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "signaling/schema/id.h"
#include "signaling/schema/rights.h"
#include "signaling/schema/roles.h"

enum {
    SCHEMA_TEXT_LEN_MAX = 65536, /* bytes of a message; over = 1009 */
    SCHEMA_DEPTH_MAX = 16,
    SCHEMA_ARRAY_MAX = 100,
    SCHEMA_STR_MAX = 16384,
    SCHEMA_CMD_ID_MAX = 40,
};

/* Spellings of strings. */
enum str_kind {
    STR_TEXT = 0, /* people's text: line feeds and tabs allowed, trimmed */
    STR_NAME,     /* people's text on one line, trimmed */
    STR_WORD,     /* [A-Za-z0-9_-] */
    STR_DOTTED,   /* [a-z0-9._-] */
    STR_TOKEN,    /* base64url */
    STR_OPAQUE,   /* anything: whoever reads it says what is wrong with it */
    STR_ICE,      /* ice-char of RFC 8839: [A-Za-z0-9+/], and - _ which browsers also send */
    STR_HEX,
};

enum field_type {
    FIELD_STR,
    FIELD_INT,
    FIELD_BOOL,
    FIELD_ENUM,
    FIELD_ID,
    FIELD_SHAPE,
    FIELD_LIST,
};

struct schema_field {
    const char *name;
    enum field_type type;
    bool optional;
    uint16_t ref;
    int64_t low;
    int64_t high;
    const char *doc;
    uint16_t at;     /* offset of the value in the C structure of its message */
    uint16_t has_at; /* offset of its has_ flag */
};

enum shape_kind { SHAPE_OBJECT, SHAPE_TUPLE, SHAPE_ALIAS, SHAPE_UNION };

struct schema_shape {
    const char *ts; /* name in TypeScript; "" when it only lives in a union */
    enum shape_kind kind;
    const char *key; /* discriminating key and this shape's value of it, or NULL */
    const char *tag;
    const char *doc;
    const struct schema_field *fields;
    size_t count;
};

struct schema_enum {
    const char *ts;
    const char *const *values; /* NULL ends */
};

enum msg_place { PLACE_NEW = 1, PLACE_DOOR = 2, PLACE_CLASS = 4, PLACE_BOTH = 6 };
enum msg_flag { MSG_CMD = 1, MSG_ASK = 2, MSG_JOURNAL = 4 };

struct schema_msg {
    const char *name;
    enum msg_place place;
    enum right right;
    uint32_t flags;
    const char *doc;
    const struct schema_field *fields;
    size_t count;
};

/* ---- numbers of the rows ------------------------------------------------------------------------
 */
#define SHAPE_END(id)
#define MSG_END(id)
#define P(...)
#define F(...)
#define MSG(ID, ...)
#define SHAPE(id, ...)
#define ENUM(id, ...) ENUM_##id,
enum schema_enum_id {
#include "signaling/schema/messages.def"
    ENUM_COUNT
};
#undef ENUM
#undef SHAPE
#define ENUM(id, ...)
#define SHAPE(id, ...) SHAPE_##id,
enum schema_shape_id {
#include "signaling/schema/messages.def"
    SHAPE_COUNT
};
#undef SHAPE
#undef MSG
#define SHAPE(id, ...)
#define MSG(ID, ...) MSG_##ID,
enum msg_type {
#include "signaling/schema/messages.def"
    MSG_COUNT
};
#undef MSG
#undef MSG_END
#undef F

/* ---- one C structure per message of a page ------------------------------------------------------
 */
struct msg_str {
    const char *s; /* borrowed from the message; ends at len, where trailing blanks may follow */
    size_t len;    /* bytes */
};

#define CTYPE_STR struct msg_str
#define CTYPE_INT int64_t
#define CTYPE_BOOL bool
#define CTYPE_ENUM int
#define CTYPE_ID struct id
#define CTYPE_SHAPE const json_t *
#define CTYPE_LIST const json_t *
#define F(owner, TYPE, name, ...)                                                                  \
    CTYPE_##TYPE name;                                                                             \
    bool has_##name;
#define MSG(ID, id, ...) struct msg_##id {
#define MSG_END(id)                                                                                \
    bool checked;                                                                                  \
    }                                                                                              \
    ;
#include "signaling/schema/messages.def"
#undef MSG
#undef MSG_END
#undef F

struct msg {
    enum msg_type type;
    char id[SCHEMA_CMD_ID_MAX + 1]; /* "" when the message carries none */
    union {
#define MSG(ID, id, ...) struct msg_##id id;
#define MSG_END(id)
#define F(...)
#include "signaling/schema/messages.def"
#undef MSG
#undef MSG_END
#undef F
    };
    json_t *tree; /* owner of everything borrowed above */
};
#undef P
#undef ENUM
#undef SHAPE
#undef SHAPE_END

/* What was wrong, in the words of the error message to the page. */
struct schema_error {
    const char *code;               /* a spelling of ENUM_error_code, static */
    char id[SCHEMA_CMD_ID_MAX + 1]; /* id of the refused message when it could be read, or "" */
    char at[64];                    /* path of the field, or "" */
    char why[128];
};

/*
 * Reads a whole message. 0, and *out must be given to msg_fini; or E_BAD (bad_message or
 * unknown_type), E_TOOBIG (too_large), E_NOMEM (internal) with *error filled and nothing to free.
 */
int schema_parse(struct msg *out, const char *text, size_t len, struct schema_error *error);
void msg_fini(struct msg *msg);

/* The strict JSON reader alone: any value at the top, limits of depth, array and string applied.
 * Returns a tree the caller releases with json_decref, or NULL with *error filled. */
json_t *schema_json(const char *text, size_t len, struct schema_error *error);
/* Checks a tree against a shape, strictly: what tests do with everything the server sends. */
int schema_check(const json_t *value, enum schema_shape_id shape, struct schema_error *error);

const struct schema_msg *schema_msg(enum msg_type type);
const struct schema_shape *schema_shape(enum schema_shape_id shape);
const struct schema_enum *schema_enum(enum schema_enum_id id);
/* Spelling of value, or "" outside the enumeration. */
const char *schema_spell(enum schema_enum_id id, int value);
