/*
 * What a browser would make of what it gets: an adaptive playout buffer for sound (in the manner of
 * NetEq: stretching is free, inventing sound is concealment), reassembly and references of pictures
 * (a freeze as getStats counts it).
 */
#pragma once

#include "tests/sim/sim.h"

enum { EAR_HAVE = 1024, EAR_FRAMES = 64, EAR_ASKED = 1024 };

struct ear_sound {
    bool playing;
    int64_t next; /* to be played */
    int64_t top;
    mono_us play_us; /* when */
    mono_us target_us;
    mono_us got_us;
    mono_us nack_us;
    uint32_t run; /* concealed since the buffer ran dry */
    uint64_t played;
    uint64_t concealed;
    uint8_t have[EAR_HAVE];
};

struct ear_frame {
    uint32_t publisher;
    uint32_t frame;
    uint8_t source;
    uint8_t layer;
    uint8_t count;
    uint8_t key;
    bool described; /* its first packet came */
    uint8_t tid;
    uint8_t tl0;
    uint16_t picture;
    uint32_t timestamp;
    uint64_t got;     /* bit per packet */
    mono_us first_us; /* its first packet came */
    int64_t top;      /* its highest number in the slot */
    bool shown;
    bool whole;
    bool continuous; /* a base picture with everything it is built on */
};

struct ear_picture {
    struct ear_frame frame[EAR_FRAMES];
    uint32_t at;
    bool decoding;
    uint8_t tl0;
    uint16_t picture;
    uint8_t layer;
    bool timed;
    uint32_t timestamp; /* of the last picture */
    int64_t media_us;   /* the same, unwrapped */
    int64_t base_us;    /* arrival minus media time, at best */
    int64_t target_us;  /* playout delay, as lateness has taught */
    mono_us shown_us;   /* last picture; 0 = none since it began */
    mono_us got_us;
    mono_us pli_us;
    double interval_us; /* average */
    uint64_t whole;     /* pictures all of which came while a player would still wait */
    /* What is missing is asked for at once and then every round trip, but only until a picture
     * that needs nothing of it is whole: so Chromium does it. */
    int64_t ask_from;
    int64_t ask_top;
    mono_us ask_us;
    mono_us asked_us[EAR_ASKED]; /* by number, 0 = not yet */
    uint64_t shown;
    uint32_t freezes;
    mono_us longest_us;
    uint64_t by_layer[3];
};

struct ear_state {
    struct ear_sound sound[DESC_AUDIO_SLOTS_MAX];
    struct ear_picture picture[DESC_VIDEO_SLOTS_MAX];
};

/* Figures over all slots. */
struct ear_sum {
    uint64_t played, concealed, shown, whole;
    uint32_t freezes;
    mono_us longest_us;
};
void ear_sum(const struct client *c, struct ear_sum *out);
/* Forgets the figures, not the state. */
void ear_clear(struct client *c);
