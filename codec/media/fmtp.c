#include "codec/media/fmtp.h"

#include <string.h>
#include <strings.h>

bool fmtp_find(const char *fmtp, size_t len, const char *name, const char **value,
               size_t *value_len)
{
    size_t name_len = strlen(name);
    while (len) {
        const char *end = memchr(fmtp, ';', len);
        size_t item = end ? (size_t)(end - fmtp) : len;
        size_t used = item + (end ? 1 : 0);
        const char *p = fmtp;
        while (item && *p == ' ') {
            p++;
            item--;
        }
        if (item > name_len && p[name_len] == '=' && strncasecmp(p, name, name_len) == 0) {
            *value = p + name_len + 1;
            *value_len = item - name_len - 1;
            return true;
        }
        fmtp += used;
        len -= used;
    }
    return false;
}

int fmtp_score_equal(const char *fmtp, size_t len, const char *name, const char *text)
{
    const char *value;
    size_t value_len;
    if (!fmtp_find(fmtp, len, name, &value, &value_len)) {
        return 1;
    }
    return value_len == strlen(text) && memcmp(value, text, value_len) == 0 ? 1 : -1;
}
