/*
 * RTP headers for subscribers: written once per packet and template (what a browser negotiated),
 * then copied and patched for each subscriber. The cache lives for one flush, so abs-send-time is
 * the same in all its copies.
 * Out of scope: SRTP, payload edits.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/packet.h"
#include "codec/base/time.h"
#include "codec/wire/desc.h"

enum {
    HEADER_MAX = 112, /* kept in the cache; longer ones are written each time */
    HEADER_WRITE_MAX = 376,
    HEADER_CACHE = 256,
    HEADER_TEMPLATES = 255,
};

/* What decides how a header looks for one peer. */
struct header_template {
    uint32_t users;
    struct desc_codecs audio;
    struct desc_codecs video;
    struct desc_exts audio_ext;
    struct desc_exts video_ext;
};

struct header {
    pool_id packet;
    uint32_t flush; /* number of the flush it is valid for */
    uint16_t template;
    uint16_t len;
    uint8_t transport_cc_at; /* 0 = absent */
    uint8_t dd_at;           /* dependency descriptor, 0 = absent */
    uint8_t dd_len;
    bool ok;
    uint8_t bytes[HEADER_MAX];
};

struct headers {
    struct header_template *template; /* index 1 .. HEADER_TEMPLATES */
    struct header *cache;
    uint32_t flush;
    uint32_t abs_send_time;
};

/* 0 or E_NOMEM. */
int headers_init(struct headers *h);
void headers_fini(struct headers *h);
/* A new flush begins: cached headers are void, packets sent from here on carry this time. */
void headers_flush(struct headers *h, mono_us now);
/* The template of an offer, shared with equal ones; 0 when there are too many kinds. */
uint16_t headers_template(struct headers *h, const struct desc_offer *offer);
void headers_template_put(struct headers *h, uint16_t template);

/* What a header is written from when it is not cached. */
struct header_spec {
    const struct desc_exts *ids;
    uint8_t pt;
    uint32_t abs_send_time;
    const char *mid; /* NULL = none */
    uint8_t mid_len;
    bool audio;
    uint32_t targets; /* active decode targets to write; 0 = the descriptor stays as it is */
};

/* Inside, every extension has its kind as id, so that a packet explains itself on any shard. */
extern const struct desc_exts house_exts;
struct rtp_header;
/* Replaces the publisher's extension ids by ours, in place, before the packet is published. */
void header_house_ids(uint8_t *data, const struct rtp_header *hdr, const struct desc_exts *ids);

/*
 * Writes the header of a copy of pkt into out (cap >= HEADER_WRITE_MAX): sequence number,
 * timestamp, SSRC and transport-cc number are left 0. Offsets of what is patched go to the other
 * fields. Returns the length, 0 when it does not fit.
 */
size_t header_write(uint8_t *out, const struct pkt *pkt, const struct header_spec *spec,
                    struct header *at);
/* The same for a packet that carries nothing of a publisher. */
size_t header_write_bare(uint8_t *out, const struct header_spec *spec, struct header *at);
/* The cached header of pkt for a template (never 0), or NULL when it cannot be cached. */
const struct header *headers_find(struct headers *h, const struct pkt *pkt, uint16_t template,
                                  bool audio);
