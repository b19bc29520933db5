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

enum { ANSWER_MAX = 32768, LINK_MAX = 2048 };
/* PATCH of one session: an encoder that trickles each candidate alone sends a few dozen at once. */
enum { PATCH_US = 100 * US_PER_MS, PATCH_BURST = 60 };
/* POST of one publisher's token, and of all viewers of a class: a whole audience comes at once. */
enum {
    PUBLISH_US = 500 * US_PER_MS,
    PUBLISH_BURST = 40,
    VIEW_US = 5 * US_PER_MS,
    VIEW_BURST = 1000
};

static const char sdp_type[] = "application/sdp";
static const char bad_token[] =
    "This is no bearer token of this server, or not all of it was copied.";
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
    w->config.answer_h(w->config.arg, a);
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

/* The bearer token (RFC 6750 section 2.1) and what it opens: 0, or the status to refuse with and
 * what is to be said of it. */
static uint16_t take_token(const struct wish *w, struct ask *a, wall_ms now, const char **why)
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
        *why = bad_token;
        return 401;
    }
    memcpy(a->token, auth.p + at, auth.len - at);
    int err = classroom_pass(w->config.room, a->token, auth.len - at, now, &a->pass);
    if (err == E_EXPIRED) {
        *why = "This token has expired. Make a new one with amphi link.";
        return 401;
    }
    if (err == E_STATE) {
        *why = "This token was withdrawn. Make a new one with amphi link.";
        return 401;
    }
    if (err == E_AUTH) {
        *why = bad_token;
        return 401;
    }
    if (err == E_NOTFOUND) {
        *why = "The class of this token has ended, or never was.";
        return 404;
    }
    if (err || a->pass.publish != a->publish) {
        *why = a->publish ? "This is no token to publish: amphi link --role whip makes one."
                          : "This is no token to watch: amphi link --role whep makes one.";
        return 403;
    }
    if (!a->has_class) {
        return 404;
    }
    *why = "This token is of another class.";
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
 * bundle; whatever does not fit makes the whole offer fail. 0, or the status and fault.
 */
static uint16_t take_offer(struct wish_session *s, const struct ask *a, struct wish_fault *fault)
{
    s->offer = mem_alloc(sizeof(*s->offer) + a->in->body_len + 1);
    if (!s->offer) {
        return 503;
    }
    char *text = (char *)(s->offer + 1);
    memcpy(text, a->in->body, a->in->body_len);
    int err = sdp_parse(s->offer, text, a->in->body_len);
    uint16_t status = err ? wish_parse_fault(fault, s->offer, err)
                          : wish_offer_check(fault, s->offer, a->publish);
    if (status) {
        return status;
    }
    for (unsigned i = 0; !a->publish && i < s->offer->sections; i++) {
        s->offer->section[i].direction = SDP_DIR_RECVONLY; /* nothing is taken from a viewer */
    }
    err = sdp_offer_desc(&s->desc, s->offer, registry_sdp_codec);
    for (unsigned i = 0; !err && i < s->offer->sections; i++) {
        uint8_t use = s->offer->section[i].use;
        err = use == (a->publish ? SDP_USE_SEND : SDP_USE_SLOT) ? 0 : E_UNSUPPORTED;
    }
    if (err) {
        return wish_desc_fault(fault, err);
    }
    if (!a->publish) {
        drop_ambiguous(&s->desc);
    }
    note_mids(s);
    return 0;
}

/* ---- POST ---------------------------------------------------------------------------------------
 */

/* One more request at `at`, which is paced at one an interval after a burst: is it in time? */
static bool in_rate(mono_us *at, mono_us now, mono_us interval, mono_us burst)
{
    if (*at > now + burst * interval) {
        return false;
    }
    *at = (*at > now ? *at : now) + interval;
    return true;
}

/* RFC 9725 section 5: whoever has a token cannot make the server do nothing but open sessions. */
static bool post_in_rate(struct wish *w, const struct ask *a, mono_us now)
{
    uint64_t key = id_key(a->publish ? &a->pass.person : &a->class_id);
    mono_us *at = &w->posted[a->publish][key % WISH_RATES];
    return a->publish ? in_rate(at, now, PUBLISH_US, PUBLISH_BURST)
                      : in_rate(at, now, VIEW_US, VIEW_BURST);
}

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

static void refuse_post(struct wish *w, const struct ask *a, uint16_t status)
{
    const char *detail = NULL;
    if (status == 409) {
        detail = "The class is not live, or its webinar not on air. Try again later.";
    } else if (status == 503) {
        detail = w->draining ? "The server is about to stop and takes nobody new in."
                             : "The server has as many sessions as it takes. Try again later.";
    }
    wish_refuse(w, a->in->req, status, detail);
}

static void post(struct wish *w, const struct ask *a, struct class_time now)
{
    struct wish_fault fault = {""};
    uint16_t status = post_in_rate(w, a, now.mono) ? may_post(w, a) : 429;
    struct wish_session *s = status ? NULL : wish_session_new(w, a->publish);
    if (!s) {
        refuse_post(w, a, status ? status : 503);
        return;
    }
    s->class_id = a->class_id;
    s->person = a->pass.person;
    s->pass = a->pass.id;
    s->room = a->pass.room;
    s->class_num = a->pass.class_num;
    s->class_size = a->pass.class_size;
    memcpy(s->name, a->pass.name, sizeof(s->name));
    wish_waits(w, s, a->in->req, now.mono + WISH_JOIN_US);
    status = take_offer(s, a, &fault);
    if (!status && !a->publish && take_publisher(a, &s->person)) {
        fault = (struct wish_fault){"?publisher= must be the id of a person: p_..."};
        status = 404;
    }
    if (status) {
        wish_fail(w, s, status, fault.detail[0] ? fault.detail : NULL);
        wish_end(w, s, now);
    } else if (a->publish) {
        wish_join(w, s, a->token, now);
    } else {
        int err = wish_view(w, s, now);
        if (err) {
            wish_fail(w, s, err == E_NOTFOUND ? 409 : 503,
                      err == E_NOTFOUND ? "The publisher you ask for sends nothing now." : NULL);
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
        wish_fail(w, s, 422, "The answer to this offer would be too large.");
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
    memcpy(s->desc.ufrag, s->next_ufrag, sizeof(s->desc.ufrag));
    memcpy(s->desc.pwd, s->next_pwd, sizeof(s->desc.pwd));
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

static const char no_restart[] = "ICE cannot be restarted now; the session goes on as it was.";

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
    memcpy(s->next_ufrag, frag->ufrag, sizeof(s->next_ufrag));
    memcpy(s->next_pwd, frag->pwd, sizeof(s->next_pwd));
    if (!s->publish) {
        w->config.media_h(w->config.arg, &cmd);
    } else if (classroom_offer(w->config.room, s->conn, &offer, true, s->token)) {
        s->state = WISH_OPEN;
        wish_fail(w, s, 422, no_restart);
    }
}

/* RFC 9725 section 4.3.1; its own example of a restart puts the star in quotes. */
static uint16_t may_patch(struct wish_session *s, const struct ask *a, mono_us now)
{
    struct ipc_str match = a->in->header[IPC_ASK_IF_MATCH];
    if (!is_type(a->in->header[IPC_ASK_CONTENT_TYPE], frag_type)) {
        return 415;
    }
    if (!in_rate(&s->patched, now, PATCH_US, PATCH_BURST)) {
        return 429;
    }
    if (!match.p || !match.len) {
        return 428;
    }
    bool any = equal_nocase(match, "*") || equal_nocase(match, "\"*\"");
    return any || names_tag(match, s->etag) ? 0 : 412;
}

static void patch(struct wish *w, struct wish_session *s, const struct ask *a,
                  struct class_time now)
{
    struct sdpfrag frag;
    const char *why = NULL;
    uint16_t status = may_patch(s, a, now.mono);
    if (!status && sdpfrag_parse(&frag, a->in->body, a->in->body_len)) {
        why = "The body is no fragment of trickle ICE: a torn line, candidate or credential.";
        status = 400;
    }
    if (status) {
        wish_refuse(w, a->in->req, status, why);
        return;
    }
    bool ufrag = frag.ufrag[0] && strcmp(frag.ufrag, s->desc.ufrag) != 0;
    bool pwd = frag.pwd[0] && strcmp(frag.pwd, s->desc.pwd) != 0;
    if (ufrag != pwd) {
        wish_refuse(w, a->in->req, 400,
                    "A restart changes both a=ice-ufrag and a=ice-pwd, candidates neither.");
    } else if (ufrag && s->state != WISH_OPEN) {
        wish_refuse(w, a->in->req, 503, "Another restart of this session is under way.");
    } else if (ufrag) {
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
    struct ipc_answer o = answer_of(a->in->req, 200);
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
    wish_problem(w, &r, NULL);
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
        wish_refuse(w, a->in->req, 404, "There is no such session: it has ended, or never was.");
    } else if (a->in->method == IPC_PATCH) {
        patch(w, s, a, now);
    } else if (a->in->method == IPC_DELETE) {
        struct ipc_answer gone = answer_of(a->in->req, 200);
        wish_fail(w, s, 404, NULL); /* a restart under way */
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
    const char *why = NULL;
    uint16_t status = take_token(w, &a, now.wall, &why);
    if (status) {
        wish_refuse(w, in->req, status, why);
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
