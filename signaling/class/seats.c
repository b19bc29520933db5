/* Is there a seat: in the class, on the server. Staff have one on the server whatever its limit. */
#include "signaling/class/impl.h"
#include "signaling/journal/stage.h"

size_t seats_taken(const struct classroom *room)
{
    size_t n = 0;
    for (uint32_t i = 0; i < room->class_count; i++) {
        n += room->classes[i]->work->seat_count;
    }
    return n;
}

size_t seats_classes(const struct classroom *room)
{
    size_t n = 0;
    for (uint32_t i = 0; i < room->class_count; i++) {
        n += room->classes[i]->work->seat_count > 0;
    }
    return n;
}

/* Seats of a webinar that its audience may not take: for staff and speakers still to come. */
static size_t kept_back(const struct state *s, enum role role)
{
    size_t kept = stage_is(s) && role_is_crowd(role) ? (size_t)s->setting[SETTING_RESERVED] : 0;
    size_t here = kept ? s->stage->member_count : 0;
    return kept > here ? kept - here : 0;
}

bool seats_free(const struct klass *k, enum role role, enum class_full *why)
{
    const struct classroom *room = k->room;
    const struct classroom_config *c = &room->config;
    const struct state *s = k->work;
    bool staff = role_is_staff(role);
    if (s->seat_count + kept_back(s, role) >= c->people_max || !state_has_room(s)) {
        *why = CLASS_FULL;
    } else if (c->live_max && s->seat_count == 0 && seats_classes(room) >= c->live_max) {
        *why = CLASS_FULL_CLASSES;
    } else if (room->load_shut && !staff) {
        *why = CLASS_FULL_LOAD;
    } else if (c->seats_max && !staff && seats_taken(room) >= c->seats_max) {
        *why = CLASS_FULL_SEATS;
    } else {
        return true;
    }
    return false;
}

struct refusal seats_refusal(enum class_full why)
{
    switch (why) {
    case CLASS_FULL_SEATS:
        return (struct refusal){"full", "server", "all seats of the server are taken"};
    case CLASS_FULL_CLASSES:
        return (struct refusal){"full", "server", "too many classes take place now"};
    case CLASS_FULL_CAPACITY:
        return (struct refusal){"full", "server", "the server is full"};
    case CLASS_FULL_LOAD:
        return (struct refusal){"full", "load", "the server is too busy for new people"};
    case CLASS_FULL:
    case CLASS_FULL_REASONS:
        break;
    }
    return (struct refusal){"full", NULL, "the class is full"};
}

void seats_told(struct conn *c, const struct klass *k, enum class_full why)
{
    const struct classroom_hooks *hooks = &k->room->hooks;
    if (hooks->full_h && !c->full_told) {
        c->full_told = true; /* the page tries again by itself: one person, not many */
        hooks->full_h(hooks->arg, &k->id, why);
    }
}
