#include "tests/sim/class_say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/schema/settings.h"

static uint32_t below(const struct say *s, uint32_t n)
{
    return rng_below(s->rng, n);
}

static bool percent(const struct say *s, uint32_t p)
{
    return below(s, 100) < p;
}

/* What the page sees, or what another one does. */
static const json_t *view_of(const struct say *s)
{
    return s->page->blind ? s->lens->view : s->page->view;
}

/* ---- ids: everything the page was told that looks like one
 * ------------------------------------- */

struct search {
    char prefix;
    size_t count;
    size_t want;
    const char *found;
};

static void look(const json_t *value, struct search *find)
{
    const char *text = json_string_value(value);
    if (text && text[0] == find->prefix && text[1] == '_' && strlen(text) == 28) {
        find->found = find->count == find->want ? text : find->found;
        find->count++;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        look(json_array_get(value, i), find);
    }
    if (json_is_object(value)) {
        union {
            const json_t *in;
            json_t *out;
        } object = {.in = value};
        for (void *at = json_object_iter(object.out); at;
             at = json_object_iter_next(object.out, at)) {
            look(json_object_iter_value(at), find);
        }
    }
}

static json_t *say_id(const struct say *s, enum id_kind kind)
{
    char nobody[ID_TEXT_MAX];
    struct id id = {.b = {[15] = 1}};
    (void)id_print(nobody, kind, &id);
    const struct rig_page *any = &s->rig->pages[below(s, (uint32_t)s->rig->page_count)];
    const json_t *view = percent(s, 85) ? view_of(s) : any->blind ? s->lens->view : any->view;
    struct search find = {.prefix = nobody[0], .want = SIZE_MAX};
    look(view, &find);
    if (find.count == 0 || percent(s, 3)) {
        return json_string(nobody);
    }
    find.want = below(s, (uint32_t)find.count);
    find.count = 0;
    look(view, &find);
    return json_string(find.found ? find.found : nobody);
}

/* ---- fields
 * --------------------------------------------------------------------------------------- */

static json_t *say_string(const struct say *s, const struct schema_field *f)
{
    static const char *const words[] = {"abcd", "0123456789012345678901", "bonjour", "oui"};
    char text[80];
    if (f->ref == STR_ICE || f->ref == STR_HEX) {
        (void)snprintf(text, sizeof(text), "%0*d", (int)f->low, 0);
        return json_string(text);
    }
    if (f->ref == STR_OPAQUE || f->low > 4) {
        return json_string(words[1]);
    }
    (void)snprintf(text, sizeof(text), "%s%u", words[2 + below(s, 2)], below(s, 100));
    return json_string(text);
}

static json_t *say_int(const struct say *s, const struct schema_field *f)
{
    int64_t high = f->high - f->low > 60 ? f->low + 60 : f->high;
    return json_integer(f->low + below(s, (uint32_t)(high - f->low) + 1));
}

static json_t *say_enum(const struct say *s, const struct schema_field *f)
{
    const char *const *values = schema_enum((enum schema_enum_id)f->ref)->values;
    uint32_t count = 0;
    while (values[count]) {
        count++;
    }
    return json_string(values[below(s, count)]);
}

static json_t *say_field(const struct say *s, const struct schema_field *f);

static json_t *say_shape(const struct say *s, const struct schema_shape *shape)
{
    if (shape->kind == SHAPE_ALIAS) {
        return say_field(s, &shape->fields[0]);
    }
    json_t *out = shape->kind == SHAPE_TUPLE ? json_array() : json_object();
    for (size_t i = 0; i < shape->count; i++) {
        const struct schema_field *f = &shape->fields[i];
        if (shape->kind == SHAPE_TUPLE) {
            json_array_append_new(out, say_field(s, f));
        } else if (!f->optional || percent(s, 50)) {
            json_object_set_new(out, f->name, say_field(s, f));
        }
    }
    return out;
}

static json_t *say_list(const struct say *s, const struct schema_field *f)
{
    json_t *out = json_array();
    int64_t more = f->high - f->low > 3 ? 3 : f->high - f->low;
    int64_t count = f->low + below(s, (uint32_t)more + 1);
    for (int64_t i = 0; i < count; i++) {
        json_array_append_new(out, say_shape(s, schema_shape((enum schema_shape_id)f->ref)));
    }
    return out;
}

static json_t *say_field(const struct say *s, const struct schema_field *f)
{
    switch (f->type) {
    case FIELD_STR:
        return say_string(s, f);
    case FIELD_INT:
        return say_int(s, f);
    case FIELD_BOOL:
        return json_boolean(percent(s, strcmp(f->name, "ban") == 0 ? 40 : 50));
    case FIELD_ENUM:
        return say_enum(s, f);
    case FIELD_ID:
        return say_id(s, (enum id_kind)f->ref);
    case FIELD_SHAPE:
        return say_shape(s, schema_shape((enum schema_shape_id)f->ref));
    case FIELD_LIST:
        return say_list(s, f);
    }
    return json_null();
}

/* ---- messages that need more than their types say
 * ----------------------------------------------- */

static void mend_setting(const struct say *s, json_t *m)
{
    unsigned number;
    const struct setting_row *row;
    do {
        number = below(s, SETTING_COUNT);
        row = setting_row(number);
    } while (!row);
    char value[40];
    int64_t high = row->high > 100 ? 100 : row->high;
    int64_t n = row->low + below(s, (uint32_t)(high - row->low) + 1);
    json_object_set_new(m, "key", json_string(row->key));
    json_object_set_new(m, "value", json_string(setting_print(number, n, value, sizeof(value))));
}

static void mend_offer(json_t *m)
{
    /* Distinct numbers, as a browser gives them. */
    json_t *offer =
        json_pack("{s:s, s:s, s:s, s:[i,i], s:{s:[i]}, s:{s:[i,i]}, s:{}, s:{s:i}, "
                  "s:[i,i,i,i,i]}",
                  "u", "abcd", "p", "0123456789012345678901", "f",
                  "0000000000000000000000000000000000000000000000000000000000000000", "n", 5, 16,
                  "a", "opus", 111, "v", "vp8", 96, 97, "xa", "xv", "mid", 4, "s", 1, 0, 3, 4, 5);
    json_object_set_new(m, "offer", offer);
}

/* Somebody of this list, when the page knows of any. */
static void mend_person(const struct say *s, json_t *m, const json_t *list)
{
    size_t count = json_array_size(list);
    if (count > 0 && percent(s, 80)) {
        json_object_set(m, "person",
                        json_object_get(json_array_get(list, below(s, (uint32_t)count)), "person"));
    }
}

/* An encoder that is here: it alone may be opened from afar. */
static void mend_encoder(const struct say *s, json_t *m)
{
    size_t from = below(s, (uint32_t)s->rig->page_count);
    for (size_t i = 0; i < s->rig->page_count && percent(s, 90); i++) {
        const struct rig_page *p = &s->rig->pages[(from + i) % s->rig->page_count];
        if (p->inside && p->encoder) {
            json_object_set_new(m, "person", json_string(p->person));
            return;
        }
    }
}

/* The presence check that runs. */
static void mend_check(const struct say *s, json_t *m)
{
    const json_t *check = json_array_get(json_object_get(view_of(s), "checks"), 0);
    if (check) {
        json_object_set(m, "check", json_object_get(check, "id"));
    }
}

/* A line of the minutes, when there is any. */
static void mend_minute(const struct say *s, json_t *m)
{
    const json_t *list = json_object_get(view_of(s), "minutes");
    size_t count = json_array_size(list);
    if (count && percent(s, 90)) {
        const json_t *one = json_array_get(list, below(s, (uint32_t)count));
        json_object_set(m, "minute", json_object_get(one, "id"));
    }
}

/* Member `key` of an element of a list of the view whose state is this one, when there is any. */
static void mend_from(const struct say *s, json_t *m, const char *list, const char *state,
                      const char *key, const char *as)
{
    const json_t *from = json_object_get(view_of(s), list);
    size_t count = json_array_size(from);
    size_t at = count ? below(s, (uint32_t)count) : 0;
    for (size_t i = 0; i < count && percent(s, 90); i++) {
        const json_t *one = json_array_get(from, (at + i) % count);
        const char *is = json_string_value(json_object_get(one, "state"));
        if (is && strcmp(is, state) == 0) {
            json_object_set(m, as, json_object_get(one, key));
            return;
        }
    }
}

/* Workshops: what is closed is kept, what calls is helped, what is ready opens. */
static void mend_workshop(const struct say *s, json_t *m, enum msg_type type)
{
    switch ((unsigned)type) {
    case MSG_WS_ARCHIVE:
        mend_from(s, m, "workshops", "closed", "id", "set");
        break;
    case MSG_WS_OPEN:
        mend_from(s, m, "workshops", percent(s, 50) ? "draft" : "closed", "id", "set");
        break;
    case MSG_WS_CLOSE:
        json_object_set_new(m, "seconds", json_integer(percent(s, 40) ? 0 : 300));
        break;
    case MSG_WS_TIME:
        json_object_set_new(m, "minutes", json_integer((int64_t)below(s, 40) - 10));
        break;
    case MSG_WS_HELP_TAKE:
        mend_from(s, m, "calls", "asked", "room", "room");
        break;
    case MSG_WS_HELP_END:
        mend_from(s, m, "calls", percent(s, 50) ? "asked" : "taken", "room", "room");
        break;
    default:
        break;
    }
}

json_t *say_message(const struct say *s, enum msg_type type)
{
    const struct schema_msg *row = schema_msg(type);
    json_t *m = json_object();
    char id[32];
    json_object_set_new(m, "t", json_string(row->name));
    if (row->flags & (MSG_CMD | MSG_ASK)) {
        (void)snprintf(id, sizeof(id), "g%u", s->number);
        json_object_set_new(m, "id", json_string(id));
    }
    for (size_t i = 0; i < row->count; i++) {
        const struct schema_field *f = &row->fields[i];
        if (!f->optional || percent(s, 60)) {
            json_object_set_new(m, f->name, say_field(s, f));
        }
    }
    switch ((unsigned)type) {
    case MSG_CLASS_SET:
        mend_setting(s, m);
        break;
    case MSG_MEDIA_OFFER:
        mend_offer(m);
        break;
    case MSG_WAIT_ADMIT:
    case MSG_WAIT_REFUSE:
        mend_person(s, m, json_object_get(view_of(s), "waiting"));
        break;
    case MSG_FLOOR_UNLIST:
        mend_person(s, m, json_object_get(json_object_get(view_of(s), "floor"), "list"));
        break;
    case MSG_PERSON_UNBAN:
        mend_person(s, m, json_object_get(view_of(s), "barred"));
        break;
    case MSG_PERSON_UNMUTE:
        mend_encoder(s, m);
        break;
    case MSG_CHECK_ANSWER:
        mend_check(s, m);
        break;
    case MSG_MINUTE_STRIKE:
        mend_minute(s, m);
        break;
    case MSG_FLOOR_DONE:
        if (percent(s, 60)) {
            (void)json_object_del(m, "to");
        }
        break;
    case MSG_SESSION_END:
        json_object_set_new(m, "after", json_integer(below(s, 600)));
        break;
    default:
        mend_workshop(s, m, type);
        break;
    }
    return m;
}

static struct rig_page *page_of_person(const struct say *s, const char *person)
{
    for (size_t i = 0; person && i < s->rig->page_count; i++) {
        struct rig_page *p = &s->rig->pages[i];
        if (p->inside && strcmp(p->person, person) == 0) {
            return p;
        }
    }
    return NULL;
}

static struct rig_page *page_of_host(const struct say *s)
{
    const json_t *people = json_object_get(view_of(s), "people");
    for (size_t i = 0; i < json_array_size(people); i++) {
        const json_t *p = json_array_get(people, i);
        const char *role = json_string_value(json_object_get(p, "role"));
        if (role && strcmp(role, "host") == 0) {
            return page_of_person(s, json_string_value(json_object_get(p, "id")));
        }
    }
    return NULL;
}

struct rig_page *say_actor(const struct say *s, enum msg_type type)
{
    enum right right = schema_msg(type)->right;
    struct rig_page *actor = NULL;
    bool staff =
        right != RIGHT_NONE && !right_has(right_table(ROLE_PARTICIPANT, CLASS_STANDARD), right);
    if (type == MSG_FLOOR_DONE || type == MSG_FLOOR_PASS) {
        const json_t *turn = json_object_get(json_object_get(view_of(s), "floor"), "turn");
        actor = page_of_person(s, json_string_value(json_object_get(turn, "person")));
    } else if (staff) {
        actor = page_of_host(s);
    }
    return actor && percent(s, 60) ? actor : s->page;
}

unsigned say_weight(enum msg_type type)
{
    switch ((unsigned)type) {
    case MSG_SESSION_END:
        return 5;
    case MSG_WS_DELETE:
    case MSG_WS_ROOM_CLOSE:
        return 6;
    case MSG_WS_OPEN:
    case MSG_WS_CANCEL:
    case MSG_WS_GO:
    case MSG_WS_HELP:
    case MSG_WS_PLACE:
    case MSG_PERSON_UNBAN:
        return 60;
    case MSG_LEAVE:
    case MSG_PERSON_REMOVE:
    case MSG_WAIT_REFUSE:
    case MSG_CLASS_SET:
    case MSG_FLOOR_MODE:
        return 10;
    case MSG_MEDIA_STATE:
    case MSG_HAND_RAISE:
    case MSG_FLOOR_GIVE:
    case MSG_FLOOR_NEXT:
    case MSG_FLOOR_DONE:
        return 80;
    case MSG_PERSON_WAIT:
    case MSG_ROLE_SET:
        return 15;
    default:
        return 30;
    }
}
