#include "server/proto/nack.h"

#include <string.h>

enum {
    RTT_START_US = 100 * US_PER_MS,
    WAIT_MIN_US = 20 * US_PER_MS,
    WAIT_MAX_US = 400 * US_PER_MS,
};

void nack_init(struct nack *nack, mono_us keep_us)
{
    nack->keep_us = keep_us;
    nack->rtt_us = RTT_START_US;
    nack->rtt_least_us = 0;
    nack->deadline = MONO_NEVER;
    nack->count = 0;
    nack->lost = 0;
    nack->started = false;
}

/* Position of the first item with a number >= seq. */
static uint32_t find(const struct nack *nack, int64_t seq)
{
    uint32_t low = 0;
    uint32_t high = nack->count;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        if (nack->item[mid].seq < seq) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static void forget_first(struct nack *nack, uint32_t n)
{
    nack->count -= n;
    nack->lost += n;
    memmove(nack->item, nack->item + n, nack->count * sizeof(nack->item[0]));
}

static void gap(struct nack *nack, int64_t seq, mono_us now)
{
    int64_t from = nack->top + 1;
    if (seq - from > NACK_MISSING_MAX) {
        /* The stream jumped: nothing before this packet can be repaired in useful time. */
        forget_first(nack, nack->count);
        nack->lost++;
        return;
    }
    uint32_t need = (uint32_t)(seq - from);
    if (nack->count + need > NACK_MISSING_MAX) {
        forget_first(nack, nack->count + need - NACK_MISSING_MAX);
    }
    for (; from < seq; from++) {
        nack->item[nack->count++] =
            (struct nack_item){.seq = from, .since_us = now, .next_us = now};
    }
    if (need) {
        nack->deadline = mono_min(nack->deadline, now);
    }
}

static void close_gap(struct nack *nack, int64_t seq, bool answer, mono_us now)
{
    uint32_t at = find(nack, seq);
    if (at == nack->count || nack->item[at].seq != seq) {
        return;
    }
    if (answer && nack->item[at].tries == 1) { /* Karn: only what answers one request */
        uint32_t ms = (uint32_t)(now / US_PER_MS) - nack->item[at].sent_ms;
        mono_us rtt = mono_min((mono_us)ms * US_PER_MS, 2 * US_PER_S);
        rtt = rtt > nack->rtt_least_us ? rtt : nack->rtt_least_us;
        /* Asked too early is asked in vain, and there are only so many tries. */
        nack->rtt_us += (rtt - nack->rtt_us) / (rtt > nack->rtt_us ? 4 : 16);
    }
    nack->count--;
    memmove(nack->item + at, nack->item + at + 1, (nack->count - at) * sizeof(nack->item[0]));
    if (nack->count == 0) {
        nack->deadline = MONO_NEVER;
    }
}

void nack_input(struct nack *nack, int64_t seq, bool answer, mono_us now)
{
    if (!nack->started) {
        nack->started = true;
        nack->top = seq;
    } else if (seq > nack->top) {
        gap(nack, seq, now);
        nack->top = seq;
    } else if (nack->count) {
        close_gap(nack, seq, answer, now);
    }
}

void nack_skip(struct nack *nack, int64_t seq)
{
    nack->top = nack->started && nack->top > seq ? nack->top : seq;
    nack->started = true;
    nack->count = 0;
    nack->deadline = MONO_NEVER;
}

/*
 * Wait before the next request: one round trip and a bit. What is lost several times is still of
 * use, and a picture stands until it comes; only a path that answers nothing is asked less often,
 * a quarter less each time. Browsers answer a repeated request only when their own idea of a round
 * trip has passed since the last answer: one that comes a moment too soon is asked in vain, so the
 * next one does not wait for another whole round trip. Where the path itself was measured, that
 * counts and not how long answers take, which wait for their turn at the sender.
 */
static mono_us wait_us(const struct nack *nack, uint8_t tries)
{
    mono_us wait = nack->rtt_least_us ? nack->rtt_least_us + nack->rtt_least_us / 8
                                      : nack->rtt_us + nack->rtt_us / 4;
    wait += 5 * US_PER_MS;
    wait = tries > 1 ? wait / 2 : wait;
    for (uint8_t i = NACK_STEADY; i < tries && wait < WAIT_MAX_US; i++) {
        wait += wait / 4;
    }
    wait = wait < WAIT_MIN_US ? WAIT_MIN_US : wait;
    return mono_min(wait, WAIT_MAX_US);
}

uint32_t nack_collect(struct nack *nack, int64_t *out, uint32_t cap, mono_us now)
{
    uint32_t n = 0;
    uint32_t kept = 0;
    nack->deadline = MONO_NEVER;
    for (uint32_t i = 0; i < nack->count; i++) {
        struct nack_item item = nack->item[i];
        bool due = item.next_us <= now;
        if (now - item.since_us > nack->keep_us || (due && item.tries == NACK_TRIES)) {
            nack->lost++;
            continue;
        }
        if (due && n < cap) {
            out[n++] = item.seq;
            item.tries++;
            item.sent_ms = (uint32_t)(now / US_PER_MS);
            item.next_us = now + wait_us(nack, item.tries);
        }
        nack->deadline = mono_min(nack->deadline, item.next_us);
        nack->item[kept++] = item;
    }
    nack->count = kept;
    return n;
}

uint32_t nack_lost(struct nack *nack)
{
    uint32_t lost = nack->lost;
    nack->lost = 0;
    return lost;
}
