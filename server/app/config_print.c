/* What people see of the settings: YAML with comments, JSON, --help, the man page's items. */
#include "server/app/config.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "server/app/json_out.h"

enum { TEXT_CAP = CONFIG_LIST_MAX * 256 };

static void print_bounds(const struct config_row *row, FILE *out)
{
    switch (row->type) {
    case CONFIG_INT:
        fprintf(out, "%" PRId64 " to %" PRId64 "%s%s", row->min, row->max, *row->unit ? " " : "",
                row->unit);
        break;
    case CONFIG_BOOL:
        fputs("true or false", out);
        break;
    case CONFIG_ENUM:
        fputs(row->unit, out);
        break;
    case CONFIG_LIST:
        fputs("list", out);
        break;
    case CONFIG_TEXT:
    case CONFIG_SECRET:
        fputs("text", out);
        break;
    }
}

/* Double-quoted YAML scalar: works for every text. */
static void print_scalar(const char *text, FILE *out)
{
    json_out_text(out, text);
}

static void print_value(const struct config *config, const struct config_row *row, FILE *out)
{
    char text[TEXT_CAP];
    config_text(config, row, text, sizeof(text));
    if (row->type == CONFIG_LIST) {
        fputc('[', out);
        for (char *p = text; *p;) {
            size_t n = strcspn(p, ",");
            bool more = p[n] == ',';
            p[n] = '\0';
            print_scalar(p, out);
            fputs(more ? ", " : "", out);
            p += n + (more ? 1 : 0);
        }
        fputc(']', out);
    } else if (row->type == CONFIG_TEXT || row->type == CONFIG_SECRET) {
        print_scalar(text, out);
    } else {
        fputs(text, out);
    }
}

void config_print_yaml(const struct config *config, FILE *out)
{
    size_t count;
    const struct config_row *rows = config_rows(&count);
    const char *section = "";
    for (size_t i = 0; i < count; i++) {
        if (strcmp(section, rows[i].section) != 0) {
            section = rows[i].section;
            fprintf(out, "%s%s:\n", i ? "\n" : "", section);
        }
        fprintf(out, "  # %s (", rows[i].help);
        print_bounds(&rows[i], out);
        fprintf(out, "%s)\n", rows[i].live ? "; reload" : "");
        /* A secret is never written out, so its line must not be read back as one. */
        fprintf(out, "  %s%s: ", rows[i].type == CONFIG_SECRET ? "# " : "", rows[i].key);
        print_value(config, &rows[i], out);
        fputc('\n', out);
    }
}

void config_print_json(const struct config *config, FILE *out)
{
    size_t count;
    const struct config_row *rows = config_rows(&count);
    const char *section = "";
    fputc('{', out);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(section, rows[i].section) != 0) {
            fprintf(out, "%s\"%s\":{", i ? "}," : "", rows[i].section);
            section = rows[i].section;
        } else {
            fputc(',', out);
        }
        fprintf(out, "\"%s\":", rows[i].key);
        if (rows[i].type == CONFIG_ENUM) {
            char text[TEXT_CAP];
            json_out_text(out, config_text(config, &rows[i], text, sizeof(text)));
        } else {
            print_value(config, &rows[i], out);
        }
    }
    fputs("}}\n", out);
}

void config_print_help(FILE *out)
{
    size_t count;
    const struct config_row *rows = config_rows(&count);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "  --%s.%s  ", rows[i].section, rows[i].key);
        print_bounds(&rows[i], out);
        fprintf(out, "; default %s\n      %s\n", *rows[i].def ? rows[i].def : "empty",
                rows[i].help);
    }
}

/* Roff reads a leading dot or quote as a command and a backslash as an escape. */
static void print_roff(const char *text, FILE *out)
{
    if (*text == '.' || *text == '\'') {
        fputs("\\&", out);
    }
    for (; *text; text++) {
        fputs(*text == '\\' ? "\\e" : "", out);
        if (*text != '\\') {
            fputc(*text, out);
        }
    }
}

void config_print_man(FILE *out)
{
    size_t count;
    const struct config_row *rows = config_rows(&count);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, ".It Fl -%s.%s , Ev AMPHI_", rows[i].section, rows[i].key);
        for (const char *p = rows[i].section; *p; p++) {
            fputc(toupper((unsigned char)*p), out);
        }
        fputs("__", out);
        for (const char *p = rows[i].key; *p; p++) {
            fputc(toupper((unsigned char)*p), out);
        }
        fputc('\n', out);
        print_roff(rows[i].help, out);
        fputs("\nValues: ", out);
        print_bounds(&rows[i], out);
        fputs(".\nDefault: ", out);
        print_roff(*rows[i].def ? rows[i].def : "empty", out);
        fprintf(out, ".\n%s\n", rows[i].live ? "Taken over at SIGHUP." : "Needs a restart.");
    }
}
