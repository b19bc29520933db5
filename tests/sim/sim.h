/*
 * A whole small world from one seed: real SFUs, modelled links, fake clients, no clock but its own.
 * Every packet an SFU sends is opened on the spot and held against what must be true (check.c);
 * what clients receive over their links is held against what a decoder needs (client.c). A violated
 * rule is counted and its first text kept; scenarios ask for zero.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/base/rng.h"
#include "codec/wire/rtp.h"
#include "codec/wire/rtpext.h"
#include "server/proto/twcc_gen.h"
#include "server/sfu/msg.h"
#include "server/sfu/sfu.h"
#include "tests/sim/coder.h"
#include "tests/sim/fake_crypto.h"

enum {
    SIM_SHARDS_MAX = 3,
    SIM_CLIENTS_MAX = 320,
    SIM_SLOTS = DESC_AUDIO_SLOTS_MAX + DESC_VIDEO_SLOTS_MAX,
    SIM_STREAMS = 6, /* mic, camera h m l, screen, sound */
    SIM_KEPT = 512,
    SIM_MAILBOX = 4096,
    SIM_SENT = 4096,
    SIM_SEALED = 256,
    SIM_PACKET = 1600,
    SIM_PT_OPUS = 111,
    SIM_PT_VP8 = 96,
    SIM_PT_RTX = 97,
    SIM_PT_RED = 63,
    LINK_BUCKETS = 200,
    LINK_BUCKET_US = 10 * US_PER_MS,
};

struct sim_link {
    mono_us delay_us;
    mono_us jitter_us;
    uint32_t loss;      /* of 1000 */
    uint32_t duplicate; /* of 1000 */
    uint32_t burst;     /* mean length of a loss, 0 = every packet for itself */
    uint32_t reorder;   /* of 1000: held back by up to 50 ms */
    uint32_t bps;       /* 0 = no limit */
    mono_us queue_us;   /* most it holds, 0 = 300 ms */
    bool cut;
    bool bad; /* within a burst of loss */
    mono_us busy_until;
    /* since link_clear */
    uint64_t offered;              /* bytes */
    uint32_t delays[LINK_BUCKETS]; /* packets by queueing delay */
    uint32_t passed;
};

struct flight {
    mono_us at;
    uint64_t order;
    struct client *client;
    bool up;
    struct tuple from; /* up: where it comes from */
    uint16_t len;
    uint8_t *data;
};

/* What is written at the end of every payload. */
struct mark {
    uint32_t publisher;
    uint32_t frame;
    uint8_t source;
    uint8_t layer;
    uint8_t index; /* packet in its frame */
    uint8_t count; /* packets of the frame */
    uint8_t key;
    uint8_t codec; /* enum codec_id */
    uint8_t spatial;
    uint8_t temporal;
    uint8_t tl0;
    uint16_t picture_id;
    uint8_t refs; /* what it truly refers to, of the same stream */
    uint32_t ref[CODER_REFS];
};

enum { MARK_LEN = 30 };

/* Payload type of a codec of pictures; its retransmissions have the next one. */
static inline uint8_t sim_pt(uint8_t codec)
{
    return (uint8_t)(SIM_PT_VP8 + 2 * (codec - CODEC_VP8));
}

/* One sent RTP stream of a client. */
struct stream_out {
    bool exists;
    uint8_t source;
    uint8_t layer;
    uint32_t ssrc;
    uint32_t rtx_ssrc;
    int64_t seq;
    int64_t rtx_seq;
    uint32_t timestamp0;
    uint32_t frame;
    const struct structure *structure; /* of pictures */
    struct coder coder;
    uint16_t height;
    uint8_t packets;    /* per frame */
    uint16_t filler;    /* bytes of a packet */
    uint8_t key_factor; /* a key frame has so many times the packets */
    uint8_t thin;       /* of so many pictures one is sent while nothing smaller is, 0 = all */
    uint8_t falters;    /* so many pictures are sent, then left out, while something smaller is */
    uint16_t noise;     /* its rate wanders by so many per cent, 0 = constant */
    int16_t drift;      /* where it is, in per cent */
    bool key_wanted;
    unsigned torn; /* so many key frames lose their first packet: it has to be asked for */
    bool off;      /* nobody watches it */
    mono_us next_us;
    uint64_t sent;
    uint32_t plis; /* asked of it */
    mono_us pli_us[8];
    uint32_t pli_at;
    struct {
        uint16_t seq;
        uint16_t header_len;
        uint16_t len;
        uint32_t timestamp;
        uint8_t pt;
        bool marker;
        uint8_t dd_len;
        mono_us again_us; /* sent again last */
        uint8_t dd[CODER_DD_MAX];
        uint8_t data[1250];
    } * kept; /* SIM_KEPT of them */
};

/* Order of one slot as the SFU sends it. */
struct slot_check {
    bool started;
    int64_t top;
    uint32_t timestamp;
    struct mark mark; /* newest */
    uint8_t layer;
    uint16_t picture_id;
    uint8_t tl0;
    mono_us at;
    mono_us turned_us; /* it began to carry somebody else */
    uint64_t holes;    /* numbers skipped and not filled */
    uint64_t packets;
    uint64_t switches;
    uint64_t late;
    uint64_t fillers;
    uint32_t closed; /* of these and of late packets, behind the newest picture */
    int64_t behind;  /* timestamp units the slot's time lies behind since it began with the past */
    uint32_t sent_ts[SIM_SENT]; /* of each number, for its retransmission */
    uint64_t sent_hash[SIM_SENT];
    uint64_t sealed_hash[SIM_SEALED]; /* audio, as it went out */
    /* as received by the client */
    uint64_t got;
    uint64_t got_rtx;
    uint64_t told_got; /* by the last report */
    int64_t told_top;
    int64_t got_first;
    int64_t got_top;
    uint8_t got_map[8192];
    mono_us got_us;
    mono_us gap_us; /* longest time without a packet while live */
};

/* What a client says about its reception that is not so. */
enum sim_lie {
    LIE_NONE,
    LIE_LOST,  /* of ten packets nine did not come */
    LIE_WIDTH, /* nothing can pass (and nothing of single packets) */
};

struct client {
    struct world *world;
    unsigned number; /* 1.. */
    unsigned shard;
    sfu_peer_id id;
    sfu_room_id room;
    sfu_room_id voice; /* where the microphone is heard instead */
    struct sfu_ears ears;
    struct tuple tuple;
    struct tuple old_tuple; /* before it moved */
    uint16_t spare_port;    /* another path that is checked and not meant, 0 = none */
    mono_us next_spare_us;
    struct tuple gone_tuple; /* its router gave it up: what is sent there is lost */
    struct desc_offer offer;
    struct desc_answer answer;
    bool open;
    bool answered;
    bool checked;
    bool connected; /* our side of the handshake */
    bool evt_connected;
    bool evt_lost;
    uint32_t farewells; /* of the SFU: sent */
    uint32_t byes;      /* arrived */
    bool failed;
    bool silent;         /* sends no checks */
    bool nominated_once; /* as Firefox: no USE-CANDIDATE after the first check */
    bool ready;
    uint8_t dtls_stage;
    uint8_t dtls_tries;
    mono_us next_check_us;
    mono_us next_dtls_us;
    mono_us next_rtcp_us;
    mono_us next_twcc_us;
    mono_us last_check_ok_us;
    struct srtp_seal *seal;
    struct srtp_open *open_ctx;
    struct srtp_open *tap; /* opens what the SFU sends, at the moment it sends it */
    uint32_t rtcp_index;
    struct sim_link up;
    struct sim_link down;
    uint32_t publish;
    mono_us moved_us;            /* when publish or room changed */
    uint8_t level[SOURCE_COUNT]; /* audio: -dBov */
    bool on[SOURCE_COUNT];       /* the source sends packets */
    struct stream_out stream[SIM_STREAMS];
    uint16_t twcc;
    struct sfu_want want[DESC_VIDEO_SLOTS_MAX];
    uint32_t wants;
    mono_us want_us[DESC_VIDEO_SLOTS_MAX];
    struct sfu_slot_view slot[SIM_SLOTS];
    struct slot_check check[SIM_SLOTS];
    struct twcc_gen feedback; /* what it tells of what arrived */
    enum sim_lie lie;         /* instead */
    uint64_t twcc_feedbacks;
    uint64_t twcc_told; /* packets of its own they said had come */
    uint8_t lost_told;  /* the worst fraction a report told */
    uint64_t srs;
    uint64_t rrs;
    uint64_t answered_nacks;
    uint32_t sends_told;  /* what to send, and what not */
    uint32_t sends_lost;  /* so many of them are not heard */
    uint64_t audio_again; /* audio packets the SFU sent once more */
    mono_us last_rtp_us;  /* last RTP the SFU sent to it */
    bool had_missing[SIM_SLOTS];
    bool attacker;       /* its own violations are wanted */
    struct model *model; /* a strict receiver per slot of pictures; NULL = none */
    struct ear_state
        *ear; /* what it hears and sees, and feedback about it; NULL = it tells nothing */
};

struct mailbox {
    struct sfu_msg msg[SIM_MAILBOX];
    uint32_t head;
    uint32_t count;
    uint32_t cap; /* smaller = provoke full rings */
};

struct shard_world {
    struct world *world;
    unsigned number;
    struct sfu *sfu;
    struct txbatch tx;
    struct mailbox in[SIM_SHARDS_MAX]; /* by sender */
};

struct world {
    uint64_t seed;
    struct rng_seeded rng_state;
    struct rng rng;
    mono_us now;
    unsigned shards;
    uint32_t packets_max; /* of each shard */
    uint64_t refused;     /* datagrams that found no packet to be received into */
    struct shard_world *shard[SIM_SHARDS_MAX];
    struct client *client[SIM_CLIENTS_MAX];
    unsigned clients;
    struct flight **heap;
    uint32_t flights;
    uint32_t flights_cap;
    uint64_t order;
    uint64_t violations;
    char first[256];
    uint64_t rtp_tx;
    uint64_t speaking_events;
    uint64_t layers_paused;
    uint64_t layers_resumed;
    struct sfu_evt last_speaking;
    uint32_t loss_up_any;   /* some uplink loses: holes upstream are not the SFU's fault */
    uint32_t loss_down_any; /* some downlink loses: a receiver may miss what was sent */
    bool hearing;           /* clients that join have an ear (ear.h) */
    bool numberless;        /* clients that join know no transport-wide numbers */
    bool plain_ears;        /* ... that knows no RED and asks for no sound, as Firefox */
    bool modelled;          /* clients that join have models of their decoders (model.h) */
    bool verbose;
};

/* world.c */
struct world *world_new(uint64_t seed, unsigned shards, uint32_t loudest);
/* The same with room for so few packets in each shard. */
struct world *world_new_small(uint64_t seed, unsigned shards, uint32_t loudest, uint32_t packets);
void world_free(struct world *w);
/* A client of a room with default links (20 ms, no loss); it joins by itself as time goes on. */
struct client *world_join(struct world *w, sfu_room_id room, unsigned shard, uint32_t publish);
void world_run(struct world *w, mono_us duration);
void world_command(struct world *w, struct client *c, struct sfu_cmd *cmd);
void world_room(struct world *w, struct client *c, sfu_room_id room);
void world_ears(struct world *w, struct client *c, const struct sfu_ears *ears);
void world_voice(struct world *w, struct client *c, sfu_room_id voice);
/* May c get that source of p now, by the world's own knowledge? */
bool world_reaches(const struct client *c, const struct client *p, uint8_t source);
void world_publish(struct world *w, struct client *c, uint32_t publish);
void world_leave(struct world *w, struct client *c);
/* Maps slots 0.. to the cameras of the other members of the room, at most max of them. */
void world_view_all(struct world *w, struct client *c, unsigned max, uint16_t height);
void world_view(struct world *w, struct client *c, const struct sfu_want *want, uint32_t count);
void world_fail(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct client *world_peer(struct world *w, sfu_peer_id id);
struct client *world_number(struct world *w, uint32_t number);
void world_stats(struct world *w, unsigned shard, struct sfu_stats *out);
/* A datagram of the client enters its uplink / arrives at its SFU without delay. */
void world_up(struct world *w, struct client *c, const uint8_t *data, size_t len);
enum drop world_inject(struct world *w, unsigned shard, const struct tuple *from,
                       const uint8_t *data, size_t len);
void world_down(struct world *w, struct client *c, const uint8_t *data, size_t len);

/* client.c */
void client_init(struct client *c);
void client_free(struct client *c);
void client_tick(struct client *c, mono_us now);
void client_input(struct client *c, const uint8_t *data, size_t len, mono_us now);
/* Seals and sends RTCP of the client (len plain bytes, room for the trailer behind). */
void client_rtcp(struct client *c, uint8_t *data, size_t len);
/* Says by REMB, for its first slot of pictures, how much it takes. */
void client_width(struct client *c, uint64_t bps);
/* Says close_notify; everything else goes on, as from a client that does not stop. */
void client_bye(struct client *c);
/* media.c */
void media_init(struct client *c);
/* From now on its camera (screen) is made like this: encodings, layers, codec. */
void media_structure(struct client *c, uint8_t source, const struct structure *st);
/* Rates of a real camera: 1.5 Mbit/s, 350 and 150 kbit/s. */
void media_fat(struct client *c);
void media_tick(struct client *c, mono_us now);
void media_key(struct client *c, uint32_t ssrc, mono_us now);
void media_nack(struct client *c, uint32_t ssrc, uint16_t seq);
/* The SFU says which layers are watched: others stop, resumed ones begin with a key frame. */
void media_layers(struct client *c, const uint8_t send[SOURCE_COUNT]);
bool mark_read(const uint8_t *payload, size_t len, struct mark *out);
/* link.c: when a datagram that enters the link now leaves it; 0 = it is lost. */
mono_us link_pass(struct world *w, struct sim_link *link, size_t len);
void link_clear(struct sim_link *link);
/* Share of packets that queued no longer than the result. */
mono_us link_delay(const struct sim_link *link, double share);
/* ear.c: the client judges what it gets as a browser would. */
void ear_open(struct client *c);
void ear_free(struct client *c);
/* seq: the number within the slot, unwrapped (client.c). */
void ear_rtp(struct client *c, unsigned k, bool rtx, const struct rtp_header *hdr,
             const uint8_t *data, int64_t seq, mono_us now);
void ear_tick(struct client *c, mono_us now);
/* check.c: one datagram the SFU sends to the client, at the moment it is sent. */
void check_sent(struct client *c, const uint8_t *data, size_t len, mono_us now);
