/*
 * What one RTP stream offers: the rate of each rung (codec/media/rungs.h), measured in windows of
 * the caller's and smoothed, and the height of each spatial layer.
 * A key frame that was asked for is no rate: what it takes is spread over some windows, and where
 * they come at intervals the mean is the same.
 * Invariants: the rate of a rung that sends nothing is kept, it is the best guess for its return.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/packet.h"
#include "codec/base/time.h"
#include "codec/media/rungs.h"

struct rates {
    uint32_t bytes[RUNGS];     /* in this window, of all packets that are part of the rung */
    uint32_t key_bytes[RUNGS]; /* of key frames, what is still to be counted */
    uint32_t key_ts;           /* of the last one, when there was one */
    bool keyed;
    uint32_t bps[RUNGS]; /* 0 = never measured */
    uint16_t height[RUNG_SPATIAL];
    uint16_t seen;     /* rungs with packets, in this window */
    uint16_t moved;    /* rungs of which anything but key frames ever came */
    uint16_t own_last; /* the same in the one before */
    uint16_t own;      /* rungs with packets of just their layers, in this window */
    uint16_t offered;  /* rungs that exist: those with packets in the last windows */
    mono_us since;
};

void rates_init(struct rates *r, mono_us now);
/* A packet of len bytes belongs to the stream. True when a height changed. */
bool rates_note(struct rates *r, const struct pkt_desc *desc, uint32_t len);
/* The window ends. bursty: slides, whose rate is that of their busiest moment, slowly forgotten.
 * True when the rungs that exist changed. */
bool rates_tick(struct rates *r, bool bursty, mono_us now);
/* Rates on a scale of eighths of a power of two, for messages: at most 9 % from the truth. */
uint8_t rates_pack(uint32_t bps);
uint32_t rates_unpack(uint8_t packed);
