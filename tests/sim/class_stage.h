/*
 * A webinar as people run it, for the simulated day: doors, air, invitations answered, people
 * brought on and taken down; and what must hold of it after every step.
 */
#pragma once

#include "codec/base/rng.h"
#include "signaling/class/impl.h"
#include "tests/unit/class_rig.h"

struct stage_play {
    const struct rng *rng;
    struct rig *rig;
    unsigned number; /* of the command id */
};

/* One plausible command of somebody present, or none; returns its type or MSG_COUNT, and by whom.
 */
enum msg_type stage_play(struct stage_play *play, struct rig_page **by);
/* NULL, or what does not hold between the media server's view and the states. */
const char *stage_wrong(const struct rig *rig, const struct klass *k);
