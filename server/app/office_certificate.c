/* A sheet that has been provisional long enough is sealed; when one is sealed, whoever was present
 * is sent his certificate, and where it is. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/file.h"
#include "codec/sys/log.h"
#include "codec/sys/token.h"
#include "server/app/evidence_file.h"
#include "server/app/office_class.h"
#include "server/app/office_evidence.h"
#include "server/app/office_mail.h"
#include "server/app/office_when.h"
#include "server/mail/spool.h"

enum { MS_PER_DAY = 86400000, UPKEEP_CLASSES = 4, SEAL_TRIES = 3, PAPER_BYTES_MAX = 1 << 20 };

/* The personal link of the invitation, to the page after the class. */
static int after_link(struct office_call *call, const struct id *class_id,
                      const struct office_person *person, char out[OFFICE_LINK_MAX])
{
    char link[OFFICE_LINK_MAX];
    int err = office_person_link(call, class_id, person, link, sizeof(link));
    const char *token = strchr(link, '#');
    char id[ID_TEXT_MAX];
    if (err || !token) {
        return err ? err : E_BAD;
    }
    snprintf(out, OFFICE_LINK_MAX, "%s/after/%s%s", call->base, id_print(id, ID_CLASS, class_id),
             token);
    return 0;
}

/* The certificates of one language, made once all of them (PDF libraries start slowly). */
struct papers {
    bool made;
    char folder[PATHS_MAX];
};

static void papers_make(struct office_call *call, struct papers *papers, const struct evidence *e,
                        const json_t *class_row, bool french)
{
    char id[ID_TEXT_MAX];
    const char *zone = office_row_text(class_row, "zone");
    struct evidence_wish wish = {.kind = EVIDENCE_CERTIFICATES,
                                 .class_id = id_print(id, ID_CLASS, &e->class_id),
                                 .session = (long long)e->report.session->number,
                                 .lang = french ? "fr" : "en",
                                 .zone = zone[0] ? zone : "Europe/Paris"};
    int err = papers->made ? 0 : evidence_certificates(call, &wish, papers->folder);
    papers->made = true;
    if (err) { /* the letters go all the same: their link leads to the certificate */
        log_warn("office", "certificates could not be made", L_ERR("result", err));
    }
}

/* Of one session one mail, however often it is asked for. */
static void letter_id(char out[80], const struct evidence *e, const struct id *person)
{
    char class_text[ID_TEXT_MAX];
    char text[ID_TEXT_MAX];
    snprintf(out, 80, "certificate-%.12s-%s-%llu", id_print(class_text, ID_CLASS, &e->class_id) + 2,
             id_print(text, ID_PERSON, person) + 2, (unsigned long long)e->report.session->number);
}

static int write_to(struct office_call *call, const struct evidence *e, const json_t *class_row,
                    const struct office_person *person, const struct papers *papers)
{
    char link[OFFICE_LINK_MAX];
    char when[OFFICE_WHEN_MAX];
    char id[ID_TEXT_MAX];
    char mail_id[80];
    char path[PATHS_MAX + ID_TEXT_MAX + 8];
    char *bytes = NULL;
    size_t len = 0;
    int err = after_link(call, &e->class_id, person, link);
    if (err) {
        return err;
    }
    letter_id(mail_id, e, &person->id);
    snprintf(path, sizeof(path), "%s/%s.pdf", papers->folder, id_print(id, ID_PERSON, &person->id));
    err = papers->folder[0] ? file_read(path, PAPER_BYTES_MAX, &bytes, &len) : E_NOTFOUND;
    struct mail_file file = {.name = person->french ? "attestation.pdf" : "certificate.pdf",
                             .type = "application/pdf",
                             .bytes = bytes,
                             .len = len};
    struct office_mail mail = {.letter = LETTER_CERTIFICATE,
                               .french = person->french,
                               .id = mail_id,
                               .to_name = person->name,
                               .to_mail = person->mail,
                               .title = rtext_str(e->history.sheet.title),
                               .start =
                                   office_when(when, e->report.session->opened, 0,
                                               office_row_text(class_row, "zone"), person->french),
                               .link = link,
                               .file = err ? NULL : &file};
    err = office_mail(call, &mail);
    mem_free(bytes);
    return err;
}

static bool is_present(const struct evidence *e, const struct id *person)
{
    const struct sheet_session *s = e->report.session;
    const struct attendee *who = sheet_person(s, person);
    return who &&
           attendance_row(&e->report.rules, s, who, e->report.now).status == ATTENDANCE_PRESENT;
}

/* ---- who is written to
 * ------------------------------------------------------------------------------------------ */

int evidence_due(struct office_call *call, const struct evidence *e)
{
    json_t *class_row = people_row(call->people, PEOPLE_CLASS_GET, "d", &e->class_id);
    json_t *rows = class_row && office_config(call)->mail_from[0]
                       ? people_rows(call->people, PEOPLE_ENROLLED, "d", &e->class_id)
                       : NULL;
    json_t *row;
    size_t i;
    int err = people_begin(call->people);
    json_array_foreach(rows, i, row)
    {
        struct office_person person;
        if (!err && office_person_read(&person, row, class_row) && is_present(e, &person.id)) {
            err = people_run(call->people, PEOPLE_PAPER_DUE, "did", &e->class_id,
                             (int64_t)e->report.session->number, &person.id);
        }
    }
    err = err ? err : people_commit(call->people);
    if (err) {
        people_rollback(call->people);
    }
    json_decref(rows);
    json_decref(class_row);
    return err;
}

/* Whether a run that was killed had it sent already. */
static bool was_sent(struct office_call *call, const struct evidence *e, const struct id *person)
{
    char path[PATHS_MAX];
    char mail_id[80];
    struct spool spool;
    if (spool_open(&spool, paths_in(office_paths(call), "mail", path))) {
        return false;
    }
    letter_id(mail_id, e, person);
    bool sent = spool_was_settled(&spool, mail_id);
    spool_close(&spool);
    return sent;
}

/* One letter; it is off the list once it is in the queue. One that could not be put there stays. */
static void write_one(struct office_call *call, const struct evidence *e, const json_t *class_row,
                      const struct id *id, struct papers papers[2], bool left)
{
    struct office_person person;
    json_t *row = people_row(call->people, PEOPLE_ENROLLED_GET, "dd", &e->class_id, id);
    int err = 0;
    if (row && office_person_read(&person, row, class_row) && is_present(e, id) &&
        !(left && was_sent(call, e, id))) {
        papers_make(call, &papers[person.french], e, class_row, person.french);
        err = write_to(call, e, class_row, &person, &papers[person.french]);
    }
    json_decref(row);
    if (err) {
        log_warn("office", "a certificate could not be queued", L_ERR("result", err));
        return;
    }
    (void)people_run(call->people, PEOPLE_PAPER_DONE, "did", &e->class_id,
                     (int64_t)e->report.session->number, id);
}

/* left: by a run that was killed. */
static void write_all(struct office_call *call, const struct evidence *e, bool left)
{
    json_t *class_row = people_row(call->people, PEOPLE_CLASS_GET, "d", &e->class_id);
    json_t *rows = people_rows(call->people, PEOPLE_PAPER_OF, "dii", &e->class_id,
                               (int64_t)e->report.session->number, (int64_t)!left);
    struct papers papers[2] = {{0}};
    json_t *row;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        struct id id;
        const char *text = office_row_text(row, "person");
        if (class_row && !id_parse(&id, ID_PERSON, text, strlen(text))) {
            write_one(call, e, class_row, &id, papers, left);
        }
    }
    if (!class_row) { /* the class is gone */
        (void)people_run(call->people, PEOPLE_PAPER_END, "di", &e->class_id,
                         (int64_t)e->report.session->number);
    }
    evidence_certificates_end(papers[0].folder);
    evidence_certificates_end(papers[1].folder);
    json_decref(rows);
    json_decref(class_row);
}

void evidence_write(struct office_call *call, const struct evidence *e)
{
    write_all(call, e, false);
}

/* The seal is in the journal or it is not; that says whether a killed run owed these letters. */
static void resume(struct office_call *call, const struct id *class_id, uint64_t number)
{
    struct evidence e = {.class_id = *class_id};
    char why[256];
    int err = history_walk(&e.history, office_config(call), class_id, NULL, NULL, why, sizeof(why));
    const struct sheet *sheet = &e.history.sheet;
    const struct sheet_session *s = err ? NULL : sheet_find(sheet, number);
    if (s && s->number == number && s->sealed) {
        e.report = (struct attendance_report){.sheet = sheet,
                                              .session = s,
                                              .rules = attendance_rules_of(sheet, s),
                                              .now = sheet_now(sheet, s, call->now)};
        write_all(call, &e, true);
    }
    bool owed = s && s->number == number && s->sealed; /* one that fails is tried again */
    evidence_fini(&e);
    if (err == E_NOTFOUND || (!err && !owed)) {
        (void)people_run(call->people, PEOPLE_PAPER_END, "di", class_id, (int64_t)number);
    }
}

/* ---- what is to be sealed
 * ------------------------------------------------------------------------------------------ */

void evidence_count(struct office_call *call, const struct id *class_id, const struct sheet *sheet)
{
    int64_t count = 0;
    bool runs = false; /* what is counted now is not true any more when it closes */
    for (uint32_t i = 0; i < sheet->count; i++) {
        const struct sheet_session *s = &sheet->sessions[i];
        runs = runs || s->closed == SHEET_OPEN;
        count += !s->sealed && s->closed != SHEET_OPEN && s->count > 0;
    }
    (void)people_run(call->people, PEOPLE_CLASS_UNSEALED, "di", class_id,
                     count  ? count
                     : runs ? (int64_t)0
                            : (int64_t)-1);
}

int64_t evidence_unsealed(struct office_call *call, const json_t *row, const char *state,
                          unsigned *budget)
{
    struct history h;
    struct id id;
    char why[256];
    const char *text = office_row_text(row, "id");
    int64_t known = office_row_number(row, "unsealed");
    bool runs = !strcmp(state, "live") || !strcmp(state, "closing");
    if (id_parse(&id, ID_CLASS, text, strlen(text)) || (!runs && (known || !*budget))) {
        return known;
    }
    if (runs) {
        if (known) {
            (void)people_run(call->people, PEOPLE_CLASS_UNSEALED, "di", &id, (int64_t)0);
        }
        return 0;
    }
    --*budget;
    if (!history_walk(&h, office_config(call), &id, NULL, NULL, why, sizeof(why))) {
        evidence_count(call, &id, &h.sheet);
    }
    sheet_fini(&h.sheet);
    json_t *fresh = people_row(call->people, PEOPLE_CLASS_GET, "d", &id);
    known = office_row_number(fresh, "unsealed");
    json_decref(fresh);
    return known;
}

/* ---- sealing by itself
 * ------------------------------------------------------------------------------------------ */

static bool is_due(const struct sheet *sheet, const struct sheet_session *s, wall_ms now)
{
    int64_t wait = (int64_t)sheet->provisional_days * MS_PER_DAY;
    return !s->sealed && s->closed != SHEET_OPEN && now - s->closed >= wait;
}

/* True when the journal has gone on meanwhile: its digest has to be taken again. */
static bool seal_one(struct office_call *call, struct evidence *e)
{
    static const struct token_ops ops = {.sign_h = token_sign};
    char text[ATTENDANCE_SEAL_TEXT];
    char id[ID_TEXT_MAX];
    id_print(id, ID_CLASS, &e->class_id);
    if (seal_text(text, &e->history.chain, &e->history.sheet, e->report.session, &ops) ||
        evidence_due(call, e)) {
        return false;
    }
    json_t *answer =
        office_classroom(call, json_pack("{s:s, s:s, s:I, s:s, s:I}", "cmd", "roll.seal", "class",
                                         id, "session", (json_int_t)e->report.session->number,
                                         "text", text, "seq", (json_int_t)e->history.sheet.seq));
    bool again = !strcmp(office_row_text(answer, "code"), "E_AGAIN");
    if (json_is_true(json_object_get(answer, "ok"))) {
        office_audit(call, "attendance.sealed", id, "by itself");
        (void)people_run(call->people, PEOPLE_CLASS_UNSEALED, "di", &e->class_id, (int64_t)0);
        evidence_write(call, e);
    }
    json_decref(answer);
    return again;
}

/* One session at a time: what is sealed next has this seal in its journal. */
static bool seal_due(struct office_call *call, const struct id *class_id)
{
    struct evidence e = {.class_id = *class_id};
    char why[256];
    bool again = false;
    if (!history_walk(&e.history, office_config(call), class_id, NULL, NULL, why, sizeof(why))) {
        const struct sheet *sheet = &e.history.sheet;
        evidence_count(call, class_id, sheet);
        for (uint32_t i = 0; i < sheet->count && !e.report.session; i++) {
            if (is_due(sheet, &sheet->sessions[i], call->now)) {
                e.report = (struct attendance_report){
                    .sheet = sheet,
                    .session = &sheet->sessions[i],
                    .rules = attendance_rules_of(sheet, &sheet->sessions[i]),
                    .now = call->now};
            }
        }
        again = e.report.session && seal_one(call, &e);
    }
    evidence_fini(&e);
    return again;
}

void evidence_pause(unsigned tries)
{
    enum { FIRST_MS = 10, DOUBLED_MAX = 6 };
    unsigned doubled = tries < DOUBLED_MAX ? tries : DOUBLED_MAX;
    struct timespec wait = {.tv_nsec = (long)(FIRST_MS << doubled) * 1000000L};
    (void)nanosleep(&wait, NULL);
}

void evidence_upkeep(struct office_call *call)
{
    static struct id last; /* the desk's only */
    struct id id;
    json_t *left = people_row(call->people, PEOPLE_PAPER_NEXT, "");
    const char *of = office_row_text(left, "class");
    if (left && !id_parse(&id, ID_CLASS, of, strlen(of))) {
        resume(call, &id, (uint64_t)office_row_number(left, "session"));
    }
    json_decref(left);
    for (unsigned i = 0; i < UPKEEP_CLASSES; i++) {
        json_t *row = people_row(call->people, PEOPLE_CLASS_AFTER, "d", &last);
        const char *text = json_string_value(json_object_get(row, "id"));
        bool found = text && !id_parse(&last, ID_CLASS, text, strlen(text));
        json_decref(row);
        if (!found) {
            last = (struct id){{0}}; /* from the beginning, next time */
            return;
        }
        (void)office_expect(call, &last);
        for (unsigned tries = 0; tries < SEAL_TRIES && seal_due(call, &last); tries++) {
        }
    }
}
