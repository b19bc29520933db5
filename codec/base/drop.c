#include "codec/base/drop.h"

#define DROP(name, help) {#name, help},
static const struct {
    const char *name;
    const char *help;
} rows[] = {
#include "codec/base/drop.def"
};
#undef DROP

const char *drop_name(enum drop drop)
{
    return (unsigned)drop < DROP_COUNT ? rows[drop].name : "DROP_UNKNOWN";
}

const char *drop_help(enum drop drop)
{
    return (unsigned)drop < DROP_COUNT ? rows[drop].help : "unknown reason";
}
