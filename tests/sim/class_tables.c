#include "tests/sim/class_tables.h"

#include "signaling/journal/workshops.h"

enum { CHANNEL_FIRST = 0x8000, CHANNEL_END = 0xfff0 }; /* room numbers of voices */

static unsigned low(room_num room)
{
    return (unsigned)(room & 0xffff);
}

static bool of_class(const struct klass *k, room_num room)
{
    return room == 0 || room >> 16 == k->index + 1u;
}

static const char *wrong_ear(const struct klass *k, const struct live *l, room_num ear)
{
    const struct workshops *w = &k->work->workshops;
    if (!of_class(k, ear)) {
        return "somebody hears a room of another class";
    }
    if (low(ear) == ROOM_MAIN || low(ear) >= CHANNEL_END) {
        return NULL; /* the stage of a webinar: class_stage.h */
    }
    if (low(ear) >= CHANNEL_FIRST) {
        for (uint32_t i = 0; i < w->list[WS_VOICES].count; i++) {
            if (ws_voice_at(w, i)->channel == low(ear) - CHANNEL_FIRST) {
                return NULL;
            }
        }
        return "somebody hears a voice that the state does not know";
    }
    const struct ws_listener *hears = ws_listener(w, &l->person);
    bool told = hears && id_equal(&hears->device, &l->device) &&
                state_room(k->work, &hears->room) == (int)low(ear);
    return told ? NULL : "a route between two rooms that is not announced listening";
}

static const char *wrong_route(const struct rig_device *d, const struct klass *k,
                               const struct live *l)
{
    const struct seat *work = state_seat(k->work, &l->person);
    const struct seat *done = state_seat(k->done, &l->person);
    if (!of_class(k, d->room) || !of_class(k, d->voice)) {
        return "a route into another class";
    }
    bool table = work && done && work->room == done->room && work->room != ROOM_MAIN;
    if (table && d->room && low(d->room) != work->room) {
        return "somebody at a table has the media of another room";
    }
    bool plenary = work && done && work->room == ROOM_MAIN && done->room == ROOM_MAIN;
    if (plenary && d->room && low(d->room) != ROOM_MAIN && low(d->room) < CHANNEL_END) {
        return "somebody in the plenary has the media of a table";
    }
    for (unsigned i = 0; work && i < d->ears.ears; i++) {
        const char *wrong = wrong_ear(k, l, d->ears.ear[i]);
        if (wrong) {
            return wrong;
        }
    }
    return NULL;
}

uint64_t tables_voices;

static uint32_t sources_of(right_mask rights)
{
    return (right_has(rights, RIGHT_MIC) ? MEDIA_MIC : 0u) |
           (right_has(rights, RIGHT_CAM) ? MEDIA_CAM : 0u) |
           (right_has(rights, RIGHT_SCREEN) ? MEDIA_SCREEN : 0u) |
           (right_has(rights, RIGHT_SOUND) ? MEDIA_SOUND : 0u);
}

/* Said here once more, without the tables: what somebody of the crowd may send at most. */
static const char *wrong_voice(const struct rig_device *d, const struct state *s,
                               const struct live *l)
{
    const struct seat *seat = state_seat(s, &l->person);
    if (!seat || !role_is_crowd(state_role(s, seat->person))) {
        return NULL;
    }
    bool table = seat->room != ROOM_MAIN;
    bool listens = seat->person->role == ROLE_LISTENER;
    uint32_t own = sources_of(seat->person->grant);
    own |= table && workshops_facilitates(s, seat) ? MEDIA_SCREEN | MEDIA_SOUND : 0u;
    uint32_t most = listens ? 0u : MEDIA_ALL;
    most = listens && table && s->type != CLASS_STANDARD ? MEDIA_MIC | MEDIA_CAM : most;
    most &= ~sources_of(state_locks(s, seat->room));
    tables_voices += listens && table && (d->publish & MEDIA_MIC) != 0;
    return d->publish & ~(most | own) ? "somebody sends more than his place lets him" : NULL;
}

static const char *wrong_place(const struct state *s)
{
    for (size_t i = 0; i < s->seat_count; i++) {
        const struct seat *seat = s->seats[i];
        if (seat->person->seat != seat || seat->person->wait_seq) {
            return "somebody is in two places";
        }
        if (seat->room >= s->room_count || !s->rooms[seat->room].open) {
            return "somebody is in a room that is not open";
        }
    }
    return NULL;
}

const char *tables_wrong(const struct rig *rig, const struct klass *k)
{
    const char *wrong = wrong_place(k->work);
    wrong = wrong ? wrong : wrong_place(k->done);
    for (const struct live *l = k->lives; l && !wrong; l = l->next) {
        const struct rig_device *d = &rig->devices[l->num % RIG_DEVICES_MAX];
        wrong = wrong_route(d, k, l);
        wrong = wrong ? wrong : wrong_voice(d, k->work, l);
        wrong = wrong ? wrong : wrong_voice(d, k->done, l);
    }
    return wrong;
}
