#include "server/sfu/voice.h"

#include "codec/media/red.h"
#include "server/sfu/cc.h"
#include "server/sfu/core.h"
#include "server/sfu/share.h"

enum {
    REDUNDANT_MAX = 300, /* bytes of a packet that is repeated: voice, not music */
    PRIMARY_MAX = 500,
    VOICE_PREFIX_MAX = REDUNDANCY_MAX * (REDUNDANT_MAX + 4) + 1,
    AGAIN_AGE_US = 400 * US_PER_MS, /* later nobody's playout waits for it */
    SILENT_LEVEL = 127,             /* -dBov: digital silence needs no repetition */
    POOR_BPS = 200000,              /* below: one repetition at most */
};

/* The n-th packet before pkt, when it can be repeated. */
static const struct pkt *past_of(const struct subscription *sub, const struct pkt *pkt, unsigned n)
{
    int64_t seq = pkt->desc.ext_seq - n;
    const struct pkt *past =
        seq >= sub->rewrite.in_base ? history_get(&sub->layer->history, seq) : NULL;
    if (!past || past->desc.codec != CODEC_OPUS || past->desc.payload_len == 0 ||
        past->desc.payload_len > REDUNDANT_MAX || past->desc.audio_level == SILENT_LEVEL ||
        pkt->desc.timestamp - past->desc.timestamp > RED_OFFSET_MAX) {
        return NULL;
    }
    return past;
}

size_t voice_redundancy(const struct subscription *sub, const struct pkt *pkt,
                        struct voice_copy *copy)
{
    const struct desc_codecs *codecs = &sub->peer->offer.audio;
    struct red_block block[REDUNDANCY_MAX + 1];
    size_t count = 0;
    copy->past = 0;
    if (!copy->depth || !codecs->pt[CODEC_RED] || !sub->layer || pkt->desc.codec != CODEC_OPUS ||
        pkt->desc.payload_len > PRIMARY_MAX) {
        return 0;
    }
    for (unsigned n = copy->depth; n > 0; n--) {
        const struct pkt *past = past_of(sub, pkt, n);
        if (past) {
            block[count++] = (struct red_block){
                .pt = codecs->pt[CODEC_OPUS],
                .ts_offset = (uint16_t)(pkt->desc.timestamp - past->desc.timestamp),
                .len = past->desc.payload_len,
                .data = past->data + past->desc.header_len,
            };
            copy->past |= (uint8_t)(1u << (n - 1));
        }
    }
    if (count == 0) {
        return 0;
    }
    uint8_t *body = copy->header + copy->header_len;
    block[count++] = (struct red_block){.pt = codecs->pt[CODEC_OPUS], .data = body};
    struct wr w = wr_init(body, VOICE_PREFIX_MAX);
    red_build(&w, block, count);
    if (w.bad) {
        copy->past = 0;
        return 0;
    }
    copy->header[1] = (uint8_t)((copy->header[1] & 0x80) | codecs->pt[CODEC_RED]);
    return wr_len(&w);
}

void voice_note(struct subscription *sub, const struct voice_sent *sent)
{
    struct voice_sent *kept = &sub->voice->sent[sent->seq % VOICE_KEPT];
    *kept = *sent;
    kept->valid = 1;
}

/* Writes the packet as it was written, and sends it. */
static bool write_again(struct sfu *sfu, struct subscription *sub, const struct pkt *pkt,
                        const struct rtx_sent *sent, int64_t seq, const struct voice_sent *how)
{
    struct peer *peer = sub->peer;
    const struct pkt_desc *desc = &pkt->desc;
    char mid[8];
    struct header_spec spec = {
        .ids = &peer->offer.audio_ext,
        .pt = peer->offer.audio.pt[desc->codec],
        .abs_send_time = how->abs_send_time,
        .mid = how->mid ? mid : NULL,
        .mid_len = slot_mid(peer, sub->slot, mid),
        .audio = true,
    };
    struct header at = {0};
    uint8_t *out = txbatch_room(sfu->tx);
    size_t header_len = header_write(out, pkt, &spec, &at);
    if (header_len == 0 || header_len + desc->payload_len + VOICE_PREFIX_MAX + SRTP_TRAILER_MAX >
                               TXBATCH_DATAGRAM_MAX) {
        return false;
    }
    put_u16(out + 2, (uint16_t)seq);
    put_u32(out + 4, desc->timestamp + sent->timestamp_shift);
    put_u32(out + 8, sub->ssrc);
    if (at.transport_cc_at) {
        put_u16(out + at.transport_cc_at, how->transport_cc);
    }
    struct voice_copy copy = {.header = out, .header_len = header_len, .depth = how->depth};
    size_t prefix = voice_redundancy(sub, pkt, &copy);
    if (copy.past != how->past) {
        return false; /* its past changed: it would be another text under the same index */
    }
    size_t len =
        sfu->crypto.seal_rtp(peer->seal, out, header_len, prefix, pkt->data + desc->header_len,
                             desc->payload_len, (uint64_t)seq);
    drain_put(sfu, peer, len);
    pace_unnumbered(peer, len);
    sfu->stats.rtx_sent++;
    return true;
}

/* From here on it is worth remembering how packets were written. */
static bool remembers(struct sfu *sfu, struct subscription *sub)
{
    if (!sub->voice) {
        pool_id id;
        sub->voice = pool_get(&sfu->voices, &id);
        if (sub->voice) {
            sub->voice->id = id;
        }
        return false;
    }
    return true;
}

/* Sends packet seq of the slot again, unless that was done within the last wait_us. */
static bool again(struct sfu *sfu, struct subscription *sub, uint16_t seq, mono_us wait_us,
                  mono_us now)
{
    struct rtx_sent sent;
    int64_t full;
    struct voice_sent *how = &sub->voice->sent[seq % VOICE_KEPT];
    if (!how->valid || how->seq != seq || how->again == VOICE_AGAINS || !sub->track ||
        !peer_can_send(sub->peer, now) || rtx_find(&sub->rtx, seq, wait_us, now, &sent, &full)) {
        return false;
    }
    const struct layer *layer = pool_at(&sfu->layers, sent.source);
    if (!layer || layer != sub->layer || !layer->track->published ||
        !peer_reaches(sub->peer, layer->track->room, false)) {
        return false; /* what was allowed when it was sent may not be any more */
    }
    const struct pkt *pkt = history_get(&layer->history, sent.seq_in);
    if (!pkt || now - pkt->arrival > AGAIN_AGE_US ||
        !write_again(sfu, sub, pkt, &sent, full, how)) {
        return false;
    }
    how->again++;
    return true;
}

void voice_again(struct sfu *sfu, struct subscription *sub, uint16_t seq, mono_us now)
{
    if (remembers(sfu, sub)) {
        again(sfu, sub, seq, retransmit_wait(sub->peer), now);
    }
}

void voice_repeat(struct sfu *sfu, struct subscription *sub, int64_t seq, mono_us now)
{
    if (seq != sub->rewrite.out_top || !remembers(sfu, sub)) {
        return; /* a late one: those before it were repeated in their time */
    }
    for (unsigned n = 1; n <= sub->peer->red_depth; n++) {
        sfu->stats.repeated += again(sfu, sub, (uint16_t)(seq - n), 0, now);
    }
}

void voice_loss(struct sfu *sfu, struct peer *peer, const struct voice_told *told, mono_us now)
{
    unsigned depth =
        redundancy_input(&peer->redundancy, told->teller, told->packets, told->lost, now);
    bool poor = peer->estimate_bps && peer->estimate_bps < POOR_BPS;
    depth = poor && depth > 1 ? 1 : depth;
    depth = cc_narrow(peer) ? 0 : depth;
    if (depth != peer->red_depth) {
        peer->red_depth = (uint8_t)depth;
        share_update(sfu, peer, now); /* pictures give way to it */
    }
}

void voice_report(struct sfu *sfu, struct subscription *sub, const struct rtcp_report *report,
                  mono_us now)
{
    uint32_t expected = report->highest_seq - sub->reported_seq;
    expected = expected < sub->sent_packets ? expected : sub->sent_packets; /* the first one */
    sub->reported_seq = report->highest_seq;
    const struct voice_told told = {
        .teller = REDUNDANCY_REPORT,
        .packets = expected,
        .lost = expected * (report->fraction_lost / 256.0),
    };
    voice_loss(sfu, sub->peer, &told, now);
}

void voice_close(struct sfu *sfu, struct subscription *sub)
{
    if (sub->voice) {
        pool_put(&sfu->voices, sub->voice->id);
        sub->voice = NULL;
    }
}
