/* Workshops in a golden journal: prepared, open, at the desk, closed. */
#include <string.h>

#include "signaling/journal/workshops.h"
#include "tests/unit/golden.h"

enum { HOST = 1, PART = 3, SET = 100, OLD = 101, RED = 110, GREEN = 111, GONE = 112 };

static struct event on_set(enum event_type type, uint8_t set)
{
    return (struct event){.type = type, .other = golden_id(set)};
}

static struct event on_room(enum event_type type, uint8_t set, uint8_t room)
{
    return (struct event){.type = type, .other = golden_id(set), .device = golden_id(room)};
}

/* Appends events to a journal being made. */
static void append(struct event *events, size_t *count, const struct event *list, size_t n)
{
    memcpy(events + *count, list, n * sizeof(*list));
    *count += n;
}

static void prepared(struct event *events, size_t *count)
{
    struct id host = golden_id(HOST);
    struct id part = golden_id(PART);
    const struct event list[] = {
        {.type = EVENT_CLASS_CREATED, .a = CLASS_STANDARD},
        {.type = EVENT_PERSON_JOINED, .person = host, .device = golden_id(11), .a = 0x202, .n = 1},
        {.type = EVENT_ACTING_CHANGED, .person = host},
        {.type = EVENT_SESSION_CHANGED, .a = SESSION_LIVE, .person = host},
        {.type = EVENT_PERSON_JOINED, .person = part, .device = golden_id(13), .b = 3, .n = 1},
        on_set(EVENT_WS_CREATED, OLD),
        on_set(EVENT_WS_DELETED, OLD),
        on_set(EVENT_WS_CREATED, SET),
        on_room(EVENT_WS_ROOM_ADDED, SET, RED),
        on_room(EVENT_WS_ROOM_ADDED, SET, GREEN),
        on_room(EVENT_WS_ROOM_ADDED, SET, GONE),
        {.type = EVENT_WS_ROOM_REMOVED, .device = golden_id(GONE)},
        {.type = EVENT_WS_CHANGED, .other = golden_id(SET), .a = WS_KEY_LATE, .n = WS_LATE_CHOOSE},
        {.type = EVENT_WS_CHANGED, .other = golden_id(SET), .a = WS_KEY_MINUTES, .n = 20},
        {.type = EVENT_WS_ROOM_CHANGED, .device = golden_id(RED), .a = WS_ROOM_TASK},
        {.type = EVENT_WS_ROOM_CHANGED,
         .device = golden_id(RED),
         .a = WS_ROOM_FACILITATOR,
         .person = part},
        {.type = EVENT_WS_ROOM_CHANGED, .device = golden_id(GREEN), .a = WS_ROOM_CAPACITY, .n = 4},
        {.type = EVENT_WS_LABELLED, .person = part, .a = 1},
        {.type = EVENT_WS_PLACED,
         .person = part,
         .other = golden_id(SET),
         .device = golden_id(RED),
         .a = 1},
    };
    append(events, count, list, sizeof(list) / sizeof(list[0]));
}

static void conducted(struct event *events, size_t *count)
{
    struct id host = golden_id(HOST);
    struct id part = golden_id(PART);
    const struct event list[] = {
        {.type = EVENT_WS_STATE,
         .other = golden_id(SET),
         .person = host,
         .a = WS_OPEN,
         .n = 1790000010000},
        {.type = EVENT_ROOM_OPENED, .other = golden_id(RED), .a = 1},
        {.type = EVENT_WS_ROOM_STATE, .device = golden_id(RED), .a = WS_ROOM_ACTIVE},
        {.type = EVENT_ROOM_OPENED, .other = golden_id(GREEN), .a = 2},
        {.type = EVENT_WS_ROOM_STATE, .device = golden_id(GREEN), .a = WS_ROOM_ACTIVE},
        {.type = EVENT_WS_ENDS, .other = golden_id(SET), .n = 1790001200000},
        {.type = EVENT_WS_STATE, .other = golden_id(SET), .a = WS_OPEN},
        {.type = EVENT_PERSON_MOVED, .person = part, .a = 1},
        {.type = EVENT_CHAT_POSTED, .person = part, .other = golden_id(60)},
        {.type = EVENT_WS_CALL, .device = golden_id(RED), .person = part},
        {.type = EVENT_WS_CALL,
         .device = golden_id(RED),
         .person = part,
         .other = host,
         .a = WS_CALL_TAKEN},
        {.type = EVENT_WS_LISTENING,
         .person = host,
         .device = golden_id(11),
         .other = golden_id(RED),
         .a = 1},
        {.type = EVENT_WS_VOICE,
         .person = host,
         .device = golden_id(11),
         .other = golden_id(61),
         .a = 1,
         .b = WS_WORD_VOICE | 1u << 8},
        on_room(EVENT_WS_TARGET, 61, RED),
        {.type = EVENT_WS_ANNOUNCED, .person = host, .other = golden_id(62), .a = 2},
        {.type = EVENT_WS_STAFF_SAID, .person = host, .other = golden_id(63)},
        {.type = EVENT_WS_STAND, .person = part, .other = golden_id(SET), .a = WS_ASKING},
        {.type = EVENT_WS_ROOM_STATE,
         .device = golden_id(GREEN),
         .a = WS_ROOM_CLOSING,
         .n = 1790001000000},
        {.type = EVENT_WS_PUBLISHED, .device = golden_id(RED), .a = WS_FOR_ALL},
        {.type = EVENT_WS_STATE, .other = golden_id(SET), .a = WS_CLOSING, .n = 1790001260000},
        {.type = EVENT_WS_CALL, .device = golden_id(RED), .person = part, .a = 2},
    };
    append(events, count, list, sizeof(list) / sizeof(list[0]));
}

static const struct event *workshops_events(size_t *count)
{
    static struct event events[60];
    *count = 0;
    prepared(events, count);
    conducted(events, count);
    return golden_stamp(events, *count);
}

static struct rtext *workshops_text(const struct event *e)
{
    static const char task[] = "Lisez le cas, puis répondez.";
    bool named = e->type == EVENT_PERSON_JOINED || e->type == EVENT_WS_CREATED ||
                 e->type == EVENT_WS_ROOM_ADDED || e->type == EVENT_ROOM_OPENED ||
                 e->type == EVENT_CLASS_CREATED || e->type == EVENT_WS_LABELLED;
    bool said = e->type == EVENT_CHAT_POSTED || e->type == EVENT_WS_ANNOUNCED ||
                e->type == EVENT_WS_STAFF_SAID ||
                (e->type == EVENT_WS_CALL && e->a == WS_CALL_ASKED) ||
                (e->type == EVENT_WS_ROOM_CHANGED && e->a == WS_ROOM_TASK);
    return named ? rtext_new("Rouge", 5) : said ? rtext_new(task, sizeof(task) - 1) : NULL;
}

const struct golden_area golden_workshops = {"tests/unit/data/journal-workshops.bin",
                                             workshops_events, workshops_text};
