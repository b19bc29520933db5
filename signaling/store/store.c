/* Heap: tickets in the queue with copies of their records, bounded by queue_len_max and
 * STORE_BYTES_MAX. */
#include "signaling/store/store.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/map.h"
#include "codec/base/mem.h"
#include "codec/sys/clock.h"
#include "codec/sys/thread.h"
#include "signaling/store/db.h"

enum { BUSY_MS = 10000, WHY_MAX = 256, PROBE_US = US_PER_S };

/* One ticket: header, records and their bytes in one block. */
struct job {
    struct job *next;
    uint64_t ticket;
    int err;
    size_t bytes;
    size_t count;
    struct class_record records[];
};

struct job_list {
    struct job *first;
    struct job *last;
    size_t count;
};

/* What a class has stored, so that a gap is seen without asking the database each time. */
struct class_seq {
    struct id class_id;
    uint64_t stored; /* durable */
    uint64_t next;   /* within the transaction being made */
};

struct store {
    struct db *db;
    uint64_t epoch;
    uint32_t queue_len_max;
    int fd;
    struct thread thread;
    bool running;
    struct class_seq *seqs; /* storage thread only */
    size_t seq_count;
    size_t seq_cap;
    bool scrub_due;    /* storage thread: somebody was erased, the log may hold the key still */
    struct mutex lock; /* everything below */
    struct cond wake;
    struct job_list waiting;
    struct job_list finished;
    size_t bytes_waiting;
    bool stop;
    struct store_stats stats;
};

static char why_text[WHY_MAX];

const char *store_why(void)
{
    return why_text;
}

static void push(struct job_list *list, struct job *job)
{
    job->next = NULL;
    if (list->last) {
        list->last->next = job;
    } else {
        list->first = job;
    }
    list->last = job;
    list->count++;
}

static void free_jobs(struct job_list *list)
{
    while (list->first) {
        struct job *next = list->first->next;
        mem_free(list->first);
        list->first = next;
    }
    *list = (struct job_list){.first = NULL};
}

/* ---- opening and closing
 * -------------------------------------------------------------------------- */

int store_open(struct store **out, const struct store_config *config)
{
    *out = NULL;
    why_text[0] = '\0';
    struct store *s = mem_alloc(sizeof(*s));
    if (!s) {
        return E_NOMEM;
    }
    mutex_init(&s->lock);
    cond_init(&s->wake);
    s->queue_len_max = config->queue_len_max ? config->queue_len_max : STORE_QUEUE_MAX;
    s->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    uint32_t busy_ms = config->busy_ms_max ? config->busy_ms_max : BUSY_MS;
    int err = s->fd < 0 ? E_IO : 0;
    err = err ? err : db_open(&s->db, config->path, busy_ms, why_text, sizeof(why_text));
    err = err ? err : db_next_epoch(s->db, &s->epoch);
    if (err) {
        if (!why_text[0]) {
            (void)snprintf(why_text, sizeof(why_text), "%s: %s", config->path, err_text(err));
        }
        store_close(s);
        return err;
    }
    s->scrub_due = true; /* a predecessor that was killed may have owed it */
    *out = s;
    return 0;
}

uint64_t store_epoch(const struct store *s)
{
    return s->epoch;
}

int store_load(struct store *s, int (*load_h)(void *arg, const struct class_image *image),
               void *arg)
{
    return db_load(s->db, load_h, arg);
}

int store_history(const char *path, const struct id *class_id,
                  int (*load_h)(void *arg, const struct class_image *image), void *arg)
{
    struct db *db = NULL;
    why_text[0] = '\0';
    int err = db_open_reader(&db, path, why_text, sizeof(why_text));
    if (err) {
        return err;
    }
    err = db_history(db, class_id, load_h, arg);
    if (err) {
        (void)snprintf(why_text, sizeof(why_text), "%s: %s", path,
                       err == E_NOTFOUND ? "no such class" : err_text(err));
    }
    db_close(db);
    return err;
}

int store_fd(const struct store *s)
{
    return s->fd;
}

void store_close(struct store *s)
{
    if (!s) {
        return;
    }
    store_stop(s);
    free_jobs(&s->waiting);
    free_jobs(&s->finished);
    db_close(s->db);
    if (s->fd >= 0) {
        (void)close(s->fd);
    }
    cond_fini(&s->wake);
    mutex_fini(&s->lock);
    mem_free(s->seqs);
    mem_free(s);
}

/* ---- classroom thread
 * ----------------------------------------------------------------------------- */

static struct job *job_new(uint64_t ticket, const struct class_record *records, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += records[i].len;
    }
    struct job *job = mem_alloc(sizeof(*job) + count * sizeof(job->records[0]) + bytes);
    if (!job) {
        return NULL;
    }
    job->ticket = ticket;
    job->count = count;
    job->bytes = bytes;
    uint8_t *at = (uint8_t *)&job->records[count];
    for (size_t i = 0; i < count; i++) {
        job->records[i] = records[i];
        job->records[i].data = at;
        if (records[i].len) {
            memcpy(at, records[i].data, records[i].len);
        }
        at += records[i].len;
    }
    return job;
}

int store_commit(struct store *s, uint64_t ticket, const struct class_record *records, size_t count)
{
    struct job *job = job_new(ticket, records, count);
    if (!job) {
        return E_NOMEM;
    }
    mutex_lock(&s->lock);
    bool full = s->stop || s->waiting.count >= s->queue_len_max ||
                s->bytes_waiting + job->bytes > STORE_BYTES_MAX;
    if (full) {
        s->stats.refused++;
    } else {
        push(&s->waiting, job);
        s->bytes_waiting += job->bytes;
        cond_signal(&s->wake);
    }
    mutex_unlock(&s->lock);
    if (full) {
        mem_free(job);
    }
    return full ? E_BUSY : 0;
}

size_t store_poll(struct store *s, void (*done_h)(void *arg, uint64_t ticket, int err), void *arg)
{
    uint64_t counted;
    ssize_t got = read(s->fd, &counted, sizeof(counted));
    (void)got; /* only lowers the flag; the list below is what counts */
    mutex_lock(&s->lock);
    struct job_list done = s->finished;
    s->finished = (struct job_list){.first = NULL};
    mutex_unlock(&s->lock);
    for (const struct job *job = done.first; job; job = job->next) {
        done_h(arg, job->ticket, job->err);
    }
    size_t count = done.count;
    free_jobs(&done);
    return count;
}

void store_stats_get(struct store *s, struct store_stats *out)
{
    mutex_lock(&s->lock);
    *out = s->stats;
    out->queue_len = (uint32_t)s->waiting.count;
    mutex_unlock(&s->lock);
}

/* ---- storage thread
 * ------------------------------------------------------------------------------- */

static struct class_seq *seq_of(struct store *s, const struct id *class_id, int *err)
{
    for (size_t i = 0; i < s->seq_count; i++) {
        if (id_equal(&s->seqs[i].class_id, class_id)) {
            return &s->seqs[i];
        }
    }
    if (s->seq_count == s->seq_cap) {
        size_t cap = s->seq_cap ? s->seq_cap * 2 : 64;
        struct class_seq *seqs = mem_realloc(s->seqs, cap * sizeof(*seqs));
        if (!seqs) {
            *err = E_NOMEM;
            return NULL;
        }
        s->seqs = seqs;
        s->seq_cap = cap;
    }
    uint64_t stored = 0;
    *err = db_last_seq(s->db, class_id, &stored);
    if (*err) {
        return NULL;
    }
    struct class_seq *seq = &s->seqs[s->seq_count++];
    *seq = (struct class_seq){.class_id = *class_id, .stored = stored, .next = stored};
    return seq;
}

/* True when the events of a job follow what is stored; then they count as stored in this
 * transaction. A job that does not follow was made behind a commit that failed. */
static bool follows(struct store *s, const struct job *job, int *err)
{
    for (size_t i = 0; i < job->count; i++) {
        const struct class_record *r = &job->records[i];
        if (r->kind != RECORD_EVENT) {
            continue;
        }
        struct class_seq *seq = seq_of(s, &r->class_id, err);
        if (!seq || r->seq != seq->next + 1) {
            return false;
        }
        seq->next++;
    }
    return true;
}

static int put_job(struct store *s, struct job *job)
{
    int err = 0;
    if (!follows(s, job, &err)) {
        job->err = err ? err : E_STATE;
        return err;
    }
    job->err = 0;
    for (size_t i = 0; i < job->count && !err; i++) {
        err = db_put(s->db, &job->records[i]);
        s->scrub_due = s->scrub_due || job->records[i].kind == RECORD_FORGET;
    }
    return err;
}

/* One transaction over all these jobs. On failure every job carries the reason: what gathered
 * together fails together, since later events were made behind earlier ones. */
static int transact(struct store *s, struct job_list *jobs)
{
    for (size_t i = 0; i < s->seq_count; i++) {
        s->seqs[i].next = s->seqs[i].stored;
    }
    int err = db_begin(s->db);
    for (struct job *job = jobs->first; job && !err; job = job->next) {
        err = put_job(s, job);
    }
    err = err ? err : db_commit(s->db);
    if (err) {
        db_rollback(s->db);
        for (struct job *job = jobs->first; job; job = job->next) {
            job->err = err;
        }
        return err;
    }
    for (size_t i = 0; i < s->seq_count; i++) {
        s->seqs[i].stored = s->seqs[i].next;
    }
    s->scrub_due = s->scrub_due && db_scrub(s->db);
    return 0;
}

static void account(struct store *s, const struct job_list *jobs, int err, int64_t us)
{
    s->stats.commits++;
    s->stats.err = err;
    s->stats.commit_us_last = us;
    s->stats.commit_us_max = us > s->stats.commit_us_max ? us : s->stats.commit_us_max;
    if (jobs->count > s->stats.batch_len_max) {
        s->stats.batch_len_max = (uint32_t)jobs->count;
    }
    for (const struct job *job = jobs->first; job; job = job->next) {
        s->stats.tickets += job->err == 0;
        s->stats.failed += job->err != 0;
        s->stats.bytes += job->err == 0 ? job->bytes : 0;
    }
}

static void deliver(struct store *s, struct job_list *jobs)
{
    if (s->finished.last) {
        s->finished.last->next = jobs->first;
    } else {
        s->finished.first = jobs->first;
    }
    s->finished.last = jobs->last;
    s->finished.count += jobs->count;
    uint64_t one = 1;
    ssize_t wrote = write(s->fd, &one, sizeof(one));
    (void)wrote; /* fails only when the flag is up already */
}

/* After a failure and while nobody has anything to store: does it work again? Whoever asks whether
 * the server is ready must not be told of trouble that is over, and nobody comes to a server that
 * is not ready. */
static void probe(struct store *s)
{
    if (s->stats.err == 0) {
        cond_wait(&s->wake, &s->lock);
        return;
    }
    if (cond_wait_until(&s->wake, &s->lock, clock_mono_us() + PROBE_US)) {
        return; /* somebody has: that will tell */
    }
    mutex_unlock(&s->lock);
    int err = db_begin(s->db);
    err = err ? err : db_touch(s->db);
    err = err ? err : db_commit(s->db);
    if (err) {
        db_rollback(s->db);
    }
    mutex_lock(&s->lock);
    s->stats.err = err;
}

static void work(void *arg)
{
    struct store *s = arg;
    mutex_lock(&s->lock);
    while (!s->stop || s->waiting.first) {
        if (!s->waiting.first) {
            probe(s);
            continue;
        }
        /* Everything that gathered while the last transaction ran: group commit without a timer. */
        struct job_list jobs = s->waiting;
        s->waiting = (struct job_list){.first = NULL};
        s->bytes_waiting = 0;
        mutex_unlock(&s->lock);
        mono_us start = clock_mono_us();
        int err = transact(s, &jobs);
        int64_t us = clock_mono_us() - start;
        mutex_lock(&s->lock);
        account(s, &jobs, err, us);
        deliver(s, &jobs);
    }
    mutex_unlock(&s->lock);
}

int store_start(struct store *s)
{
    int err = thread_start(&s->thread, "store", -1, work, s);
    s->running = err == 0;
    return err;
}

void store_stop(struct store *s)
{
    if (!s->running) {
        return;
    }
    mutex_lock(&s->lock);
    s->stop = true;
    cond_signal(&s->wake);
    mutex_unlock(&s->lock);
    thread_join(&s->thread);
    s->running = false;
}
