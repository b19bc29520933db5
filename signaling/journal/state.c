#include "signaling/journal/state.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "signaling/journal/part.h"
#include "signaling/journal/stage.h"
#include "signaling/journal/state_edit.h"

struct state *state_new(const struct id *class_id)
{
    struct state *s = mem_alloc(sizeof(*s));
    if (!s) {
        return NULL;
    }
    s->class_id = *class_id;
    s->policy = right_policy_open();
    s->room_count = 1;
    s->rooms[ROOM_MAIN] =
        (struct room_state){.id = *class_id, .policy = right_policy_open(), .open = true};
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        const struct setting_row *row = setting_row(i);
        s->setting[i] = row ? row->def : 0;
    }
    if (parts_init(s)) {
        state_free(s);
        return NULL;
    }
    return s;
}

void state_free(struct state *s)
{
    if (!s) {
        return;
    }
    for (size_t i = 0; i < s->person_count; i++) {
        rtext_put(&s->persons[i]->name);
        mem_free(s->persons[i]);
    }
    for (size_t i = 0; i < s->seat_count; i++) {
        mem_free(s->seats[i]->far);
        mem_free(s->seats[i]);
    }
    for (size_t i = 0; i < STATE_CHAT_MAX; i++) {
        rtext_put(&s->chat[i].name);
        rtext_put(&s->chat[i].text);
    }
    for (struct person *p = s->spare_persons, *next; p; p = next) {
        next = p->next_spare;
        mem_free(p);
    }
    for (struct seat *seat = s->spare_seats, *next; seat; seat = next) {
        next = seat->next_spare;
        mem_free(seat);
    }
    for (size_t i = 0; i < STATE_ROOMS_MAX; i++) {
        rtext_put(&s->rooms[i].name);
    }
    parts_fini(s);
    rtext_put(&s->title);
    mem_free(s->persons);
    mem_free(s->person_keys);
    mem_free(s->seats);
    mem_free(s->links);
    mem_free(s);
}

/* ---- reserving
 * ------------------------------------------------------------------------------------ */

/* Grows an array of elements of size to hold need; *cap follows. */
static int grow(void *array_at, size_t size, size_t *cap, size_t need)
{
    if (need <= *cap) {
        return 0;
    }
    size_t next = *cap ? *cap * 2 : 8;
    next = next < need ? need : next;
    void *old;
    memcpy(&old, array_at, sizeof(old));
    void *array = mem_realloc(old, next * size);
    if (!array) {
        return E_NOMEM;
    }
    memcpy(array_at, &array, sizeof(array));
    *cap = next;
    return 0;
}

static int reserve_spares(struct state *s, size_t joins)
{
    while (s->spare_person_count < joins) {
        struct person *p = mem_alloc(sizeof(*p));
        if (!p) {
            return E_NOMEM;
        }
        p->next_spare = s->spare_persons;
        s->spare_persons = p;
        s->spare_person_count++;
    }
    while (s->spare_seat_count < joins) {
        struct seat *seat = mem_alloc(sizeof(*seat));
        if (!seat) {
            return E_NOMEM;
        }
        seat->next_spare = s->spare_seats;
        s->spare_seats = seat;
        s->spare_seat_count++;
    }
    return 0;
}

int state_reserve(struct state *s, size_t joins, size_t links)
{
    size_t key_cap = s->person_cap;
    size_t person_cap = s->person_cap;
    int err = grow(&s->person_keys, sizeof(*s->person_keys), &key_cap, s->person_count + joins);
    if (!err) {
        err = grow(&s->persons, sizeof(*s->persons), &person_cap, s->person_count + joins);
    }
    if (!err) {
        s->person_cap = person_cap;
        err = grow(&s->seats, sizeof(*s->seats), &s->seat_cap, s->seat_count + joins);
    }
    if (!err) {
        err = grow(&s->links, sizeof(*s->links), &s->link_cap, s->link_count + links);
    }
    return err ? err : reserve_spares(s, joins);
}

/* ---- finding
 * -------------------------------------------------------------------------------------- */

struct person *state_person(const struct state *s, const struct id *id)
{
    uint64_t key = id_key(id);
    for (size_t i = 0; i < s->person_count; i++) {
        if (s->person_keys[i] == key && id_equal(&s->persons[i]->id, id)) {
            return s->persons[i];
        }
    }
    return NULL;
}

struct seat *state_seat(const struct state *s, const struct id *person)
{
    const struct person *p = state_person(s, person);
    return p ? p->seat : NULL;
}

struct device *seat_device(const struct seat *seat, const struct id *device)
{
    for (unsigned i = 0; i < seat->device_count; i++) {
        const struct device *d = &seat->devices[i];
        if (id_equal(&d->id, device)) {
            union {
                const struct device *in;
                struct device *out;
            } found = {.in = d}; /* as writable as the seat the caller holds */
            return found.out;
        }
    }
    return NULL;
}

struct seat *state_device(const struct state *s, const struct id *device,
                          struct device **device_out)
{
    for (size_t i = 0; i < s->seat_count; i++) {
        struct device *d = seat_device(s->seats[i], device);
        if (d) {
            if (device_out) {
                *device_out = d;
            }
            return s->seats[i];
        }
    }
    return NULL;
}

/* ---- rights
 * --------------------------------------------------------------------------------------- */

enum role state_role(const struct state *s, const struct person *person)
{
    if (id_equal(&s->acting, &person->id)) {
        return ROLE_HOST;
    }
    return person->role == ROLE_HOST ? ROLE_ANIMATOR : (enum role)person->role;
}

right_mask state_rights(const struct state *s, const struct person *person)
{
    if (!person->seat) {
        return 0;
    }
    const struct room_state *room = &s->rooms[person->seat->room];
    enum role role = state_role(s, person);
    /* At a table people talk to each other, whatever the form of the plenary is. */
    bool table = person->seat->room != ROOM_MAIN;
    right_mask base = table ? right_at_table(role, s->type) : right_table(role, s->type);
    right_mask grant = person->grant;
    if (table && workshops_facilitates(s, person->seat)) {
        grant |= (right_mask)1 << RIGHT_MUTE | (right_mask)1 << RIGHT_SCREEN |
                 (right_mask)1 << RIGHT_SOUND;
    }
    right_mask rights = right_effective(role, base, &s->policy, &room->policy, grant, person->deny);
    if (floor_bars(s, person->seat)) {
        rights &= ~((right_mask)1 << RIGHT_MIC);
    }
    return stage_is(s) && !table ? stage_narrow(s, person, rights) : rights;
}

uint32_t state_media(const struct state *s, const struct seat *seat, const struct device *device)
{
    static const enum right needed[] = {RIGHT_MIC, RIGHT_CAM, RIGHT_SCREEN, RIGHT_SOUND};
    right_mask rights = state_rights(s, seat->person);
    uint32_t media = 0;
    for (unsigned i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        if (right_has(rights, needed[i])) {
            media |= device->media & 1u << i;
        }
    }
    return media;
}

uint64_t seat_command_at(const struct seat *seat, uint32_t i)
{
    if (i < STATE_COMMANDS_NEAR) {
        return seat->near[i];
    }
    return seat->far ? seat->far[i - STATE_COMMANDS_NEAR] : 0;
}

void seat_command_set(struct seat *seat, uint32_t i, uint64_t command)
{
    if (i < STATE_COMMANDS_NEAR) {
        seat->near[i] = command;
        return;
    }
    if (!seat->far) {
        seat->far = mem_alloc((STATE_COMMANDS_MAX - STATE_COMMANDS_NEAR) * sizeof(seat->far[0]));
    }
    if (seat->far) {
        seat->far[i - STATE_COMMANDS_NEAR] = command;
    }
}

bool seat_knows(const struct seat *seat, uint64_t command)
{
    uint32_t kept = seat->command_count < STATE_COMMANDS_MAX ? seat->command_count
                                                             : (uint32_t)STATE_COMMANDS_MAX;
    for (uint32_t i = 0; i < kept; i++) {
        if (seat_command_at(seat, i) == command) {
            return true;
        }
    }
    return false;
}

const struct person *state_succession(const struct state *s)
{
    const struct person *animator = NULL;
    const struct person *acting = state_person(s, &s->acting);
    bool stands = acting && acting->seat && role_is_staff(acting->role);
    for (size_t i = 0; i < s->seat_count; i++) {
        const struct person *p = s->seats[i]->person;
        if (p->role == ROLE_HOST && (!p->stepped || !stands)) {
            return p;
        }
        if (p->role == ROLE_ANIMATOR && !animator) {
            animator = p;
        }
    }
    return stands ? acting : animator;
}

bool state_has_staff(const struct state *s)
{
    for (size_t i = 0; i < s->seat_count; i++) {
        if (role_is_staff(s->seats[i]->person->role)) {
            return true;
        }
    }
    return false;
}

/* ---- rooms and who sees whom
 * ---------------------------------------------------------------------- */

unsigned state_audience(const struct state *s, const struct seat *viewer)
{
    return stage_kind(s, viewer->person);
}

bool state_same_table(const struct seat *a, const struct seat *b)
{
    return a->room == b->room && a->room != ROOM_MAIN;
}

bool state_sees(const struct state *s, const struct seat *viewer, const struct person *person)
{
    return viewer->person == person || (person->seat && state_same_table(viewer, person->seat)) ||
           (state_hidden_from(s, person) >> state_audience(s, viewer) & 1) == 0;
}

uint8_t state_hidden_from(const struct state *s, const struct person *person)
{
    unsigned mask = 0;
    for (unsigned kind = 0; kind < AUDIENCE_OF_COUNT && stage_is(s); kind++) {
        mask |= stage_seen_by(s, kind, person) ? 0u : 1u << kind;
    }
    return (uint8_t)(mask & UINT8_MAX);
}

int state_room(const struct state *s, const struct id *room)
{
    for (size_t i = 0; i < s->room_count; i++) {
        if (s->rooms[i].open && id_equal(&s->rooms[i].id, room)) {
            return (int)i;
        }
    }
    return -1;
}

int state_room_spare(const struct state *s)
{
    for (size_t i = 0; i < s->room_count; i++) {
        if (!s->rooms[i].open) {
            return (int)i;
        }
    }
    return s->room_count < STATE_ROOMS_MAX ? (int)s->room_count : -1;
}

right_mask state_locks(const struct state *s, uint16_t room)
{
    right_mask open =
        s->policy.allow[ROLE_PARTICIPANT] & s->rooms[room].policy.allow[ROLE_PARTICIPANT];
    return ~open;
}

/* ---- lists
 * ---------------------------------------------------------------------------------------- */

bool state_link_used(const struct state *s, const struct id *jti)
{
    for (size_t i = 0; i < s->link_count; i++) {
        if (id_equal(&s->links[i].jti, jti)) {
            return true;
        }
    }
    return false;
}

const struct chat_entry *state_chat(const struct state *s, size_t i)
{
    return &s->chat[(s->chat_first + i) % STATE_CHAT_MAX];
}

size_t state_hands(const struct state *s, const struct seat **out, size_t cap)
{
    size_t count = 0;
    for (size_t i = 0; i < s->seat_count; i++) {
        const struct seat *seat = s->seats[i];
        if (!seat->hand_seq || count == cap) {
            continue;
        }
        size_t at = count++;
        while (at > 0 && out[at - 1]->hand_seq > seat->hand_seq) {
            out[at] = out[at - 1];
            at--;
        }
        out[at] = seat;
    }
    return count;
}

static bool in_chat(const struct state *s, const struct id *person)
{
    for (size_t i = 0; i < s->chat_count; i++) {
        if (id_equal(&state_chat(s, i)->from, person)) {
            return true;
        }
    }
    return false;
}

/* Who may be forgotten for the sake of somebody new: absent, never banned, the longest gone. */
static size_t oldest_absent(const struct state *s)
{
    size_t best = s->person_count;
    for (size_t i = 0; i < s->person_count; i++) {
        const struct person *p = s->persons[i];
        bool older = best == s->person_count || p->left_seq < s->persons[best]->left_seq;
        if (!p->seat && !p->banned && !p->wait_seq && older && !in_chat(s, &p->id)) {
            best = i;
        }
    }
    return best;
}

bool state_has_room(const struct state *s)
{
    return s->seat_count < STATE_SEATS_MAX &&
           (s->person_count < STATE_PERSONS_MAX || oldest_absent(s) < s->person_count);
}

/* ---- for the fold (state_edit.h)
 * ------------------------------------------------------------------ */

static void forget_oldest(struct state *s)
{
    size_t at = oldest_absent(s);
    if (at == s->person_count) {
        return;
    }
    struct person *p = s->persons[at];
    rtext_put(&p->name);
    size_t behind = s->person_count - at - 1;
    memmove(&s->persons[at], &s->persons[at + 1], behind * sizeof(*s->persons));
    memmove(&s->person_keys[at], &s->person_keys[at + 1], behind * sizeof(*s->person_keys));
    s->person_count--;
    memset(p, 0, sizeof(*p));
    p->next_spare = s->spare_persons;
    s->spare_persons = p;
    s->spare_person_count++;
}

struct person *state_add_person(struct state *s, const struct id *id)
{
    if (s->person_count >= STATE_PERSONS_MAX) {
        forget_oldest(s);
    }
    bool reserved = s->spare_persons && s->person_count < s->person_cap;
    if (s->person_count >= STATE_PERSONS_MAX || (!reserved && state_reserve(s, 1, 0))) {
        return NULL;
    }
    struct person *p = s->spare_persons;
    s->spare_persons = p->next_spare;
    s->spare_person_count--;
    memset(p, 0, sizeof(*p));
    p->id = *id;
    s->persons[s->person_count] = p;
    s->person_keys[s->person_count++] = id_key(id);
    return p;
}

struct seat *state_add_seat(struct state *s, struct person *person)
{
    bool reserved = s->spare_seats && s->seat_count < s->seat_cap;
    if (s->seat_count >= STATE_SEATS_MAX || (!reserved && state_reserve(s, 1, 0))) {
        return NULL;
    }
    struct seat *seat = s->spare_seats;
    s->spare_seats = seat->next_spare;
    s->spare_seat_count--;
    memset(seat, 0, sizeof(*seat));
    seat->person = person;
    person->seat = seat;
    s->seats[s->seat_count++] = seat;
    return seat;
}

void state_remove_seat(struct state *s, struct seat *seat)
{
    size_t at = 0;
    while (s->seats[at] != seat) {
        at++;
    }
    memmove(&s->seats[at], &s->seats[at + 1], (s->seat_count - at - 1) * sizeof(struct seat *));
    s->seat_count--;
    seat->person->seat = NULL;
    mem_free(seat->far);
    seat->far = NULL;
    seat->next_spare = s->spare_seats;
    s->spare_seats = seat;
    s->spare_seat_count++;
}
