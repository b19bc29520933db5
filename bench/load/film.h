/*
 * The test film: real VP8 in three sizes and real Opus, made once with libvpx and libopus and kept
 * in a file. Every moving picture is predicted from the key picture alone (codec/av/video.h), so
 * one set serves all senders: only key pictures and sound are a sender's own.
 * Invariants: what comes from the file is checked before it is used; a damaged or older file is
 * made anew. Bytes handed out live as long as the film.
 * Out of scope: RTP (film_send.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    FILM_LAYERS = 3, /* largest first */
    FILM_FRAMES = 100,
    FILM_FPS = 25,
    FILM_SOUNDS = 200,
};

struct film_piece {
    const uint8_t *bytes;
    uint32_t len;
};

struct film_layer {
    uint16_t width, height;
    uint32_t bps;
    struct film_piece frame[FILM_FRAMES];
};

/* What only one sender shows and sounds like. */
struct film_person {
    struct film_piece key[FILM_LAYERS];
    struct film_piece sound[FILM_SOUNDS];
};

struct film;

/* Opens the film kept in the folder at path, or makes it there (a few seconds); without a usable
 * folder it is made in memory. made_h (may be NULL) is called before a long making. 0 or E_NOMEM,
 * E_UNSUPPORTED (a codec refuses). */
int film_open(struct film **out, const char *folder, void (*made_h)(void *arg), void *arg);
void film_close(struct film *film);
const struct film_layer *film_layer(const struct film *film, unsigned layer);
/* Pictures and sound of a sender, made when first asked for; NULL when out of memory. */
const struct film_person *film_person(struct film *film, uint16_t sender);
/* Bits per second of the layers from `top` on together. */
uint32_t film_bps(const struct film *film, unsigned top);
