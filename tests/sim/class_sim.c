/*
 * A seeded simulation of a class of 200 people: scripted pages send random but plausible messages
 * while connections are lost, commits fail or lag, the storage is busy, the wall clock jumps and
 * the core is killed. What must hold throughout:
 *   - what was acknowledged is in the journal exactly once, whatever was repeated;
 *   - every page's view (snapshot + deltas) equals the committed state;
 *   - one acting host whenever staff is present, and nobody else is shown as host;
 *   - nobody outside a class has a route, no source is forwarded that the state does not allow;
 *   - everybody is in exactly one place, and no route joins two rooms but announced listening;
 *   - replaying the journal, from its start or from any snapshot, gives the same state, byte for
 *     byte.
 * usage: class_sim [seeds [steps [first seed]]]   A failing seed is printed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "signaling/class/impl.h"
#include "signaling/journal/fold.h"
#include "signaling/journal/stage.h"
#include "tests/sim/class_say.h"
#include "tests/sim/class_stage.h"
#include "tests/sim/class_tables.h"
#include "tests/unit/class_rig.h"

enum {
    PEOPLE = 200,
    PAGES = 220, /* the last ones are second tabs of the first people */
    RUSH = 120,  /* come at once in the morning */
    ACKED_MAX = 1 << 16,
    AGE_MAX = 12, /* two pages of a person say less than STATE_KEPT_MAX meanwhile */
    SEEDS = 50,
    STEPS = 1200,
};

/* What a page is waiting for: the same text is sent again with the same id until it is acked. */
struct pending {
    char id[SCHEMA_CMD_ID_MAX + 1];
    unsigned number; /* of the chat text, 0 = nothing pending */
    unsigned age;    /* what this page has said since */
};

struct sim {
    struct rig *rig;
    struct rng_seeded seeded;
    struct rng rng;
    uint64_t seed;
    struct id class_id;
    struct id other_class;
    char link[ROLE_COUNT][TOKEN_TEXT_MAX];
    struct pending pending[PAGES];
    unsigned next_text;
    bool acked[ACKED_MAX];
    unsigned next_id;
    unsigned fail_percent;
    unsigned kills;
    unsigned failed_commits;
    bool closing;              /* somebody has just closed the workshops */
    unsigned taken[MSG_COUNT]; /* of this seed, for saying what was not said yet */
    unsigned denied[MSG_COUNT];
};

/* Per message type, over all seeds. */
static uint64_t accepted[MSG_COUNT];
static uint64_t refused[MSG_COUNT];

static _Noreturn void fail(const struct sim *sim, const char *what)
{
    (void)fprintf(stderr, "class_sim: seed %" PRIu64 ": %s\n", sim->seed, what);
    exit(1);
}

static uint32_t below(struct sim *sim, uint32_t n)
{
    return rng_below(&sim->rng, n);
}

static bool percent(struct sim *sim, uint32_t p)
{
    return below(sim, 100) < p;
}

/* ---- pages
 * ---------------------------------------------------------------------------------------- */

static struct rig_page *any_page(struct sim *sim)
{
    return &sim->rig->pages[below(sim, PAGES)];
}

/* A page that keeps a view, staff more often than not. */
static const struct rig_page *lens(struct sim *sim)
{
    size_t from = percent(sim, 60) ? 0 : below(sim, PAGES);
    for (size_t i = 0; i < PAGES; i++) {
        const struct rig_page *page = &sim->rig->pages[(from + i) % PAGES];
        if (page->inside && !page->blind) {
            return page;
        }
    }
    return &sim->rig->pages[0];
}

/* Pages beyond PEOPLE are second tabs of the first ones. */
static void borrow_guest(struct sim *sim, struct rig_page *page)
{
    size_t index = (size_t)(page - sim->rig->pages);
    if (index >= PEOPLE && !page->guest[0]) {
        memcpy(page->guest, sim->rig->pages[index - PEOPLE].guest, sizeof(page->guest));
    }
}

static void count(struct sim *sim, const struct rig_page *page, enum msg_type type, bool ok)
{
    sim->pending[page - sim->rig->pages].age++;
    if (page->error[0]) {
        refused[type]++;
        sim->denied[type]++;
    } else if (ok) {
        accepted[type]++;
        sim->taken[type]++;
    }
}

static void say_hello(struct sim *sim, struct rig_page *page)
{
    size_t index = (size_t)(page - sim->rig->pages);
    unsigned role = index == 0   ? ROLE_HOST
                    : index < 4  ? ROLE_ANIMATOR
                    : index < 10 ? ROLE_SPEAKER + (unsigned)index % 4
                    : index % 3  ? ROLE_PARTICIPANT
                                 : ROLE_LISTENER;
    borrow_guest(sim, page);
    rig_open(sim->rig, page);
    unsigned how = below(sim, 10);
    char once[TOKEN_TEXT_MAX];
    size_t before = page->messages;
    if (how < 5 && page->resume[0]) {
        if (how < 3) {
            rig_say(sim->rig, page,
                    "{\"t\":\"hello\",\"v\":1,\"lang\":\"fr\",\"resume\":\"%s\",\"have\":%lld}",
                    page->resume, (long long)page->seq);
        } else {
            rig_say(sim->rig, page, "{\"t\":\"hello\",\"v\":1,\"lang\":\"fr\",\"resume\":\"%s\"}",
                    page->resume);
        }
    } else if (how == 9) {
        rig_say(sim->rig, page, "{\"t\":\"hello\",\"v\":1,\"lang\":\"fr\",\"link\":\"forged\"}");
    } else {
        rig_link(sim->rig, &sim->class_id, (enum role)role, how == 8, once);
        const char *link = how == 8 ? once : sim->link[role];
        if (page->guest[0]) {
            rig_say(sim->rig, page,
                    "{\"t\":\"hello\",\"v\":1,\"lang\":\"fr\",\"link\":\"%s\",\"guest\":\"%s\"}",
                    link, page->guest);
        } else {
            rig_say(sim->rig, page, "{\"t\":\"hello\",\"v\":1,\"lang\":\"fr\",\"link\":\"%s\"}",
                    link);
        }
    }
    count(sim, page, MSG_HELLO, page->messages > before || page->conn);
}

static void say_join(struct sim *sim, struct rig_page *page)
{
    rig_say(sim->rig, page,
            "{\"t\":\"join\",\"id\":\"j%u\",\"name\":\"nom %u\",\"mic\":%s,\"cam\":%s}",
            ++sim->next_id, below(sim, 3), percent(sim, 50) ? "true" : "false",
            percent(sim, 50) ? "true" : "false");
    count(sim, page, MSG_JOIN, true);
}

static void say_chat(struct sim *sim, struct rig_page *page)
{
    struct pending *p = &sim->pending[page - sim->rig->pages];
    /* Not for ever: of who left only the newest commands are kept. */
    if (!p->number || p->age > AGE_MAX) {
        p->age = 0;
        p->number = ++sim->next_text;
        (void)snprintf(p->id, sizeof(p->id), "c%u", ++sim->next_id);
    }
    rig_say(sim->rig, page, "{\"t\":\"chat.send\",\"id\":\"%s\",\"text\":\"n%u\"}", p->id,
            p->number);
    count(sim, page, MSG_CHAT_SEND, true);
}

/* Acks of chat arrive later: whoever was acked has it for ever. */
static void harvest(struct sim *sim)
{
    for (size_t i = 0; i < PAGES; i++) {
        struct pending *p = &sim->pending[i];
        if (p->number && strcmp(sim->rig->pages[i].acked, p->id) == 0) {
            sim->acked[p->number % ACKED_MAX] = true;
            p->number = 0;
        }
    }
}

/* A type that this seed has not seen both taken and refused, rare ones aside; MSG_COUNT: none. */
static unsigned unseen(struct sim *sim)
{
    unsigned from = below(sim, MSG_COUNT);
    for (unsigned i = 0; i < MSG_COUNT; i++) {
        unsigned type = (from + i) % MSG_COUNT;
        if (say_weight((enum msg_type)type) > 10 && !(sim->taken[type] && sim->denied[type])) {
            return type;
        }
    }
    return MSG_COUNT;
}

static void say_type(struct sim *sim, struct rig_page *page, enum msg_type type)
{
    struct say say = {.rng = &sim->rng,
                      .rig = sim->rig,
                      .page = page,
                      .lens = lens(sim),
                      .number = ++sim->next_id};
    page = say_actor(&say, type);
    say.page = page;
    json_t *m = say_message(&say, type);
    char *text = json_dumps(m, JSON_COMPACT);
    if (!text) {
        abort();
    }
    rig_text(sim->rig, page, text, strlen(text));
    count(sim, page, type, true);
    free(text);
    json_decref(m);
}

/* Any message of the table, by its weight. */
static void say_any(struct sim *sim, struct rig_page *page)
{
    static unsigned total;
    for (unsigned i = 0; i < MSG_COUNT && (i > 0 || total == 0); i++) {
        total += say_weight((enum msg_type)i);
    }
    unsigned roll = below(sim, total);
    unsigned type = 0;
    while (roll >= say_weight((enum msg_type)type)) {
        roll -= say_weight((enum msg_type)type++);
    }
    unsigned fresh = percent(sim, 15) ? unseen(sim) : MSG_COUNT;
    type = fresh < MSG_COUNT ? fresh : type;
    /* Some things are said right after another: who closes may think better of it. */
    if (sim->closing && percent(sim, 30)) {
        type = MSG_WS_CANCEL;
    }
    sim->closing = sim->closing && type != MSG_WS_CANCEL && percent(sim, 80);
    sim->closing = sim->closing || type == MSG_WS_CLOSE;
    if (type == MSG_HELLO) {
        say_hello(sim, page);
        return;
    }
    say_type(sim, page, (enum msg_type)type);
}

static struct klass *the_class(const struct sim *sim)
{
    return class_find(sim->rig->room, &sim->class_id);
}

/* The next page that is in the class, or this one. */
static struct rig_page *inside_from(struct sim *sim, struct rig_page *page)
{
    size_t from = (size_t)(page - sim->rig->pages);
    for (size_t i = 0; i < PAGES; i++) {
        struct rig_page *next = &sim->rig->pages[(from + i) % PAGES];
        if (next->inside) {
            return next;
        }
    }
    return page;
}

/* Whoever waits knocks, or whoever leads opens to all. */
static void let_in(struct sim *sim, struct rig_page *page)
{
    struct rig_page *by = percent(sim, 30) ? page : &sim->rig->pages[below(sim, 4)];
    bool knocks = by == page || !by->inside;
    rig_say(sim->rig, knocks ? page : by, "{\"t\":\"%s\",\"id\":\"k%u\"}",
            knocks ? "knock" : "wait.admit", ++sim->next_id);
    count(sim, knocks ? page : by, knocks ? MSG_KNOCK : MSG_WAIT_ADMIT, true);
}

/* Somebody of the crowd at a table connects his media, or opens his microphone. */
static void say_at_table(struct sim *sim)
{
    const struct state *s = the_class(sim)->done;
    size_t from = below(sim, PAGES);
    for (size_t i = 0; i < PAGES; i++) {
        struct rig_page *page = &sim->rig->pages[(from + i) % PAGES];
        struct id id;
        const struct seat *seat = NULL;
        if (page->inside && !id_parse(&id, ID_PERSON, page->person, strlen(page->person))) {
            seat = state_seat(s, &id);
        }
        if (!seat || seat->room == ROOM_MAIN || !role_is_crowd(seat->person->role)) {
            continue;
        }
        if (percent(sim, 50)) {
            say_type(sim, page, MSG_MEDIA_OFFER);
        } else {
            rig_say(sim->rig, page,
                    "{\"t\":\"media.state\",\"id\":\"v%u\",\"mic\":\"on\",\"cam\":false,"
                    "\"screen\":false,\"sound\":false}",
                    ++sim->next_id);
            count(sim, page, MSG_MEDIA_STATE, true);
        }
        return;
    }
}

static void act(struct sim *sim, struct rig_page *page)
{
    if (!page->inside && percent(sim, 60)) {
        page = inside_from(sim, page);
    }
    if (!page->conn && percent(sim, 5)) {
        rig_open(sim->rig, page);
        say_any(sim, page); /* before it has said who it is */
        return;
    }
    if (!page->conn || (!page->inside && percent(sim, 10))) {
        say_hello(sim, page);
        return;
    }
    const char *told = json_string_value(json_object_get(page->last, "t"));
    if (!page->inside && told && strcmp(told, "waiting") == 0) {
        let_in(sim, page);
        return;
    }
    if (!page->inside && percent(sim, 90)) {
        say_join(sim, page);
        return;
    }
    if (stage_is(the_class(sim)->work) && percent(sim, 25)) {
        struct stage_play play = {.rng = &sim->rng, .rig = sim->rig, .number = ++sim->next_id};
        struct rig_page *by = NULL;
        enum msg_type type = stage_play(&play, &by);
        if (type != MSG_COUNT) {
            count(sim, by, type, true);
        }
        return;
    }
    unsigned roll = below(sim, 1000);
    if (roll < 40) {
        say_at_table(sim);
    } else if (roll < 250) {
        say_chat(sim, page);
    } else if (roll < 960) {
        say_any(sim, page);
    } else if (roll < 975) {
        say_hello(sim, page);
    } else {
        rig_lose(sim->rig, page);
    }
}

/* ---- what must hold
 * ------------------------------------------------------------------------------- */

static void check_acting(const struct sim *sim, const struct state *s)
{
    size_t hosts = 0;
    bool staff = false;
    for (size_t i = 0; i < s->seat_count; i++) {
        const struct person *p = s->seats[i]->person;
        staff = staff || role_is_staff(p->role);
        hosts += state_role(s, p) == ROLE_HOST;
    }
    if (hosts != (staff ? 1 : 0)) {
        fail(sim, "not exactly one acting host with staff present");
    }
}

static void check_routes(const struct sim *sim, const struct klass *k)
{
    for (const struct live *l = k->lives; l; l = l->next) {
        const struct rig_device *d = &sim->rig->devices[l->num % RIG_DEVICES_MAX];
        struct device *device = NULL;
        const struct seat *seat = state_device(k->work, &l->device, &device);
        uint32_t allowed = seat ? state_media(k->work, seat, device) : 0;
        if ((d->publish & ~allowed) || (!seat && d->room)) {
            fail(sim, "a route is open that the state does not allow");
        }
    }
    const char *wrong = stage_wrong(sim->rig, k);
    wrong = wrong ? wrong : tables_wrong(sim->rig, k);
    if (wrong) {
        fail(sim, wrong);
    }
}

static void show_difference(const char *page, const char *state)
{
    size_t at = 0;
    while (page[at] && page[at] == state[at]) {
        at++;
    }
    at = at > 160 ? at - 160 : 0;
    (void)fprintf(stderr, "page  ...%.400s\nstate ...%.400s\n", page + at, state + at);
}

/* Who sees alike (out_view) is compared with the same text, written once. */
static void check_views(struct sim *sim)
{
    for (size_t i = 0; i < PAGES; i++) {
        struct rig_page *page = &sim->rig->pages[i];
        if (!page->inside) {
            continue;
        }
        if (page->gap) {
            fail(sim, "a delta did not follow the one before");
        }
        if (page->blind) {
            continue;
        }
        char *state = rig_state_text(sim->rig, page);
        char *mine = rig_view_text(page);
        if (!state || strcmp(mine, state) != 0) {
            show_difference(mine, state ? state : "(none)");
            (void)fprintf(stderr, "page %zu, person %s\n", i, page->person);
            fail(sim, "a page sees something else than the state");
        }
        free(mine);
        free(state);
    }
}

static void settle(struct sim *sim)
{
    sim->rig->busy = false;
    unsigned fails = sim->fail_percent;
    sim->fail_percent = 0;
    for (unsigned i = 0; i < 4; i++) {
        (void)rig_commit(sim->rig, SIZE_MAX);
        rig_pass(sim->rig, 1100);
    }
    (void)rig_commit(sim->rig, SIZE_MAX);
    rig_pass(sim->rig, 110);
    sim->fail_percent = fails;
    harvest(sim);
    check_acting(sim, the_class(sim)->done);
    check_views(sim);
}

/* ---- the journal at the end
 * ------------------------------------------------------------------------- */

static const uint8_t *key_of(void *arg, const struct id *person)
{
    const struct rig_class *c = arg;
    for (size_t i = 0; i < c->key_count; i++) {
        if (id_equal(&c->keys[i].person, person)) {
            return c->keys[i].key;
        }
    }
    return NULL;
}

static void assert_same(const struct sim *sim, const struct state *a, const struct state *b)
{
    uint8_t *x = NULL;
    uint8_t *y = NULL;
    size_t x_len = 0;
    size_t y_len = 0;
    if (state_encode(a, NULL, &x, &x_len) || state_encode(b, NULL, &y, &y_len) || x_len != y_len ||
        memcmp(x, y, x_len) != 0) {
        fail(sim, "the replayed journal gives another state");
    }
    mem_free(x);
    mem_free(y);
}

static unsigned chat_number(const struct event *e)
{
    return e->type == EVENT_CHAT_POSTED && e->text ? (unsigned)strtoul(e->text->s + 1, NULL, 10)
                                                   : 0;
}

static void check_journal(struct sim *sim)
{
    struct rig_class *c = &sim->rig->classes[0];
    struct sealer sealer = {
        .ops = rig_token_ops(), .key_h = key_of, .arg = c, .home = sim->class_id};
    struct state *whole = state_new(&sim->class_id);
    struct state *tail = NULL;
    static bool seen[ACKED_MAX];
    memset(seen, 0, sizeof(seen));
    size_t cut = c->event_count ? below(sim, (uint32_t)c->event_count) : 0;
    for (size_t i = 0; i < c->event_count; i++) {
        struct event e;
        if (event_decode(&e, c->events[i].data, c->events[i].len, &sealer) ||
            state_fold(whole, &e) || (tail && state_fold(tail, &e))) {
            fail(sim, "the journal does not fold");
        }
        unsigned n = chat_number(&e);
        if (n && seen[n % ACKED_MAX]) {
            fail(sim, "a chat message is in the journal twice");
        }
        seen[n % ACKED_MAX] = true;
        event_fini(&e);
        if (i == cut) {
            uint8_t *bytes = NULL;
            size_t len = 0;
            if (state_encode(whole, &sealer, &bytes, &len) ||
                state_decode(&tail, bytes, len, &sealer)) {
                fail(sim, "a snapshot cannot be read back");
            }
            mem_free(bytes);
        }
    }
    for (unsigned n = 1; n < ACKED_MAX; n++) {
        if (sim->acked[n] && !seen[n]) {
            fail(sim, "an acknowledged chat message is lost");
        }
    }
    assert_same(sim, whole, the_class(sim)->done);
    if (tail) {
        assert_same(sim, whole, tail);
    }
    if (c->snapshot.data) {
        struct state *from = NULL;
        if (state_decode(&from, c->snapshot.data, c->snapshot.len, &sealer)) {
            fail(sim, "the stored snapshot cannot be read");
        }
        state_free(from);
    }
    state_free(whole);
    state_free(tail);
}

/* ---- one seed
 * --------------------------------------------------------------------------------------- */

static struct sim *judged;

static int judge(struct rig *rig)
{
    (void)rig;
    bool lost = percent(judged, judged->fail_percent);
    judged->failed_commits += lost;
    return lost ? E_IO : 0;
}

/* The core dies and comes back; most pages are back at once, with the token they have. */
static void kill_core(struct sim *sim)
{
    bool inside[PAGES];
    for (size_t i = 0; i < PAGES; i++) {
        inside[i] = sim->rig->pages[i].inside;
    }
    sim->kills++;
    sim->rig->busy = false;
    if (rig_kill(sim->rig)) {
        fail(sim, "the journal does not load after a kill");
    }
    for (size_t i = 0; i < PAGES; i++) {
        struct rig_page *page = &sim->rig->pages[i];
        if (inside[i] && percent(sim, 90)) {
            rig_open(sim->rig, page);
            rig_say(sim->rig, page,
                    "{\"t\":\"hello\",\"v\":1,\"lang\":\"fr\",\"resume\":\"%s\",\"have\":%lld}",
                    page->resume, (long long)page->seq);
        }
    }
}

static void disturb(struct sim *sim)
{
    unsigned roll = below(sim, 1000);
    if (roll < 500) {
        (void)rig_commit(sim->rig, below(sim, 6));
    } else if (roll < 700) {
        rig_pass(sim->rig, below(sim, 400));
    } else if (roll < 710) {
        rig_pass(sim->rig, 20000 + below(sim, 50000));
    } else if (roll < 720) {
        sim->rig->now.wall += (int64_t)below(sim, 7200000) - 3600000;
    } else if (roll < 730) {
        sim->rig->busy = !sim->rig->busy;
    } else if (roll < 733) {
        kill_core(sim);
    }
    harvest(sim);
    check_routes(sim, the_class(sim));
}

/* Every other class has a date: soon, after the doors, or hours away. */
static int64_t start_of(const struct sim *sim, uint64_t seed)
{
    static const int64_t minutes[] = {3, 14, 38, 400};
    return seed % 2 ? 0 : sim->rig->now.wall + minutes[seed / 2 % 4] * 60000;
}

/* Standard, webinar, round table in turn; every other one has a date, the waiting room varies. */
static struct id sim_class(struct sim *sim, uint64_t seed)
{
    struct admin_setting settings[] = {
        {SETTING_WAITING, (int64_t)(seed / 2 % WAITING_MODE_COUNT)},
        {SETTING_DURATION, 60},
        {SETTING_START, start_of(sim, seed)},
    };
    struct admin_request req = {.kind = ADMIN_CLASS_CREATE,
                                .class_id = id_new(&sim->rng),
                                .title = "Journee",
                                .class_type = (enum class_type)(seed % CLASS_TYPE_COUNT),
                                .settings = settings,
                                .setting_count = 3};
    /* Some have several dates, hours or minutes apart. */
    struct class_date dates[4];
    for (size_t i = 0; i < 4 && seed % 4 == 2; i++) {
        int64_t after = seed % 8 == 2 ? 20 : 90;
        dates[i] = (struct class_date){
            .start = sim->rig->now.wall + (4 + (int64_t)i * after) * 60000, .minutes = 15};
        req.dates = dates;
        req.date_count = 4;
    }
    classroom_admin(sim->rig->room, 1, &req, sim->rig->now);
    (void)rig_commit(sim->rig, SIZE_MAX);
    return req.class_id;
}

static void run(uint64_t seed, unsigned steps)
{
    struct sim *sim = calloc(1, sizeof(*sim));
    if (!sim) {
        abort();
    }
    sim->seed = seed;
    rng_seed(&sim->seeded, seed);
    sim->rng = rng_from_seeded(&sim->seeded);
    sim->rig = rig_new(PAGES, seed);
    sim->fail_percent = seed % 3 == 0 ? 0 : 2;
    judged = sim;
    if (!sim->rig) {
        abort();
    }
    sim->class_id = sim_class(sim, seed);
    for (unsigned r = 0; r < ROLE_COUNT; r++) {
        rig_link(sim->rig, &sim->class_id, (enum role)r, false, sim->link[r]);
    }
    for (size_t i = 8; i < PAGES; i++) {
        sim->rig->pages[i].blind = (i * 7 + seed) % 29 != 0;
        sim->rig->pages[i].encoder = (i + seed) % 10 == 9;
    }
    for (size_t i = 0; i < RUSH; i++) {
        say_hello(sim, &sim->rig->pages[i]);
        say_join(sim, &sim->rig->pages[i]);
    }
    (void)rig_commit(sim->rig, SIZE_MAX);
    sim->rig->judge_h = judge;
    for (unsigned i = 0; i < steps; i++) {
        /* Staff is busier than the rest. */
        act(sim, percent(sim, 20) ? &sim->rig->pages[below(sim, 4)] : any_page(sim));
        disturb(sim);
        if (i % 100 == 99) {
            settle(sim);
        }
    }
    settle(sim);
    check_journal(sim);
    printf("seed %" PRIu64 ": %zu events, %u kills, %u failed commits\n", seed,
           sim->rig->classes[0].event_count, sim->kills, sim->failed_commits);
    rig_free(sim->rig);
    free(sim);
}

int main(int argc, char **argv)
{
    unsigned seeds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : (unsigned)SEEDS;
    unsigned steps = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : (unsigned)STEPS;
    uint64_t first = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        run(seed, steps);
    }
    bool blind = false; /* few seeds say little of rare messages */
    printf("%-16s %10s %10s\n", "message", "taken", "refused");
    for (unsigned i = 0; i < MSG_COUNT; i++) {
        printf("%-16s %10" PRIu64 " %10" PRIu64 "\n", schema_msg((enum msg_type)i)->name,
               accepted[i], refused[i]);
        blind = blind || accepted[i] == 0 || refused[i] == 0;
    }
    printf("%" PRIu64 " times a listener was heard at a table\n", tables_voices);
    blind = blind || tables_voices == 0;
    if (blind && seeds >= SEEDS) {
        printf("a message type was never taken or never refused\n");
        return 1;
    }
    return 0;
}
