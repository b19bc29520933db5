/*
 * Presence checks as people meet them: commands, what follows by itself, what they are told. State:
 * signaling/journal/roll.h.
 */
#pragma once

#include "signaling/class/part.h"

extern const struct class_part class_roll;
