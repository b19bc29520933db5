/* What the server says of itself, what the kernel says of it, and the sockets of the attacker. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/load/machine.h"
#include "codec/base/err.h"
#include "codec/sys/clock.h"
#include "tests/attack/stage.h"

enum {
    PAGE_MAX = 256 * 1024,
    SPOOF_HOSTS = 1 << 24,
    RECEIVE_BUFFER = 4 << 20,
    ROOM_BYTES = 1 << 20,    /* of the 4 MiB a server's socket has */
    MARK_US = 10 * US_PER_S, /* a mark that is not counted by then was lost */
};

/* GET /metrics into page; false when the server does not answer. */
static bool metrics(const struct stage *stage, char *page, size_t cap)
{
    static const char ask[] = "GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n";
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)stage->options.admin),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    size_t len = 0;
    ssize_t n = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
        send(fd, ask, sizeof(ask) - 1, 0) > 0) {
        while (n > 0 && len + 1 < cap) {
            n = recv(fd, page + len, cap - 1 - len, 0);
            len += n > 0 ? (size_t)n : 0;
        }
    }
    page[len] = '\0';
    if (fd >= 0) {
        (void)close(fd);
    }
    return len > 0;
}

/* Sum of the rows that begin with this text. */
static double rows(const struct stage *stage, const char *text)
{
    static char page[PAGE_MAX];
    double sum = 0;
    if (!metrics(stage, page, sizeof(page))) {
        (void)fprintf(stderr, "attack: no metrics\n");
        exit(70);
    }
    for (const char *line = page; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, text, strlen(text)) == 0) {
            const char *end = strchr(line, '\n');
            const char *space = line;
            for (const char *p = line; p != end && *p; p++) {
                space = *p == ' ' ? p : space;
            }
            sum += strtod(space, NULL);
        }
    }
    return sum;
}

double stage_metric(const struct stage *stage, const char *row)
{
    char text[160];
    (void)snprintf(text, sizeof(text), "%s ", row);
    return rows(stage, text);
}

double stage_drops(const struct stage *stage, const char *reason)
{
    char text[160];
    (void)snprintf(text, sizeof(text), "amphi_drops_total{reason=\"%s\"", reason);
    return rows(stage, text);
}

double stage_drops_like(const struct stage *stage, const char *reason)
{
    char text[160];
    (void)snprintf(text, sizeof(text), "amphi_drops_total{reason=\"%s", reason);
    return rows(stage, text);
}

/* Pages the process has written to. Program text that is run for the first time is mapped 64 KiB at
 * once by the kernel, and says nothing of what the server keeps. */
int64_t stage_rss(const struct stage *stage)
{
    char path[64];
    char line[128];
    unsigned long long kib = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)stage->options.core);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f)) {
        if (sscanf(line, "Anonymous: %llu", &kib) == 1) {
            break;
        }
    }
    if (!f || !kib) {
        (void)fprintf(stderr, "attack: %s cannot be read\n", path);
        exit(70);
    }
    (void)fclose(f);
    return (int64_t)kib * 1024;
}

/* What the kernel says of our sockets: datagrams it had no room for, and bytes nobody has read yet.
 */
struct kernel {
    double lost, waiting;
};

static void kernel_add(const struct stage *stage, const char *table, struct kernel *sum)
{
    char line[512];
    FILE *f = fopen(table, "r");
    while (f && fgets(line, sizeof(line), f)) {
        unsigned port;
        unsigned long inode;
        unsigned long queue;
        unsigned long drops;
        if (sscanf(line,
                   " %*[0-9]: %*[0-9A-F]:%x %*s %*s %*[0-9A-F]:%lx %*s %*s %*s %*s %lu %*s %*s %lu",
                   &port, &queue, &inode, &drops) != 4 ||
            (!queue && !drops)) {
            continue;
        }
        bool ours = stage->count && port == ntohs(stage->clients[0].server.sin_port);
        for (uint32_t i = 0; i < stage->count && !ours; i++) {
            struct stat st;
            ours = fstat(stage->clients[i].fd, &st) == 0 && st.st_ino == inode;
        }
        sum->lost += ours ? (double)drops : 0;
        sum->waiting += ours ? (double)queue : 0;
    }
    if (f) {
        (void)fclose(f);
    }
}

static struct kernel kernel(const struct stage *stage)
{
    struct kernel sum = {0};
    kernel_add(stage, "/proc/net/udp", &sum);
    kernel_add(stage, "/proc/net/udp6", &sum);
    return sum;
}

double stage_lost(const struct stage *stage)
{
    return kernel(stage).lost + rows(stage, "amphi_udp_lost_total");
}

void stage_room(struct stage *stage)
{
    mono_us end = clock_mono_us() + STAGE_PATIENCE_US;
    do {
        stage_turn(stage);
    } while (kernel(stage).waiting > ROOM_BYTES && clock_mono_us() < end);
}

/* RFC 7983: a first byte of 4 to 15 is nobody's. */
static void mark(const struct stage *stage)
{
    static const uint8_t nothing[] = {5, 0, 0, 0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    (void)sendto(fd, nothing, sizeof(nothing), 0,
                 (const struct sockaddr *)&stage->clients[0].server,
                 sizeof(stage->clients[0].server));
    if (fd >= 0) {
        (void)close(fd);
    }
}

void stage_settle(struct stage *stage)
{
    double before = stage_drops(stage, "unknown_class");
    mono_us end = clock_mono_us() + STAGE_PATIENCE_US;
    mono_us again = 0;
    do {
        if (clock_mono_us() >= again) {
            mark(stage);
            again = clock_mono_us() + MARK_US;
        }
        stage_run(stage, 50 * US_PER_MS);
    } while (stage_drops(stage, "unknown_class") <= before && clock_mono_us() < end);
    for (uint32_t i = 0; i < stage->count; i++) {
        client_read(&stage->clients[i], clock_mono_us());
    }
}

double stage_cpu(const struct stage *stage)
{
    struct machine_sample sample;
    machine_read(&stage->options.core, 1, &sample);
    return sample.server_cpu_s;
}

void stage_check(struct stage *stage, bool good, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)printf("%s ", good ? "ok  " : "FAIL");
    (void)vprintf(fmt, args);
    (void)printf("\n");
    (void)fflush(stdout);
    va_end(args);
    stage->failed += !good;
}

uint32_t stage_due(mono_us start, mono_us now, uint32_t rate, uint32_t sent, uint32_t most)
{
    uint64_t due = (uint64_t)(now - start) * rate / US_PER_S;
    uint64_t n = due > sent ? due - sent : 0;
    return n > most ? most : (uint32_t)n;
}

size_t stage_rtp(uint8_t *out, size_t cap, const struct stage_rtp *rtp)
{
    struct wr w = wr_init(out, cap);
    wr_u8(&w, 0x90);
    wr_u8(&w, MEDIA_PT_OPUS);
    wr_u16(&w, rtp->seq);
    wr_u32(&w, rtp->timestamp);
    wr_u32(&w, rtp->ssrc);
    wr_u16(&w, 0xbede);
    wr_u16(&w, 1);
    wr_u8(&w, rtp->mid ? MEDIA_EXT_MID << 4 : 0);
    wr_u8(&w, rtp->mid ? '0' : 0);
    wr_u8(&w, MEDIA_EXT_LEVEL << 4);
    wr_u8(&w, 0x80 | 30);
    for (size_t i = 0; i < rtp->len - MEDIA_STAMP_LEN; i++) {
        wr_u8(&w, rtp->fill);
    }
    media_stamp_write(&w, &rtp->stamp);
    return w.bad ? 0 : wr_len(&w);
}

int stage_spoof_open(struct stage_spoof *spoof)
{
    int size = RECEIVE_BUFFER;
    struct sockaddr_in any = {.sin_family = AF_INET};
    *spoof =
        (struct stage_spoof){.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (spoof->fd < 0 || bind(spoof->fd, (struct sockaddr *)&any, sizeof(any)) != 0) {
        return E_IO;
    }
    (void)setsockopt(spoof->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    return 0;
}

void stage_spoof_close(struct stage_spoof *spoof)
{
    if (spoof->fd >= 0) {
        (void)close(spoof->fd);
    }
    spoof->fd = -1;
}

/* All of 127.0.0.0/8 is this machine: the kernel takes any of it as our address. */
void stage_spoof_send(struct stage_spoof *spoof, const struct sockaddr_in *to, uint32_t number,
                      const void *data, size_t len)
{
    union {
        struct cmsghdr head;
        uint8_t bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
    } control = {0};
    struct iovec iov = {.iov_base = (void *)(uintptr_t)data, .iov_len = len};
    struct msghdr message = {.msg_name = (void *)(uintptr_t)to,
                             .msg_namelen = sizeof(*to),
                             .msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    struct in_pktinfo info = {.ipi_spec_dst.s_addr =
                                  htonl(0x7f000000u | (2 + number % (SPOOF_HOSTS - 4)))};
    struct cmsghdr *item = CMSG_FIRSTHDR(&message);
    item->cmsg_level = IPPROTO_IP;
    item->cmsg_type = IP_PKTINFO;
    item->cmsg_len = CMSG_LEN(sizeof(info));
    memcpy(CMSG_DATA(item), &info, sizeof(info));
    spoof->sent += sendmsg(spoof->fd, &message, 0) == (ssize_t)len;
}

uint64_t stage_spoof_received(struct stage_spoof *spoof)
{
    uint8_t bytes[2048];
    uint64_t sum = 0;
    ssize_t n;
    while ((n = recv(spoof->fd, bytes, sizeof(bytes), 0)) >= 0 || errno == ECONNREFUSED) {
        sum += n > 0 ? (uint64_t)n : 0;
    }
    return sum;
}
