/*
 * How loaded the media server says it is: staff is told, and nobody new comes in while it takes
 * nobody (server/proto/overload.h). Who has a seat keeps it, and staff always comes in.
 */
#include "signaling/class/impl.h"

static void tell(struct classroom *room, const struct conn *c)
{
    struct jsonw *w = out_start(room, "load");
    jsonw_key(w, "step");
    jsonw_int(w, room->load_step);
    jsonw_object_end(w);
    out_send(room, c->num);
}

static bool staff(const struct klass *k, const struct conn *c)
{
    const struct person *p = c->place == CONN_CLASS ? state_person(k->done, &c->person) : NULL;
    return p && p->seat && role_is_staff(p->role);
}

void load_input(struct classroom *room, const struct media_evt *evt)
{
    uint8_t before = room->load_step;
    room->load_step = evt->load.step;
    room->load_shut = evt->load.shut;
    for (uint32_t i = 0; i < room->class_count && before != room->load_step; i++) {
        const struct klass *k = room->classes[i];
        for (const struct conn *c = k->conns; c; c = c->next) {
            if (staff(k, c)) {
                tell(room, c);
            }
        }
    }
}

void load_greet(const struct klass *k, const struct conn *c)
{
    if (k->room->load_step && staff(k, c)) {
        tell(k->room, c);
    }
}
