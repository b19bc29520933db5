/* Accounts: addresses, passwords, the cookie, tries (signaling/people), and people.db itself. */
#include "tests/unit/support.h"

#include <jansson.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/file.h"
#include "codec/sys/password.h"
#include "codec/sys/token.h"
#include "signaling/people/account.h"
#include "signaling/people/throttle.h"
#include "signaling/people/zone.h"
#include "signaling/store/people.h"

static void addresses(void **state)
{
    char out[ACCOUNT_MAIL_MAX + 1];
    (void)state;
    assert_int_equal(account_mail(out, "  Claire@Example.ORG\t"), 0);
    assert_string_equal(out, "claire@example.org");
    assert_int_equal(account_mail(out, "claire"), E_BAD);
    assert_string_equal(out, "");
    assert_int_equal(account_mail(out, "a@b.c\r\nBcc: x@y.z"), E_BAD);
    assert_int_equal(account_mail(out, NULL), E_BAD);
}

static int judge(const char *password)
{
    return account_password_ok(password, strlen(password), "claire@example.org");
}

static void passwords(void **state)
{
    char hash[PASSWORD_HASH_MAX];
    (void)state;
    assert_int_equal(judge("court"), E_TRUNC);
    assert_int_equal(judge("éééééééé"), E_TRUNC); /* characters count, not bytes */
    assert_int_equal(judge("aaaaaaaaaaaa"), E_BAD);
    assert_int_equal(judge("azertyuiop"), E_BAD);
    assert_int_equal(judge("1234567890"), E_BAD);
    assert_int_equal(judge("Motdepasse1"), E_BAD);
    assert_int_equal(judge("claire@example.org"), E_BAD);
    assert_int_equal(judge("petit poney bleu"), 0);
    assert_int_equal(password_hash(hash, "petit poney bleu", 16), 0);
    assert_int_equal(strncmp(hash, "$argon2id$", 10), 0);
    assert_true(password_check(hash, "petit poney bleu", 16));
    assert_false(password_check(hash, "petit poney vert", 16));
    assert_false(password_check_nobody("petit poney bleu", 16));
    assert_false(password_is_old(hash));
}

/* A cookie planted twice, cut or lengthened is none. */
static void cookies(void **state)
{
    static const char token[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDE-_";
    char header[400];
    char out[ACCOUNT_TOKEN_TEXT + 1];
    (void)state;
    snprintf(header, sizeof(header), "a=b; __Host-amphi=%s; c=d", token);
    assert_int_equal(account_cookie(out, header, strlen(header)), 0);
    assert_string_equal(out, token);
    snprintf(header, sizeof(header), "__Host-amphi=%s;__Host-amphi=%s", token, token);
    assert_int_equal(account_cookie(out, header, strlen(header)), E_NOTFOUND);
    snprintf(header, sizeof(header), "__Host-amphi=%sx", token);
    assert_int_equal(account_cookie(out, header, strlen(header)), E_NOTFOUND);
    snprintf(header, sizeof(header), "x__Host-amphi=%s", token);
    assert_int_equal(account_cookie(out, header, strlen(header)), E_NOTFOUND);
    for (size_t len = 0; len < 60; len++) {
        snprintf(header, sizeof(header), "__Host-amphi=%s", token);
        int err = account_cookie(out, header, len < strlen(header) ? len : strlen(header));
        assert_int_equal(err, len < strlen(header) ? E_NOTFOUND : 0);
    }
}

static void tries(void **state)
{
    static struct throttle t = {.burst = 3, .per_minute = 5};
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_true(throttle_take(&t, 7, 1000));
    }
    assert_false(throttle_take(&t, 7, 1000));
    assert_int_equal(throttle_wait_s(&t, 7), 12); /* one in twelve seconds */
    assert_true(throttle_take(&t, 8, 1000));      /* somebody else is not concerned */
    assert_false(throttle_take(&t, 7, 12000));
    assert_true(throttle_take(&t, 7, 24000));
    for (int i = 0; i < 20; i++) { /* what has come back is taken once */
        assert_false(throttle_take(&t, 7, 24000));
    }
    throttle_return(&t, 7);
    assert_true(throttle_take(&t, 7, 24000));
    assert_true(throttle_take(&t, 7, INT64_MAX / 4)); /* no overflow after years */
    for (uint64_t key = 100; key < 100000; key++) {   /* bounded, whatever comes */
        (void)throttle_take(&t, key, 30000);
    }
    assert_true(throttle_take(&t, 9, 30000));
}

/* The hour that does not exist and the one that comes twice; damaged files do no harm. */
static void zones(void **state)
{
    char *bytes = NULL;
    size_t len = 0;
    struct zone zone;
    (void)state;
    assert_true(zone_name_ok("Europe/Paris"));
    assert_true(zone_name_ok("America/Argentina/Buenos_Aires"));
    assert_false(zone_name_ok("../../etc/passwd"));
    assert_false(zone_name_ok("/etc/passwd"));
    assert_false(zone_name_ok("a//b"));
    assert_false(zone_name_ok(""));
    assert_int_equal(file_read("/usr/share/zoneinfo/Europe/Paris", 65536, &bytes, &len), 0);
    assert_int_equal(zone_read(&zone, bytes, len), 0);
    assert_int_equal(zone_offset(&zone, 1806195600 - 1), 3600); /* 2027-03-28 01:59:59 */
    assert_int_equal(zone_offset(&zone, 1806195600), 7200);     /* 03:00 */
    assert_int_equal(zone_offset(&zone, 1824944400 - 1), 7200); /* 2027-10-31 02:59:59 */
    assert_int_equal(zone_offset(&zone, 1824944400), 3600);     /* 02:00 again */
    struct zone_day d = zone_day(1806195600 + 7200);
    assert_int_equal(d.year * 10000 + d.month * 100 + d.day, 20270328);
    assert_int_equal(d.weekday, 0);
    assert_int_equal(d.hour * 100 + d.minute, 300);
    d = zone_day(-1);
    assert_int_equal(d.year * 10000 + d.month * 100 + d.day, 19691231);
    assert_int_equal(d.weekday, 3);
    d = zone_day(951782400); /* the leap day of a century */
    assert_int_equal(d.year * 10000 + d.month * 100 + d.day, 20000229);
    for (size_t cut = 0; cut < len; cut++) {
        char *part = mem_dup(bytes, cut);
        (void)zone_read(&zone, part, cut);
        mem_free(part);
    }
    for (size_t i = 0; i < len && i < 200; i++) {
        bytes[i] = (char)~bytes[i];
        if (!zone_read(&zone, bytes, len)) {
            (void)zone_offset(&zone, 0);
        }
        bytes[i] = (char)~bytes[i];
    }
    mem_free(bytes);
}

/* SQL of the test itself, by another connection. */
#define SQL(path, text)                                                                            \
    do {                                                                                           \
        sqlite3 *other = NULL;                                                                     \
        assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);                                   \
        assert_int_equal(sqlite3_exec(other, "" text, NULL, NULL, NULL), SQLITE_OK);               \
        (void)sqlite3_close(other);                                                                \
    } while (0)

static char folder[] = "/tmp/amphi-people-XXXXXX";

static const char *db_path(char out[128])
{
    snprintf(out, 128, "%s/people.db", folder);
    return out;
}

static void rows(void **state)
{
    char path[128];
    struct people *p;
    struct id id = {{1}};
    uint8_t digest[PEOPLE_DIGEST_LEN] = {2};
    (void)state;
    assert_int_equal(people_open(&p, db_path(path)), 0);
    assert_int_equal(people_run(p, PEOPLE_ACCOUNT_ADD, "dttitti", &id, "a@b.org", "A'; DROP--",
                                (int64_t)1, NULL, NULL, (int64_t)5),
                     0);
    struct id other = {{3}};
    assert_int_equal(people_run(p, PEOPLE_ACCOUNT_ADD, "dttitti", &other, "a@b.org", "B",
                                (int64_t)0, NULL, NULL, (int64_t)5),
                     E_DUP);
    assert_int_equal(people_number(p, PEOPLE_ADMINS, ""), 1);
    assert_int_equal(people_run(p, PEOPLE_SESSION_ADD, "hdit", digest, &id, (int64_t)9, "x"), 0);
    json_t *row = people_row(p, PEOPLE_SESSION_GET, "h", digest);
    assert_string_equal(json_string_value(json_object_get(row, "name")), "A'; DROP--");
    char text[ID_TEXT_MAX];
    assert_string_equal(json_string_value(json_object_get(row, "id")),
                        id_print(text, ID_PERSON, &id));
    json_decref(row);
    digest[0] = 4;
    assert_null(people_row(p, PEOPLE_SESSION_GET, "h", digest));
    assert_int_equal(people_begin(p), 0);
    assert_int_equal(people_run(p, PEOPLE_SESSION_END_ALL, "d", &id), 0);
    assert_int_equal(people_changes(p), 1);
    people_rollback(p);
    digest[0] = 2;
    assert_int_equal(people_run(p, PEOPLE_SESSION_END, "h", digest), 0);
    assert_int_equal(people_changes(p), 1);
    people_close(p);
}

/* Every statement is valid on the newest schema: bound to nothing it changes nothing. */
static void statements(void **state)
{
    char path[128];
    struct people *p;
    (void)state;
    assert_int_equal(people_open(&p, db_path(path)), 0);
    assert_int_equal(people_begin(p), 0);
    for (int q = 0; q < PEOPLE_COUNT; q++) {
        int err = people_run(p, (enum people_query)q, "");
        assert_true(err == 0 || err == E_DUP);
    }
    people_rollback(p);
    people_close(p);
}

/* A file of the first version keeps its accounts and gets the rest; a newer one is left alone. */
static void versions(void **state)
{
    char path[128];
    struct people *p;
    (void)state;
    (void)unlink(db_path(path));
    assert_int_equal(people_open(&p, path), 0);
    people_close(p);
    SQL(path, "DROP TABLE enrolled; DROP TABLE staff; DROP TABLE class; DROP TABLE keep;"
              "DROP TABLE purged; DROP TABLE setting; DROP TABLE refused; DROP TABLE paper;"
              "INSERT INTO account (id, mail, name, created) VALUES"
              " (x'000102030405060708090a0b0c0d0e0f', 'old@b.org', 'Old', 1);"
              "PRAGMA user_version = 1");
    assert_int_equal(people_open(&p, path), 0);
    json_t *row = people_row(p, PEOPLE_ACCOUNT_BY_MAIL, "t", "old@b.org");
    assert_string_equal(json_string_value(json_object_get(row, "name")), "Old");
    json_decref(row);
    row = people_rows(p, PEOPLE_CLASSES_TO_PURGE, "i", (int64_t)1);
    assert_int_equal(json_array_size(row), 0);
    json_decref(row);
    people_close(p);
    SQL(path, "PRAGMA user_version = 99");
    assert_int_equal(people_open(&p, path), E_VERSION);
    assert_null(p);
}

static int enter(void **state)
{
    (void)state;
    return token_init() || !mkdtemp(folder);
}

static int leave(void **state)
{
    char path[128];
    (void)state;
    (void)unlink(db_path(path));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(addresses), UNIT(passwords), UNIT(cookies),    UNIT(tries),
        UNIT(zones),     UNIT(rows),      UNIT(statements), UNIT(versions),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
