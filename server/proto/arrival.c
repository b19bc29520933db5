#include "server/proto/arrival.h"

enum { REORDERED_MAX = 3, CLOCK_JUMP_US = 3 * US_PER_S };

void arrival_init(struct arrival *a)
{
    *a = (struct arrival){0};
}

static void open_group(struct arrival *a, mono_us sent, int64_t got, uint32_t bytes)
{
    a->now = (struct arrival_group){
        .first_sent = sent,
        .last_sent = sent,
        .first_got = got,
        .last_got = got,
        .bytes = bytes,
    };
}

static bool belongs(const struct arrival_group *g, mono_us sent, int64_t got)
{
    if (sent - g->first_sent <= ARRIVAL_BURST_US) {
        return true;
    }
    int64_t got_us = got - g->last_got;
    int64_t propagation_us = got_us - (sent - g->last_sent);
    return propagation_us < 0 && got_us <= ARRIVAL_BURST_US &&
           got - g->first_got < ARRIVAL_BURST_MAX_US;
}

/* Compares the open group with the one before; false when it cannot be used. */
static bool compare(struct arrival *a, struct arrival_delta *out)
{
    out->sent_us = a->now.last_sent - a->before.last_sent;
    out->got_us = a->now.last_got - a->before.last_got;
    out->bytes = (int32_t)a->now.bytes - (int32_t)a->before.bytes;
    out->got_at = a->now.last_got;
    int64_t off = out->got_us - out->sent_us;
    if (off >= CLOCK_JUMP_US || off <= -CLOCK_JUMP_US) {
        arrival_init(a); /* the receiver's clock jumped: begin anew */
        return false;
    }
    if (out->got_us < 0) {
        if (++a->reordered >= REORDERED_MAX) {
            arrival_init(a);
        }
        return false;
    }
    a->reordered = 0;
    return true;
}

bool arrival_input(struct arrival *a, mono_us sent, int64_t got, uint32_t bytes,
                   struct arrival_delta *out)
{
    if (a->groups == 0) {
        open_group(a, sent, got, bytes);
        a->groups = 1;
        return false;
    }
    if (sent < a->now.first_sent) {
        return false; /* of a group that is closed */
    }
    if (belongs(&a->now, sent, got)) {
        a->now.last_sent = sent > a->now.last_sent ? sent : a->now.last_sent;
        a->now.last_got = got > a->now.last_got ? got : a->now.last_got;
        a->now.bytes += bytes;
        return false;
    }
    bool valid = a->groups == 2 && compare(a, out);
    if (a->groups) {
        a->before = a->now;
        a->groups = 2;
    } else {
        a->groups = 1;
    }
    open_group(a, sent, got, bytes);
    return valid;
}
