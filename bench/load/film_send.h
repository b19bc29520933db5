/*
 * One person's film as RTP: microphone (Opus) and camera (VP8, one to three layers), each stream
 * with its own numbers, RTX (RFC 4588) on request and key pictures on request.
 * Each frame ends in a stamp (media.h) behind the last byte a decoder reads: VP8 ignores what
 * follows its last partition, Opus has padding (RFC 6716 3.2.5). The stamp's counter is the place
 * in the film, so a receiver knows what the picture must show.
 * Invariants: deterministic for a seed; packets go out through send_h with the stream they are of.
 * Out of scope: sealing, sockets.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/load/film.h"
#include "codec/base/rng.h"
#include "codec/base/time.h"

enum {
    FILM_STREAM_SOUND = 0,
    FILM_STREAM_VIDEO = 1, /* + layer */
    FILM_STREAM_RTX = FILM_STREAM_VIDEO + FILM_LAYERS,
    FILM_STREAMS = FILM_STREAM_RTX + FILM_LAYERS,
    FILM_KEPT = 512, /* packets that can be repeated */
    FILM_PACKET_MAX = 1300,
};

struct film_config {
    uint16_t sender; /* code in pictures and tones */
    uint8_t top;     /* largest layer sent, 0 .. FILM_LAYERS-1 */
    uint8_t layers;  /* how many from there; 0 = no camera */
    bool sound;
    bool keep;     /* answer requests for lost packets */
    bool temporal; /* say that pictures are in temporal layers: nobody decodes them */
    uint64_t seed;
};

struct film_stream {
    uint32_t ssrc;
    uint32_t timestamp;
    uint64_t index; /* roll-over counter and next sequence number */
    uint16_t picture_id;
    uint8_t tl0;
    bool key_wanted;
    uint64_t packets, bytes;
};

struct film_kept {
    uint64_t index;
    uint8_t stream;
    uint16_t len;
    uint8_t bytes[FILM_PACKET_MAX];
};

typedef void (*film_send_h)(void *arg, const uint8_t *packet, size_t len, uint64_t index);

struct film_sender {
    struct film_config config;
    const struct film *film;
    const struct film_person *person;
    struct film_stream stream[FILM_STREAMS];
    struct film_kept *kept; /* ring, NULL unless config.keep */
    uint32_t kept_next;
    mono_us video_at, sound_at;
    uint32_t frame, sound_frame; /* place in the film */
    uint16_t twcc;
    bool camera_on, sound_on; /* what is sent now */
    uint8_t level;            /* RFC 6464 */
    uint32_t keys, frames, resent;
};

/* 0 or E_NOMEM. */
int film_sender_init(struct film_sender *s, struct film *film, const struct film_config *config);
void film_sender_fini(struct film_sender *s);
/* From now on: the film begins at its place. */
void film_sender_start(struct film_sender *s, mono_us now);
/* Everything due at now. */
void film_sender_run(struct film_sender *s, mono_us now, film_send_h send_h, void *arg);
/* The next picture of this SSRC's layer is a key picture. */
void film_sender_want_key(struct film_sender *s, uint32_t ssrc);
/* A packet was lost on its way: sends it again on the layer's RTX stream. */
void film_sender_resend(struct film_sender *s, uint32_t ssrc, uint16_t seq, film_send_h send_h,
                        void *arg);
