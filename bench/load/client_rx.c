#include "bench/load/client_rx.h"

#include <string.h>

#include "bench/load/client.h"
#include "bench/load/client_media.h"
#include "bench/load/proof.h"
#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/wire/rtcp.h"
#include "codec/wire/rtp.h"
#include "codec/wire/rtpext.h"

enum {
    KEEP_US = US_PER_S,
    PLI_GAP_US = US_PER_S,
    GAP_MAX = 5000, /* a larger step is a new beginning, not a loss */
    NACKS_AT_ONCE = 64,
    CALM_US = 20000, /* between two looks when nothing is missing: libwebrtc asks as often */
    BUSY_US = 5000,
};

struct client_rx *client_rx_new(uint32_t audio_slots, uint32_t video_slots)
{
    struct client_rx *rx = mem_alloc(sizeof(*rx));
    if (rx) {
        twcc_gen_init(&rx->twcc);
        rx->audio_slots = audio_slots;
        rx->video_slots = video_slots;
    }
    return rx;
}

void client_rx_free(struct client_rx *rx)
{
    for (unsigned i = 0; rx && i < RX_SLOTS; i++) {
        mem_free(rx->slot[i].nack);
    }
    mem_free(rx);
}

static struct rx_count *count_of(struct client_rx *rx, unsigned slot)
{
    return &rx->count[slot >= rx->audio_slots];
}

static bool nack_ready(struct rx_slot *slot)
{
    if (!slot->nack) {
        slot->nack = mem_alloc(sizeof(*slot->nack));
        if (slot->nack) {
            nack_init(slot->nack, KEEP_US);
        }
    }
    return slot->nack != NULL;
}

/* RFC 3550 A.8, in timestamp units. */
static void count_jitter(struct rx_slot *slot, uint32_t clock, uint32_t timestamp, mono_us now)
{
    uint32_t transit = (uint32_t)(now * (clock / 1000) / 1000) - timestamp;
    int32_t d = (int32_t)(transit - slot->transit);
    slot->transit = transit;
    if (slot->received > 1) {
        d = d < 0 ? -d : d;
        slot->jitter += (uint32_t)d - ((slot->jitter + 8) >> 4);
    }
}

/* A picture ended: how long the one before it stood. */
static void count_frame(struct client_rx *rx, unsigned i, mono_us now)
{
    struct rx_slot *slot = &rx->slot[i];
    struct rx_count *count = count_of(rx, i);
    mono_us stood = slot->frame_at ? now - slot->frame_at : 0;
    count->frames++;
    if (stood > RX_FREEZE_US && slot->wanted && now - slot->switched_at > RX_SWITCH_US) {
        count->freezes += !slot->frozen;
        count->frozen_us += stood - RX_FREEZE_US;
    }
    slot->frozen = false;
    slot->frame_at = now;
}

/* A number of a slot, in order or late. True when it is the first time. */
static bool count_number(struct client_rx *rx, unsigned i, int64_t seq, bool original, mono_us now)
{
    struct rx_slot *slot = &rx->slot[i];
    struct rx_count *count = count_of(rx, i);
    int64_t top = slot->nack && slot->nack->started ? slot->nack->top : slot->seq.newest;
    if (original && slot->received && seq > top) {
        int64_t missing = seq - top - 1;
        if (missing > GAP_MAX) {
            missing = 0;
            mem_free(slot->nack);
            slot->nack = NULL;
        } else if (missing > 0 && nack_ready(slot)) {
            if (!slot->nack->started) {
                nack_input(slot->nack, top, false, now);
            }
            count->gaps += (uint64_t)missing;
            rx->missing = true;
        }
        count->expected += 1 + (uint64_t)missing;
    } else if (original && !slot->received) {
        count->expected++;
    } else { /* late or repeated: useful when it was missing */
        uint32_t before = slot->nack ? slot->nack->count : 0;
        if (slot->nack) {
            nack_input(slot->nack, seq, !original, now);
        }
        bool wanted = slot->nack && slot->nack->count < before;
        count->repaired += wanted;
        count->duplicates += !wanted;
        return wanted;
    }
    if (slot->nack) {
        nack_input(slot->nack, seq, false, now);
    }
    return true;
}

static bool open_packet(struct client *client, uint8_t *data, size_t *len,
                        struct rtp_header *header)
{
    struct client_totals *totals = &client->world->totals;
    int err = client->world->crypto->open_rtp(client->open, data, len);
    err = err ? err : rtp_parse(header, data, *len);
    totals->decrypt_failed += err != 0;
    totals->forged += err == E_AUTH;
    return err == 0;
}

/*
 * Who comes or changes tiles is sent the past first, to see a whole picture at once. True while a
 * slot shows that: its age is what the server chose, no delay.
 */
static bool catches_up(struct client *client, unsigned i, const struct media_stamp *stamp,
                       mono_us now)
{
    struct rx_slot *slot = &client->rx->slot[i];
    struct rx_start *start = &client->rx->start;
    bool live = now - stamp->sent <= RX_LIVE_US;
    if (i < client->rx->audio_slots) {
        return false;
    }
    if (stamp->sender != slot->sender) {
        slot->sender = stamp->sender;
        slot->catch_from = now;
    }
    if (live || now - slot->catch_from > RX_CATCH_US) {
        slot->catch_from = 0;
    }
    if (live && start->first && !start->live) {
        start->live = now - start->from;
        spread_add(&client->world->totals.live_picture, start->live);
    }
    return slot->catch_from != 0;
}

/* The first picture that came whole. */
static void note_start(struct client *client, unsigned i, mono_us now)
{
    struct rx_start *start = &client->rx->start;
    const struct rx_slot *slot = &client->rx->slot[i];
    bool missing = slot->nack && (slot->nack->count || slot->nack->lost);
    if (start->from && !start->first && slot->ended && !missing) {
        start->first = now > start->from ? now - start->from : 1;
        spread_add(&client->world->totals.first_picture, start->first);
    }
}

/* Decrypts a retransmission: its original number (RFC 4588 4); E_BAD without one. */
static bool original_number(struct client *client, uint8_t *data, size_t *len,
                            struct rtp_header *header, uint16_t *seq)
{
    if (!open_packet(client, data, len, header)) {
        return false;
    }
    if (header->payload_len < 2) {
        return false; /* padding that probes the path */
    }
    *seq = (uint16_t)(data[header->header_len] << 8 | data[header->header_len + 1]);
    return true;
}

static void to_proof(struct client *client, unsigned slot, int64_t seq, uint8_t *data, size_t len,
                     const struct rtp_header *header, unsigned skip, mono_us now)
{
    struct client_totals *totals = &client->world->totals;
    struct media_stamp stamp;
    bool picture = slot >= client->rx->audio_slots;
    bool stamped = media_stamp_read(data, len - header->padding, &stamp);
    totals->decrypted++;
    bool past = stamped && catches_up(client, slot, &stamp, now);
    if (past) {
        spread_add(&totals->replay, now - stamp.sent);
    } else if (stamped && !skip) {
        spread_add(&totals->delay, now - stamp.sent);
        if (client->world->delay_h) {
            client->world->delay_h(client, &stamp, now);
        }
    } else if (!stamped && (!picture || header->marker)) {
        totals->stamps_bad++;
    }
    if (client->proof && (!picture || slot - client->rx->audio_slots < client->proof_streams)) {
        struct proof_packet packet = {
            .slot = (uint8_t)slot,
            .picture = picture,
            .seq = seq,
            .marker = header->marker,
            .payload = data + header->header_len + skip,
            .len = header->payload_len - skip,
            .stamped = stamped,
            .sender = stamped ? stamp.sender : 0,
            .counter = stamped ? stamp.counter : 0,
        };
        proof_put(client->proof, client->proof_number, &packet);
    }
}

/* Of the others only the ends of pictures are opened, until one is live. */
static void see_live(struct client *client, unsigned i, struct rtp_header *header, uint8_t *data,
                     size_t len, mono_us now)
{
    const struct rx_start *start = &client->rx->start;
    struct media_stamp stamp;
    if (i >= client->rx->audio_slots && header->marker && start->first && !start->live &&
        open_packet(client, data, &len, header) &&
        media_stamp_read(data, len - header->padding, &stamp)) {
        (void)catches_up(client, i, &stamp, now);
    }
}

static void on_original(struct client *client, unsigned i, struct rtp_header *header, uint8_t *data,
                        size_t len, mono_us now)
{
    struct client_rx *rx = client->rx;
    struct rx_slot *slot = &rx->slot[i];
    struct rx_count *count = count_of(rx, i);
    bool picture = i >= rx->audio_slots;
    int64_t seq = rtp_seq_peek(&slot->seq, header->seq);
    bool fresh = count_number(rx, i, seq, true, now);
    (void)rtp_seq_unwrap(&slot->seq, header->seq);
    slot->received++;
    rx->used |= 1u << i;
    slot->ssrc = header->ssrc;
    slot->last_at = now;
    slot->timestamp = header->timestamp;
    count_jitter(slot, picture ? 90000 : 48000, header->timestamp, now);
    count->packets += fresh;
    count->bytes += len;
    if (!picture || header->marker) {
        count_frame(rx, i, now);
    }
    if (picture && !rx->start.live) {
        slot->ended = slot->ended || header->marker;
        note_start(client, i, now);
    }
    if (!client->sampled) {
        see_live(client, i, header, data, len, now);
        return;
    }
    if (open_packet(client, data, &len, header) && fresh) {
        to_proof(client, i, seq, data, len, header, 0, now);
    }
}

static void on_repair(struct client *client, unsigned i, struct rtp_header *header, uint8_t *data,
                      size_t len, mono_us now)
{
    struct client_rx *rx = client->rx;
    struct rx_slot *slot = &rx->slot[i];
    uint16_t number;
    if (!original_number(client, data, &len, header, &number) || !slot->received) {
        return;
    }
    int64_t seq = rtp_unwrap(slot->seq.newest, number, 16);
    if (count_number(rx, i, seq, false, now)) {
        count_of(rx, i)->packets++;
        count_of(rx, i)->bytes += len;
        if (i >= rx->audio_slots && !rx->start.first) {
            slot->ended = slot->ended || header->marker;
            note_start(client, i, now);
        }
        if (client->sampled) {
            to_proof(client, i, seq, data, len, header, 2, now);
        }
    }
}

/* Twice the slot, and one more for its retransmissions; beyond all slots = nothing of ours. */
static uint32_t place_of(const struct client *client, const struct rtp_header *header)
{
    const struct client_rx *rx = client->rx;
    if (!client->by_type) {
        return header->ssrc - client->answer.ssrc_base;
    }
    uint32_t picture = 2 * rx->audio_slots;
    return header->pt == client->pt.sound     ? 0
           : header->pt == client->pt.picture ? picture
           : header->pt == client->pt.rtx     ? picture + 1
                                              : UINT32_MAX;
}

static uint32_t ssrc_of(const struct client *client, unsigned slot)
{
    return client->by_type ? client->rx->slot[slot].ssrc : client->answer.ssrc_base + 2 * slot;
}

void client_rx_rtp(struct client *client, uint8_t *data, size_t len, mono_us now)
{
    struct client_rx *rx = client->rx;
    struct client_totals *totals = &client->world->totals;
    struct rtp_header header;
    struct rtpext_set exts;
    if (!client->open || rtp_peek(&header, data, len) != 0) {
        totals->errors++;
        return;
    }
    totals->packets++;
    totals->bytes += len;
    if (rtpext_find(&exts, &header, data, &client->twcc_id) == 0) {
        int32_t number = rtpext_transport_cc(&exts, data);
        if (number >= 0) {
            twcc_gen_input(&rx->twcc, (uint16_t)number, header.ssrc, now);
        }
    }
    uint32_t k = place_of(client, &header);
    if (k / 2 >= rx->audio_slots + rx->video_slots) {
        totals->errors++;
        return;
    }
    if (k % 2) {
        on_repair(client, k / 2, &header, data, len, now);
        return;
    }
    if (!client->first_media) {
        client->first_media = true;
        client->join_us = now - client->hello_us;
        totals->first_media++;
        spread_add(&totals->join, client->join_us);
        spread_add(&totals->whole, now - client->begun_us);
    }
    on_original(client, k / 2, &header, data, len, now);
}

void client_rx_report(struct client *client, uint32_t ssrc, uint64_t ntp, mono_us now)
{
    for (unsigned i = 0; i < client->rx->audio_slots + client->rx->video_slots; i++) {
        if (ssrc_of(client, i) == ssrc) {
            client->rx->slot[i].sr_middle = (uint32_t)(ntp >> 16);
            client->rx->slot[i].sr_at = now;
        }
    }
}

static void ask_again(struct client *client, unsigned i, mono_us now)
{
    struct rx_slot *slot = &client->rx->slot[i];
    int64_t wanted[NACKS_AT_ONCE];
    uint16_t seqs[NACKS_AT_ONCE];
    uint8_t bytes[512];
    struct wr w = wr_init(bytes, sizeof(bytes));
    uint32_t ssrc = ssrc_of(client, i);
    uint32_t n = nack_collect(slot->nack, wanted, NACKS_AT_ONCE, now);
    for (uint32_t k = 0; k < n; k++) {
        seqs[k] = (uint16_t)wanted[k];
    }
    if (n && i >= client->rx->audio_slots) { /* sound is not repeated: a browser hides the hole */
        rtcp_write_nack(&w, client_media_ssrc(client), ssrc, seqs, n);
        client->rx->nacks += n;
    }
    if (nack_lost(slot->nack) && i >= client->rx->audio_slots && now - slot->pli_at > PLI_GAP_US) {
        slot->pli_at = now;
        client->rx->plis++;
        rtcp_write_pli(&w, client_media_ssrc(client), ssrc);
    }
    if (!w.bad && wr_len(&w)) {
        client_media_rtcp(client, bytes, wr_len(&w));
    }
}

/* A picture that should move and stands: counted once, at the moment it becomes a freeze. */
static void see_freeze(struct client_rx *rx, unsigned i, mono_us now)
{
    struct rx_slot *slot = &rx->slot[i];
    if (slot->wanted && slot->frame_at && !slot->frozen && now - slot->frame_at > RX_FREEZE_US &&
        now - slot->switched_at > RX_SWITCH_US) {
        slot->frozen = true;
        count_of(rx, i)->freezes++;
    }
}

mono_us client_rx_timer(struct client *client, mono_us now)
{
    struct client_rx *rx = client->rx;
    uint8_t bytes[1000];
    bool missing = false;
    if (!client->seal && !client->world->floor) {
        return now + CALM_US;
    }
    for (uint32_t used = rx->used; used; used &= used - 1) {
        unsigned i = (unsigned)__builtin_ctz(used);
        struct rx_slot *slot = &rx->slot[i];
        if (rx->missing && slot->nack) {
            if (nack_deadline(slot->nack) <= now || slot->nack->lost) {
                ask_again(client, i, now);
            }
            missing = missing || slot->nack->count > 0 || slot->nack->lost > 0;
        }
        see_freeze(rx, i, now);
    }
    rx->missing = missing;
    if (twcc_gen_deadline(&rx->twcc) <= now) {
        struct wr w = wr_init(bytes, sizeof(bytes));
        if (twcc_gen_write(&rx->twcc, &w, client_media_ssrc(client), now) && !w.bad) {
            rx->feedbacks++;
            client_media_rtcp(client, bytes, wr_len(&w));
        }
    }
    return now + (missing ? BUSY_US : CALM_US);
}

void client_rx_view(struct client *client, uint32_t count, mono_us now)
{
    struct client_rx *rx = client->rx;
    rx->start.from = rx->start.from || !count ? rx->start.from : now;
    for (uint32_t i = 0; i < rx->video_slots; i++) {
        struct rx_slot *slot = &rx->slot[rx->audio_slots + i];
        slot->wanted = i < count;
        rx->used |= (uint32_t)slot->wanted << (rx->audio_slots + i);
        slot->switched_at = now;
        slot->frame_at = 0;
        slot->frozen = false;
        slot->sender = 0;
    }
}

unsigned client_rx_blocks(struct client *client, mono_us now, struct rtcp_report *out, unsigned cap)
{
    struct client_rx *rx = client->rx;
    unsigned n = 0;
    for (unsigned i = 0; i < rx->audio_slots + rx->video_slots && n < cap; i++) {
        struct rx_slot *slot = &rx->slot[i];
        if (!slot->received || now - slot->last_at > 2 * US_PER_S) {
            continue;
        }
        int64_t next = slot->seq.newest + 1;
        int64_t expected = slot->reported_first ? next - slot->reported_first : 0;
        int64_t got = (int64_t)slot->received - slot->reported;
        int64_t lost = expected > got ? expected - got : 0;
        slot->reported_first = next;
        slot->reported = (uint32_t)slot->received;
        out[n++] = (struct rtcp_report){
            .ssrc = ssrc_of(client, i),
            .fraction_lost = (uint8_t)(expected > 0 ? lost * 255 / expected : 0),
            .highest_seq = (uint32_t)slot->seq.newest,
            .jitter = slot->jitter >> 4,
            .lsr = slot->sr_middle,
            .dlsr = slot->sr_at ? (uint32_t)((now - slot->sr_at) * 65536 / US_PER_S) : 0,
        };
    }
    return n;
}
