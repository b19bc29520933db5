#include "server/app/office_dates.h"

#include <string.h>

#include "codec/base/err.h"
#include "server/app/office_class.h"
#include "server/app/office_tables.h"

json_t *office_dates(json_t *list, const int64_t *starts, size_t count, int64_t minutes)
{
    for (size_t i = 0; i < count; i++) {
        json_t *last = json_array_get(list, json_array_size(list) - 1);
        if (!last || json_integer_value(json_array_get(last, 0)) < starts[i]) {
            json_array_append_new(list,
                                  json_pack("[I, I]", (json_int_t)starts[i], (json_int_t)minutes));
        }
    }
    return list;
}

json_t *office_dates_begun(struct office_call *call, const char *class_text)
{
    json_t *live =
        office_classroom(call, json_pack("{s:s, s:s}", "cmd", "class.show", "class", class_text));
    json_t *list = json_array();
    size_t i;
    json_t *date;
    json_array_foreach(json_object_get(live, "dates"), i, date)
    {
        if (json_integer_value(json_array_get(date, 0)) <= call->now) {
            json_array_append(list, date);
        }
    }
    json_decref(live);
    return list;
}

static void follow(struct office_call *call, const json_t *live)
{
    struct id id;
    const char *text = office_row_text(live, "id");
    int64_t start = office_row_number(live, "start");
    int64_t minutes = office_row_number(live, "minutes");
    if (!start || !minutes || id_parse(&id, ID_CLASS, text, strlen(text)) ||
        people_run(call->people, PEOPLE_CLASS_NEXT, "dii", &id, start, minutes) ||
        people_changes(call->people) == 0) {
        return;
    }
    /* Another date: people are reminded of it again. */
    (void)people_run(call->people, PEOPLE_ENROLLED_ONWARD, "di", &id, start + minutes);
}

void office_dates_follow(struct office_call *call)
{
    json_t *live = office_classroom(call, json_pack("{s:s}", "cmd", "class.list"));
    size_t i;
    json_t *value;
    json_array_foreach(json_object_get(live, "classes"), i, value)
    {
        if (!strcmp(office_row_text(value, "kind"), "recurring")) {
            follow(call, value);
        }
    }
    json_decref(live);
}

/* {"archive": true}: nobody enters any more; what there was stays readable. */
static void archive_post(struct office_call *call)
{
    struct id id;
    bool archive = json_is_true(json_object_get(call->body, "archive"));
    if (office_class(call, 0, &id)) {
        return;
    }
    json_t *answer =
        office_classroom(call, json_pack("{s:s, s:s, s:b}", "cmd", "class.archive", "class",
                                         office_part(call, 0), "archive", archive));
    const char *code = office_row_text(answer, "code");
    if (json_is_true(json_object_get(answer, "ok"))) {
        office_audit(call, archive ? "class.archived" : "class.unarchived", office_part(call, 0),
                     "");
        office_json(call, 200, json_object());
    } else if (!strcmp(code, "E_STATE")) {
        office_refuse(call, 409, "inside");
    } else {
        office_failed(call, E_BUSY);
    }
    json_decref(answer);
}

static const struct office_route routes[] = {
    {IPC_POST, "/api/classes/*/archive", OFFICE_STAFF, OFFICE_DESK, archive_post},
};

const struct office_table office_dates_table = {routes, sizeof(routes) / sizeof(routes[0])};
