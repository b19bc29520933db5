#include "server/app/prepare.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/sys/clock.h"
#include "codec/sys/file.h"
#include "codec/sys/log.h"
#include "codec/sys/token.h"
#include "server/app/command.h"
#include "server/app/keys.h"
#include "server/app/listen.h"

#define DAY_MS (86400LL * 1000)

/* A condition that may pass by itself is 1, so that systemd tries again; what somebody must set
 * right is 78. */
static int code_of(int err)
{
    return err == E_BUSY || err == E_FULL || err == E_IO || err == E_NOMEM || err == E_LIMIT
               ? EXIT_FAILED
               : EXIT_CONFIG;
}

static int raise_files(char *why, size_t cap)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit)) {
        return 0;
    }
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur < PREPARE_FDS_MIN) {
        snprintf(why, cap,
                 "open files: the limit is %llu, the server needs at least %d: raise it with "
                 "`ulimit -n` or LimitNOFILE=",
                 (unsigned long long)limit.rlim_cur, PREPARE_FDS_MIN);
        return E_RANGE;
    }
    return 0;
}

static int check_disk(const struct prepared *p, const struct config *config, char *why, size_t cap)
{
    uint64_t free_bytes = 0;
    uint64_t reserve = (uint64_t)config->data_reserve_mb << 20;
    int err = file_free_bytes(p->paths.data, &free_bytes);
    if (err || free_bytes < reserve) {
        snprintf(why, cap,
                 "data.dir: %.300s: only %llu MiB of disk are free, %lld are kept in reserve: free "
                 "some space, or lower data.reserve_mb",
                 p->paths.data, (unsigned long long)(free_bytes >> 20),
                 (long long)config->data_reserve_mb);
        return E_FULL;
    }
    return 0;
}

static bool has_page(const char *folder)
{
    char path[PATHS_MAX + 16];
    int n = snprintf(path, sizeof(path), "%s/index.html", folder);
    return n > 0 && (size_t)n < sizeof(path) && access(path, R_OK) == 0;
}

int prepare_web_root(const struct config *config, char out[PATHS_MAX], char *why, size_t why_cap)
{
    static const char *const beside[] = {"/../share/amphi/web", "/../web-client/dist",
                                         "/../../web-client/dist"};
    char self[PATHS_MAX / 2];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (slash) {
        *slash = '\0';
    }
    if (*config->web_root) {
        snprintf(out, PATHS_MAX, "%s", config->web_root);
        if (has_page(out)) {
            return 0;
        }
        snprintf(why, why_cap,
                 "web.root: %.300s: holds no index.html: build the page with `make "
                 "web`, or name its folder",
                 out);
        return E_NOTFOUND;
    }
    for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
        snprintf(out, PATHS_MAX, "%s%s", self, beside[i]);
        if (has_page(out)) {
            return 0;
        }
    }
    snprintf(out, PATHS_MAX, "web-client/dist");
    if (has_page(out)) {
        return 0;
    }
    snprintf(why, why_cap,
             "web.root: the page was not found in %.200s/../share/amphi/web nor in "
             "./web-client/dist: build it with `make web`, or set web.root",
             self);
    return E_NOTFOUND;
}

static int refill(int fd, const char *text, size_t len)
{
    if (ftruncate(fd, 0) || pwrite(fd, text, len, 0) != (ssize_t)len) {
        return file_err(errno);
    }
    return 0;
}

/* F20: an expired certificate is loud, not fatal: who accepts it can still work. */
static void warn_dates(const struct keys_pair *pair)
{
    wall_ms left = pair->not_after - clock_wall_ms();
    if (left <= 0) {
        log_error("tls", "the certificate has expired: replace it and send SIGHUP",
                  L_STR("file", pair->cert_path));
    } else if (left < 14 * DAY_MS) {
        log_warn("tls", "the certificate ends soon", L_STR("file", pair->cert_path),
                 L_INT("days", left / DAY_MS));
    }
}

int prepare_certificate(struct prepared *p, const struct config *config, char *why, size_t why_cap)
{
    struct keys_pair pair;
    if (!config->web_tls) {
        return 0;
    }
    int err = keys_pair_load(&pair, &p->paths, config, why, why_cap);
    if (err) {
        /* A file that was named and cannot be used is a wrong setting, whatever the cause. */
        return *config->tls_cert ? E_BAD : err;
    }
    if (p->cert_fd < 0) {
        p->cert_fd = memfd_create("tls.crt", MFD_CLOEXEC);
        p->key_fd = memfd_create("tls.key", MFD_CLOEXEC);
    }
    err = p->cert_fd < 0 || p->key_fd < 0 ? E_LIMIT : 0;
    err = err ? err : refill(p->cert_fd, pair.cert, pair.cert_len);
    err = err ? err : refill(p->key_fd, pair.key, pair.key_len);
    if (err) {
        snprintf(why, why_cap, "tls.cert: no memory file: %s", err_text(err));
    } else {
        warn_dates(&pair);
    }
    keys_pair_fini(&pair);
    return err;
}

static int open_ports(struct prepared *p, const struct config *config, char *why, size_t cap)
{
    int err = 0;
    size_t count = config->web_listen.count;
    for (size_t i = 0; i < count && !err; i++) {
        if (p->web_count == PREPARED_WEB_MAX) {
            snprintf(why, cap, "web.listen: at most %d addresses", PREPARED_WEB_MAX);
            return E_RANGE;
        }
        err = listen_open("web.listen", config->web_listen.item[i], &p->web_fd[p->web_count],
                          &p->web_port[p->web_count], why, cap);
        if (err == E_UNSUPPORTED && !strncmp(config->web_listen.item[i], "[::]:", 5) && count > 1) {
            log_info("start", "no IPv6 here", L_STR("web.listen", config->web_listen.item[i]));
            err = 0;
            continue;
        }
        p->web_count += err ? 0 : 1;
    }
    if (!err && *config->admin_listen) {
        err = listen_open("admin.listen", config->admin_listen, &p->admin_fd, &p->admin_port, why,
                          cap);
    }
    return err;
}

int prepare(struct prepared *p, const struct config *config, char *why, size_t cap)
{
    memset(p, 0, sizeof(*p));
    p->admin_fd = p->cert_fd = p->key_fd = p->paths.run_fd = -1;
    p->lock = (struct paths_lock){.fd = -1, .children = -1};
    why[0] = '\0';
    int err = token_init();
    err = err ? err : raise_files(why, cap);
    err = err ? err : prepare_web_root(config, p->web_root, why, cap);
    err = err ? err : paths_init(&p->paths, config);
    err = err ? err : paths_make(&p->paths, why, cap);
    err = err ? err : check_disk(p, config, why, cap);
    err = err ? err : paths_lock(&p->paths, paths_patience(config), &p->lock, why, cap);
    err = err ? err : prepare_certificate(p, config, why, cap);
    err = err ? err : open_ports(p, config, why, cap);
    if (err && !why[0]) {
        snprintf(why, cap, "cannot start: %s", err_text(err));
    }
    return err ? code_of(err) : EXIT_OK;
}

void prepare_fini(struct prepared *p)
{
    int fds[] = {p->admin_fd, p->cert_fd, p->key_fd};
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    for (size_t i = 0; i < p->web_count; i++) {
        close(p->web_fd[i]);
    }
    paths_unlock(&p->lock);
    paths_close(&p->paths);
}

const char *prepare_url(const struct config *config, uint16_t port, char *buf, size_t cap)
{
    size_t len = strlen(config->web_public_url);
    if (len) {
        while (len && config->web_public_url[len - 1] == '/') {
            len--;
        }
        snprintf(buf, cap, "%.*s", (int)len, config->web_public_url);
    } else {
        snprintf(buf, cap, "%s://localhost:%u", config->web_tls ? "https" : "http", port);
    }
    return buf;
}
