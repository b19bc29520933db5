/*
 * The compact offer and answer of the page (idea 2 of the design) as struct desc_offer and
 * struct desc_answer. The sections stand in fixed order: 0 mic, 1 camera, 2 screen, 3 screen sound,
 * then the receive slots; mid = index. The shape was checked before (signaling/schema).
 */
#pragma once

#include <jansson.h>

#include "codec/wire/desc.h"
#include "signaling/schema/jsonw.h"

/* Fills out from a checked "Offer". 0 or E_BAD (fingerprint, a number used twice). */
int offer_read(struct desc_offer *out, const json_t *offer);
/* Writes an "Answer" value. */
void answer_write(struct jsonw *w, const struct desc_answer *answer);
