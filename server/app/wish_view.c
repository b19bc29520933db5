/* WHEP viewers and the mixes they listen to, in words of the media server. */
#include <string.h>

#include "codec/base/err.h"
#include "codec/sys/log.h"
#include "server/app/wish_state.h"

enum { HEIGHT_MAX = 2160 };

static void command(const struct wish *w, const struct media_cmd *cmd)
{
    w->config.media_h(w->config.arg, cmd);
}

/* ---- mixes --------------------------------------------------------------------------------------
 */

static void mix_start(struct wish *w, struct wish_mix *m, const struct wish_session *s)
{
    m->out = WISH_OWN | ++w->rooms;
    m->device = WISH_DEVICE | ++w->devices;
    m->token = wish_token(w);
    struct media_cmd open = {.kind = MEDIA_CMD_OPEN,
                             .device = m->device,
                             .token = m->token,
                             .inner = true,
                             .class_num = s->class_num,
                             .class_size = s->class_size};
    struct media_cmd room = {.kind = MEDIA_CMD_ROOM, .device = m->device, .room = m->out};
    struct media_cmd ears = {
        .kind = MEDIA_CMD_EARS, .device = m->device, .ears = {.ears = 1, .ear = {m->room}}};
    struct media_cmd publish = {
        .kind = MEDIA_CMD_PUBLISH, .device = m->device, .publish = 1u << SOURCE_MIC};
    command(w, &open);
    command(w, &room);
    command(w, &ears);
    command(w, &publish);
    w->stats.mixes++;
}

static struct wish_mix *mix_get(struct wish *w, const struct wish_session *s, device_num publisher)
{
    struct wish_mix *free_mix = NULL;
    for (unsigned i = 0; i < WISH_MIXES_MAX; i++) {
        struct wish_mix *m = &w->mix[i];
        if (m->room == s->room && id_equal(&m->person, &s->person)) {
            m->listeners++;
            return m;
        }
        free_mix = free_mix || m->room ? free_mix : m;
    }
    if (!free_mix) {
        log_warn("wish", "no room for another mix: a viewer hears nothing");
        return NULL;
    }
    *free_mix = (struct wish_mix){.room = s->room,
                                  .class_id = s->class_id,
                                  .person = s->person,
                                  .publisher = publisher,
                                  .listeners = 1};
    mix_start(w, free_mix, s);
    return free_mix;
}

static void mix_put(struct wish *w, struct wish_mix *m)
{
    if (m && --m->listeners == 0) {
        command(w, &(struct media_cmd){.kind = MEDIA_CMD_CLOSE, .device = m->device});
        *m = (struct wish_mix){.room = 0};
        w->stats.mixes--;
    }
}

static void mix_choose(struct wish *w, const struct wish_mix *m)
{
    if (m->publisher && m->ssrc_base) {
        w->config.mix_only_h(w->config.arg, m->device, m->publisher, &m->slots, m->ssrc_base);
    }
}

/* An encoder that died comes again as another device of the same person. */
static void mixes_follow(struct wish *w)
{
    for (unsigned i = 0; i < WISH_MIXES_MAX && w->stats.mixes; i++) {
        struct wish_mix *m = &w->mix[i];
        if (!m->room || id_is_zero(&m->person)) {
            continue;
        }
        device_num now = classroom_person_device(w->config.room, &m->class_id, &m->person);
        if (now && now != m->publisher) {
            m->publisher = now;
            mix_choose(w, m);
        }
    }
}

bool wish_mix_media(struct wish *w, const struct media_evt *evt)
{
    for (unsigned i = 0; i < WISH_MIXES_MAX && evt->device & WISH_DEVICE; i++) {
        struct wish_mix *m = &w->mix[i];
        if (!m->room || m->device != evt->device) {
            continue;
        }
        if (evt->kind == MEDIA_EVT_ANSWER) {
            m->ssrc_base = evt->answer.ssrc_base;
            mix_choose(w, m);
        } else if (evt->kind == MEDIA_EVT_SLOTS) {
            m->slots = *evt;
            mix_choose(w, m);
        } else if (evt->kind == MEDIA_EVT_REFUSED || evt->kind == MEDIA_EVT_FAILED) {
            log_warn("wish", "a mix could not be opened", L_ERR("why", evt->err));
        }
        return true;
    }
    return false;
}

/* ---- pictures
 * ------------------------------------------------------------------------------------
 */

static struct picture_choice picture_for(struct wish *w, const struct wish_session *s, mono_us now)
{
    if (id_is_zero(&s->person)) {
        return picture_of(w->picture, s->room, now);
    }
    device_num device = classroom_person_device(w->config.room, &s->class_id, &s->person);
    uint32_t publishes = picture_publishes(w->picture, device, s->room);
    bool screen = publishes >> SOURCE_SCREEN & 1;
    bool camera = publishes >> SOURCE_CAMERA & 1;
    return (struct picture_choice){.publisher = screen || camera ? device : 0,
                                   .source = screen ? SOURCE_SCREEN : SOURCE_CAMERA};
}

static void show(struct wish *w, struct wish_session *s, struct picture_choice picture)
{
    struct media_cmd view = {.kind = MEDIA_CMD_VIEW, .device = s->device};
    if (picture.publisher == s->shown.publisher && picture.source == s->shown.source) {
        return;
    }
    s->shown = picture;
    if (picture.publisher) {
        view.view.count = 1;
        view.view.want[0] = (struct media_want){.slot = 0,
                                                .source = picture.source,
                                                .height_max = HEIGHT_MAX,
                                                .publisher = picture.publisher};
    }
    command(w, &view);
}

void wish_pictures(struct wish *w, mono_us now)
{
    const struct wish_session *last = NULL;
    struct picture_choice picture = {0};
    mixes_follow(w);
    for (struct wish_session *s = w->stats.viewers ? w->sessions : NULL; s; s = s->next) {
        if (s->publish || !s->desc.video_slots) {
            continue;
        }
        /* Viewers of one class mostly follow one another in the list and see the same. */
        bool same = last && last->room == s->room && id_equal(&last->person, &s->person);
        picture = same ? picture : picture_for(w, s, now);
        last = s;
        show(w, s, picture);
    }
}

/* ---- viewers
 * ------------------------------------------------------------------------------------- */

int wish_view(struct wish *w, struct wish_session *s, struct class_time now)
{
    device_num publisher = 0;
    if (!id_is_zero(&s->person)) {
        publisher = classroom_person_device(w->config.room, &s->class_id, &s->person);
        if (!publisher || !picture_publishes(w->picture, publisher, s->room)) {
            return E_NOTFOUND;
        }
    }
    s->device = WISH_DEVICE | ++w->devices;
    if (map_set(&w->by_device, s->device, (uint64_t)(uintptr_t)s)) {
        s->device = 0;
        return E_FULL;
    }
    w->stats.viewers++;
    s->state = WISH_OFFERED;
    s->token = wish_token(w);
    s->mix = s->desc.audio_slots ? mix_get(w, s, publisher) : NULL;
    struct media_cmd open = {.kind = MEDIA_CMD_OPEN,
                             .device = s->device,
                             .token = s->token,
                             .class_num = s->class_num,
                             .class_size = s->class_size + w->stats.viewers,
                             .offer = s->desc};
    /* At home where the mix is, with eyes for the class: it hears nothing else and is not there. */
    struct media_cmd room = {.kind = MEDIA_CMD_ROOM,
                             .device = s->device,
                             .room = s->mix ? s->mix->out : WISH_OWN | ++w->rooms};
    struct media_cmd ears = {
        .kind = MEDIA_CMD_EARS, .device = s->device, .ears = {.eyes = 1, .eye = {s->room}}};
    command(w, &open);
    command(w, &room);
    command(w, &ears);
    if (s->desc.video_slots) {
        show(w, s, picture_for(w, s, now.mono));
    }
    return 0;
}

void wish_unview(struct wish *w, struct wish_session *s)
{
    if (!s->device) {
        return;
    }
    w->stats.viewers--;
    command(w, &(struct media_cmd){.kind = MEDIA_CMD_CLOSE, .device = s->device});
    mix_put(w, s->mix);
    s->mix = NULL;
    bool watched = false;
    for (const struct wish_session *o = w->sessions; o && !watched; o = o->next) {
        watched = o != s && !o->publish && o->room == s->room;
    }
    if (!watched) {
        picture_forget(w->picture, s->room);
    }
}
