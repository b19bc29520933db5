#include "bench/load/film.h"

#include <stdio.h>
#include <string.h>

#include "codec/av/audio.h"
#include "codec/av/pattern.h"
#include "codec/av/tone.h"
#include "codec/av/video.h"
#include "codec/base/err.h"
#include "codec/base/hash.h"
#include "codec/base/mem.h"
#include "codec/base/rw.h"
#include "codec/sys/file.h"

enum {
    FILE_MAX = 16 << 20,
    FORMAT = 2,
    SOUND_BPS = 32000,
    PERSONS = 65536,
    FRAME_MAX = 1 << 20,
};
static const uint32_t magic = 0x616d6669;                            /* "amfi" */
static const struct hash_key film_key = {.k0 = 0x66696c6d, .k1 = 1}; /* against damage only */
static const struct {
    uint16_t width, height;
    uint32_t bps;
    uint8_t grain; /* of the noise: what makes it cost its rate */
} sizes[FILM_LAYERS] = {{1280, 720, 1000000, 150}, {640, 360, 320000, 60}, {320, 180, 140000, 50}};

struct film {
    struct film_layer layer[FILM_LAYERS];
    char *file; /* owns all frames */
    struct film_person *person[PERSONS];
    struct video_encoder *encoder[FILM_LAYERS];
};

const struct film_layer *film_layer(const struct film *film, unsigned layer)
{
    return &film->layer[layer];
}

uint32_t film_bps(const struct film *film, unsigned top)
{
    uint32_t sum = 0;
    for (unsigned l = top; l < FILM_LAYERS; l++) {
        for (unsigned i = 0; i < FILM_FRAMES; i++) {
            sum += film->layer[l].frame[i].len;
        }
    }
    return (uint32_t)((uint64_t)sum * 8 * FILM_FPS / FILM_FRAMES);
}

/* File: magic, format, then per layer width, height, bps and per frame length and bytes; a 64-bit
 * check of everything before it ends it. */
static int read_film(struct film *film, const char *bytes, size_t len)
{
    struct rd r = rd_init(bytes, len);
    if (len < 16 || rd_u32(&r) != magic || rd_u32(&r) != FORMAT) {
        return E_VERSION;
    }
    struct rd end = rd_init(bytes + len - 8, 8);
    if (rd_u64(&end) != hash_bytes(&film_key, bytes, len - 8)) {
        return E_CORRUPT;
    }
    for (unsigned l = 0; l < FILM_LAYERS; l++) {
        struct film_layer *layer = &film->layer[l];
        layer->width = rd_u16(&r);
        layer->height = rd_u16(&r);
        layer->bps = rd_u32(&r);
        if (layer->width != sizes[l].width || layer->bps != sizes[l].bps) {
            return E_VERSION; /* made by a program with other wishes */
        }
        for (unsigned i = 0; i < FILM_FRAMES; i++) {
            layer->frame[i].len = rd_u32(&r);
            layer->frame[i].bytes = rd_bytes(&r, layer->frame[i].len);
        }
    }
    return r.bad || rd_left(&r) != 8 ? E_CORRUPT : 0;
}

static int make_layer(struct wr *w, unsigned l)
{
    struct rng_seeded seeded;
    size_t len = 0;
    rng_seed(&seeded, l + 1);
    struct rng rng = rng_from_seeded(&seeded);
    struct video_encoder *e =
        video_encoder_new(sizes[l].width, sizes[l].height, sizes[l].bps, FILM_FPS);
    if (!e) {
        return E_UNSUPPORTED;
    }
    struct pattern_image image = video_encoder_image(e);
    pattern_draw_key(&image, 0);
    int err = video_encode(e, true, &len) ? 0 : E_UNSUPPORTED;
    wr_u16(w, sizes[l].width);
    wr_u16(w, sizes[l].height);
    wr_u32(w, sizes[l].bps);
    for (unsigned i = 0; i < FILM_FRAMES && !err; i++) {
        pattern_draw_key(&image, 0);
        pattern_draw_moving(&image, (uint8_t)i, sizes[l].grain, &rng);
        const uint8_t *bytes = video_encode(e, false, &len);
        err = bytes && len < FRAME_MAX ? 0 : E_UNSUPPORTED;
        wr_u32(w, (uint32_t)len);
        wr_bytes(w, bytes, err ? 0 : len);
    }
    video_encoder_free(e);
    return err;
}

static int make_film(struct film *film, const char *path)
{
    uint8_t *bytes = mem_alloc(FILE_MAX);
    if (!bytes) {
        return E_NOMEM;
    }
    struct wr w = wr_init(bytes, FILE_MAX);
    int err = 0;
    wr_u32(&w, magic);
    wr_u32(&w, FORMAT);
    for (unsigned l = 0; l < FILM_LAYERS && !err; l++) {
        err = make_layer(&w, l);
    }
    wr_u64(&w, hash_bytes(&film_key, bytes, wr_len(&w)));
    err = err ? err : w.bad ? E_FULL : 0;
    film->file = err ? NULL : mem_dup(bytes, wr_len(&w));
    if (!err && path) {
        (void)file_write_atomic(path, bytes, wr_len(&w), 0644); /* only a saving for next time */
    }
    mem_free(bytes);
    if (err || !film->file) {
        return err ? err : E_NOMEM;
    }
    return read_film(film, film->file, wr_len(&w));
}

int film_open(struct film **out, const char *folder, void (*made_h)(void *arg), void *arg)
{
    char path[1024] = "";
    size_t len = 0;
    struct film *film = mem_alloc(sizeof(*film));
    *out = NULL;
    if (!film) {
        return E_NOMEM;
    }
    if (folder && file_mkdirs(folder, 0755) == 0) {
        (void)snprintf(path, sizeof(path), "%s/film", folder);
    }
    int err = path[0] ? file_read(path, FILE_MAX, &film->file, &len) : E_NOTFOUND;
    err = err ? err : read_film(film, film->file, len);
    if (err) {
        mem_free(film->file);
        film->file = NULL;
        if (made_h) {
            made_h(arg);
        }
        err = make_film(film, path[0] ? path : NULL);
    }
    if (err) {
        film_close(film);
        return err;
    }
    *out = film;
    return 0;
}

static void person_free(struct film_person *person)
{
    for (unsigned l = 0; l < FILM_LAYERS; l++) {
        union {
            const uint8_t *in;
            void *out;
        } key = {.in = person->key[l].bytes};
        mem_free(key.out);
    }
    for (unsigned i = 0; i < FILM_SOUNDS; i++) {
        union {
            const uint8_t *in;
            void *out;
        } sound = {.in = person->sound[i].bytes};
        mem_free(sound.out);
    }
    mem_free(person);
}

void film_close(struct film *film)
{
    if (!film) {
        return;
    }
    for (unsigned i = 0; i < PERSONS; i++) {
        if (film->person[i]) {
            person_free(film->person[i]);
        }
    }
    for (unsigned l = 0; l < FILM_LAYERS; l++) {
        video_encoder_free(film->encoder[l]);
    }
    mem_free(film->file);
    mem_free(film);
}

static bool keep(struct film_piece *piece, const uint8_t *bytes, size_t len)
{
    piece->bytes = bytes ? mem_dup(bytes, len) : NULL;
    piece->len = (uint32_t)len;
    return piece->bytes != NULL;
}

static bool make_keys(struct film *film, struct film_person *person, uint16_t sender)
{
    for (unsigned l = 0; l < FILM_LAYERS; l++) {
        size_t len = 0;
        if (!film->encoder[l]) {
            film->encoder[l] =
                video_encoder_new(sizes[l].width, sizes[l].height, sizes[l].bps, FILM_FPS);
        }
        if (!film->encoder[l]) {
            return false;
        }
        struct pattern_image image = video_encoder_image(film->encoder[l]);
        pattern_draw_key(&image, sender);
        const uint8_t *bytes = video_encode(film->encoder[l], true, &len);
        if (!keep(&person->key[l], bytes, len)) {
            return false;
        }
    }
    return true;
}

/* Begins with the last frames of the loop, so that its end meets its beginning. */
static bool make_sound(struct film_person *person, uint16_t sender)
{
    struct audio_encoder *e = audio_encoder_new(SOUND_BPS);
    bool good = e != NULL;
    for (unsigned i = 0; good && i < FILM_SOUNDS + 4; i++) {
        int16_t pcm[TONE_FRAME];
        uint8_t bytes[AUDIO_BYTES_MAX];
        tone_frame(sender, (i + FILM_SOUNDS - 4) % FILM_SOUNDS, pcm);
        size_t len = audio_encode(e, pcm, bytes);
        good = len > 0 && (i < 4 || keep(&person->sound[i - 4], bytes, len));
    }
    audio_encoder_free(e);
    return good;
}

const struct film_person *film_person(struct film *film, uint16_t sender)
{
    if (film->person[sender]) {
        return film->person[sender];
    }
    struct film_person *person = mem_alloc(sizeof(*person));
    if (person && (!make_keys(film, person, sender) || !make_sound(person, sender))) {
        person_free(person);
        person = NULL;
    }
    film->person[sender] = person;
    return person;
}
