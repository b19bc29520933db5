/* amphi attendance: who was there, from the journal; as a table, JSON or CSV. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "codec/base/err.h"
#include "codec/sys/clock.h"
#include "codec/sys/token.h"
#include "server/app/command.h"
#include "server/app/history.h"
#include "signaling/attendance/rules.h"
#include "signaling/attendance/seal.h"
#include "signaling/schema/schema.h"

enum { MS_PER_MIN = 60000, TIME_MAX = 32 };

struct report {
    const struct command_line *line;
    const struct sheet *sheet;
    const struct sheet_session *session;
    struct attendance_rules rules;
    wall_ms now;
    bool french;
    char seal[2 * ATTENDANCE_SEAL_LEN + 1]; /* "" while the session runs */
};

static const char *status_text(const struct report *r, unsigned status)
{
    static const char *const words[ATTENDANCE_STATUS_COUNT][2] = {
        {"absent", "absent"},
        {"partial", "partiel"},
        {"present", "présent"},
        {"excused", "excusé"},
    };
    return words[status < ATTENDANCE_STATUS_COUNT ? status : 0][r->french];
}

enum time_form { TIME_DAY_MINUTE, TIME_DAY_SECOND, TIME_MINUTE, TIME_SECOND };

/* Local time of the class; "" for never. */
static const char *time_text(wall_ms at, enum time_form form, char out[TIME_MAX])
{
    time_t s = (time_t)(at / 1000);
    struct tm tm;
    int n = 0;
    out[0] = '\0';
    if (at <= 0 || at == SHEET_OPEN || !localtime_r(&s, &tm)) {
        return out;
    }
    if (form == TIME_DAY_MINUTE || form == TIME_DAY_SECOND) {
        n = snprintf(out, TIME_MAX, "%04d-%02d-%02d ", (tm.tm_year + 1900) % 10000, tm.tm_mon + 1,
                     tm.tm_mday);
    }
    n += snprintf(out + n, TIME_MAX - (size_t)n, "%02d:%02d", tm.tm_hour, tm.tm_min);
    if (form == TIME_DAY_SECOND || form == TIME_SECOND) {
        snprintf(out + n, TIME_MAX - (size_t)n, ":%02d", tm.tm_sec);
    }
    return out;
}

static const char *name_of(const struct attendee *p)
{
    return p->name ? rtext_str(p->name) : "";
}

/* ---- forms
 * ---------------------------------------------------------------------------------------- */

static void print_table(const struct report *r)
{
    char opened[TIME_MAX];
    char closed[TIME_MAX];
    printf("%s\nsession %" PRIu64 "  %s - %s\n", rtext_str(r->sheet->title), r->session->number,
           time_text(r->session->opened, TIME_DAY_MINUTE, opened),
           time_text(r->session->closed, TIME_DAY_MINUTE, closed));
    for (uint32_t i = 0; i < r->session->count; i++) {
        struct attendance_row row =
            attendance_row(&r->rules, r->session, &r->session->people[i], r->now);
        printf("  %-8s %4" PRId64 " min  %5s - %5s  %-11s %s\n", status_text(r, row.status),
               row.present_ms / MS_PER_MIN, time_text(row.first, TIME_MINUTE, opened),
               time_text(row.last, TIME_MINUTE, closed), schema_spell(ENUM_role, row.who->role),
               name_of(row.who));
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

static void intervals_text(const struct report *r, const struct attendee *p, char *out, size_t cap)
{
    struct stay stay;
    char in[TIME_MAX];
    char left[TIME_MAX];
    size_t len = 0;
    out[0] = '\0';
    for (uint32_t i = 0; !attendance_interval(&r->rules, p, i, r->now, &stay) && len < cap; i++) {
        int put =
            snprintf(out + len, cap - len, "%s%s-%s", i ? ", " : "",
                     time_text(stay.in, TIME_SECOND, in), time_text(stay.out, TIME_SECOND, left));
        len += put > 0 ? (size_t)put : 0;
    }
}

static void print_csv(const struct report *r)
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
        char first[TIME_MAX];
        char last[TIME_MAX];
        char minutes[24];
        char elsewhere[24];
        char intervals[4096];
        snprintf(minutes, sizeof(minutes), "%" PRId64, row.present_ms / MS_PER_MIN);
        snprintf(elsewhere, sizeof(elsewhere), "%" PRId64, row.elsewhere_ms / MS_PER_MIN);
        intervals_text(r, row.who, intervals, sizeof(intervals));
        const char *cells[] = {name_of(row.who),
                               schema_spell(ENUM_role, row.who->role),
                               time_text(row.first, TIME_DAY_SECOND, first),
                               time_text(row.last, TIME_DAY_SECOND, last),
                               minutes,
                               elsewhere,
                               intervals,
                               status_text(r, row.status)};
        csv_row(cells, 8);
    }
}

static json_t *json_person(const struct report *r, const struct attendee *p)
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
                     id_print(id, ID_PERSON, &p->person), "name", name_of(p), "role",
                     schema_spell(ENUM_role, p->role), "status",
                     status_text(&(struct report){.french = false}, row.status), "present_ms",
                     (json_int_t)row.present_ms, "workshop_ms", (json_int_t)row.elsewhere_ms,
                     "here", (int)p->here, "intervals", intervals);
}

static void print_json(const struct report *r)
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

/* ---- the command
 * ---------------------------------------------------------------------------------- */

/* A whole number from low to high; false was told. */
static bool number(const struct command_line *line, const char *flag, const char *text,
                   unsigned long long low, unsigned long long high, unsigned long long *out)
{
    char *end;
    if (!text) {
        return true;
    }
    *out = strtoull(text, &end, 10);
    if (end == text || *end || *out < low || *out > high) {
        command_error(line, "%s: a whole number from %llu to %llu", flag, low, high);
        return false;
    }
    return true;
}

static void seal_text(struct report *r)
{
    struct token_ops ops = {.sign_h = token_sign};
    uint8_t seal[ATTENDANCE_SEAL_LEN];
    r->seal[0] = '\0';
    if (!attendance_seal(seal, &r->rules, r->sheet, r->session, &ops)) {
        for (unsigned i = 0; i < ATTENDANCE_SEAL_LEN; i++) {
            snprintf(r->seal + (size_t)i * 2, 3, "%02x", seal[i]);
        }
    }
}

static int report(struct command_line *line, struct report *r, unsigned long long session, bool csv)
{
    r->session = sheet_find(r->sheet, session);
    if (!r->session) {
        command_error(line, session ? "no session of this number in the class"
                                    : "this class has had no session yet");
        return EXIT_FAILED;
    }
    seal_text(r);
    if (csv) {
        print_csv(r);
    } else if (line->json) {
        print_json(r);
    } else {
        print_table(r);
    }
    return EXIT_OK;
}

static int attendance_command(struct command_line *line)
{
    const char *session_word = command_value(line, "--session");
    const char *minutes_word = command_value(line, "--minutes");
    const char *share_word = command_value(line, "--share");
    const char *lang = command_value(line, "--lang");
    const char *zone = command_value(line, "--zone");
    bool csv = command_flag(line, "--csv");
    unsigned long long session = 0;
    unsigned long long minutes = 0;
    unsigned long long share = 50;
    struct id class_id;
    struct sheet sheet;
    char why[512];
    if (!command_rest(line, 1, 1) ||
        !number(line, "--session", session_word, 1, INT64_MAX, &session) ||
        !number(line, "--minutes", minutes_word, 1, 100000, &minutes) ||
        !number(line, "--share", share_word, 1, 100, &share)) {
        return EXIT_USAGE;
    }
    if (id_parse(&class_id, ID_CLASS, line->argv[1], strlen(line->argv[1]))) {
        command_error(line, "%s: is no id of a class", line->argv[1]);
        return EXIT_USAGE;
    }
    setenv("TZ", zone ? zone : "Europe/Paris", 1);
    tzset();
    int err = history_sheet(&sheet, &line->config, &class_id, why, sizeof(why));
    int code = EXIT_FAILED;
    if (err) {
        command_error(line, "%s", why);
        code = err == E_VERSION ? EXIT_CONFIG : EXIT_FAILED;
    } else {
        struct report r = {.line = line,
                           .sheet = &sheet,
                           .rules = attendance_defaults(),
                           .now = clock_wall_ms(),
                           .french = !lang || strcmp(lang, "en") != 0};
        r.rules.minutes = (uint32_t)minutes;
        r.rules.share_permille = (uint32_t)share * 10;
        code = report(line, &r, session, csv);
    }
    sheet_fini(&sheet);
    return code;
}

const struct command command_attendance = {
    .name = "attendance",
    .args = "c_... [--session N] [--csv]",
    .usage = "Print who was there, how long.",
    .help = "  --session N      number of the session (the newest)\n"
            "  --minutes M      present from M minutes on\n"
            "  --share P        present from P percent of the session on (50)\n"
            "  --csv            a file for spreadsheets\n"
            "  --lang fr|en     of titles and words (fr)\n"
            "  --zone NAME      time zone of printed times (Europe/Paris)\n\n"
            "Read from the journal, beside a running server or without one. Gaps under a minute\n"
            "are no absence. The last line is the seal: the digest of all that counts.\n",
    .flags = COMMAND_CONFIG,
    .exec = attendance_command,
};
