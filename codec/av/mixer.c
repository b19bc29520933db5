#include "codec/av/mixer.h"

#include <math.h>
#include <opus/opus.h>
#include <string.h>

#include "codec/base/mem.h"

enum {
    FRAME_ALL = MIXER_FRAME * MIXER_CHANNELS,
    WAITING_MAX = 16,              /* packets kept for order */
    DECODED_MAX = 5760,            /* RFC 6716: a packet has at most 120 ms */
    FIFO_MAX = DECODED_MAX + 9600, /* samples decoded and not played */
    START_PACKETS = 3,             /* kept back when a source begins */
    AHEAD_MAX = 10,                /* more waiting than this: the sender's clock is faster */
    CONCEAL_MAX = 5,               /* frames made up before it is silence */
    IDLE_TICKS = 250,              /* 5 s without a packet: the source is gone */
};

#define LIMIT_AT 30000.0F   /* of 32767: what the limiter lets through */
#define LIMIT_RELEASE 0.05F /* of the way back to 1 per frame */

struct waiting {
    uint16_t seq;
    uint16_t len; /* 0 = free */
    uint8_t data[MIXER_PACKET_MAX];
};

struct source {
    uint32_t ssrc; /* 0 = free */
    OpusDecoder *opus;
    struct waiting waiting[WAITING_MAX];
    uint32_t count;
    uint16_t next; /* sequence number played next */
    bool known;    /* next is set */
    bool playing;
    uint32_t made_up; /* in a row */
    uint32_t idle;
    uint32_t samples; /* in fifo, per channel */
    int16_t fifo[FIFO_MAX * MIXER_CHANNELS];
};

struct mixer {
    OpusEncoder *opus;
    uint32_t only;
    float gain;
    struct source *source[MIXER_SOURCES];
    int32_t sum[FRAME_ALL];
    int16_t pcm[FRAME_ALL];
    struct mixer_stats stats;
};

struct mixer *mixer_new(uint32_t bps)
{
    int err = 0;
    struct mixer *m = mem_alloc(sizeof(*m));
    if (!m) {
        return NULL;
    }
    m->gain = 1.0F;
    m->opus = opus_encoder_create(MIXER_RATE, MIXER_CHANNELS, OPUS_APPLICATION_AUDIO, &err);
    if (!m->opus || opus_encoder_ctl(m->opus, OPUS_SET_BITRATE((opus_int32)bps)) != OPUS_OK ||
        opus_encoder_ctl(m->opus, OPUS_SET_COMPLEXITY(5)) != OPUS_OK ||
        opus_encoder_ctl(m->opus, OPUS_SET_INBAND_FEC(1)) != OPUS_OK ||
        opus_encoder_ctl(m->opus, OPUS_SET_PACKET_LOSS_PERC(5)) != OPUS_OK) {
        mixer_free(m);
        return NULL;
    }
    return m;
}

static void source_free(struct source *s)
{
    if (s && s->opus) {
        opus_decoder_destroy(s->opus);
    }
    mem_free(s);
}

void mixer_free(struct mixer *m)
{
    if (!m) {
        return;
    }
    for (unsigned i = 0; i < MIXER_SOURCES; i++) {
        source_free(m->source[i]);
    }
    if (m->opus) {
        opus_encoder_destroy(m->opus);
    }
    mem_free(m);
}

/* ---- sources -------------------------------------------------------------------------------- */

static struct source *source_new(uint32_t ssrc)
{
    int err = 0;
    struct source *s = mem_alloc(sizeof(*s));
    if (!s) {
        return NULL;
    }
    s->ssrc = ssrc;
    s->opus = opus_decoder_create(MIXER_RATE, MIXER_CHANNELS, &err);
    if (!s->opus) {
        source_free(s);
        return NULL;
    }
    return s;
}

/* The source of this SSRC; a new one takes a free place or that of the longest silent one. */
static struct source *source_of(struct mixer *m, uint32_t ssrc)
{
    unsigned place = 0;
    for (unsigned i = 0; i < MIXER_SOURCES; i++) {
        const struct source *s = m->source[i];
        if (s && s->ssrc == ssrc) {
            return m->source[i];
        }
        const struct source *best = m->source[place];
        if (best && (!s || s->idle > best->idle)) {
            place = i;
        }
    }
    source_free(m->source[place]);
    m->source[place] = source_new(ssrc);
    return m->source[place];
}

static struct waiting *waiting_find(struct source *s, uint16_t seq)
{
    for (unsigned i = 0; i < WAITING_MAX; i++) {
        if (s->waiting[i].len && s->waiting[i].seq == seq) {
            return &s->waiting[i];
        }
    }
    return NULL;
}

/* The packet that comes first of those waiting, or NULL. */
static struct waiting *waiting_first(struct source *s)
{
    struct waiting *first = NULL;
    for (unsigned i = 0; i < WAITING_MAX; i++) {
        struct waiting *w = &s->waiting[i];
        if (w->len && (!first || (int16_t)(w->seq - first->seq) < 0)) {
            first = w;
        }
    }
    return first;
}

static void waiting_drop(struct source *s, struct waiting *w)
{
    w->len = 0;
    s->count--;
}

/* Begins anew: after a pause, or when the numbers jumped. */
static void source_restart(struct source *s)
{
    for (unsigned i = 0; i < WAITING_MAX; i++) {
        s->waiting[i].len = 0;
    }
    s->count = 0;
    s->known = false;
    s->playing = false;
}

void mixer_input(struct mixer *m, uint32_t ssrc, uint16_t seq, const uint8_t *data, size_t len)
{
    struct source *s = len && len <= MIXER_PACKET_MAX && ssrc ? source_of(m, ssrc) : NULL;
    if (!s) {
        return;
    }
    int16_t ahead = (int16_t)(seq - s->next);
    if (s->known && (ahead > 500 || ahead < -500)) {
        source_restart(s);
    }
    s->idle = 0;
    m->stats.packets++;
    if ((s->known && ahead < 0 && ahead >= -500) || waiting_find(s, seq)) {
        m->stats.late++;
        return;
    }
    struct waiting *w = NULL;
    for (unsigned i = 0; i < WAITING_MAX && !w; i++) {
        w = s->waiting[i].len ? NULL : &s->waiting[i];
    }
    if (!w) { /* a burst: the oldest gives way */
        w = waiting_first(s);
        waiting_drop(s, w);
        m->stats.dropped++;
    }
    w->seq = seq;
    w->len = (uint16_t)len;
    memcpy(w->data, data, len);
    s->count++;
}

void mixer_only(struct mixer *m, uint32_t source)
{
    m->only = source;
}

/* ---- playing ----------------------------------------------------------------------------------
 */

/* Decodes behind what is in the fifo. data NULL: conceals `samples`; fec: recovers the frame before
 * data from it. */
static void decode(struct source *s, const uint8_t *data, size_t len, int samples, bool fec)
{
    int16_t *to = s->fifo + (size_t)s->samples * MIXER_CHANNELS;
    if (s->samples + (uint32_t)samples > FIFO_MAX) {
        return;
    }
    int n = opus_decode(s->opus, data, (opus_int32)len, to, samples, fec);
    s->samples += n > 0 ? (uint32_t)n : 0;
}

/* More for the fifo; false when the source has nothing to say now. */
static bool advance(struct mixer *m, struct source *s)
{
    struct waiting *w = waiting_first(s);
    if (!s->playing) {
        if (s->count < START_PACKETS) {
            return false;
        }
        s->playing = true;
        s->known = true;
        s->next = w->seq;
    }
    while (w && s->count > AHEAD_MAX) {
        s->next = (uint16_t)(w->seq + 1);
        waiting_drop(s, w);
        m->stats.dropped++;
        w = waiting_first(s);
    }
    if (w && w->seq == s->next) {
        decode(s, w->data, w->len, DECODED_MAX, false);
        waiting_drop(s, w);
        s->made_up = 0;
    } else if (w) { /* lost, and later ones are here: the next one may know what it was */
        bool next = w->seq == (uint16_t)(s->next + 1);
        decode(s, next ? w->data : NULL, next ? w->len : 0, MIXER_FRAME, next);
        m->stats.concealed++;
    } else if (s->made_up++ < CONCEAL_MAX) {
        decode(s, NULL, 0, MIXER_FRAME, false);
        m->stats.concealed++;
        return true; /* it may still come: the number stays */
    } else {
        s->playing = false; /* a pause in speech, or gone */
        return false;
    }
    s->next++;
    return true;
}

/* Adds one frame of s to the sum. */
static void play(struct mixer *m, struct source *s)
{
    uint32_t before = 0;
    do {
        before = s->samples;
    } while (s->samples < MIXER_FRAME && advance(m, s) && s->samples > before);
    uint32_t n = s->samples < MIXER_FRAME ? s->samples : MIXER_FRAME;
    bool heard = m->only == 0 || m->only == s->ssrc;
    for (uint32_t i = 0; heard && i < n * MIXER_CHANNELS; i++) {
        m->sum[i] += s->fifo[i];
    }
    s->samples -= n;
    memmove(s->fifo, s->fifo + (size_t)n * MIXER_CHANNELS,
            (size_t)s->samples * MIXER_CHANNELS * sizeof(s->fifo[0]));
}

/* Brings the sum into 16 bits: down at once (ramped over the frame), up again slowly. */
static void limit(struct mixer *m)
{
    float peak = 1.0F;
    for (unsigned i = 0; i < FRAME_ALL; i++) {
        float v = fabsf((float)m->sum[i]);
        peak = v > peak ? v : peak;
    }
    float target = peak > LIMIT_AT ? LIMIT_AT / peak : 1.0F;
    float from = m->gain;
    float to = target < from ? target : from + (target - from) * LIMIT_RELEASE;
    /* The loudest sample must fit wherever in the ramp it stands. */
    from = from > target ? target : from;
    m->stats.limited += target < 1.0F;
    for (unsigned i = 0; i < FRAME_ALL; i++) {
        float gain = from + (to - from) * (float)(i / MIXER_CHANNELS) / (float)MIXER_FRAME;
        m->pcm[i] = (int16_t)lrintf((float)m->sum[i] * gain);
    }
    m->gain = to;
}

static uint8_t level_of(const int16_t *pcm)
{
    double energy = 0.0;
    for (unsigned i = 0; i < FRAME_ALL; i++) {
        energy += (double)pcm[i] * pcm[i];
    }
    double rms = sqrt(energy / FRAME_ALL) / 32768.0;
    double db = rms > 0.0 ? -20.0 * log10(rms) : 127.0;
    return db > 127.0 ? 127 : db < 0.0 ? 0 : (uint8_t)db;
}

size_t mixer_tick(struct mixer *m, uint8_t out[MIXER_PACKET_MAX], uint8_t *level)
{
    memset(m->sum, 0, sizeof(m->sum));
    for (unsigned i = 0; i < MIXER_SOURCES; i++) {
        struct source *s = m->source[i];
        if (!s) {
            continue;
        }
        play(m, s);
        if (++s->idle > IDLE_TICKS) {
            source_free(s);
            m->source[i] = NULL;
        }
    }
    limit(m);
    *level = level_of(m->pcm);
    int n = opus_encode(m->opus, m->pcm, MIXER_FRAME, out, MIXER_PACKET_MAX);
    return n > 0 ? (size_t)n : 0;
}

const int16_t *mixer_pcm(const struct mixer *m)
{
    return m->pcm;
}

void mixer_stats_read(const struct mixer *m, struct mixer_stats *out)
{
    *out = m->stats;
}
