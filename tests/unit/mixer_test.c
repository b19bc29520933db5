#include "tests/unit/support.h"

#include <math.h>
#include <opus/opus.h>
#include <string.h>

#include "codec/av/mixer.h"

enum { SAMPLES = MIXER_FRAME };

struct voice {
    OpusEncoder *opus;
    double hz;
    double amplitude;
    unsigned at;
    uint16_t seq;
    uint32_t ssrc;
};

static struct voice voice_new(uint32_t ssrc, double hz, double amplitude)
{
    int err = 0;
    struct voice v = {.hz = hz, .amplitude = amplitude, .ssrc = ssrc, .seq = 65530};
    v.opus = opus_encoder_create(MIXER_RATE, 1, OPUS_APPLICATION_AUDIO, &err);
    assert_non_null(v.opus);
    (void)opus_encoder_ctl(v.opus, OPUS_SET_BITRATE(64000));
    return v;
}

static size_t voice_frame(struct voice *v, uint8_t out[MIXER_PACKET_MAX])
{
    int16_t pcm[SAMPLES];
    for (unsigned i = 0; i < SAMPLES; i++) {
        double t = (double)v->at++ / MIXER_RATE;
        pcm[i] = (int16_t)(v->amplitude * sin(2 * M_PI * v->hz * t));
    }
    int n = opus_encode(v->opus, pcm, SAMPLES, out, MIXER_PACKET_MAX);
    assert_true(n > 0);
    return (size_t)n;
}

static void voice_say(struct voice *v, struct mixer *m)
{
    uint8_t packet[MIXER_PACKET_MAX];
    size_t n = voice_frame(v, packet);
    mixer_input(m, v->ssrc, v->seq++, packet, n);
}

/* Amplitude of one frequency in the left channel of the last frame. */
static double tone(const struct mixer *m, double hz)
{
    const int16_t *pcm = mixer_pcm(m);
    double re = 0.0;
    double im = 0.0;
    for (unsigned i = 0; i < SAMPLES; i++) {
        double x = 2 * M_PI * hz * i / MIXER_RATE;
        re += pcm[(size_t)i * MIXER_CHANNELS] * cos(x);
        im += pcm[(size_t)i * MIXER_CHANNELS] * sin(x);
    }
    return 2 * sqrt(re * re + im * im) / SAMPLES;
}

static size_t tick(struct mixer *m, uint8_t *level)
{
    uint8_t out[MIXER_PACKET_MAX];
    return mixer_tick(m, out, level);
}

/* 500 and 1000 Hz have whole periods in 20 ms. */
static void two_voices_are_one_sound(void **state)
{
    (void)state;
    struct mixer *m = mixer_new(64000);
    struct voice a = voice_new(2, 500, 8000);
    struct voice b = voice_new(4, 1000, 6000);
    uint8_t level;
    for (unsigned i = 0; i < 60; i++) {
        voice_say(&a, m);
        voice_say(&b, m);
        assert_true(tick(m, &level) > 0);
    }
    assert_in_range((unsigned)tone(m, 500), 6500, 9500);
    assert_in_range((unsigned)tone(m, 1000), 4500, 7500);
    assert_true(tone(m, 1500) < 300);
    assert_true(level < 20);
    mixer_only(m, 4);
    voice_say(&a, m);
    voice_say(&b, m);
    (void)tick(m, &level);
    assert_true(tone(m, 500) < 300);
    assert_in_range((unsigned)tone(m, 1000), 4500, 7500);
    opus_encoder_destroy(a.opus);
    opus_encoder_destroy(b.opus);
    mixer_free(m);
}

static void too_loud_is_turned_down_not_cut(void **state)
{
    (void)state;
    struct mixer *m = mixer_new(64000);
    struct voice v[4];
    struct mixer_stats stats;
    uint8_t level;
    for (unsigned i = 0; i < 4; i++) {
        v[i] = voice_new(2 * i + 2, 500, 20000);
    }
    for (unsigned n = 0; n < 50; n++) {
        for (unsigned i = 0; i < 4; i++) {
            voice_say(&v[i], m);
        }
        (void)tick(m, &level);
    }
    const int16_t *pcm = mixer_pcm(m);
    int peak = 0;
    for (unsigned i = 0; i < SAMPLES * MIXER_CHANNELS; i++) {
        peak = abs(pcm[i]) > peak ? abs(pcm[i]) : peak;
    }
    assert_in_range(peak, 25000, 30001);
    assert_true(tone(m, 1500) < 600); /* a cut sine would be full of it */
    mixer_stats_read(m, &stats);
    assert_true(stats.limited > 20);
    for (unsigned i = 0; i < 4; i++) {
        opus_encoder_destroy(v[i].opus);
    }
    mixer_free(m);
}

static void lost_and_late_packets_are_covered(void **state)
{
    (void)state;
    struct mixer *m = mixer_new(64000);
    struct voice v = voice_new(2, 500, 8000);
    struct mixer_stats stats;
    uint8_t held[MIXER_PACKET_MAX];
    uint8_t level;
    size_t held_len = 0;
    for (unsigned n = 0; n < 100; n++) {
        uint8_t packet[MIXER_PACKET_MAX];
        size_t len = voice_frame(&v, packet);
        uint16_t seq = v.seq++;
        if (n == 40) {
            continue; /* lost */
        }
        if (n == 60) { /* overtaken by one */
            memcpy(held, packet, len);
            held_len = len;
            continue;
        }
        mixer_input(m, v.ssrc, seq, packet, len);
        if (n == 61) {
            mixer_input(m, v.ssrc, (uint16_t)(seq - 1), held, held_len);
        }
        (void)tick(m, &level);
        if (n > 30) {
            assert_true(tone(m, 500) > 3000);
        }
    }
    mixer_stats_read(m, &stats);
    assert_true(stats.concealed >= 1);
    assert_true(stats.concealed <= 4);
    /* again, after their time */
    mixer_input(m, v.ssrc, (uint16_t)(v.seq - 50), held, held_len);
    mixer_stats_read(m, &stats);
    assert_true(stats.late >= 1);
    opus_encoder_destroy(v.opus);
    mixer_free(m);
}

static void silence_and_nonsense_yield_frames(void **state)
{
    (void)state;
    struct mixer *m = mixer_new(64000);
    uint8_t junk[MIXER_PACKET_MAX + 1];
    uint8_t level = 0;
    memset(junk, 0xff, sizeof(junk));
    assert_true(tick(m, &level) > 0);
    assert_int_equal(level, 127);
    for (unsigned i = 0; i < 400; i++) {
        mixer_input(m, 2 + i % 20, (uint16_t)(i * 7919), junk, i % (sizeof(junk) + 1));
        mixer_input(m, 2, (uint16_t)i, junk, 1 + i % 40);
        assert_true(tick(m, &level) > 0);
    }
    for (unsigned i = 0; i < 300; i++) {
        assert_true(tick(m, &level) > 0);
    }
    assert_int_equal(level, 127); /* all sources are gone */
    mixer_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_voices_are_one_sound),
        cmocka_unit_test(too_loud_is_turned_down_not_cut),
        cmocka_unit_test(lost_and_late_packets_are_covered),
        cmocka_unit_test(silence_and_nonsense_yield_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
