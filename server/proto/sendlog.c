#include "server/proto/sendlog.h"

void sendlog_init(struct sendlog *log)
{
    log->size = SENDLOG_MIN;
    log->count = 0;
    log->next = 0;
}

/* Doubles the ring: every other record moves to the new half. */
static void grow(struct sendlog *log)
{
    for (uint32_t i = 1; i <= log->size; i++) {
        uint16_t number = (uint16_t)(log->next - i);
        uint32_t from = number & (log->size - 1);
        uint32_t to = number & (2 * log->size - 1);
        if (to != from) {
            log->record[to] = log->record[from];
            log->record[from].state = SENDLOG_NONE;
        } else {
            log->record[from + log->size].state = SENDLOG_NONE;
        }
    }
    log->size *= 2;
}

/* Numbers that were skipped, or a start: what stands in their places is void. */
static void skip(struct sendlog *log, uint16_t number)
{
    uint16_t gap = (uint16_t)(number - log->next);
    if (log->count == 0 || gap >= log->size) {
        for (uint32_t i = 0; i < log->size; i++) {
            log->record[i].state = SENDLOG_NONE;
        }
        log->count = 0;
        return;
    }
    for (uint16_t i = 0; i < gap; i++) {
        log->record[(uint16_t)(log->next + i) & (log->size - 1)].state = SENDLOG_NONE;
    }
}

/* It is needed still: the ring is too small for what is sent. */
static bool needed(const struct sendlog_record *r, mono_us now)
{
    uint32_t keep_us = r->state == SENDLOG_SENT ? SENDLOG_SPAN_US : SENDLOG_TOLD_US;
    return r->state != SENDLOG_NONE && (uint32_t)now - r->at_us < keep_us;
}

void sendlog_sent(struct sendlog *log, uint16_t number, uint16_t bytes, uint8_t cluster,
                  mono_us now)
{
    if (number != log->next || log->count == 0) {
        skip(log, number);
        log->next = number;
    }
    struct sendlog_record *r = &log->record[number & (log->size - 1)];
    if (log->count == log->size && log->size < SENDLOG_MAX && needed(r, now)) {
        grow(log);
        r = &log->record[number & (log->size - 1)];
    }
    *r = (struct sendlog_record){
        .at_us = (uint32_t)now,
        .bytes = bytes,
        .cluster = cluster,
        .state = SENDLOG_SENT,
    };
    log->next = (uint16_t)(number + 1);
    log->count += log->count < log->size;
}
