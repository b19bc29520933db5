/* The tables of schema.h, expanded from messages.def. */
#include <stddef.h>

#include "signaling/schema/schema.h"

#define REQ false
#define OPT true
#define CMD MSG_CMD
#define ASK MSG_ASK
#define JOURNAL MSG_JOURNAL

/* ---- enumerations ------------------------------------------------------------------------------
 */
#define SHAPE(...)
#define SHAPE_END(id)
#define MSG(...)
#define MSG_END(id)
#define P(...)
#define F(...)
#define ENUM(id, ts, ...) static const char *const values_##id[] = {__VA_ARGS__, NULL};
#include "signaling/schema/messages.def"
#undef ENUM
#define ENUM(id, ts, ...) [ENUM_##id] = {ts, values_##id},
static const struct schema_enum enums[ENUM_COUNT] = {
#include "signaling/schema/messages.def"
};
#undef ENUM
#define ENUM(...)

/* ---- fields of shapes --------------------------------------------------------------------------
 */
#undef SHAPE
#undef SHAPE_END
#undef P
#define SHAPE(id, ...) static const struct schema_field shape_fields_##id[] = {
#define P(owner, TYPE, field, need, lo, hi, reference, text)                                       \
    {.name = #field,                                                                               \
     .type = FIELD_##TYPE,                                                                         \
     .optional = need,                                                                             \
     .low = lo,                                                                                    \
     .high = hi,                                                                                   \
     .ref = (uint16_t)(reference),                                                                 \
     .doc = text},
/* A last empty row, so that a shape without fields of its own is an array too. */
#define SHAPE_END(id)                                                                              \
    {                                                                                              \
        .name = NULL                                                                               \
    }                                                                                              \
    }                                                                                              \
    ;
#include "signaling/schema/messages.def"
#undef SHAPE
#undef SHAPE_END
#undef P
#define SHAPE_END(id)
#define P(...)
#define SHAPE(id, tsname, shapekind, tagkey, tagvalue, text)                                       \
    [SHAPE_##id] = {.ts = tsname,                                                                  \
                    .kind = SHAPE_##shapekind,                                                     \
                    .key = tagkey,                                                                 \
                    .tag = tagvalue,                                                               \
                    .doc = text,                                                                   \
                    .fields = shape_fields_##id,                                                   \
                    .count = sizeof(shape_fields_##id) / sizeof(shape_fields_##id[0]) - 1},
static const struct schema_shape shapes[SHAPE_COUNT] = {
#include "signaling/schema/messages.def"
};
#undef SHAPE
#define SHAPE(...)

/* ---- messages of a page ------------------------------------------------------------------------
 */
#undef MSG
#undef MSG_END
#undef F
#define MSG(ID, id, ...) static const struct schema_field msg_fields_##id[] = {
#define F(owner, TYPE, field, need, lo, hi, reference, text)                                       \
    {.name = #field,                                                                               \
     .type = FIELD_##TYPE,                                                                         \
     .optional = need,                                                                             \
     .low = lo,                                                                                    \
     .high = hi,                                                                                   \
     .ref = (uint16_t)(reference),                                                                 \
     .doc = text,                                                                                  \
     .at = offsetof(struct msg, owner.field),                                                      \
     .has_at = offsetof(struct msg, owner.has_##field)},
#define MSG_END(id)                                                                                \
    {                                                                                              \
        .name = NULL                                                                               \
    }                                                                                              \
    }                                                                                              \
    ;
#include "signaling/schema/messages.def"
#undef MSG
#undef MSG_END
#undef F
#define MSG_END(id)
#define F(...)
#define MSG(ID, id, text, where, need, flagbits, words)                                            \
    [MSG_##ID] = {.name = text,                                                                    \
                  .place = PLACE_##where,                                                          \
                  .right = RIGHT_##need,                                                           \
                  .flags = flagbits,                                                               \
                  .doc = words,                                                                    \
                  .fields = msg_fields_##id,                                                       \
                  .count = sizeof(msg_fields_##id) / sizeof(msg_fields_##id[0]) - 1},
static const struct schema_msg msgs[MSG_COUNT] = {
#include "signaling/schema/messages.def"
};

const struct schema_msg *schema_msg(enum msg_type type)
{
    return &msgs[type];
}

const struct schema_shape *schema_shape(enum schema_shape_id shape)
{
    return &shapes[shape];
}

const struct schema_enum *schema_enum(enum schema_enum_id id)
{
    return &enums[id];
}

const char *schema_spell(enum schema_enum_id id, int value)
{
    const char *const *values = enums[id].values;
    for (int i = 0; values[i]; i++) {
        if (i == value) {
            return values[i];
        }
    }
    return "";
}
