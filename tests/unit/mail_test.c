/* Mails and appointments, byte by byte where the RFCs say so. */
#include "tests/unit/support.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"
#include "server/mail/ics.h"
#include "server/mail/message.h"
#include "server/mail/smtp.h"
#include "server/mail/spool.h"
#include "server/mail/text.h"

/* RFC 4648, section 10. */
static void base64_vectors(void **state)
{
    static const char *const vectors[][2] = {{"", "\r\n"},
                                             {"f", "Zg==\r\n"},
                                             {"fo", "Zm8=\r\n"},
                                             {"foo", "Zm9v\r\n"},
                                             {"foob", "Zm9vYg==\r\n"}};
    (void)state;
    for (unsigned i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct mail_text text = {0};
        mail_text_base64(&text, vectors[i][0], strlen(vectors[i][0]));
        assert_string_equal(text.s, vectors[i][1]);
        mail_text_fini(&text);
    }
}

static const struct ics_event event = {
    .uid = "c_1.p_1@example.org",
    .sequence = 7,
    .stamp = 1790000000000,
    .start = 1806235200000, /* 2027-03-28T12:00:00Z */
    .end = 1806240600000,
    .title = "Évaluer; par, compétences \\ fin\nsuite",
    .organizer_name = "Amphi \"le grand\"",
    .organizer_mail = "classes@example.org",
    .attendee_name = "Zoé",
    .attendee_mail = "zoe@example.org",
};

static void an_appointment(void **state)
{
    struct mail_text text = {0};
    (void)state;
    ics_write(&text, &event);
    assert_non_null(strstr(text.s, "DTSTART:20270328T120000Z\r\n"));
    assert_non_null(strstr(text.s, "SUMMARY:Évaluer\\; par\\, compétences \\\\ fin\\nsuite\r\n"));
    assert_non_null(strstr(text.s, "ORGANIZER;CN=\"Amphi le grand\":mailto:classes@example.org"));
    size_t column = 0;
    for (size_t i = 0; i < text.len; i++) {
        column = text.s[i] == '\n' ? 0 : column + 1;
        assert_true(column <= 76); /* with the CR */
        bool folded = i + 2 < text.len && !memcmp(text.s + i, "\r\n ", 3);
        assert_false(folded && ((unsigned char)text.s[i + 3] & 0xc0) == 0x80);
    }
    mail_text_fini(&text);
}

static void nothing_breaks_out_of_a_header(void **state)
{
    struct mail_text text = {0};
    struct mail_message m = {.id = "x",
                             .host = "example.org",
                             .from_name = "a\r\nBcc: eve@example.org",
                             .from_mail = "a@example.org",
                             .to_name = "",
                             .to_mail = "b@example.org",
                             .subject = "s\r\nX-Evil: 1",
                             .text = "hello\n",
                             .event = &event};
    (void)state;
    mail_message_write(&text, &m);
    assert_null(strstr(text.s, "\nBcc"));
    assert_null(strstr(text.s, "\nX-Evil"));
    for (size_t i = 0; i < text.len; i++) {
        assert_true((unsigned char)text.s[i] < 0x80);
        assert_true(text.s[i] != '\n' || (i && text.s[i - 1] == '\r'));
    }
    mail_text_fini(&text);
}

static void a_file_goes_with_the_words(void **state)
{
    (void)state;
    struct mail_text text = {0};
    const struct mail_file file = {
        .name = "attestation.pdf", .type = "application/pdf", .bytes = "%PDF-1.7", .len = 8};
    const struct mail_message m = {.id = "certificate-1",
                                   .host = "localhost",
                                   .from_name = "Amphi",
                                   .from_mail = "a@example.org",
                                   .to_name = "",
                                   .to_mail = "b@example.org",
                                   .subject = "Attestation",
                                   .text = "Bonjour\n",
                                   .file = &file};
    mail_message_write(&text, &m);
    assert_false(text.bad);
    const char *part =
        strstr(text.s, "Content-Type: application/pdf; name=\"attestation.pdf\"\r\n");
    assert_non_null(part);
    assert_non_null(strstr(part, "Content-Disposition: attachment; filename=\"attestation.pdf\""));
    assert_non_null(strstr(part, "\r\n\r\nJVBERi0xLjc=\r\n--m-certificate-1--\r\n"));
    mail_text_fini(&text);
}

/* ---- the queue
 * --------------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static void remove_all(const char *folder)
{
    assert_int_equal(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void a_mail_through_the_queue(void **state)
{
    char folder[] = "/tmp/amphi-spool-XXXXXX";
    struct spool spool;
    struct spool_entry entry;
    char from[SPOOL_ADDRESS_MAX];
    char to[SPOOL_ADDRESS_MAX];
    char *data;
    size_t len;
    size_t at;
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(spool_open(&spool, folder), 0);
    struct spool other;
    assert_int_equal(spool_open(&other, folder), 0);
    assert_int_equal(spool_lock(&spool), 0);
    assert_int_equal(spool_lock(&other), E_BUSY); /* one sends at a time */
    spool_close(&spool);
    assert_int_equal(spool_lock(&other), 0);
    spool_close(&other);
    assert_int_equal(spool_open(&spool, folder), 0);
    assert_int_equal(spool_first(&spool, &entry), E_NOTFOUND);
    assert_int_equal(spool_put(&spool, "../x", "a@b.fr", "c@d.fr", "m", 1, 5), E_BAD);
    assert_int_equal(spool_put(&spool, "x", "a@b.fr", "c@d.fr\r\nRCPT", "m", 1, 5), E_BAD);
    assert_int_equal(spool_put(&spool, "later", "a@b.fr", "c@d.fr", "late", 4, 9), 0);
    assert_int_equal(spool_put(&spool, "one", "a@b.fr", "c@d.fr", "old", 3, 4), 0);
    assert_int_equal(spool_put(&spool, "one", "a@b.fr", "c@d.fr", "new", 3, 5), 0);
    assert_int_equal(spool_first(&spool, &entry), 0);
    assert_string_equal(entry.id, "one");
    assert_int_equal(spool_read(&spool, &entry, &data, &len, &at, from, to), 0);
    assert_memory_equal(data + at, "new", len - at);
    assert_string_equal(to, "c@d.fr");
    mem_free(data);
    for (unsigned i = 0; i + 1 < SPOOL_TRIES_MAX; i++) {
        assert_int_equal(spool_settle(&spool, &entry, E_AGAIN, 10), 0);
        assert_int_equal(spool_first(&spool, &entry), 0);
        assert_string_equal(entry.id, "later"); /* the other waits longer */
        assert_int_equal(spool_settle(&spool, &entry, E_AGAIN, (wall_ms)1 << 40), 0);
        assert_int_equal(spool_first(&spool, &entry), 0);
        assert_string_equal(entry.id, "one");
        assert_int_equal(entry.tries, i + 1);
        assert_int_equal(entry.due, 10 + spool_backoff_ms(i));
        if (i + 2 < SPOOL_TRIES_MAX) {
            spool_put(&spool, "later", "a@b.fr", "c@d.fr", "late", 4, 9);
        }
    }
    assert_int_equal(spool_settle(&spool, &entry, E_AGAIN, 10), 0);
    unsigned waiting;
    unsigned sent;
    unsigned failed;
    spool_counts(&spool, &waiting, &sent, &failed);
    assert_int_equal(waiting, 1);
    assert_int_equal(failed, 1);
    assert_int_equal(spool_first(&spool, &entry), 0);
    assert_int_equal(spool_settle(&spool, &entry, 0, 10), 0);
    spool_counts(&spool, &waiting, &sent, &failed);
    assert_int_equal(waiting + sent * 10 + failed * 100, 110);
    spool_close(&spool);
    remove_all(folder);
}

static void nobody_listens(void **state)
{
    struct smtp_server server = {.url = "smtp://127.0.0.1:1", .user = "", .password = "", .ca = ""};
    char why[256] = "";
    (void)state;
    assert_int_equal(smtp_send(&server, "a@b.fr", "c@d.fr", "m", 1, why, sizeof(why)), E_AGAIN);
    assert_true(why[0] != '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(base64_vectors),           UNIT(an_appointment), UNIT(nothing_breaks_out_of_a_header),
        UNIT(a_mail_through_the_queue), UNIT(nobody_listens), UNIT(a_file_goes_with_the_words),
    };
    return cmocka_run_group_tests_name("mail", tests, NULL, NULL);
}
