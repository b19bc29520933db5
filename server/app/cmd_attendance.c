/* amphi attendance: who was there, from the journal; as a table, JSON, CSV or PDF. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "codec/base/err.h"
#include "codec/sys/clock.h"
#include "codec/sys/token.h"
#include "server/app/attendance_report.h"
#include "server/app/command.h"
#include "server/app/history.h"

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

static void seal_text(struct attendance_report *r)
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

/* What of the report goes where. */
struct wish {
    unsigned long long session;
    bool csv;
    const char *pdf;          /* file or NULL */
    const char *certificates; /* folder or NULL */
};

static int certificates(const struct command_line *line, const struct attendance_report *r,
                        const char *folder)
{
    char path[4096];
    char id[ID_TEXT_MAX];
    if (r->session->closed == SHEET_OPEN) {
        command_error(line, "the session still runs: certificates come after it");
        return EXIT_FAILED;
    }
    (void)mkdir(folder, 0700);
    for (uint32_t i = 0; i < r->session->count; i++) {
        const struct attendee *p = &r->session->people[i];
        if (attendance_row(&r->rules, r->session, p, r->now).status == ATTENDANCE_PRESENT) {
            snprintf(path, sizeof(path), "%s/%s.pdf", folder, id_print(id, ID_PERSON, &p->person));
            if (attendance_certificate(r, p, path)) {
                command_error(line, "%s: cannot be written", path);
                return EXIT_FAILED;
            }
        }
    }
    return EXIT_OK;
}

static int report(const struct command_line *line, struct attendance_report *r,
                  const struct wish *wish)
{
    r->session = sheet_find(r->sheet, wish->session);
    if (!r->session) {
        command_error(line, wish->session ? "no session of this number in the class"
                                          : "this class has had no session yet");
        return EXIT_FAILED;
    }
    seal_text(r);
    if (wish->pdf && attendance_pdf(r, wish->pdf)) {
        command_error(line, "%s: cannot be written", wish->pdf);
        return EXIT_FAILED;
    }
    if (wish->certificates) {
        return certificates(line, r, wish->certificates);
    }
    if (wish->csv) {
        attendance_print_csv(r);
    } else if (line->json) {
        attendance_print_json(r);
    } else if (!wish->pdf) {
        attendance_print_table(r);
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
    struct wish wish = {.csv = command_flag(line, "--csv"),
                        .pdf = command_value(line, "--pdf"),
                        .certificates = command_value(line, "--certificates")};
    unsigned long long minutes = 0;
    unsigned long long share = 50;
    struct id class_id;
    struct sheet sheet;
    char why[512];
    if (!command_rest(line, 1, 1) ||
        !number(line, "--session", session_word, 1, INT64_MAX, &wish.session) ||
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
        struct attendance_report r = {.sheet = &sheet,
                                      .rules = attendance_defaults(),
                                      .now = clock_wall_ms(),
                                      .french = !lang || strcmp(lang, "en") != 0};
        r.rules.minutes = (uint32_t)minutes;
        r.rules.share_permille = (uint32_t)share * 10;
        code = report(line, &r, &wish);
    }
    sheet_fini(&sheet);
    return code;
}

const struct command command_attendance = {
    .name = "attendance",
    .args = "c_... [--csv|--pdf FILE]",
    .usage = "Print who was there, how long.",
    .help = "  --session N      number of the session (the newest)\n"
            "  --minutes M      present from M minutes on\n"
            "  --share P        present from P percent of the session on (50)\n"
            "  --csv            a file for spreadsheets\n"
            "  --pdf FILE       the sheet to sign\n"
            "  --certificates DIR  one PDF for each person present\n"
            "  --lang fr|en     of titles and words (fr)\n"
            "  --zone NAME      time zone of printed times (Europe/Paris)\n\n"
            "Read from the journal, beside a running server or without one. Gaps under a minute\n"
            "are no absence. The last line is the seal: the digest of all that counts.\n",
    .flags = COMMAND_CONFIG,
    .exec = attendance_command,
};
