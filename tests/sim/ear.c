#include "tests/sim/ear.h"

#include <string.h>

#include "codec/base/mem.h"
#include "codec/media/red.h"
#include "codec/media/vp8.h"
#include "codec/wire/rtcp.h"
#include "codec/wire/rtp_seq.h"

enum {
    STEP_US = 20 * US_PER_MS,
    TARGET_MIN_US = 60 * US_PER_MS,
    TARGET_MAX_US = 400 * US_PER_MS,
    DRY_US = 600 * US_PER_MS, /* then it was the end of what was said */
    NACK_US = 50 * US_PER_MS,
    PLI_US = 500 * US_PER_MS,
    FREEZE_US = 150 * US_PER_MS,
    PLAYOUT_MAX_US = 600 * US_PER_MS,
    ASK_TICK_US = 20 * US_PER_MS,
    ASK_AGAIN_US = 60 * US_PER_MS,
    ASK_MOST = 64,
    PAGE_WAIT_US = 300 * US_PER_MS,
};

void ear_open(struct client *c)
{
    c->ear = mem_alloc(sizeof(*c->ear));
    c->offer.audio.pt[CODEC_RED] = c->world->plain_ears ? 0 : SIM_PT_RED;
}

void ear_free(struct client *c)
{
    mem_free(c->ear);
    c->ear = NULL;
}

/* ---- sound ---- */

static void sound_have(struct ear_sound *s, int64_t seq)
{
    if (seq < s->next || seq >= s->next + EAR_HAVE) {
        return;
    }
    while (s->top < seq) {
        s->have[++s->top % EAR_HAVE] = 0;
    }
    s->have[seq % EAR_HAVE] = 1;
}

static void sound_begin(struct ear_sound *s, int64_t seq, mono_us now)
{
    s->playing = true;
    s->target_us = s->target_us ? s->target_us : TARGET_MIN_US;
    s->next = seq;
    s->top = seq - 1;
    s->play_us = now + s->target_us;
    s->run = 0;
}

static void sound_rtp(struct ear_sound *s, const struct rtp_header *hdr, const uint8_t *payload,
                      mono_us now)
{
    struct red_block block[RED_BLOCKS_MAX];
    int64_t seq = rtp_unwrap(s->playing ? s->top : hdr->seq + 65536, hdr->seq, 16);
    if (!s->playing) {
        sound_begin(s, seq, now);
    }
    mono_us due = s->play_us + (seq - s->next) * STEP_US;
    if (due < now) { /* too late: the buffer learns */
        mono_us late = now - due + STEP_US;
        mono_us most = TARGET_MAX_US - s->target_us;
        late = late < most ? late : most;
        s->target_us += late > 0 ? late : 0;
        s->play_us += late > 0 ? late : 0;
    }
    s->got_us = now;
    s->run = 0;
    int blocks = hdr->pt == SIM_PT_RED ? red_parse(block, payload, hdr->payload_len) : 1;
    for (int i = 0; i + 1 < blocks; i++) {
        sound_have(s, seq - block[i].ts_offset / 960);
    }
    sound_have(s, seq);
}

static void sound_tick(struct ear_sound *s, mono_us now)
{
    while (s->playing && now >= s->play_us) {
        s->play_us += STEP_US;
        if (s->top < s->next) {
            s->concealed++;
            s->run++;
            if (now - s->got_us > DRY_US) {
                s->playing = false;
                s->concealed -= s->run;
            }
        } else if (s->have[s->next++ % EAR_HAVE]) {
            s->played++;
            mono_us more = (s->top - s->next + 1) * STEP_US - s->target_us;
            if (more > 3 * STEP_US) { /* play faster: one packet in five */
                s->play_us -= STEP_US / 5;
            }
            s->target_us -= s->target_us > TARGET_MIN_US ? 20 : 0;
        } else {
            s->concealed++;
        }
    }
}

static void sound_nack(struct client *c, unsigned k, struct ear_sound *s, mono_us now)
{
    uint16_t seqs[20];
    size_t n = 0;
    for (int64_t seq = s->next; s->playing && seq < s->top && n < 20; seq++) {
        if (!s->have[seq % EAR_HAVE]) {
            seqs[n++] = (uint16_t)seq;
        }
    }
    if (n && c->offer.audio.pt[CODEC_RED] && now - s->nack_us >= NACK_US) {
        uint8_t out[200];
        struct wr w = wr_init(out, sizeof(out) - 40);
        rtcp_write_nack(&w, 1, c->answer.ssrc_base + 2 * k, seqs, n);
        client_rtcp(c, out, wr_len(&w));
        s->nack_us = now;
    }
}

/* ---- pictures ---- */

static struct ear_frame *frame_of(struct ear_picture *p, const struct mark *m)
{
    for (unsigned i = 0; i < EAR_FRAMES; i++) {
        struct ear_frame *f = &p->frame[i];
        if (f->got && f->publisher == m->publisher && f->frame == m->frame &&
            f->layer == m->layer && f->source == m->source) {
            return f;
        }
    }
    struct ear_frame *f = &p->frame[p->at++ % EAR_FRAMES];
    *f = (struct ear_frame){
        .publisher = m->publisher,
        .frame = m->frame,
        .source = m->source,
        .layer = m->layer,
        .count = m->count,
        .key = m->key,
    };
    return f;
}

static bool decodable(const struct ear_picture *p, const struct ear_frame *f)
{
    if (f->shown || !f->described || f->got != (1ull << f->count) - 1) {
        return false;
    }
    uint16_t ahead = (f->picture - p->picture) & 0x7fff;
    if (p->decoding && (ahead == 0 || ahead > 0x4000)) {
        return false;
    }
    if (f->key) {
        return true;
    }
    return p->decoding && f->tl0 == (uint8_t)(p->tl0 + (f->tid == 0));
}

/* When the picture stands on the screen: late ones lengthen the playout delay of those to come. */
static mono_us screen_time(struct ear_picture *p, const struct ear_frame *f, mono_us now)
{
    if (!p->timed) {
        p->timed = true;
        p->media_us = 0;
        p->base_us = now;
    } else {
        p->media_us += (int64_t)(int32_t)(f->timestamp - p->timestamp) * 100 / 9;
    }
    p->timestamp = f->timestamp;
    int64_t offset = now - p->media_us;
    p->base_us = offset < p->base_us ? offset : p->base_us;
    int64_t late = offset - p->base_us;
    p->target_us -= p->target_us / 1000;
    p->target_us = late > p->target_us && late < PLAYOUT_MAX_US ? late : p->target_us;
    mono_us at = p->base_us + p->media_us + p->target_us;
    return at > now ? at : now;
}

static void show(struct ear_picture *p, struct ear_frame *f, mono_us arrived)
{
    mono_us now = screen_time(p, f, arrived);
    f->shown = true;
    p->decoding = true;
    p->tl0 = f->tl0;
    p->picture = f->picture;
    p->layer = f->layer;
    p->by_layer[f->layer < 3 ? f->layer : 0]++;
    p->shown++;
    if (p->shown_us) {
        double gap = (double)(now - p->shown_us);
        double limit = p->interval_us * 3 > p->interval_us + FREEZE_US ? p->interval_us * 3
                                                                       : p->interval_us + FREEZE_US;
        p->freezes += p->interval_us > 0 && gap > limit;
        p->longest_us = now - p->shown_us > p->longest_us ? now - p->shown_us : p->longest_us;
        p->interval_us += (gap - p->interval_us) / (p->interval_us > 0 ? 30 : 1);
    }
    p->shown_us = now;
}

/* Everything f is built on is there, as far as base pictures go. */
static bool built(const struct ear_picture *p, const struct ear_frame *f)
{
    for (unsigned i = 0; i < EAR_FRAMES && !f->key; i++) {
        const struct ear_frame *b = &p->frame[i];
        uint16_t ahead = (f->picture - b->picture) & 0x7fff;
        if (b->continuous && ahead > 0 && ahead < EAR_FRAMES && b->layer == f->layer &&
            b->publisher == f->publisher && b->tl0 == (uint8_t)(f->tl0 - 1)) {
            return true;
        }
    }
    return f->key;
}

/* Whole: and when it is a base picture and those before it are whole as well, back to a key frame,
 * nothing before it is asked for any more. */
static void note_whole(struct ear_picture *p, struct ear_frame *f, mono_us now)
{
    if (f->whole || f->got != (1ull << f->count) - 1) {
        return;
    }
    f->whole = true;
    p->whole += now - f->first_us < PLAYOUT_MAX_US;
    for (bool more = f->tid == 0; more;) {
        more = false;
        for (unsigned i = 0; i < EAR_FRAMES; i++) {
            struct ear_frame *b = &p->frame[i];
            if (b->whole && b->tid == 0 && !b->continuous && built(p, b)) {
                b->continuous = true;
                p->ask_from = b->top > p->ask_from ? b->top : p->ask_from;
                more = true;
            }
        }
    }
}

static void picture_rtp(struct ear_picture *p, const struct rtp_header *hdr, const uint8_t *payload,
                        bool rtx, int64_t seq, mono_us now)
{
    struct mark m;
    struct vp8_header vp8;
    size_t len = hdr->payload_len;
    if (rtx) {
        payload += len >= 2 ? 2 : 0;
        len -= len >= 2 ? 2 : 0;
    }
    if (len == 0 || !mark_read(payload, len, &m) || m.count >= 64 || m.codec != CODEC_VP8 ||
        vp8_parse(&vp8, payload, len)) {
        return;
    }
    struct ear_frame *f = frame_of(p, &m);
    f->first_us = f->got ? f->first_us : now;
    f->top = f->got && f->top > seq ? f->top : seq;
    f->got |= 1ull << m.index;
    f->described = true;
    f->tid = vp8.tid;
    f->tl0 = vp8.tl0picidx;
    f->picture = vp8.picture_id;
    f->timestamp = hdr->timestamp;
    p->got_us = now;
    note_whole(p, f, now);
    for (bool more = true; more;) {
        more = false;
        for (unsigned i = 0; i < EAR_FRAMES; i++) {
            if (decodable(p, &p->frame[i])) {
                show(p, &p->frame[i], now);
                more = true;
            }
        }
    }
}

static void picture_ask(struct client *c, unsigned k, struct ear_picture *p, bool tick, mono_us now)
{
    const struct slot_check *s = &c->check[k];
    uint16_t seqs[ASK_MOST];
    size_t n = 0;
    for (; p->ask_top < s->got_top; p->ask_top++) {
        p->asked_us[(p->ask_top + 1) % EAR_ASKED] = 0;
    }
    int64_t from = s->got_top - EAR_ASKED / 2;
    from = from > s->got_first ? from : s->got_first;
    from = from > p->ask_from ? from : p->ask_from;
    for (int64_t seq = from + 1; seq < s->got_top && n < ASK_MOST; seq++) {
        mono_us *asked = &p->asked_us[seq % EAR_ASKED];
        if (!s->got_map[seq & 8191] && (*asked == 0 || (tick && now - *asked >= ASK_AGAIN_US))) {
            *asked = now;
            seqs[n++] = (uint16_t)seq;
        }
    }
    if (n) {
        /* The page holds the buffer open from the first loss on (core/playout.ts). */
        p->target_us = p->target_us > PAGE_WAIT_US ? p->target_us : PAGE_WAIT_US;
        uint8_t out[400];
        struct wr w = wr_init(out, sizeof(out) - 40);
        rtcp_write_nack(&w, 1, c->answer.ssrc_base + 2 * k, seqs, n);
        client_rtcp(c, out, wr_len(&w));
    }
}

static void picture_tick(struct client *c, unsigned k, struct ear_picture *p, mono_us now)
{
    if (c->slot[k].state != SFU_SLOT_LIVE) {
        p->shown_us = 0; /* nothing is promised: no freeze */
        return;
    }
    mono_us since = p->shown_us > p->pli_us ? p->shown_us : p->pli_us;
    if (p->got_us && now - p->got_us < 100 * US_PER_MS && now - since > PLI_US) {
        uint8_t out[60];
        struct wr w = wr_init(out, sizeof(out) - 40);
        rtcp_write_pli(&w, 1, c->answer.ssrc_base + 2 * k);
        client_rtcp(c, out, wr_len(&w));
        p->pli_us = now;
    }
}

/* ---- both ---- */

void ear_rtp(struct client *c, unsigned k, bool rtx, const struct rtp_header *hdr,
             const uint8_t *data, int64_t seq, mono_us now)
{
    unsigned audio = c->offer.audio_slots;
    if (!c->ear) {
        return;
    }
    if (k < audio) {
        sound_rtp(&c->ear->sound[k], hdr, data + hdr->header_len, now);
    } else if (k < audio + c->offer.video_slots) {
        picture_rtp(&c->ear->picture[k - audio], hdr, data + hdr->header_len, rtx, seq, now);
        picture_ask(c, k, &c->ear->picture[k - audio], false, now);
    }
}

void ear_tick(struct client *c, mono_us now)
{
    if (!c->ear) {
        return;
    }
    for (unsigned k = 0; k < c->offer.audio_slots; k++) {
        sound_tick(&c->ear->sound[k], now);
        sound_nack(c, k, &c->ear->sound[k], now);
    }
    for (unsigned k = 0; k < c->offer.video_slots; k++) {
        struct ear_picture *p = &c->ear->picture[k];
        picture_tick(c, k + c->offer.audio_slots, p, now);
        if (c->check[k + c->offer.audio_slots].got && now - p->ask_us >= ASK_TICK_US) {
            p->ask_us = now;
            picture_ask(c, k + c->offer.audio_slots, p, true, now);
        }
    }
}

void ear_sum(const struct client *c, struct ear_sum *out)
{
    *out = (struct ear_sum){0};
    for (unsigned k = 0; k < c->offer.audio_slots; k++) {
        out->played += c->ear->sound[k].played;
        out->concealed += c->ear->sound[k].concealed;
    }
    for (unsigned k = 0; k < c->offer.video_slots; k++) {
        const struct ear_picture *p = &c->ear->picture[k];
        out->shown += p->shown;
        out->whole += p->whole;
        out->freezes += p->freezes;
        out->longest_us = p->longest_us > out->longest_us ? p->longest_us : out->longest_us;
    }
}

void ear_clear(struct client *c)
{
    for (unsigned k = 0; k < c->offer.audio_slots; k++) {
        c->ear->sound[k].played = 0;
        c->ear->sound[k].concealed = 0;
        c->ear->sound[k].run = 0;
    }
    for (unsigned k = 0; k < c->offer.video_slots; k++) {
        struct ear_picture *p = &c->ear->picture[k];
        p->shown = 0;
        p->whole = 0;
        p->freezes = 0;
        p->longest_us = 0;
        memset(p->by_layer, 0, sizeof(p->by_layer));
    }
}
