#include "server/sfu/cc.h"

#include "codec/wire/rtpext.h"
#include "server/proto/bwe.h"
#include "server/sfu/core.h"
#include "server/sfu/outcome.h"
#include "server/sfu/share.h"
#include "server/sfu/voice.h"

enum {
    CC_REPAIR_BURST_US = 400 * US_PER_MS,
    CC_REPAIR_PART = 2,       /* of the estimate */
    CC_UNKNOWN_BPS = 4000000, /* what stands for it where nothing is told of the path */
    CC_REMB_MAX_BPS = AIMD_MAX_BPS,
    CC_TICK_US = 200 * US_PER_MS,
    CC_ROOM_PERCENT = 160,      /* of what is shared out there is: everything twice fits in */
    CC_STATUSES = 1024,         /* a feedback may speak of */
    CC_REMB_US = 10 * US_PER_S, /* a REMB counts so long */
};

struct cc {
    uint64_t remb_bps;
    mono_us remb_us;
    struct bwe bwe; /* last: its ring of sent packets grows into memory not touched before */
};

/* Whole pages: at the rate of one picture and a voice everything that is touched lies in the first,
 * and nothing of the next one does. */
size_t cc_size(void)
{
    enum { PAGE = 4096 };
    return (sizeof(struct cc) + PAGE - 1) / PAGE * PAGE;
}

/* Tells the share what the estimate is, when it moved, and probes when that is worth it. */
static void publish(struct sfu *sfu, struct peer *peer, mono_us now)
{
    struct cc *cc = peer->cc;
    struct probe_cluster probe;
    uint64_t bps = bwe_estimate(&cc->bwe, now);
    if (bps == 0 && cc->remb_us && now - cc->remb_us < CC_REMB_US) {
        bps = cc->remb_bps;
    }
    if (bwe_notable(peer->estimate_bps, bps)) {
        peer->estimate_bps = bps;
        share_update(sfu, peer, now);
    }
    bwe_want(&cc->bwe, peer->wanted_bps);
    if (bwe_probe(&cc->bwe, &probe, now)) {
        const struct pace_probe out = {
            .cluster = probe.cluster,
            .bps = probe.bps,
            .bytes = probe.bytes,
        };
        pace_probe(sfu, peer, &out, now);
    }
}

void cc_open(struct sfu *sfu, struct peer *peer, mono_us now)
{
    if (peer->cc || !peer->offer.video_ext.id[RTPEXT_TRANSPORT_CC]) {
        return; /* known, or it will never tell us what arrived */
    }
    peer->cc = pool_get_raw(&sfu->ccs, &peer->cc_id);
    if (peer->cc) {
        bwe_init(&peer->cc->bwe, BWE_START_BPS, now);
        peer->cc->remb_us = 0;
        sfu_arm_coarse(sfu, &peer->cc_node, TIMER_PEER_CC, now + CC_TICK_US);
        publish(sfu, peer, now);
    }
}

void cc_near(const struct cc *cc)
{
    if (cc) {
        __builtin_prefetch(cc);
        __builtin_prefetch(&cc->bwe.log);
    }
}

void cc_near_next(const struct cc *cc, uint16_t number)
{
    if (cc) {
        __builtin_prefetch(&cc->bwe.log.record[number & (cc->bwe.log.size - 1)]);
    }
}

void cc_sent(struct sfu *sfu, struct peer *peer, const struct cc_packet *p, mono_us now)
{
    (void)sfu;
    if (peer->cc) {
        bwe_sent(&peer->cc->bwe, p->number, p->bytes, p->cluster, now);
    }
    if (p->kind == CC_RTX) {
        cc_repaired(peer, p->bytes);
    }
}

void cc_repaired(struct peer *peer, size_t bytes)
{
    peer->repair_bits -= (int64_t)bytes * 8;
}

static int64_t repair_bps(const struct peer *peer)
{
    uint64_t bps = peer->estimate_bps ? peer->estimate_bps : CC_UNKNOWN_BPS;
    return (int64_t)bps / CC_REPAIR_PART;
}

bool cc_may_repair(struct peer *peer, mono_us now)
{
    int64_t bps = repair_bps(peer);
    int64_t most = bps * CC_REPAIR_BURST_US / US_PER_S;
    mono_us passed = mono_min(now - peer->repair_us, CC_REPAIR_BURST_US);
    peer->repair_bits += bps * passed / US_PER_S;
    peer->repair_bits = peer->repair_bits < most ? peer->repair_bits : most;
    peer->repair_us = now;
    return peer->repair_bits > 0;
}

bool cc_may_guess(struct peer *peer, mono_us now)
{
    int64_t most = repair_bps(peer) * CC_REPAIR_BURST_US / US_PER_S;
    return cc_may_repair(peer, now) && peer->repair_bits >= most / 2;
}

bool cc_may_double(struct peer *peer, mono_us now)
{
    return peer->cc && bwe_lossy(&peer->cc->bwe) && !cc_congested(peer) &&
           peer->estimate_bps >= (uint64_t)peer->alloc_bps * CC_ROOM_PERCENT / 100 &&
           cc_may_guess(peer, now);
}

void cc_feedback(struct sfu *sfu, struct peer *peer, const struct rtcp_packet *p, mono_us now)
{
    struct twcc_feedback fb;
    struct twcc_status status[CC_STATUSES];
    if (peer->cc && twcc_parse(&fb, status, CC_STATUSES, p) == 0) {
        bwe_input(&peer->cc->bwe, &fb, status, now);
        const struct voice_told told = {
            .teller = REDUNDANCY_FEEDBACK,
            .packets = peer->cc->bwe.fates,
            .lost = peer->cc->bwe.fates_lost,
        };
        voice_loss(sfu, peer, &told, now);
        outcome_told(sfu, peer, status, fb.count, now);
        publish(sfu, peer, now);
    }
}

void cc_remb(struct sfu *sfu, struct peer *peer, uint64_t bps, mono_us now)
{
    bps = bps > BWE_MIN_BPS ? bps : BWE_MIN_BPS;
    bps = bps < CC_REMB_MAX_BPS ? bps : CC_REMB_MAX_BPS;
    if (peer->cc) {
        peer->cc->remb_bps = bps;
        peer->cc->remb_us = now;
        publish(sfu, peer, now);
    } else {
        peer->estimate_bps = bps;
        share_update(sfu, peer, now);
    }
}

void cc_path(struct sfu *sfu, struct peer *peer, mono_us now)
{
    if (peer->cc) {
        bwe_path(&peer->cc->bwe, now);
        publish(sfu, peer, now);
    }
}

void cc_timer(struct sfu *sfu, struct peer *peer, mono_us now)
{
    if (peer->cc) {
        bwe_timer(&peer->cc->bwe, now);
        publish(sfu, peer, now);
        sfu_arm_coarse(sfu, &peer->cc_node, TIMER_PEER_CC, now + CC_TICK_US);
    }
}

bool cc_congested(const struct peer *peer)
{
    return peer->cc && bwe_congested(&peer->cc->bwe);
}

bool cc_narrow(const struct peer *peer)
{
    return peer->cc && bwe_narrow(&peer->cc->bwe);
}

void cc_close(struct sfu *sfu, struct peer *peer)
{
    twheel_cancel(&sfu->wheel, &peer->cc_node);
    pool_put(&sfu->ccs, peer->cc_id);
    peer->cc = NULL;
    peer->cc_id = 0;
}
