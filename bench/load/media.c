#include "bench/load/media.h"

#include <string.h>

#include "codec/base/rw.h"

static const uint32_t stamp_magic = 0x616d7068; /* "amph" */

enum {
    VIDEO_CLOCK = 90000,
    AUDIO_STEP = 960,
    PAYLOAD_MAX = 1150, /* libwebrtc's packets leave room for extensions and the tag */
    AUDIO_PAYLOAD = 80,
    KEY_FACTOR = 5, /* a key frame is about five delta frames */
};

void media_source_init(struct media_source *source, const struct media_config *config, mono_us now)
{
    *source = (struct media_source){.config = *config, .key_wanted = true};
    rng_seed(&source->seeded, config->seed);
    source->rng = rng_from_seeded(&source->seeded);
    source->video_ssrc = rng_u32(&source->rng) | 1;
    source->audio_ssrc = rng_u32(&source->rng) | 1;
    source->video_ts = rng_u32(&source->rng);
    source->audio_ts = rng_u32(&source->rng);
    source->video_phase =
        config->video_bps ? rng_below(&source->rng, (uint32_t)(US_PER_S / config->fps)) : 0;
    source->audio_phase = rng_below(&source->rng, MEDIA_AUDIO_US);
    media_source_begin(source, now);
}

/* The first moment from `now` on that lies `phase` behind a multiple of `period`. */
static mono_us next_beat(mono_us now, mono_us period, mono_us phase)
{
    mono_us over = (now + period - phase) % period; /* phase < period */
    return over ? now + period - over : now;
}

void media_source_begin(struct media_source *source, mono_us now)
{
    const struct media_config *c = &source->config;
    source->video_at =
        c->video_bps ? next_beat(now, US_PER_S / c->fps, source->video_phase) : MONO_NEVER;
    source->audio_at = c->audio ? next_beat(now, MEDIA_AUDIO_US, source->audio_phase) : MONO_NEVER;
}

mono_us media_source_deadline(const struct media_source *source)
{
    return mono_min(source->video_at, source->audio_at);
}

void media_source_want_key(struct media_source *source)
{
    source->key_wanted = true;
}

/* RTP header with a one-byte extension block (RFC 8285): mid, transport-cc and, for audio, level.
 */
static void write_header(struct wr *w, struct media_source *source, bool video, bool marker)
{
    struct wr *out = w;
    wr_u8(out, 0x90);
    wr_u8(out, (uint8_t)((video ? MEDIA_PT_VP8 : MEDIA_PT_OPUS) | (marker ? 0x80 : 0)));
    wr_u16(out, video ? source->video_seq++ : source->audio_seq++);
    wr_u32(out, video ? source->video_ts : source->audio_ts);
    wr_u32(out, video ? source->video_ssrc : source->audio_ssrc);
    wr_u16(out, 0xbede);
    wr_u16(out, 2);
    wr_u8(out, MEDIA_EXT_MID << 4);
    wr_u8(out, video ? '1' : '0');
    wr_u8(out, MEDIA_EXT_TWCC << 4 | 1);
    wr_u16(out, source->twcc_seq++);
    if (video) {
        wr_zero(out, 3);
    } else {
        wr_u8(out, MEDIA_EXT_LEVEL << 4);
        wr_u8(out, 0x80 | source->config.level);
        wr_u8(out, 0);
    }
}

void media_stamp_write(struct wr *w, const struct media_stamp *stamp)
{
    wr_u32(w, stamp_magic);
    wr_u32(w, stamp->sender);
    wr_u32(w, stamp->counter);
    wr_u64(w, (uint64_t)stamp->sent);
    wr_u32(w, ~stamp_magic);
}

static void write_stamp(struct wr *w, struct media_source *source, mono_us now)
{
    media_stamp_write(w, &(struct media_stamp){.sender = source->config.sender,
                                               .counter = source->counter++,
                                               .sent = now});
}

bool media_stamp_read(const uint8_t *packet, size_t len, struct media_stamp *out)
{
    if (len < MEDIA_STAMP_LEN) {
        return false;
    }
    struct rd r = rd_init(packet + len - MEDIA_STAMP_LEN, MEDIA_STAMP_LEN);
    uint32_t magic = rd_u32(&r);
    out->sender = rd_u32(&r);
    out->counter = rd_u32(&r);
    out->sent = (mono_us)rd_u64(&r);
    return magic == stamp_magic && rd_u32(&r) == ~stamp_magic;
}

/* RFC 7741 4.2: extended descriptor with 15-bit picture id, TL0PICIDX and TID 0. */
static void write_vp8(struct wr *w, const struct media_source *source, bool first, bool key)
{
    wr_u8(w, (uint8_t)(0x80 | (first ? 0x10 : 0)));
    wr_u8(w, 0xe0);
    wr_u16(w, (uint16_t)(0x8000 | source->picture_id));
    wr_u8(w, source->tl0picidx);
    wr_u8(w, 0);
    if (first) {
        /* RFC 7741 4.3 / RFC 6386 9.1: frame tag, and for a key frame start code and size. */
        wr_u8(w, key ? 0x10 : 0x11);
        wr_u16(w, 0x0200);
        if (key) {
            static const uint8_t code_and_size[] = {0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01};
            wr_bytes(w, code_and_size, sizeof(code_and_size));
        }
    }
}

static void send_frame(struct media_source *source, mono_us now,
                       void (*send_h)(void *arg, const uint8_t *packet, size_t len), void *arg)
{
    bool key = source->key_wanted;
    uint32_t mean = source->config.video_bps / 8 / source->config.fps;
    uint32_t size = mean / 2 + rng_below(&source->rng, mean);
    if (key) {
        size = mean * KEY_FACTOR;
        source->keys++;
    }
    /* Split about equally, as libwebrtc does, so that runs of equal sizes exist. */
    uint32_t packets = (size + PAYLOAD_MAX - 1) / PAYLOAD_MAX;
    uint32_t each = size / packets < 64 ? 64 : size / packets;
    source->picture_id = (source->picture_id + 1) & 0x7fff;
    source->tl0picidx++;
    for (uint32_t i = 0; i < packets; i++) {
        uint8_t bytes[MEDIA_PACKET_MAX];
        struct wr w = wr_init(bytes, sizeof(bytes));
        write_header(&w, source, true, i + 1 == packets);
        size_t start = wr_len(&w);
        write_vp8(&w, source, i == 0, key);
        wr_zero(&w, each - (wr_len(&w) - start) - MEDIA_STAMP_LEN);
        write_stamp(&w, source, now);
        send_h(arg, bytes, wr_len(&w));
    }
    source->key_wanted = false;
    source->frames++;
}

static void send_audio(struct media_source *source, mono_us now,
                       void (*send_h)(void *arg, const uint8_t *packet, size_t len), void *arg)
{
    uint8_t bytes[MEDIA_PACKET_MAX];
    struct wr w = wr_init(bytes, sizeof(bytes));
    write_header(&w, source, false, false);
    wr_u8(&w, 0x78); /* RFC 6716 3.1: CELT, 20 ms, mono */
    wr_zero(&w, AUDIO_PAYLOAD - 1 - MEDIA_STAMP_LEN);
    write_stamp(&w, source, now);
    send_h(arg, bytes, wr_len(&w));
}

void media_source_run(struct media_source *source, mono_us now,
                      void (*send_h)(void *arg, const uint8_t *packet, size_t len), void *arg)
{
    while (source->audio_at <= now) {
        send_audio(source, now, send_h, arg);
        source->audio_ts += AUDIO_STEP;
        source->audio_at += MEDIA_AUDIO_US;
    }
    while (source->video_at <= now) {
        send_frame(source, now, send_h, arg);
        source->video_ts += VIDEO_CLOCK / source->config.fps;
        source->video_at += US_PER_S / source->config.fps;
    }
}
