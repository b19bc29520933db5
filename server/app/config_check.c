/* What settings must be beyond their type and bounds, and together. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "codec/base/addr.h"
#include "codec/base/err.h"
#include "server/app/config.h"
#include "signaling/people/mailaddr.h"

/* Secrets that documents, samples and habits spread: anybody could sign with them (S37). */
static bool sample_secret(const char *secret)
{
    static const char *const words[] = {"change",   "replace", "sample", "example", "secret",
                                        "password", "default", "amphi",  "insert",  "your"};
    char lower[256];
    size_t len = strlen(secret);
    bool varied = false;
    for (size_t i = 0; i < len && i < sizeof(lower) - 1; i++) {
        lower[i] = (char)tolower((unsigned char)secret[i]);
        varied = varied || secret[i] != secret[0];
    }
    lower[len < sizeof(lower) ? len : sizeof(lower) - 1] = '\0';
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strstr(lower, words[i])) {
            return true;
        }
    }
    return !varied;
}

static int check_addresses(const char *key, const struct config_list *list, char *why)
{
    struct addr parsed;
    for (size_t i = 0; i < list->count; i++) {
        if (addr_parse(&parsed, list->item[i])) {
            snprintf(why, CONFIG_WHY_MAX, "%s: must be an IP address, not \"%s\"", key,
                     list->item[i]);
            return E_BAD;
        }
    }
    return 0;
}

static int check_endpoint(const char *key, const char *text, char *why)
{
    char address[64];
    uint16_t port;
    if (config_endpoint(text, address, sizeof(address), &port)) {
        snprintf(why, CONFIG_WHY_MAX, "%s: must be ip:port or [ip]:port, not \"%s\"", key, text);
        return E_BAD;
    }
    return 0;
}

static int check_listeners(const struct config *config, char *why)
{
    int err = 0;
    if (!config->web_listen.count) {
        snprintf(why, CONFIG_WHY_MAX, "web.listen: needs an address");
        return E_BAD;
    }
    for (size_t i = 0; i < config->web_listen.count && !err; i++) {
        err = check_endpoint("web.listen", config->web_listen.item[i], why);
    }
    if (!err && *config->admin_listen) {
        err = check_endpoint("admin.listen", config->admin_listen, why);
    }
    err = err ? err : check_addresses("rtc.listen_ip", &config->rtc_listen_ip, why);
    return err ? err : check_addresses("rtc.external_ip", &config->rtc_external_ip, why);
}

/* ---- addresses of the world outside
 * ------------------------------------------------------------- */

static const char *const web[] = {"https://", "http://", NULL};

/* Does text begin with one of these (NULL ends them), and is what follows plain? */
static bool is_url(const char *text, const char *const *schemes)
{
    size_t head = 0;
    for (; *schemes && !head; schemes++) {
        head = strncmp(text, *schemes, strlen(*schemes)) ? 0 : strlen(*schemes);
    }
    for (size_t i = 0; text[i]; i++) {
        if (!isgraph((unsigned char)text[i]) || strchr("\"<>\\", text[i])) {
            return false;
        }
    }
    return head > 0 && text[head] != '\0';
}

static int check_url(const char *key, const char *text, const char *const *schemes,
                     const char *like, char *why)
{
    if (!*text || is_url(text, schemes)) {
        return 0;
    }
    snprintf(why, CONFIG_WHY_MAX, "%s: must be like %s, not \"%.100s\"", key, like, text);
    return E_BAD;
}

/* Scheme and host; nothing behind them, as links and comparisons put a path there. */
static int check_origin(const char *key, const char *text, char *why)
{
    const char *host = strstr(text, "://");
    bool path = host && strchr(host + 3, '/');
    static const char like[] = "https://class.example.org";
    if (path) {
        snprintf(why, CONFIG_WHY_MAX, "%s: must be like %s, without a path", key, like);
        return E_BAD;
    }
    return check_url(key, text, web, like, why);
}

static int check_urls(const char *key, const struct config_list *list, const char *const *schemes,
                      const char *like, char *why)
{
    int err = 0;
    for (size_t i = 0; i < list->count && !err; i++) {
        err = check_url(key, list->item[i], schemes, like, why);
    }
    return err;
}

static int check_mail(const char *key, const char *text, char *why)
{
    if (!*text || mailaddr_ok(text)) {
        return 0;
    }
    snprintf(why, CONFIG_WHY_MAX, "%s: must be a mail address, not \"%.100s\"", key, text);
    return E_BAD;
}

/* A wrong one here is noticed by people in class, or in mails that have left. */
static int check_outside(const struct config *c, char *why)
{
    static const char *const relay[] = {"turn:", "turns:", "stun:", "stuns:", NULL};
    static const char *const mail[] = {"smtp://", "smtps://", NULL};
    int err = check_origin("web.public_url", c->web_public_url, why);
    for (size_t i = 0; i < c->web_origins.count && !err; i++) {
        err = check_origin("web.origins", c->web_origins.item[i], why);
    }
    err = err ? err
              : check_urls("turn.urls", &c->turn_urls, relay,
                           "turn:relay.example.org:3478?transport=udp", why);
    err = err ? err
              : check_url("oidc.issuer", c->oidc_issuer, web, "https://id.example.org/realm", why);
    err = err ? err : check_url("mail.smtp", c->mail_smtp, mail, "smtp://host:587", why);
    err = err ? err : check_mail("mail.from", c->mail_from, why);
    return err ? err : check_mail("admin.alert_to", c->admin_alert_to, why);
}

int config_check(const struct config *config, char why[CONFIG_WHY_MAX])
{
    const char *secret = config->auth_secret;
    if (!*config->tls_cert != !*config->tls_key) {
        snprintf(why, CONFIG_WHY_MAX, "tls.%s: missing: tls.cert and tls.key go together",
                 *config->tls_cert ? "key" : "cert");
        return E_BAD;
    }
    if (*secret && (strlen(secret) < 32 || sample_secret(secret))) {
        snprintf(why, CONFIG_WHY_MAX,
                 "auth.secret: is %s: take the output of `openssl rand -hex 32`, or leave it out",
                 strlen(secret) < 32 ? "too short" : "a sample that others know too");
        return E_BAD;
    }
    if (config->rtc_udp_port && config->rtc_udp_port + config->rtc_shards > 65536) {
        snprintf(why, CONFIG_WHY_MAX, "rtc.udp_port: leaves no room for rtc.shards ports");
        return E_RANGE;
    }
    int err = check_listeners(config, why);
    return err ? err : check_outside(config, why);
}
