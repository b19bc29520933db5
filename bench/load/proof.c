#include "bench/load/proof.h"

#include <string.h>

#include "bench/load/film.h"
#include "bench/load/media.h"
#include "codec/av/audio.h"
#include "codec/av/pattern.h"
#include "codec/av/tone.h"
#include "codec/av/video.h"
#include "codec/base/mem.h"
#include "codec/media/vp8.h"
#include "codec/sys/thread.h"

enum { QUEUE = 2048, FRAME_MAX = 256 * 1024, SLOTS = 30, HEARD_MAX = 65536, WINDOW = 128 };

struct item {
    struct proof_packet packet;
    uint8_t client;
    uint8_t bytes[PROOF_PAYLOAD_MAX];
};

struct waiting {
    struct item item;
    bool used;
};

struct view {
    struct video_decoder *decoder;
    uint8_t *frame; /* FRAME_MAX */
    size_t len;
    int64_t next;         /* number to go on with */
    struct waiting *wait; /* WINDOW, by number */
    bool whole;           /* the frame has all packets so far */
    bool keyed;           /* a key picture of this sender was shown */
    bool lost;            /* a hole was given up just before next */
    uint32_t sender;
};

struct ear {
    struct audio_decoder *decoder;
    struct tone_reader reader;
    int64_t next;
    uint32_t sender, counter;
    unsigned clean; /* packets in a row from one sender */
};

struct proof {
    struct thread thread;
    struct mutex lock;
    struct cond more;
    struct item *queue;
    uint32_t head, count;
    bool stop, busy;
    struct cond done;
    struct view view[PROOF_CLIENTS][SLOTS];
    struct ear ear[PROOF_CLIENTS][SLOTS];
    struct proof_result result; /* under lock */
    uint8_t seen[HEARD_MAX];
};

static void note_sender(struct proof *p, struct proof_result *r, uint32_t sender)
{
    if (sender < HEARD_MAX && !p->seen[sender]) {
        p->seen[sender] = 1;
        r->senders++;
    }
}

static void judge_picture(struct proof *p, struct view *v, const struct proof_packet *packet,
                          struct proof_result *r)
{
    struct pattern_image image;
    struct pattern_code code;
    bool key = packet->counter >= FILM_FRAMES;
    if (!packet->stamped) {
        r->pictures_unread++;
        return;
    }
    if (packet->sender != v->sender) {
        v->sender = packet->sender;
        v->keyed = false;
    }
    v->keyed = v->keyed || key;
    if (!v->keyed) {
        return; /* joined between two key pictures: nothing can be shown yet */
    }
    /* A moving picture of one size behind a key picture of another is what a switch of layers never
     * does: libvpx refuses it, and that is a failure. */
    if (!video_decode(v->decoder, v->frame, v->len, &image)) {
        r->pictures_failed++;
        return;
    }
    pattern_read(&image, &code);
    r->pictures++;
    if (!code.sender_ok || !code.time_ok) {
        r->pictures_unread++;
    } else if (code.sender != packet->sender ||
               code.time != (key ? PATTERN_TIME_KEY : packet->counter)) {
        r->pictures_wrong++;
    } else {
        note_sender(p, r, packet->sender);
    }
}

/* One packet in order; lost = some before it never came. */
static void see_next(struct proof *p, struct view *v, const struct proof_packet *packet, bool lost,
                     struct proof_result *r)
{
    struct vp8_header desc;
    if (!v->decoder) {
        v->decoder = video_decoder_new();
        v->frame = mem_alloc(FRAME_MAX);
    }
    if (!v->decoder || !v->frame || vp8_parse(&desc, packet->payload, packet->len) != 0) {
        r->pictures_failed++;
        return;
    }
    bool begins = desc.start;
    if (lost) { /* it may have been a key picture of another size: wait for the next one */
        v->keyed = false;
        v->whole = false;
    }
    if (begins) {
        v->whole = true;
        v->len = 0;
    }
    if (!v->whole) {
        r->pictures_partial += packet->marker;
        return;
    }
    size_t part = packet->len - desc.len;
    if (v->len + part > FRAME_MAX) {
        v->whole = false;
        return;
    }
    memcpy(v->frame + v->len, packet->payload + desc.len, part);
    v->len += part;
    if (packet->marker) {
        judge_picture(p, v, packet, r);
        v->len = 0;
        v->whole = false;
    }
}

/* Puts packets in order: a hole is waited for until WINDOW packets came behind it. */
static void see(struct proof *p, struct view *v, const struct item *item, struct proof_result *r)
{
    int64_t seq = item->packet.seq;
    if (!v->wait) {
        v->wait = mem_alloc(sizeof(*v->wait) * WINDOW);
        v->next = seq;
    }
    if (!v->wait || seq < v->next) {
        return; /* too late: a hole that was given up stays one */
    }
    bool lost = v->lost;
    v->lost = false;
    if (seq >= v->next + 4 * WINDOW) { /* a new beginning */
        for (unsigned i = 0; i < WINDOW; i++) {
            v->wait[i].used = false;
        }
        v->next = seq;
        lost = true;
    }
    while (seq >= v->next + WINDOW) { /* give the hole up and go on behind it */
        struct waiting *first = &v->wait[v->next++ % WINDOW];
        if (first->used) {
            first->item.packet.payload = first->item.bytes;
            see_next(p, v, &first->item.packet, lost, r);
        }
        lost = !first->used;
        first->used = false;
    }
    v->wait[seq % WINDOW] = (struct waiting){.used = true, .item = *item};
    for (struct waiting *w; (w = &v->wait[v->next % WINDOW])->used; v->next++) {
        w->item.packet.payload = w->item.bytes;
        see_next(p, v, &w->item.packet, lost, r);
        w->used = false;
        lost = false;
    }
    v->lost = v->lost || lost;
}

static void hear(struct proof *p, struct ear *e, const struct proof_packet *packet,
                 struct proof_result *r)
{
    int16_t pcm[TONE_FRAME];
    if (!e->decoder) {
        e->decoder = audio_decoder_new();
    }
    bool follows = packet->seq == e->next && packet->stamped && packet->sender == e->sender &&
                   packet->counter == (e->counter + 1) % FILM_SOUNDS;
    e->next = packet->seq + 1;
    e->counter = packet->counter;
    if (!follows) { /* lost, another sender, or the microphone was shut for a while */
        tone_reader_init(&e->reader);
        e->sender = packet->sender;
        e->clean = 0;
    }
    e->clean++;
    if (!e->decoder || !audio_decode(e->decoder, packet->payload, packet->len, pcm)) {
        r->sound_failed++;
        return;
    }
    enum tone_result heard = tone_read(&e->reader, pcm);
    if (heard == TONE_BAD && e->clean > TONE_BLOCK_FRAMES) {
        r->blocks_unread++;
    } else if (heard == TONE_BLOCK) {
        unsigned place = packet->counter / TONE_BLOCK_FRAMES % TONE_BLOCKS;
        bool right = e->reader.sender == packet->sender && e->reader.block == place;
        r->blocks += right;
        r->blocks_wrong += !right;
        if (right) {
            note_sender(p, r, packet->sender);
        }
    }
}

static void add(struct proof_result *sum, const struct proof_result *r)
{
    sum->pictures += r->pictures;
    sum->pictures_wrong += r->pictures_wrong;
    sum->pictures_unread += r->pictures_unread;
    sum->pictures_failed += r->pictures_failed;
    sum->pictures_partial += r->pictures_partial;
    sum->blocks += r->blocks;
    sum->blocks_wrong += r->blocks_wrong;
    sum->blocks_unread += r->blocks_unread;
    sum->sound_failed += r->sound_failed;
    sum->senders += r->senders;
}

static void work(void *arg)
{
    struct proof *p = arg;
    static struct item item; /* one proof a process */
    thread_background();
    mutex_lock(&p->lock);
    while (!p->stop || p->count) {
        if (!p->count) {
            cond_wait(&p->more, &p->lock);
            continue;
        }
        item = p->queue[p->head];
        p->head = (p->head + 1) % QUEUE;
        p->count--;
        p->busy = true;
        mutex_unlock(&p->lock);
        struct proof_result r = {.pictures = 0};
        item.packet.payload = item.bytes;
        if (item.packet.picture) {
            see(p, &p->view[item.client][item.packet.slot], &item, &r);
        } else {
            hear(p, &p->ear[item.client][item.packet.slot], &item.packet, &r);
        }
        mutex_lock(&p->lock);
        add(&p->result, &r);
        p->busy = false;
        cond_signal(&p->done);
    }
    mutex_unlock(&p->lock);
}

struct proof *proof_new(void)
{
    struct proof *p = mem_alloc(sizeof(*p));
    if (!p) {
        return NULL;
    }
    p->queue = mem_alloc(sizeof(*p->queue) * QUEUE);
    mutex_init(&p->lock);
    cond_init(&p->more);
    cond_init(&p->done);
    if (!p->queue || thread_start(&p->thread, "proof", -1, work, p) != 0) {
        proof_free(p);
        return NULL;
    }
    return p;
}

void proof_free(struct proof *p)
{
    if (!p) {
        return;
    }
    mutex_lock(&p->lock);
    p->stop = true;
    cond_signal(&p->more);
    mutex_unlock(&p->lock);
    thread_join(&p->thread);
    for (unsigned c = 0; c < PROOF_CLIENTS; c++) {
        for (unsigned s = 0; s < SLOTS; s++) {
            video_decoder_free(p->view[c][s].decoder);
            mem_free(p->view[c][s].frame);
            mem_free(p->view[c][s].wait);
            audio_decoder_free(p->ear[c][s].decoder);
        }
    }
    cond_fini(&p->more);
    cond_fini(&p->done);
    mutex_fini(&p->lock);
    mem_free(p->queue);
    mem_free(p);
}

void proof_put(struct proof *p, unsigned client, const struct proof_packet *packet)
{
    if (client >= PROOF_CLIENTS || packet->slot >= SLOTS || packet->len > PROOF_PAYLOAD_MAX) {
        return;
    }
    mutex_lock(&p->lock);
    if (p->count == QUEUE) {
        p->result.skipped++;
    } else {
        struct item *item = &p->queue[(p->head + p->count++) % QUEUE];
        item->packet = *packet;
        item->client = (uint8_t)client;
        memcpy(item->bytes, packet->payload, packet->len);
        cond_signal(&p->more);
    }
    mutex_unlock(&p->lock);
}

void proof_settle(struct proof *p)
{
    mutex_lock(&p->lock);
    while (p->count || p->busy) {
        cond_wait(&p->done, &p->lock);
    }
    mutex_unlock(&p->lock);
}

void proof_read(struct proof *p, struct proof_result *out)
{
    mutex_lock(&p->lock);
    *out = p->result;
    mutex_unlock(&p->lock);
}
