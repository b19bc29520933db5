/*
 * What the classroom asks of the media server and hears from it, in its own words. The bridge
 * (server/app/bridge.c) is the only place that knows both this and server/sfu/sfu.h.
 * Invariants: commands are small values; a device has at most one media connection.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/wire/desc.h"

typedef uint64_t device_num; /* number of a device for the life of the core, never reused; 0 none */
typedef uint64_t room_num;   /* room of a session likewise; 0 = nowhere */

enum media_cmd_kind {
    MEDIA_CMD_OPEN,    /* token, offer: answered by MEDIA_EVT_ANSWER or _REFUSED */
    MEDIA_CMD_RESTART, /* token, offer.ufrag/pwd */
    MEDIA_CMD_CLOSE,
    MEDIA_CMD_READY,
    MEDIA_CMD_ROOM,    /* room */
    MEDIA_CMD_PUBLISH, /* publish: bit per source_kind */
    MEDIA_CMD_VIEW,    /* view */
    MEDIA_CMD_EARS,    /* ears: every room heard or viewed besides the device's own */
    MEDIA_CMD_VOICE,   /* room: where its microphone is heard instead; 0 = in its own room */
};

enum { MEDIA_EARS_MAX = 4, MEDIA_EYES_MAX = 16 };

/* Default none. Rooms named first are heard first when there are more speakers than slots. */
struct media_ears {
    uint8_t ears;
    uint8_t eyes;
    room_num ear[MEDIA_EARS_MAX];
    room_num eye[MEDIA_EYES_MAX];
};

struct media_want {
    uint8_t slot;
    uint8_t source; /* SOURCE_CAMERA or SOURCE_SCREEN */
    uint16_t height_max;
    device_num publisher;
};

struct media_cmd {
    enum media_cmd_kind kind;
    device_num device;
    uint64_t token;
    uint64_t class_num;  /* OPEN: the same number for all devices of a class, 0 unknown */
    uint32_t class_size; /* OPEN: people expected, for placement (design.md D1) */
    bool seated;         /* OPEN: of somebody in class, who is taken even by a busy server */
    bool inner;          /* OPEN: no page but a mix of what it hears (server/app/inner.h) */
    union {
        struct desc_offer offer;
        room_num room;
        struct media_ears ears;
        uint32_t publish;
        struct {
            uint32_t count;
            struct media_want want[DESC_VIDEO_SLOTS_MAX];
        } view;
    };
};

enum media_evt_kind {
    MEDIA_EVT_ANSWER,
    MEDIA_EVT_REFUSED,
    MEDIA_EVT_CONNECTED,
    MEDIA_EVT_LOST,
    MEDIA_EVT_BACK,
    MEDIA_EVT_FAILED,
    MEDIA_EVT_SLOTS,
    MEDIA_EVT_SEND, /* which encodings of its sources the device should send now */
    MEDIA_EVT_SPEAKING,
    MEDIA_EVT_LOAD, /* no device: what the media server sheds */
};

/* In the order of ENUM_slot_reason. */
enum media_reason {
    MEDIA_FULL,
    MEDIA_BY_YOU,
    MEDIA_BY_CONNECTION,
    MEDIA_PAUSED_BY_CONNECTION,
    MEDIA_BY_SOURCE,
    MEDIA_BY_SERVER,
};

struct media_slot {
    device_num publisher;
    uint8_t source;
    uint8_t state;   /* 0 off, 1 waiting, 2 live */
    uint8_t reason;  /* enum media_reason: why it is as it is */
    uint16_t height; /* pixels it gets, 0 = none */
};

struct media_speaker {
    device_num device;
    uint8_t level;
};

struct media_evt {
    enum media_evt_kind kind;
    device_num device;
    room_num room;
    uint64_t token;
    int err;
    union {
        struct desc_answer answer;
        struct {
            uint8_t audio;
            uint8_t video;
            struct media_slot slot[DESC_AUDIO_SLOTS_MAX + DESC_VIDEO_SLOTS_MAX];
        } slots;
        uint8_t send[SOURCE_COUNT]; /* bits: h = 1, m = 2, l = 4 */
        struct {
            uint32_t count;
            uint32_t recents;
            struct media_speaker speaker[10];
            device_num recent[10]; /* who had the floor; the first one has it */
        } speaking;
        struct {
            uint8_t step; /* 0 none, 1 fewer pictures, 2 fewer a second, 3 no new ones, 4 no new
                             people (server/proto/overload.h); of the busiest thread */
            bool shut;    /* no thread takes new people */
        } load;
    };
};
