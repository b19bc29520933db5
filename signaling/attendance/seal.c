/* Heap: the bytes under the seal while it is computed. */
#include "signaling/attendance/seal.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/rw.h"

static const char label[] = "amphi-attendance-1";

enum { HEAD_LEN = 128, ROW_LEN = ID_LEN + 16, STAY_LEN = 16 + ID_LEN };

static void put_rules(struct wr *w, const struct attendance_rules *r)
{
    wr_u32(w, r->share_permille);
    wr_u32(w, r->minutes);
    wr_u32(w, r->bridge_ms);
    wr_u32(w, r->arrival_min);
    wr_u32(w, r->checks);
    wr_u8(w, r->as_lasted);
}

static void put_row(struct wr *w, const struct attendance_row *row)
{
    const struct attendee *p = row->who;
    wr_bytes(w, p->person.b, ID_LEN);
    wr_u8(w, p->role);
    wr_u8(w, row->computed);
    wr_u8(w, row->status);
    wr_u32(w, p->stay_count);
    for (uint32_t i = 0; i < p->stay_count; i++) {
        wr_u64(w, (uint64_t)p->stays[i].in);
        wr_u64(w, (uint64_t)p->stays[i].out);
        wr_bytes(w, p->stays[i].room.b, ID_LEN);
    }
}

/* The person with the smallest id above *after (any when NULL), or NULL. */
static const struct attendee *next_by_id(const struct sheet_session *s, const struct id *after)
{
    const struct attendee *best = NULL;
    for (uint32_t i = 0; i < s->count; i++) {
        const struct attendee *p = &s->people[i];
        bool above = !after || memcmp(p->person.b, after->b, ID_LEN) > 0;
        if (above && (!best || memcmp(p->person.b, best->person.b, ID_LEN) < 0)) {
            best = p;
        }
    }
    return best;
}

int attendance_seal(uint8_t out[ATTENDANCE_SEAL_LEN], const struct attendance_rules *rules,
                    const struct sheet *sheet, const struct sheet_session *session,
                    const struct token_ops *ops)
{
    static const uint8_t public_key[TOKEN_OPS_KEY_LEN];
    size_t cap = HEAD_LEN;
    if (session->closed == SHEET_OPEN) {
        return E_STATE;
    }
    for (uint32_t i = 0; i < session->count; i++) {
        cap += ROW_LEN + (size_t)session->people[i].stay_count * STAY_LEN;
    }
    uint8_t *bytes = mem_alloc(cap);
    if (!bytes) {
        return E_NOMEM;
    }
    struct wr w = wr_init(bytes, cap);
    wr_bytes(&w, label, sizeof(label) - 1);
    wr_bytes(&w, sheet->class_id.b, ID_LEN);
    wr_u64(&w, session->number);
    wr_u64(&w, (uint64_t)session->opened);
    wr_u64(&w, (uint64_t)session->closed);
    wr_u64(&w, (uint64_t)session->planned);
    wr_u64(&w, (uint64_t)session->planned_ms);
    put_rules(&w, rules);
    for (const struct attendee *p = next_by_id(session, NULL); p;
         p = next_by_id(session, &p->person)) {
        struct attendance_row row = attendance_row(rules, session, p, session->closed);
        put_row(&w, &row);
    }
    int err = w.bad ? E_FULL : 0;
    if (!err) {
        ops->sign_h(out, public_key, bytes, (size_t)(w.p - bytes));
    }
    mem_free(bytes);
    return err;
}
