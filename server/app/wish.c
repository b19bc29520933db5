#include "server/app/wish.h"

#include <stdio.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/log.h"
#include "server/app/wish_state.h"

int wish_new(struct wish **out, const struct wish_config *config)
{
    *out = NULL;
    struct wish *w = mem_alloc(sizeof(*w));
    if (!w) {
        return E_NOMEM;
    }
    w->config = *config;
    uint64_t seed = rng_u64(&w->config.rng);
    int err = map_init(&w->by_id, config->sessions_max, seed);
    err = err ? err : map_init(&w->by_device, config->sessions_max, seed + 1);
    err = err ? err : map_init(&w->by_conn, config->sessions_max, seed + 2);
    err = err ? err : map_init(&w->by_req, config->sessions_max, seed + 3);
    err = err ? err : picture_new(&w->picture, config->devices_max, seed + 4);
    if (err) {
        wish_free(w);
        return err;
    }
    *out = w;
    return 0;
}

void wish_free(struct wish *w)
{
    if (!w) {
        return;
    }
    while (w->sessions) {
        wish_session_free(w, w->sessions);
    }
    picture_free(w->picture);
    map_fini(&w->by_id);
    map_fini(&w->by_device);
    map_fini(&w->by_conn);
    map_fini(&w->by_req);
    mem_free(w);
}

/* ---- sessions ---------------------------------------------------------------------------------
 */

static struct wish_session *at(uint64_t value)
{
    return (struct wish_session *)(uintptr_t)value;
}

static uint64_t key_of(const char *id)
{
    uint64_t key = 0;
    for (unsigned i = 0; i < 16 && id[i]; i++) {
        unsigned digit = id[i] >= 'a' ? (unsigned)(id[i] - 'a' + 10) : (unsigned)(id[i] - '0');
        key = key << 4 | digit;
    }
    return key;
}

struct wish_session *wish_session_new(struct wish *w, bool publish)
{
    struct wish_session *s = w->count < w->config.sessions_max ? mem_alloc(sizeof(*s)) : NULL;
    if (!s) {
        return NULL;
    }
    snprintf(s->id, sizeof(s->id), "%016llx%016llx", (unsigned long long)rng_u64(&w->config.rng),
             (unsigned long long)rng_u64(&w->config.rng));
    s->id_key = key_of(s->id);
    s->publish = publish;
    if (map_set(&w->by_id, s->id_key, (uint64_t)(uintptr_t)s)) {
        mem_free(s);
        return NULL;
    }
    s->next = w->sessions;
    if (s->next) {
        s->next->prev = s;
    }
    w->sessions = s;
    w->count++;
    wish_tag(w, s);
    return s;
}

void wish_session_free(struct wish *w, struct wish_session *s)
{
    *(s->prev ? &s->prev->next : &w->sessions) = s->next;
    if (s->next) {
        s->next->prev = s->prev;
    }
    w->count--;
    w->due -= s->news != NEWS_NONE;
    (void)map_del(&w->by_id, s->id_key);
    if (s->device) {
        (void)map_del(&w->by_device, s->device);
    }
    if (s->conn) {
        (void)map_del(&w->by_conn, s->conn);
    }
    wish_waits_not(w, s);
    mem_free(s->offer);
    mem_free(s);
}

void wish_end(struct wish *w, struct wish_session *s, struct class_time now)
{
    if (s->publish) {
        wish_leave(w, s, now);
    } else {
        wish_unview(w, s);
    }
    wish_session_free(w, s);
}

struct wish_session *wish_find(const struct wish *w, const char *id, size_t len)
{
    char text[WISH_ID_TEXT] = "";
    uint64_t value;
    if (len != WISH_ID_TEXT - 1) {
        return NULL;
    }
    memcpy(text, id, len);
    if (!map_find(&w->by_id, key_of(text), &value)) {
        return NULL;
    }
    struct wish_session *s = at(value);
    return memcmp(s->id, text, sizeof(text)) == 0 ? s : NULL;
}

void wish_tag(struct wish *w, struct wish_session *s)
{
    snprintf(s->etag, sizeof(s->etag), "\"%016llx\"", (unsigned long long)rng_u64(&w->config.rng));
}

uint64_t wish_token(struct wish *w)
{
    return WISH_OWN | ++w->tokens;
}

void wish_waits(struct wish *w, struct wish_session *s, uint64_t req, mono_us deadline)
{
    s->req = req;
    s->deadline = deadline;
    (void)map_set(&w->by_req, req, (uint64_t)(uintptr_t)s);
}

void wish_waits_not(struct wish *w, struct wish_session *s)
{
    if (s->req) {
        (void)map_del(&w->by_req, s->req);
        s->req = 0;
    }
}

void wish_gone(struct wish *w, uint64_t req)
{
    uint64_t value;
    if (map_find(&w->by_req, req, &value)) {
        struct wish_session *s = at(value);
        wish_waits_not(w, s);
        s->deadline = 0; /* nobody will ever know its address: ended in the next turn */
    }
}

/* ---- hooks of the classroom ---------------------------------------------------------------------
 */

static bool begins(const char *text, size_t len, const char *with)
{
    size_t n = strlen(with);
    return len >= n && memcmp(text, with, n) == 0;
}

/* Status of a refusal of the classroom, by its code. */
static uint16_t status_of(const char *text, size_t len)
{
    static const struct {
        const char *code;
        uint16_t status;
    } row[] = {
        {"\"code\":\"auth\"", 403},  {"\"code\":\"denied\"", 403}, {"\"code\":\"gone\"", 404},
        {"\"code\":\"state\"", 409}, {"\"code\":\"full\"", 503},
    };
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        if (memmem(text, len, row[i].code, strlen(row[i].code))) {
            return row[i].status;
        }
    }
    return 503;
}

static void note_news(struct wish *w, struct wish_session *s, enum wish_news news)
{
    w->due += s->news == NEWS_NONE;
    s->news = news;
}

void wish_text(struct wish *w, conn_num conn, const char *text, size_t len)
{
    uint64_t value;
    if (!map_find(&w->by_conn, conn, &value)) {
        return;
    }
    struct wish_session *s = at(value);
    if (s->state != WISH_JOINING || s->news == NEWS_CLOSED) {
        return; /* what happens in the class does not concern a camera */
    }
    if (begins(text, len, "{\"t\":\"door\"")) {
        note_news(w, s, NEWS_DOOR);
    } else if (begins(text, len, "{\"t\":\"snapshot\"")) {
        note_news(w, s, NEWS_IN);
    } else if (begins(text, len, "{\"t\":\"waiting\"")) {
        note_news(w, s, NEWS_WAITING);
    } else if (begins(text, len, "{\"t\":\"error\"")) {
        s->error = status_of(text, len);
        log_debug("wish", "the classroom refused", L_INT("status", s->error));
        note_news(w, s, NEWS_ERROR);
    }
}

void wish_closed(struct wish *w, conn_num conn)
{
    uint64_t value;
    if (map_find(&w->by_conn, conn, &value) && at(value)->news != NEWS_ERROR) {
        note_news(w, at(value), NEWS_CLOSED); /* an error says why it closed */
    }
}

void wish_note(struct wish *w, const struct media_cmd *cmd)
{
    picture_note(w->picture, cmd);
    w->pictures_due = true;
}

/* ---- the media server
 * ----------------------------------------------------------------------------
 */

/* Media died: the client sees it by itself and comes again. */
static void lost(struct wish *w, struct wish_session *s, struct class_time now)
{
    w->stats.lost++;
    log_info("wish", s->publish ? "publisher lost" : "viewer lost");
    if (s->req) {
        wish_fail(w, s, 503, "The media connection was lost meanwhile.");
    }
    wish_end(w, s, now);
}

static bool session_media(struct wish *w, struct wish_session *s, const struct media_evt *evt,
                          struct class_time now)
{
    struct media_cmd ready = {.kind = MEDIA_CMD_READY, .device = s->device};
    bool own = !s->publish;
    switch (evt->kind) {
    case MEDIA_EVT_ANSWER:
        if (evt->token == s->token) {
            wish_answered(w, s, &evt->answer);
        }
        return evt->token == s->token || own;
    case MEDIA_EVT_REFUSED:
        if (evt->token != s->token) {
            return own;
        }
        wish_fail(w, s, evt->err == E_FULL || evt->err == E_LIMIT ? 503 : 422,
                  "The media server refuses this connection.");
        if (s->state == WISH_RESTARTED) {
            s->state = WISH_OPEN; /* RFC 9725 4.3.3: a restart that fails leaves all as it was */
        } else {
            wish_end(w, s, now);
        }
        return true;
    case MEDIA_EVT_CONNECTED:
        s->connected = true;
        w->config.media_h(w->config.arg, &ready);
        return own;
    case MEDIA_EVT_LOST:
    case MEDIA_EVT_FAILED:
        if (!own) {
            note_news(w, s, NEWS_CLOSED); /* the classroom hears of it first */
            s->connected = false;
            return false;
        }
        lost(w, s, now);
        return true;
    case MEDIA_EVT_BACK:
    case MEDIA_EVT_SEND:
    case MEDIA_EVT_SLOTS:
    case MEDIA_EVT_SPEAKING:
    case MEDIA_EVT_LOAD:
        break;
    }
    return own;
}

bool wish_media(struct wish *w, const struct media_evt *evt, struct class_time now)
{
    uint64_t value;
    if (evt->kind == MEDIA_EVT_LOAD) {
        return false;
    }
    if (evt->kind == MEDIA_EVT_SPEAKING) {
        picture_speaking(w->picture, evt);
        w->pictures_due = true;
        return (evt->room & WISH_OWN) != 0;
    }
    if (wish_mix_media(w, evt)) {
        return true;
    }
    return map_find(&w->by_device, evt->device, &value) ? session_media(w, at(value), evt, now)
                                                        : (evt->device & WISH_DEVICE) != 0;
}

/* ---- turns ----------------------------------------------------------------------------------- */

bool wish_pending(const struct wish *w)
{
    return w->due > 0 || (w->pictures_due && w->stats.viewers > 0);
}

static void tick(struct wish *w, struct class_time now)
{
    w->tick_at = now.mono + WISH_TICK_US;
    w->pictures_due = true; /* what was held back may change now */
    for (struct wish_session *s = w->sessions, *next; s; s = next) {
        next = s->next;
        bool late = s->state != WISH_OPEN && now.mono >= s->deadline;
        if (late && s->req) {
            wish_fail(w, s, 503, "The class did not answer in time.");
        }
        if (late && s->state == WISH_RESTARTED) {
            s->state = WISH_OPEN;
        } else if (late) {
            wish_end(w, s, now);
        }
    }
}

/* Off air, nobody outside sees or hears anything more: looked at in every turn. */
static void off_air(struct wish *w, struct class_time now)
{
    struct id last = {{0}};
    bool live = false;
    for (struct wish_session *s = w->stats.viewers ? w->sessions : NULL, *next; s; s = next) {
        next = s->next;
        if (s->publish || !s->device) {
            continue;
        }
        if (!id_equal(&last, &s->class_id)) {
            last = s->class_id;
            live = classroom_live(w->config.room, &last);
        }
        if (!live) {
            wish_fail(w, s, 409, "The class has just gone off air.");
            wish_end(w, s, now);
        }
    }
}

/* Whose token was withdrawn leaves: nobody goes on sending or watching with it. */
static void withdrawn(struct wish *w, struct class_time now)
{
    uint64_t count = classroom_withdrawals(w->config.room);
    if (count == w->withdrawals) {
        return;
    }
    w->withdrawals = count;
    for (struct wish_session *s = w->sessions, *next; s; s = next) {
        next = s->next;
        if (classroom_withdrawn(w->config.room, &s->class_id, &s->pass)) {
            log_info("wish", "ended: its token was withdrawn");
            wish_fail(w, s, 401, "This token has just been withdrawn.");
            wish_end(w, s, now);
        }
    }
}

void wish_turn(struct wish *w, struct class_time now)
{
    off_air(w, now);
    withdrawn(w, now);
    for (struct wish_session *s = w->sessions, *next; s && w->due > 0; s = next) {
        next = s->next;
        if (s->news != NEWS_NONE) {
            wish_news(w, s, now);
        }
    }
    if (now.mono >= w->tick_at) {
        tick(w, now);
    }
    if (w->pictures_due) {
        w->pictures_due = false;
        wish_pictures(w, now.mono);
    }
}

void wish_drain(struct wish *w, bool on)
{
    w->draining = on;
}

void wish_stats_read(const struct wish *w, struct wish_stats *out)
{
    *out = w->stats;
}
