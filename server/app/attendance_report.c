#include "server/app/attendance_report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "codec/sys/token.h"
#include "signaling/schema/schema.h"

enum { CSV_COLUMNS = 12 };

void attendance_seal_of(struct attendance_report *r, const struct attendance_chain *chain)
{
    static const struct token_ops ops = {.sign_h = token_sign};
    char text[ATTENDANCE_SEAL_TEXT] = "";
    if (!r->session->sealed) {
        (void)seal_text(text, chain, r->sheet, r->session, &ops);
    }
    snprintf(r->seal, sizeof(r->seal), "%.*s", 2 * ATTENDANCE_SEAL_LEN,
             r->session->sealed ? r->session->seal : text);
}

const char *attendance_word(bool french, unsigned status)
{
    static const char *const words[ATTENDANCE_STATUS_COUNT][2] = {
        {"absent", "absent"},
        {"partial", "partiel"},
        {"present", "présent"},
        {"excused", "excusé"},
    };
    return words[status < ATTENDANCE_STATUS_COUNT ? status : 0][french];
}

const char *attendance_time(wall_ms at, enum time_form form, char out[TIME_TEXT_MAX])
{
    time_t s = (time_t)(at / 1000);
    struct tm tm;
    int n = 0;
    out[0] = '\0';
    if (at <= 0 || at == SHEET_OPEN || !localtime_r(&s, &tm)) {
        return out;
    }
    if (form == TIME_DAY_MINUTE || form == TIME_DAY_SECOND) {
        n = snprintf(out, TIME_TEXT_MAX, "%04d-%02d-%02d ", (tm.tm_year + 1900) % 10000,
                     tm.tm_mon + 1, tm.tm_mday);
    }
    n += snprintf(out + n, TIME_TEXT_MAX - (size_t)n, "%02d:%02d", tm.tm_hour, tm.tm_min);
    if (form == TIME_DAY_SECOND || form == TIME_SECOND) {
        snprintf(out + n, TIME_TEXT_MAX - (size_t)n, ":%02d", tm.tm_sec);
    }
    return out;
}

const char *attendance_date(const struct attendance_report *r, wall_ms at, char out[TIME_TEXT_MAX])
{
    int year = 0;
    int month = 0;
    int day = 0;
    char iso[TIME_TEXT_MAX];
    attendance_time(at, TIME_DAY_MINUTE, iso);
    if (!r->french || sscanf(iso, "%4d-%2d-%2d", &year, &month, &day) != 3) {
        snprintf(out, TIME_TEXT_MAX, "%s", iso);
    } else {
        snprintf(out, TIME_TEXT_MAX, "%02d/%02d/%04d %.5s", day % 100, month % 100, year % 10000,
                 iso + 11);
    }
    return out;
}

const char *attendance_name(const struct attendee *p)
{
    return p->name ? rtext_str(p->name) : "";
}

/* ---- forms
 * ---------------------------------------------------------------------------------------- */

void attendance_print_table(const struct attendance_report *r)
{
    char opened[TIME_TEXT_MAX];
    char closed[TIME_TEXT_MAX];
    printf("%s\nsession %" PRIu64 "  %s - %s\n", rtext_str(r->sheet->title), r->session->number,
           attendance_time(r->session->opened, TIME_DAY_MINUTE, opened),
           attendance_time(r->session->closed, TIME_DAY_MINUTE, closed));
    for (uint32_t i = 0; i < r->session->count; i++) {
        struct attendance_row row =
            attendance_row(&r->rules, r->session, &r->session->people[i], r->now);
        printf("  %-8s %4" PRId64 " min  %5s - %5s  %-11s %s\n",
               attendance_word(r->french, row.status), row.present_ms / MS_PER_MIN,
               attendance_time(row.first, TIME_MINUTE, opened),
               attendance_time(row.last, TIME_MINUTE, closed),
               schema_spell(ENUM_role, row.who->role), attendance_name(row.who));
    }
    if (r->seal[0]) {
        printf("  %s\n", r->seal);
    }
}

/* A cell of RFC 4180. A leading sign would be read as a formula by spreadsheets. */
static void csv_cell(const char *text, char behind)
{
    putchar('"');
    if (strchr("=+-@\t\r", text[0]) && text[0]) {
        putchar('\'');
    }
    for (; *text; text++) {
        if (*text == '"') {
            putchar('"');
        }
        putchar(*text);
    }
    putchar('"');
    fputs(behind == '\n' ? "\r\n" : ";", stdout);
}

static void csv_row(const char *const *cells, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        csv_cell(cells[i], i + 1 == count ? '\n' : ';');
    }
}

void attendance_intervals(const struct attendance_report *r, const struct attendee *p, char *out,
                          size_t cap)
{
    struct stay stay;
    char in[TIME_TEXT_MAX];
    char left[TIME_TEXT_MAX];
    size_t len = 0;
    out[0] = '\0';
    for (uint32_t i = 0; !attendance_interval(&r->rules, p, i, r->now, &stay) && len < cap; i++) {
        int put = snprintf(out + len, cap - len, "%s%s-%s", i ? ", " : "",
                           attendance_time(stay.in, TIME_SECOND, in),
                           attendance_time(stay.out, TIME_SECOND, left));
        len += put > 0 ? (size_t)put : 0;
    }
}

void attendance_print_csv(const struct attendance_report *r)
{
    static const char *const heads[2][CSV_COLUMNS] = {
        {"Name", "Role", "First in", "Last out", "Minutes", "In workshops", "Intervals", "Status",
         "Computed", "Reason", "Presence checks", "Register number"},
        {"Nom", "Rôle", "Arrivée", "Départ", "Minutes", "En atelier", "Intervalles", "Statut",
         "Calculé", "Motif", "Contrôles de présence", "Numéro de registre"},
    };
    fputs("\xef\xbb\xbf", stdout); /* spreadsheets take UTF-8 only with this mark */
    csv_row(heads[r->french], CSV_COLUMNS);
    for (uint32_t i = 0; i < r->session->count; i++) {
        struct attendance_row row =
            attendance_row(&r->rules, r->session, &r->session->people[i], r->now);
        char first[TIME_TEXT_MAX];
        char last[TIME_TEXT_MAX];
        char minutes[24];
        char elsewhere[24];
        char intervals[4096];
        char checks[24] = "";
        snprintf(minutes, sizeof(minutes), "%" PRId64, row.present_ms / MS_PER_MIN);
        snprintf(elsewhere, sizeof(elsewhere), "%" PRId64, row.elsewhere_ms / MS_PER_MIN);
        attendance_intervals(r, row.who, intervals, sizeof(intervals));
        if (row.who->checks_asked > 0) {
            snprintf(checks, sizeof(checks), "%" PRIu32 "/%" PRIu32, row.who->checks_passed,
                     row.who->checks_asked);
        }
        const char *cells[] = {attendance_name(row.who),
                               schema_spell(ENUM_role, row.who->role),
                               attendance_time(row.first, TIME_DAY_SECOND, first),
                               attendance_time(row.last, TIME_DAY_SECOND, last),
                               minutes,
                               elsewhere,
                               intervals,
                               attendance_word(r->french, row.status),
                               attendance_word(r->french, row.computed),
                               rtext_str(row.who->correction.reason),
                               checks,
                               rtext_str(row.who->number)};
        csv_row(cells, CSV_COLUMNS);
    }
}

static json_t *json_stays(const struct attendance_report *r, const struct attendee *p)
{
    json_t *stays = json_array();
    char room[ID_TEXT_MAX];
    for (uint32_t i = 0; i < p->stay_count; i++) {
        const struct stay *s = &p->stays[i];
        json_int_t out = s->out == SHEET_OPEN ? r->now : s->out;
        const char *where = id_is_zero(&s->room) ? "" : id_print(room, ID_ROOM, &s->room);
        json_array_append_new(stays, json_pack("[I, I, s]", (json_int_t)s->in, out, where));
    }
    return stays;
}

json_t *attendance_person(const struct attendance_report *r, const struct attendee *p)
{
    struct attendance_row row = attendance_row(&r->rules, r->session, p, r->now);
    json_t *intervals = json_array();
    struct stay stay;
    char id[ID_TEXT_MAX];
    char by[ID_TEXT_MAX];
    for (uint32_t i = 0; !attendance_interval(&r->rules, p, i, r->now, &stay); i++) {
        json_array_append_new(intervals,
                              json_pack("[I, I]", (json_int_t)stay.in, (json_int_t)stay.out));
    }
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:b, s:b, s:s, s:I, s:I, s:o, s:o}",
                  "person", id_print(id, ID_PERSON, &p->person), "name", attendance_name(p), "role",
                  schema_spell(ENUM_role, p->role), "status", attendance_word(false, row.status),
                  "computed", attendance_word(false, row.computed), "present_ms",
                  (json_int_t)row.present_ms, "workshop_ms", (json_int_t)row.elsewhere_ms, "here",
                  (int)p->here, "expected", (int)p->expected, "number", rtext_str(p->number),
                  "checks_asked", (json_int_t)p->checks_asked, "checks_passed",
                  (json_int_t)p->checks_passed, "intervals", intervals, "stays", json_stays(r, p));
    if (o && p->correction.given) {
        json_object_set_new(o, "correction",
                            json_pack("{s:s, s:I, s:s}", "reason", rtext_str(p->correction.reason),
                                      "at", (json_int_t)p->correction.at, "by",
                                      id_print(by, ID_PERSON, &p->correction.by)));
    }
    if (o && p->contested) {
        json_object_set_new(o, "contest",
                            json_pack("{s:s, s:I}", "text", rtext_str(p->objection), "at",
                                      (json_int_t)p->contested_at));
    }
    return o;
}

static json_t *json_rules(const struct attendance_rules *rules)
{
    return json_pack("{s:i, s:i, s:i, s:i, s:b}", "share", (int)rules->share_permille / 10,
                     "minutes", (int)rules->minutes, "checks", (int)rules->checks, "arrival",
                     (int)rules->arrival_min, "actual", (int)rules->as_lasted);
}

json_t *attendance_session(const struct attendance_report *r)
{
    const struct sheet_session *s = r->session;
    char id[ID_TEXT_MAX];
    bool open = s->closed == SHEET_OPEN;
    return json_pack("{s:s, s:s, s:I, s:I, s:o, s:I, s:I, s:s, s:b, s:I, s:b, s:I, s:o, s:I, s:i}",
                     "class", id_print(id, ID_CLASS, &r->sheet->class_id), "title",
                     rtext_str(r->sheet->title), "session", (json_int_t)s->number, "opened",
                     (json_int_t)s->opened, "closed", open ? json_null() : json_integer(s->closed),
                     "planned_ms", (json_int_t)s->planned_ms, "needed_ms",
                     (json_int_t)attendance_needed_ms(&r->rules, s, r->now), "seal", r->seal,
                     "sealed", (int)s->sealed, "sealed_at", (json_int_t)s->sealed_at, "holds",
                     (int)(s->sealed && s->journal_holds), "checks", (json_int_t)s->checks, "rules",
                     json_rules(&r->rules), "now", (json_int_t)r->now, "provisional_days",
                     (int)r->sheet->provisional_days);
}

json_t *attendance_json(const struct attendance_report *r)
{
    json_t *people = json_array();
    json_t *o = attendance_session(r);
    for (uint32_t i = 0; i < r->session->count; i++) {
        json_array_append_new(people, attendance_person(r, &r->session->people[i]));
    }
    json_object_set_new(o, "ok", json_true());
    json_object_set_new(o, "people", people);
    return o;
}

void attendance_print_json(const struct attendance_report *r)
{
    json_t *o = attendance_json(r);
    json_dumpf(o, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(o);
}
