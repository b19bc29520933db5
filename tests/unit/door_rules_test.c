#include "tests/unit/support.h"

#include <string.h>

#include "codec/base/err.h"
#include "signaling/door/door.h"
#include "signaling/door/rules.h"

static int length_of(const char *text)
{
    uint64_t value = 0;
    int err = rules_length(text, strlen(text), &value);
    return err ? err : (int)value;
}

static void only_plain_digits_are_a_length(void **state)
{
    (void)state;
    assert_int_equal(length_of("0"), 0);
    assert_int_equal(length_of("65536"), 65536);
    assert_int_equal(length_of("0000000005"), 5);
    static const char *const bad[] = {"",   " ",           "-1", "+5",   "0x5", "5,5",
                                      "5 ", " 5",          "5;", "5.",   "1e1", "a",
                                      "5a", "00000000005", "٥",  "\x01", "--",  "5-"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(length_of(bad[i]), E_BAD);
    }
    uint64_t value = 0;
    assert_int_equal(rules_length("5\0", 2, &value), E_BAD);
}

static bool path_ok(const char *path)
{
    return rules_path_ok(path, strlen(path));
}

static void s32_paths_cannot_climb_or_hide(void **state)
{
    (void)state;
    static const char *const good[] = {"/",   "/c/",  "/c/x",  "/assets/a-1.js", "/é",
                                       "/.x", "/..x", "/a..b", "/...",           "/a=b,c:@"};
    static const char *const bad[] = {"",      "a",     "//",     "/a//b",    "/.",    "/..",
                                      "/../a", "/a/..", "/a/./b", "/a b",     "/a\\b", "/a\tb",
                                      "/\x7f", "/\xff", "/a\nb",  "/\xc0\xae"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(path_ok(good[i]));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(path_ok(bad[i]));
    }
    assert_false(rules_path_ok("/a\0b", 4));
}

static void origins_match_exactly(void **state)
{
    (void)state;
    const char *o = "https://h.example:8443";
    assert_true(rules_origin_is(o, strlen(o), "https", "h.example:8443"));
    assert_false(rules_origin_is(o, strlen(o), "http", "h.example:8443"));
    assert_false(rules_origin_is(o, strlen(o), "https", "h.example"));
    assert_false(rules_origin_is(o, strlen(o), "https", "H.example:8443"));
    assert_false(rules_origin_is(o, strlen(o) - 1, "https", "h.example:8443"));
    assert_false(rules_origin_is("https://", 8, "https", ""));
    assert_false(rules_origin_is("", 0, "https", "x"));
}

static bool forwarded_is(const char *text, const char *want)
{
    struct addr a;
    struct addr b;
    assert_int_equal(addr_parse(&b, want), 0);
    return rules_forwarded(text, strlen(text), &a) == 0 && addr_equal(&a, &b);
}

static void the_last_forwarded_address_counts(void **state)
{
    (void)state;
    assert_true(forwarded_is("192.0.2.1", "192.0.2.1"));
    assert_true(forwarded_is("6.6.6.6, 192.0.2.1", "192.0.2.1"));
    assert_true(forwarded_is("6.6.6.6,192.0.2.1  ", "192.0.2.1"));
    assert_true(forwarded_is("192.0.2.1:5000", "192.0.2.1"));
    assert_true(forwarded_is("[2001:db8::1]:5000", "2001:db8::1"));
    assert_true(forwarded_is("2001:db8::1", "2001:db8::1"));
    assert_true(forwarded_is("::ffff:192.0.2.1", "192.0.2.1"));
    static const char *const bad[] = {"", ",", "unknown", "192.0.2.1,", "[::1", "1.2.3", "a:b"};
    struct addr a;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_true(rules_forwarded(bad[i], strlen(bad[i]), &a) != 0);
    }
}

static bool accepts(const char *list, const char *coding)
{
    return rules_accepts(list, strlen(list), coding);
}

static void codings_and_tags_are_found_in_lists(void **state)
{
    (void)state;
    assert_true(accepts("gzip", "gzip"));
    assert_true(accepts("br, GZIP;q=0.5", "gzip"));
    assert_false(accepts("gzip;q=0", "gzip"));
    assert_false(accepts("gzip; q=0.000", "gzip"));
    assert_true(accepts("gzip;q=0.001", "gzip"));
    assert_false(accepts("x-gzip, gzipped", "gzip"));
    assert_false(accepts("", "br"));
    assert_true(rules_etag_in("\"a\"", 3, "\"a\""));
    assert_true(rules_etag_in("\"b\" , W/\"a\"", 11, "\"a\""));
    assert_true(rules_etag_in("*", 1, "\"a\""));
    assert_false(rules_etag_in("\"ab\"", 4, "\"a\""));
    assert_false(rules_etag_in("", 0, "\"a\""));
}

static enum rules_range range_of(const char *text, uint64_t size, uint64_t *first, uint64_t *last)
{
    *first = *last = 0;
    return rules_range(text, strlen(text), size, first, last);
}

static void one_range_is_served(void **state)
{
    (void)state;
    uint64_t a;
    uint64_t b;
    assert_int_equal(range_of("bytes=0-9", 100, &a, &b), RULES_RANGE_PART);
    assert_int_equal(b, 9);
    assert_int_equal(range_of("bytes=90-", 100, &a, &b), RULES_RANGE_PART);
    assert_true(a == 90 && b == 99);
    assert_int_equal(range_of("bytes=-200", 100, &a, &b), RULES_RANGE_PART);
    assert_true(a == 0 && b == 99);
    assert_int_equal(range_of("bytes=5-500", 100, &a, &b), RULES_RANGE_PART);
    assert_true(a == 5 && b == 99);
    assert_int_equal(range_of("bytes=100-", 100, &a, &b), RULES_RANGE_NONE);
    assert_int_equal(range_of("bytes=-0", 100, &a, &b), RULES_RANGE_NONE);
    assert_int_equal(range_of("bytes=0-", 0, &a, &b), RULES_RANGE_NONE);
    static const char *const all[] = {"bytes=",
                                      "bytes=-",
                                      "bytes=5-1",
                                      "bytes=1-2,4-5",
                                      "lines=1-2",
                                      "bytes=a-b",
                                      "bytes 1-2",
                                      "bytes=1--2",
                                      "bytes=1- ",
                                      "bytes= 1-2",
                                      "",
                                      "b",
                                      "bytes=9999999999999999999-"};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        assert_int_equal(range_of(all[i], 100, &a, &b), RULES_RANGE_ALL);
    }
}

static void endings_have_their_types(void **state)
{
    (void)state;
    assert_string_equal(rules_media_type("assets/a.JS"), "text/javascript; charset=utf-8");
    assert_string_equal(rules_media_type("index.html"), "text/html; charset=utf-8");
    assert_string_equal(rules_media_type("x.unknown"), "application/octet-stream");
    assert_string_equal(rules_media_type(".js"), "application/octet-stream");
}

static void a_configuration_is_checked_without_serving(void **state)
{
    (void)state;
    char why[256];
    struct door_config c = {.listen = {{.address = "", .port = 1, .fd = -1}},
                            .listen_count = 1,
                            .core_path = "/run/x",
                            .web_root = "tests/unit",
                            .watchdog_fd = -1};
    assert_int_equal(door_check(&c, why, sizeof(why)), E_NOTFOUND);
    assert_non_null(strstr(why, "no index.html in tests/unit"));
    c.origins[0] = "https://a.example/";
    c.origins_count = 1;
    assert_int_equal(door_check(&c, why, sizeof(why)), E_BAD);
    assert_non_null(strstr(why, "https://a.example/"));
    c.listen_count = 0;
    assert_int_equal(door_check(&c, why, sizeof(why)), E_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(only_plain_digits_are_a_length),
        UNIT(s32_paths_cannot_climb_or_hide),
        UNIT(origins_match_exactly),
        UNIT(the_last_forwarded_address_counts),
        UNIT(codings_and_tags_are_found_in_lists),
        UNIT(one_range_is_served),
        UNIT(endings_have_their_types),
        UNIT(a_configuration_is_checked_without_serving),
    };
    return cmocka_run_group_tests_name("door_rules", tests, NULL, NULL);
}
