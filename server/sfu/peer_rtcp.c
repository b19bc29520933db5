/* RTCP of a peer: as a publisher (SR) and as a viewer (RR, NACK, PLI, FIR; rule S12). */
#include "codec/base/err.h"
#include "codec/wire/rtcp.h"
#include "server/sfu/cc.h"
#include "server/sfu/core.h"
#include "server/sfu/voice.h"

enum { NACKS_MAX = 256 }; /* numbers answered per packet */

/* The slot one of our SSRCs belongs to, main or RTX; NULL when it is none of ours. */
static struct subscription *slot_of(const struct peer *peer, uint32_t ssrc)
{
    uint32_t k = (ssrc - peer->ssrc_base) / 2;
    return ssrc >= peer->ssrc_base && k < peer->slots ? peer->slot[k] : NULL;
}

static void input_sr(struct peer *peer, const struct rtcp_packet *p, mono_us now)
{
    struct rtcp_sr sr;
    if (rtcp_parse_sr(&sr, p)) {
        return;
    }
    /* The publisher's clock against ours: the least delayed report is nearest to the truth, and a
     * slow rise follows a drifting clock. One offset for all sources keeps them in step. */
    int64_t ntp_us =
        (int64_t)(sr.ntp >> 32) * US_PER_S + (int64_t)((sr.ntp & 0xffffffff) * US_PER_S >> 32);
    int64_t offset = now - ntp_us;
    if (!peer->has_clock || offset < peer->clock_us || offset - peer->clock_us > 2 * US_PER_S) {
        peer->clock_us = offset;
        peer->has_clock = true;
    } else {
        peer->clock_us += (offset - peer->clock_us) / 256;
    }
    for (unsigned s = 0; s < SOURCE_COUNT; s++) {
        for (unsigned i = 0; peer->track[s] && i < LAYERS_MAX; i++) {
            struct layer *layer = peer->track[s]->layer[i];
            if (layer && layer->receiver && layer->receiver->ssrc == sr.ssrc) {
                layer->receiver->lsr = (uint32_t)(sr.ntp >> 16);
                layer->receiver->lsr_us = now;
                layer->sr_rtp = sr.rtp;
                layer->sr_us = ntp_us + peer->clock_us;
                layer->has_sr = true;
            }
        }
    }
}

static void input_reports(struct sfu *sfu, struct peer *peer, const struct rtcp_packet *p,
                          mono_us now)
{
    for (unsigned i = 0; i < p->count; i++) {
        struct rtcp_report r;
        if (rtcp_report_at(&r, p, i)) {
            return;
        }
        struct subscription *sub = slot_of(peer, r.ssrc);
        if (!sub) {
            continue;
        }
        if (!sub->video) {
            voice_report(sfu, sub, &r, now);
        }
        sub->mid_left = 0; /* it reports on the slot, so it knows which one it is */
        if (r.lsr) {
            uint32_t rtt = (uint32_t)(report_ntp(now) >> 16) - r.dlsr - r.lsr;
            mono_us us = (mono_us)rtt * US_PER_S / 65536;
            if (us <= 5 * US_PER_S) {
                peer->rtt_us += (us - peer->rtt_us) / (peer->rtt_measured ? 4 : 1);
                peer->rtt_measured = true;
            }
        }
    }
}

static void input_nack(struct sfu *sfu, struct peer *peer, const struct rtcp_packet *p, mono_us now)
{
    struct rtcp_fb fb;
    struct rtcp_nack_iter it;
    uint16_t seq;
    if (rtcp_parse_fb(&fb, p) || rtcp_nack_init(&it, p)) {
        return;
    }
    struct subscription *sub = slot_of(peer, fb.media);
    uint16_t sent[NACKS_MAX];
    unsigned count = 0;
    for (unsigned n = 0; sub && n < NACKS_MAX && rtcp_nack_next(&it, &seq); n++) {
        sfu->stats.nacks_received++;
        if (retransmit(sfu, sub, seq, now)) {
            sent[count++] = seq;
        }
    }
    /* Where repairs are lost as well, another round trip is saved by sending them twice: behind one
     * another, so that a burst does not take both. */
    for (unsigned i = 0; i < count && peer->red_depth == REDUNDANCY_MAX; i++) {
        retransmit_copy(sfu, sub, sent[i], now);
    }
}

static void picture_lost(struct sfu *sfu, struct peer *peer, uint32_t ssrc, mono_us now)
{
    struct subscription *sub = slot_of(peer, ssrc);
    sfu->stats.plis_received++;
    /* A browser asks once about 3 s after a slot went idle: nobody could answer (slots.md 5). */
    if (!sub || !sub->video || !sub->layer || !peer->ready) {
        return;
    }
    if (keyreq_gate_pass(&sub->gate, now)) {
        track_keyframe(sfu, sub->layer->track, (uint8_t)(1u << sub->layer->index), now);
    }
}

static void input_fir(struct sfu *sfu, struct peer *peer, const struct rtcp_packet *p, mono_us now)
{
    uint32_t ssrc;
    uint8_t number;
    for (unsigned i = 0; i < PEER_SLOTS && rtcp_fir_at(&ssrc, &number, p, i) == 0; i++) {
        /* A repeated number is the same request sent again (RFC 5104 4.3.1.2). */
        if (!peer->fir_seen || number != peer->fir_last || i > 0) {
            picture_lost(sfu, peer, ssrc, now);
        }
        peer->fir_seen = true;
        peer->fir_last = number;
    }
}

static void input_feedback(struct sfu *sfu, struct peer *peer, const struct rtcp_packet *p,
                           mono_us now)
{
    struct rtcp_fb fb;
    struct rtcp_remb remb;
    if (p->type == RTCP_RTPFB) {
        if (p->count == RTPFB_NACK) {
            input_nack(sfu, peer, p, now);
        } else if (p->count == RTPFB_TRANSPORT_CC) {
            cc_feedback(sfu, peer, p, now);
        }
    } else if (p->count == PSFB_PLI) {
        if (rtcp_parse_fb(&fb, p) == 0) {
            picture_lost(sfu, peer, fb.media, now);
        }
    } else if (p->count == PSFB_FIR) {
        input_fir(sfu, peer, p, now);
    } else if (p->count == PSFB_AFB && rtcp_parse_remb(&remb, p) == 0) {
        cc_remb(sfu, peer, remb.bps, now);
    }
}

enum drop peer_rx_rtcp(struct sfu *sfu, struct peer *peer, struct pkt *pkt, mono_us now)
{
    size_t len = pkt->len;
    int err = sfu->crypto.open_rtcp(peer->open, pkt->data, &len);
    if (err) {
        return err == E_REPLAY ? DROP_SRTP_REPLAY
                               : (err == E_TRUNC ? DROP_RTCP_BAD : DROP_SRTP_AUTH);
    }
    if (!peer->handshake_over) {
        handshake_settle(sfu, peer);
    }
    if (rtcp_check(pkt->data, len)) {
        return DROP_RTCP_BAD;
    }
    struct rd compound = rd_init(pkt->data, len);
    struct rtcp_packet p;
    while (rtcp_next(&compound, &p) == 1) {
        switch (p.type) {
        case RTCP_SR:
            input_sr(peer, &p, now);
            input_reports(sfu, peer, &p, now);
            break;
        case RTCP_RR:
            input_reports(sfu, peer, &p, now);
            break;
        case RTCP_RTPFB:
        case RTCP_PSFB:
            input_feedback(sfu, peer, &p, now);
            break;
        default: /* SDES, BYE, XR: nothing depends on them */
            break;
        }
    }
    return DROP_NONE;
}
