/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mod_status's page: the row of one worker, and what clients may have written into it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "web/trigger_status.h"

#define HEAD                                                                                       \
	"<html><body><table border=\"0\"><tr><th>Srv</th><th>PID</th><th>Acc</th><th>M</th>"       \
	"<th>CPU\n</th><th>SS</th><th>Req</th><th>Dur</th><th>Conn</th><th>Child</th>"             \
	"<th>Slot</th><th>Client</th><th>Protocol</th><th>VHost</th><th>Request</th></tr>\n\n"
#define ROW(pid, mode, client, vhost, request)                                                     \
	"<tr><td><b>0-0</b></td><td>" pid "</td><td>0/3/3</td><td>" mode "\n</td><td>0.01</td>"    \
	"<td>0</td><td>1</td><td>12</td><td>0.0</td><td>0.00</td><td>0.00\n</td><td>" client       \
	"</td><td>http/1.1</td><td nowrap>" vhost "</td><td nowrap>" request "</td></tr>\n"
#define TAIL	"</table></body></html>\n"
#define AT_WORK "<b>W</b>"

static int row(const char *page, struct trigger_line *line)
{
	return trigger_status_row(page, strlen(page), 4711, line);
}

static void the_workers_row_is_found(void **state)
{
	struct trigger_line line;

	(void)state;
	assert_int_equal(row(HEAD ROW("10", AT_WORK, "203.0.113.1", "a:80", "GET / HTTP/1.1")
				     ROW("4711", AT_WORK, "203.0.113.9", "shop.example:80",
					 "POST /x.php?a=1&amp;b HTTP/1.1")
					     ROW("-", ".", "::1", "a:80", "GET / HTTP/1.1") TAIL,
			     &line),
			 0);
	assert_int_equal(line.pid, 4711);
	assert_string_equal(line.client, "203.0.113.9");
	assert_string_equal(line.vhost, "shop.example:80");
	assert_string_equal(line.method, "POST");
	assert_string_equal(line.uri, "/x.php?a=1&b");
	assert_false(line.uri_cut);
}

static void a_worker_at_rest_is_at_no_request(void **state)
{
	struct trigger_line line;

	(void)state;
	assert_int_equal(row(HEAD ROW("4711", "_", "203.0.113.9", "a:80", "POST /x.php HTTP/1.1")
				     TAIL,
			     &line),
			 -ENOENT);
	assert_int_equal(row(HEAD ROW("4711", "<b>K</b>", "203.0.113.9", "a:80", "POST /x HTTP/1.1")
				     TAIL,
			     &line),
			 -ENOENT);
	assert_int_equal(row(HEAD TAIL, &line), -ENOENT);
}

static void two_threads_of_one_process_are_not_told_apart(void **state)
{
	struct trigger_line line;

	(void)state;
	assert_int_equal(
		row(HEAD ROW("4711", AT_WORK, "203.0.113.9", "a:80", "POST /x.php HTTP/1.1")
			    ROW("4711", AT_WORK, "203.0.113.8", "a:80", "GET / HTTP/1.1") TAIL,
		    &line),
		-ENOENT);
}

static void a_request_that_did_not_fit_says_so(void **state)
{
	struct trigger_line line;

	(void)state;
	assert_int_equal(row(HEAD ROW("4711", AT_WORK, "203.0.113.9", "a:80", "POST /0123456789")
				     TAIL,
			     &line),
			 0);
	assert_true(line.uri_cut);
	assert_string_equal(line.uri, "/0123456789");
	assert_int_equal(row(HEAD ROW("4711", AT_WORK, "203.0.113.9", "a:80", "POST /0123456789 HT")
				     TAIL,
			     &line),
			 0);
	assert_false(line.uri_cut);
	assert_string_equal(line.uri, "/0123456789");
}

static void what_clients_wrote_makes_no_row(void **state)
{
	struct trigger_line line;

	(void)state;
	assert_int_equal(
		row(HEAD ROW("10", AT_WORK, "203.0.113.1", "a:80",
			     "GET /&lt;/td&gt;&lt;/tr&gt;&lt;tr&gt;&lt;td&gt;4711 HTTP/1.1") TAIL,
		    &line),
		-ENOENT);
	assert_int_equal(row(HEAD ROW("4711", AT_WORK, "203.0.113.9", "a:80",
				      "GET /&lt;b&gt;&quot; HTTP/1.1") TAIL,
			     &line),
			 0);
	assert_string_equal(line.uri, "/<b>\"");
	assert_int_equal(row(HEAD ROW("4711", AT_WORK, "203.0.113.9", "a:80", "GET /a b HTTP/1.1")
				     TAIL,
			     &line),
			 -EBADMSG);
	assert_int_equal(
		row(HEAD ROW("4711", AT_WORK, "203.0.113.9", "a:80", "\\x16\\x03") TAIL, &line),
		-EBADMSG);
}

static void another_page_is_none(void **state)
{
	struct trigger_line line;

	(void)state;
	assert_int_equal(row("<html><tr><td>4711</td></tr></html>", &line), -EBADMSG);
	assert_int_equal(row("", &line), -EBADMSG);
	assert_int_equal(row(HEAD "<tr><td>4711</td>", &line), -EBADMSG);
	assert_int_equal(row("<table><tr><th>PID</th></tr><tr><td>4711</td></tr>", &line),
			 -EBADMSG);
}

static const char *page_of(const char *answer)
{
	size_t len;

	return trigger_status_page(answer, strlen(answer), &len);
}

static void an_answer_must_be_whole_and_html(void **state)
{
	(void)state;
	assert_string_equal(page_of("HTTP/1.1 200 OK\r\nX: y\r\nContent-Type: text/html; "
				    "charset=x\r\n\r\n<html></html>"),
			    "<html></html>");
	assert_null(page_of("HTTP/1.1 404 No\r\nContent-Type: text/html\r\n\r\n<html></html>"));
	assert_null(page_of("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n<html></html>"));
	assert_null(page_of("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>"));
	assert_null(page_of("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: "
			    "chunked\r\n\r\n<html></html>"));
	assert_null(page_of("HTTP/1.1 200 OK\r\nContent-Type: text/html"));
	assert_null(page_of(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_workers_row_is_found),
		cmocka_unit_test(a_worker_at_rest_is_at_no_request),
		cmocka_unit_test(two_threads_of_one_process_are_not_told_apart),
		cmocka_unit_test(a_request_that_did_not_fit_says_so),
		cmocka_unit_test(what_clients_wrote_makes_no_row),
		cmocka_unit_test(another_page_is_none),
		cmocka_unit_test(an_answer_must_be_whole_and_html),
	};

	return cmocka_run_group_tests_name("trigger_status", tests, NULL, NULL);
}
