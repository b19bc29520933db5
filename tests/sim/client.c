/* A fake browser: checks, handshake, feedback as a receiver. */
#include <string.h>

#include "codec/base/mem.h"
#include "codec/wire/class.h"
#include "codec/wire/rtcp.h"
#include "codec/wire/stun.h"
#include "codec/wire/twcc.h"
#include "tests/sim/model.h"

enum { AUDIO_SLOTS = 5, VIDEO_SLOTS = 16, CHECK_US = 2500 * US_PER_MS, NACKS = 64 };

void client_init(struct client *c)
{
    struct desc_offer *o = &c->offer;
    struct crypto_ops ops = fake_crypto_ops();
    struct srtp_key key = {0};
    static const char *mids[SOURCE_COUNT] = {"0", "1", "2", "3"};
    memcpy(o->ufrag, "abcd", 4);
    memcpy(o->pwd, "passwordpasswordpassword", 24);
    rng_fill(&c->world->rng, o->fingerprint, 32);
    o->audio_slots = AUDIO_SLOTS;
    o->video_slots = VIDEO_SLOTS;
    o->audio.pt[CODEC_OPUS] = SIM_PT_OPUS;
    for (uint8_t codec = CODEC_VP8; codec <= CODEC_AV1; codec++) {
        o->video.pt[codec] = sim_pt(codec);
        o->video.rtx[codec] = (uint8_t)(sim_pt(codec) + 1);
    }
    /* Two kinds of browser: ids differ. */
    uint8_t shift = c->number % 2;
    o->audio_ext.id[RTPEXT_MID] = (uint8_t)(4 - shift);
    o->audio_ext.id[RTPEXT_AUDIO_LEVEL] = 1;
    o->audio_ext.id[RTPEXT_TRANSPORT_CC] = (uint8_t)(3 + 4 * shift);
    o->audio_ext.id[RTPEXT_ABS_SEND_TIME] = 2;
    o->video_ext = o->audio_ext;
    o->video_ext.id[RTPEXT_VIDEO_ORIENTATION] = (uint8_t)(5 + shift);
    o->video_ext.id[RTPEXT_ABS_CAPTURE_TIME] = (uint8_t)(8 + shift);
    o->video_ext.id[RTPEXT_RID] = 10;
    o->video_ext.id[RTPEXT_REPAIRED_RID] = 11;
    o->video_ext.id[RTPEXT_PLAYOUT_DELAY] = 12;
    o->video_ext.id[RTPEXT_DEPENDENCY_DESCRIPTOR] = (uint8_t)(13 + 2 * shift);
    for (unsigned s = 0; s < SOURCE_COUNT; s++) {
        memcpy(o->mid[s], mids[s], 2);
        c->level[s] = 40;
    }
    o->slot_mid_first = SOURCE_COUNT;
    c->tuple = (struct tuple){
        .remote = {.family = ADDR_V4, .port = (uint16_t)(10000 + c->number), .ip = {10, 1, 0, 1}},
        .local = {.family = ADDR_V4, .port = 40000, .ip = {10, 0, 0, 1}},
        .proto = ADDR_UDP,
    };
    c->up.delay_us = 20 * US_PER_MS;
    c->down.delay_us = 20 * US_PER_MS;
    memcpy(key.key, o->fingerprint, 16);
    c->seal = ops.seal_new(NULL, SRTP_AEAD_AES_128_GCM, &key);
    memcpy(key.key, o->fingerprint + 16, 16);
    c->open_ctx = ops.open_new(NULL, SRTP_AEAD_AES_128_GCM, &key);
    c->tap = ops.open_new(NULL, SRTP_AEAD_AES_128_GCM, &key);
    twcc_gen_init(&c->feedback);
    media_init(c);
}

void client_free(struct client *c)
{
    struct crypto_ops ops = fake_crypto_ops();
    ear_free(c);
    model_free(c);
    ops.seal_free(c->seal);
    ops.open_free(c->open_ctx);
    ops.open_free(c->tap);
    for (unsigned i = 0; i < SIM_STREAMS; i++) {
        mem_free(c->stream[i].kept);
    }
}

static void send_check(struct client *c, bool nominate)
{
    uint8_t out[300];
    char user[80] = "";
    size_t ours = strlen(c->answer.ufrag);
    memcpy(user, c->answer.ufrag, ours);
    user[ours] = ':';
    memcpy(user + ours + 1, c->offer.ufrag, strlen(c->offer.ufrag));
    struct stun_request req = {
        .username = user,
        .username_len = strlen(user),
        .priority = 1000,
        .role = STUN_CONTROLLING,
        .use_candidate = nominate,
    };
    rng_fill(&c->world->rng, req.txid, sizeof(req.txid));
    int len =
        stun_build_request(out, sizeof(out), &req, c->answer.pwd, strlen(c->answer.pwd), fake_hmac);
    if (len > 0) {
        world_up(c->world, c, out, (size_t)len);
    }
}

static void send_dtls(struct client *c, uint8_t kind, const uint8_t *body)
{
    uint8_t out[18] = {kind == FAKE_BYE ? FAKE_ALERT : FAKE_DTLS, kind};
    if (body) {
        memcpy(out + 2, body, 16);
    }
    world_up(c->world, c, out, sizeof(out));
}

void client_bye(struct client *c)
{
    send_dtls(c, FAKE_BYE, c->offer.fingerprint);
}

void client_rtcp(struct client *c, uint8_t *data, size_t len)
{
    struct crypto_ops ops = fake_crypto_ops();
    len = ops.seal_rtcp(c->seal, data, len, c->rtcp_index++);
    world_up(c->world, c, data, len);
}

void client_width(struct client *c, uint64_t bps)
{
    uint8_t out[100];
    uint32_t ssrc = c->answer.ssrc_base + 2 * AUDIO_SLOTS;
    struct wr wr = wr_init(out, 60);
    rtcp_write_remb(&wr, 1, bps, &ssrc, 1);
    client_rtcp(c, out, wr_len(&wr));
}

/* Missing numbers among the last 100 of a slot, not asked for too long. */
static void nack_missing(struct client *c, unsigned k, mono_us now)
{
    struct slot_check *s = &c->check[k];
    uint16_t seqs[NACKS];
    size_t n = 0;
    (void)now;
    for (int64_t seq = s->got_top - 100; seq < s->got_top && n < NACKS; seq++) {
        if (seq > s->got_first && !s->got_map[seq & 8191]) {
            seqs[n++] = (uint16_t)seq;
        }
    }
    if (n && k >= AUDIO_SLOTS) {
        uint8_t out[400];
        struct wr w = wr_init(out, sizeof(out) - 40);
        rtcp_write_nack(&w, 1, c->answer.ssrc_base + 2 * k, seqs, n);
        client_rtcp(c, out, wr_len(&w));
    }
}

/* What arrived since the last report, as a browser says it. */
static struct rtcp_report report_on(struct client *c, unsigned k)
{
    struct slot_check *s = &c->check[k];
    int64_t expected = s->got_top - (s->told_got ? s->told_top : s->got_first - 1);
    int64_t lost = expected - (int64_t)(s->got - s->told_got);
    s->told_top = s->got_top;
    s->told_got = s->got;
    return (struct rtcp_report){
        .ssrc = c->answer.ssrc_base + 2 * k,
        .fraction_lost = (uint8_t)(lost > 0 ? lost * 255 / expected : 0),
        .highest_seq = (uint32_t)s->got_top,
    };
}

static void send_reports(struct client *c, mono_us now)
{
    uint8_t out[1200];
    struct wr w = wr_init(out, sizeof(out) - 40);
    for (unsigned i = 0; i < SIM_STREAMS; i++) {
        struct stream_out *s = &c->stream[i];
        bool video = s->source == SOURCE_CAMERA || s->source == SOURCE_SCREEN;
        if (s->sent == 0) {
            continue;
        }
        struct rtcp_sr sr = {
            .ssrc = s->ssrc,
            .ntp = (uint64_t)(now / US_PER_S) << 32 | ((uint64_t)(now % US_PER_S) << 32) / US_PER_S,
            .rtp = s->timestamp0 + s->frame * (video ? 3600 : 960),
            .packets = (uint32_t)s->sent,
        };
        rtcp_write_sr(&w, &sr, NULL, 0);
    }
    struct rtcp_report rep[31];
    unsigned n = 0;
    for (unsigned k = 0; k < SIM_SLOTS && n < 20; k++) {
        if (c->check[k].got) {
            rep[n++] = report_on(c, k);
        }
    }
    rtcp_write_rr(&w, 1, rep, n);
    rtcp_write_cname(&w, 1, "fake", 4);
    client_rtcp(c, out, wr_len(&w));
}

static void connect_tick(struct client *c, mono_us now)
{
    if (c->answered && !c->silent && now >= c->next_check_us) {
        send_check(c, !c->nominated_once || !c->checked);
        c->next_check_us = now + (c->checked ? CHECK_US : 50 * US_PER_MS);
        c->next_spare_us = now + CHECK_US / 2;
    }
    if (c->spare_port && now >= c->next_spare_us) {
        uint16_t port = c->tuple.remote.port;
        c->tuple.remote.port = c->spare_port;
        c->old_tuple = c->tuple;
        send_check(c, false);
        c->tuple.remote.port = port;
        c->next_spare_us = MONO_NEVER;
    }
    if (c->checked && !c->connected && now >= c->next_dtls_us) {
        if (c->dtls_stage == 0) {
            send_dtls(c, FAKE_HELLO_1, c->offer.fingerprint);
            send_dtls(c, FAKE_HELLO_2, c->offer.fingerprint + 16);
        } else {
            send_dtls(c, FAKE_FINISHED, NULL);
            if (++c->dtls_tries ==
                4) { /* the server lost it: begin anew, as a client's timer does */
                c->dtls_tries = 0;
                c->dtls_stage = 0;
            }
        }
        c->next_dtls_us = now + 100 * US_PER_MS;
    }
}

static void note_arrival(struct client *c, const struct rtp_header *hdr, const uint8_t *data,
                         mono_us now)
{
    struct rtpext_set set;
    uint32_t k = (hdr->ssrc - c->answer.ssrc_base) / 2;
    const struct desc_exts *ids =
        k < c->offer.audio_slots ? &c->offer.audio_ext : &c->offer.video_ext;
    if (rtpext_find(&set, hdr, data, ids) == 0) {
        int32_t number = rtpext_transport_cc(&set, data);
        bool told = c->lie == LIE_NONE || (c->lie == LIE_LOST && number % 10 == 0);
        if (number >= 0 && told) {
            twcc_gen_input(&c->feedback, (uint16_t)number, hdr->ssrc, now);
        }
    }
}

static void send_feedback(struct client *c, mono_us now)
{
    uint8_t out[1200];
    struct wr w = wr_init(out, sizeof(out) - 40);
    if (twcc_gen_write(&c->feedback, &w, 1, now)) {
        client_rtcp(c, out, wr_len(&w));
    }
}

void client_tick(struct client *c, mono_us now)
{
    connect_tick(c, now);
    if (!c->connected) {
        return;
    }
    if (!c->ready) {
        struct sfu_cmd cmd = {.kind = SFU_CMD_READY};
        c->ready = true;
        world_command(c->world, c, &cmd);
    }
    media_tick(c, now);
    ear_tick(c, now);
    model_tick(c, now);
    if (now >= c->next_rtcp_us) {
        c->next_rtcp_us = now + US_PER_S;
        send_reports(c, now);
    }
    if (now >= twcc_gen_deadline(&c->feedback)) {
        send_feedback(c, now);
    }
    if (now >= c->next_twcc_us) {
        c->next_twcc_us = now + 20 * US_PER_MS;
        for (unsigned k = 0; k < SIM_SLOTS; k++) {
            if (c->check[k].got && !c->ear) { /* an ear asks as a browser does */
                nack_missing(c, k, now);
            }
        }
    }
}

static void input_feedback(struct client *c, const struct rtcp_packet *p)
{
    static struct twcc_status status[1024];
    struct twcc_feedback fb;
    c->twcc_feedbacks++;
    if (twcc_parse(&fb, status, 1024, p)) {
        world_fail(c->world, "client %u: malformed transport feedback", c->number);
        return;
    }
    for (unsigned i = 0; i < fb.count; i++) {
        c->twcc_told += status[i].received;
    }
}

static void input_report(struct client *c, const struct rtcp_packet *p)
{
    struct rtcp_report r;
    c->rrs += p->count;
    for (unsigned i = 0; i < p->count && rtcp_report_at(&r, p, i) == 0; i++) {
        c->lost_told = r.fraction_lost > c->lost_told ? r.fraction_lost : c->lost_told;
    }
}

/* Picture and sound are brought together by what a sender report says of the slot's time: that of
 * its newest packet, and what passed since; pictures may stand in a queue meanwhile. */
static void input_sr(struct client *c, const struct rtcp_packet *p, mono_us now)
{
    enum { OFF_US = 5 * US_PER_S };
    struct rtcp_sr sr = {0};
    bool bad = rtcp_parse_sr(&sr, p) != 0;
    uint32_t k = (sr.ssrc - c->answer.ssrc_base) / 2;
    if (bad || k >= SIM_SLOTS || !c->check[k].started) {
        world_fail(c->world, "client %u: a sender report of no slot", c->number);
        return;
    }
    int64_t ahead = (int32_t)(sr.rtp - c->check[k].timestamp);
    int64_t us = ahead * US_PER_S / (k < AUDIO_SLOTS ? 48000 : 90000);
    if (us < -OFF_US || us > now - c->check[k].at + OFF_US) {
        world_fail(c->world, "client %u slot %u: its report is %lld ms from its packets", c->number,
                   k, (long long)(us / US_PER_MS));
    }
}

static void input_rtcp(struct client *c, const uint8_t *data, size_t len, mono_us now)
{
    struct rd compound = rd_init(data, len);
    struct rtcp_packet p;
    struct rtcp_fb fb;
    int more;
    while ((more = rtcp_next(&compound, &p)) == 1) {
        if (p.type == RTCP_PSFB && p.count == PSFB_PLI && rtcp_parse_fb(&fb, &p) == 0) {
            media_key(c, fb.media, now);
        } else if (p.type == RTCP_RTPFB && p.count == RTPFB_NACK && rtcp_parse_fb(&fb, &p) == 0) {
            struct rtcp_nack_iter it;
            uint16_t seq;
            if (rtcp_nack_init(&it, &p) == 0) {
                while (rtcp_nack_next(&it, &seq)) {
                    media_nack(c, fb.media, seq);
                }
            }
        } else if (p.type == RTCP_RTPFB && p.count == RTPFB_TRANSPORT_CC) {
            input_feedback(c, &p);
        } else if (p.type == RTCP_SR) {
            c->srs++;
            input_sr(c, &p, now);
            input_report(c, &p);
        } else if (p.type == RTCP_RR) {
            input_report(c, &p);
        }
    }
    if (more < 0) {
        world_fail(c->world, "client %u: malformed RTCP from the SFU", c->number);
    }
}

static void input_rtp(struct client *c, const uint8_t *data, size_t len, mono_us now)
{
    struct rtp_header hdr;
    if (rtp_parse(&hdr, data, len)) {
        world_fail(c->world, "client %u: malformed RTP", c->number);
        return;
    }
    note_arrival(c, &hdr, data, now);
    uint32_t k = (hdr.ssrc - c->answer.ssrc_base) / 2;
    bool rtx = (hdr.ssrc - c->answer.ssrc_base) & 1;
    if (k >= SIM_SLOTS) {
        return; /* check.c complains */
    }
    if (rtx && hdr.payload_len == 0) {
        return; /* a probe */
    }
    struct slot_check *s = &c->check[k];
    uint16_t seq16 = hdr.seq;
    if (rtx) {
        struct rd r = rd_init(data + hdr.header_len, hdr.payload_len);
        seq16 = rd_u16(&r);
        s->got_rtx++;
    }
    if (!s->got) {
        s->got_first = seq16;
        s->got_top = seq16;
        s->got_us = now;
    }
    int64_t seq = s->got_top + (int16_t)(uint16_t)(seq16 - (uint16_t)s->got_top);
    for (int64_t i = s->got_top + 1; i <= seq; i++) {
        s->got_map[i & 8191] = 0;
    }
    s->got_top = seq > s->got_top ? seq : s->got_top;
    s->got_map[seq & 8191] = 1;
    s->gap_us = now - s->got_us > s->gap_us ? now - s->got_us : s->gap_us;
    s->got_us = now;
    s->got++;
    ear_rtp(c, k, rtx, &hdr, data, seq, now);
    model_rtp(c, k, rtx, &hdr, data, now);
}

void client_input(struct client *c, const uint8_t *data, size_t len, mono_us now)
{
    struct crypto_ops ops = fake_crypto_ops();
    uint8_t copy[SIM_PACKET];
    size_t n = len;
    struct stun_msg stun;
    memcpy(copy, data, len);
    switch (wire_classify(data, len)) {
    case WIRE_STUN:
        if (stun_parse(&stun, data, len) == 0 && stun.class == STUN_SUCCESS) {
            c->checked = true;
            c->last_check_ok_us = now;
        }
        break;
    case WIRE_DTLS:
        if (data[1] == FAKE_SERVER_HELLO && c->dtls_stage == 0) {
            c->dtls_stage = 1;
            c->next_dtls_us = now;
        } else if (data[1] == FAKE_SERVER_DONE) {
            c->connected = true;
        } else if (data[1] == FAKE_SERVER_BYE) {
            c->byes++;
        }
        break;
    case WIRE_RTP:
        if (ops.open_rtp(c->open_ctx, copy, &n) == 0) {
            input_rtp(c, copy, n, now);
        }
        break;
    case WIRE_RTCP:
        if (ops.open_rtcp(c->open_ctx, copy, &n) == 0) {
            input_rtcp(c, copy, n, now);
        }
        break;
    case WIRE_UNKNOWN:
        world_fail(c->world, "client %u: a datagram of no class", c->number);
        break;
    }
}
