/*
 * Whose picture a viewer of a room is shown when he cannot choose (WHEP): a shared screen before
 * everything, else the camera of whoever speaks, else a camera that is on. Fed with the commands
 * of the classroom (who is where and sends what) and the speakers the media server reports.
 * Invariants: only what a device may publish in this very room is chosen; a picture that is still
 * there stays at least STAGE_HOLD_US unless a screen comes or it goes. Out of scope: viewers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"
#include "signaling/class/media.h"

enum { STAGE_HOLD_US = 2 * US_PER_S, STAGE_ROOMS_MAX = 256 };

struct stage;

struct stage_picture {
    device_num publisher; /* 0 = nobody */
    uint8_t source;       /* SOURCE_CAMERA or SOURCE_SCREEN */
};

/* devices_max: connections at once. 0 or E_NOMEM. */
int stage_new(struct stage **out, uint32_t devices_max, uint64_t seed);
void stage_free(struct stage *stage);
/* A command of the classroom. */
void stage_note(struct stage *stage, const struct media_cmd *cmd);
/* SPEAKING. */
void stage_speaking(struct stage *stage, const struct media_evt *evt);
/* What to show of this room now. */
struct stage_picture stage_picture(struct stage *stage, room_num room, mono_us now);
/* Nobody watches the room any more. */
void stage_forget(struct stage *stage, room_num room);
/* What a device may publish in this room now (bit per source_kind). */
uint32_t stage_publishes(const struct stage *stage, device_num device, room_num room);
