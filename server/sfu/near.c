/*
 * With hundreds of subscribers the processor's caches hold nothing of the next one when his turn
 * comes: the kernel's copies have passed through them meanwhile. So what the next few need is asked
 * for while this one is sealed, a step per peer: first his own lines, then what they point to, and
 * what that points to. Nothing here changes anything, nothing waits.
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
