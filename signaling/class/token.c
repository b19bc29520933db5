#include "signaling/class/token.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/rw.h"
#include "codec/base/text.h"
#include "signaling/schema/id_rw.h"

enum { TOKEN_VERSION = 1, CLAIM_MAX = 2 + 4 * ID_LEN + 1 + 4 + 8 + 1 + TOKEN_NAME_MAX };

enum {
    HAS_PERSON = 1 << 0,
    HAS_DEVICE = 1 << 1,
    HAS_JTI = 1 << 2,
    HAS_ROLE = 1 << 3,
    HAS_GENERATION = 1 << 4,
    HAS_EXPIRES = 1 << 5,
    HAS_NAME = 1 << 6,
};

static const unsigned fields_of[TOKEN_KIND_COUNT] = {
    [TOKEN_LINK] = HAS_ROLE | HAS_EXPIRES,
    [TOKEN_LINK_PERSON] = HAS_PERSON | HAS_ROLE | HAS_EXPIRES,
    [TOKEN_LINK_ONCE] = HAS_PERSON | HAS_JTI | HAS_ROLE | HAS_EXPIRES,
    [TOKEN_GUEST] = HAS_PERSON,
    [TOKEN_RESUME] = HAS_PERSON | HAS_DEVICE | HAS_GENERATION,
    [TOKEN_WHIP] = HAS_PERSON | HAS_ROLE | HAS_EXPIRES | HAS_NAME,
    [TOKEN_WHEP] = HAS_EXPIRES,
    [TOKEN_INVITATION] = HAS_PERSON | HAS_EXPIRES,
};

static size_t write_claim(uint8_t *out, size_t cap, const struct token_claim *c)
{
    unsigned has = fields_of[c->kind];
    struct wr w = wr_init(out, cap);
    wr_u8(&w, TOKEN_VERSION);
    wr_u8(&w, (uint8_t)c->kind);
    id_write(&w, &c->class_id);
    const struct id *ids[] = {&c->person, &c->device, &c->jti};
    for (unsigned i = 0; i < 3; i++) {
        if (has & (unsigned)HAS_PERSON << i) {
            id_write(&w, ids[i]);
        }
    }
    if (has & HAS_ROLE) {
        wr_u8(&w, (uint8_t)c->role);
    }
    if (has & HAS_GENERATION) {
        wr_u32(&w, c->generation);
    }
    if (has & HAS_EXPIRES) {
        wr_u64(&w, (uint64_t)c->expires_at);
    }
    if (has & HAS_NAME) {
        size_t len = strnlen(c->name, TOKEN_NAME_MAX);
        wr_u8(&w, (uint8_t)len);
        wr_bytes(&w, c->name, len);
    }
    return w.bad ? 0 : wr_len(&w);
}

int token_make(char out[TOKEN_TEXT_MAX], const struct token_claim *claim,
               const uint8_t key[TOKEN_OPS_KEY_LEN], const struct token_ops *ops)
{
    uint8_t bytes[CLAIM_MAX + TOKEN_OPS_MAC_LEN];
    if (claim->kind < TOKEN_LINK || claim->kind >= TOKEN_KIND_COUNT) {
        return E_BAD;
    }
    size_t len = write_claim(bytes, CLAIM_MAX, claim);
    ops->sign_h(bytes + len, key, bytes, len);
    int n = text_base64url(out, TOKEN_TEXT_MAX, bytes, len + TOKEN_OPS_MAC_LEN);
    return n < 0 ? n : 0;
}

static void read_name(struct rd *r, char out[TOKEN_NAME_MAX + 1])
{
    size_t len = rd_u8(r);
    const uint8_t *name = len <= TOKEN_NAME_MAX ? rd_bytes(r, len) : NULL;
    if (!name || !text_utf8_ok(name, len)) {
        r->bad = true;
        return;
    }
    memcpy(out, name, len);
}

static int read_claim(struct token_claim *c, const uint8_t *bytes, size_t len)
{
    struct rd r = rd_init(bytes, len);
    uint8_t version = rd_u8(&r);
    uint8_t kind = rd_u8(&r);
    if (version != TOKEN_VERSION || kind < TOKEN_LINK || kind >= TOKEN_KIND_COUNT) {
        return E_AUTH;
    }
    unsigned has = fields_of[kind];
    c->kind = (enum token_kind)kind;
    c->class_id = id_read(&r);
    struct id *ids[] = {&c->person, &c->device, &c->jti};
    for (unsigned i = 0; i < 3; i++) {
        if (has & (unsigned)HAS_PERSON << i) {
            *ids[i] = id_read(&r);
        }
    }
    unsigned role = has & HAS_ROLE ? rd_u8(&r) : ROLE_PARTICIPANT;
    c->role = role < ROLE_COUNT ? (enum role)role : ROLE_PARTICIPANT;
    c->generation = has & HAS_GENERATION ? rd_u32(&r) : 0;
    c->expires_at = has & HAS_EXPIRES ? (wall_ms)rd_u64(&r) : INT64_MAX;
    if (has & HAS_NAME) {
        read_name(&r, c->name);
    }
    return r.bad || rd_left(&r) != 0 || role >= ROLE_COUNT ? E_AUTH : 0;
}

/* Another text than any claim that is signed: those begin with a version, this with a letter. */
struct id token_id(const char *text, size_t len, const uint8_t key[TOKEN_OPS_KEY_LEN],
                   const struct token_ops *ops)
{
    uint8_t mac[TOKEN_OPS_MAC_LEN];
    struct id id;
    ops->sign_h(mac, key, text, len);
    memcpy(id.b, mac, sizeof(id.b));
    return id;
}

int token_read(struct token_claim *out, const char *text, size_t len,
               const uint8_t key[TOKEN_OPS_KEY_LEN], const struct token_ops *ops, wall_ms now)
{
    uint8_t bytes[CLAIM_MAX + TOKEN_OPS_MAC_LEN];
    char again[TOKEN_TEXT_MAX];
    memset(out, 0, sizeof(*out));
    int n = len < TOKEN_TEXT_MAX ? text_unbase64url(bytes, sizeof(bytes), text, len) : E_FULL;
    if (n <= TOKEN_OPS_MAC_LEN) {
        return E_AUTH;
    }
    /* Spare bits of the last character would give one token several spellings. */
    int back = text_base64url(again, sizeof(again), bytes, (size_t)n);
    if (back < 0 || (size_t)back != len || memcmp(again, text, len) != 0) {
        return E_AUTH;
    }
    size_t signed_len = (size_t)n - TOKEN_OPS_MAC_LEN;
    if (ops->verify_h(bytes + signed_len, key, bytes, signed_len)) {
        return E_AUTH;
    }
    int err = read_claim(out, bytes, signed_len);
    if (err) {
        memset(out, 0, sizeof(*out));
        return err;
    }
    bool over = out->expires_at != INT64_MAX && now - TOKEN_LEEWAY_MS > out->expires_at;
    return over ? E_EXPIRED : 0;
}
