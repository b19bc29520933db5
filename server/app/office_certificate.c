/* A sheet that has been provisional long enough is sealed; when one is sealed, whoever was present
 * is sent his certificate, and where it is. */
#include <stdio.h>
#include <string.h>

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

static void write_to(struct office_call *call, const struct evidence *e, const json_t *class_row,
                     const struct office_person *person, const struct papers *papers)
{
    char link[OFFICE_LINK_MAX];
    char when[OFFICE_WHEN_MAX];
    char id[ID_TEXT_MAX];
    char mail_id[80];
    char path[PATHS_MAX + ID_TEXT_MAX + 8];
    char *bytes = NULL;
    size_t len = 0;
    if (after_link(call, &e->class_id, person, link)) {
        return;
    }
    id_print(id, ID_PERSON, &person->id);
    /* Of one session one mail, however often it is asked for. */
    snprintf(mail_id, sizeof(mail_id), "certificate-%.12s-%s-%llu",
             office_row_text(class_row, "id") + 2, id + 2,
             (unsigned long long)e->report.session->number);
    snprintf(path, sizeof(path), "%s/%s.pdf", papers->folder, id);
    int err = papers->folder[0] ? file_read(path, PAPER_BYTES_MAX, &bytes, &len) : E_NOTFOUND;
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
    (void)office_mail(call, &mail);
    mem_free(bytes);
}

void evidence_write(struct office_call *call, const struct evidence *e)
{
    const struct sheet_session *s = e->report.session;
    json_t *class_row = people_row(call->people, PEOPLE_CLASS_GET, "d", &e->class_id);
    json_t *rows = class_row && office_config(call)->mail_from[0]
                       ? people_rows(call->people, PEOPLE_ENROLLED, "d", &e->class_id)
                       : NULL;
    struct papers papers[2] = {{0}};
    json_t *row;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        struct office_person person;
        const struct attendee *who = NULL;
        if (office_person_read(&person, row, class_row)) {
            who = sheet_person(s, &person.id);
        }
        if (who &&
            attendance_row(&e->report.rules, s, who, e->report.now).status == ATTENDANCE_PRESENT) {
            papers_make(call, &papers[person.french], e, class_row, person.french);
            write_to(call, e, class_row, &person, &papers[person.french]);
        }
    }
    evidence_certificates_end(papers[0].folder);
    evidence_certificates_end(papers[1].folder);
    json_decref(rows);
    json_decref(class_row);
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
    if (seal_text(text, &e->history.chain, &e->history.sheet, e->report.session, &ops)) {
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

void evidence_upkeep(struct office_call *call)
{
    static struct id last; /* the desk's only */
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
