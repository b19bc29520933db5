/* Heap: the text of a decoded event, and a box while it is opened; bounded by EVENT_TEXT_MAX. */
#include "signaling/journal/event.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "signaling/schema/id_rw.h"

enum { EVENT_TYPE_MAX = 255 };

#define EVENT(id, number, version, see, fields) [number] = {#id, version, see, fields},
static const struct event_row rows[EVENT_TYPE_MAX + 1] = {
#include "signaling/journal/events.def"
};
#undef EVENT

const struct event_row *event_row(unsigned type)
{
    return type <= EVENT_TYPE_MAX && rows[type].name ? &rows[type] : NULL;
}

void event_fini(struct event *event)
{
    rtext_put(&event->text);
}

const struct id *event_owner(const struct event *event, const struct sealer *sealer)
{
    const struct event_row *row = event_row(event->type);
    return row && sealer && (row->fields & EVF_CLASS) ? &sealer->home : &event->person;
}

/* ---- texts
 * ---------------------------------------------------------------------------------------- */

enum { SEAL_NONE, SEAL_PERSON, SEAL_WORDS };

static int write_box(struct wr *w, const struct rtext *text, const struct id *person,
                     const struct sealer *sealer, unsigned how)
{
    size_t len = rtext_len(text);
    if (!sealer || len == 0) {
        wr_u8(w, SEAL_NONE);
        wr_u32(w, (uint32_t)len);
        wr_bytes(w, rtext_str(text), len);
        return w->bad ? E_FULL : 0;
    }
    struct id words = seal_words_id(person);
    const uint8_t *key = sealer->key_h(sealer->arg, how == SEAL_WORDS ? &words : person);
    if (!key) {
        return E_NOTFOUND;
    }
    size_t box = len + TOKEN_OPS_SEAL_EXTRA;
    wr_u8(w, (uint8_t)how);
    wr_u32(w, (uint32_t)box);
    uint8_t *at = wr_room(w, box);
    return at ? sealer->ops.seal_h(at, box, key, text->s, len) : E_FULL;
}

int seal_write(struct wr *w, const struct rtext *text, const struct id *person,
               const struct sealer *sealer)
{
    return write_box(w, text, person, sealer, SEAL_PERSON);
}

int seal_write_words(struct wr *w, const struct rtext *text, const struct id *person,
                     const struct sealer *sealer)
{
    return write_box(w, text, person, sealer, SEAL_WORDS);
}

int seal_keep_words(struct wr *w, const struct rtext *text, const struct id *person,
                    const struct sealer *sealer)
{
    int err = seal_write_words(w, text, person, sealer);
    err = err == E_NOTFOUND ? seal_write(w, text, person, sealer) : err;
    return err == E_NOTFOUND ? seal_write(w, NULL, person, sealer) : err;
}

int seal_write_ours(struct wr *w, const struct rtext *text, const struct sealer *sealer)
{
    static const struct id nobody = {{0}};
    bool key = sealer && sealer->key_h(sealer->arg, &sealer->home);
    return seal_write(w, text, key ? &sealer->home : &nobody, key ? sealer : NULL);
}

static int open_box(struct rtext **out, const uint8_t *box, size_t len, const uint8_t *key,
                    const struct sealer *sealer)
{
    if (len < TOKEN_OPS_SEAL_EXTRA) {
        return E_CORRUPT;
    }
    size_t cap = len - TOKEN_OPS_SEAL_EXTRA;
    struct rtext *text = mem_alloc(sizeof(*text) + cap + 1);
    if (!text) {
        return E_NOMEM;
    }
    size_t got = 0;
    if (sealer->ops.open_h((uint8_t *)text->s, cap, &got, key, box, len) || got != cap) {
        mem_free(text);
        return E_CORRUPT;
    }
    text->refs = 1;
    text->len = (uint32_t)got;
    *out = text;
    return 0;
}

int seal_read(struct rd *r, struct rtext **out, const struct id *person,
              const struct sealer *sealer)
{
    *out = NULL;
    unsigned sealed = rd_u8(r);
    size_t len = rd_u32(r);
    const uint8_t *data = rd_bytes(r, len);
    if (!data || len > EVENT_TEXT_MAX) {
        return E_CORRUPT;
    }
    if (len == 0) {
        return 0;
    }
    if (sealed > SEAL_WORDS) {
        return E_CORRUPT;
    }
    if (!sealed) {
        *out = rtext_new((const char *)data, len);
        return *out ? 0 : E_NOMEM;
    }
    struct id words = seal_words_id(person);
    const struct id *whose = sealed == SEAL_WORDS ? &words : person;
    const uint8_t *key = sealer ? sealer->key_h(sealer->arg, whose) : NULL;
    return key ? open_box(out, data, len, key, sealer) : 0;
}

/* ---- events
 * --------------------------------------------------------------------------------------- */

static uint16_t mask_of(const struct event *e)
{
    unsigned mask = 0;
    mask |= e->cmd ? EVF_CMD : 0;
    mask |= id_is_zero(&e->person) ? 0 : EVF_PERSON;
    mask |= id_is_zero(&e->device) ? 0 : EVF_DEVICE;
    mask |= id_is_zero(&e->other) ? 0 : EVF_OTHER;
    mask |= e->a ? EVF_A : 0;
    mask |= e->b ? EVF_B : 0;
    mask |= e->n ? EVF_N : 0;
    return (uint16_t)mask;
}

int event_encode(struct wr *w, const struct event *e, const struct sealer *sealer)
{
    const struct event_row *row = event_row(e->type);
    uint16_t mask = mask_of(e);
    if (!row || (mask & ~(row->fields | EVF_CMD)) != 0) {
        return E_BAD;
    }
    if (e->text) {
        mask |= row->fields & (EVF_TEXT | EVF_SEALED);
    }
    wr_u8(w, EVENT_FORMAT);
    wr_u16(w, (uint16_t)e->type);
    wr_u8(w, row->version);
    wr_u64(w, e->seq);
    wr_u64(w, (uint64_t)e->at);
    wr_u16(w, mask);
    if (mask & EVF_CMD) {
        wr_u64(w, e->cmd);
        id_write(w, &e->actor);
    }
    const struct id *ids[] = {&e->person, &e->device, &e->other};
    for (unsigned i = 0; i < 3; i++) {
        if (mask & (unsigned)EVF_PERSON << i) {
            id_write(w, ids[i]);
        }
    }
    if (mask & EVF_A) {
        wr_u32(w, e->a);
    }
    if (mask & EVF_B) {
        wr_u32(w, e->b);
    }
    if (mask & EVF_N) {
        wr_u64(w, (uint64_t)e->n);
    }
    int err = 0;
    if (row->fields & EVF_WORDS && mask & EVF_SEALED) {
        err = seal_write_words(w, e->text, &e->person, sealer);
    } else if (mask & (EVF_TEXT | EVF_SEALED)) {
        err = seal_write(w, e->text, event_owner(e, sealer), mask & EVF_SEALED ? sealer : NULL);
    }
    return err ? err : w->bad ? E_FULL : 0;
}

static int read_fields(struct event *e, struct rd *r, unsigned mask, const struct sealer *sealer)
{
    if (mask & EVF_CMD) {
        e->cmd = rd_u64(r);
        e->actor = id_read(r);
    }
    struct id *ids[] = {&e->person, &e->device, &e->other};
    for (unsigned i = 0; i < 3; i++) {
        if (mask & (unsigned)EVF_PERSON << i) {
            *ids[i] = id_read(r);
        }
    }
    e->a = mask & EVF_A ? rd_u32(r) : 0;
    e->b = mask & EVF_B ? rd_u32(r) : 0;
    e->n = mask & EVF_N ? (int64_t)rd_u64(r) : 0;
    if (r->bad) {
        return E_CORRUPT;
    }
    if (mask & (EVF_TEXT | EVF_SEALED)) {
        return seal_read(r, &e->text, event_owner(e, sealer), sealer);
    }
    return 0;
}

int event_decode(struct event *out, const void *data, size_t len, const struct sealer *sealer)
{
    memset(out, 0, sizeof(*out));
    struct rd r = rd_init(data, len);
    uint8_t format = rd_u8(&r);
    unsigned type = rd_u16(&r);
    uint8_t version = rd_u8(&r);
    uint64_t seq = rd_u64(&r);
    wall_ms at = (wall_ms)rd_u64(&r);
    unsigned mask = rd_u16(&r);
    if (r.bad || format == 0 || version == 0 || type == 0) {
        return E_CORRUPT;
    }
    const struct event_row *row = event_row(type);
    if (format > EVENT_FORMAT || !row || version > row->version || mask > EVF_KNOWN) {
        return E_VERSION;
    }
    if ((mask & ~(row->fields | EVF_CMD)) != 0) {
        return E_CORRUPT;
    }
    out->type = (enum event_type)type;
    out->seq = seq;
    out->at = at;
    int err = read_fields(out, &r, mask, sealer);
    if (!err && (r.bad || rd_left(&r) != 0)) {
        err = E_CORRUPT;
    }
    if (err) {
        event_fini(out);
    }
    return err;
}
