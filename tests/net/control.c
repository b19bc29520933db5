#include "tests/net/control.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

static void print_dir(const struct relay *r, unsigned i, const char *name)
{
    const struct link_count *n = &r->dir[i].count;

    printf("\"%s\":{\"in\":%" PRIu64 ",\"in_bytes\":%" PRIu64 ",\"out\":%" PRIu64
           ",\"out_bytes\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"queue_drop\":%" PRIu64
           ",\"reordered\":%" PRIu64 ",\"duplicated\":%" PRIu64 ",\"retransmitted\":%" PRIu64
           ",\"burst_max\":%" PRIu64 ",\"backlog_us\":%" PRIu64 "}",
           name, n->in_packets, n->in_bytes, r->out_packets[i], r->out_bytes[i], n->lost_packets,
           n->queue_drop_packets, n->reordered_packets, n->duplicated_packets,
           n->retransmitted_segments, n->burst_packets_max,
           link_backlog_us(&r->dir[i], relay_now_us()));
}

static void print_stat(const struct relay *r)
{
    printf("{\"t_ms\":%" PRIu64 ",\"seed\":%" PRIu64 ",", (relay_now_us() - r->start_us) / 1000u,
           r->script.seed);
    print_dir(r, RELAY_AB, "ab");
    putchar(',');
    print_dir(r, RELAY_BA, "ba");
    printf(",\"in_flight\":%zu,\"overflow\":%" PRIu64 ",\"refused\":%" PRIu64
           ",\"rebinds\":%" PRIu64 ",\"late_us_max\":%" PRIu64 ",\"rebound\":[",
           r->flight.len, r->flight.overflow_packets, r->refused, r->rebinds, r->late_us_max);
    for (unsigned i = 0; i < r->rebound_count; i++)
        printf("%s{\"check_ms\":%u,\"media_ms\":%u}", i ? "," : "", r->rebound[i].check_ms,
               r->rebound[i].media_ms);
    puts("]}");
}

int control_line(struct relay *r, const char *line, size_t len)
{
    int verbs = script_apply(&r->script, line, len);

    if (verbs < 0)
        return verbs;
    for (unsigned i = 0; i < 2; i++) {
        link_set_conf(&r->dir[i], &r->script.dir[i].conf);
        if (r->script.seed_set)
            link_seed(&r->dir[i], r->script.seed * 2u + i);
    }
    r->script.seed_set = 0;
    if (verbs & SCRIPT_REBIND) {
        r->rebinds++;
        r->rebound_count = 0;
        for (unsigned i = 0; i < r->rebind_count; i++)
            r->rebind[i].h(r, r->rebind[i].arg);
    }
    if (verbs & SCRIPT_STAT)
        print_stat(r);
    if (verbs & SCRIPT_QUIT)
        r->quit = 1;
    return verbs;
}

static void take_line(struct control_input *in, struct relay *r)
{
    int verbs = in->skip ? -1 : control_line(r, in->line, in->len);

    if (verbs < 0 && in->skip)
        puts("error: line too long");
    else if (verbs < 0)
        printf("error: %.*s\n", (int)r->script.bad_len, r->script.bad);
    else if (in->answer_ok && !(verbs & SCRIPT_STAT))
        puts("ok");
    fflush(stdout);
    in->len = 0;
    in->skip = 0;
}

static void on_input(struct relay *r, struct relay_watch *w, uint32_t events)
{
    struct control_input *in = (struct control_input *)(void *)w;
    char data[SCRIPT_LINE_MAX];
    ssize_t n = read(w->fd, data, sizeof(data));

    (void)events;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        relay_watch(r, w, 0);
        return;
    }
    for (ssize_t i = 0; i < n; i++) {
        if (data[i] == '\n')
            take_line(in, r);
        else if (in->len == sizeof(in->line))
            in->skip = 1;
        else
            in->line[in->len++] = data[i];
    }
}

static void open_input(struct control *c, struct relay *r, unsigned which, int fd)
{
    struct control_input *in = &c->input[which];
    struct stat st;

    in->answer_ok = which == 0;
    in->watch.fd = fd;
    in->watch.ready_h = on_input;
    /* epoll refuses plain files and /dev/null; such a stdin has nothing to say anyway. */
    if (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || isatty(fd)))
        relay_watch(r, &in->watch, EPOLLIN);
}

void control_open_stdin(struct control *c, struct relay *r)
{
    open_input(c, r, 0, STDIN_FILENO);
}

void control_open_fifo(struct control *c, struct relay *r, const char *path)
{
    if (mkfifo(path, 0600) < 0 && errno != EEXIST)
        relay_die(path);
    /* Read and write, so that the last writer's close is not an end of file. */
    int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        relay_die(path);
    open_input(c, r, 1, fd);
}

static void add_step(struct control *c, uint64_t at_us, const char *line, size_t len)
{
    struct control_step *grown = realloc(c->step, (c->step_count + 1) * sizeof(*grown));
    char *copy = strndup(line, len);

    if (!grown || !copy)
        relay_die("memory");
    c->step = grown;
    c->step[c->step_count++] = (struct control_step){at_us, copy};
}

void control_load_schedule(struct control *c, const struct relay *r, const char *path)
{
    FILE *file = fopen(path, "re");
    char line[SCRIPT_LINE_MAX];
    unsigned number = 0;

    if (!file)
        relay_die(path);
    while (fgets(line, sizeof(line), file)) {
        struct script probe = r->script;
        uint64_t at_us = 0;
        size_t rest = 0;
        size_t len = strlen(line);
        int got = script_schedule_line(line, len, &at_us, &rest);

        number++;
        if (got == 0)
            continue;
        at_us += r->start_us;
        if (got < 0 || script_apply(&probe, line + rest, len - rest) < 0 ||
            (c->step_count && c->step[c->step_count - 1].at_us > at_us)) {
            fprintf(stderr, "relay: %s:%u: bad line or time going back\n", path, number);
            exit(2);
        }
        add_step(c, at_us, line + rest, len - rest);
    }
    fclose(file);
}

uint64_t control_deadline(const struct control *c)
{
    return c->step_next < c->step_count ? c->step[c->step_next].at_us : UINT64_MAX;
}

void control_run_schedule(struct control *c, struct relay *r)
{
    while (control_deadline(c) <= relay_now_us()) {
        const char *line = c->step[c->step_next++].line;

        control_line(r, line, strlen(line));
    }
}

void control_fini(struct control *c)
{
    for (size_t i = 0; i < c->step_count; i++)
        free(c->step[i].line);
    free(c->step);
}
