/* Seats: of a class, of the server, classes at the same time; what an administrator changes holds
 * for whoever comes next, and puts nobody out. */
#include "tests/unit/support.h"

#include <string.h>

#include "codec/base/err.h"
#include "signaling/class/impl.h"
#include "tests/unit/class_rig.h"

enum { CLASSES = 3, PAGES = 8 };

struct house {
    struct rig *rig;
    struct id class_id[CLASSES];
    char host[CLASSES][TOKEN_TEXT_MAX];
    char guest[CLASSES][TOKEN_TEXT_MAX];
    unsigned pages;
};

static struct house house_new(void)
{
    struct house h = {.rig = rig_new(PAGES + 2, 31)};
    assert_non_null(h.rig);
    for (unsigned i = 0; i < CLASSES; i++) {
        h.class_id[i] = rig_class(h.rig, CLASS_STANDARD);
        rig_link(h.rig, &h.class_id[i], ROLE_HOST, false, h.host[i]);
        rig_link(h.rig, &h.class_id[i], ROLE_PARTICIPANT, false, h.guest[i]);
    }
    return h;
}

static int limit(struct house *h, uint32_t class_people, uint32_t people, uint32_t classes)
{
    struct admin_request req = {.kind = ADMIN_LIMITS, .limit = {class_people, people, classes}};
    classroom_admin(h->rig->room, 9, &req, h->rig->now);
    (void)rig_commit(h->rig, SIZE_MAX);
    return h->rig->admin_err;
}

/* Somebody new; the page, which is inside or knows why not. */
static struct rig_page *comes(struct house *h, const char *link)
{
    assert_true(h->pages < PAGES);
    struct rig_page *page = &h->rig->pages[h->pages++];
    (void)rig_enter(h->rig, page, link, "Somebody");
    return page;
}

static void full(const struct rig_page *page)
{
    assert_false(page->inside);
    assert_string_equal(page->error, "full");
}

static void seats_of_the_server(void **state)
{
    (void)state;
    struct house h = house_new();
    assert_int_equal(limit(&h, 1000, 2, 0), 0);
    assert_true(comes(&h, h.host[0])->inside);
    assert_true(comes(&h, h.guest[0])->inside);
    full(comes(&h, h.guest[0]));
    full(comes(&h, h.guest[1])); /* whatever the class */
    struct rig_page *host = comes(&h, h.host[1]);
    assert_true(host->inside); /* staff enter all the same, and count */
    rig_say(h.rig, host, "{\"t\":\"leave\",\"id\":\"l\"}");
    (void)rig_commit(h.rig, SIZE_MAX);
    full(comes(&h, h.guest[1]));
    assert_int_equal(limit(&h, 1000, 3, 0), 0);
    assert_true(comes(&h, h.guest[0])->inside);
    rig_free(h.rig);
}

static void classes_at_the_same_time(void **state)
{
    (void)state;
    struct house h = house_new();
    assert_int_equal(limit(&h, 1000, 0, 2), 0);
    struct rig_page *first = comes(&h, h.host[0]);
    assert_true(first->inside);
    assert_true(comes(&h, h.host[1])->inside);
    full(comes(&h, h.host[2]));
    assert_true(comes(&h, h.guest[1])->inside); /* the classes that are on go on */
    rig_say(h.rig, first, "{\"t\":\"leave\",\"id\":\"l\"}");
    (void)rig_commit(h.rig, SIZE_MAX);
    assert_true(comes(&h, h.host[2])->inside);
    rig_free(h.rig);
}

static void seats_of_a_class(void **state)
{
    (void)state;
    struct house h = house_new();
    assert_int_equal(limit(&h, 0, 0, 0), E_RANGE);
    assert_int_equal(limit(&h, STATE_SEATS_MAX + 1, 0, 0), E_RANGE);
    struct rig_page *host = comes(&h, h.host[0]);
    struct rig_page *guest = comes(&h, h.guest[0]);
    assert_true(host->inside && guest->inside);
    assert_int_equal(limit(&h, 1, 0, 0), 0);
    assert_true(host->inside && guest->inside);
    full(comes(&h, h.guest[0]));
    assert_true(comes(&h, h.host[1])->inside); /* each class has its own */
    /* Who is inside and loses the connection comes back to the seat. */
    rig_lose(h.rig, guest);
    assert_true(rig_resume(h.rig, guest, false));
    rig_free(h.rig);
}

/* What a page was told last of the server's load, -1 nothing. */
static int told(const struct rig_page *page)
{
    const json_t *last = page->last;
    const char *t = last ? json_string_value(json_object_get(last, "t")) : NULL;
    return t && strcmp(t, "load") == 0 ? (int)json_integer_value(json_object_get(last, "step"))
                                       : -1;
}

static void load(struct house *h, uint8_t step, bool shut)
{
    struct media_evt evt = {.kind = MEDIA_EVT_LOAD, .load = {.step = step, .shut = shut}};
    classroom_media(h->rig->room, &evt, h->rig->now);
    (void)rig_commit(h->rig, SIZE_MAX);
}

static void a_busy_server_takes_nobody_new(void **state)
{
    (void)state;
    struct house h = house_new();
    struct rig_page *host = comes(&h, h.host[0]);
    struct rig_page *guest = comes(&h, h.guest[0]);
    load(&h, 2, false);
    assert_int_equal(told(host), 2);
    assert_int_equal(told(guest), -1); /* staff alone */
    assert_true(comes(&h, h.guest[0])->inside);
    load(&h, 4, true);
    assert_int_equal(told(host), 4);
    struct rig_page *late = comes(&h, h.guest[1]);
    full(late);
    assert_string_equal(json_string_value(json_object_get(late->last, "at")), "load");
    struct rig_page *trainer = comes(&h, h.host[1]);
    assert_true(trainer->inside);
    assert_int_equal(told(trainer), 4); /* behind the snapshot */
    rig_lose(h.rig, guest);             /* who has a seat comes back to it */
    assert_true(rig_resume(h.rig, guest, false));
    load(&h, 0, false);
    assert_int_equal(told(host), 0);
    assert_true(comes(&h, h.guest[1])->inside);
    rig_free(h.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(seats_of_the_server),
        UNIT(classes_at_the_same_time),
        UNIT(seats_of_a_class),
        UNIT(a_busy_server_takes_nobody_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
