/*
 * Whose picture a viewer of a room is shown when he cannot choose (WHEP): a shared screen before
 * everything, else the camera of whoever speaks, else a camera that is on. Fed with the commands
 * of the classroom (who is where and sends what) and the speakers the media server reports.
 * Invariants: only what a device may publish in this very room is chosen; a picture that is still
 * there stays at least PICTURE_HOLD_US unless a screen comes or it goes. Out of scope: viewers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"
#include "signaling/class/media.h"

enum { PICTURE_HOLD_US = 2 * US_PER_S, PICTURE_ROOMS_MAX = 256 };

struct picture;

struct picture_choice {
    device_num publisher; /* 0 = nobody */
    uint8_t source;       /* SOURCE_CAMERA or SOURCE_SCREEN */
};

/* devices_max: connections at once. 0 or E_NOMEM. */
int picture_new(struct picture **out, uint32_t devices_max, uint64_t seed);
void picture_free(struct picture *picture);
/* A command of the classroom. */
void picture_note(struct picture *picture, const struct media_cmd *cmd);
/* SPEAKING. */
void picture_speaking(struct picture *picture, const struct media_evt *evt);
/* What to show of this room now. */
struct picture_choice picture_of(struct picture *picture, room_num room, mono_us now);
/* Nobody watches the room any more. */
void picture_forget(struct picture *picture, room_num room);
/* What a device may publish in this room now (bit per source_kind). */
uint32_t picture_publishes(const struct picture *picture, device_num device, room_num room);
