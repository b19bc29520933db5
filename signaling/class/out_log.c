/*
 * One log per class of what was told: a delta is a slice of it, filtered by role and room, and
 * everybody who was told the same so far and sees the same gets the same text in one send.
 * Heap: the texts in the log (OUT_LOG_MAX, OUT_LOG_BYTES_MAX).
 */
#include "signaling/class/impl.h"

static void log_drop_oldest(struct klass *k)
{
    struct out_entry *e = &k->log[k->log_first];
    k->log_floor = e->seq;
    k->log_bytes -= rtext_len(e->json);
    rtext_put(&e->json);
    k->log_first = (k->log_first + 1) % OUT_LOG_MAX;
    k->log_count--;
}

static void log_clear(struct klass *k)
{
    while (k->log_count > 0) {
        log_drop_oldest(k);
    }
    k->log_floor = k->done->seq;
}

void out_log(struct klass *k, uint64_t seq, struct out_scope scope)
{
    size_t len;
    const char *text = jsonw_text(&k->room->json, &len);
    if (text && len == 0) {
        return;
    }
    struct rtext *json = text ? rtext_new(text, len) : NULL;
    if (!json) {
        /* Out of memory: with a hole in the log everybody takes the next snapshot instead. */
        log_clear(k);
        return;
    }
    while (k->log_count == OUT_LOG_MAX ||
           (k->log_count > 0 && k->log_bytes + len > OUT_LOG_BYTES_MAX)) {
        log_drop_oldest(k);
    }
    k->log[(k->log_first + k->log_count++) % OUT_LOG_MAX] =
        (struct out_entry){.seq = seq, .scope = scope, .json = json};
    k->log_bytes += len;
}

bool out_covers(const struct klass *k, uint64_t seq)
{
    return seq >= k->log_floor && seq <= k->done->seq;
}

/* Position in the log of the first entry behind seq. */
static size_t log_after(const struct klass *k, uint64_t seq)
{
    size_t low = 0;
    size_t high = k->log_count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (k->log[(k->log_first + mid) % OUT_LOG_MAX].seq > seq) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return low;
}

/* ---- who is told what
 * ------------------------------------------------------------------------------ */

struct view_key out_view(const struct state *s, const struct seat *seat)
{
    return (struct view_key){.room = seat->room,
                             .staff = role_is_staff(state_role(s, seat->person)),
                             .audience = state_audience(s, seat)};
}

static bool same_view(const struct view_key *a, const struct view_key *b)
{
    return a->room == b->room && a->staff == b->staff && a->audience == b->audience;
}

/* Is this entry for such a viewer; own: it is about him? */
static bool is_for(const struct out_scope *scope, const struct view_key *view, bool own)
{
    bool table = scope->table != ROOM_MAIN && view->room == scope->table;
    bool told = table ? !scope->but_table : (scope->hidden_from >> view->audience & 1) == 0;
    if ((own ? scope->but_own : !told) || (scope->but_staff && view->staff)) {
        return false;
    }
    bool all = (scope->see & SEE_ALL) == SEE_ALL;
    return all || (view->staff && (scope->see & SEE_STAFF)) ||
           ((scope->see & SEE_ROOM) && view->room == scope->room) ||
           ((scope->see & SEE_OWN) && own);
}

/* What somebody is told beyond the others of his view, and what he is not. */
enum { APART_NOT = 0, APART_MORE = 1, APART_LESS = 2 };

static uint8_t apart(const struct klass *k, size_t at, const struct conn *c)
{
    unsigned how = APART_NOT;
    for (; at < k->log_count; at++) {
        const struct out_scope *scope = &k->log[(k->log_first + at) % OUT_LOG_MAX].scope;
        if (!id_equal(&scope->person, &c->person)) {
            continue;
        }
        bool view = is_for(scope, &c->view, false);
        bool own = is_for(scope, &c->view, true);
        how |= own && !view ? (unsigned)APART_MORE : view && !own ? (unsigned)APART_LESS : 0u;
    }
    return (uint8_t)how;
}

/* Which entries a delta holds. */
enum slice {
    SLICE_WHOLE,  /* all that this person is told */
    SLICE_SHARED, /* what everybody of this view is told */
    SLICE_OWN,    /* what he is told beyond that */
};

static bool in_slice(const struct out_scope *scope, const struct conn *c, enum slice slice)
{
    bool own = id_equal(&scope->person, &c->person);
    switch (slice) {
    case SLICE_SHARED:
        return is_for(scope, &c->view, false);
    case SLICE_OWN:
        return own && is_for(scope, &c->view, true) && !is_for(scope, &c->view, false);
    case SLICE_WHOLE:
        break;
    }
    return is_for(scope, &c->view, own);
}

/* Writes the delta behind log position at; 0 when it holds nothing, else its seq. One with own
 * entries alone comes before the shared one and moves nothing on: whoever is cut off between the
 * two is told both again. */
static uint64_t write_delta(struct klass *k, size_t at, const struct conn *c, enum slice slice)
{
    uint64_t seq = 0;
    for (size_t i = at; i < k->log_count; i++) {
        const struct out_entry *e = &k->log[(k->log_first + i) % OUT_LOG_MAX];
        seq = in_slice(&e->scope, c, slice) ? e->seq : seq;
    }
    if (!seq) {
        return 0;
    }
    struct jsonw *w = out_start(k->room, "delta");
    jsonw_key_int(w, "seq", (int64_t)(slice == SLICE_OWN ? c->sent : seq));
    jsonw_key_int(w, "prev", (int64_t)c->sent);
    jsonw_key(w, "events");
    jsonw_array(w);
    for (; at < k->log_count; at++) {
        const struct out_entry *e = &k->log[(k->log_first + at) % OUT_LOG_MAX];
        if (in_slice(&e->scope, c, slice)) {
            jsonw_raw(w, e->json->s, e->json->len);
        }
    }
    jsonw_array_end(w);
    jsonw_object_end(w);
    return seq;
}

/* Own entries of whoever follows go ahead, so that the rest is one text for all of a view. */
static void tell_own(struct klass *k, struct conn *c)
{
    size_t at = log_after(k, c->seen);
    c->apart = apart(k, at, c);
    if (c->apart == APART_MORE && c->seen >= k->log_told) {
        (void)write_delta(k, at, c, SLICE_OWN);
        out_send(k->room, c->num);
        c->apart = APART_NOT;
    }
}

/* Tells c, and everybody after it who was told the same and sees the same. */
static void tell(struct klass *k, struct conn *c, uint64_t newest)
{
    struct classroom *room = k->room;
    size_t at = log_after(k, c->seen);
    uint64_t sent = c->sent;
    uint64_t seen = c->seen;
    uint64_t seq = write_delta(k, at, c, c->apart ? SLICE_WHOLE : SLICE_SHARED);
    size_t count = 0;
    for (struct conn *same = c; same; same = c->apart ? NULL : same->next) {
        bool like =
            same == c || (same->place == CONN_CLASS && same->sent == sent && same->seen == seen &&
                          same_view(&same->view, &c->view) && !same->apart);
        if (like) {
            room->to[count++] = same->num;
            same->sent = seq ? seq : same->sent;
            same->seen = newest;
        }
    }
    if (seq) {
        out_send_to(room, room->to, count);
    }
}

void out_flush(struct klass *k, struct class_time now)
{
    twheel_cancel(&k->room->wheel, &k->presence_timer);
    if (k->log_count == 0) {
        return;
    }
    uint64_t newest = k->log[(k->log_first + k->log_count - 1) % OUT_LOG_MAX].seq;
    for (struct conn *c = k->conns; c; c = c->next) {
        if (c->place == CONN_CLASS && c->seen < newest && c->seen >= k->log_floor) {
            tell_own(k, c);
        }
    }
    for (struct conn *c = k->conns; c; c = c->next) {
        if (c->place != CONN_CLASS || c->seen >= newest) {
            continue;
        }
        if (c->seen < k->log_floor) {
            out_snapshot(k, c, now); /* too far behind what the log still has */
        } else {
            tell(k, c, newest);
        }
    }
    k->log_told = newest;
}

void out_review(struct klass *k, struct class_time now)
{
    for (struct conn *c = k->conns; c; c = c->next) {
        const struct person *p = c->place == CONN_CLASS ? state_person(k->done, &c->person) : NULL;
        if (!p || !p->seat) {
            continue;
        }
        struct view_key view = out_view(k->done, p->seat);
        right_mask rights = state_rights(k->done, p);
        bool walked = view.room != c->view.room && k->room_told[view.room] &&
                      view.staff == c->view.staff && view.audience == c->view.audience &&
                      c->seen >= k->log_told && c->seen >= k->log_floor;
        if (walked) {
            c->view = view; /* what differs by room is in the log */
            if (rights != c->rights) {
                out_rights(k, c, rights);
            }
        } else if (!same_view(&view, &c->view)) {
            out_snapshot(k, c, now);
        } else if (rights != c->rights) {
            out_rights(k, c, rights);
        }
    }
}
