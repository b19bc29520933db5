/* Requests about attendance, from their JSON (admin_json.h). */
#include "server/app/admin_roll.h"

#include <string.h>

#include "codec/base/err.h"

static const struct {
    const char *cmd;
    enum admin_kind kind;
} kinds[] = {
    {"roll.correct", ADMIN_ROLL_CORRECT}, {"roll.contest", ADMIN_ROLL_CONTEST},
    {"roll.seal", ADMIN_ROLL_SEAL},       {"roll.expect", ADMIN_ROLL_EXPECT},
    {"ready.note", ADMIN_READY},
};

bool admin_roll_kind(const char *cmd, enum admin_kind *kind)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!strcmp(cmd, kinds[i].cmd)) {
            *kind = kinds[i].kind;
            return true;
        }
    }
    return false;
}

static bool id_at(struct id *out, const json_t *doc, const char *key)
{
    const char *text = json_string_value(json_object_get(doc, key));
    return text && id_parse(out, ID_PERSON, text, strlen(text)) == 0;
}

int admin_roll_parse(struct admin_request *r, const json_t *doc, char *why, size_t cap)
{
    r->title = json_string_value(json_object_get(doc, "text"));
    r->number = json_string_value(json_object_get(doc, "number"));
    r->session = json_integer_value(json_object_get(doc, "session"));
    r->seq = (uint64_t)json_integer_value(json_object_get(doc, "seq"));
    r->status = (uint32_t)json_integer_value(json_object_get(doc, "status"));
    r->role = (enum role)json_integer_value(json_object_get(doc, "role"));
    (void)id_at(&r->by, doc, "by");
    if (r->kind != ADMIN_ROLL_SEAL && !id_at(&r->person, doc, "person")) {
        snprintf(why, cap, "person must be an id like p_...");
        return E_BAD;
    }
    return 0;
}
