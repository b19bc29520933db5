/* What participants see without an account: registration, invitation, their classes. */
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "server/app/office_invite.h"
#include "server/app/office_series.h"
#include "server/app/office_session.h"
#include "server/app/office_tables.h"
#include "server/app/office_when.h"
#include "server/mail/ics.h"

enum { MINE_MS_DAYS = 30 };

/* ---- registration
 * ------------------------------------------------------------------------------------------ */

/* The class of a registration page, or NULL and 404: closed ones are not told from none. */
static json_t *open_class(struct office_call *call, struct id *id)
{
    const char *text = office_part(call, 0);
    json_t *row = id_parse(id, ID_CLASS, text, strlen(text))
                      ? NULL
                      : people_row(call->people, PEOPLE_CLASS_GET, "d", id);
    if (!row || !office_row_number(row, "open") || office_row_number(row, "binned")) {
        json_decref(row);
        office_refuse(call, 404, "not_found");
        return NULL;
    }
    return row;
}

/* What anybody with the address may know of a class. */
static json_t *told(const struct office_call *call, const json_t *row)
{
    return json_pack("{s:O?, s:O?, s:O?, s:O?, s:O?, s:O?, s:O?, s:O?, s:O?, s:s}", "id",
                     json_object_get(row, "id"), "title", json_object_get(row, "title"), "type",
                     json_object_get(row, "type"), "start", json_object_get(row, "start"),
                     "minutes", json_object_get(row, "minutes"), "permanent",
                     json_object_get(row, "permanent"), "zone", json_object_get(row, "zone"),
                     "note", json_object_get(row, "note"), "host", json_object_get(row, "host"),
                     "server", call->server);
}

static bool has_place(struct office_call *call, const struct id *id, const json_t *row,
                      int64_t *left)
{
    int64_t capacity = office_row_number(row, "capacity");
    int64_t in = people_number(call->people, PEOPLE_ENROLLED_IN, "d", id);
    *left = capacity ? (capacity > in ? capacity - in : 0) : -1;
    return *left != 0;
}

static bool is_over(const struct office_call *call, const json_t *row)
{
    int64_t start = office_row_number(row, "start");
    return start > 0 && call->now > start + office_row_number(row, "minutes") * 60000;
}

static void registration_get(struct office_call *call)
{
    struct id id;
    int64_t left;
    json_t *row = open_class(call, &id);
    if (row) {
        json_t *out = told(call, row);
        (void)has_place(call, &id, row, &left);
        json_object_set_new(out, "left", json_integer(left));
        json_object_set_new(out, "over", json_boolean(is_over(call, row)));
        office_json(call, 200, out);
    }
    json_decref(row);
}

/* One transaction decides about the last place. *fresh = was not registered before. */
static int enrol(struct office_call *call, const struct id *id, const json_t *row,
                 struct office_person *person, bool *in, bool *fresh)
{
    int64_t left;
    int err = people_begin(call->people);
    json_t *known =
        err ? NULL : people_row(call->people, PEOPLE_ENROLLED_BY_MAIL, "dt", id, person->mail);
    *fresh = !known;
    *in = known ? !strcmp(office_row_text(known, "place"), "in") : has_place(call, id, row, &left);
    if (!err && known) {
        snprintf(person->name, sizeof(person->name), "%s", office_row_text(known, "name"));
    } else if (!err) {
        err = people_run(call->people, PEOPLE_ENROL, "ddtttttttit", id, &person->id, person->mail,
                         person->name, "participant", "", "registration", *in ? "in" : "waiting",
                         person->french ? "fr" : "en", (int64_t)call->now, "");
        err = err ? err
                  : people_run(call->people, PEOPLE_ENROLLED_ANSWER, "ddt", id, &person->id, "yes");
    }
    json_decref(known);
    err = err ? err : people_commit(call->people);
    if (err) {
        people_rollback(call->people);
    }
    return err;
}

static void registration_post(struct office_call *call)
{
    char link[OFFICE_LINK_MAX];
    struct office_person person = {.role = ROLE_PARTICIPANT};
    struct id id;
    bool in;
    bool fresh;
    if (!office_try(call, "register")) {
        return;
    }
    json_t *row = open_class(call, &id);
    if (!row) {
        return;
    }
    bool named = account_name_ok(office_text(call, "name"));
    if (is_over(call, row)) {
        office_refuse(call, 409, "over");
    } else if (!named || account_mail(person.mail, office_text(call, "mail"))) {
        office_refuse(call, 422, named ? "mail" : "name");
    } else {
        snprintf(person.name, sizeof(person.name), "%s", office_text(call, "name"));
        person.french = strcmp(office_text(call, "lang"), "en") != 0;
        person.id = office_person_of(call, &id, person.mail);
        int err = enrol(call, &id, row, &person, &in, &fresh);
        person.waiting = !in;
        err = err ? err : office_person_link(call, &id, &person, link, sizeof(link));
        if (err) {
            office_failed(call, err);
        } else {
            if (in) {
                (void)office_invite(call, &id, row, &person, INVITE_PLACE);
            } else {
                office_class_mail(call, LETTER_WAITING, "waiting", row, &person, link);
            }
            office_audit(call, "registered", office_part(call, 0), person.mail);
            /* Whoever types the address of somebody registered gets nothing but a mail sent there.
             */
            office_json(call, 201,
                        json_pack("{s:s, s:s}", "place", in ? "in" : "waiting", "token",
                                  fresh ? strchr(link, '#') + 1 : ""));
        }
    }
    json_decref(row);
}

/* ---- invitation
 * ------------------------------------------------------------------------------------------ */

static json_t *invited_class(struct office_call *call)
{
    return office_class_row(call, &call->claim.class_id);
}

/* Whoever came by a link of the waiting list and has a place now gets the one that enters. */
static void give_entry(struct office_call *call, json_t *out, const json_t *me,
                       const json_t *class_row)
{
    char link[OFFICE_LINK_MAX];
    struct office_person person;
    if (call->claim.kind == TOKEN_INVITATION && office_person_read(&person, me, class_row) &&
        !person.waiting &&
        !office_person_link(call, &call->claim.class_id, &person, link, sizeof(link))) {
        json_object_set_new(out, "token", json_string(strchr(link, '#') + 1));
    }
}

/* It has taken place, early or late, and does not go on. */
static bool is_held(struct office_call *call, const json_t *row)
{
    json_t *live = office_classroom(
        call, json_pack("{s:s, s:s}", "cmd", "class.show", "class", office_row_text(row, "id")));
    const char *state = office_row_text(live, "state");
    bool runs = !strcmp(state, "live") || !strcmp(state, "closing") || !strcmp(state, "doors");
    bool held = json_is_true(json_object_get(live, "ended")) || !strcmp(state, "closed") ||
                !strcmp(state, "archived") || (!runs && is_over(call, row));
    json_decref(live);
    return held;
}

static void invitation_get(struct office_call *call)
{
    json_t *row = invited_class(call);
    if (!row) {
        return;
    }
    json_t *out = told(call, row);
    json_object_set_new(out, "over", json_boolean(is_held(call, row)));
    json_t *me = people_row(call->people, PEOPLE_ENROLLED_GET, "dd", &call->claim.class_id,
                            &call->claim.person);
    if (me) {
        json_object_set(out, "name", json_object_get(me, "name"));
        json_object_set(out, "answer", json_object_get(me, "answer"));
        json_object_set(out, "place", json_object_get(me, "place"));
        give_entry(call, out, me, row);
        if (!strcmp(office_row_text(me, "place"), "waiting")) {
            json_object_set_new(
                out, "rank",
                json_integer(people_number(call->people, PEOPLE_ENROLLED_RANK, "di",
                                           &call->claim.class_id, office_row_number(me, "at"))));
        }
    }
    json_decref(me);
    json_decref(row);
    office_json(call, 200, out);
}

static void invitation_post(struct office_call *call)
{
    const char *answer = office_text(call, "answer");
    bool yes = !strcmp(answer, "yes");
    json_t *row = invited_class(call);
    if (!row) {
        return;
    }
    json_decref(row);
    if (!yes && strcmp(answer, "no") != 0) {
        office_refuse(call, 422, "answer");
        return;
    }
    int err = people_run(call->people, PEOPLE_ENROLLED_ANSWER, "ddt", &call->claim.class_id,
                         &call->claim.person, answer);
    if (err) {
        office_failed(call, err);
    } else if (people_changes(call->people) == 0) {
        office_refuse(call, 404, "not_found");
    } else {
        office_json(call, 200, json_object());
    }
}

static void calendar_get(struct office_call *call)
{
    char uid[INVITE_UID_MAX];
    char host[OFFICE_URL_MAX];
    char link[OFFICE_LINK_MAX];
    struct mail_text text = {0};
    struct office_person me = {.role = ROLE_PARTICIPANT};
    json_t *row = invited_class(call);
    if (!row) {
        return;
    }
    json_t *known = people_row(call->people, PEOPLE_ENROLLED_GET, "dd", &call->claim.class_id,
                               &call->claim.person);
    int64_t start = office_row_number(row, "start");
    if (!known || !start || !office_person_read(&me, known, row) ||
        office_person_link(call, &call->claim.class_id, &me, link, sizeof(link))) {
        office_refuse(call, 404, "not_found");
    } else {
        office_host(call, host, sizeof(host));
        invite_uid(uid, &call->claim.class_id, &me.id, host);
        struct office_series *series = office_series_open(row, call->now, me.french);
        struct ics_event event = {.uid = uid,
                                  .sequence = call->now / 1000,
                                  .stamp = call->now,
                                  .start = start,
                                  .end = start + office_row_number(row, "minutes") * 60000,
                                  .series = series ? &series->ics : NULL,
                                  .title = office_row_text(row, "title"),
                                  .url = link,
                                  .organizer_name = call->server,
                                  .organizer_mail = office_config(call)->mail_from,
                                  .attendee_name = me.name,
                                  .attendee_mail = me.mail};
        ics_write(&text, &event);
        office_series_close(series);
        office_bytes(call, "text/calendar; charset=utf-8", "classe.ics",
                     text.bad ? NULL : mem_dup(text.s, text.len), text.len);
    }
    mail_text_fini(&text);
    json_decref(known);
    json_decref(row);
}

/* ---- my classes
 * ------------------------------------------------------------------------------------------ */

/* The same answer whether or not anybody has this address. */
static void my_post(struct office_call *call)
{
    char mail[ACCOUNT_MAIL_MAX + 1];
    char token[ACCOUNT_TOKEN_TEXT + 1];
    char link[OFFICE_URL_MAX + 64];
    char mail_id[32];
    uint8_t digest[PEOPLE_DIGEST_LEN];
    char hex[25];
    if (!office_try(call, "my")) {
        return;
    }
    json_t *rows = account_mail(mail, office_text(call, "mail"))
                       ? NULL
                       : people_rows(call->people, PEOPLE_CLASSES_BY_MAIL, "t", mail);
    if (json_array_size(rows) > 0 &&
        !office_once(call, token, "mine", NULL, mail, (int64_t)MINE_MS_DAYS * 86400000)) {
        office_digest(digest, mail);
        for (int i = 0; i < 12; i++) {
            snprintf(hex + 2 * (ptrdiff_t)i, 3, "%02x", digest[i]);
        }
        snprintf(mail_id, sizeof(mail_id), "mine-%s", hex);
        snprintf(link, sizeof(link), "%s/my#%s", call->base, token);
        struct office_mail letter = {.letter = LETTER_MINE,
                                     .french = strcmp(office_text(call, "lang"), "en") != 0,
                                     .id = mail_id,
                                     .to_name = "",
                                     .to_mail = mail,
                                     .link = link};
        (void)office_mail(call, &letter);
    }
    json_decref(rows);
    office_json(call, 202, json_object());
}

/* The classes of whoever has the link of that mail, each with its personal link. */
static void mine_post(struct office_call *call)
{
    uint8_t digest[PEOPLE_DIGEST_LEN];
    size_t i;
    json_t *row;
    if (!office_try(call, "mine")) {
        return;
    }
    office_digest(digest, office_text(call, "token"));
    json_t *once =
        people_row(call->people, PEOPLE_ONCE_GET, "hti", digest, "mine", (int64_t)call->now);
    if (!once) {
        office_refuse(call, 404, "link");
        return;
    }
    office_try_good(call, "mine");
    const char *mail = office_row_text(once, "data");
    json_t *rows = people_rows(call->people, PEOPLE_CLASSES_BY_MAIL, "t", mail);
    json_array_foreach(rows, i, row)
    {
        char link[OFFICE_LINK_MAX];
        struct office_person me;
        struct id id;
        const char *text = office_row_text(row, "id");
        if (office_person_read(&me, row, NULL) && !id_parse(&id, ID_CLASS, text, strlen(text)) &&
            !office_person_link(call, &id, &me, link, sizeof(link))) {
            json_object_set_new(row, "token", json_string(strchr(link, '#') + 1));
            json_object_set_new(row, "over", json_boolean(is_held(call, row)));
        }
    }
    office_json(call, 200,
                json_pack("{s:s, s:o, s:s, s:I}", "mail", mail, "classes",
                          rows ? rows : json_array(), "server", call->server, "now",
                          (json_int_t)call->now));
    json_decref(once);
}

static const struct office_route routes[] = {
    {IPC_GET, "/api/registration/*", OFFICE_ANYBODY, OFFICE_DESK, registration_get},
    {IPC_POST, "/api/registration/*", OFFICE_ANYBODY, OFFICE_DESK, registration_post},
    {IPC_GET, "/api/invitation", OFFICE_LINK, OFFICE_DESK, invitation_get},
    {IPC_POST, "/api/invitation", OFFICE_LINK, OFFICE_DESK, invitation_post},
    {IPC_GET, "/api/invitation/calendar", OFFICE_LINK, OFFICE_DESK, calendar_get},
    {IPC_POST, "/api/my", OFFICE_ANYBODY, OFFICE_SLOW, my_post},
    {IPC_POST, "/api/mine", OFFICE_ANYBODY, OFFICE_DESK, mine_post},
};

const struct office_table office_public_table = {routes, sizeof(routes) / sizeof(routes[0])};
