/*
 * The dominant speaker of a room, after I. Volfin and I. Cohen, "Dominant speaker identification
 * for multipoint videoconferencing" (Computer Speech and Language 27, 2013): the activity of
 * everybody is scored over three spans (a frame, 100 ms, a second), each score the likelihood that
 * so many of its parts are active in speech against silence; who is more active than the present
 * speaker over all three takes over. A cough is loud in the short span only, a pause of the speaker
 * is silent in the short span only, so neither changes anything. Input is the audio level of RFC
 * 6464, one per 20 ms packet; what an encoder leaves out in a pause (DTX) counts as the silence it
 * is, so a second is a second for everybody. Invariants: pure; a member is embedded in its owner;
 * nobody loses the floor to silence. Out of scope: who is forwarded (speaker.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"

enum {
    DOMINANT_FRAMES = 50, /* a second of packets */
    DOMINANT_RECENT = 10, /* former speakers that are remembered */
    DOMINANT_FRAME_US = 20 * US_PER_MS,
    DOMINANT_GAP_US = 200 * US_PER_MS, /* without packets for so long is silence, not jitter */
};

struct dominant_member {
    uint8_t level[DOMINANT_FRAMES]; /* loudness 0 .. 127, a ring */
    uint8_t at;
    mono_us last_us; /* the ring is filled up to here */
    float immediate; /* scores, of the last decision */
    float medium;
    float large;
};

/* A level 0 (loudest) .. 127 or 255 (not known) of a member's packet; voice: its sender says so. */
void dominant_level(struct dominant_member *m, uint8_t level, bool voice, mono_us now);
/*
 * Who of member[0 .. n) speaks now, given who did (an index or -1). Returns an index, or -1 while
 * nobody ever spoke.
 */
int dominant_choose(struct dominant_member *const *member, unsigned n, int present, mono_us now);

/* Names of those who had the floor, newest first. */
struct dominant_recent {
    uint64_t name[DOMINANT_RECENT];
    unsigned count;
};

void dominant_note(struct dominant_recent *r, uint64_t name);
void dominant_forget(struct dominant_recent *r, uint64_t name);
