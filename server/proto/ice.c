#include "server/proto/ice.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/wire/stun.h"

/* [a-z0-9] is a subset of ice-char (RFC 8445 5.3) that survives every form of description. */
static void text_draw(char *out, size_t len, const struct rng *rng)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    for (size_t i = 0; i < len; i++) {
        out[i] = letters[rng_below(rng, sizeof(letters) - 1)];
    }
    out[len] = '\0';
}

static void creds_draw(struct ice_creds *creds, const struct rng *rng)
{
    *creds = (struct ice_creds){0};
    text_draw(creds->ufrag, ICE_UFRAG_LEN, rng);
    text_draw(creds->pwd, ICE_PWD_LEN, rng);
}

static int remote_set(struct ice_creds *creds, const char *ufrag)
{
    size_t len = strnlen(ufrag, DESC_UFRAG_MAX + 1);
    if (len == 0 || len > DESC_UFRAG_MAX) {
        return E_BAD;
    }
    memset(creds->remote, 0, sizeof(creds->remote));
    memcpy(creds->remote, ufrag, len);
    return 0;
}

void ice_init(struct ice *ice, const struct rng *rng)
{
    *ice = (struct ice){.selected = -1};
    creds_draw(&ice->creds, rng);
}

int ice_set_remote(struct ice *ice, const char *ufrag)
{
    return remote_set(&ice->creds, ufrag);
}

int ice_restart(struct ice *ice, const char *remote_ufrag, const struct rng *rng, char *gone)
{
    struct ice_creds fresh;
    creds_draw(&fresh, rng);
    int err = remote_set(&fresh, remote_ufrag);
    if (!err) {
        memcpy(gone, ice->old.ufrag, sizeof(ice->old.ufrag));
        ice->old = ice->creds;
        ice->creds = fresh;
        ice->generation++;
    }
    return err;
}

uint64_t ice_ufrag_key(const char *ufrag)
{
    uint64_t key;
    memcpy(&key, ufrag, sizeof(key));
    return key;
}

static bool is_request(const struct stun_msg *msg)
{
    return msg->class == STUN_REQUEST && msg->method == STUN_BINDING;
}

int ice_peek_ufrag(const uint8_t *msg, size_t len, char *out)
{
    struct stun_msg stun;
    if (stun_parse(&stun, msg, len) || !is_request(&stun)) {
        return E_BAD;
    }
    /* "ours:theirs" (RFC 8445 7.2.2): the one who is asked comes first. */
    if (!stun.username || stun.username_len <= ICE_UFRAG_LEN ||
        stun.username[ICE_UFRAG_LEN] != ':') {
        return E_NOTFOUND;
    }
    memcpy(out, stun.username, ICE_UFRAG_LEN);
    out[ICE_UFRAG_LEN] = '\0';
    return 0;
}

/* True when username is exactly "ufrag:remote" of creds, which must be complete. */
static bool creds_match(const struct ice_creds *creds, const struct stun_msg *msg)
{
    size_t remote_len = strlen(creds->remote);
    return creds->ufrag[0] && remote_len && msg->username &&
           msg->username_len == ICE_UFRAG_LEN + 1 + remote_len &&
           !memcmp(msg->username, creds->ufrag, ICE_UFRAG_LEN) &&
           msg->username[ICE_UFRAG_LEN] == ':' &&
           !memcmp(msg->username + ICE_UFRAG_LEN + 1, creds->remote, remote_len);
}

static int path_find(const struct ice *ice, const struct tuple *tuple)
{
    for (int i = 0; i < ice->paths; i++) {
        if (tuple_equal(&ice->path[i].tuple, tuple)) {
            return i;
        }
    }
    return -1;
}

/* The path checked last, `except` left out; -1 when there is none. */
static int path_freshest(const struct ice *ice, int except)
{
    int best = -1;
    for (int i = 0; i < ice->paths; i++) {
        if (i != except && (best < 0 || ice->path[i].checked > ice->path[best].checked)) {
            best = i;
        }
    }
    return best;
}

/* The path checked longest ago that is not selected; -1 when there is none. */
static int path_stalest(const struct ice *ice)
{
    int worst = -1;
    for (int i = 0; i < ice->paths; i++) {
        if (i != ice->selected && (worst < 0 || ice->path[i].checked < ice->path[worst].checked)) {
            worst = i;
        }
    }
    return worst;
}

static bool path_fresh(const struct ice_path *path, mono_us now)
{
    return now - path->checked < ICE_CONSENT_US;
}

static void path_remove(struct ice *ice, int at, struct ice_out *out)
{
    out->gone = ice->path[at].tuple;
    out->changes |= ICE_PATH_GONE;
    int last = ice->paths - 1;
    ice->path[at] = ice->path[last];
    ice->paths = (uint8_t)last;
    if (ice->selected == at) {
        ice->selected = -1;
    } else if (ice->selected == last) {
        ice->selected = (int8_t)at;
    }
}

static int path_add(struct ice *ice, const struct tuple *tuple, struct ice_out *out)
{
    if (ice->paths == ICE_PATHS) {
        path_remove(ice, path_stalest(ice), out);
    }
    out->changes |= ICE_NEW_PATH;
    ice->path[ice->paths] = (struct ice_path){.tuple = *tuple};
    return ice->paths++;
}

/* When it was last known to carry anything to us. Checks alone are seconds apart, and get lost. */
static mono_us path_alive(const struct ice_path *path)
{
    return path->heard > path->checked ? path->heard : path->checked;
}

static bool same_host(const struct tuple *a, const struct tuple *b)
{
    return a->proto == b->proto && a->remote.family == b->remote.family &&
           !memcmp(a->remote.ip, b->remote.ip, sizeof(a->remote.ip)) &&
           addr_equal(&a->local, &b->local);
}

/*
 * Whether a checked path takes the selected one's place. Browsers nominate (Chromium with every
 * check of its choice, Firefox once), so normally USE-CANDIDATE decides. After a NAT rebinding
 * Firefox only goes on checking, from a new port: then the silence of the old path decides. On a
 * lossy link Chromium checks its second path as well without ever meaning it.
 */
static bool takes_over(const struct ice *ice, int at, bool nominated, mono_us now)
{
    if (ice->selected < 0 || ice->selected == at) {
        return ice->selected < 0;
    }
    const struct ice_path *candidate = &ice->path[at];
    const struct ice_path *selected = &ice->path[ice->selected];
    /* Firefox nominates every pair that answers, TCP after UDP, and goes by the better one itself;
     * its connection may take seconds, and its own checks are as far apart. */
    bool worse = candidate->tuple.proto != ADDR_UDP && selected->tuple.proto == ADDR_UDP &&
                 candidate->generation == selected->generation &&
                 now - path_alive(selected) < ICE_UDP_ALIVE_US;
    if (nominated) {
        return !worse;
    }
    if (selected->generation != candidate->generation) {
        return candidate->generation == ice->generation;
    }
    mono_us silent = now - path_alive(selected);
    mono_us limit =
        same_host(&selected->tuple, &candidate->tuple) ? ICE_REBIND_SILENT_US : ICE_SILENT_US;
    return silent >= limit;
}

static void path_select(struct ice *ice, int at, mono_us now, struct ice_out *out)
{
    out->silent_us = ice->selected < 0 ? 0 : now - path_alive(&ice->path[ice->selected]);
    ice->selected = (int8_t)at;
    out->changes |= ICE_SELECTED;
}

static void path_checked(struct ice *ice, const struct tuple *from, bool nominated,
                         uint32_t generation, mono_us now, struct ice_out *out)
{
    int at = path_find(ice, from);
    if (at < 0) {
        at = path_add(ice, from, out);
    }
    ice->path[at].checked = now;
    ice->path[at].generation = generation;
    if (takes_over(ice, at, nominated, now)) {
        path_select(ice, at, now, out);
    }
    if (ice->lost && ice_can_send(ice, now)) {
        ice->lost = false;
        out->changes |= ICE_BACK;
    }
}

/* The first check with the new credentials ends the old ones. */
static void old_forget(struct ice *ice, struct ice_out *out)
{
    if (ice->old.ufrag[0]) {
        memcpy(out->gone_ufrag, ice->old.ufrag, sizeof(out->gone_ufrag));
        out->changes |= ICE_OLD_GONE;
        ice->old = (struct ice_creds){0};
    }
}

static void respond(struct ice_out *out, int len)
{
    out->len = len > 0 ? (size_t)len : 0;
}

static void respond_error(struct ice_out *out, const struct stun_msg *msg, uint16_t code,
                          const struct ice_creds *creds, stun_hmac_h hmac)
{
    respond(out, stun_build_error(out->response, sizeof(out->response), msg->txid, code,
                                  msg->unknown, msg->unknown_count, creds->pwd, ICE_PWD_LEN, hmac));
}

enum drop ice_input(struct ice *ice, const struct crypto_ops *crypto, const uint8_t *msg,
                    size_t len, const struct tuple *from, mono_us now, struct ice_out *out)
{
    out->changes = 0;
    out->len = 0;
    out->silent_us = 0;
    struct stun_msg stun;
    if (stun_parse(&stun, msg, len) || !is_request(&stun)) {
        return DROP_STUN_BAD;
    }
    bool current = creds_match(&ice->creds, &stun);
    const struct ice_creds *creds = current ? &ice->creds : &ice->old;
    if (!current && !creds_match(creds, &stun)) {
        return DROP_STUN_UNKNOWN_USER;
    }
    if (stun_check(&stun, msg, creds->pwd, ICE_PWD_LEN, crypto->hmac_sha1)) {
        return DROP_STUN_AUTH;
    }
    ice->checks++;
    if (stun.unknown_count) {
        respond_error(out, &stun, STUN_UNKNOWN_ATTRIBUTE, creds, crypto->hmac_sha1);
        return DROP_NONE;
    }
    /* Lite is always controlled (RFC 8445 6.1.1), so a peer that thinks it is controlled as well is
     * told to change (7.3.1.1), whatever the tie-breakers say. */
    if (stun.role == STUN_CONTROLLED) {
        respond_error(out, &stun, STUN_ROLE_CONFLICT, creds, crypto->hmac_sha1);
        return DROP_NONE;
    }
    respond(out, stun_build_success(out->response, sizeof(out->response), stun.txid, &from->remote,
                                    creds->pwd, ICE_PWD_LEN, crypto->hmac_sha1));
    uint32_t generation = current ? ice->generation : ice->generation - 1;
    path_checked(ice, from, stun.use_candidate, generation, now, out);
    if (current) {
        old_forget(ice, out);
    }
    return DROP_NONE;
}

/* Takes a path away and finds the next best; ICE_LOST when there is none. */
static void path_give_up(struct ice *ice, int at, mono_us now, struct ice_out *out)
{
    bool was_selected = ice->selected == at;
    path_remove(ice, at, out);
    if (!was_selected) {
        return;
    }
    int next = path_freshest(ice, -1);
    if (next >= 0 && path_fresh(&ice->path[next], now)) {
        ice->selected = (int8_t)next;
        out->changes |= ICE_SELECTED;
    } else {
        ice->lost = true; /* until a check selects a path again: it is said once */
        out->changes |= ICE_LOST;
    }
}

void ice_timer(struct ice *ice, mono_us now, struct ice_out *out)
{
    out->changes = 0;
    out->len = 0;
    out->silent_us = 0;
    for (int i = 0; i < ice->paths; i++) {
        if (!path_fresh(&ice->path[i], now)) {
            path_give_up(ice, i, now, out);
            return;
        }
    }
}

mono_us ice_deadline(const struct ice *ice)
{
    mono_us deadline = MONO_NEVER;
    for (int i = 0; i < ice->paths; i++) {
        deadline = mono_min(deadline, ice->path[i].checked + ICE_CONSENT_US);
    }
    return deadline;
}

void ice_forget(struct ice *ice, const struct tuple *tuple, mono_us now, struct ice_out *out)
{
    out->changes = 0;
    out->len = 0;
    out->silent_us = 0;
    int at = path_find(ice, tuple);
    if (at >= 0) {
        path_give_up(ice, at, now, out);
    }
}

const struct tuple *ice_selected(const struct ice *ice)
{
    return ice->selected < 0 ? NULL : &ice->path[ice->selected].tuple;
}

bool ice_can_send(const struct ice *ice, mono_us now)
{
    return ice->selected >= 0 && path_fresh(&ice->path[ice->selected], now);
}

int ice_knows(const struct ice *ice, const struct tuple *tuple, mono_us now)
{
    int at = path_find(ice, tuple);
    return at >= 0 && path_fresh(&ice->path[at], now) ? at : -1;
}

void ice_heard_beside(struct ice *ice, int at, mono_us now, struct ice_out *out)
{
    out->changes = 0;
    out->len = 0;
    out->silent_us = 0;
    const struct ice_path *path = &ice->path[at];
    const struct ice_path *selected = ice->selected < 0 ? path : &ice->path[ice->selected];
    if (selected != path && path->generation >= selected->generation &&
        same_host(&selected->tuple, &path->tuple) && now - path_alive(selected) >= ICE_MOVED_US) {
        path_select(ice, at, now, out);
    }
}
