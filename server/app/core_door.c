/* The doors of the core: their sockets, their connections, what goes out to pages. */
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/sys/log.h"
#include "codec/sys/unixsock.h"
#include "server/app/core_state.h"

enum { READ_BUDGET = 1 << 20 };

static int on_open(struct core_door *d, const struct ipc_open *open)
{
    if (map_set(&d->conns, open->conn, 1)) {
        log_warn("core", "a door has more connections than it may", L_UINT("door", d->instance));
        return E_FULL;
    }
    classroom_open(d->core->room, open->conn, core_time(d->core));
    return 0;
}

/* A door speaks for its own connections only: numbers carry its instance. */
static bool owns(const struct core_door *d, uint64_t number)
{
    return (uint32_t)(number >> 32) == d->instance;
}

static int on_hello(struct core_door *d, const struct ipc_hello *hello)
{
    if (hello->role != IPC_ROLE_DOOR || d->instance) {
        return E_BAD;
    }
    for (unsigned i = 0; i < CORE_DOORS_MAX; i++) {
        if (d->core->door[i].used && d->core->door[i].instance == hello->instance) {
            return E_DUP;
        }
    }
    d->instance = hello->instance;
    log_info("core", "door connected", L_UINT("door", d->instance));
    return hello->instance ? 0 : E_BAD;
}

static int frame_h(void *arg, const struct ipc_frame *f)
{
    struct core_door *d = arg;
    struct core *core = d->core;
    switch (f->type) {
    case IPC_HELLO:
        return on_hello(d, &f->hello);
    case IPC_OPEN:
        return owns(d, f->open.conn) ? on_open(d, &f->open) : E_BAD;
    case IPC_TEXT:
        if (!owns(d, f->text.conn)) {
            return E_BAD;
        }
        classroom_input(core->room, f->text.conn, f->text.text, f->text.len, core_time(core));
        return 0;
    case IPC_CLOSED:
        if (!owns(d, f->closed.conn)) {
            return E_BAD;
        }
        (void)map_del(&d->conns, f->closed.conn);
        classroom_close(core->room, f->closed.conn, core_time(core));
        return 0;
    case IPC_ASK:
        if (!owns(d, f->ask.req)) {
            return E_BAD;
        }
        core_api_ask(d, &f->ask);
        return 0;
    case IPC_GONE:
        if (owns(d, f->gone)) {
            wish_gone(core->wish, f->gone);
        }
        return 0;
    case IPC_STATS:
        d->stats = f->stats;
        return 0;
    case IPC_CREDIT:
        return 0;
    case IPC_SEND:
    case IPC_CLOSE:
    case IPC_ANSWER:
    case IPC_EPOCH:
    case IPC_TRUST:
        break;
    }
    return E_BAD;
}

static void cut(struct core_door *d, int err)
{
    if (!d->cut) {
        d->cut = true;
        log_warn("core", "door lost", L_UINT("door", d->instance), L_ERR("why", err));
    }
}

static void door_h(void *arg, unsigned ready, mono_us now)
{
    struct core_door *d = arg;
    int err = 0;
    core_turn(d->core, now);
    if (!d->cut && (ready & (LOOP_READ | LOOP_HANGUP))) {
        err = ipc_link_readable(&d->link, READ_BUDGET);
        err = err == E_AGAIN ? 0 : err;
    }
    if (!err && !d->cut && (ready & LOOP_WRITE)) {
        err = ipc_link_flush(&d->link);
    }
    if (err) {
        cut(d, err);
    }
}

static int start_door(struct core *core, struct core_door *d, int fd)
{
    struct ipc_hello hello = {.role = IPC_ROLE_CORE, .epoch = core->epoch};
    struct ipc_link_hooks hooks = {.arg = d, .frame_h = frame_h};
    memset(d, 0, sizeof(*d));
    d->core = core;
    d->fd = fd;
    int err = map_init(&d->conns, (uint32_t)core->config->limits_connections, core->epoch);
    err = err ? err : ipc_link_init(&d->link, fd, &hello, &hooks);
    err = err ? err : loop_add(core->loop, fd, LOOP_READ, door_h, d);
    if (err) {
        ipc_link_fini(&d->link);
        map_fini(&d->conns);
        return err;
    }
    d->watched = LOOP_READ;
    d->used = true;
    return 0;
}

static bool welcome(const struct core *core, int fd)
{
    uid_t uid;
    return !unixsock_peer_uid(fd, &uid) && (uid == geteuid() || uid == core->door_uid);
}

static void listen_h(void *arg, unsigned ready, mono_us now)
{
    struct core *core = arg;
    int fd;
    (void)ready;
    core_turn(core, now);
    while (unixsock_accept(core->door_listen_fd, &fd) == 0) {
        struct core_door *free_door = NULL;
        for (unsigned i = 0; i < CORE_DOORS_MAX && !free_door; i++) {
            free_door = core->door[i].used ? NULL : &core->door[i];
        }
        if (!free_door || !welcome(core, fd) || start_door(core, free_door, fd)) {
            log_warn("core", "door refused");
            close(fd);
        }
    }
}

/* The user the door becomes when we are root; ourselves otherwise. */
static uid_t door_user(const struct core *core)
{
    const char *name = *core->config->server_door_user ? core->config->server_door_user : "nobody";
    const struct passwd *pw = geteuid() == 0 ? getpwnam(name) : NULL;
    return pw ? pw->pw_uid : geteuid();
}

int core_doors_listen(struct core *core, char *why, size_t why_cap)
{
    char path[64];
    paths_socket(&core->paths, "door.sock", path);
    int err = unixsock_listen(path, &core->door_listen_fd);
    core->door_uid = door_user(core);
    if (!err && core->door_uid != geteuid() && chown(path, core->door_uid, (gid_t)-1)) {
        err = E_IO;
    }
    err = err ? err : loop_add(core->loop, core->door_listen_fd, LOOP_READ, listen_h, core);
    if (err) {
        snprintf(why, why_cap, "run/door.sock: cannot listen: %s", err_text(err));
    }
    return err;
}

static struct core_door *door_of(struct core *core, conn_num conn)
{
    uint32_t instance = (uint32_t)(conn >> 32);
    for (unsigned i = 0; i < CORE_DOORS_MAX; i++) {
        if (core->door[i].used && !core->door[i].cut && core->door[i].instance == instance) {
            return &core->door[i];
        }
    }
    return NULL;
}

static void send_frame(struct core_door *d, const struct ipc_frame *frame)
{
    int err = ipc_link_send(&d->link, frame);
    if (err) {
        cut(d, err);
    }
}

/* Runs of recipients of one door leave as one frame: fan-out costs the core one write. */
void core_doors_send(void *arg, const conn_num *to, size_t count, const char *text, size_t len)
{
    struct core *core = arg;
    for (size_t i = 0; i < count;) {
        if (classroom_inside(to[i])) {
            wish_text(core->wish, to[i], text, len);
            i++;
            continue;
        }
        size_t end = i + 1;
        while (end < count && end - i < IPC_CONNS_MAX && to[end] >> 32 == to[i] >> 32) {
            end++;
        }
        struct core_door *d = door_of(core, to[i]);
        if (d) {
            struct ipc_frame f = {
                .type = IPC_SEND,
                .send = {.to = to + i, .count = end - i, .text = text, .len = len}};
            send_frame(d, &f);
        }
        i = end;
    }
}

void core_doors_close(void *arg, conn_num conn, uint16_t code, const char *reason)
{
    struct core *core = arg;
    if (classroom_inside(conn)) {
        wish_closed(core->wish, conn);
        return;
    }
    struct core_door *d = door_of(core, conn);
    const char *text = reason ? reason : "";
    struct ipc_frame f = {
        .type = IPC_CLOSE,
        .close = {.conn = conn, .code = code, .reason = {.p = text, .len = strlen(text)}}};
    if (d) {
        send_frame(d, &f);
    }
}

void core_doors_trust(void *arg, conn_num conn)
{
    struct core_door *d = classroom_inside(conn) ? NULL : door_of(arg, conn);
    struct ipc_frame f = {.type = IPC_TRUST, .trust = conn};
    if (d) {
        send_frame(d, &f);
    }
}

void core_doors_answer(void *arg, const struct ipc_answer *answer)
{
    struct core_door *d = door_of(arg, answer->req);
    struct ipc_frame f = {.type = IPC_ANSWER, .answer = *answer};
    if (d) {
        send_frame(d, &f);
    }
}

static void end_door(struct core_door *d)
{
    struct core *core = d->core;
    loop_del(core->loop, d->fd);
    ipc_link_fini(&d->link);
    close(d->fd);
    d->used = false;
    for (uint32_t i = 0; d->conns.slots && i <= d->conns.mask; i++) {
        if (d->conns.used[i]) {
            classroom_close(core->room, d->conns.slots[i].key, core_time(core));
        }
    }
    map_fini(&d->conns);
}

void core_doors_settle(struct core *core)
{
    for (unsigned i = 0; i < CORE_DOORS_MAX; i++) {
        struct core_door *d = &core->door[i];
        if (d->used && !d->cut && ipc_link_wants_write(&d->link)) {
            int err = ipc_link_flush(&d->link);
            if (err) {
                cut(d, err);
            }
        }
        if (d->used && d->cut) {
            end_door(d);
        }
        unsigned want = LOOP_READ;
        if (d->used && ipc_link_wants_write(&d->link)) {
            want |= LOOP_WRITE;
        }
        if (d->used && want != d->watched) {
            d->watched = want;
            (void)loop_set(core->loop, d->fd, want);
        }
    }
}

unsigned core_doors_count(const struct core *core)
{
    unsigned count = 0;
    for (unsigned i = 0; i < CORE_DOORS_MAX; i++) {
        count += core->door[i].used && core->door[i].instance;
    }
    return count;
}

void core_doors_fini(struct core *core)
{
    for (unsigned i = 0; i < CORE_DOORS_MAX; i++) {
        if (core->door[i].used) {
            (void)ipc_link_flush(&core->door[i].link);
            end_door(&core->door[i]);
        }
    }
    if (core->door_listen_fd >= 0) {
        close(core->door_listen_fd);
    }
}
