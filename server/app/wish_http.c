/*
 * Requests of the standard doors and what they are answered: RFC 9725 sections 4.2 to 4.9, and the
 * same for WHEP. The door process has checked method, lengths and path, and adds the CORS headers.
 */
#include <stdio.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/media/registry.h"
#include "codec/sys/log.h"
#include "codec/wire/sdp_text.h"
#include "codec/wire/sdpfrag.h"
#include "server/app/wish_state.h"
#include "signaling/class/token.h"

enum { ANSWER_MAX = 32768, LINK_MAX = 2048, RETRY_S_LATER = 5 };

static const char sdp_type[] = "application/sdp";
static const char frag_type[] = "application/trickle-ice-sdpfrag";

/* One request, taken apart. */
struct ask {
    const struct ipc_ask *in;
    bool publish;
    bool has_class;
    struct id class_id;
    struct ipc_str session; /* p NULL = the endpoint itself */
    char token[TOKEN_TEXT_MAX];
    struct class_pass pass;
};

static struct ipc_str str(const char *text)
{
    return (struct ipc_str){.p = text, .len = strlen(text)};
}

static struct ipc_answer answer_of(uint64_t req, uint16_t status)
{
    struct ipc_answer a = {.req = req, .status = status, .fd = -1};
    a.header[IPC_ANSWER_CACHE_CONTROL] = str("no-store");
    return a;
}

static void send(struct wish *w, const struct ipc_answer *a)
{
    w->stats.refused += a->status >= 400;
    w->config.answer_h(w->config.arg, a);
}

/* ---- refusals
 * ------------------------------------------------------------------------------------
 */

static const char *why(uint16_t status)
{
    switch (status) {
    case 400:
        return "this is no SDP, or no fragment of it\n";
    case 401:
        return "a bearer token is needed\n";
    case 403:
        return "this token does not open this\n";
    case 404:
        return "not here\n";
    case 405:
        return "not with this method\n";
    case 406:
        return "answers are application/sdp\n";
    case 409:
        return "nothing is going on here now, try again later\n";
    case 412:
        return "not the newest entity tag\n";
    case 415:
        return "not of this type\n";
    case 422:
        return "cannot be done with this offer\n";
    case 428:
        return "If-Match is needed\n";
    default:
        return "try again later\n";
    }
}

static void refuse(struct wish *w, uint64_t req, uint16_t status)
{
    struct ipc_answer a = answer_of(req, status);
    char later[16];
    a.header[IPC_ANSWER_CONTENT_TYPE] = str("text/plain; charset=utf-8");
    if (status == 401 || status == 403) {
        a.header[IPC_ANSWER_WWW_AUTHENTICATE] =
            str(status == 401 ? "Bearer realm=\"amphi\""
                              : "Bearer realm=\"amphi\", error=\"invalid_token\"");
    }
    if (status == 409 || status == 503) {
        snprintf(later, sizeof(later), "%d", status == 503 ? 2 : RETRY_S_LATER);
        a.header[IPC_ANSWER_RETRY_AFTER] = str(later);
    }
    if (status == 415) {
        a.header[IPC_ANSWER_ACCEPT_PATCH] = str(frag_type);
        a.header[IPC_ANSWER_ACCEPT_POST] = str(sdp_type);
    }
    a.body = why(status);
    a.body_len = strlen(why(status));
    send(w, &a);
}

void wish_fail(struct wish *w, struct wish_session *s, uint16_t status)
{
    if (s->req) {
        refuse(w, s->req, status);
        wish_waits_not(w, s);
    }
}

/* ---- reading
 * ------------------------------------------------------------------------------------- */

static bool equal_nocase(struct ipc_str s, const char *text)
{
    return s.len == strlen(text) && strncasecmp(s.p, text, s.len) == 0;
}

/* A media type without its parameters (RFC 9110 section 8.3). */
static bool is_type(struct ipc_str value, const char *type)
{
    size_t n = 0;
    while (n < value.len && value.p[n] != ';') {
        n++;
    }
    while (n > 0 && (value.p[n - 1] == ' ' || value.p[n - 1] == '\t')) {
        n--;
    }
    return value.p && equal_nocase((struct ipc_str){value.p, n}, type);
}

/* Does the client take SDP? (RFC 9110 section 12.5.1; weights are not looked at) */
static bool accepts_sdp(struct ipc_str accept)
{
    size_t start = 0;
    if (!accept.p) {
        return true;
    }
    for (size_t i = 0; i <= accept.len; i++) {
        if (i < accept.len && accept.p[i] != ',') {
            continue;
        }
        while (start < i && accept.p[start] == ' ') {
            start++;
        }
        struct ipc_str one = {accept.p + start, i - start};
        if (is_type(one, sdp_type) || is_type(one, "application/*") || is_type(one, "*/*")) {
            return true;
        }
        start = i + 1;
    }
    return false;
}

/* Does If-Match name this tag, alone or in a list? Weak ones never match (RFC 9110 8.8.3.2). */
static bool names_tag(struct ipc_str value, const char *etag)
{
    size_t len = strlen(etag);
    for (size_t i = 0; i + len <= value.len; i++) {
        bool begins = i == 0 || value.p[i - 1] == ' ' || value.p[i - 1] == ',';
        if (begins && memcmp(value.p + i, etag, len) == 0) {
            return true;
        }
    }
    return false;
}

/* "/whip/c_..." or "/whip/c_.../<session>"; the door passes nothing else on. */
static void take_path(struct ask *a)
{
    const char *p = a->in->path.p + 6;
    size_t len = a->in->path.len - 6;
    const char *slash = memchr(p, '/', len);
    size_t n = slash ? (size_t)(slash - p) : len;
    a->publish = a->in->path.p[3] == 'i';
    a->has_class = id_parse(&a->class_id, ID_CLASS, p, n) == 0;
    if (slash) {
        a->session = (struct ipc_str){slash + 1, len - n - 1};
    }
}

/* The bearer token (RFC 6750 section 2.1) and what it opens: 0 or the status to refuse with. */
static uint16_t take_token(const struct wish *w, struct ask *a, wall_ms now)
{
    struct ipc_str auth = a->in->header[IPC_ASK_AUTHORIZATION];
    if (!auth.p || auth.len < 8 || strncasecmp(auth.p, "Bearer ", 7) != 0) {
        return 401;
    }
    size_t at = 7;
    while (at < auth.len && auth.p[at] == ' ') {
        at++;
    }
    if (auth.len - at >= sizeof(a->token)) {
        return 403;
    }
    memcpy(a->token, auth.p + at, auth.len - at);
    int err = classroom_pass(w->config.room, a->token, auth.len - at, now, &a->pass);
    if (err == E_EXPIRED) {
        return 401;
    }
    if (err == E_NOTFOUND) {
        return 404;
    }
    if (err || a->pass.publish != a->publish) {
        return 403;
    }
    if (!a->has_class) {
        return 404;
    }
    return id_equal(&a->pass.class_id, &a->class_id) ? 0 : 403;
}

/* ?publisher=p_...: 0, or E_BAD. */
static int take_publisher(const struct ask *a, struct id *out)
{
    static const char name[] = "publisher=";
    const char *p = a->in->query.p;
    size_t left = a->in->query.len;
    memset(out, 0, sizeof(*out));
    while (left > 0) {
        const char *end = memchr(p, '\n', left);
        size_t n = end ? (size_t)(end - p) : left;
        if (n >= sizeof(name) - 1 && memcmp(p, name, sizeof(name) - 1) == 0) {
            return id_parse(out, ID_PERSON, p + sizeof(name) - 1, n - (sizeof(name) - 1));
        }
        n += end ? 1 : 0;
        p += n;
        left -= n;
    }
    return 0;
}

/* ---- the offer
 * ----------------------------------------------------------------------------------- */

static void note_mids(struct wish_session *s)
{
    for (unsigned i = 0; i < s->offer->sections; i++) {
        const struct sdp_section *m = &s->offer->section[i];
        char *to = m->kind == SDP_AUDIO ? s->audio_mid : s->video_mid;
        if ((m->use == SDP_USE_SEND || m->use == SDP_USE_SLOT) && m->mid.len <= DESC_MID_MAX) {
            struct sdp_view mid = sdp_view(s->offer, m->mid);
            memcpy(to, mid.p, mid.len);
        }
    }
}

/* In one bundle a number means one extension (RFC 8843 section 9.2). Where an offer gives it two
 * meanings, its own stack may mistake one for the other: a viewer is sent neither. */
static void drop_ambiguous(struct desc_offer *d)
{
    for (unsigned i = 0; i < RTPEXT_COUNT; i++) {
        for (unsigned k = 0; k < RTPEXT_COUNT; k++) {
            if (i != k && d->audio_ext.id[i] && d->audio_ext.id[i] == d->video_ext.id[k]) {
                d->audio_ext.id[i] = 0;
                d->video_ext.id[k] = 0;
            }
        }
    }
}

/*
 * RFC 9725 section 4.2 and 4.4: at most one audio and one video section, all one way, in one
 * bundle; whatever does not fit makes the whole offer fail. 0, 400 or 422.
 */
static uint16_t take_offer(struct wish_session *s, const struct ask *a)
{
    unsigned count[2] = {0};
    s->offer = mem_alloc(sizeof(*s->offer) + a->in->body_len + 1);
    if (!s->offer) {
        return 503;
    }
    char *text = (char *)(s->offer + 1);
    memcpy(text, a->in->body, a->in->body_len);
    if (sdp_parse(s->offer, text, a->in->body_len)) {
        return 400;
    }
    int err = sdp_offer_desc(&s->desc, s->offer, registry_sdp_codec);
    if (err) {
        return err == E_BAD ? 400 : 422;
    }
    for (unsigned i = 0; i < s->offer->sections; i++) {
        const struct sdp_section *m = &s->offer->section[i];
        if (m->use != (a->publish ? SDP_USE_SEND : SDP_USE_SLOT) || ++count[m->kind] > 1) {
            return 422;
        }
    }
    if (!a->publish) {
        drop_ambiguous(&s->desc);
    }
    note_mids(s);
    return 0;
}

/* ---- POST ---------------------------------------------------------------------------------------
 */

static uint16_t may_post(const struct wish *w, const struct ask *a)
{
    if (!is_type(a->in->header[IPC_ASK_CONTENT_TYPE], sdp_type)) {
        return 415;
    }
    if (!accepts_sdp(a->in->header[IPC_ASK_ACCEPT])) {
        return 406;
    }
    if (w->draining) {
        return 503;
    }
    return a->publish || a->pass.live ? 0 : 409;
}

static void post(struct wish *w, const struct ask *a, struct class_time now)
{
    uint16_t status = may_post(w, a);
    struct wish_session *s = status ? NULL : wish_session_new(w, a->publish);
    if (!s) {
        refuse(w, a->in->req, status ? status : 503);
        return;
    }
    s->class_id = a->class_id;
    s->person = a->pass.person;
    s->room = a->pass.room;
    s->class_num = a->pass.class_num;
    s->class_size = a->pass.class_size;
    memcpy(s->name, a->pass.name, sizeof(s->name));
    wish_waits(w, s, a->in->req, now.mono + WISH_JOIN_US);
    status = take_offer(s, a);
    if (!status && !a->publish && take_publisher(a, &s->person)) {
        status = 404;
    }
    if (status) {
        wish_fail(w, s, status);
        wish_end(w, s, now);
    } else if (a->publish) {
        wish_join(w, s, a->token, now);
    } else {
        int err = wish_view(w, s, now);
        if (err) {
            wish_fail(w, s, err == E_NOTFOUND ? 409 : 503);
            wish_end(w, s, now);
        }
    }
}

static void answer_created(struct wish *w, struct wish_session *s, const struct desc_answer *answer)
{
    static char body[ANSWER_MAX];
    char location[WISH_PATH_MAX];
    char class_id[ID_TEXT_MAX];
    char links[LINK_MAX];
    int n = sdp_answer_write(body, sizeof(body), s->offer, &s->desc, answer, registry_sdp_codec);
    if (n < 0) {
        wish_fail(w, s, 422);
        return;
    }
    struct ipc_answer a = answer_of(s->req, 201);
    snprintf(location, sizeof(location), "/%s/%s/%s", s->publish ? "whip" : "whep",
             id_print(class_id, ID_CLASS, &s->class_id), s->id);
    w->config.link_h(w->config.arg, links, sizeof(links));
    a.header[IPC_ANSWER_CONTENT_TYPE] = str(sdp_type);
    a.header[IPC_ANSWER_LOCATION] = str(location);
    a.header[IPC_ANSWER_ETAG] = str(s->etag);
    a.header[IPC_ANSWER_ACCEPT_PATCH] = str(frag_type);
    if (links[0]) {
        a.header[IPC_ANSWER_LINK] = str(links);
    }
    a.body = body;
    a.body_len = (size_t)n;
    w->stats.opened++;
    send(w, &a);
    wish_waits_not(w, s);
    s->state = WISH_OPEN;
    mem_free(s->offer);
    s->offer = NULL;
    log_info("wish", s->publish ? "publisher opened" : "viewer opened");
}

static void answer_restarted(struct wish *w, struct wish_session *s,
                             const struct desc_answer *answer)
{
    char body[4096];
    int n = sdpfrag_write(body, sizeof(body), answer, s->audio_mid, s->video_mid);
    s->state = WISH_OPEN;
    w->stats.restarts++;
    wish_tag(w, s);
    struct ipc_answer a = answer_of(s->req, 200);
    a.header[IPC_ANSWER_CONTENT_TYPE] = str(frag_type);
    a.header[IPC_ANSWER_ETAG] = str(s->etag);
    a.body = body;
    a.body_len = n > 0 ? (size_t)n : 0;
    if (s->req) {
        send(w, &a);
        wish_waits_not(w, s);
    }
}

void wish_answered(struct wish *w, struct wish_session *s, const struct desc_answer *answer)
{
    s->token = 0;
    if (s->state == WISH_RESTARTED) {
        answer_restarted(w, s, answer);
    } else if (s->state == WISH_OFFERED && s->req) {
        answer_created(w, s, answer);
    }
}

/* ---- PATCH --------------------------------------------------------------------------------------
 */

/* New credentials: the same connection over another path. */
static void restart(struct wish *w, struct wish_session *s, const struct ask *a,
                    const struct sdpfrag *frag, struct class_time now)
{
    struct desc_offer offer = s->desc;
    memcpy(offer.ufrag, frag->ufrag, sizeof(offer.ufrag));
    memcpy(offer.pwd, frag->pwd, sizeof(offer.pwd));
    s->token = wish_token(w);
    struct media_cmd cmd = {
        .kind = MEDIA_CMD_RESTART, .device = s->device, .token = s->token, .offer = offer};
    s->state = WISH_RESTARTED;
    wish_waits(w, s, a->in->req, now.mono + WISH_JOIN_US);
    memcpy(s->desc.ufrag, frag->ufrag, sizeof(s->desc.ufrag));
    memcpy(s->desc.pwd, frag->pwd, sizeof(s->desc.pwd));
    if (!s->publish) {
        w->config.media_h(w->config.arg, &cmd);
    } else if (classroom_offer(w->config.room, s->conn, &offer, true, s->token)) {
        s->state = WISH_OPEN;
        wish_fail(w, s, 422);
    }
}

static void patch(struct wish *w, struct wish_session *s, const struct ask *a,
                  struct class_time now)
{
    struct sdpfrag frag;
    struct ipc_str match = a->in->header[IPC_ASK_IF_MATCH];
    if (!is_type(a->in->header[IPC_ASK_CONTENT_TYPE], frag_type)) {
        refuse(w, a->in->req, 415);
        return;
    }
    if (!match.p || !match.len) {
        refuse(w, a->in->req, 428);
        return;
    }
    bool any = match.len == 1 && match.p[0] == '*';
    if (!any && !names_tag(match, s->etag)) {
        refuse(w, a->in->req, 412);
        return;
    }
    if (sdpfrag_parse(&frag, a->in->body, a->in->body_len)) {
        refuse(w, a->in->req, 400);
        return;
    }
    bool fresh = frag.ufrag[0] && strcmp(frag.ufrag, s->desc.ufrag) != 0;
    if (fresh && !frag.pwd[0]) {
        refuse(w, a->in->req, 400);
    } else if (fresh && s->state != WISH_OPEN) {
        refuse(w, a->in->req, 503); /* one restart at a time */
    } else if (fresh) {
        restart(w, s, a, &frag, now);
    } else {
        /* Its checks tell us where it is; the candidates were looked at for form. */
        struct ipc_answer done = answer_of(a->in->req, 204);
        w->stats.trickles++;
        send(w, &done);
    }
}

/* ---- everything else
 * ------------------------------------------------------------------------------ */

/* What is possible here, for whoever asks; nothing about who may (RFC 9725 section 4.2 on CORS). */
static void options(struct wish *w, const struct ask *a)
{
    struct ipc_answer o = answer_of(a->in->req, 204);
    bool session = a->session.p != NULL;
    o.header[IPC_ANSWER_ALLOW] =
        str(session ? "GET, HEAD, OPTIONS, PATCH, DELETE" : "GET, HEAD, OPTIONS, POST");
    if (session) {
        o.header[IPC_ANSWER_ACCEPT_PATCH] = str(frag_type);
    } else {
        o.header[IPC_ANSWER_ACCEPT_POST] = str(sdp_type);
    }
    send(w, &o);
}

static void not_allowed(struct wish *w, const struct ask *a)
{
    struct ipc_answer r = answer_of(a->in->req, 405);
    r.header[IPC_ANSWER_ALLOW] =
        str(a->session.p ? "GET, HEAD, OPTIONS, PATCH, DELETE" : "GET, HEAD, OPTIONS, POST");
    send(w, &r);
}

/* GET and HEAD are kept for later: success without content. */
static void empty(struct wish *w, const struct ask *a)
{
    struct ipc_answer r = answer_of(a->in->req, 200);
    if (!a->publish) {
        r.header[IPC_ANSWER_CONTENT_TYPE] = str(sdp_type);
    }
    send(w, &r);
}

static void on_session(struct wish *w, const struct ask *a, struct class_time now)
{
    struct wish_session *s = wish_find(w, a->session.p, a->session.len);
    bool ours = s && s->publish == a->publish && id_equal(&s->class_id, &a->class_id) &&
                (!s->publish || id_equal(&s->person, &a->pass.person)) &&
                s->state != WISH_JOINING && s->state != WISH_OFFERED;
    if (!ours) {
        refuse(w, a->in->req, 404);
    } else if (a->in->method == IPC_PATCH) {
        patch(w, s, a, now);
    } else if (a->in->method == IPC_DELETE) {
        struct ipc_answer gone = answer_of(a->in->req, 200);
        wish_fail(w, s, 404); /* a restart under way */
        wish_end(w, s, now);
        send(w, &gone);
    } else if (a->in->method == IPC_POST) {
        not_allowed(w, a);
    } else {
        empty(w, a);
    }
}

void wish_ask(struct wish *w, const struct ipc_ask *in, struct class_time now)
{
    struct ask a = {.in = in};
    take_path(&a);
    if (in->method == IPC_OPTIONS) {
        options(w, &a);
        return;
    }
    uint16_t status = take_token(w, &a, now.wall);
    if (status) {
        refuse(w, in->req, status);
    } else if (a.session.p) {
        on_session(w, &a, now);
    } else if (in->method == IPC_POST) {
        post(w, &a, now);
    } else if (in->method == IPC_GET || in->method == IPC_HEAD) {
        empty(w, &a);
    } else {
        not_allowed(w, &a);
    }
}
