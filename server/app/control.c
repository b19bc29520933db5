#include "server/app/control.h"

#include <string.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/unixsock.h"
#include "server/app/admin_json.h"
#include "server/app/core_state.h"
#include "server/app/version.h"
#include "server/app/watch.h"

struct client {
    struct control *control;
    int fd; /* -1 = free */
    uint64_t request;
    bool asked;
    mono_us deadline;
    size_t in_len;
    char *out; /* answer on its way, owned (free) */
    size_t out_len;
    size_t out_sent;
    char in[ADMIN_JSON_MAX];
};

struct control {
    struct core *core;
    int listen_fd;
    uint64_t next_request;
    struct client client[CONTROL_CLIENTS_MAX];
};

static void end(struct client *c)
{
    if (c->fd >= 0) {
        loop_del(c->control->core->loop, c->fd);
        close(c->fd);
        c->fd = -1;
    }
    free(c->out);
    c->out = NULL;
}

static void push(struct client *c)
{
    while (c->out_sent < c->out_len) {
        ssize_t put = unixsock_send(c->fd, c->out + c->out_sent, c->out_len - c->out_sent, NULL, 0);
        if (put == E_AGAIN) {
            (void)loop_set(c->control->core->loop, c->fd, LOOP_WRITE);
            return;
        }
        if (put < 0) {
            break;
        }
        c->out_sent += (size_t)put;
    }
    end(c);
}

/* Takes text (free); NULL = out of memory. */
static void reply(struct client *c, char *text)
{
    size_t len = text ? strlen(text) : 0;
    c->out = text ? realloc(text, len + 1) : NULL;
    if (!c->out) {
        end(c);
        return;
    }
    c->out[len] = '\n'; /* the NUL's place: the line is sent by length */
    c->out_len = len + 1;
    push(c);
}

static char *status_text(const struct core *core)
{
    struct classroom_stats s;
    classroom_stats(core->room, &s);
    json_t *ports = json_array();
    for (unsigned i = 0; ports && i < shards_count(core->shards); i++) {
        json_array_append_new(ports, json_integer(shards_port(core->shards, i)));
    }
    json_t *o = json_pack("{s:b, s:s, s:I, s:b, s:i, s:i, s:i, s:i, s:i, s:o}", "ok", 1, "version",
                          AMPHI_VERSION, "epoch", (json_int_t)core->epoch, "draining",
                          core->draining, "classes", (int)s.classes, "people", (int)s.people,
                          "connections", (int)s.conns, "media", (int)s.devices_media, "doors",
                          (int)core_doors_count(core), "rtc_ports", ports);
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    json_decref(o);
    return text;
}

static void ask(struct client *c, const char *text, size_t len)
{
    struct core *core = c->control->core;
    struct admin_json request;
    char why[256];
    int err = admin_json_parse(&request, text, len, why, sizeof(why));
    c->asked = true;
    if (err) {
        reply(c, admin_json_refusal(err, why));
    } else if (request.kind == ADMIN_JSON_DRAIN) {
        core_drain(core, true);
        reply(c, admin_json_answer(0, NULL, 0));
    } else if (request.kind == ADMIN_JSON_STATUS) {
        reply(c, status_text(core));
    } else if (request.kind == ADMIN_JSON_CAPACITY) {
        json_t *o = watch_state(core->watch);
        reply(c, o ? json_dumps(o, JSON_COMPACT) : NULL);
        json_decref(o);
    } else {
        c->request = ++c->control->next_request;
        classroom_admin(core->room, c->request, &request.request, core_time(core));
    }
    admin_json_fini(&request);
}

static void client_h(void *arg, unsigned ready, mono_us now)
{
    struct client *c = arg;
    core_turn(c->control->core, now);
    if (c->out) {
        push(c);
        return;
    }
    if (c->asked) {
        if (ready & LOOP_HANGUP) {
            end(c); /* gave up while the commit was on its way; the effect stands */
        }
        return;
    }
    ssize_t got = unixsock_recv(c->fd, c->in + c->in_len, sizeof(c->in) - c->in_len, NULL, NULL);
    if (got == E_AGAIN) {
        return;
    }
    if (got <= 0) {
        end(c);
        return;
    }
    c->in_len += (size_t)got;
    const char *newline = memchr(c->in, '\n', c->in_len);
    if (newline) {
        (void)loop_set(c->control->core->loop, c->fd, 0);
        ask(c, c->in, (size_t)(newline - c->in));
    } else if (c->in_len == sizeof(c->in)) {
        c->asked = true;
        reply(c, admin_json_refusal(E_TOOBIG, "request too long"));
    }
}

static bool allowed(int fd)
{
    uid_t uid;
    return !unixsock_peer_uid(fd, &uid) && (uid == geteuid() || uid == 0);
}

static void listen_h(void *arg, unsigned ready, mono_us now)
{
    struct control *control = arg;
    int fd;
    (void)ready;
    core_turn(control->core, now);
    while (unixsock_accept(control->listen_fd, &fd) == 0) {
        struct client *c = NULL;
        for (unsigned i = 0; i < CONTROL_CLIENTS_MAX && !c; i++) {
            c = control->client[i].fd < 0 ? &control->client[i] : NULL;
        }
        if (!c || !allowed(fd) || loop_add(control->core->loop, fd, LOOP_READ, client_h, c)) {
            close(fd);
            continue;
        }
        c->control = control;
        c->fd = fd;
        c->request = 0;
        c->asked = false;
        c->in_len = 0;
        c->out_len = c->out_sent = 0;
        c->deadline = now + CONTROL_WAIT_US;
    }
}

int control_new(struct control **out, struct core *core, char *why, size_t why_cap)
{
    char path[64];
    struct control *control = mem_alloc(sizeof(*control));
    *out = NULL;
    if (!control) {
        snprintf(why, why_cap, "run/control.sock: %s", err_text(E_NOMEM));
        return E_NOMEM;
    }
    control->core = core;
    for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        control->client[i].fd = -1;
    }
    int err =
        unixsock_listen(paths_socket(&core->paths, "control.sock", path), &control->listen_fd);
    err = err ? err : loop_add(core->loop, control->listen_fd, LOOP_READ, listen_h, control);
    if (err) {
        snprintf(why, why_cap, "run/control.sock: cannot listen: %s", err_text(err));
        mem_free(control);
        return err;
    }
    *out = control;
    return 0;
}

void control_free(struct control *control)
{
    if (!control) {
        return;
    }
    for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        if (control->client[i].fd >= 0) {
            end(&control->client[i]);
        }
    }
    loop_del(control->core->loop, control->listen_fd);
    close(control->listen_fd);
    mem_free(control);
}

void control_answer(struct control *control, uint64_t request, int err, const char *json,
                    size_t len)
{
    for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        struct client *c = &control->client[i];
        if (c->fd >= 0 && c->asked && !c->out && c->request == request && request) {
            reply(c, admin_json_answer(err, json, len));
            return;
        }
    }
}

void control_timer(struct control *control, mono_us now)
{
    for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        if (control->client[i].fd >= 0 && now >= control->client[i].deadline) {
            end(&control->client[i]);
        }
    }
}
