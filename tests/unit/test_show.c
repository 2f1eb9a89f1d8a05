/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How rows are shown: JSON, CSV, tables and the page, with hostile bytes in every text.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "agent/show.h"
#include "agent/show_list.h"
#include "agent/note_text.h"
#include "agent/show_page.h"
#include "agent/show_status.h"
#include "agent/show_table.h"

#define HOSTILE "a\n\r\t\x1b[31m\x7f\xc2\x9b\xff\xe2\x80\xae\"',;\\\xc3\xa9"
#define BYTES(text)                                                                                \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

static const struct show_options utc = { .utc = true, .header = true };

static struct store_verdict hostile_verdict(void)
{
	return (struct store_verdict){
		.id = 7,
		.first_ns = 1795433445123456789,
		.last_ns = 1795433446000000000,
		.count = 3,
		.via = "queue",
		.verdict = "deny",
		.reason = "not-allowed",
		.rule = "default",
		.mode = "enforce",
		.flow_error = "ok",
		.has_uid = true,
		.uid = 33,
		.gid = 34,
		.has_charged_uid = true,
		.charged_uid = 33,
		.user = BYTES(HOSTILE),
		.socket_uid = 33,
		.inode = 12345,
		.cookie = -1,
		.cgroup_id = -1,
		.pid = 4242,
		.start_ns = 1795430000000000000,
		.ruid = 33,
		.euid = 33,
		.login_uid = -1,
		.exe_deleted = true,
		.cut = OWNER_CUT_CMDLINE | OWNER_CUT_PARENTS,
		.comm = BYTES(HOSTILE),
		.exe = BYTES("/usr/bin/" HOSTILE),
		.cmdline = BYTES("php\0" HOSTILE "\0-f x\0"),
		.cwd = BYTES(HOSTILE),
		.script = BYTES("/var/www/" HOSTILE),
		.unit = BYTES(HOSTILE),
		.container = BYTES(HOSTILE),
		.request_method = BYTES("POST"),
		.request_uri = BYTES("/" HOSTILE),
		.request_host = BYTES(HOSTILE),
		.request_client = BYTES(HOSTILE),
		.script_from = "argv",
		.script_why = "none",
		.owner_how = "unique",
		.owner_why = "none",
		.parents = BYTES("[{\"pid\":1,\"uid\":0,\"comm\":\"a\\u001b\\u202e\\\\x41\"}]"),
		.holders = BYTES("[]"),
		.n_holders = 1,
		.family = AF_INET6,
		.src = BYTES("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"),
		.dst = BYTES("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2"),
		.sport = 40000,
		.dport = 25,
		.lookup_us = 80,
		.lookup_fds = 3,
		.evidence_file = "evidence-" HOSTILE,
		.evidence_offset = 99,
		.offender = 5,
		.packet_bytes = 80,
		.excerpt = BYTES("E\0\x1b\x7f<script>\xff\n\r0123456789"),
	};
}

static struct show_offender hostile_offender(void)
{
	return (struct show_offender){
		.rank = 1,
		.offender = {
			.id = 5, .attempts = 1000, .destinations = 4096, .networks = 12,
			.destinations_capped = true, .has_uid = true, .uid = 33,
			.user = BYTES("www-data"), .script = BYTES("/var/www/" HOSTILE "/x.php"),
			.exe = BYTES("/usr/bin/php8.2"), .site = BYTES("=cmd|' /C calc'!A0"),
			.ports = "25,465,587", .first_ns = 1795433445123456789,
			.last_ns = 1795433446000000000, .verdict = "deny", .evidence = 9,
		},
	};
}

/* What was written must be safe: no control but newline (and CR before it), no formatting
 * character, valid UTF-8. */
static void assert_safe(const char *text)
{
	size_t len = strlen(text);
	json_t *valid = json_stringn(text, len);

	assert_non_null(valid);
	json_decref(valid);
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte == '\r' && text[i + 1] == '\n')
			continue;
		if ((byte < ' ' && byte != '\n') || byte == 0x7f)
			fail_msg("byte 0x%02x in: %s", byte, text);
	}
	assert_null(strstr(text, "\xc2\x9b"));
	assert_null(strstr(text, "\xe2\x80\xae"));
}

static char *list_text(const struct show_kind *kind, enum show_format format, const char *columns,
		       const struct show_options *options, const void *const *rows, unsigned n,
		       char **left_out)
{
	struct show_list *list;
	char *text = NULL, *bad = NULL, *none = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(show_list_new(&list, kind, format, columns, options, out, &bad), 0);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(show_list_row(list, rows[i]), 0);
	assert_int_equal(show_list_end(list, left_out ? left_out : &none), 0);
	show_list_free(list);
	fclose(out);
	free(none);
	return text;
}

static char *one_row(const struct show_kind *kind, enum show_format format, const char *columns,
		     const struct show_options *options, const void *row)
{
	return list_text(kind, format, columns, options, &row, 1, NULL);
}

static void no_format_lets_a_hostile_byte_through(void **state)
{
	struct store_verdict verdict = hostile_verdict();
	struct show_offender offender = hostile_offender();
	struct show_options options = utc;
	(void)state;

	for (int format = 0; format < FORMAT_N; format++) {
		for (unsigned width = 0; width <= 200; width += 40) {
			char *text;

			options.width = width;
			text = one_row(&show_verdict_kind, format, NULL, &options, &verdict);
			assert_safe(text);
			free(text);
			text = one_row(&show_offender_kind, format, NULL, &options, &offender);
			assert_safe(text);
			free(text);
		}
	}
}

static void json_has_the_names_and_types_of_the_schema(void **state)
{
	static const char *const names[] = {
		"id",	   "ts",	  "count",     "verdict",   "reason",	"rule",
		"mode",	   "uid",	  "gid",       "user",	    "pid",	"start_time",
		"exe",	   "exe_deleted", "cmdline",   "cwd",	    "script",	"script_from",
		"parents", "unit",	  "container", "login_uid", "src",	"sport",
		"dst",	   "dport",	  "owner_how", "owner_why", "evidence",
	};
	struct store_verdict verdict = hostile_verdict();
	json_t *object = show_object(&show_verdict_kind, &verdict, &utc);
	(void)state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!json_object_get(object, names[i]))
			fail_msg("no %s", names[i]);
	assert_string_equal(json_string_value(json_object_get(object, "schema")),
			    "egressd.verdict/1");
	assert_string_equal(json_string_value(json_object_get(object, "ts")),
			    "2026-11-23T11:30:45.123456Z");
	assert_int_equal(json_integer_value(json_object_get(object, "uid")), 33);
	assert_true(json_is_true(json_object_get(object, "exe_deleted")));
	assert_true(json_is_null(json_object_get(object, "login_uid")));
	assert_true(json_is_null(json_object_get(object, "owner_why")));
	assert_true(json_is_null(json_object_get(object, "flow_error")));
	assert_true(json_is_null(json_object_get(object, "cookie")));
	assert_string_equal(json_string_value(json_object_get(object, "dst")), "2001:db8::2");
	assert_int_equal(json_array_size(json_object_get(object, "cut")), 2);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(object, "evidence"), "offset")),
		99);
	assert_null(json_object_get(object, "excerpt"));
	assert_null(json_object_get(object, "program"));
	json_decref(object);
}

static void what_is_not_known_is_null_and_never_a_number(void **state)
{
	struct store_verdict empty = { .id = 1,
				       .count = 1,
				       .sport = -1,
				       .dport = -1,
				       .socket_uid = -1,
				       .inode = -1,
				       .cookie = -1,
				       .cgroup_id = -1,
				       .ruid = -1,
				       .euid = -1,
				       .login_uid = -1 };
	static const char *const nulls[] = {
		"ts",	      "uid",	 "gid",	     "user", "charged_uid", "pid",
		"start_time", "exe",	 "cmdline",  "cwd",  "script",	    "unit",
		"container",  "src",	 "sport",    "dst",  "dport",	    "login_uid",
		"evidence",   "request", "offender", "ruid", "verdict",	    "indev",
	};
	json_t *object = show_object(&show_verdict_kind, &empty, &utc);
	char *text;
	(void)state;

	for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++)
		if (!json_is_null(json_object_get(object, nulls[i])))
			fail_msg("%s is not null", nulls[i]);
	json_decref(object);
	for (int format = 0; format < FORMAT_N; format++) {
		text = one_row(&show_verdict_kind, format, NULL, &utc, &empty);
		assert_safe(text);
		free(text);
	}
}

static void offenders_have_the_names_and_types_of_the_schema(void **state)
{
	struct show_offender offender = hostile_offender();
	json_t *object = show_object(&show_offender_kind, &offender, &utc), *ports;
	static const char *const names[] = {
		"rank",		"user",	    "uid",	"script",
		"exe",		"site",	    "unit",	"attempts",
		"destinations", "networks", "ports",	"first_seen",
		"last_seen",	"verdict",  "evidence", "destinations_capped"
	};
	(void)state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!json_object_get(object, names[i]))
			fail_msg("no %s", names[i]);
	assert_string_equal(json_string_value(json_object_get(object, "schema")),
			    "egressd.offender/1");
	ports = json_object_get(object, "ports");
	assert_int_equal(json_array_size(ports), 3);
	assert_int_equal(json_integer_value(json_array_get(ports, 1)), 465);
	assert_true(json_is_null(json_object_get(object, "unit")));
	assert_true(json_is_true(json_object_get(object, "destinations_capped")));
	json_decref(object);
	offender.offender.ports = "25,oops,99999";
	object = show_object(&show_offender_kind, &offender, &utc);
	assert_int_equal(json_array_size(json_object_get(object, "ports")), 1);
	json_decref(object);
}

static void csv_quotes_doubles_quotes_and_guards_formulas(void **state)
{
	struct show_offender offender = hostile_offender();
	char *text;
	(void)state;

	offender.offender.script = (struct store_bytes)BYTES("/a,b\"c");
	offender.offender.user = (struct store_bytes)BYTES("-2+3");
	offender.offender.has_uid = false;
	text = one_row(&show_offender_kind, FORMAT_CSV, "rank,user,uid,script,site,ports", &utc,
		       &offender);
	assert_string_equal(text, "rank,user,uid,script,site,ports\n"
				  "1,\"'-2+3\",,\"/a,b\"\"c\",\"'=cmd|' /C calc'!A0\","
				  "\"25,465,587\"\n");
	free(text);
}

static void a_list_of_json_is_one_array_also_when_empty(void **state)
{
	struct show_offender offender = hostile_offender();
	const void *rows[] = { &offender, &offender };
	json_t *array;
	char *text;
	(void)state;

	text = list_text(&show_offender_kind, FORMAT_JSON, NULL, &utc, rows, 2, NULL);
	array = json_loads(text, 0, NULL);
	assert_int_equal(json_array_size(array), 2);
	json_decref(array);
	free(text);
	text = list_text(&show_offender_kind, FORMAT_JSON, NULL, &utc, rows, 0, NULL);
	assert_string_equal(text, "[]\n");
	free(text);
	text = list_text(&show_offender_kind, FORMAT_JSONL, "rank,uid", &utc, rows, 2, NULL);
	assert_string_equal(text, "{\"schema\":\"egressd.offender/1\",\"rank\":1,\"uid\":33}\n"
				  "{\"schema\":\"egressd.offender/1\",\"rank\":1,\"uid\":33}\n");
	free(text);
	text = list_text(&show_offender_kind, FORMAT_TABLE, NULL, &utc, rows, 0, NULL);
	assert_string_equal(text, "");
	free(text);
}

static void a_table_never_is_wider_than_the_terminal_while_columns_can_go(void **state)
{
	struct show_offender offender = hostile_offender();
	struct show_options options = utc;
	char *text, *left_out, *line, *save;
	const void *row = &offender;
	(void)state;

	for (unsigned width = 60; width < 260; width += 5) {
		left_out = NULL;
		options.width = width;
		text = list_text(&show_offender_kind, FORMAT_TABLE, NULL, &options, &row, 1,
				 &left_out);
		save = NULL;
		for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
			if (show_width(line) > width)
				fail_msg("%u columns at %u: %s", show_width(line), width, line);
		if (width == 60)
			assert_non_null(strstr(left_out, "networks, "));
		if (width == 255)
			assert_null(left_out);
		free(left_out);
		free(text);
	}
}

/* The page's text without blanks and newlines: a wrapped cell is whole again if it stands alone. */
static void squeeze(char *text)
{
	char *to = text;

	for (; *text; text++)
		if (*text != ' ' && *text != '\n')
			*to++ = *text;
	*to = '\0';
}

static struct show_offender usual_offender(const char *script)
{
	struct show_offender offender = { .rank = 1 };

	offender.offender = (struct store_offender){
		.id = 7,
		.attempts = 12,
		.destinations = 4,
		.networks = 2,
		.has_uid = true,
		.uid = 33,
		.ports = "25,587",
		.verdict = "deny",
		.first_ns = 1773142245LL * 1000000000LL,
		.last_ns = 1773145845LL * 1000000000LL,
		.user = { "www-data", 8 },
		.script = { script, (int)strlen(script) },
	};
	return offender;
}

static void a_narrow_table_wraps_the_program_and_keeps_how_often_and_where(void **state)
{
	static const char script[] = "/var/www/shop.example/wp-content/uploads/2026/cache.php";
	struct show_offender offender = usual_offender(script);
	struct show_options options = utc;
	const void *row = &offender;
	char *text, *left_out = NULL;
	(void)state;

	options.width = 80;
	text = list_text(&show_offender_kind, FORMAT_TABLE, NULL, &options, &row, 1, &left_out);
	assert_non_null(strstr(text, "ATTEMPTS DESTINATIONS PORTS  LAST_SEEN"));
	assert_non_null(strstr(text, " 25,587 2026-03-10"));
	assert_null(strstr(text, "VERDICT"));
	assert_null(strstr(text, "UNIT")); /* it says nothing, and nobody misses it */
	assert_null(strstr(left_out, "unit"));
	assert_non_null(strstr(left_out, "verdict"));
	free(text);
	free(left_out);
	text = list_text(&show_offender_kind, FORMAT_TABLE, "script", &options, &row, 1, NULL);
	squeeze(text);
	assert_string_equal(text, "SCRIPT/var/www/shop.example/wp-content/uploads/2026/cache.php");
	free(text);
	options.width = 30;
	text = list_text(&show_offender_kind, FORMAT_TABLE, "script", &options, &row, 1, NULL);
	assert_non_null(strstr(text, "/var/www/shop.example/"));
	squeeze(text);
	assert_string_equal(text, "SCRIPT/var/www/shop.example/wp-content/uploads/2026/cache.php");
	free(text);
}

static void a_narrow_table_shows_the_times_of_today_without_their_date(void **state)
{
	struct show_offender offender = usual_offender("/x.php");
	struct show_options options = utc;
	const void *row = &offender;
	char *text;
	(void)state;

	options.width = 80;
	options.now_ns = offender.offender.last_ns + 1000000000LL;
	text = list_text(&show_offender_kind, FORMAT_TABLE, NULL, &options, &row, 1, NULL);
	assert_non_null(strstr(text, "12:30:45"));
	assert_null(strstr(text, "2026-03-10"));
	free(text);
	options.now_ns += 86400LL * 1000000000LL;
	text = list_text(&show_offender_kind, FORMAT_TABLE, NULL, &options, &row, 1, NULL);
	assert_non_null(strstr(text, "2026-03-10 12:30:45"));
	free(text);
	options.width = 0;
	text = list_text(&show_offender_kind, FORMAT_TABLE, NULL, &options, &row, 1, NULL);
	assert_non_null(strstr(text, "2026-03-10T12:30:45.000Z"));
	free(text);
}

static void a_text_is_wrapped_after_slashes_and_loses_nothing(void **state)
{
	char *text;
	(void)state;

	text = show_wrap("/var/www/shop.example/x.php", 14);
	assert_string_equal(text, "/var/www/\nshop.example/\nx.php");
	free(text);
	text = show_wrap("abcdefgh", 3);
	assert_string_equal(text, "abc\ndef\ngh");
	free(text);
	text = show_wrap("日本語", 3); /* two columns each */
	assert_string_equal(text, "日\n本\n語");
	free(text);
	text = show_wrap("", 3);
	assert_string_equal(text, "");
	free(text);
}

static void a_path_is_cut_at_its_beginning_in_whole_characters(void **state)
{
	char *text;
	(void)state;

	text = show_cut_front("/var/www/x.php", 8, false);
	assert_string_equal(text, "…w/x.php");
	free(text);
	text = show_cut_front("/var/www/x.php", 14, false);
	assert_string_equal(text, "/var/www/x.php");
	free(text);
	text = show_cut_front("ééééé", 3, true);
	assert_string_equal(text, ">éé");
	free(text);
	text = show_cut_front("日本語", 4, false); /* two columns each */
	assert_string_equal(text, "…語");
	free(text);
	assert_int_equal(show_width("日本語é"), 7);
}

static void columns_are_those_asked_for_in_their_order(void **state)
{
	struct show_offender offender = hostile_offender();
	struct show_options options = utc;
	struct show_list *list;
	char *text, *bad = NULL;
	(void)state;

	text = one_row(&show_offender_kind, FORMAT_TABLE, "uid,rank,LAST_SEEN", &utc, &offender);
	assert_string_equal(text, "UID RANK LAST_SEEN\n"
				  " 33    1 2026-11-23T11:30:46.000Z\n");
	free(text);
	options.header = false;
	text = one_row(&show_offender_kind, FORMAT_TABLE, "uid,unit", &options, &offender);
	assert_string_equal(text, "33 -\n");
	free(text);
	assert_int_equal(show_list_new(&list, &show_offender_kind, FORMAT_TABLE, "uid,uid", &utc,
				       stdout, &bad),
			 -EINVAL);
	assert_string_equal(bad, "uid");
	free(bad);
}

static void times_have_their_zone_and_digits_are_cut_not_rounded(void **state)
{
	char text[SHOW_TIME_BYTES];
	int64_t ns = 1795433445999999999;
	(void)state;

	setenv("TZ", "XXX-5:30", 1);
	tzset();
	assert_string_equal(show_time(ns, true, 0, text), "2026-11-23T11:30:45Z");
	assert_string_equal(show_time(ns, true, 3, text), "2026-11-23T11:30:45.999Z");
	assert_string_equal(show_time(ns, false, 6, text), "2026-11-23T17:00:45.999999+05:30");
	setenv("TZ", "XXX+3:30", 1);
	tzset();
	assert_string_equal(show_time(ns, false, 9, text), "2026-11-23T08:00:45.999999999-03:30");
	assert_string_equal(show_time(-1, true, 9, text), "1969-12-31T23:59:59.999999999Z");
	assert_string_equal(show_time(INT64_MAX, true, 0, text), "2262-04-11T23:47:16Z");
	assert_string_equal(show_time(INT64_MIN, true, 0, text), "1677-09-21T00:12:43Z");
	setenv("TZ", "UTC", 1);
	tzset();
}

static void escaped_text_is_not_escaped_twice_and_the_rest_is(void **state)
{
	char *text;
	(void)state;

	text = show_clean("a\\x1b\x1b[m\\\\\xe2\x80\xae\\");
	assert_string_equal(text, "a\\x1b\\x1b[m\\\\\\xe2\\x80\\xae\\");
	free(text);
	text = show_clean("");
	assert_string_equal(text, "");
	free(text);
	text = show_ascii("é/x");
	assert_string_equal(text, "\\xc3\\xa9/x");
	free(text);
}

static void the_page_says_all_there_is_and_why_the_rest_is_not(void **state)
{
	struct store_verdict verdict = hostile_verdict(), empty = { .id = 2 };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	(void)state;

	assert_int_equal(show_page(&verdict, &utc, out), 0);
	fclose(out);
	assert_safe(text);
	assert_non_null(strstr(text, "Verdict 7: deny, because only the mail server may send"));
	assert_non_null(strstr(text, "to            [2001:db8::2]:25"));
	assert_non_null(strstr(text, "(its file was deleted)"));
	assert_non_null(strstr(text, "  0000  45 00 1b 7f 3c 73 63 72  69 70 74 3e ff 0a 0d 30"
				     "  E...<script>...0\n"));
	free(text);
	out = open_memstream(&text, &size);
	empty.owner_how = "unknown";
	empty.owner_why = "budget";
	empty.script_why = "deadline";
	assert_int_equal(show_page(&empty, &utc, out), 0);
	fclose(out);
	assert_safe(text);
	assert_non_null(strstr(text, "user          not known"));
	assert_non_null(strstr(text, "script        not known: the time for it was up"));
	assert_non_null(strstr(text, "found how     unknown: not found: too many descriptors"));
	free(text);
}

static void a_program_without_a_file_has_no_script_and_that_is_no_riddle(void **state)
{
	static const struct {
		enum owner_script_from from;
		const char *line;
	} cases[] = {
		{ OWNER_SCRIPT_INLINE,
		  "  script        none: the program text stands in the command "
		  "line (-c, -e, -r)\n" },
		{ OWNER_SCRIPT_STDIN, "  script        none: the interpreter read the program text "
				      "from its standard input\n" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct store_verdict verdict = { .id = 2, .owner_how = "confirmed" };
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		verdict.script_from = owner_script_from_words[cases[i].from];
		assert_int_equal(show_page(&verdict, &utc, out), 0);
		fclose(out);
		assert_non_null(strstr(text, cases[i].line));
		assert_null(strstr(text, "known from"));
		assert_null(strstr(text, "not known:"));
		assert_non_null(strstr(text, "found how     confirmed: it holds the socket; "));
		free(text);
	}
}

static void a_program_without_a_known_script_has_the_site_it_works_in(void **state)
{
	static const struct {
		const char *cwd, *script, *line;
	} cases[] = {
		{ "/var/www/shop.example/public/up", "",
		  "  works in      /var/www/shop.example (" },
		{ "/var/www/shop\x1b[31m", "", "  works in      /var/www/shop\\x1b[31m (" },
		{ "/var/www/shop.example", "/var/www/shop.example/x.php", NULL },
		{ "/root", "", NULL },
		{ "", "", NULL },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct store_verdict verdict = { .id = 2, .script_why = "no-status-page" };
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		verdict.cwd = (struct store_bytes){ cases[i].cwd, (int)strlen(cases[i].cwd) };
		verdict.script =
			(struct store_bytes){ cases[i].script, (int)strlen(cases[i].script) };
		assert_int_equal(show_page(&verdict, &utc, out), 0);
		fclose(out);
		assert_safe(text);
		if (cases[i].line)
			assert_non_null(strstr(text, cases[i].line));
		else
			assert_null(strstr(text, "works in"));
		free(text);
	}
}

#define TEXT_OF(text) { text, (int)strlen(text) }

static void one_rule_gives_the_site_of_a_verdict_and_of_its_offender(void **state)
{
	static const struct {
		const char *from, *vhost, *root, *script, *folder; /* from NULL: no note */
		const char *is_from, *is_name, *is_source;
	} cases[] = {
		{ "vhost", "a.example", "/srv/a", "/srv/a/x.php", "/srv/a", "vhost", "a.example",
		  "conf:1" },
		/* named by the request, wherever the script lies */
		{ "host", "a.example", "/srv/a", "/opt/lib/x.php", "/opt/lib", "host", "a.example",
		  "conf:1" },
		/* by the account, and the script lies elsewhere: nothing of the note is left */
		{ "pool", "a.example", "/srv/a", "/srv/ab/x.php", "/srv/ab", "script", "/srv/ab",
		  NULL },
		{ "panel", "a.example", "/srv/a", "/tmp/x.php", "/tmp", "script", "/tmp", NULL },
		{ "user", "a.example", "/srv/a", "/tmp/x.php", "/tmp", "script", "/tmp", NULL },
		{ "home", "", "/home/a", "/home/a/bin/x.pl", "/home/a/bin", "script", "/home/a/bin",
		  NULL },
		{ "user", "a.example", "/srv/a", "/usr/bin/x.py", "", "none", NULL, NULL },
		{ "home", "", "/home/a", "/usr/bin/x.py", "", "none", NULL, NULL },
		/* by the account, and nothing says otherwise */
		{ "user", "a.example", "/srv/a", "/srv/a/x.php", "/srv/a", "user", "a.example",
		  "conf:1" },
		{ "pool", "a.example", "", "/tmp/x.php", "/tmp", "pool", "a.example", "conf:1" },
		{ "user", "a.example", "/srv/a", "", "", "user", "a.example", "conf:1" },
		{ "user", "a.example", "/srv/a", "http.server", "", "user", "a.example", "conf:1" },
		{ "home", "", "/home/a", "", "", "home", "/home/a", "conf:1" },
		{ NULL, "", "", "/srv/a/x.php", "/srv/a", "script", "/srv/a", NULL },
		{ "none", "", "", "/srv/a/x.php", "/srv/a", "script", "/srv/a", NULL },
		{ NULL, "", "", "", "", NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct store_site noted = {
			.from = cases[i].from,
			.account = BYTES("acc"),
			.vhost = TEXT_OF(cases[i].vhost),
			.root = TEXT_OF(cases[i].root),
			.source = BYTES("conf:1"),
		};
		struct store_verdict verdict = { .script = TEXT_OF(cases[i].script), .site = noted };
		const struct show_offender row = {
			.offender = { .script = TEXT_OF(cases[i].script),
				      .site = TEXT_OF(cases[i].folder),
				      .noted = noted },
		};
		json_t *of_verdict = show_object(&show_verdict_kind, &verdict, &utc);
		json_t *site = json_object_get(of_verdict, "site");
		json_t *offender = show_object(&show_offender_kind, &row, &utc);
		const char *name = json_string_value(json_object_get(site, "vhost"));
		const char *from = json_string_value(json_object_get(site, "from"));

		if (!name)
			name = json_string_value(json_object_get(site, "root"));
#define SAME(a, b) assert_string_equal((a) ? (a) : "-", (b) ? (b) : "-")
#define OF(object, key) json_string_value(json_object_get(object, key))
		SAME(from, cases[i].is_from);
		SAME(name, cases[i].is_name);
		SAME(OF(site, "source"), cases[i].is_source);
		SAME(OF(offender, "site"), name);
		SAME(OF(offender, "site_from"), name ? from : NULL);
		SAME(OF(offender, "site_root"), OF(site, "root"));
		SAME(OF(offender, "site_source"), OF(site, "source"));
#undef OF
#undef SAME
		json_decref(of_verdict);
		json_decref(offender);
	}
}

static void a_container_is_known_by_its_address_and_interface_if_by_nothing_else(void **state)
{
	static const struct {
		const char *container, *line;
	} cases[] = {
		{ "", "  container     or other host, known by its address only: 172.17.0.2 by "
		      "veth\\x1b[1m\n" },
		{ "docker:0123456789ab", "  came in by    veth\\x1b[1m\n" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct store_verdict verdict = { .id = 2, .family = AF_INET, .sport = 40000 };
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		verdict.src = (struct store_bytes){ "\xac\x11\0\2", 4 };
		verdict.indev = (struct store_bytes)BYTES("veth\x1b[1m");
		verdict.container =
			(struct store_bytes){ cases[i].container, (int)strlen(cases[i].container) };
		assert_int_equal(show_page(&verdict, &utc, out), 0);
		fclose(out);
		assert_safe(text);
		assert_non_null(strstr(text, cases[i].line));
		free(text);
	}
}

static void a_record_is_shown_as_its_row_would_be(void **state)
{
	struct record *record = calloc(1, sizeof(*record));
	struct show_view view;
	json_t *object;
	(void)state;

	assert_non_null(record);
	record->ts_ns = 1795433445123456789;
	record->via = VIA_REPLAY;
	record->verdict = VERDICT_DENY;
	record->reason = REASON_NOT_ALLOWED;
	strcpy(record->rule, "default");
	record->has_uid = true;
	record->uid = record->gid = 33;
	record->flow.family = AF_INET;
	record->flow.has_ports = true;
	record->flow.sport = 40000;
	record->flow.dport = 25;
	inet_pton(AF_INET, "192.0.2.1", record->flow.dst);
	record->owner.how = OWNER_GIVEN;
	record->owner.login_uid = record->owner.euid = OWNER_UID_NONE;
	record->owner.proc.pid = 4242;
	record->owner.n_parents = 1;
	record->owner.parents[0].pid = 1;
	memcpy(record->owner.parents[0].comm, "evil\n\x1b[31m", 11);
	strcpy(record->owner.script, "/var/www/" HOSTILE);
	show_view_record(&view, record, 12);
	object = show_object(&show_verdict_kind, &view.verdict, &utc);
	assert_int_equal(json_integer_value(json_object_get(object, "id")), 12);
	assert_string_equal(json_string_value(json_object_get(object, "dst")), "192.0.2.1");
	assert_true(json_is_null(json_object_get(object, "login_uid")));
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(object, "parents"), 0), "comm")),
			    "evil\\x0a\\x1b[31m");
	json_decref(object);
	show_view_end(&view);
	record->flow.family = 0;
	record->flow.has_ports = false;
	show_view_record(&view, record, 13);
	object = show_object(&show_verdict_kind, &view.verdict, &utc);
	assert_true(json_is_null(json_object_get(object, "dst")));
	assert_true(json_is_null(json_object_get(object, "dport")));
	json_decref(object);
	show_view_end(&view);
	free(record);
}

static void chains_that_are_no_chains_are_shown_as_nothing(void **state)
{
	static const char *const bad[] = {
		"", "[", "{}", "\"x\"", "[1,null,\"a\",{}]", "[{\"comm\":5}]"
	};
	struct store_verdict verdict = hostile_verdict();
	char *text;
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		verdict.parents = (struct store_bytes){ bad[i], (int)strlen(bad[i]) };
		for (int format = 0; format < FORMAT_N; format++) {
			text = one_row(&show_verdict_kind, format, "id,parents", &utc, &verdict);
			assert_safe(text);
			free(text);
		}
	}
}

static void a_full_disk_is_noticed(void **state)
{
	struct store_verdict verdict = hostile_verdict();
	FILE *full = fopen("/dev/full", "w");
	struct show_list *list;
	char *bad = NULL;
	int error = 0;
	(void)state;

	assert_non_null(full);
	assert_int_equal(
		show_list_new(&list, &show_verdict_kind, FORMAT_JSON, NULL, &utc, full, &bad), 0);
	for (int i = 0; i < 100 && !error; i++)
		error = show_list_row(list, &verdict);
	assert_int_equal(error, -ENOSPC);
	show_list_free(list);
	fclose(full);
}

static void every_word_of_the_vocabulary_has_a_sentence(void **state)
{
	(void)state;
	for (int i = 0; i < REASON_N; i++)
		assert_string_not_equal(show_explain_reason(reason_words[i]), reason_words[i]);
	for (int i = 0; i < VERDICT_N; i++)
		assert_string_not_equal(show_explain_verdict(verdict_words[i]), verdict_words[i]);
	assert_string_not_equal(show_explain_site(SHOW_SITE_SCRIPT), SHOW_SITE_SCRIPT);
	for (int i = 0; i < OWNER_HOW_N; i++)
		assert_string_not_equal(show_explain_how(owner_how_words[i]), owner_how_words[i]);
	for (int i = 0; i < OWNER_WHY_N; i++)
		assert_string_not_equal(show_explain_why(owner_why_words[i]), owner_why_words[i]);
	for (int i = 0; i < OWNER_SCRIPT_FROM_N; i++)
		assert_string_not_equal(show_explain_script(owner_script_from_words[i]),
					owner_script_from_words[i]);
	for (int i = 0; i < VIA_N; i++)
		assert_string_not_equal(show_explain_via(record_via_words[i]), record_via_words[i]);
	for (int i = 0; i < SITE_FROM_N; i++)
		assert_string_not_equal(note_explain_site(note_site_from_words[i]),
					note_site_from_words[i]);
	for (int i = 0; i < MATCH_N; i++)
		assert_string_not_equal(note_explain_match(note_match_words[i]),
					note_match_words[i]);
	for (int i = 0; i < OBJECT_WHY_N; i++)
		assert_string_not_equal(note_explain_object(note_object_why_words[i]),
					note_object_why_words[i]);
	assert_string_equal(show_explain_why("a new word"), "a new word");
	assert_string_equal(show_explain_why(NULL), "not known");
}

static char *status_page(const struct show_status *status)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(show_status_page(status, &utc, out), 0);
	fclose(out);
	assert_safe(text);
	return text;
}

static void the_status_counts_what_is_not_on_record_and_what_was_seen_since(void **state)
{
	struct config *config = calloc(1, sizeof(*config));
	struct store_status *store = calloc(1, sizeof(*store));
	struct show_status status = { .now_ns = 1795433445000000000,
				      .config = config,
				      .store = store,
				      .kernel = { .loaded = true } };
	uint64_t more = 0;
	json_t *object;
	char *text;
	(void)state;

	config_defaults(config);
	store->last.ts_ns = status.now_ns - 60LL * 1000000000;
	store->lost = 7;
	store->total[STAT_LOST_CHANNEL] = 2;
	store->lost_recorder = 1;
	store->lost_commit = 1;
	store->last.stats.value[STAT_KERNEL_FIRST + RULESET_HELD] = 10;
	strcpy(store->last.stats.kernel_epoch, "boot:5");
	strcpy(status.kernel.epoch, "boot:5");
	status.kernel.packets[RULESET_HELD] = 13;
	text = status_page(&status);
	assert_non_null(strstr(text, " 3  more were seen since the judge's last report\n"));
	assert_non_null(strstr(text, " 7  attempts are not on record"));
	assert_non_null(
		strstr(text, " 4    seen while egressd was not running or before it was ready\n"));
	assert_non_null(strstr(text, " 2    records the recorder was too slow for"));
	assert_non_null(strstr(text, " 1      of these: the disk did not take them"));
	free(text);
	object = show_status_json(&status, &utc);
	assert_int_equal(json_integer_value(json_object_get(object, "lost_unexplained")), 4);
	assert_int_equal(json_integer_value(json_object_get(object, "seen_since_report")), 3);
	json_decref(object);

	strcpy(status.kernel.epoch, "boot:6"); /* another table: all of it is new */
	assert_true(show_status_seen_since(&status, &more));
	assert_int_equal(more, 13);
	status.kernel.epoch[0] = '\0';
	assert_false(show_status_seen_since(&status, &more));
	status.kernel.loaded = false;
	text = status_page(&status);
	assert_non_null(strstr(text, "the rules are not loaded: nothing is guarded\n"));
	assert_null(strstr(text, "decide alone"));
	free(text);
	free(config);
	free(store);
}

static void no_line_of_the_status_is_wider_than_80_columns(void **state)
{
	struct config *config = calloc(1, sizeof(*config));
	struct store_status *store = calloc(1, sizeof(*store));
	struct show_status status = {
		.now_ns = 1795433445000000000, .config = config, .store = store, .judge_runs = true
	};
	char *text, *line, *save;
	(void)state;

	config_defaults(config);
	for (int i = 0; i < STAT_N; i++)
		store->total[i] = 1234567890;
	store->lost = UINT32_MAX;
	store->lost_commit = store->lost_bad_message = store->lost_recorder = 1234567890;
	store->lost_evidence = store->lost_journal = 1234567890;
	store->rows = store->folded = store->recorded = store->seen = 1234567890;
	store->last_record_ns = store->last.started_ns = status.now_ns - 600LL * 1000000000;
	store->last.judge_pid = 4194304;
	for (int i = 0; i < 12; i++) {
		status.judge_runs = i % 2;
		store->last.ts_ns = status.now_ns + (i % 3 - 1) * 400LL * 1000000000;
		store->last.mode = i % 4 ? MODE_ENFORCE : MODE_MONITOR;
		status.kernel = (struct show_kernel){ .loaded = i % 4 != 0,
						      .check = i % 3,
						      .form = RULESET_QUEUE_COMPAT };
		status.queue = (struct show_queue){ .known = true, .bound = i % 2 };
		text = status_page(&status);
		save = NULL;
		for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
			if (show_width(line) > 80)
				fail_msg("%u columns: %s", show_width(line), line);
		free(text);
	}
	free(config);
	free(store);
}

static void the_status_says_what_runs_what_does_not_and_what_was_lost(void **state)
{
	struct config *config = calloc(1, sizeof(*config));
	struct store_status *store = calloc(1, sizeof(*store));
	struct show_status status = { .now_ns = 1795433445000000000,
				      .config = config,
				      .store = store,
				      .kernel = { .why = "needs root" } };
	json_t *object;
	char *text;
	(void)state;

	config_defaults(config);
	status.mail_uids[0] = -1;
	text = status_page(&status);
	assert_non_null(strstr(text, "has never reported"));
	assert_non_null(strstr(text, "NO SUCH USER"));
	assert_non_null(strstr(text, "nobody may send"));
	assert_non_null(strstr(text, "not looked at: needs root"));
	assert_non_null(strstr(text, "the judge does not run: nobody is named\n"));
	free(text);
	store->last.ts_ns = status.now_ns;
	status.judge_runs = true;
	text = status_page(&status);
	assert_non_null(strstr(text, "What went wrong\n  nothing\n"));
	free(text);

	status.judge_runs = false;
	store->last.ts_ns = status.now_ns - 180LL * 1000000000;
	store->last.started_ns = status.now_ns - 86400LL * 1000000000;
	store->last.judge_pid = 77;
	store->seen = 15;
	store->recorded = 12;
	store->recorded_at_report = 10;
	store->rows = 4;
	store->folded = 8;
	store->retransmits = 3;
	store->lost = 2;
	store->total[STAT_LOST_COPIES] = 2;
	status.kernel =
		(struct show_kernel){ .loaded = true, .check = 1, .form = RULESET_QUEUE_COMPAT };
	status.mail_uids[0] = 101;
	text = status_page(&status);
	assert_non_null(strstr(text, "not running: last report 3 min ago, from pid 77"));
	assert_non_null(strstr(text, "BUT DIFFERS"));
	assert_non_null(strstr(text, "compat"));
	assert_non_null(strstr(text, "postfix (uid 101)"));
	assert_non_null(strstr(text, "recorded since that report                          2\n"));
	assert_non_null(
		strstr(text, "the judge does not run: nobody is named, the rules decide alone"));
	assert_non_null(strstr(text, " 2  attempts are not on record"));
	assert_non_null(strstr(text, " 2    copies the kernel could not deliver"));
	assert_null(strstr(text, "before it was ready"));
	free(text);

	object = show_status_json(&status, &utc);
	assert_string_equal(json_string_value(json_object_get(object, "schema")),
			    "egressd.status/1");
	assert_int_equal(json_integer_value(json_object_get(object, "seen")),
			 json_integer_value(json_object_get(object, "recorded_at_report")) +
				 json_integer_value(json_object_get(object, "retransmits")) +
				 json_integer_value(json_object_get(object, "lost")));
	assert_true(json_is_false(json_object_get(json_object_get(object, "rules"), "whole")));
	assert_int_equal(json_object_size(json_object_get(object, "counters")), STAT_N);
	json_decref(object);
	status.store = NULL;
	object = show_status_json(&status, &utc);
	assert_true(json_is_null(json_object_get(object, "store")));
	json_decref(object);
	text = status_page(&status);
	assert_non_null(strstr(text, "there is no store"));
	free(text);
	free(config);
	free(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_format_lets_a_hostile_byte_through),
		cmocka_unit_test(json_has_the_names_and_types_of_the_schema),
		cmocka_unit_test(what_is_not_known_is_null_and_never_a_number),
		cmocka_unit_test(offenders_have_the_names_and_types_of_the_schema),
		cmocka_unit_test(csv_quotes_doubles_quotes_and_guards_formulas),
		cmocka_unit_test(a_list_of_json_is_one_array_also_when_empty),
		cmocka_unit_test(a_table_never_is_wider_than_the_terminal_while_columns_can_go),
		cmocka_unit_test(a_narrow_table_wraps_the_program_and_keeps_how_often_and_where),
		cmocka_unit_test(a_narrow_table_shows_the_times_of_today_without_their_date),
		cmocka_unit_test(a_text_is_wrapped_after_slashes_and_loses_nothing),
		cmocka_unit_test(a_path_is_cut_at_its_beginning_in_whole_characters),
		cmocka_unit_test(columns_are_those_asked_for_in_their_order),
		cmocka_unit_test(times_have_their_zone_and_digits_are_cut_not_rounded),
		cmocka_unit_test(escaped_text_is_not_escaped_twice_and_the_rest_is),
		cmocka_unit_test(the_page_says_all_there_is_and_why_the_rest_is_not),
		cmocka_unit_test(a_program_without_a_file_has_no_script_and_that_is_no_riddle),
		cmocka_unit_test(a_program_without_a_known_script_has_the_site_it_works_in),
		cmocka_unit_test(one_rule_gives_the_site_of_a_verdict_and_of_its_offender),
		cmocka_unit_test(
			a_container_is_known_by_its_address_and_interface_if_by_nothing_else),
		cmocka_unit_test(a_record_is_shown_as_its_row_would_be),
		cmocka_unit_test(chains_that_are_no_chains_are_shown_as_nothing),
		cmocka_unit_test(a_full_disk_is_noticed),
		cmocka_unit_test(every_word_of_the_vocabulary_has_a_sentence),
		cmocka_unit_test(the_status_counts_what_is_not_on_record_and_what_was_seen_since),
		cmocka_unit_test(no_line_of_the_status_is_wider_than_80_columns),
		cmocka_unit_test(the_status_says_what_runs_what_does_not_and_what_was_lost),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
