/* One described packet to everybody who gets it: subscribers here, other shards once each. */
#include "codec/base/err.h"
#include "server/sfu/core.h"

/* What the packet tells about its layer. */
static void layer_learn(struct sfu *sfu, struct layer *layer, const struct pkt *pkt, mono_us now)
{
    struct track *track = layer->track;
    bool changed = !layer->live && !track->remote;
    layer->last_us = now;
    layer->last_ts = pkt->desc.timestamp;
    layer->bytes += pkt->len;
    layer->live = true;
    if (track->video && !track->remote) {
        layer->pictures = (uint16_t)(layer->pictures + (pkt->desc.marker != 0));
        changed = rates_note(&layer->rates, &pkt->desc, pkt->len) || changed;
    }
    if (pkt->desc.keyframe) {
        layer->key_seq = pkt->desc.ext_seq;
        layer->key_us = now;
        keyreq_answered(&track->keyreq, layer->index);
    }
    if (changed) {
        track_changed(sfu, track, now);
        track_inform(sfu, track, track->informed, now);
    }
}

static void to_subscribers(struct sfu *sfu, const struct layer *layer, struct pkt *pkt, mono_us now)
{
    for (const struct subs_block *block = layer->subs; block; block = block->next) {
        for (uint32_t i = 0; i < block->count; i++) {
            if (i + 6 < block->count) {
                __builtin_prefetch(block->sub[i + 6]);
            }
            if (i + 3 < block->count) {
                const char *peer = (const char *)block->sub[i + 3]->peer;
                __builtin_prefetch(peer);
                __builtin_prefetch(peer + 64);
            }
            enum drop drop = subscription_tx(sfu, block->sub[i], pkt, now);
            if (drop) {
                sfu_drop(sfu, drop);
            }
        }
    }
}

static void to_shards(struct sfu *sfu, struct layer *layer, struct pkt *pkt, uint64_t shards)
{
    uint64_t before = layer->exported;
    layer->exported = shards;
    while (shards) {
        unsigned to = (unsigned)__builtin_ctzll(shards);
        bool first = !(before >> to & 1);
        shards &= shards - 1;
        if (!shard_send_packet(sfu, to, layer, pkt, first)) {
            sfu_drop(sfu, DROP_QUEUE_FULL);
            /* One packet lost is a loss; a lost beginning must still be told as one. */
            layer->exported &= first ? ~(1ULL << to) : ~0ULL;
        }
    }
}

void fanout_rtp(struct sfu *sfu, struct layer *layer, struct pkt *pkt, mono_us now)
{
    struct track *track = layer->track;
    uint64_t shards = track->remote ? 0 : layer->exports;
    history_put(&layer->history, pkt);
    layer_learn(sfu, layer, pkt, now);
    if (!track->video) {
        if (!room_talk(sfu, track, pkt->desc.audio_level, pkt->desc.voice != 0, now)) {
            layer->exported = 0;
            sfu_drop(sfu, DROP_SILENCE);
            return;
        }
        const struct room *room = room_find(sfu, track->room);
        shards = track->remote || !room ? 0 : room->shards;
        track->informed |= shards;
    }
    if (!layer->subs && !layer->waiters && !shards) {
        layer->exported = 0;
        sfu_drop(sfu, DROP_NO_SUBSCRIBER);
        return;
    }
    to_subscribers(sfu, layer, pkt, now);
    if (pkt->desc.keyframe && layer->waiters) {
        subscription_promote(sfu, layer, pkt, now);
    }
    to_shards(sfu, layer, pkt, shards);
}
