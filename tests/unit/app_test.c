#include "tests/unit/support.h"

#include <string.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "server/app/admin_json.h"
#include "server/app/child.h"
#include "server/app/histogram.h"
#include "server/app/placement.h"
#include "server/app/restart.h"
#include "server/crypto/x509.h"

static void first_deaths_cost_no_waiting(void **state)
{
    (void)state;
    struct restart r = {.ever_ready = false};
    mono_us now = 1000 * US_PER_S;
    restart_ready(&r);
    for (int i = 0; i < RESTART_FREE; i++) {
        struct restart_verdict v = restart_died(&r, true, 9, now);
        assert_false(v.give_up);
        assert_true(v.at == now);
        now += US_PER_S;
    }
    /* A crash loop waits longer each time, up to a bound. */
    mono_us last = 0;
    for (int i = 0; i < 12; i++) {
        struct restart_verdict v = restart_died(&r, true, 11, now);
        mono_us wait = v.at - now;
        assert_false(v.give_up);
        assert_true(wait >= last && wait >= RESTART_FIRST_US && wait <= RESTART_LAST_US);
        last = wait;
        now = v.at + US_PER_S;
    }
    assert_true(last == RESTART_LAST_US);
    /* Quiet for a while: the next death is a single one again. */
    now += RESTART_WINDOW_US;
    struct restart_verdict v = restart_died(&r, true, 9, now);
    assert_true(v.at == now);
}

static void a_start_that_cannot_work_is_given_up(void **state)
{
    (void)state;
    struct restart r = {.ever_ready = false};
    struct restart_verdict v = restart_died(&r, false, 1, 5);
    assert_true(v.give_up);
    assert_int_equal(v.exit_code, 1);
    /* Wrong settings never get better, not even after it ran. */
    r = (struct restart){.ever_ready = true};
    v = restart_died(&r, false, 78, 5);
    assert_true(v.give_up);
    assert_int_equal(v.exit_code, 78);
    /* It ran: ordinary failures are started again. */
    r = (struct restart){.ever_ready = true};
    assert_false(restart_died(&r, false, 1, 5).give_up);
    /* Killed before it ever ran: a few tries, then the operator must look. */
    r = (struct restart){.ever_ready = false};
    for (int i = 1; i < RESTART_TRIES; i++) {
        assert_false(restart_died(&r, true, 11, i).give_up);
    }
    v = restart_died(&r, true, 11, RESTART_TRIES);
    assert_true(v.give_up);
    assert_int_equal(v.exit_code, 1);
}

static void small_classes_stay_together(void **state)
{
    (void)state;
    struct placement_shard s[3] = {{.peers = 90, .peers_max = 100},
                                   {.peers = 5, .peers_max = 100},
                                   {.peers = 6, .peers_max = 100, .tx_pps = 100}};
    assert_int_equal(placement_choose(s, 3, PLACEMENT_NONE, 1, 150), 1);
    assert_int_equal(placement_choose(s, 3, 0, 20, 150), 0);
    /* Large: where there is least to do. */
    assert_int_equal(placement_choose(s, 3, 0, 150, 150), 1);
    /* Packets count once they flow. */
    s[1].tx_pps = 50000;
    assert_int_equal(placement_choose(s, 3, PLACEMENT_NONE, 1, 150), 2);
    /* A full home gives way; all full is said. */
    s[0].peers = 100;
    assert_int_equal(placement_choose(s, 3, 0, 20, 150), 2);
    s[1].peers = s[2].peers = 100;
    assert_int_equal(placement_choose(s, 3, 0, 20, 150), PLACEMENT_NONE);
    assert_int_equal(placement_choose(s, 3, 7, 20, 150), PLACEMENT_NONE);
}

static void histogram_counts_every_time_once(void **state)
{
    (void)state;
    static struct histogram h;
    uint64_t all = 0;
    histogram_add(&h, -5);
    histogram_add(&h, 100);
    histogram_add(&h, 101);
    histogram_add(&h, 3600LL * US_PER_S);
    for (unsigned i = 0; i <= HISTOGRAM_BUCKETS; i++) {
        all += h.bucket[i];
    }
    assert_int_equal(all, 4);
    assert_int_equal(h.bucket[0], 2);
    assert_int_equal(h.bucket[1], 1);
    assert_int_equal(h.bucket[HISTOGRAM_BUCKETS], 1);
    for (unsigned i = 1; i < HISTOGRAM_BUCKETS; i++) {
        assert_true(histogram_bound_us(i) > histogram_bound_us(i - 1));
    }
}

static int parse(struct admin_json *a, const char *text)
{
    static char why[200];
    why[0] = '\0';
    int err = admin_json_parse(a, text, strlen(text), why, sizeof(why));
    assert_true(!err == !why[0]);
    return err;
}

static void operator_requests_are_checked(void **state)
{
    (void)state;
    struct admin_json a;
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"cmd\":5}",
        "{\"cmd\":\"class.destroy\"}",
        "{\"cmd\":\"class.create\"}",
        "{\"cmd\":\"class.create\",\"title\":\"\"}",
        "{\"cmd\":\"class.create\",\"title\":\"a\",\"type\":\"x\"}",
        "{\"cmd\":\"class.create\",\"title\":\"a\",\"title\":\"b\"}",
        "{\"cmd\":\"class.show\"}",
        "{\"cmd\":\"class.show\",\"class\":\"c_\"}",
        "{\"cmd\":\"class.end\",\"class\":\"p_baaaaaaaaaaaaaaaaaaaaaaaaa\"}",
        "{\"cmd\":\"link\",\"class\":\"c_baaaaaaaaaaaaaaaaaaaaaaaaa\",\"role\":\"king\"}",
        "{\"cmd\":\"link\",\"class\":\"c_baaaaaaaaaaaaaaaaaaaaaaaaa\",\"ttl_s\":-1}",
        "{\"cmd\":\"link\",\"class\":\"c_baaaaaaaaaaaaaaaaaaaaaaaaa\",\"person\":\"x\"}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(parse(&a, bad[i]), E_BAD);
        admin_json_fini(&a);
    }
    assert_int_equal(parse(&a, "{\"cmd\":\"class.create\",\"title\":\"T\",\"type\":\"webinar\"}"),
                     0);
    assert_int_equal(a.request.kind, ADMIN_CLASS_CREATE);
    assert_int_equal(a.request.class_type, CLASS_WEBINAR);
    assert_string_equal(a.request.title, "T");
    admin_json_fini(&a);
    assert_int_equal(parse(&a, "{\"cmd\":\"link\",\"class\":\"c_baaaaaaaaaaaaaaaaaaaaaaaaa\","
                               "\"role\":\"host\",\"ttl_s\":60,\"single\":true}"),
                     0);
    assert_int_equal(a.request.role, ROLE_HOST);
    assert_int_equal(a.request.ttl_s, 60);
    assert_true(a.request.single);
    admin_json_fini(&a);
    assert_int_equal(parse(&a, "{\"cmd\":\"drain\"}"), 0);
    assert_int_equal(a.kind, ADMIN_JSON_DRAIN);
    admin_json_fini(&a);
}

static void operator_answers_are_wrapped(void **state)
{
    (void)state;
    static const char in[] = "{\"class\":\"c_x\"}";
    char *text = admin_json_answer(0, in, sizeof(in) - 1);
    assert_string_equal(text, "{\"ok\":true,\"class\":\"c_x\"}");
    free(text);
    text = admin_json_answer(E_NOTFOUND, "{\"why\":\"gone\"}", 14);
    assert_string_equal(text, "{\"ok\":false,\"code\":\"E_NOTFOUND\",\"why\":\"gone\"}");
    free(text);
    text = admin_json_answer(0, NULL, 0);
    assert_string_equal(text, "{\"ok\":true}");
    free(text);
}

static void certificates_are_made_and_checked(void **state)
{
    (void)state;
    char cert[X509_PEM_MAX];
    char key[X509_PEM_MAX];
    char other[X509_PEM_MAX];
    char why[128];
    struct x509_info info;
    assert_int_equal(x509_self_signed("localhost,192.0.2.1,::1", 30, cert, key), 0);
    assert_int_equal(x509_check(cert, strlen(cert), key, strlen(key), &info, why, sizeof(why)), 0);
    assert_string_equal(info.subject, "localhost");
    assert_int_equal((info.not_after - info.not_before) / 86400000, 31);
    assert_int_equal(x509_self_signed("other", 30, other, key), 0);
    assert_int_equal(x509_check(cert, strlen(cert), key, strlen(key), &info, why, sizeof(why)),
                     E_AUTH);
    assert_int_equal(x509_check("x", 1, key, strlen(key), &info, why, sizeof(why)), E_BAD);
    assert_int_equal(x509_check(cert, strlen(cert), "x", 1, &info, why, sizeof(why)), E_BAD);
    static const char *const bad[] = {"", ",", "a,,b", "a b", "a\n", "a,DNS:b;c", "[::1]"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(x509_self_signed(bad[i], 30, cert, key), E_BAD);
    }
    assert_int_equal(x509_self_signed("a", 0, cert, key), E_RANGE);
}

static void silence_is_measured_from_the_last_sign(void **state)
{
    (void)state;
    int fd[2];
    struct child c = {.pid = 1, .silence_us_max = 3 * US_PER_S, .last_sign = 0};
    assert_int_equal(pipe(fd), 0);
    c.watch_fd = fd[0];
    /* Not ready yet: a start may take longer than the watchdog allows later. */
    assert_false(child_silent(&c, CHILD_START_US - 1));
    assert_true(child_silent(&c, CHILD_START_US));
    assert_int_equal(write(fd[1], "ab", 2), 2);
    close(fd[1]);
    assert_true(child_sign(&c, 10 * US_PER_S));
    assert_int_equal(c.watch_fd, -1);
    assert_false(child_silent(&c, 13 * US_PER_S - 1));
    assert_true(child_silent(&c, 13 * US_PER_S));
    c.killed = true;
    assert_true(child_deadline(&c) == MONO_NEVER);
}

static void inherited_descriptors_are_found_by_name(void **state)
{
    (void)state;
    int fd = dup(0);
    char text[64];
    snprintf(text, sizeof(text), "watchdog=1,key=9999,cert=%d", fd);
    assert_int_equal(child_inherited(text, "cert"), fd);
    assert_int_equal(child_inherited(text, "watchdog"), -1);
    assert_int_equal(child_inherited(text, "key"), -1);
    assert_int_equal(child_inherited(text, "web0"), -1);
    assert_int_equal(child_inherited(NULL, "web0"), -1);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(first_deaths_cost_no_waiting),
        UNIT(a_start_that_cannot_work_is_given_up),
        UNIT(small_classes_stay_together),
        UNIT(histogram_counts_every_time_once),
        UNIT(operator_requests_are_checked),
        UNIT(operator_answers_are_wrapped),
        UNIT(certificates_are_made_and_checked),
        UNIT(silence_is_measured_from_the_last_sign),
        UNIT(inherited_descriptors_are_found_by_name),
    };
    return cmocka_run_group_tests_name("app", tests, NULL, NULL);
}
