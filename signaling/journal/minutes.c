#include "signaling/journal/minutes.h"

#include <string.h>

#include "codec/base/err.h"
#include "signaling/journal/part.h"

enum { MINUTES_FORMAT = 1 };

int minutes_find(const struct minutes *m, const struct id *id)
{
    for (uint32_t i = 0; i < m->count; i++) {
        if (id_equal(&m->list[i].id, id)) {
            return (int)i;
        }
    }
    return -1;
}

void minutes_forget(struct state *s, const struct id *person, bool whole)
{
    for (uint32_t i = 0; i < s->minutes.count; i++) {
        struct minute *m = &s->minutes.list[i];
        if (id_equal(&m->by, person)) {
            rtext_put(&m->text);
            if (whole) {
                rtext_put(&m->name);
            }
        }
    }
}

/* ---- fold
 * ----------------------------------------------------------------------------------------- */

static int noted(struct state *s, const struct event *e)
{
    struct minutes *m = &s->minutes;
    const struct person *p = state_person(s, &e->person);
    if (!p || e->a >= MINUTE_KINDS || id_is_zero(&e->other) || m->count == MINUTES_MAX ||
        minutes_find(m, &e->other) >= 0) {
        return E_CORRUPT;
    }
    struct minute *one = &m->list[m->count++];
    *one = (struct minute){.id = e->other, .by = e->person, .at = e->at, .kind = (uint8_t)e->a};
    rtext_set(&one->name, p->name);
    rtext_set(&one->text, e->text);
    return 0;
}

static int struck(struct state *s, const struct event *e)
{
    struct minutes *m = &s->minutes;
    int at = minutes_find(m, &e->other);
    if (at < 0) {
        return E_CORRUPT;
    }
    rtext_put(&m->list[at].name);
    rtext_put(&m->list[at].text);
    m->count--;
    memmove(&m->list[at], &m->list[at + 1], (m->count - (uint32_t)at) * sizeof(m->list[0]));
    m->list[m->count] = (struct minute){.kind = 0};
    return 0;
}

static int minutes_fold(struct state *s, const struct event *e)
{
    switch ((unsigned)e->type) {
    case EVENT_MINUTE_NOTED:
        return noted(s, e);
    case EVENT_MINUTE_STRUCK:
        return struck(s, e);
    default:
        return E_CORRUPT;
    }
}

static void clear(struct state *s)
{
    for (uint32_t i = 0; i < s->minutes.count; i++) {
        rtext_put(&s->minutes.list[i].name);
        rtext_put(&s->minutes.list[i].text);
    }
    memset(&s->minutes, 0, sizeof(s->minutes));
}

/* They stay in the journal, with the session they belong to; the next one begins a new page. */
static void minutes_closed(struct state *s, const struct event *e)
{
    (void)e;
    clear(s);
}

/* ---- snapshot
 * ------------------------------------------------------------------------------------- */

static int minutes_put(struct wr *w, const struct state *s, const struct sealer *sealer)
{
    int err = 0;
    wr_u8(w, MINUTES_FORMAT);
    wr_u16(w, (uint16_t)s->minutes.count);
    for (uint32_t i = 0; i < s->minutes.count && !err; i++) {
        const struct minute *m = &s->minutes.list[i];
        bool erased = sealer && !sealer->key_h(sealer->arg, &m->by);
        wr_bytes(w, m->id.b, ID_LEN);
        wr_bytes(w, m->by.b, ID_LEN);
        wr_u64(w, (uint64_t)m->at);
        wr_u8(w, m->kind);
        err = seal_write(w, erased ? NULL : m->name, &m->by, sealer);
        err = err ? err : seal_keep_words(w, m->text, &m->by, sealer);
    }
    return err;
}

static void get_id(struct rd *r, struct id *out)
{
    const uint8_t *b = rd_bytes(r, ID_LEN);
    if (b) {
        memcpy(out->b, b, ID_LEN);
    }
}

static int minutes_get(struct state *s, struct rd *r, const struct sealer *sealer)
{
    if (rd_u8(r) > MINUTES_FORMAT) {
        return E_VERSION;
    }
    unsigned count = rd_u16(r);
    int err = r->bad || count > MINUTES_MAX ? E_CORRUPT : 0;
    for (unsigned i = 0; i < count && !err; i++) {
        struct minute *m = &s->minutes.list[s->minutes.count++];
        get_id(r, &m->id);
        get_id(r, &m->by);
        m->at = (wall_ms)rd_u64(r);
        m->kind = rd_u8(r);
        err = seal_read(r, &m->name, &m->by, sealer);
        err = err ? err : seal_read(r, &m->text, &m->by, sealer);
        err = err ? err : m->kind < MINUTE_KINDS ? 0 : E_CORRUPT;
    }
    return err;
}

const struct state_part minutes_part = {
    .tag = 0x4d49,
    .first = 132,
    .last = 139,
    .fold_h = minutes_fold,
    .fini_h = clear,
    .closed_h = minutes_closed,
    .put_h = minutes_put,
    .get_h = minutes_get,
};
