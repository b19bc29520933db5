#include "server/app/office.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/clock.h"
#include "codec/sys/log.h"
#include "codec/sys/random.h"
#include "codec/sys/thread.h"
#include "codec/sys/token.h"
#include "server/app/admin_json.h"
#include "server/app/core_state.h"
#include "server/app/keys.h"
#include "server/app/links.h"
#include "server/app/office_state.h"
#include "server/app/prepare.h"

enum { ASK_WAIT_US = 8 * US_PER_S, UPKEEP_US = 30 * US_PER_S };

/* ---- requests on their way
 * ------------------------------------------------------------------------------------------ */

static struct ipc_str copy(char **at, struct ipc_str s)
{
    if (!s.p) {
        return s;
    }
    struct ipc_str out = {.p = *at, .len = s.len};
    if (s.len) {
        memcpy(*at, s.p, s.len);
    }
    (*at)[s.len] = '\0';
    *at += s.len + 1;
    return out;
}

static struct office_job *job_new(const struct ipc_ask *ask, const struct office_route *route)
{
    size_t size = ask->path.len + ask->query.len + ask->body_len + 3;
    for (int i = 0; i < IPC_ASK_HEADERS; i++) {
        size += ask->header[i].len + 1;
    }
    struct office_job *job = mem_alloc(sizeof(*job) + size);
    if (!job) {
        return NULL;
    }
    char *at = job->text;
    job->route = route;
    job->ask = *ask;
    job->ask.path = copy(&at, ask->path);
    job->ask.query = copy(&at, ask->query);
    for (int i = 0; i < IPC_ASK_HEADERS; i++) {
        job->ask.header[i] = copy(&at, ask->header[i]);
    }
    job->ask.body = copy(&at, (struct ipc_str){.p = ask->body, .len = ask->body_len}).p;
    return job;
}

static void job_free(struct office_job *job)
{
    json_decref(job->call.body);
    mem_free(job->call.bytes);
    mem_free(job->call.path);
    mem_free(job);
}

static void push(struct office_list *list, struct office_job *job)
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

static struct office_job *pop(struct office_list *list)
{
    struct office_job *job = list->first;
    if (job) {
        list->first = job->next;
        list->last = list->first ? list->last : NULL;
        list->count--;
    }
    return job;
}

static struct ipc_str str(const char *text)
{
    return (struct ipc_str){.p = *text ? text : NULL, .len = strlen(text)};
}

static void send(struct office *office, const struct office_job *job)
{
    const struct office_call *call = &job->call;
    struct ipc_answer a = {.req = job->ask.req, .status = call->status, .fd = -1};
    a.header[IPC_ANSWER_CONTENT_TYPE] = str(call->type ? call->type : "application/json");
    a.header[IPC_ANSWER_CACHE_CONTROL] = str("no-store");
    a.header[IPC_ANSWER_SET_COOKIE] = str(call->cookie);
    a.header[IPC_ANSWER_CONTENT_DISPOSITION] = str(call->disposition);
    a.header[IPC_ANSWER_RETRY_AFTER] = str(call->retry);
    a.body = call->bytes;
    a.body_len = call->len;
    core_doors_answer(office->core, &a);
}

static void refuse_now(struct office *office, const struct ipc_ask *ask, uint16_t status,
                       const char *body, const char *retry)
{
    struct ipc_answer a = {.req = ask->req, .status = status, .fd = -1};
    a.header[IPC_ANSWER_CONTENT_TYPE] = str("application/json");
    a.header[IPC_ANSWER_CACHE_CONTROL] = str("no-store");
    a.header[IPC_ANSWER_RETRY_AFTER] = str(retry);
    a.body = body;
    a.body_len = strlen(body);
    core_doors_answer(office->core, &a);
}

bool office_ask(struct office *office, const struct ipc_ask *ask)
{
    bool known = false;
    const struct office_route *route =
        office_route_of(ask->method, ask->path.p, ask->path.len, &known);
    if (!route) {
        if (known) {
            refuse_now(office, ask, 405, "{\"error\":\"method\"}", "");
        }
        return known;
    }
    struct office_worker *w = &office->worker[route->pace];
    struct office_job *job = job_new(ask, route);
    mutex_lock(&office->lock);
    bool full = !job || office->stop || w->waiting.count >= OFFICE_QUEUE_MAX;
    if (!full) {
        push(&w->waiting, job);
        cond_signal(&w->wake);
    }
    mutex_unlock(&office->lock);
    if (full) {
        mem_free(job);
        refuse_now(office, ask, 503, "{\"error\":\"busy\"}", "2");
    }
    return true;
}

/* ---- the classroom, asked from a thread of the office
 * ------------------------------------------------------------------------------------------ */

json_t *office_classroom(struct office_call *call, json_t *request)
{
    struct office *office = call->office;
    struct office_question *q = mem_alloc(sizeof(*q));
    char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
    json_decref(request);
    if (!q || !text) {
        mem_free(q);
        free(text);
        return NULL;
    }
    q->text = text;
    mono_us deadline = clock_mono_us() + ASK_WAIT_US;
    uint64_t one = 1;
    mutex_lock(&office->lock);
    q->number = OFFICE_REQUESTS | ++office->last_question;
    q->next = office->questions;
    office->questions = q;
    (void)!write(office->fd, &one, sizeof(one));
    while (!q->answer && !office->stop) {
        if (!cond_wait_until(&office->answered, &office->lock, deadline)) {
            break;
        }
    }
    struct office_question **at = &office->questions;
    while (*at != q) {
        at = &(*at)->next;
    }
    *at = q->next;
    char *answer = q->answer;
    mutex_unlock(&office->lock);
    json_error_t error;
    json_t *o = answer ? json_loads(answer, 0, &error) : NULL;
    free(answer);
    free(q->text);
    mem_free(q);
    return o;
}

bool office_answered(struct office *office, uint64_t request, int err, const char *json, size_t len)
{
    if (!(request & OFFICE_REQUESTS)) {
        return false;
    }
    char *text = admin_json_answer(err, json, len);
    mutex_lock(&office->lock);
    struct office_question *q = office->questions;
    while (q && q->number != request) {
        q = q->next;
    }
    if (q && !q->answer) {
        q->answer = text;
        text = NULL;
        cond_broadcast(&office->answered);
    }
    mutex_unlock(&office->lock);
    free(text); /* whoever asked has given up */
    return true;
}

/* Core thread: puts one waiting question to the classroom. */
static bool put_question(struct office *office)
{
    char *text = NULL;
    uint64_t number = 0;
    mutex_lock(&office->lock);
    for (struct office_question *q = office->questions; q; q = q->next) {
        if (!q->asked) {
            q->asked = true;
            number = q->number;
            text = mem_dup(q->text, strlen(q->text));
            break;
        }
    }
    mutex_unlock(&office->lock);
    if (!number) {
        return false;
    }
    struct admin_json request = {.doc = NULL};
    char why[256] = "";
    int err = text ? admin_json_parse(&request, text, strlen(text), why, sizeof(why)) : E_NOMEM;
    if (err || request.kind != ADMIN_JSON_CLASSROOM) {
        log_warn("office", "a request the classroom does not know", L_STR("why", why));
        (void)office_answered(office, number, err ? err : E_BAD, NULL, 0);
    } else {
        classroom_admin(office->core->room, number, &request.request, core_time(office->core));
    }
    admin_json_fini(&request);
    mem_free(text);
    return true;
}

/* ---- threads
 * ------------------------------------------------------------------------------------------ */

static void call_begin(struct office *office, struct office_call *call, struct people *people)
{
    call->office = office;
    call->people = people;
    call->now = clock_wall_ms();
    mutex_lock(&office->lock);
    memcpy(call->server, office->server, sizeof(call->server));
    memcpy(call->base, office->base, sizeof(call->base));
    bool own = office->public_url;
    mutex_unlock(&office->lock);
    if (!own) { /* a server on this machine only: the port it really has */
        prepare_url(office->core->config, links_port(office->core->config), call->base,
                    sizeof(call->base));
    }
}

/* Without a request of anybody: what the desk does by itself. */
static const struct office_route by_itself = {.who = OFFICE_ADMIN};

static bool run_upkeep(struct office *office, struct people *people, bool first)
{
    static const struct ipc_ask nobody = {.method = IPC_GET};
    struct office_call call = {.ask = &nobody, .route = &by_itself};
    call_begin(office, &call, people);
    if (first) {
        office_limits_apply(&call);
    }
    bool more = office_upkeep(&call);
    mem_free(call.bytes);
    return more;
}

static void run_refusals(struct office *office, struct people *people,
                         const struct office_refusals *list)
{
    static const struct ipc_ask nobody = {.method = IPC_GET};
    struct office_call call = {.ask = &nobody, .route = &by_itself};
    call_begin(office, &call, people);
    office_refusals(&call, list);
    mem_free(call.bytes);
}

void office_full(struct office *office, const struct id *class_id, enum class_full why)
{
    mutex_lock(&office->lock);
    refusals_add(&office->refusals, class_id, why);
    cond_signal(&office->worker[OFFICE_DESK].wake);
    mutex_unlock(&office->lock);
}

static void work(void *arg)
{
    struct office_worker *w = arg;
    struct office *office = w->office;
    bool desk = w == &office->worker[OFFICE_DESK];
    mono_us upkeep_at = desk ? clock_mono_us() : MONO_NEVER;
    bool first = true;
    uint64_t one = 1;
    thread_background();
    mutex_lock(&office->lock);
    while (!office->stop) {
        struct office_job *job = pop(&w->waiting);
        if (job) {
            mutex_unlock(&office->lock);
            call_begin(office, &job->call, w->people);
            office_run(&job->call, job->route, &job->ask);
            mutex_lock(&office->lock);
            push(&office->finished, job);
            (void)!write(office->fd, &one, sizeof(one));
        } else if (desk && office->refusals.count > 0) {
            struct office_refusals list = office->refusals;
            memset(&office->refusals, 0, sizeof(office->refusals));
            mutex_unlock(&office->lock);
            run_refusals(office, w->people, &list);
            mutex_lock(&office->lock);
        } else if (desk && (office->look || clock_mono_us() >= upkeep_at)) {
            office->look = false;
            mutex_unlock(&office->lock);
            bool more = run_upkeep(office, w->people, first);
            first = false;
            upkeep_at = clock_mono_us() + UPKEEP_US;
            mutex_lock(&office->lock);
            office->look = office->look || more;
        } else if (upkeep_at == MONO_NEVER) {
            cond_wait(&w->wake, &office->lock);
        } else {
            (void)cond_wait_until(&w->wake, &office->lock, upkeep_at);
        }
    }
    mutex_unlock(&office->lock);
}

void office_look(struct office *office)
{
    mutex_lock(&office->lock);
    office->look = true;
    cond_signal(&office->worker[OFFICE_DESK].wake);
    mutex_unlock(&office->lock);
}

/* Core thread: answers that are ready, questions for the classroom. */
static void ready_h(void *arg, unsigned ready, mono_us now)
{
    struct office *office = arg;
    uint64_t count;
    (void)ready;
    core_turn(office->core, now);
    (void)!read(office->fd, &count, sizeof(count));
    mutex_lock(&office->lock);
    struct office_list done = office->finished;
    office->finished = (struct office_list){.first = NULL};
    mutex_unlock(&office->lock);
    for (struct office_job *job = pop(&done); job; job = pop(&done)) {
        send(office, job);
        job_free(job);
    }
    while (put_question(office)) {
    }
}

void office_reload(struct office *office)
{
    const struct config *c = office->core->config;
    char base[OFFICE_URL_MAX];
    prepare_url(c, 0, base, sizeof(base));
    mutex_lock(&office->lock);
    office->public_url = c->web_public_url[0] != '\0';
    snprintf(office->server, sizeof(office->server), "%s", c->server_name);
    memcpy(office->base, base, sizeof(office->base));
    mutex_unlock(&office->lock);
    office_look(office);
}

/* ---- start and end
 * ------------------------------------------------------------------------------------------ */

static int start(struct office *office, char *why, size_t cap)
{
    char path[PATHS_MAX];
    struct core *core = office->core;
    paths_in(&core->paths, "people.db", path);
    int err = keys_secret(&core->paths, core->config, office->key, why, cap);
    if (err) {
        return err;
    }
    token_derive(office->person_key, office->key, "invited person");
    random_fill(&office->throttle_key, sizeof(office->throttle_key));
    for (unsigned i = 0; i < OFFICE_PACES && !err; i++) {
        err = people_open(&office->worker[i].people, path);
    }
    /* What the last run was about to write is taken up by this one. */
    err = err ? err : people_run(office->worker[0].people, PEOPLE_PAPER_LEFT, "");
    if (err) {
        snprintf(why, cap, "people.db: %s",
                 err == E_CORRUPT   ? "damaged and left untouched; restore a backup"
                 : err == E_VERSION ? "written by a newer amphi; install that version"
                                    : err_text(err));
        return err;
    }
    office->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    err = office->fd < 0 ? E_IO : loop_add(core->loop, office->fd, LOOP_READ, ready_h, office);
    err = err ? err : office_first(office);
    static const char *const names[OFFICE_PACES] = {"office", "office-slow"};
    for (unsigned i = 0; i < OFFICE_PACES && !err; i++) {
        err = thread_start(&office->worker[i].thread, names[i], -1, work, &office->worker[i]);
    }
    if (err) {
        snprintf(why, cap, "office: %s", err_text(err));
    }
    return err;
}

int office_new(struct office **out, struct core *core, char *why, size_t cap)
{
    struct office *office = mem_alloc(sizeof(*office));
    *out = NULL;
    if (!office) {
        snprintf(why, cap, "office: %s", err_text(E_NOMEM));
        return E_NOMEM;
    }
    office->core = core;
    office->fd = -1;
    office->tries = (struct throttle){.burst = 10, .per_minute = 5};
    office->accounts = (struct throttle){.burst = 30, .per_minute = 2};
    mutex_init(&office->lock);
    cond_init(&office->answered);
    for (unsigned i = 0; i < OFFICE_PACES; i++) {
        office->worker[i].office = office;
        cond_init(&office->worker[i].wake);
    }
    office_reload(office);
    int err = start(office, why, cap);
    *out = office;
    return err;
}

void office_free(struct office *office)
{
    if (!office) {
        return;
    }
    mutex_lock(&office->lock);
    office->stop = true;
    cond_broadcast(&office->answered);
    for (unsigned i = 0; i < OFFICE_PACES; i++) {
        cond_signal(&office->worker[i].wake);
    }
    mutex_unlock(&office->lock);
    for (unsigned i = 0; i < OFFICE_PACES; i++) {
        struct office_worker *w = &office->worker[i];
        thread_join(&w->thread);
        for (struct office_job *job = pop(&w->waiting); job; job = pop(&w->waiting)) {
            job_free(job);
        }
        people_close(w->people);
        cond_fini(&w->wake);
    }
    for (struct office_job *job = pop(&office->finished); job; job = pop(&office->finished)) {
        job_free(job);
    }
    if (office->fd >= 0) {
        loop_del(office->core->loop, office->fd);
        close(office->fd);
    }
    cond_fini(&office->answered);
    mutex_fini(&office->lock);
    token_wipe(office->key, sizeof(office->key));
    mem_free(office);
}
