#include "signaling/attendance/sheet.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "signaling/schema/settings.h"

enum {
    MS_PER_MINUTE = 60000,
    SHARE_DEFAULT = 500,
    BRIDGE_DEFAULT_MS = 60000,
    PROVISIONAL_DAYS = 7,
};

struct attendance_rules attendance_defaults(void)
{
    return (struct attendance_rules){.share_permille = SHARE_DEFAULT,
                                     .bridge_ms = BRIDGE_DEFAULT_MS};
}

void sheet_init(struct sheet *sheet, const struct id *class_id)
{
    *sheet = (struct sheet){.class_id = *class_id,
                            .rules = attendance_defaults(),
                            .provisional_days = PROVISIONAL_DAYS};
}

static void people_free(struct attendee *people, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        rtext_put(&people[i].name);
        rtext_put(&people[i].correction.reason);
        rtext_put(&people[i].number);
        rtext_put(&people[i].objection);
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
    people_free(sheet->roster, sheet->roster_count);
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

bool sheet_known(const struct sheet *sheet, const struct sheet_session *session,
                 const struct id *person)
{
    return person_in(session->people, session->count, person) != NULL ||
           person_in(sheet->roster, sheet->roster_count, person) != NULL;
}

static struct sheet_session *running(struct sheet *sheet)
{
    struct sheet_session *last = sheet->count ? &sheet->sessions[sheet->count - 1] : NULL;
    return last && last->closed == SHEET_OPEN ? last : NULL;
}

wall_ms sheet_now(const struct sheet *sheet, const struct sheet_session *session, wall_ms wall)
{
    return session && session->closed == SHEET_OPEN ? wall - (sheet->offset - session->offset)
                                                    : wall;
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
    if (!err && here->number) {
        rtext_set(&p->number, here->number);
    }
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

/* Somebody on the roster is in the session, come or not. */
static int expect(struct sheet_session *s, const struct attendee *like)
{
    struct attendee *p;
    int err = add_person(&s->people, &s->count, &s->cap, like, &p);
    if (!err) {
        p->expected = true;
        rtext_set(&p->number, like->number);
    }
    return err;
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
                                                             .planned_ms = sheet->planned_ms,
                                                             .offset = sheet->offset};
    for (uint32_t i = 0; i < sheet->roster_count && !err; i++) {
        err = expect(&sheet->sessions[sheet->count - 1], &sheet->roster[i]);
    }
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
    } else if (e->a == SETTING_ROLL_SHARE) {
        sheet->rules.share_permille = (uint32_t)e->n * 10;
    } else if (e->a == SETTING_ROLL_MINUTES) {
        sheet->rules.minutes = (uint32_t)e->n;
    } else if (e->a == SETTING_ROLL_CHECKS) {
        sheet->rules.checks = (uint32_t)e->n;
    } else if (e->a == SETTING_ROLL_ARRIVAL) {
        sheet->rules.arrival_min = (uint32_t)e->n;
    } else if (e->a == SETTING_ROLL_LENGTH) {
        sheet->rules.as_lasted = e->n != 0;
    } else if (e->a == SETTING_ROLL_PROVISIONAL) {
        sheet->provisional_days = (uint32_t)e->n;
    }
}

/* The wall clock is told against class time, which never jumps. */
static void anchored(struct sheet *sheet, const struct event *e)
{
    struct sheet_session *s = running(sheet);
    sheet->offset = e->at - (int64_t)((uint64_t)e->b << 32 | e->a);
    if (s && !sheet->anchored) {
        s->offset = sheet->offset;
    }
    sheet->anchored = true;
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

static void nameless(struct attendee *p)
{
    if (p) {
        rtext_put(&p->name);
        rtext_put(&p->number);
        rtext_put(&p->objection);
        rtext_put(&p->correction.reason);
    }
}

static void forgotten(struct sheet *sheet, const struct id *person)
{
    nameless(person_in(sheet->here, sheet->here_count, person));
    nameless(person_in(sheet->roster, sheet->roster_count, person));
    for (uint32_t i = 0; i < sheet->count; i++) {
        const struct sheet_session *s = &sheet->sessions[i];
        nameless(person_in(s->people, s->count, person));
    }
}

/* ---- presence checks, words about a person, the seal
 * --------------------------------------------------------------------------------------------- */

static struct sheet_session *session_of(struct sheet *sheet, uint64_t number)
{
    for (uint32_t i = 0; i < sheet->count; i++) {
        if (sheet->sessions[i].number == number) {
            return &sheet->sessions[i];
        }
    }
    return NULL;
}

/* Everybody with a seat who is not staff: signaling/journal/roll.h. */
static void check_asked(struct sheet *sheet, const struct event *e)
{
    struct sheet_session *s = running(sheet);
    if (!s || e->a != 1) {
        return;
    }
    sheet->check = e->other;
    s->checks++;
    for (uint32_t i = 0; i < s->count; i++) {
        struct attendee *p = &s->people[i];
        bool seated = person_in(sheet->here, sheet->here_count, &p->person) != NULL;
        p->asked = seated && !role_is_staff((enum role)p->role) && p->role != ROLE_RECORDER;
        p->checks_asked += p->asked;
    }
}

static void check_answered(struct sheet *sheet, const struct event *e)
{
    struct sheet_session *s = running(sheet);
    struct attendee *p = s ? person_in(s->people, s->count, &e->person) : NULL;
    if (p && p->asked && id_equal(&sheet->check, &e->other)) {
        p->asked = false;
        p->checks_passed++;
    }
}

static int expected(struct sheet *sheet, const struct event *e)
{
    struct attendee like = {.person = e->person, .name = e->text, .role = (uint8_t)e->a};
    struct attendee *p;
    struct sheet_session *s = running(sheet);
    int err = add_person(&sheet->roster, &sheet->roster_count, &sheet->roster_cap, &like, &p);
    return !err && s ? expect(s, p) : err;
}

static void set_number(struct attendee *p, struct rtext *number)
{
    if (p) {
        rtext_set(&p->number, number);
    }
}

/* A number may come late: sheets that are not sealed yet take it too. */
static void identified(struct sheet *sheet, const struct event *e)
{
    set_number(person_in(sheet->roster, sheet->roster_count, &e->person), e->text);
    set_number(person_in(sheet->here, sheet->here_count, &e->person), e->text);
    for (uint32_t i = 0; i < sheet->count; i++) {
        struct sheet_session *s = &sheet->sessions[i];
        if (!s->sealed) {
            set_number(person_in(s->people, s->count, &e->person), e->text);
        }
    }
}

/* Staff may also speak of somebody on the roster who never came. A sealed sheet stays. */
static int corrected(struct sheet *sheet, const struct event *e)
{
    struct sheet_session *s = session_of(sheet, (uint64_t)e->n);
    struct attendee *p = s ? person_in(s->people, s->count, &e->person) : NULL;
    const struct attendee *listed = person_in(sheet->roster, sheet->roster_count, &e->person);
    if (s && !p && listed) {
        int err = expect(s, listed);
        if (err) {
            return err;
        }
        p = person_in(s->people, s->count, &e->person);
    }
    if (!p || s->sealed) {
        return 0;
    }
    p->correction.given = e->a > 0;
    p->correction.status = e->a > 0 ? (uint8_t)(e->a - 1) : 0;
    p->correction.at = e->at;
    p->correction.by = e->other;
    rtext_set(&p->correction.reason, e->text);
    p->corrections++;
    p->contested = false;
    return 0;
}

static void contested(struct sheet *sheet, const struct event *e)
{
    struct sheet_session *s = session_of(sheet, (uint64_t)e->n);
    struct attendee *p = s ? person_in(s->people, s->count, &e->person) : NULL;
    if (p && !s->sealed) {
        p->contested = true;
        p->contested_at = e->at;
        rtext_set(&p->objection, e->text);
    }
}

static void sealed(struct sheet *sheet, const struct event *e)
{
    struct sheet_session *s = session_of(sheet, (uint64_t)e->n);
    if (s && !s->sealed && s->closed != SHEET_OPEN) {
        size_t len = rtext_len(e->text) < SHEET_SEAL_MAX ? rtext_len(e->text) : SHEET_SEAL_MAX;
        memcpy(s->seal, rtext_str(e->text), len);
        s->seal[len] = '\0';
        s->sealed = true;
        s->sealed_at = e->at;
        s->sealed_by = e->person;
        s->sealed_rules = sheet->rules;
        s->seal_seq = e->seq;
    }
}

static int roll_event(struct sheet *sheet, const struct event *e)
{
    if (e->type == EVENT_CHECK_ASKED) {
        check_asked(sheet, e);
    } else if (e->type == EVENT_CHECK_ANSWERED) {
        check_answered(sheet, e);
    } else if (e->type == EVENT_ROLL_EXPECTED) {
        return expected(sheet, e);
    } else if (e->type == EVENT_ROLL_IDENTIFIED) {
        identified(sheet, e);
    } else if (e->type == EVENT_ROLL_CORRECTED) {
        return corrected(sheet, e);
    } else if (e->type == EVENT_ROLL_CONTESTED) {
        contested(sheet, e);
    } else if (e->type == EVENT_ROLL_SEALED) {
        sealed(sheet, e);
    }
    return 0;
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
    } else if (e->type == EVENT_TIME_ANCHORED) {
        anchored(sheet, e);
    } else {
        err = roll_event(sheet, e);
    }
    return err;
}

int sheet_fold(struct sheet *sheet, const struct event *e)
{
    if (sheet->seq != 0 && e->seq != sheet->seq + 1) {
        return E_CORRUPT;
    }
    struct event steady = *e;
    if (e->type != EVENT_TIME_ANCHORED) {
        steady.at = sheet_now(sheet, running(sheet), e->at);
    }
    int err = fold_one(sheet, &steady);
    sheet->seq = err ? sheet->seq : e->seq;
    return err;
}
