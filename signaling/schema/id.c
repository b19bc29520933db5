#include "signaling/schema/id.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/text.h"

static const char id_letter[ID_KIND_COUNT] = {
    [ID_CLASS] = 'c', [ID_PERSON] = 'p', [ID_DEVICE] = 'd', [ID_MESSAGE] = 'm',
    [ID_ROOM] = 'r',  [ID_SET] = 'w',    [ID_PASS] = 't',
};

struct id id_new(const struct rng *rng)
{
    struct id id;
    do {
        rng_fill(rng, id.b, sizeof(id.b));
    } while (id_is_zero(&id));
    return id;
}

bool id_equal(const struct id *a, const struct id *b)
{
    return memcmp(a->b, b->b, ID_LEN) == 0;
}

bool id_is_zero(const struct id *id)
{
    static const struct id zero;
    return id_equal(id, &zero);
}

uint64_t id_key(const struct id *id)
{
    uint64_t key;
    memcpy(&key, id->b, sizeof(key));
    return key;
}

const char *id_print(char out[ID_TEXT_MAX], enum id_kind kind, const struct id *id)
{
    out[0] = id_letter[kind];
    out[1] = '_';
    (void)text_base32(out + 2, ID_TEXT_MAX - 2, id->b, ID_LEN);
    return out;
}

static int base32_value(char c)
{
    if (c >= 'a' && c <= 'z') {
        return c - 'a';
    }
    if (c >= '2' && c <= '7') {
        return c - '2' + 26;
    }
    return -1;
}

int id_parse(struct id *out, enum id_kind kind, const char *text, size_t len)
{
    if (len != ID_TEXT_MAX - 1 || text[0] != id_letter[kind] || text[1] != '_') {
        return E_BAD;
    }
    struct id id = {{0}};
    uint32_t bits = 0;
    unsigned have = 0;
    size_t at = 0;
    for (size_t i = 2; i < len; i++) {
        int v = base32_value(text[i]);
        if (v < 0) {
            return E_BAD;
        }
        bits = (bits << 5 | (uint32_t)v) & 0xfff;
        have += 5;
        if (have >= 8 && at < ID_LEN) {
            have -= 8;
            id.b[at++] = (uint8_t)(bits >> have);
        }
    }
    /* 26 characters carry 130 bits: the last two must be zero, or there were two spellings. */
    if ((bits & ((1u << have) - 1)) != 0 || id_is_zero(&id)) {
        return E_BAD;
    }
    *out = id;
    return 0;
}
