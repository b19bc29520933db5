/*
 * Between shards (design.md D1): packets as references, state as whole messages. A control message
 * that finds a full ring waits in a bounded outbox, in its order; packets for that shard are lost
 * meanwhile, as they must not overtake it. What is for other shards does not wait for one that
 * stands. References given back wait in an array that can hold all of them.
 */
#include <string.h>

#include "server/sfu/core.h"
#include "server/sfu/policy.h"

static bool carry(struct sfu *sfu, unsigned to, const struct sfu_msg *msg)
{
    return sfu->hooks.shard_h && sfu->hooks.shard_h(sfu->hooks.arg, to, msg);
}

/* Behind everything that waits for the shard; false when there is no room. */
static bool outbox_put(struct sfu *sfu, unsigned to, const struct sfu_msg *msg)
{
    struct outbox_list *list = &sfu->waiting[to];
    uint16_t item = sfu->outbox_free;
    if (item) {
        sfu->outbox_free = sfu->outbox[item - 1].next;
    } else if (sfu->outbox_touched < SFU_OUTBOX) {
        item = ++sfu->outbox_touched;
    } else {
        return false;
    }
    sfu->outbox[item - 1] = (struct outbox_item){.msg = *msg};
    if (list->first) {
        sfu->outbox[list->last - 1].next = item;
    } else {
        list->first = item;
    }
    list->last = item;
    sfu->outbox_count++;
    return true;
}

/* Sends what waits for the shard, as far as its ring takes it. */
static void outbox_send(struct sfu *sfu, unsigned to)
{
    struct outbox_list *list = &sfu->waiting[to];
    while (list->first && carry(sfu, to, &sfu->outbox[list->first - 1].msg)) {
        uint16_t item = list->first;
        list->first = sfu->outbox[item - 1].next;
        sfu->outbox[item - 1].next = sfu->outbox_free;
        sfu->outbox_free = item;
        sfu->outbox_count--;
    }
}

void shard_send(struct sfu *sfu, unsigned to, const struct sfu_msg *msg)
{
    struct sfu_msg copy = *msg;
    copy.from = (uint8_t)sfu->config.shard;
    if (to == sfu->config.shard || to >= sfu->config.shards) {
        return;
    }
    if (sfu->waiting[to].first == 0 && carry(sfu, to, &copy)) {
        return;
    }
    if (!outbox_put(sfu, to, &copy)) {
        sfu_drop(sfu, DROP_QUEUE_FULL);
    }
}

bool shard_send_packet(struct sfu *sfu, unsigned to, const struct layer *layer, struct pkt *pkt,
                       bool first)
{
    struct sfu_msg msg = {
        .kind = SFU_MSG_PACKET,
        .from = (uint8_t)sfu->config.shard,
        .source = layer->track->source,
        .layer = layer->index,
        .count = first,
        .peer = layer->track->publisher,
        .room = layer->track->room,
        .packet = pkt_get(pkt),
    };
    if (sfu->waiting[to].first == 0 && carry(sfu, to, &msg)) {
        return true;
    }
    pkt_put(&msg.packet);
    return false;
}

static bool send_releases(struct sfu *sfu, unsigned to, struct pkt *const *list, uint32_t count)
{
    struct sfu_msg msg = {
        .kind = SFU_MSG_RELEASE, .from = (uint8_t)sfu->config.shard, .count = count};
    for (uint32_t i = 0; i < count; i++) {
        msg.release[i] = list[i];
    }
    return carry(sfu, to, &msg);
}

/* Sends what is gathered for one shard, or keeps it for later. */
static void release_shard(struct sfu *sfu, unsigned to)
{
    struct releases *r = &sfu->releases[to];
    if (r->count && !send_releases(sfu, to, r->packet, r->count)) {
        for (uint32_t i = 0; i < r->count && sfu->unreleased_count < sfu->unreleased_cap; i++) {
            sfu->unreleased[sfu->unreleased_count++] = r->packet[i];
        }
    }
    r->count = 0;
}

void shard_release(void *arg, struct pkt *origin)
{
    struct sfu *sfu = arg;
    struct releases *r = &sfu->releases[origin->home];
    r->packet[r->count++] = origin;
    if (r->count == SFU_MSG_RELEASES) {
        release_shard(sfu, origin->home);
    }
}

void shard_flush(struct sfu *sfu)
{
    for (unsigned to = 0; sfu->outbox_count && to < sfu->config.shards; to++) {
        outbox_send(sfu, to);
    }
    while (sfu->unreleased_count) {
        struct pkt *origin = sfu->unreleased[sfu->unreleased_count - 1];
        if (!send_releases(sfu, origin->home, &origin, 1)) {
            break;
        }
        sfu->unreleased_count--;
    }
    for (unsigned to = 0; to < sfu->config.shards; to++) {
        release_shard(sfu, to);
    }
}

static void describe_layer(struct sfu_msg_layer *out, const struct layer *layer, mono_us now)
{
    unsigned n = 0;
    *out = (struct sfu_msg_layer){
        .sr_mono_us = layer->sr_us,
        .sr_rtp = layer->sr_rtp,
        .offered = layer->rates.offered,
        .flags = (uint8_t)((layer->live ? SFU_MSG_LIVE : 0) |
                           (layer_available(layer, now) ? SFU_MSG_AVAILABLE : 0) |
                           (layer->has_sr ? SFU_MSG_HAS_SR : 0) | (layer->thin ? SFU_MSG_THIN : 0)),
    };
    memcpy(out->height, layer->rates.height, sizeof(out->height));
    for (unsigned left = out->offered; left && n < sizeof(out->rate); left &= left - 1) {
        out->rate[n++] = rates_pack(layer->rates.bps[__builtin_ctz(left)]);
    }
}

/* True when something of it changed that decides who gets what. */
static bool layer_news(struct layer *layer, const struct sfu_msg_layer *news)
{
    bool live = (news->flags & SFU_MSG_LIVE) != 0;
    bool available = (news->flags & SFU_MSG_AVAILABLE) != 0;
    bool thin = (news->flags & SFU_MSG_THIN) != 0;
    bool changed = layer->live != live || layer->available != available || layer->thin != thin ||
                   layer->rates.offered != news->offered ||
                   memcmp(layer->rates.height, news->height, sizeof(news->height)) != 0;
    unsigned n = 0;
    layer->live = live;
    layer->available = available;
    layer->thin = thin;
    layer->rates.offered = news->offered;
    memcpy(layer->rates.height, news->height, sizeof(news->height));
    for (unsigned left = news->offered; left && n < sizeof(news->rate); left &= left - 1) {
        layer->rates.bps[__builtin_ctz(left)] = rates_unpack(news->rate[n++]);
    }
    layer->has_sr = (news->flags & SFU_MSG_HAS_SR) != 0;
    layer->sr_rtp = news->sr_rtp;
    layer->sr_us = news->sr_mono_us;
    return changed;
}

void track_inform(struct sfu *sfu, struct track *track, uint64_t shards, mono_us now)
{
    struct sfu_msg msg = {
        .kind = SFU_MSG_TRACK,
        .source = track->source,
        .peer = track->publisher,
        .room = track->room,
        .track.published = track->published,
    };
    if (track->remote) {
        return;
    }
    for (unsigned i = 0; shards && i < LAYERS_MAX; i++) {
        const struct layer *layer = track->layer[i];
        if (layer) {
            msg.track.layers |= 1u << i;
            describe_layer(&msg.track.layer[i], layer, now);
        }
    }
    for (; shards; shards &= shards - 1) {
        shard_send(sfu, (unsigned)__builtin_ctzll(shards), &msg);
    }
}

void track_watch(struct sfu *sfu, struct track *track)
{
    if (!track->remote) {
        return;
    }
    uint8_t needed = 0;
    for (unsigned i = 0; i < LAYERS_MAX; i++) {
        const struct layer *layer = track->layer[i];
        needed |= (uint8_t)(layer && (layer->subs || layer->waiters) ? 1u << i : 0);
    }
    bool watching = track->wishers != NULL || needed;
    if (!track->video || (needed == track->watched && watching == track->watching)) {
        return;
    }
    track->watched = needed;
    track->watching = watching;
    struct sfu_msg msg = {
        .kind = SFU_MSG_WATCH,
        .source = track->source,
        .layer = needed,
        .count = watching,
        .peer = track->publisher,
    };
    shard_send(sfu, sfu_shard_of(track->publisher), &msg);
}

/* Another shard's needs of a source of ours. */
static void input_watch(struct sfu *sfu, const struct sfu_msg *msg, mono_us now)
{
    struct track *track = msg->count ? track_get(sfu, msg->peer, msg->source, now)
                                     : track_find(sfu, msg->peer, msg->source);
    uint64_t bit = 1ULL << msg->from;
    if (!track || track->remote) {
        return;
    }
    bool fresh = msg->count && !(track->informed & bit);
    track->informed = msg->count ? track->informed | bit : track->informed & ~bit;
    for (unsigned i = 0; i < LAYERS_MAX; i++) {
        struct layer *layer = track->layer[i];
        if (layer) {
            bool want = (msg->layer >> i & 1) != 0; /* a wish: only published packets get here */
            layer->exports = want ? layer->exports | bit : layer->exports & ~bit;
        }
    }
    track_needed(sfu, track, now);
    if (fresh) {
        track_inform(sfu, track, bit, now);
    }
    track_unneeded(sfu, track, now);
}

/* News of a source of another shard. */
static void input_track(struct sfu *sfu, const struct sfu_msg *msg, mono_us now)
{
    struct track *track = track_find(sfu, msg->peer, msg->source);
    bool changed = false;
    if (!track || !track->remote) {
        return;
    }
    for (unsigned i = 0; i < LAYERS_MAX; i++) {
        const struct sfu_msg_layer *news = &msg->track.layer[i];
        struct layer *layer = msg->track.layers >> i & 1 ? track_layer(sfu, track, i, now) : NULL;
        if (layer) {
            changed = layer_news(layer, news) || changed;
        }
    }
    track_set(sfu, track, msg->room, msg->track.published != 0, now);
    if (changed) {
        track_changed(sfu, track, now);
    }
    track_unneeded(sfu, track, now);
}

static void input_packet(struct sfu *sfu, const struct sfu_msg *msg, mono_us now)
{
    struct pkt *pkt = pkt_borrow(&sfu->packets, msg->packet);
    if (!pkt) {
        shard_release(sfu, msg->packet);
        sfu_drop(sfu, DROP_NO_BUFFER);
        return;
    }
    bool audio = !source_is_picture(msg->source);
    struct track *track = audio ? track_get(sfu, msg->peer, msg->source, now)
                                : track_find(sfu, msg->peer, msg->source);
    if (track && audio && track->remote) {
        track_set(sfu, track, msg->room, true, now);
    }
    struct layer *layer = track && track->remote && track->published && track->room == msg->room
                              ? track_layer(sfu, track, msg->layer, now)
                              : NULL;
    if (!layer || history_check(&layer->history, pkt->desc.ext_seq)) {
        sfu_drop(sfu, DROP_NO_SUBSCRIBER);
    } else {
        if (msg->count) {
            /* What came before was kept back at the origin. */
            layer_resume(sfu, layer, pkt->desc.ext_seq, now);
        }
        fanout_rtp(sfu, layer, pkt, now);
    }
    pkt_put(&pkt);
}

void sfu_shard_input(struct sfu *sfu, const struct sfu_msg *msg, mono_us now)
{
    sfu->now = now;
    if (msg->from >= sfu->config.shards || msg->source >= SOURCE_COUNT ||
        (msg->kind == SFU_MSG_PACKET && msg->layer >= LAYERS_MAX)) {
        return;
    }
    switch ((enum sfu_msg_kind)msg->kind) {
    case SFU_MSG_PACKET:
        input_packet(sfu, msg, now);
        break;
    case SFU_MSG_RELEASE:
        for (uint32_t i = 0; i < msg->count && i < SFU_MSG_RELEASES; i++) {
            struct pkt *pkt = msg->release[i];
            pkt_put(&pkt);
        }
        break;
    case SFU_MSG_PRESENCE:
        room_presence(sfu, msg->room, msg->from, msg->count != 0, now);
        break;
    case SFU_MSG_WATCH:
        input_watch(sfu, msg, now);
        break;
    case SFU_MSG_TRACK:
        input_track(sfu, msg, now);
        break;
    case SFU_MSG_KEYFRAME: {
        struct track *track = track_find(sfu, msg->peer, msg->source);
        if (!track || track->remote) {
            break;
        }
        if (msg->count & 2) {
            track_crowd(track, now);
        }
        if (msg->count & 1) {
            track_keyframe(sfu, track, msg->layer, now);
        } else {
            track_keyframe_later(sfu, track, msg->layer, now);
        }
        break;
    }
    }
}
