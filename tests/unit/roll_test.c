/*
 * Attendance as part of a class: presence checks, and a simulation of whole sessions in which pages
 * come, go, are lost and doubled, the core is killed and the wall clock set, whose sheet must say
 * what the test itself did, second by second.
 */
#include "tests/unit/support.h"

#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "signaling/attendance/rules.h"
#include "signaling/attendance/seal.h"
#include "signaling/class/impl.h"
#include "signaling/journal/roll.h"
#include "tests/unit/class_rig.h"

enum { HOST, ONE, TWO, THREE, PAGES };

struct hall {
    struct rig *rig;
    struct id class_id;
    char link[ROLE_COUNT][TOKEN_TEXT_MAX];
    struct rig_page *p[PAGES];
    unsigned said;
};

static struct hall hall_new(const struct admin_setting *settings, size_t count)
{
    struct hall h = {.rig = rig_new(PAGES, 11)};
    h.class_id = rig_class_set(h.rig, CLASS_STANDARD, settings, count);
    for (unsigned i = 0; i < PAGES; i++) {
        enum role role = i == HOST ? ROLE_HOST : ROLE_PARTICIPANT;
        rig_link(h.rig, &h.class_id, role, false, h.link[role]);
        h.p[i] = &h.rig->pages[i];
        assert_true(rig_enter(h.rig, h.p[i], h.link[role], "Nom"));
    }
    return h;
}

static void pass(struct hall *h, int64_t ms)
{
    for (int64_t left = ms; left > 0; left -= 1000) {
        rig_pass(h->rig, left < 1000 ? left : 1000);
        (void)rig_commit(h->rig, SIZE_MAX);
    }
    for (size_t i = 0; i < h->rig->page_count; i++) {
        if (h->rig->pages[i].inside) {
            char *mine = rig_view_text(&h->rig->pages[i]);
            char *theirs = rig_state_text(h->rig, &h->rig->pages[i]);
            assert_string_equal(mine, theirs);
            free(mine);
            free(theirs);
        }
    }
}

static bool say(struct hall *h, unsigned who, const char *type, const char *more)
{
    char id[16];
    (void)snprintf(id, sizeof(id), "s%u", ++h->said);
    rig_say(h->rig, h->p[who], "{\"t\":\"%s\",\"id\":\"%s\"%s}", type, id, more);
    (void)rig_commit(h->rig, SIZE_MAX);
    return strcmp(h->p[who]->acked, id) == 0;
}

static json_t *check_of(const struct hall *h, unsigned who)
{
    return json_array_get(json_object_get(h->p[who]->view, "checks"), 0);
}

static bool answer(struct hall *h, unsigned who)
{
    char more[80];
    (void)snprintf(more, sizeof(more), ",\"check\":\"%s\"",
                   json_string_value(json_object_get(check_of(h, who), "id")));
    return say(h, who, "check.answer", more);
}

static bool mine(const struct hall *h, unsigned who)
{
    return json_is_true(json_object_get(h->p[who]->view, "checkMine"));
}

static int64_t tally(const struct hall *h, unsigned which)
{
    json_t *t = json_array_get(json_object_get(h->p[HOST]->view, "checkTally"), 0);
    return t ? json_integer_value(json_array_get(t, which)) : -1;
}

/* The sheet of what is stored, with the digest of its journal. */
static void read_sheet(const struct rig *rig, struct sheet *sheet, struct attendance_chain *chain)
{
    const struct rig_class *c = &rig->classes[0];
    const struct token_ops ops = rig_token_ops();
    *chain = (struct attendance_chain){.count = 0};
    sheet_init(sheet, &c->id);
    for (size_t i = 0; i < c->event_count; i++) {
        struct event e;
        assert_int_equal(event_decode(&e, c->events[i].data, c->events[i].len, NULL), 0);
        assert_int_equal(sheet_fold(sheet, &e), 0);
        assert_int_equal(chain_add(chain, c->events[i].data, c->events[i].len, &ops), 0);
        event_fini(&e);
    }
}

static const struct attendee *of_page(const struct sheet *sheet, const struct rig_page *page)
{
    struct id id;
    assert_int_equal(id_parse(&id, ID_PERSON, page->person, strlen(page->person)), 0);
    return sheet_person(sheet_find(sheet, 0), &id);
}

/* ---- presence checks
 * --------------------------------------------------------------------------------------- */

static void a_check_asks_twice_and_counts(void **state)
{
    struct hall h = hall_new(NULL, 0);
    struct sheet sheet;
    struct attendance_chain chain;
    (void)state;
    assert_false(say(&h, ONE, "check.ask", "")); /* staff only */
    assert_true(say(&h, HOST, "check.ask", ""));
    assert_false(say(&h, HOST, "check.ask", "")); /* one at a time */
    pass(&h, 200);
    assert_true(mine(&h, ONE) && mine(&h, TWO) && mine(&h, THREE) && !mine(&h, HOST));
    assert_int_equal(tally(&h, 0), 3);
    assert_true(answer(&h, ONE));
    assert_true(answer(&h, ONE)); /* twice is once */
    pass(&h, 200);
    assert_false(mine(&h, ONE));
    assert_int_equal(tally(&h, 1), 1);
    pass(&h, 181 * 1000);
    assert_int_equal(json_integer_value(json_object_get(check_of(&h, TWO), "round")), 2);
    assert_true(mine(&h, TWO) && !mine(&h, ONE));
    assert_true(answer(&h, TWO));
    assert_int_equal(rig_kill(h.rig), 0); /* a restart keeps the check */
    for (unsigned i = 0; i < PAGES; i++) {
        assert_true(rig_resume(h.rig, h.p[i], false));
    }
    pass(&h, 200);
    assert_true(mine(&h, THREE) && !mine(&h, TWO));
    pass(&h, 181 * 1000);
    assert_null(check_of(&h, TWO));
    assert_false(mine(&h, THREE));
    read_sheet(h.rig, &sheet, &chain);
    assert_int_equal(of_page(&sheet, h.p[ONE])->checks_passed, 1);
    assert_int_equal(of_page(&sheet, h.p[TWO])->checks_passed, 1);
    assert_int_equal(of_page(&sheet, h.p[THREE])->checks_passed, 0);
    assert_int_equal(of_page(&sheet, h.p[THREE])->checks_asked, 1);
    assert_int_equal(of_page(&sheet, h.p[HOST])->checks_asked, 0);
    sheet_fini(&sheet);
    rig_free(h.rig);
}

static void a_check_ends_when_all_have_answered(void **state)
{
    struct hall h = hall_new(NULL, 0);
    (void)state;
    assert_true(say(&h, HOST, "check.ask", ""));
    pass(&h, 200);
    assert_true(answer(&h, ONE) && answer(&h, TWO));
    assert_true(say(&h, THREE, "leave", ""));
    pass(&h, 200);
    assert_null(check_of(&h, ONE));
    assert_false(answer(&h, ONE));
    rig_free(h.rig);
}

static void checks_come_by_themselves(void **state)
{
    static const struct admin_setting settings[] = {{SETTING_ROLL_AUTO, 1}};
    struct hall h = hall_new(settings, 1);
    unsigned minutes = 0;
    (void)state;
    while (!check_of(&h, ONE) && minutes < 40) {
        pass(&h, 60 * 1000);
        minutes++;
    }
    assert_in_range(minutes, 10, 31);
    assert_null(json_object_get(check_of(&h, ONE), "by"));
    for (unsigned i = ONE; i < PAGES; i++) {
        assert_true(answer(&h, i));
    }
    pass(&h, 200);
    for (minutes = 0; !check_of(&h, ONE) && minutes < 200; minutes++) {
        pass(&h, 60 * 1000);
    }
    assert_in_range(minutes, 104, 136);
    rig_free(h.rig);
}

/* ---- a whole session against what was done
 * --------------------------------------------------------------------------------------- */

enum { PEOPLE = 5, SECONDS = 1500, DEVICES = 2 };

struct person_sim {
    struct rig_page *page[DEVICES];
    char person[ID_TEXT_MAX];
    uint8_t there[SECONDS];
};

struct sim {
    struct rig *rig;
    struct id class_id;
    char link[TOKEN_TEXT_MAX];
    char host_link[TOKEN_TEXT_MAX];
    struct rig_page *host;
    struct person_sim people[PEOPLE];
    unsigned now; /* seconds since the session began */
    uint64_t rng;
    bool first; /* of the seeds: every byte is tried */
};

static unsigned draw(struct sim *s, unsigned below)
{
    s->rng = s->rng * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(s->rng >> 33) % below;
}

static bool present(const struct person_sim *p)
{
    return p->page[0]->inside || p->page[1]->inside;
}

static void seconds(struct sim *s, unsigned count)
{
    for (; count > 0 && s->now < SECONDS; count--, s->now++) {
        for (unsigned i = 0; i < PEOPLE; i++) {
            s->people[i].there[s->now] = present(&s->people[i]);
        }
        rig_pass(s->rig, 1000);
        (void)rig_commit(s->rig, SIZE_MAX);
    }
}

/* A page of this person comes in, by what its browser kept. */
static void come(struct sim *s, struct person_sim *p, unsigned device)
{
    struct rig_page *page = p->page[device];
    bool again = *page->resume && rig_resume(s->rig, page, draw(s, 2) == 0);
    if (!again) {
        if (!*page->guest && device > 0) {
            memcpy(page->guest, p->page[0]->guest, sizeof(page->guest));
        }
        (void)rig_enter(s->rig, page, s->link, "Nom");
    }
    (void)rig_commit(s->rig, SIZE_MAX);
    if (page->inside) {
        memcpy(p->person, page->person, sizeof(p->person));
    }
}

static void leave(struct sim *s, struct person_sim *p)
{
    for (unsigned d = 0; d < DEVICES; d++) {
        struct rig_page *page = p->page[d];
        if (page->inside) {
            rig_say(s->rig, page, "{\"t\":\"leave\",\"id\":\"l%u\"}", s->now * DEVICES + d);
            (void)rig_commit(s->rig, SIZE_MAX);
            page->inside = false;
            page->resume[0] = '\0';
        }
    }
}

static void kill_core(struct sim *s)
{
    assert_int_equal(rig_kill(s->rig), 0);
    (void)rig_commit(s->rig, SIZE_MAX);
    seconds(s, draw(s, 3));
    assert_true(rig_resume(s->rig, s->host, false));
    (void)rig_commit(s->rig, SIZE_MAX);
}

static void step(struct sim *s)
{
    static const int64_t jumps[] = {3600000, -3600000, 86400000, -86400000, 7000, -7000};
    struct person_sim *p = &s->people[draw(s, PEOPLE)];
    unsigned device = draw(s, DEVICES);
    struct rig_page *page = p->page[device];
    unsigned what = draw(s, 24);
    if (what < 9 && !page->inside && (device == 0 || *p->page[0]->guest)) {
        come(s, p, device);
    } else if (what < 15 && page->inside) {
        rig_lose(s->rig, page);
        page->inside = false;
        (void)rig_commit(s->rig, SIZE_MAX);
    } else if (what < 18) {
        leave(s, p);
    } else if (what < 20) {
        s->rig->now.wall += jumps[draw(s, 6)];
    } else if (what == 20) {
        kill_core(s);
    }
}

/* Stays of somebody by the sheet against the runs of seconds in which he was there. */
static unsigned compare(const struct sheet_session *session, const struct person_sim *p,
                        unsigned until)
{
    struct id id;
    unsigned stays = 0;
    const struct attendee *who = NULL;
    if (*p->person) {
        assert_int_equal(id_parse(&id, ID_PERSON, p->person, strlen(p->person)), 0);
        who = sheet_person(session, &id);
    }
    for (unsigned at = 0; at < until; at++) {
        unsigned end = at;
        while (end < until && p->there[end]) {
            end++;
        }
        if (end > at) {
            assert_non_null(who);
            assert_in_range(stays, 0, who->stay_count - 1);
            const struct stay *stay = &who->stays[stays++];
            int64_t in = stay->in - session->opened - (int64_t)at * 1000;
            int64_t out = stay->out - session->opened - (int64_t)end * 1000;
            assert_true(in > -1000 && in < 1000 && out > -1000 && out < 1000);
            at = end;
        }
    }
    assert_int_equal(who ? who->stay_count : 0, stays);
    return stays;
}

/* One changed byte anywhere in the journal shows. */
static void tamper(struct sim *s, const struct attendance_chain *sealed)
{
    const struct token_ops ops = rig_token_ops();
    struct rig_class *c = &s->rig->classes[0];
    for (unsigned round = 0; round < 40; round++) {
        struct rig_blob *victim = &c->events[draw(s, (unsigned)c->event_count)];
        uint8_t *byte = &victim->data[draw(s, (unsigned)victim->len)];
        uint8_t change = (uint8_t)(1 + draw(s, 255));
        struct attendance_chain chain = {.count = 0};
        *byte ^= change;
        for (size_t i = 0; i < c->event_count; i++) {
            assert_int_equal(chain_add(&chain, c->events[i].data, c->events[i].len, &ops), 0);
        }
        *byte ^= change;
        assert_memory_not_equal(chain.digest, sealed->digest, ATTENDANCE_SEAL_LEN);
    }
}

/* Every byte of every event, one after the other: the digest is another one from there on. */
static void tamper_everywhere(struct sim *s, const struct attendance_chain *sealed)
{
    const struct token_ops ops = rig_token_ops();
    struct rig_class *c = &s->rig->classes[0];
    struct attendance_chain before = {.count = 0};
    for (size_t i = 0; i < c->event_count; i++) {
        struct rig_blob *victim = &c->events[i];
        struct attendance_chain right = before;
        assert_int_equal(chain_add(&right, victim->data, victim->len, &ops), 0);
        for (size_t at = 0; at < victim->len; at++) {
            struct attendance_chain wrong = before;
            uint8_t change = (uint8_t)(1 + draw(s, 255));
            victim->data[at] ^= change;
            assert_int_equal(chain_add(&wrong, victim->data, victim->len, &ops), 0);
            assert_memory_not_equal(wrong.digest, right.digest, ATTENDANCE_SEAL_LEN);
            for (size_t k = i + 1; at == 0 && k < c->event_count; k++) { /* and stays so */
                assert_int_equal(chain_add(&wrong, c->events[k].data, c->events[k].len, &ops), 0);
            }
            victim->data[at] ^= change;
            assert_memory_not_equal(wrong.digest, sealed->digest, ATTENDANCE_SEAL_LEN);
        }
        before = right;
    }
    assert_memory_equal(before.digest, sealed->digest, ATTENDANCE_SEAL_LEN);
}

static void seal_and_look(struct sim *s)
{
    const struct token_ops ops = rig_token_ops();
    struct sheet sheet;
    struct attendance_chain chain;
    char text[ATTENDANCE_SEAL_TEXT];
    read_sheet(s->rig, &sheet, &chain);
    assert_int_equal(seal_text(text, &chain, &sheet, sheet_find(&sheet, 0), &ops), 0);
    tamper(s, &chain);
    if (s->first) {
        tamper_everywhere(s, &chain);
    }
    struct admin_request req = {.kind = ADMIN_ROLL_SEAL,
                                .class_id = s->class_id,
                                .session = (int64_t)sheet_find(&sheet, 0)->number,
                                .title = text};
    classroom_admin(s->rig->room, 9, &req, s->rig->now);
    (void)rig_commit(s->rig, SIZE_MAX);
    assert_int_equal(s->rig->admin_err, 0);
    struct attendance_chain before = chain;
    sheet_fini(&sheet);
    read_sheet(s->rig, &sheet, &chain);
    struct sheet_session *session = &sheet.sessions[sheet.count - 1];
    assert_true(session->sealed && seal_is_of_chain(session->seal, &before));
    assert_false(seal_is_of_chain(session->seal, &chain));
    assert_true(seal_is_of_sheet(&sheet, session, &ops));
    session->people[draw(s, session->count)].checks_passed++;
    assert_false(seal_is_of_sheet(&sheet, session, &ops));
    sheet_fini(&sheet);
}

static unsigned one_session(unsigned seed)
{
    static const struct admin_setting settings[] = {{SETTING_STAFFLESS, 0}};
    struct sim *s = calloc(1, sizeof(*s));
    struct sheet sheet;
    struct attendance_chain chain;
    unsigned stays = 0;
    assert_non_null(s);
    s->rig = rig_new(1 + PEOPLE * DEVICES, seed);
    s->rng = seed;
    s->first = seed == 1;
    s->rig->config.boot = (struct id){{7}};
    assert_int_equal(rig_kill(s->rig), 0);
    s->class_id = rig_class_set(s->rig, CLASS_STANDARD, settings, 1);
    rig_link(s->rig, &s->class_id, ROLE_HOST, false, s->host_link);
    rig_link(s->rig, &s->class_id, ROLE_PARTICIPANT, false, s->link);
    s->host = &s->rig->pages[0];
    for (unsigned i = 0; i < PEOPLE * DEVICES; i++) {
        s->people[i / DEVICES].page[i % DEVICES] = &s->rig->pages[1 + i];
    }
    assert_true(rig_enter(s->rig, s->host, s->host_link, "Claire"));
    for (unsigned i = 0; i < 160 && s->now + 40 < SECONDS; i++) {
        step(s);
        seconds(s, 1 + draw(s, draw(s, 8) ? 8 : 90));
    }
    rig_say(s->rig, s->host, "{\"t\":\"session.end\",\"id\":\"end\"}");
    (void)rig_commit(s->rig, SIZE_MAX);
    read_sheet(s->rig, &sheet, &chain);
    const struct sheet_session *session = sheet_find(&sheet, 0);
    assert_int_equal(sheet.count, 1);
    assert_true(session->closed != SHEET_OPEN);
    int64_t length = session->closed - session->opened - (int64_t)s->now * 1000;
    assert_true(length > -1000 && length < 1000);
    for (unsigned i = 0; i < PEOPLE; i++) {
        stays += compare(session, &s->people[i], s->now);
    }
    sheet_fini(&sheet);
    seal_and_look(s);
    rig_free(s->rig);
    free(s);
    return stays;
}

static void a_session_is_what_was_done(void **state)
{
    unsigned stays = 0;
    unsigned rounds = support_rounds(30);
    (void)state;
    for (unsigned seed = 1; seed <= rounds; seed++) {
        stays += one_session(seed);
    }
    assert_true(stays > 3 * rounds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_check_asks_twice_and_counts),
        UNIT(a_check_ends_when_all_have_answered),
        UNIT(checks_come_by_themselves),
        UNIT(a_session_is_what_was_done),
    };
    return cmocka_run_group_tests_name("roll", tests, NULL, NULL);
}
