#include "server/app/client.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/sys/clock.h"
#include "codec/sys/unixsock.h"
#include "server/app/offline.h"
#include "server/app/paths.h"

enum { WAIT_US = 10 * US_PER_S, ANSWER_MAX = 16 << 20 };

static bool wait_for(int fd, short events, mono_us end)
{
    mono_us left = end - clock_mono_us();
    struct pollfd p = {.fd = fd, .events = events};
    return left > 0 && poll(&p, 1, (int)(left / US_PER_MS) + 1) > 0;
}

static int send_line(int fd, const char *text, size_t len, mono_us end)
{
    while (len) {
        ssize_t put = unixsock_send(fd, text, len, NULL, 0);
        if (put == E_AGAIN && wait_for(fd, POLLOUT, end)) {
            continue;
        }
        if (put <= 0) {
            return put == E_AGAIN ? E_EXPIRED : E_IO;
        }
        text += put;
        len -= (size_t)put;
    }
    return 0;
}

/* Reads to the end of the stream. */
static int read_answer(int fd, char **out, mono_us end)
{
    size_t cap = 65536;
    size_t have = 0;
    char *buf = malloc(cap);
    int err = buf ? 0 : E_NOMEM;
    while (!err) {
        ssize_t got = unixsock_recv(fd, buf + have, cap - have - 1, NULL, NULL);
        if (got == 0) {
            break;
        }
        if (got == E_AGAIN) {
            err = wait_for(fd, POLLIN, end) ? 0 : E_EXPIRED;
            continue;
        }
        if (got < 0) {
            err = E_IO;
            continue;
        }
        have += (size_t)got;
        if (have + 1 == cap) {
            char *grown = cap < ANSWER_MAX ? realloc(buf, 2 * cap) : NULL;
            err = grown ? 0 : E_TOOBIG;
            buf = grown ? grown : buf;
            cap *= 2;
        }
    }
    if (err || !have) {
        free(buf);
        return err ? err : E_IO;
    }
    buf[have] = '\0';
    *out = buf;
    return 0;
}

static int over_socket(const struct config *config, const char *line, char **answer)
{
    struct paths paths;
    char path[64];
    int fd = -1;
    int err = paths_init(&paths, config);
    err = err ? err : paths_open(&paths);
    err = err ? err : unixsock_connect(paths_socket(&paths, "control.sock", path), &fd);
    if (!err) {
        mono_us end = clock_mono_us() + WAIT_US;
        err = send_line(fd, line, strlen(line), end);
        err = err ? err : read_answer(fd, answer, end);
        close(fd);
    }
    paths_close(&paths);
    return err;
}

static int no_server(const struct config *config, int err, char *why, size_t cap)
{
    if (err == E_NOTFOUND) {
        snprintf(why, cap, "no server is running on %.300s: start it with `amphi serve`",
                 config->data_dir);
    } else if (err == E_DENIED) {
        snprintf(why, cap, "%.300s: belongs to another user: run this as that user",
                 config->data_dir);
    } else {
        snprintf(why, cap, "the server did not answer: %s", err_text(err));
    }
    return err;
}

int client_request(struct command_line *line, json_t *request, bool offline, json_t **answer,
                   char *why, size_t why_cap)
{
    char *out = NULL;
    char *in = NULL;
    json_error_t error;
    char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
    size_t len = text ? strlen(text) : 0;
    json_decref(request);
    *answer = NULL;
    out = text ? realloc(text, len + 2) : NULL;
    if (!out) {
        snprintf(why, why_cap, "%s", err_text(E_NOMEM));
        return E_NOMEM;
    }
    memcpy(out + len, "\n", 2);
    int err = over_socket(&line->config, out, &in);
    if (err == E_NOTFOUND && offline) {
        err = offline_request(&line->config, out, &in, why, why_cap);
    } else if (err) {
        (void)no_server(&line->config, err, why, why_cap);
    }
    if (!err) {
        *answer = json_loads(in, JSON_REJECT_DUPLICATES, &error);
        err = json_is_object(*answer) ? 0 : E_BAD;
        if (err) {
            snprintf(why, why_cap, "the server's answer cannot be read");
        }
    }
    free(in);
    free(out);
    return err;
}

json_t *client_ask(struct command_line *line, json_t *request, bool offline, int *code)
{
    char why[512] = "";
    json_t *answer = NULL;
    int err = client_request(line, request, offline, &answer, why, sizeof(why));
    *code = err ? EXIT_FAILED : EXIT_OK;
    if (err) {
        command_error(line, "%s", why);
        return NULL;
    }
    if (!json_is_true(json_object_get(answer, "ok"))) {
        const char *text = json_string_value(json_object_get(answer, "why"));
        command_error(line, "%s", text ? text : "refused");
        json_decref(answer);
        *code = EXIT_FAILED;
        return NULL;
    }
    return answer;
}
