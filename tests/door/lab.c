#include "tests/door/lab.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "codec/sys/log.h"
#include "signaling/door/door.h"

const char *lab_arg(int argc, char **argv, const char *key)
{
    size_t len = strlen(key);
    for (int i = 2; i < argc; i++) {
        if (!strncmp(argv[i], key, len) && argv[i][len] == '=') {
            return argv[i] + len + 1;
        }
    }
    return NULL;
}

long lab_number(int argc, char **argv, const char *key, long fallback)
{
    const char *text = lab_arg(argc, argv, key);
    return text ? strtol(text, NULL, 10) : fallback;
}

static uint32_t u32_arg(int argc, char **argv, const char *key)
{
    return (uint32_t)lab_number(argc, argv, key, 0);
}

static void fill_limits(struct door_config *c, int argc, char **argv)
{
    c->conn_max = u32_arg(argc, argv, "conn_max");
    c->conn_per_addr_max = u32_arg(argc, argv, "conn_per_addr_max");
    c->body_max = u32_arg(argc, argv, "body_max");
    c->frames_per_s_max = u32_arg(argc, argv, "frames_per_s_max");
    c->queue_msgs_max = u32_arg(argc, argv, "queue_msgs_max");
    c->header_timeout_ms = u32_arg(argc, argv, "header_timeout_ms");
    c->body_timeout_ms = u32_arg(argc, argv, "body_timeout_ms");
    c->answer_timeout_ms = u32_arg(argc, argv, "answer_timeout_ms");
    c->file_timeout_ms = u32_arg(argc, argv, "file_timeout_ms");
    c->ping_after_ms = u32_arg(argc, argv, "ping_after_ms");
    c->hangup_after_ms = u32_arg(argc, argv, "hangup_after_ms");
    c->stop_timeout_ms = u32_arg(argc, argv, "stop_timeout_ms");
    c->hsts_max_age_s = u32_arg(argc, argv, "hsts");
}

static void add_listener(struct door_config *c, long port, bool tls, long fd)
{
    if (port) {
        c->listen[c->listen_count++] = (struct door_listen){
            .address = "127.0.0.1", .port = (uint16_t)port, .tls = tls, .fd = (int)fd};
    }
}

static int lab_door(int argc, char **argv)
{
    struct door_config c = {.watchdog_fd = -1};
    add_listener(&c, lab_number(argc, argv, "tls", 0), true, -1);
    add_listener(&c, lab_number(argc, argv, "plain", 0), false,
                 lab_number(argc, argv, "plain_fd", -1));
    c.cert_path = lab_arg(argc, argv, "cert");
    c.key_path = lab_arg(argc, argv, "key");
    c.web_root = lab_arg(argc, argv, "web");
    c.core_path = lab_arg(argc, argv, "core");
    c.user = lab_arg(argc, argv, "user");
    if (lab_arg(argc, argv, "origin")) {
        c.origins[c.origins_count++] = lab_arg(argc, argv, "origin");
    }
    if (lab_arg(argc, argv, "proxy")) {
        c.proxies[c.proxies_count++] = lab_arg(argc, argv, "proxy");
    }
    fill_limits(&c, argc, argv);
    struct rlimit fds = {(rlim_t)lab_number(argc, argv, "fds", 0), 0};
    fds.rlim_max = fds.rlim_cur;
    if (fds.rlim_cur) {
        (void)setrlimit(RLIMIT_NOFILE, &fds);
    }
    const char *watchdog = lab_arg(argc, argv, "watchdog");
    if (watchdog) {
        c.watchdog_fd = open(watchdog, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
    return door_main(&c);
}

int main(int argc, char **argv)
{
    log_setup(lab_arg(argc, argv, "debug") ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, LOG_FORMAT_TEXT,
              true, 2);
    if (argc >= 2 && !strcmp(argv[1], "door")) {
        return lab_door(argc, argv);
    }
    if (argc >= 2 && !strcmp(argv[1], "core")) {
        return lab_core(argc, argv);
    }
    (void)fprintf(stderr, "usage: lab door|core key=value ...\n");
    return 2;
}
