#include "server/sfu/pace.h"

#include "server/sfu/core.h"

void pace_probe(struct sfu *sfu, struct peer *peer, const struct pace_probe *probe, mono_us now)
{
    (void)sfu;
    (void)now;
    peer->probe = *probe;
    peer->probe_left = probe->bytes;
}
