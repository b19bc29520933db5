/* The program: finds the command, loads its settings, runs it. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "codec/sys/log.h"
#include "server/app/command.h"
#include "server/app/version.h"

const struct command *command_table(size_t *count)
{
    static const struct command *const list[] = {
        &command_serve,    &command_check_config, &command_print_config, &command_class,
        &command_link,     &command_doctor,       &command_attendance,   &command_backup,
        &command_drain,    &command_version,      &command_man,          &command_core,
        &command_door,     &command_demo,         &command_load,         &command_admin,
        &command_capacity, &command_restore,      &command_invite,       &command_mail,
        &command_mailer,
    };
    static struct command table[sizeof(list) / sizeof(list[0])];
    *count = sizeof(list) / sizeof(list[0]);
    for (size_t i = 0; i < *count; i++) {
        table[i] = *list[i];
    }
    return table;
}

static void print_usage(FILE *out)
{
    size_t count;
    const struct command *table = command_table(&count);
    fputs("Amphi, a virtual classroom server.\n\nusage: amphi <command> [arguments] [--config "
          "file] [--json]\n\n",
          out);
    for (size_t i = 0; i < count; i++) {
        if (!(table[i].flags & COMMAND_HIDDEN)) {
            char head[64];
            snprintf(head, sizeof(head), "%s %s", table[i].name, table[i].args);
            fprintf(out, "  %-44s %s\n", head, table[i].usage);
        }
    }
    fputs("\n`amphi <command> --help` tells more; `amphi serve --help` lists every setting.\n",
          out);
}

static int print_help(const struct command *c)
{
    printf("amphi %s %s\n\n%s\n", c->name, c->args, c->usage);
    if (c->help) {
        printf("\n%s", c->help);
    }
    if (c->flags & COMMAND_CONFIG) {
        fputs("\nSettings, also as AMPHI_SECTION__KEY and in the YAML file of --config:\n", stdout);
        config_print_help(stdout);
    }
    return EXIT_OK;
}

/* An installed program finds the packaged settings by itself; a built one in a work tree never
 * touches them. */
static const char *default_config(void)
{
    static const char packaged[] = "/etc/amphi/amphi.yaml";
    char self[256];
    const char *env = getenv("AMPHI_CONFIG");
    if (env && *env) {
        return env;
    }
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[len > 0 ? len : 0] = '\0';
    return !strncmp(self, "/usr/", 5) && !access(packaged, R_OK) ? packaged : NULL;
}

static int run(const struct command *command, int argc, char **argv)
{
    char why[CONFIG_WHY_MAX];
    /* Children get the words as they were given; parsing removes some from argv. */
    char **given = calloc((size_t)argc + 1, sizeof(*given));
    if (!given) {
        return EXIT_FAILED;
    }
    memcpy(given, argv, (size_t)argc * sizeof(*given));
    struct command_line line = {
        .argc = argc, .argv = argv, .command = command, .all_argc = argc, .all_argv = given};
    int code = EXIT_CONFIG;
    line.json = command_flag(&line, "--json");
    line.config_path = command_value(&line, "--config");
    if (!line.config_path) {
        line.config_path = default_config();
    }
    if (command_flag(&line, "--help") || command_flag(&line, "-h")) {
        code = print_help(command);
    } else if ((command->flags & COMMAND_CONFIG) &&
               config_load(&line.config, line.config_path, environ, &line.argc, line.argv, why)) {
        command_error(&line, "%s", why);
    } else {
        if (command->flags & COMMAND_CONFIG) {
            log_setup((enum log_level)line.config.log_level,
                      (enum log_format)line.config.log_format, line.config.log_reveal,
                      STDERR_FILENO);
        }
        code = command->exec(&line);
    }
    if (command->flags & COMMAND_CONFIG) {
        config_fini(&line.config);
    }
    free(given);
    return code;
}

int main(int argc, char **argv)
{
    size_t count;
    const struct command *table = command_table(&count);
    const char *name = argc > 1 ? argv[1] : "";
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes is a full disk, no death */
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
        print_usage(stdout);
        return EXIT_OK;
    }
    if (!strcmp(name, "--version")) {
        printf("amphi %s\n", AMPHI_VERSION);
        return EXIT_OK;
    }
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(table[i].name, name)) {
            return run(&table[i], argc - 1, argv + 1);
        }
    }
    if (*name) {
        fprintf(stderr, "amphi: no command %s\n\n", name);
    }
    print_usage(stderr);
    return EXIT_USAGE;
}
