/* From bytes to a handler and back: who asks, what is asked, answers. */
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/text.h"
#include "codec/sys/clock.h"
#include "codec/sys/log.h"
#include "codec/sys/random.h"
#include "server/app/core_state.h"
#include "server/app/office_state.h"

enum {
    SESSION_IDLE_MS = 12 * 3600 * 1000,
    SESSION_DAYS = 14,
    SEEN_STEP_MS = 60000, /* how exactly we note that a session is used */
    JSON_DEPTH_MAX = 16,
};

static const struct token_ops ops = {
    .sign_h = token_sign, .verify_h = token_verify, .seal_h = token_seal, .open_h = token_open};

const struct paths *office_paths(const struct office_call *call)
{
    return &call->office->core->paths;
}

const struct config *office_config(const struct office_call *call)
{
    return call->office->core->config;
}

/* ---- what was asked
 * ------------------------------------------------------------------------------------------ */

const char *office_part(const struct office_call *call, unsigned i)
{
    return i < OFFICE_PARTS_MAX && call->part[i] ? call->part[i] : "";
}

const char *office_query(const struct office_call *call, const char *name, char *out, size_t cap)
{
    const char *at = call->ask->query.p;
    const char *end = at ? at + call->ask->query.len : NULL;
    size_t len = strlen(name);
    out[0] = '\0';
    while (at && at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        size_t size = (size_t)(stop - at);
        if (size > len && !memcmp(at, name, len) && at[len] == '=' && size - len - 1 < cap) {
            memcpy(out, at + len + 1, size - len - 1);
            out[size - len - 1] = '\0';
            break;
        }
        at = stop + 1;
    }
    return out;
}

const char *office_text(const struct office_call *call, const char *key)
{
    const char *text = json_string_value(json_object_get(call->body, key));
    return text && strlen(text) == json_string_length(json_object_get(call->body, key)) ? text : "";
}

int64_t office_number(const struct office_call *call, const char *key, int64_t fallback)
{
    const json_t *v = json_object_get(call->body, key);
    return json_is_integer(v) ? json_integer_value(v) : fallback;
}

int office_class(struct office_call *call, unsigned i, struct id *class_id)
{
    const char *text = office_part(call, i);
    int err = id_parse(class_id, ID_CLASS, text, strlen(text));
    bool may = !err && (call->account.admin ? true
                                            : people_number(call->people, PEOPLE_CLASS_MAY, "dd",
                                                            class_id, &call->account.id) > 0);
    if (!may) {
        office_refuse(call, 404, "not_found"); /* as if it were not there: ids cannot be tried */
        return E_DENIED;
    }
    return 0;
}

int office_person(struct office_call *call, unsigned i, struct id *person)
{
    const char *text = office_part(call, i);
    if (id_parse(person, ID_PERSON, text, strlen(text))) {
        office_refuse(call, 404, "not_found");
        return E_BAD;
    }
    return 0;
}

/* ---- answers
 * ------------------------------------------------------------------------------------------ */

static void set_answer(struct office_call *call, uint16_t status, const char *type, void *bytes,
                       size_t len)
{
    mem_free(call->bytes);
    call->status = status;
    call->type = type;
    call->bytes = bytes;
    call->len = len;
}

void office_json(struct office_call *call, uint16_t status, json_t *body)
{
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    size_t len = text ? strlen(text) : 0;
    void *bytes = text ? mem_dup(text, len) : NULL;
    json_decref(body);
    free(text);
    if (!bytes || len > IPC_BODY_MAX) {
        mem_free(bytes);
        office_refuse(call, 503, "busy");
        return;
    }
    set_answer(call, status, "application/json", bytes, len);
}

void office_refuse(struct office_call *call, uint16_t status, const char *word)
{
    char text[128];
    int n = snprintf(text, sizeof(text), "{\"error\":\"%.80s\"}", word);
    size_t len = n > 0 ? (size_t)n : 0;
    set_answer(call, status, "application/json", mem_dup(text, len), len);
}

void office_failed(struct office_call *call, int err)
{
    if (err == E_DUP) {
        office_refuse(call, 409, "exists");
        return;
    }
    log_warn("office", "a request failed", L_ERR("why", err));
    snprintf(call->retry, sizeof(call->retry), "2");
    office_refuse(call, 503, err == E_FULL ? "disk" : "busy");
}

void office_bytes(struct office_call *call, const char *type, const char *name, void *bytes,
                  size_t len)
{
    if (!bytes || len > IPC_BODY_MAX) {
        mem_free(bytes);
        office_refuse(call, 503, "busy");
        return;
    }
    if (name) {
        snprintf(call->disposition, sizeof(call->disposition), "attachment; filename=\"%.150s\"",
                 name);
    }
    set_answer(call, 200, type, bytes, len);
}

/* ---- what else handlers need
 * ------------------------------------------------------------------------------------------ */

void office_audit(struct office_call *call, const char *action, const char *object,
                  const char *detail)
{
    bool known = !id_is_zero(&call->account.id);
    char link[ID_TEXT_MAX] = "";
    if (office_by_link(call)) { /* whoever came by a link has no account */
        id_print(link, ID_PERSON, &call->claim.person);
    }
    (void)people_run(call->people, PEOPLE_AUDIT_ADD, "idtttt", (int64_t)call->now,
                     known ? &call->account.id : NULL, known ? call->account.mail : link, action,
                     object, detail);
}

void office_digest(uint8_t out[PEOPLE_DIGEST_LEN], const char *text)
{
    token_digest(out, text, strlen(text));
}

void office_secret(char out[ACCOUNT_TOKEN_TEXT + 1])
{
    uint8_t bytes[ACCOUNT_TOKEN_BYTES];
    random_fill(bytes, sizeof(bytes));
    (void)text_base64url(out, ACCOUNT_TOKEN_TEXT + 1, bytes, sizeof(bytes));
    token_wipe(bytes, sizeof(bytes));
}

/* One key for an address (a whole /64 of IPv6) and what is tried. */
static uint64_t try_key(const struct office_call *call, const char *what)
{
    uint8_t data[64] = {0};
    const struct addr *from = &call->ask->remote;
    size_t len = strlen(what) < 40 ? strlen(what) : 40;
    memcpy(data, what, len);
    data[40] = from->family;
    memcpy(data + 41, from->ip, from->family == ADDR_V4 ? 4 : 8);
    return hash_bytes(&call->office->throttle_key, data, sizeof(data)) | 1;
}

bool office_try(struct office_call *call, const char *what)
{
    struct office *office = call->office;
    uint64_t key = try_key(call, what);
    mutex_lock(&office->lock);
    bool good = throttle_take(&office->tries, key, clock_mono_us() / 1000);
    uint32_t wait = good ? 0 : throttle_wait_s(&office->tries, key);
    mutex_unlock(&office->lock);
    if (!good) {
        snprintf(call->retry, sizeof(call->retry), "%u", wait);
        office_refuse(call, 429, "too_fast");
    }
    return good;
}

void office_try_good(struct office_call *call, const char *what)
{
    struct office *office = call->office;
    mutex_lock(&office->lock);
    throttle_return(&office->tries, try_key(call, what));
    mutex_unlock(&office->lock);
}

/* This account and the place it is tried from. */
static void known_digest(const struct office_call *call, const char *mail,
                         uint8_t out[PEOPLE_DIGEST_LEN])
{
    char text[ACCOUNT_MAIL_MAX + 64];
    const struct addr *from = &call->ask->remote;
    size_t len = from->family == ADDR_V4 ? 4 : 8;
    int at = snprintf(text, sizeof(text), "%.254s ", mail);
    text_hex(text + at, from->ip, len);
    office_digest(out, text);
}

bool office_try_account(struct office_call *call, const char *mail)
{
    struct office *office = call->office;
    uint8_t digest[PEOPLE_DIGEST_LEN];
    known_digest(call, mail, digest);
    json_t *known =
        people_row(call->people, PEOPLE_ONCE_GET, "hti", digest, "known", (int64_t)call->now);
    json_decref(known);
    if (known) {
        return true; /* its owner signs in from here: strangers elsewhere do not lock him out */
    }
    uint64_t key = hash_bytes(&office->throttle_key, mail, strlen(mail)) | 1;
    mutex_lock(&office->lock);
    bool good = throttle_take(&office->accounts, key, clock_mono_us() / 1000);
    uint32_t wait = good ? 0 : throttle_wait_s(&office->accounts, key);
    mutex_unlock(&office->lock);
    if (!good) {
        snprintf(call->retry, sizeof(call->retry), "%u", wait);
        office_refuse(call, 429, "too_fast");
    }
    return good;
}

void office_try_account_good(struct office_call *call, const char *mail)
{
    const int64_t days = 180LL * 86400000;
    struct office *office = call->office;
    uint8_t digest[PEOPLE_DIGEST_LEN];
    known_digest(call, mail, digest);
    mutex_lock(&office->lock);
    throttle_return(&office->accounts, hash_bytes(&office->throttle_key, mail, strlen(mail)) | 1);
    mutex_unlock(&office->lock);
    (void)people_run(call->people, PEOPLE_ONCE_KNOWN, "hi", digest, (int64_t)(call->now + days));
}

int office_token_make(const struct office_call *call, char out[TOKEN_TEXT_MAX],
                      const struct token_claim *claim)
{
    return token_make(out, claim, call->office->key, &ops);
}

int office_token_read(const struct office_call *call, struct token_claim *claim, const char *text,
                      size_t len)
{
    return token_read(claim, text, len, call->office->key, &ops, call->now);
}

struct id office_person_of(const struct office_call *call, const struct id *class_id,
                           const char *mail)
{
    char text[ID_TEXT_MAX + ACCOUNT_MAIL_MAX + 2];
    char id[ID_TEXT_MAX];
    uint8_t mac[TOKEN_MAC_LEN];
    struct id person;
    snprintf(text, sizeof(text), "%s %s", id_print(id, ID_CLASS, class_id), mail);
    token_sign(mac, call->office->person_key, text, strlen(text));
    memcpy(person.b, mac, ID_LEN);
    return person;
}

/* ---- who asks
 * ------------------------------------------------------------------------------------------ */

static void copy_text(char *out, size_t cap, const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    snprintf(out, cap, "%s", text ? text : "");
}

/* The one place that says whether a session still counts. */
json_t *office_session_row(struct office_call *call)
{
    const struct ipc_str *cookie = &call->ask->header[IPC_ASK_COOKIE];
    char token[ACCOUNT_TOKEN_TEXT + 1];
    if (!cookie->p || account_cookie(token, cookie->p, cookie->len)) {
        return NULL;
    }
    office_digest(call->session, token);
    json_t *row = people_row(call->people, PEOPLE_SESSION_GET, "h", call->session);
    int64_t seen = json_integer_value(json_object_get(row, "seen"));
    int64_t created = json_integer_value(json_object_get(row, "created"));
    bool good = row && !json_integer_value(json_object_get(row, "disabled")) &&
                call->now - seen < SESSION_IDLE_MS &&
                call->now - created < (int64_t)SESSION_DAYS * 86400000;
    if (!good) {
        json_decref(row);
        return NULL;
    }
    if (call->now - seen > SEEN_STEP_MS) {
        (void)people_run(call->people, PEOPLE_SESSION_SEEN, "hi", call->session,
                         (int64_t)call->now);
    }
    return row;
}

/* The account of the session cookie. False: the refusal is the answer. */
static bool signed_in(struct office_call *call)
{
    json_t *row = office_session_row(call);
    const char *id = json_string_value(json_object_get(row, "id"));
    bool good = id && !id_parse(&call->account.id, ID_PERSON, id, strlen(id));
    if (good) {
        copy_text(call->account.mail, sizeof(call->account.mail), row, "mail");
        copy_text(call->account.name, sizeof(call->account.name), row, "name");
        call->account.admin = json_integer_value(json_object_get(row, "admin")) != 0;
    } else {
        office_refuse(call, 401, "signed_out");
    }
    json_decref(row);
    return good;
}

static bool has_link(struct office_call *call)
{
    const struct ipc_str *h = &call->ask->header[IPC_ASK_AUTHORIZATION];
    static const char bearer[] = "Bearer ";
    size_t skip = sizeof(bearer) - 1;
    if (!h->p || h->len <= skip || strncasecmp(h->p, bearer, skip) != 0 ||
        office_token_read(call, &call->claim, h->p + skip, h->len - skip) ||
        call->claim.kind == TOKEN_LINK_ONCE) {
        office_refuse(call, 401, "link");
        return false;
    }
    return true;
}

bool office_by_link(const struct office_call *call)
{
    return call->route->who == OFFICE_LINK ||
           (call->route->who == OFFICE_EITHER && call->ask->header[IPC_ASK_AUTHORIZATION].p);
}

static bool changes(uint8_t method)
{
    return method != IPC_GET && method != IPC_HEAD;
}

/* The door has compared an Origin that is there; a cookie counts only with one (S24). */
static bool may(struct office_call *call)
{
    switch (call->route->who) {
    case OFFICE_ANYBODY:
        break;
    case OFFICE_LINK:
        return has_link(call);
    case OFFICE_EITHER:
        if (office_by_link(call)) {
            return has_link(call);
        }
        if (!signed_in(call)) {
            return false;
        }
        break;
    case OFFICE_STAFF:
    case OFFICE_ADMIN:
        if (!signed_in(call)) {
            return false;
        }
        if (call->route->who == OFFICE_ADMIN && !call->account.admin) {
            office_refuse(call, 403, "denied");
            return false;
        }
        break;
    }
    if (changes(call->ask->method) && !call->ask->header[IPC_ASK_ORIGIN].p) {
        office_refuse(call, 403, "origin");
        return false;
    }
    return true;
}

static bool depth_ok(const char *text, size_t len)
{
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < len; i++) {
        if (quoted && text[i] == '\\') {
            i++;
        } else if (quoted) {
            quoted = text[i] != '"';
        } else if (text[i] == '"') {
            quoted = true;
        } else if (text[i] == '{' || text[i] == '[') {
            depth++;
        } else if (text[i] == '}' || text[i] == ']') {
            depth--;
        }
        if (depth > JSON_DEPTH_MAX) {
            return false;
        }
    }
    return true;
}

/* A form of another page cannot say application/json without asking first. */
static bool read_body(struct office_call *call)
{
    const struct ipc_str *type = &call->ask->header[IPC_ASK_CONTENT_TYPE];
    static const char json[] = "application/json";
    json_error_t error;
    if (!call->ask->body_len || !type->p || type->len < sizeof(json) - 1 ||
        strncasecmp(type->p, json, sizeof(json) - 1) != 0) {
        return true;
    }
    if (depth_ok(call->ask->body, call->ask->body_len)) {
        call->body =
            json_loadb(call->ask->body, call->ask->body_len, JSON_REJECT_DUPLICATES, &error);
    }
    if (!json_is_object(call->body)) {
        office_refuse(call, 400, "bad_request");
        return false;
    }
    return true;
}

/* Cuts the path at its slashes: segments where the route has a star. */
static bool cut_path(struct office_call *call)
{
    call->path = mem_dup(call->ask->path.p, call->ask->path.len);
    char *at = call->path;
    unsigned found = 0;
    for (const char *r = call->route->path; at && *r; r++) {
        if (*r != '*') {
            at++;
            continue;
        }
        call->part[found++] = at;
        at += strcspn(at, "/");
        if (*at) {
            *at++ = '\0';
            r++; /* the slash of the route */
        }
    }
    return call->path != NULL;
}

void office_run(struct office_call *call, const struct office_route *route,
                const struct ipc_ask *ask)
{
    call->route = route;
    call->ask = ask;
    if (!cut_path(call)) {
        office_refuse(call, 503, "busy");
    } else if (may(call) && read_body(call)) {
        route->run_h(call);
        if (!call->status) {
            office_refuse(call, 500, "failed");
        }
    }
}
