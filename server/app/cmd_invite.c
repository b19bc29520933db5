/* amphi invite: a roster file becomes personal links and invitations, all rows or none. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/clock.h"
#include "codec/sys/file.h"
#include "server/app/client.h"
#include "server/app/command.h"
#include "server/app/invite.h"
#include "server/app/keys.h"
#include "server/app/links.h"
#include "server/app/office_when.h"
#include "signaling/people/roster.h"
#include "signaling/schema/schema.h"

enum { LINK_MAX = 1024, TITLE_MAX = 1024, PROBLEMS_MAX = 20 };

struct run {
    struct command_line *line;
    struct invite invite;
    struct paths paths;
    struct spool spool;
    struct roster roster;
    uint8_t key[TOKEN_KEY_LEN];
    char title[TITLE_MAX];
    char host[256];
    char when[OFFICE_WHEN_MAX];
    bool send;
};

/* "2026-12-01T14:00" in the zone of the process. 0 or E_BAD. */
static int parse_start(const char *text, wall_ms *out)
{
    struct tm tm = {.tm_isdst = -1};
    char behind;
    int year;
    int month;
    if (sscanf(text, "%4d-%2d-%2d%*1[T ]%2d:%2d%c", &year, &month, &tm.tm_mday, &tm.tm_hour,
               &tm.tm_min, &behind) != 5 ||
        month < 1 || month > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 ||
        tm.tm_min > 59) {
        return E_BAD;
    }
    int day = tm.tm_mday;
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    time_t at = mktime(&tm);
    *out = (wall_ms)at * 1000;
    return at == (time_t)-1 || tm.tm_mday != day ? E_BAD : 0; /* no 31 February */
}

/* The same person each time this address is invited to this class. */
static struct id person_of(const struct run *r, const char *mail)
{
    char text[ID_TEXT_MAX + ROSTER_MAIL_MAX + 2];
    char class_id[ID_TEXT_MAX];
    uint8_t mac[TOKEN_MAC_LEN];
    struct id person;
    snprintf(text, sizeof(text), "%s %s", id_print(class_id, ID_CLASS, &r->invite.class_id), mail);
    token_sign(mac, r->key, text, strlen(text));
    memcpy(person.b, mac, ID_LEN);
    return person;
}

/* ---- what the file says
 * ---------------------------------------------------------------------------- */

static int read_roster(struct run *r, const char *path)
{
    char *text = NULL;
    size_t len = 0;
    uint32_t at = 0;
    int err = file_read(path, ROSTER_BYTES_MAX, &text, &len);
    if (err) {
        command_error(r->line, "%s: %s", path, err_text(err));
        return EXIT_FAILED;
    }
    err = roster_read(&r->roster, text, len, &at);
    mem_free(text);
    if (err) {
        const char *why = err == E_BAD && at == 0 ? "is not UTF-8 text; save it as CSV UTF-8"
                          : err == E_BAD          ? "a quote is opened and never closed"
                          : err == E_LIMIT        ? "more than 5000 people"
                          : err == E_NOTFOUND     ? "nobody stands in it"
                                                  : err_text(err);
        command_error(r->line, "%s:%u: %s", path, at, why);
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

/* Each row with a problem on a line of its own. */
static void print_problems(const struct run *r, const char *path)
{
    unsigned told = 0;
    for (uint32_t i = 0; i < r->roster.count && told < PROBLEMS_MAX; i++) {
        const struct roster_row *row = &r->roster.rows[i];
        if (row->problem) {
            char more[32] = "";
            if (row->problem == ROSTER_TWICE) {
                snprintf(more, sizeof(more), " (%u)", row->twice);
            }
            fprintf(stderr, "%s:%u: %s: %s%s\n", path, row->line,
                    row->mail[0] ? row->mail : row->name,
                    roster_problem(row->problem, r->invite.french), more);
            told++;
        }
    }
    if (r->roster.bad > told) {
        fprintf(stderr, "... %u more\n", r->roster.bad - told);
    }
}

static void print_preview(const struct run *r)
{
    for (uint32_t i = 0; i < r->roster.count; i++) {
        const struct roster_row *row = &r->roster.rows[i];
        printf("  %-11s %-32s %s%s%s\n", schema_spell(ENUM_role, row->role), row->mail, row->name,
               row->group[0] ? "  " : "", row->group);
    }
    printf("%u people. Nothing was sent: add --send to invite them.\n", r->roster.count);
}

/* ---- inviting
 * ------------------------------------------------------------------------------------- */

static int link_for(struct run *r, const struct roster_row *row, const struct id *person,
                    char out[LINK_MAX])
{
    char class_id[ID_TEXT_MAX];
    char id[ID_TEXT_MAX];
    int code;
    json_t *request = links_request(id_print(class_id, ID_CLASS, &r->invite.class_id),
                                    schema_spell(ENUM_role, row->role), 0, false);
    json_object_set_new(request, "person", json_string(id_print(id, ID_PERSON, person)));
    json_t *answer = client_ask(r->line, request, true, &code);
    if (!answer) {
        return code;
    }
    links_url(&r->line->config, answer, out, LINK_MAX);
    json_decref(answer);
    return EXIT_OK;
}

static int invite_row(struct run *r, const struct roster_row *row)
{
    char link[LINK_MAX] = "";
    struct id person = person_of(r, row->mail);
    int code = r->invite.kind == INVITE_NEW ? link_for(r, row, &person, link) : EXIT_OK;
    if (code) {
        return code;
    }
    struct invited who = {.person = person, .name = row->name, .mail = row->mail, .link = link};
    int err = invite_put(&r->spool, &r->invite, &r->paths, &who);
    if (err) {
        command_error(r->line, "mail to %s: %s", row->mail, err_text(err));
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

static int invite_all(struct run *r)
{
    char path[PATHS_MAX];
    int code = EXIT_OK;
    if (spool_open(&r->spool, paths_in(&r->paths, "mail", path))) {
        command_error(r->line, "%s: cannot be made", path);
        return EXIT_FAILED;
    }
    for (uint32_t i = 0; i < r->roster.count && code == EXIT_OK; i++) {
        code = invite_row(r, &r->roster.rows[i]);
    }
    spool_close(&r->spool);
    if (code == EXIT_OK && r->line->json) {
        printf("{\"ok\":true,\"queued\":%u}\n", r->roster.count);
    } else if (code == EXIT_OK) {
        printf("%u invitations are in the queue (amphi mail).\n", r->roster.count);
    }
    return code;
}

/* ---- the command
 * ---------------------------------------------------------------------------------- */

/* Title of the class from the server; its name for mails from the public address. */
static int prepare(struct run *r, const char *class_text)
{
    int code;
    char why[512];
    json_t *answer = client_ask(
        r->line, json_pack("{s:s, s:s}", "cmd", "class.show", "class", class_text), true, &code);
    if (!answer) {
        return code;
    }
    snprintf(r->title, sizeof(r->title), "%s",
             json_string_value(json_object_get(answer, "title"))
                 ? json_string_value(json_object_get(answer, "title"))
                 : "");
    json_decref(answer);
    int err = token_init();
    err = err ? err : paths_init(&r->paths, &r->line->config);
    err = err ? err : keys_secret(&r->paths, &r->line->config, r->key, why, sizeof(why));
    if (err) {
        command_error(r->line, "data.dir: %s", err_text(err));
        return EXIT_FAILED;
    }
    token_derive(r->key, r->key, "invited person");
    const char *url = r->line->config.web_public_url;
    const char *name = strstr(url, "//") ? strstr(url, "//") + 2 : url;
    snprintf(r->host, sizeof(r->host), "%.*s", (int)strcspn(name, ":/"), name);
    r->invite.host = r->host[0] ? r->host : "localhost";
    r->invite.title = r->title;
    return EXIT_OK;
}

static int parse(struct run *r, const char **path)
{
    struct command_line *line = r->line;
    const char *start = command_value(line, "--start");
    const char *minutes = command_value(line, "--minutes");
    const char *lang = command_value(line, "--lang");
    const char *named = command_value(line, "--zone");
    const char *zone = named ? named : "Europe/Paris";
    long length = minutes ? strtol(minutes, NULL, 10) : 60;
    *path = command_value(line, "--csv");
    r->send = command_flag(line, "--send");
    r->invite.kind = command_flag(line, "--cancel") ? INVITE_CANCEL : INVITE_NEW;
    r->invite.french = !lang || strcmp(lang, "en") != 0;
    setenv("TZ", zone, 1);
    tzset();
    if (!command_rest(line, 1, 1)) {
        return EXIT_USAGE;
    }
    if (id_parse(&r->invite.class_id, ID_CLASS, line->argv[1], strlen(line->argv[1])) || !*path) {
        command_error(line, "usage: amphi invite c_... --csv roster.csv");
        return EXIT_USAGE;
    }
    if (!office_zone_known(zone)) {
        command_error(line, "--zone: %.60s is no time zone this machine knows", zone);
        return EXIT_USAGE;
    }
    if (start && (parse_start(start, &r->invite.start) || length < 1 || length > 1440)) {
        command_error(line, "--start: 2026-12-01T14:00; --minutes: 1 to 1440");
        return EXIT_USAGE;
    }
    r->invite.end = r->invite.start + length * 60000;
    r->invite.when = office_when(r->when, r->invite.start, length, zone, r->invite.french);
    return EXIT_OK;
}

static int invite_command(struct command_line *line)
{
    struct run r = {.line = line,
                    .invite = {.config = &line->config, .now = clock_wall_ms()},
                    .spool = {.dir_fd = -1}};
    const char *path;
    int code = parse(&r, &path);
    code = code ? code : prepare(&r, line->argv[1]);
    code = code ? code : read_roster(&r, path);
    if (code == EXIT_OK && r.roster.bad > 0) {
        print_problems(&r, path);
        command_error(line, "%u of %u rows cannot be taken; nobody was invited", r.roster.bad,
                      r.roster.count);
        code = EXIT_FAILED;
    }
    if (code == EXIT_OK && r.send && !line->config.mail_from[0]) {
        command_error(line, "mail.from is not set: from whom shall the invitations come?");
        code = EXIT_CONFIG;
    }
    if (code == EXIT_OK && r.send) {
        code = invite_all(&r);
    } else if (code == EXIT_OK) {
        print_preview(&r);
    }
    token_wipe(r.key, sizeof(r.key));
    roster_fini(&r.roster);
    return code;
}

const struct command command_invite = {
    .name = "invite",
    .args = "c_... --csv roster.csv [--send]",
    .usage = "Invite the people of a roster by mail.",
    .help =
        "  --csv FILE                 Nom;Courriel;Role;Groupe, from any spreadsheet\n"
        "  --send                     put the mails into the queue; without: show what would be\n"
        "  --start 2026-12-01T14:00   with an appointment for calendars\n"
        "  --minutes 90               its length (60)\n"
        "  --cancel                   take the appointment back\n"
        "  --lang fr|en               of the mails (fr)\n"
        "  --zone NAME                time zone of --start (Europe/Paris)\n\n"
        "Each person gets a link of their own. Inviting again updates the appointment. A row\n"
        "that cannot be taken is named with its line, and then nobody is invited.\n",
    .flags = COMMAND_CONFIG,
    .exec = invite_command,
};
