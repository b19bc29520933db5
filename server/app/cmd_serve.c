/* amphi serve: everything. */
#include "server/app/command.h"
#include "server/app/supervisor.h"

static int serve(struct command_line *line)
{
    char why[512];
    struct prepared prepared;
    bool demo = command_flag(line, "--demo");
    if (!command_rest(line, 0, 0)) {
        return EXIT_USAGE;
    }
    int code = prepare(&prepared, &line->config, why, sizeof(why));
    if (code) {
        command_error(line, "%s", why);
    } else {
        code = supervisor_run(line, &prepared, demo);
    }
    prepare_fini(&prepared);
    return code;
}

const struct command command_serve = {
    .name = "serve",
    .args = "[--demo]",
    .usage = "Serve classes until told to stop.",
    .help = "  --demo   create a demo class once and print links to it\n\n"
            "SIGTERM ends it gracefully within server.drain_s seconds; SIGHUP reads the\n"
            "certificate and the settings marked as live again.\n"
            "Exit codes: 0 stopped in order, 1 failed, 64 wrong usage, 78 wrong settings.\n",
    .flags = COMMAND_CONFIG,
    .exec = serve,
};
