#include "bench/load/verdict.h"

/* Where "at its limit" begins. */
static const double tool_full = 0.9;    /* of a core */
static const double tool_late_ms = 20;  /* p99 of our own timers */
static const double drops_much = 0.001; /* of all packets */
/* Of what the server may use, on average over a window in which something broke: pictures come in
 * bursts, and at three quarters some of them already wait. */
static const double cpu_full = 0.75;
static const double throttled_much = 0.1; /* of the time */
static const double noise_much = 0.05;    /* of the machine */
static const double ack_late_ms = 1000;
static const double memory_full = 0.9;

static double ms(const struct spread *s, double share)
{
    return (double)spread_at(s, share) / 1000;
}

struct loss {
    double expected, gaps, lost;
};

static struct loss loss_of(const struct load_window *w)
{
    struct loss out = {.expected = 0};
    for (unsigned r = 0; r < LOAD_ROLES; r++) {
        const struct rx_count *c[2] = {&w->role[r].sound, &w->role[r].pictures};
        for (unsigned k = 0; k < 2; k++) {
            uint64_t repaired = c[k]->repaired < c[k]->gaps ? c[k]->repaired : c[k]->gaps;
            out.expected += (double)c[k]->expected;
            out.gaps += (double)c[k]->gaps;
            out.lost += (double)(c[k]->gaps - repaired);
        }
    }
    return out;
}

double verdict_loss(const struct load_window *w)
{
    struct loss loss = loss_of(w);
    return loss.expected > 0 ? loss.lost / loss.expected : 0;
}

double verdict_gaps(const struct load_window *w)
{
    struct loss loss = loss_of(w);
    return loss.expected > 0 ? loss.gaps / loss.expected : 0;
}

static void most(struct verdict *v, enum verdict_row_kind kind, double value, double limit,
                 bool known)
{
    v->row[kind] =
        (struct verdict_row){.value = value, .limit = limit, .known = known, .ok = value <= limit};
}

static double freezes_an_hour(const struct load_window *w)
{
    double freezes = 0;
    for (unsigned r = 0; r < LOAD_ROLES; r++) {
        freezes += w->role[r].pictures.freezes;
    }
    return w->watched_h > 0 ? freezes / w->watched_h : 0;
}

static bool tool_limits(const struct load_window *w)
{
    struct loss loss = loss_of(w);
    return w->tool_cores > tool_full || ms(&w->lag, 0.99) > tool_late_ms ||
           (double)w->tool_drops > drops_much * loss.expected;
}

/* What of the server was at its end; needs its figures. */
static enum verdict_cause server_limits(const struct verdict *v, const struct load_window *w)
{
    const struct scrape_sample *a = &w->server_from;
    const struct scrape_sample *b = &w->server_to;
    double s = w->seconds > 0 ? w->seconds : 1;
    double packets = b->packets_out - a->packets_out;
    if ((b->classroom_s - a->classroom_s) / s > cpu_full) {
        return CAUSE_SIGNALLING;
    }
    if (v->server_share > cpu_full || (b->busiest_s - a->busiest_s) / s > cpu_full ||
        (b->throttled_s - a->throttled_s) / s > throttled_much) {
        return CAUSE_CPU;
    }
    if (b->not_sent - a->not_sent > drops_much * packets) {
        return CAUSE_NETWORK;
    }
    if (b->no_room - a->no_room + b->pool_empty - a->pool_empty > drops_much * packets ||
        (b->memory_limit > 0 && b->memory > memory_full * b->memory_limit)) {
        return CAUSE_MEMORY;
    }
    /* Slow answers alone may be anybody's doing on a busy machine. */
    return ms(&w->ack, 0.99) > ack_late_ms && !v->flagged ? CAUSE_SIGNALLING : CAUSE_NONE;
}

/* Cores the server used: from /proc when it runs here, else from its own metrics. */
static void server_use(struct verdict *v, const struct load_window *w)
{
    double seconds = w->seconds > 0 ? w->seconds : 1;
    double here = w->to.server_cpu_s - w->from.server_cpu_s;
    v->server_cores = v->server_share = -1;
    if (!w->server_known) {
        v->server_cores = here > 0 ? here / seconds : -1;
        return;
    }
    double said = w->server_to.cpu_s - w->server_from.cpu_s + w->server_to.door_cpu_s -
                  w->server_from.door_cpu_s;
    v->server_cores = (here > 0 ? here : said) / seconds;
    v->server_share =
        w->server_to.cpu_limit > 0 ? v->server_cores / w->server_to.cpu_limit : v->server_cores;
}

static void judge_content(struct verdict *v, const struct load_window *w,
                          const struct proof_result *proof)
{
    if (w->forged) {
        most(v, VERDICT_CONTENT, (double)w->forged, 0, true);
    } else if (proof) {
        double judged = (double)(proof->pictures + proof->blocks);
        double wrong =
            (double)(proof->pictures_wrong + proof->pictures_unread + proof->pictures_failed +
                     proof->blocks_wrong + proof->blocks_unread + proof->sound_failed);
        most(v, VERDICT_CONTENT, wrong, 0, judged > 0);
        v->row[VERDICT_CONTENT].ok = wrong == 0 || judged == 0;
    } else {
        most(v, VERDICT_CONTENT, 0, 0, false);
    }
}

/* Cameras asked for and not seen are no loss: nothing was numbered. */
static void judge_seen(struct verdict *v, const struct load_window *w)
{
    double seen = 0;
    double expected = 0;
    for (unsigned r = 0; r < LOAD_ROLES; r++) {
        seen += w->role[r].tracks;
        expected += w->role[r].tracks_expected;
    }
    v->row[VERDICT_SEEN] = (struct verdict_row){.value = expected > 0 ? seen / expected : 0,
                                                .limit = 0.95,
                                                .ok = seen >= 0.95 * expected,
                                                .known = expected > 0};
}

void verdict_make(struct verdict *out, const struct shape *shape, const struct load_window *w,
                  const struct proof_result *proof)
{
    double in = w->people_wanted ? (double)(w->people + w->people_away) / w->people_wanted : 0;
    *out = (struct verdict){.fits = true};
    most(out, VERDICT_JOIN, ms(&w->join, 0.95), shape->max_join_ms, w->join.count > 0);
    most(out, VERDICT_DELAY, ms(&w->delay, 0.99), shape->max_delay_ms, w->delay.count > 0);
    most(out, VERDICT_LOSS, verdict_loss(w), shape->max_loss, true);
    most(out, VERDICT_FREEZES, freezes_an_hour(w), shape->max_freezes, w->watched_h > 0);
    out->row[VERDICT_JOINED] =
        (struct verdict_row){.value = in, .limit = 0.995, .ok = in >= 0.995, .known = true};
    judge_seen(out, w);
    judge_content(out, w, proof);
    for (unsigned i = 0; i < VERDICT_ROWS; i++) {
        out->fits = out->fits && (out->row[i].ok || !out->row[i].known);
    }
    server_use(out, w);
    if (tool_limits(w)) {
        out->flagged = CAUSE_TOOL;
    } else if (w->noise > noise_much) {
        out->flagged = CAUSE_NOISE;
    }
    if (out->fits) {
        return;
    }
    enum verdict_cause server = w->server_known ? server_limits(out, w) : CAUSE_NONE;
    if (!out->row[VERDICT_CONTENT].ok && out->row[VERDICT_CONTENT].known) {
        out->cause = CAUSE_CONTENT;
    } else if (out->flagged == CAUSE_TOOL) {
        out->cause = CAUSE_TOOL;
    } else if (server) {
        out->cause = server;
    } else {
        out->cause = out->flagged ? out->flagged : CAUSE_UNKNOWN;
    }
}

bool verdict_unknown(const struct verdict *v)
{
    return !v->fits && (v->cause == CAUSE_TOOL || v->cause == CAUSE_NOISE);
}

const char *verdict_cause_name(enum verdict_cause cause)
{
    static const char *const names[] = {"none",   "tool",       "noise",   "cpu",    "network",
                                        "memory", "signalling", "content", "unknown"};
    return names[cause];
}

const char *verdict_cause_text(enum verdict_cause cause, bool french)
{
    static const char *const fr[] = {
        "rien ne manque",
        "cet outil de charge est lui-même au maximum : cela ne dit rien du serveur",
        "d'autres programmes occupent la machine : le résultat ne dit rien du serveur",
        "le processeur du serveur est au maximum",
        "le réseau du serveur perd des paquets",
        "la mémoire du serveur est épuisée",
        "la partie classe du serveur (messages, base de données) ne suit plus",
        "les images ou les sons reçus ne sont pas ceux qui ont été envoyés",
        "la cause n'est pas visible d'ici (pertes ou lenteur entre les deux machines)",
    };
    static const char *const en[] = {
        "nothing is missing",
        "this load tool itself is at its limit: the result says nothing about the server",
        "other programs keep the machine busy: the result says nothing about the server",
        "the server's processor is at its maximum",
        "the server's network loses packets",
        "the server's memory is exhausted",
        "the classroom part of the server (messages, database) cannot keep up",
        "pictures or sounds received are not those that were sent",
        "the cause is not visible from here (loss or delay between the two machines)",
    };
    return french ? fr[cause] : en[cause];
}

const char *verdict_flag_text(const struct verdict *v, bool french)
{
    if (v->fits && v->flagged == CAUSE_NOISE) {
        return french
                   ? "d'autres programmes occupaient la machine : au calme, les chiffres seraient "
                     "meilleurs"
                   : "other programs kept the machine busy: on a quiet one the figures would be "
                     "better";
    }
    if (v->fits && v->flagged == CAUSE_TOOL) {
        return french
                   ? "cet outil de charge était au bout de ses moyens : le serveur peut faire mieux"
                   : "this load tool was at its limit: the server can do better";
    }
    return verdict_cause_text(v->flagged, french);
}

const char *verdict_row_text(enum verdict_row_kind row, bool french)
{
    static const char *const fr[] = {
        "Personnes entrées",
        "Caméras visibles",
        "Temps d'entrée (95 % des personnes)",
        "Retard du son et de l'image (99 %)",
        "Pertes après réparation",
        "Images figées par heure et par caméra",
        "Images ou sons faux",
    };
    static const char *const en[] = {
        "People who got in",
        "Cameras seen",
        "Time to enter (95 % of people)",
        "Delay of sound and picture (99 %)",
        "Loss after repair",
        "Frozen pictures an hour and camera",
        "Wrong pictures or sounds",
    };
    return french ? fr[row] : en[row];
}

const char *verdict_broken_text(const struct verdict *v, bool french)
{
    static const char *const fr[] = {
        "des personnes n'ont pas pu entrer",   "des caméras ne sont pas visibles",
        "l'entrée prend trop de temps",        "le son et l'image arrivent en retard",
        "des pertes restent après réparation", "des images se figent",
        "des images ou des sons sont faux",
    };
    static const char *const en[] = {
        "some people could not get in", "some cameras are not seen",  "getting in takes too long",
        "sound and pictures come late", "losses remain after repair", "pictures freeze",
        "pictures or sounds are wrong",
    };
    for (unsigned i = 0; i < VERDICT_ROWS; i++) {
        if (v->row[i].known && !v->row[i].ok) {
            return french ? fr[i] : en[i];
        }
    }
    return NULL;
}
