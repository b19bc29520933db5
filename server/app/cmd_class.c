/* amphi class create|list|show|end|forget: the classes of this server. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/app/client.h"
#include "server/app/command.h"
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
        *out = (json_int_t)mktime(&tm) * 1000;
        return *out > 0;
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

static int create(struct command_line *line)
{
    const char *type = command_value(line, "--type");
    json_t *settings = json_object();
    int code;
    if (!read_settings(line, settings) || !command_rest(line, 2, 2)) {
        json_decref(settings);
        return EXIT_USAGE;
    }
    json_t *request =
        json_pack("{s:s, s:s, s:s, s:o}", "cmd", "class.create", "title", line->argv[2], "type",
                  type ? type : "standard", "settings", settings);
    if (!request) {
        command_error(line, "the title must be UTF-8 text");
        return EXIT_USAGE;
    }
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
    if (!strcmp(verb, "forget")) {
        return forget(line);
    }
    command_error(line, "usage: amphi class create|list|show|end|forget");
    return EXIT_USAGE;
}

const struct command command_class = {
    .name = "class",
    .args = "create|list|show|end|forget ...",
    .usage = "Make, list, show and end classes; erase a person.",
    .help = "  amphi class create \"Title\" [--type standard|webinar|round-table]\n"
            "      --start 2026-12-01T14:00   when it begins; without: whenever somebody enters\n"
            "      --duration MINUTES         then warnings; it ends by hand\n"
            "      --permanent                always open, from one run to the next\n"
            "      --waiting-room off|host-absent|manual|list\n"
            "      --prepare, --doors MINUTES before the start; --hard-stop MINUTES after it\n"
            "      --staffless MINUTES, --no-learner-alone on, --presenters several|one|staff,\n"
            "      --attendance-share PERCENT, --attendance-minutes M, --attendance-checks K,\n"
            "      --presence-checks on       what counts as having been there\n"
            "      --times all|staff, --closing SECONDS, --auto-start off\n"
            "  amphi class list\n"
            "  amphi class show c_...\n"
            "  amphi class end c_...      nobody can join it any more\n"
            "  amphi class forget c_... p_...   erases name and texts of a person; run amphi\n"
            "                                   backup then, and older copies forget too\n\n"
            "Works with and without a running server on the same data folder.\n",
    .flags = COMMAND_CONFIG,
    .exec = class_command,
};
