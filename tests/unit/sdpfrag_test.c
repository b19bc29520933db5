#include "tests/unit/support.h"

#include <string.h>

#include "codec/base/err.h"
#include "codec/wire/sdpfrag.h"

#define CRED "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"

static int parse(struct sdpfrag *out, const char *text)
{
    return sdpfrag_parse(out, text, strlen(text));
}

static void a_fragment_as_a_client_writes_it(void **state)
{
    (void)state;
    struct sdpfrag f;
    assert_int_equal(
        parse(&f, "a=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n" CRED
                  "a=candidate:1101 1 udp 2122260223 192.0.2.1 50001 typ host "
                  "generation 0 network-id 1\r\n"
                  "a=candidate:1102 1 udp 2122194687 198.51.100.2 50002 typ host\r\n"
                  "a=end-of-candidates\r\n"),
        0);
    assert_string_equal(f.ufrag, "abcd");
    assert_string_equal(f.pwd, "0123456789012345678901");
    assert_int_equal(f.candidates, 2);
    assert_true(f.end);
}

static void what_is_passed_over_and_what_is_refused(void **state)
{
    (void)state;
    struct sdpfrag f;
    assert_int_equal(parse(&f, ""), 0);
    assert_int_equal(f.ufrag[0], 0);
    assert_int_equal(parse(&f, "a=x-new:1\na=mid:0\n"), 0);
    assert_int_equal(parse(&f, "a=candidate:1 1 udp 1 4f-7d.local 9 typ host\r\n"), 0);
    assert_int_equal(f.candidates, 1);
    assert_int_equal(parse(&f, CRED "a=ice-ufrag:efgh\r\n"), 0);
    assert_string_equal(f.ufrag, "abcd"); /* the first counts */
    static const char *const bad[] = {
        "hello",
        "a=candidate:x\r\n",
        "a=ice-ufrag:ab\r\n",
        "a=ice-ufrag:ab cd\r\n",
        "a=ice-pwd:short\r\n",
        "a=ice-pwd:0123456789012345678901\r\n",
        "A=mid:0\r\n",
        "=\r\n",
        "a=mid:0\ra=mid:1\r\n",
        "a=mid:\001\r\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(parse(&f, bad[i]), E_BAD);
    }
    assert_int_equal(sdpfrag_parse(&f, "a=mid:0\0\r\n", 10), E_BAD);
    static char large[SDPFRAG_MAX + 1];
    assert_int_equal(sdpfrag_parse(&f, large, sizeof(large)), E_TOOBIG);
}

static void ours_can_be_read(void **state)
{
    (void)state;
    char out[2000];
    struct sdpfrag f;
    struct desc_answer a = {
        .ufrag = "amphi123", .pwd = "abcdefghijklmnopqrstuvwx", .candidates = 2};
    assert_int_equal(addr_parse(&a.candidate[0].addr, "192.0.2.1"), 0);
    a.candidate[0].addr.port = 7000;
    a.candidate[0].udp = true;
    a.candidate[0].tcp = true;
    assert_int_equal(addr_parse(&a.candidate[1].addr, "2001:db8::1"), 0);
    a.candidate[1].addr.port = 7000;
    a.candidate[1].udp = true;
    int n = sdpfrag_write(out, sizeof(out), &a, "0", "1");
    assert_int_equal(n, strlen(out));
    assert_int_equal(sdpfrag_parse(&f, out, (size_t)n), 0);
    assert_string_equal(f.ufrag, "amphi123");
    assert_int_equal(f.candidates, 3);
    assert_true(f.end);
    assert_non_null(strstr(out, "a=group:BUNDLE 0 1\r\nm=audio"));
    assert_non_null(strstr(out, "192.0.2.1 7000 typ host tcptype passive\r\n"));
    assert_true(sdpfrag_write(out, sizeof(out), &a, "", "v") > 0);
    assert_non_null(strstr(out, "a=group:BUNDLE v\r\nm=video"));
    assert_int_equal(sdpfrag_write(out, 100, &a, "0", "1"), E_FULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fragment_as_a_client_writes_it),
        cmocka_unit_test(what_is_passed_over_and_what_is_refused),
        cmocka_unit_test(ours_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
