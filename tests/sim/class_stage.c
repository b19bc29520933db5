#include "tests/sim/class_stage.h"

#include <string.h>

#include "signaling/journal/stage.h"

static uint32_t below(const struct stage_play *p, uint32_t n)
{
    return rng_below(p->rng, n);
}

/* A page inside that the test likes, from a random one on; NULL when there is none. */
static struct rig_page *page_who(const struct stage_play *p, bool (*likes)(const struct rig_page *))
{
    size_t from = below(p, (uint32_t)p->rig->page_count);
    for (size_t i = 0; i < p->rig->page_count; i++) {
        struct rig_page *page = &p->rig->pages[(from + i) % p->rig->page_count];
        if (page->inside && page->view && likes(page)) {
            return page;
        }
    }
    return NULL;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static bool leads(const struct rig_page *page)
{
    const json_t *rights = json_object_get(page->view, "rights");
    bool found = false;
    for (size_t i = 0; i < json_array_size(rights); i++) {
        found = found || strcmp(json_string_value(json_array_get(rights, i)), "stage.run") == 0;
    }
    return found && json_object_get(page->view, "stage");
}

static bool is_invited(const struct rig_page *page)
{
    const json_t *invites = json_object_get(page->view, "invites");
    for (size_t i = 0; i < json_array_size(invites); i++) {
        if (strcmp(text_of(json_array_get(invites, i), "person"), page->person) == 0) {
            return true;
        }
    }
    return false;
}

static enum msg_type say_phase(struct stage_play *p, struct rig_page *page)
{
    static const char *const next[][2] = {
        {"backstage", "doors"}, {"doors", "starting"}, {"starting", "doors"},
        {"air", "questions"},   {"questions", "air"},
    };
    const char *phase = text_of(json_object_get(page->view, "stage"), "phase");
    for (unsigned i = 0; i < sizeof(next) / sizeof(next[0]); i++) {
        if (strcmp(phase, next[i][0]) == 0) {
            rig_say(p->rig, page, "{\"t\":\"stage.phase\",\"id\":\"s%u\",\"phase\":\"%s\"}",
                    p->number, below(p, 12) == 0 ? "backstage" : next[i][1]);
            return MSG_STAGE_PHASE;
        }
    }
    return MSG_COUNT;
}

static bool sits_below(const struct rig_page *page)
{
    return !leads(page);
}

static enum msg_type say_invite(struct stage_play *p, struct rig_page *page)
{
    const json_t *people = json_object_get(page->view, "people");
    size_t count = json_array_size(people);
    const json_t *who = count ? json_array_get(people, below(p, (uint32_t)count)) : NULL;
    /* Somebody who keeps a view can answer. */
    const struct rig_page *seen = below(p, 2) ? page_who(p, sits_below) : NULL;
    if (!who) {
        return MSG_COUNT;
    }
    rig_say(p->rig, page, "{\"t\":\"stage.invite\",\"id\":\"s%u\",\"person\":\"%s\"}", p->number,
            seen ? seen->person : text_of(who, "id"));
    return MSG_STAGE_INVITE;
}

static enum msg_type say_place(struct stage_play *p, struct rig_page *page)
{
    static const char *const places[] = {"stage", "stage", "wings", "audience"};
    const json_t *members = json_object_get(json_object_get(page->view, "stage"), "members");
    size_t count = json_array_size(members);
    if (count == 0) {
        return MSG_COUNT;
    }
    const json_t *who = json_array_get(members, below(p, (uint32_t)count));
    rig_say(p->rig, page,
            "{\"t\":\"stage.place\",\"id\":\"s%u\",\"person\":\"%s\",\"place\":\"%s\","
            "\"seconds\":%u}",
            p->number, text_of(who, "person"), places[below(p, 4)], below(p, 3) * 10);
    return MSG_STAGE_PLACE;
}

enum msg_type stage_play(struct stage_play *p, struct rig_page **by)
{
    struct rig_page *guest = page_who(p, is_invited);
    if (guest && below(p, 2) == 0) {
        *by = guest;
        rig_say(p->rig, guest, "{\"t\":\"stage.answer\",\"id\":\"s%u\",\"accept\":%s}", p->number,
                below(p, 4) ? "true" : "false");
        return MSG_STAGE_ANSWER;
    }
    struct rig_page *staff = page_who(p, leads);
    *by = staff;
    switch (staff ? below(p, 8) : 8) {
    case 0:
    case 1:
        return say_phase(p, staff);
    case 2:
    case 3:
    case 4:
        return say_invite(p, staff);
    case 8:
        return MSG_COUNT;
    default:
        return say_place(p, staff);
    }
}

/* ---- what must hold
 * ------------------------------------------------------------------------------- */

static bool is_main(const struct klass *k, room_num room)
{
    return room == (room_num)(k->index + 1) << 16;
}

/* Rooms heard besides the own one, announcements to workshops aside: those are for everybody. */
static unsigned ears(const struct rig_device *d)
{
    unsigned count = 0;
    for (unsigned i = 0; i < d->ears.ears; i++) {
        unsigned room = (unsigned)(d->ears.ear[i] & 0xffff);
        count += room < 0x8000 || room >= 0xfff0;
    }
    return count;
}

static const char *wrong_route(const struct rig_device *d, const struct klass *k,
                               const struct live *l)
{
    const struct person *work = state_person(k->work, &l->person);
    const struct person *done = state_person(k->done, &l->person);
    if (!work || !work->seat || !done || !done->seat) {
        return NULL;
    }
    if (work->seat->room != ROOM_MAIN || done->seat->room != ROOM_MAIN) {
        return NULL; /* at a table there is no stage */
    }
    bool below = stage_place(k->work, &l->person) == PLACE_AUDIENCE ||
                 stage_place(k->done, &l->person) == PLACE_AUDIENCE;
    bool stage = stage_place(k->work, &l->person) == PLACE_STAGE &&
                 stage_place(k->done, &l->person) == PLACE_STAGE;
    bool air = stage_on_air(k->work) && stage_on_air(k->done);
    if (below && (d->publish || ears(d) || d->ears.eyes)) {
        return "the audience sends, or hears more than the stage";
    }
    if (is_main(k, d->room) && !air && !stage) {
        return "somebody who is not on the stage is with it off air";
    }
    return NULL;
}

const char *stage_wrong(const struct rig *rig, const struct klass *k)
{
    if (!stage_is(k->work)) {
        return NULL;
    }
    for (const struct live *l = k->lives; l; l = l->next) {
        const char *wrong = wrong_route(&rig->devices[l->num % RIG_DEVICES_MAX], k, l);
        if (wrong) {
            return wrong;
        }
    }
    const struct stage *st = k->work->stage;
    for (size_t i = 0; i < st->member_count; i++) {
        const struct person *p = state_person(k->work, &st->members[i].person);
        if (!p || !p->seat || !stage_role(p->role)) {
            return "a member of the stage has no seat or no such role";
        }
    }
    for (size_t i = 0; i < k->work->seat_count; i++) {
        const struct person *p = k->work->seats[i]->person;
        if (stage_role(p->role) && !stage_member(k->work, &p->id) &&
            st->member_count < STAGE_MEMBERS_MAX) {
            return "somebody of the stage stands nowhere";
        }
    }
    return stage_count(k->work, PLACE_STAGE) > STAGE_ON_MAX ? "too many on the stage" : NULL;
}
