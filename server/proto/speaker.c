#include "server/proto/speaker.h"

enum {
    LEVEL_UNKNOWN = 255,
    LEVEL_ASSUMED = 60, /* of a sender without the extension */
    TALKING_US = 400 * US_PER_MS,
    ONSET_MIN_US = 30 * US_PER_MS, /* speech shorter than this is a click */
    SPEECH_GAP_US = 300 * US_PER_MS,
    FRAME_US = 20 * US_PER_MS,
    FRAMES_MAX = 50, /* of a pause in which nothing came: the score is at rest then */
};

void speaker_init(struct speaker *sp, uint32_t seats)
{
    *sp = (struct speaker){.seats = seats};
}

void speaker_join(struct speaker *sp, struct speaker_member *member, bool pinned)
{
    (void)sp;
    *member = (struct speaker_member){.seat = -1, .pinned = pinned, .joined = true, .level = 127};
}

bool speaker_leave(struct speaker *sp, struct speaker_member *member)
{
    bool seated = member->joined && member->seat >= 0;
    if (seated) {
        sp->seat[member->seat] = NULL;
    }
    member->seat = -1;
    member->joined = false;
    return seated;
}

static void sit(struct speaker *sp, struct speaker_member *member, uint32_t seat)
{
    sp->seat[seat] = member;
    member->seat = (int8_t)seat;
}

/* The score a packet of this level asks for. */
static uint32_t target_of(uint8_t level, bool voice)
{
    uint32_t loud = level == LEVEL_UNKNOWN ? LEVEL_ASSUMED : level & 127;
    uint32_t target = 16 * (127 - loud);
    return voice || level == LEVEL_UNKNOWN ? target : target / 2; /* noise, the sender says */
}

static void score_update(struct speaker_member *m, uint8_t level, bool voice, mono_us now)
{
    uint32_t loud = level == LEVEL_UNKNOWN ? LEVEL_ASSUMED : level & 127;
    uint32_t target = target_of(level, voice);
    if (target > m->score) {
        m->score += (target - m->score + 1) / 2;
    } else {
        /* By time and not by packets: a silent encoder sends one in 400 ms (DTX). */
        mono_us frames = (now - m->packet_us) / FRAME_US;
        mono_us i = frames > FRAMES_MAX ? FRAMES_MAX : frames;
        do {
            m->score -= (m->score - target) / 16;
        } while (--i > 0);
    }
    if (target >= SPEAKER_SPEAKING_SCORE) {
        if (now - m->speech_us > SPEECH_GAP_US) {
            m->onset_us = now;
        }
        m->speech_us = now;
    }
    m->level = (uint8_t)loud;
    m->packet_us = now;
}

/* Score that counts for a seat: it fades when packets stop coming. */
static uint32_t standing(const struct speaker_member *m, mono_us now)
{
    if (m->pinned) {
        return UINT32_MAX;
    }
    return now - m->packet_us > SPEAKER_HOLD_US ? 0 : m->score;
}

/* The seat that is free or held by the weakest member who may be moved; -1 = none. */
static int seat_to_take(const struct speaker *sp, mono_us now)
{
    int weakest = -1;
    for (uint32_t i = 0; i < sp->seats; i++) {
        const struct speaker_member *m = sp->seat[i];
        if (!m) {
            return (int)i;
        }
        if (!m->pinned && now - m->speech_us > SPEAKER_HOLD_US &&
            (weakest < 0 || standing(m, now) < standing(sp->seat[weakest], now))) {
            weakest = (int)i;
        }
    }
    return weakest;
}

bool speaker_ignores(const struct speaker *sp, const struct speaker_member *m, uint8_t level,
                     bool voice, mono_us now)
{
    if (!m->joined || m->seat >= 0 || m->pinned || level == LEVEL_UNKNOWN ||
        target_of(level, voice) >= SPEAKER_SPEAKING_SCORE ||
        now - m->speech_us < SPEAKER_QUIET_US) {
        return false;
    }
    for (uint32_t i = 0; i < sp->seats; i++) {
        if (!sp->seat[i]) {
            return false;
        }
    }
    return true;
}

bool speaker_input(struct speaker *sp, struct speaker_member *member, uint8_t level, bool voice,
                   struct speaker_change *change, mono_us now)
{
    score_update(member, level, voice, now);
    if (member->seat >= 0) {
        return false;
    }
    int at = seat_to_take(sp, now);
    if (at < 0) {
        return false;
    }
    struct speaker_member *old = sp->seat[at];
    if (old && !member->pinned) {
        bool speaking = now == member->speech_us && now - member->onset_us >= ONSET_MIN_US;
        if (!speaking || member->score < standing(old, now) + SPEAKER_MARGIN) {
            return false;
        }
    }
    if (old) {
        old->seat = -1;
    }
    sit(sp, member, (uint32_t)at);
    *change = (struct speaker_change){.in = member, .out = old};
    return true;
}

struct speaker_member *speaker_expire(struct speaker *sp, mono_us now)
{
    for (uint32_t i = 0; i < sp->seats; i++) {
        struct speaker_member *m = sp->seat[i];
        if (m && now - m->packet_us > SPEAKER_GONE_US) {
            sp->seat[i] = NULL;
            m->seat = -1;
            return m;
        }
    }
    return NULL;
}

uint32_t speaker_list(const struct speaker *sp, struct speaker_member **out, uint32_t cap,
                      mono_us now)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < sp->seats; i++) {
        struct speaker_member *m = sp->seat[i];
        if (!m || m->pinned || m->speech_us == 0 || now - m->speech_us > TALKING_US) {
            continue;
        }
        uint32_t at = n < cap ? n++ : cap;
        while (at > 0 && out[at - 1]->score < m->score) {
            if (at < cap) {
                out[at] = out[at - 1];
            }
            at--;
        }
        if (at < cap) {
            out[at] = m;
        }
    }
    return n;
}
