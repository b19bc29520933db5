#include "signaling/store/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/base/err.h"

enum { PAGES_PER_STEP = 256, BUSY_MS = 10000, STEPS_MAX = 1000000, PATH_CAP = 4096 };

/* The file being made, renamed to its name when it is whole. */
struct part {
    char path[PATH_CAP];
    sqlite3 *db;
};

static int failed(int err, const char *path, const char *reason, char *why, size_t cap)
{
    if (!why[0]) {
        (void)snprintf(why, cap, "%.300s: %s", path, reason);
    }
    return err;
}

static int sql_failed(sqlite3 *db, int rc, const char *path, char *why, size_t cap)
{
    const char *reason =
        db && sqlite3_errcode(db) != SQLITE_OK ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
    return failed((rc & 0xff) == SQLITE_NOMEM ? E_NOMEM : E_IO, path, reason, why, cap);
}

static int open_source(const char *path, sqlite3 **db, char *why, size_t cap)
{
    struct stat st;
    if (stat(path, &st)) {
        return failed(errno == ENOENT ? E_NOTFOUND : E_IO, path, strerror(errno), why, cap);
    }
    /* Not read-only: what a killed server left in its log must be looked at too. */
    int rc = sqlite3_open_v2(path, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, NULL);
    (void)sqlite3_busy_timeout(*db, BUSY_MS);
    return rc == SQLITE_OK ? 0 : sql_failed(*db, rc, path, why, cap);
}

static int part_open(struct part *part, const char *to, char *why, size_t cap)
{
    int n = snprintf(part->path, sizeof(part->path), "%s.part", to);
    if (n < 0 || (size_t)n >= sizeof(part->path)) {
        return failed(E_TOOBIG, to, "the name is too long", why, cap);
    }
    (void)unlink(part->path);
    int fd = open(part->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return failed(E_IO, part->path, strerror(errno), why, cap);
    }
    (void)close(fd);
    int rc =
        sqlite3_open_v2(part->path, &part->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, NULL);
    (void)sqlite3_busy_timeout(part->db, BUSY_MS);
    return rc == SQLITE_OK ? 0 : sql_failed(part->db, rc, part->path, why, cap);
}

static int sync_path(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return E_IO;
    }
    int err = fsync(fd) ? E_IO : 0;
    (void)close(fd);
    return err;
}

/* err = 0: the part becomes the file; otherwise it goes. */
static int part_close(struct part *part, const char *to, int err, char *why, size_t cap)
{
    char folder[PATH_CAP];
    char journal[PATH_CAP + 16];
    (void)sqlite3_close(part->db);
    (void)snprintf(journal, sizeof(journal), "%s-journal", part->path);
    (void)unlink(journal); /* left behind by the exclusive mode, empty */
    if (err) {
        (void)unlink(part->path);
        return err;
    }
    const char *slash = strrchr(to, '/');
    (void)snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - to + 1) : 1,
                   slash ? to : ".");
    if (sync_path(part->path) || rename(part->path, to) || sync_path(folder)) {
        err = failed(E_IO, to, strerror(errno), why, cap);
        (void)unlink(part->path);
    }
    return err;
}

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

#define EXECUTE(db, literal) sqlite3_exec(db, "" literal, NULL, NULL, NULL)

/* Out of log mode, so that the file stands alone, then over the keys with zeros, in place. */
static int strip_keys(sqlite3 *db)
{
    int rc = EXECUTE(db, "PRAGMA locking_mode = EXCLUSIVE");
    rc = rc != SQLITE_OK ? rc : EXECUTE(db, "PRAGMA journal_mode = DELETE");
    rc = rc != SQLITE_OK ? rc : EXECUTE(db, "PRAGMA journal_mode = OFF");
    rc = rc != SQLITE_OK ? rc : EXECUTE(db, "PRAGMA secure_delete = ON");
    return rc != SQLITE_OK ? rc : EXECUTE(db, "DELETE FROM person_key");
}

int copy_journal(const char *from, const char *to, char *why, size_t cap)
{
    sqlite3 *source = NULL;
    struct part part = {.db = NULL};
    why[0] = '\0';
    int err = open_source(from, &source, why, cap);
    if (!err) {
        err = part_open(&part, to, why, cap);
        int rc = err ? SQLITE_OK : copy_pages(part.db, source);
        rc = err || rc != SQLITE_OK ? rc : strip_keys(part.db);
        rc = err || rc != SQLITE_OK ? rc : integrity(part.db);
        err = err || rc == SQLITE_OK ? err : sql_failed(part.db, rc, from, why, cap);
        err = part_close(&part, to, err, why, cap);
    }
    (void)sqlite3_close(source);
    return err;
}

/* ---- keys -------------------------------------------------------------------------------------
 */

/* Whose database this is: a number drawn when it was made. E_NOTFOUND when the table has none. */
static int owner(sqlite3 *db, int64_t *id)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE name = 'owner'", -1, &stmt, NULL);
    rc = rc == SQLITE_OK ? sqlite3_step(stmt) : rc;
    *id = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    (void)sqlite3_finalize(stmt);
    return rc == SQLITE_ROW ? 0 : rc == SQLITE_DONE ? E_NOTFOUND : E_IO;
}

static int attach(sqlite3 *db, const char *path)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, "ATTACH ?1 AS other", -1, &stmt, NULL);
    if (rc == SQLITE_OK) {
        (void)sqlite3_bind_text(stmt, 1, path, -1, SQLITE_STATIC);
        rc = sqlite3_step(stmt);
    }
    (void)sqlite3_finalize(stmt);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* The keys there already are this server's, or there are none. */
static int may_replace(const char *to, int64_t id, char *why, size_t cap)
{
    sqlite3 *old = NULL;
    int64_t old_id = 0;
    char ignored[64] = "";
    int err = open_source(to, &old, ignored, sizeof(ignored));
    if (!err) {
        err = owner(old, &old_id);
        err = !err && old_id == id ? 0
                                   : failed(E_STATE, to,
                                            "holds the keys of another server; choose a folder of "
                                            "its own for each",
                                            why, cap);
    } else {
        err = err == E_NOTFOUND ? 0 : failed(err, to, ignored, why, cap);
    }
    (void)sqlite3_close(old);
    return err;
}

int copy_keys(const char *from, const char *to, char *why, size_t cap)
{
    sqlite3 *source = NULL;
    struct part part = {.db = NULL};
    int64_t id = 0;
    why[0] = '\0';
    int err = open_source(from, &source, why, cap);
    if (!err && owner(source, &id)) {
        err =
            failed(E_VERSION, from, "made by an older amphi; start this one on it first", why, cap);
    }
    (void)sqlite3_close(source);
    err = err ? err : may_replace(to, id, why, cap);
    if (err) {
        return err;
    }
    err = part_open(&part, to, why, cap);
    if (!err) {
        int rc = attach(part.db, from);
        rc = rc != SQLITE_OK
                 ? rc
                 : EXECUTE(part.db,
                           "BEGIN;"
                           "CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL);"
                           "INSERT INTO meta SELECT name, value FROM other.meta"
                           " WHERE name = 'owner';"
                           "CREATE TABLE person_key (class BLOB NOT NULL, person BLOB NOT NULL,"
                           " key BLOB NOT NULL, PRIMARY KEY (class, person)) WITHOUT ROWID;"
                           "INSERT INTO person_key SELECT class, person, key"
                           " FROM other.person_key;"
                           "COMMIT; DETACH other");
        rc = rc != SQLITE_OK ? rc : integrity(part.db);
        err = rc == SQLITE_OK ? 0 : sql_failed(part.db, rc, from, why, cap);
    }
    return part_close(&part, to, err, why, cap);
}

/* ---- restoring --------------------------------------------------------------------------------
 */

static int64_t number(sqlite3 *db, const char *literal)
{
    sqlite3_stmt *stmt = NULL;
    int64_t n = 0;
    if (sqlite3_prepare_v2(db, literal, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW) {
        n = sqlite3_column_int64(stmt, 0);
    }
    (void)sqlite3_finalize(stmt);
    return n;
}

static int add_keys(sqlite3 *db, const char *keys, char *why, size_t cap)
{
    sqlite3 *other = NULL;
    int64_t a = 0;
    int64_t b = 0;
    int err = open_source(keys, &other, why, cap);
    if (!err && (owner(db, &a) || owner(other, &b) || a != b)) {
        err = failed(E_STATE, keys, "does not hold the keys of this copy's server", why, cap);
    }
    (void)sqlite3_close(other);
    if (err) {
        return err;
    }
    int rc = attach(db, keys);
    rc = rc != SQLITE_OK ? rc
                         : EXECUTE(db, "INSERT INTO person_key SELECT class, person, key"
                                       " FROM other.person_key WHERE class IN"
                                       " (SELECT id FROM class);"
                                       "DETACH other");
    return rc == SQLITE_OK ? 0 : sql_failed(db, rc, keys, why, cap);
}

int copy_restore(const char *journal, const char *keys, const char *to, struct copy_counts *counts,
                 char *why, size_t cap)
{
    struct stat st;
    sqlite3 *source = NULL;
    struct part part = {.db = NULL};
    *counts = (struct copy_counts){0};
    why[0] = '\0';
    if (!stat(to, &st)) {
        return failed(E_DUP, to, "is there already", why, cap);
    }
    int err = open_source(journal, &source, why, cap);
    if (!err) {
        err = part_open(&part, to, why, cap);
        int rc = err ? SQLITE_OK : copy_pages(part.db, source);
        err = err || rc == SQLITE_OK ? err : sql_failed(part.db, rc, journal, why, cap);
        err = err || !keys ? err : add_keys(part.db, keys, why, cap);
        if (!err && integrity(part.db) != SQLITE_OK) {
            err = failed(E_IO, journal, "is damaged", why, cap);
        }
        if (!err) {
            counts->classes = (uint64_t)number(part.db, "SELECT count(*) FROM class");
            counts->persons = (uint64_t)number(part.db, "SELECT count(*) FROM person_key");
        }
        err = part_close(&part, to, err, why, cap);
    }
    (void)sqlite3_close(source);
    return err;
}
