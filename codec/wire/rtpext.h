/*
 * RTP header extensions, RFC 8285: one-byte and two-byte elements, found by the ids of one
 * connection (struct desc_exts) and written with the ids of another.
 * Invariants: offsets are from the start of the packet; unknown ids are skipped; of a repeated id
 * the first counts; id 15 ends a one-byte block (8285 4.2).
 * Out of scope: what a value means to the media path.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/rw.h"
#include "codec/base/time.h"
#include "codec/wire/desc.h"
#include "codec/wire/rtp.h"

enum { RTPEXT_MID_MAX = 16, RTPEXT_BLOCK_MAX = 320 };

struct rtpext_field {
    uint16_t at; /* offset in the packet; 0 = absent */
    uint8_t len;
};

struct rtpext_set {
    struct rtpext_field field[RTPEXT_COUNT];
};

/* Walks the elements of one packet. */
struct rtpext_iter {
    const uint8_t *packet;
    size_t at;
    size_t end;
    bool two_byte;
};

/* Prepares for rtpext_next; a packet without an extension (or a foreign profile) has no elements.
 */
void rtpext_iter_init(struct rtpext_iter *it, const struct rtp_header *hdr, const uint8_t *packet);
/* 1 and the next element; 0 at the end; E_BAD when an element leaves the block. */
int rtpext_next(struct rtpext_iter *it, uint8_t *id, struct rtpext_field *out);

/* Finds the extensions negotiated in ids. 0, or E_BAD (a torn element: drop the packet). */
int rtpext_find(struct rtpext_set *out, const struct rtp_header *hdr, const uint8_t *packet,
                const struct desc_exts *ids);

/* Replaces every id by the number of its kind, in place; those of no kind by `unknown`. */
void rtpext_rename(uint8_t *packet, const struct rtp_header *hdr, const struct desc_exts *ids,
                   uint8_t unknown);

static inline bool rtpext_has(const struct rtpext_set *set, enum rtpext_kind kind)
{
    return set->field[kind].at != 0;
}

/* Copies a text value (mid, rid) with NUL; "" when absent, longer than cap-1 or not ASCII token
 * characters (RFC 8852 3.3). Returns its length. */
size_t rtpext_text(const struct rtpext_set *set, const uint8_t *packet, enum rtpext_kind kind,
                   char *out, size_t cap);
/* RFC 6464: 0 (loudest) .. 127, 255 when absent; *voice (may be NULL) = V bit. */
uint8_t rtpext_audio_level(const struct rtpext_set *set, const uint8_t *packet, bool *voice);
/* Number for the transport-cc feedback, or -1. */
int32_t rtpext_transport_cc(const struct rtpext_set *set, const uint8_t *packet);
/* 24-bit 6.18 fixed point seconds, or -1. */
int32_t rtpext_abs_send_time(const struct rtpext_set *set, const uint8_t *packet);
/* abs-send-time of a moment: seconds mod 64 in 6.18 fixed point. */
uint32_t rtpext_abs_send_time_of(mono_us now);

/*
 * What to write for one subscriber; a kind is written when its bit is in `kinds` and its id in
 * desc_exts is not 0. Borrowed pointers are copied through as they are.
 */
struct rtpext_values {
    uint32_t kinds;  /* 1u << enum rtpext_kind */
    const char *mid; /* text of the section, mid_len bytes */
    uint8_t mid_len;
    const char *rid;
    uint8_t rid_len;
    const char *repaired_rid;
    uint8_t repaired_rid_len;
    uint8_t audio_level; /* 0 .. 127 */
    bool voice;
    uint16_t transport_cc;
    uint32_t abs_send_time;     /* 24 bits */
    const uint8_t *abs_capture; /* 8 or 16 bytes */
    uint8_t abs_capture_len;
    const uint8_t *playout_delay; /* 3 bytes */
    uint8_t orientation;          /* 3GPP TS 26.114: C F R1 R0 */
    const uint8_t *dd;            /* dependency descriptor, dd_len bytes */
    uint8_t dd_len;
};

/*
 * Writes one extension block (profile, length, elements, padding to 32 bits): one-byte form when
 * every id is <= 14 and every value 1 .. 16 bytes, else two-byte form. Nothing at all when no kind
 * applies. at (may be NULL) receives where each value starts, counted from the block's start.
 * Returns the block's length (0 = none, so X stays clear) or E_FULL.
 */
int rtpext_write(struct wr *w, const struct desc_exts *ids, const struct rtpext_values *v,
                 struct rtpext_set *at);

/* URI of a kind for a=extmap; NULL for RTPEXT_NONE and beyond. */
const char *rtpext_uri(enum rtpext_kind kind);
/* Kind of a URI of len bytes; RTPEXT_NONE when it is not one of ours. */
enum rtpext_kind rtpext_kind_of(const char *uri, size_t len);
