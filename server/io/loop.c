#include "server/io/loop.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/map.h"
#include "codec/base/mem.h"
#include "codec/base/pool.h"
#include "codec/sys/clock.h"

enum { FDS_MAX = 65536, EVENTS = 128 };

/* One watched descriptor. The kernel keeps its pool id, so an event that was already fetched when
 * its watch was removed finds nobody. */
struct watch {
    int fd;
    loop_fd_h handler;
    void *arg;
};

struct loop {
    int epoll;
    int bell;
    bool coarse; /* the kernel has no epoll_pwait2: whole milliseconds */
    struct pool watches;
    struct map by_fd; /* fd -> pool id */
};

static int epoll_change(const struct loop *loop, int op, int fd, unsigned events, pool_id id)
{
    struct epoll_event event = {.data.u64 = id};
    event.events = (events & LOOP_READ ? EPOLLIN : 0u) | (events & LOOP_WRITE ? EPOLLOUT : 0u);
    return epoll_ctl(loop->epoll, op, fd, &event) == 0 ? 0 : E_IO;
}

int loop_new(struct loop **out, uint32_t fds_max)
{
    *out = NULL;
    if (!fds_max || fds_max > FDS_MAX) {
        return E_RANGE;
    }
    struct loop *loop = mem_alloc(sizeof(*loop));
    if (!loop) {
        return E_NOMEM;
    }
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    int err = loop->epoll < 0 || loop->bell < 0 ? E_IO : 0;
    if (!err) {
        err = pool_init(&loop->watches, sizeof(struct watch), fds_max);
    }
    if (!err) {
        err = map_init(&loop->by_fd, fds_max, 0);
    }
    if (!err) {
        err = epoll_change(loop, EPOLL_CTL_ADD, loop->bell, LOOP_READ, 0);
    }
    if (err) {
        loop_free(loop);
        return err;
    }
    *out = loop;
    return 0;
}

void loop_free(struct loop *loop)
{
    if (!loop) {
        return;
    }
    if (loop->epoll >= 0) {
        close(loop->epoll);
    }
    if (loop->bell >= 0) {
        close(loop->bell);
    }
    pool_fini(&loop->watches);
    map_fini(&loop->by_fd);
    mem_free(loop);
}

int loop_add(struct loop *loop, int fd, unsigned events, loop_fd_h handler, void *arg)
{
    if (map_find(&loop->by_fd, (uint64_t)fd, NULL)) {
        return E_DUP;
    }
    pool_id id;
    struct watch *watch = pool_get(&loop->watches, &id);
    if (!watch) {
        return E_FULL;
    }
    *watch = (struct watch){.fd = fd, .handler = handler, .arg = arg};
    int err = map_set(&loop->by_fd, (uint64_t)fd, id);
    if (!err) {
        err = epoll_change(loop, EPOLL_CTL_ADD, fd, events, id);
    }
    if (err) {
        map_del(&loop->by_fd, (uint64_t)fd);
        pool_put(&loop->watches, id);
    }
    return err;
}

int loop_set(struct loop *loop, int fd, unsigned events)
{
    uint64_t id;
    if (!map_find(&loop->by_fd, (uint64_t)fd, &id)) {
        return E_NOTFOUND;
    }
    return epoll_change(loop, EPOLL_CTL_MOD, fd, events, id);
}

void loop_del(struct loop *loop, int fd)
{
    uint64_t id;
    if (map_find(&loop->by_fd, (uint64_t)fd, &id)) {
        epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
        map_del(&loop->by_fd, (uint64_t)fd);
        pool_put(&loop->watches, id);
    }
}

static int wait_fine(struct loop *loop, struct epoll_event *events, mono_us left)
{
    struct timespec time = {.tv_sec = (time_t)(left / US_PER_S),
                            .tv_nsec = (long)(left % US_PER_S) * 1000};
    int n = epoll_pwait2(loop->epoll, events, EVENTS, &time, NULL);
    if (n < 0 && errno == ENOSYS) {
        loop->coarse = true;
    }
    return n;
}

static int wait_coarse(const struct loop *loop, struct epoll_event *events, mono_us left)
{
    /* Upwards: waking before the deadline would only spin. */
    mono_us ms = left / US_PER_MS + (left % US_PER_MS != 0);
    return epoll_wait(loop->epoll, events, EVENTS, ms > INT32_MAX ? INT32_MAX : (int)ms);
}

static int wait_until(struct loop *loop, struct epoll_event *events, mono_us deadline)
{
    if (deadline == MONO_NEVER) {
        return epoll_wait(loop->epoll, events, EVENTS, -1);
    }
    mono_us left = deadline - clock_mono_us();
    if (left <= 0) {
        return epoll_wait(loop->epoll, events, EVENTS, 0);
    }
    int n = loop->coarse ? -1 : wait_fine(loop, events, left);
    return n < 0 && loop->coarse ? wait_coarse(loop, events, left) : n;
}

void loop_rest(mono_us until)
{
    const struct timespec at = {.tv_sec = (time_t)(until / US_PER_S),
                                .tv_nsec = (long)(until % US_PER_S) * 1000};
    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL); /* a signal ends it early */
}

static void bell_silence(const struct loop *loop)
{
    uint64_t rings;
    if (read(loop->bell, &rings, sizeof(rings)) < 0) {
        return; /* rung and already read: nothing to do */
    }
}

mono_us loop_wait(struct loop *loop, mono_us deadline)
{
    struct epoll_event events[EVENTS];
    int n = wait_until(loop, events, deadline);
    mono_us now = clock_mono_us();
    for (int i = 0; i < n; i++) {
        if (events[i].data.u64 == 0) {
            bell_silence(loop);
            continue;
        }
        const struct watch *watch = pool_at(&loop->watches, events[i].data.u64);
        if (watch) {
            uint32_t got = events[i].events;
            unsigned ready = (got & EPOLLIN ? LOOP_READ : 0u) | (got & EPOLLOUT ? LOOP_WRITE : 0u) |
                             (got & (EPOLLHUP | EPOLLERR) ? LOOP_HANGUP : 0u);
            watch->handler(watch->arg, ready, now);
        }
    }
    return now;
}

void loop_ring(struct loop *loop)
{
    const uint64_t one = 1;
    int saved = errno; /* a signal handler may call this */
    if (write(loop->bell, &one, sizeof(one)) < 0) {
        errno = saved; /* only when 2^64-2 rings wait: it is ringing */
    }
    errno = saved;
}
