/*
 * The classroom service, sans-IO: everything the classroom thread does between the door, the
 * storage thread and the media server. Bytes and events go in with the time; sends, commits and
 * media commands come out through the hooks, in order.
 *
 *   classroom_input -> session_input (schema, size, rate) -> dispatch (row: role, state, handler)
 *     -> handler (command -> events) -> commit_h ... classroom_committed -> broadcast, media, ack
 *
 * Invariants: state = fold(events); permitting effects, broadcasts and acks wait for the commit,
 * restricting media effects leave at once; nothing of one class is found from another. Hooks may be
 * called from inside any function here except classroom_new, _load, _stats and _deadline; they must
 * not call back into the classroom (classroom_committed in particular comes later, from the loop).
 * Out of scope: sockets and framing (signaling/door), SQL (signaling/store), packets (server/sfu).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/rng.h"
#include "codec/base/time.h"
#include "signaling/class/media.h"
#include "signaling/journal/record.h"
#include "signaling/schema/roles.h"
#include "signaling/schema/token_ops.h"

typedef uint64_t conn_num; /* connection id of the door, never reused (design.md D7) */

/* Connections whose high half is zero belong to no door: the program speaks for a WHIP client. Only
 * on these does a WHIP token say hello. */
static inline bool classroom_inside(conn_num conn)
{
    return conn >> 32 == 0;
}

struct classroom;

/* Both clocks, read once per batch: mono for timers, wall for stamps and token expiry. */
struct class_time {
    mono_us mono;
    wall_ms wall;
};

enum { CLASS_RELAY_URLS = 8 };

/* Relays for one person, with credentials that end by themselves. */
struct class_relay {
    unsigned count;
    const char *url[CLASS_RELAY_URLS];
    char username[64];
    char credential[32];
    uint32_t ttl_s; /* how long they work */
};

/* Why there is no seat. */
enum class_full {
    CLASS_FULL,          /* people_max of one class */
    CLASS_FULL_SEATS,    /* of the server */
    CLASS_FULL_CLASSES,  /* too many classes at the same time */
    CLASS_FULL_CAPACITY, /* memory, connections */
    CLASS_FULL_LOAD,     /* the media server takes nobody for now */
    CLASS_FULL_REASONS,
};

struct classroom_hooks {
    void *arg;
    /* One text message for these connections (bytes borrowed until return). */
    void (*send_h)(void *arg, const conn_num *to, size_t count, const char *text, size_t len);
    /* Close a connection with a WebSocket code after what was sent. The classroom forgets it at
     * once; a classroom_close for it that comes later does nothing. */
    void (*close_h)(void *arg, conn_num conn, uint16_t code, const char *reason);
    /* Append records durably (borrowed until return); answered later, in order, by
     * classroom_committed with the same ticket. Returns 0, or an error (E_BUSY, E_NOMEM) when the
     * records were not taken, and then there is no answer. */
    int (*commit_h)(void *arg, uint64_t ticket, const struct class_record *records, size_t count);
    void (*media_h)(void *arg, const struct media_cmd *cmd);
    /* This connection has shown a valid token (design.md D7); may be NULL, may come twice. */
    void (*trust_h)(void *arg, conn_num conn);
    /* Relays for this person's page; NULL or count 0 = none. */
    void (*relay_h)(void *arg, const struct id *person, struct class_relay *out);
    /* Somebody could not enter because there is no seat: told once for each connection; may be
     * NULL. class_id: the class he came for. */
    void (*full_h)(void *arg, const struct id *class_id, enum class_full why);
    /* Answer of classroom_admin: err 0 and a JSON object, or an error and {"why":...}. */
    void (*admin_h)(void *arg, uint64_t request, int err, const char *json, size_t len);
};

struct classroom_config {
    uint64_t epoch;                 /* store_epoch: new at each start */
    struct id boot;                 /* of the machine: the monotonic clock counts from it */
    uint8_t key[TOKEN_OPS_KEY_LEN]; /* signs every token; kept in data/keys */
    struct token_ops token;
    struct rng rng;
    uint32_t classes_max; /* 0 = 1000 */
    uint32_t conns_max;   /* 0 = 4096 */
    uint32_t people_max;  /* present in one class; 0 = 600 */
    uint32_t seats_max;   /* present in all of them, without staff; 0 = any number */
    uint32_t live_max;    /* classes with somebody in them; 0 = any number */
    uint32_t grace_ms;    /* seat kept after a lost connection; 0 = 60 s */
};

/* 0, E_NOMEM, E_RANGE. Copies config and hooks. */
int classroom_new(struct classroom **out, const struct classroom_config *config,
                  const struct classroom_hooks *hooks);
/* Frees everything; sends nothing. NULL is fine. */
void classroom_free(struct classroom *room);

/* Folds one stored class (use as load_h of store_load with a small wrapper), before
 * classroom_start. 0, E_VERSION (journal of a newer program: exit 78), E_CORRUPT, E_NOMEM,
 * E_LIMIT. */
int classroom_load(struct classroom *room, const struct class_image *image);
/* After the last load: whoever was present is away, with the grace counted from now. */
void classroom_start(struct classroom *room, struct class_time now);

/* The door has a WebSocket with our subprotocol under this number. After a restart of the core the
 * door announces again every socket it kept. */
void classroom_open(struct classroom *room, conn_num conn, struct class_time now);
/* One complete text message of that connection. Unknown connections are ignored. */
void classroom_input(struct classroom *room, conn_num conn, const char *text, size_t len,
                     struct class_time now);
/* The connection is gone (closed by the page, lost, or the whole door was lost). */
void classroom_close(struct classroom *room, conn_num conn, struct class_time now);
/* Result of a commit; err 0 = durable. Tickets come in the order they were given. */
void classroom_committed(struct classroom *room, uint64_t ticket, int err, struct class_time now);
/* What the media server reports. */
void classroom_media(struct classroom *room, const struct media_evt *evt, struct class_time now);
/* Call at or after classroom_deadline. */
void classroom_timer(struct classroom *room, struct class_time now);
/* When classroom_timer wants to be called, or MONO_NEVER. O(1). */
mono_us classroom_deadline(const struct classroom *room);

/* Requests of the operator (admin socket, LMS door). Answered through admin_h, at once or after the
 * commit. Texts are borrowed. */
struct class_date; /* signaling/journal/dates.h */

enum admin_kind {
    ADMIN_CLASS_CREATE,  /* title, class_type, class_id (zero = draw one), settings
                            -> {"class":"c_..."} */
    ADMIN_CLASS_LIST,    /* -> {"classes":[{id,title,type,state,present,known,seq}]} */
    ADMIN_CLASS_SHOW,    /* class_id -> one of these with its people */
    ADMIN_CLASS_END,     /* class_id: ended for good */
    ADMIN_CLASS_EDIT,    /* class_id, title (NULL = as it is), settings -> {} */
    ADMIN_CLASS_BIN,     /* class_id, bin: nobody enters, or again; E_STATE: people inside */
    ADMIN_CLASS_ARCHIVE, /* class_id, archive; E_STATE: people inside */
    ADMIN_LINK,          /* class_id, role, ttl_s, single -> {"class","role","link","expires"} */
    ADMIN_PASS,          /* class_id, publish, title (name), person, ttl_s -> likewise */
    ADMIN_PASS_LIST,     /* class_id -> {"passes":[{pass,role,name,person,made,expires,present}]} */
    ADMIN_PASS_WITHDRAW, /* class_id, pass, or title (the token itself): it opens nothing more */
    ADMIN_FORGET,        /* class_id, person: erases a person's name and texts */
    ADMIN_FORGET_ALL,    /* class_id: of everybody */
    ADMIN_UNSAY,         /* class_id: what everybody wrote; names stay */
    ADMIN_ROLL_CORRECT,  /* class_id, person, session, status + 1 or 0, title (reason), by */
    ADMIN_ROLL_CONTEST,  /* class_id, person, session, title (why) */
    ADMIN_ROLL_SEAL,     /* class_id, session, title (digests), by, seq; E_AGAIN: look again */
    ADMIN_ROLL_EXPECT,   /* class_id, person, role, title (name), number: on the roster */
    ADMIN_LIMITS,        /* limits -> {"people","live"}: what is used of them */
    ADMIN_READY,         /* class_id, person, status (verdict), title (figures) */
};

struct admin_setting {
    unsigned number; /* enum setting */
    int64_t value;
};

struct admin_request {
    enum admin_kind kind;
    struct id class_id;
    struct id person;  /* FORGET; LINK: a personal link for this person when not zero */
    const char *title; /* CREATE: 1..200 characters */
    enum class_type class_type;
    enum role role;
    uint32_t ttl_s;                       /* LINK: 0 = 400 days; single-use: at most 600 */
    const struct admin_setting *settings; /* CREATE, EDIT */
    size_t setting_count;
    const struct class_date *dates; /* CREATE, EDIT: all of them, ascending; NULL = as it is */
    size_t date_count;
    const char *number; /* ROLL_EXPECT: in a training register; NULL none */
    int64_t session;    /* ROLL_*: number of the session */
    uint64_t seq;       /* ROLL_SEAL: last event its digest covers; 0 = not looked at */
    uint32_t status;
    struct id by;      /* ROLL_CORRECT, _SEAL: zero = the operator */
    struct id pass;    /* PASS_WITHDRAW */
    uint32_t limit[3]; /* LIMITS: people_max, seats_max, live_max of classroom_config */
    bool single;       /* LINK: join token, burnt at the first hello */
    bool bin;          /* BIN: into the bin, or out of it */
    bool archive;      /* ARCHIVE: into it, or out of it */
    bool publish;      /* PASS: WHIP token of one publisher named title; otherwise a WHEP token */
};

void classroom_admin(struct classroom *room, uint64_t request, const struct admin_request *req,
                     struct class_time now);

/* ---- the standard doors (server/app/wish.h)
 * ------------------------------------------------------------------------------------------- */

/* What a bearer token opens. */
struct class_pass {
    struct id id;
    bool publish; /* WHIP, of one person; otherwise WHEP */
    struct id class_id;
    struct id person;
    char name[101];
    room_num room; /* the main room */
    uint64_t class_num;
    uint32_t class_size;
    bool live; /* a session is going on */
};

/* 0; E_AUTH (not ours), E_DENIED (not a token of these doors), E_EXPIRED, E_STATE (withdrawn);
 * E_NOTFOUND (its class is gone or has ended). */
int classroom_pass(const struct classroom *room, const char *token, size_t len, wall_ms now,
                   struct class_pass *out);
/* Grows with each token that is withdrawn: who holds sessions looks again then. */
uint64_t classroom_withdrawals(const struct classroom *room);
/* Was this token (class_pass.id) withdrawn? Told before it is durable: it restricts. */
bool classroom_withdrawn(const struct classroom *room, const struct id *class_id,
                         const struct id *pass);
/* Is a session going on in this class? */
bool classroom_live(const struct classroom *room, const struct id *class_id);
/* The device of a connection in a class, and the first of a person who is there now; 0 = none. */
device_num classroom_device(const struct classroom *room, conn_num conn);
device_num classroom_person_device(const struct classroom *room, const struct id *class_id,
                                   const struct id *person);
/* Opens the media of a connection inside, or restarts it; the answer goes by its token past the
 * classroom (MEDIA_EVT_ANSWER, _REFUSED). 0 or E_STATE. */
int classroom_offer(struct classroom *room, conn_num conn, const struct desc_offer *offer,
                    bool restart, uint64_t token);

/* on: new classes and newcomers are refused (busy); those inside stay and may resume. */
void classroom_drain(struct classroom *room, bool on);
/* Closes every connection with this WebSocket code (1001 going down, 1012 restart). */
void classroom_shutdown(struct classroom *room, uint16_t code, struct class_time now);

struct classroom_stats {
    uint64_t messages_in;
    uint64_t messages_out; /* one per recipient */
    uint64_t bytes_in;
    uint64_t refused;  /* messages answered with error */
    uint64_t accepted; /* commands acknowledged */
    uint64_t repeated; /* commands recognised by their id */
    uint64_t events;   /* journalled */
    uint64_t commits;
    uint64_t commits_failed;
    uint64_t refolds;
    uint64_t snapshots_sent;
    uint64_t auth_failed;
    uint64_t rate_closed;
    uint32_t classes;
    uint32_t conns;
    uint32_t people;        /* present, away included */
    uint32_t webinars_near; /* 80 % of the seats are taken, or all */
    uint32_t webinars_full;
    uint32_t webinars_light; /* people with sound and slides only */
    uint32_t devices_media;  /* with an open media connection */
    uint32_t outstanding;    /* commits on their way */
};

void classroom_stats(const struct classroom *room, struct classroom_stats *out);
