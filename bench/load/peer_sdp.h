/*
 * SDP as a load client needs it at standard doors: writes one description of at most one sound and
 * one picture section, and reads the other side's (RFC 8866, RFC 9429). Sections are bundled.
 * We tell no candidates of ours: the server learns where our checks come from.
 * Out of scope: what browsers add to a description, IPv6, ICE-TCP, names as candidates.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/wire/desc.h"

enum { PEER_SDP_SOUND = 0, PEER_SDP_PICTURE, PEER_SDP_KINDS, PEER_SDP_MAX = 8192 };

/* One section of either side. */
struct peer_section {
    bool there;
    char mid[DESC_MID_MAX + 1];
    uint8_t pt, rtx; /* Opus or VP8; rtx 0 = none */
    uint8_t twcc;    /* number of the transport-cc extension, 0 = none */
};

/* Ours. */
struct peer_sdp {
    const char *ufrag, *pwd;
    uint8_t fingerprint[32];
    const char *setup; /* actpass or active */
    bool sends;        /* else receives */
    struct peer_section section[PEER_SDP_KINDS];
    bool picture_first; /* order of the sections, when the other side chose it */
    uint8_t layers;     /* of the picture, 1 .. 3 with the names h, m, l from `top` on */
    uint8_t top;
    uint32_t ssrc[PEER_SDP_KINDS], rtx_ssrc; /* 0 = not told */
};

/* Theirs. */
struct peer_heard {
    struct desc_answer answer; /* credentials and fingerprint */
    struct sockaddr_in candidate;
    struct peer_section section[PEER_SDP_KINDS];
    bool picture_first;
    bool simulcast; /* takes several sizes of the picture */
};

/* Length without NUL, or E_FULL. */
int peer_sdp_write(char *out, size_t cap, const struct peer_sdp *ours);
/* 0 or E_BAD / E_UNSUPPORTED with a reason in why. */
int peer_sdp_read(struct peer_heard *out, const char *text, size_t len, const char **why);
