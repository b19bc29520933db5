/*
 * VP9 payload descriptor, RFC 9628 section 4.2.
 *
 *   |I|P|L|F|B|E|V|Z|
 *   |M| PICTURE ID 7 or 15 bits |  when I
 *   | TID |U| SID |D|              when L
 *   | TL0PICIDX |                  when L and not F
 *   | P_DIFF    |N| up to 3        when P and F
 *   | scalability structure |      when V
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VP9_SPATIAL_MAX = 8, VP9_DIFF_MAX = 3 };

struct vp9_header {
    bool inter;     /* P: refers to other pictures */
    bool flexible;  /* F */
    bool start;     /* B: of a layer frame */
    bool end;       /* E: of a layer frame */
    bool not_ref;   /* Z: no reference for upper spatial layers */
    bool has_layer; /* L */
    uint8_t tid;
    uint8_t sid;
    bool switch_up;   /* U */
    bool inter_layer; /* D */
    uint8_t picture_id_bits;
    uint16_t picture_id;
    uint8_t picture_id_at;
    bool has_tl0;
    uint8_t tl0picidx;
    uint8_t tl0_at;
    uint8_t diffs;
    uint8_t diff[VP9_DIFF_MAX];
    uint8_t spatial_layers; /* of the scalability structure; 0 = none here */
    uint16_t width[VP9_SPATIAL_MAX];
    uint16_t height[VP9_SPATIAL_MAX];
    uint16_t len;  /* of the descriptor */
    bool keyframe; /* B of the lowest layer of a picture that refers to none */
};

/* 0 or E_BAD. */
int vp9_parse(struct vp9_header *out, const uint8_t *payload, size_t len);
