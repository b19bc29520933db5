/* Any text as a roster: rows that are fine really are, and reading never goes past the end. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/text.h"
#include "signaling/people/mailaddr.h"
#include "signaling/people/roster.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct roster r;
    uint32_t line;
    char *text = malloc(size ? size : 1);
    if (!text) {
        return 0;
    }
    memcpy(text, data, size);
    if (roster_read(&r, text, size, &line) == 0) {
        for (uint32_t i = 0; i < r.count; i++) {
            const struct roster_row *row = &r.rows[i];
            bool fine = row->problem == ROSTER_FINE;
            if (!text_utf8_ok(row->name, strlen(row->name)) ||
                (fine && (!row->name[0] || !mailaddr_ok(row->mail))) || (i == 0 && row->twice)) {
                abort();
            }
        }
    }
    roster_fini(&r);
    free(text);
    return 0;
}
