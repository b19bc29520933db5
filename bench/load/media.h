/*
 * The media a load client sends: a deterministic trace of RTP packets shaped like a camera and a
 * microphone (VP8 with RFC 7741 descriptors, Opus-sized audio with RFC 6464 levels). The same
 * trace drives the floor and the server, so their costs can be compared.
 * Each payload ends in a stamp (sender, counter, send time) that a receiver reads back.
 * Out of scope: sockets, encryption.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/rng.h"
#include "codec/base/rw.h"
#include "codec/base/time.h"

enum {
    MEDIA_PACKET_MAX = 1400,
    MEDIA_STAMP_LEN = 24,
    MEDIA_AUDIO_US = 20000,
    MEDIA_EXT_MID = 4,
    MEDIA_EXT_LEVEL = 1,
    MEDIA_EXT_TWCC = 3,
    MEDIA_EXT_RID = 10,
    MEDIA_EXT_RRID = 11,
    MEDIA_PT_OPUS = 111,
    MEDIA_PT_VP8 = 96,
    MEDIA_PT_VP8_RTX = 97,
};

struct media_stamp {
    uint32_t sender;
    uint32_t counter;
    mono_us sent;
};

struct media_config {
    uint32_t sender;    /* written into every stamp */
    uint32_t video_bps; /* 0 = no camera */
    uint32_t fps;
    bool audio;
    uint8_t level; /* RFC 6464: 0 loudest .. 127 */
    uint64_t seed;
};

struct media_source {
    struct media_config config;
    struct rng_seeded seeded;
    struct rng rng;
    mono_us video_at, audio_at; /* next due */
    mono_us video_phase, audio_phase;
    uint32_t video_ts, audio_ts;
    uint16_t video_seq, audio_seq, twcc_seq;
    uint32_t video_ssrc, audio_ssrc;
    uint16_t picture_id;
    uint8_t tl0picidx;
    bool key_wanted;
    uint32_t counter;
    uint32_t frames, keys;
};

/* Starts at `now`; SSRCs come from the seed. */
void media_source_init(struct media_source *source, const struct media_config *config, mono_us now);
/* Goes on at `now`, after whatever was not sent. Pictures and sound fall where the seed put them
 * within their period, whenever somebody came: the same sources meet in the same way every time. */
void media_source_begin(struct media_source *source, mono_us now);
/*
 * Everything due at `now` as plain RTP through send_h, in order: a whole frame back to back, as a
 * browser's pacer does.
 */
void media_source_run(struct media_source *source, mono_us now,
                      void (*send_h)(void *arg, const uint8_t *packet, size_t len), void *arg);
mono_us media_source_deadline(const struct media_source *source);
/* The next frame will be a key frame (a PLI came). */
void media_source_want_key(struct media_source *source);
/* Appends a stamp, the last MEDIA_STAMP_LEN bytes of a packet. */
void media_stamp_write(struct wr *w, const struct media_stamp *stamp);
/* Reads the stamp at the end of a plain RTP packet; false when there is none. */
bool media_stamp_read(const uint8_t *packet, size_t len, struct media_stamp *out);
