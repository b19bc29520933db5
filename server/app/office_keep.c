#include "server/app/office_keep.h"

#include <string.h>

#include "codec/base/err.h"
#include "server/app/history.h"
#include "server/app/office_class.h"
#include "server/app/office_tables.h"
#include "server/mail/spool.h"

enum { CLASSES_AT_ONCE = 4, LOOK_AGAIN_HOURS = 20 };

static const int64_t day_ms = 86400000;
static const struct id everywhere; /* zero: the default of all classes */

/* Of a class: counted from the end of its last session. Of the server: from when it was made. */
static const struct keep_row {
    const char *what;
    bool of_class;
    int64_t days;
    int64_t least;
    int64_t most;
} rows[] = {
    {"words", true, 365, 1, 3650},    /* messages, calls for help, announcements, device checks */
    {"roster", true, 730, 30, 3650},  /* addresses, groups, answers of those invited */
    {"people", true, 1825, 30, 7300}, /* names, and with them everything that bears one */
    {"mails", false, 30, 1, 365},     {"audit", false, 400, 90, 3650},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static const struct keep_row *row_of(const char *what)
{
    for (unsigned i = 0; i < ROWS; i++) {
        if (!strcmp(rows[i].what, what)) {
            return &rows[i];
        }
    }
    return NULL;
}

int64_t keep_days(struct office_call *call, const struct id *class_id, const char *what)
{
    const struct keep_row *row = row_of(what);
    int64_t days =
        class_id ? people_number(call->people, PEOPLE_KEEP_GET, "dt", class_id, what) : 0;
    days = days ? days : people_number(call->people, PEOPLE_KEEP_GET, "dt", &everywhere, what);
    return days ? days : row ? row->days : 0;
}

/* ---- pages
 * ------------------------------------------------------------------------------------------ */

static json_t *row_json(struct office_call *call, const struct id *class_id,
                        const struct keep_row *row)
{
    int64_t own =
        class_id ? people_number(call->people, PEOPLE_KEEP_GET, "dt", class_id, row->what) : 0;
    json_t *o = json_pack("{s:s, s:I, s:I, s:I, s:I, s:b, s:b}", "what", row->what, "days",
                          (json_int_t)keep_days(call, class_id, row->what), "usual",
                          (json_int_t)keep_days(call, NULL, row->what), "least",
                          (json_int_t)row->least, "most", (json_int_t)row->most, "own",
                          (int)(own > 0), "of_class", (int)row->of_class);
    json_t *gone =
        class_id ? people_row(call->people, PEOPLE_PURGED_GET, "dt", class_id, row->what) : NULL;
    if (gone) {
        json_object_set(o, "gone", json_object_get(gone, "at"));
    }
    json_decref(gone);
    return o;
}

static json_t *rows_json(struct office_call *call, const struct id *class_id)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < ROWS; i++) {
        if (!class_id || rows[i].of_class) {
            json_array_append_new(list, row_json(call, class_id, &rows[i]));
        }
    }
    return list;
}

/* Takes {"words": 90, "people": null ...}: null goes back to what is usual. False: refused. */
static bool set_rows(struct office_call *call, const struct id *class_id, char *detail, size_t cap)
{
    const char *what;
    json_t *value;
    size_t len = 0;
    int err = people_begin(call->people);
    detail[0] = '\0';
    json_object_foreach(call->body, what, value)
    {
        const struct keep_row *row = row_of(what);
        int64_t days = json_integer_value(value);
        bool back = json_is_null(value);
        bool good = row && (row->of_class || class_id == &everywhere) &&
                    (back || (json_is_integer(value) && days >= row->least && days <= row->most));
        if (!good) {
            people_rollback(call->people);
            office_json(call, 422,
                        json_pack("{s:s, s:s, s:I, s:I}", "error", "keep", "what", row ? what : "",
                                  "least", (json_int_t)(row ? row->least : 0), "most",
                                  (json_int_t)(row ? row->most : 0)));
            return false;
        }
        err = err    ? err
              : back ? people_run(call->people, PEOPLE_KEEP_DROP, "dt", class_id, what)
                     : people_run(call->people, PEOPLE_KEEP_SET, "dti", class_id, what, days);
        int n = len < cap ? snprintf(detail + len, cap - len, "%s%s %lld", len ? ", " : "", what,
                                     (long long)days)
                          : 0;
        len += n > 0 ? (size_t)n : 0;
    }
    err = err ? err : people_commit(call->people);
    if (err) {
        people_rollback(call->people);
        office_failed(call, err);
    }
    return err == 0;
}

static void keep_get(struct office_call *call)
{
    office_json(call, 200, json_pack("{s:o}", "rows", rows_json(call, NULL)));
}

static void keep_patch(struct office_call *call)
{
    char detail[200];
    if (set_rows(call, &everywhere, detail, sizeof(detail))) {
        office_audit(call, "keep.changed", "", detail);
        keep_get(call);
    }
}

static void class_keep_get(struct office_call *call)
{
    struct id id;
    if (office_class(call, 0, &id)) {
        return;
    }
    json_t *row = people_row(call->people, PEOPLE_CLASS_GET, "d", &id);
    int64_t start = office_row_number(row, "start");
    int64_t end = start + office_row_number(row, "minutes") * 60000;
    office_json(call, 200,
                json_pack("{s:O?, s:I, s:I, s:o}", "title", json_object_get(row, "title"), "end",
                          (json_int_t)(start ? end : 0), "enrolled",
                          (json_int_t)people_number(call->people, PEOPLE_ENROLLED_COUNT, "d", &id),
                          "rows", rows_json(call, &id)));
    json_decref(row);
}

static void class_keep_patch(struct office_call *call)
{
    char detail[200];
    struct id id;
    if (!office_class(call, 0, &id) && set_rows(call, &id, detail, sizeof(detail))) {
        office_audit(call, "keep.changed", office_part(call, 0), detail);
        class_keep_get(call);
    }
}

/* ---- deleting
 * ------------------------------------------------------------------------------------------ */

static bool done(struct office_call *call, const char *cmd, const char *class_text)
{
    json_t *answer =
        office_classroom(call, json_pack("{s:s, s:s}", "cmd", cmd, "class", class_text));
    bool good = json_is_true(json_object_get(answer, "ok"));
    json_decref(answer);
    return good;
}

static bool delete_one(struct office_call *call, const struct id *class_id, const char *class_text,
                       const char *what)
{
    bool people = !strcmp(what, "people");
    bool good = people                   ? done(call, "class.forget_all", class_text)
                : !strcmp(what, "words") ? done(call, "class.unsay", class_text)
                                         : true;
    if (good && strcmp(what, "words") != 0) { /* whoever has no name has no address either */
        good = people_run(call->people, PEOPLE_ENROLLED_END, "d", class_id) == 0;
    }
    return good;
}

/* When the class was last used; 0 while it is, or when that cannot be read. */
static int64_t last_use(struct office_call *call, const struct id *class_id, int64_t planned)
{
    struct history h;
    char why[256];
    int64_t last = planned;
    int err = history_walk(&h, office_config(call), class_id, NULL, NULL, why, sizeof(why));
    for (uint32_t i = 0; i < h.sheet.count && !err; i++) {
        const struct sheet_session *s = &h.sheet.sessions[i];
        if (s->closed == SHEET_OPEN) {
            last = 0;
            break;
        }
        last = s->closed > last ? s->closed : last;
    }
    sheet_fini(&h.sheet);
    return err && err != E_NOTFOUND ? 0 : last;
}

static int64_t shortest(struct office_call *call, const struct id *class_id)
{
    int64_t least = INT64_MAX;
    for (unsigned i = 0; i < ROWS; i++) {
        int64_t days = rows[i].of_class ? keep_days(call, class_id, rows[i].what) : least;
        least = days < least ? days : least;
    }
    return least;
}

static void delete_due(struct office_call *call, const struct id *class_id, const char *class_text,
                       int64_t last)
{
    char detail[48];
    for (unsigned i = 0; i < ROWS; i++) {
        const char *what = rows[i].what;
        int64_t days = keep_days(call, class_id, what);
        if (!rows[i].of_class || call->now < last + days * day_ms) {
            continue;
        }
        json_t *gone = people_row(call->people, PEOPLE_PURGED_GET, "dt", class_id, what);
        bool before = gone && office_row_number(gone, "upto") >= last;
        json_decref(gone);
        if (!before && delete_one(call, class_id, class_text, what) &&
            !people_run(call->people, PEOPLE_PURGED_SET, "dtii", class_id, what, last,
                        (int64_t)call->now)) {
            char action[32];
            snprintf(action, sizeof(action), "kept.%s", what);
            snprintf(detail, sizeof(detail), "%lld days", (long long)days);
            office_audit(call, action, class_text, detail);
        }
    }
}

/* A class is looked at once a day: reading its whole journal is not free. */
static void one_class(struct office_call *call, const struct id *class_id)
{
    char text[ID_TEXT_MAX];
    json_t *row = people_row(call->people, PEOPLE_CLASS_GET, "d", class_id);
    int64_t planned = office_row_number(row, "start") + office_row_number(row, "minutes") * 60000;
    int64_t created = office_row_number(row, "created");
    int64_t from = planned > created ? planned : created;
    json_t *looked = people_row(call->people, PEOPLE_PURGED_GET, "dt", class_id, "looked");
    bool fresh =
        looked && call->now - office_row_number(looked, "at") < (int64_t)LOOK_AGAIN_HOURS * 3600000;
    json_decref(looked);
    if (row && !fresh && call->now >= from + shortest(call, class_id) * day_ms) {
        int64_t last = last_use(call, class_id, from);
        (void)people_run(call->people, PEOPLE_PURGED_SET, "dtii", class_id, "looked", last,
                         (int64_t)call->now);
        if (last) {
            delete_due(call, class_id, id_print(text, ID_CLASS, class_id), last);
        }
    }
    json_decref(row);
}

static void delete_mails(struct office_call *call)
{
    char path[PATHS_MAX];
    char detail[24];
    struct spool spool;
    if (!spool_open(&spool, paths_in(office_paths(call), "mail", path))) {
        unsigned gone = spool_prune(&spool, call->now - keep_days(call, NULL, "mails") * day_ms);
        spool_close(&spool);
        if (gone) {
            snprintf(detail, sizeof(detail), "%u", gone);
            office_audit(call, "kept.mails", "", detail);
        }
    }
}

static void delete_audit(struct office_call *call)
{
    char detail[24];
    int64_t before = call->now - keep_days(call, NULL, "audit") * day_ms;
    (void)people_run(call->people, PEOPLE_REFUSED_PRUNE, "i", before / day_ms);
    if (!people_run(call->people, PEOPLE_AUDIT_PRUNE, "i", before) &&
        people_changes(call->people) > 0) {
        snprintf(detail, sizeof(detail), "%d", people_changes(call->people));
        office_audit(call, "kept.audit", "", detail);
    }
}

void keep_upkeep(struct office_call *call)
{
    static struct id last; /* the desk's only */
    delete_mails(call);
    delete_audit(call);
    for (unsigned i = 0; i < CLASSES_AT_ONCE; i++) {
        json_t *row = people_row(call->people, PEOPLE_CLASS_AFTER, "d", &last);
        const char *text = office_row_text(row, "id");
        bool found = !id_parse(&last, ID_CLASS, text, strlen(text));
        json_decref(row);
        if (!found) {
            last = (struct id){{0}}; /* from the beginning, next time */
            return;
        }
        one_class(call, &last);
    }
}

void keep_purge_class(struct office_call *call, const struct id *class_id, const char *title)
{
    char text[ID_TEXT_MAX];
    id_print(text, ID_CLASS, class_id);
    json_t *live =
        office_classroom(call, json_pack("{s:s, s:s}", "cmd", "class.show", "class", text));
    const char *code = office_row_text(live, "code");
    bool there = json_is_true(json_object_get(live, "ok"));
    bool over = json_is_true(json_object_get(live, "ended"));
    bool gone = live && !there && !strcmp(code, "E_NOTFOUND");
    json_decref(live);
    /* Each step can be done again: the class goes last, so that it is tried until all have worked.
     */
    bool clean = gone || (there && done(call, "class.forget_all", text) &&
                          (over || done(call, "class.end", text)));
    if (clean && !people_run(call->people, PEOPLE_CLASS_DELETE, "d", class_id)) {
        (void)people_run(call->people, PEOPLE_KEEP_END, "d", class_id);
        (void)people_run(call->people, PEOPLE_PURGED_END, "d", class_id);
        office_audit(call, "class.deleted", text, title);
    }
}

static const struct office_route routes[] = {
    {IPC_GET, "/api/keep", OFFICE_ADMIN, OFFICE_DESK, keep_get},
    {IPC_PATCH, "/api/keep", OFFICE_ADMIN, OFFICE_DESK, keep_patch},
    {IPC_GET, "/api/classes/*/keep", OFFICE_STAFF, OFFICE_DESK, class_keep_get},
    {IPC_PATCH, "/api/classes/*/keep", OFFICE_ADMIN, OFFICE_DESK, class_keep_patch},
};

const struct office_table office_keep_table = {routes, sizeof(routes) / sizeof(routes[0])};
