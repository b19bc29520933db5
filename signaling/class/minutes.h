/* The minutes as people meet them: two commands, what they are told. State: journal/minutes.h. */
#pragma once

#include "signaling/class/part.h"

extern const struct class_part class_minutes;
