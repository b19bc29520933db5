/*
 * The small numbers of the classroom that travel in journal, messages and admin requests. Their
 * values are stored, so they never change meaning; their spellings are rows of messages.def.
 * Invariants: the order of a role's number says nothing; role_rank does.
 */
#pragma once

#include <stdbool.h>

enum class_type { CLASS_STANDARD = 0, CLASS_WEBINAR, CLASS_ROUND_TABLE, CLASS_TYPE_COUNT };
enum role {
    ROLE_PARTICIPANT = 0,
    ROLE_ANIMATOR,
    ROLE_HOST,
    ROLE_SPEAKER,     /* invited witness */
    ROLE_LISTENER,    /* receives only; the audience speaks at tables */
    ROLE_INTERPRETER, /* speaks on a channel of his own */
    ROLE_RECORDER,    /* visible, sends nothing */
    ROLE_COUNT
};
enum session_state {
    SESSION_IDLE = 0, /* a permanent or undated class between two runs */
    SESSION_LIVE,
    SESSION_CLOSED,
    SESSION_SCHEDULED, /* dated, before the staff's time */
    SESSION_PREPARING, /* staff and speakers only */
    SESSION_DOORS,     /* people gather in the waiting room */
    SESSION_CLOSING,   /* live, with a countdown to closed */
    SESSION_ARCHIVED,
    SESSION_STATE_COUNT
};
enum leave_reason {
    LEAVE_LEFT = 0,
    LEAVE_LOST,
    LEAVE_REMOVED,
    LEAVE_WAIT, /* sent back to the waiting room */
    LEAVE_REASON_COUNT
};
enum hand_kind {
    HAND_SPEAK = 0,
    HAND_REPLY,
    HAND_ORDER, /* point of order */
    HAND_TECHNICAL,
    HAND_KIND_COUNT
};
enum offer_cause { OFFER_LOAD = 0, OFFER_ICE, OFFER_EPOCH, OFFER_CAUSE_COUNT };
/* Who waits before he may come in (setting waiting-room). */
enum waiting_mode {
    WAITING_OFF = 0,
    WAITING_HOST, /* everybody, while no staff is present */
    WAITING_MANUAL,
    WAITING_LIST, /* whoever has no link of his own */
    WAITING_MODE_COUNT
};

/* Who may share a screen (setting presenters). */
enum presenters { PRESENTERS_SEVERAL = 0, PRESENTERS_ONE, PRESENTERS_STAFF };

/* What a device sends, one bit per enum source_kind of codec/wire/desc.h. */
enum {
    MEDIA_MIC = 1 << 0,
    MEDIA_CAM = 1 << 1,
    MEDIA_SCREEN = 1 << 2,
    MEDIA_SOUND = 1 << 3,
    MEDIA_ALL = 15,
    MEDIA_FEED = 4, /* an arrival's bits this much higher: what an encoder (WHIP) came to send */
};

static inline bool role_is_staff(unsigned role)
{
    return role == ROLE_HOST || role == ROLE_ANIMATOR;
}

/* Locks and floors hold for them: everybody who neither leads nor was invited to speak. */
static inline bool role_is_crowd(unsigned role)
{
    return role == ROLE_PARTICIPANT || role == ROLE_LISTENER;
}

/* How much a role may, for choosing between two links of one person. */
static inline int role_rank(unsigned role)
{
    static const signed char rank[ROLE_COUNT] = {
        [ROLE_RECORDER] = 0, [ROLE_LISTENER] = 1, [ROLE_PARTICIPANT] = 2, [ROLE_INTERPRETER] = 3,
        [ROLE_SPEAKER] = 4,  [ROLE_ANIMATOR] = 5, [ROLE_HOST] = 6,
    };
    return role < ROLE_COUNT ? rank[role] : -1;
}
