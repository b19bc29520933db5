#include "signaling/attendance/sheet.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "signaling/schema/settings.h"

enum { MS_PER_MINUTE = 60000 };

void sheet_init(struct sheet *sheet, const struct id *class_id)
{
    *sheet = (struct sheet){.class_id = *class_id};
}

static void people_free(struct attendee *people, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        rtext_put(&people[i].name);
        rtext_put(&people[i].correction.reason);
        mem_free(people[i].stays);
    }
    mem_free(people);
}

void sheet_fini(struct sheet *sheet)
{
    for (uint32_t i = 0; i < sheet->count; i++) {
        people_free(sheet->sessions[i].people, sheet->sessions[i].count);
    }
    mem_free(sheet->sessions);
    people_free(sheet->here, sheet->here_count);
    rtext_put(&sheet->title);
    *sheet = (struct sheet){0};
}

/* Room for one more element of size bytes in *list. 0 or E_NOMEM. */
static int grow(void **list, uint32_t count, uint32_t *cap, size_t size)
{
    if (count < *cap) {
        return 0;
    }
    uint32_t more = *cap ? *cap * 2 : 4;
    void *p = mem_realloc(*list, more * size);
    if (!p) {
        return E_NOMEM;
    }
    *list = p;
    *cap = more;
    return 0;
}

/* ---- finding
 * -------------------------------------------------------------------------------------- */

static struct attendee *person_in(struct attendee *people, uint32_t count, const struct id *id)
{
    for (uint32_t i = 0; i < count; i++) {
        if (id_equal(&people[i].person, id)) {
            return &people[i];
        }
    }
    return NULL;
}

const struct sheet_session *sheet_find(const struct sheet *sheet, uint64_t number)
{
    if (number == 0) {
        return sheet->count ? &sheet->sessions[sheet->count - 1] : NULL;
    }
    for (uint32_t i = 0; i < sheet->count; i++) {
        if (sheet->sessions[i].number == number) {
            return &sheet->sessions[i];
        }
    }
    return NULL;
}

const struct attendee *sheet_person(const struct sheet_session *session, const struct id *person)
{
    return person_in(session->people, session->count, person);
}

static struct sheet_session *running(struct sheet *sheet)
{
    struct sheet_session *last = sheet->count ? &sheet->sessions[sheet->count - 1] : NULL;
    return last && last->closed == SHEET_OPEN ? last : NULL;
}

/* ---- stays
 * ---------------------------------------------------------------------------------------- */

static int add_person(struct attendee **people, uint32_t *count, uint32_t *cap,
                      const struct attendee *like, struct attendee **out)
{
    struct attendee *p = person_in(*people, *count, &like->person);
    if (!p) {
        int err = grow((void **)people, *count, cap, sizeof(*p));
        if (err) {
            return err;
        }
        p = &(*people)[(*count)++];
        *p = (struct attendee){.person = like->person};
    }
    rtext_set(&p->name, like->name);
    p->role = like->role;
    *out = p;
    return 0;
}

/* The person's stay in the running session begins; nothing when no session runs. */
static int begin(struct sheet *sheet, const struct attendee *here, wall_ms at)
{
    struct sheet_session *s = running(sheet);
    struct attendee *p;
    if (!s) {
        return 0;
    }
    int err = add_person(&s->people, &s->count, &s->cap, here, &p);
    err = err ? err : grow((void **)&p->stays, p->stay_count, &p->stay_cap, sizeof(*p->stays));
    if (err) {
        return err;
    }
    /* A clock set back never makes stays overlap. */
    wall_ms since = p->stay_count ? p->stays[p->stay_count - 1].out : s->opened;
    p->stays[p->stay_count++] =
        (struct stay){.in = at > since ? at : since, .out = SHEET_OPEN, .room = here->room};
    p->here = true;
    p->room = here->room;
    return 0;
}

static void finish(struct attendee *p, wall_ms at)
{
    struct stay *last = p && p->stay_count ? &p->stays[p->stay_count - 1] : NULL;
    if (last && last->out == SHEET_OPEN) {
        last->out = at > last->in ? at : last->in;
        p->stay_count -= last->out == last->in; /* no time at all is no stay */
    }
    if (p) {
        p->here = false;
    }
}

static void end(struct sheet *sheet, const struct id *person, wall_ms at)
{
    struct sheet_session *s = running(sheet);
    if (s) {
        finish(person_in(s->people, s->count, person), at);
    }
}

/* ---- sessions
 * ------------------------------------------------------------------------------------- */

static int open_session(struct sheet *sheet, const struct event *e)
{
    if (running(sheet)) {
        return 0;
    }
    int err = grow((void **)&sheet->sessions, sheet->count, &sheet->cap, sizeof(*sheet->sessions));
    if (err) {
        return err;
    }
    sheet->sessions[sheet->count++] = (struct sheet_session){.number = e->seq,
                                                             .opened = e->at,
                                                             .closed = SHEET_OPEN,
                                                             .planned = sheet->planned,
                                                             .planned_ms = sheet->planned_ms};
    for (uint32_t i = 0; i < sheet->here_count && !err; i++) {
        if (sheet->here[i].here) {
            err = begin(sheet, &sheet->here[i], e->at);
        }
    }
    return err;
}

static void close_session(struct sheet *sheet, wall_ms at)
{
    struct sheet_session *s = running(sheet);
    if (s) {
        for (uint32_t i = 0; i < s->count; i++) {
            finish(&s->people[i], at);
        }
        s->closed = at > s->opened ? at : s->opened;
    }
}

static void empty_seats(struct sheet *sheet)
{
    people_free(sheet->here, sheet->here_count);
    sheet->here = NULL;
    sheet->here_count = 0;
    sheet->here_cap = 0;
}

/* A session counts while it is live and through its closing; doors and preparing do not. */
static int session_changed(struct sheet *sheet, const struct event *e)
{
    if (e->a == SESSION_LIVE) {
        return open_session(sheet, e);
    }
    if (e->a != SESSION_CLOSING) {
        close_session(sheet, e->at);
    }
    if (e->a == SESSION_CLOSED || e->a == SESSION_ARCHIVED) {
        empty_seats(sheet);
    }
    return 0;
}

static void class_set(struct sheet *sheet, const struct event *e)
{
    if (e->a == SETTING_START) {
        sheet->planned = e->n;
    } else if (e->a == SETTING_DURATION) {
        sheet->planned_ms = e->n * MS_PER_MINUTE;
    }
}

/* ---- people
 * --------------------------------------------------------------------------------------- */

static int joined(struct sheet *sheet, const struct event *e)
{
    struct attendee like = {.person = e->person, .name = e->text, .role = (uint8_t)(e->a & 0xff)};
    struct attendee *p;
    int err = add_person(&sheet->here, &sheet->here_count, &sheet->here_cap, &like, &p);
    if (err) {
        return err;
    }
    p->here = true;
    p->room = (struct id){{0}};
    return begin(sheet, p, e->at);
}

static void left(struct sheet *sheet, const struct event *e)
{
    struct attendee *p = person_in(sheet->here, sheet->here_count, &e->person);
    end(sheet, &e->person, e->at);
    if (p) {
        rtext_put(&p->name);
        uint32_t at = (uint32_t)(p - sheet->here);
        memmove(p, p + 1, (sheet->here_count - at - 1) * sizeof(*p));
        sheet->here_count--;
    }
}

static int away(struct sheet *sheet, const struct event *e)
{
    struct attendee *p = person_in(sheet->here, sheet->here_count, &e->person);
    bool here = e->a == 0;
    if (!p || p->here == here) {
        return 0;
    }
    p->here = here;
    if (here) {
        return begin(sheet, p, e->at);
    }
    end(sheet, &e->person, e->at);
    return 0;
}

/* ---- rooms
 * ---------------------------------------------------------------------------------------- */

static int move(struct sheet *sheet, struct attendee *p, const struct id *room, wall_ms at)
{
    if (!p || id_equal(&p->room, room)) {
        return 0;
    }
    p->room = *room;
    if (!p->here) {
        return 0;
    }
    end(sheet, &p->person, at);
    return begin(sheet, p, at);
}

static int room_event(struct sheet *sheet, const struct event *e)
{
    static const struct id main_room;
    int err = 0;
    if (e->a >= SHEET_ROOMS_MAX) {
        return E_CORRUPT;
    }
    if (e->type == EVENT_ROOM_OPENED) {
        sheet->rooms[e->a] = e->other;
        return 0;
    }
    if (e->type == EVENT_PERSON_MOVED) {
        struct attendee *p = person_in(sheet->here, sheet->here_count, &e->person);
        return move(sheet, p, &sheet->rooms[e->a], e->at);
    }
    for (uint32_t i = 0; i < sheet->here_count && !err; i++) {
        if (id_equal(&sheet->here[i].room, &sheet->rooms[e->a])) {
            err = move(sheet, &sheet->here[i], &main_room, e->at);
        }
    }
    sheet->rooms[e->a] = main_room;
    return err;
}

/* A new role or name counts in the running session; those before keep what was true then. */
static void changed(struct sheet *sheet, const struct event *e)
{
    struct sheet_session *s = running(sheet);
    struct attendee *both[2] = {person_in(sheet->here, sheet->here_count, &e->person),
                                s ? person_in(s->people, s->count, &e->person) : NULL};
    for (unsigned i = 0; i < 2; i++) {
        if (both[i] && e->type == EVENT_ROLE_CHANGED) {
            both[i]->role = (uint8_t)e->a;
        } else if (both[i]) {
            rtext_set(&both[i]->name, e->text);
        }
    }
}

static void forgotten(struct sheet *sheet, const struct id *person)
{
    struct attendee *p = person_in(sheet->here, sheet->here_count, person);
    if (p) {
        rtext_put(&p->name);
    }
    for (uint32_t i = 0; i < sheet->count; i++) {
        struct sheet_session *s = &sheet->sessions[i];
        p = person_in(s->people, s->count, person);
        if (p) {
            rtext_put(&p->name);
            rtext_put(&p->correction.reason);
        }
    }
}

/* ---- one event
 * ------------------------------------------------------------------------------------ */

static int fold_one(struct sheet *sheet, const struct event *e)
{
    int err = 0;
    if (e->type == EVENT_CLASS_CREATED) {
        rtext_set(&sheet->title, e->text);
    } else if (e->type == EVENT_CLASS_ENDED) {
        close_session(sheet, e->at);
        empty_seats(sheet);
    } else if (e->type == EVENT_CLASS_SET) {
        class_set(sheet, e);
    } else if (e->type == EVENT_SESSION_CHANGED) {
        err = session_changed(sheet, e);
    } else if (e->type == EVENT_PERSON_JOINED) {
        err = joined(sheet, e);
    } else if (e->type == EVENT_PERSON_LEFT) {
        left(sheet, e);
    } else if (e->type == EVENT_PERSON_AWAY) {
        err = away(sheet, e);
    } else if (e->type == EVENT_PERSON_MOVED || e->type == EVENT_ROOM_OPENED ||
               e->type == EVENT_ROOM_CLOSED) {
        err = room_event(sheet, e);
    } else if (e->type == EVENT_ROLE_CHANGED || e->type == EVENT_PERSON_RENAMED) {
        changed(sheet, e);
    } else if (e->type == EVENT_PERSON_FORGOTTEN) {
        forgotten(sheet, &e->person);
    }
    return err;
}

int sheet_fold(struct sheet *sheet, const struct event *e)
{
    if (sheet->seq != 0 && e->seq != sheet->seq + 1) {
        return E_CORRUPT;
    }
    int err = fold_one(sheet, e);
    sheet->seq = err ? sheet->seq : e->seq;
    return err;
}
