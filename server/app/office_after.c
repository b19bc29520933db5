/*
 * What remains of a class beside its attendance: what was written, how long people spoke, which
 * groups worked together; what is kept of one person, his copy of it and its erasure; the checks of
 * devices before the day.
 */
#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "server/app/office_class.h"
#include "server/app/office_evidence.h"
#include "server/app/office_tables.h"
#include "signaling/schema/schema.h"

enum { READY_MAX = 1000, EVENTS_MAX = 20000, WORD_TO_ALL = 2 };

/* ---- gathering
 * ------------------------------------------------------------------------------------ */

struct gather {
    struct evidence e;
    json_t *chat;
    json_t *rooms;  /* id -> name */
    json_t *spoken; /* {seq, person, voice, floor} */
    json_t *ready;  /* person -> {at, verdict, figures} */
    json_t *own;    /* every event of `person`; NULL = not asked */
    struct id person;
    bool webinar;
    uint64_t erased; /* people whose texts are gone */
};

static const struct attendee *here(const struct sheet *sheet, const struct id *person)
{
    for (uint32_t i = 0; i < sheet->here_count; i++) {
        if (id_equal(&sheet->here[i].person, person)) {
            return &sheet->here[i];
        }
    }
    return NULL;
}

static void add_chat(struct gather *g, const struct event *e)
{
    char person[ID_TEXT_MAX];
    char room[ID_TEXT_MAX];
    const struct attendee *who = here(&g->e.history.sheet, &e->person);
    bool all = e->type == EVENT_WS_ANNOUNCED; /* said by staff to everybody, wherever he is */
    bool away = !all && who && !id_is_zero(&who->room);
    json_array_append_new(
        g->chat, json_pack("{s:I, s:I, s:s, s:s, s:s, s:s, s:b}", "seq", (json_int_t)e->seq, "at",
                           (json_int_t)e->at, "person", id_print(person, ID_PERSON, &e->person),
                           "name", who ? attendance_name(who) : "", "text", rtext_str(e->text),
                           "room", away ? id_print(room, ID_ROOM, &who->room) : "", "all", all));
}

static void add_spoken(struct gather *g, const struct event *e)
{
    char person[ID_TEXT_MAX];
    bool turn = e->type == EVENT_FLOOR_ENDED;
    json_array_append_new(g->spoken, json_pack("{s:I, s:s, s:I, s:I}", "seq", (json_int_t)e->seq,
                                               "person", id_print(person, ID_PERSON, &e->person),
                                               "voice", turn ? (json_int_t)0 : (json_int_t)e->n,
                                               "floor", turn ? (json_int_t)e->b : (json_int_t)0));
}

static void add_ready(struct gather *g, const struct event *e)
{
    char person[ID_TEXT_MAX];
    json_t *figures = json_loads(rtext_str(e->text), 0, NULL);
    json_object_set_new(g->ready, id_print(person, ID_PERSON, &e->person),
                        json_pack("{s:I, s:i, s:o}", "at", (json_int_t)e->at, "verdict", (int)e->a,
                                  "figures", figures ? figures : json_object()));
}

static void add_own(struct gather *g, const struct event *e)
{
    bool mine = id_equal(&e->person, &g->person) || id_equal(&e->actor, &g->person);
    if (mine && json_array_size(g->own) < EVENTS_MAX) {
        json_array_append_new(g->own,
                              json_pack("{s:I, s:I, s:s, s:s}", "seq", (json_int_t)e->seq, "at",
                                        (json_int_t)e->at, "event", event_row(e->type)->name,
                                        "text", rtext_str(e->text)));
    }
}

static int gather_event(void *arg, const struct event *e)
{
    struct gather *g = arg;
    char room[ID_TEXT_MAX];
    if (e->type == EVENT_CLASS_CREATED) {
        g->webinar = e->a == CLASS_WEBINAR;
    } else if (e->type == EVENT_CHAT_POSTED ||
               (e->type == EVENT_WS_ANNOUNCED && e->a == WORD_TO_ALL)) {
        add_chat(g, e);
    } else if (e->type == EVENT_FLOOR_HEARD || e->type == EVENT_FLOOR_ENDED) {
        add_spoken(g, e);
    } else if (e->type == EVENT_ROOM_OPENED) {
        json_object_set_new(g->rooms, id_print(room, ID_ROOM, &e->other),
                            json_string(rtext_str(e->text)));
    } else if (e->type == EVENT_READY_NOTED) {
        add_ready(g, e);
    } else if (e->type == EVENT_PERSON_FORGOTTEN) {
        g->erased++;
    }
    if (g->own) {
        add_own(g, e);
    }
    return 0;
}

static int gather_open(struct office_call *call, struct gather *g, bool staff)
{
    memset(g, 0, sizeof(*g));
    g->chat = json_array();
    g->rooms = json_object();
    g->spoken = json_array();
    g->ready = json_object();
    return evidence_open(call, &g->e, staff, gather_event, g);
}

static void gather_fini(struct gather *g)
{
    json_decref(g->chat);
    json_decref(g->rooms);
    json_decref(g->spoken);
    json_decref(g->ready);
    json_decref(g->own);
    evidence_fini(&g->e);
}

/* ---- after the class
 * --------------------------------------------------------------------------------------------- */

/* Events of the session asked for: from its number up to that of the next. */
static bool in_session(const struct gather *g, const json_t *entry)
{
    const struct sheet *sheet = &g->e.history.sheet;
    json_int_t seq = json_integer_value(json_object_get(entry, "seq"));
    const struct sheet_session *s = g->e.report.session;
    json_int_t end = INT64_MAX;
    for (uint32_t i = 0; i < sheet->count; i++) {
        json_int_t from = (json_int_t)sheet->sessions[i].number;
        end = from > (json_int_t)s->number && from < end ? from : end;
    }
    return seq >= (json_int_t)s->number && seq < end;
}

/* People who were there read what all could read; what tables wrote stays with staff. */
static json_t *chat_of(const struct gather *g)
{
    json_t *out = json_array();
    size_t i;
    json_t *entry;
    json_array_foreach(g->chat, i, entry)
    {
        bool main_room = !*json_string_value(json_object_get(entry, "room"));
        bool all = json_is_true(json_object_get(entry, "all"));
        if (in_session(g, entry) && (g->e.staff || all || (main_room && !g->webinar))) {
            json_array_append(out, entry);
        }
    }
    return out;
}

static void sum_into(json_t *row, const char *key, const json_t *entry)
{
    json_int_t sum = json_integer_value(json_object_get(row, key)) +
                     json_integer_value(json_object_get(entry, key));
    json_object_set_new(row, key, json_integer(sum));
}

static json_t *times_of(const struct gather *g)
{
    json_t *by = json_object();
    size_t i;
    json_t *entry;
    json_array_foreach(g->spoken, i, entry)
    {
        const char *person = json_string_value(json_object_get(entry, "person"));
        json_t *row = json_object_get(by, person);
        if (!in_session(g, entry)) {
            continue;
        }
        if (!row) {
            json_object_set_new(by, person, json_object());
            row = json_object_get(by, person);
        }
        sum_into(row, "voice", entry);
        sum_into(row, "floor", entry);
    }
    return by;
}

static void after_get(struct office_call *call)
{
    struct gather g;
    if (!gather_open(call, &g, false)) {
        bool was_there = g.e.staff || (g.e.report.session &&
                                       sheet_person(g.e.report.session, &g.e.person) != NULL);
        if (!g.e.report.session || !was_there) {
            office_refuse(call, 404, "session");
        } else {
            json_t *o = json_pack("{s:o, s:O, s:b}", "chat", chat_of(&g), "rooms", g.rooms, "staff",
                                  (int)g.e.staff);
            if (o && g.e.staff) {
                json_object_set_new(o, "times", times_of(&g));
            }
            office_audit(call, "after.read", office_part(call, 0), "");
            office_json(call, 200, o);
        }
    }
    gather_fini(&g);
}

/* ---- what is kept of people
 * --------------------------------------------------------------------------------------------- */

static json_int_t named(const struct gather *g)
{
    const struct sheet *sheet = &g->e.history.sheet;
    json_int_t count = 0;
    for (uint32_t i = 0; i < sheet->count; i++) {
        for (uint32_t k = 0; k < sheet->sessions[i].count; k++) {
            count += sheet->sessions[i].people[k].name != NULL;
        }
    }
    return count;
}

static void kept_get(struct office_call *call)
{
    struct gather g;
    if (!gather_open(call, &g, true)) {
        const struct sheet *sheet = &g.e.history.sheet;
        json_int_t sealed = 0;
        for (uint32_t i = 0; i < sheet->count; i++) {
            sealed += sheet->sessions[i].sealed;
        }
        office_json(call, 200,
                    json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "events",
                              (json_int_t)sheet->seq, "chat", (json_int_t)json_array_size(g.chat),
                              "ready", (json_int_t)json_object_size(g.ready), "records", named(&g),
                              "sessions", (json_int_t)sheet->count, "sealed", sealed, "erased",
                              (json_int_t)g.erased));
    }
    gather_fini(&g);
}

/* What the office itself keeps of somebody: his row, mails to him, who looked. */
static void export_office(struct office_call *call, const struct id *class_id,
                          const struct id *person, json_t *out)
{
    char text[ID_TEXT_MAX];
    json_t *row = people_row(call->people, PEOPLE_ENROLLED_GET, "dd", class_id, person);
    json_t *seen = people_rows(call->people, PEOPLE_AUDIT_ABOUT, "tt",
                               id_print(text, ID_PERSON, person), office_row_text(row, "mail"));
    json_object_set_new(out, "roster", row ? row : json_null());
    json_object_set_new(out, "mails", office_mails_of(call, text));
    json_object_set_new(out, "seen", seen ? seen : json_array());
}

/* All there is about one person: his own by his link, anybody's for staff. */
static void export_get(struct office_call *call)
{
    char text[ID_TEXT_MAX + 1];
    struct gather g;
    struct id wanted;
    office_query(call, "person", text, sizeof(text));
    bool other = !id_parse(&wanted, ID_PERSON, text, strlen(text));
    memset(&g, 0, sizeof(g));
    g.chat = json_array();
    g.rooms = json_object();
    g.spoken = json_array();
    g.ready = json_object();
    g.own = json_array();
    g.person = other ? wanted : call->claim.person;
    bool nobody = id_is_zero(&g.person); /* a link of nobody in particular */
    if (nobody) {
        office_refuse(call, 422, "person");
    }
    bool staff = other && !id_equal(&wanted, &call->claim.person);
    if (!nobody && !evidence_open(call, &g.e, staff, gather_event, &g)) {
        json_t *sessions = json_array();
        struct attendance_report r = g.e.report;
        for (uint32_t i = 0; i < g.e.history.sheet.count; i++) {
            r.session = &g.e.history.sheet.sessions[i];
            const struct attendee *who = sheet_person(r.session, &g.person);
            if (who) {
                r.rules = attendance_rules_of(r.sheet, r.session);
                json_array_append_new(sessions, attendance_person(&r, who));
            }
        }
        id_print(text, ID_PERSON, &g.person);
        json_t *ready = json_object_get(g.ready, text);
        json_t *o =
            json_pack("{s:s, s:s, s:s, s:o, s:O, s:o}", "class", office_part(call, 0), "title",
                      rtext_str(g.e.history.sheet.title), "person", text, "attendance", sessions,
                      "events", g.own, "ready", ready ? json_incref(ready) : json_null());
        export_office(call, &g.e.class_id, &g.person, o);
        office_audit(call, "person.exported", text, office_part(call, 0));
        office_json(call, 200, o);
    }
    gather_fini(&g);
}

/* His row, the mails to him, his address where it was written down. True when there was a row. */
static bool forget_office(struct office_call *call, const struct id *class_id,
                          const struct id *person, const char *text)
{
    json_t *row = people_row(call->people, PEOPLE_ENROLLED_GET, "dd", class_id, person);
    const char *mail = office_row_text(row, "mail");
    bool there = row && !people_run(call->people, PEOPLE_ENROLLED_DEL, "dd", class_id, person);
    if (*mail) {
        (void)people_run(call->people, PEOPLE_AUDIT_UNNAME, "t", mail);
        (void)people_run(call->people, PEOPLE_ONCE_MINE_END, "t", mail);
    }
    office_mails_forget(call, text);
    json_decref(row);
    return there;
}

/* Counts stay; names and words go with their key. */
static void forget_post(struct office_call *call)
{
    const char *person = office_text(call, "person");
    struct evidence e;
    struct id id;
    if (!evidence_open(call, &e, true, NULL, NULL)) {
        json_t *answer = NULL;
        if (id_parse(&id, ID_PERSON, person, strlen(person))) {
            office_refuse(call, 422, "person");
        } else {
            answer =
                office_classroom(call, json_pack("{s:s, s:s, s:s}", "cmd", "class.forget", "class",
                                                 office_part(call, 0), "person", person));
            bool good = json_is_true(json_object_get(answer, "ok"));
            good = forget_office(call, &e.class_id, &id, person) || good; /* or never here */
            office_audit(call, "person.erased", person, office_part(call, 0));
            if (good) {
                office_json(call, 200, json_object());
            } else {
                office_refuse(call, 404, "person");
            }
        }
        json_decref(answer);
    }
    evidence_fini(&e);
}

/* ---- before the day
 * --------------------------------------------------------------------------------------------- */

static void ready_get(struct office_call *call)
{
    struct gather g;
    if (!gather_open(call, &g, true)) {
        json_t *names = json_object();
        char id[ID_TEXT_MAX];
        const struct sheet *sheet = &g.e.history.sheet;
        for (uint32_t i = 0; i < sheet->roster_count; i++) {
            json_object_set_new(names, id_print(id, ID_PERSON, &sheet->roster[i].person),
                                json_string(attendance_name(&sheet->roster[i])));
        }
        size_t i;
        json_t *row;
        json_t *rows = people_rows(call->people, PEOPLE_ENROLLED, "d", &g.e.class_id);
        json_array_foreach(rows, i, row)
        { /* invited, and nothing heard of him in the class yet */
            json_object_set(names, office_row_text(row, "person"), json_object_get(row, "name"));
        }
        json_decref(rows);
        office_audit(call, "ready.read", office_part(call, 0), "");
        office_json(call, 200, json_pack("{s:O, s:o}", "ready", g.ready, "roster", names));
    }
    gather_fini(&g);
}

/* The figures are the page's own; who they are of says the link. */
static void ready_post(struct office_call *call)
{
    struct evidence e;
    char id[ID_TEXT_MAX];
    json_t *figures = json_object_get(call->body, "figures");
    int64_t verdict = office_number(call, "verdict", -1);
    if (!evidence_open(call, &e, false, NULL, NULL)) {
        char *text = json_is_object(figures) ? json_dumps(figures, JSON_COMPACT) : NULL;
        bool fits = text && strlen(text) <= READY_MAX && verdict >= 0 && verdict <= 2;
        if (!fits || id_is_zero(&e.person)) {
            office_refuse(call, 422, "figures");
        } else {
            json_t *answer = office_classroom(
                call, json_pack("{s:s, s:s, s:s, s:I, s:s}", "cmd", "ready.note", "class",
                                office_part(call, 0), "person", id_print(id, ID_PERSON, &e.person),
                                "status", (json_int_t)verdict, "text", text));
            if (json_is_true(json_object_get(answer, "ok"))) {
                office_json(call, 200, json_object());
            } else {
                office_refuse(call, 503, "busy");
            }
            json_decref(answer);
        }
        free(text);
    }
    evidence_fini(&e);
}

static const struct office_route routes[] = {
    {IPC_GET, "/api/classes/*/after", OFFICE_EITHER, OFFICE_DESK, after_get},
    {IPC_GET, "/api/classes/*/kept", OFFICE_EITHER, OFFICE_DESK, kept_get},
    {IPC_GET, "/api/classes/*/export", OFFICE_EITHER, OFFICE_DESK, export_get},
    {IPC_POST, "/api/classes/*/forget", OFFICE_EITHER, OFFICE_DESK, forget_post},
    {IPC_GET, "/api/classes/*/ready", OFFICE_EITHER, OFFICE_DESK, ready_get},
    {IPC_POST, "/api/classes/*/ready", OFFICE_LINK, OFFICE_DESK, ready_post},
};
const struct office_table office_after_table = {routes, sizeof(routes) / sizeof(routes[0])};
