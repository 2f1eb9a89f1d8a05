/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as what a php-fpm pool answers, or as the status page itself, and any path as a
 * request: the answer is the same in whatever pieces it comes, and what the page says lies in it.
 */
#include <errno.h>
#include <string.h>

#include "bpf-free/fcgi.h"
#include "bpf-free/fpm_status.h"
#include "take.h"

static void check_text(const struct fpm_text *text, const char *page, size_t len)
{
	must(text->at >= page && text->len <= (size_t)(page + len - text->at));
	must(!memchr(text->at, '\n', text->len));
}

static void check_page(const char *page, size_t len, pid_t pid)
{
	static struct fpm_status status, other;
	int result = fpm_status_parse(page, len, pid, &status);
	unsigned listed = 0;

	if (result && result != -ENOENT) {
		must(result == -EBADMSG);
		return;
	}
	must(status.n_listed >= 1 && status.n_listed <= FPM_STATUS_PIDS);
	check_text(&status.pool, page, len);
	for (unsigned i = 0; i < status.n_listed; i++) {
		must(status.pids[i] > 0);
		listed += status.pids[i] == pid;
	}
	must(listed == (result == 0));
	if (!result) {
		check_text(&status.state, page, len);
		check_text(&status.method, page, len);
		check_text(&status.uri, page, len);
		check_text(&status.script, page, len);
		(void)fpm_status_at_work(&status);
	}
	/* The same page for any of its processes; and no page at all once its end is missing. */
	must(!fpm_status_parse(page, len, status.pids[status.n_listed - 1], &other));
	must(other.n_listed == status.n_listed);
	must(fpm_status_parse(page, len - 1, pid, &other) == -EBADMSG);
}

/* Fed in steps; what the first call that did not ask for more said. */
static int feed(struct fcgi_response *response, const uint8_t *bytes, size_t len, size_t step)
{
	int result = 0;

	for (size_t at = 0; at < len && !result; at += step)
		result = fcgi_feed(response, bytes + at, len - at < step ? len - at : step);
	return result;
}

static void check_response(const uint8_t *bytes, size_t len, size_t step, pid_t pid)
{
	struct fcgi_response whole = { 0 }, parts = { 0 };
	int result = feed(&whole, bytes, len, len ? len : 1);
	const char *page;
	size_t n;

	must(result == feed(&parts, bytes, len, step));
	must(result == 0 || result == 1 || result == -EBADMSG || result == -EFBIG);
	must(whole.n <= whole.room && whole.n <= FCGI_BODY_MAX && whole.end_n <= sizeof(whole.end));
	must((result == 1) <= whole.done);
	must(whole.n == parts.n && (!whole.n || !memcmp(whole.body, parts.body, whole.n)));
	page = fcgi_page(&whole, &n);
	if (page) {
		must(page > whole.body && n == (size_t)(whole.body + whole.n - page));
		check_page(page, n, pid);
	}
	fcgi_response_free(&whole);
	fcgi_response_free(&parts);
	must(!whole.body && !whole.n);
}

static size_t take_length(const uint8_t **at)
{
	size_t len = *(*at)++;

	if (len & 0x80) {
		len = (len & 0x7f) << 24 | (size_t)(*at)[0] << 16 | (size_t)(*at)[1] << 8 |
		      (*at)[2];
		*at += 3;
	}
	return len;
}

/* FastCGI Specification 1.0, 3.4: the request has the path as it is, and fills what it says. */
static void check_request(const char *path, size_t size)
{
	uint8_t *out = malloc(size ? size : 1);
	size_t len = fcgi_put_status_request(out, size, path), params, key, value;
	const uint8_t *at = out + 24, *end;
	bool named = false;

	must(out && len <= size);
	if (!len) {
		free(out);
		return;
	}
	must(len >= 16 + 8 + 16);
	params = (size_t)out[20] << 8 | out[21];
	must(out[17] == 4 && 24 + params + 16 == len);
	for (end = at + params; at < end; at += key + value) {
		key = take_length(&at);
		value = take_length(&at);
		must(key + value <= (size_t)(end - at));
		if (key == 11 && !memcmp(at, "SCRIPT_NAME", 11))
			named = value == strlen(path) && !memcmp(at + key, path, value);
	}
	must(at == end && named);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct take take = { data, size };
	uint8_t which = take_u8(&take), step = take_u8(&take);
	pid_t pid = take_u16(&take);
	char *path;

	if (which % 3 == 0) {
		check_response(take.at, take.left, step ? step : 1, pid);
	} else if (which % 3 == 1) {
		check_page((const char *)take.at, take.left, pid);
	} else {
		path = take_rest(&take);
		check_request(path, pid);
		check_request(path, 8192);
		free(path);
	}
	return 0;
}
