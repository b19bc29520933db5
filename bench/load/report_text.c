#include <string.h>

#include "bench/load/report.h"
#include "codec/base/text.h"

enum { BAR = 20 };

static double ms(const struct spread *s, double share)
{
    return (double)spread_at(s, share) / 1000;
}

void report_live(FILE *out, bool tty, bool french, const struct load_second *s, uint32_t wanted,
                 double progress)
{
    char bar[BAR * 3 + 1];
    char server[48] = "";
    size_t len = 0;
    int full = (int)(progress * BAR + 0.5);
    for (int i = 0; i < BAR; i++) {
        const char *cell = i < full ? "█" : "░";
        memcpy(bar + len, cell, 3);
        len += 3;
    }
    bar[len] = '\0';
    if (s->server_cores >= 0) {
        (void)snprintf(server, sizeof(server),
                       french ? ", serveur %.2f cœur" : ", server %.2f core",
                       (double)s->server_cores);
    }
    (void)fprintf(out,
                  french
                      ? "%s%s %3.0f %%  %u/%u personnes, %u entrées/s, %.1f Mbit/s, perte %.2f %%, "
                        "retard p99 %.0f ms, %u figées%s%s"
                      : "%s%s %3.0f %%  %u/%u people, %u joins/s, %.1f Mbit/s, loss %.2f %%, "
                        "delay p99 %.0f ms, %u freezes%s%s",
                  tty ? "\r\033[K" : "", bar, progress * 100, s->people, wanted, s->joined,
                  (double)s->mbit_in, (double)s->loss * 100, (double)s->delay_p99_ms, s->freezes,
                  server, tty ? "" : "\n");
    (void)fflush(out);
}

/* Text in a column: left when width is negative; counts characters, not bytes. */
static void cell(FILE *out, int width, const char *text)
{
    int have = (int)text_utf8_count(text, strlen(text));
    int pad = (width < 0 ? -width : width) - have;
    pad = pad > 0 ? pad : 0;
    if (width < 0) {
        (void)fprintf(out, "%s%*s ", text, pad, "");
    } else {
        (void)fprintf(out, "%*s%s ", pad, "", text);
    }
}

static void table_roles(FILE *out, const struct report *r, bool french)
{
    static const char *const names[2][LOAD_ROLES] = {{"cameras", "voices", "spectators"},
                                                     {"caméras", "voix", "spectateurs"}};
    double s = r->window->seconds > 0 ? r->window->seconds : 1;
    struct load_sum total = {.people = 0};
    static const struct {
        int width;
        const char *fr, *en;
    } heads[] = {{-14, "Rôle", "Tester"},
                 {8, "Pers.", "People"},
                 {13, "Pistes n/att.", "Tracks n/exp"},
                 {12, "Reçu kbit/s", "Recv kbit/s"},
                 {12, "Émis kbit/s", "Sent kbit/s"},
                 {10, "Perte %", "Pkt.Loss %"},
                 {10, "Réparé %", "Repaired %"},
                 {8, "Figées", "Freezes"},
                 {8, "PLI", "PLI"}};
    for (unsigned i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        cell(out, heads[i].width, french ? heads[i].fr : heads[i].en);
    }
    (void)fputc('\n', out);
    for (unsigned i = 0; i <= LOAD_ROLES; i++) {
        const struct load_sum *sum = i < LOAD_ROLES ? &r->window->role[i] : &total;
        if (i < LOAD_ROLES && !sum->people && !sum->pictures.packets && !sum->sound.packets) {
            continue;
        }
        double gaps = (double)(sum->sound.gaps + sum->pictures.gaps);
        double expected = (double)(sum->sound.expected + sum->pictures.expected);
        double repaired = (double)(sum->sound.repaired + sum->pictures.repaired);
        double bytes = (double)(sum->sound.bytes + sum->pictures.bytes);
        cell(out, -14, i < LOAD_ROLES ? names[french][i] : "Total");
        (void)fprintf(
            out, "%8u %6u/%-6u %12.0f %12.0f %10.3f %10.1f %8u %8llu\n", sum->people, sum->tracks,
            sum->tracks_expected, bytes * 8 / 1000 / s, (double)sum->sent_bytes * 8 / 1000 / s,
            expected > 0 ? 100 * gaps / expected : 0.0, gaps > 0 ? 100 * repaired / gaps : 100.0,
            sum->pictures.freezes, (unsigned long long)sum->plis);
        if (i < LOAD_ROLES) {
            total.people += sum->people;
            total.tracks += sum->tracks;
            total.tracks_expected += sum->tracks_expected;
            total.sound.bytes += sum->sound.bytes + sum->pictures.bytes;
            total.sound.gaps += sum->sound.gaps + sum->pictures.gaps;
            total.sound.expected += sum->sound.expected + sum->pictures.expected;
            total.sound.repaired += sum->sound.repaired + sum->pictures.repaired;
            total.pictures.freezes += sum->pictures.freezes;
            total.sent_bytes += sum->sent_bytes;
            total.plis += sum->plis;
        }
    }
}

static void table_streams(FILE *out, const struct report *r, bool french)
{
    static const char *const kinds[] = {"opus", "vp8 720p", "vp8 360p", "vp8 180p"};
    const char *name = NULL;
    const struct film_sender *film;
    unsigned shown = 0;
    (void)fprintf(out, "\n%-14s %-10s %10s %12s %8s %8s\n", french ? "Émetteur" : "Tester",
                  french ? "Flux" : "Track", french ? "Paquets" : "Pkts",
                  french ? "Octets" : "Bytes", french ? "Clés" : "Keys",
                  french ? "Renvoyés" : "Resent");
    for (unsigned i = 0; shown < 12 && (film = load_sender(r->load, i, &name)) != NULL; i++) {
        for (unsigned k = 0; k < FILM_STREAM_RTX; k++) {
            const struct film_stream *stream = &film->stream[k];
            if (stream->packets) {
                (void)fprintf(out, "%-14s %-10s %10llu %12llu %8u %8u\n", name, kinds[k],
                              (unsigned long long)stream->packets,
                              (unsigned long long)stream->bytes, k ? film->keys : 0,
                              k ? film->resent : 0);
            }
        }
        shown++;
    }
}

static void rows(FILE *out, const struct report *r, bool french)
{
    static const char *const units[VERDICT_ROWS] = {"%", "%", "ms", "ms", "%", "/h", ""};
    static const double scale[VERDICT_ROWS] = {100, 100, 1, 1, 100, 1, 1};
    for (unsigned i = 0; i < VERDICT_ROWS; i++) {
        const struct verdict_row *row = &r->verdict->row[i];
        if (row->known) {
            (void)fprintf(out, "  %s ", row->ok ? "✓" : "✗");
            cell(out, -40, verdict_row_text((enum verdict_row_kind)i, french));
            (void)fprintf(out, "%10.2f %-3s (%s %.2f)\n", row->value * scale[i], units[i],
                          i > VERDICT_SEEN ? (french ? "au plus" : "at most")
                                           : (french ? "au moins" : "at least"),
                          row->limit * scale[i]);
        }
    }
}

static void notes(FILE *out, const struct report *r, bool french)
{
    const struct load_window *w = r->window;
    uint32_t count = 0;
    const char *why;
    (void)fprintf(out,
                  french ? "\nentrée p50/p95/p99 %.0f/%.0f/%.0f ms, retard p50/p99 %.2f/%.2f ms, "
                           "commande p50/p99 %.1f/%.1f ms\n"
                         : "\njoin p50/p95/p99 %.0f/%.0f/%.0f ms, delay p50/p99 %.2f/%.2f ms, "
                           "command p50/p99 %.1f/%.1f ms\n",
                  ms(&w->join, 0.5), ms(&w->join, 0.95), ms(&w->join, 0.99), ms(&w->delay, 0.5),
                  ms(&w->delay, 0.99), ms(&w->ack, 0.5), ms(&w->ack, 0.99));
    if (w->first_picture.count) {
        (void)fprintf(out,
                      french ? "début : première image p50/p95 %.0f/%.0f ms, en direct p50/p95 "
                               "%.0f/%.0f ms après la connexion ; passé renvoyé p99 %.0f ms\n"
                             : "start: first picture p50/p95 %.0f/%.0f ms, live p50/p95 %.0f/%.0f "
                               "ms after the connection; past sent again p99 %.0f ms\n",
                      ms(&w->first_picture, 0.5), ms(&w->first_picture, 0.95),
                      ms(&w->live_picture, 0.5), ms(&w->live_picture, 0.95), ms(&w->replay, 0.99));
    }
    if (w->rush.seconds > 0) {
        (void)fprintf(out,
                      french ? "arrivées : %llu demandes d'images clés (%llu images) en %.1f s, %u "
                               "au plus en une "
                               "seconde\n"
                             : "rush: %llu requests for key pictures (%llu pictures) in %.1f s, at "
                               "most %u in a second\n",
                      (unsigned long long)w->rush.requests, (unsigned long long)w->rush.keys,
                      w->rush.seconds, w->rush.most);
    }
    if (r->proof) {
        (void)fprintf(
            out,
            french ? "preuve : %llu images décodées, %llu fausses ou illisibles ; %llu blocs "
                     "de sons, %llu faux ; %u émetteurs reconnus\n"
                   : "proof: %llu pictures decoded, %llu wrong or unreadable; %llu blocks of "
                     "tones, %llu wrong; %u senders recognised\n",
            (unsigned long long)r->proof->pictures,
            (unsigned long long)(r->proof->pictures_wrong + r->proof->pictures_unread +
                                 r->proof->pictures_failed),
            (unsigned long long)r->proof->blocks,
            (unsigned long long)(r->proof->blocks_wrong + r->proof->blocks_unread),
            r->proof->senders);
    }
    if (r->agree_known) {
        (void)fprintf(
            out,
            french ? "recoupement : %.0f datagrammes reçus, %.0f envoyés selon le serveur "
                     "(écart %.3f %%)\n"
                   : "cross-check: %.0f packets received, %.0f sent by the server's own count "
                     "(%.3f %% apart)\n",
            r->agree_ours, r->agree_theirs,
            r->agree_theirs > 0 ? 100 * (r->agree_theirs - r->agree_ours) / r->agree_theirs : 0.0);
    }
    for (unsigned i = 0; (why = load_failure(r->load, i, &count)) != NULL; i++) {
        (void)fprintf(out, french ? "échec ×%u : %s\n" : "failed ×%u: %s\n", count, why);
    }
}

static void outcome(FILE *out, const struct verdict *v, uint32_t people, bool french)
{
    if (v->fits) {
        (void)fprintf(out, french ? "\nÇa tient : %u personnes.\n" : "\nFits: %u people.\n",
                      people);
    } else if (verdict_unknown(v)) {
        (void)fprintf(out,
                      french ? "\nOn ne sait pas pour %u personnes" : "\nNot known for %u people",
                      people);
    } else {
        (void)fprintf(out,
                      french ? "\nÇa ne tient pas à %u personnes" : "\nDoes not fit at %u people",
                      people);
    }
}

void report_tables(FILE *out, const struct report *r, bool french)
{
    const struct verdict *v = r->verdict;
    (void)fprintf(out, "\n%s\n\n",
                  french ? (*r->shape->title_fr ? r->shape->title_fr : r->shape->name)
                         : (*r->shape->title_en ? r->shape->title_en : r->shape->name));
    table_roles(out, r, french);
    table_streams(out, r, french);
    notes(out, r, french);
    (void)fputc('\n', out);
    rows(out, r, french);
    if (r->interrupted) {
        (void)fprintf(out, french ? "\nInterrompu : %s\n" : "\nInterrupted: %s\n",
                      load_why_text(r->interrupted, french));
    }
    if (v->flagged) {
        (void)fprintf(out, french ? "\nRéserve : %s\n" : "\nFlagged: %s\n",
                      verdict_flag_text(v, french));
    }
    if (r->search && !r->broke) {
        (void)fprintf(out,
                      french ? "\nTiennent : %u personnes ; davantage n'a pas été essayé.\n"
                             : "\nFit: %u people; more was not tried.\n",
                      r->fit);
    } else if (r->search) {
        (void)fprintf(out,
                      french ? "\nTiennent : %u personnes ; au-delà : %s.\n"
                             : "\nFit: %u people; beyond that: %s.\n",
                      r->fit, verdict_cause_text(r->broke, french));
    } else if (!r->interrupted) {
        outcome(out, v, r->window->people_wanted, french);
        if (!v->fits) {
            const char *seen = verdict_broken_text(v, french);
            (void)fprintf(out, french ? " : %s%s%s.\n" : ": %s%s%s.\n", seen ? seen : "",
                          seen ? " ; " : "", verdict_cause_text(v->cause, french));
        }
    }
}
