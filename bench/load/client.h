/*
 * One simulated participant against Amphi itself: WebSocket signalling (protocol amphi.1), compact
 * offer, ICE checks as the controlling side, DTLS, SRTP, and the media of media.h. Built from the
 * server's own protocol modules.
 *
 *   hello -> door -> media.offer -> media.answer -> ICE -> DTLS -> media.ready -> join -> snapshot
 *
 * Attack tests (tests/attack) drive the same clients: hooks show them what passes, and the lower
 * functions of client_media.h let them send what no honest client would.
 * Invariants: one UDP socket per client, so the kernel's counters and addresses are those of real
 * clients; everything is driven by client_run from one spinning loop.
 * Out of scope: who joins when (main.c), the floor (floor mode bypasses this file).
 */
#pragma once

#include <jansson.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench/load/client_rx.h"
#include "bench/load/driver.h"
#include "bench/load/film_send.h"
#include "bench/load/link.h"
#include "bench/load/media.h"
#include "bench/load/spread.h"
#include "bench/load/wsc.h"
#include "codec/base/rng.h"
#include "codec/wire/desc.h"
#include "server/crypto/crypto.h"
#include "server/crypto/dtls_client.h"
#include "server/proto/crypto.h"

enum client_state {
    CLIENT_IDLE = 0,
    CLIENT_CONNECTING, /* WebSocket */
    CLIENT_HELLO,      /* hello and offer sent */
    CLIENT_ICE,
    CLIENT_DTLS,
    CLIENT_JOINING, /* join sent, no snapshot yet */
    CLIENT_LIVE,
    CLIENT_DEAD
};

enum { CLIENT_AUDIO_SLOTS = 5, CLIENT_VIDEO_SLOTS = 16, CLIENT_SSRCS = 64, CLIENT_ASKED = 16 };

/* What all clients of a run share and count into. */
struct client_totals {
    uint64_t packets, bytes, lost, duplicate, decrypted, decrypt_failed, stamps_bad;
    uint64_t forged; /* failed authentication: bytes changed on the way */
    uint64_t sent_packets, sent_bytes, plis, errors;
    uint64_t key_requests; /* compounds with one PLI or more: for one or more layers at a time */
    mono_us key_gap_us;    /* shortest between two of them to one client; 0 = not two yet */
    uint64_t datagrams;    /* of every kind, before the model of the network */
    uint64_t messages, message_bytes; /* of the server */
    uint64_t acks, refused;           /* commands of ours */
    uint32_t live, dead, first_media;
    struct spread delay, join, connect, ack;
    struct spread whole; /* from the TCP connection to the first media; join begins with hello */
    /* From the path being up until a whole picture, and one of now; age of what was sent of the
     * past, to begin with (client_rx.h). */
    struct spread first_picture, live_picture, replay;
};

struct client;
struct proof;
struct web;
struct peer_heard;

/* What tests want to see; each may be NULL. */
struct client_hooks {
    /* Every datagram of the server before it is looked at. */
    void (*wire_h)(struct client *client, const uint8_t *data, size_t len);
    /* Every decrypted packet; needs client.sampled. */
    void (*rtp_h)(struct client *client, const uint8_t *plain, size_t len);
    /* Every RTP datagram that did not become one: err.def says why. */
    void (*refused_h)(struct client *client, const uint8_t *data, size_t len, int why);
    /* Every decrypted RTCP compound. */
    void (*rtcp_h)(struct client *client, const uint8_t *plain, size_t len);
    /* Every sealed media packet just sent. */
    void (*sent_h)(struct client *client, const uint8_t *sealed, size_t len);
    /* Every message of the server. */
    void (*text_h)(struct client *client, const char *text, size_t len);
};

struct client_world {
    struct wsc_pool *ws; /* or */
    struct web *web;     /* by the driver */
    const struct crypto_ops *crypto;
    const struct crypto_identity *identity;
    struct client_totals totals;
    struct rng rng;
    struct client_hooks hooks;
    /* A stamped packet of a sampled client; may be NULL. */
    void (*delay_h)(struct client *client, const struct media_stamp *stamp, mono_us now);
    /* A client came to its end by itself, with one line for people; may be NULL. */
    void (*dead_h)(struct client *client, const char *why);
    struct sockaddr_in via; /* media goes here instead of to the candidate; port 0 = not */
    void *arg;              /* of the owner */
    bool floor;        /* no signalling, no encryption on our side: bench/floor is the server */
    const char *error; /* the first failure, for people */
    char error_text[200];
};

/* Reception of one SSRC, from the plain RTP header. */
struct client_stream {
    uint32_t ssrc;
    uint16_t seq;
    bool started;
};

struct client {
    struct client_world *world;
    const struct client_driver *driver;
    void *driver_data; /* one block, freed with the client */
    enum client_state state;
    struct wsc *ws;
    const char *link;
    char name[24];
    char device[40]; /* ours, from the snapshot */
    char person[40];
    uint32_t room;
    bool publisher;
    bool sampled; /* decrypts everything it gets */
    bool ready_sent;
    bool no_checks;   /* sends no connectivity checks any more */
    bool no_dtls;     /* begins no handshake: client_media_handshake does */
    bool wrong_print; /* offers the fingerprint of a certificate it does not have */
    bool paused;      /* sends no media of its own */
    bool unheard;     /* floor mode: not among those whose voice a room hears */
    int fd;
    uint16_t port;
    struct sockaddr_in server;
    char ufrag[9], pwd[25];
    struct desc_answer answer;
    /* Streams are told by payload type and not by SSRC: one of each kind comes. */
    bool by_type;
    struct {
        uint8_t sound, picture, rtx;
    } pt;
    struct desc_exts twcc_id;
    uint64_t tie_breaker;
    mono_us again_at; /* the door is asked again, MONO_NEVER = not */
    mono_us check_at, dtls_at, begun_us, hello_us, connected_us, consent_at, rr_at;
    mono_us key_asked_us; /* a key frame of our camera, the last time */
    struct dtls_client *dtls;
    struct srtp_keys keys;
    struct srtp_open *open;
    struct srtp_seal *seal;
    uint32_t rtcp_index;
    uint64_t video_index, audio_index;
    struct media_source media;
    bool media_started, first_media;
    struct client_stream stream[CLIENT_SSRCS];
    uint32_t streams;
    uint32_t views; /* publishers asked for */

    /* Complete clients only (client_equip). */
    struct client_rx *rx;
    uint16_t floor_number;    /* of the packets of the floor, which come without one per receiver */
    struct film_sender *film; /* instead of media */
    struct link *up, *down;   /* NULL = the machine's own network */
    struct proof *proof;
    unsigned proof_number, proof_streams;
    uint32_t video_slots;
    mono_us join_us;
    uint64_t sent_packets, sent_bytes;
    mono_us rx_at;
    mono_us asked_at[CLIENT_ASKED]; /* commands on their way, by number */
    uint32_t asked;
    bool hand_up;
    bool view_refused; /* whom it asked for cannot be seen yet */
    /* Every message to this one; may be NULL. */
    void (*told_h)(struct client *client, const char *text, size_t len);
};

/* Prepares a client and its socket; 0 or E_IO. link is borrowed for life. */
int client_init(struct client *client, struct client_world *world, const char *link, uint32_t room,
                uint32_t number, const struct media_config *media);
struct client_kit {
    struct film *film;           /* NULL = sends nothing */
    struct film_config sender;   /* with film */
    uint32_t video_slots;        /* 0 .. RX_VIDEO */
    struct link_config up, down; /* zero = none */
    uint64_t seed;
};
/* After client_init: a complete participant that repairs, reports and sends a film. 0 or E_NOMEM.
 */
int client_equip(struct client *client, const struct client_kit *kit);
/* Opens the signalling; the join time starts with its first message. */
void client_start(struct client *client);
/* Floor mode instead: registers with bench/floor on a loopback port and is live at once. */
void client_floor_start(struct client *client, uint16_t port, mono_us now);
/* The end of a client by itself, with one line for people. */
void client_fail(struct client *client, const char *why);
/* The other side described itself in SDP: checks begin. */
void client_heard(struct client *client, const struct peer_heard *heard);
/* Timers and media due now. */
void client_run(struct client *client, mono_us now);
/* When client_run has something to do again; 0 = at once. */
mono_us client_due(const struct client *client);
/* The socket is readable. */
void client_read(struct client *client, mono_us now);
/* Asks for the cameras of these devices in slots 0 .. count-1. */
void client_view(struct client *client, const char *const *devices, uint32_t count);
/* A command (taken) of a live participant. */
void client_command(struct client *client, json_t *command);
/* The usual ones; their acknowledgements are counted and timed. */
void client_mic(struct client *client, bool on);
void client_hand(struct client *client, bool up);
void client_chat(struct client *client, const char *text);
/* Webinars: the host moves on to a phase, and puts somebody on the stage. */
void client_phase(struct client *client, const char *phase);
void client_place(struct client *client, const char *person);
/* The same seat by its resume token after another core has come up; new media. */
void client_again(struct client *client, const char *resume, json_int_t have, json_int_t epoch);
/* Leaves the class and frees everything. */
void client_fini(struct client *client);

/* The handlers main.c gives to wsc_pool_new; user = struct client. */
extern const struct wsc_handlers client_ws_handlers;
