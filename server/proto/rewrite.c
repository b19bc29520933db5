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
                   uint32_t step, mono_us now)
{
    uint32_t start = rw->out_ts;
    if (rw->started) {
        start += elapsed(rw, clock_hz, step, now);
    }
    rw->in_base = seq;
    rw->shift = rw->out_top + 1 - seq;
    rw->ts_shift = start - timestamp;
    rw->has_source = true;
}

void rewrite_skip(struct rewrite *rw, int64_t seq)
{
    if (rw->has_source && seq + rw->shift > rw->out_top) {
        rw->shift--;
        rw->in_base = seq + 1;
    }
}

bool rewrite_packet(struct rewrite *rw, int64_t seq, uint32_t timestamp, mono_us now,
                    int64_t *seq_out, uint32_t *timestamp_out)
{
    if (!rw->has_source || seq < rw->in_base) {
        return false;
    }
    *seq_out = seq + rw->shift;
    *timestamp_out = timestamp + rw->ts_shift;
    if (!rw->started || *seq_out > rw->out_top) {
        rw->started = true;
        rw->out_top = *seq_out;
        rw->out_ts = *timestamp_out;
        rw->sent_us = now;
    }
    return true;
}
