#include "codec/av/tone.h"

#include <math.h>
#include <string.h>

enum {
    TONES = 17,
    TONE_START = 16,
    SYMBOLS = TONE_BLOCK_FRAMES / TONE_SYMBOL_FRAMES,
    HEARD = TONE_BLOCK_FRAMES + TONE_SYMBOL_FRAMES,
    FREQUENCY_FIRST = 500, /* hertz; all multiples of 50, so a frame holds whole periods */
    FREQUENCY_STEP = 150,
    LOUD = 9000,
    FADE = 96, /* samples at the ends of a tone, against clicks */
};

static double frequency(int tone)
{
    return FREQUENCY_FIRST + FREQUENCY_STEP * tone;
}

static void block_symbols(uint16_t sender, unsigned block, uint8_t out[SYMBOLS])
{
    unsigned sum = 0;
    unsigned mix = block;
    out[0] = TONE_START;
    for (unsigned i = 0; i < 4; i++) {
        out[1 + i] = sender >> (12 - 4 * i) & 15;
        sum += out[1 + i];
        mix = mix * 5 + out[1 + i];
    }
    out[5] = (uint8_t)(block & 15);
    out[6] = (sum + block) & 15;
    out[7] = mix & 15;
}

void tone_frame(uint16_t sender, unsigned index, int16_t out[TONE_FRAME])
{
    uint8_t symbols[SYMBOLS];
    unsigned block = index / TONE_BLOCK_FRAMES % TONE_BLOCKS;
    unsigned in_block = index % TONE_BLOCK_FRAMES;
    unsigned in_symbol = in_block % TONE_SYMBOL_FRAMES;
    block_symbols(sender, block, symbols);
    double step = 2 * M_PI * frequency(symbols[in_block / TONE_SYMBOL_FRAMES]) / TONE_RATE;
    for (unsigned i = 0; i < TONE_FRAME; i++) {
        double gain = LOUD;
        if (in_symbol == 0 && i < FADE) {
            gain *= (double)i / FADE;
        } else if (in_symbol == TONE_SYMBOL_FRAMES - 1 && i >= TONE_FRAME - FADE) {
            gain *= (double)(TONE_FRAME - i) / FADE;
        }
        out[i] = (int16_t)(gain * sin(step * (in_symbol * TONE_FRAME + i)));
    }
}

/* Power of one frequency (Goertzel). */
static double power(const int16_t *pcm, double hz)
{
    double c = 2 * cos(2 * M_PI * hz / TONE_RATE);
    double a = 0;
    double b = 0;
    for (unsigned i = 0; i < TONE_FRAME; i++) {
        double s = pcm[i] + c * a - b;
        b = a;
        a = s;
    }
    return a * a + b * b - c * a * b;
}

/* The tone of a frame, -1 when none stands out. */
static int8_t strongest(const int16_t *pcm)
{
    double best = 0;
    double sum = 0;
    int8_t tone = -1;
    for (int i = 0; i < TONES; i++) {
        double p = power(pcm, frequency(i));
        sum += p;
        if (p > best) {
            best = p;
            tone = (int8_t)i;
        }
    }
    return best > 1e9 && best > 0.5 * sum ? tone : -1;
}

void tone_reader_init(struct tone_reader *reader)
{
    *reader = (struct tone_reader){.known = 0};
}

/* The tone that most of the middle frames of symbol i have. */
static int vote(const struct tone_reader *r, unsigned first, unsigned i)
{
    const int8_t *at = r->heard + first + i * TONE_SYMBOL_FRAMES;
    if (at[1] == at[2] || at[1] == at[3]) {
        return at[1];
    }
    return at[2] == at[3] ? at[2] : -1;
}

static enum tone_result check(struct tone_reader *r)
{
    uint8_t want[SYMBOLS];
    int got[SYMBOLS];
    unsigned sender = 0;
    /* The start was seen TONE_SYMBOL_FRAMES - 2 frames into its tone. */
    for (unsigned i = 0; i < SYMBOLS; i++) {
        got[i] = vote(r, HEARD - TONE_BLOCK_FRAMES, i);
        if (got[i] < 0) {
            return TONE_BAD;
        }
    }
    for (unsigned i = 0; i < 4; i++) {
        sender = sender << 4 | (unsigned)got[1 + i];
    }
    block_symbols((uint16_t)sender, (unsigned)got[5], want);
    for (unsigned i = 0; i < SYMBOLS; i++) {
        if (got[i] != want[i]) {
            return TONE_BAD;
        }
    }
    r->sender = (uint16_t)sender;
    r->block = (uint8_t)got[5];
    return TONE_BLOCK;
}

enum tone_result tone_read(struct tone_reader *r, const int16_t pcm[TONE_FRAME])
{
    memmove(r->heard, r->heard + 1, sizeof(r->heard) - 1);
    r->heard[HEARD - 1] = strongest(pcm);
    r->known += r->known < HEARD;
    if (r->rest > 0) {
        return --r->rest == 0 ? check(r) : TONE_NOTHING;
    }
    /* Three frames of the start tone behind something else. */
    const int8_t *end = r->heard + HEARD - 1;
    if (r->known > 3 && end[0] == TONE_START && end[-1] == TONE_START && end[-2] == TONE_START &&
        end[-3] != TONE_START) {
        r->rest = TONE_BLOCK_FRAMES - 3;
    }
    return TONE_NOTHING;
}
