/* The class editor: classes are made, changed, copied, thrown away and taken back. */
#include "server/app/office_class.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/text.h"
#include "server/app/office_dates.h"
#include "server/app/office_evidence.h"
#include "server/app/office_invite.h"
#include "server/app/office_series.h"
#include "server/app/office_tables.h"
#include "server/app/office_when.h"
#include "signaling/class/token.h"

enum {
    SERIES_MAX = 60,    /* classes made at once */
    UNSEALED_LOOKS = 4, /* at journals, for one list */
    STARTS_MAX = 260,
    TITLE_MAX = 200,
    NOTE_MAX = 4000,
    MINUTES_MIN = 5,
    MINUTES_MAX = 1440,
    CAPACITY_MAX = 5000,
    PASS_NAME_MAX = 80, /* characters a camera is called by */
    REMINDERS_ALL = 31, /* 1 h, 2 h, 1 day, 2 days, 1 week */
};

/* What a page sends for a class. */
struct plan {
    const char *title;
    const char *type;
    const char *zone;
    const char *lang;
    const char *note;
    json_t *settings; /* borrowed */
    char settings_text[2048];
    int64_t minutes;
    bool permanent;
    int64_t capacity;
    bool open;
    int64_t reminders;
    bool together; /* one class that goes from date to date, not one for each */
    int64_t starts[STARTS_MAX];
    size_t start_count;
};

const char *office_row_text(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    return text ? text : "";
}

int64_t office_row_number(const json_t *row, const char *key)
{
    return json_integer_value(json_object_get(row, key));
}

json_t *office_class_row(struct office_call *call, const struct id *class_id)
{
    json_t *row = people_row(call->people, PEOPLE_CLASS_GET, "d", class_id);
    if (!row || office_row_number(row, "binned")) {
        json_decref(row);
        office_refuse(call, 404, "not_found");
        return NULL;
    }
    return row;
}

/* ---- reading a plan
 * ------------------------------------------------------------------------------------------ */

static bool text_ok(const char *text, size_t min, size_t max)
{
    size_t n = text_utf8_count(text, strlen(text));
    bool ink = min == 0;
    for (const char *c = text; *c; c++) {
        if (((unsigned char)*c < 0x20 && *c != '\n') || *c == 0x7f) {
            return false;
        }
        ink = ink || *c != ' ';
    }
    return ink && n >= min && n <= max;
}

/* Dates in order and one after the other; none for a permanent class. NULL, or what is wrong. */
static const char *read_starts(struct plan *p, const json_t *list, wall_ms now)
{
    const int64_t year = 366LL * 86400000;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        int64_t at = json_integer_value(v);
        size_t most = p->together ? STARTS_MAX : SERIES_MAX;
        if (!json_is_integer(v)) {
            return "start";
        }
        if (i == most) {
            return "start_many";
        }
        if (at < now - year || at > now + 5 * year) {
            return "start_far";
        }
        if (i > 0 && at <= p->starts[i - 1]) {
            return "start_order";
        }
        if (i > 0 && p->together && at < p->starts[i - 1] + p->minutes * 60000) {
            return "start_overlap";
        }
        p->starts[p->start_count++] = at;
    }
    return p->permanent && p->start_count ? "start" : NULL;
}

/* NULL, or the word for what is wrong. */
static const char *read_plan(struct office_call *call, struct plan *p)
{
    const char *type = office_text(call, "type");
    const char *zone = office_text(call, "zone");
    p->title = office_text(call, "title");
    p->type = *type ? type : "standard";
    p->zone = *zone ? zone : "Europe/Paris";
    p->lang = !strcmp(office_text(call, "lang"), "en") ? "en" : "fr";
    p->note = office_text(call, "note");
    p->minutes = office_number(call, "minutes", 60);
    p->capacity = office_number(call, "capacity", 0);
    p->reminders = office_number(call, "reminders", 0);
    p->permanent = json_is_true(json_object_get(call->body, "permanent"));
    p->together = json_is_true(json_object_get(call->body, "together"));
    p->open = json_is_true(json_object_get(call->body, "open"));
    p->settings = json_object_get(call->body, "settings");
    char *text = json_is_object(p->settings) ? json_dumps(p->settings, JSON_COMPACT) : NULL;
    bool fits = !text || strlen(text) < sizeof(p->settings_text);
    snprintf(p->settings_text, sizeof(p->settings_text), "%s", text && fits ? text : "{}");
    free(text);
    if (!text_ok(p->title, 1, TITLE_MAX) || strchr(p->title, '\n')) {
        return "title";
    }
    if (strcmp(p->type, "standard") != 0 && strcmp(p->type, "webinar") != 0 &&
        strcmp(p->type, "round-table") != 0) {
        return "type";
    }
    if (!office_zone_known(p->zone)) {
        return "zone";
    }
    if (!text_ok(p->note, 0, NOTE_MAX) || !fits) {
        return "note";
    }
    if (p->minutes < MINUTES_MIN || p->minutes > MINUTES_MAX) {
        return "minutes";
    }
    if (p->capacity < 0 || p->capacity > CAPACITY_MAX || p->reminders < 0 ||
        p->reminders > REMINDERS_ALL) {
        return "capacity";
    }
    return read_starts(p, json_object_get(call->body, "starts"), call->now);
}

/* Settings of the live class: what the page chose and what the plan says itself. */
static json_t *live_settings(const struct plan *p, int64_t start)
{
    json_t *s = json_is_object(p->settings) ? json_deep_copy(p->settings) : json_object();
    if (!p->together) {
        json_object_set_new(s, "start", json_integer(start));
        json_object_set_new(s, "duration", json_integer(start ? p->minutes : 0));
    }
    json_object_set_new(s, "permanent", json_string(p->permanent ? "on" : "off"));
    return s;
}

/* The date that counts for reminders and lists: the first that is not over. */
static int64_t next_start(const struct plan *p, wall_ms now)
{
    size_t i = 0;
    while (p->together && i + 1 < p->start_count && p->starts[i] + p->minutes * 60000 <= now) {
        i++;
    }
    return p->start_count ? p->starts[i] : 0;
}

/* The classroom's answer: 0, or the refusal is the answer. */
static int settled(struct office_call *call, const json_t *answer)
{
    const char *code = json_string_value(json_object_get(answer, "code"));
    if (json_is_true(json_object_get(answer, "ok"))) {
        return 0;
    }
    if (!answer || !code) {
        office_failed(call, E_BUSY);
        return E_BUSY;
    }
    if (!strcmp(code, "E_STATE")) {
        office_refuse(call, 409, "state");
        return E_STATE;
    }
    if (!strcmp(code, "E_LIMIT") || !strcmp(code, "E_BUSY")) {
        office_failed(call, E_BUSY);
        return E_BUSY;
    }
    if (!strcmp(code, "E_FULL") || !strcmp(code, "E_IO")) {
        int err = code[2] == 'F' ? E_FULL : E_IO;
        office_failed(call, err);
        return err;
    }
    office_refuse(call, 422, "settings");
    return E_BAD;
}

/* ---- making
 * ------------------------------------------------------------------------------------------ */

static int make_one(struct office_call *call, const struct plan *p, int64_t start,
                    const struct id *series, struct id *out)
{
    json_t *request = json_pack("{s:s, s:s, s:s, s:o}", "cmd", "class.create", "title", p->title,
                                "type", p->type, "settings", live_settings(p, start));
    if (p->together) {
        json_object_set_new(request, "dates",
                            office_dates(json_array(), p->starts, p->start_count, p->minutes));
    }
    json_t *answer = office_classroom(call, request);
    int err = settled(call, answer);
    const char *text = office_row_text(answer, "class");
    if (!err && id_parse(out, ID_CLASS, text, strlen(text))) {
        office_failed(call, E_BAD);
        err = E_BAD;
    }
    json_decref(answer);
    if (!err) {
        err = people_run(call->people, PEOPLE_CLASS_ADD, "ddttiiittttdiiii", out, &call->account.id,
                         p->title, p->type, start, p->minutes, (int64_t)p->permanent, p->zone,
                         p->lang, p->note, p->settings_text, series, p->capacity, (int64_t)p->open,
                         p->reminders, (int64_t)call->now);
        if (err) {
            office_failed(call, err);
        }
    }
    return err;
}

static void classes_post(struct office_call *call)
{
    struct plan p = {.title = NULL};
    struct id series = {{0}};
    char text[ID_TEXT_MAX];
    const char *wrong = read_plan(call, &p);
    if (wrong) {
        office_refuse(call, 422, wrong);
        return;
    }
    json_t *ids = json_array();
    size_t count = p.start_count && !p.together ? p.start_count : 1;
    for (size_t i = 0; i < count; i++) {
        struct id id;
        bool many = count > 1 && i > 0;
        int64_t start = count > 1 ? p.starts[i] : next_start(&p, call->now);
        if (make_one(call, &p, start, many ? &series : NULL, &id)) {
            json_decref(ids); /* those made so far stay: they are in the list */
            return;
        }
        if (p.together) {
            office_series_follow(call, &id);
        }
        series = i == 0 ? id : series;
        json_array_append_new(ids, json_string(id_print(text, ID_CLASS, &id)));
        office_audit(call, "class.added", text, p.title);
    }
    office_json(call, 201, json_pack("{s:o}", "classes", ids));
}

/* ---- reading
 * ------------------------------------------------------------------------------------------ */

int office_adopt(struct office_call *call, const json_t *live)
{
    const char *text = office_row_text(live, "id");
    const char *type = office_row_text(live, "type");
    struct id id;
    if (id_parse(&id, ID_CLASS, text, strlen(text))) {
        return E_BAD;
    }
    int64_t minutes = office_row_number(live, "minutes");
    return people_run(
        call->people, PEOPLE_CLASS_ADD, "ddttiiittttdiiii", &id, &call->account.id,
        office_row_text(live, "title"), !strcmp(type, "round_table") ? "round-table" : type,
        office_row_number(live, "start"), minutes ? minutes : (int64_t)60,
        (int64_t)!strcmp(office_row_text(live, "kind"), "permanent"), "Europe/Paris", "fr", "",
        "{}", NULL, (int64_t)0, (int64_t)0, (int64_t)0, office_row_number(live, "created"));
}

/* Puts what happens there now beside each row; an administrator takes over what nobody owns. */
static bool join_live(struct office_call *call, json_t *rows, const json_t *live)
{
    size_t i;
    json_t *value;
    bool adopted = false;
    unsigned budget = UNSEALED_LOOKS;
    json_array_foreach(json_object_get(live, "classes"), i, value)
    {
        const char *id = office_row_text(value, "id");
        size_t k;
        json_t *row;
        bool found = false;
        json_array_foreach(rows, k, row)
        {
            if (!strcmp(office_row_text(row, "id"), id)) {
                json_object_set(row, "state", json_object_get(value, "state"));
                json_object_set(row, "present", json_object_get(value, "present"));
                json_object_set(row, "at_door", json_object_get(value, "waiting"));
                json_object_set(row, "ended", json_object_get(value, "ended"));
                json_object_set(row, "kind", json_object_get(value, "kind"));
                json_object_set(row, "archived", json_object_get(value, "archived"));
                json_object_set_new(row, "unsealed",
                                    json_integer(evidence_unsealed(
                                        call, row, office_row_text(value, "state"), &budget)));
                found = true;
                break;
            }
        }
        if (!found && call->account.admin && !json_is_true(json_object_get(value, "ended"))) {
            adopted = office_adopt(call, value) == 0 || adopted;
        }
    }
    return adopted;
}

static void classes_get(struct office_call *call)
{
    json_t *live = office_classroom(call, json_pack("{s:s}", "cmd", "class.list"));
    json_t *rows = people_rows(call->people, PEOPLE_CLASSES_OF, "d", &call->account.id);
    if (join_live(call, rows, live)) {
        json_decref(rows);
        rows = people_rows(call->people, PEOPLE_CLASSES_OF, "d", &call->account.id);
        (void)join_live(call, rows, live);
    }
    json_decref(live);
    office_json(call, 200,
                json_pack("{s:o, s:I}", "classes", rows ? rows : json_array(), "now",
                          (json_int_t)call->now));
}

static void class_get(struct office_call *call)
{
    struct id id;
    if (office_class(call, 0, &id)) {
        return;
    }
    json_t *row = office_class_row(call, &id);
    if (!row) {
        return;
    }
    json_error_t error;
    json_t *live = office_classroom(
        call, json_pack("{s:s, s:s}", "cmd", "class.show", "class", office_part(call, 0)));
    json_t *settings = json_object_get(live, "settings");
    json_object_set(row, "state", json_object_get(live, "state"));
    json_object_set(row, "present", json_object_get(live, "present"));
    json_object_set(row, "ended", json_object_get(live, "ended"));
    json_object_set(row, "kind", json_object_get(live, "kind"));
    json_object_set(row, "archived", json_object_get(live, "archived"));
    json_object_set(row, "dates", json_object_get(live, "dates"));
    if (json_is_object(settings)) { /* what the class itself says, also when changed inside it */
        json_object_set(row, "settings", settings);
    } else {
        json_object_set_new(row, "settings",
                            json_loads(office_row_text(row, "settings"), 0, &error));
    }
    json_object_set_new(row, "staff", people_rows(call->people, PEOPLE_STAFF_LIST, "d", &id));
    json_decref(live);
    office_json(call, 200, row);
}

/* ---- changing
 * ------------------------------------------------------------------------------------------ */

/* Invited people know another date now: they are written to, and asked again whether they come. */
static void date_changed(struct office_call *call, const struct id *id, bool moved)
{
    if (moved) {
        (void)people_run(call->people, PEOPLE_ENROLLED_AGAIN, "d", id);
    }
    bool mail = office_config(call)->mail_from[0] != '\0';
    int64_t told = mail ? office_invite_stale(call, id) : 0;
    if (told) {
        office_look(call->office);
    }
    office_json(call, 200, json_pack("{s:I}", "told", (json_int_t)told));
}

static void class_patch(struct office_call *call)
{
    struct plan p = {.title = NULL};
    struct id id;
    if (office_class(call, 0, &id)) {
        return;
    }
    json_t *row = office_class_row(call, &id);
    const char *wrong = row ? read_plan(call, &p) : NULL;
    bool one = p.start_count <= 1 || p.together;
    int64_t before = office_row_number(row, "start");
    json_decref(row);
    if (!row) {
        return;
    }
    if (wrong || !one) {
        office_refuse(call, 422, wrong ? wrong : "start");
        return;
    }
    int64_t start = next_start(&p, call->now);
    /* Dates that have begun stay as they were. */
    json_t *dates = p.together ? office_dates_begun(call, office_part(call, 0)) : json_array();
    dates = office_dates(dates, p.starts, p.together ? p.start_count : 0, p.minutes);
    json_t *answer =
        office_classroom(call, json_pack("{s:s, s:s, s:s, s:o, s:o}", "cmd", "class.edit", "class",
                                         office_part(call, 0), "title", p.title, "settings",
                                         live_settings(&p, start), "dates", dates));
    int err = settled(call, answer);
    json_decref(answer);
    if (err) {
        return;
    }
    err = people_run(call->people, PEOPLE_CLASS_SET, "dtiiittttiii", &id, p.title, start, p.minutes,
                     (int64_t)p.permanent, p.zone, p.lang, p.note, p.settings_text, p.capacity,
                     (int64_t)p.open, p.reminders);
    if (err) {
        office_failed(call, err);
        return;
    }
    office_series_follow(call, &id);
    office_audit(call, "class.changed", office_part(call, 0), p.title);
    office_fill_places(call, &id); /* a higher capacity lets people in */
    date_changed(call, &id, start != before);
}

static void bin(struct office_call *call, bool in)
{
    struct id id;
    if (office_class(call, 0, &id)) {
        return;
    }
    json_t *answer = office_classroom(call, json_pack("{s:s, s:s, s:b}", "cmd", "class.bin",
                                                      "class", office_part(call, 0), "bin", in));
    json_t *live = office_classroom(
        call, json_pack("{s:s, s:s}", "cmd", "class.show", "class", office_part(call, 0)));
    bool empty = office_row_number(live, "present") == 0;
    int err = json_is_true(json_object_get(answer, "ok")) || (live && empty) ? 0 : E_STATE;
    err = live ? err : E_BUSY;
    json_decref(answer);
    json_decref(live);
    if (err == E_STATE) {
        office_refuse(call, 409, "inside");
        return;
    }
    err =
        err ? err
            : people_run(call->people, PEOPLE_CLASS_BIN, "di", &id, (int64_t)(in ? call->now : 0));
    if (err) {
        office_failed(call, err);
        return;
    }
    office_audit(call, in ? "class.binned" : "class.restored", office_part(call, 0), "");
    date_changed(call, &id, false);
}

static void class_delete(struct office_call *call)
{
    bin(call, true);
}

static void class_restore(struct office_call *call)
{
    bin(call, false);
}

/* ---- ways in
 * ------------------------------------------------------------------------------------------ */

static void class_enter(struct office_call *call)
{
    struct id id;
    char person[ID_TEXT_MAX];
    if (office_class(call, 0, &id)) {
        return;
    }
    json_t *row = office_class_row(call, &id);
    if (!row) {
        return;
    }
    id_print(person, ID_PERSON, &call->account.id);
    bool owner = !strcmp(office_row_text(row, "owner"), person);
    json_decref(row);
    json_t *answer = office_classroom(
        call, json_pack("{s:s, s:s, s:s, s:s, s:b}", "cmd", "link", "class", office_part(call, 0),
                        "role", owner ? "host" : "animator", "person", person, "single", 1));
    if (!settled(call, answer)) {
        (void)office_expect(call, &id); /* whoever does not come stands on the sheet too */
        office_audit(call, "class.entered", office_part(call, 0), owner ? "host" : "animator");
        office_json(call, 200, json_pack("{s:O}", "link", json_object_get(answer, "link")));
    }
    json_decref(answer);
}

/* A link for people, or the bearer token of a standard door: whip (one camera or encoder, which
 * comes in under a name) or whep (any number of players). */
static void class_link(struct office_call *call)
{
    static const char *const roles[] = {"participant", "speaker",  "animator", "host", "listener",
                                        "interpreter", "recorder", "whip",     "whep"};
    const char *role = office_text(call, "role");
    const char *name = office_text(call, "name");
    struct id id;
    bool known = false;
    if (office_class(call, 0, &id)) {
        return;
    }
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        known = known || !strcmp(roles[i], role);
    }
    if (!known) {
        office_refuse(call, 422, "role");
        return;
    }
    bool camera = !strcmp(role, "whip");
    if ((camera || !strcmp(role, "whep")) &&
        (!text_ok(name, camera, PASS_NAME_MAX) || strlen(name) > TOKEN_NAME_MAX ||
         strchr(name, '\n'))) {
        office_refuse(call, 422, "name");
        return;
    }
    json_t *answer =
        office_classroom(call, json_pack("{s:s, s:s, s:s, s:s, s:I}", "cmd", "link", "class",
                                         office_part(call, 0), "role", role, "name", name, "ttl_s",
                                         (json_int_t)office_number(call, "days", 400) * 86400));
    if (!strcmp(office_row_text(answer, "code"), "E_LIMIT")) {
        office_refuse(call, 409, "passes");
    } else if (!settled(call, answer)) {
        office_audit(call, "link.made", office_part(call, 0), role);
        office_json(call, 200,
                    json_pack("{s:O, s:O, s:O?}", "link", json_object_get(answer, "link"),
                              "expires", json_object_get(answer, "expires"), "pass",
                              json_object_get(answer, "pass")));
    }
    json_decref(answer);
}

/* Tokens of the standard doors that work now. */
static void links_get(struct office_call *call)
{
    struct id id;
    if (office_class(call, 0, &id)) {
        return;
    }
    json_t *answer = office_classroom(
        call, json_pack("{s:s, s:s}", "cmd", "pass.list", "class", office_part(call, 0)));
    if (!settled(call, answer)) {
        office_json(call, 200, json_pack("{s:O}", "passes", json_object_get(answer, "passes")));
    }
    json_decref(answer);
}

/* One of them works no more, and whoever came by it is gone. */
static void link_delete(struct office_call *call)
{
    struct id id;
    if (office_class(call, 0, &id)) {
        return;
    }
    json_t *answer =
        office_classroom(call, json_pack("{s:s, s:s, s:s}", "cmd", "pass.withdraw", "class",
                                         office_part(call, 0), "pass", office_part(call, 1)));
    const char *code = office_row_text(answer, "code");
    if (!strcmp(code, "E_NOTFOUND") || !strcmp(code, "E_BAD")) {
        office_refuse(call, 404, "not_found");
    } else if (!settled(call, answer)) {
        office_audit(call, "link.withdrawn", office_part(call, 0), office_part(call, 1));
        office_json(call, 200, json_object());
    }
    json_decref(answer);
}

/* A colleague who prepares and leads with me. */
static void staff_post(struct office_call *call)
{
    char mail[ACCOUNT_MAIL_MAX + 1];
    struct id id;
    struct id account;
    if (office_class(call, 0, &id)) {
        return;
    }
    json_t *row = account_mail(mail, office_text(call, "mail"))
                      ? NULL
                      : people_row(call->people, PEOPLE_ACCOUNT_BY_MAIL, "t", mail);
    const char *text = office_row_text(row, "id");
    if (!row || id_parse(&account, ID_PERSON, text, strlen(text))) {
        office_refuse(call, 422, "no_account");
    } else if (people_run(call->people, PEOPLE_STAFF_ADD, "dd", &id, &account)) {
        office_failed(call, E_BUSY);
    } else {
        office_audit(call, "staff.added", office_part(call, 0), mail);
        office_json(call, 200, json_object());
    }
    json_decref(row);
}

static void staff_delete(struct office_call *call)
{
    struct id id;
    struct id account;
    if (office_class(call, 0, &id) || office_person(call, 1, &account)) {
        return;
    }
    int err = people_run(call->people, PEOPLE_STAFF_DEL, "dd", &id, &account);
    if (err) {
        office_failed(call, err);
        return;
    }
    office_audit(call, "staff.removed", office_part(call, 0), office_part(call, 1));
    office_json(call, 200, json_object());
}

void office_class_mail(struct office_call *call, enum office_letter letter, const char *word,
                       const json_t *class_row, const struct office_person *person,
                       const char *link)
{
    char when[OFFICE_WHEN_MAX];
    char id[ID_TEXT_MAX];
    char mail_id[64];
    id_print(id, ID_PERSON, &person->id);
    snprintf(mail_id, sizeof(mail_id), "%s-%.12s-%s", word, office_row_text(class_row, "id") + 2,
             id + 2);
    struct office_mail mail = {.letter = letter,
                               .french = person->french,
                               .id = mail_id,
                               .to_name = person->name,
                               .to_mail = person->mail,
                               .title = office_row_text(class_row, "title"),
                               .start =
                                   office_when(when, office_row_number(class_row, "start"),
                                               office_row_number(class_row, "minutes"),
                                               office_row_text(class_row, "zone"), person->french),
                               .link = link};
    (void)office_mail(call, &mail);
}

static const struct office_route routes[] = {
    {IPC_GET, "/api/classes", OFFICE_STAFF, OFFICE_DESK, classes_get},
    {IPC_POST, "/api/classes", OFFICE_STAFF, OFFICE_DESK, classes_post},
    {IPC_GET, "/api/classes/*", OFFICE_STAFF, OFFICE_DESK, class_get},
    {IPC_PATCH, "/api/classes/*", OFFICE_STAFF, OFFICE_DESK, class_patch},
    {IPC_DELETE, "/api/classes/*", OFFICE_STAFF, OFFICE_DESK, class_delete},
    {IPC_POST, "/api/classes/*/restore", OFFICE_STAFF, OFFICE_DESK, class_restore},
    {IPC_POST, "/api/classes/*/enter", OFFICE_STAFF, OFFICE_DESK, class_enter},
    {IPC_GET, "/api/classes/*/links", OFFICE_STAFF, OFFICE_DESK, links_get},
    {IPC_POST, "/api/classes/*/links", OFFICE_STAFF, OFFICE_DESK, class_link},
    {IPC_DELETE, "/api/classes/*/links/*", OFFICE_STAFF, OFFICE_DESK, link_delete},
    {IPC_POST, "/api/classes/*/staff", OFFICE_STAFF, OFFICE_DESK, staff_post},
    {IPC_DELETE, "/api/classes/*/staff/*", OFFICE_STAFF, OFFICE_DESK, staff_delete},
};

const struct office_table office_class_table = {routes, sizeof(routes) / sizeof(routes[0])};
