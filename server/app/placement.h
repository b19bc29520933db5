/*
 * On which shard a new media connection lives (design.md D1): a class together while it is small,
 * spread when it is large. Pure: loads come in, a shard comes out.
 * Invariants: a connection never moves, so the choice is made once; a full shard is never chosen
 * while another has room.
 */
#pragma once

#include <stdint.h>

enum { PLACEMENT_SHARDS_MAX = 64, PLACEMENT_NONE = -1 };

struct placement_shard {
    uint32_t peers;     /* connections there now */
    uint32_t peers_max; /* room for so many */
    uint32_t tx_pps;    /* packets sent per second lately */
};

/*
 * home: shard of the other connections of this class, PLACEMENT_NONE when it has none yet.
 * class_size: people expected. Returns the shard, or PLACEMENT_NONE when all are full.
 */
int placement_choose(const struct placement_shard *shards, uint32_t count, int home,
                     uint32_t class_size, uint32_t spread_from);
