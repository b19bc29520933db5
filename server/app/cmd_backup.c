/* amphi backup: a copy of database and keys that can be opened, made while the server runs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/clock.h"
#include "codec/sys/file.h"
#include "server/app/command.h"
#include "server/app/json_out.h"
#include "server/app/paths.h"
#include "server/app/template_copy.h"
#include "signaling/store/copy.h"
#include "signaling/store/people.h"

static int copy_secret(const struct paths *paths, const char *to, char *why, size_t cap)
{
    char from[PATHS_MAX];
    char *text = NULL;
    size_t len = 0;
    int err = file_read(paths_in(paths, "keys/secret", from), 4096, &text, &len);
    if (err == E_NOTFOUND) {
        return 0; /* auth.secret is set: the key lives in the settings */
    }
    err = err ? err : file_write_atomic(to, text, len, 0600);
    mem_free(text);
    if (err) {
        snprintf(why, cap, "keys/secret: %s", err_text(err));
    }
    return err;
}

/* Names and addresses stand once beside all copies, as the keys do, and every backup replaces
 * them: who was erased is erased. */
static int backup_people(const struct paths *paths, const char *parent, char *why, size_t cap)
{
    char from[PATHS_MAX];
    char to[PATHS_MAX];
    snprintf(to, sizeof(to), "%.3500s/people.db", parent);
    int err = people_copy(paths_in(paths, "people.db", from), to);
    if (err == E_NOTFOUND) {
        return 0; /* no server with accounts has run here yet */
    }
    if (err) {
        snprintf(why, cap, "people.db: %s", err_text(err));
    }
    return err;
}

/* The journal first: nobody can then be in it whose key is not among those copied after it. */
static int backup_into(const struct paths *paths, const char *parent, const char *folder, char *why,
                       size_t cap)
{
    char from[PATHS_MAX];
    char to[PATHS_MAX];
    snprintf(to, sizeof(to), "%.3500s/keys", folder);
    int err = file_mkdirs(to, 0700);
    if (err) {
        snprintf(why, cap, "%.300s: %s", to, strerror(errno));
        return err;
    }
    snprintf(to, sizeof(to), "%.3500s/amphi.db", folder);
    err = copy_journal(paths_in(paths, "amphi.db", from), to, why, cap);
    snprintf(to, sizeof(to), "%.3500s/keys/secret", folder);
    err = err ? err : copy_secret(paths, to, why, cap);
    snprintf(to, sizeof(to), "%.3500s/person-keys", parent);
    err = err ? err : copy_keys(from, to, why, cap);
    snprintf(to, sizeof(to), "%.3500s/templates", folder);
    err = err ? err : template_copy(paths_in(paths, "templates", from), to, why, cap);
    return err ? err : backup_people(paths, parent, why, cap);
}

static int backup(struct command_line *line)
{
    struct paths paths;
    char folder[PATHS_MAX];
    char when[CLOCK_WALL_TEXT_MAX];
    char why[512] = "";
    if (!command_rest(line, 1, 1)) {
        return EXIT_USAGE;
    }
    int err = paths_init(&paths, &line->config);
    clock_wall_text(clock_wall_ms(), when);
    /* 2026-11-23T18:50:12.123Z without what file systems and shells trip over */
    snprintf(folder, sizeof(folder), "%.3400s/amphi-%.4s%.2s%.2sT%.2s%.2s%.2sZ", line->argv[1],
             when, when + 5, when + 8, when + 11, when + 14, when + 17);
    err = err ? err : backup_into(&paths, line->argv[1], folder, why, sizeof(why));
    if (err) {
        command_error(line, "backup: %s", why[0] ? why : err_text(err));
        return EXIT_FAILED;
    }
    if (line->json) {
        fputs("{\"ok\":true,\"folder\":", stdout);
        json_out_text(stdout, folder);
        fputs("}\n", stdout);
    } else {
        puts(folder);
    }
    return EXIT_OK;
}

const struct command command_backup = {
    .name = "backup",
    .args = "<folder>",
    .usage = "Copy database, keys and changed mails into a new folder below this one.",
    .help = "Safe while the server runs; `amphi restore` is the way back. The keys of persons are\n"
            "not in the copies but in <folder>/person-keys, accounts and rosters in\n"
            "<folder>/people.db, which every backup replaces: a person\n"
            "who was erased is then erased from the older copies too. If you take the folder\n"
            "elsewhere, keep the newest of both only.\n",
    .flags = COMMAND_CONFIG,
    .exec = backup,
};
