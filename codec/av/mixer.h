/*
 * Several Opus streams into one: what the media server forwards of a room's speakers becomes a
 * single stream of 20 ms frames (48 kHz stereo). Each source has a small playout buffer of its own
 * (reorder, loss concealment by FEC or PLC, 60 ms of delay when it begins); the sum passes a
 * limiter that looks at each frame whole and lets go slowly.
 * Invariants: at most MIXER_SOURCES at once, the one silent for longest gives way; a tick always
 * yields a frame. Out of scope: threads, clocks, RTP headers (server/app/inner.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MIXER_SOURCES = 8,
    MIXER_RATE = 48000,
    MIXER_FRAME = 960, /* samples of 20 ms */
    MIXER_CHANNELS = 2,
    MIXER_PACKET_MAX = 1275, /* RFC 6716 section 3.4: one frame */
};

struct mixer;

struct mixer_stats {
    uint64_t packets;   /* taken in */
    uint64_t late;      /* came after their time, or twice */
    uint64_t concealed; /* frames made up */
    uint64_t dropped;   /* thrown away to catch up with the sender's clock */
    uint64_t limited;   /* frames the limiter turned down */
};

/* NULL when memory is short or libopus refuses. bps: of the stream that comes out. */
struct mixer *mixer_new(uint32_t bps);
void mixer_free(struct mixer *mixer);
/* One packet of a source: its SSRC, sequence number and Opus payload (<= MIXER_PACKET_MAX). */
void mixer_input(struct mixer *mixer, uint32_t source, uint16_t seq, const uint8_t *data,
                 size_t len);
/* Only this source is heard from now on; 0 = all. */
void mixer_only(struct mixer *mixer, uint32_t source);
/*
 * The next 20 ms: sums, limits, encodes into out; returns the length, 0 when libopus failed.
 * *level: -dBov of the frame (0 loudest .. 127 silence), for RFC 6464.
 */
size_t mixer_tick(struct mixer *mixer, uint8_t out[MIXER_PACKET_MAX], uint8_t *level);
/* The frame of the last tick, for tests: MIXER_FRAME * MIXER_CHANNELS samples. */
const int16_t *mixer_pcm(const struct mixer *mixer);
void mixer_stats_read(const struct mixer *mixer, struct mixer_stats *out);
