#include "server/app/command.h"

#include <stdarg.h>
#include <string.h>

#include "server/app/json_out.h"

static void remove_words(struct command_line *line, int at, int count)
{
    for (int i = at; i + count <= line->argc; i++) {
        line->argv[i] = line->argv[i + count]; /* the NULL at the end moves too */
    }
    line->argc -= count;
}

bool command_flag(struct command_line *line, const char *name)
{
    for (int i = 1; i < line->argc; i++) {
        if (!strcmp(line->argv[i], name)) {
            remove_words(line, i, 1);
            return true;
        }
    }
    return false;
}

const char *command_value(struct command_line *line, const char *name)
{
    size_t len = strlen(name);
    for (int i = 1; i < line->argc; i++) {
        const char *word = line->argv[i];
        if (strncmp(word, name, len) != 0) {
            continue;
        }
        if (word[len] == '=') {
            remove_words(line, i, 1);
            return word + len + 1;
        }
        if (!word[len] && i + 1 < line->argc) {
            const char *value = line->argv[i + 1];
            remove_words(line, i, 2);
            return value;
        }
    }
    return NULL;
}

bool command_rest(struct command_line *line, int min, int max)
{
    const struct command *c = line->command;
    for (int i = 1; i < line->argc; i++) {
        if (line->argv[i][0] == '-' && line->argv[i][1]) {
            command_error(line, "%s: unknown flag %s; usage: amphi %s %s", c->name, line->argv[i],
                          c->name, c->args);
            return false;
        }
    }
    if (line->argc - 1 < min || line->argc - 1 > max) {
        command_error(line, "usage: amphi %s %s", c->name, c->args);
        return false;
    }
    return true;
}

void command_error(const struct command_line *line, const char *format, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    if (line->json) {
        fputs("{\"ok\":false,\"why\":", stdout);
        json_out_text(stdout, text);
        fputs("}\n", stdout);
    }
    fprintf(stderr, "amphi: %s\n", text);
}
