#include "server/io/tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/pool.h"
#include "server/io/framing.h"
#include "server/io/sockaddr.h"

enum {
    ACCEPTS = 16, /* per wake-up, so that a flood does not hold up media */
    BACKLOG = 256,
    READ_BYTES = 32 << 10,
    KERNEL_OUT = 64 << 10, /* what the kernel may hold is delay too */
    OUT_FIRST = 16 << 10,
    ROW_BITS = 13, /* of a conn number; the rest is generation */
    CLOSED_AT_ONCE = 0,
};

_Static_assert(TCP_CONNS_MAX == 1 << ROW_BITS, "a row fits its bits");

struct conn {
    struct tcp *tcp;
    pool_id id;
    int fd; /* -1 once closed: waits for tcp_timer to report it */
    struct tuple tuple;
    bool confirmed;
    bool watching_write;
    mono_us due;        /* when it is closed unless something happens */
    mono_us stalled_at; /* when the reader last took something while we waited */
    uint8_t *out;       /* bytes the kernel did not take yet */
    size_t out_at;
    size_t out_len;
    size_t out_cap;
    struct framing in;
};

struct tcp {
    struct loop *loop;
    struct tcp_hooks hooks;
    struct tcp_stats stats;
    int listener[2];
    uint16_t port;
    uint32_t conns_max;
    uint32_t unconfirmed_max;
    uint32_t dead; /* connections closed but not yet reported */
    mono_us deadline;
    struct pool conns;
    uint8_t in[READ_BYTES];
    uint8_t heads[TXBATCH_RUN_SEGMENTS][FRAMING_HEAD];
};

static uint32_t conn_number(pool_id id)
{
    uint32_t row = (uint32_t)id - 1;
    return (uint32_t)(id >> 32) << ROW_BITS | row; /* a live generation is odd, so never 0 */
}

static struct conn *conn_find(const struct tcp *tcp, const struct tuple *tuple)
{
    pool_id id;
    struct conn *conn = pool_walk(&tcp->conns, tuple->conn & ((1u << ROW_BITS) - 1), &id);
    bool found = conn && conn->fd >= 0 && tuple_equal(&conn->tuple, tuple);
    return found ? conn : NULL;
}

/* Takes the descriptor away. The row stays until tcp_timer has reported it, because we may be deep
 * inside a call of the one who wants the report. */
static void conn_shut(struct conn *conn)
{
    struct tcp *tcp = conn->tcp;
    loop_del(tcp->loop, conn->fd);
    close(conn->fd);
    conn->fd = -1;
    mem_free(conn->out);
    conn->out = NULL;
    tcp->stats.conns--;
    tcp->stats.unconfirmed -= !conn->confirmed;
    tcp->stats.closed++;
    tcp->dead++;
    tcp->deadline = CLOSED_AT_ONCE;
}

static void due_set(struct conn *conn, mono_us due)
{
    conn->due = due;
    conn->tcp->deadline = mono_min(conn->tcp->deadline, due);
}

/* ---- reading ------------------------------------------------------------------------------------
 */

/* Hands one frame over. False when the connection did not survive it. */
static bool frame_deliver(struct conn *conn, const uint8_t *frame, size_t len, mono_us now)
{
    struct tcp *tcp = conn->tcp;
    struct pkt *pkt = tcp->hooks.room_h(tcp->hooks.arg);
    if (!pkt) {
        return true;
    }
    memcpy(pkt->data, frame, len);
    pkt->len = (uint16_t)len;
    pkt->arrival = now;
    tcp->stats.rx_frames++;
    tcp->stats.rx_bytes += len;
    struct tuple from = conn->tuple;
    enum drop drop = tcp->hooks.input_h(tcp->hooks.arg, pkt, &from, now);
    if (conn->fd < 0) {
        return false;
    }
    if (drop == DROP_NONE && !conn->confirmed) {
        conn->confirmed = true;
        tcp->stats.unconfirmed--;
    }
    if (conn->confirmed) {
        due_set(conn, now + TCP_IDLE_US);
    }
    return true;
}

static void conn_read(struct conn *conn, mono_us now)
{
    struct tcp *tcp = conn->tcp;
    ssize_t got = recv(conn->fd, tcp->in, sizeof(tcp->in), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        conn_shut(conn);
        return;
    }
    size_t len = got > 0 ? (size_t)got : 0;
    size_t at = 0;
    while (at < len) {
        size_t eaten, frame_len;
        const uint8_t *frame;
        int found = framing_next(&conn->in, tcp->in + at, len - at, &eaten, &frame, &frame_len);
        at += eaten;
        if (found < 0) {
            tcp->stats.cut_bad++;
            conn_shut(conn);
            return;
        }
        if (found && !frame_deliver(conn, frame, frame_len, now)) {
            return;
        }
    }
}

/* ---- writing ------------------------------------------------------------------------------------
 */

static void write_watch(struct conn *conn, bool on)
{
    if (conn->watching_write != on) {
        conn->watching_write = on;
        (void)loop_set(conn->tcp->loop, conn->fd, on ? LOOP_READ | LOOP_WRITE : LOOP_READ);
    }
}

static void conn_flush(struct conn *conn, mono_us now)
{
    ssize_t n =
        send(conn->fd, conn->out + conn->out_at, conn->out_len - conn->out_at, MSG_NOSIGNAL);
    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR) {
            conn_shut(conn);
        }
        return;
    }
    conn->out_at += (size_t)n;
    conn->stalled_at = now;
    if (conn->out_at == conn->out_len) {
        mem_free(conn->out);
        conn->out = NULL;
        conn->out_at = conn->out_len = conn->out_cap = 0;
        write_watch(conn, false);
    }
}

/* Room for len more bytes behind what waits; false when that would be more than TCP_OUT_MAX. */
static bool out_reserve(struct conn *conn, size_t len)
{
    size_t waiting = conn->out_len - conn->out_at;
    if (waiting + len > TCP_OUT_MAX) {
        return false;
    }
    if (conn->out_at) {
        memmove(conn->out, conn->out + conn->out_at, waiting);
        conn->out_at = 0;
        conn->out_len = waiting;
    }
    size_t cap = conn->out_cap ? conn->out_cap : OUT_FIRST;
    while (cap < waiting + len) {
        cap *= 2;
    }
    if (cap != conn->out_cap) {
        uint8_t *grown = mem_realloc(conn->out, cap);
        if (!grown) {
            return false;
        }
        conn->out = grown;
        conn->out_cap = cap;
    }
    return true;
}

/* Keeps a frame (or what is left of one) for later: whole or not at all, so that the stream stays
 * in step. must: part of it has left already. */
static void frame_keep(struct conn *conn, const struct iovec iov[2], size_t skip, bool must,
                       mono_us now)
{
    size_t len = iov[0].iov_len + iov[1].iov_len - skip;
    bool was_empty = conn->out_len == conn->out_at;
    if (!out_reserve(conn, len)) {
        if (must) {
            conn->tcp->stats.cut_slow++;
            conn_shut(conn);
        } else {
            conn->tcp->stats.tx_dropped++;
        }
        return;
    }
    for (int i = 0; i < 2; i++) {
        size_t off = skip < iov[i].iov_len ? skip : iov[i].iov_len;
        memcpy(conn->out + conn->out_len, (const uint8_t *)iov[i].iov_base + off,
               iov[i].iov_len - off);
        conn->out_len += iov[i].iov_len - off;
        skip -= off;
    }
    conn->tcp->stats.tx_frames++;
    conn->tcp->stats.tx_bytes += iov[1].iov_len;
    if (was_empty) {
        conn->stalled_at = now;
        conn->tcp->deadline = mono_min(conn->tcp->deadline, now + TCP_STALL_US);
        write_watch(conn, true);
    }
}

/* Lays the frames of a run out as head, body, head, body ...; returns the number of frames. */
static unsigned run_lay(struct tcp *tcp, const struct txbatch *batch, const struct txrun *run,
                        struct iovec *iov)
{
    unsigned frames = 0;
    for (uint32_t done = 0; done < run->len && frames < TXBATCH_RUN_SEGMENTS; frames++) {
        size_t left = run->len - done;
        size_t len = left < run->segment_len ? left : run->segment_len;
        framing_head(tcp->heads[frames], len);
        iov[2 * frames] = (struct iovec){tcp->heads[frames], FRAMING_HEAD};
        iov[2 * frames + 1] = (struct iovec){batch->buffer + run->at + done, len};
        done += (uint32_t)len;
    }
    return frames;
}

static void run_send(struct conn *conn, const struct txbatch *batch, const struct txrun *run,
                     mono_us now)
{
    struct tcp *tcp = conn->tcp;
    struct iovec iov[2 * TXBATCH_RUN_SEGMENTS];
    unsigned frames = run_lay(tcp, batch, run, iov);
    size_t sent = 0;
    if (conn->out_len == conn->out_at) {
        struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2 * (size_t)frames};
        ssize_t n = sendmsg(conn->fd, &msg, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            conn_shut(conn);
            return;
        }
        sent = n > 0 ? (size_t)n : 0;
    }
    for (unsigned f = 0; f < frames && conn->fd >= 0; f++) {
        size_t len = FRAMING_HEAD + iov[2 * f + 1].iov_len;
        if (sent >= len) {
            tcp->stats.tx_frames++;
            tcp->stats.tx_bytes += iov[2 * f + 1].iov_len;
            sent -= len;
        } else {
            frame_keep(conn, iov + 2 * (size_t)f, sent, sent > 0, now);
            sent = 0;
        }
    }
}

void tcp_send_batch(struct tcp *tcp, const struct txbatch *batch, mono_us now)
{
    for (uint32_t r = 0; r < batch->runs; r++) {
        const struct txrun *run = &batch->run[r];
        if (run->to.proto != ADDR_TCP || run->segment_len > FRAMING_MAX) {
            continue;
        }
        struct conn *conn = conn_find(tcp, &run->to);
        if (conn) {
            run_send(conn, batch, run, now);
        } else {
            tcp->stats.tx_dropped += run->segments;
        }
    }
}

/* ---- opening and closing ------------------------------------------------------------------------
 */

static void conn_ready(void *arg, unsigned ready, mono_us now)
{
    struct conn *conn = arg;
    if ((ready & LOOP_WRITE) && conn->out) {
        conn_flush(conn, now);
    }
    if (conn->fd >= 0 && (ready & (LOOP_READ | LOOP_HANGUP))) {
        conn_read(conn, now);
    }
}

static bool conn_open(struct tcp *tcp, int fd, const union sockaddr_any *peer, mono_us now)
{
    if (tcp->stats.unconfirmed >= tcp->unconfirmed_max) {
        return false;
    }
    pool_id id;
    struct conn *conn = pool_get(&tcp->conns, &id);
    if (!conn) {
        return false;
    }
    conn->tcp = tcp;
    conn->id = id;
    conn->fd = fd;
    framing_init(&conn->in);
    union sockaddr_any local = {0};
    socklen_t len = sizeof(local);
    conn->tuple = (struct tuple){.proto = ADDR_TCP, .conn = conn_number(id)};
    sockaddr_to(&conn->tuple.remote, peer);
    if (getsockname(fd, &local.any, &len) == 0) {
        sockaddr_to(&conn->tuple.local, &local);
    }
    (void)sockopt_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    (void)sockopt_set(fd, SOL_SOCKET, SO_SNDBUF, KERNEL_OUT);
    if (loop_add(tcp->loop, fd, LOOP_READ, conn_ready, conn)) {
        pool_put(&tcp->conns, id);
        return false;
    }
    tcp->stats.accepted++;
    tcp->stats.conns++;
    tcp->stats.unconfirmed++;
    due_set(conn, now + TCP_CONFIRM_US);
    return true;
}

static void accept_from(struct tcp *tcp, int listener, mono_us now)
{
    for (int i = 0; i < ACCEPTS; i++) {
        union sockaddr_any peer = {0};
        socklen_t len = sizeof(peer);
        int fd = accept4(listener, &peer.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            return;
        }
        if (!conn_open(tcp, fd, &peer, now)) {
            tcp->stats.refused++;
            close(fd);
        }
    }
}

static void listener_ready(void *arg, unsigned ready, mono_us now)
{
    struct tcp *tcp = arg;
    (void)ready;
    for (int i = 0; i < 2; i++) {
        if (tcp->listener[i] >= 0) {
            accept_from(tcp, tcp->listener[i], now);
        }
    }
}

static int listen_on(struct tcp *tcp, int fd)
{
    if (listen(fd, BACKLOG) != 0) {
        return sockaddr_error(errno);
    }
    tcp->port = sockaddr_port(fd);
    return loop_add(tcp->loop, fd, LOOP_READ, listener_ready, tcp);
}

int tcp_new(struct tcp **out, struct loop *loop, const struct tcp_config *config,
            const struct tcp_hooks *hooks)
{
    *out = NULL;
    if (!config->conns_max || config->conns_max > TCP_CONNS_MAX) {
        return E_RANGE;
    }
    struct tcp *tcp = mem_alloc(sizeof(*tcp));
    if (!tcp) {
        return E_NOMEM;
    }
    tcp->loop = loop;
    tcp->hooks = *hooks;
    tcp->conns_max = config->conns_max;
    tcp->unconfirmed_max = config->conns_max / 4 ? config->conns_max / 4 : 1;
    tcp->deadline = MONO_NEVER;
    int err =
        sockaddr_bind_pair(tcp->listener, SOCK_STREAM, config->ipv4, config->ipv6, config->port);
    if (!err) {
        err = pool_init(&tcp->conns, sizeof(struct conn), config->conns_max);
    }
    for (int i = 0; i < 2 && !err; i++) {
        if (tcp->listener[i] >= 0) {
            err = listen_on(tcp, tcp->listener[i]);
        }
    }
    if (err) {
        tcp_free(tcp);
        return err;
    }
    *out = tcp;
    return 0;
}

void tcp_free(struct tcp *tcp)
{
    if (!tcp) {
        return;
    }
    for (uint32_t i = 0; i < tcp->conns.touched; i++) {
        struct conn *conn = pool_walk(&tcp->conns, i, NULL);
        if (conn && conn->fd >= 0) {
            conn_shut(conn);
        }
    }
    for (int i = 0; i < 2; i++) {
        if (tcp->listener[i] >= 0) {
            loop_del(tcp->loop, tcp->listener[i]);
            close(tcp->listener[i]);
        }
    }
    pool_fini(&tcp->conns);
    mem_free(tcp);
}

uint16_t tcp_port(const struct tcp *tcp)
{
    return tcp->port;
}

void tcp_close(struct tcp *tcp, const struct tuple *tuple)
{
    struct conn *conn = conn_find(tcp, tuple);
    if (conn) {
        conn_shut(conn);
        tcp->dead--;
        pool_put(&tcp->conns, conn->id);
    }
}

/* Closes what is overdue; the next time to look otherwise. */
static mono_us conn_timer(struct conn *conn, mono_us now)
{
    bool waiting = conn->out_len > conn->out_at;
    mono_us stall = waiting ? conn->stalled_at + TCP_STALL_US : MONO_NEVER;
    if (now >= stall) {
        conn->tcp->stats.cut_slow++;
        conn_shut(conn);
    } else if (now >= conn->due) {
        conn->tcp->stats.timed_out++;
        conn_shut(conn);
    }
    return mono_min(stall, conn->due);
}

void tcp_timer(struct tcp *tcp, mono_us now)
{
    if (now < tcp->deadline) {
        return;
    }
    mono_us next = MONO_NEVER;
    for (uint32_t i = 0; i < tcp->conns.touched; i++) {
        pool_id id;
        struct conn *conn = pool_walk(&tcp->conns, i, &id);
        if (!conn) {
            continue;
        }
        mono_us due = conn->fd >= 0 ? conn_timer(conn, now) : MONO_NEVER;
        if (conn->fd >= 0) {
            next = mono_min(next, due);
            continue;
        }
        struct tuple gone = conn->tuple;
        pool_put(&tcp->conns, id);
        tcp->dead--;
        tcp->hooks.closed_h(tcp->hooks.arg, &gone, now);
    }
    /* closed_h may have closed more. */
    tcp->deadline = tcp->dead ? CLOSED_AT_ONCE : next;
}

mono_us tcp_deadline(const struct tcp *tcp)
{
    return tcp->deadline;
}

void tcp_stats_read(const struct tcp *tcp, struct tcp_stats *out)
{
    *out = tcp->stats;
}
