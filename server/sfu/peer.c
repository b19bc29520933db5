/* The life of a connection: open, restart, ready, move, publish, close. */
#include "server/sfu/peer.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/hash.h"
#include "server/sfu/cc.h"
#include "server/sfu/core.h"
#include "server/sfu/outcome.h"
#include "server/sfu/policy.h"
#include "server/sfu/share.h"

struct peer *peer_find(const struct sfu *sfu, sfu_peer_id id)
{
    uint64_t value;
    return map_find(&sfu->peer_by_id, id, &value) ? pool_at(&sfu->peers, value) : NULL;
}

/* What he did not get is too old to be repaired, and would only delay what is new. */
static void slot_anew(struct sfu *sfu, struct subscription *sub, mono_us now)
{
    if (sub->video && sub->layer) {
        rtx_clear(&sub->rtx, &sfu->chunks);
        track_keyframe(sfu, sub->layer->track, (uint8_t)(1u << sub->layer->index), now);
    }
}

/* What he sent into the path that had failed is not asked for; his requests were not heard. */
static void track_anew(struct sfu *sfu, struct track *track, mono_us now)
{
    uint8_t layers = 0;
    for (unsigned i = 0; i < LAYERS_MAX; i++) {
        const struct layer *layer = track->layer[i];
        if (layer && layer->receiver) {
            layer->receiver->hole = true;
        }
        if (layer && track->video && (layer->subs || layer->exports)) {
            layers = (uint8_t)(layers | 1u << i);
        }
    }
    keyreq_unheard(&track->keyreq);
    track_keyframe(sfu, track, layers, now);
    track_path_anew(sfu, track, now);
}

void peer_path_anew(struct sfu *sfu, struct peer *peer, mono_us now)
{
    if (peer->twcc) {
        twcc_gen_anew(peer->twcc);
    }
    for (unsigned i = 0; peer->connected && i < peer->slots; i++) {
        if (peer->slot[i]) {
            slot_anew(sfu, peer->slot[i], now);
        }
    }
    for (unsigned source = 0; peer->connected && source < SOURCE_COUNT; source++) {
        if (peer->track[source]) {
            track_anew(sfu, peer->track[source], now);
        }
    }
}

bool peer_can_send(const struct peer *peer, mono_us now)
{
    return peer->connected && now < peer->consent_until;
}

static int offer_check(const struct desc_offer *offer)
{
    if (offer->audio_slots > DESC_AUDIO_SLOTS_MAX || offer->video_slots > DESC_VIDEO_SLOTS_MAX) {
        return E_BAD;
    }
    bool audio = offer->audio.pt[CODEC_OPUS] != 0;
    bool video = false;
    for (int codec = CODEC_VP8; codec < CODEC_COUNT; codec++) {
        video = video || offer->video.pt[codec] != 0;
    }
    return audio || video ? 0 : E_UNSUPPORTED;
}

static void answer(struct sfu *sfu, const struct peer *peer, uint64_t token)
{
    struct sfu_evt evt = {.kind = SFU_EVT_ANSWER, .peer = peer->id, .token = token};
    struct desc_answer *a = &evt.answer;
    memcpy(a->ufrag, peer->ice.creds.ufrag, sizeof(peer->ice.creds.ufrag));
    memcpy(a->pwd, peer->ice.creds.pwd, sizeof(peer->ice.creds.pwd));
    sfu->crypto.fingerprint(sfu->crypto.arg, a->fingerprint);
    a->ssrc_base = peer->ssrc_base;
    a->candidates = sfu->config.candidates;
    memcpy(a->candidate, sfu->config.candidate, sizeof(a->candidate));
    sfu_emit(sfu, &evt);
}

static void refuse(struct sfu *sfu, const struct sfu_cmd *cmd, int err)
{
    struct sfu_evt evt = {
        .kind = SFU_EVT_REFUSED, .peer = cmd->peer, .token = cmd->token, .err = err};
    sfu_emit(sfu, &evt);
}

/* SSRCs the offer announced need no MID on their packets. */
static void bind_announced(struct peer *peer)
{
    for (unsigned s = 0; s < SOURCE_COUNT; s++) {
        const uint32_t ssrc[2] = {peer->offer.ssrc[s], peer->offer.rtx_ssrc[s]};
        for (unsigned rtx = 0; rtx < 2; rtx++) {
            if (ssrc[rtx]) {
                peer->bind[peer->binds++] =
                    (struct ssrc_bind){.ssrc = ssrc[rtx], .source = (uint8_t)s, .rtx = rtx != 0};
            }
        }
    }
}

static int peer_init(struct sfu *sfu, struct peer *peer, const struct sfu_cmd *cmd, mono_us now)
{
    peer->id = cmd->peer;
    peer->offer = cmd->offer;
    peer->audio_slots = cmd->offer.audio_slots;
    peer->slots = (uint8_t)(cmd->offer.audio_slots + cmd->offer.video_slots);
    /* Even, and far from the end, so that base + 2k + 1 never wraps to a small number. */
    peer->ssrc_base = (rng_u32(&sfu->rng) & 0x7ffffffe) | 0x10000000;
    peer->rtt_us = PEER_RTT_START_US;
    peer->handshake_until = now + PEER_FIRST_CHECK_US;
    for (unsigned c = 1; c < CODEC_COUNT; c++) {
        peer->codecs[0] |= (uint8_t)(cmd->offer.audio.pt[c] ? 1u << c : 0);
        peer->codecs[1] |= (uint8_t)(cmd->offer.video.pt[c] ? 1u << c : 0);
    }
    ice_init(&peer->ice, &sfu->rng);
    int err = ice_set_remote(&peer->ice, cmd->offer.ufrag);
    if (!err) {
        err = map_set(&sfu->peer_by_id, peer->id, peer->pool);
    }
    if (!err) {
        err = map_set(&sfu->peer_by_ufrag, ice_ufrag_key(peer->ice.creds.ufrag), peer->pool);
    }
    if (err) {
        map_del(&sfu->peer_by_id, peer->id);
        return err;
    }
    peer->template = headers_template(&sfu->headers, &peer->offer);
    bind_announced(peer);
    return 0;
}

/* A peer of this process has no path to check and nobody to hide anything from. */
static int inner_start(struct sfu *sfu, struct peer *peer)
{
    static const struct srtp_key none;
    peer->open = sfu->crypto.open_new(sfu->crypto.arg, SRTP_NONE, &none);
    peer->seal = sfu->crypto.seal_new(sfu->crypto.arg, SRTP_NONE, &none);
    peer->to = (struct tuple){.proto = ADDR_INNER};
    memcpy(peer->to.remote.ip, &peer->id, sizeof(peer->id));
    map_del(&sfu->peer_by_ufrag, ice_ufrag_key(peer->ice.creds.ufrag));
    peer->consent_until = MONO_NEVER;
    peer->handshake_over = true;
    peer->ready = true;
    return peer->open && peer->seal ? 0 : E_NOMEM;
}

void peer_open(struct sfu *sfu, const struct sfu_cmd *cmd, mono_us now)
{
    pool_id id = 0;
    int err = offer_check(&cmd->offer);
    if (!err && (cmd->peer == 0 || peer_find(sfu, cmd->peer))) {
        err = E_BAD;
    }
    struct peer *peer = err ? NULL : pool_get(&sfu->peers, &id);
    if (!peer) {
        refuse(sfu, cmd, err ? err : E_FULL);
        return;
    }
    peer->pool = id;
    err = peer_init(sfu, peer, cmd, now);
    if (err) {
        pool_put(&sfu->peers, id);
        refuse(sfu, cmd, err);
        return;
    }
    if (cmd->inner) {
        if (inner_start(sfu, peer)) {
            peer_close(sfu, peer, now);
            refuse(sfu, cmd, E_NOMEM);
            return;
        }
        answer(sfu, peer, cmd->token);
        peer_connected(sfu, peer, now);
        return;
    }
    sfu_arm(sfu, &peer->dtls_node, TIMER_PEER_DTLS, peer->handshake_until);
    answer(sfu, peer, cmd->token);
}

void peer_restart(struct sfu *sfu, const struct sfu_cmd *cmd, mono_us now)
{
    struct peer *peer = peer_find(sfu, cmd->peer);
    char gone[ICE_UFRAG_LEN + 1] = "";
    (void)now;
    if (!peer) {
        refuse(sfu, cmd, E_NOTFOUND);
        return;
    }
    int err = ice_restart(&peer->ice, cmd->offer.ufrag, &sfu->rng, gone);
    if (err) {
        refuse(sfu, cmd, err);
        return;
    }
    if (gone[0]) {
        map_del(&sfu->peer_by_ufrag, ice_ufrag_key(gone));
    }
    err = map_set(&sfu->peer_by_ufrag, ice_ufrag_key(peer->ice.creds.ufrag), peer->pool);
    if (err) {
        refuse(sfu, cmd, err);
        return;
    }
    demux_ice_arm(sfu, peer);
    answer(sfu, peer, cmd->token);
}

static void tracks_set(struct sfu *sfu, struct peer *peer, mono_us now)
{
    for (unsigned s = 0; s < SOURCE_COUNT; s++) {
        if (peer->track[s]) {
            track_set(sfu, peer->track[s], peer_room_of(peer, (uint8_t)s),
                      (peer->publish >> s & 1) != 0, now);
        }
    }
}

static void slots_update(struct sfu *sfu, struct peer *peer, mono_us now)
{
    for (unsigned i = 0; i < peer->slots; i++) {
        if (peer->slot[i]) {
            subscription_update(sfu, peer->slot[i], now);
        }
    }
    room_seat_peer(sfu, peer, now);
}

void peer_connected(struct sfu *sfu, struct peer *peer, mono_us now)
{
    struct sfu_evt evt = {.kind = SFU_EVT_CONNECTED, .peer = peer->id};
    peer->connected = true;
    sfu->stats.peers_connected++;
    sfu_arm_coarse(sfu, &peer->rtcp_node, TIMER_PEER_RTCP,
                   now + rng_below(&sfu->rng, PEER_RTCP_US / 2) + PEER_RTCP_US / 4);
    cc_open(sfu, peer, now);
    sfu_emit(sfu, &evt);
    slots_update(sfu, peer, now);
}

void peer_ready(struct sfu *sfu, struct peer *peer, mono_us now)
{
    if (!peer->ready) {
        peer->ready = true;
        slots_update(sfu, peer, now);
    }
}

void peer_move(struct sfu *sfu, struct peer *peer, sfu_room_id room, mono_us now)
{
    if (sfu_room_of(peer) == room) {
        return;
    }
    room_leave(sfu, peer, now);
    if (room && room_join(sfu, peer, room, now)) {
        sfu_drop(sfu, DROP_OVERLOAD);
    }
    tracks_set(sfu, peer, now);
    slots_update(sfu, peer, now);
}

sfu_room_id peer_room_of(const struct peer *peer, uint8_t source)
{
    sfu_room_id own = sfu_room_of(peer);
    return own && peer->voice && source_policy(source)->elsewhere ? peer->voice : own;
}

bool peer_hears(const struct peer *peer, sfu_room_id room)
{
    for (unsigned i = 0; i < SFU_EARS_MAX; i++) {
        if (peer->ear[i].room && peer->ear[i].room->id == room) {
            return true;
        }
    }
    return false;
}

bool peer_reaches(const struct peer *peer, sfu_room_id room, bool video)
{
    if (room == 0) {
        return false;
    }
    if (sfu_room_of(peer) == room) {
        return true;
    }
    if (!video) {
        return peer_hears(peer, room);
    }
    for (unsigned i = 0; i < peer->eyes; i++) {
        if (peer->eye[i] == room) {
            return true;
        }
    }
    return false;
}

static bool same_ears(const struct peer *peer, const struct sfu_ears *ears)
{
    bool same = peer->eyes == ears->eyes;
    for (unsigned i = 0; same && i < ears->eyes; i++) {
        same = peer->eye[i] == ears->eye[i];
    }
    for (unsigned i = 0; same && i < SFU_EARS_MAX; i++) {
        sfu_room_id wished = i < ears->ears ? ears->ear[i] : 0;
        same = (peer->ear[i].room ? peer->ear[i].room->id : 0) == wished;
    }
    return same;
}

void peer_listen(struct sfu *sfu, struct peer *peer, const struct sfu_ears *ears, mono_us now)
{
    if (ears->ears > SFU_EARS_MAX || ears->eyes > SFU_EYES_MAX || same_ears(peer, ears)) {
        return;
    }
    room_ears(sfu, peer, ears->ear, ears->ears, now);
    peer->eyes = ears->eyes;
    memcpy(peer->eye, ears->eye, sizeof(peer->eye));
    slots_update(sfu, peer, now);
}

void peer_voice(struct sfu *sfu, struct peer *peer, sfu_room_id voice, mono_us now)
{
    if (peer->voice != voice) {
        peer->voice = voice;
        tracks_set(sfu, peer, now);
    }
}

void peer_publish(struct sfu *sfu, struct peer *peer, uint32_t publish, mono_us now)
{
    peer->publish = publish;
    tracks_set(sfu, peer, now);
}

static void timers_cancel(struct sfu *sfu, struct peer *peer)
{
    twheel_cancel(&sfu->wheel, &peer->ice_node);
    twheel_cancel(&sfu->wheel, &peer->dtls_node);
    twheel_cancel(&sfu->wheel, &peer->rtcp_node);
    twheel_cancel(&sfu->wheel, &peer->twcc_node);
    twheel_cancel(&sfu->wheel, &peer->slots_node);
    twheel_cancel(&sfu->wheel, &peer->pace_node);
}

static void demux_forget(struct sfu *sfu, struct peer *peer)
{
    for (unsigned i = 0; i < peer->ice.paths; i++) {
        demux_del_tuple(sfu, &peer->ice.path[i].tuple, peer);
    }
    map_del(&sfu->peer_by_ufrag, ice_ufrag_key(peer->ice.creds.ufrag));
    if (peer->ice.old.ufrag[0]) {
        map_del(&sfu->peer_by_ufrag, ice_ufrag_key(peer->ice.old.ufrag));
    }
    map_del(&sfu->peer_by_id, peer->id);
}

/* Takes the peer out of the list of those with something queued. */
static void active_forget(struct sfu *sfu, struct peer *peer)
{
    queue_forget(sfu, peer, DROP_RECEIVER_LEFT);
    for (uint32_t i = 0; peer->listed && i < sfu->active_count; i++) {
        if (sfu->active[i] == peer) {
            sfu->active[i] = sfu->active[--sfu->active_count];
            break;
        }
    }
    queue_unlist(sfu, peer);
}

void peer_close(struct sfu *sfu, struct peer *peer, mono_us now)
{
    active_forget(sfu, peer);
    for (unsigned s = 0; s < SOURCE_COUNT; s++) {
        if (peer->track[s]) {
            track_close(sfu, peer->track[s], now);
        }
    }
    room_leave(sfu, peer, now);
    room_ears(sfu, peer, NULL, 0, now);
    for (unsigned i = 0; i < peer->slots; i++) {
        if (peer->slot[i]) {
            subscription_free(sfu, peer->slot[i]);
        }
    }
    share_forget(sfu, peer);
    timers_cancel(sfu, peer);
    cc_close(sfu, peer);
    outcome_close(sfu, peer);
    handshake_close(sfu, peer, now);
    demux_forget(sfu, peer);
    headers_template_put(&sfu->headers, peer->template);
    if (peer->twcc) {
        pool_put(&sfu->twccs, peer->twcc_id);
    }
    if (peer->open) {
        sfu->crypto.open_free(peer->open);
    }
    if (peer->seal) {
        sfu->crypto.seal_free(peer->seal);
    }
    sfu->stats.peers_connected -= peer->connected;
    pool_put(&sfu->peers, peer->pool);
}

void peer_slots_changed(struct sfu *sfu, struct peer *peer, mono_us now)
{
    if (!peer->slots_node.armed) {
        mono_us at = peer->slots_us + PEER_SLOTS_US;
        sfu_arm(sfu, &peer->slots_node, TIMER_PEER_SLOTS, at > now ? at : now);
    }
}

/* Not a secret: it only tells whether two views of one peer are the same. */
static uint64_t view_hash(const struct sfu_slot_view *view, unsigned count)
{
    static const struct hash_key key = {0x736c6f7473000000ULL, 0x7669657773000000ULL};
    uint64_t flat[2 * (DESC_AUDIO_SLOTS_MAX + DESC_VIDEO_SLOTS_MAX)];
    for (unsigned i = 0; i < count; i++) {
        flat[2 * i] = view[i].publisher;
        flat[2 * i + 1] = (uint64_t)view[i].height << 24 | (uint64_t)view[i].reason << 16 |
                          (uint64_t)view[i].source << 8 | view[i].state;
    }
    return hash_bytes(&key, flat, count * 2 * sizeof(flat[0]));
}

void peer_slots_event(struct sfu *sfu, struct peer *peer, mono_us now)
{
    struct sfu_evt evt = {.kind = SFU_EVT_SLOTS, .peer = peer->id};
    evt.slots.audio = peer->audio_slots;
    evt.slots.video = (uint8_t)(peer->slots - peer->audio_slots);
    for (unsigned i = 0; i < peer->slots; i++) {
        if (peer->slot[i]) {
            subscription_view(peer->slot[i], &evt.slots.slot[i]);
        }
    }
    uint64_t hash = view_hash(evt.slots.slot, peer->slots);
    if (hash != peer->slots_hash) {
        peer->slots_hash = hash;
        peer->slots_us = now;
        sfu_emit(sfu, &evt);
    }
}
