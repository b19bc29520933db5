#include "signaling/store/people.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "signaling/store/db.h"

enum { BUSY_MS = 10000 };

#define PEOPLE(name, sql) [PEOPLE_##name] = "" sql,
static const char *const sql[PEOPLE_COUNT] = {
#include "signaling/store/people.def"
};
#undef PEOPLE

struct people {
    sqlite3 *handle;
    sqlite3_stmt *st[PEOPLE_COUNT];
};

/* SQL is a literal at the place it is run (S30). */
#define EXECUTE(people, literal)                                                                   \
    db_code(sqlite3_exec((people)->handle, "" literal, NULL, NULL, NULL))

/* Who may sign in, and who did what. */
static int migrate_from_0(struct people *p)
{
    return EXECUTE(
        p, "CREATE TABLE account (id BLOB PRIMARY KEY, mail TEXT NOT NULL UNIQUE,"
           " name TEXT NOT NULL, admin INTEGER NOT NULL DEFAULT 0, hash TEXT,"
           " subject TEXT UNIQUE, disabled INTEGER NOT NULL DEFAULT 0,"
           " created INTEGER NOT NULL, seen INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;"
           "CREATE TABLE session (digest BLOB PRIMARY KEY, account BLOB NOT NULL"
           " REFERENCES account(id) ON DELETE CASCADE, created INTEGER NOT NULL,"
           " seen INTEGER NOT NULL, agent TEXT NOT NULL) STRICT, WITHOUT ROWID;"
           "CREATE INDEX session_account ON session(account);"
           "CREATE TABLE once (digest BLOB PRIMARY KEY, kind TEXT NOT NULL, account BLOB"
           " REFERENCES account(id) ON DELETE CASCADE, data TEXT, expires INTEGER NOT NULL)"
           " STRICT, WITHOUT ROWID;"
           "CREATE TABLE audit (number INTEGER PRIMARY KEY, at INTEGER NOT NULL, account BLOB,"
           " who TEXT NOT NULL, action TEXT NOT NULL, object TEXT NOT NULL,"
           " detail TEXT NOT NULL) STRICT;"
           "CREATE INDEX audit_object ON audit(object, number);"
           "PRAGMA user_version = 1");
}

/* Classes as those who prepare them know them, and whom they invite. */
static int migrate_from_1(struct people *p)
{
    return EXECUTE(
        p, "CREATE TABLE class (id BLOB PRIMARY KEY, owner BLOB NOT NULL, title TEXT NOT NULL,"
           " type TEXT NOT NULL, start INTEGER NOT NULL, minutes INTEGER NOT NULL,"
           " permanent INTEGER NOT NULL, zone TEXT NOT NULL, lang TEXT NOT NULL,"
           " note TEXT NOT NULL, settings TEXT NOT NULL, series BLOB, capacity INTEGER NOT NULL,"
           " open INTEGER NOT NULL DEFAULT 0, reminders INTEGER NOT NULL DEFAULT 0,"
           " invited INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL,"
           " binned INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;"
           "CREATE INDEX class_owner ON class(owner);"
           "CREATE TABLE staff (class BLOB NOT NULL REFERENCES class(id) ON DELETE CASCADE,"
           " account BLOB NOT NULL REFERENCES account(id) ON DELETE CASCADE,"
           " PRIMARY KEY (class, account)) STRICT, WITHOUT ROWID;"
           "CREATE TABLE enrolled (class BLOB NOT NULL REFERENCES class(id) ON DELETE CASCADE,"
           " person BLOB NOT NULL, mail TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,"
           " team TEXT NOT NULL, origin TEXT NOT NULL, place TEXT NOT NULL,"
           " answer TEXT NOT NULL DEFAULT '', lang TEXT NOT NULL DEFAULT '',"
           " invited INTEGER NOT NULL DEFAULT 0, reminded INTEGER NOT NULL DEFAULT 0,"
           " at INTEGER NOT NULL, PRIMARY KEY (class, person), UNIQUE (class, mail))"
           " STRICT, WITHOUT ROWID;"
           "CREATE INDEX enrolled_mail ON enrolled(mail);"
           "PRAGMA user_version = 2");
}

/* Numbers of a training register; listed = the class knows the row as it is. What an administrator
 * sets while the server runs: how long things are kept (keep.class zero = everywhere), limits. Who
 * could not be let in (refused), by day and class. */
static int migrate_from_2(struct people *p)
{
    return EXECUTE(
        p, "ALTER TABLE enrolled ADD COLUMN number TEXT NOT NULL DEFAULT '';"
           "ALTER TABLE enrolled ADD COLUMN listed INTEGER NOT NULL DEFAULT 0;"
           "CREATE INDEX enrolled_unlisted ON enrolled(listed, class);"
           "CREATE INDEX enrolled_number ON enrolled(class, number);"
           "CREATE TABLE keep (class BLOB NOT NULL, what TEXT NOT NULL, days INTEGER NOT NULL,"
           " PRIMARY KEY (class, what)) STRICT, WITHOUT ROWID;"
           "CREATE TABLE purged (class BLOB NOT NULL, what TEXT NOT NULL, upto INTEGER NOT NULL,"
           " at INTEGER NOT NULL, PRIMARY KEY (class, what)) STRICT, WITHOUT ROWID;"
           "CREATE TABLE setting (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT,"
           " WITHOUT ROWID;"
           "CREATE TABLE refused (day INTEGER NOT NULL, class BLOB NOT NULL, why TEXT NOT NULL,"
           " count INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
           " PRIMARY KEY (day, class, why)) STRICT, WITHOUT ROWID;"
           "PRAGMA user_version = 3");
}

/* Which date an invited person was told last: start and length in one number, 0 = none. How many
 * sheets of a class are to be sealed: -1 none, 0 nobody has looked. */
static int migrate_from_3(struct people *p)
{
    return EXECUTE(p, "ALTER TABLE enrolled ADD COLUMN told INTEGER NOT NULL DEFAULT 0;"
                      "UPDATE enrolled SET told = (SELECT start + minutes FROM class"
                      " WHERE id = enrolled.class AND start > 0) WHERE invited > 0 AND EXISTS"
                      " (SELECT 1 FROM class WHERE id = enrolled.class AND start > 0);"
                      "CREATE INDEX enrolled_told ON enrolled(told) WHERE told > 0;"
                      "ALTER TABLE class ADD COLUMN unsealed INTEGER NOT NULL DEFAULT 0;"
                      "PRAGMA user_version = 4");
}

/* The dates of a class of several as people were told them, which change of them each was told
 * (version). Whose certificate is to be written once a sheet is sealed, by which run of the server:
 * what an earlier run left is taken up by the next. */
static int migrate_from_4(struct people *p)
{
    return EXECUTE(p, "ALTER TABLE class ADD COLUMN plan TEXT NOT NULL DEFAULT '';"
                      "ALTER TABLE class ADD COLUMN version INTEGER NOT NULL DEFAULT 0;"
                      "ALTER TABLE enrolled ADD COLUMN version INTEGER NOT NULL DEFAULT 0;"
                      "CREATE TABLE paper (class BLOB NOT NULL, session INTEGER NOT NULL,"
                      " person BLOB NOT NULL, run INTEGER NOT NULL,"
                      " PRIMARY KEY (class, session, person)) STRICT, WITHOUT ROWID;"
                      "PRAGMA user_version = 5");
}

/* Step i brings a file from user_version i to i + 1. Never change one that was released. */
static int (*const migrations[PEOPLE_VERSION])(struct people *p) = {
    migrate_from_0, migrate_from_1, migrate_from_2, migrate_from_3, migrate_from_4};

static int64_t pragma_version(struct people *p, int *err)
{
    sqlite3_stmt *st = NULL;
    int64_t version = 0;
    int rc = sqlite3_prepare_v2(p->handle, "PRAGMA user_version", -1, &st, NULL);
    rc = rc == SQLITE_OK ? sqlite3_step(st) : rc;
    if (rc == SQLITE_ROW) {
        version = sqlite3_column_int64(st, 0);
    }
    *err = rc == SQLITE_ROW ? 0 : db_code(rc);
    (void)sqlite3_finalize(st);
    return version;
}

/* Two threads may open a new file at once: the version counts within the transaction. */
static int migrate(struct people *p)
{
    int err = EXECUTE(p, "BEGIN IMMEDIATE");
    int64_t version = err ? 0 : pragma_version(p, &err);
    if (!err && version > PEOPLE_VERSION) {
        err = E_VERSION;
    }
    for (int64_t v = version; v < PEOPLE_VERSION && !err; v++) {
        err = migrations[v](p);
    }
    err = err ? err : EXECUTE(p, "COMMIT");
    if (err && !sqlite3_get_autocommit(p->handle)) {
        (void)EXECUTE(p, "ROLLBACK");
    }
    return err;
}

int people_open(struct people **out, const char *path)
{
    struct people *p = mem_alloc(sizeof(*p));
    *out = NULL;
    if (!p) {
        return E_NOMEM;
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int err = fd < 0 ? E_IO : 0;
    if (!err) {
        (void)close(fd);
        int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
        err = db_code(sqlite3_open_v2(path, &p->handle, flags, NULL));
    }
    if (!err) {
        (void)sqlite3_busy_timeout(p->handle, BUSY_MS);
        int64_t version = pragma_version(p, &err);
        err = !err && version > PEOPLE_VERSION ? E_VERSION : err;
    }
    err = err ? err : EXECUTE(p, "PRAGMA journal_mode = WAL");
    err = err ? err : EXECUTE(p, "PRAGMA synchronous = FULL");
    err = err ? err : EXECUTE(p, "PRAGMA secure_delete = ON");
    err = err ? err : EXECUTE(p, "PRAGMA foreign_keys = ON");
    err = err ? err : migrate(p);
    if (err) {
        people_close(p);
        return err;
    }
    *out = p;
    return 0;
}

void people_close(struct people *p)
{
    if (!p) {
        return;
    }
    for (unsigned i = 0; i < PEOPLE_COUNT; i++) {
        (void)sqlite3_finalize(p->st[i]);
    }
    (void)sqlite3_close(p->handle);
    mem_free(p);
}

/* ---- copies
 * -------------------------------------------------------------------------------------------- */

int people_copy(const char *from, const char *to)
{
    char fresh[4096];
    sqlite3 *handle = NULL;
    sqlite3_stmt *st = NULL;
    int n = snprintf(fresh, sizeof(fresh), "%s.new", to);
    if (n < 0 || (size_t)n >= sizeof(fresh)) {
        return E_TOOBIG;
    }
    if (access(from, F_OK) != 0) {
        return E_NOTFOUND;
    }
    (void)unlink(fresh);
    int rc = sqlite3_open_v2(from, &handle, SQLITE_OPEN_READWRITE, NULL);
    (void)sqlite3_busy_timeout(handle, BUSY_MS);
    rc = rc ? rc : sqlite3_prepare_v2(handle, "VACUUM INTO ?1", -1, &st, NULL);
    if (rc == SQLITE_OK) {
        (void)sqlite3_bind_text(st, 1, fresh, -1, SQLITE_STATIC);
        rc = sqlite3_step(st);
    }
    int err = db_code(rc);
    (void)sqlite3_finalize(st);
    (void)sqlite3_close(handle);
    if (!err && (chmod(fresh, 0600) != 0 || rename(fresh, to) != 0)) {
        err = E_IO;
    }
    if (err) {
        (void)unlink(fresh);
    }
    return err;
}

/* ---- statements
 * -------------------------------------------------------------------------------------------- */

static sqlite3_stmt *statement(struct people *p, enum people_query q)
{
    if (!p->st[q]) {
        int rc =
            sqlite3_prepare_v3(p->handle, sql[q], -1, SQLITE_PREPARE_PERSISTENT, &p->st[q], NULL);
        if (rc != SQLITE_OK) {
            return NULL;
        }
    }
    return p->st[q];
}

static void bind_all(sqlite3_stmt *st, const char *args, va_list list)
{
    for (int at = 1; *args; args++, at++) {
        if (*args == 'i') {
            (void)sqlite3_bind_int64(st, at, va_arg(list, int64_t));
            continue;
        }
        const void *value = va_arg(list, const void *);
        if (!value) {
            (void)sqlite3_bind_null(st, at);
        } else if (*args == 't') {
            (void)sqlite3_bind_text(st, at, value, -1, SQLITE_TRANSIENT);
        } else {
            int len = *args == 'd' ? ID_LEN : PEOPLE_DIGEST_LEN;
            (void)sqlite3_bind_blob(st, at, value, len, SQLITE_TRANSIENT);
        }
    }
}

static int done(sqlite3_stmt *st, int rc)
{
    int reset = sqlite3_reset(st);
    (void)sqlite3_clear_bindings(st);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : db_code(reset ? reset : rc);
}

int people_run(struct people *p, enum people_query q, const char *args, ...)
{
    sqlite3_stmt *st = statement(p, q);
    va_list list;
    if (!st) {
        return E_IO;
    }
    va_start(list, args);
    bind_all(st, args, list);
    va_end(list);
    return done(st, sqlite3_step(st));
}

int people_changes(const struct people *p)
{
    return sqlite3_changes(p->handle);
}

static json_t *cell(sqlite3_stmt *st, int i, char kind)
{
    char text[ID_TEXT_MAX];
    struct id id;
    switch (sqlite3_column_type(st, i)) {
    case SQLITE_INTEGER:
        return json_integer(sqlite3_column_int64(st, i));
    case SQLITE_TEXT:
        return json_string((const char *)sqlite3_column_text(st, i));
    case SQLITE_BLOB:
        if (sqlite3_column_bytes(st, i) != ID_LEN) {
            return json_null();
        }
        memcpy(id.b, sqlite3_column_blob(st, i), ID_LEN);
        return json_string(id_print(text, kind == 'c' ? ID_CLASS : ID_PERSON, &id));
    default:
        return json_null();
    }
}

static json_t *row_of(sqlite3_stmt *st)
{
    json_t *o = json_object();
    for (int i = 0; o && i < sqlite3_column_count(st); i++) {
        char key[48];
        const char *name = sqlite3_column_name(st, i);
        size_t len = strcspn(name, ":");
        char kind = name[len] ? name[len + 1] : '\0';
        snprintf(key, sizeof(key), "%.*s", (int)len, name);
        (void)json_object_set_new(o, key, cell(st, i, kind));
    }
    return o;
}

static json_t *rows_va(struct people *p, enum people_query q, const char *args, va_list list,
                       bool one)
{
    sqlite3_stmt *st = statement(p, q);
    json_t *rows = st ? json_array() : NULL;
    int rc = SQLITE_DONE;
    if (!rows) {
        return NULL;
    }
    bind_all(st, args, list);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        (void)json_array_append_new(rows, row_of(st));
        if (one) {
            break;
        }
    }
    if (done(st, rc)) {
        json_decref(rows);
        return NULL;
    }
    return rows;
}

json_t *people_rows(struct people *p, enum people_query q, const char *args, ...)
{
    va_list list;
    va_start(list, args);
    json_t *rows = rows_va(p, q, args, list, false);
    va_end(list);
    return rows;
}

json_t *people_row(struct people *p, enum people_query q, const char *args, ...)
{
    va_list list;
    va_start(list, args);
    json_t *rows = rows_va(p, q, args, list, true);
    va_end(list);
    json_t *row = json_incref(json_array_get(rows, 0));
    json_decref(rows);
    return row;
}

int64_t people_number(struct people *p, enum people_query q, const char *args, ...)
{
    va_list list;
    va_start(list, args);
    json_t *rows = rows_va(p, q, args, list, true);
    va_end(list);
    const json_t *row = json_array_get(rows, 0);
    const char *key;
    json_t *value;
    int64_t number = 0;
    json_object_foreach((json_t *)(uintptr_t)row, key, value)
    {
        number = json_integer_value(value);
        break;
    }
    json_decref(rows);
    return number;
}

int people_begin(struct people *p)
{
    return EXECUTE(p, "BEGIN IMMEDIATE");
}

int people_commit(struct people *p)
{
    return EXECUTE(p, "COMMIT");
}

void people_rollback(struct people *p)
{
    if (!sqlite3_get_autocommit(p->handle)) {
        (void)EXECUTE(p, "ROLLBACK");
    }
}
