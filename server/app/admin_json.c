#include "server/app/admin_json.h"

#include <string.h>

#include "codec/base/err.h"
#include "server/app/admin_roll.h"

static const char *const type_names[CLASS_TYPE_COUNT] = {"standard", "webinar", "round-table"};
static const char *const role_names[ROLE_COUNT] = {
    "participant", "animator", "host", "speaker", "listener", "interpreter", "recorder"};

const char *admin_json_type_name(enum class_type type)
{
    return type_names[type];
}

const char *admin_json_role_name(enum role role)
{
    return role_names[role];
}

static int bad(char *why, size_t cap, const char *text)
{
    snprintf(why, cap, "%s", text);
    return E_BAD;
}

/* Position of the text at key among count names; fallback when the key is absent; -1 otherwise. */
static int choice(const json_t *doc, const char *key, const char *const *names, int count,
                  int fallback)
{
    const json_t *v = json_object_get(doc, key);
    const char *text = json_string_value(v);
    if (!v) {
        return fallback;
    }
    for (int i = 0; text && i < count; i++) {
        if (!strcmp(text, names[i])) {
            return i;
        }
    }
    return -1;
}

static int parse_id(struct id *out, const json_t *doc, const char *key, enum id_kind kind)
{
    const json_t *v = json_object_get(doc, key);
    return v ? id_parse(out, kind, json_string_value(v) ? json_string_value(v) : "",
                        json_string_length(v))
             : E_NOTFOUND;
}

/* {"waiting-room":"manual", "duration":90}: each a setting of settings.def. */
static int parse_settings(struct admin_json *a, char *why, size_t cap)
{
    json_t *settings = json_object_get(a->doc, "settings");
    const char *key;
    json_t *value;
    json_object_foreach(settings, key, value)
    {
        char digits[24];
        int number = setting_find(key, strlen(key));
        const char *text = json_string_value(value);
        if (json_is_integer(value)) {
            snprintf(digits, sizeof(digits), "%lld", (long long)json_integer_value(value));
            text = digits;
        }
        struct admin_setting *to = &a->settings[a->request.setting_count];
        if (number < 0 || a->request.setting_count == SETTING_COUNT) {
            snprintf(why, cap, "%s is no setting of a class", key);
            return E_BAD;
        }
        to->number = (unsigned)number;
        if (!text || setting_read(to->number, text, strlen(text), &to->value)) {
            const struct setting_row *row = setting_row((unsigned)number);
            snprintf(why, cap, "%s must be %s", key,
                     row->choices ? row->choices : "a number within its bounds");
            return E_BAD;
        }
        a->request.setting_count++;
    }
    a->request.settings = a->settings;
    return 0;
}

/* [[start, minutes], ...]: all dates of the class. */
static int parse_dates(struct admin_json *a, char *why, size_t cap)
{
    const json_t *list = json_object_get(a->doc, "dates");
    size_t count = json_array_size(list);
    if (!list) {
        return 0;
    }
    bool good = json_is_array(list) && count <= DATES_MAX;
    for (size_t i = 0; i < count && good; i++) {
        const json_t *date = json_array_get(list, i);
        int64_t minutes = json_integer_value(json_array_get(date, 1));
        a->dates[i].start = json_integer_value(json_array_get(date, 0));
        a->dates[i].minutes = (uint16_t)minutes;
        good = json_array_size(date) == 2 && minutes >= 0 && minutes <= DATE_MINUTES_MAX;
    }
    if (!good || !dates_ok(a->dates, count)) {
        return bad(why, cap, "dates must be [[start, minutes], ...], ascending, 260 at most");
    }
    a->request.dates = a->dates;
    a->request.date_count = count;
    return 0;
}

static int parse_create(struct admin_json *a, char *why, size_t cap)
{
    const char *text = json_string_value(json_object_get(a->doc, "type"));
    /* The underscore is how earlier releases spelled it. */
    bool old = text && !strcmp(text, "round_table");
    int type = old ? CLASS_ROUND_TABLE
                   : choice(a->doc, "type", type_names, CLASS_TYPE_COUNT, CLASS_STANDARD);
    a->request.kind = ADMIN_CLASS_CREATE;
    a->request.title = json_string_value(json_object_get(a->doc, "title"));
    if (!a->request.title || !*a->request.title) {
        return bad(why, cap, "a class needs a title");
    }
    if (type < 0) {
        return bad(why, cap, "type must be standard, webinar or round-table");
    }
    a->request.class_type = (enum class_type)type;
    int err = parse_dates(a, why, cap);
    return err ? err : parse_settings(a, why, cap);
}

static int parse_limits(struct admin_json *a, char *why, size_t cap)
{
    static const char *const names[] = {"people_per_class", "people", "classes_at_once"};
    a->request.kind = ADMIN_LIMITS;
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const json_t *v = json_object_get(a->doc, names[i]);
        if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > 1000000) {
            return bad(why, cap, "limits are people_per_class, people and classes_at_once");
        }
        a->request.limit[i] = (uint32_t)json_integer_value(v);
    }
    return 0;
}

static int parse_edit(struct admin_json *a, const char *cmd, char *why, size_t cap)
{
    bool edit = !strcmp(cmd, "class.edit");
    a->request.kind = edit                            ? ADMIN_CLASS_EDIT
                      : !strcmp(cmd, "class.archive") ? ADMIN_CLASS_ARCHIVE
                                                      : ADMIN_CLASS_BIN;
    a->request.title = edit ? json_string_value(json_object_get(a->doc, "title")) : NULL;
    a->request.bin = json_is_true(json_object_get(a->doc, "bin"));
    a->request.archive = json_is_true(json_object_get(a->doc, "archive"));
    if (parse_id(&a->request.class_id, a->doc, "class", ID_CLASS)) {
        return bad(why, cap, "class must be an id like c_...");
    }
    int err = parse_dates(a, why, cap);
    return err ? err : parse_settings(a, why, cap);
}

/* A bearer token of the standard doors instead of a link for people. */
static bool is_pass(struct admin_json *a)
{
    const char *role = json_string_value(json_object_get(a->doc, "role"));
    a->request.publish = role && !strcmp(role, "whip");
    return a->request.publish || (role && !strcmp(role, "whep"));
}

static int parse_link(struct admin_json *a, char *why, size_t cap)
{
    bool pass = is_pass(a);
    int role =
        pass ? ROLE_SPEAKER : choice(a->doc, "role", role_names, ROLE_COUNT, ROLE_PARTICIPANT);
    const json_t *ttl = json_object_get(a->doc, "ttl_s");
    int err = parse_id(&a->request.person, a->doc, "person", ID_PERSON);
    a->request.kind = pass ? ADMIN_PASS : ADMIN_LINK;
    a->request.title = json_string_value(json_object_get(a->doc, "name"));
    if (role < 0) {
        return bad(why, cap,
                   "role must be participant, speaker, animator, host, listener, "
                   "interpreter, recorder, whip or whep");
    }
    if (err && err != E_NOTFOUND) {
        return bad(why, cap, "person must be an id like p_...");
    }
    if (ttl && (!json_is_integer(ttl) || json_integer_value(ttl) < 0 ||
                json_integer_value(ttl) > 400LL * 86400)) {
        return bad(why, cap, "ttl_s must be 0 to 34560000 seconds");
    }
    a->request.role = (enum role)role;
    a->request.ttl_s = (uint32_t)json_integer_value(ttl);
    a->request.single = json_is_true(json_object_get(a->doc, "single"));
    return 0;
}

/* "pass.list" and "pass.withdraw": the second names a token by its id or by itself. */
static int parse_pass(struct admin_json *a, const char *cmd, char *why, size_t cap)
{
    bool list = !strcmp(cmd, "pass.list");
    a->request.kind = list ? ADMIN_PASS_LIST : ADMIN_PASS_WITHDRAW;
    if (parse_id(&a->request.class_id, a->doc, "class", ID_CLASS)) {
        return bad(why, cap, "class must be an id like c_...");
    }
    a->request.title = list ? NULL : json_string_value(json_object_get(a->doc, "token"));
    if (!list && !a->request.title && parse_id(&a->request.pass, a->doc, "pass", ID_PASS)) {
        return bad(why, cap, "pass must be an id like t_... (amphi link --list), or a token");
    }
    return 0;
}

int admin_json_parse(struct admin_json *out, const char *text, size_t len, char *why,
                     size_t why_cap)
{
    json_error_t error;
    memset(out, 0, sizeof(*out));
    out->doc = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    const char *cmd = json_string_value(json_object_get(out->doc, "cmd"));
    if (!cmd) {
        return bad(why, why_cap, "not a request");
    }
    if (!strcmp(cmd, "capacity")) {
        out->kind = ADMIN_JSON_CAPACITY;
        return 0;
    }
    if (!strcmp(cmd, "drain") || !strcmp(cmd, "status")) {
        out->kind = *cmd == 'd' ? ADMIN_JSON_DRAIN : ADMIN_JSON_STATUS;
        return 0;
    }
    if (!strcmp(cmd, "class.create")) {
        return parse_create(out, why, why_cap);
    }
    if (!strcmp(cmd, "class.list")) {
        out->request.kind = ADMIN_CLASS_LIST;
        return 0;
    }
    if (!strcmp(cmd, "limits")) {
        return parse_limits(out, why, why_cap);
    }
    if (!strcmp(cmd, "pass.list") || !strcmp(cmd, "pass.withdraw")) {
        return parse_pass(out, cmd, why, why_cap);
    }
    bool roll = admin_roll_kind(cmd, &out->request.kind);
    bool everybody = !strcmp(cmd, "class.forget_all") || !strcmp(cmd, "class.unsay");
    bool show = !strcmp(cmd, "class.show");
    bool link = !strcmp(cmd, "link");
    bool forget = !strcmp(cmd, "class.forget");
    if (!strcmp(cmd, "class.edit") || !strcmp(cmd, "class.bin") || !strcmp(cmd, "class.archive")) {
        return parse_edit(out, cmd, why, why_cap);
    }
    if (!roll && !show && !link && !forget && !everybody && strcmp(cmd, "class.end") != 0) {
        return bad(why, why_cap, "unknown request");
    }
    if (everybody) {
        out->request.kind = !strcmp(cmd, "class.unsay") ? ADMIN_UNSAY : ADMIN_FORGET_ALL;
    } else if (!roll) {
        out->request.kind = show ? ADMIN_CLASS_SHOW : forget ? ADMIN_FORGET : ADMIN_CLASS_END;
    }
    if (parse_id(&out->request.class_id, out->doc, "class", ID_CLASS)) {
        return bad(why, why_cap, "class must be an id like c_...");
    }
    if (forget && parse_id(&out->request.person, out->doc, "person", ID_PERSON)) {
        return bad(why, why_cap, "person must be an id like p_... (amphi class show)");
    }
    if (roll) {
        return admin_roll_parse(&out->request, out->doc, why, why_cap);
    }
    return link ? parse_link(out, why, why_cap) : 0;
}

void admin_json_fini(struct admin_json *in)
{
    json_decref(in->doc);
    memset(in, 0, sizeof(*in));
}

char *admin_json_refusal(int err, const char *why)
{
    json_t *o = json_pack("{s:b, s:s, s:s}", "ok", 0, "code", err_name(err), "why", why);
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    json_decref(o);
    return text;
}

char *admin_json_answer(int err, const char *json, size_t len)
{
    json_error_t error;
    json_t *o = json_loadb(json ? json : "", json ? len : 0, 0, &error);
    const char *why = json_string_value(json_object_get(o, "why"));
    char *text = NULL;
    if (err) {
        text = admin_json_refusal(err, why ? why : err_text(err));
    } else {
        json_t *ok = json_pack("{s:b}", "ok", 1);
        if (ok && (!o || json_object_update(ok, o) == 0)) {
            text = json_dumps(ok, JSON_COMPACT);
        }
        json_decref(ok);
    }
    json_decref(o);
    return text;
}
