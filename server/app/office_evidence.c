/* Attendance for pages: the sheet of staff, everybody's own record, words about it, its files. */
#include "server/app/office_evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/token.h"
#include "server/app/evidence_file.h"
#include "server/app/office_class.h"
#include "server/app/office_tables.h"
#include "signaling/schema/schema.h"

enum { SEAL_TRIES = 24, REASON_MAX = 1000, CONTEST_DAYS = 7, MS_PER_DAY = 86400000, ZONE_MAX = 64 };

static const struct token_ops sign_ops = {.sign_h = token_sign};

/* ---- who asks
 * ------------------------------------------------------------------------------------ */

/* A seat with a leading role: what a page of the class may show its staff. */
static bool leads_now(const struct sheet *sheet, const struct id *person)
{
    for (uint32_t i = 0; i < sheet->here_count; i++) {
        const struct attendee *p = &sheet->here[i];
        if (id_equal(&p->person, person)) {
            return role_is_staff((enum role)p->role);
        }
    }
    return false;
}

/* A link says its role; who a page is says the class. */
static bool is_staff(const struct office_call *call, const struct evidence *e)
{
    bool link = call->claim.kind == TOKEN_LINK || call->claim.kind == TOKEN_LINK_PERSON;
    return link ? role_is_staff(call->claim.role) : leads_now(&e->history.sheet, &e->person);
}

static int who_asks(struct office_call *call, struct evidence *e)
{
    if (!office_by_link(call)) {
        e->staff = true;
        return office_class(call, 0, &e->class_id);
    }
    const char *text = office_part(call, 0);
    bool same = !id_parse(&e->class_id, ID_CLASS, text, strlen(text)) &&
                id_equal(&e->class_id, &call->claim.class_id);
    bool pages = call->claim.kind != TOKEN_WHIP && call->claim.kind != TOKEN_WHEP;
    if (!same || !pages) {
        office_refuse(call, 404, "not_found");
        return E_DENIED;
    }
    e->person = call->claim.person;
    return 0;
}

int evidence_open(struct office_call *call, struct evidence *e, bool staff, history_event_h event_h,
                  void *arg)
{
    char number[24];
    char why[256];
    memset(e, 0, sizeof(*e));
    int err = who_asks(call, e);
    if (err) {
        return err;
    }
    err = history_walk(&e->history, office_config(call), &e->class_id, event_h, arg, why,
                       sizeof(why));
    if (err) {
        office_refuse(call, err == E_NOTFOUND ? 404 : 503,
                      err == E_NOTFOUND ? "not_found" : "busy");
        return err;
    }
    e->staff = e->staff || is_staff(call, e);
    if (staff && !e->staff) {
        office_refuse(call, 403, "denied");
        return E_DENIED;
    }
    office_query(call, "session", number, sizeof(number));
    uint64_t wanted =
        call->body ? (uint64_t)office_number(call, "session", 0) : strtoull(number, NULL, 10);
    const struct sheet *sheet = &e->history.sheet;
    const struct sheet_session *session = sheet_find(sheet, wanted);
    e->report = (struct attendance_report){.sheet = sheet,
                                           .session = session,
                                           .rules = attendance_rules_of(sheet, session),
                                           .now = sheet_now(sheet, session, call->now)};
    if (session) {
        attendance_seal_of(&e->report, &e->history.chain);
    } else if (wanted) {
        office_refuse(call, 404, "session");
        return E_NOTFOUND;
    }
    return 0;
}

void evidence_fini(struct evidence *e)
{
    sheet_fini(&e->history.sheet);
}

/* ---- reading
 * ------------------------------------------------------------------------------------- */

static json_t *sessions_of(const struct sheet *sheet)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < sheet->count; i++) {
        const struct sheet_session *s = &sheet->sessions[i];
        bool open = s->closed == SHEET_OPEN;
        json_array_append_new(list,
                              json_pack("{s:I, s:I, s:o, s:b}", "session", (json_int_t)s->number,
                                        "opened", (json_int_t)s->opened, "closed",
                                        open ? json_null() : json_integer(s->closed), "sealed",
                                        (int)s->sealed));
    }
    return list;
}

/* Where the class takes place, for times on pages and papers; "" when no plan says. */
static const char *zone_of(const struct office_call *call, const struct id *class_id,
                           char out[ZONE_MAX])
{
    json_t *row = people_row(call->people, PEOPLE_CLASS_GET, "d", class_id);
    snprintf(out, ZONE_MAX, "%s", office_row_text(row, "zone"));
    json_decref(row);
    return out;
}

static json_t *start_of(const struct office_call *call, const struct evidence *e)
{
    char zone[ZONE_MAX];
    return json_pack("{s:s, s:b, s:s, s:o}", "title", rtext_str(e->history.sheet.title), "staff",
                     (int)e->staff, "zone", zone_of(call, &e->class_id, zone), "sessions",
                     sessions_of(&e->history.sheet));
}

/* The sheet with everybody on the roster as it is now. */
static int sheet_open(struct office_call *call, struct evidence *e, bool staff)
{
    int err = evidence_open(call, e, staff, NULL, NULL);
    if (!err && e->staff && office_expect(call, &e->class_id)) {
        evidence_fini(e);
        err = evidence_open(call, e, staff, NULL, NULL);
    }
    return err;
}

static void sheet_get(struct office_call *call)
{
    struct evidence e;
    if (!sheet_open(call, &e, true)) {
        json_t *o = start_of(call, &e);
        if (o && e.report.session) {
            json_object_set_new(o, "sheet", attendance_json(&e.report));
            json_object_set_new(
                o, "intact",
                json_boolean(!e.report.session->sealed ||
                             seal_is_of_sheet(&e.history.sheet, e.report.session, &sign_ops)));
        }
        char again[4];
        if (!*office_query(call, "again", again, sizeof(again))) { /* a page that looks again */
            office_audit(call, "attendance.read", office_part(call, 0), "");
        }
        office_json(call, 200, o);
    }
    evidence_fini(&e);
}

static const struct attendee *own_row(const struct evidence *e)
{
    return e->report.session ? sheet_person(e->report.session, &e->person) : NULL;
}

/* Whoever was invited and did not come has a record too. */
static int own_open(struct office_call *call, struct evidence *e)
{
    int err = evidence_open(call, e, false, NULL, NULL);
    if (!err && e->report.session && !own_row(e) && office_expect(call, &e->class_id)) {
        evidence_fini(e);
        err = evidence_open(call, e, false, NULL, NULL);
    }
    return err;
}

/* Everybody sees his own record, nobody else's. */
static void own_get(struct office_call *call)
{
    struct evidence e;
    if (!own_open(call, &e)) {
        json_t *o = start_of(call, &e);
        const struct attendee *who = own_row(&e);
        if (o && e.report.session) {
            json_object_set_new(o, "session", attendance_session(&e.report));
        }
        if (o && who) {
            json_object_set_new(o, "own", attendance_person(&e.report, who));
        }
        office_json(call, 200, o);
    }
    evidence_fini(&e);
}

/* ---- words about it
 * --------------------------------------------------------------------------------------------- */

/* Hands a request to the classroom and passes on what it says. True when it was done. */
static bool tell(struct office_call *call, json_t *request)
{
    json_t *answer = office_classroom(call, request);
    bool good = json_is_true(json_object_get(answer, "ok"));
    json_decref(answer);
    if (good) {
        office_json(call, 200, json_object());
    } else {
        office_refuse(call, 503, "busy");
    }
    return good;
}

static bool text_fits(struct office_call *call, const char *text)
{
    bool good = *text && strlen(text) <= REASON_MAX;
    if (!good) {
        office_refuse(call, 422, "reason");
    }
    return good;
}

/* Nothing is changed in a sealed sheet, nor where there is none. */
static bool open_sheet(struct office_call *call, const struct evidence *e)
{
    const struct sheet_session *s = e->report.session;
    if (!s || s->sealed) {
        office_refuse(call, 409, s ? "sealed" : "session");
    }
    return s && !s->sealed;
}

static const char *by_text(const struct office_call *call, const struct evidence *e,
                           char out[ID_TEXT_MAX])
{
    const struct id *by = id_is_zero(&e->person) ? &call->account.id : &e->person;
    return id_print(out, ID_PERSON, by);
}

static void correct_post(struct office_call *call)
{
    static const char *const words[] = {"computed", "absent", "partial", "present", "excused"};
    const char *person = office_text(call, "person");
    const char *status = office_text(call, "status");
    const char *reason = office_text(call, "reason");
    struct evidence e;
    struct id id;
    char by[ID_TEXT_MAX];
    int at = 0;
    while (at < 5 && strcmp(words[at], status) != 0) {
        at++;
    }
    if (!evidence_open(call, &e, true, NULL, NULL) && open_sheet(call, &e) &&
        text_fits(call, reason)) {
        bool known = !id_parse(&id, ID_PERSON, person, strlen(person)) &&
                     sheet_known(&e.history.sheet, e.report.session, &id);
        if (at == 5 || !known) {
            office_refuse(call, 422, known ? "status" : "person");
        } else {
            office_audit(call, "attendance.corrected", person, status);
            (void)tell(call, json_pack("{s:s, s:s, s:I, s:s, s:i, s:s, s:s}", "cmd", "roll.correct",
                                       "class", office_part(call, 0), "session",
                                       (json_int_t)e.report.session->number, "person", person,
                                       "status", at, "text", reason, "by", by_text(call, &e, by)));
        }
    }
    evidence_fini(&e);
}

static void contest_post(struct office_call *call)
{
    const char *text = office_text(call, "text");
    struct evidence e;
    char id[ID_TEXT_MAX];
    if (!evidence_open(call, &e, false, NULL, NULL) && open_sheet(call, &e) &&
        text_fits(call, text)) {
        const struct sheet_session *s = e.report.session;
        bool late =
            s->closed != SHEET_OPEN && call->now - s->closed > (int64_t)CONTEST_DAYS * MS_PER_DAY;
        if (late || !sheet_known(&e.history.sheet, s, &e.person)) {
            office_refuse(call, late ? 409 : 404, late ? "late" : "person");
        } else {
            (void)tell(call, json_pack("{s:s, s:s, s:I, s:s, s:s}", "cmd", "roll.contest", "class",
                                       office_part(call, 0), "session", (json_int_t)s->number,
                                       "person", id_print(id, ID_PERSON, &e.person), "text", text));
        }
    }
    evidence_fini(&e);
}

/* Whether somebody wrote to the journal meanwhile, so that the digest is another one. */
static bool journal_went_on(const json_t *answer)
{
    return !strcmp(office_row_text(answer, "code"), "E_AGAIN");
}

/* One try. True when the answer is given. */
static bool seal_once(struct office_call *call, struct evidence *e)
{
    char text[ATTENDANCE_SEAL_TEXT];
    char by[ID_TEXT_MAX];
    if (seal_text(text, &e->history.chain, &e->history.sheet, e->report.session, &sign_ops)) {
        office_refuse(call, 409, "running");
        return true;
    }
    int err = evidence_due(call, e);
    if (err) {
        office_failed(call, err);
        return true;
    }
    json_t *answer = office_classroom(
        call,
        json_pack("{s:s, s:s, s:I, s:s, s:s, s:I}", "cmd", "roll.seal", "class",
                  office_part(call, 0), "session", (json_int_t)e->report.session->number, "text",
                  text, "by", by_text(call, e, by), "seq", (json_int_t)e->history.sheet.seq));
    bool good = json_is_true(json_object_get(answer, "ok"));
    bool again = journal_went_on(answer);
    json_decref(answer);
    if (good) {
        office_audit(call, "attendance.sealed", office_part(call, 0), "");
        office_json(call, 200, json_object());
        (void)people_run(call->people, PEOPLE_CLASS_UNSEALED, "di", &e->class_id, (int64_t)0);
        evidence_write(call, e);
    } else if (!again) {
        office_refuse(call, 503, "busy");
    }
    return !again;
}

/* The classroom counts what it has decided, the sheet is folded from what is on disk: right behind
 * the end of a session (people leave, a clock is anchored) the one is ahead of the other for as
 * long as the disk takes. So there is a pause before the sheet is folded again, 13 s altogether. */
static void seal_post(struct office_call *call)
{
    struct evidence e;
    bool told = sheet_open(call, &e, true) || !open_sheet(call, &e) || seal_once(call, &e);
    for (unsigned i = 0; i < SEAL_TRIES && !told; i++) {
        evidence_fini(&e);
        evidence_pause(i);
        told = evidence_open(call, &e, true, NULL, NULL) || !open_sheet(call, &e) ||
               seal_once(call, &e);
    }
    if (!told) {
        office_refuse(call, 503, "busy");
    }
    evidence_fini(&e);
}

/* ---- files
 * --------------------------------------------------------------------------------------- */

static bool zone_ok(const char *zone)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_+-";
    return *zone && *zone != '/' && strspn(zone, allowed) == strlen(zone);
}

static void file_get(struct office_call *call)
{
    char kind[16];
    char person[ID_TEXT_MAX + 1];
    char lang[8];
    char zone[ZONE_MAX];
    char place[ZONE_MAX];
    char own[ID_TEXT_MAX];
    struct evidence e;
    char *bytes = NULL;
    size_t len = 0;
    office_query(call, "kind", kind, sizeof(kind));
    office_query(call, "person", person, sizeof(person));
    office_query(call, "lang", lang, sizeof(lang));
    office_query(call, "zone", zone, sizeof(zone));
    bool certificate = !strcmp(kind, "certificate");
    bool csv = !strcmp(kind, "csv");
    if (!sheet_open(call, &e, !certificate)) {
        id_print(own, ID_PERSON, &e.person);
        zone_of(call, &e.class_id, place); /* the class has its hours wherever one reads of them */
        struct evidence_wish wish = {.kind = certificate ? EVIDENCE_CERTIFICATE
                                             : csv       ? EVIDENCE_CSV
                                                         : EVIDENCE_SHEET,
                                     .class_id = office_part(call, 0),
                                     .person = e.staff && person[0] ? person : own,
                                     .session =
                                         e.report.session ? (long long)e.report.session->number : 0,
                                     .lang = strcmp(lang, "en") ? "fr" : "en",
                                     .zone = zone_ok(place)  ? place
                                             : zone_ok(zone) ? zone
                                                             : "Europe/Paris"};
        if (evidence_file(call, &wish, &bytes, &len)) {
            office_refuse(call, 404, "no_file");
        } else {
            office_audit(call, "attendance.file", office_part(call, 0), kind);
            office_bytes(call, csv ? "text/csv; charset=utf-8" : "application/pdf",
                         csv           ? "emargement.csv"
                         : certificate ? "attestation.pdf"
                                       : "emargement.pdf",
                         bytes, len);
        }
    }
    evidence_fini(&e);
}

static const struct office_route routes[] = {
    {IPC_GET, "/api/classes/*/attendance", OFFICE_EITHER, OFFICE_DESK, sheet_get},
    {IPC_GET, "/api/classes/*/attendance/own", OFFICE_LINK, OFFICE_DESK, own_get},
    {IPC_GET, "/api/classes/*/attendance/file", OFFICE_EITHER, OFFICE_SLOW, file_get},
    {IPC_POST, "/api/classes/*/attendance/correct", OFFICE_EITHER, OFFICE_DESK, correct_post},
    {IPC_POST, "/api/classes/*/attendance/contest", OFFICE_LINK, OFFICE_DESK, contest_post},
    {IPC_POST, "/api/classes/*/attendance/seal", OFFICE_EITHER, OFFICE_SLOW, seal_post},
};
const struct office_table office_evidence_table = {routes, sizeof(routes) / sizeof(routes[0])};
