#include "server/app/shard.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/clock.h"
#include "codec/sys/log.h"
#include "codec/sys/random.h"
#include "codec/sys/thread.h"
#include "codec/wire/class.h"
#include "server/app/inner.h"
#include "server/crypto/crypto.h"
#include "server/io/loop.h"
#include "server/io/mailbox.h"
#include "server/proto/moderation.h"
#include "server/proto/overload.h"
#include "server/sfu/msg.h"

enum {
    SHARD_FDS = 8, /* loop slots besides TCP connections */
    SHARD_BEAT_US = 250 * US_PER_MS,
    SHARD_RX_ROUNDS = 4, /* batches per wake-up before the other duties get their turn */
    COMMANDS_CAP = 4096,
    MESSAGES_CAP = 8192,
    EVENTS_CAP = 8192,
    HELD_MAX = 100000,
    SSRCS_PER_PEER = 20, /* S11 */
};

struct held {
    struct held *next;
    struct sfu_cmd cmd;
};

struct shard {
    struct shards *all;
    uint16_t index;
    bool started;
    struct thread thread;
    struct loop *loop;
    struct udp *udp;
    struct tcp *tcp; /* NULL without ICE-TCP */
    struct crypto *crypto;
    struct sfu *sfu;
    struct txbatch tx;
    struct mailbox *commands;
    struct mailbox *messages;
    mono_us now;        /* of the running turn */
    uint64_t rang;      /* bit per shard: messages pushed in this turn */
    bool events_pushed; /* in this turn */
    bool inner_taken;   /* likewise: something for a peer inside */
    mono_us stats_at;
    uint64_t tx_seen;
    mono_us cpu_seen;
    mono_us turn_end;
    mono_us turn_us; /* longest a packet waited since stats_at: a rest and a turn */
    struct overload overload;
    struct moderation moderation;
    uint64_t media_seen;    /* datagrams of media since stats_at */
    struct held *held_head; /* core thread's: commands a full ring refused */
    struct held *held_tail;
    uint32_t held_len;
    _Atomic bool stop;
    _Atomic uint64_t beats;
    _Atomic uint64_t received;
    _Atomic uint64_t events_refused;
    _Atomic uint32_t busy_permille; /* of a core, for the others' judgement */
    struct mutex lock;
    struct shard_stats stats; /* under lock */
};

struct shards {
    struct shards_config config;
    struct crypto_identity *identity;
    struct mailbox *events;
    struct histogram lag;
    _Atomic uint32_t cores_permille; /* what the process may use, 1000 a core; 0 = not known */
    struct shard shard[SHARDS_MAX];
};

static struct pkt *room_h(void *arg)
{
    struct shard *s = arg;
    return sfu_rx_packet(s->sfu);
}

static enum drop input_h(void *arg, struct pkt *pkt, const struct tuple *from, mono_us now)
{
    struct shard *s = arg;
    enum wire_class class = wire_classify(pkt->data, pkt->len);
    atomic_fetch_add_explicit(&s->received, 1, memory_order_relaxed);
    s->media_seen += class == WIRE_RTP;
    if (class == WIRE_DTLS) {
        moderation_hurry(&s->moderation, now);
    }
    return sfu_input(s->sfu, pkt, from, now);
}

static void near_h(void *arg, const struct tuple *from, unsigned n)
{
    const struct shard *s = arg;
    sfu_near(s->sfu, from, n);
}

static void closed_h(void *arg, const struct tuple *tuple, mono_us now)
{
    struct shard *s = arg;
    sfu_conn_closed(s->sfu, tuple, now);
}

/* What is for peers inside this process goes to the mixing thread. */
static void take_inner(struct shard *s, const struct txbatch *batch)
{
    for (uint32_t i = 0; i < batch->runs; i++) {
        const struct txrun *run = &batch->run[i];
        sfu_peer_id peer;
        if (run->to.proto != ADDR_INNER) {
            continue;
        }
        memcpy(&peer, run->to.remote.ip, sizeof(peer));
        for (uint32_t at = 0; at < run->len; at += run->segment_len) {
            uint32_t left = run->len - at;
            inner_take(s->all->config.inner, s->index, peer, batch->buffer + run->at + at,
                       left < run->segment_len ? left : run->segment_len);
        }
        s->inner_taken = true;
    }
}

static void inner_h(void *arg, unsigned ready, mono_us now)
{
    struct shard *s = arg;
    struct inner_packet in;
    (void)ready;
    s->now = now;
    inner_answer(s->all->config.inner, s->index);
    while (inner_pop(s->all->config.inner, s->index, &in)) {
        struct pkt *pkt = sfu_rx_packet(s->sfu);
        if (pkt) {
            memcpy(pkt->data, in.data, in.len);
            pkt->len = in.len;
            (void)sfu_inner_input(s->sfu, in.peer, pkt, now);
        }
    }
}

static void flush_h(void *arg, struct txbatch *batch)
{
    struct shard *s = arg;
    if (s->all->config.inner) {
        take_inner(s, batch);
    }
    udp_send_batch(s->udp, batch);
    if (s->tcp) {
        tcp_send_batch(s->tcp, batch, s->now);
    }
}

static void event_h(void *arg, const struct sfu_evt *evt)
{
    struct shard *s = arg;
    if (mailbox_push(s->all->events, s->index, evt)) {
        s->events_pushed = true;
        return;
    }
    atomic_fetch_add_explicit(&s->events_refused, 1, memory_order_relaxed);
    log_error("shard", "event lost: the core does not keep up", L_UINT("shard", s->index),
              L_INT("kind", evt->kind));
}

static bool shard_h(void *arg, unsigned to, const struct sfu_msg *msg)
{
    struct shard *s = arg;
    if (to >= s->all->config.count || to == s->index) {
        return false;
    }
    s->rang |= 1ULL << to;
    return mailbox_push(s->all->shard[to].messages, s->index, msg);
}

static void udp_ready(struct shard *s, unsigned socket, mono_us now)
{
    s->now = now;
    (void)udp_receive(s->udp, socket, SHARD_RX_ROUNDS, now);
}

static void udp0_h(void *arg, unsigned ready, mono_us now)
{
    (void)ready;
    udp_ready(arg, 0, now);
}

static void udp1_h(void *arg, unsigned ready, mono_us now)
{
    (void)ready;
    udp_ready(arg, 1, now);
}

static void commands_h(void *arg, unsigned ready, mono_us now)
{
    struct shard *s = arg;
    struct sfu_cmd cmd;
    (void)ready;
    s->now = now;
    moderation_hurry(&s->moderation, now);
    mailbox_answer(s->commands);
    while (mailbox_pop(s->commands, &cmd)) {
        sfu_command(s->sfu, &cmd, now);
    }
}

static void messages_h(void *arg, unsigned ready, mono_us now)
{
    struct shard *s = arg;
    struct sfu_msg msg;
    (void)ready;
    s->now = now;
    mailbox_answer(s->messages);
    while (mailbox_pop(s->messages, &msg)) {
        sfu_shard_input(s->sfu, &msg, now);
    }
}

/* How much of what it may use is used: a thread fills a core, or all of them together what the
 * process is given, which a control group makes less than its cores. */
static uint32_t use_permille(struct shard *s, uint32_t own)
{
    struct shards *all = s->all;
    uint32_t cores = atomic_load_explicit(&all->cores_permille, memory_order_relaxed);
    uint64_t sum = 0;
    atomic_store_explicit(&s->busy_permille, own, memory_order_relaxed);
    for (unsigned i = 0; i < all->config.count; i++) {
        sum += atomic_load_explicit(&all->shard[i].busy_permille, memory_order_relaxed);
    }
    uint64_t together = cores ? sum * 1000 / cores : 0;
    return together > own ? (uint32_t)together : own;
}

/* What a packet costs and waits, and the step of shedding that follows. */
static void measure_load(struct shard *s, struct shard_stats *stats, mono_us now)
{
    mono_us cpu = clock_thread_us();
    mono_us spent = cpu - s->cpu_seen;
    uint64_t sent = stats->sfu.tx_packets - s->tx_seen;
    stats->busy_permille = (uint32_t)(spent * 1000 / (now - s->stats_at));
    stats->packet_ns = sent ? (uint32_t)((uint64_t)spent * 1000 / sent) : 0;
    stats->delay_us = (uint32_t)s->turn_us;
    const struct overload_sample sample = {.busy_permille = use_permille(s, stats->busy_permille),
                                           .delay_us = s->turn_us};
    if (overload_input(&s->overload, &sample, now)) {
        const struct sfu_cmd cmd = {.kind = SFU_CMD_OVERLOAD, .overload = s->overload.step};
        sfu_command(s->sfu, &cmd, now);
        log_warn("shard", "overload", L_UINT("shard", s->index),
                 L_STR("step", overload_name(s->overload.step)),
                 L_UINT("busy_permille", sample.busy_permille),
                 L_UINT("delay_us", stats->delay_us));
    }
    stats->overload = s->overload.step;
    moderation_input(&s->moderation, s->media_seen, now - s->stats_at);
    s->media_seen = 0;
    s->cpu_seen = cpu;
    s->turn_us = 0;
}

static void publish_stats(struct shard *s, mono_us now)
{
    struct shard_stats stats = {.handshakes = crypto_handshakes(s->crypto)};
    if (now - s->stats_at < SHARD_BEAT_US) {
        return;
    }
    sfu_stats_read(s->sfu, &stats.sfu);
    udp_stats_read(s->udp, &stats.udp);
    if (s->tcp) {
        tcp_stats_read(s->tcp, &stats.tcp);
    }
    stats.messages_refused = mailbox_refused(s->messages);
    stats.events_refused = atomic_load(&s->events_refused);
    stats.tx_pps =
        (uint32_t)((stats.sfu.tx_packets - s->tx_seen) * US_PER_S / (uint64_t)(now - s->stats_at));
    measure_load(s, &stats, now);
    s->tx_seen = stats.sfu.tx_packets;
    s->stats_at = now;
    mutex_lock(&s->lock);
    s->stats = stats;
    mutex_unlock(&s->lock);
}

static void ring_others(struct shard *s)
{
    for (unsigned i = 0; s->rang; i++, s->rang >>= 1) {
        if (s->rang & 1) {
            mailbox_ring(s->all->shard[i].messages);
        }
    }
    if (s->inner_taken) {
        s->inner_taken = false;
        inner_ring(s->all->config.inner);
    }
    if (s->events_pushed) {
        s->events_pushed = false;
        mailbox_ring(s->all->events);
    }
}

static void run(void *arg)
{
    struct shard *s = arg;
    s->now = clock_mono_us();
    s->stats_at = s->now;
    s->cpu_seen = clock_thread_us();
    overload_init(&s->overload);
    moderation_init(&s->moderation);
    while (!atomic_load(&s->stop)) {
        mono_us deadline = mono_min(sfu_deadline(s->sfu), s->now + SHARD_BEAT_US);
        if (s->tcp) {
            deadline = mono_min(deadline, tcp_deadline(s->tcp));
        }
        mono_us until = mono_min(moderation_until(&s->moderation, s->now), deadline);
        mono_us rest = mono_max(until - s->turn_end, 0);
        if (rest) {
            loop_rest(until);
        }
        mono_us now = loop_wait(s->loop, deadline);
        s->now = now;
        mono_us late = now >= deadline ? now - deadline : 0; /* held back: packets waited too */
        if (now >= deadline) {
            histogram_add(&s->all->lag, late);
        }
        if (now >= sfu_deadline(s->sfu)) {
            sfu_timer(s->sfu, now);
        }
        if (s->tcp && now >= tcp_deadline(s->tcp)) {
            tcp_timer(s->tcp, now);
        }
        sfu_flush(s->sfu, now);
        ring_others(s);
        s->turn_end = clock_mono_us();
        s->turn_us = mono_max(s->turn_us, rest + late + s->turn_end - now);
        publish_stats(s, now);
        atomic_fetch_add_explicit(&s->beats, 1, memory_order_relaxed);
    }
    sfu_farewell(s->sfu, s->now);
}

static int explain_port(const struct shard *s, uint16_t port, const char *proto, int err, char *why,
                        size_t why_cap)
{
    const char *cure = err_text(err);
    if (err == E_BUSY) {
        cure = "the port is taken: stop the other program (`ss -lunp`, `ss -ltnp` name it) or "
               "choose another";
    } else if (err == E_DENIED) {
        cure = "not allowed: choose a port above 1023";
    }
    snprintf(why, why_cap, "rtc.udp_port: %s port %u of shard %u: %s", proto, port, s->index, cure);
    return err;
}

/* UDP and, on the same number, TCP. A free number may be taken for the other, so with port 0 a few
 * are tried. */
static int bind_ports(struct shard *s, char *why, size_t why_cap)
{
    const struct shards_config *c = &s->all->config;
    uint16_t wish = c->port_first ? (uint16_t)(c->port_first + s->index) : 0;
    struct udp_hooks udp_hooks = {.arg = s, .room_h = room_h, .near_h = near_h, .input_h = input_h};
    struct tcp_hooks tcp_hooks = {
        .arg = s, .room_h = room_h, .input_h = input_h, .closed_h = closed_h};
    int err = 0;
    for (int tries = wish ? 1 : 8; tries > 0; tries--) {
        struct udp_config udp = {.port = wish, .ipv4 = true, .ipv6 = true, .gso = true};
        err = udp_new(&s->udp, &udp, &udp_hooks);
        if (err) {
            return explain_port(s, wish, "UDP", err, why, why_cap);
        }
        if (!c->tcp) {
            return 0;
        }
        struct tcp_config tcp = {
            .port = udp_port(s->udp), .ipv4 = true, .ipv6 = true, .conns_max = c->tcp_conns_max};
        err = tcp_new(&s->tcp, s->loop, &tcp, &tcp_hooks);
        if (!err) {
            return 0;
        }
        (void)explain_port(s, udp_port(s->udp), "TCP", err, why, why_cap);
        udp_free(s->udp);
        s->udp = NULL;
    }
    return err;
}

static int make_sfu(struct shard *s)
{
    const struct shards_config *c = &s->all->config;
    struct sfu_config config = {.shard = s->index,
                                .shards = c->count,
                                .peers_max = c->peers_max,
                                .packets_max = c->packets_max,
                                .audio_loudest = c->loudest,
                                .candidates = c->hosts};
    struct sfu_hooks hooks = {.arg = s, .event_h = event_h, .shard_h = shard_h};
    for (unsigned i = 0; i < c->hosts; i++) {
        config.candidate[i].addr = c->host[i];
        config.candidate[i].addr.port = udp_port(s->udp);
        config.candidate[i].udp = true;
        config.candidate[i].tcp = c->tcp;
    }
    s->sfu = sfu_new(&config, crypto_ops(s->crypto), &hooks, &s->tx, random_rng(), s->now);
    return s->sfu ? 0 : E_NOMEM;
}

static int watch(struct shard *s)
{
    static const loop_fd_h handler[UDP_SOCKETS_MAX] = {udp0_h, udp1_h};
    int err = loop_add(s->loop, mailbox_fd(s->commands), LOOP_READ, commands_h, s);
    err = err ? err : loop_add(s->loop, mailbox_fd(s->messages), LOOP_READ, messages_h, s);
    if (s->all->config.inner) {
        int fd = inner_fd(s->all->config.inner, s->index);
        err = err ? err : loop_add(s->loop, fd, LOOP_READ, inner_h, s);
    }
    for (unsigned i = 0; i < UDP_SOCKETS_MAX && !err; i++) {
        if (udp_fd(s->udp, i) >= 0) {
            err = loop_add(s->loop, udp_fd(s->udp, i), LOOP_READ, handler[i], s);
        }
    }
    return err;
}

static int make_shard(struct shard *s, char *why, size_t why_cap)
{
    const struct shards_config *c = &s->all->config;
    struct crypto_config crypto = {
        .handshakes_max = c->peers_max, .ssrcs_max = SSRCS_PER_PEER, .ipsec_mb = true};
    mutex_init(&s->lock);
    s->now = clock_mono_us();
    int err = loop_new(&s->loop, SHARD_FDS + c->tcp_conns_max);
    err = err ? err : mailbox_new(&s->commands, 1, COMMANDS_CAP, sizeof(struct sfu_cmd));
    err = err ? err : mailbox_new(&s->messages, c->count, MESSAGES_CAP, sizeof(struct sfu_msg));
    err = err ? err : crypto_new(&s->crypto, s->all->identity, &crypto);
    err = err ? err : txbatch_init(&s->tx, flush_h, s);
    if (err) {
        return err;
    }
    err = bind_ports(s, why, why_cap);
    err = err ? err : make_sfu(s);
    return err ? err : watch(s);
}

int shards_new(struct shards **out, const struct shards_config *config, char *why, size_t why_cap)
{
    *out = NULL;
    why[0] = '\0';
    if (!config->count || config->count > SHARDS_MAX || !config->hosts ||
        config->hosts > DESC_CANDIDATES_MAX) {
        snprintf(why, why_cap, "rtc.shards: out of range");
        return E_RANGE;
    }
    struct shards *all = mem_alloc(sizeof(*all));
    if (!all) {
        snprintf(why, why_cap, "media: %s", err_text(E_NOMEM));
        return E_NOMEM;
    }
    all->config = *config;
    int err = crypto_identity_new(&all->identity);
    err = err ? err : mailbox_new(&all->events, config->count, EVENTS_CAP, sizeof(struct sfu_evt));
    for (uint16_t i = 0; i < config->count && !err; i++) {
        all->shard[i].all = all;
        all->shard[i].index = i;
        err = make_shard(&all->shard[i], why, why_cap);
    }
    if (err) {
        if (!why[0]) {
            snprintf(why, why_cap,
                     "media: cannot start: %s: lower rtc.peers_max or "
                     "rtc.packets_max",
                     err_text(err));
        }
        shards_free(all);
        return err;
    }
    *out = all;
    return 0;
}

int shards_start(struct shards *shards)
{
    int err = 0;
    for (unsigned i = 0; i < shards->config.count && !err; i++) {
        struct shard *s = &shards->shard[i];
        char name[16];
        snprintf(name, sizeof(name), "shard%u", i);
        err = thread_start(&s->thread, name, shards->config.pin ? (int)i : -1, run, s);
        s->started = !err;
        log_info("shard", "media thread", L_UINT("shard", i), L_UINT("port", udp_port(s->udp)),
                 L_STR("seal", crypto_seal_engine(s->crypto)), L_ERR("result", err));
    }
    return err;
}

static void free_shard(struct shard *s)
{
    struct held *next;
    for (struct held *h = s->held_head; h; h = next) {
        next = h->next;
        mem_free(h);
    }
    tcp_free(s->tcp);
    udp_free(s->udp); /* holds packets of the sfu's pool to receive into */
    sfu_free(s->sfu);
    txbatch_fini(&s->tx);
    crypto_free(s->crypto);
    mailbox_free(s->messages);
    mailbox_free(s->commands);
    loop_free(s->loop);
    mutex_fini(&s->lock);
}

void shards_free(struct shards *shards)
{
    if (!shards) {
        return;
    }
    for (unsigned i = 0; i < shards->config.count; i++) {
        if (shards->shard[i].started) {
            atomic_store(&shards->shard[i].stop, true);
            loop_ring(shards->shard[i].loop);
        }
    }
    for (unsigned i = 0; i < shards->config.count; i++) {
        thread_join(&shards->shard[i].thread);
    }
    for (unsigned i = 0; i < shards->config.count; i++) {
        if (shards->shard[i].all) {
            free_shard(&shards->shard[i]);
        }
    }
    mailbox_free(shards->events);
    crypto_identity_free(shards->identity);
    mem_free(shards);
}

unsigned shards_count(const struct shards *shards)
{
    return shards->config.count;
}

void shards_may_use(struct shards *shards, double cores)
{
    atomic_store(&shards->cores_permille, cores > 0 ? (uint32_t)(cores * 1000) : 0);
}

uint16_t shards_port(const struct shards *shards, unsigned shard)
{
    return udp_port(shards->shard[shard].udp);
}

static void hold(struct shard *s, const struct sfu_cmd *cmd)
{
    struct held *h = s->held_len < HELD_MAX ? mem_alloc(sizeof(*h)) : NULL;
    if (!h) {
        /* A lost command would leave a person heard who is muted, or a slot that never opens. */
        log_error("core", "a media thread takes no commands", L_UINT("shard", s->index));
        abort();
    }
    h->cmd = *cmd;
    if (s->held_tail) {
        s->held_tail->next = h;
    } else {
        s->held_head = h;
    }
    s->held_tail = h;
    s->held_len++;
}

void shards_command(struct shards *shards, unsigned shard, const struct sfu_cmd *cmd)
{
    struct shard *s = &shards->shard[shard];
    if (s->held_head || !mailbox_push(s->commands, 0, cmd)) {
        hold(s, cmd);
    }
    mailbox_ring(s->commands);
}

void shards_flush(struct shards *shards)
{
    for (unsigned i = 0; i < shards->config.count; i++) {
        struct shard *s = &shards->shard[i];
        while (s->held_head && mailbox_push(s->commands, 0, &s->held_head->cmd)) {
            struct held *h = s->held_head;
            s->held_head = h->next;
            s->held_tail = s->held_head ? s->held_tail : NULL;
            s->held_len--;
            mem_free(h);
            mailbox_ring(s->commands);
        }
    }
}

int shards_event_fd(const struct shards *shards)
{
    return mailbox_fd(shards->events);
}

void shards_event_begin(struct shards *shards)
{
    mailbox_answer(shards->events);
}

bool shards_event(struct shards *shards, struct sfu_evt *out)
{
    return mailbox_pop(shards->events, out);
}

uint64_t shards_beats(const struct shards *shards, unsigned shard)
{
    return atomic_load_explicit(&shards->shard[shard].beats, memory_order_relaxed);
}

uint64_t shards_received(const struct shards *shards, unsigned shard)
{
    return atomic_load_explicit(&shards->shard[shard].received, memory_order_relaxed);
}

void shards_stats(struct shards *shards, unsigned shard, struct shard_stats *out)
{
    struct shard *s = &shards->shard[shard];
    mutex_lock(&s->lock);
    *out = s->stats;
    mutex_unlock(&s->lock);
}

const struct histogram *shards_lag(const struct shards *shards)
{
    return &shards->lag;
}
