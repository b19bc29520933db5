/* Everybody on a roster stands on the sheet of the class, come or not, with the number he has in a
 * training register: the class is told of each row once, and again when it changes. */
#include <string.h>

#include "codec/base/err.h"
#include "server/app/admin_json.h"
#include "server/app/office_class.h"

enum { TOLD_AT_ONCE = 500, EARLY_MS = 3600 * 1000, LATE_MS = 86400 * 1000 };

static int role_number(const char *name)
{
    int role = ROLE_COUNT - 1;
    while (role > 0 && strcmp(admin_json_role_name((enum role)role), name) != 0) {
        role--;
    }
    return role;
}

/* True when the class has taken it. */
static bool tell_one(struct office_call *call, const struct id *class_id, const json_t *row)
{
    char id[ID_TEXT_MAX];
    struct id person;
    const char *text = office_row_text(row, "person");
    const char *name = office_row_text(row, "name");
    const char *number = office_row_text(row, "number");
    bool changed = office_row_number(row, "listed") < 0; /* it may have had one before */
    json_t *request = json_pack("{s:s, s:s, s:s, s:i, s:s}", "cmd", "roll.expect", "class",
                                id_print(id, ID_CLASS, class_id), "person", text, "role",
                                role_number(office_row_text(row, "role")), "text", name);
    if (*number || changed) {
        json_object_set_new(request, "number", json_string(number));
    }
    json_t *answer = office_classroom(call, request);
    bool good = json_is_true(json_object_get(answer, "ok"));
    json_decref(answer);
    return good && !id_parse(&person, ID_PERSON, text, strlen(text)) &&
           !people_run(call->people, PEOPLE_ENROLLED_LISTED, "ddtt", class_id, &person, name,
                       number);
}

bool office_expect(struct office_call *call, const struct id *class_id)
{
    size_t i;
    json_t *row;
    bool any = false;
    json_t *rows =
        people_rows(call->people, PEOPLE_ENROLLED_UNLISTED, "di", class_id, (int64_t)TOLD_AT_ONCE);
    json_array_foreach(rows, i, row)
    {
        if (!tell_one(call, class_id, row)) {
            break; /* the class is busy or gone: another time */
        }
        any = true;
    }
    json_decref(rows);
    return any;
}

void office_expect_all(struct office_call *call)
{
    size_t i;
    json_t *row;
    json_t *rows = people_rows(call->people, PEOPLE_CLASSES_UNLISTED, "ii",
                               (int64_t)(call->now + EARLY_MS), (int64_t)(call->now - LATE_MS));
    json_array_foreach(rows, i, row)
    {
        struct id id;
        const char *text = office_row_text(row, "id");
        if (!id_parse(&id, ID_CLASS, text, strlen(text))) {
            (void)office_expect(call, &id);
        }
    }
    json_decref(rows);
}
