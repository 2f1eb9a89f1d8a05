// SPDX-License-Identifier: GPL-2.0-or-later
/* php-fpm's configuration, the FastCGI records of its status page, and the page. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "bpf-free/fcgi.h"
#include "bpf-free/fpm_conf.h"
#include "bpf-free/fpm_quota.h"
#include "bpf-free/fpm_status.h"

#define HEAD                                                                                       \
	"pool:                 www\nprocess manager:      static\n"                                \
	"start time:           23/Nov/2026:04:53:57 +0000\ntotal processes:      2\n"
#define ENTRY(pid, state, uri, script)                                                             \
	"\n************************\n"                                                             \
	"pid:                  " pid "\nstate:                " state "\n"                         \
	"start time:           23/Nov/2026:04:53:57 +0000\nstart since:          0\n"              \
	"requests:             1\nrequest duration:     300753\n"                                  \
	"request method:       POST\nrequest URI:          " uri "\n"                              \
	"content length:       0\nuser:                 -\nscript:               " script "\n"     \
	"last request cpu:     0.00\nlast request memory:  0\n"

static const char page[] = HEAD ENTRY("10118", "Idle", "/old.php", "/srv/old.php")
	ENTRY("10119", "Running", "/m.php?a=1", "/srv/a\xff\"b.php");

static struct fpm_status status;

static int parse(const char *text, pid_t pid)
{
	return fpm_status_parse(text, strlen(text), pid, &status);
}

static void right_page(void **unused)
{
	(void)unused;
	assert_int_equal(parse(page, 10119), 0);
	assert_int_equal(status.pool.len, 3);
	assert_memory_equal(status.script.at, "/srv/a\xff\"b.php\n", 14);
	assert_int_equal(status.script.len, 13);
	assert_memory_equal(status.uri.at, "/m.php?a=1\n", 11);
	assert_memory_equal(status.method.at, "POST\n", 5);
	assert_true(fpm_status_at_work(&status));
	assert_int_equal(status.duration_us, 300753);
	assert_int_equal(status.n_listed, 2);
	assert_int_equal(status.pids[1], 10119);
	assert_int_equal(parse(page, 10118), 0);
	assert_false(fpm_status_at_work(&status));
	assert_int_equal(parse(page, 1), -ENOENT);
}

static void forged_pages(void **unused)
{
	static const char *const pages[] = {
		"",
		"\n",
		HEAD,
		HEAD "\n",
		"<html>404</html>\n",
		"File not found.\n",
		/* a script line of its own */
		HEAD ENTRY("7", "Running", "/x\nscript:               /innocent", "/evil"),
		/* a second script line, with all that must come before it */
		HEAD ENTRY("7", "Running",
			   "/x\ncontent length:       0\nuser:                 -\n"
			   "script:               /innocent\nlast request cpu:     0.00\n"
			   "last request memory:  0",
			   "/evil"),
		/* the same pid twice */
		HEAD ENTRY("7", "Running", "/a", "/innocent") ENTRY("7", "Running", "/b", "/evil"),
		/* lines missing, changed, or behind the end */
		HEAD ENTRY("7", "Running", "/a", "/b\n"),
		HEAD ENTRY("07", "Running", "/a", "/b"),
		HEAD ENTRY("7x", "Running", "/a", "/b"),
		HEAD ENTRY("", "Running", "/a", "/b"),
		HEAD ENTRY("99999999999", "Running", "/a", "/b"),
		HEAD ENTRY("7", "Running", "/a", "/b") "more\n",
		HEAD ENTRY("7", "Running", "/a", "/b") "\nmore\n",
		HEAD ENTRY("7", "Running", "/a", "/b") "\n",
		ENTRY("7", "Running", "/a", "/b"),
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		assert_int_equal(parse(pages[i], 7), -EBADMSG);
}

static void cut_page(void **unused)
{
	(void)unused;
	for (size_t n = 0; n < sizeof(page) - 1; n++) {
		char *copy = malloc(n ? n : 1);
		int error;

		memcpy(copy, page, n);
		error = fpm_status_parse(copy, n, 10119, &status);
		assert_true(error == -EBADMSG || error == -ENOENT);
		free(copy);
	}
}

static void too_many(void **unused)
{
	char *text = malloc(1 << 20), *at = text + sprintf(text, "%s", HEAD);

	(void)unused;
	for (int pid = 1; pid <= FPM_STATUS_PIDS + 1; pid++) {
		char number[12];

		sprintf(number, "%d", pid);
		at += sprintf(at, ENTRY("%s", "Idle", "-", "-"), number);
		if (pid == FPM_STATUS_PIDS)
			assert_int_equal(fpm_status_parse(text, (size_t)(at - text), 7, &status),
					 0);
	}
	assert_int_equal(fpm_status_parse(text, (size_t)(at - text), 7, &status), -EBADMSG);
	free(text);
}

/* FastCGI */

static size_t record(uint8_t *out, uint8_t type, const void *content, size_t n, uint8_t padding)
{
	uint8_t header[8] = { 1, type, 0, 1, (uint8_t)(n >> 8), (uint8_t)n, padding };

	memcpy(out, header, 8);
	memcpy(out + 8, content, n);
	memset(out + 8 + n, 0, padding);
	return 8 + n + padding;
}

static size_t right_response(uint8_t *out)
{
	static const char body[] = "Status: 200 OK\r\nContent-Type: text/plain\r\n\r\nhello\n";
	size_t n = record(out, 6, body, 20, 4);

	n += record(out + n, 7, "noise", 5, 0);
	n += record(out + n, 6, body + 20, sizeof(body) - 1 - 20, 1);
	n += record(out + n, 6, "", 0, 0);
	return n + record(out + n, 3, "\0\0\0\0\0\0\0\0", 8, 0);
}

static void response(void **unused)
{
	uint8_t bytes[512];
	size_t n = right_response(bytes), len;

	(void)unused;
	for (size_t step = 1; step <= n; step++) {
		struct fcgi_response r = { 0 };
		const char *text;
		int result = 0;

		for (size_t at = 0; at < n; at += step) {
			size_t part = n - at < step ? n - at : step;

			assert_int_equal(result, 0);
			result = fcgi_feed(&r, bytes + at, part);
		}
		assert_int_equal(result, 1);
		text = fcgi_page(&r, &len);
		assert_non_null(text);
		assert_int_equal(len, 6);
		assert_memory_equal(text, "hello\n", 6);
		fcgi_response_free(&r);
	}
}

static void cut_response(void **unused)
{
	uint8_t bytes[512];
	size_t n = right_response(bytes);

	(void)unused;
	for (size_t len = 0; len < n; len++) {
		uint8_t *copy = malloc(len ? len : 1);
		struct fcgi_response r = { 0 };

		memcpy(copy, bytes, len);
		assert_int_equal(fcgi_feed(&r, copy, len), 0);
		assert_false(r.done);
		free(copy);
		fcgi_response_free(&r);
	}
}

static void hostile_response(void **unused)
{
	static uint8_t big[8 + 65535 + 255];
	static const char zeros[65535];
	struct fcgi_response r = { 0 };
	uint8_t bytes[64];
	int result = 0;
	size_t n, len;

	(void)unused;
	for (int byte = 0; byte < 4; byte++)
		for (int value = 0; value < 256; value++) {
			record(bytes, 6, "x", 1, 0);
			bytes[byte] = (uint8_t)value;
			memset(&r, 0, sizeof(r));
			result = fcgi_feed(&r, bytes, 9);
			assert_true(result == 0 || result == -EBADMSG);
			fcgi_response_free(&r);
		}
	record(bytes, 3, "\0\0\0\0\0\0\0", 7, 0); /* END_REQUEST of another size */
	assert_int_equal(fcgi_feed(&r, bytes, 15), -EBADMSG);
	memset(&r, 0, sizeof(r));
	record(bytes, 3, "\0\0\0\0\2\0\0\0", 8, 0); /* FCGI_OVERLOADED */
	assert_int_equal(fcgi_feed(&r, bytes, 16), -EBADMSG);
	assert_null(fcgi_page(&r, &len));
	memset(&r, 0, sizeof(r));
	record(bytes + 16, 6, "x", 1, 0); /* what is behind it makes no answer of a refusal */
	assert_int_equal(fcgi_feed(&r, bytes, 16 + 9), -EBADMSG);
	memset(&r, 0, sizeof(r));
	n = record(big, 6, zeros, sizeof(zeros), 255);
	result = 0;
	for (int i = 0; i < 100 && !result; i++)
		result = fcgi_feed(&r, big, n);
	assert_int_equal(result, -EFBIG);
	assert_true(r.room <= 2 * FCGI_BODY_MAX);
	assert_null(fcgi_page(&r, &len));
	fcgi_response_free(&r);
}

static void other_statuses(void **unused)
{
	static const struct {
		const char *body;
		bool page;
	} cases[] = {
		{ "Status: 404 Not Found\r\n\r\nx", false },
		{ "\n\nx", true },
		{ "X: y\n\nx", true },
		{ "X: y\n", false },
		{ "status:  200\r\n\r\n", true },
		{ "Status: 2\r\n\r\n", false },
		{ "", false },
	};
	size_t len;

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fcgi_response r = { .n = strlen(cases[i].body) };

		r.body = malloc(r.n + 1);
		memcpy(r.body, cases[i].body, r.n);
		assert_int_equal(fcgi_page(&r, &len) != NULL, cases[i].page);
		fcgi_response_free(&r);
	}
}

static void request(void **unused)
{
	char path[2000] = "/";
	uint8_t out[8192];
	size_t n = fcgi_put_status_request(out, sizeof(out), "/egt-status"), params;

	(void)unused;
	assert_true(n > 16);
	assert_memory_equal(out, "\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0", 16);
	params = (size_t)out[20] << 8 | out[21];
	assert_int_equal(out[17], 4);
	assert_non_null(memmem(out, n, "\13\13SCRIPT_NAME/egt-status", 24));
	assert_non_null(memmem(out, n, "\14\4QUERY_STRINGfull", 18));
	assert_int_equal(n, 16 + 8 + params + 16);
	assert_memory_equal(out + n - 16, "\1\4\0\1\0\0\0\0\1\5\0\1\0\0\0\0", 16);
	memset(path + 1, 'x', 500);
	assert_true(fcgi_put_status_request(out, sizeof(out), path) > 1500);
	memset(path + 1, 'x', 1500);
	assert_int_equal(fcgi_put_status_request(out, sizeof(out), path), 0);
	assert_int_equal(fcgi_put_status_request(out, 100, "/s"), 0);
}

/* Configuration */

static struct fpm_conf conf;
static char include[FPM_CONF_VALUE];

static int find(const char *text, const char *pool, struct fpm_page *out)
{
	fpm_conf_begin(&conf, pool);
	include[0] = 0;
	for (const char *end; *text; text = *end ? end + 1 : end) {
		end = strchrnul(text, '\n');
		fpm_conf_line(&conf, text, (size_t)(end - text), include);
	}
	return fpm_conf_page(&conf, out);
}

static void pools(void **unused)
{
	static const struct {
		const char *text;
		int error;
		const char *unix_path, *address;
		int port;
		const char *status_path;
	} cases[] = {
		{ "[www]\nlisten = /run/php.sock\npm.status_path = /status\n", 0, "/run/php.sock",
		  NULL, 0, "/status" },
		{ "; x\n[global]\nlisten=no\n[ www ]\n\tlisten=/run/$pool.sock ; c\n"
		  "pm.status_path = \"/s;t\"\r\n",
		  0, "/run/www.sock", NULL, 0, "/s;t" },
		{ "[www]\nlisten = 127.0.0.1:9000\npm.status_path=/s", 0, NULL, "\177\0\0\1", 9000,
		  "/s" },
		{ "[www]\nlisten = 9000\npm.status_path=/s", 0, NULL, "\177\0\0\1", 9000, "/s" },
		{ "[www]\nlisten = 0.0.0.0:9000\npm.status_path=/s", 0, NULL, "\177\0\0\1", 9000,
		  "/s" },
		{ "[www]\nlisten = [::1]:9000\npm.status_path=/s", 0, NULL, "\0\0\0\0", 9000,
		  "/s" },
		{ "[www]\nlisten = /a\npm.status_listen = 127.0.0.1:1\npm.status_path=/s", 0, NULL,
		  "\177\0\0\1", 1, "/s" },
		{ "[www]\nprefix = /srv/$pool\nlisten = run/x.sock\npm.status_path=/s", 0,
		  "/srv/www/run/x.sock", NULL, 0, "/s" },
		{ "[www]\nlisten = run/x.sock\npm.status_path=/s", -EADDRNOTAVAIL, 0, 0, 0, 0 },
		{ "[www]\nlisten = 192.0.2.1:9000\npm.status_path=/s", -EADDRNOTAVAIL, 0, 0, 0, 0 },
		{ "[www]\nlisten = localhost:9000\npm.status_path=/s", -EADDRNOTAVAIL, 0, 0, 0, 0 },
		{ "[www]\nlisten = 127.0.0.1:99999\npm.status_path=/s", -EADDRNOTAVAIL, 0, 0, 0,
		  0 },
		{ "[www]\nlisten = /run/php.sock\n", -ENOENT, 0, 0, 0, 0 },
		{ "[www]\nlisten = /x\n;pm.status_path = /status\n", -ENOENT, 0, 0, 0, 0 },
		{ "[www]\nlisten = /x\npm.status_path = status\n", -ENOENT, 0, 0, 0, 0 },
		{ "[www]\nlisten = ${SOCK}\npm.status_path = /s\n", -ENOENT, 0, 0, 0, 0 },
		{ "[www2]\nlisten = /x\npm.status_path = /s\n", -ENOENT, 0, 0, 0, 0 },
		{ "[www\nlisten = /x\npm.status_path = /s\n", -ENOENT, 0, 0, 0, 0 },
		{ "[www]\n[x]\nlisten = /x\npm.status_path = /s\n", -ENOENT, 0, 0, 0, 0 },
		{ "[www]\nlisten = \"/x\npm.status_path = /s\n", -ENOENT, 0, 0, 0, 0 },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fpm_page p = { .port = 7 };

		assert_int_equal(find(cases[i].text, "www", &p), cases[i].error);
		if (cases[i].error) {
			assert_int_equal(p.port, 7);
			continue;
		}
		assert_string_equal(p.status_path, cases[i].status_path);
		assert_int_equal(p.is_unix, cases[i].unix_path != NULL);
		if (cases[i].unix_path)
			assert_string_equal(p.unix_path, cases[i].unix_path);
		else
			assert_memory_equal(p.address, cases[i].address, 4);
		assert_int_equal(p.port, cases[i].port);
	}
}

static void hostile_lines(void **unused)
{
	struct fpm_page p;
	char line[4096];

	(void)unused;
	find("include=/etc/php/*.conf\n[www]\n", "www", &p);
	assert_string_equal(include, "/etc/php/*.conf");
	for (size_t n = 0; n < 3000; n += 7) {
		fpm_conf_begin(&conf, "www");
		fpm_conf_line(&conf, "[www]", 5, include);
		memcpy(line, "listen=/", 8);
		memset(line + 8, 'x', n);
		fpm_conf_line(&conf, line, 8 + n, include);
		assert_int_equal(strlen(conf.pool.listen), n + 1 < FPM_CONF_VALUE ? n + 1 : 0);
	}
	memcpy(line, "listen=", 7);
	for (int i = 0; i < 800; i++)
		memcpy(line + 7 + 5 * i, "$pool", 5);
	fpm_conf_line(&conf, line, 7 + 5 * 800, include);
	assert_string_equal(conf.pool.listen, "");
	fpm_conf_line(&conf, "listen=/a\0b", 11, include);
	assert_string_equal(conf.pool.listen, "");
}

static struct fpm_quota_key key(pid_t master, uint32_t uid, const char *pool)
{
	struct fpm_quota_key k = { .master = master, .master_start = 5, .uid = uid };

	snprintf(k.pool, sizeof(k.pool), "%s", pool);
	return k;
}

static void quota_each(void **unused)
{
	struct fpm_quota_key a = key(1, 1000, "a"), b = key(1, 1000, "b"), c = key(1, 1001, "c");
	static struct fpm_quota quota;

	(void)unused;
	memset(&quota, 0, sizeof(quota));
	for (int i = 0; i < 40; i++)
		assert_int_equal(fpm_quota_take(&quota, &a, 1), i < FPM_QUOTA_EACH ? 0 : -EBUSY);
	assert_int_equal(fpm_quota_take(&quota, &b, 1), -EBUSY); /* the same user's */
	a.uid = 1002;
	assert_int_equal(fpm_quota_take(&quota, &a, 1), -EBUSY); /* the same pool */
	a.uid = 1000;
	assert_int_equal(fpm_quota_take(&quota, &c, 1), 0);
	fpm_quota_give(&quota, &a, true, 2);
	assert_int_equal(fpm_quota_take(&quota, &b, 2), 0);
	for (unsigned i = 0; quota.n_open < FPM_QUOTA_ALL; i++) {
		struct fpm_quota_key other = key(1, 2000 + i, "x");

		snprintf(other.pool, sizeof(other.pool), "x%u", i);
		assert_int_equal(fpm_quota_take(&quota, &other, 3), 0);
	}
	a = key(1, 9, "z");
	assert_int_equal(fpm_quota_take(&quota, &a, 3), -EBUSY);
}

static void quota_late(void **unused)
{
	const uint64_t rest = FPM_QUOTA_REST_MS * 1000000ull;
	struct fpm_quota_key a = key(1, 1000, "a"), other = key(2, 1000, "a");
	static struct fpm_quota quota;

	(void)unused;
	memset(&quota, 0, sizeof(quota));
	for (int i = 0; i < FPM_QUOTA_LATE; i++) {
		assert_int_equal(fpm_quota_take(&quota, &a, 10), 0);
		fpm_quota_give(&quota, &a, false, 10);
	}
	assert_int_equal(fpm_quota_take(&quota, &a, 11), -EBUSY);
	assert_int_equal(fpm_quota_take(&quota, &other, 11), 0);
	fpm_quota_give(&quota, &other, true, 11);
	assert_int_equal(fpm_quota_take(&quota, &a, 9 + rest), -EBUSY);
	assert_int_equal(fpm_quota_take(&quota, &a, 10 + rest), 0);
	fpm_quota_give(&quota, &a, true, 10 + rest); /* it answered: all is forgotten */
	assert_int_equal(fpm_quota_take(&quota, &a, 11 + rest), 0);
	fpm_quota_give(&quota, &a, false, 11 + rest);
	assert_int_equal(fpm_quota_take(&quota, &a, 12 + rest), 0);
	assert_int_equal(quota.n_open, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "a status page names the script of a pid, byte by byte", right_page },
		{ "a page with anything but php-fpm's own lines is refused", forged_pages },
		{ "a page cut at any byte names nothing", cut_page },
		{ "a page with too many workers is refused", too_many },
		{ "a response is read in pieces of any size", response },
		{ "a response cut at any byte is not complete", cut_response },
		{ "hostile records are refused, and huge ones bounded", hostile_response },
		{ "only a page of status 200 with whole headers counts", other_statuses },
		{ "the request is FastCGI as php-fpm wants it", request },
		{ "a pool's page is found in the configuration, or not", pools },
		{ "hostile configuration lines are bounded", hostile_lines },
		{ "a pool and a user have few questions under way, and leave the others their "
		  "places",
		  quota_each },
		{ "a pool that does not answer three times in a row is not asked for a while",
		  quota_late },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("owner_fpm", tests, NULL, NULL);
}
