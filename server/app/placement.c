#include "server/app/placement.h"

#include <stdbool.h>

/* What a connection will cost before it sends anything: about a grid of nine small pictures. */
enum { PEER_PPS = 400 };

static uint64_t load(const struct placement_shard *s)
{
    uint64_t expected = (uint64_t)s->peers * PEER_PPS;
    /* Connections that have just come have no packets yet, so the larger figure counts. */
    return expected > s->tx_pps ? expected : s->tx_pps;
}

static bool has_room(const struct placement_shard *s)
{
    return s->peers < s->peers_max;
}

int placement_choose(const struct placement_shard *shards, uint32_t count, int home,
                     uint32_t class_size, uint32_t spread_from)
{
    int best = PLACEMENT_NONE;
    if (class_size < spread_from && home >= 0 && (uint32_t)home < count &&
        has_room(&shards[home])) {
        return home;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (has_room(&shards[i]) && (best < 0 || load(&shards[i]) < load(&shards[best]))) {
            best = (int)i;
        }
    }
    return best;
}
