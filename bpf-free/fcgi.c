/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FastCGI records, written and read. Pure: it opens no connection. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fcgi.h"

/* FastCGI Specification 1.0, section 8 */
enum {
	VERSION = 1,
	BEGIN_REQUEST = 1,
	END_REQUEST = 3,
	PARAMS = 4,
	STDIN = 5,
	STDOUT = 6,
	STDERR = 7,
	RESPONDER = 1,
	KEEP_CONN = 1,
	REQUEST_ID = 1
};

static void put_header(uint8_t *at, uint8_t type, size_t content)
{
	at[0] = VERSION;
	at[1] = type;
	at[2] = 0;
	at[3] = REQUEST_ID;
	at[4] = (uint8_t)(content >> 8);
	at[5] = (uint8_t)content;
	at[6] = at[7] = 0;
}

static size_t put_length(uint8_t *at, size_t length)
{
	if (length < 128) {
		at[0] = (uint8_t)length;
		return 1;
	}
	at[0] = (uint8_t)(length >> 24 | 0x80);
	at[1] = (uint8_t)(length >> 16);
	at[2] = (uint8_t)(length >> 8);
	at[3] = (uint8_t)length;
	return 4;
}

size_t fcgi_put_status_request(uint8_t *out, size_t size, const char *path)
{
	/* php-fpm compares SCRIPT_NAME with pm.status_path, and reads the form of the page from
	 * QUERY_STRING (fpm_status.c fpm_status_handle_request()). */
	const char *const params[][2] = {
		{ "REQUEST_METHOD", "GET" },	    { "SCRIPT_NAME", path },
		{ "SCRIPT_FILENAME", path },	    { "REQUEST_URI", path },
		{ "QUERY_STRING", "full" },	    { "SERVER_PROTOCOL", "HTTP/1.1" },
		{ "GATEWAY_INTERFACE", "CGI/1.1" },
	};
	size_t at = 0, start, path_len = strlen(path);

	if (path_len > 1024 || size < 4 * path_len + 512)
		return 0;
	put_header(out, BEGIN_REQUEST, 8);
	memset(out + 8, 0, 8);
	out[9] = RESPONDER;
	out[10] = KEEP_CONN; /* it may be asked again */
	start = at = 16;
	at += 8;
	for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
		size_t key = strlen(params[i][0]), value = strlen(params[i][1]);

		at += put_length(out + at, key);
		at += put_length(out + at, value);
		memcpy(out + at, params[i][0], key);
		memcpy(out + at + key, params[i][1], value);
		at += key + value;
	}
	put_header(out + start, PARAMS, at - start - 8);
	put_header(out + at, PARAMS, 0);
	put_header(out + at + 8, STDIN, 0);
	return at + 16;
}

static int keep(struct fcgi_response *r, const uint8_t *bytes, size_t n)
{
	if (n > FCGI_BODY_MAX - r->n)
		return -EFBIG;
	if (r->n + n > r->room) {
		size_t room = r->room ? r->room * 2 : 16384;
		char *body;

		while (room < r->n + n)
			room *= 2;
		body = realloc(r->body, room);
		if (!body)
			return -ENOMEM;
		r->body = body;
		r->room = room;
	}
	memcpy(r->body + r->n, bytes, n);
	r->n += n;
	return 0;
}

static int take_header(struct fcgi_response *r)
{
	const uint8_t *h = r->header;

	if (h[0] != VERSION || h[2] != 0 || h[3] != REQUEST_ID ||
	    (h[1] != STDOUT && h[1] != STDERR && h[1] != END_REQUEST))
		return -EBADMSG;
	r->content_left = (size_t)h[4] << 8 | h[5];
	r->padding_left = h[6];
	if (h[1] == END_REQUEST && r->content_left != sizeof(r->end))
		return -EBADMSG;
	return 0;
}

static int take_content(struct fcgi_response *r, const uint8_t *bytes, size_t n)
{
	int error = 0;

	switch (r->header[1]) {
	case STDOUT:
		error = keep(r, bytes, n);
		break;
	case END_REQUEST:
		memcpy(r->end + r->end_n, bytes, n);
		r->end_n += (unsigned)n;
		break;
	default: /* standard error is not ours */
		break;
	}
	r->content_left -= n;
	return error;
}

int fcgi_feed(struct fcgi_response *r, const uint8_t *bytes, size_t n)
{
	while (n && !r->done) { /* what stands behind the end is not looked at */
		size_t part;
		int error = 0;

		if (r->header_n < sizeof(r->header)) {
			r->header[r->header_n++] = *bytes++;
			n--;
			if (r->header_n == sizeof(r->header))
				error = take_header(r);
		} else if (r->content_left) {
			part = n < r->content_left ? n : r->content_left;
			error = take_content(r, bytes, part);
			bytes += part;
			n -= part;
		} else {
			part = n < r->padding_left ? n : r->padding_left;
			r->padding_left -= part;
			bytes += part;
			n -= part;
		}
		if (error)
			return error;
		if (r->header_n == sizeof(r->header) && !r->content_left && !r->padding_left) {
			r->header_n = 0;
			r->done = r->header[1] == END_REQUEST;
		}
	}
	if (!r->done)
		return 0;
	return r->end[4] == 0 ? 1 : -EBADMSG; /* protocolStatus FCGI_REQUEST_COMPLETE */
}

void fcgi_response_free(struct fcgi_response *r)
{
	free(r->body);
	memset(r, 0, sizeof(*r));
}

const char *fcgi_page(const struct fcgi_response *r, size_t *len)
{
	static const char status[] = "Status:";
	const char *line = r->body, *end = line ? line + r->n : NULL;

	while (line < end) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t n;

		if (!newline)
			return NULL;
		n = (size_t)(newline - line);
		if (n && line[n - 1] == '\r')
			n--;
		if (!n) {
			*len = (size_t)(end - newline - 1);
			return newline + 1;
		}
		if (n >= sizeof(status) - 1 && !strncasecmp(line, status, sizeof(status) - 1)) {
			const char *code = line + sizeof(status) - 1;

			while (code < line + n && *code == ' ')
				code++;
			if (line + n - code < 3 || memcmp(code, "200", 3))
				return NULL;
		}
		line = newline + 1;
	}
	return NULL;
}
