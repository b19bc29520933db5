/*
 * Private to codec/media: one parameter of an fmtp line ("a=b;c=d", names without case).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* True and the value (borrowed, not terminated) when name is among the parameters. */
bool fmtp_find(const char *fmtp, size_t len, const char *name, const char **value,
               size_t *value_len);
/* 1 when the parameter is absent or equals text, else -1: a score for struct sdp_codec. */
int fmtp_score_equal(const char *fmtp, size_t len, const char *name, const char *text);
