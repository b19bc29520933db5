/*
 * The codecs of the house: one row each.
 * Out of scope: what a connection negotiated (struct desc_codecs).
 */
#pragma once

#include "codec/media/codec.h"

extern const struct codec_ops opus_ops;
extern const struct codec_ops red_ops;
extern const struct codec_ops vp8_ops;
extern const struct codec_ops vp9_ops;
extern const struct codec_ops h264_ops;
extern const struct codec_ops av1_ops;

/* The row of a codec; NULL for CODEC_NONE and unknown numbers. */
const struct codec_ops *registry_codec(enum codec_id id);
/* The row by encoding name without case ("vp8"), len bytes; NULL when unknown. */
const struct codec_ops *registry_codec_named(const char *name, size_t len);
/* The SDP part of a row, for sdp.h; NULL when unknown. */
const struct sdp_codec *registry_sdp_codec(enum codec_id id);

/* Clears the codec part of desc (start_of_frame .. target_rungs) and sets codec. */
void codec_blank(enum codec_id id, struct pkt_desc *desc);
/*
 * Describes a payload: clears the codec part of desc (start_of_frame .. height), sets codec, and
 * lets the codec fill the rest; desc->marker must be set. 0, E_UNSUPPORTED (unknown codec) or
 * E_BAD.
 */
int codec_describe(enum codec_id id, const uint8_t *payload, size_t len, struct pkt_desc *desc);
/* The edit applied: see struct codec_ops.rewrite; also for codecs that never rewrite. */
size_t codec_apply(enum codec_id id, const struct codec_edit *edit, const struct pkt_desc *desc,
                   const uint8_t *payload, size_t len, uint8_t *out, size_t *replaced);
