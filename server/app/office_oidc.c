/*
 * Signing in through an identity provider (OpenID Connect Core 1.0, code flow with PKCE, RFC 7636):
 *
 *   page -> /api/provider: state, nonce, verifier kept here under the digest of state; a cookie
 * ties them to this browser -> address of the provider provider -> /signin?code&state (a page of
 * ours, which asks by itself) page -> /api/provider/finish: state used up, code exchanged, token
 * judged -> session
 *
 * Everything runs on the slow thread of the office.
 */
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/text.h"
#include "codec/sys/log.h"
#include "codec/sys/random.h"
#include "codec/sys/token.h"
#include "server/app/office_fetch.h"
#include "server/app/office_session.h"
#include "server/app/office_tables.h"
#include "server/crypto/jwk.h"
#include "signaling/people/jwt.h"

#define TIE_COOKIE "__Host-amphi-tie"

enum { ROUND_MS = 600 * 1000, URL_MAX = 2048, WHY_MAX = 300, KEY_BYTES_MAX = 1024 };

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

static bool configured(const struct config *c)
{
    return c->oidc_issuer[0] && c->oidc_client_id[0];
}

const char *office_provider_name(const struct office_call *call)
{
    const struct config *c = office_config(call);
    return !configured(c) ? "" : c->oidc_name[0] ? c->oidc_name : c->oidc_issuer;
}

/* What the provider says of itself; it must be the one that was configured. */
static json_t *discover(struct office_call *call)
{
    const struct config *c = office_config(call);
    char url[URL_MAX];
    char why[WHY_MAX] = "not the issuer that was configured";
    size_t len = strlen(c->oidc_issuer);
    len -= len > 0 && c->oidc_issuer[len - 1] == '/';
    snprintf(url, sizeof(url), "%.*s/.well-known/openid-configuration", (int)len, c->oidc_issuer);
    json_t *o = office_fetch(&(struct fetch){.url = url, .ca = c->oidc_ca}, why, sizeof(why));
    if (o && strcmp(text_of(o, "issuer"), c->oidc_issuer) != 0) {
        json_decref(o);
        o = NULL;
    }
    if (!o) {
        log_warn("office", "the identity provider cannot be used", L_STR("why", why));
        office_refuse(call, 502, "provider");
    }
    return o;
}

static void redirect_of(const struct office_call *call, char *out, size_t cap)
{
    snprintf(out, cap, "%s/signin", call->base);
}

/* ---- going
 * ------------------------------------------------------------------------------------------ */

static int append(char *out, size_t cap, const char *name, const char *value)
{
    size_t at = strlen(out);
    int n = snprintf(out + at, cap - at, "%s=", name);
    return n < 0 || (size_t)n >= cap - at ? E_FULL : office_escape(out, cap, value);
}

static int ask_url(const struct office_call *call, const json_t *provider, const char *state,
                   const char *nonce, const char *verifier, char *out, size_t cap)
{
    const struct config *c = office_config(call);
    const char *base = text_of(provider, "authorization_endpoint");
    uint8_t digest[TOKEN_DIGEST_LEN];
    char challenge[64];
    char redirect[OFFICE_URL_MAX + 16];
    redirect_of(call, redirect, sizeof(redirect));
    token_digest(digest, verifier, strlen(verifier));
    (void)text_base64url(challenge, sizeof(challenge), digest, sizeof(digest));
    if (strncmp(base, "https://", 8) != 0) {
        return E_BAD;
    }
    snprintf(out, cap, "%.1000s%cresponse_type=code", base, strchr(base, '?') ? '&' : '?');
    int err = append(out, cap, "&client_id", c->oidc_client_id);
    err = err ? err : append(out, cap, "&redirect_uri", redirect);
    err = err ? err : append(out, cap, "&scope", c->oidc_scopes);
    err = err ? err : append(out, cap, "&state", state);
    err = err ? err : append(out, cap, "&nonce", nonce);
    err = err ? err : append(out, cap, "&code_challenge", challenge);
    return err ? err : append(out, cap, "&code_challenge_method", "S256");
}

static void provider_post(struct office_call *call)
{
    char state[ACCOUNT_TOKEN_TEXT + 1];
    char nonce[ACCOUNT_TOKEN_TEXT + 1];
    char verifier[ACCOUNT_TOKEN_TEXT + 1];
    char tie[ACCOUNT_TOKEN_TEXT + 1];
    char url[URL_MAX];
    char kept[3 * ACCOUNT_TOKEN_TEXT + 8];
    uint8_t digest[PEOPLE_DIGEST_LEN];
    if (!configured(office_config(call))) {
        office_refuse(call, 404, "not_found");
        return;
    }
    if (!office_try(call, "provider")) {
        return;
    }
    json_t *provider = discover(call);
    if (!provider) {
        return;
    }
    office_secret(state);
    office_secret(nonce);
    office_secret(verifier);
    office_secret(tie);
    snprintf(kept, sizeof(kept), "%s %s %s", nonce, verifier, tie);
    office_digest(digest, state);
    int err = ask_url(call, provider, state, nonce, verifier, url, sizeof(url));
    err = err ? err
              : people_run(call->people, PEOPLE_ONCE_ADD, "htdti", digest, "oidc", NULL, kept,
                           (int64_t)(call->now + ROUND_MS));
    json_decref(provider);
    if (err) {
        office_refuse(call, 502, "provider");
        return;
    }
    snprintf(call->cookie, sizeof(call->cookie),
             TIE_COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=%d", tie,
             ROUND_MS / 1000);
    office_json(call, 200, json_pack("{s:s}", "url", url));
}

/* ---- coming back
 * ------------------------------------------------------------------------------------------ */

/* Takes what was kept under this state, once, for this browser only. */
static bool take_round(struct office_call *call, char nonce[ACCOUNT_TOKEN_TEXT + 1],
                       char verifier[ACCOUNT_TOKEN_TEXT + 1])
{
    const struct ipc_str *cookie = &call->ask->header[IPC_ASK_COOKIE];
    char mine[ACCOUNT_TOKEN_TEXT + 1];
    char tie[ACCOUNT_TOKEN_TEXT + 1] = "";
    uint8_t digest[PEOPLE_DIGEST_LEN];
    office_digest(digest, office_text(call, "state"));
    json_t *row =
        people_row(call->people, PEOPLE_ONCE_GET, "hti", digest, "oidc", (int64_t)call->now);
    bool good = row && sscanf(text_of(row, "data"), "%43s %43s %43s", nonce, verifier, tie) == 3;
    json_decref(row);
    good = good && cookie->p && !account_cookie_named(mine, TIE_COOKIE, cookie->p, cookie->len) &&
           text_equal_ct(mine, tie, ACCOUNT_TOKEN_TEXT);
    if (!good) {
        return false; /* somebody else's round is left alone (S29) */
    }
    return !people_run(call->people, PEOPLE_ONCE_TAKE, "hti", digest, "oidc", (int64_t)call->now) &&
           people_changes(call->people) == 1;
}

/* The ID token for a code. The caller frees the answer. */
static json_t *exchange(struct office_call *call, const json_t *provider, const char *verifier,
                        char *why, size_t cap)
{
    const struct config *c = office_config(call);
    char form[URL_MAX * 2] = "grant_type=authorization_code";
    char redirect[OFFICE_URL_MAX + 16];
    redirect_of(call, redirect, sizeof(redirect));
    int err = append(form, sizeof(form), "&code", office_text(call, "code"));
    err = err ? err : append(form, sizeof(form), "&redirect_uri", redirect);
    err = err ? err : append(form, sizeof(form), "&client_id", c->oidc_client_id);
    err = err ? err : append(form, sizeof(form), "&code_verifier", verifier);
    if (err) {
        snprintf(why, cap, "the code is too long");
        return NULL;
    }
    struct fetch f = {.url = text_of(provider, "token_endpoint"), .ca = c->oidc_ca, .form = form};
    if (c->oidc_client_secret[0]) {
        f.user = c->oidc_client_id;
        f.password = c->oidc_client_secret;
    }
    return office_fetch(&f, why, cap);
}

static int bytes_of(const json_t *key, const char *name, uint8_t *out, size_t cap)
{
    const char *text = text_of(key, name);
    return text_unbase64url(out, cap, text, strlen(text));
}

static int verify_with(const struct jwt *jwt, const char *token, const json_t *key)
{
    uint8_t a[KEY_BYTES_MAX];
    uint8_t b[KEY_BYTES_MAX];
    const char *type = text_of(key, "kty");
    const char *use = text_of(key, "use");
    if (*use && strcmp(use, "sig") != 0) {
        return E_BAD;
    }
    if (jwt->alg == JWT_RS256 && !strcmp(type, "RSA")) {
        int n = bytes_of(key, "n", a, sizeof(a));
        int e = bytes_of(key, "e", b, sizeof(b));
        struct jwk_rsa rsa = {.n = a, .n_len = (size_t)n, .e = b, .e_len = (size_t)e};
        return n > 0 && e > 0 ? jwk_verify_rs256(&rsa, token, jwt->signed_len, jwt->signature,
                                                 jwt->signature_len)
                              : E_BAD;
    }
    if (jwt->alg == JWT_ES256 && !strcmp(type, "EC") && !strcmp(text_of(key, "crv"), "P-256")) {
        bool whole = bytes_of(key, "x", a, sizeof(a)) == 32 && bytes_of(key, "y", b, 32) == 32;
        return whole ? jwk_verify_es256(a, b, token, jwt->signed_len, jwt->signature,
                                        jwt->signature_len)
                     : E_BAD;
    }
    return E_BAD;
}

/* The keys of the provider as they are now: one that was changed is not believed any more. */
static int verify(struct office_call *call, const json_t *provider, const struct jwt *jwt,
                  const char *token, char *why, size_t cap)
{
    const struct config *c = office_config(call);
    struct fetch f = {.url = text_of(provider, "jwks_uri"), .ca = c->oidc_ca};
    json_t *answer = office_fetch(&f, why, cap);
    const json_t *keys = json_object_get(answer, "keys");
    int err = answer ? E_AUTH : E_IO;
    for (size_t i = 0; i < json_array_size(keys) && err; i++) {
        const json_t *key = json_array_get(keys, i);
        const char *kid = text_of(key, "kid");
        if (!jwt->kid[0] || !strcmp(kid, jwt->kid)) {
            err = verify_with(jwt, token, key) ? E_AUTH : 0;
        }
    }
    if (err == E_AUTH) {
        snprintf(why, cap, "signed by none of its keys");
    }
    json_decref(answer);
    return err;
}

/* ---- who that is
 * ------------------------------------------------------------------------------------------ */

static bool has_role(const json_t *claims, const char *name, const struct config_list *wanted)
{
    const json_t *v = json_object_get(claims, name);
    for (size_t i = 0; i < wanted->count; i++) {
        const char *one = json_string_value(v);
        if (one && !strcmp(one, wanted->item[i])) {
            return true;
        }
        for (size_t k = 0; k < json_array_size(v); k++) {
            const char *text = json_string_value(json_array_get(v, k));
            if (text && !strcmp(text, wanted->item[i])) {
                return true;
            }
        }
    }
    return false;
}

/*
 * By the provider's own name for the person, else by a mail address the provider has checked, when
 * the account has no such name yet: who inherits the address of somebody who left is not him.
 */
static json_t *find_account(struct office_call *call, const char *subject, const json_t *claims,
                            char mail[ACCOUNT_MAIL_MAX + 1])
{
    struct id id;
    json_t *row = people_row(call->people, PEOPLE_ACCOUNT_BY_SUBJECT, "t", subject);
    bool checked = json_is_true(json_object_get(claims, "email_verified"));
    mail[0] = '\0';
    if (row || !checked || account_mail(mail, text_of(claims, "email"))) {
        return row;
    }
    row = people_row(call->people, PEOPLE_ACCOUNT_BY_MAIL, "t", mail);
    const char *text = text_of(row, "id");
    if (row && !id_parse(&id, ID_PERSON, text, strlen(text))) {
        (void)people_run(call->people, PEOPLE_ACCOUNT_SUBJECT, "dt", &id, subject);
    }
    json_decref(row);
    return people_row(call->people, PEOPLE_ACCOUNT_BY_SUBJECT, "t", subject);
}

static json_t *make_account(struct office_call *call, const char *subject, const json_t *claims,
                            const char *mail, bool admin)
{
    const char *name = text_of(claims, "name");
    struct rng rng = random_rng();
    struct id id = id_new(&rng);
    if (!*mail || people_run(call->people, PEOPLE_ACCOUNT_ADD, "dttitti", &id, mail,
                             account_name_ok(name) ? name : mail, (int64_t)admin, NULL, subject,
                             (int64_t)call->now)) {
        return NULL;
    }
    office_audit(call, "account.provided", mail, admin ? "admin" : "");
    return people_row(call->people, PEOPLE_ACCOUNT_BY_ID, "d", &id);
}

static void sign_in(struct office_call *call, const json_t *claims)
{
    const struct config *c = office_config(call);
    char subject[600];
    char mail[ACCOUNT_MAIL_MAX + 1];
    struct id id;
    bool admin = has_role(claims, c->oidc_roles_claim, &c->oidc_admin_roles);
    bool staff = admin || has_role(claims, c->oidc_roles_claim, &c->oidc_staff_roles);
    snprintf(subject, sizeof(subject), "%.300s|%.255s", c->oidc_issuer, text_of(claims, "sub"));
    json_t *row = find_account(call, subject, claims, mail);
    if (!row && staff) {
        row = make_account(call, subject, claims, mail, admin);
    }
    const char *text = text_of(row, "id");
    if (!row || json_integer_value(json_object_get(row, "disabled")) ||
        id_parse(&id, ID_PERSON, text, strlen(text))) {
        office_refuse(call, 403, "provider_account");
    } else {
        bool is = json_integer_value(json_object_get(row, "admin")) != 0;
        if (c->oidc_admin_roles.count > 0 && is != admin &&
            (admin || people_number(call->people, PEOPLE_ADMINS, "") > 1)) {
            (void)people_run(call->people, PEOPLE_ACCOUNT_SET, "dtii", &id, text_of(row, "name"),
                             (int64_t)admin, (int64_t)0);
        }
        if (office_session_start(call, &id)) {
            office_failed(call, E_BUSY);
        } else {
            office_try_good(call, "provider");
            call->account.id = id;
            snprintf(call->account.mail, sizeof(call->account.mail), "%s", text_of(row, "mail"));
            office_audit(call, "signed.in", text, "provider");
            office_json(call, 200, json_object());
        }
    }
    json_decref(row);
}

static void finish_post(struct office_call *call)
{
    const struct config *c = office_config(call);
    char nonce[ACCOUNT_TOKEN_TEXT + 1];
    char verifier[ACCOUNT_TOKEN_TEXT + 1];
    char why[WHY_MAX] = "no token";
    struct jwt jwt = {.claims = NULL};
    if (!configured(c) || !office_try(call, "finish")) {
        if (!call->status) {
            office_refuse(call, 404, "not_found");
        }
        return;
    }
    if (!take_round(call, nonce, verifier)) {
        office_refuse(call, 403, "provider");
        return;
    }
    json_t *provider = discover(call);
    json_t *answer = provider ? exchange(call, provider, verifier, why, sizeof(why)) : NULL;
    const char *token = text_of(answer, "id_token");
    int err = answer ? jwt_read(&jwt, token, strlen(token)) : E_IO;
    err = err ? err : verify(call, provider, &jwt, token, why, sizeof(why));
    struct jwt_expect expect = {.issuer = c->oidc_issuer,
                                .audience = c->oidc_client_id,
                                .nonce = nonce,
                                .now_s = call->now / 1000};
    err = err ? err : jwt_judge(&jwt, &expect);
    if (err) {
        log_warn("office", "a sign-in through the provider was refused", L_ERR("result", err),
                 L_STR("why", why));
        office_refuse(call, 403, "provider");
    } else {
        office_try_good(call, "finish");
        sign_in(call, jwt.claims);
    }
    jwt_fini(&jwt);
    json_decref(answer);
    json_decref(provider);
}

static const struct office_route routes[] = {
    {IPC_POST, "/api/provider", OFFICE_ANYBODY, OFFICE_SLOW, provider_post},
    {IPC_POST, "/api/provider/finish", OFFICE_ANYBODY, OFFICE_SLOW, finish_post},
};

const struct office_table office_oidc_table = {routes, sizeof(routes) / sizeof(routes[0])};
