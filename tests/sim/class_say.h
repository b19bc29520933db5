/*
 * A plausible message of any type, generated from its row of messages.def, so that a new message is
 * said in the simulated day without anybody writing it there. Ids come from what the page was told
 * (people, devices, rooms and every other object with an id), now and then from elsewhere.
 */
#pragma once

#include "codec/base/rng.h"
#include "signaling/schema/schema.h"
#include "tests/unit/class_rig.h"

struct say {
    const struct rng *rng;
    struct rig *rig;
    struct rig_page *page;
    const struct rig_page *lens; /* whose view a page without one goes by */
    unsigned number;             /* for the command id */
};

/* A message of this type as a new JSON tree. */
json_t *say_message(const struct say *say, enum msg_type type);
/* The page most likely to say it, seen from page: whoever leads, whoever has the floor. */
struct rig_page *say_actor(const struct say *say, enum msg_type type);
/* How often it is said, 0..1000; rare for what empties a class. */
unsigned say_weight(enum msg_type type);
