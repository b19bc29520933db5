/*
 * The small numbers of the classroom that travel in journal, messages and admin requests. Their
 * values are stored, so they never change meaning; their spellings are rows of messages.def.
 */
#pragma once

enum class_type { CLASS_STANDARD = 0, CLASS_WEBINAR, CLASS_ROUND_TABLE, CLASS_TYPE_COUNT };
enum role { ROLE_PARTICIPANT = 0, ROLE_ANIMATOR, ROLE_HOST, ROLE_COUNT };
enum session_state { SESSION_IDLE = 0, SESSION_LIVE, SESSION_CLOSED, SESSION_STATE_COUNT };
enum leave_reason { LEAVE_LEFT = 0, LEAVE_LOST, LEAVE_REMOVED, LEAVE_REASON_COUNT };
enum hand_kind { HAND_SPEAK = 0, HAND_KIND_COUNT };
enum offer_cause { OFFER_LOAD = 0, OFFER_ICE, OFFER_EPOCH, OFFER_CAUSE_COUNT };

/* What a device sends, one bit per enum source_kind of codec/wire/desc.h. */
enum {
    MEDIA_MIC = 1 << 0,
    MEDIA_CAM = 1 << 1,
    MEDIA_SCREEN = 1 << 2,
    MEDIA_SOUND = 1 << 3,
    MEDIA_ALL = 15,
};
