/*
 * Encoders that make no pictures: for each layer structure which frames there are, what each refers
 * to, and how payload and dependency descriptor say so. What a frame truly refers to goes along in
 * its mark, so that a receiver can be judged without believing the descriptors.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/rw.h"
#include "codec/wire/desc.h"

enum { CODER_SPATIAL = 3, CODER_REFS = 2, CODER_DD_MAX = 160 };

struct structure {
    const char *name;
    enum codec_id codec;
    uint8_t encodings; /* streams with a rid each */
    uint8_t spatial;
    uint8_t temporal;
    bool key_only; /* upper spatial layers lean on lower ones in key pictures only */
    bool flexible; /* VP9: references by difference instead of tl0picidx */
};

enum { STRUCTURES = 10 };
extern const struct structure structures[STRUCTURES];

/* What one encoder remembers. */
struct coder {
    uint16_t since_key; /* pictures since the key picture */
    uint32_t ref[2];    /* stream frame numbers of the newest pictures of temporal layers 0 and 1 */
    uint16_t picture_id;
    uint8_t tl0;
    uint16_t number;               /* AV1: frame number of the picture's lowest layer */
    uint16_t chain[CODER_SPATIAL]; /* AV1: newest frame of each chain */
};

/* One layer frame. */
struct coded {
    uint32_t frame; /* of the stream, the same for all spatial layers */
    uint8_t spatial;
    uint8_t temporal;
    bool key; /* of a key picture */
    bool sync;
    uint8_t kind; /* AV1 template of its spatial layer */
    uint8_t refs;
    uint32_t ref[CODER_REFS]; /* frame * 4 + spatial */
    uint16_t picture_id;      /* AV1: frame number */
    uint8_t tl0;
    uint16_t chain_diff[CODER_SPATIAL];
};

static inline uint32_t coded_id(uint32_t frame, unsigned spatial)
{
    return frame * 4 + spatial;
}

/* The next picture: its layer frames into out; returns how many. */
unsigned coder_next(struct coder *c, const struct structure *st, uint32_t frame, bool key,
                    struct coded out[CODER_SPATIAL]);

struct coder_packet {
    const struct structure *st;
    const struct coded *frame;
    uint16_t height; /* of the picture */
    uint8_t index;
    uint8_t count;
    size_t rest; /* bytes that follow what is written here */
};

/* Payload descriptor and the first bytes of the payload. */
void coder_write(struct wr *w, const struct coder_packet *p);
/* What only sender and receivers can read: of 256 numbers in a row each begins with another byte.
 */
void coder_sealed(struct wr *w, size_t len, uint32_t number);
/* Dependency descriptor; its length, 0 when the structure has none. */
uint8_t coder_dd(uint8_t out[CODER_DD_MAX], const struct coder_packet *p);
