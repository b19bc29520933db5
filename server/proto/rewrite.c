#include "server/proto/rewrite.h"

void rewrite_init(struct rewrite *rw, uint16_t first_seq, uint32_t first_ts)
{
    *rw = (struct rewrite){
        .out_top = (first_seq & 0x7fff) - 1,
        .out_ts = first_ts,
    };
}

void rewrite_end(struct rewrite *rw)
{
    rw->has_source = false;
}

/* Timestamp units that passed since the last packet: at least one step, in whole steps. */
static uint32_t elapsed(const struct rewrite *rw, uint32_t clock_hz, uint32_t step, mono_us now)
{
    mono_us us = now - rw->sent_us;
    if (us < 0) {
        us = 0;
    }
    uint64_t ticks = (uint64_t)us * clock_hz / US_PER_S;
    uint64_t steps = (ticks + step / 2) / step;
    return (uint32_t)((steps ? steps : 1) * step);
}

void rewrite_begin(struct rewrite *rw, int64_t seq, uint32_t timestamp, uint32_t clock_hz,
                   uint32_t step, mono_us age, mono_us now)
{
    uint32_t start = rw->out_ts;
    if (rw->started) {
        start += elapsed(rw, clock_hz, step, now - age);
    }
    rw->in_base = seq;
    rw->in_top = seq - 1;
    rw->shift = rw->out_top + 1 - seq;
    rw->ts_shift = start - timestamp;
    rw->skips = 0;
    rw->has_source = true;
}

bool rewrite_newest(const struct rewrite *rw, int64_t seq)
{
    return rw->has_source && seq > rw->in_top;
}

bool rewrite_skip(struct rewrite *rw, int64_t seq)
{
    struct rewrite_skip_run *run = &rw->skip[rw->skip_at];
    if (!rewrite_newest(rw, seq)) {
        /* Just before what was left out last, and nothing was sent since. */
        bool late = rw->has_source && rw->skips && seq >= rw->in_base &&
                    run->first - 1 == (uint32_t)seq &&
                    run->first + run->count - 1 == (uint32_t)rw->in_top &&
                    seq + rw->shift + run->count > rw->out_top;
        run->first -= late;
        run->count += late;
        rw->shift -= late;
        return late;
    }
    rw->in_top = seq;
    rw->shift--;
    if (rw->skips && run->first + run->count == (uint32_t)seq) {
        run->count++;
        return true;
    }
    rw->skip_at = (uint8_t)((rw->skip_at + 1) % REWRITE_SKIPS);
    run = &rw->skip[rw->skip_at];
    if (rw->skips == REWRITE_SKIPS) {
        /* What lies before the oldest run cannot be told any more. */
        rw->in_base = seq - (int64_t)((uint32_t)seq - run->first - run->count);
    } else {
        rw->skips++;
    }
    *run = (struct rewrite_skip_run){.first = (uint32_t)seq, .count = 1};
    return true;
}

/* How many packets behind seq were left out; -1 when seq is one of them. */
static int64_t skipped_behind(const struct rewrite *rw, int64_t seq)
{
    int64_t behind = 0;
    for (unsigned i = 0; i < rw->skips; i++) {
        const struct rewrite_skip_run *run =
            &rw->skip[(rw->skip_at + REWRITE_SKIPS - i) % REWRITE_SKIPS];
        int32_t past = (int32_t)((uint32_t)seq - run->first);
        if (past >= (int32_t)run->count) {
            break;
        }
        if (past >= 0) {
            return -1;
        }
        behind += run->count;
    }
    return behind;
}

bool rewrite_packet(struct rewrite *rw, int64_t seq, uint32_t timestamp, mono_us now,
                    int64_t *seq_out, uint32_t *timestamp_out)
{
    if (!rw->has_source || seq < rw->in_base) {
        return false;
    }
    int64_t behind = seq > rw->in_top ? 0 : skipped_behind(rw, seq);
    if (behind < 0) {
        return false;
    }
    *seq_out = seq + rw->shift + behind;
    *timestamp_out = timestamp + rw->ts_shift;
    rw->in_top = seq > rw->in_top ? seq : rw->in_top;
    if (!rw->started || *seq_out > rw->out_top) {
        rw->started = true;
        rw->out_top = *seq_out;
        rw->out_ts = *timestamp_out;
        rw->sent_us = now;
    }
    return true;
}
