/* What a device hears and says beyond its own room: listening and voices, both in the journal. */
#include "signaling/class/ws.h"

/* Voices are rooms of their own, beyond the numbers of state.rooms. */
enum { CHANNEL = 0x8000 };

static room_num number(const struct klass *k, unsigned room)
{
    return (room_num)(k->index + 1) << 16 | room;
}

static void add_ear(struct ws_route *out, room_num room)
{
    if (out->ears.ears < MEDIA_EARS_MAX) {
        out->ears.ear[out->ears.ears++] = room;
    }
}

void ws_route_in(struct ws_route *out, const struct klass *k, const struct state *s,
                 const struct seat *seat, const struct id *device)
{
    const struct workshops *w = &s->workshops;
    const struct id *person = &seat->person->id;
    *out = (struct ws_route){.voice = 0};
    /* Voices first: who speaks to a room is heard whatever else goes on. */
    for (uint32_t i = 0; i < w->list[WS_VOICES].count; i++) {
        const struct ws_voice *v = ws_voice_at(w, i);
        if (id_equal(&v->person, person)) {
            out->voice = id_equal(&v->device, device) ? number(k, CHANNEL | v->channel) : 0;
        } else if (ws_is_target(w, &v->id, v->all, &s->rooms[seat->room].id)) {
            add_ear(out, number(k, CHANNEL | v->channel));
        }
    }
    const struct ws_listener *l = ws_listener(w, person);
    if (!l || !id_equal(&l->device, device) || !role_is_staff(seat->person->role)) {
        return;
    }
    int room = id_is_zero(&l->room) ? -1 : state_room(s, &l->room);
    if (room > ROOM_MAIN && room != seat->room) {
        add_ear(out, number(k, (unsigned)room));
    }
    out->desk = l->desk;
}
