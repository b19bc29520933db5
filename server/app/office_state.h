/* What office.c and office_call.c share. Nobody else includes it. */
#pragma once

#include "codec/base/hash.h"
#include "codec/sys/thread.h"
#include "codec/sys/token.h"
#include "server/app/office_call.h"
#include "server/app/office_limits.h"
#include "signaling/people/throttle.h"

/* Requests of the office at the classroom; those of the control socket count from 1. */
#define OFFICE_REQUESTS (1ull << 62)

enum { OFFICE_QUEUE_MAX = 64 };

struct office_job {
    struct office_job *next;
    const struct office_route *route;
    struct ipc_ask ask; /* copied: pointers into text, a NUL behind each */
    struct office_call call;
    char text[];
};

struct office_list {
    struct office_job *first;
    struct office_job *last;
    size_t count;
};

struct office_worker {
    struct office *office;
    struct thread thread;
    struct cond wake;
    struct people *people;
    struct office_list waiting; /* under the lock */
};

/* A request for the classroom by a handler that waits for it. */
struct office_question {
    struct office_question *next;
    uint64_t number;
    bool asked;
    char *text;
    char *answer; /* free */
};

struct office {
    struct core *core;
    int fd; /* raised for the core thread */
    uint8_t key[TOKEN_KEY_LEN];
    uint8_t person_key[TOKEN_KEY_LEN];
    struct hash_key throttle_key;
    struct office_worker worker[OFFICE_PACES];
    struct mutex lock; /* everything below */
    struct cond answered;
    struct office_list finished;
    struct office_question *questions;
    uint64_t last_question;
    struct throttle tries;    /* per address */
    struct throttle accounts; /* per account */
    char server[81];
    char base[OFFICE_URL_MAX];
    struct office_refusals refusals;
    bool public_url; /* base is web.public_url */
    bool look;       /* the upkeep is wanted now */
    bool stop;
};

/* Runs a request: who it is, then its handler. */
void office_run(struct office_call *call, const struct office_route *route,
                const struct ipc_ask *ask);
/* At start: without an administrator a one-time link waits in keys/first-admin. 0 or E_*. */
int office_first(struct office *office);
