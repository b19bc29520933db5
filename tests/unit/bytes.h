/*
 * Test vectors as they stand in documents: hex with blanks into bytes, and files of
 * tests/unit/data.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/support.h"

/* Bytes of a hex text (blanks and line ends ignored); fails the test when it is not hex. */
static inline size_t bytes_hex(uint8_t *out, size_t cap, const char *hex)
{
    size_t digits = 0;
    for (; *hex; hex++) {
        if (*hex == ' ' || *hex == '\n') {
            continue;
        }
        const char two[2] = {*hex, 0};
        char *end;
        unsigned long v = strtoul(two, &end, 16);
        assert_true(*end == 0 && digits / 2 < cap);
        unsigned long high = digits % 2 ? out[digits / 2] : 0;
        out[digits / 2] = (uint8_t)(high << 4 | v);
        digits++;
    }
    assert_int_equal(digits % 2, 0);
    return digits / 2;
}

/* A whole file relative to the top folder, with NUL; its length. */
static inline size_t bytes_file(char *out, size_t cap, const char *path)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t len = fread(out, 1, cap - 1, f);
    assert_int_equal(fclose(f), 0);
    assert_true(len < cap - 1);
    out[len] = 0;
    return len;
}
