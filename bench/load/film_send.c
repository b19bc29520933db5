#include "bench/load/film_send.h"

#include <string.h>

#include "bench/load/media.h"
#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/rw.h"
#include "codec/wire/rtp.h"
#include "codec/wire/rtpext.h"

enum {
    PAYLOAD_MAX = 1150,
    VP8_DESCRIPTOR = 6,
    CLOCK_STEP = 90000 / FILM_FPS,
    SOUND_STEP = 960,
    FRAME_US = US_PER_S / FILM_FPS,
    LATE_US = US_PER_S / 2, /* what is due longer is not made up for */
};

static const char rids[FILM_LAYERS] = {'h', 'm', 'l'};
static const struct desc_exts sound_ids = {.id = {[RTPEXT_MID] = MEDIA_EXT_MID,
                                                  [RTPEXT_AUDIO_LEVEL] = MEDIA_EXT_LEVEL,
                                                  [RTPEXT_TRANSPORT_CC] = MEDIA_EXT_TWCC}};
static const struct desc_exts video_ids = {.id = {[RTPEXT_MID] = MEDIA_EXT_MID,
                                                  [RTPEXT_RID] = MEDIA_EXT_RID,
                                                  [RTPEXT_REPAIRED_RID] = MEDIA_EXT_RRID,
                                                  [RTPEXT_TRANSPORT_CC] = MEDIA_EXT_TWCC}};

int film_sender_init(struct film_sender *s, struct film *film, const struct film_config *config)
{
    struct rng_seeded seeded;
    *s = (struct film_sender){.config = *config,
                              .film = film,
                              .person = film_person(film, config->sender),
                              .video_at = MONO_NEVER,
                              .sound_at = MONO_NEVER,
                              .level = 127};
    if (config->keep) {
        s->kept = mem_alloc(sizeof(*s->kept) * FILM_KEPT);
    }
    if (!s->person || (config->keep && !s->kept)) {
        return E_NOMEM;
    }
    rng_seed(&seeded, config->seed);
    struct rng rng = rng_from_seeded(&seeded);
    for (unsigned i = 0; i < FILM_STREAMS; i++) {
        s->stream[i].ssrc = rng_u32(&rng) | 1;
        s->stream[i].timestamp = rng_u32(&rng);
        s->stream[i].index = 1 + rng_below(&rng, 30000);
        s->stream[i].key_wanted = true;
    }
    return 0;
}

void film_sender_fini(struct film_sender *s)
{
    mem_free(s->kept);
    s->kept = NULL;
}

void film_sender_start(struct film_sender *s, mono_us now)
{
    /* People do not begin in step: spread over a frame by their own number. */
    s->video_at = now + s->config.sender * 7919 % FRAME_US;
    s->sound_at = now + s->config.sender * 7919 % MEDIA_AUDIO_US;
}

static unsigned layer_of_stream(unsigned stream)
{
    return (stream - FILM_STREAM_VIDEO) % FILM_LAYERS;
}

static void write_head(struct film_sender *s, struct wr *w, unsigned stream, bool marker)
{
    struct film_stream *st = &s->stream[stream];
    bool sound = stream == FILM_STREAM_SOUND;
    bool rtx = stream >= FILM_STREAM_RTX;
    bool many = s->config.layers > 1;
    const char *rid = sound ? "" : &rids[layer_of_stream(stream)];
    struct rtp_header header = {.pt = sound ? MEDIA_PT_OPUS
                                      : rtx ? MEDIA_PT_VP8_RTX
                                            : MEDIA_PT_VP8,
                                .marker = marker,
                                .seq = (uint16_t)st->index,
                                .timestamp = st->timestamp,
                                .ssrc = st->ssrc};
    struct rtpext_values values = {.kinds = 1u << RTPEXT_MID | 1u << RTPEXT_TRANSPORT_CC,
                                   .mid = sound ? "0" : "1",
                                   .mid_len = 1,
                                   .rid = rid,
                                   .rid_len = 1,
                                   .repaired_rid = rid,
                                   .repaired_rid_len = 1,
                                   .audio_level = s->level,
                                   .voice = s->level < 60,
                                   .transport_cc = s->twcc++};
    if (sound) {
        values.kinds |= 1u << RTPEXT_AUDIO_LEVEL;
    } else if (many || rtx) {
        values.kinds |= 1u << (rtx ? RTPEXT_REPAIRED_RID : RTPEXT_RID);
    }
    rtp_write(w, &header, NULL, true);
    (void)rtpext_write(w, sound ? &sound_ids : &video_ids, &values, NULL);
}

static void put(struct film_sender *s, unsigned stream, const uint8_t *packet, size_t len,
                film_send_h send_h, void *arg)
{
    struct film_stream *st = &s->stream[stream];
    if (s->kept && stream != FILM_STREAM_SOUND && stream < FILM_STREAM_RTX) {
        struct film_kept *kept = &s->kept[s->kept_next++ % FILM_KEPT];
        kept->index = st->index;
        kept->stream = (uint8_t)stream;
        kept->len = (uint16_t)len;
        memcpy(kept->bytes, packet, len);
    }
    st->packets++;
    st->bytes += len;
    send_h(arg, packet, len, st->index++);
}

static void write_stamp(struct film_sender *s, struct wr *w, uint32_t counter, mono_us now)
{
    media_stamp_write(
        w, &(struct media_stamp){.sender = s->config.sender, .counter = counter, .sent = now});
}

enum { LAYER_SYNC = 0x20 };

/* RFC 7741 4.2: extended descriptor with 15-bit picture id, TL0PICIDX and TID; into upper layers
 * one may switch at any picture. */
static void write_descriptor(struct wr *w, const struct film_stream *st, unsigned tid, bool first)
{
    wr_u8(w, (uint8_t)(0x80 | (first ? 0x10 : 0)));
    wr_u8(w, 0xe0);
    wr_u16(w, (uint16_t)(0x8000 | st->picture_id));
    wr_u8(w, st->tl0);
    wr_u8(w, (uint8_t)(tid << 6 | (tid ? LAYER_SYNC : 0)));
}

/* The film is of one layer; said to be of three, half of it may be dropped, and half of the rest.
 */
static unsigned temporal(const struct film_sender *s, const struct film_stream *st)
{
    static const uint8_t pattern[] = {0, 2, 1, 2};
    return s->config.temporal && !st->key_wanted ? pattern[s->frame % sizeof(pattern)] : 0;
}

static void send_picture(struct film_sender *s, unsigned layer, mono_us now, film_send_h send_h,
                         void *arg)
{
    unsigned stream = FILM_STREAM_VIDEO + layer;
    struct film_stream *st = &s->stream[stream];
    unsigned place = s->frame % FILM_FRAMES;
    const struct film_piece *piece = &film_layer(s->film, layer)->frame[place];
    if (st->key_wanted) {
        piece = &s->person->key[layer];
        s->keys++;
    }
    uint32_t total = piece->len + MEDIA_STAMP_LEN;
    uint32_t packets = (total + PAYLOAD_MAX - 1) / PAYLOAD_MAX;
    uint32_t each = (total + packets - 1) / packets;
    st->picture_id = (st->picture_id + 1) & 0x7fff;
    unsigned tid = temporal(s, st);
    st->tl0 = (uint8_t)(st->tl0 + (tid == 0));
    for (uint32_t i = 0; i < packets; i++) {
        uint8_t bytes[FILM_PACKET_MAX];
        struct wr w = wr_init(bytes, sizeof(bytes));
        bool last = i + 1 == packets;
        uint32_t from = i * each < piece->len ? i * each : piece->len;
        uint32_t to = from + each < piece->len && !last ? from + each : piece->len;
        write_head(s, &w, stream, last);
        write_descriptor(&w, st, tid, i == 0);
        wr_bytes(&w, piece->bytes + from, to - from);
        if (last) {
            write_stamp(s, &w, st->key_wanted ? FILM_FRAMES + s->frame : s->frame % FILM_FRAMES,
                        now);
        }
        put(s, stream, bytes, wr_len(&w), send_h, arg);
    }
    st->key_wanted = false;
    s->frames++;
}

/* One Opus frame becomes a packet of code 3 with one frame and padding that holds the stamp. */
static void send_sound(struct film_sender *s, mono_us now, film_send_h send_h, void *arg)
{
    uint8_t bytes[FILM_PACKET_MAX];
    struct wr w = wr_init(bytes, sizeof(bytes));
    const struct film_piece *piece = &s->person->sound[s->sound_frame % FILM_SOUNDS];
    write_head(s, &w, FILM_STREAM_SOUND, false);
    wr_u8(&w, piece->bytes[0] | 3);
    wr_u8(&w, 0x41);
    wr_u8(&w, MEDIA_STAMP_LEN);
    wr_bytes(&w, piece->bytes + 1, piece->len - 1);
    write_stamp(s, &w, s->sound_frame % FILM_SOUNDS, now);
    put(s, FILM_STREAM_SOUND, bytes, wr_len(&w), send_h, arg);
}

void film_sender_run(struct film_sender *s, mono_us now, film_send_h send_h, void *arg)
{
    if (now - s->video_at > LATE_US || now - s->sound_at > LATE_US) {
        film_sender_start(s, now);
    }
    while (s->sound_at <= now) {
        if (s->sound_on) {
            send_sound(s, now, send_h, arg);
        }
        s->stream[FILM_STREAM_SOUND].timestamp += SOUND_STEP;
        s->sound_frame++;
        s->sound_at += MEDIA_AUDIO_US;
    }
    while (s->video_at <= now) {
        for (unsigned l = 0; l < s->config.layers; l++) {
            if (s->camera_on) {
                send_picture(s, s->config.top + l, now, send_h, arg);
            }
            s->stream[FILM_STREAM_VIDEO + s->config.top + l].timestamp += CLOCK_STEP;
        }
        s->frame++;
        s->video_at += FRAME_US;
    }
}

void film_sender_want_key(struct film_sender *s, uint32_t ssrc)
{
    for (unsigned l = 0; l < FILM_LAYERS; l++) {
        if (s->stream[FILM_STREAM_VIDEO + l].ssrc == ssrc) {
            s->stream[FILM_STREAM_VIDEO + l].key_wanted = true;
        }
    }
}

/* The packet kept of a stream with this sequence number, or NULL. */
static const struct film_kept *find_kept(const struct film_sender *s, uint32_t ssrc, uint16_t seq)
{
    for (uint32_t i = 0; s->kept && i < FILM_KEPT; i++) {
        const struct film_kept *kept = &s->kept[i];
        if (kept->len && (uint16_t)kept->index == seq && s->stream[kept->stream].ssrc == ssrc) {
            return kept;
        }
    }
    return NULL;
}

void film_sender_resend(struct film_sender *s, uint32_t ssrc, uint16_t seq, film_send_h send_h,
                        void *arg)
{
    const struct film_kept *kept = find_kept(s, ssrc, seq);
    struct rtp_header header;
    uint8_t bytes[FILM_PACKET_MAX + 64];
    if (!kept || rtp_parse(&header, kept->bytes, kept->len) != 0) {
        return;
    }
    struct wr w = wr_init(bytes, sizeof(bytes));
    unsigned stream = (unsigned)kept->stream - FILM_STREAM_VIDEO + FILM_STREAM_RTX;
    s->stream[stream].timestamp = header.timestamp;
    write_head(s, &w, stream, header.marker);
    wr_u16(&w, seq); /* RFC 4588 4: the original number */
    wr_bytes(&w, kept->bytes + header.header_len, header.payload_len);
    if (!w.bad) {
        s->resent++;
        put(s, stream, bytes, wr_len(&w), send_h, arg);
    }
}
