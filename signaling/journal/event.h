/*
 * Events of a class and their bytes in the journal. All types share one structure; a row of
 * events.def says which of its fields a type carries, so that encoding is one table-driven function
 * and a new event is one row and one fold step.
 *
 *    0   1      3        4          12       20    22
 *   +---+------+--------+----------+--------+-----+----------------------------------------+
 *   | 1 | type | version|   seq    |   at   | mask| fields of mask, in the order of EVF_*  |
 *   +---+------+--------+----------+--------+-----+----------------------------------------+
 *   CMD: u64 command, 16 actor; PERSON, DEVICE, OTHER: 16; A, B: u32; N: u64; TEXT, SEALED: u32 n
 *
 * Invariants: big endian; what an older program cannot know (format, type, version, mask) is
 * E_VERSION, what no program wrote is E_CORRUPT; a field of value zero is left out.
 * Out of scope: what an event does (fold.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/base/rw.h"
#include "codec/base/time.h"
#include "signaling/journal/rtext.h"
#include "signaling/journal/seal.h"
#include "signaling/schema/id.h"
#include "signaling/schema/roles.h"

enum event_see {
    SEE_NONE = 0,
    SEE_STAFF = 1,
    SEE_ALL = 3,
    SEE_OWN = 4,
    SEE_PRESENCE = 8,
    SEE_ROOM = 16,
    SEE_RIGHTS = 32,                         /* may change what the person may do or see */
    SEE_RIGHTS_ALL = 96,                     /* the same of everybody */
    SEE_TOLD = SEE_ALL | SEE_OWN | SEE_ROOM, /* bits that say to whom */
};

enum event_field {
    EVF_CMD = 1 << 0,
    EVF_PERSON = 1 << 1,
    EVF_DEVICE = 1 << 2,
    EVF_OTHER = 1 << 3,
    EVF_A = 1 << 4,
    EVF_B = 1 << 5,
    EVF_N = 1 << 6,
    EVF_TEXT = 1 << 7,
    EVF_SEALED = 1 << 8,
    EVF_KNOWN = (1 << 9) - 1,
    EVF_WORDS = 1 << 14, /* of a row only: its sealed text is what the person wrote */
    /* In rows only: the text belongs to the class, not to a person. */
    EVF_CLASS = 1 << 15,
    EVF_OURS = EVF_TEXT | EVF_SEALED | EVF_CLASS,
};

#define EVENT(id, number, version, see, fields) EVENT_##id = (number),
enum event_type {
    EVENT_NONE = 0,
#include "signaling/journal/events.def"
};
#undef EVENT

enum { EVENT_FORMAT = 1, EVENT_TEXT_MAX = 65536, EVENT_LEN_MAX = EVENT_TEXT_MAX + 256 };

struct event {
    enum event_type type;
    uint64_t seq;    /* of the class, from 1 */
    wall_ms at;      /* stamp for people; nothing is decided by it */
    uint64_t cmd;    /* hash of the command id that caused it (first event only), 0 none */
    struct id actor; /* whose command */
    struct id person;
    struct id device;
    struct id other;
    uint32_t a;
    uint32_t b;
    int64_t n;
    struct rtext *text; /* one reference owned by the event */
};

struct event_row {
    const char *name;
    uint8_t version;
    uint8_t see;
    uint16_t fields;
};

/* Under whose key a text is sealed: the person of the event, or the class. */
const struct id *event_owner(const struct event *event, const struct sealer *sealer);
/* Row of a type, or NULL. */
const struct event_row *event_row(unsigned type);
void event_fini(struct event *event);
/*
 * Writes event. With a sealer, EVF_SEALED text is sealed under the key of its owner (E_NOTFOUND
 * without one); without, it is plain: only for comparing states. 0, E_FULL, E_NOTFOUND, E_BAD (type
 * or a field its row does not list).
 */
int event_encode(struct wr *w, const struct event *event, const struct sealer *sealer);
/* Reads one event; event_fini releases it. 0, E_VERSION, E_CORRUPT, E_NOMEM. */
int event_decode(struct event *out, const void *data, size_t len, const struct sealer *sealer);

/* Text as the journal keeps it: u8 sealed (1 under the key of the person, 2 under that of his
 * words), u32 length, bytes; shared with the snapshot. */
int seal_write(struct wr *w, const struct rtext *text, const struct id *person,
               const struct sealer *sealer);
/* The same for what the person wrote; E_NOTFOUND without a key for words. */
int seal_write_words(struct wr *w, const struct rtext *text, const struct id *person,
                     const struct sealer *sealer);
/* The same for a snapshot: words from before there was a second key keep the first; nothing is
 * written of whoever has none any more. */
int seal_keep_words(struct wr *w, const struct rtext *text, const struct id *person,
                    const struct sealer *sealer);
/* The same for a text of the class; in clear while it has no key. */
int seal_write_ours(struct wr *w, const struct rtext *text, const struct sealer *sealer);
/* Sets *out (NULL for empty or erased text). 0, E_CORRUPT, E_NOMEM. */
int seal_read(struct rd *r, struct rtext **out, const struct id *person,
              const struct sealer *sealer);
