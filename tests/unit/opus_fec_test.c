/* Opus in-band FEC: asked for, carried through redundancy that is put on and taken off, and worth
 * something afterwards. The voice is real libopus; the way between is that of the server. */
#include <math.h>
#include <opus/opus.h>
#include <string.h>

#include "codec/base/rw.h"
#include "codec/media/red.h"
#include "codec/media/registry.h"
#include "tests/unit/support.h"

enum { RATE = 16000, FRAME = RATE / 50, FRAMES = 200, PACKET_MAX = 400, LOSS_EVERY = 5 };

static int16_t voice[FRAMES * FRAME];

struct packet {
    uint8_t data[PACKET_MAX];
    size_t len;
};

static struct packet packets[FRAMES];

/* A vowel whose pitch glides and whose loudness comes and goes, as a voice's. */
static void make_voice(void)
{
    double phase = 0;
    for (unsigned i = 0; i < FRAMES * FRAME; i++) {
        double t = (double)i / RATE;
        phase += 2 * 3.14159265358979 * (140 + 40 * sin(5 * t)) / RATE;
        double sum = 0;
        for (unsigned k = 1; k < 20; k++) {
            sum += sin(k * phase) / (1 + fabs(k * 160.0 - 600) / 250);
        }
        voice[i] = (int16_t)(1800 * sum * (0.6 + 0.4 * sin(11 * t)));
    }
}

/* Encoded as a browser does that was told of loss. */
static void encode(bool fec)
{
    int err;
    OpusEncoder *enc = opus_encoder_create(RATE, 1, OPUS_APPLICATION_VOIP, &err);
    assert_int_equal(err, OPUS_OK);
    (void)opus_encoder_ctl(enc, OPUS_SET_BITRATE(28000));
    (void)opus_encoder_ctl(enc, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
    (void)opus_encoder_ctl(enc, OPUS_SET_PACKET_LOSS_PERC(20));
    (void)opus_encoder_ctl(enc, OPUS_SET_INBAND_FEC(fec));
    for (unsigned i = 0; i < FRAMES; i++) {
        int n = opus_encode(enc, voice + i * FRAME, FRAME, packets[i].data, PACKET_MAX);
        assert_true(n > 0);
        packets[i].len = (size_t)n;
    }
    opus_encoder_destroy(enc);
}

/* What the others get of packet i: `depth` packets of the past are put in front of it, as towards a
 * receiver that loses sound, and taken off again, as from a publisher that sends so. */
static void through_redundancy(unsigned i, unsigned depth, struct packet *out)
{
    struct red_block blocks[RED_BLOCKS_MAX];
    uint8_t wire[4 * PACKET_MAX];
    unsigned count = 0;
    for (unsigned back = depth < i ? depth : i; back > 0; back--) {
        blocks[count++] = (struct red_block){.data = packets[i - back].data,
                                             .len = (uint16_t)packets[i - back].len,
                                             .ts_offset = (uint16_t)(back * 960),
                                             .pt = 111};
    }
    blocks[count++] =
        (struct red_block){.data = packets[i].data, .len = (uint16_t)packets[i].len, .pt = 111};
    struct wr w = wr_init(wire, sizeof(wire));
    red_build(&w, blocks, count);
    assert_false(w.bad);
    uint8_t pt = 0;
    int at = red_strip(wire, wr_len(&w), &pt);
    assert_true(at > 0);
    assert_int_equal(pt, 111);
    out->len = wr_len(&w) - (size_t)at;
    assert_true(out->len <= sizeof(out->data));
    memcpy(out->data, wire + at, out->len);
    struct red_block back[RED_BLOCKS_MAX];
    int parsed = red_parse(back, wire, wr_len(&w));
    assert_int_equal(parsed, count);
    for (unsigned k = 0; k < count; k++) {
        assert_int_equal(back[k].len, blocks[k].len);
        assert_memory_equal(back[k].data, blocks[k].data, blocks[k].len);
    }
}

/* Every fifth packet is lost. How far what is heard of the lost ones is from what should be, as a
 * share of its loudness: 0 = nothing is missing. With `use` the next packet's copy is taken. */
static double missing(unsigned depth, bool use)
{
    static int16_t whole[FRAMES][FRAME];
    int16_t pcm[FRAME];
    double wrong = 0;
    double loud = 0;
    int err;
    OpusDecoder *clean = opus_decoder_create(RATE, 1, &err);
    OpusDecoder *lossy = opus_decoder_create(RATE, 1, &err);
    assert_int_equal(err, OPUS_OK);
    for (unsigned i = 0; i < FRAMES; i++) {
        assert_int_equal(
            opus_decode(clean, packets[i].data, (opus_int32)packets[i].len, whole[i], FRAME, 0),
            FRAME);
    }
    for (unsigned i = 0; i + 1 < FRAMES; i++) {
        struct packet got;
        bool lost = i % LOSS_EVERY == LOSS_EVERY - 1;
        through_redundancy(lost ? i + 1 : i, depth, &got);
        const uint8_t *data = lost && !use ? NULL : got.data;
        int n = opus_decode(lossy, data, data ? (opus_int32)got.len : 0, pcm, FRAME, lost && use);
        assert_int_equal(n, FRAME);
        for (unsigned k = 0; lost && i > 10 && k < FRAME; k++) {
            wrong += pow(pcm[k] - whole[i][k], 2);
            loud += pow(whole[i][k], 2);
        }
    }
    opus_decoder_destroy(clean);
    opus_decoder_destroy(lossy);
    return wrong / loud;
}

static void it_is_asked_for(void **state)
{
    (void)state;
    assert_non_null(strstr(opus_ops.sdp.fmtp, "useinbandfec=1"));
}

/* Without it in the packets there would be nothing to take: the measure can tell. */
static void it_arrives_with_every_depth_of_redundancy(void **state)
{
    (void)state;
    make_voice();
    encode(true);
    double concealed = missing(0, false);
    for (unsigned depth = 0; depth <= 2; depth++) {
        double recovered = missing(depth, true);
        print_message("depth %u: %.0f %% missing with FEC, %.0f %% concealed\n", depth,
                      100 * recovered, 100 * concealed);
        assert_true(recovered < 0.5 * concealed);
    }
    encode(false);
    assert_true(missing(0, true) > 0.9 * missing(0, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(it_is_asked_for),
        UNIT(it_arrives_with_every_depth_of_redundancy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
