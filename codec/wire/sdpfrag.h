/*
 * SDP fragments of trickle ICE (RFC 8840 section 9, used by RFC 9725 section 4.3): credentials and
 * candidates of one generation, without a session description around them.
 * Invariants: text of at most SDPFRAG_MAX bytes, each byte visited once; unknown lines are passed
 * over. We are ICE-lite: candidates of the client are checked for form and not used, since its
 * checks tell where it is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/wire/desc.h"

enum { SDPFRAG_MAX = 16384 };

struct sdpfrag {
    char ufrag[DESC_UFRAG_MAX + 1]; /* "" = not there */
    char pwd[DESC_PWD_MAX + 1];
    uint16_t candidates;
    bool end; /* end-of-candidates */
};

/* 0; E_TOOBIG; E_BAD (control bytes, a line that is none, credentials that are none). */
int sdpfrag_parse(struct sdpfrag *out, const char *text, size_t len);
/* Our credentials and candidates, with NUL. The length, or E_FULL. audio, video: their MIDs, ""
 * where the session has none. */
int sdpfrag_write(char *out, size_t cap, const struct desc_answer *answer, const char *audio,
                  const char *video);
