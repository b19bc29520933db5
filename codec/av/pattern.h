/*
 * Test pictures that say who sent them and when: I420 images with two rows of colour cells.
 *
 *   row 0      sender: guard, 16 bits, 2 check bits, guard      (only in the key picture)
 *   row 1..9   a calm background; in moving pictures a striped ball and a band of coarse noise
 *   row 10     time: guard, 8 bits, the same 8 inverted, guard, then white
 *
 * A cell is a twentieth of the width (16 pixels at 320 x 180), so that it is a whole number of
 * macroblocks at every layer and survives compression. Moving pictures leave the sender row alone:
 * one set of moving pictures serves every sender behind its own key picture.
 * Invariants: reading never trusts the image size of the other side; a doubtful cell makes the code
 * unreadable instead of wrong.
 * Out of scope: encoding (video.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/rng.h"

enum { PATTERN_CELLS = 20, PATTERN_TIMES = 255, PATTERN_TIME_KEY = 255 };

/* Borrowed planes of an I420 image. */
struct pattern_image {
    uint8_t *plane[3];
    int stride[3];
    int width, height; /* at least 160 x 90, width a multiple of 40 */
};

struct pattern_code {
    bool sender_ok, time_ok;
    uint16_t sender;
    uint8_t time; /* PATTERN_TIME_KEY = the key picture */
};

/* The whole picture of a sender: background, sender row, time row "key". */
void pattern_draw_key(const struct pattern_image *image, uint16_t sender);
/* Draws time and the moving things over a key picture; grain 0..255 is the contrast of the noise
 * band, which costs the bits a real camera would. */
void pattern_draw_moving(const struct pattern_image *image, uint8_t time, unsigned grain,
                         struct rng *rng);
/* True when moving pictures change this row of cells. */
bool pattern_moves(int row);
/* Reads both rows back. */
void pattern_read(const struct pattern_image *image, struct pattern_code *out);
