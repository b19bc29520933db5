#include "tests/sim/coder.h"

#include <string.h>

const struct structure structures[STRUCTURES] = {
    {"vp8_simulcast_l1t2", CODEC_VP8, 3, 1, 2, false, false},
    {"vp8_simulcast_l1t3", CODEC_VP8, 3, 1, 3, false, false},
    {"h264_simulcast_l1t2", CODEC_H264, 3, 1, 2, false, false},
    {"vp9_l3t3_key", CODEC_VP9, 1, 3, 3, true, false},
    {"vp9_l3t3_key_flexible", CODEC_VP9, 1, 3, 3, true, true},
    {"vp9_l3t3", CODEC_VP9, 1, 3, 3, false, false},
    {"av1_l3t3_key", CODEC_AV1, 1, 3, 3, true, false},
    {"av1_l2t2_key", CODEC_AV1, 1, 2, 2, true, false},
    {"vp8_screen_l1t3", CODEC_VP8, 1, 1, 3, false, false},
    {"av1_screen_l1t3", CODEC_AV1, 1, 1, 3, true, false},
};

/* Kinds of frames of one spatial layer, which are AV1 templates too. */
enum { KIND_KEY, KIND_T0, KIND_T1, KIND_T2_FIRST, KIND_T2_SECOND };

static const uint8_t kind_temporal[] = {0, 0, 1, 2, 2};

static unsigned period(const struct structure *st)
{
    return 1u << (st->temporal - 1);
}

static uint8_t kind_of(const struct structure *st, unsigned since_key)
{
    static const uint8_t three[4] = {KIND_T0, KIND_T2_FIRST, KIND_T1, KIND_T2_SECOND};
    if (st->temporal == 3) {
        return three[since_key % 4];
    }
    return st->temporal == 2 && since_key % 2 ? KIND_T1 : KIND_T0;
}

static uint8_t kinds(const struct structure *st)
{
    return st->temporal == 3 ? 5 : (uint8_t)(st->temporal + 1);
}

/* How many pictures back a frame of this kind refers. */
static unsigned distance(const struct structure *st, uint8_t kind)
{
    switch (kind) {
    case KIND_T0:
        return period(st);
    case KIND_T1:
        return period(st) / 2;
    default:
        return 1;
    }
}

static void refer(struct coded *f, uint32_t frame, unsigned spatial)
{
    f->ref[f->refs++] = coded_id(frame, spatial);
}

/* Chain s: the lowest layers of key pictures and the base of spatial layer s. */
static void chains(struct coder *c, const struct structure *st, struct coded *f, uint16_t number)
{
    for (unsigned s = 0; s < st->spatial; s++) {
        f->chain_diff[s] = f->key && f->spatial == 0 ? 0 : (uint16_t)(number - c->chain[s]);
    }
    for (unsigned s = 0; s < st->spatial; s++) {
        bool part = f->key || !st->key_only ? s >= f->spatial : s == f->spatial;
        if (part && f->temporal == 0) {
            c->chain[s] = number;
        }
    }
}

unsigned coder_next(struct coder *c, const struct structure *st, uint32_t frame, bool key,
                    struct coded out[CODER_SPATIAL])
{
    c->since_key = key ? 0 : (uint16_t)(c->since_key + 1);
    uint8_t kind = key ? KIND_KEY : kind_of(st, c->since_key);
    uint8_t temporal = kind_temporal[kind];
    c->picture_id = (c->picture_id + 1) & 0x7fff;
    c->tl0 = (uint8_t)(c->tl0 + (temporal == 0));
    for (uint8_t s = 0; s < st->spatial; s++) {
        struct coded *f = &out[s];
        *f = (struct coded){
            .frame = frame,
            .spatial = s,
            .temporal = temporal,
            .key = key,
            .sync = kind == KIND_T1 || kind == KIND_T2_FIRST,
            .kind = kind,
            .picture_id = st->codec == CODEC_AV1 ? c->number : c->picture_id,
            .tl0 = c->tl0,
        };
        if (!key) {
            refer(f, c->ref[kind == KIND_T2_SECOND], s);
        }
        if (s > 0 && (key || !st->key_only)) {
            refer(f, frame, s - 1U);
        }
        chains(c, st, f, c->number);
        c->number++;
    }
    if (temporal < 2) {
        c->ref[temporal] = frame;
    }
    return st->spatial;
}

/* ---- bits ---- */

struct bitw {
    uint8_t *out;
    unsigned at;
};

static void put(struct bitw *b, unsigned n, uint32_t v)
{
    while (n-- > 0) {
        b->out[b->at / 8] = (uint8_t)(b->out[b->at / 8] | (v >> n & 1) << (7 - b->at % 8));
        b->at++;
    }
}

static void put_ns(struct bitw *b, uint32_t n, uint32_t v)
{
    unsigned w = 32U - (unsigned)__builtin_clz(n);
    uint32_t m = (1u << w) - n;
    if (v < m) {
        put(b, w - 1, v);
    } else {
        put(b, w, v + m);
    }
}

static void put_ue(struct bitw *b, uint32_t v)
{
    unsigned len = 32U - (unsigned)__builtin_clz(v + 1);
    put(b, len - 1, 0);
    put(b, len, v + 1);
}

/* ---- payloads ---- */

static void write_vp8(struct wr *w, const struct coder_packet *p)
{
    const struct coded *f = p->frame;
    wr_u8(w, (uint8_t)(0x80 | (p->index == 0 ? 0x10 : 0) |
                       (f->temporal + 1 == p->st->temporal && f->temporal ? 0x20 : 0)));
    wr_u8(w, 0xe0);
    wr_u16(w, (uint16_t)(0x8000 | f->picture_id));
    wr_u8(w, f->tl0);
    wr_u8(w, (uint8_t)(f->temporal << 6 | (f->sync ? 0x20 : 0)));
    if (p->index == 0) {
        wr_u8(w, f->key ? 0x10 : 0x11);
        wr_u16(w, 0);
        if (f->key) {
            unsigned width = p->height * 16U / 9;
            wr_u24(w, 0x9d012a);
            wr_u8(w, (uint8_t)width);
            wr_u8(w, (uint8_t)(width >> 8));
            wr_u8(w, (uint8_t)p->height);
            wr_u8(w, (uint8_t)(p->height >> 8));
        }
    }
}

static uint16_t layer_height(const struct coder_packet *p, unsigned spatial)
{
    return (uint16_t)(p->height >> (p->st->spatial - 1U - spatial));
}

static void write_vp9(struct wr *w, const struct coder_packet *p)
{
    const struct coded *f = p->frame;
    bool inter_layer = f->spatial > 0 && (f->key || !p->st->key_only);
    bool unused = f->spatial + 1 == p->st->spatial || (p->st->key_only && !f->key);
    bool structure = f->key && f->spatial == 0 && p->index == 0;
    wr_u8(w, (uint8_t)(0x80 | (f->key ? 0 : 0x40) | 0x20 | (p->st->flexible ? 0x10 : 0) |
                       (p->index == 0 ? 0x08 : 0) | (p->index + 1 == p->count ? 0x04 : 0) |
                       (structure ? 0x02 : 0) | unused));
    wr_u16(w, (uint16_t)(0x8000 | f->picture_id));
    wr_u8(w, (uint8_t)(f->temporal << 5 | (f->sync ? 0x10 : 0) | f->spatial << 1 | inter_layer));
    if (!p->st->flexible) {
        wr_u8(w, f->tl0);
    } else if (!f->key) {
        wr_u8(w, (uint8_t)(distance(p->st, f->kind) << 1));
    }
    if (structure) {
        wr_u8(w, (uint8_t)((p->st->spatial - 1) << 5 | 0x10));
        for (unsigned s = 0; s < p->st->spatial; s++) {
            wr_u16(w, (uint16_t)(layer_height(p, s) * 16U / 9));
            wr_u16(w, layer_height(p, s));
        }
    }
    wr_u8(w, 0x86);
}

/* Baseline parameters that tell the size. */
static void write_sps(struct wr *w, uint16_t height)
{
    uint8_t sps[24] = {0x67, 66, 0xc0, 31};
    struct bitw b = {.out = sps, .at = 32};
    unsigned width = height * 16U / 9;
    unsigned columns = (width + 15) / 16;
    unsigned rows = (height + 15U) / 16;
    put_ue(&b, 0);
    put_ue(&b, 0);
    put_ue(&b, 2);
    put_ue(&b, 1);
    put(&b, 1, 0);
    put_ue(&b, columns - 1);
    put_ue(&b, rows - 1);
    put(&b, 2, 3);
    put(&b, 1, 1);
    put_ue(&b, 0);
    put_ue(&b, (columns * 16 - width) / 2);
    put_ue(&b, 0);
    put_ue(&b, (rows * 16 - height) / 2);
    put(&b, 2, 1);
    uint8_t len = (uint8_t)((b.at + 7) / 8);
    wr_u8(w, 0x78); /* STAP-A: parameters before the picture */
    wr_u16(w, len);
    wr_bytes(w, sps, len);
    wr_u16(w, 4);
    wr_u32(w, 0x68ce3880);
}

static void write_h264(struct wr *w, const struct coder_packet *p)
{
    const struct coded *f = p->frame;
    uint8_t importance = f->temporal ? 0 : 0x60;
    uint8_t type = f->key ? 5 : 1;
    bool parameters = f->key && p->index == 0;
    if (parameters) {
        write_sps(w, p->height);
        wr_u16(w, (uint16_t)(1 + p->rest)); /* a remark takes the rest */
        wr_u8(w, 6);
        return;
    }
    uint8_t first = f->key ? 1 : 0;
    wr_u8(w, (uint8_t)(importance | 28));
    wr_u8(w, (uint8_t)((p->index == first ? 0x80 : 0) |
                       (p->index + 1 == p->count && p->count > first + 1 ? 0x40 : 0) | type));
    wr_u8(w, 0x88);
}

void coder_sealed(struct wr *w, size_t len, uint32_t number)
{
    uint32_t x = number * 0x9e3779b1U + 1;
    for (size_t i = 0; i < len; i++) {
        wr_u8(w, (uint8_t)(i ? x >> 24 : number * 167));
        x = x * 1664525U + 1013904223U;
    }
}

void coder_write(struct wr *w, const struct coder_packet *p)
{
    switch ((unsigned)p->st->codec) {
    case CODEC_VP9:
        write_vp9(w, p);
        break;
    case CODEC_H264:
        write_h264(w, p);
        break;
    case CODEC_AV1:
        /* The descriptor tells everything: not even how it is packed can be read. */
        coder_sealed(w, 2, p->frame->picture_id * 7U + p->index);
        break;
    default:
        write_vp8(w, p);
        break;
    }
}

/* ---- dependency descriptor ---- */

/* Decode target indication of a template: 0 not present, 1 discardable, 2 switch, 3 required. */
static unsigned indication(const struct structure *st, unsigned spatial, uint8_t kind,
                           unsigned target)
{
    unsigned s = target / st->temporal;
    unsigned t = target % st->temporal;
    uint8_t temporal = kind_temporal[kind];
    if (kind == KIND_KEY) {
        return s >= spatial ? 2 : 0;
    }
    if (s != spatial || t < temporal) {
        return 0;
    }
    return t == temporal && t > 0 ? 1 : 2;
}

static void write_layers(struct bitw *b, const struct structure *st)
{
    for (unsigned s = 0; s < st->spatial; s++) {
        for (unsigned k = 1; k < kinds(st); k++) {
            put(b, 2, kind_temporal[k] != kind_temporal[k - 1]);
        }
        put(b, 2, s + 1 < st->spatial ? 2 : 3);
    }
}

static void write_structure(struct bitw *b, const struct coder_packet *p)
{
    const struct structure *st = p->st;
    unsigned targets = st->spatial * (unsigned)st->temporal;
    put(b, 6, 0);
    put(b, 5, targets - 1);
    write_layers(b, st);
    for (unsigned s = 0; s < st->spatial; s++) {
        for (uint8_t k = 0; k < kinds(st); k++) {
            for (unsigned t = 0; t < targets; t++) {
                put(b, 2, indication(st, s, k, t));
            }
        }
    }
    for (unsigned s = 0; s < st->spatial; s++) {
        for (uint8_t k = 0; k < kinds(st); k++) {
            if (k != KIND_KEY || s > 0) {
                unsigned diff = k == KIND_KEY ? 1 : distance(st, k) * st->spatial;
                put(b, 1, 1);
                put(b, 4, diff - 1);
            }
            put(b, 1, 0);
        }
    }
    put_ns(b, targets + 1, st->spatial);
    for (unsigned t = 0; t < targets; t++) {
        put_ns(b, st->spatial, t / st->temporal);
    }
    for (unsigned i = 0; i < (unsigned)kinds(st) * st->spatial * st->spatial; i++) {
        put(b, 4, 0); /* every frame tells its own */
    }
    put(b, 1, 1);
    for (unsigned s = 0; s < st->spatial; s++) {
        put(b, 16, layer_height(p, s) * 16U / 9 - 1);
        put(b, 16, layer_height(p, s) - 1U);
    }
}

uint8_t coder_dd(uint8_t out[CODER_DD_MAX], const struct coder_packet *p)
{
    const struct coded *f = p->frame;
    struct bitw b = {.out = out};
    if (p->st->codec != CODEC_AV1) {
        return 0;
    }
    memset(out, 0, CODER_DD_MAX);
    put(&b, 1, p->index == 0);
    put(&b, 1, p->index + 1 == p->count);
    put(&b, 6, (uint32_t)f->spatial * kinds(p->st) + f->kind);
    put(&b, 16, f->picture_id);
    bool structure = f->key && f->spatial == 0 && p->index == 0;
    put(&b, 5, structure ? 0x11 : 0x01);
    if (structure) {
        write_structure(&b, p);
    }
    for (unsigned s = 0; s < p->st->spatial; s++) {
        put(&b, 8, f->chain_diff[s]);
    }
    return (uint8_t)((b.at + 7) / 8);
}
