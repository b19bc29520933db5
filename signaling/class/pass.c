/* What the standard doors ask of the classroom: whom a bearer token is of, who can be shown. */
#include <string.h>

#include "codec/base/err.h"
#include "signaling/class/impl.h"
#include "signaling/journal/stage.h"

_Static_assert(sizeof(((struct class_pass *)0)->name) == TOKEN_NAME_MAX + 1, "one length of names");

/* Is there something for people outside to see and hear? A webinar only on air. */
static bool on_air(const struct state *s)
{
    return !s->ended && s->session == SESSION_LIVE && (!stage_is(s) || stage_on_air(s));
}

bool classroom_live(const struct classroom *room, const struct id *class_id)
{
    const struct klass *k = class_find(room, class_id);
    return k && on_air(k->done) && on_air(k->work);
}

int classroom_pass(const struct classroom *room, const char *token, size_t len, wall_ms now,
                   struct class_pass *out)
{
    struct token_claim claim;
    memset(out, 0, sizeof(*out));
    int err = token_read(&claim, token, len, room->config.key, &room->config.token, now);
    if (err) {
        return err;
    }
    if (claim.kind != TOKEN_WHIP && claim.kind != TOKEN_WHEP) {
        return E_DENIED;
    }
    out->id = token_id(token, len, room->config.key, &room->config.token);
    if (classroom_withdrawn(room, &claim.class_id, &out->id)) {
        return E_STATE;
    }
    out->publish = claim.kind == TOKEN_WHIP;
    out->class_id = claim.class_id;
    out->person = claim.person;
    memcpy(out->name, claim.name, sizeof(out->name));
    const struct klass *k = class_find(room, &claim.class_id);
    if (!k || k->done->seq == 0 || k->done->ended) {
        return E_NOTFOUND;
    }
    out->room = routes_room(k, 0);
    out->class_num = id_key(&k->id);
    out->class_size = (uint32_t)k->done->seat_count;
    out->live = on_air(k->done) && on_air(k->work);
    return 0;
}

uint64_t classroom_withdrawals(const struct classroom *room)
{
    return room->withdrawals;
}

bool classroom_withdrawn(const struct classroom *room, const struct id *class_id,
                         const struct id *pass)
{
    const struct klass *k = class_find(room, class_id);
    return k &&
           (passes_withdrawn(&k->work->passes, pass) || passes_withdrawn(&k->done->passes, pass));
}

device_num classroom_device(const struct classroom *room, conn_num num)
{
    const struct conn *c = conn_find(room, num);
    return c && c->live && c->place == CONN_CLASS ? c->live->num : 0;
}

device_num classroom_person_device(const struct classroom *room, const struct id *class_id,
                                   const struct id *person)
{
    const struct klass *k = class_find(room, class_id);
    for (const struct live *l = k ? k->lives : NULL; l; l = l->next) {
        if (id_equal(&l->person, person) && l->open && live_seated(l, k->done)) {
            return l->num;
        }
    }
    return 0;
}
