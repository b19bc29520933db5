#include <string.h>
#include <time.h>

#include "bench/load/plot.h"
#include "bench/load/report.h"
#include "bench/load/report_style.h"

struct page {
    FILE *out;
    const struct report *r;
    const struct load_second *seconds;
    uint32_t count;
};

/* The same in both languages; the style sheet shows one. Texts are ours. */
static void say(FILE *out, const char *fr, const char *en)
{
    (void)fprintf(out, "<span lang=\"fr\">%s</span><span lang=\"en\">%s</span>", fr, en);
}

/* Text from elsewhere. */
static void escaped(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<':
            (void)fputs("&lt;", out);
            break;
        case '>':
            (void)fputs("&gt;", out);
            break;
        case '&':
            (void)fputs("&amp;", out);
            break;
        case '"':
            (void)fputs("&quot;", out);
            break;
        default:
            (void)fputc(*text, out);
            break;
        }
    }
}

static void title(FILE *out, const struct shape *shape)
{
    (void)fputs("<span lang=\"fr\">", out);
    escaped(out, *shape->title_fr ? shape->title_fr : shape->name);
    (void)fputs("</span><span lang=\"en\">", out);
    escaped(out, *shape->title_en ? shape->title_en : shape->name);
    (void)fputs("</span>", out);
}

static void cause(FILE *out, enum verdict_cause c)
{
    say(out, verdict_cause_text(c, true), verdict_cause_text(c, false));
}

static void headline(struct page *p)
{
    const struct report *r = p->r;
    const struct verdict *v = r->verdict;
    bool half = r->interrupted != NULL;
    const char *look = half || verdict_unknown(v) ? "half" : r->search || v->fits ? "good" : "bad";
    (void)fprintf(p->out, "<section class=\"verdict %s\"><p class=\"big\">", look);
    if (half) {
        say(p->out, "Interrompu avant la fin", "Interrupted before the end");
    } else if (r->search) {
        say(p->out, "Cette salle tient jusqu’à ", "This class fits up to ");
        (void)fprintf(p->out, "<b>%u</b> ", r->fit);
        say(p->out, "personnes", "people");
    } else if (verdict_unknown(v)) {
        say(p->out, "On ne sait pas encore : ", "Not known yet: ");
        (void)fprintf(p->out, "<b>%u</b> ", r->window->people_wanted);
        say(p->out, "personnes", "people");
    } else {
        say(p->out, v->fits ? "Ça tient : " : "Ça ne tient pas : ",
            v->fits ? "It fits: " : "It does not fit: ");
        (void)fprintf(p->out, "<b>%u</b> ", r->window->people_wanted);
        say(p->out, "personnes", "people");
    }
    (void)fputs("</p><p>", p->out);
    if (half) {
        (void)fputs("<span lang=\"fr\">", p->out);
        escaped(p->out, load_why_text(r->interrupted, true));
        (void)fputs("</span><span lang=\"en\">", p->out);
        escaped(p->out, r->interrupted);
        (void)fputs("</span>", p->out);
    } else if (r->search) {
        if (r->broke) {
            say(p->out, "Au-delà : ", "Beyond that: ");
            cause(p->out, r->broke);
        } else {
            say(p->out, "et rien n’a cédé : davantage n’a pas été essayé",
                "and nothing broke: more was not tried");
        }
    } else if (v->fits) {
        say(p->out, "toutes les valeurs mesurées restent dans les limites fixées",
            "every measured value stays within the limits set");
    } else {
        say(p->out, "parce que ", "because ");
        if (verdict_broken_text(v, true)) {
            say(p->out, verdict_broken_text(v, true), verdict_broken_text(v, false));
            say(p->out, " : ", ": ");
        }
        cause(p->out, v->cause);
        if (verdict_unknown(v)) {
            say(p->out, " ; à refaire au calme, ou depuis une autre machine",
                "; measure again at a quiet hour, or from another machine");
        }
    }
    (void)fputs(".</p>", p->out);
    if (v->flagged && !verdict_unknown(v)) {
        (void)fputs("<p class=\"flag\">", p->out);
        say(p->out, "Attention : ", "Beware: ");
        say(p->out, verdict_flag_text(v, true), verdict_flag_text(v, false));
        (void)fputs(".</p>", p->out);
    }
    (void)fputs("</section>", p->out);
}

/* One value in both languages: seconds when it is long, no decimals where they say nothing. */
static void value(struct page *p, double number, const char *unit)
{
    char text[2][40];
    bool long_time = strcmp(unit, "ms") == 0 && number >= 1000;
    number = long_time ? number / 1000 : number;
    int decimals = number == (double)(long)number ? 0 : number < 10 ? 2 : 1;
    (void)snprintf(text[1], sizeof(text[1]), "%.*f %s", decimals, number, long_time ? "s" : unit);
    (void)snprintf(text[0], sizeof(text[0]), "%s", text[1]);
    for (char *c = text[0]; *c; c++) {
        *c = *c == '.' ? ',' : *c;
    }
    say(p->out, text[0], text[1]);
}

static void row(struct page *p, unsigned i)
{
    static const char *const units[VERDICT_ROWS] = {"%", "%", "ms", "ms", "%", "/h", ""};
    static const double scale[VERDICT_ROWS] = {100, 100, 1, 1, 100, 1, 1};
    const struct verdict_row *v = &p->r->verdict->row[i];
    if (!v->known) {
        return;
    }
    (void)fprintf(p->out, "<tr class=\"%s\"><th scope=\"row\">", v->ok ? "good" : "bad");
    say(p->out, verdict_row_text((enum verdict_row_kind)i, true),
        verdict_row_text((enum verdict_row_kind)i, false));
    (void)fputs("</th><td>", p->out);
    value(p, v->value * scale[i], units[i]);
    (void)fputs("</td><td>", p->out);
    say(p->out, i > VERDICT_SEEN ? "au plus" : "au moins",
        i > VERDICT_SEEN ? "at most" : "at least");
    (void)fputs(" ", p->out);
    value(p, v->limit * scale[i], units[i]);
    (void)fprintf(p->out, "</td><td class=\"mark\">%s</td></tr>", v->ok ? "✓" : "✗");
}

static void table_rows(struct page *p)
{
    (void)fputs("<section><h2>", p->out);
    say(p->out, "Ce qui a été mesuré", "What was measured");
    (void)fputs("</h2><table><thead><tr><th></th><th>", p->out);
    say(p->out, "Mesuré", "Measured");
    (void)fputs("</th><th>", p->out);
    say(p->out, "Limite", "Limit");
    (void)fputs("</th><th></th></tr></thead><tbody>", p->out);
    for (unsigned i = 0; i < VERDICT_ROWS; i++) {
        row(p, i);
    }
    (void)fputs("</tbody></table></section>", p->out);
}

/* ---- plots --------------------------------------------------------------------------------- */

static double time_h(const void *data, unsigned i)
{
    const struct page *p = data;
    return (double)p->seconds[i].t;
}

static double people_h(const void *data, unsigned s, unsigned i)
{
    const struct load_second *x = &((const struct page *)data)->seconds[i];
    return s ? x->joined : x->people;
}

static double bits_h(const void *data, unsigned s, unsigned i)
{
    const struct load_second *x = &((const struct page *)data)->seconds[i];
    return (double)(s ? x->mbit_out : x->mbit_in);
}

static double delay_h(const void *data, unsigned s, unsigned i)
{
    const struct load_second *x = &((const struct page *)data)->seconds[i];
    return (double)(s ? x->delay_p99_ms : x->delay_p50_ms);
}

static double loss_h(const void *data, unsigned s, unsigned i)
{
    const struct load_second *x = &((const struct page *)data)->seconds[i];
    return s ? x->freezes : (double)x->loss * 100;
}

static double cores_h(const void *data, unsigned s, unsigned i)
{
    const struct load_second *x = &((const struct page *)data)->seconds[i];
    return (double)(s ? x->tool_cores : x->server_cores);
}

static double memory_h(const void *data, unsigned s, unsigned i)
{
    (void)s;
    return (double)((const struct page *)data)->seconds[i].server_mb;
}

struct figure {
    const char *fr, *en;
    const char *names_fr[2], *names_en[2];
    const char *unit;
    unsigned series;
    double (*value_h)(const void *data, unsigned series, unsigned i);
};

static void figure_open(FILE *out, const char *fr, const char *en)
{
    (void)fputs("<figure><figcaption>", out);
    say(out, fr, en);
}

static void figures(struct page *p)
{
    static const struct figure all[] = {
        {"Personnes",
         "People",
         {"présentes", "entrées par seconde"},
         {"present", "joins per second"},
         "",
         2,
         people_h},
        {"Débit",
         "Bit rate",
         {"reçu par tous", "émis par tous"},
         {"received by all", "sent by all"},
         "Mbit/s",
         2,
         bits_h},
        {"Retard", "Delay", {"médian", "p99"}, {"median", "p99"}, "ms", 2, delay_h},
        {"Pertes avant réparation, images figées",
         "Loss before repair, frozen pictures",
         {"perte %", "images figées par seconde"},
         {"loss %", "freezes per second"},
         "",
         2,
         loss_h},
        {"Processeur",
         "Processor",
         {"serveur", "cet outil"},
         {"server", "this tool"},
         "",
         2,
         cores_h},
        {"Mémoire du serveur", "Server memory", {"résidente"}, {"resident"}, "Mo", 1, memory_h},
    };
    (void)fputs("<section class=\"plots\">", p->out);
    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        const struct figure *f = &all[i];
        double limit = f->value_h == delay_h ? p->r->shape->max_delay_ms : 0;
        figure_open(p->out, f->fr, f->en);
        for (unsigned s = 0; s < f->series; s++) {
            (void)fprintf(p->out, " <i class=\"key s%u\"></i>", s);
            say(p->out, f->names_fr[s], f->names_en[s]);
        }
        (void)fputs("</figcaption>", p->out);
        plot_lines(p->out, &(struct plot){.unit = f->unit,
                                          .series = f->series,
                                          .value_h = f->value_h,
                                          .time_h = time_h,
                                          .data = p,
                                          .count = p->count,
                                          .limit = limit});
        (void)fputs("</figure>", p->out);
    }
    figure_open(p->out, "Combien de temps pour entrer (nombre de personnes)",
                "How long it took to enter (people)");
    (void)fputs("</figcaption>", p->out);
    plot_spread(p->out, &p->r->window->join, p->r->shape->max_join_ms);
    (void)fputs("</figure>", p->out);
    figure_open(p->out, "Retard des paquets (nombre de paquets observés)",
                "Delay of packets (packets observed)");
    (void)fputs("</figcaption>", p->out);
    plot_spread(p->out, &p->r->window->delay, p->r->shape->max_delay_ms);
    (void)fputs("</figure></section>", p->out);
}

/* ---- details ------------------------------------------------------------------------------- */

static void roles(struct page *p)
{
    static const char *const fr[LOAD_ROLES] = {"Avec caméra", "Au micro", "Spectateurs"};
    static const char *const en[LOAD_ROLES] = {"With a camera", "Voice only", "Spectators"};
    static const char *const heads[][2] = {
        {"Personnes", "People"},
        {"Caméras reçues / attendues", "Cameras seen / expected"},
        {"Reçu Mbit/s", "Received Mbit/s"},
        {"Émis Mbit/s", "Sent Mbit/s"},
        {"Perte %", "Loss %"},
        {"Réparé %", "Repaired %"},
        {"Images figées", "Freezes"}};
    double s = p->r->window->seconds > 0 ? p->r->window->seconds : 1;
    (void)fputs("<section><h2>", p->out);
    say(p->out, "Par rôle", "By role");
    (void)fputs("</h2><div class=\"scroll\"><table><thead><tr><th></th>", p->out);
    for (unsigned i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        (void)fputs("<th>", p->out);
        say(p->out, heads[i][0], heads[i][1]);
        (void)fputs("</th>", p->out);
    }
    (void)fputs("</tr></thead><tbody>", p->out);
    for (unsigned i = 0; i < LOAD_ROLES; i++) {
        const struct load_sum *sum = &p->r->window->role[i];
        double gaps = (double)(sum->sound.gaps + sum->pictures.gaps);
        double expected = (double)(sum->sound.expected + sum->pictures.expected);
        double repaired = (double)(sum->sound.repaired + sum->pictures.repaired);
        if (!sum->people) {
            continue;
        }
        (void)fputs("<tr><th scope=\"row\">", p->out);
        say(p->out, fr[i], en[i]);
        (void)fprintf(p->out,
                      "</th><td>%u</td><td>%u / %u</td><td>%.1f</td><td>%.1f</td><td>%.3f</td>"
                      "<td>%.1f</td><td>%u</td></tr>",
                      sum->people, sum->tracks, sum->tracks_expected,
                      (double)(sum->sound.bytes + sum->pictures.bytes) * 8 / 1e6 / s,
                      (double)sum->sent_bytes * 8 / 1e6 / s,
                      expected > 0 ? 100 * gaps / expected : 0.0,
                      gaps > 0 ? 100 * repaired / gaps : 100.0, sum->pictures.freezes);
    }
    (void)fputs("</tbody></table></div></section>", p->out);
}

static void steps(struct page *p)
{
    if (!p->r->search) {
        return;
    }
    (void)fputs("<section><h2>", p->out);
    say(p->out, "La recherche", "The search");
    (void)fputs("</h2><ol>", p->out);
    for (unsigned i = 0; i < p->r->steps; i++) {
        const struct report_step *s = &p->r->step[i];
        (void)fprintf(p->out, "<li class=\"%s\"><b>%u</b> ", s->fits ? "good" : "bad", s->people);
        if (s->fits) {
            say(p->out, "tiennent", "fit");
        } else {
            cause(p->out, s->cause);
        }
        (void)fputs("</li>", p->out);
    }
    (void)fputs("</ol></section>", p->out);
}

static void trust(struct page *p)
{
    const struct report *r = p->r;
    uint32_t count = 0;
    const char *why;
    (void)fputs("<section><h2>", p->out);
    say(p->out, "Peut-on croire ces chiffres ?", "Can these figures be trusted?");
    (void)fputs("</h2><ul>", p->out);
    if (r->proof) {
        (void)fprintf(p->out, "<li>%llu ", (unsigned long long)r->proof->pictures);
        say(p->out, "images et ", "pictures and ");
        (void)fprintf(p->out, "%llu ", (unsigned long long)r->proof->blocks);
        say(p->out, "suites de sons ont été décodées et relues ; fausses ou illisibles : ",
            "runs of tones were decoded and read back; wrong or unreadable: ");
        (void)fprintf(p->out, "%.0f</li>", r->verdict->row[VERDICT_CONTENT].value);
    }
    if (r->agree_known && r->agree_theirs > 0) {
        (void)fprintf(p->out, "<li>%.0f ", r->agree_ours);
        say(p->out, "paquets reçus ici, ", "packets received here, ");
        (void)fprintf(p->out, "%.0f ", r->agree_theirs);
        say(p->out, "envoyés d’après le serveur (écart ", "sent by the server’s own count (apart ");
        (void)fprintf(p->out, "%.3f %%)</li>",
                      100 * (r->agree_theirs - r->agree_ours) / r->agree_theirs);
    }
    (void)fputs("<li>", p->out);
    say(p->out, "cet outil a utilisé ", "this tool used ");
    (void)fprintf(p->out, "%.0f %% ", r->window->tool_cores * 100);
    say(p->out, "d’un cœur ; autres programmes de la machine : ",
        "of a core; other programs of the machine: ");
    (void)fprintf(p->out, "%.0f %%</li>", r->window->noise * 100);
    for (unsigned i = 0; (why = load_failure(r->load, i, &count)) != NULL; i++) {
        (void)fprintf(p->out, "<li class=\"bad\">%u × ", count);
        escaped(p->out, why);
        (void)fputs("</li>", p->out);
    }
    (void)fputs("</ul></section>", p->out);
}

void report_html(FILE *out, const struct report *r, bool french)
{
    struct page p = {.out = out, .r = r};
    struct tm tm;
    char date[32] = "";
    time_t at = (time_t)(r->at / 1000);
    p.seconds = load_seconds(r->load, &p.count);
    if (localtime_r(&at, &tm)) {
        (void)strftime(date, sizeof(date), "%Y-%m-%d %H:%M", &tm);
    }
    (void)fprintf(out,
                  "<!doctype html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\"><meta "
                  "name=\"viewport\" content=\"width=device-width\"><title>Amphi – %s</title>"
                  "<style>%s</style></head><body><header><h1>",
                  french ? "fr" : "en", date, report_style);
    title(out, r->shape);
    (void)fprintf(out, "</h1><p>%s · ", date);
    escaped(out, r->server);
    (void)fputs("</p><button type=\"button\" id=\"lang\">FR / EN</button></header><main>", out);
    headline(&p);
    table_rows(&p);
    steps(&p);
    figures(&p);
    roles(&p);
    trust(&p);
    (void)fprintf(out, "</main><script>%s</script></body></html>\n", report_script);
}
