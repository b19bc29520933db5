#include <stdarg.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "signaling/door/state.h"

enum { HEAD_COMMON_MAX = 1024, HEAD_MAX = 6144 };

/* Names of the Trusted Types policies the page may make. Svelte registers the one it needs. */
static const char *const trusted_types[] = {"svelte-trusted-html"};

/* The page's policy: nothing but what it is made of, no inline, no frames, no third party. */
static const char page_policy[] =
    "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self' wss:; "
    "font-src 'self' data:; manifest-src 'self'; worker-src 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'; require-trusted-types-for 'script'; trusted-types";

/* Everything that is not a page may do nothing at all if it is ever opened as one. */
static const char bare_policy[] =
    "content-security-policy: default-src 'none'; frame-ancestors 'none'; sandbox\r\n";

static const char common[] = "x-content-type-options: nosniff\r\n"
                             "referrer-policy: no-referrer\r\n"
                             "permissions-policy: camera=(self), microphone=(self), "
                             "display-capture=(self), autoplay=(self), fullscreen=(self), "
                             "geolocation=(), payment=(), usb=()\r\n"
                             "cross-origin-opener-policy: same-origin\r\n"
                             "cross-origin-resource-policy: same-origin\r\n"
                             "connection: close\r\n";

struct text {
    char *p;
    size_t cap;
    size_t len;
    bool bad;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->p + t->len, t->cap - t->len, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= t->cap - t->len) {
        t->bad = true;
        return;
    }
    t->len += (size_t)n;
}

int reply_init(struct door *door)
{
    struct text t = {.p = mem_alloc(HEAD_COMMON_MAX), .cap = HEAD_COMMON_MAX};
    if (!t.p) {
        return E_NOMEM;
    }
    put(&t, "%s", common);
    if (door->config.hsts_max_age_s) {
        put(&t, "strict-transport-security: max-age=%u\r\n", (unsigned)door->config.hsts_max_age_s);
    }
    door->head_common = t.p;
    return t.bad ? E_FULL : 0;
}

static const char *status_text(uint16_t status)
{
    static const struct {
        uint16_t status;
        const char *text;
    } row[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {422, "Unprocessable Content"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        if (row[i].status == status) {
            return row[i].text;
        }
    }
    return "Status";
}

/* RFC 9725 section 4.2: what a page of another origin may send and read at the standard doors. */
static const char standard_headers[] =
    "access-control-allow-origin: *\r\n"
    "access-control-allow-methods: GET, HEAD, OPTIONS, POST, PATCH, DELETE\r\n"
    "access-control-allow-headers: Authorization, Content-Type, If-Match, ETag\r\n"
    "access-control-expose-headers: Location, ETag, Link, Retry-After, Accept-Post, Accept-Patch, "
    "WWW-Authenticate, Allow, Access-Control-Allow-Methods\r\n"
    "access-control-max-age: 86400\r\n";

/* A header value from the core: anything that could end the line is left out with the header. */
static bool value_ok(const struct ipc_str *value)
{
    for (size_t i = 0; i < value->len; i++) {
        unsigned char c = (unsigned char)value->p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return value->p && value->len;
}

static void put_policy(struct text *t, bool is_page)
{
    if (!is_page) {
        put(t, "%s", bare_policy);
        return;
    }
    put(t, "%s", page_policy);
    for (size_t i = 0; i < sizeof(trusted_types) / sizeof(trusted_types[0]); i++) {
        put(t, " %s", trusted_types[i]);
    }
    put(t, "\r\n");
}

size_t reply_head(const struct door *door, char *out, size_t cap, const struct reply *reply)
{
    struct text t = {.p = out, .cap = cap};
    put(&t, "HTTP/1.1 %u %s\r\n", (unsigned)reply->status, status_text(reply->status));
    for (size_t i = 0; i < IPC_ANSWER_HEADERS; i++) {
        const struct ipc_str *value = &reply->header[i];
        if (value_ok(value)) {
            put(&t, "%s %.*s\r\n", ipc_answer_header_name((enum ipc_answer_header)i),
                (int)value->len, value->p);
        }
    }
    if (reply->status != 204 && reply->status != 304) {
        put(&t, "content-length: %llu\r\n", (unsigned long long)reply->length);
    }
    put_policy(&t, reply->is_page);
    put(&t, "%s", reply->standard ? standard_headers : "");
    put(&t, "%s%s\r\n", door->head_common, reply->more ? reply->more : "");
    return t.bad ? 0 : t.len;
}

int reply_short(struct door *door, struct door_conn *conn, const struct reply *reply)
{
    static uint8_t buffer[LWS_PRE + HEAD_MAX + DOOR_SHORT_MAX];
    uint8_t *start = buffer + LWS_PRE;
    size_t len = reply_head(door, (char *)start, HEAD_MAX, reply);
    if (!len || reply->body_len > DOOR_SHORT_MAX) {
        return -1;
    }
    if (!reply->without_body && reply->body_len) {
        memcpy(start + len, reply->body, reply->body_len);
        len += reply->body_len;
    }
    conn_phase(conn, DOOR_PHASE_END, 2000);
    (void)lws_write(conn->wsi, start, len, LWS_WRITE_HTTP_HEADERS);
    return -1;
}

int reply_status(struct door *door, struct door_conn *conn, uint16_t status)
{
    char body[160];
    bool standard = conn->http && conn->http->standard;
    /* RFC 9457 at the standard doors, as the core answers there. */
    int n =
        snprintf(body, sizeof(body),
                 standard ? "{\"type\":\"about:blank\",\"status\":%u,\"title\":\"%s\"}" : "%u %s\n",
                 (unsigned)status, status_text(status));
    struct reply reply = {
        .status = status,
        .length = (uint64_t)n,
        .body = body,
        .body_len = (size_t)n,
        .without_body = conn->http && conn->http->keep_head,
        .standard = standard,
        .more = status == 503 ? "retry-after: 2\r\n" : NULL,
    };
    reply.header[IPC_ANSWER_CONTENT_TYPE] = standard
                                                ? (struct ipc_str){"application/problem+json", 24}
                                                : (struct ipc_str){"text/plain; charset=utf-8", 25};
    reply.header[IPC_ANSWER_CACHE_CONTROL] = (struct ipc_str){"no-store", 8};
    if (status == 405) {
        reply.header[IPC_ANSWER_ALLOW] =
            standard ? (struct ipc_str){"GET, HEAD, OPTIONS, POST, PATCH, DELETE", 39}
                     : (struct ipc_str){"GET, HEAD", 9};
    }
    return reply_short(door, conn, &reply);
}
