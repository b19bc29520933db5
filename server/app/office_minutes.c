/*
 * The minutes of a session as far as the server knows them: what was noted, who spoke in which
 * order from when to when, how long everybody had the floor. To read, and as a text to complete and
 * keep. For whoever was there; times are left out where only staff is told them.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "server/app/office_evidence.h"
#include "server/app/office_tables.h"
#include "server/app/office_when.h"
#include "signaling/journal/state.h"
#include "signaling/schema/schema.h"

enum { TURNS_MAX = 2000 };

struct minutes_of {
    struct evidence e;
    json_t *turns; /* {seq, at, until, ms, person, reply, how, mode} */
    json_t *notes; /* {seq, id, at, kind, text, person} */
    json_t *open;  /* the turn that runs, of `turns`; NULL = nobody has the floor */
    struct id holder;
    unsigned mode;
    bool staff_times; /* how long one spoke is told to staff only */
};

/* ---- out of the journal
 * ------------------------------------------------------------------------------------------ */

static void turn_end(struct minutes_of *m, const struct event *e, int64_t ms, unsigned how)
{
    if (!m->open) {
        return;
    }
    int64_t from = json_integer_value(json_object_get(m->open, "at"));
    json_object_set_new(m->open, "until", json_integer((json_int_t)e->at));
    json_object_set_new(m->open, "ms", json_integer((json_int_t)(ms >= 0 ? ms : e->at - from)));
    json_object_set_new(m->open, "how", json_string(schema_spell(ENUM_turn_end, (int)how)));
    m->open = NULL;
    m->holder = (struct id){{0}};
}

static json_t *turn_add(struct minutes_of *m, const struct event *e, bool reply, unsigned how)
{
    char person[ID_TEXT_MAX];
    if (json_array_size(m->turns) >= TURNS_MAX) {
        return NULL;
    }
    json_t *turn = json_pack("{s:I, s:I, s:I, s:I, s:s, s:b, s:s, s:s}", "seq", (json_int_t)e->seq,
                             "at", (json_int_t)e->at, "until", (json_int_t)0, "ms", (json_int_t)0,
                             "person", id_print(person, ID_PERSON, &e->person), "reply", (int)reply,
                             "how", schema_spell(ENUM_turn_end, (int)how), "mode",
                             schema_spell(ENUM_floor_mode, (int)m->mode));
    return json_array_append_new(m->turns, turn) ? NULL : turn;
}

static void note_add(struct minutes_of *m, const struct event *e)
{
    char person[ID_TEXT_MAX];
    char id[ID_TEXT_MAX];
    json_array_append_new(
        m->notes, json_pack("{s:I, s:s, s:I, s:s, s:s, s:s}", "seq", (json_int_t)e->seq, "id",
                            id_print(id, ID_MESSAGE, &e->other), "at", (json_int_t)e->at, "kind",
                            schema_spell(ENUM_minute_kind, (int)e->a), "text", rtext_str(e->text),
                            "person", id_print(person, ID_PERSON, &e->person)));
}

static void note_strike(struct minutes_of *m, const struct event *e)
{
    char id[ID_TEXT_MAX];
    id_print(id, ID_MESSAGE, &e->other);
    for (size_t i = json_array_size(m->notes); i-- > 0;) {
        json_t *note = json_array_get(m->notes, i);
        if (!strcmp(json_string_value(json_object_get(note, "id")), id)) {
            json_array_remove(m->notes, i);
        }
    }
}

static void on_floor(struct minutes_of *m, const struct event *e)
{
    switch ((unsigned)e->type) {
    case EVENT_FLOOR_MODE:
        turn_end(m, e, -1, TURN_DONE);
        m->mode = e->a < FLOOR_MODE_COUNT ? e->a : FLOOR_OPEN;
        break;
    case EVENT_FLOOR_GIVEN:
        turn_end(m, e, -1, TURN_DONE);
        m->open = turn_add(m, e, e->b == 1, TURN_DONE);
        m->holder = e->person;
        break;
    case EVENT_FLOOR_ENDED:
        turn_end(m, e, e->b, e->a < TURN_END_COUNT ? e->a : TURN_DONE);
        break;
    case EVENT_FLOOR_UNLISTED:
        if (e->a == TURN_PASSED || e->a == TURN_SKIPPED) {
            (void)turn_add(m, e, false, e->a);
        }
        break;
    default:
        break;
    }
}

static int on_event(void *arg, const struct event *e)
{
    struct minutes_of *m = arg;
    bool gone = e->type == EVENT_PERSON_LEFT || e->type == EVENT_PERSON_MOVED;
    if (e->type == EVENT_MINUTE_NOTED) {
        note_add(m, e);
    } else if (e->type == EVENT_MINUTE_STRUCK) {
        note_strike(m, e);
    } else if (e->type == EVENT_CLASS_SET && e->a == SETTING_TIMES) {
        m->staff_times = e->n != 0;
    } else if (gone && id_equal(&e->person, &m->holder)) {
        turn_end(m, e, -1, TURN_DONE); /* whoever leaves takes his turn with him */
    } else if (e->type == EVENT_SESSION_CHANGED && e->a == SESSION_CLOSED) {
        turn_end(m, e, -1, TURN_DONE);
        m->mode = FLOOR_OPEN;
    } else {
        on_floor(m, e);
    }
    return 0;
}

/* ---- of the session asked for
 * --------------------------------------------------------------------------------------------- */

static bool in_session(const struct minutes_of *m, const json_t *entry)
{
    const struct sheet *sheet = &m->e.history.sheet;
    json_int_t seq = json_integer_value(json_object_get(entry, "seq"));
    json_int_t from = (json_int_t)m->e.report.session->number;
    for (uint32_t i = 0; i < sheet->count; i++) {
        json_int_t other = (json_int_t)sheet->sessions[i].number;
        if (other > from && seq >= other) {
            return false;
        }
    }
    return seq >= from;
}

static const char *name_of(const struct minutes_of *m, const char *person)
{
    struct id id;
    if (id_parse(&id, ID_PERSON, person, strlen(person))) {
        return "";
    }
    const struct attendee *who = sheet_person(m->e.report.session, &id);
    return who ? attendance_name(who) : "";
}

static json_t *chosen(const struct minutes_of *m, json_t *list, bool times)
{
    json_t *out = json_array();
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry)
    {
        if (!in_session(m, entry)) {
            continue;
        }
        const char *person = json_string_value(json_object_get(entry, "person"));
        json_object_set_new(entry, "name", json_string(name_of(m, person)));
        if (!times) {
            (void)json_object_del(entry, "ms");
            (void)json_object_del(entry, "until");
        }
        json_array_append(out, entry);
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

static const char *shown(const json_t *o, bool french)
{
    const char *name = member(o, "name");
    return *name ? name : french ? "(effacé)" : "(erased)";
}

struct text_of {
    FILE *out;
    const char *zone;
    bool french;
};

static void write_people(const struct text_of *t, const struct sheet_session *s)
{
    (void)fprintf(t->out, "\n## %s\n\n", t->french ? "Présents" : "Present");
    for (uint32_t i = 0; i < s->count; i++) {
        const struct attendee *who = &s->people[i];
        if (who->stay_count > 0) {
            const char *name = attendance_name(who);
            (void)fprintf(t->out, "- %s\n", *name ? name : t->french ? "(effacé)" : "(erased)");
        }
    }
}

static void write_span(const struct text_of *t, const json_t *turn)
{
    int64_t ms = json_integer_value(json_object_get(turn, "ms"));
    if (json_object_get(turn, "ms")) {
        (void)fprintf(t->out, " (%" PRId64 ":%02" PRId64 ")", ms / 60000, ms / 1000 % 60);
    }
}

static void write_turns(const struct text_of *t, const json_t *turns)
{
    static const char *const ends[2][3] = {
        {"", ", passed", ", skipped"},
        {"", ", a passé son tour", ", tour sauté"},
    };
    size_t i;
    json_t *turn;
    (void)fprintf(t->out, "\n## %s\n\n", t->french ? "Ordre de parole" : "Who spoke");
    json_array_foreach(turns, i, turn)
    {
        char at[OFFICE_CLOCK_MAX];
        const char *how = member(turn, "how");
        unsigned end = !strcmp(how, "passed") ? 1 : !strcmp(how, "skipped") ? 2 : 0;
        office_clock(at, json_integer_value(json_object_get(turn, "at")), t->zone);
        (void)fprintf(t->out, "%zu. %s %s%s%s", i + 1, at, shown(turn, t->french),
                      !json_is_true(json_object_get(turn, "reply")) ? ""
                      : t->french                                   ? ", droit de réponse"
                                                                    : ", right of reply",
                      ends[t->french][end]);
        if (!end) {
            write_span(t, turn);
        }
        (void)fputc('\n', t->out);
    }
    if (json_array_size(turns) == 0) {
        (void)fprintf(t->out, "%s\n", t->french ? "La parole était libre." : "The floor was open.");
    }
}

/* What was noted of one kind; a line to fill in where there is nothing. */
static void write_notes(const struct text_of *t, const json_t *notes, const char *kind,
                        const char *title)
{
    size_t i;
    json_t *note;
    bool any = false;
    (void)fprintf(t->out, "\n## %s\n\n", title);
    json_array_foreach(notes, i, note)
    {
        char at[OFFICE_CLOCK_MAX];
        if (!strcmp(member(note, "kind"), kind)) {
            office_clock(at, json_integer_value(json_object_get(note, "at")), t->zone);
            (void)fprintf(t->out, "- %s %s\n", at, member(note, "text"));
            any = true;
        }
    }
    if (!any) {
        (void)fprintf(t->out, "- %s\n", t->french ? "(à compléter)" : "(to be completed)");
    }
}

static void write_all(const struct text_of *t, const struct minutes_of *m, const json_t *turns,
                      const json_t *notes)
{
    char when[OFFICE_WHEN_MAX];
    const struct sheet_session *s = m->e.report.session;
    bool closed = s->closed != SHEET_OPEN;
    int64_t minutes = closed ? (s->closed - s->opened + 59999) / 60000 : 0;
    (void)fprintf(t->out, "# %s, %s\n\n%s", rtext_str(m->e.history.sheet.title),
                  t->french ? "compte rendu" : "minutes",
                  office_when(when, s->opened, minutes, t->zone, t->french));
    write_people(t, s);
    write_notes(t, notes, "decision", t->french ? "Décisions" : "Decisions");
    write_notes(t, notes, "task", t->french ? "À faire" : "To do");
    write_notes(t, notes, "point", t->french ? "Points à retenir" : "Points to keep");
    write_turns(t, turns);
}

static void answer_text(struct office_call *call, const struct minutes_of *m, const json_t *turns,
                        const json_t *notes)
{
    char lang[8];
    char zone[64];
    char *text = NULL;
    size_t len = 0;
    office_query(call, "lang", lang, sizeof(lang));
    office_query(call, "zone", zone, sizeof(zone));
    struct text_of t = {.out = open_memstream(&text, &len),
                        .zone = office_zone_known(zone) ? zone : "Europe/Paris",
                        .french = strcmp(lang, "en") != 0};
    if (!t.out) {
        office_json(call, 200, NULL);
        return;
    }
    write_all(&t, m, turns, notes);
    (void)fclose(t.out);
    void *bytes = text ? mem_dup(text, len) : NULL;
    free(text);
    office_bytes(call, "text/markdown; charset=utf-8", t.french ? "compte-rendu.md" : "minutes.md",
                 bytes, len);
}

static void answer(struct office_call *call, struct minutes_of *m)
{
    char as[8];
    office_query(call, "as", as, sizeof(as));
    json_t *turns = chosen(m, m->turns, m->e.staff || !m->staff_times);
    json_t *notes = chosen(m, m->notes, true);
    office_audit(call, "minutes.read", office_part(call, 0), as);
    if (!strcmp(as, "text")) {
        answer_text(call, m, turns, notes);
        json_decref(turns);
        json_decref(notes);
    } else {
        office_json(call, 200, json_pack("{s:o, s:o}", "turns", turns, "notes", notes));
    }
}

static void minutes_get(struct office_call *call)
{
    struct minutes_of m = {.turns = json_array(), .notes = json_array()};
    if (!evidence_open(call, &m.e, false, on_event, &m)) {
        bool there = m.e.staff ||
                     (m.e.report.session && sheet_person(m.e.report.session, &m.e.person) != NULL);
        if (!m.e.report.session || !there) {
            office_refuse(call, 404, "session");
        } else {
            answer(call, &m);
        }
    }
    json_decref(m.turns);
    json_decref(m.notes);
    evidence_fini(&m.e);
}

static const struct office_route routes[] = {
    {IPC_GET, "/api/classes/*/minutes", OFFICE_EITHER, OFFICE_DESK, minutes_get},
};
const struct office_table office_minutes_table = {routes, sizeof(routes) / sizeof(routes[0])};
