/* amphi version. */
#include <stdio.h>

#include "server/app/command.h"
#include "server/app/version.h"

static int version(struct command_line *line)
{
    if (!command_rest(line, 0, 0)) {
        return EXIT_USAGE;
    }
    if (line->json) {
        printf("{\"version\":\"%s\",\"protocol\":\"%s\"}\n", AMPHI_VERSION, AMPHI_PROTOCOL);
    } else {
        printf("amphi %s\n", AMPHI_VERSION);
    }
    return EXIT_OK;
}

const struct command command_version = {
    .name = "version",
    .args = "",
    .usage = "Print the version.",
    .flags = 0,
    .exec = version,
};
