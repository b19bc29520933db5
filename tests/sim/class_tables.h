/*
 * What must hold of rooms in the simulated day, whatever was commanded: everybody is in exactly one
 * place, and the media server has no route between two rooms but listening that the state announces
 * and voices that it lists.
 */
#pragma once

#include "signaling/class/impl.h"
#include "tests/unit/class_rig.h"

/* NULL, or what does not hold. */
const char *tables_wrong(const struct rig *rig, const struct klass *k);
