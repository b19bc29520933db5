#include "server/sfu/silence.h"

#include "codec/wire/rtp.h"
#include "codec/wire/rtpext.h"
#include "server/sfu/bind.h"
#include "server/sfu/core.h"
#include "server/sfu/policy.h"

/* By its payload type alone, so that pictures are not parsed twice. */
static bool may_be_sound(const struct peer *peer, const struct pkt *pkt)
{
    const struct desc_codecs *codecs = &peer->offer.audio;
    uint8_t pt = pkt->len > 1 ? pkt->data[1] & 0x7f : 0;
    return pt == codecs->pt[CODEC_OPUS] || pt == codecs->pt[CODEC_RED];
}

/* The microphone this header belongs to, by what opened packets have taught us; or NULL. */
static struct layer *microphone(struct peer *peer, const struct rtp_header *hdr)
{
    const struct ssrc_bind *b = bind_known(peer, hdr->ssrc);
    const struct desc_codecs *codecs = &peer->offer.audio;
    if (!b || !source_policy(b->source)->silence_unopened || b->rtx || hdr->pt == 0 ||
        (hdr->pt != codecs->pt[CODEC_OPUS] && hdr->pt != codecs->pt[CODEC_RED])) {
        return NULL;
    }
    const struct track *track = peer->track[b->source];
    return track ? track->layer[b->layer] : NULL;
}

/* Does the packet continue what the last opened one began, and was that recent enough? */
static bool continues(const struct receiver *r, const struct rtp_header *hdr, int64_t seq,
                      mono_us now)
{
    return r->rx.started && hdr->ssrc == r->ssrc && now - r->opened_us < SILENCE_PROOF_US &&
           seq > r->rx.top && seq - r->opened_seq <= SILENCE_AHEAD;
}

static bool heard(const struct sfu *sfu, const struct track *track, uint8_t level, bool voice,
                  mono_us now)
{
    const struct room *room = track->published ? room_find(sfu, track->room) : NULL;
    return track->published &&
           (!room || !speaker_ignores(&room->speaker, &track->talk, level, voice, now));
}

/* The number the packet has on its path is a next one of those reported. */
static bool transport_continues(const struct twcc_gen *gen, int32_t number)
{
    if (number < 0) {
        return true; /* has none */
    }
    return gen && gen->seq.started &&
           (uint16_t)((uint16_t)number - (uint16_t)gen->seq.newest) <= SILENCE_AHEAD;
}

bool silence_skip(struct sfu *sfu, struct peer *peer, const struct pkt *pkt, mono_us now)
{
    struct rtp_header hdr;
    struct rtpext_set exts;
    bool voice = false;
    struct layer *layer = NULL;
    if (may_be_sound(peer, pkt) && rtp_peek(&hdr, pkt->data, pkt->len) == 0) {
        layer = microphone(peer, &hdr);
    }
    struct receiver *r = layer ? layer->receiver : NULL;
    if (!r || rtpext_find(&exts, &hdr, pkt->data, &peer->offer.audio_ext)) {
        return false;
    }
    int64_t seq = rtp_rx_peek(&r->rx, hdr.seq);
    uint8_t level = rtpext_audio_level(&exts, pkt->data, &voice);
    int32_t number = rtpext_transport_cc(&exts, pkt->data);
    if (!continues(r, &hdr, seq, now) || heard(sfu, layer->track, level, voice, now) ||
        !transport_continues(peer->twcc, number)) {
        return false;
    }
    peer_rx_transport(sfu, peer, number, hdr.ssrc, now);
    (void)rtp_rx_input(&r->rx, hdr.seq, hdr.timestamp, now);
    nack_skip(&r->nack, seq); /* what nobody hears is not asked for again */
    layer->exported = 0;      /* kept back from shards where he may still have a seat */
    if (!layer->track->published) {
        history_skip(&layer->history, seq); /* nor may it be heard when it comes later */
    }
    return true;
}
