#include "tests/unit/support.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "server/app/turn.h"

static char secret_path[64];

static struct config config_with(const char *const *urls, size_t count)
{
    struct config c = {.turn_ttl_s = 28800, .turn_secret_file = secret_path};
    for (size_t i = 0; i < count; i++) {
        c.turn_urls.item[i] = strdup(urls[i]);
    }
    c.turn_urls.count = count;
    return c;
}

static void config_drop(struct config *c)
{
    for (size_t i = 0; i < c->turn_urls.count; i++) {
        free(c->turn_urls.item[i]);
    }
}

static void write_secret(const char *text)
{
    FILE *f = fopen(secret_path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* openssl dgst -sha1 -hmac 0123456789abcdef -binary over "1700028800:p_x", in base64. */
static void credentials_are_what_coturn_expects(void **state)
{
    (void)state;
    static const char *const urls[] = {"turn:a.example:3478?transport=udp",
                                       "turns:a.example:443?transport=tcp", "stun:a.example"};
    struct config c = config_with(urls, 3);
    struct turn turn;
    struct class_relay r;
    char why[TURN_WHY_MAX] = "";
    char link[1024];
    write_secret("0123456789abcdef\n");
    assert_int_equal(turn_init(&turn, &c, why, sizeof(why)), 0);
    turn_relay(&turn, "p_x", 1700000000000, &r);
    assert_int_equal(r.count, 3);
    assert_string_equal(r.url[1], urls[1]);
    assert_string_equal(r.username, "1700028800:p_x");
    assert_string_equal(r.credential, "PmrRObSYL1MRSIBbsCeFUrlWfGM=");
    turn_link(&turn, "p_x", 1700000000000, link, sizeof(link));
    assert_non_null(strstr(link, "<turns:a.example:443?transport=tcp>; rel=\"ice-server\"; "
                                 "username=\"1700028800:p_x\"; credential=\""));
    assert_non_null(strstr(link, ", <stun:a.example>; rel=\"ice-server\""));
    turn_link(&turn, "p_x", 0, link, 60);
    assert_string_equal(link, ""); /* never half of it */
    config_drop(&c);
}

static int tried(const char *url, const char *secret)
{
    struct config c = config_with(&url, url ? 1 : 0);
    struct turn turn;
    char why[TURN_WHY_MAX] = "";
    write_secret(secret);
    int err = turn_init(&turn, &c, why, sizeof(why));
    assert_true((err == 0) == (why[0] == '\0'));
    config_drop(&c);
    return err;
}

static void what_cannot_be_a_relay_is_refused(void **state)
{
    (void)state;
    assert_int_equal(tried(NULL, ""), 0); /* none: the secret is not even read */
    assert_int_equal(tried("stun:a.example", ""), 0);
    assert_int_equal(tried("turn:a.example", "0123456789abcdef"), 0);
    assert_int_equal(tried("turn:a.example", "short"), E_BAD);
    assert_int_equal(tried("turn:", "0123456789abcdef"), E_BAD);
    assert_int_equal(tried("https://a.example", "0123456789abcdef"), E_BAD);
    assert_int_equal(tried("turn:a.example>; rel=x", "0123456789abcdef"), E_BAD);
    assert_int_equal(tried("turn:a\r\nx: y", "0123456789abcdef"), E_BAD);
    unlink(secret_path);
    static const char *const urls[] = {"turn:a.example"};
    struct config c = config_with(urls, 1);
    struct turn turn;
    char why[TURN_WHY_MAX] = "";
    assert_int_not_equal(turn_init(&turn, &c, why, sizeof(why)), 0);
    assert_non_null(strstr(why, "turn.secret_file"));
    config_drop(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_are_what_coturn_expects),
        cmocka_unit_test(what_cannot_be_a_relay_is_refused),
    };
    snprintf(secret_path, sizeof(secret_path), "/tmp/amphi-turn-%d", (int)getpid());
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(secret_path);
    return failed;
}
