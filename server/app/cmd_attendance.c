/* amphi attendance: who was there, from the journal; as a table, JSON, CSV or PDF. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "codec/base/err.h"
#include "codec/sys/clock.h"
#include "codec/sys/token.h"
#include "server/app/attendance_report.h"
#include "server/app/client.h"
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

static const struct token_ops sign_ops = {.sign_h = token_sign};

/* What of the report goes where. */
struct wish {
    unsigned long long session;
    bool csv;
    const char *pdf;          /* file or NULL */
    const char *certificates; /* folder or NULL */
    const char *person;       /* of one certificate, or NULL */
    bool seal;
    bool verify;
    const char *correct; /* a person or NULL */
    const char *status;
    const char *reason;
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

static int one_certificate(const struct command_line *line, const struct attendance_report *r,
                           const struct wish *wish)
{
    struct id person;
    const struct attendee *who = NULL;
    if (!id_parse(&person, ID_PERSON, wish->person, strlen(wish->person))) {
        who = sheet_person(r->session, &person);
    }
    bool good = who && r->session->closed != SHEET_OPEN &&
                attendance_row(&r->rules, r->session, who, r->now).status == ATTENDANCE_PRESENT;
    if (!good || attendance_certificate(r, who, wish->pdf)) {
        command_error(line, good ? "%s: cannot be written" : "no certificate for this person",
                      wish->pdf);
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

/* Seals the session for good: both digests become an event. */
static int seal(struct command_line *line, const struct attendance_report *r,
                const struct attendance_chain *chain)
{
    char text[ATTENDANCE_SEAL_TEXT];
    char id[ID_TEXT_MAX];
    int code;
    if (r->session->sealed) {
        command_error(line, "the sheet of this session is sealed already");
        return EXIT_FAILED;
    }
    if (seal_text(text, chain, r->sheet, r->session, &sign_ops)) {
        command_error(line, "the session still runs: it is sealed after it");
        return EXIT_FAILED;
    }
    json_t *answer = client_ask(line,
                                json_pack("{s:s, s:s, s:I, s:s}", "cmd", "roll.seal", "class",
                                          id_print(id, ID_CLASS, &r->sheet->class_id), "session",
                                          (json_int_t)r->session->number, "text", text),
                                true, &code);
    if (answer && !line->json) {
        printf("%s\n", text);
    }
    json_decref(answer);
    return code;
}

static int verify(const struct command_line *line, const struct attendance_report *r)
{
    bool sheet = seal_is_of_sheet(r->sheet, r->session, &sign_ops);
    if (!r->session->sealed) {
        command_error(line, "the sheet of this session is not sealed");
        return EXIT_FAILED;
    }
    if (!sheet || !r->session->journal_holds) {
        command_error(line, "the seal is broken: %s not what was sealed",
                      sheet ? "the journal is" : "the sheet is");
        return EXIT_FAILED;
    }
    printf("the seal holds: %s\n", r->session->seal);
    return EXIT_OK;
}

static int correct(struct command_line *line, const struct attendance_report *r,
                   const struct wish *wish)
{
    static const char *const words[] = {"computed", "absent", "partial", "present", "excused"};
    struct id person;
    char id[ID_TEXT_MAX];
    unsigned status = 0;
    int code;
    while (status < 5 && (!wish->status || strcmp(words[status], wish->status) != 0)) {
        status++;
    }
    if (status == 5 || !wish->reason || !*wish->reason ||
        id_parse(&person, ID_PERSON, wish->correct, strlen(wish->correct))) {
        command_error(line, "--correct p_... --status absent|partial|present|excused|computed "
                            "--reason TEXT");
        return EXIT_USAGE;
    }
    if (r->session->sealed || !sheet_known(r->sheet, r->session, &person)) {
        command_error(line, r->session->sealed ? "the sheet of this session is sealed"
                                               : "nobody of this id is on the sheet");
        return EXIT_FAILED;
    }
    json_t *answer =
        client_ask(line,
                   json_pack("{s:s, s:s, s:I, s:s, s:i, s:s}", "cmd", "roll.correct", "class",
                             id_print(id, ID_CLASS, &r->sheet->class_id), "session",
                             (json_int_t)r->session->number, "person", wish->correct, "status",
                             (int)status, "text", wish->reason),
                   true, &code);
    json_decref(answer);
    return code;
}

static int report(struct command_line *line, struct attendance_report *r,
                  const struct attendance_chain *chain, const struct wish *wish)
{
    r->session = sheet_find(r->sheet, wish->session);
    if (!r->session) {
        command_error(line, wish->session ? "no session of this number in the class"
                                          : "this class has had no session yet");
        return EXIT_FAILED;
    }
    attendance_seal_of(r, chain);
    if (wish->seal) {
        return seal(line, r, chain);
    }
    if (wish->verify) {
        return verify(line, r);
    }
    if (wish->correct) {
        return correct(line, r, wish);
    }
    if (wish->pdf && wish->person) {
        return one_certificate(line, r, wish);
    }
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
                        .certificates = command_value(line, "--certificates"),
                        .person = command_value(line, "--person"),
                        .seal = command_flag(line, "--seal"),
                        .verify = command_flag(line, "--verify"),
                        .correct = command_value(line, "--correct"),
                        .status = command_value(line, "--status"),
                        .reason = command_value(line, "--reason")};
    unsigned long long minutes = 0;
    unsigned long long share = 0;
    struct id class_id;
    struct history h;
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
    zone = zone ? zone : "Europe/Paris";
    setenv("TZ", zone, 1);
    tzset();
    int err = history_walk(&h, &line->config, &class_id, NULL, NULL, why, sizeof(why));
    int code = EXIT_FAILED;
    if (err) {
        command_error(line, "%s", why);
        code = err == E_VERSION ? EXIT_CONFIG : EXIT_FAILED;
    } else {
        const struct sheet_session *session = sheet_find(&h.sheet, wish.session);
        struct attendance_report r = {.sheet = &h.sheet,
                                      .rules = attendance_rules_of(&h.sheet, session),
                                      .now = sheet_now(&h.sheet, session, clock_wall_ms()),
                                      .zone = zone,
                                      .french = !lang || strcmp(lang, "en") != 0};
        r.rules.minutes = minutes_word ? (uint32_t)minutes : share ? 0 : r.rules.minutes;
        r.rules.share_permille = share ? (uint32_t)share * 10 : r.rules.share_permille;
        code = report(line, &r, &h.chain, &wish);
    }
    sheet_fini(&h.sheet);
    return code;
}

const struct command command_attendance = {
    .name = "attendance",
    .args = "c_... [--csv|--pdf FILE]",
    .usage = "Print who was there, how long.",
    .help = "  --session N      number of the session (the newest)\n"
            "  --minutes M      present from M minutes on (as the class says)\n"
            "  --share P        present from P percent of the session on (as the class says)\n"
            "  --csv            a file for spreadsheets\n"
            "  --pdf FILE       the sheet to sign\n"
            "  --certificates DIR  one PDF for each person present\n"
            "  --person p_...   with --pdf: the certificate of this person instead\n"
            "  --correct p_... --status absent|partial|present|excused|computed --reason TEXT\n"
            "                   a word of staff; what was computed is kept beside it\n"
            "  --seal           seals the sheet for good\n"
            "  --verify         says whether sheet and journal still are what was sealed\n"
            "  --lang fr|en     of titles and words (fr)\n"
            "  --zone NAME      time zone of printed times (Europe/Paris)\n\n"
            "Read from the journal, beside a running server or without one. Gaps under a minute\n"
            "are no absence. The last line is the seal: the digest of all that counts.\n",
    .flags = COMMAND_CONFIG,
    .exec = attendance_command,
};
