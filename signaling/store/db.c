#include "signaling/store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "signaling/store/store.h"

enum { READER_BUSY_MS = 10000 };

enum statement {
    ST_BEGIN,
    ST_COMMIT,
    ST_ROLLBACK,
    ST_CLASS,
    ST_EVENT,
    ST_SNAPSHOT,
    ST_SNAPSHOT_TRIM,
    ST_KEY,
    ST_FORGET,
    ST_LAST,
    ST_EPOCH,
    ST_EPOCH_GET,
    ST_TOUCH,
    ST_CLASSES,
    ST_LOAD_SNAPSHOT,
    ST_LOAD_EVENTS,
    ST_LOAD_KEYS,
    ST_COUNT
};

static const char *const sql[ST_COUNT] = {
    [ST_BEGIN] = "BEGIN IMMEDIATE",
    [ST_COMMIT] = "COMMIT",
    [ST_ROLLBACK] = "ROLLBACK",
    [ST_CLASS] = "INSERT OR IGNORE INTO class (id) VALUES (?1)",
    [ST_EVENT] = "INSERT INTO journal (class, seq, blob) VALUES (?1, ?2, ?3)",
    [ST_SNAPSHOT] = "INSERT OR REPLACE INTO snapshot (class, seq, blob) VALUES (?1, ?2, ?3)",
    /* The one before the newest stays, in case the newest turns out unreadable. */
    [ST_SNAPSHOT_TRIM] = ("DELETE FROM snapshot WHERE class = ?1 AND seq NOT IN "
                          "(SELECT seq FROM snapshot WHERE class = ?1 ORDER BY seq DESC LIMIT 2)"),
    [ST_KEY] = "INSERT OR REPLACE INTO person_key (class, person, key) VALUES (?1, ?2, ?3)",
    [ST_FORGET] = "DELETE FROM person_key WHERE class = ?1 AND person = ?2",
    [ST_LAST] = "SELECT max(seq) FROM journal WHERE class = ?1",
    [ST_EPOCH] = "UPDATE meta SET value = value + 1 WHERE name = 'epoch'",
    [ST_EPOCH_GET] = "SELECT value FROM meta WHERE name = 'epoch'",
    [ST_TOUCH] = "UPDATE meta SET value = value WHERE name = 'epoch'",
    [ST_CLASSES] = "SELECT id FROM class ORDER BY number",
    [ST_LOAD_SNAPSHOT] =
        "SELECT seq, blob FROM snapshot WHERE class = ?1 ORDER BY seq DESC LIMIT 1",
    [ST_LOAD_EVENTS] = "SELECT seq, blob FROM journal WHERE class = ?1 AND seq > ?2 ORDER BY seq",
    [ST_LOAD_KEYS] = "SELECT person, key FROM person_key WHERE class = ?1",
};

struct db {
    sqlite3 *handle;
    sqlite3_stmt *st[ST_COUNT];
    uint32_t busy_ms;
};

int db_code(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return E_BUSY;
    case SQLITE_FULL:
        return E_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return E_CORRUPT;
    case SQLITE_NOMEM:
        return E_NOMEM;
    case SQLITE_CONSTRAINT:
        return E_DUP;
    default:
        return E_IO;
    }
}

/* Runs a bound statement to its end and makes it ready for the next time. */
static int run(struct db *db, enum statement id)
{
    int rc = sqlite3_step(db->st[id]);
    int reset = sqlite3_reset(db->st[id]);
    (void)sqlite3_clear_bindings(db->st[id]);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : db_code(reset ? reset : rc);
}

static void bind_id(struct db *db, enum statement id, int at, const struct id *value)
{
    (void)sqlite3_bind_blob(db->st[id], at, value->b, ID_LEN, SQLITE_STATIC);
}

/* ---- opening
 * -------------------------------------------------------------------------------------- */

static int first_int(struct db *db, const char *text, int64_t *out)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db->handle, text, -1, &st, NULL);
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(st);
        if (rc == SQLITE_ROW) {
            *out = sqlite3_column_int64(st, 0);
        }
    }
    (void)sqlite3_finalize(st);
    return rc == SQLITE_ROW ? 0 : db_code(rc);
}

static int quick_check(struct db *db)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db->handle, "PRAGMA quick_check(1)", -1, &st, NULL);
    int err = rc == SQLITE_OK ? 0 : db_code(rc);
    if (!err) {
        rc = sqlite3_step(st);
        const unsigned char *text = rc == SQLITE_ROW ? sqlite3_column_text(st, 0) : NULL;
        bool ok = text && strcmp((const char *)text, "ok") == 0;
        err = ok ? 0 : rc == SQLITE_ROW ? E_CORRUPT : db_code(rc);
    }
    (void)sqlite3_finalize(st);
    return err;
}

/* SQL is a literal at the place it is run: nothing can be pasted into it (S30). */
#define EXECUTE(db, literal) db_code(sqlite3_exec((db)->handle, "" literal, NULL, NULL, NULL))

/* From an empty file to version 1. */
static int migrate_from_0(struct db *db)
{
    return EXECUTE(
        db, "CREATE TABLE class (number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE);"
            "CREATE TABLE journal (class BLOB NOT NULL, seq INTEGER NOT NULL, blob BLOB NOT NULL,"
            " PRIMARY KEY (class, seq)) WITHOUT ROWID;"
            "CREATE TABLE snapshot (class BLOB NOT NULL, seq INTEGER NOT NULL, blob BLOB NOT NULL,"
            " PRIMARY KEY (class, seq));"
            "CREATE TABLE person_key (class BLOB NOT NULL, person BLOB NOT NULL, key BLOB NOT NULL,"
            " PRIMARY KEY (class, person)) WITHOUT ROWID;"
            "CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
            "INSERT INTO meta VALUES ('epoch', 0);"
            "PRAGMA user_version = 1");
}

/* The number by which copies of this database and its keys know each other (copy.h). */
static int migrate_from_1(struct db *db)
{
    return EXECUTE(db, "INSERT INTO meta VALUES ('owner', random());"
                       "PRAGMA user_version = 2");
}

/* Step i brings a database from user_version i to i + 1. Never change one that was released. */
static int (*const migrations[STORE_SCHEMA_VERSION])(struct db *db) = {migrate_from_0,
                                                                       migrate_from_1};

static int migrate(struct db *db, int64_t version)
{
    int err = 0;
    for (int64_t v = version; v < STORE_SCHEMA_VERSION && !err; v++) {
        err = EXECUTE(db, "BEGIN IMMEDIATE");
        err = err ? err : migrations[v](db);
        err = err ? err : EXECUTE(db, "COMMIT");
        if (err && !sqlite3_get_autocommit(db->handle)) {
            (void)EXECUTE(db, "ROLLBACK");
        }
    }
    return err;
}

static int prepare(struct db *db)
{
    for (unsigned i = 0; i < ST_COUNT; i++) {
        int rc =
            sqlite3_prepare_v3(db->handle, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &db->st[i], NULL);
        if (rc != SQLITE_OK) {
            return db_code(rc);
        }
    }
    return 0;
}

/* The file is made by us, readable by us only, before SQLite writes into it. */
static int make_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return E_IO;
    }
    (void)close(fd);
    return 0;
}

static int open_and_check(struct db *db, const char *path, uint32_t busy_ms)
{
    int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int rc = sqlite3_open_v2(path, &db->handle, flags, NULL);
    if (rc != SQLITE_OK) {
        return db_code(rc);
    }
    db->busy_ms = busy_ms;
    (void)sqlite3_busy_timeout(db->handle, (int)busy_ms);
    int64_t version = 0;
    int err = first_int(db, "PRAGMA user_version", &version);
    if (!err && version > STORE_SCHEMA_VERSION) {
        return E_VERSION;
    }
    /* Reading only so far: a damaged file is left exactly as it was found. */
    err = err ? err : quick_check(db);
    err = err ? err : EXECUTE(db, "PRAGMA journal_mode = WAL");
    err = err ? err : EXECUTE(db, "PRAGMA synchronous = FULL");
    err = err ? err : EXECUTE(db, "PRAGMA secure_delete = ON"); /* a deleted key is gone */
    err = err ? err : EXECUTE(db, "PRAGMA wal_autocheckpoint = 4000");
    err = err ? err : migrate(db, version);
    return err ? err : prepare(db);
}

/* Hands db over, or says why not and frees it. */
static int opened(struct db **out, struct db *db, int err, const char *path, char *why, size_t cap)
{
    if (!err) {
        *out = db;
        return 0;
    }
    const char *advice =
        err == E_CORRUPT   ? "damaged and left untouched; restore a backup or move it away"
        : err == E_VERSION ? "written by a newer amphi; install that version or a backup"
        : err == E_BUSY    ? "held by another process; is amphi running already?"
        : err == E_FULL    ? "the disk is full; make room"
                           : "cannot be used; see the reason and its rights";
    bool told = db->handle && sqlite3_errcode(db->handle) != SQLITE_OK;
    if (!why[0]) {
        (void)snprintf(why, cap, "%s: %s (%s)", path, advice,
                       told ? sqlite3_errmsg(db->handle) : err_text(err));
    }
    db_close(db);
    return err;
}

int db_open(struct db **out, const char *path, uint32_t busy_ms, char *why, size_t cap)
{
    *out = NULL;
    struct db *db = mem_alloc(sizeof(*db));
    if (!db) {
        return E_NOMEM;
    }
    int err = make_file(path);
    if (err) {
        (void)snprintf(why, cap, "%s: %s; create the folder or mend its rights", path,
                       strerror(errno));
    } else {
        err = open_and_check(db, path, busy_ms);
    }
    return opened(out, db, err, path, why, cap);
}

static int open_reader(struct db *db, const char *path)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int rc = sqlite3_open_v2(path, &db->handle, flags, NULL);
    int64_t version = 0;
    if (rc != SQLITE_OK) {
        return db_code(rc);
    }
    (void)sqlite3_busy_timeout(db->handle, READER_BUSY_MS);
    int err = first_int(db, "PRAGMA user_version", &version);
    err = err || version == STORE_SCHEMA_VERSION ? err : E_VERSION;
    err = err ? err : EXECUTE(db, "PRAGMA query_only = ON");
    return err ? err : prepare(db);
}

int db_open_reader(struct db **out, const char *path, char *why, size_t cap)
{
    *out = NULL;
    struct db *db = mem_alloc(sizeof(*db));
    if (!db) {
        return E_NOMEM;
    }
    return opened(out, db, open_reader(db, path), path, why, cap);
}

void db_close(struct db *db)
{
    if (!db) {
        return;
    }
    for (unsigned i = 0; i < ST_COUNT; i++) {
        (void)sqlite3_finalize(db->st[i]);
    }
    (void)sqlite3_close_v2(db->handle);
    mem_free(db);
}

int db_next_epoch(struct db *db, uint64_t *epoch)
{
    int err = run(db, ST_EPOCH);
    if (err) {
        return err;
    }
    int rc = sqlite3_step(db->st[ST_EPOCH_GET]);
    *epoch = rc == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(db->st[ST_EPOCH_GET], 0) : 0;
    (void)sqlite3_reset(db->st[ST_EPOCH_GET]);
    return rc == SQLITE_ROW ? 0 : rc == SQLITE_DONE ? E_CORRUPT : db_code(rc);
}

/* ---- writing
 * -------------------------------------------------------------------------------------- */

int db_begin(struct db *db)
{
    return run(db, ST_BEGIN);
}

int db_touch(struct db *db)
{
    return run(db, ST_TOUCH);
}

int db_commit(struct db *db)
{
    return run(db, ST_COMMIT);
}

void db_rollback(struct db *db)
{
    if (!sqlite3_get_autocommit(db->handle)) {
        (void)run(db, ST_ROLLBACK);
    }
}

int db_scrub(struct db *db)
{
    int64_t busy = 1;
    (void)sqlite3_busy_timeout(db->handle, 0); /* a backup that reads is not waited for */
    int err = first_int(db, "PRAGMA wal_checkpoint(TRUNCATE)", &busy);
    (void)sqlite3_busy_timeout(db->handle, (int)db->busy_ms);
    return err ? err : busy ? E_BUSY : 0;
}

int db_last_seq(struct db *db, const struct id *class_id, uint64_t *seq)
{
    bind_id(db, ST_LAST, 1, class_id);
    int rc = sqlite3_step(db->st[ST_LAST]);
    *seq = rc == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(db->st[ST_LAST], 0) : 0;
    (void)sqlite3_reset(db->st[ST_LAST]);
    (void)sqlite3_clear_bindings(db->st[ST_LAST]);
    return rc == SQLITE_ROW ? 0 : db_code(rc);
}

static int put_blob(struct db *db, enum statement id, const struct class_record *r)
{
    bind_id(db, id, 1, &r->class_id);
    (void)sqlite3_bind_int64(db->st[id], 2, (sqlite3_int64)r->seq);
    (void)sqlite3_bind_blob64(db->st[id], 3, r->data, r->len, SQLITE_STATIC);
    return run(db, id);
}

int db_put(struct db *db, const struct class_record *r)
{
    int err;
    switch (r->kind) {
    case RECORD_EVENT:
        if (r->seq == 1) {
            bind_id(db, ST_CLASS, 1, &r->class_id);
            err = run(db, ST_CLASS);
            if (err) {
                return err;
            }
        }
        return put_blob(db, ST_EVENT, r);
    case RECORD_SNAPSHOT:
        err = put_blob(db, ST_SNAPSHOT, r);
        if (!err) {
            bind_id(db, ST_SNAPSHOT_TRIM, 1, &r->class_id);
            err = run(db, ST_SNAPSHOT_TRIM);
        }
        return err;
    case RECORD_PERSON_KEY:
        bind_id(db, ST_KEY, 1, &r->class_id);
        bind_id(db, ST_KEY, 2, &r->person);
        (void)sqlite3_bind_blob64(db->st[ST_KEY], 3, r->data, r->len, SQLITE_STATIC);
        return run(db, ST_KEY);
    case RECORD_FORGET:
        bind_id(db, ST_FORGET, 1, &r->class_id);
        bind_id(db, ST_FORGET, 2, &r->person);
        return run(db, ST_FORGET);
    }
    return E_BAD;
}

/* ---- loading
 * -------------------------------------------------------------------------------------- */

/* Everything of one class while it is handed over: blobs stand one behind the other in bytes. */
struct image_build {
    struct class_image image;
    struct class_blob *events;
    size_t *offsets;
    size_t event_cap;
    struct class_person_key *keys;
    size_t key_cap;
    uint8_t *bytes;
    size_t len;
    size_t cap;
    bool has_snapshot;
};

static int ensure(void *array_at, size_t size, size_t *cap, size_t need)
{
    if (need <= *cap) {
        return 0;
    }
    size_t next = *cap ? *cap : 64;
    while (next < need) {
        next *= 2;
    }
    void *old;
    memcpy(&old, array_at, sizeof(old));
    void *array = mem_realloc(old, next * size);
    if (!array) {
        return E_NOMEM;
    }
    memcpy(array_at, &array, sizeof(array));
    *cap = next;
    return 0;
}

/* Copies a blob column behind the others; *offset says where. */
static int keep(struct image_build *b, sqlite3_stmt *st, int column, size_t *offset, size_t *len)
{
    const void *data = sqlite3_column_blob(st, column);
    *len = (size_t)sqlite3_column_bytes(st, column);
    *offset = b->len;
    if (ensure(&b->bytes, 1, &b->cap, b->len + *len + 1)) {
        return E_NOMEM;
    }
    if (*len) {
        memcpy(b->bytes + b->len, data, *len);
    }
    b->len += *len;
    return 0;
}

static int load_snapshot(struct db *db, struct image_build *b, size_t *offset)
{
    sqlite3_stmt *st = db->st[ST_LOAD_SNAPSHOT];
    bind_id(db, ST_LOAD_SNAPSHOT, 1, &b->image.class_id);
    int rc = sqlite3_step(st);
    int err = db_code(rc);
    if (rc == SQLITE_ROW) {
        b->has_snapshot = true;
        b->image.snapshot.seq = (uint64_t)sqlite3_column_int64(st, 0);
        err = keep(b, st, 1, offset, &b->image.snapshot.len);
    }
    (void)sqlite3_reset(st);
    return err;
}

static int load_events(struct db *db, struct image_build *b)
{
    sqlite3_stmt *st = db->st[ST_LOAD_EVENTS];
    bind_id(db, ST_LOAD_EVENTS, 1, &b->image.class_id);
    (void)sqlite3_bind_int64(st, 2, (sqlite3_int64)b->image.snapshot.seq);
    int err = 0;
    int rc;
    while (!err && (rc = sqlite3_step(st)) != SQLITE_DONE) {
        size_t n = b->image.event_count;
        size_t offset_cap = b->event_cap;
        err = rc == SQLITE_ROW ? 0 : db_code(rc);
        err = err ? err : ensure(&b->offsets, sizeof(*b->offsets), &offset_cap, n + 1);
        err = err ? err : ensure(&b->events, sizeof(*b->events), &b->event_cap, n + 1);
        if (!err) {
            b->events[n].seq = (uint64_t)sqlite3_column_int64(st, 0);
            err = keep(b, st, 1, &b->offsets[n], &b->events[n].len);
            b->image.event_count++;
        }
    }
    (void)sqlite3_reset(st);
    return err;
}

static int load_keys(struct db *db, struct image_build *b)
{
    sqlite3_stmt *st = db->st[ST_LOAD_KEYS];
    bind_id(db, ST_LOAD_KEYS, 1, &b->image.class_id);
    int err = 0;
    int rc;
    while (!err && (rc = sqlite3_step(st)) != SQLITE_DONE) {
        size_t n = b->image.key_count;
        err = rc == SQLITE_ROW ? 0 : db_code(rc);
        bool sane = !err && sqlite3_column_bytes(st, 0) == ID_LEN &&
                    sqlite3_column_bytes(st, 1) == PERSON_KEY_LEN;
        err = err || sane ? err : E_CORRUPT;
        err = err ? err : ensure(&b->keys, sizeof(*b->keys), &b->key_cap, n + 1);
        if (!err) {
            memcpy(b->keys[n].person.b, sqlite3_column_blob(st, 0), ID_LEN);
            memcpy(b->keys[n].key, sqlite3_column_blob(st, 1), PERSON_KEY_LEN);
            b->image.key_count++;
        }
    }
    (void)sqlite3_reset(st);
    return err;
}

static int load_class(struct db *db, const struct id *class_id, bool whole,
                      int (*load_h)(void *arg, const struct class_image *image), void *arg)
{
    struct image_build b = {.image.class_id = *class_id};
    size_t snapshot_at = 0;
    int err = whole ? 0 : load_snapshot(db, &b, &snapshot_at);
    err = err ? err : load_events(db, &b);
    err = err ? err : load_keys(db, &b);
    if (!err) {
        for (size_t i = 0; i < b.image.event_count; i++) {
            b.events[i].data = b.bytes + b.offsets[i];
        }
        b.image.snapshot.data = b.has_snapshot ? b.bytes + snapshot_at : NULL;
        b.image.events = b.events;
        b.image.keys = b.keys;
        err = load_h(arg, &b.image);
    }
    mem_free(b.events);
    mem_free(b.offsets);
    mem_free(b.keys);
    mem_free(b.bytes);
    return err;
}

int db_load(struct db *db, int (*load_h)(void *arg, const struct class_image *image), void *arg)
{
    sqlite3_stmt *st = db->st[ST_CLASSES];
    int err = 0;
    int rc;
    while (!err && (rc = sqlite3_step(st)) != SQLITE_DONE) {
        struct id id;
        err = rc == SQLITE_ROW ? 0 : db_code(rc);
        if (!err && sqlite3_column_bytes(st, 0) != ID_LEN) {
            err = E_CORRUPT;
        }
        if (!err) {
            memcpy(id.b, sqlite3_column_blob(st, 0), ID_LEN);
            err = load_class(db, &id, false, load_h, arg);
        }
    }
    (void)sqlite3_reset(st);
    return err;
}

int db_history(struct db *db, const struct id *class_id,
               int (*load_h)(void *arg, const struct class_image *image), void *arg)
{
    uint64_t last = 0;
    int err = db_last_seq(db, class_id, &last);
    if (!err && last == 0) {
        return E_NOTFOUND;
    }
    return err ? err : load_class(db, class_id, true, load_h, arg);
}
