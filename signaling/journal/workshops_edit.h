/* Shared by the files of workshops in this folder and nobody else. */
#pragma once

#include "signaling/journal/seal.h"
#include "signaling/journal/state.h"
#include "signaling/journal/workshops.h"

struct rd;
struct wr;

enum { WS_EVENT_FIRST = 150, WS_EVENT_LAST = 189 };

/* workshops_desk.c: calls, listening, voices, announcements */
int ws_fold_call(struct state *s, const struct event *e);
int ws_fold_listening(struct state *s, const struct event *e);
int ws_fold_voice(struct state *s, const struct event *e);
int ws_fold_target(struct state *s, const struct event *e);
int ws_fold_announced(struct state *s, const struct event *e);
int ws_fold_staff_said(struct state *s, const struct event *e);
/* The i-th voice ends. */
void ws_voice_end(struct workshops *w, uint32_t i, wall_ms at);
void ws_vacate(struct state *s, struct seat *seat, const struct event *e);
void ws_moved(struct state *s, struct seat *seat, uint16_t from, const struct event *e);

/* workshops.c, workshops_snapshot.c */
void workshops_fini(struct state *s);
int ws_put(struct wr *w, const struct state *s, const struct sealer *sealer);
int ws_get(struct state *s, struct rd *r, const struct sealer *sealer);
