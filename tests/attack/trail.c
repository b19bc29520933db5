#include "tests/attack/trail.h"

#include <stdbool.h>
#include <stdio.h>

#include "codec/base/mem.h"

enum {
    NUMBERS = 65536,
    AHEAD = 16384, /* a transport number so far ahead of the newest forgets what was there before */
    ODDS = 16,
    AROUND = 3, /* neighbours on each side */
    REACH = 200,
    SLACK = 16, /* sound and pictures overtake each other by so many */
};

struct odd {
    const char *what;
    int detail;
    struct trail_packet packet;
    mono_us at;
};

struct trail {
    struct {
        struct trail_packet packet;
        bool came;
    } by_number[NUMBERS];
    bool transport[NUMBERS];
    uint16_t transport_top;
    bool started;
    uint32_t odds;
    struct odd odd[ODDS];
};

struct trail *trail_new(void)
{
    return mem_alloc(sizeof(struct trail));
}

void trail_free(struct trail *trail)
{
    mem_free(trail);
}

void trail_note(struct trail *trail, const struct trail_packet *packet)
{
    if (!packet->numbered) {
        return;
    }
    uint16_t ahead = (uint16_t)(packet->transport - trail->transport_top);
    if (!trail->started) {
        trail->transport_top = packet->transport;
        trail->started = true;
    } else if (ahead && ahead < AHEAD) {
        for (uint16_t i = 1; i < ahead; i++) {
            trail->transport[(uint16_t)(trail->transport_top + i)] = false;
        }
        trail->transport_top = packet->transport;
    }
    trail->transport[packet->transport] = true;
}

void trail_came(struct trail *trail, uint32_t n, const struct trail_packet *packet)
{
    trail->by_number[n % NUMBERS].packet = *packet;
    trail->by_number[n % NUMBERS].came = true;
}

void trail_odd(struct trail *trail, const char *what, int detail, const struct trail_packet *packet,
               mono_us now)
{
    trail->odd[trail->odds++ % ODDS] =
        (struct odd){.what = what, .detail = detail, .packet = *packet, .at = now};
}

/* Transport numbers from .. to lie around what is missing. */
struct range {
    uint16_t from, to;
    bool any;
};

static void range_add(struct range *range, uint16_t transport)
{
    if (!range->any) {
        *range = (struct range){.from = transport, .to = transport, .any = true};
    }
    range->from = (int16_t)(transport - range->from) < 0 ? transport : range->from;
    range->to = (int16_t)(transport - range->to) > 0 ? transport : range->to;
}

/* Prints up to AROUND neighbours of n on one side; how many there are. */
static uint32_t side(const struct trail *trail, uint32_t n, int step, struct range *range)
{
    uint32_t found = 0;
    for (uint32_t i = 1; i < REACH && found < AROUND; i++) {
        uint32_t at = (step < 0 ? n - i : n + i) % NUMBERS;
        const struct trail_packet *p = &trail->by_number[at].packet;
        if (trail->by_number[at].came && p->numbered) {
            (void)printf("  %+d: slot %u number %u transport %u\n", step * (int)i, p->slot, p->seq,
                         p->transport);
            range_add(range, p->transport);
            found++;
        }
    }
    return found;
}

/* The odd arrival that was this transport number; NULL when there is none. */
static const struct odd *odd_of(const struct trail *trail, uint16_t transport)
{
    for (uint32_t i = 0; i < ODDS && i < trail->odds; i++) {
        if (trail->odd[i].packet.numbered && trail->odd[i].packet.transport == transport) {
            return &trail->odd[i];
        }
    }
    return NULL;
}

void trail_tell(const struct trail *trail, uint32_t n)
{
    struct range range = {.any = false};
    uint32_t missing = 0;
    if (!side(trail, n, -1, &range) || !side(trail, n, 1, &range)) {
        (void)printf("  nothing on one side of it\n");
        return;
    }
    uint16_t end = (uint16_t)(range.to + SLACK);
    end = (int16_t)(end - trail->transport_top) > 0 ? trail->transport_top : end;
    for (uint16_t t = (uint16_t)(range.from - SLACK); t != end; t++) {
        if (!trail->transport[t]) {
            const struct odd *odd = odd_of(trail, t);
            (void)printf("  transport number %u %s%s\n", t, odd ? "came, but: " : "did not come",
                         odd ? odd->what : "");
            missing++;
        }
    }
    (void)printf(missing ? "  so the server sent it\n" : "  so the server has not sent it\n");
}

void trail_tell_odd(const struct trail *trail, mono_us now)
{
    uint32_t kept = trail->odds < ODDS ? trail->odds : ODDS;
    for (uint32_t i = trail->odds - kept; i != trail->odds; i++) {
        const struct odd *o = &trail->odd[i % ODDS];
        (void)printf("  %.3f s ago: %s (%d): slot %u number %u\n", (double)(now - o->at) / US_PER_S,
                     o->what, o->detail, o->packet.slot, o->packet.seq);
    }
}
