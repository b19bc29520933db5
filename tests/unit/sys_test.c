/* tsan: threads, their locks and the log */
#include "tests/unit/support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/base/addr.h"
#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/clock.h"
#include "codec/sys/file.h"
#include "codec/sys/heap.h"
#include "codec/sys/log.h"
#include "codec/sys/notify.h"
#include "codec/sys/random.h"
#include "codec/sys/thread.h"
#include "codec/sys/token.h"
#include "codec/sys/unixsock.h"

static char dir[64];

static const char *in_dir(const char *name)
{
    static char path[4][128];
    static int turn;
    char *p = path[turn++ & 3];
    snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
    return p;
}

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/amphi_sys_test_XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    return support_remove(dir);
}

static const char *format(enum log_format how, const struct log_field *fields)
{
    static char line[LOG_LINE_MAX];
    size_t len = log_format_line(line, sizeof(line) - 1, how, 1700000000123, LOG_LEVEL_WARN, "door",
                                 "said \"no\"\n", 0, fields);
    line[len] = '\0';
    return line;
}

static void log_values_stay_in_their_fields(void **state)
{
    (void)state;
    const struct log_field fields[] = {L_STR("a", "x=1 level=error\n{\"b\":1}"),
                                       L_STR("plain", "word"),
                                       L_INT("i", -5),
                                       L_UINT("u", UINT64_MAX),
                                       L_BOOL("t", true),
                                       L_ERR("err", E_FULL),
                                       L_STR("none", NULL),
                                       L_STR("raw", "\xff\x80"),
                                       L_END};
    assert_string_equal(format(LOG_FORMAT_TEXT, fields),
                        "2023-11-14T22:13:20.123Z warn door msg=\"said \\\"no\\\"\\u000a\" "
                        "a=\"x=1 level=error\\u000a{\\\"b\\\":1}\" plain=word i=-5 "
                        "u=18446744073709551615 t=true err=E_FULL none=\"\" raw=\"??\"\n");
    assert_string_equal(format(LOG_FORMAT_JSON, fields),
                        "{\"ts\":\"2023-11-14T22:13:20.123Z\",\"level\":\"warn\",\"mod\":\"door\","
                        "\"msg\":\"said \\\"no\\\"\\u000a\","
                        "\"a\":\"x=1 level=error\\u000a{\\\"b\\\":1}\",\"plain\":\"word\",\"i\":-5,"
                        "\"u\":18446744073709551615,\"t\":true,\"err\":\"E_FULL\",\"none\":\"\","
                        "\"raw\":\"??\"}\n");
}

static void log_hides_people(void **state)
{
    (void)state;
    struct addr a;
    assert_int_equal(addr_parse(&a, "203.0.113.77"), 0);
    a.port = 4711;
    const struct log_field fields[] = {L_NAME("name", "Zoe Example"), L_ADDR("addr", &a),
                                       L_ADDR("none", NULL), L_END};
    char once[LOG_LINE_MAX];
    snprintf(once, sizeof(once), "%s", format(LOG_FORMAT_TEXT, fields));
    assert_null(strstr(once, "Zoe"));
    assert_null(strstr(once, "203.0"));
    assert_null(strstr(once, "4711"));
    assert_non_null(strstr(once, "name=n-"));
    assert_non_null(strstr(once, "addr=a-"));
    /* The same person keeps the same stand-in, another port of the same address too. */
    a.port = 4712;
    assert_string_equal(format(LOG_FORMAT_TEXT, fields), once);

    log_setup(LOG_LEVEL_INFO, LOG_FORMAT_TEXT, true, STDERR_FILENO);
    assert_non_null(strstr(format(LOG_FORMAT_TEXT, fields), "name=\"Zoe Example\" addr=203.0."));
    log_setup(LOG_LEVEL_INFO, LOG_FORMAT_TEXT, false, STDERR_FILENO);
}

static void log_line_is_bounded_and_whole(void **state)
{
    (void)state;
    char huge[4 * LOG_LINE_MAX];
    char line[LOG_LINE_MAX];
    memset(huge, 'x', sizeof(huge) - 1);
    huge[sizeof(huge) - 1] = '\0';
    const struct log_field fields[] = {L_STR("first", "kept"), L_STR("big", huge), L_END};
    size_t len = log_format_line(line, sizeof(line), LOG_FORMAT_JSON, 0, LOG_LEVEL_INFO, "m", "s",
                                 3, fields);
    assert_in_range(len, 1, LOG_LINE_MAX);
    line[len - 1] = '\0';
    assert_string_equal(line, "{\"ts\":\"1970-01-01T00:00:00.000Z\",\"level\":\"info\","
                              "\"mod\":\"m\",\"msg\":\"s\",\"left_out\":3,\"first\":\"kept\"}");
}

static void log_site_has_a_budget(void **state)
{
    (void)state;
    int fd[2];
    char text[64 * 1024];
    assert_int_equal(pipe(fd), 0);
    log_setup(LOG_LEVEL_INFO, LOG_FORMAT_TEXT, false, fd[1]);
    for (int i = 0; i < 200; i++) {
        log_info("m", "flood", L_INT("i", i));
        log_debug("m", "below the level");
    }
    log_setup(LOG_LEVEL_INFO, LOG_FORMAT_TEXT, false, STDERR_FILENO);
    close(fd[1]);
    size_t have = 0;
    ssize_t got;
    while ((got = read(fd[0], text + have, sizeof(text) - have)) > 0) {
        have += (size_t)got;
    }
    close(fd[0]);
    size_t lines = 0;
    for (size_t i = 0; i < have; i++) {
        lines += text[i] == '\n';
    }
    /* Two budgets when the loop crosses a second. */
    assert_in_range(lines, LOG_SITE_BURST, 2 * LOG_SITE_BURST);
}

static void files_are_replaced_whole(void **state)
{
    (void)state;
    char *text;
    size_t len;
    assert_int_equal(file_mkdirs(in_dir("a/b/c"), 0700), 0);
    assert_int_equal(file_mkdirs(in_dir("a/b/c"), 0700), 0);
    assert_int_equal(file_write_atomic(in_dir("a/b/c/f"), "one", 3, 0600), 0);
    assert_int_equal(file_write_atomic(in_dir("a/b/c/f"), "second", 6, 0640), 0);
    assert_int_equal(file_read(in_dir("a/b/c/f"), 6, &text, &len), 0);
    assert_int_equal(len, 6);
    assert_string_equal(text, "second");
    mem_free(text);
    struct stat st;
    assert_int_equal(stat(in_dir("a/b/c/f"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(file_read(in_dir("a/b/c/f"), 5, &text, &len), E_TOOBIG);
    assert_int_equal(file_read(in_dir("nothing"), 5, &text, &len), E_NOTFOUND);
    assert_int_equal(file_mkdirs(in_dir("a/b/c/f"), 0700), E_DENIED);
    assert_int_equal(file_write_atomic(in_dir("no/f"), "x", 1, 0600), E_NOTFOUND);
    assert_int_equal(file_dir_writable(in_dir("a")), 0);
    assert_int_equal(file_dir_writable(in_dir("no")), E_NOTFOUND);
    uint64_t bytes = 0;
    assert_int_equal(file_free_bytes(dir, &bytes), 0);
    assert_true(bytes > 0);
}

static int read_scene(void *arg)
{
    char *text = NULL;
    size_t len;
    int err = file_read(arg, 1 << 20, &text, &len);
    mem_free(text);
    return err;
}

static void reading_survives_lack_of_memory(void **state)
{
    (void)state;
    static char big[20000];
    char path[128];
    snprintf(path, sizeof(path), "%s", in_dir("big"));
    memset(big, 'b', sizeof(big));
    assert_int_equal(file_write_atomic(path, big, sizeof(big), 0600), 0);
    assert_true(support_oom_sweep(read_scene, path) >= 3);
}

static void s32_opens_stay_beneath(void **state)
{
    (void)state;
    int root;
    int fd;
    uint64_t size;
    assert_int_equal(file_mkdirs(in_dir("web/sub"), 0700), 0);
    assert_int_equal(file_write_atomic(in_dir("web/sub/page"), "hello", 5, 0600), 0);
    assert_int_equal(file_write_atomic(in_dir("secret"), "s", 1, 0600), 0);
    assert_int_equal(symlink("../../secret", in_dir("web/sub/link")), 0);
    assert_int_equal(symlink("sub", in_dir("web/way")), 0);
    assert_int_equal(mkfifo(in_dir("web/pipe"), 0600), 0);
    assert_int_equal(file_open_dir(in_dir("web"), &root), 0);

    assert_int_equal(file_open_beneath(root, "sub/page", &fd, &size), 0);
    assert_int_equal(size, 5);
    close(fd);
    assert_int_equal(file_open_beneath(root, "sub/../sub/page", &fd, NULL), 0);
    close(fd);
    static const char *const outside[] = {"../secret",
                                          "/etc/passwd",
                                          "sub/link",
                                          "way/page",
                                          "sub/../../secret",
                                          "sub",
                                          "pipe",
                                          "",
                                          "/proc/self/root/etc/passwd"};
    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
        assert_int_equal(file_open_beneath(root, outside[i], &fd, NULL), E_NOTFOUND);
        assert_int_equal(fd, -1);
    }
    close(root);
}

static void tokens_bind_key_and_data(void **state)
{
    (void)state;
    /* RFC 4231 test case 2 uses a short key; ours are always 32 bytes: HMAC pads with zeros. */
    uint8_t key[TOKEN_KEY_LEN] = "Jefe";
    uint8_t mac[TOKEN_MAC_LEN];
    static const uint8_t want[4] = {0x5b, 0xdc, 0xc1, 0x46};
    static const char data[] = "what do ya want for nothing?";
    assert_int_equal(token_init(), 0);
    token_sign(mac, key, data, sizeof(data) - 1);
    assert_memory_equal(mac, want, 4);
    assert_int_equal(token_verify(mac, key, data, sizeof(data) - 1), 0);
    assert_int_equal(token_verify(mac, key, data, sizeof(data) - 2), E_AUTH);
    for (size_t i = 0; i < sizeof(mac) * 8; i++) {
        mac[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_int_equal(token_verify(mac, key, data, sizeof(data) - 1), E_AUTH);
        mac[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    uint8_t other[TOKEN_KEY_LEN];
    uint8_t again[TOKEN_KEY_LEN];
    token_derive(other, key, "links");
    token_derive(again, key, "links");
    assert_memory_equal(other, again, sizeof(other));
    token_derive(again, key, "names");
    assert_memory_not_equal(other, again, sizeof(other));
}

static void seals_open_only_untouched(void **state)
{
    (void)state;
    uint8_t key[TOKEN_KEY_LEN];
    uint8_t box[5 + TOKEN_SEAL_EXTRA];
    uint8_t text[16];
    size_t len;
    assert_int_equal(token_init(), 0);
    token_key_new(key);
    assert_int_equal(token_seal(box, sizeof(box) - 1, key, "hello", 5), E_FULL);
    assert_int_equal(token_seal(box, sizeof(box), key, "hello", 5), 0);
    assert_int_equal(token_open(text, sizeof(text), &len, key, box, sizeof(box)), 0);
    assert_int_equal(len, 5);
    assert_memory_equal(text, "hello", 5);
    assert_int_equal(token_open(text, 4, &len, key, box, sizeof(box)), E_FULL);
    assert_int_equal(token_open(text, sizeof(text), &len, key, box, TOKEN_SEAL_EXTRA - 1), E_TRUNC);
    for (size_t i = 0; i < sizeof(box); i++) {
        box[i] ^= 1;
        assert_int_equal(token_open(text, sizeof(text), &len, key, box, sizeof(box)), E_AUTH);
        box[i] ^= 1;
    }
    token_wipe(key, sizeof(key));
    assert_int_equal(token_open(text, sizeof(text), &len, key, box, sizeof(box)), E_AUTH);
}

static void sockets_carry_bytes_and_descriptors(void **state)
{
    (void)state;
    char path[128];
    int listener;
    int second;
    int a;
    int b;
    snprintf(path, sizeof(path), "%s", in_dir("sock"));
    assert_int_equal(unixsock_connect(path, &a), E_NOTFOUND);
    assert_int_equal(unixsock_listen(path, &listener), 0);
    assert_int_equal(unixsock_listen(path, &second), E_BUSY);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    int drained;
    while (unixsock_accept(listener, &drained) == 0) {
        close(drained); /* the probe of the second listen */
    }
    assert_int_equal(unixsock_connect(path, &a), 0);
    assert_int_equal(unixsock_accept(listener, &b), 0);
    uid_t uid;
    assert_int_equal(unixsock_peer_uid(b, &uid), 0);
    assert_int_equal(uid, getuid());

    char got[16];
    int fds[UNIXSOCK_FDS_MAX];
    size_t count;
    assert_int_equal(unixsock_recv(b, got, sizeof(got), fds, &count), E_AGAIN);
    int two[2] = {listener, a};
    assert_int_equal(unixsock_send(a, "ping", 4, two, 2), 4);
    assert_int_equal(unixsock_recv(b, got, sizeof(got), fds, &count), 4);
    assert_int_equal(count, 2);
    assert_memory_equal(got, "ping", 4);
    assert_true(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
    close(fds[0]);
    close(fds[1]);
    /* Descriptors nobody asked for are closed, not leaked: the next one has the same number. */
    int before = dup(a);
    close(before);
    assert_int_equal(unixsock_send(a, "x", 1, two, 2), 1);
    assert_int_equal(unixsock_recv(b, got, sizeof(got), NULL, NULL), 1);
    int after = dup(a);
    assert_int_equal(after, before);
    close(after);
    close(a);
    assert_int_equal(unixsock_recv(b, got, sizeof(got), fds, &count), 0);
    assert_int_equal(unixsock_send(b, "x", 1, NULL, 0), E_IO);
    close(b);
    close(listener);
    /* A dead socket file is replaced. */
    assert_int_equal(unixsock_listen(path, &listener), 0);
    close(listener);
}

struct meeting {
    struct mutex lock;
    struct cond cond;
    int count;
};

static void worker(void *arg)
{
    struct meeting *m = arg;
    for (int i = 0; i < 1000; i++) {
        mutex_lock(&m->lock);
        m->count++;
        cond_signal(&m->cond);
        mutex_unlock(&m->lock);
    }
}

static void threads_meet(void **state)
{
    (void)state;
    struct meeting m = {.count = 0};
    struct thread t[2];
    mutex_init(&m.lock);
    cond_init(&m.cond);
    assert_int_equal(thread_start(&t[0], "worker", 0, worker, &m), 0);
    assert_int_equal(thread_start(&t[1], "far core", 4096, worker, &m), 0);
    mutex_lock(&m.lock);
    while (m.count < 2000) {
        assert_true(cond_wait_until(&m.cond, &m.lock, clock_mono_us() + 10 * US_PER_S));
    }
    assert_false(cond_wait_until(&m.cond, &m.lock, clock_mono_us() - 1));
    mutex_unlock(&m.lock);
    thread_join(&t[0]);
    thread_join(&t[1]);
    thread_join(&t[1]);
    assert_true(thread_cores() >= 1);
    assert_int_equal(thread_start(&t[0], "bad", -2, worker, &m), E_RANGE);
    cond_fini(&m.cond);
    mutex_fini(&m.lock);
}

static void clocks_and_randomness_work(void **state)
{
    (void)state;
    char id[CLOCK_BOOT_ID_LEN + 1];
    char text[CLOCK_WALL_TEXT_MAX];
    mono_us a = clock_mono_us();
    assert_true(clock_mono_us() >= a);
    assert_true(clock_boot_us() >= a);
    assert_true(clock_wall_ms() > 1600000000000);
    assert_int_equal(clock_boot_id(id), 0);
    assert_int_equal(strlen(id), CLOCK_BOOT_ID_LEN);
    assert_string_equal(clock_wall_text(-1, text), "-");
    uint8_t x[600] = {0};
    uint8_t y[600] = {0};
    struct rng rng = random_rng();
    rng_fill(&rng, x, sizeof(x));
    random_fill(y, sizeof(y));
    assert_memory_not_equal(x, y, sizeof(x));
    uint8_t seen = 0;
    for (size_t i = 584; i < 600; i++) {
        seen |= x[i];
    }
    assert_int_not_equal(seen, 0);
}

static void systemd_hears_us(void **state)
{
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(notify_send("READY=1"), 0);
    setenv("NOTIFY_SOCKET", in_dir("nobody"), 1);
    assert_int_equal(notify_send("READY=1"), E_IO);
    setenv("NOTIFY_SOCKET", "relative", 1);
    assert_int_equal(notify_send("READY=1"), E_IO);
    unsetenv("NOTIFY_SOCKET");
    char pid[16];
    snprintf(pid, sizeof(pid), "%ld", (long)getpid());
    setenv("WATCHDOG_USEC", "3000000", 1);
    setenv("WATCHDOG_PID", pid, 1);
    assert_int_equal(notify_watchdog_us(), 1500000);
    setenv("WATCHDOG_PID", "1", 1);
    assert_int_equal(notify_watchdog_us(), 0);
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

static void a_trimmed_heap_keeps_what_lives(void **state)
{
    enum { BLOCKS = 4096, SIZE = 2000 };
    static uint8_t *block[BLOCKS];
    (void)state;
    for (unsigned i = 0; i < BLOCKS; i++) {
        block[i] = mem_alloc(SIZE);
        assert_non_null(block[i]);
        memset(block[i], (int)(i & 0xff), SIZE);
    }
    for (unsigned i = 0; i < BLOCKS; i++) {
        if (i % 64) {
            mem_free(block[i]);
        }
    }
    heap_trim();
    for (unsigned i = 0; i < BLOCKS; i += 64) {
        assert_int_equal(block[i][0], i & 0xff);
        assert_int_equal(block[i][SIZE - 1], i & 0xff);
        mem_free(block[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(log_values_stay_in_their_fields),
        UNIT(log_hides_people),
        UNIT(log_line_is_bounded_and_whole),
        UNIT(log_site_has_a_budget),
        UNIT(files_are_replaced_whole),
        UNIT(reading_survives_lack_of_memory),
        UNIT(s32_opens_stay_beneath),
        UNIT(tokens_bind_key_and_data),
        UNIT(seals_open_only_untouched),
        UNIT(sockets_carry_bytes_and_descriptors),
        UNIT(threads_meet),
        UNIT(clocks_and_randomness_work),
        UNIT(systemd_hears_us),
        UNIT(a_trimmed_heap_keeps_what_lives),
    };
    return cmocka_run_group_tests_name("sys", tests, make_dir, remove_dir);
}
