#include "server/proto/moderation.h"

void moderation_init(struct moderation *m)
{
    *m = (struct moderation){0};
}

void moderation_input(struct moderation *m, uint64_t packets, mono_us elapsed)
{
    uint64_t in_a_rest = packets * MODERATION_REST_US / (uint64_t)elapsed;
    if (in_a_rest < (m->rest_us ? MODERATION_END : MODERATION_BEGIN)) {
        m->rest_us = 0;
        return;
    }
    mono_us gathered = (mono_us)(MODERATION_BATCH * (uint64_t)elapsed / packets);
    m->rest_us = mono_min(gathered, MODERATION_REST_US);
}

void moderation_hurry(struct moderation *m, mono_us now)
{
    m->hurry_until = now + MODERATION_HURRY_US;
}

mono_us moderation_until(const struct moderation *m, mono_us turn)
{
    return turn < m->hurry_until ? turn : turn + m->rest_us;
}
