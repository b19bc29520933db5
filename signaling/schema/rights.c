#include "signaling/schema/rights.h"

struct right_row {
    const char *name;
    uint32_t roles;
    uint32_t types;
};

#define RIGHT(id, number, name, roles, types) [RIGHT_##id] = {name, roles, types},
static const struct right_row rows[RIGHT_COUNT] = {
#include "signaling/schema/rights.def"
};
#undef RIGHT

#define AT_TABLE(id, roles, types) {RIGHT_##id, roles, types},
static const struct table_row {
    enum right right;
    uint32_t roles;
    uint32_t types;
} at_table[] = {
#include "signaling/schema/rights_at_table.def"
};
#undef AT_TABLE

right_mask right_table(enum role role, enum class_type type)
{
    right_mask mask = 0;
    for (unsigned i = 0; i < RIGHT_COUNT; i++) {
        bool by_role = (rows[i].roles >> role & 1) != 0;
        bool by_type = role != ROLE_PARTICIPANT || (rows[i].types >> type & 1) != 0;
        if (by_role && by_type) {
            mask |= (right_mask)1 << i;
        }
    }
    return mask;
}

right_mask right_at_table(enum role role, enum class_type type)
{
    right_mask mask = right_table(role, CLASS_STANDARD);
    for (unsigned i = 0; i < sizeof(at_table) / sizeof(at_table[0]); i++) {
        if ((at_table[i].roles >> role & 1) != 0 && (at_table[i].types >> type & 1) != 0) {
            mask |= (right_mask)1 << at_table[i].right;
        }
    }
    return mask;
}

right_mask right_effective(enum role role, right_mask table, const struct right_policy *klass,
                           const struct right_policy *room, right_mask grant, right_mask deny)
{
    right_mask mask = table & klass->allow[role] & room->allow[role];
    return (mask | grant) & ~deny;
}

const char *right_name(enum right right)
{
    return right < RIGHT_COUNT && rows[right].name ? rows[right].name : "";
}

struct right_policy right_policy_open(void)
{
    struct right_policy policy = {{0}};
    for (unsigned i = 0; i < ROLE_COUNT; i++) {
        policy.allow[i] = RIGHT_MASK_ALL;
    }
    return policy;
}
