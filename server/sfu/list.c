/* Lists of subscriptions in blocks; a removal moves the last of the first block into the gap. */
#include "codec/base/err.h"
#include "server/sfu/core.h"

static struct subs_place *place_of(struct subscription *sub, bool next)
{
    return next ? &sub->next_place : &sub->place;
}

int subs_add(struct sfu *sfu, struct subs_block **list, struct subscription *sub, bool next)
{
    struct subs_block *block = *list;
    if (!block || block->count == SUBS_BLOCK) {
        pool_id id;
        block = pool_get_raw(&sfu->blocks, &id);
        if (!block) {
            return E_FULL;
        }
        block->id = id;
        block->count = 0;
        block->next = *list;
        *list = block;
    }
    *place_of(sub, next) = (struct subs_place){.block = block, .at = block->count};
    block->sub[block->count++] = sub;
    return 0;
}

void subs_del(struct sfu *sfu, struct subs_block **list, struct subscription *sub, bool next)
{
    struct subs_place *place = place_of(sub, next);
    struct subs_block *first = *list;
    struct subscription *last = first->sub[--first->count];
    place->block->sub[place->at] = last;
    *place_of(last, next) = *place;
    place->block = NULL;
    if (first->count == 0) {
        *list = first->next;
        pool_put(&sfu->blocks, first->id);
    }
}

uint32_t subs_count(const struct subs_block *list)
{
    uint32_t n = 0;
    for (; list; list = list->next) {
        n += list->count;
    }
    return n;
}
