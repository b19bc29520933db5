#include "server/app/office_invite.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/sys/log.h"
#include "server/app/office_series.h"
#include "server/app/office_tables.h"
#include "server/app/office_when.h"

enum { INVITE_BATCH = 200, TOLD_BATCH = 40, MS_PER_MINUTE = 60000 };

/* ---- one mail
 * ------------------------------------------------------------------------------------------ */

/* What a person knows once he has read it: no two plans of a class give the same number. */
static int64_t told_of(const json_t *class_row)
{
    int64_t start = office_row_number(class_row, "start");
    return start > 0 ? start + office_row_number(class_row, "minutes") : 0;
}

/* told: what is taken back, whatever the class says now. */
static int put_mail(struct office_call *call, struct spool *spool, const struct id *class_id,
                    const json_t *class_row, const struct office_person *person,
                    enum invite_kind kind, int64_t told)
{
    char link[OFFICE_LINK_MAX] = "";
    char when[OFFICE_WHEN_MAX];
    char host[OFFICE_URL_MAX];
    bool cancel = kind == INVITE_CANCEL;
    int64_t minutes = office_row_number(class_row, "minutes");
    int64_t start =
        cancel ? told / MS_PER_MINUTE * MS_PER_MINUTE : office_row_number(class_row, "start");
    int err = cancel ? 0 : office_person_link(call, class_id, person, link, sizeof(link));
    if (err) {
        return err;
    }
    office_host(call, host, sizeof(host));
    struct office_series *series = office_series_open(class_row, call->now, person->french);
    struct invite invite = {.kind = kind,
                            .french = person->french,
                            .config = office_config(call),
                            .class_id = *class_id,
                            .title = office_row_text(class_row, "title"),
                            .start = start,
                            .end = start + minutes * MS_PER_MINUTE,
                            .now = call->now,
                            .when = series && series->when.s
                                        ? series->when.s
                                        : office_when(when, start, minutes,
                                                      office_row_text(class_row, "zone"),
                                                      person->french),
                            .series = series ? &series->ics : NULL,
                            .host = host};
    struct invited who = {
        .person = person->id, .name = person->name, .mail = person->mail, .link = link};
    err = invite_put(spool, &invite, office_paths(call), &who);
    office_series_close(series);
    return err;
}

static int open_spool(struct office_call *call, struct spool *spool)
{
    char path[PATHS_MAX];
    if (!office_config(call)->mail_from[0]) {
        return E_STATE;
    }
    return spool_open(spool, paths_in(office_paths(call), "mail", path));
}

/* Queued first and marked then: a kill between the two writes the same file again. */
static int tell(struct office_call *call, struct spool *spool, const struct id *class_id,
                const json_t *class_row, const struct office_person *person, enum invite_kind kind,
                int64_t told)
{
    int err = put_mail(call, spool, class_id, class_row, person, kind, told);
    return err ? err
               : people_run(call->people, PEOPLE_ENROLLED_INVITED, "ddiii", class_id, &person->id,
                            (int64_t)call->now, kind == INVITE_CANCEL ? 0 : told_of(class_row),
                            office_row_number(class_row, "version"));
}

static int one(struct office_call *call, const struct id *class_id, const json_t *class_row,
               const struct office_person *person, enum invite_kind kind, int64_t told)
{
    struct spool spool;
    int err = open_spool(call, &spool);
    if (err) {
        return err;
    }
    err = tell(call, &spool, class_id, class_row, person, kind, told);
    spool_close(&spool);
    return err ? err
               : people_run(call->people, PEOPLE_CLASS_INVITED, "di", class_id, (int64_t)call->now);
}

int office_invite(struct office_call *call, const struct id *class_id, const json_t *class_row,
                  const struct office_person *person, enum invite_kind kind)
{
    return one(call, class_id, class_row, person, kind, 0);
}

void office_invite_back(struct office_call *call, const struct id *class_id,
                        const struct id *person)
{
    struct office_person who;
    json_t *class_row = people_row(call->people, PEOPLE_CLASS_GET, "d", class_id);
    json_t *row = people_row(call->people, PEOPLE_ENROLLED_GET, "dd", class_id, person);
    int64_t told = office_row_number(row, "told");
    if (row && told > call->now && office_person_read(&who, row, class_row)) {
        (void)one(call, class_id, class_row, &who, INVITE_CANCEL, told);
    }
    json_decref(row);
    json_decref(class_row);
}

/* ---- who knows another date
 * ------------------------------------------------------------------------------------------ */

int64_t office_invite_stale(struct office_call *call, const struct id *class_id)
{
    return people_number(call->people, PEOPLE_STALE_OF, "di", class_id, (int64_t)call->now);
}

static enum invite_kind kind_of(const json_t *row)
{
    if (!office_row_number(row, "stands")) {
        return INVITE_CANCEL;
    }
    if (office_row_number(row, "told") == 0) {
        return INVITE_NEW;
    }
    return office_row_text(row, "plan")[0] ? INVITE_DATES : INVITE_MOVED;
}

bool office_invite_upkeep(struct office_call *call)
{
    struct spool spool;
    size_t i;
    json_t *row;
    if (open_spool(call, &spool)) {
        return false;
    }
    int err = 0;
    json_t *rows =
        people_rows(call->people, PEOPLE_STALE, "ii", (int64_t)call->now, (int64_t)TOLD_BATCH);
    size_t count = json_array_size(rows);
    json_array_foreach(rows, i, row)
    {
        struct id id;
        struct office_person person;
        const char *text = office_row_text(row, "id");
        if (!err && !id_parse(&id, ID_CLASS, text, strlen(text)) &&
            office_person_read(&person, row, NULL)) {
            err =
                tell(call, &spool, &id, row, &person, kind_of(row), office_row_number(row, "told"));
        }
    }
    json_decref(rows);
    spool_close(&spool);
    if (err) {
        log_warn("office", "invited people could not be told of a change", L_ERR("result", err));
    }
    return count == TOLD_BATCH && !err;
}

/* ---- inviting
 * ------------------------------------------------------------------------------------------ */

/* Up to INVITE_BATCH mails; the page asks again while some are left, and shows how far it is. */
static void invite_batch(struct office_call *call, const struct id *class_id,
                         const json_t *class_row, int64_t since)
{
    struct spool spool;
    size_t i;
    json_t *row;
    json_int_t sent = 0;
    json_int_t left = 0;
    int err = open_spool(call, &spool);
    bool open = !err;
    json_t *rows = err ? NULL : people_rows(call->people, PEOPLE_ENROLLED, "d", class_id);
    json_array_foreach(rows, i, row)
    {
        struct office_person person;
        bool due = !strcmp(office_row_text(row, "place"), "in") &&
                   office_row_number(row, "invited") < since;
        if (due && sent < INVITE_BATCH && !err) {
            err = office_person_read(&person, row, class_row)
                      ? tell(call, &spool, class_id, class_row, &person, INVITE_NEW, 0)
                      : E_BAD;
            sent += err ? 0 : 1;
        } else if (due) {
            left++;
        }
    }
    if (!err) {
        err = people_run(call->people, PEOPLE_CLASS_INVITED, "di", class_id, (int64_t)call->now);
    }
    if (open) {
        spool_close(&spool);
    }
    json_decref(rows);
    if (err == E_STATE) {
        office_refuse(call, 409, "no_mail");
    } else if (err) {
        office_failed(call, err);
    } else {
        office_json(call, 200,
                    json_pack("{s:I, s:I, s:b}", "sent", sent, "left", left, "waits",
                              (int)!office_config(call)->mail_smtp[0]));
    }
}

/* {"since": t}: everybody who was last invited before t; 1 = those who never were. */
static void invite_post(struct office_call *call)
{
    struct id id;
    if (office_class(call, 0, &id)) {
        return;
    }
    office_series_follow(call, &id);
    json_t *class_row = office_class_row(call, &id);
    if (!class_row) {
        return;
    }
    int64_t since = office_number(call, "since", 1);
    invite_batch(call, &id, class_row, since > call->now ? call->now : since);
    office_audit(call, "invited", office_part(call, 0), "");
    json_decref(class_row);
}

static const struct office_route routes[] = {
    {IPC_POST, "/api/classes/*/invite", OFFICE_STAFF, OFFICE_SLOW, invite_post},
};

const struct office_table office_invite_table = {routes, sizeof(routes) / sizeof(routes[0])};
