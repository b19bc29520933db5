/*
 * Private to the SDP files: the payload types of one section as a table, read in one pass over its
 * lines, and the choice of one payload type per codec.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/wire/sdp.h"

struct sdp_payload {
    struct sdp_str fmtp;
    uint8_t pt;
    uint8_t codec; /* enum codec_id; CODEC_NONE = not ours */
    bool rtx;
    uint8_t apt;       /* with rtx */
    uint16_t feedback; /* bit i: the i-th feedback value of the codec's row is offered */
};

struct sdp_payloads {
    uint32_t steps;
    uint8_t count;
    uint8_t index[128]; /* position + 1 of a payload type, 0 = not listed */
    struct sdp_payload row[SDP_PAYLOADS_MAX];
};

void sdp_payloads_read(struct sdp_payloads *out, const struct sdp_session *s,
                       const struct sdp_section *m, sdp_codec_h codec);
/* The row of payload type pt when it is that codec with parameters that suit us, else NULL. */
const struct sdp_payload *sdp_payloads_of(const struct sdp_payloads *table,
                                          const struct sdp_session *s,
                                          const struct sdp_codec *codec, uint8_t pt);
/* The best payload type for a codec, 0 = none. */
uint8_t sdp_payloads_best(const struct sdp_payloads *table, const struct sdp_session *s,
                          const struct sdp_codec *codec);
/* The retransmission type for pt, 0 = none. */
uint8_t sdp_payloads_rtx(const struct sdp_payloads *table, uint8_t pt);

/* One a=extmap: id, direction as in enum sdp_direction, kind. False when it is not ours. */
bool sdp_extmap_parse(const struct sdp_session *s, struct sdp_str value, uint8_t *id,
                      enum sdp_direction *direction, enum rtpext_kind *kind);
