/* tsan: the storage thread on a real file: order, durability, and all that a disk can do to us. */
#include "tests/unit/support.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/clock.h"
#include "signaling/class/classroom.h"
#include "signaling/class/impl.h"
#include "signaling/journal/fold.h"
#include "signaling/store/store.h"
#include "tests/unit/class_rig.h"

static char dir[64];
static char path[96];

static void fresh_file(void)
{
    (void)snprintf(dir, sizeof(dir), "/tmp/amphi-store-XXXXXX");
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/amphi.db", dir);
}

static void remove_files(void)
{
    static const char *const tails[] = {"", "-wal", "-shm"};
    char name[128];
    for (unsigned i = 0; i < 3; i++) {
        (void)snprintf(name, sizeof(name), "%s%s", path, tails[i]);
        (void)unlink(name);
    }
    (void)rmdir(dir);
}

static struct id id_of(uint8_t n)
{
    struct id id;
    memset(id.b, n, sizeof(id.b));
    return id;
}

/* ---- tickets
 * -------------------------------------------------------------------------------------------- */

struct results {
    uint64_t next; /* ticket expected next: they come in order */
    size_t good;
    size_t bad;
    int err;
};

static void done(void *arg, uint64_t ticket, int err)
{
    struct results *r = arg;
    assert_int_equal(ticket, r->next);
    r->next++;
    r->good += err == 0;
    r->bad += err != 0;
    r->err = err ? err : r->err;
}

/* Waits until this many tickets are answered. */
static void wait_for(struct store *s, struct results *r, uint64_t next)
{
    while (r->next < next) {
        struct pollfd p = {.fd = store_fd(s), .events = POLLIN};
        assert_int_equal(poll(&p, 1, 60000), 1);
        (void)store_poll(s, done, r);
    }
}

static struct store *open_store(void)
{
    struct store *s = NULL;
    struct store_config config = {.path = path, .busy_ms_max = 300};
    int err = store_open(&s, &config);
    if (err) {
        fail_msg("store_open: %s", store_why());
    }
    return s;
}

static int commit_event(struct store *s, uint64_t ticket, uint8_t klass, uint64_t seq,
                        const void *data, size_t len)
{
    struct class_record r = {
        .kind = RECORD_EVENT, .class_id = id_of(klass), .seq = seq, .data = data, .len = len};
    return store_commit(s, ticket, &r, 1);
}

/* ---- loading
 * -------------------------------------------------------------------------------------------- */

struct seen {
    size_t classes;
    size_t events;
    uint64_t last_seq;
    uint64_t snapshot_seq;
    size_t keys;
    size_t bytes;
};

static int look(void *arg, const struct class_image *image)
{
    struct seen *seen = arg;
    seen->classes++;
    seen->events += image->event_count;
    seen->keys += image->key_count;
    seen->snapshot_seq = image->snapshot.data ? image->snapshot.seq : 0;
    for (size_t i = 0; i < image->event_count; i++) {
        seen->last_seq = image->events[i].seq;
        seen->bytes += image->events[i].len;
    }
    return 0;
}

static struct seen load(struct store *s)
{
    struct seen seen = {0};
    assert_int_equal(store_load(s, look, &seen), 0);
    return seen;
}

static void what_is_committed_is_loaded(void **state)
{
    (void)state;
    fresh_file();
    struct store *s = open_store();
    struct results r = {.next = 1};
    assert_int_equal(store_epoch(s), 1);
    assert_int_equal(store_start(s), 0);
    for (uint64_t i = 1; i <= 50; i++) {
        assert_int_equal(commit_event(s, i, 7, i, "abc\0'\";--", 10), 0);
    }
    uint8_t key[PERSON_KEY_LEN] = {1, 2, 3};
    struct class_record more[] = {
        {.kind = RECORD_PERSON_KEY,
         .class_id = id_of(7),
         .person = id_of(1),
         .data = key,
         .len = sizeof(key)},
        {.kind = RECORD_PERSON_KEY,
         .class_id = id_of(7),
         .person = id_of(2),
         .data = key,
         .len = sizeof(key)},
        {.kind = RECORD_SNAPSHOT, .class_id = id_of(7), .seq = 40, .data = key, .len = 3},
        {.kind = RECORD_FORGET, .class_id = id_of(7), .person = id_of(2)},
    };
    assert_int_equal(store_commit(s, 51, more, 4), 0);
    wait_for(s, &r, 52);
    assert_int_equal(r.bad, 0);
    struct store_stats stats;
    store_stats_get(s, &stats);
    assert_int_equal(stats.tickets, 51);
    store_close(s);

    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    s = open_store();
    assert_int_equal(store_epoch(s), 2);
    struct seen seen = load(s);
    assert_int_equal(seen.classes, 1);
    assert_int_equal(seen.snapshot_seq, 40);
    assert_int_equal(seen.events, 10);
    assert_int_equal(seen.last_seq, 50);
    assert_int_equal(seen.keys, 1);
    assert_int_equal(seen.bytes, 100);
    store_close(s);
    remove_files();
}

static void a_gap_refuses_the_ticket(void **state)
{
    (void)state;
    fresh_file();
    struct store *s = open_store();
    struct results r = {.next = 1};
    assert_int_equal(commit_event(s, 1, 7, 1, "a", 1), 0);
    assert_int_equal(commit_event(s, 2, 7, 3, "c", 1), 0); /* made behind a lost 2 */
    assert_int_equal(commit_event(s, 3, 8, 1, "x", 1), 0); /* another class goes on */
    assert_int_equal(commit_event(s, 4, 7, 2, "b", 1), 0);
    assert_int_equal(commit_event(s, 5, 7, 2, "B", 1), 0); /* twice */
    assert_int_equal(store_start(s), 0);
    wait_for(s, &r, 6);
    assert_int_equal(r.good, 3);
    assert_int_equal(r.bad, 2);
    assert_int_equal(r.err, E_STATE);
    store_close(s);
    s = open_store();
    struct seen seen = load(s);
    assert_int_equal(seen.classes, 2);
    assert_int_equal(seen.events, 3);
    store_close(s);
    remove_files();
}

static void the_queue_is_bounded(void **state)
{
    (void)state;
    fresh_file();
    struct store *s = NULL;
    struct store_config config = {.path = path, .queue_len_max = 100};
    assert_int_equal(store_open(&s, &config), 0);
    for (uint64_t i = 1; i <= 100; i++) {
        assert_int_equal(commit_event(s, i, 7, i, "a", 1), 0);
    }
    assert_int_equal(commit_event(s, 101, 7, 101, "a", 1), E_BUSY);
    struct results r = {.next = 1};
    assert_int_equal(store_start(s), 0);
    wait_for(s, &r, 101);
    assert_int_equal(r.good, 100);
    struct store_stats stats;
    store_stats_get(s, &stats);
    /* All that gathered went in one transaction. */
    assert_int_equal(stats.commits, 1);
    assert_int_equal(stats.batch_len_max, 100);
    assert_int_equal(stats.refused, 1);
    store_close(s);
    remove_files();
}

/* ---- a locked database (F15)
 * ---------------------------------------------------------------------------- */

static void f15_locked_database_fails_and_recovers(void **state)
{
    (void)state;
    fresh_file();
    struct store *s = open_store();
    struct results r = {.next = 1};
    assert_int_equal(store_start(s), 0);
    assert_int_equal(commit_event(s, 1, 7, 1, "a", 1), 0);
    wait_for(s, &r, 2);
    sqlite3 *other = NULL;
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    mono_us start = clock_mono_us();
    assert_int_equal(commit_event(s, 2, 7, 2, "b", 1), 0);
    mono_us took = clock_mono_us() - start;
    wait_for(s, &r, 3);
    assert_int_equal(r.bad, 1);
    assert_int_equal(r.err, E_BUSY);
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(commit_event(s, 3, 7, 2, "b", 1), 0);
    wait_for(s, &r, 4);
    assert_int_equal(r.good, 2);
    print_message("F15: the caller waited %lld us for a locked database\n", (long long)took);
    assert_true(took < 10000);
    (void)sqlite3_close(other);
    store_close(s);
    remove_files();
}

/* ---- damaged, newer, unusable files
 * ---------------------------------------------------------------------- */

static void write_at(long at, const void *data, size_t len)
{
    FILE *f = fopen(path, "r+b");
    f = f ? f : fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static size_t file_bytes(uint8_t *out, size_t cap)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t len = fread(out, 1, cap, f);
    (void)fclose(f);
    return len;
}

static int open_fails(void)
{
    struct store *s = NULL;
    struct store_config config = {.path = path, .busy_ms_max = 100};
    int err = store_open(&s, &config);
    assert_int_not_equal(err, 0);
    assert_null(s);
    assert_non_null(strstr(store_why(), path));
    print_message("%s\n", store_why());
    return err;
}

static void fill_and_close(void)
{
    struct store *s = open_store();
    struct results r = {.next = 1};
    assert_int_equal(store_start(s), 0);
    static uint8_t data[3000];
    for (uint64_t i = 1; i <= 100; i++) {
        assert_int_equal(commit_event(s, i, 7, i, data, sizeof(data)), 0);
    }
    wait_for(s, &r, 101);
    store_close(s);
}

static void f15_corrupt_file_is_left_untouched(void **state)
{
    (void)state;
    static uint8_t before[1 << 20];
    static uint8_t after[1 << 20];
    fresh_file();
    write_at(0, "this is not a database, it is a letter to my aunt, quite a long one", 66);
    size_t len = file_bytes(before, sizeof(before));
    assert_int_equal(open_fails(), E_CORRUPT);
    assert_int_equal(file_bytes(after, sizeof(after)), len);
    assert_memory_equal(before, after, len);
    remove_files();

    fresh_file();
    fill_and_close();
    static uint8_t junk[4096 * 4];
    memset(junk, 0xa5, sizeof(junk));
    write_at(4096, junk, sizeof(junk));
    len = file_bytes(before, sizeof(before));
    assert_int_equal(open_fails(), E_CORRUPT);
    assert_int_equal(file_bytes(after, sizeof(after)), len);
    assert_memory_equal(before, after, len);
    remove_files();
}

static void newer_schema_is_refused(void **state)
{
    (void)state;
    fresh_file();
    fill_and_close();
    sqlite3 *other = NULL;
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(other);
    assert_int_equal(open_fails(), E_VERSION);
    remove_files();
    (void)snprintf(path, sizeof(path), "/nowhere/at/all/amphi.db");
    assert_int_equal(open_fails(), E_IO);
}

/* ---- full disk
 * ------------------------------------------------------------------------------------------ */

static void full_disk_refuses_and_resumes(void **state)
{
    (void)state;
    fresh_file();
    struct store *s = open_store();
    struct results r = {.next = 1};
    assert_int_equal(store_start(s), 0);
    assert_int_equal(commit_event(s, 1, 7, 1, "a", 1), 0);
    wait_for(s, &r, 2);
    struct rlimit old;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    struct rlimit tight = {.rlim_cur = 64 << 10, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    static uint8_t big[256 << 10];
    assert_int_equal(commit_event(s, 2, 7, 2, big, sizeof(big)), 0);
    wait_for(s, &r, 3);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(r.bad, 1);
    assert_true(r.err == E_FULL || r.err == E_IO);
    struct store_stats stats;
    mono_us late = clock_mono_us() + 60 * US_PER_S;
    do { /* idle as it is, it finds out by itself that there is room again */
        store_stats_get(s, &stats);
    } while (stats.err != 0 && clock_mono_us() < late);
    assert_int_equal(stats.err, 0);
    assert_int_equal(stats.failed, 1);
    assert_int_equal(stats.commits, 2);
    assert_int_equal(commit_event(s, 3, 7, 2, big, sizeof(big)), 0);
    wait_for(s, &r, 4);
    assert_int_equal(r.good, 2);
    store_stats_get(s, &stats);
    assert_int_equal(stats.err, 0);
    store_close(s);
    s = open_store();
    struct seen seen = load(s);
    assert_int_equal(seen.events, 2);
    assert_int_equal(seen.bytes, 1 + sizeof(big));
    store_close(s);
    remove_files();
}

/* ---- kill
 * -----------------------------------------------------------------------------------------------
 */

static void tell_parent(void *arg, uint64_t ticket, int err)
{
    int fd = *(const int *)arg;
    if (err || write(fd, &ticket, sizeof(ticket)) != (ssize_t)sizeof(ticket)) {
        _exit(3);
    }
}

static _Noreturn void child(int fd)
{
    struct store *s = NULL;
    struct store_config config = {.path = path};
    if (store_open(&s, &config) || store_start(s)) {
        _exit(2);
    }
    struct seen seen = {0};
    uint64_t seq = 0;
    if (store_load(s, look, &seen) == 0) {
        seq = seen.last_seq;
    }
    for (;;) {
        uint64_t ticket = ++seq;
        while (commit_event(s, ticket, 7, seq, &ticket, sizeof(ticket)) == E_BUSY) {
            struct pollfd p = {.fd = store_fd(s), .events = POLLIN};
            (void)poll(&p, 1, -1);
            (void)store_poll(s, tell_parent, &fd);
        }
        (void)store_poll(s, tell_parent, &fd);
    }
}

/* What was acknowledged before SIGKILL is there, whatever the moment. */
static void f12_kill_loses_nothing_acknowledged(void **state)
{
    (void)state;
    enum { KILLS = 10 };
    fresh_file();
    uint64_t acked = 0;
    for (unsigned i = 0; i < KILLS; i++) {
        int pipe_fd[2];
        assert_int_equal(pipe(pipe_fd), 0);
        pid_t pid = fork();
        if (pid == 0) {
            child(pipe_fd[1]);
        }
        (void)close(pipe_fd[1]);
        uint64_t want = acked + 40 + i * 37;
        uint64_t ticket = 0;
        while (acked < want && read(pipe_fd[0], &ticket, sizeof(ticket)) == sizeof(ticket)) {
            acked = ticket;
        }
        assert_int_equal(kill(pid, SIGKILL), 0);
        while (read(pipe_fd[0], &ticket, sizeof(ticket)) == sizeof(ticket)) {
            acked = ticket;
        }
        (void)close(pipe_fd[0]);
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_true(acked >= want);
        struct store *s = open_store();
        struct seen seen = load(s);
        assert_int_equal(seen.events, seen.last_seq);
        assert_true(seen.last_seq >= acked);
        acked = seen.last_seq;
        store_close(s);
    }
    print_message("F12: %d kills, %llu events, 0 acknowledged lost\n", KILLS,
                  (unsigned long long)acked);
    remove_files();
}

/* ---- with the classroom
 * ------------------------------------------------------------------------------------ */

struct year {
    struct store *store;
    struct classroom *room;
};

static int load_room(void *arg, const struct class_image *image)
{
    return classroom_load(((struct year *)arg)->room, image);
}

/* S30: names and texts made of SQL come back as they went in, through the real file. */
static void s30_text_is_never_sql(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "'; DROP TABLE journal; --",
        "\\\" OR 1=1 --",
        "%s%n?1 $x :y @z",
        "Robert'); DELETE",
        "x' UNION SELECT key FROM person_key --",
        "/* */ ; PRAGMA user_version=9",
    };
    fresh_file();
    struct rig *rig = rig_new(4, 21);
    struct id class_id = rig_class(rig, CLASS_STANDARD);
    char link[TOKEN_TEXT_MAX];
    rig_link(rig, &class_id, ROLE_HOST, false, link);
    assert_true(rig_enter(rig, &rig->pages[0], link, texts[0]));
    for (unsigned i = 0; i < 6; i++) {
        rig_say(rig, &rig->pages[0], "{\"t\":\"chat.send\",\"id\":\"c%u\",\"text\":\"%s\"}", i,
                texts[i]);
        (void)rig_commit(rig, SIZE_MAX);
    }
    assert_int_equal(rig_count(&rig->pages[0], "chat"), 6);
    /* The durable records of the rig go through SQLite and come back. */
    struct store *s = open_store();
    assert_int_equal(store_start(s), 0);
    struct results r = {.next = 1};
    const struct rig_class *c = &rig->classes[0];
    uint64_t ticket = 0;
    for (size_t i = 0; i < c->event_count; i++) {
        struct class_record record = {.kind = RECORD_EVENT,
                                      .class_id = c->id,
                                      .seq = c->events[i].seq,
                                      .data = c->events[i].data,
                                      .len = c->events[i].len};
        assert_int_equal(store_commit(s, ++ticket, &record, 1), 0);
    }
    for (size_t i = 0; i < c->key_count; i++) {
        struct class_record record = {.kind = RECORD_PERSON_KEY,
                                      .class_id = c->id,
                                      .person = c->keys[i].person,
                                      .data = c->keys[i].key,
                                      .len = PERSON_KEY_LEN};
        assert_int_equal(store_commit(s, ++ticket, &record, 1), 0);
    }
    wait_for(s, &r, ticket + 1);
    store_close(s);
    s = open_store();
    struct classroom_hooks none = {.arg = NULL};
    struct year year = {.store = s};
    assert_int_equal(classroom_new(&year.room, &rig->config, &none), 0);
    assert_int_equal(store_load(s, load_room, &year), 0);
    const struct klass *k = class_find(year.room, &class_id);
    assert_non_null(k);
    assert_int_equal(k->done->chat_count, 6);
    for (unsigned i = 0; i < 6; i++) {
        const json_t *chat = json_array_get(json_object_get(rig->pages[0].view, "chat"), i);
        assert_string_equal(rtext_str(state_chat(k->done, i)->text),
                            json_string_value(json_object_get(chat, "text")));
    }
    classroom_free(year.room);
    store_close(s);
    rig_free(rig);
    remove_files();
}

static void year_events(struct store *s, struct results *r, struct state *st, uint64_t total)
{
    struct sealer plain = {.ops = rig_token_ops()};
    struct rtext *text = rtext_new("une phrase de longueur ordinaire dans un cours", 46);
    uint64_t ticket = r->next;
    static uint8_t bytes[512];
    for (uint64_t seq = 1; seq <= total; seq++) {
        struct event e = {.seq = seq, .at = (int64_t)seq, .person = id_of(1)};
        e.type = seq == 1   ? EVENT_CLASS_CREATED
                 : seq == 2 ? EVENT_PERSON_JOINED
                            : EVENT_CHAT_POSTED;
        e.person = seq == 1 ? (struct id){{0}} : e.person;
        e.device = seq == 2 ? id_of(9) : e.device;
        e.other = seq > 2 ? id_of((uint8_t)(1 + seq % 250)) : e.other;
        e.text = seq > 2 ? text : NULL;
        struct wr w = wr_init(bytes, sizeof(bytes));
        assert_int_equal(event_encode(&w, &e, seq > 2 ? NULL : &plain), 0);
        assert_int_equal(state_fold(st, &e), 0);
        while (commit_event(s, ticket, 7, seq, bytes, wr_len(&w)) == E_BUSY) {
            wait_for(s, r, ticket);
        }
        ticket++;
        if (seq % SNAPSHOT_EVERY == 0) {
            uint8_t *snapshot = NULL;
            size_t len;
            assert_int_equal(state_encode(st, NULL, &snapshot, &len), 0);
            struct class_record record = {.kind = RECORD_SNAPSHOT,
                                          .class_id = id_of(7),
                                          .seq = seq,
                                          .data = snapshot,
                                          .len = len};
            while (store_commit(s, ticket, &record, 1) == E_BUSY) {
                wait_for(s, r, ticket);
            }
            ticket++;
            mem_free(snapshot);
        }
    }
    wait_for(s, r, ticket);
    rtext_put(&text);
}

static void a_year_of_use_loads_fast(void **state)
{
    (void)state;
    enum { YEAR = 200 * 1000 + 900 };
    fresh_file();
    struct store *s = open_store();
    assert_int_equal(store_start(s), 0);
    struct results r = {.next = 1};
    struct id class_id = id_of(7);
    struct state *st = state_new(&class_id);
    mono_us start = clock_mono_us();
    year_events(s, &r, st, YEAR);
    mono_us wrote = clock_mono_us() - start;
    assert_int_equal(r.bad, 0);
    struct store_stats stats;
    store_stats_get(s, &stats);
    store_close(s);
    struct rig *rig = rig_new(1, 1);
    struct classroom_hooks none = {.arg = NULL};
    struct year year = {0};
    assert_int_equal(classroom_new(&year.room, &rig->config, &none), 0);
    start = clock_mono_us();
    year.store = open_store();
    mono_us opened = clock_mono_us() - start;
    assert_int_equal(store_load(year.store, load_room, &year), 0);
    mono_us loaded = clock_mono_us() - start;
    const struct klass *k = class_find(year.room, &class_id);
    assert_int_equal(k->done->seq, YEAR);
    print_message("a year of %d events: written in %lld ms (%llu commits), opened and checked in "
                  "%lld ms, loaded after %lld ms\n",
                  YEAR, (long long)wrote / 1000, (unsigned long long)stats.commits,
                  (long long)opened / 1000, (long long)loaded / 1000);
    assert_true(loaded - opened < 200 * US_PER_MS);
    classroom_free(year.room);
    store_close(year.store);
    rig_free(rig);
    state_free(st);
    remove_files();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(what_is_committed_is_loaded),
        UNIT(a_gap_refuses_the_ticket),
        UNIT(the_queue_is_bounded),
        UNIT(f15_locked_database_fails_and_recovers),
        UNIT(f15_corrupt_file_is_left_untouched),
        UNIT(newer_schema_is_refused),
        UNIT(full_disk_refuses_and_resumes),
        UNIT(f12_kill_loses_nothing_acknowledged),
        UNIT(s30_text_is_never_sql),
        UNIT(a_year_of_use_loads_fast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
