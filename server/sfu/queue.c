/*
 * What waits to leave to one subscriber, when it may, and in what order.
 *
 * Handing a message to the kernel costs more than sealing what is in it, so packets that leave
 * together should be one message (design.md D5). A picture is seen when its last packet is there:
 * its first ones wait for it, GATHER_US at most. Sound goes at once, unless such a picture is about
 * to leave to the same subscriber anyway; then it goes with it, and as the last of its run.
 */
#include <assert.h>

#include "server/proto/pacer.h"
#include "server/sfu/core.h"

enum {
    GATHER_US = 250,
    SOUND_BEHIND_US = 20 * US_PER_MS, /* of the path's time; more than a frame of sound is late */
};

static struct txq_chunk *chunk_add(struct sfu *sfu, struct peer *peer)
{
    pool_id id;
    struct txq_chunk *chunk = pool_get_raw(&sfu->txq, &id);
    if (!chunk) {
        return NULL;
    }
    chunk->id = id;
    chunk->next = NULL;
    chunk->count = 0;
    chunk->first = 0;
    chunk->ordered = 0;
    chunk->sounds = 0;
    if (peer->queue) {
        peer->queue_tail->next = chunk;
    } else {
        peer->queue = chunk;
    }
    peer->queue_tail = chunk;
    return chunk;
}

/* The newest packet of a picture whose end has not come yet: the rest is on its way. */
static bool unfinished(const struct subscription *sub, const struct pkt_desc *desc)
{
    return desc->payload_len && !desc->marker && !desc->end_of_frame &&
           desc->ext_seq == sub->layer->history.top;
}

static void list_peer(struct sfu *sfu, struct peer *peer)
{
    if (!peer->listed) {
        peer->listed = true;
        sfu->active[sfu->active_count++] = peer;
    }
}

static void due_set(struct sfu *sfu, struct peer *peer, enum due due)
{
    if (peer->due == (uint8_t)due) {
        return;
    }
    sfu->due_count -= peer->due != DUE_NOT;
    sfu->due_count += due != DUE_NOT;
    peer->due = (uint8_t)due;
}

static void wake_gathering(struct sfu *sfu, struct peer *peer, const struct pkt *pkt)
{
    list_peer(sfu, peer);
    peer->gathers = true;
    if (peer->due == DUE_SOUND) {
        due_set(sfu, peer, DUE_NOT);
    }
    if (sfu->gather_until == MONO_NEVER) {
        sfu->gather_until = pkt->arrival + GATHER_US;
    }
}

static void wake_sound(struct sfu *sfu, struct peer *peer)
{
    list_peer(sfu, peer);
    if (peer->due == DUE_NOT && !peer->gathers) {
        due_set(sfu, peer, DUE_SOUND);
    }
}

enum drop queue_packet(struct sfu *sfu, struct subscription *sub, struct pkt *pkt, bool begin)
{
    struct peer *peer = sub->peer;
    struct txq_chunk *chunk = peer->queue ? peer->queue_tail : NULL;
    if (!chunk || chunk->count == TXQ_CHUNK) {
        chunk = chunk_add(sfu, peer);
        if (!chunk) {
            return DROP_QUEUE_FULL;
        }
    }
    chunk->entry[chunk->count++] = (struct txq_entry){
        .pkt = pkt_get(pkt),
        .slot = sub->slot,
        .generation = sub->generation,
        .begin = begin,
    };
    peer->queue_bytes += pkt->len;
    if (!sub->video) {
        chunk->sounds++;
        wake_sound(sfu, peer);
    } else if (unfinished(sub, &pkt->desc)) {
        wake_gathering(sfu, peer, pkt);
    } else {
        queue_wake(sfu, peer);
    }
    return DROP_NONE;
}

void queue_wake(struct sfu *sfu, struct peer *peer)
{
    list_peer(sfu, peer);
    due_set(sfu, peer, DUE_NOW);
}

void queue_unlist(struct sfu *sfu, struct peer *peer)
{
    due_set(sfu, peer, DUE_NOT);
    peer->gathers = false;
    peer->listed = false;
}

/* What was to begin with it begins with the next one: numbers of the source before do not fit. */
static void forget(struct sfu *sfu, const struct peer *peer, struct txq_entry *e, enum drop why)
{
    struct subscription *sub = peer->slot[e->slot];
    if (!e->pkt) {
        return;
    }
    if (e->begin && sub && sub->layer && sub->generation == e->generation) {
        sub->begin = true;
    }
    sfu_drop(sfu, why);
    pkt_put(&e->pkt);
}

uint64_t queue_begins(const struct peer *peer)
{
    static_assert(PEER_SLOTS <= 64, "a bit for each");
    uint64_t slots = 0;
    for (const struct txq_chunk *chunk = peer->queue; chunk; chunk = chunk->next) {
        for (uint32_t i = chunk->first; i < chunk->count; i++) {
            const struct txq_entry *e = &chunk->entry[i];
            slots |= (uint64_t)(e->pkt && e->begin) << e->slot;
        }
    }
    return slots;
}

void queue_forget(struct sfu *sfu, struct peer *peer, enum drop why)
{
    while (peer->queue) {
        struct txq_chunk *chunk = peer->queue;
        peer->queue = chunk->next;
        for (uint32_t i = 0; i < chunk->count; i++) {
            forget(sfu, peer, &chunk->entry[i], why);
        }
        pool_put(&sfu->txq, chunk->id);
    }
    peer->queue_bytes = 0;
}

/* On a slow path sound is not put behind a picture: it would be heard later. */
static bool soon_through(const struct peer *peer)
{
    uint64_t bps = peer->estimate_bps * PACER_FACTOR_PERCENT / 100;
    return bps == 0 || (uint64_t)peer->queue_bytes * 8 * US_PER_S <= bps * SOUND_BEHIND_US;
}

void queue_order(const struct peer *peer, struct txq_chunk *chunk)
{
    struct txq_entry sound[TXQ_CHUNK];
    uint32_t held = 0;
    uint32_t taken = 0;
    uint32_t at = chunk->ordered;
    bool mixed = chunk->sounds && chunk->sounds < chunk->count - at;
    if (mixed && soon_through(peer)) {
        const struct txq_entry *picture = NULL;
        for (uint32_t i = at; i < chunk->count; i++) {
            const struct txq_entry e = chunk->entry[i];
            if (e.slot < peer->audio_slots) {
                sound[held++] = e;
                continue;
            }
            if (picture && picture->slot != e.slot && taken < held) {
                chunk->entry[at++] = sound[taken++];
            }
            chunk->entry[at] = e;
            picture = &chunk->entry[at++];
        }
        while (taken < held) {
            chunk->entry[at++] = sound[taken++];
        }
    }
    chunk->ordered = chunk->count;
    chunk->sounds = 0;
}
