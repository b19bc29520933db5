/*
 * What one slot of one subscriber was sent: output sequence number -> source packet and the edit
 * its copy carried, so that a NACK (RFC 4585) is answered from the shared history by RFC 4588.
 * Kept in chunks from a shared pool, as many as the packet rate needs; a chunk belongs to one
 * source, so the numbers inside are 16-bit distances.
 * Invariants: at most RTX_CHUNKS_MAX chunks per slot; nothing older than the keep time is answered;
 * the first request for a packet is always heard (it cannot come sooner than one round trip after
 * the packet), later ones once per round trip.
 * Out of scope: the payload (history.h), sealing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/pool.h"
#include "codec/base/time.h"
#include "codec/media/codec.h"

enum { RTX_CHUNK_PACKETS = 64, RTX_CHUNKS_MAX = 24 };

struct rtx_entry {
    uint16_t in_delta; /* source number - chunk's in_base + 1; 0 = nothing sent under this number */
    uint16_t again_ms; /* rtx_stamp of the last time it was sent again; 0 = never */
    struct codec_edit edit;
};

enum { RTX_ARRIVED = 2 };

/* Low bits of a time in milliseconds, odd: told from 0 and RTX_ARRIVED. */
static inline uint16_t rtx_stamp(mono_us now)
{
    return (uint16_t)(now / US_PER_MS) | 1;
}

struct rtx_chunk {
    struct rtx_chunk *older;
    pool_id id;
    uint64_t source; /* the owner's name of the layer; never 0 */
    int64_t out_base;
    int64_t in_base;
    mono_us newest_us; /* last first sending in this chunk */
    uint32_t ts_shift;
    uint32_t used; /* numbers out_base .. out_base + used - 1 */
    struct rtx_entry entry[RTX_CHUNK_PACKETS];
};

struct rtx {
    struct rtx_chunk *newest;
};

/* A packet as it was sent. */
struct rtx_sent {
    uint64_t source;
    int64_t seq_in;
    uint32_t timestamp_shift;
    struct codec_edit edit;
};

/* Remembers a first sending; takes chunks of `pool` (objects of struct rtx_chunk) and gives back
 * those older than keep_us. A full pool forgets the packet. */
void rtx_note(struct rtx *rtx, struct pool *pool, int64_t seq_out, const struct rtx_sent *sent,
              mono_us keep_us, mono_us now);
/*
 * What was sent as seq_out (a 16-bit number of a NACK, nearest to the newest), counting it as sent
 * again now. 0; E_NOTFOUND (never sent or too old); E_AGAIN (sent again less than wait_us ago).
 * *seq_full = the unwrapped number.
 */
int rtx_find(struct rtx *rtx, uint16_t seq_out, mono_us wait_us, mono_us now, struct rtx_sent *sent,
             int64_t *seq_full);
/* The same without counting: what may turn out not to be sent. */
int rtx_peek(const struct rtx *rtx, uint16_t seq_out, mono_us now, struct rtx_sent *sent,
             int64_t *seq_full);
/* It is told to have come. */
void rtx_arrived(struct rtx *rtx, uint16_t seq_out, mono_us now);
/*
 * The sending with this stamp (0 = the first) is told to be lost: as rtx_find, but E_AGAIN when it
 * was sent later as well, or came.
 */
int rtx_missed(struct rtx *rtx, uint16_t seq_out, uint16_t stamp, mono_us now,
               struct rtx_sent *sent, int64_t *seq_full);
/* Gives every chunk back. */
void rtx_clear(struct rtx *rtx, struct pool *pool);
