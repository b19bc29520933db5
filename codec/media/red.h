/*
 * Redundant audio, RFC 2198: older packets of the same stream in front of the newest.
 *
 *   |1| block PT |  timestamp offset (14) | block length (10) |  ... |0| primary PT |
 *
 * Invariant: blocks are borrowed; the primary is the last.
 * Out of scope: deciding who gets redundancy.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "codec/base/rw.h"

enum { RED_BLOCKS_MAX = 8, RED_OFFSET_MAX = 16383, RED_BLOCK_LEN_MAX = 1023 };

struct red_block {
    const uint8_t *data;
    uint16_t len;
    uint16_t ts_offset; /* how much older than the packet's timestamp; 0 for the primary */
    uint8_t pt;
};

/* Blocks of a payload, oldest first, the primary last. Returns how many (>= 1), E_BAD or E_LIMIT.
 */
int red_parse(struct red_block blocks[RED_BLOCKS_MAX], const uint8_t *payload, size_t len);
/* Where the primary lies in the payload: its offset (its length is the rest) and payload type.
 * Returns the offset or E_BAD. */
int red_strip(const uint8_t *payload, size_t len, uint8_t *pt);
/* Writes a payload of count (>= 1) blocks, the last being the primary. Blocks too old or long for
 * the format make the writer bad. */
void red_build(struct wr *w, const struct red_block *blocks, size_t count);
