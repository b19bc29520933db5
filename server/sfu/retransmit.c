/* A subscriber misses a packet: sealed again from the shared history as RTX (RFC 4588). */
#include <string.h>

#include "codec/base/err.h"
#include "codec/media/av1_dd.h"
#include "codec/media/registry.h"
#include "server/sfu/cc.h"
#include "server/sfu/core.h"
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
    struct cc_packet tcc = {.kind = CC_RTX};
    put_u16(out + 2, (uint16_t)rtx_seq);
    put_u32(out + 4, desc->timestamp + sent->timestamp_shift);
    put_u32(out + 8, sub->ssrc + 1);
    if (at.transport_cc_at) {
        tcc.number = peer->twcc_seq++;
        put_u16(out + at.transport_cc_at, tcc.number);
    }
    if (at.dd_at && sent->edit.fields & CODEC_EDIT_PICTURE_ID && desc->codec == CODEC_AV1) {
        av1_dd_renumber(out + at.dd_at, at.dd_len, sent->edit.picture_id);
    }
    put_u16(out + header_len, seq);
    const uint8_t *payload = pkt->data + desc->header_len;
    size_t replaced = 0;
    size_t prefix = 2;
    if (sent->edit.fields) {
        prefix += codec_apply(desc->codec, &sent->edit, desc, payload, desc->payload_len,
                              out + header_len + 2, &replaced);
    }
    size_t len = sfu->crypto.seal_rtp(peer->seal, out, header_len, prefix, payload + replaced,
                                      desc->payload_len - replaced, (uint64_t)rtx_seq);
    txbatch_commit(sfu->tx, &peer->to, len);
    if (at.transport_cc_at) {
        tcc.bytes = (uint16_t)len;
        cc_sent(sfu, peer, &tcc, now);
    }
    sfu->stats.rtx_sent++;
    sfu->stats.tx_packets++;
    sfu->stats.tx_bytes += len;
}

void retransmit(struct sfu *sfu, struct subscription *sub, uint16_t seq, mono_us now)
{
    struct rtx_sent sent;
    int64_t full;
    if (!sub->video) {
        voice_again(sfu, sub, seq, now);
        return;
    }
    if (!sub->track || !peer_can_send(sub->peer, now) ||
        rtx_find(&sub->rtx, seq, sub->peer->rtt_us, now, &sent, &full)) {
        return;
    }
    const struct layer *layer = pool_at(&sfu->layers, sent.source);
    if (!layer || !layer->track->published ||
        !peer_reaches(sub->peer, layer->track->room, sub->video)) {
        return; /* what was allowed when it was sent may not be any more */
    }
    const struct pkt *pkt = history_get(&layer->history, sent.seq_in);
    if (pkt) {
        send_again(sfu, sub, pkt, &sent, (uint16_t)full, now);
    } else if (sub->video && layer == sub->layer && keyreq_gate_pass(&sub->gate, now)) {
        track_keyframe(sfu, layer->track, (uint8_t)(1u << layer->index), now);
    }
}
