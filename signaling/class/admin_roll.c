/*
 * What is said of attendance from outside the live class: words of staff and of the person, the
 * seal, the roster, the check of devices before the day. Facts for the journal: whoever reads them
 * (signaling/attendance) judges what they change. The caller has looked at the sheet already.
 */
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/text.h"
#include "signaling/class/impl.h"

enum { WORDS_MAX = 1000, NAME_MAX_CHARS = 80, NUMBER_MAX_CHARS = 64 };

static void refuse(struct classroom *room, uint64_t request, int err, const char *why)
{
    size_t len;
    jsonw_reset(&room->json);
    jsonw_object(&room->json);
    jsonw_key_str(&room->json, "why", why);
    jsonw_object_end(&room->json);
    const char *text = jsonw_text(&room->json, &len);
    room->hooks.admin_h(room->hooks.arg, request, text ? err : E_NOMEM, text ? text : "{}",
                        text ? len : 2);
}

/* One event with a text of at most this many characters; NULL stays NULL. */
static void say(struct act *act, struct event event, const char *text)
{
    size_t len = text ? strlen(text) : 0;
    if (len > 0) {
        event.text = rtext_new(text, len);
        act->err = event.text ? act->err : E_NOMEM;
    }
    if (!act->err) {
        act_emit(act, event);
    }
}

static bool fits(const char *text, size_t chars, bool needed)
{
    size_t len = text ? strlen(text) : 0;
    return (len > 0 || !needed) && text_utf8_ok(text ? text : "", len) &&
           text_utf8_count(text ? text : "", len) <= chars;
}

static bool sane(const struct admin_request *r)
{
    bool about = r->kind == ADMIN_ROLL_SEAL || !id_is_zero(&r->person);
    bool name = r->kind == ADMIN_ROLL_EXPECT;
    return about && fits(r->title, name ? NAME_MAX_CHARS : WORDS_MAX, true) &&
           fits(r->number, NUMBER_MAX_CHARS, false) && r->session >= 0 && r->status <= 16 &&
           (unsigned)r->role < ROLE_COUNT;
}

static void tell(struct act *act, const struct admin_request *r)
{
    switch ((unsigned)r->kind) {
    case ADMIN_ROLL_CORRECT:
        say(act,
            (struct event){.type = EVENT_ROLL_CORRECTED,
                           .person = r->person,
                           .other = r->by,
                           .a = r->status,
                           .n = r->session},
            r->title);
        break;
    case ADMIN_ROLL_CONTEST:
        say(act, (struct event){.type = EVENT_ROLL_CONTESTED, .person = r->person, .n = r->session},
            r->title);
        break;
    case ADMIN_ROLL_SEAL:
        say(act, (struct event){.type = EVENT_ROLL_SEALED, .person = r->by, .n = r->session},
            r->title);
        break;
    case ADMIN_READY:
        say(act, (struct event){.type = EVENT_READY_NOTED, .person = r->person, .a = r->status},
            r->title);
        break;
    default:
        say(act,
            (struct event){
                .type = EVENT_ROLL_EXPECTED, .person = r->person, .a = (uint32_t)r->role},
            r->title);
        if (r->number) { /* "" takes it away again */
            say(act, (struct event){.type = EVENT_ROLL_IDENTIFIED, .person = r->person}, r->number);
        }
        break;
    }
}

void admin_roll(struct klass *k, uint64_t request, const struct admin_request *r,
                struct class_time now)
{
    struct act act;
    if (!sane(r)) {
        refuse(k->room, request, E_RANGE, "a text is missing or too long");
        return;
    }
    int err = act_begin(&act, k, now);
    if (!err) {
        act.batch->reply = (struct reply){.kind = REPLY_ADMIN, .request = request};
        tell(&act, r);
        err = act_end(&act);
    }
    if (err) {
        refuse(k->room, request, err, "could not be stored");
    }
}
