/* amphi doctor: looks at machine and settings the way a first start would suffer from them. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include "codec/base/addr.h"
#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/clock.h"
#include "codec/sys/file.h"
#include "codec/sys/thread.h"
#include "codec/wire/desc.h"
#include "server/app/client.h"
#include "server/app/command.h"
#include "server/app/json_out.h"
#include "server/app/keys.h"
#include "server/app/listen.h"
#include "server/app/prepare.h"
#include "server/app/turn.h"
#include "server/io/hosts.h"

enum { UDP_BUFFER_WISH = 4 << 20, FILES_WISH = 8192 };

enum verdict { GOOD = 0, WARN, BAD };

struct doctor {
    struct command_line *line;
    bool running; /* a server runs on this data folder: its ports are rightly taken */
    unsigned count[3];
};

static void say(struct doctor *d, enum verdict verdict, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void say(struct doctor *d, enum verdict verdict, const char *name, const char *format, ...)
{
    static const char *const words[] = {"ok", "warn", "FAIL"};
    char text[512];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    unsigned before = d->count[GOOD] + d->count[WARN] + d->count[BAD];
    d->count[verdict]++;
    if (d->line->json) {
        printf("%s{\"check\":\"%s\",\"result\":\"%s\",\"text\":", before ? "," : "", name,
               words[verdict]);
        json_out_text(stdout, text);
        putchar('}');
    } else {
        printf("%-5s %-12s %s\n", words[verdict], name, text);
    }
}

static void check_server(struct doctor *d)
{
    char why[512];
    json_t *answer = NULL;
    int err = client_request(d->line, json_pack("{s:s}", "cmd", "status"), false, &answer, why,
                             sizeof(why));
    d->running = !err;
    if (d->running) {
        say(d, GOOD, "server", "running, %d people in %d classes",
            (int)json_integer_value(json_object_get(answer, "people")),
            (int)json_integer_value(json_object_get(answer, "classes")));
    } else {
        say(d, GOOD, "server", "not running on %s", d->line->config.data_dir);
    }
    json_decref(answer);
}

static void check_tcp_ports(struct doctor *d)
{
    const struct config *c = &d->line->config;
    for (size_t i = 0; i <= c->web_listen.count; i++) {
        bool admin = i == c->web_listen.count;
        const char *key = admin ? "admin.listen" : "web.listen";
        const char *endpoint = admin ? c->admin_listen : c->web_listen.item[i];
        char why[256];
        uint16_t port;
        int fd;
        if (!*endpoint) {
            continue;
        }
        int err = listen_open(key, endpoint, &fd, &port, why, sizeof(why));
        if (!err) {
            close(fd);
        }
        if (!err || (err == E_BUSY && d->running)) {
            say(d, GOOD, "port", "%s: %s %s", key, endpoint, err ? "serves" : "is free");
        } else {
            say(d, err == E_UNSUPPORTED ? WARN : BAD, "port", "%s", why);
        }
    }
}

static void check_udp_ports(struct doctor *d)
{
    const struct config *c = &d->line->config;
    int64_t shards = c->rtc_shards ? c->rtc_shards : thread_cores();
    unsigned taken = 0;
    for (int64_t i = 0; c->rtc_udp_port && i < shards; i++) {
        struct sockaddr_in sa = {.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)(c->rtc_udp_port + i))};
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        taken += fd >= 0 && bind(fd, (struct sockaddr *)&sa, sizeof(sa)) && errno == EADDRINUSE;
        if (fd >= 0) {
            close(fd);
        }
    }
    bool fine = !taken || d->running;
    say(d, fine ? GOOD : BAD, "media ports", "%lld to %lld, UDP%s: %s", (long long)c->rtc_udp_port,
        (long long)(c->rtc_udp_port + shards - 1), c->rtc_tcp ? " and TCP" : "",
        fine ? "open them in the firewall" : "taken: see `ss -lunp`, or set rtc.udp_port");
}

static bool is_private(const struct addr *a)
{
    if (a->family == ADDR_V6) {
        return (a->ip[0] & 0xfe) == 0xfc || a->ip[0] == 0;
    }
    return a->ip[0] == 10 || a->ip[0] == 127 || (a->ip[0] == 172 && (a->ip[1] & 0xf0) == 16) ||
           (a->ip[0] == 192 && a->ip[1] == 168) || (a->ip[0] == 100 && (a->ip[1] & 0xc0) == 64);
}

static void check_addresses(struct doctor *d)
{
    struct addr host[DESC_CANDIDATES_MAX];
    int count = hosts_list(host, DESC_CANDIDATES_MAX, HOSTS_V4 | HOSTS_V6);
    bool public = d->line->config.rtc_external_ip.count > 0;
    bool v6 = false;
    char text[ADDR_TEXT_MAX];
    for (int i = 0; i < count; i++) {
        v6 = v6 || (host[i].family == ADDR_V6 && host[i].ip[15] != 1);
        public = public || !is_private(&host[i]);
    }
    if (count <= 0) {
        say(d, BAD, "addresses", "this machine shows none: set rtc.listen_ip");
        return;
    }
    say(d, GOOD, "addresses", "%d, first %s", count, addr_print(&host[0], text));
    say(d, v6 ? GOOD : WARN, "IPv6", v6 ? "there" : "none: people with IPv6 only come by relay");
    say(d, public ? GOOD : WARN, "external ip",
        public ? "reachable address there or set"
               : "all addresses are private: fine inside one network, else set rtc.external_ip");
}

static void check_machine(struct doctor *d)
{
    struct timex tx = {.modes = 0};
    struct rlimit files = {0};
    struct prepared p = {.paths.run_fd = -1};
    uint64_t free_bytes = 0;
    bool synced = adjtimex(&tx) >= 0 && !(tx.status & STA_UNSYNC);
    say(d, synced ? GOOD : WARN, "clock", synced ? "synchronised" : "not synchronised: run NTP");
    (void)getrlimit(RLIMIT_NOFILE, &files);
    say(d,
        files.rlim_max >= FILES_WISH        ? GOOD
        : files.rlim_max >= PREPARE_FDS_MIN ? WARN
                                            : BAD,
        "open files", "limit %llu%s", (unsigned long long)files.rlim_max,
        files.rlim_max >= FILES_WISH ? "" : ": raise it (LimitNOFILE=, ulimit -n)");
    if (!paths_init(&p.paths, &d->line->config) &&
        !file_free_bytes(access(p.paths.data, F_OK) ? "." : p.paths.data, &free_bytes)) {
        bool enough = free_bytes >> 20 >= (uint64_t)d->line->config.data_reserve_mb;
        say(d, enough ? GOOD : BAD, "disk", "%llu MiB free",
            (unsigned long long)(free_bytes >> 20));
    }
}

static int sysctl_number(const char *path)
{
    char *text = NULL;
    size_t len = 0;
    int value = file_read(path, 64, &text, &len) ? -1 : (int)strtol(text, NULL, 10);
    mem_free(text);
    return value;
}

static void check_network_speed(struct doctor *d)
{
    int gso = 1200;
    int rmem = sysctl_number("/proc/sys/net/core/rmem_max");
    int wmem = sysctl_number("/proc/sys/net/core/wmem_max");
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool can = fd >= 0 && !setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &gso, sizeof(gso));
    if (fd >= 0) {
        close(fd);
    }
    bool large = rmem >= UDP_BUFFER_WISH && wmem >= UDP_BUFFER_WISH;
    say(d, large ? GOOD : WARN, "UDP buffers", "rmem_max %d, wmem_max %d%s", rmem, wmem,
        large ? "" : ": set both to 4194304 with sysctl for large classes");
    say(d, can ? GOOD : WARN, "UDP GSO", can ? "there" : "missing: sending costs twice as much");
    char *cpu = NULL;
    size_t len = 0;
    bool aes = !file_read("/proc/cpuinfo", 4 << 20, &cpu, &len) &&
               (strstr(cpu, " aes ") || strstr(cpu, " aes\n"));
    mem_free(cpu);
    say(d, aes && AMPHI_HAVE_IPSEC_MB ? GOOD : WARN, "encryption", "%s, %s",
        aes ? "AES instructions" : "no AES instructions",
        AMPHI_HAVE_IPSEC_MB ? "ipsec-mb" : "built without ipsec-mb");
}

static void check_certificate(struct doctor *d)
{
    struct keys_pair pair;
    struct paths paths;
    char path[PATHS_MAX];
    char why[512];
    const struct config *c = &d->line->config;
    if (!c->web_tls || paths_init(&paths, c)) {
        return;
    }
    if (!*c->tls_cert && access(paths_in(&paths, "keys/tls.crt", path), F_OK)) {
        say(d, GOOD, "certificate", "a self-signed one is made at the first start");
        return;
    }
    if (keys_pair_load(&pair, &paths, c, why, sizeof(why))) {
        say(d, BAD, "certificate", "%s", why);
        return;
    }
    long long days = (pair.not_after - clock_wall_ms()) / (86400LL * 1000);
    say(d,
        days < 0    ? BAD
        : days < 14 ? WARN
                    : GOOD,
        "certificate", "%s: %s %lld days", *c->tls_cert ? pair.cert_path : "self-signed",
        days < 0 ? "expired since" : "good for", days < 0 ? -days : days);
    keys_pair_fini(&pair);
}

/* Without a relay some schools and companies hear nothing: only 443 is open there. */
static void check_relay(struct doctor *d)
{
    struct turn turn;
    struct stat file;
    char why[TURN_WHY_MAX];
    const struct config *c = &d->line->config;
    bool tls = false;
    for (size_t i = 0; i < c->turn_urls.count; i++) {
        tls = tls || strncmp(c->turn_urls.item[i], "turns:", 6) == 0;
    }
    if (!c->turn_urls.count) {
        say(d, WARN, "relay", "none: set turn.urls for networks where only port 443 is open");
    } else if (turn_init(&turn, c, why, sizeof(why))) {
        say(d, BAD, "relay", "%s", why);
    } else if (*c->turn_secret_file && stat(c->turn_secret_file, &file) == 0 &&
               (file.st_mode & 077)) {
        say(d, WARN, "relay", "%s: others may read it: chmod 600", c->turn_secret_file);
    } else if (!tls) {
        say(d, WARN, "relay",
            "no turns: address among turn.urls: add turns:HOST:443?transport=tcp");
    } else {
        say(d, GOOD, "relay", "%zu addresses, credentials for %lld s", c->turn_urls.count,
            (long long)c->turn_ttl_s);
    }
}

static int doctor(struct command_line *line)
{
    struct doctor d = {.line = line};
    char root[PATHS_MAX];
    char why[512];
    if (!command_rest(line, 0, 0)) {
        return EXIT_USAGE;
    }
    if (line->json) {
        fputs("{\"checks\":[", stdout);
    }
    check_server(&d);
    check_tcp_ports(&d);
    check_udp_ports(&d);
    check_addresses(&d);
    check_machine(&d);
    check_network_speed(&d);
    check_certificate(&d);
    check_relay(&d);
    bool page = !prepare_web_root(&line->config, root, why, sizeof(why));
    say(&d, page ? GOOD : BAD, "page", "%s", page ? root : why);
    if (line->json) {
        printf("],\"ok\":%s,\"warnings\":%u,\"failures\":%u}\n", d.count[BAD] ? "false" : "true",
               d.count[WARN], d.count[BAD]);
    } else {
        printf("%u ok, %u warnings, %u failures\n", d.count[GOOD], d.count[WARN], d.count[BAD]);
    }
    return d.count[BAD] ? EXIT_FAILED : EXIT_OK;
}

const struct command command_doctor = {
    .name = "doctor",
    .args = "",
    .usage = "Check machine and settings; say what to mend.",
    .flags = COMMAND_CONFIG,
    .exec = doctor,
};
