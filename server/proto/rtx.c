#include "server/proto/rtx.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/wire/rtp_seq.h"

/* The 16-bit millisecond stamps are unambiguous for much longer than this. */
enum {
    RTX_AGE_MAX_US = 10 * US_PER_S,
    IN_SLACK = 1024, /* source numbers left out on purpose lie between two output numbers */
};

/* Gives back the chunk *link points to and everything older. */
static void release_from(struct rtx_chunk **link, struct pool *pool)
{
    struct rtx_chunk *chunk = *link;
    *link = NULL;
    while (chunk) {
        struct rtx_chunk *older = chunk->older;
        pool_put(pool, chunk->id);
        chunk = older;
    }
}

static void release_old(struct rtx *rtx, struct pool *pool, mono_us before)
{
    struct rtx_chunk **link = &rtx->newest;
    for (unsigned n = 0; *link; n++, link = &(*link)->older) {
        if ((*link)->newest_us < before || n == RTX_CHUNKS_MAX - 1) {
            release_from(link, pool);
            return;
        }
    }
}

/*
 * Where a chunk for seq_out begins: right behind the full one before it, when that is of the same
 * source, so that a late packet in between has its place.
 */
static int64_t base_of(const struct rtx_chunk *before, int64_t seq_out, const struct rtx_sent *sent)
{
    int64_t next = before ? before->out_base + RTX_CHUNK_PACKETS : seq_out;
    bool follows = before && before->source == sent->source &&
                   before->ts_shift == sent->timestamp_shift && seq_out >= next &&
                   seq_out < next + RTX_CHUNK_PACKETS;
    return follows ? next : seq_out;
}

static struct rtx_chunk *chunk_add(struct rtx *rtx, struct pool *pool, int64_t seq_out,
                                   const struct rtx_sent *sent)
{
    pool_id id;
    struct rtx_chunk *chunk = pool_get_raw(pool, &id);
    if (!chunk) {
        return NULL;
    }
    chunk->older = rtx->newest;
    chunk->id = id;
    chunk->source = sent->source;
    chunk->out_base = base_of(rtx->newest, seq_out, sent);
    chunk->in_base = sent->seq_in - (seq_out - chunk->out_base) - IN_SLACK;
    chunk->ts_shift = sent->timestamp_shift;
    chunk->used = 0;
    rtx->newest = chunk;
    return chunk;
}

/* True when seq_out, coming after everything in the chunk, may be kept in it. */
static bool fits(const struct rtx_chunk *chunk, int64_t seq_out, const struct rtx_sent *sent)
{
    int64_t delta = sent->seq_in - chunk->in_base;
    return chunk->source == sent->source && chunk->ts_shift == sent->timestamp_shift &&
           seq_out < chunk->out_base + RTX_CHUNK_PACKETS && delta >= 0 && delta < UINT16_MAX;
}

/* The chunk in whose range seq_out lies, or NULL when it is older than all. */
static struct rtx_chunk *chunk_of(const struct rtx *rtx, int64_t seq_out)
{
    struct rtx_chunk *chunk = rtx->newest;
    while (chunk && seq_out < chunk->out_base) {
        chunk = chunk->older;
    }
    return chunk;
}

static void fill(struct rtx_chunk *chunk, int64_t seq_out, const struct rtx_sent *sent, mono_us now)
{
    uint32_t at = (uint32_t)(seq_out - chunk->out_base);
    if (at >= chunk->used) {
        memset(chunk->entry + chunk->used, 0, (at - chunk->used) * sizeof(chunk->entry[0]));
        chunk->used = at + 1;
    }
    chunk->entry[at] = (struct rtx_entry){
        .in_delta = (uint16_t)(sent->seq_in - chunk->in_base + 1),
        .edit = sent->edit,
    };
    chunk->newest_us = now;
}

void rtx_note(struct rtx *rtx, struct pool *pool, int64_t seq_out, const struct rtx_sent *sent,
              mono_us keep_us, mono_us now)
{
    struct rtx_chunk *chunk = rtx->newest;
    if (!chunk || seq_out >= chunk->out_base + (int64_t)chunk->used) {
        if (!chunk || !fits(chunk, seq_out, sent)) {
            release_old(rtx, pool, now - keep_us);
            chunk = chunk_add(rtx, pool, seq_out, sent);
        }
    } else { /* a late packet fills its hole */
        chunk = chunk_of(rtx, seq_out);
        chunk = chunk && fits(chunk, seq_out, sent) ? chunk : NULL;
    }
    if (chunk) {
        fill(chunk, seq_out, sent, now);
    }
}

/* The entry of a 16-bit number, nearest to the newest; NULL when there is none that is still kept.
 */
static struct rtx_entry *entry_of(const struct rtx *rtx, uint16_t seq_out, mono_us now,
                                  struct rtx_sent *sent, int64_t *seq_full)
{
    if (!rtx->newest) {
        return NULL;
    }
    int64_t top = rtx->newest->out_base + rtx->newest->used;
    int64_t seq = rtp_unwrap(top, seq_out, 16);
    struct rtx_chunk *chunk = chunk_of(rtx, seq);
    if (!chunk || seq >= chunk->out_base + (int64_t)chunk->used) {
        return NULL;
    }
    struct rtx_entry *entry = &chunk->entry[seq - chunk->out_base];
    if (entry->in_delta == 0 || now - chunk->newest_us > RTX_AGE_MAX_US) {
        return NULL;
    }
    *sent = (struct rtx_sent){
        .source = chunk->source,
        .seq_in = chunk->in_base + entry->in_delta - 1,
        .timestamp_shift = chunk->ts_shift,
        .edit = entry->edit,
    };
    *seq_full = seq;
    return entry;
}

int rtx_find(struct rtx *rtx, uint16_t seq_out, mono_us wait_us, mono_us now, struct rtx_sent *sent,
             int64_t *seq_full)
{
    struct rtx_entry *entry = entry_of(rtx, seq_out, now, sent, seq_full);
    if (!entry) {
        return E_NOTFOUND;
    }
    uint16_t age_ms = (uint16_t)(rtx_stamp(now) - entry->again_ms);
    bool under_way = entry->again_ms && entry->again_ms != RTX_ARRIVED;
    if (under_way && age_ms < wait_us / US_PER_MS) {
        return E_AGAIN;
    }
    entry->again_ms = rtx_stamp(now);
    return 0;
}

void rtx_arrived(struct rtx *rtx, uint16_t seq_out, mono_us now)
{
    struct rtx_sent sent;
    int64_t full;
    struct rtx_entry *entry = entry_of(rtx, seq_out, now, &sent, &full);
    if (entry) {
        entry->again_ms = RTX_ARRIVED;
    }
}

int rtx_missed(struct rtx *rtx, uint16_t seq_out, uint16_t stamp, mono_us now,
               struct rtx_sent *sent, int64_t *seq_full)
{
    struct rtx_entry *entry = entry_of(rtx, seq_out, now, sent, seq_full);
    if (!entry) {
        return E_NOTFOUND;
    }
    if (entry->again_ms != stamp) {
        return E_AGAIN;
    }
    entry->again_ms = rtx_stamp(now);
    return 0;
}

int rtx_peek(const struct rtx *rtx, uint16_t seq_out, mono_us now, struct rtx_sent *sent,
             int64_t *seq_full)
{
    return entry_of(rtx, seq_out, now, sent, seq_full) ? 0 : E_NOTFOUND;
}

void rtx_clear(struct rtx *rtx, struct pool *pool)
{
    release_from(&rtx->newest, pool);
}
