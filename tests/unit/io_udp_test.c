/* UDP over loopback: boundaries, addresses, segmentation, bounds. Covers server/io/{udp,hosts,
 * sockaddr} and server/proto/txbatch. */
#include "tests/unit/support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "server/io/hosts.h"
#include "server/io/sockaddr.h"
#include "server/io/udp.h"
#include "server/proto/txbatch.h"

enum { POOL = 256 };

/* A shard's port with packets to receive into, and what came in. */
struct port {
    struct udp *udp;
    struct pkt_pool pool;
    struct txbatch tx;
    bool dry; /* gives no packets */
    unsigned got;
    struct tuple from;
    uint16_t len;
    uint8_t data[PKT_DATA_MAX];
};

static struct pkt *port_room(void *arg)
{
    struct port *p = arg;
    return p->dry ? NULL : pkt_new(&p->pool);
}

static enum drop port_input(void *arg, struct pkt *pkt, const struct tuple *from, mono_us now)
{
    struct port *p = arg;
    assert_true(pkt->arrival == now);
    p->got++;
    p->from = *from;
    p->len = pkt->len;
    memcpy(p->data, pkt->data, pkt->len);
    pkt_put(&pkt);
    return DROP_NONE;
}

static void port_flush(void *arg, struct txbatch *batch)
{
    struct port *p = arg;
    udp_send_batch(p->udp, batch);
}

static void port_open(struct port *p, bool gso)
{
    memset(p, 0, sizeof(*p));
    const struct udp_config config = {.ipv4 = true, .ipv6 = true, .gso = gso};
    const struct udp_hooks hooks = {.arg = p, .room_h = port_room, .input_h = port_input};
    assert_int_equal(pkt_pool_init(&p->pool, 0, POOL, 0), 0);
    assert_int_equal(txbatch_init(&p->tx, port_flush, p), 0);
    assert_int_equal(udp_new(&p->udp, &config, &hooks), 0);
    assert_int_not_equal(udp_port(p->udp), 0);
}

static void port_close(struct port *p)
{
    udp_free(p->udp);
    txbatch_fini(&p->tx);
    assert_int_equal(pkt_pool_used(&p->pool), 0);
    pkt_pool_fini(&p->pool);
}

/* A plain socket bound to ip on the other end. */
static int client_open(const char *ip, struct addr *addr)
{
    union sockaddr_any any;
    assert_int_equal(addr_parse(addr, ip), 0);
    socklen_t len = sockaddr_from(&any, addr);
    int fd = socket(addr->family == ADDR_V6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, &any.any, len), 0);
    (void)sockopt_set(fd, SOL_SOCKET, SO_RCVBUF, 1 << 20);
    addr->port = sockaddr_port(fd);
    return fd;
}

static void client_send(int fd, const char *ip, uint16_t port, const void *data, size_t len)
{
    union sockaddr_any any;
    struct addr to;
    assert_int_equal(addr_parse(&to, ip), 0);
    to.port = port;
    socklen_t any_len = sockaddr_from(&any, &to);
    assert_int_equal(sendto(fd, data, len, 0, &any.any, any_len), (ssize_t)len);
}

/* Receives one datagram that must be there; its sender in *from. */
static size_t client_receive(int fd, uint8_t *out, size_t cap, struct addr *from)
{
    union sockaddr_any any = {0};
    socklen_t len = sizeof(any);
    ssize_t n = recvfrom(fd, out, cap, 0, &any.any, &len);
    assert_true(n >= 0);
    sockaddr_to(from, &any);
    return (size_t)n;
}

static void batch_add(struct port *p, const struct tuple *to, uint8_t fill, size_t len)
{
    uint8_t *room = txbatch_room(&p->tx);
    memset(room, fill, len);
    txbatch_commit(&p->tx, to, len);
}

/* Hears a datagram of the client at `ip`, so that p->from says how to answer. */
static void hear(struct port *p, int fd, const char *ip, unsigned socket)
{
    client_send(fd, ip, udp_port(p->udp), "hello", 5);
    assert_int_equal(udp_receive(p->udp, socket, 4, 7), 1);
    assert_int_equal(p->len, 5);
    assert_memory_equal(p->data, "hello", 5);
}

static void check_run(struct port *p, int fd, const char *ip, unsigned socket)
{
    static const size_t sizes[] = {1200, 1200, 1200, 1200, 900, 100, 100, 100, 37, 1201, 1, 1};
    enum { COUNT = sizeof(sizes) / sizeof(sizes[0]) };
    hear(p, fd, ip, socket);
    struct addr local;
    assert_int_equal(addr_parse(&local, ip), 0);
    local.port = udp_port(p->udp);
    assert_true(addr_equal(&p->from.local, &local));
    for (size_t i = 0; i < COUNT; i++) {
        batch_add(p, &p->from, (uint8_t)i, sizes[i]);
    }
    txbatch_flush(&p->tx);
    for (size_t i = 0; i < COUNT; i++) {
        uint8_t got[2048], want[2048];
        struct addr from;
        assert_int_equal(client_receive(fd, got, sizeof(got), &from), sizes[i]);
        memset(want, (int)i, sizes[i]);
        assert_memory_equal(got, want, sizes[i]);
        assert_true(addr_equal(&from, &local)); /* from the address the client wrote to */
    }
    uint8_t none;
    assert_int_equal(recv(fd, &none, 1, 0), -1);
    struct udp_stats stats;
    udp_stats_read(p->udp, &stats);
    assert_int_equal(stats.tx_dropped, 0);
}

static void test_datagrams_keep_their_boundaries_and_source(void **state)
{
    (void)state;
    for (int gso = 0; gso < 2; gso++) {
        struct port p;
        struct addr addr;
        port_open(&p, gso);
        /* Two addresses of one host: an answer must leave from the one that was asked. */
        int fd = client_open("127.0.0.1", &addr);
        check_run(&p, fd, "127.0.0.1", 0);
        check_run(&p, fd, "127.0.0.9", 0);
        assert_true(addr_equal(&p.from.remote, &addr));
        close(fd);
        if (udp_fd(p.udp, 1) >= 0) {
            fd = client_open("::1", &addr);
            check_run(&p, fd, "::1", 1);
            assert_true(addr_equal(&p.from.remote, &addr));
            close(fd);
        }
        struct udp_stats stats;
        udp_stats_read(p.udp, &stats);
        assert_int_equal(stats.rx_datagrams, udp_fd(p.udp, 1) >= 0 ? 3 : 2);
        assert_int_equal(stats.gso_fallbacks, 0);
        if (gso) { /* a batch is one call per family */
            assert_int_equal(stats.tx_calls, stats.rx_datagrams);
        }
        port_close(&p);
    }
}

static void test_a_full_batch_arrives(void **state)
{
    (void)state;
    struct port p;
    struct addr addr;
    port_open(&p, true);
    int fd = client_open("127.0.0.1", &addr);
    hear(&p, fd, "127.0.0.1", 0);
    unsigned sent = 0, received = 0;
    for (unsigned i = 0; i < 600; i++) { /* sizes never fit a run: a row each, two flushes */
        batch_add(&p, &p.from, (uint8_t)i, 100 + i % 2 * 20 + i % 3);
        sent++;
        if (i % 100 == 99) {
            txbatch_flush(&p.tx);
            uint8_t got[2048];
            while (recv(fd, got, sizeof(got), 0) > 0) {
                received++;
            }
        }
    }
    assert_int_equal(received, sent);
    close(fd);
    port_close(&p);
}

static void test_what_the_kernel_refuses_is_dropped_and_the_rest_goes(void **state)
{
    (void)state;
    struct port p;
    struct addr addr;
    port_open(&p, true);
    int fd = client_open("127.0.0.1", &addr);
    hear(&p, fd, "127.0.0.1", 0);
    struct tuple good = p.from;
    struct tuple bad = good;
    assert_int_equal(addr_parse(&bad.local, "192.0.2.77"), 0); /* not an address of ours */
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 3; i++) {
            batch_add(&p, &bad, 1, 500);
        }
        for (int i = 0; i < 3; i++) {
            batch_add(&p, &good, 2, 500);
        }
        txbatch_flush(&p.tx);
        for (int i = 0; i < 3; i++) {
            uint8_t got[512];
            assert_int_equal(recv(fd, got, sizeof(got), 0), 500);
            assert_int_equal(got[0], 2);
        }
    }
    struct udp_stats stats;
    udp_stats_read(p.udp, &stats);
    assert_int_equal(stats.tx_dropped, 60);
    assert_int_equal(stats.tx_datagrams, 60);
    assert_int_equal(stats.gso_fallbacks, 0); /* segmentation was not to blame */
    close(fd);
    port_close(&p);
}

static void test_without_packets_the_socket_is_still_emptied(void **state)
{
    (void)state;
    struct port p;
    struct addr addr;
    port_open(&p, true);
    int fd = client_open("127.0.0.1", &addr);
    p.dry = true;
    for (int i = 0; i < 10; i++) {
        client_send(fd, "127.0.0.1", udp_port(p.udp), "x", 1);
    }
    assert_int_equal(udp_receive(p.udp, 0, 1, 1), 10);
    assert_int_equal(p.got, 0);
    assert_int_equal(udp_receive(p.udp, 0, 1, 1), 0);
    p.dry = false;
    hear(&p, fd, "127.0.0.1", 0);
    /* Too big for a packet: dropped, the next one comes through. */
    static const uint8_t big[4000];
    client_send(fd, "127.0.0.1", udp_port(p.udp), big, sizeof(big));
    assert_int_equal(udp_receive(p.udp, 0, 1, 1), 1);
    hear(&p, fd, "127.0.0.1", 0);
    client_send(fd, "127.0.0.1", udp_port(p.udp), "", 0);
    assert_int_equal(udp_receive(p.udp, 0, 1, 1), 1);
    assert_int_equal(p.len, 0);
    struct udp_stats stats;
    udp_stats_read(p.udp, &stats);
    assert_int_equal(stats.rx_no_room, 10);
    assert_int_equal(stats.rx_too_big, 1);
    close(fd);
    port_close(&p);
}

static void test_rounds_bound_one_turn(void **state)
{
    (void)state;
    struct port p;
    struct addr addr;
    port_open(&p, true);
    int fd = client_open("127.0.0.1", &addr);
    for (int i = 0; i < 3 * UDP_BATCH + 5; i++) {
        client_send(fd, "127.0.0.1", udp_port(p.udp), "x", 1);
    }
    assert_int_equal(udp_receive(p.udp, 0, 2, 1), 2 * UDP_BATCH);
    assert_int_equal(udp_receive(p.udp, 0, 9, 1), UDP_BATCH + 5);
    assert_int_equal(udp_receive(p.udp, 7, 1, 1), 0);
    close(fd);
    port_close(&p);
}

static void test_a_taken_port_is_an_error(void **state)
{
    (void)state;
    struct port p;
    port_open(&p, true);
    const struct udp_hooks hooks = {.arg = &p, .room_h = port_room, .input_h = port_input};
    struct udp_config config = {.ipv4 = true, .ipv6 = true, .port = udp_port(p.udp)};
    struct udp *second = NULL;
    assert_int_equal(udp_new(&second, &config, &hooks), E_BUSY);
    config.ipv4 = config.ipv6 = false;
    assert_int_equal(udp_new(&second, &config, &hooks), E_RANGE);
    assert_null(second);
    port_close(&p);
}

static void test_hosts_are_listed_without_link_local(void **state)
{
    (void)state;
    struct addr list[64];
    int n = hosts_list(list, 64, HOSTS_V4 | HOSTS_V6);
    assert_in_range(n, 1, 64); /* loopback if there is nothing else */
    bool v6_seen = false;
    for (int i = 0; i < n; i++) {
        assert_int_equal(list[i].port, 0);
        assert_false(list[i].family == ADDR_V6 && list[i].ip[0] == 0xfe);
        assert_false(list[i].family == ADDR_V4 && list[i].ip[0] == 169 && list[i].ip[1] == 254);
        bool loopback = list[i].ip[0] == 127;
        assert_false(v6_seen && list[i].family == ADDR_V4 && !loopback);
        v6_seen = v6_seen || list[i].family == ADDR_V6;
    }
    n = hosts_list(list, 64, HOSTS_V4 | HOSTS_LOOPBACK);
    struct addr home;
    assert_int_equal(addr_parse(&home, "127.0.0.1"), 0);
    bool found = false;
    for (int i = 0; i < n; i++) {
        assert_int_equal(list[i].family, ADDR_V4);
        found = found || addr_equal(&list[i], &home);
    }
    assert_true(found);
    assert_int_equal(hosts_list(list, 1, HOSTS_V4 | HOSTS_LOOPBACK), 1);
    assert_int_equal(hosts_list(list, 64, 0), 0);
}

static void test_addresses_survive_the_kernels_form(void **state)
{
    (void)state;
    static const char *const texts[] = {"192.0.2.1", "2001:db8::1", "0.0.0.0", "::"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct addr in, out;
        union sockaddr_any any;
        assert_int_equal(addr_parse(&in, texts[i]), 0);
        in.port = 443;
        assert_true(sockaddr_from(&any, &in) > 0);
        sockaddr_to(&out, &any);
        assert_true(addr_equal(&in, &out));
    }
    struct addr none = {0};
    union sockaddr_any any;
    assert_int_equal(sockaddr_from(&any, &none), 0);
    any.any.sa_family = AF_UNIX;
    sockaddr_to(&none, &any);
    assert_int_equal(none.family, ADDR_NONE);
    assert_int_equal(sockaddr_port(-1), 0);
    assert_int_equal(sockaddr_error(EACCES), E_DENIED);
    assert_int_equal(sockaddr_error(EMFILE), E_NOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(test_datagrams_keep_their_boundaries_and_source),
        UNIT(test_a_full_batch_arrives),
        UNIT(test_what_the_kernel_refuses_is_dropped_and_the_rest_goes),
        UNIT(test_without_packets_the_socket_is_still_emptied),
        UNIT(test_rounds_bound_one_turn),
        UNIT(test_a_taken_port_is_an_error),
        UNIT(test_hosts_are_listed_without_link_local),
        UNIT(test_addresses_survive_the_kernels_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
