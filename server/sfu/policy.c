#include "server/sfu/policy.h"

#include "server/proto/alloc.h"

/*
 * How long to wait before a picture is shown: a screen is followed with the eye while somebody
 * points at it, so its frames are shown as they come (browsers pace nothing up to 500 ms). A camera
 * is paced, but a path that stood still leaves nobody seconds behind the voice. Sound has no such
 * extension in any browser.
 */
const struct source_policy source_policies[SOURCE_COUNT] = {
    [SOURCE_MIC] =
        {
            .reserve_bps = SOURCE_VOICE_BPS,
            .elsewhere = true,
            .silence_unopened = true,
        },
    [SOURCE_CAMERA] =
        {
            .video = true,
            .small = ALLOC_TILE,
            .large = ALLOC_FOCUS,
            .large_from = 540, /* a tile this large is what people look at */
            .told_playout = true,
            .playout = {0, 0, 100},
        },
    [SOURCE_SCREEN] =
        {
            .video = true,
            .small = ALLOC_SLIDES,
            .large = ALLOC_SLIDES,
            .bursty = true,
            .told_playout = true,
            .playout = {0, 0, 50},
        },
    [SOURCE_SOUND] =
        {
            .reserve_bps = 150000,
            .always_heard = true,
        },
};
