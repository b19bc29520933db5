/*
 * When and in what runs queued packets leave to one subscriber. Today everything queued leaves with
 * the flush that follows; what this machine decides is how packets of nearly equal size form runs
 * for one UDP_SEGMENT message (design.md D5): shorter ones are lifted to the longest by RTP padding
 * (RFC 3550 5.1) when the difference is small.
 * Out of scope: rates and bursts (bandwidth estimation sets them later), sealing.
 */
#pragma once

#include <stdint.h>

enum { PACER_PAD_MAX = 8, PACER_RUN_MAX = 32 };

struct pacer_item {
    uint16_t len;     /* bytes of the datagram without padding */
    uint16_t padding; /* out: bytes of padding to add */
    uint8_t may_pad;  /* 1 when padding is allowed */
};

/*
 * Plans the run that begins with item[0]: how many of the n (>= 1) items it takes, and their
 * padding. All items of a run but the last have the same length and the last is not longer.
 * pad_max: most bytes of padding per packet, 0 .. PACER_PAD_MAX (0 switches padding off).
 */
uint32_t pacer_run(struct pacer_item *item, uint32_t n, uint16_t pad_max);
