/* amphi man: the manual page, generated from the command table and config.def. */
#include <stdio.h>

#include "server/app/command.h"

static const char head[] =
    ".Dd November 23, 2026\n.Dt AMPHI 1\n.Os\n.Sh NAME\n.Nm amphi\n.Nd virtual classroom server\n"
    ".Sh SYNOPSIS\n.Nm\n.Ar command\n.Op Ar arguments\n.Op Fl -config Ar file\n.Op Fl -json\n"
    ".Op Fl -section.key Ar value\n.Sh DESCRIPTION\n.Nm\nserves classes: sound and pictures by "
    "WebRTC, the page people join from, and everything that happens in a class, from one program "
    "and one folder.\n.Sh COMMANDS\n.Bl -tag -width Ds\n";

static const char middle[] =
    ".El\n.Sh SETTINGS\nEach setting is a flag, an environment variable and a key of the YAML "
    "file; later ones win in the order file, environment, flag.\n.Bl -tag -width Ds\n";

static const char tail[] =
    ".El\n.Sh SIGNALS\n.Bl -tag -width Ds\n.It Dv SIGTERM\nTell everybody, finish what was "
    "accepted, exit 0 within server.drain_s seconds.\n.It Dv SIGHUP\nRead the certificate and the "
    "settings marked for it again.\n.El\n.Sh FILES\n.Bl -tag -width Ds\n"
    ".It Pa /etc/amphi/amphi.yaml\nSettings of the packaged service.\n"
    ".It Pa /var/lib/amphi\nIts data folder: amphi.db, keys, files, recordings, run.\n.El\n"
    ".Sh EXIT STATUS\n.Bl -tag -width Ds\n.It 0\nDone.\n.It 1\nFailed while running; trying again "
    "may help.\n.It 64\nWrong usage.\n.It 78\nWrong settings, or data of a newer version: trying "
    "again does not help.\n.El\n";

static int man(struct command_line *line)
{
    size_t count;
    const struct command *table = command_table(&count);
    if (!command_rest(line, 0, 0)) {
        return EXIT_USAGE;
    }
    fputs(head, stdout);
    for (size_t i = 0; i < count; i++) {
        if (!(table[i].flags & COMMAND_HIDDEN)) {
            const char *args = table[i].args;
            printf(".It Nm Cm %s%s%s\n%s\n", table[i].name, *args ? " Ar " : "", args,
                   table[i].usage);
            if (table[i].help) {
                printf(".Bd -literal\n%s.Ed\n", table[i].help);
            }
        }
    }
    fputs(middle, stdout);
    config_print_man(stdout);
    fputs(tail, stdout);
    return EXIT_OK;
}

const struct command command_man = {
    .name = "man",
    .args = "",
    .usage = "Print the manual page.",
    .flags = COMMAND_HIDDEN,
    .exec = man,
};
