/*
 * Opus frames of 20 ms (48 kHz mono) in and out through libopus.
 * Out of scope: mixing, RTP, what the sound says (tone.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AUDIO_FRAME = 960, AUDIO_BYTES_MAX = 400 };

struct audio_encoder;
struct audio_decoder;

struct audio_encoder *audio_encoder_new(uint32_t bps);
void audio_encoder_free(struct audio_encoder *encoder);
/* Bytes written to out, 0 on failure. */
size_t audio_encode(struct audio_encoder *encoder, const int16_t pcm[AUDIO_FRAME],
                    uint8_t out[AUDIO_BYTES_MAX]);

struct audio_decoder *audio_decoder_new(void);
void audio_decoder_free(struct audio_decoder *decoder);
/* Decodes a packet of one 20 ms frame. */
bool audio_decode(struct audio_decoder *decoder, const uint8_t *data, size_t len,
                  int16_t pcm[AUDIO_FRAME]);
