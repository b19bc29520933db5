#include "server/app/metrics.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "codec/base/drop.h"
#include "codec/base/mem.h"
#include "codec/sys/clock.h"
#include "codec/sys/file.h"
#include "server/app/core_state.h"
#include "server/app/usage.h"
#include "server/app/version.h"
#include "server/app/watch.h"

/* Everything the page shows, added up over the shards. */
struct sums {
    struct sfu_stats sfu;
    struct udp_stats udp;
    struct tcp_stats tcp;
    uint64_t messages_refused;
    uint64_t events_refused;
    uint32_t handshakes;
};

static void add_shard(struct sums *sum, const struct shard_stats *s)
{
    sum->sfu.rx_packets += s->sfu.rx_packets;
    sum->sfu.rx_bytes += s->sfu.rx_bytes;
    sum->sfu.tx_packets += s->sfu.tx_packets;
    sum->sfu.tx_bytes += s->sfu.tx_bytes;
    sum->sfu.forwarded += s->sfu.forwarded;
    sum->sfu.left_out += s->sfu.left_out;
    sum->sfu.rtx_sent += s->sfu.rtx_sent;
    sum->sfu.rtx_received += s->sfu.rtx_received;
    sum->sfu.restored += s->sfu.restored;
    sum->sfu.repeated += s->sfu.repeated;
    sum->sfu.nacks_sent += s->sfu.nacks_sent;
    sum->sfu.nacks_received += s->sfu.nacks_received;
    sum->sfu.plis_sent += s->sfu.plis_sent;
    sum->sfu.plis_received += s->sfu.plis_received;
    sum->sfu.dtls_done += s->sfu.dtls_done;
    sum->sfu.dtls_failed += s->sfu.dtls_failed;
    sum->sfu.dtls_closed += s->sfu.dtls_closed;
    sum->sfu.ice_checks += s->sfu.ice_checks;
    sum->sfu.peers += s->sfu.peers;
    sum->sfu.peers_connected += s->sfu.peers_connected;
    sum->sfu.tracks += s->sfu.tracks;
    sum->sfu.subscriptions += s->sfu.subscriptions;
    sum->sfu.packets_used += s->sfu.packets_used;
    for (unsigned i = 0; i < DROP_COUNT; i++) {
        sum->sfu.drops[i] += s->sfu.drops[i];
    }
    sum->udp.rx_no_room += s->udp.rx_no_room;
    sum->udp.rx_too_big += s->udp.rx_too_big;
    sum->udp.rx_overflow += s->udp.rx_overflow;
    sum->udp.tx_dropped += s->udp.tx_dropped;
    sum->udp.tx_waits += s->udp.tx_waits;
    sum->udp.tx_calls += s->udp.tx_calls;
    sum->tcp.conns += s->tcp.conns;
    sum->tcp.accepted += s->tcp.accepted;
    sum->tcp.refused += s->tcp.refused;
    sum->tcp.timed_out += s->tcp.timed_out;
    sum->tcp.cut_slow += s->tcp.cut_slow;
    sum->tcp.cut_bad += s->tcp.cut_bad;
    sum->tcp.tx_dropped += s->tcp.tx_dropped;
    sum->messages_refused += s->messages_refused;
    sum->events_refused += s->events_refused;
    sum->handshakes += s->handshakes;
}

static void head(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# TYPE amphi_%s %s\n# HELP amphi_%s %s.\n", name, type, name, help);
}

static void gauge(FILE *out, const char *name, const char *help, double value)
{
    head(out, name, "gauge", help);
    fprintf(out, "amphi_%s %.17g\n", name, value);
}

static void counter(FILE *out, const char *name, const char *help, uint64_t value)
{
    head(out, name, "counter", help);
    fprintf(out, "amphi_%s_total %" PRIu64 "\n", name, value);
}

static void two(FILE *out, const char *name, const char *help, const char *label, const char *a,
                uint64_t a_value, const char *b, uint64_t b_value)
{
    head(out, name, "counter", help);
    fprintf(out, "amphi_%s_total{%s=\"%s\"} %" PRIu64 "\n", name, label, a, a_value);
    fprintf(out, "amphi_%s_total{%s=\"%s\"} %" PRIu64 "\n", name, label, b, b_value);
}

static void histogram_rows(FILE *out, const char *name, const char *label,
                           const struct histogram *h)
{
    uint64_t count = 0;
    const char *comma = *label ? "," : "";
    for (unsigned i = 0; i <= HISTOGRAM_BUCKETS; i++) {
        count += atomic_load_explicit(&h->bucket[i], memory_order_relaxed);
        if (i < HISTOGRAM_BUCKETS) {
            fprintf(out, "amphi_%s_bucket{%s%sle=\"%.9g\"} %" PRIu64 "\n", name, label, comma,
                    (double)histogram_bound_us(i) / US_PER_S, count);
        } else {
            fprintf(out, "amphi_%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, label, comma,
                    count);
        }
    }
    const char *open = *label ? "{" : "";
    const char *close = *label ? "}" : "";
    fprintf(out, "amphi_%s_count%s%s%s %" PRIu64 "\n", name, open, label, close, count);
    fprintf(out, "amphi_%s_sum%s%s%s %.6f\n", name, open, label, close,
            (double)atomic_load_explicit(&h->sum_us, memory_order_relaxed) / US_PER_S);
}

static void media_rows(FILE *out, const struct sums *s)
{
    const struct sfu_stats *m = &s->sfu;
    two(out, "media_packets", "Media packets", "direction", "in", m->rx_packets, "out",
        m->tx_packets);
    two(out, "media_bytes", "Media bytes", "direction", "in", m->rx_bytes, "out", m->tx_bytes);
    counter(out, "forwarded_packets", "Packets sent on to subscribers, without retransmissions",
            m->forwarded);
    counter(out, "left_out_packets", "Packets of layers above the one a receiver gets",
            m->left_out);
    two(out, "rtx_packets", "Retransmitted packets", "direction", "in", m->rtx_received, "out",
        m->rtx_sent);
    two(out, "audio_repair_packets", "Lost audio had from redundancy, and audio sent twice unasked",
        "how", "restored", m->restored, "repeated", m->repeated);
    two(out, "nacks", "Requests for lost packets", "direction", "in", m->nacks_received, "out",
        m->nacks_sent);
    two(out, "keyframe_requests", "Key frame requests", "direction", "in", m->plis_received, "out",
        m->plis_sent);
    two(out, "dtls_handshakes", "Handshakes ended", "result", "done", m->dtls_done, "failed",
        m->dtls_failed);
    counter(out, "media_connections_closed",
            "Media connections the other side closed (close_notify)", m->dtls_closed);
    counter(out, "ice_checks", "Authenticated connectivity checks", m->ice_checks);
    gauge(out, "media_connections", "Media connections", m->peers);
    gauge(out, "media_connections_established", "Media connections that can carry media",
          m->peers_connected);
    gauge(out, "tracks", "Sources being received", m->tracks);
    gauge(out, "subscriptions", "Sources being sent to somebody", m->subscriptions);
    gauge(out, "packets_held", "Packets in the pools", m->packets_used);
    gauge(out, "dtls_handshakes_running", "Handshakes running", s->handshakes);
    head(out, "drops", "counter", "Packets that went no further, by reason");
    for (unsigned i = 1; i < DROP_COUNT; i++) {
        fputs("amphi_drops_total{reason=\"", out);
        for (const char *p = drop_name((enum drop)i) + sizeof("DROP_") - 1; *p; p++) {
            fputc(tolower((unsigned char)*p), out);
        }
        fprintf(out, "\"} %" PRIu64 "\n", m->drops[i]);
    }
}

static void socket_rows(FILE *out, const struct sums *s)
{
    head(out, "udp_lost", "counter", "Datagrams lost at the socket, by cause");
    fprintf(out, "amphi_udp_lost_total{cause=\"no_room\"} %" PRIu64 "\n", s->udp.rx_no_room);
    fprintf(out, "amphi_udp_lost_total{cause=\"too_big\"} %" PRIu64 "\n", s->udp.rx_too_big);
    fprintf(out, "amphi_udp_lost_total{cause=\"not_sent\"} %" PRIu64 "\n", s->udp.tx_dropped);
    counter(out, "udp_overflow",
            "Datagrams the kernel had no room for at our sockets, up to the last one that came",
            s->udp.rx_overflow);
    counter(out, "tcp_unsent", "Datagrams a TCP connection was too slow for, or gone",
            s->tcp.tx_dropped);
    counter(out, "udp_send_calls", "System calls that sent datagrams", s->udp.tx_calls);
    counter(out, "udp_send_waits", "Times the socket was full", s->udp.tx_waits);
    gauge(out, "tcp_connections", "Media connections over TCP", s->tcp.conns);
    head(out, "tcp_ended", "counter", "TCP connections refused or cut, by cause");
    fprintf(out, "amphi_tcp_ended_total{cause=\"refused\"} %" PRIu64 "\n", s->tcp.refused);
    fprintf(out, "amphi_tcp_ended_total{cause=\"timed_out\"} %" PRIu64 "\n", s->tcp.timed_out);
    fprintf(out, "amphi_tcp_ended_total{cause=\"slow\"} %" PRIu64 "\n", s->tcp.cut_slow);
    fprintf(out, "amphi_tcp_ended_total{cause=\"bad\"} %" PRIu64 "\n", s->tcp.cut_bad);
    counter(out, "shard_messages_refused", "Messages between shards that found a full ring",
            s->messages_refused);
    counter(out, "shard_events_refused", "Events to the classroom that found a full ring",
            s->events_refused);
}

static void class_rows(FILE *out, const struct core_public *p)
{
    const struct classroom_stats *r = &p->room;
    gauge(out, "classes", "Classes known", r->classes);
    gauge(out, "webinars_nearly_full", "Webinars with 80 % of the seats taken", r->webinars_near);
    gauge(out, "webinars_full", "Webinars without a free seat", r->webinars_full);
    gauge(out, "webinar_light_seats", "People with sound and slides only", r->webinars_light);
    gauge(out, "people", "People in a class now", r->people);
    gauge(out, "connections", "Signalling connections", r->conns);
    gauge(out, "devices_media", "Devices with a media connection", r->devices_media);
    two(out, "messages", "Signalling messages", "direction", "in", r->messages_in, "out",
        r->messages_out);
    counter(out, "messages_bytes", "Bytes of signalling received", r->bytes_in);
    head(out, "commands", "counter", "Commands by result");
    fprintf(out, "amphi_commands_total{result=\"accepted\"} %" PRIu64 "\n", r->accepted);
    fprintf(out, "amphi_commands_total{result=\"repeated\"} %" PRIu64 "\n", r->repeated);
    fprintf(out, "amphi_commands_total{result=\"refused\"} %" PRIu64 "\n", r->refused);
    counter(out, "events", "Events journalled", r->events);
    counter(out, "snapshots_sent", "Whole states sent", r->snapshots_sent);
    counter(out, "refolds", "States rebuilt after a failed commit", r->refolds);
    counter(out, "auth_failures", "Links and resume tokens refused", r->auth_failed);
    counter(out, "rate_closed", "Connections closed for too many messages", r->rate_closed);
    head(out, "media_opened", "counter", "Media connections asked for, by outcome");
    fprintf(out, "amphi_media_opened_total{outcome=\"asked\"} %" PRIu64 "\n", p->bridge.opened);
    fprintf(out, "amphi_media_opened_total{outcome=\"connected\"} %" PRIu64 "\n",
            p->bridge.connected);
    fprintf(out, "amphi_media_opened_total{outcome=\"refused\"} %" PRIu64 "\n", p->bridge.refused);
    fprintf(out, "amphi_media_opened_total{outcome=\"failed\"} %" PRIu64 "\n", p->bridge.failed);
    fprintf(out, "amphi_media_opened_total{outcome=\"lost\"} %" PRIu64 "\n", p->bridge.lost);
}

static void wish_rows(FILE *out, const struct core_public *p)
{
    const struct wish_stats *w = &p->wish;
    gauge(out, "whip_publishers", "Programs and cameras that publish over WHIP", w->publishers);
    gauge(out, "whep_viewers", "Viewers over WHEP", w->viewers);
    gauge(out, "mixes", "Rooms and publishers mixed for somebody", w->mixes);
    head(out, "wish_sessions", "counter", "WHIP and WHEP requests, by outcome");
    fprintf(out, "amphi_wish_sessions_total{outcome=\"opened\"} %" PRIu64 "\n", w->opened);
    fprintf(out, "amphi_wish_sessions_total{outcome=\"refused\"} %" PRIu64 "\n", w->refused);
    fprintf(out, "amphi_wish_sessions_total{outcome=\"lost\"} %" PRIu64 "\n", w->lost);
    counter(out, "wish_restarts", "ICE restarts of WHIP and WHEP sessions", w->restarts);
    counter(out, "wish_trickles", "Trickled candidates of WHIP and WHEP sessions", w->trickles);
    counter(out, "mixed_frames", "Frames of 20 ms mixed", p->inner.frames);
    counter(out, "mixed_concealed", "Frames made up for lost packets before mixing",
            p->inner.concealed);
    counter(out, "mixed_late", "Packets that came too late to be mixed", p->inner.late);
    counter(out, "mix_refused", "Packets the mixing thread had no room for", p->inner.refused);
}

static void store_rows(FILE *out, const struct store_stats *s)
{
    counter(out, "store_commits", "Transactions of the journal", s->commits);
    head(out, "store_tickets", "counter", "Commits asked for, by result");
    fprintf(out, "amphi_store_tickets_total{result=\"stored\"} %" PRIu64 "\n", s->tickets);
    fprintf(out, "amphi_store_tickets_total{result=\"failed\"} %" PRIu64 "\n", s->failed);
    fprintf(out, "amphi_store_tickets_total{result=\"refused\"} %" PRIu64 "\n", s->refused);
    counter(out, "store_bytes", "Bytes of the journal", s->bytes);
    gauge(out, "store_queue", "Commits waiting", s->queue_len);
    gauge(out, "store_commit_seconds_last", "Time of the newest transaction",
          (double)s->commit_us_last / US_PER_S);
    gauge(out, "store_commit_seconds_max", "Time of the slowest transaction",
          (double)s->commit_us_max / US_PER_S);
    gauge(out, "store_up", "1 while the newest transaction succeeded", s->err ? 0 : 1);
}

static void door_rows(FILE *out, const struct core_public *p)
{
    gauge(out, "doors_up", "Door processes connected", p->doors);
    for (unsigned k = 0; k < DOOR_STAT_COUNT; k++) {
        char name[64];
        uint64_t sum = 0;
        bool is_counter = door_stat_kind((enum door_stat)k) == 'c';
        for (unsigned i = 0; i < CORE_DOORS_MAX; i++) {
            uint64_t v = p->door_up[i] ? p->door[i].value[k] : 0;
            sum = k == DOOR_STAT_cert_expires_s ? (v > sum ? v : sum) : sum + v;
        }
        snprintf(name, sizeof(name), "door_%s", door_stat_name((enum door_stat)k));
        if (k == DOOR_STAT_cert_expires_s) {
            snprintf(name, sizeof(name), "certificate_expiry_timestamp_seconds");
        }
        if (is_counter) {
            counter(out, name, door_stat_help((enum door_stat)k), sum);
        } else {
            gauge(out, name, door_stat_help((enum door_stat)k), (double)sum);
        }
    }
}

/* One gauge with a row per shard. */
static void shard_rows(FILE *out, struct core *core)
{
    static const struct {
        const char *name;
        const char *help;
        size_t at;
        double unit;
    } rows[] = {
        {"shard_overload",
         "Step of shedding: 0 none, 1 fewer pictures, 2 fewer a second, 3 no new "
         "pictures, 4 no new people",
         offsetof(struct shard_stats, overload), 1},
        {"shard_busy", "Share of a core, last quarter second",
         offsetof(struct shard_stats, busy_permille), 1000},
        {"shard_packet_seconds", "Thread time per packet sent, last quarter second",
         offsetof(struct shard_stats, packet_ns), 1e9},
        {"shard_delay_seconds", "Longest a packet waited inside, last quarter second",
         offsetof(struct shard_stats, delay_us), 1e6},
    };
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        head(out, rows[r].name, "gauge", rows[r].help);
        for (unsigned i = 0; i < shards_count(core->shards); i++) {
            struct shard_stats s;
            uint32_t value;
            shards_stats(core->shards, i, &s);
            memcpy(&value, (const char *)&s + rows[r].at, sizeof(value));
            fprintf(out, "amphi_%s{shard=\"%u\"} %.9g\n", rows[r].name, i,
                    (double)value / rows[r].unit);
        }
    }
}

/* What the processes use and may use, as every exporter has it. */
static void process_rows(FILE *out, struct core *core)
{
    struct usage u;
    uint64_t free_bytes = 0;
    pid_t door = paths_pid(&core->paths, "door");
    usage_read(&u, &door, 1);
    gauge(out, "process_resident_memory_bytes", "Resident memory of the core", (double)u.core_rss);
    gauge(out, "door_resident_memory_bytes", "Resident memory of the door", (double)u.door_rss);
    head(out, "process_cpu_seconds", "counter", "Processor time, by process");
    fprintf(out, "amphi_process_cpu_seconds_total{process=\"core\"} %.2f\n", u.core_cpu_s);
    fprintf(out, "amphi_process_cpu_seconds_total{process=\"door\"} %.2f\n", u.door_cpu_s);
    head(out, "thread_cpu_seconds", "counter", "Processor time of the core, by thread");
    for (unsigned i = 0; i < u.threads; i++) {
        bool named = !strcmp(u.thread[i].name, "classroom") || !strcmp(u.thread[i].name, "store") ||
                     !strncmp(u.thread[i].name, "shard", 5);
        if (named) {
            fprintf(out, "amphi_thread_cpu_seconds_total{thread=\"%s\"} %.2f\n", u.thread[i].name,
                    u.thread[i].cpu_s);
        }
    }
    gauge(out, "cpu_limit_cores", "Cores this server may use", u.cpu_limit);
    head(out, "cpu_throttled_seconds", "counter", "Time held back by the limit of its group");
    fprintf(out, "amphi_cpu_throttled_seconds_total %.3f\n", u.throttled_s);
    gauge(out, "memory_limit_bytes", "Memory this server may use, 0 without limit",
          (double)u.memory_limit);
    unsigned alert = 0;
    if (core->watch) {
        gauge(out, "capacity_used_ratio", "The fullest of processor, memory and connections",
              watch_used(core->watch, &alert));
        gauge(out, "capacity_alert_percent", "Alert that holds: 0, 80 or 100", alert);
    }
    if (!file_free_bytes(core->paths.data, &free_bytes)) {
        gauge(out, "disk_free_bytes", "Free space under the data folder", (double)free_bytes);
    }
}

char *metrics_page(struct core *core, size_t *len)
{
    struct sums sums = {.handshakes = 0};
    struct store_stats store;
    struct core_public public;
    char *text = NULL;
    FILE *out = open_memstream(&text, len);
    if (!out) {
        return NULL;
    }
    for (unsigned i = 0; i < shards_count(core->shards); i++) {
        struct shard_stats s;
        shards_stats(core->shards, i, &s);
        add_shard(&sums, &s);
    }
    store_stats_get(core->store, &store);
    mutex_lock(&core->public_lock);
    public = core->public;
    mutex_unlock(&core->public_lock);

    shard_rows(out, core);
    head(out, "build", "info", "This program");
    fprintf(out, "amphi_build_info{version=\"%s\"} 1\n", AMPHI_VERSION);
    gauge(out, "epoch", "Starts of the core on this data folder", (double)public.epoch);
    gauge(out, "draining", "1 while no new classes are taken", public.draining ? 1 : 0);
    gauge(out, "shards", "Media threads", shards_count(core->shards));
    media_rows(out, &sums);
    socket_rows(out, &sums);
    class_rows(out, &public);
    wish_rows(out, &public);
    store_rows(out, &store);
    door_rows(out, &public);
    head(out, "event_loop_lag_seconds", "histogram", "How late deadlines were served");
    histogram_rows(out, "event_loop_lag_seconds", "loop=\"classroom\"", &core->lag);
    histogram_rows(out, "event_loop_lag_seconds", "loop=\"media\"", shards_lag(core->shards));
    head(out, "join_duration_seconds", "histogram", "From the offer to a media connection");
    histogram_rows(out, "join_duration_seconds", "", bridge_join_times(core->bridge));
    process_rows(out, core);
    fputs("# EOF\n", out);
    if (fclose(out)) {
        free(text);
        return NULL;
    }
    return text;
}
