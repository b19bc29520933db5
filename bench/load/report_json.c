#include "bench/load/report.h"
#include "bench/load/run_state.h"

static json_t *quantiles(const struct spread *s)
{
    return json_pack("{s:f,s:f,s:f,s:f,s:I}", "p50", (double)spread_at(s, 0.50) / 1000, "p95",
                     (double)spread_at(s, 0.95) / 1000, "p99", (double)spread_at(s, 0.99) / 1000,
                     "max", (double)s->max / 1000, "count", (json_int_t)s->count);
}

static json_t *count_json(const struct rx_count *c)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:i,s:f}", "packets", (json_int_t)c->packets,
                     "expected", (json_int_t)c->expected, "gaps", (json_int_t)c->gaps, "repaired",
                     (json_int_t)c->repaired, "duplicates", (json_int_t)c->duplicates, "bytes",
                     (json_int_t)c->bytes, "frames", (json_int_t)c->frames, "freezes",
                     (int)c->freezes, "frozen_s", (double)c->frozen_us / US_PER_S);
}

static json_t *roles_json(const struct load_window *w)
{
    static const char *const names[LOAD_ROLES] = {"senders", "voices", "viewers"};
    json_t *out = json_object();
    for (unsigned i = 0; i < LOAD_ROLES; i++) {
        const struct load_sum *s = &w->role[i];
        (void)json_object_set_new(
            out, names[i],
            json_pack("{s:i,s:o,s:o,s:I,s:I,s:I,s:I,s:i,s:i}", "people", (int)s->people, "sound",
                      count_json(&s->sound), "pictures", count_json(&s->pictures), "sent_packets",
                      (json_int_t)s->sent_packets, "sent_bytes", (json_int_t)s->sent_bytes, "nacks",
                      (json_int_t)s->nacks, "plis", (json_int_t)s->plis, "tracks", (int)s->tracks,
                      "tracks_expected", (int)s->tracks_expected));
    }
    return out;
}

static json_t *verdict_json(const struct verdict *v)
{
    static const char *const names[VERDICT_ROWS] = {"joined",       "seen", "join_p95_ms",
                                                    "delay_p99_ms", "loss", "freezes_per_hour",
                                                    "wrong_content"};
    json_t *rows = json_object();
    for (unsigned i = 0; i < VERDICT_ROWS; i++) {
        const struct verdict_row *row = &v->row[i];
        (void)json_object_set_new(rows, names[i],
                                  json_pack("{s:f,s:f,s:b,s:b}", "value", row->value, "limit",
                                            row->limit, "ok", row->ok, "known", row->known));
    }
    return rows;
}

static json_t *proof_json(const struct proof_result *p)
{
    if (!p) {
        return json_null();
    }
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:i}", "pictures",
                     (json_int_t)p->pictures, "pictures_wrong", (json_int_t)p->pictures_wrong,
                     "pictures_unread", (json_int_t)p->pictures_unread, "pictures_failed",
                     (json_int_t)p->pictures_failed, "pictures_partial",
                     (json_int_t)p->pictures_partial, "blocks", (json_int_t)p->blocks,
                     "blocks_wrong", (json_int_t)p->blocks_wrong, "blocks_unread",
                     (json_int_t)p->blocks_unread, "sound_failed", (json_int_t)p->sound_failed,
                     "skipped", (json_int_t)p->skipped, "senders", (int)p->senders);
}

static json_t *seconds_json(struct load *load)
{
    uint32_t count = 0;
    const struct load_second *s = load_seconds(load, &count);
    json_t *out = json_array();
    for (uint32_t i = 0; i < count; i++, s++) {
        json_t *sound = json_pack("{s:I,s:I,s:I}", "sent", (json_int_t)s->sound.sent, "heard",
                                  (json_int_t)s->sound.heard, "lost", (json_int_t)s->sound.lost);
        (void)json_array_append_new(
            out,
            json_pack("{s:f,s:i,s:i,s:f,s:f,s:f,s:f,s:f,s:i,s:i,s:f,s:f,s:f,s:o,s:i,s:I,s:I}", "t",
                      (double)s->t, "people", (int)s->people, "joined", (int)s->joined, "mbit_in",
                      (double)s->mbit_in, "mbit_out", (double)s->mbit_out, "loss", (double)s->loss,
                      "delay_p50_ms", (double)s->delay_p50_ms, "delay_p99_ms",
                      (double)s->delay_p99_ms, "freezes", (int)s->freezes, "keys", (int)s->keys,
                      "server_cores", (double)s->server_cores, "server_mb", (double)s->server_mb,
                      "tool_cores", (double)s->tool_cores, "sound", sound, "tracks", (int)s->tracks,
                      "frames", (json_int_t)s->frames, "filmed", (json_int_t)s->filmed));
    }
    return out;
}

static json_t *failures_json(struct load *load)
{
    json_t *out = json_array();
    uint32_t count = 0;
    const char *why;
    for (unsigned i = 0; (why = load_failure(load, i, &count)) != NULL; i++) {
        (void)json_array_append_new(out, json_pack("{s:s,s:i}", "why", why, "count", (int)count));
    }
    return out;
}

static void add_search(json_t *o, const struct report *r)
{
    json_t *steps = json_array();
    for (unsigned i = 0; i < r->steps; i++) {
        (void)json_array_append_new(
            steps, json_pack("{s:i,s:b,s:s}", "people", (int)r->step[i].people, "fits",
                             r->step[i].fits, "cause", verdict_cause_name(r->step[i].cause)));
    }
    (void)json_object_set_new(o, "search",
                              json_pack("{s:i,s:s,s:o}", "fit", (int)r->fit, "broke",
                                        verdict_cause_name(r->broke), "steps", steps));
}

static void add_links(json_t *o, struct load *load)
{
    uint64_t up = 0;
    uint64_t down = 0;
    uint64_t passed = 0;
    for (uint32_t i = 0; i < load->wanted; i++) {
        const struct client *c = &load->seats[i].client;
        up += c->up ? c->up->lost : 0;
        down += c->down ? c->down->lost : 0;
        passed += c->down ? c->down->passed : 0;
    }
    (void)json_object_set_new(o, "link_model",
                              json_pack("{s:I,s:I,s:I}", "lost_up", (json_int_t)up, "lost_down",
                                        (json_int_t)down, "passed_down", (json_int_t)passed));
}

/* How spectators began to see, and what that asked of the cameras. */
static json_t *start_json(const struct load_window *w)
{
    bool over = w->rush.seconds > 0;
    return json_pack("{s:o,s:o,s:o,s:f,s:I,s:I,s:i,s:f}", "first_picture_ms",
                     quantiles(&w->first_picture), "live_picture_ms", quantiles(&w->live_picture),
                     "replay_age_ms", quantiles(&w->replay), "rush_s", w->rush.seconds,
                     "rush_key_requests", over ? (json_int_t)w->rush.requests : (json_int_t)0,
                     "rush_keys_asked", over ? (json_int_t)w->rush.keys : (json_int_t)0,
                     "rush_key_requests_most_in_a_second", (int)w->rush.most, "rush_key_gap_ms",
                     (double)w->rush.gap / US_PER_MS);
}

json_t *report_json(const struct report *r)
{
    const struct load_window *w = r->window;
    const struct verdict *v = r->verdict;
    const struct client_totals *t = load_totals(r->load);
    json_t *o = json_pack(
        "{s:b,s:s,s:s,s:s,s:s,s:i,s:i,s:i,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:o,s:o,s:o,s:o,s:o,s:o,s:o,"
        "s:o,"
        "s:o}",
        "ok", 1, "scenario", r->shape->name, "verdict",
        r->interrupted       ? "interrupted"
        : v->fits            ? "fits"
        : verdict_unknown(v) ? "unknown"
                             : "does_not_fit",
        "because", verdict_cause_name(v->cause), "limited_by", verdict_cause_name(v->flagged),
        "people", (int)w->people, "people_wanted", (int)w->people_wanted, "people_away",
        (int)w->people_away, "seconds", w->seconds, "loss_before_repair", verdict_gaps(w), "loss",
        verdict_loss(w), "server_cores", v->server_cores, "server_share", v->server_share,
        "tool_cores", w->tool_cores, "noise", w->noise, "rows", verdict_json(v), "join_ms",
        quantiles(&w->join), "connect_ms", quantiles(&w->connect), "delay_ms", quantiles(&w->delay),
        "command_ms", quantiles(&w->ack), "roles", roles_json(w), "proof", proof_json(r->proof),
        "failures", failures_json(r->load), "series", seconds_json(r->load));
    if (!o) {
        return NULL;
    }
    /* What `t` of the series counts from, for whoever looks at the server meanwhile. */
    (void)json_object_set_new(o, "began_s", json_real((double)r->load->start / US_PER_S));
    (void)json_object_set_new(o, "start", start_json(w));
    (void)json_object_set_new(o, "packets", json_integer((json_int_t)t->packets));
    (void)json_object_set_new(o, "forged", json_integer((json_int_t)t->forged));
    (void)json_object_set_new(o, "datagrams", json_integer((json_int_t)t->datagrams));
    (void)json_object_set_new(o, "decrypt_failed", json_integer((json_int_t)t->decrypt_failed));
    (void)json_object_set_new(o, "tool_drops", json_integer((json_int_t)w->tool_drops));
    (void)json_object_set_new(o, "tool_lag_ms", quantiles(&w->lag));
    (void)json_object_set_new(o, "moves", json_integer((json_int_t)load_moves(r->load)));
    (void)json_object_set_new(o, "commands", json_integer((json_int_t)w->acks));
    (void)json_object_set_new(o, "refused", json_integer((json_int_t)w->refused));
    add_links(o, r->load);
    if (r->interrupted) {
        (void)json_object_set_new(o, "interrupted", json_string(r->interrupted));
    }
    if (r->agree_known) {
        (void)json_object_set_new(
            o, "agreement",
            json_pack("{s:f,s:f}", "received", r->agree_ours, "server_sent", r->agree_theirs));
    }
    if (r->search) {
        add_search(o, r);
    }
    return o;
}
