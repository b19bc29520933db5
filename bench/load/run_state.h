/* What run.c, crowd.c and measure.c share; nobody else includes it. */
#pragma once

#include "bench/load/run.h"

struct seat {
    struct client client;
    enum load_role role;
    uint32_t room;
    uint32_t number; /* in its room */
    bool started;
    bool counted;     /* its end was counted */
    uint32_t version; /* of the room's cameras when it last asked */
    mono_us deadline; /* to be live by */
    bool on_stage;    /* put there, webinars only */
    uint32_t group;   /* its workshop, 1 .. shape.workshops; 0 = none yet */
    uint32_t going;   /* to this one, 0 = it stays */
    mono_us back_at;  /* left on purpose, comes back then; 0 = not */
};

enum { LOAD_WORKSHOPS = 32, LOAD_ID_MAX = 40 };

/* The workshops of a class, as its host conducts them. */
enum workshops_state { WORKSHOPS_NONE = 0, WORKSHOPS_ASKED, WORKSHOPS_DRAFT, WORKSHOPS_OPEN };

struct room {
    enum workshops_state workshops;
    char set[LOAD_ID_MAX];
    char workshop[LOAD_WORKSHOPS][LOAD_ID_MAX];
    double moves_due;
    bool opening;     /* was asked for */
    uint32_t cameras; /* version: changes when a camera comes or goes */
    mono_us open_at;  /* the host of a webinar went on air; 0 = not yet */
    uint32_t turn;    /* first speaker of the running turn */
    mono_us turn_at;
    double chat_due, hands_due, churn_due; /* fractions of an event */
};

struct failure {
    char why[120];
    uint32_t count;
};

struct load {
    struct load_config config;
    struct client_world world;
    struct crypto_identity *identity;
    struct crypto *crypto;
    struct film *film;
    struct proof *proof;
    struct scrape *scrape;
    struct rng_seeded seeded;
    struct rng rng;
    struct seat *seats;
    mono_us *due; /* of each seat: close together, since all are looked at every millisecond */
    uint32_t seat_count, wanted;
    struct room *rooms;
    int epoll;
    mono_us start, timers_at, ws_at, crowd_at, second_at;
    uint32_t sampled, proofs;
    struct load_sum retired[LOAD_ROLES]; /* of those who left */
    struct spread joins, lag, second_delay;
    struct load_second *seconds;
    uint32_t second_count;
    struct load_sum before; /* all roles, at the last second */
    struct client_totals totals_before;
    double cpu_before, tool_before;
    struct scrape_sample server_first, server_before;
    uint32_t dead_seen, joined_seen;
    double watched_s;
    struct failure failures[LOAD_REASONS];
    char why[160];
    uint64_t moves; /* between workshops */
    struct load_rush rush;
    bool stop, sending, holding;
};

/* run.c */
void load_turn(struct load *load);
void seat_start(struct load *load, struct seat *seat);
/* Leaves the class; its counts stay in the sums. */
void seat_leave(struct load *load, struct seat *seat);
void load_stop(struct load *load, const char *why);
/* crowd.c: turns of speech, hands, chat, coming and going, and who looks at whom. */
void crowd_run(struct load *load, mono_us now);
/* Spectators of a webinar come when it is on air; others at any time. */
bool crowd_admits(const struct load *load, mono_us now);
/* Everybody is where the shape wants him: workshops are open. */
bool crowd_ready(const struct load *load);
struct seat *crowd_publisher(struct load *load, uint32_t room, uint32_t k);
/* How many events of a rate per minute fall into this step of the crowd. */
uint32_t crowd_due(double *rest, uint32_t per_minute);
/* crowd_workshops.c: the host prepares and opens them, people go from one to the other. */
void workshops_run(struct load *load, uint32_t room);
/* Where a seat is now; people of different groups do not see each other. */
uint32_t workshops_group(const struct load *load, const struct seat *seat);
/* measure.c */
void measure_sum(const struct load *load, struct load_sum out[LOAD_ROLES]);
void measure_second(struct load *load, mono_us now);
void measure_seat(const struct seat *seat, struct load_sum *sum);
