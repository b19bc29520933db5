#include "tests/unit/rig_view.h"

#include <string.h>

#include "signaling/journal/state.h"

static const char *str(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));
    return s ? s : "";
}

/* Index of the element whose key has this value, or the length. */
static size_t index_of(const json_t *list, const char *key, const char *value)
{
    size_t i = 0;
    while (i < json_array_size(list) && strcmp(str(json_array_get(list, i), key), value) != 0) {
        i++;
    }
    return i;
}

static json_t *find(const json_t *list, const char *key, const char *value)
{
    return json_array_get(list, index_of(list, key, value));
}

static void lower_hand(json_t *hands, const char *person)
{
    (void)json_array_remove(hands, index_of(hands, "person", person));
}

static void apply_device(json_t *person, const char *type, const json_t *ev)
{
    json_t *devices = json_object_get(person, "devices");
    if (strcmp(type, "device.joined") == 0) {
        json_array_append_new(devices, json_deep_copy(json_object_get(ev, "device")));
        return;
    }
    size_t at = index_of(devices, "id", str(ev, "device"));
    if (strcmp(type, "device.left") == 0) {
        (void)json_array_remove(devices, at);
        return;
    }
    static const char *const keys[] = {"mic", "cam", "screen", "sound"};
    for (size_t i = 0; i < 4; i++) {
        json_object_set(json_array_get(devices, at), keys[i], json_object_get(ev, keys[i]));
    }
}

static void set_or_drop(json_t *object, const char *key, json_t *list)
{
    if (json_array_size(list) > 0) {
        json_object_set(object, key, list);
    } else {
        (void)json_object_del(object, key);
    }
}

static void apply_person(json_t *view, const char *type, const json_t *ev)
{
    json_t *people = json_object_get(view, "people");
    if (strcmp(type, "person.joined") == 0) {
        json_t *waiting = json_object_get(view, "waiting");
        const char *who = str(json_object_get(ev, "person"), "id");
        (void)json_array_remove(waiting, index_of(waiting, "person", who));
        json_array_append_new(people, json_deep_copy(json_object_get(ev, "person")));
        return;
    }
    const char *id = str(ev, "person");
    if (strcmp(type, "person.left") == 0) {
        lower_hand(json_object_get(view, "hands"), id);
        (void)json_array_remove(people, index_of(people, "id", id));
        return;
    }
    json_t *person = find(people, "id", id);
    if (!person) {
        return;
    }
    if (strcmp(type, "person.away") == 0) {
        json_object_set(person, "away", json_object_get(ev, "away"));
    } else if (strcmp(type, "person.renamed") == 0) {
        json_object_set(person, "name", json_object_get(ev, "name"));
    } else if (strcmp(type, "role.changed") == 0) {
        json_object_set(person, "role", json_object_get(ev, "role"));
    } else if (strcmp(type, "person.moved") == 0) {
        lower_hand(json_object_get(view, "hands"), id);
        (void)json_object_del(person, "room");
        if (json_object_get(ev, "room")) {
            json_object_set(person, "room", json_object_get(ev, "room"));
        }
    } else if (strcmp(type, "person.granted") == 0) {
        set_or_drop(person, "granted", json_object_get(ev, "granted"));
        set_or_drop(person, "denied", json_object_get(ev, "denied"));
    } else {
        apply_device(person, type, ev);
    }
}

static void apply_minute(json_t *minutes, const char *type, const json_t *ev)
{
    if (strcmp(type, "minute.noted") == 0) {
        json_array_append_new(minutes, json_deep_copy(json_object_get(ev, "minute")));
    } else {
        (void)json_array_remove(minutes, index_of(minutes, "id", str(ev, "minute")));
    }
}

/* An event `x.set` replaces the members of the snapshot that it carries. */
static void replace_members(json_t *view, const json_t *ev)
{
    const char *key;
    json_t *value;
    void *at = NULL;
    json_t *copy = json_copy((json_t *)(uintptr_t)ev);
    for (at = json_object_iter(copy); at; at = json_object_iter_next(copy, at)) {
        key = json_object_iter_key(at);
        value = json_object_iter_value(at);
        if (strcmp(key, "e") != 0) {
            json_object_set_new(view, key, json_deep_copy(value));
        }
    }
    json_decref(copy);
}

static void apply_waiting(json_t *view, const char *type, const json_t *ev)
{
    json_t *list = json_object_get(view, "waiting");
    const json_t *waiter = json_object_get(ev, "waiter");
    bool put = strcmp(type, "waiting.put") == 0;
    size_t at = index_of(list, "person", put ? str(waiter, "person") : str(ev, "person"));
    if (!put) {
        (void)json_array_remove(list, at);
    } else if (at < json_array_size(list)) {
        json_array_set_new(list, at, json_deep_copy(waiter));
    } else {
        json_array_append_new(list, json_deep_copy(waiter));
    }
}

static void apply_moves(json_t *view, const json_t *ev)
{
    size_t i;
    const json_t *who;
    const json_t *list = json_object_get(ev, "people");
    json_array_foreach(list, i, who)
    {
        json_t *one = json_pack("{s:s, s:O}", "e", "person.moved", "person", who);
        if (json_object_get(ev, "room")) {
            json_object_set(one, "room", json_object_get(ev, "room"));
        }
        apply_person(view, "person.moved", one);
        json_decref(one);
    }
}

void rig_view_apply(json_t *view, const json_t *ev)
{
    const char *type = str(ev, "e");
    json_t *hands = json_object_get(view, "hands");
    json_t *chat = json_object_get(view, "chat");
    if (strcmp(type, "hand.raised") == 0) {
        lower_hand(hands, str(json_object_get(ev, "hand"), "person"));
        json_array_append_new(hands, json_deep_copy(json_object_get(ev, "hand")));
    } else if (strcmp(type, "hand.lowered") == 0) {
        lower_hand(hands, str(ev, "person"));
    } else if (strcmp(type, "chat.posted") == 0) {
        json_array_append_new(chat, json_deep_copy(json_object_get(ev, "chat")));
        if (json_array_size(chat) > STATE_CHAT_MAX) {
            json_array_remove(chat, 0);
        }
    } else if (strncmp(type, "minute.", 7) == 0) {
        apply_minute(json_object_get(view, "minutes"), type, ev);
    } else if (strcmp(type, "session.changed") == 0) {
        json_object_set(json_object_get(view, "class"), "state", json_object_get(ev, "state"));
        json_object_set(view, "times", json_object_get(ev, "times"));
    } else if (strlen(type) > 4 && strcmp(type + strlen(type) - 4, ".set") == 0) {
        replace_members(view, ev);
    } else if (strcmp(type, "people.moved") == 0) {
        apply_moves(view, ev);
    } else if (strncmp(type, "waiting.", 8) == 0) {
        apply_waiting(view, type, ev);
    } else {
        apply_person(view, type, ev);
    }
}
