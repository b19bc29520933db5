/*
 * The oracle: every datagram the SFU sends is opened at the moment it is sent and held against the
 * world's own knowledge. Nothing is lost here, so the rules are exact.
 */
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/hash.h"
#include "codec/media/vp8.h"
#include "codec/wire/class.h"
#include "codec/wire/rtp_seq.h"
#include "tests/sim/sim.h"

enum { ACCEPT_OLD_US = 3 * US_PER_S, NEWS_US = 2 * US_PER_MS, FAST_START_S = 2 };

static const struct sfu_want *want_of(const struct client *c, unsigned video_slot)
{
    for (uint32_t i = 0; i < c->wants; i++) {
        if (c->want[i].slot == video_slot) {
            return &c->want[i];
        }
    }
    return NULL;
}

/* Who may be in this slot now, and may he be heard and seen at all? */
static void check_right(struct client *c, unsigned k, const struct mark *m, bool rtx)
{
    struct world *w = c->world;
    struct client *p = world_number(w, m->publisher);
    /* Another shard may repair until the news has crossed: one turn of its loop. */
    bool crossing = rtx && p && p->shard != c->shard && w->now - p->moved_us <= NEWS_US;
    if (!p || (!p->open && !crossing)) {
        world_fail(w, "client %u slot %u: packet of a peer that left (%u)", c->number, k,
                   m->publisher);
        return;
    }
    if (p == c) {
        world_fail(w, "client %u hears or sees himself", c->number);
    }
    if (!crossing && !world_reaches(c, p, m->source)) {
        world_fail(w, "client %u (room %u) got source %u of %u (room %u, voice %u)", c->number,
                   (unsigned)c->room, m->source, p->number, (unsigned)p->room, (unsigned)p->voice);
    }
    if (!(p->publish >> m->source & 1) && !crossing) {
        world_fail(w, "client %u slot %u got source %u of %u that is not published%s", c->number, k,
                   m->source, p->number, rtx ? " (rtx)" : "");
    }
    if (!c->ready && k >= c->offer.audio_slots) {
        world_fail(w, "client %u got video before it was ready", c->number);
    }
    if (k >= c->offer.audio_slots) {
        const struct sfu_want *want = want_of(c, k - c->offer.audio_slots);
        bool current = want && want->publisher == p->id && want->source == m->source;
        bool going = c->slot[k].state != SFU_SLOT_LIVE ||
                     c->want_us[k - c->offer.audio_slots] + ACCEPT_OLD_US > w->now;
        /* What was sent before the other one's key frame came is repaired after it. */
        going = going || (rtx && c->check[k].turned_us + ACCEPT_OLD_US > w->now);
        if (!want) {
            world_fail(w, "client %u: video in slot %u that nobody wished%s", c->number, k,
                       rtx ? " (rtx)" : "");
        } else if (!current && !going) {
            world_fail(w, "client %u slot %u carries %u, not who SLOTS said", c->number, k,
                       p->number);
        }
    }
}

static void check_picture(struct client *c, unsigned k, struct slot_check *s,
                          const struct rtp_header *hdr, const uint8_t *payload,
                          const struct mark *m, bool contiguous)
{
    struct world *w = c->world;
    struct vp8_header vp8;
    bool is_vp8 = m->codec == CODEC_VP8;
    bool was_vp8 = s->mark.codec == CODEC_VP8;
    if (is_vp8 && vp8_parse(&vp8, payload, hdr->payload_len)) {
        world_fail(w, "client %u slot %u: broken VP8", c->number, k);
        return;
    }
    bool new_frame = !s->started || m->publisher != s->mark.publisher ||
                     m->layer != s->mark.layer || m->source != s->mark.source ||
                     m->frame != s->mark.frame ||
                     m->index <= s->mark.index; /* the same again: a slot that begins anew */
    bool switched = s->started && (m->publisher != s->mark.publisher || m->layer != s->mark.layer ||
                                   m->source != s->mark.source);
    if ((!s->started || switched) && (!m->key || m->index != 0 || m->spatial != 0)) {
        world_fail(w, "client %u slot %u: %s without a key frame", c->number, k,
                   s->started ? "switched" : "started");
    }
    s->switches += switched;
    if (!is_vp8) {
        return; /* model.h looks at the others */
    }
    if (s->started && was_vp8 && contiguous) {
        uint16_t step = (vp8.picture_id - s->picture_id) & 0x7fff;
        uint8_t tl0 = (uint8_t)(vp8.tl0picidx - s->tl0);
        /* A picture known to be left out only after its place was given. */
        bool closed = new_frame && step > 1 && step - 1U <= s->closed;
        if (step != (new_frame ? 1 : 0) && !closed) {
            world_fail(w, "client %u slot %u: picture id steps by %u", c->number, k, step);
        }
        if (tl0 > 1 + s->closed || (!new_frame && tl0 != 0)) {
            world_fail(w, "client %u slot %u: tl0picidx steps by %u", c->number, k, tl0);
        }
    }
    s->closed = 0;
    s->picture_id = vp8.picture_id;
    s->tl0 = vp8.tl0picidx;
}

static void check_time(struct client *c, unsigned k, struct slot_check *s,
                       const struct rtp_header *hdr, const struct mark *m, mono_us now)
{
    int64_t hz = k < c->offer.audio_slots ? 48000 : 90000;
    int64_t step = (int32_t)(hdr->timestamp - s->timestamp);
    int64_t real = (now - s->at) * hz / US_PER_S;
    int64_t slack = hz / 4 + (c->world->loss_up_any || c->world->loss_down_any ? hz : 0);
    bool another = (m->key && m->index == 0) || m->publisher != s->mark.publisher ||
                   m->layer != s->mark.layer || m->source != s->mark.source;
    int64_t fast = hz == 90000 ? FAST_START_S * hz + slack : 0;
    if ((another || s->behind > 0) && real > step && real <= step + fast) {
        /* It begins with its past, which then comes faster than time, a new key frame in it or not;
         * what is paced beside the past of another slot waits longer. */
        s->behind += real - step;
        s->behind = s->behind < fast ? s->behind : fast;
        real = step;
    } else if (step > real && s->behind > 0) {
        int64_t caught = step - real < s->behind ? step - real : s->behind;
        s->behind -= caught;
        step -= caught;
    }
    if (step < 0) {
        world_fail(c->world, "client %u slot %u: timestamp goes back by %lld", c->number, k,
                   (long long)-step);
    } else if (step > real + slack || real > step + slack) {
        world_fail(c->world, "client %u slot %u: timestamp steps %lld in %lld", c->number, k,
                   (long long)step, (long long)real);
    }
    if (hz == 48000 && step % 960 != 0) {
        world_fail(c->world, "client %u slot %u: audio step %lld", c->number, k, (long long)step);
    }
}

static void check_order(struct client *c, unsigned k, const struct rtp_header *hdr,
                        const uint8_t *payload, const struct mark *m, mono_us now)
{
    struct slot_check *s = &c->check[k];
    int64_t seq = s->started ? rtp_unwrap(s->top, hdr->seq, 16) : hdr->seq;
    s->packets++;
    if (s->started && seq <= s->top) {
        s->late++;
        s->closed++; /* a place that was kept for it */
        if (!c->world->loss_up_any) {
            world_fail(c->world, "client %u slot %u: seq goes back", c->number, k);
        }
        return;
    }
    bool contiguous = !s->started || seq == s->top + 1;
    if (!contiguous) {
        s->holes += (uint64_t)(seq - s->top - 1);
        if (!c->world->loss_up_any) {
            world_fail(c->world, "client %u slot %u: %lld numbers missing", c->number, k,
                       (long long)(seq - s->top - 1));
        }
    }
    if (s->started) {
        check_time(c, k, s, hdr, m, now);
    } else if (k >= c->offer.audio_slots) {
        s->behind = (int64_t)FAST_START_S * 90000; /* it may begin with its past as well */
    }
    if (k >= c->offer.audio_slots) {
        check_picture(c, k, s, hdr, payload, m, contiguous);
    }
    if (s->started && s->mark.publisher != m->publisher) {
        s->turned_us = now;
    }
    s->started = true;
    s->top = seq;
    s->timestamp = hdr->timestamp;
    s->mark = *m;
    s->at = now;
}

/* Sound is passed on byte for byte, so that what an encoder put beside it (in-band FEC) arrives;
 * the newest block of a redundant packet is its end. */
static void check_sound(struct client *c, unsigned k, const struct rtp_header *hdr,
                        const uint8_t *payload, const struct mark *m)
{
    const struct client *p = world_number(c->world, m->publisher);
    const struct stream_out *s = p ? &p->stream[m->source == SOURCE_MIC ? 0 : 5] : NULL;
    struct mark kept;
    for (int64_t back = 1; s && s->kept && back <= SIM_KEPT / 2 && back <= (int64_t)s->sent;
         back++) {
        unsigned at = (unsigned)((s->seq - back + SIM_KEPT) % SIM_KEPT);
        size_t len = s->kept[at].len;
        if (!mark_read(s->kept[at].data, len, &kept) || kept.frame != m->frame) {
            continue;
        }
        if (hdr->pt == SIM_PT_OPUS ? len != hdr->payload_len : len >= hdr->payload_len) {
            world_fail(c->world, "client %u slot %u: %u bytes of sound were %zu", c->number, k,
                       hdr->payload_len, len);
        } else if (memcmp(payload + hdr->payload_len - len, s->kept[at].data, len) != 0) {
            world_fail(c->world, "client %u slot %u: sound was changed", c->number, k);
        }
        return;
    }
}

static void check_exts(struct client *c, const struct rtp_header *hdr, const uint8_t *data,
                       bool audio, const struct mark *m)
{
    struct rtpext_set set;
    const struct desc_exts *ids = audio ? &c->offer.audio_ext : &c->offer.video_ext;
    const struct client *p = world_number(c->world, m->publisher);
    if (rtpext_find(&set, hdr, data, ids)) {
        world_fail(c->world, "client %u: torn extensions", c->number);
        return;
    }
    bool numbered = rtpext_transport_cc(&set, data) >= 0;
    if (numbered != (ids->id[RTPEXT_TRANSPORT_CC] != 0) || rtpext_abs_send_time(&set, data) < 0) {
        world_fail(c->world, "client %u: transport extensions missing", c->number);
    }
    if (!audio) {
        const struct rtpext_field *turned = &set.field[RTPEXT_VIDEO_ORIENTATION];
        const struct rtpext_field *taken = &set.field[RTPEXT_ABS_CAPTURE_TIME];
        bool turns = m->frame % 10 == 3;
        if (turned->len != turns || (turns && data[turned->at] != (m->frame / 10 & 3))) {
            world_fail(c->world, "client %u: a picture does not stand as it was sent", c->number);
        }
        if (taken->len != (m->frame % 10 == 5 ? 8 : 0) ||
            (taken->len && data[taken->at + 7] != 8)) {
            world_fail(c->world, "client %u: not the moment a picture was taken", c->number);
        }
    }
    const struct rtpext_field *wait = &set.field[RTPEXT_PLAYOUT_DELAY];
    bool begins = m->key && m->spatial == 0 && m->index == 0;
    uint8_t most = m->source == SOURCE_SCREEN ? 50 : 100; /* times 10 ms */
    if (!audio && (begins || rtpext_has(&set, RTPEXT_MID)) &&
        (wait->len != 3 || data[wait->at] || data[wait->at + 1] || data[wait->at + 2] != most)) {
        world_fail(c->world, "client %u: its playout delay is not that of its kind", c->number);
    }
    if (audio && p && rtpext_audio_level(&set, data, NULL) > 127) {
        world_fail(c->world, "client %u: audio level missing", c->number);
    }
}

/* A retransmission is the packet that was sent under its number, byte for byte. */
static void check_repair(struct client *c, unsigned k, const struct rtp_header *hdr,
                         const uint8_t *payload)
{
    const struct hash_key key = {1, 2};
    struct slot_check *s = &c->check[k];
    struct rd r = rd_init(payload, hdr->payload_len);
    uint16_t seq = rd_u16(&r);
    uint64_t hash = hash_bytes(&key, payload + 2, hdr->payload_len - 2U);
    if (s->sent_hash[seq % SIM_SENT] != hash || s->sent_ts[seq % SIM_SENT] != hdr->timestamp) {
        world_fail(c->world, "client %u slot %u: number %u was another packet", c->number, k, seq);
    }
}

static void note_sent(struct client *c, unsigned k, const struct rtp_header *hdr,
                      const uint8_t *payload)
{
    const struct hash_key key = {1, 2};
    struct slot_check *s = &c->check[k];
    s->sent_hash[hdr->seq % SIM_SENT] = hash_bytes(&key, payload, hdr->payload_len);
    s->sent_ts[hdr->seq % SIM_SENT] = hdr->timestamp;
}

/* An empty packet closes a hole that was there because its packet came late. */
static void check_filler(struct client *c, unsigned k, const struct rtp_header *hdr, bool rtx)
{
    struct slot_check *s = &c->check[k];
    int64_t seq = s->started && !rtx ? rtp_unwrap(s->top, hdr->seq, 16) : INT64_MIN;
    s->fillers++;
    s->closed++;
    if (!c->world->loss_up_any || hdr->marker) {
        world_fail(c->world, "client %u slot %u: an empty packet without need", c->number, k);
    }
    if (!rtx) {
        note_sent(c, k, hdr, NULL);
        s->top = seq > s->top ? seq : s->top;
    }
}

static void check_rtp(struct client *c, const uint8_t *data, size_t len, mono_us now)
{
    struct world *w = c->world;
    struct rtp_header hdr;
    struct mark m;
    if (rtp_parse(&hdr, data, len)) {
        world_fail(w, "client %u: the SFU sends malformed RTP", c->number);
        return;
    }
    uint32_t k = (hdr.ssrc - c->answer.ssrc_base) / 2;
    bool rtx = (hdr.ssrc - c->answer.ssrc_base) & 1;
    unsigned slots = c->offer.audio_slots + c->offer.video_slots;
    if (k >= slots) {
        world_fail(w, "client %u: SSRC of no slot", c->number);
        return;
    }
    bool audio = k < c->offer.audio_slots;
    if (rtx && hdr.payload_len == 0 && data[0] & 0x20) {
        return; /* padding that probes the path */
    }
    if (!audio && hdr.payload_len == (rtx ? 2 : 0)) {
        check_filler(c, k, &hdr, rtx);
        return;
    }
    if (!mark_read(data + hdr.header_len, hdr.payload_len, &m)) {
        world_fail(w, "client %u slot %u: payload damaged", c->number, k);
        return;
    }
    uint8_t pt = audio ? SIM_PT_OPUS : (uint8_t)(sim_pt(m.codec) + rtx);
    bool red = audio && hdr.pt == SIM_PT_RED && c->offer.audio.pt[CODEC_RED];
    if (hdr.pt != pt && !red) {
        world_fail(w, "client %u slot %u: payload type %u", c->number, k, hdr.pt);
    }
    w->rtp_tx++;
    c->last_rtp_us = now;
    check_right(c, k, &m, rtx);
    check_exts(c, &hdr, data, audio, &m);
    if (audio) {
        check_sound(c, k, &hdr, data + hdr.header_len, &m);
    }
    if (rtx) {
        check_repair(c, k, &hdr, data + hdr.header_len);
    } else {
        note_sent(c, k, &hdr, data + hdr.header_len);
        check_order(c, k, &hdr, data + hdr.header_len, &m, now);
    }
}

/* Audio may leave twice under one number, but then bit for bit: no SRTP index covers two texts. */
static bool same_again(struct client *c, const uint8_t *data, size_t len, bool first)
{
    const struct hash_key key = {3, 4};
    struct rd r = rd_init(data + 8, 4);
    uint32_t k = (rd_u32(&r) - c->answer.ssrc_base) / 2;
    uint64_t *kept;
    if (k >= c->offer.audio_slots) {
        return false;
    }
    kept = &c->check[k].sealed_hash[data[3] % SIM_SEALED];
    uint64_t hash = hash_bytes(&key, data, len);
    if (first) {
        *kept = hash;
    }
    return *kept == hash;
}

void check_sent(struct client *c, const uint8_t *data, size_t len, mono_us now)
{
    struct crypto_ops ops = fake_crypto_ops();
    uint8_t copy[SIM_PACKET];
    bool farewell = len == 18 && data[0] == FAKE_ALERT && data[1] == FAKE_SERVER_BYE;
    if (farewell && c->farewells++ == 0) {
        return;
    }
    if (!c->open) {
        world_fail(c->world, "client %u left, the SFU still sends to it", c->number);
        return;
    }
    if (wire_classify(data, len) != WIRE_RTP) {
        return;
    }
    memcpy(copy, data, len);
    size_t sealed = len;
    int err = ops.open_rtp(c->tap, copy, &len);
    if (err == E_REPLAY && same_again(c, data, sealed, false)) {
        c->audio_again++;
        return;
    }
    if (!err) {
        same_again(c, data, sealed, true);
    }
    if (err) {
        world_fail(c->world, "client %u: a sent packet does not open (%s)", c->number,
                   err_name(err));
        return;
    }
    check_rtp(c, copy, len, now);
}
