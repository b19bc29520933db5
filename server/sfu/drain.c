/*
 * The last hop but one: queued references are numbered, stamped, rewritten and sealed into the send
 * buffer, one subscriber after the other, so that its packets form runs. Pacing by a budget would
 * stand here (server/proto/pacer.h): today everything queued leaves with its flush.
 */
#include <string.h>

#include "codec/base/err.h"
#include "codec/media/av1_dd.h"
#include "codec/media/registry.h"
#include "codec/wire/rtp.h"
#include "server/proto/pacer.h"
#include "server/sfu/cc.h"
#include "server/sfu/core.h"
#include "server/sfu/voice.h"

enum {
    PADDING_BIT = 0x20,
    GENERIC_MAX = RTP_HEADER_MIN + HEADER_WRITE_MAX + CODEC_PREFIX_MAX,
};

static struct txq_chunk *chunk_add(struct sfu *sfu, struct peer *peer)
{
    pool_id id;
    struct txq_chunk *chunk = pool_get_raw(&sfu->txq, &id);
    if (!chunk) {
        return NULL;
    }
    chunk->id = id;
    chunk->next = NULL;
    chunk->count = 0;
    if (peer->queue) {
        peer->queue_tail->next = chunk;
    } else {
        peer->queue = chunk;
    }
    peer->queue_tail = chunk;
    return chunk;
}

enum drop queue_packet(struct sfu *sfu, struct subscription *sub, struct pkt *pkt, bool begin)
{
    struct peer *peer = sub->peer;
    struct txq_chunk *chunk = peer->queue ? peer->queue_tail : NULL;
    if (!chunk || chunk->count == TXQ_CHUNK) {
        chunk = chunk_add(sfu, peer);
        if (!chunk) {
            return DROP_QUEUE_FULL;
        }
    }
    chunk->entry[chunk->count++] = (struct txq_entry){
        .pkt = pkt_get(pkt),
        .slot = sub->slot,
        .generation = sub->generation,
        .begin = begin,
    };
    if (!peer->listed) {
        peer->listed = true;
        sfu->active[sfu->active_count++] = peer;
    }
    return DROP_NONE;
}

void queue_forget(struct sfu *sfu, struct peer *peer)
{
    while (peer->queue) {
        struct txq_chunk *chunk = peer->queue;
        peer->queue = chunk->next;
        for (uint32_t i = 0; i < chunk->count; i++) {
            pkt_put(&chunk->entry[i].pkt);
        }
        pool_put(&sfu->txq, chunk->id);
    }
}

/* Everything one copy needs, worked out before it is sealed. */
struct copy {
    struct subscription *sub;
    struct pkt *pkt;
    const struct header *header; /* cached, or NULL: written into `own` */
    int64_t seq;
    uint32_t timestamp;
    struct codec_edit edit;
};

/* Numbers of the copy; false when it must not go out. */
static bool number(struct sfu *sfu, struct copy *c, bool begin, mono_us now)
{
    struct subscription *sub = c->sub;
    const struct pkt_desc *desc = &c->pkt->desc;
    uint32_t hz = sub->video ? 90000 : 48000;
    if (begin) {
        rewrite_begin(&sub->rewrite, desc->ext_seq, desc->timestamp, hz,
                      sub->video ? 1 : REWRITE_AUDIO_STEP, now);
        sub->codec = CODEC_NONE;
    }
    if (desc->ext_seq < sub->rewrite.in_base) {
        sfu_drop(sfu, DROP_TOO_OLD);
        return false;
    }
    c->edit = (struct codec_edit){0};
    if (sub->video) {
        if (desc->codec != sub->codec) {
            codec_rewrite_switch(&sub->codec_rewrite);
            sub->codec = desc->codec;
        }
        if (desc->payload_len && codec_rewrite_edit(&sub->codec_rewrite, desc, &c->edit)) {
            sfu_drop(sfu, DROP_TOO_OLD);
            return false;
        }
    }
    return rewrite_packet(&sub->rewrite, desc->ext_seq, desc->timestamp, now, &c->seq,
                          &c->timestamp);
}

uint8_t slot_mid(const struct peer *peer, uint8_t slot, char out[8])
{
    unsigned n = peer->offer.slot_mid_first + slot;
    char digits[8];
    uint8_t len = 0;
    do {
        digits[len++] = (char)('0' + n % 10);
        n /= 10;
    } while (n && len < 6);
    for (uint8_t i = 0; i < len; i++) {
        out[i] = digits[len - 1 - i];
    }
    return len;
}

/* Header of one copy into out; its length, 0 when there is none. at says what to patch. */
static size_t header_put(struct sfu *sfu, const struct subscription *sub, const struct pkt *pkt,
                         uint8_t *out, struct header *at)
{
    const struct peer *peer = sub->peer;
    if (peer->template && sub->mid_left == 0) {
        const struct header *h = headers_find(&sfu->headers, pkt, peer->template, !sub->video);
        if (h) {
            memcpy(out, h->bytes, h->len);
            at->transport_cc_at = h->transport_cc_at;
            at->dd_at = h->dd_at;
            at->dd_len = h->dd_len;
            return h->len;
        }
    }
    char mid[8];
    struct header_spec spec = {
        .ids = sub->video ? &peer->offer.video_ext : &peer->offer.audio_ext,
        .pt = sub->video ? peer->offer.video.pt[pkt->desc.codec]
                         : peer->offer.audio.pt[pkt->desc.codec],
        .abs_send_time = sfu->headers.abs_send_time,
        .mid = sub->mid_left ? mid : NULL,
        .audio = !sub->video,
    };
    spec.mid_len = slot_mid(peer, sub->slot, mid);
    return header_write(out, pkt, &spec, at);
}

static void header_patch(struct peer *peer, uint8_t *out, const struct header *at,
                         const struct copy *c, uint32_t ssrc)
{
    put_u16(out + 2, (uint16_t)c->seq);
    put_u32(out + 4, c->timestamp);
    put_u32(out + 8, ssrc);
    if (at->transport_cc_at) {
        put_u16(out + at->transport_cc_at, peer->twcc_seq);
    }
    if (at->dd_at && c->edit.fields & CODEC_EDIT_PICTURE_ID && c->pkt->desc.codec == CODEC_AV1) {
        av1_dd_renumber(out + at->dd_at, at->dd_len, c->edit.picture_id);
    }
}

static void note_sent(struct sfu *sfu, struct subscription *sub, const struct copy *c, mono_us now)
{
    struct rtx_sent sent = {
        .source = sub->layer_name,
        .seq_in = c->pkt->desc.ext_seq,
        .timestamp_shift = sub->rewrite.ts_shift,
        .edit = c->edit,
    };
    rtx_note(&sub->rtx, &sfu->chunks, c->seq, &sent, sub->video ? KEEP_VIDEO_US : KEEP_AUDIO_US,
             now);
    sub->sent_packets++;
    sub->sent_octets += c->pkt->desc.payload_len;
    sfu->stats.forwarded++;
}

/* Redundancy of an audio copy, and a note of how it was written; what precedes its payload. */
static size_t voice_put(const struct sfu *sfu, const struct copy *c, uint8_t *out,
                        size_t header_len)
{
    struct subscription *sub = c->sub;
    const struct peer *peer = sub->peer;
    struct voice_copy copy = {
        .header = out,
        .header_len = header_len,
        .depth = peer->red_depth,
    };
    size_t prefix = voice_redundancy(sub, c->pkt, &copy);
    if (sub->voice) {
        const struct voice_sent sent = {
            .abs_send_time = sfu->headers.abs_send_time,
            .seq = (uint16_t)c->seq,
            .transport_cc = peer->twcc_seq,
            .depth = peer->red_depth,
            .past = copy.past,
            .mid = sub->mid_left != 0,
        };
        voice_note(sub, &sent);
    }
    return prefix;
}

/* One packet into the send buffer. */
static void send_one(struct sfu *sfu, struct peer *peer, const struct txq_entry *e,
                     uint16_t padding, mono_us now)
{
    struct subscription *sub = peer->slot[e->slot];
    const struct pkt_desc *desc = &e->pkt->desc;
    struct copy c = {.sub = sub, .pkt = e->pkt};
    if (e->generation != sub->generation || !number(sfu, &c, e->begin, now)) {
        return;
    }
    uint8_t *out = txbatch_room(sfu->tx);
    struct header at = {0};
    size_t header_len = header_put(sfu, sub, e->pkt, out, &at);
    const uint8_t *payload = e->pkt->data + desc->header_len;
    size_t payload_len = desc->payload_len;
    if (header_len == 0 ||
        header_len + payload_len + CODEC_PREFIX_MAX + PACER_PAD_MAX + SRTP_TRAILER_MAX >
            TXBATCH_DATAGRAM_MAX) {
        sfu_drop(sfu, DROP_TOO_BIG);
        return;
    }
    header_patch(peer, out, &at, &c, sub->ssrc);
    size_t replaced = 0;
    size_t prefix = 0;
    if (c.edit.fields) {
        prefix = codec_apply(desc->codec, &c.edit, desc, payload, payload_len, out + header_len,
                             &replaced);
    }
    if (!sub->video && peer->red_depth + (sub->voice != NULL)) {
        prefix = voice_put(sfu, &c, out, header_len);
    }
    if (padding) {
        out[0] |= PADDING_BIT; /* the ramp behind every kept payload ends in its own count */
    }
    size_t len = sfu->crypto.seal_rtp(peer->seal, out, header_len, prefix, payload + replaced,
                                      payload_len - replaced + padding, (uint64_t)c.seq);
    txbatch_commit(sfu->tx, &peer->to, len);
    if (at.transport_cc_at) {
        const struct cc_packet sent = {.number = peer->twcc_seq++,
                                       .bytes = (uint16_t)len,
                                       .kind = sub->video ? CC_VIDEO : CC_AUDIO};
        cc_sent(sfu, peer, &sent, now);
    }
    if (sub->mid_left) {
        sub->mid_left--;
    }
    note_sent(sfu, sub, &c, now);
}

/* Lengths the packets of a chunk will have: enough to plan runs, not used for anything else. */
static uint32_t plan(const struct peer *peer, const struct txq_chunk *chunk, uint32_t from,
                     uint16_t pad_max, struct pacer_item *item)
{
    for (uint32_t i = from; i < chunk->count; i++) {
        const struct pkt_desc *desc = &chunk->entry[i].pkt->desc;
        const struct subscription *sub = peer->slot[chunk->entry[i].slot];
        item[i] = (struct pacer_item){
            .len = desc->payload_len,
            .may_pad = sub->video && desc->payload_len > 0 && sub->mid_left == 0,
        };
    }
    return pacer_run(item + from, chunk->count - from, pad_max);
}

static void drain_peer(struct sfu *sfu, struct peer *peer, mono_us now)
{
    struct txq_chunk *chunk = peer->queue;
    bool allowed = peer_can_send(peer, now);
    while (chunk) {
        struct pacer_item item[TXQ_CHUNK];
        uint32_t run_end = 0;
        for (uint32_t i = 0; i < chunk->count; i++) {
            if (allowed && i == run_end) {
                run_end = i + plan(peer, chunk, i, sfu->pad_max, item);
            }
            if (allowed) {
                send_one(sfu, peer, &chunk->entry[i], item[i].padding, now);
            } else {
                sfu_drop(sfu, DROP_NO_CONSENT);
            }
            pkt_put(&chunk->entry[i].pkt);
        }
        struct txq_chunk *next = chunk->next;
        pool_put(&sfu->txq, chunk->id);
        chunk = next;
    }
    peer->queue = NULL;
    peer->listed = false;
}

/* Brings what the next peers need nearer while this one is sealed: first their own lines, one step
 * later what those point to. */
static void prefetch_peers(const struct sfu *sfu, uint32_t i)
{
    if (i + 3 < sfu->active_count) {
        const char *peer = (const char *)sfu->active[i + 3];
        __builtin_prefetch(peer);
        __builtin_prefetch(peer + 64);
        __builtin_prefetch(peer + 128);
    }
    if (i + 2 < sfu->active_count) {
        __builtin_prefetch(sfu->active[i + 2]->queue);
    }
    if (i + 1 < sfu->active_count) {
        const struct peer *peer = sfu->active[i + 1];
        const char *sub = (const char *)peer->slot[peer->queue->entry[0].slot];
        __builtin_prefetch(peer->seal);
        __builtin_prefetch(sub);
        __builtin_prefetch(sub + 64);
        __builtin_prefetch(sub + 128);
    }
}

void pacer_drain(struct sfu *sfu, mono_us now)
{
    headers_flush(&sfu->headers, now);
    uint64_t packets = sfu->tx->datagrams;
    uint64_t bytes = sfu->tx->bytes;
    for (uint32_t i = 0; i < sfu->active_count; i++) {
        prefetch_peers(sfu, i);
        drain_peer(sfu, sfu->active[i], now);
    }
    sfu->active_count = 0;
    sfu->stats.tx_packets += sfu->tx->datagrams - packets;
    sfu->stats.tx_bytes += sfu->tx->bytes - bytes;
}

void drain_rtcp(struct sfu *sfu, struct peer *peer, uint8_t *data, size_t len, mono_us now)
{
    if (len == 0 || !peer->seal || !peer_can_send(peer, now)) {
        return;
    }
    len = sfu->crypto.seal_rtcp(peer->seal, data, len, peer->rtcp_index++ & 0x7fffffff);
    txbatch_commit(sfu->tx, &peer->to, len);
    sfu->stats.tx_packets++;
    sfu->stats.tx_bytes += len;
}
