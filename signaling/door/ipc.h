/*
 * What the door and the core say to each other (design.md D7): typed frames over a Unix stream
 * socket. This file is the pure part: one struct per frame, bytes <-> struct. Moving the bytes,
 * descriptors and credits is ipc_link.h.
 *
 *   +--------+--------+--------+--------+--------+=================+
 *   |       length of the body, u32     | type u8|      body       |
 *   +--------+--------+--------+--------+--------+=================+
 *
 * All numbers are big endian. The first frame of each side is HELLO; a version that differs ends
 * the link. Connections (conn_num) and requests share one number space: high 32 bits = the door's
 * random instance, low 32 bits = a counter, so a number is never used twice.
 *
 * Invariants: decode(encode(x)) == x; a decoder never reads past the body and refuses trailing
 * bytes; pointers in a decoded frame are borrowed from the body.
 * Out of scope: what the texts mean (signaling/class), sockets.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/addr.h"
#include "codec/base/rw.h"
#include "signaling/class/classroom.h"

enum {
    IPC_VERSION = 3,
    IPC_HEAD_LEN = 5,                    /* bytes before the body */
    IPC_TEXT_MAX = 1024 * 1024,          /* one message to pages; = what one page may have queued */
    IPC_BODY_MAX = 1024 * 1024,          /* body of one HTTP request or answer; larger goes as fd */
    IPC_CONNS_MAX = 8192,                /* recipients of one SEND */
    IPC_HEADER_MAX = 8192,               /* one HTTP header value, one path */
    IPC_REASON_MAX = 123,                /* RFC 6455 section 5.5: control frame payload - code */
    IPC_FRAME_MAX = 1024 * 1024 + 131072 /* body of any frame */
};

#define IPC_MAGIC 0x414d5044u /* "AMPD" */

enum ipc_type {
    IPC_HELLO = 1,   /* both: version, who */
    IPC_CREDIT = 2,  /* both: so many more bytes may be sent (handled by ipc_link) */
    IPC_OPEN = 3,    /* door: a WebSocket is there */
    IPC_TEXT = 4,    /* door: one whole, valid UTF-8 message from it */
    IPC_CLOSED = 5,  /* door: it is gone; its number never comes again */
    IPC_ASK = 6,     /* door: an HTTP request that waits for an answer */
    IPC_GONE = 7,    /* door: that client hung up or its time is over; no answer is needed */
    IPC_STATS = 8,   /* door: counters, every second */
    IPC_SEND = 9,    /* core: one message for these connections */
    IPC_CLOSE = 10,  /* core: close after what was sent */
    IPC_ANSWER = 11, /* core: status, headers, and a body or a file */
    IPC_EPOCH = 12,  /* core: its epoch changed; the door tells all pages */
    IPC_TRUST = 13   /* core: this connection showed a valid token */
};

/* Borrowed bytes, not terminated. */
struct ipc_str {
    const char *p;
    size_t len;
};

/* Request headers the core may see; the door drops the rest. Values are checked: no control. */
enum ipc_ask_header {
    IPC_ASK_HOST,
    IPC_ASK_ORIGIN,
    IPC_ASK_AUTHORIZATION,
    IPC_ASK_CONTENT_TYPE,
    IPC_ASK_ACCEPT,
    IPC_ASK_ACCEPT_LANGUAGE,
    IPC_ASK_USER_AGENT,
    IPC_ASK_COOKIE,
    IPC_ASK_IF_NONE_MATCH,
    IPC_ASK_IF_MATCH,
    IPC_ASK_HEADERS
};

/* Answer headers the core may set; the door adds its own (length, security, connection). */
enum ipc_answer_header {
    IPC_ANSWER_CONTENT_TYPE,
    IPC_ANSWER_CACHE_CONTROL,
    IPC_ANSWER_ETAG,
    IPC_ANSWER_LOCATION,
    IPC_ANSWER_LINK,
    IPC_ANSWER_ALLOW,
    IPC_ANSWER_WWW_AUTHENTICATE,
    IPC_ANSWER_RETRY_AFTER,
    IPC_ANSWER_CONTENT_DISPOSITION,
    IPC_ANSWER_ACCEPT_PATCH,
    IPC_ANSWER_ACCEPT_POST,
    IPC_ANSWER_SET_COOKIE,
    IPC_ANSWER_HEADERS
};

/* HTTP methods the door lets through; it answers 405 or closes for the rest. */
enum ipc_method {
    IPC_GET = 1,
    IPC_HEAD = 2,
    IPC_POST = 3,
    IPC_PATCH = 4,
    IPC_DELETE = 5,
    IPC_OPTIONS = 6
};

struct ipc_hello {
    uint16_t version;
    uint8_t role;      /* enum ipc_role */
    uint32_t window;   /* bytes the peer may send before it needs a CREDIT */
    uint32_t instance; /* door: high half of its numbers; core: 0 */
    uint64_t epoch;    /* core: its epoch, > 0; door: 0 */
};

enum ipc_role { IPC_ROLE_DOOR = 1, IPC_ROLE_CORE = 2 };

struct ipc_open {
    conn_num conn;
    struct addr remote; /* the client's, behind a trusted proxy the forwarded one */
    bool tls;           /* encrypted up to us or up to the trusted proxy */
    bool again;         /* it was there before this core was: the page is told the epoch */
};

struct ipc_text {
    conn_num conn;
    const char *text;
    size_t len; /* <= IPC_TEXT_MAX */
};

struct ipc_closed {
    conn_num conn;
    uint16_t code; /* the peer's close code, 1006 when it just vanished */
};

struct ipc_ask {
    uint64_t req;
    uint8_t method; /* enum ipc_method */
    bool tls;
    struct addr remote;
    struct ipc_str path;  /* decoded, starts with '/', no query */
    struct ipc_str query; /* decoded arguments "a=b", one '\n' between two; may be empty */
    struct ipc_str header[IPC_ASK_HEADERS]; /* p NULL where absent */
    const void *body;
    size_t body_len;
};

/* Counters of the door for /metrics; rows in stat.def. */
#define DOOR_STAT(name, kind, help) DOOR_STAT_##name,
enum door_stat {
#include "signaling/door/stat.def"
    DOOR_STAT_COUNT
};
#undef DOOR_STAT

struct ipc_stats {
    uint64_t value[DOOR_STAT_COUNT];
};

struct ipc_send {
    const conn_num *to;   /* encode: recipients; decode: NULL */
    const uint8_t *to_be; /* decode: the same, 8 big-endian bytes each: see ipc_send_to */
    size_t count;         /* 1..IPC_CONNS_MAX */
    const char *text;
    size_t len; /* <= IPC_TEXT_MAX */
};

struct ipc_close {
    conn_num conn;
    uint16_t code;
    struct ipc_str reason; /* <= IPC_REASON_MAX, UTF-8 */
};

struct ipc_answer {
    uint64_t req;
    uint16_t status;                           /* 200..599 */
    struct ipc_str header[IPC_ANSWER_HEADERS]; /* p NULL where absent; visible ASCII and space */
    const void *body;
    size_t body_len;
    bool file;      /* the body is a regular file instead, and fd travels with the frame */
    int fd;         /* encode: taken by ipc_link_send; decode: the callback's to close; else -1 */
    uint64_t start; /* file: first byte and how many, within the file */
    uint64_t count;
};

struct ipc_frame {
    enum ipc_type type;
    union {
        struct ipc_hello hello;
        uint32_t credit;
        struct ipc_open open;
        struct ipc_text text;
        struct ipc_closed closed;
        struct ipc_ask ask;
        uint64_t gone;
        struct ipc_stats stats;
        struct ipc_send send;
        struct ipc_close close;
        struct ipc_answer answer;
        uint64_t epoch;
        conn_num trust;
    };
};

/* Bytes of the whole frame, head included; 0 when a bound above is broken. */
size_t ipc_frame_size(const struct ipc_frame *frame);
/* Writes head and body. Returns 0, E_TOOBIG when a bound is broken, E_FULL when w is too short. */
int ipc_encode(const struct ipc_frame *frame, struct wr *w);
/*
 * Reads the head of a frame from 5 bytes. Returns 0 with *type (not yet checked) and *body_len,
 * or E_TOOBIG.
 */
int ipc_decode_head(const uint8_t head[IPC_HEAD_LEN], uint8_t *type, size_t *body_len);
/*
 * Reads one body into *out, which borrows from it. Returns 0, E_UNSUPPORTED (unknown type), E_BAD.
 * An ANSWER with a file gets fd -1: the link fills it in.
 */
int ipc_decode(struct ipc_frame *out, uint8_t type, const void *body, size_t len);

/* Recipient i (< count) of a SEND, decoded or to be encoded. */
conn_num ipc_send_to(const struct ipc_send *send, size_t i);
/* Name of a counter ("ws_open"), its kind ('g' gauge, 'c' counter) and one sentence about it. */
const char *door_stat_name(enum door_stat stat);
char door_stat_kind(enum door_stat stat);
const char *door_stat_help(enum door_stat stat);
/* "GET" for IPC_GET; "?" when unknown. */
const char *ipc_method_name(uint8_t method);
/* Name of the header on the wire, in lower case with its colon: "content-type:". */
const char *ipc_answer_header_name(enum ipc_answer_header header);
