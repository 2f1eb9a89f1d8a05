/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hostile bytes: what is shown of them, and what is not. */
#include "fixture.h"

#include "agent/escape.h"

static void shown(const char *bytes, size_t len, const char *expected)
{
	char *text = escape_dup(bytes, len);

	assert_string_equal(text, expected);
	free(text);
}
#define SHOWN(bytes, expected) shown(bytes, sizeof(bytes) - 1, expected)

static void printable_utf8_stays(void **state)
{
	(void)state;
	SHOWN("", "");
	SHOWN("/var/www/a b.php", "/var/www/a b.php");
	SHOWN("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x93\xa7 \xed\x9f\xbf",
	      "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x93\xa7 \xed\x9f\xbf");
}

static void a_backslash_can_be_told_from_an_escape(void **state)
{
	(void)state;
	SHOWN("\\x41", "\\\\x41");
}

static void controls_are_escaped(void **state)
{
	(void)state;
	SHOWN("a\nb\r\t\x1b[2J\x7f\0z", "a\\x0ab\\x0d\\x09\\x1b[2J\\x7f\\x00z");
	SHOWN("\xc2\x9b"
	      "31m",
	      "\\xc2\\x9b31m"); /* C1 CSI */
}

static void what_turns_or_hides_text_is_escaped(void **state)
{
	(void)state;
	SHOWN("a\xe2\x80\xae"
	      "b",
	      "a\\xe2\\x80\\xaeb");
	SHOWN("\xe2\x80\x8b\xe2\x80\xa8\xe2\x81\xa6",
	      "\\xe2\\x80\\x8b\\xe2\\x80\\xa8\\xe2\\x81\\xa6");
	SHOWN("\xef\xbb\xbf", "\\xef\\xbb\\xbf");
	SHOWN("\xd8\x9c", "\\xd8\\x9c");
	SHOWN("\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81");		     /* U+E0041, a tag */
	SHOWN("\xef\xbf\xbe\xef\xb7\x90", "\\xef\\xbf\\xbe\\xef\\xb7\\x90"); /* noncharacters */
}

static void what_is_no_utf8_is_escaped_byte_by_byte(void **state)
{
	(void)state;
	SHOWN("\xff\xfe", "\\xff\\xfe");
	SHOWN("\xc0\xaf", "\\xc0\\xaf"); /* overlong */
	SHOWN("\xe0\x80\xaf", "\\xe0\\x80\\xaf");
	SHOWN("\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf");
	SHOWN("\xed\xa0\x80", "\\xed\\xa0\\x80");	   /* a surrogate */
	SHOWN("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* beyond U+10FFFF */
	SHOWN("\xe2\x82", "\\xe2\\x82");		   /* cut */
	SHOWN("\xe2\x82"
	      "A",
	      "\\xe2\\x82A");
	SHOWN("\x80", "\\x80");
}

static void a_small_buffer_gets_whole_items_only(void **state)
{
	const char bytes[] = "ab\xc3\xbc\n\\";
	char out[32];
	size_t size;

	(void)state;
	for (size = 0; size <= 11; size++) {
		memset(out, '#', sizeof(out));
		assert_int_equal(escape_bytes(bytes, 6, out, size), 10);
		assert_int_equal(out[size], '#');
		if (size > 0)
			assert_true(strlen(out) < size);
		if (size > 2 && size < 5)
			assert_string_equal(out, "ab");
		if (size >= 5 && size < 9)
			assert_string_equal(out, "ab\xc3\xbc");
		if (size == 9 || size == 10)
			assert_string_equal(out, "ab\xc3\xbc\\x0a");
	}
	assert_string_equal(out, "ab\xc3\xbc\\x0a\\\\");
}

static void every_byte_value_gives_one_safe_line(void **state)
{
	char bytes[256], *text;
	unsigned i;

	(void)state;
	for (i = 0; i < 256; i++)
		bytes[i] = (char)i;
	text = escape_dup(bytes, 256);
	for (i = 0; text[i]; i++)
		assert_true((unsigned char)text[i] >= 0x20 && (unsigned char)text[i] < 0x7f);
	free(text);
}

static void a_mebibyte_is_escaped_whole(void **state)
{
	size_t len = 1 << 20;
	char *bytes = malloc(len), *text;

	(void)state;
	memset(bytes, 0x1b, len);
	text = escape_dup(bytes, len);
	assert_int_equal(strlen(text), 4 * len);
	assert_memory_equal(text + 4 * len - 8, "\\x1b\\x1b", 8);
	free(text);
	free(bytes);
}

static void command(const char *bytes, size_t len, const char *expected)
{
	char *text = escape_cmdline(bytes, len);

	assert_string_equal(text, expected);
	free(text);
}
#define COMMAND(bytes, expected) command(bytes, sizeof(bytes) - 1, expected)

static void a_command_line_reads_as_one(void **state)
{
	(void)state;
	COMMAND("", "");
	COMMAND("perl\0-w\0/tmp/x.pl\0", "perl -w /tmp/x.pl");
	COMMAND("sh\0-c\0echo hi\0", "sh -c 'echo hi'");
	COMMAND("a\0\0b\0", "a '' b");
	COMMAND("a\0it's\0say \"x\"\0", "a 'it\\x27s' 'say \"x\"'");
	COMMAND("cut short", "'cut short'");
	COMMAND("x\0a\nb\xff\0", "x a\\x0ab\\xff");
}

static void the_padding_of_a_title_is_left_out(void **state)
{
	(void)state;
	COMMAND("nginx: worker\0\0\0\0\0\0", "'nginx: worker'");
	COMMAND("\0\0\0", "''");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(printable_utf8_stays),
		cmocka_unit_test(a_backslash_can_be_told_from_an_escape),
		cmocka_unit_test(controls_are_escaped),
		cmocka_unit_test(what_turns_or_hides_text_is_escaped),
		cmocka_unit_test(what_is_no_utf8_is_escaped_byte_by_byte),
		cmocka_unit_test(a_small_buffer_gets_whole_items_only),
		cmocka_unit_test(every_byte_value_gives_one_safe_line),
		cmocka_unit_test(a_mebibyte_is_escaped_whole),
		cmocka_unit_test(a_command_line_reads_as_one),
		cmocka_unit_test(the_padding_of_a_title_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
