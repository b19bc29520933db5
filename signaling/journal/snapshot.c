/* Heap: the bytes of one snapshot while it is made, the state that is read. */
#include "signaling/journal/snapshot.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/rw.h"
#include "signaling/journal/event.h"
#include "signaling/journal/part.h"
#include "signaling/journal/state_edit.h"
#include "signaling/schema/id_rw.h"

/* ---- writing
 * -------------------------------------------------------------------------------------- */

/* An erased person has no key any more; what is left of the name must not be kept. */
static int put_sealed(struct wr *w, const struct rtext *text, const struct id *person,
                      const struct sealer *sealer)
{
    bool erased = sealer && !sealer->key_h(sealer->arg, person);
    return seal_write(w, erased ? NULL : text, person, sealer);
}

/* The first format knew three roles; the whole policy is in the section of the conduct. */
enum { BASE_ROLES = 3 };

static void put_policy(struct wr *w, const struct right_policy *policy)
{
    for (unsigned i = 0; i < BASE_ROLES; i++) {
        wr_u64(w, policy->allow[i]);
    }
}

static void put_seat(struct wr *w, const struct seat *seat)
{
    id_write(w, &seat->person->id);
    wr_u64(w, seat->joined_seq);
    wr_u64(w, (uint64_t)seat->joined_at);
    wr_u8(w, seat->away);
    wr_u16(w, seat->room);
    wr_u8(w, seat->hand_kind);
    wr_u64(w, seat->hand_seq);
    wr_u64(w, (uint64_t)seat->hand_at);
    wr_u8(w, seat->device_count);
    for (unsigned i = 0; i < seat->device_count; i++) {
        id_write(w, &seat->devices[i].id);
        wr_u32(w, seat->devices[i].generation);
        wr_u32(w, seat->devices[i].media | seat->devices[i].feed << MEDIA_FEED);
    }
    uint32_t kept = seat->command_count < STATE_COMMANDS_MAX ? seat->command_count
                                                             : (uint32_t)STATE_COMMANDS_MAX;
    wr_u32(w, seat->command_count);
    for (uint32_t i = 0; i < kept; i++) {
        wr_u64(w, seat_command_at(seat, i));
    }
}

static int put_persons(struct wr *w, const struct state *s, const struct sealer *sealer)
{
    wr_u32(w, (uint32_t)s->person_count);
    int err = 0;
    for (size_t i = 0; i < s->person_count && !err; i++) {
        const struct person *p = s->persons[i];
        id_write(w, &p->id);
        wr_u8(w, p->role);
        wr_u8(w, p->role_link);
        wr_u8(w, p->banned);
        wr_u64(w, p->grant);
        wr_u64(w, p->deny);
        wr_u64(w, p->left_seq);
        id_write(w, &p->last_device);
        wr_u32(w, p->last_generation);
        wr_u8(w, (uint8_t)p->kept_count);
        for (uint32_t c = 0; c < p->kept_count; c++) {
            wr_u64(w, p->kept[c]);
        }
        err = put_sealed(w, p->name, &p->id, sealer);
    }
    wr_u32(w, (uint32_t)s->seat_count);
    for (size_t i = 0; i < s->seat_count; i++) {
        put_seat(w, s->seats[i]);
    }
    return err;
}

static int put_lists(struct wr *w, const struct state *s, const struct sealer *sealer)
{
    wr_u32(w, (uint32_t)s->link_count);
    for (size_t i = 0; i < s->link_count; i++) {
        id_write(w, &s->links[i].jti);
        wr_u64(w, (uint64_t)s->links[i].expires_at);
    }
    wr_u16(w, (uint16_t)s->room_count);
    for (size_t i = 0; i < s->room_count; i++) {
        id_write(w, &s->rooms[i].id);
        put_policy(w, &s->rooms[i].policy);
    }
    wr_u16(w, (uint16_t)s->chat_count);
    int err = 0;
    for (size_t i = 0; i < s->chat_count && !err; i++) {
        const struct chat_entry *c = state_chat(s, i);
        id_write(w, &c->id);
        id_write(w, &c->from);
        wr_u64(w, (uint64_t)c->at);
        err = put_sealed(w, c->name, &c->from, sealer);
        err = err ? err : seal_keep_words(w, c->text, &c->from, sealer);
    }
    return err;
}

static int put_state(struct wr *w, const struct state *s, const struct sealer *sealer)
{
    wr_u8(w, SNAPSHOT_FORMAT);
    id_write(w, &s->class_id);
    wr_u64(w, s->seq);
    wr_u8(w, (uint8_t)s->type);
    wr_u8(w, (uint8_t)s->session);
    wr_u8(w, s->ended);
    wr_u64(w, (uint64_t)s->created_at);
    wr_u64(w, (uint64_t)s->changed_at);
    id_write(w, &s->acting);
    put_policy(w, &s->policy);
    int err = seal_write_ours(w, s->title, sealer);
    if (!err) {
        err = put_persons(w, s, sealer);
    }
    if (!err) {
        err = put_lists(w, s, sealer);
    }
    if (!err) {
        err = parts_put(w, s, sealer);
    }
    return err ? err : w->bad ? E_FULL : 0;
}

int state_encode(const struct state *s, const struct sealer *sealer, uint8_t **out, size_t *len)
{
    size_t cap = 4096 + s->person_count * 256 + s->seat_count * 512 + s->chat_count * 256;
    for (; cap <= SNAPSHOT_LEN_MAX; cap *= 2) {
        uint8_t *data = mem_alloc(cap);
        if (!data) {
            return E_NOMEM;
        }
        struct wr w = wr_init(data, cap);
        int err = put_state(&w, s, sealer);
        if (!err) {
            *out = data;
            *len = wr_len(&w);
            return 0;
        }
        mem_free(data);
        if (err != E_FULL) {
            return err;
        }
    }
    return E_TOOBIG;
}

/* ---- reading
 * -------------------------------------------------------------------------------------- */

static void get_policy(struct rd *r, struct right_policy *policy)
{
    *policy = right_policy_open();
    for (unsigned i = 0; i < BASE_ROLES; i++) {
        policy->allow[i] = rd_u64(r);
    }
}

static int get_person(struct state *s, struct rd *r, const struct sealer *sealer)
{
    struct id id = id_read(r);
    if (r->bad || id_is_zero(&id) || state_person(s, &id)) {
        return E_CORRUPT;
    }
    struct person *p = state_add_person(s, &id);
    if (!p) {
        return s->person_count < STATE_PERSONS_MAX ? E_NOMEM : E_CORRUPT;
    }
    p->role = rd_u8(r);
    p->role_link = rd_u8(r);
    p->banned = rd_u8(r) != 0;
    p->grant = rd_u64(r);
    p->deny = rd_u64(r);
    p->left_seq = rd_u64(r);
    p->last_device = id_read(r);
    p->last_generation = rd_u32(r);
    p->kept_count = rd_u8(r);
    if (p->kept_count > STATE_KEPT_MAX) {
        p->kept_count = 0;
        return E_CORRUPT;
    }
    for (uint32_t c = 0; c < p->kept_count; c++) {
        p->kept[c] = rd_u64(r);
    }
    if (r->bad || p->role >= ROLE_COUNT || p->role_link >= ROLE_COUNT) {
        return E_CORRUPT;
    }
    return seal_read(r, &p->name, &p->id, sealer);
}

static int get_seat(struct state *s, struct rd *r)
{
    struct id id = id_read(r);
    struct person *p = r->bad ? NULL : state_person(s, &id);
    if (!p || p->seat) {
        return E_CORRUPT;
    }
    struct seat *seat = state_add_seat(s, p);
    if (!seat) {
        return s->seat_count < STATE_SEATS_MAX ? E_NOMEM : E_CORRUPT;
    }
    seat->joined_seq = rd_u64(r);
    seat->joined_at = (wall_ms)rd_u64(r);
    seat->away = rd_u8(r) != 0;
    seat->room = rd_u16(r);
    seat->hand_kind = rd_u8(r);
    seat->hand_seq = rd_u64(r);
    seat->hand_at = (wall_ms)rd_u64(r);
    seat->device_count = rd_u8(r);
    if (seat->device_count == 0 || seat->device_count > STATE_DEVICES_MAX ||
        seat->room >= STATE_ROOMS_MAX) {
        seat->device_count = 0;
        seat->room = 0;
        return E_CORRUPT;
    }
    for (unsigned i = 0; i < seat->device_count; i++) {
        seat->devices[i].id = id_read(r);
        seat->devices[i].generation = rd_u32(r);
        uint32_t media = rd_u32(r);
        seat->devices[i].media = media & MEDIA_ALL;
        seat->devices[i].feed = media >> MEDIA_FEED & MEDIA_ALL;
    }
    seat->command_count = rd_u32(r);
    uint32_t kept = seat->command_count < STATE_COMMANDS_MAX ? seat->command_count
                                                             : (uint32_t)STATE_COMMANDS_MAX;
    for (uint32_t i = 0; i < kept; i++) {
        seat_command_set(seat, i, rd_u64(r));
    }
    return r->bad ? E_CORRUPT : 0;
}

static int get_persons(struct state *s, struct rd *r, const struct sealer *sealer)
{
    uint32_t persons = rd_u32(r);
    int err = persons > STATE_PERSONS_MAX ? E_CORRUPT : 0;
    for (uint32_t i = 0; i < persons && !err; i++) {
        err = get_person(s, r, sealer);
    }
    uint32_t seats = err ? 0 : rd_u32(r);
    if (!err && seats > STATE_SEATS_MAX) {
        err = E_CORRUPT;
    }
    for (uint32_t i = 0; i < seats && !err; i++) {
        err = get_seat(s, r);
    }
    return err ? err : r->bad ? E_CORRUPT : 0;
}

static int get_links(struct state *s, struct rd *r)
{
    uint32_t count = rd_u32(r);
    if (r->bad || count > STATE_LINKS_MAX || rd_left(r) / (ID_LEN + 8) < count) {
        return E_CORRUPT;
    }
    if (state_reserve(s, 0, count)) {
        return E_NOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        s->links[i].jti = id_read(r);
        s->links[i].expires_at = (wall_ms)rd_u64(r);
    }
    s->link_count = count;
    return 0;
}

static int get_lists(struct state *s, struct rd *r, const struct sealer *sealer)
{
    int err = get_links(s, r);
    s->room_count = err ? 1 : rd_u16(r);
    if (err || s->room_count == 0 || s->room_count > STATE_ROOMS_MAX) {
        s->room_count = 1;
        return err ? err : E_CORRUPT;
    }
    for (size_t i = 0; i < s->room_count; i++) {
        s->rooms[i].id = id_read(r);
        s->rooms[i].open = true;
        get_policy(r, &s->rooms[i].policy);
    }
    for (size_t i = 0; i < s->seat_count; i++) {
        if (s->seats[i]->room >= s->room_count) {
            return E_CORRUPT;
        }
    }
    size_t chat = rd_u16(r);
    if (r->bad || chat > STATE_CHAT_MAX) {
        return E_CORRUPT;
    }
    for (; s->chat_count < chat && !err; s->chat_count++) {
        struct chat_entry *c = &s->chat[s->chat_count];
        c->id = id_read(r);
        c->from = id_read(r);
        c->at = (wall_ms)rd_u64(r);
        err = seal_read(r, &c->name, &c->from, sealer);
        err = err ? err : seal_read(r, &c->text, &c->from, sealer);
    }
    return err ? err : r->bad ? E_CORRUPT : 0;
}

static int get_state(struct state *s, struct rd *r, uint8_t format, const struct sealer *sealer)
{
    s->seq = rd_u64(r);
    unsigned type = rd_u8(r);
    unsigned session = rd_u8(r);
    s->ended = rd_u8(r);
    s->created_at = (wall_ms)rd_u64(r);
    s->changed_at = (wall_ms)rd_u64(r);
    s->acting = id_read(r);
    get_policy(r, &s->policy);
    if (r->bad || type >= CLASS_TYPE_COUNT || session >= SESSION_STATE_COUNT) {
        return E_CORRUPT;
    }
    s->type = (enum class_type)type;
    s->session = (enum session_state)session;
    int err = seal_read(r, &s->title, &s->class_id, sealer);
    if (!err) {
        err = get_persons(s, r, sealer);
    }
    if (!err) {
        err = get_lists(s, r, sealer);
    }
    if (!err && format > 1) {
        err = parts_get(s, r, sealer);
    }
    if (!err && (r->bad || rd_left(r) != 0)) {
        err = E_CORRUPT;
    }
    const struct seat *acting = err ? NULL : state_seat(s, &s->acting);
    if (!err && !id_is_zero(&s->acting) && !acting) {
        err = E_CORRUPT;
    }
    return err;
}

int state_decode(struct state **out, const void *data, size_t len, const struct sealer *sealer)
{
    *out = NULL;
    struct rd r = rd_init(data, len);
    uint8_t format = rd_u8(&r);
    if (format > SNAPSHOT_FORMAT) {
        return E_VERSION;
    }
    struct id class_id = id_read(&r);
    if (r.bad || format == 0 || id_is_zero(&class_id)) {
        return E_CORRUPT;
    }
    struct state *s = state_new(&class_id);
    if (!s) {
        return E_NOMEM;
    }
    int err = get_state(s, &r, format, sealer);
    if (err) {
        state_free(s);
        return err;
    }
    *out = s;
    return 0;
}
