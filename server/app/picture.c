#include "server/app/picture.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/map.h"
#include "codec/base/mem.h"
#include "codec/base/pool.h"

/* What the classroom allows one device. */
struct source {
    device_num device;
    room_num room;
    uint32_t publish;
    bool open;
    uint64_t since[SOURCE_COUNT]; /* order in which its sources opened */
};

/* A room somebody watches. */
struct watched {
    room_num room; /* 0 = free */
    struct picture_choice shown;
    mono_us at;
    device_num voice[10]; /* newest speakers, loudest first */
    uint32_t voices;
};

struct picture {
    struct pool sources;
    struct map by_device;
    uint64_t order;
    struct watched watched[PICTURE_ROOMS_MAX];
};

int picture_new(struct picture **out, uint32_t devices_max, uint64_t seed)
{
    *out = NULL;
    struct picture *s = mem_alloc(sizeof(*s));
    if (!s) {
        return E_NOMEM;
    }
    int err = pool_init(&s->sources, sizeof(struct source), devices_max);
    err = err ? err : map_init(&s->by_device, devices_max, seed);
    if (err) {
        picture_free(s);
        return err;
    }
    *out = s;
    return 0;
}

void picture_free(struct picture *s)
{
    if (s) {
        map_fini(&s->by_device);
        pool_fini(&s->sources);
        mem_free(s);
    }
}

static struct source *find(const struct picture *s, device_num device)
{
    uint64_t id;
    return map_find(&s->by_device, device, &id) ? pool_at(&s->sources, id) : NULL;
}

static struct source *get(struct picture *s, device_num device)
{
    pool_id id;
    struct source *found = find(s, device);
    if (found) {
        return found;
    }
    found = pool_get(&s->sources, &id);
    if (found && map_set(&s->by_device, device, id)) {
        pool_put(&s->sources, id);
        found = NULL;
    }
    if (found) {
        found->device = device;
    }
    return found;
}

static void forget(struct picture *s, device_num device)
{
    uint64_t id;
    if (map_find(&s->by_device, device, &id)) {
        (void)map_del(&s->by_device, device);
        pool_put(&s->sources, id);
    }
}

void picture_note(struct picture *s, const struct media_cmd *cmd)
{
    if (cmd->kind == MEDIA_CMD_CLOSE) {
        forget(s, cmd->device);
        return;
    }
    if (cmd->kind != MEDIA_CMD_OPEN && cmd->kind != MEDIA_CMD_ROOM &&
        cmd->kind != MEDIA_CMD_PUBLISH) {
        return;
    }
    struct source *d = get(s, cmd->device);
    if (!d) {
        return;
    }
    if (cmd->kind == MEDIA_CMD_OPEN) {
        d->open = true;
    } else if (cmd->kind == MEDIA_CMD_ROOM) {
        d->room = cmd->room;
    } else {
        for (unsigned i = 0; i < SOURCE_COUNT; i++) {
            if (cmd->publish & ~d->publish & 1u << i) {
                d->since[i] = ++s->order;
            }
        }
        d->publish = cmd->publish;
    }
}

uint32_t picture_publishes(const struct picture *s, device_num device, room_num room)
{
    const struct source *d = find(s, device);
    return d && d->open && d->room == room ? d->publish : 0;
}

static struct watched *watched_find(struct picture *s, room_num room)
{
    for (unsigned i = 0; i < PICTURE_ROOMS_MAX; i++) {
        if (s->watched[i].room == room) {
            return &s->watched[i];
        }
    }
    return NULL;
}

void picture_speaking(struct picture *s, const struct media_evt *evt)
{
    struct watched *w = evt->room ? watched_find(s, evt->room) : NULL;
    if (!w) {
        return;
    }
    w->voices = 0;
    for (uint32_t i = 0; i < evt->speaking.count && i < 10; i++) {
        w->voice[w->voices++] = evt->speaking.speaker[i].device;
    }
}

/* The newest screen, else the oldest camera. */
static struct picture_choice survey(const struct picture *s, room_num room)
{
    struct picture_choice best = {0};
    uint64_t screen = 0;
    uint64_t camera = UINT64_MAX;
    for (uint32_t i = 0; i < s->sources.touched; i++) {
        const struct source *d = pool_walk(&s->sources, i, NULL);
        uint32_t publish = d ? picture_publishes(s, d->device, room) : 0;
        if (publish & 1u << SOURCE_SCREEN && d->since[SOURCE_SCREEN] > screen) {
            screen = d->since[SOURCE_SCREEN];
            best = (struct picture_choice){d->device, SOURCE_SCREEN};
        } else if (!screen && publish & 1u << SOURCE_CAMERA && d->since[SOURCE_CAMERA] < camera) {
            camera = d->since[SOURCE_CAMERA];
            best = (struct picture_choice){d->device, SOURCE_CAMERA};
        }
    }
    return best;
}

/* The first of the newest speakers who shows a camera, or 0. */
static device_num speaker(const struct picture *s, const struct watched *w)
{
    for (uint32_t i = 0; i < w->voices; i++) {
        if (picture_publishes(s, w->voice[i], w->room) & 1u << SOURCE_CAMERA) {
            return w->voice[i];
        }
    }
    return 0;
}

struct picture_choice picture_of(struct picture *s, room_num room, mono_us now)
{
    struct watched *w = watched_find(s, room);
    struct picture_choice next = survey(s, room);
    if (!w) {
        w = watched_find(s, 0);
        if (!w) {
            return next; /* more rooms than we follow: no switching there */
        }
        *w = (struct watched){.room = room, .at = now - PICTURE_HOLD_US};
    }
    bool there =
        w->shown.publisher && picture_publishes(s, w->shown.publisher, room) >> w->shown.source & 1;
    if (next.source != SOURCE_SCREEN && next.publisher) {
        device_num voice = speaker(s, w);
        if (there && w->shown.source == SOURCE_CAMERA &&
            (!voice || voice == w->shown.publisher || now - w->at < PICTURE_HOLD_US)) {
            return w->shown;
        }
        next.publisher = voice ? voice : next.publisher;
    }
    if (next.publisher != w->shown.publisher || next.source != w->shown.source) {
        w->shown = next;
        w->at = now;
    }
    return w->shown;
}

void picture_forget(struct picture *s, room_num room)
{
    struct watched *w = watched_find(s, room);
    if (w && room) {
        *w = (struct watched){.room = 0};
    }
}
