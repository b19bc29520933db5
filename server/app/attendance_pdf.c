/* The attendance sheet and certificates on paper. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "server/app/attendance_report.h"
#include "server/paper/paper.h"
#include "signaling/schema/schema.h"

enum { COLUMNS = 7, CELL_MAX = 1024, TEXT_MAX = 1024 };

struct cells {
    char (*text)[CELL_MAX];
    const char **at;
};

static const char *role_word(bool french, unsigned role)
{
    if (!french) {
        return schema_spell(ENUM_role, (int)role);
    }
    static const char *const words[ROLE_COUNT] = {"participant",   "animateur", "hôte",
                                                  "intervenant",   "auditeur",  "interprète",
                                                  "enregistrement"};
    return words[role < ROLE_COUNT ? role : 0];
}

static void footer_text(const struct attendance_report *r, char *out, size_t cap)
{
    char made[TIME_TEXT_MAX];
    attendance_date(r, r->now, made);
    snprintf(out, cap, r->french ? "Amphi, établi le %s" : "Amphi, made on %s", made);
}

static void session_text(const struct attendance_report *r, char *out, size_t cap)
{
    char opened[TIME_TEXT_MAX];
    char closed[TIME_TEXT_MAX];
    attendance_date(r, r->session->opened, opened);
    attendance_date(r, r->session->closed, closed);
    snprintf(out, cap, r->french ? "Séance du %s au %s%s%s%s" : "Session from %s to %s%s%s%s",
             opened, closed[0] ? closed : "...", r->zone ? " (" : "", r->zone ? r->zone : "",
             r->zone ? ")" : "");
}

static void rules_text(const struct attendance_report *r, char *out, size_t cap)
{
    int64_t needed = attendance_needed_ms(&r->rules, r->session, r->now) / MS_PER_MIN;
    snprintf(out, cap,
             r->french ? "Présence à partir de %" PRId64
                         " min. Les absences de moins de %u s ne comptent pas."
                       : "Present from %" PRId64 " min on. Absences under %u s do not count.",
             needed, r->rules.bridge_ms / 1000);
}

/* One more line of a cell, "label: text"; nothing when there is no text or no room. */
static void add_line(char cell[CELL_MAX], const char *label, const char *text)
{
    size_t len = strlen(cell);
    if (*text && len + 1 < CELL_MAX) {
        /* The space keeps two lines two words for whoever reads by structure. */
        snprintf(cell + len, CELL_MAX - len, " \n%s%s", label, text);
    }
}

/* What stands, and when staff said it, what was computed and why it is not that. */
static void fill_status(const struct attendance_report *r, const struct attendance_row *row,
                        char cell[CELL_MAX])
{
    const struct sheet_correction *c = &row->who->correction;
    snprintf(cell, CELL_MAX, "%s", attendance_word(r->french, row->status));
    if (c->given) {
        add_line(cell, r->french ? "calculé : " : "computed: ",
                 attendance_word(r->french, row->computed));
        add_line(cell, r->french ? "motif : " : "reason: ", rtext_str(c->reason));
    }
}

static void fill_row(const struct attendance_report *r, const struct attendee *who,
                     char text[COLUMNS][CELL_MAX])
{
    struct attendance_row row = attendance_row(&r->rules, r->session, who, r->now);
    const char *name = attendance_name(who);
    snprintf(text[0], CELL_MAX, "%s",
             name[0]     ? name
             : r->french ? "(nom effacé)"
                         : "(name erased)");
    snprintf(text[1], CELL_MAX, "%s", role_word(r->french, who->role));
    add_line(text[0], r->french ? "Registre : " : "Register: ", rtext_str(who->number));
    attendance_intervals(r, who, text[2], CELL_MAX / 2);
    if (who->checks_asked > 0) {
        char checks[40];
        snprintf(checks, sizeof(checks), "%" PRIu32 "/%" PRIu32, who->checks_passed,
                 who->checks_asked);
        add_line(text[2], r->french ? "Contrôles : " : "Checks: ", checks);
    }
    snprintf(text[3], CELL_MAX, "%" PRId64, row.present_ms / MS_PER_MIN);
    snprintf(text[4], CELL_MAX, "%" PRId64, row.elsewhere_ms / MS_PER_MIN);
    fill_status(r, &row, text[5]);
    text[6][0] = '\0';
}

static int table(struct paper *paper, const struct attendance_report *r)
{
    static const struct paper_column columns[2][COLUMNS] = {
        {{"Name", 28},
         {"Role", 16},
         {"Present", 27},
         {"Min", 8},
         {"Workshops", 20},
         {"Status", 28},
         {"Signature", 24}},
        {{"Nom", 28},
         {"Rôle", 16},
         {"Présence", 27},
         {"Min", 8},
         {"Ateliers", 16},
         {"Statut", 30},
         {"Signature", 24}},
    };
    size_t rows = r->session->count;
    struct cells c = {.text = mem_alloc(rows * COLUMNS * CELL_MAX + 1),
                      .at = mem_alloc(rows * COLUMNS * sizeof(*c.at) + 1)};
    int err = c.text && c.at ? 0 : E_NOMEM;
    for (size_t i = 0; i < rows && !err; i++) {
        fill_row(r, &r->session->people[i], c.text + i * COLUMNS);
        for (size_t k = 0; k < COLUMNS; k++) {
            c.at[i * COLUMNS + k] = c.text[i * COLUMNS + k];
        }
    }
    if (!err) {
        paper_table(paper, columns[r->french], COLUMNS, c.at, rows);
    }
    mem_free(c.text);
    mem_free(c.at);
    return err;
}

int attendance_pdf(const struct attendance_report *r, const char *path)
{
    char text[TEXT_MAX];
    char footer[128];
    const char *title = r->french ? "Feuille d’émargement" : "Attendance sheet";
    footer_text(r, footer, sizeof(footer));
    struct paper *paper = paper_new(path, title, footer);
    if (!paper) {
        return E_IO;
    }
    paper_heading(paper, 1, title);
    paper_heading(paper, 2, rtext_str(r->sheet->title));
    session_text(r, text, sizeof(text));
    paper_text(paper, text);
    rules_text(r, text, sizeof(text));
    paper_text(paper, text);
    paper_space(paper, 3);
    int err = table(paper, r);
    if (r->session->sealed) {
        char day[TIME_TEXT_MAX];
        attendance_date(r, r->session->sealed_at, day);
        snprintf(text, sizeof(text),
                 r->french ? "Scellé le %s. Sceau : %s" : "Sealed on %s. Seal: %s", day, r->seal);
        paper_text(paper, text);
    } else if (r->seal[0]) {
        snprintf(text, sizeof(text),
                 r->french ? "Provisoire, pas encore scellé. Empreinte : %s"
                           : "Provisional, not sealed yet. Digest: %s",
                 r->seal);
        paper_text(paper, text);
    } else {
        paper_text(paper, r->french ? "La séance est en cours : cet émargement est provisoire."
                                    : "The session still runs: this record is provisional.");
    }
    int written = paper_finish(paper);
    return err ? err : written;
}

/* Who led: everybody who came as host or trainer. */
static void led_text(const struct attendance_report *r, char *out, size_t cap)
{
    size_t len = (size_t)snprintf(out, cap, "%s", r->french ? "Animation : " : "Led by ");
    bool first = true;
    for (uint32_t i = 0; i < r->session->count && len < cap; i++) {
        const struct attendee *p = &r->session->people[i];
        if (role_is_staff((enum role)p->role) && p->stay_count > 0 && attendance_name(p)[0]) {
            int put = snprintf(out + len, cap - len, "%s%s", first ? "" : ", ", attendance_name(p));
            len += put > 0 ? (size_t)put : 0;
            first = false;
        }
    }
    if (first) {
        out[0] = '\0';
    }
}

/* Whom staff says present although nothing was counted took part for no length one could write. */
static void took_part(const struct attendance_report *r, const struct attendance_row *row,
                      char *out, size_t cap)
{
    char day[TIME_TEXT_MAX];
    const char *title = rtext_str(r->sheet->title);
    attendance_date(r, r->session->opened, day);
    if (row->present_ms > 0) {
        snprintf(out, cap,
                 r->french ? "a participé à « %s » le %s, pendant %" PRId64 " minutes."
                           : "took part in “%s” on %s, for %" PRId64 " minutes.",
                 title, day, row->present_ms / MS_PER_MIN);
    } else {
        snprintf(out, cap, r->french ? "a participé à « %s » le %s." : "took part in “%s” on %s.",
                 title, day);
    }
}

int attendance_certificate(const struct attendance_report *r, const struct attendee *who,
                           const char *path)
{
    struct attendance_row row = attendance_row(&r->rules, r->session, who, r->now);
    char text[TEXT_MAX];
    char footer[128];
    const char *title = r->french ? "Attestation de présence" : "Certificate of attendance";
    footer_text(r, footer, sizeof(footer));
    struct paper *paper = paper_new(path, title, footer);
    if (!paper) {
        return E_IO;
    }
    paper_space(paper, 30);
    paper_heading(paper, 1, title);
    paper_rule(paper);
    paper_space(paper, 14);
    paper_heading(paper, 2, attendance_name(who));
    if (rtext_len(who->number) > 0) {
        snprintf(text, sizeof(text), r->french ? "Numéro de registre : %s" : "Register number: %s",
                 rtext_str(who->number));
        paper_text(paper, text);
    }
    took_part(r, &row, text, sizeof(text));
    paper_text(paper, text);
    led_text(r, text, sizeof(text));
    paper_text(paper, text);
    paper_space(paper, 24);
    paper_rule(paper);
    snprintf(text, sizeof(text), r->french ? "Sceau de la séance : %s" : "Seal of the session: %s",
             r->seal);
    paper_text(paper, text);
    paper_text(paper, r->french ? "Ce sceau est aussi sur la feuille d’émargement : il change dès "
                                  "qu’un seul octet en change."
                                : "The attendance sheet has the same seal: it is another one as "
                                  "soon as a single byte of it changes.");
    return paper_finish(paper);
}
