/*
 * Governor of key frame requests to one source (RFC 4585 6.3.1, RFC 5104 4.3.1; rule S12): however
 * many viewers ask, the publisher hears at most one request every KEYREQ_GAP_US and at most
 * KEYREQ_BURST in KEYREQ_WINDOW_US. Requests in between are merged and go out when allowed; a
 * request that no key frame answered is repeated while somebody still waits. A source with a crowd
 * of viewers hears one a second at most, over any stretch of time: somebody always waits there, and
 * the next key frame is the answer to all of them. Who has a picture and only waits for a better
 * one can wait a little more: such requests keep to one in 1.5 seconds, so that the others find
 * room. Also the gate of one viewer's slot: three requests in ten seconds. Out of scope: building
 * the RTCP packet.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"

enum {
    KEYREQ_GAP_US = 300 * US_PER_MS,
    KEYREQ_BURST = 4,
    KEYREQ_WINDOW_US = 4 * US_PER_S,
    KEYREQ_CROWD_GAP_US = 1 * US_PER_S,
    KEYREQ_RETRY_US = 600 * US_PER_MS, /* doubling: an encoder may need its time */
    KEYREQ_RETRIES = 3,
    KEYREQ_LATER_US = 1500 * US_PER_MS,
    KEYREQ_GATE_BURST = 3,
    KEYREQ_GATE_REFILL_US = 3333333,
};

struct keyreq {
    mono_us sent[KEYREQ_BURST]; /* times of the last requests, a ring */
    mono_us retry_us;           /* when unanswered requests are repeated */
    uint8_t at;
    uint8_t used;
    uint8_t tries;  /* requests since the last one that was answered */
    uint8_t wanted; /* bit per layer: to be asked */
    uint8_t later;  /* bit per layer: to be asked when there is room */
    uint8_t open;   /* bit per layer: asked, no key frame yet */
    bool crowd;     /* set by the owner: many look at this source */
};

/* Somebody needs a key frame of these layers (bits). */
void keyreq_ask(struct keyreq *k, uint8_t layers);
/* The same for those who have another picture meanwhile. */
void keyreq_ask_later(struct keyreq *k, uint8_t layers);
/* Nobody waits for those any more that were to be asked later, unless it was done. */
void keyreq_unask_later(struct keyreq *k, uint8_t layers);
/* A key frame of the layer arrived. */
void keyreq_answered(struct keyreq *k, unsigned layer);
/* The path by which the source was asked had failed: it heard nothing of it. What is still waited
 * for is asked again at once, and what was asked in vain does not count. */
void keyreq_unheard(struct keyreq *k);
/* Nobody waits for these layers any more. */
void keyreq_cancel(struct keyreq *k, uint8_t layers);
/* The layers to ask for now (0 = none); counts as sent. urgent (may be NULL): somebody has no
 * picture until then. */
uint8_t keyreq_poll(struct keyreq *k, bool *urgent, mono_us now);
/* The layer was asked and has not answered: since when it could have; else MONO_NEVER. */
mono_us keyreq_asked(const struct keyreq *k, unsigned layer);
/* When keyreq_poll will have something, or MONO_NEVER. */
mono_us keyreq_deadline(const struct keyreq *k);

struct keyreq_gate {
    uint32_t last_ms; /* low bits of the time of the last refill */
    uint8_t spent;
};

/* True when this viewer may have his request heard now. */
bool keyreq_gate_pass(struct keyreq_gate *gate, mono_us now);
