/*
 * The last hop but one: queued references are numbered, stamped, rewritten and sealed into the send
 * buffer, one subscriber after the other, so that its packets form runs. Which of them wait, and in
 * what order they leave, is queue.c's; pictures beyond the budget of the path (pace.h) stay queued.
 */
#include <string.h>

#include "codec/base/err.h"
#include "codec/media/av1_dd.h"
#include "codec/media/registry.h"
#include "codec/media/rungs.h"
#include "codec/wire/rtp.h"
#include "server/proto/pacer.h"
#include "server/sfu/core.h"
#include "server/sfu/outcome.h"
#include "server/sfu/voice.h"

enum {
    PADDING_BIT = 0x20,
    MARKER_BIT = 0x80,
    PACE_QUEUE_MS = 600,       /* of pacing: pictures later than this are of no use */
    PACE_QUEUE_BITS = 2000000, /* and this much more, for a key frame on a slow path */
    GENERIC_MAX = RTP_HEADER_MIN + HEADER_WRITE_MAX + CODEC_PREFIX_MAX,
};

/* Everything one copy needs, worked out before it is sealed. */
struct copy {
    struct subscription *sub;
    struct pkt *pkt;
    const struct header *header; /* cached, or NULL: written into `own` */
    int64_t seq;
    uint32_t timestamp;
    struct codec_edit edit;
};

/* The copy begins a source in its slot: numbers and layers start with it. */
static void begin_source(struct subscription *sub, const struct pkt *pkt, mono_us now)
{
    const struct pkt_desc *desc = &pkt->desc;
    mono_us age = sub->video && now > pkt->arrival ? now - pkt->arrival : 0;
    rewrite_begin(&sub->rewrite, desc->ext_seq, desc->timestamp, sub->video ? 90000 : 48000,
                  sub->video ? 1 : REWRITE_AUDIO_STEP, age, now);
    sub->codec = CODEC_NONE;
    sub->pictured = false;
    sub->rung = sub->target;
    for (unsigned i = 0; i < RUNGS_PAST; i++) {
        sub->rung_from[i] = desc->ext_seq;
        sub->rung_was[i] = sub->target;
    }
}

static void rung_changes(struct subscription *sub, uint8_t rung, int64_t seq)
{
    /* What lies before the oldest change cannot be told any more. */
    int64_t known = sub->rung_from[RUNGS_PAST - 1];
    sub->rewrite.in_base = sub->rewrite.in_base > known ? sub->rewrite.in_base : known;
    for (unsigned i = RUNGS_PAST; i-- > 1;) {
        sub->rung_from[i] = sub->rung_from[i - 1];
        sub->rung_was[i] = sub->rung_was[i - 1];
    }
    sub->rung_from[0] = seq;
    sub->rung_was[0] = sub->rung;
    sub->rung = rung;
}

/* The rung that was or is for the packet with this number. */
static unsigned rung_at(const struct subscription *sub, int64_t seq)
{
    unsigned rung = sub->rung;
    for (unsigned i = 0; i < RUNGS_PAST && seq < sub->rung_from[i]; i++) {
        rung = sub->rung_was[i];
    }
    return rung;
}

enum { FALL_PICTURES = 2 };

static void ask_later(struct sfu *sfu, const struct subscription *sub)
{
    track_keyframe_later(sfu, sub->layer->track, (uint8_t)(1u << sub->layer->index), sfu->now);
}

/*
 * Of one stream fewer spatial layers are wanted. Those above may end with any picture where lower
 * ones were sent all along; one that has not ended with the second is of those that need a key
 * frame. For more layers it was asked for when they were chosen (retarget).
 */
static void fall(struct sfu *sfu, struct subscription *sub)
{
    if (rung_spatial(sub->rung) <= rung_spatial(sub->target)) {
        sub->waited = 0;
        sub->asked = false;
    } else if (sub->layer && !sub->asked && ++sub->waited >= FALL_PICTURES) {
        sub->asked = true;
        ask_later(sfu, sub);
    }
}

/* A key frame came too late to change anything, and whoever waited for it counts as answered: the
 * next one may. */
static void ask_again(struct sfu *sfu, const struct subscription *sub)
{
    if (sub->layer && rung_spatial(sub->rung) != rung_spatial(sub->target)) {
        ask_later(sfu, sub);
    }
}

/* A smaller picture that has to wait for a key frame: until then the large one comes less often. */
static unsigned thinned(const struct subscription *sub, unsigned rung)
{
    bool waits = rung_spatial(rung) > rung_spatial(sub->target) && (sub->waited || sub->asked);
    return waits ? rung_of(rung_spatial(rung), 0) : rung;
}

enum fate { FATE_SEND, FATE_LEAVE_OUT, FATE_EMPTY };

/* Is the packet part of what this subscriber gets of the layer? A change of rung takes effect here,
 * with the packet that allows it. */
static enum fate fate_of(struct sfu *sfu, struct subscription *sub, const struct pkt_desc *desc)
{
    int64_t seq = desc->ext_seq;
    bool newest = rewrite_newest(&sub->rewrite, seq);
    if (desc->payload_len == 0) {
        return FATE_SEND;
    }
    if (newest) {
        unsigned target =
            seq <= sub->catch_up ? rung_of(rung_spatial(sub->target), 0) : sub->target;
        /* Its first packet, and the first to come: none of the picture is treated otherwise. */
        bool fresh = desc->start_of_frame && desc->spatial == 0 &&
                     (!sub->pictured || desc->timestamp != sub->picture_ts);
        unsigned rung = rung_step(sub->rung, target, desc, fresh);
        rung = fresh ? thinned(sub, rung) : rung;
        if (rung != sub->rung) {
            rung_changes(sub, (uint8_t)rung, seq);
        }
        if (fresh) {
            fall(sfu, sub);
        }
        sub->picture_ts = desc->timestamp;
        sub->pictured = true;
    } else if (desc->keyframe) {
        ask_again(sfu, sub);
    }
    unsigned rung = rung_at(sub, seq);
    if (desc->present >> rung & 1) {
        return FATE_SEND;
    }
    return FATE_LEAVE_OUT;
}

/* A packet above the chosen layers: no hole is left, in numbers nor (VP8) in pictures. False when
 * it came so late that there is a hole. */
static bool leave_out(struct sfu *sfu, struct subscription *sub, const struct pkt_desc *desc)
{
    const struct codec_ops *ops = registry_codec((enum codec_id)desc->codec);
    sfu->stats.left_out++;
    if (ops && ops->close_holes) {
        codec_rewrite_drop(&sub->codec_rewrite, desc);
    }
    return rewrite_skip(&sub->rewrite, desc->ext_seq);
}

/*
 * A receiver with fewer layers than the source sends is told so with the first packet of every
 * frame, and for a while after it got more: its decoder must not wait for what does not come.
 */
static void tell_targets(const struct subscription *sub, const struct pkt_desc *desc,
                         struct codec_edit *edit)
{
    enum { TOLD_FOR = 64 }; /* packets */
    unsigned rung = rung_at(sub, desc->ext_seq);
    uint32_t mask = av1_dd_targets(desc, rung);
    bool cut = mask != desc->targets_active;
    if (mask && desc->start_of_frame && (cut || desc->ext_seq - sub->rung_from[0] < TOLD_FOR)) {
        edit->fields |= CODEC_EDIT_TARGETS;
        edit->tl0picidx = (uint8_t)rung;
    }
}

/* Numbers and edits of a picture's copy; false when it must not go out. */
static bool number_video(struct sfu *sfu, struct copy *c)
{
    struct subscription *sub = c->sub;
    const struct pkt_desc *desc = &c->pkt->desc;
    enum fate fate = fate_of(sfu, sub, desc);
    if (desc->codec != sub->codec) {
        codec_rewrite_switch(&sub->codec_rewrite);
        sub->codec = desc->codec;
    }
    if (fate == FATE_LEAVE_OUT) {
        if (leave_out(sfu, sub, desc)) {
            return false;
        }
        fate = FATE_EMPTY;
    } else if (desc->payload_len) {
        int err = codec_rewrite_edit(&sub->codec_rewrite, desc, &c->edit);
        if (err == E_NOTFOUND) {
            fate = FATE_EMPTY; /* of a picture that was left out: its place is known by now */
        } else if (err) {
            sfu_drop(sfu, DROP_TOO_OLD);
            return false; /* a hole that is closed with nothing would hide a loss */
        }
    }
    if (fate == FATE_EMPTY) {
        /* It was missing when what surrounds it went out, so there is a hole: close it. */
        c->edit = (struct codec_edit){.fields = CODEC_EDIT_EMPTY};
    } else if (desc->end_of_frame && !desc->marker &&
               desc->spatial == rung_spatial(rung_at(sub, desc->ext_seq))) {
        c->edit.fields |= CODEC_EDIT_MARKER;
    }
    if (desc->targets && fate == FATE_SEND) {
        tell_targets(sub, desc, &c->edit);
    }
    return true;
}

/* Numbers of the copy; false when it must not go out. */
static bool number(struct sfu *sfu, struct copy *c, bool begin, mono_us now)
{
    struct subscription *sub = c->sub;
    const struct pkt_desc *desc = &c->pkt->desc;
    if (begin) {
        begin_source(sub, c->pkt, now);
    }
    if (desc->ext_seq < sub->rewrite.in_base) {
        sfu_drop(sfu, DROP_TOO_OLD);
        return false;
    }
    c->edit = (struct codec_edit){0};
    if (sub->video && !number_video(sfu, c)) {
        return false;
    }
    if (!rewrite_packet(&sub->rewrite, desc->ext_seq, desc->timestamp, now, &c->seq,
                        &c->timestamp)) {
        sfu_drop(sfu, DROP_TOO_OLD);
        return false;
    }
    return true;
}

uint8_t slot_mid(const struct peer *peer, uint8_t slot, char out[8])
{
    unsigned n = peer->offer.slot_mid_first + slot;
    char digits[8];
    uint8_t len = 0;
    do {
        digits[len++] = (char)('0' + n % 10);
        n /= 10;
    } while (n && len < 6);
    for (uint8_t i = 0; i < len; i++) {
        out[i] = digits[len - 1 - i];
    }
    return len;
}

/* Header of one copy into out; its length, 0 when there is none. at says what to patch. */
static size_t header_put(struct sfu *sfu, const struct copy *c, uint8_t *out, struct header *at)
{
    const struct subscription *sub = c->sub;
    const struct pkt *pkt = c->pkt;
    bool targets = c->edit.fields & CODEC_EDIT_TARGETS;
    const struct peer *peer = sub->peer;
    if (peer->template && sub->mid_left == 0 && !targets) {
        const struct header *h = headers_find(&sfu->headers, pkt, peer->template, !sub->video);
        if (h) {
            memcpy(out, h->bytes, h->len);
            at->transport_cc_at = h->transport_cc_at;
            at->dd_at = h->dd_at;
            at->dd_len = h->dd_len;
            return h->len;
        }
    }
    char mid[8];
    struct header_spec spec = {
        .ids = sub->video ? &peer->offer.video_ext : &peer->offer.audio_ext,
        .pt = sub->video ? peer->offer.video.pt[pkt->desc.codec]
                         : peer->offer.audio.pt[pkt->desc.codec],
        .abs_send_time = sfu->headers.abs_send_time,
        .mid = sub->mid_left ? mid : NULL,
        .audio = !sub->video,
        .targets = targets ? av1_dd_targets(&pkt->desc, c->edit.tl0picidx) : 0,
    };
    spec.mid_len = slot_mid(peer, sub->slot, mid);
    return header_write(out, pkt, &spec, at);
}

static void header_patch(struct peer *peer, uint8_t *out, const struct header *at,
                         const struct copy *c, uint32_t ssrc)
{
    if (c->edit.fields & CODEC_EDIT_MARKER) {
        out[1] |= MARKER_BIT;
    } else if (c->edit.fields & CODEC_EDIT_EMPTY) {
        out[1] &= (uint8_t)~MARKER_BIT;
    }
    put_u16(out + 2, (uint16_t)c->seq);
    put_u32(out + 4, c->timestamp);
    put_u32(out + 8, ssrc);
    if (at->transport_cc_at) {
        put_u16(out + at->transport_cc_at, peer->twcc_seq);
    }
    if (at->dd_at && c->edit.fields & CODEC_EDIT_PICTURE_ID && c->pkt->desc.codec == CODEC_AV1) {
        av1_dd_renumber(out + at->dd_at, at->dd_len, c->edit.picture_id);
    }
}

static void note_sent(struct sfu *sfu, struct subscription *sub, const struct copy *c, mono_us now)
{
    struct rtx_sent sent = {
        .source = sub->layer_name,
        .seq_in = c->pkt->desc.ext_seq,
        .timestamp_shift = sub->rewrite.ts_shift,
        .edit = c->edit,
    };
    rtx_note(&sub->rtx, &sfu->chunks, c->seq, &sent, sub->video ? KEEP_VIDEO_US : KEEP_AUDIO_US,
             now);
    sub->sent_packets++;
    sub->sent_octets += c->pkt->desc.payload_len;
    sfu->stats.forwarded++;
}

/* Redundancy of an audio copy, and a note of how it was written; what precedes its payload. */
static size_t voice_put(const struct sfu *sfu, const struct copy *c, uint8_t *out,
                        size_t header_len)
{
    struct subscription *sub = c->sub;
    const struct peer *peer = sub->peer;
    struct voice_copy copy = {
        .header = out,
        .header_len = header_len,
        .depth = peer->red_depth,
    };
    size_t prefix = voice_redundancy(sub, c->pkt, &copy);
    if (sub->voice) {
        const struct voice_sent sent = {
            .abs_send_time = sfu->headers.abs_send_time,
            .seq = (uint16_t)c->seq,
            .transport_cc = peer->twcc_seq,
            .depth = peer->red_depth,
            .past = copy.past,
            .mid = sub->mid_left != 0,
        };
        voice_note(sub, &sent);
    }
    return prefix;
}

/* How sure it is that the receiver will ask for the copy if it does not come. */
static enum outcome_kind outcome_of(const struct subscription *sub, const struct copy *c)
{
    if (c->seq < sub->rewrite.out_top) {
        return OUTCOME_REPAIR;
    }
    return c->pkt->desc.temporal ? OUTCOME_UPPER : OUTCOME_FIRST;
}

void drain_put(struct sfu *sfu, const struct peer *peer, size_t len)
{
    if (len == 0) {
        sfu_drop(sfu, DROP_SEAL_FAILED); /* for the receiver a loss like any other */
        return;
    }
    txbatch_commit(sfu->tx, &peer->to, len);
    sfu->stats.tx_packets++;
    sfu->stats.tx_bytes += len;
}

/* One packet into the send buffer. */
static void send_one(struct sfu *sfu, struct peer *peer, const struct txq_entry *e,
                     uint16_t padding, mono_us now)
{
    struct subscription *sub = peer->slot[e->slot];
    const struct pkt_desc *desc = &e->pkt->desc;
    struct copy c = {.sub = sub, .pkt = e->pkt};
    if (e->generation != sub->generation) {
        sfu_drop(sfu, DROP_REVOKED);
        return;
    }
    if (!number(sfu, &c, e->begin, now)) {
        return;
    }
    uint8_t *out = txbatch_room(sfu->tx);
    struct header at; /* only where to patch is used of it */
    at.transport_cc_at = at.dd_at = at.dd_len = 0;
    size_t header_len = header_put(sfu, &c, out, &at);
    const uint8_t *payload = e->pkt->data + desc->header_len;
    size_t payload_len = c.edit.fields & CODEC_EDIT_EMPTY ? 0 : desc->payload_len;
    padding = payload_len ? padding : 0;
    if (header_len == 0 ||
        header_len + payload_len + CODEC_PREFIX_MAX + PACER_PAD_MAX + SRTP_TRAILER_MAX >
            TXBATCH_DATAGRAM_MAX) {
        sfu_drop(sfu, DROP_TOO_BIG);
        return;
    }
    header_patch(peer, out, &at, &c, sub->ssrc);
    size_t replaced = 0;
    size_t prefix = 0;
    if (c.edit.fields && payload_len) {
        prefix = codec_apply(desc->codec, &c.edit, desc, payload, payload_len, out + header_len,
                             &replaced);
    }
    if (!sub->video && peer->red_depth + (sub->voice != NULL)) {
        prefix = voice_put(sfu, &c, out, header_len);
    }
    if (padding) {
        out[0] |= PADDING_BIT; /* the ramp behind every kept payload ends in its own count */
    }
    size_t len = sfu->crypto.seal_rtp(peer->seal, out, header_len, prefix, payload + replaced,
                                      payload_len - replaced + padding, (uint64_t)c.seq);
    drain_put(sfu, peer, len);
    if (at.transport_cc_at) {
        pace_sent(sfu, peer, sub->video ? CC_VIDEO : CC_AUDIO, len, now);
        if (sub->video) {
            outcome_note(sfu, sub, (uint16_t)c.seq, 0, outcome_of(sub, &c));
        }
    } else {
        pace_unnumbered(peer, len);
    }
    if (sub->mid_left) {
        sub->mid_left--;
    }
    note_sent(sfu, sub, &c, now);
    if (!peer->red_depth) {
        return;
    }
    if (sub->video && c.seq < sub->rewrite.out_top) {
        /* It came by repair and is missed already: its time is too short to be lost once more. */
        retransmit_copy(sfu, sub, (uint16_t)c.seq, now);
    } else if (sub->video && payload_len && cc_may_double(peer, now)) {
        retransmit_copy(sfu, sub, (uint16_t)c.seq, now);
    } else if (!sub->video && !peer->offer.audio.pt[CODEC_RED]) {
        voice_repeat(sfu, sub, c.seq, now);
    }
}

/* Lengths the packets of a chunk will have: enough to plan runs, not used for anything else. */
static uint32_t plan(const struct peer *peer, const struct txq_chunk *chunk, uint32_t from,
                     uint16_t pad_max, struct pacer_item *item)
{
    uint32_t end = from;
    for (; end < chunk->count && chunk->entry[end].pkt; end++) {
        const struct pkt_desc *desc = &chunk->entry[end].pkt->desc;
        const struct subscription *sub = peer->slot[chunk->entry[end].slot];
        item[end] = (struct pacer_item){
            .len = desc->payload_len,
            .may_pad = sub->video && desc->payload_len > 0 && sub->mid_left == 0,
        };
    }
    return pacer_run(item + from, end - from, pad_max);
}

/* Sends of one chunk what may leave; true when something of it has to wait. */
static bool drain_chunk(struct sfu *sfu, struct peer *peer, struct txq_chunk *chunk, bool limited,
                        mono_us now)
{
    struct pacer_item item[TXQ_CHUNK];
    uint32_t run_end = 0;
    queue_order(peer, chunk);
    uint32_t waits = chunk->count;
    for (uint32_t i = chunk->first; i < chunk->count; i++) {
        struct txq_entry *e = &chunk->entry[i];
        if (!e->pkt) {
            continue;
        }
        if (limited && e->slot >= peer->audio_slots && !pace_may_send(peer)) {
            waits = waits < i ? waits : i;
            continue;
        }
        if (i >= run_end) {
            run_end = i + plan(peer, chunk, i, sfu->pad_max, item);
        }
        peer->queue_bytes -= e->pkt->len;
        send_one(sfu, peer, e, item[i].padding, now);
        pkt_put(&e->pkt);
    }
    chunk->first = (uint8_t)waits;
    return waits < chunk->count;
}

/* The path cannot take what is queued in useful time: pictures begin anew with key frames. */
static void give_up(struct sfu *sfu, struct peer *peer, mono_us now)
{
    queue_forget(sfu, peer, DROP_QUEUE_FULL);
    for (unsigned i = peer->audio_slots; i < peer->slots; i++) {
        struct subscription *sub = peer->slot[i];
        if (sub && sub->layer) {
            sub->begin = true;
            sub->catch_up = INT64_MIN;
            track_keyframe(sfu, sub->layer->track, (uint8_t)(1u << sub->layer->index), now);
        }
    }
}

void drain_now(struct sfu *sfu, struct peer *peer, mono_us now)
{
    bool limited = pace_limited(peer, now);
    while (peer->queue && !drain_chunk(sfu, peer, peer->queue, limited, now)) {
        struct txq_chunk *chunk = peer->queue;
        peer->queue = chunk->next;
        pool_put(&sfu->txq, chunk->id);
    }
    if (!peer->queue) {
        return;
    }
    for (struct txq_chunk *chunk = peer->queue->next; chunk; chunk = chunk->next) {
        (void)drain_chunk(sfu, peer, chunk, limited, now); /* sound behind pictures that wait */
    }
    uint64_t bits = (uint64_t)peer->queue_bytes * 8;
    uint64_t most = peer->estimate_bps * PACER_FACTOR_PERCENT / 100 * PACE_QUEUE_MS / 1000;
    if (bits > most + PACE_QUEUE_BITS) {
        give_up(sfu, peer, now);
    } else {
        pace_wait(sfu, peer, now);
    }
}

static void drain_peer(struct sfu *sfu, struct peer *peer, mono_us now)
{
    queue_unlist(sfu, peer);
    if (peer_can_send(peer, now)) {
        drain_now(sfu, peer, now);
    } else if (peer->queue) {
        queue_forget(sfu, peer, DROP_NO_CONSENT);
    }
}

void pacer_drain(struct sfu *sfu, mono_us now)
{
    bool gathered = now >= sfu->gather_until;
    uint32_t waits = 0;
    headers_flush(&sfu->headers, now);
    if (!gathered && !sfu->due_count) {
        return;
    }
    for (uint32_t i = 0; i < sfu->active_count; i++) {
        struct peer *peer = sfu->active[i];
        near_peers(sfu, i);
        if (peer->due || gathered) {
            drain_peer(sfu, peer, now);
        } else {
            sfu->active[waits++] = peer;
        }
    }
    sfu->active_count = waits;
    if (!waits) {
        sfu->gather_until = MONO_NEVER;
    }
}

void drain_rtcp(struct sfu *sfu, struct peer *peer, uint8_t *data, size_t len, mono_us now)
{
    if (len == 0 || !peer->seal || !peer_can_send(peer, now)) {
        return;
    }
    len = sfu->crypto.seal_rtcp(peer->seal, data, len, peer->rtcp_index++ & 0x7fffffff);
    drain_put(sfu, peer, len);
}
