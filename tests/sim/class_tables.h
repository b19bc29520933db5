/*
 * What must hold of rooms in the simulated day, whatever was commanded: everybody is in exactly one
 * place, and the media server has no route between two rooms but listening that the state announces
 * and voices that it lists. The audience sends at tables alone, and no more than talk; what is
 * locked for the crowd nobody of it sends.
 */
#pragma once

#include "signaling/class/impl.h"
#include "tests/unit/class_rig.h"

/* NULL, or what does not hold. */
extern uint64_t tables_voices; /* how often somebody of the audience was seen to speak at a table */
const char *tables_wrong(const struct rig *rig, const struct klass *k);
