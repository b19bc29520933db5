/* Prints what is generated from messages.def: `gen ts` or `gen md`. */
#include <stdio.h>
#include <string.h>

#include "signaling/schema/docs.h"

int main(int argc, char **argv)
{
    struct jsonw w;
    jsonw_init(&w, DOCS_LEN_MAX);
    if (argc == 2 && strcmp(argv[1], "ts") == 0) {
        docs_typescript(&w);
    } else if (argc == 2 && strcmp(argv[1], "md") == 0) {
        docs_protocol(&w);
    } else {
        (void)fprintf(stderr, "usage: gen ts|md\n");
        return 64;
    }
    size_t len;
    const char *text = jsonw_text(&w, &len);
    bool ok = text && fwrite(text, 1, len, stdout) == len && fflush(stdout) == 0;
    jsonw_fini(&w);
    return ok ? 0 : 1;
}
