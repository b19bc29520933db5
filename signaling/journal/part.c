#include "signaling/journal/part.h"

#include <string.h>

#include "codec/base/err.h"
#include "signaling/journal/conduct.h"
#include "signaling/journal/dates.h"
#include "signaling/journal/minutes.h"
#include "signaling/journal/passes.h"
#include "signaling/journal/roll.h"
#include "signaling/journal/stage.h"
#include "signaling/journal/workshops.h"

/* A new part: one row. */
static const struct state_part *const parts[] = {
    &conduct_part, &floor_part, &workshops_part, &stage_part,
    &roll_part,    &dates_part, &minutes_part,   &passes_part,
};
enum { PARTS = sizeof(parts) / sizeof(parts[0]) };

const struct state_part *state_part(size_t i)
{
    return i < PARTS ? parts[i] : NULL;
}

int parts_init(struct state *s)
{
    int err = 0;
    for (size_t i = 0; i < PARTS && !err; i++) {
        err = parts[i]->init_h ? parts[i]->init_h(s) : 0;
    }
    return err;
}

void parts_fini(struct state *s)
{
    for (size_t i = 0; i < PARTS; i++) {
        if (parts[i]->fini_h) {
            parts[i]->fini_h(s);
        }
    }
}

int parts_fold(struct state *s, const struct event *e)
{
    for (size_t i = 0; i < PARTS; i++) {
        if ((unsigned)e->type >= parts[i]->first && (unsigned)e->type <= parts[i]->last) {
            return parts[i]->fold_h(s, e);
        }
    }
    return E_CORRUPT;
}

void parts_vacate(struct state *s, struct seat *seat, const struct event *e)
{
    for (size_t i = 0; i < PARTS; i++) {
        if (parts[i]->vacate_h) {
            parts[i]->vacate_h(s, seat, e);
        }
    }
}

void parts_moved(struct state *s, struct seat *seat, uint16_t from, const struct event *e)
{
    for (size_t i = 0; i < PARTS; i++) {
        if (parts[i]->moved_h) {
            parts[i]->moved_h(s, seat, from, e);
        }
    }
}

void parts_closed(struct state *s, const struct event *e)
{
    for (size_t i = 0; i < PARTS; i++) {
        if (parts[i]->closed_h) {
            parts[i]->closed_h(s, e);
        }
    }
}

int parts_put(struct wr *w, const struct state *s, const struct sealer *sealer)
{
    wr_u16(w, PARTS);
    int err = 0;
    for (size_t i = 0; i < PARTS && !err; i++) {
        wr_u16(w, parts[i]->tag);
        uint8_t *len = wr_room(w, 4);
        size_t from = wr_len(w);
        err = parts[i]->put_h(w, s, sealer);
        if (len && !err && !w->bad) {
            put_u32(len, (uint32_t)(wr_len(w) - from));
        }
    }
    return err;
}

static const struct state_part *by_tag(unsigned tag)
{
    for (size_t i = 0; i < PARTS; i++) {
        if (parts[i]->tag == tag) {
            return parts[i];
        }
    }
    return NULL;
}

int parts_get(struct state *s, struct rd *r, const struct sealer *sealer)
{
    unsigned count = rd_u16(r);
    int err = r->bad ? E_CORRUPT : 0;
    for (unsigned i = 0; i < count && !err; i++) {
        const struct state_part *part = by_tag(rd_u16(r));
        size_t len = rd_u32(r);
        const uint8_t *bytes = rd_bytes(r, len);
        if (!bytes) {
            return E_CORRUPT;
        }
        if (!part) {
            return E_VERSION; /* of a newer program */
        }
        struct rd section = rd_init(bytes, len);
        err = part->get_h(s, &section, sealer);
        if (!err && (section.bad || rd_left(&section) != 0)) {
            err = E_CORRUPT;
        }
    }
    return err;
}
