#include "tests/unit/support.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "server/app/config.h"
#include "signaling/journal/state.h"

static char why[CONFIG_WHY_MAX];

static int yaml(struct config *c, const char *text)
{
    why[0] = '\0';
    return config_yaml(c, "a.yaml", text, strlen(text), why);
}

static void defaults_are_valid_and_complete(void **state)
{
    (void)state;
    struct config c;
    size_t count;
    const struct config_row *rows = config_rows(&count);
    assert_int_equal(config_init(&c), 0);
    assert_int_equal(c.rtc_udp_port, 10000);
    assert_int_equal(c.web_listen.count, 2);
    assert_string_equal(c.web_listen.item[1], "[::]:8443");
    assert_true(c.web_tls);
    for (size_t i = 0; i < count; i++) {
        char text[4096];
        assert_string_equal(config_text(&c, &rows[i], text, sizeof(text)), rows[i].def);
        assert_ptr_equal(config_find(rows[i].section, rows[i].key), &rows[i]);
        assert_true(strlen(rows[i].help) > 10);
    }
    config_fini(&c);
}

static void yaml_sets_every_type(void **state)
{
    (void)state;
    struct config c;
    assert_int_equal(config_init(&c), 0);
    assert_int_equal(yaml(&c, "# comment\n"
                              "rtc:\n  udp_port: 4000\n  tcp: no\n  external_ip: 192.0.2.1\n"
                              "web:\n  listen: [\"127.0.0.1:1\", '[::1]:2']\n  origins:\n    - a\n"
                              "log: {level: debug}\nserver:\n"),
                     0);
    assert_int_equal(c.rtc_udp_port, 4000);
    assert_false(c.rtc_tcp);
    assert_string_equal(c.rtc_external_ip.item[0], "192.0.2.1");
    assert_int_equal(c.web_listen.count, 2);
    assert_string_equal(c.web_listen.item[1], "[::1]:2");
    assert_int_equal(c.web_origins.count, 1);
    assert_int_equal(c.log_level, 3);
    assert_int_equal(yaml(&c, ""), 0);
    assert_int_equal(yaml(&c, "# nothing\n"), 0);
    config_fini(&c);
}

static void mistakes_name_line_key_and_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *says;
    } rows[] = {
        {"rtc:\n  udp_prot: 1\n", "a.yaml:2: rtc.udp_prot: unknown key (is it rtc.udp_port?)"},
        {"rtc:\n  udp_port: 1\n  zzzzzzzzzz: 1\n", "a.yaml:3: rtc.zzzzzzzzzz: unknown key"},
        {"web:\n  udp_port: 1\n", "a.yaml:2: web.udp_port: unknown key (is it rtc.udp_port?)"},
        {"nothing:\n  a: 1\n", "a.yaml:1: nothing: unknown section"},
        {"\nrtc:\n  udp_port: 70000\n", "a.yaml:3: rtc.udp_port: must be 0 to 65535, not 70000"},
        {"rtc:\n  udp_port: 1x\n", "a.yaml:2: rtc.udp_port: must be a whole number, not \"1x\""},
        {"rtc:\n  udp_port:\n", "a.yaml:2: rtc.udp_port: must be a whole number, not \"\""},
        {"rtc:\n  udp_port: 99999999999999999999\n",
         "a.yaml:2: rtc.udp_port: must be a whole number, not \"99999999999999999999\""},
        {"rtc:\n  udp_port: [1, 2]\n", "a.yaml:2: rtc.udp_port: must be one value, not a list"},
        {"rtc:\n  udp_port: {a: b}\n",
         "a.yaml:2: rtc.udp_port: must be a value or a list of values"},
        {"rtc:\n  tcp: maybe\n", "a.yaml:2: rtc.tcp: must be true or false, not \"maybe\""},
        {"log:\n  level: loud\n",
         "a.yaml:2: log.level: must be one of error|warn|info|debug, not \"loud\""},
        {"rtc:\n  udp_port: 1\n  udp_port: 2\n", "a.yaml:3: rtc.udp_port: given twice"},
        {"rtc: 5\n", "a.yaml:1: rtc: must hold keys"},
        {"- rtc\n", "a.yaml:1: must hold sections"},
        {"rtc: &a\n  udp_port: 1\nweb: *a\n", "a.yaml:3: aliases are not supported"},
        {"rtc:\n  tcp: yes\n---\nrtc:\n", "a.yaml:3: only one document is allowed"},
        {"server:\n  name: \"a\\nb\"\n", "a.yaml:2: server.name: must not hold control characters"},
        {"server:\n  name: \"\"\n", "a.yaml:2: server.name: must have 1 to 80 bytes, not 0"},
        {"web:\n  listen: [1234, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]\n",
         "a.yaml:2: too many values"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct config c;
        assert_int_equal(config_init(&c), 0);
        assert_true(yaml(&c, rows[i].text) < 0);
        assert_string_equal(why, rows[i].says);
        config_fini(&c);
    }
    struct config c;
    assert_int_equal(config_init(&c), 0);
    assert_int_equal(yaml(&c, "rtc:\n\tudp_port: 1\n"), E_BAD);
    assert_non_null(strstr(why, "a.yaml:2: no valid YAML"));
    config_fini(&c);
}

static void later_sources_win(void **state)
{
    (void)state;
    struct config c;
    char *env[] = {(char[]){"PATH=/bin"},
                   (char[]){"AMPHI_CONFIG=x"},
                   (char[]){"AMPHI_RTC__UDP_PORT=5000"},
                   (char[]){"AMPHI_RTC__SHARDS=3"},
                   (char[]){"AMPHI_WEB__LISTEN=127.0.0.1:1, [::1]:2"},
                   NULL};
    char *argv[] = {(char[]){"amphi"},
                    (char[]){"--rtc.udp_port=6000"},
                    (char[]){"--json"},
                    (char[]){"--log.level"},
                    (char[]){"warn"},
                    (char[]){"word"},
                    (char[]){"--"},
                    (char[]){"--rtc.udp_port=1"},
                    NULL};
    int argc = 8;
    assert_int_equal(config_load(&c, NULL, env, &argc, argv, why), 0);
    assert_int_equal(c.rtc_udp_port, 6000);
    assert_int_equal(c.rtc_shards, 3);
    assert_int_equal(c.web_listen.count, 2);
    assert_string_equal(c.web_listen.item[1], "[::1]:2");
    assert_int_equal(c.log_level, 1);
    assert_int_equal(argc, 5);
    assert_string_equal(argv[1], "--json");
    assert_string_equal(argv[2], "word");
    assert_string_equal(argv[3], "--");
    config_fini(&c);
}

static int load_one(const char *variable, const char *flag)
{
    struct config c;
    char e[200];
    char f[200];
    char name[] = "amphi";
    char *env[] = {e, NULL};
    char *argv[] = {name, f, NULL};
    int argc = flag ? 2 : 1;
    snprintf(e, sizeof(e), "%s", variable ? variable : "X=1");
    snprintf(f, sizeof(f), "%s", flag ? flag : "");
    int err = config_load(&c, NULL, env, &argc, argv, why);
    config_fini(&c);
    return err;
}

static void variables_and_flags_are_checked_too(void **state)
{
    (void)state;
    assert_true(load_one("AMPHI_RTC__UDP_PROT=1", NULL) < 0);
    assert_string_equal(why,
                        "AMPHI_RTC__UDP_PROT: rtc.udp_prot: unknown key (is it rtc.udp_port?)");
    assert_true(load_one("AMPHI_RTC__udp_port=1", NULL) < 0);
    assert_true(load_one("AMPHI_RTC__UDP_PORT=-1", NULL) < 0);
    assert_string_equal(why, "AMPHI_RTC__UDP_PORT: rtc.udp_port: must be 0 to 65535, not -1");
    assert_true(load_one(NULL, "--rtc.udp_prot=1") < 0);
    assert_true(load_one(NULL, "--rtc.udp_port") < 0);
    assert_string_equal(why, "--rtc.udp_port: rtc.udp_port: needs a value");
    assert_true(load_one(NULL, "--web.listen=8443") < 0);
    assert_true(load_one(NULL, "--web.listen=::1:8443") < 0);
    assert_true(load_one(NULL, "--web.listen=") < 0);
    assert_true(load_one(NULL, "--rtc.external_ip=example.org") < 0);
    assert_true(load_one(NULL, "--tls.cert=a.pem") < 0);
    assert_string_equal(why, "tls.key: missing: tls.cert and tls.key go together");
    assert_int_equal(load_one("AMPHI_WEB__TLS=false", "--web.listen=:80,[::1]:81"), 0);
}

static void sample_secrets_are_refused(void **state)
{
    (void)state;
    assert_true(load_one(NULL, "--auth.secret=short") < 0);
    assert_true(load_one(NULL, "--auth.secret=please-Change-me-please-change-me-please") < 0);
    assert_true(load_one(NULL, "--auth.secret=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa") < 0);
    assert_non_null(strstr(why, "auth.secret: is a sample"));
    assert_int_equal(
        load_one(NULL, "--auth.secret=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15"),
        0);
}

static void addresses_outside_are_checked(void **state)
{
    (void)state;
    static const char *const bad[] = {"--web.public_url=javascript:alert(1)",
                                      "--web.public_url=class.example.org",
                                      "--web.public_url=https://",
                                      "--web.public_url=https://class.example.org/",
                                      "--web.public_url=https://a\"b",
                                      "--web.origins=https://a.example.org,*",
                                      "--turn.urls=relay.example.org:3478",
                                      "--turn.urls=https://relay.example.org",
                                      "--turn.urls=turn:a b",
                                      "--oidc.issuer=id.example.org",
                                      "--mail.smtp=mail.example.org",
                                      "--mail.from=Amphi <a@example.org>",
                                      "--mail.from=nobody",
                                      "--admin.alert_to=a@b@c"};
    static const char *const good[] = {
        "--web.public_url=http://127.0.0.1:8443",
        "--web.origins=https://a.example.org,https://b.example.org:8443",
        "--turn.urls=turn:relay.example.org:3478?transport=udp,turns:[2001:db8::1]:443,stun:a",
        "--oidc.issuer=https://id.example.org/",
        "--mail.smtp=smtps://mail.example.org:465",
        "--mail.from=classes@example.org",
        "--admin.alert_to=ada@example.org"};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        why[0] = '\0';
        assert_true(load_one(NULL, bad[i]) < 0);
        assert_memory_equal(why, bad[i] + 2, strcspn(bad[i] + 2, "="));
    }
    for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(load_one(NULL, good[i]), 0);
    }
}

static void printed_configuration_reads_back(void **state)
{
    (void)state;
    struct config a;
    struct config b;
    char *text = NULL;
    size_t len = 0;
    size_t count;
    const struct config_row *rows = config_rows(&count);
    assert_int_equal(config_init(&a), 0);
    assert_int_equal(config_init(&b), 0);
    assert_int_equal(yaml(&a, "server:\n  name: \"A \\\"b\\\" \\\\ # é\"\nweb:\n  origins: [x, y]\n"
                              "rtc:\n  shards: 2\nlog:\n  format: json\n"),
                     0);
    FILE *out = open_memstream(&text, &len);
    config_print_yaml(&a, out);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(config_yaml(&b, "b.yaml", text, len, why), 0);
    for (size_t i = 0; i < count; i++) {
        assert_true(config_same(&a, &b, &rows[i]));
    }
    free(text);
    assert_int_equal(yaml(&a, "auth:\n  secret: very-private\n"), 0);
    out = open_memstream(&text, &len);
    config_print_yaml(&a, out);
    config_print_json(&a, out);
    config_print_help(out);
    config_print_man(out);
    assert_int_equal(fclose(out), 0);
    assert_null(strstr(text, "very-private"));
    assert_false(config_same(&a, &b, config_find("auth", "secret")));
    free(text);
    config_fini(&a);
    config_fini(&b);
}

static int load_scene(void *arg)
{
    static const char text[] = "web:\n  listen: [a:1, b:2]\n  origins: x,y\nlog:\n  level: warn\n";
    struct config c;
    (void)arg;
    int err = config_init(&c);
    err = err ? err : config_yaml(&c, "a.yaml", text, sizeof(text) - 1, why);
    config_fini(&c);
    return err;
}

static void lack_of_memory_leaks_nothing(void **state)
{
    (void)state;
    assert_true(support_oom_sweep(load_scene, NULL) > 20);
}

static void endpoints_have_one_reading(void **state)
{
    (void)state;
    char address[64];
    uint16_t port;
    assert_int_equal(config_endpoint("127.0.0.1:80", address, sizeof(address), &port), 0);
    assert_string_equal(address, "127.0.0.1");
    assert_int_equal(port, 80);
    assert_int_equal(config_endpoint("[::1]:443", address, sizeof(address), &port), 0);
    assert_string_equal(address, "::1");
    assert_int_equal(config_endpoint(":0", address, sizeof(address), &port), 0);
    assert_string_equal(address, "");
    static const char *const bad[] = {
        "80",          "127.0.0.1",     "127.0.0.1:",  "a:80",       "[::1]", "::1:80",
        "[1.2.3.4]:1", "1.2.3.4:70000", "1.2.3.4:+80", "1.2.3.4:-1", ""};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(config_endpoint(bad[i], address, sizeof(address), &port), E_BAD);
    }
}

/* What may be written into the configuration is what the classroom takes (classroom_new). */
static void limits_end_where_the_classroom_does(void **state)
{
    (void)state;
    assert_int_equal(config_find("limits", "people_per_class")->max, STATE_SEATS_MAX);
    assert_true(config_find("limits", "classes")->max <= 1 << 20);
    assert_true(config_find("limits", "connections")->max <= 1 << 20);
    /* Everybody known must have a place besides those who are there. */
    assert_true(STATE_PERSONS_MAX >= 2 * STATE_SEATS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(defaults_are_valid_and_complete),     UNIT(yaml_sets_every_type),
        UNIT(mistakes_name_line_key_and_reason),   UNIT(later_sources_win),
        UNIT(variables_and_flags_are_checked_too), UNIT(sample_secrets_are_refused),
        UNIT(addresses_outside_are_checked),       UNIT(printed_configuration_reads_back),
        UNIT(lack_of_memory_leaks_nothing),        UNIT(endpoints_have_one_reading),
        UNIT(limits_end_where_the_classroom_does),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
