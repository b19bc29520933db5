#include <unistd.h>

#include "codec/base/err.h"
#include "codec/sys/clock.h"
#include "codec/sys/heap.h"
#include "codec/sys/log.h"
#include "codec/sys/unixsock.h"
#include "signaling/door/state.h"

enum {
    READ_BUDGET = 1024 * 1024,
    CONGESTED_BYTES = 4 * 1024 * 1024,
    RELIEVED_BYTES = 1024 * 1024,
    RETRY_MS = 50,
    STATS_MS = 1000,
    TRIM_MS = 5000
};

static void tell_epoch(struct door *door)
{
    char text[64];
    int n = snprintf(text, sizeof(text), "{\"t\":\"epoch\",\"epoch\":%llu}",
                     (unsigned long long)door->core.epoch);
    ws_send_all(door, text, (size_t)n);
}

/* ---- frames from the core ------------------------------------------------------------------ */

static void on_hello(struct door *door, const struct ipc_hello *hello)
{
    struct door_core *core = &door->core;
    core->up = true;
    core->told_busy = false;
    core->congested = false;
    core->epoch = hello->epoch;
    log_info("door", "core is there", L_UINT("epoch", hello->epoch));
    http_core_there(door);
    /* The core learns of the pages before it can hear from them. */
    ws_open_again(door);
    ws_resume_all(door);
    tell_epoch(door);
}

static void on_trust(struct door *door, conn_num num)
{
    struct door_conn *conn = conn_of_num(door, num);
    if (conn && !conn->trusted) {
        conn->trusted = true;
        accept_uncount(door, conn);
    }
}

static int on_frame(void *arg, const struct ipc_frame *frame)
{
    struct door *door = arg;
    switch ((int)frame->type) {
    case IPC_HELLO:
        on_hello(door, &frame->hello);
        return 0;
    case IPC_SEND:
        ws_send(door, &frame->send);
        return 0;
    case IPC_CLOSE:
        ws_close(door, conn_of_num(door, frame->close.conn), frame->close.code,
                 frame->close.reason.p, frame->close.reason.len);
        return 0;
    case IPC_ANSWER:
        http_answer(door, &frame->answer);
        return 0;
    case IPC_EPOCH:
        door->core.epoch = frame->epoch;
        tell_epoch(door);
        return 0;
    case IPC_TRUST:
        on_trust(door, frame->trust);
        return 0;
    default:
        return E_BAD;
    }
}

/* ---- the link ------------------------------------------------------------------------------ */

static void connect_core(struct door *door)
{
    struct door_core *core = &door->core;
    lws_sock_file_fd_type fd;
    struct ipc_hello hello = {.role = IPC_ROLE_DOOR, .instance = door->instance};
    struct ipc_link_hooks hooks = {.arg = door, .frame_h = on_frame};
    if (unixsock_connect(door->config.core_path, &fd.filefd)) {
        return;
    }
    if (ipc_link_init(&core->link, fd.filefd, &hello, &hooks)) {
        (void)close(fd.filefd);
        return;
    }
    core->wsi = lws_adopt_descriptor_vhost(door->listener[0].vhost, LWS_ADOPT_RAW_FILE_DESC, fd,
                                           "door-core", NULL);
    if (!core->wsi) {
        ipc_link_fini(&core->link);
        (void)close(fd.filefd);
        return;
    }
    core_flush(door);
}

/* The descriptor is libwebsockets' and closes with the wsi. */
static void on_lost(struct door *door)
{
    struct door_core *core = &door->core;
    bool was_up = core->up;
    ipc_link_fini(&core->link);
    core->wsi = NULL;
    core->up = false;
    core->congested = false;
    if (was_up && !door->ended) {
        core->lost_at = clock_mono_us();
        door_count(door, DOOR_STAT_core_lost);
        log_warn("door", "core is away, pages wait",
                 L_UINT("pages", door->stats.value[DOOR_STAT_ws_open]));
        http_core_lost(door);
        ws_resume_all(door);
    }
}

static void cut(struct door *door, const char *why, int err)
{
    struct door_core *core = &door->core;
    if (core->wsi && !core->link.broken) {
        log_warn("door", "link to the core cut", L_STR("why", why), L_ERR("err", err));
    }
    core->link.broken = true;
    if (core->wsi) {
        lws_set_timeout(core->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    }
}

int core_send(struct door *door, const struct ipc_frame *frame)
{
    if (!door->core.up || door->core.link.broken) {
        return E_STATE;
    }
    int err = ipc_link_send(&door->core.link, frame);
    if (err) {
        cut(door, "it does not keep up", err);
    }
    return err;
}

void core_flush(struct door *door)
{
    struct door_core *core = &door->core;
    if (!core->wsi || core->link.broken) {
        return;
    }
    int err = ipc_link_flush(&core->link);
    if (err) {
        cut(door, "write failed", err);
        return;
    }
    if (ipc_link_wants_write(&core->link)) {
        lws_callback_on_writable(core->wsi);
    }
    size_t queued = ipc_link_queued(&core->link);
    if (!core->congested && queued > CONGESTED_BYTES) {
        core->congested = true;
    } else if (core->congested && queued < RELIEVED_BYTES) {
        core->congested = false;
        ws_resume_all(door);
    }
}

static void tell_busy(struct door *door, mono_us now)
{
    static const char busy[] = "{\"t\":\"busy\"}";
    struct door_core *core = &door->core;
    mono_us after = (mono_us)door->config.busy_after_ms * US_PER_MS;
    if (!core->told_busy && now - core->lost_at >= after) {
        core->told_busy = true;
        ws_send_all(door, busy, sizeof(busy) - 1);
    }
}

/* Pages that came or went left holes in the heap: their handshakes and snapshots. */
static void tidy_heap(struct door *door, mono_us now)
{
    uint64_t moved =
        door->stats.value[DOOR_STAT_ws_opened] + door->stats.value[DOOR_STAT_connections];
    if (now >= door->trim_at && moved != door->trimmed_for) {
        door->trim_at = now + (mono_us)TRIM_MS * US_PER_MS;
        door->trimmed_for = moved;
        heap_trim();
    }
}

void core_tick(struct door *door, mono_us now)
{
    struct door_core *core = &door->core;
    if (!core->lost_at) {
        core->lost_at = now;
    }
    if (!core->up) {
        tell_busy(door, now);
    }
    if (!core->wsi && now >= core->retry_at) {
        core->retry_at = now + (mono_us)RETRY_MS * US_PER_MS;
        connect_core(door);
    }
    if (core->up && now >= door->stats_at) {
        door->stats_at = now + (mono_us)STATS_MS * US_PER_MS;
        struct ipc_frame frame = {.type = IPC_STATS, .stats = door->stats};
        (void)core_send(door, &frame);
        tidy_heap(door, now);
    }
}

void core_fini(struct door *door)
{
    ipc_link_fini(&door->core.link);
}

int door_core_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                       size_t len)
{
    (void)user;
    (void)in;
    (void)len;
    struct door *door = door_of(wsi);
    int err;
    switch ((int)reason) {
    case LWS_CALLBACK_RAW_RX_FILE:
        err = ipc_link_readable(&door->core.link, READ_BUDGET);
        if (err && err != E_AGAIN) {
            log_warn("door", "link to the core ended", L_ERR("err", err));
            return -1;
        }
        return 0;
    case LWS_CALLBACK_RAW_WRITEABLE_FILE:
        /* lws drops the request for POLLOUT after this returns, so core_flush asks again. */
        return ipc_link_flush(&door->core.link) ? -1 : 0;
    case LWS_CALLBACK_RAW_CLOSE_FILE:
        on_lost(door);
        return 0;
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: /* a client named this protocol (rule 16) */
        return -1;
    default:
        return 0;
    }
}
