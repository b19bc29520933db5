/*
 * DTLS, one datagram a step and media first: datagrams wait in a bounded queue that sfu_flush
 * shortens by one each time. Only a tuple with an authenticated check gets here (S1, S2). A failed
 * handshake is thrown away and may begin anew until the time for it is over; it never ends a call.
 * What ends one is the peer's close_notify, encrypted with its key: nothing is sent to it any more.
 */
#include "codec/base/err.h"
#include "server/sfu/core.h"

enum { RECORD_ALERT = 21, ALERT_MAX = 64 };

/* Once media came, an alert is all that DTLS may still say. */
static bool is_alert(const struct pkt *pkt)
{
    return pkt->len <= ALERT_MAX && pkt->data[0] == RECORD_ALERT;
}

enum drop handshake_queue(struct sfu *sfu, struct peer *peer, struct pkt *pkt, mono_us now)
{
    (void)now;
    if (peer->handshake_over && !(peer->dtls && is_alert(pkt))) {
        return DROP_DTLS_STATE;
    }
    if (sfu->dtls_count == SFU_DTLS_QUEUE) {
        return DROP_QUEUE_FULL;
    }
    uint32_t at = (sfu->dtls_head + sfu->dtls_count++) % SFU_DTLS_QUEUE;
    sfu->dtls[at] = (struct dtls_item){.pkt = pkt_get(pkt), .peer = peer->id};
    return DROP_NONE;
}

static void send_output(struct sfu *sfu, struct peer *peer, mono_us now)
{
    for (;;) {
        uint8_t *out = txbatch_room(sfu->tx);
        size_t len = sfu->crypto.dtls_output(peer->dtls, out, TXBATCH_DATAGRAM_MAX);
        if (len == 0) {
            return;
        }
        if (now < peer->consent_until) {
            txbatch_commit(sfu->tx, &peer->to, len);
            sfu->stats.tx_packets++;
            sfu->stats.tx_bytes += len;
        } else {
            sfu_drop(sfu, DROP_NO_CONSENT);
        }
    }
}

static void discard(struct sfu *sfu, struct peer *peer)
{
    if (peer->dtls) {
        sfu->crypto.dtls_free(peer->dtls);
        peer->dtls = NULL;
    }
}

static void send_bye(struct sfu *sfu, struct peer *peer, mono_us now)
{
    if (!peer->dtls || now >= peer->consent_until) {
        return;
    }
    size_t len = sfu->crypto.dtls_bye(peer->dtls, txbatch_room(sfu->tx), TXBATCH_DATAGRAM_MAX);
    if (len) {
        txbatch_commit(sfu->tx, &peer->to, len);
        sfu->stats.tx_packets++;
        sfu->stats.tx_bytes += len;
    }
}

/* The peer said close_notify: it is answered (RFC 5246 7.2.1), then nothing more is sent. */
static void peer_gone(struct sfu *sfu, struct peer *peer, mono_us now)
{
    struct sfu_evt evt = {.kind = SFU_EVT_LOST, .peer = peer->id};
    send_bye(sfu, peer, now);
    discard(sfu, peer);
    peer->handshake_over = true;
    peer->gone = true;
    peer->consent_until = 0;
    sfu->stats.dtls_closed++;
    if (!peer->lost) {
        peer->lost = true;
        sfu_emit(sfu, &evt);
    }
}

static int take_keys(struct sfu *sfu, struct peer *peer)
{
    struct srtp_keys keys;
    int err = sfu->crypto.dtls_keys(peer->dtls, &keys);
    if (err) {
        return err;
    }
    peer->open = sfu->crypto.open_new(sfu->crypto.arg, keys.profile, &keys.client);
    peer->seal = sfu->crypto.seal_new(sfu->crypto.arg, keys.profile, &keys.server);
    keys = (struct srtp_keys){0};
    if (!peer->open || !peer->seal) {
        if (peer->open) {
            sfu->crypto.open_free(peer->open);
        }
        if (peer->seal) {
            sfu->crypto.seal_free(peer->seal);
        }
        peer->open = NULL;
        peer->seal = NULL;
        return E_NOMEM;
    }
    return 0;
}

/* Looks at where the handshake stands after it moved. */
static void advance(struct sfu *sfu, struct peer *peer, mono_us now)
{
    send_output(sfu, peer, now);
    enum dtls_state state = sfu->crypto.dtls_state(peer->dtls);
    mono_us at = peer->connected ? MONO_NEVER : peer->handshake_until;
    if (state == DTLS_CLOSED && peer->connected) {
        peer_gone(sfu, peer, now);
        at = MONO_NEVER;
    } else if (state == DTLS_FAILED || state == DTLS_CLOSED) {
        sfu->stats.dtls_failed += !peer->connected;
        discard(sfu, peer);
    } else {
        at = mono_min(at, sfu->crypto.dtls_deadline(peer->dtls));
        if (state == DTLS_DONE && !peer->connected) {
            if (take_keys(sfu, peer) == 0) {
                sfu->stats.dtls_done++;
                peer_connected(sfu, peer, now);
                at = sfu->crypto.dtls_deadline(peer->dtls);
            } else {
                sfu->stats.dtls_failed++;
                discard(sfu, peer);
            }
        }
    }
    sfu_arm(sfu, &peer->dtls_node, TIMER_PEER_DTLS, at);
}

static void step(struct sfu *sfu, struct peer *peer, const struct pkt *pkt, mono_us now)
{
    if (!peer->dtls && !peer->connected) {
        peer->dtls = sfu->crypto.dtls_new(sfu->crypto.arg, peer->offer.fingerprint, now);
    }
    if (!peer->dtls) {
        sfu_drop(sfu, peer->connected ? DROP_DTLS_STATE : DROP_DTLS_BAD);
        return;
    }
    if (sfu->crypto.dtls_input(peer->dtls, pkt->data, pkt->len, now)) {
        sfu_drop(sfu, DROP_DTLS_BAD);
    }
    advance(sfu, peer, now);
}

void handshake_step(struct sfu *sfu, mono_us now)
{
    if (sfu->dtls_count == 0) {
        return;
    }
    struct dtls_item item = sfu->dtls[sfu->dtls_head];
    sfu->dtls_head = (sfu->dtls_head + 1) % SFU_DTLS_QUEUE;
    sfu->dtls_count--;
    struct peer *peer = peer_find(sfu, item.peer);
    if (peer && (peer->dtls || !peer->handshake_over)) {
        step(sfu, peer, item.pkt, now);
    }
    pkt_put(&item.pkt);
}

void handshake_timer(struct sfu *sfu, struct peer *peer, mono_us now)
{
    if (!peer->connected && now >= peer->handshake_until) {
        struct sfu_evt evt = {.kind = SFU_EVT_FAILED, .peer = peer->id, .err = E_EXPIRED};
        sfu->stats.dtls_failed++;
        discard(sfu, peer);
        peer->handshake_over = true;
        sfu_emit(sfu, &evt);
        return;
    }
    if (peer->dtls) {
        sfu->crypto.dtls_timer(peer->dtls, now);
        advance(sfu, peer, now);
    } else if (!peer->connected) {
        sfu_arm(sfu, &peer->dtls_node, TIMER_PEER_DTLS, peer->handshake_until);
    }
}

void handshake_settle(struct sfu *sfu, struct peer *peer)
{
    peer->handshake_over = true;
    if (peer->dtls) {
        sfu->crypto.dtls_settle(peer->dtls);
    }
    twheel_cancel(&sfu->wheel, &peer->dtls_node);
}

void handshake_close(struct sfu *sfu, struct peer *peer, mono_us now)
{
    peer->handshake_over = true;
    if (peer->connected) {
        send_bye(sfu, peer, now);
    }
    discard(sfu, peer);
    twheel_cancel(&sfu->wheel, &peer->dtls_node);
}
