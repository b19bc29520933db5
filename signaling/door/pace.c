/*
 * rule 13. While a body is on its way the connection's input stays blocked, so a client that sends
 * more or hangs up half-way cannot make the loop spin; libwebsockets then reports no WRITEABLE
 * either, so a timer writes. Only when libwebsockets itself holds back bytes is the block lifted,
 * and only once the socket is writable, for it to flush them.
 */
#include <poll.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/sys/clock.h"
#include "signaling/door/state.h"

enum { CHUNK = 16 * 1024, CHUNKS_PER_TURN = 32, WAIT_MIN_MS = 1, WAIT_MAX_MS = 64, END_MS = 2000 };

static void list_add(struct door *door, struct door_conn *conn)
{
    conn->send_prev = NULL;
    conn->send_next = door->send_head;
    if (door->send_head) {
        door->send_head->send_prev = conn;
    }
    door->send_head = conn;
}

static void list_del(struct door *door, struct door_conn *conn)
{
    if (conn->send_prev) {
        conn->send_prev->send_next = conn->send_next;
    } else {
        door->send_head = conn->send_next;
    }
    if (conn->send_next) {
        conn->send_next->send_prev = conn->send_prev;
    }
}

static bool socket_writable(struct lws *wsi)
{
    struct pollfd p = {.fd = lws_get_socket_fd(wsi), .events = POLLOUT};
    return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT);
}

static ssize_t chunk_read(const struct door_out *out, uint8_t *buffer)
{
    uint64_t left = out->end - out->at;
    size_t len = left < CHUNK ? (size_t)left : CHUNK;
    if (out->blob) {
        memcpy(buffer, out->blob->data + out->at, len);
        return (ssize_t)len;
    }
    return pread(out->fd, buffer, len, (off_t)out->at);
}

/* Everything is with the kernel: close inside the connection's own callback. */
static void done(struct door *door, struct door_conn *conn)
{
    pace_free(door, conn);
    conn_phase(conn, DOOR_PHASE_END, END_MS);
    (void)lws_rx_flow_control(conn->wsi, 1);
    lws_callback_on_writable(conn->wsi);
}

/* lws holds bytes back: let it flush when the socket takes them. True when it has. */
static bool flushed(struct door_conn *conn)
{
    struct door_out *out = &conn->http->out;
    if (lws_partial_buffered(conn->wsi)) {
        if (!out->lifted && socket_writable(conn->wsi)) {
            out->lifted = true;
            (void)lws_rx_flow_control(conn->wsi, 1);
            lws_callback_on_writable(conn->wsi);
        }
        return false;
    }
    if (out->lifted) {
        out->lifted = false;
        (void)lws_rx_flow_control(conn->wsi, 0);
    }
    return true;
}

/*
 * Turns fall on a grid, so that any number of stalled downloads share one timer: libwebsockets
 * rounds its waits down to milliseconds and polls without waiting through the last one, which
 * every separate deadline would pay again.
 */
static mono_us next_turn(mono_us now, uint32_t wait_ms)
{
    mono_us grid = (mono_us)wait_ms * US_PER_MS;
    return (now / grid + 1) * grid;
}

/* Writes while the socket takes it. Returns bytes written, or -1 when the connection is broken. */
static ssize_t write_some(struct door_conn *conn)
{
    static uint8_t buffer[LWS_PRE + CHUNK];
    struct door_out *out = &conn->http->out;
    ssize_t total = 0;
    for (int i = 0; i < CHUNKS_PER_TURN && out->at < out->end; i++) {
        if (!flushed(conn) || lws_send_pipe_choked(conn->wsi)) {
            break;
        }
        ssize_t n = chunk_read(out, buffer + LWS_PRE);
        if (n <= 0 || lws_write(conn->wsi, buffer + LWS_PRE, (size_t)n, LWS_WRITE_HTTP) < 0) {
            return -1; /* also a file that shrank: the promised length cannot be kept */
        }
        out->at += (uint64_t)n;
        total += n;
    }
    return total;
}

static void step(struct door *door, struct door_conn *conn, mono_us now)
{
    struct door_out *out = &conn->http->out;
    ssize_t n = write_some(conn);
    if (n < 0) {
        conn_kill(conn);
        pace_free(door, conn);
        return;
    }
    if (out->at == out->end && flushed(conn)) {
        done(door, conn);
        return;
    }
    if (n > 0) {
        out->wait_ms = WAIT_MIN_MS;
        conn_phase(conn, DOOR_PHASE_SEND, door->config.file_timeout_ms);
    } else if (out->wait_ms < WAIT_MAX_MS) {
        out->wait_ms *= 2;
    }
    out->next_try = next_turn(now, out->wait_ms);
}

static void pace_tick(lws_sorted_usec_list_t *sul)
{
    struct door *door = door_of_timer(sul, offsetof(struct door, pace));
    mono_us now = clock_mono_us();
    mono_us next = MONO_NEVER;
    struct door_conn *following;
    for (struct door_conn *conn = door->send_head; conn; conn = following) {
        following = conn->send_next;
        if (conn->killed) {
            continue;
        }
        if (now >= conn->http->out.next_try) {
            step(door, conn, now);
        }
        if (conn->http->out.active) {
            next = mono_min(next, conn->http->out.next_try);
        }
    }
    if (next != MONO_NEVER) {
        mono_us wait = next > now ? next - now : 1;
        lws_sul_schedule(door->lws, 0, &door->pace, pace_tick, wait);
    }
}

int pace_start(struct door *door, struct door_conn *conn, const char *head, size_t head_len)
{
    static uint8_t buffer[LWS_PRE + 8192];
    struct door_out *out = &conn->http->out;
    if (head_len > 8192) {
        return -1;
    }
    memcpy(buffer + LWS_PRE, head, head_len);
    lws_set_timeout(conn->wsi, NO_PENDING_TIMEOUT, 0);
    (void)lws_rx_flow_control(conn->wsi, 0);
    if (lws_write(conn->wsi, buffer + LWS_PRE, head_len, LWS_WRITE_HTTP_HEADERS) < 0) {
        return -1;
    }
    if (conn->http->keep_head) {
        out->at = out->end;
    }
    out->active = true;
    out->wait_ms = WAIT_MIN_MS;
    out->next_try = 0;
    conn_phase(conn, DOOR_PHASE_SEND, door->config.file_timeout_ms);
    list_add(door, conn);
    lws_sul_schedule(door->lws, 0, &door->pace, pace_tick, 1);
    return 0;
}

int pace_writeable(struct door *door, struct door_conn *conn)
{
    (void)door;
    return conn->phase == DOOR_PHASE_END ? -1 : 0;
}

void pace_free(struct door *door, struct door_conn *conn)
{
    struct door_out *out = &conn->http->out;
    if (out->active) {
        list_del(door, conn);
        out->active = false;
    }
    if (out->fd >= 0) {
        (void)close(out->fd);
        out->fd = -1;
        door->files_open--;
    }
    blob_put(&out->blob);
}
