/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of access logs, honest and hostile, and which of them may be the request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/trigger.h"

#define S  INT64_C(1000000000)
#define MS INT64_C(1000000)
#define T  (INT64_C(1794819600) * S) /* 16/Nov/2026:09:00:00 +0000 */

#define NGINX                                                                                      \
	"$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent "         \
	"\"$http_referer\" \"$http_user_agent\""
#define APACHE "%h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\""
#define VHOST  "%v:%p " APACHE

static int parse_as(enum sites_server server, enum sites_escape escape, const char *text,
		    const char *line, struct trigger_line *out)
{
	struct trigger_format *format;
	int result;

	memset(out, 0xee, sizeof(*out));
	assert_int_equal(trigger_format_make(server, escape, text, &format), 0);
	result = trigger_line_parse(format, line, strlen(line), out);
	trigger_format_free(format);
	return result;
}

static void must_read(enum sites_server server, const char *text, const char *line,
		      struct trigger_line *out)
{
	int result = parse_as(server, SITES_ESCAPE_DEFAULT, text, line, out);

	if (result)
		fail_msg("not read: %s", line);
}

static void must_refuse(enum sites_server server, const char *text, const char *line)
{
	struct trigger_line out;

	if (parse_as(server, SITES_ESCAPE_DEFAULT, text, line, &out) != -EBADMSG)
		fail_msg("read: %s", line);
}

static void nginx_combined_tells_the_end(void **state)
{
	struct trigger_line line;

	(void)state;
	must_read(SITES_NGINX, NGINX,
		  "203.0.113.9 - - [16/Nov/2026:10:00:00 +0100] \"POST /a.php?x=1 HTTP/1.1\" 200 5 "
		  "\"-\" \"curl/7\"",
		  &line);
	assert_string_equal(line.client, "203.0.113.9");
	assert_string_equal(line.method, "POST");
	assert_string_equal(line.uri, "/a.php?x=1");
	assert_int_equal(line.status, 200);
	assert_true(line.time_ns == T);
	assert_true(line.end_min_ns == T && line.end_max_ns == T + S - 1);
	assert_true(line.start_min_ns == INT64_MIN);
	assert_int_equal(line.pid, 0);
}

static void apache_combined_tells_the_start(void **state)
{
	struct trigger_line line;

	(void)state;
	must_read(SITES_APACHE, APACHE,
		  "2001:db8::1 - - [16/Nov/2026:09:00:00 +0000] \"GET / HTTP/2.0\" 404 - \"-\" "
		  "\"a \\\"b\\\"\"",
		  &line);
	assert_string_equal(line.client, "2001:db8::1");
	assert_true(line.start_min_ns == T && line.start_max_ns == T + S - 1);
	assert_true(line.end_max_ns == INT64_MAX && line.end_min_ns == INT64_MIN);
}

static void vhost_combined_tells_the_vhost(void **state)
{
	struct trigger_line line;

	(void)state;
	must_read(SITES_APACHE, VHOST,
		  "shop.example:443 203.0.113.9 - bob [16/Nov/2026:09:00:00 +0000] "
		  "\"GET /x HTTP/1.1\" 200 1 \"-\" \"-\"",
		  &line);
	assert_string_equal(line.vhost, "shop.example");
	assert_string_equal(line.client, "203.0.113.9");
}

static void a_duration_gives_the_other_end(void **state)
{
	struct trigger_line line;

	(void)state;
	must_read(SITES_NGINX, "$msec $request_time \"$request\"",
		  "1794819600.500 2.250 \"GET / HTTP/1.1\"", &line);
	assert_true(line.end_min_ns == T + 500 * MS && line.end_max_ns == T + 501 * MS - 1);
	assert_true(line.start_max_ns == T - 1750 * MS + MS - 1);
	assert_true(line.start_min_ns == T - 1751 * MS + 1);
	must_read(SITES_APACHE, "%t %D %P \"%r\"",
		  "[16/Nov/2026:09:00:00 +0000] 1500000 4711 \"GET / HTTP/1.1\"", &line);
	assert_int_equal(line.pid, 4711);
	assert_true(line.end_min_ns == T + 1500 * MS);
	assert_true(line.end_max_ns == T + S - 1 + 1500 * MS + 999);
	must_read(SITES_APACHE, "%{end:msec}t %{ms}T \"%r\"",
		  "1794819600500 500 \"GET / HTTP/1.1\"", &line);
	assert_true(line.end_min_ns == T + 500 * MS && line.start_min_ns == T - MS + 1);
}

static void iso_times_json_and_odd_places_are_read(void **state)
{
	struct trigger_line line;

	(void)state;
	assert_int_equal(
		parse_as(SITES_NGINX, SITES_ESCAPE_JSON,
			 "{\"t\":\"$time_iso8601\",\"h\":\"$host\",\"m\":\"$request_method\","
			 "\"u\":\"$request_uri\",\"ua\":\"$http_user_agent\"}",
			 "{\"t\":\"2026-11-16T10:00:00+01:00\",\"h\":\"shop.example\","
			 "\"m\":\"POST\",\"u\":\"/a\\\"b\",\"ua\":\"\\u0001 \\\\ \\n\"}",
			 &line),
		0);
	assert_true(line.end_min_ns == T);
	assert_string_equal(line.uri, "/a\"b");
	assert_string_equal(line.vhost, "shop.example");
	must_read(SITES_NGINX, "$request_uri $msec \"$request\" $request_uri $request_method",
		  "/x?y 1794819600.000 \"GET /x?y HTTP/1.1\" /x?y GET", &line);
	assert_string_equal(line.uri, "/x?y");
	assert_string_equal(line.method, "GET");
	must_read(SITES_APACHE, "%m %U%q %{X}i %t",
		  "GET /a/b?c=d a b c [16/Nov/2026:09:00:00 +0000]", &line);
	assert_string_equal(line.uri, "/a/b?c=d");
	/* a configuration's text may still have its backslashes */
	must_read(SITES_APACHE, "%t \\\"%r\\\"", "[16/Nov/2026:09:00:00 +0000] \"GET / HTTP/1.1\"",
		  &line);
}

static void formats_without_time_or_request_are_refused(void **state)
{
	struct trigger_format *format = NULL;

	(void)state;
	assert_int_equal(trigger_format_make(SITES_NGINX, 0, "$request $status", &format), -EINVAL);
	assert_int_equal(trigger_format_make(SITES_APACHE, 0, "%t %>s", &format), -EINVAL);
	assert_int_equal(trigger_format_make(SITES_APACHE, 0, "%t %{x", &format), -EINVAL);
	assert_int_equal(trigger_format_make(SITES_NGINX, SITES_ESCAPE_NONE, NGINX, &format),
			 -EINVAL);
	assert_int_equal(trigger_format_make(SITES_NGINX, 0, "", &format), -EINVAL);
	assert_null(format);
}

static void quotes_of_clients_move_no_field(void **state)
{
	struct trigger_line line;

	(void)state;
	/* nginx writes a quote as \x22 */
	must_read(SITES_NGINX, NGINX,
		  "203.0.113.9 - - [16/Nov/2026:09:00:00 +0000] \"GET /x\\x22 200 5 \\x22-\\x22 "
		  "HTTP/1.1\" "
		  "403 5 \"\\x22 \\x22\" \"-\"",
		  &line);
	assert_true(line.odd); /* spaces: what its URI is can't be told */
	assert_int_equal(line.status, 403);
	assert_string_equal(line.uri, "");
	/* Apache as \" */
	must_read(SITES_APACHE, APACHE,
		  "203.0.113.9 - - [16/Nov/2026:09:00:00 +0000] \"GET /x\\\"y HTTP/1.1\" 403 5 "
		  "\"\\\" 200 1 \\\"\" \"\\\\\"",
		  &line);
	assert_string_equal(line.uri, "/x\"y");
	assert_int_equal(line.status, 403);
	/* a raw quote is nobody's */
	must_refuse(SITES_APACHE, APACHE,
		    "203.0.113.9 - - [16/Nov/2026:09:00:00 +0000] \"GET /x HTTP/1.1\" 200 \"-\" "
		    "\"-\" HTTP/1.1\" "
		    "403 5 \"-\" \"-\"");
}

static void names_of_users_move_no_field(void **state)
{
	static const char forged[] =
		"203.0.113.9 - x [16/Nov/2026:08:00:00 +0000] \\\"POST /evil HTTP/1.1\\\" "
		"200 1 [16/Nov/2026:09:00:00 +0000] \"GET /true HTTP/1.1\" 401 5 \"-\" \"-\"";
	struct trigger_line line;

	(void)state;
	must_read(SITES_APACHE, APACHE, forged, &line);
	assert_string_equal(line.uri, "/true");
	assert_true(line.time_ns == T);
	/* Without quotes around the request there are two ways to read it. */
	must_refuse(SITES_APACHE, "%u %t %m %U %{X}i",
		    "x [16/Nov/2026:08:00:00 +0000] POST /evil y [16/Nov/2026:09:00:00 +0000] GET "
		    "/true z");
	must_refuse(SITES_NGINX,
		    "$http_x $status $http_y $time_iso8601 $request_method $request_uri",
		    "a 200 b 404 c 2026-11-16T09:00:00+00:00 GET /");
}

static void cut_and_senseless_lines_are_refused(void **state)
{
	static const char *const lines[] = {
		"",
		"-",
		"203.0.113.9 - - [16/Nov/2026:09:00:00 +0000] \"GET / HTTP/1.1\" 200",
		"203.0.113.9 - - [16/Nov/2026:09:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"-",
		"203.0.113.9 - - [31/Feb/2026:09:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"-\"",
		"203.0.113.9 - - [16/Nov/2026:25:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"-\"",
		"203.0.113.9 - - [16/Foo/2026:09:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"-\"",
		"203.0.113.9 - - [16/Nov/2026:09:00:00 +0000] \"GET / HTTP/1.1\" 2000 5 \"-\" "
		"\"-\"",
		"203.0.113.9 - - [16/Nov/2026:09:00:00 +0000] \"GET /\\x00 HTTP/1.1\" 200 5 \"-\" "
		"\"-\"",
		"203.0.113.9 - - [16/Nov/2026:09:00:00 +0000] \"GET /\\q HTTP/1.1\" 200 5 \"-\" "
		"\"-\"",
		"203.0 113.9 - - [16/Nov/2026:09:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"-\"",
		"203.0.113.9 - - [16/Nov/2026:09:00:00 +0000] \"GET /\001 HTTP/1.1\" 200 5 \"-\" "
		"\"-\"",
	};
	struct trigger_format *format;
	struct trigger_line line;
	char *huge = malloc(TRIGGER_LINE_BYTES + 2);

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		must_refuse(SITES_NGINX, NGINX, lines[i]);
	assert_int_equal(trigger_format_make(SITES_NGINX, 0, "$msec \"$request\"", &format), 0);
	assert_int_equal(trigger_line_parse(format, "1.5 \"GET / HTTP/1.1\"\0", 21, &line),
			 -EBADMSG);
	assert_non_null(huge);
	memset(huge, ' ', TRIGGER_LINE_BYTES + 2);
	assert_int_equal(trigger_line_parse(format, huge, TRIGGER_LINE_BYTES + 1, &line), -EBADMSG);
	free(huge);
	trigger_format_free(format);
}

static void a_line_of_many_ways_ends_soon(void **state)
{
	char line[8192];
	struct trigger_line out;

	(void)state;
	memset(line, ' ', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	assert_int_equal(parse_as(SITES_NGINX, 0, "$http_a $http_b $http_c $http_d $msec $request",
				  line, &out),
			 -EBADMSG);
}

static void what_was_no_request_is_told_so(void **state)
{
	struct trigger_line line;

	(void)state;
	must_read(SITES_NGINX, NGINX,
		  "203.0.113.9 - - [16/Nov/2026:09:00:00 +0000] \"\\x16\\x03\\x01\" 400 5 \"-\" "
		  "\"-\"",
		  &line);
	assert_true(line.no_request);
	must_read(SITES_APACHE, APACHE,
		  "203.0.113.9 - - [16/Nov/2026:09:00:00 +0000] \"-\" 408 - \"-\" \"-\"", &line);
	assert_true(line.no_request);
	must_read(SITES_NGINX, NGINX,
		  "203.0.113.9 - - [16/Nov/2026:09:00:00 +0000] \"GET /old\" 200 5 \"-\" \"-\"",
		  &line);
	assert_false(line.no_request);
	assert_string_equal(line.uri, "/old");
}

static void long_uris_are_cut_and_say_so(void **state)
{
	char text[4096];
	struct trigger_line line;

	(void)state;
	snprintf(text, sizeof(text), "1794819600.000 \"GET /%02000d HTTP/1.1\"", 0);
	must_read(SITES_NGINX, "$msec \"$request\"", text, &line);
	assert_true(line.uri_cut);
	assert_int_equal(strlen(line.uri), sizeof(line.uri) - 1);
}

static void guessed_formats_are_not_mixed_up(void **state)
{
	struct trigger_format *format;
	struct trigger_line line;
	static const char plain[] =
		"203.0.113.9 - - [16/Nov/2026:09:00:00 +0000] \"GET /p HTTP/1.1\" 200 5 more \"x\"";
	static const char vhost[] = "shop.example:80 203.0.113.9 - - [16/Nov/2026:09:00:00 +0000] "
				    "\"GET /v HTTP/1.1\" 200 5";
	static const char user[] =
		"203.0.113.9 - a b [16/Nov/2026:09:00:00 +0000] \"GET /v HTTP/1.1\" 200 5";

	(void)state;
	assert_int_equal(trigger_format_guess(SITES_NGINX, &format), 0);
	assert_int_equal(trigger_line_parse(format, plain, strlen(plain), &line), 0);
	assert_string_equal(line.uri, "/p");
	assert_string_equal(line.vhost, "");
	assert_true(line.end_min_ns == T && line.start_min_ns == INT64_MIN);
	assert_int_equal(trigger_line_parse(format, vhost, strlen(vhost), &line), 0);
	assert_string_equal(line.vhost, "shop.example");
	assert_string_equal(line.client, "203.0.113.9");
	assert_int_equal(trigger_line_parse(format, user, strlen(user), &line), -EBADMSG);
	trigger_format_free(format);
}

/* --- the decision --- */

struct scene {
	struct trigger_question question;
	struct trigger_tally tally;
	struct trigger_line line;
	struct trigger_place place;
};

/* php-fpm's POST /a.php at T, and a line that is it. */
static int enter(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	if (!scene)
		return -1;
	scene->question.syn_ns = T;
	scene->line = (struct trigger_line){ .method = "POST",
					     .uri = "/a.php",
					     .client = "203.0.113.9",
					     .status = 200,
					     .time_ns = T,
					     .start_min_ns = INT64_MIN,
					     .start_max_ns = INT64_MAX,
					     .end_min_ns = T,
					     .end_max_ns = T + S - 1 };
	scene->place = (struct trigger_place){ .log = 1, .site_proven = true };
	*state = scene;
	return 0;
}

static int leave(void **state)
{
	free(*state);
	return 0;
}

static void known(struct scene *scene, const char *method, const char *uri)
{
	strcpy(scene->question.method, method);
	strcpy(scene->question.uri, uri);
}

static void add(struct scene *scene)
{
	trigger_tally_add(&scene->tally, &scene->question, &scene->line, &scene->place);
}

static void other(struct scene *scene, const char *method, const char *uri)
{
	strcpy(scene->line.method, method);
	strcpy(scene->line.uri, uri);
	add(scene);
}

static void expect(struct scene *scene, enum trigger_match match, uint32_t n, const char *uri)
{
	const struct trigger_best *best;
	uint32_t got_n;
	enum trigger_match got =
		trigger_tally_answer(&scene->tally, &scene->question, &best, &got_n);

	assert_int_equal(got, match);
	assert_int_equal(got_n, n);
	if (uri)
		assert_string_equal(best->line.uri, uri);
	else
		assert_null(best);
}

static void the_processes_own_request_is_exact(void **state)
{
	struct scene *scene = *state;

	known(scene, "POST", "/a.php");
	other(scene, "GET", "/a.php");
	other(scene, "POST", "/a.php?b");
	expect(scene, TRIGGER_NONE, 0, NULL);
	other(scene, "POST", "/a.php");
	expect(scene, TRIGGER_EXACT, 1, "/a.php");
	strcpy(scene->line.client, "203.0.113.10");
	add(scene); /* the same at the same time, by another client */
	expect(scene, TRIGGER_CANDIDATES, 2, "/a.php");
}

static void what_could_not_be_open_does_not_count(void **state)
{
	struct scene *scene = *state;

	known(scene, "POST", "/a.php");
	scene->line.end_min_ns = T - 2 * S;
	scene->line.end_max_ns = T - S;
	add(scene);
	scene->line.end_min_ns = T + 5 * S;
	scene->line.end_max_ns = T + 6 * S;
	scene->line.start_min_ns = T + S;
	scene->line.start_max_ns = T + 2 * S;
	add(scene);
	expect(scene, TRIGGER_NONE, 0, NULL);
	scene->line.start_min_ns = T - S;
	add(scene);
	expect(scene, TRIGGER_EXACT, 1, "/a.php");
}

static void a_pid_decides(void **state)
{
	struct scene *scene = *state;

	scene->question.pid = scene->line.pid = 77;
	add(scene);
	scene->line.pid = 78;
	other(scene, "GET", "/b.php");
	expect(scene, TRIGGER_EXACT, 1, "/a.php");
	scene->line.pid = 77;
	other(scene, "GET", "/c.php"); /* it served both within the clock's second */
	expect(scene, TRIGGER_CANDIDATES, 2, "/a.php");
}

static void one_unknown_request_is_probable_and_two_are_candidates(void **state)
{
	struct scene *scene = *state;

	add(scene);
	expect(scene, TRIGGER_PROBABLE, 1, "/a.php");
	scene->line.time_ns += S;
	other(scene, "GET", "/b.php");
	expect(scene, TRIGGER_CANDIDATES, 2, "/a.php");
}

static void doubt_makes_nothing_probable(void **state)
{
	struct scene *scene = *state;

	add(scene);
	scene->tally.unread = 1;
	expect(scene, TRIGGER_CANDIDATES, 2, "/a.php");
	scene->tally.unread = 0;
	scene->tally.partial = true;
	expect(scene, TRIGGER_CANDIDATES, 1, "/a.php");
	scene->tally.partial = false;
	scene->tally.best[TRIGGER_FIT_TIME].place.site_proven = false;
	expect(scene, TRIGGER_CANDIDATES, 1, "/a.php");
}

static void odd_requests_are_doubt_unless_refused(void **state)
{
	struct scene *scene = *state;

	add(scene);
	scene->line.odd = true;
	scene->line.status = 400;
	add(scene);
	expect(scene, TRIGGER_PROBABLE, 1, "/a.php");
	scene->line.status = 200;
	add(scene);
	expect(scene, TRIGGER_CANDIDATES, 2, "/a.php");
}

static void a_shared_log_is_never_exact(void **state)
{
	struct scene *scene = *state;

	known(scene, "POST", "/a.php");
	scene->place.site_proven = false;
	add(scene);
	expect(scene, TRIGGER_PROBABLE, 1, "/a.php");
}

static void other_vhosts_and_static_files_do_not_count(void **state)
{
	char *names[] = { (char *)"shop.example", (char *)"*.shop.example" };
	struct scene *scene = *state;

	scene->question.names = names;
	scene->question.n_names = 2;
	strcpy(scene->line.vhost, "other.example");
	add(scene);
	strcpy(scene->line.vhost, "notshop.example");
	add(scene);
	scene->place.is_static = true;
	strcpy(scene->line.vhost, "shop.example");
	add(scene);
	expect(scene, TRIGGER_NONE, 0, NULL);
	scene->place.is_static = false;
	strcpy(scene->line.vhost, "WWW.shop.example:443");
	add(scene);
	expect(scene, TRIGGER_PROBABLE, 1, "/a.php");
}

static void where_requests_may_be_unlogged_nothing_is_probable(void **state)
{
	struct scene *scene = *state;

	scene->question.unlogged = true;
	add(scene);
	expect(scene, TRIGGER_CANDIDATES, 1, "/a.php");
	memset(&scene->tally, 0, sizeof(scene->tally));
	known(scene, "POST", "/b.php"); /* those of one URI are logged alike */
	other(scene, "POST", "/b.php");
	expect(scene, TRIGGER_EXACT, 1, "/b.php");
	scene->question.conditional = true;
	expect(scene, TRIGGER_CANDIDATES, 1, "/b.php");
	scene->question.conditional = false;
	scene->tally.best[TRIGGER_FIT_REQUEST].place.site_proven = false;
	expect(scene, TRIGGER_CANDIDATES, 1, "/b.php");
}

static void a_pid_is_exact_beside_unlogged_ones_only_if_its_times_are_known(void **state)
{
	struct scene *scene = *state;

	scene->question.unlogged = scene->question.conditional = true;
	scene->question.pid = scene->line.pid = 77;
	scene->line.start_min_ns = T - S;
	scene->line.start_max_ns = T - 1;
	scene->line.end_min_ns = INT64_MIN;
	scene->line.end_max_ns = INT64_MAX;
	add(scene);
	expect(scene, TRIGGER_CANDIDATES, 1, "/a.php");
	memset(&scene->tally, 0, sizeof(scene->tally));
	scene->line.end_min_ns = T;
	scene->line.end_max_ns = T + 1;
	add(scene);
	expect(scene, TRIGGER_EXACT, 1, "/a.php");
}

static void of_candidates_the_next_to_end_is_given(void **state)
{
	struct scene *scene = *state;

	scene->line.end_max_ns = T + 5 * S;
	other(scene, "GET", "/later");
	scene->line.end_max_ns = T + 2 * S;
	other(scene, "GET", "/next");
	scene->line.end_max_ns = T + 9 * S;
	scene->line.time_ns = T + 9 * S;
	other(scene, "GET", "/last");
	scene->line.end_max_ns = INT64_MAX;
	other(scene, "GET", "/who-knows");
	expect(scene, TRIGGER_CANDIDATES, 4, "/next");
}

static void a_word_given_early_is_corrected_by_later_lines(void **state)
{
	struct scene *scene = *state;

	other(scene, "GET", "/innocent");
	expect(scene, TRIGGER_PROBABLE, 1, "/innocent");
	scene->line.end_min_ns = T + 60 * S; /* its client read slowly */
	scene->line.end_max_ns = T + 61 * S;
	other(scene, "POST", "/guilty");
	expect(scene, TRIGGER_CANDIDATES, 2, "/innocent");
	known(scene, "POST", "/guilty");
	memset(&scene->tally, 0, sizeof(scene->tally));
	other(scene, "POST", "/guilty");
	expect(scene, TRIGGER_EXACT, 1, "/guilty");
}

static void two_servers_tell_one_request(void **state)
{
	struct scene *scene = *state;

	known(scene, "POST", "/a.php");
	add(scene);
	scene->place.log = 2;
	strcpy(scene->line.client, "127.0.0.1"); /* behind nginx */
	add(scene);
	expect(scene, TRIGGER_EXACT, 1, "/a.php");
	assert_string_equal(scene->tally.best[TRIGGER_FIT_REQUEST].line.client, "203.0.113.9");
	add(scene); /* a second one that only this log tells */
	expect(scene, TRIGGER_CANDIDATES, 2, "/a.php");
}

static void a_front_controller_may_serve_any_uri_below_it(void **state)
{
	struct scene *scene = *state;

	known(scene, "POST", "/shop/index.php");
	scene->question.uri_is_script = true;
	other(scene, "POST", "/other/x");
	other(scene, "POST", "/shop");
	expect(scene, TRIGGER_NONE, 0, NULL);
	other(scene, "POST", "/shop/cart");
	expect(scene, TRIGGER_PROBABLE, 1, "/shop/cart");
	other(scene, "POST", "/shop/index.php"); /* named so, but either may be it */
	expect(scene, TRIGGER_CANDIDATES, 2, "/shop/index.php");
}

static void another_script_serves_its_own_uri_only(void **state)
{
	struct scene *scene = *state;

	known(scene, "POST", "/shop/mail.php");
	scene->question.uri_is_script = true;
	other(scene, "POST", "/shop/about");
	expect(scene, TRIGGER_NONE, 0, NULL);
	other(scene, "POST", "/shop/mail.php");
	expect(scene, TRIGGER_EXACT, 1, "/shop/mail.php");
}

static void a_cut_uri_is_not_exact(void **state)
{
	struct scene *scene = *state;

	known(scene, "POST", "/a");
	scene->question.uri_cut = true;
	add(scene);
	expect(scene, TRIGGER_PROBABLE, 1, "/a.php");
}

static void very_many_are_counted(void **state)
{
	struct scene *scene = *state;
	char uri[32];

	for (unsigned i = 0; i < 3 * TRIGGER_TWINS; i++) {
		snprintf(uri, sizeof(uri), "/%u.php", i);
		other(scene, "GET", uri);
	}
	expect(scene, TRIGGER_CANDIDATES, 3 * TRIGGER_TWINS, "/0.php");
}

static void paths_of_uris_do_not_climb(void **state)
{
	char path[32];

	(void)state;
	assert_int_equal(trigger_uri_path("/a%2eb/c?x", path, sizeof(path)), 0);
	assert_string_equal(path, "/a.b/c");
	assert_int_equal(trigger_uri_path("/a/%2e%2e/b", path, sizeof(path)), -EINVAL);
	assert_int_equal(trigger_uri_path("/..", path, sizeof(path)), -EINVAL);
	assert_int_equal(trigger_uri_path("/a%00", path, sizeof(path)), -EINVAL);
	assert_int_equal(trigger_uri_path("/a%4", path, sizeof(path)), -EINVAL);
	assert_int_equal(trigger_uri_path("http://x/", path, sizeof(path)), -EINVAL);
	assert_int_equal(trigger_uri_path("/0123456789012345678901234567890", path, sizeof(path)),
			 -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nginx_combined_tells_the_end),
		cmocka_unit_test(apache_combined_tells_the_start),
		cmocka_unit_test(vhost_combined_tells_the_vhost),
		cmocka_unit_test(a_duration_gives_the_other_end),
		cmocka_unit_test(iso_times_json_and_odd_places_are_read),
		cmocka_unit_test(formats_without_time_or_request_are_refused),
		cmocka_unit_test(quotes_of_clients_move_no_field),
		cmocka_unit_test(names_of_users_move_no_field),
		cmocka_unit_test(cut_and_senseless_lines_are_refused),
		cmocka_unit_test(a_line_of_many_ways_ends_soon),
		cmocka_unit_test(what_was_no_request_is_told_so),
		cmocka_unit_test(long_uris_are_cut_and_say_so),
		cmocka_unit_test(guessed_formats_are_not_mixed_up),
		cmocka_unit_test(paths_of_uris_do_not_climb),
#define SCENE(test) cmocka_unit_test_setup_teardown(test, enter, leave)
		SCENE(the_processes_own_request_is_exact),
		SCENE(what_could_not_be_open_does_not_count),
		SCENE(a_pid_decides),
		SCENE(one_unknown_request_is_probable_and_two_are_candidates),
		SCENE(doubt_makes_nothing_probable),
		SCENE(odd_requests_are_doubt_unless_refused),
		SCENE(a_shared_log_is_never_exact),
		SCENE(other_vhosts_and_static_files_do_not_count),
		SCENE(two_servers_tell_one_request),
		SCENE(a_front_controller_may_serve_any_uri_below_it),
		SCENE(another_script_serves_its_own_uri_only),
		SCENE(a_cut_uri_is_not_exact),
		SCENE(very_many_are_counted),
		SCENE(where_requests_may_be_unlogged_nothing_is_probable),
		SCENE(a_pid_is_exact_beside_unlogged_ones_only_if_its_times_are_known),
		SCENE(of_candidates_the_next_to_end_is_given),
		SCENE(a_word_given_early_is_corrected_by_later_lines),
	};

	return cmocka_run_group_tests_name("trigger", tests, NULL, NULL);
}
