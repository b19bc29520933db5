/*
 * Texts that are and are not JSON (RFC 8259), by the categories of the public JSON test suites: our
 * own cases under like names. bad: must be refused. good: must be read. policy: JSON, but refused
 * by our rule (a key twice, NUL in a string or key).
 */
#pragma once

#include <stddef.h>

struct json_case {
    const char *name;
    const char *text;
    size_t len;
};

#define JSON_CASE(name, text)                                                                      \
    {                                                                                              \
        name, text, sizeof(text) - 1                                                               \
    }
#define JSON_BAD_COUNT (sizeof(json_bad) / sizeof(json_bad[0]))
#define JSON_GOOD_COUNT (sizeof(json_good) / sizeof(json_good[0]))
#define JSON_POLICY_COUNT (sizeof(json_policy) / sizeof(json_policy[0]))

static const struct json_case json_bad[] = {
    JSON_CASE("array_1_true_without_comma", "[7 true]"),
    JSON_CASE("array_colon_instead_of_comma", "[\"k\": 5]"),
    JSON_CASE("array_comma_after_close", "[\"z\"],"),
    JSON_CASE("array_comma_and_number", "[,4]"),
    JSON_CASE("array_double_comma", "[2,,3]"),
    JSON_CASE("array_double_extra_comma", "[\"a\",,]"),
    JSON_CASE("array_extra_close", "[\"b\"]]"),
    JSON_CASE("array_extra_comma", "[\"c\",]"),
    JSON_CASE("array_incomplete", "[\"d\""),
    JSON_CASE("array_incomplete_invalid_value", "[q"),
    JSON_CASE("array_inner_array_no_comma", "[5[6]]"),
    JSON_CASE("array_items_separated_by_semicolon", "[3:4]"),
    JSON_CASE("array_just_comma", "[,]"),
    JSON_CASE("array_just_minus", "[-]"),
    JSON_CASE("array_missing_value", "[   , \"e\"]"),
    JSON_CASE("array_newlines_unclosed", "[\"f\",\x0a"
                                         "8\x0a,2,"),
    JSON_CASE("array_number_and_comma", "[9,]"),
    JSON_CASE("array_number_and_several_commas", "[9,,]"),
    JSON_CASE("array_star_inside", "[*]"),
    JSON_CASE("array_unclosed", "[\""),
    JSON_CASE("array_unclosed_trailing_comma", "[4,"),
    JSON_CASE("array_unclosed_with_new_lines", "[3,\x0a"
                                               "4\x0a,6"),
    JSON_CASE("array_unclosed_with_object_inside", "[{}"),
    JSON_CASE("array_spaces_vertical_tab_formfeed", "[\"\x0bk\"\\f]"),
    JSON_CASE("array_a_invalid_utf8", "[k\xe9]"),
    JSON_CASE("array_invalid_utf8", "[\xfe]"),
    JSON_CASE("incomplete_false", "[fals]"),
    JSON_CASE("single_false_cut", "fals"),
    JSON_CASE("capitalised_false", "False"),
    JSON_CASE("array_upper_false", "[FALSE]"),
    JSON_CASE("incomplete_true", "[tru]"),
    JSON_CASE("single_true_cut", "tru"),
    JSON_CASE("capitalised_true", "True"),
    JSON_CASE("array_upper_true", "[TRUE]"),
    JSON_CASE("incomplete_null", "[nul]"),
    JSON_CASE("single_null_cut", "nul"),
    JSON_CASE("capitalised_null", "Null"),
    JSON_CASE("array_upper_null", "[NULL]"),
    JSON_CASE("number_00___5", "[++5]"),
    JSON_CASE("number_01__7", "[+7]"),
    JSON_CASE("number_02__Inf", "[+Inf]"),
    JSON_CASE("number_03__06", "[-06]"),
    JSON_CASE("number_04__4_", "[-4.]"),
    JSON_CASE("number_05__NaN", "[-NaN]"),
    JSON_CASE("number_06___3", "[.-3]"),
    JSON_CASE("number_07__4e_2", "[.4e-2]"),
    JSON_CASE("number_08_0_6_7", "[0.6.7]"),
    JSON_CASE("number_09_0_7E", "[0.7E]"),
    JSON_CASE("number_10_0_7E_", "[0.7E+]"),
    JSON_CASE("number_11_0_8e3_", "[0.8e3.]"),
    JSON_CASE("number_12_0_9e", "[0.9e]"),
    JSON_CASE("number_13_0_9e_", "[0.9e+]"),
    JSON_CASE("number_14_0E", "[0E]"),
    JSON_CASE("number_15_0E_", "[0E+]"),
    JSON_CASE("number_16_0e", "[0e]"),
    JSON_CASE("number_17_0e_", "[0e+]"),
    JSON_CASE("number_18_2_0e", "[2.0e]"),
    JSON_CASE("number_19_2_0e_", "[2.0e+]"),
    JSON_CASE("number_20_2_0e_", "[2.0e-]"),
    JSON_CASE("number_21_3_000_0", "[3 000.0]"),
    JSON_CASE("number_22_6eE3", "[6eE3]"),
    JSON_CASE("number_23_4_e_5", "[4.e+5]"),
    JSON_CASE("number_24_4_e_5", "[4.e-5]"),
    JSON_CASE("number_25_4_e5", "[4.e5]"),
    JSON_CASE("number_26_8_e9", "[8.e9]"),
    JSON_CASE("number_27_Inf", "[Inf]"),
    JSON_CASE("number_28_NaN", "[NaN]"),
    JSON_CASE("number_29__Infinity", "[-Infinity]"),
    JSON_CASE("number_30_Infinity", "[Infinity]"),
    JSON_CASE("number_31_0x2", "[0x2]"),
    JSON_CASE("number_32_0x41", "[0x41]"),
    JSON_CASE("number_33__0x1", "[-0x1]"),
    JSON_CASE("number_34_5_3", "[5+3]"),
    JSON_CASE("number_35_0_4_2e3", "[0.4.2e3]"),
    JSON_CASE("number_36__foo", "[-foo]"),
    JSON_CASE("number_37___4", "[- 4]"),
    JSON_CASE("number_38__023", "[-023]"),
    JSON_CASE("number_39___456", "[-.456]"),
    JSON_CASE("number_40__2y", "[-2y]"),
    JSON_CASE("number_41_4ea", "[4ea]"),
    JSON_CASE("number_42_012", "[012]"),
    JSON_CASE("number_43_04", "[04]"),
    JSON_CASE("number_44__1_x", "[-1.x]"),
    JSON_CASE("number_45_5a", "[5a]"),
    JSON_CASE("number_46_9_6_", "[9.6.]"),
    JSON_CASE("number_47_1_000", "[1_000]"),
    JSON_CASE("number_48_1e1e1", "[1e1e1]"),
    JSON_CASE("number_49_2e__3", "[2e+-3]"),
    JSON_CASE("number_50_1__2", "[1..2]"),
    JSON_CASE("number_51__", "[\xd9\xa1]"),
    JSON_CASE("number_52__", "[\xef\xbc\x91]"),
    JSON_CASE("number_53___1", "[--1]"),
    JSON_CASE("number_54_0b11", "[0b11]"),
    JSON_CASE("number_55_0o17", "[0o17]"),
    JSON_CASE("number_56_1_000", "[1'000]"),
    JSON_CASE("number_57_1_000_5_", "[1,000.5.]"),
    JSON_CASE("number_58_e5", "[e5]"),
    JSON_CASE("number_59__e5", "[-e5]"),
    JSON_CASE("number_60__", "[+]"),
    JSON_CASE("number_61__", "[-]"),
    JSON_CASE("number_62_1e", "[1e]"),
    JSON_CASE("number_63__0_", "[-0.]"),
    JSON_CASE("number_64__0e", "[-0e]"),
    JSON_CASE("number_65_00", "[00]"),
    JSON_CASE("number_66__00", "[-00]"),
    JSON_CASE("number_67_0_1", "[0-1]"),
    JSON_CASE("number_68_1_", "[1-]"),
    JSON_CASE("number_69_1_", "[1+]"),
    JSON_CASE("number_70_2_3", "[2^3]"),
    JSON_CASE("number_71__", "[\xc2\xbd]"),
    JSON_CASE("number_72_5_2", "[5/2]"),
    JSON_CASE("number_73_0X1F", "[0X1F]"),
    JSON_CASE("number_74_1f", "[1f]"),
    JSON_CASE("number_75_10L", "[10L]"),
    JSON_CASE("number_76_1e0_5", "[1e0.5]"),
    JSON_CASE("number_77__5", "[.5]"),
    JSON_CASE("number_78__", "[.]"),
    JSON_CASE("number_79_1_", "[1.]"),
    JSON_CASE("number_80___5", "[+.5]"),
    JSON_CASE("number_invalid_utf8_in_exponent", "[2e4\xe6]"),
    JSON_CASE("number_invalid_utf8_in_int", "[5\xe6]"),
    JSON_CASE("number_invalid_utf8_after_minus", "[-\xe6]"),
    JSON_CASE("number_invalid_utf8_in_bigger_int", "[456\xe6]"),
    JSON_CASE("number_real_with_invalid_utf8", "[4e5\xe6]"),
    JSON_CASE("number_minus_space_bare", "- 1"),
    JSON_CASE("number_then_letter", "5x"),
    JSON_CASE("object_bad_value", "[\"k\", nope]"),
    JSON_CASE("object_bracket_key", "{[: \"k\"}"),
    JSON_CASE("object_comma_instead_of_colon", "{\"k\", null}"),
    JSON_CASE("object_double_colon", "{\"k\"::\"v\"}"),
    JSON_CASE("object_garbage_at_end", "{\"k\":\"v\" 456}"),
    JSON_CASE("object_key_with_single_quotes", "{'k':1}"),
    JSON_CASE("object_missing_colon", "{\"k\" v}"),
    JSON_CASE("object_missing_key", "{:\"v\"}"),
    JSON_CASE("object_missing_semicolon", "{\"k\" \"v\"}"),
    JSON_CASE("object_missing_value", "{\"k\":"),
    JSON_CASE("object_no_colon", "{\"k\""),
    JSON_CASE("object_non_string_key", "{4:4}"),
    JSON_CASE("object_non_string_huge_number_key", "{9999E9999:5}"),
    JSON_CASE("object_repeated_null_null", "{null:null,null:null}"),
    JSON_CASE("object_several_trailing_commas", "{\"j\":7,,,,,}"),
    JSON_CASE("object_single_quote", "{'b':8}"),
    JSON_CASE("object_trailing_comma", "{\"j\":7,}"),
    JSON_CASE("object_trailing_comment", "{\"b\":\"c\"}/**/"),
    JSON_CASE("object_trailing_comment_open", "{\"b\":\"c\"}/**//"),
    JSON_CASE("object_trailing_comment_slash", "{\"b\":\"c\"}//"),
    JSON_CASE("object_trailing_comment_slash_open", "{\"b\":\"c\"}/"),
    JSON_CASE("object_two_commas_in_a_row", "{\"b\":\"c\",,\"d\":\"e\"}"),
    JSON_CASE("object_unquoted_key", "{b: \"c\"}"),
    JSON_CASE("object_unterminated_value", "{\"b\":\"c"),
    JSON_CASE("object_with_single_string", "{ \"goo\" : \"bar\", \"b\" }"),
    JSON_CASE("object_with_trailing_garbage", "{\"b\":\"c\"}#"),
    JSON_CASE("object_emoji_key_bare", "{\xf0\x9f\x87\xab\xf0\x9f\x87\xb7}"),
    JSON_CASE("object_true_key", "{true:1}"),
    JSON_CASE("object_array_key", "{[]:1}"),
    JSON_CASE("object_object_key", "{{}:1}"),
    JSON_CASE("object_open_only", "{\"a\":1"),
    JSON_CASE("object_comma_first", "{,\"a\":1}"),
    JSON_CASE("object_equals", "{\"a\"=1}"),
    JSON_CASE("object_lone_continuation_byte_in_key", "{\"\xb8\":\"1\",}"),
    JSON_CASE("object_pi_in_key_and_trailing_comma", "{\"\xba\":\"0\",}"),
    JSON_CASE("string_single_space", " "),
    JSON_CASE("string_1_surrogate_then_escape", "[\"\\uD801\\\"]"),
    JSON_CASE("string_surrogate_then_escape_u", "[\"\\uD801\\u\"]"),
    JSON_CASE("string_surrogate_then_escape_u1", "[\"\\uD801\\u2\"]"),
    JSON_CASE("string_surrogate_then_escape_u1x", "[\"\\uD801\\u2x\"]"),
    JSON_CASE("string_accentuated_char_no_quotes", "[\xc3\xa8]"),
    JSON_CASE("string_backslash_00", "[\"\\\x00\"]"),
    JSON_CASE("string_escape_x", "[\"\\x01\"]"),
    JSON_CASE("string_escaped_backslash_bad", "[\"\\\\\\\"]"),
    JSON_CASE("string_escaped_ctrl_char_tab", "[\"\\\x09\"]"),
    JSON_CASE("string_escaped_emoji", "[\"\\\xf0\x9f\x90\xa2\"]"),
    JSON_CASE("string_incomplete_escape", "[\"\\\"]"),
    JSON_CASE("string_incomplete_escaped_character", "[\"\\u00B\"]"),
    JSON_CASE("string_incomplete_surrogate", "[\"\\uD835\\uDD\"]"),
    JSON_CASE("string_incomplete_surrogate_escape_invalid", "[\"\\uD801\\uD801\\x\"]"),
    JSON_CASE("string_invalid_unicode_escape", "[\"\\uzz10\"]"),
    JSON_CASE("string_invalid_backslash_esc", "[\"\\k\"]"),
    JSON_CASE("string_leading_uescaped_thinspace", "[\\u2009\"abc\"]"),
    JSON_CASE("string_no_quotes_with_bad_escape", "[\\r]"),
    JSON_CASE("string_single_doublequote", "\""),
    JSON_CASE("string_single_quote", "['it is']"),
    JSON_CASE("string_single_string_no_double_quotes", "xyz"),
    JSON_CASE("string_start_escape_unclosed", "[\"\\"),
    JSON_CASE("string_unescaped_ctrl_char", "[\"b\x00"
                                            "b\"]"),
    JSON_CASE("string_unescaped_newline", "[\"two\x0alines\"]"),
    JSON_CASE("string_unescaped_tab", "[\"\x09\"]"),
    JSON_CASE("string_unicode_capital_u", "\"\\UA77D\""),
    JSON_CASE("string_with_trailing_garbage", "\"\"y"),
    JSON_CASE("string_octal", "[\"\\101\"]"),
    JSON_CASE("string_lone_high_surrogate", "[\"\\uD800\"]"),
    JSON_CASE("string_lone_low_surrogate", "[\"\\uDC01\"]"),
    JSON_CASE("string_pair_reversed", "[\"\\uDC00\\uD800\"]"),
    JSON_CASE("string_unescaped_esc", "[\"\x1b\"]"),
    JSON_CASE("string_unescaped_us", "[\"\x1f\"]"),
    JSON_CASE("string_unescaped_cr", "[\"\x0d\"]"),
    JSON_CASE("string_apostrophe_escape", "[\"\\'\"]"),
    JSON_CASE("string_unterminated", "[\"abc]"),
    JSON_CASE("string_utf8_overlong_2", "[\"\xc0\xaf\"]"),
    JSON_CASE("string_utf8_overlong_6", "[\"\xfc\x83\xbf\xbf\xbf\xbf\"]"),
    JSON_CASE("string_utf8_raw_surrogate", "[\"\xed\xa0\x80\"]"),
    JSON_CASE("string_utf8_truncated_seq", "[\"\xe0\xff\"]"),
    JSON_CASE("string_utf8_beyond_unicode", "[\"\xf4\xbf\xbf\xbf\"]"),
    JSON_CASE("string_utf8_lone_continuation", "[\"\x81\"]"),
    JSON_CASE("string_utf8_latin_1", "[\"\xe9\"]"),
    JSON_CASE("string_utf8_cut_by_quote", "[\"\xe2\x82\"]"),
    JSON_CASE("string_utf8_invalid_after_escape", "[\"\\u\xe9\"]"),
    JSON_CASE("string_utf8_invalid_in_escape", "[\"\\\xe9\"]"),
    JSON_CASE("string_utf8_ff", "[\"\xff\"]"),
    JSON_CASE("structure_angle_bracket_dot", "<.>"),
    JSON_CASE("structure_angle_bracket_null", "[<null>]"),
    JSON_CASE("structure_array_trailing_garbage", "[2]y"),
    JSON_CASE("structure_array_with_extra_close", "[2]]"),
    JSON_CASE("structure_array_with_unclosed_string", "[\"qwe]"),
    JSON_CASE("structure_bare_word", "bcd"),
    JSON_CASE("structure_capitalized_true", "[True]"),
    JSON_CASE("structure_close_unopened_array", "2]"),
    JSON_CASE("structure_comma_instead_of_closing_brace", "{\"y\": true,"),
    JSON_CASE("structure_double_array", "[][]"),
    JSON_CASE("structure_end_array", "]"),
    JSON_CASE("structure_lone_open_bracket", "["),
    JSON_CASE("structure_no_data", ""),
    JSON_CASE("structure_null_byte_outside_string", "[\x00]"),
    JSON_CASE("structure_number_with_trailing_garbage", "3@"),
    JSON_CASE("structure_object_followed_by_closing_object", "{}}"),
    JSON_CASE("structure_object_unclosed_no_value", "{\"\":"),
    JSON_CASE("structure_object_with_comment", "{\"b\":/*comment*/\"c\"}"),
    JSON_CASE("structure_object_with_trailing_garbage", "{\"b\": true} \"y\""),
    JSON_CASE("structure_open_array_apostrophe", "['"),
    JSON_CASE("structure_open_array_comma", "[,"),
    JSON_CASE("structure_open_array_object",
              "[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":["
              "{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{"
              "\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\""
              "\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\""
              ":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":"
              "[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":["
              "{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{"
              "\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\""
              "\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\""
              ":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":"
              "[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":["
              "{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{"
              "\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\""
              "\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\""
              ":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":"
              "[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":["
              "{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{"
              "\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\""
              "\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\""
              ":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":"
              "[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":["
              "{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{"
              "\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\""
              "\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\""
              ":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":"
              "[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":["
              "{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":[{\"\":"),
    JSON_CASE("structure_open_array_open_object", "[{"),
    JSON_CASE("structure_open_array_open_string", "[\"b"),
    JSON_CASE("structure_open_array_string", "[\"b\""),
    JSON_CASE("structure_open_object", "{"),
    JSON_CASE("structure_open_object_close_array", "{]"),
    JSON_CASE("structure_open_object_comma", "{,"),
    JSON_CASE("structure_open_object_open_array", "{["),
    JSON_CASE("structure_open_object_open_string", "{\"b"),
    JSON_CASE("structure_open_object_string_with_apostrophes", "{'b'"),
    JSON_CASE("structure_open_open", "[\"\\{[\"\\{[\"\\{[\"\\{"),
    JSON_CASE("structure_single_star", "*"),
    JSON_CASE("structure_trailing_hash", "{\"b\":\"c\"}#{}"),
    JSON_CASE("structure_uescaped_lf_before_string", "[\\u000A\"\"]"),
    JSON_CASE("structure_unclosed_array", "[2"),
    JSON_CASE("structure_unclosed_array_partial_null", "[ false, nul"),
    JSON_CASE("structure_unclosed_array_unfinished_false", "[ true, fals"),
    JSON_CASE("structure_unclosed_array_unfinished_true", "[ false, tru"),
    JSON_CASE("structure_unclosed_object", "{\"qwe\":\"rty\""),
    JSON_CASE("structure_unicode_identifier", "\xc3\xa9"),
    JSON_CASE("structure_whitespace_formfeed", "[\x0c]"),
    JSON_CASE("structure_utf8_bom_only", "\xef\xbb\xbf"),
    JSON_CASE("structure_incomplete_utf8_bom", "\xef\xbb{}"),
    JSON_CASE("structure_bom_before_array", "\xef\xbb\xbf[]"),
    JSON_CASE("structure_word_joiner", "[\xe2\x81\xa0]"),
    JSON_CASE("structure_no_break_space", "[\xc2\xa0]"),
    JSON_CASE("structure_lone_invalid_utf8", "\xe9"),
    JSON_CASE("structure_opening_arrays",
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
              "[[[[[[[[[["),
    JSON_CASE("structure_two_objects", "{}{}"),
    JSON_CASE("structure_line_comment", "// x\x0a[]"),
    JSON_CASE("structure_nbsp_after", "[]\xc2\xa0"),
    JSON_CASE("structure_nul_after", "[]\x00"),
    JSON_CASE("structure_vertical_tab", "[\x0b]"),
};

static const struct json_case json_good[] = {
    JSON_CASE("array_arrays_with_spaces", "[[]   ]"),
    JSON_CASE("array_empty_string", "[\"\"]"),
    JSON_CASE("array_empty", "[]"),
    JSON_CASE("array_ending_with_newline", "[\"b\"]\x0a"),
    JSON_CASE("array_false", "[false]"),
    JSON_CASE("array_heterogeneous", "[null, 2, \"3\", {}]"),
    JSON_CASE("array_null", "[null]"),
    JSON_CASE("array_with_1_and_newline", "[2\x0a]"),
    JSON_CASE("array_with_leading_space", " [2]"),
    JSON_CASE("array_with_several_null", "[2,null,null,null,3]"),
    JSON_CASE("array_with_trailing_space", "[3] "),
    JSON_CASE("array_nested", "[[[]],[{}]]"),
    JSON_CASE("number_00_456e78", "[456e78]"),
    JSON_CASE("number_01_0e_2", "[0e+2]"),
    JSON_CASE("number_02_0e1", "[0e1]"),
    JSON_CASE("number_03__5", "[ 5]"),
    JSON_CASE("number_04__0", "[-0]"),
    JSON_CASE("number_05__0_0", "[-0.0]"),
    JSON_CASE("number_06_23e35", "[23e35]"),
    JSON_CASE("number_07__4", "[-4]"),
    JSON_CASE("number_08__456", "[-456]"),
    JSON_CASE("number_09_2E33", "[2E33]"),
    JSON_CASE("number_10_2E_3", "[2E-3]"),
    JSON_CASE("number_11_2E_3", "[2E+3]"),
    JSON_CASE("number_12_456E58", "[456E58]"),
    JSON_CASE("number_13_2e_3", "[2e-3]"),
    JSON_CASE("number_14_2e_3", "[2e+3]"),
    JSON_CASE("number_15_456_456e58", "[456.456e58]"),
    JSON_CASE("number_16_456_456789", "[456.456789]"),
    JSON_CASE("number_17_456", "[456]"),
    JSON_CASE("number_18_0", "[0]"),
    JSON_CASE("number_19_0_5", "[0.5]"),
    JSON_CASE("number_20_1e0", "[1e0]"),
    JSON_CASE("number_21__1_5e_7", "[-1.5e-7]"),
    JSON_CASE("number_22_9007199254740993", "[9007199254740993]"),
    JSON_CASE("number_23_1234567890123456789", "[1234567890123456789]"),
    JSON_CASE("number_24__9223372036854775808", "[-9223372036854775808]"),
    JSON_CASE("number_25_9223372036854775807", "[9223372036854775807]"),
    JSON_CASE("number_26__0_000000000000000000000",
              "[-0.00000000000000000000000000000000000000000000000000000000000000000002]"),
    JSON_CASE("object_basic", "{\"qwe\":\"rty\"}"),
    JSON_CASE("object_several", "{\"qwe\":\"rty\", \"uio\":\"pas\"}"),
    JSON_CASE("object_empty", "{}"),
    JSON_CASE("object_empty_key", "{\"\":1}"),
    JSON_CASE("object_extreme_numbers", "{ \"least\": -2.0e+28, \"most\": 2.0e+28 }"),
    JSON_CASE("object_long_strings", "{\"y\":[{\"id\":\"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\"}"
                                     "], \"id\":\"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\"}"),
    JSON_CASE("object_simple", "{\"b\":[]}"),
    JSON_CASE("object_string_unicode", "{\"title\":\"\\u041f\\u043e\\u043b\" }"),
    JSON_CASE("object_with_newlines", "{\x0a\"b\":\"c\"\x0a}"),
    JSON_CASE("object_nested", "{\"a\":{\"b\":{\"c\":[1,{\"d\":null}]}}}"),
    JSON_CASE("object_same_key_other_case", "{\"a\":1,\"A\":2}"),
    JSON_CASE("object_key_with_quote", "{\"\\\"\":1}"),
    JSON_CASE("object_key_slash", "{\"a/b\":1}"),
    JSON_CASE("string_1_2_3_bytes_utf8", "[\"\\u0061\\u012b\\u12AC\"]"),
    JSON_CASE("string_accepted_surrogate_pair", "[\"\\uD802\\udc38\"]"),
    JSON_CASE("string_accepted_surrogate_pairs", "[\"\\ud83d\\ude3a\\ud83d\\udc8e\"]"),
    JSON_CASE("string_allowed_escapes", "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"),
    JSON_CASE("string_backslash_and_u_escaped_zero", "[\"\\\\u0001\"]"),
    JSON_CASE("string_backslash_doublequotes", "[\"\\\"\"]"),
    JSON_CASE("string_comments_inside", "[\"b/*c*/d/*e//f\"]"),
    JSON_CASE("string_double_escape_a", "[\"\\\\b\"]"),
    JSON_CASE("string_double_escape_n", "[\"\\\\r\"]"),
    JSON_CASE("string_escaped_control_character", "[\"\\u0013\"]"),
    JSON_CASE("string_escaped_noncharacter", "[\"\\uFFFE\"]"),
    JSON_CASE("string_in_array", "[\"qwe\"]"),
    JSON_CASE("string_in_array_with_leading_space", "[ \"qwe\"]"),
    JSON_CASE("string_last_surrogates", "[\"\\uDBFF\\uDFFE\"]"),
    JSON_CASE("string_nbsp_uescaped", "[\"line\\u00A0line\"]"),
    JSON_CASE("string_noncharacter_utf8", "[\"\xf4\x8f\xbf\xbe\"]"),
    JSON_CASE("string_one_byte_utf8", "[\"\\u002d\"]"),
    JSON_CASE("string_pi", "[\"\xcf\x80\"]"),
    JSON_CASE("string_reserved_character_utf8", "[\"\xf0\x9b\xbf\xbe\"]"),
    JSON_CASE("string_simple_ascii", "[\"qwe \"]"),
    JSON_CASE("string_space", "\" \""),
    JSON_CASE("string_surrogates_u1d11e", "[\"\\uD834\\uDD1f\"]"),
    JSON_CASE("string_three_byte_utf8", "[\"\\u0822\"]"),
    JSON_CASE("string_two_byte_utf8", "[\"\\u0124\"]"),
    JSON_CASE("string_u2028_raw", "[\"\xe2\x80\xa8\"]"),
    JSON_CASE("string_u2029_raw", "[\"\xe2\x80\xa9\"]"),
    JSON_CASE("string_uescape", "[\"\\u0062\\u31cF\\u8FB4\"]"),
    JSON_CASE("string_unescaped_del", "[\"\x7f\"]"),
    JSON_CASE("string_unicode", "[\"\\uA67D\"]"),
    JSON_CASE("string_unicode_escaped_backslash", "[\"\\u005D\"]"),
    JSON_CASE("string_escaped_quote", "[\"\\u0023\"]"),
    JSON_CASE("string_u200b", "[\"\\u200C\"]"),
    JSON_CASE("string_u2064", "[\"\\u2063\"]"),
    JSON_CASE("string_fdd0", "[\"\\uFDD1\"]"),
    JSON_CASE("string_fffe", "[\"\\uFFFF\"]"),
    JSON_CASE("string_utf8", "[\"\xe2\x82\xac\xf0\x9d\x84\x9f\"]"),
    JSON_CASE("string_with_del", "[\"b\x7f"
                                 "b\"]"),
    JSON_CASE("string_emoji_family", "[\"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7\"]"),
    JSON_CASE("string_arabic", "[\"\xd9\x82\xd8\xb3\xd9\x85\"]"),
    JSON_CASE("string_bom_inside", "[\"\xef\xbb\xbf\"]"),
    JSON_CASE("structure_lonely_false", "false"),
    JSON_CASE("structure_lonely_int", "43"),
    JSON_CASE("structure_lonely_negative_real", "-0.2"),
    JSON_CASE("structure_lonely_null", "null"),
    JSON_CASE("structure_lonely_string", "\"qwe\""),
    JSON_CASE("structure_lonely_true", "true"),
    JSON_CASE("structure_string_empty", "\"\""),
    JSON_CASE("structure_trailing_newline", "[\"b\"]\x0a"),
    JSON_CASE("structure_true_in_array", "[true]"),
    JSON_CASE("structure_whitespace_array", " [] "),
    JSON_CASE("structure_all_whitespace", " \x09\x0d\x0a[\x09"
                                          "1\x0d,\x0a"
                                          "2 ] "),
};

static const struct json_case json_policy[] = {
    JSON_CASE("duplicated_key", "{\"b\":\"c\",\"b\":\"d\"}"),
    JSON_CASE("duplicated_key_and_value", "{\"b\":\"c\",\"b\":\"c\"}"),
    JSON_CASE("duplicated_key_by_escape", "{\"a\":1,\"\\u0061\":2}"),
    JSON_CASE("null_escape", "[\"\\u0000\"]"),
    JSON_CASE("escaped_null_in_key", "{\"qw\\u0000e\":1}"),
};
