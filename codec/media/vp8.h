/*
 * VP8 payload descriptor, RFC 7741 section 4.2, and the frame header of key frames (RFC 6386 9.1).
 *
 *   |X|R|N|S|R| PID |   S: start of partition, N: discardable
 *   |I|L|T|K| RSV   |   when X
 *   |M| PictureID 7 or 15 bits |  when I
 *   |  TL0PICIDX    |   when L
 *   |TID|Y| KEYIDX  |   when T or K
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vp8_header {
    bool discardable; /* N */
    bool start;       /* S of partition 0: first packet of a frame */
    uint8_t partition;
    uint8_t picture_id_bits; /* 0, 7 or 15 */
    uint16_t picture_id;
    uint8_t picture_id_at; /* offset, with picture_id_bits */
    bool has_tl0;
    uint8_t tl0picidx;
    uint8_t tl0_at;
    bool has_tid;
    uint8_t tid;
    bool layer_sync; /* Y */
    bool has_keyidx;
    uint8_t keyidx;
    uint8_t len; /* of the descriptor */
    bool keyframe;
    uint16_t width; /* of a key frame's first packet, else 0 */
    uint16_t height;
};

/* 0 or E_BAD (torn, nothing behind the descriptor, key frame without its start code). */
int vp8_parse(struct vp8_header *out, const uint8_t *payload, size_t len);
