#include "codec/wire/twcc.h"

#include <string.h>

#include "codec/base/err.h"

enum { SYMBOL_LOST = 0, SYMBOL_SMALL = 1, SYMBOL_LARGE = 2 };
enum {
    VECTOR_1BIT_LEN = 14,
    VECTOR_2BIT_LEN = 7,
    RUN_MAX = 8191,
    SMALL_MAX = 255,
    REFERENCE_TICKS = TWCC_REFERENCE_US / TWCC_TICK_US,
};

/* ---- parsing ------------------------------------------------------------------------------- */

/* Symbols of one chunk into status[at ..]; their number, or 0 on a reserved symbol. delta holds the
 * symbol until the deltas are read. */
static size_t parse_chunk(struct twcc_status *status, size_t at, size_t count, unsigned chunk)
{
    size_t n;
    unsigned bits = 0;
    if (!(chunk & 0x8000u)) { /* run length: 2 bits of symbol, 13 of length */
        n = chunk & 0x1fffu;
    } else {
        bits = chunk & 0x4000u ? 2 : 1;
        n = bits == 2 ? VECTOR_2BIT_LEN : VECTOR_1BIT_LEN;
    }
    n = n < count - at ? n : count - at;
    for (size_t i = 0; i < n; i++) {
        unsigned symbol =
            bits ? chunk >> (14 - bits * (i + 1)) & (bits == 2 ? 3u : 1u) : chunk >> 13 & 3u;
        if (symbol == 3) {
            return 0;
        }
        status[at + i].delta = (int16_t)symbol;
    }
    return n;
}

int twcc_parse(struct twcc_feedback *out, struct twcc_status *status, size_t cap,
               const struct rtcp_packet *pkt)
{
    struct rtcp_fb fb;
    if (pkt->type != RTCP_RTPFB || pkt->count != RTPFB_TRANSPORT_CC ||
        rtcp_parse_fb(&fb, pkt) != 0) {
        return E_BAD;
    }
    struct rd r = rd_init(fb.fci, fb.fci_len);
    *out = (struct twcc_feedback){.sender = fb.sender, .media = fb.media};
    out->base_seq = rd_u16(&r);
    out->count = rd_u16(&r);
    out->reference = rd_u24(&r);
    out->number = rd_u8(&r);
    if (r.bad) {
        return E_BAD;
    }
    if (out->count == 0 || out->count > cap) {
        return E_LIMIT;
    }
    for (size_t at = 0; at < out->count;) {
        unsigned chunk = rd_u16(&r);
        size_t n = r.bad ? 0 : parse_chunk(status, at, out->count, chunk);
        if (n == 0) {
            return E_BAD;
        }
        at += n;
    }
    for (size_t i = 0; i < out->count; i++) {
        struct twcc_status *s = &status[i];
        int16_t symbol = s->delta;
        s->seq = (uint16_t)(out->base_seq + i);
        s->received = symbol != SYMBOL_LOST;
        s->delta = 0;
        if (symbol == SYMBOL_SMALL) {
            s->delta = rd_u8(&r);
        } else if (symbol == SYMBOL_LARGE) {
            s->delta = (int16_t)rd_u16(&r);
        }
    }
    return r.bad ? E_BAD : 0;
}

int64_t twcc_reference_us(const struct twcc_feedback *fb, int64_t ref_us)
{
    int64_t span = (int64_t)1 << TWCC_REFERENCE_BITS;
    int64_t near = ref_us / TWCC_REFERENCE_US;
    int64_t diff = ((int64_t)fb->reference - near) & (span - 1);
    return (near + (diff > span / 2 ? diff - span : diff)) * TWCC_REFERENCE_US;
}

/* ---- building ------------------------------------------------------------------------------ */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* What one feedback packet will say: symbols per sequence number, and their arrivals. */
struct plan {
    uint8_t symbol[TWCC_STATUS_MAX];
    size_t count;   /* symbols */
    size_t taken;   /* arrivals */
    int64_t first;  /* sequence number of symbol[0] */
    int64_t origin; /* reference time in ticks */
};

/* Takes arrivals while their deltas fit 16 bits and the range fits the packet. */
static void plan_make(struct plan *plan, int64_t first, const struct twcc_arrival *arrivals,
                      size_t n)
{
    if (arrivals[0].seq - first >= TWCC_STATUS_MAX) {
        first = arrivals[0].seq; /* the gap is wider than one feedback: it is reported no more */
    }
    plan->first = first;
    plan->count = 0;
    plan->taken = 0;
    plan->origin = floor_div(arrivals[0].at, TWCC_REFERENCE_US) * REFERENCE_TICKS;
    int64_t last = plan->origin;
    for (size_t i = 0; i < n; i++) {
        int64_t ticks = floor_div(arrivals[i].at, TWCC_TICK_US);
        int64_t delta = ticks - last;
        int64_t index = arrivals[i].seq - first;
        if (index < (int64_t)plan->count || index >= TWCC_STATUS_MAX || delta > INT16_MAX ||
            delta < INT16_MIN) {
            return;
        }
        while ((int64_t)plan->count < index) {
            plan->symbol[plan->count++] = SYMBOL_LOST;
        }
        plan->symbol[plan->count++] =
            delta >= 0 && delta <= SMALL_MAX ? SYMBOL_SMALL : SYMBOL_LARGE;
        plan->taken++;
        last = ticks;
    }
}

/* Equal symbols from the start of s. */
static size_t run_length(const uint8_t *s, size_t n)
{
    size_t run = 1;
    while (run < n && run < RUN_MAX && s[run] == s[0]) {
        run++;
    }
    return run;
}

/* Writes the chunk that covers most of s[0 .. n); returns how many symbols that is. */
static size_t write_chunk(struct wr *w, const uint8_t *s, size_t n)
{
    size_t run = run_length(s, n);
    size_t len = n < VECTOR_1BIT_LEN ? n : VECTOR_1BIT_LEN;
    unsigned bits = 1;
    for (size_t i = 0; i < len; i++) {
        if (s[i] == SYMBOL_LARGE) {
            bits = 2;
            len = n < VECTOR_2BIT_LEN ? n : VECTOR_2BIT_LEN;
        }
    }
    if (run >= len) {
        wr_u16(w, (uint16_t)((unsigned)s[0] << 13 | run));
        return run;
    }
    unsigned chunk = bits == 2 ? 0xc000u : 0x8000u;
    for (size_t i = 0; i < len; i++) {
        chunk |= (unsigned)s[i] << (14 - bits * (i + 1));
    }
    wr_u16(w, (uint16_t)chunk);
    return len;
}

static void write_plan(struct wr *w, const struct plan *plan, uint32_t sender, uint32_t media,
                       uint8_t number, const struct twcc_arrival *arrivals)
{
    uint8_t *length_at = rtcp_write_header(w, RTPFB_TRANSPORT_CC, RTCP_RTPFB);
    size_t start = wr_len(w);
    wr_u32(w, sender);
    wr_u32(w, media);
    wr_u16(w, (uint16_t)plan->first);
    wr_u16(w, (uint16_t)plan->count);
    wr_u24(w, (uint32_t)(plan->origin / REFERENCE_TICKS) & 0xffffff);
    wr_u8(w, number);
    for (size_t at = 0; at < plan->count && !w->bad;) {
        at += write_chunk(w, plan->symbol + at, plan->count - at);
    }
    int64_t last = plan->origin;
    for (size_t i = 0; i < plan->taken; i++) {
        int64_t ticks = floor_div(arrivals[i].at, TWCC_TICK_US);
        int64_t delta = ticks - last;
        if (delta >= 0 && delta <= SMALL_MAX) {
            wr_u8(w, (uint8_t)delta);
        } else {
            wr_u16(w, (uint16_t)delta);
        }
        last = ticks;
    }
    wr_zero(w, (4 - (wr_len(w) - start) % 4) % 4);
    rtcp_write_end(w, length_at);
}

size_t twcc_build(struct wr *w, uint32_t sender, uint32_t media, uint8_t number, int64_t first,
                  const struct twcc_arrival *arrivals, size_t n)
{
    struct plan plan;
    plan.taken = 0;
    const struct wr before = *w;
    /* Size grows with every arrival, so the largest number that fits is found by halving. */
    size_t fits = 0;
    size_t too_many = n + 1;
    size_t try = n;
    while (try > fits) {
        *w = before;
        plan_make(&plan, first, arrivals, try);
        write_plan(w, &plan, sender, media, number, arrivals);
        if (!w->bad) {
            fits = plan.taken;
            if (plan.taken < try) {
                break; /* range, not size, is the limit: all that one packet can say is said */
            }
        } else {
            too_many = plan.taken;
        }
        try = fits + (too_many - fits) / 2;
    }
    if (w->bad || plan.taken != fits || fits == 0) {
        *w = before;
        if (fits) {
            plan_make(&plan, first, arrivals, fits);
            write_plan(w, &plan, sender, media, number, arrivals);
        }
    }
    return fits;
}
