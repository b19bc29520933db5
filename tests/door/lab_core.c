/*
 * HTTP: /api/info /api/echo /api/dump /api/big?size /api/file?path /api/never /api/status?code
 * Text: "all:x" to everybody, "trust", "close:code:reason", "flood:n:size" to the sender,
 * "fan:n:size" to everybody, "pause:ms" stops reading the door, "stats" counters as JSON, anything
 * else comes back.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/sys/clock.h"
#include "codec/sys/unixsock.h"
#include "signaling/door/ipc_link.h"
#include "tests/door/lab.h"

enum { CONNS_MAX = 8192, PAYLOAD_MAX = 1024 * 1024 };

struct core {
    struct ipc_link link;
    int listen_fd;
    int fd;
    int epoll_fd;
    uint64_t epoch;
    conn_num conn[CONNS_MAX];
    size_t conns;
    mono_us paused_until;
    struct ipc_stats stats;
    uint64_t opened_again;
};

static volatile sig_atomic_t stop;
static struct core core;
static char payload[PAYLOAD_MAX];

static void send_frame(const struct ipc_frame *frame)
{
    int err = ipc_link_send(&core.link, frame);
    if (err) {
        (void)fprintf(stderr, "lab core: send: %s\n", err_name(err));
    }
}

static void send_text(const conn_num *to, size_t count, const char *text, size_t len)
{
    struct ipc_frame f = {.type = IPC_SEND,
                          .send = {.to = to, .count = count, .text = text, .len = len}};
    if (count) {
        send_frame(&f);
    }
}

/* ---- WebSocket ----------------------------------------------------------------------------------
 */

static void on_stats(conn_num from)
{
    char text[8192];
    size_t len = 0;
    for (size_t i = 0; i < DOOR_STAT_COUNT; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%c\"%s\":%llu", i ? ',' : '{',
                                door_stat_name((enum door_stat)i),
                                (unsigned long long)core.stats.value[i]);
    }
    len += (size_t)snprintf(text + len, sizeof(text) - len, ",\"opened_again\":%llu}",
                            (unsigned long long)core.opened_again);
    send_text(&from, 1, text, len);
}

/* "name:count:size" */
static void on_flood(const conn_num *to, size_t count, const char *text)
{
    char *end = NULL;
    long n = strtol(strchr(text, ':') + 1, &end, 10);
    long size = strtol(*end == ':' ? end + 1 : end, NULL, 10);
    for (long i = 0; i < n && size <= PAYLOAD_MAX; i++) {
        char head[64];
        int len =
            snprintf(head, sizeof(head), "%08ld %016lld ", i, (long long)(clock_mono_us() / 1000));
        memcpy(payload, head, (size_t)len);
        send_text(to, count, payload, (size_t)size);
    }
}

static void on_close(conn_num from, const char *text)
{
    char *end = NULL;
    long code = strtol(text + 6, &end, 10);
    const char *reason = *end == ':' ? end + 1 : "";
    struct ipc_frame f = {
        .type = IPC_CLOSE,
        .close = {.conn = from, .code = (uint16_t)code, .reason = {reason, strlen(reason)}}};
    send_frame(&f);
}

static void on_text(const struct ipc_text *t)
{
    char text[128];
    size_t n = t->len < sizeof(text) - 1 ? t->len : sizeof(text) - 1;
    memcpy(text, t->text, n);
    text[n] = '\0';
    if (!strncmp(text, "all:", 4)) {
        send_text(core.conn, core.conns, t->text + 4, t->len - 4);
    } else if (!strcmp(text, "trust")) {
        struct ipc_frame f = {.type = IPC_TRUST, .trust = t->conn};
        send_frame(&f);
    } else if (!strncmp(text, "close:", 6)) {
        on_close(t->conn, text);
    } else if (!strncmp(text, "flood:", 6)) {
        on_flood(&t->conn, 1, text);
    } else if (!strncmp(text, "fan:", 4)) {
        on_flood(core.conn, core.conns, text);
    } else if (!strncmp(text, "pause:", 6)) {
        core.paused_until = clock_mono_us() + strtol(text + 6, NULL, 10) * US_PER_MS;
        ipc_link_pause(&core.link, true);
    } else if (!strcmp(text, "stats")) {
        on_stats(t->conn);
    } else {
        send_text(&t->conn, 1, t->text, t->len);
    }
}

static void on_closed(conn_num conn)
{
    for (size_t i = 0; i < core.conns; i++) {
        if (core.conn[i] == conn) {
            core.conn[i] = core.conn[--core.conns];
            return;
        }
    }
}

/* ---- HTTP
 * ----------------------------------------------------------------------------------------- */

static bool path_is(const struct ipc_ask *ask, const char *path)
{
    return ask->path.len == strlen(path) && !memcmp(ask->path.p, path, ask->path.len);
}

static void query_value(const struct ipc_ask *ask, char *out, size_t cap)
{
    const char *eq = ask->query.len ? memchr(ask->query.p, '=', ask->query.len) : NULL;
    size_t len = eq ? ask->query.len - (size_t)(eq + 1 - ask->query.p) : 0;
    len = len < cap - 1 ? len : cap - 1;
    if (eq) {
        memcpy(out, eq + 1, len);
    }
    out[len] = '\0';
}

static void answer(const struct ipc_ask *ask, uint16_t status, const void *body, size_t len)
{
    struct ipc_frame f = {
        .type = IPC_ANSWER,
        .answer = {.req = ask->req, .status = status, .fd = -1, .body = body, .body_len = len}};
    f.answer.header[IPC_ANSWER_CONTENT_TYPE] = (struct ipc_str){"application/json", 16};
    send_frame(&f);
}

static void answer_file(const struct ipc_ask *ask, const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st)) {
        answer(ask, 404, "{}", 2);
        return;
    }
    struct ipc_frame f = {.type = IPC_ANSWER,
                          .answer = {.req = ask->req,
                                     .status = 200,
                                     .file = true,
                                     .fd = fd,
                                     .start = 0,
                                     .count = (uint64_t)st.st_size}};
    send_frame(&f);
}

static void answer_dump(const struct ipc_ask *ask)
{
    char addr[ADDR_TEXT_MAX];
    char text[16384];
    const struct ipc_str *origin = &ask->header[IPC_ASK_ORIGIN];
    int n =
        snprintf(text, sizeof(text), "%s|%.*s|%.*s|%s|%d|%.*s|%zu", ipc_method_name(ask->method),
                 (int)ask->path.len, ask->path.p, (int)ask->query.len,
                 ask->query.len ? ask->query.p : "", addr_print(&ask->remote, addr), ask->tls,
                 (int)origin->len, origin->len ? origin->p : "", ask->body_len);
    answer(ask, 200, text, (size_t)n);
}

static void on_ask(const struct ipc_ask *ask)
{
    char value[512];
    query_value(ask, value, sizeof(value));
    if (path_is(ask, "/api/info")) {
        static const char info[] =
            "{\"name\":\"Amphi\",\"version\":\"lab\",\"protocol\":\"amphi.1\"}";
        answer(ask, 200, info, sizeof(info) - 1);
    } else if (path_is(ask, "/api/echo")) {
        answer(ask, 200, ask->body, ask->body_len);
    } else if (path_is(ask, "/api/big")) {
        answer(ask, 200, payload, (size_t)strtol(value, NULL, 10));
    } else if (path_is(ask, "/api/file")) {
        answer_file(ask, value);
    } else if (path_is(ask, "/api/status")) {
        answer(ask, (uint16_t)strtol(value, NULL, 10), "{}", 2);
    } else if (path_is(ask, "/api/dump")) {
        answer_dump(ask);
    } else if (!path_is(ask, "/api/never")) {
        answer(ask, 404, "{}", 2);
    }
}

/* ---- loop
 * ----------------------------------------------------------------------------------------- */

static int on_frame(void *arg, const struct ipc_frame *frame)
{
    (void)arg;
    switch ((int)frame->type) {
    case IPC_OPEN:
        core.opened_again += frame->open.again;
        if (core.conns < CONNS_MAX) {
            core.conn[core.conns++] = frame->open.conn;
        }
        break;
    case IPC_CLOSED:
        on_closed(frame->closed.conn);
        break;
    case IPC_TEXT:
        on_text(&frame->text);
        break;
    case IPC_ASK:
        on_ask(&frame->ask);
        break;
    case IPC_STATS:
        core.stats = frame->stats;
        break;
    default:
        break;
    }
    return 0;
}

static void watch(int fd, uint32_t events, int op)
{
    struct epoll_event ev = {.events = events, .data.fd = fd};
    (void)epoll_ctl(core.epoll_fd, op, fd, &ev);
}

static void on_accept(void)
{
    int fd;
    if (unixsock_accept(core.listen_fd, &fd)) {
        return;
    }
    if (core.fd >= 0) {
        (void)close(fd); /* one door at a time */
        return;
    }
    struct ipc_hello hello = {.role = IPC_ROLE_CORE, .epoch = core.epoch};
    struct ipc_link_hooks hooks = {.frame_h = on_frame};
    core.fd = fd;
    core.conns = 0;
    if (ipc_link_init(&core.link, fd, &hello, &hooks) == 0) {
        watch(fd, EPOLLIN | EPOLLOUT, EPOLL_CTL_ADD);
    }
}

static void on_door(uint32_t events)
{
    int err = 0;
    if (events & (EPOLLIN | EPOLLHUP)) {
        err = ipc_link_readable(&core.link, 1 << 20);
        err = err == E_AGAIN ? 0 : err;
    }
    if (!err) {
        err = ipc_link_flush(&core.link);
    }
    if (err) {
        ipc_link_fini(&core.link);
        (void)close(core.fd);
        core.fd = -1;
        return;
    }
    uint32_t want = core.link.paused ? 0 : EPOLLIN;
    want |= ipc_link_wants_write(&core.link) ? (uint32_t)EPOLLOUT : 0;
    watch(core.fd, want, EPOLL_CTL_MOD);
}

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

int lab_core(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGTERM, &action, NULL);
    memset(payload, 'x', sizeof(payload));
    core.fd = -1;
    core.epoch = (uint64_t)lab_number(argc, argv, "epoch", 1);
    core.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int err = unixsock_listen(lab_arg(argc, argv, "core"), &core.listen_fd);
    if (err) {
        (void)fprintf(stderr, "lab core: listen: %s\n", err_name(err));
        return 1;
    }
    watch(core.listen_fd, EPOLLIN, EPOLL_CTL_ADD);
    while (!stop) {
        struct epoll_event ev[8];
        int n = epoll_wait(core.epoll_fd, ev, 8, core.link.paused ? 20 : 1000);
        for (int i = 0; i < n; i++) {
            if (ev[i].data.fd == core.listen_fd) {
                on_accept();
            } else if (core.fd >= 0) {
                on_door(ev[i].events);
            }
        }
        if (core.fd >= 0 && core.link.paused && clock_mono_us() >= core.paused_until) {
            ipc_link_pause(&core.link, false);
            on_door(EPOLLIN);
        }
    }
    ipc_link_fini(&core.link);
    return 0;
}
