#include "bench/load/scrape.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "codec/base/mem.h"
#include "codec/sys/clock.h"
#include "codec/sys/thread.h"

enum { PAGE_MAX = 512 * 1024, WAIT_S = 2 };

struct scrape {
    struct thread thread;
    struct mutex lock;
    struct cond stopped;
    char host[64];
    uint16_t port;
    bool stop;
    unsigned failures;
    struct scrape_sample sample; /* under lock */
};

struct row {
    const char *name;
    size_t at;
};

static const struct row rows[] = {
    {"amphi_process_cpu_seconds_total{process=\"core\"}", offsetof(struct scrape_sample, cpu_s)},
    {"amphi_process_cpu_seconds_total{process=\"door\"}",
     offsetof(struct scrape_sample, door_cpu_s)},
    {"amphi_thread_cpu_seconds_total{thread=\"classroom\"}",
     offsetof(struct scrape_sample, classroom_s)},
    {"amphi_cpu_limit_cores", offsetof(struct scrape_sample, cpu_limit)},
    {"amphi_cpu_throttled_seconds_total", offsetof(struct scrape_sample, throttled_s)},
    {"amphi_process_resident_memory_bytes", offsetof(struct scrape_sample, memory)},
    {"amphi_memory_limit_bytes", offsetof(struct scrape_sample, memory_limit)},
    {"amphi_media_packets_total{direction=\"in\"}", offsetof(struct scrape_sample, packets_in)},
    {"amphi_media_packets_total{direction=\"out\"}", offsetof(struct scrape_sample, packets_out)},
    {"amphi_media_bytes_total{direction=\"in\"}", offsetof(struct scrape_sample, bytes_in)},
    {"amphi_media_bytes_total{direction=\"out\"}", offsetof(struct scrape_sample, bytes_out)},
    {"amphi_people", offsetof(struct scrape_sample, people)},
    {"amphi_connections", offsetof(struct scrape_sample, connections)},
    {"amphi_classes", offsetof(struct scrape_sample, classes)},
    {"amphi_udp_lost_total{cause=\"no_room\"}", offsetof(struct scrape_sample, no_room)},
    {"amphi_drops_total{reason=\"no_buffer\"}", offsetof(struct scrape_sample, pool_empty)},
    {"amphi_udp_lost_total{cause=\"not_sent\"}", offsetof(struct scrape_sample, not_sent)},
    {"amphi_store_commit_seconds_last", offsetof(struct scrape_sample, commit_max_s)},
    {"amphi_store_queue", offsetof(struct scrape_sample, store_queue)},
    {"amphi_nacks_total{direction=\"in\"}", offsetof(struct scrape_sample, nacks_in)},
    {"amphi_rtx_packets_total{direction=\"out\"}", offsetof(struct scrape_sample, rtx_out)},
    {"amphi_keyframe_requests_total{direction=\"out\"}", offsetof(struct scrape_sample, plis_out)},
    {"amphi_shards", offsetof(struct scrape_sample, shards)},
};

static void take_row(struct scrape_sample *out, const char *line, size_t name_len, double value)
{
    static const char shard[] = "amphi_thread_cpu_seconds_total{thread=\"shard";
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strlen(rows[i].name) == name_len && memcmp(rows[i].name, line, name_len) == 0) {
            memcpy((char *)out + rows[i].at, &value, sizeof(value));
            return;
        }
    }
    if (name_len > sizeof(shard) && memcmp(line, shard, sizeof(shard) - 1) == 0 &&
        value > out->busiest_s) {
        out->busiest_s = value;
    }
}

void scrape_parse(struct scrape_sample *out, const char *text, size_t len)
{
    const char *end = text + len;
    *out = (struct scrape_sample){.cpu_limit = 1};
    while (text < end) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        if (!stop) {
            return; /* a torn last line says nothing */
        }
        const char *blank = memchr(text, ' ', (size_t)(stop - text));
        if (*text != '#' && blank) {
            take_row(out, text, (size_t)(blank - text), strtod(blank + 1, NULL));
        }
        text = stop + 1;
    }
}

static int dial(const char *host, uint16_t port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct timeval wait = {.tv_sec = WAIT_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || inet_pton(AF_INET, host, &sa.sin_addr) != 1 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) != 0 ||
        connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return -1;
    }
    return fd;
}

bool scrape_once(const char *host, uint16_t port, struct scrape_sample *out)
{
    char request[128];
    int fd = dial(host, port);
    char *page = fd >= 0 ? mem_alloc(PAGE_MAX) : NULL;
    size_t len = 0;
    int n = snprintf(request, sizeof(request), "GET /metrics HTTP/1.0\r\nHost: %s:%u\r\n\r\n", host,
                     port);
    if (page && send(fd, request, (size_t)n, MSG_NOSIGNAL) == n) {
        ssize_t got;
        while (len < PAGE_MAX - 1 && (got = recv(fd, page + len, PAGE_MAX - 1 - len, 0)) > 0) {
            len += (size_t)got;
        }
        page[len] = '\0';
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    const char *body = len ? strstr(page, "\r\n\r\n") : NULL;
    bool good = body && strncmp(page, "HTTP/1.", 7) == 0 && strncmp(page + 8, " 200", 4) == 0 &&
                strstr(body, "# EOF");
    if (good) {
        scrape_parse(out, body + 4, len - (size_t)(body + 4 - page));
        out->at = clock_mono_us();
    }
    mem_free(page);
    return good;
}

static void work(void *arg)
{
    struct scrape *s = arg;
    mutex_lock(&s->lock);
    while (!s->stop) {
        struct scrape_sample sample;
        mono_us next = clock_mono_us() + US_PER_S;
        mutex_unlock(&s->lock);
        bool good = scrape_once(s->host, s->port, &sample);
        mutex_lock(&s->lock);
        s->failures = good ? 0 : s->failures + 1;
        if (good) {
            s->sample = sample;
        }
        while (!s->stop && cond_wait_until(&s->stopped, &s->lock, next)) {
        }
    }
    mutex_unlock(&s->lock);
}

struct scrape *scrape_new(const char *host, uint16_t port)
{
    struct scrape *s = mem_alloc(sizeof(*s));
    if (!s) {
        return NULL;
    }
    (void)snprintf(s->host, sizeof(s->host), "%s", host);
    s->port = port;
    mutex_init(&s->lock);
    cond_init(&s->stopped);
    if (thread_start(&s->thread, "scrape", -1, work, s) != 0) {
        cond_fini(&s->stopped);
        mutex_fini(&s->lock);
        mem_free(s);
        return NULL;
    }
    return s;
}

void scrape_free(struct scrape *s)
{
    if (!s) {
        return;
    }
    mutex_lock(&s->lock);
    s->stop = true;
    cond_signal(&s->stopped);
    mutex_unlock(&s->lock);
    thread_join(&s->thread);
    cond_fini(&s->stopped);
    mutex_fini(&s->lock);
    mem_free(s);
}

bool scrape_read(struct scrape *s, struct scrape_sample *out)
{
    mutex_lock(&s->lock);
    *out = s->sample;
    mutex_unlock(&s->lock);
    return out->at > 0;
}

unsigned scrape_failures(struct scrape *s)
{
    mutex_lock(&s->lock);
    unsigned n = s->failures;
    mutex_unlock(&s->lock);
    return n;
}
