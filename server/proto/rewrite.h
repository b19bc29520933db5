/*
 * Sequence numbers and timestamps towards one slot of one subscriber (slots.md section 1): over
 * switches between sources the sequence goes on by one and the timestamp by the real time that
 * passed (audio: by whole packets of 20 ms). Within a source both keep a constant distance to the
 * source's numbers, so that losses stay visible and late packets find their place.
 * Invariants: an output number is given to one source packet only; the output of a new source is
 * above everything sent before; sequence numbers start below 2^15 so that the first packets leave
 * no doubt about the roll-over counter (RFC 3711 3.3.1).
 * Out of scope: picture ids (codec/media/rewrite.h), which packets go out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"

enum {
    REWRITE_AUDIO_STEP = 960, /* 20 ms at 48 kHz */
    REWRITE_SKIPS = 32,       /* runs of packets left out that late packets are still told from */
};

/* Source numbers [first, first + count) were left out; the low bits of first. */
struct rewrite_skip_run {
    uint32_t first;
    uint32_t count;
};

struct rewrite {
    int64_t out_top; /* highest number sent */
    int64_t in_top;  /* highest number of the current source sent or left out */
    int64_t in_base; /* first number of the current source that may be sent */
    int64_t shift;   /* output = input + shift */
    mono_us sent_us; /* when the packet with out_top was sent */
    uint32_t out_ts; /* its timestamp */
    uint32_t ts_shift;
    bool started;    /* something was sent */
    bool has_source; /* shift and ts_shift are valid */
    uint8_t skip_at; /* ring: the newest run */
    uint8_t skips;
    struct rewrite_skip_run skip[REWRITE_SKIPS];
};

/* first_seq: random, its low 15 bits are used. first_ts: random. */
void rewrite_init(struct rewrite *rw, uint16_t first_seq, uint32_t first_ts);
/* The next packet given to rewrite_begin starts another source; packets of the old one are over. */
void rewrite_end(struct rewrite *rw);
/*
 * The current source begins with packet (seq, timestamp), sent now. step: granularity of the time
 * that passed in timestamp units (1 video, REWRITE_AUDIO_STEP audio). age: how long ago the packet
 * was new; its timestamp lies so much before now, as far as what was sent before allows.
 */
void rewrite_begin(struct rewrite *rw, int64_t seq, uint32_t timestamp, uint32_t clock_hz,
                   uint32_t step, mono_us age, mono_us now);
/* True when nothing of the current source at or behind seq was sent or left out. */
bool rewrite_newest(const struct rewrite *rw, int64_t seq);
/* A packet of the current source was left out on purpose and must leave no hole. False when that is
 * too late: later ones were sent already, so the hole is there and wants an empty packet. */
bool rewrite_skip(struct rewrite *rw, int64_t seq);
/* Numbers of a packet of the current source that goes out now. False: it lies before the source's
 * beginning, was left out, or is too old to be told; it must not be sent. */
bool rewrite_packet(struct rewrite *rw, int64_t seq, uint32_t timestamp, mono_us now,
                    int64_t *seq_out, uint32_t *timestamp_out);
