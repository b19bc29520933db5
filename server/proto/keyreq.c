#include "server/proto/keyreq.h"

void keyreq_ask(struct keyreq *k, uint8_t layers)
{
    k->wanted |= (uint8_t)(layers & ~k->open);
}

void keyreq_ask_later(struct keyreq *k, uint8_t layers)
{
    k->later |= (uint8_t)(layers & ~k->open);
}

void keyreq_unask_later(struct keyreq *k, uint8_t layers)
{
    k->later &= (uint8_t)~layers;
}

void keyreq_answered(struct keyreq *k, unsigned layer)
{
    keyreq_cancel(k, (uint8_t)(1u << layer));
}

void keyreq_cancel(struct keyreq *k, uint8_t layers)
{
    k->wanted &= (uint8_t)~layers;
    k->later &= (uint8_t)~layers;
    k->open &= (uint8_t)~layers;
    k->tries = k->open ? k->tries : 0;
}

void keyreq_unheard(struct keyreq *k)
{
    k->wanted |= k->open;
    k->open = 0;
    k->tries = 0;
    k->used = 0;
}

/* The i-th last request, i = 1 ... used. */
static mono_us sent_before(const struct keyreq *k, unsigned i)
{
    return k->sent[(k->at + KEYREQ_BURST - i) % KEYREQ_BURST];
}

/* The earliest time at which the limits allow one more request. */
static mono_us allowed_at(const struct keyreq *k)
{
    mono_us at = INT64_MIN;
    for (unsigned i = 1; i <= k->used; i++) {
        mono_us gap = i == KEYREQ_BURST ? KEYREQ_WINDOW_US : KEYREQ_GAP_US;
        /* What was asked fast before the crowd came counts, too. */
        gap = k->crowd ? (mono_us)i * KEYREQ_CROWD_GAP_US : gap;
        mono_us earliest = sent_before(k, i) + gap;
        at = earliest > at ? earliest : at;
    }
    return at;
}

/* The same for a request that can wait: a while after the last one, or the second in a window. */
static mono_us allowed_later_at(const struct keyreq *k)
{
    mono_us at = allowed_at(k);
    if (k->used >= 2) {
        mono_us calm =
            mono_min(sent_before(k, 1) + KEYREQ_LATER_US, sent_before(k, 2) + KEYREQ_WINDOW_US);
        at = calm > at ? calm : at;
    }
    return at;
}

uint8_t keyreq_poll(struct keyreq *k, bool *urgent, mono_us now)
{
    if (k->open && now >= k->retry_us) {
        k->wanted |= k->open;
    }
    bool now_or_never = k->wanted && now >= allowed_at(k);
    if (!now_or_never && !(k->later && now >= allowed_later_at(k))) {
        return 0;
    }
    if (urgent) {
        *urgent = now_or_never;
    }
    uint8_t layers = k->wanted | k->later;
    k->sent[k->at] = now;
    k->at = (uint8_t)((k->at + 1) % KEYREQ_BURST);
    k->used = (uint8_t)(k->used < KEYREQ_BURST ? k->used + 1 : KEYREQ_BURST);
    k->open |= layers;
    k->wanted = 0;
    k->later = 0;
    k->retry_us = now + ((mono_us)KEYREQ_RETRY_US << k->tries);
    k->tries = (uint8_t)(k->tries + (k->tries < KEYREQ_RETRIES));
    return layers;
}

mono_us keyreq_asked(const struct keyreq *k, unsigned layer)
{
    return (k->open >> layer & 1) && k->used ? sent_before(k, 1) : MONO_NEVER;
}

mono_us keyreq_deadline(const struct keyreq *k)
{
    mono_us at = MONO_NEVER;
    if (k->wanted) {
        at = allowed_at(k);
    } else if (k->open) {
        at = allowed_at(k);
        at = k->retry_us > at ? k->retry_us : at;
    }
    return k->later ? mono_min(at, allowed_later_at(k)) : at;
}

bool keyreq_gate_pass(struct keyreq_gate *gate, mono_us now)
{
    uint32_t now_ms = (uint32_t)(now / US_PER_MS);
    uint32_t refill_ms = KEYREQ_GATE_REFILL_US / US_PER_MS;
    if (gate->spent == 0) {
        gate->last_ms = now_ms;
    }
    while (gate->spent && now_ms - gate->last_ms >= refill_ms) {
        gate->spent--;
        gate->last_ms += refill_ms;
    }
    if (gate->spent == 0) {
        gate->last_ms = now_ms;
    }
    if (gate->spent == KEYREQ_GATE_BURST) {
        return false;
    }
    gate->spent++;
    return true;
}
