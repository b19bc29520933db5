#include "signaling/door/ipc_link.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/unixsock.h"

enum { RX_START = 64 * 1024, IOV_MAX_COUNT = 64 };

/* One encoded frame. */
struct ipc_buf {
    struct ipc_buf *next;
    size_t len;
    int fd; /* travels with the first byte; -1 = none */
    uint8_t data[];
};

/* ---- queues -------------------------------------------------------------------------------- */

static void queue_put(struct ipc_queue *q, struct ipc_buf *buf)
{
    buf->next = NULL;
    if (q->tail) {
        q->tail->next = buf;
    } else {
        q->head = buf;
    }
    q->tail = buf;
}

static struct ipc_buf *queue_take(struct ipc_queue *q)
{
    struct ipc_buf *buf = q->head;
    if (buf) {
        q->head = buf->next;
        if (!q->head) {
            q->tail = NULL;
        }
    }
    return buf;
}

static void buf_free(struct ipc_buf *buf)
{
    if (buf->fd >= 0) {
        (void)close(buf->fd);
    }
    mem_free(buf);
}

static void queue_free(struct ipc_queue *q)
{
    struct ipc_buf *buf;
    while ((buf = queue_take(q))) {
        buf_free(buf);
    }
}

/* ---- sending ------------------------------------------------------------------------------- */

static int frame_fd(const struct ipc_frame *frame)
{
    return frame->type == IPC_ANSWER && frame->answer.file ? frame->answer.fd : -1;
}

static int buf_new(struct ipc_buf **out, const struct ipc_frame *frame)
{
    size_t size = ipc_frame_size(frame);
    if (!size || size - IPC_HEAD_LEN > IPC_FRAME_MAX) {
        return E_TOOBIG;
    }
    struct ipc_buf *buf = mem_alloc(sizeof(*buf) + size);
    if (!buf) {
        return E_NOMEM;
    }
    struct wr w = wr_init(buf->data, size);
    int err = ipc_encode(frame, &w);
    if (err) {
        mem_free(buf);
        return err;
    }
    buf->len = size;
    buf->fd = -1;
    *out = buf;
    return 0;
}

/* HELLO and CREDIT pass without credit: otherwise two full ends would wait for each other. */
static bool frame_is_free(const struct ipc_frame *frame)
{
    return frame->type == IPC_CREDIT || frame->type == IPC_HELLO;
}

static void release_blocked(struct ipc_link *link)
{
    while (link->credit > 0 && link->blocked.head) {
        struct ipc_buf *buf = queue_take(&link->blocked);
        link->credit -= (int64_t)buf->len;
        queue_put(&link->ready, buf);
    }
}

int ipc_link_send(struct ipc_link *link, const struct ipc_frame *frame)
{
    struct ipc_buf *buf = NULL;
    int fd = frame_fd(frame);
    int err = E_STATE;
    if (link->broken) {
        goto fail;
    }
    err = E_FULL;
    if (link->queued >= link->queue_max && !frame_is_free(frame)) {
        goto fail;
    }
    err = buf_new(&buf, frame);
    if (err) {
        goto fail;
    }
    buf->fd = fd;
    link->queued += buf->len;
    if (frame_is_free(frame)) {
        queue_put(&link->ready, buf);
    } else {
        queue_put(&link->blocked, buf);
        release_blocked(link);
    }
    return 0;
fail:
    if (fd >= 0) {
        (void)close(fd);
    }
    return err;
}

/* Sends the first bytes of ready.head together with its descriptor. */
static ssize_t write_with_fd(struct ipc_link *link)
{
    struct ipc_buf *buf = link->ready.head;
    ssize_t n = unixsock_send(link->fd, buf->data, buf->len, &buf->fd, 1);
    if (n > 0) {
        (void)close(buf->fd);
        buf->fd = -1;
    }
    return n;
}

/* Sends as many queued frames as one call takes, up to the next one with a descriptor. */
static ssize_t write_many(struct ipc_link *link)
{
    struct iovec iov[IOV_MAX_COUNT];
    size_t count = 0;
    size_t skip = link->head_sent;
    for (struct ipc_buf *b = link->ready.head; b && count < IOV_MAX_COUNT; b = b->next) {
        if (b->fd >= 0) {
            break;
        }
        iov[count].iov_base = b->data + skip;
        iov[count].iov_len = b->len - skip;
        skip = 0;
        count++;
    }
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = count};
    ssize_t n = sendmsg(link->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) {
        return errno == EAGAIN || errno == EINTR ? E_AGAIN : E_IO;
    }
    return n;
}

static void written(struct ipc_link *link, size_t n)
{
    link->queued -= n;
    while (n) {
        struct ipc_buf *buf = link->ready.head;
        size_t left = buf->len - link->head_sent;
        if (n < left) {
            link->head_sent += n;
            return;
        }
        n -= left;
        link->head_sent = 0;
        buf_free(queue_take(&link->ready));
    }
}

int ipc_link_flush(struct ipc_link *link)
{
    while (link->ready.head && !link->broken) {
        ssize_t n = link->ready.head->fd >= 0 ? write_with_fd(link) : write_many(link);
        if (n == E_AGAIN) {
            return 0;
        }
        if (n <= 0) {
            link->broken = true;
            return E_IO;
        }
        written(link, (size_t)n);
    }
    return link->broken ? E_IO : 0;
}

bool ipc_link_wants_write(const struct ipc_link *link)
{
    return link->ready.head && !link->broken;
}

size_t ipc_link_queued(const struct ipc_link *link)
{
    return link->queued;
}

void ipc_link_pause(struct ipc_link *link, bool paused)
{
    link->paused = paused;
}

/* ---- receiving ----------------------------------------------------------------------------- */

/* Room for at least need bytes in all; a large buffer is given back once it is empty again. */
static int rx_reserve(struct ipc_link *link, size_t need)
{
    if (need < RX_START) {
        need = RX_START;
    }
    if (link->rx_cap >= need && (link->rx_cap == RX_START || need > RX_START || link->rx_len)) {
        return 0;
    }
    uint8_t *p = mem_realloc(link->rx, need);
    if (!p) {
        return link->rx_cap >= need ? 0 : E_NOMEM;
    }
    link->rx = p;
    link->rx_cap = need;
    return 0;
}

static int fds_take(struct ipc_link *link)
{
    if (!link->fds_len) {
        return -1;
    }
    int fd = link->fds[link->fds_head];
    link->fds_head = (link->fds_head + 1) % IPC_FDS_MAX;
    link->fds_len--;
    return fd;
}

static int fds_put(struct ipc_link *link, const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (link->fds_len == IPC_FDS_MAX) {
            (void)close(fds[i]);
            continue;
        }
        link->fds[(link->fds_head + link->fds_len) % IPC_FDS_MAX] = fds[i];
        link->fds_len++;
    }
    return link->fds_len == IPC_FDS_MAX && count ? E_LIMIT : 0;
}

static int take_hello(struct ipc_link *link, const struct ipc_hello *hello)
{
    if (hello->version != IPC_VERSION) {
        return E_VERSION;
    }
    if (link->greeted || hello->role == link->role) {
        return E_BAD;
    }
    if (hello->window < IPC_WINDOW_MIN || hello->window > INT32_MAX) {
        return E_RANGE;
    }
    link->greeted = true;
    link->credit = hello->window;
    release_blocked(link);
    return 0;
}

static int take_frame(struct ipc_link *link, const uint8_t *data, size_t body_len)
{
    struct ipc_frame frame;
    int err = ipc_decode(&frame, data[4], data + IPC_HEAD_LEN, body_len);
    if (err) {
        return err;
    }
    if (frame.type == IPC_HELLO) {
        err = take_hello(link, &frame.hello);
        return err ? err : link->hooks.frame_h(link->hooks.arg, &frame);
    }
    if (!link->greeted) {
        return E_BAD;
    }
    if (frame.type == IPC_CREDIT) {
        link->credit += frame.credit;
        if (link->credit > INT32_MAX) {
            return E_RANGE; /* more than was ever lent */
        }
        release_blocked(link);
        return 0;
    }
    if (frame.type == IPC_ANSWER && frame.answer.file) {
        frame.answer.fd = fds_take(link);
        if (frame.answer.fd < 0) {
            return E_BAD;
        }
    }
    link->consumed += (uint32_t)(IPC_HEAD_LEN + body_len);
    return link->hooks.frame_h(link->hooks.arg, &frame);
}

/* Hands over the whole frames in rx and moves the rest to its start. */
static int take_frames(struct ipc_link *link, size_t *need)
{
    size_t at = 0;
    int err = 0;
    *need = RX_START;
    while (!err && !link->paused && link->rx_len - at >= IPC_HEAD_LEN) {
        uint8_t type;
        size_t body_len = 0;
        err = ipc_decode_head(link->rx + at, &type, &body_len);
        if (err || link->rx_len - at < IPC_HEAD_LEN + body_len) {
            *need = IPC_HEAD_LEN + body_len;
            break;
        }
        err = take_frame(link, link->rx + at, body_len);
        at += IPC_HEAD_LEN + body_len;
    }
    link->rx_len -= at;
    if (at && link->rx_len) {
        memmove(link->rx, link->rx + at, link->rx_len);
    }
    return err;
}

/* Gives back the credit of what was handed over, in quarters of the window. */
static int return_credit(struct ipc_link *link)
{
    if (link->consumed < link->window / 4) {
        return 0;
    }
    struct ipc_frame credit = {.type = IPC_CREDIT, .credit = link->consumed};
    link->consumed = 0;
    int err = ipc_link_send(link, &credit);
    return err ? err : ipc_link_flush(link);
}

static int read_once(struct ipc_link *link, size_t *got)
{
    int fds[UNIXSOCK_FDS_MAX];
    size_t count = 0;
    *got = 0;
    ssize_t n =
        unixsock_recv(link->fd, link->rx + link->rx_len, link->rx_cap - link->rx_len, fds, &count);
    int err = count ? fds_put(link, fds, count) : 0;
    if (n == E_AGAIN) {
        return E_AGAIN;
    }
    if (n <= 0) {
        return E_IO;
    }
    link->rx_len += (size_t)n;
    *got = (size_t)n;
    return err;
}

static int read_loop(struct ipc_link *link, size_t budget)
{
    size_t need = RX_START;
    int err = take_frames(link, &need); /* left from a pause */
    while (!err && !link->paused) {
        err = rx_reserve(link, need);
        size_t got = 0;
        if (!err) {
            err = read_once(link, &got);
        }
        if (err == E_AGAIN) {
            return return_credit(link);
        }
        if (!err) {
            err = take_frames(link, &need);
        }
        if (!err) {
            err = return_credit(link);
        }
        if (!err && got >= budget) {
            return E_AGAIN;
        }
        budget -= err ? 0 : got;
    }
    return err;
}

int ipc_link_readable(struct ipc_link *link, size_t budget)
{
    if (link->broken) {
        return E_IO;
    }
    int err = read_loop(link, budget);
    if (err && err != E_AGAIN) {
        link->broken = true;
    }
    return err;
}

/* ---- life ---------------------------------------------------------------------------------- */

int ipc_link_init(struct ipc_link *link, int fd, const struct ipc_hello *hello,
                  const struct ipc_link_hooks *hooks)
{
    memset(link, 0, sizeof(*link));
    link->fd = fd;
    link->role = hello->role;
    link->hooks = *hooks;
    link->queue_max = IPC_QUEUE_MAX;
    link->window = IPC_WINDOW;
    struct ipc_frame frame = {.type = IPC_HELLO, .hello = *hello};
    frame.hello.version = IPC_VERSION;
    frame.hello.window = link->window;
    int err = ipc_link_send(link, &frame);
    if (!err) {
        err = rx_reserve(link, RX_START);
    }
    if (err) {
        ipc_link_fini(link);
    }
    return err;
}

void ipc_link_fini(struct ipc_link *link)
{
    queue_free(&link->ready);
    queue_free(&link->blocked);
    int fd;
    while ((fd = fds_take(link)) >= 0) {
        (void)close(fd);
    }
    mem_free(link->rx);
    link->rx = NULL;
    link->rx_cap = 0;
    link->rx_len = 0;
    link->queued = 0;
    link->broken = true;
}
