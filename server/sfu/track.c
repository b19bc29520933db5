#include "server/sfu/track.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/media/rungs.h"
#include "server/sfu/core.h"
#include "server/sfu/policy.h"
#include "server/sfu/thin.h"

static uint64_t key_of(const struct sfu *sfu, sfu_peer_id publisher, uint8_t source)
{
    struct {
        uint64_t publisher;
        uint64_t source;
    } key = {publisher, source};
    return hash_bytes(&sfu->key, &key, sizeof(key));
}

struct track *track_find(const struct sfu *sfu, sfu_peer_id publisher, uint8_t source)
{
    uint64_t id;
    if (!map_find(&sfu->track_by_key, key_of(sfu, publisher, source), &id)) {
        return NULL;
    }
    struct track *track = pool_at(&sfu->tracks, id);
    return track && track->publisher == publisher && track->source == source ? track : NULL;
}

struct track *track_get(struct sfu *sfu, sfu_peer_id publisher, uint8_t source, mono_us now)
{
    pool_id id;
    struct track *track = track_find(sfu, publisher, source);
    if (track) {
        return track;
    }
    track = pool_get(&sfu->tracks, &id);
    if (!track) {
        return NULL;
    }
    track->id = id;
    track->publisher = publisher;
    track->source = source;
    track->video = source_is_picture(source);
    track->remote = sfu_shard_of(publisher) != sfu->config.shard;
    if (map_set(&sfu->track_by_key, key_of(sfu, publisher, source), id)) {
        pool_put(&sfu->tracks, id);
        return NULL;
    }
    sfu_arm_coarse(sfu, &track->tick_node, TIMER_TRACK_TICK, now + TRACK_TICK_US);
    return track;
}

static struct receiver *receiver_new(struct sfu *sfu, struct layer *layer)
{
    pool_id id;
    struct receiver *r = pool_get_raw(&sfu->receivers, &id);
    if (r) {
        memset(r, 0, offsetof(struct receiver, nack));
        memset(&r->nack_node, 0, sizeof(*r) - offsetof(struct receiver, nack_node));
        r->id = id;
        r->layer = layer;
        rtp_rx_init(&r->rx, layer->track->video ? 90000 : 48000);
        nack_init(&r->nack, layer->track->video ? KEEP_VIDEO_US : KEEP_AUDIO_US);
    }
    return r;
}

static struct pool *histories(struct sfu *sfu, const struct track *track)
{
    return track->video ? &sfu->histories_video : &sfu->histories_audio;
}

struct layer *track_layer(struct sfu *sfu, struct track *track, unsigned index, mono_us now)
{
    pool_id id;
    pool_id history_id = 0;
    if (track->layer[index]) {
        return track->layer[index];
    }
    struct layer *layer = pool_get(&sfu->layers, &id);
    struct pkt **slots = layer ? pool_get(histories(sfu, track), &history_id) : NULL;
    if (!slots) {
        if (layer) {
            pool_put(&sfu->layers, id);
        }
        return NULL;
    }
    layer->track = track;
    layer->id = id;
    layer->index = (uint8_t)index;
    layer->history_id = history_id;
    layer->needed_us = now;
    rates_init(&layer->rates, now);
    history_init(&layer->history, slots, track->video ? HISTORY_VIDEO : HISTORY_AUDIO);
    if (!track->remote) {
        layer->receiver = receiver_new(sfu, layer);
        if (!layer->receiver) {
            pool_put(histories(sfu, track), history_id);
            pool_put(&sfu->layers, id);
            return NULL;
        }
    }
    track->layer[index] = layer;
    return layer;
}

static void receiver_free(struct sfu *sfu, struct receiver *r)
{
    twheel_cancel(&sfu->wheel, &r->nack_node);
    for (uint32_t i = 0; i < sfu->nack_count; i++) {
        if (sfu->nack_due[i] == r) {
            sfu->nack_due[i--] = sfu->nack_due[--sfu->nack_count];
        }
    }
    if (r->dd) {
        pool_put(&sfu->dds, r->dd_id);
    }
    pool_put(&sfu->receivers, r->id);
}

static void layer_free(struct sfu *sfu, struct layer *layer)
{
    struct track *track = layer->track;
    history_fini(&layer->history);
    pool_put(histories(sfu, track), layer->history_id);
    if (layer->receiver) {
        receiver_free(sfu, layer->receiver);
    }
    track->layer[layer->index] = NULL;
    pool_put(&sfu->layers, layer->id);
}

static void send_event(struct sfu *sfu, const struct peer *peer);

static void resume(struct layer *layer, mono_us now)
{
    layer->paused = false;
    layer->resume_until = now + LAYER_RESUME_US;
    layer->resumed_us = now;
    layer->insists = 0;
}

/* What begins is sent, and those who will look at it have a while to say so: that nobody looked
 * when it ended the last time says nothing. Told once, not off and on again. */
static void begin_wanted(struct sfu *sfu, struct track *track, mono_us now)
{
    bool changed = false;
    for (unsigned i = 0; i < LAYERS_MAX; i++) {
        struct layer *layer = track->layer[i];
        if (layer) {
            layer->needed_us = now;
            changed = changed || layer->paused;
            if (layer->paused) {
                resume(layer, now);
            }
        }
    }
    if (changed && track->owner) {
        send_event(sfu, track->owner);
    }
}

void layer_resume(struct sfu *sfu, struct layer *layer, int64_t seq, mono_us now)
{
    history_skip(&layer->history, seq - 1);
    layer->exported = 0;
    for (struct subs_block *block = layer->subs; block; block = block->next) {
        for (uint32_t i = 0; i < block->count; i++) {
            block->sub[i]->begin = true;
        }
    }
    if (layer->subs && layer->track->video) {
        track_keyframe(sfu, layer->track, (uint8_t)(1u << layer->index), now);
    }
}

/* Nobody is attached to or waits for anything of the track any more. */
static void revoke_all(struct sfu *sfu, struct track *track, mono_us now)
{
    for (unsigned i = 0; i < LAYERS_MAX; i++) {
        struct layer *layer = track->layer[i];
        while (layer && layer->subs) {
            subscription_revoke(sfu, layer->subs->sub[layer->subs->count - 1], now);
        }
        while (layer && layer->waiters) {
            subscription_revoke(sfu, layer->waiters->sub[layer->waiters->count - 1], now);
        }
    }
}

/* What came so far belongs to the room it was meant for: it is not repaired or replayed later. */
static void forget_past(struct track *track)
{
    for (unsigned i = 0; i < LAYERS_MAX; i++) {
        struct layer *layer = track->layer[i];
        if (layer && layer->history.started) {
            history_skip(&layer->history, layer->history.top);
        }
        if (layer && layer->receiver && layer->receiver->rx.started) {
            nack_skip(&layer->receiver->nack, layer->receiver->rx.top);
            layer->receiver->begun = false;
        }
    }
}

void track_set(struct sfu *sfu, struct track *track, sfu_room_id room, bool published, mono_us now)
{
    published = published && room != 0;
    if (track->room == room && track->published == published) {
        return;
    }
    if (track->published) {
        /* Restricting comes first and leaves nothing behind. */
        if (!track->video) {
            room_talk_end(sfu, track, now);
        }
        track->published = false;
        revoke_all(sfu, track, now);
        forget_past(track);
    }
    track->room = room;
    track->published = published;
    if (published && !track->video) {
        room_talk_begin(sfu, track, now);
    } else if (published) {
        begin_wanted(sfu, track, now);
    }
    track_changed(sfu, track, now);
    track_inform(sfu, track, track->informed, now);
}

void track_changed(struct sfu *sfu, struct track *track, mono_us now)
{
    struct subscription *next;
    for (struct subscription *sub = track->wishers; sub; sub = next) {
        next = sub->wisher_next;
        subscription_update(sfu, sub, now);
    }
}

static void layers_free(struct sfu *sfu, struct track *track, mono_us now)
{
    revoke_all(sfu, track, now);
    for (unsigned i = 0; i < LAYERS_MAX; i++) {
        if (track->layer[i]) {
            layer_free(sfu, track->layer[i]);
        }
    }
}

void track_close(struct sfu *sfu, struct track *track, mono_us now)
{
    track_set(sfu, track, 0, false, now);
    layers_free(sfu, track, now);
    if (track->owner) {
        track->owner->track[track->source] = NULL;
        track->owner = NULL;
    }
    keyreq_cancel(&track->keyreq, 0xff);
    track_inform(sfu, track, track->informed, now);
    if (!track->video) {
        track->informed = 0; /* audio is not watched, so nobody will say that he has stopped */
    }
    track_unneeded(sfu, track, now);
}

void track_unneeded(struct sfu *sfu, struct track *track, mono_us now)
{
    bool layers = track->layer[0] || track->layer[1] || track->layer[2];
    if (track->owner || track->wishers || (layers && !track->remote)) {
        return;
    }
    /* Another shard's voice stays while it is heard; its pictures only while somebody looks. */
    if (track->published && !track->video) {
        return;
    }
    if (track->remote) {
        layers_free(sfu, track, now);
        track_watch(sfu, track);
    } else if (track->informed) {
        return;
    }
    twheel_cancel(&sfu->wheel, &track->keyreq_node);
    twheel_cancel(&sfu->wheel, &track->tick_node);
    map_del(&sfu->track_by_key, key_of(sfu, track->publisher, track->source));
    pool_put(&sfu->tracks, track->id);
}

void track_keyframe(struct sfu *sfu, struct track *track, uint8_t layers, mono_us now)
{
    keyreq_ask(&track->keyreq, layers);
    track_keyreq_run(sfu, track, now);
}

void track_keyframe_later(struct sfu *sfu, struct track *track, uint8_t layers, mono_us now)
{
    keyreq_ask_later(&track->keyreq, layers);
    track_keyreq_run(sfu, track, now);
}

void track_keyframe_unneeded(struct layer *layer)
{
    bool others = layer->waiters || layer->exports;
    for (const struct subs_block *b = layer->subs; b && !others; b = b->next) {
        for (uint32_t i = 0; i < b->count && !others; i++) {
            const struct subscription *sub = b->sub[i];
            others = sub->begin || rung_spatial(sub->rung) != rung_spatial(sub->target);
        }
    }
    if (!others) {
        keyreq_unask_later(&layer->track->keyreq, (uint8_t)(1u << layer->index));
    }
}

/* While people come in, every request asks for what the next of them will begin with, too: their
 * past is short then, and none of them has to ask. */
static uint8_t crowded(const struct track *track, mono_us now)
{
    enum { CROWD_US = 2 * US_PER_S, KEY_OLD_US = 700 * US_PER_MS };
    uint8_t layers = 0;
    for (unsigned i = 0; i < LAYERS_MAX; i++) {
        const struct layer *layer = track->layer[i];
        bool comes = layer && layer->live && layer->newcomer_us &&
                     now - layer->newcomer_us < CROWD_US && now - layer->key_us > KEY_OLD_US;
        layers |= (uint8_t)(comes ? 1u << i : 0);
    }
    return layers;
}

/* Many look at it here, or another shard said so a moment ago. */
static bool looked_at(const struct track *track, mono_us now)
{
    enum { CROWD_PEOPLE = 8 };
    uint32_t people = 0;
    for (unsigned i = 0; i < LAYERS_MAX && people < CROWD_PEOPLE; i++) {
        const struct layer *layer = track->layer[i];
        people += layer ? subs_count(layer->subs) + subs_count(layer->waiters) : 0;
    }
    return people >= CROWD_PEOPLE || now < track->crowd_until;
}

void track_crowd(struct track *track, mono_us now)
{
    enum { CROWD_TOLD_US = 5 * US_PER_S };
    track->crowd_until = now + CROWD_TOLD_US;
}

void track_keyreq_run(struct sfu *sfu, struct track *track, mono_us now)
{
    bool urgent = false;
    track->keyreq.crowd = looked_at(track, now);
    uint8_t layers = keyreq_poll(&track->keyreq, &urgent, now);
    layers |= layers ? crowded(track, now) : 0;
    if (layers && track->remote) {
        struct sfu_msg msg = {
            .kind = SFU_MSG_KEYFRAME,
            .source = track->source,
            .layer = layers,
            .count = urgent | (uint32_t)track->keyreq.crowd << 1,
            .peer = track->publisher,
        };
        shard_send(sfu, sfu_shard_of(track->publisher), &msg);
    } else if (layers && track->owner) {
        report_pli(sfu, track, layers, now);
    }
    sfu_arm(sfu, &track->keyreq_node, TIMER_TRACK_KEYREQ, keyreq_deadline(&track->keyreq));
}

bool layer_available(const struct layer *layer, mono_us now)
{
    return layer->live || layer->available || layer->paused || now < layer->resume_until;
}

/* Heights nobody told: of encodings by their place, of spatial layers by the one above. */
static uint16_t height_of(const struct layer *layer, unsigned spatial, unsigned top)
{
    enum { HEIGHT_ASSUMED = 720 };
    if (layer->rates.height[spatial]) {
        return layer->rates.height[spatial];
    }
    unsigned best = layer->rates.height[top] ? layer->rates.height[top]
                                             : (unsigned)HEIGHT_ASSUMED >> layer->index;
    return (uint16_t)(best >> (top - spatial));
}

/* What an encoding that rests would take: its last windows may have been one key frame and a burst
 * of probes, and with that as its price it would never be asked for again. */
static uint32_t price_of(const struct layer *layer, unsigned rung, uint16_t height)
{
    uint32_t measured = layer->rates.bps[rung];
    uint32_t guess = alloc_guess_bps(height);
    return measured && (!layer->paused || measured < guess) ? measured : guess;
}

static void offer_layer(const struct layer *layer, struct alloc_slot *slot)
{
    unsigned top = 0;
    for (unsigned left = layer->rates.offered; left; left &= left - 1) {
        top = rung_spatial((unsigned)__builtin_ctz(left));
    }
    for (unsigned left = layer->rates.offered; left; left &= left - 1) {
        unsigned rung = (unsigned)__builtin_ctz(left);
        uint16_t height = height_of(layer, rung_spatial(rung), top);
        alloc_offer(slot, (struct alloc_option){.bps = price_of(layer, rung, height),
                                                .height = height,
                                                .encoding = layer->index,
                                                .rung = (uint8_t)rung});
    }
}

void track_offer(const struct track *track, struct alloc_slot *slot, mono_us now)
{
    for (unsigned i = 0; i < LAYERS_MAX; i++) {
        const struct layer *layer = track->layer[i];
        if (layer && layer_available(layer, now) && !thin_withheld(layer, now)) {
            offer_layer(layer, slot);
        }
    }
}

/* Which layers should be sent, for the publisher's page. */
static void send_event(struct sfu *sfu, const struct peer *peer)
{
    struct sfu_evt evt = {.kind = SFU_EVT_SEND, .peer = peer->id};
    for (unsigned s = 0; s < SOURCE_COUNT; s++) {
        evt.send[s] = (1u << LAYERS_MAX) - 1;
        for (unsigned i = 0; peer->track[s] && i < LAYERS_MAX; i++) {
            const struct layer *layer = peer->track[s]->layer[i];
            if (layer && layer->paused) {
                evt.send[s] = (uint8_t)(evt.send[s] & ~(1u << i));
            }
        }
    }
    sfu_emit(sfu, &evt);
}

static bool needed(const struct layer *layer)
{
    return layer->subs || layer->waiters || layer->exports;
}

void track_needed(struct sfu *sfu, struct track *track, mono_us now)
{
    bool changed = false;
    if (!track->video || !track->owner) {
        return;
    }
    for (unsigned i = 0; i < LAYERS_MAX; i++) {
        struct layer *layer = track->layer[i];
        if (layer && needed(layer)) {
            layer->needed_us = now;
            if (layer->paused) {
                resume(layer, now);
                changed = true;
            }
        }
    }
    if (changed) {
        send_event(sfu, track->owner);
    }
}

/* Layers nobody watched for a while are not sent any more; the smallest one last, because it is
 * what a newcomer can have at once. */
static void pause_unwatched(struct sfu *sfu, struct track *track, mono_us now)
{
    bool changed = false;
    bool smallest = true;
    for (unsigned i = LAYERS_MAX; track->owner && i-- > 0;) {
        struct layer *layer = track->layer[i];
        if (!layer || (!layer->live && !layer->paused)) {
            continue;
        }
        if (needed(layer)) {
            layer->needed_us = now;
        } else if (!layer->paused &&
                   now - layer->needed_us > (smallest ? LAYER_LAST_US : LAYER_UNWATCHED_US)) {
            layer->paused = true;
            changed = true;
        }
        smallest = false;
    }
    if (changed) {
        send_event(sfu, track->owner);
    }
}

/* What was told to come came. */
static void note_came(struct layer *layer, mono_us now)
{
    if (layer->last_us > layer->resumed_us) {
        layer->resumed_us = 0;
        layer->vain = 0;
    }
    if (now - layer->last_us <= LAYER_LIVE_US) {
        layer->insists = 0;
    }
}

/* It is wanted, its publisher was told to send it or asked for key frames, and nothing comes; or it
 * came, and stopped. A screen on which nothing moves is told in vain, and does nothing. */
static bool owed(const struct track *track, const struct layer *layer, mono_us now)
{
    bool asked = (track->keyreq.open >> layer->index & 1) && track->keyreq.tries >= 2;
    mono_us since = layer->resumed_us ? layer->resumed_us : layer->last_us;
    mono_us at = layer->insists < LAYER_INSISTS
                     ? since + ((mono_us)LAYER_INSIST_US << layer->insists)
                     : layer->insisted_us + LAYER_INSIST_LATE_US;
    return (asked || layer->resumed_us || layer->live) && !layer->paused && needed(layer) &&
           now > at;
}

/* Something of the track comes. */
static bool flows(const struct track *track, mono_us now)
{
    bool flowing = false;
    for (unsigned i = 0; i < LAYERS_MAX; i++) {
        const struct layer *layer = track->layer[i];
        flowing = flowing || (layer && now - layer->last_us <= LAYER_LIVE_US);
    }
    return flowing;
}

/* It was told to come and did not while it was on offer. Nobody can want it any more, so nobody
 * would insist: it counts as resting again, and who wants it has it asked for anew. Where nothing
 * else comes he has no picture, and that is soon. */
static bool offer_anew(const struct track *track, struct layer *layer, mono_us now)
{
    mono_us after = (mono_us)LAYER_AGAIN_US << layer->vain;
    bool soon = after > LAYER_AGAIN_BARE_US && !flows(track, now);
    mono_us at = layer->resume_until + (soon ? LAYER_AGAIN_BARE_US : after);
    if (!layer->resumed_us || layer->live || layer->paused || needed(layer) || now < at) {
        return false;
    }
    layer->paused = true;
    layer->resumed_us = 0;
    layer->vain = (uint8_t)(layer->vain + (layer->vain < LAYER_AGAIN_MAX));
    return true;
}

/*
 * What a publisher was told may have been lost on the way, or its page could not do it then. Said
 * again: who does it already does nothing. True when another layer is on offer now.
 */
static bool insist(struct sfu *sfu, struct track *track, mono_us now)
{
    bool again = false;
    bool anew = false;
    for (unsigned i = 0; track->owner && i < LAYERS_MAX; i++) {
        struct layer *layer = track->layer[i];
        if (!layer) {
            continue;
        }
        note_came(layer, now);
        if (owed(track, layer, now)) {
            layer->insists = (uint8_t)(layer->insists + (layer->insists < LAYER_INSISTS));
            layer->insisted_us = now;
            again = true;
        }
        anew = offer_anew(track, layer, now) || anew;
    }
    if (again) {
        send_event(sfu, track->owner);
    }
    return anew;
}

/* Asked-for key frames of layers that fell silent or that nobody waits for are not insisted on. */
static void keyreq_prune(struct track *track)
{
    for (unsigned i = 0; i < LAYERS_MAX; i++) {
        const struct layer *layer = track->layer[i];
        if (!layer || !layer->live || (!layer->subs && !layer->waiters && !layer->exports)) {
            keyreq_cancel(&track->keyreq, (uint8_t)(1u << i));
        }
    }
}

/* The last packet of its other layers. */
static mono_us others_last(const struct track *track, const struct layer *layer)
{
    mono_us last = 0;
    for (unsigned i = 0; i < LAYERS_MAX; i++) {
        const struct layer *other = track->layer[i];
        last = other && other != layer && other->last_us > last ? other->last_us : last;
    }
    return last;
}

/* It is asked for a key frame, or comes by a new path, and sends nothing: somebody sees a picture
 * that stands meanwhile. */
static bool fell_silent(const struct track *track, const struct layer *layer, mono_us now)
{
    mono_us asked = keyreq_asked(&track->keyreq, layer->index);
    if (asked != MONO_NEVER) {
        return now - (layer->last_us > asked ? layer->last_us : asked) > LAYER_ASKED_US;
    }
    mono_us anew = track->anew_until - LAYER_ANEW_US;
    mono_us since = layer->last_us > anew ? layer->last_us : anew;
    bool left_out = now < track->anew_until && others_last(track, layer) - since > LAYER_ASKED_US;
    return left_out || now - layer->last_us > LAYER_LIVE_US;
}

void track_path_anew(struct sfu *sfu, struct track *track, mono_us now)
{
    if (track->video) {
        track->anew_until = now + LAYER_ANEW_US;
        sfu_arm(sfu, &track->tick_node, TIMER_TRACK_TICK, now + TRACK_TICK_ANEW_US);
    }
}

/*
 * Layers that stopped while another goes on were switched off by the publisher. When all are silent
 * nothing was: a still screen sends no packets, and who comes now must be able to ask for it.
 */
static bool layers_quiet(struct track *track, mono_us now)
{
    bool flowing = flows(track, now);
    bool changed = false;
    for (unsigned i = 0; flowing && i < LAYERS_MAX; i++) {
        struct layer *layer = track->layer[i];
        if (layer && layer->live && fell_silent(track, layer, now)) {
            layer->live = false;
            changed = true;
            if (needed(layer) && now >= track->anew_until) {
                thin_stopped(layer, now);
            }
        }
    }
    return changed;
}

void track_keyreq_timer(struct sfu *sfu, struct track *track, mono_us now)
{
    if (!track->remote && layers_quiet(track, now)) {
        keyreq_prune(track);
        track_changed(sfu, track, now);
        track_inform(sfu, track, track->informed, now);
    }
    track_keyreq_run(sfu, track, now);
}

void tracks_reclaim(struct sfu *sfu, mono_us now)
{
    uint32_t enough = sfu->config.packets_max - sfu->config.packets_max / 8;
    for (mono_us keep = KEEP_VIDEO_US / 4;
         keep > RECLAIM_LEAST_US && sfu->packets.buffers.used > enough; keep /= 2) {
        for (uint32_t i = 0; i < sfu->layers.touched; i++) {
            struct layer *layer = pool_walk(&sfu->layers, i, NULL);
            if (layer) {
                history_expire(&layer->history, now - keep);
            }
        }
    }
}

void track_tick(struct sfu *sfu, struct track *track, mono_us now)
{
    mono_us keep = track->video ? KEEP_VIDEO_US : KEEP_AUDIO_US;
    if (sfu->packets.buffers.used > sfu->config.packets_max / 4 * 3) {
        keep /= 4; /* memory is short: repair what is recent, receive what is new */
    }
    bool changed = false;
    for (unsigned i = 0; i < LAYERS_MAX; i++) {
        struct layer *layer = track->layer[i];
        if (layer) {
            history_expire(&layer->history, now - keep);
            if (!track->remote && track->video) {
                bool bursty = source_policy(track->source)->bursty;
                changed = rates_tick(&layer->rates, bursty, now) || changed;
            }
        }
    }
    changed = (!track->remote && layers_quiet(track, now)) || changed;
    if (track->video && track->published) {
        changed = thin_tick(track, now) || changed;
        pause_unwatched(sfu, track, now);
        changed = insist(sfu, track, now) || changed;
    }
    for (struct subscription *sub = track->wishers; sub && track->video; sub = sub->wisher_next) {
        subscription_look(sfu, sub, now);
    }
    keyreq_prune(track);
    if (now < track->anew_until) {
        sfu_arm(sfu, &track->tick_node, TIMER_TRACK_TICK, now + TRACK_TICK_ANEW_US);
    } else {
        sfu_arm_coarse(sfu, &track->tick_node, TIMER_TRACK_TICK, now + TRACK_TICK_US);
    }
    if (changed) {
        track_changed(sfu, track, now);
    }
    track_inform(sfu, track, track->informed, now);
}
