/*
 * What two ends agree on, in our own words: the compact form of the page (idea 2 of the design) and
 * full SDP (RFC 8866, RFC 8829) both fill these structures, and the media server knows nothing
 * else. Invariants: fixed sizes, no pointers, so a description is copied and passed by value. Out
 * of scope: parsing (codec/wire/sdp.h, signaling/schema).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/addr.h"

enum {
    DESC_UFRAG_MAX = 32, /* ours are 8; RFC 8445 allows 256, browsers send 4-8 */
    DESC_PWD_MAX = 64,   /* browsers send 22-32 */
    DESC_CANDIDATES_MAX = 8,
    DESC_AUDIO_SLOTS_MAX = 8,
    DESC_VIDEO_SLOTS_MAX = 32,
    DESC_MID_MAX = 15,
    DESC_MID_NONE = 0xffff, /* slot_mid_first: receive MIDs are not numbers in a row: write none */
};

/* Codecs in the order of the registry (codec/media/registry.h). */
enum codec_id {
    CODEC_NONE = 0,
    CODEC_OPUS,
    CODEC_RED,
    CODEC_VP8,
    CODEC_VP9,
    CODEC_H264,
    CODEC_AV1,
    CODEC_COUNT
};

/* RTP header extensions we know; the numbers on the wire are per connection and kind. */
enum rtpext_kind {
    RTPEXT_NONE = 0,
    RTPEXT_MID,          /* urn:ietf:params:rtp-hdrext:sdes:mid, RFC 8843 */
    RTPEXT_RID,          /* ...:sdes:rtp-stream-id, RFC 8852 */
    RTPEXT_REPAIRED_RID, /* ...:sdes:repaired-rtp-stream-id, RFC 8852 */
    RTPEXT_AUDIO_LEVEL,  /* urn:ietf:params:rtp-hdrext:ssrc-audio-level, RFC 6464 */
    RTPEXT_TRANSPORT_CC, /* draft-holmer-rmcat-transport-wide-cc-extensions-01 */
    RTPEXT_ABS_SEND_TIME,
    RTPEXT_ABS_CAPTURE_TIME,
    RTPEXT_PLAYOUT_DELAY,
    RTPEXT_VIDEO_ORIENTATION,     /* urn:3gpp:video-orientation */
    RTPEXT_DEPENDENCY_DESCRIPTOR, /* AV1 RTP specification, appendix A */
    RTPEXT_COUNT
};

/* Identifiers 1..255 of the extensions on the wire; 0 = not negotiated. */
struct desc_exts {
    uint8_t id[RTPEXT_COUNT];
};

/* Payload types of the codecs; 0 = not listed. rtx is the RFC 4588 type for the same codec. */
struct desc_codecs {
    uint8_t pt[CODEC_COUNT];
    uint8_t rtx[CODEC_COUNT];
};

/* Sources a person sends, in the order of the send sections. */
enum source_kind { SOURCE_MIC = 0, SOURCE_CAMERA, SOURCE_SCREEN, SOURCE_SOUND, SOURCE_COUNT };

/* The offer of a client, compact or SDP. */
struct desc_offer {
    char ufrag[DESC_UFRAG_MAX + 1];
    char pwd[DESC_PWD_MAX + 1];
    uint8_t fingerprint[32]; /* SHA-256 of the client's certificate, RFC 8122 */
    uint8_t audio_slots;     /* receive sections, 0 .. DESC_AUDIO_SLOTS_MAX */
    uint8_t video_slots;     /* 0 .. DESC_VIDEO_SLOTS_MAX */
    struct desc_codecs audio;
    struct desc_codecs video;
    struct desc_exts audio_ext;
    struct desc_exts video_ext;
    uint32_t ssrc[SOURCE_COUNT];              /* announced SSRC of each source, 0 unknown */
    uint32_t rtx_ssrc[SOURCE_COUNT];          /* its RFC 4588 stream, 0 unknown */
    char mid[SOURCE_COUNT][DESC_MID_MAX + 1]; /* MID of each send section, "" = absent */
    uint16_t slot_mid_first; /* MID (decimal) of the first receive section, or NONE */
};

struct desc_candidate {
    struct addr addr; /* host candidate with its port */
    bool udp;
    bool tcp; /* ICE-TCP passive on the same number, RFC 6544 */
};

/* Our answer. Slot k (audio first, then video) sends SSRC base+2k, its RTX base+2k+1. */
struct desc_answer {
    char ufrag[DESC_UFRAG_MAX + 1];
    char pwd[DESC_PWD_MAX + 1];
    uint8_t fingerprint[32];
    uint32_t ssrc_base;
    uint8_t candidates;
    struct desc_candidate candidate[DESC_CANDIDATES_MAX];
};
