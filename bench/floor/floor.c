/*
 * The floor: the least a machine must do to forward the same packets. Receive a batch, and for
 * each receiver copy-seal every packet (AES-128-GCM, RFC 7714 shape) into the send buffer and hand
 * the runs to the kernel as UDP_SEGMENT messages in one sendmmsg. No SDP, ICE, state, statistics,
 * repair or rights: what our server costs above this is ours to explain.
 *
 * Driven by bench/load with the same trace (sizes, runs, times) as the server itself:
 *   'H' room(u16) unheard(u8) 0   registers the sender's address as a member of a room; unheard:
 *                                 its sound is received and goes to nobody, as that of people who
 *                                 are not among the loudest
 *   'R' room(u16) 0 0             the same, receive only (never a source)
 *   0x80.. RTP                    forwarded to all other members of the sender's room
 *   0x80.. RTCP                   what receivers report: received and looked at no further
 * Usage: floor PORT. Prints "ready" and, on SIGTERM, one JSON line with its counters.
 */
#include <errno.h>
#include <intel-ipsec-mb.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

enum {
    MEMBERS_MAX = 4096,
    ROOMS_MAX = 1024,
    BATCH = 64,
    SLOT = 2048,
    HEADER = 12,
    TAG = 16,
    PT_SOUND = 111,
    OUT_MESSAGES = 256,
    OUT_BYTES = 1 << 19,
    RUN_BYTES = 60000,
    RUN_SEGMENTS = 64,
};

struct member {
    struct sockaddr_in addr;
    _Alignas(64) struct gcm_key_data key; /* ipsec-mb stores whole vectors */
    uint32_t ssrc;
    uint16_t seq;
    uint16_t room;
    bool unheard;
};

struct room {
    uint32_t count;
    uint32_t member[MEMBERS_MAX / 4];
};

static struct member members[MEMBERS_MAX];
static uint32_t member_count;
static struct room rooms[ROOMS_MAX];
static uint32_t by_port[65536]; /* member index + 1, all addresses are loopback */
static uint8_t in_bytes[BATCH][SLOT];
static uint8_t out_bytes[OUT_BYTES];
static struct mmsghdr out_message[OUT_MESSAGES];
static struct iovec out_iov[OUT_MESSAGES];
static struct {
    _Alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(uint16_t))];
} out_control[OUT_MESSAGES];
static uint32_t out_used;
static unsigned out_count;
static uint64_t sent, received, sent_bytes, refused;
static volatile sig_atomic_t stopping;
static IMB_MGR *imb;

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
}

static void flush(int fd)
{
    unsigned done = 0;
    while (done < out_count) {
        int n = sendmmsg(fd, out_message + done, out_count - done, 0);
        if (n > 0) {
            done += (unsigned)n;
        } else if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) {
            struct pollfd p = {.fd = fd, .events = POLLOUT};
            (void)poll(&p, 1, 1);
        } else {
            done++;
            refused++;
        }
    }
    out_count = 0;
    out_used = 0;
}

static void run_open(struct member *to, uint16_t segment)
{
    struct msghdr *m = &out_message[out_count].msg_hdr;
    out_iov[out_count] = (struct iovec){.iov_base = out_bytes + out_used, .iov_len = 0};
    *m = (struct msghdr){.msg_name = &to->addr,
                         .msg_namelen = sizeof(to->addr),
                         .msg_iov = &out_iov[out_count],
                         .msg_iovlen = 1,
                         .msg_control = out_control[out_count].bytes,
                         .msg_controllen = sizeof(out_control[out_count].bytes)};
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    c->cmsg_level = SOL_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof(segment));
    memcpy(CMSG_DATA(c), &segment, sizeof(segment));
    out_count++;
}

/* Fixed header and extension block (RFC 3550 5.3.1): they stay in the clear. */
static size_t header_len(const uint8_t *packet, size_t len)
{
    size_t head = HEADER;
    if ((packet[0] & 0x10) && len >= HEADER + 4) {
        head += 4 + 4 * (size_t)(packet[14] << 8 | packet[15]);
    }
    return head < len ? head : HEADER;
}

/* Header copy with the receiver's own numbers, then seal the payload straight into its slot. */
static size_t seal(struct member *to, const uint8_t *packet, size_t len, uint8_t *out)
{
    struct gcm_context_data context;
    uint8_t iv[12] = {0};
    size_t head = header_len(packet, len);
    memcpy(out, packet, head);
    to->seq++;
    out[2] = (uint8_t)(to->seq >> 8);
    out[3] = (uint8_t)to->seq;
    memcpy(out + 8, &to->ssrc, 4);
    memcpy(iv + 2, out + 8, 4);
    memcpy(iv + 10, out + 2, 2);
    IMB_AES128_GCM_ENC(imb, &to->key, &context, out + head, packet + head, len - head, iv, out,
                       head, out + len, TAG);
    return len + TAG;
}

static void forward(int fd, struct member *to, uint8_t *const *packets, const size_t *lens,
                    size_t count)
{
    uint16_t segment = 0;
    unsigned segments = 0;
    for (size_t i = 0; i < count; i++) {
        if (out_used + SLOT > OUT_BYTES || out_count == OUT_MESSAGES) {
            flush(fd);
            segment = 0;
        }
        size_t len = seal(to, packets[i], lens[i], out_bytes + out_used);
        bool joins = segment && len <= segment && segments < RUN_SEGMENTS &&
                     out_iov[out_count - 1].iov_len + len <= RUN_BYTES;
        if (!joins) {
            run_open(to, (uint16_t)len);
            segment = (uint16_t)len;
            segments = 0;
        }
        out_iov[out_count - 1].iov_len += len;
        segments++;
        if (len < segment) {
            segment = 0;
        }
        out_used += (uint32_t)len;
        sent_bytes += len;
        sent++;
    }
}

static void add_member(const struct sockaddr_in *from, const uint8_t *packet)
{
    uint16_t room = (uint16_t)(packet[1] << 8 | packet[2]);
    uint16_t port = ntohs(from->sin_port);
    if (by_port[port] || member_count == MEMBERS_MAX || room >= ROOMS_MAX ||
        rooms[room].count == MEMBERS_MAX / 4) {
        return;
    }
    struct member *m = &members[member_count];
    uint8_t key[16];
    memset(key, (int)(member_count * 7 + 1), sizeof(key));
    IMB_AES128_GCM_PRE(imb, key, &m->key);
    m->addr = *from;
    m->ssrc = htonl(0x10000000U + member_count);
    m->room = room;
    m->unheard = packet[3];
    rooms[room].member[rooms[room].count++] = member_count;
    by_port[port] = ++member_count;
}

/* All packets of one batch that a receiver is to get, in order, so that runs can form. */
static void fan_out(int fd, const uint32_t *source, const size_t *lens, int n)
{
    static uint8_t seen[ROOMS_MAX];
    for (int i = 0; i < n; i++) {
        uint32_t room = source[i] ? members[source[i] - 1].room : ROOMS_MAX;
        if (room == ROOMS_MAX || seen[room]) {
            continue;
        }
        seen[room] = 1;
        for (uint32_t k = 0; k < rooms[room].count; k++) {
            uint32_t index = rooms[room].member[k];
            uint8_t *packets[BATCH];
            size_t sizes[BATCH];
            size_t count = 0;
            for (int j = i; j < n; j++) {
                if (source[j] && members[source[j] - 1].room == room && source[j] - 1 != index) {
                    packets[count] = in_bytes[j];
                    sizes[count++] = lens[j];
                }
            }
            forward(fd, &members[index], packets, sizes, count);
        }
    }
    memset(seen, 0, sizeof(seen));
    flush(fd);
}

/* Member + 1 whose packet goes to the others; 0 = to nobody. */
static uint32_t source_of(const uint8_t *packet, const struct sockaddr_in *from)
{
    uint32_t source = by_port[ntohs(from->sin_port)];
    received++;
    if (packet[1] >= 192 && packet[1] <= 223) { /* RFC 5761 4: RTCP */
        return 0;
    }
    return source && members[source - 1].unheard && (packet[1] & 0x7f) == PT_SOUND ? 0 : source;
}

static void serve(int fd)
{
    struct mmsghdr in[BATCH];
    struct iovec iov[BATCH];
    struct sockaddr_in from[BATCH];
    memset(in, 0, sizeof(in));
    while (!stopping) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, 100) <= 0) {
            continue;
        }
        for (int i = 0; i < BATCH; i++) {
            iov[i] = (struct iovec){.iov_base = in_bytes[i], .iov_len = SLOT};
            in[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                            .msg_namelen = sizeof(from[i]),
                                            .msg_iov = &iov[i],
                                            .msg_iovlen = 1};
        }
        int n = recvmmsg(fd, in, BATCH, MSG_DONTWAIT, NULL);
        uint32_t source[BATCH];
        size_t lens[BATCH];
        for (int i = 0; i < n; i++) {
            lens[i] = in[i].msg_len;
            source[i] = 0;
            if (lens[i] >= 5 && (in_bytes[i][0] == 'H' || in_bytes[i][0] == 'R')) {
                add_member(&from[i], in_bytes[i]);
            } else if (lens[i] > HEADER && in_bytes[i][0] >= 0x80) {
                source[i] = source_of(in_bytes[i], &from[i]);
            }
        }
        if (n > 0) {
            fan_out(fd, source, lens, n);
        }
    }
}

int main(int argc, char **argv)
{
    int size = 8 << 20;
    long port = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
    struct sockaddr_in local = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    imb = alloc_mb_mgr(0);
    if (fd < 0 || !imb || port <= 0 || port > 65535) {
        (void)fprintf(stderr, "usage: floor PORT\n");
        return 64;
    }
    init_mb_mgr_auto(imb, NULL);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
    if (bind(fd, (struct sockaddr *)&local, sizeof(local)) != 0) {
        perror("bind");
        return 1;
    }
    (void)signal(SIGTERM, on_signal);
    (void)signal(SIGINT, on_signal);
    (void)printf("ready\n");
    (void)fflush(stdout);
    serve(fd);
    struct rusage use;
    (void)getrusage(RUSAGE_SELF, &use);
    (void)printf("{\"received\":%llu,\"sent\":%llu,\"bytes\":%llu,\"refused\":%llu}\n",
                 (unsigned long long)received, (unsigned long long)sent,
                 (unsigned long long)sent_bytes, (unsigned long long)refused);
    free_mb_mgr(imb);
    (void)close(fd);
    return 0;
}
