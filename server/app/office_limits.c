#include "server/app/office_limits.h"

#include <stddef.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/sys/file.h"
#include "server/app/office_class.h"
#include "server/app/office_mail.h"
#include "server/app/office_tables.h"
#include "server/mail/spool.h"
#include "signaling/people/roster.h"

enum { ALERT_HOURS = 1, WITH_OTHERS = OFFICE_REFUSALS_MAX - 1 };

static const int64_t hour_ms = 3600000;
static const int64_t day_ms = 86400000;

/* Those that can be changed while the server runs begin with what the configuration says. */
static const struct limit {
    const char *name;
    const char *unit;
    size_t config;
    int64_t least;
    int64_t most; /* 0: only the configuration changes it, at a start */
} limits[] = {
    {"people_per_class", "people", offsetof(struct config, limits_people_per_class), 2, 4000},
    {"people", "people", offsetof(struct config, limits_people), 0, 100000},
    {"classes_at_once", "classes", offsetof(struct config, limits_classes_at_once), 0, 10000},
    {"mails_per_hour", "mails", offsetof(struct config, limits_mails_per_hour), 0, 1000000},
    {"classes", "classes", offsetof(struct config, limits_classes), 0, 0},
    {"connections", "connections", offsetof(struct config, limits_connections), 0, 0},
    {"connections_per_address", "connections",
     offsetof(struct config, limits_connections_per_address), 0, 0},
    {"peers_max", "connections", offsetof(struct config, rtc_peers_max), 0, 0},
    {"message_bytes", "bytes", offsetof(struct config, limits_message_bytes), 0, 0},
};

enum { LIMITS = sizeof(limits) / sizeof(limits[0]) };

static const char *const why_names[CLASS_FULL_REASONS] = {"class", "seats", "classes", "capacity",
                                                          "load"};

static int64_t usual(struct office_call *call, const struct limit *l)
{
    int64_t value;
    memcpy(&value, (const char *)office_config(call) + l->config, sizeof(value));
    return value;
}

static int64_t value_of(struct office_call *call, const struct limit *l, bool *own)
{
    json_t *row = l->most ? people_row(call->people, PEOPLE_SETTING_GET, "t", l->name) : NULL;
    int64_t value = row ? office_row_number(row, "value") : usual(call, l);
    *own = row != NULL;
    json_decref(row);
    return value;
}

static int64_t limit_now(struct office_call *call, const char *name)
{
    bool own;
    for (unsigned i = 0; i < LIMITS; i++) {
        if (!strcmp(limits[i].name, name)) {
            return value_of(call, &limits[i], &own);
        }
    }
    return 0;
}

/* ---- taking effect
 * ------------------------------------------------------------------------------------------ */

/* The mailer is another process: it reads its limit from a file beside the queue. */
static int tell_mailer(struct office_call *call)
{
    char path[PATHS_MAX];
    char text[24];
    struct spool spool; /* makes the folder */
    int err = spool_open(&spool, paths_in(office_paths(call), "mail", path));
    if (!err) {
        spool_close(&spool);
        int n =
            snprintf(text, sizeof(text), "%lld\n", (long long)limit_now(call, "mails_per_hour"));
        err = file_write_atomic(paths_in(office_paths(call), "mail/per-hour", path), text,
                                (size_t)n, 0600);
    }
    return err;
}

/* The classroom's answer says how much is used; the caller's. */
static json_t *tell_classroom(struct office_call *call)
{
    return office_classroom(call,
                            json_pack("{s:s, s:I, s:I, s:I}", "cmd", "limits", "people_per_class",
                                      (json_int_t)limit_now(call, "people_per_class"), "people",
                                      (json_int_t)limit_now(call, "people"), "classes_at_once",
                                      (json_int_t)limit_now(call, "classes_at_once")));
}

void office_limits_apply(struct office_call *call)
{
    (void)tell_mailer(call);
    json_decref(tell_classroom(call));
}

/* ---- the page
 * ------------------------------------------------------------------------------------------ */

static json_t *limit_json(struct office_call *call, const struct limit *l, const json_t *used)
{
    bool own;
    int64_t value = value_of(call, l, &own);
    json_t *o = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:b, s:b}", "name", l->name, "unit",
                          l->unit, "value", (json_int_t)value, "usual", (json_int_t)usual(call, l),
                          "least", (json_int_t)l->least, "most", (json_int_t)l->most, "own",
                          (int)own, "live", (int)(l->most > 0));
    json_t *now = json_object_get(used, l->name);
    if (now) {
        json_object_set(o, "used", now);
    }
    return o;
}

/* What is used now, by the names of the limits. */
static json_t *used_now(struct office_call *call)
{
    char path[PATHS_MAX];
    struct spool spool;
    json_t *used = json_object();
    json_t *answer = tell_classroom(call);
    json_t *list = office_classroom(call, json_pack("{s:s}", "cmd", "class.list"));
    size_t i;
    json_t *row;
    json_int_t fullest = 0;
    json_array_foreach(json_object_get(list, "classes"), i, row)
    {
        json_int_t here = office_row_number(row, "present");
        fullest = here > fullest ? here : fullest;
    }
    if (json_is_true(json_object_get(answer, "ok"))) {
        json_object_set(used, "people", json_object_get(answer, "people"));
        json_object_set(used, "classes_at_once", json_object_get(answer, "live"));
        json_object_set_new(used, "people_per_class", json_integer(fullest));
        json_object_set_new(
            used, "classes",
            json_integer((json_int_t)json_array_size(json_object_get(list, "classes"))));
    }
    if (!spool_open(&spool, paths_in(office_paths(call), "mail", path))) {
        json_object_set_new(used, "mails_per_hour",
                            json_integer(spool_sent_since(&spool, call->now - hour_ms)));
        spool_close(&spool);
    }
    json_decref(list);
    json_decref(answer);
    return used;
}

static void limits_get(struct office_call *call)
{
    json_t *list = json_array();
    json_t *used = used_now(call);
    json_t *refused = people_rows(call->people, PEOPLE_REFUSED_LIST, "");
    for (unsigned i = 0; i < LIMITS; i++) {
        json_array_append_new(list, limit_json(call, &limits[i], used));
    }
    json_decref(used);
    office_json(call, 200,
                json_pack("{s:o, s:o, s:I, s:i, s:s, s:b}", "limits", list, "refused",
                          refused ? refused : json_array(), "today",
                          (json_int_t)people_number(call->people, PEOPLE_REFUSED_SINCE, "i",
                                                    (int64_t)(call->now - day_ms)),
                          "roster", (int)ROSTER_ROWS_MAX, "alert_to",
                          office_config(call)->admin_alert_to, "mail",
                          (int)(office_config(call)->mail_from[0] != '\0')));
}

/* {"people": 500, "people_per_class": null}: null goes back to the configuration. */
static void limits_patch(struct office_call *call)
{
    const char *name;
    json_t *value;
    char detail[200] = "";
    size_t len = 0;
    int err = people_begin(call->people);
    json_object_foreach(call->body, name, value)
    {
        const struct limit *l = NULL;
        int64_t n = json_integer_value(value);
        for (unsigned i = 0; i < LIMITS; i++) {
            l = !strcmp(limits[i].name, name) && limits[i].most ? &limits[i] : l;
        }
        bool back = json_is_null(value);
        if (!l || (!back && (!json_is_integer(value) || n < l->least || n > l->most))) {
            people_rollback(call->people);
            office_json(call, 422,
                        json_pack("{s:s, s:s, s:I, s:I}", "error", "limit", "what",
                                  l ? l->name : "", "least", (json_int_t)(l ? l->least : 0), "most",
                                  (json_int_t)(l ? l->most : 0)));
            return;
        }
        err = err    ? err
              : back ? people_run(call->people, PEOPLE_SETTING_DROP, "t", l->name)
                     : people_run(call->people, PEOPLE_SETTING_SET, "ti", l->name, n);
        int put = len < sizeof(detail) ? snprintf(detail + len, sizeof(detail) - len, "%s%s %lld",
                                                  len ? ", " : "", l->name, (long long)n)
                                       : 0;
        len += put > 0 ? (size_t)put : 0;
    }
    err = err ? err : people_commit(call->people);
    if (err) {
        people_rollback(call->people);
        office_failed(call, err);
        return;
    }
    office_audit(call, "limits.changed", "", detail);
    office_limits_apply(call);
    limits_get(call);
}

/* ---- no seat
 * ------------------------------------------------------------------------------------------ */

void refusals_add(struct office_refusals *list, const struct id *class_id, enum class_full why)
{
    uint32_t i = 0;
    while (i < list->count &&
           (list->row[i].why != why || !id_equal(&list->row[i].class_id, class_id))) {
        i++;
    }
    if (i == OFFICE_REFUSALS_MAX) {
        i = WITH_OTHERS; /* so many classes at once: the last row counts for the rest */
    } else if (i == list->count) {
        list->row[i].class_id = *class_id;
        list->row[i].why = why;
        list->count++;
    }
    list->row[i].count++;
}

static void mail_admins(struct office_call *call, const char *text, const char *title)
{
    char link[OFFICE_URL_MAX + 16];
    char mail_id[48];
    size_t i;
    json_t *row;
    const char *fixed = office_config(call)->admin_alert_to;
    json_t *rows = fixed[0] ? json_pack("[{s:s, s:s}]", "mail", fixed, "name", "")
                            : people_rows(call->people, PEOPLE_ADMIN_LIST, "");
    snprintf(link, sizeof(link), "%s/home/limits", call->base);
    json_array_foreach(rows, i, row)
    {
        snprintf(mail_id, sizeof(mail_id), "full-%lld-%zu", (long long)(call->now / hour_ms), i);
        struct office_mail mail = {.letter = LETTER_FULL,
                                   .french = true,
                                   .id = mail_id,
                                   .to_name = office_row_text(row, "name"),
                                   .to_mail = office_row_text(row, "mail"),
                                   .title = title,
                                   .link = link,
                                   .text = text};
        (void)office_mail(call, &mail);
    }
    json_decref(rows);
}

void office_refusals(struct office_call *call, const struct office_refusals *list)
{
    static const char kind[] = "full";
    uint8_t digest[PEOPLE_DIGEST_LEN];
    char text[24];
    int64_t people = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        people += list->row[i].count;
        (void)people_run(call->people, PEOPLE_REFUSED_ADD, "idtii", (int64_t)(call->now / day_ms),
                         &list->row[i].class_id, why_names[list->row[i].why],
                         (int64_t)list->row[i].count, (int64_t)call->now);
    }
    office_digest(digest, kind);
    json_t *told =
        people_row(call->people, PEOPLE_ONCE_GET, "hti", digest, kind, (int64_t)call->now);
    if (!told && people > 0) {
        json_t *row = people_row(call->people, PEOPLE_CLASS_GET, "d", &list->row[0].class_id);
        snprintf(text, sizeof(text), "%lld", (long long)people);
        (void)people_run(call->people, PEOPLE_ONCE_PRUNE, "i", (int64_t)call->now);
        (void)people_run(call->people, PEOPLE_ONCE_ADD, "htdti", digest, kind, NULL, NULL,
                         (int64_t)(call->now + ALERT_HOURS * hour_ms));
        mail_admins(call, text, office_row_text(row, "title"));
        json_decref(row);
    }
    json_decref(told);
}

static const struct office_route routes[] = {
    {IPC_GET, "/api/limits", OFFICE_ADMIN, OFFICE_DESK, limits_get},
    {IPC_PATCH, "/api/limits", OFFICE_ADMIN, OFFICE_DESK, limits_patch},
};

const struct office_table office_limits_table = {routes, sizeof(routes) / sizeof(routes[0])};
