#include "codec/wire/sdp_payload.h"

#include <string.h>

#include "codec/wire/rtpext.h"
#include "codec/wire/sdp_text.h"

enum { FEEDBACK_MAX = 16 };

static struct sdp_payload *row_at(struct sdp_payloads *t, struct sdp_view pt)
{
    uint32_t value;
    if (!sdp_number(pt, 127, &value) || !t->index[value]) {
        return NULL;
    }
    return &t->row[t->index[value] - 1];
}

static void read_formats(struct sdp_payloads *t, struct sdp_view formats)
{
    struct sdp_view pt;
    uint32_t value;
    while (t->count < SDP_PAYLOADS_MAX && sdp_token(&formats, ' ', &pt)) {
        t->steps++;
        if (sdp_number(pt, 127, &value) && !t->index[value]) {
            t->row[t->count] = (struct sdp_payload){.pt = (uint8_t)value};
            t->index[value] = ++t->count;
        }
    }
}

/* <pt> <name>/<clock>[/<channels>] */
static void read_rtpmap(struct sdp_payloads *t, struct sdp_view v, bool video, sdp_codec_h codec)
{
    struct sdp_view pt;
    struct sdp_view name;
    struct sdp_view clock;
    struct sdp_view channels;
    uint32_t rate;
    uint32_t count = 1;
    struct sdp_payload *row = sdp_token(&v, ' ', &pt) ? row_at(t, pt) : NULL;
    if (!row || row->codec || row->rtx || !sdp_token(&v, '/', &name) ||
        !sdp_token(&v, '/', &clock) || !sdp_number(clock, UINT32_MAX, &rate)) {
        return;
    }
    if (sdp_token(&v, '/', &channels) && !sdp_number(channels, 255, &count)) {
        return;
    }
    row->rtx = sdp_is_nocase(name, "rtx");
    for (unsigned id = 1; id < CODEC_COUNT; id++) {
        const struct sdp_codec *c = codec((enum codec_id)id);
        if (c && c->video == video && c->clock_rate == rate && c->channels == count &&
            sdp_is_nocase(name, c->name)) {
            row->codec = (uint8_t)id;
        }
    }
}

static void read_fmtp(struct sdp_payloads *t, const struct sdp_session *s, struct sdp_view v)
{
    struct sdp_view pt;
    struct sdp_payload *row = sdp_token(&v, ' ', &pt) ? row_at(t, pt) : NULL;
    if (!row || row->fmtp.len || !v.len) {
        return;
    }
    row->fmtp = (struct sdp_str){.at = (uint16_t)(v.p - s->text), .len = (uint16_t)v.len};
    struct sdp_view item;
    while (sdp_token(&v, ';', &item)) {
        struct sdp_view name;
        uint32_t apt;
        while (item.len && *item.p == ' ') {
            item.p++;
            item.len--;
        }
        if (sdp_token(&item, '=', &name) && sdp_is_nocase(name, "apt") &&
            sdp_number(item, 127, &apt)) {
            row->apt = (uint8_t)apt;
        }
    }
}

static void note_feedback(struct sdp_payload *row, struct sdp_view value, sdp_codec_h codec)
{
    const struct sdp_codec *c = codec((enum codec_id)row->codec);
    for (unsigned i = 0; c && i < FEEDBACK_MAX && c->feedback[i]; i++) {
        if (sdp_is(value, c->feedback[i])) {
            row->feedback |= (uint16_t)(1u << i);
        }
    }
}

/* <pt or *> <value>; a star means every payload type (4585 4.2). */
static void read_feedback(struct sdp_payloads *t, struct sdp_view v, sdp_codec_h codec,
                          uint32_t *stars)
{
    struct sdp_view pt;
    if (!sdp_token(&v, ' ', &pt)) {
        return;
    }
    if (!sdp_is(pt, "*")) {
        struct sdp_payload *row = row_at(t, pt);
        if (row) {
            note_feedback(row, v, codec);
        }
        return;
    }
    /* Bounded: a section has reason for a handful of such lines. */
    if (++*stars > FEEDBACK_MAX) {
        return;
    }
    for (unsigned i = 0; i < t->count; i++) {
        note_feedback(&t->row[i], v, codec);
    }
    t->steps += t->count;
}

void sdp_payloads_read(struct sdp_payloads *out, const struct sdp_session *s,
                       const struct sdp_section *m, sdp_codec_h codec)
{
    memset(out, 0, sizeof(*out));
    read_formats(out, sdp_view(s, m->formats));
    for (unsigned i = m->first; i < m->last; i++) {
        struct sdp_view v = sdp_view(s, s->line[i].value);
        out->steps += 1u + s->line[i].value.len;
        if (s->line[i].attr == SDP_RTPMAP) {
            read_rtpmap(out, v, m->kind == SDP_VIDEO, codec);
        } else if (s->line[i].attr == SDP_FMTP) {
            read_fmtp(out, s, v);
        }
    }
    /* Feedback lines may stand before the rtpmap lines (Firefox): codecs are known only now. */
    uint32_t stars = 0;
    for (unsigned i = m->first; i < m->last; i++) {
        out->steps++;
        if (s->line[i].attr == SDP_RTCP_FB) {
            read_feedback(out, sdp_view(s, s->line[i].value), codec, &stars);
        }
    }
}

static int score(const struct sdp_session *s, const struct sdp_codec *codec,
                 const struct sdp_payload *row)
{
    return codec->score_h ? codec->score_h(s->text + row->fmtp.at, row->fmtp.len) : 0;
}

const struct sdp_payload *sdp_payloads_of(const struct sdp_payloads *table,
                                          const struct sdp_session *s,
                                          const struct sdp_codec *codec, uint8_t pt)
{
    if (!pt || pt > 127 || !table->index[pt]) {
        return NULL;
    }
    const struct sdp_payload *row = &table->row[table->index[pt] - 1];
    return row->codec == codec->id && score(s, codec, row) >= 0 ? row : NULL;
}

uint8_t sdp_payloads_best(const struct sdp_payloads *table, const struct sdp_session *s,
                          const struct sdp_codec *codec)
{
    uint8_t best = 0;
    int best_score = -1;
    for (unsigned i = 0; i < table->count; i++) {
        const struct sdp_payload *row = &table->row[i];
        if (row->codec == codec->id && score(s, codec, row) > best_score) {
            best_score = score(s, codec, row);
            best = row->pt;
        }
    }
    return best;
}

uint8_t sdp_payloads_rtx(const struct sdp_payloads *table, uint8_t pt)
{
    for (unsigned i = 0; i < table->count; i++) {
        if (table->row[i].rtx && table->row[i].apt == pt) {
            return table->row[i].pt;
        }
    }
    return 0;
}

/* <id>[/<direction>] <uri> [attributes] (8285 5) */
bool sdp_extmap_parse(const struct sdp_session *s, struct sdp_str value, uint8_t *id,
                      enum sdp_direction *direction, enum rtpext_kind *kind)
{
    static const char *const names[] = {"sendrecv", "sendonly", "recvonly", "inactive"};
    struct sdp_view v = sdp_view(s, value);
    struct sdp_view head;
    struct sdp_view uri;
    struct sdp_view number;
    uint32_t n;
    if (!sdp_token(&v, ' ', &head) || !sdp_token(&v, ' ', &uri) ||
        !sdp_token(&head, '/', &number) || !sdp_number(number, 255, &n) || n == 0) {
        return false;
    }
    *direction = SDP_DIR_SENDRECV;
    for (unsigned i = 0; i < 4; i++) {
        if (sdp_is(head, names[i])) {
            *direction = (enum sdp_direction)i;
        }
    }
    *id = (uint8_t)n;
    *kind = rtpext_kind_of(uri.p, uri.len);
    return *kind != RTPEXT_NONE;
}
