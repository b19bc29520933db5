#include "server/app/evidence_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/sys/file.h"
#include "server/app/core_state.h"
#include "server/app/office_state.h"

enum { ARGS_MAX = 16, ARG_LEN = PATHS_MAX + 64, FILE_MAX = 1 << 20 };

struct words {
    char text[ARGS_MAX][ARG_LEN];
    char *argv[ARGS_MAX + 1];
    unsigned count;
};

static void add(struct words *w, const char *flag, const char *value)
{
    if (w->count < ARGS_MAX) {
        (void)snprintf(w->text[w->count], ARG_LEN, "%s%s", flag, value);
        w->argv[w->count] = w->text[w->count];
        w->count++;
    }
}

static void put_words(struct words *w, const struct office_call *call,
                      const struct evidence_wish *wish, const char *path)
{
    const struct command_line *line = call->office->core->line;
    char number[24];
    memset(w, 0, sizeof(*w));
    add(w, "amphi", "");
    add(w, "attendance", "");
    add(w, wish->class_id, "");
    add(w, "--data.dir=", office_config(call)->data_dir);
    if (line->config_path) {
        add(w, "--config=", line->config_path);
    }
    if (wish->session > 0) {
        snprintf(number, sizeof(number), "%lld", wish->session);
        add(w, "--session=", number);
    }
    add(w, "--lang=", wish->lang);
    add(w, "--zone=", wish->zone);
    if (wish->kind == EVIDENCE_CSV) {
        add(w, "--csv", "");
    } else {
        add(w, wish->kind == EVIDENCE_CERTIFICATES ? "--certificates=" : "--pdf=", path);
    }
    if (wish->kind == EVIDENCE_CERTIFICATE) {
        add(w, "--person=", wish->person);
    }
}

/* Standard output goes into the file. 0, E_NOTFOUND when the command refused, E_IO. */
static int run(struct words *w, const char *path)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    pid_t pid = 0;
    int status = 0;
    sigemptyset(&none);
    if (posix_spawn_file_actions_init(&actions)) {
        return E_IO;
    }
    (void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, path, O_WRONLY, 0);
    int err = posix_spawnattr_init(&attributes);
    if (!err) {
        (void)posix_spawnattr_setsigmask(&attributes, &none);
        (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        err = posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, w->argv, environ);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    if (err) {
        return E_IO;
    }
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return E_IO;
        }
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : E_NOTFOUND;
}

int evidence_file(const struct office_call *call, const struct evidence_wish *wish, char **bytes,
                  size_t *len)
{
    char path[PATHS_MAX];
    struct words *w = malloc(sizeof(*w));
    *bytes = NULL;
    *len = 0;
    paths_in(office_paths(call), "run/evidence.XXXXXX", path);
    if (!w) {
        return E_NOMEM;
    }
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        free(w);
        return E_IO;
    }
    (void)close(fd);
    put_words(w, call, wish, path);
    int err = run(w, path);
    err = err ? err : file_read(path, FILE_MAX, bytes, len);
    (void)unlink(path);
    free(w);
    return err;
}

int evidence_certificates(const struct office_call *call, const struct evidence_wish *wish,
                          char folder[PATHS_MAX])
{
    struct words *w = malloc(sizeof(*w));
    paths_in(office_paths(call), "run/certificates.XXXXXX", folder);
    if (!w || !mkdtemp(folder)) {
        folder[0] = '\0';
        free(w);
        return w ? E_IO : E_NOMEM;
    }
    put_words(w, call, wish, folder);
    int err = run(w, "/dev/null");
    free(w);
    return err;
}

void evidence_certificates_end(const char *folder)
{
    DIR *dir = folder[0] ? opendir(folder) : NULL;
    const struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        if (entry->d_name[0] != '.') {
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
        }
    }
    if (dir) {
        (void)closedir(dir);
        (void)rmdir(folder);
    }
}
