#include "server/app/inner.h"

#include <string.h>

#include "codec/av/mixer.h"
#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/rw.h"
#include "codec/sys/clock.h"
#include "codec/sys/log.h"
#include "codec/sys/random.h"
#include "codec/sys/thread.h"
#include "codec/wire/rtp.h"
#include "server/io/loop.h"
#include "server/io/mailbox.h"

enum {
    SHARDS_MOST = 64,
    PACKETS_CAP = 1024,
    ORDERS_CAP = 1024,
    MIX_BPS = 64000,
    TICK_US = 20 * US_PER_MS,
    BEHIND_US = 200 * US_PER_MS, /* further behind than this: what was missed stays silent */
    HEADER_LEN = RTP_HEADER_MIN + 8,
    LOUD_MOST = 40, /* the one microphone of its room: always worth forwarding */
};

enum order_kind { ORDER_OPEN, ORDER_CLOSE, ORDER_ONLY };

struct order {
    enum order_kind kind;
    sfu_peer_id peer;
    uint32_t ssrc;
};

struct mix {
    sfu_peer_id peer; /* 0 = free */
    struct mixer *mixer;
    uint16_t seq;
    uint32_t timestamp;
};

struct inner {
    unsigned shards;
    struct thread thread;
    bool started;
    struct loop *loop;
    struct mailbox *orders;
    struct mailbox *in;
    struct mailbox *out[SHARDS_MOST];
    _Atomic bool stop;
    struct mix mix[INNER_MIXES_MAX];
    unsigned mixes;
    mono_us next;
    uint64_t frames;
    struct mutex lock;
    struct inner_stats stats; /* under lock */
};

void inner_offer(struct desc_offer *out, uint32_t ssrc)
{
    memset(out, 0, sizeof(*out));
    memcpy(out->ufrag, "inner", 6);
    memcpy(out->pwd, "a peer without any path", 24);
    out->audio_slots = DESC_AUDIO_SLOTS_MAX;
    out->audio.pt[CODEC_OPUS] = INNER_PT;
    out->audio_ext.id[RTPEXT_AUDIO_LEVEL] = INNER_EXT_LEVEL;
    out->ssrc[SOURCE_MIC] = ssrc;
    out->mid[SOURCE_MIC][0] = '0';
    out->slot_mid_first = DESC_MID_NONE;
}

/* ---- the mixing thread ------------------------------------------------------------------------
 */

static struct mix *mix_find(struct inner *in, sfu_peer_id peer)
{
    for (unsigned i = 0; i < INNER_MIXES_MAX; i++) {
        if (in->mix[i].peer == peer) {
            return &in->mix[i];
        }
    }
    return NULL;
}

static void mix_open(struct inner *in, sfu_peer_id peer)
{
    struct mix *m = mix_find(in, peer) ? NULL : mix_find(in, 0);
    struct mixer *mixer = m ? mixer_new(MIX_BPS) : NULL;
    if (!mixer) {
        log_warn("mix", "no room for another mix", L_UINT("mixes", in->mixes));
        return;
    }
    *m = (struct mix){.peer = peer, .mixer = mixer};
    random_fill(&m->seq, sizeof(m->seq));
    random_fill(&m->timestamp, sizeof(m->timestamp));
    if (in->mixes++ == 0) {
        in->next = clock_mono_us() + TICK_US;
    }
}

static void mix_close(struct inner *in, struct mix *m)
{
    if (m && m->peer) {
        mixer_free(m->mixer);
        *m = (struct mix){.peer = 0};
        in->mixes--;
    }
}

static void orders_h(void *arg, unsigned ready, mono_us now)
{
    struct inner *in = arg;
    struct order order;
    (void)ready;
    (void)now;
    mailbox_answer(in->orders);
    while (mailbox_pop(in->orders, &order)) {
        struct mix *m = mix_find(in, order.peer);
        if (order.kind == ORDER_OPEN) {
            mix_open(in, order.peer);
        } else if (order.kind == ORDER_CLOSE) {
            mix_close(in, m);
        } else if (m) {
            mixer_only(m->mixer, order.ssrc);
        }
    }
}

static void packets_h(void *arg, unsigned ready, mono_us now)
{
    struct inner *in = arg;
    struct inner_packet packet;
    (void)ready;
    (void)now;
    mailbox_answer(in->in);
    while (mailbox_pop(in->in, &packet)) {
        struct rtp_header hdr;
        struct mix *m = mix_find(in, packet.peer);
        bool rtp = m && packet.len >= RTP_HEADER_MIN && (packet.data[1] & 0x7f) == INNER_PT &&
                   rtp_parse(&hdr, packet.data, packet.len) == 0;
        if (rtp) {
            mixer_input(m->mixer, hdr.ssrc, hdr.seq, packet.data + hdr.header_len, hdr.payload_len);
        }
    }
}

static void mix_tick(struct inner *in, struct mix *m)
{
    struct inner_packet p = {.peer = m->peer};
    uint8_t level;
    struct wr w = wr_init(p.data, HEADER_LEN);
    size_t len = mixer_tick(m->mixer, p.data + HEADER_LEN, &level);
    wr_u8(&w, 0x90); /* version 2, extension */
    wr_u8(&w, INNER_PT);
    wr_u16(&w, m->seq++);
    wr_u32(&w, m->timestamp);
    wr_u32(&w, inner_ssrc(m->peer));
    wr_u16(&w, 0xbede); /* RFC 8285 one-byte header */
    wr_u16(&w, 1);
    wr_u8(&w, INNER_EXT_LEVEL << 4);
    wr_u8(&w, (uint8_t)(0x80 | (level < LOUD_MOST ? level : LOUD_MOST)));
    wr_u16(&w, 0);
    m->timestamp += MIXER_FRAME;
    if (!len || w.bad) {
        return;
    }
    p.len = (uint16_t)(HEADER_LEN + len);
    struct mailbox *to = in->out[sfu_shard_of(m->peer) % in->shards];
    (void)mailbox_push(to, 0, &p); /* full: lost like a packet, counted by the mailbox */
    mailbox_ring(to);
    in->frames++;
}

static void publish(struct inner *in)
{
    struct inner_stats stats = {
        .mixes = in->mixes, .frames = in->frames, .refused = mailbox_refused(in->in)};
    for (unsigned i = 0; i < INNER_MIXES_MAX; i++) {
        struct mixer_stats one = {0};
        if (in->mix[i].peer) {
            mixer_stats_read(in->mix[i].mixer, &one);
        }
        stats.late += one.late;
        stats.concealed += one.concealed;
    }
    mutex_lock(&in->lock);
    in->stats = stats;
    mutex_unlock(&in->lock);
}

static void run(void *arg)
{
    struct inner *in = arg;
    thread_background();
    while (!atomic_load(&in->stop)) {
        mono_us now = loop_wait(in->loop, in->mixes ? in->next : MONO_NEVER);
        while (in->mixes && now >= in->next) {
            for (unsigned i = 0; i < INNER_MIXES_MAX; i++) {
                if (in->mix[i].peer) {
                    mix_tick(in, &in->mix[i]);
                }
            }
            in->next = now - in->next > BEHIND_US ? now + TICK_US : in->next + TICK_US;
        }
        publish(in);
    }
}

/* ---- from outside -----------------------------------------------------------------------------
 */

int inner_new(struct inner **out, unsigned shards)
{
    *out = NULL;
    struct inner *in = shards && shards <= SHARDS_MOST ? mem_alloc(sizeof(*in)) : NULL;
    if (!in) {
        return E_NOMEM;
    }
    in->shards = shards;
    mutex_init(&in->lock);
    int err = loop_new(&in->loop, 4);
    err = err ? err : mailbox_new(&in->orders, 1, ORDERS_CAP, sizeof(struct order));
    err = err ? err : mailbox_new(&in->in, shards, PACKETS_CAP, sizeof(struct inner_packet));
    err = err ? err : loop_add(in->loop, mailbox_fd(in->orders), LOOP_READ, orders_h, in);
    err = err ? err : loop_add(in->loop, mailbox_fd(in->in), LOOP_READ, packets_h, in);
    for (unsigned i = 0; i < shards && !err; i++) {
        err = mailbox_new(&in->out[i], 1, PACKETS_CAP, sizeof(struct inner_packet));
    }
    if (err) {
        inner_free(in);
        return err;
    }
    *out = in;
    return 0;
}

int inner_start(struct inner *in)
{
    int err = thread_start(&in->thread, "mix", -1, run, in);
    in->started = !err;
    return err;
}

void inner_free(struct inner *in)
{
    if (!in) {
        return;
    }
    if (in->started) {
        atomic_store(&in->stop, true);
        loop_ring(in->loop);
        thread_join(&in->thread);
    }
    for (unsigned i = 0; i < INNER_MIXES_MAX; i++) {
        mix_close(in, &in->mix[i]);
    }
    for (unsigned i = 0; i < in->shards; i++) {
        mailbox_free(in->out[i]);
    }
    mailbox_free(in->in);
    mailbox_free(in->orders);
    loop_free(in->loop);
    mutex_fini(&in->lock);
    mem_free(in);
}

static void order(struct inner *in, enum order_kind kind, sfu_peer_id peer, uint32_t ssrc)
{
    struct order o = {.kind = kind, .peer = peer, .ssrc = ssrc};
    if (!mailbox_push(in->orders, 0, &o)) {
        log_warn("mix", "the mixing thread takes no orders", L_INT("order", (int)kind));
    }
    mailbox_ring(in->orders);
}

void inner_open(struct inner *in, sfu_peer_id peer)
{
    order(in, ORDER_OPEN, peer, 0);
}

void inner_close(struct inner *in, sfu_peer_id peer)
{
    order(in, ORDER_CLOSE, peer, 0);
}

void inner_only(struct inner *in, sfu_peer_id peer, uint32_t ssrc)
{
    order(in, ORDER_ONLY, peer, ssrc);
}

void inner_take(struct inner *in, unsigned shard, sfu_peer_id peer, const uint8_t *data, size_t len)
{
    struct inner_packet p;
    if (len <= sizeof(p.data)) {
        p.peer = peer;
        p.len = (uint16_t)len;
        memcpy(p.data, data, len);
        (void)mailbox_push(in->in, shard, &p); /* full: counted by the mailbox */
    }
}

void inner_ring(struct inner *in)
{
    mailbox_ring(in->in);
}

int inner_fd(const struct inner *in, unsigned shard)
{
    return mailbox_fd(in->out[shard]);
}

void inner_answer(struct inner *in, unsigned shard)
{
    mailbox_answer(in->out[shard]);
}

bool inner_pop(struct inner *in, unsigned shard, struct inner_packet *out)
{
    return mailbox_pop(in->out[shard], out);
}

void inner_stats_read(struct inner *in, struct inner_stats *out)
{
    mutex_lock(&in->lock);
    *out = in->stats;
    mutex_unlock(&in->lock);
}
