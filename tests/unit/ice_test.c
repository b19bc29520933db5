/* The ICE-lite agent: who is answered, which path is taken, when consent ends; S3, S4, S7. */
#include "tests/unit/support.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/base/rw.h"
#include "codec/wire/stun.h"
#include "server/crypto/crypto.h"
#include "server/proto/ice.h"

static struct crypto_identity *identity;
static struct crypto *crypto;
static const struct crypto_ops *ops;

static int suite_setup(void **state)
{
    (void)state;
    const struct crypto_config config = {.handshakes_max = 1, .ssrcs_max = 1};
    assert_int_equal(crypto_identity_new(&identity), 0);
    assert_int_equal(crypto_new(&crypto, identity, &config), 0);
    ops = crypto_ops(crypto);
    return 0;
}

static int suite_teardown(void **state)
{
    (void)state;
    crypto_free(crypto);
    crypto_identity_free(identity);
    return 0;
}

struct peer {
    struct ice ice;
    struct rng_seeded seed;
    struct rng rng;
    mono_us now;
    struct ice_out out;
};

static void peer_init(struct peer *p)
{
    memset(p, 0, sizeof(*p));
    rng_seed(&p->seed, 8445);
    p->rng = rng_from_seeded(&p->seed);
    p->now = 100 * US_PER_S;
    ice_init(&p->ice, &p->rng);
    assert_int_equal(ice_set_remote(&p->ice, "page"), 0);
}

static struct tuple tuple_of(const char *ip, uint16_t port)
{
    struct tuple t = {.proto = ADDR_UDP};
    assert_int_equal(addr_parse(&t.remote, ip), 0);
    assert_int_equal(addr_parse(&t.local, "192.0.2.1"), 0);
    t.remote.port = port;
    t.local.port = 7000;
    return t;
}

struct check {
    const struct ice_creds *creds;
    const char *remote; /* NULL = that of creds */
    const char *pwd;    /* NULL = that of creds */
    uint8_t role;
    bool nominate;
};

static size_t check_build(uint8_t out[512], const struct check *check)
{
    char name[STUN_USERNAME_MAX];
    int n = snprintf(name, sizeof(name), "%s:%s", check->creds->ufrag,
                     check->remote ? check->remote : check->creds->remote);
    const char *pwd = check->pwd ? check->pwd : check->creds->pwd;
    struct stun_request req = {
        .txid = "abcdefghijk",
        .username = name,
        .username_len = (size_t)n,
        .priority = 1,
        .role = check->role ? check->role : STUN_CONTROLLING,
        .use_candidate = check->nominate,
        .tie_breaker = 7,
    };
    int len = stun_build_request(out, 512, &req, pwd, strlen(pwd), ops->hmac_sha1);
    assert_true(len > 0);
    return (size_t)len;
}

static enum drop send_check(struct peer *p, const struct tuple *from, const struct check *check)
{
    uint8_t msg[512];
    size_t len = check_build(msg, check);
    return ice_input(&p->ice, ops, msg, len, from, p->now, &p->out);
}

/* A plain check with the current credentials: must succeed and be answered properly. */
static unsigned good_check(struct peer *p, const struct tuple *from, bool nominate)
{
    struct check check = {.creds = &p->ice.creds, .nominate = nominate};
    char pwd[ICE_PWD_LEN + 1];
    memcpy(pwd, p->ice.creds.pwd, sizeof(pwd));
    assert_int_equal(send_check(p, from, &check), DROP_NONE);
    struct stun_msg answer;
    assert_int_equal(stun_parse(&answer, p->out.response, p->out.len), 0);
    assert_int_equal(answer.class, STUN_SUCCESS);
    assert_memory_equal(answer.txid, "abcdefghijk", STUN_TXID_LEN);
    assert_true(addr_equal(&answer.mapped, &from->remote));
    assert_true(answer.has_fingerprint);
    assert_int_equal(stun_check(&answer, p->out.response, pwd, ICE_PWD_LEN, ops->hmac_sha1), 0);
    return p->out.changes;
}

/* A peer that has nominated its first path; returns that. */
static struct tuple connected(struct peer *p)
{
    peer_init(p);
    struct tuple home = tuple_of("198.51.100.7", 4000);
    good_check(p, &home, true);
    return home;
}

static bool selected_is(const struct peer *p, const struct tuple *tuple)
{
    return ice_selected(&p->ice) && tuple_equal(ice_selected(&p->ice), tuple);
}

/* ---- answering ----------------------------------------------------------------------------------
 */

static void test_the_first_check_opens_a_path(void **state)
{
    (void)state;
    struct peer p;
    peer_init(&p);
    struct tuple home = tuple_of("198.51.100.7", 4000);
    assert_null(ice_selected(&p.ice));
    assert_false(ice_can_send(&p.ice, p.now));
    assert_true(ice_deadline(&p.ice) == MONO_NEVER);
    assert_int_equal(good_check(&p, &home, false), ICE_NEW_PATH | ICE_SELECTED);
    assert_true(selected_is(&p, &home));
    assert_true(ice_can_send(&p.ice, p.now));
    assert_int_equal(ice_knows(&p.ice, &home, p.now), 0);
    assert_int_equal(good_check(&p, &home, true), 0);
    struct tuple six = tuple_of("2001:db8::7", 4000);
    assert_int_equal(good_check(&p, &six, false), ICE_NEW_PATH);
    assert_int_equal(p.ice.checks, 3);
}

static void test_s4_what_is_not_authenticated_gets_silence(void **state)
{
    (void)state;
    struct peer p;
    peer_init(&p);
    struct tuple home = tuple_of("198.51.100.7", 4000);
    uint8_t msg[512];
    const struct {
        struct check check;
        enum drop drop;
    } rows[] = {
        {{.creds = &p.ice.creds, .pwd = "123456789012345678901234"}, DROP_STUN_AUTH},
        {{.creds = &p.ice.creds, .pwd = ""}, DROP_STUN_AUTH},
        {{.creds = &p.ice.creds, .remote = "pagf"}, DROP_STUN_UNKNOWN_USER},
        {{.creds = &p.ice.creds, .remote = "page2"}, DROP_STUN_UNKNOWN_USER},
        {{.creds = &p.ice.creds, .remote = ""}, DROP_STUN_UNKNOWN_USER},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(send_check(&p, &home, &rows[i].check), rows[i].drop);
        assert_int_equal(p.out.len, 0);
        assert_int_equal(p.out.changes, 0);
    }
    /* Without MESSAGE-INTEGRITY; a response; garbage. */
    struct check check = {.creds = &p.ice.creds};
    size_t len = check_build(msg, &check);
    struct stun_msg parsed;
    assert_int_equal(stun_parse(&parsed, msg, len), 0);
    uint16_t bare = (uint16_t)(parsed.integrity_at - STUN_HEADER_LEN);
    put_u16(msg + 2, bare);
    assert_int_equal(ice_input(&p.ice, ops, msg, parsed.integrity_at, &home, p.now, &p.out),
                     DROP_STUN_AUTH);
    int n = stun_build_success(msg, sizeof(msg), parsed.txid, &home.remote, p.ice.creds.pwd,
                               ICE_PWD_LEN, ops->hmac_sha1);
    assert_int_equal(ice_input(&p.ice, ops, msg, (size_t)n, &home, p.now, &p.out), DROP_STUN_BAD);
    assert_int_equal(ice_input(&p.ice, ops, msg, 7, &home, p.now, &p.out), DROP_STUN_BAD);
    assert_int_equal(p.out.len, 0);
    assert_null(ice_selected(&p.ice));
    assert_int_equal(p.ice.checks, 0);
}

static void test_no_remote_means_nobody_is_answered(void **state)
{
    (void)state;
    struct peer p;
    peer_init(&p);
    ice_init(&p.ice, &p.rng);
    struct tuple home = tuple_of("198.51.100.7", 4000);
    struct check check = {.creds = &p.ice.creds};
    assert_int_equal(send_check(&p, &home, &check), DROP_STUN_UNKNOWN_USER);
    assert_int_equal(ice_set_remote(&p.ice, ""), E_BAD);
    assert_int_equal(ice_set_remote(&p.ice, "123456789012345678901234567890123"), E_BAD);
    assert_int_equal(ice_set_remote(&p.ice, "12345678901234567890123456789012"), 0);
    assert_int_equal(send_check(&p, &home, &check), DROP_NONE);
}

static void test_s3_a_bit_flipped_before_integrity_rejects_one_behind_has_no_effect(void **state)
{
    (void)state;
    struct peer p;
    peer_init(&p);
    struct tuple home = tuple_of("198.51.100.7", 4000);
    struct check check = {.creds = &p.ice.creds};
    uint8_t msg[512], flipped[512];
    size_t len = check_build(msg, &check);
    struct stun_msg parsed;
    assert_int_equal(stun_parse(&parsed, msg, len), 0);
    size_t end = parsed.integrity_at + 24u; /* attribute head and code */
    for (size_t bit = 0; bit < end * 8; bit++) {
        memcpy(flipped, msg, len);
        flipped[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(ice_input(&p.ice, ops, flipped, len, &home, p.now, &p.out), DROP_NONE);
        /* Without FINGERPRINT only the integrity speaks. */
        memcpy(flipped, msg, end);
        put_u16(flipped + 2, (uint16_t)(end - STUN_HEADER_LEN));
        flipped[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(ice_input(&p.ice, ops, flipped, end, &home, p.now, &p.out), DROP_NONE);
        assert_int_equal(p.out.len, 0);
    }
    assert_null(ice_selected(&p.ice));
    /* USE-CANDIDATE appended behind the integrity is not seen. */
    struct tuple other = tuple_of("198.51.100.8", 4000);
    assert_int_equal(good_check(&p, &home, true), ICE_NEW_PATH | ICE_SELECTED);
    memcpy(flipped, msg, end);
    memcpy(flipped + end, "\x00\x25\x00\x00", 4);
    put_u16(flipped + 2, (uint16_t)(end + 4 - STUN_HEADER_LEN));
    assert_int_equal(ice_input(&p.ice, ops, flipped, end + 4, &other, p.now, &p.out), DROP_NONE);
    assert_true(selected_is(&p, &home));
}

static void test_a_controlled_peer_is_told_to_change_its_role(void **state)
{
    (void)state;
    struct peer p;
    peer_init(&p);
    struct tuple home = tuple_of("198.51.100.7", 4000);
    struct check check = {.creds = &p.ice.creds, .role = STUN_CONTROLLED, .nominate = true};
    assert_int_equal(send_check(&p, &home, &check), DROP_NONE);
    struct stun_msg answer;
    assert_int_equal(stun_parse(&answer, p.out.response, p.out.len), 0);
    assert_int_equal(answer.class, STUN_ERROR);
    assert_int_equal(answer.error_code, STUN_ROLE_CONFLICT);
    assert_int_equal(
        stun_check(&answer, p.out.response, p.ice.creds.pwd, ICE_PWD_LEN, ops->hmac_sha1), 0);
    assert_null(ice_selected(&p.ice));
}

/* RFC 8489 6.3.1: what must be understood and is not is named, and nothing else is done. */
static void test_an_attribute_nobody_knows_is_named(void **state)
{
    (void)state;
    struct peer p;
    peer_init(&p);
    struct tuple home = tuple_of("198.51.100.7", 4000);
    struct check check = {.creds = &p.ice.creds, .nominate = true};
    uint8_t msg[512];
    struct stun_msg parsed;
    size_t len = check_build(msg, &check);
    assert_int_equal(stun_parse(&parsed, msg, len), 0);
    size_t at = parsed.integrity_at;
    memcpy(msg + at, "\x7f\xfe\x00\x00", 4);
    at += 4;
    put_u16(msg + 2, (uint16_t)(at + 24 - STUN_HEADER_LEN));
    ops->hmac_sha1((const uint8_t *)p.ice.creds.pwd, ICE_PWD_LEN, msg, at, msg + at + 4);
    memcpy(msg + at, "\x00\x08\x00\x14", 4);
    assert_int_equal(ice_input(&p.ice, ops, msg, at + 24, &home, p.now, &p.out), DROP_NONE);
    assert_int_equal(stun_parse(&parsed, p.out.response, p.out.len), 0);
    assert_int_equal(parsed.class, STUN_ERROR);
    assert_int_equal(parsed.error_code, STUN_UNKNOWN_ATTRIBUTE);
    assert_int_equal(p.out.changes, 0);
    assert_null(ice_selected(&p.ice));
}

static void test_the_demux_reads_our_ufrag(void **state)
{
    (void)state;
    struct peer p;
    peer_init(&p);
    uint8_t msg[512];
    char ufrag[ICE_UFRAG_LEN + 1];
    struct check check = {.creds = &p.ice.creds};
    size_t len = check_build(msg, &check);
    assert_int_equal(ice_peek_ufrag(msg, len, ufrag), 0);
    assert_string_equal(ufrag, p.ice.creds.ufrag);
    assert_true(ice_ufrag_key(ufrag) == ice_ufrag_key(p.ice.creds.ufrag));
    struct ice_creds odd = {.ufrag = "short", .pwd = "x", .remote = "page"};
    check.creds = &odd;
    len = check_build(msg, &check);
    assert_int_equal(ice_peek_ufrag(msg, len, ufrag), E_NOTFOUND);
    assert_int_equal(ice_peek_ufrag(msg, 10, ufrag), E_BAD);
    struct ice other;
    ice_init(&other, &p.rng);
    assert_string_not_equal(other.creds.ufrag, p.ice.creds.ufrag);
    assert_int_equal(strspn(other.creds.ufrag, "abcdefghijklmnopqrstuvwxyz0123456789"),
                     ICE_UFRAG_LEN);
    assert_int_equal(strlen(other.creds.pwd), ICE_PWD_LEN);
}

/* ---- choosing -----------------------------------------------------------------------------------
 */

static void test_nomination_moves_the_selected_path(void **state)
{
    (void)state;
    struct peer p;
    struct tuple wifi = connected(&p);
    struct tuple cell = tuple_of("203.0.113.9", 5000);
    assert_int_equal(good_check(&p, &cell, false), ICE_NEW_PATH);
    assert_true(selected_is(&p, &wifi));
    assert_int_equal(good_check(&p, &cell, true), ICE_SELECTED);
    assert_true(selected_is(&p, &cell));
}

static void test_s7_an_unauthenticated_check_moves_nothing(void **state)
{
    (void)state;
    struct peer p;
    struct tuple home = connected(&p);
    struct tuple thief = tuple_of("203.0.113.66", 666);
    p.now += 20 * US_PER_S;
    struct check check = {.creds = &p.ice.creds, .pwd = "guess", .nominate = true};
    assert_int_equal(send_check(&p, &thief, &check), DROP_STUN_AUTH);
    assert_true(selected_is(&p, &home));
    assert_int_equal(ice_knows(&p.ice, &thief, p.now), -1);
    assert_true(ice_deadline(&p.ice) == p.now + 10 * US_PER_S);
}

static void test_s7_a_rebound_port_takes_over_when_the_old_one_is_silent(void **state)
{
    (void)state;
    struct peer p;
    struct tuple before = connected(&p);
    struct tuple after = tuple_of("198.51.100.7", 4999);
    struct tuple elsewhere = tuple_of("203.0.113.9", 5000);
    p.now += 900 * US_PER_MS;
    good_check(&p, &after, false);
    assert_true(selected_is(&p, &before)); /* the old port was heard 0.9 s ago */
    p.now += 1600 * US_PER_MS;
    good_check(&p, &elsewhere, false);
    assert_true(selected_is(&p, &before)); /* another host waits longer */
    assert_int_equal(good_check(&p, &after, false), ICE_SELECTED);
    assert_true(selected_is(&p, &after));
    p.now += 8 * US_PER_S;
    assert_int_equal(good_check(&p, &elsewhere, false), ICE_SELECTED);
}

static void test_a_second_path_does_not_take_over_from_one_that_carries_media(void **state)
{
    (void)state;
    struct peer p;
    struct tuple first = connected(&p);
    struct tuple second = tuple_of("198.51.100.7", 4001);
    for (unsigned i = 0; i < 100; i++) { /* its checks are lost; Chromium checks another one, too */
        p.now += 100 * US_PER_MS;
        assert_true(ice_heard(&p.ice, ice_knows(&p.ice, &first, p.now), p.now));
        good_check(&p, &second, false);
        assert_true(selected_is(&p, &first));
    }
    assert_int_equal(good_check(&p, &second, true), ICE_SELECTED);
    assert_int_equal(p.out.silent_us, 0);
}

static void test_s7_media_by_a_rebound_port_takes_over_when_none_comes_by_the_old_one(void **state)
{
    (void)state;
    struct peer p;
    struct tuple before = connected(&p);
    struct tuple after = tuple_of("198.51.100.7", 4999);
    struct tuple elsewhere = tuple_of("203.0.113.9", 5000);
    good_check(&p, &after, false);
    good_check(&p, &elsewhere, false);
    p.now += US_PER_S;
    assert_true(ice_heard(&p.ice, ice_knows(&p.ice, &before, p.now), p.now));
    p.now += 300 * US_PER_MS - 1;
    int at = ice_knows(&p.ice, &after, p.now);
    assert_false(ice_heard(&p.ice, at, p.now));
    ice_heard_beside(&p.ice, at, p.now, &p.out);
    assert_int_equal(p.out.changes, 0);
    p.now++;
    ice_heard_beside(&p.ice, ice_knows(&p.ice, &elsewhere, p.now), p.now, &p.out);
    assert_int_equal(p.out.changes, 0); /* another host: a browser says so */
    ice_heard_beside(&p.ice, at, p.now, &p.out);
    assert_int_equal(p.out.changes, ICE_SELECTED);
    assert_int_equal(p.out.silent_us, 300 * US_PER_MS);
    assert_true(selected_is(&p, &after));
}

static void test_tcp_takes_over_only_from_udp_that_went_silent(void **state)
{
    (void)state;
    struct peer p;
    peer_init(&p);
    struct tuple udp = tuple_of("198.51.100.7", 4000);
    struct tuple tcp = tuple_of("198.51.100.7", 4001);
    tcp.proto = ADDR_TCP;
    tcp.conn = 3;
    good_check(&p, &tcp, true);
    assert_true(selected_is(&p, &tcp));
    assert_int_equal(good_check(&p, &udp, true), ICE_NEW_PATH | ICE_SELECTED);
    p.now += 300 * US_PER_MS;
    assert_int_equal(good_check(&p, &tcp, true), 0); /* Firefox nominates it too */
    assert_true(selected_is(&p, &udp));
    p.now += 1500 * US_PER_MS;
    assert_int_equal(good_check(&p, &tcp, true), ICE_SELECTED); /* no UDP passes any more */
    assert_true(selected_is(&p, &tcp));
    good_check(&p, &udp, true);
    assert_true(selected_is(&p, &udp));
    for (unsigned i = 0; i < 60; i++) { /* six seconds, as between two checks of Firefox */
        p.now += 100 * US_PER_MS;
        assert_true(ice_heard(&p.ice, ice_knows(&p.ice, &udp, p.now), p.now));
    }
    assert_int_equal(good_check(&p, &tcp, true), 0); /* media passes */
    assert_true(selected_is(&p, &udp));
    p.now += 1500 * US_PER_MS;
    assert_int_equal(good_check(&p, &tcp, true), ICE_SELECTED);
}

/* A port of the same host by another protocol, or to another address of ours, is no rebinding: it
 * waits as long as any other path. */
static void test_only_a_port_is_rebound(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct peer p;
        peer_init(&p);
        struct tuple before = tuple_of("198.51.100.7", 4000);
        struct tuple other = tuple_of("198.51.100.7", 4999);
        other.proto = i ? ADDR_TCP : ADDR_UDP;
        if (!i) {
            assert_int_equal(addr_parse(&other.local, "192.0.2.2"), 0);
        }
        good_check(&p, &before, true);
        p.now += 7900 * US_PER_MS;
        assert_int_equal(good_check(&p, &other, false), ICE_NEW_PATH);
        ice_heard_beside(&p.ice, ice_knows(&p.ice, &other, p.now), p.now, &p.out);
        assert_int_equal(p.out.changes, 0);
        p.now += 100 * US_PER_MS;
        assert_int_equal(good_check(&p, &other, false), ICE_SELECTED);
        assert_int_equal(p.out.silent_us, 8 * US_PER_S);
    }
}

/* The selected path is not given up for a newcomer, however long ago it was checked. */
static void test_the_selected_path_keeps_its_place(void **state)
{
    (void)state;
    struct peer p;
    struct tuple home = connected(&p);
    for (uint16_t port = 1; port <= 2 * ICE_PATHS; port++) {
        struct tuple t = tuple_of("198.51.100.7", port);
        p.now += 10 * US_PER_MS;
        good_check(&p, &t, false);
        assert_true(selected_is(&p, &home));
        assert_int_equal(ice_knows(&p.ice, &home, p.now), 0);
    }
}

static void test_only_a_few_paths_are_kept(void **state)
{
    (void)state;
    struct peer p;
    struct tuple home = connected(&p);
    for (uint16_t port = 1; port <= 500; port++) {
        struct tuple t = tuple_of("198.51.100.7", port);
        p.now += 10000;
        good_check(&p, &home, true);
        unsigned changes = good_check(&p, &t, false);
        assert_int_equal(changes, port < ICE_PATHS ? ICE_NEW_PATH : ICE_NEW_PATH | ICE_PATH_GONE);
        if (port >= ICE_PATHS) {
            assert_int_equal(p.out.gone.remote.port, port - ICE_PATHS + 1);
        }
        assert_true(selected_is(&p, &home));
        assert_true(p.ice.paths <= ICE_PATHS);
    }
}

/* ---- consent ------------------------------------------------------------------------------------
 */

static void test_s7_nothing_is_sent_30_s_after_the_last_check(void **state)
{
    (void)state;
    struct peer p;
    struct tuple home = connected(&p);
    mono_us checked = p.now;
    assert_true(ice_deadline(&p.ice) == checked + 30 * US_PER_S);
    ice_timer(&p.ice, checked + 30 * US_PER_S - 1, &p.out);
    assert_int_equal(p.out.changes, 0);
    assert_true(ice_can_send(&p.ice, checked + 30 * US_PER_S - 1));
    p.now = checked + 30 * US_PER_S;
    assert_false(ice_can_send(&p.ice, p.now)); /* before any timer ran */
    assert_int_equal(ice_knows(&p.ice, &home, p.now), -1);
    ice_timer(&p.ice, p.now, &p.out);
    assert_int_equal(p.out.changes, ICE_LOST | ICE_PATH_GONE);
    assert_true(tuple_equal(&p.out.gone, &home));
    ice_timer(&p.ice, p.now, &p.out);
    assert_int_equal(p.out.changes, 0); /* said once */
    assert_true(ice_deadline(&p.ice) == MONO_NEVER);
    assert_int_equal(good_check(&p, &home, false), ICE_NEW_PATH | ICE_SELECTED | ICE_BACK);
}

static void test_a_fresh_second_path_saves_the_connection(void **state)
{
    (void)state;
    struct peer p;
    connected(&p);
    struct tuple cell = tuple_of("203.0.113.9", 5000);
    p.now += 5 * US_PER_S;
    good_check(&p, &cell, false);
    p.now += 25 * US_PER_S;
    ice_timer(&p.ice, p.now, &p.out);
    assert_int_equal(p.out.changes, ICE_PATH_GONE | ICE_SELECTED);
    assert_true(selected_is(&p, &cell));
    p.now += 5 * US_PER_S;
    ice_timer(&p.ice, p.now, &p.out);
    assert_int_equal(p.out.changes, ICE_PATH_GONE | ICE_LOST);
}

/* Of several others the one that was checked last takes the place of one that is gone, and none
 * that may not be sent to any more. */
static void test_the_freshest_of_the_others_follows(void **state)
{
    (void)state;
    struct peer p;
    struct tuple first = connected(&p);
    struct tuple fresh = tuple_of("203.0.113.9", 5000);
    struct tuple stale = tuple_of("203.0.113.9", 5001);
    good_check(&p, &stale, false);
    p.now += 5 * US_PER_S;
    good_check(&p, &fresh, false);
    good_check(&p, &first, false);
    assert_true(ice_deadline(&p.ice) == p.now + 25 * US_PER_S); /* of the stale one */
    ice_forget(&p.ice, &first, p.now, &p.out);
    assert_int_equal(p.out.changes, ICE_PATH_GONE | ICE_SELECTED);
    assert_true(selected_is(&p, &fresh));
    p.now += 25 * US_PER_S; /* no timer ran */
    ice_forget(&p.ice, &fresh, p.now, &p.out);
    assert_int_equal(p.out.changes, ICE_PATH_GONE | ICE_LOST);
    assert_null(ice_selected(&p.ice));
    ice_forget(&p.ice, &stale, p.now, &p.out);
    assert_int_equal(p.out.changes, ICE_PATH_GONE); /* that it is lost is said once */
}

/* Another path ends, and the places of the rest move. */
static void test_the_selected_path_stays_when_another_ends(void **state)
{
    (void)state;
    struct peer p;
    peer_init(&p);
    struct tuple gone = tuple_of("198.51.100.7", 4000);
    struct tuple beside = tuple_of("203.0.113.9", 5000);
    struct tuple chosen = tuple_of("203.0.113.9", 5001);
    struct tuple late = tuple_of("203.0.113.9", 5002);
    good_check(&p, &gone, false);
    p.now += 5 * US_PER_S;
    good_check(&p, &beside, false);
    good_check(&p, &chosen, true);
    p.now += 25 * US_PER_S;
    ice_timer(&p.ice, p.now, &p.out);
    assert_int_equal(p.out.changes, ICE_PATH_GONE);
    assert_true(tuple_equal(&p.out.gone, &gone));
    assert_true(selected_is(&p, &chosen));
    assert_true(ice_heard(&p.ice, ice_knows(&p.ice, &chosen, p.now), p.now));
    good_check(&p, &late, false);
    assert_true(selected_is(&p, &chosen));
}

static void test_a_closed_connection_is_forgotten(void **state)
{
    (void)state;
    struct peer p;
    peer_init(&p);
    struct tuple tcp = tuple_of("198.51.100.7", 4000);
    tcp.proto = ADDR_TCP;
    tcp.conn = 77;
    struct tuple stale = tcp;
    stale.conn = 76;
    good_check(&p, &tcp, true);
    ice_forget(&p.ice, &stale, p.now, &p.out);
    assert_int_equal(p.out.changes, 0);
    ice_forget(&p.ice, &tcp, p.now, &p.out);
    assert_int_equal(p.out.changes, ICE_PATH_GONE | ICE_LOST);
    assert_false(ice_can_send(&p.ice, p.now));
    struct tuple udp = tuple_of("198.51.100.7", 4000);
    assert_int_equal(good_check(&p, &udp, true), ICE_NEW_PATH | ICE_SELECTED | ICE_BACK);
}

/* ---- restart ------------------------------------------------------------------------------------
 */

static void test_a_restart_keeps_the_old_until_the_new_is_checked(void **state)
{
    (void)state;
    struct peer p;
    struct tuple before = connected(&p);
    char gone[ICE_UFRAG_LEN + 1];
    struct tuple after = tuple_of("203.0.113.9", 5000);
    struct ice_creds old = p.ice.creds;
    assert_int_equal(ice_restart(&p.ice, "", &p.rng, gone), E_BAD);
    assert_string_equal(p.ice.creds.ufrag, old.ufrag);
    assert_int_equal(ice_restart(&p.ice, "neu1", &p.rng, gone), 0);
    assert_string_equal(gone, "");
    assert_string_not_equal(p.ice.creds.ufrag, old.ufrag);
    assert_string_not_equal(p.ice.creds.pwd, old.pwd);
    assert_true(ice_can_send(&p.ice, p.now));
    struct check check = {.creds = &old, .nominate = true};
    p.now += US_PER_S;
    assert_int_equal(send_check(&p, &before, &check), DROP_NONE);
    assert_int_equal(p.out.changes, 0);
    /* The first check with the new ones selects at once and ends the old. */
    assert_int_equal(good_check(&p, &after, false), ICE_NEW_PATH | ICE_SELECTED | ICE_OLD_GONE);
    assert_string_equal(p.out.gone_ufrag, old.ufrag);
    assert_true(selected_is(&p, &after));
    assert_int_equal(send_check(&p, &before, &check), DROP_STUN_UNKNOWN_USER);
}

/* After a restart what the browser nominates with the new credentials is meant, TCP beside UDP that
 * still carries media as well; and the old path does not come back for what arrives by it. */
static void test_a_restart_is_meant(void **state)
{
    (void)state;
    struct peer p;
    struct tuple udp = connected(&p);
    char gone[ICE_UFRAG_LEN + 1];
    struct tuple tcp = tuple_of("198.51.100.7", 4001);
    struct tuple rebound = tuple_of("198.51.100.7", 4002);
    tcp.proto = ADDR_TCP;
    tcp.conn = 3;
    good_check(&p, &rebound, false);
    assert_int_equal(ice_restart(&p.ice, "neu1", &p.rng, gone), 0);
    p.now += 100 * US_PER_MS;
    assert_int_equal(good_check(&p, &tcp, true), ICE_NEW_PATH | ICE_SELECTED | ICE_OLD_GONE);
    assert_true(selected_is(&p, &tcp));
    good_check(&p, &udp, true);
    assert_true(selected_is(&p, &udp));
    p.now += US_PER_S;
    ice_heard_beside(&p.ice, ice_knows(&p.ice, &rebound, p.now), p.now, &p.out);
    assert_int_equal(p.out.changes, 0); /* the same host, but from before the restart */
    assert_true(selected_is(&p, &udp));
}

/* Two restarts, and only the first one was heard of: a check that nominates nothing moves nothing
 * until it is one of the newest. */
static void test_only_the_newest_credentials_take_over_by_themselves(void **state)
{
    (void)state;
    struct peer p;
    struct tuple home = connected(&p);
    char gone[ICE_UFRAG_LEN + 1];
    struct tuple other = tuple_of("203.0.113.9", 5000);
    assert_int_equal(ice_restart(&p.ice, "neu1", &p.rng, gone), 0);
    struct ice_creds first = p.ice.creds;
    assert_int_equal(ice_restart(&p.ice, "neu2", &p.rng, gone), 0);
    struct check check = {.creds = &first};
    assert_int_equal(send_check(&p, &other, &check), DROP_NONE);
    assert_int_equal(p.out.changes, ICE_NEW_PATH);
    assert_true(selected_is(&p, &home));
    assert_int_equal(good_check(&p, &other, false), ICE_SELECTED | ICE_OLD_GONE);
}

static void test_a_second_restart_forgets_the_first(void **state)
{
    (void)state;
    struct peer p;
    peer_init(&p);
    char gone[ICE_UFRAG_LEN + 1], first[ICE_UFRAG_LEN + 1];
    memcpy(first, p.ice.creds.ufrag, sizeof(first));
    assert_int_equal(ice_restart(&p.ice, "neu1", &p.rng, gone), 0);
    assert_int_equal(ice_restart(&p.ice, "neu2", &p.rng, gone), 0);
    assert_string_equal(gone, first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(test_the_first_check_opens_a_path),
        UNIT(test_s4_what_is_not_authenticated_gets_silence),
        UNIT(test_no_remote_means_nobody_is_answered),
        UNIT(test_s3_a_bit_flipped_before_integrity_rejects_one_behind_has_no_effect),
        UNIT(test_a_controlled_peer_is_told_to_change_its_role),
        UNIT(test_an_attribute_nobody_knows_is_named),
        UNIT(test_the_demux_reads_our_ufrag),
        UNIT(test_nomination_moves_the_selected_path),
        UNIT(test_s7_an_unauthenticated_check_moves_nothing),
        UNIT(test_s7_a_rebound_port_takes_over_when_the_old_one_is_silent),
        UNIT(test_a_second_path_does_not_take_over_from_one_that_carries_media),
        UNIT(test_s7_media_by_a_rebound_port_takes_over_when_none_comes_by_the_old_one),
        UNIT(test_tcp_takes_over_only_from_udp_that_went_silent),
        UNIT(test_only_a_port_is_rebound),
        UNIT(test_the_selected_path_keeps_its_place),
        UNIT(test_only_a_few_paths_are_kept),
        UNIT(test_s7_nothing_is_sent_30_s_after_the_last_check),
        UNIT(test_a_fresh_second_path_saves_the_connection),
        UNIT(test_the_freshest_of_the_others_follows),
        UNIT(test_the_selected_path_stays_when_another_ends),
        UNIT(test_a_closed_connection_is_forgotten),
        UNIT(test_a_restart_keeps_the_old_until_the_new_is_checked),
        UNIT(test_a_restart_is_meant),
        UNIT(test_only_the_newest_credentials_take_over_by_themselves),
        UNIT(test_a_second_restart_forgets_the_first),
    };
    return cmocka_run_group_tests(tests, suite_setup, suite_teardown);
}
