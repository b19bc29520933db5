/* amphi backup: a copy of database and keys that can be opened, made while the server runs. */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/clock.h"
#include "codec/sys/file.h"
#include "server/app/command.h"
#include "server/app/json_out.h"
#include "server/app/paths.h"

enum { PAGES_PER_STEP = 256, BUSY_MS = 10000, STEPS_MAX = 1000000 };

/* SQLite's online backup: readers and the server's writer go on; a page written meanwhile is copied
 * again. */
static int copy_pages(sqlite3 *to, sqlite3 *from)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    int rc = SQLITE_OK;
    for (int i = 0; backup && i < STEPS_MAX; i++) {
        rc = sqlite3_backup_step(backup, PAGES_PER_STEP);
        if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED) {
            sqlite3_sleep(20);
        } else if (rc != SQLITE_OK) {
            break;
        }
    }
    (void)sqlite3_backup_finish(backup);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* A copy nobody checked is a hope, not a backup. */
static int integrity(sqlite3 *db)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &stmt, NULL);
    bool good = rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW &&
                sqlite3_column_bytes(stmt, 0) == 2 &&
                !memcmp(sqlite3_column_text(stmt, 0), "ok", 2);
    (void)sqlite3_finalize(stmt);
    return good ? SQLITE_OK : SQLITE_CORRUPT;
}

static int copy_database(const char *from_path, const char *to_path, char *why, size_t cap)
{
    sqlite3 *from = NULL;
    sqlite3 *to = NULL;
    int rc = sqlite3_open_v2(from_path, &from, SQLITE_OPEN_READWRITE, NULL);
    (void)sqlite3_busy_timeout(from, BUSY_MS);
    if (rc == SQLITE_OK) {
        rc = sqlite3_open_v2(to_path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    }
    rc = rc == SQLITE_OK ? copy_pages(to, from) : rc;
    rc = rc == SQLITE_OK ? integrity(to) : rc;
    if (rc != SQLITE_OK) {
        snprintf(why, cap, "%.300s: %s", from_path, sqlite3_errstr(rc));
    }
    (void)sqlite3_close(to);
    (void)sqlite3_close(from);
    if (rc == SQLITE_OK && chmod(to_path, 0600)) {
        rc = SQLITE_IOERR;
    }
    return rc == SQLITE_OK ? 0 : E_IO;
}

static int copy_key(const struct paths *paths, const char *to, char *why, size_t cap)
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

static int backup_into(const struct paths *paths, const char *folder, char *why, size_t cap)
{
    char from[PATHS_MAX];
    char to[PATHS_MAX];
    int err = file_mkdirs(folder, 0700);
    if (err) {
        snprintf(why, cap, "%.300s: %s", folder, strerror(errno));
        return err;
    }
    snprintf(to, sizeof(to), "%.3500s/amphi.db", folder);
    err = copy_database(paths_in(paths, "amphi.db", from), to, why, cap);
    snprintf(to, sizeof(to), "%.3500s/keys", folder);
    err = err ? err : file_mkdirs(to, 0700);
    snprintf(to, sizeof(to), "%.3500s/keys/secret", folder);
    return err ? err : copy_key(paths, to, why, cap);
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
    err = err ? err : backup_into(&paths, folder, why, sizeof(why));
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
    .usage = "Copy database and keys into a new folder below this one.",
    .help = "Safe while the server runs. To restore: stop the server, put amphi.db and keys/ back\n"
            "into data.dir, remove amphi.db-wal and amphi.db-shm, start.\n",
    .flags = COMMAND_CONFIG,
    .exec = backup,
};
