/*
 * With hundreds of subscribers the processor's caches hold nothing of the next one when his turn
 * comes: the kernel's copies have passed through them meanwhile. So what the next few need is asked
 * for while this one is sealed, a step per peer: first his own lines, then what they point to, and
 * what that points to. Likewise for the senders of a batch of datagrams, a step for all of them.
 * Nothing here changes anything, nothing waits.
 */
#include "server/proto/rtx.h"
#include "server/sfu/cc.h"
#include "server/sfu/core.h"

enum { LINE = 64 };

static void near(const void *object, unsigned lines)
{
    const char *at = object;
    for (unsigned i = 0; at && i < lines; i++) {
        __builtin_prefetch(at + (size_t)i * LINE);
    }
}

/* The slot of the first (or last) packet in the queue. */
static const struct subscription *queued(const struct peer *peer, bool last)
{
    const struct txq_chunk *queue = peer->queue;
    if (!queue || queue->first >= queue->count) {
        return NULL;
    }
    return peer->slot[queue->entry[last ? queue->count - 1 : queue->first].slot];
}

static const struct peer *peer_ahead(const struct sfu *sfu, uint32_t i)
{
    return i < sfu->active_count ? sfu->active[i] : NULL;
}

/* What the subscription behind a queued packet points to. */
static void near_sub(const struct subscription *sub)
{
    if (sub) {
        near(sub->rtx.newest, 1);
        if (sub->video) {
            near(&sub->codec_rewrite, 1);
        }
    }
}

/* Where it will be noted that the packet was sent. */
static void near_note(const struct subscription *sub)
{
    if (sub && sub->rtx.newest && sub->rtx.newest->used < RTX_CHUNK_PACKETS) {
        near(&sub->rtx.newest->entry[sub->rtx.newest->used], 1);
    }
}

void near_peers(const struct sfu *sfu, uint32_t i)
{
    const struct peer *peer = peer_ahead(sfu, i + 5);
    near(peer, 4);
    peer = peer_ahead(sfu, i + 4);
    if (peer) {
        near(peer->queue, 3);
        near(peer->seal, 1);
        cc_near(peer->cc);
    }
    peer = peer_ahead(sfu, i + 3);
    if (peer) {
        near(queued(peer, false), 4);
        near(queued(peer, true), 4);
        if (peer->seal && sfu->crypto.seal_near) {
            sfu->crypto.seal_near(peer->seal);
        }
    }
    peer = peer_ahead(sfu, i + 2);
    if (peer) {
        near_sub(queued(peer, false));
        near_sub(queued(peer, true));
        cc_near_next(peer->cc, peer->twcc_seq);
    }
    peer = peer_ahead(sfu, i + 1);
    if (peer) {
        near_note(queued(peer, false));
        near_note(queued(peer, true));
    }
}

/* ---- the way in ---- */

/* Of the peer itself: its path, keys, sources, and the feedback it will get. */
static void near_sender(const struct peer *peer)
{
    near(&peer->open, 1);
    near(peer->ice.path, 2);
    near(&peer->ice.paths, 1);
    near(&peer->offer.audio, 3);
    near(&peer->handshake_over, 1);
    near(&peer->twcc, 1);
    near(peer->track, 1);
    near(peer->bind, 1);
    near(&peer->twcc_node, 1);
}

static void near_held(const struct peer *peer)
{
    near(peer->open, 3);
    near(peer->twcc, 1);
    near(peer->track[SOURCE_MIC], 2);
    near(peer->track[SOURCE_CAMERA], 2);
    cc_near(peer->cc);
}

static void near_layer(const struct track *track)
{
    for (unsigned i = 0; track && i < LAYERS_MAX; i++) {
        near(track->layer[i], 3);
    }
}

static void near_sources(const struct sfu *sfu, const struct peer *peer)
{
    if (peer->open && sfu->crypto.open_near) {
        sfu->crypto.open_near(peer->open);
    }
    if (peer->twcc) {
        near(&peer->twcc->slot[(uint64_t)(peer->twcc->seq.newest + 1) % TWCC_GEN_WINDOW], 1);
    }
    near_layer(peer->track[SOURCE_MIC]);
    near_layer(peer->track[SOURCE_CAMERA]);
}

static void near_receivers(const struct track *track)
{
    for (unsigned i = 0; track && i < LAYERS_MAX; i++) {
        if (track->layer[i]) {
            near(track->layer[i]->receiver, 3);
        }
    }
}

void sfu_near(struct sfu *sfu, const struct tuple *from, unsigned n)
{
    enum { SENDERS = 64 };
    const struct peer *sender[SENDERS];
    unsigned senders = 0;
    for (unsigned i = 0; i < n && senders < SENDERS; i++) {
        if (i == 0 || !tuple_equal(&from[i], &from[i - 1])) {
            sender[senders] = demux_find(sfu, &from[i]);
            if (sender[senders]) {
                near_sender(sender[senders++]);
            }
        }
    }
    for (unsigned i = 0; i < senders; i++) {
        near_held(sender[i]);
    }
    for (unsigned i = 0; i < senders; i++) {
        near_sources(sfu, sender[i]);
    }
    for (unsigned i = 0; i < senders; i++) {
        near_receivers(sender[i]->track[SOURCE_MIC]);
        near_receivers(sender[i]->track[SOURCE_CAMERA]);
    }
}
