#include "tests/unit/golden.h"

#include <string.h>

static const struct golden_area *const areas[] = {
    &golden_first, &golden_conduct, &golden_floor,  &golden_workshops,
    &golden_stage, &golden_office,  &golden_roll,   &golden_keep,
    &golden_dates, &golden_minutes, &golden_passes,
};

const struct golden_area *golden_area(size_t i)
{
    return i < sizeof(areas) / sizeof(areas[0]) ? areas[i] : NULL;
}

struct id golden_id(uint8_t n)
{
    struct id id;
    memset(id.b, n, sizeof(id.b));
    return id;
}

const struct event *golden_stamp(struct event *events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        events[i].seq = i + 1;
        events[i].at = 1790000000000 + (int64_t)i * 1000;
    }
    return events;
}

/* ---- the first release: people, devices, hands, chat
 * --------------------------------------------- */

static const struct event *first_events(size_t *count)
{
    static struct event events[40];
    struct id host = golden_id(1);
    struct id anim = golden_id(2);
    struct id part = golden_id(3);
    const struct event list[] = {
        {.type = EVENT_CLASS_CREATED, .a = CLASS_STANDARD},
        {.type = EVENT_LINK_USED, .other = golden_id(90), .n = 1790000600000},
        {.type = EVENT_PERSON_JOINED,
         .person = host,
         .device = golden_id(11),
         .a = 0x202,
         .b = 3,
         .n = 1,
         .cmd = 77,
         .actor = host},
        {.type = EVENT_ACTING_CHANGED, .person = host},
        {.type = EVENT_PERSON_JOINED, .person = anim, .device = golden_id(12), .a = 0x101, .n = 1},
        {.type = EVENT_PERSON_JOINED, .person = part, .device = golden_id(13), .b = 1, .n = 1},
        {.type = EVENT_SESSION_CHANGED,
         .a = SESSION_LIVE,
         .person = host,
         .cmd = 78,
         .actor = host},
        {.type = EVENT_DEVICE_JOINED, .person = part, .device = golden_id(14), .b = 2, .n = 1},
        {.type = EVENT_MEDIA_CHANGED, .person = part, .device = golden_id(13), .b = 7},
        {.type = EVENT_MEDIA_CHANGED,
         .person = part,
         .device = golden_id(13),
         .b = 6,
         .other = host},
        {.type = EVENT_HAND_RAISED, .person = part, .a = HAND_SPEAK, .cmd = 5, .actor = part},
        {.type = EVENT_HAND_RAISED, .person = anim, .a = HAND_SPEAK},
        {.type = EVENT_CHAT_POSTED,
         .person = part,
         .other = golden_id(60),
         .cmd = 6,
         .actor = part},
        {.type = EVENT_CHAT_POSTED, .person = host, .other = golden_id(61)},
        {.type = EVENT_PERSON_RENAMED, .person = part},
        {.type = EVENT_ROLE_CHANGED, .person = part, .a = ROLE_ANIMATOR, .other = host},
        {.type = EVENT_HAND_LOWERED, .person = anim, .other = host},
        {.type = EVENT_PERSON_AWAY, .person = part, .a = 1},
        {.type = EVENT_DEVICE_RESUMED, .person = part, .device = golden_id(13), .n = 2},
        {.type = EVENT_PERSON_AWAY, .person = part},
        {.type = EVENT_DEVICE_LEFT, .person = part, .device = golden_id(14)},
        {.type = EVENT_PERSON_LEFT, .person = anim, .a = LEAVE_REMOVED, .b = 1, .other = host},
        {.type = EVENT_PERSON_LEFT, .person = host, .a = LEAVE_LOST},
        {.type = EVENT_ACTING_CHANGED, .person = part},
        {.type = EVENT_PERSON_FORGOTTEN, .person = anim},
        {.type = EVENT_PERSON_JOINED, .person = golden_id(4), .device = golden_id(15), .n = 1},
    };
    *count = sizeof(list) / sizeof(list[0]);
    memcpy(events, list, sizeof(list));
    return golden_stamp(events, *count);
}

static struct rtext *first_text(const struct event *e)
{
    static const char *const names[] = {"", "Hélène", "Ali", "Paul", "Zoé"};
    if (e->type == EVENT_CLASS_CREATED) {
        return rtext_new("Ma classe", 9);
    }
    if (e->type == EVENT_PERSON_JOINED) {
        return rtext_new(names[e->person.b[0]], strlen(names[e->person.b[0]]));
    }
    if (e->type == EVENT_PERSON_RENAMED) {
        return rtext_new("Paul B.", 7);
    }
    if (e->type == EVENT_CHAT_POSTED) {
        return rtext_new("bonjour à tous", strlen("bonjour à tous"));
    }
    return NULL;
}

const struct golden_area golden_first = {"tests/unit/data/journal-v1.bin", first_events,
                                         first_text};

/* ---- rooms and the conduct of a class
 * ----------------------------------------------------------- */

static const struct event *conduct_events(size_t *count)
{
    static struct event events[40];
    struct id host = golden_id(1);
    struct id part = golden_id(3);
    struct id late = golden_id(4);
    const struct event list[] = {
        {.type = EVENT_CLASS_CREATED, .a = CLASS_ROUND_TABLE},
        {.type = EVENT_CLASS_SET, .a = SETTING_START, .n = 1790000600000},
        {.type = EVENT_CLASS_SET, .a = SETTING_WAITING, .n = WAITING_MANUAL, .person = host},
        {.type = EVENT_SESSION_CHANGED, .a = SESSION_PREPARING},
        {.type = EVENT_PERSON_JOINED, .person = host, .device = golden_id(11), .a = 0x202, .n = 1},
        {.type = EVENT_ACTING_CHANGED, .person = host},
        {.type = EVENT_WAIT_ENTERED, .person = part, .device = golden_id(13), .b = 3},
        {.type = EVENT_WAIT_KNOCKED, .person = part},
        {.type = EVENT_WAIT_ENTERED, .person = late, .device = golden_id(14), .a = 0x404},
        {.type = EVENT_SESSION_CHANGED, .a = SESSION_LIVE, .person = host},
        {.type = EVENT_END_SET, .n = 1790003600000},
        {.type = EVENT_HARD_SET, .n = 1790007200000},
        {.type = EVENT_TIME_ANCHORED, .other = golden_id(70), .n = 123456, .a = 0x1234, .b = 0x1a0},
        {.type = EVENT_PERSON_JOINED, .person = part, .device = golden_id(13), .b = 3, .n = 1},
        {.type = EVENT_LOCK_SET, .a = RIGHT_CAM, .b = 1, .other = host},
        {.type = EVENT_GRANT_SET, .person = part, .a = RIGHT_CAM, .b = 1, .other = host},
        {.type = EVENT_ROOM_OPENED, .other = golden_id(80), .a = 1},
        {.type = EVENT_ROOM_OPENED, .other = golden_id(81), .a = 2},
        {.type = EVENT_LOCK_SET, .a = RIGHT_CHAT, .b = 1, .n = 1, .other = host},
        {.type = EVENT_PERSON_MOVED, .person = part, .a = 1, .other = host},
        {.type = EVENT_CHAT_POSTED, .person = part, .other = golden_id(60)},
        {.type = EVENT_ROOM_CLOSED, .a = 2},
        {.type = EVENT_STAFFLESS_SET, .n = 1790004000000},
        {.type = EVENT_STAFFLESS_SET},
        {.type = EVENT_SESSION_CHANGED, .a = SESSION_CLOSING, .n = 1790003660000},
        {.type = EVENT_WAIT_LEFT, .person = late, .a = 2, .other = host},
        {.type = EVENT_WAIT_ENTERED, .person = golden_id(5), .device = golden_id(15), .b = 0x101},
        {.type = EVENT_BAN_LIFTED, .person = late, .other = host},
    };
    *count = sizeof(list) / sizeof(list[0]);
    memcpy(events, list, sizeof(list));
    return golden_stamp(events, *count);
}

static struct rtext *conduct_text(const struct event *e)
{
    if (e->type == EVENT_PERSON_JOINED || e->type == EVENT_WAIT_ENTERED) {
        return rtext_new("Une personne", 12);
    }
    if (e->type == EVENT_ROOM_OPENED) {
        return rtext_new("Atelier", 7);
    }
    return e->type == EVENT_CLASS_CREATED || e->type == EVENT_CHAT_POSTED ? rtext_new("texte", 5)
                                                                          : NULL;
}

const struct golden_area golden_conduct = {"tests/unit/data/journal-conduct.bin", conduct_events,
                                           conduct_text};

/* ---- the floor
 * ------------------------------------------------------------------------------------ */

static const struct event *floor_events(size_t *count)
{
    static struct event events[40];
    struct id host = golden_id(1);
    struct id part = golden_id(3);
    struct id late = golden_id(4);
    const struct event list[] = {
        {.type = EVENT_CLASS_CREATED, .a = CLASS_ROUND_TABLE},
        {.type = EVENT_PERSON_JOINED, .person = host, .device = golden_id(11), .a = 0x202, .n = 1},
        {.type = EVENT_PERSON_JOINED, .person = part, .device = golden_id(13), .b = 1, .n = 1},
        {.type = EVENT_PERSON_JOINED, .person = late, .device = golden_id(14), .a = 0x303, .n = 1},
        {.type = EVENT_FLOOR_SEATED, .person = part, .a = 2},
        {.type = EVENT_FLOOR_SEATED, .person = late, .a = 2},
        {.type = EVENT_FLOOR_MODE, .a = FLOOR_TOUR, .b = 1, .person = host},
        {.type = EVENT_FLOOR_LISTED, .person = part},
        {.type = EVENT_FLOOR_LISTED, .person = late, .a = 64, .b = 1},
        {.type = EVENT_FLOOR_LISTED, .person = host, .a = 64},
        {.type = EVENT_FLOOR_GIVEN, .person = part, .a = 120000, .n = 1790000100000, .other = host},
        {.type = EVENT_FLOOR_PAUSED, .a = 1, .n = 1790000110000},
        {.type = EVENT_FLOOR_TIMED, .n = 60000},
        {.type = EVENT_FLOOR_PAUSED, .n = 1790000120000},
        {.type = EVENT_FLOOR_OVER, .n = 1790000195000},
        {.type = EVENT_FLOOR_OVER, .a = 1},
        {.type = EVENT_FLOOR_HELD, .n = 1790000210000},
        {.type = EVENT_FLOOR_HELD},
        {.type = EVENT_FLOOR_HEARD, .person = part, .n = 42000},
        {.type = EVENT_FLOOR_ENDED, .person = part, .b = 85000},
        {.type = EVENT_FLOOR_UNLISTED, .person = host, .a = TURN_PASSED},
        {.type = EVENT_FLOOR_GIVEN, .person = late, .b = 1, .n = 1790000200000},
        {.type = EVENT_FLOOR_IDLE},
    };
    *count = sizeof(list) / sizeof(list[0]);
    memcpy(events, list, sizeof(list));
    return golden_stamp(events, *count);
}

static struct rtext *floor_text(const struct event *e)
{
    return e->type == EVENT_PERSON_JOINED || e->type == EVENT_CLASS_CREATED ? rtext_new("Nom", 3)
                                                                            : NULL;
}

const struct golden_area golden_floor = {"tests/unit/data/journal-floor.bin", floor_events,
                                         floor_text};
