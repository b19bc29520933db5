/* What strangers hand to the office: ID tokens, cookies, addresses; and time zone files. The first
 * byte says which. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/people/account.h"
#include "signaling/people/jwt.h"
#include "signaling/people/mailaddr.h"
#include "signaling/people/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void token(const char *text, size_t len)
{
    static const struct jwt_expect expect = {
        .issuer = "https://id", .audience = "amphi", .nonce = "n", .now_s = 1000};
    struct jwt jwt;
    if (!jwt_read(&jwt, text, len)) {
        if (jwt.signed_len >= len || jwt.signature_len == 0) {
            abort();
        }
        (void)jwt_judge(&jwt, &expect);
    }
    jwt_fini(&jwt);
}

static void words(char *text, size_t len)
{
    char cookie[ACCOUNT_TOKEN_TEXT + 1];
    char mail[ACCOUNT_MAIL_MAX + 1];
    if (!account_cookie(cookie, text, len) && strlen(cookie) != ACCOUNT_TOKEN_TEXT) {
        abort();
    }
    text[len] = '\0';
    if (!account_mail(mail, text) && !mailaddr_ok(mail)) {
        abort();
    }
    (void)account_name_ok(text);
    (void)account_password_ok(text, strlen(text), "a@example.org");
}

static void zone(const char *text, size_t len)
{
    struct zone z;
    if (!zone_read(&z, text, len)) {
        (void)zone_offset(&z, 0);
        (void)zone_offset(&z, INT64_MAX);
        (void)zone_offset(&z, INT64_MIN);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    size_t len = size - 1;
    char *text = malloc(size); /* one byte for a NUL */
    if (!text) {
        return 0;
    }
    memcpy(text, data + 1, len);
    switch (data[0] % 3) {
    case 0:
        token(text, len);
        break;
    case 1:
        words(text, len);
        break;
    default:
        zone(text, len);
        break;
    }
    free(text);
    return 0;
}
