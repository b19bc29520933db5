/* amphi class create|list|show|archive|end|forget: the classes of this server. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "codec/base/mem.h"
#include "codec/sys/file.h"
#include "server/app/client.h"
#include "server/app/command.h"
#include "signaling/people/recur.h"
#include "signaling/schema/settings.h"

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

static int number_of(const json_t *o, const char *key)
{
    return (int)json_integer_value(json_object_get(o, key));
}

static int finish(struct command_line *line, json_t *answer, int code,
                  void (*print_h)(const json_t *answer))
{
    if (answer && line->json) {
        json_dumpf(answer, stdout, JSON_COMPACT);
        putchar('\n');
    } else if (answer) {
        print_h(answer);
    }
    json_decref(answer);
    return code;
}

static void print_created(const json_t *answer)
{
    printf("%s\n", text_of(answer, "class"));
}

static void print_row(const json_t *c)
{
    printf("%-28s  %-11s  %-7s  %4d present  %s\n", text_of(c, "id"), text_of(c, "type"),
           json_is_true(json_object_get(c, "ended")) ? "ended" : text_of(c, "state"),
           number_of(c, "present"), text_of(c, "title"));
}

static void print_list(const json_t *answer)
{
    size_t i;
    const json_t *c;
    const json_t *classes = json_object_get(answer, "classes");
    json_array_foreach(classes, i, c)
    {
        print_row(c);
    }
}

static void print_class(const json_t *answer)
{
    size_t i;
    const json_t *p;
    const json_t *people = json_object_get(answer, "people");
    print_row(answer);
    json_array_foreach(people, i, p)
    {
        printf("  %-28s  %-11s  %s\n", text_of(p, "id"), text_of(p, "role"), text_of(p, "name"));
    }
}

static void print_nothing(const json_t *answer)
{
    (void)answer;
}

/* "2026-12-01T14:00" in the time of this machine, or milliseconds since 1970. */
static bool read_start(const char *text, json_int_t *out)
{
    struct tm tm = {.tm_isdst = -1};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M", &tm);
    end = end ? end : strptime(text, "%Y-%m-%d %H:%M", &tm);
    if (end && !*end) {
        int day = tm.tm_mday;
        *out = (json_int_t)mktime(&tm) * 1000;
        return *out > 0 && tm.tm_mday == day; /* no 31 February */
    }
    char *rest;
    *out = strtoll(text, &rest, 10);
    return *text && !*rest && *out > 0;
}

/* Every --key value whose key is a setting (settings.def), and --set key=value. */
static bool read_settings(struct command_line *line, json_t *settings)
{
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        const struct setting_row *row = setting_row(i);
        char flag[48];
        snprintf(flag, sizeof(flag), "--%s", row ? row->key : "");
        const char *value = row && i != SETTING_PERMANENT ? command_value(line, flag) : NULL;
        json_int_t start;
        if (value && i == SETTING_START) {
            if (!read_start(value, &start)) {
                command_error(line, "--start is a time like 2026-12-01T14:00");
                return false;
            }
            json_object_set_new(settings, row->key, json_integer(start));
        } else if (value) {
            json_object_set_new(settings, row->key, json_string(value));
        }
    }
    if (command_flag(line, "--permanent")) {
        json_object_set_new(settings, "permanent", json_string("on"));
    }
    return true;
}

static void add_date(json_t *dates, json_int_t start, json_int_t minutes)
{
    json_array_append_new(dates, json_pack("[I, I]", start, minutes));
}

/* The dates of a rule in the time of this machine; false when there is none to read. */
static bool expand(const char *rule_text, json_int_t first, json_int_t minutes, json_t *dates)
{
    char *bytes = NULL;
    size_t len = 0;
    struct zone zone;
    struct recur rule;
    wall_ms starts[RECUR_COUNT_MAX];
    bool good = !recur_read(&rule, rule_text) &&
                !file_read("/etc/localtime", 65536, &bytes, &len) && !zone_read(&zone, bytes, len);
    size_t count = good ? recur_expand(&rule, &zone, first, starts, RECUR_COUNT_MAX) : 0;
    for (size_t i = 0; i < count; i++) {
        add_date(dates, starts[i], minutes);
    }
    mem_free(bytes);
    return good;
}

/* --repeat RULE from --start on, or --dates one,two,...; each lasts --duration. */
static bool read_dates(struct command_line *line, json_t *settings, json_t *dates)
{
    const char *rule = command_value(line, "--repeat");
    const char *list = command_value(line, "--dates");
    json_int_t start = json_integer_value(json_object_get(settings, "start"));
    const char *duration = json_string_value(json_object_get(settings, "duration"));
    json_int_t minutes = duration ? strtoll(duration, NULL, 10) : 0;
    char one[32];
    if (rule && (!start || !expand(rule, start, minutes, dates))) {
        command_error(line, "--repeat is a rule like \"FREQ=WEEKLY;COUNT=10\", with --start");
        return false;
    }
    while (list && *list) {
        size_t len = strcspn(list, ",");
        (void)snprintf(one, sizeof(one), "%.*s", (int)(len < sizeof(one) ? len : 0), list);
        if (!read_start(one, &start)) {
            command_error(line, "--dates are times like 2026-12-01T14:00,2026-12-08T14:00");
            return false;
        }
        const json_t *last = json_array_get(dates, json_array_size(dates) - 1);
        if (last && start < json_integer_value(json_array_get(last, 0)) + minutes * 60000) {
            command_error(line, "--dates: %s is not behind the end of the date before it", one);
            return false;
        }
        add_date(dates, start, minutes);
        list += len + (list[len] == ',');
    }
    return true;
}

static int create(struct command_line *line)
{
    const char *type = command_value(line, "--type");
    json_t *settings = json_object();
    json_t *dates = json_array();
    int code;
    if (!read_settings(line, settings) || !read_dates(line, settings, dates) ||
        !command_rest(line, 2, 2)) {
        json_decref(settings);
        json_decref(dates);
        return EXIT_USAGE;
    }
    json_t *request =
        json_pack("{s:s, s:s, s:s, s:o}", "cmd", "class.create", "title", line->argv[2], "type",
                  type ? type : "standard", "settings", settings);
    if (!request) {
        json_decref(dates);
        command_error(line, "the title must be UTF-8 text");
        return EXIT_USAGE;
    }
    if (json_array_size(dates) > 0) {
        json_object_set(request, "dates", dates);
    }
    json_decref(dates);
    json_t *answer = client_ask(line, request, true, &code);
    return finish(line, answer, code, print_created);
}

static int list(struct command_line *line)
{
    int code;
    if (!command_rest(line, 1, 1)) {
        return EXIT_USAGE;
    }
    json_t *answer = client_ask(line, json_pack("{s:s}", "cmd", "class.list"), true, &code);
    return finish(line, answer, code, print_list);
}

static int one(struct command_line *line, const char *cmd, void (*print_h)(const json_t *answer))
{
    int code;
    if (!command_rest(line, 2, 2)) {
        return EXIT_USAGE;
    }
    json_t *request = json_pack("{s:s, s:s}", "cmd", cmd, "class", line->argv[2]);
    json_t *answer = client_ask(line, request, true, &code);
    return finish(line, answer, code, print_h);
}

static int archive(struct command_line *line)
{
    int code;
    bool undo = command_flag(line, "--undo");
    if (!command_rest(line, 2, 2)) {
        return EXIT_USAGE;
    }
    json_t *request = json_pack("{s:s, s:s, s:b}", "cmd", "class.archive", "class", line->argv[2],
                                "archive", !undo);
    json_t *answer = client_ask(line, request, true, &code);
    return finish(line, answer, code, print_nothing);
}

static int forget(struct command_line *line)
{
    int code;
    if (!command_rest(line, 3, 3)) {
        return EXIT_USAGE;
    }
    json_t *request = json_pack("{s:s, s:s, s:s}", "cmd", "class.forget", "class", line->argv[2],
                                "person", line->argv[3]);
    json_t *answer = client_ask(line, request, true, &code);
    return finish(line, answer, code, print_nothing);
}

static int class_command(struct command_line *line)
{
    const char *verb = line->argc > 1 ? line->argv[1] : "";
    if (!strcmp(verb, "create")) {
        return create(line);
    }
    if (!strcmp(verb, "list")) {
        return list(line);
    }
    if (!strcmp(verb, "show")) {
        return one(line, "class.show", print_class);
    }
    if (!strcmp(verb, "end")) {
        return one(line, "class.end", print_nothing);
    }
    if (!strcmp(verb, "archive")) {
        return archive(line);
    }
    if (!strcmp(verb, "forget")) {
        return forget(line);
    }
    command_error(line, "usage: amphi class create|list|show|archive|end|forget");
    return EXIT_USAGE;
}

const struct command command_class = {
    .name = "class",
    .args = "create|list|show|archive|end|forget ...",
    .usage = "Make, list, show, archive and end classes; erase a person.",
    .help = "  amphi class create \"Title\" [--type standard|webinar|round-table]\n"
            "      --start 2026-12-01T14:00   when it begins; without: whenever somebody enters\n"
            "      --duration MINUTES         then warnings; it ends by hand\n"
            "      --repeat RULE              comes back from --start on: FREQ=WEEKLY;COUNT=10,\n"
            "                                 FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;UNTIL=20270630,\n"
            "                                 FREQ=MONTHLY;BYDAY=2TU;COUNT=6\n"
            "      --dates T1,T2,...          comes back at these times\n"
            "      --permanent                always open, from one run to the next\n"
            "      --waiting-room off|host-absent|manual|list\n"
            "      --prepare, --doors MINUTES before the start; --hard-stop MINUTES after it\n"
            "      --staffless MINUTES, --no-learner-alone on, --presenters several|one|staff,\n"
            "      --attendance-share PERCENT, --attendance-minutes M, --attendance-checks K,\n"
            "      --presence-checks on       what counts as having been there\n"
            "      --times all|staff, --closing SECONDS, --auto-start off\n"
            "  amphi class list\n"
            "  amphi class show c_...\n"
            "  amphi class archive c_... [--undo]   nobody enters, reports stay readable\n"
            "  amphi class end c_...      nobody can join it any more\n"
            "  amphi class forget c_... p_...   erases name and texts of a person; run amphi\n"
            "                                   backup then, and older copies forget too\n\n"
            "Works with and without a running server on the same data folder.\n",
    .flags = COMMAND_CONFIG,
    .exec = class_command,
};
