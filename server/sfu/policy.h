/*
 * What is done with a source, by what it is: data, one row each. There is one type of subscription
 * (subscription.h), one share-out (server/proto/alloc.h) and one way through queue, pacing and
 * repair for voices, cameras, screens and their sound, in one encoding, in three, or in layers of
 * one stream. What differs stands here; how a class of pictures is treated when bits are short
 * stands in alloc_policies. A thumbnail, a tile and the picture of a viewer at the door (WHEP) are
 * the same source wished for in other sizes, and their class follows from that.
 * Invariant: no other file of this folder asks which source it has (tests/tidy/rules.py).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/wire/desc.h"

enum { SOURCE_VOICE_BPS = 48000 }; /* Opus with its headers */

struct source_policy {
    bool video;
    uint8_t small; /* enum alloc_class when wished lower than large_from */
    uint8_t large; /* and from there on */
    uint16_t large_from;
    bool bursty;           /* counts with its busiest moment (server/proto/rates.h) */
    bool told_playout;     /* receivers are told how long to wait with it: */
    uint8_t playout[3];    /* shortest and longest, 12 bits of 10 ms each */
    uint32_t reserve_bps;  /* what of every budget is kept for it while it comes */
    bool always_heard;     /* has its place among the loudest however quiet it is */
    bool elsewhere;        /* may be heard in another room than its publisher's (SFU_CMD_VOICE) */
    bool silence_unopened; /* its silence is counted without being opened (silence.h) */
};

extern const struct source_policy source_policies[SOURCE_COUNT];

/* The row of a source; source < SOURCE_COUNT. */
static inline const struct source_policy *source_policy(unsigned source)
{
    return &source_policies[source];
}

/* Can it be shown in a slot of pictures? Also of numbers that are no source. */
static inline bool source_is_picture(unsigned source)
{
    return source < SOURCE_COUNT && source_policies[source].video;
}

/* The class (enum alloc_class) of a slot that wishes for it so high. */
static inline uint8_t source_class(unsigned source, uint16_t height)
{
    const struct source_policy *p = source_policy(source);
    return height >= p->large_from ? p->large : p->small;
}
