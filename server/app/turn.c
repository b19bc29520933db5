#include "server/app/turn.h"

#include <stdio.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/text.h"
#include "codec/sys/file.h"
#include "codec/sys/token.h"

enum { SECRET_MAX = 1024 };

/* stun:, turn: or turns: and a host; nothing that could end a header or a string. */
static bool url_ok(const char *url)
{
    static const char *const schemes[] = {"stun:", "stuns:", "turn:", "turns:"};
    bool known = false;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t n = strlen(schemes[i]);
        known = known || (strncmp(url, schemes[i], n) == 0 && url[n]);
    }
    for (const char *c = url; *c; c++) {
        known = known && *c > ' ' && *c < 0x7f && !strchr("\"<>,;\\", *c);
    }
    return known;
}

static int read_secret(struct turn *turn, const char *path, char *why, size_t cap)
{
    char *text = NULL;
    size_t len = 0;
    int err = file_read(path, SECRET_MAX, &text, &len);
    if (err) {
        snprintf(why, cap, "turn.secret_file: %.200s: %s", path, err_text(err));
        return err;
    }
    len = strcspn(text, "\r\n");
    if (len < TURN_SECRET_MIN) {
        snprintf(why, cap,
                 "turn.secret_file: %.200s: at least %d characters, as static-auth-secret "
                 "of the relay",
                 path, TURN_SECRET_MIN);
        err = E_BAD;
    } else {
        hmac_key_set(&turn->key, (const uint8_t *)text, len);
    }
    token_wipe(text, len);
    mem_free(text);
    return err;
}

int turn_init(struct turn *turn, const struct config *config, char *why, size_t cap)
{
    memset(turn, 0, sizeof(*turn));
    bool relays = false;
    turn->ttl_ms = config->turn_ttl_s * 1000;
    for (size_t i = 0; i < config->turn_urls.count; i++) {
        const char *url = config->turn_urls.item[i];
        if (!url_ok(url) || i >= CLASS_RELAY_URLS) {
            snprintf(why, cap,
                     "turn.urls: \"%.100s\": at most %d of turn:host:port?transport=udp|tcp, "
                     "turns:host:port or stun:host:port",
                     url, CLASS_RELAY_URLS);
            return E_BAD;
        }
        turn->urls.url[turn->urls.count++] = url;
        relays = relays || url[0] == 't';
    }
    if (!relays) {
        return 0;
    }
    if (!*config->turn_secret_file) {
        snprintf(why, cap, "turn.secret_file: needed with turn.urls");
        return E_BAD;
    }
    return read_secret(turn, config->turn_secret_file, why, cap);
}

/* RFC 4648 section 4 from its other alphabet: 20 bytes are 27 characters and one '='. */
static void base64(char out[29], const uint8_t mac[20])
{
    (void)text_base64url(out, 28, mac, 20);
    for (char *c = out; *c; c++) {
        *c = (char)(*c == '-' ? '+' : *c == '_' ? '/' : *c);
    }
    memcpy(out + 27, "=", 2);
}

void turn_relay(const struct turn *turn, const char *user, wall_ms now, struct class_relay *out)
{
    uint8_t mac[20];
    *out = turn->urls;
    out->ttl_s = (uint32_t)(turn->ttl_ms / 1000);
    snprintf(out->username, sizeof(out->username), "%lld:%.40s",
             (long long)((now + turn->ttl_ms) / 1000), user);
    hmac_sign(&turn->key, (const uint8_t *)out->username, strlen(out->username), NULL, 0, mac);
    base64(out->credential, mac);
}

void turn_link(const struct turn *turn, const char *user, wall_ms now, char *out, size_t cap)
{
    struct class_relay relay;
    size_t len = 0;
    out[0] = '\0';
    turn_relay(turn, user, now, &relay);
    for (unsigned i = 0; i < relay.count; i++) {
        bool stun = relay.url[i][0] == 's';
        int n = snprintf(out + len, cap - len, "%s<%s>; rel=\"ice-server\"", i ? ", " : "",
                         relay.url[i]);
        len += n > 0 ? (size_t)n : 0;
        if (!stun && len < cap) {
            n = snprintf(out + len, cap - len,
                         "; username=\"%s\"; credential=\"%s\"; credential-type=\"password\"",
                         relay.username, relay.credential);
            len += n > 0 ? (size_t)n : 0;
        }
        if (len >= cap) {
            out[0] = '\0'; /* never half a credential */
            return;
        }
    }
}
