/*
 * The reports of workshops after the class: who was in a room from when to when, what its task was,
 * what was written there. Staff reads all, whoever was in a room reads its report, everybody one
 * that was published. The same as a text to keep.
 */
#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "server/app/office_evidence.h"
#include "server/app/office_tables.h"
#include "server/app/office_when.h"
#include "signaling/journal/workshops.h"

struct groups {
    struct evidence e;
    json_t *sets;  /* id -> title */
    json_t *rooms; /* id -> {room, set, name, task, materials, scope} in the order they were made */
    json_t *chat;
};

/* ---- out of the journal
 * -----------------------------------------------------------------------------------------------
 */

static void put_text(json_t *o, const char *key, const struct event *e)
{
    json_object_set_new(o, key, json_string(rtext_str(e->text)));
}

static json_t *room_of(struct groups *g, const struct id *id)
{
    char text[ID_TEXT_MAX];
    id_print(text, ID_ROOM, id);
    json_t *room = json_object_get(g->rooms, text);
    if (!room) {
        room = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "room", text, "set", "", "name", "",
                         "task", "", "materials", "", "scope", "members");
        json_object_set_new(g->rooms, text, room);
    }
    return room;
}

static void room_changed(struct groups *g, const struct event *e)
{
    static const char *const keys[] = {"name", "task", "materials"};
    if (e->a < sizeof(keys) / sizeof(keys[0])) {
        put_text(room_of(g, &e->device), keys[e->a], e);
    }
}

/* A set that was deleted takes its reports with it. */
static void set_deleted(struct groups *g, const char *set)
{
    const char *key;
    void *next;
    json_t *room;
    json_object_foreach_safe(g->rooms, next, key, room)
    {
        if (!strcmp(json_string_value(json_object_get(room, "set")), set)) {
            json_object_del(g->rooms, key);
        }
    }
}

static void add_chat(struct groups *g, const struct event *e)
{
    char room[ID_TEXT_MAX];
    const struct sheet *sheet = &g->e.history.sheet;
    for (uint32_t i = 0; i < sheet->here_count; i++) {
        const struct attendee *who = &sheet->here[i];
        if (id_equal(&who->person, &e->person) && !id_is_zero(&who->room)) {
            json_array_append_new(g->chat,
                                  json_pack("{s:I, s:I, s:s, s:s, s:s}", "seq", (json_int_t)e->seq,
                                            "at", (json_int_t)e->at, "name", attendance_name(who),
                                            "text", rtext_str(e->text), "room",
                                            id_print(room, ID_ROOM, &who->room)));
        }
    }
}

static int on_event(void *arg, const struct event *e)
{
    struct groups *g = arg;
    char set[ID_TEXT_MAX];
    id_print(set, ID_SET, &e->other);
    switch ((unsigned)e->type) {
    case EVENT_WS_CREATED:
        put_text(g->sets, set, e);
        break;
    case EVENT_WS_CHANGED:
        if (e->a == WS_KEY_TITLE) {
            put_text(g->sets, set, e);
        }
        break;
    case EVENT_WS_DELETED:
        set_deleted(g, set);
        break;
    case EVENT_WS_ROOM_ADDED:
        json_object_set_new(room_of(g, &e->device), "set", json_string(set));
        put_text(room_of(g, &e->device), "name", e);
        break;
    case EVENT_WS_ROOM_CHANGED:
        room_changed(g, e);
        break;
    case EVENT_WS_PUBLISHED:
        json_object_set_new(room_of(g, &e->device), "scope",
                            json_string(e->a == WS_FOR_ALL ? "all" : "members"));
        break;
    case EVENT_CHAT_POSTED:
        add_chat(g, e);
        break;
    default:
        break;
    }
    return 0;
}

/* ---- one room
 * --------------------------------------------------------------------------------------------- */

static json_t *stays_of(const struct attendee *who, const char *room)
{
    char text[ID_TEXT_MAX];
    json_t *stays = json_array();
    for (uint32_t i = 0; i < who->stay_count; i++) {
        const struct stay *s = &who->stays[i];
        if (!id_is_zero(&s->room) && !strcmp(id_print(text, ID_ROOM, &s->room), room)) {
            json_array_append_new(
                stays, json_pack("[I, I]", (json_int_t)s->in,
                                 s->out == SHEET_OPEN ? (json_int_t)0 : (json_int_t)s->out));
        }
    }
    return stays;
}

static json_t *people_of(const struct groups *g, const char *room, bool *mine)
{
    const struct sheet_session *session = g->e.report.session;
    char text[ID_TEXT_MAX];
    json_t *people = json_array();
    for (uint32_t i = 0; i < session->count; i++) {
        const struct attendee *who = &session->people[i];
        json_t *stays = stays_of(who, room);
        if (json_array_size(stays) == 0) {
            json_decref(stays);
            continue;
        }
        *mine = *mine || id_equal(&who->person, &g->e.person);
        json_array_append_new(people, json_pack("{s:s, s:s, s:o}", "person",
                                                id_print(text, ID_PERSON, &who->person), "name",
                                                attendance_name(who), "stays", stays));
    }
    return people;
}

/* Of the session asked for: from its number up to that of the next. */
static bool in_session(const struct groups *g, json_int_t seq)
{
    const struct sheet *sheet = &g->e.history.sheet;
    json_int_t from = (json_int_t)g->e.report.session->number;
    for (uint32_t i = 0; i < sheet->count; i++) {
        json_int_t other = (json_int_t)sheet->sessions[i].number;
        if (other > from && seq >= other) {
            return false;
        }
    }
    return seq >= from;
}

static json_t *chat_of(const struct groups *g, const char *room)
{
    json_t *out = json_array();
    size_t i;
    json_t *line;
    json_array_foreach(g->chat, i, line)
    {
        bool here = !strcmp(json_string_value(json_object_get(line, "room")), room);
        if (here && in_session(g, json_integer_value(json_object_get(line, "seq")))) {
            json_array_append(out, line);
        }
    }
    return out;
}

/* Every room with people in that session which this visitor may read. */
static json_t *reports_of(struct groups *g)
{
    json_t *out = json_array();
    const char *id;
    json_t *room;
    json_object_foreach(g->rooms, id, room)
    {
        bool mine = false;
        json_t *people = people_of(g, id, &mine);
        bool all = !strcmp(json_string_value(json_object_get(room, "scope")), "all");
        const char *set = json_string_value(json_object_get(room, "set"));
        json_t *title = json_object_get(g->sets, set);
        if (json_array_size(people) > 0 && (g->e.staff || mine || all)) {
            json_object_set(room, "people", people);
            json_object_set_new(room, "chat", chat_of(g, id));
            json_object_set(room, "title", title ? title : json_object_get(room, "name"));
            json_array_append(out, room);
        }
        json_decref(people);
    }
    return out;
}

/* ---- as a text
 * -------------------------------------------------------------------------------------------- */

static const char *member(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

static void write_people(FILE *out, const json_t *room, const char *zone, bool french)
{
    size_t i;
    json_t *person;
    (void)fprintf(out, "\n%s\n", french ? "Participants" : "People");
    json_array_foreach(json_object_get(room, "people"), i, person)
    {
        size_t k;
        json_t *stay;
        char from[OFFICE_CLOCK_MAX];
        char to[OFFICE_CLOCK_MAX];
        const char *name = member(person, "name");
        (void)fprintf(out, "- %s", *name ? name : french ? "(effacé)" : "(erased)");
        json_array_foreach(json_object_get(person, "stays"), k, stay)
        {
            int64_t end = json_integer_value(json_array_get(stay, 1));
            office_clock(from, json_integer_value(json_array_get(stay, 0)), zone);
            office_clock(to, end, zone);
            (void)fprintf(out, "%s%s–%s", k ? ", " : " : ", from, end ? to : "…");
        }
        (void)fputc('\n', out);
    }
}

static void write_room(FILE *out, const json_t *room, const char *zone, bool french)
{
    size_t i;
    json_t *line;
    char at[OFFICE_CLOCK_MAX];
    const json_t *chat = json_object_get(room, "chat");
    (void)fprintf(out, "\n## %s, %s\n", member(room, "title"), member(room, "name"));
    if (*member(room, "task")) {
        (void)fprintf(out, "\n%s\n%s\n", french ? "Consigne" : "Task", member(room, "task"));
    }
    if (*member(room, "materials")) {
        (void)fprintf(out, "\n%s\n%s\n", french ? "Documents" : "Materials",
                      member(room, "materials"));
    }
    write_people(out, room, zone, french);
    if (json_array_size(chat) > 0) {
        (void)fprintf(out, "\n%s\n", "Messages");
    }
    json_array_foreach(chat, i, line)
    {
        office_clock(at, json_integer_value(json_object_get(line, "at")), zone);
        (void)fprintf(out, "- %s %s : %s\n", at, member(line, "name"), member(line, "text"));
    }
}

static void answer_text(struct office_call *call, const struct groups *g, const json_t *reports)
{
    char lang[8];
    char zone[64];
    char *text = NULL;
    size_t len = 0;
    size_t i;
    json_t *room;
    FILE *out = open_memstream(&text, &len);
    office_query(call, "lang", lang, sizeof(lang));
    office_query(call, "zone", zone, sizeof(zone));
    bool french = strcmp(lang, "en") != 0;
    if (!out) {
        office_json(call, 200, NULL);
        return;
    }
    (void)fprintf(out, "# %s, %s\n", rtext_str(g->e.history.sheet.title),
                  french ? "comptes rendus des ateliers" : "workshop reports");
    json_array_foreach(reports, i, room)
    {
        write_room(out, room, office_zone_known(zone) ? zone : "Europe/Paris", french);
    }
    (void)fclose(out);
    void *bytes = text ? mem_dup(text, len) : NULL;
    free(text);
    office_bytes(call, "text/markdown; charset=utf-8", french ? "ateliers.md" : "workshops.md",
                 bytes, len);
}

static void groups_get(struct office_call *call)
{
    struct groups g = {.sets = json_object(), .rooms = json_object(), .chat = json_array()};
    char as[8];
    office_query(call, "as", as, sizeof(as));
    if (!evidence_open(call, &g.e, false, on_event, &g)) {
        bool there = g.e.staff ||
                     (g.e.report.session && sheet_person(g.e.report.session, &g.e.person) != NULL);
        if (!g.e.report.session || !there) {
            office_refuse(call, 404, "session");
        } else {
            json_t *reports = reports_of(&g);
            office_audit(call, "groups.read", office_part(call, 0), as);
            if (!strcmp(as, "text")) {
                answer_text(call, &g, reports);
                json_decref(reports);
            } else {
                office_json(call, 200, json_pack("{s:o}", "groups", reports));
            }
        }
    }
    json_decref(g.sets);
    json_decref(g.rooms);
    json_decref(g.chat);
    evidence_fini(&g.e);
}

static const struct office_route routes[] = {
    {IPC_GET, "/api/classes/*/groups", OFFICE_EITHER, OFFICE_DESK, groups_get},
};
const struct office_table office_groups_table = {routes, sizeof(routes) / sizeof(routes[0])};
