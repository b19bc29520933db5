/*
 * Immutable, counted text: a name or a chat message stands once in memory, whoever refers to it
 * (event on its way, working state, committed state). Heap: one block per text.
 * Invariants: content never changes; NUL behind the last byte; one thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct rtext {
    uint32_t refs;
    uint32_t len;
    char s[];
};

/* A copy of len bytes with one reference, or NULL. */
struct rtext *rtext_new(const char *text, size_t len);
/* One more reference; NULL stays NULL. */
struct rtext *rtext_get(struct rtext *text);
/* Gives one reference back and nulls the pointer; NULL is fine. */
void rtext_put(struct rtext **text);
/* *at refers to text from now on instead of what it referred to. */
void rtext_set(struct rtext **at, struct rtext *text);
static inline const char *rtext_str(const struct rtext *text)
{
    return text ? text->s : "";
}
static inline size_t rtext_len(const struct rtext *text)
{
    return text ? text->len : 0;
}
