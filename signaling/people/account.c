#include "signaling/people/account.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/text.h"
#include "signaling/people/mailaddr.h"

int account_mail(char out[ACCOUNT_MAIL_MAX + 1], const char *text)
{
    size_t len;
    out[0] = '\0';
    while (text && (*text == ' ' || *text == '\t')) {
        text++;
    }
    len = text ? strlen(text) : 0;
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t')) {
        len--;
    }
    if (len == 0 || len > ACCOUNT_MAIL_MAX) {
        return E_BAD;
    }
    for (size_t i = 0; i < len; i++) {
        out[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
    }
    out[len] = '\0';
    if (!mailaddr_ok(out)) {
        out[0] = '\0';
        return E_BAD;
    }
    return 0;
}

bool account_name_ok(const char *text)
{
    size_t len = text ? strlen(text) : 0;
    bool ink = false;
    if (len == 0 || !text_utf8_ok(text, len) || text_utf8_count(text, len) > ACCOUNT_NAME_MAX) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c == 0x7f) {
            return false;
        }
        ink = ink || c != ' ';
    }
    return ink;
}

static bool all_same(const char *p, size_t len)
{
    for (size_t i = 1; i < len; i++) {
        if (p[i] != p[0]) {
            return false;
        }
    }
    return true;
}

/* Two thirds of it stand in a row that everybody types first. */
static bool a_row(const char *p, size_t len)
{
    static const char *const rows[] = {"azertyuiopqsdfghjklmwxcvbn", "qwertyuiopasdfghjklzxcvbnm",
                                       "abcdefghijklmnopqrstuvwxyz", "01234567890123456789",
                                       "motdepassemotdepasse",       "passwordpassword"};
    char low[ACCOUNT_PASSWORD_MAX + 1];
    size_t part = len * 2 / 3;
    for (size_t i = 0; i < len; i++) {
        low[i] = (char)(p[i] >= 'A' && p[i] <= 'Z' ? p[i] + 32 : p[i]);
    }
    low[len] = '\0';
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        for (size_t i = 0; i + part <= len; i++) {
            char piece[ACCOUNT_PASSWORD_MAX + 1];
            memcpy(piece, low + i, part);
            piece[part] = '\0';
            if (strstr(rows[r], piece)) {
                return true;
            }
        }
    }
    return false;
}

int account_password_ok(const char *password, size_t len, const char *mail)
{
    if (len > ACCOUNT_PASSWORD_MAX) {
        return E_TOOBIG;
    }
    if (!text_utf8_ok(password, len) || text_utf8_count(password, len) < ACCOUNT_PASSWORD_MIN) {
        return E_TRUNC;
    }
    size_t name = strcspn(mail, "@");
    bool own = len == strlen(mail) ? !strncmp(password, mail, len)
                                   : len == name && !strncmp(password, mail, name);
    return own || all_same(password, len) || a_row(password, len) ? E_BAD : 0;
}

static bool token_text_ok(const char *p, size_t len)
{
    if (len != ACCOUNT_TOKEN_TEXT) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        char c = p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              c == '-' || c == '_')) {
            return false;
        }
    }
    return true;
}

int account_cookie(char out[ACCOUNT_TOKEN_TEXT + 1], const char *header, size_t len)
{
    return account_cookie_named(out, ACCOUNT_COOKIE, header, len);
}

int account_cookie_named(char out[ACCOUNT_TOKEN_TEXT + 1], const char *name, const char *header,
                         size_t len)
{
    size_t name_len = strlen(name);
    unsigned found = 0;
    size_t at = 0;
    out[0] = '\0';
    while (at < len) {
        const char *end = memchr(header + at, ';', len - at);
        size_t stop = end ? (size_t)(end - header) : len;
        while (at < stop && header[at] == ' ') {
            at++;
        }
        size_t size = stop - at;
        if (size > name_len && !memcmp(header + at, name, name_len) &&
            header[at + name_len] == '=') {
            const char *value = header + at + name_len + 1;
            size_t value_len = size - name_len - 1;
            found++;
            if (token_text_ok(value, value_len)) {
                memcpy(out, value, value_len);
                out[value_len] = '\0';
            }
        }
        at = stop + 1;
    }
    return found == 1 && out[0] ? 0 : E_NOTFOUND;
}
