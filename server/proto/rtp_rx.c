#include "server/proto/rtp_rx.h"

#include "codec/wire/rtp_seq.h"

enum { SEQ_START = 1 << 16, LOST_MAX = 0x7fffff };

void rtp_rx_init(struct rtp_rx *rx, uint32_t clock_hz)
{
    *rx = (struct rtp_rx){.origin = SEQ_START, .clock_hz = clock_hz};
}

void rtp_rx_anew(struct rtp_rx *rx)
{
    /* A whole round free in between: what comes before the first packet has its place, too. */
    int64_t origin = rx->started ? ((rx->top >> 16) + 2) << 16 : rx->origin;
    *rx = (struct rtp_rx){.origin = origin, .clock_hz = rx->clock_hz};
}

int64_t rtp_rx_peek(const struct rtp_rx *rx, uint16_t seq)
{
    return rx->started ? rtp_unwrap(rx->top, seq, 16) : rx->origin + (int64_t)seq;
}

/* RFC 3550 A.8: the mean deviation of the spacing, smoothed by 1/16. */
static void jitter_update(struct rtp_rx *rx, uint32_t timestamp, mono_us now)
{
    int64_t spacing_us = now - rx->last_us;
    if (spacing_us < 0 || spacing_us > 10 * US_PER_S) {
        return;
    }
    int64_t ticks = spacing_us * (int64_t)rx->clock_hz / US_PER_S;
    int64_t d = ticks - (int32_t)(timestamp - rx->last_timestamp);
    d = d < 0 ? -d : d;
    if (d < 10 * (int64_t)rx->clock_hz) { /* a restarted clock is not jitter */
        rx->jitter_q4 += (uint32_t)d - ((rx->jitter_q4 + 8) >> 4);
    }
}

int64_t rtp_rx_input(struct rtp_rx *rx, uint16_t seq, uint32_t timestamp, mono_us now)
{
    int64_t ext = rtp_rx_peek(rx, seq);
    rx->received++;
    if (!rx->started) {
        rx->started = true;
        rx->base = ext;
        rx->top = ext;
    } else if (ext <= rx->top) {
        rx->base = ext < rx->base ? ext : rx->base;
        return ext;
    } else {
        rx->top = ext;
        jitter_update(rx, timestamp, now);
    }
    rx->last_timestamp = timestamp;
    rx->last_us = now;
    return ext;
}

bool rtp_rx_skip(struct rtp_rx *rx, uint16_t seq)
{
    int64_t missing = rx->started ? rtp_rx_peek(rx, seq) - rx->top - 1 : 0;
    if (missing <= 0) {
        return false;
    }
    rx->skipped += missing;
    return true;
}

bool rtp_rx_report(struct rtp_rx *rx, struct rtp_rx_report *out)
{
    if (!rx->started) {
        return false;
    }
    uint64_t expected = (uint64_t)(rx->top - rx->base + 1 - rx->skipped);
    int64_t lost = (int64_t)expected - (int64_t)rx->received;
    uint64_t expected_now = expected - rx->expected_prior;
    int64_t lost_now = (int64_t)expected_now - (int64_t)(rx->received - rx->received_prior);
    bool fresh = rx->received != rx->received_prior;
    rx->expected_prior = expected;
    rx->received_prior = rx->received;
    lost = lost > LOST_MAX ? LOST_MAX : lost < -LOST_MAX - 1 ? -LOST_MAX - 1 : lost;
    int64_t fraction = expected_now && lost_now > 0 ? lost_now * 256 / (int64_t)expected_now : 0;
    *out = (struct rtp_rx_report){
        .fraction_lost = (uint8_t)(fraction > 255 ? 255 : fraction),
        .lost = (int32_t)lost,
        .highest = (uint32_t)(rx->top - rx->origin),
        .jitter = rx->jitter_q4 >> 4,
        .fresh = fresh,
    };
    return true;
}
