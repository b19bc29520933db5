/*
 * The standard doors: WHIP (RFC 9725) into a class and WHEP (draft-ietf-wish-whep) out of it. HTTP
 * requests come from the door process, full SDP fills the same structures as the compact form.
 *
 *   WHIP client: a connection inside the classroom (classroom_inside) that joins as the speaker its
 *     token names: journalled, shown, moderated and removed like any page.
 *   WHEP viewer: a media connection without a seat. Its room is a mix (inner.h) of the class's main
 *     room, its one picture follows the stage (picture.h); ?publisher=p_... keeps to one person.
 *
 *   wish_http.c  requests and their answers     wish.c      sessions, events, mixes
 *   wish_join.c  the WHIP side of the classroom wish_view.c the WHEP side of the media server
 *
 * Invariants: nothing is answered from inside a hook of the classroom (wish_turn does); a session
 * is reached only through its 128-bit id and a token of its class; whoever sees one token sees one
 * class; a token that is withdrawn ends its sessions. Out of scope: sockets, framing and CORS
 * (signaling/door), packets.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "signaling/class/classroom.h"
#include "signaling/door/ipc.h"

struct wish;

enum {
    WISH_TICK_US = 500 * US_PER_MS,
    WISH_JOIN_US = 8 * US_PER_S, /* the class answers within this, or the request fails */
};

/* Devices of ours, apart from those of the classroom. */
#define WISH_DEVICE (1ULL << 62)
/* Rooms of mixes, and tokens of our offers, likewise. */
#define WISH_OWN (1ULL << 63)

struct wish_config {
    struct classroom *room; /* borrowed */
    uint32_t sessions_max;
    uint32_t devices_max;
    struct rng rng;
    void *arg;
    void (*media_h)(void *arg, const struct media_cmd *cmd);
    /* The mix of this device holds one publisher: slots say in which of its slots he is. */
    void (*mix_only_h)(void *arg, device_num mix, device_num publisher,
                       const struct media_evt *slots, uint32_t ssrc_base);
    void (*answer_h)(void *arg, const struct ipc_answer *answer);
    /* Value of a Link header with the relays, "" = none; NUL included. */
    void (*link_h)(void *arg, char *out, size_t cap);
};

/* 0, E_NOMEM. */
int wish_new(struct wish **out, const struct wish_config *config);
void wish_free(struct wish *wish);

/* A request below /whip/ or /whep/; answered now or later. */
void wish_ask(struct wish *wish, const struct ipc_ask *ask, struct class_time now);
/* Nobody waits for that answer any more. */
void wish_gone(struct wish *wish, uint64_t req);
/* What the classroom says to, and does with, a connection inside (from its hooks). */
void wish_text(struct wish *wish, conn_num conn, const char *text, size_t len);
void wish_closed(struct wish *wish, conn_num conn);
/* Every command of the classroom to the media server. */
void wish_note(struct wish *wish, const struct media_cmd *cmd);
/* Every event of the media server; true when it was for us alone. */
bool wish_media(struct wish *wish, const struct media_evt *evt, struct class_time now);
/* Once per turn of the loop: what hooks left to do, and deadlines. */
void wish_turn(struct wish *wish, struct class_time now);
/* True when wish_turn has something to do now. */
bool wish_pending(const struct wish *wish);
/* No new sessions; those there go on. */
void wish_drain(struct wish *wish, bool on);

struct wish_stats {
    uint32_t publishers; /* connected or connecting */
    uint32_t viewers;
    uint32_t mixes;
    uint64_t opened;   /* 201 */
    uint64_t refused;  /* 4xx and 5xx */
    uint64_t restarts; /* ICE restarts by PATCH */
    uint64_t trickles;
    uint64_t lost; /* ended because media died */
};

void wish_stats_read(const struct wish *wish, struct wish_stats *out);
