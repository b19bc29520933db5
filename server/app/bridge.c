#include "server/app/bridge.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/map.h"
#include "codec/base/mem.h"
#include "codec/base/pool.h"
#include "codec/sys/log.h"
#include "server/app/inner.h"
#include "server/app/placement.h"
#include "server/proto/alloc.h"
#include "server/proto/overload.h"

_Static_assert((int)SFU_SPEAKERS_MAX <= 10, "media_evt has room for ten speakers");
_Static_assert((int)MEDIA_BY_CONNECTION == (int)ALLOC_BY_CONNECTION &&
                   (int)MEDIA_PAUSED_BY_CONNECTION == (int)ALLOC_PAUSED_BY_CONNECTION &&
                   (int)MEDIA_BY_SERVER == (int)ALLOC_BY_SERVER,
               "reasons are passed on as they are");
_Static_assert((int)MEDIA_EARS_MAX <= (int)SFU_EARS_MAX, "every ear fits");
_Static_assert((int)MEDIA_EYES_MAX <= (int)SFU_EYES_MAX, "every eye fits");
_Static_assert((int)PLACEMENT_SHARDS_MAX >= (int)SHARDS_MAX, "every shard can be chosen");

/* What the classroom wishes for one device, and its connection when it has one. */
struct device {
    device_num num;
    pool_id id;
    sfu_peer_id peer; /* 0 = no connection */
    uint64_t token;   /* of the answer we owe the classroom, while answer_due */
    bool answer_due;
    bool was_connected;
    bool inner;
    mono_us opened;
    uint64_t class_num;
    room_num room;
    room_num voice;
    struct media_ears ears;
    uint32_t publish;
    uint32_t wants;
    struct media_want want[DESC_VIDEO_SLOTS_MAX];
};

/* Refusals made here wait for bridge_poll: the classroom may not be called back from its hook. */
struct waiting {
    struct waiting *next;
    struct media_evt evt;
};

struct bridge {
    struct bridge_config config;
    struct shards *shards;
    struct pool devices;
    struct map by_num;  /* device_num -> pool_id */
    struct map by_peer; /* sfu_peer_id -> pool_id */
    struct map homes;   /* class -> shard << 32 | connections */
    uint64_t next_peer;
    uint32_t shard_peers[SHARDS_MAX];
    uint8_t shard_load[SHARDS_MAX]; /* enum overload_step */
    struct waiting *waiting_head;
    struct waiting *waiting_tail;
    struct bridge_stats stats;
    struct histogram join_times;
};

int bridge_new(struct bridge **out, const struct bridge_config *config, struct shards *shards)
{
    *out = NULL;
    struct bridge *b = mem_alloc(sizeof(*b));
    if (!b) {
        return E_NOMEM;
    }
    b->config = *config;
    b->shards = shards;
    int err = pool_init(&b->devices, sizeof(struct device), config->devices_max);
    err = err ? err : map_init(&b->by_num, config->devices_max, config->seed);
    err = err ? err : map_init(&b->by_peer, config->devices_max, config->seed + 1);
    err = err ? err : map_init(&b->homes, config->devices_max, config->seed + 2);
    if (err) {
        bridge_free(b);
        return err;
    }
    *out = b;
    return 0;
}

void bridge_free(struct bridge *b)
{
    if (!b) {
        return;
    }
    for (struct waiting *w = b->waiting_head; w;) {
        struct waiting *next = w->next;
        mem_free(w);
        w = next;
    }
    map_fini(&b->homes);
    map_fini(&b->by_peer);
    map_fini(&b->by_num);
    pool_fini(&b->devices);
    mem_free(b);
}

static struct device *find_device(const struct bridge *b, device_num num)
{
    uint64_t id;
    return num && map_find(&b->by_num, num, &id) ? pool_at(&b->devices, id) : NULL;
}

static struct device *find_peer(const struct bridge *b, sfu_peer_id peer)
{
    uint64_t id;
    return peer && map_find(&b->by_peer, peer, &id) ? pool_at(&b->devices, id) : NULL;
}

static struct device *get_device(struct bridge *b, device_num num)
{
    struct device *d = find_device(b, num);
    if (d || !num) {
        return d;
    }
    pool_id id;
    d = pool_get(&b->devices, &id);
    if (!d) {
        return NULL;
    }
    if (map_set(&b->by_num, num, id)) {
        pool_put(&b->devices, id);
        return NULL;
    }
    d->num = num;
    d->id = id;
    return d;
}

static void refuse(struct bridge *b, device_num num, uint64_t token, int err)
{
    struct waiting *w = mem_alloc(sizeof(*w));
    b->stats.refused++;
    if (!w) {
        return; /* the page asks again by itself after its own time-out */
    }
    w->evt =
        (struct media_evt){.kind = MEDIA_EVT_REFUSED, .device = num, .token = token, .err = err};
    if (b->waiting_tail) {
        b->waiting_tail->next = w;
    } else {
        b->waiting_head = w;
    }
    b->waiting_tail = w;
}

/* ---- homes: where the connections of a class are ----------------------------------------------
 */

static int home_of(const struct bridge *b, uint64_t class_num)
{
    uint64_t v;
    return class_num && map_find(&b->homes, class_num, &v) ? (int)(v >> 32) : PLACEMENT_NONE;
}

static void home_join(struct bridge *b, uint64_t class_num, unsigned shard)
{
    uint64_t v = (uint64_t)shard << 32;
    if (class_num) {
        (void)map_find(&b->homes, class_num, &v);
        (void)map_set(&b->homes, class_num, v + 1);
    }
}

static void home_leave(struct bridge *b, uint64_t class_num)
{
    uint64_t v;
    if (!class_num || !map_find(&b->homes, class_num, &v)) {
        return;
    }
    if ((uint32_t)v <= 1) {
        (void)map_del(&b->homes, class_num);
    } else {
        (void)map_set(&b->homes, class_num, v - 1);
    }
}

static int choose_shard(struct bridge *b, const struct media_cmd *cmd)
{
    struct placement_shard load[PLACEMENT_SHARDS_MAX];
    unsigned count = shards_count(b->shards);
    for (unsigned i = 0; i < count; i++) {
        struct shard_stats stats;
        shards_stats(b->shards, i, &stats);
        load[i] = (struct placement_shard){
            .peers = b->shard_peers[i], .peers_max = b->config.peers_max, .tx_pps = stats.tx_pps};
        if (!overload_limits(b->shard_load[i])->joins && !cmd->seated && !cmd->inner) {
            load[i].peers_max = 0; /* it takes nobody for now */
        }
    }
    return placement_choose(load, count, home_of(b, cmd->class_num), cmd->class_size,
                            b->config.spread_from);
}

/* ---- commands
 * ------------------------------------------------------------------------------------ */

static void send(struct bridge *b, const struct device *d, struct sfu_cmd *cmd)
{
    cmd->peer = d->peer;
    shards_command(b->shards, sfu_shard_of(d->peer), cmd);
}

static void send_room(struct bridge *b, const struct device *d)
{
    struct sfu_cmd cmd = {.kind = SFU_CMD_ROOM, .room = d->room};
    send(b, d, &cmd);
}

static void send_ears(struct bridge *b, const struct device *d)
{
    struct sfu_cmd cmd = {.kind = SFU_CMD_EARS,
                          .ears = {.ears = d->ears.ears, .eyes = d->ears.eyes}};
    memcpy(cmd.ears.ear, d->ears.ear, sizeof(d->ears.ear));
    memcpy(cmd.ears.eye, d->ears.eye, sizeof(d->ears.eye));
    send(b, d, &cmd);
}

static void send_voice(struct bridge *b, const struct device *d)
{
    struct sfu_cmd cmd = {.kind = SFU_CMD_VOICE, .room = d->voice};
    send(b, d, &cmd);
}

static void send_publish(struct bridge *b, const struct device *d)
{
    struct sfu_cmd cmd = {.kind = SFU_CMD_PUBLISH, .publish = d->publish};
    send(b, d, &cmd);
}

static void send_view(struct bridge *b, const struct device *d)
{
    struct sfu_cmd cmd = {.kind = SFU_CMD_VIEW, .view.count = 0};
    for (uint32_t i = 0; i < d->wants; i++) {
        const struct media_want *w = &d->want[i];
        const struct device *publisher = find_device(b, w->publisher);
        if (!publisher || !publisher->peer) {
            continue; /* sent again when that device has a connection */
        }
        cmd.view.want[cmd.view.count++] = (struct sfu_want){.slot = w->slot,
                                                            .source = w->source,
                                                            .height_max = w->height_max,
                                                            .publisher = publisher->peer};
    }
    send(b, d, &cmd);
}

/* A publisher got a connection: whoever wishes to see it names the new peer. */
static void refresh_views(struct bridge *b, device_num publisher)
{
    for (uint32_t i = 0; i < b->devices.touched; i++) {
        const struct device *d = pool_walk(&b->devices, i, NULL);
        for (uint32_t k = 0; d && d->peer && k < d->wants; k++) {
            if (d->want[k].publisher == publisher) {
                send_view(b, d);
                break;
            }
        }
    }
}

static void drop_peer(struct bridge *b, struct device *d, bool tell)
{
    if (!d->peer) {
        return;
    }
    if (tell) {
        struct sfu_cmd cmd = {.kind = SFU_CMD_CLOSE};
        send(b, d, &cmd);
    }
    if (d->inner) {
        inner_close(b->config.inner, d->peer);
    }
    b->shard_peers[sfu_shard_of(d->peer)]--;
    b->stats.peers--;
    (void)map_del(&b->by_peer, d->peer);
    home_leave(b, d->class_num);
    d->peer = 0;
    d->answer_due = false;
    d->was_connected = false;
}

static void open_peer(struct bridge *b, const struct media_cmd *in, mono_us now)
{
    struct device *d = get_device(b, in->device);
    if (!d) {
        refuse(b, in->device, in->token, E_FULL);
        return;
    }
    drop_peer(b, d, true);
    int shard = choose_shard(b, in);
    uint64_t peer = shard < 0 ? 0 : (uint64_t)shard << 56 | ++b->next_peer;
    if (!peer || map_set(&b->by_peer, peer, d->id)) {
        refuse(b, in->device, in->token, E_FULL);
        return;
    }
    d->peer = peer;
    d->token = in->token;
    d->answer_due = true;
    d->opened = now;
    d->inner = in->inner && b->config.inner;
    d->class_num = in->class_num;
    b->shard_peers[shard]++;
    b->stats.peers++;
    b->stats.opened++;
    home_join(b, d->class_num, (unsigned)shard);
    struct sfu_cmd cmd = {
        .kind = SFU_CMD_OPEN, .token = in->token, .inner = d->inner, .offer = in->offer};
    if (d->inner) {
        inner_offer(&cmd.offer, inner_ssrc(peer));
        inner_open(b->config.inner, peer);
    }
    send(b, d, &cmd);
    if (d->room) {
        send_room(b, d);
    }
    if (d->voice) {
        send_voice(b, d);
    }
    if (d->ears.ears || d->ears.eyes) {
        send_ears(b, d);
    }
    if (d->publish) {
        send_publish(b, d);
    }
    if (d->wants) {
        send_view(b, d);
    }
    refresh_views(b, d->num);
}

static void restart_peer(struct bridge *b, const struct media_cmd *in)
{
    struct device *d = find_device(b, in->device);
    if (!d || !d->peer) {
        refuse(b, in->device, in->token, E_STATE);
        return;
    }
    d->token = in->token;
    d->answer_due = true;
    struct sfu_cmd cmd = {.kind = SFU_CMD_RESTART, .token = in->token, .offer = in->offer};
    send(b, d, &cmd);
}

static void close_device(struct bridge *b, device_num num)
{
    struct device *d = find_device(b, num);
    if (d) {
        drop_peer(b, d, true);
        (void)map_del(&b->by_num, num);
        pool_put(&b->devices, d->id);
    }
}

/* Commands that change a wish; they take effect at once when there is a connection. */
static void wish(struct bridge *b, const struct media_cmd *in)
{
    struct device *d = get_device(b, in->device);
    if (!d) {
        return; /* full: the OPEN that follows is refused and says so */
    }
    if (in->kind == MEDIA_CMD_ROOM) {
        d->room = in->room;
    } else if (in->kind == MEDIA_CMD_PUBLISH) {
        d->publish = in->publish;
    } else if (in->kind == MEDIA_CMD_VOICE) {
        d->voice = in->room;
    } else if (in->kind == MEDIA_CMD_EARS && in->ears.ears <= MEDIA_EARS_MAX &&
               in->ears.eyes <= MEDIA_EYES_MAX) {
        d->ears = in->ears;
    } else if (in->kind == MEDIA_CMD_VIEW) {
        d->wants = in->view.count < DESC_VIDEO_SLOTS_MAX ? in->view.count : DESC_VIDEO_SLOTS_MAX;
        memcpy(d->want, in->view.want, d->wants * sizeof(d->want[0]));
    }
    if (!d->peer) {
        return;
    }
    struct sfu_cmd ready = {.kind = SFU_CMD_READY};
    switch (in->kind) {
    case MEDIA_CMD_ROOM:
        send_room(b, d);
        break;
    case MEDIA_CMD_PUBLISH:
        send_publish(b, d);
        break;
    case MEDIA_CMD_VIEW:
        send_view(b, d);
        break;
    case MEDIA_CMD_READY:
        send(b, d, &ready);
        break;
    case MEDIA_CMD_EARS:
        send_ears(b, d);
        break;
    case MEDIA_CMD_VOICE:
        send_voice(b, d);
        break;
    case MEDIA_CMD_OPEN:
    case MEDIA_CMD_RESTART:
    case MEDIA_CMD_CLOSE:
        break;
    }
}

void bridge_command(struct bridge *b, const struct media_cmd *cmd, mono_us now)
{
    switch (cmd->kind) {
    case MEDIA_CMD_OPEN:
        open_peer(b, cmd, now);
        break;
    case MEDIA_CMD_RESTART:
        restart_peer(b, cmd);
        break;
    case MEDIA_CMD_CLOSE:
        close_device(b, cmd->device);
        break;
    case MEDIA_CMD_READY:
    case MEDIA_CMD_ROOM:
    case MEDIA_CMD_PUBLISH:
    case MEDIA_CMD_VIEW:
    case MEDIA_CMD_EARS:
    case MEDIA_CMD_VOICE:
        wish(b, cmd);
        break;
    }
}

/* ---- events ------------------------------------------------------------------------------------
 */

static void deliver(struct bridge *b, const struct media_evt *evt)
{
    b->config.event_h(b->config.arg, evt);
}

static void on_answer(struct bridge *b, struct device *d, const struct sfu_evt *in)
{
    struct media_evt out = {.device = d->num, .token = in->token};
    if (!d->answer_due || d->token != in->token) {
        return; /* answer to an offer that a newer one replaced */
    }
    d->answer_due = false;
    if (in->kind == SFU_EVT_ANSWER) {
        out.kind = MEDIA_EVT_ANSWER;
        out.answer = in->answer;
    } else {
        out.kind = MEDIA_EVT_REFUSED;
        out.err = in->err;
        b->stats.refused++;
        if (!d->was_connected) {
            drop_peer(b, d,
                      true); /* the shard has nothing of it; a refused restart keeps its peer */
        }
    }
    deliver(b, &out);
}

static void on_state(struct bridge *b, struct device *d, const struct sfu_evt *in, mono_us now)
{
    struct media_evt out = {.device = d->num, .err = in->err};
    if (in->kind == SFU_EVT_CONNECTED) {
        out.kind = MEDIA_EVT_CONNECTED;
        b->stats.connected++;
        if (!d->was_connected) {
            histogram_add(&b->join_times, now - d->opened);
        }
        d->was_connected = true;
    } else if (in->kind == SFU_EVT_LOST) {
        out.kind = MEDIA_EVT_LOST;
        b->stats.lost++;
    } else if (in->kind == SFU_EVT_BACK) {
        out.kind = MEDIA_EVT_BACK;
    } else {
        out.kind = MEDIA_EVT_FAILED;
        b->stats.failed++;
        drop_peer(b, d, true);
    }
    deliver(b, &out);
}

static void on_slots(struct bridge *b, const struct device *d, const struct sfu_evt *in)
{
    struct media_evt out = {.kind = MEDIA_EVT_SLOTS, .device = d->num};
    unsigned count = (unsigned)in->slots.audio + in->slots.video;
    out.slots.audio = in->slots.audio;
    out.slots.video = in->slots.video;
    for (unsigned i = 0; i < count && i < DESC_AUDIO_SLOTS_MAX + DESC_VIDEO_SLOTS_MAX; i++) {
        const struct device *publisher = find_peer(b, in->slots.slot[i].publisher);
        if (publisher) {
            out.slots.slot[i] = (struct media_slot){.publisher = publisher->num,
                                                    .source = in->slots.slot[i].source,
                                                    .state = in->slots.slot[i].state,
                                                    .reason = in->slots.slot[i].reason,
                                                    .height = in->slots.slot[i].height};
        }
    }
    deliver(b, &out);
}

static void on_send(struct bridge *b, const struct device *d, const struct sfu_evt *in)
{
    struct media_evt out = {.kind = MEDIA_EVT_SEND, .device = d->num};
    memcpy(out.send, in->send, sizeof(out.send));
    deliver(b, &out);
}

static void on_speaking(struct bridge *b, const struct sfu_evt *in)
{
    struct media_evt out = {.kind = MEDIA_EVT_SPEAKING, .room = in->room};
    for (uint32_t i = 0; i < in->speaking.count && i < SFU_SPEAKERS_MAX; i++) {
        const struct device *d = find_peer(b, in->speaking.speaker[i].peer);
        if (d && (d->voice ? d->voice : d->room) == in->room) {
            out.speaking.speaker[out.speaking.count++] =
                (struct media_speaker){.device = d->num, .level = in->speaking.speaker[i].level};
        }
    }
    for (uint32_t i = 0; i < in->speaking.recents && i < SFU_SPEAKERS_MAX; i++) {
        const struct device *d = find_peer(b, in->speaking.recent[i]);
        if (d && d->room == in->room) {
            out.speaking.recent[out.speaking.recents++] = d->num;
        }
    }
    deliver(b, &out);
}

/* Staff hears of the busiest shard; new people come in as long as one of them takes them. */
static void on_overload(struct bridge *b, const struct sfu_evt *in)
{
    struct media_evt out = {.kind = MEDIA_EVT_LOAD};
    b->shard_load[in->overload.shard] = in->overload.step;
    out.load.shut = true;
    for (unsigned i = 0; i < shards_count(b->shards); i++) {
        uint8_t step = b->shard_load[i];
        out.load.step = step > out.load.step ? step : out.load.step;
        out.load.shut = out.load.shut && !overload_limits(step)->joins;
    }
    deliver(b, &out);
}

static void on_event(struct bridge *b, const struct sfu_evt *in, mono_us now)
{
    struct device *d = find_peer(b, in->peer);
    if (in->kind == SFU_EVT_SPEAKING) {
        on_speaking(b, in);
        return;
    }
    if (in->kind == SFU_EVT_OVERLOAD) {
        on_overload(b, in);
        return;
    }
    if (!d) {
        return; /* closed while the event was on its way */
    }
    switch (in->kind) {
    case SFU_EVT_ANSWER:
    case SFU_EVT_REFUSED:
        on_answer(b, d, in);
        break;
    case SFU_EVT_CONNECTED:
    case SFU_EVT_LOST:
    case SFU_EVT_BACK:
    case SFU_EVT_FAILED:
        on_state(b, d, in, now);
        break;
    case SFU_EVT_SLOTS:
        on_slots(b, d, in);
        break;
    case SFU_EVT_SEND:
        on_send(b, d, in);
        break;
    case SFU_EVT_SPEAKING:
    case SFU_EVT_OVERLOAD:
        break;
    }
}

void bridge_poll(struct bridge *b, mono_us now)
{
    struct sfu_evt evt;
    while (b->waiting_head) {
        struct waiting *w = b->waiting_head;
        b->waiting_head = w->next;
        b->waiting_tail = b->waiting_head ? b->waiting_tail : NULL;
        deliver(b, &w->evt);
        mem_free(w);
    }
    shards_event_begin(b->shards);
    while (shards_event(b->shards, &evt)) {
        on_event(b, &evt, now);
    }
    shards_flush(b->shards);
}

bool bridge_pending(const struct bridge *b)
{
    return b->waiting_head != NULL;
}

void bridge_spread_from(struct bridge *b, uint32_t people)
{
    b->config.spread_from = people;
}

void bridge_stats_read(const struct bridge *b, struct bridge_stats *out)
{
    *out = b->stats;
    out->devices = b->devices.used;
}

const struct histogram *bridge_join_times(const struct bridge *b)
{
    return &b->join_times;
}

void bridge_mix_only(struct bridge *b, device_num mix, device_num publisher,
                     const struct media_evt *slots, uint32_t ssrc_base)
{
    const struct device *d = find_device(b, mix);
    uint32_t ssrc = UINT32_MAX; /* nobody */
    for (unsigned i = 0; i < slots->slots.audio && i < DESC_AUDIO_SLOTS_MAX; i++) {
        if (slots->slots.slot[i].publisher == publisher) {
            ssrc = ssrc_base + 2 * i;
        }
    }
    if (d && d->peer && d->inner) {
        inner_only(b->config.inner, d->peer, ssrc);
    }
}
