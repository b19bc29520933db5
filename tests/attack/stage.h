/*
 * The stage of an attack: honest clients (bench/load) in one class of a running server, one loop,
 * the server's own counters, memory and processor time as witnesses, and a socket that can send
 * from any address of the loopback network.
 * Invariant: a check prints one line, `ok` or `FAIL`, with the rule and the figure.
 * Out of scope: starting the server (tests/attack/run), what the attacks are.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench/load/client.h"

enum {
    STAGE_CLIENTS_MAX = 900, /* at a time */
    STAGE_FORGER = 666,      /* sender in the stamp of forged packets */
};
#define STAGE_PATIENCE_US (60 * US_PER_S) /* for what comes, however busy the machine */

struct stage_options {
    int port;         /* page and WebSocket */
    int admin;        /* metrics */
    pid_t core;       /* whose memory and time are watched */
    const char *link; /* into the class, borrowed */
};

struct trail;

/* What one client has received; kept by the stage for every client. */
struct stage_seen {
    uint32_t rtp, rtcp, other, texts; /* datagrams by class, messages */
    mono_us last_rtp;
    uint32_t keyreqs;                   /* PLI and FIR asked of it */
    uint32_t packets, twice, foreign;   /* decrypted: of `from`, of it again, of anybody else */
    uint32_t forged;                    /* decrypted with a forger's stamp */
    uint32_t from;                      /* sender whose packets are expected; 0 = any */
    uint32_t refused, again, unstamped; /* RTP that did not open, retransmissions, and the rest */
    uint8_t counter[8192];              /* bitmap of counters seen */
    struct trail *trail;                /* of a client that watches a sender */
};

struct stage {
    struct client_world world; /* first: hooks find their stage by it */
    struct stage_options options;
    struct client *clients;
    struct stage_seen *seen; /* by client */
    uint32_t count;
    int epoll;
    mono_us ws_at, timers_at;
    void *arg;                /* the attack's own */
    struct client_hooks more; /* the attack's own, called after the stage's */
    uint32_t failed;
};

/* 0 or a negative error; the caller frees with stage_close in any case. */
int stage_open(struct stage *stage, const struct stage_options *options);
/* Everybody leaves; frees all. */
void stage_close(struct stage *stage);
/* A further client of the class, not started; never NULL (the program ends when it cannot). */
struct client *stage_client(struct stage *stage, const struct media_config *media);
/* A started publisher (audio, and video when bps > 0) or viewer. */
struct client *stage_publisher(struct stage *stage, uint32_t video_bps);
struct client *stage_viewer(struct stage *stage);
struct stage_seen *stage_seen(struct client *client);
/* How many of the packets numbered first .. end-1 of the sender it watches have come. */
uint32_t stage_got(struct client *client, uint32_t first, uint32_t end);
/* Prints those that have not, and what tells who lost them. */
void stage_tell_missing(struct client *client, uint32_t first, uint32_t end);
/* One turn of the loop; waits at most a millisecond. */
void stage_turn(struct stage *stage);
void stage_run(struct stage *stage, mono_us us);
/* Until the server has dealt with all that was sent to it before, and its counters tell of it: a
 * datagram of no known class is sent behind, and waited for to be counted. What the server sent
 * meanwhile has been read. How busy the machine is and what flows on does not matter. */
void stage_settle(struct stage *stage);
/* One turn, and more until less than a quarter of the server's room is taken: for floods. */
void stage_room(struct stage *stage);
/* Until `condition`, which is judged again every now and then. */
#define stage_until(stage, condition)                                                              \
    for (mono_us until_ = clock_mono_us() + STAGE_PATIENCE_US;                                     \
         !(condition) && clock_mono_us() < until_;)                                                \
    stage_run((stage), 50 * US_PER_MS)
/* Until `client` is live; false after `us`. */
bool stage_live(struct stage *stage, const struct client *client, mono_us us);
/* Until all started clients are live or dead; how many are live. */
uint32_t stage_all_live(struct stage *stage, mono_us us);
/* Turns until a line of standard input, which is unbuffered, has come; false at its end. */
bool stage_order(struct stage *stage, char *line, size_t cap);

/* One value of the operator's page, e.g. `amphi_drops_total{reason="srtp_auth"}`; 0 when absent. */
double stage_metric(const struct stage *stage, const char *row);
/* The counter of one reason to drop. */
double stage_drops(const struct stage *stage, const char *reason);
/* Sum of all reasons that begin with this. */
double stage_drops_like(const struct stage *stage, const char *reason);
int64_t stage_rss(const struct stage *stage); /* bytes the server has written to */
/* Datagrams that the machine lost on the way, at the server's sockets and at the clients': on a
 * machine with too much to do, what nobody is to blame for. */
double stage_lost(const struct stage *stage);
double stage_cpu(const struct stage *stage); /* seconds */
/* Remembers what the kernel says of everybody's datagrams; prints what of it has moved since. */
void stage_kernel_begin(void);
void stage_tell_kernel(void);

/* Prints `ok` or `FAIL` with rule, name and figure. */
void stage_check(struct stage *stage, bool good, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* How many of `rate` per second are due at `now`, at most `most`. */
uint32_t stage_due(mono_us start, mono_us now, uint32_t rate, uint32_t sent, uint32_t most);

/* A plain Opus packet in the shape of the honest ones: mid "0", level 30, `len` payload bytes of
 * `fill` ending in a stamp. Returns its length. */
struct stage_rtp {
    uint32_t ssrc;
    uint16_t seq;
    uint32_t timestamp;
    bool mid;
    uint8_t fill;
    size_t len; /* >= MEDIA_STAMP_LEN + 1 */
    struct media_stamp stamp;
};
size_t stage_rtp(uint8_t *out, size_t cap, const struct stage_rtp *rtp);

/* ---- a socket with many addresses ---- */
struct stage_spoof {
    int fd;
    uint64_t sent;
};
int stage_spoof_open(struct stage_spoof *spoof);
void stage_spoof_close(struct stage_spoof *spoof);
/* One datagram to `to` from 127.x.y.z, number 0 .. 16 million. */
void stage_spoof_send(struct stage_spoof *spoof, const struct sockaddr_in *to, uint32_t number,
                      const void *data, size_t len);
/* Bytes that came back to any of the addresses since the last call. */
uint64_t stage_spoof_received(struct stage_spoof *spoof);
