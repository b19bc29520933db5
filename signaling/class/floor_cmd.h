/*
 * The floor as people meet it: commands, what follows by itself, what they are told. State and
 * rules: signaling/journal/floor.h.
 */
#pragma once

#include "signaling/class/part.h"

extern const struct class_part class_floor;

/* Handlers of messages_floor.def (floor_cmd.c). */
command_h floor_handler(enum msg_type type);
/* Ends the turn of the holder, hand down and microphone closed. */
void floor_end(struct act *act, enum turn_end how, struct id by);
/* Gives the floor; somebody else's turn ends first. */
void floor_give(struct act *act, struct id person, bool reply, struct id by);
/* Gives it to whoever is next in this mode; false = nobody is. */
bool floor_next(struct act *act, struct id by);
/* Adds what was heard of the voices of a class since the last time (routes.c counts). */
void floor_heard(struct klass *k, struct class_time now);
