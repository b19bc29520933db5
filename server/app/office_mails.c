/* The queue of mails as an administrator sees it (server/mail/spool.h says how it lies on disk). */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "server/app/office_mail.h"
#include "server/app/office_tables.h"
#include "server/mail/spool.h"

enum { SHOWN_MAX = 200 };

/* Second line of a file: "X-Amphi-To: c@d". */
static void read_to(int dir, const char *name, char *out, size_t cap)
{
    char head[1024];
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t got = fd < 0 ? 0 : read(fd, head, sizeof(head) - 1);
    out[0] = '\0';
    if (fd >= 0) {
        (void)close(fd);
    }
    head[got > 0 ? got : 0] = '\0';
    const char *to = strstr(head, "X-Amphi-To: ");
    if (to) {
        to += strlen("X-Amphi-To: ");
        snprintf(out, cap, "%.*s", (int)strcspn(to, "\r\n"), to);
    }
}

static json_t *list(int mail, const char *folder)
{
    json_t *out = json_array();
    int fd = openat(mail, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *e;
    while (dir && (e = readdir(dir)) && json_array_size(out) < SHOWN_MAX) {
        char to[SPOOL_ADDRESS_MAX];
        long long due = 0;
        unsigned tries = 0;
        if (!strstr(e->d_name, ".eml")) {
            continue;
        }
        bool queued = sscanf(e->d_name, "%lld-%u-", &due, &tries) == 2;
        read_to(fd, e->d_name, to, sizeof(to));
        json_array_append_new(out, json_pack("{s:s, s:s, s:I, s:i}", "name", e->d_name, "to", to,
                                             "due", (json_int_t)(queued ? due : 0), "tries",
                                             (int)(queued ? tries : SPOOL_TRIES_MAX)));
    }
    if (dir) {
        (void)closedir(dir);
    } else if (fd >= 0) {
        (void)close(fd);
    }
    return out;
}

static int open_spool(struct office_call *call, struct spool *spool)
{
    char path[PATHS_MAX];
    int err = spool_open(spool, paths_in(office_paths(call), "mail", path));
    if (err) {
        office_failed(call, err);
    }
    return err;
}

/* ---- of one person
 * ------------------------------------------------------------------------------------------ */

static const char *const folders[] = {"queue", "sent", "failed"};
enum { FOLDERS = sizeof(folders) / sizeof(folders[0]) };

/* Ids of mails to somebody of a class end in his id, with its prefix or without. */
static void each_of(int mail, const char *folder, const char *person, json_t *list)
{
    int fd = openat(mail, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *e;
    while (dir && (e = readdir(dir))) {
        char to[SPOOL_ADDRESS_MAX];
        if (!strstr(e->d_name, person + 2)) {
            continue;
        }
        if (list) {
            read_to(fd, e->d_name, to, sizeof(to));
            json_array_append_new(
                list, json_pack("{s:s, s:s, s:s}", "folder", folder, "name", e->d_name, "to", to));
        } else {
            (void)unlinkat(fd, e->d_name, 0);
        }
    }
    if (dir) {
        (void)closedir(dir);
    } else if (fd >= 0) {
        (void)close(fd);
    }
}

static void each_folder(struct office_call *call, const char *person, json_t *list)
{
    char path[PATHS_MAX];
    struct spool spool;
    bool whole = strlen(person) == ID_TEXT_MAX - 1;
    if (whole && !spool_open(&spool, paths_in(office_paths(call), "mail", path))) {
        for (unsigned i = 0; i < FOLDERS; i++) {
            each_of(spool.dir_fd, folders[i], person, list);
        }
        spool_close(&spool);
    }
}

json_t *office_mails_of(struct office_call *call, const char *person)
{
    json_t *list = json_array();
    each_folder(call, person, list);
    return list;
}

void office_mails_forget(struct office_call *call, const char *person)
{
    each_folder(call, person, NULL);
}

/* ---- pages
 * ------------------------------------------------------------------------------------------ */

static void mails_get(struct office_call *call)
{
    const struct config *config = office_config(call);
    struct spool spool;
    unsigned waiting;
    unsigned sent;
    unsigned failed;
    if (open_spool(call, &spool)) {
        return;
    }
    spool_counts(&spool, &waiting, &sent, &failed);
    office_audit(call, "mails.read", "", "");
    office_json(call, 200,
                json_pack("{s:i, s:i, s:i, s:o, s:o, s:b, s:b}", "waiting", (int)waiting, "sent",
                          (int)sent, "failed", (int)failed, "queue", list(spool.dir_fd, "queue"),
                          "refused", list(spool.dir_fd, "failed"), "smtp",
                          (int)(config->mail_smtp[0] != '\0'), "from",
                          (int)(config->mail_from[0] != '\0')));
    spool_close(&spool);
}

/* A name as the spool makes them: nothing that could lead out of its folder. */
static bool name_ok(const char *name)
{
    size_t len = strlen(name);
    if (len < 5 || len >= SPOOL_NAME_MAX - 32 || strcmp(name + len - 4, ".eml") != 0) {
        return false;
    }
    for (size_t i = 0; i + 4 < len; i++) {
        char c = name[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              c == '-' || c == '_' || c == '.') ||
            (c == '.' && (i == 0 || name[i - 1] == '.'))) {
            return false;
        }
    }
    return true;
}

/* A refused mail goes back into the queue, due now, with all its tries. */
static void again_post(struct office_call *call)
{
    const char *name = office_text(call, "name");
    char from[SPOOL_NAME_MAX + 16];
    char to[SPOOL_NAME_MAX + 48];
    struct spool spool;
    if (!name_ok(name)) {
        office_refuse(call, 404, "not_found");
        return;
    }
    if (open_spool(call, &spool)) {
        return;
    }
    snprintf(from, sizeof(from), "failed/%s", name);
    snprintf(to, sizeof(to), "queue/%013lld-00-%s", (long long)call->now, name);
    bool moved = renameat(spool.dir_fd, from, spool.dir_fd, to) == 0;
    spool_close(&spool);
    if (!moved) {
        office_refuse(call, 404, "not_found");
        return;
    }
    office_audit(call, "mail.again", name, "");
    office_json(call, 200, json_object());
}

static const struct office_route routes[] = {
    {IPC_GET, "/api/mails", OFFICE_ADMIN, OFFICE_DESK, mails_get},
    {IPC_POST, "/api/mails/again", OFFICE_ADMIN, OFFICE_DESK, again_post},
};

const struct office_table office_mails_table = {routes, sizeof(routes) / sizeof(routes[0])};
