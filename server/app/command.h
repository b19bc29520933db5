/*
 * One command = one file = one row of the table in main.c.
 * Exit codes of every command: 0 done, 1 failed while running, 64 wrong usage, 78 configuration
 * (a setting, a file it names, or data of a newer version) that a restart cannot mend.
 */
#pragma once

#include <stdbool.h>

#include "server/app/config.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 64, EXIT_CONFIG = 78 };

enum command_flags {
    COMMAND_CONFIG = 1, /* settings are loaded before exec and a bad one ends the command */
    COMMAND_HIDDEN = 2, /* started by ourselves, not by people */
};

struct command_line {
    int argc; /* words left: argv[0] is the command's name */
    char **argv;
    const struct command *command;
    const char *config_path; /* --config, else AMPHI_CONFIG, else the packaged place, else NULL */
    bool json;
    struct config config; /* COMMAND_CONFIG */
    int all_argc;         /* as it was given, for children */
    char **all_argv;
};

struct command {
    const char *name;
    const char *args;  /* "<class> [--role host]" */
    const char *usage; /* one line: what it does */
    const char *help;  /* more lines for --help; may be NULL */
    unsigned flags;
    int (*exec)(struct command_line *line); /* returns the exit code */
};

/* Every command; *count rows. */
const struct command *command_table(size_t *count);

/* Removes the flag from the words; true when it was there. */
bool command_flag(struct command_line *line, const char *name);
/* Removes "--name value" or "--name=value"; its value or NULL. */
const char *command_value(struct command_line *line, const char *name);
/* True when min to max words and no unknown flag are left; otherwise usage was printed. */
bool command_rest(struct command_line *line, int min, int max);
/* Prints "amphi: text" as one line on standard error (an object with --json on standard output). */
void command_error(const struct command_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One per file cmd_*.c. */
extern const struct command command_serve;
extern const struct command command_check_config;
extern const struct command command_print_config;
extern const struct command command_class;
extern const struct command command_link;
extern const struct command command_doctor;
extern const struct command command_attendance;
extern const struct command command_backup;
extern const struct command command_invite;
extern const struct command command_mail;
extern const struct command command_mailer;
extern const struct command command_restore;
extern const struct command command_drain;
extern const struct command command_version;
extern const struct command command_man;
extern const struct command command_core;
extern const struct command command_door;
extern const struct command command_demo;
extern const struct command command_load;
extern const struct command command_admin;
extern const struct command command_capacity;
