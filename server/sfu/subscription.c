#include "server/sfu/subscription.h"

#include "codec/base/err.h"
#include "server/sfu/core.h"
#include "server/sfu/voice.h"

enum { MID_PACKETS = 50 }; /* at most so many packets carry the MID before a report is awaited */

struct subscription *subscription_at(struct sfu *sfu, struct peer *peer, unsigned slot)
{
    if (slot >= peer->slots) {
        return NULL;
    }
    struct subscription *sub = peer->slot[slot];
    if (!sub) {
        pool_id id;
        sub = pool_get(&sfu->subscriptions, &id);
        if (!sub) {
            return NULL;
        }
        sub->pool = id;
        sub->peer = peer;
        sub->slot = (uint8_t)slot;
        sub->video = slot >= peer->audio_slots;
        sub->ssrc = peer->ssrc_base + 2 * slot;
        sub->mid_left = MID_PACKETS;
        sub->rtx_seq = rng_u32(&sfu->rng) & 0x7fff;
        rewrite_init(&sub->rewrite, (uint16_t)rng_u32(&sfu->rng), rng_u32(&sfu->rng));
        codec_rewrite_init(&sub->codec_rewrite);
        peer->slot[slot] = sub;
    }
    return sub;
}

static void wisher_unlink(struct subscription *sub)
{
    if (sub->wisher_prev) {
        sub->wisher_prev->wisher_next = sub->wisher_next;
    } else {
        sub->track->wishers = sub->wisher_next;
    }
    if (sub->wisher_next) {
        sub->wisher_next->wisher_prev = sub->wisher_prev;
    }
    sub->wisher_next = NULL;
    sub->wisher_prev = NULL;
}

static void detach(struct sfu *sfu, struct subscription *sub)
{
    struct layer *layer = sub->layer;
    subs_del(sfu, &layer->subs, sub, false);
    sub->layer = NULL;
    track_watch(sfu, layer->track);
}

static void unwait(struct sfu *sfu, struct subscription *sub)
{
    struct layer *layer = sub->next;
    subs_del(sfu, &layer->waiters, sub, true);
    sub->next = NULL;
    if (!layer->waiters && !layer->subs && !layer->exports) {
        keyreq_cancel(&layer->track->keyreq, (uint8_t)(1u << layer->index));
    }
    track_watch(sfu, layer->track);
}

void subscription_revoke(struct sfu *sfu, struct subscription *sub, mono_us now)
{
    if (sub->layer) {
        sub->generation++; /* what is queued of it must not go out */
        detach(sfu, sub);
        rewrite_end(&sub->rewrite);
    }
    if (sub->next) {
        unwait(sfu, sub);
    }
    sub->live = 0;
    peer_slots_changed(sfu, sub->peer, now);
}

static int attach(struct sfu *sfu, struct subscription *sub, struct layer *layer, mono_us now)
{
    if (subs_add(sfu, &layer->subs, sub, false)) {
        sfu_drop(sfu, DROP_OVERLOAD);
        return E_FULL;
    }
    sub->layer = layer;
    sub->layer_name = layer->id;
    sub->begin = true;
    sub->live = 0;
    track_watch(sfu, layer->track);
    peer_slots_changed(sfu, sub->peer, now);
    return 0;
}

/* May this subscriber get anything of the track now? Default deny. */
static bool allowed(const struct subscription *sub, const struct track *track)
{
    const struct peer *peer = sub->peer;
    return track->published && peer_reaches(peer, track->room, track->video) &&
           track->publisher != peer->id && peer->connected && (!sub->video || peer->ready);
}

static void wait_for(struct sfu *sfu, struct subscription *sub, struct layer *layer, mono_us now)
{
    if (sub->next == layer) {
        return;
    }
    if (sub->next) {
        unwait(sfu, sub);
    }
    if (sub->layer == layer || subs_add(sfu, &layer->waiters, sub, true)) {
        return;
    }
    sub->next = layer;
    track_watch(sfu, layer->track);
    track_keyframe(sfu, layer->track, (uint8_t)(1u << layer->index), now);
    peer_slots_changed(sfu, sub->peer, now);
}

void subscription_update(struct sfu *sfu, struct subscription *sub, mono_us now)
{
    struct track *track = sub->track;
    if (sub->layer && !allowed(sub, sub->layer->track)) {
        subscription_revoke(sfu, sub, now);
    }
    if (!track || sub->height_max == 0 || !allowed(sub, track)) {
        if (sub->layer || sub->next) {
            subscription_revoke(sfu, sub, now);
        }
        return;
    }
    if (!sub->video) {
        struct layer *layer = track->layer[0];
        if (layer && sub->layer != layer) {
            if (sub->layer) {
                detach(sfu, sub);
            }
            attach(sfu, sub, layer, now);
        }
        return;
    }
    struct layer_view view[LAYERS_MAX];
    track_layers_view(track, view);
    int index = layer_policy(view, LAYERS_MAX, sub->height_max, 0);
    if (index >= 0) {
        wait_for(sfu, sub, track->layer[index], now);
    } else if (sub->layer && sub->layer->track != track) {
        subscription_revoke(sfu, sub, now); /* nothing will replace the old picture */
    }
}

void subscription_want(struct sfu *sfu, struct subscription *sub, struct track *track,
                       uint16_t height_max, mono_us now)
{
    struct track *old = sub->track;
    if (old == track && sub->height_max == height_max) {
        return;
    }
    if (old != track) {
        if (old) {
            wisher_unlink(sub);
        }
        sub->track = track;
        if (track) {
            sub->wisher_next = track->wishers;
            if (track->wishers) {
                track->wishers->wisher_prev = sub;
            }
            track->wishers = sub;
        }
        if (!sub->video && sub->layer) {
            subscription_revoke(sfu, sub, now); /* sound of one person ends before the next */
        }
    }
    sub->height_max = height_max;
    subscription_update(sfu, sub, now);
    if (track) {
        track_watch(sfu, track);
    }
    if (old && old != track) {
        track_watch(sfu, old);
        track_unneeded(sfu, old, now);
    }
    peer_slots_changed(sfu, sub->peer, now);
}

void subscription_free(struct sfu *sfu, struct subscription *sub)
{
    struct peer *peer = sub->peer;
    subscription_want(sfu, sub, NULL, 0, sfu->now);
    if (sub->layer || sub->next) {
        subscription_revoke(sfu, sub, sfu->now);
    }
    rtx_clear(&sub->rtx, &sfu->chunks);
    voice_close(sfu, sub);
    peer->slot[sub->slot] = NULL;
    pool_put(&sfu->subscriptions, sub->pool);
}

/* Sends what of the source is there already: its start may come late, by a retransmission. */
static void replay(struct sfu *sfu, struct subscription *sub, const struct layer *layer,
                   int64_t from, mono_us now)
{
    for (int64_t seq = from; seq <= layer->history.top; seq++) {
        struct pkt *pkt = history_get(&layer->history, seq);
        enum drop drop = pkt ? subscription_tx(sfu, sub, pkt, now) : DROP_NONE;
        if (drop) {
            sfu_drop(sfu, drop);
        }
    }
}

void subscription_promote(struct sfu *sfu, struct layer *layer, struct pkt *pkt, mono_us now)
{
    while (layer->waiters) {
        struct subscription *sub = layer->waiters->sub[layer->waiters->count - 1];
        struct layer *old = sub->layer;
        subs_del(sfu, &layer->waiters, sub, true);
        sub->next = NULL;
        if (!(sub->peer->codecs[1] >> pkt->desc.codec & 1)) {
            sfu_drop(sfu, DROP_CODEC_NOT_LISTED);
            continue;
        }
        if (old) {
            detach(sfu, sub);
        }
        if (attach(sfu, sub, layer, now) == 0) {
            replay(sfu, sub, layer, pkt->desc.ext_seq, now);
        }
    }
}

enum drop subscription_tx(struct sfu *sfu, struct subscription *sub, struct pkt *pkt, mono_us now)
{
    struct peer *peer = sub->peer;
    const struct pkt_desc *desc = &pkt->desc;
    /* Both rooms, for every packet (S27); another room only through an ear or an eye. */
    sfu_room_id room = sub->layer->track->room;
    if ((!peer->room || peer->room->id != room) && !peer_reaches(peer, room, sub->video)) {
        return DROP_NOT_PUBLISHED;
    }
    if (desc->codec != sub->queued || sub->begin) {
        if (!(peer->codecs[sub->video] >> desc->codec & 1)) {
            return DROP_CODEC_NOT_LISTED;
        }
        if (sub->video && !desc->keyframe) {
            return DROP_WAIT_KEYFRAME;
        }
    }
    enum drop drop = queue_packet(sfu, sub, pkt, sub->begin);
    if (drop) {
        return drop;
    }
    sub->begin = false;
    sub->queued = desc->codec;
    if (!sub->live) {
        sub->live = 1;
        peer_slots_changed(sfu, peer, now);
    }
    return DROP_NONE;
}

void subscription_view(const struct subscription *sub, struct sfu_slot_view *out)
{
    const struct track *track = sub->track;
    *out = (struct sfu_slot_view){0};
    if (!track) {
        return;
    }
    out->publisher = track->publisher;
    out->source = track->source;
    if (sub->layer && sub->layer->track == track && sub->live) {
        out->state = SFU_SLOT_LIVE;
    } else if (sub->height_max && allowed(sub, track)) {
        out->state = SFU_SLOT_WAITING;
    } else {
        out->state = SFU_SLOT_OFF;
    }
}

void subscription_view_set(struct sfu *sfu, struct peer *peer, const struct sfu_want *want,
                           uint32_t count, mono_us now)
{
    bool named[DESC_VIDEO_SLOTS_MAX] = {false};
    unsigned video = (unsigned)(peer->slots - peer->audio_slots);
    for (uint32_t i = 0; i < count && i < DESC_VIDEO_SLOTS_MAX; i++) {
        const struct sfu_want *w = &want[i];
        bool source = w->source == SOURCE_CAMERA || w->source == SOURCE_SCREEN;
        if (w->slot >= video || named[w->slot] || !source || w->publisher == 0 ||
            sfu_shard_of(w->publisher) >= sfu->config.shards) {
            continue;
        }
        struct subscription *sub = subscription_at(sfu, peer, peer->audio_slots + w->slot);
        struct track *track = sub ? track_get(sfu, w->publisher, w->source, now) : NULL;
        if (track) {
            named[w->slot] = true;
            subscription_want(sfu, sub, track, w->height_max, now);
        }
    }
    for (unsigned slot = 0; slot < video; slot++) {
        struct subscription *sub = peer->slot[peer->audio_slots + slot];
        if (sub && !named[slot] && sub->track) {
            subscription_want(sfu, sub, NULL, 0, now);
        }
    }
}
