/*
 * H.264 payload, RFC 6184: single NAL units, STAP-A, FU-A (packetization-mode 1).
 *
 *   |F|NRI|  Type   |  1..23 one NAL unit | 24 STAP-A: size, unit ... | 28 FU-A: |S|E|R| Type |
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct h264_header {
    bool start;       /* a picture begins: parameter sets, delimiter, or its first slice */
    bool keyframe;    /* parameter sets or the first slice of an IDR picture */
    bool parameters;  /* brings a sequence parameter set: decoding can begin here */
    bool discardable; /* no picture refers to it (all nal_ref_idc are 0) */
    uint16_t width;   /* from a sequence parameter set, else 0 */
    uint16_t height;
};

/* 0 or E_BAD (torn, a type that mode 1 does not know). */
int h264_parse(struct h264_header *out, const uint8_t *payload, size_t len);
/* Picture size from a sequence parameter set behind its NAL header byte. 0 or E_BAD. */
int h264_sps_size(const uint8_t *sps, size_t len, uint16_t *width, uint16_t *height);
