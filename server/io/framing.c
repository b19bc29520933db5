#include "server/io/framing.h"

#include <string.h>

#include "codec/base/err.h"

void framing_init(struct framing *framing)
{
    framing->used = 0;
}

/* Bytes of the frame being gathered, head included; of the head alone while it is not whole. */
static size_t frame_total(const struct framing *framing)
{
    if (framing->used < FRAMING_HEAD) {
        return FRAMING_HEAD;
    }
    return FRAMING_HEAD + ((size_t)framing->held[0] << 8 | framing->held[1]);
}

int framing_next(struct framing *framing, const uint8_t *data, size_t len, size_t *eaten,
                 const uint8_t **frame, size_t *frame_len)
{
    *eaten = 0;
    while (*eaten < len) {
        size_t total = frame_total(framing);
        if (total > FRAMING_HEAD + FRAMING_MAX) {
            return E_TOOBIG;
        }
        size_t wanted = total - framing->used;
        size_t take = len - *eaten < wanted ? len - *eaten : wanted;
        memcpy(framing->held + framing->used, data + *eaten, take);
        framing->used += take;
        *eaten += take;
        if (framing->used < FRAMING_HEAD || framing->used < frame_total(framing)) {
            continue;
        }
        *frame = framing->held + FRAMING_HEAD;
        *frame_len = framing->used - FRAMING_HEAD;
        framing->used = 0;
        if (*frame_len) {
            return 1;
        }
    }
    /* A head that announces too much is refused when it is whole, not when its body comes. */
    return frame_total(framing) > FRAMING_HEAD + FRAMING_MAX ? E_TOOBIG : 0;
}

void framing_head(uint8_t out[FRAMING_HEAD], size_t len)
{
    out[0] = (uint8_t)(len >> 8);
    out[1] = (uint8_t)len;
}
