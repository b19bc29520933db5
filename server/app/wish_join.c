/* A WHIP client in the classroom: it says what a page says, over a connection inside. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "server/app/wish_state.h"

static void say(struct wish *w, const struct wish_session *s, json_t *message,
                struct class_time now)
{
    char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;
    if (text) {
        classroom_input(w->config.room, s->conn, text, strlen(text), now);
    }
    free(text);
    json_decref(message);
}

void wish_join(struct wish *w, struct wish_session *s, const char *token, struct class_time now)
{
    s->state = WISH_JOINING;
    s->conn = ++w->conns; /* high half zero: classroom_inside */
    w->stats.publishers++;
    if (map_set(&w->by_conn, s->conn, (uint64_t)(uintptr_t)s)) {
        wish_fail(w, s, 503, NULL);
        wish_end(w, s, now);
        return;
    }
    classroom_open(w->config.room, s->conn, now);
    say(w, s, json_pack("{s:s, s:i, s:s, s:s}", "t", "hello", "v", 1, "lang", "en", "link", token),
        now);
}

/* The class let it in: its media may begin. */
static void inside(struct wish *w, struct wish_session *s, struct class_time now)
{
    s->device = classroom_device(w->config.room, s->conn);
    if (!s->device || map_set(&w->by_device, s->device, (uint64_t)(uintptr_t)s)) {
        s->device = 0;
        wish_fail(w, s, 503, NULL);
        wish_end(w, s, now);
        return;
    }
    s->state = WISH_OFFERED;
    s->token = wish_token(w);
    if (classroom_offer(w->config.room, s->conn, &s->desc, false, s->token)) {
        wish_fail(w, s, 503, NULL);
        wish_end(w, s, now);
    }
}

/* What the classroom means by a refusal of these statuses. */
static const char *refused(uint16_t status)
{
    switch (status) {
    case 403:
        return "The class does not let this publisher in: removed by a host, or not admitted.";
    case 409:
        return "The class is not open now. Open it and start again.";
    case 503:
        return "The class or the server is full. Try again later.";
    default:
        return NULL;
    }
}

void wish_news(struct wish *w, struct wish_session *s, struct class_time now)
{
    enum wish_news news = s->news;
    s->news = NEWS_NONE;
    w->due--;
    switch (news) {
    case NEWS_DOOR:
        /* The newest session of a publisher is the one: an encoder that lost its network must not
         * wait for its former self to be found dead. */
        say(w, s,
            json_pack("{s:s, s:s, s:s, s:b, s:b, s:s}", "t", "join", "id", "join", "name", s->name,
                      "mic", s->desc.mid[SOURCE_MIC][0] != '\0', "cam",
                      s->desc.mid[SOURCE_CAMERA][0] != '\0', "how", "move"),
            now);
        break;
    case NEWS_IN:
        inside(w, s, now);
        break;
    case NEWS_WAITING:
        wish_fail(w, s, 409,
                  "The class is not open yet, or its waiting room lets nobody in by "
                  "itself. Open the class and start again.");
        wish_end(w, s, now);
        break;
    case NEWS_ERROR:
        wish_fail(w, s, s->error, refused(s->error));
        wish_end(w, s, now);
        break;
    case NEWS_CLOSED:
        if (s->req) {
            wish_fail(w, s, 409,
                      "The class closed this session: it ended, or the same token "
                      "came in elsewhere.");
        }
        w->stats.lost += s->device != 0;
        wish_end(w, s, now);
        break;
    case NEWS_NONE:
        break;
    }
}

void wish_leave(struct wish *w, struct wish_session *s, struct class_time now)
{
    if (s->conn) {
        w->stats.publishers--;
        if (s->device) {
            say(w, s, json_pack("{s:s, s:s}", "t", "leave", "id", "leave"), now);
        }
        classroom_close(w->config.room, s->conn, now);
    }
}
