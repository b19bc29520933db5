#include "server/sfu/outcome.h"

#include "codec/wire/twcc.h"
#include "server/sfu/cc.h"
#include "server/sfu/core.h"

static struct outcome_entry *entry_of(struct outcome *o, uint16_t number)
{
    return &o->entry[number % OUTCOME_KEPT];
}

void outcome_note(struct sfu *sfu, struct subscription *sub, uint16_t seq, uint16_t stamp,
                  enum outcome_kind kind)
{
    struct peer *peer = sub->peer;
    uint16_t number = (uint16_t)(peer->twcc_seq - 1);
    if (!peer->red_depth && !peer->watched) {
        return;
    }
    if (!peer->outcome) {
        pool_id id;
        peer->outcome = pool_get(&sfu->outcomes, &id);
        if (!peer->outcome) {
            return;
        }
        peer->outcome->id = id;
        peer->outcome->told = number;
    }
    *entry_of(peer->outcome, number) = (struct outcome_entry){
        .number = number,
        .seq = seq,
        .stamp = stamp,
        .slot = sub->slot,
        .kind = (uint8_t)kind,
    };
}

/* The packet with this number, once; false when there is none of a picture. */
static bool take(struct peer *peer, uint16_t number, struct outcome_entry *out)
{
    struct outcome_entry *e = entry_of(peer->outcome, number);
    if (e->kind == OUTCOME_NONE || e->number != number || !peer->slot[e->slot]) {
        return false;
    }
    *out = *e;
    e->kind = OUTCOME_NONE;
    return true;
}

/* Feedback is lost, too. Then nobody knows, and what may not be asked for is repeated to be sure,
 * but where little is lost: hardly any of it was.
 */
static void untold(struct sfu *sfu, struct peer *peer, uint16_t first, mono_us now)
{
    struct outcome *o = peer->outcome;
    uint16_t missing = (uint16_t)(first - o->told);
    struct outcome_entry e;
    for (; missing && missing < OUTCOME_KEPT; missing--) {
        if (take(peer, o->told++, &e) && peer->red_depth &&
            (e.kind == OUTCOME_REPAIR || (e.kind == OUTCOME_UPPER && cc_may_guess(peer, now)))) {
            retransmit_lost(sfu, peer->slot[e.slot], e.seq, e.stamp, now);
        }
    }
}

/* From the first loss on, until there was none for a while. A queue that overflows would only be
 * fed. */
static void watch(struct peer *peer, const struct twcc_status *status, size_t count, mono_us now)
{
    for (size_t i = 0; i < count; i++) {
        if (!status[i].received) {
            peer->missed_us = now;
            peer->watched = true;
            break;
        }
    }
    if (peer->watched && (now - peer->missed_us >= OUTCOME_CALM_US || cc_narrow(peer))) {
        peer->watched = false;
    }
}

void outcome_told(struct sfu *sfu, struct peer *peer, const struct twcc_status *status,
                  size_t count, mono_us now)
{
    struct outcome_entry e;
    watch(peer, status, count, now);
    if (!peer->outcome || count == 0) {
        return;
    }
    for (size_t i = 0; i < count; i++) { /* first what came: of two copies one is enough */
        if (status[i].received && take(peer, status[i].seq, &e)) {
            rtx_arrived(&peer->slot[e.slot]->rtx, e.seq, now);
        }
    }
    untold(sfu, peer, status[0].seq, now);
    for (size_t i = 0; i < count; i++) {
        if (!status[i].received && take(peer, status[i].seq, &e)) {
            retransmit_lost(sfu, peer->slot[e.slot], e.seq, e.stamp, now);
        }
    }
    uint16_t after = (uint16_t)(status[count - 1].seq + 1);
    if ((int16_t)(uint16_t)(after - peer->outcome->told) > 0) {
        peer->outcome->told = after;
    }
}

void outcome_close(struct sfu *sfu, struct peer *peer)
{
    if (peer->outcome) {
        pool_put(&sfu->outcomes, peer->outcome->id);
        peer->outcome = NULL;
    }
}
