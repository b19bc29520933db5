/* Configuration files: whatever the text, a value that is taken lies inside its row's bounds, and
 * what is printed reads back the same. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/app/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int ok)
{
    if (!ok) {
        abort();
    }
}

static void check_bounds(const struct config *c)
{
    size_t count;
    const struct config_row *rows = config_rows(&count);
    char text[8192];
    for (size_t i = 0; i < count; i++) {
        if (rows[i].type == CONFIG_INT) {
            long long v = strtoll(config_text(c, &rows[i], text, sizeof(text)), NULL, 10);
            must(v >= rows[i].min && v <= rows[i].max);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct config a;
    struct config b;
    char why[CONFIG_WHY_MAX];
    char *text = NULL;
    size_t text_len = 0;
    must(config_init(&a) == 0 && config_init(&b) == 0);
    int err = config_yaml(&a, "fuzz", (const char *)data, len, why);
    check_bounds(&a);
    if (!err) {
        FILE *out = open_memstream(&text, &text_len);
        must(out != NULL);
        config_print_yaml(&a, out);
        must(fclose(out) == 0);
        must(config_yaml(&b, "again", text, text_len, why) == 0);
        free(text);
    }
    config_fini(&a);
    config_fini(&b);
    return 0;
}
