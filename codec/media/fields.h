/*
 * Private to codec/media: picture id and tl0picidx lie alike in VP8 (RFC 7741) and VP9 (RFC 9628)
 * descriptors, so one function writes them anew. pkt_desc.codec_bytes holds their offsets.
 */
#pragma once

#include "codec/media/codec.h"

enum {
    FIELDS_PICTURE_ID_AT = 0, /* offset, 0 = absent */
    FIELDS_TL0_AT = 1,
};

/* struct codec_ops.rewrite: copies the descriptor up to the last field that changes. The picture id
 * is always written with 15 bits, so that sources of 7 bits fit one subscriber's row of numbers. */
size_t fields_rewrite(const struct codec_edit *edit, const struct pkt_desc *desc,
                      const uint8_t *payload, size_t len, uint8_t *out, size_t *replaced);
