#include "server/sfu/share.h"

#include <string.h>

#include "server/proto/overload.h"
#include "server/sfu/cc.h"
#include "server/sfu/core.h"
#include "server/sfu/policy.h"

enum {
    TRIAL_US = 5 * US_PER_S,
};

void share_update(struct sfu *sfu, struct peer *peer, mono_us now)
{
    (void)now;
    if (!peer->sharing) {
        peer->sharing = true;
        sfu->sharing[sfu->sharing_count++] = peer;
    }
}

void share_forget(struct sfu *sfu, struct peer *peer)
{
    for (uint32_t i = 0; peer->sharing && i < sfu->sharing_count; i++) {
        if (sfu->sharing[i] == peer) {
            sfu->sharing[i] = sfu->sharing[--sfu->sharing_count];
            break;
        }
    }
    peer->sharing = false;
}

static uint32_t reserved(const struct peer *peer)
{
    uint32_t bps = SOURCE_VOICE_BPS; /* somebody may begin to speak */
    for (unsigned i = 0; i < peer->audio_slots; i++) {
        const struct subscription *sub = peer->slot[i];
        if (sub && sub->layer) {
            bps += sub->track ? source_policy(sub->track->source)->reserve_bps : SOURCE_VOICE_BPS;
        }
    }
    return bps;
}

/* The option in force: what was chosen last, or the next below when that is not offered any more.
 */
static int8_t current_of(const struct subscription *sub, const struct alloc_slot *slot)
{
    int8_t below = -1;
    if (sub->encoding < 0 || (!sub->layer && !sub->next)) {
        return -1;
    }
    for (unsigned i = 0; i < slot->options; i++) {
        const struct alloc_option *o = &slot->option[i];
        if (o->encoding == sub->encoding && o->rung == sub->chosen_rung) {
            return (int8_t)i;
        }
        below = o->height <= sub->height ? (int8_t)i : below;
    }
    return below;
}

static void slot_fill(struct alloc_slot *slot, const struct subscription *sub, mono_us now)
{
    *slot = (struct alloc_slot){
        .kind = source_class(sub->track->source, sub->height_max),
        .height = sub->height_max,
        .lowered_us = sub->lowered_us,
        .falls = sub->falls,
    };
    track_offer(sub->track, slot, now);
    slot->current = current_of(sub, slot);
}

static void apply(struct sfu *sfu, struct subscription *sub, const struct alloc_slot *slot,
                  mono_us now)
{
    struct subscription_choice c = {.encoding = -1, .reason = slot->reason};
    if (slot->chosen >= 0) {
        const struct alloc_option *o = &slot->option[slot->chosen];
        c.encoding = o->encoding;
        c.rung = o->rung;
        c.height = o->height;
        c.bps = o->bps;
    }
    subscription_choose(sfu, sub, &c, now);
}

static uint32_t bits(uint64_t bps)
{
    return bps < UINT32_MAX ? (uint32_t)bps : UINT32_MAX;
}

/* Not shown, and not for want of room on the path: such a one was seen before and comes back. */
static bool is_new(const struct subscription *sub)
{
    return sub->encoding < 0 && sub->reason != ALLOC_PAUSED_BY_CONNECTION;
}

/* No picture begins while the server sheds load. */
static void refuse(struct sfu *sfu, struct subscription *sub, mono_us now)
{
    const struct subscription_choice nothing = {.encoding = -1, .reason = ALLOC_BY_SERVER};
    subscription_choose(sfu, sub, &nothing, now);
}

/* The path of a peer is tried from the first picture it could have; TRIAL_US are enough for the
 * estimator to see a sending rate and to probe behind it. A queue in the path is an answer too. */
static bool trial(struct peer *peer, unsigned pictures, mono_us now)
{
    if (pictures > 0 && peer->trial_until == 0) {
        peer->trial_until = now + TRIAL_US;
    }
    if (now < peer->trial_until && cc_congested(peer)) {
        peer->trial_until = now;
    }
    return now < peer->trial_until;
}

static void share(struct sfu *sfu, struct peer *peer, mono_us now)
{
    struct alloc_slot slot[DESC_VIDEO_SLOTS_MAX];
    struct subscription *sub[DESC_VIDEO_SLOTS_MAX];
    struct alloc_sum sum;
    const struct overload_limits *shed = overload_limits(sfu->overload);
    unsigned n = 0;
    for (unsigned i = peer->audio_slots; i < peer->slots; i++) {
        struct subscription *s = peer->slot[i];
        if (s && s->height_max && subscription_allowed(s)) {
            if (!shed->new_video && is_new(s)) {
                refuse(sfu, s, now);
                continue;
            }
            sub[n] = s;
            slot_fill(&slot[n++], s, now);
        }
    }
    const struct alloc_limits limits = {
        .estimate_bps = peer->estimate_bps,
        .reserved_bps = reserved(peer),
        .spare_bps = SOURCE_VOICE_BPS,
        .video_max = shed->video_max,
        .temporal_max = shed->temporal_max,
        .trial = trial(peer, n, now),
        .now = now,
    };
    alloc_run(slot, n, &limits, &sum);
    for (unsigned i = 0; i < n; i++) {
        apply(sfu, sub[i], &slot[i], now);
    }
    peer->alloc_bps = bits(sum.used_bps);
    peer->wanted_bps = bits(sum.wanted_bps); /* the prober reads it when it looks next */
}

void share_overload(struct sfu *sfu, uint32_t step, mono_us now)
{
    struct sfu_evt evt = {.kind = SFU_EVT_OVERLOAD};
    evt.overload.shard = sfu->config.shard;
    evt.overload.step = (uint8_t)step;
    sfu->overload = (uint8_t)step;
    sfu_emit(sfu, &evt);
    for (uint32_t i = 0; i < sfu->peers.touched; i++) {
        struct peer *peer = pool_walk(&sfu->peers, i, NULL);
        if (peer) {
            share_update(sfu, peer, now);
        }
    }
}

void share_run(struct sfu *sfu, mono_us now)
{
    while (sfu->sharing_count) {
        struct peer *peer = sfu->sharing[--sfu->sharing_count];
        peer->sharing = false;
        share(sfu, peer, now);
    }
}
