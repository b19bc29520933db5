#include "tests/unit/class_rig.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/hash.h"
#include "signaling/class/impl.h"
#include "tests/unit/rig_view.h"

/* ---- stand-in secrets: keyed hash and a keystream, so that a rig needs no library
 * ------------------- */

static void mix(uint8_t *out, size_t len, const uint8_t key[32], const void *data, size_t data_len)
{
    struct hash_key k;
    memcpy(&k, key, sizeof(k));
    for (size_t i = 0; i < len; i += 8) {
        uint64_t h = hash_bytes(&k, data, data_len);
        k.k1 = h ^ 0x9e3779b97f4a7c15ULL;
        memcpy(out + i, &h, len - i < 8 ? len - i : 8);
    }
}

static void rig_sign(uint8_t mac[32], const uint8_t key[32], const void *data, size_t len)
{
    mix(mac, 32, key, data, len);
}

static int rig_verify(const uint8_t mac[32], const uint8_t key[32], const void *data, size_t len)
{
    uint8_t want[32];
    mix(want, 32, key, data, len);
    return memcmp(want, mac, 32) == 0 ? 0 : E_AUTH;
}

static int rig_seal(uint8_t *out, size_t cap, const uint8_t key[32], const void *text, size_t len)
{
    if (cap < len + TOKEN_OPS_SEAL_EXTRA) {
        return E_FULL;
    }
    mix(out, TOKEN_OPS_SEAL_EXTRA, key, text, len);
    for (size_t i = 0; i < len; i++) {
        uint8_t c;
        memcpy(&c, (const uint8_t *)text + i, 1);
        out[TOKEN_OPS_SEAL_EXTRA + i] = (uint8_t)(c ^ key[i % 32]);
    }
    return 0;
}

static int rig_unseal(uint8_t *text, size_t cap, size_t *text_len, const uint8_t key[32],
                      const void *box, size_t len)
{
    const uint8_t *b = box;
    uint8_t tag[TOKEN_OPS_SEAL_EXTRA];
    if (len < sizeof(tag) || cap < len - sizeof(tag)) {
        return len < sizeof(tag) ? E_TRUNC : E_FULL;
    }
    *text_len = len - sizeof(tag);
    for (size_t i = 0; i < *text_len; i++) {
        text[i] = (uint8_t)(b[sizeof(tag) + i] ^ key[i % 32]);
    }
    mix(tag, sizeof(tag), key, text, *text_len);
    return memcmp(tag, b, sizeof(tag)) == 0 ? 0 : E_AUTH;
}

struct token_ops rig_token_ops(void)
{
    return (struct token_ops){
        .sign_h = rig_sign, .verify_h = rig_verify, .seal_h = rig_seal, .open_h = rig_unseal};
}

static void *must(void *p)
{
    if (!p) {
        abort();
    }
    return p;
}

/* ---- a page folds what it is told
 * ------------------------------------------------------------------- */

static const char *str(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));
    return s ? s : "";
}

static void apply_delta(struct rig_page *page, const json_t *delta)
{
    page->deltas++;
    if (!page->view || json_integer_value(json_object_get(delta, "prev")) != page->seq) {
        page->gap = true;
        return;
    }
    const json_t *events = json_object_get(delta, "events");
    for (size_t i = 0; i < json_array_size(events); i++) {
        rig_view_apply(page->view, json_array_get(events, i));
    }
    page->seq = json_integer_value(json_object_get(delta, "seq"));
}

static void copy_text(char *out, size_t cap, const json_t *object, const char *key)
{
    (void)snprintf(out, cap, "%s", str(object, key));
}

static void take_snapshot(struct rig_page *page, json_t *m)
{
    json_decref(page->view);
    page->view = json_deep_copy(m);
    page->seq = json_integer_value(json_object_get(m, "seq"));
    page->epoch = json_integer_value(json_object_get(m, "epoch"));
    page->inside = true;
    page->gap = false;
    page->snapshots++;
    copy_text(page->resume, sizeof(page->resume), m, "resume");
    copy_text(page->person, sizeof(page->person), json_object_get(m, "you"), "person");
    copy_text(page->device, sizeof(page->device), json_object_get(m, "you"), "device");
}

static void page_hear(struct rig_page *page, json_t *m)
{
    const char *type = str(m, "t");
    page->messages++;
    if (strcmp(type, "delta") == 0) {
        apply_delta(page, m);
        return;
    }
    if (strcmp(type, "snapshot") == 0) {
        take_snapshot(page, m);
        return;
    }
    if (strcmp(type, "rights") == 0) {
        json_object_set(page->view, "rights", json_object_get(m, "rights"));
        return;
    }
    if (strcmp(type, "slots") != 0 && strcmp(type, "speaking") != 0) {
        json_decref(page->last);
        page->last = json_incref(m);
    }
    if (strcmp(type, "door") == 0) {
        json_decref(page->door);
        page->door = json_incref(m);
        copy_text(page->guest, sizeof(page->guest), m, "guest");
        copy_text(page->person, sizeof(page->person), json_object_get(m, "you"), "person");
    } else if (strcmp(type, "resumed") == 0) {
        copy_text(page->resume, sizeof(page->resume), m, "resume");
        page->epoch = json_integer_value(json_object_get(m, "epoch"));
        page->inside = true;
    } else if (strcmp(type, "waiting") == 0) {
        page->inside = false;
    } else if (strcmp(type, "ack") == 0) {
        copy_text(page->acked, sizeof(page->acked), m, "id");
    } else if (strcmp(type, "error") == 0) {
        copy_text(page->error, sizeof(page->error), m, "code");
        copy_text(page->error_id, sizeof(page->error_id), m, "id");
    }
}

/* The string behind `key` of a text of ours, from *at on; "" when there is none. */
static void scan_text(char *out, size_t cap, const char *text, const char *key)
{
    const char *at = strstr(text, key);
    const char *from = at ? at + strlen(key) : "";
    (void)snprintf(out, cap, "%.*s", (int)strcspn(from, "\""), from);
}

static int64_t scan_number(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    return at ? strtoll(at + strlen(key), NULL, 10) : -1;
}

/* What a page without a view reads of a delta, a snapshot or a list of rights. */
static void blind_hear(struct rig_page *page, const char *text)
{
    page->messages++;
    if (strncmp(text, "{\"t\":\"delta\"", 12) == 0) {
        page->deltas++;
        page->gap = page->gap || scan_number(text, "\"prev\":") != page->seq;
        page->seq = scan_number(text, "\"seq\":");
    } else if (strncmp(text, "{\"t\":\"snapshot\"", 15) == 0) {
        page->snapshots++;
        page->inside = true;
        page->gap = false;
        page->seq = scan_number(text, "\"seq\":");
        page->epoch = scan_number(text, "\"epoch\":");
        scan_text(page->resume, sizeof(page->resume), text, "\"resume\":\"");
        const char *you = strstr(text, "\"you\":{");
        scan_text(page->person, sizeof(page->person), you ? you : "", "\"person\":\"");
        scan_text(page->device, sizeof(page->device), you ? you : "", "\"device\":\"");
    }
}

static bool has_view_kind(const char *text)
{
    return strncmp(text, "{\"t\":\"delta\"", 12) == 0 ||
           strncmp(text, "{\"t\":\"snapshot\"", 15) == 0 ||
           strncmp(text, "{\"t\":\"rights\"", 13) == 0;
}

static struct rig_page *page_of(struct rig *rig, conn_num conn)
{
    size_t guess = rig->page_at[conn % (sizeof(rig->page_at) / sizeof(rig->page_at[0]))];
    if (guess < rig->page_count && rig->pages[guess].conn == conn) {
        return &rig->pages[guess];
    }
    for (size_t i = 0; i < rig->page_count; i++) {
        if (rig->pages[i].conn == conn) {
            return &rig->pages[i];
        }
    }
    return NULL;
}

/* ---- hooks
 * ------------------------------------------------------------------------------------------ */

/* The message as a tree; the test ends when it is not of our schema. */
static json_t *checked(const struct rig *rig, const char *text, size_t len)
{
    json_error_t where;
    json_t *m = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
    struct schema_error error;
    if (!m || (rig->check_texts && schema_check(m, SHAPE_server_message, &error))) {
        (void)fprintf(stderr, "not of our schema: %s: %s\n%.*s\n", m ? error.at : "json",
                      m ? error.why : where.text, (int)len, text);
        abort();
    }
    return m;
}

static void on_send(void *arg, const conn_num *to, size_t count, const char *text, size_t len)
{
    struct rig *rig = arg;
    rig->sends++;
    rig->texts += count;
    rig->bytes += len * count;
    if (len > 1 << 20) {
        (void)fprintf(stderr, "the door takes no message of %zu bytes\n", len);
        abort();
    }
    rig->text_max = len > rig->text_max ? len : rig->text_max;
    static char head[8192]; /* enough for the numbers and tokens of a snapshot */
    (void)snprintf(head, sizeof(head), "%.*s", (int)(len < sizeof(head) ? len : sizeof(head) - 1),
                   text);
    bool for_view = has_view_kind(head);
    bool blind = for_view;
    for (size_t i = 0; i < count && blind; i++) {
        const struct rig_page *page = page_of(rig, to[i]);
        blind = !page || page->blind;
    }
    json_t *m = blind && rig->sends % 16 ? NULL : checked(rig, text, len);
    for (size_t i = 0; i < count; i++) {
        struct rig_page *page = page_of(rig, to[i]);
        if (page && page->blind && for_view) {
            blind_hear(page, head);
        } else if (page) {
            page->leaks += page->canary && memmem(text, len, page->canary, strlen(page->canary));
            page_hear(page, m);
        }
    }
    json_decref(m);
}

static void on_close(void *arg, conn_num conn, uint16_t code, const char *reason)
{
    (void)reason;
    struct rig_page *page = page_of(arg, conn);
    if (page) {
        page->conn = 0;
        page->closed = code;
        page->inside = false;
    }
}

static int on_commit(void *arg, uint64_t ticket, const struct class_record *records, size_t count)
{
    struct rig *rig = arg;
    if (rig->busy || rig->ticket_count == RIG_TICKETS_MAX) {
        return E_BUSY;
    }
    struct rig_ticket *t =
        &rig->tickets[(rig->ticket_first + rig->ticket_count++) % RIG_TICKETS_MAX];
    t->ticket = ticket;
    t->count = count;
    t->records = must(calloc(count, sizeof(*records)));
    for (size_t i = 0; i < count; i++) {
        t->records[i] = records[i];
        uint8_t *data = must(malloc(records[i].len + 1));
        if (records[i].len) {
            memcpy(data, records[i].data, records[i].len);
        }
        t->records[i].data = data;
    }
    return 0;
}

static void on_media(void *arg, const struct media_cmd *cmd)
{
    struct rig *rig = arg;
    rig->last_cmd = *cmd;
    rig->media_count++;
    struct rig_device *d = &rig->devices[cmd->device % RIG_DEVICES_MAX];
    switch (cmd->kind) {
    case MEDIA_CMD_OPEN:
        d->open = true;
        d->opens++;
        d->token = cmd->token;
        d->room = 0;
        d->voice = 0;
        d->ears = (struct media_ears){.ears = 0};
        d->publish = 0;
        break;
    case MEDIA_CMD_RESTART:
        d->token = cmd->token;
        break;
    case MEDIA_CMD_CLOSE:
        *d = (struct rig_device){.opens = d->opens};
        break;
    case MEDIA_CMD_ROOM:
        d->room = cmd->room;
        break;
    case MEDIA_CMD_PUBLISH:
        d->publish = cmd->publish;
        break;
    case MEDIA_CMD_EARS:
        d->ears = cmd->ears;
        break;
    case MEDIA_CMD_VOICE:
        d->voice = cmd->room;
        break;
    case MEDIA_CMD_VIEW:
        d->views++;
        d->last_view = *cmd;
        break;
    case MEDIA_CMD_READY:
        break;
    }
}

static void on_admin(void *arg, uint64_t request, int err, const char *json, size_t len)
{
    (void)request;
    struct rig *rig = arg;
    rig->admin_err = err;
    (void)snprintf(rig->admin, sizeof(rig->admin), "%.*s", (int)len, json);
}

/* ---- storage
 * ---------------------------------------------------------------------------------------- */

static struct rig_class *stored(struct rig *rig, const struct id *id)
{
    for (size_t i = 0; i < rig->class_count; i++) {
        if (id_equal(&rig->classes[i].id, id)) {
            return &rig->classes[i];
        }
    }
    if (rig->class_count == RIG_CLASSES_MAX) {
        abort();
    }
    struct rig_class *c = &rig->classes[rig->class_count++];
    c->id = *id;
    return c;
}

static struct rig_blob blob_of(const struct class_record *r)
{
    uint8_t *data = must(malloc(r->len + 1));
    if (r->len) {
        memcpy(data, r->data, r->len);
    }
    return (struct rig_blob){.seq = r->seq, .data = data, .len = r->len};
}

static void store_key(struct rig_class *c, const struct class_record *r)
{
    if (c->key_count == c->key_cap) {
        c->key_cap = c->key_cap ? c->key_cap * 2 : 16;
        c->keys = must(realloc(c->keys, c->key_cap * sizeof(*c->keys)));
    }
    c->keys[c->key_count].person = r->person;
    memcpy(c->keys[c->key_count++].key, r->data, PERSON_KEY_LEN);
}

static void forget_key(struct rig_class *c, const struct id *person)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->key_count; i++) {
        if (!id_equal(&c->keys[i].person, person)) {
            c->keys[kept++] = c->keys[i];
        }
    }
    c->key_count = kept;
}

static void store_record(struct rig *rig, const struct class_record *r)
{
    struct rig_class *c = stored(rig, &r->class_id);
    switch (r->kind) {
    case RECORD_EVENT:
        if (c->event_count == c->event_cap) {
            c->event_cap = c->event_cap ? c->event_cap * 2 : 64;
            c->events = must(realloc(c->events, c->event_cap * sizeof(*c->events)));
        }
        c->events[c->event_count++] = blob_of(r);
        break;
    case RECORD_SNAPSHOT:
        free(c->snapshot.data);
        c->snapshot = blob_of(r);
        break;
    case RECORD_PERSON_KEY:
        store_key(c, r);
        break;
    case RECORD_FORGET:
        forget_key(c, &r->person);
        break;
    }
}

/* As signaling/store does: a gap in seq refuses the whole ticket. */
static bool has_gap(struct rig *rig, const struct rig_ticket *t)
{
    uint64_t next = 0;
    for (size_t i = 0; i < t->count; i++) {
        const struct class_record *r = &t->records[i];
        if (r->kind == RECORD_EVENT) {
            next = next ? next : stored(rig, &r->class_id)->event_count + 1;
            if (r->seq != next++) {
                return true;
            }
        }
    }
    return false;
}

static void ticket_free(struct rig_ticket *t)
{
    for (size_t i = 0; i < t->count; i++) {
        free((void *)(uintptr_t)t->records[i].data);
    }
    free(t->records);
    *t = (struct rig_ticket){.ticket = 0};
}

size_t rig_commit(struct rig *rig, size_t n)
{
    size_t done = 0;
    for (; done < n && rig->ticket_count > 0; done++) {
        struct rig_ticket t = rig->tickets[rig->ticket_first];
        rig->ticket_first = (rig->ticket_first + 1) % RIG_TICKETS_MAX;
        rig->ticket_count--;
        int err = has_gap(rig, &t) ? E_STATE : rig->judge_h ? rig->judge_h(rig) : 0;
        for (size_t i = 0; i < t.count && !err; i++) {
            store_record(rig, &t.records[i]);
        }
        uint64_t ticket = t.ticket;
        ticket_free(&t);
        classroom_committed(rig->room, ticket, err, rig->now);
    }
    return done;
}

/* ---- life
 * ------------------------------------------------------------------------------------------- */

static int start(struct rig *rig)
{
    const struct classroom_hooks hooks = {.arg = rig,
                                          .send_h = on_send,
                                          .close_h = on_close,
                                          .commit_h = on_commit,
                                          .media_h = on_media,
                                          .admin_h = on_admin};
    rig->config.epoch = ++rig->epoch;
    int err = classroom_new(&rig->room, &rig->config, &hooks);
    for (size_t i = 0; i < rig->class_count && !err; i++) {
        const struct rig_class *c = &rig->classes[i];
        struct class_image image = {
            .class_id = c->id,
            .snapshot = {c->snapshot.seq, c->snapshot.data, c->snapshot.len},
            .keys = c->keys,
            .key_count = c->key_count};
        struct class_blob *tail = must(calloc(c->event_count + 1, sizeof(*tail)));
        for (size_t e = 0; e < c->event_count; e++) {
            if (c->events[e].seq > c->snapshot.seq) {
                tail[image.event_count++] =
                    (struct class_blob){c->events[e].seq, c->events[e].data, c->events[e].len};
            }
        }
        image.events = tail;
        err = classroom_load(rig->room, &image);
        free(tail);
    }
    if (!err) {
        classroom_start(rig->room, rig->now);
    }
    return err;
}

struct rig *rig_new(size_t pages, uint64_t seed)
{
    struct rig *rig = must(calloc(1, sizeof(*rig)));
    rng_seed(&rig->seeded, seed);
    rig->pages = must(calloc(pages, sizeof(*rig->pages)));
    rig->page_count = pages;
    rig->now = (struct class_time){.mono = 5 * US_PER_S, .wall = 1790000000000};
    rig->check_texts = true;
    rig->config = (struct classroom_config){
        .token = rig_token_ops(), .rng = rng_from_seeded(&rig->seeded), .conns_max = 1024};
    memset(rig->config.key, 0x42, sizeof(rig->config.key));
    if (start(rig)) {
        rig_free(rig);
        return NULL;
    }
    return rig;
}

static void page_clear(struct rig_page *page)
{
    json_decref(page->view);
    json_decref(page->door);
    json_decref(page->last);
}

void rig_free(struct rig *rig)
{
    if (!rig) {
        return;
    }
    classroom_free(rig->room);
    while (rig->ticket_count > 0) {
        ticket_free(&rig->tickets[rig->ticket_first]);
        rig->ticket_first = (rig->ticket_first + 1) % RIG_TICKETS_MAX;
        rig->ticket_count--;
    }
    for (size_t i = 0; i < rig->class_count; i++) {
        struct rig_class *c = &rig->classes[i];
        for (size_t e = 0; e < c->event_count; e++) {
            free(c->events[e].data);
        }
        free(c->events);
        free(c->snapshot.data);
        free(c->keys);
    }
    for (size_t i = 0; i < rig->page_count; i++) {
        page_clear(&rig->pages[i]);
    }
    free(rig->pages);
    free(rig);
}

int rig_kill(struct rig *rig)
{
    classroom_free(rig->room);
    rig->room = NULL;
    while (rig->ticket_count > 0) {
        ticket_free(&rig->tickets[rig->ticket_first]);
        rig->ticket_first = (rig->ticket_first + 1) % RIG_TICKETS_MAX;
        rig->ticket_count--;
    }
    memset(rig->devices, 0, sizeof(rig->devices));
    for (size_t i = 0; i < rig->page_count; i++) {
        rig->pages[i].conn = 0;
        rig->pages[i].inside = false;
    }
    return start(rig);
}

void rig_pass(struct rig *rig, int64_t ms)
{
    mono_us until = rig->now.mono + ms * US_PER_MS;
    for (unsigned guard = 0; guard < 100000; guard++) {
        mono_us next = classroom_deadline(rig->room);
        if (next > until) {
            break;
        }
        if (next > rig->now.mono) {
            rig->now.wall += (next - rig->now.mono) / US_PER_MS;
            rig->now.mono = next;
        }
        classroom_timer(rig->room, rig->now);
        if (classroom_deadline(rig->room) <= rig->now.mono) {
            rig->now.mono += 1000;
        }
    }
    if (until > rig->now.mono) {
        rig->now.wall += (until - rig->now.mono) / US_PER_MS;
        rig->now.mono = until;
    }
    classroom_timer(rig->room, rig->now);
}

/* ---- steps
 * ------------------------------------------------------------------------------------------ */

struct id rig_class_set(struct rig *rig, enum class_type type, const struct admin_setting *settings,
                        size_t count)
{
    struct rng rng = rng_from_seeded(&rig->seeded);
    struct admin_request req = {.kind = ADMIN_CLASS_CREATE,
                                .class_id = id_new(&rng),
                                .title = "Classe d'essai",
                                .class_type = type,
                                .settings = settings,
                                .setting_count = count};
    classroom_admin(rig->room, 1, &req, rig->now);
    (void)rig_commit(rig, SIZE_MAX);
    return req.class_id;
}

struct id rig_class(struct rig *rig, enum class_type type)
{
    return rig_class_set(rig, type, NULL, 0);
}

void rig_link(struct rig *rig, const struct id *class_id, enum role role, bool single,
              char out[TOKEN_TEXT_MAX])
{
    struct admin_request req = {
        .kind = ADMIN_LINK, .class_id = *class_id, .role = role, .single = single};
    classroom_admin(rig->room, 2, &req, rig->now);
    json_t *answer = json_loads(rig->admin, 0, NULL);
    copy_text(out, TOKEN_TEXT_MAX, answer, "link");
    json_decref(answer);
}

void rig_open(struct rig *rig, struct rig_page *page)
{
    page->conn = ++rig->next_conn | (page->encoder ? 0 : (conn_num)1 << 32);
    rig->page_at[page->conn % (sizeof(rig->page_at) / sizeof(rig->page_at[0]))] =
        (uint32_t)(page - rig->pages);
    page->closed = 0;
    page->inside = false;
    page->error[0] = '\0';
    page->acked[0] = '\0';
    classroom_open(rig->room, page->conn, rig->now);
}

void rig_text(struct rig *rig, struct rig_page *page, const char *text, size_t len)
{
    page->error[0] = '\0';
    page->error_id[0] = '\0';
    page->acked[0] = '\0';
    if (page->conn) {
        classroom_input(rig->room, page->conn, text, len, rig->now);
    }
}

void rig_say(struct rig *rig, struct rig_page *page, const char *format, ...)
{
    static char text[80000];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof(text)) {
        abort();
    }
    rig_text(rig, page, text, (size_t)n);
}

void rig_lose(struct rig *rig, struct rig_page *page)
{
    conn_num conn = page->conn;
    page->conn = 0;
    page->inside = false;
    if (conn) {
        classroom_close(rig->room, conn, rig->now);
    }
}

bool rig_enter(struct rig *rig, struct rig_page *page, const char *link, const char *name)
{
    rig_open(rig, page);
    if (page->guest[0]) {
        rig_say(rig, page,
                "{\"t\":\"hello\",\"v\":1,\"lang\":\"fr\",\"link\":\"%s\",\"guest\":\"%s\"}", link,
                page->guest);
    } else {
        rig_say(rig, page, "{\"t\":\"hello\",\"v\":1,\"lang\":\"fr\",\"link\":\"%s\"}", link);
    }
    (void)rig_commit(rig, SIZE_MAX);
    static unsigned joins;
    rig_say(rig, page,
            "{\"t\":\"join\",\"id\":\"join%u\",\"name\":\"%s\",\"mic\":true,\"cam\":true}", ++joins,
            name);
    (void)rig_commit(rig, SIZE_MAX);
    return page->inside;
}

bool rig_resume(struct rig *rig, struct rig_page *page, bool with_have)
{
    rig_open(rig, page);
    if (with_have) {
        rig_say(rig, page,
                "{\"t\":\"hello\",\"v\":1,\"lang\":\"en\",\"resume\":\"%s\",\"have\":%lld,"
                "\"epoch\":%lld}",
                page->resume, (long long)page->seq, (long long)page->epoch);
    } else {
        rig_say(rig, page, "{\"t\":\"hello\",\"v\":1,\"lang\":\"en\",\"resume\":\"%s\"}",
                page->resume);
    }
    (void)rig_commit(rig, SIZE_MAX);
    return page->inside;
}

size_t rig_count(const struct rig_page *page, const char *list)
{
    return json_array_size(json_object_get(page->view, list));
}

/* ---- comparing
 * -------------------------------------------------------------------------------------- */

/* The order of people in a list says nothing: who comes into sight is told last. */
static json_t *by_id(const json_t *people)
{
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(people); i++) {
        json_t *p = json_array_get(people, i);
        size_t at = 0;
        while (at < json_array_size(out) &&
               strcmp(str(json_array_get(out, at), "id"), str(p, "id")) < 0) {
            at++;
        }
        (void)json_array_insert(out, at, p);
    }
    return out;
}

static char *shared_parts(const json_t *snapshot)
{
    /* What belongs to the moment or to the connection is no part of what is shared. */
    static const char *const own[] = {"t",     "seq",    "epoch", "resume", "you",
                                      "slots", "rights", "now",   "clock",  "place"};
    json_t *out = json_copy((json_t *)(uintptr_t)snapshot);
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        (void)json_object_del(out, own[i]);
    }
    (void)json_object_set_new(out, "people", by_id(json_object_get(snapshot, "people")));
    char *text = json_dumps(out, JSON_SORT_KEYS | JSON_COMPACT);
    json_decref(out);
    return text;
}

char *rig_view_text(const struct rig_page *page)
{
    return shared_parts(page->view);
}

char *rig_state_text(struct rig *rig, const struct rig_page *page)
{
    struct conn *c = conn_find(rig->room, page->conn);
    if (!c || c->place != CONN_CLASS) {
        return NULL;
    }
    struct rig_page copy = {.conn = 0};
    struct conn shadow = *c;
    struct rig_page *pages = rig->pages;
    size_t count = rig->page_count;
    copy.conn = shadow.num;
    rig->pages = &copy;
    rig->page_count = 1;
    out_snapshot(c->klass, &shadow, rig->now);
    rig->pages = pages;
    rig->page_count = count;
    char *text = shared_parts(copy.view);
    page_clear(&copy);
    return text;
}
