#include "server/sfu/share.h"

#include "server/sfu/core.h"

void share_update(struct sfu *sfu, struct peer *peer, mono_us now)
{
    for (unsigned i = peer->audio_slots; i < peer->slots; i++) {
        if (peer->slot[i]) {
            subscription_update(sfu, peer->slot[i], now);
        }
    }
}
