#include "signaling/journal/rtext.h"

#include <string.h>

#include "codec/base/mem.h"

struct rtext *rtext_new(const char *text, size_t len)
{
    struct rtext *t = len < UINT32_MAX ? mem_alloc(sizeof(*t) + len + 1) : NULL;
    if (t) {
        t->refs = 1;
        t->len = (uint32_t)len;
        if (len) {
            memcpy(t->s, text, len);
        }
    }
    return t;
}

struct rtext *rtext_get(struct rtext *text)
{
    if (text) {
        text->refs++;
    }
    return text;
}

void rtext_put(struct rtext **text)
{
    if (*text && --(*text)->refs == 0) {
        mem_free(*text);
    }
    *text = NULL;
}

void rtext_set(struct rtext **at, struct rtext *text)
{
    struct rtext *next = rtext_get(text);
    rtext_put(at);
    *at = next;
}
