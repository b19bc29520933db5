#include "bench/load/wsc.h"

#include <libwebsockets.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "codec/base/mem.h"
#include "codec/sys/clock.h"
#include "server/crypto/lean.h"

enum {
    MESSAGE_MAX = 512 * 1024,
    OUT_MAX = 64,
    OPENING_US = 5 * US_PER_MS, /* the library looks at least so often while somebody connects */
    IDLE_US = US_PER_S,         /* and otherwise: its timers */
};

struct message {
    size_t len;
    unsigned char *bytes; /* LWS_PRE bytes of room, then the text */
};

struct wsc {
    struct wsc_pool *pool;
    struct lws *wsi;
    void *user;
    char *in;
    size_t in_len;
    struct message out[OUT_MAX];
    unsigned out_head, out_count;
    bool closing;
    bool watched; /* its socket is in the pool's epoll */
    bool open;
};

struct wsc_pool {
    struct lws_context *context;
    struct lean *lean; /* reads the server's certificate, once for each connection */
    struct wsc_handlers handlers;
    char host[128];
    const char *path, *protocol;
    bool plain;
    int port;
    struct wsc **all;
    unsigned count, max;
    /* The library polls every socket each time: it is asked only when one of them has something. */
    int epoll;
    bool dirty; /* something to write, or a connection begins */
    unsigned opening;
    mono_us ran;
};

static void watch_socket(struct wsc *ws, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = ws};
    int fd = ws->wsi ? lws_get_socket_fd(ws->wsi) : -1;
    if (fd >= 0) {
        (void)epoll_ctl(ws->pool->epoll, ws->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
        ws->watched = true;
    }
}

static void opened(struct wsc *ws)
{
    if (!ws->open) {
        ws->open = true;
        ws->pool->opening -= ws->pool->opening > 0;
    }
}

static void out_drop(struct wsc *ws)
{
    mem_free(ws->out[ws->out_head].bytes);
    ws->out_head = (ws->out_head + 1) % OUT_MAX;
    ws->out_count--;
}

/* Gathers the fragments of a message; a complete one goes to text_h. */
static int on_receive(struct wsc *ws, struct lws *wsi, const void *in, size_t len)
{
    if (ws->in_len + len > MESSAGE_MAX) {
        return -1;
    }
    char *grown = mem_realloc(ws->in, ws->in_len + len + 1);
    if (!grown) {
        return -1;
    }
    ws->in = grown;
    memcpy(ws->in + ws->in_len, in, len);
    ws->in_len += len;
    if (lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0) {
        ws->in[ws->in_len] = '\0';
        ws->pool->handlers.text_h(ws->user, ws->in, ws->in_len);
        ws->in_len = 0;
    }
    return 0;
}

static int on_writeable(struct wsc *ws, struct lws *wsi)
{
    if (ws->out_count) {
        struct message *m = &ws->out[ws->out_head];
        if (lws_write(wsi, m->bytes + LWS_PRE, m->len, LWS_WRITE_TEXT) < (int)m->len) {
            return -1;
        }
        out_drop(ws);
    }
    ws->pool->dirty = true;
    if (ws->out_count) {
        (void)lws_callback_on_writable(wsi);
    } else if (ws->closing) {
        lws_close_reason(wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
        return -1;
    }
    return 0;
}

/* Only with these is `user` ours: with others (certificates) the library hands over its own. */
static bool of_a_connection(enum lws_callback_reasons reason)
{
    return reason == LWS_CALLBACK_CLIENT_ESTABLISHED || reason == LWS_CALLBACK_CLIENT_RECEIVE ||
           reason == LWS_CALLBACK_CLIENT_WRITEABLE ||
           reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR || reason == LWS_CALLBACK_CLIENT_CLOSED;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    struct wsc *ws = user;
    if (!ws || !of_a_connection(reason)) {
        return 0;
    }
    if (ws->closing && reason != LWS_CALLBACK_CLIENT_WRITEABLE) { /* its user may be gone */
        if (reason == LWS_CALLBACK_CLIENT_CLOSED ||
            reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR) {
            opened(ws);
            ws->wsi = NULL;
        }
        return 0;
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum" /* 100 reasons, these are ours */
    switch (reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        opened(ws);
        watch_socket(ws, EPOLLIN);
        ws->pool->handlers.open_h(ws->user);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return on_receive(ws, wsi, in, len);
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return on_writeable(ws, wsi);
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        opened(ws);
        ws->wsi = NULL;
        ws->pool->handlers.closed_h(ws->user, in ? (const char *)in : "connection error");
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
        ws->wsi = NULL;
        ws->pool->handlers.closed_h(ws->user, "closed");
        return 0;
    default:
        return 0;
    }
#pragma GCC diagnostic pop
}

static const struct lws_protocols protocols[] = {
    {.name = "amphi.1", .callback = on_event, .rx_buffer_size = 65536},
    {.name = NULL},
};

struct wsc_pool *wsc_pool_new(const char *host, int port, unsigned max,
                              const struct wsc_handlers *handlers)
{
    struct wsc_pool *pool = mem_alloc(sizeof(*pool));
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        /* Our own Origin: the library would write http:// even over TLS. */
        .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_JUST_USE_RAW_ORIGIN,
        .fd_limit_per_thread = max + 32,
        .count_threads = 1,
    };
    if (!pool) {
        return NULL;
    }
    lws_set_log_level(LLL_ERR, NULL);
    pool->handlers = *handlers;
    pool->port = port;
    pool->path = "/ws";
    pool->protocol = protocols[0].name;
    pool->max = max;
    (void)snprintf(pool->host, sizeof(pool->host), "%s", host);
    pool->epoll = epoll_create1(EPOLL_CLOEXEC);
    pool->all = mem_alloc(sizeof(struct wsc *) * max);
    pool->lean = lean_new();
    OSSL_LIB_CTX *usual = pool->lean ? OSSL_LIB_CTX_set0_default(lean_ctx(pool->lean)) : NULL;
    pool->context = lws_create_context(&info); /* makes the SSL_CTX of all clients */
    if (pool->lean) {
        (void)OSSL_LIB_CTX_set0_default(usual);
    }
    if (!pool->all || !pool->context || pool->epoll < 0) {
        wsc_pool_free(pool);
        return NULL;
    }
    return pool;
}

void wsc_pool_plain(struct wsc_pool *pool, const char *path, const char *protocol)
{
    pool->path = path;
    pool->protocol = protocol;
    pool->plain = true;
}

void wsc_pool_free(struct wsc_pool *pool)
{
    if (pool->context) {
        lws_context_destroy(pool->context);
    }
    for (unsigned i = 0; i < pool->count; i++) {
        struct wsc *ws = pool->all[i];
        while (ws->out_count) {
            out_drop(ws);
        }
        mem_free(ws->in);
        mem_free(ws);
    }
    lean_free(pool->lean);
    if (pool->epoll >= 0) {
        (void)close(pool->epoll);
    }
    mem_free(pool->all);
    mem_free(pool);
}

void wsc_pool_run(struct wsc_pool *pool)
{
    struct epoll_event events[1];
    mono_us now = clock_mono_us();
    mono_us wait = pool->opening ? OPENING_US : IDLE_US;
    int ready = epoll_wait(pool->epoll, events, 1, 0);
    if (!pool->dirty && now - pool->ran < wait && ready == 0) {
        return;
    }
    pool->dirty = ready > 0; /* once more: TLS may hold what was read from the socket */
    pool->ran = now;
    (void)lws_service(pool->context, -1);
}

unsigned wsc_pool_open(const struct wsc_pool *pool)
{
    unsigned n = 0;
    for (unsigned i = 0; i < pool->count; i++) {
        n += pool->all[i]->wsi != NULL;
    }
    return n;
}

/* One that was closed by its user and is gone: its place can be taken again. */
static struct wsc *idle(struct wsc_pool *pool)
{
    for (unsigned i = 0; i < pool->count; i++) {
        struct wsc *ws = pool->all[i];
        if (ws->closing && !ws->wsi) {
            while (ws->out_count) {
                out_drop(ws);
            }
            mem_free(ws->in);
            memset(ws, 0, sizeof(*ws));
            return ws;
        }
    }
    return NULL;
}

struct wsc *wsc_connect(struct wsc_pool *pool, void *user)
{
    struct wsc *ws = idle(pool);
    if (!ws && pool->count < pool->max) {
        ws = mem_alloc(sizeof(*ws));
        if (ws) {
            pool->all[pool->count++] = ws;
        }
    }
    if (!ws) {
        return NULL;
    }
    char origin[160];
    size_t scheme = pool->plain ? strlen("http://") : strlen("https://");
    (void)snprintf(origin, sizeof(origin), "%s%s:%d", pool->plain ? "http://" : "https://",
                   pool->host, pool->port);
    ws->pool = pool;
    ws->user = user;
    struct lws_client_connect_info info = {
        .context = pool->context,
        .address = pool->host,
        .port = pool->port,
        .path = pool->path,
        .host = origin + scheme,
        .origin = origin,
        .protocol = pool->protocol,
        .local_protocol_name = protocols[0].name,
        .ssl_connection = pool->plain
                              ? 0
                              : LCCSCF_USE_SSL | LCCSCF_ALLOW_SELFSIGNED |
                                    LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK | LCCSCF_ALLOW_EXPIRED,
        .userdata = ws,
        .pwsi = &ws->wsi,
    };
    pool->opening++;
    pool->dirty = true;
    (void)lws_client_connect_via_info(&info);
    watch_socket(ws, EPOLLIN | EPOLLOUT | EPOLLET);
    return ws;
}

void wsc_send(struct wsc *ws, const char *text, size_t len)
{
    if (!ws->wsi || ws->out_count == OUT_MAX) {
        return;
    }
    struct message *m = &ws->out[(ws->out_head + ws->out_count) % OUT_MAX];
    m->bytes = mem_alloc(LWS_PRE + len);
    m->len = len;
    if (m->bytes) {
        memcpy(m->bytes + LWS_PRE, text, len);
        ws->out_count++;
        ws->pool->dirty = true;
        (void)lws_callback_on_writable(ws->wsi);
    }
}

void wsc_close(struct wsc *ws)
{
    ws->closing = true;
    ws->pool->dirty = true;
    if (ws->wsi) {
        (void)lws_callback_on_writable(ws->wsi);
    }
}
