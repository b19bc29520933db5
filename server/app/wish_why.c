/*
 * Why a request at the standard doors is refused: RFC 9457 problems, in words that say what is
 * wrong, where in the offer and what would do. English, as the protocol and its logs are.
 */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/wire/sdp_text.h"
#include "server/app/wish_state.h"

enum { BODY_MAX = 768 };

/* ---- the answer --------------------------------------------------------------------------------
 */

struct reason {
    uint16_t status;
    const char *title;
    const char *detail; /* unless the caller knows better */
};

static const struct reason *reason_of(uint16_t status)
{
    static const struct reason row[] = {
        {400, "Bad Request", "The body is not what this door reads."},
        {401, "Unauthorized",
         "A bearer token is needed: Authorization: Bearer <token>, as amphi link prints it."},
        {403, "Forbidden", "This token does not open this door of this class."},
        {404, "Not Found", "There is no such class or session: it has ended, or never was."},
        {405, "Method Not Allowed", "Not with this method, see Allow."},
        {406, "Not Acceptable", "Answers are application/sdp, which Accept does not name."},
        {409, "Conflict", "Nothing is going on here now. Try again later."},
        {412, "Precondition Failed",
         "If-Match does not name the newest entity tag: the session was restarted since."},
        {415, "Unsupported Media Type", "Not of this Content-Type, see Accept-Post, Accept-Patch."},
        {422, "Unprocessable Content", "This offer cannot be served."},
        {428, "Precondition Required",
         "If-Match is needed: the newest entity tag for candidates, * for a restart."},
        {429, "Too Many Requests", "Too many requests in a short time. Try again later."},
        {503, "Service Unavailable", "The server cannot take this now. Try again later."},
    };
    size_t rows = sizeof(row) / sizeof(row[0]);
    for (size_t i = 0; i < rows; i++) {
        if (row[i].status == status) {
            return &row[i];
        }
    }
    return &row[rows - 1];
}

static struct ipc_str str(const char *text)
{
    return (struct ipc_str){.p = text, .len = strlen(text)};
}

/* shown: a token came with the request (RFC 6750 section 3.1: no error code where none did). */
static void put_headers(struct ipc_answer *a, uint16_t status, bool shown)
{
    switch (status) {
    case 401:
        a->header[IPC_ANSWER_WWW_AUTHENTICATE] = str(
            shown ? "Bearer realm=\"amphi\", error=\"invalid_token\"" : "Bearer realm=\"amphi\"");
        break;
    case 403:
        a->header[IPC_ANSWER_WWW_AUTHENTICATE] =
            str("Bearer realm=\"amphi\", error=\"insufficient_scope\"");
        break;
    case 409:
        a->header[IPC_ANSWER_RETRY_AFTER] = str("5");
        break;
    case 415:
        a->header[IPC_ANSWER_ACCEPT_PATCH] = str("application/trickle-ice-sdpfrag");
        a->header[IPC_ANSWER_ACCEPT_POST] = str("application/sdp");
        break;
    case 429:
        a->header[IPC_ANSWER_RETRY_AFTER] = str("1");
        break;
    case 503:
        a->header[IPC_ANSWER_RETRY_AFTER] = str("2");
        break;
    default:
        break;
    }
}

void wish_problem(struct wish *w, struct ipc_answer *a, const char *detail)
{
    char body[BODY_MAX];
    const struct reason *why = reason_of(a->status);
    json_t *problem = json_pack("{s:s, s:s, s:i, s:s}", "type", "about:blank", "title", why->title,
                                "status", a->status, "detail", detail ? detail : why->detail);
    size_t n = problem ? json_dumpb(problem, body, sizeof(body), JSON_COMPACT) : 0;
    json_decref(problem);
    a->header[IPC_ANSWER_CACHE_CONTROL] = str("no-store");
    if (n > 0 && n <= sizeof(body)) { /* jansson tells what it would need */
        a->header[IPC_ANSWER_CONTENT_TYPE] = str("application/problem+json");
        a->body = body;
        a->body_len = n;
    }
    w->stats.refused++;
    w->config.answer_h(w->config.arg, a);
}

void wish_refuse(struct wish *w, uint64_t req, uint16_t status, const char *detail)
{
    struct ipc_answer a = {.req = req, .status = status, .fd = -1};
    put_headers(&a, status, detail != NULL);
    wish_problem(w, &a, detail);
}

void wish_fail(struct wish *w, struct wish_session *s, uint16_t status, const char *detail)
{
    if (s->req) {
        wish_refuse(w, s->req, status, detail);
        wish_waits_not(w, s);
    }
}

/* ---- offers ------------------------------------------------------------------------------------
 */

/* One section, looked at from the door it came to. */
struct look {
    const struct sdp_session *offer;
    const struct sdp_section *m;
    unsigned index;
    bool publish;
};

static bool same_text(const struct sdp_session *s, struct sdp_str a, struct sdp_str b)
{
    return a.len == b.len && memcmp(s->text + a.at, s->text + b.at, a.len) == 0;
}

static bool is_no_media(const struct look *l)
{
    return l->m->kind > SDP_VIDEO;
}

static bool is_second(const struct look *l)
{
    for (unsigned i = 0; i < l->index; i++) {
        if (l->offer->section[i].kind == l->m->kind) {
            return true;
        }
    }
    return false;
}

static bool is_plain(const struct look *l)
{
    return !l->m->secure;
}

static bool has_no_mid(const struct look *l)
{
    return !l->m->mid.len;
}

static bool has_twin(const struct look *l)
{
    for (unsigned i = 0; i < l->index; i++) {
        if (same_text(l->offer, l->offer->section[i].mid, l->m->mid)) {
            return true;
        }
    }
    return false;
}

static bool is_alone(const struct look *l)
{
    return !l->m->bundled && (l->offer->sections > 1 || l->offer->has_bundle);
}

static bool is_off(const struct look *l)
{
    return l->m->port == 0 && !l->m->bundle_only;
}

static bool does_not_send(const struct look *l)
{
    return l->publish &&
           (l->m->direction == SDP_DIR_RECVONLY || l->m->direction == SDP_DIR_INACTIVE);
}

static bool does_not_receive(const struct look *l)
{
    return !l->publish &&
           (l->m->direction == SDP_DIR_SENDONLY || l->m->direction == SDP_DIR_INACTIVE);
}

/* What one transport has in common stands in the first section (RFC 9143 section 7.1.3). */
static bool has_no_mux(const struct look *l)
{
    return !l->m->rtcp_mux && (l->index == 0 || !l->m->bundle_only);
}

static struct sdp_view shared(const struct look *l, struct sdp_str own, struct sdp_str common)
{
    return sdp_view(l->offer, own.len ? own : common);
}

static bool is_passive(const struct look *l)
{
    struct sdp_view setup = shared(l, l->m->setup, l->offer->setup);
    return sdp_is(setup, "passive") || sdp_is(setup, "holdconn");
}

static bool has_no_fingerprint(const struct look *l)
{
    return l->index == 0 && !l->m->fingerprint.len && !l->offer->fingerprint.len;
}

static bool has_no_ice(const struct look *l)
{
    bool ufrag = l->m->ufrag.len || l->offer->ufrag.len;
    return l->index == 0 && !(ufrag && (l->m->pwd.len || l->offer->pwd.len));
}

/* "<stream> <track>"; "-" is no stream. */
static struct sdp_view stream_of(const struct look *l, const struct sdp_section *m)
{
    struct sdp_view v = sdp_view(l->offer, m->msid);
    struct sdp_view stream = {.p = NULL, .len = 0};
    (void)sdp_token(&v, ' ', &stream);
    return sdp_is(stream, "-") ? (struct sdp_view){.p = NULL, .len = 0} : stream;
}

static bool is_other_stream(const struct look *l)
{
    struct sdp_view own = stream_of(l, l->m);
    for (unsigned i = 0; l->publish && own.len && i < l->index; i++) {
        struct sdp_view v = stream_of(l, &l->offer->section[i]);
        if (v.len && (v.len != own.len || memcmp(v.p, own.p, v.len) != 0)) {
            return true;
        }
    }
    return false;
}

static const struct rule {
    bool (*broken_h)(const struct look *look);
    uint16_t status;
    const char *detail;
} rules[] = {
    {is_no_media, 422, "only audio and video are taken, no data channel"},
    {is_second, 422, "a second one of its kind; at most one audio and one video are taken"},
    {is_plain, 422, "its protocol is not UDP/TLS/RTP/SAVPF"},
    {has_no_mid, 422, "a=mid is missing"},
    {has_twin, 400, "its a=mid is used twice"},
    {is_alone, 422, "a=group:BUNDLE does not name it; all media share one transport"},
    {is_off, 422, "port 0 without a=bundle-only switches it off"},
    {does_not_send, 422, "this door takes media in: it must be a=sendonly or a=sendrecv"},
    {does_not_receive, 422, "this door gives media out: it must be a=recvonly or a=sendrecv"},
    {has_no_mux, 422, "a=rtcp-mux is missing"},
    {is_passive, 422, "a=setup must be actpass or active; the server is passive"},
    {has_no_fingerprint, 422, "a=fingerprint:sha-256 is missing"},
    {has_no_ice, 400, "a=ice-ufrag or a=ice-pwd is missing"},
    {is_other_stream, 422,
     "its a=msid names another stream than the section before; only one "
     "MediaStream is taken"},
};

/* Written by what wish_offer_check finds; where is NULL for the whole offer. */
__attribute__((format(printf, 2, 3))) static void say(struct wish_fault *out, const char *format,
                                                      ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(out->detail, sizeof(out->detail), format, args);
    va_end(args);
}

uint16_t wish_offer_check(struct wish_fault *out, const struct sdp_session *offer, bool publish)
{
    for (unsigned i = 0; i < offer->sections; i++) {
        struct look look = {offer, &offer->section[i], i, publish};
        struct sdp_view media = sdp_view(offer, look.m->media);
        struct sdp_view mid = sdp_view(offer, look.m->mid);
        for (size_t r = 0; r < sizeof(rules) / sizeof(rules[0]); r++) {
            if (rules[r].broken_h(&look)) {
                bool known = look.m->kind <= SDP_VIDEO;
                say(out, "Section %u of the offer (%.*s%s%.*s, line %u): %s.", i + 1,
                    known ? (int)media.len : 5, known ? media.p : "other", mid.len ? ", mid " : "",
                    (int)mid.len, mid.p, look.m->first, rules[r].detail);
                return rules[r].status;
            }
        }
    }
    return 0;
}

uint16_t wish_parse_fault(struct wish_fault *out, const struct sdp_session *offer, int err)
{
    if (err == E_TOOBIG) {
        say(out, "The offer is larger than %d bytes.", SDP_TEXT_MAX);
    } else if (err == E_LIMIT) {
        say(out, "Line %u of the offer: more than %d lines or %d sections are not read.",
            offer->lines + 1u, SDP_LINES_MAX, SDP_SECTIONS_MAX);
    } else if (offer->lines == 0) {
        say(out, "The body is no SDP: it does not begin with v=0, or has NUL bytes in it.");
    } else if (!offer->sections && offer->steps >= offer->len) {
        say(out, "The offer has no m= line: no audio and no video.");
    } else {
        say(out, "Line %u of the offer is torn or malformed.", offer->lines + 1u);
    }
    return 400;
}

uint16_t wish_desc_fault(struct wish_fault *out, int err)
{
    if (err == E_BAD) {
        say(out, "a=ice-ufrag, a=ice-pwd or a=fingerprint is malformed.");
        return 400;
    }
    say(out, "No codec in common (Opus; VP8, VP9, H.264, AV1), or two meanings for one payload "
             "type or header extension.");
    return 422;
}
