#include "codec/wire/stun.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/rw.h"
#include "codec/base/text.h"

enum {
    COOKIE = 0x2112a442,         /* 8489 5 */
    FINGERPRINT_XOR = 0x5354554e /* 8489 14.7 */
};

/* 8489 18.3, 8445 20.1 */
enum {
    ATTR_MAPPED_ADDRESS = 0x0001,
    ATTR_USERNAME = 0x0006,
    ATTR_INTEGRITY = 0x0008,
    ATTR_ERROR_CODE = 0x0009,
    ATTR_UNKNOWN = 0x000a,
    ATTR_REALM = 0x0014,
    ATTR_NONCE = 0x0015,
    ATTR_INTEGRITY_SHA256 = 0x001c,
    ATTR_XOR_MAPPED_ADDRESS = 0x0020,
    ATTR_PRIORITY = 0x0024,
    ATTR_USE_CANDIDATE = 0x0025,
    ATTR_OPTIONAL = 0x8000, /* from here on comprehension is optional */
    ATTR_FINGERPRINT = 0x8028,
    ATTR_CONTROLLED = 0x8029,
    ATTR_CONTROLLING = 0x802a,
};

enum { INTEGRITY_LEN = 20, ATTR_HEADER_LEN = 4, FINGERPRINT_ATTR_LEN = 8 };

/* CRC-32 of ITU V.42, four bits at a time. */
static uint32_t crc32_v42(const uint8_t *data, size_t len)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

/* 8489 14.2: port and address are masked with the cookie, IPv6 also with the transaction id. */
static int parse_xor_address(struct addr *out, struct rd v, const uint8_t *cookie_txid)
{
    rd_skip(&v, 1);
    uint8_t family = rd_u8(&v);
    uint16_t port = rd_u16(&v);
    size_t len = family == 1 ? 4 : 16;
    const uint8_t *ip = rd_bytes(&v, len);
    if (!ip || (family != 1 && family != 2) || rd_left(&v)) {
        return E_BAD;
    }
    *out = (struct addr){.family = family == 1 ? ADDR_V4 : ADDR_V6};
    out->port = (uint16_t)(port ^ (COOKIE >> 16));
    for (size_t i = 0; i < len; i++) {
        out->ip[i] = ip[i] ^ cookie_txid[i];
    }
    addr_canonical(out);
    return 0;
}

static void set_once(const uint8_t **at, uint16_t *len, const struct rd *v)
{
    if (!*at) {
        *at = v->p;
        *len = (uint16_t)rd_left(v);
    }
}

static int parse_error_code(struct stun_msg *out, struct rd v)
{
    if (out->error_code) {
        return 0;
    }
    rd_skip(&v, 2);
    unsigned hundreds = rd_u8(&v) & 7u;
    unsigned number = rd_u8(&v);
    if (v.bad || hundreds < 3 || hundreds > 6 || number > 99) {
        return E_BAD;
    }
    out->error_code = (uint16_t)(hundreds * 100 + number);
    set_once(&out->reason, &out->reason_len, &v);
    return 0;
}

static int parse_role(struct stun_msg *out, enum stun_role role, struct rd v)
{
    if (rd_left(&v) != 8) {
        return E_BAD;
    }
    if (out->role == STUN_ROLE_NONE) {
        out->role = (uint8_t)role;
        out->tie_breaker = rd_u64(&v);
    }
    return 0;
}

static int parse_priority(struct stun_msg *out, struct rd v)
{
    if (rd_left(&v) != 4) {
        return E_BAD;
    }
    if (!out->has_priority) {
        out->has_priority = true;
        out->priority = rd_u32(&v);
    }
    return 0;
}

static void note_unknown(struct stun_msg *out, unsigned type)
{
    if (type < ATTR_OPTIONAL && out->unknown_count < STUN_UNKNOWN_MAX) {
        out->unknown[out->unknown_count++] = (uint16_t)type;
    }
}

static int parse_attr(struct stun_msg *out, unsigned type, struct rd v, const uint8_t *data)
{
    switch (type) {
    case ATTR_USERNAME:
        if (rd_left(&v) > STUN_USERNAME_MAX) {
            return E_BAD;
        }
        set_once(&out->username, &out->username_len, &v);
        return 0;
    case ATTR_REALM:
        set_once(&out->realm, &out->realm_len, &v);
        return 0;
    case ATTR_NONCE:
        set_once(&out->nonce, &out->nonce_len, &v);
        return 0;
    case ATTR_ERROR_CODE:
        return parse_error_code(out, v);
    case ATTR_XOR_MAPPED_ADDRESS:
        return out->mapped.family ? 0 : parse_xor_address(&out->mapped, v, data + 4);
    case ATTR_PRIORITY:
        return parse_priority(out, v);
    case ATTR_USE_CANDIDATE:
        out->use_candidate = true;
        return 0;
    case ATTR_CONTROLLED:
        return parse_role(out, STUN_CONTROLLED, v);
    case ATTR_CONTROLLING:
        return parse_role(out, STUN_CONTROLLING, v);
    case ATTR_MAPPED_ADDRESS:
    case ATTR_UNKNOWN:
    case ATTR_INTEGRITY_SHA256:
        return 0; /* understood, of no use here */
    default:
        note_unknown(out, type);
        return 0;
    }
}

/* FINGERPRINT is the last attribute or none: 8 bytes of known shape at the end. */
static int parse_fingerprint(struct stun_msg *out, const uint8_t *data, size_t len, size_t end)
{
    if (len < end + FINGERPRINT_ATTR_LEN) {
        return 0;
    }
    size_t at = len - FINGERPRINT_ATTR_LEN;
    struct rd r = rd_init(data + at, FINGERPRINT_ATTR_LEN);
    if (rd_u16(&r) != ATTR_FINGERPRINT || rd_u16(&r) != 4) {
        return 0;
    }
    if (rd_u32(&r) != (crc32_v42(data, at) ^ FINGERPRINT_XOR)) {
        return E_BAD;
    }
    out->has_fingerprint = true;
    return 0;
}

static int parse_header(struct stun_msg *out, const uint8_t *data, size_t len)
{
    if (len < STUN_HEADER_LEN) {
        return E_TRUNC;
    }
    if (len > STUN_MESSAGE_MAX) {
        return E_TOOBIG;
    }
    struct rd r = rd_init(data, len);
    unsigned type = rd_u16(&r);
    size_t body = rd_u16(&r);
    if (type & 0xc000u || rd_u32(&r) != COOKIE || body % 4) {
        return E_BAD;
    }
    if (body != len - STUN_HEADER_LEN) {
        return body > len - STUN_HEADER_LEN ? E_TRUNC : E_BAD;
    }
    /* 8489 5: the class bits C1 C0 lie between the method's bits. */
    out->class = (uint8_t)((type >> 7 & 2u) | (type >> 4 & 1u));
    out->method = (uint16_t)((type & 0x000fu) | (type >> 1 & 0x0070u) | (type >> 2 & 0x0f80u));
    memcpy(out->txid, data + 8, STUN_TXID_LEN);
    return 0;
}

int stun_parse(struct stun_msg *out, const uint8_t *data, size_t len)
{
    memset(out, 0, sizeof(*out));
    int err = parse_header(out, data, len);
    if (err) {
        return err;
    }
    struct rd r = rd_init(data + STUN_HEADER_LEN, len - STUN_HEADER_LEN);
    size_t end = STUN_HEADER_LEN; /* of what has meaning */
    while (rd_left(&r)) {
        size_t at = len - rd_left(&r);
        unsigned type = rd_u16(&r);
        size_t value_len = rd_u16(&r);
        struct rd value = rd_sub(&r, value_len);
        rd_skip(&r, (4 - value_len % 4) % 4);
        if (r.bad) {
            return E_BAD;
        }
        if (type == ATTR_FINGERPRINT) {
            if (value_len != 4 || rd_left(&r)) {
                return E_BAD;
            }
            break;
        }
        end = len - rd_left(&r);
        if (type == ATTR_INTEGRITY) {
            if (value_len != INTEGRITY_LEN) {
                return E_BAD;
            }
            out->integrity_at = (uint16_t)at;
            break;
        }
        err = parse_attr(out, type, value, data);
        if (err) {
            return err;
        }
    }
    return parse_fingerprint(out, data, len, end);
}

/* HMAC over everything before the attribute, with the length as if it were the last (8489 14.5). */
static void integrity(uint8_t out[INTEGRITY_LEN], const uint8_t *data, size_t at, const void *key,
                      size_t key_len, stun_hmac_h hmac)
{
    uint8_t copy[STUN_MESSAGE_MAX];
    memcpy(copy, data, at);
    put_u16(copy + 2, (uint16_t)(at + ATTR_HEADER_LEN + INTEGRITY_LEN - STUN_HEADER_LEN));
    hmac(key, key_len, copy, at, out);
}

int stun_check(const struct stun_msg *msg, const uint8_t *data, const void *key, size_t key_len,
               stun_hmac_h hmac)
{
    if (!msg->integrity_at) {
        return E_NOTFOUND;
    }
    uint8_t want[INTEGRITY_LEN];
    integrity(want, data, msg->integrity_at, key, key_len, hmac);
    return text_equal_ct(want, data + msg->integrity_at + ATTR_HEADER_LEN, INTEGRITY_LEN) ? 0
                                                                                          : E_AUTH;
}

/* ---- building ------------------------------------------------------------------------------ */

static void write_header(struct wr *w, unsigned class, const uint8_t *txid)
{
    wr_u16(w, (uint16_t)(STUN_BINDING | (class & 2u) << 7 | (class & 1u) << 4));
    wr_u16(w, 0);
    wr_u32(w, COOKIE);
    wr_bytes(w, txid, STUN_TXID_LEN);
}

static void write_attr(struct wr *w, unsigned type, const void *value, size_t len)
{
    wr_u16(w, (uint16_t)type);
    wr_u16(w, (uint16_t)len);
    wr_bytes(w, value, len);
    wr_zero(w, (4 - len % 4) % 4);
}

static void set_length(struct wr *w)
{
    put_u16(w->start + 2, (uint16_t)(wr_len(w) - STUN_HEADER_LEN));
}

static int finish(struct wr *w, const void *key, size_t key_len, stun_hmac_h hmac)
{
    if (w->bad || wr_len(w) > STUN_MESSAGE_MAX - INTEGRITY_LEN - 2 * FINGERPRINT_ATTR_LEN) {
        return E_FULL;
    }
    if (key) {
        uint8_t tag[INTEGRITY_LEN];
        integrity(tag, w->start, wr_len(w), key, key_len, hmac);
        write_attr(w, ATTR_INTEGRITY, tag, sizeof(tag));
    }
    size_t at = wr_len(w);
    if (!wr_room(w, FINGERPRINT_ATTR_LEN)) {
        return E_FULL;
    }
    set_length(w);
    put_u16(w->start + at, ATTR_FINGERPRINT);
    put_u16(w->start + at + 2, 4);
    put_u32(w->start + at + 4, crc32_v42(w->start, at) ^ FINGERPRINT_XOR);
    return (int)wr_len(w);
}

int stun_build_request(uint8_t *out, size_t cap, const struct stun_request *req, const void *key,
                       size_t key_len, stun_hmac_h hmac)
{
    struct wr w = wr_init(out, cap);
    write_header(&w, STUN_REQUEST, req->txid);
    write_attr(&w, ATTR_USERNAME, req->username, req->username_len);
    uint8_t word[8];
    put_u32(word, req->priority);
    write_attr(&w, ATTR_PRIORITY, word, 4);
    if (req->use_candidate) {
        write_attr(&w, ATTR_USE_CANDIDATE, NULL, 0);
    }
    if (req->role != STUN_ROLE_NONE) {
        put_u32(word, (uint32_t)(req->tie_breaker >> 32));
        put_u32(word + 4, (uint32_t)req->tie_breaker);
        write_attr(&w, req->role == STUN_CONTROLLING ? ATTR_CONTROLLING : ATTR_CONTROLLED, word, 8);
    }
    return finish(&w, key, key_len, hmac);
}

int stun_build_success(uint8_t *out, size_t cap, const uint8_t txid[STUN_TXID_LEN],
                       const struct addr *mapped, const void *key, size_t key_len, stun_hmac_h hmac)
{
    struct wr w = wr_init(out, cap);
    write_header(&w, STUN_SUCCESS, txid);
    if (w.bad) {
        return E_FULL;
    }
    bool v4 = mapped->family == ADDR_V4;
    size_t len = v4 ? 4 : 16;
    uint8_t value[20] = {0, v4 ? 1 : 2};
    put_u16(value + 2, (uint16_t)(mapped->port ^ (COOKIE >> 16)));
    for (size_t i = 0; i < len; i++) {
        value[4 + i] = mapped->ip[i] ^ out[4 + i];
    }
    write_attr(&w, ATTR_XOR_MAPPED_ADDRESS, value, 4 + len);
    return finish(&w, key, key_len, hmac);
}

static const char *reason_of(uint16_t code)
{
    switch (code) {
    case STUN_UNKNOWN_ATTRIBUTE:
        return "Unknown Attribute";
    case STUN_ROLE_CONFLICT:
        return "Role Conflict";
    default:
        return "Bad Request";
    }
}

int stun_build_error(uint8_t *out, size_t cap, const uint8_t txid[STUN_TXID_LEN], uint16_t code,
                     const uint16_t *unknown, size_t unknown_count, const void *key, size_t key_len,
                     stun_hmac_h hmac)
{
    struct wr w = wr_init(out, cap);
    write_header(&w, STUN_ERROR, txid);
    const char *reason = reason_of(code);
    size_t reason_len = strlen(reason);
    uint8_t value[32] = {0, 0, (uint8_t)(code / 100), (uint8_t)(code % 100)};
    memcpy(value + 4, reason, reason_len);
    write_attr(&w, ATTR_ERROR_CODE, value, 4 + reason_len);
    if (unknown_count) {
        uint8_t list[2 * STUN_UNKNOWN_MAX];
        size_t count = unknown_count < STUN_UNKNOWN_MAX ? unknown_count : STUN_UNKNOWN_MAX;
        for (size_t i = 0; i < count; i++) {
            put_u16(list + 2 * i, unknown[i]);
        }
        write_attr(&w, ATTR_UNKNOWN, list, 2 * count);
    }
    return finish(&w, key, key_len, hmac);
}
