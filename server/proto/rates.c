#include "server/proto/rates.h"

#include <string.h>

enum {
    WINDOW_MIN_US = 200 * US_PER_MS,
    KEY_WINDOWS = 8, /* a key frame is spread over about so many windows */
};

void rates_init(struct rates *r, mono_us now)
{
    memset(r, 0, sizeof(*r));
    r->since = now;
}

bool rates_note(struct rates *r, const struct pkt_desc *desc, uint32_t len)
{
    unsigned own = rung_of(desc->spatial, desc->temporal);
    bool changed = false;
    if (desc->keyframe) {
        r->key_ts = desc->timestamp;
        r->keyed = true;
    }
    uint32_t *bytes = r->keyed && desc->timestamp == r->key_ts ? r->key_bytes : r->bytes;
    for (unsigned left = desc->present; left; left &= left - 1) {
        bytes[__builtin_ctz(left)] += len;
    }
    r->own = (uint16_t)(r->own | 1u << own);
    r->seen |= desc->present;
    if (desc->height && desc->height != r->height[rung_spatial(own)]) {
        r->height[rung_spatial(own)] = desc->height;
        changed = true;
    }
    if (r->offered == 0 && desc->present) { /* nothing is known yet but that it exists: all of it */
        r->offered = (uint16_t)(1u << (31 - __builtin_clz(desc->present)));
    }
    return changed;
}

static uint32_t smooth(uint32_t old, uint32_t now, bool bursty)
{
    if (old == 0) {
        return now;
    }
    if (bursty) {
        uint32_t faded = old - old / 16;
        return now > faded ? now : faded;
    }
    return now > old ? old / 2 + now / 2 : old - old / 4 + now / 4;
}

/* What of the key frames of rung i counts in this window. All of them, where nothing else was ever
 * sent to measure it by: a camera that struggles has windows with a key frame and nothing else, and
 * counted whole they nearly doubled its rate, and a picture that rests is not asked for at that. */
static uint32_t key_share(const struct rates *r, unsigned i, bool bursty)
{
    bool alone = !(r->moved >> i & 1);
    return bursty || alone ? r->key_bytes[i] : (r->key_bytes[i] + KEY_WINDOWS - 1) / KEY_WINDOWS;
}

bool rates_tick(struct rates *r, bool bursty, mono_us now)
{
    mono_us us = now - r->since;
    if (us < WINDOW_MIN_US) {
        return false;
    }
    uint16_t before = r->offered;
    for (unsigned left = r->seen; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctz(left);
        r->moved = (uint16_t)(r->moved | (r->bytes[i] ? 1u << i : 0));
        uint32_t key = key_share(r, i, bursty);
        uint64_t bps = ((uint64_t)r->bytes[i] + key) * 8 * US_PER_S / (uint64_t)us;
        r->key_bytes[i] -= key;
        r->bps[i] = smooth(r->bps[i], (uint32_t)(bps > UINT32_MAX ? UINT32_MAX : bps), bursty);
    }
    if (r->own) {
        r->offered = r->own | r->own_last;
        r->own_last = r->own;
    }
    r->own = 0;
    r->seen = 0;
    memset(r->bytes, 0, sizeof(r->bytes));
    r->since = now;
    return r->offered != before;
}

uint8_t rates_pack(uint32_t bps)
{
    uint32_t kbps = bps / 1000;
    if (kbps < 8) {
        return (uint8_t)(bps ? 1 : 0);
    }
    unsigned power = 31U - (unsigned)__builtin_clz(kbps);
    unsigned eighth = (kbps >> (power - 3)) & 7;
    return (uint8_t)(power * 8 + eighth);
}

uint32_t rates_unpack(uint8_t packed)
{
    if (packed < 24) {
        return packed ? 8000 : 0;
    }
    unsigned power = packed / 8U;
    return ((8U + packed % 8U) << (power - 3)) * 1000;
}
