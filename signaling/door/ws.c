#include <sys/socket.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/text.h"
#include "codec/sys/clock.h"
#include "codec/sys/log.h"
#include "signaling/door/state.h"

enum {
    WRITES_PER_TURN = 16,
    RING_START = 8,
    CLOSE_MS = 2000,
    CODE_VANISHED = 1006,
    SEND_BUFFER = 128 * 1024 /* the kernel doubles it */
};

/* One message, shared by the queues of all who get it. lws writes its header into the room. */
struct door_msg {
    uint32_t refs;
    size_t len;
    uint8_t room[LWS_PRE];
    uint8_t text[];
};

static struct door_msg *msg_new(const char *text, size_t len)
{
    struct door_msg *msg = mem_alloc(sizeof(*msg) + len);
    if (msg) {
        msg->refs = 1;
        msg->len = len;
        memcpy(msg->text, text, len);
    }
    return msg;
}

static void msg_put(struct door_msg *msg)
{
    if (--msg->refs == 0) {
        mem_free(msg);
    }
}

/* ---- queue (rule 19) ----------------------------------------------------------------------- */

static int ring_grow(struct door_ws *ws, uint32_t max)
{
    uint32_t cap = ws->queue_cap ? ws->queue_cap * 2 : RING_START;
    if (cap > max) {
        cap = max;
    }
    struct door_msg **ring = mem_alloc(cap * sizeof(struct door_msg *));
    if (!ring) {
        return E_NOMEM;
    }
    for (uint32_t i = 0; i < ws->queue_len; i++) {
        ring[i] = ws->queue[(ws->queue_head + i) % ws->queue_cap];
    }
    mem_free(ws->queue);
    ws->queue = ring;
    ws->queue_cap = cap;
    ws->queue_head = 0;
    return 0;
}

static int queue_put(struct door *door, struct door_ws *ws, struct door_msg *msg)
{
    const struct door_config *config = &door->config;
    if (ws->queue_len >= config->queue_msgs_max ||
        ws->queue_bytes + msg->len > config->queue_bytes_max) {
        return E_FULL;
    }
    if (ws->queue_len == ws->queue_cap && ring_grow(ws, config->queue_msgs_max)) {
        return E_NOMEM;
    }
    ws->queue[(ws->queue_head + ws->queue_len) % ws->queue_cap] = msg;
    ws->queue_len++;
    ws->queue_bytes += msg->len;
    door->stats.value[DOOR_STAT_queued_bytes] += msg->len;
    msg->refs++;
    return 0;
}

static struct door_msg *queue_take(struct door *door, struct door_ws *ws)
{
    if (!ws->queue_len) {
        return NULL;
    }
    struct door_msg *msg = ws->queue[ws->queue_head];
    ws->queue_head = (ws->queue_head + 1) % ws->queue_cap;
    ws->queue_len--;
    ws->queue_bytes -= msg->len;
    door->stats.value[DOOR_STAT_queued_bytes] -= msg->len;
    if (!ws->queue_len) { /* an idle page costs no ring */
        mem_free(ws->queue);
        ws->queue = NULL;
        ws->queue_cap = 0;
        ws->queue_head = 0;
    }
    return msg;
}

static void queue_clear(struct door *door, struct door_ws *ws)
{
    struct door_msg *msg;
    while ((msg = queue_take(door, ws))) {
        msg_put(msg);
    }
}

static bool is_open(const struct door_conn *conn)
{
    return conn && conn->ws && conn->phase == DOOR_PHASE_WS && !conn->killed && !conn->ws->closing;
}

static void give(struct door *door, struct door_conn *conn, struct door_msg *msg)
{
    if (!is_open(conn)) {
        return;
    }
    if (queue_put(door, conn->ws, msg)) {
        /* The reader does not keep up: from outside and without ceremony, it resumes later. */
        door_count(door, DOOR_STAT_ws_too_slow);
        log_info("door", "slow page dropped", L_ADDR("addr", &conn->remote));
        conn_kill(conn);
        return;
    }
    lws_callback_on_writable(conn->wsi);
}

void ws_send(struct door *door, const struct ipc_send *send)
{
    struct door_msg *msg = msg_new(send->text, send->len);
    if (!msg) {
        log_error("door", "no memory for a message", L_UINT("len", send->len));
        return;
    }
    for (size_t i = 0; i < send->count; i++) {
        give(door, conn_of_num(door, ipc_send_to(send, i)), msg);
    }
    msg_put(msg);
}

void ws_send_all(struct door *door, const char *text, size_t len)
{
    struct door_msg *msg = msg_new(text, len);
    for (uint32_t i = 0; msg && i < door->conns.touched; i++) {
        give(door, pool_walk(&door->conns, i, NULL), msg);
    }
    if (msg) {
        msg_put(msg);
    }
}

void ws_close(struct door *door, struct door_conn *conn, uint16_t code, const char *reason,
              size_t len)
{
    (void)door;
    if (!is_open(conn)) {
        return;
    }
    struct door_ws *ws = conn->ws;
    ws->closing = true;
    ws->close_code = code;
    ws->close_len = (uint8_t)(len <= sizeof(ws->close_reason) ? len : 0);
    memcpy(ws->close_reason, reason, ws->close_len);
    conn->deadline = clock_mono_us() + (mono_us)CLOSE_MS * US_PER_MS;
    lws_callback_on_writable(conn->wsi);
}

void ws_stop(struct door *door)
{
    static const char reason[] = "server going down";
    for (uint32_t i = 0; i < door->conns.touched; i++) {
        ws_close(door, pool_walk(&door->conns, i, NULL), 1001, reason, sizeof(reason) - 1);
    }
}

static void tell_open(struct door *door, struct door_conn *conn, bool again)
{
    struct ipc_frame frame = {
        .type = IPC_OPEN,
        .open = {.conn = conn->num, .remote = conn->remote, .tls = conn->tls, .again = again},
    };
    (void)core_send(door, &frame);
}

void ws_open_again(struct door *door)
{
    for (uint32_t i = 0; i < door->conns.touched; i++) {
        struct door_conn *conn = pool_walk(&door->conns, i, NULL);
        if (is_open(conn)) {
            tell_open(door, conn, true);
        }
    }
}

void ws_resume_all(struct door *door)
{
    for (uint32_t i = 0; i < door->conns.touched; i++) {
        struct door_conn *conn = pool_walk(&door->conns, i, NULL);
        if (conn && conn->ws && conn->ws->paused && !conn->killed) {
            conn->ws->paused = false;
            (void)lws_rx_flow_control(conn->wsi, 1);
        }
    }
}

void ws_free(struct door *door, struct door_conn *conn)
{
    struct door_ws *ws = conn->ws;
    if (!ws) {
        return;
    }
    struct ipc_frame closed = {
        .type = IPC_CLOSED,
        .closed = {.conn = conn->num, .code = ws->peer_code ? ws->peer_code : CODE_VANISHED},
    };
    (void)core_send(door, &closed);
    queue_clear(door, ws);
    mem_free(ws->rx);
    mem_free(ws);
    conn->ws = NULL;
    door->stats.value[DOOR_STAT_ws_open]--;
}

/* ---- what pages do ------------------------------------------------------------------------- */

static int on_open(struct door *door, struct door_conn *conn)
{
    static const char busy[] = "{\"t\":\"busy\"}";
    /* A page that stops reading must not fill megabytes of the kernel before we notice. */
    int send_buffer = SEND_BUFFER;
    (void)setsockopt(lws_get_socket_fd(conn->wsi), SOL_SOCKET, SO_SNDBUF, &send_buffer,
                     sizeof(send_buffer));
    struct door_ws *ws = mem_alloc(sizeof(*ws));
    if (!ws) {
        return -1;
    }
    ws->heard = clock_mono_us();
    conn->ws = ws;
    conn_phase(conn, DOOR_PHASE_WS, 0);
    door->stats.value[DOOR_STAT_ws_open]++;
    door_count(door, DOOR_STAT_ws_opened);
    tell_open(door, conn, false);
    if (door->core.told_busy) {
        struct door_msg *msg = msg_new(busy, sizeof(busy) - 1);
        if (msg) {
            give(door, conn, msg);
            msg_put(msg);
        }
    }
    return 0;
}

/*
 * Hangs up with a reason. Not by -1 from here: lws would read on in the middle of the discarded
 * frame and lose our close frame over it. What still comes is ignored until the socket takes it.
 */
static int refuse(struct door *door, struct door_conn *conn, enum door_stat stat, uint16_t code,
                  const char *reason)
{
    if (conn->ws->closing) {
        return 0;
    }
    door_count(door, stat);
    queue_clear(door, conn->ws);
    ws_close(door, conn, code, reason, strlen(reason));
    return 0;
}

/* rule 18: frames and pongs, not messages. True when there were too many in this second. */
static bool too_fast(struct door *door, struct door_ws *ws)
{
    ws->heard = clock_mono_us();
    ws->pinged = false;
    int64_t second = ws->heard / US_PER_S;
    if (second != ws->second) {
        ws->second = second;
        ws->frames = 0;
    }
    return ++ws->frames > door->config.frames_per_s_max;
}

static int rx_reserve(struct door *door, struct door_ws *ws, size_t need)
{
    if (need <= ws->rx_cap) {
        return 0;
    }
    uint32_t cap = ws->rx_cap ? ws->rx_cap : 1024;
    while (cap < need) {
        cap *= 2;
    }
    if (cap > door->config.message_max) {
        cap = door->config.message_max;
    }
    uint8_t *rx = mem_realloc(ws->rx, cap);
    if (!rx) {
        return E_NOMEM;
    }
    ws->rx = rx;
    ws->rx_cap = cap;
    return 0;
}

static int message_done(struct door *door, struct door_conn *conn)
{
    struct door_ws *ws = conn->ws;
    /* lws lets a message end inside a character (rule 17). */
    if (!text_utf8_ok(ws->rx, ws->rx_len)) {
        return refuse(door, conn, DOOR_STAT_ws_bad_text, 1007, "not UTF-8");
    }
    struct ipc_frame frame = {
        .type = IPC_TEXT,
        .text = {.conn = conn->num, .text = (const char *)ws->rx, .len = ws->rx_len},
    };
    door_count(door, DOOR_STAT_ws_in);
    (void)core_send(door, &frame);
    mem_free(ws->rx);
    ws->rx = NULL;
    ws->rx_cap = 0;
    ws->rx_len = 0;
    if (door->core.congested && !ws->paused) {
        ws->paused = true;
        (void)lws_rx_flow_control(conn->wsi, 0);
    }
    return 0;
}

static int on_receive(struct door *door, struct door_conn *conn, const void *in, size_t len)
{
    struct door_ws *ws = conn->ws;
    if (ws->closing) {
        return 0;
    }
    if (too_fast(door, ws)) {
        return refuse(door, conn, DOOR_STAT_ws_too_fast, 1008, "too many frames");
    }
    if (lws_frame_is_binary(conn->wsi)) {
        return refuse(door, conn, DOOR_STAT_ws_bad_text, 1003, "text only");
    }
    /* rule 17: refuse before the announced bytes arrive. */
    uint64_t coming = lws_remaining_packet_payload(conn->wsi);
    if (coming > door->config.message_max || ws->rx_len + len + coming > door->config.message_max) {
        return refuse(door, conn, DOOR_STAT_ws_too_large, 1009, "message too large");
    }
    if (rx_reserve(door, ws, ws->rx_len + len + (size_t)coming)) {
        return refuse(door, conn, DOOR_STAT_ws_too_large, 1011, "no memory");
    }
    if (len) {
        memcpy(ws->rx + ws->rx_len, in, len);
        ws->rx_len += (uint32_t)len;
    }
    if (coming || !lws_is_final_fragment(conn->wsi)) {
        return 0;
    }
    return message_done(door, conn);
}

/*
 * rule 20, by our own tick: every timer of libwebsockets costs a millisecond in which it polls
 * without waiting, which hundreds of pages would pay several times a minute.
 */
void ws_watch(struct door *door, struct door_conn *conn, mono_us now)
{
    struct door_ws *ws = conn->ws;
    if (ws->paused) {
        ws->heard = now; /* it is us who do not listen */
    }
    mono_us silent = now - ws->heard;
    if (silent >= (mono_us)door->config.hangup_after_ms * US_PER_MS) {
        conn_kill(conn);
    } else if (silent >= (mono_us)door->config.ping_after_ms * US_PER_MS && !ws->pinged) {
        ws->pinged = true;
        ws->ping_due = true;
        lws_callback_on_writable(conn->wsi);
    }
}

/* With a byte in it: libwebsockets says nothing of pongs without any. */
static int write_ping(struct door_conn *conn)
{
    uint8_t room[LWS_PRE + 1] = {0};
    conn->ws->ping_due = false;
    return lws_write(conn->wsi, room + LWS_PRE, 1, LWS_WRITE_PING) < 0 ? -1 : 0;
}

static int on_writeable(struct door *door, struct door_conn *conn)
{
    struct door_ws *ws = conn->ws;
    if (ws->ping_due && !lws_partial_buffered(conn->wsi) && write_ping(conn)) {
        return -1;
    }
    for (int i = 0; i < WRITES_PER_TURN && ws->queue_len; i++) {
        /* A write that did not fit whole ends the turn; asking poll() each time would cost more. */
        struct door_msg *msg = lws_partial_buffered(conn->wsi) ? NULL : queue_take(door, ws);
        if (!msg) {
            break;
        }
        int n = lws_write(conn->wsi, msg->text, msg->len, LWS_WRITE_TEXT);
        msg_put(msg);
        if (n < 0) {
            return -1;
        }
        door_count(door, DOOR_STAT_ws_out);
    }
    if (ws->queue_len) {
        lws_callback_on_writable(conn->wsi);
        return 0;
    }
    if (ws->closing) {
        lws_close_reason(conn->wsi, (enum lws_close_status)ws->close_code,
                         (unsigned char *)ws->close_reason, ws->close_len);
        return -1;
    }
    return 0;
}

static int on_peer_close(struct door_conn *conn, const uint8_t *in, size_t len)
{
    conn->ws->peer_code = len >= 2 ? (uint16_t)((unsigned)in[0] << 8 | in[1]) : 1005;
    conn->deadline = clock_mono_us() + (mono_us)CLOSE_MS * US_PER_MS;
    return 0;
}

int door_ws_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                     size_t len)
{
    (void)user;
    struct door *door = door_of(wsi);
    struct door_conn *conn = conn_of_wsi(door, wsi);
    if (reason == LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION) {
        return gate_subprotocol(door, conn);
    }
    if (reason == LWS_CALLBACK_ESTABLISHED) {
        return conn ? on_open(door, conn) : -1;
    }
    if (!conn || !conn->ws) {
        return reason == LWS_CALLBACK_RECEIVE || reason == LWS_CALLBACK_RAW_RX ? -1 : 0;
    }
    switch ((int)reason) {
    case LWS_CALLBACK_RECEIVE:
        return on_receive(door, conn, in, len);
    case LWS_CALLBACK_RECEIVE_PONG:
        return too_fast(door, conn->ws)
                   ? refuse(door, conn, DOOR_STAT_ws_too_fast, 1008, "too many frames")
                   : 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return on_writeable(door, conn);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return on_peer_close(conn, in, len);
    default:
        return 0;
    }
}
