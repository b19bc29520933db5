#include "codec/av/audio.h"

#include <opus/opus.h>

#include "codec/base/mem.h"

enum { RATE = 48000 };

struct audio_encoder {
    OpusEncoder *opus;
};

struct audio_decoder {
    OpusDecoder *opus;
};

struct audio_encoder *audio_encoder_new(uint32_t bps)
{
    int err = 0;
    struct audio_encoder *e = mem_alloc(sizeof(*e));
    if (e) {
        e->opus = opus_encoder_create(RATE, 1, OPUS_APPLICATION_AUDIO, &err);
        if (!e->opus || opus_encoder_ctl(e->opus, OPUS_SET_BITRATE((opus_int32)bps)) != OPUS_OK ||
            opus_encoder_ctl(e->opus, OPUS_SET_SIGNAL(OPUS_SIGNAL_MUSIC)) != OPUS_OK ||
            opus_encoder_ctl(e->opus, OPUS_SET_COMPLEXITY(3)) != OPUS_OK) {
            audio_encoder_free(e);
            e = NULL;
        }
    }
    return e;
}

void audio_encoder_free(struct audio_encoder *e)
{
    if (e) {
        if (e->opus) {
            opus_encoder_destroy(e->opus);
        }
        mem_free(e);
    }
}

size_t audio_encode(struct audio_encoder *e, const int16_t pcm[AUDIO_FRAME],
                    uint8_t out[AUDIO_BYTES_MAX])
{
    int n = opus_encode(e->opus, pcm, AUDIO_FRAME, out, AUDIO_BYTES_MAX);
    return n > 0 ? (size_t)n : 0;
}

struct audio_decoder *audio_decoder_new(void)
{
    int err = 0;
    struct audio_decoder *d = mem_alloc(sizeof(*d));
    if (d) {
        d->opus = opus_decoder_create(RATE, 1, &err);
        if (!d->opus) {
            mem_free(d);
            d = NULL;
        }
    }
    return d;
}

void audio_decoder_free(struct audio_decoder *d)
{
    if (d) {
        opus_decoder_destroy(d->opus);
        mem_free(d);
    }
}

bool audio_decode(struct audio_decoder *d, const uint8_t *data, size_t len,
                  int16_t pcm[AUDIO_FRAME])
{
    return opus_decode(d->opus, data, (opus_int32)len, pcm, AUDIO_FRAME, 0) == AUDIO_FRAME;
}
