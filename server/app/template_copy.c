#include "server/app/template_copy.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/file.h"
#include "server/app/paths.h"

enum { TEMPLATE_MAX = 65536 };

static bool is_template(const char *name)
{
    size_t len = strlen(name);
    return len > 4 && len < 64 && name[0] != '.' && !strcmp(name + len - 4, ".txt");
}

static int copy_one(const char *from, const char *to, const char *name)
{
    char path[PATHS_MAX];
    char *text = NULL;
    size_t len = 0;
    snprintf(path, sizeof(path), "%.3500s/%.64s", from, name);
    int err = file_read(path, TEMPLATE_MAX, &text, &len);
    err = err ? err : file_mkdirs(to, 0700);
    snprintf(path, sizeof(path), "%.3500s/%.64s", to, name);
    err = err ? err : file_write_atomic(path, text, len, 0600);
    mem_free(text);
    return err;
}

int template_copy(const char *from, const char *to, char *why, size_t cap)
{
    const struct dirent *entry;
    DIR *dir = opendir(from);
    int err = dir || errno == ENOENT ? 0 : file_err(errno);
    if (err) {
        snprintf(why, cap, "templates: %s", err_text(err));
    }
    while (dir && !err && (entry = readdir(dir))) {
        err = is_template(entry->d_name) ? copy_one(from, to, entry->d_name) : 0;
        if (err) {
            snprintf(why, cap, "templates/%.64s: %s", entry->d_name, err_text(err));
        }
    }
    if (dir) {
        (void)closedir(dir);
    }
    return err;
}
