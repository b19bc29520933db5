/*
 * The webinar within the classroom: its commands (webinar.c), what is told of it and the audience's
 * pulse, which is counted and never journalled (webinar_out.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "signaling/class/impl.h"
#include "signaling/class/part.h"

extern const struct class_part class_webinar;

/* How full a webinar is. */
struct webinar_load {
    uint32_t taken; /* full seats of the audience */
    uint32_t most;
    uint32_t light;
    uint32_t light_most;
    uint32_t waiting;
    uint32_t level; /* 1: 80 % taken, 2: all */
};

struct webinar_load webinar_load(const struct state *s, uint32_t people_max);
/* Hands of a webinar are for staff, and for whoever raised them; others hear how many there are. */
bool webinar_shows_hand(const struct state *s, const struct seat *viewer, const struct seat *hand);
/* May this viewer read that message, and know who wrote it? */
bool webinar_reads(const struct seat *viewer, const struct chat_entry *chat);
bool webinar_named(const struct state *s, const struct seat *viewer, const struct chat_entry *chat);
/* Notes a message of the audience for those who may read it; false when it is like any other. */
bool webinar_chat(struct klass *klass, const struct event *event, struct out_scope scope);
/* NULL, or why this person may not write now. */
const char *webinar_silence(struct klass *klass, struct conn *conn, struct class_time now);
/* An event may bring its person into sight of some kind of viewers, or out of it. */
void webinar_sight(struct klass *klass, const struct event *event, const struct out_before *before);
/* Somebody of the stage, the wings or the invited has gone for good. */
void webinar_gone(struct klass *klass, const struct event *event);
void webinar_note(struct klass *klass, const struct event *event);
void webinar_snapshot(struct jsonw *w, const struct state *s, const struct viewer *viewer);
/* Counts a reaction; false when this person reacts too fast. */
bool webinar_react(struct klass *klass, struct conn *conn, unsigned kind, struct class_time now);
/* Tells everybody how the audience is, when it has changed. */
void webinar_timer_pulse(struct klass *klass, struct class_time now);
/* Something the pulse tells of has changed: it goes out within a second. */
void webinar_pulse_soon(struct klass *klass, struct class_time now);
