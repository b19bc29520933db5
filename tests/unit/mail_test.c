/* Mails and appointments, byte by byte where the RFCs say so. */
#include "tests/unit/support.h"

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
#include "server/mail/words.h"

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

/* A template edited in another encoding: every byte arrives, in words of the length allowed. */
static void a_subject_that_is_no_utf8_ends(void **state)
{
    char subject[101];
    struct mail_text text = {0};
    struct mail_message m = {.id = "x",
                             .host = "example.org",
                             .from_name = "",
                             .from_mail = "a@example.org",
                             .to_name = "",
                             .to_mail = "b@example.org",
                             .subject = subject,
                             .text = "hello\n"};
    (void)state;
    memset(subject, 0x80, sizeof(subject) - 1);
    subject[sizeof(subject) - 1] = '\0';
    mail_message_write(&text, &m);
    assert_false(text.bad);
    unsigned words = 0;
    for (const char *at = text.s; (at = strstr(at, "=?UTF-8?B?gICA")); at++) {
        words++;
    }
    assert_in_range(words, 2, 4);
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

/* ---- words somebody wrote with another editor
 * --------------------------------------------------------------------------------------- */

static void assert_plain(const char *bytes, size_t len, const char *want)
{
    char *text = words_plain(bytes, len);
    assert_non_null(text);
    assert_string_equal(text, want);
    mem_free(text);
}

#define PLAIN(bytes, want) assert_plain(bytes, sizeof(bytes) - 1, want)

static void words_of_any_editor(void **state)
{
    (void)state;
    PLAIN("Bonjour {name},\nà demain\n", "Bonjour {name},\nà demain\n");
    PLAIN("\xef\xbb\xbfObjet\r\nà\r\n\r\nb", "Objet\nà\n\nb");
    PLAIN("Objet\rà\r", "Objet\nà\n");
    PLAIN("a\r\r\nb", "a\n\nb");
    /* Windows-1252: an accent, a curly apostrophe, a euro. */
    PLAIN("Invit\xe9 \xe0 l\x92heure, 5 \x80\r\n", "Invité à l’heure, 5 €\n");
    /* UTF-16 both ways, one character of two units, and a half of such a pair alone. */
    PLAIN("\xff\xfe\xe9\0\r\0\n\0\x3d\xd8\x00\xde", "é\n😀");
    PLAIN("\xfe\xff\0\xe9\0\n\xd8\x3d\xde\x00", "é\n😀");
    PLAIN("\xff\xfe\x3d\xd8\x61\0", "\xef\xbf\xbd"
                                    "a");
    PLAIN("\xff\xfe\x61", "");
    PLAIN("", "");
}

/* ---- the queue
 * --------------------------------------------------------------------------------------- */

static void remove_all(const char *folder)
{
    assert_int_equal(support_remove(folder), 0);
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
    /* A minute, three, nine ... and never more than four hours. */
    for (unsigned i = 0; i < SPOOL_TRIES_MAX; i++) {
        static const int minutes[] = {1, 3, 9, 27, 81, 240};
        assert_int_equal(spool_backoff_ms(i), minutes[i < 5 ? i : 5] * 60000);
    }
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
        UNIT(words_of_any_editor),
        UNIT(base64_vectors),
        UNIT(an_appointment),
        UNIT(nothing_breaks_out_of_a_header),
        UNIT(a_subject_that_is_no_utf8_ends),
        UNIT(a_mail_through_the_queue),
        UNIT(nobody_listens),
        UNIT(a_file_goes_with_the_words),
    };
    return cmocka_run_group_tests_name("mail", tests, NULL, NULL);
}
