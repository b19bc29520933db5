#include "server/sfu/bind.h"

#include <string.h>

enum { REPLACE_MS = 2000 }; /* a silent SSRC may be replaced by a new one of the same layer */

static struct ssrc_bind *find(struct peer *peer, uint32_t ssrc)
{
    for (uint32_t i = 0; i < peer->binds; i++) {
        if (peer->bind[i].ssrc == ssrc) {
            return &peer->bind[i];
        }
    }
    return NULL;
}

const struct ssrc_bind *bind_known(struct peer *peer, uint32_t ssrc)
{
    return find(peer, ssrc);
}

/* Source of a MID; SOURCE_COUNT when it is none of the peer's send sections. */
static unsigned source_of(const struct peer *peer, const char *mid)
{
    unsigned s = 0;
    while (s < SOURCE_COUNT && (mid[0] == '\0' || strcmp(peer->offer.mid[s], mid) != 0)) {
        s++;
    }
    return s;
}

/* Layer of a RID: ours are h, m, l; others take the next free place. LAYERS_MAX when full. */
static unsigned layer_of(struct peer *peer, unsigned source, const char *rid)
{
    static const char ours[LAYERS_MAX] = {'h', 'm', 'l'};
    if (rid[0] == '\0') {
        return 0;
    }
    for (unsigned i = 0; i < LAYERS_MAX; i++) {
        if (strcmp(peer->rid[source][i], rid) == 0) {
            return i;
        }
    }
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned i = 0; i < LAYERS_MAX; i++) {
            bool place = pass == 1 || (rid[0] == ours[i] && rid[1] == '\0');
            if (place && peer->rid[source][i][0] == '\0') {
                size_t len = strnlen(rid, sizeof(peer->rid[source][i]) - 1);
                memcpy(peer->rid[source][i], rid, len);
                return i;
            }
        }
    }
    return LAYERS_MAX;
}

/* The entry another SSRC holds for the same layer, or NULL. */
static struct ssrc_bind *holder(struct peer *peer, const struct ssrc_bind *want)
{
    for (uint32_t i = 0; i < peer->binds; i++) {
        struct ssrc_bind *b = &peer->bind[i];
        if (b->source == want->source && b->layer == want->layer && b->rtx == want->rtx) {
            return b;
        }
    }
    return NULL;
}

static struct ssrc_bind *bind_new(struct peer *peer, const struct ssrc_bind *want, uint32_t now_ms,
                                  enum drop *drop)
{
    struct ssrc_bind *old = holder(peer, want);
    if (old && old->last_ms && now_ms - old->last_ms < REPLACE_MS) {
        *drop = DROP_SSRC_FOREIGN;
        return NULL;
    }
    if (peer->binds_made == PEER_SSRCS || (!old && peer->binds == PEER_SSRCS)) {
        *drop = DROP_SSRC_LIMIT;
        return NULL;
    }
    peer->binds_made++;
    struct ssrc_bind *b = old ? old : &peer->bind[peer->binds++];
    *b = *want;
    return b;
}

struct ssrc_bind *bind_find(struct peer *peer, const struct rtp_header *hdr,
                            const struct rtpext_set *exts, const uint8_t *data, bool rtx,
                            mono_us now, enum drop *drop)
{
    uint32_t now_ms = (uint32_t)(now / US_PER_MS) | 1;
    struct ssrc_bind *b = find(peer, hdr->ssrc);
    if (!b) {
        char mid[RTPEXT_MID_MAX];
        char rid[12];
        rtpext_text(exts, data, RTPEXT_MID, mid, sizeof(mid));
        rtpext_text(exts, data, rtx ? RTPEXT_REPAIRED_RID : RTPEXT_RID, rid, sizeof(rid));
        unsigned source = source_of(peer, mid);
        if (source == SOURCE_COUNT) {
            *drop = DROP_SSRC_UNKNOWN;
            return NULL;
        }
        unsigned layer = layer_of(peer, source, rid);
        if (layer == LAYERS_MAX) {
            *drop = DROP_SSRC_FOREIGN;
            return NULL;
        }
        struct ssrc_bind want = {
            .ssrc = hdr->ssrc, .source = (uint8_t)source, .layer = (uint8_t)layer, .rtx = rtx};
        b = bind_new(peer, &want, now_ms, drop);
    }
    if (b && b->rtx != rtx) {
        *drop = DROP_PT_UNKNOWN;
        return NULL;
    }
    if (b) {
        b->last_ms = now_ms;
    }
    return b;
}
