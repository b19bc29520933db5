#include "server/proto/txbatch.h"

#include "codec/base/err.h"
#include "codec/base/mem.h"

int txbatch_init(struct txbatch *batch, void (*flush_h)(void *arg, struct txbatch *batch),
                 void *arg)
{
    *batch = (struct txbatch){.flush_h = flush_h, .flush_arg = arg};
    batch->buffer = mem_alloc(TXBATCH_BYTES);
    return batch->buffer ? 0 : E_NOMEM;
}

void txbatch_fini(struct txbatch *batch)
{
    mem_free(batch->buffer);
    batch->buffer = NULL;
}

uint8_t *txbatch_room(struct txbatch *batch)
{
    if (batch->used + TXBATCH_DATAGRAM_MAX > TXBATCH_BYTES || batch->runs == TXBATCH_RUNS) {
        txbatch_flush(batch);
    }
    return batch->buffer + batch->used;
}

static bool joins(const struct txrun *run, const struct tuple *to, size_t len)
{
    return !run->closed && len <= run->segment_len && run->segments < TXBATCH_RUN_SEGMENTS &&
           run->len + len <= TXBATCH_RUN_BYTES && to->proto == ADDR_UDP &&
           tuple_equal(&run->to, to);
}

void txbatch_commit(struct txbatch *batch, const struct tuple *to, size_t len)
{
    struct txrun *run = batch->runs ? &batch->run[batch->runs - 1] : NULL;
    if (run && joins(run, to, len)) {
        run->closed = len < run->segment_len;
        run->segments++;
        run->len += (uint32_t)len;
    } else {
        run = &batch->run[batch->runs++];
        *run = (struct txrun){
            .to = *to,
            .at = batch->used,
            .len = (uint32_t)len,
            .segment_len = (uint16_t)len,
            .segments = 1,
        };
    }
    batch->used += (uint32_t)len;
    batch->datagrams++;
    batch->bytes += len;
}

void txbatch_flush(struct txbatch *batch)
{
    if (batch->runs) {
        batch->flush_h(batch->flush_arg, batch);
    }
    batch->runs = 0;
    batch->used = 0;
}
