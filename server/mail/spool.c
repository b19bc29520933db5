#include "server/mail/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "signaling/people/mailaddr.h"

enum { MESSAGE_MAX = 8 << 20, FIRST_WAIT_MS = 60000, WAIT_MS_MAX = 4 * 3600000 };

static const char from_head[] = "X-Amphi-From: ";
static const char to_head[] = "X-Amphi-To: ";

int64_t spool_backoff_ms(unsigned tries)
{
    int64_t ms = FIRST_WAIT_MS;
    while (tries-- > 0 && ms < WAIT_MS_MAX) {
        ms *= 3;
    }
    return ms < WAIT_MS_MAX ? ms : WAIT_MS_MAX;
}

int spool_open(struct spool *spool, const char *folder)
{
    static const char *const inside[] = {"queue", "sent", "failed", "new"};
    (void)mkdir(folder, 0700);
    spool->lock_fd = -1;
    spool->dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    for (unsigned i = 0; spool->dir_fd >= 0 && i < sizeof(inside) / sizeof(inside[0]); i++) {
        if (mkdirat(spool->dir_fd, inside[i], 0700) && errno != EEXIST) {
            spool_close(spool);
        }
    }
    return spool->dir_fd < 0 ? E_IO : 0;
}

int spool_lock(struct spool *spool)
{
    int fd = openat(spool->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return E_IO;
    }
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        int err = errno == EWOULDBLOCK ? E_BUSY : E_IO;
        (void)close(fd);
        return err;
    }
    spool->lock_fd = fd;
    return 0;
}

void spool_close(struct spool *spool)
{
    if (spool->lock_fd >= 0) {
        (void)close(spool->lock_fd);
    }
    spool->lock_fd = -1;
    if (spool->dir_fd >= 0) {
        (void)close(spool->dir_fd);
    }
    spool->dir_fd = -1;
}

static bool id_ok(const char *id)
{
    size_t len = strlen(id);
    return len > 0 && len < 64 &&
           strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == len;
}

/* ---- names
 * ---------------------------------------------------------------------------------------- */

static void entry_name(char out[SPOOL_NAME_MAX], wall_ms due, unsigned tries, const char *id)
{
    snprintf(out, SPOOL_NAME_MAX, "queue/%013" PRId64 "-%02u-%s.eml", due, tries, id);
}

static int entry_parse(const char *file, struct spool_entry *out)
{
    int at = 0;
    size_t len = strlen(file);
    size_t digits = strspn(file, "0123456789"); /* sscanf takes signs and blanks too */
    size_t tries = file[digits] ? strspn(file + digits + 1, "0123456789") : 0;
    if (digits == 0 || tries == 0 || file[digits + 1 + tries] != '-') {
        return E_BAD;
    }
    if (sscanf(file, "%13" SCNd64 "-%2u-%n", &out->due, &out->tries, &at) != 2 || at == 0 ||
        len < (size_t)at + 5 || len > SPOOL_NAME_MAX - 8 ||
        len - (size_t)at - 4 >= sizeof(out->id) || strcmp(file + len - 4, ".eml") != 0) {
        return E_BAD;
    }
    snprintf(out->id, sizeof(out->id), "%.*s", (int)(len - (size_t)at - 4), file + at);
    snprintf(out->name, sizeof(out->name), "queue/%.*s", SPOOL_NAME_MAX - 8, file);
    return id_ok(out->id) ? 0 : E_BAD;
}

/* Calls each_h with every entry of the queue until it returns false. */
static void walk(const struct spool *spool,
                 bool (*each_h)(void *arg, const struct spool_entry *entry), void *arg)
{
    int fd = openat(spool->dir_fd, "queue", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *d;
    bool more = true;
    while (dir && more && (d = readdir(dir)) != NULL) {
        struct spool_entry entry;
        if (entry_parse(d->d_name, &entry) == 0) {
            more = each_h(arg, &entry);
        }
    }
    if (dir) {
        (void)closedir(dir);
    } else if (fd >= 0) {
        (void)close(fd);
    }
}

static bool earliest(void *arg, const struct spool_entry *entry)
{
    struct spool_entry *best = arg;
    if (!best->name[0] || entry->due < best->due ||
        (entry->due == best->due && strcmp(entry->name, best->name) < 0)) {
        *best = *entry;
    }
    return true;
}

int spool_first(const struct spool *spool, struct spool_entry *out)
{
    *out = (struct spool_entry){.due = 0};
    walk(spool, earliest, out);
    return out->name[0] ? 0 : E_NOTFOUND;
}

/* ---- writing
 * -------------------------------------------------------------------------------------- */

static bool put_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static void sync_folder(const struct spool *spool, const char *name)
{
    int fd = openat(spool->dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
}

struct same {
    const struct spool *spool;
    const char *id;
    const char *keep;
};

static bool drop_same(void *arg, const struct spool_entry *entry)
{
    struct same *s = arg;
    if (strcmp(entry->id, s->id) == 0 && strcmp(entry->name, s->keep) != 0) {
        (void)unlinkat(s->spool->dir_fd, entry->name, 0);
    }
    return true;
}

int spool_put(struct spool *spool, const char *id, const char *from, const char *to,
              const char *message, size_t len, wall_ms due)
{
    char fresh[SPOOL_NAME_MAX];
    char name[SPOOL_NAME_MAX];
    char head[2 * SPOOL_ADDRESS_MAX + 64];
    if (!id_ok(id) || !mailaddr_ok(from) || !mailaddr_ok(to) || due < 0) {
        return E_BAD;
    }
    snprintf(fresh, sizeof(fresh), "new/%s.eml", id);
    entry_name(name, due, 0, id);
    int head_len = snprintf(head, sizeof(head), "%s%s\r\n%s%s\r\n", from_head, from, to_head, to);
    int fd =
        openat(spool->dir_fd, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return E_IO;
    }
    bool ok = put_all(fd, head, (size_t)head_len) && put_all(fd, message, len) && !fsync(fd);
    int err = ok ? 0 : errno == ENOSPC ? E_FULL : E_IO;
    (void)close(fd);
    if (err || renameat(spool->dir_fd, fresh, spool->dir_fd, name)) {
        (void)unlinkat(spool->dir_fd, fresh, 0);
        return err ? err : E_IO;
    }
    sync_folder(spool, "queue");
    walk(spool, drop_same, &(struct same){.spool = spool, .id = id, .keep = name});
    return 0;
}

/* ---- trying
 * --------------------------------------------------------------------------------------- */

/* One line of the envelope at *at. 0 or E_BAD. */
static int envelope(const char *data, size_t len, size_t *at, const char *head,
                    char out[SPOOL_ADDRESS_MAX])
{
    size_t head_len = strlen(head);
    const char *start = data + *at + head_len;
    if (len - *at < head_len + 2 || strncmp(data + *at, head, head_len) != 0) {
        return E_BAD;
    }
    const char *end = memchr(start, '\r', len - *at - head_len);
    if (!end || end[1] != '\n' || (size_t)(end - start) >= SPOOL_ADDRESS_MAX) {
        return E_BAD;
    }
    snprintf(out, SPOOL_ADDRESS_MAX, "%.*s", (int)(end - start), start);
    *at = (size_t)(end - data) + 2;
    return mailaddr_ok(out) ? 0 : E_BAD;
}

static int read_all(int fd, char **data, size_t *len)
{
    struct stat st;
    if (fstat(fd, &st) || st.st_size > MESSAGE_MAX) {
        return E_IO;
    }
    char *bytes = mem_alloc((size_t)st.st_size + 2);
    if (!bytes) {
        return E_NOMEM;
    }
    size_t got = 0;
    ssize_t n;
    while (got < (size_t)st.st_size && (n = read(fd, bytes + got, (size_t)st.st_size - got)) > 0) {
        got += (size_t)n;
    }
    *data = bytes;
    *len = got;
    return 0;
}

int spool_read(const struct spool *spool, const struct spool_entry *entry, char **data, size_t *len,
               size_t *message_at, char from[SPOOL_ADDRESS_MAX], char to[SPOOL_ADDRESS_MAX])
{
    *data = NULL;
    *message_at = 0;
    int fd = openat(spool->dir_fd, entry->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return E_IO;
    }
    int err = read_all(fd, data, len);
    (void)close(fd);
    err = err ? err : envelope(*data, *len, message_at, from_head, from);
    err = err ? err : envelope(*data, *len, message_at, to_head, to);
    if (err) {
        mem_free(*data);
        *data = NULL;
    }
    return err;
}

int spool_settle(struct spool *spool, const struct spool_entry *entry, int err, wall_ms now)
{
    char name[SPOOL_NAME_MAX];
    if (err == E_AGAIN && entry->tries + 1 < SPOOL_TRIES_MAX) {
        entry_name(name, now + spool_backoff_ms(entry->tries), entry->tries + 1, entry->id);
    } else {
        snprintf(name, sizeof(name), "%s/%s.eml", err ? "failed" : "sent", entry->id);
    }
    return renameat(spool->dir_fd, entry->name, spool->dir_fd, name) ? E_IO : 0;
}

bool spool_was_settled(const struct spool *spool, const char *id)
{
    static const char *const ends[] = {"sent", "failed"};
    char name[SPOOL_NAME_MAX];
    bool there = false;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]) && !there; i++) {
        snprintf(name, sizeof(name), "%s/%s.eml", ends[i], id);
        there = faccessat(spool->dir_fd, name, F_OK, 0) == 0;
    }
    return there;
}

static unsigned prune(int at, const char *folder, wall_ms before)
{
    int fd = openat(at, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *d;
    unsigned gone = 0;
    while (dir && (d = readdir(dir)) != NULL) {
        struct stat st;
        bool old = strstr(d->d_name, ".eml") && !fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
                   (int64_t)st.st_mtime * 1000 < before;
        gone += old && unlinkat(fd, d->d_name, 0) == 0;
    }
    if (dir) {
        (void)closedir(dir);
    } else if (fd >= 0) {
        (void)close(fd);
    }
    return gone;
}

unsigned spool_sent_since(const struct spool *spool, wall_ms from)
{
    int fd = openat(spool->dir_fd, "sent", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *d;
    unsigned n = 0;
    while (dir && (d = readdir(dir)) != NULL) {
        struct stat st; /* a rename sets the time of change */
        n += d->d_name[0] != '.' && !fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
             (int64_t)st.st_ctime * 1000 >= from;
    }
    if (dir) {
        (void)closedir(dir);
    } else if (fd >= 0) {
        (void)close(fd);
    }
    return n;
}

unsigned spool_prune(const struct spool *spool, wall_ms before)
{
    return prune(spool->dir_fd, "sent", before) + prune(spool->dir_fd, "failed", before);
}

static unsigned count(const struct spool *spool, const char *folder)
{
    int fd = openat(spool->dir_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *d;
    unsigned n = 0;
    while (dir && (d = readdir(dir)) != NULL) {
        n += d->d_name[0] != '.';
    }
    if (dir) {
        (void)closedir(dir);
    }
    return n;
}

void spool_counts(const struct spool *spool, unsigned *waiting, unsigned *sent, unsigned *failed)
{
    *waiting = count(spool, "queue");
    *sent = count(spool, "sent");
    *failed = count(spool, "failed");
}
