/*
 * Encodings that come as a row of stills. Where the path to us loses much, a browser believes in a
 * rate its picture does not fit in, and as long as it sends no smaller one it leaves out pictures
 * rather than pixels: three of them a second. So what comes like that is not on offer while a
 * smaller encoding is; the smaller one is asked for instead, of which all pictures fit. As long as
 * it sends a smaller one as well it gives that its rate first, and begins and ends the larger one
 * as its belief goes up and down: each time the picture stands until that is noticed, and for a key
 * frame. So what somebody looked at and what ended by itself is treated in the same way.
 * Invariants: only where much is lost (a slow camera is no fault of the path); what was tried in
 * vain is tried again later each time. Out of scope: who gets what (share.c).
 */
#pragma once

#include <stdbool.h>

#include "codec/base/time.h"

struct layer;
struct track;

/* Looks at the encodings of a camera of ours; true when what it offers changed. */
bool thin_tick(struct track *track, mono_us now);
/* The encoding was wanted, and its publisher ended it while another goes on. */
void thin_stopped(struct layer *layer, mono_us now);
/* Too thin to be offered: something smaller of the same source can be had. */
bool thin_withheld(const struct layer *layer, mono_us now);
