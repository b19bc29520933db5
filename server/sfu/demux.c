/* From a datagram to its peer: class, tuple, and STUN by the ufrag it names. */
#include <string.h>

#include "codec/wire/class.h"
#include "server/sfu/cc.h"
#include "server/sfu/core.h"

/* Compared and hashed as bytes, so unused bytes must be zero. */
static uint64_t tuple_key(const struct sfu *sfu, const struct tuple *tuple)
{
    uint8_t bytes[46];
    memset(bytes, 0, sizeof(bytes));
    memcpy(bytes, tuple->remote.ip, 16);
    memcpy(bytes + 16, tuple->local.ip, 16);
    memcpy(bytes + 32, &tuple->remote.port, 2);
    memcpy(bytes + 34, &tuple->local.port, 2);
    bytes[36] = tuple->remote.family;
    bytes[37] = tuple->proto;
    memcpy(bytes + 38, &tuple->conn, 4);
    return hash_bytes(&sfu->key, bytes, sizeof(bytes));
}

/* Most datagrams come from somebody who sent one a moment ago: no hashing for them. */
static struct sender *recent_of(struct sfu *sfu, const struct tuple *tuple)
{
    unsigned mixed = tuple->remote.port ^ tuple->remote.ip[3] ^ tuple->remote.ip[15] ^ tuple->conn;
    return &sfu->recent[mixed % SFU_RECENT];
}

void demux_add_tuple(struct sfu *sfu, const struct tuple *tuple, struct peer *peer)
{
    recent_of(sfu, tuple)->peer = 0;
    if (map_set(&sfu->peer_by_tuple, tuple_key(sfu, tuple), peer->pool)) {
        sfu_drop(sfu, DROP_QUEUE_FULL);
    }
}

void demux_del_tuple(struct sfu *sfu, const struct tuple *tuple, const struct peer *peer)
{
    uint64_t key = tuple_key(sfu, tuple);
    uint64_t value;
    recent_of(sfu, tuple)->peer = 0;
    if (map_find(&sfu->peer_by_tuple, key, &value) && value == peer->pool) {
        map_del(&sfu->peer_by_tuple, key);
    }
}

struct peer *demux_find(struct sfu *sfu, const struct tuple *from)
{
    struct sender *recent = recent_of(sfu, from);
    uint64_t value;
    if (recent->peer && tuple_equal(&recent->from, from)) {
        return pool_at(&sfu->peers, recent->peer);
    }
    if (!map_find(&sfu->peer_by_tuple, tuple_key(sfu, from), &value)) {
        return NULL;
    }
    *recent = (struct sender){.from = *from, .peer = value};
    return pool_at(&sfu->peers, value);
}

/*
 * An authenticated check of the peer came from there. Whose media an address carries is asked with
 * every check, not only with a path's first: another one's check can have come from it meanwhile (a
 * router that gives a port again, or somebody in the class who forges an address, and checks need
 * no answer for that). Who was heard from it lately keeps it.
 */
static void demux_claim(struct sfu *sfu, const struct tuple *from, struct peer *peer, mono_us now)
{
    enum { HEARD_US = 3 * US_PER_S }; /* browsers report once a second when they send nothing */
    const struct peer *holder = demux_find(sfu, from);
    if (holder == peer) {
        return;
    }
    int at = holder ? ice_knows(&holder->ice, from, now) : -1;
    if (at < 0 || now - holder->ice.path[at].heard >= HEARD_US) {
        demux_add_tuple(sfu, from, peer);
    }
}

static void path_update(struct sfu *sfu, struct peer *peer, mono_us now)
{
    const struct tuple *to = ice_selected(&peer->ice);
    if (to && !peer->gone) {
        if (!tuple_equal(&peer->to, to)) {
            cc_path(sfu, peer, now);
        }
        peer->to = *to;
        peer->consent_until = peer->ice.path[peer->ice.selected].checked + ICE_CONSENT_US;
    } else {
        peer->consent_until = 0;
    }
}

void demux_ice_arm(struct sfu *sfu, struct peer *peer)
{
    sfu_arm(sfu, &peer->ice_node, TIMER_PEER_ICE, ice_deadline(&peer->ice));
}

void demux_ice_changes(struct sfu *sfu, struct peer *peer, const struct ice_out *out, mono_us now)
{
    struct sfu_evt evt = {.peer = peer->id};
    if (out->changes & ICE_PATH_GONE) {
        demux_del_tuple(sfu, &out->gone, peer);
    }
    if (out->changes & ICE_OLD_GONE) {
        map_del(&sfu->peer_by_ufrag, ice_ufrag_key(out->gone_ufrag));
    }
    path_update(sfu, peer, now);
    /* Back after consent was over is another path as well: nothing of its slots went out meanwhile.
     */
    bool back = out->changes & ICE_BACK && peer->lost && !peer->gone;
    if (back || (out->changes & ICE_SELECTED && out->silent_us >= PEER_PATH_LOST_US)) {
        peer_path_anew(sfu, peer, now);
    }
    if (out->changes & ICE_SELECTED && !peer->connected && !peer->checked) {
        peer->checked = true;
        peer->handshake_until = now + PEER_HANDSHAKE_US;
        sfu_arm(sfu, &peer->dtls_node, TIMER_PEER_DTLS, peer->handshake_until);
    }
    if (out->changes & ICE_LOST && !peer->lost) {
        peer->lost = true;
        evt.kind = SFU_EVT_LOST;
        sfu_emit(sfu, &evt);
    }
    if (back) {
        peer->lost = false;
        evt.kind = SFU_EVT_BACK;
        sfu_emit(sfu, &evt);
    }
}

static enum drop input_stun(struct sfu *sfu, const struct pkt *pkt, const struct tuple *from,
                            mono_us now)
{
    char ufrag[ICE_UFRAG_LEN + 1];
    uint64_t id;
    struct ice_out out;
    if (ice_peek_ufrag(pkt->data, pkt->len, ufrag)) {
        return DROP_STUN_BAD;
    }
    if (!map_find(&sfu->peer_by_ufrag, ice_ufrag_key(ufrag), &id)) {
        return DROP_STUN_UNKNOWN_USER;
    }
    struct peer *peer = pool_at(&sfu->peers, id);
    if (!peer) {
        return DROP_STUN_UNKNOWN_USER;
    }
    enum drop drop = ice_input(&peer->ice, &sfu->crypto, pkt->data, pkt->len, from, now, &out);
    if (drop) {
        return drop;
    }
    sfu->stats.ice_checks++;
    /* Chromium throws away what comes from an address before the answer to its check. */
    if (out.len) {
        memcpy(txbatch_room(sfu->tx), out.response, out.len);
        txbatch_commit(sfu->tx, from, out.len);
        sfu->stats.tx_packets++;
        sfu->stats.tx_bytes += out.len;
    }
    if (ice_knows(&peer->ice, from, now) >= 0) {
        demux_claim(sfu, from, peer, now);
    }
    demux_ice_changes(sfu, peer, &out, now);
    demux_ice_arm(sfu, peer);
    return DROP_NONE;
}

static enum drop input_peer(struct sfu *sfu, struct pkt *pkt, const struct tuple *from,
                            enum wire_class class, mono_us now)
{
    struct peer *peer = demux_find(sfu, from);
    int path = peer ? ice_knows(&peer->ice, from, now) : -1;
    if (path < 0) {
        return DROP_UNKNOWN_TUPLE;
    }
    if (class == WIRE_DTLS) {
        return handshake_queue(sfu, peer, pkt, now);
    }
    if (!peer->open) {
        return DROP_NO_KEYS;
    }
    enum drop drop =
        class == WIRE_RTCP ? peer_rx_rtcp(sfu, peer, pkt, now) : peer_rx_rtp(sfu, peer, pkt, now);
    if (!drop && !ice_heard(&peer->ice, path, now)) {
        struct ice_out out;
        ice_heard_beside(&peer->ice, path, now, &out);
        if (out.changes) {
            demux_ice_changes(sfu, peer, &out, now);
        }
    }
    return drop;
}

enum drop sfu_input(struct sfu *sfu, struct pkt *pkt, const struct tuple *from, mono_us now)
{
    enum wire_class class = wire_classify(pkt->data, pkt->len);
    enum drop drop = DROP_UNKNOWN_CLASS;
    sfu->stats.rx_packets++;
    sfu->stats.rx_bytes += pkt->len;
    pkt->arrival = now;
    if (pkt->len < 2) {
        drop = DROP_EMPTY;
    } else if (class == WIRE_STUN) {
        drop = input_stun(sfu, pkt, from, now);
    } else if (class != WIRE_UNKNOWN) {
        drop = input_peer(sfu, pkt, from, class, now);
    }
    pkt_put(&pkt);
    return drop ? sfu_drop(sfu, drop) : DROP_NONE;
}

void sfu_conn_closed(struct sfu *sfu, const struct tuple *tuple, mono_us now)
{
    struct peer *peer = demux_find(sfu, tuple);
    struct ice_out out;
    if (!peer) {
        return;
    }
    ice_forget(&peer->ice, tuple, now, &out);
    demux_del_tuple(sfu, tuple, peer);
    demux_ice_changes(sfu, peer, &out, now);
    demux_ice_arm(sfu, peer);
}
