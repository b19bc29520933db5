#include "signaling/journal/passes.h"

#include <string.h>

#include "codec/base/err.h"
#include "signaling/journal/part.h"
#include "signaling/schema/id_rw.h"

/* An expired token is refused by its date; two minutes cover the leeway of clocks. */
enum { PASSES_FORMAT = 1, PASS_SPARE_MS = 120000 };

int passes_find(const struct passes *p, const struct id *id)
{
    for (uint32_t i = 0; i < p->count; i++) {
        if (id_equal(&p->list[i].id, id)) {
            return (int)i;
        }
    }
    return -1;
}

bool passes_withdrawn(const struct passes *p, const struct id *id)
{
    int at = passes_find(p, id);
    return at >= 0 && p->list[at].withdrawn;
}

static bool over(const struct pass *p, wall_ms now)
{
    return p->expires_at + PASS_SPARE_MS <= now;
}

bool passes_room(const struct passes *p, wall_ms now)
{
    bool room = p->count < PASSES_MAX;
    for (uint32_t i = 0; i < p->count && !room; i++) {
        room = over(&p->list[i], now);
    }
    return room;
}

void passes_forget(struct state *s, const struct id *person)
{
    for (uint32_t i = 0; i < s->passes.count; i++) {
        if (id_equal(&s->passes.list[i].owner, person)) {
            rtext_put(&s->passes.list[i].name);
        }
    }
}

/* ---- fold
 * ----------------------------------------------------------------------------------------- */

/* Those that have expired make room. */
static void sweep(struct passes *p, wall_ms now)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        if (over(&p->list[i], now)) {
            rtext_put(&p->list[i].name);
        } else {
            p->list[kept++] = p->list[i];
        }
    }
    for (uint32_t i = kept; i < p->count; i++) {
        p->list[i] = (struct pass){.publish = false};
    }
    p->count = kept;
}

static int noted(struct state *s, const struct event *e, bool withdrawn)
{
    struct passes *p = &s->passes;
    if (id_is_zero(&e->other)) {
        return E_CORRUPT;
    }
    sweep(p, e->at);
    if (p->count == PASSES_MAX || passes_find(p, &e->other) >= 0) {
        return E_CORRUPT;
    }
    struct pass *one = &p->list[p->count++];
    *one = (struct pass){.id = e->other,
                         .owner = e->person,
                         .made_at = e->at,
                         .expires_at = e->n,
                         .publish = e->a == 1,
                         .withdrawn = withdrawn};
    rtext_set(&one->name, e->text);
    return 0;
}

/* One of an earlier release was never noted: that it is withdrawn must be. */
static int withdrawn(struct state *s, const struct event *e)
{
    int at = passes_find(&s->passes, &e->other);
    if (at < 0) {
        return noted(s, e, true);
    }
    s->passes.list[at].withdrawn = true;
    return 0;
}

static int passes_fold(struct state *s, const struct event *e)
{
    switch ((unsigned)e->type) {
    case EVENT_PASS_MADE:
        return noted(s, e, false);
    case EVENT_PASS_WITHDRAWN:
        return withdrawn(s, e);
    default:
        return E_CORRUPT;
    }
}

static void clear(struct state *s)
{
    for (uint32_t i = 0; i < s->passes.count; i++) {
        rtext_put(&s->passes.list[i].name);
    }
    memset(&s->passes, 0, sizeof(s->passes));
}

/* ---- snapshot
 * ------------------------------------------------------------------------------------- */

static int passes_put(struct wr *w, const struct state *s, const struct sealer *sealer)
{
    int err = 0;
    wr_u8(w, PASSES_FORMAT);
    wr_u16(w, (uint16_t)s->passes.count);
    for (uint32_t i = 0; i < s->passes.count && !err; i++) {
        const struct pass *p = &s->passes.list[i];
        bool erased = sealer && !sealer->key_h(sealer->arg, &p->owner);
        id_write(w, &p->id);
        id_write(w, &p->owner);
        wr_u64(w, (uint64_t)p->made_at);
        wr_u64(w, (uint64_t)p->expires_at);
        wr_u8(w, (uint8_t)((p->publish ? 1 : 0) | (p->withdrawn ? 2 : 0)));
        err = seal_write(w, erased ? NULL : p->name, &p->owner, sealer);
    }
    return err;
}

static int passes_get(struct state *s, struct rd *r, const struct sealer *sealer)
{
    if (rd_u8(r) > PASSES_FORMAT) {
        return E_VERSION;
    }
    unsigned count = rd_u16(r);
    int err = r->bad || count > PASSES_MAX ? E_CORRUPT : 0;
    for (unsigned i = 0; i < count && !err; i++) {
        struct pass *p = &s->passes.list[s->passes.count++];
        p->id = id_read(r);
        p->owner = id_read(r);
        p->made_at = (wall_ms)rd_u64(r);
        p->expires_at = (wall_ms)rd_u64(r);
        uint8_t bits = rd_u8(r);
        p->publish = bits & 1;
        p->withdrawn = bits & 2;
        err = seal_read(r, &p->name, &p->owner, sealer);
        err = err ? err : bits < 4 ? 0 : E_CORRUPT;
    }
    return err;
}

const struct state_part passes_part = {
    .tag = 0x5041,
    .first = 220,
    .last = 229,
    .fold_h = passes_fold,
    .fini_h = clear,
    .put_h = passes_put,
    .get_h = passes_get,
};
