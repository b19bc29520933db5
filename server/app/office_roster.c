/* Who is invited to a class: the roster, its CSV, the places. */
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/text.h"
#include "server/app/admin_json.h"
#include "server/app/office_class.h"
#include "server/app/office_invite.h"
#include "server/app/office_tables.h"
#include "signaling/people/roster.h"

enum { PROBLEMS_MAX = 200, SAMPLE_MAX = 100, LINK_DAYS = 400, TEAM_MAX = 40 };

/* ---- people
 * ------------------------------------------------------------------------------------------ */

static int role_of(const char *name)
{
    for (int i = 0; i < ROLE_COUNT; i++) {
        if (!strcmp(admin_json_role_name((enum role)i), name)) {
            return i;
        }
    }
    return -1;
}

bool office_person_read(struct office_person *out, const json_t *row, const json_t *class_row)
{
    const char *id = office_row_text(row, "person");
    const char *lang = office_row_text(row, "lang");
    int role = role_of(office_row_text(row, "role"));
    memset(out, 0, sizeof(*out));
    snprintf(out->mail, sizeof(out->mail), "%s", office_row_text(row, "mail"));
    snprintf(out->name, sizeof(out->name), "%s", office_row_text(row, "name"));
    out->role = role < 0 ? ROLE_PARTICIPANT : (enum role)role;
    lang = *lang ? lang : office_row_text(class_row, "lang");
    out->french = strcmp(lang, "en") != 0;
    out->waiting = !strcmp(office_row_text(row, "place"), "waiting");
    return !id_parse(&out->id, ID_PERSON, id, strlen(id));
}

int office_person_link(struct office_call *call, const struct id *class_id,
                       const struct office_person *person, char *out, size_t cap)
{
    char token[TOKEN_TEXT_MAX];
    char id[ID_TEXT_MAX];
    struct token_claim claim = {.kind = person->waiting ? TOKEN_INVITATION : TOKEN_LINK_PERSON,
                                .class_id = *class_id,
                                .person = person->id,
                                .role = person->role,
                                .expires_at = call->now + (int64_t)LINK_DAYS * 86400000};
    int err = office_token_make(call, token, &claim);
    snprintf(out, cap, "%s/i/%s#%s", call->base, id_print(id, ID_CLASS, class_id),
             err ? "" : token);
    return err;
}

/* A thousand at a time. */
static void people_get(struct office_call *call)
{
    char from[12];
    struct id id;
    if (office_class(call, 0, &id)) {
        return;
    }
    office_query(call, "from", from, sizeof(from));
    int64_t at = strtoll(from, NULL, 10);
    json_t *rows =
        people_rows(call->people, PEOPLE_ENROLLED_PAGE, "di", &id, at < 0 ? (int64_t)0 : at);
    if (at == 0) {
        office_audit(call, "roster.read", office_part(call, 0), "");
    }
    office_json(
        call, 200,
        json_pack("{s:o, s:I}", "people", rows ? rows : json_array(), "total",
                  (json_int_t)people_number(call->people, PEOPLE_ENROLLED_COUNT, "d", &id)));
}

/* Of two people of a class no number of a register is the same. */
static bool number_taken(struct office_call *call, const struct id *class_id,
                         const struct id *person)
{
    const char *number = office_text(call, "number");
    return *number &&
           people_number(call->people, PEOPLE_ENROLLED_NUMBER, "dtd", class_id, number, person) > 0;
}

/* Name, role, group and number of the body; NULL or what is wrong. */
static const char *person_wrong(const struct office_call *call, int *role)
{
    const char *team = office_text(call, "team");
    const char *name = office_text(call, "role");
    *role = *name ? role_of(name) : ROLE_PARTICIPANT;
    if (!account_name_ok(office_text(call, "name"))) {
        return "name";
    }
    if (*role < 0) {
        return "role";
    }
    if (roster_number(office_text(call, "number"))) {
        return "number";
    }
    return text_utf8_count(team, strlen(team)) > TEAM_MAX ? "team" : NULL;
}

static void people_post(struct office_call *call)
{
    char mail[ACCOUNT_MAIL_MAX + 1];
    char text[ID_TEXT_MAX];
    struct id id;
    int role;
    if (office_class(call, 0, &id)) {
        return;
    }
    const char *wrong = person_wrong(call, &role);
    wrong = account_mail(mail, office_text(call, "mail")) ? "mail" : wrong;
    if (wrong) {
        office_refuse(call, 422, wrong);
        return;
    }
    struct id person = office_person_of(call, &id, mail);
    if (number_taken(call, &id, &person)) {
        office_refuse(call, 422, "number_twice");
        return;
    }
    int err = people_run(call->people, PEOPLE_ENROL, "ddtttttttit", &id, &person, mail,
                         office_text(call, "name"), admin_json_role_name((enum role)role),
                         office_text(call, "team"), "hand", "in", "", (int64_t)call->now,
                         office_text(call, "number"));
    if (err) {
        office_failed(call, err);
        return;
    }
    office_audit(call, "roster.added", office_part(call, 0), mail);
    office_json(call, 201, json_pack("{s:s}", "person", id_print(text, ID_PERSON, &person)));
}

static void person_patch(struct office_call *call)
{
    struct id id;
    struct id person;
    int role;
    if (office_class(call, 0, &id) || office_person(call, 1, &person)) {
        return;
    }
    const char *wrong = person_wrong(call, &role);
    wrong = wrong ? wrong : number_taken(call, &id, &person) ? "number_twice" : NULL;
    if (wrong) {
        office_refuse(call, 422, wrong);
        return;
    }
    int err = people_run(call->people, PEOPLE_ENROLLED_SET, "ddtttt", &id, &person,
                         office_text(call, "name"), admin_json_role_name((enum role)role),
                         office_text(call, "team"), office_text(call, "number"));
    if (err || people_changes(call->people) == 0) {
        if (err) {
            office_failed(call, err);
        } else {
            office_refuse(call, 404, "not_found");
        }
        return;
    }
    if (!strcmp(office_text(call, "place"), "in")) { /* the trainer lets somebody in himself */
        (void)people_run(call->people, PEOPLE_ENROLLED_PLACE, "ddt", &id, &person, "in");
    }
    office_audit(call, "roster.changed", office_part(call, 0), office_part(call, 1));
    office_json(call, 200, json_object());
}

static void person_delete(struct office_call *call)
{
    struct id id;
    struct id person;
    if (office_class(call, 0, &id) || office_person(call, 1, &person)) {
        return;
    }
    office_invite_back(call, &id, &person);
    int err = people_run(call->people, PEOPLE_ENROLLED_DEL, "dd", &id, &person);
    if (err) {
        office_failed(call, err);
        return;
    }
    office_audit(call, "roster.removed", office_part(call, 0), office_part(call, 1));
    office_fill_places(call, &id);
    office_json(call, 200, json_object());
}

/* ---- places
 * ------------------------------------------------------------------------------------------ */

static void write_place(struct office_call *call, const struct id *class_id,
                        const json_t *class_row, const json_t *row)
{
    struct office_person person;
    if (office_person_read(&person, row, class_row)) {
        person.waiting = false; /* the row was read before the place was given */
        (void)office_invite(call, class_id, class_row, &person, INVITE_PLACE);
    }
}

void office_fill_places(struct office_call *call, const struct id *class_id)
{
    json_t *class_row = people_row(call->people, PEOPLE_CLASS_GET, "d", class_id);
    int64_t capacity = office_row_number(class_row, "capacity");
    for (;;) {
        struct office_person person;
        int64_t in = people_number(call->people, PEOPLE_ENROLLED_IN, "d", class_id);
        json_t *row = capacity == 0 || in < capacity
                          ? people_row(call->people, PEOPLE_ENROLLED_NEXT, "d", class_id)
                          : NULL;
        if (!row || !office_person_read(&person, row, class_row) ||
            people_run(call->people, PEOPLE_ENROLLED_PLACE, "ddt", class_id, &person.id, "in")) {
            json_decref(row);
            break;
        }
        write_place(call, class_id, class_row, row);
        json_decref(row);
    }
    json_decref(class_row);
}

/* ---- CSV
 * ------------------------------------------------------------------------------------------ */

static json_t *row_json(const struct roster_row *row, bool french)
{
    json_t *o = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s}", "line", (int)row->line, "name",
                          row->name, "mail", row->mail, "team", row->group, "number", row->number,
                          "role", admin_json_role_name((enum role)row->role));
    if (row->problem) {
        json_object_set_new(o, "problem", json_string(roster_problem(row->problem, french)));
        json_object_set_new(o, "twice", json_integer(row->twice));
    }
    return o;
}

/* What the file says, row by row: problems first, then the beginning. */
static json_t *preview(struct office_call *call, const struct id *class_id,
                       const struct roster *roster, bool french)
{
    json_t *problems = json_array();
    json_t *sample = json_array();
    json_int_t fresh = 0;
    for (uint32_t i = 0; i < roster->count; i++) {
        const struct roster_row *row = &roster->rows[i];
        if (row->problem) {
            if (json_array_size(problems) < PROBLEMS_MAX) {
                json_array_append_new(problems, row_json(row, french));
            }
            continue;
        }
        if (json_array_size(sample) < SAMPLE_MAX) {
            json_array_append_new(sample, row_json(row, french));
        }
        json_t *known =
            people_row(call->people, PEOPLE_ENROLLED_BY_MAIL, "dt", class_id, row->mail);
        fresh += known ? 0 : 1;
        json_decref(known);
    }
    return json_pack("{s:i, s:i, s:I, s:o, s:o, s:b}", "rows", (int)roster->count, "bad",
                     (int)roster->bad, "fresh", fresh, "problems", problems, "sample", sample,
                     "heads", (int)roster->heads);
}

/* A number that somebody else of the class has already. */
static void mark_taken(struct office_call *call, const struct id *class_id, struct roster *roster)
{
    for (uint32_t i = 0; i < roster->count; i++) {
        struct roster_row *row = &roster->rows[i];
        if (!row->problem && row->number[0]) {
            struct id person = office_person_of(call, class_id, row->mail);
            bool taken = people_number(call->people, PEOPLE_ENROLLED_NUMBER, "dtd", class_id,
                                       row->number, &person) > 0;
            row->problem = taken ? ROSTER_NUMBER_TAKEN : ROSTER_FINE;
            roster->bad += taken;
        }
    }
}

static int take(struct office_call *call, const struct id *class_id, const struct roster *roster)
{
    int err = people_begin(call->people);
    for (uint32_t i = 0; i < roster->count && !err; i++) {
        const struct roster_row *row = &roster->rows[i];
        struct id person = office_person_of(call, class_id, row->mail);
        err = people_run(call->people, PEOPLE_ENROL, "ddtttttttit", class_id, &person, row->mail,
                         row->name, admin_json_role_name((enum role)row->role), row->group,
                         "roster", "in", "", (int64_t)call->now, row->number);
    }
    err = err ? err : people_commit(call->people);
    if (err) {
        people_rollback(call->people);
    }
    return err;
}

static void refuse_file(struct office_call *call, int err, uint32_t line)
{
    const char *why = err == E_BAD && line == 0 ? "csv_encoding"
                      : err == E_BAD            ? "csv_quote"
                      : err == E_LIMIT          ? "csv_rows"
                      : err == E_NOTFOUND       ? "csv_empty"
                                                : "csv_big";
    office_json(call, 422, json_pack("{s:s, s:i}", "error", why, "line", (int)line));
}

/* ?apply=1 takes it over, all or nothing; without, it only says what would be. */
static void roster_post(struct office_call *call)
{
    struct roster roster = {.rows = NULL};
    struct id id;
    uint32_t line = 0;
    char flag[4];
    char lang[4];
    char detail[64];
    if (office_class(call, 0, &id)) {
        return;
    }
    bool apply = !strcmp(office_query(call, "apply", flag, sizeof(flag)), "1");
    bool french = strcmp(office_query(call, "lang", lang, sizeof(lang)), "en") != 0;
    int err = roster_read(&roster, call->ask->body_len ? call->ask->body : "", call->ask->body_len,
                          &line);
    if (!err) {
        mark_taken(call, &id, &roster);
    }
    if (err) {
        refuse_file(call, err, line);
    } else if (apply && roster.bad == 0) {
        err = take(call, &id, &roster);
        if (err) {
            office_failed(call, err);
        } else {
            snprintf(detail, sizeof(detail), "%u", roster.count);
            office_audit(call, "roster.imported", office_part(call, 0), detail);
            office_json(call, 200, json_pack("{s:i}", "taken", (int)roster.count));
        }
    } else {
        office_json(call, apply ? 422 : 200, preview(call, &id, &roster, french));
    }
    roster_fini(&roster);
}

/* The personal link of one person, to hand over in another way. */
static void person_link_post(struct office_call *call)
{
    char link[OFFICE_LINK_MAX];
    struct office_person person;
    struct id id;
    struct id who;
    if (office_class(call, 0, &id) || office_person(call, 1, &who)) {
        return;
    }
    json_t *row = people_row(call->people, PEOPLE_ENROLLED_GET, "dd", &id, &who);
    if (!row || !office_person_read(&person, row, NULL) ||
        office_person_link(call, &id, &person, link, sizeof(link))) {
        office_refuse(call, 404, "not_found");
    } else {
        office_audit(call, "link.made", office_part(call, 0), person.mail);
        office_json(call, 200, json_pack("{s:s}", "token", strchr(link, '#') + 1));
    }
    json_decref(row);
}

static const struct office_route routes[] = {
    {IPC_GET, "/api/classes/*/people", OFFICE_STAFF, OFFICE_DESK, people_get},
    {IPC_POST, "/api/classes/*/people", OFFICE_STAFF, OFFICE_DESK, people_post},
    {IPC_PATCH, "/api/classes/*/people/*", OFFICE_STAFF, OFFICE_DESK, person_patch},
    {IPC_DELETE, "/api/classes/*/people/*", OFFICE_STAFF, OFFICE_DESK, person_delete},
    {IPC_POST, "/api/classes/*/people/*/link", OFFICE_STAFF, OFFICE_DESK, person_link_post},
    {IPC_POST, "/api/classes/*/roster", OFFICE_STAFF, OFFICE_SLOW, roster_post},
};

const struct office_table office_roster_table = {routes, sizeof(routes) / sizeof(routes[0])};
