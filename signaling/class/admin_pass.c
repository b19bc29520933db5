/*
 * Tokens of the standard doors from the operator's side: made, listed, withdrawn. A token is made
 * again from what was noted of it (admin_pass_made), so that nothing that opens a door is kept.
 */
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/text.h"
#include "signaling/class/impl.h"

enum { PASS_CHARS_MAX = 80 };

static void key_id(struct jsonw *w, const char *key, enum id_kind kind, const struct id *id)
{
    char text[ID_TEXT_MAX];
    jsonw_key_str(w, key, id_print(text, kind, id));
}

static const char *role_of(bool publish)
{
    return publish ? "whip" : "whep";
}

/* ---- making
 * --------------------------------------------------------------------------------------- */

static int token_text(char out[TOKEN_TEXT_MAX], const struct klass *k, const struct pass *p)
{
    const struct classroom_config *config = &k->room->config;
    struct token_claim claim = {.kind = p->publish ? TOKEN_WHIP : TOKEN_WHEP,
                                .class_id = k->id,
                                .role = ROLE_SPEAKER,
                                .expires_at = p->expires_at};
    if (p->publish) {
        claim.person = p->owner;
        memcpy(claim.name, rtext_str(p->name), rtext_len(p->name));
    }
    return token_make(out, &claim, config->key, &config->token);
}

void admin_pass_made(struct klass *k, uint64_t request, const struct id *pass)
{
    struct classroom *room = k->room;
    struct jsonw *w = &room->json;
    char link[TOKEN_TEXT_MAX];
    int at = passes_find(&k->done->passes, pass);
    if (at < 0 || token_text(link, k, &k->done->passes.list[at])) {
        admin_refuse(room, request, E_FULL, "the token does not fit");
        return;
    }
    const struct pass *p = &k->done->passes.list[at];
    jsonw_reset(w);
    jsonw_object(w);
    key_id(w, "class", ID_CLASS, &k->id);
    key_id(w, "pass", ID_PASS, &p->id);
    jsonw_key_str(w, "role", role_of(p->publish));
    jsonw_key_str(w, "link", link);
    if (p->publish) {
        key_id(w, "person", ID_PERSON, &p->owner);
    }
    jsonw_key_int(w, "expires", p->expires_at);
    jsonw_object_end(w);
    admin_answer(room, request, 0);
}

/* Two tokens for viewers made within one millisecond would be one. */
static int name_it(const struct klass *k, struct pass *p)
{
    const struct classroom_config *config = &k->room->config;
    char link[TOKEN_TEXT_MAX];
    int err;
    for (p->expires_at--, p->id = (struct id){{0}};
         id_is_zero(&p->id) || passes_find(&k->work->passes, &p->id) >= 0;) {
        p->expires_at++;
        err = token_text(link, k, p);
        if (err) {
            return err;
        }
        p->id = token_id(link, strlen(link), config->key, &config->token);
    }
    return 0;
}

static const char full[] = "this class has 100 tokens: withdraw those no longer used";

/* Why not: 0, or the error and what to say. */
static int unfit(const struct klass *k, const struct admin_request *req, wall_ms now,
                 const char **why)
{
    size_t len = req->title ? strlen(req->title) : 0;
    bool good = len <= TOKEN_NAME_MAX && (len == 0 || text_utf8_ok(req->title, len)) &&
                (len == 0 || text_utf8_count(req->title, len) <= PASS_CHARS_MAX);
    if (k->work->ended) {
        *why = "this class has ended";
        return E_STATE;
    }
    if (!good || (req->publish && len == 0)) {
        *why = "a publisher has a name of 1 to 80 characters";
        return E_RANGE;
    }
    *why = full;
    return passes_room(&k->work->passes, now) ? 0 : E_LIMIT;
}

static void make(struct klass *k, uint64_t request, const struct admin_request *req,
                 struct class_time now)
{
    struct classroom *room = k->room;
    uint32_t ttl_s = req->ttl_s ? req->ttl_s : LINK_TTL_S;
    size_t len = req->title ? strlen(req->title) : 0;
    const char *why = NULL;
    int err = unfit(k, req, now.wall, &why);
    if (err) {
        admin_refuse(room, request, err, why);
        return;
    }
    struct pass p = {.publish = req->publish, .expires_at = now.wall + (int64_t)ttl_s * 1000};
    p.owner = id_is_zero(&req->person) ? id_new(&room->config.rng) : req->person;
    p.name = len > 0 ? rtext_new(req->title, len) : NULL;
    err = len > 0 && !p.name ? E_NOMEM : name_it(k, &p);
    struct act act;
    err = err ? err : act_begin(&act, k, now);
    if (err) {
        rtext_put(&p.name);
    } else {
        act.batch->reply = (struct reply){.kind = REPLY_PASS, .request = request, .pass = p.id};
        act_emit(&act, (struct event){.type = EVENT_PASS_MADE,
                                      .other = p.id,
                                      .person = p.owner,
                                      .a = p.publish,
                                      .n = p.expires_at,
                                      .text = p.name});
        err = act_end(&act);
    }
    if (err) {
        admin_refuse(room, request, err, "could not be stored");
    }
}

/* ---- listing
 * -------------------------------------------------------------------------------------- */

static void list(struct klass *k, uint64_t request, wall_ms now)
{
    struct jsonw *w = &k->room->json;
    const struct passes *all = &k->done->passes;
    jsonw_reset(w);
    jsonw_object(w);
    jsonw_key(w, "passes");
    jsonw_array(w);
    for (uint32_t i = 0; i < all->count; i++) {
        const struct pass *p = &all->list[i];
        if (p->withdrawn || p->expires_at <= now) {
            continue;
        }
        jsonw_object(w);
        key_id(w, "pass", ID_PASS, &p->id);
        jsonw_key_str(w, "role", role_of(p->publish));
        jsonw_key_strn(w, "name", rtext_str(p->name), rtext_len(p->name));
        if (p->publish) {
            key_id(w, "person", ID_PERSON, &p->owner);
            jsonw_key_bool(w, "present", state_seat(k->done, &p->owner) != NULL);
        }
        jsonw_key_int(w, "made", p->made_at);
        jsonw_key_int(w, "expires", p->expires_at);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    jsonw_object_end(w);
    admin_answer(k->room, request, 0);
}

/* ---- withdrawing
 * ---------------------------------------------------------------------------------- */

/* By its name in the list, or by its own text: those of earlier releases are in no list. */
static int which(const struct klass *k, const struct admin_request *req, wall_ms now,
                 struct pass *out)
{
    const struct classroom_config *config = &k->room->config;
    const struct passes *all = &k->work->passes;
    struct token_claim claim;
    *out = (struct pass){.id = req->pass};
    if (req->title) {
        size_t len = strlen(req->title);
        int err = token_read(&claim, req->title, len, config->key, &config->token, now);
        bool ours = !err && id_equal(&claim.class_id, &k->id) &&
                    (claim.kind == TOKEN_WHIP || claim.kind == TOKEN_WHEP);
        if (!ours) {
            return E_NOTFOUND;
        }
        *out = (struct pass){.id = token_id(req->title, len, config->key, &config->token),
                             .owner = claim.person,
                             .publish = claim.kind == TOKEN_WHIP,
                             .expires_at = claim.expires_at};
    }
    int at = passes_find(all, &out->id);
    if (at >= 0) {
        *out = all->list[at];
        return out->withdrawn ? E_DUP : 0;
    }
    return !req->title ? E_NOTFOUND : passes_room(all, now) ? 0 : E_LIMIT;
}

static void withdraw(struct klass *k, uint64_t request, const struct admin_request *req,
                     struct class_time now)
{
    struct pass p;
    struct act act;
    int err = which(k, req, now.wall, &p);
    if (err && err != E_DUP) {
        admin_refuse(k->room, request, err,
                     err == E_LIMIT ? full : "no token of this class that still works");
        return;
    }
    bool again = err == E_DUP;
    err = act_begin(&act, k, now);
    if (!err) {
        act.batch->reply = (struct reply){.kind = REPLY_ADMIN, .request = request};
        if (!again) {
            act_emit(&act, (struct event){.type = EVENT_PASS_WITHDRAWN,
                                          .other = p.id,
                                          .person = p.owner,
                                          .a = p.publish,
                                          .n = p.expires_at});
            k->room->withdrawals++; /* its sessions end now: this restricts */
        }
        err = act_end(&act);
    }
    if (err) {
        admin_refuse(k->room, request, err, "could not be stored");
    }
}

void admin_pass(struct klass *k, uint64_t request, const struct admin_request *req,
                struct class_time now)
{
    if (req->kind == ADMIN_PASS) {
        make(k, request, req, now);
    } else if (req->kind == ADMIN_PASS_LIST) {
        list(k, request, now.wall);
    } else {
        withdraw(k, request, req, now);
    }
}
