/*
 * A subscriber misses a packet: sealed again from the shared history as RTX (RFC 4588). The same
 * stream carries what probes the path: recent packets once more, then padding.
 */
#include <string.h>

#include "codec/base/err.h"
#include "codec/media/av1_dd.h"
#include "codec/media/registry.h"
#include "server/sfu/cc.h"
#include "server/sfu/core.h"
#include "server/sfu/outcome.h"
#include "server/sfu/voice.h"

static void send_again(struct sfu *sfu, struct subscription *sub, const struct pkt *pkt,
                       const struct rtx_sent *sent, uint16_t seq, mono_us now)
{
    struct peer *peer = sub->peer;
    const struct pkt_desc *desc = &pkt->desc;
    const struct desc_codecs *codecs = sub->video ? &peer->offer.video : &peer->offer.audio;
    /* Firefox drops what has no MID once it has seen one on the slot, so this always says it. */
    char mid[8];
    struct header_spec spec = {
        .mid = mid,
        .mid_len = slot_mid(peer, sub->slot, mid),
        .ids = sub->video ? &peer->offer.video_ext : &peer->offer.audio_ext,
        .pt = codecs->rtx[desc->codec],
        .abs_send_time = sfu->headers.abs_send_time,
        .audio = !sub->video,
        .targets =
            sent->edit.fields & CODEC_EDIT_TARGETS ? av1_dd_targets(desc, sent->edit.tl0picidx) : 0,
    };
    uint8_t *out = txbatch_room(sfu->tx);
    struct header at = {0};
    size_t header_len = spec.pt ? header_write(out, pkt, &spec, &at) : 0;
    if (header_len == 0 ||
        header_len + desc->payload_len + 2 + CODEC_PREFIX_MAX + SRTP_TRAILER_MAX >
            TXBATCH_DATAGRAM_MAX) {
        return;
    }
    int64_t rtx_seq = sub->rtx_seq++;
    size_t payload_len = sent->edit.fields & CODEC_EDIT_EMPTY ? 0 : desc->payload_len;
    if (sent->edit.fields & CODEC_EDIT_MARKER) {
        out[1] |= 0x80;
    } else if (payload_len == 0) {
        out[1] &= 0x7f;
    }
    put_u16(out + 2, (uint16_t)rtx_seq);
    put_u32(out + 4, desc->timestamp + sent->timestamp_shift);
    put_u32(out + 8, sub->ssrc + 1);
    if (at.transport_cc_at) {
        put_u16(out + at.transport_cc_at, peer->twcc_seq);
    }
    if (at.dd_at && sent->edit.fields & CODEC_EDIT_PICTURE_ID && desc->codec == CODEC_AV1) {
        av1_dd_renumber(out + at.dd_at, at.dd_len, sent->edit.picture_id);
    }
    put_u16(out + header_len, seq);
    const uint8_t *payload = pkt->data + desc->header_len;
    size_t replaced = 0;
    size_t prefix = 2;
    if (sent->edit.fields && payload_len) {
        prefix += codec_apply(desc->codec, &sent->edit, desc, payload, payload_len,
                              out + header_len + 2, &replaced);
    }
    size_t len = sfu->crypto.seal_rtp(peer->seal, out, header_len, prefix, payload + replaced,
                                      payload_len - replaced, (uint64_t)rtx_seq);
    drain_put(sfu, peer, len);
    if (at.transport_cc_at) {
        pace_sent(sfu, peer, CC_RTX, len, now);
        outcome_note(sfu, sub, seq, rtx_stamp(now), OUTCOME_REPAIR);
    } else {
        pace_unnumbered(peer, len);
        cc_repaired(peer, len);
    }
    sfu->stats.rtx_sent++;
}

/* What a slot was sent, if it may be sent again now; NULL, *lost: nobody keeps it any more. */
static const struct pkt *kept(struct sfu *sfu, const struct subscription *sub,
                              const struct rtx_sent *sent, struct layer **lost)
{
    struct layer *layer = pool_at(&sfu->layers, sent->source);
    *lost = NULL;
    if (!layer || !layer->track->published ||
        !peer_reaches(sub->peer, layer->track->room, sub->video)) {
        return NULL; /* what was allowed when it was sent may not be any more */
    }
    const struct pkt *pkt = history_get(&layer->history, sent->seq_in);
    *lost = pkt ? NULL : layer;
    return pkt;
}

/*
 * Whoever misses a packet asks again after a round trip as he knows it, which need not be ours: a
 * little less is let through, so that no request is lost for a millisecond.
 */
mono_us retransmit_wait(const struct peer *peer)
{
    return peer->rtt_us * 3 / 4;
}

bool retransmit(struct sfu *sfu, struct subscription *sub, uint16_t seq, mono_us now)
{
    struct rtx_sent sent;
    struct layer *lost;
    int64_t full;
    if (!sub->video) {
        voice_again(sfu, sub, seq, now);
        return false;
    }
    if (!sub->track || !sub->layer || !peer_can_send(sub->peer, now) ||
        !cc_may_repair(sub->peer, now) ||
        rtx_find(&sub->rtx, seq, retransmit_wait(sub->peer), now, &sent, &full)) {
        return false;
    }
    const struct pkt *pkt = kept(sfu, sub, &sent, &lost);
    if (pkt) {
        send_again(sfu, sub, pkt, &sent, (uint16_t)full, now);
    } else if (lost && lost == sub->layer && keyreq_gate_pass(&sub->gate, now)) {
        track_keyframe(sfu, lost->track, (uint8_t)(1u << lost->index), now);
    }
    return pkt != NULL;
}

void retransmit_copy(struct sfu *sfu, struct subscription *sub, uint16_t seq, mono_us now)
{
    struct rtx_sent sent;
    struct layer *lost;
    int64_t full;
    if (!sub->video || !sub->layer || !cc_may_repair(sub->peer, now) ||
        rtx_peek(&sub->rtx, seq, now, &sent, &full)) {
        return;
    }
    const struct pkt *pkt = kept(sfu, sub, &sent, &lost);
    if (pkt) {
        send_again(sfu, sub, pkt, &sent, (uint16_t)full, now);
        sfu->stats.repeated++;
    }
}

void retransmit_lost(struct sfu *sfu, struct subscription *sub, uint16_t seq, uint16_t stamp,
                     mono_us now)
{
    enum { USEFUL_US = 600 * US_PER_MS }; /* no picture waits longer for its packets */
    struct rtx_sent sent;
    struct layer *lost;
    int64_t full;
    if (!sub->layer || !peer_can_send(sub->peer, now) || !cc_may_repair(sub->peer, now) ||
        rtx_missed(&sub->rtx, seq, stamp, now, &sent, &full)) {
        return;
    }
    const struct pkt *pkt = kept(sfu, sub, &sent, &lost);
    if (!pkt || now - pkt->arrival > USEFUL_US) {
        return;
    }
    send_again(sfu, sub, pkt, &sent, (uint16_t)full, now);
    sfu->stats.repeated++;
    /* Whether that came will be told in a tenth of a second at best: too late for a third time. */
    if (sub->peer->red_depth == REDUNDANCY_MAX) {
        retransmit_copy(sfu, sub, (uint16_t)full, now);
    }
}

static bool known(const struct subscription *sub)
{
    enum { BEGUN = 5 };
    return sub && sub->sent_packets >= BEGUN;
}

/* The packet of a slot that was sent `behind` numbers before its newest, if it may go again. */
static const struct pkt *recent(struct sfu *sfu, const struct subscription *sub, uint16_t behind,
                                struct rtx_sent *sent, int64_t *full, mono_us now)
{
    uint16_t seq = (uint16_t)(sub->rewrite.out_top - behind);
    if (!sub->layer || !sub->rewrite.started || rtx_peek(&sub->rtx, seq, now, sent, full)) {
        return NULL;
    }
    const struct layer *layer = pool_at(&sfu->layers, sent->source);
    return layer == sub->layer ? history_get(&layer->history, sent->seq_in) : NULL;
}

bool retransmit_probe(struct sfu *sfu, struct peer *peer, uint32_t most, mono_us now)
{
    enum { BEHIND_MAX = 40, TRIES = 24 };
    unsigned video = (unsigned)(peer->slots - peer->audio_slots);
    for (unsigned tries = 0; video && tries < TRIES; tries++) {
        struct subscription *sub = peer->slot[peer->audio_slots + peer->probe_slot % video];
        struct rtx_sent sent;
        int64_t full = 0;
        const struct pkt *pkt =
            known(sub) ? recent(sfu, sub, peer->probe_behind, &sent, &full, now) : NULL;
        if (!sub || !sub->layer || ++peer->probe_behind >= BEHIND_MAX) {
            peer->probe_behind = 0;
            peer->probe_slot++;
        }
        if (pkt && pkt->desc.payload_len && pkt->len <= most) {
            send_again(sfu, sub, pkt, &sent, (uint16_t)full, now);
            return true;
        }
    }
    return false;
}

/*
 * A slot whose own stream has begun, and a repair payload type it knows. A repair stream that comes
 * before its own one makes Firefox take it for the picture.
 */
static struct subscription *padding_slot(const struct peer *peer, uint8_t *pt)
{
    *pt = 0;
    for (unsigned c = 1; c < CODEC_COUNT && *pt == 0; c++) {
        *pt = peer->offer.video.rtx[c];
    }
    for (unsigned i = peer->audio_slots; *pt && i < peer->slots; i++) {
        if (known(peer->slot[i])) {
            return peer->slot[i];
        }
    }
    return NULL;
}

static void send_padding(struct sfu *sfu, struct subscription *sub, uint8_t pt, uint8_t bytes,
                         mono_us now)
{
    struct peer *peer = sub->peer;
    char mid[8];
    uint8_t padding[UINT8_MAX] = {0};
    struct header at = {0};
    struct header_spec spec = {
        .mid = mid,
        .mid_len = slot_mid(peer, sub->slot, mid),
        .ids = &peer->offer.video_ext,
        .pt = pt,
        .abs_send_time = sfu->headers.abs_send_time,
    };
    uint8_t *out = txbatch_room(sfu->tx);
    size_t header_len = header_write_bare(out, &spec, &at);
    if (header_len == 0 || !at.transport_cc_at) {
        return;
    }
    int64_t rtx_seq = sub->rtx_seq++;
    out[0] |= 0x20;
    put_u16(out + 2, (uint16_t)rtx_seq);
    put_u32(out + 4, sub->rewrite.out_ts);
    put_u32(out + 8, sub->ssrc + 1);
    put_u16(out + at.transport_cc_at, peer->twcc_seq);
    padding[bytes - 1] = bytes; /* RFC 3550 5.1: the last byte tells how many there are */
    size_t len =
        sfu->crypto.seal_rtp(peer->seal, out, header_len, 0, padding, bytes, (uint64_t)rtx_seq);
    drain_put(sfu, peer, len);
    pace_sent(sfu, peer, CC_PADDING, len, now);
}

void retransmit_padding(struct sfu *sfu, struct peer *peer, uint32_t bytes, mono_us now)
{
    enum { PIECE = 224, OVERHEAD = 45 };
    uint8_t pt;
    struct subscription *sub = padding_slot(peer, &pt);
    for (uint32_t done = 0; sub && done < bytes; done += PIECE + OVERHEAD) {
        send_padding(sfu, sub, pt, PIECE, now);
    }
}
