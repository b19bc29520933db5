/*
 * The inside of the classroom, shared by the files of this folder and nobody else.
 *
 *   struct classroom   every class, connection and device; maps from their numbers
 *   struct klass       one class: working state, committed state, commits on their way, the log of
 *                      what was told
 *   struct conn        one WebSocket: unknown, at the door, or in a class through a device
 *   struct live        one device of a person while this core runs: its connection, its media
 *   struct batch       the events of one command between its check and its commit
 *
 * Invariants: work = done + the events of all batches in order; a live exists while it has a
 * connection or its device stands in either state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/map.h"
#include "codec/base/twheel.h"
#include "signaling/class/classroom.h"
#include "signaling/class/keyring.h"
#include "signaling/class/token.h"
#include "signaling/journal/event.h"
#include "signaling/journal/snapshot.h"
#include "signaling/journal/state.h"
#include "signaling/schema/jsonw.h"
#include "signaling/schema/schema.h"

enum {
    OUT_LOG_MAX = 1024, /* events kept for resuming without a snapshot */
    OUT_LOG_BYTES_MAX = 512 << 10,
    OUT_TEXT_MAX = 8 << 20,        /* one message of ours */
    OUT_SNAPSHOT_MAX = 960 << 10,  /* below what the door keeps for one page (1 MiB) */
    OUT_CHAT_MAX = 384 << 10,      /* of it, chat: 200 messages of ordinary length are all there */
    OUT_CHAT_SPARE = 256,          /* ids, keys and time of one message */
    PRESENCE_US = 100 * US_PER_MS, /* arrivals within this go out together (F23) */
    SLOTS_US = 15 * US_PER_MS,
    SPEAKING_US = 200 * US_PER_MS,
    SPEAKING_AGAIN_US = 10 * US_PER_S, /* while nothing changed */
    HELLO_US = 10 * US_PER_S,
    RETRY_US = 1 * US_PER_S, /* housekeeping after a failed commit */
    RATE_PER_S = 50,
    RATE_BURST = 200,
    CLOSE_NORMAL = 1000,
    CLOSE_POLICY = 1008,
    CLOSE_TOO_BIG = 1009,
    CLOSE_RESTART = 1012,
    CLOSE_REMOVED = 4001,
    CLOSE_ENDED = 4002,
    CLOSE_AUTH = 4003,
    CLOSE_MOVED = 4004,
};

enum timer_reason {
    TIMER_HELLO,    /* conn: said nothing */
    TIMER_GRACE,    /* live: its seat is not kept any longer */
    TIMER_SLOTS,    /* live: newest slots not told yet */
    TIMER_PRESENCE, /* klass: arrivals not told yet */
    TIMER_RETRY,    /* klass: see who is here again */
    TIMER_SPEAKING, /* klass: newest speakers not told yet */
    TIMER_PULSE,    /* klass: how the audience is, not told yet */
    TIMER_DUE,      /* klass: a deadline of the journal */
};

/* Tokens of a leaky bucket, in millionths. */
struct rate {
    int64_t micro;
    mono_us at;
};

enum conn_place { CONN_NEW, CONN_WAIT, CONN_DOOR, CONN_JOINING, CONN_QUEUE, CONN_CLASS };

/* What decides which events a connection is told: as of its last snapshot. */
struct view_key {
    uint16_t room;
    bool staff;
    unsigned audience;
};

struct conn {
    conn_num num;
    enum conn_place place; /* WAIT: hello under way; JOINING: join under way; QUEUE: waiting room */
    struct klass *klass;   /* after hello */
    struct live *live;
    struct id person;
    enum role link_role; /* what the link of this connection gives */
    bool link_own;       /* and that it names a person */
    bool full_told;      /* it was counted that there was no seat */
    uint64_t sent;       /* seq of the last snapshot or delta */
    uint64_t seen;       /* everything up to here was told or is not for this connection */
    struct view_key view;
    right_mask rights;   /* as last told */
    uint64_t pulse_told; /* hash of the last pulse */
    uint8_t apart;       /* while telling: how what is told differs from the others of its view */
    struct rate rate;
    struct twheel_node hello_timer;
    struct conn *next; /* in its class */
    struct conn *prev;
};

struct live {
    device_num num;
    struct id device;
    struct id person;
    struct klass *klass;
    struct conn *conn; /* NULL = lost */
    mono_us lost_at;
    bool confirmed; /* the newest resume token has arrived */
    bool open;      /* media connection asked for and not closed */
    room_num sent_room;
    uint32_t sent_publish;
    int64_t heard_us; /* spoken since it was last counted in the journal */
    room_num sent_voice;
    struct media_ears sent_ears;
    uint8_t eyes; /* rooms of its view besides its own */
    room_num eye[MEDIA_EYES_MAX];
    uint8_t audio_slots;
    uint8_t video_slots;
    uint64_t offer_token; /* of the newest MEDIA_CMD_OPEN or _RESTART; 0 = answered */
    char offer_id[SCHEMA_CMD_ID_MAX + 1];
    struct media_evt slots; /* newest */
    struct media_evt send;  /* newest: encodings it should send */
    bool slots_due;
    uint64_t slots_told; /* hash of the message this connection had last, 0 = none */
    mono_us slots_at;
    mono_us react_at; /* up to here its reactions are paid for */
    mono_us chat_at;  /* last message, for the slow mode */
    struct rate rate; /* of the last connection: reconnecting gives no new burst */
    struct twheel_node grace_timer;
    struct twheel_node slots_timer;
    struct live *next; /* in its class */
    struct live *prev;
};

/* Whom an entry of the log is for. */
struct out_scope {
    uint8_t see;         /* SEE_TOLD bits */
    uint16_t room;       /* SEE_ROOM */
    struct id person;    /* whom it is about; zero = nobody in particular */
    uint8_t hidden_from; /* kinds of viewers, a bit per state_audience; the person is told always */
    uint16_t table;      /* in this workshop they are told all the same; ROOM_MAIN = nowhere */
    bool but_own;        /* everybody but that person */
    bool but_table;      /* and everybody but those at that table */
    bool but_staff;      /* and not to whoever leads */
};

struct viewer; /* part.h */

struct out_entry {
    uint64_t seq;
    struct out_scope scope;
    struct rtext *json; /* one or more event objects, comma between */
};

enum reply_kind {
    REPLY_NONE,
    REPLY_ACK,
    REPLY_JOIN,
    REPLY_RESUME,
    REPLY_DOOR,
    REPLY_WAIT,
    REPLY_ADMIN,
    REPLY_PASS,
};

/* What to tell when the events are durable, and to whom to say `internal` when they are not. */
struct reply {
    enum reply_kind kind;
    conn_num conn;
    char id[SCHEMA_CMD_ID_MAX + 1];
    bool has_have; /* RESUME */
    uint64_t have;
    uint64_t request; /* ADMIN, PASS */
    struct id pass;   /* PASS */
};

struct batch {
    struct batch *next;
    struct klass *klass;
    uint64_t ticket; /* 0 = nothing to store: waits for the batch before it */
    bool snapshot;   /* a snapshot on its way to the storage; no events, in no queue */
    uint64_t snapshot_seq;
    struct event *events;
    size_t count;
    size_t cap;
    size_t joins; /* what folding into the committed state will need */
    size_t links;
    struct reply reply;
};

/* The newest speakers of one room. */
struct voices {
    bool due;   /* not told yet */
    mono_us at; /* since when this holds */
    uint32_t count;
    struct media_speaker speaker[10];
    uint32_t recents;
    device_num recent[10];
    /* What pages were told last: who, how loud in the steps they show (level), who had the floor.
     */
    mono_us told_at;
    uint32_t told;
    struct media_speaker told_speaker[10];
    uint32_t told_recents;
    device_num told_recent[10];
};

/* Reactions of a webinar since they were last told. */
enum { PULSE_KINDS = 5 };
struct pulse {
    uint32_t react[PULSE_KINDS];
    mono_us at;
    struct twheel_node timer;
};

struct klass {
    struct classroom *room;
    uint32_t index;
    struct id id;
    struct state *work;
    struct state *done;
    struct keyring keys;
    struct batch *first; /* commits on their way, oldest first */
    struct batch *last;
    size_t joins_out; /* in those batches */
    size_t links_out;
    bool broken; /* working state could not be rebuilt for want of memory: try again */
    struct conn *conns;
    struct live *lives;
    struct out_entry log[OUT_LOG_MAX]; /* ring */
    size_t log_first;
    size_t log_count;
    size_t log_bytes;
    uint64_t log_floor;              /* everything behind this seq is in the log */
    uint64_t log_told;               /* up to here it was told to everybody who follows */
    bool room_told[STATE_ROOMS_MAX]; /* in this commit: what newcomers of a room need is noted */
    uint64_t snapshot_seq;           /* newest stored or on its way */
    bool snapshot_out;
    struct twheel_node presence_timer;
    struct twheel_node retry_timer;
    struct twheel_node speaking_timer;
    struct voices *voices[STATE_ROOMS_MAX]; /* made when somebody first speaks there */
    mono_us speaking_at;
    mono_us heard_at; /* voices were last counted in the journal */
    struct twheel_node due_timer;
    struct pulse pulse;
    bool due_idle; /* what was due last changed nothing */
    bool clock_set;
    int64_t clock_base; /* class time at clock_mono */
    mono_us clock_mono;
};

struct classroom {
    struct classroom_config config;
    struct classroom_hooks hooks;
    struct klass **classes;
    uint32_t class_count;
    struct map conns;   /* conn_num -> struct conn * */
    struct map devices; /* device_num -> struct live * */
    struct map keys;    /* id_key of the device -> struct live * */
    struct map tickets; /* ticket -> struct batch * */
    uint64_t ticket;    /* last given */
    device_num device;
    uint64_t media_token;
    struct twheel wheel;
    bool wheel_set;
    bool draining;
    bool load_shut;       /* the media server takes nobody new */
    uint8_t load_step;    /* of shedding, 0 none: what staff was told */
    uint64_t withdrawals; /* of tokens: grows with each */
    struct jsonw json;    /* the message being made */
    conn_num *to;         /* recipients of the message being sent; conns_max of them */
    struct classroom_stats stats;
};

/* ---- commit.c: from a command to a durable event
 * ---------------------------------------------------- */

/* One command being executed. */
struct act {
    struct klass *klass;
    struct class_time now;
    struct batch *batch;
    struct id actor;
    uint64_t cmd;
    int err; /* first failure of emit */
};

/* Starts a command. The reply says what follows the commit. */
int act_begin(struct act *act, struct klass *klass, struct class_time now);
/* Appends an event (its seq, at, cmd and actor are filled in) and folds it into the working state;
 * takes over the reference of event.text. */
void act_emit(struct act *act, struct event event);
/* Settles who is acting host, hands the events to the storage. 0; or an error after undoing
 * everything, and then no reply will be given. */
int act_end(struct act *act);
/* Gives up a command: its events are undone. */
void act_abort(struct act *act);
/* Switches off what this person (all: NULL) sends beyond the rights of the working state. */
void act_trim(struct act *act, const struct id *person, struct id by);
void batch_free(struct batch *batch);
const uint8_t *class_key(void *arg, const struct id *person);
struct sealer class_sealer(struct klass *klass);

/* ---- clock.c: class time and deadlines
 * ------------------------------------------------------------------ */

int64_t class_clock(struct klass *klass, struct class_time now);
int64_t act_clock(const struct act *act);
/* Notes the clocks in the journal while a session counts or something has a deadline. */
void clock_anchor(struct act *act);
/* Before the first event of a command: notes that the wall clock was set. */
void clock_shift(struct act *act);
/* Sets the timer of the class to the earliest deadline of the working state. */
void clock_arm(struct klass *klass, struct class_time now);
void clock_due(struct klass *klass, struct class_time now);

/* ---- admin_roll.c: attendance from outside the live class
 * ---------------------------------------------------------------------------------------------- */

void admin_roll(struct klass *klass, uint64_t request, const struct admin_request *req,
                struct class_time now);

/* ---- admin.c */

enum { LINK_TTL_S = 400 * 86400 };

/* Answers with the text in room->json. */
void admin_answer(struct classroom *room, uint64_t request, int err);
void admin_refuse(struct classroom *room, uint64_t request, int err, const char *why);

/* ---- admin_pass.c: tokens of the standard doors
 * ---------------------------------------------------------------------------------------------- */

void admin_pass(struct klass *klass, uint64_t request, const struct admin_request *req,
                struct class_time now);
/* The token that was made is durable: here it is. */
void admin_pass_made(struct klass *klass, uint64_t request, const struct id *pass);

/* ---- parts.c: the features (part.h)
 * --------------------------------------------------------------------- */

void parts_note(struct klass *klass, const struct event *event);
void parts_told(struct klass *klass, const struct event *events, size_t count);
int64_t parts_due(const struct state *state, int64_t clock, wall_ms wall);
void parts_tick(struct act *act, int64_t clock);
void parts_settle(struct act *act);

/* ---- presence.c: connections, seats and time
 * ---------------------------------------------------------- */

struct live *live_new(struct klass *klass, const struct id *device, const struct id *person,
                      struct class_time now);
/* Frees a live that nothing holds any more. */
void live_settle(struct live *live);
/* True when the device of live has a seat in this state. */
bool live_seated(const struct live *live, const struct state *state);
struct live *live_find(struct classroom *room, const struct klass *klass, const struct id *device);
void conn_attach(struct conn *conn, struct live *live);
/* Takes a connection out of its class; the device is lost from now on. */
void conn_detach(struct conn *conn, struct class_time now);
/* Says goodbye: closes, detaches, forgets. */
void conn_drop(struct classroom *room, struct conn *conn, uint16_t code, const char *reason,
               struct class_time now);
struct conn *conn_find(const struct classroom *room, conn_num num);
/* Brings away flags and seats of one person (or of all: NULL) in line with the connections. */
void presence_review(struct klass *klass, const struct id *person, struct class_time now);
/* The grace of a lost device is over. */
void presence_due(struct live *live, struct class_time now);

/* ---- enter.c: hello, join, resume, leave
 * ---------------------------------------------------------------- */

/* ---- seats.c */
/* People present in all classes, and classes with somebody in them. */
size_t seats_taken(const struct classroom *room);
size_t seats_classes(const struct classroom *room);
/* Is there a seat for one more of this role? Otherwise *why. */
bool seats_free(const struct klass *klass, enum role role, enum class_full *why);
struct refusal seats_refusal(enum class_full why);
/* Tells whoever keeps count of it, once for each connection. */
void seats_told(struct conn *conn, const struct klass *klass, enum class_full why);

void enter_hello(struct classroom *room, struct conn *conn, const struct msg *msg,
                 struct class_time now);
void enter_join(struct classroom *room, struct conn *conn, const struct msg *msg,
                struct class_time now);
void enter_door(struct classroom *room, struct conn *conn, struct class_time now);
void enter_knock(struct classroom *room, struct conn *conn, const struct msg *msg,
                 struct class_time now);
/* Whoever was let in by this event comes from the waiting room into the class. */
void enter_admitted(struct klass *klass, const struct event *event, struct class_time now);
/* Tokens of this class for this person. */
int token_resume(char out[TOKEN_TEXT_MAX], const struct klass *klass, const struct id *person,
                 const struct device *device);

/* ---- commands.c: one function per row of messages.def
 * ---------------------------------------------------- */

/* What a handler found: NULL = fine, otherwise a code and words for the page. */
struct refusal {
    const char *code;
    const char *at;
    const char *why;
};

typedef struct refusal (*command_h)(struct act *act, struct conn *conn, const struct msg *msg);
static inline struct refusal refuse_with(const char *code, const char *at, const char *why)
{
    return (struct refusal){code, at, why};
}
/* The handler of a command of PLACE_CLASS, or NULL. */
command_h command_handler(enum msg_type type);
command_h parts_handler(enum msg_type type);

/* ---- out.c: snapshots and answers
 * ------------------------------------------------------------------------ */

void out_send(struct classroom *room, conn_num to);
void out_send_to(struct classroom *room, const conn_num *to, size_t count);
/* Starts a message of this type in room->json. */
struct jsonw *out_start(struct classroom *room, const char *type);
void out_error(struct classroom *room, conn_num to, const char *id, const char *code,
               const char *at, const char *why);
void out_ack(struct classroom *room, conn_num to, const char *id, uint64_t seq);
void out_pong(struct classroom *room, conn_num to);
void out_relays(struct klass *k, conn_num to, const struct id *person);
void out_snapshot(struct klass *klass, struct conn *conn, struct class_time now);
void out_rights(struct klass *klass, struct conn *conn, right_mask rights);
void out_door(struct klass *klass, struct conn *conn);
void out_resumed(struct klass *klass, struct conn *conn, struct class_time now);
void out_waiting(struct klass *klass, struct conn *conn);
void out_key_id(struct jsonw *w, const char *key, enum id_kind kind, const struct id *id);
void out_person(struct jsonw *w, const struct state *state, const struct seat *seat);
void out_device(struct jsonw *w, const struct device *device);
void out_media(struct jsonw *w, uint32_t media);
void out_class(struct jsonw *w, const struct state *state);
void out_hand(struct jsonw *w, const struct id *person, unsigned kind, wall_ms at);
void out_chat(struct jsonw *w, const struct chat_entry *chat, bool named);
/* At most this many bytes has a text in JSON. */
size_t out_text_cost(const struct rtext *text);

/* Hands and messages of the room this viewer is in. */
void out_room_members(struct jsonw *w, const struct state *state, const struct viewer *viewer,
                      size_t chat_max);

/* ---- out_event.c, out_log.c: what people are told of an event
 * ------------------------------------------- */

/* What telling an event needs of the state before it. */
struct out_before {
    struct id acting;
    uint8_t hidden_from; /* who was not told of its person */
    uint16_t room;       /* where that person was */
    bool staged;         /* on the stage of a webinar, in its wings, or invited */
};

struct out_before out_before(const struct klass *klass, const struct event *event);
/* Notes a committed event for telling. */
void out_note(struct klass *klass, const struct event *event, const struct out_before *before);
/* Starts the event object of an entry in room->json; out_log ends and keeps it. */
struct jsonw *out_event(struct klass *klass, const char *type);
/* Whom the row of this event names. */
struct out_scope out_scope_of(const struct klass *klass, const struct event *event);
/* Takes what room->json holds (complete event objects) into the log. */
void out_log(struct klass *klass, uint64_t seq, struct out_scope scope);
/* Tells everybody what is noted and not told to them yet. */
void out_flush(struct klass *klass, struct class_time now);
/* True when the log still has everything behind seq. */
bool out_covers(const struct klass *klass, uint64_t seq);
/* Newest snapshot for those who may see other things than before, newest rights for the others. */
void out_review(struct klass *klass, struct class_time now);
struct view_key out_view(const struct state *state, const struct seat *seat);

/* ---- routes.c: media
 * ------------------------------------------------------------------------------------- */

/* Number of a room of a class for the media server, for the life of the core; never 0. */
room_num routes_room(const struct klass *k, uint16_t room);
void routes_offer(struct classroom *room, struct conn *conn, const struct msg *msg);
void routes_ready(struct classroom *room, struct conn *conn);
void routes_view(struct classroom *room, struct conn *conn, const struct msg *msg);
/* Sends the media server what both states allow for a device: less at once, more after commit. */
void routes_sync(struct live *live);
void routes_sync_class(struct klass *klass);
/* The same for whom this event concerns. */
void routes_sync_event(struct klass *klass, const struct event *event);
void routes_close(struct live *live);
void routes_timer_slots(struct live *live, struct class_time now);
/* Tells a connection that has just come into the class what its slots hold, if it has any. */
void routes_tell_slots(struct live *live);
/* Does the connection hear what is said in this room? */
bool routes_hears(const struct klass *k, const struct conn *c, uint16_t index);

/* ---- voices.c: who speaks
 * ------------------------------------------------------------------------------------- */

/* The newest report of the media server. */
void voices_input(struct classroom *room, const struct media_evt *evt, struct class_time now);
void voices_timer(struct klass *klass, struct class_time now);
/* Tells a connection that was just given a snapshot who is speaking. */
void voices_greet(struct klass *klass, const struct conn *c);

/* ---- load.c: how loaded the media server is
 * ------------------------------------------------------------------------------------- */

void load_input(struct classroom *room, const struct media_evt *evt);
/* Tells staff that was just given a snapshot, when there is something to tell. */
void load_greet(const struct klass *klass, const struct conn *c);

/* Timers count from the first time anybody gave us. */
static inline void wheel_ready(struct classroom *room, struct class_time now)
{
    if (!room->wheel_set) {
        twheel_init(&room->wheel, now.mono);
        room->wheel_set = true;
    }
}

/* ---- session.c
 * ------------------------------------------------------------------------------------------- */

struct klass *class_find(const struct classroom *room, const struct id *id);
/* A new class with empty states, or NULL. */
struct klass *class_new(struct classroom *room, const struct id *id);
void class_free(struct klass *klass);
void session_input(struct classroom *room, struct conn *conn, const char *text, size_t len,
                   struct class_time now);
