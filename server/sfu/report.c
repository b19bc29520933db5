/*
 * RTCP towards one peer: sender reports for its slots and receiver reports for its streams once a
 * second (RFC 3550 6.4), transport-cc feedback, NACK and PLI as reduced-size packets (RFC 5506).
 */
#include <string.h>

#include "codec/wire/rtcp.h"
#include "server/sfu/core.h"
#include "server/sfu/share.h"

enum {
    COMPOUND_MAX = 1200,
    SR_ROOM = 28 + 16, /* one SR and the SDES that must still fit */
    NACK_LIST = 64,
    REPORTS_MAX = 20,
};

static const char cname[] = "amphi";

/* Moments are told as NTP from a fixed origin: receivers compare them only with one another. */
uint64_t report_ntp(mono_us at)
{
    const uint64_t origin_s = 3976992000ULL;
    uint64_t us = (uint64_t)at;
    return ((origin_s + us / US_PER_S) << 32) | ((us % US_PER_S) << 32) / US_PER_S;
}

/* The SSRC we report with: behind all slots. */
static uint32_t our_ssrc(const struct peer *peer)
{
    return peer->ssrc_base + 2U * PEER_SLOTS;
}

/* The source's timestamp at a moment, by its sender reports or else by its last packet. */
static uint32_t source_time(const struct layer *layer, uint32_t hz, mono_us now)
{
    mono_us since = layer->has_sr ? layer->sr_us : layer->last_us;
    uint32_t start = layer->has_sr ? layer->sr_rtp : layer->last_ts;
    return start + (uint32_t)((now - since) * (mono_us)hz / US_PER_S);
}

/* Reports of different peers must not fall together (RFC 3550 6.2); nobody gains by guessing when
 * they come, so no randomness is asked for. */
static mono_us report_jitter(const struct peer *peer, mono_us now)
{
    uint64_t mixed = ((uint64_t)now ^ peer->id) * 0x9e3779b97f4a7c15ULL;
    return (mono_us)((mixed >> 32) % (PEER_RTCP_US / 2));
}

static unsigned collect_reports(struct peer *peer, struct rtcp_report *out, mono_us now)
{
    unsigned n = 0;
    for (unsigned s = 0; s < SOURCE_COUNT; s++) {
        for (unsigned i = 0; peer->track[s] && i < LAYERS_MAX && n < REPORTS_MAX; i++) {
            struct layer *layer = peer->track[s]->layer[i];
            struct rtp_rx_report r;
            if (!layer || !layer->receiver || !rtp_rx_report(&layer->receiver->rx, &r)) {
                continue;
            }
            struct receiver *rx = layer->receiver;
            rx->loss_q8 = (uint16_t)((rx->loss_q8 * 3 + r.fraction_lost * 256) / 4);
            if (!r.fresh) {
                continue; /* RFC 3550 6.4: so a sender knows that what it sends arrives */
            }
            uint32_t dlsr = rx->lsr ? (uint32_t)((now - rx->lsr_us) * 65536 / US_PER_S) : 0;
            out[n++] = (struct rtcp_report){
                .ssrc = rx->ssrc,
                .fraction_lost = r.fraction_lost,
                .lost = r.lost,
                .highest_seq = r.highest,
                .jitter = r.jitter,
                .lsr = rx->lsr,
                .dlsr = dlsr,
            };
        }
    }
    return n;
}

/* While the first packet of another layer waits, numbers and time are still those of the one
 * before: what is known of the new one's clock would be told in them (`begins`: queue_begins). */
static bool reportable(const struct subscription *sub, uint64_t begins)
{
    return sub && sub->layer && !sub->begin && !(begins >> sub->slot & 1) &&
           sub->rewrite.has_source && sub->sent_packets;
}

static void write_sr(struct wr *w, const struct subscription *sub,
                     const struct rtcp_report *reports, unsigned count, mono_us now)
{
    uint32_t hz = sub->video ? 90000 : 48000;
    struct rtcp_sr sr = {
        .ssrc = sub->ssrc,
        .ntp = report_ntp(now),
        .rtp = source_time(sub->layer, hz, now) + sub->rewrite.ts_shift,
        .packets = sub->sent_packets,
        .octets = sub->sent_octets,
    };
    rtcp_write_sr(w, &sr, reports, count);
}

static void send_compound(struct sfu *sfu, struct peer *peer, struct wr *w, mono_us now)
{
    if (wr_len(w) > 0) {
        rtcp_write_cname(w, our_ssrc(peer), cname, sizeof(cname) - 1);
        if (!w->bad) {
            drain_rtcp(sfu, peer, w->start, wr_len(w), now);
        }
    }
}

void report_timer(struct sfu *sfu, struct peer *peer, mono_us now)
{
    struct rtcp_report reports[REPORTS_MAX];
    unsigned count = collect_reports(peer, reports, now);
    uint64_t begins = queue_begins(peer);
    struct wr w = wr_init(txbatch_room(sfu->tx), COMPOUND_MAX);
    for (unsigned i = 0; i < peer->slots; i++) {
        if (!reportable(peer->slot[i], begins)) {
            continue;
        }
        if (wr_len(&w) + SR_ROOM + 24U * count > COMPOUND_MAX) {
            send_compound(sfu, peer, &w, now);
            w = wr_init(txbatch_room(sfu->tx), COMPOUND_MAX);
        }
        write_sr(&w, peer->slot[i], reports, count, now);
        count = 0;
    }
    /* Something comes in any case: whoever hears nothing for seconds knows that the path is dead.
     */
    if (count || wr_len(&w) == 0) {
        rtcp_write_rr(&w, our_ssrc(peer), reports, count);
    }
    send_compound(sfu, peer, &w, now);
    if (peer->estimate_bps) {
        share_update(sfu, peer, now); /* what sources send moves by itself */
    }
    sfu_arm_coarse(sfu, &peer->rtcp_node, TIMER_PEER_RTCP,
                   now + PEER_RTCP_US * 3 / 4 + report_jitter(peer, now));
}

void report_twcc(struct sfu *sfu, struct peer *peer, mono_us now)
{
    struct wr w = wr_init(txbatch_room(sfu->tx), COMPOUND_MAX);
    if (twcc_gen_write(peer->twcc, &w, our_ssrc(peer), now)) {
        drain_rtcp(sfu, peer, w.start, wr_len(&w), now);
    }
    sfu_arm_twcc(sfu, peer);
}

/* The request is lost as often as the packet, and then a picture stands for another round trip:
 * said twice it costs little, and who gets both answers once. */
static void send_nack(struct sfu *sfu, struct peer *peer, struct wr *w, mono_us now)
{
    uint8_t again[COMPOUND_MAX];
    size_t len = w->bad ? 0 : wr_len(w);
    if (len == 0) {
        return;
    }
    memcpy(again, w->start, len);
    drain_rtcp(sfu, peer, w->start, len, now);
    uint8_t *out = txbatch_room(sfu->tx);
    memcpy(out, again, len);
    drain_rtcp(sfu, peer, out, len, now);
}

void report_nack(struct sfu *sfu, struct receiver *receiver, mono_us now)
{
    struct track *track = receiver->layer->track;
    int64_t missing[NACK_LIST];
    uint16_t seqs[NACK_LIST];
    if (track->owner && track->owner->rtt_measured) {
        nack_rtt_least(&receiver->nack, track->owner->rtt_us);
    }
    uint32_t n = nack_collect(&receiver->nack, missing, NACK_LIST, now);
    for (uint32_t i = 0; i < n; i++) {
        seqs[i] = (uint16_t)missing[i];
    }
    if (n && track->owner) {
        struct wr w = wr_init(txbatch_room(sfu->tx), COMPOUND_MAX);
        rtcp_write_nack(&w, our_ssrc(track->owner), receiver->ssrc, seqs, n);
        send_nack(sfu, track->owner, &w, now);
        sfu->stats.nacks_sent += n;
    }
    if (nack_lost(&receiver->nack) && track->video && receiver->layer->subs) {
        track_keyframe(sfu, track, (uint8_t)(1u << receiver->layer->index), now);
    }
    sfu_arm(sfu, &receiver->nack_node, TIMER_NACK, nack_deadline(&receiver->nack));
}

void report_pli(struct sfu *sfu, struct track *track, uint8_t layers, mono_us now)
{
    struct peer *peer = track->owner;
    struct wr w = wr_init(txbatch_room(sfu->tx), COMPOUND_MAX);
    for (unsigned i = 0; i < LAYERS_MAX; i++) {
        const struct layer *layer = track->layer[i];
        if ((layers >> i & 1) && layer && layer->receiver &&
            (layer->receiver->rx.started || layer->receiver->ssrc)) {
            rtcp_write_pli(&w, our_ssrc(peer), layer->receiver->ssrc);
            sfu->stats.plis_sent++;
        }
    }
    drain_rtcp(sfu, peer, w.start, wr_len(&w), now);
}
