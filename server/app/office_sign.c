/* Signing in and out, passwords, and the links by which an account is taken over once. */
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/clock.h"
#include "codec/sys/file.h"
#include "codec/sys/log.h"
#include "codec/sys/password.h"
#include "codec/sys/random.h"
#include "codec/sys/token.h"
#include "server/app/office_mail.h"
#include "server/app/office_session.h"
#include "server/app/office_state.h"
#include "server/app/office_tables.h"

enum { RESET_MS = 3600 * 1000, AGENT_MAX = 120 };

/* ---- sessions
 * ------------------------------------------------------------------------------------------ */

static void set_cookie(struct office_call *call, const char *token)
{
    /* Strict: no page of another place ever sends it (S24); __Host-: no neighbour can plant it. */
    snprintf(call->cookie, sizeof(call->cookie),
             ACCOUNT_COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=%d", token,
             *token ? 14 * 86400 : 0);
}

/* The session a request came with is ended: what was planted before signing in is worth nothing. */
static void end_old(struct office_call *call)
{
    const struct ipc_str *cookie = &call->ask->header[IPC_ASK_COOKIE];
    char token[ACCOUNT_TOKEN_TEXT + 1];
    uint8_t digest[PEOPLE_DIGEST_LEN];
    if (cookie->p && !account_cookie(token, cookie->p, cookie->len)) {
        office_digest(digest, token);
        (void)people_run(call->people, PEOPLE_SESSION_END, "h", digest);
    }
}

int office_session_start(struct office_call *call, const struct id *account)
{
    const struct ipc_str *from = &call->ask->header[IPC_ASK_USER_AGENT];
    char token[ACCOUNT_TOKEN_TEXT + 1];
    char agent[AGENT_MAX + 1] = "";
    end_old(call);
    office_secret(token);
    office_digest(call->session, token);
    snprintf(agent, sizeof(agent), "%.*s", (int)(from->p ? from->len : 0), from->p ? from->p : "");
    int err = people_run(call->people, PEOPLE_SESSION_ADD, "hdit", call->session, account,
                         (int64_t)call->now, agent);
    if (!err) {
        (void)people_run(call->people, PEOPLE_ACCOUNT_SEEN, "di", account, (int64_t)call->now);
        set_cookie(call, token);
    }
    token_wipe(token, sizeof(token));
    return err;
}

json_t *office_account_json(const json_t *row)
{
    return json_pack("{s:O?, s:O?, s:O?, s:b}", "id", json_object_get(row, "id"), "name",
                     json_object_get(row, "name"), "mail", json_object_get(row, "mail"), "admin",
                     json_integer_value(json_object_get(row, "admin")) != 0);
}

static void session_get(struct office_call *call)
{
    const struct config *config = office_config(call);
    json_t *row = office_session_row(call);
    json_t *me = row ? office_account_json(row) : json_null();
    if (row) {
        json_object_set(me, "password", json_object_get(row, "password"));
    }
    json_decref(row);
    bool first = people_number(call->people, PEOPLE_ADMINS, "") == 0;
    office_json(call, 200,
                json_pack("{s:o, s:s, s:b, s:b, s:s}", "me", me, "server", call->server, "first",
                          first, "mail", config->mail_from[0] != '\0', "provider",
                          office_provider_name(call)));
}

static void session_post(struct office_call *call)
{
    char mail[ACCOUNT_MAIL_MAX + 1];
    const char *password = office_text(call, "password");
    size_t len = strlen(password);
    struct id id = {{0}};
    if (!office_try(call, "sign")) {
        return;
    }
    bool good_mail = !account_mail(mail, office_text(call, "mail"));
    if (good_mail && !office_try_account(call, mail)) {
        return;
    }
    json_t *row = good_mail ? people_row(call->people, PEOPLE_ACCOUNT_BY_MAIL, "t", mail) : NULL;
    const char *hash = json_string_value(json_object_get(row, "hash"));
    const char *text = json_string_value(json_object_get(row, "id"));
    len = len > ACCOUNT_PASSWORD_MAX ? ACCOUNT_PASSWORD_MAX : len;
    /* The same work and the same answer whoever it is (no way to find out who has an account). */
    bool good = hash ? password_check(hash, password, len) : password_check_nobody(password, len);
    good = good && !json_integer_value(json_object_get(row, "disabled")) &&
           !id_parse(&id, ID_PERSON, text, strlen(text));
    if (!good) {
        log_info("office", "sign-in refused", L_ADDR("addr", &call->ask->remote));
        office_refuse(call, 401, "sign_in");
    } else if (office_session_start(call, &id)) {
        office_failed(call, E_BUSY);
    } else {
        char fresh[PASSWORD_HASH_MAX];
        if (password_is_old(hash) && !password_hash(fresh, password, len)) {
            (void)people_run(call->people, PEOPLE_ACCOUNT_HASH, "dt", &id, fresh);
        }
        office_try_good(call, "sign");
        office_try_account_good(call, mail);
        call->account.id = id;
        snprintf(call->account.mail, sizeof(call->account.mail), "%s", mail);
        office_audit(call, "signed.in", text, "");
        office_json(call, 200, json_pack("{s:o}", "me", office_account_json(row)));
    }
    json_decref(row);
}

static void session_delete(struct office_call *call)
{
    char everywhere[4];
    if (!strcmp(office_query(call, "all", everywhere, sizeof(everywhere)), "1")) {
        (void)people_run(call->people, PEOPLE_SESSION_END_ALL, "d", &call->account.id);
    }
    int err = people_run(call->people, PEOPLE_SESSION_END, "h", call->session);
    set_cookie(call, "");
    if (err) {
        office_failed(call, err);
    } else {
        office_json(call, 200, json_object());
    }
}

/* ---- passwords
 * ------------------------------------------------------------------------------------------ */

/* 0 and the hash; otherwise the refusal is the answer. */
static int new_hash(struct office_call *call, const char *mail, char out[PASSWORD_HASH_MAX])
{
    const char *password = office_text(call, "password");
    int err = account_password_ok(password, strlen(password), mail);
    if (err) {
        office_refuse(call, 422, err == E_TRUNC ? "password_short" : "password_easy");
        return err;
    }
    err = password_hash(out, password, strlen(password));
    if (err) {
        office_failed(call, err);
    }
    return err;
}

static void password_post(struct office_call *call)
{
    char hash[PASSWORD_HASH_MAX];
    const char *old = office_text(call, "old");
    if (!office_try(call, "sign")) {
        return;
    }
    json_t *row = people_row(call->people, PEOPLE_ACCOUNT_BY_ID, "d", &call->account.id);
    const char *now = json_string_value(json_object_get(row, "hash"));
    /* Who came by a provider has none yet and may choose one. */
    bool good = row && (!now || password_check(now, old, strlen(old)));
    json_decref(row);
    if (!good) {
        office_refuse(call, 403, "password_wrong");
        return;
    }
    office_try_good(call, "sign");
    if (new_hash(call, call->account.mail, hash)) {
        return;
    }
    int err = people_run(call->people, PEOPLE_ACCOUNT_HASH, "dt", &call->account.id, hash);
    err = err ? err : people_run(call->people, PEOPLE_SESSION_END_ALL, "d", &call->account.id);
    err = err ? err : office_session_start(call, &call->account.id);
    if (err) {
        office_failed(call, err);
        return;
    }
    office_audit(call, "password.changed", call->account.mail, "");
    office_json(call, 200, json_object());
}

/* Always the same answer, at once: whether an account exists is not said. */
static void reset_post(struct office_call *call)
{
    char mail[ACCOUNT_MAIL_MAX + 1];
    if (!office_try(call, "reset")) {
        return;
    }
    json_t *row = account_mail(mail, office_text(call, "mail"))
                      ? NULL
                      : people_row(call->people, PEOPLE_ACCOUNT_BY_MAIL, "t", mail);
    if (row && !json_integer_value(json_object_get(row, "disabled"))) {
        (void)office_once_mail(call, row, "reset", RESET_MS);
    }
    json_decref(row);
    office_json(call, 202, json_object());
}

/* ---- one-time links
 * ------------------------------------------------------------------------------------------ */

int office_once(struct office_call *call, char out[ACCOUNT_TOKEN_TEXT + 1], const char *kind,
                const struct id *account, const char *data, int64_t ms)
{
    uint8_t digest[PEOPLE_DIGEST_LEN];
    office_secret(out);
    office_digest(digest, out);
    return people_run(call->people, PEOPLE_ONCE_ADD, "htdti", digest, kind, account, data,
                      (int64_t)(call->now + ms));
}

int office_once_mail(struct office_call *call, const json_t *account, const char *kind, int64_t ms)
{
    char token[ACCOUNT_TOKEN_TEXT + 1];
    char link[OFFICE_URL_MAX + 80];
    char mail_id[64];
    struct id id;
    const char *text = json_string_value(json_object_get(account, "id"));
    const struct ipc_str *lang = &call->ask->header[IPC_ASK_ACCEPT_LANGUAGE];
    if (!text || id_parse(&id, ID_PERSON, text, strlen(text))) {
        return E_BAD;
    }
    int err = office_once(call, token, kind, &id, NULL, ms);
    snprintf(link, sizeof(link), "%s/welcome#%s", call->base, token);
    snprintf(mail_id, sizeof(mail_id), "%s-%s", kind, text + 2);
    struct office_mail mail = {.letter = !strcmp(kind, "reset") ? LETTER_RESET : LETTER_ACCOUNT,
                               .french =
                                   !(lang->p && lang->len >= 2 && !strncasecmp(lang->p, "en", 2)),
                               .id = mail_id,
                               .to_name = json_string_value(json_object_get(account, "name")),
                               .to_mail = json_string_value(json_object_get(account, "mail")),
                               .link = link};
    err = err ? err : office_mail(call, &mail);
    token_wipe(link, sizeof(link));
    return err;
}

/* What a link of /welcome is for, without using it up. Kinds are tried in turn. */
static json_t *once_of(struct office_call *call, uint8_t digest[PEOPLE_DIGEST_LEN])
{
    static const char *const kinds[] = {"first", "account", "reset"};
    const char *token = office_text(call, "token");
    json_t *row = NULL;
    office_digest(digest, token);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !row; i++) {
        row =
            people_row(call->people, PEOPLE_ONCE_GET, "hti", digest, kinds[i], (int64_t)call->now);
    }
    return row;
}

static void once_post(struct office_call *call)
{
    uint8_t digest[PEOPLE_DIGEST_LEN];
    struct id id;
    if (!office_try(call, "once")) {
        return;
    }
    json_t *row = once_of(call, digest);
    const char *text = json_string_value(json_object_get(row, "account"));
    if (!row) {
        office_refuse(call, 404, "link");
        return;
    }
    office_try_good(call, "once");
    json_t *account = text && !id_parse(&id, ID_PERSON, text, strlen(text))
                          ? people_row(call->people, PEOPLE_ACCOUNT_BY_ID, "d", &id)
                          : NULL;
    const char *mail = json_string_value(json_object_get(account, "mail"));
    const char *name = json_string_value(json_object_get(account, "name"));
    office_json(call, 200,
                json_pack("{s:O, s:s, s:s}", "kind", json_object_get(row, "kind"), "mail",
                          mail ? mail : "", "name", name ? name : ""));
    json_decref(account);
    json_decref(row);
}

/* What a link of /welcome will do. Argon2id takes its time: it is done before the database is held,
 * and what was read for it is asked again there. */
struct entry {
    bool first; /* the first administrator: an account is made; anybody else: a password is set */
    struct id id;
    const char *name;
    char mail[ACCOUNT_MAIL_MAX + 1];
    char hash[PASSWORD_HASH_MAX];
};

/* 0, or the refusal is the answer. */
static int entry_read(struct office_call *call, const json_t *once, struct entry *e)
{
    const char *text = json_string_value(json_object_get(once, "account"));
    e->first = !strcmp(json_string_value(json_object_get(once, "kind")), "first");
    e->name = office_text(call, "name");
    if (e->first) {
        struct rng rng = random_rng();
        if (account_mail(e->mail, office_text(call, "mail"))) {
            office_refuse(call, 422, "mail");
            return E_BAD;
        }
        if (!account_name_ok(e->name)) {
            office_refuse(call, 422, "name");
            return E_BAD;
        }
        e->id = id_new(&rng);
        return new_hash(call, e->mail, e->hash);
    }
    json_t *row = text && !id_parse(&e->id, ID_PERSON, text, strlen(text))
                      ? people_row(call->people, PEOPLE_ACCOUNT_BY_ID, "d", &e->id)
                      : NULL;
    if (!row) {
        office_refuse(call, 404, "link");
        return E_BAD;
    }
    snprintf(e->mail, sizeof(e->mail), "%s", json_string_value(json_object_get(row, "mail")));
    json_decref(row);
    return new_hash(call, e->mail, e->hash);
}

/* Within a transaction. E_NOTFOUND: the link was used meanwhile (twice at once: one of them), or
 * the account is gone. */
static int entry_write(struct office_call *call, const json_t *once, const struct entry *e,
                       const uint8_t digest[PEOPLE_DIGEST_LEN])
{
    const char *kind = json_string_value(json_object_get(once, "kind"));
    int err = people_run(call->people, PEOPLE_ONCE_TAKE, "hti", digest, kind, (int64_t)call->now);
    err = !err && people_changes(call->people) != 1 ? E_NOTFOUND : err;
    if (!err && e->first) {
        return people_run(call->people, PEOPLE_ACCOUNT_ADD, "dttitti", &e->id, e->mail, e->name,
                          (int64_t)1, e->hash, NULL, (int64_t)call->now);
    }
    err = err ? err : people_run(call->people, PEOPLE_ACCOUNT_HASH, "dt", &e->id, e->hash);
    err = !err && people_changes(call->people) != 1 ? E_NOTFOUND : err;
    return err ? err : people_run(call->people, PEOPLE_SESSION_END_ALL, "d", &e->id);
}

static int entry_settle(struct office_call *call, const json_t *once, const struct entry *e,
                        const uint8_t digest[PEOPLE_DIGEST_LEN])
{
    int err = people_begin(call->people);
    err = err ? err : entry_write(call, once, e, digest);
    err = err ? err : office_session_start(call, &e->id);
    err = err ? err : people_commit(call->people);
    if (err) {
        people_rollback(call->people);
        call->cookie[0] = '\0';
    }
    return err;
}

static void welcome_post(struct office_call *call)
{
    char path[PATHS_MAX];
    char text[ID_TEXT_MAX];
    uint8_t digest[PEOPLE_DIGEST_LEN];
    struct entry e = {.first = false};
    if (!office_try(call, "once")) {
        return;
    }
    json_t *once = once_of(call, digest);
    if (!once) {
        office_refuse(call, 404, "link");
        return;
    }
    office_try_good(call, "once");
    int err = entry_read(call, once, &e) ? E_BAD : entry_settle(call, once, &e, digest);
    json_decref(once);
    if (err) {
        if (!call->status && err == E_NOTFOUND) {
            office_refuse(call, 404, "link");
        } else if (!call->status) {
            office_failed(call, err);
        }
        return;
    }
    if (e.first) {
        (void)remove(paths_in(office_paths(call), "keys/first-admin", path));
    }
    call->account.id = e.id;
    office_audit(call, e.first ? "admin.first" : "password.set", id_print(text, ID_PERSON, &e.id),
                 "");
    json_t *row = people_row(call->people, PEOPLE_ACCOUNT_BY_ID, "d", &e.id);
    office_json(call, 200, json_pack("{s:o}", "me", office_account_json(row)));
    json_decref(row);
}

/* A new link at each start, the former one is worth nothing: whoever reads an old log is late. */
int office_first(struct office *office)
{
    enum { FIRST_MS = 7 * 86400 * 1000 };
    char path[PATHS_MAX];
    char token[ACCOUNT_TOKEN_TEXT + 1];
    static const struct ipc_ask nobody = {.method = IPC_GET};
    struct office_call call = {.office = office,
                               .people = office->worker[OFFICE_DESK].people,
                               .ask = &nobody,
                               .now = clock_wall_ms()};
    paths_in(office_paths(&call), "keys/first-admin", path);
    int err = people_run(call.people, PEOPLE_ONCE_KIND_END, "t", "first");
    if (err || people_number(call.people, PEOPLE_ADMINS, "") > 0) {
        (void)remove(path);
        return err;
    }
    err = office_once(&call, token, "first", NULL, NULL, FIRST_MS);
    err = err ? err : file_write_atomic(path, token, strlen(token), 0600);
    token_wipe(token, sizeof(token));
    return err;
}

static const struct office_route routes[] = {
    {IPC_GET, "/api/session", OFFICE_ANYBODY, OFFICE_DESK, session_get},
    {IPC_POST, "/api/session", OFFICE_ANYBODY, OFFICE_SLOW, session_post},
    {IPC_DELETE, "/api/session", OFFICE_STAFF, OFFICE_DESK, session_delete},
    {IPC_POST, "/api/password", OFFICE_STAFF, OFFICE_SLOW, password_post},
    {IPC_POST, "/api/reset", OFFICE_ANYBODY, OFFICE_SLOW, reset_post},
    {IPC_POST, "/api/once", OFFICE_ANYBODY, OFFICE_DESK, once_post},
    {IPC_POST, "/api/welcome", OFFICE_ANYBODY, OFFICE_SLOW, welcome_post},
};

const struct office_table office_sign_table = {routes, sizeof(routes) / sizeof(routes[0])};
