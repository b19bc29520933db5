/* Copies of the database: whole, without the keys of persons, and back; erasure reaches them. */
#include "tests/unit/support.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/file.h"
#include "signaling/store/copy.h"
#include "signaling/store/store.h"

enum { PERSONS = 300, EVENTS = 400 };

static char dir[64];
static char why[256];

/* "<dir>/<name>", good until the fourth call after. */
static const char *in(const char *name)
{
    static char names[4][128];
    static unsigned turn;
    char *at = names[turn++ % 4];
    (void)snprintf(at, sizeof(names[0]), "%s/%s", dir, name);
    return at;
}

static void fresh_folder(void)
{
    (void)snprintf(dir, sizeof(dir), "/tmp/amphi-copy-XXXXXX");
    assert_non_null(mkdtemp(dir));
}

static size_t remove_folder(void)
{
    DIR *d = opendir(dir);
    size_t count = 0;
    for (const struct dirent *e; d && (e = readdir(d));) {
        count += e->d_name[0] != '.';
        (void)unlink(in(e->d_name));
    }
    (void)closedir(d);
    (void)rmdir(dir);
    return count;
}

static struct id id_of(unsigned n)
{
    struct id id = {{0}};
    memcpy(id.b, &n, sizeof(n));
    return id;
}

/* A key that is found again by its bytes wherever it stands. */
static void key_of(unsigned person, uint8_t key[PERSON_KEY_LEN])
{
    for (size_t i = 0; i < PERSON_KEY_LEN; i++) {
        key[i] = (uint8_t)(person * 31 + i * 7 + (person >> 3) * 13 + 1);
    }
    memcpy(key, &person, sizeof(person));
}

static void answered(void *arg, uint64_t ticket, int err)
{
    (void)ticket;
    assert_int_equal(err, 0);
    ++*(uint64_t *)arg;
}

static void put(struct store *s, const struct class_record *record)
{
    static uint64_t ticket;
    uint64_t got = 0;
    assert_int_equal(store_commit(s, ++ticket, record, 1), 0);
    while (!got) {
        struct pollfd p = {.fd = store_fd(s), .events = POLLIN};
        assert_int_equal(poll(&p, 1, 60000), 1);
        (void)store_poll(s, answered, &got);
    }
}

static struct store *open_at(const char *name)
{
    struct store *s = NULL;
    struct store_config config = {.path = in(name)};
    if (store_open(&s, &config)) {
        fail_msg("%s", store_why());
    }
    assert_int_equal(store_start(s), 0);
    return s;
}

/* A class of PERSONS people with their keys and EVENTS events; left open, as a server has it. */
static struct store *school(const char *name)
{
    struct store *s = open_at(name);
    for (unsigned i = 1; i <= EVENTS; i++) {
        char text[64];
        (void)snprintf(text, sizeof(text), "sealed text number %u", i);
        put(s, &(struct class_record){.kind = RECORD_EVENT,
                                      .class_id = id_of(1),
                                      .seq = i,
                                      .data = (const uint8_t *)text,
                                      .len = strlen(text)});
    }
    for (unsigned i = 1; i <= PERSONS; i++) {
        uint8_t key[PERSON_KEY_LEN];
        key_of(i, key);
        put(s, &(struct class_record){.kind = RECORD_PERSON_KEY,
                                      .class_id = id_of(1),
                                      .person = id_of(i),
                                      .data = key,
                                      .len = sizeof(key)});
    }
    return s;
}

static void forget(struct store *s, unsigned person)
{
    put(s, &(struct class_record){
               .kind = RECORD_FORGET, .class_id = id_of(1), .person = id_of(person)});
}

/* How many of the keys of persons first..last stand anywhere in the file. */
static unsigned keys_in(const char *name, unsigned first, unsigned last)
{
    char *bytes = NULL;
    size_t len = 0;
    unsigned found = 0;
    int err = file_read(in(name), 64 << 20, &bytes, &len);
    if (err == E_NOTFOUND) {
        return 0;
    }
    assert_int_equal(err, 0);
    for (unsigned i = first; i <= last; i++) {
        uint8_t key[PERSON_KEY_LEN];
        key_of(i, key);
        found += memmem(bytes, len, key, sizeof(key)) != NULL;
    }
    mem_free(bytes);
    return found;
}

struct seen {
    size_t events;
    size_t keys;
    bool wrong;
};

static int look(void *arg, const struct class_image *image)
{
    struct seen *seen = arg;
    seen->events += image->event_count;
    for (size_t i = 0; i < image->key_count; i++) {
        uint8_t key[PERSON_KEY_LEN];
        unsigned person;
        memcpy(&person, image->keys[i].person.b, sizeof(person));
        key_of(person, key);
        seen->keys++;
        seen->wrong = seen->wrong || memcmp(key, image->keys[i].key, sizeof(key)) != 0;
    }
    return 0;
}

static struct seen load_at(const char *name)
{
    struct seen seen = {0};
    struct store *s = open_at(name);
    store_close(s);
    struct store_config config = {.path = in(name)};
    assert_int_equal(store_open(&s, &config), 0);
    assert_int_equal(store_load(s, look, &seen), 0);
    store_close(s);
    return seen;
}

static void a_copy_holds_everything_but_the_keys(void **state)
{
    (void)state;
    fresh_folder();
    struct store *s = school("live");
    assert_int_equal(copy_journal(in("live"), in("copy"), why, sizeof(why)), 0);
    assert_int_equal(copy_keys(in("live"), in("keys"), why, sizeof(why)), 0);
    assert_true(keys_in("live", 1, PERSONS) + keys_in("live-wal", 1, PERSONS) >= PERSONS);
    assert_int_equal(keys_in("copy", 1, PERSONS), 0);
    assert_int_equal(keys_in("keys", 1, PERSONS), PERSONS);
    struct stat st;
    assert_int_equal(stat(in("copy"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(in("keys"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    store_close(s);
    struct copy_counts counts;
    assert_int_equal(copy_restore(in("copy"), in("keys"), in("back"), &counts, why, sizeof(why)),
                     0);
    assert_int_equal(counts.classes, 1);
    assert_int_equal(counts.persons, PERSONS);
    struct seen seen = load_at("back");
    assert_int_equal(seen.events, EVENTS);
    assert_int_equal(seen.keys, PERSONS);
    assert_false(seen.wrong);
    assert_int_equal(copy_restore(in("copy"), in("keys"), in("back"), &counts, why, sizeof(why)),
                     E_DUP);
    assert_int_equal(copy_restore(in("copy"), NULL, in("bare"), &counts, why, sizeof(why)), 0);
    seen = load_at("bare");
    assert_int_equal(seen.events, EVENTS);
    assert_int_equal(seen.keys, 0);
    (void)remove_folder();
}

static void erasing_reaches_the_copies_made_before(void **state)
{
    (void)state;
    fresh_folder();
    struct store *s = school("live");
    assert_int_equal(copy_journal(in("live"), in("old"), why, sizeof(why)), 0);
    assert_int_equal(copy_keys(in("live"), in("keys"), why, sizeof(why)), 0);
    for (unsigned i = 1; i <= 10; i++) {
        forget(s, i);
    }
    /* At once where the server writes, its log included. */
    assert_int_equal(keys_in("live", 1, 10), 0);
    assert_int_equal(keys_in("live-wal", 1, 10), 0);
    assert_int_equal(copy_journal(in("live"), in("new"), why, sizeof(why)), 0);
    assert_int_equal(copy_keys(in("live"), in("keys"), why, sizeof(why)), 0);
    store_close(s);
    struct copy_counts counts;
    assert_int_equal(copy_restore(in("old"), in("keys"), in("back"), &counts, why, sizeof(why)), 0);
    assert_int_equal(counts.persons, PERSONS - 10);
    assert_int_equal(keys_in("old", 1, PERSONS) + keys_in("new", 1, PERSONS), 0);
    assert_int_equal(keys_in("keys", 1, 10) + keys_in("back", 1, 10), 0);
    assert_int_equal(keys_in("back", 11, PERSONS), PERSONS - 10);
    (void)remove_folder();
}

static void keys_of_two_servers_are_never_mixed(void **state)
{
    (void)state;
    fresh_folder();
    store_close(school("one"));
    store_close(school("two"));
    struct copy_counts counts;
    assert_int_equal(copy_keys(in("one"), in("keys"), why, sizeof(why)), 0);
    assert_int_equal(copy_keys(in("two"), in("keys"), why, sizeof(why)), E_STATE);
    assert_non_null(strstr(why, "another server"));
    assert_int_equal(copy_journal(in("two"), in("copy"), why, sizeof(why)), 0);
    assert_int_equal(copy_restore(in("copy"), in("keys"), in("back"), &counts, why, sizeof(why)),
                     E_STATE);
    assert_int_equal(access(in("back"), F_OK), -1);
    assert_int_equal(keys_in("keys", 1, PERSONS), PERSONS);
    assert_int_equal(copy_keys(in("one"), in("keys"), why, sizeof(why)), 0);
    (void)remove_folder();
}

static void what_fails_leaves_nothing_behind(void **state)
{
    (void)state;
    fresh_folder();
    store_close(school("live"));
    struct copy_counts counts;
    assert_int_equal(copy_journal(in("none"), in("copy"), why, sizeof(why)), E_NOTFOUND);
    assert_int_equal(copy_keys(in("none"), in("keys"), why, sizeof(why)), E_NOTFOUND);
    assert_int_equal(copy_restore(in("none"), NULL, in("back"), &counts, why, sizeof(why)),
                     E_NOTFOUND);
    assert_int_equal(copy_journal(in("live"), in("nowhere/copy"), why, sizeof(why)), E_IO);
    assert_true(strlen(why) > 10);
    assert_int_equal(copy_journal(in("live"), in("copy"), why, sizeof(why)), 0);
    assert_int_equal(truncate(in("copy"), 20000), 0);
    assert_true(copy_restore(in("copy"), NULL, in("back"), &counts, why, sizeof(why)) != 0);
    assert_int_equal(remove_folder(), 2); /* live and the damaged copy */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_copy_holds_everything_but_the_keys),
        UNIT(erasing_reaches_the_copies_made_before),
        UNIT(keys_of_two_servers_are_never_mixed),
        UNIT(what_fails_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
