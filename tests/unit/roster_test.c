/* Rosters as people really have them. */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base/err.h"
#include "signaling/people/mailaddr.h"
#include "signaling/people/roster.h"

static int read(struct roster *roster, const char *text, uint32_t *line)
{
    return roster_read(roster, text, strlen(text), line);
}

static void forms_of_the_same_table(void **state)
{
    static const char *const forms[] = {
        "Nom;Courriel;Rôle;Groupe\nClaire Fontaine;claire@example.org;animatrice;A\n"
        "Karim Benali;karim@example.org;;B\n",
        "\xef\xbb\xbfnom,email,role,group\r\n\"Claire Fontaine\",CLAIRE@example.org,animator,A\r\n"
        "Karim Benali,karim@example.org,participant,B",
        "Courriel\tGroupe\tNom\tRôle\rclaire@example.org\tA\tClaire Fontaine\tFormatrice\r"
        "karim@example.org\tB\tKarim Benali\tstagiaire\r",
        "Claire Fontaine;claire@example.org;ANIMATRICE;A\n\n ;\nKarim Benali; karim@example.org "
        ";participant;B\n",
    };
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct roster r;
        uint32_t line;
        assert_int_equal(read(&r, forms[i], &line), 0);
        assert_int_equal(r.count, 2);
        assert_int_equal(r.bad, 0);
        assert_string_equal(r.rows[0].name, "Claire Fontaine");
        assert_string_equal(r.rows[0].mail, "claire@example.org");
        assert_int_equal(r.rows[0].role, ROLE_ANIMATOR);
        assert_string_equal(r.rows[1].name, "Karim Benali");
        assert_int_equal(r.rows[1].role, ROLE_PARTICIPANT);
        assert_string_equal(r.rows[1].group, "B");
        roster_fini(&r);
    }
    struct roster r;
    uint32_t line;
    assert_int_equal(read(&r, forms[3], &line), 0); /* without heads, with a row of nothing */
    assert_false(r.heads);
    assert_int_equal(r.count, 3);
    assert_int_equal(r.rows[1].problem, ROSTER_NO_NAME);
    assert_int_equal(r.rows[1].line, 3);
    assert_string_equal(r.rows[2].mail, "karim@example.org");
    roster_fini(&r);
}

static void every_problem_has_its_row(void **state)
{
    static const struct {
        const char *row;
        uint8_t problem;
    } rows[] = {
        {"Anne;anne@example.org;;", ROSTER_FINE},
        {";x@example.org;;", ROSTER_NO_NAME},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;x@"
         "b.fr",
         ROSTER_NAME_LONG},
        {"Bob;;;", ROSTER_NO_MAIL},
        {"Bob;bob@;;", ROSTER_BAD_MAIL},
        {"Bob;bob@example.org,eve@example.org;;", ROSTER_BAD_MAIL},
        {"Eve;ANNE@example.org;;", ROSTER_TWICE},
        {"Bob;bob@example.org;directeur;", ROSTER_BAD_ROLE},
        {"Bob;bob@example.org;;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ROSTER_GROUP_LONG},
        {"=cmd|' /C calc'!A0;bob@example.org;;", ROSTER_FORMULA},
        {"Bob;=bob@example.org;;", ROSTER_FORMULA},
        {"Bob;bob@example.org;;@SUM(1)", ROSTER_FORMULA},
        {"Bob,bob@example.org", ROSTER_SEPARATOR},
        {"Bo\x01"
         "b;bob@example.org;;",
         ROSTER_CONTROL},
    };
    char text[4096] = "";
    size_t len = 0;
    struct roster r;
    uint32_t line;
    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\n", rows[i].row);
    }
    assert_int_equal(read(&r, text, &line), 0);
    assert_int_equal(r.count, sizeof(rows) / sizeof(rows[0]));
    for (unsigned i = 0; i < r.count; i++) {
        assert_int_equal(r.rows[i].problem, rows[i].problem);
        assert_int_equal(r.rows[i].line, i + 1);
        assert_int_equal(strlen(roster_problem(rows[i].problem, true)) == 0, i == 0);
    }
    assert_int_equal(r.rows[6].twice, 1);
    assert_int_equal(r.bad, r.count - 1);
    roster_fini(&r);
}

static void quotes_keep_separators_and_breaks(void **state)
{
    struct roster r;
    uint32_t line;
    (void)state;
    assert_int_equal(read(&r, "\"Dupont; \"\"Jo\"\"\nAnne\";a@b.fr\nBob;b@b.fr\n", &line), 0);
    assert_string_equal(r.rows[0].name, "Dupont; \"Jo\" Anne");
    assert_int_equal(r.rows[1].line, 3);
    roster_fini(&r);
}

static void what_cannot_be_read_is_said(void **state)
{
    struct roster r;
    uint32_t line;
    (void)state;
    assert_int_equal(read(&r, "Ren\xe9;rene@example.org\n", &line), E_BAD); /* Latin-1 */
    roster_fini(&r);
    assert_int_equal(read(&r, "Anne;a@b.fr\n\"Bob;b@b.fr\n", &line), E_BAD);
    assert_int_equal(line, 2);
    roster_fini(&r);
    assert_int_equal(read(&r, "", &line), E_NOTFOUND);
    roster_fini(&r);
    assert_int_equal(read(&r, "Nom;Courriel\n", &line), E_NOTFOUND);
    roster_fini(&r);
}

/* 100,000 lines are refused at the 5,001st; 5,000 are read. */
static void large_ones(void **state)
{
    size_t cap = 100000 * 32;
    char *text = malloc(cap);
    size_t len = 0;
    struct roster r;
    uint32_t line;
    (void)state;
    assert_non_null(text);
    for (unsigned i = 0; i < 100000; i++) {
        len += (size_t)snprintf(text + len, cap - len, "P%u;p%u@example.org\n", i, i);
        if (i + 1 == ROSTER_ROWS_MAX) {
            assert_int_equal(roster_read(&r, text, len, &line), 0);
            assert_int_equal(r.count, ROSTER_ROWS_MAX);
            assert_int_equal(r.bad, 0);
            roster_fini(&r);
        }
    }
    assert_int_equal(roster_read(&r, text, len, &line), E_LIMIT);
    assert_int_equal(line, ROSTER_ROWS_MAX + 1);
    roster_fini(&r);
    free(text);
}

static void addresses(void **state)
{
    static const char *const good[] = {"a@b.fr", "a.b+c@d-e.example.org", "x_y@1.2"};
    static const char *const bad[] = {"",
                                      "a",
                                      "@b.fr",
                                      "a@",
                                      "a@b",
                                      "a@b.",
                                      "a@.fr",
                                      "a b@c.fr",
                                      "a@b@c.fr",
                                      "<a@b.fr>",
                                      "a@b.fr\r\nBcc: x@y.fr",
                                      "é@b.fr",
                                      "\"a\"@b.fr"};
    (void)state;
    for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(mailaddr_ok(good[i]));
    }
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(mailaddr_ok(bad[i]));
    }
}

static int scene(void *arg)
{
    struct roster r;
    uint32_t line;
    (void)arg;
    int err = read(&r, "Anne;a@b.fr\nBob;b@b.fr\n", &line);
    roster_fini(&r);
    return err;
}

static void gives_up_whole_without_memory(void **state)
{
    (void)state;
    assert_true(support_oom_sweep(scene, NULL) > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(forms_of_the_same_table),
        UNIT(every_problem_has_its_row),
        UNIT(quotes_keep_separators_and_breaks),
        UNIT(what_cannot_be_read_is_said),
        UNIT(large_ones),
        UNIT(addresses),
        UNIT(gives_up_whole_without_memory),
    };
    return cmocka_run_group_tests_name("roster", tests, NULL, NULL);
}
