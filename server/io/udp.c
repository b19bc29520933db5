#include "server/io/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "server/io/sockaddr.h"

enum {
    BUFFER_DEFAULT = 4 << 20,
    /* GSO is given up when this many runs in a row went only without it: one may be due to a narrow
     * interface that a single peer is behind. */
    GSO_FAILURES_MAX = 8,
    RX_CONTROL = 128,
};

/* Control data of one message out: where from, and how to cut it. */
struct tx_control {
    _Alignas(struct cmsghdr)
        uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t))];
};

struct rx_control {
    _Alignas(struct cmsghdr) uint8_t bytes[RX_CONTROL];
};

struct udp {
    struct udp_hooks hooks;
    struct udp_stats stats;
    int fd[UDP_SOCKETS_MAX];
    uint16_t port;
    bool gso;
    unsigned gso_failures;              /* in a row */
    uint32_t overflow[UDP_SOCKETS_MAX]; /* the kernel's counter when we last saw it */

    struct pkt *spare[UDP_BATCH]; /* ready to receive into */
    unsigned rx_laid;             /* places 0 .. rx_laid-1 of rx are laid out */
    unsigned rx_used;             /* of those, the first so many were written to since */
    struct mmsghdr rx[UDP_BATCH];
    struct iovec rx_iov[UDP_BATCH];
    union sockaddr_any rx_from[UDP_BATCH];
    struct rx_control rx_control[UDP_BATCH];
    struct tuple rx_tuple[UDP_BATCH];

    struct mmsghdr tx[TXBATCH_RUNS];
    struct iovec tx_iov[TXBATCH_RUNS];
    union sockaddr_any tx_to[TXBATCH_RUNS];
    struct tx_control tx_control[TXBATCH_RUNS];
    const struct txrun *tx_run[TXBATCH_RUNS];
};

/* ---- opening ------------------------------------------------------------------------------------
 */

/* Root may exceed the system's limit; others get what the limit allows. */
static void buffers_set(int fd, uint32_t bytes)
{
    int wished = bytes ? (int)bytes : BUFFER_DEFAULT;
    if (sockopt_set(fd, SOL_SOCKET, SO_RCVBUFFORCE, wished)) {
        (void)sockopt_set(fd, SOL_SOCKET, SO_RCVBUF, wished);
    }
    if (sockopt_set(fd, SOL_SOCKET, SO_SNDBUFFORCE, wished)) {
        (void)sockopt_set(fd, SOL_SOCKET, SO_SNDBUF, wished);
    }
}

static int options_set(int fd, bool v6, uint32_t buffer_bytes)
{
    buffers_set(fd, buffer_bytes);
    (void)sockopt_set(fd, SOL_SOCKET, SO_RXQ_OVFL, 1); /* only a counter depends on it */
    if (v6) {
        (void)sockopt_set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
        return sockopt_set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    }
    (void)sockopt_set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
    return sockopt_set(fd, IPPROTO_IP, IP_PKTINFO, 1);
}

int udp_new(struct udp **out, const struct udp_config *config, const struct udp_hooks *hooks)
{
    *out = NULL;
    struct udp *udp = mem_alloc(sizeof(*udp));
    if (!udp) {
        return E_NOMEM;
    }
    udp->hooks = *hooks;
    udp->gso = config->gso;
    int err = sockaddr_bind_pair(udp->fd, SOCK_DGRAM, config->ipv4, config->ipv6, config->port);
    for (unsigned i = 0; i < UDP_SOCKETS_MAX && !err; i++) {
        if (udp->fd[i] >= 0) {
            err = options_set(udp->fd[i], i == 1, config->buffer_bytes);
            udp->port = sockaddr_port(udp->fd[i]);
        }
    }
    if (err) {
        udp_free(udp);
        return err;
    }
    *out = udp;
    return 0;
}

void udp_free(struct udp *udp)
{
    if (!udp) {
        return;
    }
    for (unsigned i = 0; i < UDP_SOCKETS_MAX; i++) {
        if (udp->fd[i] >= 0) {
            close(udp->fd[i]);
        }
    }
    for (unsigned i = 0; i < UDP_BATCH; i++) {
        if (udp->spare[i]) {
            pkt_put(&udp->spare[i]);
        }
    }
    mem_free(udp);
}

uint16_t udp_port(const struct udp *udp)
{
    return udp->port;
}

int udp_fd(const struct udp *udp, unsigned i)
{
    return i < UDP_SOCKETS_MAX ? udp->fd[i] : -1;
}

void udp_stats_read(const struct udp *udp, struct udp_stats *out)
{
    *out = udp->stats;
}

/* ---- receiving ----------------------------------------------------------------------------------
 */

/* The kernel is about to write there. Media is kept for seconds, so its buffers come back cold. */
static void rx_near(const struct pkt *pkt)
{
    enum { LINE = 64, DATAGRAM = 1280 };
    for (size_t at = 0; at < DATAGRAM; at += LINE) {
        __builtin_prefetch(pkt->data + at, 1);
    }
}

/* Lays out one place to receive into; false without a packet for it. */
static bool rx_lay(struct udp *udp, unsigned n)
{
    if (!udp->spare[n]) {
        udp->spare[n] = udp->hooks.room_h(udp->hooks.arg);
    }
    if (!udp->spare[n]) {
        return false;
    }
    rx_near(udp->spare[n]);
    udp->rx_iov[n] = (struct iovec){.iov_base = udp->spare[n]->data, .iov_len = PKT_DATA_MAX};
    udp->rx[n] = (struct mmsghdr){
        .msg_hdr = {.msg_name = &udp->rx_from[n],
                    .msg_namelen = sizeof(udp->rx_from[n]),
                    .msg_iov = &udp->rx_iov[n],
                    .msg_iovlen = 1,
                    .msg_control = &udp->rx_control[n],
                    .msg_controllen = sizeof(udp->rx_control[n])},
    };
    return true;
}

/* Lays out up to UDP_BATCH places and returns how many there are. Most batches are short: what they
 * left untouched stands as it was. */
static unsigned rx_prepare(struct udp *udp)
{
    unsigned n = 0;
    while (n < UDP_BATCH) {
        if (n == udp->rx_used && n < udp->rx_laid) {
            n = udp->rx_laid;
        } else if (rx_lay(udp, n)) {
            n++;
        } else {
            break;
        }
    }
    udp->rx_laid = n;
    udp->rx_used = 0;
    return n;
}

static void overflow_count(struct udp *udp, unsigned i, const struct cmsghdr *c)
{
    uint32_t total;
    memcpy(&total, CMSG_DATA(c), sizeof(total));
    udp->stats.rx_overflow += (uint32_t)(total - udp->overflow[i]);
    udp->overflow[i] = total;
}

/* Which of our addresses the datagram came to. */
static void rx_local(struct udp *udp, unsigned i, struct msghdr *msg, struct addr *local)
{
    *local = (struct addr){0};
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof(info));
            local->family = ADDR_V4;
            memcpy(local->ip, &info.ipi_spec_dst, 4);
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof(info));
            local->family = ADDR_V6;
            memcpy(local->ip, &info.ipi6_addr, 16);
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
            overflow_count(udp, i, c);
        }
    }
    local->port = udp->port;
}

static void rx_from(struct udp *udp, unsigned i, unsigned at)
{
    struct tuple *from = &udp->rx_tuple[at];
    *from = (struct tuple){.proto = ADDR_UDP};
    rx_local(udp, i, &udp->rx[at].msg_hdr, &from->local);
    sockaddr_to(&from->remote, &udp->rx_from[at]);
}

static void rx_deliver(struct udp *udp, unsigned at, mono_us now)
{
    if (udp->rx[at].msg_hdr.msg_flags & MSG_TRUNC) {
        udp->stats.rx_too_big++;
        return; /* the packet stays spare */
    }
    struct pkt *pkt = udp->spare[at];
    udp->spare[at] = NULL;
    pkt->len = (uint16_t)udp->rx[at].msg_len;
    pkt->arrival = now;
    udp->stats.rx_datagrams++;
    udp->stats.rx_bytes += pkt->len;
    (void)udp->hooks.input_h(udp->hooks.arg, pkt, &udp->rx_tuple[at], now);
}

/* No packet to receive into: what waits would make the socket readable for ever. */
static unsigned rx_discard(struct udp *udp, int fd)
{
    uint8_t nowhere[1];
    unsigned n = 0;
    while (n < UDP_BATCH && recv(fd, nowhere, sizeof(nowhere), MSG_DONTWAIT | MSG_TRUNC) >= 0) {
        n++;
    }
    udp->stats.rx_no_room += n;
    return n;
}

static unsigned rx_batch(struct udp *udp, unsigned i, mono_us now, bool *more)
{
    *more = false;
    unsigned room = rx_prepare(udp);
    if (!room) {
        return rx_discard(udp, udp->fd[i]);
    }
    int n = recvmmsg(udp->fd[i], udp->rx, room, MSG_DONTWAIT, NULL);
    if (n <= 0) {
        return 0;
    }
    udp->rx_used = (unsigned)n;
    for (unsigned at = 0; at < (unsigned)n; at++) {
        rx_from(udp, i, at);
    }
    if (n > 1 && udp->hooks.near_h) {
        udp->hooks.near_h(udp->hooks.arg, udp->rx_tuple, (unsigned)n);
    }
    for (unsigned at = 0; at < (unsigned)n; at++) {
        rx_deliver(udp, at, now);
    }
    *more = (unsigned)n == room;
    return (unsigned)n;
}

unsigned udp_receive(struct udp *udp, unsigned i, unsigned rounds, mono_us now)
{
    unsigned total = 0;
    bool more = udp_fd(udp, i) >= 0;
    while (more && rounds--) {
        total += rx_batch(udp, i, now, &more);
    }
    return total;
}

/* ---- sending ------------------------------------------------------------------------------------
 */

static void control_add(struct msghdr *msg, size_t used, int level, int type, const void *data,
                        size_t len)
{
    void *at = (uint8_t *)msg->msg_control + used;
    struct cmsghdr *c = at;
    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(len);
    memcpy(CMSG_DATA(c), data, len);
}

/* Source address and, for several segments, the size to cut at. */
static void tx_control_fill(struct msghdr *msg, struct tx_control *control, const struct txrun *run,
                            bool cut)
{
    size_t used = 0;
    msg->msg_control = control;
    if (run->to.local.family == ADDR_V4) {
        struct in_pktinfo info = {0};
        memcpy(&info.ipi_spec_dst, run->to.local.ip, 4);
        control_add(msg, used, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
        used += CMSG_SPACE(sizeof(info));
    } else if (run->to.local.family == ADDR_V6) {
        struct in6_pktinfo info = {0};
        memcpy(&info.ipi6_addr, run->to.local.ip, 16);
        control_add(msg, used, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
        used += CMSG_SPACE(sizeof(info));
    }
    if (cut) {
        control_add(msg, used, SOL_UDP, UDP_SEGMENT, &run->segment_len, sizeof(run->segment_len));
        used += CMSG_SPACE(sizeof(run->segment_len));
    }
    msg->msg_controllen = used;
    if (!used) {
        msg->msg_control = NULL;
    }
}

static unsigned tx_segments(const struct udp *udp, unsigned at)
{
    return udp->tx[at].msg_hdr.msg_iov->iov_len > udp->tx_run[at]->segment_len
               ? udp->tx_run[at]->segments
               : 1;
}

static void tx_lay(struct udp *udp, unsigned at, const struct txbatch *batch,
                   const struct txrun *run, uint32_t offset, uint32_t len)
{
    struct msghdr *msg = &udp->tx[at].msg_hdr;
    udp->tx_run[at] = run;
    udp->tx_iov[at] = (struct iovec){.iov_base = batch->buffer + offset, .iov_len = len};
    *msg = (struct msghdr){.msg_name = &udp->tx_to[at],
                           .msg_namelen = sockaddr_from(&udp->tx_to[at], &run->to.remote),
                           .msg_iov = &udp->tx_iov[at],
                           .msg_iovlen = 1};
    tx_control_fill(msg, &udp->tx_control[at], run, len > run->segment_len);
}

static void tx_sent(struct udp *udp, unsigned from, unsigned to)
{
    for (unsigned at = from; at < to; at++) {
        unsigned segments = tx_segments(udp, at);
        if (segments > 1) {
            udp->gso_failures = 0;
        }
        udp->stats.tx_datagrams += segments;
        udp->stats.tx_bytes += udp->tx_iov[at].iov_len;
    }
}

static void tx_lost(struct udp *udp, unsigned from, unsigned to)
{
    for (unsigned at = from; at < to; at++) {
        udp->stats.tx_dropped += tx_segments(udp, at);
    }
}

/* Sends a run the kernel would not cut, datagram by datagram. Returns whether any went. */
static bool tx_uncut(struct udp *udp, int fd, unsigned at)
{
    struct msghdr msg = udp->tx[at].msg_hdr;
    const struct txrun *run = udp->tx_run[at];
    struct iovec iov;
    struct tx_control control;
    tx_control_fill(&msg, &control, run, false);
    msg.msg_iov = &iov;
    uint8_t *data = udp->tx_iov[at].iov_base;
    bool any = false;
    for (uint32_t done = 0; done < run->len; done += run->segment_len) {
        uint32_t left = run->len - done;
        iov.iov_base = data + done;
        iov.iov_len = left < run->segment_len ? left : run->segment_len;
        udp->stats.tx_calls++;
        if (sendmsg(fd, &msg, 0) >= 0) {
            any = true;
            udp->stats.tx_datagrams++;
            udp->stats.tx_bytes += iov.iov_len;
        } else {
            udp->stats.tx_dropped++;
        }
    }
    return any;
}

/* The kernel refused message `at` for good: tries without GSO where that may be why, else drops. */
static void tx_refused(struct udp *udp, int fd, unsigned at, int why)
{
    if (tx_segments(udp, at) == 1 || (why != EINVAL && why != EIO && why != EMSGSIZE)) {
        tx_lost(udp, at, at + 1);
        return;
    }
    if (tx_uncut(udp, fd, at) && ++udp->gso_failures >= GSO_FAILURES_MAX) {
        udp->gso = false;
        udp->stats.gso_fallbacks++;
    }
}

static bool tx_wait(struct udp *udp, int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    udp->stats.tx_waits++;
    return poll(&p, 1, UDP_POLL_MS) > 0;
}

/* Sends messages 0 .. count-1; waits at most once for a full socket. */
static void tx_send(struct udp *udp, int fd, unsigned count)
{
    unsigned done = 0;
    bool waited = false;
    while (done < count) {
        udp->stats.tx_calls++;
        int n = sendmmsg(fd, udp->tx + done, count - done, 0);
        int why = errno;
        if (n > 0) {
            tx_sent(udp, done, done + (unsigned)n);
            done += (unsigned)n;
        } else if (why == EINTR) {
            continue;
        } else if (why == EAGAIN) {
            if (waited || !tx_wait(udp, fd)) {
                tx_lost(udp, done, count);
                return;
            }
            waited = true;
        } else {
            tx_refused(udp, fd, done, why); /* ENOBUFS, ENETUNREACH, EPERM ...: this one only */
            done++;
        }
    }
}

/* Runs of one family, each one message, or one message per datagram when there is no GSO. */
static void tx_family(struct udp *udp, unsigned i, const struct txbatch *batch)
{
    unsigned count = 0;
    uint8_t family = i == 1 ? ADDR_V6 : ADDR_V4;
    for (uint32_t r = 0; r < batch->runs; r++) {
        const struct txrun *run = &batch->run[r];
        if (run->to.proto != ADDR_UDP || run->to.remote.family != family) {
            continue;
        }
        uint32_t step = udp->gso || run->segments == 1 ? run->len : run->segment_len;
        for (uint32_t done = 0; done < run->len; done += step) {
            uint32_t left = run->len - done;
            tx_lay(udp, count++, batch, run, run->at + done, left < step ? left : step);
            if (count == TXBATCH_RUNS) {
                tx_send(udp, udp->fd[i], count);
                count = 0;
            }
        }
    }
    if (count) {
        tx_send(udp, udp->fd[i], count);
    }
}

void udp_send_batch(struct udp *udp, const struct txbatch *batch)
{
    for (unsigned i = 0; i < UDP_SOCKETS_MAX; i++) {
        if (udp->fd[i] >= 0) {
            tx_family(udp, i, batch);
        }
    }
}
