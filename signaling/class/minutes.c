#include "signaling/class/minutes.h"

#include "codec/base/err.h"
#include "signaling/journal/minutes.h"

static const struct refusal fine = {NULL, NULL, NULL};

/* ---- telling
 * -------------------------------------------------------------------------------------- */

static void out_minute(struct jsonw *w, const struct minute *m)
{
    jsonw_object(w);
    out_key_id(w, "id", ID_MESSAGE, &m->id);
    out_key_id(w, "by", ID_PERSON, &m->by);
    jsonw_key_strn(w, "name", rtext_str(m->name), rtext_len(m->name));
    jsonw_key_int(w, "at", m->at);
    jsonw_key_str(w, "kind", schema_spell(ENUM_minute_kind, m->kind));
    jsonw_key_strn(w, "text", rtext_str(m->text), rtext_len(m->text));
    jsonw_object_end(w);
}

static void minutes_snapshot(struct jsonw *w, const struct state *s, const struct viewer *v)
{
    (void)v;
    jsonw_key(w, "minutes");
    jsonw_array(w);
    for (uint32_t i = 0; i < s->minutes.count; i++) {
        out_minute(w, &s->minutes.list[i]);
    }
    jsonw_array_end(w);
}

static void minutes_note(struct klass *k, const struct event *e)
{
    const struct minutes *m = &k->done->minutes;
    bool noted = e->type == EVENT_MINUTE_NOTED;
    struct jsonw *w = out_event(k, noted ? "minute.noted" : "minute.struck");
    if (noted) {
        jsonw_key(w, "minute");
        out_minute(w, &m->list[m->count - 1]);
    } else {
        out_key_id(w, "minute", ID_MESSAGE, &e->other);
    }
    jsonw_object_end(w);
    out_log(k, e->seq, (struct out_scope){.see = SEE_ALL});
}

/* ---- commands
 * ------------------------------------------------------------------------------------- */

static struct refusal note(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct state *s = act->klass->work;
    if (s->session != SESSION_LIVE && s->session != SESSION_CLOSING) {
        return refuse_with("state", NULL, "the class is not under way");
    }
    if (s->minutes.count == MINUTES_MAX) {
        return refuse_with("full", NULL, "the minutes are full");
    }
    struct rtext *text = rtext_new(msg->minute_note.text.s, msg->minute_note.text.len);
    if (!text) {
        act->err = E_NOMEM;
        return fine;
    }
    act_emit(act, (struct event){.type = EVENT_MINUTE_NOTED,
                                 .person = c->person,
                                 .other = id_new(&act->klass->room->config.rng),
                                 .a = (uint32_t)msg->minute_note.kind,
                                 .text = text});
    return fine;
}

static struct refusal strike(struct act *act, struct conn *c, const struct msg *msg)
{
    const struct id *minute = &msg->minute_strike.minute;
    if (minutes_find(&act->klass->work->minutes, minute) < 0) {
        return refuse_with("not_found", "minute", "there is no such line");
    }
    act_emit(act,
             (struct event){.type = EVENT_MINUTE_STRUCK, .person = c->person, .other = *minute});
    return fine;
}

static command_h minutes_handler(enum msg_type type)
{
    static const command_h handlers[MSG_COUNT] = {
        [MSG_MINUTE_NOTE] = note,
        [MSG_MINUTE_STRIKE] = strike,
    };
    return handlers[type];
}

const struct class_part class_minutes = {
    .first = 132,
    .last = 139,
    .note_h = minutes_note,
    .snapshot_h = minutes_snapshot,
    .handler_h = minutes_handler,
};
