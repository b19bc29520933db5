/* The section of workshops in a snapshot: a version, then each list: u32 count, elements. */
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/rw.h"
#include "signaling/journal/event.h"
#include "signaling/journal/workshops_edit.h"

enum { SECTION_VERSION = 1 };

/* ---- writing
 * -------------------------------------------------------------------------------------- */

struct out {
    struct wr *w;
    const struct sealer *sealer;
    int err;
};

static void put_id(struct out *o, const struct id *id)
{
    wr_bytes(o->w, id->b, ID_LEN);
}

/* Titles, names and tasks belong to the class. */
static void put_ours(struct out *o, const struct rtext *text)
{
    int err = seal_write_ours(o->w, text, o->sealer);
    o->err = o->err ? o->err : err;
}

static void put_text(struct out *o, const struct rtext *text, const struct id *person)
{
    bool erased = o->sealer && !o->sealer->key_h(o->sealer->arg, person);
    int err = seal_write(o->w, erased ? NULL : text, person, o->sealer);
    o->err = o->err ? o->err : err;
}

static void put_words(struct out *o, const struct rtext *text, const struct id *person)
{
    int err = seal_keep_words(o->w, text, person, o->sealer);
    o->err = o->err ? o->err : err;
}

static void put_set(struct out *o, const struct ws_set *set)
{
    put_id(o, &set->id);
    wr_u8(o->w, set->state);
    wr_u8(o->w, set->mode);
    wr_u8(o->w, set->change);
    wr_u8(o->w, set->late);
    wr_u8(o->w, set->back);
    wr_u8(o->w, set->choice);
    wr_u8(o->w, set->scope);
    wr_u16(o->w, set->closing_s);
    wr_u16(o->w, set->notice_s);
    wr_u16(o->w, set->minutes);
    wr_u32(o->w, set->opened);
    wr_u64(o->w, set->open_seq);
    wr_u64(o->w, (uint64_t)set->moves_due);
    wr_u64(o->w, (uint64_t)set->ends_due);
    wr_u64(o->w, (uint64_t)set->until);
    wr_u64(o->w, (uint64_t)set->opened_at);
    wr_u64(o->w, (uint64_t)set->closed_at);
    put_ours(o, set->title);
}

static void put_room(struct out *o, const struct ws_room *r)
{
    put_id(o, &r->id);
    put_id(o, &r->set);
    put_id(o, &r->facilitator);
    wr_u8(o->w, r->state);
    wr_u8(o->w, r->scope);
    wr_u8(o->w, r->record);
    wr_u16(o->w, r->capacity);
    wr_u64(o->w, (uint64_t)r->until);
    put_ours(o, r->name);
    put_ours(o, r->task);
    put_ours(o, r->materials);
}

static void put_note(struct out *o, const struct ws_note *n)
{
    put_id(o, &n->id);
    put_id(o, &n->room);
    put_id(o, &n->from);
    wr_u64(o->w, (uint64_t)n->at);
    put_text(o, n->name, &n->from);
    put_words(o, n->text, &n->from);
}

static void put_word(struct out *o, const struct ws_word *word)
{
    put_id(o, &word->id);
    put_id(o, &word->from);
    wr_u8(o->w, word->kind);
    wr_u8(o->w, word->all);
    wr_u64(o->w, (uint64_t)word->at);
    wr_u64(o->w, (uint64_t)word->ended_at);
    put_text(o, word->name, &word->from);
    put_words(o, word->text, &word->from);
}

static void put_call(struct out *o, const struct ws_call *call)
{
    put_id(o, &call->room);
    put_id(o, &call->person);
    put_id(o, &call->by);
    wr_u8(o->w, call->state);
    wr_u64(o->w, (uint64_t)call->at);
    wr_u64(o->w, (uint64_t)call->changed_at);
    put_words(o, call->text, &call->person);
}

static void put_small(struct out *o, const struct workshops *w, enum ws_list_kind kind, uint32_t i)
{
    if (kind == WS_PLACES) {
        const struct ws_place *p = ws_place_at(w, i);
        put_id(o, &p->set);
        put_id(o, &p->person);
        put_id(o, &p->room);
        wr_u8(o->w, p->stand);
        wr_u8(o->w, p->pinned);
        wr_u64(o->w, (uint64_t)p->until);
    } else if (kind == WS_SPANS) {
        const struct ws_span *span = ws_span_at(w, i);
        put_id(o, &span->room);
        put_id(o, &span->person);
        wr_u64(o->w, (uint64_t)span->from);
        wr_u64(o->w, (uint64_t)span->to);
    } else if (kind == WS_TARGETS) {
        put_id(o, &ws_target_at(w, i)->word);
        put_id(o, &ws_target_at(w, i)->room);
    } else if (kind == WS_VOICES) {
        const struct ws_voice *v = ws_voice_at(w, i);
        put_id(o, &v->id);
        put_id(o, &v->person);
        put_id(o, &v->device);
        wr_u16(o->w, v->channel);
        wr_u8(o->w, v->kind);
        wr_u8(o->w, v->all);
        wr_u8(o->w, v->mic_before);
    } else if (kind == WS_LISTENERS) {
        const struct ws_listener *l = ws_listener_at(w, i);
        put_id(o, &l->person);
        put_id(o, &l->device);
        put_id(o, &l->room);
        wr_u8(o->w, l->desk);
    } else if (kind == WS_LABELS) {
        put_id(o, &ws_label_at(w, i)->person);
        put_text(o, ws_label_at(w, i)->text[0], &ws_label_at(w, i)->person);
        put_text(o, ws_label_at(w, i)->text[1], &ws_label_at(w, i)->person);
    }
}

int ws_put(struct wr *wr, const struct state *s, const struct sealer *sealer)
{
    const struct workshops *w = &s->workshops;
    struct out o = {.w = wr, .sealer = sealer};
    wr_u8(wr, SECTION_VERSION);
    wr_u16(wr, w->channel);
    for (unsigned k = 0; k < WS_LISTS; k++) {
        wr_u32(wr, w->list[k].count);
        for (uint32_t i = 0; i < w->list[k].count; i++) {
            if (k == WS_SETS) {
                put_set(&o, ws_set_at(w, i));
            } else if (k == WS_ROOMS) {
                put_room(&o, ws_room_at(w, i));
            } else if (k == WS_NOTES || k == WS_STAFF) {
                put_note(&o, k == WS_NOTES ? ws_note_at(w, i) : ws_staff_at(w, i));
            } else if (k == WS_WORDS) {
                put_word(&o, ws_word_at(w, i));
            } else if (k == WS_CALLS) {
                put_call(&o, ws_call_at(w, i));
            } else {
                put_small(&o, w, (enum ws_list_kind)k, i);
            }
        }
    }
    return o.err ? o.err : wr->bad ? E_FULL : 0;
}

/* ---- reading
 * -------------------------------------------------------------------------------------- */

struct in {
    struct rd *r;
    const struct sealer *sealer;
    int err;
};

static void get_id(struct in *in, struct id *out)
{
    const uint8_t *b = rd_bytes(in->r, ID_LEN);
    if (b) {
        memcpy(out->b, b, ID_LEN);
    }
}

static void get_text(struct in *in, struct rtext **out, const struct id *person)
{
    int err = in->err ? in->err : seal_read(in->r, out, person, in->sealer);
    in->err = err;
}

static void get_ours(struct in *in, struct rtext **out)
{
    static const struct id nobody = {{0}};
    get_text(in, out, in->sealer ? &in->sealer->home : &nobody);
}

static uint8_t get_below(struct in *in, unsigned count)
{
    uint8_t v = rd_u8(in->r);
    if (v >= count && !in->err) {
        in->err = E_CORRUPT;
    }
    return v;
}

static void get_set(struct in *in, struct ws_set *set)
{
    get_id(in, &set->id);
    set->state = get_below(in, WS_SET_STATES);
    set->mode = get_below(in, 2);
    set->change = get_below(in, 3);
    set->late = get_below(in, 4);
    set->back = rd_u8(in->r) != 0;
    set->choice = rd_u8(in->r) != 0;
    set->scope = get_below(in, 2);
    set->closing_s = rd_u16(in->r);
    set->notice_s = rd_u16(in->r);
    set->minutes = rd_u16(in->r);
    set->opened = rd_u32(in->r);
    set->open_seq = rd_u64(in->r);
    set->moves_due = (int64_t)rd_u64(in->r);
    set->ends_due = (int64_t)rd_u64(in->r);
    set->until = (int64_t)rd_u64(in->r);
    set->opened_at = (wall_ms)rd_u64(in->r);
    set->closed_at = (wall_ms)rd_u64(in->r);
    get_ours(in, &set->title);
}

static void get_room(struct in *in, struct ws_room *r)
{
    get_id(in, &r->id);
    get_id(in, &r->set);
    get_id(in, &r->facilitator);
    r->state = get_below(in, WS_ROOM_STATES);
    r->scope = get_below(in, 2);
    r->record = rd_u8(in->r) != 0;
    r->capacity = rd_u16(in->r);
    r->until = (int64_t)rd_u64(in->r);
    get_ours(in, &r->name);
    get_ours(in, &r->task);
    get_ours(in, &r->materials);
}

static void get_note(struct in *in, struct ws_note *n)
{
    get_id(in, &n->id);
    get_id(in, &n->room);
    get_id(in, &n->from);
    n->at = (wall_ms)rd_u64(in->r);
    get_text(in, &n->name, &n->from);
    get_text(in, &n->text, &n->from);
}

static void get_word(struct in *in, struct ws_word *word)
{
    get_id(in, &word->id);
    get_id(in, &word->from);
    word->kind = get_below(in, 3);
    word->all = rd_u8(in->r) != 0;
    word->at = (wall_ms)rd_u64(in->r);
    word->ended_at = (wall_ms)rd_u64(in->r);
    get_text(in, &word->name, &word->from);
    get_text(in, &word->text, &word->from);
}

static void get_call(struct in *in, struct ws_call *call)
{
    get_id(in, &call->room);
    get_id(in, &call->person);
    get_id(in, &call->by);
    call->state = get_below(in, WS_CALLS_N);
    call->at = (wall_ms)rd_u64(in->r);
    call->changed_at = (wall_ms)rd_u64(in->r);
    get_text(in, &call->text, &call->person);
}

static void get_small(struct in *in, enum ws_list_kind kind, void *at)
{
    if (kind == WS_PLACES) {
        struct ws_place *p = at;
        get_id(in, &p->set);
        get_id(in, &p->person);
        get_id(in, &p->room);
        p->stand = get_below(in, WS_STANDS);
        p->pinned = rd_u8(in->r) != 0;
        p->until = (int64_t)rd_u64(in->r);
    } else if (kind == WS_SPANS) {
        struct ws_span *span = at;
        get_id(in, &span->room);
        get_id(in, &span->person);
        span->from = (wall_ms)rd_u64(in->r);
        span->to = (wall_ms)rd_u64(in->r);
    } else if (kind == WS_TARGETS) {
        struct ws_target *t = at;
        get_id(in, &t->word);
        get_id(in, &t->room);
    } else if (kind == WS_VOICES) {
        struct ws_voice *v = at;
        get_id(in, &v->id);
        get_id(in, &v->person);
        get_id(in, &v->device);
        v->channel = rd_u16(in->r);
        v->kind = get_below(in, 3);
        v->all = rd_u8(in->r) != 0;
        v->mic_before = rd_u8(in->r) != 0;
    } else if (kind == WS_LISTENERS) {
        struct ws_listener *l = at;
        get_id(in, &l->person);
        get_id(in, &l->device);
        get_id(in, &l->room);
        l->desk = rd_u8(in->r) != 0;
    } else if (kind == WS_LABELS) {
        struct ws_label *l = at;
        get_id(in, &l->person);
        get_text(in, &l->text[0], &l->person);
        get_text(in, &l->text[1], &l->person);
    }
}

static void get_one(struct in *in, enum ws_list_kind kind, void *at)
{
    if (kind == WS_SETS) {
        get_set(in, at);
    } else if (kind == WS_ROOMS) {
        get_room(in, at);
    } else if (kind == WS_NOTES || kind == WS_STAFF) {
        get_note(in, at);
    } else if (kind == WS_WORDS) {
        get_word(in, at);
    } else if (kind == WS_CALLS) {
        get_call(in, at);
    } else {
        get_small(in, kind, at);
    }
}

int ws_get(struct state *s, struct rd *r, const struct sealer *sealer)
{
    struct in in = {.r = r, .sealer = sealer};
    if (rd_u8(r) > SECTION_VERSION) {
        return E_VERSION;
    }
    s->workshops.channel = rd_u16(r);
    for (unsigned k = 0; k < WS_LISTS && !in.err; k++) {
        uint32_t count = rd_u32(r);
        if (count > ws_list_max((enum ws_list_kind)k)) {
            return E_CORRUPT;
        }
        for (uint32_t i = 0; i < count && !in.err && !r->bad; i++) {
            void *at = ws_push(&s->workshops, (enum ws_list_kind)k);
            if (!at) {
                return E_NOMEM;
            }
            get_one(&in, (enum ws_list_kind)k, at);
        }
    }
    return in.err ? in.err : r->bad ? E_CORRUPT : 0;
}
