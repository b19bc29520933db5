/*
 * VP8 pictures in and out through libvpx, one at a time.
 * Encoding is for test films: every moving picture is predicted from the key picture alone and
 * changes nothing that lasts, so any of them decodes right behind any key picture of its sender,
 * in any order.
 * Invariants: bytes and images handed out are borrowed until the next call on the same object.
 * Out of scope: RTP (codec/media/vp8.h), what the pictures show (pattern.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/av/pattern.h"

struct video_encoder;
struct video_decoder;

/* NULL when libvpx refuses or memory is short. */
struct video_encoder *video_encoder_new(int width, int height, uint32_t bps, uint32_t fps);
void video_encoder_free(struct video_encoder *encoder);
/* The image to draw into before video_encode. */
struct pattern_image video_encoder_image(struct video_encoder *encoder);
/* Encodes it: its bytes, borrowed, or NULL. */
const uint8_t *video_encode(struct video_encoder *encoder, bool key, size_t *len);

struct video_decoder *video_decoder_new(void);
void video_decoder_free(struct video_decoder *decoder);
/* Decodes one frame; true and its picture. A key frame must come first. */
bool video_decode(struct video_decoder *decoder, const uint8_t *data, size_t len,
                  struct pattern_image *out);
