/* amphi print-config: the settings in force, or the defaults, as YAML with comments. */
#include "codec/base/err.h"
#include "server/app/command.h"

static int print_config(struct command_line *line)
{
    struct config defaults;
    bool want_defaults = command_flag(line, "--defaults");
    if (!command_rest(line, 0, 0)) {
        return EXIT_USAGE;
    }
    int err = config_init(&defaults);
    if (err) {
        command_error(line, "%s", err_text(err));
    } else if (line->json) {
        config_print_json(want_defaults ? &defaults : &line->config, stdout);
    } else {
        config_print_yaml(want_defaults ? &defaults : &line->config, stdout);
    }
    config_fini(&defaults);
    return err ? EXIT_FAILED : EXIT_OK;
}

const struct command command_print_config = {
    .name = "print-config",
    .args = "[--defaults]",
    .usage = "Print the settings in force as YAML.",
    .flags = COMMAND_CONFIG,
    .exec = print_config,
};
