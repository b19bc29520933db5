/* What a client sends: Opus-shaped audio with levels, pictures of coder.h, retransmissions. */
#include <string.h>

#include "codec/base/mem.h"
#include "codec/media/red.h"
#include "tests/sim/sim.h"

enum { FRAME_US = 40 * US_PER_MS, AUDIO_US = 20 * US_PER_MS, MID_FIRST = 20 };
enum { RESEND_US = 45 * US_PER_MS }; /* nothing is sent again sooner: a round trip */

static const uint16_t heights[3] = {720, 360, 180};
static const uint8_t packets[3] = {5, 2, 1};

static bool is_video(const struct stream_out *s)
{
    return s->source == SOURCE_CAMERA || s->source == SOURCE_SCREEN;
}

static void stream_init(struct client *c, struct stream_out *s, uint8_t source, uint8_t layer)
{
    const struct rng *rng = &c->world->rng;
    s->exists = true;
    s->source = source;
    s->layer = layer;
    s->ssrc = rng_u32(rng) | 1;
    s->rtx_ssrc = rng_u32(rng) & ~1u;
    s->seq = rng_u32(rng) & 0xffff;
    s->rtx_seq = rng_u32(rng) & 0x7fff;
    s->timestamp0 = rng_u32(rng);
    s->structure = &structures[0];
    s->coder.picture_id = (uint16_t)(rng_u32(rng) & 0x7fff);
    s->coder.tl0 = (uint8_t)rng_u32(rng);
    s->coder.number = (uint16_t)rng_u32(rng);
    s->height = heights[layer];
    s->packets = packets[layer];
    s->filler = 200;
    s->key_factor = 2;
    s->next_us = c->world->now + rng_below(rng, AUDIO_US);
    s->kept = mem_alloc(SIM_KEPT * sizeof(s->kept[0]));
}

void media_init(struct client *c)
{
    stream_init(c, &c->stream[0], SOURCE_MIC, 0);
    for (uint8_t i = 0; i < 3; i++) {
        stream_init(c, &c->stream[1 + i], SOURCE_CAMERA, i);
    }
    stream_init(c, &c->stream[4], SOURCE_SCREEN, 0);
    stream_init(c, &c->stream[5], SOURCE_SOUND, 0);
    c->offer.ssrc[SOURCE_MIC] = c->stream[0].ssrc;
    c->offer.ssrc[SOURCE_SCREEN] = c->stream[4].ssrc;
    c->offer.rtx_ssrc[SOURCE_SCREEN] = c->stream[4].rtx_ssrc;
    c->offer.ssrc[SOURCE_SOUND] = c->stream[5].ssrc;
}

void media_fat(struct client *c)
{
    static const uint16_t filler[3] = {1010, 820, 700};
    static const uint8_t count[3] = {7, 2, 1};
    for (unsigned i = 0; i < 3; i++) {
        c->stream[1 + i].packets = count[i];
        c->stream[1 + i].filler = filler[i];
        c->stream[1 + i].key_factor = 4;
    }
}

static void mark_write(struct wr *w, const struct mark *m)
{
    wr_u32(w, m->publisher);
    wr_u32(w, m->frame);
    wr_u8(w, m->source);
    wr_u8(w, m->layer);
    wr_u8(w, m->index);
    wr_u8(w, m->count);
    wr_u8(w, m->key);
    wr_u8(w, m->codec);
    wr_u8(w, (uint8_t)(m->spatial << 4 | m->temporal));
    wr_u8(w, m->tl0);
    wr_u16(w, m->picture_id);
    wr_u8(w, m->refs);
    for (unsigned i = 0; i < CODER_REFS; i++) {
        wr_u32(w, m->ref[i]);
    }
    wr_u24(w, 0xabcdef);
}

bool mark_read(const uint8_t *payload, size_t len, struct mark *out)
{
    if (len < MARK_LEN) {
        return false;
    }
    struct rd r = rd_init(payload + len - MARK_LEN, MARK_LEN);
    out->publisher = rd_u32(&r);
    out->frame = rd_u32(&r);
    out->source = rd_u8(&r);
    out->layer = rd_u8(&r);
    out->index = rd_u8(&r);
    out->count = rd_u8(&r);
    out->key = rd_u8(&r);
    out->codec = rd_u8(&r);
    uint8_t layer = rd_u8(&r);
    out->spatial = layer >> 4;
    out->temporal = layer & 15;
    out->tl0 = rd_u8(&r);
    out->picture_id = rd_u16(&r);
    out->refs = rd_u8(&r);
    for (unsigned i = 0; i < CODER_REFS; i++) {
        out->ref[i] = rd_u32(&r);
    }
    return rd_u24(&r) == 0xabcdef;
}

void media_structure(struct client *c, uint8_t source, const struct structure *st)
{
    for (unsigned i = 0; i < SIM_STREAMS; i++) {
        struct stream_out *s = &c->stream[i];
        if (s->source == source && is_video(s)) {
            s->structure = st;
            s->exists = s->layer < st->encodings;
            s->key_wanted = true;
        }
    }
}

/* Of some pictures it tells how they stand and when they were taken: by their number. */
static void told(struct rtpext_values *v, uint32_t frame)
{
    static const uint8_t moment[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    if (frame % 10 == 3) {
        v->kinds |= 1u << RTPEXT_VIDEO_ORIENTATION;
        v->orientation = frame / 10 & 3;
    }
    if (frame % 10 == 5) {
        v->kinds |= 1u << RTPEXT_ABS_CAPTURE_TIME;
        v->abs_capture = moment;
        v->abs_capture_len = sizeof(moment);
    }
}

static struct rtpext_values ext_values(struct client *c, const struct stream_out *s, bool rtx)
{
    static const char *rids[3] = {"h", "m", "l"};
    struct rtpext_values v = {
        .kinds = 1u << RTPEXT_TRANSPORT_CC | 1u << RTPEXT_ABS_SEND_TIME,
        .transport_cc = c->twcc++,
        .abs_send_time = rtpext_abs_send_time_of(c->world->now),
        .audio_level = c->level[s->source],
        .voice = c->level[s->source] < 60,
    };
    if (!is_video(s)) {
        v.kinds |= 1u << RTPEXT_AUDIO_LEVEL;
    }
    if (s->source == SOURCE_CAMERA && s->sent < MID_FIRST) {
        v.kinds |= 1u << RTPEXT_MID;
        v.kinds |= s->structure->encodings > 1 ? 1u << (rtx ? RTPEXT_REPAIRED_RID : RTPEXT_RID) : 0;
        v.mid = c->offer.mid[s->source];
        v.mid_len = (uint8_t)strlen(v.mid);
        v.rid = rids[s->layer];
        v.rid_len = 1;
        v.repaired_rid = rids[s->layer];
        v.repaired_rid_len = 1;
    }
    return v;
}

/* Seals a plain packet of header_len + len bytes and sends it. */
static void send_sealed(struct client *c, uint8_t *plain, size_t header_len, size_t len,
                        int64_t index)
{
    struct crypto_ops ops = fake_crypto_ops();
    uint8_t out[SIM_PACKET];
    memcpy(out, plain, header_len);
    size_t n = ops.seal_rtp(c->seal, out, header_len, 0, plain + header_len, len, (uint64_t)index);
    world_up(c->world, c, out, n);
}

/* Every other client that knows redundancy repeats the packet before (RFC 2198), as Chromium does
 * when it is asked to. Makes the payload at `body` redundant; its new length. */
static size_t repeat_past(const struct client *c, const struct stream_out *s, uint32_t timestamp,
                          uint8_t *body, size_t len)
{
    unsigned at = (unsigned)((s->seq + SIM_KEPT - 1) % SIM_KEPT); /* the first number may be 0 */
    uint32_t offset = timestamp - s->kept[at].timestamp;
    bool has = s->sent && s->kept[at].seq == (uint16_t)(s->seq - 1) && offset <= RED_OFFSET_MAX;
    struct red_block block[2] = {
        {.pt = SIM_PT_OPUS,
         .ts_offset = (uint16_t)offset,
         .len = s->kept[at].len,
         .data = s->kept[at].data},
        {.pt = SIM_PT_OPUS, .len = (uint16_t)len, .data = body},
    };
    uint8_t out[600];
    struct wr w = wr_init(out, sizeof(out));
    if (s->source != SOURCE_MIC || !c->offer.audio.pt[CODEC_RED] || c->number % 2 == 0) {
        return 0;
    }
    red_build(&w, has ? block : block + 1, has ? 2 : 1);
    memcpy(body, out, wr_len(&w));
    return wr_len(&w);
}

static void keep(struct stream_out *s, const struct rtp_header *hdr, const uint8_t *payload,
                 size_t len, const struct rtpext_values *v)
{
    unsigned at = (unsigned)(s->seq % SIM_KEPT);
    s->kept[at].seq = (uint16_t)s->seq;
    s->kept[at].len = (uint16_t)len;
    s->kept[at].timestamp = hdr->timestamp;
    s->kept[at].pt = hdr->pt;
    s->kept[at].marker = hdr->marker;
    s->kept[at].dd_len = v->dd_len;
    s->kept[at].again_us = 0;
    memcpy(s->kept[at].data, payload, len);
    if (v->dd_len) {
        memcpy(s->kept[at].dd, v->dd, v->dd_len);
    }
}

static void send_packet(struct client *c, struct stream_out *s, const struct mark *m,
                        const struct coded *frame, size_t filler)
{
    uint8_t plain[1400];
    uint8_t dd[CODER_DD_MAX];
    struct wr w = wr_init(plain, sizeof(plain));
    struct rtpext_values v = ext_values(c, s, false);
    bool video = is_video(s);
    uint32_t hz = video ? 90000 : 48000;
    uint32_t tick = (uint32_t)(video ? FRAME_US : AUDIO_US) / 1000 * (hz / 1000);
    struct coder_packet p = {.st = s->structure,
                             .frame = frame,
                             .height = s->height,
                             .index = m->index,
                             .count = m->count,
                             .rest = filler + MARK_LEN};
    struct rtp_header hdr = {
        .ssrc = s->ssrc,
        .seq = (uint16_t)s->seq,
        .timestamp = s->timestamp0 + s->frame * tick,
        .pt = video ? sim_pt((uint8_t)s->structure->codec) : SIM_PT_OPUS,
        .marker = m->index + 1 == m->count && (!video || m->spatial + 1 == s->structure->spatial),
    };
    if (video && (v.dd_len = coder_dd(dd, &p)) != 0) {
        v.kinds |= 1u << RTPEXT_DEPENDENCY_DESCRIPTOR;
        v.dd = dd;
    }
    if (video) {
        told(&v, m->frame);
    }
    rtp_write(&w, &hdr, NULL, true);
    rtpext_write(&w, video ? &c->offer.video_ext : &c->offer.audio_ext, &v, NULL);
    size_t header_len = wr_len(&w);
    if (video) {
        coder_write(&w, &p);
    }
    coder_sealed(&w, filler + !video, (uint32_t)s->seq);
    mark_write(&w, m);
    size_t len = wr_len(&w) - header_len;
    keep(s, &hdr, plain + header_len, len, &v);
    if (s->torn && m->key && m->index == 0 && m->spatial == 0) {
        s->torn--;
        s->seq++;
        return;
    }
    size_t redundant = repeat_past(c, s, hdr.timestamp, plain + header_len, len);
    plain[1] = (uint8_t)(redundant ? (plain[1] & 0x80) | SIM_PT_RED : plain[1]);
    send_sealed(c, plain, header_len, redundant ? redundant : len, s->seq++);
    s->sent++;
}

/* A software encoder on a busy machine: each picture is another size, and for seconds all of them
 * are larger or smaller than they should be. */
static size_t wander(struct client *c, struct stream_out *s, size_t filler)
{
    const struct rng *rng = &c->world->rng;
    int noise = s->noise;
    int step = (int)rng_below(rng, 9) - 4;
    int drift = s->drift + step;
    s->drift = (int16_t)(drift > noise ? noise : (drift < -noise ? -noise : drift));
    int size = (int)filler * (100 + s->drift + (int)rng_below(rng, 41) - 20) / 100;
    return (size_t)(size > 1150 ? 1150 : (size < 60 ? 60 : size));
}

static void send_layer(struct client *c, struct stream_out *s, const struct coded *frame,
                       uint8_t count, size_t filler)
{
    for (uint8_t i = 0; i < count; i++) {
        struct mark m = {
            .publisher = c->number,
            .frame = s->frame,
            .source = s->source,
            .layer = s->layer,
            .index = i,
            .count = count,
            .key = frame->key,
            .codec = is_video(s) ? (uint8_t)s->structure->codec : CODEC_OPUS,
            .spatial = frame->spatial,
            .temporal = frame->temporal,
            .tl0 = frame->tl0,
            .picture_id = frame->picture_id,
            .refs = frame->refs,
            .ref = {frame->ref[0], frame->ref[1]},
        };
        send_packet(c, s, &m, frame, filler + (i >= count / 2));
    }
}

static void send_frame(struct client *c, struct stream_out *s)
{
    struct coded layer[CODER_SPATIAL] = {0};
    bool key = is_video(s) && (s->key_wanted || s->sent == 0);
    s->key_wanted = false;
    s->frame++;
    if (!is_video(s)) {
        send_layer(c, s, &layer[0], 1, 60);
        return;
    }
    unsigned layers = coder_next(&s->coder, s->structure, s->frame, key, layer);
    size_t filler = s->filler + rng_below(&c->world->rng, 3);
    filler = s->noise ? wander(c, s, filler) : filler;
    for (unsigned i = 0; i < layers; i++) {
        unsigned count = layers > 1 ? packets[layers - 1 - i] : s->packets;
        send_layer(c, s, &layer[i], (uint8_t)(key ? count * s->key_factor : count), filler);
    }
}

/* A browser that has no rate for the picture and sends no smaller one, or sometimes has one. */
static bool leaves_out(const struct client *c, unsigned i)
{
    const struct stream_out *s = &c->stream[i];
    const struct stream_out *below = i + 1 < SIM_STREAMS ? s + 1 : NULL;
    bool alone = !below || below->source != s->source || below->off || !below->exists;
    return (s->thin && alone && s->frame % s->thin) ||
           (s->falters && !alone && s->frame / s->falters % 2);
}

void media_tick(struct client *c, mono_us now)
{
    for (unsigned i = 0; i < SIM_STREAMS; i++) {
        struct stream_out *s = &c->stream[i];
        if (now < s->next_us) {
            continue;
        }
        s->next_us += is_video(s) ? FRAME_US : AUDIO_US;
        if (c->on[s->source] && !s->off && s->exists && !leaves_out(c, i)) {
            send_frame(c, s);
        } else {
            s->frame++; /* the sampling clock goes on */
        }
    }
}

void media_layers(struct client *c, const uint8_t send[SOURCE_COUNT])
{
    for (unsigned i = 0; i < SIM_STREAMS; i++) {
        struct stream_out *s = &c->stream[i];
        bool off = !(send[s->source] >> s->layer & 1);
        c->world->layers_paused += off && !s->off;
        c->world->layers_resumed += !off && s->off;
        s->key_wanted = s->key_wanted || (s->off && !off);
        s->off = off;
    }
}

void media_key(struct client *c, uint32_t ssrc, mono_us now)
{
    for (unsigned i = 0; i < SIM_STREAMS; i++) {
        struct stream_out *s = &c->stream[i];
        if (s->ssrc == ssrc) {
            s->plis++;
            s->pli_us[s->pli_at++ % 8] = now;
            s->key_wanted = true;
        }
    }
}

/* Sound has no stream of repairs: the packet itself again, as Chromium does. */
static void sound_again(struct client *c, struct stream_out *s, unsigned at)
{
    uint8_t plain[1400];
    struct wr w = wr_init(plain, sizeof(plain));
    struct rtpext_values v = ext_values(c, s, false);
    struct rtp_header hdr = {
        .ssrc = s->ssrc,
        .seq = s->kept[at].seq,
        .timestamp = s->kept[at].timestamp,
        .pt = s->kept[at].pt,
        .marker = s->kept[at].marker,
    };
    rtp_write(&w, &hdr, NULL, true);
    rtpext_write(&w, &c->offer.audio_ext, &v, NULL);
    size_t header_len = wr_len(&w);
    wr_bytes(&w, s->kept[at].data, s->kept[at].len);
    c->answered_nacks++;
    send_sealed(c, plain, header_len, s->kept[at].len,
                s->seq - (uint16_t)(s->seq - s->kept[at].seq));
}

void media_nack(struct client *c, uint32_t ssrc, uint16_t seq)
{
    for (unsigned i = 0; i < SIM_STREAMS; i++) {
        struct stream_out *s = &c->stream[i];
        unsigned at = seq % SIM_KEPT;
        if (s->ssrc != ssrc || s->kept[at].seq != seq ||
            (s->kept[at].again_us && c->world->now - s->kept[at].again_us < RESEND_US)) {
            continue; /* an answer is on its way */
        }
        s->kept[at].again_us = c->world->now;
        if (!is_video(s)) {
            sound_again(c, s, at);
            continue;
        }
        uint8_t plain[1400];
        struct wr w = wr_init(plain, sizeof(plain));
        struct rtpext_values v = ext_values(c, s, true);
        struct rtp_header hdr = {
            .ssrc = s->rtx_ssrc,
            .seq = (uint16_t)s->rtx_seq,
            .timestamp = s->kept[at].timestamp,
            .pt = (uint8_t)(s->kept[at].pt + 1),
            .marker = s->kept[at].marker,
        };
        v.kinds |= s->source == SOURCE_CAMERA ? 1u << RTPEXT_MID : 0;
        v.kinds |= s->source == SOURCE_CAMERA && s->structure->encodings > 1
                       ? 1u << RTPEXT_REPAIRED_RID
                       : 0;
        v.kinds |= s->kept[at].dd_len ? 1u << RTPEXT_DEPENDENCY_DESCRIPTOR : 0;
        v.dd = s->kept[at].dd;
        v.dd_len = s->kept[at].dd_len;
        v.mid = c->offer.mid[s->source];
        v.mid_len = (uint8_t)strlen(v.mid);
        v.repaired_rid = s->layer == 0 ? "h" : (s->layer == 1 ? "m" : "l");
        v.repaired_rid_len = 1;
        told(&v, (hdr.timestamp - s->timestamp0) / (FRAME_US / 1000 * 90));
        rtp_write(&w, &hdr, NULL, true);
        rtpext_write(&w, &c->offer.video_ext, &v, NULL);
        size_t header_len = wr_len(&w);
        wr_u16(&w, seq);
        wr_bytes(&w, s->kept[at].data, s->kept[at].len);
        c->answered_nacks++;
        send_sealed(c, plain, header_len, wr_len(&w) - header_len, s->rtx_seq++);
    }
}
