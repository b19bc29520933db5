/*
 * Any sequence of operations on a classroom: two bytes choose who does what, the rest of the input
 * also serves as raw messages. After each step: one acting host with staff present, the working
 * state is the committed one when nothing is on its way, everything sent is our JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/hash.h"
#include "codec/base/mem.h"
#include "signaling/class/impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PAGES = 6, TICKETS = 512 };

struct world {
    struct classroom *room;
    struct id class_id;
    struct class_time now;
    uint64_t tickets[TICKETS];
    size_t ticket_count;
    conn_num conn[PAGES];
    conn_num next_conn;
    char resume[PAGES][TOKEN_TEXT_MAX];
    char person[PAGES][ID_TEXT_MAX];
    char link[ROLE_COUNT][TOKEN_TEXT_MAX];
    char admin[600];
    unsigned serial;
};

static void check(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void sign(uint8_t mac[32], const uint8_t key[32], const void *data, size_t len)
{
    struct hash_key k = {key[0], 7};
    for (unsigned i = 0; i < 4; i++, k.k1++) {
        uint64_t h = hash_bytes(&k, data, len);
        memcpy(mac + 8 * i, &h, 8);
    }
}

static int verify(const uint8_t mac[32], const uint8_t key[32], const void *data, size_t len)
{
    uint8_t want[32];
    sign(want, key, data, len);
    return memcmp(want, mac, 32) == 0 ? 0 : E_AUTH;
}

static int seal(uint8_t *out, size_t cap, const uint8_t key[32], const void *text, size_t len)
{
    (void)key;
    if (cap < len + TOKEN_OPS_SEAL_EXTRA) {
        return E_FULL;
    }
    memset(out, 0, TOKEN_OPS_SEAL_EXTRA);
    memcpy(out + TOKEN_OPS_SEAL_EXTRA, text, len);
    return 0;
}

static int unseal(uint8_t *text, size_t cap, size_t *text_len, const uint8_t key[32],
                  const void *box, size_t len)
{
    (void)key;
    *text_len = len - TOKEN_OPS_SEAL_EXTRA;
    if (*text_len > cap) {
        return E_FULL;
    }
    memcpy(text, (const uint8_t *)box + TOKEN_OPS_SEAL_EXTRA, *text_len);
    return 0;
}

static int page_of(const struct world *w, conn_num conn)
{
    for (int i = 0; i < PAGES; i++) {
        if (w->conn[i] == conn) {
            return i;
        }
    }
    return -1;
}

static void keep(char *out, size_t cap, const json_t *m, const char *key)
{
    const char *text = json_string_value(json_object_get(m, key));
    if (text) {
        (void)snprintf(out, cap, "%s", text);
    }
}

static void on_send(void *arg, const conn_num *to, size_t count, const char *text, size_t len)
{
    struct world *w = arg;
    struct schema_error error;
    json_t *m = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    check(m && schema_check(m, SHAPE_server_message, &error) == 0);
    for (size_t i = 0; i < count; i++) {
        int page = page_of(w, to[i]);
        if (page >= 0) {
            keep(w->resume[page], TOKEN_TEXT_MAX, m, "resume");
            keep(w->person[page], ID_TEXT_MAX, json_object_get(m, "you"), "person");
        }
    }
    json_decref(m);
}

static void on_close(void *arg, conn_num conn, uint16_t code, const char *reason)
{
    struct world *w = arg;
    int page = page_of(w, conn);
    check(code >= 1000 && reason);
    if (page >= 0) {
        w->conn[page] = 0;
    }
}

static int on_commit(void *arg, uint64_t ticket, const struct class_record *records, size_t count)
{
    struct world *w = arg;
    check(count > 0 && records[0].kind >= RECORD_EVENT);
    if (w->ticket_count == TICKETS) {
        return E_BUSY;
    }
    w->tickets[w->ticket_count++] = ticket;
    return 0;
}

static void on_media(void *arg, const struct media_cmd *cmd)
{
    (void)arg;
    check(cmd->device != 0);
}

static void on_admin(void *arg, uint64_t request, int err, const char *json, size_t len)
{
    (void)request;
    (void)err;
    struct world *w = arg;
    (void)snprintf(w->admin, sizeof(w->admin), "%.*s", (int)len, json);
}

static void commit(struct world *w, int err)
{
    if (w->ticket_count == 0) {
        return;
    }
    uint64_t ticket = w->tickets[0];
    memmove(w->tickets, w->tickets + 1, --w->ticket_count * sizeof(w->tickets[0]));
    classroom_committed(w->room, ticket, err, w->now);
}

static void say(struct world *w, unsigned page, const char *text)
{
    if (w->conn[page]) {
        classroom_input(w->room, w->conn[page], text, strlen(text), w->now);
    }
}

static void command(struct world *w, unsigned page, unsigned which)
{
    static const char *const bodies[] = {
        "\"chat.send\",\"text\":\"x\"",
        "\"hand.raise\",\"kind\":\"speak\"",
        "\"hand.lower\"",
        "\"hand.clear\"",
        "\"session.start\"",
        "\"session.end\"",
        "\"leave\"",
        "\"join\",\"name\":\"n\",\"mic\":true,\"cam\":false",
        "\"media.state\",\"mic\":\"on\",\"cam\":true,\"screen\":true,\"sound\":false",
        "\"person.remove\",\"ban\":false,\"person\":\"%s\"",
        "\"person.mute\",\"person\":\"%s\"",
        "\"role.set\",\"role\":\"animator\",\"person\":\"%s\"",
        "\"role.set\",\"role\":\"participant\",\"person\":\"%s\"",
        "\"hand.lower\",\"person\":\"%s\"",
    };
    char text[400];
    char body[300];
    const char *format = bodies[which % 14];
    const char *mark = strstr(format, "%s");
    int head = mark ? (int)(mark - format) : (int)strlen(format);
    (void)snprintf(body, sizeof(body), "%.*s%s%s", head, format,
                   mark ? w->person[(page + which) % PAGES] : "", mark ? mark + 2 : "");
    (void)snprintf(text, sizeof(text), "{\"id\":\"i%u\",\"t\":%s}", ++w->serial % 40, body);
    say(w, page, text);
}

static void hello(struct world *w, unsigned page, bool again)
{
    char text[700];
    if (!w->conn[page]) {
        w->conn[page] = ++w->next_conn;
        classroom_open(w->room, w->conn[page], w->now);
    }
    (void)snprintf(text, sizeof(text), "{\"t\":\"hello\",\"v\":1,\"lang\":\"fr\",\"%s\":\"%s\"}",
                   again ? "resume" : "link",
                   again ? w->resume[page] : w->link[page == 0 ? ROLE_HOST : page % ROLE_COUNT]);
    say(w, page, text);
}

static void step(struct world *w, uint8_t op, uint8_t arg)
{
    unsigned page = arg % PAGES;
    switch (op % 12) {
    case 0:
        hello(w, page, false);
        break;
    case 1:
        hello(w, page, true);
        break;
    case 2:
        if (w->conn[page]) {
            conn_num conn = w->conn[page];
            w->conn[page] = 0;
            classroom_close(w->room, conn, w->now);
        }
        break;
    case 3:
        commit(w, arg % 16 == 0 ? E_IO : 0);
        break;
    case 4:
        w->now.mono += (int64_t)arg * (arg < 200 ? 10 : 1000) * US_PER_MS;
        classroom_timer(w->room, w->now);
        break;
    default:
        command(w, page, (unsigned)op / 12 + arg / PAGES);
        break;
    }
}

static void invariants(const struct world *w)
{
    const struct klass *k = w->room->classes[0];
    const struct state *states[] = {k->done, k->work};
    for (unsigned i = 0; i < 2; i++) {
        const struct state *s = states[i];
        size_t hosts = 0;
        bool staff = false;
        for (size_t n = 0; n < s->seat_count; n++) {
            staff = staff || role_is_staff(s->seats[n]->person->role);
            hosts += state_role(s, s->seats[n]->person) == ROLE_HOST;
        }
        /* Between two events of one command the committed state may be on its way. */
        check(hosts <= 1 && (i == 0 || hosts == staff));
    }
    check(k->first || k->broken || k->work->seq == k->done->seq);
}

static void link_for(struct world *w, enum role role)
{
    struct admin_request req = {.kind = ADMIN_LINK, .class_id = w->class_id, .role = role};
    classroom_admin(w->room, 2, &req, w->now);
    json_t *m = json_loads(w->admin, 0, NULL);
    keep(w->link[role], TOKEN_TEXT_MAX, m, "link");
    json_decref(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rng_seeded seeded;
    rng_seed(&seeded, 1);
    struct classroom_config config = {
        .epoch = 1,
        .token = {.sign_h = sign, .verify_h = verify, .seal_h = seal, .open_h = unseal},
        .rng = rng_from_seeded(&seeded),
        .conns_max = 16,
        .classes_max = 1,
    };
    struct world *w = calloc(1, sizeof(*w));
    check(w != NULL);
    w->now = (struct class_time){.mono = 1000000, .wall = 1790000000000};
    struct classroom_hooks hooks = {.arg = w,
                                    .send_h = on_send,
                                    .close_h = on_close,
                                    .commit_h = on_commit,
                                    .media_h = on_media,
                                    .admin_h = on_admin};
    check(classroom_new(&w->room, &config, &hooks) == 0);
    struct admin_request req = {.kind = ADMIN_CLASS_CREATE, .title = "f", .class_id = {{5}}};
    classroom_admin(w->room, 1, &req, w->now);
    commit(w, 0);
    w->class_id = req.class_id;
    for (unsigned r = 0; r < ROLE_COUNT; r++) {
        link_for(w, (enum role)r);
    }
    for (size_t i = 0; i + 1 < size && i < 600; i += 2) {
        step(w, data[i], data[i + 1]);
        invariants(w);
    }
    if (size > 2 && w->conn[data[0] % PAGES]) {
        classroom_input(w->room, w->conn[data[0] % PAGES], (const char *)data + 1, size - 1,
                        w->now);
    }
    classroom_free(w->room);
    free(w);
    return 0;
}
