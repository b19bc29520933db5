#include "tests/unit/support.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/sys/unixsock.h"
#include "signaling/door/ipc.h"
#include "signaling/door/ipc_link.h"

#define CONN(n) (0xabcdef0100000000ULL | (n))

/* ---- frames -------------------------------------------------------------------------------- */

static const conn_num three[] = {CONN(1), CONN(2), UINT64_MAX};

static struct ipc_str str(const char *text)
{
    return (struct ipc_str){text, strlen(text)};
}

static void fill_ask(struct ipc_frame *f)
{
    f->ask = (struct ipc_ask){
        .req = CONN(7),
        .method = IPC_POST,
        .tls = true,
        .path = str("/api/info"),
        .query = str("a=b\nc"),
        .body = "body",
        .body_len = 4,
    };
    assert_int_equal(addr_parse(&f->ask.remote, "2001:db8::7"), 0);
    f->ask.header[IPC_ASK_HOST] = str("localhost");
    f->ask.header[IPC_ASK_USER_AGENT] = str("");
}

static void fill_answer(struct ipc_frame *f)
{
    f->answer =
        (struct ipc_answer){.req = CONN(7), .status = 200, .fd = -1, .body = "{}", .body_len = 2};
    f->answer.header[IPC_ANSWER_CONTENT_TYPE] = str("application/json");
    f->answer.header[IPC_ANSWER_ACCEPT_PATCH] = str("x");
    f->answer.header[IPC_ANSWER_ACCEPT_POST] = str("y");
}

/* One good frame of each type. */
static struct ipc_frame sample(enum ipc_type type)
{
    struct ipc_frame f;
    memset(&f, 0, sizeof(f));
    f.type = type;
    switch (type) {
    case IPC_HELLO:
        f.hello = (struct ipc_hello){IPC_VERSION, IPC_ROLE_DOOR, IPC_WINDOW, 9, 1ULL << 40};
        break;
    case IPC_CREDIT:
        f.credit = 12345;
        break;
    case IPC_OPEN:
        f.open = (struct ipc_open){.conn = CONN(1), .tls = true, .again = true};
        assert_int_equal(addr_parse(&f.open.remote, "192.0.2.1"), 0);
        break;
    case IPC_TEXT:
        f.text = (struct ipc_text){CONN(1), "{\"t\":\"hello\"}", 13};
        break;
    case IPC_CLOSED:
        f.closed = (struct ipc_closed){CONN(1), 1001};
        break;
    case IPC_ASK:
        fill_ask(&f);
        break;
    case IPC_STATS:
        f.stats.value[DOOR_STAT_ws_open] = 5;
        break;
    case IPC_SEND:
        f.send = (struct ipc_send){.to = three, .count = 3, .text = "hi", .len = 2};
        break;
    case IPC_CLOSE:
        f.close = (struct ipc_close){CONN(2), 4001, str("removed")};
        break;
    case IPC_ANSWER:
        fill_answer(&f);
        break;
    case IPC_GONE:
        f.gone = CONN(7);
        break;
    case IPC_EPOCH:
        f.epoch = 77;
        break;
    case IPC_TRUST:
        f.trust = CONN(3);
        break;
    }
    return f;
}

static size_t encode(const struct ipc_frame *f, uint8_t *out, size_t cap)
{
    struct wr w = wr_init(out, cap);
    assert_int_equal(ipc_encode(f, &w), 0);
    assert_int_equal(wr_len(&w), ipc_frame_size(f));
    return wr_len(&w);
}

static void every_frame_reads_as_it_was_written(void **state)
{
    (void)state;
    for (int type = IPC_HELLO; type <= IPC_TRUST; type++) {
        uint8_t first[2048];
        uint8_t second[2048];
        struct ipc_frame f = sample((enum ipc_type)type);
        size_t len = encode(&f, first, sizeof(first));
        uint8_t got_type = 0;
        size_t body_len = 0;
        assert_int_equal(ipc_decode_head(first, &got_type, &body_len), 0);
        assert_int_equal(got_type, type);
        assert_int_equal(body_len, len - IPC_HEAD_LEN);
        struct ipc_frame back;
        assert_int_equal(ipc_decode(&back, got_type, first + IPC_HEAD_LEN, body_len), 0);
        assert_int_equal(encode(&back, second, sizeof(second)), len);
        assert_memory_equal(first, second, len);
    }
}

static void frames_carry_what_they_should(void **state)
{
    (void)state;
    uint8_t bytes[2048];
    struct ipc_frame f = sample(IPC_ASK);
    size_t len = encode(&f, bytes, sizeof(bytes));
    struct ipc_frame back;
    assert_int_equal(ipc_decode(&back, IPC_ASK, bytes + IPC_HEAD_LEN, len - IPC_HEAD_LEN), 0);
    assert_int_equal(back.ask.query.len, 5);
    assert_memory_equal(back.ask.query.p, "a=b\nc", 5);
    assert_null(back.ask.header[IPC_ASK_ORIGIN].p);
    assert_non_null(back.ask.header[IPC_ASK_USER_AGENT].p); /* empty is not absent */
    f = sample(IPC_SEND);
    len = encode(&f, bytes, sizeof(bytes));
    assert_int_equal(ipc_decode(&back, IPC_SEND, bytes + IPC_HEAD_LEN, len - IPC_HEAD_LEN), 0);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ipc_send_to(&back.send, i), three[i]);
    }
}

static void cut_or_padded_frames_are_refused(void **state)
{
    (void)state;
    for (int type = IPC_HELLO; type <= IPC_TRUST; type++) {
        uint8_t bytes[2048];
        struct ipc_frame f = sample((enum ipc_type)type);
        size_t len = encode(&f, bytes, sizeof(bytes) - 1) - IPC_HEAD_LEN;
        struct ipc_frame back;
        bool open_ended = type == IPC_TEXT || type == IPC_SEND || type == IPC_CLOSE;
        for (size_t cut = 0; cut < len && !open_ended; cut++) {
            assert_int_equal(ipc_decode(&back, (uint8_t)type, bytes + IPC_HEAD_LEN, cut), E_BAD);
        }
        bytes[IPC_HEAD_LEN + len] = 0;
        int padded = ipc_decode(&back, (uint8_t)type, bytes + IPC_HEAD_LEN, len + 1);
        assert_int_equal(padded, open_ended ? 0 : E_BAD);
    }
    struct ipc_frame back;
    assert_int_equal(ipc_decode(&back, 0, "", 0), E_UNSUPPORTED);
    assert_int_equal(ipc_decode(&back, 14, "", 0), E_UNSUPPORTED);
}

static void bounds_hold_both_ways(void **state)
{
    (void)state;
    struct ipc_frame f = sample(IPC_TEXT);
    f.text.len = IPC_TEXT_MAX + 1;
    assert_int_equal(ipc_frame_size(&f), 0);
    f = sample(IPC_SEND);
    f.send.count = 0;
    assert_int_equal(ipc_frame_size(&f), 0);
    f.send.count = IPC_CONNS_MAX + 1;
    assert_int_equal(ipc_frame_size(&f), 0);
    f = sample(IPC_CLOSE);
    f.close.reason.len = IPC_REASON_MAX + 1;
    assert_int_equal(ipc_frame_size(&f), 0);
    f = sample(IPC_ANSWER);
    f.answer.status = 100;
    assert_int_equal(ipc_frame_size(&f), 0);
    f = sample(IPC_ANSWER);
    f.answer.header[IPC_ANSWER_LINK] = (struct ipc_str){"x", IPC_HEADER_MAX + 1};
    assert_int_equal(ipc_frame_size(&f), 0);
    f = sample(IPC_TRUST);
    uint8_t small[IPC_HEAD_LEN + 7];
    struct wr w = wr_init(small, sizeof(small));
    assert_int_equal(ipc_encode(&f, &w), E_FULL);
    uint8_t type = 0;
    size_t len = 0;
    assert_int_equal(ipc_decode_head((const uint8_t *)"\xff\xff\xff\xff\x01", &type, &len),
                     E_TOOBIG);
}

static void names_are_there(void **state)
{
    (void)state;
    for (int i = 0; i < DOOR_STAT_COUNT; i++) {
        assert_true(strlen(door_stat_name((enum door_stat)i)) > 3);
        assert_true(strlen(door_stat_help((enum door_stat)i)) > 10);
        char kind = door_stat_kind((enum door_stat)i);
        assert_true(kind == 'g' || kind == 'c');
    }
    for (int i = 0; i < IPC_ANSWER_HEADERS; i++) {
        const char *name = ipc_answer_header_name((enum ipc_answer_header)i);
        assert_int_equal(name[strlen(name) - 1], ':');
    }
    assert_string_equal(ipc_method_name(IPC_DELETE), "DELETE");
    assert_string_equal(ipc_method_name(99), "?");
}

/* ---- the link ---------------------------------------------------------------------------------
 */

struct end {
    struct ipc_link link;
    int fd;
    int frames;
    enum ipc_type last;
    size_t bytes;
    int got_fd;
    int answer; /* what frame_h returns */
};

static int on_frame(void *arg, const struct ipc_frame *frame)
{
    struct end *end = arg;
    end->frames++;
    end->last = frame->type;
    if (frame->type == IPC_TEXT) {
        end->bytes += frame->text.len;
    }
    if (frame->type == IPC_ANSWER && frame->answer.file) {
        if (end->got_fd >= 0) {
            (void)close(end->got_fd);
        }
        end->got_fd = frame->answer.fd;
    }
    return end->answer;
}

static int end_init(struct end *end, int fd, enum ipc_role role)
{
    struct ipc_hello hello = {.role = (uint8_t)role, .epoch = role == IPC_ROLE_CORE ? 3 : 0};
    struct ipc_link_hooks hooks = {.arg = end, .frame_h = on_frame};
    memset(end, 0, sizeof(*end));
    end->fd = fd;
    end->got_fd = -1;
    return ipc_link_init(&end->link, fd, &hello, &hooks);
}

static void end_fini(struct end *end)
{
    ipc_link_fini(&end->link);
    if (end->fd >= 0) {
        (void)close(end->fd);
    }
    if (end->got_fd >= 0) {
        (void)close(end->got_fd);
    }
}

static int pair_init(struct end *door, struct end *core)
{
    int fd[2];
    memset(core, 0, sizeof(*core));
    core->fd = core->got_fd = -1;
    memset(door, 0, sizeof(*door));
    door->fd = door->got_fd = -1;
    if (unixsock_pair(fd)) {
        return E_IO;
    }
    int err = end_init(door, fd[0], IPC_ROLE_DOOR);
    int err2 = end_init(core, fd[1], IPC_ROLE_CORE);
    return err ? err : err2;
}

/* Both ends write and read until nothing moves. Returns the first error. */
static int turn(struct end *a, struct end *b)
{
    for (int i = 0; i < 300; i++) {
        int err = ipc_link_flush(&a->link);
        err = err ? err : ipc_link_flush(&b->link);
        int ra = err ? 0 : ipc_link_readable(&a->link, 1 << 20);
        int rb = err ? 0 : ipc_link_readable(&b->link, 1 << 20);
        err = err ? err : ra == E_AGAIN ? 0 : ra;
        err = err ? err : rb == E_AGAIN ? 0 : rb;
        if (err) {
            return err;
        }
    }
    return 0;
}

static int send_text(struct end *from, size_t len)
{
    static char text[IPC_TEXT_MAX];
    struct ipc_frame f = {.type = IPC_TEXT, .text = {CONN(1), text, len}};
    return ipc_link_send(&from->link, &f);
}

static void ends_greet_and_talk(void **state)
{
    (void)state;
    struct end door;
    struct end core;
    assert_int_equal(pair_init(&door, &core), 0);
    assert_int_equal(send_text(&door, 5), 0); /* waits for the greeting */
    assert_int_equal(turn(&door, &core), 0);
    assert_int_equal(core.frames, 2);
    assert_int_equal(core.bytes, 5);
    assert_int_equal(door.last, IPC_HELLO);
    size_t sizes[] = {0, 1, 100000, IPC_TEXT_MAX, 3};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(send_text(&core, sizes[i]), 0);
    }
    assert_int_equal(turn(&door, &core), 0);
    assert_int_equal(door.bytes, 100004 + IPC_TEXT_MAX);
    assert_int_equal(ipc_link_queued(&core.link), 0);
    assert_true(door.link.rx_cap <= 65536); /* the large buffer went back */
    end_fini(&door);
    end_fini(&core);
}

static void nothing_is_heard_before_hello(void **state)
{
    (void)state;
    int fd[2];
    struct end core;
    assert_int_equal(unixsock_pair(fd), 0);
    assert_int_equal(end_init(&core, fd[0], IPC_ROLE_CORE), 0);
    uint8_t bytes[64];
    struct ipc_frame f = sample(IPC_CLOSED);
    size_t len = encode(&f, bytes, sizeof(bytes));
    assert_int_equal(write(fd[1], bytes, len), (ssize_t)len);
    assert_int_equal(ipc_link_readable(&core.link, 1000), E_BAD);
    assert_int_equal(core.frames, 0);
    assert_int_equal(ipc_link_readable(&core.link, 1000), E_IO); /* broken for good */
    assert_int_equal(ipc_link_send(&core.link, &f), E_STATE);
    end_fini(&core);
    (void)close(fd[1]);
}

static int greet_with(struct ipc_hello hello)
{
    int fd[2];
    struct end core;
    assert_int_equal(unixsock_pair(fd), 0);
    assert_int_equal(end_init(&core, fd[0], IPC_ROLE_CORE), 0);
    uint8_t bytes[64];
    struct ipc_frame f = {.type = IPC_HELLO, .hello = hello};
    size_t len = encode(&f, bytes, sizeof(bytes));
    assert_int_equal(write(fd[1], bytes, len), (ssize_t)len);
    int err = ipc_link_readable(&core.link, 1000);
    end_fini(&core);
    (void)close(fd[1]);
    return err;
}

static void hellos_are_checked(void **state)
{
    (void)state;
    struct ipc_hello good = {IPC_VERSION, IPC_ROLE_DOOR, IPC_WINDOW, 1, 0};
    struct ipc_hello bad = good;
    assert_int_equal(greet_with(good), 0);
    bad.version = IPC_VERSION + 1;
    assert_int_equal(greet_with(bad), E_VERSION);
    bad = good;
    bad.role = IPC_ROLE_CORE;
    assert_int_equal(greet_with(bad), E_BAD);
    bad = good;
    bad.window = 10;
    assert_int_equal(greet_with(bad), E_RANGE);
}

static void a_reader_that_stops_costs_bounded_memory(void **state)
{
    (void)state;
    struct end door;
    struct end core;
    assert_int_equal(pair_init(&door, &core), 0);
    assert_int_equal(turn(&door, &core), 0);
    ipc_link_pause(&door.link, true);
    size_t sent = 0;
    int err = 0;
    while (!err && sent < 100) {
        err = send_text(&core, 1000000);
        sent += !err;
        assert_int_equal(ipc_link_flush(&core.link), 0);
        assert_int_equal(ipc_link_readable(&door.link, 1 << 20), 0);
    }
    assert_int_equal(err, E_FULL);
    assert_true(ipc_link_queued(&core.link) <= IPC_QUEUE_MAX + IPC_FRAME_MAX);
    assert_true(sent >= 16 && sent <= 24);
    /* Credit, not only the queue: what left us is at most the window and one frame. */
    int64_t left_us = (int64_t)(sent * 1000013) - (int64_t)ipc_link_queued(&core.link);
    assert_true(left_us <= IPC_WINDOW + IPC_FRAME_MAX);
    ipc_link_pause(&door.link, false);
    assert_int_equal(turn(&door, &core), 0);
    assert_int_equal(door.bytes, sent * 1000000);
    end_fini(&door);
    end_fini(&core);
}

static void both_ends_full_do_not_wait_for_each_other(void **state)
{
    (void)state;
    struct end door;
    struct end core;
    assert_int_equal(pair_init(&door, &core), 0);
    for (int i = 0; i < 12; i++) {
        assert_int_equal(send_text(&door, 1000000), 0);
        assert_int_equal(send_text(&core, 1000000), 0);
    }
    assert_int_equal(turn(&door, &core), 0);
    assert_int_equal(door.bytes, 12000000);
    assert_int_equal(core.bytes, 12000000);
    end_fini(&door);
    end_fini(&core);
}

static int send_file(struct end *from, const char *path)
{
    struct ipc_frame f = {.type = IPC_ANSWER,
                          .answer = {.req = 1, .status = 200, .file = true, .count = 4}};
    f.answer.fd = open(path, O_RDONLY | O_CLOEXEC);
    return f.answer.fd < 0 ? E_IO : ipc_link_send(&from->link, &f);
}

static int open_fds(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++) {
        count += fcntl(fd, F_GETFD) >= 0;
    }
    return count;
}

static void files_travel_with_their_frame(void **state)
{
    (void)state;
    int before = open_fds();
    struct end door;
    struct end core;
    assert_int_equal(pair_init(&door, &core), 0);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(send_text(&core, 10), 0);
        assert_int_equal(send_file(&core, "/proc/self/stat"), 0);
        assert_int_equal(send_text(&core, 100000), 0);
    }
    assert_int_equal(turn(&door, &core), 0);
    assert_int_equal(door.frames, 61);
    assert_true(door.got_fd >= 0);
    char c;
    assert_int_equal(read(door.got_fd, &c, 1), 1);
    end_fini(&door);
    end_fini(&core);
    assert_int_equal(open_fds(), before);
}

static void unsent_files_are_closed(void **state)
{
    (void)state;
    int before = open_fds();
    struct end door;
    struct end core;
    assert_int_equal(pair_init(&door, &core), 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(send_file(&core, "/proc/self/stat"), 0);
    }
    core.link.queue_max = 1;
    assert_int_equal(send_file(&core, "/proc/self/stat"), E_FULL);
    core.link.broken = true;
    assert_int_equal(send_file(&core, "/proc/self/stat"), E_STATE);
    end_fini(&door);
    end_fini(&core);
    assert_int_equal(open_fds(), before);
}

static void a_frame_that_claims_a_file_without_one_is_refused(void **state)
{
    (void)state;
    struct end door;
    struct end core;
    assert_int_equal(pair_init(&door, &core), 0);
    assert_int_equal(turn(&door, &core), 0);
    uint8_t bytes[128];
    struct ipc_frame f = {.type = IPC_ANSWER,
                          .answer = {.req = 1, .status = 200, .file = true, .fd = -1}};
    size_t len = encode(&f, bytes, sizeof(bytes));
    assert_int_equal(write(core.fd, bytes, len), (ssize_t)len);
    assert_int_equal(ipc_link_readable(&door.link, 1000), E_BAD);
    end_fini(&door);
    end_fini(&core);
}

static void errors_end_the_link(void **state)
{
    (void)state;
    struct end door;
    struct end core;
    assert_int_equal(pair_init(&door, &core), 0);
    assert_int_equal(turn(&door, &core), 0);
    core.answer = E_DENIED;
    assert_int_equal(send_text(&door, 1), 0);
    assert_int_equal(turn(&door, &core), E_DENIED);
    assert_int_equal(ipc_link_readable(&core.link, 10), E_IO);
    end_fini(&core);
    assert_int_equal(ipc_link_readable(&door.link, 10), E_IO); /* the other end is gone */
    end_fini(&door);
}

static int link_scene(void *arg)
{
    (void)arg;
    struct end door;
    struct end core;
    int err = pair_init(&door, &core);
    err = err ? err : send_text(&door, 200000);
    err = err ? err : send_file(&core, "/proc/self/stat");
    err = err ? err : turn(&door, &core);
    if (!err && (core.bytes != 200000 || door.got_fd < 0)) {
        err = E_STATE;
    }
    end_fini(&door);
    end_fini(&core);
    return err;
}

static void links_survive_failing_allocations(void **state)
{
    (void)state;
    int before = open_fds();
    assert_true(support_oom_sweep(link_scene, NULL) >= 6);
    assert_int_equal(open_fds(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(every_frame_reads_as_it_was_written),
        UNIT(frames_carry_what_they_should),
        UNIT(cut_or_padded_frames_are_refused),
        UNIT(bounds_hold_both_ways),
        UNIT(names_are_there),
        UNIT(ends_greet_and_talk),
        UNIT(nothing_is_heard_before_hello),
        UNIT(hellos_are_checked),
        UNIT(a_reader_that_stops_costs_bounded_memory),
        UNIT(both_ends_full_do_not_wait_for_each_other),
        UNIT(files_travel_with_their_frame),
        UNIT(unsent_files_are_closed),
        UNIT(a_frame_that_claims_a_file_without_one_is_refused),
        UNIT(errors_end_the_link),
        UNIT(links_survive_failing_allocations),
    };
    return cmocka_run_group_tests_name("door_ipc", tests, NULL, NULL);
}
