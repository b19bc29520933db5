#include "server/app/own_words.h"

#include <stddef.h>

#include "codec/base/mem.h"
#include "codec/sys/file.h"
#include "server/mail/words.h"

enum { BYTES_MAX = 65536 };

char *own_words_read(const char *path)
{
    char *bytes = NULL;
    char *text = NULL;
    size_t len = 0;
    if (!file_read(path, BYTES_MAX, &bytes, &len) && len > 0) {
        text = words_plain(bytes, len);
    }
    mem_free(bytes);
    if (text && !*text) {
        mem_free(text);
        text = NULL;
    }
    return text;
}
