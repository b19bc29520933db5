#include "codec/base/err.h"
#include "codec/sys/clock.h"
#include "codec/sys/log.h"
#include "codec/sys/random.h"
#include "signaling/door/state.h"

int conn_table_init(struct door *door)
{
    uint32_t max = door->config.conn_max + DOOR_SURPLUS_MAX;
    uint64_t seed;
    random_fill(&seed, sizeof(seed));
    random_fill(&door->addr_secret, sizeof(door->addr_secret));
    while (!door->instance) { /* 0 names no door */
        random_fill(&door->instance, sizeof(door->instance));
    }
    int err = pool_init(&door->conns, sizeof(struct door_conn), max);
    err = err ? err : map_init(&door->by_wsi, max, seed);
    err = err ? err : map_init(&door->by_num, max, seed);
    return err ? err : map_init(&door->by_addr, max, seed);
}

void conn_table_fini(struct door *door)
{
    map_fini(&door->by_wsi);
    map_fini(&door->by_num);
    map_fini(&door->by_addr);
    pool_fini(&door->conns);
}

struct door_conn *conn_new(struct door *door)
{
    pool_id id = 0;
    if (door->counter == UINT32_MAX) {
        /* Weeks of flood: a number is never used twice, the next door draws a new instance. */
        log_warn("door", "connection numbers used up, restarting");
        (void)raise(SIGTERM);
        return NULL;
    }
    struct door_conn *conn = pool_get(&door->conns, &id);
    if (!conn) {
        return NULL;
    }
    door->counter++;
    conn->id = id;
    conn->num = (uint64_t)door->instance << 32 | door->counter;
    conn_phase(conn, DOOR_PHASE_HEADERS, door->config.header_timeout_ms);
    if (map_set(&door->by_num, conn->num, id)) {
        pool_put(&door->conns, id);
        return NULL;
    }
    door->stats.value[DOOR_STAT_connections] = door->conns.used;
    return conn;
}

static uint64_t wsi_key(const struct lws *wsi)
{
    return (uint64_t)(uintptr_t)wsi;
}

void conn_bind(struct door *door, struct lws *wsi)
{
    struct door_conn *conn = door->taking;
    door->taking = NULL;
    if (conn && map_set(&door->by_wsi, wsi_key(wsi), conn->id) == 0) {
        conn->wsi = wsi;
    }
}

void conn_free(struct door *door, struct door_conn *conn)
{
    http_free(door, conn);
    ws_free(door, conn);
    accept_uncount(door, conn);
    if (conn->surplus) {
        door->surplus--;
    }
    if (conn->wsi) {
        (void)map_del(&door->by_wsi, wsi_key(conn->wsi));
    }
    (void)map_del(&door->by_num, conn->num);
    pool_put(&door->conns, conn->id);
    door->stats.value[DOOR_STAT_connections] = door->conns.used;
}

struct door_conn *conn_of_wsi(struct door *door, const struct lws *wsi)
{
    uint64_t id;
    return map_find(&door->by_wsi, wsi_key(wsi), &id) ? pool_at(&door->conns, id) : NULL;
}

struct door_conn *conn_of_num(struct door *door, conn_num num)
{
    uint64_t id;
    return map_find(&door->by_num, num, &id) ? pool_at(&door->conns, id) : NULL;
}

void conn_phase(struct door_conn *conn, enum door_phase phase, uint32_t ms)
{
    conn->phase = (uint8_t)phase;
    conn->deadline = ms ? clock_mono_us() + (mono_us)ms * US_PER_MS : MONO_NEVER;
}

void conn_kill(struct door_conn *conn)
{
    if (!conn->killed && conn->wsi) {
        conn->killed = true;
        lws_set_timeout(conn->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    }
}

void conn_tick(struct door *door, mono_us now)
{
    for (uint32_t i = 0; i < door->conns.touched; i++) {
        struct door_conn *conn = pool_walk(&door->conns, i, NULL);
        if (conn && conn->ws && !conn->killed) {
            ws_watch(door, conn, now);
        }
        if (!conn || conn->killed || now < conn->deadline) {
            continue;
        }
        if (conn->phase != DOOR_PHASE_END) {
            door_count(door, DOOR_STAT_http_deadline);
            log_debug("door", "deadline passed", L_UINT("phase", conn->phase),
                      L_ADDR("addr", &conn->remote));
        }
        if (conn->phase == DOOR_PHASE_WAIT) {
            http_overdue(door, conn);
        } else {
            conn_kill(conn);
        }
    }
}
