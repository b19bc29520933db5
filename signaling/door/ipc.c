#include "signaling/door/ipc.h"

#include "codec/base/err.h"

/* ---- tables -------------------------------------------------------------------------------- */

#define DOOR_STAT(name, kind, help) {#name, kind, help},
static const struct {
    const char *name;
    char kind;
    const char *help;
} stat_row[DOOR_STAT_COUNT] = {
#include "signaling/door/stat.def"
};
#undef DOOR_STAT

const char *door_stat_name(enum door_stat stat)
{
    return stat_row[stat].name;
}

char door_stat_kind(enum door_stat stat)
{
    return stat_row[stat].kind;
}

const char *door_stat_help(enum door_stat stat)
{
    return stat_row[stat].help;
}

const char *ipc_method_name(uint8_t method)
{
    static const char *const name[] = {"?", "GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"};
    return method < sizeof(name) / sizeof(name[0]) ? name[method] : name[0];
}

const char *ipc_answer_header_name(enum ipc_answer_header header)
{
    static const char *const name[IPC_ANSWER_HEADERS] = {
        [IPC_ANSWER_CONTENT_TYPE] = "content-type:",
        [IPC_ANSWER_CACHE_CONTROL] = "cache-control:",
        [IPC_ANSWER_ETAG] = "etag:",
        [IPC_ANSWER_LOCATION] = "location:",
        [IPC_ANSWER_LINK] = "link:",
        [IPC_ANSWER_ALLOW] = "allow:",
        [IPC_ANSWER_WWW_AUTHENTICATE] = "www-authenticate:",
        [IPC_ANSWER_RETRY_AFTER] = "retry-after:",
        [IPC_ANSWER_CONTENT_DISPOSITION] = "content-disposition:",
        [IPC_ANSWER_ACCEPT_PATCH] = "accept-patch:",
        [IPC_ANSWER_ACCEPT_POST] = "accept-post:",
        [IPC_ANSWER_SET_COOKIE] = "set-cookie:",
    };
    return name[header];
}

conn_num ipc_send_to(const struct ipc_send *send, size_t i)
{
    if (send->to) {
        return send->to[i];
    }
    struct rd r = rd_init(send->to_be + 8 * i, 8);
    return rd_u64(&r);
}

/* ---- encoding ------------------------------------------------------------------------------ */

/* Header values travel as (index u8, length u16, bytes); the list ends with 0xff. */
enum { HEADERS_END = 0xff };

static bool headers_ok(const struct ipc_str *header, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (header[i].p && header[i].len > IPC_HEADER_MAX) {
            return false;
        }
    }
    return true;
}

static size_t headers_size(const struct ipc_str *header, size_t count)
{
    size_t size = 1;
    for (size_t i = 0; i < count; i++) {
        size += header[i].p ? 3 + header[i].len : 0;
    }
    return size;
}

static void wr_headers(struct wr *w, const struct ipc_str *header, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (header[i].p) {
            wr_u8(w, (uint8_t)i);
            wr_u16(w, (uint16_t)header[i].len);
            wr_bytes(w, header[i].p, header[i].len);
        }
    }
    wr_u8(w, HEADERS_END);
}

static void wr_addr(struct wr *w, const struct addr *addr)
{
    wr_u8(w, addr->family);
    wr_u16(w, addr->port);
    wr_bytes(w, addr->ip, sizeof(addr->ip));
}

enum { ADDR_SIZE = 19 };

static bool ask_ok(const struct ipc_ask *ask)
{
    return ask->body_len <= IPC_BODY_MAX && ask->path.len <= IPC_HEADER_MAX &&
           ask->query.len <= IPC_HEADER_MAX && headers_ok(ask->header, IPC_ASK_HEADERS);
}

static bool answer_ok(const struct ipc_answer *answer)
{
    return answer->body_len <= IPC_BODY_MAX && (!answer->file || !answer->body_len) &&
           answer->status >= 200 && answer->status <= 599 &&
           headers_ok(answer->header, IPC_ANSWER_HEADERS);
}

/* Whether all bounds of ipc.h hold, so that sizes below fit their fields. */
static bool frame_ok(const struct ipc_frame *f)
{
    switch (f->type) {
    case IPC_TEXT:
        return f->text.len <= IPC_TEXT_MAX;
    case IPC_ASK:
        return ask_ok(&f->ask);
    case IPC_SEND:
        return f->send.count >= 1 && f->send.count <= IPC_CONNS_MAX && f->send.len <= IPC_TEXT_MAX;
    case IPC_CLOSE:
        return f->close.reason.len <= IPC_REASON_MAX;
    case IPC_ANSWER:
        return answer_ok(&f->answer);
    case IPC_HELLO:
    case IPC_CREDIT:
    case IPC_OPEN:
    case IPC_CLOSED:
    case IPC_GONE:
    case IPC_STATS:
    case IPC_EPOCH:
    case IPC_TRUST:
        return true;
    default:
        return false;
    }
}

static size_t body_size(const struct ipc_frame *f)
{
    switch (f->type) {
    case IPC_HELLO:
        return 4 + 2 + 1 + 4 + 4 + 8;
    case IPC_CREDIT:
        return 4;
    case IPC_OPEN:
        return 8 + ADDR_SIZE + 1;
    case IPC_TEXT:
        return 8 + f->text.len;
    case IPC_CLOSED:
        return 8 + 2;
    case IPC_ASK:
        return 8 + 2 + ADDR_SIZE + 2 + f->ask.path.len + 2 + f->ask.query.len +
               headers_size(f->ask.header, IPC_ASK_HEADERS) + 4 + f->ask.body_len;
    case IPC_STATS:
        return 8 * (size_t)DOOR_STAT_COUNT;
    case IPC_SEND:
        return 4 + 8 * f->send.count + f->send.len;
    case IPC_CLOSE:
        return 8 + 2 + f->close.reason.len;
    case IPC_ANSWER:
        return 8 + 2 + 1 + 8 + 8 + headers_size(f->answer.header, IPC_ANSWER_HEADERS) + 4 +
               f->answer.body_len;
    case IPC_GONE:
    case IPC_EPOCH:
    case IPC_TRUST:
        return 8;
    default:
        return 0;
    }
}

size_t ipc_frame_size(const struct ipc_frame *frame)
{
    return frame_ok(frame) ? IPC_HEAD_LEN + body_size(frame) : 0;
}

static void wr_hello(struct wr *w, const struct ipc_hello *hello)
{
    wr_u32(w, IPC_MAGIC);
    wr_u16(w, hello->version);
    wr_u8(w, hello->role);
    wr_u32(w, hello->window);
    wr_u32(w, hello->instance);
    wr_u64(w, hello->epoch);
}

static void wr_ask(struct wr *w, const struct ipc_ask *ask)
{
    wr_u64(w, ask->req);
    wr_u8(w, ask->method);
    wr_u8(w, ask->tls);
    wr_addr(w, &ask->remote);
    wr_u16(w, (uint16_t)ask->path.len);
    wr_bytes(w, ask->path.p, ask->path.len);
    wr_u16(w, (uint16_t)ask->query.len);
    wr_bytes(w, ask->query.p, ask->query.len);
    wr_headers(w, ask->header, IPC_ASK_HEADERS);
    wr_u32(w, (uint32_t)ask->body_len);
    wr_bytes(w, ask->body, ask->body_len);
}

static void wr_answer(struct wr *w, const struct ipc_answer *answer)
{
    wr_u64(w, answer->req);
    wr_u16(w, answer->status);
    wr_u8(w, answer->file);
    wr_u64(w, answer->start);
    wr_u64(w, answer->count);
    wr_headers(w, answer->header, IPC_ANSWER_HEADERS);
    wr_u32(w, (uint32_t)answer->body_len);
    wr_bytes(w, answer->body, answer->body_len);
}

static void wr_send(struct wr *w, const struct ipc_send *send)
{
    wr_u32(w, (uint32_t)send->count);
    for (size_t i = 0; i < send->count; i++) {
        wr_u64(w, ipc_send_to(send, i));
    }
    wr_bytes(w, send->text, send->len);
}

static void wr_stats(struct wr *w, const struct ipc_stats *stats)
{
    for (size_t i = 0; i < DOOR_STAT_COUNT; i++) {
        wr_u64(w, stats->value[i]);
    }
}

static void wr_open(struct wr *w, const struct ipc_open *open)
{
    wr_u64(w, open->conn);
    wr_addr(w, &open->remote);
    wr_u8(w, (uint8_t)((open->tls ? 1U : 0U) | (open->again ? 2U : 0U)));
}

static void wr_body(struct wr *w, const struct ipc_frame *f)
{
    switch (f->type) {
    case IPC_HELLO:
        wr_hello(w, &f->hello);
        break;
    case IPC_CREDIT:
        wr_u32(w, f->credit);
        break;
    case IPC_OPEN:
        wr_open(w, &f->open);
        break;
    case IPC_TEXT:
        wr_u64(w, f->text.conn);
        wr_bytes(w, f->text.text, f->text.len);
        break;
    case IPC_CLOSED:
        wr_u64(w, f->closed.conn);
        wr_u16(w, f->closed.code);
        break;
    case IPC_ASK:
        wr_ask(w, &f->ask);
        break;
    case IPC_STATS:
        wr_stats(w, &f->stats);
        break;
    case IPC_SEND:
        wr_send(w, &f->send);
        break;
    case IPC_CLOSE:
        wr_u64(w, f->close.conn);
        wr_u16(w, f->close.code);
        wr_bytes(w, f->close.reason.p, f->close.reason.len);
        break;
    case IPC_ANSWER:
        wr_answer(w, &f->answer);
        break;
    case IPC_GONE:
        wr_u64(w, f->gone);
        break;
    case IPC_EPOCH:
        wr_u64(w, f->epoch);
        break;
    case IPC_TRUST:
        wr_u64(w, f->trust);
        break;
    default:
        break;
    }
}

int ipc_encode(const struct ipc_frame *frame, struct wr *w)
{
    if (!frame_ok(frame)) {
        return E_TOOBIG;
    }
    wr_u32(w, (uint32_t)body_size(frame));
    wr_u8(w, (uint8_t)frame->type);
    wr_body(w, frame);
    return w->bad ? E_FULL : 0;
}

/* ---- decoding ------------------------------------------------------------------------------ */

int ipc_decode_head(const uint8_t head[IPC_HEAD_LEN], uint8_t *type, size_t *body_len)
{
    struct rd r = rd_init(head, IPC_HEAD_LEN);
    *body_len = rd_u32(&r);
    *type = rd_u8(&r);
    return *body_len <= IPC_FRAME_MAX ? 0 : E_TOOBIG;
}

static struct ipc_str rd_str(struct rd *r, size_t len, size_t max)
{
    if (len > max) {
        r->bad = true;
    }
    const uint8_t *p = rd_bytes(r, len);
    return (struct ipc_str){(const char *)p, p ? len : 0};
}

static bool rd_bool(struct rd *r)
{
    uint8_t v = rd_u8(r);
    if (v > 1) {
        r->bad = true;
    }
    return v == 1;
}

static void rd_addr(struct rd *r, struct addr *addr)
{
    memset(addr, 0, sizeof(*addr));
    addr->family = rd_u8(r);
    addr->port = rd_u16(r);
    const uint8_t *ip = rd_bytes(r, sizeof(addr->ip));
    if (ip) {
        memcpy(addr->ip, ip, sizeof(addr->ip));
    }
    if (addr->family != ADDR_NONE && addr->family != ADDR_V4 && addr->family != ADDR_V6) {
        r->bad = true;
    }
}

/* Ascending order makes the encoding of a set unique and repeats impossible. */
static void rd_headers(struct rd *r, struct ipc_str *header, size_t count)
{
    memset(header, 0, count * sizeof(*header));
    int last = -1;
    while (!r->bad) {
        uint8_t id = rd_u8(r);
        if (id == HEADERS_END) {
            return;
        }
        if (id >= count || id <= last) {
            r->bad = true;
            return;
        }
        last = id;
        header[id] = rd_str(r, rd_u16(r), IPC_HEADER_MAX);
    }
}

static void rd_hello(struct rd *r, struct ipc_hello *hello)
{
    if (rd_u32(r) != IPC_MAGIC) {
        r->bad = true;
    }
    hello->version = rd_u16(r);
    hello->role = rd_u8(r);
    hello->window = rd_u32(r);
    hello->instance = rd_u32(r);
    hello->epoch = rd_u64(r);
    if (hello->role != IPC_ROLE_DOOR && hello->role != IPC_ROLE_CORE) {
        r->bad = true;
    }
}

static void rd_open(struct rd *r, struct ipc_open *open)
{
    open->conn = rd_u64(r);
    rd_addr(r, &open->remote);
    uint8_t flags = rd_u8(r);
    open->tls = (flags & 1U) != 0;
    open->again = (flags & 2U) != 0;
    if (flags > 3) {
        r->bad = true;
    }
}

static void rd_text(struct rd *r, struct ipc_text *text)
{
    text->conn = rd_u64(r);
    struct ipc_str s = rd_str(r, rd_left(r), IPC_TEXT_MAX);
    text->text = s.p;
    text->len = s.len;
}

static void rd_ask(struct rd *r, struct ipc_ask *ask)
{
    ask->req = rd_u64(r);
    ask->method = rd_u8(r);
    ask->tls = rd_bool(r);
    rd_addr(r, &ask->remote);
    ask->path = rd_str(r, rd_u16(r), IPC_HEADER_MAX);
    ask->query = rd_str(r, rd_u16(r), IPC_HEADER_MAX);
    rd_headers(r, ask->header, IPC_ASK_HEADERS);
    struct ipc_str body = rd_str(r, rd_u32(r), IPC_BODY_MAX);
    ask->body = body.p;
    ask->body_len = body.len;
    if (ask->method < IPC_GET || ask->method > IPC_OPTIONS) {
        r->bad = true;
    }
}

static void rd_answer(struct rd *r, struct ipc_answer *answer)
{
    answer->req = rd_u64(r);
    answer->status = rd_u16(r);
    answer->file = rd_bool(r);
    answer->fd = -1;
    answer->start = rd_u64(r);
    answer->count = rd_u64(r);
    rd_headers(r, answer->header, IPC_ANSWER_HEADERS);
    struct ipc_str body = rd_str(r, rd_u32(r), IPC_BODY_MAX);
    answer->body = body.p;
    answer->body_len = body.len;
    if (answer->status < 200 || answer->status > 599 || (answer->file && answer->body_len)) {
        r->bad = true;
    }
}

static void rd_send(struct rd *r, struct ipc_send *send)
{
    size_t count = rd_u32(r);
    if (count < 1 || count > IPC_CONNS_MAX) {
        r->bad = true;
        count = 0;
    }
    send->to = NULL;
    send->to_be = rd_bytes(r, 8 * count);
    send->count = count;
    struct ipc_str s = rd_str(r, rd_left(r), IPC_TEXT_MAX);
    send->text = s.p;
    send->len = s.len;
}

static void rd_close(struct rd *r, struct ipc_close *close)
{
    close->conn = rd_u64(r);
    close->code = rd_u16(r);
    close->reason = rd_str(r, rd_left(r), IPC_REASON_MAX);
}

static int rd_body(struct rd *r, struct ipc_frame *out)
{
    switch (out->type) {
    case IPC_HELLO:
        rd_hello(r, &out->hello);
        return 0;
    case IPC_CREDIT:
        out->credit = rd_u32(r);
        return 0;
    case IPC_OPEN:
        rd_open(r, &out->open);
        return 0;
    case IPC_TEXT:
        rd_text(r, &out->text);
        return 0;
    case IPC_CLOSED:
        out->closed.conn = rd_u64(r);
        out->closed.code = rd_u16(r);
        return 0;
    case IPC_ASK:
        rd_ask(r, &out->ask);
        return 0;
    case IPC_GONE:
        out->gone = rd_u64(r);
        return 0;
    case IPC_STATS:
        for (size_t i = 0; i < DOOR_STAT_COUNT; i++) {
            out->stats.value[i] = rd_u64(r);
        }
        return 0;
    case IPC_SEND:
        rd_send(r, &out->send);
        return 0;
    case IPC_CLOSE:
        rd_close(r, &out->close);
        return 0;
    case IPC_ANSWER:
        rd_answer(r, &out->answer);
        return 0;
    case IPC_EPOCH:
        out->epoch = rd_u64(r);
        return 0;
    case IPC_TRUST:
        out->trust = rd_u64(r);
        return 0;
    default:
        return E_UNSUPPORTED;
    }
}

int ipc_decode(struct ipc_frame *out, uint8_t type, const void *body, size_t len)
{
    memset(out, 0, sizeof(*out));
    if (type < IPC_HELLO || type > IPC_TRUST) {
        return E_UNSUPPORTED;
    }
    out->type = (enum ipc_type)type;
    struct rd r = rd_init(body, len);
    int err = rd_body(&r, out);
    if (err) {
        return err;
    }
    return r.bad || rd_left(&r) ? E_BAD : 0;
}
