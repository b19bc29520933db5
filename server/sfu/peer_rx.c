/*
 * One RTP packet of a publisher: authenticate, then commit (S8): find its source and layer, unwrap
 * a retransmission, drop what was there before, take redundant audio apart, describe the payload,
 * hand it to the fan-out.
 */
#include <string.h>

#include "codec/base/err.h"
#include "codec/media/av1_dd.h"
#include "codec/media/red.h"
#include "codec/media/registry.h"
#include "codec/wire/rtp.h"
#include "codec/wire/rtpext.h"
#include "server/proto/pacer.h"
#include "server/sfu/bind.h"
#include "server/sfu/core.h"
#include "server/sfu/policy.h"
#include "server/sfu/silence.h"

/* What a payload type of a peer means. */
struct pt_use {
    uint8_t codec; /* enum codec_id; CODEC_NONE = not negotiated */
    bool video;
    bool rtx;
};

static struct pt_use pt_use(const struct peer *peer, uint8_t pt)
{
    const struct desc_codecs *kind[2] = {&peer->offer.audio, &peer->offer.video};
    for (unsigned k = 0; k < 2 && pt; k++) {
        for (uint8_t c = 1; c < CODEC_COUNT; c++) {
            if (kind[k]->pt[c] == pt || kind[k]->rtx[c] == pt) {
                return (struct pt_use){.codec = c, .video = k == 1, .rtx = kind[k]->pt[c] != pt};
            }
        }
    }
    return (struct pt_use){.codec = CODEC_NONE};
}

static enum drop drop_of_open(int err)
{
    switch (err) {
    case E_REPLAY:
        return DROP_SRTP_REPLAY;
    case E_TRUNC:
        return DROP_RTP_BAD;
    case E_LIMIT:
        return DROP_SSRC_LIMIT;
    default:
        return DROP_SRTP_AUTH;
    }
}

void peer_rx_transport(struct sfu *sfu, struct peer *peer, int32_t seq, uint32_t ssrc, mono_us now)
{
    if (seq < 0) {
        return;
    }
    if (!peer->twcc) {
        peer->twcc = pool_get_raw(&sfu->twccs, &peer->twcc_id);
        if (!peer->twcc) {
            return;
        }
        twcc_gen_init(peer->twcc);
    }
    twcc_gen_input(peer->twcc, (uint16_t)seq, ssrc, now);
    sfu_arm_twcc(sfu, peer);
}

/* Once media is authenticated the client has finished its handshake. */
static void handshake_proven(struct sfu *sfu, struct peer *peer)
{
    if (!peer->handshake_over) {
        handshake_settle(sfu, peer);
    }
}

/* RFC 4588 section 4: the first two bytes of the payload are the original sequence number. */
static enum drop rtx_unwrap(struct pkt *pkt, struct rtp_header *hdr, uint32_t ssrc)
{
    if (hdr->payload_len < 2) {
        return DROP_RTX_EMPTY;
    }
    const uint8_t *at = pkt->data + hdr->header_len;
    hdr->seq = (uint16_t)((unsigned)at[0] << 8 | at[1]);
    hdr->ssrc = ssrc;
    hdr->header_len = (uint16_t)(hdr->header_len + 2);
    hdr->payload_len = (uint16_t)(hdr->payload_len - 2);
    return DROP_NONE;
}

/*
 * AV1 tells its frames and layers in the dependency descriptor: the payload behind it is not looked
 * at, it may be encrypted from end to end. False when there is none or it cannot be read.
 */
static bool describe_dd(struct sfu *sfu, struct receiver *r, struct pkt_desc *desc,
                        const struct rtpext_set *exts, const uint8_t *data)
{
    const struct rtpext_field *field = &exts->field[RTPEXT_DEPENDENCY_DESCRIPTOR];
    struct av1_dd dd;
    if (field->len < 3) {
        return false;
    }
    if (!r->dd) {
        r->dd = pool_get(&sfu->dds, &r->dd_id);
    }
    if (!r->dd || av1_dd_parse(&dd, r->dd, data + field->at, field->len) != 0) {
        return false;
    }
    codec_blank(CODEC_AV1, desc);
    av1_dd_describe(desc, &dd, r->dd);
    return true;
}

/* Until the structure that descriptors refer to is known, only the frame number is. */
static void describe_number(struct pkt_desc *desc, const struct rtpext_set *exts,
                            const uint8_t *data)
{
    const struct rtpext_field *field = &exts->field[RTPEXT_DEPENDENCY_DESCRIPTOR];
    if (desc->codec == CODEC_AV1 && field->len >= 3) {
        desc->picture_id = (uint16_t)((unsigned)data[field->at + 1] << 8 | data[field->at + 2]);
        desc->picture_id_bits = 16;
    }
}

static enum drop describe(struct sfu *sfu, struct receiver *r, struct pkt *pkt,
                          const struct rtp_header *hdr, const struct rtpext_set *exts,
                          uint8_t codec)
{
    struct pkt_desc *desc = &pkt->desc;
    bool voice = false;
    desc->ssrc = hdr->ssrc;
    desc->source = r->layer->track->source;
    desc->timestamp = hdr->timestamp;
    desc->header_len = hdr->header_len;
    desc->payload_len = hdr->payload_len;
    desc->pt = hdr->pt;
    desc->marker = hdr->marker;
    desc->audio_level = rtpext_audio_level(exts, pkt->data, &voice);
    desc->voice = voice;
    desc->plain = !rtpext_has(exts, RTPEXT_ABS_CAPTURE_TIME) &&
                  !rtpext_has(exts, RTPEXT_VIDEO_ORIENTATION) &&
                  !rtpext_has(exts, RTPEXT_DEPENDENCY_DESCRIPTOR);
    if (hdr->payload_len == 0) { /* probing of the sender: it only keeps the numbers going */
        desc->codec = codec;
        return DROP_NONE;
    }
    if (codec == CODEC_AV1 && describe_dd(sfu, r, desc, exts, pkt->data)) {
        return DROP_NONE;
    }
    if (codec_describe(codec, pkt->data + hdr->header_len, hdr->payload_len, desc)) {
        return DROP_PAYLOAD_BAD;
    }
    describe_number(desc, exts, pkt->data);
    return DROP_NONE;
}

/*
 * Frames that cannot be told apart yet: the packet with the structure was lost or overtaken.
 * Nothing is noted of them, so they are asked for again when it is there.
 */
static bool dd_missing(const struct receiver *r, const struct rtpext_set *exts, const uint8_t *data,
                       enum codec_id codec)
{
    const struct rtpext_field *field = &exts->field[RTPEXT_DEPENDENCY_DESCRIPTOR];
    if (codec != CODEC_AV1 || field->len < 3 || (r->dd && r->dd->valid)) {
        return false;
    }
    return field->len == 3 || !(data[field->at + 3] & 0x80);
}

/*
 * Makes the packet what every reader expects: our extension ids, no padding of the sender, and
 * behind the payload a ramp 1, 2, 3 ... so that any number of its first bytes is valid RTP padding.
 */
static void publish_form(struct pkt *pkt, const struct rtp_header *hdr, const struct desc_exts *ids)
{
    header_house_ids(pkt->data, hdr, ids);
    pkt->data[0] &= (uint8_t)~0x20u;
    pkt->len = (uint16_t)(hdr->header_len + hdr->payload_len);
    for (unsigned i = 0; i < PACER_PAD_MAX && pkt->len + i < PKT_DATA_MAX; i++) {
        pkt->data[pkt->len + i] = (uint8_t)(i + 1);
    }
}

static struct layer *layer_for(struct sfu *sfu, struct peer *peer, const struct ssrc_bind *b,
                               mono_us now)
{
    struct track *track = peer->track[b->source];
    if (!track) {
        track = track_get(sfu, peer->id, b->source, now);
        if (!track) {
            return NULL;
        }
        peer->track[b->source] = track;
        track->owner = peer;
        track_set(sfu, track, peer_room_of(peer, b->source), (peer->publish >> b->source & 1) != 0,
                  now);
    }
    return track_layer(sfu, track, b->layer, now);
}

static void repair(struct sfu *sfu, struct receiver *r, int64_t seq, bool answer, mono_us now)
{
    mono_us before = r->nack.deadline;
    nack_input(&r->nack, seq, answer, now);
    if (r->nack.deadline < before && sfu->nack_count < SFU_NACK_BATCH) {
        sfu->nack_due[sfu->nack_count++] = r;
    } else if (r->nack.deadline != before) {
        sfu_arm(sfu, &r->nack_node, TIMER_NACK, r->nack.deadline);
    }
}

/* The layer comes under another SSRC than before (bind.c let it take the place): numbers,
 * timestamps and what reports say belong to the stream that ended. */
static void stream_is(struct layer *layer, uint32_t ssrc)
{
    struct receiver *r = layer->receiver;
    if (r->ssrc != ssrc && r->rx.started) {
        rtp_rx_anew(&r->rx);
        r->anew = true;
        r->begun = false;
        r->lsr = 0;
        layer->has_sr = false;
    }
    r->ssrc = ssrc;
}

/* The packet is of a known layer and authenticated. */
static enum drop commit(struct sfu *sfu, struct layer *layer, struct pkt *pkt,
                        const struct rtp_header *hdr, bool rtx, mono_us now)
{
    struct receiver *r = layer->receiver;
    bool broke = r->hole && !rtx && rtp_rx_skip(&r->rx, hdr->seq);
    broke = broke || r->anew;
    int64_t seq;
    if (rtx) {
        seq = rtp_rx_peek(&r->rx, hdr->seq);
        sfu->stats.rtx_received++;
    } else {
        seq = rtp_rx_input(&r->rx, hdr->seq, hdr->timestamp, now);
        r->opened_seq = seq;
        r->opened_us = now;
    }
    pkt->desc.ext_seq = seq;
    int known = history_check(&layer->history, seq);
    if (known) {
        return known == E_DUP ? DROP_DUPLICATE : DROP_TOO_OLD;
    }
    if (!layer->track->published) {
        /* What was said or shown meanwhile must not be asked for when it may be sent again. */
        history_skip(&layer->history, seq);
        nack_skip(&r->nack, seq);
        r->begun = false;
        return DROP_NOT_PUBLISHED;
    }
    if (!r->begun) {
        r->begun = true;
        r->first = seq;
    }
    if (r->anew && !rtx) { /* other shards hear of the new clock before its first packet */
        track_inform(sfu, layer->track, layer->track->informed, now);
    }
    if ((r->hole || r->anew) && !rtx) {
        r->hole = false;
        r->anew = false;
        nack_skip(&r->nack, seq - 1);
        if (broke) {
            layer_resume(sfu, layer, seq, now);
        }
    }
    repair(sfu, r, seq, rtx, now);
    return DROP_NONE;
}

/* What all packets that come of one datagram share. */
struct rx_form {
    const struct desc_exts *ids;
    struct rtpext_set exts;
    uint8_t codec;
};

static enum drop deliver(struct sfu *sfu, struct layer *layer, struct pkt *pkt,
                         const struct rtp_header *hdr, const struct rx_form *form, mono_us now)
{
    enum drop drop = describe(sfu, layer->receiver, pkt, hdr, &form->exts, form->codec);
    if (drop) {
        return drop;
    }
    publish_form(pkt, hdr, form->ids);
    fanout_rtp(sfu, layer, pkt, now);
    return DROP_NONE;
}

/* A packet that never came, out of the one that repeats it (its header, our block). */
static void restore(struct sfu *sfu, struct layer *layer, const struct pkt *from,
                    struct rtp_header hdr, const struct red_block *block, int64_t seq,
                    const struct rx_form *form, mono_us now)
{
    struct pkt *pkt = pkt_new(&sfu->packets);
    if (!pkt) {
        return;
    }
    hdr.seq = (uint16_t)seq;
    hdr.timestamp -= block->ts_offset;
    hdr.payload_len = block->len;
    hdr.marker = false;
    memcpy(pkt->data, from->data, hdr.header_len);
    memcpy(pkt->data + hdr.header_len, block->data, block->len);
    pkt->data[1] &= 0x7f;
    put_u16(pkt->data + 2, hdr.seq);
    put_u32(pkt->data + 4, hdr.timestamp);
    pkt->len = (uint16_t)(hdr.header_len + block->len);
    pkt->arrival = now;
    pkt->desc.ext_seq = seq;
    repair(sfu, layer->receiver, seq, false, now);
    enum drop drop = deliver(sfu, layer, pkt, &hdr, form, now);
    if (drop) {
        sfu_drop(sfu, drop);
    } else {
        sfu->stats.restored++;
    }
    pkt_put(&pkt);
}

/*
 * Redundant audio (RFC 2198) ends here: what it repeats and never came is a packet again, the
 * newest block stays in the packet. Nothing is restored from before the source was published.
 */
static enum drop take_apart(struct sfu *sfu, struct peer *peer, struct layer *layer,
                            struct pkt *pkt, struct rtp_header *hdr, struct rx_form *form,
                            mono_us now)
{
    struct red_block block[RED_BLOCKS_MAX];
    uint8_t opus = peer->offer.audio.pt[CODEC_OPUS];
    int count = red_parse(block, pkt->data + hdr->header_len, hdr->payload_len);
    if (count < 1 || block[count - 1].pt != opus) {
        return DROP_PAYLOAD_BAD;
    }
    form->codec = CODEC_OPUS;
    for (int i = 0; i < count - 1; i++) {
        int64_t seq = pkt->desc.ext_seq - (count - 1 - i);
        if (block[i].len && block[i].ts_offset && block[i].pt == opus &&
            seq > layer->receiver->first && history_check(&layer->history, seq) == 0) {
            restore(sfu, layer, pkt, *hdr, &block[i], seq, form, now);
        }
    }
    hdr->pt = opus;
    hdr->header_len = (uint16_t)(hdr->header_len + hdr->payload_len - block[count - 1].len);
    hdr->payload_len = block[count - 1].len;
    return DROP_NONE;
}

enum drop peer_rx_rtp(struct sfu *sfu, struct peer *peer, struct pkt *pkt, mono_us now)
{
    struct rtp_header hdr;
    struct rx_form form;
    size_t len = pkt->len;
    enum drop drop = DROP_NONE;

    if (silence_skip(sfu, peer, pkt, now)) {
        return DROP_SILENCE_UNOPENED;
    }
    int err = sfu->crypto.open_rtp(peer->open, pkt->data, &len);
    if (err) {
        return drop_of_open(err);
    }
    pkt->len = (uint16_t)len;
    handshake_proven(sfu, peer);
    if (rtp_parse(&hdr, pkt->data, len)) {
        return DROP_RTP_BAD;
    }
    struct pt_use use = pt_use(peer, hdr.pt);
    form.codec = use.codec;
    form.ids = use.video ? &peer->offer.video_ext : &peer->offer.audio_ext;
    if (rtpext_find(&form.exts, &hdr, pkt->data, form.ids)) {
        return DROP_RTP_BAD;
    }
    peer_rx_transport(sfu, peer, rtpext_transport_cc(&form.exts, pkt->data), hdr.ssrc, now);
    if (use.codec == CODEC_NONE) {
        return DROP_PT_UNKNOWN;
    }
    const struct ssrc_bind *b = bind_find(peer, &hdr, &form.exts, pkt->data, use.rtx, now, &drop);
    if (!b) {
        return drop;
    }
    if (use.video != source_is_picture(b->source)) {
        return DROP_PT_UNKNOWN;
    }
    struct layer *layer = layer_for(sfu, peer, b, now);
    if (!layer) {
        return DROP_OVERLOAD;
    }
    if (!use.rtx) {
        stream_is(layer, hdr.ssrc);
    }
    if (dd_missing(layer->receiver, &form.exts, pkt->data, use.codec)) {
        if (!use.rtx && layer->track->published) {
            track_keyframe(sfu, layer->track, (uint8_t)(1u << layer->index), now);
        }
        return DROP_WAIT_KEYFRAME;
    }
    drop = use.rtx ? rtx_unwrap(pkt, &hdr, layer->receiver->ssrc) : DROP_NONE;
    drop = drop ? drop : commit(sfu, layer, pkt, &hdr, use.rtx, now);
    if (!drop && use.codec == CODEC_RED) {
        drop = take_apart(sfu, peer, layer, pkt, &hdr, &form, now);
    }
    return drop ? drop : deliver(sfu, layer, pkt, &hdr, &form, now);
}
