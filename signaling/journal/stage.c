/* Heap: one struct stage per state of a class. */
#include "signaling/journal/stage.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/rw.h"
#include "signaling/schema/id_rw.h"

enum { STAGE_SECTION = 1, STAGE_TAG = 0x5354 };

/* ---- looking
 * ------------------------------------------------------------------------------------ */

bool stage_on_air(const struct state *s)
{
    return s->stage->phase == STAGE_AIR || s->stage->phase == STAGE_QUESTIONS;
}

static struct stage_member *find_member(const struct state *s, const struct id *person)
{
    struct stage *st = s->stage;
    for (size_t i = 0; i < st->member_count; i++) {
        if (id_equal(&st->members[i].person, person)) {
            return &st->members[i];
        }
    }
    return NULL;
}

static struct stage_invite *find_invite(const struct state *s, const struct id *person)
{
    struct stage *st = s->stage;
    for (size_t i = 0; i < st->invite_count; i++) {
        if (id_equal(&st->invites[i].person, person)) {
            return &st->invites[i];
        }
    }
    return NULL;
}

bool stage_role(unsigned role)
{
    return role_is_staff(role) || role == ROLE_SPEAKER || role == ROLE_INTERPRETER;
}

const struct stage_member *stage_member(const struct state *s, const struct id *person)
{
    return find_member(s, person);
}

const struct stage_invite *stage_invited(const struct state *s, const struct id *person)
{
    return find_invite(s, person);
}

enum stage_place stage_place(const struct state *s, const struct id *person)
{
    if (!stage_is(s)) {
        return PLACE_STAGE;
    }
    const struct stage_member *m = find_member(s, person);
    if (m) {
        return (enum stage_place)m->place;
    }
    /* Whoever belongs on the stage and has no place yet stands in the wings. */
    const struct person *p = state_person(s, person);
    return p && stage_role(p->role) ? PLACE_WINGS : PLACE_AUDIENCE;
}

size_t stage_count(const struct state *s, enum stage_place place)
{
    size_t count = 0;
    for (size_t i = 0; i < s->stage->member_count; i++) {
        count += s->stage->members[i].place == place;
    }
    return count;
}

size_t stage_audience(const struct state *s)
{
    size_t members = s->stage->member_count;
    return s->seat_count > members ? s->seat_count - members : 0;
}

right_mask stage_narrow(const struct state *s, const struct person *p, right_mask rights)
{
    const right_mask both = (right_mask)1 << RIGHT_SCREEN | (right_mask)1 << RIGHT_SOUND;
    const right_mask all = both | (right_mask)1 << RIGHT_MIC | (right_mask)1 << RIGHT_CAM;
    switch (stage_place(s, &p->id)) {
    case PLACE_STAGE:
        return rights;
    case PLACE_WINGS:
        return rights & ~both;
    case PLACE_AUDIENCE:
    case STAGE_PLACE_COUNT:
        break;
    }
    return rights & ~all;
}

enum stage_media stage_media(const struct state *s, const struct person *p)
{
    switch (stage_place(s, &p->id)) {
    case PLACE_STAGE:
        return STAGE_MEDIA_STAGE;
    case PLACE_WINGS:
        return STAGE_MEDIA_WINGS;
    case PLACE_AUDIENCE:
    case STAGE_PLACE_COUNT:
        break;
    }
    return stage_on_air(s) ? STAGE_MEDIA_STAGE : STAGE_MEDIA_LOBBY;
}

size_t stage_seats(const struct state *s, size_t most)
{
    int64_t seats = s->setting[SETTING_SEATS];
    int64_t all = seats > 0 && (size_t)seats < most ? seats : (int64_t)most;
    int64_t kept = s->setting[SETTING_RESERVED];
    return all > kept ? (size_t)(all - kept) : 0;
}

size_t stage_taken(const struct state *s)
{
    size_t taken = 0;
    for (size_t i = 0; i < s->seat_count; i++) {
        const struct seat *seat = s->seats[i];
        taken += !seat->light && !find_member(s, &seat->person->id);
    }
    return taken;
}

size_t stage_light(const struct state *s)
{
    size_t light = 0;
    for (size_t i = 0; i < s->seat_count; i++) {
        light += s->seats[i]->light;
    }
    return light;
}

bool stage_must_wait(const struct state *s, bool light)
{
    if (s->stage->phase == STAGE_BACKSTAGE) {
        return true;
    }
    if (s->setting[SETTING_SEATS] == 0 || stage_taken(s) < stage_seats(s, STATE_SEATS_MAX)) {
        return false;
    }
    return !light || stage_light(s) >= (size_t)s->setting[SETTING_LIGHT];
}

void stage_mark_chat(const struct state *s, const struct person *author, struct chat_entry *c)
{
    c->to_staff = stage_is(s) && s->setting[SETTING_CHAT_TO] == STAGE_CHAT_STAFF &&
                  stage_place(s, &author->id) == PLACE_AUDIENCE;
    c->unnamed_for = state_hidden_from(s, author);
}

unsigned stage_kind(const struct state *s, const struct person *viewer)
{
    if (!stage_is(s) || role_is_staff(viewer->role)) {
        return AUDIENCE_OF_STAFF;
    }
    unsigned names = s->setting[SETTING_AUDIENCE] == AUDIENCE_SHOWN ? AUDIENCE_NAMES : 0;
    bool below = stage_place(s, &viewer->id) == PLACE_AUDIENCE;
    return names + (below ? AUDIENCE_OF_SEATS : AUDIENCE_OF_STAGE);
}

bool stage_seen_by(const struct state *s, unsigned kind, const struct person *p)
{
    switch (kind == AUDIENCE_OF_STAFF ? PLACE_STAGE : stage_place(s, &p->id)) {
    case PLACE_STAGE:
        return true;
    case PLACE_WINGS:
        return !stage_is_below(kind);
    case PLACE_AUDIENCE:
    case STAGE_PLACE_COUNT:
        break;
    }
    return (kind & AUDIENCE_NAMES) != 0;
}

bool stage_may(enum stage_phase from, enum stage_phase to)
{
    static const uint8_t next[STAGE_PHASE_COUNT] = {
        [STAGE_BACKSTAGE] = 1 << STAGE_DOORS | 1 << STAGE_STARTING,
        [STAGE_DOORS] = 1 << STAGE_BACKSTAGE | 1 << STAGE_STARTING,
        [STAGE_STARTING] = 1 << STAGE_BACKSTAGE | 1 << STAGE_DOORS | 1 << STAGE_AIR,
        [STAGE_AIR] = 1 << STAGE_QUESTIONS | 1 << STAGE_DOORS,
        [STAGE_QUESTIONS] = 1 << STAGE_AIR | 1 << STAGE_DOORS,
    };
    return from < STAGE_PHASE_COUNT && to < STAGE_PHASE_COUNT && (next[from] >> to & 1) != 0;
}

/* ---- folding
 * ------------------------------------------------------------------------------------ */

static void drop_member(struct stage *st, struct stage_member *m)
{
    size_t at = (size_t)(m - st->members);
    memmove(m, m + 1, (st->member_count - at - 1) * sizeof(*m));
    st->members[--st->member_count] = (struct stage_member){.place = 0};
}

static void drop_invite(struct stage *st, struct stage_invite *i)
{
    size_t at = (size_t)(i - st->invites);
    memmove(i, i + 1, (st->invite_count - at - 1) * sizeof(*i));
    st->invites[--st->invite_count] = (struct stage_invite){.due = 0};
}

static int phase_changed(struct state *s, const struct event *e)
{
    struct stage *st = s->stage;
    enum stage_phase to = (enum stage_phase)e->a;
    if (!stage_may(st->phase, to)) {
        return E_CORRUPT;
    }
    if (to == STAGE_STARTING) {
        st->before = st->phase;
    }
    bool was = stage_on_air(s);
    st->phase = to;
    st->due = to == STAGE_STARTING ? e->n : 0;
    st->changed_at = e->at;
    bool is = stage_on_air(s);
    st->air_at = !is ? 0 : was ? st->air_at : e->at;
    st->opens_due = is ? 0 : st->opens_due;
    return 0;
}

static int placed(struct state *s, const struct event *e)
{
    struct stage *st = s->stage;
    struct stage_member *m = find_member(s, &e->person);
    if (e->a >= STAGE_PLACE_COUNT || !state_seat(s, &e->person) || e->b > ROLE_COUNT) {
        return E_CORRUPT;
    }
    if (e->a == PLACE_AUDIENCE) {
        if (!m) {
            return E_CORRUPT;
        }
        drop_member(st, m);
        return 0;
    }
    bool more = e->a == PLACE_STAGE && !(m && m->place == PLACE_STAGE);
    if ((!m && st->member_count == STAGE_MEMBERS_MAX) ||
        (more && stage_count(s, PLACE_STAGE) == STAGE_ON_MAX)) {
        return E_CORRUPT;
    }
    struct stage_invite *invite = find_invite(s, &e->person);
    if (invite) {
        drop_invite(st, invite);
    }
    if (!m) {
        m = &st->members[st->member_count++];
        *m = (struct stage_member){.person = e->person};
    }
    m->since = m->place == e->a ? m->since : e->seq;
    m->place = (uint8_t)e->a;
    m->home = (uint8_t)e->b;
    m->due = e->n;
    return 0;
}

static int invited(struct state *s, const struct event *e)
{
    struct stage *st = s->stage;
    if (!state_seat(s, &e->person) || find_invite(s, &e->person) || find_member(s, &e->person) ||
        st->invite_count == STAGE_INVITES_MAX) {
        return E_CORRUPT;
    }
    st->invites[st->invite_count++] =
        (struct stage_invite){.person = e->person, .by = e->other, .due = e->n};
    return 0;
}

static int invite_ended(struct state *s, const struct event *e)
{
    struct stage_invite *invite = find_invite(s, &e->person);
    if (!invite || e->a >= INVITE_END_COUNT) {
        return E_CORRUPT;
    }
    drop_invite(s->stage, invite);
    return 0;
}

static int checked(struct state *s, const struct event *e)
{
    struct stage_member *m = find_member(s, &e->person);
    if (!m) {
        return E_CORRUPT;
    }
    m->checked = e->a & STAGE_CHECKED_ALL;
    return 0;
}

static int holding_set(struct state *s, const struct event *e)
{
    rtext_set(&s->stage->holding, e->text);
    s->stage->opens_due = e->n;
    s->stage->music = e->a != 0;
    return 0;
}

/* Of somebody who waits: what he would take. Of somebody seated: what he has. */
static int light_set(struct state *s, const struct event *e)
{
    struct person *p = state_person(s, &e->person);
    if (!p) {
        return E_CORRUPT;
    }
    p->light_wish = e->a != 0;
    if (p->seat) {
        p->seat->light = e->a != 0;
    }
    return 0;
}

static int stage_fold(struct state *s, const struct event *e)
{
    if (!stage_is(s)) {
        return E_CORRUPT;
    }
    unsigned type = e->type;
    switch (type) {
    case EVENT_STAGE_PHASE:
        return phase_changed(s, e);
    case EVENT_STAGE_PLACED:
        return placed(s, e);
    case EVENT_STAGE_INVITED:
        return invited(s, e);
    case EVENT_STAGE_INVITE_ENDED:
        return invite_ended(s, e);
    case EVENT_STAGE_CHECKED:
        return checked(s, e);
    case EVENT_STAGE_HOLDING:
        return holding_set(s, e);
    case EVENT_STAGE_FILL:
        s->stage->fill = (uint8_t)(e->a % 3);
        return 0;
    case EVENT_STAGE_LIGHT:
        return light_set(s, e);
    default:
        return E_CORRUPT;
    }
}

/* A guest who goes for good is of the audience again: nobody comes back onto a stage uninvited. */
static void stage_vacate(struct state *s, struct seat *seat, const struct event *e)
{
    (void)e;
    struct person *p = seat->person;
    struct stage_member *m = find_member(s, &p->id);
    struct stage_invite *invite = find_invite(s, &p->id);
    if (m && m->home) {
        p->role = (uint8_t)(m->home - 1);
    }
    if (m) {
        drop_member(s->stage, m);
    }
    if (invite) {
        drop_invite(s->stage, invite);
    }
}

/* The next run begins backstage; the holding text is kept. */
static void stage_closed(struct state *s, const struct event *e)
{
    for (size_t i = 0; i < s->person_count; i++) {
        s->persons[i]->light_wish = false;
    }
    struct rtext *holding = s->stage->holding;
    bool music = s->stage->music;
    *s->stage = (struct stage){.changed_at = e->at, .holding = holding, .music = music};
}

static int stage_init(struct state *s)
{
    s->stage = mem_alloc(sizeof(*s->stage));
    return s->stage ? 0 : E_NOMEM;
}

static void stage_fini(struct state *s)
{
    if (s->stage) {
        rtext_put(&s->stage->holding);
        mem_free(s->stage);
        s->stage = NULL;
    }
}

/* ---- snapshot
 * ----------------------------------------------------------------------------------- */

static void put_light(struct wr *w, const struct state *s)
{
    uint16_t count = 0;
    for (size_t i = 0; i < s->person_count; i++) {
        count = (uint16_t)(count + s->persons[i]->light_wish);
    }
    wr_u16(w, count);
    for (size_t i = 0; i < s->person_count && count; i++) {
        const struct person *p = s->persons[i];
        if (p->light_wish) {
            id_write(w, &p->id);
            wr_u8(w, p->seat && p->seat->light);
        }
    }
}

static int stage_put(struct wr *w, const struct state *s, const struct sealer *sealer)
{
    const struct stage *st = s->stage;
    (void)sealer;
    wr_u8(w, STAGE_SECTION);
    wr_u8(w, (uint8_t)st->phase);
    wr_u8(w, (uint8_t)st->before);
    wr_u64(w, (uint64_t)st->changed_at);
    wr_u64(w, (uint64_t)st->air_at);
    wr_u64(w, (uint64_t)st->due);
    wr_u64(w, (uint64_t)st->opens_due);
    wr_u8(w, st->music);
    wr_u8(w, st->fill);
    wr_u8(w, (uint8_t)st->member_count);
    for (size_t i = 0; i < st->member_count; i++) {
        const struct stage_member *m = &st->members[i];
        id_write(w, &m->person);
        wr_u8(w, m->place);
        wr_u8(w, m->home);
        wr_u8(w, m->checked);
        wr_u64(w, (uint64_t)m->due);
        wr_u64(w, m->since);
    }
    wr_u8(w, (uint8_t)st->invite_count);
    for (size_t i = 0; i < st->invite_count; i++) {
        id_write(w, &st->invites[i].person);
        id_write(w, &st->invites[i].by);
        wr_u64(w, (uint64_t)st->invites[i].due);
    }
    put_light(w, s);
    for (size_t i = 0; i < s->chat_count; i++) {
        wr_u8(w, state_chat(s, i)->to_staff);
        wr_u8(w, state_chat(s, i)->unnamed_for);
    }
    return seal_write_ours(w, st->holding, sealer);
}

static int get_members(struct state *s, struct rd *r)
{
    struct stage *st = s->stage;
    size_t count = rd_u8(r);
    if (count > STAGE_MEMBERS_MAX) {
        return E_CORRUPT;
    }
    for (size_t i = 0; i < count; i++) {
        struct stage_member m = {.person = id_read(r)};
        m.place = rd_u8(r);
        m.home = rd_u8(r);
        m.checked = rd_u8(r) & STAGE_CHECKED_ALL;
        m.due = (int64_t)rd_u64(r);
        m.since = rd_u64(r);
        bool place = m.place == PLACE_WINGS || m.place == PLACE_STAGE;
        if (r->bad || !place || m.home > ROLE_COUNT || !state_seat(s, &m.person)) {
            return E_CORRUPT;
        }
        st->members[st->member_count++] = m;
    }
    count = rd_u8(r);
    if (count > STAGE_INVITES_MAX) {
        return E_CORRUPT;
    }
    for (size_t i = 0; i < count; i++) {
        struct stage_invite v = {.person = id_read(r)};
        v.by = id_read(r);
        v.due = (int64_t)rd_u64(r);
        if (r->bad || !state_seat(s, &v.person)) {
            return E_CORRUPT;
        }
        st->invites[st->invite_count++] = v;
    }
    return 0;
}

static int get_light(struct state *s, struct rd *r)
{
    unsigned count = rd_u16(r);
    for (unsigned i = 0; i < count; i++) {
        struct id id = id_read(r);
        bool seated = rd_u8(r) != 0;
        struct person *p = r->bad ? NULL : state_person(s, &id);
        if (!p || (seated && !p->seat)) {
            return E_CORRUPT;
        }
        p->light_wish = true;
        if (p->seat) {
            p->seat->light = seated;
        }
    }
    return 0;
}

static int stage_get(struct state *s, struct rd *r, const struct sealer *sealer)
{
    struct stage *st = s->stage;
    (void)sealer;
    if (rd_u8(r) != STAGE_SECTION) {
        return r->bad ? E_CORRUPT : E_VERSION;
    }
    unsigned phase = rd_u8(r);
    unsigned before = rd_u8(r);
    if (phase >= STAGE_PHASE_COUNT || before >= STAGE_PHASE_COUNT) {
        return E_CORRUPT;
    }
    st->phase = (enum stage_phase)phase;
    st->before = (enum stage_phase)before;
    st->changed_at = (wall_ms)rd_u64(r);
    st->air_at = (wall_ms)rd_u64(r);
    st->due = (int64_t)rd_u64(r);
    st->opens_due = (int64_t)rd_u64(r);
    st->music = rd_u8(r) != 0;
    st->fill = rd_u8(r) % 3;
    int err = get_members(s, r);
    err = err ? err : get_light(s, r);
    for (size_t i = 0; i < s->chat_count && !err; i++) {
        struct chat_entry *c = &s->chat[(s->chat_first + i) % STATE_CHAT_MAX];
        c->to_staff = rd_u8(r) != 0;
        c->unnamed_for = rd_u8(r);
    }
    return err ? err : seal_read(r, &st->holding, &s->class_id, sealer);
}

const struct state_part stage_part = {
    .tag = STAGE_TAG,
    .first = EVENT_STAGE_PHASE,
    .last = 219,
    .fold_h = stage_fold,
    .init_h = stage_init,
    .fini_h = stage_fini,
    .vacate_h = stage_vacate,
    .closed_h = stage_closed,
    .put_h = stage_put,
    .get_h = stage_get,
};
