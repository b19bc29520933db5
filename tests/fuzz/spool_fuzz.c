/* The queue of mails: a file name, a line end, then the file. Whatever lies in the folder, an entry
 * that is found has a plain id and its message begins inside the file. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "server/mail/spool.h"
#include "signaling/people/mailaddr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/tmp/amphi-spool-XXXXXX";
static struct spool spool = {.dir_fd = -1, .lock_fd = -1};

static void check(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void clean(void)
{
    static const char *const inside[] = {"queue", "sent", "failed", "new"};
    for (unsigned i = 0; i < 4; i++) {
        (void)unlinkat(spool.dir_fd, inside[i], AT_REMOVEDIR);
    }
    spool_close(&spool);
    (void)rmdir(folder);
}

static void begin(void)
{
    check(mkdtemp(folder) != NULL && spool_open(&spool, folder) == 0);
    check(atexit(clean) == 0);
}

static void look(const char *name, const void *bytes, size_t len)
{
    struct spool_entry entry;
    char gone[SPOOL_NAME_MAX];
    char *mail = NULL;
    size_t mail_len = 0;
    size_t at = 0;
    char from[SPOOL_ADDRESS_MAX];
    char to[SPOOL_ADDRESS_MAX];
    if (spool_first(&spool, &entry)) {
        return;
    }
    check(strcmp(entry.name, name) == 0 && entry.id[0] && !strpbrk(entry.id, "/.") &&
          entry.tries < 100);
    int err = spool_read(&spool, &entry, &mail, &mail_len, &at, from, to);
    check(err == 0 || (err == E_BAD && !mail));
    if (!err) {
        check(mail_len == len && at <= len && memcmp(mail, bytes, len) == 0);
        check(mailaddr_ok(from) && mailaddr_ok(to));
    }
    mem_free(mail);
    unsigned tries = entry.tries;
    (void)snprintf(gone, sizeof(gone), "failed/%s.eml", entry.id);
    check(spool_settle(&spool, &entry, E_AGAIN, 1790000000000) == 0);
    if (tries + 1 < SPOOL_TRIES_MAX) {
        check(spool_first(&spool, &entry) == 0 && entry.tries == tries + 1);
        (void)unlinkat(spool.dir_fd, entry.name, 0);
    } else {
        check(unlinkat(spool.dir_fd, gone, 0) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\n', size);
    size_t name_len = end ? (size_t)(end - data) : 0;
    char name[300];
    if (name_len == 0 || name_len > 200 || memchr(data, '/', name_len) ||
        memchr(data, '\0', name_len) || data[0] == '.') {
        return 0;
    }
    if (spool.dir_fd < 0) {
        begin();
    }
    (void)snprintf(name, sizeof(name), "queue/%.*s", (int)name_len, (const char *)data);
    int fd = openat(spool.dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    check(fd >= 0);
    size_t len = size - name_len - 1;
    check(write(fd, end + 1, len) == (ssize_t)len);
    (void)close(fd);
    look(name, end + 1, len);
    (void)unlinkat(spool.dir_fd, name, 0);
    return 0;
}
