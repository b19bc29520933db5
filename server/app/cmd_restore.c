/* amphi restore: a data folder from what amphi backup made. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/file.h"
#include "server/app/command.h"
#include "server/app/json_out.h"
#include "server/app/paths.h"
#include "server/app/template_copy.h"
#include "signaling/store/copy.h"
#include "signaling/store/people.h"

/* Links given out go on to work; a key that is here already stays. */
static int restore_secret(const struct paths *paths, const char *folder, char *why, size_t cap)
{
    char from[PATHS_MAX];
    char to[PATHS_MAX];
    struct stat st;
    char *text = NULL;
    size_t len = 0;
    if (!stat(paths_in(paths, "keys/secret", to), &st)) {
        return 0;
    }
    snprintf(from, sizeof(from), "%.3500s/keys/secret", folder);
    int err = file_read(from, 4096, &text, &len);
    if (err == E_NOTFOUND) {
        return 0; /* auth.secret was set */
    }
    err = err ? err : file_write_atomic(to, text, len, 0600);
    mem_free(text);
    if (err) {
        snprintf(why, cap, "keys/secret: %s", err_text(err));
    }
    return err;
}

static int restore_from(const struct paths *paths, const char *folder, bool without_keys,
                        struct copy_counts *counts, char *why, size_t cap)
{
    char journal[PATHS_MAX];
    char keys[PATHS_MAX];
    char to[PATHS_MAX];
    snprintf(journal, sizeof(journal), "%.3500s/amphi.db", folder);
    snprintf(keys, sizeof(keys), "%.3500s/../person-keys", folder);
    int err = copy_restore(journal, without_keys ? NULL : keys, paths_in(paths, "amphi.db", to),
                           counts, why, cap);
    err = err ? err : restore_secret(paths, folder, why, cap);
    snprintf(keys, sizeof(keys), "%.3500s/templates", folder);
    err = err ? err : template_copy(keys, paths_in(paths, "templates", to), why, cap);
    if (!err && !without_keys) {
        snprintf(keys, sizeof(keys), "%.3500s/../people.db", folder);
        err = people_copy(keys, paths_in(paths, "people.db", to));
        if (err && err != E_NOTFOUND) {
            snprintf(why, cap, "people.db: %s", err_text(err));
        }
        err = err == E_NOTFOUND ? 0 : err;
    }
    return err;
}

static void print_result(const struct command_line *line, const struct copy_counts *counts)
{
    if (line->json) {
        printf("{\"ok\":true,\"classes\":%llu,\"persons\":%llu}\n",
               (unsigned long long)counts->classes, (unsigned long long)counts->persons);
    } else {
        printf("restored %llu classes, %llu persons\n", (unsigned long long)counts->classes,
               (unsigned long long)counts->persons);
    }
}

static int restore(struct command_line *line)
{
    struct paths paths;
    struct paths_lock lock = {.fd = -1, .children = -1};
    struct copy_counts counts;
    char why[512] = "";
    bool without_keys = command_flag(line, "--without-keys");
    if (!command_rest(line, 1, 1)) {
        return EXIT_USAGE;
    }
    int err = paths_init(&paths, &line->config);
    if (!err) {
        err = paths_make(&paths, why, sizeof(why));
        mono_us patience = paths_patience(&line->config);
        err = err ? err : paths_lock(&paths, patience, &lock, why, sizeof(why));
        err = err ? err
                  : restore_from(&paths, line->argv[1], without_keys, &counts, why, sizeof(why));
        paths_close(&paths);
    }
    paths_unlock(&lock);
    if (err) {
        command_error(line, "restore: %s", why[0] ? why : err_text(err));
        return EXIT_FAILED;
    }
    print_result(line, &counts);
    return EXIT_OK;
}

const struct command command_restore = {
    .name = "restore",
    .args = "<folder>/amphi-<time> [--without-keys]",
    .usage = "Make a new data folder from a copy that backup made.",
    .help = "The server must not run and data.dir must hold no database: move an old one away\n"
            "first. Names and texts come back with the keys in <folder>/person-keys; of persons\n"
            "erased since, and of everybody with --without-keys, they stay unreadable.\n",
    .flags = COMMAND_CONFIG,
    .exec = restore,
};
