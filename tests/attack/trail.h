/*
 * How the packets of the sender that a client watches came to it, so that one that did not come
 * names the side that lost it. The server numbers all it sends to a client (transport-cc) at the
 * moment it is sealed: a number that is missing was lost behind the server, and when none is
 * missing the server has never sent what did not come.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/time.h"

struct trail;

/* What a packet says of itself. */
struct trail_packet {
    uint16_t seq;
    uint16_t transport;
    uint8_t slot;
    bool numbered; /* transport is known */
};

/* NULL without memory. */
struct trail *trail_new(void);
void trail_free(struct trail *trail);
/* Anything that was opened. */
void trail_note(struct trail *trail, const struct trail_packet *packet);
/* Number n of the sender came as this. */
void trail_came(struct trail *trail, uint32_t n, const struct trail_packet *packet);
/* What is no first copy of a numbered packet; `what` is borrowed for ever. */
void trail_odd(struct trail *trail, const char *what, int detail, const struct trail_packet *packet,
               mono_us now);
/* Prints what surrounds number n, which did not come, and whose loss that is. */
void trail_tell(const struct trail *trail, uint32_t n);
/* Prints the last of what was odd. */
void trail_tell_odd(const struct trail *trail, mono_us now);
