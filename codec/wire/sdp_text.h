/*
 * Private to the SDP files: slices of the offer, tokens, numbers, and a bounded text writer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/wire/sdp.h"

/* A slice as bytes. */
struct sdp_view {
    const char *p;
    size_t len;
};

static inline struct sdp_view sdp_view(const struct sdp_session *s, struct sdp_str str)
{
    return (struct sdp_view){.p = s->text + str.at, .len = str.len};
}

bool sdp_is(struct sdp_view v, const char *text);
/* The same without case (ASCII). */
bool sdp_is_nocase(struct sdp_view v, const char *text);
/* Cuts the next token before `sep` (runs of a blank separator count as one) off v; false when
 * nothing is left. */
bool sdp_token(struct sdp_view *v, char sep, struct sdp_view *out);
/* Decimal number of at most `max`; false for anything else. */
bool sdp_number(struct sdp_view v, uint32_t max, uint32_t *out);

/* Text built piece by piece; `bad` sticks when it does not fit. */
struct sdp_out {
    char *p;
    size_t len;
    size_t cap;
    bool bad;
};

void sdp_put(struct sdp_out *o, const char *text);
void sdp_put_view(struct sdp_out *o, struct sdp_view v);
void sdp_put_number(struct sdp_out *o, uint32_t number);
