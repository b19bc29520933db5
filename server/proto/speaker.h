/*
 * The loudest N of a room, from the audio levels of RFC 6464, with hysteresis: a talker keeps his
 * seat until somebody clearly louder speaks and he himself has not for a while. While seats are
 * free everybody who sends has one, so that small rooms never clip a first syllable. Pinned members
 * (sound of a shared screen) are seated before all talkers.
 * Score: 16 * (127 - level), rising fast and falling slowly; packets without the V bit or of level
 * 127 pull it down.
 * Invariants: at most SPEAKER_SEATS_MAX seats; a member is embedded in its owner and belongs to one
 * machine; the order of seats is stable while their members stay.
 * Out of scope: who may speak, forwarding.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"

enum {
    SPEAKER_SEATS_MAX = 16,
    SPEAKER_SPEAKING_SCORE = 16 * (127 - 50), /* louder than -50 dBov: counts as speaking */
    SPEAKER_MARGIN = 16 * 6,                  /* dB a newcomer must be louder */
    SPEAKER_HOLD_US = 800 * US_PER_MS,        /* a seat is safe this long after speech */
    SPEAKER_QUIET_US = 2 * US_PER_S,          /* so long without speech, and the score is at rest */
    SPEAKER_GONE_US = 5 * US_PER_S,           /* without packets a seat is given up */
};

struct speaker_member {
    uint32_t score;
    int8_t seat; /* -1 = none */
    bool pinned;
    bool joined;       /* by speaker_join */
    mono_us packet_us; /* last packet */
    mono_us speech_us; /* last packet of speech */
    mono_us onset_us;  /* when the present run of speech began */
    uint8_t level;     /* of the last packet */
};

struct speaker {
    struct speaker_member *seat[SPEAKER_SEATS_MAX];
    uint32_t seats;
};

/* What one packet changed: seat `in` gets a member, who was there before (NULL: nobody). */
struct speaker_change {
    struct speaker_member *in;
    struct speaker_member *out;
};

/* seats: 1 .. SPEAKER_SEATS_MAX. */
void speaker_init(struct speaker *sp, uint32_t seats);
void speaker_join(struct speaker *sp, struct speaker_member *member, bool pinned);
/* The member leaves; true when he had a seat (now free). */
bool speaker_leave(struct speaker *sp, struct speaker_member *member);
/* A packet of the member: level 0 (loudest) .. 127, or 255 when not known. True and *change when
 * the seats changed. */
bool speaker_input(struct speaker *sp, struct speaker_member *member, uint8_t level, bool voice,
                   struct speaker_change *change, mono_us now);
/* True when a packet of this level would change nothing worth having: the member has no seat, there
 * is no free one, he has been quiet for SPEAKER_QUIET_US and still is. */
bool speaker_ignores(const struct speaker *sp, const struct speaker_member *m, uint8_t level,
                     bool voice, mono_us now);
/* Frees one seat whose member sends nothing any more: who, or NULL. Call until NULL. */
struct speaker_member *speaker_expire(struct speaker *sp, mono_us now);
/* Seated members who speak now, loudest first; writes up to cap, returns how many. */
uint32_t speaker_list(const struct speaker *sp, struct speaker_member **out, uint32_t cap,
                      mono_us now);
