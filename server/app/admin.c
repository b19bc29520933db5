#include "server/app/admin.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/clock.h"
#include "codec/sys/file.h"
#include "server/app/admin_page.h"
#include "server/app/core_state.h"
#include "server/app/metrics.h"

enum {
    ADMIN_CONNECTIONS = 32,
    ADMIN_TIMEOUT_S = 10,
    ADMIN_HANG_US = 5 * US_PER_S,      /* an older copy of the state = the classroom hangs */
    ADMIN_SELF_TEST_US = 2 * US_PER_S, /* at most one self-test in this time */
    ADMIN_SELF_TEST_WAIT_MS = 200,
};
#define DAY_S 86400

struct admin {
    struct core *core;
    struct MHD_Daemon *daemon;
    mono_us tested_at; /* admin thread only */
    unsigned tested_dead;
    struct admin_page page;
};

/* One datagram to the shard's own port; a shard that turns counts it. The bytes are of no known
 * class (RFC 7983: 4 to 15 is nobody's), so nothing else happens. */
static void poke(uint16_t port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in6 sa6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    static const char nothing[] = {5, 0, 0, 0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool sent = fd >= 0 && sendto(fd, nothing, sizeof(nothing), 0, (struct sockaddr *)&sa,
                                  sizeof(sa)) == sizeof(nothing);
    if (fd >= 0) {
        close(fd);
    }
    if (!sent) { /* a machine with IPv6 only */
        fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        (void)sendto(fd, nothing, sizeof(nothing), 0, (struct sockaddr *)&sa6, sizeof(sa6));
        if (fd >= 0) {
            close(fd);
        }
    }
}

/* Number of shards whose UDP port does not answer the self-test. */
static unsigned dead_shards(struct admin *a)
{
    struct shards *shards = a->core->shards;
    uint64_t before[SHARDS_MAX];
    mono_us now = clock_mono_us();
    unsigned count = shards_count(shards);
    if (a->tested_at && now - a->tested_at < ADMIN_SELF_TEST_US) {
        return a->tested_dead;
    }
    for (unsigned i = 0; i < count; i++) {
        before[i] = shards_received(shards, i);
        poke(shards_port(shards, i));
    }
    unsigned dead = count;
    for (int wait_ms = 0; dead && wait_ms < ADMIN_SELF_TEST_WAIT_MS; wait_ms++) {
        usleep(1000);
        dead = 0;
        for (unsigned i = 0; i < count; i++) {
            dead += shards_received(shards, i) == before[i];
        }
    }
    a->tested_at = now;
    a->tested_dead = dead;
    return dead;
}

struct text {
    char buf[1024];
    size_t len;
    bool bad;
};

static void check(struct text *t, const char *name, bool ok, const char *detail)
{
    int n = snprintf(t->buf + t->len, sizeof(t->buf) - t->len, "%s %s%s%s\n", ok ? "ok" : "FAIL",
                     name, *detail ? ": " : "", detail);
    t->len += n > 0 && (size_t)n < sizeof(t->buf) - t->len ? (size_t)n : 0;
    t->bad = t->bad || !ok;
}

/* Days the certificate of the doors still holds; warns long before it hurts (F20). */
static void check_certificate(struct text *t, const struct core_public *p)
{
    char detail[96] = "";
    int64_t expires = 0;
    for (unsigned i = 0; i < CORE_DOORS_MAX; i++) {
        if (p->door_up[i]) {
            expires = (int64_t)p->door[i].value[DOOR_STAT_cert_expires_s];
        }
    }
    if (!expires) {
        return;
    }
    int64_t left = expires - clock_wall_ms() / 1000;
    if (left <= 0) {
        snprintf(detail, sizeof(detail), "expired: replace it and send SIGHUP");
    } else if (left < 14 * DAY_S) {
        snprintf(detail, sizeof(detail), "warning: ends in %lld days", (long long)(left / DAY_S));
    }
    check(t, "certificate", true,
          detail); /* loud, but an expired one still serves who accepts it */
}

static void ready_text(struct admin *a, struct text *t)
{
    struct store_stats store;
    struct core_public p;
    char detail[96];
    uint64_t free_bytes = 0;
    struct core *core = a->core;
    store_stats_get(core->store, &store);
    mutex_lock(&core->public_lock);
    p = core->public;
    mutex_unlock(&core->public_lock);
    check(t, "draining", !p.draining, p.draining ? "no new classes are taken" : "");
    check(t, "classroom", clock_mono_us() - p.at < ADMIN_HANG_US, "");
    check(t, "database", !store.err, store.err ? err_text(store.err) : "");
    int err = file_free_bytes(core->paths.data, &free_bytes);
    snprintf(detail, sizeof(detail), "%llu MiB free", (unsigned long long)(free_bytes >> 20));
    check(t, "disk", !err && free_bytes >= p.reserve_bytes, detail);
    unsigned dead = dead_shards(a);
    snprintf(detail, sizeof(detail), "%u of %u shards silent", dead, shards_count(core->shards));
    check(t, "udp", !dead, dead ? detail : "");
    check(t, "door", p.doors > 0, p.doors ? "" : "no door process is connected");
    check_certificate(t, &p);
}

static enum MHD_Result respond(struct MHD_Connection *c, unsigned status, const char *type,
                               const char *text, size_t len)
{
    union {
        const char *in;
        void *out; /* libmicrohttpd copies, but asks for a pointer without const */
    } body = {.in = text};
    struct MHD_Response *r = MHD_create_response_from_buffer(len, body.out, MHD_RESPMEM_MUST_COPY);
    if (!r) {
        return MHD_NO;
    }
    (void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    (void)MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    enum MHD_Result result = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return result;
}

static enum MHD_Result health(struct admin *a, struct MHD_Connection *c)
{
    mutex_lock(&a->core->public_lock);
    mono_us at = a->core->public.at;
    mutex_unlock(&a->core->public_lock);
    if (clock_mono_us() - at < ADMIN_HANG_US) {
        return respond(c, MHD_HTTP_OK, "text/plain", "ok\n", 3);
    }
    static const char hangs[] = "FAIL the classroom thread hangs\n";
    return respond(c, MHD_HTTP_SERVICE_UNAVAILABLE, "text/plain", hangs, sizeof(hangs) - 1);
}

static enum MHD_Result metrics(struct admin *a, struct MHD_Connection *c)
{
    size_t len = 0;
    char *text = metrics_page(a->core, &len);
    if (!text) {
        return MHD_NO;
    }
    enum MHD_Result result = respond(
        c, MHD_HTTP_OK, "application/openmetrics-text; version=1.0.0; charset=utf-8", text, len);
    free(text);
    return result;
}

static enum MHD_Result answer(struct admin *a, struct MHD_Connection *c, const char *url,
                              const char *method, const struct admin_body *body)
{
    if (admin_page_owns(url)) {
        return admin_page_request(&a->page, c, url, method, body);
    }
    if (body->len || (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)) {
        return respond(c, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain", "GET only\n", 9);
    }
    if (!strcmp(url, "/healthz")) {
        return health(a, c);
    }
    if (!strcmp(url, "/readyz")) {
        struct text t = {.len = 0};
        ready_text(a, &t);
        return respond(c, t.bad ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK, "text/plain", t.buf,
                       t.len);
    }
    if (!strcmp(url, "/metrics")) {
        return metrics(a, c);
    }
    return respond(c, MHD_HTTP_NOT_FOUND, "text/plain", "no such page\n", 13);
}

static enum MHD_Result request_h(void *arg, struct MHD_Connection *c, const char *url,
                                 const char *method, const char *version, const char *upload,
                                 size_t *upload_len, void **state)
{
    struct admin_body *body = *state;
    (void)version;
    if (!body) { /* headers are there, the body is not: libmicrohttpd calls again */
        *state = mem_alloc(sizeof(*body));
        return *state ? MHD_YES : MHD_NO;
    }
    if (*upload_len) {
        size_t room = sizeof(body->text) - 1 - body->len;
        size_t take = *upload_len < room ? *upload_len : room;
        memcpy(body->text + body->len, upload, take);
        body->len += take;
        body->too_big = body->too_big || take < *upload_len;
        *upload_len = 0;
        return MHD_YES;
    }
    return answer(arg, c, url, method, body);
}

static void ended_h(void *arg, struct MHD_Connection *c, void **state,
                    enum MHD_RequestTerminationCode code)
{
    (void)arg;
    (void)c;
    (void)code;
    mem_free(*state);
    *state = NULL;
}

int admin_new(struct admin **out, struct core *core, int fd)
{
    struct admin *a = mem_alloc(sizeof(*a));
    *out = NULL;
    if (!a) {
        return E_NOMEM;
    }
    a->core = core;
    if (admin_page_init(&a->page, core) != 0) {
        mem_free(a);
        return E_IO;
    }
    a->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, request_h, a, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)ADMIN_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)ADMIN_TIMEOUT_S, MHD_OPTION_NOTIFY_COMPLETED, ended_h, NULL, MHD_OPTION_END);
    if (!a->daemon) {
        mem_free(a);
        return E_IO;
    }
    *out = a;
    return 0;
}

void admin_free(struct admin *a)
{
    if (a) {
        MHD_stop_daemon(a->daemon);
        mem_free(a);
    }
}
