/* amphi drain: no new classes; the server ends when the last person has left. */
#include <stdio.h>

#include "server/app/client.h"
#include "server/app/command.h"

static int drain(struct command_line *line)
{
    int code;
    if (!command_rest(line, 0, 0)) {
        return EXIT_USAGE;
    }
    json_t *answer = client_ask(line, json_pack("{s:s}", "cmd", "drain"), false, &code);
    if (answer && line->json) {
        json_dumpf(answer, stdout, JSON_COMPACT);
        putchar('\n');
    } else if (answer) {
        puts("Draining: no new classes; the server ends with the last person.");
    }
    json_decref(answer);
    return code;
}

const struct command command_drain = {
    .name = "drain",
    .args = "",
    .usage = "Take no new classes and end when the last person has left.",
    .flags = COMMAND_CONFIG,
    .exec = drain,
};
