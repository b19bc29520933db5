/* ICE-TCP over loopback: frames, limits, slow readers; S3. Covers server/io/{tcp,framing}. */
#include "tests/unit/support.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "codec/base/rng.h"
#include "server/io/framing.h"
#include "server/io/sockaddr.h"
#include "server/io/tcp.h"
#include "server/proto/txbatch.h"

/* ---- framing ------------------------------------------------------------------------------------
 */

static size_t frame_put(uint8_t *out, uint8_t fill, size_t len)
{
    framing_head(out, len);
    memset(out + FRAMING_HEAD, fill, len);
    return FRAMING_HEAD + len;
}

static void test_frames_come_out_however_the_stream_is_cut(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 1500, 0, 700, 0, 0, 1499};
    enum { COUNT = sizeof(sizes) / sizeof(sizes[0]) };
    static uint8_t stream[8192];
    size_t len = 0;
    for (size_t i = 0; i < COUNT; i++) {
        len += frame_put(stream + len, (uint8_t)i, sizes[i]);
    }
    for (size_t piece = 1; piece <= len; piece = piece < 40 ? piece + 1 : piece * 2) {
        struct framing framing;
        framing_init(&framing);
        size_t next = 0;
        for (size_t at = 0; at < len; at += piece) {
            size_t end = at + piece < len ? at + piece : len;
            for (size_t done = at; done < end;) {
                size_t eaten, frame_len;
                const uint8_t *frame;
                int found =
                    framing_next(&framing, stream + done, end - done, &eaten, &frame, &frame_len);
                assert_in_range(found, 0, 1);
                assert_true(eaten > 0);
                done += eaten;
                if (!found) {
                    assert_int_equal(done, end);
                    continue;
                }
                while (!sizes[next]) { /* an empty frame means nothing */
                    next++;
                }
                assert_int_equal(frame_len, sizes[next]);
                assert_int_equal(frame[0], next);
                assert_int_equal(frame[frame_len - 1], next);
                next++;
            }
        }
        assert_int_equal(next, COUNT);
    }
}

static void test_s3_a_frame_too_long_is_refused_by_its_head(void **state)
{
    (void)state;
    for (size_t len = FRAMING_MAX; len <= 65535; len += 499) {
        struct framing framing;
        framing_init(&framing);
        uint8_t head[FRAMING_HEAD];
        framing_head(head, len);
        size_t eaten, frame_len;
        const uint8_t *frame;
        int found = framing_next(&framing, head, 1, &eaten, &frame, &frame_len);
        assert_int_equal(found, 0);
        found = framing_next(&framing, head + 1, 1, &eaten, &frame, &frame_len);
        assert_int_equal(found, len > FRAMING_MAX ? E_TOOBIG : 0);
    }
}

/* ---- connections --------------------------------------------------------------------------------
 */

enum { CONNS = 8, MS = US_PER_MS };

struct shard {
    struct loop *loop;
    struct tcp *tcp;
    struct pkt_pool pool;
    struct txbatch tx;
    mono_us now;
    enum drop answer; /* what input says */
    bool close_inside;
    unsigned got;
    unsigned closed;
    struct tuple from;
    struct tuple gone;
    uint16_t len;
    uint8_t first;
};

static struct pkt *shard_room(void *arg)
{
    struct shard *s = arg;
    return pkt_new(&s->pool);
}

static enum drop shard_input(void *arg, struct pkt *pkt, const struct tuple *from, mono_us now)
{
    struct shard *s = arg;
    (void)now;
    s->got++;
    s->from = *from;
    s->len = pkt->len;
    s->first = pkt->data[0];
    pkt_put(&pkt);
    if (s->close_inside) {
        tcp_close(s->tcp, from);
    }
    return s->answer;
}

static void shard_closed(void *arg, const struct tuple *tuple, mono_us now)
{
    struct shard *s = arg;
    (void)now;
    s->closed++;
    s->gone = *tuple;
}

static void shard_flush(void *arg, struct txbatch *batch)
{
    struct shard *s = arg;
    tcp_send_batch(s->tcp, batch, s->now);
}

static void shard_open(struct shard *s)
{
    memset(s, 0, sizeof(*s));
    const struct tcp_config config = {.ipv4 = true, .conns_max = CONNS};
    const struct tcp_hooks hooks = {
        .arg = s, .room_h = shard_room, .input_h = shard_input, .closed_h = shard_closed};
    assert_int_equal(loop_new(&s->loop, 32), 0);
    assert_int_equal(pkt_pool_init(&s->pool, 0, 16, 0), 0);
    assert_int_equal(txbatch_init(&s->tx, shard_flush, s), 0);
    assert_int_equal(tcp_new(&s->tcp, s->loop, &config, &hooks), 0);
}

static void shard_close(struct shard *s)
{
    tcp_free(s->tcp);
    loop_free(s->loop);
    txbatch_fini(&s->tx);
    assert_int_equal(pkt_pool_used(&s->pool), 0);
    pkt_pool_fini(&s->pool);
}

/* Lets everything happen that is ready. */
static void turn(struct shard *s)
{
    for (int i = 0; i < 4; i++) {
        s->now = loop_wait(s->loop, 0);
    }
}

static struct tcp_stats stats_of(const struct shard *s)
{
    struct tcp_stats stats;
    tcp_stats_read(s->tcp, &stats);
    return stats;
}

static int client_open(struct shard *s)
{
    union sockaddr_any any;
    struct addr to;
    assert_int_equal(addr_parse(&to, "127.0.0.1"), 0);
    to.port = tcp_port(s->tcp);
    socklen_t len = sockaddr_from(&any, &to);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, &any.any, len), 0);
    turn(s);
    return fd;
}

static void client_frame(struct shard *s, int fd, uint8_t fill, size_t len)
{
    uint8_t frame[FRAMING_HEAD + FRAMING_MAX];
    size_t n = frame_put(frame, fill, len);
    assert_int_equal(send(fd, frame, n, MSG_NOSIGNAL), (ssize_t)n);
    turn(s);
}

static void read_exactly(int fd, uint8_t *out, size_t len)
{
    assert_int_equal(recv(fd, out, len, MSG_WAITALL), (ssize_t)len);
}

static bool client_cut(int fd)
{
    uint8_t byte;
    ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno == ECONNRESET);
}

static void batch_add(struct shard *s, uint8_t fill, size_t len)
{
    memset(txbatch_room(&s->tx), fill, len);
    txbatch_commit(&s->tx, &s->from, len);
}

static void test_datagrams_travel_in_frames_both_ways(void **state)
{
    (void)state;
    struct shard s;
    shard_open(&s);
    int fd = client_open(&s);
    client_frame(&s, fd, 'a', 100);
    assert_int_equal(s.got, 1);
    assert_int_equal(s.len, 100);
    assert_int_equal(s.first, 'a');
    assert_int_equal(s.from.proto, ADDR_TCP);
    assert_int_not_equal(s.from.conn, 0);
    assert_int_equal(s.from.local.port, tcp_port(s.tcp));
    assert_int_equal(s.from.remote.port, sockaddr_port(fd));
    for (uint8_t i = 0; i < 5; i++) {
        batch_add(&s, i, 50 + i);
    }
    txbatch_flush(&s.tx);
    for (uint8_t i = 0; i < 5; i++) {
        uint8_t got[64], want[64];
        size_t len = frame_put(want, i, 50 + i);
        read_exactly(fd, got, len);
        assert_memory_equal(got, want, len);
    }
    assert_int_equal(stats_of(&s).tx_frames, 5);
    assert_int_equal(stats_of(&s).conns, 1);
    assert_int_equal(stats_of(&s).unconfirmed, 0);
    close(fd);
    turn(&s);
    assert_int_equal(s.closed, 0); /* told by the timer, never from inside */
    assert_true(tcp_deadline(s.tcp) <= s.now);
    tcp_timer(s.tcp, s.now);
    assert_int_equal(s.closed, 1);
    assert_true(tuple_equal(&s.gone, &s.from));
    assert_true(tcp_deadline(s.tcp) == MONO_NEVER);
    batch_add(&s, 1, 10);
    txbatch_flush(&s.tx); /* a tuple of the past finds nobody */
    assert_int_equal(stats_of(&s).tx_dropped, 1);
    shard_close(&s);
}

static void test_a_connection_without_a_check_is_closed_after_ten_seconds(void **state)
{
    (void)state;
    struct shard s;
    shard_open(&s);
    s.answer = DROP_STUN_AUTH;
    int fd = client_open(&s);
    mono_us begin = s.now;
    client_frame(&s, fd, 'x', 40);
    assert_int_equal(stats_of(&s).unconfirmed, 1);
    mono_us deadline = tcp_deadline(s.tcp);
    assert_true(deadline <= begin + TCP_CONFIRM_US);
    assert_true(deadline > begin + TCP_CONFIRM_US - US_PER_S);
    tcp_timer(s.tcp, deadline - 1);
    assert_false(client_cut(fd));
    tcp_timer(s.tcp, deadline);
    assert_true(client_cut(fd));
    assert_int_equal(s.closed, 1);
    assert_int_equal(stats_of(&s).timed_out, 1);
    assert_int_equal(stats_of(&s).conns, 0);
    close(fd);
    /* A useful one stays, until it has been silent for a minute. */
    s.answer = DROP_NONE;
    fd = client_open(&s);
    client_frame(&s, fd, 'x', 40);
    tcp_timer(s.tcp, s.now + TCP_IDLE_US - US_PER_S);
    assert_false(client_cut(fd));
    tcp_timer(s.tcp, s.now + TCP_IDLE_US + 1);
    assert_true(client_cut(fd));
    close(fd);
    shard_close(&s);
}

static void test_connections_are_bounded(void **state)
{
    (void)state;
    struct shard s;
    shard_open(&s);
    int fd[CONNS + 1];
    s.answer = DROP_STUN_BAD;
    for (int i = 0; i < 3; i++) {
        fd[i] = client_open(&s);
    }
    assert_false(client_cut(fd[1]));
    assert_true(client_cut(fd[2])); /* a quarter of eight may be strangers */
    assert_int_equal(stats_of(&s).refused, 1);
    s.answer = DROP_NONE;
    for (int i = 0; i < 2; i++) {
        client_frame(&s, fd[i], 'x', 20);
    }
    close(fd[2]);
    for (int i = 2; i < CONNS; i++) {
        fd[i] = client_open(&s);
        client_frame(&s, fd[i], 'x', 20);
    }
    fd[CONNS] = client_open(&s);
    assert_true(client_cut(fd[CONNS]));
    assert_int_equal(stats_of(&s).conns, CONNS);
    struct tuple old = s.from;
    tcp_close(s.tcp, &old);
    assert_int_equal(s.closed, 0); /* who closes need not be told */
    turn(&s);
    assert_true(client_cut(fd[CONNS - 1]));
    close(fd[CONNS]);
    fd[CONNS] = client_open(&s);
    client_frame(&s, fd[CONNS], 'x', 20);
    assert_int_not_equal(s.from.conn, old.conn); /* same row, another number */
    tcp_close(s.tcp, &old);
    assert_false(client_cut(fd[CONNS]));
    for (int i = 0; i <= CONNS; i++) {
        close(fd[i]);
    }
    shard_close(&s);
}

static void test_s3_a_bad_stream_is_cut(void **state)
{
    (void)state;
    struct shard s;
    shard_open(&s);
    int fd = client_open(&s);
    client_frame(&s, fd, 'x', 20);
    uint8_t head[FRAMING_HEAD];
    framing_head(head, FRAMING_MAX + 1);
    assert_int_equal(send(fd, head, sizeof(head), 0), 2);
    turn(&s);
    assert_true(client_cut(fd));
    assert_int_equal(stats_of(&s).cut_bad, 1);
    close(fd);
    shard_close(&s);
}

static void test_closing_from_inside_an_input_is_safe(void **state)
{
    (void)state;
    struct shard s;
    shard_open(&s);
    s.close_inside = true;
    int fd = client_open(&s);
    uint8_t two[64];
    size_t len = frame_put(two, 'a', 20);
    len += frame_put(two + len, 'b', 20);
    assert_int_equal(send(fd, two, len, 0), (ssize_t)len);
    turn(&s);
    assert_int_equal(s.got, 1); /* nothing after the close */
    assert_true(client_cut(fd));
    assert_int_equal(stats_of(&s).conns, 0);
    close(fd);
    shard_close(&s);
}

/* Fills the connection of s->from until frames are lost. */
static unsigned fill(struct shard *s)
{
    unsigned sent = 0;
    while (!stats_of(s).tx_dropped && !stats_of(s).cut_slow && sent < 20000) {
        for (unsigned i = 0; i < 20; i++, sent++) {
            batch_add(s, (uint8_t)sent, 1000);
        }
        txbatch_flush(&s->tx);
    }
    return sent;
}

static void test_a_slow_reader_loses_whole_frames_then_goes(void **state)
{
    (void)state;
    struct shard s;
    shard_open(&s);
    int fd = client_open(&s);
    client_frame(&s, fd, 'x', 20);
    long live = mem_live();
    unsigned sent = fill(&s);
    assert_true(sent < 20000);
    assert_int_equal(stats_of(&s).cut_slow, 0);
    assert_true(mem_live() <= live + 1); /* one buffer, bounded */
    /* It reads again: what comes is in step, frame by frame. */
    uint64_t frames = stats_of(&s).tx_frames;
    int last = -1;
    for (uint64_t i = 0; i < frames; i++) {
        uint8_t got[FRAMING_HEAD + 1000];
        struct pollfd p = {.fd = fd, .events = POLLIN};
        while (poll(&p, 1, 0) == 0) {
            turn(&s);
        }
        size_t have = 0;
        while (have < sizeof(got)) {
            ssize_t n = recv(fd, got + have, sizeof(got) - have, MSG_DONTWAIT);
            have += n > 0 ? (size_t)n : 0;
            turn(&s);
        }
        assert_int_equal(got[0] << 8 | got[1], 1000);
        assert_int_equal(got[2], got[1001]);
        last = got[2];
    }
    assert_true(last >= 0);
    assert_int_equal(mem_live(), live); /* the buffer is given back */
    /* It stops for good: cut after ten seconds without progress. */
    struct tcp_stats before = stats_of(&s);
    for (unsigned i = 0; i < 5000; i++) {
        batch_add(&s, 1, 1000);
    }
    txbatch_flush(&s.tx);
    assert_true(stats_of(&s).tx_dropped > before.tx_dropped);
    tcp_timer(s.tcp, s.now + TCP_STALL_US - US_PER_S);
    assert_int_equal(stats_of(&s).cut_slow, 0);
    tcp_timer(s.tcp, s.now + TCP_STALL_US + 1);
    assert_int_equal(stats_of(&s).cut_slow, 1);
    assert_int_equal(s.closed, 1);
    close(fd);
    shard_close(&s);
}

static void test_bad_settings_are_refused(void **state)
{
    (void)state;
    struct loop *loop;
    assert_int_equal(loop_new(&loop, 8), 0);
    struct tcp *tcp = NULL;
    const struct tcp_hooks hooks = {0};
    struct tcp_config config = {.ipv4 = true, .conns_max = 0};
    assert_int_equal(tcp_new(&tcp, loop, &config, &hooks), E_RANGE);
    config.conns_max = TCP_CONNS_MAX + 1;
    assert_int_equal(tcp_new(&tcp, loop, &config, &hooks), E_RANGE);
    config = (struct tcp_config){.conns_max = 1};
    assert_int_equal(tcp_new(&tcp, loop, &config, &hooks), E_RANGE);
    config.ipv4 = true;
    struct tcp *first;
    assert_int_equal(tcp_new(&first, loop, &config, &hooks), 0);
    config.port = tcp_port(first);
    assert_int_equal(tcp_new(&tcp, loop, &config, &hooks), E_BUSY);
    assert_null(tcp);
    tcp_free(first);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(test_frames_come_out_however_the_stream_is_cut),
        UNIT(test_s3_a_frame_too_long_is_refused_by_its_head),
        UNIT(test_datagrams_travel_in_frames_both_ways),
        UNIT(test_a_connection_without_a_check_is_closed_after_ten_seconds),
        UNIT(test_connections_are_bounded),
        UNIT(test_s3_a_bad_stream_is_cut),
        UNIT(test_closing_from_inside_an_input_is_safe),
        UNIT(test_a_slow_reader_loses_whole_frames_then_goes),
        UNIT(test_bad_settings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
