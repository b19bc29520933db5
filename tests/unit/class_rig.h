/*
 * A classroom with everything around it under the hand of a test: clock, storage that commits when
 * told (or fails), pages that keep a folded view, the commands the media server would get. Checks
 * every text the classroom sends against the schema.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "signaling/class/classroom.h"
#include "signaling/class/token.h"
#include "signaling/schema/schema.h"

enum { RIG_CONNS_MAX = 700, RIG_TICKETS_MAX = 4096, RIG_DEVICES_MAX = 4096, RIG_CLASSES_MAX = 8 };

/* One page: what it was told and what it makes of it. */
struct rig_page {
    conn_num conn; /* 0 = no connection */
    uint16_t closed;
    bool inside;
    bool encoder; /* no page of a door, but a connection of the core's own (classroom_inside) */
    bool blind;   /* keeps no view: of deltas and snapshots only numbers and tokens are read */
    json_t *view; /* newest snapshot with every delta applied, or NULL */
    int64_t seq;  /* last seq */
    int64_t epoch;
    bool gap; /* a delta did not fit */
    char guest[TOKEN_TEXT_MAX];
    char resume[TOKEN_TEXT_MAX];
    char person[ID_TEXT_MAX];
    char device[ID_TEXT_MAX];
    json_t *door; /* newest door message */
    json_t *last; /* newest message that is neither snapshot, delta nor slots/speaking */
    char acked[SCHEMA_CMD_ID_MAX + 1]; /* newest ack */
    char error[32];                    /* code of the newest error, "" none */
    char error_id[SCHEMA_CMD_ID_MAX + 1];
    const char *canary; /* a word this page must never hear */
    size_t leaks;       /* how often it heard it */
    size_t messages;
    size_t deltas;
    size_t snapshots;
};

struct rig_blob {
    uint64_t seq;
    uint8_t *data;
    size_t len;
};

/* The storage: what is durable. */
struct rig_class {
    struct id id;
    struct rig_blob *events;
    size_t event_count;
    size_t event_cap;
    struct rig_blob snapshot;
    struct class_person_key *keys;
    size_t key_count;
    size_t key_cap;
};

struct rig_ticket {
    uint64_t ticket;
    struct class_record *records; /* copies; data owned */
    size_t count;
};

/* What the media server was told of a device. */
struct rig_device {
    bool open;
    room_num room;
    room_num voice;
    struct media_ears ears;
    uint32_t publish;
    uint64_t token;
    uint32_t opens;
    uint32_t views;
    struct media_cmd last_view;
};

struct rig {
    struct classroom *room;
    struct classroom_config config;
    struct rng_seeded seeded;
    struct class_time now;
    uint64_t epoch;
    conn_num next_conn;
    uint32_t page_at[1 << 12]; /* by connection: index of its page, a guess */
    struct rig_page *pages;
    size_t page_count;
    struct rig_class classes[RIG_CLASSES_MAX];
    size_t class_count;
    struct rig_ticket tickets[RIG_TICKETS_MAX]; /* ring */
    size_t ticket_first;
    size_t ticket_count;
    bool busy;                       /* storage takes nothing */
    int (*judge_h)(struct rig *rig); /* error of the next commit, NULL = 0 */
    struct rig_device devices[RIG_DEVICES_MAX];
    struct media_cmd last_cmd;
    size_t media_count;
    char admin[4096]; /* newest answer */
    int admin_err;
    size_t sends; /* calls of send_h */
    size_t texts; /* recipients */
    size_t bytes;
    size_t text_max;  /* longest message sent so far */
    bool check_texts; /* validate every text (default true); one in 16 of those for blind pages */
};

struct token_ops rig_token_ops(void);

/* pages: how many rig_page. Aborts the test when memory is short. */
struct rig *rig_new(size_t pages, uint64_t seed);
void rig_free(struct rig *rig);
/* The core dies and comes back: commits on their way are lost, the rest is folded from storage. */
int rig_kill(struct rig *rig);
/* Moves the clock and runs due timers. */
void rig_pass(struct rig *rig, int64_t ms);
/* Answers the oldest n commits (all: SIZE_MAX). Returns how many. */
size_t rig_commit(struct rig *rig, size_t n);

/* A class and links to it. */
struct id rig_class(struct rig *rig, enum class_type type);
struct id rig_class_set(struct rig *rig, enum class_type type, const struct admin_setting *settings,
                        size_t count);
void rig_link(struct rig *rig, const struct id *class_id, enum role role, bool single,
              char out[TOKEN_TEXT_MAX]);

/* A page opens a WebSocket; sends text; loses it. */
void rig_open(struct rig *rig, struct rig_page *page);
void rig_say(struct rig *rig, struct rig_page *page, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void rig_text(struct rig *rig, struct rig_page *page, const char *text, size_t len);
void rig_lose(struct rig *rig, struct rig_page *page);
/* hello + join (+ commits), by link or with the page's guest token. True when inside. */
bool rig_enter(struct rig *rig, struct rig_page *page, const char *link, const char *name);
/* hello{resume} with the page's newest token (+ commits). True when inside. */
bool rig_resume(struct rig *rig, struct rig_page *page, bool with_have);
/* One page's list in its view: "people", "hands", "chat". */
size_t rig_count(const struct rig_page *page, const char *list);
/* The view of a page and the committed state as text, for comparing; caller frees with free(). */
char *rig_view_text(const struct rig_page *page);
char *rig_state_text(struct rig *rig, const struct rig_page *page);
