#include "server/sfu/subscription.h"

#include "codec/base/err.h"
#include "codec/media/rungs.h"
#include "server/sfu/core.h"
#include "server/sfu/policy.h"
#include "server/sfu/share.h"
#include "server/sfu/voice.h"

enum {
    FAST_START_US = 2 * US_PER_S,
    FAST_START_PACKETS = 700,
};
/* So long a picture may stand: a path that is changed takes up to 6 s, and a camera that struggles
 * sends one every few. */
enum { SILENT_US = 10 * US_PER_S };
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
    sub->catch_up = INT64_MIN;
    track_watch(sfu, layer->track);
    track_needed(sfu, layer->track, now); /* its publisher may have been told to rest it just now */
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

bool subscription_allowed(const struct subscription *sub)
{
    return sub->track && allowed(sub, sub->track);
}

/* It has a picture of the same source, and the layer is only a better one. */
static bool shows_less(const struct subscription *sub, const struct layer *layer)
{
    return sub->layer && sub->layer->track == layer->track && sub->live &&
           layer->index < sub->layer->index;
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
    track_needed(sfu, layer->track, now);
    if (shows_less(sub, layer)) {
        track_keyframe_later(sfu, layer->track, (uint8_t)(1u << layer->index), now);
    } else {
        layer->newcomer_us = now;
        track_keyframe(sfu, layer->track, (uint8_t)(1u << layer->index), now);
    }
    peer_slots_changed(sfu, sub->peer, now);
}

static void update_audio(struct sfu *sfu, struct subscription *sub, mono_us now)
{
    struct layer *layer = sub->track->layer[0];
    if (layer && sub->layer != layer) {
        if (sub->layer) {
            detach(sfu, sub);
        }
        attach(sfu, sub, layer, now);
    }
}

void subscription_update(struct sfu *sfu, struct subscription *sub, mono_us now)
{
    struct track *track = sub->track;
    if (sub->layer && !allowed(sub, sub->layer->track)) {
        subscription_revoke(sfu, sub, now);
    }
    bool wished = track && sub->height_max && allowed(sub, track);
    if (!wished && (sub->layer || sub->next)) {
        subscription_revoke(sfu, sub, now);
    }
    if (sub->video) {
        share_update(sfu, sub->peer, now);
    } else if (wished) {
        update_audio(sfu, sub, now);
    }
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

/* True when the layer's last key frame and all that followed lie here and are recent enough. */
static bool past_is_whole(const struct layer *layer, mono_us now)
{
    int64_t missing = 0;
    if (!layer->live || layer->key_us == 0 || now - layer->key_us > FAST_START_US ||
        layer->history.top - layer->key_seq > FAST_START_PACKETS) {
        return false;
    }
    for (int64_t seq = layer->key_seq; seq <= layer->history.top; seq++) {
        missing += history_get(&layer->history, seq) == NULL;
    }
    return missing == 0;
}

/*
 * A slot that shows nothing begins with the layer's last key frame and the base layer since, from
 * the history: nobody is asked for anything. Its time must not lie before what the slot showed.
 */
static bool fast_start(struct sfu *sfu, struct subscription *sub, struct layer *layer, mono_us now)
{
    if (!layer || !past_is_whole(layer, now) ||
        (sub->rewrite.started && now - sub->rewrite.sent_us < now - layer->key_us)) {
        return false;
    }
    const struct pkt *key = history_get(&layer->history, layer->key_seq);
    if (!(sub->peer->codecs[1] >> key->desc.codec & 1)) {
        return false;
    }
    if (sub->layer) {
        sub->generation++;
        detach(sfu, sub);
    }
    if (attach(sfu, sub, layer, now)) {
        return false;
    }
    if (sub->next == layer) {
        unwait(sfu, sub);
    }
    sub->target = sub->next_rung;
    sub->catch_up = layer->history.top;
    layer->newcomer_us = now;
    sfu->stats.fast_starts++;
    replay(sfu, sub, layer, layer->key_seq, now);
    return true;
}

/* Another rung of the layer it has; spatial layers change at key frames. */
static void retarget(struct sfu *sfu, struct subscription *sub, uint8_t rung, mono_us now)
{
    if (sub->next) {
        unwait(sfu, sub);
    }
    if (sub->target == rung) {
        return;
    }
    if (rung_spatial(rung) != rung_spatial(sub->target)) {
        sub->asked = false;
        sub->waited = 0;
    }
    sub->target = rung;
    if (!sub->begin && rung_spatial(rung) > rung_spatial(sub->rung)) {
        track_keyframe_later(sfu, sub->layer->track, (uint8_t)(1u << sub->layer->index), now);
    } else if (!sub->begin && rung_spatial(rung) == rung_spatial(sub->rung)) {
        track_keyframe_unneeded(sub->layer);
    } /* a smaller picture may need none: drain.c asks if it does */
}

/* There is too little for what is wished here, on the path or in the server. */
static bool pressed(const struct subscription *sub)
{
    return sub->peer->wanted_bps || sub->reason == ALLOC_BY_CONNECTION ||
           sub->reason == ALLOC_BY_SERVER;
}

/* Another encoding: the picture that runs goes on until the new one's key frame. */
static void change_encoding(struct sfu *sfu, struct subscription *sub, struct layer *layer,
                            uint8_t rung, mono_us now)
{
    struct track *track = sub->track;
    bool runs = sub->layer && sub->layer->track == track;
    sub->next_rung = rung;
    if (runs && layer->index > sub->layer->index && !sub->layer->thin && pressed(sub)) {
        sub->target = (uint8_t)rung_of(rung_spatial(sub->rung), 0); /* it is too much meanwhile */
    }
    if (!runs && fast_start(sfu, sub, layer, now)) {
        return;
    }
    if (!sub->layer && !layer->live) { /* it must be woken first: begin with another one */
        for (unsigned i = LAYERS_MAX; i-- > 0 && !sub->layer;) {
            (void)fast_start(sfu, sub, track->layer[i], now);
        }
    }
    wait_for(sfu, sub, layer, now);
}

/*
 * A step down. One that takes back a step up of a moment ago says that it was too early: the next
 * one waits twice as long, for within one stream each costs a key frame of everything, and that is
 * everybody's.
 */
static void lowered(struct subscription *sub, const struct subscription_choice *c, mono_us now)
{
    enum { VAIN_US = 8 * US_PER_S };
    if (c->height < sub->height && c->encoding == sub->encoding) {
        bool vain = sub->raised_us && now - sub->raised_us < VAIN_US;
        sub->falls = (uint8_t)(vain ? sub->falls + (sub->falls < ALLOC_FALLS_MAX) : 0);
    }
    sub->lowered_us = now;
}

/* What nothing holds back gets every temporal layer that comes, those too that were not measured
 * yet: of a camera that sent few pictures for a moment the upper ones are not on offer then. */
static uint8_t rung_to_reach(const struct subscription_choice *c)
{
    bool all = c->reason == ALLOC_FULL || c->reason == ALLOC_BY_SOURCE;
    return all ? (uint8_t)rung_of(rung_spatial(c->rung), RUNG_TEMPORAL - 1) : c->rung;
}

void subscription_choose(struct sfu *sfu, struct subscription *sub,
                         const struct subscription_choice *c, mono_us now)
{
    bool told = sub->reason == c->reason && sub->height == c->height;
    bool lower =
        c->height < sub->height ||
        (c->height == sub->height && rung_temporal(c->rung) < rung_temporal(sub->chosen_rung));
    if (c->reason == ALLOC_BY_CONNECTION && sub->encoding >= 0 && lower) {
        lowered(sub, c, now); /* rates of the same layer move all the time, that is no step */
    } else if (sub->encoding >= 0 && c->height > sub->height) {
        sub->raised_us = now;
    }
    sub->reason = c->reason;
    sub->height = c->height;
    sub->bps = c->bps;
    sub->encoding = (int8_t)c->encoding;
    sub->chosen_rung = c->rung;
    if (c->encoding < 0) {
        /* A source that fell silent keeps its last picture. */
        bool keep = c->reason == ALLOC_BY_SOURCE && sub->layer && sub->layer->track == sub->track;
        if (!keep && (sub->layer || sub->next)) {
            subscription_revoke(sfu, sub, now);
        }
    } else if (sub->layer == sub->track->layer[c->encoding]) {
        retarget(sfu, sub, rung_to_reach(c), now);
    } else {
        change_encoding(sfu, sub, sub->track->layer[c->encoding], rung_to_reach(c), now);
    }
    if (!told) {
        peer_slots_changed(sfu, sub->peer, now);
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
            /* What still waits of somebody else would outlive his right to be seen here: nobody
             * looks for it in this slot any more when he closes his camera. */
            if (old->track != layer->track) {
                sub->generation++;
            }
            detach(sfu, sub);
        }
        if (attach(sfu, sub, layer, now) == 0) {
            sub->target = sub->next_rung;
            replay(sfu, sub, layer, pkt->desc.ext_seq, now);
        }
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
        sub->lowered_us = 0;
        sub->raised_us = 0;
        sub->falls = 0;
        sub->encoding = -1;
        sub->bps = 0;
        sub->reason = ALLOC_FULL; /* what held the one before back says nothing of this one */
        sub->silent = false;
        sub->came_us = now;
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

/* Nothing is on its way, and that is meant. */
static bool held_back(const struct subscription *sub)
{
    return sub->video && sub->encoding < 0 &&
           (sub->reason == ALLOC_PAUSED_BY_CONNECTION || sub->reason == ALLOC_BY_SERVER);
}

/* Something of its source went out: what it shows is of that. */
static bool shows(const struct subscription *sub)
{
    return sub->layer && sub->layer->track == sub->track && sub->live;
}

void subscription_look(struct sfu *sfu, struct subscription *sub, mono_us now)
{
    bool meant = sub->height_max && allowed(sub, sub->track) && !held_back(sub);
    bool still = source_policy(sub->track->source)->bursty && shows(sub); /* nothing moves on it */
    if (!meant || still) {
        sub->came_us = now;
    } else if (shows(sub) && sub->layer->last_us > sub->came_us) {
        sub->came_us = sub->layer->last_us;
    }
    bool silent = now - sub->came_us > SILENT_US;
    if (silent != sub->silent) {
        sub->silent = silent;
        sub->live = silent ? 0 : sub->live; /* the next packet tells that it comes again */
        peer_slots_changed(sfu, sub->peer, now);
    }
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
    out->reason = sub->height_max ? sub->reason : (uint8_t)ALLOC_BY_YOU;
    if (shows(sub)) {
        out->state = SFU_SLOT_LIVE;
        out->height = sub->video ? sub->height : 0;
    } else if (sub->height_max && allowed(sub, track) && !held_back(sub)) {
        out->state = SFU_SLOT_WAITING;
        /* That its source sends nothing is told when it has not for a while. */
        bool early = out->reason == ALLOC_BY_SOURCE;
        out->reason = sub->silent ? ALLOC_BY_SOURCE : early ? ALLOC_FULL : out->reason;
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
        if (w->slot >= video || named[w->slot] || !source_is_picture(w->source) ||
            w->publisher == 0 || sfu_shard_of(w->publisher) >= sfu->config.shards) {
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
