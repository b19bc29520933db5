/*
 * Strict receivers of pictures, one per slot, as exact as decoders are: numbers are put in order, a
 * hole waits for its repair, frames are put together, and every frame of an unbroken stretch must
 * be decodable: what it truly refers to (its mark) was decoded before. Held against that is what
 * the payload and the dependency descriptor say: picture id, tl0picidx, frame number, references,
 * chains, active decode targets, marker. A violation is counted in the world.
 */
#pragma once

#include "codec/media/av1_dd.h"
#include "tests/sim/sim.h"

enum { MODEL_RING = 512, MODEL_DECODED = 128, MODEL_DD = 200 };

struct model_packet {
    bool have;
    bool empty;
    bool marker;
    uint32_t timestamp;
    struct mark mark;
    bool has_id;
    bool has_tl0;
    uint16_t picture_id;
    uint8_t tl0;
    uint8_t dd_len;
    uint8_t dd[MODEL_DD];
};

struct model {
    bool started;
    int64_t next; /* the number that is delivered next */
    int64_t top;
    mono_us since_us; /* it was waited for since then */
    mono_us pli_us;
    bool whole; /* nothing was lost since the last key frame */
    struct model_packet ring[MODEL_RING];
    struct model_packet last; /* delivered */
    bool has_last;
    unsigned fillers; /* empty packets behind it: holes that were closed */
    uint32_t decoded_at;
    uint32_t decoded[MODEL_DECODED];
    uint16_t number[MODEL_DECODED]; /* AV1 frame number of each */
    struct av1_dd_structure dd;
    uint32_t active;
    uint16_t frame_number;
    uint64_t frames;
    uint64_t lost;
    uint64_t by_spatial[CODER_SPATIAL];
    uint64_t by_temporal[4];
};

void model_open(struct client *c);
void model_free(struct client *c);
void model_rtp(struct client *c, unsigned k, bool rtx, const struct rtp_header *hdr,
               const uint8_t *data, mono_us now);
void model_tick(struct client *c, mono_us now);
