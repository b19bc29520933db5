/* amphi link: what people click to come into a class. */
#include <string.h>
#include <time.h>

#include "server/app/client.h"
#include "server/app/command.h"
#include "server/app/links.h"

/* "90", "10m", "8h", "30d" as seconds; -1 when it is none of them. */
static long long parse_ttl(const char *text)
{
    char *end;
    long long value = strtoll(text, &end, 10);
    long long unit = 1;
    if (end == text || value < 0 || value > 400LL * 86400) {
        return -1;
    }
    switch (*end) {
    case 'd':
        unit = 86400;
        break;
    case 'h':
        unit = 3600;
        break;
    case 'm':
        unit = 60;
        break;
    case '\0':
    case 's':
        break;
    default:
        return -1;
    }
    return *end && end[1] ? -1 : value * unit;
}

static json_t *pass_request(const struct command_line *line, const char *withdraw)
{
    bool id = withdraw && !strncmp(withdraw, "t_", 2);
    json_t *request = json_pack("{s:s, s:s}", "cmd", withdraw ? "pass.withdraw" : "pass.list",
                                "class", line->argv[1]);
    if (request && withdraw) {
        json_object_set_new(request, id ? "pass" : "token", json_string(withdraw));
    }
    return request;
}

static void print_passes(const json_t *answer)
{
    size_t i;
    const json_t *p;
    json_array_foreach(json_object_get(answer, "passes"), i, p)
    {
        char until[32] = "";
        time_t at = (time_t)(json_integer_value(json_object_get(p, "expires")) / 1000);
        struct tm tm;
        (void)strftime(until, sizeof(until), "%Y-%m-%d %H:%M", localtime_r(&at, &tm));
        printf("%-28s  %s  until %s  %s%s\n", json_string_value(json_object_get(p, "pass")),
               json_string_value(json_object_get(p, "role")), until,
               json_is_true(json_object_get(p, "present")) ? "(sends now) " : "",
               json_string_value(json_object_get(p, "name")));
    }
}

/* --list and --withdraw: the tokens of the standard doors. */
static int pass_command(struct command_line *line, const char *withdraw)
{
    int code;
    json_t *answer = client_ask(line, pass_request(line, withdraw), true, &code);
    if (answer && line->json) {
        json_dumpf(answer, stdout, JSON_COMPACT);
        putchar('\n');
    } else if (answer && !withdraw) {
        print_passes(answer);
    }
    json_decref(answer);
    return answer ? EXIT_OK : code;
}

static int link_command(struct command_line *line)
{
    const char *role = command_value(line, "--role");
    const char *person = command_value(line, "--person");
    const char *name = command_value(line, "--name");
    const char *ttl = command_value(line, "--ttl");
    const char *withdraw = command_value(line, "--withdraw");
    bool listed = command_flag(line, "--list");
    bool single = command_flag(line, "--single");
    char url[1024];
    int code;
    if (!command_rest(line, 1, 1)) {
        return EXIT_USAGE;
    }
    if (listed || withdraw) {
        return pass_command(line, withdraw);
    }
    long long ttl_s = ttl ? parse_ttl(ttl) : 0;
    if (ttl_s < 0) {
        command_error(line, "--ttl: must be seconds, or a number with m, h or d (at most 400d)");
        return EXIT_USAGE;
    }
    json_t *request = links_request(line->argv[1], role ? role : "participant", ttl_s, single);
    if (request && person) {
        json_object_set_new(request, "person", json_string(person));
    }
    if (request && name) {
        json_object_set_new(request, "name", json_string(name));
    }
    json_t *answer = client_ask(line, request, true, &code);
    if (!answer) {
        return code;
    }
    links_url(&line->config, answer, url, sizeof(url));
    if (line->json) {
        json_object_set_new(answer, "url", json_string(url));
        json_dumpf(answer, stdout, JSON_COMPACT);
        putchar('\n');
    } else if (json_object_get(answer, "single")) {
        printf("%s\n", url);
    } else {
        printf("%s\n%s\n", url, json_string_value(json_object_get(answer, "link")));
    }
    json_decref(answer);
    return EXIT_OK;
}

const struct command command_link = {
    .name = "link",
    .args = "c_... [--role R] [--ttl T] [--single] [--name N] | --list | --withdraw T",
    .usage = "Print a link into a class, or address and token of a standard door.",
    .help =
        "  --role participant|speaker|animator|host|listener|interpreter|recorder\n"
        "                          what the person may do (participant)\n"
        "                     whip        address and bearer token of one publisher (OBS, camera)\n"
        "                     whep        address and bearer token of any number of viewers\n"
        "  --name \"Camera 2\"                  how the whip publisher is called in the class\n"
        "  --list                             the whip and whep tokens of the class that work\n"
        "  --withdraw t_... or a token        that one works no more; its sessions end at once\n"
        "  --ttl 90d                          how long the link works (400 days)\n"
        "  --person p_...                     a link for one person only\n"
        "  --single                           works once, within 10 minutes\n",
    .flags = COMMAND_CONFIG,
    .exec = link_command,
};
