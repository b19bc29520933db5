/* An id among the bytes of a record or a token: its ID_LEN raw bytes. */
#pragma once

#include <string.h>

#include "codec/base/rw.h"
#include "signaling/schema/id.h"

static inline void id_write(struct wr *w, const struct id *id)
{
    wr_bytes(w, id->b, ID_LEN);
}

/* Zero when the reader is at its end (and then bad). */
static inline struct id id_read(struct rd *r)
{
    struct id id = {{0}};
    const uint8_t *b = rd_bytes(r, ID_LEN);
    if (b) {
        memcpy(id.b, b, ID_LEN);
    }
    return id;
}
