/*
 * A load: the people of a shape in one loop. The caller grows it to a number of people, holds and
 * measures windows, and ends it; amphi load and its search are made of these three.
 * Invariants: one loop, one thread (decoding and scraping have their own); ends within a second
 * when asked to stop, leaving every class by a leave.
 * Out of scope: making classes and links, printing (the caller has them).
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench/load/client.h"
#include "bench/load/machine.h"
#include "bench/load/proof.h"
#include "bench/load/scrape.h"
#include "bench/load/shape.h"
#include "bench/load/spread.h"

enum { LOAD_LINK_MAX = 1024, LOAD_SECONDS_MAX = 7200, LOAD_PIDS_MAX = 16, LOAD_REASONS = 8 };

enum load_role { LOAD_SENDER = 0, LOAD_VOICE, LOAD_VIEWER, LOAD_ROLES };

/* Links into one class. */
struct load_room {
    char class_id[64];
    char host[LOAD_LINK_MAX];
    char animator[LOAD_LINK_MAX];
    char participant[LOAD_LINK_MAX];
};

/* What happened in one second. */
struct load_second {
    float t;
    uint32_t people, joined, failed;
    float mbit_in, mbit_out; /* as we see it: received, sent */
    float loss;              /* share, before repair */
    float delay_p50_ms, delay_p99_ms;
    uint32_t freezes;
    uint32_t keys; /* requests for key pictures, of our cameras */
    struct {
        uint64_t sent, heard, lost; /* packets: by speakers, by all, never repaired */
    } sound;
    uint32_t tracks;               /* pictures that move, of everybody */
    uint64_t frames, filmed;       /* pictures that came, and that were sent */
    float server_cores, server_mb; /* below 0 = unknown */
    float tool_cores;
};

/* Sums over people of a role. */
struct load_sum {
    uint32_t people;
    struct rx_count sound, pictures;
    uint64_t sent_packets, sent_bytes, nacks, plis;
    uint64_t spoken, filmed; /* packets of sound and pictures sent */
    uint32_t tracks, tracks_expected;
};

/* While spectators came in. */
struct load_rush {
    mono_us from;      /* the first of them; 0 = none yet */
    double seconds;    /* until the window began, 0 = not over */
    uint64_t requests; /* for key pictures, of our cameras */
    uint64_t keys;     /* pictures those were for: one for each layer */
    uint32_t most;     /* requests in a second */
    mono_us gap;       /* shortest between two, 0 = there were not two */
};

struct load_window {
    double seconds;
    uint32_t people, people_wanted, failed;
    uint32_t people_away; /* of those wanted, by the shape's own coming and going */
    struct load_sum role[LOAD_ROLES];
    struct spread delay, join, connect, ack, first_picture, live_picture, replay;
    struct load_rush rush;
    double watched_h; /* hours of cameras asked for */
    uint64_t messages, refused, acks;
    uint64_t forged; /* packets whose bytes were changed on the way */
    struct scrape_sample server_from, server_to;
    bool server_known;
    struct machine_sample from, to;
    double tool_cores, noise;
    struct spread lag;   /* lateness of our own timers */
    uint64_t tool_drops; /* datagrams our sockets could not take */
};

struct load;

struct load_config {
    struct shape shape;
    const struct client_driver *driver;
    const char *host; /* of the page */
    int port;
    const struct load_room *rooms; /* shape.rooms */
    uint32_t people_max;           /* seats to prepare; 0 = those of the shape */
    const char *film_folder;
    char admin_host[64];
    uint16_t admin_port; /* 0 = none */
    pid_t pids[LOAD_PIDS_MAX];
    unsigned pid_count;
    struct sockaddr_in via; /* a relay before the media port, port 0 = none */
    const volatile sig_atomic_t *stop;
    void (*second_h)(void *arg, struct load *load, const struct load_second *second);
    void (*film_h)(void *arg); /* before the test film is made */
    /* Someone else is hurt: returns a reason to stop at once, or NULL. */
    const char *(*alarm_h)(void *arg);
    void *arg;
};

/* 0, or an error with one line in why. */
int load_new(struct load **out, const struct load_config *config, char *why, size_t why_cap);
/* Leaves, waits at most a second for the farewells, frees. */
void load_free(struct load *load);
/* Forgets the join times so far: the next window tells only those of its own step. */
void load_fresh(struct load *load);
/* Joins or removes people until n are there (or failed); false when it had to stop. */
bool load_grow(struct load *load, uint32_t n);
/* Lets seconds pass without measuring. */
bool load_settle(struct load *load, double seconds);
/* Measures; out is filled also when it had to stop (false) with what there is. */
bool load_hold(struct load *load, double seconds, struct load_window *out);
/* Everything since load_new, for a load that had to stop before its window. */
void load_sum_up(struct load *load, struct load_window *out);
/* Stops all sending, waits until little is on its way, and compares: datagrams we received since
 * load_new and datagrams the server says it sent. False when the server's figures are not known. */
bool load_agree(struct load *load, double *ours, double *theirs);

/* How many went from one workshop to another. */
uint64_t load_moves(const struct load *load);
uint32_t load_people(const struct load *load);
/* Why it stopped early, or NULL. */
const char *load_why(const struct load *load);
/* The same for people. */
const char *load_why_text(const char *why, bool french);
const struct load_second *load_seconds(const struct load *load, uint32_t *count);
const struct client_totals *load_totals(const struct load *load);
/* Result of the decoded samples; false when nothing is decoded. */
bool load_proof(struct load *load, struct proof_result *out);
/* Reasons why people failed, most frequent first; NULL behind the last. */
const char *load_failure(const struct load *load, unsigned i, uint32_t *count);
/* Sender i of the run: NULL behind the last. */
const struct film_sender *load_sender(const struct load *load, unsigned i, const char **name);
/* Spread of all joins of the run. */
const struct spread *load_joins(const struct load *load);
