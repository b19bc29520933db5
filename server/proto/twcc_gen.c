#include "server/proto/twcc_gen.h"

#include <string.h>

enum { BUILD_MAX = 128 }; /* arrivals given to the writer at a time */

void twcc_gen_init(struct twcc_gen *gen)
{
    memset(gen, 0, sizeof(*gen));
    gen->deadline = MONO_NEVER;
    gen->interval_us = TWCC_GEN_SLOW_US;
}

static struct twcc_gen_slot *slot_of(struct twcc_gen *gen, int64_t seq)
{
    return &gen->slot[(uint64_t)seq % TWCC_GEN_WINDOW];
}

void twcc_gen_input(struct twcc_gen *gen, uint16_t seq, uint32_t media_ssrc, mono_us now)
{
    bool begins = gen->anew || !gen->seq.started;
    int64_t ext = rtp_seq_unwrap(&gen->seq, seq);
    if (begins) {
        gen->first = ext;
        gen->anew = false;
    }
    if (ext <= gen->seq.newest - TWCC_GEN_WINDOW) {
        return; /* too late to matter */
    }
    if (gen->first <= gen->seq.newest - TWCC_GEN_WINDOW) {
        gen->first = gen->seq.newest - TWCC_GEN_WINDOW + 1;
    }
    *slot_of(gen, ext) = (struct twcc_gen_slot){.at_us = (uint32_t)now, .seq = (uint32_t)(ext + 1)};
    gen->first = ext < gen->first ? ext : gen->first;
    gen->media_ssrc = media_ssrc;
    gen->pending++;
    gen->deadline = mono_min(gen->deadline, now + gen->interval_us);
}

void twcc_gen_anew(struct twcc_gen *gen)
{
    gen->anew = true;
}

/* Collects up to BUILD_MAX arrivals from number `from` on. */
static size_t collect(struct twcc_gen *gen, int64_t from, struct twcc_arrival *out, mono_us now)
{
    size_t n = 0;
    for (int64_t seq = from; seq <= gen->seq.newest && n < BUILD_MAX; seq++) {
        const struct twcc_gen_slot *slot = slot_of(gen, seq);
        if (slot->seq == (uint32_t)(seq + 1)) {
            uint32_t age_us = (uint32_t)now - slot->at_us;
            out[n++] = (struct twcc_arrival){.seq = seq, .at = now - (mono_us)age_us};
        }
    }
    return n;
}

bool twcc_gen_write(struct twcc_gen *gen, struct wr *w, uint32_t sender_ssrc, mono_us now)
{
    bool wrote = false;
    bool full = false;
    while (gen->first <= gen->seq.newest) {
        struct twcc_arrival arrival[BUILD_MAX];
        size_t n = collect(gen, gen->first, arrival, now);
        size_t taken =
            twcc_build(w, sender_ssrc, gen->media_ssrc, gen->number, gen->first, arrival, n);
        if (taken == 0) {
            full = true;
            break;
        }
        gen->number++;
        gen->first = arrival[taken - 1].seq + 1;
        wrote = true;
    }
    gen->interval_us = gen->pending >= TWCC_GEN_BUSY ? TWCC_GEN_FAST_US : TWCC_GEN_SLOW_US;
    gen->pending = 0;
    gen->deadline = full ? now : MONO_NEVER;
    return wrote;
}
