#include "server/proto/dominant.h"

#include <string.h>

enum {
    LOUD_MIN = 127 - 65, /* quieter than -65 dBov is silence */
    STEPS = 13,          /* N1: parts of a frame, here steps of loudness above silence */
    MEDIUM_FRAMES = 5,   /* N2: frames of a medium block */
    BLOCKS = DOMINANT_FRAMES / MEDIUM_FRAMES, /* N3: medium blocks of the long span */
    STEP_ACTIVE = 4,  /* a frame with so many active steps counts for its block */
    BLOCK_ACTIVE = 3, /* a block with so many active frames counts for the second */
};

/* log C(n, k) of the small numbers that occur, as sums of logarithms. */
static float log_choose(unsigned n, unsigned k)
{
    static const float log_of[STEPS + 1] = {0.0F,      0.0F,      0.693147F, 1.098612F, 1.386294F,
                                            1.609438F, 1.791759F, 1.945910F, 2.079442F, 2.197225F,
                                            2.302585F, 2.397895F, 2.484907F, 2.564949F};
    float sum = 0;
    for (unsigned i = 1; i <= k; i++) {
        sum += log_of[n - k + i] - log_of[i];
    }
    return sum;
}

/* The paper's score: v active parts of n in speech (each active with one half) against silence,
 * where their number falls off exponentially with lambda. Never below a small positive number. */
static float score(unsigned v, unsigned n, float lambda, float log_lambda)
{
    const float half = 0.693147F;
    const float least = 0.0001F;
    float s = log_choose(n, v) - (float)n * half - log_lambda + lambda * (float)v;
    return s > least ? s : least;
}

/* Fills the ring with silence up to now when nothing came for a while: DTX sends one packet in 400
 * ms, a lost path none. */
static void pass_time(struct dominant_member *m, mono_us now)
{
    mono_us gap = now - m->last_us;
    if (gap < DOMINANT_GAP_US) {
        return;
    }
    mono_us frames = gap / DOMINANT_FRAME_US - 1;
    for (mono_us i = 0; i < frames && i < DOMINANT_FRAMES; i++) {
        m->level[m->at] = 0;
        m->at = (uint8_t)((m->at + 1) % DOMINANT_FRAMES);
    }
    m->last_us = now;
}

void dominant_level(struct dominant_member *m, uint8_t level, bool voice, mono_us now)
{
    pass_time(m, now);
    uint8_t loud = level > 127 ? 0 : (uint8_t)(127 - level);
    m->level[m->at] = level <= 127 && !voice ? loud / 2 : loud;
    m->at = (uint8_t)((m->at + 1) % DOMINANT_FRAMES);
    m->last_us = now;
}

static unsigned steps_of(uint8_t loud)
{
    return loud <= LOUD_MIN ? 0 : (unsigned)(loud - LOUD_MIN) * STEPS / (127 - LOUD_MIN);
}

static void score_member(struct dominant_member *m, mono_us now)
{
    unsigned newest = 0;
    unsigned block_now = 0;
    unsigned blocks = 0;
    pass_time(m, now);
    for (unsigned b = 0; b < BLOCKS; b++) {
        unsigned active = 0;
        for (unsigned i = 0; i < MEDIUM_FRAMES; i++) {
            unsigned back = b * MEDIUM_FRAMES + i + 1;
            unsigned steps = steps_of(m->level[(m->at + DOMINANT_FRAMES - back) % DOMINANT_FRAMES]);
            newest = back == 1 ? steps : newest;
            active += steps >= STEP_ACTIVE;
        }
        block_now = b == 0 ? active : block_now;
        blocks += active >= BLOCK_ACTIVE;
    }
    m->immediate = score(newest, STEPS, 0.78F, -0.248461F);
    m->medium = score(block_now, MEDIUM_FRAMES, 24.0F, 3.178054F);
    m->large = score(blocks, BLOCKS, 47.0F, 3.850148F);
}

/* Logarithms of ratios against 3, 2 and 0 (the paper's C1 - C3), without a logarithm: e^3, e^2, 1;
 * the shortest span is only asked to be no quieter, levels are coarser than the paper's bands. */
static bool takes_over(const struct dominant_member *m, const struct dominant_member *present)
{
    return m->immediate > present->immediate && m->medium > 7.389F * present->medium &&
           m->large > present->large;
}

/* Clearly in speech by itself, for the first one. */
static bool speaks(const struct dominant_member *m)
{
    return m->medium > 40.0F && m->large > 80.0F;
}

int dominant_choose(struct dominant_member *const *member, unsigned n, int present, mono_us now)
{
    int best = present;
    for (unsigned i = 0; i < n; i++) {
        score_member(member[i], now);
    }
    for (unsigned i = 0; i < n; i++) {
        if ((int)i == present || !speaks(member[i])) {
            continue;
        }
        bool over = present < 0 || takes_over(member[i], member[present]);
        if (over && (best == present || member[i]->medium > member[best]->medium)) {
            best = (int)i;
        }
    }
    return best;
}

void dominant_forget(struct dominant_recent *r, uint64_t name)
{
    for (unsigned i = 0; i < r->count; i++) {
        if (r->name[i] == name) {
            r->count--;
            memmove(&r->name[i], &r->name[i + 1], (r->count - i) * sizeof(r->name[0]));
            return;
        }
    }
}

void dominant_note(struct dominant_recent *r, uint64_t name)
{
    dominant_forget(r, name);
    r->count = r->count < DOMINANT_RECENT ? r->count + 1 : DOMINANT_RECENT;
    memmove(&r->name[1], &r->name[0], (r->count - 1) * sizeof(r->name[0]));
    r->name[0] = name;
}
