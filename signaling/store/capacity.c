#include "signaling/store/capacity.h"

#include <sqlite3.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"

struct capacity {
    sqlite3 *db;
    sqlite3_stmt *put, *each, *prune;
};

enum { BUSY_MS = 2000 };

#define SCHEMA                                                                                     \
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"                                          \
    "CREATE TABLE IF NOT EXISTS capacity(minute INTEGER PRIMARY KEY, classes INTEGER NOT NULL,"    \
    " people INTEGER NOT NULL, media INTEGER NOT NULL, cpu REAL NOT NULL, used REAL NOT NULL,"     \
    " mbit REAL NOT NULL, memory REAL NOT NULL) STRICT;"
static const char put_sql[] =
    "INSERT INTO capacity VALUES(?1,?2,?3,?4,?5,?6,?7,?8) ON CONFLICT(minute) DO UPDATE SET"
    " classes=max(classes,?2), people=max(people,?3), media=max(media,?4), cpu=max(cpu,?5),"
    " used=max(used,?6), mbit=max(mbit,?7), memory=max(memory,?8)";
static const char each_sql[] =
    "SELECT minute/?2*?2, max(classes), max(people), max(media), max(cpu), max(used), max(mbit),"
    " max(memory) FROM capacity WHERE minute>=?1 GROUP BY minute/?2 ORDER BY 1";
static const char prune_sql[] = "DELETE FROM capacity WHERE minute<?1";

static int error_of(int code)
{
    return code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? E_CORRUPT : E_IO;
}

int capacity_open(struct capacity **out, const char *path)
{
    struct capacity *c = mem_alloc(sizeof(*c));
    *out = NULL;
    if (!c) {
        return E_NOMEM;
    }
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
    int code = sqlite3_open_v2(path, &c->db, flags, NULL);
    code = code ? code : sqlite3_busy_timeout(c->db, BUSY_MS);
    code = code ? code : sqlite3_exec(c->db, SCHEMA, NULL, NULL, NULL);
    code = code ? code : sqlite3_prepare_v2(c->db, put_sql, -1, &c->put, NULL);
    code = code ? code : sqlite3_prepare_v2(c->db, each_sql, -1, &c->each, NULL);
    code = code ? code : sqlite3_prepare_v2(c->db, prune_sql, -1, &c->prune, NULL);
    if (code) {
        capacity_close(c);
        return error_of(code);
    }
    *out = c;
    return 0;
}

void capacity_close(struct capacity *c)
{
    if (c) {
        (void)sqlite3_finalize(c->put);
        (void)sqlite3_finalize(c->each);
        (void)sqlite3_finalize(c->prune);
        (void)sqlite3_close(c->db);
        mem_free(c);
    }
}

int capacity_put(struct capacity *c, const struct capacity_row *row)
{
    (void)sqlite3_bind_int64(c->put, 1, row->minute);
    (void)sqlite3_bind_int64(c->put, 2, row->classes);
    (void)sqlite3_bind_int64(c->put, 3, row->people);
    (void)sqlite3_bind_int64(c->put, 4, row->media);
    (void)sqlite3_bind_double(c->put, 5, row->cpu);
    (void)sqlite3_bind_double(c->put, 6, row->used);
    (void)sqlite3_bind_double(c->put, 7, row->mbit);
    (void)sqlite3_bind_double(c->put, 8, row->memory);
    int code = sqlite3_step(c->put);
    (void)sqlite3_reset(c->put);
    if (code == SQLITE_DONE && row->minute % (24 * 60) == 0) {
        (void)sqlite3_bind_int64(c->prune, 1, row->minute - (int64_t)CAPACITY_DAYS * 24 * 60);
        code = sqlite3_step(c->prune);
        (void)sqlite3_reset(c->prune);
    }
    return code == SQLITE_DONE ? 0 : error_of(code);
}

int capacity_each(struct capacity *c, int64_t since, int64_t step,
                  void (*row_h)(void *arg, const struct capacity_row *row), void *arg)
{
    int code;
    (void)sqlite3_bind_int64(c->each, 1, since);
    (void)sqlite3_bind_int64(c->each, 2, step > 0 ? step : 1);
    while ((code = sqlite3_step(c->each)) == SQLITE_ROW) {
        struct capacity_row row = {
            .minute = sqlite3_column_int64(c->each, 0),
            .classes = (uint32_t)sqlite3_column_int64(c->each, 1),
            .people = (uint32_t)sqlite3_column_int64(c->each, 2),
            .media = (uint32_t)sqlite3_column_int64(c->each, 3),
            .cpu = sqlite3_column_double(c->each, 4),
            .used = sqlite3_column_double(c->each, 5),
            .mbit = sqlite3_column_double(c->each, 6),
            .memory = sqlite3_column_double(c->each, 7),
        };
        row_h(arg, &row);
    }
    (void)sqlite3_reset(c->each);
    return code == SQLITE_DONE ? 0 : error_of(code);
}
