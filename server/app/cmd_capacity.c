/* amphi capacity: how full the server is, and was. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "codec/base/err.h"
#include "codec/sys/clock.h"
#include "server/app/client.h"
#include "server/app/command.h"
#include "server/app/paths.h"
#include "signaling/store/capacity.h"

static double real(const json_t *o, const char *key)
{
    return json_number_value(json_object_get(o, key));
}

static void print_classes(const json_t *state)
{
    size_t i;
    const json_t *c;
    json_array_foreach(json_object_get(state, "classes"), i, c)
    {
        const char *id = json_string_value(json_object_get(c, "id"));
        const char *title = json_string_value(json_object_get(c, "title"));
        printf("  %-28s %4d people  %s\n", id ? id : "", (int)real(c, "present"),
               title ? title : "");
        printf("  %28s %4d pictures shown; %d smaller and %d missing for the connection, %d for "
               "this server; %d connections lost\n",
               "", (int)real(c, "pictures"), (int)real(c, "reduced"), (int)real(c, "paused"),
               (int)real(c, "shed"), (int)real(c, "away"));
    }
}

static void print_state(const json_t *o)
{
    size_t i;
    const json_t *core;
    double room = real(o, "headroom_people");
    printf("used %.0f %% of the capacity%s\n", real(o, "used") * 100,
           json_integer_value(json_object_get(o, "alert")) ? "  (alert)" : "");
    printf("  processor %.0f %% (%.2f of %.2f cores), media connections %.0f %%, page connections "
           "%.0f %%\n",
           real(o, "cpu") * 100, real(o, "core_cores") + real(o, "door_cores"),
           real(o, "cpu_limit"), real(o, "media_share") * 100, real(o, "page_share") * 100);
    json_array_foreach(json_object_get(o, "cores"), i, core)
    {
        printf("  %-10s %3.0f %%\n", json_string_value(json_object_get(core, "name")),
               real(core, "share") * 100);
    }
    printf("  %d people, %.1f Mbit/s out, %.0f MB\n",
           (int)json_integer_value(json_object_get(o, "people")), real(o, "mbit_out"),
           real(o, "memory") / 1e6);
    if (room >= 0) {
        printf("  room for about %.0f more people like these\n", room);
    }
    print_classes(o);
}

static void print_row(void *arg, const struct capacity_row *row)
{
    char text[32] = "";
    struct tm tm;
    time_t at = (time_t)(row->minute * 60);
    bool *json = arg;
    if (localtime_r(&at, &tm)) {
        (void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm);
    }
    printf(*json ? "{\"time\":\"%s\",\"classes\":%u,\"people\":%u,\"cpu\":%.3f,\"used\":%.3f,"
                   "\"mbit\":%.1f}\n"
                 : "%-17s %7u %6u %7.2f %7.2f %8.1f\n",
           text, row->classes, row->people, row->cpu, row->used, row->mbit);
}

/* From the file, so that it works without a server too. */
static int history(struct command_line *line, const char *hours)
{
    struct paths paths;
    struct capacity *capacity = NULL;
    char path[PATHS_MAX];
    long n = strtol(hours, NULL, 10);
    int err = n > 0 ? paths_init(&paths, &line->config) : E_RANGE;
    err = err ? err : capacity_open(&capacity, paths_in(&paths, "capacity.db", path));
    if (err) {
        command_error(line, "capacity: the history cannot be read: %s", err_text(err));
        return EXIT_FAILED;
    }
    if (!line->json) {
        puts("time              classes people     cpu    used   Mbit/s");
    }
    err = capacity_each(capacity, clock_wall_ms() / 60000 - n * 60, n <= 24 ? 1 : 60, print_row,
                        &line->json);
    capacity_close(capacity);
    return err ? EXIT_FAILED : EXIT_OK;
}

static int capacity(struct command_line *line)
{
    const char *hours = command_value(line, "--hours");
    int code;
    if (!command_rest(line, 0, 0)) {
        return EXIT_USAGE;
    }
    if (hours) {
        return history(line, hours);
    }
    json_t *answer = client_ask(line, json_pack("{s:s}", "cmd", "capacity"), false, &code);
    if (answer && line->json) {
        json_dumpf(answer, stdout, JSON_COMPACT);
        putchar('\n');
    } else if (answer) {
        print_state(answer);
    }
    json_decref(answer);
    return code;
}

const struct command command_capacity = {
    .name = "capacity",
    .args = "[--hours N]",
    .usage = "Tell how full the server is, or was over the last hours.",
    .flags = COMMAND_CONFIG,
    .exec = capacity,
};
