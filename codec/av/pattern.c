#include "codec/av/pattern.h"

#include <string.h>

enum {
    ROW_SENDER = 0,
    ROW_TIME = 10,
    MOVING_FIRST = 3, /* rows of cells that move: 3 .. 8, calm rows around them */
    MOVING_ROWS = 6,
    LUMA_ONE = 205,
    LUMA_ZERO = 45,
    LUMA_DOUBT_LOW = 105, /* between these a cell is not believed */
    LUMA_DOUBT_HIGH = 145,
};

struct colour {
    uint8_t y, u, v;
};

static const struct colour colour_one = {LUMA_ONE, 100, 150};
static const struct colour colour_zero = {LUMA_ZERO, 150, 110};

static void fill(const struct pattern_image *m, int x, int y, int w, int h, struct colour c)
{
    for (int i = y; i < y + h && i < m->height; i++) {
        memset(m->plane[0] + i * m->stride[0] + x, c.y, (size_t)w);
    }
    for (int i = y / 2; i < (y + h) / 2 && i < m->height / 2; i++) {
        memset(m->plane[1] + i * m->stride[1] + x / 2, c.u, (size_t)(w / 2));
        memset(m->plane[2] + i * m->stride[2] + x / 2, c.v, (size_t)(w / 2));
    }
}

static int cell_size(const struct pattern_image *m)
{
    return m->width / PATTERN_CELLS;
}

static void draw_cells(const struct pattern_image *m, int row, const bool *bits)
{
    int size = cell_size(m);
    for (int i = 0; i < PATTERN_CELLS; i++) {
        fill(m, i * size, row * size, size, size, bits[i] ? colour_one : colour_zero);
    }
}

/* guard 0, sixteen bits, two check bits, guard 1. */
static void sender_bits(uint16_t sender, bool *bits)
{
    unsigned ones = 0;
    memset(bits, 0, PATTERN_CELLS * sizeof(*bits));
    for (int i = 0; i < 16; i++) {
        bits[1 + i] = sender >> (15 - i) & 1;
        ones += bits[1 + i];
    }
    bits[17] = ones & 1;
    bits[18] = ones >> 1 & 1;
    bits[19] = true;
}

/* guard 1, eight bits, the same inverted, guard 0, two of 1. */
static void time_bits(uint8_t time, bool *bits)
{
    memset(bits, 0, PATTERN_CELLS * sizeof(*bits));
    bits[0] = bits[18] = bits[19] = true;
    for (int i = 0; i < 8; i++) {
        bits[1 + i] = time >> (7 - i) & 1;
        bits[9 + i] = !bits[1 + i];
    }
}

void pattern_draw_key(const struct pattern_image *image, uint16_t sender)
{
    bool bits[PATTERN_CELLS];
    int size = cell_size(image);
    for (int y = 0; y < image->height; y += size) {
        for (int x = 0; x < image->width; x += size) {
            int tone = 90 + (x / size) * 2 + (y / size) * 3;
            fill(image, x, y, size, size,
                 (struct colour){(uint8_t)tone, (uint8_t)(118 + sender % 5 * 6),
                                 (uint8_t)(132 - sender % 7 * 4)});
        }
    }
    sender_bits(sender, bits);
    draw_cells(image, ROW_SENDER, bits);
    time_bits(PATTERN_TIME_KEY, bits);
    draw_cells(image, ROW_TIME, bits);
}

static void draw_ball(const struct pattern_image *m, uint8_t time)
{
    int size = cell_size(m);
    int radius = size * 2;
    int run = m->width - 2 * radius;
    int at = time * run / PATTERN_TIMES;
    int cx = radius + (time & 1 ? at : run - at);
    int cy = size * MOVING_FIRST + radius + size / 2;
    for (int y = -radius; y < radius; y++) {
        for (int x = -radius; x < radius; x++) {
            if (x * x + y * y < radius * radius) {
                int px = cx + x;
                int py = cy + y;
                m->plane[0][py * m->stride[0] + px] =
                    (uint8_t)((x + y + time * 4) / (size / 2 + 1) % 2 ? 220 : 80);
            }
        }
    }
}

/* Coarse noise: squares of an eighth of a cell, so that it costs about the same at every size. */
static void draw_noise(const struct pattern_image *m, unsigned grain, struct rng *rng)
{
    int size = cell_size(m);
    int step = size / 8 > 1 ? size / 8 : 2;
    int first = size * (MOVING_FIRST + MOVING_ROWS - 1);
    for (int y = first; y < first + size; y += step) {
        for (int x = 0; x + step <= m->width; x += step) {
            uint8_t tone = (uint8_t)(128 - (int)grain / 2 + (int)rng_below(rng, grain + 1));
            for (int i = 0; i < step; i++) {
                memset(m->plane[0] + (y + i) * m->stride[0] + x, tone, (size_t)step);
            }
        }
    }
}

void pattern_draw_moving(const struct pattern_image *image, uint8_t time, unsigned grain,
                         struct rng *rng)
{
    bool bits[PATTERN_CELLS];
    draw_ball(image, time);
    draw_noise(image, grain, rng);
    time_bits(time, bits);
    draw_cells(image, ROW_TIME, bits);
}

bool pattern_moves(int row)
{
    return row >= MOVING_FIRST;
}

/* Mean of the middle of a cell as a bit; false when it is neither black nor white. */
static bool read_cell(const struct pattern_image *m, int row, int i, bool *bit)
{
    int size = cell_size(m);
    int from = size / 4;
    int to = size - from;
    int sum = 0;
    int count = 0;
    for (int y = row * size + from; y < row * size + to; y++) {
        for (int x = i * size + from; x < i * size + to; x++) {
            sum += m->plane[0][y * m->stride[0] + x];
            count++;
        }
    }
    int mean = count ? sum / count : 128;
    *bit = mean > 125;
    return mean <= LUMA_DOUBT_LOW || mean >= LUMA_DOUBT_HIGH;
}

static bool read_row(const struct pattern_image *m, int row, bool *bits)
{
    bool good = true;
    for (int i = 0; i < PATTERN_CELLS; i++) {
        good = read_cell(m, row, i, &bits[i]) && good;
    }
    return good;
}

void pattern_read(const struct pattern_image *image, struct pattern_code *out)
{
    bool bits[PATTERN_CELLS];
    bool want[PATTERN_CELLS];
    *out = (struct pattern_code){.time = 0};
    if (image->width < 160 || image->height < cell_size(image) * (ROW_TIME + 1)) {
        return;
    }
    bool clear = read_row(image, ROW_SENDER, bits);
    for (int i = 0; i < 16; i++) {
        out->sender = (uint16_t)(out->sender << 1 | bits[1 + i]);
    }
    sender_bits(out->sender, want);
    out->sender_ok = clear && memcmp(bits, want, sizeof(bits)) == 0;
    clear = read_row(image, ROW_TIME, bits);
    for (int i = 0; i < 8; i++) {
        out->time = (uint8_t)(out->time << 1 | bits[1 + i]);
    }
    time_bits(out->time, want);
    out->time_ok = clear && memcmp(bits, want, sizeof(bits)) == 0;
}
