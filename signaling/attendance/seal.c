/* Heap: the bytes under the seal while it is computed. */
#include "signaling/attendance/seal.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/rw.h"

static const char label[] = "amphi-attendance-2";

enum { HEAD_LEN = 128, ROW_LEN = ID_LEN + 32, STAY_LEN = 16 + ID_LEN };

static void hex(char *out, const uint8_t *bytes)
{
    static const char digits[] = "0123456789abcdef";
    for (unsigned i = 0; i < ATTENDANCE_SEAL_LEN; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}

int chain_add(struct attendance_chain *chain, const void *event, size_t len,
              const struct token_ops *ops)
{
    static const uint8_t public_key[TOKEN_OPS_KEY_LEN];
    uint8_t *bytes = mem_alloc(ATTENDANCE_SEAL_LEN + len);
    if (!bytes) {
        return E_NOMEM;
    }
    memcpy(bytes, chain->digest, ATTENDANCE_SEAL_LEN);
    memcpy(bytes + ATTENDANCE_SEAL_LEN, event, len);
    ops->sign_h(chain->digest, public_key, bytes, ATTENDANCE_SEAL_LEN + len);
    chain->count++;
    mem_free(bytes);
    return 0;
}

int seal_text(char out[ATTENDANCE_SEAL_TEXT], const struct attendance_chain *chain,
              const struct sheet *sheet, const struct sheet_session *session,
              const struct token_ops *ops)
{
    struct attendance_rules rules = attendance_rules_of(sheet, session);
    uint8_t digest[ATTENDANCE_SEAL_LEN];
    int err = attendance_seal(digest, &rules, sheet, session, ops);
    if (!err) {
        hex(out, digest);
        out[2 * ATTENDANCE_SEAL_LEN] = ':';
        hex(out + 2 * ATTENDANCE_SEAL_LEN + 1, chain->digest);
    }
    return err;
}

bool seal_is_of_chain(const char *seal, const struct attendance_chain *chain)
{
    char text[2 * ATTENDANCE_SEAL_LEN + 1];
    hex(text, chain->digest);
    return strlen(seal) == ATTENDANCE_SEAL_TEXT - 1 && !strcmp(seal + sizeof(text), text);
}

bool seal_is_of_sheet(const struct sheet *sheet, const struct sheet_session *session,
                      const struct token_ops *ops)
{
    char text[2 * ATTENDANCE_SEAL_LEN + 1];
    uint8_t digest[ATTENDANCE_SEAL_LEN];
    struct attendance_rules rules = attendance_rules_of(sheet, session);
    if (!session->sealed || attendance_seal(digest, &rules, sheet, session, ops)) {
        return false;
    }
    hex(text, digest);
    return !strncmp(session->seal, text, sizeof(text) - 1);
}

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
    wr_u8(w, p->expected);
    wr_u32(w, p->checks_asked);
    wr_u32(w, p->checks_passed);
    wr_u32(w, p->corrections);
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
