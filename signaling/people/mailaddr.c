#include "signaling/people/mailaddr.h"

#include <string.h>

bool mailaddr_ok(const char *text)
{
    const char *at = strrchr(text, '@');
    size_t len = strlen(text);
    if (!at || at == text || !at[1] || len > MAILADDR_MAX || strchr(text, '@') != at ||
        !strchr(at, '.') || at[1] == '.' || text[len - 1] == '.') {
        return false;
    }
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c <= ' ' || *c >= 0x7f || strchr("()<>[]\\,;:\"", *c)) {
            return false;
        }
    }
    return true;
}
