/*
 * Messages of one fixed size to one thread: a single-producer single-consumer ring per producer, in
 * front of one eventfd that wakes the consumer at most once per drain.
 * Invariants: producer p's messages arrive in order; order between producers is not kept; no lock;
 * a ring never grows. Rings reserve address space and touch as much as was ever queued.
 * Out of scope: what is inside (struct sfu_msg, bridge commands) and who owns what it refers to.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mailbox;

/* producers 1 .. 256; capacity a power of two 2 .. 65536 per producer; size 1 .. 65536 bytes.
 * 0, E_RANGE, E_NOMEM or E_IO. */
int mailbox_new(struct mailbox **out, uint32_t producers, uint32_t capacity, size_t size);
void mailbox_free(struct mailbox *mailbox);

/* Producer p's thread: copies size bytes of msg in. False when the ring is full (counted). */
bool mailbox_push(struct mailbox *mailbox, uint32_t producer, const void *msg);
/* Any producer, after one or more pushes: wakes the consumer if it is not awake already. */
void mailbox_ring(struct mailbox *mailbox);

/* Consumer: becomes readable when there is something; watch it with LOOP_READ. */
int mailbox_fd(const struct mailbox *mailbox);
/* Consumer: call once per wake-up before popping; silences the descriptor. */
void mailbox_answer(struct mailbox *mailbox);
/* Consumer: copies the next message out, taking turns between producers. False when empty. */
bool mailbox_pop(struct mailbox *mailbox, void *msg);
/* Pushes refused so far because a ring was full; any thread. */
uint64_t mailbox_refused(const struct mailbox *mailbox);
