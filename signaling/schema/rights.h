/*
 * Rights as data: rights.def says which role has what in which type of class; class policy, room
 * policy and a personal grant or denial are masks on top.
 *   may = (table AND class AND room OR grant) AND NOT deny
 * Invariants: at most 64 rights; nothing is allowed that no row names.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "signaling/schema/roles.h"

#define RIGHT(id, number, name, roles, types) RIGHT_##id = (number),
enum right {
#include "signaling/schema/rights.def"
    RIGHT_COUNT = 64, /* numbers there can be; not all are given */
    RIGHT_NONE = 255, /* a message that needs no right: anybody in its place may send it */
};
#undef RIGHT

typedef uint64_t right_mask; /* bit per enum right */
#define RIGHT_MASK_ALL UINT64_MAX

struct right_policy {
    right_mask allow[ROLE_COUNT];
};

/* Rights a role has in a class of this type before any policy. */
right_mask right_table(enum role role, enum class_type type);
/* The same at the table of a workshop, in a class of this type: people work there as in a standard
 * class, and the audience may speak (rights_at_table.def). */
right_mask right_at_table(enum role role, enum class_type type);
/* The rule above; table: what one of the two gave. */
right_mask right_effective(enum role role, right_mask table, const struct right_policy *klass,
                           const struct right_policy *room, right_mask grant, right_mask deny);
static inline bool right_has(right_mask mask, enum right right)
{
    return right < RIGHT_COUNT && (mask >> right & 1) != 0;
}
/* Name of a right, "" for a number nobody has given. */
const char *right_name(enum right right);
/* A policy that narrows nothing. */
struct right_policy right_policy_open(void);
