#include "tests/sim/model.h"

#include <string.h>

#include "codec/base/mem.h"
#include "codec/media/vp8.h"
#include "codec/media/vp9.h"
#include "codec/wire/rtcp.h"
#include "codec/wire/rtp_seq.h"

enum { PATIENCE_US = 1500 * US_PER_MS, PLI_US = 500 * US_PER_MS };

void model_open(struct client *c)
{
    c->model = mem_alloc(DESC_VIDEO_SLOTS_MAX * sizeof(*c->model));
}

void model_free(struct client *c)
{
    mem_free(c->model);
    c->model = NULL;
}

#define BROKEN(c, k, m, text, ...)                                                                 \
    world_fail((c)->world, "client %u slot %u (%u of %u, frame %u s%u t%u): " text, (c)->number,   \
               (k), (m)->mark.codec, (m)->mark.publisher, (m)->mark.frame, (m)->mark.spatial,      \
               (m)->mark.temporal, ##__VA_ARGS__)

/* ---- one packet ---- */

/* What the packet's own descriptors say. */
static void look(struct client *c, unsigned k, struct model_packet *p, const uint8_t *payload,
                 size_t len, const struct rtp_header *hdr, const uint8_t *data)
{
    struct vp8_header vp8;
    struct vp9_header vp9;
    struct rtpext_set set;
    if (p->mark.codec == CODEC_VP8 && vp8_parse(&vp8, payload, len) == 0) {
        p->has_id = true;
        p->picture_id = vp8.picture_id;
        p->has_tl0 = vp8.has_tl0;
        p->tl0 = vp8.tl0picidx;
    } else if (p->mark.codec == CODEC_VP9 && vp9_parse(&vp9, payload, len) == 0) {
        p->has_id = true;
        p->picture_id = vp9.picture_id;
        p->has_tl0 = vp9.has_tl0;
        p->tl0 = vp9.tl0picidx;
        if (vp9.sid != p->mark.spatial || vp9.tid != p->mark.temporal) {
            BROKEN(c, k, p, "says s%u t%u", vp9.sid, vp9.tid);
        }
    } else if (p->mark.codec == CODEC_AV1 &&
               rtpext_find(&set, hdr, data, &c->offer.video_ext) == 0) {
        const struct rtpext_field *f = &set.field[RTPEXT_DEPENDENCY_DESCRIPTOR];
        p->dd_len = f->len < MODEL_DD ? f->len : 0;
        memcpy(p->dd, data + f->at, p->dd_len);
    } else if (p->mark.codec != CODEC_H264) {
        BROKEN(c, k, p, "its payload is damaged");
    }
}

static bool was_decoded(const struct model *m, uint32_t id)
{
    for (unsigned i = 0; i < MODEL_DECODED; i++) {
        if (m->decoded[i] == id) {
            return true;
        }
    }
    return false;
}

static bool number_decoded(const struct model *m, uint16_t number)
{
    for (unsigned i = 0; i < MODEL_DECODED; i++) {
        if (m->decoded[i] && m->number[i] == number) {
            return true;
        }
    }
    return false;
}

/* Picture ids and tl0picidx step as the source's do, and by one where a source begins. */
static void check_ids(struct client *c, unsigned k, const struct model *m,
                      const struct model_packet *p, bool begins)
{
    const struct model_packet *l = &m->last;
    uint16_t mask = p->mark.codec == CODEC_AV1 ? 0xffff : 0x7fff;
    if (!m->has_last || l->mark.codec != p->mark.codec) {
        return;
    }
    uint16_t step = (uint16_t)(p->picture_id - l->picture_id) & mask;
    uint16_t real = (uint16_t)(p->mark.picture_id - l->mark.picture_id) & mask;
    if (p->mark.codec == CODEC_VP8) {
        real = p->mark.frame != l->mark.frame || begins; /* holes are closed */
    }
    if (p->mark.codec == CODEC_VP8 && step > real && (unsigned)(step - real) <= m->fillers) {
        real = step; /* a picture known to be left out only after its place was given */
    }
    if (p->has_id && step != real && !(begins && step == 1)) {
        BROKEN(c, k, p, "picture id steps by %u, not %u", step, real);
    }
    uint8_t tl0 = (uint8_t)(p->tl0 - l->tl0);
    uint8_t tl0_real = (uint8_t)(p->mark.tl0 - l->mark.tl0);
    if (p->has_tl0 && l->has_tl0 && tl0 != tl0_real && !(begins && tl0 == 1)) {
        BROKEN(c, k, p, "tl0picidx steps by %u, not %u", tl0, tl0_real);
    }
}

static unsigned highest(const struct model *m)
{
    unsigned top = 0;
    for (unsigned i = 0; i < m->dd.targets; i++) {
        if (m->active >> i & 1 && m->dd.target_spatial[i] > top) {
            top = m->dd.target_spatial[i];
        }
    }
    return top;
}

/* A decoder that goes by the descriptor finds what it needs, and waits for nothing else. */
static void check_dd(struct client *c, unsigned k, struct model *m, struct model_packet *p)
{
    struct av1_dd dd;
    int err = av1_dd_parse(&dd, &m->dd, p->dd, p->dd_len);
    if (err) {
        BROKEN(c, k, p, "the dependency descriptor is of no use (%d)", err);
        return;
    }
    p->has_id = true;
    p->picture_id = dd.frame_number;
    m->active = dd.has_active_targets ? dd.active_targets : m->active;
    if (p->mark.index > 0) {
        return;
    }
    for (unsigned i = 0; i < dd.deps.fdiffs; i++) {
        if (!number_decoded(m, (uint16_t)(dd.frame_number - dd.deps.fdiff[i]))) {
            BROKEN(c, k, p, "refers to number -%u, which is not there", dd.deps.fdiff[i]);
        }
    }
    uint8_t chain = m->dd.chains ? dd.deps.chain_diff[p->mark.spatial] : 0;
    if (chain && !number_decoded(m, (uint16_t)(dd.frame_number - chain))) {
        BROKEN(c, k, p, "its chain is broken (-%u)", chain);
    }
    bool part = false;
    for (unsigned i = 0; i < m->dd.targets; i++) {
        part = part || (m->active >> i & 1 && dd.deps.dti[i] != AV1_DTI_NOT_PRESENT);
    }
    if (!part) {
        BROKEN(c, k, p, "is part of no active decode target (%x)", m->active);
    }
}

static void check_bounds(struct client *c, unsigned k, const struct model *m,
                         const struct model_packet *p, bool begins)
{
    const struct model_packet *l = &m->last;
    bool picture = p->mark.frame == l->mark.frame;
    bool frame = picture && p->mark.spatial == l->mark.spatial;
    if (begins) {
        return;
    }
    if (p->mark.publisher != l->mark.publisher || p->mark.layer != l->mark.layer ||
        p->mark.source != l->mark.source || p->mark.codec != l->mark.codec) {
        BROKEN(c, k, p, "another stream without a key frame");
    } else if (frame ? p->mark.index != l->mark.index + 1
                     : p->mark.index != 0 || l->mark.index + 1 != l->mark.count) {
        BROKEN(c, k, p, "torn: packet %u after %u of %u", p->mark.index, l->mark.index,
               l->mark.count);
    } else if (picture == l->marker || picture != (p->timestamp == l->timestamp)) {
        BROKEN(c, k, p, "marker %u at the end of what came before", l->marker);
    }
}

static void decode(struct client *c, unsigned k, struct model *m, const struct model_packet *p)
{
    const struct mark *mark = &p->mark;
    if (mark->index == 0) {
        for (unsigned i = 0; i < mark->refs && i < CODER_REFS; i++) {
            if (!was_decoded(m, mark->ref[i])) {
                BROKEN(c, k, p, "cannot be decoded: %u s%u is missing", mark->ref[i] / 4,
                       mark->ref[i] % 4);
            }
        }
    }
    if (mark->index + 1 == mark->count) {
        m->decoded[m->decoded_at % MODEL_DECODED] = coded_id(mark->frame, mark->spatial);
        m->number[m->decoded_at++ % MODEL_DECODED] = p->picture_id;
        m->frames++;
        m->by_spatial[mark->spatial]++;
        m->by_temporal[mark->temporal]++;
    }
}

static void deliver(struct client *c, unsigned k, struct model *m, struct model_packet *p)
{
    const struct mark *mark = &p->mark;
    if (p->empty) {
        m->fillers++;
        return;
    }
    bool begins = mark->key && mark->spatial == 0 && mark->index == 0;
    if (begins) {
        m->whole = true;
        memset(m->decoded, 0, sizeof(m->decoded));
    }
    if (m->whole) {
        check_bounds(c, k, m, p, begins);
        if (mark->codec == CODEC_AV1) {
            check_dd(c, k, m, p);
        }
        check_ids(c, k, m, p, begins);
        decode(c, k, m, p);
        if (p->marker && mark->codec == CODEC_AV1 && highest(m) != mark->spatial) {
            BROKEN(c, k, p, "the decoder still waits for s%u", highest(m));
        }
        m->last = *p;
        m->fillers = 0;
        m->has_last = true;
    } else {
        m->has_last = false;
    }
}

/* ---- in order ---- */

static void flush(struct client *c, unsigned k, struct model *m, mono_us now)
{
    for (struct model_packet *p = &m->ring[m->next % MODEL_RING]; m->next <= m->top && p->have;
         p = &m->ring[m->next % MODEL_RING]) {
        deliver(c, k, m, p);
        p->have = false;
        m->next++;
        m->since_us = now;
    }
}

/* What is missing will not come any more: on with what is there, and a new key frame. */
static void give_up(struct client *c, unsigned k, struct model *m, mono_us now)
{
    if (!c->world->loss_down_any && !c->world->loss_up_any) {
        world_fail(c->world, "client %u slot %u: a gap that is no loss", c->number, k);
    }
    while (m->next <= m->top && !m->ring[m->next % MODEL_RING].have) {
        m->next++;
        m->lost++;
    }
    m->whole = false;
    m->has_last = false;
    flush(c, k, m, now);
}

void model_rtp(struct client *c, unsigned k, bool rtx, const struct rtp_header *hdr,
               const uint8_t *data, mono_us now)
{
    unsigned audio = c->offer.audio_slots;
    if (!c->model || k < audio || k >= audio + c->offer.video_slots) {
        return;
    }
    struct model *m = &c->model[k - audio];
    struct model_packet p = {.have = true, .marker = hdr->marker, .timestamp = hdr->timestamp};
    struct rd r = rd_init(data + hdr->header_len, hdr->payload_len);
    uint16_t seq16 = rtx ? rd_u16(&r) : hdr->seq;
    size_t len = rd_left(&r);
    p.empty = len == 0;
    if (r.bad || (!p.empty && !mark_read(r.p, len, &p.mark))) {
        return;
    }
    if (!p.empty) {
        look(c, k, &p, r.p, len, hdr, data);
    }
    int64_t seq = m->started ? rtp_unwrap(m->top, seq16, 16) : seq16 + 65536;
    if (!m->started) {
        m->started = true;
        m->next = seq;
        m->top = seq;
        m->since_us = now;
    }
    if (seq < m->next) {
        return;
    }
    m->top = seq > m->top ? seq : m->top;
    while (m->top - m->next >= MODEL_RING) {
        give_up(c, k, m, now);
    }
    m->ring[seq % MODEL_RING] = p;
    flush(c, k, m, now);
}

void model_tick(struct client *c, mono_us now)
{
    for (unsigned i = 0; c->model && i < c->offer.video_slots; i++) {
        struct model *m = &c->model[i];
        unsigned k = i + c->offer.audio_slots;
        if (!m->started) {
            continue;
        }
        if (m->next <= m->top && now - m->since_us > PATIENCE_US) {
            give_up(c, k, m, now);
        }
        if (!m->whole && now - m->pli_us > PLI_US && c->slot[k].state == SFU_SLOT_LIVE) {
            uint8_t out[60];
            struct wr w = wr_init(out, sizeof(out) - 40);
            rtcp_write_pli(&w, 1, c->answer.ssrc_base + 2 * k);
            client_rtcp(c, out, wr_len(&w));
            m->pli_us = now;
        }
    }
}
