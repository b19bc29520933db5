/*
 * SDP for the WHIP and WHEP doors: an offer (RFC 8866, RFC 8829 JSEP, RFC 9429) is parsed once into
 * an index of typed lines, from which desc_offer is made and the answer is written.
 * Invariants (rule S14): text of at most SDP_TEXT_MAX bytes, SDP_LINES_MAX lines, SDP_SECTIONS_MAX
 * sections; every step visits a line a fixed number of times, counted in `steps`; the text is
 * borrowed and never changed. Names of attributes and values are case-sensitive, encoding names and
 * hex are not (8866 6, 8122 5). Lines end in CRLF or LF.
 * Out of scope: writing offers, data channels (answered as rejected), renegotiation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/wire/desc.h"

enum {
    SDP_TEXT_MAX = 65536,
    SDP_LINES_MAX = 2000,
    SDP_SECTIONS_MAX = 64,
    SDP_RIDS_MAX = 4,      /* simulcast streams of one section */
    SDP_PAYLOADS_MAX = 96, /* formats of one section we look at */
};

/* A piece of the text, not terminated; len 0 = absent. */
struct sdp_str {
    uint16_t at; /* 0 .. 65535 */
    uint16_t len;
};

/* Attributes we understand; all other lines are SDP_OTHER. */
enum sdp_attr {
    SDP_OTHER = 0,
    SDP_GROUP,
    SDP_MID,
    SDP_RTPMAP,
    SDP_FMTP,
    SDP_RTCP_FB,
    SDP_EXTMAP,
    SDP_EXTMAP_ALLOW_MIXED,
    SDP_SSRC,
    SDP_SSRC_GROUP,
    SDP_MSID,
    SDP_RID,
    SDP_SIMULCAST,
    SDP_CANDIDATE,
    SDP_END_OF_CANDIDATES,
    SDP_ICE_UFRAG,
    SDP_ICE_PWD,
    SDP_ICE_OPTIONS,
    SDP_ICE_LITE,
    SDP_FINGERPRINT,
    SDP_SETUP,
    SDP_RTCP_MUX,
    SDP_RTCP_RSIZE,
    SDP_BUNDLE_ONLY,
    SDP_SENDRECV,
    SDP_SENDONLY,
    SDP_RECVONLY,
    SDP_INACTIVE,
    SDP_ATTR_COUNT
};

struct sdp_line {
    struct sdp_str value; /* behind "a=name:" */
    uint8_t attr;         /* enum sdp_attr */
};

enum sdp_kind { SDP_AUDIO = 0, SDP_VIDEO, SDP_APPLICATION, SDP_KIND_OTHER };
enum sdp_direction { SDP_DIR_SENDRECV = 0, SDP_DIR_SENDONLY, SDP_DIR_RECVONLY, SDP_DIR_INACTIVE };

/* What a section is to us. */
enum sdp_use {
    SDP_USE_REJECTED = 0, /* port 0, no codec of ours, not in the bundle, data channel */
    SDP_USE_IDLE,         /* inactive, or more sources than we take: answered inactive */
    SDP_USE_SEND,         /* the client sends source_kind `source` */
    SDP_USE_SLOT,         /* the client receives slot `slot` */
};

struct sdp_section {
    uint8_t kind;      /* enum sdp_kind */
    uint8_t direction; /* enum sdp_direction */
    bool has_direction;
    bool bundled; /* its mid is in the BUNDLE group */
    bool bundle_only;
    bool rtcp_mux;
    bool secure; /* UDP/TLS/RTP/SAVPF or TCP/TLS/RTP/SAVPF */
    bool end_of_candidates;
    uint16_t port;
    uint16_t first; /* lines [first, last) */
    uint16_t last;
    struct sdp_str media; /* "audio", "video" ... */
    struct sdp_str proto;
    struct sdp_str formats; /* the payload types of the m= line */
    struct sdp_str mid;
    struct sdp_str ufrag;
    struct sdp_str pwd;
    struct sdp_str fingerprint; /* "sha-256 AA:BB..." */
    struct sdp_str setup;
    struct sdp_str msid;
    struct sdp_str simulcast;
    uint8_t use;    /* enum sdp_use, filled by sdp_offer_desc */
    uint8_t source; /* enum source_kind */
    uint8_t slot;   /* slot number: audio first, then video */
};

struct sdp_session {
    const char *text; /* borrowed */
    size_t len;
    uint32_t steps; /* characters and lines visited: the bound of rule S14 is tested on it */
    uint16_t lines;
    uint8_t sections;
    bool has_bundle;
    bool ice_lite;
    bool allow_mixed;      /* a=extmap-allow-mixed on session level */
    uint8_t direction;     /* session level default */
    uint16_t session_last; /* lines [0, session_last) are session level */
    struct sdp_str bundle; /* mids of the first BUNDLE group */
    struct sdp_str ufrag;  /* session level, "" = none */
    struct sdp_str pwd;
    struct sdp_str fingerprint;
    struct sdp_str setup;
    struct sdp_section section[SDP_SECTIONS_MAX];
    struct sdp_line line[SDP_LINES_MAX];
};

/*
 * Indexes len bytes of offer. Returns 0; E_TOOBIG (text), E_LIMIT (lines, sections) or E_BAD (not
 * SDP, NUL bytes, torn lines). text must outlive out. About 24 KiB: not for small stacks.
 */
int sdp_parse(struct sdp_session *out, const char *text, size_t len);

/* One a=candidate line (RFC 8839 5.1) with an IP address; names (mDNS) are refused. */
struct sdp_candidate {
    struct addr addr;
    uint8_t proto; /* enum addr_proto */
    bool host;
    uint8_t component;
    uint32_t priority;
};

/* Parses the value of a candidate attribute. 0, E_UNSUPPORTED (a name, a protocol) or E_BAD. */
int sdp_candidate_parse(struct sdp_candidate *out, const char *value, size_t len);

/* One codec as SDP sees it; rows come from codec/media/registry.h. */
struct sdp_codec {
    uint8_t id; /* enum codec_id */
    bool video;
    const char *name; /* encoding name, compared without case */
    uint32_t clock_rate;
    uint8_t channels; /* 1 = not written */
    const char *fmtp; /* our parameters in the answer; NULL = the offered ones come back */
    const char *const *feedback; /* rtcp-fb values in the order we write them, NULL at the end */
    /* How well offered parameters suit us: < 0 not at all, the highest wins, the first of equals.
     * NULL = any. fmtp is not terminated, len may be 0. */
    int (*score_h)(const char *fmtp, size_t len);
};

/* The row of a codec, or NULL: registry_sdp_codec. */
typedef const struct sdp_codec *(*sdp_codec_h)(enum codec_id id);

/*
 * Fills desc from a parsed offer and marks the use of each section. Send sections in order: first
 * audio = mic, first video = camera, second video = screen, second audio = sound; sections that
 * only receive become slots, audio numbered first.
 * Returns 0; E_UNSUPPORTED (no BUNDLE, no rtcp-mux, no SHA-256 fingerprint, setup:passive, no
 * common codec, one codec with two payload types),
 * E_LIMIT (more slots than desc has) or E_BAD (missing or malformed credentials).
 */
int sdp_offer_desc(struct desc_offer *desc, struct sdp_session *offer, sdp_codec_h codec);

/*
 * Writes the answer to an offer that sdp_offer_desc accepted, with NUL. Every section is answered
 * in order, with ICE, fingerprint and setup in each; candidates once.
 * Returns the length without NUL, or E_FULL.
 */
int sdp_answer_write(char *out, size_t cap, const struct sdp_session *offer,
                     const struct desc_offer *desc, const struct desc_answer *answer,
                     sdp_codec_h codec);
