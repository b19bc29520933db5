#include "server/sfu/sfu.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/media/av1_dd.h"
#include "server/sfu/cc.h"
#include "server/sfu/core.h"
#include "server/sfu/outcome.h"
#include "server/sfu/share.h"
#include "server/sfu/voice.h"

enum {
    PEERS_MAX = 1 << 20,
    PACKETS_MAX = 1 << 24,
    PAD_DEFAULT = 4,
    TUPLES_PER_PEER = ICE_PATHS,
    TRACKS_PER_PEER = 4,
    BLOCKS_PER_PEER = 24,
    CHUNKS_PER_PEER = 40,
    SLOTS_PER_PEER = 40,
    COARSE_US = 20 * US_PER_MS,
    TWCC_US = 10 * US_PER_MS,
};

void sfu_emit(struct sfu *sfu, const struct sfu_evt *evt)
{
    if (sfu->hooks.event_h) {
        sfu->hooks.event_h(sfu->hooks.arg, evt);
    }
}

void sfu_arm(struct sfu *sfu, struct twheel_node *node, enum sfu_timer_reason reason, mono_us at)
{
    node->reason = (uint8_t)reason;
    twheel_set(&sfu->wheel, node, at);
}

void sfu_arm_coarse(struct sfu *sfu, struct twheel_node *node, enum sfu_timer_reason reason,
                    mono_us at)
{
    sfu_arm(sfu, node, reason, (at / COARSE_US + 1) * COARSE_US);
}

void sfu_arm_twcc(struct sfu *sfu, struct peer *peer)
{
    mono_us at = twcc_gen_deadline(peer->twcc);
    at = at == MONO_NEVER ? at : at / TWCC_US * TWCC_US;
    if (!peer->twcc_node.armed || peer->twcc_node.deadline != at) {
        sfu_arm(sfu, &peer->twcc_node, TIMER_PEER_TWCC, at);
    }
}

static int pools_init(struct sfu *sfu)
{
    uint32_t n = sfu->config.peers_max;
    uint32_t shared = sfu->config.shards > 1 ? sfu->config.packets_max : 0;
    const struct {
        struct pool *pool;
        size_t size;
        uint32_t cap;
        bool wide; /* what every packet to every subscriber needs */
    } rows[] = {
        {&sfu->peers, sizeof(struct peer), n, true},
        {&sfu->rooms, sizeof(struct room), n * sfu->config.shards, false},
        {&sfu->tracks, sizeof(struct track), n * TRACKS_PER_PEER * 2, false},
        {&sfu->layers, sizeof(struct layer), n * TRACKS_PER_PEER * 2, false},
        {&sfu->receivers, sizeof(struct receiver), n * TRACKS_PER_PEER * 2, false},
        {&sfu->dds, sizeof(struct av1_dd_structure), n * TRACKS_PER_PEER, false},
        {&sfu->histories_audio, sizeof(struct pkt *) * HISTORY_AUDIO, n * 4, false},
        {&sfu->histories_video, sizeof(struct pkt *) * HISTORY_VIDEO, n * TRACKS_PER_PEER * 2,
         false},
        {&sfu->subscriptions, sizeof(struct subscription), n * SLOTS_PER_PEER, true},
        {&sfu->blocks, sizeof(struct subs_block), n * BLOCKS_PER_PEER, false},
        {&sfu->chunks, sizeof(struct rtx_chunk), n * CHUNKS_PER_PEER, true},
        {&sfu->txq, sizeof(struct txq_chunk), SFU_TXQ_CHUNKS + n, true},
        {&sfu->twccs, sizeof(struct twcc_gen), n, false},
        {&sfu->ccs, cc_size(), n, false},
        {&sfu->voices, sizeof(struct voice), n * DESC_AUDIO_SLOTS_MAX, false},
        {&sfu->outcomes, sizeof(struct outcome), n, false},
    };
    int err = pkt_pool_init(&sfu->packets, sfu->config.shard, sfu->config.packets_max, shared);
    for (size_t i = 0; !err && i < sizeof(rows) / sizeof(rows[0]); i++) {
        err = rows[i].wide ? pool_init_wide(rows[i].pool, rows[i].size, rows[i].cap)
                           : pool_init(rows[i].pool, rows[i].size, rows[i].cap);
    }
    return err;
}

static int maps_init(struct sfu *sfu)
{
    uint32_t n = sfu->config.peers_max;
    uint64_t seed = rng_u64(&sfu->rng);
    int err = map_init(&sfu->peer_by_id, n, seed);
    err = err ? err : map_init(&sfu->peer_by_ufrag, 2 * n, seed);
    err = err ? err : map_init(&sfu->peer_by_tuple, TUPLES_PER_PEER * n, seed);
    err = err ? err : map_init(&sfu->room_by_id, n * sfu->config.shards, seed);
    err = err ? err : map_init(&sfu->track_by_key, n * TRACKS_PER_PEER * 2, seed);
    return err ? err : headers_init(&sfu->headers);
}

static bool config_ok(const struct sfu_config *c)
{
    return c->shards >= 1 && c->shards <= SFU_SHARDS_MAX && c->shard < c->shards &&
           c->peers_max >= 1 && c->peers_max <= PEERS_MAX && c->packets_max >= 64 &&
           c->packets_max <= PACKETS_MAX && c->audio_loudest >= 1 &&
           c->audio_loudest <= SPEAKER_SEATS_MAX && c->candidates <= DESC_CANDIDATES_MAX;
}

struct sfu *sfu_new(const struct sfu_config *config, const struct crypto_ops *crypto,
                    const struct sfu_hooks *hooks, struct txbatch *tx, struct rng rng, mono_us now)
{
    struct sfu *sfu = config_ok(config) ? mem_alloc(sizeof(*sfu)) : NULL;
    if (!sfu) {
        return NULL;
    }
    sfu->config = *config;
    sfu->crypto = *crypto;
    sfu->hooks = *hooks;
    sfu->tx = tx;
    sfu->rng = rng;
    sfu->now = now;
    sfu->pad_max = PAD_DEFAULT;
    sfu->gather_until = MONO_NEVER;
    sfu->key = (struct hash_key){.k0 = rng_u64(&rng), .k1 = rng_u64(&rng)};
    twheel_init(&sfu->wheel, now);
    int err = pools_init(sfu);
    err = err ? err : maps_init(sfu);
    sfu->packets.release_h = shard_release;
    sfu->packets.release_arg = sfu;
    sfu->unreleased_cap = config->shards > 1 ? config->packets_max : 1;
    sfu->active = mem_alloc(sizeof(sfu->active[0]) * config->peers_max);
    sfu->sharing = mem_alloc(sizeof(sfu->sharing[0]) * config->peers_max);
    sfu->outbox = mem_alloc(sizeof(sfu->outbox[0]) * (config->shards > 1 ? SFU_OUTBOX : 1));
    sfu->unreleased = mem_alloc(sizeof(sfu->unreleased[0]) * sfu->unreleased_cap);
    if (err || !sfu->active || !sfu->sharing || !sfu->outbox || !sfu->unreleased) {
        sfu_free(sfu);
        return NULL;
    }
    return sfu;
}

void sfu_farewell(struct sfu *sfu, mono_us now)
{
    for (uint32_t i = 0; i < sfu->peers.touched; i++) {
        struct peer *peer = pool_walk(&sfu->peers, i, NULL);
        if (peer) {
            handshake_close(sfu, peer, now);
        }
    }
    sfu_flush(sfu, now);
}

static void crypto_free(struct sfu *sfu)
{
    for (uint32_t i = 0; i < sfu->peers.touched; i++) {
        struct peer *peer = pool_walk(&sfu->peers, i, NULL);
        if (peer && peer->dtls) {
            sfu->crypto.dtls_free(peer->dtls);
        }
        if (peer && peer->open) {
            sfu->crypto.open_free(peer->open);
            sfu->crypto.seal_free(peer->seal);
        }
    }
}

void sfu_free(struct sfu *sfu)
{
    if (!sfu) {
        return;
    }
    struct pool *pools[] = {
        &sfu->peers,           &sfu->rooms,         &sfu->tracks, &sfu->layers, &sfu->receivers,
        &sfu->histories_audio, &sfu->subscriptions, &sfu->blocks, &sfu->chunks, &sfu->txq,
        &sfu->histories_video, &sfu->twccs,         &sfu->dds,    &sfu->ccs,    &sfu->voices,
        &sfu->outcomes,
    };
    crypto_free(sfu);
    for (size_t i = 0; i < sizeof(pools) / sizeof(pools[0]); i++) {
        pool_fini(pools[i]);
    }
    pkt_pool_fini(&sfu->packets);
    map_fini(&sfu->peer_by_id);
    map_fini(&sfu->peer_by_ufrag);
    map_fini(&sfu->peer_by_tuple);
    map_fini(&sfu->room_by_id);
    map_fini(&sfu->track_by_key);
    headers_fini(&sfu->headers);
    mem_free(sfu->active);
    mem_free(sfu->sharing);
    mem_free(sfu->outbox);
    mem_free(sfu->unreleased);
    mem_free(sfu);
}

struct pkt *sfu_rx_packet(struct sfu *sfu)
{
    enum { AGAIN_US = 5 * US_PER_MS };
    struct pkt *pkt = pkt_new(&sfu->packets);
    if (!pkt && sfu->now - sfu->reclaimed_us >= AGAIN_US) {
        sfu->reclaimed_us = sfu->now;
        tracks_reclaim(sfu, sfu->now);
        pkt = pkt_new(&sfu->packets);
    }
    return pkt;
}

enum drop sfu_inner_input(struct sfu *sfu, sfu_peer_id id, struct pkt *pkt, mono_us now)
{
    struct peer *peer = peer_find(sfu, id);
    sfu->now = now;
    bool inner = peer && peer->to.proto == ADDR_INNER;
    pkt->arrival = now;
    enum drop drop = inner ? peer_rx_rtp(sfu, peer, pkt, now) : DROP_UNKNOWN_TUPLE;
    if (drop) {
        sfu_drop(sfu, drop);
    }
    pkt_put(&pkt);
    return drop;
}

void sfu_flush(struct sfu *sfu, mono_us now)
{
    sfu->now = now;
    share_run(sfu, now);
    pacer_drain(sfu, now);
    for (uint32_t i = 0; i < sfu->nack_count; i++) {
        report_nack(sfu, sfu->nack_due[i], now);
    }
    sfu->nack_count = 0;
    handshake_step(sfu, now);
    if (sfu->config.shards > 1) {
        shard_flush(sfu);
    }
    txbatch_flush(sfu->tx);
}

void sfu_command(struct sfu *sfu, const struct sfu_cmd *cmd, mono_us now)
{
    sfu->now = now;
    if (cmd->kind == SFU_CMD_OPEN) {
        peer_open(sfu, cmd, now);
        return;
    }
    if (cmd->kind == SFU_CMD_RESTART) {
        peer_restart(sfu, cmd, now);
        return;
    }
    if (cmd->kind == SFU_CMD_OVERLOAD) {
        share_overload(sfu, cmd->overload, now);
        return;
    }
    struct peer *peer = peer_find(sfu, cmd->peer);
    if (!peer) {
        return;
    }
    switch (cmd->kind) {
    case SFU_CMD_CLOSE:
        peer_close(sfu, peer, now);
        break;
    case SFU_CMD_READY:
        peer_ready(sfu, peer, now);
        break;
    case SFU_CMD_ROOM:
        peer_move(sfu, peer, cmd->room, now);
        break;
    case SFU_CMD_PUBLISH:
        peer_publish(sfu, peer, cmd->publish, now);
        break;
    case SFU_CMD_VIEW:
        subscription_view_set(sfu, peer, cmd->view.want, cmd->view.count, now);
        break;
    case SFU_CMD_EARS:
        peer_listen(sfu, peer, &cmd->ears, now);
        break;
    case SFU_CMD_VOICE:
        peer_voice(sfu, peer, cmd->room, now);
        break;
    case SFU_CMD_OPEN:
    case SFU_CMD_RESTART:
    case SFU_CMD_OVERLOAD:
    default:
        break;
    }
}

/* The object a timer node is embedded in. */
#define OWNER(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

static void timer_ice(struct sfu *sfu, struct peer *peer, mono_us now)
{
    struct ice_out out;
    do {
        ice_timer(&peer->ice, now, &out);
        demux_ice_changes(sfu, peer, &out, now);
    } while (out.changes & ICE_PATH_GONE);
    demux_ice_arm(sfu, peer);
}

static void timer_run(struct sfu *sfu, struct twheel_node *node, mono_us now)
{
    switch ((enum sfu_timer_reason)node->reason) {
    case TIMER_PEER_ICE:
        timer_ice(sfu, OWNER(node, struct peer, ice_node), now);
        break;
    case TIMER_PEER_DTLS:
        handshake_timer(sfu, OWNER(node, struct peer, dtls_node), now);
        break;
    case TIMER_PEER_RTCP:
        report_timer(sfu, OWNER(node, struct peer, rtcp_node), now);
        break;
    case TIMER_PEER_TWCC:
        report_twcc(sfu, OWNER(node, struct peer, twcc_node), now);
        break;
    case TIMER_PEER_SLOTS:
        peer_slots_event(sfu, OWNER(node, struct peer, slots_node), now);
        break;
    case TIMER_PEER_PACE:
        pace_timer(sfu, OWNER(node, struct peer, pace_node), now);
        break;
    case TIMER_PEER_CC:
        cc_timer(sfu, OWNER(node, struct peer, cc_node), now);
        break;
    case TIMER_NACK:
        report_nack(sfu, OWNER(node, struct receiver, nack_node), now);
        break;
    case TIMER_TRACK_KEYREQ:
        track_keyreq_timer(sfu, OWNER(node, struct track, keyreq_node), now);
        break;
    case TIMER_TRACK_TICK:
        track_tick(sfu, OWNER(node, struct track, tick_node), now);
        break;
    case TIMER_ROOM:
        room_tick(sfu, OWNER(node, struct room, node), now);
        break;
    }
}

void sfu_timer(struct sfu *sfu, mono_us now)
{
    struct twheel_node *node;
    sfu->now = now;
    while ((node = twheel_pop(&sfu->wheel, now)) != NULL) {
        timer_run(sfu, node, now);
    }
}

mono_us sfu_deadline(const struct sfu *sfu)
{
    /* A waiting handshake step, message or reference wants the next turn at once. */
    if (sfu->dtls_count || sfu->due_count || sfu->nack_count || sfu->sharing_count) {
        return sfu->now;
    }
    mono_us at = mono_min(twheel_next(&sfu->wheel), sfu->gather_until);
    return sfu->outbox_count || sfu->unreleased_count ? mono_min(at, sfu->now + US_PER_MS) : at;
}

void sfu_stats_read(const struct sfu *sfu, struct sfu_stats *out)
{
    *out = sfu->stats;
    out->peers = sfu->peers.used;
    out->tracks = sfu->tracks.used;
    out->subscriptions = sfu->subscriptions.used;
    out->packets_used = pkt_pool_used(&sfu->packets);
}
