/*
 * The standard doors in front of a real classroom: requests of any method, path, header and body.
 * Each is six bytes that choose (method and door, session, token, headers, two for the length of
 * the body) and the body. Every request is answered once, nothing is opened without its token, and
 * whatever was opened is gone when its session is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/sys/token.h"
#include "server/app/wish.h"
#include "signaling/class/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 6, ASKED_MAX = 64, TICKETS = 256, EVENTS = 64, LATER_US = 20 * US_PER_S };

struct world {
    struct classroom *room;
    struct wish *wish;
    struct class_time now;
    uint64_t tickets[TICKETS];
    size_t ticket_count;
    struct media_evt events[EVENTS];
    size_t event_count;
    unsigned answers[ASKED_MAX + 1];
    int devices; /* open in the media server */
    char admin[600];
    char class_id[ID_TEXT_MAX];
    char token[3][TOKEN_TEXT_MAX]; /* whip, whep, the host's link */
    char location[160];
    char etag[32];
};

static void check(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void on_send(void *arg, const conn_num *to, size_t count, const char *text, size_t len)
{
    struct world *w = arg;
    for (size_t i = 0; w->wish && i < count; i++) {
        wish_text(w->wish, to[i], text, len);
    }
}

static void on_close(void *arg, conn_num conn, uint16_t code, const char *reason)
{
    struct world *w = arg;
    check(code >= 1000 && reason);
    if (w->wish) {
        wish_closed(w->wish, conn);
    }
}

static int on_commit(void *arg, uint64_t ticket, const struct class_record *records, size_t count)
{
    struct world *w = arg;
    check(records && count > 0);
    if (w->ticket_count == TICKETS) {
        return E_BUSY;
    }
    w->tickets[w->ticket_count++] = ticket;
    return 0;
}

/* The media server: answers every offer at the end of the turn. */
static void on_media(void *arg, const struct media_cmd *cmd)
{
    struct world *w = arg;
    bool offer = cmd->kind == MEDIA_CMD_OPEN || cmd->kind == MEDIA_CMD_RESTART;
    w->devices += (cmd->kind == MEDIA_CMD_OPEN) - (cmd->kind == MEDIA_CMD_CLOSE);
    check(cmd->device != 0 && w->devices >= 0);
    if (offer && w->event_count < EVENTS) {
        struct media_evt *e = &w->events[w->event_count++];
        *e = (struct media_evt){
            .kind = MEDIA_EVT_ANSWER, .device = cmd->device, .token = cmd->token};
        snprintf(e->answer.ufrag, sizeof(e->answer.ufrag), "abcd");
        snprintf(e->answer.pwd, sizeof(e->answer.pwd), "abcdefghijklmnopqrstuvwx");
        e->answer.ssrc_base = 1000;
    }
}

static void on_class_media(void *arg, const struct media_cmd *cmd)
{
    struct world *w = arg;
    on_media(w, cmd);
    if (w->wish) {
        wish_note(w->wish, cmd);
    }
}

static void on_admin(void *arg, uint64_t request, int err, const char *json, size_t len)
{
    struct world *w = arg;
    check(request > 0 && !err);
    (void)snprintf(w->admin, sizeof(w->admin), "%.*s", (int)len, json);
}

static void on_mix(void *arg, device_num mix, device_num publisher, const struct media_evt *slots,
                   uint32_t ssrc_base)
{
    (void)arg;
    check(mix && publisher && slots && ssrc_base);
}

static void keep(char *out, size_t cap, struct ipc_str from)
{
    if (from.p) {
        (void)snprintf(out, cap, "%.*s", (int)from.len, from.p);
    }
}

static void on_answer(void *arg, const struct ipc_answer *answer)
{
    struct world *w = arg;
    check(answer->req > 0 && answer->req <= ASKED_MAX && ++w->answers[answer->req] == 1);
    check(answer->status >= 200 && answer->status < 600 && (answer->body || !answer->body_len));
    keep(w->location, sizeof(w->location), answer->header[IPC_ANSWER_LOCATION]);
    keep(w->etag, sizeof(w->etag), answer->header[IPC_ANSWER_ETAG]);
}

static void on_link(void *arg, char *out, size_t cap)
{
    (void)arg;
    (void)snprintf(out, cap, "<stun:192.0.2.1>; rel=\"ice-server\"");
}

/* One turn of the core's loop: commits, what the media server says, what hooks left. */
static void turn(struct world *w)
{
    for (int i = 0; i < 8; i++) {
        while (w->ticket_count > 0) {
            uint64_t ticket = w->tickets[0];
            memmove(w->tickets, w->tickets + 1, --w->ticket_count * sizeof(w->tickets[0]));
            classroom_committed(w->room, ticket, 0, w->now);
        }
        struct media_evt events[EVENTS];
        size_t count = w->event_count;
        memcpy(events, w->events, sizeof(events));
        w->event_count = 0;
        for (size_t n = 0; n < count; n++) {
            if (!w->wish || !wish_media(w->wish, &events[n], w->now)) {
                classroom_media(w->room, &events[n], w->now);
            }
        }
        if (w->wish) {
            wish_turn(w->wish, w->now);
        }
    }
}

static void link_of(struct world *w, struct admin_request req, char out[TOKEN_TEXT_MAX])
{
    w->admin[0] = '\0';
    classroom_admin(w->room, 2, &req, w->now);
    turn(w); /* a token is told once it is noted */
    const char *at = strstr(w->admin, "\"link\":\"");
    check(at != NULL);
    at = strrchr(at, '#') ? strrchr(at, '#') + 1 : at + 8;
    (void)snprintf(out, TOKEN_TEXT_MAX, "%.*s", (int)strcspn(at, "\""), at);
}

static void say(struct world *w, conn_num conn, const char *text)
{
    classroom_input(w->room, conn, text, strlen(text), w->now);
    turn(w);
}

/* A class with its host inside, and one token of each kind. */
static void class_begin(struct world *w)
{
    const conn_num host = 1ULL << 32 | 1;
    struct admin_request req = {.kind = ADMIN_CLASS_CREATE, .title = "f", .class_id = {{5}}};
    classroom_admin(w->room, 1, &req, w->now);
    turn(w);
    id_print(w->class_id, ID_CLASS, &req.class_id);
    struct admin_request pass = {
        .kind = ADMIN_PASS, .class_id = req.class_id, .title = "cam", .role = ROLE_SPEAKER};
    link_of(w, pass, w->token[1]);
    pass.publish = true;
    link_of(w, pass, w->token[0]);
    link_of(w,
            (struct admin_request){.kind = ADMIN_LINK, .class_id = req.class_id, .role = ROLE_HOST},
            w->token[2]);
    char text[TOKEN_TEXT_MAX + 100];
    classroom_open(w->room, host, w->now);
    (void)snprintf(text, sizeof(text), "{\"t\":\"hello\",\"v\":1,\"lang\":\"fr\",\"link\":\"%s\"}",
                   w->token[2]);
    say(w, host, text);
    say(w, host, "{\"t\":\"join\",\"id\":\"j\",\"name\":\"n\",\"mic\":true,\"cam\":false}");
    check(classroom_live(w->room, &req.class_id));
}

static struct ipc_str view(const char *text)
{
    return (struct ipc_str){.p = text, .len = strlen(text)};
}

static void headers(const struct world *w, struct ipc_ask *ask, uint8_t which)
{
    static const char *const type[] = {"application/sdp", "application/trickle-ice-sdpfrag",
                                       "application/sdp ; x=y", "text/plain"};
    static const char *const match[] = {"*", "\"0\", W/\"1\"", ""};
    ask->header[IPC_ASK_CONTENT_TYPE] = view(type[which & 3]);
    if (which & 4) {
        ask->header[IPC_ASK_ACCEPT] = view(which & 8 ? "text/html, */*" : "image/png,");
    }
    unsigned m = which >> 4 & 3;
    if (which & 64) {
        ask->header[IPC_ASK_IF_MATCH] = view(m == 3 ? w->etag : match[m]);
    }
}

static void ask_one(struct world *w, uint64_t req, const uint8_t *head, const char *body,
                    size_t body_len)
{
    char path[300];
    char auth[TOKEN_TEXT_MAX + 20];
    bool publish = head[0] & 8;
    bool session = head[1] & 1;
    struct ipc_ask ask = {.req = req, .method = (uint8_t)(head[0] % 8), .body = body};
    ask.body_len = body_len;
    (void)snprintf(path, sizeof(path), "/%s/%s%s%.*s", publish ? "whip" : "whep",
                   head[1] & 128 ? "c_x" : w->class_id, session ? "/" : "", session ? 32 : 0,
                   head[1] & 2 ? "00000000000000000000000000000000" : "xyz");
    ask.path = view(session && head[1] & 4 && w->location[0] ? w->location : path);
    ask.query = head[1] & 8 ? (struct ipc_str){body, body_len < 40 ? body_len : 40} : view("");
    unsigned token = head[2] & 3;
    (void)snprintf(auth, sizeof(auth), "%s %s", head[2] & 4 ? "Basic" : "bEARER",
                   token < 3 ? w->token[token] : "x");
    if (!(head[2] & 8)) {
        ask.header[IPC_ASK_AUTHORIZATION] = view(auth);
    }
    headers(w, &ask, head[3]);
    wish_ask(w->wish, &ask, w->now);
    if (head[2] & 128) {
        wish_gone(w->wish, req);
        w->answers[req] = 1; /* nobody listens */
    }
    if (!(head[2] & 64)) {
        turn(w);
    }
    w->now.mono += head[0] & 128 ? WISH_JOIN_US : US_PER_MS;
}

static void play(struct world *w, const uint8_t *data, size_t size)
{
    for (uint64_t req = 1; req <= ASKED_MAX && size >= HEAD; req++) {
        size_t len = (size_t)data[4] | (size_t)data[5] << 8;
        len = len < size - HEAD ? len : size - HEAD;
        ask_one(w, req, data, (const char *)data + HEAD, len);
        data += HEAD + len;
        size -= HEAD + len;
        struct wish_stats stats;
        wish_stats_read(w->wish, &stats);
        check(stats.publishers + stats.viewers <= req);
        w->answers[0] = (unsigned)req;
    }
    turn(w);
    w->now.mono += LATER_US; /* nothing waits for ever */
    turn(w);
    for (unsigned i = 1; i <= w->answers[0]; i++) {
        check(w->answers[i] == 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rng_seeded seeded;
    rng_seed(&seeded, 1);
    struct classroom_config config = {.epoch = 1,
                                      .token = {.sign_h = token_sign,
                                                .verify_h = token_verify,
                                                .seal_h = token_seal,
                                                .open_h = token_open},
                                      .rng = rng_from_seeded(&seeded),
                                      .conns_max = 128,
                                      .classes_max = 1};
    struct world *w = calloc(1, sizeof(*w));
    check(w != NULL);
    struct classroom_hooks hooks = {.arg = w,
                                    .send_h = on_send,
                                    .close_h = on_close,
                                    .commit_h = on_commit,
                                    .media_h = on_class_media,
                                    .admin_h = on_admin};
    w->now = (struct class_time){.mono = 1000000, .wall = 1790000000000};
    check(classroom_new(&w->room, &config, &hooks) == 0);
    struct wish_config doors = {.room = w->room,
                                .sessions_max = ASKED_MAX,
                                .devices_max = 2 * ASKED_MAX,
                                .rng = rng_from_seeded(&seeded),
                                .arg = w,
                                .media_h = on_media,
                                .mix_only_h = on_mix,
                                .answer_h = on_answer,
                                .link_h = on_link};
    class_begin(w);
    check(wish_new(&w->wish, &doors) == 0);
    play(w, data, size);
    wish_free(w->wish);
    w->wish = NULL;
    classroom_free(w->room);
    free(w);
    return 0;
}
