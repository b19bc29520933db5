/* Test pictures and tones through the real codecs: what was drawn is what is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/av/audio.h"
#include "codec/av/pattern.h"
#include "codec/av/tone.h"
#include "codec/av/video.h"
#include "codec/base/mem.h"

enum { FRAMES = 20 };

struct coded {
    uint8_t *bytes;
    size_t len;
};

static struct coded keep(const uint8_t *bytes, size_t len)
{
    assert_non_null(bytes);
    return (struct coded){.bytes = mem_dup(bytes, len), .len = len};
}

static struct coded key_of(int width, int height, uint32_t bps, uint16_t sender)
{
    size_t len = 0;
    struct video_encoder *e = video_encoder_new(width, height, bps, 25);
    assert_non_null(e);
    struct pattern_image image = video_encoder_image(e);
    pattern_draw_key(&image, sender);
    const uint8_t *bytes = video_encode(e, true, &len);
    struct coded out = keep(bytes, len);
    video_encoder_free(e);
    return out;
}

/* Moving pictures drawn and encoded over the key picture of sender 0. */
static size_t moving(int width, int height, uint32_t bps, struct coded out[FRAMES])
{
    struct rng_seeded seeded;
    size_t len = 0;
    size_t total = 0;
    rng_seed(&seeded, 1);
    struct rng rng = rng_from_seeded(&seeded);
    struct video_encoder *e = video_encoder_new(width, height, bps, 25);
    struct pattern_image image = video_encoder_image(e);
    pattern_draw_key(&image, 0);
    assert_non_null(video_encode(e, true, &len));
    for (unsigned i = 0; i < FRAMES; i++) {
        pattern_draw_key(&image, 0);
        pattern_draw_moving(&image, (uint8_t)i, 160, &rng);
        const uint8_t *bytes = video_encode(e, false, &len);
        out[i] = keep(bytes, len);
        total += len;
    }
    video_encoder_free(e);
    return total;
}

static void one_film_serves_every_sender(void **state)
{
    static const int sizes[][3] = {{320, 180, 120000}, {640, 360, 400000}, {1280, 720, 1000000}};
    static const uint16_t senders[] = {0, 1, 0xffff, 0x1234, 77};
    (void)state;
    for (unsigned s = 0; s < 3; s++) {
        struct coded film[FRAMES];
        size_t total = moving(sizes[s][0], sizes[s][1], (uint32_t)sizes[s][2], film);
        print_message("%dx%d: %zu bit/s\n", sizes[s][0], sizes[s][1], total * 8 * 25 / FRAMES);
        for (unsigned k = 0; k < sizeof(senders) / sizeof(senders[0]); k++) {
            struct pattern_image image;
            struct pattern_code code;
            struct coded key = key_of(sizes[s][0], sizes[s][1], (uint32_t)sizes[s][2], senders[k]);
            struct video_decoder *d = video_decoder_new();
            assert_true(video_decode(d, key.bytes, key.len, &image));
            pattern_read(&image, &code);
            assert_true(code.sender_ok && code.time_ok);
            assert_int_equal(code.sender, senders[k]);
            assert_int_equal(code.time, PATTERN_TIME_KEY);
            for (unsigned i = 0; i < FRAMES; i++) { /* backwards, with holes: none needs another */
                unsigned at = (FRAMES - 1 - i) & ~1u;
                assert_true(video_decode(d, film[at].bytes, film[at].len, &image));
                pattern_read(&image, &code);
                assert_true(code.sender_ok && code.time_ok);
                assert_int_equal(code.sender, senders[k]);
                assert_int_equal(code.time, at);
            }
            video_decoder_free(d);
            mem_free(key.bytes);
        }
        for (unsigned i = 0; i < FRAMES; i++) {
            mem_free(film[i].bytes);
        }
    }
}

static void a_foreign_picture_says_nothing(void **state)
{
    static uint8_t grey[3][640 * 360];
    struct pattern_code code;
    struct pattern_image image = {.plane = {grey[0], grey[1], grey[2]},
                                  .stride = {640, 320, 320},
                                  .width = 640,
                                  .height = 360};
    (void)state;
    memset(grey, 128, sizeof(grey));
    pattern_read(&image, &code);
    assert_false(code.sender_ok || code.time_ok);
    image.width = 64; /* too small to hold cells */
    image.height = 36;
    pattern_read(&image, &code);
    assert_false(code.sender_ok || code.time_ok);
}

/* Blocks read from a loop of tones through Opus; `spoil` frames from 100 on are replaced. */
static unsigned tones_through_opus(uint16_t sender, unsigned spoil, unsigned *bad)
{
    int16_t pcm[TONE_FRAME];
    uint8_t bytes[AUDIO_BYTES_MAX];
    struct tone_reader reader;
    unsigned blocks = 0;
    struct audio_encoder *e = audio_encoder_new(32000);
    struct audio_decoder *d = audio_decoder_new();
    tone_reader_init(&reader);
    *bad = 0;
    for (unsigned i = 0; i < 2 * TONE_LOOP_FRAMES; i++) {
        bool other = i >= 100 && i < 100 + spoil;
        tone_frame(other ? (uint16_t)~sender : sender, other ? i + 13 : i, pcm);
        size_t len = audio_encode(e, pcm, bytes);
        assert_true(len > 0 && audio_decode(d, bytes, len, pcm));
        enum tone_result result = tone_read(&reader, pcm);
        if (result == TONE_BLOCK) {
            assert_int_equal(reader.sender, sender);
            assert_int_equal(reader.block, i / TONE_BLOCK_FRAMES % TONE_BLOCKS);
            blocks++;
        }
        *bad += result == TONE_BAD;
    }
    audio_encoder_free(e);
    audio_decoder_free(d);
    return blocks;
}

static void tones_name_sender_and_time(void **state)
{
    static const uint16_t senders[] = {0, 1, 0xffff, 0x1234, 77};
    unsigned bad;
    (void)state;
    for (unsigned k = 0; k < sizeof(senders) / sizeof(senders[0]); k++) {
        assert_in_range(tones_through_opus(senders[k], 0, &bad), 9, 10);
        assert_int_equal(bad, 0);
    }
    assert_in_range(tones_through_opus(0x1234, 12, &bad), 8, 9);
    assert_int_equal(bad, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_film_serves_every_sender),
        cmocka_unit_test(a_foreign_picture_says_nothing),
        cmocka_unit_test(tones_name_sender_and_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
