/*
 * Named reasons for every packet that is not forwarded. Hot-path functions return one of these;
 * DROP_NONE means the packet went on. Rows live in drop.def: adding one adds its metric.
 */
#pragma once

#include <stdint.h>

#define DROP(name, help) name,
enum drop {
#include "codec/base/drop.def"
    DROP_COUNT
};
#undef DROP

/* Name of a reason ("DROP_STUN_AUTH"), lower-cased by the metrics writer; never NULL. */
const char *drop_name(enum drop drop);
/* One sentence for people; never NULL. */
const char *drop_help(enum drop drop);
