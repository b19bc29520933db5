#include "server/app/attendance_report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "signaling/schema/schema.h"

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
    static const char *const heads[2][8] = {
        {"Name", "Role", "First in", "Last out", "Minutes", "In workshops", "Intervals", "Status"},
        {"Nom", "Rôle", "Arrivée", "Départ", "Minutes", "En atelier", "Intervalles", "Statut"},
    };
    fputs("\xef\xbb\xbf", stdout); /* spreadsheets take UTF-8 only with this mark */
    csv_row(heads[r->french], 8);
    for (uint32_t i = 0; i < r->session->count; i++) {
        struct attendance_row row =
            attendance_row(&r->rules, r->session, &r->session->people[i], r->now);
        char first[TIME_TEXT_MAX];
        char last[TIME_TEXT_MAX];
        char minutes[24];
        char elsewhere[24];
        char intervals[4096];
        snprintf(minutes, sizeof(minutes), "%" PRId64, row.present_ms / MS_PER_MIN);
        snprintf(elsewhere, sizeof(elsewhere), "%" PRId64, row.elsewhere_ms / MS_PER_MIN);
        attendance_intervals(r, row.who, intervals, sizeof(intervals));
        const char *cells[] = {attendance_name(row.who),
                               schema_spell(ENUM_role, row.who->role),
                               attendance_time(row.first, TIME_DAY_SECOND, first),
                               attendance_time(row.last, TIME_DAY_SECOND, last),
                               minutes,
                               elsewhere,
                               intervals,
                               attendance_word(r->french, row.status)};
        csv_row(cells, 8);
    }
}

static json_t *json_person(const struct attendance_report *r, const struct attendee *p)
{
    struct attendance_row row = attendance_row(&r->rules, r->session, p, r->now);
    json_t *intervals = json_array();
    struct stay stay;
    char id[ID_TEXT_MAX];
    for (uint32_t i = 0; !attendance_interval(&r->rules, p, i, r->now, &stay); i++) {
        json_array_append_new(intervals,
                              json_pack("[I, I]", (json_int_t)stay.in, (json_int_t)stay.out));
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:b, s:o}", "person",
                     id_print(id, ID_PERSON, &p->person), "name", attendance_name(p), "role",
                     schema_spell(ENUM_role, p->role), "status", attendance_word(false, row.status),
                     "present_ms", (json_int_t)row.present_ms, "workshop_ms",
                     (json_int_t)row.elsewhere_ms, "here", (int)p->here, "intervals", intervals);
}

void attendance_print_json(const struct attendance_report *r)
{
    json_t *people = json_array();
    char id[ID_TEXT_MAX];
    for (uint32_t i = 0; i < r->session->count; i++) {
        json_array_append_new(people, json_person(r, &r->session->people[i]));
    }
    bool open = r->session->closed == SHEET_OPEN;
    json_t *o = json_pack("{s:b, s:s, s:s, s:I, s:I, s:o, s:I, s:s, s:o}", "ok", 1, "class",
                          id_print(id, ID_CLASS, &r->sheet->class_id), "title",
                          rtext_str(r->sheet->title), "session", (json_int_t)r->session->number,
                          "opened", (json_int_t)r->session->opened, "closed",
                          open ? json_null() : json_integer(r->session->closed), "needed_ms",
                          (json_int_t)attendance_needed_ms(&r->rules, r->session, r->now), "seal",
                          r->seal, "people", people);
    json_dumpf(o, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(o);
}
