#include "server/app/offline.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/sys/clock.h"
#include "codec/sys/random.h"
#include "codec/sys/token.h"
#include "server/app/admin_json.h"
#include "server/app/keys.h"
#include "signaling/store/store.h"

enum { WAIT_MS = 10000 };

struct offline {
    struct paths paths;
    struct paths_lock lock;
    struct store *store;
    struct classroom *room;
    char *answer;
};

static struct class_time time_now(void)
{
    return (struct class_time){.mono = clock_mono_us(), .wall = clock_wall_ms()};
}

static void send_h(void *arg, const conn_num *to, size_t count, const char *text, size_t len)
{
    (void)arg;
    (void)to;
    (void)count;
    (void)text;
    (void)len;
}

static void close_h(void *arg, conn_num conn, uint16_t code, const char *reason)
{
    (void)arg;
    (void)conn;
    (void)code;
    (void)reason;
}

static int commit_h(void *arg, uint64_t ticket, const struct class_record *records, size_t count)
{
    struct offline *o = arg;
    return store_commit(o->store, ticket, records, count);
}

static void media_h(void *arg, const struct media_cmd *cmd)
{
    (void)arg;
    (void)cmd;
}

static void admin_h(void *arg, uint64_t request, int err, const char *json, size_t len)
{
    struct offline *o = arg;
    (void)request;
    free(o->answer);
    o->answer = admin_json_answer(err, json, len);
}

static void committed(void *arg, uint64_t ticket, int err)
{
    struct offline *o = arg;
    classroom_committed(o->room, ticket, err, time_now());
}

static int load_h(void *arg, const struct class_image *image)
{
    struct offline *o = arg;
    return classroom_load(o->room, image);
}

static int open_room(struct offline *o, const struct config *config, char *why, size_t cap)
{
    struct classroom_hooks hooks = {.arg = o,
                                    .send_h = send_h,
                                    .close_h = close_h,
                                    .commit_h = commit_h,
                                    .media_h = media_h,
                                    .admin_h = admin_h};
    struct classroom_config c = {.epoch = store_epoch(o->store),
                                 .token = {.sign_h = token_sign,
                                           .verify_h = token_verify,
                                           .seal_h = token_seal,
                                           .open_h = token_open},
                                 .rng = random_rng(),
                                 .classes_max = (uint32_t)config->limits_classes};
    int err = keys_secret(&o->paths, config, c.key, why, cap);
    err = err ? err : classroom_new(&o->room, &c, &hooks);
    token_wipe(c.key, sizeof(c.key));
    err = err ? err : store_load(o->store, load_h, o);
    err = err ? err : store_start(o->store);
    if (!err) {
        classroom_start(o->room, time_now());
    }
    return err;
}

static int open_all(struct offline *o, const struct config *config, char *why, size_t cap)
{
    char path[PATHS_MAX];
    int err = token_init();
    err = err ? err : paths_init(&o->paths, config);
    err = err ? err : paths_make(&o->paths, why, cap);
    err = err ? err : paths_lock(&o->paths, paths_patience(config), &o->lock, why, cap);
    if (err) {
        return err;
    }
    struct store_config store = {.path = paths_in(&o->paths, "amphi.db", path)};
    err = store_open(&o->store, &store);
    if (err) {
        snprintf(why, cap, "%s", store_why());
        return err;
    }
    return open_room(o, config, why, cap);
}

static int ask(struct offline *o, const char *request, char *why, size_t cap)
{
    struct admin_json in;
    int err = admin_json_parse(&in, request, strlen(request), why, cap);
    if (!err && in.kind != ADMIN_JSON_CLASSROOM) {
        snprintf(why, cap, "no server is running on this data folder");
        err = E_STATE;
    }
    if (!err) {
        classroom_admin(o->room, 1, &in.request, time_now());
    }
    admin_json_fini(&in);
    mono_us end = clock_mono_us() + WAIT_MS * US_PER_MS;
    while (!err && !o->answer) {
        struct pollfd fd = {.fd = store_fd(o->store), .events = POLLIN};
        if (clock_mono_us() > end) {
            snprintf(why, cap, "the database does not answer");
            err = E_EXPIRED;
        } else if (poll(&fd, 1, 100) > 0) {
            (void)store_poll(o->store, committed, o);
        }
    }
    return err;
}

int offline_request(const struct config *config, const char *request, char **answer, char *why,
                    size_t why_cap)
{
    struct offline o = {.lock = {.fd = -1, .children = -1}, .paths.run_fd = -1};
    why[0] = '\0';
    int err = open_all(&o, config, why, why_cap);
    err = err ? err : ask(&o, request, why, why_cap);
    if (err && !why[0]) {
        snprintf(why, why_cap, "%s", err_text(err));
    }
    store_close(o.store);
    classroom_free(o.room);
    paths_unlock(&o.lock);
    paths_close(&o.paths);
    *answer = o.answer;
    return err;
}
