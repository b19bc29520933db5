#include "codec/base/err.h"

#include <stddef.h>

struct err_row {
    int value;
    const char *name;
    const char *text;
};

#define ERR(name, value, text) {value, #name, text},
static const struct err_row rows[] = {
    {0, "E_OK", "success"},
#include "codec/base/err.def"
};
#undef ERR

static const struct err_row *row_find(int err)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].value == err) {
            return &rows[i];
        }
    }
    return NULL;
}

const char *err_text(int err)
{
    const struct err_row *row = row_find(err);
    return row ? row->text : "unknown error";
}

const char *err_name(int err)
{
    const struct err_row *row = row_find(err);
    return row ? row->name : "E_?";
}
