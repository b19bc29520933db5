#include "server/app/rehearse.h"

#include <stdio.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "server/app/client.h"
#include "server/app/links.h"

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

/* A request that must succeed; NULL with one line in why. */
static json_t *ask(struct command_line *line, json_t *request, char *why, size_t cap)
{
    json_t *answer = NULL;
    if (client_request(line, request, false, &answer, why, cap) != 0) {
        return NULL;
    }
    if (!json_is_true(json_object_get(answer, "ok"))) {
        (void)snprintf(why, cap, "%s", text_of(answer, "why"));
        json_decref(answer);
        return NULL;
    }
    return answer;
}

static int make_link(struct command_line *line, const char *class_id, const char *role,
                     char out[LOAD_LINK_MAX], char *why, size_t cap)
{
    json_t *answer = ask(line, links_request(class_id, role, 86400, false), why, cap);
    if (!answer) {
        return E_STATE;
    }
    (void)snprintf(out, LOAD_LINK_MAX, "%s", text_of(answer, "link"));
    json_decref(answer);
    return 0;
}

static int make_room(struct command_line *line, const struct shape *shape, uint32_t i,
                     struct load_room *room, char *why, size_t cap)
{
    char title[200];
    (void)snprintf(title, sizeof(title), "[répétition] %s %u", shape->name, i + 1);
    json_t *answer = ask(line,
                         json_pack("{s:s, s:s, s:s}", "cmd", "class.create", "title", title, "type",
                                   shape_class_name(shape->class_type)),
                         why, cap);
    if (!answer) {
        return E_STATE;
    }
    (void)snprintf(room->class_id, sizeof(room->class_id), "%s", text_of(answer, "class"));
    json_decref(answer);
    int err = make_link(line, room->class_id, "host", room->host, why, cap);
    err = err ? err : make_link(line, room->class_id, "animator", room->animator, why, cap);
    return err ? err : make_link(line, room->class_id, "participant", room->participant, why, cap);
}

int rehearse_make(struct rehearsal *r, struct command_line *line, const struct shape *shape,
                  char *why, size_t why_cap)
{
    *r = (struct rehearsal){.line = line};
    r->rooms = mem_alloc(sizeof(*r->rooms) * shape->rooms);
    if (!r->rooms) {
        (void)snprintf(why, why_cap, "%s", err_text(E_NOMEM));
        return E_NOMEM;
    }
    for (uint32_t i = 0; i < shape->rooms; i++) {
        r->count = i + 1;
        int err = make_room(line, shape, i, &r->rooms[i], why, why_cap);
        if (err) {
            rehearse_end(r);
            return err;
        }
    }
    return 0;
}

int rehearse_present(struct rehearsal *r)
{
    char why[512];
    int sum = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        json_t *answer = ask(
            r->line, json_pack("{s:s, s:s}", "cmd", "class.show", "class", r->rooms[i].class_id),
            why, sizeof(why));
        sum += (int)json_integer_value(json_object_get(answer, "present"));
        json_decref(answer);
    }
    return sum;
}

void rehearse_end(struct rehearsal *r)
{
    char why[512];
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->rooms[i].class_id[0]) {
            json_decref(ask(
                r->line, json_pack("{s:s, s:s}", "cmd", "class.end", "class", r->rooms[i].class_id),
                why, sizeof(why)));
        }
    }
    mem_free(r->rooms);
    r->rooms = NULL;
    r->count = 0;
}
