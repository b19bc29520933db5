/*
 * Test sound that says who sends it and when: one tone of seventeen every 100 ms, eight tones a
 * block: start, four hexadecimal digits of the sender, the block's number, two check digits.
 * A loop is five blocks (4 s). Frames are 20 ms of 48 kHz mono, as Opus wants them.
 * Invariants: a block is reported only when all its tones agree with the check digits.
 * Out of scope: Opus (audio.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    TONE_RATE = 48000,
    TONE_FRAME = 960,       /* samples */
    TONE_SYMBOL_FRAMES = 5, /* frames of one tone */
    TONE_BLOCK_FRAMES = 40, /* eight tones */
    TONE_LOOP_FRAMES = 200, /* five blocks */
    TONE_BLOCKS = 5,
};

/* Writes frame `index` (0 .. TONE_LOOP_FRAMES-1) of the loop of a sender. */
void tone_frame(uint16_t sender, unsigned index, int16_t out[TONE_FRAME]);

struct tone_reader {
    int8_t heard[TONE_BLOCK_FRAMES + TONE_SYMBOL_FRAMES]; /* newest last */
    unsigned known;
    unsigned rest; /* frames until the running block is complete; 0 = waiting for a start */
    uint16_t sender;
    uint8_t block;
};

enum tone_result { TONE_NOTHING = 0, TONE_BLOCK, TONE_BAD };

void tone_reader_init(struct tone_reader *reader);
/* One decoded frame. TONE_BLOCK: sender and block are valid; TONE_BAD: a block that began with its
 * start tone did not agree with its check digits. */
enum tone_result tone_read(struct tone_reader *reader, const int16_t pcm[TONE_FRAME]);
