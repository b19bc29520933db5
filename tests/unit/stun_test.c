#include "tests/unit/support.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "codec/base/err.h"
#include "codec/base/rng.h"
#include "codec/base/rw.h"
#include "codec/wire/class.h"
#include "codec/wire/stun.h"
#include "tests/unit/bytes.h"

/* RFC 5769: 2.1 request, 2.2 IPv4 response, 2.3 IPv6 response, 2.4 long-term request. */
static const char *const request_hex =
    "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e20746573742063 6c69656e74"
    "002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf";
static const char *const ipv4_hex =
    "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220"
    "002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7"
    "80280004c07d4c96";
static const char *const ipv6_hex =
    "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220"
    "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    "00080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c";
static const char *const long_term_hex =
    "000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382afe382b90000"
    "0015001c662f2f3439396b39353464364f4c33346f4c39465354767936347341"
    "0014000b6578616d706c652e6f726700"
    "00080014f67024656dd64a3e02b8e0712e85c9a28ca89666";
static const char password[] = "VOkJxbRl1RmTxUk/WvJxBt";

static void hmac(const uint8_t *key, size_t key_len, const uint8_t *data, size_t len,
                 uint8_t out[20])
{
    unsigned out_len = 20;
    assert_non_null(HMAC(EVP_sha1(), key, (int)key_len, data, len, out, &out_len));
}

static int check(const struct stun_msg *msg, const uint8_t *data)
{
    return stun_check(msg, data, password, strlen(password), hmac);
}

static void vector_request(void **state)
{
    (void)state;
    uint8_t data[128];
    size_t len = bytes_hex(data, sizeof(data), request_hex);
    struct stun_msg m;
    assert_int_equal(len, 108);
    assert_int_equal(wire_classify(data, len), WIRE_STUN);
    assert_int_equal(stun_parse(&m, data, len), 0);
    assert_int_equal(m.method, STUN_BINDING);
    assert_int_equal(m.class, STUN_REQUEST);
    assert_int_equal(m.username_len, 9);
    assert_memory_equal(m.username, "evtj:h6vY", 9);
    assert_true(m.has_priority);
    assert_int_equal(m.priority, 0x6e0001ff);
    assert_int_equal(m.role, STUN_CONTROLLED);
    assert_true(m.tie_breaker == 0x932ff9b151263b36ull);
    assert_true(m.has_fingerprint);
    assert_false(m.use_candidate);
    assert_int_equal(m.unknown_count, 0);
    assert_int_equal(check(&m, data), 0);
    assert_int_equal(stun_check(&m, data, "wrong", 5, hmac), E_AUTH);
}

static void vector_responses(void **state)
{
    (void)state;
    uint8_t data[128];
    struct stun_msg m;
    char text[ADDR_TEXT_MAX];
    size_t len = bytes_hex(data, sizeof(data), ipv4_hex);
    assert_int_equal(stun_parse(&m, data, len), 0);
    assert_int_equal(m.class, STUN_SUCCESS);
    assert_string_equal(addr_print(&m.mapped, text), "192.0.2.1:32853");
    assert_int_equal(check(&m, data), 0);
    len = bytes_hex(data, sizeof(data), ipv6_hex);
    assert_int_equal(stun_parse(&m, data, len), 0);
    assert_string_equal(addr_print(&m.mapped, text),
                        "[2001:db8:1234:5678:11:2233:4455:6677]:32853");
    assert_int_equal(check(&m, data), 0);
    assert_true(m.has_fingerprint);
}

static void vector_long_term(void **state)
{
    (void)state;
    uint8_t data[128];
    struct stun_msg m;
    size_t len = bytes_hex(data, sizeof(data), long_term_hex);
    assert_int_equal(stun_parse(&m, data, len), 0);
    assert_int_equal(m.username_len, 18);
    assert_int_equal(m.realm_len, 11);
    assert_memory_equal(m.realm, "example.org", 11);
    assert_int_equal(m.nonce_len, 28);
    assert_memory_equal(m.nonce, "f//499k954d6OL34oL9FSTvy64sA", 28);
    assert_false(m.has_fingerprint);
    /* Key of 8489 9.2.2: MD5(user:realm:password). */
    uint8_t text[64];
    uint8_t key[16];
    memcpy(text, m.username, 18);
    memcpy(text + 18, ":example.org:TheMatrIX", 22);
    assert_int_equal(EVP_Digest(text, 40, key, NULL, EVP_md5(), NULL), 1);
    assert_int_equal(stun_check(&m, data, key, sizeof(key), hmac), 0);
}

/* Rule S3, first half: nothing before or in MESSAGE-INTEGRITY may change unnoticed. */
static void s3_any_bit_flip_before_integrity_is_refused(void **state)
{
    (void)state;
    static const char *const vectors[] = {request_hex, ipv4_hex, ipv6_hex};
    for (size_t v = 0; v < 3; v++) {
        uint8_t data[128];
        struct stun_msg m;
        size_t len = bytes_hex(data, sizeof(data), vectors[v]);
        for (unsigned strip = 0; strip < 2; strip++) {
            if (strip) { /* once without the FINGERPRINT, so that the HMAC stands alone */
                len -= 8;
                put_u16(data + 2, (uint16_t)(len - STUN_HEADER_LEN));
            }
            assert_int_equal(stun_parse(&m, data, len), 0);
            assert_int_equal(check(&m, data), 0);
            size_t end = m.integrity_at + 24u;
            for (size_t bit = 0; bit < end * 8; bit++) {
                data[bit / 8] ^= (uint8_t)(1u << bit % 8);
                if (stun_parse(&m, data, len) == 0) {
                    assert_int_not_equal(check(&m, data), 0);
                }
                data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            }
        }
    }
}

/* Rule S3, second half: attributes behind MESSAGE-INTEGRITY mean nothing, whatever they hold. */
static void s3_bits_behind_integrity_have_no_effect(void **state)
{
    (void)state;
    uint8_t data[160];
    struct stun_msg clean;
    struct stun_msg m;
    size_t len = bytes_hex(data, sizeof(data), request_hex) - 8;
    /* USE-CANDIDATE, an unknown required attribute, and a second PRIORITY. */
    size_t tail = bytes_hex(data + len, 64, "00250000 7fff0004deadbeef 0024000401020304");
    put_u16(data + 2, (uint16_t)(len + tail - STUN_HEADER_LEN));
    assert_int_equal(stun_parse(&clean, data, len + tail), 0);
    assert_int_equal(check(&clean, data), 0);
    assert_false(clean.use_candidate);
    assert_int_equal(clean.unknown_count, 0);
    assert_int_equal(clean.priority, 0x6e0001ff);
    for (size_t bit = len * 8; bit < (len + tail) * 8; bit++) {
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(stun_parse(&m, data, len + tail), 0);
        assert_memory_equal(&m, &clean, sizeof(m));
        assert_int_equal(check(&m, data), 0);
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void s3_lengths_are_checked_before_use(void **state)
{
    (void)state;
    uint8_t data[128];
    struct stun_msg m;
    size_t len = bytes_hex(data, sizeof(data), request_hex);
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *exact = malloc(cut ? cut : 1);
        assert_non_null(exact);
        memcpy(exact, data, cut);
        assert_true(stun_parse(&m, exact, cut) < 0);
        if (cut >= STUN_HEADER_LEN) { /* and with a length field that agrees */
            put_u16(exact + 2, (uint16_t)(cut - STUN_HEADER_LEN));
            if (stun_parse(&m, exact, cut) == 0 && check(&m, exact) == 0) {
                assert_true(cut >= len - 8); /* all of MESSAGE-INTEGRITY is there */
            }
        }
        free(exact);
    }
    static uint8_t big[STUN_MESSAGE_MAX + 4];
    memcpy(big, data, STUN_HEADER_LEN);
    assert_int_equal(stun_parse(&m, big, sizeof(big)), E_TOOBIG);
    data[4] ^= 1;
    assert_int_equal(stun_parse(&m, data, len), E_BAD);
}

struct bad_row {
    const char *why;
    const char *attrs; /* hex behind the header */
    int err;
};

static void malformed_attributes_are_refused(void **state)
{
    (void)state;
    static const struct bad_row rows[] = {
        {"priority of 3 bytes", "00240003 01020300", E_BAD},
        {"role of 4 bytes", "802a0004 01020304", E_BAD},
        {"integrity of 16 bytes", "00080010 00000000000000000000000000000000", E_BAD},
        {"fingerprint not last", "80280004 00000000 00250000", E_BAD},
        {"fingerprint of 8 bytes", "80280008 0000000000000000", E_BAD},
        {"attribute longer than the message", "00060010 41424344", E_BAD},
        {"address of unknown family", "00200008 0003a147e112a643", E_BAD},
        {"IPv6 address cut to 4 bytes", "00200008 0002a147e112a643", E_BAD},
        {"IPv4 address too long", "0020000c 0001a147e112a64300000000", E_BAD},
        {"error class 2", "00090004 00000200", E_BAD},
        {"error number 100", "00090004 00000464", E_BAD},
        {"error code cut", "00090003 00000400", E_BAD},
        {"username empty", "00060000", 0},
        {"optional unknown", "c0570004 000003e7", 0},
        {"sha-256 integrity alone", "001c0004 00000000", 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t data[128];
        struct stun_msg m;
        size_t len = bytes_hex(data, sizeof(data), "000100002112a442b7e7a701bc34d686fa87dfae");
        len += bytes_hex(data + len, sizeof(data) - len, rows[i].attrs);
        put_u16(data + 2, (uint16_t)(len - STUN_HEADER_LEN));
        int err = stun_parse(&m, data, len);
        if (err != rows[i].err) {
            fail_msg("%s: %d", rows[i].why, err);
        }
        if (!err) {
            assert_int_equal(check(&m, data), E_NOTFOUND);
        }
    }
}

static void unknown_required_attributes_are_listed(void **state)
{
    (void)state;
    uint8_t data[160];
    struct stun_msg m;
    size_t len = bytes_hex(data, sizeof(data), "000100002112a442b7e7a701bc34d686fa87dfae");
    for (unsigned i = 0; i < STUN_UNKNOWN_MAX + 3; i++) {
        put_u16(data + len, (uint16_t)(0x7000 + i));
        put_u16(data + len + 2, 0);
        len += 4;
    }
    put_u16(data + 2, (uint16_t)(len - STUN_HEADER_LEN));
    assert_int_equal(stun_parse(&m, data, len), 0);
    assert_int_equal(m.unknown_count, STUN_UNKNOWN_MAX);
    assert_int_equal(m.unknown[0], 0x7000);

    int n = stun_build_error(data, sizeof(data), m.txid, STUN_UNKNOWN_ATTRIBUTE, m.unknown,
                             m.unknown_count, password, strlen(password), hmac);
    assert_true(n > 0);
    struct stun_msg answer;
    assert_int_equal(stun_parse(&answer, data, (size_t)n), 0);
    assert_int_equal(answer.class, STUN_ERROR);
    assert_int_equal(answer.error_code, 420);
    assert_memory_equal(answer.reason, "Unknown Attribute", answer.reason_len);
    assert_int_equal(check(&answer, data), 0);
}

static void request_round_trip(void **state)
{
    (void)state;
    struct rng_seeded seeded;
    rng_seed(&seeded, 11);
    struct rng rng = rng_from_seeded(&seeded);
    char name[STUN_USERNAME_MAX];
    for (unsigned i = 0; i < 300; i++) {
        struct stun_request req = {.username = name, .username_len = 1 + rng_below(&rng, 80)};
        rng_fill(&rng, req.txid, sizeof(req.txid));
        rng_fill(&rng, name, req.username_len);
        req.priority = rng_u32(&rng);
        req.tie_breaker = rng_u64(&rng);
        req.role = (uint8_t)rng_below(&rng, 3);
        req.use_candidate = rng_below(&rng, 2);
        uint8_t data[256];
        int n = stun_build_request(data, sizeof(data), &req, password, strlen(password), hmac);
        assert_true(n > 0 && n <= 128 + (int)req.username_len);
        struct stun_msg m;
        assert_int_equal(stun_parse(&m, data, (size_t)n), 0);
        assert_int_equal(check(&m, data), 0);
        assert_true(m.has_fingerprint);
        assert_memory_equal(m.txid, req.txid, STUN_TXID_LEN);
        assert_int_equal(m.username_len, req.username_len);
        assert_memory_equal(m.username, name, req.username_len);
        assert_int_equal(m.priority, req.priority);
        assert_int_equal(m.use_candidate, req.use_candidate);
        assert_int_equal(m.role, req.role);
        assert_true(!req.role || m.tie_breaker == req.tie_breaker);
        for (int cap = 0; cap < n; cap++) {
            assert_int_equal(
                stun_build_request(data, (size_t)cap, &req, password, strlen(password), hmac),
                E_FULL);
        }
    }
}

static void answers_round_trip(void **state)
{
    (void)state;
    static const uint8_t txid[STUN_TXID_LEN] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    static const char *const addrs[] = {"203.0.113.7", "2001:db8::77"};
    for (unsigned i = 0; i < 2; i++) {
        struct addr addr;
        uint8_t data[160];
        struct stun_msg m;
        assert_int_equal(addr_parse(&addr, addrs[i]), 0);
        addr.port = 50123;
        int n =
            stun_build_success(data, sizeof(data), txid, &addr, password, strlen(password), hmac);
        assert_true(n > 0 && n <= 128);
        assert_int_equal(stun_parse(&m, data, (size_t)n), 0);
        assert_int_equal(m.class, STUN_SUCCESS);
        assert_true(addr_equal(&m.mapped, &addr));
        assert_int_equal(check(&m, data), 0);
        assert_true(m.has_fingerprint);
        assert_int_equal(stun_build_success(data, 10, txid, &addr, NULL, 0, hmac), E_FULL);
        assert_int_equal(
            stun_build_success(data, (size_t)n - 1, txid, &addr, password, strlen(password), hmac),
            E_FULL);
    }
    static const uint16_t codes[] = {STUN_BAD_REQUEST, STUN_ROLE_CONFLICT};
    for (unsigned i = 0; i < 2; i++) {
        uint8_t data[160];
        struct stun_msg m;
        int n = stun_build_error(data, sizeof(data), txid, codes[i], NULL, 0, NULL, 0, hmac);
        assert_true(n > 0);
        assert_int_equal(stun_parse(&m, data, (size_t)n), 0);
        assert_int_equal(m.error_code, codes[i]);
        assert_int_equal(m.integrity_at, 0);
        assert_true(m.has_fingerprint);
    }
}

static void datagrams_are_classified_by_their_first_bytes(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            const uint8_t data[2] = {(uint8_t)a, (uint8_t)b};
            enum wire_class want = WIRE_UNKNOWN;
            if (a < 4) {
                want = WIRE_STUN;
            } else if (a >= 20 && a < 64) {
                want = WIRE_DTLS;
            } else if (a >= 128 && a < 192) {
                want = b >= 192 && b < 224 ? WIRE_RTCP : WIRE_RTP;
            }
            assert_int_equal(wire_classify(data, 2), want);
            assert_int_equal(wire_classify(data, 1), WIRE_UNKNOWN);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(vector_request),
        UNIT(vector_responses),
        UNIT(vector_long_term),
        UNIT(s3_any_bit_flip_before_integrity_is_refused),
        UNIT(s3_bits_behind_integrity_have_no_effect),
        UNIT(s3_lengths_are_checked_before_use),
        UNIT(malformed_attributes_are_refused),
        UNIT(unknown_required_attributes_are_listed),
        UNIT(request_round_trip),
        UNIT(answers_round_trip),
        UNIT(datagrams_are_classified_by_their_first_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
