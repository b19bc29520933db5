/*
 * AV1 dependency descriptor, AV1 RTP specification appendix A: which layers a frame belongs to,
 * what it refers to and who may drop it, readable without the payload (end-to-end encryption too).
 * A structure (templates) comes with key frames and is valid until the next; descriptors between
 * only name a template.
 * Invariants: everything is bounded by the arrays here; a failed parse leaves the structure as it
 * was. Out of scope: the payload itself (av1.c), writing structures.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/packet.h"

enum {
    AV1_DD_TEMPLATES_MAX = 64,
    AV1_DD_TARGETS_MAX = 32,
    AV1_DD_CHAINS_MAX = 32,
    AV1_DD_FDIFFS_MAX = 16,
    AV1_DD_SPATIAL_MAX = 4,
    AV1_DD_TEMPORAL_MAX = 8,
};

enum av1_dti { AV1_DTI_NOT_PRESENT = 0, AV1_DTI_DISCARDABLE, AV1_DTI_SWITCH, AV1_DTI_REQUIRED };

/* What a template or a frame says. */
struct av1_dd_deps {
    uint8_t spatial;
    uint8_t temporal;
    uint8_t fdiffs;
    uint8_t chain_diff[AV1_DD_CHAINS_MAX];
    uint16_t fdiff[AV1_DD_FDIFFS_MAX]; /* frame number differences, 1 .. 4096 */
    uint8_t dti[AV1_DD_TARGETS_MAX];   /* enum av1_dti per decode target */
};

struct av1_dd_structure {
    bool valid;
    uint8_t id_offset; /* template_id_offset */
    uint8_t templates;
    uint8_t targets;
    uint8_t chains;
    uint8_t spatial_layers;
    uint8_t temporal_layers;
    uint32_t active; /* targets the sender said to send last */
    bool has_resolutions;
    uint8_t protected_by[AV1_DD_TARGETS_MAX]; /* chain of each decode target */
    uint8_t target_spatial[AV1_DD_TARGETS_MAX];
    uint8_t target_temporal[AV1_DD_TARGETS_MAX];
    uint16_t width[AV1_DD_SPATIAL_MAX];
    uint16_t height[AV1_DD_SPATIAL_MAX];
    struct av1_dd_deps template[AV1_DD_TEMPLATES_MAX];
};

struct av1_dd {
    bool start_of_frame;
    bool end_of_frame;
    bool has_structure; /* this packet brought a new structure: a key frame begins */
    uint8_t template_id;
    uint16_t frame_number;
    uint32_t active_targets; /* bit per decode target; all ones until told otherwise */
    bool has_active_targets;
    bool has_mask;       /* they stand in this descriptor */
    uint16_t targets_at; /* the bit where they stand or would; 0 = it has no such part */
    uint16_t width;      /* of this frame, 0 unknown */
    uint16_t height;
    struct av1_dd_deps deps;
};

/*
 * Parses a descriptor of len bytes with the publisher's structure, which is replaced when a new one
 * comes along. Returns 0, E_STATE (names a template of a structure never seen: wait for a key
 * frame) or E_BAD.
 */
int av1_dd_parse(struct av1_dd *out, struct av1_dd_structure *structure, const uint8_t *data,
                 size_t len);
/* Fills the codec part of desc from a descriptor (after codec_describe). */
void av1_dd_describe(struct pkt_desc *desc, const struct av1_dd *dd,
                     const struct av1_dd_structure *structure);
/* The decode targets a receiver on this rung gets, of those the source sends; 0 = not known. */
uint32_t av1_dd_targets(const struct pkt_desc *desc, unsigned rung);
/*
 * Copies a descriptor and says in it that only the decode targets of mask are active. Returns the
 * length, 0 when it does not fit (then the original goes out).
 */
size_t av1_dd_retarget(uint8_t *out, size_t cap, const uint8_t *data, size_t len,
                       const struct pkt_desc *desc, uint32_t mask);
/* Writes a new frame number into a copy of a descriptor (>= 3 bytes; else nothing happens). */
void av1_dd_renumber(uint8_t *data, size_t len, uint16_t frame_number);
